"""What layers of images share: their sizes, the check of their input, and the order of axes in which they compute.

They take (n, channels, height, width), and compute on (channels, height, width, n). A window then moves rows of whole
batches, which are long and lie side by side in memory. Products are few and large. The results are transposed back as
views. So from layer to layer the numbers stay in this order, and elementwise operations keep it, too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import pad, transpose
from nn.support.names import whole

PLACES = {1: "length", 2: "height, width"}
"""The axes of an image after the channels, by their number."""


def each(what: str, given: Any, n: int) -> tuple[int, ...]:
    """A whole number above 0 for each of n axes. A single number is that of all axes.

    >>> each("rows", 3, 2), each("rows", (3, 1), 2)
    ((3, 3), (3, 1))
    """
    if isinstance(given, list | tuple) and len(given) != n:
        raise ValueError(f"the number of {what} is one number, or one for each of {n} axes, not {given!r:.60}")
    numbers = given if isinstance(given, list | tuple) else (given,) * n
    return tuple([whole(what, i) for i in numbers])


def short(numbers: Sequence[Any]) -> Any:
    """One number if all are equal.

    >>> short((3, 3)), short((3, 1))
    (3, (3, 1))
    """
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)


def check_images(layer: Any, x: Any, axes: int, channels: int | None = None) -> None:
    """ValueError, which says what to do, unless `x` has the batch, so many channels, and so many other axes."""
    shape = np.shape(x)
    if len(shape) == axes + 2 and channels in (None, shape[1]):
        return
    wanted = f"(n, {'channels' if channels is None else channels}, {PLACES[axes]})"
    hint = ""
    if len(shape) == axes + 2 and shape[-1] == channels:
        order = (0, axes + 1, *range(1, axes + 1))
        hint = f"; the channels come last: transpose{order}"
    elif len(shape) == axes + 1 and channels in (None, 1):
        hint = "; an axis is missing: x[:, None] if it is the channel, x[None] if it is the batch"
    elif len(shape) == axes + 1 and shape[0] == channels:
        hint = "; the axis of the batch is missing: x[None]"
    elif len(shape) == 2:
        hint = "; it is flat: reshape it to images first"
    raise ValueError(f"{layer!r} takes inputs {wanted}, and was given an input of shape {shape}{hint}")


def check_fits(layer: Any, x: Any, lengths: Sequence[Any], spans: Sequence[int]) -> None:
    """ValueError unless windows of these spans fit into the padded lengths of `x`."""
    for n, span in zip(lengths, spans, strict=True):
        if isinstance(n, int) and n < span:
            raise ValueError(
                f"{layer!r} needs {span} places along each axis, and an input of shape {np.shape(x)} has {n}, padding "
                "included: pad it, or use fewer or smaller layers"
            )


def batch_last(x: Any) -> Any:
    """(n, channels, …) as (channels, …, n). A plain array is copied into that order of memory, once."""
    turned = transpose(x, (*range(1, len(np.shape(x))), 0))
    return np.ascontiguousarray(turned) if isinstance(turned, np.ndarray) else turned


def batch_first(x: Any) -> Any:
    """The same back, as a view."""
    last = len(np.shape(x)) - 1
    return transpose(x, (last, *range(last)))


def padded(x: Any, padding: Sequence[tuple[int, int]]) -> Any:
    """(channels, …, n) with zeros around the axes between. Nothing is done where nothing is to be added."""
    return pad(x, ((0, 0), *padding, (0, 0))) if any(sum(pair) for pair in padding) else x
