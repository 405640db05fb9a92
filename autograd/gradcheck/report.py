"""What a gradient check found, in words: entries, their table, and hints at what the wrong ones have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

# ------------------------------------------------------------------------------------------------------ the report


@dataclass(frozen=True)
class Entry:
    """One element of an input: the gradient found there, against the numeric derivative."""

    name: str
    index: tuple[int, ...]
    value: float
    analytic: float = math.nan
    numeric: float = math.nan
    tolerance: float = math.inf
    order: int = 1
    reason: str = ""  # why it was skipped
    ones: float = math.nan  # what the numeric derivative would be if the cotangent were all ones

    @property
    def where(self) -> str:
        """The element as it would be written: ``x[0, 1]``."""
        return self.name + (f"[{', '.join(map(str, self.index))}]" if self.index else "")

    @property
    def ratio(self) -> float:
        """Analytic over numeric; nan where the numeric derivative is 0."""
        return self.analytic / self.numeric if self.numeric else math.nan

    @property
    def excess(self) -> float:
        """The error in units of the tolerance: above 1 is wrong."""
        error = abs(self.analytic - self.numeric)
        if math.isnan(error):
            return math.inf
        return error / self.tolerance if self.tolerance else math.inf if error else 0.0

    @property
    def wrong(self) -> bool:
        """Whether the error is above the tolerance."""
        return self.excess > 1


@dataclass(frozen=True)
class Report:
    """What `check_gradients` found; `str(report)` tells it.

    `entries` are those that were checked, worst first; `skipped` those that could not be, each with its `reason`;
    `failures` what else is wrong, in sentences; `hints` what the wrong numbers have in common.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[Entry, ...]
    failures: tuple[str, ...]
    hints: tuple[str, ...]

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """The entries above their tolerance, worst first."""
        return tuple(entry for entry in self.entries if entry.wrong)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong and not everything was skipped."""
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
            head = f"the gradients are not right, though {agree} with differences"
        elif not checked and self.skipped:
            head = f"nothing was checked: all {plural(len(self.skipped), 'entry', 'entries')} had to be skipped"
        elif not checked:
            head = "the inputs have no elements: only shapes were checked"
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
    """The entries as lines under a heading, so many at most."""
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


# ------------------------------------------------------------------------------------------------- the explanation


def diagnose(entries: Sequence[Entry], repeats: dict[str, int]) -> list[str]:
    """What the wrong entries have in common, all of them or else those of one input."""
    wrong = [e for e in entries if e.wrong]
    if not wrong:
        return []
    groups = {name: [e for e in entries if e.name == name] for name in dict.fromkeys(e.name for e in wrong)}
    if pattern := common(wrong, {repeats[name] for name in groups}):
        return [pattern]
    hints, exchanged = [], set()
    for a, b in combinations(groups, 2):
        one, other = groups[a], groups[b]
        if agree([e.analytic for e in one], other) and agree([e.analytic for e in other], one):
            hints.append(f"{a} has the gradient of {b} and {b} that of {a}: operands exchanged?")
            exchanged |= {a, b}
    for name, group in groups.items():
        if name not in exchanged:
            bad = [e for e in group if e.wrong]
            pattern = misplaced(group) or common(bad, {repeats[name]})
            if pattern:
                hints.append(pattern if len(groups) == 1 else f"{name}: {pattern}")
    return hints


def agree(numbers: Sequence[float], entries: Sequence[Entry]) -> bool:
    """Whether these numbers are the entries' numeric derivatives."""
    return len(numbers) == len(entries) and all(
        abs(x - e.numeric) <= 10 * e.tolerance + 1e-6 * abs(e.numeric) for x, e in zip(numbers, entries, strict=True)
    )


def common(wrong: Sequence[Entry], repeats: set[int]) -> str:
    """One thing that is true of all these wrong entries; empty if nothing is."""
    every = "every wrong entry" if len(wrong) > 1 else "the wrong entry"
    analytic = np.array([e.analytic for e in wrong])
    numeric = np.array([e.numeric for e in wrong])
    if not np.any(np.isfinite(analytic)):
        return "the gradient is not finite where the function is smooth: 0 * inf in a rule?"
    if not np.all(np.isfinite(analytic)):
        return ""
    if np.all(analytic == 0):
        return "the gradient is zero: is the input cut off (detach, .data), or its gradient overwritten?"
    ones = np.array([e.ones for e in wrong])
    if np.all(np.abs(analytic - ones) <= 1e-6 * np.abs(ones)):
        return "it is the gradient of an all-ones cotangent: the rule ignores the upstream gradient"
    small = np.array([e.tolerance for e in wrong])
    if np.all(np.abs(numeric) <= small):
        return "a gradient where there should be none: does something flow that should be cut off?"
    if np.any(np.abs(numeric) <= small):
        return ""
    ratios = analytic / numeric
    r = float(np.median(ratios))
    doubt = small / np.abs(numeric) + 1e-9
    values = np.array([e.value for e in wrong])
    with np.errstate(all="ignore"):
        guesses = {"the input itself: a power too many?": values, "1 / input: a power too few?": 1 / values}
    powers = [text for text, x in guesses.items() if np.all(np.abs(ratios - x) <= doubt * (1 + np.abs(x)))]
    if np.all(np.abs(ratios - r) <= doubt * (1 + abs(r))) and (len(wrong) > 1 or simple(r)):
        return factor(r, every, repeats) + "".join(f"; or {text}" for text in powers[:1])  # one input tells little
    return f"{every} is off by a factor of {powers[0]}" if powers else ""


def simple(r: float) -> bool:
    """A ratio that one entry alone makes suspicious: that of two small integers, or very nearly one."""
    near = (abs(r * q - round(r * q)) < 1e-5 * q and 0 < abs(round(r * q)) <= 12 for q in range(1, 13))
    return abs(r - 1) < 1e-2 or any(near)


def factor(r: float, every: str, repeats: set[int]) -> str:
    """What a common factor says."""
    if abs(r + 1) < 1e-6:
        return f"{every} has the wrong sign"
    if abs(r - 1) < 1e-2:
        return f"{every} is too {'large' if r > 1 else 'small'} by a relative {abs(r - 1):.3g}: a constant or a guard?"
    n = next(iter(repeats)) if len(repeats) == 1 else 0
    if n > 1 and min(abs(r * n - 1), abs(r / n - 1)) < 1e-6:
        what = "averaged where it should be summed" if r < 1 else "summed twice"
        return f"{every} is off by a factor {r:.6g}, and broadcasting repeats the input {n} times: {what}?"
    story = {0.5: " (an operand used twice, counted once?)", 2.0: " (counted twice?)"}
    return f"{every} is off by a factor {r:.6g}" + story.get(round(r, 6), "")


def misplaced(group: Sequence[Entry]) -> str:
    """Whether one input's gradients are the right ones in other places, or have the right sum."""
    if len(group) < 2 or not all(math.isfinite(e.analytic) for e in group):
        return ""
    analytic, numeric = np.array([e.analytic for e in group]), np.array([e.numeric for e in group])
    loose = 10 * max(e.tolerance for e in group)
    if np.all(np.abs(np.sort(analytic) - np.sort(numeric)) <= loose):
        by = "reversed?" if np.all(np.abs(analytic[::-1] - numeric) <= loose) else "transposed, or a wrong index?"
        return f"the right numbers in the wrong places: {by}"
    if abs(analytic.sum() - numeric.sum()) <= loose * len(group):
        return "the entries are wrong but their sum is right: unbroadcast over the wrong axis, or a shifted index?"
    return ""
