"""`SGD`: gradient descent, with or without momentum."""

import numpy as np

from nn.optim.optimizer import Optimizer
from nn.optim.parameters import Parameters
from nn.optim.schedules import Rate, checked
from nn.support.arrays import Array


class SGD(Optimizer):
    """Gradient descent: ``p -= lr * g``. With momentum ``p -= lr * v``, where ``v = momentum * v + g``.

    The velocity v is a sum of past gradients, which damps oscillations (Polyak, "Some methods of speeding up the
    convergence of iteration methods", 1964). With `nesterov` the update is ``p -= lr * (g + momentum * v)``. This is
    the velocity that the next step would have with the same gradient (Sutskever et al., "On the importance of
    initialization and momentum in deep learning", ICML 2013).

    Raises ValueError for a momentum outside [0, 1), and for `nesterov` without momentum.

    >>> from autograd import Value
    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> SGD([w], lr=0.25).step()
    >>> w.data
    0.5
    """

    def __init__(
        self, parameters: Parameters, lr: Rate, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        self.momentum = checked("momentum", momentum, below=1)
        self.nesterov = nesterov
        if nesterov and not momentum:
            raise ValueError(f"nesterov needs a momentum above 0, got {momentum}")
        super().__init__(parameters, lr, weight_decay)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"velocity": np.zeros_like(p)} if self.momentum else {}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        if self.momentum:
            v = state["velocity"]
            v *= self.momentum
            v += g
            if self.nesterov:
                np.multiply(v, self.momentum, out=scratch)
                scratch += g
                g = scratch
            else:
                g = v
        p -= np.multiply(g, lr, out=scratch)
