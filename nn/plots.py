"""Pictures of a network and its training: curves, the decision boundary, weights, activations, gradients, mistakes.

matplotlib draws, and is imported when a picture is first asked for. Every function draws on the axes that it is given
(``ax=``), or else on a new figure of its own, and returns the axes: ``curves(history).figure.savefig("loss.png")``.
pyplot and its global state are not touched, so nothing needs closing and threads do not meet. `nn.live.Frames` calls
these functions while a network learns.

Colours as in the drawings of graphs: blue is negative, orange positive.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from autograd import Value
from nn.canvas import (
    BLUES,
    CLASSES,
    GREY,
    INK,
    LINE,
    ORANGES,
    axes,
    class_image,
    colour_map,
    columns_of,
    matplotlib,
    mosaic,
    placed,
    ridges,
    signed_axis,
    signed_image,
    usual_limit,
    zero_line,
)
from nn.history import History, shown
from nn.layers import Sequential
from nn.module import Module
from nn.neuron import MLP, Layer
from nn.training import predict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array: TypeAlias = npt.NDArray[Any]

MARKERS = ("o", "^", "s", "D", "P", "X", "v", "p")  # one for each of CLASSES
BOUNDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}  # where an activation saturates


def curves(history: History, ax: Axes | None = None, *, column: str = "loss", log: bool = False) -> Axes:
    """A number over the epochs: ``train_loss`` solid, every other column that ends in ``loss`` dashed.

    Args:
        history: what `nn.training.fit` returned.
        ax: where to draw.
        column: "loss", "accuracy" or another ending of columns; ValueError if there is none.
        log: a logarithmic vertical axis.

    The best epoch of the last line is marked: the largest for accuracies, the smallest for all else.

    >>> ax = curves(History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}]))
    >>> [line.get_label() for line in ax.lines]
    ['train_loss', 'best: 0.2500 in epoch 2']
    """
    names = sorted((name for name in history.columns if name.endswith(column)), key=lambda name: name[:6] != "train_")
    if not names:
        raise ValueError(f"the history has no column that ends in {column!r}: {history.columns}")
    ax = axes(ax, (4.4, 3.2))
    others = itertools.cycle((ORANGES[3], "#8250DF", "#1A7F37"))
    marker = "o" if len(history) < 30 else ""
    for name in names:
        style, colour = ("-", BLUES[1]) if name.startswith("train_") else ("--", next(others))
        ax.plot(history["epoch"], history[name], style, label=name, marker=marker, markersize=3.5, color=colour)
    if np.isfinite(history[names[-1]]).any():
        row = history.best(names[-1])
        best = f"best: {shown(row[names[-1]])} in epoch {row['epoch']}"
        ax.plot([row["epoch"]], [row[names[-1]]], "o", label=best, markersize=10, markerfacecolor="none", color=INK)
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(matplotlib("ticker").MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch", color=GREY)
    ax.set_ylabel(column, color=GREY)
    ax.grid(axis="y", color=LINE, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize="small", framealpha=0.9, edgecolor="none")
    return ax


def decision_boundary(
    model: Callable[[Any], Any],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    ax: Axes | None = None,
    *,
    resolution: int | None = None,
    limit: float | None = None,
) -> Axes:
    """What a classifier of points in the plane says everywhere, and the points: a marker shape for each class.

    Args:
        model: a network of Values, called with one point as a list of two numbers; or a network of Tensors or any
            other function, called with points (n, 2).
        x: points (n, 2).
        y: their classes (n,), whole numbers.
        ax: where to draw.
        resolution: points of the grid along each axis; by default 200, or 50 for a network of Values.
        limit: the score of the strongest colours; by default one that 5 % of the grid exceed.

    One output, (n,) or (n, 1), is a score: positive for label 1, negative for label 0 or -1. Of two, (n, 2), the score
    is the second less the first. It is coloured, with a black line where it is zero. Of more outputs the largest
    wins, for labels from 0: the region has the colour of the class, the stronger the larger the lead.

    ValueError for points, labels or outputs of other shapes, and for labels that do not fit the outputs.

    >>> ax = decision_boundary(lambda points: points[:, 0] - 0.25, [[0, 0], [1, 1]], [-1, 1])
    >>> [(line.get_label(), line.get_marker()) for line in ax.lines]
    [('-1', 'o'), ('1', '^')]
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 2 or x.shape[1] != 2 or not len(x) or not np.isfinite(x).all():
        raise ValueError(
            f"a decision boundary is drawn around finite points (n, 2), got x of shape {x.shape}: {x!r:.80}"
        )
    if y.shape != (len(x),) or y.dtype.kind not in "biuf" or (y % 1 != 0).any():
        raise ValueError(f"labels are whole numbers, one a point: ({len(x)},), got {y.dtype} of shape {y.shape}")
    resolution = (50 if _scalar(model) else 200) if resolution is None else resolution
    if resolution < 2:
        raise ValueError(f"the grid needs at least 2 points along each axis, got resolution={resolution}")
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.1 * np.where(high > low, high - low, 1)
    columns, rows = np.linspace(low - margin, high + margin, resolution, axis=1)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    try:
        outputs = _outputs(model, grid.astype(x.dtype) if x.dtype.kind == "f" else grid)
    except Exception as error:
        called = "points [x0, x1] one by one" if _scalar(model) else "an array of points (n, 2)"
        error.add_note(f"(while drawing the decision boundary, which calls the model with {called})")
        raise
    if outputs.ndim not in (1, 2) or len(outputs) != len(grid) or not outputs.size:
        expected = f"({len(grid)},), ({len(grid)}, 1) or ({len(grid)}, classes)"
        raise ValueError(f"the model made shape {outputs.shape} of {len(grid)} points, expected {expected}")
    outputs = outputs.reshape(resolution, resolution, -1)
    classes, labels = outputs.shape[2], np.unique(y).astype(int)
    if classes > 2 and (labels[0] < 0 or labels[-1] >= classes):
        raise ValueError(f"the labels {labels.tolist()} are not 0 to {classes - 1}, one for each output of the model")
    if classes <= 2 and labels.tolist() not in ([-1, 1], [0, 1], [-1], [0], [1]):
        raise ValueError(f"labels of two classes are 0 and 1 or -1 and 1, got {labels.tolist()}")

    ax = axes(ax, (4.8, 4.9))
    if classes > 2:
        class_image(ax, columns, rows, outputs, limit)
    else:
        score = outputs[..., 0] if classes == 1 else outputs[..., 1] - outputs[..., 0]
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


