"""From a graph of scalars to statements on arrays: level by level, siblings become one array operation each.

Sums of products go through `products`, all else is grouped by operation and by where its operands lie. `layout` chooses
the order and shape of a group after those of its operands, `views` reads an operand by slices where it can, and
a matrix product has its weights stored as (in, out).
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Op, Reduction
from autograd.vectorizing.array_program import BATCH
from autograd.vectorizing.groups import LONG, NOWHERE, Group, Groups, Places, taken
from autograd.vectorizing.products import Product, find_products
from autograd.vectorizing.scalars import Bound, Element, Leaf, Pick, Scalars, Terms, terms
from autograd.vectorizing.tree import Expression, made

NEUTRAL: dict[Any, float] = {
    ops.sum: 0.0, ops.max: -np.inf, ops.min: np.inf, ops.logsumexp: -np.inf, ops.prod: 1.0,
}  # fmt: skip
"""What changes nothing in a reduction, for the places where a shorter one has no operand."""


LONGEST = 1000  # characters of a sum of arrays on one line


class Plan(Groups):
    """The statements that compute a graph, after `affine`: level by level, family by family."""

    def __init__(
        self,
        graph: Scalars,
        names: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        indices: Container[int] = (),
        called: Mapping[Op, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(graph, names, shapes, indices, called)
        for level in levels(graph, self.varying):
            self.level(level)

    # ------------------------------------------------------------------------------------------------------ levels

    def level(self, nodes: list[int]) -> None:
        """All operations of one level: what varies first, for it has the matrices."""
        families: dict[Any, list[int]] = defaultdict(list)
        for n in nodes:
            families[self.family(n)].append(n)
        for key, members in sorted(families.items(), key=lambda item: not item[0][1]):
            kind = key[0]
            if kind == "terms":
                self.sums(members)
            elif kind == "reduce":
                self.reductions(members)
            elif kind == "pick":
                self.picks(members)
            elif kind == "element":
                self.elements(members)
            else:
                self.elementwise(members)

    def family(self, n: int) -> tuple[Any, ...]:
        """What makes operations siblings: the operation, and where the operands lie."""
        op, args, varying = self.graph.ops[n], self.graph.args[n], self.varying[n]
        home = self.home
        if isinstance(op, Terms):
            return "terms", varying, frozenset(self.slot(factors) for _, factors in terms(op, args) if factors)
        if isinstance(op, Element):
            return "element", varying, op.function, frozenset(home[a] for a in args)
        if isinstance(op, Pick):
            return "pick", varying, op.argument, frozenset(home[a] for a in args), len(args)
        if isinstance(op, Reduction) or (isinstance(op, Bound) and isinstance(op.row, Reduction)):
            fixed_length = None if op in NEUTRAL else len(args)
            return "reduce", varying, op, frozenset(home[a] for a in args), fixed_length
        return "each", varying, op, tuple(home[a] for a in args)

    def slot(self, factors: tuple[int, ...]) -> tuple[Any, ...]:
        """The kind of a term: where its factors lie."""
        if len(factors) == 1:
            return (self.home[factors[0]],)
        u, v = self.oriented(factors)
        return self.home[u], self.home[v], self.varying[u], self.varying[v]

    def oriented(self, factors: tuple[int, ...]) -> tuple[int, int]:
        """The factors of a product as (row's, column's): what does not vary, or else what was computed last, first."""
        a, b = factors
        if self.varying[a] != self.varying[b]:
            return (b, a) if self.varying[a] else (a, b)
        return (b, a) if self.home[b] > self.home[a] else (a, b)

    # ------------------------------------------------------------------------------------------------- elementwise

    def elementwise(self, members: list[int]) -> None:
        """The same operation on each."""
        args = [self.graph.args[n] for n in members]
        columns = [list(column) for column in zip(*args, strict=True)]
        grid, operands = self.arranged(columns, len(members))
        op = self.graph.ops[members[0]]
        row, params = (op.row, dict(op.params)) if isinstance(op, Bound) else (op, {})
        value = row.apply(operands, params)
        self.state("each", value, grid.shape, taken(members, grid), self.varying[members[0]], False)

    # -------------------------------------------------------------------------------------------------------- sums

    def sums(self, members: list[int]) -> None:
        """Sums of the same kinds of terms: products, reductions, and what is left added up elementwise."""
        slots: dict[Any, list[list[tuple[float, tuple[int, ...]]]]] = {}
        constants = [0.0] * len(members)
        for i, n in enumerate(members):
            for c, factors in terms(self.graph.ops[n], self.graph.args[n]):
                if not factors:
                    constants[i] += c
                    continue
                key = self.slot(factors)
                if len(factors) == 2:
                    factors = self.oriented(factors)
                if key not in slots:
                    slots[key] = [[] for _ in members]
                slots[key][i].append((c, factors))
        kinds: dict[Any, list[int]] = defaultdict(list)
        for i, n in enumerate(members):
            kinds[tuple([key for key, sums in slots.items() if sums[i]])].append(n)
        if len(kinds) > 1:  # parameters have found their places since these were put together
            for group in kinds.values():
                self.sums(group)
            return
        parts: list[tuple[list[float], list[list[int]]]] = []  # coefficients, and the factors' columns
        big = sorted(slots.items(), key=lambda item: (len(item[0]) == 1, -max(map(len, item[1]))))
        for key, sums in big:
            counts = {len(s) for s in sums}
            if counts == {1} or (len(key) == 1 and counts == {2}):
                rank = self.rank()
                for j in range(max(counts)):
                    chosen = [sorted(s, key=lambda t: [rank[x] for x in t[1]])[j] if len(s) > 1 else s[0] for s in sums]
                    columns = [list(column) for column in zip(*[factors for _, factors in chosen], strict=True)]
                    parts.append(([c for c, _ in chosen], columns))
                continue
            common = {c for s in sums for c, _ in s}
            scale = common.pop() if len(common) == 1 else None
            virtual = [self.scalar(self.varying[n]) for n in members]
            if len(key) == 1 and scale is not None:
                (count, *other) = counts
                mean = not other and scale == 1 / count
                lists = [[factors[0] for _, factors in s] for s in sums]
                self.reduce(ops.mean if mean else ops.sum, virtual, lists)
                scale = 1.0 if mean else scale
            else:
                self.dots(virtual, sums, scale is None)
            parts.append(([scale if scale is not None else 1.0] * len(members), [virtual]))
        self.add_up(members, parts, constants)

    def dots(self, targets: list[int], sums: Any, scaled: bool) -> None:
        """Sums of products: matrix products."""
        if scaled:
            sums = self._scaled(sums)
        pairs = [[factors for _, factors in s] for s in sums]
        u, v = pairs[0][0]
        for product in find_products(pairs, not self.varying[u], self.rank()):
            self.product(product, targets, self.varying[u], self.varying[v])

    def _scaled(self, sums: Any) -> Any:
        """Coefficients that differ become factors: of a single factor the other one, of two a part of the first."""
        if len(sums[0][0][1]) == 1:
            return [[(1.0, (self.number(c), *factors)) for c, factors in s] for s in sums]
        wanted = list(dict.fromkeys((c, factors[0]) for s in sums for c, factors in s))
        scaled = {pair: self.scalar(self.varying[pair[1]]) for pair in wanted}
        columns = [[self.number(c) for c, _ in wanted], [u for _, u in wanted]]
        grid, (scale, factor) = self.arranged(columns, len(wanted))
        members = taken([scaled[pair] for pair in wanted], grid)
        self.state("each", scale * factor, grid.shape, members, self.varying[wanted[0][1]], False)
        return [[(1.0, (scaled[c, factors[0]], factors[1])) for c, factors in s] for s in sums]

    def product(self, product: Product, targets: list[int], u_varies: bool, v_varies: bool) -> None:
        """One matrix product, or several of one shape."""
        rows, columns, members = product
        targets_at = np.where(members >= 0, np.array(targets)[members], -1)
        (g, r, _), c = rows.shape, columns.shape[1]
        varying = u_varies or v_varies
        row_holes = (rows < 0).any()
        u_fill, v_fill = (0.0, None) if row_holes else (None, 0.0)
        if r == c == 1 and (g > 1 or u_varies == v_varies):  # no two share anything: multiply and sum
            u, v, out = rows[:, 0], columns[:, 0], targets_at.reshape(-1)
            along = self.along([[x for x in row if x >= 0] for row in v.tolist()])
            if along is not None and not row_holes:
                grid, v = along
                partner = dict(zip(columns.reshape(-1).tolist(), rows.reshape(-1).tolist(), strict=True))
                u = np.array([partner.get(x, -1) for x in v.reshape(-1).tolist()], dtype=np.intp).reshape(v.shape)
                out = taken(out, grid)
                v_fill = 0.0
            elif g == 1:
                u, v, out = u[0], v[0], out[0]
            left = self.operand(u, fill=u_fill, exact=u_varies or not varying, letter="w")
            right = self.operand(v, fill=v_fill, exact=v_varies)
            total = ops.sum(left * right, axis=last(v.ndim - out.ndim))
            self.state("sum", total, out.shape, out, varying, True)
            return
        if u_varies:  # queries times keys: both vary
            first, second = rows, columns.transpose(0, 2, 1)
            out = targets_at
            if g == 1:
                first, second, out = first[0], second[0], out[0]
        else:  # inputs times weights, which are stored (in, out)
            first, second = columns, rows.transpose(0, 2, 1)
            out = targets_at.transpose(0, 2, 1)
            u_fill, v_fill = v_fill, u_fill
            if g == 1:
                first, second, out = first[0], second[0], out[0]
                if r == 1:
                    second, out = second[:, 0], out[:, 0]
                if c == 1:
                    first, out = first[0], out[0]
        left = self.operand(first, exact=True, fill=u_fill)
        right = self.operand(second, exact=True, fill=v_fill, letter="w")
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
        if len(parts) == 1 and not any(constants) and set(parts[0][0]) == {1.0} and len(parts[0][1]) == 1:
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
        for cs, term in terms + [(constants, [])] * any(constants):
            if width > LONGEST:  # Python's compiler recurses through an expression
                total, width = self.line(total, grid.shape, varying), 0
            minus = total is not None and len(set(cs)) == 1 and cs[0] < 0
            product = self._term([-c for c in cs] if minus else cs, term, grid)
            total = product if total is None else total - product if minus else total + product
            width += self.width(product) + 3
        self.state("each", total, grid.shape, taken(members, grid), varying, False)

    def _term(self, cs: list[float], factors: list[Any], grid: Places) -> Any:
        """A coefficient for each member, times the factors."""
        if len(set(cs)) > 1:
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
        if len(parts) != 2 or any(constants) or any(set(cs) != {1.0} or len(part) != 1 for cs, part in parts):
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

    # -------------------------------------------------------------------------------------------------- reductions

    def reductions(self, members: list[int]) -> None:
        """The same reduction of many numbers each."""
        op = self.graph.ops[members[0]]
        self.reduce(op, members, [list(self.graph.args[n]) for n in members])

    def reduce(self, op: Any, targets: list[int], sums: list[list[int]]) -> None:
        """Reduce each list to its target."""
        row, params = (op.row, dict(op.params)) if isinstance(op, Bound) else (op, {})
        grid, nodes = self.lists(sums, row in NEUTRAL)
        operand = self.operand(nodes, exact=True, fill=NEUTRAL.get(row))
        varying = any(self.varying[n] for s in sums for n in s)
        value = row.apply((operand,), {**params, "axis": last(nodes.ndim - grid.ndim)})
        self.state("reduce", value, grid.shape, taken(targets, grid), varying, True)

    def elements(self, members: list[int]) -> None:
        """A softmax over each of several lists."""
        graph = self.graph
        rows = list(dict.fromkeys(graph.args[n] for n in members))
        grid, nodes = self.lists([list(row) for row in rows])
        function = {"softmax": ops.softmax, "log_softmax": ops.log_softmax}[graph.ops[members[0]].function]
        value = function(self.operand(nodes, exact=True, fill=-np.inf), axis=last(nodes.ndim - grid.ndim))
        lists = nodes.reshape(grid.size, -1)
        at = {
            rows[r]: (i, {n: j for j, n in enumerate(lists[i].tolist())})
            for i, r in enumerate(grid.reshape(-1).tolist())
        }
        out = np.full(lists.shape, -1, dtype=np.intp)
        for n in members:
            i, inside = at[graph.args[n]]
            out[i, inside[graph.args[n][graph.ops[n].which]]] = n
        group = self.state("element", value, nodes.shape, out, self.varying[members[0]], True)
        if function is ops.softmax:
            group.zeros = nodes < 0

    # ------------------------------------------------------------------------------------------------------- picks

    def picks(self, members: list[int]) -> None:
        """One of a table each, by a whole number."""
        graph = self.graph
        argument = self.arguments[graph.ops[members[0]].argument]
        places = [graph.ops[n].place for n in members]
        tables = [graph.args[n] for n in members]
        distinct, columns = list(dict.fromkeys(places)), list(dict.fromkeys(tables))
        if any(self.varying[a] for t in tables for a in t):
            one = len(members) == 1
            table = self.operand(np.array(tables[0] if one else tables), exact=True)
            index = self._index(argument, np.array(places if one else [[p] for p in places]))
            picked = questions.take_along.apply((table, index), {"axis": table.ndim - 1})
            shape = () if one else (len(members),)
            value = picked[(slice(None),) * (picked.ndim - 1) + (0,)]
            self.state("pick", value, shape, np.array(members[0] if one else members), True, True)
            return
        if len(distinct) * len(columns) == len(members) and len(set(zip(places, tables, strict=True))) == len(members):
            grid = np.full((len(distinct), len(columns)), -1, dtype=np.intp)
            row, column = {x: i for i, x in enumerate(distinct)}, {x: i for i, x in enumerate(columns)}
            for n, p, t in zip(members, places, tables, strict=True):
                grid[row[p], column[t]] = n
            nodes = np.array(columns, dtype=np.intp).T  # (value, column)
            at = np.array(distinct)
            if len(columns) == 1:
                nodes, grid = nodes[:, 0], grid[:, 0]
            if len(distinct) == 1:
                at, grid = at[0], grid[0]
            value = self.operand(nodes, exact=True)[self._index(argument, at)]
            self.state("pick", value, grid.shape, grid, True, True)
            return
        table = self.operand(np.array(tables), exact=True)
        which = self.constant(np.arange(len(members)))
        value = table[which, self._index(argument, np.array(places))]
        self.state("pick", value, (len(members),), np.array(members), True, True)

    def _index(self, argument: Group, places: Places) -> Expression:
        return self.view(argument, places, exact=True)


def last(count: int) -> tuple[int, ...]:
    """The last axes, counted from the end."""
    return tuple(range(-count, 0))


def levels(graph: Scalars, varying: Sequence[bool]) -> list[list[int]]:
    """The operations in levels: each after all of its operands, as early as can be.

    What does not vary comes as late as can be: so a matrix that both a product and a penalty take is laid out by
    the product.
    """
    early = [0] * len(graph)
    for n, (op, args) in enumerate(zip(graph.ops, graph.args, strict=True)):
        if type(op) is not Leaf:
            early[n] = 1 + max([early[a] for a in args], default=0)
    last = max(early, default=0)
    late = [last] * len(graph)
    at = list(early)
    for n in range(len(graph) - 1, -1, -1):
        if not varying[n] and early[n]:
            at[n] = late[n]
        if early[n]:
            for a in graph.args[n]:
                late[a] = min(late[a], at[n] - 1)
    out: list[list[int]] = [[] for _ in range(last + 1)]
    for n, k in enumerate(at):
        if early[n]:
            out[k].append(n)
    return out
