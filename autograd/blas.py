"""The BLAS that NumPy's wheel brought, called directly: for updates in place, of which NumPy has none.

`library` finds it. Where NumPy was built otherwise there is none, and callers do the same with NumPy, in more passes.
Its threads are those that NumPy has set for its own products, except that one alone makes a pass where that is faster.
"""

from __future__ import annotations

import ctypes
from collections import defaultdict
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

ROW_MAJOR, AS_IS, TRANSPOSED = 101, 111, 112  # as CBLAS numbers them
LARGE = 1 << 17  # elements, from which a second thread has something to do in one pass


def address(array: Array, view: Any = ctypes.c_char.from_buffer, addressof: Any = ctypes.addressof) -> int:
    """Where an array begins; of one that is writable in a quarter of the time of `array.ctypes.data`."""
    return addressof(view(array)) if array.flags.writeable else array.ctypes.data


class Pace:
    """Whether a pass over some memory takes less time with one thread than with all, as it did lately.

    Two need three quarters of the time, if what one of them writes stays in a cache that the other can read from. The
    cores of a virtual machine may be anywhere, and move: then handing memory over takes ten times as long as a pass.
    So every now and then a pass goes the way that was the slower one. What it computes is the same, to the last bit.
    """

    __slots__ = ("passes", "times")

    def __init__(self) -> None:
        self.passes = 0
        self.times = [0.0, 0.0]  # with all threads, and with one

    def alone(self) -> bool:
        """Whether the next one should have one thread."""
        self.passes += 1
        return (self.times[1] <= self.times[0]) is (self.passes % 256 != 0)

    def took(self, alone: bool, seconds: float) -> None:
        """How long it took. One that took much longer, as when another program came in between, is not believed."""
        self.times[alone] = min(seconds, 1.25 * (self.times[alone] or seconds))


class Library:
    """The routines of one BLAS for one dtype, of arrays whose rows lie one after another."""

    def __init__(self, blas: ctypes.CDLL, prefix: str, real: Any) -> None:
        choice, whole, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
        signatures = {
            "axpby": [whole, real, pointer, whole, real, pointer, whole],
            "ger": [choice, whole, whole, real, pointer, whole, pointer, whole, pointer, whole],
            "gemm": [choice] * 3 + [whole] * 3 + [real, pointer, whole, pointer, whole, real, pointer, whole],
        }
        found = {}
        for name, types in signatures.items():
            routine = found[name] = getattr(blas, f"{prefix}{name}64_")
            routine.argtypes, routine.restype = types, None
        self.axpby, self.ger, self.gemm = found["axpby"], found["ger"], found["gemm"]
        self.paces: defaultdict[Any, Pace] = defaultdict(Pace)  # of outer products, by shape
        # lets BLAS use so many threads when called from this one, and tells how many it used before
        self.threads = getattr(blas, "openblas_set_num_threads_local", None)  # since OpenBLAS 0.3.27

    def add(self, out: Array, x: Array, scale: float, keep: float) -> None:
        """``out = keep * out + scale * x``."""
        self.axpby(out.size, scale, address(x), 1, keep, address(out), 1)

    def add_product(self, out: Array, left: Array, right: Array, scale: float, keep: float) -> None:
        """``out = keep * out + scale * left.T @ right``."""
        k, n = left.shape
        m = right.shape[1]
        a, b, c = address(left), address(right), address(out)
        if k > 1:
            self.gemm(ROW_MAJOR, TRANSPOSED, AS_IS, n, m, k, scale, a, n, b, m, keep, c, m)
            return
        if keep != 1:
            out *= keep
        outer_product = (ROW_MAJOR, n, m, scale, a, 1, b, 1, c, m)
        if self.threads is None:
            self.ger(*outer_product)
            return
        pace = self.paces[out.shape] if out.size >= LARGE else None
        start = perf_counter()
        if alone := pace is None or pace.alone():
            before = self.threads(1)
        self.ger(*outer_product)
        if alone:
            self.threads(before)
        if pace is not None:
            pace.took(alone, perf_counter() - start)


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
