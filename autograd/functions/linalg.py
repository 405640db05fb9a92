"""`numpy.linalg` on variables: solving, determinants, decompositions, norms.

Matrices are the last two axes; all axes before them are a stack. A row here states its value by NumPy and both of its
derivative products by formulas, which M. Giles, "An extended collection of matrix derivative results" (2008), derives
unless another source is named. An operation with several results packs them into one array.

What NumPy does not read has no derivative. `cholesky` and `eigh` read one triangle of a symmetric matrix, so an element
of it counts for its mirror image as well, and the other triangle has slope 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from autograd import ops
from autograd.functions.table import answers, joined, later, means, plain, refuse
from autograd.ops.rows import General, Reduction, Traced, normalize_axis, shape_of

EighResult = type(np.linalg.eigh(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
SlogdetResult = type(np.linalg.slogdet(np.eye(1)))

answers([np.linalg.matrix_rank])
refuse(
    [np.linalg.qr],
    "its factor r is numpy.linalg.cholesky(a.T @ a, upper=True), but for the signs of the rows, and q is a @ inv(r)",
)


def _turned(x: Any) -> Any:
    """The transposed matrices."""
    return ops.swapaxes(x, -1, -2)


def _column(x: Any) -> Any:
    """Vectors as matrices of one column."""
    return ops.expand_dims(x, -1)


def _row(x: Any) -> Any:
    """Vectors as matrices of one row."""
    return ops.expand_dims(x, -2)


def _spread(x: Any) -> Any:
    """A number for each matrix, beside the matrices."""
    return ops.expand_dims(x, (-2, -1))


def _identity(x: Any) -> Any:
    """The unit matrix, of as many rows and of the dtype of `x`."""
    return np.eye(shape_of(x)[-2], dtype=x.dtype)


def _square(a: Any, name: str) -> int:
    """The order of square matrices; LinAlgError for others."""
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise LinAlgError(f"numpy.linalg.{name} takes square matrices (..., n, n), got shape {shape}")
    return shape[-1]


def _is_singular(a: Any) -> Any:
    """Which of the matrices have no inverse."""
    return np.linalg.slogdet(ops.detach(a))[0] == 0


# --------------------------------------------------------------------------------------------------------- solving

_inv = General(
    "inv",
    np.linalg.inv,
    lambda g, out, a: -(_turned(out) @ g @ _turned(out)),
    lambda tangents, out, a: -(out @ tangents[0] @ out),
    doc="Inverse of square matrices.",
)


def _solve_pull(g: Any, out: Any, a: Any, b: Any) -> Any:
    c = _solve(_turned(a), g)
    return -(c @ _turned(out)), c


def _solve_push(tangents: Sequence[Any], out: Any, a: Any, b: Any) -> Any:
    da, db = tangents
    moved = None if da is None else -(da @ out)
    return _solve(a, moved if db is None else db if moved is None else moved + db)


_solve = General(
    "solve",
    np.linalg.solve,
    _solve_pull,
    _solve_push,
    arity=2,
    doc="The x of a @ x = b: matrices (…, n, n) and (…, n, k).",
)


@means(np.linalg.inv)
def inv(a: Any) -> Any:
    """`numpy.linalg.inv`; LinAlgError for singular matrices."""
    return _inv(joined(a))


@means(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """`numpy.linalg.solve`: a `b` of one dimension is a vector, any other holds matrices."""
    a, b = joined(a), joined(b)
    if len(shape_of(b)) == 1:
        return ops.getitem(_solve(a, _column(b)), (..., 0))
    return _solve(a, b)


@means(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """`numpy.linalg.tensorinv`: the inverse of the matrix whose rows are the first `ind` axes together."""
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = shape_of(a)
    rows = math.prod(shape[ind:])
    return ops.reshape(inv(ops.reshape(a, (rows, -1))), (*shape[ind:], *shape[:ind]))


@means(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """`numpy.linalg.tensorsolve`: the tensor whose product with `a`, over all its axes, is `b`."""
    a, b = joined(a), joined(b)
    ndim = len(shape_of(a))
    order = list(range(ndim))
    for i in axes or ():
        order.remove(i)
        order.append(i)
    a = ops.transpose(a, tuple(order))
    shape = shape_of(a)[-(ndim - len(shape_of(b))) :]
    n = math.prod(shape)
    if math.prod(shape_of(a)) != n * n:
        raise LinAlgError(f"numpy.linalg.tensorsolve of shapes {shape_of(a)} and {shape_of(b)}: no square system")
    return ops.reshape(solve(ops.reshape(a, (n, n)), ops.reshape(b, (-1,))), shape)


# ---------------------------------------------------------------------------------------------------- determinants


def _cofactors(a: Any) -> Any:
    """The derivative of the determinant: for each element the determinant of what is left without its row and column.

    ``det(a) * inv(a).T`` where that is accurate. It is not, and less so at every further order, for matrices that are
    singular or nearly so. There the directions of small singular values are split off (see `_by_blocks`).
    """
    n = shape_of(a)[-1]
    if n <= 3 or not math.prod(shape_of(a)):
        return _by_minors(a)
    stack = ops.reshape(a, (-1, n, n))
    numbers = ops.detach(stack)
    finite = np.isfinite(numbers).all((-2, -1))
    if not finite.all():
        numbers = np.where(_spread(finite), numbers, _identity(stack))
        stack = ops.where(_spread(finite), stack, math.nan)
    u, s, vh = np.linalg.svd(numbers)
    small = (s <= np.finfo(s.dtype).eps ** 0.25 * s[:, :1]).sum(-1)
    chosen = [np.flatnonzero(small == k) for k in np.unique(small)]
    parts = [_by_blocks(ops.getitem(stack, i), u[i], vh[i], int(small[i[0]])) for i in chosen]
    whole = parts[0] if len(parts) == 1 else ops.getitem(ops.concatenate(parts), np.argsort(np.concatenate(chosen)))
    return ops.reshape(whole, shape_of(a))


def _by_blocks(a: Any, u: Any, vh: Any, k: int) -> Any:
    """Cofactors of a stack whose k smallest singular values are small; `u` and `vh` are the singular vectors.

    In their basis ``a`` is a large block ``w`` and a small one. The determinant is that of w times that of the small
    block's Schur complement, and both factors are differentiated by themselves: no 0 is divided by, at any order.
    """
    n = shape_of(a)[-1]
    if k == 0:
        return _spread(_det(a)) * _turned(_inv(a))
    if k == n:
        return _by_minors(a)
    b = _turned(u) @ a @ _turned(vh)
    first, last = slice(None, n - k), slice(n - k, None)
    w, below = ops.getitem(b, (..., first, first)), ops.getitem(b, (..., last, first))
    inverse = _inv(w)
    left, above = below @ inverse, inverse @ ops.getitem(b, (..., first, last))
    complement = ops.getitem(b, (..., last, last)) - below @ above
    size = _spread(_det(w))
    c = size * _cofactors(complement)
    top = size * _spread(_det(complement)) * _turned(inverse) + _turned(left) @ c @ _turned(above)
    whole = ops.concatenate(
        [
            ops.concatenate([top, -(_turned(left) @ c)], axis=-1),
            ops.concatenate([-(c @ _turned(above)), c], axis=-1),
        ],
        axis=-2,
    )
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vh)).astype(u.dtype)
    return _spread(sign) * (u @ whole @ vh)


def _by_minors(a: Any) -> Any:
    """Cofactors by their definition."""
    n = shape_of(a)[-1]
    if not n:
        return a
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, n - 1)
    minors = ops.getitem(a, (..., others[:, None, :, None], others[None, :, None, :]))
    sign = 1 - 2 * (np.add.outer(np.arange(n), np.arange(n)) % 2)
    return _det(minors) * sign.astype(a.dtype)


def _inverse(a: Any) -> Any:
    """Inverses; nan where there is none."""
    singular = _is_singular(a)
    if not singular.any():
        return _inv(a)
    return ops.where(_spread(singular), math.nan, _inv(ops.where(_spread(singular), _identity(a), a)))


_det = General(
    "det",
    np.linalg.det,
    lambda g, out, a: _spread(g) * _cofactors(a),
    lambda tangents, out, a: ops.sum(tangents[0] * _cofactors(a), axis=(-2, -1)),
    doc="Determinant of square matrices.",
)
_logabsdet = General(
    "slogdet",
    lambda a: np.linalg.slogdet(a)[1],
    lambda g, out, a: _spread(g) * _turned(_inverse(a)),
    lambda tangents, out, a: ops.sum(tangents[0] * _turned(_inverse(a)), axis=(-2, -1)),
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


# ------------------------------------------------------------------------------------------------ symmetric matrices


def _mirrored(a: Any, upper: bool, name: str) -> Any:
    """The symmetric matrices that have the same lower, or upper, triangle."""
    read = np.tri(_square(a, name), dtype=bool)
    return ops.where(read.T if upper else read, a, _turned(a))


def _lower_half(x: Any) -> Any:
    """The lower triangle, with half of the diagonal."""
    return x * (np.tri(shape_of(x)[-1], dtype=x.dtype) - _identity(x) / 2)


def _cholesky_pull(g: Any, out: Any, a: Any, upper: bool) -> Any:
    """Murray, "Differentiation of the Cholesky decomposition" (2016), for symmetric matrices."""
    factor, g = (_turned(out), _turned(g)) if upper else (out, g)
    inverse = _inv(factor)
    return _turned(inverse) @ _lower_half(_turned(factor) @ g) @ inverse


def _cholesky_push(tangents: Sequence[Any], out: Any, a: Any, upper: bool) -> Any:
    factor = _turned(out) if upper else out
    inverse = _inv(factor)
    moved = factor @ _lower_half(inverse @ tangents[0] @ _turned(inverse))
    return _turned(moved) if upper else moved


_cholesky = General(
    "cholesky",
    lambda a, upper: np.linalg.cholesky(a, upper=upper),
    _cholesky_pull,
    _cholesky_push,
    params=("upper",),
    doc="The triangular factor of symmetric positive definite matrices.",
)


@means(np.linalg.cholesky)
def cholesky(a: Any, upper: bool = False) -> Any:
    """`numpy.linalg.cholesky`. It reads the lower triangle, or the upper: only that has a derivative."""
    return _cholesky(_mirrored(joined(a), bool(upper), "cholesky"), upper=bool(upper))


def _gaps(s: Any, sign: int = -1) -> Any:
    """``s[j] - s[i]`` at (i, j), or the sums with ``sign=1``; 1 on the diagonal.

    What is a rounding error is 0. So what would be a quotient of rounding errors becomes inf or nan.
    """
    gaps, noise = _row(s) + sign * _column(s), _noise(s)
    gaps = ops.where(np.abs(ops.detach(gaps)) <= noise[..., None, None], 0, gaps)
    return ops.where(np.eye(shape_of(s)[-1], dtype=bool), 1, gaps)


def _noise(s: Any) -> Any:
    """What rounding makes of an eigenvalue or a singular value of 0 beside these."""
    s = np.abs(ops.detach(s))
    return 4 * s.shape[-1] * np.finfo(s.dtype).eps * s.max(-1, initial=0)


def _between(x: Any, gaps: Any) -> Any:
    """Off the diagonal ``x / gaps``, on it 0."""
    return ops.where(np.eye(shape_of(x)[-1], dtype=bool), 0, x) / gaps


def _eigh_value(a: Any, UPLO: Any) -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    return np.concatenate([w[..., None, :], v], axis=-2)


def _eigh_parts(packed: Any) -> tuple[Any, Any]:
    return ops.getitem(packed, (..., 0, slice(None))), ops.getitem(packed, (..., slice(1, None), slice(None)))


def _eigh_pull(g: Any, out: Any, a: Any, UPLO: str) -> Any:
    (w, v), (gw, gv) = _eigh_parts(out), _eigh_parts(g)
    return (v @ _between(_turned(v) @ gv, _gaps(w)) + v * _row(gw)) @ _turned(v)


def _eigh_push(tangents: Sequence[Any], out: Any, a: Any, UPLO: str) -> Any:
    w, v = _eigh_parts(out)
    moved = tangents[0] @ v
    turning = v @ _between(_turned(v) @ moved, _gaps(w))
    return ops.concatenate([_row(ops.sum(v * moved, axis=-2)), turning], axis=-2)


_eigh = General(
    "eigh",
    _eigh_value,
    _eigh_pull,
    _eigh_push,
    params=("UPLO",),
    doc="Eigenvalues, a row of its own, above the eigenvectors of symmetric matrices.",
)


def _eigenvectors(a: Any, numbers: Any, UPLO: str) -> Any:
    """The eigenvectors of `a`, of which these are the numbers: variables if `a` is one."""
    return _eigh_parts(_eigh(a, UPLO=UPLO) if isinstance(a, Traced) else numbers)[1]


def _eigenvalues_pull(g: Any, out: Any, a: Any, numbers: Any, UPLO: str) -> Any:
    v = _eigenvectors(a, numbers, UPLO)
    return (v * _row(g)) @ _turned(v), numbers


def _eigenvalues_push(tangents: Sequence[Any], out: Any, a: Any, numbers: Any, UPLO: str) -> Any:
    v = _eigenvectors(a, numbers, UPLO)
    return ops.sum(v * (tangents[0] @ v), axis=-2)


# Their first derivatives divide by no gap, unlike those of the eigenvectors: so they have a row of their own.
_eigenvalues = General(
    "eigvalsh",
    lambda a, numbers, UPLO: _eigh_parts(numbers)[0],
    _eigenvalues_pull,
    _eigenvalues_push,
    arity=2,
    params=("UPLO",),
    doc="Eigenvalues of symmetric matrices, of which the decomposition is known.",
)


@means(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """`numpy.linalg.eigh`. It reads the lower triangle, or the upper: only that has a derivative.

    With equal eigenvalues the eigenvectors have no derivative: it is nan. The eigenvalues' first derivatives are
    finite, and right for symmetric functions of them; their second derivatives are nan.
    """
    a = _mirrored(joined(a), UPLO.upper() == "U", "eigh")
    packed = _eigh(a, UPLO=UPLO)
    w = _eigenvalues(a, ops.detach(packed), UPLO=UPLO)
    return EighResult(w, _eigh_parts(packed)[1])


@means(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """`numpy.linalg.eigvalsh`, as the eigenvalues of `eigh`."""
    a = _mirrored(joined(a), UPLO.upper() == "U", "eigvalsh")
    return _eigenvalues(a, _eigh(ops.detach(a), UPLO=UPLO), UPLO=UPLO)


# -------------------------------------------------------------------------------------------------- singular values


def _svd_value(a: Any, full: bool) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=full)
    return np.concatenate([np.swapaxes(u, -1, -2), s[..., None], vh], axis=-1)


def _svd_parts(packed: Any, m: int) -> tuple[Any, Any, Any]:
    """The left singular vectors, the singular values and the right singular vectors, transposed."""
    u = _turned(ops.getitem(packed, (..., slice(None, m))))
    return u, ops.getitem(packed, (..., m)), ops.getitem(packed, (..., slice(m + 1, None)))


def _svd_pull(g: Any, out: Any, a: Any, full: bool) -> Any:
    """Townsend, "Differentiating the singular value decomposition" (2016), with ``1 / (s_j² - s_i²)`` in two parts."""
    m, n = shape_of(a)[-2:]
    (u, s, vh), (gu, gs, gvh) = _svd_parts(out, m), _svd_parts(g, m)
    left, right = _turned(u) @ gu, vh @ _turned(gvh)
    even, odd = _between(left + right, _gaps(s)), _between(left - right, _gaps(s, 1))
    c = (u @ ((even + _turned(even) + odd - _turned(odd)) / 2) + u * _row(gs)) @ vh
    if m > n:
        c = c + ((gu - u @ left) / _row(_nonzero(s))) @ vh
    if n > m:
        c = c + u @ ((gvh - _turned(right) @ vh) / _column(_nonzero(s)))
    return c


def _svd_push(tangents: Sequence[Any], out: Any, a: Any, full: bool) -> Any:
    (t,), (m, n) = tangents, shape_of(a)[-2:]
    u, s, vh = _svd_parts(out, m)
    inner = _turned(u) @ t @ _turned(vh)
    even, odd = _between(inner + _turned(inner), _gaps(s)), _between(inner - _turned(inner), _gaps(s, 1))
    du, dvh = u @ ((even + odd) / 2), _turned((even - odd) / 2) @ vh
    if m > n:
        du = du + (t @ _turned(vh) - u @ inner) / _row(_nonzero(s))
    if n > m:
        dvh = dvh + (_turned(u) @ t - inner @ vh) / _column(_nonzero(s))
    ds = ops.sum(inner * np.eye(shape_of(s)[-1], dtype=inner.dtype), axis=-1)
    return ops.concatenate([_turned(du), _column(ds), dvh], axis=-1)


def _nonzero(s: Any) -> Any:
    """Singular values, with 0 for those that are rounding errors."""
    return ops.where(ops.detach(s) <= _noise(s)[..., None], 0, s)


_svd = General(
    "svd",
    _svd_value,
    _svd_pull,
    _svd_push,
    params=("full",),
    doc="Left singular vectors, a column of singular values and right singular vectors, side by side, one a row.",
)


def _singular_vectors(a: Any, numbers: Any) -> tuple[Any, Any]:
    """As `_eigenvectors`."""
    u, _, vh = _svd_parts(_svd(a, full=False) if isinstance(a, Traced) else numbers, shape_of(a)[-2])
    return u, vh


def _singular_values_pull(g: Any, out: Any, a: Any, numbers: Any) -> Any:
    u, vh = _singular_vectors(a, numbers)
    return (u * _row(g)) @ vh, numbers


def _singular_values_push(tangents: Sequence[Any], out: Any, a: Any, numbers: Any) -> Any:
    u, vh = _singular_vectors(a, numbers)
    return ops.sum(u * (tangents[0] @ _turned(vh)), axis=-2)


_singular_values = General(
    "svdvals",
    lambda a, numbers: _svd_parts(numbers, shape_of(a)[-2])[1],
    _singular_values_pull,
    _singular_values_push,
    arity=2,
    doc="Singular values of matrices, of which the decomposition is known.",
)


@means(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`numpy.linalg.svd`. TypeError for ``full_matrices=True``, the default, if the matrices are not square.

    With equal singular values the singular vectors have no derivative: it is nan, or inf. The singular values' first
    derivatives are finite, and right for symmetric functions of them; their second derivatives are not.
    """
    a = joined(a)
    if not compute_uv:
        return svdvals(a)
    shape = shape_of(a)
    if full_matrices and len(shape) >= 2 and shape[-1] != shape[-2]:
        raise TypeError(
            f"numpy.linalg.svd of a Tensor of shape {shape} does not take full_matrices=True: nothing determines the "
            "additional vectors, so they have no derivative; pass full_matrices=False"
        )
    packed = _svd(a, full=bool(full_matrices))
    u, _, vh = _svd_parts(packed, shape[-2])
    return SVDResult(u, _singular_values(a, ops.detach(packed)), vh)


