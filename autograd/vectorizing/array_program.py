"""A program of arrays as expression trees: what `vectorize` makes, and what every printer writes.

>>> program = traced(lambda x, w: (x @ w).tanh(), {"x": np.ones((2, 3))}, {"w": np.ones((3, 4))})
>>> [(target.name, value.op.name, value.shape) for target, value in program.statements]
[('y', 'tanh', (batch, 4))]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.engine.graph import postorder
from autograd.vectorizing.names import output_names
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.sizes import NotLowerable, Size
from autograd.vectorizing.tree import Expression, Trees

Array = np.ndarray[Any, np.dtype[Any]]

BATCH = Size.symbol("batch")
"""The length of the batch."""


class ArrayProgram(NamedTuple):
    """The leaves of a program, its statements (target, value), and the targets that are its outputs.

    A target is a leaf, too: later statements read it by its name. The inputs are one batch, and have `BATCH` as their
    first length.
    """

    inputs: list[Expression]
    parameters: list[Expression]
    constants: list[Expression]
    statements: list[tuple[Expression, Any]]
    outputs: list[Expression]
    examples: dict[Expression, Array]  # an array for each input and parameter: what texts are tried on

    @property
    def leaves(self) -> list[Expression]:
        """What the program is given."""
        return [*self.inputs, *self.parameters]

    @property
    def named(self) -> list[Expression]:
        """What has a name, in order."""
        return [*self.leaves, *self.constants, *(target for target, _ in self.statements)]

    @property
    def body(self) -> list[tuple[Expression, Any]]:
        """The statements before the outputs, if these come last and in order; else all of them."""
        rest = len(self.statements) - len(self.outputs)
        last = [target.name for target, _ in self.statements[rest:]]
        return self.statements[:rest] if last == [x.name for x in self.outputs] else self.statements


def traced(f: Callable[..., Any], inputs: Mapping[str, Array], parameters: Mapping[str, Array]) -> ArrayProgram:
    """The program of a function of arrays, which returns an array or a tuple of arrays.

    Args:
        f: takes the inputs and the parameters by name.
        inputs: examples, whose first axis is the batch. No gradient is taken of them.
        parameters: what the gradient is taken of.
    """
    trees = Trees(simplified)
    sources = [trees.leaf(name, (BATCH, *x.shape[1:]), wide(x).dtype) for name, x in inputs.items()]
    leaves = [trees.leaf(name, np.shape(x), wide(x).dtype, moves=True) for name, x in parameters.items()]
    found = f(**{x.name: x for x in (*sources, *leaves)})
    values = found if isinstance(found, tuple) else (found,)
    names = output_names(len(values), {*inputs, *parameters})
    outputs = [trees.leaf(name, x.shape, x.dtype, x.moves) for name, x in zip(names, values, strict=True)]
    examples = {x: {**inputs, **parameters}[x.name] for x in (*sources, *leaves)}
    return ArrayProgram(sources, leaves, [], list(zip(outputs, values, strict=True)), outputs, examples)


def leaves_of(root: Any) -> list[Expression]:
    """The leaves below an expression, each once, as they are read from the left."""
    return [x for x in postorder([root], left_first=True) if x.op is None] if isinstance(root, Expression) else []


def wide(x: Any) -> Array:
    """An array with floats in one width, which is then none of the text's business."""
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise NotLowerable(f"an array of {array.dtype}")
    return array.astype(np.float64) if array.dtype.kind == "f" else array
