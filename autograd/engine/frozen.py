"""Frozen variables: leaves that no gradient reaches, so that nothing trains them.

Freezing is a matter of kind, not of a mark that somebody has to look at: ``x.requires_grad = False`` makes the leaf an
instance of `frozen(type(x))`, which is the same but for a gradient that stays empty. Those that are not frozen pay
nothing for it. A Tensor's operation records which of its operands need a gradient, so the cotangent of a frozen one is
never computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Frozen:
    """What a frozen variable is besides: its gradient is empty (0.0 of a Value, None of a Tensor), whatever comes."""

    __slots__ = ()
    empty_grad: Any

    @property
    def grad(self) -> Any:
        """Empty."""
        return self.empty_grad

    @grad.setter
    def grad(self, cotangent: Any) -> None:
        pass

    def __reduce__(self) -> Any:
        thaw(self)
        try:
            make, arguments, *rest = self.__reduce__()
        finally:
            freeze(self)
        return refrozen, (make, arguments), *rest


def frozen(kind: type[Any]) -> type[Any]:
    """The kind of a kind's frozen variables; it looks like the kind itself in messages and drawings."""
    if issubclass(kind, Frozen):
        return kind
    found: type[Any] | None = kind.__dict__.get("_frozen")  # the kind's own, not that of a base
    if found is None:
        found = type(kind.__name__, (Frozen, kind), {"__slots__": (), "__module__": kind.__module__})
        kind._frozen = found
    return found


def thawed(kind: type[Any]) -> type[Any]:
    """The kind of which this one is the frozen variant; itself, if it is none."""
    return kind.__bases__[1] if issubclass(kind, Frozen) else kind


def freeze(node: Any) -> None:
    """Empty its gradient for good, until `thaw`."""
    node.grad = node.empty_grad
    node.__class__ = frozen(type(node))


def thaw(node: Any) -> None:
    """Let gradients in again."""
    node.__class__ = thawed(type(node))


def refrozen(make: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """A frozen leaf, from its pickle."""
    node = make(*arguments)
    freeze(node)
    return node
