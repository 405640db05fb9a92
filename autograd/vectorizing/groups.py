"""Where every scalar lies: the arrays of a program, and operands made of scalars from them.

A *group* is an array; a scalar is a place in one. Parameters have no place of their own until the first operation that
takes them gathers them, in the shape in which it needs them. Parameters of other programs come in the arrays of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops.rows import Op
from autograd.vectorizing.array_program import BATCH
from autograd.vectorizing.layout import arrange, arrange_sums
from autograd.vectorizing.row_text import Outline
from autograd.vectorizing.scalars import CONSTANT, INPUT, Scalars
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.tree import Expression, Trees
from autograd.vectorizing.views import view

Places = np.ndarray[Any, np.dtype[np.intp]]

LONG = 88  # operands of a product that are longer than this together get lines of their own

NOWHERE, KNOWN = -1, -2  # homes of a parameter that no array holds yet, and of a constant


class Group:
    """One array of the program: an input, a parameter, or what a statement computes.

    `leaf` stands for it in the expressions that read it.
    """

    def __init__(self, number: int, kind: str, shape: tuple[int, ...], varying: bool, leaf: Expression) -> None:
        self.number = number
        self.kind = kind
        self.shape = shape
        self.varying = varying
        self.leaf = leaf
        self.zeros: Any = None  # where it is 0 although nothing lies there
        self.letter = "h" if shape else "s"


class Statement:
    """``target = value``; heavy ones (products, reductions) stay lines of their own."""

    def __init__(self, target: Group, value: Expression, heavy: bool) -> None:
        self.target, self.value, self.heavy = target, value, heavy


class Groups:
    """The arrays of a program while it is planned, and its statements so far.

    Args:
        graph: the scalars.
        names: of the arguments.
        shapes: of the arguments, without the batch.
        indices: which arguments are whole numbers.
        called: the names of the user's own operations.
        known: the scalars in each array of parameters that exists before (-1: none of this graph's).
    """

    def __init__(
        self,
        graph: Scalars,
        names: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        indices: Container[int] = (),
        called: Mapping[Op, str] = MappingProxyType({}),
        known: Sequence[Places] = (),
    ) -> None:
        self.graph, self.called = graph, called
        self.trees = Trees(simplified)
        self.groups: list[Group] = []
        self.of_leaf: dict[Any, Group] = {}
        self.statements: list[Statement] = []
        self.constants: dict[str, Expression] = {}
        self._known: dict[Any, Expression] = {}  # the same by what they hold
        self._views: dict[Any, Expression] = {}
        self._counts: defaultdict[str, Iterator[int]] = defaultdict(partial(count, 1))  # by the letter of a name
        self.parameters: list[tuple[Group, Places]] = []
        self.existing = {n: members for members in known for n in members.reshape(-1).tolist() if n >= 0}
        self.products = 0
        self.numbers: dict[str, int] = {}  # scalars for constants that the graph does not have
        self.extra: dict[int, float] = {}
        self.varying = graph.varying()
        self.home: list[int] = np.where(graph.leaves(CONSTANT), KNOWN, NOWHERE).tolist()
        self.place = [0] * len(graph)
        self.arguments = [
            self.group("argument", tuple(shape), True, np.int64 if i in indices else np.float64, name)
            for i, (name, shape) in enumerate(zip(names, shapes, strict=True))
        ]
        self.outline = Outline([group.leaf for group in self.arguments], called)
        for n in np.flatnonzero(graph.leaves(INPUT)).tolist():
            self.home[n], self.place[n] = graph.args_of(n)

    # ------------------------------------------------------------------------------------------------- bookkeeping

    def group(
        self, kind: str, shape: tuple[int, ...], varying: bool, dtype: Any = np.float64, name: str = "",
        moves: bool = False,
    ) -> Group:  # fmt: skip
        """A new array."""
        number = len(self.groups)
        leaf = self.trees.leaf(name or f"_{number}_", (BATCH,) * varying + shape, dtype, moves)
        group = self.of_leaf[leaf] = Group(number, kind, shape, varying, leaf)
        self.groups.append(group)
        return group

    def constant(self, array: Any, letter: str = "i") -> Expression:
        """A constant array under a name of its own. Equal bytes are one constant, so that 0.0 and -0.0 are two."""
        array = np.asarray(array)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            taken = {group.leaf.name for group in self.arguments}
            name = next(name for i in self._counts[letter] if (name := f"{letter}{i}") not in taken)
            self._known[key] = self.constants[name] = self.trees.leaf(name, array.shape, array.dtype, array=array)
        return self._known[key]

    def parameter(self, letter: str, members: Places) -> None:
        """An array of parameters, and which scalars lie in it."""
        group = self.group("parameter", members.shape, False, moves=True)
        group.letter = letter if members.ndim < 2 else "w"
        self.parameters.append((group, members))
        self.settle(group, members)

    def settle(self, group: Group, members: Any) -> None:
        """Scalars get their places in an array."""
        flat = np.asarray(members).reshape(-1)
        number, (places,) = group.number, np.nonzero(flat >= 0)
        for n, place in zip(flat[places].tolist(), places.tolist(), strict=True):
            self.home[n] = number
            self.place[n] = place

    def state(self, kind: str, value: Any, shape: tuple[int, ...], members: Any, varying: bool, heavy: bool) -> Group:
        """A statement that computes these members."""
        if not isinstance(value, Expression):  # an operation on numbers alone
            value = self.constant(np.asarray(value), "c")
        whole = (BATCH,) * varying + shape
        if value.shape != whole:
            value = ops.broadcast_to(value, whole)
        group = self.group(kind, shape, varying, value.dtype, moves=value.moves)
        self.statements.append(Statement(group, value, heavy))
        self.settle(group, members)
        return group

    def line(self, value: Expression, shape: tuple[int, ...], varying: bool) -> Expression:
        """A statement of its own for a part of an expression; what stands for it."""
        if self.width(value) < LONG // 4:
            return value
        return self.state("part", value, shape, np.full(0, -1), varying, False).leaf

    def width(self, value: Any) -> int:
        """How large an expression is, in characters."""
        return len(self.outline.text(value))

    def scalar(self, varying: bool) -> int:
        """A number for a scalar that is not in the graph: a part of a sum."""
        self.home.append(NOWHERE)
        self.place.append(0)
        self.varying.append(varying)
        return len(self.home) - 1

    def known(self, n: int) -> Any:
        """The number of a constant, None of anything else."""
        if n in self.extra:
            return self.extra[n]
        return self.graph.args[n][0] if self.home[n] == KNOWN else None

    # ---------------------------------------------------------------------------------------------------- operands

    def operand(self, nodes: Any, exact: bool = False, fill: float | None = None, letter: str = "b") -> Any:
        """An array of these scalars (-1: do not care, or `fill`), as a node; a number, if that is all there is.

        `letter` starts the names of parameters that are first needed here.
        """
        nodes = np.asarray(nodes, dtype=np.intp)
        holes = nodes < 0
        if fill is not None and holes.any():
            array = self.operand(nodes, exact, letter=letter)
            if fill == 0 and self._zero(nodes, array):
                return array
            return ops.where(self.constant(~holes, "m"), array, fill)
        valid = nodes[~holes]
        homes = {self.home[n] for n in valid.tolist()}
        if homes == {KNOWN}:
            return self._constant(nodes, exact)
        if NOWHERE in homes:
            self._own(nodes, homes, letter)
            homes = {self.home[n] for n in valid.tolist()}
        if len(homes) == 1:
            (home,) = homes
            return self.view(self.groups[home], self._places(nodes), exact)
        return self._joined(nodes, exact)

    def view(self, group: Group, places: Places, exact: bool = False) -> Expression:
        """The elements of an array at these places. Statements one after another often read the same ones."""
        key = group.number, exact, places.shape, places.tobytes()
        if key not in self._views:
            self._views[key] = view(
                group.leaf, group.shape, places, batch=group.varying, constant=self.constant, exact=exact
            )
        return self._views[key]

    def _zero(self, nodes: Places, array: Any) -> bool:
        """Whether an array, taken whole, is 0 by itself where nothing is wanted."""
        group = self.of_leaf.get(array)
        return group is not None and group.zeros is not None and bool((group.zeros == (nodes < 0)).all())

    def _places(self, nodes: Places) -> Places:
        place = self.place
        return np.array([place[n] if n >= 0 else -1 for n in nodes.reshape(-1).tolist()], dtype=np.intp).reshape(
            nodes.shape
        )

    def _constant(self, nodes: Places, exact: bool) -> Any:
        numbers = [self.known(n) if n >= 0 else None for n in nodes.reshape(-1).tolist()]
        given = [x for x in numbers if x is not None]
        if not exact and len(set(map(repr, given))) == 1:
            return given[0] if isinstance(given[0], bool) else float(given[0])
        filled = np.array([given[0] if x is None else x for x in numbers]).reshape(nodes.shape)
        return self.constant(filled, "c")

    def _own(self, nodes: Places, homes: set[int], letter: str) -> None:
        """Gather parameters that lie nowhere yet into an array of their own, of the shape in which they are needed."""
        distinct = list(dict.fromkeys([n for n in nodes.reshape(-1).tolist() if n >= 0 and self.home[n] == NOWHERE]))
        if self.existing:
            for n in distinct:
                if n in self.existing and self.home[n] == NOWHERE:
                    self.parameter(letter, self.existing[n])
            distinct = [n for n in distinct if self.home[n] == NOWHERE]
        if distinct:
            whole = homes == {NOWHERE} and len(distinct) == nodes.size
            members = nodes if whole else np.array(distinct if len(distinct) > 1 else distinct[0], dtype=np.intp)
            self.parameter(letter, members)

    def _joined(self, nodes: Places, exact: bool) -> Expression:
        """Operands from several arrays: these one after another, and places in that."""
        flat = nodes.reshape(-1)
        homes: dict[int, list[int]] = {}
        for n in flat.tolist():
            if n >= 0:
                homes.setdefault(self.home[n], []).append(n)
        parts: list[Expression] = []
        start, offset, varying = 0, {}, False
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
            parts.append(self.view(group, np.arange(low, high), exact=True))
            offset[home] = start - low
            start += high - low
        places = [
            -1 if n < 0 else values[n] if n in values else offset[self.home[n]] + self.place[n] for n in flat.tolist()
        ]
        if varying:  # those without a batch are the same for each sample
            parts = [part if part.ndim > 1 else ops.broadcast_to(part, (BATCH, *part.shape)) for part in parts]
        whole = ops.concatenate(parts, axis=-1)
        there = np.array(places, dtype=np.intp).reshape(nodes.shape)
        return view(whole, (start,), there, batch=varying, constant=self.constant, exact=exact)

    def lies(self, nodes: Sequence[int]) -> tuple[tuple[int, ...], Places] | None:
        """The array that all of these lie in, and their places there."""
        homes = {self.home[n] for n in nodes}
        if len(homes) != 1:
            return None
        (home,) = homes
        if home < 0:
            return None
        return self.groups[home].shape, np.array([self.place[n] for n in nodes], dtype=np.intp)

    def number(self, c: float) -> int:
        """A scalar for a constant that the graph does not have."""
        key = repr(c)  # 0.0 and -0.0 are two
        if key not in self.numbers:
            n = self.numbers[key] = self.scalar(False)
            self.home[n] = KNOWN
            self.extra[n] = c
        return self.numbers[key]

    # ------------------------------------------------------------------------------------------------------ layout

    def arranged(self, columns: list[list[int]], count: int) -> tuple[Places, list[Any]]:
        """A grid for the members of a group, and their operands there."""
        grid, places = arrange([self.lies(column) for column in columns], count)
        operands = []
        whole = -1
        if not places and grid.ndim and all(self.distinct(column) < count for column in columns):
            # no operand has the whole shape, and together they might not either (the same sum twice, say)
            whole = next((i for i, column in enumerate(columns) if self.home[column[0]] != KNOWN), 0)
        for i, column in enumerate(columns):
            if i in places:
                operands.append(self.view(self.groups[self.home[column[0]]], places[i]))
            else:
                operands.append(self.operand(taken(column, grid), exact=i == whole))
        return grid, operands

    def distinct(self, nodes: list[int]) -> int:
        """How many places these scalars lie at."""
        return len({(self.home[n], self.place[n], n if self.home[n] < 0 else 0) for n in nodes})

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


def taken(numbers: Sequence[int] | Places, grid: Places) -> Places:
    """The numbers of a grid's members; -1 where it has none."""
    return np.where(grid >= 0, np.array(numbers, dtype=np.intp)[grid], -1)
