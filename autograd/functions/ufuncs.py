"""NumPy's elementwise functions on variables: ``np.exp(t)``, ``np.add.reduce(t)``, ``array < t``."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.functions.reductions import cumprod
from autograd.functions.table import later, plain
from autograd.ops.operators import NUMPY_NAMES
from autograd.ops.rows import Elementwise, Op
from autograd.ops.shapes import box, normalize_axis, shape_of
from autograd.ops.traced import Traced

ROWS: dict[Any, Op] = {row.array: row for row in ops.ROWS.values() if isinstance(row, Elementwise)}
"""NumPy's functions that are rows of the table."""

ROWS |= {getattr(np, theirs): ops.ROWS[ours] for theirs, ours in NUMPY_NAMES.items()}
ROWS |= {np.matmul: ops.matmul, np.conjugate: ops.identity}

QUESTIONS = set(
    later(
        "less less_equal greater greater_equal equal not_equal isnan isinf isfinite signbit floor ceil rint trunc "
        "logical_and logical_or logical_not logical_xor heaviside spacing nextafter"
    )
)
"""Functions that return plain arrays, outside the graph. Those that round are among them, since their slope is 0."""

COMPARISONS: dict[Any, Callable[..., Any]] = {
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    np.isnan: lambda x: x != x,
}
"""The questions that are Python operators. Variables whose numbers are not known have answers to these alone."""

ROUNDINGS: dict[Any, Callable[..., Any]] = {
    np.floor: math.floor,
    np.ceil: math.ceil,
    np.trunc: math.trunc,
    np.rint: round,
}
"""The questions that round. A number that `vectorize` traces has answers to these, too."""

REDUCE: dict[Any, Callable[..., Any]] = {
    np.add: ops.sum,
    np.multiply: ops.prod,
    np.maximum: ops.max,
    np.minimum: ops.min,
    np.logaddexp: ops.logsumexp,
}
"""The reduction that is ``ufunc.reduce``."""

MATRICES: dict[str, Callable[[Any, Any], Any]] = {
    "vecdot": lambda x, y: ops.sum(ops.mul(x, y), axis=-1),
    "matvec": lambda x, y: ops.getitem(ops.matmul(x, ops.getitem(y, (..., None))), (..., 0)),
    "vecmat": lambda x, y: ops.getitem(ops.matmul(ops.getitem(x, (..., None, slice(None))), y), (..., 0, slice(None))),
}
"""NumPy's other products of stacks of vectors and matrices. They are entered by name, since old versions lack some."""


def call_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a ufunc, or one of its methods, on operands with variables among them.

    Raises TypeError for a ufunc without a derivative rule, for an argument that it does not take here (``out=``,
    ``where=``, ``dtype=``), and for a question about a number that is not known. The message names the ufunc or the
    argument.
    """
    name = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if ufunc in QUESTIONS:
        numbers = plain(inputs)
        if any(isinstance(x, Traced) for x in numbers):  # their detach is not a number: asking NumPy would not end
            found = COMPARISONS.get(ufunc)
            if ufunc in ROUNDINGS and all(hasattr(x, "__floor__") for x in numbers):
                found = ROUNDINGS[ufunc]
            return _unknown(name, found if method == "__call__" else None, numbers, kwargs)
        return getattr(ufunc, method)(*numbers, **plain(kwargs))
    if method == "__call__":
        row: Any = ROWS.get(ufunc) or MATRICES.get(ufunc.__name__)
        if row is None:
            raise TypeError(f"{name} has no derivative rule here: see autograd.custom_op for an operation of your own")
        _none(name, kwargs)
        return row.apply(inputs, {}) if isinstance(row, Op) else row(*inputs)
    if method == "reduce" and ufunc in REDUCE:
        return _reduce(name, REDUCE[ufunc], *inputs, **kwargs)
    if method == "accumulate" and ufunc in (np.add, np.multiply):
        (x, *rest) = inputs
        axis = rest[0] if rest else kwargs.pop("axis", 0)
        _none(name, kwargs)
        return (ops.cumsum if ufunc is np.add else cumprod)(x, axis)
    if method == "outer" and ufunc in ROWS and ufunc is not np.matmul:
        _none(name, kwargs)
        x, y = inputs
        return ROWS[ufunc].apply((ops.reshape(x, shape_of(x) + (1,) * len(shape_of(y))), y), {})
    raise TypeError(f"{name} is not differentiable here: write it with functions of whole arrays, or use x.data")


def _unknown(name: str, comparison: Callable[..., Any] | None, operands: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A comparison with a Symbol, or with a number that `vectorize` traces. The answer is a condition for `where`."""
    if comparison is None:
        x = next(x for x in operands if isinstance(x, Traced))
        raise TypeError(
            f"{name} needs the number of {x!r:.60}, which is not known here: write it with rows of the table, "
            "comparisons joined by & and |, and where(condition, x, y)"
        )
    _none(name, kwargs)
    return np.frompyfunc(comparison, len(operands), 1)(*map(box, operands))  # box hides them from NumPy's dispatch


def _none(name: str, kwargs: dict[str, Any]) -> None:
    for key, x in kwargs.items():
        if not (x is None or (key == "where" and x is True)):
            raise TypeError(f"{name} of a variable does not take {key}=: the result is a new variable")


def _reduce(name: str, reduction: Callable[..., Any], x: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
            keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:  # fmt: skip
    if initial is not None:
        raise TypeError(f"{name} of a variable does not take initial=: combine the result with it afterwards")
    _none(name, {"dtype": dtype, "out": out, "where": where})
    return reduction(x, axis=normalize_axis(axis, len(shape_of(x))), keepdims=keepdims)
