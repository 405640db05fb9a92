"""Figures about a network: which classes it confuses, and which of its units are inactive or saturated.

`nn.plots` draws them. This module does not need matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd import Value
from nn.layers import Sequential
from nn.module import Module
from nn.neuron import MLP, Layer
from nn.support.arrays import Array, as_array
from nn.training.evaluation import predict

BOUNDS = {"Sigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0)}
"""The ends of an activation's range, where its slope is 0."""

# ------------------------------------------------------------------------------------------------------- classes


def confusion_counts(true: npt.ArrayLike, predicted: npt.ArrayLike, classes: int | None = None) -> Array:
    """The confusion matrix: how often each true class (row) was predicted as each class (column).

    Args:
        true: the true labels (n,), integers from 0.
        predicted: the predicted labels (n,).
        classes: the number of classes. By default it is the largest label plus 1.

    Returns int64 (classes, classes). Raises ValueError if the lengths differ, or a label is outside the classes.

    >>> confusion_counts([0, 0, 1], [0, 1, 1]).tolist()
    [[1, 1], [0, 1]]
    """
    true, predicted = (as_array(x, "a confusion matrix", "iub") for x in (true, predicted))
    if true.shape != predicted.shape or true.ndim != 1 or not true.size:
        raise ValueError(f"labels come as two arrays (n,) of equal length, got {true.shape} and {predicted.shape}")
    found = np.concatenate([true, predicted])
    n = int(found.max()) + 1 if classes is None else classes
    if found.min() < 0 or found.max() >= n:
        raise ValueError(f"labels from {found.min()} to {found.max()} do not fit {n} classes")
    return np.bincount(true * n + predicted, minlength=n * n).reshape(n, n)


def top_k_accuracy(outputs: npt.ArrayLike, labels: npt.ArrayLike, k: int = 5) -> float:
    """The share of rows whose label is among the k classes with the largest outputs.

    Args:
        outputs: logits or probabilities (n, classes), such as `nn.predict` gives.
        labels: the true labels (n,), integers from 0.
        k: how many classes count.

    A label counts if fewer than k classes have a larger output. Rows with a nan do not count.

    >>> top_k_accuracy([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1]], [2, 2], k=2)
    1.0
    >>> top_k_accuracy([[0.1, 0.6, 0.3], [0.8, 0.15, 0.05]], [2, 2], k=2)
    0.5
    """
    outputs, labels = as_array(outputs, "top_k_accuracy"), as_array(labels, "top_k_accuracy", "iu")
    if outputs.ndim != 2 or labels.shape != outputs.shape[:1] or not labels.size:
        raise ValueError(f"outputs are (n, classes) and labels (n,), got {outputs.shape} and {labels.shape}")
    n = outputs.shape[1]
    if not 1 <= k <= n:
        raise ValueError(f"k is a number of classes from 1 to {n}, not {k}")
    if labels.min() < 0 or labels.max() >= n:
        raise ValueError(f"labels from {labels.min()} to {labels.max()} do not fit {n} classes")
    own = outputs[np.arange(len(labels)), labels][:, None]
    return float((((outputs > own).sum(axis=1) < k) & ~np.isnan(outputs).any(axis=1)).mean())


@dataclass(frozen=True, eq=False)
class ClassFigures:
    """Precision, recall, F1 and number of samples of each class, as arrays (classes,). Printing it gives a table.

    `precision` is the part of the samples predicted as the class that belong to it. `recall` is the part of the class's
    samples that were predicted as it. `f1` is the harmonic mean of the two. A figure is nan if it would be 0 / 0.
    """

    names: list[str]
    precision: Array
    recall: Array
    f1: Array
    count: Array

    def __str__(self) -> str:
        width = max(len("class"), *map(len, self.names))
        rows = zip(self.names, self.precision, self.recall, self.f1, self.count, strict=True)
        lines = [f"{name:>{width}}  {p:9.3f}  {r:6.3f}  {f:5.3f}  {count:5}" for name, p, r, f, count in rows]
        return "\n".join([f"{'class':>{width}}  precision  recall     F1  count", *lines])


def class_figures(
    true: npt.ArrayLike, predicted: npt.ArrayLike, classes: Sequence[object] | None = None
) -> ClassFigures:
    """Precision, recall, F1 and count of each class.

    Args:
        true: the true labels (n,), integers from 0.
        predicted: the predicted labels (n,).
        classes: the names of the classes. By default their numbers.

    Raises ValueError if the lengths differ, or a label is outside the classes.

    >>> print(class_figures([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"]))
    class  precision  recall     F1  count
      cat      1.000   0.500  0.667      2
      dog      0.667   1.000  0.800      2
    """
    counts = confusion_counts(true, predicted, None if classes is None else len(classes))
    right, belong, taken = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    names = [str(name) for name in (range(len(counts)) if classes is None else classes)]
    with np.errstate(invalid="ignore"):
        return ClassFigures(names, right / taken, right / belong, 2 * right / (belong + taken), belong)


