"""The arguments of `fit`, converted for its loop: data to batches, names to a loss and an optimiser.

The registries of losses and optimisers are here, too. They list the contents of `nn.losses` and `nn.optim`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from nn import losses, optim
from nn.data.batches import Batches
from nn.layers import Sequential, Sigmoid, Softmax
from nn.optim import Optimizer
from nn.optim.schedules import Rate
from nn.support.arrays import as_array, as_input, is_data
from nn.support.names import named

Model: TypeAlias = Callable[[Any], Any]
Loss: TypeAlias = Callable[[Any, Any], Any]
Batched: TypeAlias = Iterable[Sequence[Any]] | tuple[Any, Any] | list[Any]
"""The data of `fit`: batches (x, y), or a pair of arrays."""

SHORT = {"mse": "squared_error", "mae": "absolute_error", "bce": "binary_cross_entropy", "l1": "absolute_error"}
"""The names of losses in other libraries, and ours."""

CALL = "nn.fit(model, (x, y), loss, optimizer, epochs=...)"


def loss_functions() -> dict[str, Loss]:
    """Every loss of `nn.losses` by its name.

    >>> list(loss_functions())[:3]
    ['squared_error', 'absolute_error', 'huber']
    """
    return {
        name: function
        for name, function in vars(losses).items()
        if inspect.isfunction(function) and function.__module__ == losses.__name__ and name[0] != "_"
    }


def optimizers() -> dict[str, type[Optimizer]]:
    """Every optimiser of `nn.optim` by its name.

    >>> list(optimizers())
    ['sgd', 'adagrad', 'rmsprop', 'adam', 'adamw']
    """
    kinds = [kind for kind in vars(optim).values() if isinstance(kind, type) and issubclass(kind, Optimizer)]
    return {kind.__name__.lower(): kind for kind in kinds if kind is not Optimizer}


def loss_function(given: str | Loss) -> Loss:
    """A loss, given by name or as a function. Raises ValueError for an unknown name, TypeError for anything else.

    >>> loss_function("mse").__name__
    'squared_error'
    """
    if isinstance(given, str):
        return named("loss", SHORT.get(given.lower(), given), loss_functions(), "; or pass a function")
    if isinstance(given, list | tuple | np.ndarray) or is_data(given):
        raise TypeError(
            f"the loss is a function or a name, not data ({type(given).__name__}); x and y go together: {CALL}"
        )
    if isinstance(given, Optimizer):
        raise TypeError(f"the loss comes before the optimizer: {CALL}")
    if isinstance(given, type) or not callable(given):
        raise TypeError(f'the loss is a function such as nn.cross_entropy, or a name such as "mse", not {given!r:.60}')
    return given


def optimizer(given: Any, model: Any, lr: Rate | None) -> Optimizer:
    """An optimiser. It is given, or made for the model's parameters by a name, a class or a function.

    >>> from nn import Linear
    >>> type(optimizer("Adam", Linear(2, 1), 0.1)).__name__
    'Adam'
    """
    if hasattr(given, "step") and not isinstance(given, type):
        if lr is not None:
            raise TypeError(f"the optimizer has its learning rate already: nn.{type(given).__name__}(..., lr={lr!r})")
        return given  # type: ignore[no-any-return]
    kind: Any = named("optimizer", given, optimizers(), "; or make one") if isinstance(given, str) else given
    if not callable(kind):
        what = f"{type(given).__name__} {given!r:.60}"
        raise TypeError(
            f'the optimizer is one such as nn.Adam(model.parameters()), or a name such as "adam", not {what}'
        )
    if not hasattr(model, "parameters"):
        raise TypeError(f"{given!r:.60} needs the parameters of the model, and it has none: make the optimizer first")
    rate = None if not isinstance(kind, type) else inspect.signature(kind).parameters.get("lr")
    if lr is None and rate is not None and rate.default is inspect.Parameter.empty:
        raise TypeError(f"{kind.__name__} needs a learning rate: pass lr=0.1, say, to fit")
    return kind(model.parameters(), **({} if lr is None else {"lr": lr}))  # type: ignore[no-any-return]


def batches_of(given: Any, batch_size: int | None) -> Iterable[Sequence[Any]]:
    """Batches, either given or made from a pair of arrays (x, y). Raises TypeError for anything else.

    A pair is a tuple of two items, or a list of two arrays. An exception is a tuple of two pairs, at least one of them
    a tuple: it is two batches.

    >>> [(x.shape, y.shape) for x, y in batches_of((np.ones((5, 2)), [0, 1, 0, 1, 1]), 3)]
    [((3, 2), (3,)), ((2, 2), (2,))]
    """
    if _is_pair(given):
        x, y = (as_array(part, f"fit ({name})") for name, part in zip("xy", given, strict=True))
        if len(x) != len(y):
            raise ValueError(f"x and y have a row for each sample, but x has the shape {x.shape} and y {y.shape}")
        return Batches(x, y, batch_size=32 if batch_size is None else batch_size)
    if batch_size is not None:
        raise TypeError("batch_size is for a pair of arrays (x, y); batches have theirs already")
    if isinstance(given, np.ndarray | Mapping | str) or is_data(given):
        raise TypeError(f"fit takes inputs and targets together, not {type(given).__name__} alone: {CALL}")
    if not hasattr(given, "__iter__") and not hasattr(given, "__getitem__"):
        hint = "(data.train_x, data.train_y)" if hasattr(given, "train_x") else "(x, y) or nn.data.Batches(x, y)"
        raise TypeError(f"fit takes data, {hint}, not {type(given).__name__} {given!r:.60}")
    return given  # type: ignore[no-any-return]


def _is_pair(given: Any) -> bool:
    if not isinstance(given, list | tuple) or len(given) != 2:
        return False
    if isinstance(given, tuple):
        pairs = all(isinstance(part, list | tuple) and len(part) == 2 for part in given)
        return not (pairs and any(isinstance(part, tuple) for part in given))
    return all(isinstance(part, np.ndarray) or is_data(part) for part in given)


def pair(batch: Any, step: int) -> tuple[Any, Any]:
    """The inputs and targets of a batch. Raises ValueError if it is not a pair."""
    try:
        x, y = batch
    except (TypeError, ValueError):
        size = f" of {len(batch)}" if hasattr(batch, "__len__") else ""
        raise ValueError(f"a batch is a pair (x, y), but batch {step} is a {type(batch).__name__}{size}") from None
    return as_input(x, "fit"), as_input(y, "fit")


def is_ours(loss: Any) -> bool:
    """True for a loss of `nn.losses`, also with some arguments filled in by `functools.partial`.

    >>> is_ours(partial(losses.huber, delta=2.0)), is_ours(max)
    (True, False)
    """
    while isinstance(loss, partial):
        loss = loss.func
    return getattr(loss, "__module__", "") == losses.__name__


def takes_labels(loss: Any) -> bool:
    """True for a loss of `nn.losses` that takes class labels, so that there is an accuracy.

    >>> takes_labels(losses.cross_entropy), takes_labels(losses.huber)
    (True, False)
    """
    return is_ours(loss) and "labels" in inspect.signature(loss).parameters


def aligned(out: Any, y: Any) -> Any:
    """Targets with the output's axes, if the two differ only by a last axis of length 1: (n,) and (n, 1).

    Both hold the same n numbers. Which of the shapes occurs depends on the model, or on how a file was read.

    >>> aligned(np.zeros((3, 1)), [1.0, 2.0, 3.0]).shape, aligned(np.zeros((3, 4)), [[0], [1], [2]]).shape
    ((3, 1), (3,))
    """
    shape = out.shape if hasattr(out, "shape") else np.shape(out)
    target = np.shape(y)
    if target == shape:
        return y
    if (*target, 1) == shape:
        return as_array(y, "the loss")[..., None]
    if target[1:] == (1,) and len(shape) in (1, 2) and shape[0] == target[0]:
        return as_array(y, "the loss")[:, 0]
    return y


def check_output(model: Any, loss: Any) -> None:
    """Raise ValueError if the model gives probabilities and the loss takes logits: it would learn a wrong model."""
    last = model[-1] if isinstance(model, Sequential) and len(model) else None
    wanted: dict[Any, Any] = {
        Softmax: (losses.cross_entropy, losses.kl_divergence),
        Sigmoid: (losses.binary_cross_entropy,),
    }
    if loss in wanted.get(type(last), ()):
        raise ValueError(
            f"{loss.__name__} takes logits, and makes the probabilities itself: "
            f"leave out the model's last layer, {last!r}"
        )
