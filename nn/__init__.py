"""Neural networks on `autograd`.

`Neuron`, `Layer` and `MLP` are networks of `Value`s. `Linear` and the other layers are networks of `Tensor`s. Losses,
optimisers and the training loop work with both.

The modules of this package, such as `nn.data`, `nn.training` and `nn.plots`, are listed in `docs/house.md`. Those that
need more than NumPy are loaded on first use.
"""

import importlib as _importlib
import sys as _sys
import typing as _typing

from nn.export import (
    ExportError as ExportError,
    export_jax as export_jax,
    export_onnx as export_onnx,
    export_source as export_source,
    export_torch as export_torch,
    to_jax as to_jax,
    to_torch as to_torch,
)
from nn.layers import (
    ELU as ELU,
    GELU as GELU,
    AvgPool2d as AvgPool2d,
    BatchNorm1d as BatchNorm1d,
    BatchNorm2d as BatchNorm2d,
    Conv1d as Conv1d,
    Conv2d as Conv2d,
    ConvTranspose2d as ConvTranspose2d,
    Dropout as Dropout,
    Embedding as Embedding,
    Flatten as Flatten,
    GlobalAvgPool as GlobalAvgPool,
    LayerNorm as LayerNorm,
    LeakyReLU as LeakyReLU,
    Linear as Linear,
    MaxPool2d as MaxPool2d,
    ReLU as ReLU,
    Residual as Residual,
    RMSNorm as RMSNorm,
    Sequential as Sequential,
    Sigmoid as Sigmoid,
    SiLU as SiLU,
    Softmax as Softmax,
    Softplus as Softplus,
    Tanh as Tanh,
    dense as dense,
)
from nn.losses import (
    absolute_error as absolute_error,
    binary_cross_entropy as binary_cross_entropy,
    cross_entropy as cross_entropy,
    hinge as hinge,
    huber as huber,
    kl_divergence as kl_divergence,
    multiclass_hinge as multiclass_hinge,
    squared_error as squared_error,
)
from nn.module import Module as Module
from nn.neuron import (
    MLP as MLP,
    Layer as Layer,
    Neuron as Neuron,
)
from nn.optim import (
    EMA as EMA,
    SGD as SGD,
    Adagrad as Adagrad,
    Adam as Adam,
    AdamW as AdamW,
    Cosine as Cosine,
    Exponential as Exponential,
    OneCycle as OneCycle,
    Optimizer as Optimizer,
    RMSprop as RMSprop,
    StepDecay as StepDecay,
    Warmup as Warmup,
    clip_grad_norm as clip_grad_norm,
    clip_grad_value as clip_grad_value,
)
from nn.training import (
    EarlyStopping as EarlyStopping,
    Frames as Frames,
    History as History,
    NonFiniteLoss as NonFiniteLoss,
    evaluate as evaluate,
    find_learning_rate as find_learning_rate,
    fit as fit,
    predict as predict,
)

if _typing.TYPE_CHECKING:
    from nn import (
        checkpoint as checkpoint,
        data as data,
        export as export,
        init as init,
        inspection as inspection,
        layers as layers,
        losses as losses,
        optim as optim,
        plots as plots,
        report as report,
        sklearn as sklearn,
        training as training,
    )

_MODULES = (
    "checkpoint",
    "data",
    "export",
    "init",
    "inspection",
    "layers",
    "losses",
    "optim",
    "plots",
    "report",
    "sklearn",
    "training",
)

if not _typing.TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted([*__all__, *_MODULES])

    def __getattr__(name):
        module = _sys.modules[__name__]
        if name not in _MODULES:
            raise AttributeError(f"module 'nn' has no attribute {name!r}", name=name, obj=module)
        try:
            return _importlib.import_module(f"nn.{name}")
        except ImportError as error:  # editors ask for every name, even if an optional package is not installed
            raise AttributeError(f"nn.{name} cannot be loaded: {error}", name=name, obj=module) from error