@means(*later("svdvals", np.linalg))
def svdvals(x: Any) -> Any:
    """`numpy.linalg.svdvals`, as the singular values of `svd`."""
    x = joined(x)
    return _singular_values(x, _svd(ops.detach(x), full=False))


# ----------------------------------------------------------------------------------------------------- least squares


def _pinv_pull(g: Any, out: Any, a: Any, **given: Any) -> Any:
    """Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973)."""
    outside = _identity(a) - a @ out
    inside = _identity(out) - out @ a
    p, g = _turned(out), _turned(g)
    return outside @ g @ out @ p + p @ out @ g @ inside - p @ _turned(g) @ p


def _pinv_push(tangents: Sequence[Any], out: Any, a: Any, **given: Any) -> Any:
    outside = _identity(a) - a @ out
    inside = _identity(out) - out @ a
    p, t = _turned(out), _turned(tangents[0])
    return out @ p @ t @ outside + inside @ t @ p @ out - out @ tangents[0] @ out


_pinv = General(
    "pinv",
    np.linalg.pinv,
    _pinv_pull,
    _pinv_push,
    params=("rcond", "rtol"),
    doc="Pseudo-inverse of matrices, for changes that leave the rank as it is.",
)


@means(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, rtol: Any = ...) -> Any:
    """`numpy.linalg.pinv`. Its derivative is that among the matrices of the same rank."""
    given = {"rcond": rcond} if rtol is ... else {"rcond": rcond, "rtol": rtol}
    return _pinv(joined(a), **{key: None if x is None else np.array(plain(x)) for key, x in given.items()})


def _lstsq_pull(g: Any, out: Any, a: Any, b: Any, rcond: float) -> Any:
    """From the derivative of the pseudo-inverse."""
    p = _pinv(a, rtol=rcond)
    c = _turned(p) @ g
    inside = _identity(p) - p @ a
    residual = b - a @ out
    ga = residual @ _turned(p @ c) + _turned(p) @ out @ _turned(inside @ g) - c @ _turned(out)
    return ga, c


def _lstsq_push(tangents: Sequence[Any], out: Any, a: Any, b: Any, rcond: float) -> Any:
    da, db = tangents
    p = _pinv(a, rtol=rcond)
    if da is None:
        return p @ db
    moved = (0 if db is None else db) - da @ out
    inside = _identity(p) - p @ a
    return p @ (moved + _turned(p) @ (_turned(da) @ (b - a @ out))) + inside @ (_turned(da) @ (_turned(p) @ out))


_lstsq = General(
    "lstsq",
    lambda a, b, rcond: np.linalg.lstsq(a, b, rcond)[0],
    _lstsq_pull,
    _lstsq_push,
    arity=2,
    params=("rcond",),
    doc="The x that makes a @ x - b shortest, and the shortest of those: (m, n) and (m, k).",
)


@means(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """`numpy.linalg.lstsq`: the solution and the residuals are variables, the rank and the singular values numbers.

    The derivative is that among the matrices of the same rank.
    """
    a, b = joined(a), joined(b)
    x, residuals, rank, s = np.linalg.lstsq(ops.detach(a), ops.detach(b), rcond)
    if rcond is None:
        rcond = float(np.finfo(x.dtype).eps * max(shape_of(a)))
    elif rcond < 0:  # as LAPACK does
        rcond = float(np.finfo(float).eps)
    columns = _column(b) if len(shape_of(b)) == 1 else b
    found = _lstsq(a, columns, rcond=float(rcond))
    if residuals.size:
        residuals = ops.sum(ops.square(columns - a @ found), axis=0)
    return ops.reshape(found, x.shape), residuals, rank, s


# ---------------------------------------------------------------------------------------------------------- products


@means(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """`numpy.linalg.matrix_power`, by repeated squaring; of the inverse for negative `n`."""
    a = joined(a)
    _square(a, "matrix_power")
    try:
        n = n.__index__()
    except AttributeError as error:
        raise TypeError(f"numpy.linalg.matrix_power takes a whole number, got {n!r:.60}") from error
    if n == 0:
        return ops.where(np.ones(shape_of(a), bool), _identity(a), a)  # a variable that does not move with a
    if n < 0:
        a, n = inv(a), -n
    square, result = a, None
    while True:
        if n % 2:
            result = square if result is None else result @ square
        n //= 2
        if not n:
            return ops.identity(result) if result is a else result
        square = square @ square


@means(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Any:
    """`numpy.linalg.multi_dot`: the product of several matrices in the order that takes the fewest multiplications."""
    parts = [joined(x) for x in arrays]
    if len(parts) < 2:
        raise ValueError(f"numpy.linalg.multi_dot takes two arrays or more, got {len(parts)}")
    if len(parts) == 2:
        return ops.dot(parts[0], parts[1])
    vectors = [len(shape_of(parts[i])) == 1 for i in (0, -1)]
    parts[0] = _row(parts[0]) if vectors[0] else parts[0]
    parts[-1] = _column(parts[-1]) if vectors[1] else parts[-1]
    shapes = [shape_of(x) for x in parts]
    if any(len(shape) != 2 for shape in shapes):
        raise LinAlgError(f"numpy.linalg.multi_dot takes matrices, and vectors at the ends, got shapes {shapes}")
    result = _chain(parts, _cuts([*(shape[0] for shape in shapes), shapes[-1][1]]), 0, len(parts) - 1)
    if all(vectors):
        return ops.getitem(result, (0, 0))
    return ops.reshape(result, (-1,)) if any(vectors) else result


def _cuts(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to cut each stretch of a chain of matrices, by their sizes (Cormen et al., Algorithms, section 15.2)."""
    n = len(sizes) - 1
    costs = {(i, i): 0 for i in range(n)}
    cuts = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [(costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            costs[i, j], cuts[i, j] = min(options)
    return cuts


def _chain(parts: Sequence[Any], cuts: dict[tuple[int, int], int], i: int, j: int) -> Any:
    """The product of the matrices i to j."""
    if i == j:
        return parts[i]
    k = cuts[i, j]
    return ops.matmul(_chain(parts, cuts, i, k), _chain(parts, cuts, k + 1, j))


# ------------------------------------------------------------------------------------------------------------- norms


def _p_norm_weight(out: Any, x: Any, axis: Any, ord: float) -> Any:
    """How much of an element's change reaches the norm; 0 at a zero vector, and at a cusp as at that of `abs`."""
    still = np.broadcast_to(ops.equal(out, 0), shape_of(x))
    if ord < 1:
        still = still | ops.equal(x, 0)
    size, whole = ops.where(still, 1, x), ops.where(ops.equal(out, 0), 1, out)
    if ord % 2 == 0:  # a polynomial inside
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
    """The norm of all that is along the axes together."""
    if ord is None or ord == 2:
        return ops.norm(x, axis=axis, keepdims=keepdims)
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order {ord!r} for vectors")
    if not math.prod(shape_of(x)):  # NumPy's number, or its complaint
        numbers = np.linalg.vector_norm(ops.detach(x), axis=axis, keepdims=keepdims, ord=ord)
        return ops.sum(x, axis=axis, keepdims=keepdims) + numbers
    if ord == math.inf:
        return ops.max(ops.abs(x), axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return ops.min(ops.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        numbers = ops.detach(x)
        count = ops.where(np.ones(numbers.shape, bool), (numbers != 0).astype(numbers.dtype), x)  # it does not move
        return ops.sum(count, axis=axis, keepdims=keepdims)
    if ord == 1:
        return ops.sum(ops.abs(x), axis=axis, keepdims=keepdims)
    return _p_norm(x, axis=axis, ord=float(ord), keepdims=keepdims)


def _lengths(x: Any) -> Any:
    """Singular values, for norms: where one is 0 it has a kink, and slope 0 as `abs` has."""
    s = svdvals(x)
    numbers = ops.detach(s)
    return ops.where(numbers <= _noise(s)[..., None], numbers, s)


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
    """`numpy.linalg.norm`, every order of vectors and of matrices.

    At a zero vector, and at kinks as that of `abs`, the slope is 0. Equal largest elements share it.
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
        _square(x, "cond")
        found = norm(x, p, (-2, -1)) * norm(_inverse(x), p, (-2, -1))
    numbers = ops.detach(found)
    return ops.where(np.isnan(numbers) & ~np.isnan(ops.detach(x)).any((-2, -1)), math.inf, found)
