"""The computation graph: what a node is, the one topological order, and reverse mode.

A node holds its number or array (`data`), its gradient (`grad`), the operation that made it (`op`, a row of the table)
and what that operation was applied to (`operands`). A leaf was made by hand: its operation is None. Operands point
towards the leaves only. So a graph has no cycles, and a graph that is dropped is freed at once. Nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from autograd.engine.frozen import Frozen, freeze, thaw
from autograd.engine.modes import modes
from autograd.engine.parts import with_part
from autograd.ops.operators import Operators
from autograd.ops.traced import Traced

N = TypeVar("N", bound="Node")


def as_label(label: object) -> str:
    """A label as text. None, or the empty tuple that micrograd's programs pass there, is no label.

    TypeError for anything but text: it would be found only when somebody draws.
    """
    if isinstance(label, str):
        return str(label)
    if label is None or (isinstance(label, tuple) and not label):
        return ""
    raise TypeError(f"a label is text, not {type(label).__name__} {label!r:.60}: pass str(…) of it")


def restore(kind: type[Node], data: Any, label: str, grad: Any) -> Node:
    """A leaf, from its pickle; a subclass's own constructor may take other arguments, and is not called."""
    ours: Any = next(base for base in kind.__mro__ if base.__module__.startswith("autograd."))
    node = kind.__new__(kind)
    ours.__init__(node, data, label=label)
    node.grad = grad
    return node


class Node(Operators):
    """A variable in a computation graph: what Values and Tensors have in common."""

    __slots__ = ()

    data: Any  # the number or array: a property of each kind
    _raw: Any  # where it is held. Not `_data`: numpy.ma would take it for that of a masked array
    grad: Any
    op: Any  # the row of the table that made it; None for a leaf
    operands: tuple[Any, ...]  # what the row was applied to, in order: variables and constants
    parents: tuple[Any, ...]  # the operands that are variables themselves
    params: dict[str, Any]  # the row's parameters, such as an axis
    label: str  # for drawings and messages; empty unless given
    empty_grad: Any = None  # what `grad` is before any gradient has come

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by hand rather than by an operation."""
        return self.op is None

    @property
    def requires_grad(self) -> bool:
        """Whether `backward` gives it a gradient. Assign False to freeze a leaf, True to thaw it.

        The gradient of a frozen leaf stays empty, and optimisers leave its numbers as they are, bit for bit. What is
        computed from frozen Tensors and constants alone is a constant, too. TypeError for a result of an operation.

        >>> from autograd import Value
        >>> w, x = Value(2.0), Value(3.0)
        >>> w.requires_grad = False
        >>> (w * x).backward()
        >>> w.grad, x.grad
        (0.0, 2.0)
        """
        return not isinstance(self, Frozen)

    @requires_grad.setter
    def requires_grad(self, wanted: bool | np.bool_) -> None:
        if not isinstance(wanted, (bool, np.bool_)):
            raise TypeError(f"requires_grad is True or False, not {wanted!r:.60}")
        if bool(wanted) == self.requires_grad:
            return
        if not self.is_leaf:
            raise TypeError(
                f"this {type(self).__name__} was computed by {self.op.name}: only leaves are frozen; take its numbers, "
                ".detach(), for a constant"
            )
        (thaw if wanted else freeze)(self)

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        """The cotangents of the operands, None for constants; see `cotangents`."""
        raise NotImplementedError

    def draw(self, **options: Any) -> Any:
        """A picture of the graph below; see `autograd.draw`."""
        from autograd.drawing import draw

        return draw(self, **options)

    def tree(self, **options: Any) -> str:
        """The graph below as text; see `autograd.tree`."""
        from autograd.explaining.tree import tree

        return tree(self, **options)

    def __reduce__(self) -> Any:
        kind = type(self)
        if self.op is not None:
            raise TypeError(
                f"this {kind.__name__} was computed by {self.op.name} and is part of a graph, which is neither copied "
                "nor pickled; take what it holds (.data), or copy the leaves and compute again"
            )
        return restore, (kind, self._raw, self.label, self.grad), getattr(self, "__dict__", None) or None


def postorder(roots: Iterable[N], without: Iterable[Node] = (), left_first: bool = False) -> list[N]:
    """The roots and everything below them, leaves included: each node once, after its operands.

    Nodes in `without` are left out, with what is only below them. The last operand of a node is visited first, since
    it lies on top of the stack. That fixes the order in which gradients are added, and so their last bits. Drawings and
    explanations pass `left_first`, which visits the first operand first: people read from the left.

    This is a topological order; from its end to its start, each node comes after everything that was computed from it.
    It is found depth first, with a stack in place of recursion, since graphs may be deep. A node that is met for the
    first time goes back on the stack under its operands, with a None above it that says: the next one is ready.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b
    >>> [node.label or node.op.infix for node in postorder([c + a])]
    ['a', 'b', '*', '+']
    """
    order: list[N] = []
    met: set[Node] = set(without)
    stack: list[Any] = list(roots)
    if left_first:
        stack.reverse()
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())
        elif node not in met:
            met.add(node)
            stack += (node, None)
            stack += reversed(node.parents) if left_first else node.parents
    return order


def between(outputs: Sequence[Any], wrt: Sequence[Node]) -> list[Node]:
    """The nodes on the paths from the variables `wrt` to the outputs, operands before results; without `wrt`."""
    order: list[Node] = []
    depends = set(wrt)
    for node in postorder([x for x in outputs if isinstance(x, Node)], without=wrt):
        if not depends.isdisjoint(node.parents):
            depends.add(node)
            order.append(node)
    return order


def cotangents(outputs: Sequence[Any], seeds: Sequence[Any], wrt: Sequence[Node], live: bool) -> list[Any]:
    """Reverse mode that writes to no node: the cotangents of `wrt`, None where nothing flows.

    With `live` the rules run on the nodes themselves rather than on their numbers. Then the results are part of the
    graph, and can be differentiated again. A node among `wrt` is treated as a leaf.
    """
    if modes.tracer is not None and (traced := modes.tracer.cotangents(outputs, seeds, wrt)) is not None:
        return traced  # type: ignore[no-any-return]
    found: dict[int, Any] = {}
    own: set[int] = set()
    in_place = not live and not any(isinstance(seed, Traced) for seed in seeds)

    def add(x: Any, cotangent: Any) -> None:
        if isinstance(x, Node):
            found[id(x)] = found[id(x)] + cotangent if id(x) in found else cotangent

    for x, seed in zip(outputs, seeds, strict=True):
        add(x, seed)
    with np.errstate(all="ignore"):
        for node in reversed(between(outputs, wrt)):
            g = found.pop(id(node), None)
            if g is None:
                continue
            if in_place and node.op.adds is not None and (key := id(node.operands[0])) in found:
                found[key] = with_part(node, g, found[key], own)
            else:
                for x, cotangent in zip(node.operands, node._cotangents(g, live), strict=True):
                    if cotangent is not None:
                        add(x, cotangent)
    return [found.get(id(x)) for x in wrt]
