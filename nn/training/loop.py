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
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from nn.module import Module, mode
from nn.optim import Optimizer, clip_grad_norm
from nn.optim.schedules import Rate
from nn.training.arguments import CALL, Batched, Loss, aligned, batches_of, check_output, is_ours, loss_function, pair
from nn.training.arguments import optimizer as optimizer_of
from nn.training.evaluation import validation
from nn.training.history import Direction, History, Row
from nn.training.interrupt import Interrupt
from nn.training.progress import Progress
from nn.training.refusals import check_gradients_arrived, check_loss, non_finite
from nn.training.state import Callback, Model, State, hooks_of
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
    `nn.training.threads`. During the validation, in callbacks at the end of an epoch and after the training it has as
    many as before.

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
    callbacks = _listed(callbacks, patience, monitor, direction)
    if not any(p.requires_grad for p in optimizer.parameters):
        raise ValueError("every parameter of the optimiser is frozen, so there is nothing to train: model.unfreeze()")
    hooks = hooks_of(callbacks)
    history = History() if history is None else history
    history.stopped, history.interrupted = "", False
    state = State(model, batches, loss, optimizer, callbacks, history, epochs)
    bar = Progress(progress)
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
    state: State, validate: Any, clip: Any, hooks: Any, bar: Progress, interrupt: Interrupt, threads: Threads
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
            check_loss(out)
        value = out.item()
        if not isfinite(value):
            raise non_finite(state, step, value, x, y)
        optimizer.zero_grad()
        out.backward()
        if not state.step and state.epoch == 1:
            check_gradients_arrived(optimizer)
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


def _listed(
    callbacks: Callback | Iterable[Callback], patience: int | None, monitor: str | None, direction: Direction | None
) -> list[Callback]:
    """The callbacks as a list, early stopping the last of them if it is wanted."""
    listed: list[Callback] = [callbacks] if callable(callbacks) or not isinstance(callbacks, Iterable) else [*callbacks]
    if patience is not None:
        return [*listed, EarlyStopping(patience, monitor, direction)]
    for name, given in (("monitor", monitor), ("direction", direction)):
        if given is not None:
            raise ValueError(f"{name}={given!r} says what early stopping looks at: it needs patience, too")
    return listed
