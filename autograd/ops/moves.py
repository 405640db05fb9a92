"""Operations that only move numbers: reshape, transpose, index, join. Each is linear; its vjp is its transpose."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops import kernels
from autograd.ops.rows import Linear
from autograd.ops.shapes import box, fixed_axis, normalize_axis, permutation, shape_of
from autograd.ops.traced import Traced

reshape = Linear(
    "reshape",
    lambda x, shape: x.reshape(shape),
    lambda g, x, shape: g.reshape(x.shape),
    params=("shape",),
    canonical=lambda x, shape: {"shape": kernels.fixed_shape(shape)},
    doc="The same elements in another shape; a length of -1 is computed from the others.",
    example="reshape([1.0, 2.0], (2, 1)).shape = (2, 1)",
)
transpose: Linear = Linear(
    "transpose",
    lambda x, axes=None: x.transpose(axes),
    lambda g, x, axes=None: transpose(g, None if axes is None else tuple(int(i) for i in np.argsort(axes))),
    params=("axes",),
    canonical=lambda x, axes=None: {"axes": None if axes is None else permutation(axes, len(shape_of(x)))},
    doc="The axes in another order; reversed by default.",
    example="transpose([[1.0, 2.0]]).shape = (2, 1)",
)
broadcast_to = Linear(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    lambda g, x, shape: g,  # unbroadcast sums over the repeated axes
    params=("shape",),
    canonical=lambda x, shape: {"shape": kernels.fixed_shape(shape)},
    doc="Repeated along new axes and axes of length 1.",
    example="broadcast_to(1.0, (2, 3)).shape = (2, 3)",
)
getitem: Linear = Linear(
    "getitem",
    lambda x, index: x[index],
    lambda g, x, index: scatter(g, index, x.shape),
    adds=lambda total, g, index: kernels.add_at(total, g, index),
    params=("index",),
    canonical=lambda x, index: {"index": kernels.fixed_index(index)},
    doc="Part of an array: integers, slices, None, ellipsis, integer arrays (with repeats) and masks.",
    example="getitem([1.0, 2.0], 1) = 2.0",
)
scatter: Linear = Linear(
    "scatter",
    lambda x, index, shape: kernels.scatter(x, index, shape),
    lambda g, x, index, shape: getitem(g, index),
    params=("index", "shape"),
    canonical=lambda x, index, shape: {"index": kernels.fixed_index(index), "shape": kernels.fixed_shape(shape)},
    doc="Zeros of a shape with x added at an index; repeated indices accumulate. The transpose of getitem.",
    example="scatter([1.0, 2.0], [0, 0], (2,)).tolist() = [3.0, 0.0]",
)
_concatenate = Linear(
    "concatenate",
    lambda *arrays, axis: np.concatenate(arrays, axis),
    lambda i, g, *arrays, axis: _part(g, i, arrays, axis),
    together=lambda g, *arrays, axis: _parts(g, arrays, axis),
    arity=-1,
    params=("axis",),
    doc="Joined along an axis.",
)
pad = Linear(
    "pad",
    lambda x, width: np.pad(x, width),
    lambda g, x, width: g[kernels.inside(x.shape, width)],
    params=("width",),
    canonical=lambda x, width: {"width": kernels.fixed_width(width)},
    doc="x with zeros around it. The width is a number, a pair, or one pair an axis, as in `numpy.pad`.",
    example="pad([1.0], 1).tolist() = [0.0, 1.0, 0.0]",
)
cumsum: Linear = Linear(
    "cumsum",
    lambda x, axis=None: np.cumsum(x, axis),
    lambda g, x, axis=None: flip(cumsum(flip(g, axis or 0), axis or 0), axis or 0).reshape(x.shape),
    params=("axis",),
    canonical=lambda x, axis=None: {"axis": fixed_axis(axis)},
    doc="Running sum along an axis; of the flattened array by default.",
    example="cumsum([1.0, 2.0]).tolist() = [1.0, 3.0]",
)
astype = Linear(
    "astype",
    lambda x, dtype: x.astype(dtype),
    lambda g, x, dtype: g,  # unbroadcast converts it to the operand's dtype
    params=("dtype",),
    doc="The same numbers as float32 or float64.",
    example="astype([1.0], np.float32).dtype = dtype('float32')",
)


def _part(g: Any, i: int, arrays: Sequence[Any], axis: int) -> Any:
    """The slice of a concatenation that came from operand i."""
    start = builtins.sum(x.shape[axis] for x in arrays[:i])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[i].shape[axis])
    return g[tuple(index)]


def _parts(g: Any, arrays: Sequence[Any], axis: int) -> list[Any]:
    """The slices of a concatenation that came from each operand."""
    lead, stop, found = (slice(None),) * axis, 0, []
    for x in arrays:
        start, stop = stop, stop + x.shape[axis]
        found.append(g[*lead, start:stop])
    return found


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    >>> swapaxes(np.ones((2, 3)), 0, 1).shape
    (3, 2)
    """
    axes = list(range(len(shape_of(x))))
    (i,), (j,) = normalize_axis(axis1, len(axes)), normalize_axis(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(x, tuple(axes))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """Insert an axis of length 1 at each position given. Positions count the axes of the result.

    >>> expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    shape = list(shape_of(x))
    for i in sorted(normalize_axis(given, len(shape) + len(given))):
        shape.insert(i, 1)
    return reshape(x, tuple(shape))


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Axes of length 1 removed: all of them, or those named.

    >>> squeeze(np.ones((1, 3))).shape
    (3,)
    """
    shape = shape_of(x)
    ones = [i for i, n in enumerate(shape) if n == 1]
    axes = ones if axis is None else normalize_axis(axis, len(shape))
    for i in axes:
        if shape[i] != 1:
            raise ValueError(f"cannot squeeze axis {i} of length {shape[i]} in shape {shape}")
    return reshape(x, tuple(n for i, n in enumerate(shape) if i not in axes))


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Elements in reverse order along the axes; along all by default.

    >>> flip(np.array([1.0, 2.0]))
    array([2., 1.])
    """
    ndim = len(shape_of(x))
    axes = normalize_axis(axis, ndim)
    return getitem(x, tuple(slice(None, None, -1 if i in axes else None) for i in range(ndim)))


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Joined along an existing axis. All other lengths must agree.

    >>> concatenate([np.ones(2), np.zeros(1)])
    array([1., 1., 0.])
    """
    if len(arrays) == 0:
        raise ValueError("concatenate needs at least one array")
    shapes = [shape_of(x) for x in arrays]
    if builtins.any(len(shape) == 0 for shape in shapes):
        raise ValueError(f"concatenate takes arrays of one dimension or more, got shapes {shapes}; use stack")
    (axis,) = normalize_axis(axis, len(shapes[0]))
    rests = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(rests) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"concatenate along axis {axis}: shapes {shapes} differ elsewhere")
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Joined along a new axis. All shapes must agree.

    >>> stack([np.ones(2), np.zeros(2)]).shape
    (2, 2)
    """
    arrays = [box(x) if isinstance(x, Traced) and not x._stacks else x for x in arrays]  # Values become object arrays
    shapes = {shape_of(x) for x in arrays}
    if len(shapes) != 1:
        raise ValueError(f"stack needs arrays of one shape, got {sorted(shapes) or 'nothing'}")
    return concatenate([expand_dims(x, axis) for x in arrays], axis)


def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts along an axis: `sections` is a number of equal parts, or the indices at which to cut.

    >>> [part.tolist() for part in split(np.array([1.0, 2.0, 3.0]), [1])]
    [[1.0], [2.0, 3.0]]
    """
    shape = shape_of(x)
    (axis,) = normalize_axis(axis, len(shape))
    n = shape[axis]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or n % sections:
            raise ValueError(f"cannot split an axis of length {n} into {sections} equal parts")
        cuts = [n // int(sections) * i for i in range(1, int(sections))]
    else:
        cuts = [int(i) for i in sections]
    lead = (slice(None),) * axis
    bounds = zip([0, *cuts], [*cuts, n], strict=True)
    return [getitem(x, (*lead, slice(start, stop))) for start, stop in bounds]


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    """The elements of `x` that `indices` names along an axis. `indices` are integers, with as many dimensions as `x`.

    >>> take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    indices = np.asarray(indices)
    shape = shape_of(x)
    if indices.ndim != len(shape) or indices.dtype.kind not in "iu":
        raise ValueError(
            f"take_along_axis of shape {shape} takes integer indices of {len(shape)} dimensions,"
            f" got {indices.dtype} of shape {indices.shape}"
        )
    (axis,) = normalize_axis(axis, len(shape))
    grid: list[Any] = [
        np.arange(n).reshape([-1 if j == i else 1 for j in range(len(shape))]) for i, n in enumerate(shape)
    ]
    grid[axis] = indices
    return getitem(x, tuple(grid))
