"""Code that the demos of small reference networks share: gradient descent, and comparisons of several methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

import nn
from autograd import Value

AGREE = 1e-9
"""The largest relative difference allowed between two methods."""


def descend(loss: Callable[..., Any], parameters: Any, rate: float, *data: Any) -> Iterator[float]:
    """Endless gradient descent. It yields each loss before its update, so n + 1 losses mean n updates."""
    optimizer = nn.SGD(parameters, rate)
    while True:
        total = loss(*data)
        yield total.item()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


def until(losses: Iterator[float], enough: float, most: int) -> list[float]:
    """The losses up to the first below `enough`, or after `most` updates."""
    found = []
    for loss in islice(losses, most + 1):
        found.append(loss)
        if loss < enough:
            break
    return found


def apart(numbers: Any, expected: Any) -> float:
    """The largest relative difference between numbers and their expected values."""
    numbers, expected = np.asarray(numbers, float), np.asarray(expected, float)
    return float((abs(numbers - expected) / np.maximum(abs(expected), np.finfo(float).tiny)).max())


def difference(f: Callable[[], float], p: Value, step: float = 1e-5) -> float:
    """The slope of f in p, by a central difference."""
    middle, ends = p.data, []
    for p.data in (middle - step, middle + step):
        ends.append(f())
    p.data = middle
    return (ends[1] - ends[0]) / (2 * step)


def sources(scalars: type, matrices: type, program: str) -> None:
    """Print both versions of a network, and the program that `vectorize` made."""
    print(f"In scalars (every weight is a Value):\n\n{inspect.getsource(scalars)}")
    print(f"In matrices (as Tensors):\n\n{inspect.getsource(matrices)}")
    print(f"The program that vectorize makes of the scalars, with its backward pass:\n\n{program}\n")


def table(
    what: str, ways: Mapping[str, Sequence[float] | np.ndarray], rows: Sequence[int], published: Mapping[int, float]
) -> bool:
    """Print the numbers of several methods beside the published ones. Returns True if the methods agree.

    For the first method it prints the numbers, for the others the relative differences.
    """
    (name, numbers), *others = ways.items()
    beside = f"{'published':<24}" if published else ""
    print(f"\n{what:>9}  {f'on {name}':<23} {beside}relative difference of {', '.join(other for other, _ in others)}")
    for k in rows:
        beside = f"{published.get(k, '')!s:<24}" if published else ""
        off = "  ".join(f"{apart(other[k], numbers[k]):.1e}" for _, other in others)
        print(f"{k:>9,}  {numbers[k]!s:<23} {beside}{off}")
    most = max(apart(other, numbers) for _, other in others)
    print(f"\nlargest relative difference between {', '.join(ways)} in {len(numbers):,} numbers: {most:.1e}")
    known = [k for k in published if k < len(numbers)]
    if known:
        away = apart([numbers[k] for k in known], [published[k] for k in known])
        print(f"largest relative difference from the published numbers: {away:.1e}")
    return most < AGREE
