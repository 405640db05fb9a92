"""`numpy.linalg` on variables: powers of a matrix, and chains of products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from autograd import ops
from autograd.functions.linalg.matrices import as_column, as_row, order_of, unit_matrix
from autograd.functions.linalg.solving import inv
from autograd.functions.table import joined, means
from autograd.ops.shapes import shape_of


@means(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """`numpy.linalg.matrix_power`, by repeated squaring; of the inverse for negative `n`."""
    a = joined(a)
    order_of(a, "matrix_power")
    try:
        n = n.__index__()
    except AttributeError as error:
        raise TypeError(f"numpy.linalg.matrix_power takes a whole number, got {n!r:.60}") from error
    if n == 0:
        return ops.where(np.ones(shape_of(a), bool), unit_matrix(a), a)  # a variable with slope 0
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
    parts[0] = as_row(parts[0]) if vectors[0] else parts[0]
    parts[-1] = as_column(parts[-1]) if vectors[1] else parts[-1]
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
