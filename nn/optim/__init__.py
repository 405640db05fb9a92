"""Optimisers change parameters by their gradients.

The package also has schedules of the learning rate, clipping of gradients, and running means of the parameters.
"""

import typing as _typing

from nn.optim.optimizer import Optimizer as Optimizer
from nn.optim.sgd import SGD as SGD
from nn.optim.adaptive import Adagrad as Adagrad, RMSprop as RMSprop, Adam as Adam, AdamW as AdamW
from nn.optim.averaging import EMA as EMA
from nn.optim.clipping import clip_grad_norm as clip_grad_norm, clip_grad_value as clip_grad_value
from nn.optim.schedules import (
    Cosine as Cosine,
    Exponential as Exponential,
    OneCycle as OneCycle,
    StepDecay as StepDecay,
    Warmup as Warmup,
)

if not _typing.TYPE_CHECKING:  # type checkers take every public name
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
