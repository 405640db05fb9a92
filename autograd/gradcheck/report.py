"""The report of a gradient check: its entries, and their table as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One element of an input, with the gradient found there and the numeric derivative."""

    name: str
    index: tuple[int, ...]
    value: float
    analytic: float = math.nan
    numeric: float = math.nan
    tolerance: float = math.inf
    order: int = 1
    reason: str = ""  # why it was skipped
    ones: float = math.nan  # the numeric derivative for a cotangent of ones

    @property
    def where(self) -> str:
        """The element as Python writes it: ``x[0, 1]``."""
        return self.name + (f"[{', '.join(map(str, self.index))}]" if self.index else "")

    @property
    def ratio(self) -> float:
        """Analytic over numeric; nan where the numeric derivative is 0."""
        return self.analytic / self.numeric if self.numeric else math.nan

    @property
    def excess(self) -> float:
        """The error divided by the tolerance. The entry is wrong if it is above 1."""
        error = abs(self.analytic - self.numeric)
        if math.isnan(error):
            return math.inf
        return error / self.tolerance if self.tolerance else math.inf if error else 0.0

    @property
    def wrong(self) -> bool:
        """True if the error is above the tolerance."""
        return self.excess > 1


@dataclass(frozen=True)
class Report:
    """The result of `check_gradients`. Printing it gives the report as text.

    `entries` are those that were checked, the worst first. `skipped` are those that could not be checked, each with its
    `reason`. `failures` are sentences on what else is wrong. `hints` say what the wrong entries have in common.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[Entry, ...]
    failures: tuple[str, ...]
    hints: tuple[str, ...]

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """The entries above their tolerance, the worst first."""
        return tuple(entry for entry in self.entries if entry.wrong)

    @property
    def ok(self) -> bool:
        """True if nothing is wrong, and not all entries were skipped."""
        return not self.wrong and not self.failures and (bool(self.entries) or not self.skipped)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        checked = len(self.entries)
        if self.wrong:
            verb = "is" if len(self.wrong) == 1 else "are"
            head = f"{len(self.wrong)} of {plural(checked, 'entry', 'entries')} {verb} wrong"
        elif self.failures:
            agree = plural(checked, "entry agrees", "entries agree")
            head = "something is wrong" + (f", although {agree} with finite differences" if checked else "")
        elif not checked and self.skipped:
            n = len(self.skipped)
            head = f"nothing was checked: {'the only entry was' if n == 1 else f'all {n} entries were'} skipped"
        elif not checked:
            head = "the inputs have no elements, so only shapes were checked"
        else:
            head = f"the gradients are right: {plural(checked, 'entry', 'entries')} checked"
        if self.skipped and checked:
            head += f", {len(self.skipped)} skipped"
        parts = [head, table(self.wrong)] if self.wrong else [head]
        parts += [*(f"* {text}" for text in self.failures), *(f"=> {hint}" for hint in self.hints)]
        return "\n".join(parts + [f"skipped {e.where} = {e.value:.10g}: {e.reason}" for e in self.skipped[:5]]) + (
            f"\n… and {len(self.skipped) - 5} more skipped" if len(self.skipped) > 5 else ""
        )


def plural(n: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{n} {one if n == 1 else many}"


def table(entries: Sequence[Entry], most: int = 10) -> str:
    """The entries as lines under a heading, at most `most` of them."""
    rows: list[tuple[str, ...]] = [("", "value", "gradient", "numeric", "ratio", "tolerance")]
    for e in entries[:most]:
        where = e.where + (" (second order)" if e.order == 2 else "")
        numbers = [f"{x:.10g}" for x in (e.value, e.analytic, e.numeric)]
        rows.append((where, *numbers, f"{e.ratio:.7g}", f"{e.tolerance:.1e}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"  {row[0]:<{widths[0]}}" + "".join(f"  {x:>{n}}" for x, n in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    if len(entries) > most:
        lines.append(f"  … and {len(entries) - most} more")
    return "\n".join(lines)
