"""`check_gradients`: are a function's gradients right, and if not, in which way are they wrong?

The gradient that `backward` leaves in `.grad`, and the one that `vjp` returns, are held against numeric derivatives
at a random cotangent, never all ones: those hide rules that ignore what comes from above. A numeric derivative says
itself how far it can be trusted, and so sets its own tolerance; where it cannot be (a kink, a pole), the entry is
skipped and listed, not passed. Besides: forward mode, second backwards, reruns, and memory shared by accident.

The evidence is gathered in `examine`, measured in `differentiate`, put into words in `diagnose` and `Report`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value, number
from autograd.gradcheck.report import Entry, Report, diagnose
from autograd.ops.rows import Elementwise, operand_names
from autograd.transforms import jvp, vjp
from autograd.transforms.containers import flatten, is_module, parameters_of
from autograd.transforms.variables import variable

EPS = 2.0**-52
STEPS = tuple(2.0**-k for k in (4, 8, 11, 14, 17, 20, 23, 26))  # powers of two: x + h is exact more often
RTOL = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 3e-4}


# -------------------------------------------------------------------------------------------------- the two verbs


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    seed: int = 0,
    rtol: float | None = None,
    forward: bool = True,
) -> Report:
    """Check the gradients of `f` at these inputs.

    Args:
        f: called with Values where numbers are given, with Tensors where arrays are (numbers among arrays become
            0-d Tensors); returns a Value, a Tensor, or a container of those. It has to give the same at each call.
        inputs: numbers, float32 or float64 arrays, Values, Tensors, modules (which means their parameters; `f` gets
            copies), and nested lists, tuples and dicts of them.
        order: 2 checks the gradient's own gradients too.
        seed: of the random cotangents and directions.
        rtol: the relative error that is always allowed; 1e-8, or 3e-4 if an input is float32.
        forward: whether `f` can run in forward mode, and is to be held against it.

    It calls `f` some eight times an input element: give it small inputs. Derivatives are measured in float64. A wrong
    kind of input raises TypeError, as does a result that is not made of numbers.

    >>> report = check_gradients(lambda x, y: x * y.sin(), 2.0, 0.5)
    >>> report.ok, str(report)
    (True, 'the gradients are right: 2 entries checked')
    >>> print(check_gradients(abs, 0.0))
    nothing was checked: all 1 entry had to be skipped
    skipped x = 0: a kink, with slope -1 from the left and 1 from the right; the gradient found is 0
    """
    if order not in (1, 2):
        raise ValueError(f"order is 1 or 2, not {order!r}")
    if not inputs:
        raise ValueError("check_gradients needs the inputs at which to check: check_gradients(f, 2.0, array, …)")
    subject = Subject(f, inputs)
    parts = [examine(subject, np.random.default_rng(seed), 1, rtol, forward)]
    if order == 2 and not any(entry.wrong for entry in parts[0][0]):
        rng = np.random.default_rng(seed)
        parts.append(examine(subject.gradient(rng), rng, 2, rtol, forward))
    entries = sorted((e for part in parts for e in part[0] if not e.reason), key=lambda e: -e.excess)
    return Report(
        tuple(entries),
        tuple(e for part in parts for e in part[0] if e.reason),
        tuple(text for part in parts for text in part[1]),
        tuple(hint for part in parts for hint in part[2]),
    )


def assert_gradients(f: Callable[..., Any], *inputs: Any, **options: Any) -> None:
    """Raise AssertionError with the whole report if the gradients of `f` are wrong; see `check_gradients`.

    >>> assert_gradients(lambda x: x * x.detach(), 3.0)
    Traceback (most recent call last):
    AssertionError: 1 of 1 entry is wrong
         value      gradient       numeric  ratio  tolerance
      x      3               3             6    0.5    6.6e-08
    => the wrong entry is off by a factor 0.5 (an operand used twice, counted once?)
    """
    __tracebackhide__ = True
    report = check_gradients(f, *inputs, **options)
    if not report.ok:
        raise AssertionError(str(report))


# ------------------------------------------------------------------------------------------------ the function


class Subject:
    """A function of anything, seen as one from a list of numbers (or of arrays) to a list of results."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        found, rebuild = flatten(inputs)
        parts = [[*parameters_of(x).values()] if is_module(x) else [x] for x in found]
        leaves = [leaf for part in parts for leaf in part]

        def run(*xs: Any) -> list[Any]:
            rest = iter(xs)
            given = [
                with_parameters(x, part, [next(rest) for _ in part]) if is_module(x) else next(rest)
                for x, part in zip(found, parts, strict=True)
            ]
            return flatten(f(*rebuild(given)))[0]

        self.run: Callable[..., list[Any]] = run
        self.names = [name for x, root in zip(inputs, roots(f, len(inputs)), strict=True) for name in paths(x, root)]
        leaves = [ops.detach(x) for x in leaves]
        self.scalar = not any(isinstance(x, np.ndarray) for x in leaves)  # Values and Tensors do not mix
        if self.scalar:
            self.numbers = [number(x) for x in leaves]
        else:  # copies, or a TypeError that names the dtype
            self.numbers = [variable(x, among_arrays=True).data for x in leaves]

    def variables(self, numbers: Sequence[Any]) -> list[Any]:
        """Fresh leaves with these numbers."""
        return [variable(float(x) if self.scalar else np.asarray(x)) for x in numbers]

    def outputs(self, numbers: Sequence[Any]) -> list[Any]:
        """The results at these numbers."""
        outs = [np.asarray(ops.detach(out)) for out in self.run(*self.variables(numbers))]
        if odd := [out.dtype for out in outs if out.dtype.kind not in "fiub"]:
            raise TypeError(f"the function should return numbers, Values, Tensors or containers of them, not {odd[0]}")
        return outs

    def gradient(self, rng: np.random.Generator) -> Subject:
        """The gradient of this function at a random cotangent (1 for a single number), as a function."""
        run, outs = self.run, self.outputs(self.numbers)
        seeds = [np.ones_like(out) for out in outs] if alone(outs) else random_like(rng, outs)
        again = copy(self)
        again.run = lambda *xs: list(vjp(run, *xs)[1](seeds))
        return again


