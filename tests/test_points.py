"""Points in the plane: their places, the number of each class, and the effect of the seed and the noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import blobs, moons, spirals


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_moons_geometry(n: int, seed: int) -> None:
    x, y = moons(n, noise=0, seed=seed)
    assert (x.shape, y.shape) == ((n, 2), (n,))
    assert (x.dtype, y.dtype) == (np.dtype(np.float64), np.dtype(np.int64))
    outer, inner = x[y == 0], x[y == 1]
    assert (len(outer), len(inner)) == (n // 2, n - n // 2)
    np.testing.assert_allclose(np.hypot(*outer.T), 1)
    np.testing.assert_allclose(np.hypot(inner[:, 0] - 1, inner[:, 1] - 0.5), 1)
    assert (outer[:, 1] >= 0).all()
    assert (inner[:, 1] <= 0.5).all()
    # Evenly spaced in angle, from end to end.
    t = np.linspace(0, np.pi, len(inner))
    np.testing.assert_allclose(np.sort(np.arctan2(0.5 - inner[:, 1], 1 - inner[:, 0])), t, atol=1e-7)
    np.testing.assert_allclose(np.sort(np.arctan2(*outer.T[::-1])), np.linspace(0, np.pi, len(outer)), atol=1e-7)


def test_moons_seed_noise_and_order() -> None:
    clean, labels = moons(2000, noise=0, seed=5)
    noisy, same_labels = moons(2000, noise=0.25, seed=5)
    assert np.array_equal(labels, same_labels)
    assert (noisy - clean).std() == pytest.approx(0.25, rel=0.05)
    assert abs((noisy - clean).mean()) < 0.02
    assert np.array_equal(noisy, moons(2000, noise=0.25, seed=np.random.default_rng(5))[0])
    assert not np.array_equal(noisy, moons(2000, noise=0.25, seed=6)[0])
    assert 400 < labels[:1000].sum() < 600  # shuffled


@pytest.mark.parametrize(("n", "noise"), [(0, 0.1), (-3, 0.1), (10, -0.1), (10, float("nan"))])
def test_moons_errors(n: int, noise: float) -> None:
    with pytest.raises(ValueError, match=f"got {n} and {noise}"):
        moons(n, noise)


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 2**32), st.sampled_from([spirals, blobs]))
def test_points(n: int, classes: int, seed: int, make: Callable[..., Any]) -> None:
    x, y = make(n, classes, 0.0, seed)
    assert (x.shape, y.shape) == ((n, 2), (n,))
    assert (x.dtype, y.dtype) == (np.dtype(np.float64), np.dtype(np.int64))
    counts = np.bincount(y, minlength=classes)
    assert (counts.sum(), len(counts)) == (n, classes)
    assert np.ptp(counts) <= 1
    again, labels = make(n, classes, 0.5, np.random.default_rng(seed))
    assert np.array_equal(labels, y)
    if n > 20:
        assert 0.2 < (again - x).std() < 0.8
    if make is blobs:
        assert len(np.unique(x, axis=0)) == min(n, classes)
        assert np.abs(x).max() <= 10


def test_spirals_geometry() -> None:
    x, y = spirals(300, 3, noise=0, turns=0.75)
    for arm in range(3):
        points = x[y == arm]
        points = points[np.argsort(np.hypot(*points.T))]
        radius = np.hypot(*points.T)
        np.testing.assert_allclose(radius, np.linspace(0, 1, 100), atol=1e-12)
        angle = np.unwrap(np.arctan2(points[1:, 1], points[1:, 0]))
        np.testing.assert_allclose(np.diff(angle), 2 * np.pi * 0.75 / 99)
        np.testing.assert_allclose(
            np.exp(1j * (angle[-1] - 2 * np.pi * 0.75)), np.exp(2j * np.pi * arm / 3), atol=1e-12
        )


@pytest.mark.parametrize("make", [spirals, blobs])
@pytest.mark.parametrize("options", [{"n_samples": 0}, {"noise": -1.0}, {"noise": float("nan")}, {"classes": 0}])
def test_points_errors(make: Callable[..., Any], options: dict[str, Any]) -> None:
    name, value = next(iter(options.items()))
    with pytest.raises(ValueError, match=f"{make.__name__} needs .*{name}.* got .*{value}"):
        make(**options)
