"""Matrices of derivatives: `jacobian` and `hessian`. `hvp` multiplies by a Hessian without computing it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.value import Value
from autograd.ops.traced import Traced
from autograd.transforms.containers import boxed, flatten, is_container
from autograd.transforms.dual import Dual
from autograd.transforms.forward import jvp
from autograd.transforms.reverse import grad, vjp
from autograd.transforms.variables import Function, checked_function, zeros_like


def jacobian(f: Function, argnum: int = 0, mode: str | None = None) -> Function:
    """The function that returns all partial derivatives of f with respect to one argument.

    Args:
        f: takes and returns a number, an array, or a list of numbers.
        argnum: the position of the argument.
        mode: "forward" (one run for each input), "reverse" (one sweep for each output), or None for the cheaper one.

    The result has shape (*shape of the output, *shape of the argument).

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    checked_function(f, "jacobian")
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"mode is 'forward', 'reverse' or None, not {mode!r}")

    def transformed(*args: Any) -> Any:
        arg = args[argnum]
        leaves, rebuild = flatten(arg)
        shape = (len(leaves),) if is_container(arg) else np.shape(ops.detach(arg))

        def of_one(x: Any) -> Any:
            return f(*args[:argnum], x, *args[argnum + 1 :])

        if mode != "forward":
            out, pull = vjp(of_one, arg)
            outputs = sum(int(np.size(ops.detach(x))) for x in flatten(out)[0])
            if mode == "reverse" or outputs <= math.prod(shape):
                return reverse_rows(out, pull, shape)
        moves = [rebuild(unit) for unit in units(leaves)]
        columns = [as_array(jvp(of_one, (arg,), (move,))[1]) for move in moves]
        if not columns:  # an empty argument
            columns = [as_array(of_one(arg))]
            return np.zeros((*np.shape(ops.detach(columns[0])), *shape))
        return ops.stack(columns, axis=-1).reshape((*np.shape(ops.detach(columns[0])), *shape))

    return transformed


def units(leaves: Sequence[Any]) -> list[list[Any]]:
    """The unit tangents: for each number in the leaves, a tangent of 1 for it and 0 for the others."""
    moves = []
    for k, leaf in enumerate(leaves):
        numbers = ops.detach(leaf)
        ones: list[Any] = [1.0]
        if isinstance(numbers, np.ndarray):
            ones = list(np.eye(numbers.size, dtype=numbers.dtype).reshape((-1, *numbers.shape)))
        moves += [[one if j == k else zeros_like(x) for j, x in enumerate(leaves)] for one in ones]
    return moves


def as_array(x: Any) -> Any:
    """A result as one array or Tensor. It may be a number, a list of numbers, or an array of Values."""
    leaves, _ = flatten(x)
    if not is_container(x):
        if isinstance(x, np.ndarray):
            return x
        return leaves[0] if isinstance(leaves[0], Traced) else np.asarray(leaves[0], dtype=float)
    if any(isinstance(leaf, (Value, Dual)) for leaf in leaves):
        return boxed(leaves, (len(leaves),))
    return np.array([float(leaf) for leaf in leaves])


def reverse_rows(out: Any, pull: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """The Jacobian, by one sweep for each output."""
    leaves, rebuild = flatten(out)
    rows = [as_array(pull(rebuild(seed))[0]) for seed in units(leaves)]
    out_shape = (len(leaves),) if is_container(out) else np.shape(ops.detach(out))
    return ops.stack(rows, axis=0).reshape((*out_shape, *shape)) if rows else np.zeros((*out_shape, *shape))


def hessian(f: Function, argnum: int = 0) -> Function:
    """The function that returns all second derivatives of f, by forward over reverse mode. f returns one number.

    The result has shape (*shape of the argument, *shape of the argument).

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(grad(f, argnum), argnum, mode="forward")


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of f at `x` times `v`, by reverse over forward mode. It costs as much as a few gradients.

    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    checked_function(f, "hvp")
    return grad(lambda x: jvp(f, (x,), (v,))[1])(x)
