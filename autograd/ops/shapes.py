"""Shapes and axes of what flows through a rule: numbers, arrays and variables."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops.floats import FLOATS, OBJECT
from autograd.ops.traced import Traced


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a number, an array or a variable. The shape of a number is ()."""
    return x.shape if isinstance(x, Traced) else np.shape(x)  # type: ignore[attr-defined]


def still(x: Any) -> Any:
    """The tangent of a constant: zeros of its shape. ``x * 0`` would be nan where `x` is infinite."""
    dtype = getattr(x, "dtype", OBJECT)
    if dtype in FLOATS:
        return np.zeros(shape_of(x), dtype)
    return np.zeros(shape_of(x)) if shape_of(x) else 0.0


def box(x: Any) -> Any:
    """`x` as something with a shape. A number, or a variable of one number, becomes an array without axes."""
    if isinstance(x, Traced):
        if x._fuses or shape_of(x):
            return x
    elif isinstance(x, (np.ndarray, np.generic)):
        return x
    elif isinstance(x, (list, tuple)):
        return np.asarray(x)
    else:
        return np.asarray(x, dtype=float)
    cell = np.empty((), dtype=object)
    cell[()] = x
    return cell


def objects(items: Sequence[Any]) -> Any:
    """An object array of one axis. It is filled item by item, since NumPy would unpack items that are arrays."""
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` broadcast to a shape. An array gives a view, a variable gives a node."""
    return x.broadcast_to(shape) if isinstance(x, Traced) else np.broadcast_to(x, shape)  # type: ignore[attr-defined]


def unbroadcast(g: Any, x: Any) -> Any:
    """Sum a cotangent over the axes along which `x` was broadcast, and return it in the dtype of `x`.

    Broadcasting is undone here and nowhere else.

    >>> unbroadcast(np.ones((2, 3)), np.ones((1, 3)))
    array([[2., 2., 2.]])
    """
    if type(g) is np.ndarray is type(x) and g.shape == x.shape and g.dtype is x.dtype:
        return g  # the most frequent case
    shape, have = shape_of(x), shape_of(g)
    if have != shape:
        extra = len(have) - len(shape)
        if extra < 0 or any(n not in (1, have[i + extra]) for i, n in enumerate(shape)):
            raise ValueError(f"a cotangent of shape {have} cannot belong to an operand of shape {shape}")
        stretched = tuple(i + extra for i, n in enumerate(shape) if n == 1 and have[i + extra] != 1)
        g = g.sum(axis=tuple(range(extra)) + stretched)
        if g.shape != shape:
            g = g.reshape(shape)
    dtype = getattr(x, "dtype", None)
    if dtype is not None and getattr(g, "dtype", dtype) != dtype:
        g = g.astype(dtype)
    return g


def normalize_axis(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The axes as a tuple of non-negative ints. None means all axes.

    >>> normalize_axis(-1, 3), normalize_axis(None, 2)
    ((2,), (0, 1))
    """
    if axis is None:
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    for i in given:
        if not -ndim <= i < ndim:
            raise ValueError(f"axis {i} is out of bounds for an array of {ndim} dimensions")
    axes = tuple(int(i) % ndim for i in given)
    if len(set(axes)) != len(axes):
        raise ValueError(f"axis {axis} names a dimension twice")
    return axes


def permutation(axes: Any, ndim: int) -> tuple[int, ...]:
    """An order of all axes, as a tuple of non-negative ints.

    >>> permutation((-1, 0), 2)
    (1, 0)
    """
    order = normalize_axis(axes, ndim)
    if len(order) != ndim:
        raise ValueError(f"axes {axes} do not name each of the {ndim} dimensions once")
    return order


def fixed_axis(axis: Any) -> int | tuple[int, ...] | None:
    """An axis as an int, or several as a tuple of ints, which cannot change later. Negative axes stay negative.

    >>> fixed_axis(np.int64(-1)), fixed_axis([0, 1])
    (-1, (0, 1))
    """
    if axis is None or isinstance(axis, int):
        return axis
    if np.iterable(axis):
        return tuple([i if isinstance(i, int) else operator.index(i) for i in axis])
    return operator.index(axis)
