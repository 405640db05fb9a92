"""The check of a new program: it has to give what the function gives on Values, numbers and gradients.

The function runs on two samples; the program on batches of several lengths made of these, on Tensors and as one
operation, since which code runs depends on all of that. What is not finite on Values is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.engine.modes import modes
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.transforms.containers import flatten
from autograd.vectorizing import builtin
from autograd.vectorizing.tracer import TraceError, name_of, nested

Array = np.ndarray[Any, np.dtype[Any]]

LENGTHS = (1, 2, 64)
"""Batches that are tried: BLAS and the engine have ways of their own for a single row, for few and for many."""


class Truth(NamedTuple):
    """What one sample gives on Values: the outputs' numbers, and the gradients of their weighted sum."""

    outputs: Array
    weights: Array
    inputs: list[Array]
    parameters: Array


@contextmanager
def plain_recording() -> Iterator[None]:
    """Recording on and anomaly mode off, whatever the caller has."""
    before = modes.recording, modes.watch
    modes.recording, modes.watch = True, None
    try:
        yield
    finally:
        modes.recording, modes.watch = before


@contextmanager
def gradients_put_back(values: Sequence[Value]) -> Iterator[None]:
    """The gradients of Values as they were, afterwards; meanwhile 0, and nobody frozen."""
    before = [v.grad for v in values]
    frozen = [v for v in values if not v.requires_grad]
    for v in frozen:
        v.requires_grad = True
    for v in values:
        v.grad = 0.0
    try:
        yield
    finally:
        for v, grad in zip(values, before, strict=True):
            v.grad = grad
        for v in frozen:
            v.requires_grad = False


def on_values(
    f: Callable[..., Any], sample: Sequence[Array], parameters: Sequence[Value], others: Sequence[Value], seed: int
) -> Truth:
    """Run a function on one sample; arrays of whole numbers stay what they are.

    `others` are Values that the function closes over besides its parameters.
    """
    leaves = [[x if a.dtype.kind in "iu" else Value(x) for x in a.reshape(-1).tolist()] for a in sample]
    with gradients_put_back([*parameters, *others]), np.errstate(all="ignore"), builtin.traced(f):
        outs = flatten(f(*[nested(x, a.shape) for x, a in zip(leaves, sample, strict=True)]))[0]
        weights = np.random.default_rng(seed).uniform(0.5, 1.5, len(outs))
        weighted = [w * x for w, x in zip(weights.tolist(), outs, strict=True) if isinstance(x, Value)]
        if weighted:
            ops.sum(weighted).backward()
        inputs = [np.array([getattr(x, "grad", 0.0) for x in xs]) for xs in leaves]
        grads = np.array([v.grad for v in parameters])
    return Truth(np.array([float(ops.detach(x)) for x in outs]), weights, inputs, grads)


