"""`Embedding`: a row of trained numbers for each of a set of whole numbers."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import Tensor, getitem
from nn import init
from nn.layers.linear import Rng
from nn.module import Module
from nn.support.arrays import as_operand
from nn.support.names import whole


class Embedding(Module):
    """Whole numbers, such as words, to rows of `weight`: (…) to (…, embedding_dim).

    Args:
        num_embeddings: how many there are; they are numbered from 0.
        embedding_dim: the length of a row.
        weight_init: an initialiser from `nn.init`, or its name. The default is the normal distribution, as in PyTorch.
        rng: a seed or a generator for the weights.
        dtype: float32 or float64.

    >>> words = Embedding(10, 3, rng=0)
    >>> words([[1, 2], [2, 9]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        weight_init: str | init.Initializer | None = None,
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = whole("embeddings", num_embeddings), whole("numbers of an embedding", embedding_dim)
        make = init.normal(1.0) if weight_init is None else init.initializer(weight_init)
        weight = np.asarray(make(shape, np.random.default_rng(rng)))
        if weight.shape != shape:
            raise ValueError(f"weight_init made an array of shape {weight.shape}, for weights of shape {shape}")
        self.weight = Tensor(weight, dtype)

    def __call__(self, x: Any) -> Tensor:
        x, n = as_operand(x, "Embedding"), len(self.weight)
        if np.dtype(getattr(x, "dtype", float)).kind not in "iu":
            raise TypeError(f"{self!r} takes whole numbers, such as the index of a word, not {x.dtype}: x.astype(int)")
        if np.size(x) and not 0 <= np.min(x) <= np.max(x) < n:
            raise ValueError(
                f"{self!r} takes whole numbers from 0 to {n - 1}, and was given {np.min(x)} to {np.max(x)}"
            )
        return getitem(self.weight, x)

    def __repr__(self) -> str:
        return f"Embedding({', '.join(map(str, self.weight.shape))})"
