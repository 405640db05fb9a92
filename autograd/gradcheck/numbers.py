"""Comparisons of lists of arrays: exact, or up to rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def same(xs: Sequence[Any], ys: Sequence[Any]) -> bool:
    """True if two lists of arrays are equal to the last bit. A nan equals a nan."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(xs, ys, strict=True))


def near(xs: Sequence[Any], ys: Sequence[Any], rtol: float, dust: float) -> bool:
    """True if two lists of arrays are equal up to rounding, where both are finite."""
    ok = [np.isfinite(x) & np.isfinite(y) for x, y in zip(xs, ys, strict=True)]
    return all(np.allclose(x[i], y[i], rtol, rtol * peak(y) + dust) for x, y, i in zip(xs, ys, ok, strict=True))


def rounded(seeds: Sequence[Any]) -> float:
    """The largest gradient that may come from rounding alone.

    It depends on the cotangents only. The results do not show it if terms cancel, as in ``sin(x) - x`` near 0.
    """
    return sum(4 * float(np.finfo(w.dtype).eps) * float(np.sum(np.abs(w))) for w in seeds if w.dtype.kind == "f")


def described(x: Any) -> tuple[tuple[int, ...], Any]:
    """The shape and the dtype."""
    array = np.asarray(x)
    return array.shape, array.dtype


def peak(x: Any) -> float:
    """The largest finite magnitude."""
    return float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))
