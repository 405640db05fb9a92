"""Record the operations of a model by running it, so that any model made of operations can be exported.

The model runs twice, on random batches of different lengths. A length that differs between the two runs depends on the
batch. A number that differs depends on the input outside the graph, by a comparison, `.data` or a random mask. Then the
export would be wrong for other inputs, so the model is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

import autograd
from autograd import Tensor, Value
from autograd.engine.graph import between
from nn.module import Module, mode
from nn.neuron import Neuron

Shape: TypeAlias = tuple[int | str, ...]
"""The lengths of axes. "batch" stands for the batch length, "varies" for other lengths that depend on it."""

SIZES = (2, 3)  # not 1, since an axis of length 1 may be broadcast


class ExportError(ValueError):
    """A model cannot be exported. The message names the operation and says what to do."""


@dataclass(frozen=True, eq=False)
class Constant:
    """An operand that does not depend on the input. If it is a parameter, `name` is its path in the model."""

    data: npt.NDArray[Any]
    name: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """One operation on earlier steps and constants. The step of the input has no operation."""

    op: Any
    operands: tuple[Step | Constant, ...]
    params: dict[str, Any]
    shape: Shape
    dtype: np.dtype[Any]


def record(model: Callable[[Any], Any], input_shape: int | Sequence[int] | None = None) -> list[Step]:
    """The steps from the input (the first) to the output (the last).

    Args:
        model: maps a Tensor (batch, *input_shape) to a Tensor. A model of scalars is vectorized.
        input_shape: the shape of one sample. By default it is derived from the model's first weights.

    Modules run in evaluation mode. Raises ExportError if the model is not a graph from one input to one output, or
    depends on the input outside the graph.

    >>> from nn import dense
    >>> [(step.op and step.op.name, step.shape) for step in record(dense(3, 2, 1))]
    [(None, ('batch', 3)), ('linear', ('batch', 2)), ('relu', ('batch', 2)), ('linear', ('batch', 1))]
    """
    model, shape, dtype = _prepared(model, input_shape)
    rng = np.random.default_rng(0)
    orders = []
    with mode(model, training=False):
        for n in SIZES:
            x = Tensor(rng.standard_normal((n, *shape)), dtype)
            out = model(x)
            if not isinstance(out, Tensor):
                raise ExportError(f"the model returned a {type(out).__name__}: it must give one Tensor to be exported")
            orders.append(_order(out, x))
    first, second = orders
    return _steps(first, second, {id(p): name for name, p in _named_parameters(model)})


def check_name(op: Any) -> None:
    """Raise ExportError for a custom row named like a row of the table, since the writers look rows up by name."""
    if autograd.ops.ROWS.get(op.name, op) is not op:
        raise ExportError(
            f"{op.name} cannot be exported: it is a row of your own, and autograd has one with this name; rename it"
        )


def described(model: Any) -> str:
    """The model in one line: its name, its `repr`, or its class. It has no memory address, which differs in each run.

    >>> described(described), described(Module())
    ('described', 'Module')
    """
    text = str(getattr(model, "__name__", "")) or repr(model)
    return type(model).__name__ if " at 0x" in text else text


def _named_parameters(model: Any) -> list[tuple[str, Any]]:
    return list(model.named_parameters()) if hasattr(model, "named_parameters") else []


def _prepared(model: Any, given: int | Sequence[int] | None) -> tuple[Callable[[Any], Any], tuple[int, ...], Any]:
    """The model as a function of Tensors, the shape of a sample, and the dtype of its numbers."""
    parameters = [p for _, p in _named_parameters(model)]
    shape = None if given is None else (given,) if isinstance(given, int) else tuple(given)
    if shape is None:
        shape = _shape_of_sample(model, parameters)
    if any(isinstance(p, Value) for p in parameters):
        model = autograd.vectorize(model, shape)
    if isinstance(model, autograd.Vectorized):
        if len(model.shapes) != 1 or model.index or not model.batch:
            raise ExportError(f"{model!r} must be a function of one array of numbers for one sample to be exported")
        return model, model.shapes[0], model.dtype
    return model, shape, next((p.dtype for p in parameters), np.dtype(np.float32))


def _shape_of_sample(model: Any, parameters: Sequence[Any]) -> tuple[int, ...]:
    """The shape of the input that the first weights multiply."""
    if isinstance(model, autograd.Vectorized):
        return model.shapes[0]
    if isinstance(model, Module):
        neuron = next((m for m in model.modules() if isinstance(m, Neuron)), None)
        if neuron is not None:
            return (len(neuron.w),)
    first = next((p for p in parameters if isinstance(p, Tensor)), None)
    if first is None or first.ndim != 2:
        raise ExportError("the shape of a sample does not follow from the model: pass input_shape=, such as (28, 28)")
    return (first.shape[0],)


def _order(out: Tensor, x: Tensor) -> list[Any]:
    """The nodes that depend on x, operands before results: x first, `out` last."""
    order = [x, *between([out], [x])]
    if order[-1] is not out:
        raise ExportError(
            "the output does not depend on the input by recorded operations: the model must compute on the Tensor that "
            "it is given (not on its .data), and not under no_grad"
        )
    return order


def _steps(first: Sequence[Any], second: Sequence[Any], names: dict[int, str]) -> list[Step]:
    """The steps of two runs. Raises ExportError if the runs differ in more than the batch length."""
    if [node.op for node in first] != [node.op for node in second]:
        raise ExportError("the model does different operations for different inputs: only one fixed graph is exported")
    places = [{id(node): i for i, node in enumerate(order)} for order in (first, second)]
    steps: list[Step] = []

    def operand(op: Any, a: Any, b: Any) -> Step | Constant:
        at = places[0].get(id(a))
        if at != places[1].get(id(b)):
            _differs(op)
        if at is not None:
            return steps[at]
        data, again = (np.asarray(autograd.ops.detach(item)) for item in (a, b))
        if data.dtype != again.dtype or not np.array_equal(data, again, equal_nan=data.dtype.kind == "f"):
            _differs(op)
        return Constant(data, names.get(id(a), ""))

    for a, b in zip(first, second, strict=True):
        if len(a.operands) != len(b.operands):
            _differs(a.op)
        operands = tuple(operand(a.op, *pair) for pair in zip(a.operands, b.operands, strict=True))
        params = {key: _common(a.op, value, b.params.get(key)) for key, value in a.params.items()}
        steps.append(Step(a.op, operands, params, _common(a.op, a.shape, b.shape), a.dtype))
    return steps


def _common(op: Any, a: Any, b: Any) -> Any:
    """A parameter that both runs have, with "batch" or "varies" where whole numbers differ."""
    if isinstance(a, tuple | list) and isinstance(b, tuple | list) and len(a) == len(b):
        return tuple(_common(op, *pair) for pair in zip(a, b, strict=True))
    if isinstance(a, slice) and isinstance(b, slice):
        return slice(*(_common(op, getattr(a, key), getattr(b, key)) for key in ("start", "stop", "step")))
    if isinstance(a, int | np.integer) and isinstance(b, int | np.integer):
        return int(a) if a == b else "batch" if (a, b) == SIZES else "varies"
    if not np.array_equal(a, b):
        _differs(op)
    return a


def _differs(op: Any) -> NoReturn:
    raise ExportError(
        f"{op.name} reads numbers that change with the input but do not come from it by recorded operations (a "
        "comparison, .data, random numbers, an array as long as the batch), so the export would be wrong for other "
        "inputs: write choices with relu, maximum, clip or abs, and let constants broadcast"
    )
