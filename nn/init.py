"""First weights: initialisers, functions of a shape and a random generator that return an array.

The variance of what a layer gives out is that of what it takes in, times the number of inputs, times the
variance of its weights. An initialiser chooses the last factor so that signals neither die nor explode on their
way through many layers: Xavier's for activations that are the identity near 0 (tanh), He's for ReLU, which
drops half of the signal.

Weights are stored (fan_in, fan_out); axes before these two, as of a convolution's (height, width, in, out),
multiply both fans. An initialiser returns float64 and the layer converts: so one seed gives the same weights,
rounded, in every dtype. Write your own as a function ``(shape, rng) -> array``.
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
"""What a layer's `weight_init` is; or the name of one of this module, such as "he_normal"."""


def zeros(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """All zeros: for biases. Weights that start equal stay equal, for their gradients are.

    >>> zeros((3,), np.random.default_rng(0))
    array([0., 0., 0.])
    """
    return np.zeros(shape)


def uniform(low: float, high: float) -> Initializer:
    """The initialiser that draws uniformly from [low, high); ValueError unless low <= high, both finite.

    >>> uniform(-0.1, 0.1)((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"uniform takes finite bounds, the lower one first, got {low} and {high}")
    return lambda shape, rng: rng.uniform(low, high, shape)


def normal(std: float, mean: float = 0.0) -> Initializer:
    """The initialiser that draws from the normal distribution; ValueError for a negative or infinite `std`.

    >>> normal(0.01)((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    if not (0 <= std < math.inf and math.isfinite(mean)):
        raise ValueError(f"normal takes a finite standard deviation of 0 or more, got std={std}, mean={mean}")
    return lambda shape, rng: rng.normal(mean, std, shape)


def xavier_uniform(shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """Uniform within ±sqrt(6 / (fan_in + fan_out)); ValueError for fewer than two dimensions.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
    2010: the variance 2 / (fan_in + fan_out) is a compromise between keeping the size of signals (1 / fan_in)
    and that of gradients (1 / fan_out).

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
    """Uniform within ±sqrt(6 / fan_in); ValueError for fewer than two dimensions.

    He et al., "Delving deep into rectifiers", ICCV 2015: the variance 2 / fan_in keeps the size of signals
    through layers of ReLU.

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
    """An initialiser by its name, or as it is; ValueError for a name that there is not, TypeError for something else.

    >>> initializer("xavier_normal") is xavier_normal
    True
    """
    if isinstance(given, str):
        own = given.lower().replace("glorot", "xavier").replace("kaiming", "he")  # whom other libraries name them after
        made = ", and what nn.init.uniform(low, high) and nn.init.normal(std) make"
        given = named("initialiser", own, initializers(), made)
    if not callable(given):
        raise TypeError(f"an initialiser is a name or a function (shape, rng) -> array, not {given!r:.60}")
    return given


def initializers() -> dict[str, Initializer]:
    """Every initialiser of this module by its name: the functions of a shape and a generator.

    >>> list(initializers())
    ['zeros', 'xavier_uniform', 'xavier_normal', 'he_uniform', 'he_normal']
    """
    functions = {name: f for name, f in globals().items() if inspect.isfunction(f) and f.__module__ == __name__}
    takes = {name: [*inspect.signature(f).parameters] for name, f in functions.items() if name[0] != "_"}
    return {name: functions[name] for name, parameters in takes.items() if parameters == ["shape", "rng"]}


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs an output sums over, and how many outputs an input goes to.

    ValueError for fewer than two dimensions, where they are not defined, and for an axis of length 0.

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


if not TYPE_CHECKING:  # type checkers take every public name
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]
    __all__ += ["Initializer", "Shape"]

    def __dir__():
        return sorted(__all__)
