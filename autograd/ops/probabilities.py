"""Scores and probabilities: `logsumexp`, `softmax`, `log_softmax`, `cross_entropy`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops import kernels
from autograd.ops.arrays import to_array
from autograd.ops.elementwise import detach, div, equal, exp, inf, sub, where
from autograd.ops.moves import stack, take_along_axis
from autograd.ops.reductions import max, mean, sum
from autograd.ops.rows import Fused, Reduction
from autograd.ops.shapes import fixed_axis, shape_of
from autograd.ops.traced import Traced

logsumexp = Reduction(
    "logsumexp",
    lambda x, axis=None, keepdims=False: kernels.logsumexp(x, axis, keepdims),
    lambda out, x, axis: _shares(out, x, axis),
    doc="log(sum(exp(x))) without overflow. Its gradient is the softmax, and 0 where all are -inf.",
    example="logsumexp([0.0, 0.0]) = 0.6931471805599453",
)


def _shares(out: Any, x: Any, axis: Any) -> Any:
    """The softmax; 0 where all are -inf, so that a lane that is masked as a whole gets no gradient."""
    nothing = equal(out, -inf)
    if isinstance(nothing, np.ndarray) and nothing.dtype == bool and not nothing.any():
        return softmax(x, axis)
    return where(nothing, 0, softmax(where(nothing, 0, x), axis))


def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) divided by its sum along the axis. The largest element is subtracted first, so that nothing overflows.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return _along(_softmax, x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of softmax. It is exact even where softmax underflows or all numbers share a large offset.

    >>> log_softmax(np.array([0.0, -1e4]))
    array([     0., -10000.])
    """
    return _along(_log_softmax, x, axis)


