"""The training loop: `fit`.

The loop is the usual one: forward, loss, zero_grad, backward, step. `fit` adds progress, a history, validation,
callbacks, early stopping and checkpoints. Ctrl-C ends it between two steps. A loss that is not finite raises an error
before it changes the weights.

The model is any callable, the batches are anything that can be iterated once an epoch, and the loss is any function
that returns one `Value` or `Tensor`. So the same loop trains networks of scalars and of arrays. It adds one to three
microseconds to a step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from nn.module import Module, mode
from nn.optim import Optimizer, clip_grad_norm
from nn.optim.schedules import Rate
from nn.training.arguments import (
    CALL,
    Batched,
    Loss,
    Model,
    aligned,
    batches_of,
    check_output,
    is_ours,
    loss_function,
    pair,
)
from nn.training.arguments import optimizer as optimizer_of
from nn.training.evaluation import validation
from nn.training.history import Direction, History, Row
from nn.training.interrupt import Interrupt
from nn.training.memory import KeptMemory
from nn.training.progress import Progress
from nn.training.refusals import check_gradients_arrived, check_loss, non_finite
from nn.training.state import Callback, State, hooks_of
from nn.training.stopping import EarlyStopping
from nn.training.threads import Threads

if TYPE_CHECKING:
    from nn.checkpoint import Checkpoint


def fit(
    model: Model,
    batches: Batched,
    loss: Loss | str,
    optimizer: Optimizer | str | Callable[[Any], Optimizer],
    *misplaced: Never,
    epochs: int,
    batch_size: int | None = None,
    lr: Rate | None = None,
    validate: Callable[[Any], Mapping[str, float]] | tuple[Any, Any] | list[Any] | None = None,
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
        model: any callable. A Module is in training mode during the training, and in its own mode afterwards.
        batches: a pair of arrays (x, y), or anything that is iterated once an epoch, such as `nn.data.Batches` or a
            list of pairs. Arrays may be NumPy arrays, lists, data frames or tensors of other libraries.
        loss: a function (out, y) that returns one Value or Tensor, or the name of a loss of `nn.losses`. Losses of
            `nn.losses` accept targets (n,) for an output (n, 1), and targets (n, 1) for an output (n,).
        optimizer: an optimiser. Or its name, such as "adam", or its class: then it gets all parameters of the model.
        misplaced: nothing. Data given as two arguments would be here, and raise a TypeError that shows the right call.
        epochs: the number of epochs, including those in `history`.
        batch_size: the size of the minibatches made of a pair of arrays, by default 32. They are shuffled with a fixed
            seed.
        lr: the learning rate, for an optimiser given by name or class.
        validate: a function that is called with the model after each epoch and returns numbers by name, which become
            columns. Or a pair of arrays (x, y). Then the columns are `val_loss` and, if the loss takes labels,
            `val_accuracy`.
        callbacks: one or several functions, called with the `State` after each epoch; or objects with any of the
            methods `on_start`, `on_step_end`, `on_epoch_end`, `on_end`. ``state.stop(reason)`` ends the training.
        patience: the number of epochs without improvement after which the training stops, with the best weights. See
            `EarlyStopping`.
        monitor: the column that has to improve.
        direction: "max" or "min", the best number in that column. Names such as "val_loss" and "val_accuracy" tell it.
        clip: the largest norm of the gradients, all as one vector. Larger ones are scaled down.
        progress: True to show a line for each epoch on stderr, and a progress bar if tqdm is installed.
        history: an earlier History to continue.
        checkpoint: a file for the training, to continue from later. See `nn.checkpoint.Checkpoint`.

    Returns the history. Each epoch has the mean of the steps' losses (`train_loss`), the validation columns, the
    learning rate of the first step (`lr`), and the time that the steps took (`seconds`). Raises `NonFiniteLoss` as soon
    as the loss is nan or infinite.

    While the matrix products of a batch are small, BLAS uses one thread, if `threadpoolctl` is installed: see
    `nn.training.threads`. It has its own number of threads during the validation, in callbacks at the end of an epoch,
    and after the training.

    Ctrl-C ends the training after the running step or validation, saves the checkpoint, and sets `history.interrupted`.
    An unfinished epoch is not recorded, but its steps remain. A second Ctrl-C raises KeyboardInterrupt at once. This
    holds in the main thread, unless the program has its own handler of SIGINT.

    >>> from nn import Linear, losses, optim
    >>> x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(-1, 1)
    >>> line = Linear(1, 1, rng=0)
    >>> history = fit(line, [(x, 3 * x + 1)], losses.squared_error, optim.SGD(line.parameters(), lr=0.5),
    ...               epochs=100, progress=False)
    >>> round(line.weight.item(), 3), round(line.bias.item(), 3), history["train_loss"][-1] < 1e-9
    (3.0, 1.0, True)
    """
    if misplaced:
        raise TypeError(f"fit takes x and y as one pair, and arguments after the optimizer by name: {CALL}")
    if isinstance(model, type) or not callable(model):
        raise TypeError(f"the model is a Module or a function, not {model!r:.60}; {CALL}")
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer):
        raise TypeError(f"epochs is a whole number, not {type(epochs).__name__} {epochs!r:.60}")
    loss = loss_function(loss)
    check_output(model, loss)
    batches, optimizer = batches_of(batches, batch_size), optimizer_of(optimizer, model, lr)
    validate = validation(validate, loss)
    callbacks = _listed(callbacks, patience, monitor, direction)
    if not any(p.requires_grad for p in optimizer.parameters):
        raise ValueError("every parameter of the optimiser is frozen, so there is nothing to train: model.unfreeze()")
    hooks = hooks_of(callbacks)
    history = History() if history is None else history
    history.stopped, history.interrupted = "", False
    state = State(model, batches, loss, optimizer, callbacks, history, epochs)
    bar = Progress(progress)
    with mode(model, training=True), Interrupt() as interrupt, Threads(optimizer.parameters) as threads, KeptMemory():
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
        except KeyboardInterrupt:  # raised by a callback, or by a second Ctrl-C
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
    state: State, validate: Any, clip: Any, hooks: Any, bar: Progress, interrupt: Interrupt, threads: Threads
) -> None:
    """Run one epoch, or the rest of an epoch after a checkpoint, and add its row to the history."""
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
            check_loss(out)
        value = out.item()
        if not isfinite(value):
            raise non_finite(state, step, value, x, y)
        optimizer.zero_grad()
        out.backward()
        if not state.step and state.epoch == 1:
            check_gradients_arrived(optimizer)
        del out  # frees the graph, so that the next one reuses its memory
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
        raise ValueError(f"validate returned {sorted(clash)}, but fit has columns of these names: choose other names")
    row |= {name: float(x) for name, x in found.items()}
    row |= {"lr": state.lr, "seconds": seconds}
    history.append(row)
    bar.end(row)
    state.complete = True
    for hook in hooks["on_epoch_end"]:
        hook(state)


def _listed(
    callbacks: Callback | Iterable[Callback], patience: int | None, monitor: str | None, direction: Direction | None
) -> list[Callback]:
    """The callbacks as a list. With `patience`, the last one is early stopping."""
    listed: list[Callback] = [callbacks] if callable(callbacks) or not isinstance(callbacks, Iterable) else [*callbacks]
    if patience is not None:
        return [*listed, EarlyStopping(patience, monitor, direction)]
    for name, given in (("monitor", monitor), ("direction", direction)):
        if given is not None:
            raise ValueError(f"{name}={given!r} is an argument of early stopping: pass patience, too")
    return listed
