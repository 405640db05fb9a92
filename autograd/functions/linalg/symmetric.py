"""`numpy.linalg` on variables: the Cholesky factor, eigenvalues and eigenvectors of symmetric matrices.

`cholesky` and `eigh` read one triangle of a symmetric matrix. An element of this triangle stands for its mirror image,
too. The other triangle is not read, so its slope is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.linalg.matrices import as_row, gaps_of, order_of, over_gaps, spectrum, transposed, unit_matrix
from autograd.functions.linalg.solving import invert
from autograd.functions.table import joined, means
from autograd.ops.rows import General
from autograd.ops.shapes import shape_of
from autograd.ops.traced import Traced

EighResult = type(np.linalg.eigh(np.eye(1)))


def _mirrored(a: Any, upper: bool, name: str) -> Any:
    """The symmetric matrices that have the same lower, or upper, triangle."""
    read = np.tri(order_of(a, name), dtype=bool)
    return ops.where(read.T if upper else read, a, transposed(a))


def _lower_half(x: Any) -> Any:
    """The lower triangle, with half of the diagonal."""
    return x * (np.tri(shape_of(x)[-1], dtype=x.dtype) - unit_matrix(x) / 2)


def _cholesky_pull(g: Any, out: Any, a: Any, upper: bool) -> Any:
    """Murray, "Differentiation of the Cholesky decomposition" (2016), for symmetric matrices."""
    factor, g = (transposed(out), transposed(g)) if upper else (out, g)
    inverse = invert(factor)
    return transposed(inverse) @ _lower_half(transposed(factor) @ g) @ inverse


def _cholesky_push(tangents: Sequence[Any], out: Any, a: Any, upper: bool) -> Any:
    factor = transposed(out) if upper else out
    inverse = invert(factor)
    moved = factor @ _lower_half(inverse @ tangents[0] @ transposed(inverse))
    return transposed(moved) if upper else moved


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
    """`numpy.linalg.cholesky`. It reads the lower triangle, or with `upper` the upper. Only that has a derivative."""
    return _cholesky(_mirrored(joined(a), bool(upper), "cholesky"), upper=bool(upper))


def _eigh_value(a: Any, UPLO: Any) -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    return np.concatenate([w[..., None, :], v], axis=-2)


def _eigh_parts(packed: Any) -> tuple[Any, Any]:
    return ops.getitem(packed, (..., 0, slice(None))), ops.getitem(packed, (..., slice(1, None), slice(None)))


def _eigh_pull(g: Any, out: Any, a: Any, UPLO: str) -> Any:
    (w, v), (gw, gv) = _eigh_parts(out), _eigh_parts(g)
    return (v @ over_gaps(transposed(v) @ gv, gaps_of(w)) + v * as_row(gw)) @ transposed(v)


def _eigh_push(tangents: Sequence[Any], out: Any, a: Any, UPLO: str) -> Any:
    w, v = _eigh_parts(out)
    moved = tangents[0] @ v
    turning = v @ over_gaps(transposed(v) @ moved, gaps_of(w))
    return ops.concatenate([as_row(ops.sum(v * moved, axis=-2)), turning], axis=-2)


_eigh = General(
    "eigh",
    _eigh_value,
    _eigh_pull,
    _eigh_push,
    params=("UPLO",),
    doc="A row of eigenvalues above the eigenvectors of symmetric matrices, which are columns.",
)


def _eigenvectors(a: Any, numbers: Any, UPLO: str) -> tuple[Any, Any]:
    """The eigenvectors as columns and as rows. They are variables if `a` is one, else taken from `numbers`."""
    v = _eigh_parts(_eigh(a, UPLO=UPLO) if isinstance(a, Traced) else numbers)[1]
    return v, transposed(v)


_eigenvalues = spectrum(
    "eigvalsh",
    lambda a, numbers, UPLO: _eigh_parts(numbers)[0],
    _eigenvectors,
    "Eigenvalues of symmetric matrices, of which the decomposition is known.",
    "UPLO",
)


@means(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """`numpy.linalg.eigh`. It reads the lower triangle, or with ``UPLO="U"`` the upper. Only that has a derivative.

    If eigenvalues are equal, the eigenvectors have no derivative: it is nan. The first derivatives of the eigenvalues
    are finite, and right for symmetric functions of them. Their second derivatives are nan.
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
