"""The decision boundary of a classifier of points in the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.inspection import made_of_values, outputs
from nn.support.arrays import as_array, as_floats
from nn.support.canvas import CLASSES, GREY, LINE, axes, class_image, placed, signed_image, usual_limit, zero_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "^", "s", "D", "P", "X", "v", "p")  # one for each of CLASSES


def decision_boundary(
    model: Callable[[Any], Any],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    ax: Axes | None = None,
    *,
    resolution: int | None = None,
    limit: float | None = None,
) -> Axes:
    """Draw a classifier's outputs for points in the plane, and the given points, with a marker for each class.

    Args:
        model: a network of Values, called with one point as a list of two numbers; or a network of Tensors or any
            other function, called with points (n, 2).
        x: points (n, 2).
        y: their classes (n,), whole numbers.
        ax: the Axes to draw on.
        resolution: the number of grid points along each axis. By default 200, or 50 for a network of Values.
        limit: the score of the strongest colours. By default 5 % of the grid exceed it.

    A single output, (n,) or (n, 1), is a score: positive for label 1, negative for label 0 or -1. With two outputs,
    (n, 2), the score is the second minus the first. The score is shown as a colour, with a black line where it is zero.
    With more outputs, labels count from 0 and the largest output wins. The region has the colour of its class, which is
    stronger the larger the lead.

    Raises ValueError for points, labels or outputs of other shapes, and for labels that do not fit the outputs.

    >>> ax = decision_boundary(lambda points: points[:, 0] - 0.25, [[0, 0], [1, 1]], [-1, 1])
    >>> [(line.get_label(), line.get_marker()) for line in ax.lines]
    [('-1', 'o'), ('1', '^')]
    """
    x, y = as_floats(x, "decision_boundary"), as_array(y, "decision_boundary")
    if x.ndim != 2 or x.shape[1] != 2 or not len(x) or not np.isfinite(x).all():
        raise ValueError(f"decision_boundary takes finite points (n, 2), got x of shape {x.shape}: {x!r:.80}")
    if y.shape != (len(x),) or (y % 1 != 0).any():
        raise ValueError(f"labels are whole numbers, one for each point: ({len(x)},), got {y.dtype} of shape {y.shape}")
    resolution = (50 if made_of_values(model) else 200) if resolution is None else resolution
    if resolution < 2:
        raise ValueError(f"the grid needs at least 2 points along each axis, got resolution={resolution}")
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.1 * np.where(high > low, high - low, 1)
    columns, rows = np.linspace(low - margin, high + margin, resolution, axis=1)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    try:
        found = outputs(model, grid.astype(x.dtype) if x.dtype.kind == "f" else grid)
    except Exception as error:
        called = "points [x0, x1] one by one" if made_of_values(model) else "an array of points (n, 2)"
        error.add_note(f"(while drawing the decision boundary, which calls the model with {called})")
        raise
    if found.ndim not in (1, 2) or len(found) != len(grid) or not found.size:
        expected = f"({len(grid)},), ({len(grid)}, 1) or ({len(grid)}, classes)"
        raise ValueError(f"the model returned the shape {found.shape} for {len(grid)} points, expected {expected}")
    found = found.reshape(resolution, resolution, -1)
    classes, labels = found.shape[2], np.unique(y).astype(int)
    if classes > 2 and (labels[0] < 0 or labels[-1] >= classes):
        raise ValueError(f"the labels {labels.tolist()} are not 0 to {classes - 1}, one for each output of the model")
    if classes <= 2 and labels.tolist() not in ([-1, 1], [0, 1], [-1], [0], [1]):
        raise ValueError(f"labels of two classes are 0 and 1 or -1 and 1, got {labels.tolist()}")

    ax = axes(ax, (4.8, 4.9))
    if classes > 2:
        class_image(ax, columns, rows, found, limit)
    else:
        score = found[..., 0] if classes == 1 else found[..., 1] - found[..., 0]
        signed_image(ax, score, limit or usual_limit(score), alpha=0.75, **placed(columns, rows))
        zero_line(ax, columns, rows, score)
    for label in labels:
        i = max(label, 0) % len(CLASSES)
        ax.plot(
            *x[y == label].T, MARKERS[i], label=str(label), markersize=6.5, color=CLASSES[i], markeredgecolor="white",
            markeredgewidth=0.9,
        )  # fmt: skip
    ax.set(xlim=columns[[0, -1]], ylim=rows[[0, -1]])
    ax.tick_params(colors=GREY)
    ax.spines[:].set_color(LINE)
    ax.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=8, frameon=False, handletextpad=0, columnspacing=0.8,
        borderaxespad=0.1,
    )  # fmt: skip
    return ax
