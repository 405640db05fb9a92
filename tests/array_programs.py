"""Programs of arrays that are given as text: tests write them more easily than trees."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops import questions
from autograd.ops.shapes import normalize_axis
from autograd.ops.traced import Length
from autograd.vectorizing.array_program import BATCH, Array, ArrayProgram, wide
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import Expression, Trees


def read(
    statements: Sequence[tuple[str, str]],
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Array],
    constants: Mapping[str, Array],
    outputs: Sequence[str],
    functions: Mapping[str, Any],
) -> ArrayProgram:
    """The trees of a program.

    Args:
        statements: (target, expression) in order.
        inputs: example data, the first axis the batch; no gradient is taken of them.
        parameters: what the gradient is taken of.
        constants: other arrays that the expressions name.
        outputs: targets whose gradients are given.
        functions: what the expressions call: rows of autograd by name.
    """
    trees = Trees(simplified)
    sources = [trees.leaf(name, (BATCH, *x.shape[1:]), wide(x).dtype) for name, x in inputs.items()]
    leaves = [trees.leaf(name, np.shape(x), wide(x).dtype, moves=True) for name, x in parameters.items()]
    known = [trees.leaf(name, np.shape(x), wide(x).dtype, array=wide(x)) for name, x in constants.items()]
    names: dict[str, Any] = {name: FORMS.get(f, f) if callable(f) else f for name, f in functions.items()}
    names |= {x.name: x for x in (*sources, *leaves, *known)}
    values = evaluated(statements, names, trees)
    ends = [names[name] for name in dict.fromkeys(outputs)]
    if any(isinstance(end, Length) for end in ends):
        raise NotLowerable("an output that is a length")
    examples = {x: {**inputs, **parameters}[x.name] for x in (*sources, *leaves)}
    return ArrayProgram(sources, leaves, known, values, ends, examples)


def evaluated(
    statements: Sequence[tuple[str, str]], names: dict[str, Any], trees: Trees
) -> list[tuple[Expression, Any]]:
    """The statements as trees: a leaf for each target, and its value."""
    results = []
    for target, text in statements:
        try:
            value = eval(text, {"__builtins__": {"slice": slice}, "np": np}, names)
        except Exception as error:  # what nodes do not do, or NumPy not with them
            raise NotLowerable(f"{target} = {text}: {error}") from error
        if isinstance(value, Length):  # stays what it is: the text reads it off something that has it
            names[target] = value
            continue
        if isinstance(value, Expression):
            names[target] = trees.leaf(target, value.shape, value.dtype, value.moves)
        else:
            array = wide(value)
            names[target] = trees.leaf(target, array.shape, array.dtype, array=array)
        results.append((names[target], value))
    return results


def take_along_axis(x: Any, index: Any, axis: int) -> Any:
    """One element of each row; more would need a sum, where the same is taken twice."""
    (axis,) = normalize_axis(axis, x.ndim)
    if any(n != (1 if i == axis else m) for i, (n, m) in enumerate(zip(index.shape, x.shape, strict=True))):
        raise NotLowerable("take_along_axis of more than one element a row")
    return questions.take_along.apply((x, index), {"axis": axis})


FORMS: dict[Any, Callable[..., Any]] = {ops.take_along_axis: take_along_axis}
"""What a program may call, by what stands in for it here."""
