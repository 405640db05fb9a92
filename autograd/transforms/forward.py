"""Forward mode: `jvp` computes a rate of change together with each number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.modes import levels, modes, recording
from autograd.ops.arrays import number
from autograd.ops.traced import Traced
from autograd.transforms.containers import flatten
from autograd.transforms.dual import Dual, like
from autograd.transforms.variables import Function, checked_function, severed, zeros_like


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f, and its rate of change if the arguments change by the tangents. This is forward mode, in one run.

    Raises ValueError unless each tangent has the structure and the shapes of its argument.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.5))
    (6.0, 4.0)
    """
    checked_function(f, "jvp")
    if len(primals) != len(tangents):
        raise ValueError(f"jvp takes a tangent for each argument, got {len(tangents)} for {len(primals)} arguments")
    level = next(levels)
    args = []
    for primal, tangent in zip(primals, tangents, strict=True):
        leaves, rebuild = flatten(primal)
        moves, _ = flatten(tangent)
        if [np.shape(ops.detach(x)) for x in leaves] != [np.shape(ops.detach(t)) for t in moves]:
            raise ValueError(
                "jvp takes tangents with the structure and the shapes of their arguments, got "
                f"{shapes_of(moves)} for an argument of {shapes_of(leaves)}"
            )
        pairs = [(start(x), start(t)) for x, t in zip(leaves, moves, strict=True)]
        args.append(rebuild([Dual(x, like(x, t), level) for x, t in pairs]))
    outer = modes.of_arrays
    modes.of_arrays = outer or any(isinstance(ops.detach(x), np.ndarray) for arg in args for x in flatten(arg)[0])
    try:
        with recording():
            outs, rebuild = flatten(f(*args))
    finally:
        modes.of_arrays = outer
    mine = [isinstance(x, Dual) and x.level == level for x in outs]
    values = [x.primal if m else x for x, m in zip(outs, mine, strict=True)]
    rates = [x.tangent if m else zeros_like(x) for x, m in zip(outs, mine, strict=True)]
    return rebuild([tidy(severed(x)) for x in values]), rebuild([tidy(severed(x)) for x in rates])


def shapes_of(leaves: Sequence[Any]) -> str:
    """The shapes of the leaves as text."""
    return ", ".join(str(np.shape(ops.detach(x))) for x in leaves) or "no numbers"


def start(x: Any) -> Any:
    """An argument of a kind that rules work on."""
    return x if isinstance(x, (Traced, np.ndarray)) else number(x)


def tidy(x: Any) -> Any:
    """A NumPy scalar as a float; anything else unchanged."""
    return float(x) if isinstance(x, np.floating) else x
