"""Sums, however they were written, as one node each: Σ coefficient · factor · factor + constant.

A sum that only another sum uses is absorbed by it. So the sums of a graph are trees, whose inner nodes are absorbed.
The terms of all trees are found at once. Each node has a pointer to the one above it. Following the pointers twice as
far in each round gives the root of each node, the sign on the way there, and the place of its first term.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.vectorizing.scalars import CONSTANT, NOTHING, Array, Scalars, Terms, offsets, ranges
from autograd.vectorizing.signs import below, seen

SUMS = (ops.add, ops.sub, ops.sum, ops._dot)
TERMS = (*SUMS, ops.neg)
WRITTEN = (ops.add, ops.sub, ops.neg)
PRODUCTS = (ops.mul, ops.div, ops.square)

FEW = 3  # terms of a sum that may all be 0 at once
MANY = 3  # terms of a sum that takes the constant that it is multiplied by: a mean


def affine(graph: Scalars) -> Scalars:
    """Rewrite every sum (any nesting and order of ``+ - neg sum dot``, products and quotients inside) as `Terms`.

    A sum that several results use, or that an operation other than a sum uses, is a root; others are absorbed.

    >>> from autograd import Value
    >>> from autograd.vectorizing.simplify import drop, fold
    >>> from autograd.vectorizing.tracing import trace
    >>> w, b = Value(1.0), Value(0.0)
    >>> graph, _ = trace(lambda x: (b - (x[0] * 2.0 - w * x[1])).tanh(), [(2,)])
    >>> print(drop(affine(graph)))
    %0 = input 0 0
    %1 = input 0 1
    %2 = parameter 0
    %3 = parameter 1
    %4 = %3 + -2·%0 + %2·%1
    %5 = tanh %4
    return %5
    """
    uses = graph.uses()
    roles = find_roles(graph, uses)
    flat = flattened(graph, roles)
    return rewritten(graph, roles, Products(graph, roles, uses, flat), flat)


# --------------------------------------------------------------------------------------------------- what is absorbed


class Roles(NamedTuple):
    """What each result is to the sums."""

    roots: Array
    """A sum that becomes a node."""
    absorbed: Array
    """A sum whose terms become terms of the one sum that uses it."""
    inside: Array
    """Every user is a sum, of which it is a term."""


def find_roles(graph: Scalars, uses: Array) -> Roles:
    """The roles of all results.

    An operand of an ordinary sum is a term of it, or a factor, in a dot product. What a negation's operand is depends
    on whether the negation is absorbed. So negations are decided one after the other, users before operands.
    """
    sums, dots = graph.among(SUMS), graph.among([ops._dot])
    as_written = short_and_seen(graph, uses)
    open_ = as_written | graph.among([ops.neg])
    owners = graph.owners
    place = place_of(graph, owners)
    term = sums[owners] & ~(dots[owners] & (place < graph.counts[owners] // 2 * 2))
    inside = np.ones(len(graph), dtype=bool)
    inside[graph.outputs] = False
    inside[graph.operands[~term & ~open_[owners]]] = False
    for n in np.flatnonzero(open_)[::-1].tolist():
        if inside[n] and uses[n] == 1:
            as_written[n] = False
        else:
            inside[graph.operands[graph.starts[n] : graph.starts[n + 1]]] = False
    absorbed = graph.among(TERMS) & (uses == 1) & inside
    return Roles(sums & ~absorbed & ~as_written, absorbed, inside)


def short_and_seen(graph: Scalars, uses: Array) -> Array:
    """Sums of few terms whose zeros somebody can tell apart: these stay as they are written. Others add up anyhow."""
    region = below(graph)
    if not region:
        return np.zeros(len(graph), dtype=bool)
    found, rows = seen(graph, region) & graph.among(WRITTEN), graph.rows()
    sums, constants = graph.among(TERMS), graph.leaves(CONSTANT)
    size: dict[int, int] = {}  # how many terms a sum has, with those of its partial sums
    for n in region:
        if sums[n]:
            sizes = [(a, size.get(a, int(not constants[a]))) for a in rows(n)]
            size[n] = sum(k if uses[a] == 1 else min(k, 1) for a, k in sizes)
            found[n] = found[n] and size[n] <= FEW
    return found


# -------------------------------------------------------------------------------------------------- the terms of sums


class Flat(NamedTuple):
    """The terms of all sums: those of the n-th result are the places from `starts[n]` to `starts[n + 1]`."""

    starts: Array
    signs: Array
    first: Array
    """A factor, or what is added."""
    second: Array
    """The other factor, -1 where there is none."""


def flattened(graph: Scalars, roles: Roles) -> Flat:
    """The terms of the roots, in the order in which one reads them."""
    size, operands, owners, starts = len(graph), graph.operands, graph.owners, graph.starts
    held = (roles.roots | roles.absorbed)[owners]
    place, pairs = place_of(graph, owners), np.where(graph.among([ops._dot]), graph.counts // 2, 0)
    other = held & (place >= pairs[owners]) & (place < 2 * pairs[owners])  # the second factor of a pair
    joint = held & roles.absorbed[operands]
    term = held & ~joint & ~other
    minus = graph.among([ops.neg])[owners] | (graph.among([ops.sub])[owners] & (place == 1))
    signs = np.where(minus, np.int8(-1), np.int8(1))

    up = np.arange(size)
    up[operands[joint]] = owners[joint]
    counts = totals(np.bincount(owners[term], minlength=size), up)
    before = offsets(np.where(joint, counts[operands], term))[:-1].astype(np.int32)
    before -= before[np.minimum(starts[owners], len(owners) - 1)]  # of the terms of an operation, those to the left
    shift, sign = np.zeros(size, dtype=np.int32), np.ones(size, dtype=np.int8)
    shift[operands[joint]], sign[operands[joint]] = before[joint], signs[joint]
    root, shift, sign = followed(up, shift, sign)

    ends = offsets(np.where(roles.roots, counts, 0))
    owner = owners[term]
    at = ends[root[owner]] + shift[owner] + before[term]
    partner = np.where(pairs[owner] > place[term], np.flatnonzero(term) + pairs[owner], -1)
    found = Flat(ends, *(np.empty(ends[-1], kind) for kind in (np.int8, np.int32, np.int32)))
    found.signs[at] = sign[owner] * signs[term]
    found.first[at] = operands[term]
    found.second[at] = np.where(partner >= 0, operands[partner], -1)
    return found


def place_of(graph: Scalars, owners: Array) -> Array:
    """The place of each operand among those of its operation."""
    return np.arange(len(owners), dtype=np.int32) - graph.starts.astype(np.int32)[owners]


def totals(own: Array, up: Array) -> Array:
    """What each node of trees has together with all that point to it, from far or near.

    >>> totals(np.array([1, 1, 5, 1]), np.array([1, 3, 3, 3])).tolist()
    [1, 2, 5, 8]
    """
    found, beyond = own.copy(), len(up)
    up = np.append(np.where(up == np.arange(beyond), beyond, up), beyond)  # above a root there is nothing
    nodes = np.flatnonzero(up < beyond)
    while nodes.size:  # what a node has so far comes from less than 1, 2, 4 and so on below it: now from twice as far
        above = up[nodes]
        np.add.at(found, above, found[nodes])
        up[nodes] = up[above]
        nodes = nodes[up[nodes] < beyond]
    return found


def followed(up: Array, shift: Array, sign: Array) -> tuple[Array, Array, Array]:
    """The root of each node of trees, and the sum of the shifts and the product of the signs on the way there.

    >>> [x.tolist() for x in followed(np.array([1, 2, 2]), np.array([5, 3, 0]), np.array([-1.0, -1.0, 1.0]))]
    [[2, 2, 2], [8, 3, 0], [1.0, -1.0, 1.0]]
    """
    nodes = np.flatnonzero(up != np.arange(len(up)))
    while nodes.size:
        above = up[nodes]
        nodes, above = nodes[up[above] != above], above[up[above] != above]
        shift[nodes], sign[nodes], up[nodes] = shift[nodes] + shift[above], sign[nodes] * sign[above], up[above]
    return up, shift, sign


# ---------------------------------------------------------------------------------------------------------- products


class Products:
    """What a term that is a product comes to: a coefficient and at most two factors.

    Constants in it become a part of the coefficient: those products are gone through one by one.
    """

    def __init__(self, graph: Scalars, roles: Roles, uses: Array, flat: Flat) -> None:
        self.graph, self.roots, self.uses, self.flat = graph, roles.roots, uses, flat
        products, self.constant = graph.among(PRODUCTS), graph.leaves(CONSTANT)
        self.opened = products & roles.inside
        self.numbers = np.ones(len(graph))
        self.numbers[self.constant] = [graph.args_of(n)[0] for n in np.flatnonzero(self.constant).tolist()]
        self.coefficients = np.ones(len(graph))
        self.first, self.second = np.arange(len(graph), dtype=np.int32), np.full(len(graph), -1, dtype=np.int32)
        self.scaled: dict[int, tuple[int, float]] = {}
        """Products that became sums: of the terms of which root, and the coefficient that each has."""
        for op, last in ((ops.mul, 1), (ops.square, 0)):
            some = graph.among([op])
            starts = graph.starts[:-1][some]
            self.first[some], self.second[some] = graph.operands[starts], graph.operands[starts + last]
        for n in np.flatnonzero(graph.among([ops.mul, ops.div]) & with_any(graph, self.constant)).tolist():
            c, factors = self.stripped(n)
            self.coefficients[n] = c
            self.first[n], self.second[n] = factors
            if factors[1] < 0 and factors[0] != n and (even := self.mean(c, factors[0])) is not None:
                self.scaled[n] = even
                self.opened[n] = False

    def stripped(self, n: int) -> tuple[float, tuple[int, int]]:
        """Coefficient and factors of a product with a constant, or of a quotient by one: of what it scales, scaled."""
        op, args = self.graph.table.operations[self.graph.codes[n]], self.graph.args_of(n)
        a, b = args if op is not ops.mul or self.constant[args[1]] else args[::-1]
        if not self.constant[b]:
            return 1.0, (int(self.first[n]), int(self.second[n]))
        k, c = float(self.numbers[b]), float(self.coefficients[a])
        if (scaled := scaled_by(k, c, op)) is not None:
            return scaled, (int(self.first[a]), int(self.second[a]))
        return (1.0, (n, -1)) if (scaled := scaled_by(k, 1.0, op)) is None else (scaled, (a, -1))

    def mean(self, c: float, x: int) -> tuple[int, float] | None:
        """A long sum times a constant, as the terms of a root with this coefficient each."""
        if self.uses[x] > 1 or not 0 < c < math.inf:
            return None
        root, even = self.scaled[x] if x in self.scaled else (x, self.even(x))
        return None if even is None else (root, c * even)

    def even(self, n: int) -> float | None:
        """The coefficient of all terms of a long sum, if each has one factor and this coefficient."""
        if not self.roots[n] or self.flat.starts[n + 1] - self.flat.starts[n] < MANY:
            return None
        coefficients, first, second = self.terms(self.flat, slice(*self.flat.starts[n : n + 2]))
        kept = first >= 0
        added = total(coefficients[~kept], np.zeros(np.count_nonzero(~kept), np.intp), 1)
        coefficients = coefficients[kept]
        if added[1][0] or len(coefficients) < MANY or (second >= 0).any() or (coefficients != coefficients[0]).any():
            return None
        return float(coefficients[0])

    def terms(self, flat: Flat, some: slice = slice(None)) -> tuple[Array, Array, Array]:
        """Coefficients and factors of terms, with the factors of products; -1 for each that there is not."""
        coefficients, first, second = flat.signs[some].astype(float), flat.first[some].copy(), flat.second[some].copy()
        products = np.flatnonzero((second < 0) & self.opened[first])
        of = first[products]
        coefficients[products] *= self.coefficients[of]
        first[products], second[products] = self.first[of], self.second[of]
        for factors in (first, second):
            known = (factors >= 0) & self.constant[factors]
            coefficients[known] *= self.numbers[factors[known]]
            factors[known] = -1
        return coefficients, np.where(first < 0, second, first), np.where(first < 0, -1, second)


def with_any(graph: Scalars, wanted: Array) -> Array:
    """Which results have one of these among their operands."""
    found = np.zeros(len(graph), dtype=bool)
    found[graph.owners[wanted[graph.operands]]] = True
    return found


def scaled_by(k: float, c: float, op: Any) -> float | None:
    """A coefficient times a constant, or divided by it; None if the number is too large or too small, or a new 0."""
    if op is ops.div and not k:
        return None
    scaled = c * k if op is ops.mul else c / k
    return scaled if math.isfinite(scaled) and (scaled or not c or not k) else None


# ----------------------------------------------------------------------------------------------------------- the sums


def total(numbers: Array, owners: Array, size: int) -> tuple[Array, Array]:
    """The sum of the constants that each result adds, in their order, and whether it has to be written."""
    found, some = np.full(size, NOTHING), np.zeros(size, dtype=bool)
    np.add.at(found, owners, numbers)
    some[owners[numbers != 0]] = True
    return found, some | (found != 0)


def rewritten(graph: Scalars, roles: Roles, products: Products, flat: Flat) -> Scalars:
    """The graph with its roots as `Terms`, and without what they absorbed."""
    size, table = len(graph), graph.table
    coefficients, first, second = products.terms(flat)
    owners, kept = np.repeat(np.arange(size), np.diff(flat.starts)), first >= 0
    added, written = total(coefficients[~kept], owners[~kept], size)
    counts = np.bincount(owners[kept], minlength=size)
    ends = np.cumsum(counts)
    (last,) = np.nonzero(roles.roots & (written | (counts == 0)))  # roots whose last term is a number
    coefficients = np.insert(coefficients[kept], ends[last], added[last])
    widths = np.insert(1 + (second[kept] >= 0), ends[last], 0)
    factors = np.stack([first[kept], second[kept]], axis=1).reshape(-1)
    pool = np.concatenate([graph.operands, factors[factors >= 0]])  # of the operands of all
    del first, second, owners, factors

    counts[last] += 1
    at, places = offsets(counts), np.zeros(size + 1, dtype=np.intp)
    places[1:] = offsets(widths)[at[1:]]
    codes, lengths, sources = graph.codes.copy(), graph.counts, graph.starts[:-1].copy()
    known: dict[Any, int] = {}
    for n in np.flatnonzero(roles.roots).tolist():
        terms = slice(at[n], at[n + 1])
        key = coefficients[terms].tobytes(), widths[terms].tobytes()
        if key not in known:
            op = Terms(tuple(coefficients[terms].tolist()), tuple(widths[terms].tolist()))
            known[key] = table.operation(op, sum(op.widths))
        codes[n] = known[key]
    for n, (root, c) in products.scaled.items():
        count = int(counts[root])
        codes[n] = table.operation(Terms((c,) * count, (1,) * count), count)
    sums = np.flatnonzero(roles.roots)
    sources[sums], lengths[sums] = len(graph.operands) + places[sums], np.diff(places)[sums]
    for n, (root, _) in products.scaled.items():
        sources[n], lengths[n] = sources[root], lengths[root]
    left = ~roles.absorbed
    numbers = np.cumsum(left) - 1
    operands = numbers[pool[ranges(sources[left], lengths[left])]]
    return graph.like(codes[left], operands, numbers[np.array(graph.outputs, dtype=np.intp)])
