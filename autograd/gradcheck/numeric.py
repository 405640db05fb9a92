"""Numeric derivatives: finite differences that say themselves how far they can be trusted.

A derivative sets its own tolerance. Where it cannot be trusted (a kink, a pole), the entry is skipped and listed, not
passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node, postorder
from autograd.gradcheck.numbers import peak, rounded
from autograd.gradcheck.report import Entry
from autograd.gradcheck.subject import Subject, backward
from autograd.transforms import vjp

EPS = 2.0**-52
STEPS = tuple(2.0**-k for k in (4, 8, 11, 14, 17, 20, 23, 26))  # powers of two: x + h is exact more often


@dataclass(frozen=True)
class Numeric:
    """Derivatives from differences (of several functions at once) and how far the first is off at most."""

    slopes: Any
    error: float = math.inf
    sides: tuple[float, float] | None = None  # at a kink: the slopes from the left and from the right


HOLE = Numeric(np.full(2, math.nan))


def differentiate(phi: Callable[[float], Any], scale: float, noise: float, rtol: float) -> Numeric:
    """Fourth-order central differences at 0 of `phi`, which gives an array; at steps h and h/4, of `scale` in size.

    The error is their disagreement and what rounding (`noise`, the error of phi itself) makes of it. Steps shrink
    until it is small enough: where the function bends sharply, or has a kink nearby, small steps see past that. A
    kink at the very point shows in the slopes from both sides, which do not approach each other.
    """
    phi = cache(phi)  # smaller steps begin where larger ones end
    middle = phi(0.0)
    best, sides, jump = Numeric(middle * math.nan), None, math.inf
    for h in (step * scale for step in STEPS[noise < 1e-10 :]):  # the widest only where there is much noise
        ahead, behind = ({k: phi(sign * k * h) for k in (2.0, 1.0, 0.5, 0.25)} for sign in (1, -1))
        wide, fine = ((8 * (ahead[k] - behind[k]) - (ahead[2 * k] - behind[2 * k])) / (12 * k * h) for k in (1.0, 0.25))
        bends = [abs(ahead[k] + behind[k] - 2 * middle)[0] / (k * h) for k in (1.0, 0.25)]
        if not np.all(np.isfinite([*wide, *fine, *bends])):
            continue
        blur = 16 * noise / h  # the rounding error of a bend
        if bends[1] > 0.6 * bends[0] and bends[1] > 2 * blur:
            left, right = (middle - behind[0.25])[0] / (0.25 * h), (ahead[0.25] - middle)[0] / (0.25 * h)
            sides, jump = (float(left), float(right)), bends[1]
        elif not sides or blur < 0.25 * jump:  # else a kink could not be seen at this step
            error = float(abs(wide - fine)[0]) + 6 * noise / h
            if error < best.error:
                best = Numeric(fine, error)
            if error <= 0.1 * rtol * abs(fine[0]) + 100 * noise:
                break
    return best if best.error < math.inf else Numeric(best.slopes, sides=sides)


def measure(
    subject: Subject, seeds: list[Any], gradients: list[tuple[Any, Any]], unit: float, rtol: float
) -> list[Entry]:
    """Every element's gradients against its numeric derivative in float64; `unit` scales the cotangents."""
    numbers = [np.array(x, dtype=np.float64) for x in subject.numbers]
    weights = [[np.asarray(seed, np.float64) * unit for seed in seeds], [np.ones(seed.shape) * unit for seed in seeds]]
    holes = [~np.isfinite(out) for out in subject.outputs(numbers)]  # nan results must not hide the others
    behind_holes = [np.zeros(x.shape, bool) for x in numbers]
    if holed := any(map(np.any, holes)):
        _, pull = vjp(subject.run, *subject.numbers)
        behind_holes = [
            np.not_equal(g, 0.0) for g in pull([h * np.ones_like(s) for h, s in zip(holes, seeds, strict=True)])
        ]

    def along(moves: Sequence[Any]) -> Any:
        """The results after a move, weighed with the cotangents and with ones."""
        outs = subject.outputs([x + move for x, move in zip(numbers, moves, strict=True)])
        if holed:
            outs = [np.where(hole, 0.0, out) for hole, out in zip(holes, outs, strict=True)]
        return np.array([sum(np.sum(w * out) for w, out in zip(ws, outs, strict=True)) for ws in weights], np.float64)

    entries = []
    with np.errstate(all="ignore"):
        noise = rounding(subject, weights[0], numbers, along)
        dust = rounded(weights[0])
        middle = along([np.zeros_like(x) for x in numbers])
        for k, (name, x, pair) in enumerate(zip(subject.names, numbers, gradients, strict=True)):
            measured = {}
            for index in np.ndindex(*x.shape):
                moves = [np.zeros_like(x) for x in numbers]

                def phi(t: float, at: Any = moves[k], index: Any = index, moves: Any = moves) -> Any:
                    if not t:
                        return middle
                    at[index] = t
                    return along(moves)

                scale = 2.0 ** round(math.log2(min(max(1.0, float(abs(x[index]))), 1e300)))
                measured[index] = HOLE if behind_holes[k][index] else differentiate(phi, scale, noise, rtol)
            floor = 0.1 * rtol * peak([m.slopes[0] for m in measured.values()])
            for index, m in measured.items():
                both = [float(np.asarray(g)[index]) for g in pair]
                entries.append(judged(Entry(name, index, float(x[index])), both, m, rtol, floor, dust))
    return entries


