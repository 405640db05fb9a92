"""From numbers to variables and back, for every transformation.

If all arguments are plain numbers, so are the results. If there are Values or Tensors among them, the results are part
of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node
from autograd.engine.modes import modes
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.ops.arrays import number
from autograd.ops.floats import FLOATS
from autograd.ops.traced import Traced
from autograd.transforms.dual import Dual

Function = Callable[..., Any]


def checked_function(f: Any, taker: str) -> None:
    """TypeError unless `f` is a function. A frequent mistake is to pass a result in place of the function."""
    if not callable(f):
        hint = "its backward() gives gradients, too" if isinstance(f, Traced) else "such as lambda x: x * x"
        raise TypeError(f"{taker} takes a function, not the {type(f).__name__} {f!r:.60}: {hint}")


def variable(x: Any, among_arrays: bool = False) -> Any:
    """A new variable with the numbers of `x`. If `x` is a variable, the new one is computed from it.

    A number becomes a Value, or a 0-d Tensor if it is `among_arrays`.
    """
    if isinstance(x, Dual):
        return Dual(variable(x.primal, among_arrays), x.tangent, x.level)
    if isinstance(x, Node) and not x.requires_grad:  # frozen: this derivative was asked for
        x = ops.detach(x)
        return variable(x) if isinstance(x, np.ndarray) else Value(x)
    if isinstance(x, Traced):
        return ops.identity(x)
    if isinstance(x, np.ndarray):
        if x.dtype not in FLOATS:
            raise TypeError(f"derivatives are taken with respect to floats, not to an array of {x.dtype}")
        return Tensor(x)
    if among_arrays:
        return Tensor(np.array(number(x)))
    return ops.identity(Value(number(x))) if modes.tracer is not None else Value(number(x))


def node_of(x: Any) -> Any:
    """The variable itself. A Dual holds it in its innermost primal."""
    while isinstance(x, Dual):
        x = x.primal
    return x


def is_live(leaves: Sequence[Any]) -> bool:
    """True if the results have to be part of a graph.

    They are if an input is a variable. They are inside another reverse transformation, too, since the function may use
    the variables of that one.
    """
    return (modes.differentiating > 0 and modes.recording) or any(
        isinstance(node_of(x), Node) or (isinstance(x, Dual) and is_live([x.tangent])) for x in leaves
    )


def severed(x: Any) -> Any:
    """A result. If the transformation runs inside `no_grad`, it becomes a constant of its kind."""
    return x if modes.recording or not isinstance(x, Traced) else ops.identity(x)


def zeros_like(x: Any) -> Any:
    """Zeros of the shape of `x`, as plain numbers."""
    numbers = ops.detach(x)
    return np.zeros_like(numbers) if isinstance(numbers, np.ndarray) else 0.0


def one_like(x: Any) -> Any:
    """The seed of a single number: 1."""
    numbers = ops.detach(x)
    return np.ones_like(numbers) if isinstance(numbers, np.ndarray) else 1.0


def plain(x: Any, like: Any) -> Any:
    """A result as a plain number or array of the kind of `like`."""
    if isinstance(x, Dual):
        return Dual(plain(x.primal, like), plain(x.tangent, like), x.level)
    x = ops.detach(x)
    if isinstance(ops.detach(like), np.ndarray):
        return np.array(x)
    return x if isinstance(x, Traced) else float(x)
