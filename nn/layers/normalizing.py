"""Layers that bring numbers to mean 0 and variance 1, over the batch or within each sample."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from autograd import Tensor, detach, mean, reshape, sqrt, square
from nn.layers.images import PLACES
from nn.module import Module
from nn.support.arrays import as_operand
from nn.support.names import whole


class BatchNormalization(Module):
    """What the layers below share: each channel is normalised over the batch and over all places."""

    kinds: ClassVar[dict[int, str]]
    """The shapes of inputs, by their number of axes."""
    buffers = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.num_features = whole("channels", num_features)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"momentum is a share from 0 to 1, or None for the mean of all batches, not {momentum!r}")
        self.eps, self.momentum, self.track_running_stats = eps, momentum, track_running_stats
        self.weight: Tensor | Any = Tensor(np.ones(num_features), dtype) if affine else None
        self.bias: Tensor | Any = Tensor(np.zeros(num_features), dtype) if affine else None
        self.running_mean: Any = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var: Any = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked: Any = np.array(0) if track_running_stats else None

    def __call__(self, x: Any) -> Any:
        x = as_operand(x, type(self).__name__)
        shape = np.shape(x)
        if len(shape) not in self.kinds or shape[1] != self.num_features:
            wanted = " or ".join(
                f"({kind})".replace("channels", str(self.num_features)) for kind in self.kinds.values()
            )
            hint = "; the channels come last, transpose it" if shape[-1:] == (self.num_features,) else ""
            raise ValueError(f"{self!r} takes inputs {wanted}, and was given an input of shape {shape}{hint}")
        spread = (1, self.num_features, *[1] * (len(shape) - 2))
        weight, bias = (p if p is None else reshape(p, spread) for p in (self.weight, self.bias))
        if not self.training and self.track_running_stats:
            scale = np.reshape(1 / np.sqrt(self.running_var + self.eps), spread)
            shift = np.reshape(self.running_mean, spread)
            return _affine(x - shift, scale, weight, bias)
        axes = (0, *range(2, len(shape)))
        count = int(np.prod([shape[i] for i in axes]))
        if self.training and count < 2:
            raise ValueError(
                f"{self!r} cannot learn from one number a channel, an input of shape {shape}: use larger batches, or "
                "model.eval()"
            )
        center = mean(x, axis=axes, keepdims=True)
        apart = x - center
        spread_out = mean(square(apart), axis=axes, keepdims=True)
        if self.training and self.track_running_stats:
            self._track(detach(center), detach(spread_out), count)
        return _affine(apart, 1 / sqrt(spread_out + self.eps), weight, bias)

    def _track(self, center: Any, variance: Any, count: int) -> None:
        """Move the running statistics towards those of a batch. The variance is that of a sample, as in PyTorch."""
        self.num_batches_tracked = np.asarray(self.num_batches_tracked + 1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        found = {"running_mean": center, "running_var": variance * (count / (count - 1))}
        for name, new in found.items():
            old = getattr(self, name)
            setattr(self, name, old + np.asarray(share * (np.asarray(new).reshape(-1) - old), old.dtype))

    def __repr__(self) -> str:
        usual: dict[str, Any] = {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
        given = {name: getattr(self, name, self.weight is not None) for name in usual}
        rest = [f"{name}={x}" for name, x in given.items() if x != usual[name]]
        return f"{type(self).__name__}({', '.join([str(self.num_features), *rest])})"


class BatchNorm1d(BatchNormalization):
    """`BatchNorm2d` for rows (n, channels), or sequences (n, channels, length).

    >>> layer = BatchNorm1d(2)
    >>> layer(np.array([[1.0, 2.0], [3.0, 2.0]], np.float32)).data.round(2)
    array([[-1.,  0.],
           [ 1.,  0.]], dtype=float32)
    """

    kinds: ClassVar = {2: "n, channels", 3: f"n, channels, {PLACES[1]}"}


class BatchNorm2d(BatchNormalization):
    """Each channel of images (n, channels, height, width), minus its mean, divided by its standard deviation.

    Args:
        num_features: the number of channels.
        eps: is added to the variance.
        momentum: the share of a new batch in the running statistics; None for the mean of all batches.
        affine: True to multiply by `weight` and add `bias`, which are trained.
        track_running_stats: False to use the statistics of the batch in evaluation, too.
        dtype: float32 or float64.

    In training mode, mean and variance are those of the batch. Running means of them are kept, and used in evaluation
    mode. They are buffers: state dicts, checkpoints and exports have them, and optimisers do not change them.

    Ioffe and Szegedy, "Batch normalization", ICML 2015.

    >>> layer = BatchNorm2d(3)
    >>> layer(np.ones((2, 3, 4, 4), np.float32)).shape, list(layer.state_dict())
    ((2, 3, 4, 4), ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'])
    """

    kinds: ClassVar = {4: f"n, channels, {PLACES[2]}"}


class _WithinSamples(Module):
    """What the layers below share: they normalise the last axes of each sample."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        given = normalized_shape if isinstance(normalized_shape, list | tuple) else (normalized_shape,)
        self.normalized_shape = tuple(whole("numbers to normalise", n) for n in given)
        self.eps = eps
        self.weight: Tensor | Any = Tensor(np.ones(self.normalized_shape), dtype) if elementwise_affine else None

    def _axes(self, x: Any) -> tuple[int, ...]:
        """The axes to normalise, counted from the end; ValueError unless they have the right lengths."""
        n, shape = len(self.normalized_shape), np.shape(x)
        if shape[-n:] != self.normalized_shape:
            wanted = f"(…, {', '.join(map(str, self.normalized_shape))})"
            raise ValueError(f"{self!r} takes inputs {wanted}, and was given an input of shape {shape}")
        return tuple(range(-n, 0))

    def __repr__(self) -> str:
        shape = self.normalized_shape
        text = str(shape[0] if len(shape) == 1 else shape)
        return f"{type(self).__name__}({text}{', elementwise_affine=False' * (self.weight is None)})"


class LayerNorm(_WithinSamples):
    """The last axes of each sample, minus their mean, divided by their standard deviation.

    Args:
        normalized_shape: the lengths of these axes; one number for the last axis.
        eps: is added to the variance.
        elementwise_affine: True to multiply by `weight` and add `bias`, which are trained.
        bias: False for no `bias`.
        dtype: float32 or float64.

    Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> LayerNorm(2)(np.array([[1.0, 3.0]], np.float32)).data.round(2)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, dtype)
        self.bias: Tensor | Any = None
        if elementwise_affine and bias:
            self.bias = Tensor(np.zeros(self.normalized_shape), dtype)

    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "LayerNorm")
        axes = self._axes(x)
        apart = x - mean(x, axis=axes, keepdims=True)
        variance = mean(square(apart), axis=axes, keepdims=True)
        return _affine(apart, 1 / sqrt(variance + self.eps), self.weight, self.bias)


class RMSNorm(_WithinSamples):
    """The last axes of each sample, divided by the root of the mean of their squares, times `weight`.

    The arguments are those of `LayerNorm`. Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> RMSNorm(2)(np.array([[1.0, 7.0]], np.float32)).data.round(2)
    array([[0.2, 1.4]], dtype=float32)
    """

    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "RMSNorm")
        size = sqrt(mean(square(x), axis=self._axes(x), keepdims=True) + self.eps)
        return _affine(x, 1 / size, self.weight, None)


def _affine(x: Any, scale: Any, weight: Any, bias: Any) -> Any:
    """``x * scale * weight + bias``, without those that are None."""
    if weight is not None and np.shape(weight) == np.shape(scale):  # few numbers: they are multiplied first
        scale, weight = scale * weight, None
    out = x * scale
    out = out if weight is None else out * weight
    return out if bias is None else out + bias
