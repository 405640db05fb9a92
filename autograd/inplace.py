"""Updates in place, each in one pass over the memory: ``out += scale * x``.

NumPy needs two for that (a product into another array, then the sum), and for a matrix product three. BLAS has both
as one routine, and NumPy's wheels bring a BLAS along: it is called directly where it can be found, with the threads
that NumPy has set for it. Elsewhere NumPy does the same, in more passes.

A gradient of a matrix of weights is a product ``left.T @ right`` of a few rows. `Product` keeps the factors: an
optimiser adds them to the weights without ever forming the matrix, and whoever looks at `tensor.grad` gets the array.
"""

from __future__ import annotations

import ctypes
from ctypes import addressof
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from autograd.kernels import sum_of_outer_products

Array = np.ndarray[Any, np.dtype[Any]]

ROW_MAJOR, AS_IS, TRANSPOSED = 101, 111, 112  # as CBLAS numbers them
SMALL = 4096  # elements, below which a call from Python costs more than the passes
LARGE = 1 << 17  # elements, from which a second thread has something to do in one pass


class Product:
    """``left.T @ right`` of arrays (k, n) and (k, m), formed when somebody asks for it.

    They are of one dtype, their rows lie one after another, and nobody else has them.

    >>> p = Product(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    >>> p.array()
    array([[3., 4.],
           [6., 8.]])
    """

    __slots__ = ("left", "right")

    def __init__(self, left: Array, right: Array) -> None:
        self.left = left
        self.right = right

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return self.left.shape[1], self.right.shape[1]

    def array(self) -> Array:
        """The matrix."""
        return sum_of_outer_products(self.left, self.right)  # type: ignore[no-any-return]


def product(left: Array, right: Array) -> Array | Product:
    """``left.T @ right``, kept as its factors where these are smaller.

    They are copied: somebody may write to the arrays before the product is formed.
    """
    k, n = left.shape
    m = right.shape[1]
    if k * (n + m) > n * m:
        return sum_of_outer_products(left, right)  # type: ignore[no-any-return]
    return Product(left.copy(), right.copy())


def add_scaled(out: Array, x: Array | Product, scale: float = 1.0) -> None:
    """``out += scale * x`` in place; `x` has the shape of `out`, and is an array or a `Product`.

    >>> w = np.zeros((2, 2))
    >>> add_scaled(w, Product(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])), -0.5)
    >>> w
    array([[-1.5, -2. ],
           [-3. , -4. ]])
    """
    if isinstance(x, Product):
        _add_product(out, x.left, x.right, scale)
    elif out.size < SMALL or not (_fits(out, out) and _fits(x, out)):
        out += x if scale == 1.0 else scale * x
    else:
        library()[out.dtype.char][0](out.size, scale, x.ctypes.data, 1, _address(out), 1)


def _add_product(out: Array, left: Array, right: Array, scale: float) -> None:
    if out.size < SMALL or out.dtype is not left.dtype or not _fits(out, out):
        out += sum_of_outer_products(left, scale * right)
        return
    _, ger, gemm = library()[out.dtype.char]
    k, n = left.shape
    m = right.shape[1]
    a, b, c = _address(left), _address(right), _address(out)
    if k > 1:
        gemm(ROW_MAJOR, TRANSPOSED, AS_IS, n, m, k, scale, a, n, b, m, 1.0, c, m)
    elif out.size >= LARGE:
        ger(ROW_MAJOR, n, m, scale, a, 1, b, 1, c, m)
    else:
        before = threads(1)
        ger(ROW_MAJOR, n, m, scale, a, 1, b, 1, c, m)
        if before is not None:
            threads(before)


_view = ctypes.c_char.from_buffer


def _address(array: Array) -> int:
    """Where a writable array begins; `array.ctypes.data` takes four times as long."""
    return addressof(_view(array))  # type: ignore[arg-type]


def _fits(array: Array, out: Array) -> bool:
    """Whether BLAS can read an array as it lies: rows one after another, in the dtype of what it is added to."""
    return array.dtype is out.dtype and array.flags.c_contiguous and array.dtype.char in library()


def threads(count: int) -> int | None:
    """Let BLAS use so many threads when called from this one; returns how many it used before, None if unknown."""
    routine = _threads()
    return None if routine is None else routine(count)


@cache
def _threads() -> Any:
    for path in _libraries():
        try:
            return ctypes.CDLL(path).openblas_set_num_threads_local  # of OpenBLAS 0.3.27 or newer
        except (OSError, AttributeError):
            continue
    return None


def _libraries() -> list[str]:
    home = Path(np.__file__).parent
    return [str(x) for x in (*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*"))]


@cache
def library() -> dict[str, tuple[Any, Any, Any]]:
    """axpy, ger and gemm by dtype character, of the OpenBLAS that NumPy's wheel brought; empty if it has none."""
    for path in _libraries():
        for prefix in ("scipy_", ""):  # NumPy 2's wheels, and older ones
            try:
                blas = ctypes.CDLL(path)
                found = {
                    char: _routines(blas, f"{prefix}cblas_{letter}", real)
                    for char, letter, real in (("f", "s", ctypes.c_float), ("d", "d", ctypes.c_double))
                }
            except (OSError, AttributeError):
                continue
            return found
    return {}


def _routines(blas: Any, prefix: str, real: Any) -> tuple[Any, Any, Any]:
    choice, whole, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
    signatures = {
        "axpy": [whole, real, pointer, whole, pointer, whole],
        "ger": [choice, whole, whole, real, pointer, whole, pointer, whole, pointer, whole],
        "gemm": [choice] * 3 + [whole] * 3 + [real, pointer, whole, pointer, whole, real, pointer, whole],
    }
    found = []
    for name, types in signatures.items():
        routine = getattr(blas, f"{prefix}{name}64_")
        routine.argtypes, routine.restype = types, None
        found.append(routine)
    return found[0], found[1], found[2]
