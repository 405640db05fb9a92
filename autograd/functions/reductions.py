"""NumPy's reductions, with NumPy's arguments; running sums and products; differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.table import in_dtype, joined, later, means, plain
from autograd.ops.shapes import normalize_axis, shape_of
from autograd.ops.traced import Traced

NO_VALUE = np._NoValue
"""NumPy's default for an argument that was not given."""


def _kept(x: Any, axis: Any) -> tuple[int, ...]:
    return normalize_axis(axis, len(shape_of(x)))


def _count(x: Any, axis: Any, where: Any, keepdims: bool) -> Any:
    """The number of elements that `where` keeps, along the axes."""
    return np.sum(np.broadcast_to(plain(where), shape_of(x)), axis=_kept(x, axis), keepdims=keepdims)


def _chosen(x: Any, where: Any, neutral: float) -> Any:
    """`x`, with the elements that `where` leaves out replaced by the neutral number."""
    return x if where is True or where is NO_VALUE else ops.where(plain(where), x, neutral)


def _keeps(keepdims: Any) -> bool:
    return keepdims is not NO_VALUE and bool(keepdims)


@means(np.sum)
def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, initial: Any = 0, where: Any = True) -> Any:
    """`numpy.sum`."""
    a = in_dtype(_chosen(joined(a), where, 0.0), dtype, "sum")
    out = ops.sum(a, axis=axis, keepdims=_keeps(keepdims))
    return out if _is_number(initial, 0) else out + initial


@means(np.prod)
def prod(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, initial: Any = 1, where: Any = True
) -> Any:
    """`numpy.prod`."""
    a = in_dtype(_chosen(joined(a), where, 1.0), dtype, "prod")
    out = ops.prod(a, axis=axis, keepdims=_keeps(keepdims))
    return out if _is_number(initial, 1) else out * initial


def _is_number(x: Any, neutral: float) -> bool:
    return x is NO_VALUE or (not isinstance(x, Traced) and np.ndim(x) == 0 and x == neutral)


def _extreme(name: str, reduction: Any, pair: Any, worst: float) -> Any:
    def meaning(a: Any, axis: Any = None, keepdims: Any = False, initial: Any = NO_VALUE, where: Any = True) -> Any:
        a = joined(a)
        if where is not True and where is not NO_VALUE and initial is NO_VALUE:
            raise ValueError(f"numpy.{name} with where= needs initial=, since where= may choose no element")
        if initial is not NO_VALUE:
            empty = 0 in shape_of(a)
            a = _chosen(a, where, worst)
            if empty and not all(shape_of(a)[i] for i in _kept(a, axis)):
                out = ops.sum(a, axis=axis, keepdims=_keeps(keepdims)) + worst
            else:
                out = reduction(a, axis=axis, keepdims=_keeps(keepdims))
            return pair(out, initial)
        return reduction(a, axis=axis, keepdims=_keeps(keepdims))

    return meaning


means(np.max, np.amax)(_extreme("max", ops.max, ops.maximum, -np.inf))
means(np.min, np.amin)(_extreme("min", ops.min, ops.minimum, np.inf))


@means(np.ptp)
def ptp(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """`numpy.ptp`: the largest minus the smallest."""
    a, keep = joined(a), _keeps(keepdims)
    return ops.max(a, axis=axis, keepdims=keep) - ops.min(a, axis=axis, keepdims=keep)


@means(np.mean)
def mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, where: Any = True) -> Any:
    """`numpy.mean`."""
    a, keep = in_dtype(joined(a), dtype, "mean"), _keeps(keepdims)
    if where is True or where is NO_VALUE:
        return ops.mean(a, axis=axis, keepdims=keep)
    return ops.sum(_chosen(a, where, 0.0), axis=axis, keepdims=keep) / _like(_count(a, axis, where, keep), a)


def _like(x: Any, a: Any) -> Any:
    """Plain numbers, converted to the dtype of a variable."""
    return np.asarray(x).astype(getattr(a, "dtype", float))


def _ddof(ddof: Any, correction: Any) -> Any:
    if correction is NO_VALUE:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction mean the same: give one of them")
    return correction


