"""A graph of scalars, as the passes of `vectorize` rewrite it: numbered operations on numbers.

>>> from autograd import ops
>>> graph = Scalars([])
>>> x = graph.append(INPUT, (0, 0))
>>> graph.outputs = [graph.append(ops.add, (x, graph.append(ops.sin, (x,))))]
>>> print(graph)
%0 = input 0 0
%1 = sin %0
%2 = add %0 %1
return %2

A graph has two forms, and makes each of the other when somebody asks. `ops` and `args` are lists, one entry a result:
easy to read, for small graphs. A trace has millions of operations, so the passes work on arrays: `codes` has one number
a result, and `operands` the operands of all operations one after another; those of the n-th begin at `starts[n]`.

>>> graph.codes.tolist(), graph.operands.tolist(), graph.starts.tolist()
([-1, 0, 1], [0, 0, 1], [0, 0, 1, 3])

A code says all about a result but its operands: which operation it is and how many operands it has, or, below 0, which
leaf. What the codes stand for is in the `table`, which the graphs that passes make of one another share.

>>> graph.table.operations[1] is ops.add, graph.table.leaves[0]
(True, (Leaf(name='input'), (0, 0)))
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autograd.engine.value import Value
from autograd.ops.rows import Op


class Leaf(NamedTuple):
    """Something that is not computed."""

    name: str


INPUT = Leaf("input")  # args: the argument, and which of its numbers
PARAMETER = Leaf("parameter")  # args: which parameter
CONSTANT = Leaf("constant")  # args: the number

NOTHING = -0.0
"""What a sum is before anything is added. With 0.0 no sum would be -0.0."""


class Bound(NamedTuple):
    """A row with parameters."""

    row: Op
    params: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        return self.row.name + "".join(f" {key}={x!r}" for key, x in self.params)


class Pick(NamedTuple):
    """One of a table (the operands), chosen by a whole number, or by several: as in ``table[i][j]``.

    `keys` are the whole numbers: of each the argument, and its place there. `sizes` say how many values each takes. The
    last one is the quickest to change along the operands.
    """

    keys: tuple[tuple[int, int], ...]
    sizes: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"pick[{', '.join(f'{argument}.{place}' for argument, place in self.keys)}]"


class Element(NamedTuple):
    """One number of what a function makes of all the operands: of a softmax."""

    function: str
    which: int

    @property
    def name(self) -> str:
        return f"{self.function}[{self.which}]"


class Terms(NamedTuple):
    """A sum of products: for each term its coefficient and how many of the operands are its factors (0, 1 or 2)."""

    coefficients: tuple[float, ...]
    widths: tuple[int, ...]

    @property
    def name(self) -> str:
        return "terms"


Array = np.ndarray[Any, np.dtype[Any]]


class Table:
    """What the codes of graphs stand for. Operations count up from 0, leaves down from -1."""

    def __init__(self, leaves: Sequence[tuple[Leaf, tuple[Any, ...]]] = ()) -> None:
        self.leaves = list(leaves)
        self.operations: list[Any] = []
        self.counts: list[int] = []
        self._codes: dict[Any, int] = {}
        self._leaves: dict[Leaf, dict[Any, int]] = {}

    def __len__(self) -> int:
        return len(self.operations) + len(self.leaves)

    def leaf(self, kind: Leaf, which: tuple[Any, ...]) -> int:
        """The code of a leaf."""
        if kind not in self._leaves:
            self._leaves[kind] = {
                same_leaf(kind, args): -1 - k for k, (other, args) in enumerate(self.leaves) if other is kind
            }
        known = self._leaves[kind]
        key = same_leaf(kind, which)
        if key not in known:
            self.leaves.append((kind, which))
            known[key] = -len(self.leaves)
        return known[key]

    def operation(self, op: Any, count: int) -> int:
        """The code of an operation on so many operands."""
        key = op, count
        if type(op) is Bound:
            key = (op.row, repr(op.params)), count  # 1, 1.0 and True are equal, and are not the same parameter
        elif type(op) is Terms and 0 in op.coefficients:
            key = (op, repr(op.coefficients)), count  # so are 0.0 and -0.0
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self.operations)
            self.operations.append(op)
            self.counts.append(count)
        return code

    def code(self, op: Any, args: tuple[Any, ...]) -> int:
        """The code of a leaf or an operation."""
        return self.leaf(op, args) if type(op) is Leaf else self.operation(op, len(args))


def same_leaf(kind: Leaf, which: tuple[Any, ...]) -> Any:
    """What two leaves have in common if they are the same: of constants the text, since 0.0 == -0.0 and 1.0 == True."""
    return str(which[0]) if kind is CONSTANT else which


class Scalars:
    """Operations in topological order: `ops[n]` applied to the results numbered `args[n]`.

    Of a leaf, `args` says which one it is. `parameters` are the Values behind the parameter leaves, `closed` others
    that the function closes over. A graph grows by `append` alone.
    """

    def __init__(self, parameters: Sequence[Value], table: Table | None = None) -> None:
        self.parameters = parameters
        self.closed: Sequence[Value] = ()
        self.table = Table() if table is None else table
        self.outputs: list[int] = []
        self._lists: tuple[list[Any], list[tuple[Any, ...]]] | None = [], []
        self._arrays: tuple[Array, Array] | None = None
        self._starts: Array | None = None
        self._flat: tuple[list[int], list[int]] | None = None

    def like(self, codes: Array | None = None, operands: Array | None = None, outputs: Any = ()) -> Scalars:
        """A graph over the same parameters: an empty one, or one of these arrays."""
        graph = Scalars(self.parameters, self.table)
        graph.outputs = np.asarray(outputs).tolist()
        if codes is not None and operands is not None:
            graph._lists, graph._arrays = None, (codes, operands)
        return graph

    def __len__(self) -> int:
        return len(self._lists[0] if self._lists else self.codes)

    # ------------------------------------------------------------------------------------------------------- as lists

    def append(self, op: Any, args: tuple[Any, ...]) -> int:
        """Add an operation; its number."""
        n = len(self.ops)
        self._arrays = self._starts = self._flat = None
        self.ops.append(op)
        self.args.append(args)
        return n

    def _as_lists(self) -> tuple[list[Any], list[tuple[Any, ...]]]:
        if self._lists is None:
            operations, leaves, codes = self.table.operations, self.table.leaves, self.codes.tolist()
            flat = self.operands.tolist()
            self._lists = (
                [operations[c] if c >= 0 else leaves[-1 - c][0] for c in codes],
                [
                    tuple(flat[a:b]) if c >= 0 else leaves[-1 - c][1]
                    for c, (a, b) in zip(codes, pairwise(self.starts.tolist()), strict=True)
                ],
            )
        return self._lists

    @property
    def ops(self) -> list[Any]:
        """The operation or the kind of leaf of each result."""
        return self._as_lists()[0]

    @property
    def args(self) -> list[tuple[Any, ...]]:
        """The operands of each result, of a leaf which one it is."""
        return self._as_lists()[1]

    # ------------------------------------------------------------------------------------------------------ as arrays

    def _as_arrays(self) -> tuple[Array, Array]:
        if self._arrays is None:
            code = self.table.code
            codes = [code(op, args) for op, args in zip(self.ops, self.args, strict=True)]
            flat = [a for c, args in zip(codes, self.args, strict=True) if c >= 0 for a in args]
            self._arrays = np.array(codes, dtype=np.intp), np.array(flat, dtype=np.intp)
        return self._arrays

    @property
    def codes(self) -> Array:
        """What each result is, as a place in the table."""
        return self._as_arrays()[0]

    @property
    def operands(self) -> Array:
        """The operands of all operations, one after another."""
        return self._as_arrays()[1]

    @property
    def counts(self) -> Array:
        """How many operands each result has; a leaf has none."""
        return np.array([*self.table.counts, 0], dtype=np.intp)[np.maximum(self.codes, -1)]

    @property
    def starts(self) -> Array:
        """Where the operands of each result begin, and the end of all."""
        if self._starts is None:
            self._starts = offsets(self.counts)
        return self._starts

    @property
    def owners(self) -> Array:
        """The operation that each operand is one of."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.counts)

    def args_of(self, n: int) -> tuple[Any, ...]:
        """What `args` has for one result, without the list of all."""
        code = int(self.codes[n])
        if code < 0:
            return self.table.leaves[-1 - code][1]
        return tuple(self.operands[self.starts[n] : self.starts[n + 1]].tolist())

    def rows(self) -> Callable[[int], list[int]]:
        """The operands of one operation after the other, for who asks for many of them."""
        flat, starts = self._flat = self._flat or (self.operands.tolist(), self.starts.tolist())
        return lambda n: flat[starts[n] : starts[n + 1]]

    def computed(self) -> Iterator[tuple[int, int]]:
        """The results that are no leaves, each with its code."""
        (found,) = np.nonzero(self.codes >= 0)
        return zip(found.tolist(), self.codes[found].tolist(), strict=True)

    def distinct(self) -> list[Any]:
        """The operations that there are, each once, in the order in which they come first."""
        codes, first = np.unique(self.codes, return_index=True)
        return [self.table.operations[c] for c in codes[np.argsort(first)].tolist() if c >= 0]

    def among(self, operations: Container[Any]) -> Array:
        """Which results are one of these operations."""
        wanted: Array = np.array([op in operations for op in self.table.operations] + [False])
        return wanted[np.maximum(self.codes, -1)]

    def leaves(self, kind: Leaf) -> Array:
        """Which results are leaves of a kind."""
        wanted: Array = np.array([other is kind for other, _ in reversed(self.table.leaves)] + [False])
        return np.asarray(wanted[np.minimum(self.codes, 0) - 1])

    # ----------------------------------------------------------------------------------------------- what passes ask

    def varying(self) -> list[bool]:
        """Which results depend on an input, and so differ from sample to sample."""
        out: list[bool] = self.leaves(INPUT).tolist()
        rows, picks = self.rows(), [type(op) is Pick for op in self.table.operations]
        for n, code in self.computed():
            out[n] = picks[code] or any([out[a] for a in rows(n)])  # noqa: C419 (faster)
        return out

    def uses(self) -> Array:
        """How many operands (and outputs) each result is."""
        return np.bincount(np.concatenate([self.operands, np.array(self.outputs, dtype=np.intp)]), minlength=len(self))

    def users(self) -> tuple[Array, Array]:
        """The results that each one is an operand of: all in a row, and where those of each begin."""
        order = np.argsort(self.operands, kind="stable")
        return self.owners[order], offsets(np.bincount(self.operands, minlength=len(self)))

    def live(self) -> Array:
        """Which results the outputs depend on: all but those that nobody uses, and what is then used by nobody."""
        left, starts, counts = self.uses(), self.starts, self.counts
        gone = np.flatnonzero(left == 0)
        while gone.size:
            freed, times = np.unique(self.operands[ranges(starts[gone], counts[gone])], return_counts=True)
            left[gone] = -1
            left[freed] -= times
            gone = freed[left[freed] == 0]
        return np.asarray(left > 0)

    def only(self, kept: Array, instead: Array | None = None) -> Scalars:
        """The graph with these results alone, in their order. In the place of one that goes its users take another.

        Args:
            kept: which results stay.
            instead: for each result the one that is taken for it: itself, or one before it.
        """
        numbers = np.cumsum(kept) - 1
        if instead is not None:
            numbers = numbers[settled(instead)]
        operands = numbers[self.operands[np.repeat(kept, self.counts)]]
        return self.like(self.codes[kept], operands, numbers[np.array(self.outputs, dtype=np.intp)])

    def __str__(self) -> str:
        lines = []
        for n, (op, args) in enumerate(zip(self.ops, self.args, strict=True)):
            if isinstance(op, Leaf):
                text = " ".join([op.name, *map(str, args)])
            elif isinstance(op, Terms):
                text = _sum(op, args)
            else:
                text = " ".join([op.name, *(f"%{a}" for a in args)])
            lines.append(f"%{n} = {text}")
        return "\n".join([*lines, "return " + " ".join(f"%{n}" for n in self.outputs)])


