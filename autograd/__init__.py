"""Automatic differentiation, one row per operation.

`Value` is a number and `Tensor` an array that remember how they were computed. Every operation of `autograd.ops`
(`exp`, `matmul`, `logsumexp`, …) is a name here too, and works on floats, arrays, Values and Tensors alike.

What lives where: the table of operations in `autograd.ops`, what a row of it is in `autograd.rows`; nodes, order and
modes in `autograd.graph`; the scalar node in `autograd.value`, the array node in `autograd.tensor`.
"""

from autograd.anomaly import AnomalyError, anomaly
from autograd.custom import custom_op
from autograd.graph import no_grad
from autograd.ops import *
from autograd.tensor import Tensor
from autograd.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.value import Value

__version__ = "0.1.0"