def _spread(
    row: Any, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, middle: Any, correction: Any
) -> Any:
    """The variance or the standard deviation: by its row, or composed from sums if `where` or a mean is given."""
    a, keep, ddof = in_dtype(joined(a), dtype, row.name), _keeps(keepdims), _ddof(ddof, correction)
    where = True if where is NO_VALUE else where
    if where is True and middle is NO_VALUE:
        return row(a, axis=axis, ddof=ddof, keepdims=keep)
    if middle is NO_VALUE:
        middle = mean(a, axis, keepdims=True, where=where)
    deviation = _chosen(a - middle, where, 0.0)
    left = _like(_count(a, axis, where, keep) - ddof, a)
    squared = ops.sum(deviation * deviation, axis=axis, keepdims=keep) / _like(np.where(left > 0, left, np.nan), a)
    if row is ops.var:
        return squared
    constant = ops.equal(squared, 0)
    return ops.where(constant, 0.0, ops.sqrt(ops.where(constant, 1.0, squared)))


@means(np.var)
def var(
    a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False, where: Any = True,
    mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`numpy.var`."""
    return _spread(ops.var, a, axis, dtype, ddof, keepdims, where, mean, correction)


@means(np.std)
def std(
    a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False, where: Any = True,
    mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    """`numpy.std`; slope 0 where all are equal."""
    return _spread(ops.std, a, axis, dtype, ddof, keepdims, where, mean, correction)


@means(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    """`numpy.average`, differentiable in the weights too."""
    a, keep = joined(a), _keeps(keepdims)
    if weights is None:
        out = ops.mean(a, axis=axis, keepdims=keep)
        count = np.full(shape_of(out), ops.detach(a).size / max(np.size(ops.detach(out)), 1))
        return (out, count) if returned else out
    weights = joined(weights)
    if shape_of(weights) != shape_of(a):
        axes = _kept(a, axis)
        if axis is None or shape_of(weights) != tuple(shape_of(a)[i] for i in axes):
            raise ValueError(
                f"numpy.average: weights of shape {shape_of(weights)} for axis {axis} of an array of {shape_of(a)}"
            )
        order = np.argsort(axes)
        weights = ops.transpose(weights, tuple(int(i) for i in order))
        weights = ops.reshape(weights, tuple(n if i in axes else 1 for i, n in enumerate(shape_of(a))))
        weights = ops.broadcast_to(weights, shape_of(a))
    total = ops.sum(weights, axis=axis, keepdims=keep)
    if np.any(ops.equal(total, 0)):
        raise ZeroDivisionError("numpy.average: weights sum to zero, can't be normalized")
    out = ops.sum(a * weights, axis=axis, keepdims=keep) / total
    return (out, total) if returned else out


# --------------------------------------------------------------------------------------------------- ignoring nans


def _without_nans(name: str, neutral: float) -> Any:
    def meaning(a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
        a = joined(a)
        there = ~np.isnan(ops.detach(a))
        clean = ops.where(there, a, neutral)
        named = {"axis": axis, "keepdims": keepdims}
        if name in ("nanvar", "nanstd"):
            named["ddof"] = ddof
        if name in ("nanmax", "nanmin"):
            out = _extremes[name](clean, **named)
            nothing = ~np.any(there, axis=_kept(a, axis), keepdims=_keeps(keepdims))
            return ops.where(nothing, np.nan, out) if np.any(nothing) else out
        if name in ("nansum", "nanprod"):
            return _plain_reductions[name](clean, dtype=dtype, **named)
        return _plain_reductions[name](clean, dtype=dtype, where=there, **named)

    return meaning


_extremes: dict[str, Any] = {"nanmax": ops.max, "nanmin": ops.min}
_plain_reductions: dict[str, Any] = {"nansum": sum, "nanprod": prod, "nanmean": mean, "nanvar": var, "nanstd": std}
for _name, _neutral in (
    ("nansum", 0.0), ("nanprod", 1.0), ("nanmean", 0.0), ("nanvar", 0.0), ("nanstd", 0.0), ("nanmax", -np.inf),
    ("nanmin", np.inf),
):  # fmt: skip
    means(getattr(np, _name))(_without_nans(_name, _neutral))


# --------------------------------------------------------------------------------------- running sums and products


@means(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """`numpy.cumsum`."""
    return ops.cumsum(in_dtype(joined(a), dtype, "cumsum"), axis)


@means(np.cumprod)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """`numpy.cumprod`, by doubling (Hillis and Steele, 1986). Dividing by an element would be wrong with zeros."""
    a = in_dtype(joined(a), dtype, "cumprod")
    if axis is None:
        a, axis = ops.reshape(a, (-1,)), 0
    (axis,) = normalize_axis(axis, len(shape_of(a)))
    lead = (slice(None),) * axis
    n, step = shape_of(a)[axis], 1
    while step < n:
        one = np.ones_like(ops.detach(ops.getitem(a, (*lead, slice(0, step)))))
        a = a * ops.concatenate([one, ops.getitem(a, (*lead, slice(0, n - step)))], axis)
        step *= 2
    return a


def _cumulative(function: Any, neutral: float) -> Any:
    def meaning(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
        if axis is None and len(shape_of(x)) > 1:
            raise ValueError(f"axis= is needed for an array of {len(shape_of(x))} dimensions")
        axis = 0 if axis is None else normalize_axis(axis, len(shape_of(x)))[0]
        out = function(x, axis, dtype)
        if include_initial:
            shape = tuple(1 if i == axis else n for i, n in enumerate(shape_of(out)))
            out = ops.concatenate([np.full(shape, neutral, ops.detach(out).dtype), out], axis)
        return out

    return meaning


for _name, _f, _neutral in (("cumulative_sum", cumsum, 0.0), ("cumulative_prod", cumprod, 1.0)):
    means(*later(_name))(_cumulative(_f, _neutral))


@means(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = NO_VALUE, append: Any = NO_VALUE) -> Any:
    """`numpy.diff`."""
    a = joined(a)
    if n < 0:
        raise ValueError(f"numpy.diff takes an order of 0 or more, got {n}")
    (axis,) = normalize_axis(axis, len(shape_of(a)))
    ends = [x if x is NO_VALUE else _end(x, a, axis) for x in (prepend, append)]
    parts = [x for x in (ends[0], a, ends[1]) if x is not NO_VALUE]
    a = ops.concatenate(parts, axis) if len(parts) > 1 else a
    lead = (slice(None),) * axis
    for _ in range(n):
        a = ops.getitem(a, (*lead, slice(1, None))) - ops.getitem(a, (*lead, slice(None, -1)))
    return a


def _end(x: Any, a: Any, axis: int) -> Any:
    """The array that `diff` puts before or after `a`. A number is broadcast to a slice."""
    x = joined(x)
    if shape_of(x) == ():
        x = ops.broadcast_to(x, tuple(1 if i == axis else n for i, n in enumerate(shape_of(a))))
    return x


@means(np.ediff1d)
def ediff1d(ary: Any) -> Any:
    """`numpy.ediff1d`, without the arguments for the ends."""
    return diff(ops.reshape(ary, (-1,)))


_gradient: Any = np.gradient


@means(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """`numpy.gradient`: differences of second order inside, of order `edge_order` at the ends.

    It is linear in `f`. So along each axis it is a product with a matrix, whose columns are NumPy's results for unit
    vectors.
    """
    f = joined(f)
    axes = _kept(f, axis)
    spacings = varargs if varargs else (1.0,)
    if any(isinstance(x, Traced) for x in varargs):
        raise TypeError("numpy.gradient of a Tensor takes plain spacings: their derivative is not implemented")
    if len(spacings) == 1 and len(axes) > 1 and np.ndim(spacings[0]) == 0:
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"numpy.gradient along {len(axes)} axes takes 1 or {len(axes)} spacings, got {len(spacings)}")
    found = []
    for i, spacing in zip(axes, spacings, strict=True):
        n = shape_of(f)[i]
        matrix = _gradient(np.eye(n), spacing, axis=0, edge_order=edge_order)  # (n, n)
        moved = ops.swapaxes(f, i, -1)
        found.append(ops.swapaxes(ops.matmul(moved, _like(matrix.T, f)), i, -1))
    if axis is not None and np.ndim(axis) == 0:
        return found[0]
    return found[0] if len(found) == 1 else tuple(found)


@means(*later("trapezoid trapz"))
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """`numpy.trapezoid`, differentiable in `y` and in `x`."""
    y = joined(y)
    (axis,) = normalize_axis(axis, len(shape_of(y)))
    lead = (slice(None),) * axis
    width = dx
    if x is not None:
        x = joined(x)
        if len(shape_of(x)) == 1:
            width = diff(x)
            width = ops.reshape(width, tuple(-1 if i == axis else 1 for i in range(len(shape_of(y)))))
        else:
            width = diff(x, axis=axis)
    pairs = ops.getitem(y, (*lead, slice(1, None))) + ops.getitem(y, (*lead, slice(None, -1)))
    return ops.sum(pairs * width * 0.5, axis=axis)
