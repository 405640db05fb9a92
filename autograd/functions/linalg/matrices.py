"""What the modules for `numpy.linalg` share. Matrices are the last two axes; the axes before them are a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from autograd import ops
from autograd.ops.rows import General
from autograd.ops.shapes import shape_of


def transposed(x: Any) -> Any:
    """The transposed matrices."""
    return ops.swapaxes(x, -1, -2)


def as_column(x: Any) -> Any:
    """Vectors as matrices of one column."""
    return ops.expand_dims(x, -1)


def as_row(x: Any) -> Any:
    """Vectors as matrices of one row."""
    return ops.expand_dims(x, -2)


def per_matrix(x: Any) -> Any:
    """One number for each matrix, with two more axes of length 1, so that it broadcasts with the matrices."""
    return ops.expand_dims(x, (-2, -1))


def unit_matrix(x: Any) -> Any:
    """The unit matrix with as many rows as `x`, in its dtype."""
    return np.eye(shape_of(x)[-2], dtype=x.dtype)


def order_of(a: Any, name: str) -> int:
    """The order of square matrices; LinAlgError for others."""
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise LinAlgError(f"numpy.linalg.{name} takes square matrices (..., n, n), got shape {shape}")
    return shape[-1]


def is_singular(a: Any) -> Any:
    """For each matrix, True if it has no inverse."""
    return np.linalg.slogdet(ops.detach(a))[0] == 0


# ------------------------------------------------------------------------------- eigenvalues and singular values


def gaps_of(s: Any, sign: int = -1) -> Any:
    """``s[j] - s[i]`` at (i, j), or the sums with ``sign=1``; 1 on the diagonal.

    A gap that may be a rounding error becomes 0. So a quotient of two rounding errors becomes inf or nan.
    """
    gaps, noise = as_row(s) + sign * as_column(s), noise_of(s)
    gaps = ops.where(np.abs(ops.detach(gaps)) <= noise[..., None, None], 0, gaps)
    return ops.where(np.eye(shape_of(s)[-1], dtype=bool), 1, gaps)


def noise_of(s: Any) -> Any:
    """The rounding error of an eigenvalue or singular value of 0 that is computed together with these."""
    s = np.abs(ops.detach(s))
    return 4 * s.shape[-1] * np.finfo(s.dtype).eps * s.max(-1, initial=0)


def over_gaps(x: Any, gaps: Any) -> Any:
    """``x / gaps`` off the diagonal, 0 on it."""
    return ops.where(np.eye(shape_of(x)[-1], dtype=bool), 0, x) / gaps


def spectrum(name: str, values: Callable[..., Any], vectors: Callable[..., Any], doc: str, *params: str) -> General:
    """A row for the eigenvalues or singular values of matrices whose decomposition is known.

    They have a row of their own because their first derivatives divide by no gap, unlike those of the vectors. Both
    functions take the matrices and the numbers of their decomposition. `vectors` gives the left vectors as columns and
    the right ones as rows. They are variables if the matrices are, so that the row can be differentiated again.
    """

    def pull(g: Any, out: Any, a: Any, numbers: Any, **given: Any) -> Any:
        left, right = vectors(a, numbers, **given)
        return (left * as_row(g)) @ right, numbers  # the numbers are a constant, so their cotangent is not used

    def push(tangents: Sequence[Any], out: Any, a: Any, numbers: Any, **given: Any) -> Any:
        left, right = vectors(a, numbers, **given)
        return ops.sum(left * (tangents[0] @ transposed(right)), axis=-2)

    return General(name, values, pull, push, arity=2, params=params, doc=doc)
