"""The table's rules for one kind of operand: `ARRAYS` has them for arrays, `FLOATS` for floats.

In a rule of the table `exp` is a row, which checks the kind of its operand at every call. If the kind is known, these
checks are wasted. A rule is an ordinary Python function, and Python looks its names up in its globals. So the same code
with other globals is the same formula without the checks. In the world of arrays `exp` is `numpy.exp`, in the world of
floats it is `math.exp`.

>>> from autograd import ops
>>> slope = ops.sigmoid.partials[0]
>>> FLOATS.bind(slope)(0.5, 0.0)
0.25
"""

from __future__ import annotations

import math
import operator
from types import FunctionType
from typing import Any

import numpy as np

from autograd.ops import elementwise, kernels
from autograd.ops.rows import Elementwise
from autograd.ops.traced import Rule

TABLE = vars(elementwise)
ROWS = {name: row for name, row in TABLE.items() if isinstance(row, Elementwise)}
HELPERS = [x for name, x in TABLE.items() if name[0] == "_" and isinstance(x, FunctionType) and x.__globals__ is TABLE]


class World:
    """The functions that the names in the table's rules stand for, for one kind of operand."""

    def __init__(self, **meanings: Any) -> None:
        self.names = {**TABLE, **meanings}
        self.names |= {helper.__name__: self.bind(helper) for helper in HELPERS}

    def bind(self, rule: Rule) -> Rule:
        """The rule in this world. A function that is not defined in the table's module is returned unchanged."""
        if not isinstance(rule, FunctionType) or rule.__globals__ is not TABLE:
            return rule
        return FunctionType(rule.__code__, self.names, rule.__name__, rule.__defaults__, rule.__closure__)


def _same(x: Any) -> Any:
    """`detach` of a number or an array."""
    return x


ARRAYS = World(equal=np.equal, isnan=np.isnan, detach=_same)
FLOATS = World(equal=operator.eq, isnan=math.isnan, detach=_same)


for _name, _row in ROWS.items():
    _row.settle()
    FLOATS.names[_name] = FLOATS.bind(_row.value)
    _array = ARRAYS.bind(_row.array)
    if _row.arity > 1 and _array is not _row.array:
        _array = kernels.of_one_dtype(_array)
    ARRAYS.names[_name] = _row.array = _row.forward = _array
    _row.array_partials = tuple([rule and ARRAYS.bind(rule) for rule in _row.partials])
