"""Displaying a graph takes work in proportion to its size, even if the graph is refused or cut short.

The tests count lines of Python, not seconds. Four times the nodes may take little more than four times the lines.
"""

import sys

import pytest

from autograd import Value, draw, explain, ops, steps, tree
from autograd.drawing import render

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
