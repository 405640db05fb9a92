"""Neural networks on `autograd`: of scalar neurons, and of layers on Tensors.

`Neuron`, `Layer` and `MLP` are made of `Value`s; `Linear` and the layers beside it of `Tensor`s. Losses, optimisers
and the training loop serve both. `nn.init`, `nn.data` and `nn.plots` are modules of their own.
"""

from nn.layers import (
    ELU, GELU, Dropout, Flatten, LeakyReLU, Linear, ReLU, Sequential, Sigmoid, SiLU, Softmax, Softplus, Tanh, dense,
)  # fmt: skip
from nn.module import Module
from nn.neuron import MLP, Layer, Neuron
