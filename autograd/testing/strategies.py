"""Hypothesis strategies: numbers, arrays, shapes, expressions, small networks. They shrink to simple examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import ops
from autograd.engine.value import Value
from autograd.testing.expression import OPERATIONS, Expression, Operation, arity, title

# ----------------------------------------------------------------------------------------- numbers, arrays, shapes


def dyadics(min_value: float = -4, max_value: float = 4, denominator: int = 8) -> st.SearchStrategy[float]:
    """Small fractions that floats represent exactly. They shrink to 0, 1, -1, 2, …

    >>> from hypothesis import find
    >>> find(dyadics(), lambda x: x > 1.2)
    2.0
    """
    return st.sampled_from(simplest_first(min_value, max_value, denominator))


def simplest_first(min_value: float, max_value: float, denominator: int) -> list[float]:
    """The multiples of 1/denominator in a range, whole numbers first, then by magnitude."""
    low, high = math.ceil(min_value * denominator), math.floor(max_value * denominator)
    if low > high:
        raise ValueError(f"there is no multiple of 1/{denominator} between {min_value} and {max_value}")
    numbers = [n / denominator for n in range(low, high + 1)]
    return sorted(numbers, key=lambda x: (x.as_integer_ratio()[1], abs(x), x < 0))


def values(min_value: float = -4, max_value: float = 4) -> st.SearchStrategy[Value]:
    """Leaf Values with small dyadic numbers.

    >>> from hypothesis import find
    >>> find(values(min_value=1), lambda x: True)
    Value(data=1.0, grad=0.0)
    """
    return dyadics(min_value, max_value).map(Value)


def arrays(
    shape: int | tuple[int, ...] | st.SearchStrategy[tuple[int, ...]] | None = None,
    dtype: Any = np.float64,
    min_value: float = -4,
    max_value: float = 4,
    unique: bool = False,
) -> st.SearchStrategy[Any]:
    """Float arrays with small dyadic numbers.

    Args:
        shape: the shape of the array, or a strategy of shapes. By default up to three axes of length 0 to 3.
        dtype: float32 or float64.
        min_value: the smallest number.
        max_value: the largest number.
        unique: True if all numbers differ, so that a maximum has no ties.

    >>> from hypothesis import find
    >>> find(arrays((2, 2), unique=True, min_value=0), lambda x: True)
    array([[...]])
    """
    if shape is None:
        shape = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    return hnp.arrays(np.dtype(dtype), shape, elements=dyadics(min_value, max_value), unique=unique)


def broadcastable_shapes(
    n: int, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Tuples of n shapes that broadcast together, with 0-d shapes and axes of length 0 among them.

    >>> from hypothesis import find
    >>> find(broadcastable_shapes(2), lambda shapes: len(shapes[1]) == 1)
    ((), (...,))
    """
    shapes = hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return shapes.map(lambda found: found.input_shapes)


def expressions(
    max_ops: int = 12,
    max_leaves: int = 3,
    operations: Sequence[Operation] | None = None,
    min_value: float = -4,
    max_value: float = 4,
) -> st.SearchStrategy[Expression]:
    """Random `Expression`s of a few leaves: graphs whose nodes are used more than once.

    Args:
        max_ops: the largest number of operations.
        max_leaves: the largest number of leaves. The fewer there are, the more often each is used.
        operations: rows of the table, custom operations (`custom_op`), or functions made of those. Examples shrink
            towards the first.
        min_value: the smallest leaf or constant.
        max_value: the largest leaf or constant.
    """
    chosen = OPERATIONS if operations is None else tuple(operations)
    if not chosen:
        raise ValueError("expressions needs at least one operation")
    for op in chosen:
        if arity(op) < 1:
            raise ValueError(f"{title(op)} takes any number of operands: wrap it in a function of one, two or three")
    # Hypothesis deletes up to five choices in a row. With one choice an operand, this removes a whole instruction.
    constants = simplest_first(min_value, max_value, 2)
    sources = st.sampled_from([*[1, 2, 3, 4, 5, 6] * (len(constants) // 3 + 1), *constants])
    instructions = st.tuples(st.sampled_from(chosen), st.tuples(*[sources] * max(map(arity, chosen))))
    return st.builds(
        Expression,
        st.lists(dyadics(min_value, max_value), min_size=1, max_size=max_leaves),
        st.lists(instructions, min_size=1, max_size=max_ops),
    )


# ------------------------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Network:
    """A small multilayer perceptron of scalars, and an input for it.

    `sizes` are the widths from the input to the output. `weights` holds the weights and the bias of each neuron, one
    neuron after another. The activation follows every layer but the last.

    >>> net = Network((2, 1, 1), ops.tanh, weights=(1.0, 0.5, 0.0, 2.0, 0.25), inputs=(1.0, -2.0))
    >>> net(net.inputs)
    Value(data=0.25, grad=0.0)
    >>> net(net.inputs, [1.0, 0.5, 0.25, 2.0, 0.25])  # with other weights: 2 tanh(0.25) + 0.25
    0.7398373...
    """

    sizes: tuple[int, ...]
    activation: Operation
    weights: tuple[float, ...]
    inputs: tuple[float, ...]

    @cached_property
    def _parameters(self) -> list[Value]:
        return [Value(w) for w in self.weights]

    def parameters(self) -> list[Value]:
        """The weights as Values, the same ones each time."""
        return self._parameters

    def __call__(self, x: Sequence[Any], weights: Sequence[Any] | None = None) -> Any:
        """The output for the numbers `x`, as a list if there are several. By default with the network's parameters."""
        found = iter(self._parameters if weights is None else weights)
        layer = list(x)
        for depth, width in enumerate(self.sizes[1:], start=2):
            outs = []
            for _ in range(width):
                total = sum((next(found) * value for value in layer[1:]), next(found) * layer[0]) + next(found)
                outs.append(total if depth == len(self.sizes) else self.activation(total))
            layer = outs
        return layer[0] if len(layer) == 1 else layer


@st.composite
def mlps(
    draw: st.DrawFn,
    max_inputs: int = 3,
    max_layers: int = 2,
    max_width: int = 3,
    activations: Sequence[Operation] = (ops.tanh, ops.relu, ops.sigmoid, ops.softplus),
) -> Network:
    """Random `Network`s of small dyadic weights, with an input.

    >>> from hypothesis import find
    >>> find(mlps(max_layers=1), lambda net: sum(net.inputs) > 0)
    Network(sizes=(1, 1), activation=<operation tanh(x)>, weights=(0.0, 0.0), inputs=(1.0,))
    """
    widths = draw(st.lists(st.integers(1, max_width), min_size=1, max_size=max_layers))
    sizes = (draw(st.integers(1, max_inputs)), *widths)
    count = sum((before + 1) * width for before, width in pairwise(sizes))
    weights = draw(st.lists(dyadics(-2, 2), min_size=count, max_size=count))
    inputs = draw(st.lists(dyadics(-2, 2), min_size=sizes[0], max_size=sizes[0]))
    return Network(sizes, draw(st.sampled_from(tuple(activations))), tuple(weights), tuple(inputs))
