"""`State`: where a training stands, as callbacks and checkpoints see it; and which methods of a callback are called."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from nn.optim import Optimizer
from nn.training.arguments import Loss
from nn.training.history import History

Model: TypeAlias = Callable[[Any], Any]
Callback: TypeAlias = "Callable[[State], object] | object"

HOOKS = ("on_start", "on_step_end", "on_epoch_end", "on_end")


class State:
    """Where a training stands, as callbacks and checkpoints see it.

    `epoch` and `step` (in the epoch) count from 1, `loss` is the last step's; `model`,
    `optimizer`, `history`, `batches` and `callbacks` are those of `fit`, `criterion` is its loss function. In
    `on_epoch_end` the history ends with that epoch's row, for which `total` sums the losses, and `lr` (the first
    step's) and `started` (on `time.perf_counter`) are kept; `complete` is whether it has that row. `resumed` is
    whether a checkpoint was taken over: callbacks that are used again begin anew in `on_start` unless it was.
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
        """End the training after this step or epoch, which is still recorded; `History.stopped` keeps the reason."""
        self.history.stopped = reason


def hooks_of(callbacks: Sequence[Callback]) -> dict[str, list[Callable[[State], object]]]:
    """What to call when: the methods of the callbacks, and functions at the end of an epoch."""
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
