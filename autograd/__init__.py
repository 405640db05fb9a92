"""Automatic differentiation, one row per operation.

`Value` is a number and `Tensor` an array that remember how they were computed. Every operation of `autograd.ops`
(`exp`, `matmul`, `logsumexp`, …) is a name here too, and works on floats, arrays, Values and Tensors alike.

What lives where: the table of operations in `autograd.ops`, what a row of it is in `autograd.rows`; nodes, order and
modes in `autograd.graph`; the scalar node in `autograd.value`, the array node in `autograd.tensor`.
"""

from typing import TYPE_CHECKING, Any

from autograd.anomaly import AnomalyError as AnomalyError, anomaly as anomaly
from autograd.custom import custom_op as custom_op
from autograd.graph import no_grad as no_grad
from autograd.ops import *
from autograd.symbol import Symbol as Symbol
from autograd.tensor import Tensor as Tensor
from autograd.transforms import (
    grad as grad,
    hessian as hessian,
    hvp as hvp,
    jacobian as jacobian,
    jvp as jvp,
    value_and_grad as value_and_grad,
    vjp as vjp,
)
from autograd.value import Value as Value

if TYPE_CHECKING:
    from autograd.checking import check_gradients as check_gradients
    from autograd.seeing.describe import describe as describe
    from autograd.drawing import DrawingError as DrawingError, draw as draw, steps as steps
    from autograd.seeing.explain import explain as explain
    from autograd.seeing.tree import tree as tree
    from autograd.vectorizing import TraceError as TraceError, Vectorized as Vectorized, vectorize as vectorize

__version__ = "0.1.0"

_LATER = {
    "DrawingError": "autograd.drawing",
    "TraceError": "autograd.vectorizing",
    "Vectorized": "autograd.vectorizing",
    "check_gradients": "autograd.checking",
    "describe": "autograd.seeing.describe",
    "draw": "autograd.drawing",
    "explain": "autograd.seeing.explain",
    "steps": "autograd.drawing",
    "tree": "autograd.seeing.tree",
    "vectorize": "autograd.vectorizing",
}
"""Functions whose modules are loaded when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    import importlib

    globals()[name] = found = getattr(importlib.import_module(_LATER[name]), name)
    return found
