"""`Traced`: what can flow through a rule besides numbers. `Probe`: an operand that finds out what a rule does with it.

>>> import math
>>> ask(lambda x: 1 / (1 + x), Probe("x")) is None
True
>>> ask(lambda x: math.cbrt(x) * 2, Probe("x"))
TakesFloats('math.cbrt', 'x')
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

Rule = Callable[..., Any]


class Length:
    """A number of elements that is not known yet, such as that of a batch. Shapes may hold it in place of an int."""

    __slots__ = ()


class Traced:
    """The base class of variables: Values, Tensors, Duals, Symbols. Each kind defines what an operation on it does."""

    __slots__ = ()
    _fuses = False  # True if a fused row is one operation on it; False if the row's composition is used
    _stacks = False  # True if several of them can be stacked into one variable
    _branches = True  # True if both branches of a `where` are computed: see `_guarded` in `autograd.ops.elementwise`
    _priority = 0  # of several kinds in one operation, the one with the highest priority applies it

    @classmethod
    def _apply(cls, op: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply an operation to operands with this kind among them."""
        raise NotImplementedError

    def _held(self) -> None:
        """Raise, if this kind knows better than others why a Value cannot hold it."""

    @classmethod
    def _gather(cls, op: Any, items: Sequence[Any], params: dict[str, Any]) -> Any:
        """Reduce a sequence of variables of this kind to one."""
        raise TypeError(f"{op.name} of a sequence of {cls.__name__}s: stack them first")


class Asks(TypeError):
    """A rule does something with an operand that not every kind of operand can do."""


class Branches(Asks):
    """It uses an operand as a condition: ``if``, ``and``, ``while``. The argument is the operand's name."""


class TakesFloats(Asks):
    """It calls a function that takes only floats. The arguments are its name, if known, and the operand's name."""


class OnArrays(Asks):
    """It calls an operation on arrays, which single numbers do not have. The argument is the operation's name."""


class Gives(Asks):
    """Its result is not a number. The argument is the result as text."""


class Probe(Traced):
    """An operand that returns itself from every operation, and raises `Asks` for what not every operand can do.

    Each row runs its rules on Probes when it is made. A Probe takes a tenth of the time of a `Symbol`. `_branches` is
    False for the formula of a value, and True for a derivative, through which arrays and nodes flow.
    """

    __slots__ = ("_branches", "name")
    _priority = 10

    def __init__(self, name: str, branches: bool = False) -> None:
        self.name = name
        self._branches = branches

    @classmethod
    def _apply(cls, op: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if not op.on_scalars:
            raise OnArrays(op.name)
        for x in inputs:
            if isinstance(x, Probe):
                break
        return x

    @classmethod
    def _gather(cls, op: Any, items: Sequence[Any], params: dict[str, Any]) -> Any:
        raise OnArrays(op.name)

    def detach(self) -> Probe:
        """Return the probe itself: it has no graph."""
        return self

    def _with(self, other: Any) -> Probe:
        return self

    def _alone(self) -> Probe:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _with
    __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __rand__ = __or__ = __ror__ = _with
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _with  # type: ignore[assignment]
    __neg__ = __pos__ = __abs__ = _alone
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise Branches(self.name)

    def __float__(self) -> float:
        raise TakesFloats(called_in(sys._getframe(1)), self.name)

    def __int__(self) -> int:
        raise TakesFloats("int", self.name)

    def __index__(self) -> int:
        raise TakesFloats("", self.name)

    def _rounded(self) -> Any:
        raise TakesFloats(called_in(sys._getframe(1)), self.name)

    __trunc__ = __floor__ = __ceil__ = _rounded

    def __round__(self, digits: int | None = None) -> Any:
        raise TakesFloats("round", self.name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from autograd.functions.ufuncs import COMPARISONS, ROWS

        if method == "__call__" and ufunc in ROWS:
            return self._apply(ROWS[ufunc], inputs, kwargs)
        if method == "__call__" and ufunc in COMPARISONS:
            return self
        raise TakesFloats(f"numpy.{ufunc.__name__}", self.name)


def called_in(frame: Any) -> str:
    """The name of the function that a frame is calling, such as "math.cbrt".

    It is the name that was looked up last.
    """
    import dis  # only needed for a message

    known = {**vars(builtins), **frame.f_globals, **frame.f_locals}
    found: Any = None
    for step in dis.get_instructions(frame.f_code):
        if step.offset >= frame.f_lasti:
            break
        if step.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF")):
            new = known.get(step.argval)
        elif step.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")) and isinstance(found, ModuleType):
            new = getattr(found, step.argval, None)
        else:
            continue
        found = new
    name = getattr(found, "__name__", "")
    return f"math.{name}" if getattr(found, "__module__", "") == "math" else str(name)


def ask(rule: Rule, *probes: Probe) -> Exception | None:
    """Run a rule on probes. Return the error that it raises, or None if it works on every kind of operand."""
    try:
        out = rule(*probes)
    except Exception as error:
        return error
    if isinstance(out, (Probe, float, int, np.generic)):
        return None
    return Gives(repr(out)[:40])
