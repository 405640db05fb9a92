"""`EMA`: a copy of a model whose parameters are running means of the trained model's parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic

import numpy as np

from autograd import Tensor, Value
from nn.module import Module
from nn.optim.schedules import checked

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Averaged = TypeVar("Averaged", bound=Module, default=Module)  # the default: `EMA` alone is a type
else:
    from typing import TypeVar

    Averaged = TypeVar("Averaged", bound=Module)  # before Python 3.13 there are no defaults


class EMA(Generic[Averaged]):
    """Exponential moving average of a model's parameters. Use it as a callback of `fit`, or call `update` each step.

    Args:
        model: the trained model. It is never written to.
        decay: the part of the average that each update keeps. The average covers about ``1 / (1 - decay)`` steps.
            Raises ValueError for a decay outside [0, 1).

    `model` is a copy of the trained model with the averages, also of its buffers: evaluate and save this copy. At a
    high learning rate, the parameters move around a minimum, and their mean is nearer to it than the last of them
    (Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992). The t-th update keeps
    ``min(decay, t / (t + 9))``, as in TensorFlow, so that the first weights lose their influence soon.

    >>> from nn import Linear
    >>> line = Linear(1, 1, bias=False)
    >>> line.weight.data = [[0]]
    >>> average = EMA(line)
    >>> line.weight.data = [[1]]
    >>> average.update()
    >>> round(average.model([[1.0]]).item(), 6)
    0.9
    """

    def __init__(self, model: Averaged, decay: float = 0.999) -> None:
        self.decay = checked("decay", decay, below=1)
        self.model: Averaged = copy.deepcopy(model).eval()
        self.updates = 0
        self._trained = model
        self._pairs = list(zip(self.model.parameters(), model.parameters(), strict=True))

    def update(self) -> None:
        """Move every average towards the present parameter."""
        self.updates += 1
        keep = min(self.decay, self.updates / (self.updates + 9))
        with np.errstate(all="ignore"):
            for mean, p in self._pairs:
                if isinstance(mean, Tensor) and isinstance(p, Tensor):
                    mean.update(_move, p.detach(), keep)
                elif isinstance(mean, Value) and isinstance(p, Value):
                    mean.data = _between(mean.data, p.data, keep)
            buffers = zip(self.model.named_buffers(), self._trained.named_buffers(), strict=True)
            for (_, average), (_, x) in buffers:
                average[...] = _between(average, x, keep) if average.dtype.kind == "f" else x

    def on_step_end(self, state: object) -> None:
        """Update after each step of `fit`."""
        self.update()

    def state_dict(self) -> dict[str, Any]:
        """The number of updates, and copies of the averages by path."""
        return {"updates": self.updates, "model": self.model.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state. If it belongs to another model, raise ValueError or KeyError and change nothing."""
        updates = int(state["updates"])
        if updates < 0:
            raise ValueError(f"updates: {updates}, expected 0 or more")
        self.model.load_state_dict(state["model"])
        self.updates = updates


def _move(mean: np.ndarray[Any, Any], x: np.ndarray[Any, Any], keep: float) -> None:
    """Move the mean towards x, in place."""
    mean[...] = _between(mean, x, keep)


def _between(mean: Any, x: Any, keep: float) -> Any:
    """``keep * mean + (1 - keep) * x``, computed from the nearer of the two by adding a part of the difference.

    This is exact where the two are equal, and where keep is 0. A sum of two products is not: half of the smallest
    float32 is 0.
    """
    return x - keep * (x - mean) if keep < 0.5 else mean + (1 - keep) * (x - mean)
