"""Points in the plane, to see a classifier bend: moons, spirals and blobs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Seed = int | np.random.Generator


def moons(n_samples: int = 100, noise: float = 0.1, seed: Seed = 0) -> tuple[Array, Array]:
    """Make two interleaving half circles, with the geometry of scikit-learn's `make_moons`.

    Returns shuffled float64 points (n_samples, 2), with Gaussian noise of standard deviation `noise`, and
    int64 labels (n_samples,): 0 for the outer half circle (n_samples // 2 points), 1 for the inner. Raises
    ValueError for `n_samples` < 1 and for a negative `noise`.

    >>> x, y = moons(4, noise=0.0)
    >>> x[y == 0].round(3).tolist()
    [[1.0, 0.0], [-1.0, 0.0]]
    """
    if n_samples < 1 or not noise >= 0:
        raise ValueError(f"moons needs n_samples >= 1 and noise >= 0, got {n_samples} and {noise}")
    rng = np.random.default_rng(seed)
    outer, inner = (np.linspace(0, np.pi, n) for n in (n_samples // 2, n_samples - n_samples // 2))
    x = np.concatenate([np.cos(outer), 1 - np.cos(inner)])
    y = np.concatenate([np.sin(outer), 0.5 - np.sin(inner)])
    order = rng.permutation(n_samples)
    points = np.column_stack([x, y])[order] + noise * rng.standard_normal((n_samples, 2))
    return points, (order >= len(outer)).astype(np.int64)
