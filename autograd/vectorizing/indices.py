"""Whole numbers as data: what `table[token]` chooses, found by running the function with other tokens.

The function runs once for each value that a whole number can take; an operand that changes with it must be one of a
table that a single index chooses from, and becomes a `Pick`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.vectorizing.tracer import Run, Trace, TraceError, compare, name_of, owner

RANDOM = 6  # runs with random whole numbers, to tell one index from another, and from several together


def find_picks(tracer: Trace, run: Run, zeros: list[list[int]]) -> dict[int, tuple[int, int, tuple[int, ...]]]:
    """Operands that whole numbers choose: {place among all operands: (argument, which of its numbers, table)}.

    All indices take the value k together, for each k: that shows every table. Then they take values of their own, until
    it is clear which index chooses.
    """
    arguments = sorted(tracer.indices)
    sizes = np.array([tracer.indices[i] for i, row in zip(arguments, zeros, strict=True) for _ in row])
    which = [(i, k) for i, row in zip(arguments, zeros, strict=True) for k in range(len(row))]
    rng = np.random.default_rng(0)
    chosen = [np.full(len(sizes), k) % sizes for k in range(int(sizes.max()))]
    base = run.numbers()
    rows = [indexed(tracer, run, zeros, values) for values in chosen]
    for attempt in range(40):
        table = np.array(rows)
        places = np.flatnonzero((table != base).any(axis=0))
        columns, inverse = np.unique(table[:, places], axis=1, return_inverse=True)
        inverse = inverse.reshape(-1)
        values = np.array(chosen)
        fits = np.array([(columns[values[:, i]] == columns).all(axis=0) for i in range(len(sizes))])
        if not columns.size and (attempt >= RANDOM or len(sizes) == 1):
            return {}
        lost = np.asarray(~fits.any(axis=0))
        if lost.any():
            n = owner(run, int(places[np.argmax(lost[inverse])]))
            line = tracer.line(n, zeros) if n >= 0 else name_of(tracer.f)
            raise TraceError(
                f"{line}: an operand depends on several whole numbers together, or on one in a way that is no table: "
                "look up one at a time"
            )
        doubtful = np.flatnonzero(fits.sum(axis=0) > 1)
        if not doubtful.size and (attempt >= RANDOM or len(sizes) == 1):
            index = fits.argmax(axis=0)
            return {
                int(place): (*which[index[j]], tuple(columns[: sizes[index[j]], j].tolist()))
                for place, j in zip(places, inverse, strict=True)
            }
        values = rng.integers(0, sizes)
        if attempt >= RANDOM and doubtful.size:  # split those that still fit by two values that differ
            j = doubtful[0]
            candidates = np.flatnonzero(fits[:, j])
            first = columns[: sizes[candidates[0]], j]
            other = int(np.argmax(first != first[0]))
            values[candidates] = 0
            values[candidates[: len(candidates) // 2]] = other
        chosen.append(values)
        rows.append(indexed(tracer, run, zeros, values))
    raise TraceError(f"{name_of(tracer.f)}: which whole number chooses what could not be found out")


def indexed(tracer: Trace, run: Run, zeros: list[list[int]], values: Any) -> Any:
    """The operands of a run with these whole numbers."""
    it = iter(values.tolist())
    given = [[next(it) for _ in row] for row in zeros]
    again = tracer.run(given)
    compare(tracer, run, again, zeros, "a whole number (an index)")
    return again.numbers()
