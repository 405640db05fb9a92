"""The operators and methods that all kinds of variables share: `x + y`, `x.exp()`, `x > 0`.

Each is one line that calls a row of the table. The kind of variable then applies the row, in its `_apply`. This is the
general path. `Value` has quicker operators, made from the same rows (see `autograd.engine.value`). A test holds the two
equal.
"""

from __future__ import annotations

import numbers
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

import numpy as np

from autograd import ops
from autograd.ops.formatting import alone, is_formatting
from autograd.ops.rows import Elementwise, Op
from autograd.ops.signatures import as_method
from autograd.ops.traced import Length, Traced

if TYPE_CHECKING:  # the methods are attached below, from the rows; `tests/stubs.py` writes their declarations
    from autograd.ops.methods import Methods
else:
    Methods = Traced

S = TypeVar("S", bound="Operators")
A = TypeVar("A", bound="ArrayOperators")
"""The kind of variable that a method is called on. It is not `Self`, since jedi reads `Self` as the defining class."""

Axis: TypeAlias = int | Sequence[int] | None


numpy: Any = np
"""NumPy without types: type checkers do not know that its functions accept variables."""


class Operators(Methods):
    """Arithmetic, comparisons and elementwise methods. All are rows of the table of operations."""

    __slots__ = ()

    def __add__(self: S, other: Any) -> S:
        return binary(ops.add, self, other, other)  # type: ignore[no-any-return]

    def __radd__(self: S, other: Any) -> S:
        return binary(ops.add, other, self, other)  # type: ignore[no-any-return]

    def __sub__(self: S, other: Any) -> S:
        return binary(ops.sub, self, other, other)  # type: ignore[no-any-return]

    def __rsub__(self: S, other: Any) -> S:
        return binary(ops.sub, other, self, other)  # type: ignore[no-any-return]

    def __mul__(self: S, other: Any) -> S:
        return binary(ops.mul, self, other, other)  # type: ignore[no-any-return]

    def __rmul__(self: S, other: Any) -> S:
        return binary(ops.mul, other, self, other)  # type: ignore[no-any-return]

    def __truediv__(self: S, other: Any) -> S:
        return binary(ops.div, self, other, other)  # type: ignore[no-any-return]

    def __rtruediv__(self: S, other: Any) -> S:
        return binary(ops.div, other, self, other)  # type: ignore[no-any-return]

    def __floordiv__(self: S, other: Any) -> S:
        return binary(ops.floordiv, self, other, other)  # type: ignore[no-any-return]

    def __rfloordiv__(self: S, other: Any) -> S:
        return binary(ops.floordiv, other, self, other)  # type: ignore[no-any-return]

    def __divmod__(self: S, other: Any) -> tuple[S, S]:
        return self // other, self % other

    def __rdivmod__(self: S, other: Any) -> tuple[S, S]:
        return other // self, other % self

    def __mod__(self: S, other: Any) -> S:
        return binary(ops.remainder, self, other, other)  # type: ignore[no-any-return]

    def __rmod__(self: S, other: Any) -> S:
        return binary(ops.remainder, other, self, other)  # type: ignore[no-any-return]

    def __pow__(self: S, other: Any) -> S:
        return binary(ops.power, self, other, other)  # type: ignore[no-any-return]

    def __rpow__(self: S, other: Any) -> S:
        return binary(ops.power, other, self, other)  # type: ignore[no-any-return]

    def __neg__(self: S) -> S:
        return ops.neg.apply((self,), {})  # type: ignore[no-any-return]

    def __pos__(self: S) -> S:
        return self

    def __abs__(self: S) -> S:
        return ops.abs.apply((self,), {})  # type: ignore[no-any-return]

    # Comparisons compare the numbers. The answers are plain bools or arrays.

    def __lt__(self, other: Any) -> Any:
        return compared(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return compared(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return compared(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return compared(operator.ge, self, other)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Apply one of NumPy's elementwise functions: see `autograd.functions`."""
        from autograd import functions

        return functions.call_ufunc(ufunc, method, inputs, kwargs)

    # A variable of one number is formatted as that number is: f"{x:.3f}", "%.3f" % x, round(x, 2).

    def __format__(self, spec: str) -> str:
        return format(alone(self), spec) if spec else str(self)

    def __round__(self, digits: int | None = None) -> Any:
        return round(alone(self), digits)

    def __float__(self) -> float:
        if is_formatting(sys._getframe(1)):
            return float(alone(self))
        raise TypeError(
            f"a {type(self).__name__} does not turn into a float by itself: the graph would end there without a word. "
            "Use autograd.exp(x) or x.exp() instead of math.exp(x), x.data for what it holds, x.item() for its number"
        )

    def __int__(self) -> int:
        return int(alone(self)) if is_formatting(sys._getframe(1)) else int(self.__float__())

    def __complex__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds real numbers: x.data is what it holds")

    def __index__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is no index: its numbers are real, and its graph would end there")

    # Single numbers have reductions as methods too, so that code written for arrays also works on a number.
    # `numpys` are further arguments of NumPy's function of the same name: where, initial, dtype.

    def sum(self: S, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.sum`."""
        return reduced(ops.sum, self, axis, keepdims, numpys)  # type: ignore[no-any-return]

    def mean(self: S, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.mean`."""
        return reduced(ops.mean, self, axis, keepdims, numpys)  # type: ignore[no-any-return]

    def max(self: S, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.max`."""
        return reduced(ops.max, self, axis, keepdims, numpys)  # type: ignore[no-any-return]

    def min(self: S, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.min`."""
        return reduced(ops.min, self, axis, keepdims, numpys)  # type: ignore[no-any-return]

    def prod(self: S, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.prod`."""
        return reduced(ops.prod, self, axis, keepdims, numpys)  # type: ignore[no-any-return]

    def var(self: S, axis: Axis = None, ddof: int = 0, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.var`."""
        return reduced(ops.var, self, axis, keepdims, numpys, {"ddof": ddof})  # type: ignore[no-any-return]

    def std(self: S, axis: Axis = None, ddof: int = 0, keepdims: bool = False, **numpys: Any) -> S:
        """See `autograd.std`."""
        return reduced(ops.std, self, axis, keepdims, numpys, {"ddof": ddof})  # type: ignore[no-any-return]


class ArrayOperators(Operators):
    """Methods that only arrays have: products, indexing and moves, with NumPy's names."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]:
            """Length of each axis."""

        def __buffer__(self, flags: int, /) -> memoryview:
            """Declare for type checkers that NumPy's functions accept this class.

            They do, through ``__array_function__``, but type checkers do not know that protocol. ``__array__`` would be
            known to them, but with it they would take ``array @ tensor`` for an array, not a Tensor.
            """

    def __matmul__(self: A, other: Any) -> A:
        return binary(ops.matmul, self, other, other)  # type: ignore[no-any-return]

    def __rmatmul__(self: A, other: Any) -> A:
        return binary(ops.matmul, other, self, other)  # type: ignore[no-any-return]

    def __getitem__(self: A, index: Any) -> A:
        return ops.getitem(self, index=index)  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} is not changed element by element: the graph could not follow. Build the new one "
            "(where, concatenate), or write to a leaf's numbers: tensor.data[index] = ..."
        )

    # `==` and `!=` compare element by element, as arrays do. Hashes are by identity.

    def __eq__(self, other: Any) -> Any:
        return compared(operator.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return compared(operator.ne, self, other)

    __hash__ = object.__hash__

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(ops.detach(self) == ops.detach(item)))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"a {type(self).__name__} without axes has no length")
        return self.shape[0]

    def __iter__(self: A) -> Iterator[A]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        numbers = np.asarray(ops.detach(self))
        if numbers.size != 1:
            raise ValueError(
                f"the truth of a {type(self).__name__} of shape {self.shape} is ambiguous: ask .any() or .all(), and "
                "choose element by element with numpy.where"
            )
        return bool(numbers)

    if not TYPE_CHECKING:  # see `__buffer__`

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            """An object array of the elements, each as its own variable, for a NumPy function called on a list.

            NumPy calls `__array_function__` for an argument, but not for items of a list, as in ``np.mean([x, y])``.
            There it asks each item for an array. Any other request for an array, such as ``np.asarray(x)``, is refused,
            since the graph would end there.
            """
            caller = asking()
            if caller is None:
                raise TypeError(
                    f"a {type(self).__name__} does not turn into plain numbers by itself: the graph would end there "
                    "without a word. Use tensor.data for its array, numpy.stack([x, y]) for an array of several"
                )
            if dtype is not None and np.dtype(dtype) != np.dtype(object):
                raise TypeError(f"numpy.{caller} of a list of {type(self).__name__}s: give it numpy.stack of the list")
            out: Any = numpy.empty(self.shape, dtype=object)
            for index in np.ndindex(*self.shape):
                out[index] = self[index] if index else self
            return out

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Apply one of NumPy's other functions: see `autograd.functions`."""
        from autograd import functions

        return functions.call(function, args, kwargs)

    def item(self, *index: Any) -> float:
        """The only number as a float, or the number at an index."""
        numbers = np.asarray(ops.detach(self))
        if numbers.size != 1 and not index:
            raise ValueError(
                f"item() of a {type(self).__name__} of shape {self.shape}: it is not one number. Reduce it, .sum() or "
                ".mean(), give an index, or take .tolist()"
            )
        return numbers.item(*index)  # type: ignore[no-any-return]

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return np.asarray(ops.detach(self)).tolist()

    def cumsum(self: A, axis: int | None = None) -> A:
        """See `autograd.cumsum`."""
        return ops.cumsum(self, axis)  # type: ignore[no-any-return]

    def dot(self: A, other: Any) -> A:
        """See `autograd.dot`."""
        return ops.dot(self, other)  # type: ignore[no-any-return]

    def reshape(self: A, *shape: Any) -> A:
        """The same elements in another shape, given as one tuple or as several numbers."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[no-any-return]

    def flatten(self: A) -> A:
        """All elements on one axis."""
        return self.reshape(-1)

    ravel = flatten

    def transpose(self: A, *axes: Any) -> A:
        """The axes in another order, given as one tuple or as several numbers; reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return ops.transpose(self, order)  # type: ignore[no-any-return]

    @property
    def T(self: A) -> A:
        """The axes reversed."""
        return self.transpose()

    def swapaxes(self: A, axis1: int, axis2: int) -> A:
        """See `autograd.swapaxes`."""
        return ops.swapaxes(self, axis1, axis2)  # type: ignore[no-any-return]

    # Questions about the numbers. The answers are plain arrays and numbers; they have no gradient.

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Index of the largest number, the first one of equals. Without an axis it is an index of the flattened array.

        >>> from autograd import Tensor
        >>> scores = Tensor([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]])
        >>> scores.argmax(axis=1).tolist(), int(scores.argmax())
        ([1, 0], 1)
        """
        return numpy.argmax(self, axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Index of the smallest number, the first one of equals. Without an axis it is one of the flattened array."""
        return numpy.argmin(self, axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1, **numpys: Any) -> Any:
        """The indices that sort the numbers in ascending order; axis None sorts the flattened array."""
        return numpy.argsort(self, axis, **numpys)

    def argpartition(self, kth: Any, axis: int | None = -1, **numpys: Any) -> Any:
        """The indices that put the kth smallest in its place and smaller ones before it, as in `numpy.argpartition`.

        The largest k are at ``argpartition(-k)[-k:]``.

        >>> from autograd import Tensor
        >>> sorted(Tensor([5.0, 1.0, 9.0, 7.0]).argpartition(-2)[-2:].tolist())
        [2, 3]
        """
        return numpy.argpartition(self, kth, axis, **numpys)

    def nonzero(self) -> Any:
        """The indices of the numbers that are not 0, as one array for each axis."""
        return numpy.nonzero(self)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Any:
        """The indices at which to insert `v` so that this sorted array stays sorted."""
        return numpy.searchsorted(self, v, side, sorter)

    def any(self, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> Any:
        """True if any number is not 0.

        >>> from autograd import Tensor
        >>> Tensor([[0.0, 1.0], [0.0, 0.0]]).any(axis=1).tolist()
        [True, False]
        """
        return numpy.any(self, axis, keepdims=keepdims, **numpys)

    def all(self, axis: Axis = None, keepdims: bool = False, **numpys: Any) -> Any:
        """True if no number is 0."""
        return numpy.all(self, axis, keepdims=keepdims, **numpys)

    @property
    def nbytes(self) -> int:
        """How much memory the numbers take."""
        return numpy.asarray(ops.detach(self)).nbytes  # type: ignore[no-any-return]

    # These methods call NumPy's function of the same name, which accepts variables.

    def take(self: A, indices: Any, axis: int | None = None) -> A:
        """The elements at these indices, of the flattened array or along an axis."""
        return numpy.take(self, indices, axis)  # type: ignore[no-any-return]

    def repeat(self: A, repeats: Any, axis: int | None = None) -> A:
        """Each element repeated, as in `numpy.repeat`."""
        return numpy.repeat(self, repeats, axis)  # type: ignore[no-any-return]

    def cumprod(self: A, axis: int | None = None) -> A:
        """Running product along an axis; of the flattened array by default."""
        return numpy.cumprod(self, axis)  # type: ignore[no-any-return]

    def diagonal(self: A, offset: int = 0, axis1: int = 0, axis2: int = 1) -> A:
        """The diagonal of two axes, as the last axis."""
        return numpy.diagonal(self, offset, axis1, axis2)  # type: ignore[no-any-return]

    def trace(self: A, offset: int = 0, axis1: int = 0, axis2: int = 1) -> A:
        """The sum of the diagonal."""
        return numpy.trace(self, offset, axis1, axis2)  # type: ignore[no-any-return]

    def round(self, decimals: int = 0) -> Any:
        """The numbers rounded, as a plain array: the slope of rounding is 0 wherever it has one."""
        return numpy.round(self, decimals)

    def squeeze(self: A, axis: Axis = None) -> A:
        """See `autograd.squeeze`."""
        return ops.squeeze(self, axis)  # type: ignore[no-any-return]

    def broadcast_to(self: A, shape: Sequence[int]) -> A:
        """See `autograd.broadcast_to`."""
        return ops.broadcast_to(self, tuple(shape))  # type: ignore[no-any-return]


def _method(row: Elementwise) -> Callable[..., Any]:
    """A row as a method: the object is the first operand, the others follow by position or name."""

    def method(self: Any, *others: Any, **named: Any) -> Any:
        return row(self, *others, **named)

    method.__name__ = row.name
    method.__qualname__ = f"Operators.{row.name}"
    method.__doc__ = f"{row.summary} See `autograd.{row.name}`."
    method.__signature__ = as_method(row, row.name)  # type: ignore[attr-defined]
    return method


METHODS = {row.name: row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.is_method}
"""The elementwise rows that are methods: all but the operators above and `where`."""

for _name, _row in METHODS.items():
    setattr(Operators, _name, _method(_row))

# for an object array, NumPy calls a method of this name on every element: np.arcsin(array_of_values)
NUMPY_NAMES = {
    name: row.name
    for name, row in vars(ops).items()
    if isinstance(row, Elementwise) and name[0] != "_" and name != row.name
}
ALIASES: dict[str, list[str]] = {}
"""For each method its other names."""
for _name, _ours in NUMPY_NAMES.items():
    setattr(Operators, _name, _method(ops.ROWS[_ours]))  # type: ignore[arg-type]
    ALIASES.setdefault(_ours, []).append(_name)

OPERATORS: dict[Op, tuple[str, ...]] = {
    ops.add: ("__add__", "__radd__"),
    ops.sub: ("__sub__", "__rsub__"),
    ops.mul: ("__mul__", "__rmul__"),
    ops.div: ("__truediv__", "__rtruediv__"),
    ops.floordiv: ("__floordiv__", "__rfloordiv__"),
    ops.remainder: ("__mod__", "__rmod__"),
    ops.power: ("__pow__", "__rpow__"),
    ops.neg: ("__neg__",),
    ops.abs: ("__abs__",),
}


def method_names(row: Elementwise) -> tuple[str, ...]:
    """The names under which a class of variables has a row, the reflected operator second."""
    return OPERATORS.get(row, (row.name,) if METHODS.get(row.name) is row else ())  # a user's row may share a name


def reduced(
    row: Op, x: Any, axis: Axis, keepdims: bool, numpys: dict[str, Any], params: dict[str, Any] | None = None
) -> Any:
    """A reduction as a method. It calls the row, or NumPy's function if `numpys` has arguments that the row lacks."""
    if all(given is None for given in numpys.values()):  # NumPy passes out=None and dtype=None
        return row(x, axis=axis, keepdims=keepdims, **(params or {}))
    from autograd import functions

    named = {"axis": axis, "keepdims": keepdims, **(params or {}), **numpys}
    return functions.call(getattr(np, row.name), (x,), named)


def asking() -> str | None:
    """The name of the NumPy function that asks for an array; None if other code asks."""
    frame, found = sys._getframe(2), None
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("numpy.") or module.startswith("numpy.ma"):
            break
        found, frame = frame.f_code.co_name, frame.f_back  # type: ignore[assignment]
    return found


def binary(row: Op, x: Any, y: Any, other: Any) -> Any:
    """Apply an operator's row to two operands; NotImplemented if the class of `other` defines the operator itself."""
    return NotImplemented if is_foreign(other) else row.apply((x, y), {})


def compared(operation: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """Compare the numbers; NotImplemented if the class of `y` defines the comparison itself."""
    return NotImplemented if is_foreign(y) else operation(ops.detach(x), ops.detach(y))


PLAIN = frozenset([float, int, np.ndarray])
OURS = (Traced, Length, np.ndarray, np.generic, numbers.Number, list, tuple, str, bytes, type(None))


def is_foreign(x: Any) -> bool:
    """True if `x` is not a number, array or variable, and its class defines operators itself.

    This is NumPy's rule (NEP 13): our operator returns NotImplemented if the other class sets
    ``__array_ufunc__ = None``, or defines reflected operators such as ``__radd__``.
    """
    if type(x) in PLAIN:
        return False
    if isinstance(x, OURS):
        return isinstance(x, np.ndarray) and type(x).__array_ufunc__ is None
    return hasattr(type(x), "__radd__") or getattr(type(x), "__array_ufunc__", 0) is None
