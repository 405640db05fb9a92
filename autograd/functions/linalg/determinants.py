"""`numpy.linalg` on variables: determinants, whose derivatives are right for singular matrices too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.linalg.matrices import is_singular, per_matrix, transposed, unit_matrix
from autograd.functions.linalg.solving import invert
from autograd.functions.table import joined, means
from autograd.ops.rows import General
from autograd.ops.shapes import shape_of

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


def _cofactors(a: Any) -> Any:
    """The derivative of the determinant: for each element, the signed determinant without its row and its column.

    The formula is ``det(a) * inv(a).T``. It is inaccurate for matrices that are singular or nearly so, and more so at
    higher orders. There, the directions of small singular values are split off (see `_by_blocks`).
    """
    n = shape_of(a)[-1]
    if n <= 3 or not math.prod(shape_of(a)):
        return _by_minors(a)
    stack = ops.reshape(a, (-1, n, n))
    numbers = ops.detach(stack)
    finite = np.isfinite(numbers).all((-2, -1))
    if not finite.all():
        numbers = np.where(per_matrix(finite), numbers, unit_matrix(stack))
        stack = ops.where(per_matrix(finite), stack, math.nan)
    u, s, vh = np.linalg.svd(numbers)
    small = (s <= np.finfo(s.dtype).eps ** 0.25 * s[:, :1]).sum(-1)
    chosen = [np.flatnonzero(small == k) for k in np.unique(small)]
    parts = [_by_blocks(ops.getitem(stack, i), u[i], vh[i], int(small[i[0]])) for i in chosen]
    whole = parts[0] if len(parts) == 1 else ops.getitem(ops.concatenate(parts), np.argsort(np.concatenate(chosen)))
    return ops.reshape(whole, shape_of(a))


def _by_blocks(a: Any, u: Any, vh: Any, k: int) -> Any:
    """Cofactors of a stack whose k smallest singular values are small; `u` and `vh` are the singular vectors.

    In the basis of these vectors, ``a`` has a block ``w`` of the large singular values and a block of the small ones.
    Its determinant is that of ``w`` times that of the small block's Schur complement. Each factor is differentiated by
    itself, so nothing is divided by 0, at any order.
    """
    n = shape_of(a)[-1]
    if k == 0:
        return per_matrix(_det(a)) * transposed(invert(a))
    if k == n:
        return _by_minors(a)
    b = transposed(u) @ a @ transposed(vh)
    first, last = slice(None, n - k), slice(n - k, None)
    w, below = ops.getitem(b, (..., first, first)), ops.getitem(b, (..., last, first))
    inverse = invert(w)
    left, above = below @ inverse, inverse @ ops.getitem(b, (..., first, last))
    complement = ops.getitem(b, (..., last, last)) - below @ above
    size = per_matrix(_det(w))
    c = size * _cofactors(complement)
    top = size * per_matrix(_det(complement)) * transposed(inverse) + transposed(left) @ c @ transposed(above)
    whole = ops.concatenate(
        [
            ops.concatenate([top, -(transposed(left) @ c)], axis=-1),
            ops.concatenate([-(c @ transposed(above)), c], axis=-1),
        ],
        axis=-2,
    )
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vh)).astype(u.dtype)
    return per_matrix(sign) * (u @ whole @ vh)


def _by_minors(a: Any) -> Any:
    """Cofactors by their definition."""
    n = shape_of(a)[-1]
    if not n:
        return a
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, n - 1)
    minors = ops.getitem(a, (..., others[:, None, :, None], others[None, :, None, :]))
    sign = 1 - 2 * (np.add.outer(np.arange(n), np.arange(n)) % 2)
    return _det(minors) * sign.astype(a.dtype)


def invert_or_nan(a: Any) -> Any:
    """Inverses; nan where there is none."""
    singular = is_singular(a)
    if not singular.any():
        return invert(a)
    return ops.where(per_matrix(singular), math.nan, invert(ops.where(per_matrix(singular), unit_matrix(a), a)))


_det = General(
    "det",
    np.linalg.det,
    lambda g, out, a: per_matrix(g) * _cofactors(a),
    lambda tangents, out, a: ops.sum(tangents[0] * _cofactors(a), axis=(-2, -1)),
    doc="Determinant of square matrices.",
)
_logabsdet = General(
    "slogdet",
    lambda a: np.linalg.slogdet(a)[1],
    lambda g, out, a: per_matrix(g) * transposed(invert_or_nan(a)),
    lambda tangents, out, a: ops.sum(tangents[0] * transposed(invert_or_nan(a)), axis=(-2, -1)),
    doc="Logarithm of the magnitude of the determinant of square matrices.",
)


@means(np.linalg.det)
def det(a: Any) -> Any:
    """`numpy.linalg.det`. Its derivatives are right for singular matrices too, at every order."""
    return _det(joined(a))


@means(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """`numpy.linalg.slogdet`: the sign is constant; the logarithm of a singular matrix's determinant has slope nan."""
    a = joined(a)
    return SlogdetResult(np.linalg.slogdet(ops.detach(a))[0], _logabsdet(a))
