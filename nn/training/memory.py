"""`KeptMemory`: what a training frees stays with the process, for its next step.

A step makes arrays of megabytes and frees them, again and again. The C library gives such memory back to the operating
system at once, which then clears every page of it before the next step may have it. For a small convolutional network
that takes a third of the time. The thresholds in the C library decide: it raises them by itself when it sees the first
large arrays go, but less far than a training needs.

Only glibc, the C library of most Linux systems, has these thresholds. Elsewhere nothing happens.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

TRIM, MAP = -1, -3  # the numbers of the two parameters of `mallopt`
LARGEST = 32 << 20  # bytes; the largest block that glibc can be told to keep, and that it comes to keep by itself
USUAL, ALL = 64 << 20, (1 << 31) - 1  # bytes of free memory that may stay: what glibc comes to, and all


class KeptMemory:
    """A context in which freed memory stays with the process. At its end it is given back.

    >>> import numpy as np
    >>> with KeptMemory():
    ...     total = sum(float(np.ones(1 << 20)[0]) for _ in range(3))
    >>> total
    3.0
    """

    def __enter__(self) -> KeptMemory:
        if (library := _glibc()) is not None:
            library.mallopt(MAP, LARGEST)
            library.mallopt(TRIM, ALL)
        return self

    def __exit__(self, *_: object) -> None:
        if (library := _glibc()) is not None:
            library.mallopt(TRIM, USUAL)
            library.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library; None if it is another one."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") and hasattr(library, "malloc_trim") else None