def terms(op: Terms, args: Sequence[int]) -> list[tuple[float, tuple[int, ...]]]:
    """Coefficient and factors of each term."""
    out, at = [], 0
    for c, width in zip(op.coefficients, op.widths, strict=True):
        out.append((c, tuple(args[at : at + width])))
        at += width
    return out


def _sum(op: Terms, args: Sequence[int]) -> str:
    parts = []
    for c, factors in terms(op, args):
        names = [f"%{a}" for a in factors]
        parts.append("·".join(names if c == 1 and names else [f"{c:g}", *names]))
    return " + ".join(parts) if parts else "0"


def offsets(counts: Array) -> Array:
    """Where runs of these lengths begin when they stand one after another, and the end of all.

    >>> offsets(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([np.zeros(1, np.intp), np.cumsum(counts, dtype=np.intp)])


def ranges(starts: Array, counts: Array) -> Array:
    """The places of several runs, one after another.

    >>> ranges(np.array([10, 20]), np.array([2, 3])).tolist()
    [10, 11, 20, 21, 22]
    """
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(ends[-1] if len(ends) else 0)


def settled(pointers: Array) -> Array:
    """Where one arrives by following pointers as far as they go. Each round goes twice as far as the one before.

    >>> settled(np.array([0, 0, 1, 3, 2])).tolist()
    [0, 0, 0, 3, 0]
    """
    while not np.array_equal(further := pointers[pointers], pointers):
        pointers = further
    return pointers
