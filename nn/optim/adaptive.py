"""Optimisers that give each number a learning rate of its own: `Adagrad`, `RMSprop`, `Adam` and `AdamW`.

Each divides a number's step by the root of its squared gradients, summed or averaged over the steps. So numbers with
small gradients move about as far as numbers with large ones. `_update` has an optimiser's formula line by line. It
computes in place and in one scratch array, so that a step allocates no arrays.
"""

import math
from typing import Any

import numpy as np

from nn.optim.optimizer import Optimizer
from nn.optim.parameters import Parameters
from nn.optim.schedules import Rate, checked
from nn.support.arrays import Array


class _Adaptive(Optimizer):
    """The common base class. `eps` keeps the divisor above 0. `s` sums or averages a parameter's squared gradients."""

    def __init__(self, parameters: Parameters, lr: Rate, eps: float, weight_decay: float) -> None:
        self.eps = checked("eps", eps)
        super().__init__(parameters, lr, weight_decay)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"s": np.zeros_like(p)}


class Adagrad(_Adaptive):
    """``p -= lr * g / (sqrt(s) + eps)``, where ``s += g²`` sums the squares of all gradients so far.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12
    (2011).

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> Adagrad([w], lr=0.25).step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(self, parameters: Parameters, lr: Rate = 0.01, eps: float = 1e-10, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, lr, eps, weight_decay)

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        s = state["s"]
        s += np.square(g, out=scratch)
        p -= _quotient(g, s, lr, self.eps, out=scratch)


class RMSprop(_Adaptive):
    """``p -= lr * g / (sqrt(s) + eps)``, where ``s = alpha * s + (1 - alpha) * g²`` is a running mean.

    Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera 2012. Raises ValueError for an alpha outside [0, 1).

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> RMSprop([w], lr=0.025).step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(
        self, parameters: Parameters, lr: Rate = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        self.alpha = checked("alpha", alpha, below=1)
        super().__init__(parameters, lr, eps, weight_decay)

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        s = state["s"]
        _average(s, np.square(g, out=scratch), self.alpha, scratch)
        p -= _quotient(g, s, lr, self.eps, out=scratch)


class Adam(_Adaptive):
    """``p -= lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps)`` at a parameter's t-th update.

    ``m = b1 * m + (1 - b1) * g`` and ``v = b2 * v + (1 - b2) * g²`` are running means. They start at 0, so they are too
    small at first. The divisors ``1 - b1**t`` and ``1 - b2**t`` correct this.

    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. Raises ValueError for betas outside [0, 1).

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> Adam([w], lr=0.25).step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        try:
            b1, b2 = betas
        except (TypeError, ValueError):
            raise TypeError(f"betas is a pair of numbers such as (0.9, 0.999), not {betas!r:.60}") from None
        self.betas = checked("betas[0]", b1, below=1), checked("betas[1]", b2, below=1)
        super().__init__(parameters, lr, eps, weight_decay)

    _counts = ("t",)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"m": np.zeros_like(p), "v": np.zeros_like(p), "t": np.zeros((), np.int64)}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        p -= self._step(g, lr, state, scratch)

    def _step(self, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> Array:
        """The number to subtract from each parameter, in the scratch array."""
        m, v, t = state["m"], state["v"], state["t"]
        b1, b2 = self.betas
        t += 1
        _average(m, g, b1, scratch)
        _average(v, np.square(g, out=scratch), b2, scratch)
        # Numerator and denominator of the formula are multiplied by sqrt(1 - b2**t). So the corrections are part of two
        # numbers, lr and eps, which saves two passes over the arrays.
        count = _common(t)
        root = (math.sqrt if isinstance(count, int) else np.sqrt)(1 - b2**count)
        return _quotient(m, v, lr * root / (1 - b1**count), self.eps * root, out=scratch)


class AdamW(Adam):
    """Adam with decoupled weight decay: ``p -= lr * weight_decay * p``, then Adam's update with the plain gradient.

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> AdamW([w], lr=0.25, weight_decay=0.5).step()
    >>> w.data
    0.875
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def _decay(self, p: Array, g: Array, lr: float, out: Array) -> Array:
        return g

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        step = self._step(g, lr, state, scratch)
        p *= 1 - lr * self.weight_decay
        p -= step


def _average(mean: Array, x: Array, keep: float, scratch: Array) -> None:
    """``mean = keep * mean + (1 - keep) * x`` in place. `x` may be the scratch array."""
    mean *= keep
    mean += np.multiply(x, 1 - keep, out=scratch)


def _quotient(x: Array, s: Array, lr: Any, eps: Any, out: Array) -> Array:
    """``lr * x / (sqrt(s) + eps)``."""
    np.sqrt(s, out=out)
    out += eps
    np.divide(x, out, out=out)
    out *= lr
    return out


def _common(t: Array) -> Any:
    """The number of updates as an int, or as an array if it differs among Values: some were frozen for a while."""
    return t if t.ndim and (not t.size or t.min() != t.max()) else t.item(0)
