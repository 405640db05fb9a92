"""`numpy.linalg` on variables: norms of vectors and of matrices, and condition numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from autograd import ops
from autograd.functions.linalg.determinants import invert_or_nan
from autograd.functions.linalg.matrices import noise_of, order_of
from autograd.functions.linalg.singular import svdvals
from autograd.functions.table import joined, later, means, plain
from autograd.ops.rows import Reduction
from autograd.ops.shapes import normalize_axis, shape_of


def _p_norm_weight(out: Any, x: Any, axis: Any, ord: float) -> Any:
    """The derivative of the norm in each element. It is 0 at a zero vector, and for ``ord < 1`` where x is 0."""
    still = np.broadcast_to(ops.equal(out, 0), shape_of(x))
    if ord < 1:
        still = still | ops.equal(x, 0)
    size, whole = ops.where(still, 1, x), ops.where(ops.equal(out, 0), 1, out)
    if ord % 2 == 0:  # no absolute values are needed
        powers = ops.power(size, ord - 1)
    else:
        powers = ops.sign(size) * ops.power(ops.abs(size), ord - 1)
    return ops.where(still, 0, powers / ops.power(whole, ord - 1))


_p_norm = Reduction(
    "norm",
    lambda x, axis=None, ord=2.0, keepdims=False: (
        np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)  # as NumPy does
    ),
    _p_norm_weight,
    params=("ord",),
    doc="(sum of abs(x)**ord) ** (1 / ord) over the axes.",
)


def _vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """The norm of the elements along the axes, taken as one vector."""
    if ord is None or ord == 2:
        return ops.norm(x, axis=axis, keepdims=keepdims)
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order {ord!r} for vectors")
    if not math.prod(shape_of(x)):  # NumPy's number, or its error
        numbers = np.linalg.vector_norm(ops.detach(x), axis=axis, keepdims=keepdims, ord=ord)
        return ops.sum(x, axis=axis, keepdims=keepdims) + numbers
    if ord == math.inf:
        return ops.max(ops.abs(x), axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return ops.min(ops.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        numbers = ops.detach(x)
        count = ops.where(np.ones(numbers.shape, bool), (numbers != 0).astype(numbers.dtype), x)  # slope 0
        return ops.sum(count, axis=axis, keepdims=keepdims)
    if ord == 1:
        return ops.sum(ops.abs(x), axis=axis, keepdims=keepdims)
    return _p_norm(x, axis=axis, ord=float(ord), keepdims=keepdims)


def _lengths(x: Any) -> Any:
    """Singular values, for norms. A singular value of 0 is a kink, and gets slope 0, as `abs` does."""
    s = svdvals(x)
    numbers = ops.detach(s)
    return ops.where(numbers <= noise_of(s)[..., None], numbers, s)


def _matrix_norm(x: Any, ord: Any, axis: Sequence[int], keepdims: bool) -> Any:
    """The norm of the matrices along two axes."""
    rows, columns = axis
    shape = shape_of(x)
    if ord is None or ord in ("fro", "f"):
        return ops.norm(x, axis=tuple(axis), keepdims=keepdims)
    if ord not in (1, -1, 2, -2, math.inf, -math.inf, "nuc"):
        raise ValueError(f"Invalid norm order {ord!r:.60} for matrices")
    if not math.prod(shape):
        numbers = np.linalg.norm(ops.detach(x), ord, tuple(axis), keepdims)
        return ops.sum(x, axis=tuple(axis), keepdims=keepdims) + numbers
    if ord in (2, -2, "nuc"):
        rest = tuple(i for i in range(len(shape)) if i not in axis)
        reduction = {2: ops.max, -2: ops.min, "nuc": ops.sum}[ord]
        found = reduction(_lengths(ops.transpose(x, (*rest, rows, columns))), axis=-1)
    else:
        summed, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = ops.sum(ops.abs(x), axis=summed, keepdims=True)
        found = (ops.max if ord > 0 else ops.min)(sums, axis=(summed, chosen))
    return ops.expand_dims(found, tuple(axis)) if keepdims else found


@means(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.linalg.norm`, with every order of vectors and of matrices.

    The slope is 0 at a zero vector, and at kinks like that of `abs`. Elements that are equally large share the slope of
    a maximum.
    """
    x, ord = joined(x), plain(ord)
    ndim = len(shape_of(x))
    if axis is None and (ord is None or (ord in ("f", "fro") and ndim == 2) or (ord == 2 and ndim == 1)):
        return ops.norm(x, keepdims=keepdims)
    if axis is not None and not isinstance(axis, tuple):
        try:
            axis = int(axis)
        except TypeError as error:
            raise TypeError("'axis' must be None, an integer or a tuple of integers") from error
    axes = normalize_axis(axis, ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, bool(keepdims))
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, bool(keepdims))
    raise ValueError(f"Improper number of dimensions to norm: {len(axes)} axes of shape {shape_of(x)}, not 1 or 2")


@means(*later("vector_norm", np.linalg))
def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """`numpy.linalg.vector_norm`: of all elements along the axes together, all axes by default; see `norm`."""
    x = joined(x)
    return _vector_norm(x, plain(ord), normalize_axis(axis, len(shape_of(x))), bool(keepdims))


@means(*later("matrix_norm", np.linalg))
def matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    """`numpy.linalg.matrix_norm`: of matrices, the last two axes; see `norm`."""
    return norm(x, ord, (-2, -1), keepdims)


@means(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """`numpy.linalg.cond`: how much larger relative errors can become in solving; inf for singular matrices."""
    x, p = joined(x), plain(p)
    if 0 in shape_of(x)[-2:]:
        raise LinAlgError("cond is not defined on empty arrays")
    if p is None or p in (2, -2):
        s = svdvals(x)
        largest, smallest = ops.getitem(s, (..., 0)), ops.getitem(s, (..., -1))
        found = smallest / largest if p == -2 else largest / smallest
    else:
        order_of(x, "cond")
        found = norm(x, p, (-2, -1)) * norm(invert_or_nan(x), p, (-2, -1))
    numbers = ops.detach(found)
    return ops.where(np.isnan(numbers) & ~np.isnan(ops.detach(x)).any((-2, -1)), math.inf, found)