def on_arrays(
    program: Callable[..., Any],
    samples: Sequence[Sequence[Array]],
    weights: Array,
    arrays: Sequence[Array],
    as_tensors: bool,
) -> list[Array]:
    """Run a program on a batch: outputs (n, outputs), gradients of the parameters, of each input (n, numbers)."""
    n = len(weights)
    stacked = [np.stack([samples[k % len(samples)][i] for k in range(n)]) for i in range(len(samples[0]))]
    inputs = [Tensor(a) if as_tensors and a.dtype.kind == "f" else a for a in stacked]
    parameters = [Tensor(x) for x in arrays]
    with np.errstate(all="ignore"):
        out = program(*inputs, *parameters)
        outs = out if isinstance(out, tuple) else (out,)
        ends = np.cumsum([np.size(ops.detach(x)) // n for x in outs])[:-1]
        for x, w in zip(outs, np.split(weights, ends, axis=1), strict=True):
            if isinstance(x, Tensor):
                (x * w.reshape(x.shape).astype(x.dtype)).sum().backward()
    numbers = np.concatenate([np.reshape(ops.detach(x), (n, -1)) for x in outs], axis=1)
    received = [np.zeros(x.shape) if (g := getattr(x, "grad", None)) is None else g for x in (*inputs, *parameters)]
    grads = [g.reshape(n, -1) for g in received[: len(inputs)]] if as_tensors else []
    trained = [g.reshape(-1) for g in received[len(inputs) :]]
    return [numbers, np.concatenate(trained) if trained else np.zeros(0), *grads]


def expected(truths: Sequence[Truth], scale: Array) -> list[Array]:
    """The same of a batch of these samples, each weighted by its part of `scale`."""
    rows = [truths[k % len(truths)] for k in range(len(scale))]
    outputs = np.stack([row.outputs for row in rows])
    with np.errstate(all="ignore"):
        inputs = [
            np.stack([c * row.inputs[i] for c, row in zip(scale, rows, strict=True)])
            for i in range(len(rows[0].inputs))
        ]
        return [outputs, sum(c * row.parameters for c, row in zip(scale, rows, strict=True)), *inputs]


def worst(found: Array, wanted: Array, slack: Callable[[], Array], near: float) -> tuple[int, ...] | None:
    """Where two differ by more than rounding explains, if anywhere. `slack` is asked if something differs."""
    finite = np.isfinite(wanted)
    size = np.abs(wanted[finite]).max(initial=0.0)
    with np.errstate(all="ignore"):
        wrong = finite & ~(np.abs(found - wanted) <= near * (1 + size))
        if wrong.any():
            wrong &= ~(np.abs(found - wanted) <= near * (1 + size) + np.abs(slack()))
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def verify(
    f: Callable[..., Any],
    samples: Sequence[Sequence[Array]],
    programs: Sequence[Callable[..., Any]],
    arrays: Sequence[Array],
    values: Sequence[Value],
    others: Sequence[Value],
    near: float,
    source: str,
) -> None:
    """Raise TraceError where the programs do not give what the function gives.

    Args:
        f: the function on Values.
        samples: arguments for single samples; several stand for batches of any length.
        programs: take arguments and parameters; the first one Tensors, the others plain arrays as arguments.
        arrays: the parameters, with the numbers of the Values.
        values: the Values in these, one after another.
        others: Values that the function closes over besides.
        near: how much the numbers may differ, relative to the largest. What differs by more is compared with what the
            function gives a little beside: a chaotic one has no digits to hold a program to.
        source: of the program, for the message.
    """
    truths = [on_values(f, sample, values, others, k) for k, sample in enumerate(samples)]
    beside: list[Truth] = []

    def slack(part: int, scale: Array) -> Array:
        """How much a part changes where the inputs change by next to nothing."""
        if not beside:
            moved = [[a if a.dtype.kind in "iu" else a * (1 + near * 1e-6) for a in sample] for sample in samples]
            beside.extend(on_values(f, sample, values, others, k) for k, sample in enumerate(moved))
        return expected(beside, scale)[part] - expected(truths, scale)[part]

    what = ["output", "gradient of parameter", *(f"gradient of argument {i}, number" for i in range(len(samples[0])))]
    for n in LENGTHS if len(samples) > 1 else (1,):
        scale = np.random.default_rng(n).uniform(0.5, 1.5, n)
        weights = np.stack([scale[k] * truths[k % len(truths)].weights for k in range(n)])
        wanted = expected(truths, scale)
        for k, program in enumerate(programs):
            found = on_arrays(program, samples, weights, arrays, as_tensors=not k)
            for part, (got, want) in enumerate(zip(found, wanted if not k else wanted[:2], strict=True)):
                place = worst(got, want, partial(slack, part, scale), near)
                if place is not None:
                    raise TraceError(
                        f"{name_of(f)} gives {want[place]} as its {what[part]} {place[-1]} on Values, the program "
                        f"{got[place]} for a batch of {n}: it cannot be vectorized as it is. The program was\n{source}"
                    )
