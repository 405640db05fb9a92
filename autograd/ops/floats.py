"""Operands that are not variables, and rules applied to Python floats.

Python raises for ``1.0 / 0.0``. NumPy follows IEEE 754 and gives infinity. Rows give NumPy's result for both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops.traced import Rule

OBJECT = np.dtype(object)
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
"""The dtypes that variables have."""

LARGEST = float(np.finfo(float).max)


def real(x: Any) -> float:
    """A real number as a float. A Python int that is too large for a float becomes infinite, as IEEE 754 rounds it.

    >>> real(2), real(-(10**400))
    (2.0, -inf)
    """
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def bounded(x: Any) -> Any:
    """Infinity for a Python int that is too large for a float. Anything else is returned unchanged."""
    return real(x) if type(x) is int and abs(x) > LARGEST else x


def plain(x: Any, taker: str) -> Any:
    """An operand without variables. Numbers and arrays stay as they are, anything else is converted to an array.

    `taker` is the name of the row, for messages.
    """
    if isinstance(x, (float, int, np.ndarray, np.generic)) and getattr(x, "dtype", None) != OBJECT:
        return bounded(x)
    from autograd.ops.arrays import operand

    return operand(x, taker)


def ieee(rule: Rule, inputs: Sequence[Any], array: Rule | None = None) -> Any:
    """Apply a rule to Python floats. Where Python raises or gives a complex number, the result is that of IEEE 754.

    `array` is the rule's function on arrays, if it is another one.

    >>> ieee(lambda x, y: x / y, (1.0, 0.0)), ieee(math.log, (0.0,), np.log), ieee(math.gamma, (-1.0,))
    (inf, -inf, nan)
    """
    try:
        out = rule(*inputs)
        if type(out) is not complex:
            return out
    except (ArithmeticError, ValueError):
        pass
    try:
        with np.errstate(all="ignore"):
            number = float((array or rule)(*[np.float64(x) for x in inputs]))
            np.add(0.0, 0.0)  # clears the processor's flags, which np.log(array_of_values) would report as its own
            return number
    except OverflowError:  # functions of `math` raise for NumPy's floats too
        return math.inf
    except (ArithmeticError, ValueError):
        return math.nan


def from_math(function: Rule, *xs: Any) -> Any:
    """Apply a function of floats to arrays, element by element. Where it raises, the result is nan or infinity.

    >>> from_math(math.gamma, np.array([3.0, -1.0]))
    array([ 2., nan])
    """
    try:
        found = np.frompyfunc(function, len(xs), 1)(*xs)
    except (ArithmeticError, ValueError):
        found = np.frompyfunc(lambda *x: ieee(function, x), len(xs), 1)(*xs)
    return np.asarray(found, dtype=np.result_type(*xs))
