"""Layers on `Tensor`s, by kind.

The batch axis comes first. `Linear` maps (…, n_in) to (…, n_out). Layers of images take (n, channels, height, width).
"""

import typing as _typing

from nn.layers.activations import (
    ELU as ELU,
    GELU as GELU,
    Activation as Activation,
    ActivationLike as ActivationLike,
    LeakyReLU as LeakyReLU,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    SiLU as SiLU,
    Softmax as Softmax,
    Softplus as Softplus,
    Tanh as Tanh,
    activation_layer as activation_layer,
    activations as activations,
)
from nn.layers.linear import Linear as Linear, Rng as Rng
from nn.layers.dropout import Dropout as Dropout
from nn.layers.combining import (
    Flatten as Flatten,
    LayerLike as LayerLike,
    Residual as Residual,
    Sequential as Sequential,
    dense as dense,
)
from nn.layers.convolution import Conv1d as Conv1d, Conv2d as Conv2d, ConvTranspose2d as ConvTranspose2d
from nn.layers.pooling import AvgPool2d as AvgPool2d, GlobalAvgPool as GlobalAvgPool, MaxPool2d as MaxPool2d

from nn.layers.embedding import Embedding as Embedding
from nn.layers.normalizing import (
    BatchNorm1d as BatchNorm1d,
    BatchNorm2d as BatchNorm2d,
    LayerNorm as LayerNorm,
    RMSNorm as RMSNorm,
)

if not _typing.TYPE_CHECKING:  # type checkers take every public name
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
