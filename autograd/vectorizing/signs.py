"""Where the sign of a zero can be seen: 1 / 0.0 and 1 / -0.0 are different infinities.

A sum that is written in another way may have the other zero: ``-(x - y)`` gives -0.0 where ``y - x`` gives 0.0, and
``x + 0.0`` is no -0.0 as x may be. Nobody sees that, unless a result divides.
"""

from __future__ import annotations

from typing import Any

from autograd import ops
from autograd.ops.questions import Question
from autograd.ops.rows import Op
from autograd.vectorizing.scalars import CONSTANT, Bound, Leaf, Scalars

EVEN = {ops.abs, ops.square, ops.exp, ops.exp2, ops.cos, ops.cosh, ops.sigmoid, ops.softplus, ops.norm}
"""Rows that are the same for both zeros, and that are never -0.0."""

BLIND = {*EVEN, ops.log, ops.log2, ops.log10, ops.logaddexp, ops.logsumexp, ops.acos, ops.erfc, ops.hypot}
"""Rows that are the same for both zeros."""

WHOLE = slice(None)
SECOND = slice(1, 2)
DIVIDING: dict[Op, slice] = {
    ops.div: SECOND, ops.copysign: SECOND, ops.reciprocal: WHOLE, ops.power: WHOLE, ops.atan2: WHOLE,
}  # fmt: skip
"""Rows that give something else for the other zero, and of which operands."""

KNOWN = {*ops.ROWS.values(), ops._dot}


def seen(graph: Scalars) -> list[bool]:
    """Of which results the sign of a zero changes a number. It does not count that an output itself is -0.0.

    >>> from autograd.vectorizing.tracing import trace
    >>> graph, _ = trace(lambda x: 1.0 / (x[0] - x[1]) - x[1], [(2,)])
    >>> [str(graph.ops[n].name) for n, answer in enumerate(seen(graph)) if answer]
    ['input', 'input', 'sub']
    """
    settled = never_negative_zero(graph)
    found = [False] * len(graph)
    divided: dict[Any, slice | None] = {}
    for n in range(len(graph) - 1, -1, -1):
        op, args = graph.ops[n], graph.args[n]
        if type(op) is Leaf:
            continue
        if op not in divided:
            divided[op] = divided_by(op)
        part = divided[op]
        found[n] = found[n] and not settled[n]
        if found[n] and op not in BLIND:
            part = WHOLE
        if part is not None:
            for a in args[part]:
                found[a] = True
    return found


def divided_by(op: Any) -> slice | None:
    """The operands whose sign of zero an operation tells apart; of the user's own it may be any."""
    row = op.row if isinstance(op, Bound) else op
    ours = not isinstance(row, Op) or isinstance(row, Question) or row in KNOWN
    return DIVIDING.get(row) if ours else WHOLE


def never_negative_zero(graph: Scalars) -> list[bool]:
    """Which results are never -0.0, in whatever way their sums are written."""
    found: list[bool] = []
    for op, args in zip(graph.ops, graph.args, strict=True):
        if type(op) is Leaf:
            found.append(op is CONSTANT and args[0] != 0)
        elif op is ops.mul or op is ops.div:
            found.append(args[0] == args[1])
        elif op is ops.add or op is ops.sum:
            found.append(any(found[a] for a in args))
        elif op is ops.sub:
            found.append(found[args[0]])
        else:
            found.append(op in EVEN)
    return found
