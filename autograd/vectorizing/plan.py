"""From a graph of scalars to statements on arrays: level by level, siblings become one array operation each.

A *group* is an array; a scalar is a place in one. Sums of products go through `products`, all else is grouped by
operation and by where its operands lie. `layout` chooses the order and shape of a group after those of its operands,
`views` writes an operand as a slice where there is one. Parameters have no place of their own until the first
operation that takes them gathers them: a matrix product stores its weights as (in, out).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from autograd import ops
from autograd.rows import Reduction
from autograd.vectorizing.layout import arrange, arrange_sums
from autograd.vectorizing.products import Product, find_products
from autograd.vectorizing.scalars import (
    CONSTANT,
    INPUT,
    PARAMETER,
    Bound,
    Element,
    Leaf,
    Pick,
    Scalars,
    Terms,
    terms,
)
from autograd.vectorizing.views import view
from autograd.vectorizing.writing import METHODS, PRODUCT, TIGHT, axes, beside, literal, paren, summed, unparen, written

Places = np.ndarray[Any, np.dtype[np.intp]]

NEUTRAL: dict[Any, str] = {ops.sum: "0.0", ops.max: "-inf", ops.min: "inf", ops.logsumexp: "-inf", ops.prod: "1.0"}
"""What changes nothing in a reduction, for the places where a shorter one has no operand."""

LONG = 88  # operands of a product that are longer than this together get lines of their own

NOWHERE, KNOWN = -1, -2  # homes of a parameter that no array holds yet, and of a constant


class Group:
    """One array of the program: an input, a parameter, or what a statement computes."""

    def __init__(self, number: int, kind: str, shape: tuple[int, ...], varying: bool) -> None:
        self.token = f"_{number}_"  # stands for its name, until names are given
        self.kind = kind
        self.shape = shape
        self.varying = varying
        self.name = ""
        self.zeros: Any = None  # where it is 0 although nothing lies there
        self.letter = "h" if shape else "s"


class Statement:
    """``target = text``; heavy ones (products, reductions) stay lines of their own."""

    def __init__(self, target: Group, text: str, heavy: bool) -> None:
        self.target, self.text, self.heavy = target, text, heavy
        self.key = target.token[1:-1]


class Plan:
    """The statements, and where everything lies.

    Args:
        graph: after `affine`.
        names: of the arguments.
        shapes: of the arguments, without the batch.
        indices: arguments that are whole numbers.
    """

    def __init__(
        self, graph: Scalars, names: Sequence[str], shapes: Sequence[tuple[int, ...]], indices: Sequence[int]
    ) -> None:
        self.graph = graph
        self.groups: list[Group] = []
        self.statements: list[Statement] = []
        self.constants: dict[str, Any] = {}
        self.parameters: list[tuple[Group, Places]] = []
        self.products = 0
        self.numbers: dict[float, int] = {}  # scalars for constants that the graph does not have
        self.extra: dict[int, float] = {}
        self.varying = graph.varying()
        self.home: list[int] = []
        self.place: list[int] = []
        self.arguments = []
        for name, shape in zip(names, shapes, strict=True):
            group = self.group("argument", tuple(shape), True)
            group.name = name
            self.arguments.append(group)
        offsets = {i: np.arange(int(np.prod(shape, dtype=int))).tolist() for i, shape in enumerate(shapes)}
        for op, args in zip(graph.ops, graph.args, strict=True):
            self.home.append(args[0] if op is INPUT else KNOWN if op is CONSTANT else NOWHERE)
            self.place.append(offsets[args[0]][args[1]] if op is INPUT else 0)
        for level in levels(graph, self.varying):
            self.level(level)

    # ------------------------------------------------------------------------------------------------- bookkeeping

    def group(self, kind: str, shape: tuple[int, ...], varying: bool) -> Group:
        """A new array."""
        self.groups.append(Group(len(self.groups), kind, shape, varying))
        return self.groups[-1]

    def constant(self, array: Any, letter: str = "i") -> str:
        """The name of a constant array."""
        array = np.asarray(array)
        for name, known in self.constants.items():
            if known.dtype == array.dtype and known.shape == array.shape and np.array_equal(known, array):
                return name
        taken = {*self.constants, *(group.name for group in self.arguments)}
        name = next(name for i in count(1) if (name := f"{letter}{i}") not in taken)
        self.constants[name] = array
        return name

    def settle(self, group: Group, members: Any) -> None:
        """Scalars get their places in an array."""
        number = self.groups.index(group) if self.groups[-1] is not group else len(self.groups) - 1
        flat = np.asarray(members).reshape(-1)
        for place in np.flatnonzero(flat >= 0).tolist():
            n = int(flat[place])
            self.home[n] = number
            self.place[n] = place

    def state(self, kind: str, text: str, shape: tuple[int, ...], members: Any, varying: bool, heavy: bool) -> Group:
        """A statement that computes these members."""
        group = self.group(kind, shape, varying)
        self.statements.append(Statement(group, text, heavy))
        self.settle(group, members)
        return group

    def line(self, text: str, shape: tuple[int, ...], varying: bool) -> str:
        """A statement of its own for a part of an expression; what stands for it."""
        if len(text) < LONG // 4:
            return text
        group = self.group("part", shape, varying)
        self.statements.append(Statement(group, text, False))
        return group.token

    def scalar(self, varying: bool) -> int:
        """A number for a scalar that is not in the graph: a part of a sum."""
        self.home.append(NOWHERE)
        self.place.append(0)
        self.varying.append(varying)
        return len(self.home) - 1

    def is_parameter(self, n: int) -> bool:
        """Whether this is a leaf that is trained."""
        return n < len(self.graph) and self.graph.ops[n] is PARAMETER

    def known(self, n: int) -> Any:
        """The number of a constant, None of anything else."""
        if n in self.extra:
            return self.extra[n]
        return self.graph.args[n][0] if self.home[n] == KNOWN else None

    def rank(self) -> list[int]:
        """Sorts scalars by array and place; parameters that lie nowhere by their number."""
        big = 1 << 32
        return [h * big + p if h >= 0 else n for n, (h, p) in enumerate(zip(self.home, self.place, strict=True))]

    # ---------------------------------------------------------------------------------------------------- operands

    def operand(self, nodes: Any, exact: bool = False, fill: str | None = None, letter: str = "b") -> str:
        """The text of an array of these scalars (-1: do not care, or `fill`).

        `letter` starts the names of parameters that are first needed here.
        """
        nodes = np.asarray(nodes, dtype=np.intp)
        holes = nodes < 0
        if fill is not None and holes.any():
            text = self.operand(nodes, exact, letter=letter)
            if fill == "0.0" and self._zero(nodes, text):
                return text
            return f"where({self.constant(~holes, 'm')}, {text}, {fill})"
        valid = nodes[~holes]
        homes = {self.home[n] for n in valid.tolist()}
        if homes == {KNOWN}:
            return self._constant(nodes, exact)
        if NOWHERE in homes:
            self._own(nodes, homes, letter)
            homes = {self.home[n] for n in valid.tolist()}
        if len(homes) == 1:
            (home,) = homes
            group = self.groups[home]
            return view(
                group.token, group.shape, self._places(nodes), batch=group.varying, constant=self.constant, exact=exact
            )
        return self._joined(nodes, exact)

    def _zero(self, nodes: Places, text: str) -> bool:
        """Whether an array, taken whole, is 0 by itself where nothing is wanted."""
        group = self.groups[int(text[1:-1])] if re.fullmatch(r"_\d+_", text) else None
        return group is not None and group.zeros is not None and bool((group.zeros == (nodes < 0)).all())

    def _places(self, nodes: Places) -> Places:
        place = self.place
        return np.array([place[n] if n >= 0 else -1 for n in nodes.reshape(-1).tolist()], dtype=np.intp).reshape(
            nodes.shape
        )

    def _constant(self, nodes: Places, exact: bool) -> str:
        numbers = [self.known(n) if n >= 0 else None for n in nodes.reshape(-1).tolist()]
        given = [x for x in numbers if x is not None]
        if not exact and len(set(map(repr, given))) == 1:
            return literal(given[0])
        filled = np.array([given[0] if x is None else x for x in numbers]).reshape(nodes.shape)
        return self.constant(filled, "c")

    def _own(self, nodes: Places, homes: set[int], letter: str) -> None:
        """Gather parameters that lie nowhere yet into an array of their own, of the shape in which they are needed."""
        flat = [n for n in nodes.reshape(-1).tolist() if n >= 0 and self.home[n] == NOWHERE]
        distinct = list(dict.fromkeys(flat))
        whole = homes == {NOWHERE} and len(distinct) == nodes.size
        members = nodes if whole else np.array(distinct if len(distinct) > 1 else distinct[0], dtype=np.intp)
        group = self.group("parameter", members.shape, False)
        group.letter = letter if members.ndim < 2 else "w"
        self.parameters.append((group, members))
        self.settle(group, members)

    def _joined(self, nodes: Places, exact: bool) -> str:
        """Operands from several arrays: these one after another, and places in that."""
        flat = nodes.reshape(-1)
        homes: dict[int, list[int]] = {}
        for n in flat.tolist():
            if n >= 0:
                homes.setdefault(self.home[n], []).append(n)
        parts, start, offset, varying = [], 0, {}, False
        values: dict[int, int] = {}
        for home, members in homes.items():
            if home == KNOWN:
                numbers = list(dict.fromkeys(members))
                parts.append(self.constant(np.array([float(self.known(n)) for n in numbers]), "c"))
                values.update({n: start + i for i, n in enumerate(numbers)})
                start += len(numbers)
                continue
            group = self.groups[home]
            varying = varying or group.varying
            at = [self.place[n] for n in members]
            low, high = min(at), max(at) + 1
            parts.append(
                view(
                    group.token,
                    group.shape,
                    np.arange(low, high),
                    batch=group.varying,
                    constant=self.constant,
                    exact=True,
                )
            )
            offset[home] = start - low
            start += high - low
        places = [
            -1 if n < 0 else values[n] if n in values else offset[self.home[n]] + self.place[n] for n in flat.tolist()
        ]
        text = f"join({', '.join(parts)})"
        return view(
            text, (start,), np.array(places, dtype=np.intp).reshape(nodes.shape), batch=varying, constant=self.constant,
            exact=exact,
        )  # fmt: skip

    def lies(self, nodes: Sequence[int]) -> tuple[tuple[int, ...], Places] | None:
        """The array that all of these lie in, and their places there."""
        homes = {self.home[n] for n in nodes}
        if len(homes) != 1:
            return None
        (home,) = homes
        if home < 0:
            return None
        return self.groups[home].shape, np.array([self.place[n] for n in nodes], dtype=np.intp)

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

    def arranged(self, columns: list[list[int]], count: int) -> tuple[Places, list[str]]:
        """A grid for the members of a group, and the texts of their operands there."""
        grid, places = arrange([self.lies(column) for column in columns], count)
        texts = []
        whole = -1
        if not places and grid.ndim and all(self.distinct(column) < count for column in columns):
            # no operand has the whole shape, and together they might not either (the same sum twice, say)
            whole = next((i for i, column in enumerate(columns) if self.home[column[0]] != KNOWN), 0)
        for i, column in enumerate(columns):
            if i in places:
                group = self.groups[self.home[column[0]]]
                texts.append(view(group.token, group.shape, places[i], batch=group.varying, constant=self.constant))
            else:
                texts.append(self.operand(taken(column, grid), exact=i == whole))
        return grid, texts

    def distinct(self, nodes: list[int]) -> int:
        """How many places these scalars lie at."""
        return len({(self.home[n], self.place[n], n if self.home[n] < 0 else 0) for n in nodes})

    # ------------------------------------------------------------------------------------------------- elementwise

    def elementwise(self, members: list[int]) -> None:
        """The same operation on each."""
        args = [self.graph.args[n] for n in members]
        columns = [list(column) for column in zip(*args, strict=True)]
        grid, texts = self.arranged(columns, len(members))
        self.state(
            "each",
            written(self.graph.ops[members[0]], texts),
            grid.shape,
            taken(members, grid),
            self.varying[members[0]],
            False,
        )

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
        made = {pair: self.scalar(self.varying[pair[1]]) for pair in wanted}
        columns = [[self.number(c) for c, _ in wanted], [u for _, u in wanted]]
        grid, texts = self.arranged(columns, len(wanted))
        members = taken([made[pair] for pair in wanted], grid)
        self.state("each", written(ops.mul, texts), grid.shape, members, self.varying[wanted[0][1]], False)
        return [[(1.0, (made[c, factors[0]], factors[1])) for c, factors in s] for s in sums]

    def number(self, c: float) -> int:
        """A scalar for a constant that the graph does not have."""
        if c not in self.numbers:
            n = self.numbers[c] = self.scalar(False)
            self.home[n] = KNOWN
            self.extra[n] = c
        return self.numbers[c]

    def product(self, product: Product, targets: list[int], u_varies: bool, v_varies: bool) -> None:
        """One matrix product, or several of one shape."""
        rows, columns, members = product
        targets_at = np.where(members >= 0, np.array(targets)[members], -1)
        (g, r, _), c = rows.shape, columns.shape[1]
        varying = u_varies or v_varies
        row_holes = (rows < 0).any()
        u_fill, v_fill = ("0.0", None) if row_holes else (None, "0.0")
        if r == c == 1 and (g > 1 or u_varies == v_varies):  # no two share anything: multiply and sum
            u, v, out = rows[:, 0], columns[:, 0], targets_at.reshape(-1)
            along = self.along([[x for x in row if x >= 0] for row in v.tolist()])
            if along is not None and not row_holes:
                grid, v = along
                partner = dict(zip(columns.reshape(-1).tolist(), rows.reshape(-1).tolist(), strict=True))
                u = np.array([partner.get(x, -1) for x in v.reshape(-1).tolist()], dtype=np.intp).reshape(v.shape)
                out = taken(out, grid)
                v_fill = "0.0"
            elif g == 1:
                u, v, out = u[0], v[0], out[0]
            left = self.operand(u, fill=u_fill, exact=u_varies or not varying, letter="w")
            right = self.operand(v, fill=v_fill, exact=v_varies)
            self.state(
                "sum",
                summed(written(ops.mul, [left, right]), v.ndim - out.ndim, varying or out.ndim > 0),
                out.shape,
                out,
                varying,
                True,
            )
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
        if len(left) + len(right) > LONG:  # queries and keys get lines of their own
            left = self.line(left, first.shape, varying)
            right = self.line(right, second.shape, u_varies)
        self.products += 1
        group = self.state("product", f"{paren(left)} @ {paren(right)}", out.shape, out, varying, True)
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
        text = view(
            group.token, group.shape, np.repeat(instead[:, None], flat.shape[1], axis=1).reshape(members.shape),
            batch=group.varying, constant=self.constant,
        )  # fmt: skip
        mask = self.constant(members >= 0, "m")
        self.state("each", f"where({mask}, {group.token}, {text})", group.shape, members, group.varying, False)

    def add_up(self, members: list[int], parts: Any, constants: list[float]) -> None:
        """The elementwise end of sums: coefficient times factors, and a constant."""
        if len(parts) == 1 and not any(constants) and set(parts[0][0]) == {1.0} and len(parts[0][1]) == 1:
            for n, x in zip(members, parts[0][1][0], strict=True):
                self.home[n], self.place[n] = self.home[x], self.place[x]
                if self.home[n] == NOWHERE:  # a sum of one parameter
                    self.alias(n, x)
            return
        if self._linear(members, parts, constants):
            return
        columns = [column for _, part in parts for column in part]
        grid, factors = self.arranged(columns, len(members))
        text, each = "", iter(factors)
        for cs, part in parts:
            product = ""
            for _ in part:
                factor = next(each)
                product = f"{beside(product, PRODUCT)} * {beside(factor, TIGHT)}" if product else factor
            text = self._plus(text, cs, product, grid)
        if any(constants):
            text = self._plus(text, constants, "", grid)
        varying = self.varying[members[0]]
        self.state("each", text or "0.0", grid.shape, taken(members, grid), varying, False)

    def alias(self, n: int, x: int) -> None:
        """A sum of one parameter alone: the parameter gets a place, and the sum shares it."""
        self.operand(np.array(x, dtype=np.intp))
        self.home[n], self.place[n] = self.home[x], self.place[x]

    def _plus(self, text: str, cs: list[float], product: str, grid: Places) -> str:
        """``text + c * product``; `cs` is a coefficient for each member."""
        if len(set(cs)) > 1:
            c = self.constant(np.where(grid >= 0, np.array(cs)[grid], cs[0]), "c")
            term, sign = (written(ops.mul, [c, product]) if product else c), "+"
        else:
            c0 = cs[0]
            sign = "-" if c0 < 0 and text else "+"
            size = abs(c0) if text else c0
            if not product:
                term = literal(size)
            elif size == 1:
                term = product
            elif size == -1:
                term = f"-{paren(product)}"
            else:
                least = TIGHT if "/" in product or "@" in product else PRODUCT
                term = f"{paren(literal(size))} * {beside(product, least)}"
        if not text:
            return term
        return f"{text} {sign} {beside(term, PRODUCT)}"

    def _linear(self, members: list[int], parts: Any, constants: list[float]) -> bool:
        """``x @ w + b`` in one operation, if that is what the sum is."""
        if len(parts) != 2 or any(constants) or any(set(cs) != {1.0} or len(part) != 1 for cs, part in parts):
            return False
        (_, (virtual,)), (_, (bias,)) = parts
        last = self.statements[-1] if self.statements else None
        if last is None or last.target.kind != "product" or self.varying[bias[0]] or not last.target.varying:
            return False
        number = len(self.groups) - 1
        if self.groups[number] is not last.target or any(self.home[x] != number for x in virtual):
            return False
        shape = last.target.shape
        left, _, right = last.text.rpartition(" @ ")
        if not shape or not re.fullmatch(r"_\d+_", right) or self.groups[int(right[1:-1])].varying:
            return False
        if len(self.groups[int(right[1:-1])].shape) != 2:
            return False
        at = np.array([self.place[x] for x in virtual])
        grid = np.full(shape, -1, dtype=np.intp)
        grid.reshape(-1)[at] = np.array(bias)
        row = grid.reshape(-1, shape[-1])
        if (row < 0).any() or (row != row[0]).any():
            return False
        text = self.operand(row[0], exact=True)
        self.statements.remove(last)
        self.statements.append(last)
        last.text = f"linear({unparen(left)}, {right}, {text})"
        for n, x in zip(members, virtual, strict=True):
            self.home[n], self.place[n] = self.home[x], self.place[x]
        return True

    # -------------------------------------------------------------------------------------------------- reductions

    def reductions(self, members: list[int]) -> None:
        """The same reduction of many numbers each."""
        op = self.graph.ops[members[0]]
        self.reduce(op, members, [list(self.graph.args[n]) for n in members])

    def reduce(self, op: Any, targets: list[int], sums: list[list[int]]) -> None:
        """Reduce each list to its target."""
        row = op.row if isinstance(op, Bound) else op
        rest = ", ".join(f"{key}={x!r}" for key, x in op.params) if isinstance(op, Bound) else ""
        grid, nodes = self.lists(sums, row in NEUTRAL)
        text = self.operand(nodes, exact=True, fill=NEUTRAL.get(row))
        varying = any(self.varying[n] for s in sums for n in s)
        axis = axes(nodes.ndim - grid.ndim, varying or grid.ndim > 0)
        inside = ", ".join(x for x in (axis, rest) if x)
        if row in METHODS:
            text = f"{paren(text)}.{row.name}({inside})"
        else:
            text = f"{row.name}({', '.join(x for x in (text, inside) if x)})"
        self.state("reduce", text, grid.shape, taken(targets, grid), varying, True)

    def elements(self, members: list[int]) -> None:
        """A softmax over each of several lists."""
        graph = self.graph
        rows = list(dict.fromkeys(graph.args[n] for n in members))
        grid, nodes = self.lists([list(row) for row in rows])
        axis = axes(nodes.ndim - grid.ndim, True)
        text = f"{graph.ops[members[0]].function}({self.operand(nodes, exact=True, fill='-inf')}, {axis})"
        lists = nodes.reshape(grid.size, -1)
        at = {
            rows[r]: (i, {n: j for j, n in enumerate(lists[i].tolist())})
            for i, r in enumerate(grid.reshape(-1).tolist())
        }
        out = np.full(lists.shape, -1, dtype=np.intp)
        for n in members:
            i, inside = at[graph.args[n]]
            out[i, inside[graph.args[n][graph.ops[n].which]]] = n
        group = self.state("element", text, nodes.shape, out, self.varying[members[0]], True)
        if graph.ops[members[0]].function == "softmax":
            group.zeros = nodes < 0

    def lists(self, sums: list[list[int]], ragged: bool = True) -> tuple[Places, Places]:
        """Lists of scalars as a grid of them, and the scalars with the grid's axes and then their own."""
        every = [n for s in sums for n in s]
        if any(self.home[n] == NOWHERE for n in every):
            self.operand(np.array(list(dict.fromkeys(every)), dtype=np.intp))
        found = self.along(sums)
        if found is not None and (ragged or (found[1] >= 0).all()):
            return found
        longest = max(map(len, sums))
        grid = np.arange(len(sums)) if len(sums) > 1 else np.zeros((), dtype=np.intp)
        nodes = np.array([s + [-1] * (longest - len(s)) for s in sums], dtype=np.intp)
        return grid, nodes.reshape((*grid.shape, longest))

    def along(self, sums: list[list[int]]) -> tuple[Places, Places] | None:
        """Lists of scalars as runs along axes of the one array that they all lie in: see `arrange_sums`."""
        every = [n for s in sums for n in s]
        if (lies := self.lies(every)) is None:
            return None
        shape, places = lies
        found = arrange_sums(shape, np.split(places, np.cumsum([len(s) for s in sums])[:-1]))
        if found is None:
            return None
        grid, cells = found
        lookup = dict(zip(places.tolist(), every, strict=True))
        return grid, np.array([lookup.get(p, -1) for p in cells.reshape(-1).tolist()], dtype=np.intp).reshape(
            cells.shape
        )

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
            text = f"take_along_axis({table}, {index}, axis=-1){'[:, 0]' if one else '[:, :, 0]'}"
            self.state(
                "pick", text, () if one else (len(members),), np.array(members[0] if one else members), True, True
            )
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
            text = f"{paren(self.operand(nodes, exact=True))}[{self._index(argument, at)}]"
            self.state("pick", text, grid.shape, grid, True, True)
            return
        table = self.operand(np.array(tables), exact=True)
        which = self.constant(np.arange(len(members)))
        text = f"{paren(table)}[{which}, {self._index(argument, np.array(places))}]"
        self.state("pick", text, (len(members),), np.array(members), True, True)

    def _index(self, argument: Group, places: Places) -> str:
        return view(argument.token, argument.shape, places, batch=True, constant=self.constant, exact=True)


def taken(numbers: Sequence[int] | Places, grid: Places) -> Places:
    """The numbers of a grid's members; -1 where it has none."""
    return np.where(grid >= 0, np.array(numbers, dtype=np.intp)[grid], -1)


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
