"""Tracing: a function of scalars runs on Tracers, and becomes a graph.

It runs twice: what differs then was drawn at random, say, and would have been frozen silently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.vectorizing.indices import find_picks
from autograd.vectorizing.scalars import Pick, Scalars
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
        again = tracer.run(zeros)
        if not tracer.stayed:
            break
        for x in tracer.stayed:  # made in the first run and there in the second: parameters, start over
            tracer.earlier.pop(id(x), None)
        tracer.stayed.clear()
    same(tracer, run, again, zeros)
    picks = guess_picks(tracer, run, zeros) if indices else {}
    if picks is None:
        picks = find_picks(tracer, run, zeros)
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


def assemble(tracer: Trace, run: Run, picks: dict[int, tuple[int, int, tuple[int, ...]]]) -> Scalars:
    """The runs as one graph: leaves first, then operations in their order; picks before whoever uses them."""
    graph = Scalars(tracer.parameters)
    graph.closed = tracer.kept
    shift = len(tracer.kinds)
    for kind, payload in tracer.kinds:
        graph.append(kind, payload if isinstance(payload, tuple) else (payload,))
    if not picks:
        graph.ops += run.ops
        graph.args += [tuple([shift + n if n >= 0 else -1 - n for n in args]) for args in run.args]
        graph.outputs = [shift + n if n >= 0 else -1 - n for n in run.outputs]
        return graph
    new_number: dict[int, int] = {-1 - k: k for k in range(shift)}
    made: dict[Any, int] = {}
    at = 0

    def operand(n: int, place: int) -> int:
        pick = picks.get(place)
        if pick is None:
            return new_number[n]
        if pick not in made:
            made[pick] = graph.append(Pick(pick[0], pick[1]), tuple(new_number[n] for n in pick[2]))
        return made[pick]

    for n, (op, args) in enumerate(zip(run.ops, run.args, strict=True)):
        numbers = tuple([operand(a, at + i) for i, a in enumerate(args)])
        at += len(args)
        new_number[n] = graph.append(op, numbers)
    graph.outputs = [operand(n, at + i) for i, n in enumerate(run.outputs)]
    return graph
