"""Updates in place, each in one pass over the memory: ``out += scale * x``.

NumPy needs two for that (a product into another array, then the sum), and for a matrix product three. BLAS has both
as one routine, and NumPy's wheels bring a BLAS along: it is called directly where it can be found, with the threads
that NumPy has set for it. Elsewhere NumPy does the same, in more passes.

A gradient of a matrix of weights is a product ``left.T @ right`` of a few rows. `Product` keeps the factors: an
optimiser adds them to the weights without ever forming the matrix, and whoever looks at `tensor.grad` gets the array.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from autograd.guard import fixed
from autograd.kernels import SMALL, number, sum_of_outer_products

Array = np.ndarray[Any, np.dtype[Any]]

ROW_MAJOR, AS_IS, TRANSPOSED = 101, 111, 112  # as CBLAS numbers them
LARGE = 1 << 17  # elements, from which a second thread has something to do in one pass


class Product:
    """``left.T @ right`` of arrays (k, n) and (k, m), formed when somebody asks for it.

    They are of one dtype, their rows lie one after another, and nobody can write to them.

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
    """``left.T @ right``, kept as its factors where that pays.

    Many rows that nobody can write to, such as results of operations, are kept as they are, and a cotangent `right` as
    large is read-only from now on; the others are copied, unless it takes less to form the matrix.
    """
    k, n = left.shape
    m = right.shape[1]
    if k * (n + m) < SMALL:
        return Product(left.copy(), right.copy())  # at once
    if not left.flags.c_contiguous or not fixed(left):
        if k * (n + m) > n * m:
            return sum_of_outer_products(left, right)  # type: ignore[no-any-return]
        left = left.copy()
    if right.base is None and right.flags.c_contiguous:
        right.setflags(write=False)
    else:
        right = right.copy()
    return Product(left, right)


def add_scaled(out: Array, x: Array | Product, scale: float = 1.0) -> None:
    """``out += scale * x`` in place; `x` has the shape of `out`, and is an array or a `Product`.

    >>> w = np.zeros((2, 2))
    >>> add_scaled(w, Product(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])), -0.5)
    >>> w
    array([[-1.5, -2. ],
           [-3. , -4. ]])
    """
    blas = library(out.dtype) if out.size >= SMALL and out.flags.c_contiguous else None
    if type(x) is Product:
        left, right = x.left, x.right
        if blas is None or left.dtype is not out.dtype:
            out += sum_of_outer_products(left, scale * right)
        else:
            blas.add_product(out, left, right, scale)
    elif blas is None or x.dtype is not out.dtype or not x.flags.c_contiguous:  # type: ignore[union-attr]
        out += x if scale == 1.0 else number(scale, x.dtype) * x  # type: ignore
    else:
        blas.axpy(out.size, scale, x.ctypes.data, 1, address(out), 1)  # type: ignore[union-attr]


def address(array: Array, view: Any = ctypes.c_char.from_buffer, addressof: Any = ctypes.addressof) -> int:
    """Where an array begins; of one that is writable in a quarter of the time of `array.ctypes.data`."""
    return addressof(view(array)) if array.flags.writeable else array.ctypes.data


class Library:
    """The routines of one BLAS for one dtype, of arrays whose rows lie one after another."""

    def __init__(self, blas: ctypes.CDLL, prefix: str, real: Any) -> None:
        choice, whole, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
        signatures = {
            "axpy": [whole, real, pointer, whole, pointer, whole],
            "ger": [choice, whole, whole, real, pointer, whole, pointer, whole, pointer, whole],
            "gemm": [choice] * 3 + [whole] * 3 + [real, pointer, whole, pointer, whole, real, pointer, whole],
        }
        found = {}
        for name, types in signatures.items():
            routine = found[name] = getattr(blas, f"{prefix}{name}64_")
            routine.argtypes, routine.restype = types, None
        self.axpy, self.ger, self.gemm = found["axpy"], found["ger"], found["gemm"]
        # lets BLAS use so many threads when called from this one, and tells how many it used before
        self.threads = getattr(blas, "openblas_set_num_threads_local", None)  # since OpenBLAS 0.3.27

    def add_product(self, out: Array, left: Array, right: Array, scale: float) -> None:
        """``out += scale * left.T @ right``."""
        k, n = left.shape
        m = right.shape[1]
        a, b, c = address(left), address(right), address(out)
        if k > 1:
            self.gemm(ROW_MAJOR, TRANSPOSED, AS_IS, n, m, k, scale, a, n, b, m, 1.0, c, m)
        elif out.size >= LARGE or self.threads is None:
            self.ger(ROW_MAJOR, n, m, scale, a, 1, b, 1, c, m)
        else:
            before = self.threads(1)
            self.ger(ROW_MAJOR, n, m, scale, a, 1, b, 1, c, m)
            self.threads(before)


@cache
def library(dtype: np.dtype[Any]) -> Library | None:
    """The OpenBLAS that NumPy's wheel brought; None if it has none, or none for this dtype."""
    home = Path(np.__file__).parent
    letter, real = {"f": ("s", ctypes.c_float), "d": ("d", ctypes.c_double)}.get(dtype.char, ("", None))
    for path in (*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*")):
        for prefix in ("scipy_", ""):  # NumPy 2's wheels, and older ones
            try:
                return Library(ctypes.CDLL(str(path)), f"{prefix}cblas_{letter}", real) if letter else None
            except (OSError, AttributeError):
                continue
    return None
