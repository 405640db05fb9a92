"""Updates in place, and gradients of matrices that are kept as their factors until somebody looks at them."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, add_scaled, blas, inplace
from autograd.blas import LARGE, Pace
from autograd.inplace import Product

BLAS = blas.library(np.dtype(np.float64))

with_threads = pytest.mark.skipif(
    BLAS is None or BLAS.threads is None, reason="no BLAS with a number of threads for one caller"
)


@pytest.fixture(params=["BLAS", "BLAS as it was before 0.3.27", "NumPy"])
def library(request, monkeypatch):
    if request.param == "NumPy":
        monkeypatch.setattr(inplace, "library", lambda dtype: None)
    elif not BLAS:
        pytest.skip("NumPy has brought no OpenBLAS here")
    elif request.param != "BLAS":
        for kind in (np.float32, np.float64):
            monkeypatch.setattr(blas.library(np.dtype(kind)), "threads", None)


def test_numpys_wheels_bring_a_library():
    if list(blas.Path(np.__file__).parent.parent.glob("numpy.libs/*openblas*")):
        assert blas.library(np.dtype(np.float32))
        assert BLAS
    assert not blas.library(np.dtype(np.float16))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("keep", [1.0, 0.9])
@pytest.mark.parametrize("shape", [(3, 5), (80, 70), (1, 5000), (5000, 1), (400, 400)])
def test_both_ways_add_the_same(dtype, k, keep, shape):
    rng = np.random.default_rng(0)
    out, x = rng.normal(size=(2, *shape)).astype(dtype)
    left, right = rng.normal(size=(k, shape[0])).astype(dtype), rng.normal(size=(k, shape[1])).astype(dtype)
    for given_x, array in ((x, x), (Product(left, right), left.T @ right)):
        expected, found = dtype_of(dtype)(keep) * out - dtype_of(dtype)(0.3) * array, out.copy()
        add_scaled(found, given_x, -0.3, keep)
        np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == "f4" else 1e-13, atol=1e-5)


def dtype_of(name):
    return np.dtype(name).type


@with_threads
@pytest.mark.parametrize("n", [80, 500])
def test_the_number_of_threads_is_what_it_was(n):
    before = BLAS.threads(1)
    BLAS.threads(before)
    out, x = np.zeros((n, n)), np.ones((1, n))
    assert (out.size >= LARGE) is (n == 500)
    for _ in range(3):  # with all threads, and with one
        add_scaled(out, Product(x, x))
        assert BLAS.threads(before) == before
    assert (out == 3).all()


@with_threads
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(401, 399), (133, 1001)])
def test_one_thread_and_all_give_the_same_bits(dtype, shape, monkeypatch):
    """Which of them it is depends on the clock; trainings can be repeated all the same."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=shape).astype(dtype)
    x = Product(*[rng.normal(size=(1, n)).astype(dtype) for n in shape])
    results = []
    for alone in (False, True):
        monkeypatch.setattr(Pace, "alone", lambda self, alone=alone: alone)
        results.append(start.copy())
        add_scaled(results[-1], x, -0.3)
    assert not np.array_equal(results[0], start)
    np.testing.assert_array_equal(*results)


def paced(pace, together, alone, passes):
    """How many of these passes had one thread, where they take so long."""
    count = 0
    for _ in range(passes):
        way = pace.alone()
        pace.took(way, alone if way else together)
        count += way
    return count


def test_a_pass_goes_the_faster_way_and_looks_at_the_other_now_and_then():
    pace = Pace()
    assert paced(pace, 1.0, 2.0, 1000) == 1 + 1000 // 256
    assert 990 <= paced(pace, 10.0, 2.0, 1000) < 1000  # the cores are far from each other now
    assert paced(pace, 1.0, 2.0, 1000) <= 256 + 1000 // 256  # and near again


def test_a_pass_that_was_interrupted_is_not_believed():
    pace = Pace()
    paced(pace, 1.0, 1.5, 10)
    pace.took(False, 1000.0)
    assert paced(pace, 1.0, 1.5, 10) == 0
    for _ in range(2):
        pace.took(False, 1000.0)
    assert paced(pace, 1.0, 1.5, 10) == 10


@pytest.mark.usefixtures("library")
def test_memory_that_blas_cannot_read_as_it_lies_is_added_by_numpy():
    big = np.zeros((140, 140))
    rows, columns, whole = np.ones((2, 70)), np.ones((2, 70)), np.ones((70, 70), np.float32)
    for out in (big[:70, :70], big[::2, ::2], np.zeros((70, 70)).T):
        out[...] = 1
        add_scaled(out, Product(rows, columns), 2.0)
        assert (out == 5).all()
        add_scaled(out, Product(rows, columns), 1.0)
        add_scaled(out, whole, 1.0)  # of another dtype
        assert (out == 8).all()
    assert big[:70, 70:].sum() == 35 * 35 * 8  # the second one's; nothing went where no view was


@pytest.mark.usefixtures("library")
def test_a_nan_stays_whatever_is_kept_of_it():
    for n in (3, 80):
        for x in (
            np.ones((n, n)),
            Product(np.ones((1, n)), np.ones((1, n))),
            Product(np.ones((2, n)), np.ones((2, n))),
        ):
            for keep in (0.0, 0.5, 1.0):
                out = np.full((n, n), np.nan)
                add_scaled(out, x, 0.5, keep)
                assert np.isnan(out).all()