def rounding(subject: Subject, weights: list[Any], numbers: list[Any], along: Callable[[Any], Any]) -> float:
    """The error of the weighed results: what rounding makes of all that they are computed from, or else their jitter.

    Their own size does not tell: where a function is flat, ``tanh(17.0).log()``, what is left of its result is the
    last digit of an earlier number. So the error of each number is taken as far as its gradient takes it. There is a
    limit to that, lest a wrong gradient excuses itself. Besides, the results jitter when the inputs hardly move, where
    one operation rounds more than that.
    """
    own = inner = size = 0.0
    for out, w in zip(subject.run(*subject.variables(numbers)), weights, strict=True):
        backward([out], [w])
        own += error(out, w)
        inner += sum(error(node, node.grad) for node in below(out))
        size += peak(w * ops.detach(out))
    noise = [4 * own + min(4 * inner, 1e-10 * max(1.0, size))]
    rng = np.random.default_rng(0)
    for k in (1, 2, 3):
        moves = [2.0**-40 * k * np.maximum(1.0, np.abs(x)) * rng.normal(size=x.shape) for x in numbers]
        ahead, behind, still = (along([t * sign for t in moves])[0] for sign in (1, -1, 0))
        noise.append(abs(ahead + behind - 2 * still))
    return max((float(x) for x in noise if np.isfinite(x)), default=0.0)


def error(x: Any, weight: Any) -> float:
    """What a rounding error of every element of `x` comes to; 0 where no gradient arrived."""
    array = np.asarray(ops.detach(x))
    eps = float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else EPS
    moved = np.abs(array * (0.0 if weight is None else weight))
    return eps * float(np.sum(moved, where=np.isfinite(moved)))


def below(out: Any) -> list[Node]:
    """Everything that a result was computed from, itself and leaves aside."""
    return [x for x in postorder([out]) if x is not out and not x.is_leaf] if isinstance(out, Node) else []


def judged(entry: Entry, pair: Sequence[float], m: Numeric, rtol: float, floor: float, dust: float) -> Entry:
    """The entry for one element, of its two gradients the worse: checked, or skipped with a reason.

    `dust` is a slope that rounding alone can make.
    """
    slope, ones = map(float, m.slopes)
    if m.sides is not None:  # any slope between the two sides is a matter of convention; outside them, none is right
        low, high = sorted(m.sides)
        out = max(pair, key=lambda g: max(low - g, g - high))
        loose = 1e-3 * max(abs(low), abs(high))
        if low - loose <= out <= high + loose or not math.isfinite(out):
            reason = f"a kink, with slope {m.sides[0]:.4g} from the left and {m.sides[1]:.4g} from the right"
        else:
            return replace(entry, analytic=out, numeric=low if out < low else high, tolerance=loose)
    elif m.error == math.inf:
        reason = "the numeric derivative is not finite"
    elif m.error > 1e-3 * abs(slope) + 1e-6:
        reason = f"the numeric derivative, {slope:.4g}, is uncertain by {m.error:.1g}"
    else:
        tolerance = 4 * m.error + rtol * abs(slope) + floor
        found = [replace(entry, analytic=g, numeric=slope, tolerance=tolerance, ones=ones) for g in pair]
        worst = max(found, key=lambda e: e.excess)
        return worst if max(abs(worst.analytic), abs(slope)) > dust else replace(worst, tolerance=max(tolerance, dust))
    return replace(entry, analytic=pair[0], numeric=slope, reason=f"{reason}; the gradient found is {pair[0]:.4g}")
