"""Data of any kind as NumPy arrays. All data enters the library here, so that every function accepts the same kinds.

Accepted are nested lists (of arrays, too), NumPy arrays, and every object that supports one of NumPy's protocols: data
frames and their columns, tensors of other libraries, labelled arrays, memory. `as_array` reads them all. Its errors
say what to write instead. `constant` converts them to operands for the rules of operations.

The dtype stays the same, in this machine's byte order. Data is copied only where it must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, TypeAlias

import numpy as np

from autograd.ops.floats import FLOATS, OBJECT, bounded, real
from autograd.ops.rows import Op
from autograd.ops.traced import Traced

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

REAL = "fiub"
"""The kinds of dtypes that hold real numbers."""

ANY = REAL + "cUSmMV"
"""All kinds but objects. Text and dates are among them."""

NUMBERS = (float, int, np.floating, np.integer, np.bool_)
SCALARS = (float, int, complex, str, bytes, np.generic)


def as_array(x: Any, taker: str, kinds: str = REAL) -> Array:
    """`x` as an array of numbers.

    Args:
        x: an array, nested lists, or anything with ``__array__``, the buffer protocol or DLPack.
        taker: the name of the caller, for messages.
        kinds: the kinds of dtypes that are accepted, as in `numpy.dtype.kind`.

    Raises:
        TypeError: `x` does not hold numbers of these kinds, or it holds variables, whose graph would end here. The
            message says what to write instead.
        ValueError: `x` is a list of items of different shapes.

    >>> as_array([np.array([1.0, 2.0], ">f4"), (3, 4)], "f")
    array([[1., 2.],
           [3., 4.]])
    >>> as_array([["1", "2"]], "f")
    Traceback (most recent call last):
    TypeError: f takes plain numbers, not text ('1'): ...
    """
    array = to_array(x, taker)
    if array.dtype.kind not in kinds and (array.size or not isinstance(x, (list, tuple))):  # an empty list has no dtype
        raise TypeError(f"{taker} takes {_complaint(x, array, kinds)}")
    return array


def to_array(x: Any, taker: str) -> Array:
    """`x` as an array of any dtype. The dtype is object if `x` holds anything but numbers and text."""
    if isinstance(x, np.ndarray):
        if type(x) is not np.ndarray and (why := _lost(x)):
            raise TypeError(f"{taker} takes plain arrays, not a {type(x).__name__} of shape {x.shape}: {why}")
        array = np.asarray(x)
    else:
        array = _read(x, taker)
    if array.dtype == OBJECT and array.size:  # data frames give text and mixed columns as objects
        if all(isinstance(item, str) for item in array.flat):
            array = array.astype(str)
        elif is_data(x) and all(isinstance(item, NUMBERS) for item in array.flat):
            array = array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def number(x: Any) -> float:
    """`x` as a Python float, infinite where it is too large; anything that is not a real number is refused by name.

    >>> number(np.float32(0.5)), number(2)
    (0.5, 2.0)
    """
    if isinstance(x, (float, int, np.floating, np.integer, np.bool_)):
        return real(x)
    if isinstance(x, np.ndarray) and x.ndim == 0 and x.dtype.kind in "fiub":
        return float(x)
    what = f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"{type(x).__name__} {x!r:.60}"
    hint = ": use a Tensor, or one Value an element" if isinstance(x, (np.ndarray, list, tuple)) else ""
    if isinstance(x, Traced):
        x._held()
    if isinstance(x, (str, complex, Traced)):
        part = "real" if isinstance(x, complex) else "data"
        hint = ": float(x) reads one" if isinstance(x, str) else f": take its .{part}"
    elif hasattr(x, "__float__") and not isinstance(x, np.ndarray):  # a Fraction, a Decimal
        hint = ": float(x) rounds it to one"
    raise TypeError(f"a Value holds one real number, not {what}{hint}")


def is_data(x: Any) -> bool:
    """True if `x` can be read as an array, and is not itself an array, a number, a list or a variable.

    >>> is_data(memoryview(b"12")), is_data(np.ones(2)), is_data([1.0, 2.0])
    (True, False, False)
    """
    if isinstance(x, (np.ndarray, *SCALARS, list, tuple, Traced, type)):
        return False
    if any(hasattr(x, name) for name in PROTOCOLS):
        return True
    try:
        memoryview(x)
    except TypeError:
        return False
    return True


PROTOCOLS = ("__array__", "__array_interface__", "__array_struct__", "__dlpack__")


def _read(x: Any, taker: str) -> Array:
    """Let NumPy read something that is not an array. Errors get the name of the caller and the type in front."""
    if isinstance(x, Traced):
        raise TypeError(f"{taker} takes plain numbers, not {_single(x)}")
    try:
        if isinstance(x, (list, tuple)):
            return np.array(_nested(x, taker))
        if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
            return np.from_dlpack(x)
        return np.asarray(x)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        if isinstance(x, (list, tuple)):
            _check_shapes(x, taker)
        if str(error).startswith(taker):  # raised for an item inside, with a full message
            raise
        raise TypeError(f"{taker} cannot read the numbers of a {_kind(x)}: {error}") from error


def _nested(x: Any, taker: str) -> Any:
    """Nested lists whose items NumPy can read: everything else in them is converted to an array."""
    if isinstance(x, (list, tuple)):
        return x if all(issubclass(kind, SCALARS) for kind in set(map(type, x))) else [_nested(i, taker) for i in x]
    if isinstance(x, Traced) or type(x) is np.ndarray:
        return x
    return to_array(x, taker) if isinstance(x, np.ndarray) or is_data(x) else x


def _check_shapes(items: Any, taker: str) -> None:
    """Raise ValueError if the items have different shapes."""
    shapes = [to_array(item, taker).shape for item in items]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{taker} takes items of one shape, but item 0 has {shapes[0]} and item {i} has {shape}: "
                "pad or cut them, or give them one by one"
            )


def _kind(x: Any) -> str:
    module = type(x).__module__.partition(".")[0]
    return type(x).__name__ if module == "builtins" else f"{module}.{type(x).__name__}"


def _complaint(x: Any, array: Array, kinds: str) -> str:
    """What was expected, what was given, and what to write instead."""
    wanted = "plain numbers" if kinds == REAL else "whole numbers" if "f" not in kinds else "numbers or text"
    kind, first = array.dtype.kind, repr(array.flat[0])[:40] if array.size else "none"
    if kind in "US":
        text = repr(str(array.flat[0]))[:40] if array.size else "none"
        return (
            f"{wanted}, not text ({text}): np.array(x, dtype=float) reads numbers from text; "
            "names, x = np.unique(x, return_inverse=True) gives each name a number"
        )
    if kind == "c":
        return f"plain numbers, not complex ones of shape {array.shape} ({first}): x.real or np.abs(x) are real"
    if kind in "mM":
        return f"{wanted}, not {array.dtype}: convert dates to numbers of a unit, (x - x[0]) / np.timedelta64(1, 'D')"
    if kind == "V":
        return f"{wanted}, not records ({array.dtype}): take their fields, np.column_stack([x[name] for name in names])"
    if kind != "O":
        return f"{wanted}, not {array.dtype}: convert them, np.array(x, dtype={'int' if kind in 'fb' else 'float'})"
    return f"{wanted}, not {_object(x, array)}"


def _object(x: Any, array: Array) -> str:
    """The first object in an array that is not a number, its position, and what to do about it."""
    if not array.ndim:
        return _single(array.item())
    for index, item in np.ndenumerate(array):
        if isinstance(item, Traced):
            return f"objects, such as the {type(item).__name__} {_place(x, index)}: take the numbers, .data of each"
        if not isinstance(item, NUMBERS):
            return f"objects, such as {_kind(item)} {item!r:.40} {_place(x, index)}: leave it out or make it a number"
    return "objects that are numbers: convert them, np.array(x, dtype=float)"


def _single(x: Any) -> str:
    """What a single object is that cannot be read as an array, and how to convert it."""
    if isinstance(x, Traced):
        return f"a {type(x).__name__}: take its numbers, {type(x).__name__.lower()}.data"
    if isinstance(x, Mapping):
        return f"a {_kind(x)}: choose one, or put them side by side, np.column_stack(list(x.values()))"
    if isinstance(x, (Iterator, Set)) or hasattr(x, "__iter__"):
        order = "sorted(x)" if isinstance(x, Set) else "list(x)"
        remedy = "x.toarray()" if hasattr(x, "toarray") else order
        return f"a {_kind(x)}: make an array of it, {remedy}" if remedy[0] == "x" else f"a {_kind(x)}: give {remedy}"
    return f"{_kind(x)} {x!r:.60}"


def _place(x: Any, index: tuple[int, ...]) -> str:
    """The position of an item, in words, with the column's name if `x` is a data frame."""
    if len(index) != 2:
        return f"at {list(index)}"
    columns = getattr(x, "columns", None)
    return f"in row {index[0]}, column {index[1] if columns is None else repr(columns[index[1]])}"


