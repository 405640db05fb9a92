"""How Tensors record rows: what is written out for a row does what the loops do, with the row's own vjp."""

import functools
import inspect
import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Tensor, no_grad, ops
from autograd.engine import quiet
from autograd.engine.form import Form
from autograd.ops.rows import Elementwise

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, -3.0, np.inf, -np.inf, np.nan]


def elementwise():
    """Rows of one to three operands on arrays of one shape, and every way in which variables can be among them."""
    for row in ops.ROWS.values():
        if isinstance(row, Elementwise):
            for needs in itertools.product((True, False), repeat=row.arity):
                if any(needs) and row.partials[needs.index(True)] is not None:
                    yield row, needs


@pytest.mark.parametrize(("row", "needs"), list(elementwise()), ids=lambda x: getattr(x, "name", None))
@given(seed=st.integers(0, 2**32 - 1), columns=st.booleans())
def test_elementwise_rows_written_out(row, needs, seed, columns):
    """Arrays of one shape and, as often, of one row or one number, which broadcast; numbers of any kind."""
    rng = np.random.default_rng(seed)
    shape = (2, 3) if columns else (6,)
    operands = []
    for need in needs:
        x = np.where(rng.random(shape) < 0.5, rng.choice(SPECIAL, shape), rng.uniform(-3, 3, shape))
        x = x[:1] if operands and rng.random() < 0.5 else x
        operands.append(float(x.flat[0]) if not need and rng.random() < 0.5 else x)
    compare(row, operands, needs, seed)


MATRICES = {
    "linear": [(4, 3), (3, 2), (2,)],
    "matmul": [(4, 3), (3, 2)],
    "softmax": [(4, 3)],
    "log_softmax": [(4, 3)],
    "transpose": [(4, 3)],
}


@pytest.mark.parametrize("name", MATRICES)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_other_rows_written_out(name, seed, data):
    shapes = MATRICES[name]
    rng = np.random.default_rng(seed)
    needs = data.draw(st.tuples(*[st.booleans()] * len(shapes)).filter(any))
    compare(ops.ROWS[name], [rng.normal(size=shape) for shape in shapes], needs, seed)


@given(seed=st.integers(0, 99), n=st.integers(1, 5))
def test_a_row_that_keeps_more_than_its_result_written_out(seed, n):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(n, 3)), rng.integers(0, 3, n)
    grads = []
    for loops in (False, True):
        x = Tensor(logits)
        Form(Tensor, ops.ROWS["cross_entropy"], (Tensor, np.ndarray), loops).apply([x, labels], {}).backward()
        grads.append(x.grad)
    np.testing.assert_array_equal(*grads)


@functools.cache
def form_of(row, kinds, loops):
    """Compiling one takes longer than all else here."""
    return Form(Tensor, row, kinds, loops)


def compare(row, operands, needs, seed):
    """The result of a row and what its variables receive: written out, and by the loops."""
    found = []
    for loops in (False, True):
        given = [Tensor(x) if need else x for x, need in zip(operands, needs, strict=True)]
        node = form_of(row, tuple(map(type, given)), loops).apply(given, {})
        assert node.operands == tuple(given) or list(node.operands) == given
        with np.errstate(all="ignore"):
            node.backward(np.random.default_rng([seed, 1]).uniform(-2, 2, node.shape))
        found.append([node.data, *(x.grad for x in given if isinstance(x, Tensor))])
    for a, b in zip(*found, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=0, equal_nan=True)


def test_any_number_of_operands_is_compiled_once():
    sources = set()
    for n in (2, 30, 31, 200):
        xs = [Tensor(np.full(2, float(i))) for i in range(n)]
        node = autograd.concatenate(xs)
        (node * np.arange(2.0 * n)).sum().backward()
        assert [x.grad.tolist() for x in xs] == [[2.0 * i, 2.0 * i + 1] for i in range(n)]
        sources.add(node._kind.pull.__code__)
    assert len(sources) == 1


def test_the_source_is_there_to_read():
    x = Tensor([1.0, 2.0])
    text = inspect.getsource((x.tanh())._kind.pull)
    assert "c = rule0(out, a0) * g" in text
    assert "zip(" in inspect.getsource(autograd.concatenate([x, x])._kind.pull)


def test_dtypes_come_back_as_they_were():
    x, w = Tensor(np.ones((4, 3), np.float32)), Tensor(np.ones((3, 2)))
    (x @ w).sum().backward()
    autograd.linear(x, w, Tensor(np.ones(2, np.float32))).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (np.float32, np.float64)


# --------------------------------------------------------------------------------------------------------- quietly


def test_no_warnings_and_none_lost():
    assert np.isneginf(quiet.quietly(np.log, np.zeros(1)))[0]
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(np.zeros(1))


def test_calls_inside_calls():
    assert quiet.quietly(lambda: quiet.quietly(lambda: quiet.quietly(np.log, np.zeros(1))))[0] == -np.inf


def test_an_error_leaves_the_context_for_the_next():
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            quiet.quietly(lambda: 1 // 0)
    before = len(quiet.idle)
    quiet.quietly(np.log, np.zeros(1))
    assert len(quiet.idle) == before


def test_in_many_threads_at_once():
    wrong = []

    def work():
        try:
            with np.errstate(all="raise"):
                for _ in range(300):
                    x = Tensor([0.0, 1.0])
                    x.log().sum().backward()
                    assert x.grad.tolist() == [np.inf, 1.0]
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_code_of_the_users_own_sees_its_context():
    from contextvars import ContextVar

    scale = ContextVar("scale", default=0.0)
    op = autograd.custom_op(lambda x: scale.get() * x, lambda g, out, x: scale.get() * g, name="scaled")
    scale.set(3.0)
    x = Tensor([2.0])
    y = op(x)
    y.sum().backward()
    assert (y.data.tolist(), x.grad.tolist()) == ([6.0], [3.0])
    with no_grad():
        assert op(x).data.tolist() == [6.0]
