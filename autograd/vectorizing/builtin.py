"""Python's own `max` and `min` of numbers that are not known yet.

They compare their arguments, and ask which is larger. While a function is traced, nobody knows. So for as long as it
runs, the two names mean functions that record the operation instead, if a Value is among the arguments. All other calls
go to Python's own.

>>> from autograd import vectorize
>>> fast = vectorize(lambda x: max(x) - min(0.0, x[1]), 2)
>>> fast([[1.0, -2.0]]).tolist()
[3.0]

Equal numbers share the gradient, as in `autograd.max`; in Python the first one has it.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from autograd import ops
from autograd.engine.modes import modes
from autograd.engine.value import Value


def recording(python: Callable[..., Any], row: Any) -> Callable[..., Any]:
    """Python's function, but for Values while they are traced: then the row."""

    @wraps(python)
    def function(*arguments: Any, **options: Any) -> Any:
        if modes.tracer is None or options:
            return python(*arguments, **options)
        items = list(arguments[0]) if len(arguments) == 1 else list(arguments)
        if any(isinstance(x, Value) for x in items):
            return row(items)
        return python(items)

    return function


OURS = {"max": recording(max, ops.max), "min": recording(min, ops.min)}
PYTHONS = {name: getattr(builtins, name) for name in OURS}

_lock = threading.Lock()
_users = 0


@contextmanager
def traced() -> Iterator[None]:
    """While this is on, `max` and `min` take numbers that are traced. It may be on several times, in any threads."""
    global _users
    with _lock:
        _users += 1
        vars(builtins).update(OURS)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                vars(builtins).update(PYTHONS)