def _lost(x: Array) -> str:
    """What an array of a subclass would lose if only its numbers were taken. Empty if it loses nothing."""
    if isinstance(x, np.ma.MaskedArray):
        remedy = "its mask would be lost; fill what is masked, x.filled(0.0), or drop the mask with numpy.asarray(x)"
        return remedy if np.ma.is_masked(x) else ""
    if isinstance(x, (np.matrix, np.memmap)):
        return ""
    return "what it holds besides numbers would be lost; take them with numpy.asarray(x)"


# ----------------------------------------------------------------------------------------------------- operands


def constant(x: Any, op: Op, beside: str) -> Any:
    """An operand that is not a variable, in the form that rules take: a Python number or an array.

    NumPy scalars become Python numbers, since they would widen float32. A subclass of arrays is read as an array. It is
    refused if the same operator means something else on it, or if it would lose what it holds besides numbers.
    """
    if type(x) in (float, int, bool):
        return bounded(x)
    if type(x) is np.ndarray and x.dtype in FLOATS and x.ndim:  # the most frequent case
        return x
    if isinstance(x, (np.floating, float, int)):
        return float(x)
    taker = f"{op.name} of a {beside}"
    if isinstance(x, np.matrix) and op.infix in ("*", "**"):
        why = (
            f"{op.infix} of a matrix is a product of matrices in NumPy; say which you mean with @, or numpy.asarray(x)"
        )
        raise TypeError(f"{taker} and a matrix of shape {x.shape}: {why}")
    array = np.asarray(x) if isinstance(x, np.generic) else to_array(x, taker)
    if array.dtype == OBJECT and (array.ndim or isinstance(x, np.ndarray)):
        return _of_objects(array, op, beside, x)
    if array.dtype.kind not in REAL:
        raise TypeError(f"{taker} takes {_complaint(x, array, REAL)}")
    if not array.ndim:
        return array.item() if array.dtype.itemsize <= 8 else float(array)
    if array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array.copy() if is_data(x) else array  # foreign memory could change before backward


