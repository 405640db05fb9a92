"""Networks of scalar neurons: `Neuron`, `Layer` and `MLP`, every weight a `Value` of its own.

The signatures, the order of parameters and the random numbers are micrograd's, so that a program written for it
gets the same network from the same seed. What differs is inside: a neuron's weighted sum is one node of the graph.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Value, dot
from nn.module import Module

Activation = Callable[[Value], Value]


class Neuron(Module):
    """``activation(w · x + b)`` of `nin` inputs.

    Weights start uniform in [-1, 1] from Python's `random` (seed it with ``random.seed``), the bias at 0.

    Args:
        nin: number of inputs.
        nonlin: False leaves the activation away.
        activation: the name of a row of one operand, such as "tanh" or "sigmoid".

    >>> neuron = Neuron(2, activation="sigmoid")
    >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0, 1, 4
    >>> neuron([2, 3]).data
    0.9990889488055994
    """

    def __init__(self, nin: int, nonlin: bool = True, activation: str = "relu") -> None:
        if not callable(getattr(Value, activation, None)):
            raise ValueError(f"no operation is called {activation!r}: try relu, tanh, sigmoid, gelu or silu")
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin
        self.activation = activation

    def __call__(self, x: Sequence[Any]) -> Value:
        if len(x) != len(self.w):
            raise ValueError(f"a neuron of {len(self.w)} inputs was given {len(x)}")
        act: Value = dot(self.w, x, self.b)
        return getattr(act, self.activation)() if self.nonlin else act

    def __repr__(self) -> str:
        kind = "ReLU" if self.activation == "relu" else self.activation.capitalize()
        return f"{kind if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """`nout` neurons side by side on the same `nin` inputs; a single neuron returns its Value, not a list.

    >>> len(Layer(3, 2)([1.0, 2.0, 3.0]))
    2
    """

    def __init__(self, nin: int, nout: int, nonlin: bool = True, activation: str = "relu") -> None:
        self.neurons = [Neuron(nin, nonlin=nonlin, activation=activation) for _ in range(nout)]

    def __call__(self, x: Sequence[Any]) -> Any:
        x = [Value(float(item)) if isinstance(item, int | float | np.number) else item for item in x]  # once, for all
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    @property
    def caption(self) -> str:
        """What it is, in a few words."""
        first = self.neurons[0]
        return f"Layer({len(first.w)}→{len(self.neurons)})" + (f" + {first.activation}" if first.nonlin else "")

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers one after another, the last one without activation.

    >>> model = MLP(2, [16, 16, 1])
    >>> model, len(model.parameters())
    (MLP of [Layer of [ReLUNeuron(2), ...], 337)
    """

    def __init__(self, nin: int, nouts: Sequence[int], activation: str = "relu") -> None:
        sizes = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i != last, activation=activation) for i in range(len(nouts))
        ]

    def __call__(self, x: Sequence[Any]) -> Any:
        for layer in self.layers:
            x = layer([x] if isinstance(x, Value) else x)
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
