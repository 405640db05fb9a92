"""Tracing: a function of scalars runs on Tracers, and becomes a graph.

It runs twice at least: what differs then was drawn at random, say, and would have been frozen silently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.vectorizing.indices import Found, find_picks
from autograd.vectorizing.scalars import Scalars
from autograd.vectorizing.tokens import guess_picks
from autograd.vectorizing.tracer import Run, Trace, TraceError, compare, name_of, owner


def trace(
    f: Callable[..., Any], shapes: Sequence[tuple[int, ...]], indices: dict[int, int] | None = None
) -> tuple[Scalars, Any]:
    """The graph of scalars that a function builds, and the structure of its result.

    Args:
        f: takes numbers and nested lists of them, returns Values.
        shapes: of each argument: () for a number, (3,) for a list of three.
        indices: by the argument's position: it is whole numbers, each below this.

    >>> from autograd import Value
    >>> w = Value(2.0)
    >>> scalars, _ = trace(lambda x: (w * x[0] + x[1]).tanh(), [(2,)])
    >>> print(scalars)
    %0 = input 0 0
    %1 = input 0 1
    %2 = parameter 0
    %3 = mul %2 %0
    %4 = add %3 %1
    %5 = tanh %4
    return %5
    """
    indices = indices or {}
    tracer = Trace(f, shapes, indices)
    zeros = [[0] * math.prod(shapes[i]) for i in sorted(indices)]
    while True:
        run = tracer.run(zeros)
        picks = guess_picks(tracer, run, zeros) if indices else None  # these are more runs
        again = run if picks is not None else tracer.run(zeros)
        if not tracer.stayed:
            break
        for x in tracer.stayed:  # made in the first run and there in the second: parameters, start over
            tracer.earlier.pop(id(x), None)
        tracer.stayed.clear()
    if picks is None:
        same(tracer, run, again, zeros)
        picks = find_picks(tracer, run, zeros) if indices else {}
    return assemble(tracer, run, picks), run.result


def same(tracer: Trace, run: Run, again: Run, values: Sequence[Any]) -> None:
    """Refuse if the second run was different."""
    compare(tracer, run, again, values, "something that changes from call to call")
    ours, theirs = run.numbers(), again.numbers()
    if not np.array_equal(ours, theirs):
        n = owner(run, int(np.argmax(ours != theirs)))
        raise TraceError(
            f"{tracer.line(n, values) if n >= 0 else name_of(tracer.f)}: a number differs between two runs; drawn at "
            "random, say, it would be frozen: pass it as an argument"
        )


def assemble(tracer: Trace, run: Run, picks: dict[int, Found]) -> Scalars:
    """The run as one graph: leaves first, then operations in their order; picks before whoever uses them."""
    table, leaves = tracer.table, len(tracer.table.leaves)
    places = sorted(picks)
    wanted = [picks[place] for place in places]
    made = {pick: k for k, pick in enumerate(dict.fromkeys(wanted))}
    first = {pick: place for place, pick in reversed([*zip(places, wanted, strict=True)])}
    ends = np.cumsum(run.counts)
    before = np.searchsorted(ends, [first[pick] for pick in made], side="right")  # the operations that picks precede
    operations = leaves + np.arange(len(run.codes)) + np.searchsorted(before, np.arange(len(run.codes)), side="right")
    chosen = leaves + before + np.arange(len(made))
    numbers = np.concatenate([operations, np.arange(leaves)[::-1]])  # of an operation, and from the end of a leaf

    codes = np.empty(len(numbers) + len(made), dtype=np.intp)
    codes[:leaves] = -1 - np.arange(leaves)
    codes[operations] = run.codes
    codes[chosen] = [table.operation(pick, len(of)) for pick, of in made]
    operands = numbers[run.numbers()]
    operands[places] = chosen[[made[pick] for pick in wanted]]
    operands, outputs = np.split(operands, [len(run.operands)])
    starts = np.concatenate([[0], ends])[before]
    tables = [numbers[list(of)] for _, of in made]
    if made:
        operands = np.insert(operands, np.repeat(starts, [len(x) for x in tables]), np.concatenate(tables))
    graph = Scalars(tracer.parameters, table).like(codes, operands, outputs)
    graph.closed = tracer.kept
    return graph