@given(k=st.integers(1, 60), n=st.integers(1, 99), m=st.integers(1, 99), bias=st.booleans(), twice=st.booleans())
def test_a_gradient_kept_as_factors_is_the_gradient(k, n, m, bias, twice):
    rng = np.random.default_rng([k, n, m])
    x, w, b, seed = (
        rng.normal(size=(k, n)),
        Tensor(rng.normal(size=(n, m))),
        Tensor(np.zeros(m)),
        rng.normal(size=(k, m)),
    )
    for _ in range(1 + twice):
        (autograd.linear(x, w, b) if bias else x @ w).backward(seed)
    np.testing.assert_allclose(w.grad, (1 + twice) * x.T @ seed, rtol=1e-13, atol=1e-13)
    assert w.grad is w.grad
    assert w.grad.flags.writeable


def pending():
    """A weight whose gradient has not been formed, and what it is."""
    x, w, seed = np.arange(90.0).reshape(1, 90), Tensor(np.ones((90, 80))), np.arange(80.0).reshape(1, 80)
    (x @ w).backward(seed)
    assert isinstance(w._grad, Product)
    return x, w, x.T * seed


@pytest.mark.parametrize("rows", [(50, 90, 80), (1, 9, 8)])
def test_many_rows_and_small_matrices_are_multiplied_at_once(rows):
    k, n, m = rows
    w = Tensor(np.ones((n, m)))
    (np.ones((k, n)) @ w).sum().backward()
    assert isinstance(w._grad, np.ndarray)


def test_a_matrix_on_the_left_is_kept_as_factors_too():
    for shape in ((80,), (80, 1)):
        x, seed = np.arange(80.0).reshape(shape), np.arange(90.0).reshape(90, *shape[1:])
        w = Tensor(np.ones((90, 80)))
        (w @ x).backward(seed)
        assert isinstance(w._grad, Product)
        np.testing.assert_array_equal(w.grad, np.outer(seed, x))


def test_writing_to_the_input_after_backward_does_not_change_the_gradient():
    x, w, expected = pending()
    x[...] = 100.0
    np.testing.assert_array_equal(w.grad, expected)


def test_what_nobody_can_write_to_is_not_copied():
    x = np.arange(3600.0).reshape(40, 90).copy()
    x.setflags(write=False)
    v, w = Tensor(np.ones((90, 80))), Tensor(np.ones((80, 70)))
    hidden = x @ v
    (hidden @ w).sum().backward()
    assert v._grad.left is x
    assert w._grad.left is hidden.data
    with pytest.raises(ValueError, match="read-only"):
        hidden.grad[0, 0] = 5.0
    np.testing.assert_allclose(v.grad, x.T @ (np.ones((40, 70)) @ w.data.T))
    np.testing.assert_allclose(w.grad, hidden.data.T @ np.ones((40, 70)))


@pytest.mark.parametrize("k", [1, 30])
def test_an_array_that_is_only_guarded_is_copied(k):
    """It may be written to again as soon as backward has run."""
    x, w = np.ones((k, 90)), Tensor(np.ones((90, 80)))
    loss = (x @ w).sum()
    assert not x.flags.writeable
    loss.backward()
    x[...] = 5.0
    assert (w.grad == k).all()


@pytest.mark.parametrize("k", [2, 30])
def test_rows_that_lie_otherwise_are_copied(k):
    base = np.random.default_rng(0).normal(size=(90, k))
    for x in (base.T, base.copy().reshape(k, 90)[:, ::-1], np.asfortranarray(base.T)):
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


def test_a_step_does_not_change_the_gradient():
    _, w, expected = pending()
    nn.SGD([w], lr=0.5).step()
    np.testing.assert_array_equal(w.data, 1 - 0.5 * expected)
    np.testing.assert_array_equal(w.grad, expected)


def test_copies_and_pickles_have_the_gradient():
    for again in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        _, w, expected = pending()
        np.testing.assert_array_equal(again(w).grad, expected)


def test_a_gradient_that_was_set_takes_the_place_of_the_factors():
    _, w, _ = pending()
    w.grad = None
    assert w._grad is None
    assert w.grad is None
    w.grad = np.ones((90, 80))
    assert w._grad is w.grad


def test_a_weight_used_twice_gets_both_contributions():
    w = Tensor(np.full((70, 70), 0.5))
    x = np.arange(70.0).reshape(1, 70)
    (x @ w @ w).sum().backward()
    expected = x.T @ (np.ones((1, 70)) @ w.data.T) + (x @ w.data).T @ np.ones((1, 70))
    np.testing.assert_allclose(w.grad, expected)


def test_a_tensor_has_no_other_attributes():
    assert not hasattr(Tensor([1.0]), "gradient")
    with pytest.raises(AttributeError, match="gradient"):
        Tensor([1.0]).gradient


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "settings", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1}]
)
def test_sgd_gets_to_the_same_place_by_factors_and_by_arrays(settings):
    starts = np.random.default_rng(1).normal(size=(90, 80))
    ways = []
    for looked_at in (False, True):
        w = Tensor(starts)
        optimizer = nn.SGD([w], lr=0.1, **settings)
        for i in range(3):
            optimizer.zero_grad()
            (np.cos(np.arange(180.0).reshape(2, 90) + i) @ w).tanh().sum().backward()
            assert isinstance(w._grad, Product)
            if looked_at:
                w.grad
            optimizer.step()
        ways.append(w.data)
    np.testing.assert_allclose(*ways, rtol=1e-12, atol=1e-12)
    assert not np.allclose(ways[0], starts)


def test_an_optimiser_of_ones_own_gets_arrays():
    class Signs(nn.SGD):
        def _update(self, p, g, lr, state, scratch):
            assert isinstance(g, np.ndarray)
            p -= lr * np.sign(g)

    _, w, expected = pending()
    Signs([w], lr=1.0).step()
    np.testing.assert_array_equal(w.data, 1 - np.sign(expected))
