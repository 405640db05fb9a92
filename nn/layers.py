"""Layers on `Tensor`s: `Linear`, the activations, `Dropout`, and `Sequential` to combine them.

The batch axis comes first. A layer maps an array or Tensor of shape (…, n_in) to a Tensor of shape (…, n_out).
"""

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, overload

import numpy as np
from numpy.typing import DTypeLike

import autograd
from autograd import Tensor, Value, linear, matmul
from nn import init
from nn.module import Module
from nn.support.arrays import as_input, as_operand
from nn.support.names import is_factory, named, whole

Rng = np.random.Generator | int | None
ActivationLike: TypeAlias = str | type[Module] | Callable[[Any], Any] | Callable[[], Module] | None
"""The type of an `activation`: a name, a class or an object, a function of one argument, or None for none."""

LayerLike: TypeAlias = str | type[Module] | Callable[[Any], Any]
"""The type of a layer of a `Sequential`: an activation's name or class, a layer, or a function of one argument."""


class Linear(Module):
    """``x @ weight + bias``.

    Args:
        n_in, n_out: the lengths of the last axes of input and output.
        bias: False for a layer without a bias.
        weight_init: an initialiser from `nn.init`, or its name. The default is He's uniform.
        rng: a seed or a generator for the weights.
        dtype: float32 or float64.

    `weight` has the shape (n_in, n_out). So the gradient ``x.T @ g`` is a product of contiguous arrays.

    >>> layer = Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        bias: bool = True,
        weight_init: str | init.Initializer = init.he_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = whole("inputs", n_in), whole("outputs", n_out)
        if not isinstance(bias, bool | np.bool_):
            raise TypeError(f"bias is True or False, not {bias!r:.60}; an activation is a layer of its own, nn.ReLU()")
        weight = np.asarray(init.initializer(weight_init)(shape, np.random.default_rng(rng)))
        if weight.shape != shape:
            raise ValueError(f"weight_init made an array of shape {weight.shape}, for weights of shape {shape}")
        self.weight = Tensor(weight, dtype)
        self.bias: Tensor | Any = Tensor(np.zeros(n_out), dtype) if bias else None  # Any: most programs know which

    def __call__(self, x: Any) -> Tensor:
        x = as_operand(x, "Linear")
        try:
            if self.bias is None:
                return matmul(x, self.weight)  # type: ignore[no-any-return]
            return linear(x, self.weight, self.bias)  # type: ignore[no-any-return]
        except ValueError:
            shape, n = x.shape if hasattr(x, "shape") else np.shape(x), len(self.weight)
            if shape[-1:] == (n,):
                raise
            hint = "; put nn.Flatten() before it" if math.prod(shape[1:]) == n else ""
            hint = "; is it transposed? Rows are samples" if shape[:-1] == (n,) else hint
            raise ValueError(
                f"{self!r} takes inputs (..., {n}), and was given an input of shape {shape}{hint}"
            ) from None

    def __repr__(self) -> str:
        n_in, n_out = self.weight.shape
        return f"Linear({n_in}, {n_out}{', bias=False' if self.bias is None else ''})"


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
    (<class 'nn.layers.Tanh'>, <operation sin(x)>)
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


class Flatten(Module):
    """Reshapes (n, …) to (n, k): all axes but the first become one."""

    @overload
    def __call__(self, x: Tensor) -> Tensor: ...
    @overload
    def __call__(self, x: Any) -> Any: ...
    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "Flatten")
        return autograd.reshape(x, (np.shape(x)[0], -1))

    def __repr__(self) -> str:
        return "Flatten()"


class Dropout(Module):
    """In training, sets each element to 0 with probability `p`, and multiplies the rest by 1 / (1 - p).

    In evaluation mode it does nothing.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).

    >>> drop = Dropout(0.5, rng=0)
    >>> drop.eval()(np.ones(3))
    array([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        if isinstance(p, str) or not 0 <= p < 1:
            raise ValueError(f"the probability of dropping must be in [0, 1), got {p!r}")
        self.p = p
        self.rng = np.random.default_rng(rng)

    @overload
    def __call__(self, x: Tensor) -> Tensor: ...
    @overload
    def __call__(self, x: Any) -> Any: ...
    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "Dropout")
        if not self.training or self.p == 0:
            return x
        dtype = getattr(x, "dtype", np.dtype(np.float64))
        dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)  # an integer dtype would round the factor
        keep = self.rng.random(np.shape(x), np.float32) >= self.p
        return x * (keep * np.asarray(1 / (1 - self.p), dtype))

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class Sequential(Module):
    """Layers (or any callables), called one after another. It can be iterated and indexed like a list.

    The layers may be given as one list. Activations may be given by name. Raises TypeError for anything that cannot be
    called.

    `layers` is the list of the layers. To type checkers its items are Any, since each may be of another class:
    ``model.layers[0].weight``.

    >>> model = Sequential(Linear(4, 8, rng=0), ReLU(), Linear(8, 3, rng=1))
    >>> model(np.ones((2, 4), np.float32)).shape, len(model.parameters())
    ((2, 3), 4)
    """

    def __init__(self, *layers: LayerLike | Iterable[LayerLike]) -> None:
        listed: Any = layers
        if len(layers) == 1 and isinstance(layers[0], list | tuple | Iterator):
            (listed,) = layers
        self.layers: list[Any] = [_layer(i, layer) for i, layer in enumerate(listed)]

    def __call__(self, x: Any) -> Tensor:
        x = as_input(x, "Sequential")
        for layer in self.layers:
            x = layer(x)
        return x  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> list[Any]: ...
    def __getitem__(self, i: int | slice) -> Any:
        return self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def _layer(i: int, given: Any) -> Callable[[Any], Any]:
    """A layer of a Sequential. Raises TypeError, with its index, for anything that is not a layer."""
    if isinstance(given, str) or (isinstance(given, type) and issubclass(given, Activation)):
        given = activation_layer(given)
    if isinstance(given, type) and issubclass(given, Module):
        raise TypeError(f"layer {i} of a Sequential is the class {given.__name__}: make one, {given.__name__}(...)")
    if not callable(given):
        raise TypeError(f"layer {i} of a Sequential cannot be called: {type(given).__name__} {given!r:.60}")
    return given  # type: ignore[no-any-return]


