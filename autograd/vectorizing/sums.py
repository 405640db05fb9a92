"""Sums in a plan: matrix products, reductions, and what is left, which is added up element by element.

Each sum is a list of terms (coefficient, factors). The members of a group have the same kinds of terms: terms of one
kind have their factors in the same arrays. A kind with one term a member is elementwise. A kind with many terms
becomes a product or a reduction, whose result is a term of its own then. A matrix product has its weights stored as
(in, out).
"""

from __future__ import annotations

import math
import operator
from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.vectorizing.array_program import BATCH
from autograd.vectorizing.groups import LONG, NOWHERE, Group, Groups, Places, taken
from autograd.vectorizing.products import Product, products_of
from autograd.vectorizing.scalars import NOTHING, Bound, Scalars, Terms, offsets, ranges
from autograd.vectorizing.tree import made

NEUTRAL: dict[Any, float] = {
    ops.sum: 0.0, ops.max: -np.inf, ops.min: np.inf, ops.logsumexp: -np.inf, ops.prod: 1.0,
}  # fmt: skip
"""What changes nothing in a reduction, for the places where a shorter one has no operand."""


LONGEST = 1000  # characters of a sum of arrays on one line


Key = tuple[int, ...]
"""What terms of one kind have in common: where their one or two factors lie, and which of two vary."""


class Kind(NamedTuple):
    """Terms of one kind, in the order of the sums that they belong to."""

    members: Places
    """Which of the sums each term belongs to."""
    coefficients: np.ndarray[Any, Any]
    first: Places
    second: Places
    """The second factors, -1 where there is one factor alone."""

    def each(self, nodes: Places) -> list[list[int]]:
        """These numbers, one for each term, as a list for each sum."""
        ends = np.flatnonzero(np.diff(self.members)) + 1
        flat = nodes.tolist()
        return [flat[a:b] for a, b in pairwise([0, *ends.tolist(), len(flat)])]


class Part(NamedTuple):
    """The terms that an elementwise sum adds at once: one for each member."""

    coefficients: list[float]
    factors: list[list[int]]
    """The first factor of each member, then the second."""


