"""NumPy code for rows whose value takes more than one NumPy call, and index arithmetic for transposes.

These functions work on plain arrays. None of them computes a derivative.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd.engine.saved import fixed
from autograd.ops.shapes import normalize_axis
from autograd.ops.traced import Length, Rule, Traced

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The letters that einsum accepts. `dot` uses them too."""


def of_one_dtype(formula: Rule) -> Rule:
    """A formula whose Python floats are first converted to the dtype of its arrays.

    NumPy does this only inside one operation of a number and an array. ``np.expm1(0.5)`` alone is float64, and would
    then widen a float32 array.
    """

    def typed(*operands: Any) -> Any:
        arrays = [x for x in operands if isinstance(x, (np.ndarray, np.generic))]
        if not arrays or len(arrays) == len(operands):
            return formula(*operands)
        dtype = np.result_type(*arrays)
        return formula(*[np.asarray(x, dtype) if type(x) is float else x for x in operands])

    return typed


def clip(x: Any, low: Any, high: Any) -> Any:
    """As `numpy.clip`, but a Python number does not become an array of float64."""
    return np.clip(x, low, high) if isinstance(x, np.ndarray) else np.minimum(np.maximum(x, low), high)


def dsinc(n: Any, x: Any) -> Any:
    """The n-th derivative of sin(pi x) / (pi x), which is the integral of cos(pi x t) over t from 0 to 1.

    Near 0 the quotient loses all its digits. There the integral is computed instead, by Gauss's rule.
    """
    n, x = np.broadcast_arrays(n, x)
    out = np.full(x.shape, np.nan, x.dtype)
    with np.errstate(all="ignore"):  # infinite numbers and the branch not chosen would warn
        for order in np.intersect1d(n, range(64)):  # the orders that occur
            out[n == order] = _dsinc(int(order), x[n == order].astype(float))
    return out


def dsinc_of_numbers(n: float, x: float) -> float:
    """The same of two numbers."""
    return float(dsinc(float(n), float(x)))


