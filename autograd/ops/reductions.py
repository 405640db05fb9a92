"""Reductions: many numbers in, one number out. A row gives each element's weight: the result's derivative by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops import kernels
from autograd.ops.elementwise import detach, equal, where
from autograd.ops.moves import concatenate, flip, transpose
from autograd.ops.rows import Reduction

# fmt: off
sum = Reduction(
    "sum", np.sum, lambda out, x, axis: 1,
    reads=False, doc="Sum over the axes; 0 for no elements.", example="sum([1.0, 2.0]) = 3.0",
)
mean = Reduction(
    "mean", lambda x, axis=None, keepdims=False: kernels.mean(x, axis, keepdims),
    lambda out, x, axis: kernels.ratio(1, kernels.count(x, axis)),
    reads=False, doc="Mean over the axes; nan for no elements.", example="mean([1.0, 2.0]) = 1.5",
)
max = Reduction(
    "max", np.max, lambda out, x, axis: _share(equal(x, out), axis),
    doc="Largest element, nan if one is nan; ties share the gradient evenly.", example="max([1.0, 2.0]) = 2.0",
)
min = Reduction(
    "min", np.min, lambda out, x, axis: _share(equal(x, out), axis),
    doc="Smallest element, nan if one is nan; ties share the gradient evenly.", example="min([1.0, 2.0]) = 1.0",
)
prod = Reduction(
    "prod", np.prod, lambda out, x, axis: _product_of_others(x, axis),
    doc="Product over the axes; 1 for no elements.", example="prod([2.0, 3.0]) = 6.0",
)
var = Reduction(
    "var", lambda x, axis=None, ddof=0, keepdims=False: kernels.var(x, axis, ddof, keepdims),
    lambda out, x, axis, ddof=0: (x - mean(x, axis, keepdims=True)) * kernels.ratio(2, kernels.count(x, axis) - ddof),
    params=("ddof",),
    doc="Variance: of the population (ddof=0), or estimated from a sample (ddof=1).", example="var([1.0, 3.0]) = 1.0",
)
std = Reduction(
    "std", lambda x, axis=None, ddof=0, keepdims=False: np.sqrt(kernels.var(x, axis, ddof, keepdims)),
    lambda out, x, axis, ddof=0: (
        (x - mean(x, axis, keepdims=True))
        / where(equal(out, 0), 1, out)
        * kernels.ratio(1, kernels.count(x, axis) - ddof)
    ),
    params=("ddof",), doc="Standard deviation; slope 0 where all are equal.", example="std([1.0, 3.0]) = 1.0",
)
norm = Reduction(
    "norm", lambda x, axis=None, keepdims=False: np.sqrt(np.sum(x * x, axis, keepdims=keepdims)),
    lambda out, x, axis: x / where(equal(out, 0), 1, out),
    doc="Euclidean length over the axes; slope 0 at the zero vector.", example="norm([3.0, 4.0]) = 5.0",
)


def _share(hit: Any, axis: Any) -> Any:
    """1, shared evenly among the elements where `hit` is true."""
    return hit / hit.sum(axis=axis, keepdims=True)


def _product_of_others(x: Any, axis: Sequence[int]) -> Any:
    """For each element the product of all others. ``out / x`` would be wrong where an element is 0.

    It is the product of all elements before, times the product of all after. Both are prefix products, computed by
    doubling (Hillis and Steele, 1986).
    """
    axes = tuple(axis)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    front = transpose(x, (*rest, *axes))
    flat = front.reshape((*front.shape[: len(rest)], -1))
    n = flat.shape[-1]

    def before(lane: Any) -> Any:
        one = np.ones_like(detach(lane[..., :1]))
        lane = concatenate([one, lane[..., : n - 1]], axis=-1)
        step = 1
        while step < n:
            lane = lane * concatenate([np.ones_like(detach(lane[..., :step])), lane[..., : n - step]], axis=-1)
            step *= 2
        return lane

    if n == 0:
        return x
    others = before(flat) * flip(before(flip(flat, -1)), -1)
    order = np.argsort((*rest, *axes))
    return transpose(others.reshape(front.shape), tuple(int(i) for i in order))


# fmt: on
