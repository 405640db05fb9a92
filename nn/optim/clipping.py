"""Clipping: gradients that are too large are made smaller before a step, so that the step is not too long."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, Value
from nn.module import Parameter
from nn.optim.parameters import Parameters, listed, name_of
from nn.support.arrays import Array


def clip_grad_norm(parameters: Parameters, max_norm: float) -> float:
    """Scale the gradients down if their norm is above `max_norm`. Returns the norm before.

    The norm is the Euclidean length of all gradients as one vector. So the vector keeps its direction. Scaled gradients
    are new arrays; the old ones are not written to. Raises ValueError, before anything changes, for a norm that is not
    finite, since such a vector has no direction.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    >>> w = Tensor([1.0, 1.0])
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_grad_norm([w], 1.0), w.grad
    (5.0, array([0.6, 0.8]))
    """
    if isinstance(max_norm, str) or not max_norm >= 0:  # with infinity it only measures
        raise ValueError(f"max_norm must be 0 or more, got {max_norm!r}")
    chosen = listed(parameters)
    norm = _norm(_gradients(chosen))
    if not math.isfinite(norm):
        bad = [name_of(i, p) for i, p in enumerate(chosen) if p.grad is not None and not np.isfinite(p.grad).all()]
        where = f"those of {', '.join(bad)} are not finite" if bad else "they are too large for a float"
        raise ValueError(f"the norm of the gradients is {norm}: {where}")
    if norm > max_norm:
        _replace(chosen, lambda g: g * (max_norm / norm))
    return norm


def clip_grad_value(parameters: Parameters, limit: float) -> None:
    """Clip every element of the gradients to [-limit, limit]. A nan stays.

    >>> w = Tensor([1.0, 1.0])
    >>> (w * [3.0, -0.5]).sum().backward()
    >>> clip_grad_value([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    if isinstance(limit, str) or not limit >= 0:
        raise ValueError(f"limit must be 0 or more, got {limit!r}")
    _replace(listed(parameters), lambda g: np.clip(g, -limit, limit))


def _gradients(parameters: list[Parameter]) -> list[Array]:
    """The gradients of Tensors that have one, and the gradients of all Values as one array."""
    arrays = [p.grad for p in parameters if isinstance(p, Tensor) and p.grad is not None]
    numbers = [p.grad or 0.0 for p in parameters if isinstance(p, Value)]
    return [*arrays, np.array(numbers)] if numbers else arrays


def _replace(parameters: list[Parameter], change: Callable[[Array], Any]) -> None:
    """Give each parameter a changed gradient. It is a new array, since other objects may hold the old one."""
    for p in parameters:
        if isinstance(p, Tensor) and p.grad is not None:
            p.grad = np.asarray(change(p.grad))
    values = [p for p in parameters if isinstance(p, Value)]
    for p, g in zip(values, change(np.array([p.grad or 0.0 for p in values])).tolist(), strict=True):
        p.grad = g


def _norm(arrays: list[Array]) -> float:
    """The Euclidean norm of arrays as one vector. It is right even if the squares overflow or underflow."""
    with np.errstate(all="ignore"):
        norm = math.sqrt(sum(float(np.vdot(x, x)) for x in arrays))
        if 1e-15 < norm < 1e15:
            return norm
        largest = float(np.max([np.abs(x).max(initial=0.0) for x in arrays], initial=0.0))
        if not 0 < largest < math.inf:
            return largest
        return largest * math.sqrt(sum(float(np.square(x / largest, dtype=np.float64).sum()) for x in arrays))
