"""Pooling: the largest or the mean number of each window of an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import max_pool, mean, sliding_window_view
from nn.layers.images import batch_first, batch_last, check_fits, check_images, each, padded, short
from nn.module import Module
from nn.support.arrays import as_operand


class Pooling(Module):
    """What the layers below share: their numbers, and how they are shown."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
    ) -> None:
        self.kernel_size = each("places of a window", kernel_size, 2)
        self.stride = self.kernel_size if stride is None else each("steps", stride, 2)
        self.dilation: tuple[int, ...] = (1, 1)
        numbers = padding if isinstance(padding, list | tuple) else (padding, padding)
        if any(not isinstance(n, int) or not 0 <= n <= k // 2 for n, k in zip(numbers, self.kernel_size, strict=True)):
            raise ValueError(
                f"padding is a whole number from 0 to half of the window {short(self.kernel_size)}, not {padding!r:.60}"
            )
        self.padding = tuple((n, n) for n in numbers)

    def _padded(self, x: Any) -> Any:
        """The input in the order of axes in which layers compute, with zeros around it."""
        check_images(self, x, 2)
        at = padded(batch_last(x), self.padding)
        check_fits(
            self, x, at.shape[1:-1], [d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        )
        return at

    def __repr__(self) -> str:
        rest = [f"stride={short(self.stride)}"] * (self.stride != self.kernel_size)
        rest += [f"padding={short([n for n, _ in self.padding])}"] * any(map(sum, self.padding))
        rest += [f"dilation={short(self.dilation)}"] * (max(self.dilation) > 1)
        return f"{type(self).__name__}({', '.join([str(short(self.kernel_size)), *rest])})"


class MaxPool2d(Pooling):
    """The largest number of each window: (n, channels, height, width) to (n, channels, rows, columns).

    Args:
        kernel_size: height and width of a window; one number if they are equal.
        stride: steps from one window to the next. By default windows do not overlap.
        padding: places around the image. They are never the largest.
        dilation: places from one element of a window to the next.

    Rows and columns that do not fill a window are left out. Equal numbers share the gradient.

    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.dilation = each("places apart", dilation, 2)

    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "MaxPool2d")
        at = self._padded(x)
        if any(map(sum, self.padding)):
            (top, _), (left, _) = self.padding
            _, height, width, _ = at.shape
            border = np.full((1, height, width, 1), -np.inf, np.float32)
            border[:, top : height - top, left : width - left] = 0.0
            at = at + border
        return batch_first(max_pool(at, self.kernel_size, (1, 2), self.stride, self.dilation))


class AvgPool2d(Pooling):
    """The mean of each window: (n, channels, height, width) to (n, channels, rows, columns).

    Args:
        kernel_size: height and width of a window; one number if they are equal.
        stride: steps from one window to the next. By default windows do not overlap.
        padding: zeros around the image, which count in the mean.

    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "AvgPool2d")
        windows = sliding_window_view(self._padded(x), self.kernel_size, (1, 2), self.stride)
        return batch_first(mean(windows, axis=(-2, -1)))


class GlobalAvgPool(Module):
    """The mean of each channel: (n, channels, …) to (n, channels).

    >>> GlobalAvgPool()(np.ones((2, 3, 4, 4))).shape
    (2, 3)
    """

    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "GlobalAvgPool")
        if np.ndim(x) < 3:
            raise ValueError(f"{self!r} takes inputs (n, channels, …), and was given an input of shape {np.shape(x)}")
        return mean(x, axis=tuple(range(2, np.ndim(x))))

    def __repr__(self) -> str:
        return "GlobalAvgPool()"