def operand(x: Any, taker: str) -> Array:
    """An operand of an operation without variables, as an array. An array of objects may hold variables and numbers."""
    array = to_array(x, taker)
    kinds = set(map(type, array.flat)) if array.dtype == OBJECT else set()
    variables = any(issubclass(kind, Traced) for kind in kinds)
    if array.dtype.kind not in REAL + "c" and not (
        variables and all(issubclass(kind, (Traced, *NUMBERS)) for kind in kinds)
    ):
        raise TypeError(f"{taker} takes {_complaint(x, array, REAL)}")
    return array


def as_floats(x: Any, dtype: Any) -> Any:
    """Convert an array of integers, bools or half precision to the dtype of its product with a variable of `dtype`.

    Rules need this because they also compute with the array alone. ``1 / x`` in half precision is coarse, and NumPy
    does not allow ``-x`` for bools.
    """
    if not isinstance(x, np.ndarray) or x.dtype in FLOATS:
        return x
    return x.astype(dtype if x.dtype.kind == "b" else np.result_type(x.dtype, dtype))


def _of_objects(x: Any, op: Op, beside: str, given: Any) -> Any:
    """An object array that holds variables: Tensors are stacked into one Tensor, others are checked."""
    items = list(x.flat)
    kinds = {type(item) for item in items if not isinstance(item, (float, int, np.number))}
    if kinds and all(issubclass(kind, Traced) and kind._stacks for kind in kinds):
        from autograd import ops

        return ops.reshape(ops.stack(items), x.shape)
    if beside == "Dual":  # element by element
        return x
    if not any(issubclass(kind, Traced) for kind in kinds):
        raise TypeError(f"{op.name} of a {beside} takes {_complaint(given, x, REAL)}")
    names = " and ".join(sorted(kind.__name__ for kind in kinds))
    raise TypeError(f"{op.name} of a {beside} and an array of {names} objects: use one kind in an expression")
