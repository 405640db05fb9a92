"""A graph as people look at it: sums of sums as one sum, products that have a name, who is used how often.

>>> from autograd import Value
>>> a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")
>>> total = a * b + b + c
>>> view = View([total])
>>> view.sign(total), [view.pretty(link.operand) for link in view.links(total)]
('Σ', ['a·b', 'b', 'c'])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node
from autograd.engine.value import Value
from autograd.explaining.local import Local, derivatives
from autograd.explaining.naming import Clusters, Naming, split_path
from autograd.explaining.notation import TEXT, application
from autograd.explaining.text import printable
from autograd.ops.rows import Elementwise
from autograd.ops.symbol import Symbol, symbol

SUMS = (ops.add, ops.sum)
LONGEST = 14  # characters of a name that is made up
FOLDS = ("none", "sums", "affine")
SIGNS = {
    "add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "−", "square": "x²", "sqrt": "√", "sigmoid": "σ",
    "sum": "Σ", "abs": "|x|", "matmul": "@", "linear": "xW + b", "getitem": "[ ]",
}  # fmt: skip


class View(Naming):
    """Names and roles, and the operations of a graph with what is folded into them.

    Args:
        outputs, model, labels, clusters, roles: as for `Naming`.
        fold: "none" shows every operation; "sums" makes anonymous sums that are used once part of the sum that uses
            them; "affine" takes anonymous products into it as well, ``w·x + b``.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        model: Any = None,
        labels: Mapping[str, Any] | None = None,
        clusters: Clusters | None = None,
        roles: Mapping[str, Iterable[Node]] | None = None,
        fold: str = "sums",
        name_inputs: bool = False,
    ) -> None:
        super().__init__(outputs, model, labels, clusters, roles)
        self.fold = fold
        self.given: dict[int, str] = {}
        if name_inputs:
            self.given = input_names(self)

    def grad(self, node: Node) -> Any:
        """The gradient to show: what the last backward left."""
        return (node.grad or 0.0) if isinstance(node, Value) else node.grad

    @property
    def swept(self) -> bool:
        """Whether there are gradients to show: before a backward there are none."""
        return any(self.grad(x) is not None and bool(np.any(self.grad(x))) for x in self.outputs)

    def name(self, node: Node) -> str:
        """The name that the node has, or the one that an input is given here."""
        return super().name(node) or self.given.get(id(node), "")

    def pretty(self, node: Node) -> str:
        """The name as text with its signs; a product or a function of what has a name is called by that; else empty."""
        if name := self.name(node):
            return TEXT.name(name)
        op, operands = node.op, node.operands
        if not isinstance(op, Elementwise) or not (op is ops.mul or op.infix == op.name):
            return ""
        names = [self.name(x) if isinstance(x, Node) else x for x in operands]
        if any(np.ndim(x) for x in names) or not all(names):
            return ""
        text = application(op, [Symbol(x) if isinstance(x, str) else symbol(x) for x in names])
        return text if len(text) <= LONGEST else ""

    def term(self, node: Node) -> str | Symbol:
        """What the node is called in formulas."""
        return self.pretty(node)

    def pretty_card(self, node: Node) -> str:
        """What stands on a node's card: only a name that somebody gave."""
        return TEXT.name(self.name(node))

    def is_anonymous(self, node: Node) -> bool:
        """Whether it has no name of its own, and only one node uses it."""
        return not node.is_leaf and self.uses[id(node)] == 1 and not self.name(node)

    def links(self, node: Node) -> list[Local]:
        """What goes into a result, after folding: each with the derivative of the result in it."""
        return [link for term in self.terms(node) for link in term]

    def terms(self, node: Node) -> list[list[Local]]:
        """The links, those of one product of a sum together."""
        if node.is_leaf:
            return []
        found = derivatives(node, self.term) if node.op not in SUMS or not isinstance(node, Value) else []
        if node.op is ops.ROWS["dot"]:
            n = len(found) // 2
            return [[w, x] for w, x in zip(found[:n], found[n:], strict=False)] + [[b] for b in found[2 * n :]]
        if found or self.fold == "none":
            return [[link] for link in found or self._addends(node)[::-1]]
        terms: list[list[Local]] = []
        stack = self._addends(node)
        while stack:
            link = stack.pop()
            inner = link.operand
            if inner.op in SUMS and self.is_anonymous(inner):
                stack += self._addends(inner)
            elif self.fold == "affine" and inner.op is ops.mul and self.is_anonymous(inner):
                terms.append(derivatives(inner, self.term))
            else:
                terms.append([link])
        return terms

    def _addends(self, node: Node) -> list[Local]:
        """What a sum adds up, the last first."""
        return [Local(x, i, 1.0, ONE) for i, x in reversed(list(enumerate(node.operands))) if isinstance(x, Node)]

    def folded(self, node: Node) -> list[Node]:
        """The nodes that became part of this one."""
        found = self._taken(node)
        for x in found:  # it grows meanwhile
            found += self._taken(x)
        return found

    def hidden(self) -> set[int]:
        """The identities of all nodes that became part of another: one look at each, however long the sums are."""
        return {id(x) for node in self.nodes for x in self._taken(node)}

    def _taken(self, node: Node) -> list[Node]:
        """The operands that became part of a sum, without what became part of them."""
        if self.fold == "none" or node.op not in SUMS or not isinstance(node, Value):
            return []
        kinds = (*SUMS, ops.mul) if self.fold == "affine" else SUMS
        return [x for x in node.parents if x.op in kinds and self.is_anonymous(x)]

    def sign(self, node: Node) -> str:
        """The sign of a result's operation, with the constants in it: ``×``, ``Σ``, ``x²``, ``× 0.5``, ``tanh``."""
        op, operands = node.op, node.operands
        if isinstance(node, Value) and op in SUMS and self.fold != "none":
            return self._sum_sign(node)
        if op is ops.ROWS["dot"]:
            return "w·x + b" if len(operands) % 2 else "w·x"
        sign = SIGNS.get(op.name) or printable(op.name)
        others = [x for x in operands if not isinstance(x, Node)]
        constants = [] if any(map(np.ndim, others)) or not isinstance(op, Elementwise) else [short(x) for x in others]
        if op is ops.power and constants:
            return application(op, [SLOT if isinstance(x, Node) else symbol(x) for x in operands])
        if op is ops.where or not constants:
            return sign
        return f"{sign} {', '.join(constants)}" if isinstance(operands[0], Node) else f"{constants[0]} {sign}"

    def _sum_sign(self, node: Node) -> str:
        inside = [node, *self.folded(node)]
        constant = sum(float(x) for part in inside if part.op in SUMS for x in part.operands if not isinstance(x, Node))
        products = [part for part in inside if part.op is ops.mul]
        terms = len(self.links(node)) - len(products)
        sign = "+" if len(inside) == 1 and len(node.operands) == 2 else "Σ"
        if products:
            sign = "w·x + b" if terms > len(products) else "w·x"
        return f"{sign} + {short(constant)}".replace("+ + ", "+ ").replace("+ −", "− ") if constant else sign


