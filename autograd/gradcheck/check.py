"""`check_gradients`: are a function's gradients right, and if not, in which way are they wrong?

The gradient that `backward` leaves in `.grad`, and the one that `vjp` returns, are held against numeric derivatives
at a random cotangent, never all ones: those hide rules that ignore what comes from above. Besides: forward mode, second
backwards, reruns, and memory shared by accident.

The evidence is gathered in `examine`, measured in `numeric.py`, explained in `diagnosis.py` and told in `report.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from autograd import ops
from autograd.gradcheck.diagnosis import diagnose
from autograd.gradcheck.numbers import described, near, peak, rounded, same
from autograd.gradcheck.numeric import measure
from autograd.gradcheck.report import Entry, Report
from autograd.gradcheck.subject import Subject, alone, backward, gradients, random_like
from autograd.transforms import jvp, vjp

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