def dense(
    *sizes: int | Iterable[int],
    activation: ActivationLike = ReLU,
    dropout: float = 0.0,
    weight_init: str | init.Initializer = init.he_uniform,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """A fully connected network: Linear layers, with an activation after each but the last.

    Args:
        sizes: the lengths of the input, the hidden layers and the output, one by one or in a list.
        activation: a name such as "tanh", a class such as `Tanh`, a layer, a function, or None.
        dropout: the probability of a Dropout layer after each activation. With 0 there is none.
        weight_init: an initialiser from `nn.init`, or its name.
        rng: a seed or a generator for weights and dropout.
        dtype: float32 or float64.

    >>> dense(784, 100, 10, rng=0)
    Sequential(Linear(784, 100), ReLU(), Linear(100, 10))
    >>> dense([2, 8, 1], activation="tanh")
    Sequential(Linear(2, 8), Tanh(), Linear(8, 1))
    """
    flat = [n for size in sizes for n in (size if isinstance(size, list | tuple) else (size,))]
    if len(flat) < 2:
        raise ValueError(f"a network has at least an input and an output size, got {tuple(flat)}")
    hint = "; the activation goes by name: activation="
    flat = [whole("units of a layer", n, f"{hint}{n!r}" if isinstance(n, str) else "") for n in flat]
    activation_layer(activation)  # raises for a wrong activation even if there are no hidden layers
    generator = np.random.default_rng(rng)
    layers: list[Any] = []
    for i, (n_in, n_out) in enumerate(pairwise(flat), 1):
        layers.append(Linear(n_in, n_out, weight_init=weight_init, rng=generator, dtype=dtype))
        if i < len(flat) - 1:
            function = activation_layer(activation)
            layers += [] if function is None else [function]
            layers += [Dropout(dropout, rng=generator)] if dropout else []
    return Sequential(*layers)


if not TYPE_CHECKING:  # type checkers take every public name
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
