"""The local derivatives of a node: in each of its operands, as a number and as a formula from the same row.

>>> from autograd import Value
>>> x, w = Value(2.0, "x"), Value(3.0, "w")
>>> [(local.number, str(local.formula)) for local in derivatives(x * w, lambda node: node.label)]
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
from autograd.ops.rows import Elementwise
from autograd.ops.symbol import Symbol, symbol

Namer = Callable[[Any], str | Symbol]
"""What a node is called in formulas, or what it is there; empty where it has no name."""


@dataclass(frozen=True)
class Local:
    """How a node changes with one of its operands, the others held.

    `number` is the derivative. It is nan for a Tensor's node, where it would be a whole Jacobian, and for an operation
    written by hand that has no backward step yet. `formula` is it in the
    names of the operands and of the result, where the row has one: branches as they were taken.
    """

    operand: Node
    position: int
    number: float
    formula: Symbol | None


def derivatives(node: Node, name: Namer) -> list[Local]:
    """The local derivatives in those operands that are variables, in order."""
    operands = node.operands
    if isinstance(node, Value) and is_finished(node):
        numbers = [0.0 if c is None else float(c) for c in node._cotangents(1.0, live=False)]
        formulas = formulas_of(node, operands, name)
    else:
        numbers = [np.nan] * len(operands)
        formulas = [None] * len(operands)
    return [
        Local(x, i, number, formula)
        for i, (x, number, formula) in enumerate(zip(operands, numbers, formulas, strict=True))
        if isinstance(x, Node)
    ]


def formulas_of(node: Value, operands: Sequence[Any], name: Namer) -> list[Symbol | None]:
    """A formula for each operand, None where there is none; operands without a name leave a gap in it."""
    symbols = [named(name(x), x) if isinstance(x, Value) else x for x in operands]
    row = node.op
    if isinstance(row, Elementwise):
        out = named(name(node), node)
        return [None if d is None else symbol(d(out, *symbols)) for d in row.partials]
    if row is ops._dot:
        return [symbol(row.transposes[0](i, 1, *symbols)) for i in range(len(symbols))]
    if row is ops.sum:
        return [symbol(1)] * len(symbols)
    if row is ops.mean:
        return [symbol(1) / len(symbols)] * len(symbols)
    return [None] * len(symbols)


def named(name: str | Symbol, node: Value) -> Symbol:
    """A node in a formula, with its number."""
    if isinstance(name, Symbol):
        return Symbol(name.head, node.data, name.parts)
    return Symbol(name or "…", node.data)
