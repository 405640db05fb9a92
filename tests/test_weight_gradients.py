"""Gradients of weight matrices: their numbers and their memory. A step does not change them."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor


@given(
    k=st.integers(0, 60),
    n=st.integers(1, 99),
    m=st.integers(1, 99),
    bias=st.booleans(),
    left=st.booleans(),
    twice=st.booleans(),
)
def test_it_is_the_product_of_rows_and_cotangents(k, n, m, bias, left, twice):
    rng = np.random.default_rng([k, n, m])
    x, w, b, seed = (
        rng.normal(size=(k, n)),
        Tensor(rng.normal(size=(m, n) if left else (n, m))),
        Tensor(np.zeros(m)),
        rng.normal(size=(k, m)),
    )
    for _ in range(1 + twice):
        if left:
            (w @ x.T).backward(seed.T)
        else:
            (autograd.linear(x, w, b) if bias else x @ w).backward(seed)
    expected = seed.T @ x if left else x.T @ seed
    np.testing.assert_allclose(w.grad, (1 + twice) * expected, rtol=1e-13, atol=1e-13)
    assert w.grad is w.grad
    assert w.grad.flags.writeable


def recorded(k=1):
    """Rows, a weight with its gradient, and the expected gradient."""
    x, w, seed = np.arange(90.0 * k).reshape(k, 90), Tensor(np.ones((90, 80))), np.arange(80.0 * k).reshape(k, 80)
    (x @ w).backward(seed)
    return x, w, x.T @ seed


@pytest.mark.parametrize("k", [1, 2, 30])
def test_writing_to_the_rows_after_backward_does_not_change_it(k):
    x, w, expected = recorded(k)
    x[...] = 100.0
    np.testing.assert_array_equal(w.grad, expected)


@pytest.mark.parametrize("k", [1, 2, 30])
def test_rows_may_lie_in_memory_as_they_like(k):
    base = np.random.default_rng(0).normal(size=(90, k))
    for x in (base.T, base.copy().reshape(k, 90)[:, ::-1], np.asfortranarray(base.T), base.T.astype(">f8")):
        x.setflags(write=False)
        w = Tensor(np.ones((90, 80)))
        seed = np.random.default_rng(1).normal(size=(80, k)).T
        (x @ w).backward(seed)
        nn.SGD([w], lr=0.5).step()
        np.testing.assert_allclose(w.data, 1 - 0.5 * x.T @ seed, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(w.grad, x.T @ seed, rtol=1e-12, atol=1e-12)


def test_the_arrays_of_somebodys_own_operation_stay_theirs():
    buffer = np.zeros((1, 80))

    def vjp(g, out, x):
        return np.multiply(g, 2.0, out=buffer)

    twice = autograd.custom_op(lambda x: 2.0 * x, vjp)
    w, b = Tensor(np.ones((90, 80))), Tensor(np.ones((1, 80)))
    twice(np.ones((1, 90)) @ w).sum().backward()
    twice(b).sum().backward()
    buffer[...] = 7.0
    assert (w.grad == 2.0).all()
    assert (b.grad == 2.0).all()


def test_a_step_does_not_change_it():
    _, w, expected = recorded()
    nn.SGD([w], lr=0.5).step()
    np.testing.assert_array_equal(w.data, 1 - 0.5 * expected)
    np.testing.assert_array_equal(w.grad, expected)


def test_copies_and_pickles_have_it():
    for again in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        _, w, expected = recorded()
        np.testing.assert_array_equal(again(w).grad, expected)


def test_a_weight_used_twice_gets_both_contributions():
    w = Tensor(np.full((70, 70), 0.5))
    x = np.arange(70.0).reshape(1, 70)
    (x @ w @ w).sum().backward()
    expected = x.T @ (np.ones((1, 70)) @ w.data.T) + (x @ w.data).T @ np.ones((1, 70))
    np.testing.assert_allclose(w.grad, expected)


def test_a_tensor_has_no_other_attributes():
    t: Any = Tensor([1.0])
    assert not hasattr(t, "gradient")
    with pytest.raises(AttributeError, match="gradient"):
        t.gradient
