"""Losses: the error of a prediction as one number, which can be differentiated.

Each loss is one formula for every kind of prediction: a Tensor, a plain array (for validation), a Value, or a list of
Values (as in micrograd; a list of lists for losses over classes). Targets and labels are numbers without a gradient.
Classification losses take logits, not probabilities, since a probability may round to 0 or 1.

NumPy would broadcast or index some mistakes and return a wrong number. The losses refuse them: different shapes, above
all (n, 1) and (n,), labels that are not a class, and empty batches. The checks take about 2 µs.

`reduction` is "mean", "sum" or "none". It is applied to the losses of the batch's elements. With Values, "none" gives
an object array of Values.
"""

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np

import autograd
from autograd import Tensor
from nn.support.arrays import Array, as_array, is_data, to_array

Reduction: TypeAlias = Literal["mean", "sum", "none"]

# ---------------------------------------------------------------------------------------------------- regression


@overload
def squared_error(prediction: Tensor, target: Any, *, reduction: Reduction = "mean") -> Tensor: ...
@overload
def squared_error(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any: ...
def squared_error(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """``(prediction - target)²``, averaged over all elements. Raises ValueError unless the shapes are equal.

    >>> squared_error(np.array([1.0, 2.0]), [1.0, 4.0])
    np.float64(2.0)
    """
    prediction, target = _pair("squared_error", prediction, target)
    return _reduce(autograd.square(prediction - target), reduction)


@overload
def absolute_error(prediction: Tensor, target: Any, *, reduction: Reduction = "mean") -> Tensor: ...
@overload
def absolute_error(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any: ...
def absolute_error(prediction: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """``|prediction - target|``, averaged over all elements. The slope is 0 where they are equal.

    >>> absolute_error(np.array([1.0, 2.0]), [1.0, 4.0])
    np.float64(1.0)
    """
    prediction, target = _pair("absolute_error", prediction, target)
    return _reduce(autograd.abs(prediction - target), reduction)


@overload
def huber(prediction: Tensor, target: Any, *, delta: float = 1.0, reduction: Reduction = "mean") -> Tensor: ...
@overload
def huber(prediction: Any, target: Any, *, delta: float = 1.0, reduction: Reduction = "mean") -> Any: ...
def huber(prediction: Any, target: Any, *, delta: float = 1.0, reduction: Reduction = "mean") -> Any:
    """``d²/2`` for an error d within ±delta, ``delta (|d| - delta/2)`` outside.

    Outside it is linear, so outliers count less than in the squared error.

    Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35 (1964).

    >>> huber(np.array([1.0, 2.0]), [1.5, 12.0], reduction="none")
    array([0.125, 9.5  ])
    """
    if not 0 < delta < math.inf:
        raise ValueError(f"huber takes a positive, finite delta, got {delta}")
    prediction, target = _pair("huber", prediction, target)
    error = prediction - target
    inner = autograd.clip(error, -delta, delta)  # gives both branches: d (d - d/2), and ±delta (d ∓ delta/2)
    return _reduce(inner * (error - 0.5 * inner), reduction)


# -------------------------------------------------------------------------------------------------- two classes


@overload
def hinge(scores: Tensor, labels: Any, *, reduction: Reduction = "mean") -> Tensor: ...
@overload
def hinge(scores: Any, labels: Any, *, reduction: Reduction = "mean") -> Any: ...
def hinge(scores: Any, labels: Any, *, reduction: Reduction = "mean") -> Any:
    """``max(0, 1 - label * score)``: the max-margin loss of support vector machines.

    Labels are -1 and 1, and have the scores' shape; otherwise it raises ValueError. Cortes and Vapnik, "Support-vector
    networks", Machine Learning 20 (1995).

    >>> hinge(np.array([2.0, 0.5]), [1, -1])
    np.float64(0.75)
    """
    scores, labels = _pair("hinge", scores, labels)
    wrong = np.abs(labels) != 1
    if wrong.item(at := int(wrong.argmax())):
        hint = "; convert labels 0 and 1: 2 * labels - 1" if labels.item(at) == 0 else ""
        raise ValueError(f"hinge takes labels -1 and 1, got {labels.item(at):g} in {_place(labels, at)}{hint}")
    return _reduce(autograd.relu(1 - scores * labels), reduction)


@overload
def binary_cross_entropy(logits: Tensor, labels: Any, *, reduction: Reduction = "mean") -> Tensor: ...
@overload
def binary_cross_entropy(logits: Any, labels: Any, *, reduction: Reduction = "mean") -> Any: ...
def binary_cross_entropy(logits: Any, labels: Any, *, reduction: Reduction = "mean") -> Any:
    """``softplus(z) - y z``: minus the log-probability of the label y, if the probability of 1 is sigmoid(z).

    Labels are 0, 1 or a probability between, and have the logits' shape; otherwise it raises ValueError. It never
    overflows.

    >>> binary_cross_entropy(np.array([0.0, 1e4, -1e4]), [1, 1, 1], reduction="none").round(6)
    array([6.93147e-01, 0.00000e+00, 1.00000e+04])
    """
    logits, labels = _pair("binary_cross_entropy", logits, labels)
    for at in (int(labels.argmin()), int(labels.argmax())):  # argmin and argmax stop at a nan
        if not 0 <= labels.item(at) <= 1:
            value = f"{labels.item(at):g} in {_place(labels, at)}"
            raise ValueError(f"binary_cross_entropy takes labels from 0 to 1, got {value}")
    return _reduce(autograd.softplus(logits) - logits * labels, reduction)


# ------------------------------------------------------------------------------------------------- many classes


@overload
def multiclass_hinge(scores: Tensor, labels: Any, *, reduction: Reduction = "mean") -> Tensor: ...
@overload
def multiclass_hinge(scores: Any, labels: Any, *, reduction: Reduction = "mean") -> Any: ...
def multiclass_hinge(scores: Any, labels: Any, *, reduction: Reduction = "mean") -> Any:
    """``sum of max(0, 1 + score - score of the label)`` over the other classes; (n, classes) against (n,).

    Weston and Watkins, "Support vector machines for multi-class pattern recognition", ESANN 1999. Labels are checked as
    in `cross_entropy`.

    >>> multiclass_hinge(np.array([[3.0, 2.5, -1.0]]), [0])
    np.float64(0.5)
    """
    scores, labels = _rows("multiclass_hinge", scores, labels)
    at = np.arange(len(labels)), labels
    margins = np.ones(scores.shape, _dtype(scores))
    margins[at] = 0  # the label's own margin; relu has value and slope 0 at 0, so it adds nothing
    losses = autograd.relu(scores - scores[at][:, None] + margins)
    return _reduce(autograd.sum(losses, axis=1), reduction)


@overload
def cross_entropy(
    logits: Tensor,
    labels: Any,
    *,
    weight: Any = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor: ...
@overload
def cross_entropy(
    logits: Any, labels: Any, *, weight: Any = None, label_smoothing: float = 0.0, reduction: Reduction = "mean"
) -> Any: ...
def cross_entropy(
    logits: Any, labels: Any, *, weight: Any = None, label_smoothing: float = 0.0, reduction: Reduction = "mean"
) -> Any:
    """``-log_softmax(logits)[label]`` of each row: minus the log-probability of the right class.

    Logits are (n, classes), labels (n,) of an integer dtype. `label_smoothing` is the part of the label's probability
    that is distributed evenly over all classes (Szegedy et al., "Rethinking the Inception architecture", CVPR 2016).
    `weight` has a number of 0 or more for each class, which multiplies its losses: a rare class gets a large one. The
    mean is then over weights, as in PyTorch: the sum of the losses, divided by the weights of the labels.

    Raises IndexError for a label outside [0, classes), TypeError for labels that are not integers, and ValueError for
    other shapes and an empty batch.

    >>> cross_entropy(np.array([[1e4, 0.0], [1e4, 0.0]]), [0, 1], reduction="none")
    array([    0., 10000.])
    >>> cross_entropy(np.array([[1e4, 0.0], [1e4, 0.0]]), [0, 1], weight=[1.0, 3.0])
    np.float64(7500.0)
    """
    fused = isinstance(logits, Tensor) and reduction == "mean" and not label_smoothing and weight is None
    if fused:
        return autograd.cross_entropy(logits, labels)  # the same in one operation
    logits, labels = _rows("cross_entropy", logits, labels)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy takes a label_smoothing from 0 to 1, got {label_smoothing}")
    if weight is not None:
        return _weighted(logits, labels, weight, label_smoothing, reduction)
    losses = autograd.logsumexp(logits, axis=1) - (1 - label_smoothing) * logits[np.arange(len(labels)), labels]
    if label_smoothing:  # the mean of -log_softmax over the classes is logsumexp - mean(logits)
        losses = losses - label_smoothing * autograd.mean(logits, axis=1)
    return _reduce(losses, reduction)


def _weighted(logits: Any, labels: Array, weight: Any, smoothing: float, reduction: str) -> Any:
    """The cross-entropy with weights of classes. A class of weight 0 has no loss, however small its probability."""
    weight = as_array(weight, "cross_entropy").astype(_dtype(logits))
    if weight.shape != logits.shape[1:] or not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(
            f"cross_entropy takes a weight of 0 or more for each of the {logits.shape[1]} classes, got {weight!r:.80}"
        )
    own = weight[labels]
    share = np.zeros(logits.shape, weight.dtype)
    share += smoothing / logits.shape[1] * weight
    share[np.arange(len(labels)), labels] += (1 - smoothing) * own
    behind = autograd.reshape(autograd.logsumexp(logits, axis=1), (-1, 1)) - logits
    losses = autograd.sum(autograd.where(share > 0, behind, 0.0) * share, axis=1)
    if reduction != "mean":
        return _reduce(losses, reduction)
    if not own.sum() > 0:
        raise ValueError("the mean of a cross_entropy is not defined where all labels of a batch have the weight 0")
    return autograd.sum(losses) * (1 / float(own.sum()))


@overload
def kl_divergence(logits: Tensor, target: Any, *, reduction: Reduction = "mean") -> Tensor: ...
@overload
def kl_divergence(logits: Any, target: Any, *, reduction: Reduction = "mean") -> Any: ...
def kl_divergence(logits: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """``sum of t log(t / softmax(logits))`` over the last axis: the divergence of the prediction from probabilities t.

    Logits and targets are (..., classes); the mean is over rows. 0 log 0 is 0. Raises ValueError for targets that are
    negative or do not sum to 1 (within 1e-4). Kullback and Leibler, "On information and sufficiency", Annals of
    Mathematical Statistics 22 (1951).

    >>> kl_divergence(np.array([[0.0, 0.0]]), [[1.0, 0.0]]).round(6)
    np.float64(0.693147)
    """
    logits, target = _pair("kl_divergence", logits, target)
    if not target.ndim:
        raise ValueError("kl_divergence takes logits (..., classes), got a single number")
    excess = np.abs(target.sum(axis=-1) - 1)
    if not target.item(at := int(target.argmin())) >= 0:
        raise ValueError(f"kl_divergence: probability {target.item(at):g} in {_place(target, at)} is negative")
    if not excess.item(at := int(excess.argmax())) <= 1e-4:
        total = target.sum(axis=-1).item(at)
        raise ValueError(f"kl_divergence: the probabilities in {_place(excess, at)} sum to {total:g}, not to 1")
    some = target > 0
    log_ratio = np.log(np.where(some, target, 1)) - autograd.log_softmax(logits)
    losses = autograd.sum(target * autograd.where(some, log_ratio, 0.0), axis=-1)
    return _reduce(losses, reduction)


# ------------------------------------------------------------------------------------------ checks and reductions


def _prediction(x: Any, name: str) -> Any:
    """A prediction as a variable or an array: a list of Tensors is stacked, Values become an array of objects."""
    if hasattr(x, "detach") and not is_data(x):  # not isinstance: in forward mode it is a Dual
        return x
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], Tensor):
        return autograd.stack(x)
    array = to_array(x, name)
    if array.dtype == object and any(hasattr(item, "detach") for item in array.flat):
        return array
    array = as_array(x, name)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _dtype(prediction: Any) -> np.dtype[Any]:
    """The dtype for constants beside a prediction, so that float32 stays float32."""
    dtype = getattr(prediction, "dtype", np.dtype(object))
    return np.dtype(np.float64) if dtype == np.dtype(object) else dtype


def _pair(name: str, prediction: Any, target: Any) -> tuple[Any, Array]:
    """A prediction, and its target as an array of the same shape and dtype."""
    prediction, target = _prediction(prediction, name), as_array(target, name)
    shape = prediction.shape
    if shape != target.shape:
        short, long = sorted((shape, target.shape), key=len)
        which = "target" if long == target.shape else "prediction"
        if len(long) == 2 and long == (*short, 1):
            hint = f"drop the last axis: {which}.reshape(-1), or {which}[:, 0]"
        else:
            hint = "they must be equal, since NumPy would pair numbers that do not belong together"
        raise ValueError(f"{name} of a prediction of shape {shape} and a target of shape {target.shape}: {hint}")
    if target.size == 0:
        raise ValueError(f"{name} of an empty batch (shape {shape}) is not defined")
    return prediction, target.astype(_dtype(prediction), copy=False)


def _rows(name: str, logits: Any, labels: Any) -> tuple[Any, Array]:
    """Logits (n, classes), and the checked label of each row."""
    logits = _prediction(logits, name)
    return logits, autograd.class_labels(labels, logits.shape, name)


def _place(array: Array, at: int) -> str:
    """The position of the element with this flat index, in words."""
    index = tuple(int(i) for i in np.unravel_index(at, array.shape))
    return f"row {index[0]}" if len(index) == 1 else f"place {index}"


def _reduce(losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        return autograd.mean(losses)
    if reduction == "sum":
        return autograd.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f'reduction is "mean", "sum" or "none", got {reduction!r}')


if not TYPE_CHECKING:  # type checkers take every public name
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
