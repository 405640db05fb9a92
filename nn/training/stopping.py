"""`EarlyStopping`: ends a training that no longer improves, and restores the best weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.module import Module
from nn.support.arrays import Array
from nn.training.history import Direction, checked_direction, direction_of
from nn.training.state import State


class EarlyStopping:
    """A callback that stops a training when a column has not improved for `patience` epochs.

    It restores the best weights at the end of every training, even one that was not stopped early.

    Args:
        patience: the number of epochs without improvement after which it stops, at least 1.
        monitor: the column. By default the first validation column that ends in "loss", or else the training loss.
        direction: "max" if the largest number in the column is the best, "min" if the smallest is. By default the
            column's name tells: it ends in a word such as "loss", "error", "accuracy" or "auc".

    Raises ValueError if the direction is neither given nor known from the name.

    >>> EarlyStopping(patience=3, monitor="val_auc").direction
    'max'
    >>> EarlyStopping(patience=3, monitor="val_bleu")
    Traceback (most recent call last):
    ValueError: the name 'val_bleu' does not tell: pass direction='max' if the largest val_bleu is the best, ...
    """

    def __init__(self, patience: int, monitor: str | None = None, direction: Direction | None = None) -> None:
        if patience < 1:
            raise ValueError(f"patience must be at least 1 epoch, got {patience}")
        if monitor is None and direction is not None:
            raise ValueError(f"direction={direction!r} needs the column that it is about: pass monitor, too")
        self.patience, self.monitor = patience, monitor
        self.direction: Direction = "min" if monitor is None else checked_direction(monitor, direction)
        self.best, self.epoch, self.weights = -math.inf, 0, list[Array]()

    def state_dict(self) -> dict[str, Any]:
        """The best score, its epoch and its weights, for a checkpoint."""
        return {"best": self.best, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.best, self.epoch, self.weights = float(state["best"]), int(state["epoch"]), list(state["weights"])

    def on_resume(self, state: State) -> None:
        """Raise ValueError if the restored weights do not fit the parameters of this training."""
        expected = [np.asarray(x) for x in _held(state)]
        given = [x if isinstance(x, np.ndarray) else np.empty(0, object) for x in self.weights]
        if given and [(x.shape, x.dtype) for x in given] != [(x.shape, x.dtype) for x in expected]:
            raise ValueError("the best weights of early stopping do not have the shapes and dtypes of the parameters")

    def on_start(self, state: State) -> None:
        """Drop the state of an earlier training, unless the training is resumed."""
        if not state.resumed:
            self.best, self.epoch, self.weights = -math.inf, state.epoch, []

    def on_epoch_end(self, state: State) -> None:
        """Keep the weights if they are the best so far. Stop if the best epoch is `patience` epochs ago."""
        row = state.history[-1]
        losses = [name for name in row if name.endswith("loss") and direction_of(name) == "min"]
        usual = next((name for name in losses if name != "train_loss"), "train_loss")
        column = usual if self.monitor is None else self.monitor
        if column not in row:
            raise KeyError(f"early stopping monitors {column!r}, but the columns are {list(row)}")
        score = row[column] if self.direction == "max" else -row[column]
        if score > self.best:  # False for a nan
            self.best, self.epoch = score, state.epoch
            self.weights = [np.array(x) for x in _held(state)]
        elif state.epoch - self.epoch >= self.patience:
            state.stop(f"{column} has not improved since epoch {self.epoch}")

    def on_end(self, state: State) -> None:
        """Restore the best weights."""
        if self.weights:
            parameters = state.optimizer.parameters
            for p, data in zip(parameters, self.weights, strict=False):
                p.data = data
            for x, data in zip(_buffers(state), self.weights[len(parameters) :], strict=True):
                x[...] = data


def _held(state: State) -> list[Any]:
    """What a state of the training holds: the numbers of the parameters, and the buffers of the model."""
    return [*(p.detach() for p in state.optimizer.parameters), *_buffers(state)]


def _buffers(state: State) -> list[Array]:
    return [x for _, x in state.model.named_buffers()] if isinstance(state.model, Module) else []
