"""`nn.data.Augment`: where pixels come from. The images are ramps, so that a value tells its position."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from nn.data import Augment, Batches, augmentation

STILL: dict[str, Any] = {"shift": 0.0, "rotate": 0.0, "scale": 0.0, "elastic": 0.0}
SIDE = 41
INSIDE = slice(12, 29)  # these pixels come from inside the image


def places(augment: Augment, n: int, seed: int = 0) -> np.ndarray:
    """Rows and columns, (2, n, ...) from the centre, at which the pixels in the middle were read."""
    ramp = np.broadcast_to(np.arange(SIDE, dtype=np.float64)[:, None], (n, SIDE, SIDE))
    read = [augment(image, seed)[:, INSIDE, INSIDE] for image in (ramp, ramp.swapaxes(1, 2))]
    return np.array(read) - (SIDE - 1) / 2


def own() -> np.ndarray:
    """The rows and columns of the middle pixels themselves, (2, ...)."""
    return np.mgrid[INSIDE, INSIDE] - (SIDE - 1) / 2


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9), elements=st.floats(-1, 1, width=32)),
    st.integers(0, 2**32),
)
def test_reading_between_pixels_is_that_of_scipy(images: np.ndarray, seed: int) -> None:
    n, *shape = images.shape
    rng = np.random.default_rng(seed)
    rows, columns = (rng.uniform(-3, size + 2, (n, 7)).astype(np.float32) for size in shape)
    rows[:, 0], columns[:, 1] = 0, shape[1] - 1  # also on the edge
    expected = [
        ndimage.map_coordinates(image, [r, c], order=1, mode="grid-constant")
        for image, r, c in zip(images, rows, columns, strict=True)
    ]
    np.testing.assert_allclose(augmentation._bilinear(images, rows, columns), expected, atol=2e-6)


def test_nothing_asked_nothing_changed() -> None:
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    assert np.array_equal(Augment(**STILL)(images, 1), images)


def test_shift() -> None:
    moved = places(Augment(**STILL | {"shift": 3}), 2000) - own()[:, None]
    assert np.ptp(moved, axis=(2, 3)).max() < 1e-4  # an image moves as a whole
    by = moved[:, :, 0, 0]
    assert abs(by.mean()) < 0.1
    assert -3 <= by.min() < -2.9
    assert 2.9 < by.max() <= 3
    assert by.std() == pytest.approx(3 / np.sqrt(3), rel=0.05)
    assert abs(np.corrcoef(by)[0, 1]) < 0.1


def test_rotation() -> None:
    read = places(Augment(**STILL | {"rotate": 30}), 1000)
    angle = np.arctan2(*own())[None] - np.arctan2(*read)
    angle = np.degrees(np.angle(np.exp(1j * angle)))
    radius = np.hypot(*own())
    ring = radius > 2
    np.testing.assert_allclose(np.hypot(*read), np.broadcast_to(radius, read.shape[1:]), atol=1e-4)
    assert np.ptp(angle[:, ring], axis=1).max() < 1e-3
    turn = angle[:, ring].mean(axis=1)
    assert -30 <= turn.min() < -29
    assert 29 < turn.max() <= 30.001
    assert abs(turn.mean()) < 2


def test_scaling() -> None:
    read = places(Augment(**STILL | {"scale": 0.25}), 1000)
    factors = np.array([own()[axis, -1, -1] / read[axis, :, -1, -1] for axis in (0, 1)])
    expected = own()[:, None] / factors[:, :, None, None]
    np.testing.assert_allclose(read, expected, atol=1e-4)
    assert 0.75 <= factors.min() < 0.76
    assert 1.24 < factors.max() <= 1.2501
    assert abs(np.corrcoef(factors)[0, 1]) < 0.1  # height and width are independent


@pytest.mark.parametrize("smoothness", [2.0, 4.0])
def test_elastic_is_as_strong_and_as_smooth_as_said(smoothness: float) -> None:
    moved = places(Augment(**STILL | {"elastic": 1.5, "smoothness": smoothness}), 1500) - own()[:, None]
    np.testing.assert_allclose(moved.std(axis=1), 1.5, rtol=0.1)
    assert abs(moved.mean(axis=1)).max() < 0.2
    # Noise smoothed by a Gaussian of deviation s correlates as exp(-d² / 4s²).
    for distance in (1, 3):
        near = (moved[..., distance:] * moved[..., :-distance]).mean() / (moved**2).mean()
        assert near == pytest.approx(np.exp(-(distance**2) / (4 * smoothness**2)), abs=0.04)
    assert abs((moved[0] * moved[1]).mean()) < 0.1


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.float16]),
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=8),
        elements=st.floats(-1, 1, width=16),
    ),
    st.integers(0, 2**32),
)
def test_what_comes_out(images: np.ndarray, seed: int) -> None:
    augment = Augment(shift=3, rotate=180, scale=0.9, elastic=5)
    before = images.copy()
    out = augment(images, seed)
    assert (out.shape, out.dtype) == (images.shape, images.dtype)
    assert np.array_equal(images, before)
    assert min(0, images.min()) - 1e-6 <= out.min() <= out.max() <= max(0, images.max()) + 1e-6
    assert np.array_equal(out, augment(images, np.random.default_rng(seed)))
    flat = images.reshape(len(images), -1)
    in_rows = Augment(shift=3, rotate=180, scale=0.9, elastic=5, shape=images.shape[1:])(flat, seed)
    assert np.array_equal(in_rows, out.reshape(flat.shape))


def test_pieces_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).random((50, 784), np.float32)
    whole = Augment()(images, 3)
    monkeypatch.setattr(augmentation, "CHUNK", 7)
    # places on 28 rows and 28 columns are rounded to float32, in another order; a pixel's slope is at most 1 along each
    rounding = 2 * 4 * np.spacing(np.float32(28))
    np.testing.assert_allclose(Augment()(images, 3), whole, atol=rounding)
    assert not np.array_equal(Augment()(images, 4), whole)
    same = np.broadcast_to(images[:1], images.shape)
    assert len(np.unique(Augment()(same, 0), axis=0)) == 50  # each image has its own random numbers
    assert Augment()(images[:0], 0).shape == (0, 784)


def test_batches_with_augmentation_go_on_bit_for_bit() -> None:
    x = np.random.default_rng(0).random((20, 784), np.float32)

    def batches(seed: int) -> Batches:
        return Batches(x, np.arange(20), batch_size=6, seed=seed, augment=Augment())

    running, resumed = batches(1), batches(2)
    iterator = iter(running)
    next(iterator)
    resumed.load_state_dict(running.state_dict())
    for rest, again in ((iterator, resumed), (running, resumed)):  # the rest of this epoch, and the next one
        for (a, b), (c, d) in zip(rest, again, strict=True):
            assert np.array_equal(a, c)
            assert np.array_equal(b, d)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shift": -1}, "shift has to be at least 0 and finite, got -1"),
        ({"rotate": float("nan")}, "rotate has to be .* got nan"),
        ({"elastic": float("inf")}, "elastic has to be .* got inf"),
        ({"scale": 1.0}, "scale has to be below 1, .* got 1.0"),
        ({"smoothness": 0.5}, "smoothness has to be at least 1 pixel, got 0.5"),
    ],
)
def test_errors_of_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augment(**options)


@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 3, 1), (2, 0), (2, 0, 3)])
def test_errors_of_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"got the shape \(" + ", ".join(map(str, shape))):
        Augment()(np.zeros(shape), 0)


def test_errors_of_another_shape_and_dtype() -> None:
    with pytest.raises(ValueError, match=r"rows of pixels of images of \(2, 3\)"):
        Augment(shape=(2, 3))(np.zeros((4, 3, 2)), 0)
    with pytest.raises(TypeError, match="floating-point images, got uint8"):
        Augment()(np.zeros((4, 3, 2), np.uint8), 0)
