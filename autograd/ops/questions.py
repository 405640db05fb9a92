"""Operations without a derivative: comparisons, logic, and what stands for other numbers.

Programs of arrays contain them beside the differentiable rows. Each is a row too, so that whatever works on rows works
on them: shapes, printers, the final check. Numbers flow through them and gradients do not.

>>> less.forward(np.array([1.0, 3.0]), 2.0)
array([ True, False])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops.rows import Linear, Op, Rule


class Question(Op):
    """A row without a derivative."""

    def __init__(self, name: str, function: Rule, infix: str = "", arity: int = 2, doc: str = "") -> None:
        super().__init__(name, arity, infix=infix, doc=doc)
        self.forward = function
        self.reads = ((),) * arity

    def rules(self) -> Sequence[Rule | None] | None:
        return (None,) * self.arity

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        return [None] * len(inputs)


less, less_equal = Question("less", np.less, "<"), Question("less_equal", np.less_equal, "<=")
greater, greater_equal = Question("greater", np.greater, ">"), Question("greater_equal", np.greater_equal, ">=")
is_equal, not_equal = Question("equal", np.equal, "=="), Question("not_equal", np.not_equal, "!=")
COMPARISONS = (less, less_equal, greater, greater_equal, is_equal, not_equal)
logical_and, logical_or = Question("logical_and", np.logical_and, "&"), Question("logical_or", np.logical_or, "|")
logical_not = Question("logical_not", np.logical_not, "~", 1)
ANSWERS = {row.infix: row for row in (*COMPARISONS, logical_and, logical_or, logical_not)}
"""The rows that give bools, by their sign."""
ones_like = Question("ones_like", np.ones_like, arity=1)
as_float = Question("as_float", lambda x: x.astype(float), arity=1, doc="Bools as the numbers 0.0 and 1.0.")
constant = Question("detach", lambda x: x, arity=1, doc="The same numbers, as a constant.")


def put(g: Any, index: Any, axis: int, shape: Any) -> Any:
    """Zeros of a shape with one element of each row set."""
    out = np.zeros(shape, g.dtype)
    np.put_along_axis(out, index, g, axis)
    return out


take_along: Linear = Linear(
    "take_along_axis",
    lambda x, index, axis: np.take_along_axis(x, index, axis),
    lambda g, x, index, axis: put_along.apply((g, index), {"axis": axis, "shape": x.shape}),
    lambda g, x, index, axis: None,
    params=("axis",),
    doc="One element of each row, chosen by an array of indices.",
)
put_along: Linear = Linear(
    "put_along_axis",
    put,
    lambda g, x, index, axis, shape: take_along.apply((g, index), {"axis": axis}),
    lambda g, x, index, axis, shape: None,
    params=("axis", "shape"),
    doc="Zeros of a shape with one element of each row set. The transpose of take_along_axis.",
)
