"""Where the sign of a zero can be seen: 1 / 0.0 and 1 / -0.0 are different infinities.

A sum that is written in another way may have the other zero: ``-(x - y)`` gives -0.0 where ``y - x`` gives 0.0, and
``x + 0.0`` is no -0.0 as x may be. Nobody sees that, unless a result divides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops.questions import Question
from autograd.ops.rows import Op
from autograd.vectorizing.scalars import CONSTANT, Array, Bound, Scalars

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


def seen(graph: Scalars, region: Sequence[int] | None = None) -> Array:
    """Of which results the sign of a zero changes a number. It does not count that an output itself is -0.0.

    >>> from autograd.vectorizing.tracing import trace
    >>> graph, _ = trace(lambda x: 1.0 / (x[0] - x[1]) - x[1], [(2,)])
    >>> [str(graph.ops[n].name) for n, answer in enumerate(seen(graph)) if answer]
    ['input', 'input', 'sub']
    """
    found, rows = dividing(graph), graph.rows()
    region = below(graph) if region is None else region
    settled, blind = never_negative_zero(graph, region), graph.among(BLIND)
    for n in reversed(region):
        found[n] = found[n] and not settled[n]
        if found[n] and not blind[n]:
            found[rows(n)] = True
    return found


def dividing(graph: Scalars) -> Array:
    """Which results are operands whose sign of zero an operation tells apart."""
    found = np.zeros(len(graph), dtype=bool)
    parts = [divided_by(op) for op in graph.table.operations]
    for part in (WHOLE, SECOND):
        some = np.array([other == part for other in parts] + [False])[np.maximum(graph.codes, -1)]
        if some.any():
            operands = some[graph.owners]
            if part == SECOND:
                operands &= np.arange(len(operands)) == graph.starts[graph.owners] + 1
            found[graph.operands[operands]] = True
    return found


def below(graph: Scalars) -> list[int]:
    """The operations whose zeros might be seen, in their order: all that is between a division and what is blind."""
    stack, computed = np.flatnonzero(dividing(graph)).tolist(), (graph.codes >= 0).tolist()
    if not any(computed[n] for n in stack):
        return []
    starts = graph.starts[:-1][square := graph.among([ops.mul, ops.div])]
    square[square] = graph.operands[starts] == graph.operands[starts + 1]  # no -0.0, whatever is below
    through, rows = (~(graph.among(BLIND) | square)).tolist(), graph.rows()
    found = set(stack)
    while stack:
        n = stack.pop()
        if computed[n] and through[n]:
            further = set(rows(n)) - found
            found |= further
            stack += further
    return sorted(n for n in found if computed[n])


def divided_by(op: Any) -> slice | None:
    """The operands whose sign of zero an operation tells apart; of the user's own it may be any."""
    row = op.row if isinstance(op, Bound) else op
    ours = not isinstance(row, Op) or isinstance(row, Question) or row in KNOWN
    return DIVIDING.get(row) if ours else WHOLE


def never_negative_zero(graph: Scalars, region: Sequence[int]) -> dict[int, bool]:
    """Which results of a region are never -0.0, in whatever way their sums are written, and which constants."""
    found: dict[int, bool] = {n: graph.args_of(n)[0] != 0 for n in np.flatnonzero(graph.leaves(CONSTANT)).tolist()}
    operations, codes, rows = graph.table.operations, graph.codes, graph.rows()
    for n in region:
        op, args = operations[codes[n]], rows(n)
        if op is ops.mul or op is ops.div:
            found[n] = args[0] == args[1]
        elif op is ops.add or op is ops.sum:
            found[n] = any(found.get(a, False) for a in args)
        elif op is ops.sub:
            found[n] = found.get(args[0], False)
        else:
            found[n] = op in EVEN
    return found
