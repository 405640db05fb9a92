"""A variable of one number as text: ``f"{x:.3f}"``, ``"%.3f" % x``, ``round(x, 2)``.

The result has no graph. It needs none, since text has no gradient and the slope of rounding is 0. `float(x)` is
different: code such as ``math.exp(x)`` calls it, and the graph would end there by mistake. So `float(x)` is refused.
"""

from __future__ import annotations

import dis
from functools import cache
from typing import Any

import numpy as np

from autograd import ops


def alone(x: Any) -> float:
    """The only number of `x` as a float; TypeError if `x` holds several."""
    numbers = ops.detach(x)
    if np.size(numbers) != 1:
        raise TypeError(
            f"only one number can be formatted or rounded, not a {type(x).__name__} of shape {np.shape(numbers)}: "
            "x.data is its array, and numpy.round(x, 2) rounds it"
        )
    return float(np.asarray(numbers).item())


@cache
def _modulo() -> frozenset[bytes]:
    """The bytecode instructions of ``%`` and ``%=``."""

    def both(x: Any, y: Any) -> Any:
        x %= y
        return x % y

    code = both.__code__
    places = [i.offset for i in dis.get_instructions(code) if i.opname.startswith(("BINARY_", "INPLACE_"))]
    return frozenset([code.co_code[at : at + 2] for at in places])


def is_formatting(frame: Any) -> bool:
    """True if a frame is executing a ``%``. There only ``"%.3f" % x`` calls `__float__`.

    Python does not tell `__float__` why it is called, so the calling instruction is looked up.
    """
    at = frame.f_lasti
    return frame.f_code.co_code[at : at + 2] in _modulo()
