"""Functions of Python and NumPy that ask for numbers, of numbers that are not known yet.

Python's `max` compares its arguments, and ``math.exp`` wants a float. While a function is traced, nobody knows the
numbers. So for as long as it runs, these names mean functions that record the operation instead, if a Value is among
the arguments. All other calls go to the functions themselves. In the module of the function, names that were imported
(``from math import exp``) mean them too, and so do `any` and `all`.

>>> import math
>>> from autograd import vectorize
>>> fast = vectorize(lambda x: max(x) - min(0.0, x[1]) + math.exp(x[0] * 0.0), 2)
>>> fast([[1.0, -2.0]]).tolist()
[4.0]

Equal numbers share the gradient, as in `autograd.max`; in Python the first one has it. What rounds has the derivative
0.
"""

from __future__ import annotations

import builtins
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, reduce, wraps
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.modes import modes
from autograd.engine.value import Value
from autograd.ops.rows import Traced


def holds(x: Any) -> bool:
    """Whether it is a variable, or a list or an array with one."""
    if isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype == object):
        return True in [holds(item) for item in x]
    return isinstance(x, Traced)


def recording(theirs: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """Their function, but ours for Values."""

    @wraps(theirs)
    def function(*arguments: Any, **options: Any) -> Any:
        return (ours if holds(arguments) else theirs)(*arguments, **options)

    return function


def of_lists(numpys: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function, but ours for Values, and lists of them, while they are traced. A Tensor answers by itself."""

    @wraps(numpys)
    def function(*arguments: Any, **options: Any) -> Any:
        if (
            modes.tracer is None
            or not arguments
            or (isinstance(x := arguments[0], Traced) and not isinstance(x, Value))
        ):
            return numpys(*arguments, **options)
        return (ours if holds(x) else numpys)(*arguments, **options)

    return function


def extreme(python: Callable[..., Any], row: Any) -> Callable[..., Any]:
    """Python's `max` or `min`: of one iterable, which may be a generator, or of several arguments."""

    @wraps(python)
    def function(*arguments: Any, **options: Any) -> Any:
        if modes.tracer is None or "key" in options:
            return python(*arguments, **options)
        items = list(arguments[0]) if len(arguments) == 1 else list(arguments)
        return row(items) if any(isinstance(x, Value) for x in items) else python(items, **options)

    return function


def quantified(python: Callable[..., Any], joined: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Python's `any` or `all`: of comparisons that are not known, an answer for `where`."""

    @wraps(python)
    def function(items: Any) -> Any:
        items = list(items) if modes.tracer is not None else items
        if modes.tracer is not None and True in [holds(x) and not isinstance(x, Value) for x in items]:
            return reduce(joined, items)
        return python(items)

    return function


def gathered(python: Callable[..., Any], row: Any) -> Callable[..., Any]:
    """A function of an iterable, which may be a generator."""

    @wraps(python)
    def function(items: Any) -> Any:
        items = list(items)
        return row(items) if holds(items) else python(items)

    return function


def logarithm(x: Any, base: Any = None) -> Any:
    """`math.log`."""
    return ops.log(x) if base is None else ops.log(x) / ops.log(base)


def rounded(python: Callable[[Any], Any], x: Any) -> Any:
    """A number rounded by Python: what is traced records it, and of all else the number is known."""
    return python(x) if modes.tracer is not None else python(ops.detach(x))


def clipped(x: Any, low: Any = None, high: Any = None) -> Any:
    """`numpy.clip` of a list of numbers that are not known."""
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    return np.frompyfunc(lambda v: ops.clip(v, low, high), 1, 1)(np.array(x, dtype=object))


def listed(row: Any, x: Any, axis: Any = None) -> Any:
    """A reduction of NumPy of a list of numbers that are not known."""
    items = np.array(x, dtype=object)
    if axis is None:
        return row(items.ravel().tolist())
    return np.apply_along_axis(lambda part: np.array(row(part.tolist()), dtype=object), axis, items)


MATH: dict[str, Callable[..., Any]] = {
    **{name: ops.ROWS[name] for name in ("exp", "expm1", "exp2", "log1p", "log2", "log10", "sqrt", "cbrt")},
    **{name: ops.ROWS[name] for name in ("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh")},
    **{name: ops.ROWS[name] for name in ("erf", "erfc", "copysign", "fmod")},
    "asinh": ops.arcsinh, "acosh": ops.arccosh, "atanh": ops.arctanh, "pow": ops.power, "fabs": ops.abs,
    "degrees": ops.rad2deg, "radians": ops.deg2rad, "log": logarithm,
    "hypot": lambda *x: reduce(ops.hypot, x) if len(x) > 1 else ops.abs(*x),
    "dist": lambda p, q: ops.sqrt(ops.sum([ops.square(a - b) for a, b in zip(p, q, strict=True)])),
    **{name: partial(rounded, getattr(math, name)) for name in ("floor", "ceil", "trunc")},
}  # fmt: skip
"""What functions of `math` are on Values."""

Namespace = dict[str, Any]

OURS: list[tuple[Namespace, str, Callable[..., Any]]] = [
    (vars(builtins), "max", extreme(max, ops.max)),
    (vars(builtins), "min", extreme(min, ops.min)),
    (vars(math), "fsum", gathered(math.fsum, ops.sum)),
    *((vars(math), name, recording(getattr(math, name), ours)) for name, ours in MATH.items()),
    *((vars(np), name, of_lists(getattr(np, name), partial(listed, ops.max))) for name in ("max", "amax")),
    *((vars(np), name, of_lists(getattr(np, name), partial(listed, ops.min))) for name in ("min", "amin")),
    (vars(np), "clip", of_lists(np.clip, clipped)),
]
"""Where a name stands, the name, and what it means while a function is traced."""

QUANTIFIED = {"any": quantified(any, lambda x, y: x | y), "all": quantified(all, lambda x, y: x & y)}
"""What the names mean in the module of a function, if they mean Python's own there."""

THEIRS = {id(namespace[name]): ours for namespace, name, ours in OURS}
"""What stands in the place of each function, by the function's id."""

NOTHING = object()
_lock = threading.Lock()
_users: Counter[tuple[int, str]] = Counter()
_kept: dict[tuple[int, str], Any] = {}


@contextmanager
def traced(f: Any = None) -> Iterator[None]:
    """While this is on, the functions take numbers that are traced. It may be on several times, in any threads."""
    names = [*OURS, *imported(f)]
    with _lock:
        for namespace, name, ours in names:
            key = id(namespace), name
            if not _users[key]:
                _kept[key] = namespace.get(name, NOTHING)
                namespace[name] = ours
            _users[key] += 1
    try:
        yield
    finally:
        with _lock:
            for namespace, name, _ in names:
                key = id(namespace), name
                _users[key] -= 1
                if not _users[key]:
                    before = _kept.pop(key)
                    if before is NOTHING:
                        del namespace[name]
                    else:
                        namespace[name] = before


def imported(f: Any) -> list[tuple[Namespace, str, Callable[..., Any]]]:
    """The names in the module of a function that mean one of these functions there."""
    while not isinstance(f, FunctionType):
        if isinstance(f, MethodType):
            f = f.__func__
        elif isinstance(f, partial):
            f = f.func
        elif isinstance(call := vars(type(f)).get("__call__"), FunctionType):
            f = call
        else:
            return []
    space = getattr(f, "__wrapped__", f).__globals__
    found = [(space, name, THEIRS[id(x)]) for name, x in space.items() if id(x) in THEIRS]
    return found + [(space, name, ours) for name, ours in QUANTIFIED.items() if name not in space]
