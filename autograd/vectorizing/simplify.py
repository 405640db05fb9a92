"""The first passes over a graph of scalars: fold what is known, share what is the same, drop what nobody needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Reduction
from autograd.vectorizing.scalars import CONSTANT, Bound, Leaf, Pick, Scalars, Terms

COMMUTATIVE = (ops.add, ops.mul, ops.maximum, ops.minimum, ops.hypot)


def fold(graph: Scalars) -> Scalars:
    """Operations on constants alone become constants, and neutral ones nothing.

    ``0 + x`` stays, as a sum of one: where one writes ``sum(list)``, a list of one is built as the longer ones are,
    and keeps its place beside them.
    """
    out = graph.like()
    number: list[int] = []
    constants: dict[Any, int] = {}

    def constant(c: float) -> int:
        key = (c, str(c))
        if key not in constants:
            constants[key] = out.append(CONSTANT, (c,))
        return constants[key]

    for op, args in zip(graph.ops, graph.args, strict=True):
        if type(op) is Leaf:
            number.append(constant(args[0]) if op is CONSTANT else out.append(op, args))
            continue
        args = tuple([number[a] for a in args])
        known = [out.args[a][0] if out.ops[a] is CONSTANT else None for a in args]
        if args and None not in known and type(op) is not Pick:
            number.append(constant(computed(op, known)))
            continue
        rule = NEUTRAL.get(op)
        found = rule(out, args, known) if rule else None
        number.append(out.append(op, args) if found is None else found)
    out.outputs = [number[n] for n in graph.outputs]
    return out


def computed(op: Any, known: list[Any]) -> Any:
    """An operation on numbers that are known."""
    if op is questions.constant:
        return known[0]
    if isinstance(op, questions.Question):
        return bool(op.forward(*known))
    row, params = (op.row, dict(op.params)) if isinstance(op, Bound) else (op, {})
    return float(row.plain((np.array(known),) if isinstance(row, Reduction) else known, params))


def _mul(out: Scalars, args: tuple[int, ...], known: list[Any]) -> int | None:
    c, x = (known[0], args[1]) if known[0] is not None else (known[1], args[0])
    if c == 1:
        return x
    return out.append(ops.neg, (x,)) if c == -1 else None


def _div(out: Scalars, args: tuple[int, ...], known: list[Any]) -> int | None:
    return args[0] if known[1] == 1 else None


def _power(out: Scalars, args: tuple[int, ...], known: list[Any]) -> int | None:
    if known[1] == 1:
        return args[0]
    return out.append(ops.square, args[:1]) if known[1] == 2 else None


def _where(out: Scalars, args: tuple[int, ...], known: list[Any]) -> int | None:
    return None if known[0] is None else args[1 if known[0] else 2]


def _neg(out: Scalars, args: tuple[int, ...], known: list[Any]) -> int | None:
    return out.args[args[0]][0] if out.ops[args[0]] is ops.neg else None


NEUTRAL: dict[Any, Callable[[Scalars, tuple[int, ...], list[Any]], int | None]] = {
    ops.mul: _mul,
    ops.div: _div,
    ops.power: _power,
    ops.where: _where,
    ops.neg: _neg,
    ops.identity: lambda out, args, known: args[0],
}
"""Operation -> what it comes to, given its operands and which numbers they are; None if nothing is known of it."""


def share(graph: Scalars) -> Scalars:
    """The same operation on the same operands is computed once."""
    out = graph.like()
    number: list[int] = []
    known: dict[Any, int] = {}
    for op, args in zip(graph.ops, graph.args, strict=True):
        if type(op) is not Leaf:
            args = tuple([number[a] for a in args])
        key: Any = (op, args)
        if op in COMMUTATIVE and args[0] > args[1]:
            key = (op, (args[1], args[0]))
        elif op is CONSTANT:
            key = (op, (args[0], str(args[0])))
        elif type(op) is Terms and 0.0 in op.coefficients:  # -0.0 is another one
            key = (str(op.coefficients), op, args)
        found = known.get(key)
        if found is None:
            found = known[key] = out.append(op, args)
        number.append(found)
    out.outputs = [number[n] for n in graph.outputs]
    return out


def drop(graph: Scalars) -> Scalars:
    """What no output depends on goes."""
    live = graph.live()
    out = graph.like()
    number = [-1] * len(graph)
    for n, (op, args) in enumerate(zip(graph.ops, graph.args, strict=True)):
        if live[n]:
            number[n] = out.append(op, args if type(op) is Leaf else tuple([number[a] for a in args]))
    out.outputs = [number[n] for n in graph.outputs]
    return out