class Sums(Groups):
    """A plan that can state sums."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._terms = all_terms(self.graph)

    def terms(self, members: Sequence[int]) -> Kind:
        """All terms of these sums; the factors of a constant are -1."""
        ends, found = self._terms
        at = np.array(members, dtype=np.intp)
        counts = ends[at + 1] - ends[at]
        places = ranges(ends[at], counts)
        return Kind(np.repeat(np.arange(len(at)), counts), *(x[places] for x in found[1:]))

    def kinds(self, terms: Kind) -> tuple[list[Key], Places, Kind]:
        """The kinds of terms, in the order in which they come first; that of each term; the terms without constants.

        The factors of a product come as (row's, column's): what does not vary, or else what was computed last, first.
        """
        products = terms.first >= 0
        terms = Kind(*(x[products] for x in terms))
        flat = [*terms.first.tolist(), *terms.second.tolist()]
        (a, b), (a_varies, b_varies) = (
            np.array([have[n] for n in flat], dtype=np.intp).reshape(2, -1) for have in (self.home, self.varying)
        )
        two = terms.second >= 0
        (turned,) = np.nonzero(two & np.where(a_varies != b_varies, a_varies > 0, b > a))
        for x, y in ((terms.first, terms.second), (a, b), (a_varies, b_varies)):
            x[turned], y[turned] = y[turned], x[turned]
        found: dict[Any, int] = {}
        columns = [x.tolist() for x in (two, a, b, a_varies, b_varies)]
        which = [found.setdefault(key[: 2 + 3 * key[0]], len(found)) for key in zip(*columns, strict=True)]
        return [key[1:] for key in found], np.array(which, dtype=np.intp), terms

    def families(self, members: list[int]) -> dict[int, bytes]:
        """Which of some sums have the same kinds of terms: a text for each, the same for these."""
        if len(members) < 2:
            return dict.fromkeys(members, b"")
        keys, which, terms = self.kinds(self.terms(members))
        pairs = np.unique(terms.members * (len(keys) + 1) + which)
        owners, kinds = np.divmod(pairs, len(keys) + 1)
        bounds = np.searchsorted(owners, np.arange(len(members) + 1)).tolist()
        return {n: kinds[a:b].tobytes() for n, (a, b) in zip(members, pairwise(bounds), strict=True)}

    def sums(self, members: list[int]) -> None:
        """Sums of the same kinds of terms. Those that turn out to have other kinds are stated apart."""
        whole = self.terms(members)
        keys, which, terms = self.kinds(whole)
        size = len(keys), len(members)
        counts = np.bincount(which * len(members) + terms.members, minlength=math.prod(size)).reshape(size)
        present = counts > 0
        # parameters may have found their places since these were put together
        if len(members) > 1 and (present != present[:, :1]).any():
            apart: dict[bytes, list[int]] = defaultdict(list)
            for n, column in zip(members, present.T, strict=True):
                apart[column.tobytes()].append(n)
            for group in apart.values():
                self.sums(group)
            return
        constants = np.full(len(members), NOTHING)
        if len(which) < len(whole.members):
            np.add.at(constants, whole.members[whole.first < 0], whole.coefficients[whole.first < 0])
        varying = self.varying[members[0]]
        order, ends = np.argsort(which, kind="stable"), np.cumsum(counts.sum(axis=1)).tolist()
        terms = Kind(*(x[order] for x in terms))
        kinds = [Kind(*(x[start:end] for x in terms)) for start, end in pairwise([0, *ends])]
        largest = sorted(zip(keys, kinds, counts, strict=True), key=lambda item: (len(item[0]) == 1, -item[2].max()))
        parts = [part for _, kind, counts in largest for part in self.parts(kind, counts, varying)]
        self.add_up(members, parts, constants.tolist())

    def ranks(self, nodes: Places) -> Places:
        """Numbers that sort scalars by array and place; parameters that lie nowhere by their number."""
        home, place = self.home, self.place
        return np.array([(home[n] << 32) + place[n] if home[n] >= 0 else n for n in nodes.tolist()], dtype=np.intp)

    def parts(self, kind: Kind, counts: Places, varying: bool) -> list[Part]:
        """The terms of one kind, at most two for each member. More are reduced to one first."""
        cs, single = kind.coefficients.tolist(), bool(kind.second[0] < 0)
        fewest, most = int(counts.min()), int(counts.max())
        if most == 1:
            return [Part(cs, [x.tolist() for x in (kind.first, kind.second)[: 2 - single]])]
        if single and fewest == most == 2:
            pairs = np.argsort(self.ranks(kind.first).reshape(-1, 2), axis=1, kind="stable")
            rows = (np.take_along_axis(x.reshape(-1, 2), pairs, 1).T for x in (kind.coefficients, kind.first))
            return [Part(c.tolist(), [x.tolist()]) for c, x in zip(*rows, strict=True)]
        scale = common(cs)
        targets = [self.scalar(varying) for _ in counts]
        if not single or scale is None:
            self.dots(targets, self._scaled(kind) if scale is None else kind)
        else:
            mean = fewest == most and scale == 1 / most
            self.reduce(ops.mean if mean else ops.sum, targets, kind.each(kind.first))
            scale = 1.0 if mean else scale
        return [Part([1.0 if scale is None else scale] * len(targets), [targets])]

    def dots(self, targets: list[int], kind: Kind) -> None:
        """Sums of products: matrix products."""
        u_varies, v_varies = self.varying[kind.first[0]], self.varying[kind.second[0]]
        order = np.lexsort((self.ranks(kind.first), self.ranks(kind.second), kind.members))
        us, vs = (map(tuple, kind.each(x[order])) for x in (kind.first, kind.second))
        for product in products_of(list(zip(us, vs, strict=True)), not u_varies):
            self.product(product, targets, u_varies, v_varies)

    def _scaled(self, kind: Kind) -> Kind:
        """Coefficients that differ become factors: of a single factor the other one, of two a part of the first."""
        cs, us = kind.coefficients.tolist(), kind.first.tolist()
        if kind.second[0] < 0:
            return kind._replace(first=np.array([self.number(c) for c in cs], dtype=np.intp), second=kind.first)
        wanted = list({(repr(c), u): (c, u) for c, u in zip(cs, us, strict=True)}.values())
        scaled = {(repr(c), u): self.scalar(self.varying[u]) for c, u in wanted}
        columns = [[self.number(c) for c, _ in wanted], [u for _, u in wanted]]
        grid, (scale, factor) = self.arranged(columns, len(wanted))
        members = taken(list(scaled.values()), grid)
        self.state("each", scale * factor, grid.shape, members, self.varying[wanted[0][1]], False)
        return kind._replace(first=np.array([scaled[repr(c), u] for c, u in zip(cs, us, strict=True)], dtype=np.intp))

    def product(self, product: Product, targets: list[int], u_varies: bool, v_varies: bool) -> None:
        """One matrix product, or several of one shape."""
        (g, r, _), c = product.rows.shape, product.columns.shape[1]
        members = np.where(product.members >= 0, np.array(targets)[product.members], -1)
        if r == c == 1 and (g > 1 or u_varies == v_varies):
            self.products_apart(product, members.reshape(-1), u_varies, v_varies)
        else:
            self.matmul(product, members, u_varies, v_varies)

    def products_apart(self, product: Product, out: Places, u_varies: bool, v_varies: bool) -> None:
        """Products of which no two share a factor: multiply element by element, and sum."""
        varying = u_varies or v_varies
        u, v = product.rows[:, 0], product.columns[:, 0]
        holes = bool((u < 0).any())
        u_fill, v_fill = (0.0, None) if holes else (None, 0.0)
        along = self.along([[x for x in row if x >= 0] for row in v.tolist()])
        if along is not None and not holes:
            partner = dict(zip(v.reshape(-1).tolist(), u.reshape(-1).tolist(), strict=True))
            grid, v = along
            u = np.array([partner.get(x, -1) for x in v.reshape(-1).tolist()], dtype=np.intp).reshape(v.shape)
            out = taken(out, grid)
        elif len(u) == 1:
            u, v, out = u[0], v[0], out[0]
        left = self.operand(u, fill=u_fill, exact=u_varies or not varying, letter="w")
        right = self.operand(v, fill=v_fill, exact=v_varies)
        total = ops.sum(left * right, axis=last(v.ndim - out.ndim))
        self.state("sum", total, out.shape, out, varying, True)

    def matmul(self, product: Product, out: Places, u_varies: bool, v_varies: bool) -> None:
        """Sums that share factors, as a matrix product: queries times keys, or inputs times weights."""
        rows, columns, _ = product
        (g, r, _), c = rows.shape, columns.shape[1]
        varying = u_varies or v_varies
        first_fill, second_fill = (0.0, None) if (rows < 0).any() else (None, 0.0)
        if u_varies:
            first, second = rows, columns.transpose(0, 2, 1)
        else:  # weights are stored (in, out)
            first, second, out = columns, rows.transpose(0, 2, 1), out.transpose(0, 2, 1)
            first_fill, second_fill = second_fill, first_fill
        if g == 1:
            first, second, out = first[0], second[0], out[0]
        if g == 1 and not u_varies and r == 1:
            second, out = second[:, 0], out[:, 0]
        if g == 1 and not u_varies and c == 1:
            first, out = first[0], out[0]
        left = self.operand(first, exact=True, fill=first_fill)
        right = self.operand(second, exact=True, fill=second_fill, letter="w")
        if self.width(left) + self.width(right) > LONG:  # queries and keys get lines of their own
            left = self.line(left, first.shape, varying)
            right = self.line(right, second.shape, u_varies)
        self.products += 1
        group = self.state("product", left @ right, out.shape, out, varying, True)
        if (out < 0).any():
            self._plug(group, out)

    def _plug(self, group: Group, members: Places) -> None:
        """Put numbers that are wanted where none are, so that nothing strange is computed from what nobody wants."""
        flat = members.reshape(-1, members.shape[-1])
        first = (flat >= 0).argmax(axis=1)
        places = np.arange(members.size).reshape(flat.shape)
        usable = (flat >= 0).any(axis=1)
        spare = places.reshape(-1)[np.argmax(members.reshape(-1) >= 0)]
        instead = np.where(usable, places[np.arange(len(flat)), first], spare)
        repeated = np.repeat(instead[:, None], flat.shape[1], axis=1).reshape(members.shape)
        mask = self.constant(members >= 0, "m")
        value = ops.where(mask, group.leaf, self.view(group, repeated))
        self.state("each", value, group.shape, members, group.varying, False)

    def add_up(self, members: list[int], parts: Any, constants: list[float]) -> None:
        """The elementwise end of sums: coefficient times factors, and a constant."""
        if len(parts) == 1 and not any_added(constants) and set(parts[0][0]) == {1.0} and len(parts[0][1]) == 1:
            for n, x in zip(members, parts[0][1][0], strict=True):
                if self.home[x] == NOWHERE:  # a sum of one parameter alone: it gets a place
                    self.operand(np.array(x, dtype=np.intp))
                self.home[n], self.place[n] = self.home[x], self.place[x]
            return
        if self._linear(members, parts, constants):
            return
        if not parts:  # nothing but numbers is left
            value = self.constant(np.array(constants if len(members) > 1 else constants[0]), "c")
            shape = (len(members),) if len(members) > 1 else ()
            self.state("each", value, shape, np.array(members).reshape(shape), self.varying[members[0]], False)
            return
        columns = [column for _, part in parts for column in part]
        grid, factors = self.arranged(columns, len(members))
        total: Any = None
        width, each = 0, iter(factors)
        varying = self.varying[members[0]]
        terms = [(cs, [next(each) for _ in part]) for cs, part in parts]
        for cs, term in terms + [(constants, [])] * any_added(constants):
            if width > LONGEST:  # Python's compiler recurses through an expression
                total, width = self.line(total, grid.shape, varying), 0
            minus = total is not None and common(cs) is not None and cs[0] < 0
            product = self._term([-c for c in cs] if minus else cs, term, grid)
            total = product if total is None else total - product if minus else total + product
            width += self.width(product) + 3
        self.state("each", total, grid.shape, taken(members, grid), varying, False)

    def _term(self, cs: list[float], factors: list[Any], grid: Places) -> Any:
        """A coefficient for each member, times the factors."""
        if common(cs) is None:
            c = self.constant(np.where(grid >= 0, np.array(cs)[grid], cs[0]), "c")
            return c * reduce(operator.mul, factors) if factors else c
        if not factors:
            return float(cs[0])
        if cs[0] in (1, -1):
            product = reduce(operator.mul, factors)
            return product if cs[0] == 1 else -product
        return reduce(operator.mul, [float(cs[0]), *factors])

    def _linear(self, members: list[int], parts: Any, constants: list[float]) -> bool:
        """``x @ w + b`` in one operation, if that is what the sum is."""
        if len(parts) != 2 or any_added(constants) or any(set(cs) != {1.0} or len(part) != 1 for cs, part in parts):
            return False
        (_, (virtual,)), (_, (bias,)) = parts
        if min(virtual) < len(self.graph):  # others may read the product as it is
            return False
        statement = self.statements[-1] if self.statements else None
        if statement is None or self.varying[bias[0]]:
            return False
        target = statement.target
        if target.kind != "product" or not target.varying or not target.shape or self.groups[-1] is not target:
            return False
        if any(self.home[x] != target.number for x in virtual):
            return False
        x, w = made(statement.value, ops.matmul)
        if w.op is not None or w.ndim != 2 or BATCH in w.shape:
            return False
        at = np.array([self.place[x] for x in virtual])
        grid = np.full(target.shape, -1, dtype=np.intp)
        grid.reshape(-1)[at] = np.array(bias)
        row = grid.reshape(-1, target.shape[-1])
        if (row < 0).any() or (row != row[0]).any():
            return False
        b = self.operand(row[0], exact=True)
        self.statements.remove(statement)
        self.statements.append(statement)
        statement.value = ops.linear(x, w, b)
        for n, product in zip(members, virtual, strict=True):
            self.home[n], self.place[n] = self.home[product], self.place[product]
        return True

    def reduce(self, op: Any, targets: list[int], sums: list[list[int]]) -> None:
        """Reduce each list to its target."""
        row, params = (op.row, dict(op.params)) if isinstance(op, Bound) else (op, {})
        grid, nodes = self.lists(sums, row in NEUTRAL)
        operand = self.operand(nodes, exact=True, fill=NEUTRAL.get(row))
        varying = any(self.varying[n] for s in sums for n in s)
        value = row.apply((operand,), {**params, "axis": last(nodes.ndim - grid.ndim)})
        self.state("reduce", value, grid.shape, taken(targets, grid), varying, True)


def all_terms(graph: Scalars) -> tuple[Places, Kind]:
    """The terms of all sums of a graph, and where those of each result begin."""
    written = [
        (np.array(op.coefficients), np.array(op.widths, dtype=np.intp)) if type(op) is Terms else NONE
        for op in graph.table.operations
    ]
    codes = graph.codes.tolist()
    rows = [written[code] for code in codes if code >= 0 and written[code] is not NONE] or [NONE]
    counts = np.array([len(x) for x, _ in written] + [0], dtype=np.intp)[np.maximum(graph.codes, -1)]
    widths = np.concatenate([widths for _, widths in rows])
    sums = np.flatnonzero(graph.among([op for op in graph.table.operations if type(op) is Terms]))
    starts = graph.starts[sums]
    flat = np.append(graph.operands[ranges(starts, graph.starts[sums + 1] - starts)], [-1, -1])
    places = np.cumsum(widths) - widths
    return offsets(counts), Kind(
        np.repeat(np.arange(len(graph)), counts),
        np.concatenate([coefficients for coefficients, _ in rows]),
        np.where(widths > 0, flat[places], -1),
        np.where(widths > 1, flat[places + 1], -1),
    )


NONE = np.zeros(0), np.zeros(0, dtype=np.intp)


def common(numbers: Sequence[float]) -> float | None:
    """The one number that all of these are; None if they differ. 0.0 and -0.0 do."""
    first, signs = numbers[0], {math.copysign(1, c) for c in numbers} if 0 in numbers else ()
    return first if len(signs) < 2 and numbers.count(first) == len(numbers) else None


def any_added(constants: Sequence[float]) -> bool:
    """Whether adding these changes anything: -0.0 does not, 0.0 does."""
    return any(c != 0 or math.copysign(1, c) > 0 for c in constants)


def columns(rows: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """The first of each row, then the second, and so on."""
    return [list(column) for column in zip(*rows, strict=True)]


def last(count: int) -> tuple[int, ...]:
    """The last axes, counted from the end."""
    return tuple(range(-count, 0))
