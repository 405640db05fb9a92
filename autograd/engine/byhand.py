"""Operations written by hand on a node, as micrograd's programs write them: operands, a sign, and a `_backward`.

>>> from autograd import Value
>>> def cube(x):
...     out = Value(x.data**3, (x,), "cube")
...     def _backward():
...         x.grad += 3 * x.data**2 * out.grad
...     out._backward = _backward
...     return out
>>> x = Value(2.0)
>>> (1 + cube(x)).backward()
>>> x.grad
12.0

Such a node is recorded like any other, with `ByHand` for its row. It has no partials. Its derivative is what
`_backward` adds to the operands' gradients, and `ByHand.cotangents` finds it by having it add. That is a derivative in
numbers and in reverse mode. Second order, forward mode and `vectorize` need a formula. So they refuse such a node by
name; `autograd.custom_op` has one.

`_backward` refers to its result, and the result to `_backward`. So these nodes are freed by Python's cyclic collector,
unlike all others. And to find the derivative, gradients are set aside for a moment: threads that share such nodes take
turns in transformations too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from autograd import ops
from autograd.engine.graph import Node, as_label
from autograd.engine.modes import modes
from autograd.ops.arrays import number
from autograd.ops.rows import Op, Traced, real

Step = Callable[[], None]


class ByHand(Op):
    """The row of an operation that has no formula: a name for messages and drawings, and micrograd's sign."""

    on_scalars = True

    def __init__(self, name: str, sign: str) -> None:
        super().__init__(name, -1, doc="Written by hand, with a _backward of its own.")
        self.sign = sign
        self.forward = self._unknown

    def _unknown(self, *operands: Any) -> Any:
        raise TypeError(f"{self.name} was computed by the program that wrote it by hand: its row knows no formula")

    def cotangents(self, node: Any, g: Any, live: bool) -> list[Any]:
        """What the node's `_backward` adds to each operand, given its cotangent; nobody's gradient is changed.

        An operand that occurs twice gets all of it where it is first.
        """
        if live:
            raise TypeError(
                f"{self.name} was written by hand: its _backward computes with numbers, so what it gives cannot be "
                "differentiated again. Write it with autograd.custom_op, or ask for numbers (create_graph=False)"
            )
        if not node.parents:
            return [None] * len(node.operands)
        variables = {id(x): x for x in node.parents}
        held = [(x, x.grad) for x in (node, *variables.values())]
        try:
            node.grad = real(g)
            for x in variables.values():
                x.grad = 0.0
            node._backward()
            return [variables.pop(id(x)).grad if id(x) in variables else None for x in node.operands]
        finally:
            for x, grad in held:
                x.grad = grad


@lru_cache(maxsize=256)
def row(name: str, sign: str) -> ByHand:
    """The row of this name and sign."""
    return ByHand(name, sign)


def step_of(node: Any) -> Step:
    """The node's backward step as it is now. A program may give the node another one, and call this one from there."""
    if (given := node._own("_backward", None)) is not None:
        return given  # type: ignore[no-any-return]
    if node.op is None:
        return nothing
    if isinstance(node.op, ByHand) and node.partials is None:
        return lambda: unfinished(node)
    op, partials = node.op, node.partials

    def _backward() -> None:
        shares = cotangents_of(node, op, partials)
        for x, share in zip(node.operands, shares, strict=True):
            if share is not None:
                x.grad = (x.grad or 0.0) + float(share)

    return _backward


def cotangents_of(node: Any, op: Op, partials: Any) -> Sequence[Any]:
    """What a node that is computed by `op` with these partials hands to its operands, whatever it is by now."""
    now = node.op, node.partials
    node.op, node.partials = op, partials
    try:
        return node._cotangents(node.grad, live=False)  # type: ignore[no-any-return]
    finally:
        node.op, node.partials = now


def replace_step(node: Any, step: Step) -> None:
    """Give a node a backward step of its own, in place of its partials."""
    node.__dict__["_backward"] = step
    node.partials = None
    node.op = row(node.op.name, node._op)


def is_finished(node: Any) -> bool:
    """Whether a node knows its derivative: not so an operation written by hand before its `_backward` is set."""
    return not isinstance(node.op, ByHand) or node.partials is not None or node._own("_backward", None) is not None


def unfinished(node: Node) -> None:
    """The backward step of a node that has not been given one."""
    raise TypeError(
        f"{node!r} was made by hand, as {node.op.sign!r} of {len(node.parents)} operands, and has no _backward: set "
        "out._backward to a function that adds to the operands' grad (lambda: None, if nothing flows)"
    )


