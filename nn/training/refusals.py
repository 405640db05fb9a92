"""Errors that end a training at once: a wrong loss, missing gradients, and numbers that are not finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor, Value
from nn.optim import Optimizer
from nn.training.state import State


class NonFiniteLoss(FloatingPointError):
    """The loss became nan or infinite. The weights are those before this step: they were not updated with it.

    `epoch` and `step` (in the epoch) count from 1. `loss` and `lr` are the numbers of that step.
    """

    def __init__(self, message: str, epoch: int, step: int, loss: float, lr: float) -> None:
        super().__init__(message)
        self.epoch, self.step, self.loss, self.lr = epoch, step, loss, lr


def check_loss(loss: Any) -> None:
    """Raise an error if this cannot be a loss. It would fail later, or nothing would be trained."""
    if not isinstance(loss, Value | Tensor):
        raise TypeError(f"the loss must be one Value or Tensor, got {type(loss).__name__}: {loss!r:.80}")
    if isinstance(loss, Tensor) and loss.size != 1:
        raise ValueError(f"the loss must be one number, got shape {loss.shape}: reduce it by .mean() or .sum()")
    if loss.is_leaf:
        raise ValueError("the loss was computed without a graph (no_grad? only constants?), so it has no gradients")


def check_gradients_arrived(optimizer: Optimizer) -> None:
    """Raise ValueError if no parameter of the optimiser has a gradient."""
    if all(isinstance(p, Tensor) and p.grad is None for p in optimizer.parameters):
        raise ValueError(
            "the loss does not depend on any of the optimizer's parameters: was it made for another model? "
            "Make it for this model, nn.SGD(model.parameters(), lr=...)"
        )


def non_finite(state: State, step: int, loss: float, x: Any, y: Any) -> NonFiniteLoss:
    """The error, with the likely cause: bad data, an update that overflowed before, or this forward pass."""
    found = {"inputs": _not_finite(x), "targets": _not_finite(y)}
    places = [f"the batch's {name} are not finite ({place}, counted from 0)" for name, place in found.items() if place]
    if places:
        cause = f"{' and '.join(places)}: clean the data"
    elif not all(np.isfinite(p.detach()).all() for p in state.optimizer.parameters):
        cause = "an earlier step left parameters not finite: start again with a lower learning rate or clip=1.0"
    else:
        cause = "try a lower learning rate, clip=1.0, or inputs scaled to about -1..1"
    lr = state.optimizer.lr
    where = f"epoch {state.epoch}, step {step} (learning rate {lr:g})"
    message = f"the loss is {loss} in {where}; the weights are those before this step. {cause[0].upper()}{cause[1:]}"
    return NonFiniteLoss(message, state.epoch, step, loss, lr)


def _not_finite(part: Any, path: str = "") -> str:
    """The position of the first nan or infinity in a batch's inputs or targets; empty if there is none.

    >>> _not_finite([[0.0, 1.0], [2.0, np.inf]]), _not_finite({"a": np.array([1, 2]), "b": [Value(np.nan)]})
    ('inf in row 1, column 1', "nan at ['b'][0]")
    """
    if isinstance(part, Value | Tensor):
        part = part.detach()
    if isinstance(part, Mapping):
        return next((found for key, x in part.items() if (found := _not_finite(x, f"{path}[{key!r}]"))), "")
    try:
        numbers = np.asarray(part)
    except ValueError:  # rows of different lengths
        numbers = np.empty(0, object)
    if numbers.dtype.kind in "fc":
        bad = np.argwhere(~np.isfinite(numbers))
        if not len(bad):
            return ""
        place = bad[0].tolist()
        named = ", ".join(f"{name} {k}" for name, k in zip(("row", "column"), place, strict=False))
        where = f"in {named}" if not path and 0 < len(place) < 3 else f"at {path}{place or ''}"
        return f"{numbers[tuple(place)]:g} {where}"
    if numbers.dtype == object and isinstance(part, Sequence | np.ndarray) and not isinstance(part, str):
        return next((found for i, x in enumerate(part) if (found := _not_finite(x, f"{path}[{i}]"))), "")
    return ""
