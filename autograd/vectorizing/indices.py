"""Whole numbers as data: what `table[token]` chooses, found by running the function with other tokens.

The function runs once for each value that a whole number can take. An operand that changes with it is one of a table,
and becomes a `Pick`. Some operands depend on several whole numbers together: ``table[i][j]``, ``table[3 * i + j]``, or
what is chosen where two are equal. Of these, all combinations are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from autograd.vectorizing.scalars import Pick
from autograd.vectorizing.tracer import Run, Trace, TraceError, compare, name_of, owner

RANDOM = 10  # runs with random whole numbers, to tell one index from another, and from several together
LARGEST = 4096  # combinations of whole numbers that one operand depends on

Found = tuple[Pick, tuple[int, ...]]
"""A pick, and the table that it chooses from."""


def find_picks(tracer: Trace, run: Run, zeros: list[list[int]]) -> dict[int, Found]:
    """The operands that whole numbers choose, by their places among all operands.

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
        known = np.asarray(fits.any(axis=0))
        doubtful = np.flatnonzero(fits.sum(axis=0) > 1)
        if not doubtful.size and (attempt >= RANDOM or len(sizes) == 1):
            index = fits.argmax(axis=0)
            found = {
                int(place): (
                    Pick((which[index[j]],), (int(sizes[index[j]]),)),
                    tuple(columns[: sizes[index[j]], j].tolist()),
                )
                for place, j in zip(places, inverse, strict=True)
                if known[j]
            }
            return found | Together(tracer, run, zeros, which, sizes).picks(places[~known[inverse]])
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


class Together:
    """Operands that several whole numbers choose together.

    Args:
        tracer: runs the function.
        run: the run with zeros for all whole numbers.
        zeros: these.
        which: of each whole number the argument, and its place there.
        sizes: how many values each takes.
    """

    def __init__(
        self, tracer: Trace, run: Run, zeros: list[list[int]], which: Sequence[tuple[int, int]], sizes: Any
    ) -> None:
        self.tracer, self.run, self.zeros, self.which, self.sizes = tracer, run, zeros, which, sizes
        self.rng = np.random.default_rng(1)

    def picks(self, places: Any) -> dict[int, Found]:
        """The picks at these places among all operands."""
        if not len(places):
            return {}
        depends = self.dependence(places)
        sets, inverse = np.unique(depends, axis=0, return_inverse=True)
        keys = [tuple(np.flatnonzero(row).tolist()) for row in sets]
        inverse = inverse.reshape(-1)
        for k, members in enumerate(keys):
            count = int(np.prod(self.sizes[list(members)]))
            if count > LARGEST or not members:
                self.refuse(int(places[np.argmax(inverse == k)]), len(members), count)
        tables: dict[int, Any] = {}
        for group in apart(keys):
            tables.update(self.tables(places, group, keys))
        self.check(places, inverse, keys, tables)
        found = {}
        for at, k in zip(range(len(places)), inverse.tolist(), strict=True):
            pick = Pick(tuple(self.which[i] for i in keys[k]), tuple(self.sizes[list(keys[k])].tolist()))
            found[int(places[at])] = pick, tuple(tables[k][:, at].tolist())
        return found

    def dependence(self, places: Any) -> Any:
        """For each place the whole numbers that change it: alone, beside a few values of the others."""
        depends = np.zeros((len(places), len(self.sizes)), dtype=bool)
        for _ in range(RANDOM):
            values = self.rng.integers(0, self.sizes)
            base = self.numbers(values, places)
            for k, n in enumerate(self.sizes.tolist()):
                if n > 1:
                    other = values.copy()
                    other[k] = (values[k] + self.rng.integers(1, n)) % n
                    depends[:, k] |= self.numbers(other, places) != base
        return depends

    def tables(self, places: Any, group: Sequence[int], keys: Sequence[tuple[int, ...]]) -> dict[int, Any]:
        """What stands at the places for all combinations of some whole numbers; no two of these sets share one."""
        shapes = {k: tuple(self.sizes[list(keys[k])].tolist()) for k in group}
        counts = {k: int(np.prod(shape)) for k, shape in shapes.items()}
        rows = []
        for r in range(max(counts.values())):
            values = np.zeros(len(self.sizes), dtype=int)
            for k in group:
                values[list(keys[k])] = np.unravel_index(r % counts[k], shapes[k])
            rows.append(self.numbers(values, places))
        return {k: np.array(rows[: counts[k]]) for k in group}

    def check(self, places: Any, inverse: Any, keys: Sequence[tuple[int, ...]], tables: dict[int, Any]) -> None:
        """Hold the tables to runs with random whole numbers."""
        for _ in range(2 * RANDOM):
            values = self.rng.integers(0, self.sizes)
            numbers = self.numbers(values, places)
            for at, k in enumerate(inverse.tolist()):
                members = list(keys[k])
                row = np.ravel_multi_index(tuple(values[members]), tuple(self.sizes[members]))
                if tables[k][row, at] != numbers[at]:
                    self.refuse(int(places[at]), 0, 0)

    def numbers(self, values: Any, places: Any) -> Any:
        """The operands at some places of a run with these whole numbers."""
        return indexed(self.tracer, self.run, self.zeros, values)[places]

    def refuse(self, place: int, count: int, combinations: int) -> NoReturn:
        """Raise, naming the line of the operand at this place."""
        n = owner(self.run, place)
        line = self.tracer.line(n, self.zeros) if n >= 0 else name_of(self.tracer.f)
        how = f"{count} whole numbers together, which take {combinations:,} combinations: at most {LARGEST:,} are tried"
        how = how if combinations > LARGEST else "whole numbers in a way that is no table"
        raise TraceError(f"{line}: an operand depends on {how}; look up one or two at a time: table[i][j]")


def apart(sets: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Groups of sets, by their numbers, of which no two in a group share a member.

    >>> apart([(0, 1), (1, 2), (2, 3)])
    [[0, 2], [1]]
    """
    groups: list[tuple[list[int], set[int]]] = []
    for k, members in enumerate(sets):
        for group, taken in groups:
            if taken.isdisjoint(members):
                group.append(k)
                taken.update(members)
                break
        else:
            groups.append(([k], {*members}))
    return [group for group, _ in groups]
