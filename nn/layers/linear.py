"""`Linear`: a product with weights."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import Tensor, linear, matmul
from nn import init
from nn.module import Module
from nn.support.arrays import as_operand
from nn.support.names import whole

Rng = np.random.Generator | int | None


class Linear(Module):
    """``x @ weight + bias``.

    Args:
        n_in, n_out: the lengths of the last axes of input and output.
        bias: False for a layer without a bias.
        weight_init: an initialiser from `nn.init`, or its name. The default is He's uniform.
        rng: a seed or a generator for the weights.
        dtype: float32 or float64.

    `weight` has the shape (n_in, n_out). So the gradient ``x.T @ g`` is a product of contiguous arrays.

    >>> layer = Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        bias: bool = True,
        weight_init: str | init.Initializer = init.he_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = whole("inputs", n_in), whole("outputs", n_out)
        if not isinstance(bias, bool | np.bool_):
            raise TypeError(f"bias is True or False, not {bias!r:.60}; an activation is a layer of its own, nn.ReLU()")
        weight = np.asarray(init.initializer(weight_init)(shape, np.random.default_rng(rng)))
        if weight.shape != shape:
            raise ValueError(f"weight_init made an array of shape {weight.shape}, for weights of shape {shape}")
        self.weight = Tensor(weight, dtype)
        self.bias: Tensor | Any = Tensor(np.zeros(n_out), dtype) if bias else None  # Any: most programs know which

    def __call__(self, x: Any) -> Tensor:
        x = as_operand(x, "Linear")
        try:
            if self.bias is None:
                return matmul(x, self.weight)  # type: ignore[no-any-return]
            return linear(x, self.weight, self.bias)  # type: ignore[no-any-return]
        except ValueError:
            shape, n = x.shape if hasattr(x, "shape") else np.shape(x), len(self.weight)
            if shape[-1:] == (n,):
                raise
            hint = "; put nn.Flatten() before it" if math.prod(shape[1:]) == n else ""
            hint = "; is it transposed? Rows are samples" if shape[:-1] == (n,) else hint
            raise ValueError(
                f"{self!r} takes inputs (..., {n}), and was given an input of shape {shape}{hint}"
            ) from None

    def __repr__(self) -> str:
        n_in, n_out = self.weight.shape
        return f"Linear({n_in}, {n_out}{', bias=False' if self.bias is None else ''})"
