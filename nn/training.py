"""The training loop: `fit`.

The loop is the one that everybody writes by hand: forward, loss, zero_grad, backward, step. `fit` runs it and adds
what one wants around it: progress, a record of every epoch, validation, callbacks, early stopping, checkpoints, a
Ctrl-C that leaves no half step, and an error instead of a ruined network when the loss is not finite. It asks little
of its parts: the model is any callable, the batches anything that can be iterated once an epoch, the loss any function
that gives one `Value` or `Tensor`. So the same loop trains networks of scalars and of arrays. It adds one to three
microseconds to a step.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Never, TypeAlias

import numpy as np
import numpy.typing as npt

from autograd import Tensor, Value
from nn.arguments import CALL, Loss, aligned, batches_of, check_output, is_ours, loss_function, pair
from nn.arguments import optimizer as optimizer_of
from nn.evaluation import evaluate as evaluate
from nn.evaluation import predict as predict
from nn.evaluation import validation
from nn.history import Direction, History, Row, checked_direction, direction_of, shown
from nn.interrupt import Interrupt
from nn.module import Module, mode
from nn.optim import Optimizer, clip_grad_norm
from nn.schedules import Rate
from nn.text import fitted
from nn.threads import Threads

if TYPE_CHECKING:
    from nn.checkpoint import Checkpoint

Array: TypeAlias = npt.NDArray[Any]
Model: TypeAlias = Callable[[Any], Any]
Callback: TypeAlias = "Callable[[State], object] | object"

HOOKS = ("on_start", "on_step_end", "on_epoch_end", "on_end")


class NonFiniteLoss(FloatingPointError):
    """The loss became nan or infinite; the weights are those that gave it, no update was made with it.

    `epoch` and `step` (in the epoch) count from 1; `loss` and `lr` are the numbers at that step.
    """

    def __init__(self, message: str, epoch: int, step: int, loss: float, lr: float) -> None:
        super().__init__(message)
        self.epoch, self.step, self.loss, self.lr = epoch, step, loss, lr


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
        model: Model,
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


class EarlyStopping:
    """Callback that stops when a column has not improved for `patience` epochs, and puts the best weights back.

    Args:
        patience: how many epochs in a row may bring no improvement, at least 1.
        monitor: the column. By default the first validation column that ends in "loss", or else the training loss.
        direction: whether the best number in it is the largest, "max", or the smallest, "min". Names tell by
            themselves that end in a word such as "loss", "error", "accuracy" or "auc": see `nn.history.direction_of`.

    ValueError where nothing tells the direction. The best weights come back at the end of training even where it was
    not stopped early.

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
            raise ValueError(
                f"direction={direction!r} says what is best of the column to monitor: it needs monitor, too"
            )
        self.patience, self.monitor = patience, monitor
        self.direction: Direction = "min" if monitor is None else checked_direction(monitor, direction)
        self.best, self.epoch, self.weights = -math.inf, 0, list[Array]()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the best score, its epoch and weights."""
        return {"best": self.best, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what a checkpoint kept; a training that is resumed goes on from there."""
        self.best, self.epoch, self.weights = float(state["best"]), int(state["epoch"]), list(state["weights"])

    def on_resume(self, state: State) -> None:
        """Refuse, with a ValueError, weights that are not those of this training."""
        expected = [np.asarray(p.detach()) for p in state.optimizer.parameters]
        given = [x if isinstance(x, np.ndarray) else np.empty(0, object) for x in self.weights]
        if given and [(x.shape, x.dtype) for x in given] != [(x.shape, x.dtype) for x in expected]:
            raise ValueError("the best weights of early stopping have not the shapes and dtypes of the parameters")

    def on_start(self, state: State) -> None:
        """Forget an earlier training, except one that is resumed."""
        if not state.resumed:
            self.best, self.epoch, self.weights = -math.inf, state.epoch, []

    def on_epoch_end(self, state: State) -> None:
        """Keep the weights if they are the best so far; stop if the best are too long ago."""
        row = state.history[-1]
        losses = [name for name in row if name.endswith("loss") and direction_of(name) == "min"]
        usual = next((name for name in losses if name != "train_loss"), "train_loss")
        column = usual if self.monitor is None else self.monitor
        if column not in row:
            raise KeyError(f"early stopping monitors {column!r}, but the columns are {list(row)}")
        score = row[column] if self.direction == "max" else -row[column]
        if score > self.best:  # a nan never is
            self.best, self.epoch = score, state.epoch
            self.weights = [np.array(p.detach()) for p in state.optimizer.parameters]
        elif state.epoch - self.epoch >= self.patience:
            state.stop(f"{column} has not improved since epoch {self.epoch}")

    def on_end(self, state: State) -> None:
        """Put the best weights back."""
        if self.weights:
            for p, data in zip(state.optimizer.parameters, self.weights, strict=True):
                p.data = data


