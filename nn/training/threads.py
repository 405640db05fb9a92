"""`Threads`: BLAS uses one thread while small matrices are multiplied.

NumPy computes matrix products with a BLAS, which divides each product among its threads, by default one for each core.
At the end of a product the threads wait for each other. On an idle machine a second thread makes a small product a
little faster. On a busy machine it makes every product slow: one thread waits for another, which waits for a core.

The size of the products decides, not the load of the machine. The number of threads changes the last bits of a product,
and a training must give the same numbers, bit for bit, when it is repeated or resumed.

The package `threadpoolctl` sets the number of threads. Without it BLAS keeps its number. (Environment variables such as
``OPENBLAS_NUM_THREADS`` are read only once, when NumPy is imported.) The number may apply to the whole process. If
several trainings run in threads, only one of them changes and restores it at a time.
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
"""A product with fewer multiplications gets one thread. It takes a core half a millisecond or less."""

_lock = threading.Lock()
_owner: Threads | None = None  # the object that has changed the number of threads


class Threads:
    """A context for a training of these parameters. `suit` sets the number of threads for a batch, `release` resets it.

    >>> import numpy as np
    >>> with Threads([Tensor([[1.0, 2.0], [3.0, 4.0]])]) as threads:
    ...     threads.suit(np.ones((100, 2)))
    """

    def __init__(self, parameters: Iterable[Any]) -> None:
        self.largest = max([p.size for p in parameters if isinstance(p, Tensor) and p.ndim > 1], default=0)

    def suit(self, x: Any) -> None:
        """Set one thread if the products with this batch of inputs are small, else restore the number before.

        The size is estimated: every row of the inputs is multiplied by the largest parameter. A row is one vector along
        the last axis. If the inputs are integers, such as tokens, each number is a row.
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
            self._limits = controller.limit(limits=None)  # the numbers before, saved first in case of Ctrl-C
            _owner = self
        self._limits.__enter__()
        for library in controller.lib_controllers:
            library.set_num_threads(1)

    def release(self) -> None:
        """Restore the number of threads, until the next `suit`."""
        global _owner
        if _owner is self:
            self._limits.__exit__(None, None, None)
            _owner = None

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def rows(x: Any) -> int:
    """The number of rows of a batch of inputs.

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
    """The controller of every BLAS in this process; None without `threadpoolctl`."""
    try:
        return importlib.import_module("threadpoolctl").ThreadpoolController().select(user_api="blas")
    except ImportError:
        return None
