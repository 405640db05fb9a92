"""`Checkpoint`: a whole training in one file, to continue from."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nn.checkpoint.formats import TRAINING, CheckpointError, decoded, from_npz, to_npz
from nn.checkpoint.packing import packed, same, unpacked
from nn.module import Module
from nn.support.arrays import Array
from nn.support.files import PathLike, check_writable, clear_leftovers, write
from nn.training.history import History
from nn.training.state import State

FORMAT = 1  # of checkpoints


class Checkpoint:
    """Saves a training of `fit` in a file. A resumed training gives the same numbers, bit for bit, as an unbroken one.

    Args:
        path: the file, an npz with the arrays and a `training.json`. It is replaced after each epoch and on Ctrl-C.
        steps: also replace it after every so many steps.
        seconds: also replace it when it is older than this, at the end of a step.
        resume: True to continue from the file, even in the middle of an epoch.
        settings: anything that JSON can hold, by name. It must be equal when the training is resumed.

    The file contains:

    - the parameters of the model and the optimiser,
    - the optimiser's state and its number of steps, from which a schedule continues,
    - the epoch, the step in it, and the history,
    - the random generators of the model and the loss, such as those of `Dropout`, if these are modules or functions
      that refer to modules or generators,
    - the `state_dict` of the batches and of each callback that has one.

    It does not contain the code, nor the global generators of NumPy and Python. Batches without a `state_dict` must be
    the same in each epoch, like a list. A callback can refuse to resume: its method `on_resume(state)` raises an error.

    A training that was complete, or was stopped by a callback, does no more steps when it is resumed.

    Raises CheckpointError on resuming if the file cannot be read, is damaged, or belongs to another training. Then
    nothing has changed. Raises ValueError for `steps` or `seconds` that are not above 0.

    >>> import tempfile
    >>> from nn import Adam, dense, fit, squared_error
    >>> def train(epochs, path, resume):
    ...     model = dense(1, 8, 1, dropout=0.5, rng=0)
    ...     x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    ...     checkpoint = Checkpoint(path, resume=resume)
    ...     fit(model, [(x, x * x)], squared_error, Adam(model), epochs=epochs, progress=False, checkpoint=checkpoint)
    ...     return model[0].weight.data
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = train(3, f"{folder}/a.npz", resume=False)
    ...     resumed = train(5, f"{folder}/a.npz", resume=True)
    ...     bool((resumed == train(5, f"{folder}/b.npz", resume=False)).all())
    True
    """

    def __init__(
        self,
        path: PathLike,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        for name, x in (("steps", steps), ("seconds", seconds)):
            if x is not None and not x > 0:
                raise ValueError(f"{name} must be above 0, got {x}")
        self.path, self.steps, self.seconds, self.resume = Path(path), steps, seconds, resume
        arrays: dict[str, Array] = {}
        text = json.dumps(packed(settings or {}, "", arrays))
        self.settings: dict[str, Any] = json.loads(text)  # in the form that they have in the file
        if arrays:
            raise TypeError(f"settings are what JSON can hold, not arrays: {', '.join(arrays)}")
        self._saved = time.monotonic()

    def start(self, state: State) -> None:
        """Prepare before the first step, and restore the training if it is to be resumed.

        Errors that would occur when saving, an epoch later, are raised here: OSError if the file cannot be written, and
        ValueError for two parameters or generators with the same path.
        """
        dict(_parts(state)["network"].named_parameters())
        if self.resume:
            self.restore(state)
        else:
            check_writable(self.path)
        clear_leftovers(self.path)

    def save_if_due(self, state: State) -> None:
        """Save in the middle of an epoch, if `steps` or `seconds` say so."""
        due = self.steps is not None and state.optimizer.steps % self.steps == 0
        due |= self.seconds is not None and time.monotonic() - self._saved >= self.seconds
        if due and not state.history.stopped:  # `fit` saves a stopped training, with its last row
            self.save(state)

    def save(self, state: State) -> None:
        """Replace the file by the present state of the training."""
        arrays: dict[str, Array] = {}
        training = {
            "format": FORMAT,
            "settings": self._settings(state),
            "epoch": state.epoch,
            "step": state.step,
            "complete": state.complete,
            "loss": state.loss,
            "total": state.total,
            "lr": state.lr,
            "seconds": time.perf_counter() - state.started,
            "history": state.history.rows,
            "stopped": state.history.stopped,
            "parts": {name: part.state_dict() for name, part in _parts(state).items()},
        }
        text = json.dumps(packed(training, "", arrays), indent=1)
        data = to_npz(arrays, text)
        write(self.path, data)
        self._saved = time.monotonic()

    def restore(self, state: State) -> None:
        """Restore the training from the file, all of it or nothing."""
        parts = _parts(state)
        before = {name: part.state_dict() for name, part in parts.items()}
        arrays = decoded(self.path, partial(from_npz, sealed=True))
        check_writable(self.path)
        try:
            training = unpacked(bytes(arrays.pop(TRAINING)), arrays)
            if training["format"] != FORMAT:
                raise ValueError(f"it has format {training['format']}, this version reads {FORMAT}")
            self._compare(training["settings"], self._settings(state))
            if training["parts"].keys() != parts.keys():
                raise ValueError(f"it holds {', '.join(training['parts'])}, this training has {', '.join(parts)}")
            history = History(training["history"])
            stopped, complete = str(training["stopped"]), bool(training["complete"])
            epoch, step = (int(training[name]) for name in ("epoch", "step"))
            loss, total, lr, seconds = (float(training[name]) for name in ("loss", "total", "lr", "seconds"))
            for name, part in parts.items():
                part.load_state_dict(training["parts"][name])
            for callback in state.callbacks:
                if hasattr(callback, "on_resume"):
                    callback.on_resume(state)
        except Exception as error:  # a damaged file may cause any error
            for name, part in parts.items():
                part.load_state_dict(before[name])
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise CheckpointError(f"{self.path}: this is not a checkpoint of this training: {reason}") from error
        state.history.rows, state.history.stopped = history.rows, stopped
        state.epoch, state.step, state.complete = epoch, step, complete
        state.loss, state.total, state.lr, state.started = loss, total, lr, time.perf_counter() - seconds

    def _settings(self, state: State) -> dict[str, Any]:
        return {**self.settings, "optimizer's class": type(state.optimizer).__name__}

    def _compare(self, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        names = [name for name in {**then, **now} if not same(then.get(name), now.get(name))]
        if names:
            changes = ", ".join(f"{name} was {then.get(name)!r} and is {now.get(name)!r}" for name in names)
            raise ValueError(f"{changes}; continue with the old settings, or start a new training")


class _Network(Module):
    """All parameters and generators of a training, as one module: each is found once."""

    def __init__(self, state: State) -> None:
        self.model, self.loss = _reached(state.model), _reached(state.criterion)
        self.others = state.optimizer.parameters  # those of the model are found only once


class _Generators:
    """The states of the generators of a network, by path."""

    def __init__(self, network: Module) -> None:
        self.found = dict(network.named_generators())

    def state_dict(self) -> dict[str, Any]:
        return {path: generator.bit_generator.state for path, generator in self.found.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state.keys() != self.found.keys():
            raise ValueError(f"its generators are at {sorted(state)}, the model's at {sorted(self.found)}")
        for path, generator in self.found.items():
            generator.bit_generator.state = state[path]


def _parts(state: State) -> dict[str, Any]:
    """The objects whose states are saved, by name."""
    network = _Network(state)
    parts: dict[str, Any] = {"network": network, "generators": _Generators(network), "optimizer": state.optimizer}
    if hasattr(state.batches, "load_state_dict"):
        parts["batches"] = state.batches
    callbacks = [x for x in state.callbacks if hasattr(x, "load_state_dict")]
    return parts | {f"callback {i}": x for i, x in enumerate(callbacks)}


def _reached(f: Callable[..., Any]) -> Any:
    """The owner of a callable's parameters: the callable, or the modules and generators that a function refers to."""
    if inspect.ismethod(f):
        return f.__self__
    if not inspect.isfunction(f):
        return f
    names = inspect.getclosurevars(f)
    found = {**names.globals, **names.nonlocals}
    return {name: x for name, x in found.items() if isinstance(x, Module | np.random.Generator)}
