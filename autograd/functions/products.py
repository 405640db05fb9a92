"""NumPy's functions that are sums of products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.choosing import diagonal
from autograd.functions.table import in_dtype, joined, means
from autograd.ops.kernels import LETTERS
from autograd.ops.shapes import normalize_axis, shape_of


@means(np.dot)
def dot(a: Any, b: Any) -> Any:
    """`numpy.dot`."""
    return ops.dot(joined(a), joined(b))


@means(np.inner)
def inner(a: Any, b: Any) -> Any:
    """`numpy.inner`: summed over the last axes of both."""
    a, b = joined(a), joined(b)
    if shape_of(a) == () or shape_of(b) == ():
        return ops.mul(a, b)
    return tensordot(a, b, axes=((-1,), (-1,)))


@means(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """`numpy.vdot`: the inner product of both arrays flattened."""
    return ops.matmul(ops.reshape(joined(a), (-1,)), ops.reshape(joined(b), (-1,)))


@means(np.outer)
def outer(a: Any, b: Any) -> Any:
    """`numpy.outer`."""
    return ops.outer(joined(a), joined(b))


if hasattr(np.linalg, "outer"):

    @means(np.linalg.outer)
    def _outer(x1: Any, x2: Any) -> Any:
        return ops.outer(x1, x2)


@means(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """`numpy.tensordot`: summed over the last axes of `a` and the first of `b`, or over the axes given."""
    a, b = joined(a), joined(b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if np.ndim(axes) == 0:
        count = int(axes)
        of_a, of_b = tuple(range(m - count, m)), tuple(range(count))
    else:
        of_a, of_b = normalize_axis(axes[0], m), normalize_axis(axes[1], n)
    lengths = [tuple(shape_of(x)[i] for i in given) for x, given in ((a, of_a), (b, of_b))]
    if lengths[0] != lengths[1]:
        raise ValueError(f"numpy.tensordot of shapes {shape_of(a)} and {shape_of(b)} along {axes}: lengths differ")
    rest_a = tuple(i for i in range(m) if i not in of_a)
    rest_b = tuple(i for i in range(n) if i not in of_b)
    shape = tuple(shape_of(a)[i] for i in rest_a) + tuple(shape_of(b)[i] for i in rest_b)
    k = math.prod(lengths[0])
    rows = ops.reshape(ops.transpose(a, (*rest_a, *of_a)), (math.prod(shape_of(a)[i] for i in rest_a), k))
    columns = ops.reshape(ops.transpose(b, (*of_b, *rest_b)), (k, math.prod(shape_of(b)[i] for i in rest_b)))
    return ops.reshape(ops.matmul(rows, columns), shape)


if hasattr(np.linalg, "tensordot"):

    @means(np.linalg.tensordot)
    def _tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
        return tensordot(x1, x2, axes)


if hasattr(np.linalg, "matmul"):

    @means(np.linalg.matmul)
    def _matmul(x1: Any, x2: Any) -> Any:
        return ops.matmul(x1, x2)


if hasattr(np.linalg, "vecdot"):

    @means(np.linalg.vecdot)
    def _vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
        return ops.sum(ops.mul(x1, x2), axis=axis)


@means(np.einsum)
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """`numpy.einsum`, in both of its forms. `optimize` is accepted; it would change only the order of the products."""
    if operands and isinstance(operands[0], str):
        return ops.einsum(operands[0], *map(joined, operands[1:]))
    if len(operands) < 2:
        raise ValueError("numpy.einsum takes subscripts and operands")
    arrays = [joined(x) for x in operands[: len(operands) // 2 * 2 : 2]]
    terms = [_letters(x) for x in operands[1::2]]
    result = "->" + _letters(operands[-1]) if len(operands) % 2 else ""
    return ops.einsum(",".join(terms) + result, *arrays)


def _letters(sublist: Sequence[Any]) -> str:
    """A term of einsum's second form (a list of ints) as letters."""
    return "".join("..." if i is Ellipsis else LETTERS[i] for i in sublist)


@means(np.kron)
def kron(a: Any, b: Any) -> Any:
    """`numpy.kron`: every element of `a` times the whole of `b`, block by block."""
    a, b = joined(a), joined(b)
    ndim = max(len(shape_of(a)), len(shape_of(b)))
    shapes = [(1,) * (ndim - len(shape_of(x))) + tuple(shape_of(x)) for x in (a, b)]
    spread_a = ops.reshape(a, tuple(n for m in shapes[0] for n in (m, 1)))
    spread_b = ops.reshape(b, tuple(n for m in shapes[1] for n in (1, m)))
    return ops.reshape(ops.mul(spread_a, spread_b), tuple(m * n for m, n in zip(*shapes, strict=True)))


