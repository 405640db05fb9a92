"""`Dual`: a number or array (the primal) together with its rate of change (the tangent), for forward mode.

An operation on Duals applies its row to the primals, and the row's jvp to the tangents. Both parts may be numbers,
arrays, Values, Tensors or other Duals. So forward mode nests in itself and in reverse mode.

Each call of `jvp` has a level of its own. If Duals of two levels meet, the inner call treats the Duals of the outer one
as constants. So the tangents of two calls are never mixed up.

>>> x = Dual(3.0, 1.0, level=1)
>>> y = x * x
>>> y.primal, y.tangent
(9.0, 6.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import ops
from autograd.engine.graph import Node
from autograd.engine.modes import modes
from autograd.ops.arrays import as_floats, constant
from autograd.ops.floats import OBJECT
from autograd.ops.operators import ArrayOperators
from autograd.ops.rows import Elementwise, Op
from autograd.ops.shapes import objects, shape_of
from autograd.ops.traced import Traced


class Dual(ArrayOperators):
    """A primal, its tangent, and the level of the `jvp` that they belong to."""

    __slots__ = ("level", "primal", "tangent")
    _priority = 5

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def _stacks(self) -> bool:  # type: ignore[override]
        """True if several of them make an array: there are no Values inside."""
        return not isinstance(self.primal, Traced) or self.primal._stacks

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level})"

    def detach(self) -> Any:
        """The numbers of the primal, as constants."""
        return ops.detach(self.primal)

    @property
    def data(self) -> Any:
        """The same as `detach`. A program that reads the numbers of a Value or a Tensor runs on Duals, too."""
        return self.detach()

    def astype(self, dtype: DTypeLike) -> Any:
        """The Dual with its primal and tangent in float32 or float64."""
        return ops.astype(self, np.dtype(dtype))

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return np.shape(self.detach())

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return np.ndim(self.detach())

    @property
    def size(self) -> int:
        """Number of elements."""
        return np.size(self.detach())

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the primal."""
        return np.asarray(self.detach()).dtype

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        dtype = next((x.dtype for x in inputs if isinstance(x, Dual) and x.shape), np.dtype(float))
        inputs = [x if isinstance(x, Traced) else operand(x, op, dtype, i) for i, x in enumerate(inputs)]
        level, primals, tangents = split(inputs)
        if not isinstance(op, Elementwise):  # its rules read shapes
            primals, tangents = [*map(shaped, primals)], [*map(shaped, tangents)]
        out = op.apply(primals, params)
        if level <= modes.cut:  # under `no_grad` results are constants
            return out
        with np.errstate(all="ignore"):
            return cls(out, like(out, op.jvp(tangents, out, primals, params)), level)

    @classmethod
    def _gather(cls, op: Op, items: Sequence[Any], params: dict[str, Any]) -> Any:
        if any(shape_of(x) for x in items):
            return op.apply((ops.stack(items),), params)
        level, primals, tangents = split(items)
        out = op.apply((primals,), params)
        if level <= modes.cut:
            return out
        cells = [cell(primals), cell([0.0 if t is None else t for t in tangents])]
        with np.errstate(all="ignore"):
            tangent = op.jvp(cells[1:], out, cells[:1], params)
        return cls(out, tangent.item() if isinstance(tangent, np.ndarray) else tangent, level)

    @classmethod
    def _dot(cls, x: Sequence[Any], y: Sequence[Any], bias: Any) -> Any:
        products = [a * b for a, b in zip(x, y, strict=True)]
        return ops.sum(products if bias is None else [*products, bias])


def operand(x: Any, op: Op, dtype: np.dtype[Any], i: int) -> Any:
    """The i-th operand, which is a constant, as the row takes it."""
    x = constant(x, op, "Dual")
    return as_floats(x, dtype) if op.differentiates(i) and getattr(x, "dtype", None) != OBJECT else x


def split(inputs: Sequence[Any]) -> tuple[int, list[Any], list[Any]]:
    """The innermost level of the inputs, and each input's primal and tangent at this level (None for a constant)."""
    level = max(x.level for x in inputs if isinstance(x, Dual))
    mine = [isinstance(x, Dual) and x.level == level for x in inputs]
    primals = [x.primal if m else x for x, m in zip(inputs, mine, strict=True)]
    tangents = [x.tangent if m else None for x, m in zip(inputs, mine, strict=True)]
    return level, primals, tangents


def like(out: Any, tangent: Any) -> Any:
    """A tangent in the shape and the dtype of its primal.

    Only this function broadcasts tangents. If a small operand was combined with a large constant, the rule's tangent
    has the shape of the small operand.
    """
    shape = shape_of(out)
    if shape_of(tangent) != shape:
        if isinstance(tangent, Node) and not tangent._fuses:  # a Value, repeated
            return np.full(shape, tangent, dtype=object)
        tangent = ops.broadcast_to(tangent, shape)
    dtype = getattr(out, "dtype", OBJECT)
    if dtype != OBJECT and getattr(tangent, "dtype", OBJECT) not in (OBJECT, dtype):
        return ops.astype(tangent, dtype)
    return tangent


def shaped(x: Any) -> Any:
    """A plain number as a 0-d array; anything else unchanged."""
    return np.asarray(x, dtype=float) if type(x) in (float, int, bool) else x


def cell(x: list[Any]) -> Any:
    """Numbers as a float array. Variables go into an object array, since rules work on those, too."""
    if all(isinstance(item, float) for item in x):
        return np.array(x, dtype=float)
    return objects(x)