def roots(f: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's first parameters."""
    if isinstance(f, Elementwise):
        return list(operand_names(f)[:count])
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "inputs")
    return named + [f"{rest}[{i}]" for i in range(count - len(named))]


def paths(x: Any, name: str) -> Iterator[str]:
    """The names of the leaves of nested containers, in the order of `flatten`."""
    if isinstance(x, dict):
        children = [(f"[{key!r}]", child) for key, child in x.items()]
    elif isinstance(x, (list, tuple)):
        fields = getattr(x, "_fields", None)
        children = [(f".{fields[i]}" if fields else f"[{i}]", child) for i, child in enumerate(x)]
    elif isinstance(x, np.ndarray) and x.dtype == object:
        children = [(f"[{', '.join(map(str, index))}]", x[index]) for index in np.ndindex(*x.shape)]
    elif is_module(x):
        yield from (f"{name}.{path}" for path in parameters_of(x))
        return
    else:
        yield name
        return
    for key, child in children:
        yield from paths(child, name + key)


def with_parameters(module: Any, parameters: Sequence[Any], others: Sequence[Any]) -> Any:
    """A copy of a module that has these in the places of its parameters."""
    return deepcopy(module, {id(p): x for p, x in zip(parameters, others, strict=True)})


def random_like(rng: np.random.Generator, xs: Sequence[Any]) -> list[Any]:
    """A cotangent or tangent for each of these: normal numbers that float32 holds exactly."""
    return [np.asarray(rng.normal(size=np.shape(x)), np.float32).astype(getattr(x, "dtype", float)) for x in xs]


def alone(outs: Sequence[Any]) -> bool:
    """Whether the results are a single number."""
    return len(outs) == 1 and np.size(outs[0]) == 1


