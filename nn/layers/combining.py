"""Layers made of layers, `Sequential`, `Residual` and `dense`; and `Flatten`, which goes between other layers."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import DTypeLike

import autograd
from autograd import Tensor
from nn import init
from nn.layers.activations import Activation, ActivationLike, ReLU, activation_layer
from nn.layers.dropout import Dropout
from nn.layers.linear import Linear, Rng
from nn.module import Module
from nn.support.arrays import as_input, as_operand
from nn.support.names import whole

LayerLike: TypeAlias = str | type[Module] | Callable[[Any], Any]
"""The type of a layer of a `Sequential`: an activation's name or class, a layer, or a function of one argument."""


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


class Residual(Module):
    """Layers, and past them the input, which is added to their result: ``x + layers(x)``.

    Args:
        layers: as in `Sequential`.
        shortcut: a layer through which the input goes past them, where the shapes differ. By default it is the input
            itself.

    He et al., "Deep residual learning for image recognition", CVPR 2016.

    >>> Residual(Linear(3, 3, rng=0), "relu", Linear(3, 3, rng=1))(np.ones((2, 3), np.float32)).shape
    (2, 3)
    """

    def __init__(self, *layers: LayerLike | Iterable[LayerLike], shortcut: LayerLike | None = None) -> None:
        self.inner = Sequential(*layers)
        self.shortcut = None if shortcut is None else _layer(0, shortcut)

    def __call__(self, x: Any) -> Tensor:
        x = as_operand(x, "Residual")
        out, past = self.inner(x), x if self.shortcut is None else self.shortcut(x)
        if np.shape(out) != np.shape(past):
            raise ValueError(
                f"the layers of a Residual give the shape {np.shape(out)}, and what goes past them has the shape "
                f"{np.shape(past)}: they must be equal; give a shortcut=, such as nn.Conv2d(channels, filters, 1)"
            )
        return past + out  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        more = f", shortcut={self.shortcut!r}" * (self.shortcut is not None)
        return f"Residual({', '.join(map(repr, self.inner))}{more})"


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
