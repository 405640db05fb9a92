"""Displaying a graph takes work in proportion to its size, even if the graph is refused or cut short. So do the passes
of `vectorize`, the text of a backward pass, and a backward pass that reads an array a part a step.

The tests count lines of Python, or bytes, not seconds. Four times the nodes may take little more than four times the
lines.
"""

import sys
import tracemalloc
from functools import partial
from typing import Any

import numpy as np
import pytest
from array_programs import read

import autograd
from autograd import Tensor, Value, draw, explain, ops, steps, tree
from autograd.drawing import render
from autograd.vectorizing.affine import affine
from autograd.vectorizing.backward import backward_source
from autograd.vectorizing.derivative import Backward
from autograd.vectorizing.evaluation import evaluate
from autograd.vectorizing.reductions import reductions
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.simplify import drop, fold, share
from autograd.vectorizing.tracing import trace
from autograd.vectorizing.tree import Trees

SMALL, LARGE = 40, 160


def lines(f):
    """The number of lines of Python that run in a call. It may also raise ValueError."""
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        f()
    except ValueError:
        pass
    finally:
        sys.settrace(before)
    return count


def requested(f):
    """The bytes that a call asks for, line by line: what is freed again counts, too."""
    total, before = 0, 0

    def trace(frame, event, arg):
        nonlocal total, before
        held, peak = tracemalloc.get_traced_memory()
        total += max(peak - before, 0)
        tracemalloc.reset_peak()
        before = held
        return trace

    outer = sys.gettrace()
    tracemalloc.start()
    sys.settrace(trace)
    try:
        f()
    finally:
        sys.settrace(outer)
        tracemalloc.stop()
    return total


def long_sum(n):
    out = x = Value(1.0, "x")
    for _ in range(n):
        out = out + x * 1e-3
    return out, x


def wide_sum(n):
    values = [Value(1.0) for _ in range(n)]
    return ops.sum(values), values[0]


def running_sum(n):
    values = [Value(1.0) for _ in range(n)]
    return sum(values), values[0]


def chain(n):
    out = x = Value(0.5, "x")
    for _ in range(n):
        out = out.tanh()
    return out, x


def diamonds(n):
    out = x = Value(1e-3, "x")
    for _ in range(n):
        out = out * out + out
    return out, x


def neuron(n):
    weights = [Value(0.1, f"w{i}") for i in range(n)]
    return Value._dot(weights, [1.0] * n, None), weights[0]


GRAPHS = [long_sum, wide_sum, running_sum, chain, diamonds, neuron]
LOOKS = {
    "draw": lambda out, x: draw(out, model=[]).source,
    "values": lambda out, x: draw(out, model=[], detail="values").source,
    "affine": lambda out, x: draw(out, model=[], detail="affine").source,
    "overview": lambda out, x: draw(out, model=[], detail="overview").source,
    "nearest": lambda out, x: draw(out, model=[], max_nodes=30).source,
    "focus": lambda out, x: draw(out, model=[], focus=x).source,
    "classic": lambda out, x: draw(out, model=[], style="classic").source,
    "tree": lambda out, x: tree(out, model=[]),
    "steps": lambda out, x: steps(out, model=[]),
    "explain": lambda out, x: str(explain(out, x, model=[])),
}


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("look", LOOKS)
def test_four_times_the_graph_is_at_most_five_times_the_work(graph, look, monkeypatch):
    monkeypatch.setattr(render, "run", lambda source, form: b"<svg/>")
    counts = []
    for n in (SMALL, LARGE):
        out, x = graph(n)
        out.backward()
        counts.append(lines(lambda out=out, x=x: LOOKS[look](out, x)))
    assert counts[1] < 5 * counts[0] + 2000, counts


def test_a_graph_too_large_to_step_through_is_only_counted():
    out, _ = long_sum(1000)
    with pytest.raises(ValueError, match="2,001 values are too many"):
        steps(out, model=[])
    assert lines(lambda: steps(out)) < 40 * 2001


