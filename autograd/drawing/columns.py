"""The vertical order of operands: w₀ with the x₀ that it multiplies, w₁ with x₁, then b; neuron 1 above neuron 2.

Graphviz puts operands where edges cross least, often b, w₁, w₀ from top to bottom. So the operands that an operation
takes from outside are put into a column (a row if the graph runs down), in the order of the formula, with a bias last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from autograd import ops
from autograd.engine.graph import Node
from autograd.explaining.naming import Chain


@dataclass(frozen=True)
class Operand:
    """An operand of an operation: the picture's node at which its edge begins, and the graph's node.

    `enters` is True if it comes from another part. Then the edge begins where it enters this part.
    """

    name: str
    node: Node
    enters: bool = False


@dataclass
class Column:
    """The operands in front of an operation, from top to bottom."""

    chain: Chain
    depth: int  # the longest chain of operations that leads to it
    members: list[Operand] = field(default_factory=list)
    leaves: int = 0  # the leaves among the members, as bits; see `Columns`
    below: int = 0  # the leaves that the entering members were computed from, as bits


class Columns:
    """The columns of a picture, collected operation by operation, operands before results."""

    def __init__(self) -> None:
        self.found: dict[int, Column] = {}
        self.taken: set[int] = set()  # leaves that are in a column
        self.depth: dict[int, int] = {}
        self.below: dict[int, int] = {}  # the leaves that a value was computed from, as bits
        self.bits: dict[int, int] = {}

    def add(self, node: Node, chain: Chain, terms: list[list[Operand]], alone: Callable[[Node], bool]) -> None:
        """Add an operation of a part. `terms` are its operands, those of one product in one list.

        The column of a product joins the operation's column if the product is `alone`: only this operation uses it.
        """
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
                    column.members += sorted(product.members, key=lambda x: x.enters)  # the weight above its input
        column.members += added
        self.found[id(node)] = column

    def _bit(self, leaf: Node) -> int:
        return self.bits.setdefault(id(leaf), 1 << len(self.bits))

    def ordered(self) -> list[tuple[Chain, list[str]]]:
        """Each column's part, and its names from top to bottom. The columns of a layer's neurons become one."""
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
        """Put an operand into a column, unless a member of the column would then be computed from another member."""
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
