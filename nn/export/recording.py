"""A model as an expression tree, so that any model made of operations can be exported.

The model runs on a leaf whose first length is a symbol, the batch. The result is a tree (`autograd.vectorizing.tree`):
its nodes are the operations, and its other leaves are parameters and constants. A model that decides by numbers has no
such tree, and is refused. Then the tree is held to the model: on random batches of different lengths, it has to give
the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Tensor, Value
from autograd.engine.graph import postorder
from autograd.ops import questions as questions
from autograd.ops.rows import Traced
from autograd.vectorizing.array_program import BATCH as BATCH
from autograd.vectorizing.evaluation import evaluate
from autograd.vectorizing.sizes import Size as Size
from autograd.vectorizing.tree import Expression as Expression
from autograd.vectorizing.tree import Trees
from nn.module import Module, mode
from nn.neuron import Neuron

LENGTHS = (2, 3)  # of the batches on which a tree is held to the model


class ExportError(ValueError):
    """A model cannot be exported. The message names the operation and says what to do."""


class Recording(NamedTuple):
    """The tree of a model: its input, its output, and the paths of the leaves that are parameters."""

    input: Expression
    output: Expression
    paths: Mapping[Expression, str]

    @property
    def steps(self) -> list[Expression]:
        """The operations, operands before results."""
        return [node for node in postorder([self.output]) if node.op is not None]


class ModelTrees(Trees):
    """Trees in which a Tensor is a leaf that holds its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.leaves: dict[int, tuple[Tensor, Expression]] = {}  # the Tensor is kept, so that no other gets its id

    def variable(self, x: Traced) -> Expression:
        if not isinstance(x, Tensor):
            return super().variable(x)
        if id(x) not in self.leaves:
            array = np.array(x.detach())
            self.leaves[id(x)] = x, self.leaf("", array.shape, array.dtype, array=array)
        return self.leaves[id(x)][1]


def record(model: Callable[[Any], Any], input_shape: int | Sequence[int] | None = None) -> Recording:
    """The tree of a model.

    Args:
        model: maps a Tensor (batch, *input_shape) to a Tensor. A model of scalars is vectorized.
        input_shape: the shape of one sample. By default it is derived from the model's first weights.

    Modules run in evaluation mode. Raises ExportError if the model has no tree from one input to one output, or if the
    tree does not give the model's numbers.

    >>> from nn import dense
    >>> [(step.op.name, step.shape) for step in record(dense(3, 2, 1)).steps]
    [('linear', (batch, 2)), ('relu', (batch, 2)), ('linear', (batch, 1))]
    """
    model, shape, dtype = _prepared(model, input_shape)
    trees = ModelTrees()
    x = trees.leaf("x", (BATCH, *shape), dtype)
    with mode(model, training=False):
        samples = [Tensor(np.random.default_rng(0).standard_normal((n, *shape)), dtype) for n in LENGTHS]
        wanted = [_output(model(sample)) for sample in samples]
        try:
            out = model(x)
        except Exception as error:  # the same model has just worked on Tensors
            raise ExportError(
                f"the model does what depends on its input's numbers, or on the length of the batch: {error}. Write "
                "choices with where, relu, maximum or clip, and let constants broadcast"
            ) from error
    paths = {id(p): name for name, p in _named_parameters(model)}
    found = Recording(x, _tree(out, x), {leaf: paths.get(key, "") for key, (_, leaf) in trees.leaves.items()})
    for sample, want in zip(samples, wanted, strict=True):
        _check(found, sample.detach(), want)
    return found


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
        # the numbers are those of the Values, even where the arrays of other programs are trained and not synced yet
        model = autograd.Vectorized(model, [shape], {}, True, np.float64, homes=None)
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


def _output(out: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """The numbers of a model's output; ExportError unless it is one array."""
    if not isinstance(out, Tensor):
        raise ExportError(f"the model returned a {type(out).__name__}: it must give one Tensor to be exported")
    return out.detach()


def _tree(out: Any, x: Expression) -> Expression:
    """The output as a node; ExportError where it does not depend on the input."""
    if isinstance(out, Expression) and any(node is x for node in postorder([out])):
        return out
    raise ExportError(
        "the output does not depend on the input by operations: the model must compute on the Tensor that it is given"
    )


def _check(recording: Recording, sample: Any, wanted: Any) -> None:
    """Hold the tree to the model, for one batch."""
    (found,) = evaluate([recording.output], {recording.input: sample}, {"batch": len(sample)})
    near = 1e-4 if wanted.dtype == np.float32 else 1e-9
    size = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    same = found.shape == wanted.shape and found.dtype == wanted.dtype
    if not (same and np.allclose(found, wanted, rtol=near, atol=near * size, equal_nan=True)):
        raise ExportError(
            "the model gives other numbers than the operations that it applies to its input (random numbers, or an "
            "array that was made from the input's numbers), so the export would be wrong: write it with operations of "
            "autograd on the Tensor that it is given"
        )
