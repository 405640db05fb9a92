"""`numpy.linalg` on variables: singular values and singular vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.linalg.matrices import as_column, as_row, gaps_of, noise_of, over_gaps, spectrum, transposed
from autograd.functions.table import joined, later, means
from autograd.ops.rows import General
from autograd.ops.shapes import shape_of
from autograd.ops.traced import Traced

SVDResult = type(np.linalg.svd(np.eye(1)))


def _svd_value(a: Any, full: bool) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=full)
    return np.concatenate([np.swapaxes(u, -1, -2), s[..., None], vh], axis=-1)


def _svd_parts(packed: Any, m: int) -> tuple[Any, Any, Any]:
    """The left singular vectors, the singular values and the right singular vectors, transposed."""
    u = transposed(ops.getitem(packed, (..., slice(None, m))))
    return u, ops.getitem(packed, (..., m)), ops.getitem(packed, (..., slice(m + 1, None)))


def _svd_pull(g: Any, out: Any, a: Any, full: bool) -> Any:
    """Townsend, "Differentiating the singular value decomposition" (2016); ``1 / (s_j² - s_i²)`` is split in two."""
    m, n = shape_of(a)[-2:]
    (u, s, vh), (gu, gs, gvh) = _svd_parts(out, m), _svd_parts(g, m)
    left, right = transposed(u) @ gu, vh @ transposed(gvh)
    even, odd = over_gaps(left + right, gaps_of(s)), over_gaps(left - right, gaps_of(s, 1))
    c = (u @ ((even + transposed(even) + odd - transposed(odd)) / 2) + u * as_row(gs)) @ vh
    if m > n:
        c = c + ((gu - u @ left) / as_row(_nonzero(s))) @ vh
    if n > m:
        c = c + u @ ((gvh - transposed(right) @ vh) / as_column(_nonzero(s)))
    return c


def _svd_push(tangents: Sequence[Any], out: Any, a: Any, full: bool) -> Any:
    (t,), (m, n) = tangents, shape_of(a)[-2:]
    u, s, vh = _svd_parts(out, m)
    inner = transposed(u) @ t @ transposed(vh)
    even, odd = over_gaps(inner + transposed(inner), gaps_of(s)), over_gaps(inner - transposed(inner), gaps_of(s, 1))
    du, dvh = u @ ((even + odd) / 2), transposed((even - odd) / 2) @ vh
    if m > n:
        du = du + (t @ transposed(vh) - u @ inner) / as_row(_nonzero(s))
    if n > m:
        dvh = dvh + (transposed(u) @ t - inner @ vh) / as_column(_nonzero(s))
    ds = ops.sum(inner * np.eye(shape_of(s)[-1], dtype=inner.dtype), axis=-1)
    return ops.concatenate([transposed(du), as_column(ds), dvh], axis=-1)


def _nonzero(s: Any) -> Any:
    """Singular values, with 0 for those that are rounding errors."""
    return ops.where(ops.detach(s) <= noise_of(s)[..., None], 0, s)


_svd = General(
    "svd",
    _svd_value,
    _svd_pull,
    _svd_push,
    params=("full",),
    doc="For each singular value a row: its left vector, the value, its right vector.",
)


def _singular_vectors(a: Any, numbers: Any) -> tuple[Any, Any]:
    """The left vectors as columns, the right ones as rows. They are variables if `a` is one, else from `numbers`."""
    u, _, vh = _svd_parts(_svd(a, full=False) if isinstance(a, Traced) else numbers, shape_of(a)[-2])
    return u, vh


_singular_values = spectrum(
    "svdvals",
    lambda a, numbers: _svd_parts(numbers, shape_of(a)[-2])[1],
    _singular_vectors,
    "Singular values of matrices, of which the decomposition is known.",
)


@means(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`numpy.linalg.svd`. TypeError for ``full_matrices=True``, the default, if the matrices are not square.

    If singular values are equal, the singular vectors have no derivative: it is nan or inf. The first derivatives of
    the singular values are finite, and right for symmetric functions of them. Their second derivatives are neither.
    """
    a = joined(a)
    if not compute_uv:
        return svdvals(a)
    shape = shape_of(a)
    if full_matrices and len(shape) >= 2 and shape[-1] != shape[-2]:
        raise TypeError(
            f"numpy.linalg.svd of a Tensor of shape {shape} does not take full_matrices=True: the additional "
            "vectors are not unique, so they have no derivative; pass full_matrices=False"
        )
    packed = _svd(a, full=bool(full_matrices))
    u, _, vh = _svd_parts(packed, shape[-2])
    return SVDResult(u, _singular_values(a, ops.detach(packed)), vh)


@means(*later("svdvals", np.linalg))
def svdvals(x: Any) -> Any:
    """`numpy.linalg.svdvals`, as the singular values of `svd`."""
    x = joined(x)
    return _singular_values(x, _svd(ops.detach(x), full=False))
