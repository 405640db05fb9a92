"""Models for JAX and PyTorch: as an object, and as a Python file that imports nothing of ours.

The engine differentiates the model itself. So it can be trained there, on devices and machines that this library does
not use, and come back by `Module.load_state_dict`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograd.vectorizing.leaving import Leaving, NotLowerable, of_tree
from nn.export.recording import ExportError, described, record
from nn.support.files import PathLike, write

Model = Callable[[Any], Any]
Shape = int | Sequence[int] | None


def to_jax(model: Model, input_shape: Shape = None) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A model as a pure function of JAX, and its parameters: arrays by path.

    Args:
        model: maps an array (batch, *input_shape) to a Tensor. A model of scalars is vectorized.
        input_shape: the shape of one sample. By default it is derived from the model's first weights.

    The function takes the parameters and a batch of any length. Modules run in evaluation mode. Needs
    ``pip install 'chainrule[jax]'``. Raises ExportError if the model has no tree, or if JAX lacks an operation.
    """
    return leaving(model, input_shape).to_jax()


def to_torch(model: Model, input_shape: Shape = None) -> Any:
    """A model as a ``torch.nn.Module``, whose parameters have the paths of ours; see `to_jax` for the arguments.

    Needs ``pip install 'chainrule[torch]'``. ``model.load_state_dict(module.state_dict())`` brings the numbers back.
    """
    return leaving(model, input_shape).to_torch()


def export_jax(model: Model, path: PathLike, input_shape: Shape = None) -> Path:
    """Write the function of `to_jax` and the parameters to a Python file, which imports only JAX and NumPy.

    >>> import nn, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = export_jax(nn.dense(3, 2, 1, rng=0), Path(folder, "net.py")).read_text(encoding="utf-8")
    >>> print(text[text.index("def sequential"):])
    def sequential(parameters, x):
        \"""A pure function, for jax.jit, jax.grad and jax.vmap.\"""
        layers_0_weight = parameters["layers.0.weight"]
        layers_0_bias = parameters["layers.0.bias"]
        layers_2_weight = parameters["layers.2.weight"]
        layers_2_bias = parameters["layers.2.bias"]
        t1 = relu(x @ layers_0_weight + layers_0_bias) @ layers_2_weight
        y = t1 + layers_2_bias
        return y
    <BLANKLINE>
    """
    return written(leaving(model, input_shape), "jax_source", path)


def export_torch(model: Model, path: PathLike, input_shape: Shape = None) -> Path:
    """Write the module of `to_torch` and its parameters to a Python file, which imports only PyTorch and NumPy."""
    return written(leaving(model, input_shape), "torch_source", path)


def leaving(model: Model, input_shape: Shape) -> Leaving:
    """The model as a program with named parameters."""
    found = record(model, input_shape)
    name = getattr(model, "__name__", type(model).__name__.lower())
    return of_tree(found.input, found.output, found.paths, name, f"{described(model)}, written by chainrule")


def written(program: Leaving, language: str, path: PathLike) -> Path:
    """Write a program's file."""
    try:
        text = getattr(program, language)(own=True)
    except NotLowerable as error:
        raise ExportError(f"{program.title}: {error}") from error
    write(path, text)
    return Path(path)
