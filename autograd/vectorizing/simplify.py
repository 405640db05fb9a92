"""The first passes over a graph of scalars: fold what is known, share what is the same, drop what nobody needs.

Each looks at the whole graph as arrays, to find where there is something to do. What is done there may give its users
something to do. So a pass takes time in proportion to the graph, and what is slow in it to what it changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Reduction
from autograd.vectorizing.scalars import CONSTANT, Array, Bound, Pick, Scalars, ranges

COMMUTATIVE = (ops.add, ops.mul, ops.maximum, ops.minimum, ops.hypot)


class Queue:
    """Results that a pass looks at, each once, in their order: operands before what is applied to them."""

    def __init__(self, graph: Scalars, first: Array) -> None:
        self.graph = graph
        self.waiting: list[int] = first.tolist()  # sorted, so a heap
        self.entered = set(self.waiting)
        self._users: tuple[Any, Any] | None = None

    def __iter__(self) -> Queue:
        return self

    def __next__(self) -> int:
        if not self.waiting:
            raise StopIteration
        return heapq.heappop(self.waiting)

    def users(self, n: int) -> None:
        """The users of a result are to be looked at."""
        if self._users is None:
            self._users = self.graph.users()
        users, starts = self._users
        for user in users[starts[n] : starts[n + 1]].tolist():
            if user not in self.entered:
                self.entered.add(user)
                heapq.heappush(self.waiting, user)


def fold(graph: Scalars) -> Scalars:
    """Operations on constants alone become constants, and neutral ones nothing.

    ``0 + x`` stays, as a sum of one: where one writes ``sum(list)``, a list of one is built as the longer ones are,
    and keeps its place beside them.
    """
    folding = Folding(graph)
    for n in folding.queue:
        folding.look(n)
    return folding.result()


class Folding:
    """A graph that is being folded: what results have become so far.

    Only what a constant among its operands may change, or what undoes itself, is looked at, and the users of what has
    changed.
    """

    def __init__(self, graph: Scalars) -> None:
        self.graph, self.codes = graph, graph.codes.copy()
        self.taken = np.ones(len(graph.operands), dtype=bool)  # the operands that are left
        self.instead: dict[int, int] = {}  # results that are others now
        self.known: dict[int, Any] = {}  # the numbers of constants
        self.first: dict[str, int] = {}  # constants by their text, since 0.0 == -0.0
        constant, negative = graph.leaves(CONSTANT), graph.among([ops.neg])
        known = np.bincount(graph.owners[constant[graph.operands]], minlength=len(graph))  # how many operands
        first = constant | (known == np.maximum(graph.counts, 1)) | ((known > 0) & graph.among(NEUTRAL))
        first |= graph.among([ops.identity])
        (twice,) = np.nonzero(negative)
        first[twice[negative[graph.operands[graph.starts[twice]]]]] = True
        self.queue = Queue(graph, np.flatnonzero(first))

    def operation(self, n: int) -> Any:
        """The operation of a result as it is now, None of a leaf."""
        code = self.codes[n]
        return self.graph.table.operations[code] if code >= 0 else None

    def operands(self, n: int) -> list[int]:
        """The operands of a result as they are now."""
        start, end = self.graph.starts[n : n + 2]
        return [self.instead.get(a, a) for a in self.graph.operands[start:end][self.taken[start:end]].tolist()]

    def look(self, n: int) -> None:
        """Fold one result, if it can be."""
        op = self.operation(n)
        if op is None:
            self.constant(n, self.graph.table.leaves[-1 - self.codes[n]][1][0])
            return
        args = self.operands(n)
        known = [self.known.get(a) for a in args]
        if args and None not in known and type(op) is not Pick:
            self.constant(n, computed(op, known))
            return
        rule = NEUTRAL.get(op)
        found = rule(self, args, known) if rule else None
        if isinstance(found, int):
            self.instead[n] = found
        elif found is not None:
            self.apply(n, *found)
        if found is not None:
            self.queue.users(n)

    def constant(self, n: int, c: Any) -> None:
        """A result is this number: it becomes a constant, or the first one that is the same."""
        first = self.first.setdefault(str(c), n)
        if first == n:
            self.known[n] = c
            self.codes[n] = self.graph.table.leaf(CONSTANT, (c,))
            self.taken[slice(*self.graph.starts[n : n + 2])] = False
        else:
            self.instead[n] = first
        if self.graph.codes[n] >= 0:  # a leaf was a constant before
            self.queue.users(n)

    def apply(self, n: int, op: Any, place: int) -> None:
        """A result is an operation on a single one of its operands."""
        self.codes[n] = self.graph.table.operation(op, 1)
        start, end = self.graph.starts[n : n + 2].tolist()
        self.taken[start:end] = False
        self.taken[start + place] = True

    def result(self) -> Scalars:
        """The graph as it is now."""
        instead = np.arange(len(self.graph))
        instead[list(self.instead)] = list(self.instead.values())
        graph = self.graph.like(self.codes, self.graph.operands[self.taken], self.graph.outputs)
        return graph.only(instead == np.arange(len(graph)), instead)


def computed(op: Any, known: list[Any]) -> Any:
    """An operation on numbers that are known."""
    if op is questions.constant:
        return known[0]
    if isinstance(op, questions.Question):
        return bool(op.forward(*known))
    row, params = (op.row, dict(op.params)) if isinstance(op, Bound) else (op, {})
    return float(row.plain((np.array(known),) if isinstance(row, Reduction) else known, params))


Found = int | tuple[Any, int] | None
"""What an operation comes to: another result, or an operation on one of its operands (which one)."""


def _mul(folding: Folding, args: list[int], known: list[Any]) -> Found:
    c, place = (known[0], 1) if known[0] is not None else (known[1], 0)
    if c == 1:
        return args[place]
    return (ops.neg, place) if c == -1 else None


def _div(folding: Folding, args: list[int], known: list[Any]) -> Found:
    return args[0] if known[1] == 1 else None


def _power(folding: Folding, args: list[int], known: list[Any]) -> Found:
    if known[1] == 1:
        return args[0]
    return (ops.square, 0) if known[1] == 2 else None


def _where(folding: Folding, args: list[int], known: list[Any]) -> Found:
    return None if known[0] is None else args[1 if known[0] else 2]


def _neg(folding: Folding, args: list[int], known: list[Any]) -> Found:
    return folding.operands(args[0])[0] if folding.operation(args[0]) is ops.neg else None


NEUTRAL: dict[Any, Callable[[Folding, list[int], list[Any]], Found]] = {
    ops.mul: _mul,
    ops.div: _div,
    ops.power: _power,
    ops.where: _where,
    ops.neg: _neg,
    ops.identity: lambda folding, args, known: args[0],
}
"""Operation -> what it comes to, given its operands and which numbers they are; None if nothing is known of it."""


def share(graph: Scalars) -> Scalars:
    """The same operation on the same operands is computed once.

    Sorting finds what is the same already. Then users of what was merged may be the same, and they are looked at in
    their order. What is the same as one of these has the same operands, so it is looked at, too.
    """
    operands = in_order(graph)
    first = first_of_each(graph, operands)
    here = np.arange(len(graph))
    changed = np.zeros(len(graph), dtype=bool)
    changed[here[first != here]] = changed[first[first != here]] = True
    again = np.zeros(len(graph), dtype=bool)
    again[graph.owners[changed[operands]]] = True
    instead = dict(zip(here[first != here].tolist(), first[first != here].tolist(), strict=True))
    queue = Queue(graph, here[again & (first == here)])
    commutative = graph.among(COMMUTATIVE)
    known: dict[Any, int] = {}
    for n in queue:
        args = [instead.get(a, a) for a in graph.args_of(n)]
        args = [instead.get(a, a) for a in args]  # the first of several that are the same may be another one since
        found = known.setdefault((int(graph.codes[n]), tuple(sorted(args) if commutative[n] else args)), n)
        if found != n:
            instead[n] = found
            queue.users(n)
            queue.users(found)
    first[list(instead)] = list(instead.values())
    return graph.only(first == here, first)


def in_order(graph: Scalars) -> Array:
    """The operands; of what gives the same for both orders the first one first."""
    operands = graph.operands.copy()
    pairs = graph.starts[:-1][graph.among(COMMUTATIVE)]
    a, b = operands[pairs], operands[pairs + 1]
    operands[pairs], operands[pairs + 1] = np.minimum(a, b), np.maximum(a, b)
    return operands


ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio: its powers are as good as random


def first_of_each(graph: Scalars, operands: Array) -> Array:
    """For each result the first one that is the same operation on the same operands.

    Each result has a random number, and so has each code. What is the same has the same sum of these. So sorting the
    sums brings it together. The rows are compared all the same.
    """
    counts, starts, codes = graph.counts, graph.starts, graph.codes
    random = np.random.default_rng(0).integers(2**64, size=len(graph) + len(graph.table), dtype=np.uint64)
    powers = np.cumprod(np.full(counts.max(initial=0), ODD, dtype=np.uint64))
    parts = random[operands] * powers[ranges(np.zeros(len(graph), np.intp), counts)]
    hashes = random[codes - len(graph.table.operations)]
    some = counts > 0
    if some.any():
        hashes[some] += np.add.reduceat(parts, starts[:-1][some])
    order = np.argsort(hashes, kind="stable")
    alike = np.concatenate([[False], hashes[order[1:]] == hashes[order[:-1]]])
    leader = order[np.maximum.accumulate(np.where(alike, 0, np.arange(len(order))))]
    one, other = order[alike], leader[alike]
    one, other = (x[codes[one] == codes[other]] for x in (one, other))
    differ = operands[ranges(starts[one], counts[one])] != operands[ranges(starts[other], counts[other])]
    first = np.arange(len(graph))
    first[one] = other
    first[np.repeat(one, counts[one])[differ]] = np.repeat(one, counts[one])[differ]  # the hash alone is the same
    return first


def drop(graph: Scalars) -> Scalars:
    """What no output depends on goes."""
    return graph.only(graph.live())
