"""Functions that only move numbers: reshaping, joining, splitting, repeating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.table import in_dtype, joined, later, means, plain
from autograd.ops.shapes import normalize_axis, permutation, shape_of
from autograd.ops.traced import Traced

# ------------------------------------------------------------------------------------------------------- reshaping


@means(np.reshape)
def reshape(a: Any, shape: Any, order: str = "C") -> Any:
    """`numpy.reshape`, in C order."""
    if order not in ("C", "A"):
        raise TypeError(f"numpy.reshape of a Tensor does not take order={order!r}: transpose before and after")
    return ops.reshape(joined(a), shape)


@means(np.ravel)
def ravel(a: Any) -> Any:
    """`numpy.ravel`, in C order."""
    return ops.reshape(joined(a), (-1,))


@means(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    """`numpy.transpose`."""
    return ops.transpose(joined(a), axes)


@means(*later("matrix_transpose"), *later("matrix_transpose", np.linalg))
def matrix_transpose(x: Any) -> Any:
    """`numpy.matrix_transpose`: the last two axes exchanged."""
    return ops.swapaxes(x, -1, -2)


@means(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """`numpy.swapaxes`."""
    return ops.swapaxes(joined(a), axis1, axis2)


@means(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """`numpy.moveaxis`."""
    ndim = len(shape_of(a))
    come, go = normalize_axis(source, ndim), normalize_axis(destination, ndim)
    if len(come) != len(go):
        raise ValueError(f"numpy.moveaxis takes as many sources as destinations, got {source} and {destination}")
    order = [i for i in range(ndim) if i not in come]
    for to, i in sorted(zip(go, come, strict=True)):
        order.insert(to, i)
    return ops.transpose(a, tuple(order))


@means(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """`numpy.rollaxis`."""
    ndim = len(shape_of(a))
    (i,) = normalize_axis(axis, ndim)
    if not -ndim <= start <= ndim:
        raise ValueError(f"numpy.rollaxis: start {start} is out of bounds for an array of {ndim} dimensions")
    start = start + ndim if start < 0 else start
    return moveaxis(a, i, start - 1 if i < start else start)


@means(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    """`numpy.expand_dims`."""
    return ops.expand_dims(joined(a), axis)


@means(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    """`numpy.squeeze`."""
    return ops.squeeze(joined(a), axis)


@means(np.broadcast_to)
def broadcast_to(array: Any, shape: Any) -> Any:
    """`numpy.broadcast_to`."""
    return ops.broadcast_to(joined(array), shape)


@means(np.broadcast_arrays)
def broadcast_arrays(*args: Any) -> Any:
    """`numpy.broadcast_arrays`."""
    shape = np.broadcast_shapes(*map(shape_of, args))
    return tuple(ops.broadcast_to(x, shape) for x in args)


def _at_least(x: Any, ndim: int) -> Any:
    x = joined(x)
    shape = shape_of(x)
    if len(shape) >= ndim:
        return x
    if ndim == 3:  # a single axis becomes the middle one, two axes become the first two
        return ops.reshape(x, {0: (1, 1, 1), 1: (1, *shape, 1), 2: (*shape, 1)}[len(shape)])
    return ops.reshape(x, (1,) * (ndim - len(shape)) + tuple(shape))


def _each_at_least(ndim: int) -> Any:
    def meaning(*arys: Any) -> Any:
        found = tuple(_at_least(x, ndim) for x in arys)
        return found[0] if len(found) == 1 else found

    return meaning


for _function, _ndim in ((np.atleast_1d, 1), (np.atleast_2d, 2), (np.atleast_3d, 3)):
    means(_function)(_each_at_least(_ndim))


@means(np.copy)
def copy(a: Any) -> Any:
    """`numpy.copy`: a new variable."""
    return ops.identity(joined(a))


@means(*later("astype"))
def astype(x: Any, dtype: Any) -> Any:
    """`numpy.astype`: float32 or float64."""
    return in_dtype(x, dtype, "astype")


@means(np.real)
def real(val: Any) -> Any:
    """`numpy.real`: variables are real already."""
    return joined(val)


# --------------------------------------------------------------------------------------------------------- joining


@means(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    """`numpy.concatenate`; ``axis=None`` joins the flattened arrays."""
    parts = [joined(x) for x in arrays]
    if axis is None:
        parts, axis = [ops.reshape(x, (-1,)) for x in parts], 0
    return in_dtype(ops.concatenate(parts, axis), dtype, "concatenate")


@means(np.stack)
def stack(arrays: Any, axis: int = 0, dtype: Any = None) -> Any:
    """`numpy.stack`."""
    return in_dtype(ops.stack([joined(x) for x in arrays], axis), dtype, "stack")


@means(np.vstack)
def vstack(tup: Any, dtype: Any = None) -> Any:
    """`numpy.vstack`."""
    return in_dtype(ops.concatenate([_at_least(x, 2) for x in tup], 0), dtype, "vstack")


@means(np.hstack)
def hstack(tup: Any, dtype: Any = None) -> Any:
    """`numpy.hstack`."""
    parts = [_at_least(x, 1) for x in tup]
    axis = 0 if len(shape_of(parts[0])) == 1 else 1
    return in_dtype(ops.concatenate(parts, axis), dtype, "hstack")


@means(np.dstack)
def dstack(tup: Any) -> Any:
    """`numpy.dstack`."""
    return ops.concatenate([_at_least(x, 3) for x in tup], 2)


@means(np.column_stack)
def column_stack(tup: Any) -> Any:
    """`numpy.column_stack`."""
    parts = [joined(x) for x in tup]
    return ops.concatenate([x if len(shape_of(x)) >= 2 else ops.reshape(x, (-1, 1)) for x in parts], 1)


@means(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`numpy.append`."""
    return concatenate((arr, values), axis)


