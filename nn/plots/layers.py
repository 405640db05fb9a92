"""Pictures of a network's layers: weights, outputs, gradients, and idle units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from autograd import Tensor, Value
from nn import inspection
from nn.layers import Sequential
from nn.module import Module
from nn.neuron import MLP
from nn.support.arrays import Array, as_floats
from nn.support.canvas import (
    BLUES,
    GREY,
    INK,
    ORANGES,
    PALE,
    axes,
    literal,
    matplotlib,
    mosaic,
    ridges,
    signed_axis,
    signed_image,
    usual_limit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def weight_images(
    weight: Any, shape: tuple[int, int] = (28, 28), ax: Axes | None = None, *, limit: float | None = None
) -> Axes:
    """Draw the weights of each unit as an image of the input: positive weights orange, negative ones blue.

    Args:
        weight: (height * width, units), such as the `weight` of a first `Linear`: a Tensor or an array.
        shape: the height and width of an image. Raises ValueError if they do not fit.
        ax: the Axes to draw on.
        limit: the weight of the strongest colours, the same for all units. By default one in 200 weights exceeds it,
            since a few outliers would make the others pale.

    >>> weight_images(np.array([[2.0, 0.0], [0.0, -2.0]]), shape=(1, 2)).images[0].get_clim()
    (-2.0, 2.0)
    """
    weight = as_floats(weight.detach() if isinstance(weight, Tensor) else weight, "weight_images")
    if weight.ndim != 2 or weight.shape[0] != shape[0] * shape[1] or not weight.size:
        raise ValueError(f"weights of shape {weight.shape} are not an image of {shape[0]} x {shape[1]} for each unit")
    ax = axes(ax, (4.8, 5.1))
    limit = float(np.nanquantile(np.abs(weight), 0.995)) or 1.0 if limit is None else limit
    signed_image(ax, mosaic(weight.T.reshape(-1, *shape)), limit, interpolation="nearest")
    ax.set_axis_off()
    return ax


def activation_histograms(model: Sequential | MLP, x: npt.ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw a histogram of each layer's outputs for a batch, the first layer on top, with notes on idle units.

    Args:
        model: a `Sequential`, also one that contains others, or an `MLP`. Raises TypeError for anything else.
        x: inputs (n, …), as the model takes them; (n, features) for an MLP.
        ax: the Axes to draw on.

    The model runs in evaluation mode. Outputs that are exactly 0 are counted, not drawn. A unit of a ReLU that is 0 for
    the whole batch is dead. Outputs of tanh and sigmoid within 1 % of an end of the range are saturated.

    >>> from nn import ReLU
    >>> ax = activation_histograms(Sequential(ReLU()), [[-1.0, 2.0], [-3.0, 4.0]])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 ReLU\\n50% zero, 1 of 2 dead']
    """
    outputs = {}
    for layer, kind, out in inspection.layer_outputs(model, x):
        notes = _shares(out)
        if kind == "ReLU" and (dead := (out == 0).reshape(len(out), -1).all(axis=0)).any():
            notes.append(f"{dead.sum()} of {dead.size} dead")
        if kind in inspection.BOUNDS:
            notes.append(f"{inspection.saturated(kind, out).mean():.0%} saturated")
        outputs[_titled(layer, notes)] = out
    limit = max((usual_limit(out, 0.995) for out in outputs.values()), default=1.0)
    ax = axes(ax, (5.2, 0.8 + 0.6 * len(outputs)))
    ridges(ax, outputs, signed_axis(ax, limit))
    ax.set_xlabel("output", color=GREY)
    return ax


def idle_units(model: Sequential | MLP, x: npt.ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw how often each unit is inactive (ReLU) or saturated (sigmoid, tanh), with one row for each layer.

    Args:
        model: a `Sequential`, also one that contains others, or an `MLP`.
        x: inputs (n, …), as the model takes them.
        ax: the Axes to draw on.

    A layer's units are side by side, the idlest first. The height of a bar is the share of the samples for which the
    unit is idle. Units that are idle for every sample are orange. `nn.inspection.idle_units` defines the numbers and
    the errors.

    >>> from nn import ReLU
    >>> ax = idle_units(Sequential(ReLU()), [[-1.0, 2.0], [-3.0, 4.0]])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 ReLU\\ninactive 50%\\nalways 1 of 2']
    """
    layers = inspection.idle_units(model, x)
    ax = axes(ax, (5.2, 0.8 + 0.8 * len(layers)))
    levels = range(len(layers) - 1, -1, -1)
    for level, units in zip(levels, layers, strict=True):
        share = np.sort(units.share)[::-1]
        edges, width = np.linspace(0, 1, len(share) + 1), (0.94 if len(share) < 50 else 1) / len(share)
        ax.axhspan(level, level + 0.8, color=PALE, linewidth=0, zorder=0)
        for chosen, colour in ((share < 1, BLUES[1]), (share == 1, ORANGES[3])):
            ax.bar(edges[:-1][chosen], 0.8 * share[chosen], width, level, align="edge", color=colour)
    names = [f"{literal(x.layer)}\n{x.state} {x.share.mean():.0%}\nalways {x.always} of {x.share.size}" for x in layers]
    ax.set_yticks([level + 0.4 for level in levels], names, color=INK)
    ax.set(xlim=(0, 1), ylim=(-0.1, len(layers)), xticks=[])
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("units, the idlest first; height: share of the samples", color=GREY)
    ax.spines[:].set_visible(False)
    return ax


def gradient_histograms(model: Module, ax: Axes | None = None) -> Axes:
    """Draw a histogram of each parameter's gradient on a logarithmic axis: negative entries blue, positive ones orange.

    Args:
        model: a model after backward and before `zero_grad`. Raises ValueError if no parameter has a gradient. The
            Values of a layer share a histogram: ``layers.0.neurons.w``.
        ax: the Axes to draw on.

    Entries that are exactly 0 are counted, not drawn. The axis ends twelve decades below the largest entry.

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


def _group(path: str) -> str:
    """The row of a Value: ``layers.0.neurons.w`` for ``layers.0.neurons.3.w.1``, ``w`` for ``w.1``."""
    layer, rest = re.fullmatch(r"(\D*\d+(?=\.))?(.*)", path, re.DOTALL).groups("")  # type: ignore[union-attr]
    return layer + re.sub(r"\.\d+", "", rest)


def _shares(numbers: Array) -> list[str]:
    """The shares of numbers that a histogram does not show."""
    shares = {"zero": (numbers == 0).mean(), "not finite": (~np.isfinite(numbers)).mean()}
    return [f"{share:.0%} {name}" for name, share in shares.items() if share]


def _titled(name: str, notes: Sequence[str]) -> str:
    return "\n".join([literal(name), *([", ".join(notes)] if notes else [])])
