"""`Checkpoint`: a whole training in one file, to go on from."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nn.checkpoint.formats import TRAINING, Array, CheckpointError, PathLike, decoded, from_npz, to_npz
from nn.checkpoint.packing import packed, same, unpacked
from nn.module import Module
from nn.support.files import check_writable, clear_leftovers, write
from nn.training.history import History
from nn.training.state import State

FORMAT = 1  # of checkpoints


class Checkpoint:
    """Keeps a training in a file, for `fit`: all that it takes to go on as if it had never stopped, bit for bit.

    Args:
        path: the file, an npz with the arrays and a `training.json`. It is replaced after each epoch and on Ctrl-C.
        steps: replace it also after each so many steps.
        seconds: replace it also when it is so old, after the step that is running then.
        resume: `fit` goes on from the file, in the middle of an epoch where it was saved there.
        settings: what has to be the same then, by name: anything that JSON can hold.

    In the file: the parameters of the model and the optimiser, the optimiser's state and steps (the place in a
    schedule, too), the epoch, the place in it, the history; the generators of random numbers in the model and the
    loss (`Dropout`), where these are modules or functions that refer to some; and the `state_dict` of the batches and
    of each callback that has one (and may refuse what does not fit, by an error in `on_resume(state)`). Batches
    without one have to be the same in each epoch, like a list. Not in it: the code, NumPy's and Python's global
    generators.

    A training that had come to its end, or was stopped by a callback, is at its end when it is resumed.
    Resuming raises CheckpointError where the file cannot be read, is damaged, or belongs to another training; then
    everything is as it was. ``steps`` and ``seconds`` have to be above 0 (ValueError).

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
        self.settings: dict[str, Any] = json.loads(json.dumps(packed(settings or {}, "", arrays)))  # as they come back
        if arrays:
            raise TypeError(f"settings are what JSON can hold, not arrays: {', '.join(arrays)}")
        self._saved = time.monotonic()

    def start(self, state: State) -> None:
        """Before the first step: go on from the file if that is wanted; raise what saving would raise an epoch later.

        That is OSError where the file cannot be written, ValueError for two parameters or generators with one path.
        """
        dict(_parts(state)["network"].named_parameters())
        if self.resume:
            self.restore(state)
        else:
            check_writable(self.path)
        clear_leftovers(self.path)

    def save_if_due(self, state: State) -> None:
        """Save in the middle of an epoch, if it is time to."""
        due = self.steps is not None and state.optimizer.steps % self.steps == 0
        due |= self.seconds is not None and time.monotonic() - self._saved >= self.seconds
        if due and not state.history.stopped:  # one that ends here is saved with its last row, in a moment
            self.save(state)

    def save(self, state: State) -> None:
        """Replace the file by where the training stands."""
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
        """Take the file's training over into the parts of this one: all or nothing."""
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
        except Exception as error:  # whatever it is that a stranger's file sets off
            for name, part in parts.items():
                part.load_state_dict(before[name])
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise CheckpointError(f"{self.path}: this is no checkpoint of this training: {reason}") from error
        state.history.rows, state.history.stopped = history.rows, stopped
        state.epoch, state.step, state.complete = epoch, step, complete
        state.loss, state.total, state.lr, state.started = loss, total, lr, time.perf_counter() - seconds

    def _settings(self, state: State) -> dict[str, Any]:
        return {**self.settings, "optimizer's class": type(state.optimizer).__name__}

    def _compare(self, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        names = [name for name in {**then, **now} if not same(then.get(name), now.get(name))]
        if names:
            changes = ", ".join(f"{name} was {then.get(name)!r} and is {now.get(name)!r}" for name in names)
            raise ValueError(f"{changes}; go on with what it was, or begin anew")


class _Network(Module):
    """Everything with parameters or generators that a training reaches, each once."""

    def __init__(self, state: State) -> None:
        self.model, self.loss = _reached(state.model), _reached(state.criterion)
        self.others = state.optimizer.parameters  # those found above are not listed twice


class _Generators:
    """The states of the generators of a network, by path."""

    def __init__(self, network: Module) -> None:
        self.found = dict(network.named_generators())

    def state_dict(self) -> dict[str, Any]:
        return {path: generator.bit_generator.state for path, generator in self.found.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state.keys() != self.found.keys():
            raise ValueError(f"it has generators at {sorted(state)}, the model at {sorted(self.found)}")
        for path, generator in self.found.items():
            generator.bit_generator.state = state[path]


def _parts(state: State) -> dict[str, Any]:
    """What has a state of its own to keep, by name."""
    network = _Network(state)
    parts: dict[str, Any] = {"network": network, "generators": _Generators(network), "optimizer": state.optimizer}
    if hasattr(state.batches, "load_state_dict"):
        parts["batches"] = state.batches
    callbacks = [x for x in state.callbacks if hasattr(x, "load_state_dict")]
    return parts | {f"callback {i}": x for i, x in enumerate(callbacks)}


def _reached(f: Callable[..., Any]) -> Any:
    """Where the parameters and generators of a callable are: itself, or what a function of the user's refers to."""
    if inspect.ismethod(f):
        return f.__self__
    if not inspect.isfunction(f):
        return f
    names = inspect.getclosurevars(f)
    found = {**names.globals, **names.nonlocals}
    return {name: x for name, x in found.items() if isinstance(x, Module | np.random.Generator)}