def fit(
    model: Model,
    batches: Iterable[Sequence[Any]] | tuple[Any, Any],
    loss: Loss | str,
    optimizer: Optimizer | str | Callable[[Any], Optimizer],
    *misplaced: Never,
    epochs: int,
    batch_size: int | None = None,
    lr: Rate | None = None,
    validate: Callable[[Any], Mapping[str, float]] | tuple[Any, Any] | None = None,
    callbacks: Sequence[Callback] | Callback = (),
    patience: int | None = None,
    monitor: str | None = None,
    direction: Direction | None = None,
    clip: float | None = None,
    progress: bool = True,
    history: History | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train: for each batch (x, y) of each epoch, one step of the optimiser on ``loss(model(x), y)``.

    Args:
        model: any callable; a Module is in training mode meanwhile, and then again in the mode it was in.
        batches: a pair of arrays (x, y), or what is iterated once an epoch, such as `nn.data.Batches` or a list of
            pairs. Arrays are NumPy's, lists, data frames, other libraries' tensors.
        loss: gives one Value or Tensor; one of `nn.losses`, also by its name, or your own function (out, y). Those of
            `nn.losses` take targets (n,) for an output (n, 1), and the other way round.
        optimizer: holds the parameters; or its name, such as "adam", or class, to make one for all of the model's.
        misplaced: nothing; data as two arguments would be here, and is refused with the call to write.
        epochs: how many; with `history`, how many including those recorded there.
        batch_size: of the minibatches of a pair of arrays, by default 32; they are shuffled, always the same way.
        lr: the learning rate, for an optimiser by name or class.
        validate: called with the model after each epoch; the numbers it returns by name become columns. Or a pair of
            arrays (x, y): the columns are `val_loss` and, for losses of classes, `val_accuracy`.
        callbacks: one or several functions, called with the `State` after each epoch; or objects with any of the
            methods `on_start`, `on_step_end`, `on_epoch_end`, `on_end`. ``state.stop(reason)`` ends the training.
        patience: stop after this many epochs without improvement, with the best weights: see `EarlyStopping`.
        monitor: the column that has to improve,
        direction: towards "max" or "min"; names such as "val_loss" and "val_accuracy" tell by themselves.
        clip: scale the gradients of a step down where their norm, of all together, is above this.
        progress: show a line an epoch on stderr, and a bar while it runs where tqdm is installed.
        history: an earlier History to go on with.
        checkpoint: where to keep the training, and whether to go on from there: see `nn.checkpoint.Checkpoint`.

    Returns the history: per epoch the mean of the steps' losses (`train_loss`), the validation columns, the learning
    rate of the first step and the seconds that the steps took. Raises `NonFiniteLoss` at once when the loss is nan or
    infinite.

    While the matrix products of a batch are small, BLAS has one thread, where `threadpoolctl` is installed: see
    `nn.threads`. During the validation, in callbacks at the end of an epoch and after the training it has as many as
    before.

    Ctrl-C ends the training after the step or the validation that is running, saves the checkpoint, and sets
    `history.interrupted`; an epoch that it breaks off is not recorded, though its steps were made. A second one raises
    KeyboardInterrupt at once, wherever that is. So it is in the main thread, unless the program handles SIGINT itself.

    >>> from nn import Linear, losses, optim
    >>> x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(-1, 1)
    >>> line = Linear(1, 1, rng=0)
    >>> history = fit(line, [(x, 3 * x + 1)], losses.squared_error, optim.SGD(line.parameters(), lr=0.5),
    ...               epochs=100, progress=False)
    >>> round(line.weight.item(), 3), round(line.bias.item(), 3), history["train_loss"][-1] < 1e-9
    (3.0, 1.0, True)
    """
    if misplaced:
        raise TypeError(f"fit takes x and y as one pair, and what follows the optimizer by name: {CALL}")
    if isinstance(model, type) or not callable(model):
        raise TypeError(f"the model is a Module or a function, not {model!r:.60}; {CALL}")
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer):
        raise TypeError(f"epochs is a whole number, not {type(epochs).__name__} {epochs!r:.60}")
    loss = loss_function(loss)
    check_output(model, loss)
    batches, optimizer = batches_of(batches, batch_size), optimizer_of(optimizer, model, lr)
    validate = validation(validate, loss)
    if callable(callbacks) or not isinstance(callbacks, Iterable):
        callbacks = [callbacks]
    callbacks = list(callbacks)
    for name, given in (("monitor", monitor), ("direction", direction)):
        if given is not None and patience is None:
            raise ValueError(f"{name}={given!r} says what early stopping looks at: it needs patience, too")
    if patience is not None:
        callbacks = [*callbacks, EarlyStopping(patience, monitor, direction)]
    if not any(p.requires_grad for p in optimizer.parameters):
        raise ValueError("every parameter of the optimiser is frozen, so there is nothing to train: model.unfreeze()")
    hooks = _hooks(callbacks)
    history = History() if history is None else history
    history.stopped, history.interrupted = "", False
    state = State(model, batches, loss, optimizer, callbacks, history, epochs)
    bar = _Progress(progress)
    with mode(model, training=True), Interrupt() as interrupt, Threads(optimizer.parameters) as threads:
        if checkpoint is not None:
            checkpoint.start(state)
            state.resumed = checkpoint.resume
            hooks["on_step_end"].append(checkpoint.save_if_due)
        try:
            for hook in hooks["on_start"]:
                hook(state)
            while (state.epoch < epochs or not state.complete) and not (history.stopped or interrupt.pressed):
                _epoch(state, validate, clip, hooks, bar, interrupt, threads)
                if checkpoint is not None:
                    checkpoint.save(state)
            if interrupt.pressed and not history.stopped:
                state.stop(f"interrupted {'after' if state.complete else 'in'} epoch {state.epoch}")
        except KeyboardInterrupt:  # from a callback, or the second
            if interrupt.pressed:
                raise
            history.interrupted = True
            state.stop(f"interrupted in epoch {state.epoch}")
        except Exception as error:
            error.add_note(f"(while training: epoch {state.epoch}, after {state.step} steps)")
            raise
        finally:
            bar.close()
        for hook in hooks["on_end"]:
            hook(state)
        history.interrupted |= interrupt.pressed
    return history


def _epoch(
    state: State, validate: Any, clip: Any, hooks: Any, bar: _Progress, interrupt: Interrupt, threads: Threads
) -> None:
    """One epoch, or what a checkpoint left of it, and its row of the history."""
    model, loss, optimizer, history = state.model, state.criterion, state.optimizer, state.history
    on_step, isfinite, ours = hooks["on_step_end"], math.isfinite, is_ours(loss)
    if isinstance(model, Module):
        model.train()
    if state.complete:
        state.epoch, state.step, state.complete = state.epoch + 1, 0, False
        state.total, state.lr, state.started = 0.0, optimizer.lr, time.perf_counter()
    batches, done = state.batches, state.step
    bar.start(f"epoch {state.epoch}/{state.epochs}", batches, done)
    if done and not hasattr(batches, "load_state_dict"):
        batches = islice(batches, done, None)
    for step, batch in enumerate(batches, done + 1):
        x, y = pair(batch, step)
        threads.suit(x)
        out = model(x)
        out = loss(out, aligned(out, y) if ours else y)
        if step == done + 1:
            _check(out)
        value = out.item()
        if not isfinite(value):
            raise _non_finite(state, step, value, x, y)
        optimizer.zero_grad()
        out.backward()
        if not state.step and state.epoch == 1:
            _check_gradients(optimizer)
        del out  # the graph goes, and its arrays are there for the next one
        if clip is not None:
            clip_grad_norm(optimizer.parameters, clip)
        optimizer.step()
        state.total += value
        state.step, state.loss = step, value
        bar.step(value)
        for hook in on_step:
            hook(state)
        if history.stopped:
            break
        if interrupt.pressed:
            return
    threads.release()
    seconds = time.perf_counter() - state.started
    if not state.step:
        hint = "a generator is used up after one epoch: pass a list, or nn.data.Batches"
        raise ValueError(f"epoch {state.epoch} has no batches ({hint})")
    row: Row = {"epoch": state.epoch, "train_loss": state.total / state.step}
    found = validate(model) if validate is not None else {}
    if clash := {*found} & {*row, "lr", "seconds"}:
        raise ValueError(f"validate returned {sorted(clash)}, columns that fit writes itself: choose other names")
    row |= {name: float(x) for name, x in found.items()}
    row |= {"lr": state.lr, "seconds": seconds}
    history.append(row)
    bar.end(row)
    state.complete = True
    for hook in hooks["on_epoch_end"]:
        hook(state)


# ----------------------------------------------------------------------------------------------- smaller pieces


class _Progress:
    """A line an epoch, and while it runs a bar where tqdm is installed; or nothing.

    Training goes on where nobody can be told: a program without a console has no stderr, a daemon has closed it, and
    who read a pipe may have gone.
    """

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted and sys.stderr is not None
        self.bar: Any = None

    def start(self, title: str, batches: Any, done: int) -> None:
        self.title = title
        if self.wanted:
            self._try(self._open, len(batches) if hasattr(batches, "__len__") else None, done)

    def step(self, loss: float) -> None:
        if self.bar is not None:
            self._try(self._advance, loss)

    def end(self, row: Row) -> None:
        self.close()  # gives way to a line, which is not cut where the terminal ends
        if self.wanted:
            hidden = ("epoch", "lr", "seconds")
            summary = ", ".join(f"{name}={shown(x)}" for name, x in row.items() if name not in hidden)
            self._try(self._tell, f"{self.title}: {summary} ({row['seconds']:.1f} s)")

    def close(self) -> None:
        bar, self.bar = self.bar, None
        if bar is not None:
            self._try(bar.close)

    def _try(self, show: Callable[..., None], *arguments: Any) -> None:
        try:
            show(*arguments)
        except (OSError, ValueError, AttributeError):  # what a stream raises that is broken, closed or none
            bar, self.bar, self.wanted = self.bar, None, False
            if bar is not None:
                with suppress(OSError, ValueError):
                    bar.close()  # or the next one would be shown below it

    def _open(self, steps: int | None, done: int) -> None:
        try:
            from tqdm import tqdm  # type: ignore[import-untyped]
        except ImportError:
            return
        sys.stderr.write("")  # a bar that cannot be shown should not be made: tqdm would keep it
        interval = 0.1 if sys.stderr.isatty() else 60.0  # a log file gets little more than the lines
        self.bar = tqdm(total=steps, initial=done, desc=self.title, unit=" steps", mininterval=interval, leave=False,
                        file=sys.stderr)  # fmt: skip

    def _advance(self, loss: float) -> None:
        self.bar.update()
        if self.bar.n % 16 == 1:  # making the text costs more than showing it
            self.bar.set_postfix_str(f"loss={loss:.4f}", refresh=False)

    def _tell(self, line: str) -> None:
        print(fitted(line, sys.stderr), file=sys.stderr, flush=True)


def _hooks(callbacks: Sequence[Callback]) -> dict[str, list[Callable[[State], object]]]:
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


def _check(loss: Any) -> None:
    """Refuse what cannot be a loss: it would fail later, or train nothing without a word."""
    if not isinstance(loss, Value | Tensor):
        raise TypeError(f"the loss has to be one Value or Tensor, got {type(loss).__name__}: {loss!r:.80}")
    if isinstance(loss, Tensor) and loss.size != 1:
        raise ValueError(f"the loss has to be one number, got shape {loss.shape}: reduce it by .mean() or .sum()")
    if loss.is_leaf:
        raise ValueError("the loss was computed without a graph (no_grad? only constants?): it can train nothing")


def _check_gradients(optimizer: Optimizer) -> None:
    """Refuse to go on where nothing would be trained."""
    if all(isinstance(p, Tensor) and p.grad is None for p in optimizer.parameters):
        raise ValueError(
            "the loss does not depend on any of the optimizer's parameters: was it made for another model? "
            "Write it after the model, nn.SGD(model.parameters(), lr=...)"
        )


def _non_finite(state: State, step: int, loss: float, x: Any, y: Any) -> NonFiniteLoss:
    """The error, with the likely cause: bad data, an update that overflowed before, or this forward pass."""
    found = {"inputs": _not_finite(x), "targets": _not_finite(y)}
    places = [f"the batch's {name} are not finite ({place}, counted from 0)" for name, place in found.items() if place]
    if places:
        cause = f"{' and '.join(places)}: clean the data"
    elif not all(np.isfinite(p.detach()).all() for p in state.optimizer.parameters):
        cause = "parameters are not finite since an earlier step: begin again with a lower learning rate or clip=1.0"
    else:
        cause = "try a lower learning rate, clip=1.0, or inputs scaled to about -1..1"
    lr = state.optimizer.lr
    where = f"epoch {state.epoch}, step {step} (learning rate {lr:g})"
    message = f"the loss is {loss} in {where}; the weights are those before this step. {cause[0].upper()}{cause[1:]}"
    return NonFiniteLoss(message, state.epoch, step, loss, lr)


def _not_finite(part: Any, path: str = "") -> str:
    """Where a batch's inputs or targets first have nan or infinity; empty if they do not.

    >>> _not_finite([[0.0, 1.0], [2.0, math.inf]]), _not_finite({"a": np.array([1, 2]), "b": [Value(math.nan)]})
    ('inf in row 1, column 1', "nan at ['b'][0]")
    """
    if isinstance(part, Value | Tensor):
        part = part.detach()
    if isinstance(part, Mapping):
        return next((found for key, x in part.items() if (found := _not_finite(x, f"{path}[{key!r}]"))), "")
    try:
        numbers = np.asarray(part)
    except ValueError:  # of several lengths
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
