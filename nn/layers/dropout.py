"""`Dropout`: noise in training against learning by heart."""

from typing import Any, overload

import numpy as np

from autograd import Tensor
from nn.layers.linear import Rng
from nn.module import Module
from nn.support.arrays import as_operand


class Dropout(Module):
    """In training, sets each element to 0 with probability `p`, and multiplies the rest by 1 / (1 - p).

    In evaluation mode it does nothing.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).

    >>> drop = Dropout(0.5, rng=0)
    >>> drop.eval()(np.ones(3))
    array([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        if isinstance(p, str) or not 0 <= p < 1:
            raise ValueError(f"the probability of dropping must be in [0, 1), got {p!r}")
        self.p = p
        self.rng = np.random.default_rng(rng)

    @overload
    def __call__(self, x: Tensor) -> Tensor: ...
    @overload
    def __call__(self, x: Any) -> Any: ...
    def __call__(self, x: Any) -> Any:
        x = as_operand(x, "Dropout")
        if not self.training or self.p == 0:
            return x
        dtype = getattr(x, "dtype", np.dtype(np.float64))
        dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)  # an integer dtype would round the factor
        keep = self.rng.random(np.shape(x), np.float32) >= self.p
        return x * (keep * np.asarray(1 / (1 - self.p), dtype))

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
