"""`State`: the state of a training, which callbacks and checkpoints get. `hooks_of` finds the methods of callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from nn.optim import Optimizer
from nn.training.arguments import Loss
from nn.training.history import History

Callback: TypeAlias = "Callable[[State], object] | object"

HOOKS = ("on_start", "on_step_end", "on_epoch_end", "on_end")


class State:
    """The state of a training, which callbacks and checkpoints get.

    `epoch` and `step` (in the epoch) count from 1. `loss` is the loss of the last step. `model`, `optimizer`,
    `history`, `batches` and `callbacks` are those of `fit`, and `criterion` is its loss function. In `on_epoch_end` the
    last row of the history is that of the epoch.

    `resumed` is True if the training continues from a checkpoint. Otherwise a callback that is used again drops its old
    state in `on_start`.

    For the row of the running epoch, `total` is the sum of the losses, `lr` the learning rate of the first step, and
    `started` the time of the start on `time.perf_counter`. `complete` is True if the history has the row.
    """

    __slots__ = ("batches", "callbacks", "complete", "criterion", "epoch", "epochs", "history", "loss", "lr", "model",
                 "optimizer", "resumed", "started", "step", "total")  # fmt: skip

    def __init__(
        self,
        model: Any,  # not Model, so that callbacks can read its attributes
        batches: Iterable[Sequence[Any]],
        criterion: Loss,
        optimizer: Optimizer,
        callbacks: Sequence[Callback],
        history: History,
        epochs: int,
    ) -> None:
        self.model, self.batches, self.criterion, self.optimizer = model, batches, criterion, optimizer
        self.callbacks, self.history, self.epochs = callbacks, history, epochs
        self.epoch, self.step, self.loss = int(history[-1]["epoch"]) if history else 0, 0, math.nan
        self.total, self.lr, self.started, self.complete = 0.0, optimizer.lr, time.perf_counter(), True
        self.resumed = False

    def stop(self, reason: str = "a callback stopped it") -> None:
        """End the training after this step or epoch, which is still recorded. `History.stopped` has the reason."""
        self.history.stopped = reason


def hooks_of(callbacks: Sequence[Callback]) -> dict[str, list[Callable[[State], object]]]:
    """The functions to call for each hook: methods of callbacks. A callback that is a function is an `on_epoch_end`."""
    hooks: dict[str, list[Any]] = {name: [] for name in HOOKS}
    for callback in callbacks:
        found = [name for name in HOOKS if hasattr(callback, name)]
        if not found and not callable(callback):
            raise TypeError(f"a callback is a function, or has a method {' or '.join(HOOKS)}; got {callback!r}")
        for name in found:
            hooks[name].append(getattr(callback, name))
        if not found:
            hooks["on_epoch_end"].append(callback)
    return hooks
