"""Automatic differentiation, one row per operation.

A `Value` is a number and a `Tensor` is an array. Both remember how they were computed. This module also exports every
operation of `autograd.ops` (`exp`, `matmul`, `logsumexp`, …). Operations work on floats, arrays, Values and Tensors.

The table of operations is in `autograd.ops`; `autograd.ops.rows` says what a row of it is. The scalar node is in
`autograd.engine.value`, the array node in `autograd.engine.tensor`, and what they share in `autograd.engine.graph`.

``from autograd import *`` leaves out `abs`, `max`, `min` and `sum`, since they would hide Python's own functions. Write
``autograd.sum``.

`compiled` is True if Values run in C, and False if they run in Python. Both give the same numbers.

Type checkers and editors read ``__init__.pyi``, which `tests/stubs.py` writes from this file and from the table.
"""

import builtins as _builtins
import importlib as _importlib
import sys as _sys
from typing import Any as _Any

from autograd import ops as _ops
from autograd.engine.anomaly import AnomalyError, anomaly
from autograd.engine.custom import custom_op
from autograd.engine.modes import compiled as _compiled
from autograd.engine.modes import no_grad
from autograd.ops.operators import METHODS as _METHODS
from autograd.ops.operators import Operators as _Operators
from autograd.ops.refusing import unclaimed as _unclaimed
from autograd.ops.symbol import Symbol
from autograd.engine.tensor import Tensor
from autograd.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.engine.value import Value

__version__ = "0.1.0"

compiled: bool = _compiled is not None
"""Whether Values run in C. If not, they run in Python, and give the same numbers (see `autograd.native.form`)."""

_LATER = {
    "DrawingError": "autograd.drawing",
    "TraceError": "autograd.vectorizing",
    "Vectorized": "autograd.vectorizing",
    "check_gradients": "autograd.gradcheck.check",
    "describe": "autograd.explaining.describe",
    "draw": "autograd.drawing",
    "explain": "autograd.explaining.explain",
    "steps": "autograd.drawing",
    "tree": "autograd.explaining.tree",
    "vectorize": "autograd.vectorizing",
}
"""Names whose modules are imported on first use."""

_MODULES = ("ops", "testing")
"""Modules that are imported on first use."""

_unclaimed(_ops.__all__, {*globals(), *_LATER, *_MODULES}, _METHODS, Tensor, _Operators)
globals().update({name: getattr(_ops, name) for name in _ops.__all__})  # every operation

_NAMES = {name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_ops))} | set(_LATER)

__all__ = sorted(name for name in _NAMES - {"compiled"} if not hasattr(_builtins, name))


def __dir__() -> list[str]:
    return sorted(_NAMES.union(_MODULES))


def __getattr__(name: str) -> _Any:
    module = _sys.modules[__name__]
    if name in _MODULES:
        try:
            return _importlib.import_module(f"autograd.{name}")
        except ImportError as error:  # editors ask for every name, even if an optional package is not installed
            raise AttributeError(f"autograd.{name} cannot be loaded: {error}", name=name, obj=module) from error
    if name not in _LATER:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}", name=name, obj=module)
    globals()[name] = found = getattr(_importlib.import_module(_LATER[name]), name)
    return found
