"""NumPy's functions on variables.

A NumPy function given a Tensor or a Dual gives NumPy's number, differentiably, in every mode; or it is refused by name,
at the call. `table` says how: read it first. The other modules are its entries, by what they do:

- `ufuncs`: elementwise functions, and their methods such as ``np.add.reduce``;
- `reductions`: one number of many, and running sums;
- `moves`: the same numbers in other places: reshaping, joining, splitting, repeating;
- `choosing`: sorting, picking, replacing;
- `products`: sums of products;
- `linalg`: `numpy.linalg`;
- `questions`: what answers about numbers rather than numbers.
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
    """NumPy's function on arguments with variables among them; TypeError with its name where it has no meaning here."""
    meaning = TABLE.get(function)
    if meaning is not None:
        return meaning(args, kwargs)
    remedy = REMEDIES.get(function, "write it with other functions, take the numbers with x.data, or see custom_op")
    raise TypeError(f"{name_of(function)} of a Tensor is not differentiable here: {remedy}")
