"""`Threads`: BLAS has one thread while small matrices are multiplied.

NumPy leaves matrix products to a BLAS, which shares each of them among its threads, by default one a core. At the end
of a product these wait for each other. On a quiet machine a second thread makes a small product a little faster. On a
busy machine it makes every product slow: while one thread waits for the other, that one waits for a core.

The size of the products decides, not how busy the machine is. For the number of threads changes the last bits of a
product, and a training has to give the same numbers, bit for bit, when it is repeated or resumed.

The package `threadpoolctl` sets the number. Without it BLAS keeps the threads that it has. (The environment variables
for it, such as ``OPENBLAS_NUM_THREADS``, are read only once, when NumPy is imported.) The number may belong to the
whole process. So of trainings that run side by side, in threads of their own, one at a time changes it, and puts it
back.
"""

from __future__ import annotations

import importlib
import math
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

from autograd import Tensor

SMALL = 1 << 24
"""Multiplications in a product, below which it gets one thread: half a millisecond's work of a core, or less."""

_lock = threading.Lock()
_owner: Threads | None = None  # who has changed the number of threads


class Threads:
    """Context of a training of these parameters. `suit` sets the number of threads for a batch, `release` resets it.

    >>> import numpy as np
    >>> with Threads([Tensor([[1.0, 2.0], [3.0, 4.0]])]) as threads:
    ...     threads.suit(np.ones((100, 2)))
    """

    def __init__(self, parameters: Iterable[Any]) -> None:
        self.largest = max([p.size for p in parameters if isinstance(p, Tensor) and p.ndim > 1], default=0)

    def suit(self, x: Any) -> None:
        """One thread if the products with a batch of these inputs are small, else as many as there were before.

        A product is taken to be that of the largest parameter with every row of the inputs. A row is what the last axis
        holds; of whole numbers, such as tokens, each is a row.
        """
        small = 0 < rows(x) * self.largest < SMALL
        if small and _owner is None:
            self._limit()
        elif not small and _owner is self:
            self.release()

    def _limit(self) -> None:
        global _owner
        controller = _controller()
        if controller is None:
            return
        with _lock:
            if _owner is not None:
                return
            self._limits = controller.limit(limits=None)  # what to restore, before anything changes: Ctrl-C may come
            _owner = self
        self._limits.__enter__()
        for library in controller.lib_controllers:
            library.set_num_threads(1)

    def release(self) -> None:
        """As many threads as before, until the next `suit`."""
        global _owner
        if _owner is self:
            self._limits.__exit__(None, None, None)
            _owner = None

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def rows(x: Any) -> int:
    """How many rows a batch of inputs has.

    >>> import numpy as np
    >>> rows(np.ones((32, 784))), rows(np.ones((32, 28, 28))), rows(np.ones((32, 16), int)), rows([[1.0, 2.0]] * 32)
    (32, 896, 512, 32)
    """
    shape = getattr(x, "shape", None)
    if not isinstance(shape, tuple):
        return len(x) if hasattr(x, "__len__") else 1
    whole = len(shape) == 1 or getattr(getattr(x, "dtype", None), "kind", "f") in "iu"
    return math.prod(shape if whole else shape[:-1])


@cache
def _controller() -> Any:
    """What knows every BLAS in this process; None without `threadpoolctl`."""
    try:
        return importlib.import_module("threadpoolctl").ThreadpoolController().select(user_api="blas")
    except ImportError:
        return None
