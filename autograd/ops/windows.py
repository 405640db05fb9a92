"""Windows of an array as a row, and its transpose: what convolution and pooling are made of.

A window is a part of fixed lengths along some axes. All windows together are a view: they take no memory. The transpose
adds each window to its place, so that overlaps add up.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd.ops import kernels
from autograd.ops.floats import OBJECT
from autograd.ops.rows import Linear
from autograd.ops.shapes import normalize_axis, shape_of
from autograd.ops.traced import Length

sliding_window_view: Linear = Linear(
    "sliding_window_view",
    lambda x, window_shape, axis=None, stride=1, dilation=1: _view(x, window_shape, axis, stride, dilation),
    lambda g, x, window_shape, axis=None, stride=1, dilation=1: overlap_add(g, x.shape, axis, stride, dilation),
    params=("window_shape", "axis", "stride", "dilation"),
    canonical=lambda x, window_shape, axis=None, stride=1, dilation=1: _fixed(
        shape_of(x), window_shape, axis, stride, dilation
    ),
    doc="All windows, as a view; the axes of a window come last. A window starts at every `stride`-th place"
    " along each `axis`, and takes every `dilation`-th element from there.",
    example="sliding_window_view([1.0, 2.0, 3.0], 2).tolist() = [[1.0, 2.0], [2.0, 3.0]]",
)
overlap_add: Linear = Linear(
    "overlap_add",
    lambda x, shape, axis=None, stride=1, dilation=1: _added(x, shape, axis, stride, dilation),
    lambda g, x, shape, axis=None, stride=1, dilation=1: sliding_window_view(
        g, x.shape[len(shape) :], axis, stride, dilation
    ),
    params=("shape", "axis", "stride", "dilation"),
    canonical=lambda x, shape, axis=None, stride=1, dilation=1: _fixed_sum(shape_of(x), shape, axis, stride, dilation),
    doc="Windows added at their places; the transpose of sliding_window_view. `shape` is that of the result.",
    example="overlap_add([[1.0, 2.0], [3.0, 4.0]], 3).tolist() = [1.0, 5.0, 4.0]",
)

Whole = Sequence[int]


def _view(x: Any, window_shape: Whole, axis: Whole, stride: Whole, dilation: Whole) -> Any:
    """All windows of an array, without a copy where its memory allows it.

    NumPy's `as_strided` would hide the array behind an object of its own. Then nobody could tell whether the memory
    changes (see `autograd.engine.saved`). With a buffer the array stays known, and NumPy checks the bounds.
    """
    shape = (*_places(x.shape, window_shape, axis, stride, dilation), *window_shape)
    root = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    if not x.size or x.dtype == OBJECT or root.dtype != x.dtype:  # a buffer holds plain numbers
        out = np.empty(shape, x.dtype)
        for at, index in _cuts(shape, x.ndim, axis, stride, dilation):
            out[(..., *at)] = x[index]
        return out
    whole = root.transpose(sorted(range(root.ndim), key=lambda i: -root.strides[i]))
    if not whole.flags.c_contiguous:
        x = whole = np.ascontiguousarray(x)
    strides = [*x.strides, *(x.strides[i] * d for i, d in zip(axis, dilation, strict=True))]
    for i, s in zip(axis, stride, strict=True):
        strides[i] *= s
    out = np.ndarray(shape, x.dtype, whole, _address(x) - _address(whole), strides)
    out.flags.writeable = False  # an element stands in several windows
    return out


def _address(x: Any) -> int:
    return x.__array_interface__["data"][0]  # type: ignore[no-any-return]


def _added(x: Any, shape: tuple[int, ...], axis: Whole, stride: Whole, dilation: Whole) -> Any:
    """Zeros with each window added: one addition of whole arrays for each place in a window."""
    out = np.zeros(shape, x.dtype)
    for at, index in _cuts(x.shape, len(shape), axis, stride, dilation):
        out[index] += x[(..., *at)]
    return out


def _cuts(shape: Whole, ndim: int, axis: Whole, stride: Whole, dilation: Whole) -> Iterator[Any]:
    """For each place in the windows, which have this shape: its index, and the part of the array that stands there."""
    for at in np.ndindex(*shape[ndim:]):
        index = [slice(None)] * ndim
        for i, j, s, d in zip(axis, at, stride, dilation, strict=True):
            index[i] = slice(j * d, j * d + s * (shape[i] - 1) + 1, s)
        yield at, tuple(index)


def _places(shape: Sequence[Any], window_shape: Whole, axis: Whole, stride: Whole, dilation: Whole) -> tuple[Any, ...]:
    """The shape, with the number of windows along each axis in the place of its length."""
    out = list(shape)
    for i, k, s, d in zip(axis, window_shape, stride, dilation, strict=True):
        out[i] = (out[i] - d * (k - 1) - 1) // s + 1
    return tuple(out)


def _fixed(shape: Sequence[Any], window_shape: Any, axis: Any, stride: Any, dilation: Any) -> dict[str, Any]:
    """The parameters as tuples with one item for each axis of a window. ValueError where no window fits.

    Without a stride, windows do not overlap.
    """
    stride = window_shape if stride is None else stride
    axes = normalize_axis(axis, len(shape))
    size, steps, gaps = (
        _each(what, given, axes)
        for what, given in (("window_shape", window_shape), ("stride", stride), ("dilation", dilation))
    )
    for i, k, d in zip(axes, size, gaps, strict=True):
        if not isinstance(shape[i], Length) and shape[i] < d * (k - 1) + 1:
            spread = f", with dilation {d}," * (d > 1)
            raise ValueError(
                f"a window of length {k}{spread} does not fit into axis {i} of shape {tuple(shape)}: "
                "take a smaller window, or pad first"
            )
    return {"window_shape": size, "axis": axes, "stride": steps, "dilation": gaps}


def _fixed_sum(have: Sequence[Any], shape: Any, axis: Any, stride: Any, dilation: Any) -> dict[str, Any]:
    """The parameters of the transpose. ValueError where an array of this shape has other windows."""
    whole = kernels.fixed_shape(shape)
    whole = whole if isinstance(whole, tuple) else (whole,)
    axes = normalize_axis(axis, len(whole))
    if len(have) != len(whole) + len(axes):
        raise ValueError(
            f"windows of an array of shape {whole} along the axes {axes} have {len(whole) + len(axes)} dimensions, "
            f"not the shape {tuple(have)}"
        )
    found = _fixed(whole, have[len(whole) :], axes, stride, dilation)
    if not any(isinstance(n, Length) for n in (*whole, *have)):
        wanted = (*_places(whole, **found), *found["window_shape"])
        if wanted != tuple(have):
            raise ValueError(f"an array of shape {whole} has windows of shape {wanted}, not {tuple(have)}")
    return {"shape": whole, **{name: found[name] for name in ("axis", "stride", "dilation")}}


def _each(what: str, given: Any, axes: Sequence[int]) -> tuple[int, ...]:
    """A whole number above 0 for each axis. A single number is that of all axes."""
    found = tuple([operator.index(n) for n in given]) if np.iterable(given) else (operator.index(given),) * len(axes)
    if len(found) != len(axes) or min(found, default=1) < 1:
        raise ValueError(f"{what} is a whole number above 0, or one for each of the axes {axes}, not {given!r:.60}")
    return found
