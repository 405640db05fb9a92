"""`Dual`: a number or array together with its rate of change; forward mode.

A Dual flows through the same rules as everything else: an operation on Duals applies the row to the primals and the
row's jvp to the tangents. Both parts can be anything that flows through rules, Values, Tensors and other Duals
included, so forward mode nests in itself and in reverse mode. Each use of `jvp` has a level of its own: where Duals
of two uses meet, the inner use treats the outer one's as constants, so their perturbations are never confused.

>>> x = Dual(3.0, 1.0, level=1)
>>> y = x * x
>>> y.primal, y.tangent
(9.0, 6.0)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import ops
from autograd.operators import ArrayOperators
from autograd.rows import Op

levels = itertools.count(1)
"""Each use of forward mode takes the next level, so an inner use has a higher one than those around it."""


class Dual(ArrayOperators):
    """A primal, its tangent, and the level of the `jvp` that they belong to."""

    __slots__ = ("level", "primal", "tangent")
    _priority = 5

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level})"

    def detach(self) -> Any:
        """The numbers of the primal, as constants."""
        return ops.detach(self.primal)

    @property
    def data(self) -> Any:
        """As `detach`: a program that looks at a Value's or a Tensor's numbers runs on Duals too."""
        return self.detach()

    def item(self) -> float:
        """The number of a primal of one element."""
        return float(np.asarray(self.detach()).item())

    def tolist(self) -> Any:
        """The primal's numbers as nested lists."""
        return np.asarray(self.detach()).tolist()

    def astype(self, dtype: DTypeLike) -> Any:
        """Primal and tangent as float32 or float64."""
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
        """Of the primal."""
        return np.asarray(self.detach()).dtype

    def __len__(self) -> int:
        return self.shape[0]

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Dual:
        level, primals, tangents = split(inputs)
        out = op.apply(primals, params)
        with np.errstate(all="ignore"):
            return cls(out, op.jvp(tangents, out, primals, params), level)

    @classmethod
    def _gather(cls, op: Op, items: Sequence[Any], params: dict[str, Any]) -> Dual:
        level, primals, tangents = split(items)
        out = op.apply((primals,), params)
        cells = [cell(primals), cell([0.0 if t is None else t for t in tangents])]
        with np.errstate(all="ignore"):
            tangent = op.jvp(cells[1:], cell(out), cells[:1], params)
        return cls(out, tangent.item() if isinstance(tangent, np.ndarray) else tangent, level)

    @classmethod
    def _dot(cls, x: Sequence[Any], y: Sequence[Any], bias: Any) -> Any:
        products = [a * b for a, b in zip(x, y, strict=True)]
        return ops.sum(products if bias is None else [*products, bias])


def split(inputs: Sequence[Any]) -> tuple[int, list[Any], list[Any]]:
    """The innermost level among the inputs, and each input's primal and tangent (None for a constant) at it."""
    level = max(x.level for x in inputs if isinstance(x, Dual))
    mine = [isinstance(x, Dual) and x.level == level for x in inputs]
    primals = [x.primal if m else x for x, m in zip(inputs, mine, strict=True)]
    tangents = [x.tangent if m else None for x, m in zip(inputs, mine, strict=True)]
    return level, primals, tangents


def cell(x: Any) -> Any:
    """Numbers as a float array; scalars that are traced as an object array, on which rules work just as well."""
    items = x if isinstance(x, list) else [x]
    if all(isinstance(item, float) for item in items):
        array = np.array(items, dtype=float)
    else:
        array = np.empty(len(items), dtype=object)
        array[:] = items
    return array if isinstance(x, list) else array.reshape(())
