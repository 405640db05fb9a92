"""Data as arrays, for all of `nn`. The rules are in `autograd.ops.arrays`, which `nn` imports only here."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd.ops.arrays import ANY as ANY
from autograd.ops.arrays import as_array as as_array
from autograd.ops.arrays import is_data as is_data
from autograd.ops.arrays import to_array as to_array

Array: TypeAlias = NDArray[Any]
Seed: TypeAlias = int | np.random.Generator


def as_input(x: Any, taker: str) -> Any:
    """The input of a model. Data frames, tensors of other libraries and the like become arrays.

    Lists stay lists, since a network of Values takes them; layers of Tensors convert them themselves. Subclasses of
    arrays become arrays, or are refused: see `autograd.ops.arrays.as_array`. Anything else is returned unchanged.

    >>> as_input(memoryview(np.ones(2)), "a model"), as_input([1.0], "a model")
    (array([1., 1.]), [1.0])
    """
    if type(x) is np.ndarray:
        return x
    return as_array(x, taker) if is_data(x) or (isinstance(x, np.ndarray) and type(x) is not np.ndarray) else x


def as_operand(x: Any, taker: str) -> Any:
    """A variable unchanged, anything else as an array. A list that holds variables becomes an array of objects.

    >>> as_operand([1.0, 2.0], "a layer")
    array([1., 2.])
    """
    if (type(x) is np.ndarray and x.dtype.kind == "f") or (hasattr(x, "detach") and not is_data(x)):
        return x
    array = to_array(x, taker)
    return array if array.dtype == object and any(hasattr(i, "detach") for i in array.flat) else as_array(x, taker)


def as_floats(x: Any, taker: str) -> NDArray[Any]:
    """`x` as an array of floats. Its precision stays the same; integers and bools become float64.

    >>> as_floats([1, 2], "f"), as_floats(np.ones(1, np.float32), "f").dtype
    (array([1., 2.]), dtype('float32'))
    """
    array = as_array(x, taker)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def mismatch(given: Any, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> str:
    """Why an entry of a state dict does not have this shape and dtype; empty if it has. Any byte order fits.

    A `dtype` of None stands for any real number.

    >>> mismatch([1.0, 2.0], (2, 2), np.dtype("f4")), mismatch(1.0, (), np.dtype("f4")), mismatch(1, (), None)
    ('shape (2,), expected (2, 2)', 'dtype float64, expected float32', '')
    """
    given = np.asarray(given)
    if given.shape != shape:
        return f"shape {given.shape}, expected {shape}"
    if dtype is None:
        return "" if given.dtype.kind in "fiu" else f"dtype {given.dtype}, expected a real number"
    return "" if given.dtype.newbyteorder("=") == dtype else f"dtype {given.dtype}, expected {dtype}"


def check_state(owner: object, complaints: Sequence[str]) -> None:
    """Raise ValueError with all complaints about a state dict, if there are any."""
    if complaints:
        header = f"the state does not fit this {type(owner).__name__}, which is unchanged:"
        raise ValueError("\n  ".join([header, *complaints]))
