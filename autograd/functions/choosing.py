"""Sorting, choosing, replacing, interpolating. Elements that are taken get the gradient, and the others get 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.table import joined, later, means, plain
from autograd.ops.shapes import normalize_axis, shape_of


@means(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """`numpy.where`; with a condition alone, the indices where it holds."""
    if x is None and y is None:
        return np.where(plain(condition))
    return ops.where(plain(joined(condition)), joined(x), joined(y))


@means(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    """`numpy.clip`; None stands for no bound."""
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError("numpy.clip got two values for one bound: a_min and min, a_max and max mean the same")
    low, high = a_min if min is None else min, a_max if max is None else max
    low = None if low is np._NoValue else low
    high = None if high is np._NoValue else high
    return ops.clip(joined(a), -math.inf if low is None else joined(low), math.inf if high is None else joined(high))


@means(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`numpy.nan_to_num`; slope 0 where a number was replaced."""
    if not copy:
        raise TypeError("numpy.nan_to_num of a Tensor does not take copy=False: the result is a new variable")
    x = joined(x)
    numbers = np.asarray(ops.detach(x))
    bounds = np.finfo(numbers.dtype)
    x = ops.where(np.isnan(numbers), nan, x)
    x = ops.where(np.isposinf(numbers), bounds.max if posinf is None else posinf, x)
    return ops.where(np.isneginf(numbers), bounds.min if neginf is None else neginf, x)


