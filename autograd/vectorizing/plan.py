"""From a graph of scalars to statements on arrays: level by level, siblings become one array operation each.

Sums are the work of `sums`. All else is grouped by operation and by where its operands lie. `layout` chooses the order
and shape of a group after those of its operands, and `views` reads an operand by slices where it can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Op, Reduction
from autograd.vectorizing.groups import Group, Places, taken
from autograd.vectorizing.scalars import Bound, Element, Pick, Scalars, Terms
from autograd.vectorizing.sums import NEUTRAL, Sums, columns, last
from autograd.vectorizing.tree import Expression


class Plan(Sums):
    """The statements that compute a graph, after `affine`: level by level, family by family."""

    def __init__(
        self,
        graph: Scalars,
        names: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        indices: Container[int] = (),
        called: Mapping[Op, str] = MappingProxyType({}),
        known: Sequence[Places] = (),
    ) -> None:
        super().__init__(graph, names, shapes, indices, called, known)
        for level in levels(graph, self.varying):
            self.level(level)

    # ------------------------------------------------------------------------------------------------------ levels

    def level(self, nodes: list[int]) -> None:
        """All operations of one level: what varies first, for it has the matrices."""
        families: dict[Any, list[int]] = defaultdict(list)
        rows = self.graph.ops
        sums = self.families([n for n in nodes if type(rows[n]) is Terms])
        for n in nodes:
            families[self.family(n, sums)].append(n)
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

    def family(self, n: int, sums: Mapping[int, bytes]) -> tuple[Any, ...]:
        """What makes operations siblings: the operation, and where the operands lie; of sums the kinds of terms."""
        op, args, varying = self.graph.ops[n], self.graph.args[n], self.varying[n]
        home = self.home
        if isinstance(op, Terms):
            return "terms", varying, sums[n]
        if isinstance(op, Element):
            return "element", varying, op.function, frozenset(home[a] for a in args)
        if isinstance(op, Pick):
            arguments = tuple(argument for argument, _ in op.keys)
            return "pick", varying, arguments, op.sizes, frozenset(home[a] for a in args)
        if isinstance(op, Reduction) or (isinstance(op, Bound) and isinstance(op.row, Reduction)):
            fixed_length = None if op in NEUTRAL else len(args)
            return "reduce", varying, op, frozenset(home[a] for a in args), fixed_length
        return "each", varying, op, tuple(home[a] for a in args)

    # ------------------------------------------------------------------------------------------------- elementwise

    def elementwise(self, members: list[int]) -> None:
        """The same operation on each."""
        args = [self.graph.args[n] for n in members]
        grid, operands = self.arranged(columns(args), len(members))
        op = self.graph.ops[members[0]]
        row, params = (op.row, dict(op.params)) if isinstance(op, Bound) else (op, {})
        value = row.apply(operands, params)
        self.state("each", value, grid.shape, taken(members, grid), self.varying[members[0]], False)

    # -------------------------------------------------------------------------------------------------- reductions

    def reductions(self, members: list[int]) -> None:
        """The same reduction of many numbers each."""
        op = self.graph.ops[members[0]]
        self.reduce(op, members, [list(self.graph.args[n]) for n in members])

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
        """One of a table each, by whole numbers."""
        graph = self.graph
        keys = [graph.ops[n].keys for n in members]
        sizes = graph.ops[members[0]].sizes
        places = [tuple(place for _, place in key) for key in keys]
        arguments = [self.arguments[argument] for argument, _ in keys[0]]
        tables = [graph.args[n] for n in members]
        distinct, columns = list(dict.fromkeys(places)), list(dict.fromkeys(tables))
        if any(self.varying[a] for t in tables for a in t):
            one = len(members) == 1
            table = self.operand(np.array(tables[0] if one else tables), exact=True)
            index: Any = 0
            for argument, which, size in zip(arguments, zip(*places, strict=True), sizes, strict=True):
                index = self._index(argument, np.array(which if one else [[p] for p in which])) + index * size
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
            nodes = nodes.reshape(*sizes, len(columns))
            at: Any = np.array(distinct).T
            if len(columns) == 1:
                nodes, grid = nodes[..., 0], grid[:, 0]
            if len(distinct) == 1:
                at, grid = at[:, 0], grid[0]
            indices = [self._index(argument, x) for argument, x in zip(arguments, at, strict=True)]
            value = self.operand(nodes, exact=True)[tuple(indices) if len(indices) > 1 else indices[0]]
            self.state("pick", value, grid.shape, grid, True, True)
            return
        table = self.operand(np.array(tables).reshape(len(members), *sizes), exact=True)
        of_each = self.constant(np.arange(len(members)))
        indices = [self._index(a, np.array(each)) for a, each in zip(arguments, zip(*places, strict=True), strict=True)]
        value = table[(of_each, *indices)]
        self.state("pick", value, (len(members),), np.array(members), True, True)

    def _index(self, argument: Group, places: Places) -> Expression:
        return self.view(argument, places, exact=True)


def levels(graph: Scalars, varying: Sequence[bool]) -> list[list[int]]:
    """The operations in levels: each after all of its operands, as early as can be.

    What does not vary comes as late as can be: so a matrix that both a product and a penalty take is laid out by
    the product.
    """
    early, rows, computed = [0] * len(graph), graph.rows(), [n for n, _ in graph.computed()]
    for n in computed:
        early[n] = 1 + max([early[a] for a in rows(n)], default=0)
    last = max(early, default=0)
    late = [last] * len(graph)
    at = list(early)
    for n in reversed(computed):
        if not varying[n]:
            at[n] = late[n]
        before = at[n] - 1
        for a in rows(n):
            if late[a] > before:
                late[a] = before
    out: list[list[int]] = [[] for _ in range(last + 1)]
    for n in computed:
        out[at[n]].append(n)
    return out
