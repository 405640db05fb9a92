"""Products of arrays: `matmul`, `einsum`, `dot`, `outer`, and `linear`, a matrix product plus a bias."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops import kernels
from autograd.ops.elementwise import detach, mul
from autograd.ops.moves import reshape
from autograd.ops.rows import Fused, Linear
from autograd.ops.shapes import unbroadcast
from autograd.ops.traced import Traced


def _matmul_left(g: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return _column(g) * b if a.ndim > 1 else g * b
    if a.ndim == 1:
        return unbroadcast((_row(g) @ b.swapaxes(-1, -2))[..., 0, :], a)
    return g @ b.swapaxes(-1, -2)


def _matmul_right(g: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return _column(a) * _row(g) if b.ndim > 1 else g * a
    if b.ndim == 1:
        return kernels.rows(a).swapaxes(0, 1) @ g.reshape(-1)
    if b.ndim == 2:  # one product over all rows is faster than one a matrix of the batch and their sum
        return kernels.sum_of_outer_products(a, g)
    return a.swapaxes(-1, -2) @ g


def _row(x: Any) -> Any:
    return x[..., None, :]


def _column(x: Any) -> Any:
    return x[..., None]


matmul = Linear(
    "matmul",
    kernels.matmul,
    _matmul_left,
    _matmul_right,
    reads=True,
    infix="@",
    doc="Matrix product of (…, n, k) and (…, k, m). Batches broadcast; a 1-D operand is a row or a column.",
    example="matmul([1.0, 2.0], [3.0, 4.0]) = 11.0",
)


def _einsum_transpose(i: int, g: Any, *operands: Any, subscripts: str) -> Any:
    """The cotangent of operand i is itself one einsum.

    A letter that only this operand has was summed, and so was one that the others have with length 1. A vector of ones
    spreads the cotangent over it. A letter that the operand has twice took a diagonal. An identity matrix puts the
    cotangent back on that diagonal.
    """
    terms, result = kernels.einsum_terms(subscripts, [x.ndim for x in operands])
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            sizes[letter] = builtins.max(sizes.get(letter, 1), n) if n else 0
    dtype = detach(operands[i]).dtype
    others = [(terms[j], operands[j]) for j in range(len(operands)) if j != i]
    known = set(result)  # the letters whose axis already has its full length in some input of the new einsum
    known.update(letter for term, x in others for letter, n in zip(term, x.shape, strict=True) if n == sizes[letter])
    target, extras = "", []
    for letter in terms[i]:
        if letter in target:
            fresh = next(c for c in kernels.LETTERS if c not in sizes)
            sizes[fresh] = sizes[letter]
            extras.append((letter + fresh, np.eye(sizes[letter], dtype=dtype)))
            target += fresh
        else:
            if letter not in known:
                extras.append((letter, np.ones(sizes[letter], dtype=dtype)))
            target += letter
    inputs = [(result, g), *others, *extras]
    formula = ",".join(term for term, _ in inputs) + "->" + target
    return _einsum(*(x for _, x in inputs), subscripts=formula)


_einsum = Linear(
    "einsum",
    lambda *arrays, subscripts: np.einsum(subscripts, *arrays, optimize=len(arrays) > 1),
    _einsum_transpose,
    arity=-1,
    params=("subscripts",),
    reads=True,
    doc="Einstein summation.",
)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Einstein summation as in `numpy.einsum`: ``'ij,jk->ik'``. Ellipses and repeated letters work.

    >>> einsum("i,j->ij", np.array([1.0, 2.0]), np.array([3.0]))
    array([[3.],
           [6.]])
    """
    operands = tuple(x if isinstance(x, Traced) else np.asarray(x) for x in operands)
    if (n := subscripts.partition("->")[0].count(",") + 1) != len(operands):
        raise ValueError(f"einsum {subscripts!r} names {n} operands, got {len(operands)}")
    return _einsum(*operands, subscripts=subscripts)


_dot = Linear(
    "dot",
    lambda *items: math.fsum(x * y for x, y in _pairs(items)) + (items[-1] if len(items) % 2 else 0.0),
    lambda i, g, *items: g * items[j] if (j := _partner(i, len(items))) is not None else g,
    arity=-1,
    reads=True,
    doc="Sum of products of scalars: n factors, their n partners, and an optional bias.",
)


def _pairs(items: Sequence[Any]) -> Any:
    n = len(items) // 2
    return zip(items[:n], items[n : 2 * n], strict=True)


def _partner(i: int, count: int) -> int | None:
    n = count // 2
    return None if i == 2 * n else (i + n) % (2 * n)


def dot(x: Any, y: Any, bias: Any = None) -> Any:
    """Sum of products, plus a bias. Two sequences of Values give one n-ary node; arrays work as in `numpy.dot`.

    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    """
    sequences = [side for side in (x, y) if isinstance(side, (list, tuple))]
    kinds = {kind for side in sequences for kind in set(map(type, side)) if issubclass(kind, Traced)}
    if kinds:
        kinds |= {type(bias)} if isinstance(bias, Traced) else set()
        return builtins.max(kinds, key=lambda kind: kind._priority)._dot(x, y, bias)  # type: ignore[attr-defined]
    if isinstance(x, (list, tuple)) and isinstance(y, (list, tuple)):
        x, y = np.asarray(x), np.asarray(y)
        out = float(x @ y) if x.ndim == y.ndim == 1 else x @ y
    elif np.ndim(detach(x)) == 0 or np.ndim(detach(y)) == 0:
        out = mul(x, y)
    elif np.ndim(detach(y)) <= 2:
        out = matmul(x, y)
    else:
        k = kernels.LETTERS[: np.ndim(detach(y))]
        out = einsum(f"...Z,{k[:-2]}Z{k[-1]}->...{k[:-2]}{k[-1]}", x, y)
    return out if bias is None else out + bias


def outer(x: Any, y: Any) -> Any:
    """Every element of one times every element of the other, shape (x.size, y.size).

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    return mul(reshape(x, (-1, 1)), reshape(y, (1, -1)))


linear = Fused(
    "linear",
    lambda x, w, b: matmul(x, w) + b,
    kernels.affine,
    lambda g, out, x, w, b: kernels.matmul(g, w.T),
    lambda g, out, x, w, b: kernels.sum_of_outer_products(x, g),
    lambda g, out, x, w, b: kernels.rows(g).sum(axis=0),
    reads=((1,), (0,), ()),
    doc="x @ w + b: rows of x (…, n), weights (n, m), biases (m,).",
    example="linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).tolist() = [[11.5]]",
)
