"""The modes: what holds for the code that runs right now, such as `no_grad`.

A mode holds in the thread that entered it. Threads may build and sweep graphs of their own side by side. `backward`
writes to nodes. So two threads that share leaves have to take turns, with a lock around backward: otherwise additions
to a leaf's `grad` can get lost. The transformations (`autograd.grad` and its siblings) write to no node and need no
lock.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from autograd.engine.contexts import Context
from autograd.native.form import extension

compiled = extension()
"""The compiled form of `Value`, if it runs. It keeps the `state` of each thread itself."""

RECORDING, CONSTANT, GENERAL = 0, 1, 2


class _Modes(threading.local):
    """What is on in this thread. `state` sums it up: an operation on Values looks at this one number."""

    state = RECORDING  # CONSTANT inside `no_grad`; GENERAL where operations are watched or traced
    recording = True
    cut = 0  # Duals up to this level are constants: they were made outside a `no_grad` that is on
    watch: Any = None  # anomaly mode's, when on
    tracer: Any = None  # what vectorize traces with, while it does
    writes: Any = None  # the same, but None inside `no_grad`
    of_arrays = False  # whether a transformation of a function of arrays is running it right now
    differentiating = 0  # how many reverse transformations are running a function right now

    def __setattr__(self, name: str, setting: Any) -> None:
        super().__setattr__(name, setting)
        watched = self.watch is not None or self.tracer is not None
        state = GENERAL if watched else RECORDING if self.recording else CONSTANT
        super().__setattr__("state", state)
        super().__setattr__("writes", self.tracer if self.recording else None)
        if compiled is not None:
            compiled.set_state(state)


modes = _Modes()


class _Active:
    """How many contexts, in all threads, ask for something else than plain recording.

    An operation on Values looks at this number first. What its own thread asks for takes three times as long to look
    up, and is looked up only where the number is not 0.
    """

    modes = 0
    _lock = threading.Lock()

    def enter(self) -> None:
        with self._lock:
            self.modes += 1

    def leave(self) -> None:
        with self._lock:
            self.modes -= 1


active = _Active()

levels = itertools.count(1)
"""Each use of forward mode takes the next level, so an inner use has a higher one than those around it."""


class recording:
    """Compute with recording, whatever is on outside: what a transformation differentiates has to be recorded."""

    def __enter__(self) -> None:
        self._outer = modes.recording
        modes.recording = True

    def __exit__(self, *error: object) -> None:
        modes.recording = self._outer


class no_grad(Context):
    """Compute without recording: results are constants of their kind, with no graph behind them.

    A context manager and a decorator, of generators and coroutines too; holds in the thread that entered it.
    A transformation (`autograd.grad` and its siblings) inside it differentiates what it is asked to. Inside a function
    that is being differentiated, what is computed in it is constant, in forward mode as in reverse mode.

    >>> from autograd import Value, grad
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    ...     slope = grad(lambda t: t**3)(2.0)
    >>> y.is_leaf, slope
    (True, 12.0)
    """

    def __init__(self) -> None:
        self._outer: list[tuple[bool, int]] = []

    def __enter__(self) -> no_grad:
        self._outer.append((modes.recording, modes.cut))
        modes.recording = False
        modes.cut = next(levels)
        active.enter()
        return self

    def __exit__(self, *error: object) -> None:
        active.leave()
        modes.recording, modes.cut = self._outer.pop()