def input_names(naming: Naming) -> dict[int, str]:
    """Names for inputs that have none: x0 for what is multiplied by w[0]; x2_0 if it is the second sample's.

    >>> from nn import Neuron
    >>> neuron, first, second = Neuron(2), [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    >>> list(input_names(Naming([neuron(first)], neuron)).values())
    ['x0', 'x1']
    >>> list(input_names(Naming([neuron(first) + neuron(second)], neuron)).values())
    ['x1_0', 'x1_1', 'x2_0', 'x2_1']
    """
    places: dict[int, str] = {}
    for node in naming.nodes:
        if node.op in (ops.mul, ops.ROWS["dot"]):
            half = len(node.operands) // 2
            for pair in zip(node.operands[:half], node.operands[half:], strict=False):
                for w, x in (pair, pair[::-1]):
                    if isinstance(x, Node) and x.is_leaf and naming.role(x) == "input" and not naming.name(x):
                        index = split_path(naming.paths.get(id(w), ""))[1]
                        places.setdefault(id(x), index[-1] if index else str(len(places)))
    seen: dict[str, int] = {}
    for place in places.values():
        seen[place] = seen.get(place, 0) + 1
    one_sample, taken = max(seen.values(), default=0) < 2, {naming.name(x) for x in naming.nodes if x.is_leaf}
    found, sample = {}, dict.fromkeys(seen, 0)
    for key, place in places.items():
        sample[place] += 1
        name = f"x{place}" if one_sample else f"x{sample[place]}_{place}"
        if name not in taken:
            found[key] = name
    return found


ONE = symbol(1)
SLOT = Symbol("x")


def short(x: float) -> str:
    """A constant in few characters."""
    return f"{float(x):.3g}".replace("-", "−")
