"""The operators and methods that every traced kind shares: `x + y`, `x.exp()`, `x > 0`.

Each is one line that hands its operands to a row of the table; the kind's own `_apply` decides what that means.
This is the generic path. `Value` replaces its operators by specialised ones at import (see `autograd.specialize`),
and a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from autograd import ops
from autograd.rows import Elementwise, Op, Traced

Axis: TypeAlias = int | Sequence[int] | None


class Operators(Traced):
    """Arithmetic, comparison and elementwise methods, by way of the table of operations."""

    __slots__ = ()

    if TYPE_CHECKING:  # attached below from the rows; declared here for type checkers and editors
        identity: Callable[[], Self]
        exp: Callable[[], Self]
        expm1: Callable[[], Self]
        log: Callable[[], Self]
        log1p: Callable[[], Self]
        log2: Callable[[], Self]
        log10: Callable[[], Self]
        sqrt: Callable[[], Self]
        square: Callable[[], Self]
        reciprocal: Callable[[], Self]
        sign: Callable[[], Self]
        sin: Callable[[], Self]
        cos: Callable[[], Self]
        tan: Callable[[], Self]
        asin: Callable[[], Self]
        acos: Callable[[], Self]
        atan: Callable[[], Self]
        sinh: Callable[[], Self]
        cosh: Callable[[], Self]
        tanh: Callable[[], Self]
        sigmoid: Callable[[], Self]
        softplus: Callable[[], Self]
        relu: Callable[[], Self]
        erf: Callable[[], Self]
        erfc: Callable[[], Self]
        gelu: Callable[[], Self]
        silu: Callable[[], Self]
        hypot: Callable[..., Self]
        atan2: Callable[..., Self]
        maximum: Callable[..., Self]
        minimum: Callable[..., Self]
        leaky_relu: Callable[..., Self]
        elu: Callable[..., Self]
        clip: Callable[..., Self]

    def __add__(self, other: Any) -> Self:
        return ops.add.apply((self, other), {})  # type: ignore[no-any-return]

    def __radd__(self, other: Any) -> Self:
        return ops.add.apply((other, self), {})  # type: ignore[no-any-return]

    def __sub__(self, other: Any) -> Self:
        return ops.sub.apply((self, other), {})  # type: ignore[no-any-return]

    def __rsub__(self, other: Any) -> Self:
        return ops.sub.apply((other, self), {})  # type: ignore[no-any-return]

    def __mul__(self, other: Any) -> Self:
        return ops.mul.apply((self, other), {})  # type: ignore[no-any-return]

    def __rmul__(self, other: Any) -> Self:
        return ops.mul.apply((other, self), {})  # type: ignore[no-any-return]

    def __truediv__(self, other: Any) -> Self:
        return ops.div.apply((self, other), {})  # type: ignore[no-any-return]

    def __rtruediv__(self, other: Any) -> Self:
        return ops.div.apply((other, self), {})  # type: ignore[no-any-return]

    def __pow__(self, other: Any) -> Self:
        return ops.power.apply((self, other), {})  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Self:
        return ops.power.apply((other, self), {})  # type: ignore[no-any-return]

    def __neg__(self) -> Self:
        return ops.neg.apply((self,), {})  # type: ignore[no-any-return]

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return ops.abs.apply((self,), {})  # type: ignore[no-any-return]

    # Comparisons look at the numbers. `==` is not among them: nodes hash and compare by identity.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's function on this: the row of the same meaning, so that it records."""
        row = UFUNCS.get(ufunc)
        if row is None or method != "__call__" or kwargs:
            return NotImplemented
        return row.apply(inputs, {})

    def __lt__(self, other: Any) -> Any:
        return ops.detach(self) < ops.detach(other)

    def __le__(self, other: Any) -> Any:
        return ops.detach(self) <= ops.detach(other)

    def __gt__(self, other: Any) -> Any:
        return ops.detach(self) > ops.detach(other)

    def __ge__(self, other: Any) -> Any:
        return ops.detach(self) >= ops.detach(other)


class ArrayOperators(Operators):
    """What arrays have besides: products, indexing, reductions and moves, by NumPy's names."""

    __slots__ = ()

    def __matmul__(self, other: Any) -> Self:
        return ops.matmul.apply((self, other), {})  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Self:
        return ops.matmul.apply((other, self), {})  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Self:
        return ops.getitem.apply((self,), {"index": index})  # type: ignore[no-any-return]

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `autograd.sum`."""
        return ops.sum(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `autograd.mean`."""
        return ops.mean(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `autograd.max`."""
        return ops.max(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `autograd.min`."""
        return ops.min(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `autograd.prod`."""
        return ops.prod(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Self:
        """See `autograd.var`."""
        return ops.var(self, axis=axis, ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return]

    def std(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Self:
        """See `autograd.std`."""
        return ops.std(self, axis=axis, ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return]

    def cumsum(self, axis: int | None = None) -> Self:
        """See `autograd.cumsum`."""
        return ops.cumsum(self, axis)  # type: ignore[no-any-return]

    def dot(self, other: Any) -> Self:
        """See `autograd.dot`."""
        return ops.dot(self, other)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any) -> Self:
        """The same elements in another shape, given as one tuple or as several numbers."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[no-any-return]

    def flatten(self) -> Self:
        """All elements on one axis."""
        return self.reshape(-1)

    ravel = flatten

    def transpose(self, *axes: Any) -> Self:
        """The axes in another order, given as one tuple or as several numbers; reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return ops.transpose(self, order)  # type: ignore[no-any-return]

    @property
    def T(self) -> Self:
        """The axes reversed."""
        return self.transpose()

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """See `autograd.swapaxes`."""
        return ops.swapaxes(self, axis1, axis2)  # type: ignore[no-any-return]

    def squeeze(self, axis: Axis = None) -> Self:
        """See `autograd.squeeze`."""
        return ops.squeeze(self, axis)  # type: ignore[no-any-return]

    def broadcast_to(self, shape: Sequence[int]) -> Self:
        """See `autograd.broadcast_to`."""
        return ops.broadcast_to(self, tuple(shape))  # type: ignore[no-any-return]


def _method(row: Elementwise) -> Callable[..., Any]:
    """A row as a method: the object is the first operand, the others follow by place or name."""

    def method(self: Any, *others: Any, **named: Any) -> Any:
        return row(self, *others, **named)

    method.__name__ = row.name
    method.__qualname__ = f"Operators.{row.name}"
    method.__doc__ = f"{row.summary} See `autograd.{row.name}`."
    return method


METHODS = {row.name: row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.is_method}
"""The elementwise rows that are methods: all but the operators above and `where`."""

for _name, _row in METHODS.items():
    setattr(Operators, _name, _method(_row))

# NumPy calls a method of this name on every element of an object array: np.arcsin(array_of_values)
NUMPY_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}
for _name, _ours in NUMPY_NAMES.items():
    setattr(Operators, _name, getattr(Operators, _ours))

UFUNCS: dict[Any, Op] = {row.array: row for row in ops.ROWS.values() if isinstance(row, Elementwise)}
UFUNCS[np.matmul] = ops.matmul
"""NumPy's functions that are rows."""
