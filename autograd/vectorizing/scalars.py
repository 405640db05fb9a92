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
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
    """One of a table (the operands), chosen by a whole number: that of an argument, at a place."""

    argument: int
    place: int

    @property
    def name(self) -> str:
        return f"pick[{self.argument}.{self.place}]"


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


class Scalars:
    """Operations in topological order: `ops[n]` applied to the results numbered `args[n]`.

    Of a leaf, `args` says which one it is. `parameters` are the Values behind the parameter leaves, `closed` others
    that the function closes over.
    """

    def __init__(self, parameters: Sequence[Value]) -> None:
        self.parameters = parameters
        self.closed: Sequence[Value] = ()
        self.ops: list[Any] = []
        self.args: list[tuple[Any, ...]] = []
        self.outputs: list[int] = []

    def __len__(self) -> int:
        return len(self.ops)

    def append(self, op: Any, args: tuple[Any, ...]) -> int:
        """Add an operation; its number."""
        self.ops.append(op)
        self.args.append(args)
        return len(self.ops) - 1

    def like(self) -> Scalars:
        """An empty graph over the same parameters."""
        return Scalars(self.parameters)

    def operands(self, n: int) -> tuple[int, ...]:
        """The results that an operation is applied to; none for a leaf."""
        return () if isinstance(self.ops[n], Leaf) else self.args[n]

    def live(self) -> list[bool]:
        """Which results the outputs depend on."""
        live = [False] * len(self)
        for n in self.outputs:
            live[n] = True
        for n in range(len(self) - 1, -1, -1):
            if live[n] and type(self.ops[n]) is not Leaf:
                for a in self.args[n]:
                    live[a] = True
        return live

    def varying(self) -> list[bool]:
        """Which results depend on an input, and so differ from sample to sample."""
        out: list[bool] = []
        for op, args in zip(self.ops, self.args, strict=True):
            if type(op) is Leaf:
                out.append(op is INPUT)
            else:
                out.append(type(op) is Pick or any(out[a] for a in args))
        return out

    def uses(self) -> list[int]:
        """How many operands (and outputs) each result is."""
        count = [0] * len(self)
        for op, args in zip(self.ops, self.args, strict=True):
            if type(op) is not Leaf:
                for a in args:
                    count[a] += 1
        for n in self.outputs:
            count[n] += 1
        return count

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
