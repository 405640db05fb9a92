"""One number of a variable as text: ``f"{x:.3f}"``, ``"%.3f" % x``, ``round(x, 2)``.

What comes out has no graph behind it, and need not have one: nobody computes with text, and rounding is constant
between its jumps. `float(x)` is different: it is how a number leaves a graph by mistake, as in ``math.exp(x)``.
"""

from __future__ import annotations

import dis
from functools import cache
from typing import Any

import numpy as np

from autograd import ops


def alone(x: Any) -> float:
    """The number of what holds one; TypeError for an array of several."""
    numbers = ops.detach(x)
    if np.size(numbers) != 1:
        raise TypeError(
            f"one number can be formatted or rounded like this, not a {type(x).__name__} of shape {np.shape(numbers)}: "
            "x.data is its array, and numpy.round(x, 2) rounds it"
        )
    return float(np.asarray(numbers).item())


@cache
def _modulo() -> frozenset[bytes]:
    """Python's instructions for ``%`` and ``%=``."""

    def both(x: Any, y: Any) -> Any:
        x %= y
        return x % y

    code = both.__code__
    places = [i.offset for i in dis.get_instructions(code) if i.opname.startswith(("BINARY_", "INPLACE_"))]
    return frozenset([code.co_code[at : at + 2] for at in places])


def is_formatting(frame: Any) -> bool:
    """Whether the code of a frame is at a ``%``: only ``"%.3f" % x`` asks for a float there.

    Python asks for the number of anything by the same method, `__float__`, and says nothing of what it is for.
    """
    at = frame.f_lasti
    return frame.f_code.co_code[at : at + 2] in _modulo()