def _along(row: Fused, x: Any, axis: Any) -> Any:
    """Apply a fused row to any kind of operand. Lists and object arrays of Values use the row's composition."""
    axis = fixed_axis(axis)
    if isinstance(x, (list, tuple)):
        x = stack(x) if builtins.any(isinstance(item, Traced) and item._stacks for item in x) else np.asarray(x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return row.composition(x, axis)
    return row(x, axis=axis)


def _exp_of_shifted(x: Any, axis: Any) -> tuple[Any, Any]:
    shifted = x - x.max(axis, keepdims=True, initial=-inf)  # `initial` allows lanes without elements
    return shifted, np.exp(shifted)


def _largest(x: Any, axis: Any) -> Any:
    """The largest number of each lane, as a constant; 0 if there are no elements."""
    x = detach(x)
    return max(x, axis, keepdims=True) if np.size(x) else 0.0


def _softmax_composed(x: Any, axis: Any = -1) -> Any:
    e = exp(sub(x, _largest(x, axis)))
    return div(e, sum(e, axis, keepdims=True))


def _softmax_value(x: Any, axis: Any = -1) -> Any:
    _, e = _exp_of_shifted(x, axis)
    e /= e.sum(axis, keepdims=True)
    return e


_softmax = Fused(
    "softmax",
    _softmax_composed,
    _softmax_value,
    lambda g, out, x, axis=-1: out * (g - (out * g).sum(axis=axis, keepdims=True)),
    params=("axis",),
    reads=((),),
    doc="exp(x) divided by its sum along the axis.",
    example="softmax([0.0, 0.0]).tolist() = [0.5, 0.5]",
)


def _log_softmax_composed(x: Any, axis: Any = -1) -> Any:
    x = sub(x, _largest(x, axis))
    return sub(x, logsumexp(x, axis, keepdims=True))


def _log_softmax_value(x: Any, axis: Any = -1) -> Any:
    shifted, e = _exp_of_shifted(x, axis)
    shifted -= np.log(e.sum(axis, keepdims=True))
    return shifted


_log_softmax = Fused(
    "log_softmax",
    _log_softmax_composed,
    _log_softmax_value,
    lambda g, out, x, axis=-1: g - exp(out) * g.sum(axis=axis, keepdims=True),
    params=("axis",),
    reads=((),),
    doc="The logarithm of softmax.",
    example="log_softmax([0.0, -1e4]).tolist() = [0.0, -10000.0]",
)


def class_labels(labels: Any, shape: Sequence[int], name: str) -> Any:
    """Check labels (n,) for scores of shape (n, classes), and return them as a read-only copy.

    It is a copy because backward reads the labels again. The check is strict because a wrong label, such as -1, could
    be a valid index and give a wrong loss. `name` is the caller's name, for messages.

    Raises:
        ValueError: the shapes do not fit, or the batch is empty.
        TypeError: the dtype is not an integer dtype.
        IndexError: a label is outside [0, classes).

    >>> class_labels([1, 0], (2, 3), "my_loss")
    array([1, 0])
    """
    given = to_array(labels, name)
    if len(shape) != 2 or given.shape != tuple(shape[:1]):
        hint = "give one integer a row"
        if len(shape) == 1:
            hint = "for a single sample add an axis to both, as logits[None] or [logits]"
            hint = "the logits come first, then the labels" if given.ndim == 2 else hint
        elif shape[1:] == (1,) and given.shape[:1] == shape[:1]:
            hint = "one output a row is the score of two classes: use binary_cross_entropy, or an output for each class"
        elif given.shape == tuple(shape):
            hint = "turn one-hot rows into integers: labels.argmax(1)"
        elif given.shape == (*shape[:1], 1):
            hint = "drop the last axis: labels.reshape(-1), or labels[:, 0]"
        raise ValueError(
            f"{name} takes logits (n, classes) and labels (n,), got shapes {tuple(shape)} and {given.shape}: {hint}"
        )
    if 0 in shape:
        raise ValueError(f"{name} of an empty batch (shape {tuple(shape)}) is not defined")
    if given.dtype.kind not in "iu":
        names = "names, labels = np.unique(labels, return_inverse=True) gives each name a number"
        raise TypeError(
            f"{name} takes labels of an integer dtype, got {given.dtype}; if they hold whole numbers, convert them: "
            f"labels.astype(int){f'; {names}' if given.dtype.kind in 'USO' else ''}"
        )
    for row in (int(given.argmin()), int(given.argmax())):  # cheaper than min and max
        if not 0 <= given.item(row) < shape[1]:
            raise IndexError(
                f"{name}: label {given.item(row)} in row {row} is none of the {shape[1]} classes "
                f"(0 to {shape[1] - 1}){'; for one output a row use binary_cross_entropy' if shape[1] == 1 else ''}"
            )
    own = np.array(given, dtype=np.intp)
    own.setflags(write=False)
    return own


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Mean over rows of ``-log_softmax(logits)[label]``: logits (n, classes), labels (n,) integers; see `class_labels`.

    >>> cross_entropy(np.array([[0.0, 0.0]]), [1])
    np.float64(0.6931471805599453)
    """
    if isinstance(logits, (list, tuple)):
        logits = stack(logits) if builtins.any(isinstance(row, Traced) for row in logits) else np.asarray(logits)
    labels = class_labels(labels, shape_of(logits), "cross_entropy")
    if isinstance(logits, np.ndarray) and logits.dtype == object:
        return _cross_entropy_composed(logits, labels)
    return _cross_entropy(logits, labels)


def _cross_entropy_composed(logits: Any, labels: Any, **_: Any) -> Any:
    return -mean(take_along_axis(log_softmax(logits), labels[:, None], axis=1))


def _classes_first(logits: Any) -> tuple[Any, Any, Any]:
    """Each row minus its largest number, the exponentials of that, and their sums.

    The result has shape (classes, n), since NumPy sums few long rows faster than many short ones.
    """
    shifted = logits.T.copy()
    shifted -= shifted.max(axis=0)
    e = np.exp(shifted)
    return shifted, e, e.sum(axis=0)


def _cross_entropy_value(logits: Any, labels: Any, saved: Any = None) -> Any:
    shifted, e, total = _classes_first(logits)
    if saved is not None:
        saved += e, total
    return (np.log(total) - shifted[labels, np.arange(len(labels))]).sum() / len(labels)


def _cross_entropy_vjp(g: Any, out: Any, logits: Any, labels: Any, saved: Any = None) -> Any:
    e, total = saved or _classes_first(logits)[1:]
    n = len(labels)
    grad = e / total
    grad[labels, np.arange(n)] -= 1
    grad *= g / n
    return grad.T.copy()


_cross_entropy = Fused(
    "cross_entropy",
    _cross_entropy_composed,
    _cross_entropy_value,
    _cross_entropy_vjp,
    None,
    saves=True,
    reads=((), ()),  # the labels are a private copy, which cannot change
    doc="Mean over rows of -log_softmax(logits)[label]: logits (n, classes), labels (n,) integers.",
    example="cross_entropy(np.array([[0.0, 0.0]]), [1]).round(6) = np.float64(0.693147)",
)
