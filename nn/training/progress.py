"""`Progress`: what `fit` shows while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nn.support.text import fitted
from nn.training.history import Row, shown


class Progress:
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