def backward(outs: Sequence[Any], seeds: Sequence[Any]) -> None:
    """Backpropagate from several results, one after the other."""
    for out, seed in zip(outs, seeds, strict=True):
        if isinstance(out, Tensor):
            out.backward(seed)
        elif isinstance(out, Value):
            (out * float(seed)).backward()


def gradients(leaves: Sequence[Any]) -> list[Any]:
    """What is in the leaves' `.grad`, copied; zeros where nothing arrived."""
    return [np.zeros(x.shape) if x.grad is None else np.array(x.grad) for x in leaves]


def same(xs: Sequence[Any], ys: Sequence[Any]) -> bool:
    """Whether two lists of arrays are the same to the last bit, nans included."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(xs, ys, strict=True))


def near(xs: Sequence[Any], ys: Sequence[Any], rtol: float, dust: float) -> bool:
    """Whether two lists of arrays are the same but for rounding, where both are finite."""
    ok = [np.isfinite(x) & np.isfinite(y) for x, y in zip(xs, ys, strict=True)]
    return all(np.allclose(x[i], y[i], rtol, rtol * peak(y) + dust) for x, y, i in zip(xs, ys, ok, strict=True))


def rounded(seeds: Sequence[Any]) -> float:
    """A gradient that rounding alone can make: where terms cancel (sin(x) - x near 0), the results do not show it."""
    return sum(4 * float(np.finfo(w.dtype).eps) * float(np.sum(np.abs(w))) for w in seeds if w.dtype.kind == "f")


def described(x: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype."""
    array = np.asarray(x)
    return array.shape, array.dtype


def peak(x: Any) -> float:
    """The largest finite magnitude."""
    return float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))


# ----------------------------------------------------------------------------------------------- the evidence