def idle(step: Step) -> bool:
    """Whether a function does nothing, as the one that every node of micrograd's begins with: ``lambda: None``."""
    code = getattr(step, "__code__", None)
    return code is not None and (code.co_code, code.co_consts[-1:]) == (_nothing.co_code, (None,))


def nothing() -> None:
    """The backward step of a leaf."""


_nothing = (lambda: None).__code__


def operands_of(given: Any, kind: type[Node]) -> tuple[Any, ...]:
    """The operands that a program gives a node of its own; TypeError for anything but Values."""
    if isinstance(given, Traced) or not isinstance(given, Iterable):
        raise TypeError(
            "the second argument of Value is a label (text), or the operands of an operation written by hand (a tuple "
            f"of Values), not {type(given).__name__} {given!r:.60}"
        )
    items = tuple(given)
    for x in items:
        if not isinstance(x, kind):
            raise TypeError(
                f"an operation written by hand has Values as operands, not {type(x).__name__} {x!r:.60}: "
                "autograd.custom_op makes one that works on numbers, arrays and Tensors, in forward mode too"
            )
    return items


class HandWritten(Node):
    """What programs written for micrograd use of a node: `_prev`, `_op`, `_backward`, the constructor's arguments."""

    __slots__ = ()

    def _begin(self: Any, children: Any, op: Any, label: Any) -> None:
        """A leaf with a label, or the result of an operation written by hand."""
        if isinstance(children, str):  # as our own programs write it
            if label:
                raise TypeError(f"a Value has one label, not two: {children!r} and {label!r:.60}")
            children, label = (), children
        if label := as_label(label):
            self.label = label
        operands = operands_of(() if children is None else children, HandWritten)
        if isinstance(op, str):
            if operands:
                self._record(tuple(dict.fromkeys(operands)), row(op or "hand", op), None)
            elif op:
                self._op = op
        elif isinstance(op, (tuple, list)) and len(op) == len(operands):
            self._record(operands, row("hand", ""), tuple([number(d) for d in op]))
        else:
            raise TypeError(
                f"the third argument of Value is the operation's sign (text), or a local derivative for each of the "
                f"{len(operands)} operands, not {type(op).__name__} {op!r:.60}"
            )

    def _record(self: Any, operands: tuple[Any, ...], op: Op, partials: tuple[float, ...] | None) -> None:
        """Become the result of an operation written by hand; without recording, stay a leaf."""
        if modes.tracer is not None:
            modes.tracer.by_hand(op.name)
        if modes.recording:
            self.op, self.operands, self.parents, self.partials = op, operands, operands, partials
            if modes.watch is not None:
                modes.watch.record(self, op, operands)

    @property
    def _prev(self: Any) -> tuple[Node, ...]:
        """The operands that are Values."""
        return self.parents  # type: ignore[no-any-return]

    @_prev.setter
    def _prev(self: Any, children: Any) -> None:
        operands = operands_of(children, HandWritten)
        if self.op is not None and not isinstance(self.op, ByHand):
            raise TypeError(f"this Value was computed by {self.op.name}, from operands that cannot be exchanged")
        if operands:
            self._record(tuple(dict.fromkeys(operands)), self.op or row(self._op or "hand", self._op), None)

    @property
    def _op(self: Any) -> str:
        """The operation as micrograd writes it: "+", "*", "**2", "ReLU", "tanh"; empty for a leaf."""
        if (given := self._own("_op", None)) is not None:
            return str(given)
        made = self.op
        if made is None:
            return ""
        if isinstance(made, ByHand):
            return made.sign
        if made is ops.power:
            base, exponent = [x if isinstance(x, Node) else repr(x).removesuffix(".0") for x in self.operands]
            return f"**{exponent}" if isinstance(base, Node) and isinstance(exponent, str) else made.infix
        return "ReLU" if made is ops.relu else made.infix

    @_op.setter
    def _op(self: Any, sign: str) -> None:
        self.__dict__["_op"] = sign

    @property
    def _backward(self: Any) -> Callable[[], None]:
        """The node's step of backward: a function that adds to its operands' `grad` what its own means for them.

        Setting it gives this one node a derivative written by hand. See `autograd.engine.byhand`.

        >>> from autograd import Value
        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.grad = 1.0
        >>> y._backward()
        >>> x.grad
        6.0
        """
        return step_of(self)

    @_backward.setter
    def _backward(self: Any, step: Callable[[], None]) -> None:
        if not callable(step):
            raise TypeError(f"_backward is a function without arguments, not {type(step).__name__} {step!r:.60}")
        if self.is_leaf and idle(step):  # it does nothing already
            return
        if modes.tracer is not None:
            modes.tracer.by_hand(self._op or "a _backward")
        if self.op is None:
            self._record((), row(self._op or "hand", self._op), None)
        if self.op is not None:
            replace_step(self, step)
