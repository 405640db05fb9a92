"""Activations: operations of one operand as layers, and how they are found by name."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, overload

import autograd
from autograd import Tensor, Value
from nn.module import Module
from nn.support.names import is_factory, named

ActivationLike: TypeAlias = str | type[Module] | Callable[[Any], Any] | Callable[[], Module] | None
"""The type of an `activation`: a name, a class or an object, a function of one argument, or None for none."""


class Activation(Module):
    """An operation of one operand as a layer. `activation_layer` finds a subclass by the name of its function."""

    function: ClassVar[Callable[..., Any]]
    arguments: ClassVar[tuple[str, ...]] = ()  # the attributes that the function takes after its operand

    @overload
    def __call__(self, x: Tensor) -> Tensor: ...
    @overload
    def __call__(self, x: Value) -> Value: ...
    @overload
    def __call__(self, x: Any) -> Any: ...
    def __call__(self, x: Any) -> Any:
        return type(self).function(x, *self._given())

    def _given(self) -> list[Any]:
        return [getattr(self, name) for name in self.arguments]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self._given()))})"


class ReLU(Activation):
    """max(x, 0)."""

    function = autograd.relu


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    function = autograd.sigmoid


class Tanh(Activation):
    """Hyperbolic tangent."""

    function = autograd.tanh


class GELU(Activation):
    """x times the normal distribution function of x."""

    function = autograd.gelu


class SiLU(Activation):
    """x * sigmoid(x)."""

    function = autograd.silu


class Softplus(Activation):
    """log(1 + exp(x))."""

    function = autograd.softplus


class LeakyReLU(Activation):
    """x where positive, slope * x elsewhere."""

    function = autograd.leaky_relu
    arguments = ("slope",)

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope


class ELU(Activation):
    """x where positive, alpha * (exp(x) - 1) elsewhere."""

    function = autograd.elu
    arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha


class Softmax(Activation):
    """Probabilities along the last axis. Losses take logits: use this for output only."""

    function = autograd.softmax


def activations() -> dict[str, Any]:
    """Every activation by its name: the layers, and the table's other operations of one operand.

    >>> activations()["tanh"], activations()["sin"]
    (<class 'nn.layers.activations.Tanh'>, <operation sin(x)>)
    """
    rows = {name: row for name, row in vars(autograd.ops).items() if getattr(row, "on_scalars", False)}
    found = {name: row for name, row in rows.items() if name[0] != "_" and not isinstance(row, type) and row.arity == 1}
    return found | {kind.function.__name__: kind for kind in _kinds()}


def _kinds() -> list[type[Activation]]:
    return [kind for kind in Activation.__subclasses__() if hasattr(kind, "function")]


def activation_layer(given: ActivationLike) -> Callable[[Any], Any] | None:
    """A new layer, or a function, for an activation; None for None.

    Raises ValueError for an unknown name, and TypeError for anything that is not an activation.

    >>> activation_layer("tanh"), activation_layer(ReLU), activation_layer(LeakyReLU(0.2))
    (Tanh(), ReLU(), LeakyReLU(0.2))
    """
    if given is None:
        return None
    found: Any = given
    if isinstance(given, str):
        others = " and the other operations of one number, such as sin; or pass a function"
        found = named("activation", given, activations(), others, [kind.function.__name__ for kind in _kinds()])
    found = next((kind for kind in _kinds() if kind.function is found), found)
    if is_factory(found):
        found = found()
    elif isinstance(found, Module):
        found = copy.deepcopy(found)  # otherwise all layers would share its parameters
    if not callable(found):
        raise TypeError(
            f'an activation is a name such as "relu", a layer such as nn.ReLU, or a function, not {given!r:.60}'
        )
    return found  # type: ignore[no-any-return]
