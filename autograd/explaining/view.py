"""A graph prepared for display: nested sums become one sum, and products are named after their factors.

>>> from autograd import Value
>>> a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")
>>> total = a * b + b + c
>>> view = View([total])
>>> view.sign(total), [view.pretty(link.operand) for link in view.links(total)]
('Σ', ['a·b', 'b', 'c'])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node
from autograd.engine.value import Value
from autograd.explaining.naming import Naming, split_path
from autograd.explaining.notation import TEXT, application
from autograd.explaining.partials import Partial, derivatives
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
    """Names, roles and operations of a graph. Some operations are folded into the one that uses them.

    Args:
        arguments, names: as for `Naming`.
        fold: "none" shows every operation. "sums" folds a sum into the sum that uses it, if it has no name and is used
            once. "affine" folds such products into the sum as well: ``w·x + b``.
        name_inputs: give names to inputs that have none (see `input_names`).
    """

    def __init__(self, *arguments: Any, fold: str = "sums", name_inputs: bool = False, **names: Any) -> None:
        super().__init__(*arguments, **names)
        self.fold = fold
        self.given: dict[int, str] = {}
        if name_inputs:
            self.given = input_names(self)

    def grad(self, node: Node) -> Any:
        """The gradient to show: the one of the last backward pass."""
        return (node.grad or 0.0) if isinstance(node, Value) else node.grad

    @property
    def swept(self) -> bool:
        """True if there are gradients to show. There are none before a backward pass."""
        return any(self.grad(x) is not None and bool(np.any(self.grad(x))) for x in self.outputs)

    def name(self, node: Node) -> str:
        """The node's name, or the one that `input_names` gives it."""
        return super().name(node) or self.given.get(id(node), "")

    def pretty(self, node: Node) -> str:
        """The name, written with Unicode signs. A product or function of named nodes is named after them."""
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
        """The node's name in formulas."""
        return self.pretty(node)

    def pretty_card(self, node: Node) -> str:
        """The name to show on a node's card. Names after operands are not shown there."""
        return TEXT.name(self.name(node))

    def is_anonymous(self, node: Node) -> bool:
        """True for a computed node without a name that only one node uses."""
        return not node.is_leaf and self.uses[id(node)] == 1 and not self.name(node)

    def links(self, node: Node) -> list[Partial]:
        """The operands of a result after folding, each with the result's derivative by it."""
        return [link for term in self.terms(node) for link in term]

    def terms(self, node: Node) -> list[list[Partial]]:
        """The links as lists: one list for each term of a sum."""
        if node.is_leaf:
            return []
        found = derivatives(node, self.term) if node.op not in SUMS or not isinstance(node, Value) else []
        if node.op is ops.ROWS["dot"]:
            n = len(found) // 2
            return [[w, x] for w, x in zip(found[:n], found[n:], strict=False)] + [[b] for b in found[2 * n :]]
        if found or self.fold == "none":
            return [[link] for link in found or self._addends(node)[::-1]]
        terms: list[list[Partial]] = []
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

    def _addends(self, node: Node) -> list[Partial]:
        """The operands of a sum, the last one first."""
        return [Partial(x, i, 1.0, ONE) for i, x in reversed(list(enumerate(node.operands))) if isinstance(x, Node)]

    def folded(self, node: Node) -> list[Node]:
        """The nodes that are folded into this one."""
        found = self._taken(node)
        for x in found:  # the list grows in this loop
            found += self._taken(x)
        return found

    def hidden(self) -> set[int]:
        """The ids of all nodes that are folded into another. Each node is visited once, however long the sums are."""
        return {id(x) for node in self.nodes for x in self._taken(node)}

    def _taken(self, node: Node) -> list[Node]:
        """The operands that are folded directly into this sum."""
        if self.fold == "none" or node.op not in SUMS or not isinstance(node, Value):
            return []
        kinds = (*SUMS, ops.mul) if self.fold == "affine" else SUMS
        return [x for x in node.parents if x.op in kinds and self.is_anonymous(x)]

    def sign(self, node: Node) -> str:
        """The sign of a node's operation, with its constants: ``×``, ``Σ``, ``x²``, ``× 0.5``, ``tanh``."""
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
        if not isinstance(operands[0], Node):
            return f"{constants[0]} {sign}"
        if op.infix != op.name and constants[0].startswith("−"):
            return f"{sign} ({constants[0]})"
        return f"{sign} {', '.join(constants)}"

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
    """Names for inputs that have none: x0 for the input that is multiplied by w[0]; x2_0 if it is of the second sample.

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


def rms(x: Any) -> float:
    """The root mean square of some numbers; 0 if there are none. It does not overflow, as squares of large numbers do.

    >>> rms([3e200, -4e200]), rms([])
    (3.53553390...e+200, 0.0)
    """
    sizes = np.abs(np.asarray(x, dtype=float))
    top = float(np.max(sizes, initial=0.0))
    return top * float(np.sqrt(np.mean(np.square(sizes / top)))) if top and np.isfinite(top) else top


def short(x: float) -> str:
    """A constant with three significant digits."""
    return f"{float(x):.3g}".replace("-", "−")
