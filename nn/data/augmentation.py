"""Augmentation: images are shifted, rotated, scaled and bent at random, which gives more training examples.

Each pixel of a new image is read at some position in the old one. The positions are a sum of fixed fields (constant,
row, column, and smooth bumps all over the image) with random weights. So one matrix product gives the positions for all
images. Bilinear interpolation then reads the pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from nn.support.arrays import Array, Seed, as_array

CHUNK = 8  # images at a time; the system allocates larger arrays anew each time, which dominates the time


@dataclass(frozen=True)
class Augment:
    """Random shifts, rotations, scalings and elastic distortions of grey images. Each image gets its own.

    Args:
        shift: the vertical and the horizontal shift in pixels are uniform in [-shift, shift].
        rotate: the rotation about the centre in degrees is uniform in [-rotate, rotate].
        scale: the factors of height and width are uniform in [1 - scale, 1 + scale]. Below 1.
        elastic: the standard deviation, in pixels, of the smooth random displacement in each direction.
        smoothness: the standard deviation, in pixels, of the Gaussian bumps that make up the displacement.
        shape: (height, width) of images that are given as rows of pixels. By default they are square.

    Pixels from outside the image are 0. Raises ValueError for negative or non-finite numbers, a `scale` of 1 or more,
    and a `smoothness` below 1.

    The elastic displacement is Gaussian-smoothed noise, as in Simard, Steinkraus and Platt (2003), "Best practices for
    convolutional neural networks". Here the noise is on a grid with spacing `smoothness`.

    >>> images = np.zeros((2, 28, 28), np.float32)
    >>> images[:, 10:18, 10:18] = 1
    >>> bent = Augment(shift=2)(images, 0)
    >>> bent.shape, bent.dtype, bool((bent != images).any())
    ((2, 28, 28), dtype('float32'), True)
    """

    shift: float = 2.0
    rotate: float = 10.0
    scale: float = 0.1
    elastic: float = 1.0
    smoothness: float = 4.0
    shape: tuple[int, int] | None = None
    _bases: dict[tuple[int, int], Array] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("shift", "rotate", "scale", "elastic", "smoothness"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} has to be at least 0 and finite, got {value}")
        if self.scale >= 1:
            raise ValueError(f"scale has to be below 1, since a factor of 0 leaves no image; got {self.scale}")
        if self.smoothness < 1:
            raise ValueError(f"smoothness has to be at least 1 pixel, got {self.smoothness}")

    def __call__(self, images: Array, rng: Seed) -> Array:
        """New images of the shape and dtype of `images`: (N, height, width), or rows of pixels (N, height * width).

        `rng` is a generator or a seed. The same state gives the same images. It computes in float32. Raises TypeError
        for images that are not floating-point, and ValueError for other shapes.
        """
        images = as_array(images, "Augment")
        if images.dtype.kind != "f":
            raise TypeError(f"augmentation needs floating-point images, got {images.dtype}; convert with .astype")
        n, (height, width) = len(images), self._shape(images)
        weights = self._weights(n, height, width, np.random.default_rng(rng))
        basis = self._basis(height, width)
        out = np.empty(images.shape, images.dtype)
        for start in range(0, n, CHUNK):
            rows = slice(start, start + CHUNK)
            places = (weights[rows].reshape(-1, len(basis)) @ basis).reshape(-1, 2, height * width)
            pixels = np.asarray(images[rows], np.float32).reshape(-1, height, width)
            out[rows] = _bilinear(pixels, places[:, 0], places[:, 1]).reshape(out[rows].shape)
        return out

    def _shape(self, images: Array) -> tuple[int, int]:
        """Height and width of one image."""
        pixels = math.prod(images.shape[1:])
        if images.ndim == 3:
            shape = images.shape[1:]
        else:
            shape = self.shape or (math.isqrt(pixels),) * 2
        if images.ndim not in (2, 3) or not pixels or shape[0] * shape[1] != pixels or self.shape not in (None, shape):
            wanted = "square images" if self.shape is None else f"images of {self.shape}"
            raise ValueError(
                f"augmentation needs images (N, height, width), or rows of pixels of {wanted} (or pass another shape=);"
                f" got the shape {images.shape}"
            )
        return shape[0], shape[1]

    def _basis(self, height: int, width: int) -> Array:
        """The fields, (3 + bumps, height * width) float32: 1, row and column from the centre, and the bumps."""
        if (height, width) not in self._bases:
            row, column = (np.arange(size) - (size - 1) / 2 for size in (height, width))
            plain = [np.ones((height, width)), np.repeat(row[:, None], width, 1), np.repeat(column[None], height, 0)]
            (tall, wide) = (
                np.exp(-((at[None] - self._knots(len(at))[:, None]) ** 2) / (2 * self.smoothness**2))
                for at in (row, column)
            )
            bumps = np.einsum("ia,jb->ijab", tall, wide).reshape(-1, height, width)
            bumps *= self.elastic / np.sqrt((bumps**2).sum(axis=0))  # so that edges are displaced as much as the inside
            grid = np.concatenate([plain, bumps]) if self.elastic else np.array(plain)
            self._bases[height, width] = grid.reshape(len(grid), -1).astype(np.float32)
        return self._bases[height, width]

    def _knots(self, size: int) -> Array:
        """Centres of bumps along an edge, from end to end, at most `smoothness` apart."""
        return np.linspace(-(size - 1) / 2, (size - 1) / 2, math.ceil((size - 1) / self.smoothness) + 1)

    def _weights(self, n: int, height: int, width: int, rng: np.random.Generator) -> Array:
        """The weights of the fields for each image, for rows and for columns: (n, 2, 3 + bumps) float32."""
        draws = rng.random((n, 5), np.float32) * 2 - 1
        turn = draws[:, 0] * np.float32(math.radians(self.rotate))
        factor = 1 + draws[:, 1:3] * np.float32(self.scale)
        bumps = len(self._knots(height)) * len(self._knots(width)) if self.elastic else 0
        weights = np.empty((n, 2, 3 + bumps), np.float32)
        weights[:, :, 0] = draws[:, 3:] * np.float32(self.shift) + np.array(
            [(height - 1) / 2, (width - 1) / 2], np.float32
        )
        cosine, sine = np.cos(turn), np.sin(turn)
        weights[:, 0, 1], weights[:, 0, 2] = cosine, sine
        weights[:, 1, 1], weights[:, 1, 2] = -sine, cosine
        weights[:, :, 1:3] /= factor[:, :, None]
        if bumps:
            weights[:, :, 3:] = rng.standard_normal((n, 2, bumps), np.float32)
        return weights


def _bilinear(images: Array, rows: Array, columns: Array) -> Array:
    """Read images (n, height, width) float32 at positions (n, count); 0 outside. `rows`, `columns` are overwritten."""
    n, height, width = images.shape
    tall, wide = height + 3, width + 3  # zeros around: one before and two after, for positions outside the image
    padded = np.zeros((n, tall, wide), np.float32)
    padded[:, 1:-2, 1:-2] = images
    for places, size in ((rows, height), (columns, width)):
        places += 1
        np.clip(places, 0, size + 1, out=places)
    top, left = rows.astype(np.int32), columns.astype(np.int32)  # truncation is floor, since nothing is below 0
    rows -= top
    columns -= left
    top *= wide
    top += left
    at = top + np.arange(0, n * tall * wide, tall * wide)[:, None]
    flat = padded.reshape(-1)
    out, right, lower, lower_right = (flat[by:].take(at) for by in (0, 1, wide, wide + 1))
    right -= out
    right *= columns
    out += right
    lower_right -= lower
    lower_right *= columns
    lower += lower_right
    lower -= out
    lower *= rows
    out += lower
    return out