def examine(
    subject: Subject, rng: np.random.Generator, order: int, rtol: float | None, forward: bool
) -> tuple[list[Entry], list[str], list[str]]:
    """Entries, failures and hints for one function."""
    names, numbers = subject.names, subject.numbers
    outs = subject.outputs(numbers)
    seeds = random_like(rng, outs)
    rtol = rtol or max(RTOL[np.dtype(x.dtype)] for x in map(np.asarray, (*numbers, *outs)) if x.dtype in RTOL)
    pulled = list(vjp(subject.run, *numbers)[1](list(seeds)))
    found, failures = conduct(subject, seeds)
    for i, (name, x, g, p) in enumerate(zip(names, numbers, found, pulled, strict=True)):
        if not np.shape(x) == np.shape(g) == np.shape(p):  # that is in the failures; there is nothing to compare
            found[i] = pulled[i] = np.full(np.shape(x), math.nan)
        elif not near([g], [np.asarray(p)], 100 * rtol, rounded(seeds)):
            failures.append(f"backward and vjp give {name} different gradients: {g!r:.60} and {p!r:.60}")
    if forward:
        failures += forward_against_reverse(subject, rng, seeds, pulled, rtol)
    unit = 1 / float(seeds[0].item()) if alone(outs) else 1.0  # numbers that the reader knows
    entries = measure(subject, seeds, [(g * unit, p * unit) for g, p in zip(found, pulled, strict=True)], unit, rtol)
    entries = [replace(entry, order=order) for entry in entries]
    repeats = {
        name: max((out.size // np.size(p) for out in outs if np.size(p)), default=0)
        for name, p in zip(names, pulled, strict=True)
    }
    return entries, failures, diagnose([e for e in entries if not e.reason], repeats)


def conduct(subject: Subject, seeds: list[Any]) -> tuple[list[Any], list[str]]:
    """The gradients that `backward` leaves, and what is wrong with how it leaves them."""
    names, numbers, wrong = subject.names, subject.numbers, []
    given = [seed.copy() for seed in seeds]
    leaves = subject.variables(numbers)
    outs = subject.run(*leaves)
    first = [np.array(ops.detach(out)) for out in outs]
    backward(outs, seeds)
    found = gradients(leaves)
    for name, x, leaf in zip(names, numbers, leaves, strict=True):
        (have, kind), (shape, dtype) = described(x if leaf.grad is None else leaf.grad), described(x)
        if (have, kind) != (shape, dtype):
            wrong.append(f"the gradient of {name} is {kind} of shape {have}, the input {dtype} of shape {shape}")
        if not same([x], [ops.detach(leaf)]):
            wrong.append(f"running the function changed its input {name}")
    held = [(f"the gradient of {name}", x.grad) for name, x in zip(names, leaves, strict=True)]
    held += [(f"the data of {name}", ops.detach(x)) for name, x in zip(names, leaves, strict=True)]
    held += [("the cotangent", seed) for seed in seeds]
    for (one, x), (other, y) in combinations([pair for pair in held if isinstance(pair[1], np.ndarray)], 2):
        if "gradient" in one and np.shares_memory(x, y):
            wrong.append(f"{one} and {other} share memory: changing one in place changes the other")
    if not same(seeds, given):
        wrong.append("backward changed the cotangent that it was given")

    leaves = subject.variables(numbers)
    outs = subject.run(*leaves)
    if not same(first, [ops.detach(out) for out in outs]):
        wrong.append("a second run gives other results: is something random, or changed in between?")
    backward(outs, seeds)
    if not same(found, gradients(leaves)):
        wrong.append("a second run gives another gradient: is something random, or left over from the first?")
    if not wrong:
        backward(subject.run(*leaves), seeds)
        if not near(gradients(leaves), [2 * g for g in found], 1e-5, rounded(seeds)):
            wrong.append("backward over a second graph does not add its gradient to .grad: overwritten or aliased?")
        backward(outs, seeds)
        if not wrong and not near(gradients(leaves), [3 * g for g in found], 1e-5, rounded(seeds)):
            wrong.append("backward over the same graph again gives another gradient: do results keep their old one?")
    return found, wrong


def forward_against_reverse(
    subject: Subject, rng: np.random.Generator, seeds: list[Any], pulled: list[Any], rtol: float
) -> Iterator[str]:
    """<g, J t> has to equal <J' g, t>; one input moves at a time, so that it can be named."""
    moves = random_like(rng, subject.numbers)
    for k, (name, gradient) in enumerate(zip(subject.names, pulled, strict=True)):
        tangents = [move if j == k else move * 0 for j, move in enumerate(moves)]
        try:
            outs, rates = jvp(subject.run, subject.numbers, [float(t) if subject.scalar else t for t in tangents])
            outs, rates = [ops.detach(x) for x in outs], [ops.detach(x) for x in rates]  # f may close over variables
        except (AttributeError, NotImplementedError, TypeError) as error:
            yield f"forward mode does not run (forward=False leaves it out): {type(error).__name__}: {error}"
            return
        with np.errstate(all="ignore"):
            left = np.array([np.sum(seed * rate) for seed, rate in zip(seeds, rates, strict=True)], dtype=np.float64)
            right = np.asarray(gradient * moves[k], dtype=np.float64)
            size = sum(np.sum(np.abs(seed * out)) for seed, out in zip(seeds, outs, strict=True))
            scale = np.abs(left).sum() + np.abs(right).sum() + 0.01 * size  # where everything cancels
            if np.isfinite(scale) and abs(left.sum() - right.sum()) > rtol * scale + rounded(seeds) * peak(moves[k]):
                yield f"forward and reverse mode disagree along {name}: {left.sum():.10g} and {right.sum():.10g}"


# --------------------------------------------------------------------------------------------- numeric derivatives


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


def below(out: Any) -> Iterator[Node]:
    """Everything that a result was computed from, itself and leaves aside."""
    seen: set[int] = set()
    stack = [out] if isinstance(out, Node) else []
    while stack:
        for node in stack.pop().parents:
            if id(node) not in seen and not node.is_leaf:
                seen.add(id(node))
                stack.append(node)
                yield node


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
