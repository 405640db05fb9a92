"""Layers on `Tensor`s: `Linear`, the activations, `Dropout`, and `Sequential` to put them in a row.

Batches come first: a layer maps an array or Tensor of shape (…, n_in) to a Tensor of shape (…, n_out).
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

import autograd
from autograd import Tensor, linear, matmul
from nn import init
from nn.module import Module

Rng = np.random.Generator | int | None


class Linear(Module):
    """``x @ weight + bias``.

    Args:
        n_in, n_out: lengths of the last axis of input and output.
        bias: False leaves the bias away.
        weight_init: an initialiser from `nn.init`; He's uniform by default.
        rng: a seed or a generator for the weights.
        dtype: float32 or float64.

    `weight` has shape (n_in, n_out): so stored, the gradient ``x.T @ g`` is a plain product of contiguous arrays.

    >>> layer = Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        bias: bool = True,
        weight_init: init.Initializer = init.he_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if n_in < 1 or n_out < 1:
            raise ValueError(f"a Linear layer has at least one input and one output, got {n_in} and {n_out}")
        self.weight = Tensor(weight_init((n_in, n_out), np.random.default_rng(rng)), dtype)
        self.bias = Tensor(np.zeros(n_out), dtype) if bias else None

    def __call__(self, x: Any) -> Tensor:
        try:
            if self.bias is None:
                return matmul(x, self.weight)  # type: ignore[no-any-return]
            return linear(x, self.weight, self.bias)  # type: ignore[no-any-return]
        except ValueError:
            if np.shape(x)[-1:] == self.weight.shape[:1]:
                raise
            raise ValueError(f"{self!r} was given an input of shape {np.shape(x)}") from None

    def __repr__(self) -> str:
        n_in, n_out = self.weight.shape
        return f"Linear({n_in}, {n_out}{', bias=False' if self.bias is None else ''})"


class Activation(Module):
    """An elementwise operation as a layer."""

    function: ClassVar[Callable[..., Any]]

    def __call__(self, x: Any) -> Any:
        return type(self).function(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


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


class LeakyReLU(Module):
    """x where positive, slope * x elsewhere."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def __call__(self, x: Any) -> Any:
        return autograd.leaky_relu(x, self.slope)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class ELU(Module):
    """x where positive, alpha * (exp(x) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, x: Any) -> Any:
        return autograd.elu(x, self.alpha)

    def __repr__(self) -> str:
        return f"ELU({self.alpha})"


class Softmax(Module):
    """Probabilities along the last axis. Losses take logits: use this for output only."""

    def __call__(self, x: Any) -> Any:
        return autograd.softmax(x)

    def __repr__(self) -> str:
        return "Softmax()"


class Flatten(Module):
    """(n, …) to (n, everything else)."""

    def __call__(self, x: Any) -> Any:
        return autograd.reshape(x, (np.shape(x)[0], -1))

    def __repr__(self) -> str:
        return "Flatten()"


class Dropout(Module):
    """In training, zeroes each element with probability `p` and scales the rest by 1 / (1 - p); else does nothing.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).

    >>> drop = Dropout(0.5, rng=0)
    >>> drop.eval()(np.ones(3))
    array([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"the probability of dropping must be in [0, 1), got {p}")
        self.p = p
        self.rng = np.random.default_rng(rng)

    def __call__(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        dtype = x.dtype if hasattr(x, "dtype") else np.float64
        keep = self.rng.random(np.shape(x), np.float32) >= self.p
        return x * (keep * np.asarray(1 / (1 - self.p), dtype))

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class Sequential(Module):
    """Layers (or any callables) one after another; iterates and indexes like a list of them.

    >>> model = Sequential(Linear(4, 8, rng=0), ReLU(), Linear(8, 3, rng=1))
    >>> model(np.ones((2, 4), np.float32)).shape, len(model.parameters())
    ((2, 3), 4)
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        self.layers = list(layers)

    def __call__(self, x: Any) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self.layers)

    def __getitem__(self, i: int) -> Callable[[Any], Any]:
        return self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def dense(
    *sizes: int,
    activation: type[Module] = ReLU,
    dropout: float = 0.0,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """A fully connected network: a Linear layer between neighbouring sizes, an activation after all but the last.

    >>> dense(784, 100, 10, rng=0)
    Sequential(Linear(784, 100), ReLU(), Linear(100, 10))
    """
    if len(sizes) < 2:
        raise ValueError(f"a network has at least an input and an output size, got {sizes}")
    generator = np.random.default_rng(rng)
    layers: list[Module] = []
    for n_in, n_out in pairwise(sizes):
        layers.append(Linear(n_in, n_out, rng=generator, dtype=dtype))
        layers.append(activation())
        if dropout:
            layers.append(Dropout(dropout, rng=generator))
    return Sequential(*layers[: -2 if dropout else -1])
