"""Convolutions: one product of the weights with all windows of the input."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from autograd import Tensor, getitem, matmul, overlap_add, reshape, sliding_window_view, transpose
from nn import init
from nn.layers.images import batch_first, batch_last, check_fits, check_images, each, padded, short
from nn.layers.linear import Rng
from nn.module import Module
from nn.support.arrays import as_operand
from nn.support.names import whole


class Convolution(Module):
    """What the layers below share: their numbers, weights, and how they are shown."""

    axes: ClassVar[int]
    """How many axes an image has after the channels."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        weight_init: str | init.Initializer = init.he_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.in_channels, self.out_channels = whole("input channels", in_channels), whole("filters", out_channels)
        self.kernel_size = each("places of a kernel", kernel_size, self.axes)
        self.stride, self.dilation = each("steps", stride, self.axes), each("places apart", dilation, self.axes)
        self.groups = whole("groups", groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{in_channels} and {out_channels} channels cannot be split into {groups} equal groups")
        self.padding = self._padding(padding)
        if not isinstance(bias, bool | np.bool_):
            raise TypeError(f"bias is True or False, not {bias!r:.60}; an activation is a layer of its own, nn.ReLU()")
        n_in, n_out = self._channels_of_a_weight()
        made = init.initializer(weight_init)((*self.kernel_size, n_in, n_out), np.random.default_rng(rng))
        made = np.asarray(made)
        if made.shape != (*self.kernel_size, n_in, n_out):
            raise ValueError(f"weight_init made an array of shape {made.shape}, not {(*self.kernel_size, n_in, n_out)}")
        self.weight = Tensor(np.ascontiguousarray(made.transpose(self._order_of_a_weight())), dtype)
        self.bias: Tensor | Any = Tensor(np.zeros(out_channels), dtype) if bias else None

    def _channels_of_a_weight(self) -> tuple[int, int]:
        return self.in_channels // self.groups, self.out_channels

    def _order_of_a_weight(self) -> tuple[int, ...]:
        return (self.axes + 1, self.axes, *range(self.axes))

    @property
    def spans(self) -> tuple[int, ...]:
        """The places from the first to the last of a window, along each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))

    def _padding(self, given: Any) -> tuple[tuple[int, int], ...]:
        """The zeros before and after, for each axis."""
        if given == "valid":
            return ((0, 0),) * self.axes
        if given == "same":
            if max(self.stride) > 1:
                raise ValueError(f'padding="same" keeps the size, which a stride of {short(self.stride)} cannot')
            return tuple(((n - 1) // 2, n // 2) for n in self.spans)  # the odd one comes last
        if isinstance(given, str):
            raise ValueError(f'padding is "same", "valid", a number, or one for each axis, not {given!r:.60}')
        numbers = given if isinstance(given, list | tuple) else (given,) * self.axes
        return tuple((n - 1, n - 1) for n in each("zeros to pad, and one,", [n + 1 for n in numbers], self.axes))

    def _biased(self, out: Any) -> Any:
        """The products (filters, places) with the bias of each filter."""
        return out if self.bias is None else out + reshape(self.bias, (self.out_channels, 1))

    def __repr__(self) -> str:
        changed = {
            "stride": short(self.stride),
            "padding": short([pair[0] if pair[0] == pair[1] else pair for pair in self.padding]),
            "dilation": short(self.dilation),
            "groups": self.groups,
            "bias": self.bias is not None,
        }
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
        first = f"{self.in_channels}, {self.out_channels}, {short(self.kernel_size)}"
        rest = [f"{name}={x}" for name, x in changed.items() if x != usual[name]]
        return f"{type(self).__name__}({', '.join([first, *rest])})"


class _Forward(Convolution):
    """A convolution from many places to few."""

    def __call__(self, x: Any) -> Tensor:
        x = as_operand(x, type(self).__name__)
        check_images(self, x, self.axes, self.in_channels)
        at, n_axes = padded(batch_last(x), self.padding), self.axes
        check_fits(self, x, at.shape[1:-1], self.spans)
        windows = sliding_window_view(at, self.kernel_size, range(1, n_axes + 1), self.stride, self.dilation)
        _, *places, n = windows.shape[: n_axes + 2]
        last = range(n_axes + 2, 2 * n_axes + 2)
        columns = transpose(windows, (0, *last, *range(1, n_axes + 2)))
        inputs, count = self.in_channels // self.groups * math.prod(self.kernel_size), math.prod(places) * n
        if self.groups == 1:
            out = matmul(reshape(self.weight, (self.out_channels, inputs)), reshape(columns, (inputs, count)))
        else:
            weight = reshape(self.weight, (self.groups, self.out_channels // self.groups, inputs))
            out = matmul(weight, reshape(columns, (self.groups, inputs, count)))
            out = reshape(out, (self.out_channels, count))
        return batch_first(reshape(self._biased(out), (self.out_channels, *places, n)))  # type: ignore[no-any-return]


class Conv1d(_Forward):
    """Filters that slide along sequences: (n, in_channels, length) to (n, out_channels, places).

    The arguments are those of `Conv2d`, with one number where that has two.

    >>> Conv1d(4, 8, 3, padding="same", rng=0)(np.ones((2, 4, 10), np.float32)).shape
    (2, 8, 10)
    """

    axes = 1


class Conv2d(_Forward):
    """Filters that slide over images: (n, in_channels, height, width) to (n, out_channels, rows, columns).

    Args:
        in_channels, out_channels: the channels of input and output.
        kernel_size: height and width of a filter; one number if they are equal.
        stride: steps from one place of the filter to the next.
        padding: zeros around the image: a number, one for each axis, "valid" for none, or "same" for as many as keep
            the size.
        dilation: places from one element of the filter to the next.
        groups: the channels are split into so many groups, and each is convolved on its own.
        bias: False for a layer without a bias.
        weight_init: an initialiser from `nn.init`, or its name. The default is He's uniform, as in `Linear`.
        rng: a seed or a generator for the weights.
        dtype: float32 or float64.

    `weight` has PyTorch's shape (out_channels, in_channels / groups, height, width).

    >>> Conv2d(1, 6, 5, padding=2, rng=0)
    Conv2d(1, 6, 5, padding=2)
    >>> Conv2d(1, 6, 5, padding=2, rng=0)(np.ones((3, 1, 28, 28), np.float32)).shape
    (3, 6, 28, 28)
    """

    axes = 2


class ConvTranspose2d(Convolution):
    """The transpose of `Conv2d`: each number of the input adds a multiple of the filter to the output.

    With a stride it makes images larger, from (rows - 1) * stride + kernel_size - 2 * padding. The arguments are those
    of `Conv2d`, and `output_padding`, which adds rows and columns at the end. `weight` has PyTorch's shape
    (in_channels, out_channels / groups, height, width).

    >>> ConvTranspose2d(8, 4, 2, stride=2, rng=0)(np.ones((3, 8, 7, 7), np.float32)).shape
    (3, 4, 14, 14)
    """

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        weight_init: str | init.Initializer = init.he_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if isinstance(padding, str):
            raise ValueError(f"the padding of ConvTranspose2d is a number, or one for each axis, not {padding!r:.60}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, weight_init, rng, dtype
        )
        self.output_padding = tuple(n[0] for n in self._padding(output_padding))
        if any(more >= s for more, s in zip(self.output_padding, self.stride, strict=True)):
            raise ValueError(f"output_padding {output_padding} has to be less than the stride {short(self.stride)}")

    def _channels_of_a_weight(self) -> tuple[int, int]:
        return self.in_channels, self.out_channels // self.groups

    def _order_of_a_weight(self) -> tuple[int, ...]:
        return (self.axes, self.axes + 1, *range(self.axes))

    def __call__(self, x: Any) -> Tensor:
        x = as_operand(x, type(self).__name__)
        check_images(self, x, self.axes, self.in_channels)
        at = batch_last(x)
        _, *places, n = at.shape
        inputs, outputs = self.in_channels // self.groups, self.out_channels // self.groups
        count, size = math.prod(places) * n, math.prod(self.kernel_size)
        weight = reshape(self.weight, (self.groups, inputs, outputs * size))
        columns = matmul(
            transpose(weight, (0, 2, 1)), reshape(at, (self.groups, inputs, count))
        )  # the numbers that each place adds to a window
        windows = reshape(columns, (self.out_channels, *self.kernel_size, *places, n))
        windows = transpose(windows, (0, 3, 4, 5, 1, 2))
        lengths = [
            (m - 1) * s + span + more
            for m, s, span, more in zip(places, self.stride, self.spans, self.output_padding, strict=True)
        ]
        out = overlap_add(windows, (self.out_channels, *lengths, n), (1, 2), self.stride, self.dilation)
        kept = [slice(before, m - after) for m, (before, after) in zip(lengths, self.padding, strict=True)]
        if any(part.stop <= part.start for part in kept):
            raise ValueError(f"nothing is left of an input of shape {np.shape(x)} after {self!r}: use less padding")
        out = getitem(out, (slice(None), *kept)) if any(map(sum, self.padding)) else out
        if self.bias is not None:
            out = out + reshape(self.bias, (self.out_channels, 1, 1, 1))
        return batch_first(out)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        more = short(self.output_padding)
        return super().__repr__()[:-1] + f", output_padding={more})" * bool(more) or super().__repr__()
