"""Updates in place, each in one pass over the memory where there is a BLAS: ``out = keep * out + scale * x``.

NumPy needs two or three passes for that (a product into another array, then the sum), for a matrix product one more.

A gradient of a matrix of weights is a product ``left.T @ right`` of a few rows. `Product` keeps the factors: an
optimiser adds them to the weights without ever forming the matrix, and whoever looks at `tensor.grad` gets the array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.blas import library
from autograd.guard import fixed
from autograd.kernels import SMALL, number, sum_of_outer_products

Array = np.ndarray[Any, np.dtype[Any]]


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


def add_scaled(out: Array, x: Array | Product, scale: float = 1.0, keep: float = 1.0) -> None:
    """``out = keep * out + scale * x`` in place; `x` has the shape of `out`, and is an array or a `Product`.

    >>> w = np.ones((2, 2))
    >>> add_scaled(w, Product(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])), -0.5, keep=10.0)
    >>> w
    array([[8.5, 8. ],
           [7. , 6. ]])
    """
    direct = out.size >= SMALL and out.flags.c_contiguous and keep != 0  # of which BLAS makes 0, whatever was there
    blas = library(out.dtype) if direct else None
    if blas is not None and x.shape == out.shape:
        if type(x) is Product:
            if x.left.dtype is out.dtype:
                blas.add_product(out, x.left, x.right, scale, keep)
                return
        elif x.dtype is out.dtype and x.flags.c_contiguous:  # type: ignore[union-attr]
            blas.add(out, x, scale, keep)  # type: ignore[arg-type]
            return
    if keep != 1:
        out *= keep
    if type(x) is Product:
        out += sum_of_outer_products(x.left, scale * x.right)
    else:
        out += x if scale == 1 else number(scale, x.dtype) * x  # type: ignore[union-attr]
