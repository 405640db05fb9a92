"""Hints at the mistake in a gradient: what the wrong entries of a check have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from autograd.gradcheck.report import Entry


def diagnose(entries: Sequence[Entry], repeats: dict[str, int]) -> list[str]:
    """Hints for all wrong entries, or else for those of one input."""
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
    """True if these numbers are the entries' numeric derivatives."""
    return len(numbers) == len(entries) and all(
        abs(x - e.numeric) <= 10 * e.tolerance + 1e-6 * abs(e.numeric) for x, e in zip(numbers, entries, strict=True)
    )


def common(wrong: Sequence[Entry], repeats: set[int]) -> str:
    """A hint that fits all these wrong entries; empty if none does."""
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
        return factor(r, every, repeats) + "".join(f"; or {text}" for text in powers[:1])  # one number fits both
    return f"{every} is off by a factor of {powers[0]}" if powers else ""


def simple(r: float) -> bool:
    """True for a ratio that is a hint even from one entry: a ratio of small integers, or nearly 1."""
    near = (abs(r * q - round(r * q)) < 1e-5 * q and 0 < abs(round(r * q)) <= 12 for q in range(1, 13))
    return abs(r - 1) < 1e-2 or any(near)


def factor(r: float, every: str, repeats: set[int]) -> str:
    """A hint for a factor that all wrong entries have in common."""
    if abs(r + 1) < 1e-6:
        return f"{every} has the wrong sign"
    if abs(r - 1) < 1e-2:
        return f"{every} is too {'large' if r > 1 else 'small'} by a relative {abs(r - 1):.3g}: a constant or epsilon?"
    n = next(iter(repeats)) if len(repeats) == 1 else 0
    if n > 1 and min(abs(r * n - 1), abs(r / n - 1)) < 1e-6:
        what = "averaged where it should be summed" if r < 1 else "summed twice"
        return f"{every} is off by a factor of {r:.6g}, and broadcasting repeats the input {n} times: {what}?"
    story = {0.5: " (an operand used twice, counted once?)", 2.0: " (counted twice?)"}
    return f"{every} is off by a factor of {r:.6g}" + story.get(round(r, 6), "")


def misplaced(group: Sequence[Entry]) -> str:
    """A hint if one input's gradients are right but in other places, or have the right sum; else empty."""
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
