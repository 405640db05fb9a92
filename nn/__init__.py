"""Neural networks on `autograd`: of scalar neurons, and of layers on Tensors.

`Neuron`, `Layer` and `MLP` are made of `Value`s; `Linear` and the layers beside it of `Tensor`s. Losses, optimisers
and the training loop serve both. `nn.data`, `nn.init` and `nn.plots` are modules of their own.
"""

from nn.layers import (
    ELU, GELU, Dropout, Flatten, LeakyReLU, Linear, ReLU, Sequential, Sigmoid, SiLU, Softmax, Softplus, Tanh, dense,
)  # fmt: skip
from nn.losses import (
    absolute_error, binary_cross_entropy, cross_entropy, hinge, huber, kl_divergence, multiclass_hinge, squared_error,
)  # fmt: skip
from nn.module import Module
from nn.neuron import MLP, Layer, Neuron
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm, clip_grad_value
from nn.schedules import Cosine, Exponential, OneCycle, StepDecay, Warmup
from nn.training import EarlyStopping, History, NonFiniteLoss, evaluate, fit, predict