# --------------------------------------------------------------------------------------------------------- units


class IdleUnits(NamedTuple):
    """How often each unit of a layer passes hardly any gradient.

    `layer` is the layer's index and kind, such as ``1 ReLU``. `state` is "inactive" (a ReLU at exactly 0) or
    "saturated" (a sigmoid or tanh within 1 % of an end of its range). `share` (units,) is the part of the samples for
    which each unit is in that state.
    """

    layer: str
    state: str
    share: Array

    @property
    def always(self) -> int:
        """The number of units that are in this state for every sample. Such a ReLU is dead: it cannot learn."""
        return int((self.share == 1).sum())

    def __str__(self) -> str:
        mean = f"{self.layer}: {self.share.mean():.0%} {self.state} on average"
        return f"{mean}; {self.always} of {self.share.size} units for every sample"


def idle_units(model: Sequential | MLP, x: npt.ArrayLike) -> list[IdleUnits]:
    """For each layer of ReLUs, sigmoids or tanhs, how often each unit is inactive or saturated.

    Args:
        model: a `Sequential`, also one that contains others, or an `MLP`.
        x: inputs (n, …), as the model takes them; (n, features) for an MLP.

    The model runs in evaluation mode. Raises TypeError for another model, and ValueError if it has no such layer.

    >>> from nn import ReLU, Sequential
    >>> (units,) = idle_units(Sequential(ReLU()), [[-1.0, 2.0, -3.0], [-3.0, 4.0, 1.0]])
    >>> units.share.tolist(), units.always
    ([1.0, 0.0, 0.5], 1)
    >>> print(units)
    0 ReLU: 50% inactive on average; 1 of 3 units for every sample
    """
    found = []
    for layer, kind, out in layer_outputs(model, x):
        if kind == "ReLU":
            found.append(IdleUnits(layer, "inactive", (out == 0).reshape(len(out), -1).mean(axis=0)))
        elif kind in BOUNDS:
            found.append(IdleUnits(layer, "saturated", saturated(kind, out).reshape(len(out), -1).mean(axis=0)))
    if not found:
        raise ValueError(f"the model has no layer of ReLUs, sigmoids or tanhs: {model!r:.80}")
    return found


def saturated(kind: str, out: Array) -> Array:
    """True where an output of a "Sigmoid" or "Tanh" is within 1 % of an end of its range.

    >>> saturated("Tanh", np.array([-0.99, 0.0, 0.97]))
    array([ True, False, False])
    """
    low, high = BOUNDS[kind]
    return np.minimum(out - low, high - out) < 0.01 * (high - low)


def layer_outputs(model: Sequential | MLP, x: npt.ArrayLike) -> Iterator[tuple[str, str, Array]]:
    """For each layer in order: its index and kind (``1 ReLU``), its kind, and its outputs for inputs x (n, …).

    The model runs in evaluation mode. Raises TypeError unless it is a `Sequential` or an `MLP`.

    >>> from nn import Sequential, Tanh
    >>> [(place, out.tolist()) for place, _, out in layer_outputs(Sequential(Tanh()), [[0.0]])]
    [('0 Tanh', [[0.0]])]
    """
    if not isinstance(model, Sequential | MLP):
        raise TypeError(f"the model must be a Sequential or an MLP, not a {type(model).__name__}: {model!r:.80}")
    out = as_array(x, "a model")
    for path, layer in _layers(model):
        out = outputs(layer, out).reshape(len(out), -1) if made_of_values(layer) else outputs(layer, out)
        kind = _kind(layer)
        yield f"{path} {kind}", kind, out


def outputs(model: Callable[[Any], Any], x: Array) -> Array:
    """The outputs of a model for samples (n, …), as an array. A model of Values gets the samples one by one.

    >>> outputs(lambda rows: 2 * rows, np.ones((2, 1))).tolist()
    [[2.0], [2.0]]
    """
    if not made_of_values(model):
        return predict(model, x)
    return predict(lambda rows: [model(row) for row in rows.tolist()], x)


def made_of_values(model: Any) -> bool:
    """True if a model is made of Values. Such a model takes one sample at a time.

    >>> from nn import Linear
    >>> made_of_values(MLP(2, [1])), made_of_values(Linear(2, 1))
    (True, False)
    """
    parameters = model.parameters() if isinstance(model, Module) else []
    return bool(parameters) and all(isinstance(p, Value) for p in parameters)


def _layers(model: Any, path: str = "") -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """The layers in the order of their calls, each with its index in the model."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, Sequential):
            yield from _layers(layer, f"{path}{i}.")
        else:
            yield f"{path}{i}", layer


def _kind(layer: Any) -> str:
    """The kind of a layer, in one word."""
    if isinstance(layer, Layer):
        return repr(layer.neurons[0]).partition("Neuron")[0]
    return layer.__name__ if hasattr(layer, "__name__") else type(layer).__name__


if not TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