def running(step, start=0.0):
    """A function of two numbers that takes n steps, each from what the last one gave."""

    def f(n):
        def steps(x):
            h = start * x[0]
            for t in range(n):
                h = step(h, x, t)
            return h

        return steps

    return f


def discounted(n):
    """A sum of products with ever more constants."""

    def f(x):
        total, weight = x[0], x[1]
        for _ in range(n):
            weight = weight * 0.99
            total = total + weight * 2.0
        return total

    return f


def twice(n):
    """What is computed twice, step by step."""

    def f(x):
        def chain():
            h = x[0]
            for t in range(n):
                h = (h + x[1]).sin() if t % 3 else h * x[1]
            return h

        return chain() + chain().tanh()

    return f


def unused(n):
    def f(x):
        h = x[0]
        for _ in range(n):
            h = (h * x[1]).tanh()
        return x[0] + 0.0 * x[1]

    return f


def known(n):
    def f(x):
        h = Value(1.0)
        for _ in range(n):
            h = h * 0.5 + 1.0
        return h * x[0]

    return f


TRACES = {
    "a running sum": running(lambda h, x, t: h + x[0] * x[t % 2]),
    "a sum from the left": running(lambda h, x, t: x[t % 2].sin() - h),
    "negations": running(lambda h, x, t: -(h - x[0])),
    "means of means": running(lambda h, x, t: (h + x[0] + x[1]) / 3.0),
    "a recurrence": running(lambda h, x, t: (h * x[0] + x[1]).tanh()),
    "quotients": running(lambda h, x, t: (h + x[0] * x[1]) / (x[1] + h)),
    "products with constants": discounted,
    "the same twice": twice,
    "nobody needs it": unused,
    "constants": known,
}


@pytest.mark.parametrize("program", TRACES)
def test_the_passes_over_a_trace(program):
    counts = []
    for n in (SMALL, LARGE, 4 * LARGE):
        graph = trace(TRACES[program](n), [(2,)])[0]
        counts.append(lines(lambda graph=graph: share(drop(reductions(drop(affine(drop(share(fold(graph))))))))))
    assert counts[1] < 5 * counts[0] + 2000, counts
    assert counts[2] < 5 * counts[1] + 2000, counts


PROGRAMS = {
    "a chain": lambda n: [f"h{i + 1} = tanh(h{i})" for i in range(n)],
    "residuals": lambda n: [f"h{i + 1} = tanh(h{i}) + h{i}" for i in range(n)],
    "layers": lambda n: [f"h{i + 1} = relu(h{i} @ w)" for i in range(n)],
    "one read by all": lambda n: [f"h{i + 1} = tanh(h{i}) * h0" for i in range(n)],
    "a deep expression": lambda n: ["h1 = h0" + ".tanh()" * n],
    "a long sum": lambda n: ["h1 = " + " + ".join(f"h0 ** {i}.0" for i in range(n))],
    "slices": lambda n: ["h1 = " + " + ".join(f"h0[:, {i % 4}] * x[:, {i % 3}]" for i in range(n))],
    "choices": lambda n: [f"h{i + 1} = where(h{i} > 0.{i}, h{i}, softplus(h0))" for i in range(n)],
}


def text_of(*program):
    return backward_source(read(*program))


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_text_of_a_backward_pass(program):
    counts = []
    for n in (SMALL, LARGE):
        program_lines = ["h0 = x @ w", *PROGRAMS[program](n)]
        statements = [(target, text) for target, _, text in (line.partition(" = ") for line in program_lines)]
        statements.append(("y", f"{statements[-1][0]} * 2.0"))
        x, w = np.ones((2, 4)), np.ones((4, 4))
        arguments: tuple[Any, ...] = statements, {"x": x}, {"w": w}, {}, ["y"], vars(ops)
        counts.append(lines(partial(text_of, *arguments)))
    assert counts[1] < 5 * counts[0] + 2000, counts


