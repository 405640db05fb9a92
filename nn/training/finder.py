"""`find_learning_rate`: a range test. It trains a copy at ever higher learning rates until the loss explodes.

Leslie Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3. The rates grow by a
constant factor. The suggested rate is a tenth of the rate with the lowest loss, as in the library fastai (Sylvain
Gugger, "How do you find a good learning rate", 2018).
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nn.optim import Optimizer
from nn.support.arrays import Array
from nn.support.canvas import BLUES, GREY, INK, LINE, ORANGES, axes
from nn.training.arguments import Batched, Loss, batches_of, loss_function
from nn.training.arguments import optimizer as optimizer_of
from nn.training.loop import fit
from nn.training.refusals import NonFiniteLoss
from nn.training.state import State

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The result of a range test: a loss for each learning rate, in the order of the test.

    `smoothed` are the losses as means over neighbouring steps. `diverged` is True if the test ended early because the
    loss exploded. `suggestion` is a tenth of the rate with the lowest smoothed loss. It is None if the loss never fell.
    """

    rates: Array
    losses: Array
    smoothed: Array
    suggestion: float | None
    diverged: bool

    def __str__(self) -> str:
        end = "where the loss exploded" if self.diverged else "the last"
        what = (
            "the loss never fell: try lower rates" if self.suggestion is None else f"suggestion {self.suggestion:.2g}"
        )
        return f"{len(self.rates)} learning rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g} ({end}): {what}"

    __repr__ = __str__

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss over the learning rate, and the suggestion, on the given axes or on those of a new figure."""
        ax = axes(ax, (4.4, 3.2))
        ax.plot(self.rates, self.losses, color=BLUES[2], linewidth=0.8, label="loss")
        ax.plot(self.rates, self.smoothed, color=BLUES[1], label="smoothed")
        if self.suggestion is not None:
            ax.axvline(self.suggestion, color=ORANGES[3], linestyle="--", label=f"suggestion: {self.suggestion:.2g}")
        before = self.losses[: int(self.smoothed.argmin()) + 1]
        room = 0.1 * float(np.ptp(before)) or 0.1
        ax.set_ylim(before.min() - room, before.max() + 3 * room)  # the explosion would flatten everything else
        ax.set_xscale("log")
        ax.set_xlabel("learning rate", color=GREY)
        ax.set_ylabel("loss", color=GREY)
        ax.tick_params(colors=INK)
        ax.grid(axis="y", color=LINE, linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(fontsize="small", framealpha=0.9, edgecolor="none")
        return ax


def find_learning_rate(
    model: Any,
    batches: Batched,
    loss: str | Loss,
    optimizer: str | Optimizer | Callable[..., Optimizer],
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
) -> RangeTest:
    """Find a learning rate: train a copy for `steps` steps at rates from `low` to `high`, and compare the losses.

    Args:
        model: a Module, or a vectorized one.
        batches: as `nn.fit` takes them, or a pair of arrays (x, y). They are repeated as often as needed.
        loss: a function, or a name.
        optimizer: an optimiser of the model's parameters, or of some of them; or a name.
        low: the first rate.
        high: the last rate. Each rate is a constant factor above the one before.
        steps: the number of steps, at least 10.

    The test works on copies. The model, the optimiser, the batches and the random generators are unchanged, even if it
    ends by an error or by Ctrl-C.

    The test ends early if the loss is not finite, or rises too far above the lowest loss: by three times the lowest
    loss, or by three times the decrease so far, whichever is more.

    Raises TypeError for batches that can be iterated only once, and ValueError for an optimiser of parameters that are
    not the model's, since the copy of the model would not learn.

    >>> from nn import SGD, Linear, squared_error
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> line = Linear(1, 1, rng=0)
    >>> found = find_learning_rate(line, [(x, 3 * x + 1)], squared_error, SGD(line, lr=1.0))
    >>> 0.01 < found.suggestion < 0.5, found.diverged
    (True, True)
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"the rates go from a low one above 0 to a higher, finite one; got low={low}, high={high}")
    if steps < 10:
        raise ValueError(f"a range test takes at least 10 steps, got {steps}")
    batches, loss = batches_of(batches, None), loss_function(loss)
    optimizer = optimizer_of(optimizer, model, low if isinstance(optimizer, str | type) else None)
    _check_parameters(model, optimizer)
    model, optimizer = copy.deepcopy((model, optimizer))
    rates = np.geomspace(low, high, steps)
    start = optimizer.steps
    optimizer.lr = lambda step: float(rates[min(step - start, steps - 1)])
    watch = _Watch()
    states = random.getstate(), np.random.get_state()
    try:
        history = fit(
            model, _repeated(_copied(batches), steps), loss, optimizer, epochs=1, callbacks=[watch], progress=False
        )
        if history.interrupted:
            raise KeyboardInterrupt
    except NonFiniteLoss:
        watch.diverged = True
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    losses = np.array(watch.losses)
    if not losses.size:
        raise ValueError(f"the loss is not finite at the lowest rate, {low:g}: nothing can be learned about the others")
    smoothed = _smoothed(losses)
    best = int(smoothed.argmin())
    suggestion = float(rates[best]) / 10 if best else None
    return RangeTest(rates[: losses.size], losses, smoothed, suggestion, watch.diverged)


