"""Images shifted, turned, scaled and bent at random: more examples than there are.

Each pixel of a new image is looked up somewhere in the old one. Where, is a sum of fixed fields (constant, row,
column, and smooth bumps all over the image) with random weights, so one matrix product places the pixels of all the
images; bilinear interpolation then reads them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.support.arrays import as_array

Array = npt.NDArray[Any]
Seed = int | np.random.Generator

CHUNK = 8  # images at a time: larger arrays the system hands out anew each time, which takes longer than all the rest


@dataclass(frozen=True)
class Augment:
    """Random shifts, rotations, scalings and elastic distortions of grey images, each image by its own draw.

    Args:
        shift: pixels, up to which an image moves vertically and horizontally, uniform in [-shift, shift].
        rotate: degrees, uniform in [-rotate, rotate] about the centre.
        scale: height and width are multiplied each by a factor, uniform in [1 - scale, 1 + scale]; below 1.
        elastic: pixels, the standard deviation of the smooth random displacement of each pixel, per direction.
        smoothness: pixels, the standard deviation of the Gaussian bumps that the displacement is made of.
        shape: (height, width) of images that come as rows of pixels; by default they are square.

    What moves in from outside is 0. Raises ValueError for negative or non-finite numbers, a `scale` of 1 or more, and
    a `smoothness` below 1. The elastic field is that of Simard, Steinkraus and Platt (2003), "Best practices for
    convolutional neural networks": Gaussian-smoothed noise; here the noise is on a grid with `smoothness` between.

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
            raise ValueError(f"scale has to be below 1, for a factor of 0 leaves no image; got {self.scale}")
        if self.smoothness < 1:
            raise ValueError(f"smoothness has to be at least 1 pixel, got {self.smoothness}")

    def __call__(self, images: Array, rng: Seed) -> Array:
        """New images of the shape and dtype of `images`: (N, height, width), or rows of pixels (N, height * width).

        `rng` is a generator or a seed; the same state, the same images. It computes in float32. Raises TypeError for
        images that are not floating-point, ValueError for other shapes.
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
            wanted = "square ones" if self.shape is None else f"{self.shape}"
            raise ValueError(
                f"augmentation needs images (N, height, width), or rows of the pixels of {wanted} (shape= says others);"
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
            bumps *= self.elastic / np.sqrt((bumps**2).sum(axis=0))  # as strong at the edges as inside
            grid = np.concatenate([plain, bumps]) if self.elastic else np.array(plain)
            self._bases[height, width] = grid.reshape(len(grid), -1).astype(np.float32)
        return self._bases[height, width]

    def _knots(self, size: int) -> Array:
        """Centres of bumps along an edge, from end to end, at most `smoothness` apart."""
        return np.linspace(-(size - 1) / 2, (size - 1) / 2, math.ceil((size - 1) / self.smoothness) + 1)

    def _weights(self, n: int, height: int, width: int, rng: np.random.Generator) -> Array:
        """Each image's weights of the fields for the row and the column to read, (n, 2, 3 + bumps) float32."""
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
    """Read images (n, height, width) float32 at rows and columns (n, places); 0 outside. Overwrites the places."""
    n, height, width = images.shape
    tall, wide = height + 3, width + 3  # zeros around, one before and two after: what lies outside, and its neighbours
    padded = np.zeros((n, tall, wide), np.float32)
    padded[:, 1:-2, 1:-2] = images
    for places, size in ((rows, height), (columns, width)):
        places += 1
        np.clip(places, 0, size + 1, out=places)
    top, left = rows.astype(np.int32), columns.astype(np.int32)  # truncation is floor where nothing is below 0
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