def test_the_gradient_of_an_array_that_is_read_one_element_a_step_is_one_array():
    peaks = []
    for n in (100, 400):
        trees = Trees(simplified)
        u, dy = trees.leaf("u", (n,), float, moves=True), trees.leaf("dy", (), float)
        total = ops.sin(u[0])
        for i in range(1, n):
            total = total * ops.sin(u[i])
        y = trees.leaf("y", (), float, moves=True)
        gradients = Backward([(y, total)], {y: dy}).gradients([u])
        tracemalloc.start()
        (found,) = evaluate(gradients, {u: np.linspace(1, 2, n), dy: 1.0}, {})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        right = np.prod(np.sin(np.linspace(1, 2, n))) / np.tan(np.linspace(1, 2, n))
        assert np.allclose(found, right, rtol=1e-9, atol=0)
    assert peaks[1] < 6 * peaks[0], peaks


READS: dict[str, Any] = {
    # what a step reads of an array, and the shape of n steps
    "an element": (lambda x, t: x[3, t], lambda n: (32, n)),
    "a row": (lambda x, t: x[t], lambda n: (n, 32)),
    "a column": (lambda x, t: x[:, t], lambda n: (32, n)),
    "a slice": (lambda x, t: x[:, t : t + 2].sum(1), lambda n: (32, n)),
    "from the end": (lambda x, t: x[..., -1 - t], lambda n: (32, n)),
    "a row as a matrix": (lambda x, t: x[None, t], lambda n: (n, 32)),
    "rows by number": (lambda x, t: x[[t, 0, 0]], lambda n: (n, 32)),
    "rows by a mask": (lambda x, t: x[np.arange(len(x)) == t], lambda n: (n, 32)),
    "numpy.take": (lambda x, t: np.take(x, t, axis=1), lambda n: (32, n)),
    "numpy.take of one axis": (lambda x, t: np.take(x, np.arange(8 * t, 8 * t + 8)), lambda n: (8 * n,)),
    "a copy": (lambda x, t: x[t], lambda n: (n, 32)),
}


def recurrence(kind, n):
    """A variable, and a function of it that reads a part a step."""
    read, shape = READS[kind]

    def f(x):
        h, x = 0.0, x * 1.0 if kind == "a copy" else x
        for t in range(n):
            h = (h * 0.5 + read(x, t)).tanh()
        return ops.sum(h)

    return f, np.linspace(-1, 1, int(np.prod(shape(n)))).reshape(shape(n))


@pytest.mark.parametrize("kind", READS)
def test_backward_through_a_loop_that_reads_a_part_a_step(kind):
    counts = []
    for n in (100, 400):
        f, x = recurrence(kind, n)
        leaf = Tensor(x)
        out = f(leaf)
        counts.append(requested(out.backward))
        np.testing.assert_array_equal(leaf.grad, autograd.grad(f)(x))
        assert requested(out.backward) < 1.2 * counts[-1]  # it accumulates
    assert counts[1] < 5 * counts[0], counts


@pytest.mark.parametrize("kind", READS)
def test_a_transformation_of_a_loop_that_reads_a_part_a_step(kind):
    counts = []
    for n in (100, 400):
        f, x = recurrence(kind, n)
        out, pull = autograd.vjp(f, x)
        counts.append(requested(partial(pull, np.ones_like(out))))
    assert counts[1] < 5 * counts[0], counts


@pytest.mark.parametrize("join", [ops.concatenate, ops.stack])
def test_backward_through_parts_that_are_joined(join):
    counts, sizes = [], []
    for n in (100, 400):
        x = Tensor(np.ones((1, 4)))
        out = (join([x * float(t) for t in range(n)]) ** 2).sum()
        counts.append(lines(out.backward))
        sizes.append(requested(out.backward))
    assert counts[1] < 5 * counts[0], counts
    assert sizes[1] < 5 * sizes[0], sizes


def test_backward_through_the_parts_of_a_split():
    counts = []
    for n in (100, 400):
        out = sum(part.sin() for part in ops.split(Tensor(np.ones((n, 32))), n)).sum()
        counts.append(requested(out.backward))
    assert counts[1] < 5 * counts[0], counts
