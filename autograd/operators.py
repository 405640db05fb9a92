"""The operators and methods that every traced kind shares: `x + y`, `x.exp()`, `x > 0`.

Each is one line that hands its operands to a row of the table; the kind's own `_apply` decides what that means.
This is the generic path. `Value` replaces its operators by specialised ones at import (see `autograd.specialize`),
and a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from autograd import ops
from autograd.rows import Elementwise, Traced


class Operators(Traced):
    """Arithmetic, comparison and elementwise methods, by way of the table of operations."""

    __slots__ = ()

    if TYPE_CHECKING:  # attached below from the rows; declared here for type checkers and editors
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

    def __lt__(self, other: Any) -> Any:
        return ops.detach(self) < ops.detach(other)

    def __le__(self, other: Any) -> Any:
        return ops.detach(self) <= ops.detach(other)

    def __gt__(self, other: Any) -> Any:
        return ops.detach(self) > ops.detach(other)

    def __ge__(self, other: Any) -> Any:
        return ops.detach(self) >= ops.detach(other)


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
