"""Schedules: the learning rate as a function of the number of steps.

A schedule has no state, so a resumed training continues with the right rate. Pass a schedule to an optimiser as its
`lr`, or assign ``optimizer.lr = schedule(epoch)`` to change the rate by epochs. Any function from an int to a float is
a schedule.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Schedule: TypeAlias = Callable[[int], float]
Rate: TypeAlias = float | Schedule


def checked(name: str, x: float, low: float = 0, below: float = math.inf) -> float:
    """A hyperparameter as a float. Raises ValueError unless it is at least `low` and less than `below`.

    Raises TypeError if it is not a number, for instance `lr="0.1"`.
    """
    try:
        fits = low <= x < below
    except TypeError:
        fits = None
    if not isinstance(fits, bool | np.bool_):
        number = f": write {name.partition(' ')[0]}={float(x)}" if isinstance(x, str) and _written(x) else ""
        raise TypeError(f"{name} is a number, not {type(x).__name__} {x!r:.60}{number}")
    if not fits:
        raise ValueError(f"{name} must be in [{low}, {below}), got {x}")
    return float(x)


def _written(text: str) -> bool:
    """True if a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Checks:
    """Raises ValueError unless learning rates and factors are 0 or more, and lengths 1 or more."""

    def __post_init__(self) -> None:
        for name, x in vars(self).items():
            if not callable(x):
                checked(name, x, low=1 if name in ("steps", "every") else 0)


@dataclass(frozen=True)
class StepDecay(_Checks):
    """``lr * factor ** (step // every)``: a staircase.

    >>> schedule = StepDecay(0.5, every=10, factor=0.5)
    >>> schedule(0), schedule(9), schedule(10), schedule(20)
    (0.5, 0.5, 0.25, 0.125)
    """

    lr: float
    every: int
    factor: float = 0.1

    def __call__(self, step: int) -> float:
        return self.lr * self.factor ** (step // self.every)


@dataclass(frozen=True)
class Exponential(_Checks):
    """``lr * factor ** step``.

    >>> Exponential(0.5, factor=0.5)(2)
    0.125
    """

    lr: float
    factor: float

    def __call__(self, step: int) -> float:
        return self.lr * self.factor**step


@dataclass(frozen=True)
class Cosine(_Checks):
    """``final + (lr - final) * (1 + cos(pi * step / steps)) / 2``, and `final` from `steps` on.

    This is the schedule of Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    without its restarts.

    >>> schedule = Cosine(0.5, steps=10)
    >>> schedule(0), round(schedule(5), 9), schedule(10), schedule(11)
    (0.5, 0.25, 0.0, 0.0)
    """

    lr: float
    steps: int
    final: float = 0.0

    def __call__(self, step: int) -> float:
        return _half_cosine(self.lr, self.final, step / self.steps)


@dataclass(frozen=True)
class Warmup(_Checks):
    """Rises linearly for `steps` steps to the start of another schedule (or a constant), which follows.

    The rate is ``after(0) * (step + 1) / (steps + 1)`` before `steps`, then ``after(step - steps)``. Goyal et al.,
    "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.

    >>> schedule = Warmup(StepDecay(0.5, every=2), steps=4)
    >>> [round(schedule(step), 3) for step in range(7)]
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.05]
    """

    after: Rate
    steps: int

    def __call__(self, step: int) -> float:
        after = self.after(max(step - self.steps, 0)) if callable(self.after) else self.after
        return after * min((step + 1) / (self.steps + 1), 1.0)


@dataclass(frozen=True)
class OneCycle(_Checks):
    """Half a cosine up to `peak` in the first part of the training, and half a cosine down in the rest.

    The first part is ``warmup * steps`` steps. The rate starts at ``start * peak`` and ends at ``final * peak``. Smith
    and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2017. This form
    and its default numbers are fastai's.

    >>> schedule = OneCycle(0.5, steps=100)
    >>> schedule(0), schedule(30), schedule(100)
    (0.02, 0.5, 2e-06)
    """

    peak: float
    steps: int
    warmup: float = 0.3
    start: float = 0.04
    final: float = 4e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        checked("warmup", self.warmup, below=1)

    def __call__(self, step: int) -> float:
        top = self.warmup * self.steps
        if step < top:
            return _half_cosine(self.start * self.peak, self.peak, step / top)
        return _half_cosine(self.peak, self.final * self.peak, (step - top) / (self.steps - top))


def _half_cosine(start: float, end: float, progress: float) -> float:
    """A cosine from start to end as progress goes from 0 to 1, with slope 0 at both ends."""
    weight = (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return weight * start + (1 - weight) * end
