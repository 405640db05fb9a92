"""Python's garbage collector runs less often in programs that build graphs of many Values, but not in others."""

import gc

import pytest

import autograd
from autograd import Value
from autograd.engine import collector

in_python = pytest.mark.skipif(autograd.compiled, reason="the collector does not see the nodes of the compiled form")


@pytest.fixture
def threshold(monkeypatch):
    """The collector with the settings of a new process."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    monkeypatch.setattr(collector, "_ours", (700, 10, 10))
    yield lambda: gc.get_threshold()[0]
    gc.set_threshold(*before)


def backward(n):
    x = y = Value(1.0)
    for _ in range(n):
        y = y + 1.0
    y.backward()
    assert x.grad == 1.0
    return y


@in_python
def test_it_waits_for_as_many_objects_as_the_largest_graph_has(threshold):
    for n, expected in ((10, 700), (130, 700), (2999, 15_000), (4999, 25_000), (4000, 25_000), (200_000, 500_000)):
        backward(n)
        assert threshold() == expected
    assert gc.get_threshold()[1:] == (10, 10)


@in_python
@pytest.mark.parametrize("own", [(500, 10, 10), (0, 10, 10), (700, 5, 10), (1000, 10, 10)])
def test_who_sets_it_is_left_alone(threshold, own):
    backward(1999)
    assert threshold() == 10_000
    gc.set_threshold(*own)
    backward(3000)
    assert gc.get_threshold() == own


def test_a_program_that_turned_it_off_before_the_import_keeps_it_off(threshold, monkeypatch):
    gc.set_threshold(0, 10, 10)
    monkeypatch.setattr(collector, "_ours", (0, 10, 10))
    backward(3000)
    assert gc.get_threshold() == (0, 10, 10)


def test_a_graph_is_built_without_it(threshold):
    last = backward(20_000)
    gc.collect()
    runs = []
    gc.callbacks.append(lambda phase, info: runs.append(info))
    try:
        for _ in range(5):
            last = backward(20_000)  # while the graph before it still exists
    finally:
        gc.callbacks.pop()
    assert not runs
    assert last.data == 20_001.0