@means(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """`numpy.cross` of vectors of 3 numbers, or of 2, where the third is 0."""
    a, b = joined(a), joined(b)
    if axis is not None:
        axisa = axisb = axisc = axis
    parts = []
    for x, i in ((a, axisa), (b, axisb)):
        (i,) = normalize_axis(i, len(shape_of(x)))
        n = shape_of(x)[i]
        if n not in (2, 3):
            raise ValueError(f"numpy.cross takes vectors of 2 or 3 numbers, got {n} in shape {shape_of(x)}")
        parts.append([ops.getitem(x, (*(slice(None),) * i, j)) for j in range(n)] + [None] * (3 - n))
    (a1, a2, a3), (b1, b2, b3) = parts
    last = a1 * b2 - a2 * b1
    if a3 is None and b3 is None:
        return last
    first = (a2 * b3 if b3 is not None else 0.0) - (a3 * b2 if a3 is not None else 0.0)
    second = (a3 * b1 if a3 is not None else 0.0) - (a1 * b3 if b3 is not None else 0.0)
    return ops.stack([first, second, last], axis=axisc)


if hasattr(np.linalg, "cross"):

    @means(np.linalg.cross)
    def _cross(x1: Any, x2: Any, axis: int = -1) -> Any:
        return cross(x1, x2, axis=axis)


@means(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """`numpy.convolve` of two vectors."""
    a, v = ops.reshape(joined(a), (-1,)), ops.reshape(joined(v), (-1,))
    n, m = shape_of(a)[0], shape_of(v)[0]
    if not n or not m:
        raise ValueError("numpy.convolve takes vectors of 1 number or more")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"numpy.convolve has the modes full, same and valid, not {mode!r}")
    if m > n:
        a, v, n, m = v, a, m, n
    padded = ops.pad(a, (m - 1, m - 1))
    windows = np.arange(n + m - 1)[:, None] + np.arange(m)[::-1]
    whole = ops.matmul(ops.getitem(padded, windows), v)
    start, stop = {"full": (0, n + m - 1), "same": ((m - 1) // 2, (m - 1) // 2 + n), "valid": (m - 1, n)}[mode]
    return ops.getitem(whole, slice(start, stop))


@means(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """`numpy.trace`."""
    return in_dtype(ops.sum(diagonal(a, offset, axis1, axis2), axis=-1), dtype, "trace")


if hasattr(np.linalg, "trace"):

    @means(np.linalg.trace)
    def _trace(x: Any, offset: int = 0, dtype: Any = None) -> Any:
        return trace(x, offset, -2, -1, dtype)


@means(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
    aweights: Any = None,
) -> Any:  # fmt: skip
    """`numpy.cov`, without weights."""
    if fweights is not None or aweights is not None:
        raise TypeError("numpy.cov of a Tensor does not take fweights= or aweights=: weight the samples yourself")
    x = joined(m)
    x = ops.reshape(x, (1, -1)) if len(shape_of(x)) < 2 else x
    x = x if rowvar or shape_of(x)[0] == 1 else ops.transpose(x)
    if y is not None:
        other = joined(y)
        other = ops.reshape(other, (1, -1)) if len(shape_of(other)) < 2 else other
        other = other if rowvar or shape_of(other)[0] == 1 else ops.transpose(other)
        x = ops.concatenate([x, other], 0)
    n = shape_of(x)[1] - ((0 if bias else 1) if ddof is None else ddof)
    centred = x - ops.mean(x, axis=1, keepdims=True)
    out = ops.matmul(centred, ops.transpose(centred)) / (n if n > 0 else math.nan)
    return ops.reshape(out, ()) if shape_of(out) == (1, 1) else out


@means(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """`numpy.corrcoef`."""
    c = cov(x, y, rowvar)
    if shape_of(c) == ():
        return c / c
    d = ops.sqrt(ops.einsum("ii->i", c))
    return ops.clip(c / ops.reshape(d, (-1, 1)) / d, -1.0, 1.0)


@means(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """`numpy.polyval`, by Horner's rule; differentiable in the coefficients too."""
    p, x = joined(p), joined(x)
    out = ops.mul(x, 0.0) if shape_of(p)[0] == 0 else ops.getitem(p, 0) + ops.mul(x, 0.0)
    for k in range(1, shape_of(p)[0]):
        out = out * x + ops.getitem(p, k)
    return out
