"""Initialisers of weights: functions of a shape and a random generator that return an array.

The variance of a layer's output is the variance of its input, times the number of inputs, times the variance of its
weights. An initialiser chooses the last factor so that signals neither vanish nor explode in a network of many layers.
Xavier's is for activations that are the identity near 0, such as tanh. He's is for ReLU, which drops half the signal.

Weights have the shape (fan_in, fan_out). Axes before these two, as in a convolution's (height, width, in, out),
multiply both fans. An initialiser returns float64 and the layer converts it. So one seed gives the same weights,
rounded, in every dtype. An initialiser of your own is a function ``(shape, rng) -> array``.
"""

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nn.support.names import named

Shape: TypeAlias = tuple[int, ...]
Initializer: TypeAlias = Callable[[Shape, np.random.Generator], NDArray[Any]]
"""The type of a layer's `weight_init`. A name from this module, such as "he_normal", is accepted as well."""


def zeros(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """All zeros, for biases. Weights that start equal would stay equal, since their gradients are equal.

    >>> zeros((3,), np.random.default_rng(0))
    array([0., 0., 0.])
    """
    return np.zeros(shape)


def uniform(low: float, high: float) -> Initializer:
    """An initialiser that draws uniformly from [low, high). Raises ValueError unless low <= high and both are finite.

    >>> uniform(-0.1, 0.1)((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"uniform takes finite bounds, the lower one first, got {low} and {high}")
    return lambda shape, rng: rng.uniform(low, high, shape)


def normal(std: float, mean: float = 0.0) -> Initializer:
    """An initialiser that draws from the normal distribution. Raises ValueError for a negative or infinite `std`.

    >>> normal(0.01)((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    if not (0 <= std < math.inf and math.isfinite(mean)):
        raise ValueError(f"normal takes a finite standard deviation of 0 or more, got std={std}, mean={mean}")
    return lambda shape, rng: rng.normal(mean, std, shape)


def xavier_uniform(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """Uniform within ±sqrt(6 / (fan_in + fan_out)). Raises ValueError for fewer than two dimensions.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010. The
    variance 2 / (fan_in + fan_out) is a compromise: 1 / fan_in would keep the size of signals, and 1 / fan_out that of
    gradients.

    >>> bool(abs(xavier_uniform((2, 4), np.random.default_rng(0))).max() <= 1.0)
    True
    """
    return _uniform(2 / sum(fans(shape)), shape, rng)


def xavier_normal(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """Normal with standard deviation sqrt(2 / (fan_in + fan_out)): see `xavier_uniform`.

    >>> xavier_normal((2, 4), np.random.default_rng(0)).shape
    (2, 4)
    """
    return _normal(2 / sum(fans(shape)), shape, rng)


def he_uniform(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """Uniform within ±sqrt(6 / fan_in). Raises ValueError for fewer than two dimensions.

    He et al., "Delving deep into rectifiers", ICCV 2015. The variance 2 / fan_in keeps the size of signals through
    layers of ReLU.

    >>> bool(abs(he_uniform((6, 4), np.random.default_rng(0))).max() <= 1.0)
    True
    """
    return _uniform(2 / fans(shape)[0], shape, rng)


def he_normal(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """Normal with standard deviation sqrt(2 / fan_in): see `he_uniform`.

    >>> he_normal((6, 4), np.random.default_rng(0)).shape
    (6, 4)
    """
    return _normal(2 / fans(shape)[0], shape, rng)


def initializer(given: str | Initializer) -> Initializer:
    """An initialiser, given by name or as a function. Raises ValueError for an unknown name, TypeError otherwise.

    >>> initializer("xavier_normal") is xavier_normal
    True
    """
    if isinstance(given, str):
        own = given.lower().replace("glorot", "xavier").replace("kaiming", "he")  # other libraries' names
        made = "; or pass nn.init.uniform(low, high), nn.init.normal(std) or a function"
        given = named("initialiser", own, initializers(), made)
    if not callable(given):
        raise TypeError(f"an initialiser is a name or a function (shape, rng) -> array, not {given!r:.60}")
    return given


def initializers() -> dict[str, Initializer]:
    """Every initialiser of this module by its name.

    >>> list(initializers())
    ['zeros', 'xavier_uniform', 'xavier_normal', 'he_uniform', 'he_normal']
    """
    functions = {name: f for name, f in globals().items() if inspect.isfunction(f) and f.__module__ == __name__}
    takes = {name: [*inspect.signature(f).parameters] for name, f in functions.items() if name[0] != "_"}
    return {name: functions[name] for name, parameters in takes.items() if parameters == ["shape", "rng"]}


def fans(shape: Shape) -> tuple[int, int]:
    """The number of inputs that an output sums over (fan_in), and of outputs that an input goes to (fan_out).

    Raises ValueError for fewer than two dimensions, where they are not defined, and for an axis of length 0.

    >>> fans((784, 100)), fans((3, 3, 16, 32))
    ((784, 100), (144, 288))
    """
    if len(shape) < 2:
        raise ValueError(
            f"fan_in and fan_out need a shape (..., fan_in, fan_out), got {shape}; "
            "use zeros, uniform(low, high) or normal(std) for a bias"
        )
    *field, n_in, n_out = shape
    size = math.prod(field)
    if size * n_in * n_out < 1:
        raise ValueError(f"weights of shape {shape} have no elements: every axis needs at least one")
    return size * n_in, size * n_out


def _uniform(variance: float, shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    limit = math.sqrt(3 * variance)
    return rng.uniform(-limit, limit, shape)


def _normal(variance: float, shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    return rng.normal(0.0, math.sqrt(variance), shape)


if not TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]
    __all__ += ["Initializer", "Shape"]

    def __dir__():
        return sorted(__all__)
