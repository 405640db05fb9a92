"""What the demos of small reference networks share: options, gradient descent, comparing several ways, pictures."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import DrawingError, Value
from demos.mnist import Parser, number
from nn import canvas
from nn.data import DatasetError
from nn.files import replacing

AGREE = 1e-9
"""The largest relative difference between ways to compute the same."""


def parser(name: str, doc: str | None, *, seed: int | None, start: str, quick: str) -> Parser:
    """The options that all have; `start` is what the network starts from without ``--seed``."""
    found = Parser(prog=f"python -m demos.{name}", description=(doc or "").partition("\n")[0])
    seeds = number(int, 0, 2**32)
    add = found.add_argument
    add("--seed", type=seeds, default=seed, metavar="N", help=f"of the first weights ({start})")
    add("--out", type=Path, default=Path("runs", name), metavar="FOLDER", help="for pictures (%(default)s)")
    add("--quick", action="store_true", help=f"only a look: {quick}")
    return found


def tell(story: Callable[[argparse.Namespace], bool], options: argparse.Namespace) -> int:
    """Run a demo that returns whether all that it compared agrees; returns the exit code."""
    try:
        options.out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        return 0 if story(options) else 1
    except (DatasetError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def descend(loss: Callable[..., Any], parameters: Any, rate: float, *data: Any) -> Iterator[float]:
    """Gradient descent without end: each loss before its update, so that n + 1 losses are n updates."""
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
    """The largest relative difference between numbers and what they should be."""
    numbers, expected = np.asarray(numbers, float), np.asarray(expected, float)
    return float((abs(numbers - expected) / np.maximum(abs(expected), np.finfo(float).tiny)).max())


def difference(f: Callable[[], float], p: Value, step: float = 1e-5) -> float:
    """The slope of f in p, from two points beside it."""
    middle, ends = p.data, []
    for p.data in (middle - step, middle + step):
        ends.append(f())
    p.data = middle
    return (ends[1] - ends[0]) / (2 * step)


def sources(scalars: type, matrices: type, program: str) -> None:
    """Print a network as it was written, twice, and as `vectorize` found it."""
    print(f"In scalars, every weight a Value:\n\n{inspect.getsource(scalars)}")
    print(f"In matrices, as Tensors:\n\n{inspect.getsource(matrices)}")
    print(f"And what vectorize makes of the scalars, with the backward pass:\n\n{program}\n")


def table(what: str, ways: Mapping[str, Sequence[float]], rows: Sequence[int], published: Mapping[int, float]) -> bool:
    """Print some rows of the numbers that each way gave, the published ones beside them; returns whether all agree.

    The first way is shown whole, the others by their relative difference from it.
    """
    (name, numbers), *others = ways.items()
    beside = f"{'published':<24}" if published else ""
    print(f"\n{what:>9}  {f'on {name}':<23} {beside}relative difference of {', '.join(other for other, _ in others)}")
    for k in rows:
        beside = f"{published.get(k, '')!s:<24}" if published else ""
        off = "  ".join(f"{apart(other[k], numbers[k]):.1e}" for _, other in others)
        print(f"{k:>9,}  {numbers[k]!s:<23} {beside}{off}")
    most = max(apart(other, numbers) for _, other in others)
    print(f"\nlargest relative difference of {', '.join(ways)} in {len(numbers):,} numbers: {most:.1e}")
    known = [k for k in published if k < len(numbers)]
    if known:
        print(f"from the published numbers: {apart([numbers[k] for k in known], [published[k] for k in known]):.1e}")
    return most < AGREE


def pictures(folder: Path, draw: Mapping[str, Callable[[], Any]]) -> None:
    """Save what the functions draw, figures of matplotlib or drawings of graphs, or say why there is none."""
    for name, make in draw.items():
        try:
            picture = make()
            if hasattr(picture, "savefig"):
                with replacing(folder / name) as temporary:
                    picture.savefig(temporary, dpi=150)
            else:
                picture.save(folder / name)
            print(f"picture: {folder / name}")
        except (ImportError, DrawingError) as error:
            print(f"no picture: {error}")


def panels(width: float, height: float, columns: int, **kwargs: Any) -> tuple[Any, Any]:
    """A figure with axes side by side."""
    figure = canvas.matplotlib("figure").Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, **kwargs)
    for ax in np.ravel(axes):
        ax.grid(color=canvas.LINE, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes
