"""What stands above what: w₀ with the x₀ that it multiplies, w₁ with x₁, then b; neuron 1 above neuron 2.

Left alone, the layout puts operands where edges cross least: often b, w₁, w₀ from top to bottom. So what an operation
takes from outside becomes a column (a row where the graph runs down), in the order of the formula, a bias last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from autograd import ops
from autograd.engine.graph import Node
from autograd.explaining.naming import Chain


@dataclass(frozen=True)
class Operand:
    """A value that an operation takes: the node of the picture from which its edge comes, and the value.

    `enters` tells that it comes from another part: then the edge comes from the point where it enters this one.
    """

    name: str
    node: Node
    enters: bool = False


@dataclass
class Column:
    """What stands one above the other before an operation."""

    chain: Chain
    depth: int  # how many operations in a row lead to it
    members: list[Operand] = field(default_factory=list)
    leaves: int = 0  # those among the members, as bits; see `Columns`
    below: int = 0  # those that the members that enter were computed from


class Columns:
    """The columns of a picture, collected operation by operation, operands before results."""

    def __init__(self) -> None:
        self.found: dict[int, Column] = {}
        self.taken: set[int] = set()  # leaves that are in a column
        self.depth: dict[int, int] = {}
        self.below: dict[int, int] = {}  # the leaves that a value was computed from, as bits
        self.bits: dict[int, int] = {}

    def add(self, node: Node, chain: Chain, terms: list[list[Operand]], alone: Callable[[Node], bool]) -> None:
        """An operation in a part: its operands, those of one product together; products that stand `alone` join it."""
        operands = [x for term in terms for x in term]
        for x in operands:
            if x.node.is_leaf:
                self.below.setdefault(id(x.node), self._bit(x.node))
        self.depth[id(node)] = 1 + max((self.depth.get(id(x.node), 0) for x in operands), default=0)
        self.below[id(node)] = 0
        for x in operands:
            self.below[id(node)] |= self.below.get(id(x.node), 0)
        column, added = Column(chain, self.depth[id(node)]), list[Operand]()
        adds = node.op in (ops.add, ops.sum, ops.ROWS["dot"])
        for term in terms:
            for x in sorted(term, key=lambda x: x.enters):
                if x.enters:
                    column.members.append(x)
                elif x.node.is_leaf and id(x.node) not in self.taken:
                    self.taken.add(id(x.node))
                    (added if adds and len(term) == 1 else column.members).append(x)
                elif x.node.op is ops.mul and alone(x.node) and id(x.node) in self.found:
                    product = self.found.pop(id(x.node))
                    column.members += sorted(product.members, key=lambda x: x.enters)  # a weight above its input
        column.members += added
        self.found[id(node)] = column

    def _bit(self, leaf: Node) -> int:
        return self.bits.setdefault(id(leaf), 1 << len(self.bits))

    def ordered(self) -> list[tuple[Chain, list[str]]]:
        """Each column's part, and the names in it from the top; columns of neurons of one layer are joined."""
        parts: dict[Chain, int] = {}
        for column in self.found.values():
            parts.setdefault(column.chain, len(parts))
        joined: dict[tuple[Chain, int] | int, Column] = {}
        for column in sorted(self.found.values(), key=lambda column: parts[column.chain]):
            neuron = len(column.chain) > 1
            key = (column.chain[:-1], column.depth) if neuron else len(joined)
            whole = joined.setdefault(key, Column(column.chain, column.depth))
            for x in column.members:
                self._join(x, whole)
        return [(column.chain, [x.name for x in column.members]) for column in joined.values()]

    def _join(self, x: Operand, column: Column) -> None:
        """Put it into a column where it fits: nothing there may be computed from another of its members."""
        if x.enters:
            below = self.below.get(id(x.node), 0)
            fits = not below & column.leaves
            column.below |= below if fits else 0
        else:
            leaf = self._bit(x.node)
            fits = not leaf & column.below
            column.leaves |= leaf if fits else 0
        if fits:
            column.members.append(x)