@means(np.block)
def block(arrays: Any) -> Any:
    """`numpy.block`: nested lists of blocks."""

    def depth(x: Any) -> int:
        return 1 + max(map(depth, x)) if isinstance(x, list) else 0

    levels = depth(arrays)

    def most(x: Any) -> int:
        return max(map(most, x)) if isinstance(x, list) else len(shape_of(x))

    ndim = max(levels, most(arrays))

    def build(x: Any, level: int) -> Any:
        if isinstance(x, list):
            if not x:
                raise ValueError("numpy.block takes lists of one block or more, got an empty list")
            return ops.concatenate([build(item, level + 1) for item in x], axis=-(levels - level))
        return ops.reshape(x, (1,) * (ndim - len(shape_of(x))) + shape_of(x))

    return build(arrays, 0)


# ------------------------------------------------------------------------------------------------------- splitting


@means(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`numpy.array_split`: if the length does not divide evenly, the first parts get one element more."""
    (axis,) = normalize_axis(axis, len(shape_of(ary)))
    n = shape_of(ary)[axis]
    if np.ndim(indices_or_sections):
        cuts = [int(i) for i in indices_or_sections]
    else:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError(f"numpy.array_split takes 1 part or more, got {count}")
        short, more = divmod(n, count)
        cuts = list(np.cumsum([short + 1] * more + [short] * (count - more))[:-1])
    lead = (slice(None),) * axis
    return [
        ops.getitem(ary, (*lead, slice(int(start), int(stop))))
        for start, stop in zip([0, *cuts], [*cuts, n], strict=True)
    ]


@means(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`numpy.split`: parts of equal lengths, or cut at the indices given."""
    (axis,) = normalize_axis(axis, len(shape_of(ary)))
    n = shape_of(ary)[axis]
    if np.ndim(indices_or_sections) == 0 and n % int(indices_or_sections):
        raise ValueError(f"cannot split an axis of length {n} into {indices_or_sections} equal parts")
    return array_split(ary, indices_or_sections, axis)


@means(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`numpy.hsplit`."""
    return split(ary, indices_or_sections, 1 if len(shape_of(ary)) > 1 else 0)


@means(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`numpy.vsplit`."""
    if len(shape_of(ary)) < 2:
        raise ValueError(f"numpy.vsplit takes 2 dimensions or more, got shape {shape_of(ary)}")
    return split(ary, indices_or_sections, 0)


@means(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`numpy.dsplit`."""
    if len(shape_of(ary)) < 3:
        raise ValueError(f"numpy.dsplit takes 3 dimensions or more, got shape {shape_of(ary)}")
    return split(ary, indices_or_sections, 2)


@means(*later("unstack"))
def unstack(x: Any, axis: int = 0) -> Any:
    """`numpy.unstack`: the parts along an axis, without it."""
    (axis,) = normalize_axis(axis, len(shape_of(x)))
    return tuple(ops.getitem(x, (*(slice(None),) * axis, i)) for i in range(shape_of(x)[axis]))


# ------------------------------------------------------------------------------------------------------- repeating


@means(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """`numpy.repeat`: each element `repeats` times."""
    a = joined(a)
    if axis is None:
        a, axis = ops.reshape(a, (-1,)), 0
    (axis,) = normalize_axis(axis, len(shape_of(a)))
    index = np.repeat(np.arange(shape_of(a)[axis]), repeats)
    return ops.getitem(a, (*(slice(None),) * axis, index))


@means(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """`numpy.tile`: the whole array repeated along each axis."""
    A = joined(A)
    times = tuple(int(n) for n in reps) if np.ndim(reps) else (int(reps),)
    ndim = max(len(times), len(shape_of(A)))
    times = (1,) * (ndim - len(times)) + times
    shape = (1,) * (ndim - len(shape_of(A))) + tuple(shape_of(A))
    if all(n == 1 for n in times):
        return ops.reshape(ops.identity(A), shape)
    spread = ops.reshape(A, tuple(n for pair in zip((1,) * ndim, shape, strict=True) for n in pair))
    spread = ops.broadcast_to(spread, tuple(n for pair in zip(times, shape, strict=True) for n in pair))
    return ops.reshape(spread, tuple(n * m for n, m in zip(times, shape, strict=True)))


@means(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """`numpy.roll`: shifted along an axis; elements that leave at one end return at the other."""
    a = joined(a)
    shape = shape_of(a)
    if axis is None:
        flat = ops.reshape(a, (-1,))
        return ops.reshape(roll(flat, int(np.sum(shift)), 0), shape)
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    for by, i in np.broadcast(shift, given):
        (i,) = normalize_axis(int(i), len(shape))
        if n := shape[i]:
            index = (np.arange(n) - int(by)) % n
            a = ops.getitem(a, (*(slice(None),) * i, index))
    return a


@means(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """`numpy.resize`: repeated as often as the new shape needs."""
    shape = tuple(int(n) for n in new_shape) if np.ndim(new_shape) else (int(new_shape),)
    flat = ravel(a)
    n, size = math.prod(shape), shape_of(flat)[0]
    return ops.reshape(ops.getitem(flat, np.arange(n) % max(size, 1)), shape)


# --------------------------------------------------------------------------------------------- flipping and turning


@means(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    """`numpy.flip`."""
    return ops.flip(joined(m), axis)


@means(np.fliplr)
def fliplr(m: Any) -> Any:
    """`numpy.fliplr`."""
    if len(shape_of(m)) < 2:
        raise ValueError(f"numpy.fliplr takes 2 dimensions or more, got shape {shape_of(m)}")
    return ops.flip(m, 1)


@means(np.flipud)
def flipud(m: Any) -> Any:
    """`numpy.flipud`."""
    return ops.flip(joined(m), 0)


@means(np.rot90)
def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """`numpy.rot90`: rotated by 90 degrees k times, from the first axis towards the second."""
    ndim = len(shape_of(m))
    first, second = normalize_axis(axes, ndim)
    order = list(range(ndim))
    order[first], order[second] = second, first
    turns = k % 4
    if turns == 0:
        return ops.identity(m)
    if turns == 2:
        return ops.flip(m, (first, second))
    if turns == 1:
        return ops.transpose(ops.flip(m, second), permutation(order, ndim))
    return ops.flip(ops.transpose(m, permutation(order, ndim)), second)


# --------------------------------------------------------------------------------------------------------- padding


@means(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """`numpy.pad` with the modes constant, edge, reflect, symmetric, wrap and empty."""
    x = joined(array)
    shape = shape_of(x)
    if isinstance(pad_width, dict):
        whole = [(0, 0)] * len(shape)
        for i, width in pad_width.items():
            whole[normalize_axis(i, len(shape))[0]] = tuple(np.broadcast_to(width, 2).tolist())
        pad_width = whole
    width = np.broadcast_to(np.asarray(pad_width), (len(shape), 2)).astype(int)
    pairs = tuple((int(a), int(b)) for a, b in width)
    if (width < 0).any():
        raise ValueError(f"numpy.pad takes widths of 0 or more, got {pad_width}")
    values = kwargs.pop("constant_values", 0) if mode in ("constant", "empty") else 0
    if mode not in ("constant", "empty", "edge", "reflect", "symmetric", "wrap"):
        modes = "constant, edge, reflect, symmetric or wrap"
        raise TypeError(f"numpy.pad of a Tensor does not take mode={mode!r}: {modes}")
    if kwargs.pop("reflect_type", "even") != "even" or kwargs:
        raise TypeError(f"numpy.pad of a Tensor does not take {', '.join(kwargs) or 'reflect_type'}=")
    if mode in ("constant", "empty"):
        return _padded(x, pairs, values)
    indices = np.pad(np.arange(math.prod(shape)).reshape(shape), pairs, mode=mode)  # of the flattened array
    return ops.getitem(ops.reshape(x, (-1,)), indices)


@means(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """`numpy.lib.stride_tricks.sliding_window_view`. `autograd.sliding_window_view` has strides and dilations too."""
    if writeable:
        raise TypeError("windows of a Tensor are read-only, as every result is: writeable=False")
    size = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    return ops.sliding_window_view(joined(x), size, axis)


def _padded(x: Any, pairs: Any, values: Any) -> Any:
    """Pad with constants. `values` is a number, or pairs as in NumPy."""
    if isinstance(values, (int, float)) and values == 0:
        return ops.pad(x, pairs)
    border = np.pad(np.zeros(shape_of(x), bool), pairs, constant_values=True)
    if isinstance(values, Traced):
        return ops.where(border, values, ops.pad(x, pairs))
    frame = np.pad(np.zeros(shape_of(x)), pairs, constant_values=plain(values))
    frame = frame.astype(ops.detach(x).dtype) if hasattr(ops.detach(x), "dtype") else frame
    return ops.add(ops.pad(x, pairs), np.where(border, frame, 0).astype(frame.dtype))
