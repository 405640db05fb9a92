"""What makes a story a command: options, and a line for whatever goes wrong."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from autograd import DrawingError
from nn.data import DatasetError
from nn.text import legible


class Parser(argparse.ArgumentParser):
    """Of a demo by this name, which says in its first line what it is; complains in one line.

    From when it reads the options, what the demo prints fits every terminal and file. There may be no `doc`: under
    ``python -OO`` no module has one.
    """

    def __init__(self, name: str, doc: str | None) -> None:
        super().__init__(prog=f"python -m demos.{name}", description=(doc or "").partition("\n")[0])

    def parse_args(self, *arguments: Any, **options: Any) -> Any:
        """As ever; see above."""
        legible()
        return super().parse_args(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help explains the options)\n")


def number(kind: type, low: float, below: float = math.inf) -> Callable[[str], Any]:
    """A reader of ints or floats in [low, below)."""

    def read(text: str) -> Any:
        value = kind(text)
        if not low <= value < below:
            raise argparse.ArgumentTypeError(f"{text} is not in [{low}, {below})")
        return value

    read.__name__ = kind.__name__  # for argparse's own message
    return read


def parser(
    name: str, doc: str | None, *, seed: int | None = 0, of: str = "of the first weights (%(default)s)", quick: str,
    writes: bool = True,
) -> Parser:  # fmt: skip
    """The options that all demos have: ``--seed`` (of what), ``--quick`` (how), and ``--out`` of those that write."""
    found = Parser(name, doc)
    add = found.add_argument
    add("--seed", type=number(int, 0, 2**32), default=seed, metavar="N", help=of)
    if writes:
        add("--out", type=Path, default=Path("runs", name), metavar="FOLDER", help="what is written to (%(default)s)")
    add("--quick", action="store_true", help=f"only a look: {quick}")
    return found


def tell(
    story: Callable[[argparse.Namespace], bool | None], options: argparse.Namespace, interrupted: str = "interrupted"
) -> int:
    """Run a demo; returns the exit code, which is 1 too where the story says that what it compared does not agree."""
    try:
        if "out" in options:
            options.out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        return 1 if story(options) is False else 0
    except (DatasetError, DrawingError, FloatingPointError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return 130
