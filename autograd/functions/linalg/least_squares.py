"""`numpy.linalg` on variables: the pseudo-inverse, and the solution of least squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.linalg.matrices import as_column, transposed, unit_matrix
from autograd.functions.table import joined, means, plain
from autograd.ops.rows import General
from autograd.ops.shapes import shape_of


def _pinv_pull(g: Any, out: Any, a: Any, **given: Any) -> Any:
    """Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973)."""
    outside = unit_matrix(a) - a @ out
    inside = unit_matrix(out) - out @ a
    p, g = transposed(out), transposed(g)
    return outside @ g @ out @ p + p @ out @ g @ inside - p @ transposed(g) @ p


def _pinv_push(tangents: Sequence[Any], out: Any, a: Any, **given: Any) -> Any:
    outside = unit_matrix(a) - a @ out
    inside = unit_matrix(out) - out @ a
    p, t = transposed(out), transposed(tangents[0])
    return out @ p @ t @ outside + inside @ t @ p @ out - out @ tangents[0] @ out


_pinv = General(
    "pinv",
    np.linalg.pinv,
    _pinv_pull,
    _pinv_push,
    params=("rcond", "rtol"),
    doc="Pseudo-inverse of matrices. The derivative holds for changes that keep the rank.",
)


@means(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, rtol: Any = ...) -> Any:
    """`numpy.linalg.pinv`. The derivative holds for changes that keep the rank."""
    given = {"rcond": rcond} if rtol is ... else {"rcond": rcond, "rtol": rtol}
    return _pinv(joined(a), **{key: None if x is None else np.array(plain(x)) for key, x in given.items()})


def _lstsq_pull(g: Any, out: Any, a: Any, b: Any, rcond: float) -> Any:
    """Derived from the vjp of the pseudo-inverse."""
    p = _pinv(a, rtol=rcond)
    c = transposed(p) @ g
    inside = unit_matrix(p) - p @ a
    residual = b - a @ out
    ga = residual @ transposed(p @ c) + transposed(p) @ out @ transposed(inside @ g) - c @ transposed(out)
    return ga, c


def _lstsq_push(tangents: Sequence[Any], out: Any, a: Any, b: Any, rcond: float) -> Any:
    da, db = tangents
    p = _pinv(a, rtol=rcond)
    if da is None:
        return p @ db
    moved = (0 if db is None else db) - da @ out
    inside = unit_matrix(p) - p @ a
    across, down = transposed(p), transposed(da)
    return p @ (moved + across @ (down @ (b - a @ out))) + inside @ (down @ (across @ out))


_lstsq = General(
    "lstsq",
    lambda a, b, rcond: np.linalg.lstsq(a, b, rcond)[0],
    _lstsq_pull,
    _lstsq_push,
    arity=2,
    params=("rcond",),
    doc="The x for which a @ x - b is shortest, and the shortest such x: shapes (m, n) and (m, k).",
)


@means(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """`numpy.linalg.lstsq`. The solution and the residuals are variables; the rank and the singular values are numbers.

    The derivative holds for changes that keep the rank.
    """
    a, b = joined(a), joined(b)
    x, residuals, rank, s = np.linalg.lstsq(ops.detach(a), ops.detach(b), rcond)
    if rcond is None:
        rcond = float(np.finfo(x.dtype).eps * max(shape_of(a)))
    elif rcond < 0:  # as LAPACK does
        rcond = float(np.finfo(float).eps)
    columns = as_column(b) if len(shape_of(b)) == 1 else b
    found = _lstsq(a, columns, rcond=float(rcond))
    if residuals.size:
        residuals = ops.sum(ops.square(columns - a @ found), axis=0)
    return ops.reshape(found, x.shape), residuals, rank, s
