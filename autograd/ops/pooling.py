"""The largest element of each window, as one row: its derivative by hand takes a third of the composition's time."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from autograd.ops.reductions import max
from autograd.ops.rows import Fused
from autograd.ops.shapes import shape_of
from autograd.ops.windows import Whole, _cuts, _fixed, _places, sliding_window_view

max_pool: Fused = Fused(
    "max_pool",
    lambda x, window_shape=2, axis=None, stride=None, dilation=1: _composed(x, window_shape, axis, stride, dilation),
    lambda x, window_shape=2, axis=None, stride=None, dilation=1: _largest(x, window_shape, axis, stride, dilation),
    lambda g, out, x, window_shape=2, axis=None, stride=None, dilation=1: _shared(
        g, out, x, window_shape, axis, stride, dilation
    ),
    reads=((0,),),
    params=("window_shape", "axis", "stride", "dilation"),
    canonical=lambda x, window_shape=2, axis=None, stride=None, dilation=1: _fixed(
        shape_of(x), window_shape, axis, stride, dilation
    ),
    doc="Largest element of each window, see sliding_window_view. Windows do not overlap, unless a stride is given.",
    example="max_pool([[1.0, 2.0], [4.0, 3.0]]).tolist() = [[4.0]]",
)


def _composed(x: Any, window_shape: Any, axis: Any, stride: Any, dilation: Any) -> Any:
    windows = sliding_window_view(x, window_shape, axis, stride, dilation)
    ndim = len(shape_of(x))
    return max(windows, axis=tuple(range(ndim, len(shape_of(windows)))))


def _largest(x: Any, window_shape: Whole, axis: Whole, stride: Whole, dilation: Whole) -> Any:
    """Whole arrays are compared: all first elements of windows with all second ones, and so on."""
    shape = (*_places(x.shape, window_shape, axis, stride, dilation), *window_shape)
    return reduce(np.maximum, [x[index] for _, index in _cuts(shape, x.ndim, axis, stride, dilation)])


def _shared(g: Any, out: Any, x: Any, window_shape: Whole, axis: Whole, stride: Whole, dilation: Whole) -> Any:
    """The cotangent goes to the largest element. Equal ones share it evenly."""
    places = [index for _, index in _cuts((*out.shape, *window_shape), x.ndim, axis, stride, dilation)]
    hits = [x[index] == out for index in places]
    count = reduce(np.add, hits, np.zeros(out.shape, np.min_scalar_type(len(hits))))
    if (count != 1).any():
        with np.errstate(all="ignore"):  # a nan equals nothing
            g = np.asarray(g / count, x.dtype)
    total = np.zeros_like(x)
    for hit, index in zip(hits, places, strict=True):
        total[index] += hit * g
    return total