def confusion_matrix(
    true: npt.ArrayLike, predicted: npt.ArrayLike, classes: Sequence[object] | None = None, ax: Axes | None = None
) -> Axes:
    """How often each class (rows) was taken for which (columns): counts, with their share of the row.

    Args:
        true: labels (n,), integers from 0.
        predicted: labels (n,), what they were taken for.
        classes: their names; the numbers themselves by default.
        ax: where to draw.

    The mistakes are coloured, by their share. ValueError for labels of different lengths or of no class.

    >>> ax = confusion_matrix([0, 0, 1], [0, 1, 1])
    >>> [text.get_text() for text in ax.texts]
    ['1\\n50.0%', '1\\n50.0%', '·', '1\\n100%']
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    if true.shape != predicted.shape or true.ndim != 1 or not true.size:
        raise ValueError(f"labels come as two arrays (n,) of equal length, got {true.shape} and {predicted.shape}")
    found = np.concatenate([true, predicted])
    names = [str(name) for name in (range(found.max() + 1) if classes is None else classes)]
    if found.min() < 0 or found.max() >= len(names):
        raise ValueError(f"labels from {found.min()} to {found.max()} do not fit {len(names)} classes")
    n = len(names)
    counts = np.bincount(true * n + predicted, minlength=n * n).reshape(n, n)
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


def weight_images(
    weight: Any, shape: tuple[int, int] = (28, 28), ax: Axes | None = None, *, limit: float | None = None
) -> Axes:
    """The weights into each unit as an image of the input: what makes it fire (orange), what holds it down (blue).

    Args:
        weight: (height * width, units), such as the `weight` of a first `Linear`: a Tensor or an array.
        shape: height and width; ValueError if they do not fit.
        ax: where to draw.
        limit: the weight of the strongest colours, the same for all units. By default the largest magnitude but for
            one in 200 weights, for a few far out would leave the others pale.

    >>> weight_images(np.array([[2.0, 0.0], [0.0, -2.0]]), shape=(1, 2)).images[0].get_clim()
    (-2.0, 2.0)
    """
    weight = np.asarray(getattr(weight, "data", weight))
    if weight.ndim != 2 or weight.shape[0] != shape[0] * shape[1] or not weight.size:
        raise ValueError(f"weights of shape {weight.shape} are no images of {shape[0]} x {shape[1]}, one a unit")
    ax = axes(ax, (4.8, 5.1))
    limit = float(np.nanquantile(np.abs(weight), 0.995)) or 1.0 if limit is None else limit
    signed_image(ax, mosaic(weight.T.reshape(-1, *shape)), limit, interpolation="nearest")
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
    """The samples with the largest loss, worst first, each titled ``true→predicted p=probability of the latter``.

    Args:
        images: (samples, height * width) or (samples, height, width), grey, larger is darker.
        labels: (samples,), the true classes.
        probabilities: (samples, classes), such as softmax of the logits.
        n: how many at most.
        shape: height and width of an image.
        ax: where to draw.

    >>> worst = worst_samples(np.eye(2), [0, 1], [[0.9, 0.1], [0.75, 0.25]], shape=(1, 2))
    >>> [text.get_text() for text in worst.texts]
    ['1→0 p=.75', '0→0 p=.90']
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if not len(labels) or n < 1:
        raise ValueError(f"there is nothing to show of {len(labels)} samples, {n} wanted")
    images = np.asarray(images).reshape(len(labels), *shape)
    worst = np.argsort(probabilities[np.arange(len(labels)), labels], kind="stable")[:n]
    gap = -(-shape[0] // 3)  # room for a title
    ax = axes(ax, (4.8, 5.1))
    columns = columns_of(len(worst))
    ax.imshow(mosaic(images[worst], gap, columns), cmap="gray_r", vmin=0, vmax=max(float(images[worst].max()), 1e-9))
    for place, i in enumerate(worst):
        row, column = divmod(place, columns)
        guess = probabilities[i].argmax()
        title = f"{labels[i]}→{guess} p={probabilities[i, guess]:.2f}".replace("=0.", "=.")
        x = column * (shape[1] + gap) + (shape[1] - 1) / 2
        ax.text(x, row * (shape[0] + gap) - 1, title, ha="center", va="bottom", fontsize=8.5, color=INK)
    ax.set_axis_off()
    return ax


def activation_histograms(model: Sequential | MLP, x: npt.ArrayLike, ax: Axes | None = None) -> Axes:
    """How the outputs of each layer are distributed on a batch, the first layer on top, and how many say nothing.

    Args:
        model: a `Sequential` (one inside it is opened, too) or an `MLP`; TypeError for anything else.
        x: inputs (n, …), as the model takes them; an MLP's are (n, features).
        ax: where to draw.

    In evaluation mode, as `nn.training.predict`. Outputs that are exactly 0 are counted instead of drawn. A ReLU's unit
    that is 0 for the whole batch is dead; outputs of tanh and sigmoid within 1 % of an end of the range are saturated.

    >>> from nn import ReLU
    >>> ax = activation_histograms(Sequential(ReLU()), [[-1.0, 2.0], [-3.0, 4.0]])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 ReLU\\n50% zero, 1 of 2 dead']
    """
    if not isinstance(model, Sequential | MLP):
        raise TypeError(f"layers are known of a Sequential or an MLP, not of a {type(model).__name__}: {model!r:.80}")
    out, outputs = np.asarray(x), {}
    for path, layer in _layers(model):
        out = _outputs(layer, out).reshape(len(out), -1) if _scalar(layer) else _outputs(layer, out)
        kind = _kind(layer)
        notes = _shares(out)
        if kind == "ReLU" and (dead := (out == 0).reshape(len(out), -1).all(axis=0)).any():
            notes.append(f"{dead.sum()} of {dead.size} dead")
        if kind.lower() in BOUNDS:
            low, high = BOUNDS[kind.lower()]
            notes.append(f"{(np.minimum(out - low, high - out) < 0.01 * (high - low)).mean():.0%} saturated")
        outputs[_titled(f"{path} {kind}", notes)] = out
    limit = max((usual_limit(out, 0.995) for out in outputs.values()), default=1.0)
    ax = axes(ax, (5.2, 0.8 + 0.6 * len(outputs)))
    ridges(ax, outputs, signed_axis(ax, limit))
    ax.set_xlabel("output", color=GREY)
    return ax


def gradient_histograms(model: Module, ax: Axes | None = None) -> Axes:
    """How large the entries of each parameter's gradient are, on a logarithmic axis: blue negative, orange positive.

    Args:
        model: after backward and before `zero_grad`; ValueError if no parameter of it has a gradient. Values of a layer
            go together: ``layers.0.neurons.w``.
        ax: where to draw.

    Entries that are exactly 0 are counted instead of drawn, and the axis ends twelve decades below the largest.

    >>> from nn import Linear
    >>> layer = Linear(2, 1, rng=0)
    >>> layer(np.array([[1.0, 0.0]], np.float32)).sum().backward()
    >>> [label.get_text() for label in gradient_histograms(layer).get_yticklabels()]
    ['weight\\n50% zero', 'bias']
    """
    parts: dict[str, list[Array]] = {}
    for path, p in model.named_parameters():
        entries = parts.setdefault(_group(path) if isinstance(p, Value) else path, [])
        if p.grad is not None:
            entries.append(np.ravel(np.asarray(p.grad, np.float64)))
    if not any(parts.values()):
        raise ValueError(f"no parameter of {model!r:.80} has a gradient: draw after backward, before zero_grad")
    gradients = {
        _titled(name, _shares(np.concatenate(found)) if found else ["no gradient"]): np.concatenate([[], *found])
        for name, found in parts.items()
    }
    sizes = np.abs(np.concatenate(list(gradients.values())))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    high = math.ceil(math.log10(sizes.max())) if sizes.size else 0
    low = min(max(math.floor(math.log10(sizes.min())), high - 12), high - 1) if sizes.size else -1
    ax = axes(ax, (5.2, 0.8 + 0.6 * len(gradients)))
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(matplotlib("ticker").NullFormatter())
    ridges(ax, gradients, np.logspace(low, high, 49), magnitude=True)
    ax.set_xlabel("|gradient|: blue negative, orange positive", color=GREY)
    return ax


# ------------------------------------------------------------------------------------------------ smaller pieces


def _scalar(model: Any) -> bool:
    """Whether a model is made of Values, and so takes one sample at a time."""
    parameters = model.parameters() if isinstance(model, Module) else []
    return bool(parameters) and all(isinstance(p, Value) for p in parameters)


def _outputs(model: Callable[[Any], Any], x: Array) -> Array:
    """What the model makes of samples (n, …), as an array."""
    if not _scalar(model):
        return predict(model, x)
    return predict(lambda rows: [model(row) for row in rows.tolist()], x)


def _layers(model: Any, path: str = "") -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """The layers in the order in which they are called, with their places in the model."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, Sequential):
            yield from _layers(layer, f"{path}{i}.")
        else:
            yield f"{path}{i}", layer


def _kind(layer: Any) -> str:
    """What a layer does, in a word."""
    if isinstance(layer, Layer):
        return repr(layer.neurons[0]).partition("Neuron")[0]
    return layer.__name__ if hasattr(layer, "__name__") else type(layer).__name__


def _group(path: str) -> str:
    """The row of a Value: ``layers.0.neurons.w`` for ``layers.0.neurons.3.w.1``, ``w`` for ``w.1``."""
    layer, rest = re.fullmatch(r"(\D*\d+(?=\.))?(.*)", path).groups("")  # type: ignore[union-attr]
    return layer + re.sub(r"\.\d+", "", rest)


def _shares(numbers: Array) -> list[str]:
    """What a histogram does not show."""
    shares = {"zero": (numbers == 0).mean(), "not finite": (~np.isfinite(numbers)).mean()}
    return [f"{share:.0%} {name}" for name, share in shares.items() if share]


def _titled(name: str, notes: Sequence[str]) -> str:
    return "\n".join([name, ", ".join(notes)] if notes else [name])