class _Watch:
    """A callback that keeps the losses, and stops the training when they explode."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.mean, self.lowest, self.diverged = 0.0, math.inf, False

    def on_step_end(self, state: State) -> None:
        self.losses.append(state.loss)
        count = len(self.losses)
        self.mean = 0.8 * self.mean + 0.2 * state.loss
        mean = self.mean / (1 - 0.8**count)  # over about the last five steps
        self.lowest = min(self.lowest, mean)
        if mean > self.lowest + 3 * max(abs(self.lowest), self.losses[0] - self.lowest):
            self.diverged = True
            state.stop("the loss exploded")


WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0])


def _smoothed(losses: Array) -> Array:
    """Weighted means over three steps on either side. A running mean would lag behind.

    >>> _smoothed(np.array([0.0, 0.0, 16.0, 0.0, 0.0])).round(2).tolist()
    [3.2, 3.69, 4.57, 3.69, 3.2]
    """
    places = range(len(losses))
    windows = [(losses[max(0, i - 3) : i + 4], WEIGHTS[max(0, 3 - i) :]) for i in places]
    return np.array([np.average(near, weights=weights[: len(near)]) for near, weights in windows])


def _check_parameters(model: Any, optimizer: Optimizer) -> None:
    own = {id(p) for p in model.parameters()} if hasattr(model, "parameters") else set()
    if strange := sum(id(p) not in own for p in optimizer.parameters):
        raise ValueError(
            f"{strange} of the optimiser's {len(optimizer.parameters)} parameters are not found in the model, "
            f"{model!r:.60}: the test trains a copy of a Module and of its optimiser"
        )


def _copied(batches: Any) -> Any:
    """A copy of the batches with their generators. The arrays are not copied."""
    if isinstance(batches, list | tuple):
        return batches
    if isinstance(batches, Iterator):
        raise TypeError("batches that are iterated only once would be used up: pass a list, or nn.data.Batches")
    held = [
        x
        for part in getattr(batches, "__dict__", {}).values()
        for x in (part if isinstance(part, list | tuple) else [part])
    ]
    return copy.deepcopy(batches, {id(x): x for x in held if isinstance(x, np.ndarray)})


def _repeated(batches: Iterable[Any], steps: int) -> Iterator[Any]:
    """`steps` batches, from as many epochs as needed."""
    given = 0
    while given < steps:
        before = given
        for batch in batches:
            given += 1
            yield batch
            if given == steps:
                return
        if given == before:
            raise ValueError("there are no batches")
