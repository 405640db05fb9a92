"""Anomaly mode names the first operation that makes a nan or an infinity, and arrays that changed unnoticed."""

import threading

import numpy as np
import pytest

import autograd
from autograd import AnomalyError, Tensor, Value, anomaly

HERE = __file__


def line_of(text):
    with open(HERE, encoding="utf-8") as file:
        return next(i for i, line in enumerate(file, 1) if text in line and "line_of" not in line)


@pytest.mark.parametrize("kind", [Value, lambda x: Tensor([x])], ids=["Value", "Tensor"])
def test_forward(kind):
    x = kind(0.0)
    with anomaly(), pytest.raises(AnomalyError) as raised:
        y = x * 2.0
        z = autograd.log(y)  # the first
        (z - z).backward()
    assert "log made an infinity" in str(raised.value)
    assert f"{HERE}:{line_of('# the first')}" in str(raised.value)
    assert "operand 0: " in str(raised.value)


@pytest.mark.parametrize("kind", [Value, lambda x: Tensor([x])], ids=["Value", "Tensor"])
def test_backward(kind):
    x = kind(0.0)
    x.label = "weight"
    with anomaly(), pytest.raises(AnomalyError) as raised:
        y = x.sqrt()  # built here
        (y * 3.0).backward()
    message = str(raised.value)
    assert "backward through sqrt made an infinity for operand 0 (weight)" in message
    assert f"{HERE}:{line_of('# built here')}" in message
    assert "gradient of the result: " in message
    assert "3.0" in message


def test_n_ary_nodes_and_generic_ones():
    big = Value(1e200)
    for f in (lambda: autograd.dot([big], [big]), lambda: autograd.prod([big, big]), lambda: big**2.0):
        with anomaly(), pytest.raises(AnomalyError, match="infinity"):
            f()


def test_numbers_that_were_there_before_are_not_made():
    mask = np.array([0.0, -np.inf])
    t = Tensor([1.0, 2.0])
    with anomaly():
        out = autograd.exp(t + mask)
        out.sum().backward()
    assert t.grad.tolist() == [np.e, 0.0]


def test_a_change_since_recording_is_noticed():
    x = Value(2.0, label="x")
    with anomaly():
        y = x * x
        y.backward()
        x.data = 3.0
        with pytest.raises(AnomalyError, match=r"operand 0 of mul \(x\).*changed.*2\.0 became 3\.0"):
            y.backward()
    base = np.ones(3)
    view = base[:]  # a view that the default protection does not see
    t = Tensor(np.ones(3))
    with anomaly():
        loss = (t * base).sum()
        view[0] = 5.0
        with pytest.raises(AnomalyError, match="operand 1 of mul"):
            loss.backward()


def test_right_gradients_and_no_trace_outside():
    x = Value(1.5)
    with anomaly():
        with anomaly():
            pass
        y = (x * x).sigmoid() + autograd.dot([x, 2.0], [x, x]) + autograd.clip(x, 0.0, 9.0)
        y.backward()
    inside = x.grad
    x.grad = 0.0
    ((x * x).sigmoid() + autograd.dot([x, 2.0], [x, x]) + autograd.clip(x, 0.0, 9.0)).backward()
    assert inside == x.grad
    assert Value(0.0).log().data == -np.inf

    @anomaly()
    def f():
        return Value(0.0).log()

    with pytest.raises(AnomalyError):
        f()


def test_it_is_per_thread():
    entered, done, found = threading.Event(), threading.Event(), []

    def other():
        entered.wait(10)
        found.append(Value(0.0).log().data)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with anomaly():
        entered.set()
        done.wait(10)
    thread.join()
    assert found == [-np.inf]


def test_large_arrays_are_summed_up():
    t = Tensor(np.linspace(-1, 1, 100))
    with anomaly(), pytest.raises(AnomalyError, match=r"log made a nan.*\n.*float64 of shape \(100,\), from -1 to 1"):
        t.log()
