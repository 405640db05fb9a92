"""What can flow through a rule besides numbers: `Traced`; and `Probe`, which finds out what a rule asks of it.

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
    """Anything but a number that can flow through a rule: it says itself what an operation on it means."""

    __slots__ = ()
    _fuses = False  # whether it takes a fused row as one operation, rather than as what that is composed of
    _stacks = False  # whether several of them make one array of its kind
    _branches = True  # whether what is not taken is computed too: see `autograd.ops._guarded`
    _priority = 0  # where several kinds meet in one operation, the highest decides

    @classmethod
    def _apply(cls, op: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        raise NotImplementedError

    @classmethod
    def _gather(cls, op: Any, items: Sequence[Any], params: dict[str, Any]) -> Any:
        """Reduce a sequence of items of this kind to one."""
        raise TypeError(f"{op.name} of a sequence of {cls.__name__}s: stack them first")


class Asks(TypeError):
    """A rule asks an operand for more than all kinds of operands have."""


class Branches(Asks):
    """For an answer: a condition of Python's."""


class TakesFloats(Asks):
    """For its number: a function that takes only floats. Its name, if known, and the operand's."""


class OnArrays(Asks):
    """To be an array: the name of an operation that is none on numbers."""


class Gives(Asks):
    """What is no number: its text."""


class Probe(Traced):
    """An operand that is neither a number nor a name: whatever is done to it gives it again.

    It goes where a `Symbol` goes, at a tenth of the cost: rules are run on it when rows are made. `_branches` is False
    for a formula that is to be read, and True for a derivative, which arrays and nodes flow through.
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
        """Itself."""
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
        from autograd.functions.ufuncs import ROWS

        if method == "__call__" and ufunc in ROWS:
            return self
        raise TakesFloats(f"numpy.{ufunc.__name__}", self.name)


def called_in(frame: Any) -> str:
    """The function that a frame is about to call: "math.cbrt". It is the one whose name was last looked up."""
    import dis  # where something is wrong, only

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
    """What a rule does that not all operands can answer, as the error that it is; None if there is nothing."""
    try:
        out = rule(*probes)
    except Exception as error:
        return error
    if isinstance(out, (Probe, float, int, np.generic)):
        return None
    return Gives(repr(out)[:40])
