"""Automatic differentiation, one row per operation.

`Value` is a number and `Tensor` an array that remember how they were computed; every operation below works on
floats, arrays, Values and Tensors alike. The operations live in `autograd.ops`, what a row of that table is in
`autograd.rows`, the graph in `autograd.graph`.
"""

from autograd.graph import no_grad
from autograd.ops import (
    abs, acos, add, asin, astype, atan, atan2, broadcast_to, clip, concatenate, cos, cosh, cross_entropy, cumsum, div,
    dot, einsum, elu, erf, erfc, exp, expand_dims, expm1, flip, gelu, getitem, hypot, leaky_relu, linear, log, log1p,
    log2, log10, log_softmax, logsumexp, matmul, max, maximum, mean, min, minimum, mul, neg, norm, outer, pad, power,
    prod, reciprocal, relu, reshape, scatter, sigmoid, sign, silu, sin, sinh, softmax, softplus, split, sqrt, square,
    squeeze, stack, std, sub, sum, swapaxes, take_along_axis, tan, tanh, transpose, var, where,
)  # fmt: skip
from autograd.tensor import Tensor
from autograd.value import Value

__version__ = "0.1.0"