@cache
def _nodes() -> list[tuple[float, float]]:
    """Nodes and weights of Gauss's rule from 0 to pi. The weights add up to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(48)
    return list(zip((np.pi * (nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


def _dsinc(n: int, x: Any) -> Any:
    turned = (np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t), np.sin)  # each the derivative of the one before
    near = np.zeros_like(x)
    for t, weight in _nodes():
        near += weight * t**n * turned[n % 4](t * x)
    whole = np.round(x)
    sign, turn = np.where(whole % 2, -1.0, 1.0), np.pi * (x - whole)  # pi * x itself is rounded
    far = sign * np.sin(turn) / (np.pi * x)
    for k in range(1, n + 1):  # the k-th derivative of x * sinc(x) = sin(pi x) / pi
        far = (np.pi ** (k - 1) * sign * turned[(k - 1) % 4](turn) - k * far) / x
    return np.where(np.abs(x) < max(n, 1), near, far)  # from there on no step makes an error larger


def relu(x: Any) -> Any:
    """The larger of each element and 0. NumPy is twice as fast with a row of zeros as with a single 0."""
    x = np.asarray(x)
    return np.maximum(x, np.zeros(x.shape[-1:], x.dtype))


def affine(x: Any, w: Any, b: Any) -> Any:
    """``x @ w + b``."""
    out = matmul(x, w)
    out += b
    return out


def rows(x: Any) -> Any:
    """All axes but the last merged into one: a matrix of rows."""
    return x if x.ndim == 2 else x.reshape(count(x, range(x.ndim - 1)), x.shape[-1])


def sum_of_outer_products(left: Any, right: Any) -> Any:
    """``left.T @ right`` of the rows of two arrays."""
    return matmul(rows(left).swapaxes(0, 1), rows(right))


def count(x: Any, axis: Sequence[int]) -> int:
    """The number of elements along these axes of `x` together."""
    return math.prod(x.shape[i] for i in axis)


def ratio(n: float, d: float) -> float:
    """``n / d``; nan unless d is positive."""
    return n / d if d > 0 else math.nan


def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    """As `numpy.mean`, without its warning for no elements."""
    n = count(x, normalize_axis(axis, x.ndim))
    return np.sum(x, axis, keepdims=keepdims) / (n or math.nan)


def var(x: Any, axis: Any, ddof: int, keepdims: bool) -> Any:
    """As `numpy.var`, without its warnings for too few elements."""
    n = count(x, normalize_axis(axis, x.ndim)) - ddof
    deviation = x - mean(x, axis, True)
    return np.sum(deviation * deviation, axis, keepdims=keepdims) / (n if n > 0 else math.nan)


def matmul(a: Any, b: Any) -> Any:
    """As `numpy.matmul`, but a batch of matrices times one matrix is one product of all their rows.

    That is faster. It is done only where it needs no copy.
    """
    if type(a) is not np.ndarray or type(b) is not np.ndarray or b.ndim != 2:
        return a @ b
    if a.ndim == 2:
        if 1 < len(a) <= 64 and b.size >= 1 << 16 and b.flags.f_contiguous:
            return b.T.dot(a.T).T.copy()  # for few rows times a large transpose, BLAS is twice as fast this way round
        return a.dot(b) if a.shape[1] == 1 else a @ b  # for a column times a row, `@` takes five times as long as dot
    if a.ndim > 2 and a.shape[-1] == len(b) and a.size and a.flags.c_contiguous:
        return a.reshape(-1, len(b)).dot(b).reshape(*a.shape[:-1], b.shape[1])
    return a @ b


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    """``log(sum(exp(x)))``. The largest element is subtracted first, so that nothing overflows."""
    if x.size == 0:
        return np.log(np.sum(np.exp(x), axis, keepdims=keepdims))
    top = np.max(x, axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    out = np.log(np.sum(np.exp(x - top), axis, keepdims=True)) + top
    return out if keepdims else out.reshape(np.max(x, axis).shape)


def fixed_shape(shape: Any) -> Any:
    """A shape as an int or an immutable tuple of ints. A length that is not known yet stays as it is."""
    if np.iterable(shape):
        return tuple([n if isinstance(n, (int, Length)) else operator.index(n) for n in shape])
    return shape if isinstance(shape, (int, Length)) else operator.index(shape)


def fixed_width(width: Any) -> Any:
    """The widths of a border as an int or nested tuples of ints."""
    return tuple([fixed_width(w) for w in width]) if np.iterable(width) else operator.index(width)


def fixed_index(index: Any) -> Any:
    """An index in a normal form that cannot change between recording and backward.

    Its parts are None, an ellipsis, slices, ints, bools and arrays. Anything that NumPy would convert to an array
    becomes one here: a list, a tuple inside the index, an `array.array`, a memoryview, a column of a data frame.
    Writable arrays are copied, since backward reads them again.

    >>> fixed_index(((0, 0), slice(None)))
    (array([0, 0]), slice(None, None, None))
    """
    return tuple([_fixed_part(part) for part in index]) if isinstance(index, tuple) else _fixed_part(index)


def _fixed_part(part: Any) -> Any:
    if part is None or part is Ellipsis or type(part) in (int, bool):
        return part
    if isinstance(part, slice):
        ends = (part.start, part.stop, part.step)
        return slice(*[x if x is None or isinstance(x, (int, Length)) else operator.index(x) for x in ends])
    if isinstance(part, Traced):
        if np.dtype(getattr(part, "dtype", float)).kind in "iub":  # traced whole numbers, as `vectorize` records them
            return part
        raise TypeError(f"a {type(part).__name__} is no index: index with whole numbers or bools, such as argmax gives")
    if type(part) is np.ndarray and part.ndim and part.dtype.kind in "iub" and fixed(part):
        return part
    if isinstance(part, np.bool_):
        return bool(part)
    if not isinstance(part, np.ndarray) and hasattr(part, "__index__"):
        return operator.index(part)
    array = np.array(part)
    if array.size == 0 and not isinstance(part, np.ndarray):  # NumPy gives an empty list the dtype float64
        array = array.astype(np.intp)
    if array.dtype.kind not in "iub":
        raise IndexError(f"an index holds whole numbers or bools, not {array.dtype}: {part!r:.60}")
    if array.ndim == 0 and array.dtype.kind != "b":
        return int(array)
    array.setflags(write=False)
    return array


def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with `x` added at an index (see `fixed_index`)."""
    out = np.zeros(shape, x.dtype)
    if may_repeat(index):
        np.add.at(out, index, x)
    else:
        out[index] = x
    return out


def add_at(total: Any, x: Any, index: Any) -> None:
    """Add `x` to the array `total` at an index (see `fixed_index`), in place."""
    x = np.asarray(x, total.dtype)
    if may_repeat(index):
        np.add.at(total, index, x)
    else:
        total[index] += x


def may_repeat(index: Any) -> bool:
    """Whether an index may name an element twice, as integer arrays can. Only then the slower `np.add.at` is needed."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in parts)


def einsum_terms(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with every ellipsis written as letters."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    spare = [c for c in LETTERS if c not in subscripts]
    widths = [n - len(term.replace("...", "")) for term, n in zip(terms, ndims, strict=True) if "..." in term]
    dots = spare[: max(widths, default=0)]
    if not arrow:
        letters = left.replace("...", "").replace(",", "")
        result = "..." * ("..." in left) + "".join(c for c in sorted(set(letters)) if letters.count(c) == 1)
    spelled: list[str] = []
    for term, n in zip(terms, ndims, strict=True):
        width = n - len(term.replace("...", ""))
        spelled.append(term.replace("...", "".join(dots[len(dots) - width :])))
    return spelled, result.replace("...", "".join(dots))


def inside(shape: Sequence[int], width: Any) -> tuple[slice, ...]:
    """The slices of a padded array that hold the original array."""
    pairs = np.broadcast_to(width, (len(shape), 2))
    return tuple(slice(int(a), int(a) + n) for n, (a, _) in zip(shape, pairs, strict=True))
