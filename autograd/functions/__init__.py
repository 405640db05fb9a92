"""NumPy's functions on variables.

A NumPy function on a Tensor or a Dual returns NumPy's number and is differentiable, in every mode. Functions without a
derivative rule raise a TypeError that names them. Read `table` first: it says how functions are entered. The other
modules hold the entries:

- `ufuncs`: elementwise functions, and their methods such as ``np.add.reduce``;
- `reductions`: sums, means and the like, and running sums;
- `moves`: reshaping, joining, splitting, repeating;
- `choosing`: sorting, picking, replacing;
- `products`: sums of products;
- `linalg`: `numpy.linalg`;
- `questions`: functions whose answers have no derivative, such as `argmax`, and functions that are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.functions import (
    choosing as choosing,
    linalg as linalg,
    moves as moves,
    products as products,
    questions as questions,
    reductions as reductions,
)
from autograd.functions.table import REMEDIES, TABLE, name_of
from autograd.functions.ufuncs import call_ufunc as call_ufunc


def call(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call NumPy's function on arguments that hold variables; TypeError with its name if it has no entry."""
    meaning = TABLE.get(function)
    if meaning is not None:
        return meaning(args, kwargs)
    remedy = REMEDIES.get(function, "write it with other functions, take the numbers with x.data, or see custom_op")
    raise TypeError(f"{name_of(function)} of a Tensor is not differentiable here: {remedy}")
