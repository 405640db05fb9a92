"""Numeric derivatives by finite differences, each with an estimate of its error.

The estimate sets the tolerance of an entry. If it is too large, as at a kink or a pole, the entry is listed as skipped.
It does not count as right.
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
STEPS = tuple(2.0**-k for k in (4, 8, 11, 14, 17, 20, 23, 26))  # powers of two, so that x + h is exact more often


@dataclass(frozen=True)
class Numeric:
    """Derivatives by differences, of several functions at once, and the largest error of the first."""

    slopes: Any
    error: float = math.inf
    sides: tuple[float, float] | None = None  # at a kink: the slopes from the left and from the right


HOLE = Numeric(np.full(2, math.nan))


def differentiate(phi: Callable[[float], Any], scale: float, noise: float, rtol: float) -> Numeric:
    """Fourth-order central differences of `phi` at 0, with steps h and h/4 in units of `scale`. phi returns an array.

    The error is the difference of the two plus the effect of rounding; `noise` is the rounding error of phi. Steps
    shrink until the error is small enough. Small steps are needed if the function bends sharply or has a kink nearby.
    At a kink, the slopes from the left and from the right do not approach each other.
    """
    phi = cache(phi)  # a smaller step reuses points of a larger one
    middle = phi(0.0)
    best, sides, jump = Numeric(middle * math.nan), None, math.inf
    for h in (step * scale for step in STEPS[noise < 1e-10 :]):  # the widest step only if there is much noise
        ahead, behind = ({k: phi(sign * k * h) for k in (2.0, 1.0, 0.5, 0.25)} for sign in (1, -1))
        wide, fine = ((8 * (ahead[k] - behind[k]) - (ahead[2 * k] - behind[2 * k])) / (12 * k * h) for k in (1.0, 0.25))
        bends = [abs(ahead[k] + behind[k] - 2 * middle)[0] / (k * h) for k in (1.0, 0.25)]
        if not np.all(np.isfinite([*wide, *fine, *bends])):
            continue
        blur = 16 * noise / h  # the rounding error of a bend
        if bends[1] > 0.6 * bends[0] and bends[1] > 2 * blur:
            left, right = (middle - behind[0.25])[0] / (0.25 * h), (ahead[0.25] - middle)[0] / (0.25 * h)
            sides, jump = (float(left), float(right)), bends[1]
        elif not sides or blur < 0.25 * jump:  # at a step with more blur, a kink could not be seen
            error = float(abs(wide - fine)[0]) + 6 * noise / h
            if error < best.error:
                best = Numeric(fine, error)
            if error <= 0.1 * rtol * abs(fine[0]) + 100 * noise:
                break
    return best if best.error < math.inf else Numeric(best.slopes, sides=sides)


def measure(
    subject: Subject, seeds: list[Any], gradients: list[tuple[Any, Any]], unit: float, rtol: float
) -> list[Entry]:
    """Compare each element's gradients with its numeric derivative in float64. `unit` scales the cotangents."""
    numbers = [np.array(x, dtype=np.float64) for x in subject.numbers]
    weights = [[np.asarray(seed, np.float64) * unit for seed in seeds], [np.ones(seed.shape) * unit for seed in seeds]]
    holes = [~np.isfinite(out) for out in subject.outputs(numbers)]  # a nan result must not hide the others
    behind_holes = [np.zeros(x.shape, bool) for x in numbers]
    if holed := any(map(np.any, holes)):
        _, pull = vjp(subject.run, *subject.numbers)
        behind_holes = [
            np.not_equal(g, 0.0) for g in pull([h * np.ones_like(s) for h, s in zip(holes, seeds, strict=True)])
        ]

    def along(moves: Sequence[Any]) -> Any:
        """The results after a move, weighted with the cotangents, and with ones."""
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
    """The rounding error of the weighted results. It is estimated in two ways, and the larger estimate counts.

    The size of the results is not enough. Where a function is flat, as ``tanh(17.0).log()``, its result depends on the
    last digit of an intermediate number. So the first estimate adds up the rounding error of every intermediate number
    times its gradient. It has a limit, since a wrong gradient must not enlarge its own tolerance. The second estimate
    is how much the results jump when the inputs hardly move. It finds operations that round more than usual.
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
    """The effect of a rounding error in every element of `x`; 0 if no gradient arrived."""
    array = np.asarray(ops.detach(x))
    eps = float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else EPS
    moved = np.abs(array * (0.0 if weight is None else weight))
    return eps * float(np.sum(moved, where=np.isfinite(moved)))


def below(out: Any) -> list[Node]:
    """The intermediate nodes of a result: all below it, without itself and without leaves."""
    return [x for x in postorder([out]) if x is not out and not x.is_leaf] if isinstance(out, Node) else []


def judged(entry: Entry, pair: Sequence[float], m: Numeric, rtol: float, floor: float, dust: float) -> Entry:
    """The entry for one element, checked or skipped with a reason. It holds the worse of the two gradients.

    `dust` is the largest slope that may come from rounding alone.
    """
    slope, ones = map(float, m.slopes)
    if m.sides is not None:  # any slope between those of the two sides is accepted
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
