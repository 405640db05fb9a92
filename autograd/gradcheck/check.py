"""`check_gradients`: are a function's gradients right, and if not, what is wrong with them?

The gradient that `backward` leaves in `.grad`, and the one that `vjp` returns, are compared with numeric derivatives.
The cotangent is random: a cotangent of ones would hide rules that ignore the upstream gradient. Forward mode, a second
backward pass, a second run, and memory that is shared by mistake are checked, too.

`examine` collects what is found, `numeric.py` measures, `diagnosis.py` looks for the cause, `report.py` writes it down.
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
        f: the function. It gets a Value for each number and a Tensor for each array; numbers among arrays become 0-d
            Tensors. It returns a Value, a Tensor, or a container of those, and the same ones at each call.
        inputs: numbers, float32 or float64 arrays, Values, Tensors, modules, and nested lists, tuples and dicts of
            them. A module stands for its parameters; `f` gets a copy of it.
        order: 2 to check the gradients of the gradient, too.
        seed: the seed of the random cotangents and directions.
        rtol: the relative error that is always allowed. By default 1e-8, or 3e-4 if an input or a result is float32.
        forward: True to check forward mode, too. False if `f` cannot run in it.

    `f` is called about eight times for each input element, so give it small inputs. Derivatives are measured in
    float64. Raises TypeError for an input of another kind, and for a result that does not consist of numbers.

    >>> report = check_gradients(lambda x, y: x * y.sin(), 2.0, 0.5)
    >>> report.ok, str(report)
    (True, 'the gradients are right: 2 entries checked')
    >>> print(check_gradients(abs, 0.0))
    nothing was checked: the only entry was skipped
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
    """Raise AssertionError with the report if the gradients of `f` are wrong; see `check_gradients`.

    >>> assert_gradients(lambda x: x * x.detach(), 3.0)
    Traceback (most recent call last):
    AssertionError: 1 of 1 entry is wrong
         value      gradient       numeric  ratio  tolerance
      x      3               3             6    0.5    6.6e-08
    => the wrong entry is off by a factor of 0.5 (an operand used twice, counted once?)
    """
    __tracebackhide__ = True
    report = check_gradients(f, *inputs, **options)
    if not report.ok:
        raise AssertionError(str(report))


def examine(
    subject: Subject, rng: np.random.Generator, order: int, rtol: float | None, forward: bool
) -> tuple[list[Entry], list[str], list[str]]:
    """The entries, failures and hints for one function."""
    names, numbers = subject.names, subject.numbers
    outs = subject.outputs(numbers)
    seeds = random_like(rng, outs)
    rtol = rtol or max(RTOL[np.dtype(x.dtype)] for x in map(np.asarray, (*numbers, *outs)) if x.dtype in RTOL)
    pulled = list(vjp(subject.run, *numbers)[1](list(seeds)))
    found, failures = conduct(subject, seeds)
    for i, (name, x, g, p) in enumerate(zip(names, numbers, found, pulled, strict=True)):
        if not np.shape(x) == np.shape(g) == np.shape(p):  # it is among the failures, and nothing can be compared
            found[i] = pulled[i] = np.full(np.shape(x), math.nan)
        elif not near([g], [np.asarray(p)], 100 * rtol, rounded(seeds)):
            failures.append(f"backward and vjp give {name} different gradients: {short(g)} and {short(p)}")
    if forward:
        failures += forward_against_reverse(subject, rng, seeds, pulled, rtol)
    unit = 1 / float(seeds[0].item()) if alone(outs) else 1.0  # a single number has the cotangent 1 in the report
    entries = measure(subject, seeds, [(g * unit, p * unit) for g, p in zip(found, pulled, strict=True)], unit, rtol)
    entries = [replace(entry, order=order) for entry in entries]
    repeats = {
        name: max((out.size // np.size(p) for out in outs if np.size(p)), default=0)
        for name, p in zip(names, pulled, strict=True)
    }
    return entries, failures, diagnose([e for e in entries if not e.reason], repeats)


def short(g: Any) -> str:
    """A gradient's numbers as text, cut if it is long."""
    return f"{np.asarray(g).tolist()!s:.60}"


def conduct(subject: Subject, seeds: list[Any]) -> tuple[list[Any], list[str]]:
    """The gradients that `backward` leaves in `.grad`, and what else is wrong with how `backward` behaves."""
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
            wrong.append(f"the gradient of {name} is {kind} of shape {have}, the input is {dtype} of shape {shape}")
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
        wrong.append("a second run gives other results: is something random, or was something changed by the first?")
    backward(outs, seeds)
    if not same(found, gradients(leaves)):
        wrong.append("a second run gives another gradient: is something random, or was something left from the first?")
    if not wrong:
        backward(subject.run(*leaves), seeds)
        if not near(gradients(leaves), [2 * g for g in found], 1e-5, rounded(seeds)):
            wrong.append(
                "backward over a second graph does not add its gradient to .grad: is it overwritten or shared?"
            )
        backward(outs, seeds)
        if not wrong and not near(gradients(leaves), [3 * g for g in found], 1e-5, rounded(seeds)):
            wrong.append("backward over the same graph again gives another gradient: do results keep old gradients?")
    return found, wrong


def forward_against_reverse(
    subject: Subject, rng: np.random.Generator, seeds: list[Any], pulled: list[Any], rtol: float
) -> Iterator[str]:
    """<g, J t> has to equal <Jᵀ g, t>. One input has a tangent at a time, so that the message can name it."""
    moves = random_like(rng, subject.numbers)
    for k, (name, gradient) in enumerate(zip(subject.names, pulled, strict=True)):
        tangents = [move if j == k else move * 0 for j, move in enumerate(moves)]
        try:
            outs, rates = jvp(subject.run, subject.numbers, [float(t) if subject.scalar else t for t in tangents])
            outs, rates = [ops.detach(x) for x in outs], [ops.detach(x) for x in rates]  # f may use other variables
        except (AttributeError, NotImplementedError, TypeError) as error:
            yield f"forward mode does not run (forward=False leaves it out): {type(error).__name__}: {error}"
            return
        with np.errstate(all="ignore"):
            left = np.array([np.sum(seed * rate) for seed, rate in zip(seeds, rates, strict=True)], dtype=np.float64)
            right = np.asarray(gradient * moves[k], dtype=np.float64)
            size = sum(np.sum(np.abs(seed * out)) for seed, out in zip(seeds, outs, strict=True))
            scale = np.abs(left).sum() + np.abs(right).sum() + 0.01 * size  # for results that cancel
            if np.isfinite(scale) and abs(left.sum() - right.sum()) > rtol * scale + rounded(seeds) * peak(moves[k]):
                yield f"forward and reverse mode disagree along {name}: {left.sum():.10g} and {right.sum():.10g}"
