"""`numpy.linalg` on variables: inverses, and systems of equations with one solution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from autograd import ops
from autograd.functions.linalg.matrices import as_column, transposed
from autograd.functions.table import joined, means
from autograd.ops.rows import General
from autograd.ops.shapes import shape_of

invert = General(
    "inv",
    np.linalg.inv,
    lambda g, out, a: -(transposed(out) @ g @ transposed(out)),
    lambda tangents, out, a: -(out @ tangents[0] @ out),
    doc="Inverse of square matrices.",
)


def _solve_pull(g: Any, out: Any, a: Any, b: Any) -> Any:
    c = _solve(transposed(a), g)
    return -(c @ transposed(out)), c


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
    return invert(joined(a))


@means(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """`numpy.linalg.solve`. A `b` of one dimension is a vector; any other holds matrices."""
    a, b = joined(a), joined(b)
    if len(shape_of(b)) == 1:
        return ops.getitem(_solve(a, as_column(b)), (..., 0))
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
