"""Generated points in the plane, for classifiers: moons, spirals and blobs."""

from __future__ import annotations

import numpy as np

from nn.support.arrays import Array, Seed


def moons(n_samples: int = 100, noise: float = 0.1, seed: Seed = 0) -> tuple[Array, Array]:
    """Make two interleaving half circles, with the geometry of scikit-learn's `make_moons`.

    Returns shuffled float64 points (n_samples, 2), with Gaussian noise of standard deviation `noise`, and int64 labels
    (n_samples,): 0 for the outer half circle (n_samples // 2 points), 1 for the inner. Raises ValueError for
    `n_samples` < 1 and for a negative `noise`.

    >>> x, y = moons(4, noise=0.0)
    >>> x[y == 0].round(3).tolist()
    [[1.0, 0.0], [-1.0, 0.0]]
    """
    _check("moons", n_samples, noise)
    outer, inner = (np.linspace(0, np.pi, n) for n in (n_samples // 2, n_samples - n_samples // 2))
    x = np.concatenate([np.cos(outer), 1 - np.cos(inner)])
    y = np.concatenate([np.sin(outer), 0.5 - np.sin(inner)])
    return _noisy(np.column_stack([x, y]), np.arange(n_samples) >= len(outer), noise, np.random.default_rng(seed))


def spirals(
    n_samples: int = 300, classes: int = 3, noise: float = 0.03, seed: Seed = 0, *, turns: float = 0.75
) -> tuple[Array, Array]:
    """Make a spiral with one arm for each class. Each arm winds `turns` times around the origin, out to radius 1.

    Returns shuffled float64 points (n_samples, 2), with Gaussian noise of standard deviation `noise`, and int64 labels
    (n_samples,) in 0..classes - 1. The sizes of the classes differ by at most one. Raises ValueError for `n_samples` or
    `classes` < 1 and for a negative `noise`.

    >>> x, y = spirals(6, classes=2, noise=0.0, turns=0.5)
    >>> x[y == 0].round(3).tolist()
    [[0.0, 0.5], [-1.0, 0.0], [0.0, 0.0]]
    """
    _check("spirals", n_samples, noise, classes)
    labels = np.arange(n_samples) % classes
    step = np.arange(n_samples) // classes
    radius = step / np.maximum(np.bincount(labels)[labels] - 1, 1)
    angle = 2 * np.pi * (labels / classes + turns * radius)
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _noisy(points, labels, noise, np.random.default_rng(seed))


def blobs(n_samples: int = 300, classes: int = 3, noise: float = 1.0, seed: Seed = 0) -> tuple[Array, Array]:
    """Make one round cloud for each class. The centres are drawn uniformly from the square from -10 to 10.

    Returns shuffled float64 points (n_samples, 2), with standard deviation `noise` around their centre, and int64
    labels (n_samples,) in 0..classes - 1. The sizes of the classes differ by at most one. Raises ValueError for
    `n_samples` or `classes` < 1 and for a negative `noise`.

    >>> x, y = blobs(7, classes=3, noise=0.0)
    >>> len(np.unique(x, axis=0)), np.bincount(y).tolist()
    (3, [3, 2, 2])
    """
    _check("blobs", n_samples, noise, classes)
    rng = np.random.default_rng(seed)
    centers, labels = rng.uniform(-10, 10, (classes, 2)), np.arange(n_samples) % classes
    return _noisy(centers[labels], labels, noise, rng)


def _check(name: str, n_samples: int, noise: float, classes: int = 1) -> None:
    if n_samples < 1 or not noise >= 0:
        raise ValueError(f"{name} needs n_samples >= 1 and noise >= 0, got {n_samples} and {noise}")
    if classes < 1:
        raise ValueError(f"{name} needs classes >= 1, got {classes}")


def _noisy(points: Array, labels: Array, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """The points, shuffled and with noise added, and their labels."""
    order = rng.permutation(len(points))
    return points[order] + noise * rng.standard_normal(points.shape), labels[order].astype(np.int64)
