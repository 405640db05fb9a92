"""How lists of arrays compare: to the last bit, or but for rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def same(xs: Sequence[Any], ys: Sequence[Any]) -> bool:
    """Whether two lists of arrays are the same to the last bit, nans included."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(xs, ys, strict=True))


def near(xs: Sequence[Any], ys: Sequence[Any], rtol: float, dust: float) -> bool:
    """Whether two lists of arrays are the same but for rounding, where both are finite."""
    ok = [np.isfinite(x) & np.isfinite(y) for x, y in zip(xs, ys, strict=True)]
    return all(np.allclose(x[i], y[i], rtol, rtol * peak(y) + dust) for x, y, i in zip(xs, ys, ok, strict=True))


def rounded(seeds: Sequence[Any]) -> float:
    """A gradient that rounding alone can make: where terms cancel (sin(x) - x near 0), the results do not show it."""
    return sum(4 * float(np.finfo(w.dtype).eps) * float(np.sum(np.abs(w))) for w in seeds if w.dtype.kind == "f")


def described(x: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype."""
    array = np.asarray(x)
    return array.shape, array.dtype


def peak(x: Any) -> float:
    """The largest finite magnitude."""
    return float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))
