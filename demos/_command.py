"""Shared code of the demos' commands: options, output folders, and errors in one line."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from autograd import DrawingError
from nn.data import DatasetError
from nn.support.text import legible


class Parser(argparse.ArgumentParser):
    """The parser of the demo with this name. The first line of `doc` is its description. Errors are one line.

    After it has read the options, the demo's output fits every terminal and file. `doc` may be None: with
    ``python -OO`` modules have no docstrings.
    """

    def __init__(self, name: str, doc: str | None) -> None:
        super().__init__(prog=f"python -m demos.{name}", description=(doc or "").partition("\n")[0])

    def parse_args(self, *arguments: Any, **options: Any) -> Any:
        """As `argparse` does, after making the output fit the terminal."""
        legible()
        return super().parse_args(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (--help explains the options)\n")


def number(kind: type, low: float, below: float = math.inf) -> Callable[[str], Any]:
    """An argparse type for ints or floats in [low, below)."""

    def read(text: str) -> Any:
        value = kind(text)
        if not low <= value < below:
            raise argparse.ArgumentTypeError(f"{text} is not in [{low}, {below})")
        return value

    read.__name__ = kind.__name__  # argparse's message shows it
    return read


def parser(
    name: str, doc: str | None, *, seed: int | None = 0, of: str = "of the first weights (%(default)s)", quick: str,
    writes: bool = True,
) -> Parser:  # fmt: skip
    """The options that all demos have: ``--seed``, ``--quick``, and ``--out`` if the demo writes files."""
    found = Parser(name, doc)
    add = found.add_argument
    add("--seed", type=number(int, 0, 2**32), default=seed, metavar="N", help=of)
    if writes:
        add("--out", type=Path, metavar="FOLDER", help=f"where to write the files (a new folder: {runs(name)})")
        found.set_defaults(demo=name)
    add("--quick", action="store_true", help=f"a short run: {quick}")
    return found


def runs(name: str) -> str:
    """The folder to which a demo writes, as text for ``--help``."""
    return f"runs/{name}; if that exists, runs/{name}-2 and so on"


@contextmanager
def run_folder(given: Path | None, name: str, *, goes_on: bool = False) -> Iterator[Path]:
    """The folder of a run: the one given, or a new one, so that no earlier run is lost.

    New folders are ``runs/NAME``, ``runs/NAME-2`` and so on. If the given folder is not empty, a message names the
    files that may be replaced. A run that continues an earlier one uses the folder of the latest. A new folder that
    stays empty is removed.
    """
    if given is not None or goes_on:
        folder = given or _latest(name)
        folder.mkdir(parents=True, exist_ok=True)
        held = sorted(path.name for path in folder.iterdir())
        if held and not goes_on:
            names = ", ".join(held[:8]) + (f" and {len(held) - 8} more" if len(held) > 8 else "")
            print(f"{folder} is not empty. This run replaces files of the same names ({names})", flush=True)
        yield folder
        return
    folder = _new(name)
    try:
        yield folder
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def _numbered(name: str) -> Iterator[Path]:
    return (Path("runs", name if i == 1 else f"{name}-{i}") for i in count(1))


def _new(name: str) -> Path:
    """Create a new folder at once, so that two runs at the same time get different folders."""
    for folder in _numbered(name):
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("there is always one more")


def _latest(name: str) -> Path:
    """The folder with the largest number, or the one without a number if it is the only one."""
    others = {path.name.removeprefix(f"{name}-"): path for path in Path("runs").glob(f"{name}-*")}
    numbers = [number for number in others if number.isdecimal()]
    return others[max(numbers, key=int)] if numbers else Path("runs", name)


def tell(
    story: Callable[[argparse.Namespace], bool | None],
    options: argparse.Namespace,
    interrupted: str = "interrupted",
    goes_on: bool = False,
) -> int:
    """Run a demo and return its exit code. It is 1 after an error, or if the demo returns False: a comparison failed.

    With `goes_on` the demo continues an earlier run in its folder.
    """
    try:
        if "out" not in options:
            return 1 if story(options) is False else 0
        with run_folder(options.out, options.demo, goes_on=goes_on) as options.out:  # made before the work
            return 1 if story(options) is False else 0
    except (DatasetError, DrawingError, FloatingPointError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return 130
