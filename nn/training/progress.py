"""`Progress`: the output of `fit` while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nn.support.text import fitted
from nn.training.history import Row, shown


class Progress:
    """Prints a line for each epoch to stderr, and shows a progress bar during an epoch if tqdm is installed.

    If the output fails, the training continues without it. A program without a console has no stderr, a daemon has
    closed it, and the reader of a pipe may have ended.
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
        self.close()  # a line replaces the bar; it is not cut to the width of the terminal
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
        except (OSError, ValueError, AttributeError):  # the stream is broken, closed or None
            bar, self.bar, self.wanted = self.bar, None, False
            if bar is not None:
                with suppress(OSError, ValueError):
                    bar.close()  # otherwise tqdm would show the next bar below it

    def _open(self, steps: int | None, done: int) -> None:
        try:
            from tqdm import tqdm  # type: ignore[import-untyped]
        except ImportError:
            return
        sys.stderr.write("")  # raises before the bar is made, which tqdm would keep
        interval = 0.1 if sys.stderr.isatty() else 60.0  # keeps log files short
        self.bar = tqdm(total=steps, initial=done, desc=self.title, unit=" steps", mininterval=interval, leave=False,
                        file=sys.stderr)  # fmt: skip

    def _advance(self, loss: float) -> None:
        self.bar.update()
        if self.bar.n % 16 == 1:  # making this text is slow
            self.bar.set_postfix_str(f"loss={loss:.4f}", refresh=False)

    def _tell(self, line: str) -> None:
        print(fitted(line, sys.stderr), file=sys.stderr, flush=True)
