"""Networks of scalar neurons: `Neuron`, `Layer` and `MLP`. Every weight is a `Value`.

The signatures, the order of parameters and the random numbers are micrograd's. So a program written for micrograd gets
the same network from the same seed. The graph differs: a neuron's weighted sum is one node.
"""

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd import Value, dot
from nn.layers import ActivationLike, activation_layer
from nn.module import Module
from nn.support.arrays import as_operand, is_data
from nn.support.names import whole


class _Scalars(Module):
    """A network of scalars, whose parameters are Values alone."""

    if TYPE_CHECKING:

        def parameters(self) -> list[Value]: ...  # type: ignore[override]


class Neuron(_Scalars):
    """``activation(w · x + b)`` of `nin` inputs.

    Weights start uniform in [-1, 1], drawn from Python's `random` (seed it with ``random.seed``). The bias starts at 0.

    Args:
        nin: the number of inputs.
        nonlin: False for a neuron without activation.
        activation: a name such as "tanh" or "sigmoid", a layer such as `nn.Tanh`, a function, or None.

    Called with one sample, a sequence of `nin` numbers or Values, it returns a Value. Called with a batch (n, nin),
    such as an array or a data frame, it returns a list of n Values. Layers and MLPs do the same.

    >>> neuron = Neuron(2, activation="sigmoid")
    >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0, 1, 4
    >>> neuron([2, 3]).data
    0.9990889488055994
    """

    def __init__(self, nin: int, nonlin: bool = True, activation: ActivationLike = "relu") -> None:
        self.activation = _function(activation)
        self.w = [Value(random.uniform(-1, 1)) for _ in range(whole("inputs", nin))]
        self.b = Value(0)
        self.nonlin = _flag(nonlin) and self.activation is not None

    @overload
    def __call__(self, x: Sequence[float | Value]) -> Value: ...
    @overload
    def __call__(self, x: Sequence[Sequence[float | Value]]) -> list[Value]: ...
    @overload
    def __call__(self, x: Any) -> Any: ...
    def __call__(self, x: Any) -> Any:
        if not (type(x) is list and x and type(x[0]) is Value):  # fast path: the inputs come from a layer
            x, batch = _read(x)
            if batch:
                return [self(row) for row in x]
        w = self.w
        if len(x) != len(w):
            raise ValueError(f"a neuron of {len(w)} inputs was given {len(x)}")
        act: Value = dot(w, x, self.b)
        if not self.nonlin:
            return act
        function = self.activation
        return getattr(type(act), function)(act) if type(function) is str else function(act)

    def __repr__(self) -> str:
        name = self.function_name
        kind = "ReLU" if name == "relu" else name[:1].upper() + name[1:]
        return f"{kind if self.nonlin else 'Linear'}Neuron({len(self.w)})"

    @property
    def function_name(self) -> str:
        """The name of the activation; empty if there is none."""
        name = self.activation if isinstance(self.activation, str) else getattr(self.activation, "__name__", None)
        return (name or repr(self.activation)) if self.nonlin else ""


class Layer(_Scalars):
    """`nout` neurons with the same `nin` inputs. A layer of a single neuron returns its Value, not a list.

    >>> len(Layer(3, 2)([1.0, 2.0, 3.0]))
    2
    """

    def __init__(self, nin: int, nout: int, nonlin: bool = True, activation: ActivationLike = "relu") -> None:
        self.neurons = [Neuron(nin, nonlin, activation) for _ in range(whole("neurons", nout))]

    def __call__(self, x: Any) -> Any:
        x, batch = _read(x)
        if batch:
            return [self(row) for row in x]
        x = [item if type(item) is Value else _shared(item) for item in x]
        out = [neuron.__call__(x) for neuron in self.neurons]  # a tenth faster than neuron(x)
        return out[0] if len(out) == 1 else out

    @property
    def caption(self) -> str:
        """A short description of the layer."""
        first = self.neurons[0]
        return f"Layer({len(first.w)}→{len(self.neurons)})" + (f" + {first.function_name}" if first.nonlin else "")

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(_Scalars):
    """Layers, called one after another. The last one has no activation.

    >>> model = MLP(2, [16, 16, 1])
    >>> model, len(model.parameters())
    (MLP of [Layer of [ReLUNeuron(2), ...], 337)
    """

    def __init__(
        self, nin: int | Iterable[int], nouts: Iterable[int] | int = (), activation: ActivationLike = "relu"
    ) -> None:
        sizes: list[Any] = [n for part in (nin, nouts) for n in (part if isinstance(part, Iterable) else [part])]
        if isinstance(activation, int):
            raise TypeError(f"the sizes of the layers come in a list: MLP({nin}, {[*sizes[1:], activation]})")
        if len(sizes) < 2:
            raise ValueError("an MLP has at least one layer after its inputs: MLP(2, [8, 1])")
        last = len(sizes) - 2
        self.layers = [Layer(sizes[i], sizes[i + 1], i != last, activation) for i in range(last + 1)]

    def __call__(self, x: Any) -> Any:
        x, batch = _read(x)
        if batch:
            return [self(row) for row in x]
        for layer in self.layers:
            x = layer([x] if isinstance(x, Value) else x)
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _function(given: ActivationLike) -> Any:
    """An activation for Values: the name of a method if there is one, else a function; None for none."""
    found: Any = activation_layer(given)
    row = getattr(type(found), "function", found)
    name = getattr(row, "name", None)
    return name if getattr(row, "arity", 0) == 1 and hasattr(Value, str(name)) else found


def _flag(nonlin: Any) -> bool:
    if not isinstance(nonlin, bool | int | np.bool_):
        raise TypeError(f"nonlin is True or False, not {nonlin!r:.60}; an activation goes by name: activation='tanh'")
    return bool(nonlin)


def _many(x: Any) -> bool:
    """True if an item of the inputs is a sample, not a number."""
    return isinstance(x, (list, tuple, np.ndarray)) or is_data(x)


def _shared(item: Any) -> Any:
    """A number as a Value, which all neurons of a layer share; a variable as it is."""
    return Value(float(item)) if isinstance(item, (int, float, np.number)) else item


SINGLE = frozenset([Value, float, int])


def _read(x: Any) -> tuple[Any, bool]:
    """The inputs as a list, and True if they are a batch. Raises ValueError for an array of other dimensions."""
    if isinstance(x, (list, tuple)) and (not x or type(x[0]) in SINGLE or not _many(x[0])):
        return x, False
    x = as_operand(x, "a network of Values")
    if not isinstance(x, np.ndarray):
        return x, False
    if x.ndim not in (1, 2):
        raise ValueError(
            f"a network of Values takes a sample (nin,) or a batch (n, nin), not an array of shape {x.shape}"
        )
    return x.tolist(), x.ndim == 2
