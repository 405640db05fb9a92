"""The partial derivatives of a node by its operands, as numbers and as formulas from the node's row.

>>> from autograd import Value
>>> x, w = Value(2.0, "x"), Value(3.0, "w")
>>> [(partial.number, str(partial.formula)) for partial in derivatives(x * w, lambda node: node.label)]
[(3.0, 'w'), (2.0, 'x')]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.byhand import is_finished
from autograd.engine.graph import Node
from autograd.engine.value import Value
from autograd.ops.rows import Elementwise, Linear
from autograd.ops.symbol import Symbol, symbol

Namer = Callable[[Any], str | Symbol]
"""A function that gives a node's name in formulas, or the expression that stands for it; empty if there is none."""


@dataclass(frozen=True)
class Partial:
    """The partial derivative of a node by one of its operands.

    `number` is its value. It is nan for a Tensor's node, where the derivative is a Jacobian, and for an operation
    written by hand that has no backward step yet. `formula` gives it in the names of the operands and of the result.
    It shows only the branches that were taken. It is None if the row has no formula.
    """

    operand: Node
    position: int
    number: float
    formula: Symbol | None


def derivatives(node: Node, name: Namer) -> list[Partial]:
    """The partial derivatives by the operands that are variables, in order."""
    operands = node.operands
    if isinstance(node, Value) and is_finished(node):
        numbers = [0.0 if c is None else float(c) for c in node._cotangents(1.0, live=False)]
        formulas = formulas_of(node, operands, name)
    else:
        numbers = [np.nan] * len(operands)
        formulas = [None] * len(operands)
    return [
        Partial(x, i, number, formula)
        for i, (x, number, formula) in enumerate(zip(operands, numbers, formulas, strict=True))
        if isinstance(x, Node)
    ]


def formulas_of(node: Value, operands: Sequence[Any], name: Namer) -> list[Symbol | None]:
    """A formula for each operand, or None. Operands without a name appear as an ellipsis."""
    symbols = [named(name(x), x) if isinstance(x, Value) else x for x in operands]
    row = node.op
    if isinstance(row, Elementwise):
        out = named(name(node), node)
        return [None if d is None else symbol(d(out, *symbols)) for d in row.partials]
    if isinstance(row, Linear) and row is ops.ROWS["dot"]:
        return [symbol(row.transposes[0](i, 1, *symbols)) for i in range(len(symbols))]
    if row is ops.sum:
        return [symbol(1)] * len(symbols)
    if row is ops.mean:
        return [symbol(1) / len(symbols)] * len(symbols)
    return [None] * len(symbols)


def named(name: str | Symbol, node: Value) -> Symbol:
    """A node as a Symbol, with its number."""
    if isinstance(name, Symbol):
        return Symbol(name.head, node.data, name.parts)
    return Symbol(name or "…", node.data)
