"""Anomaly mode: who made the first nan, and what changed behind a graph's back.

Inside ``with anomaly():`` every operation is looked at as it is recorded, and every step of backward as it runs. The
first one that makes a nan or an infinity from numbers that had none is named, with its operands' values and the file
and line that built it. Each operand's numbers are copied when they are used, so backward also notices any change
since, whichever way it came about, a second backward through changed data included. All of this costs time and
memory, and outside the context nothing at all.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.contexts import Context
from autograd.engine.graph import Node
from autograd.engine.modes import active, modes
from autograd.ops.rows import Op

PACKAGE = str(Path(__file__).parent.parent)
NUMPY = str(Path(np.__file__).parent)


class AnomalyError(ArithmeticError):
    """An operation made a nan or an infinity, or its operands changed before backward; the message says which."""


class Watch:
    """What anomaly mode remembers: for each node where it was built, and copies of its operands' numbers."""

    def __init__(self) -> None:
        # by id: as keys of a dictionary, Tensors that are alive would be compared by their numbers
        self.built: dict[int, tuple[weakref.ref[Node], str, list[Any]]] = {}

    def record(self, node: Node, op: Op, operands: Sequence[Any]) -> None:
        """Look at an operation's result, and remember how it came about."""
        numbers = [np.array(ops.detach(x)) for x in operands]
        site = calling_line()
        if made := appears(node._raw, numbers):
            raise AnomalyError(f"{op.name} made {made} at {site}{described(numbers)}")
        key, built = id(node), self.built
        built[key] = (weakref.ref(node, lambda _: built.pop(key, None)), site, numbers)

    def check(self, node: Node, cotangents: Sequence[Any]) -> None:
        """Look at a step of backward: what a node hands to its operands."""
        _, site, numbers = self.built.get(id(node), (None, "a line outside anomaly mode", None))
        name = node.op.name
        operands = node.operands
        if numbers is not None:
            for i, (x, before) in enumerate(zip(operands, numbers, strict=True)):
                now = np.asarray(ops.detach(x))
                if not np.array_equal(now, before, equal_nan=before.dtype.kind == "f"):
                    raise AnomalyError(
                        f"operand {i} of {name}{labelled(x)}, recorded at {site}, changed before this backward: "
                        f"{shown(before)} became {shown(now)}"
                    )
        current = [np.asarray(ops.detach(x)) for x in operands]
        for i, cotangent in enumerate(cotangents):
            if cotangent is not None and (made := appears(cotangent, [np.asarray(node.grad)])):
                raise AnomalyError(
                    f"backward through {name} made {made} for operand {i}{labelled(operands[i])}; {name} was built at "
                    f"{site}{described(current)}\n  gradient of the result: {shown(node.grad)}"
                )


def appears(result: Any, sources: Sequence[Any]) -> str:
    """The kind of non-finite number that a result has and its sources have not; empty if there is none."""
    floats = [np.asarray(x) for x in sources if np.asarray(x).dtype.kind == "f"]
    if np.any(np.isnan(result)) and not any(np.any(np.isnan(x)) for x in floats):
        return "a nan"
    if np.any(np.isinf(result)) and not any(np.any(~np.isfinite(x)) for x in floats):
        return "an infinity"
    return ""


def calling_line() -> str:
    """File and line of the innermost code that is not part of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_code.co_filename
        if not name.startswith((PACKAGE, NUMPY, "<chainrule", "<__array_function__")):
            break
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def described(numbers: Sequence[Any]) -> str:
    """The operands, a line each."""
    return "".join(f"\n  operand {i}: {shown(x)}" for i, x in enumerate(numbers))


def shown(x: Any) -> str:
    """Numbers in one line: whole if few, else shape, dtype and range."""
    x = np.asarray(x)
    if x.size <= 8:
        return " ".join(str(x.tolist()).split())
    finite = x[np.isfinite(x)] if x.dtype.kind == "f" else x
    within = f"from {finite.min():.6g} to {finite.max():.6g}" if finite.size else "nothing finite"
    return f"{x.dtype} of shape {x.shape}, {within}, {x.size - finite.size} not finite"


def labelled(x: Any) -> str:
    """The operand's label in parentheses, if it has one."""
    return f" ({x.label})" if isinstance(x, Node) and x.label else ""


class anomaly(Context):
    """Name the first operation that makes a nan or an infinity, forward or backward: `AnomalyError`.

    A context manager and a decorator, of generators and coroutines too; holds in the thread that entered it. Wrap
    forward and backward together.

    >>> from autograd import Value
    >>> x = Value(0.0)
    >>> with anomaly():
    ...     y = x.sqrt()
    ...     y.backward()
    Traceback (most recent call last):
    autograd.engine.anomaly.AnomalyError: backward through sqrt made an infinity for operand 0; sqrt was built at ...
      operand 0: 0.0
      gradient of the result: 1.0
    """

    def __init__(self) -> None:
        self._outer: list[Any] = []

    def __enter__(self) -> anomaly:
        self._outer.append(modes.watch)
        modes.watch = modes.watch or Watch()
        active.enter()
        return self

    def __exit__(self, *error: object) -> None:
        active.leave()
        modes.watch = self._outer.pop()