@means(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """`numpy.select`: the first choice whose condition holds."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"numpy.select takes as many conditions as choices, got {len(condlist)} and {len(choicelist)}")
    out = joined(default)
    for condition, choice in list(zip(condlist, choicelist, strict=True))[::-1]:
        out = ops.where(plain(condition), joined(choice), out)
    return out


@means(np.choose)
def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    """`numpy.choose`: at each index the choice that `a` names."""
    index = np.asarray(plain(a))
    parts = [joined(x) for x in choices]
    shape = np.broadcast_shapes(index.shape, *map(shape_of, parts))
    index = _within(index, len(parts), mode, "numpy.choose")
    stacked = ops.stack([ops.broadcast_to(x, shape) for x in parts])
    return ops.getitem(ops.take_along_axis(stacked, np.broadcast_to(index, shape)[None], 0), 0)


def _within(index: Any, n: int, mode: str, name: str) -> Any:
    """Apply NumPy's mode to indices: raise, wrap or clip."""
    if mode == "wrap":
        return index % n if n else index
    if mode == "clip":
        return np.clip(index, 0, n - 1)
    if mode != "raise":
        raise ValueError(f"{name} has the modes raise, wrap and clip, not {mode!r}")
    if index.size and (index.min() < -n or index.max() >= n):
        raise IndexError(f"{name}: an index is out of bounds for an axis of length {n}")
    return index


@means(np.take)
def take(a: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """`numpy.take`."""
    a = joined(a)
    if axis is None:
        a, axis = a if len(shape_of(a)) == 1 else ops.reshape(a, (-1,)), 0
    (axis,) = normalize_axis(axis, len(shape_of(a)))
    index = np.asarray(plain(indices))
    if index.size == 0:
        index = index.astype(np.intp)
    if index.dtype.kind not in "iub":
        raise TypeError(f"numpy.take takes whole numbers as indices, not {index.dtype}")
    index = _within(index.astype(np.intp), shape_of(a)[axis], mode, "numpy.take")
    return ops.getitem(a, (*(slice(None),) * axis, index))


@means(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """`numpy.take_along_axis`."""
    if axis is None:
        arr, axis = ops.reshape(arr, (-1,)), 0
    return ops.take_along_axis(arr, indices, axis)


@means(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """`numpy.compress`: the slices along an axis where the condition holds."""
    return take(a, np.flatnonzero(plain(condition)), axis)


@means(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """`numpy.extract`."""
    return take(arr, np.flatnonzero(np.ravel(plain(condition))))


@means(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """`numpy.delete`: all but some along an axis."""
    arr = joined(arr)
    if axis is None:
        arr, axis = ops.reshape(arr, (-1,)), 0
    (axis,) = normalize_axis(axis, len(shape_of(arr)))
    return take(arr, np.delete(np.arange(shape_of(arr)[axis]), plain(obj)), axis)


# --------------------------------------------------------------------------------------------------------- sorting


@means(np.sort)
def sort(a: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Any:
    """`numpy.sort`. Equal numbers keep their order."""
    a = joined(a)
    if axis is None:
        a, axis = ops.reshape(a, (-1,)), -1
    return ops.take_along_axis(a, np.argsort(ops.detach(a), axis=axis, kind="stable"), axis)


@means(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    """`numpy.partition`, in the order that NumPy gives."""
    a = joined(a)
    if axis is None:
        a, axis = ops.reshape(a, (-1,)), -1
    return ops.take_along_axis(a, np.argpartition(ops.detach(a), kth, axis=axis), axis)


@means(np.unique)
def unique(ar: Any) -> Any:
    """`numpy.unique` of the flattened array, without further results. The first of equal numbers gets the gradient."""
    flat = ops.reshape(joined(ar), (-1,))
    _, first = np.unique(ops.detach(flat), return_index=True)
    return ops.getitem(flat, first)


def _quantile(x: Any, q: Any, axis: Any, keepdims: bool, name: str) -> Any:
    """Interpolate linearly between two sorted neighbours (Hyndman and Fan's definition 7, NumPy's default)."""
    x = joined(x)
    q = np.asarray(plain(q), dtype=float)
    if q.size and not (q.min() >= 0 and q.max() <= 1):
        whole = 100 if name == "percentile" else 1
        raise ValueError(f"numpy.{name} takes numbers from 0 to {whole}, got {q * whole}")
    axes = normalize_axis(axis, len(shape_of(x)))
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape_of(x)))
    rest = tuple(i for i in range(len(shape_of(x))) if i not in axes)
    n = math.prod(shape_of(x)[i] for i in axes)
    if not n:
        raise ValueError(f"numpy.{name} of an empty array is not defined: shape {shape_of(x)}, axis {axis}")
    lanes = ops.reshape(ops.transpose(x, (*rest, *axes)), (*(shape_of(x)[i] for i in rest), n))
    numbers = np.asarray(ops.detach(lanes))
    order = np.argsort(numbers, axis=-1, kind="stable")
    ordered = ops.take_along_axis(lanes, order, -1)
    place = q.reshape(-1) * (n - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, n - 1)
    part = (place - below).astype(numbers.dtype)
    low, high = ops.getitem(ordered, (..., below)), ops.getitem(ordered, (..., above))
    # with part == 0 the upper neighbour is not needed; if it is infinite, 0 * inf would give nan
    out = ops.where(part == 0, low, low + (ops.where(part == 0, low, high) - low) * part)
    if np.isnan(numbers).any():
        out = ops.where(np.isnan(numbers).any(axis=-1, keepdims=True), np.nan, out)
    out = ops.transpose(out, (len(rest), *range(len(rest))))
    return ops.reshape(out, (*q.shape, *(kept if keepdims else tuple(shape_of(x)[i] for i in rest))))


@means(np.quantile)
def quantile(a: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.quantile` with the method "linear"."""
    return _quantile(a, q, axis, keepdims, "quantile")


@means(np.percentile)
def percentile(a: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.percentile` with the method "linear"."""
    return _quantile(a, np.asarray(plain(q), dtype=float) / 100, axis, keepdims, "percentile")


@means(np.median)
def median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.median`."""
    return _quantile(a, 0.5, axis, keepdims, "median")


# ------------------------------------------------------------------------------------------ diagonals and triangles


@means(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """`numpy.diagonal`: the diagonal becomes the last axis."""
    a = joined(a)
    ndim = len(shape_of(a))
    (i,), (j,) = normalize_axis(axis1, ndim), normalize_axis(axis2, ndim)
    if i == j:
        raise ValueError("numpy.diagonal takes two different axes")
    rest = tuple(k for k in range(ndim) if k not in (i, j))
    rows, columns = shape_of(a)[i], shape_of(a)[j]
    n = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    along = np.arange(n)
    moved = ops.transpose(a, (*rest, i, j))
    return ops.getitem(moved, (..., along - min(offset, 0), along + max(offset, 0)))


if hasattr(np.linalg, "diagonal"):

    @means(np.linalg.diagonal)
    def _diagonal(x: Any, offset: int = 0) -> Any:
        return diagonal(x, offset, -2, -1)


@means(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """`numpy.diag`: the diagonal of a matrix, or the matrix with this diagonal."""
    v = joined(v)
    if len(shape_of(v)) == 2:
        return diagonal(v, k)
    if len(shape_of(v)) != 1:
        raise ValueError(f"numpy.diag takes 1 or 2 dimensions, got shape {shape_of(v)}")
    n = shape_of(v)[0] + abs(k)
    along = np.arange(shape_of(v)[0])
    return ops.scatter(v, (along - min(k, 0), along + max(k, 0)), (n, n))


@means(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """`numpy.diagflat`."""
    return diag(ops.reshape(joined(v), (-1,)), k)


@means(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    """`numpy.tril`: zeros above a diagonal."""
    m = _matrix(joined(m))
    return ops.where(_below(m, k), m, 0.0)


@means(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    """`numpy.triu`: zeros below a diagonal."""
    m = _matrix(joined(m))
    return ops.where(_below(m, k - 1), 0.0, m)


def _below(m: Any, k: int) -> Any:
    """True for the elements of a matrix on the k-th diagonal or below it."""
    rows, columns = shape_of(m)[-2:]
    return np.tri(rows, columns, k, dtype=bool)


def _matrix(m: Any) -> Any:
    return ops.broadcast_to(m, shape_of(m) * 2) if len(shape_of(m)) == 1 else m


# --------------------------------------------------------------------------------------------------- interpolating


@means(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """`numpy.interp`, differentiable in all three operands. `xp` must increase."""
    x, xp, fp = joined(x), joined(xp), joined(fp)
    at, places = np.asarray(ops.detach(x)), np.asarray(ops.detach(xp))
    n = len(places)
    if n == 1:
        out = ops.broadcast_to(ops.getitem(fp, 0), at.shape)
    else:
        i = np.clip(np.searchsorted(places, at, side="right") - 1, 0, n - 2)
        x0, x1, f0, f1 = (ops.getitem(v, j) for v, j in ((xp, i), (xp, i + 1), (fp, i), (fp, i + 1)))
        inside = ops.clip(x, ops.getitem(xp, 0), ops.getitem(xp, n - 1))
        out = f0 + (f1 - f0) * ((inside - x0) / (x1 - x0))
    out = ops.where(at < places[0], ops.getitem(fp, 0) if left is None else left, out)
    return ops.where(at > places[-1], ops.getitem(fp, n - 1) if right is None else right, out)


@means(np.meshgrid)
def meshgrid(*xi: Any, sparse: bool = False, indexing: str = "xy") -> Any:
    """`numpy.meshgrid`."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"numpy.meshgrid has the indexing 'xy' and 'ij', not {indexing!r}")
    parts = [ops.reshape(x, (-1,)) for x in xi]
    n = len(parts)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    shape = [0] * n
    spread = []
    for k, x in enumerate(parts):
        shape[order[k]] = shape_of(x)[0]
        spread.append(ops.reshape(x, tuple(-1 if i == order[k] else 1 for i in range(n))))
    return tuple(spread if sparse else [ops.broadcast_to(x, tuple(shape)) for x in spread])


@means(*later("vander"))
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """`numpy.vander`: the powers of each number."""
    x = joined(x)
    n = shape_of(x)[0] if N is None else N
    powers = np.arange(n, dtype=float) if increasing else np.arange(n - 1, -1, -1.0)
    return ops.power(ops.reshape(x, (-1, 1)), powers)
