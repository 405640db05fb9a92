"""Pictures of a classifier's predictions: mistakes, probabilities, and figures for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nn import inspection
from nn.support.arrays import Array, as_array
from nn.support.canvas import (
    BLUES,
    GREY,
    INK,
    LINE,
    ORANGES,
    PALE,
    axes,
    colour_map,
    columns_of,
    literal,
    matplotlib,
    mosaic,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def confusion_matrix(
    true: npt.ArrayLike, predicted: npt.ArrayLike, classes: Sequence[object] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often each true class (row) was predicted as each class (column): counts and percentages of the row.

    Args:
        true: the true labels (n,), integers from 0.
        predicted: the predicted labels (n,).
        classes: the names of the classes. By default their numbers.
        ax: the Axes to draw on.

    Mistakes are coloured by their percentage. Raises ValueError if the lengths differ, or a label is outside the
    classes.

    >>> ax = confusion_matrix([0, 0, 1], [0, 1, 1])
    >>> [text.get_text() for text in ax.texts]
    ['1\\n50.0%', '1\\n50.0%', '·', '1\\n100%']
    """
    counts = inspection.confusion_counts(true, predicted, None if classes is None else len(classes))
    n = len(counts)
    names = [literal(name) for name in (range(n) if classes is None else classes)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mistakes = np.where(np.eye(n, dtype=bool), 0, share)

    ax = axes(ax, (5.2, 5.2))
    colours = colour_map("mistakes", ("#FFFFFF", *ORANGES[:3]))
    ax.imshow(mistakes, cmap=colours, vmin=0, vmax=max(mistakes.max(), 1e-9))
    for (i, j), count in np.ndenumerate(counts):
        right = i == j
        percent = f"{share[i, j]:.1%}".replace("100.0", "100")
        ax.text(
            j, i, f"{count}\n{percent}" if count else "·", ha="center", va="center", fontsize=8,
            color=INK if count else GREY, fontweight="bold" if right else "normal", linespacing=1.25,
        )  # fmt: skip
    ax.set_xticks(range(n), names, color=INK)
    ax.set_yticks(range(n), names, color=INK)
    ax.set_xlabel("predicted", color=GREY)
    ax.set_ylabel("true", color=GREY)
    ax.tick_params(length=0)
    ax.spines[:].set_color(LINE)
    return ax


def class_figures(
    true: npt.ArrayLike, predicted: npt.ArrayLike, classes: Sequence[object] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw precision, recall and F1 of each class (row), with its name and its number of samples.

    Args:
        true: the true labels (n,), integers from 0.
        predicted: the predicted labels (n,).
        classes: the names of the classes. By default their numbers.
        ax: the Axes to draw on.

    `nn.inspection.class_figures` defines the figures and the errors.

    >>> ax = class_figures([0, 0, 1], [0, 1, 1])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 (2)', '1 (1)']
    """
    figures = inspection.class_figures(true, predicted, classes)
    rows = np.arange(len(figures.names))
    ax = axes(ax, (5.2, 1.1 + 0.32 * len(rows)))
    columns = np.stack([figures.precision, figures.recall, figures.f1])
    known = np.isfinite(columns).any(axis=0)
    low, high = np.nanmin(columns[:, known], axis=0), np.nanmax(columns[:, known], axis=0)
    ax.hlines(rows[known], low, high, color=LINE, linewidth=1.6, zorder=1)
    # F1 lies between precision and recall; their triangles point at it
    for name, column, marker, colour in zip(
        ("precision", "recall", "F1"), columns, (">", "<", "o"), (BLUES[1], ORANGES[3], INK), strict=True
    ):
        ax.plot(column, rows, marker, color=colour, label=name, markersize=6, clip_on=False)
    ax.set_yticks(
        rows, [f"{literal(name)} ({n})" for name, n in zip(figures.names, figures.count, strict=True)], color=INK
    )
    ax.invert_yaxis()
    left = float(low.min()) if low.size else 0.0
    ax.set_xlim(left - 0.08 * (1 - left) - 1e-3, 1)
    ax.set_ylabel("class (samples)", color=GREY)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, handletextpad=0.2)
    return ax


def prediction_bars(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n: int = 6,
    shape: tuple[int, int] = (28, 28),
    ax: Axes | None = None,
) -> Axes:
    """Draw the first samples, each with a bar from 0 to 1 for the probability of every class.

    Args:
        images: (samples, height * width) or (samples, height, width), grey; larger is darker.
        labels: (samples,), the true classes.
        probabilities: (samples, classes), such as softmax of the logits.
        n: the largest number of samples to draw.
        shape: the height and width of an image.
        ax: the Axes to draw on.

    The bar and the number of the true class are blue, the other bars orange. Raises ValueError for no samples and for
    other shapes.

    >>> ax = prediction_bars(np.eye(2), [0, 1], [[0.9, 0.1], [0.75, 0.25]], shape=(1, 2))
    >>> [text.get_text() for text in ax.texts if "→" in text.get_text()]
    ['0→0 p=.90', '1→0 p=.75']
    """
    images, labels, probabilities = _samples(images, labels, probabilities, n, shape)
    shown, classes = min(n, len(labels)), probabilities.shape[1]
    columns = min(3, columns_of(shown))
    rows = -(-shown // columns)
    height = shape[0] / shape[1]  # an image has the width 1, as has a bar for the probability 1
    tall = max(height, min(0.15 * classes, 2.0))  # so that the numbers of ten classes can be read
    across, down = 2.55, tall + 0.5
    ax = axes(ax, (2.6 * columns, 1.02 * down * rows + 0.3))
    bar, darkest = tall / classes, max(float(images[:shown].max()), 1e-9)
    for i in range(shown):
        x, y = i % columns * across, i // columns * down
        true, row, top = int(labels[i]), probabilities[i], y + (tall - height) / 2
        ax.imshow(images[i], cmap="gray_r", vmin=0, vmax=darkest, extent=(x, x + 1, top + height, top))
        places = y + (np.arange(classes) + 0.5) * bar
        ax.barh(places, 1, 0.8 * bar, left=x + 1.3, color=PALE)
        ax.barh(
            places, row, 0.8 * bar, left=x + 1.3, color=[BLUES[1] if k == true else ORANGES[3] for k in range(classes)]
        )
        for k in range(classes):
            bold, colour = ("bold", BLUES[1]) if k == true else ("normal", GREY)
            ax.text(x + 1.24, places[k], str(k), ha="right", va="center", fontsize=8, color=colour, fontweight=bold)
        for end in (0, 1):
            ax.text(x + 1.3 + end, y + tall + 0.02, str(end), ha="center", va="top", fontsize=8, color=GREY)
        ax.text(x + 1.15, y - 0.05, _sure(true, row), ha="center", va="bottom", fontsize=9, color=INK)
    patch = matplotlib("patches").Patch
    ax.legend(
        handles=[patch(color=BLUES[1], label="the true class"), patch(color=ORANGES[3], label="another class")],
        loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False, fontsize=9, borderaxespad=0,
    )  # fmt: skip
    ax.set(xlim=(-0.05, columns * across - 0.1), ylim=(rows * down - 0.2, -0.25), aspect="equal")
    ax.set_axis_off()
    return ax


def worst_samples(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n: int = 25,
    shape: tuple[int, int] = (28, 28),
    ax: Axes | None = None,
) -> Axes:
    """Draw the samples with the largest loss, worst first. Titles are ``true→predicted p=probability of the latter``.

    Args:
        images: (samples, height * width) or (samples, height, width), grey; larger is darker.
        labels: (samples,), the true classes.
        probabilities: (samples, classes), such as softmax of the logits.
        n: the largest number of samples to draw.
        shape: the height and width of an image.
        ax: the Axes to draw on.

    Raises ValueError for no samples and for other shapes.

    >>> worst = worst_samples(np.eye(2), [0, 1], [[0.9, 0.1], [0.75, 0.25]], shape=(1, 2))
    >>> [text.get_text() for text in worst.texts]
    ['1→0 p=.75', '0→0 p=.90']
    """
    images, labels, probabilities = _samples(images, labels, probabilities, n, shape)
    worst = np.argsort(probabilities[np.arange(len(labels)), labels], kind="stable")[:n]
    gap = -(-shape[0] // 3)  # room for a title
    columns = columns_of(len(worst))
    ax = axes(ax, (4.8, 0.3 + 4.8 * -(-len(worst) // columns) / columns))
    ax.imshow(mosaic(images[worst], gap, columns), cmap="gray_r", vmin=0, vmax=max(float(images[worst].max()), 1e-9))
    for place, i in enumerate(worst):
        row, column = divmod(place, columns)
        title = _sure(labels[i], probabilities[i])
        x = column * (shape[1] + gap) + (shape[1] - 1) / 2
        ax.text(x, row * (shape[0] + gap) - 1, title, ha="center", va="bottom", fontsize=8.5, color=INK)
    ax.set_axis_off()
    return ax


def _samples(
    images: npt.ArrayLike, labels: npt.ArrayLike, probabilities: npt.ArrayLike, n: int, shape: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Images (samples, height, width), labels and probabilities as arrays, after a check."""
    labels, probabilities = as_array(labels, "labels", "iub"), as_array(probabilities, "probabilities")
    if not len(labels) or n < 1:
        raise ValueError(f"there is nothing to show: {len(labels)} samples were given, n={n}")
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ValueError(f"probabilities are (samples, classes) for {len(labels)} labels, got {probabilities.shape}")
    return as_array(images, "images").reshape(len(labels), *shape), labels, probabilities


def _sure(label: object, probabilities: npt.NDArray[np.floating]) -> str:
    """The true class, the predicted class, and the probability of the predicted class."""
    guess = probabilities.argmax()
    return f"{label}→{guess} p={probabilities[guess]:.2f}".replace("=0.", "=.")
