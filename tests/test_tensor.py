"""`Tensor`: recording of NumPy's own functions, gradients of leaves, safety of saved arrays, clear errors."""

import copy
import gc
import math
import pickle
import threading
import weakref
from contextvars import ContextVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, Value, no_grad
from autograd.engine.saved import memory_of
from autograd.rows import Linear

seeds = st.integers(0, 2**32 - 1)


def test_a_regression_step():
    w = Tensor([[1.0], [2.0]])
    x = np.array([[3.0, 4.0]])
    loss = ((x @ w - 1.0) ** 2).mean()
    loss.backward()
    assert loss.item() == 100.0
    assert w.grad.tolist() == [[60.0], [80.0]]


# ------------------------------------------------------------------------------------------------ making Tensors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_kept_as_given(dtype):
    t = Tensor(np.ones((2, 3), dtype))
    assert (t.shape, t.ndim, t.size, t.dtype) == ((2, 3), 2, 6, dtype)
    out = (t @ np.ones((3, 2), dtype)).relu().mean()
    assert out.dtype == dtype
    out.backward()
    assert t.grad.dtype == dtype


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (np.array([1, 2]), "int64"),
        ([1, 2], "int64"),
        (np.ones(2, np.float16), "float16"),
        (np.ones(2) * 1j, "complex128"),
        (np.array([Value(1.0)]), "object"),
        (Value(1.0), "Value"),
        (Tensor([1.0]), "Tensor"),
    ],
)
def test_other_dtypes_are_refused(data, named):
    with pytest.raises(TypeError, match=named):
        Tensor(data)


def test_data_is_copied_in():
    x = np.ones(3)
    t = Tensor(x)
    x[0] = 5.0
    assert t.tolist() == [1.0, 1.0, 1.0]
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32


def test_repr_iteration_and_truth():
    t = Tensor(np.array([1.0, 2.0], np.float32), label="w")
    assert repr(t) == "Tensor([1., 2.], dtype=float32, label='w')"
    assert [float(x.data) for x in t] == [1.0, 2.0]
    assert len(t) == 2
    assert bool(Tensor([0.0])) is False
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t)
    assert (t > 1.0).tolist() == [False, True]
    assert (t == 1.0).tolist() == (t == Tensor([1.0, 3.0])).tolist() == [True, False]
    assert 1.0 in t
    assert 3.0 not in t
    assert {t: 1}[t] == 1


# ----------------------------------------------------------------------------------------------------- gradients

UPDATES = {
    "in place": lambda w: w.data.__isub__(1.0),
    "augmented": lambda w: exec("w.data -= 1.0", {"w": w}),
    "assigned": lambda w: setattr(w, "data", w.data - 1.0),
    "element": lambda w: w.data.__setitem__(0, w.tolist()[0] + 9.0),
    "update": lambda w: w.update(lambda array: np.subtract(array, 1.0, out=array)),
}


def test_leaves_accumulate_interiors_do_not():
    t = Tensor([1.0, 2.0])
    square = t * t
    loss = square.sum()
    loss.backward()
    first = t.grad
    loss.backward()
    assert t.grad.tolist() == [4.0, 8.0]
    assert first.tolist() == [2.0, 4.0]  # an array that was returned does not change
    assert square.grad.tolist() == [1.0, 1.0]


def test_leaf_gradients_are_arrays_of_their_own():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    out = a + b
    out.backward([1.0, 1.0])
    a.grad += 10.0
    assert b.grad.tolist() == [1.0, 1.0]
    assert out.grad.tolist() == [1.0, 1.0]
    c = Tensor([[1.0, 2.0]])
    (c.reshape(2).T + 0.0).backward([1.0, 2.0])
    c.grad *= 2.0
    assert c.grad.flags.owndata
    d = Tensor(np.ones((2, 2)))
    d.sum().backward()
    d.grad += 1.0
    assert d.grad.tolist() == [[2.0, 2.0], [2.0, 2.0]]


def test_the_seed_stays_the_programs_own():
    x, seed = Tensor([1.0, 2.0]), np.ones(2)
    y = x * 3.0
    for node in (x, y):
        node.backward(seed)
    seed[...] = 7.0
    assert (x.grad.tolist(), y.grad.tolist()) == ([4.0, 4.0], [1.0, 1.0])
    x.grad[...] = 9.0
    assert seed.tolist() == [7.0, 7.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given", [np.float32, np.float64, int])
def test_a_seed_is_taken_in_the_dtype_of_its_tensor(dtype, given):
    x = Tensor(np.ones(2, dtype))
    y = x * 3.0
    for node in (x, y):
        node.backward(np.ones(2, given))
    assert (x.grad.dtype, y.grad.dtype) == (dtype, dtype)


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_a_refused_backward_changes_nothing(update):
    x, w = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    nodes = [x, w, h := x * 3.0, y := h * w, loss := (y * y).sum()]
    loss.backward()
    before = [node.grad for node in nodes]
    update(w)
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()
    assert all(node.grad is grad for node, grad in zip(nodes, before, strict=True))


def test_an_operation_may_return_its_operand():
    same = autograd.custom_op(lambda x: x, lambda g, out, x: g, name="same")
    x = Tensor([1.0, 2.0])
    y = same(x)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    x.data[0] = 5.0
    with no_grad():
        y = same(x)
    x.data[0] = 6.0  # the result is read-only, the leaf is not
    assert not y.data.flags.writeable


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_take_the_dtype(dtype):
    t = Tensor(np.ones((2, 2), dtype))
    for number in (2, 0.5, np.float64(0.5), np.float32(0.5), np.int64(2)):
        for out in (
            *(t - number, number - t, t * number, number / t, t**number, autograd.maximum(t, number)),
            *(autograd.linear(t, t, number), autograd.where(t > 0, t, number), autograd.clip(t, 0, number)),
            autograd.einsum("ij,->ij", t, number),
        ):
            assert out.dtype == dtype
            out.sum().backward()
            assert t.grad.dtype == dtype


def test_a_dot_product_adds_its_bias():
    a, b = Tensor([1.0, 2.0]), Tensor(5.0)
    for x, y in ((a, [3.0, 4.0]), ([3.0, 4.0], a), ([a[0], a[1]], [3.0, 4.0])):
        for bias in (b, 5.0):
            assert autograd.dot(x, y, bias).item() == 16.0
    autograd.dot(a, [3.0, 4.0], b).backward()
    assert (a.grad.tolist(), b.grad.item()) == ([3.0, 4.0], 1.0)


def test_numpys_errors_name_the_operation_and_the_shapes():
    t = Tensor([1.0, 2.0])
    for action, error, text in (
        (lambda: t + np.ones(3), ValueError, r"add of shapes \(2,\) and \(3,\): "),
        (lambda: t @ np.ones(3), ValueError, r"matmul of shapes \(2,\) and \(3,\): "),
        (lambda: t.reshape(5), ValueError, r"reshape of shape \(2,\), shape=.*5.*: "),
        (lambda: t[7], IndexError, r"getitem of shape \(2,\), index=7: "),
    ):
        with pytest.raises(error, match=text):
            action()


def test_mixed_precision_comes_back_in_the_leafs_dtype():
    a, b = Tensor(np.ones(2, np.float32)), Tensor(np.ones(2))
    (a * b).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)


def test_backward_wants_one_number_or_a_seed():
    t = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(2,\).*seed"):
        (t * t).backward()
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        (t * t).backward(np.ones(3))
    (t * t).backward([1.0, 10.0])
    assert t.grad.tolist() == [2.0, 40.0]
    assert t.grad.dtype == np.float64


def test_constants_get_no_gradient():
    x, w = np.ones((2, 3)), Tensor(np.ones((3, 1)))
    out = x @ w
    assert out.parents == (w,)
    out.sum().backward()
    assert w.grad.shape == (3, 1)


def test_a_variable_that_no_gradient_reaches():
    condition, x = Tensor([1.0, 0.0]), Tensor([1.0, 2.0])
    autograd.where(condition * 1.0, x, 0.0).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]
    assert condition.grad is None or condition.grad.tolist() == [0.0, 0.0]


@given(seed=seeds)
def test_deep_and_shared(seed):
    rng = np.random.default_rng(seed)
    t = Tensor(rng.normal(size=3))
    h = t
    for _ in range(5):
        h = h + h * 0.5
    h.sum().backward()
    np.testing.assert_allclose(t.grad, 1.5**5, rtol=1e-13)


def test_a_long_chain_does_not_recurse():
    t = Tensor(np.zeros(()))
    h = t
    for _ in range(20_000):
        h = h + 1.0
    h.backward()
    assert t.grad == 1.0
    watch = weakref.ref(h)
    del h
    assert watch() is None


def test_a_dropped_graph_dies_at_once():
    gc.disable()
    try:
        x = np.ones((4, 3))
        w, b = Tensor(np.ones((3, 2))), Tensor(np.zeros(2))
        loss = autograd.cross_entropy(autograd.linear(x, w, b).relu(), np.array([0, 1, 0, 1]))
        loss.backward()
        watch = [weakref.ref(loss), weakref.ref(loss.parents[0])]
        del loss
        assert [ref() for ref in watch] == [None, None]
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------- NumPy protocols

NUMPY = {
    "exp": np.exp,
    "maximum": lambda t: np.maximum(t, 0.5),
    "multiply": lambda t: np.multiply(np.ones(3), t),
    "scalar first": lambda t: np.float64(2.0) * t,
    "array first": lambda t: np.ones(3) / t,
    "matmul": lambda t: np.ones((2, 2)) @ t,
    "sum": lambda t: np.sum(t, axis=0),
    "mean": lambda t: np.mean(t, axis=1, keepdims=True),
    "max": np.max,
    "var": np.var,
    "concatenate": lambda t: np.concatenate([t, np.zeros((1, 3))]),
    "stack": lambda t: np.stack([t, t], axis=1),
    "where": lambda t: np.where(np.ones(3, bool), t, 0.0),
    "einsum": lambda t: np.einsum("ij,kj->ik", t, np.ones((2, 3))),
    "reshape": lambda t: np.reshape(t, (3, 2)),
    "transpose": np.transpose,
    "clip": lambda t: np.clip(t, 0.2, 0.8),
    "norm": np.linalg.norm,
    "pad": lambda t: np.pad(t, 1),
    "cumsum": lambda t: np.cumsum(t, axis=1),
    "dot": lambda t: np.dot(t, np.ones(3)),
    "expand_dims": lambda t: np.expand_dims(t, 0),
    "take_along_axis": lambda t: np.take_along_axis(t, np.array([[0], [1]]), axis=1),
    "split": lambda t: np.split(t, 3, axis=1)[1],
    "flip": lambda t: np.flip(t, 0),
}


@pytest.mark.parametrize("f", NUMPY.values(), ids=NUMPY.keys())
def test_numpys_functions_record(f):
    x = np.random.default_rng(0).random((2, 3)) + 0.1
    t = Tensor(x)
    out = f(t)
    assert isinstance(out, Tensor)
    np.testing.assert_allclose(out.data, f(x), rtol=1e-14)
    out.sum().backward()
    assert t.grad is not None


def test_questions_are_answered_with_arrays():
    t = Tensor([[1.0, 3.0]])
    assert np.argmax(t) == 1
    assert np.shape(t) == (1, 2)
    assert np.isfinite(t).all()
    assert np.allclose(t, [[1.0, 3.0]])
    assert type(np.zeros_like(t)) is np.ndarray


def test_what_cannot_record_is_refused():
    t = Tensor([1.0, 2.0])
    for action in (
        lambda: np.fft.fft(t),
        lambda: np.add.reduceat(t, [0, 1]),
        lambda: np.exp(t, out=np.zeros(2)),
        lambda: np.asarray(t),
        lambda: math.exp(Tensor(np.array(1.0))),
        lambda: t * "a",
        lambda: t * (np.ones(2) * 1j),
    ):
        with pytest.raises(TypeError):
            action()
    with pytest.raises(TypeError, match=r"data\[index\]"):
        t[0] = 1.0


# ----------------------------------------------------------------------------------------- safety of saved arrays


def test_results_are_read_only():
    out = Tensor([1.0]) * 2.0
    with pytest.raises(ValueError, match="read-only"):
        out.data[0] = 5.0
    with pytest.raises(TypeError, match="computed by mul"):
        out.data = np.zeros(1)
    with pytest.raises(ValueError, match="read-only"):
        Tensor([1.0]).detach()[0] = 2.0


def test_a_saved_constant_cannot_change_until_backward():
    w, x = Tensor(np.ones((3, 1))), np.ones((2, 3))
    loss = (x @ w).sum()
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 5.0
    loss.backward()
    x[0] = 5.0  # the graph has run backward
    loss = (x @ w).sum()
    del loss
    x[0] = 7.0  # the graph is gone


def test_a_view_protects_its_owner():
    data = np.ones((10, 3))
    w = Tensor(np.ones((3, 1)))
    first, second = (data[:5] @ w).sum(), (data[5:] @ w).sum()
    with pytest.raises(ValueError, match="read-only"):
        data[0] = 5.0
    first.backward()
    second.backward()
    data[0] = 5.0


def test_an_unsaved_constant_may_change():
    w, x = Tensor(np.ones(3)), np.ones(3)
    loss = (w + x).sum()  # a sum does not read its operands again
    x[0] = 5.0
    loss.backward()
    assert w.grad.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_a_leaf_changed_before_backward_is_noticed(update):
    w = Tensor([1.0, 2.0], label="w")
    loss = (w * w).sum()
    update(w)
    with pytest.raises(RuntimeError, match=r"mul.*\(2,\).*changed"):
        loss.backward()
    assert [w.grad] == [None]
    (w * w).sum().backward()  # a new graph is right again
    np.testing.assert_allclose(w.grad, 2 * w.data)


def test_another_array_in_place_of_a_read_only_one_is_noticed():
    w = Tensor([1.0, 2.0])
    w.data.setflags(write=False)
    loss = (w * w).sum()
    w.data = [5.0, 6.0]
    with pytest.raises(RuntimeError, match=r"mul.*\(2,\).*changed"):
        loss.backward()


def test_only_leaves_are_updated():
    w = Tensor([1.0])
    with pytest.raises(TypeError, match="computed by mul"):
        (w * 2.0).update(lambda array: array.fill(0.0))
    w.data.setflags(write=False)
    with pytest.raises(ValueError, match=r"shape \(1,\) is read-only, so it cannot be updated in place"):
        w.update(lambda array: array.fill(0.0))
    for dtype in (int, np.float16, complex):
        with pytest.raises(TypeError, match=f"float32 or float64, not {np.dtype(dtype)}"):
            w.astype(dtype)


def test_what_an_update_keeps_is_read_only_also_after_an_error():
    w, kept = Tensor([1.0, 2.0]), []

    def failing(array):
        kept.append(array)
        array[0] = 5.0
        raise KeyError("half way")

    loss = (w * w).sum()
    with pytest.raises(KeyError):
        w.update(failing)
    with pytest.raises(ValueError, match="read-only"):
        kept[0][1] = 5.0
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()
    assert w.tolist() == [5.0, 2.0]


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_a_leaf_may_change_after_backward(update):
    w = Tensor([1.0, 2.0])
    for _ in range(3):
        loss = (w * w).sum()
        loss.backward()
        update(w)
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()  # but the old graph notices the change


def test_reading_a_leaf_is_harmless():
    w = Tensor([1.0, 2.0])
    loss = (w * w).sum()
    assert w.data[0] == 1.0
    assert w.data.flags.writeable
    loss.backward()
    assert w.grad.tolist() == [2.0, 4.0]


def test_an_old_alias_cannot_slip_by():
    w = Tensor([1.0, 2.0])
    alias = w.data
    loss = (w * w).sum()
    with pytest.raises(ValueError, match="read-only"):
        alias[0] = 9.0
    loss.backward()


class Lent:
    """Memory that another library lends: NumPy cannot make it writable again once it is read-only."""

    def __init__(self, numbers):
        self.own = np.array(numbers)
        self.__array_interface__ = self.own.__array_interface__


def read_only(x):
    x.setflags(write=False)
    return x


OPERANDS = {  # what a graph reads, from an array that the program can write to
    "itself": lambda x: x,
    "reversed": lambda x: x[::-1],
    "a view of a view": lambda x: x.reshape(2, 2)[:, ::-1][:, ::-1].reshape(4),
    "a read-only view": lambda x: read_only(x[:]),
    "broadcast": lambda x: np.broadcast_to(x, (3, 4)),
}


either_memory = pytest.mark.parametrize("lend", [np.array, lambda x: np.asarray(Lent(x))], ids=["NumPy's", "lent"])


@either_memory
@pytest.mark.parametrize("view", OPERANDS)
@pytest.mark.parametrize("target", ["leaf", "constant", "view"])
def test_no_write_goes_unnoticed(view, lend, target):
    """What is written between forward and backward raises at once or at backward, also where another graph has run.

    When the graphs are gone, everything may be written to that could be before.
    """
    for run_first in (False, True):
        base, w = lend([0.5, np.nan, -1.0, 2.0]), Tensor(np.arange(1.0, 5.0))
        operand = OPERANDS[view](base)
        array = {"leaf": w.data, "constant": base, "view": operand}[target]
        if not array.flags.writeable:
            return
        losses = [(w * operand * w).sum() for _ in range(2)]
        if run_first:
            losses.pop(0).backward()
        try:
            array[2] = 7.0
        except ValueError:
            for loss in losses:
                w.grad = None
                loss.backward()
                np.testing.assert_array_equal(w.grad, (2 * w.data * operand).reshape(-1, 4).sum(axis=0))
        else:
            for loss in losses:
                with pytest.raises(RuntimeError, match=r"mul.*changed"):
                    loss.backward()
        del loss, losses
        array[2] = 7.0


@either_memory
@pytest.mark.parametrize("view", OPERANDS)
def test_nothing_but_writing_is_refused(view, lend):
    """Backward of memory that nobody wrote to gives the gradient, nan or not; then it may be written to."""
    base = lend([1.0, np.nan, -1.0, 2.0])
    operand = OPERANDS[view](base)
    w = Tensor(np.arange(1.0, 5.0))
    for _ in range(2):
        first, second = [(w * operand * w).sum() for _ in range(2)]
        w.data  # somebody looks
        for loss in (first, second):
            w.grad = None
            loss.backward()
            np.testing.assert_array_equal(w.grad, (2 * w.data * operand).reshape(-1, 4).sum(axis=0))
        base[0] += 1.0


def test_a_write_to_lent_memory_is_noticed():
    base = np.asarray(Lent([1.0, 2.0]))
    w = Tensor([1.0, 2.0])
    loss = (w * base).sum()
    base[0] = 5.0  # NumPy cannot prevent it
    with pytest.raises(RuntimeError, match=r"mul.*\(2,\).*changed"):
        loss.backward()


def test_assigning_data():
    w = Tensor(np.ones(3, np.float32))
    given = np.arange(3, dtype=np.float32)
    w.data = given
    given[0] = 7.0  # it is copied
    assert w.tolist() == [0.0, 1.0, 2.0]
    w.data = np.arange(3.0)
    assert w.dtype == np.float32
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
        w.data = np.ones(4)
    assert w.tolist() == [0.0, 1.0, 2.0]


def test_a_refused_assignment_changes_nothing():
    w = Tensor([1.0, 2.0])
    loss = (w * w).sum()
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        w.data = np.ones(3)
    loss.backward()
    assert w.grad.tolist() == [2.0, 4.0]


# ------------------------------------------------------------------------------------------------- modes, copies


def test_no_grad_and_updates_in_place():
    w = Tensor([1.0, 2.0])
    original = w
    with no_grad():
        out = (w * w).sum()
        w -= 0.5
        w *= 2.0
    assert out.is_leaf
    assert original is w
    assert w.tolist() == [1.0, 3.0]
    h = w
    h += 1.0  # while recording, this is an ordinary expression
    assert h is not w
    assert h.op is autograd.add
    assert w.tolist() == [1.0, 3.0]


def test_copies_and_pickles_of_leaves_only():
    t = Tensor(np.ones(2, np.float32), label="t")
    t.grad = np.ones(2, np.float32)
    for twin in (copy.copy(t), copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert twin.tolist() == [1.0, 1.0]
        assert (twin.dtype, twin.label) == (np.float32, "t")
        assert twin._raw is not t._raw
    with pytest.raises(TypeError, match="computed by mul"):
        copy.deepcopy(t * t)


def test_rows_survive_copies():
    assert copy.deepcopy(autograd.exp) is autograd.exp
    assert pickle.loads(pickle.dumps(autograd.exp)) is autograd.exp


def test_views_of_guarded_memory_are_forgotten_when_they_are_gone():
    """A living graph guards the data set. The batches that are sliced from it must not pile up."""
    data, w = np.ones((100, 3)), Tensor(np.ones(3))
    kept, others = (data[:10] @ w).sum(), []
    for _ in range(200):
        (data[10:20] @ w).sum().backward()
        others += [np.empty(0) for _ in range(20)]  # one of them where the batch was: the next one has another id
    memory = memory_of(data)
    assert memory and memory.views and len(memory.views) < 40
    with pytest.raises(ValueError, match="read-only"):  # what the others did does not matter: one graph still waits
        data[0, 0] = 2.0
    kept.backward()
    data[0, 0] = 2.0


def test_a_graph_that_is_dropped_waits_for_nothing():
    data, w = np.ones((4, 3)), Tensor(np.ones(3))
    loss = (data @ w).sum()
    (data @ w).sum()  # dropped, without backward
    loss.backward()
    data[0, 0] = 2.0


def test_a_leaf_given_away_while_a_graph_waits_is_compared():
    """While a graph waits for an array, the array is read-only. When the program reads `data`, a copy is kept."""
    w = Tensor([1.0, 2.0])
    loss = (w * w).sum()
    array = w.data
    loss.backward()  # only looked at
    assert w.grad.tolist() == [2.0, 4.0]
    v = Tensor([1.0, 2.0])
    loss = (v * v).sum()
    v.data[0] = 5.0
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()
    loss = (w * w).sum()
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5.0
    loss.backward()


def test_a_leaf_is_copied_only_where_a_graph_might_need_it():
    w = Tensor([1.0, 2.0])
    w.data
    assert memory_of(w._raw) is None  # no graph has read it
    loss = (w * w).sum()
    memory = memory_of(w._raw)
    assert memory and [memory.snapshot] == [None]
    array = w.data
    assert memory.snapshot is not None
    loss.backward()
    array[0] = 5.0  # after backward, writing is allowed
    nn.SGD([w], lr=0.1).step()
    assert memory.snapshot is None  # the graph can never run again
    w.data
    assert memory.version == 1
    del loss
    assert memory_of(w._raw) is None


def test_graphs_that_wait_for_different_versions():
    """After an update, older graphs cannot run. Newer graphs are protected as usual."""
    w = Tensor([1.0, 2.0])
    old = (w * w).sum()
    w.data[0] = 3.0
    new = (w * w).sum()
    with pytest.raises(ValueError, match="read-only"):
        w._raw[0] = 7.0
    with pytest.raises(RuntimeError, match="changed"):
        old.backward()
    new.backward()
    assert w.grad.tolist() == [6.0, 4.0]
    w._raw[0] = 7.0  # the old graph still exists, but waits for nothing


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_a_graph_of_an_old_version_that_goes_leaves_the_new_one_protected(update):
    w = Tensor([1.0, 2.0])
    old = (w * w).sum()
    update(w)
    alias, new = w._raw, (w * w).sum()
    del old
    with pytest.raises(ValueError, match="read-only"):
        alias[0] = 7.0
    new.backward()
    np.testing.assert_array_equal(w.grad, 2 * w.data)


# ---------------------------------------------------------------------------------- NumPy's warnings and contexts


def test_dtypes_come_back_as_they_were():
    x, w = Tensor(np.ones((4, 3), np.float32)), Tensor(np.ones((3, 2)))
    (x @ w).sum().backward()
    autograd.linear(x, w, Tensor(np.ones(2, np.float32))).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (np.float32, np.float64)


def test_no_warnings_and_none_lost():
    x = Tensor([0.0, 1.0])
    assert np.isneginf(x.log().data[0])
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(np.zeros(1))


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
    scale = ContextVar("scale", default=0.0)
    op = autograd.custom_op(lambda x: scale.get() * x, lambda g, out, x: scale.get() * g, name="scaled")
    scale.set(3.0)
    x = Tensor([2.0])
    y = op(x)
    y.sum().backward()
    assert (y.data.tolist(), x.grad.tolist()) == ([6.0], [3.0])
    with no_grad():
        assert op(x).data.tolist() == [6.0]


def test_a_gradient_can_be_written_to_whatever_a_rule_returns():
    """Optimisers scale gradients in place."""
    fixed = np.ones(3)
    fixed.setflags(write=False)
    operation = autograd.custom_op(lambda x: 1.0 * x, lambda g, out, x: fixed, name="fixed")
    x = Tensor(np.zeros(3))
    operation(x).sum().backward()
    assert x.grad is not None and x.grad is not fixed
    x.grad *= 2.0
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_a_gradient_is_an_array_that_may_be_written_to():
    """A row's rule may return an array that nobody can write to."""
    fixed = np.full(3, 2.0)
    fixed.setflags(write=False)
    twice = Linear("twice", lambda x: 2 * x, lambda g, x: fixed, doc="Twice its operand.")
    x = Tensor([1.0, 2.0, 3.0])
    twice(x).backward(np.ones(3))
    x.grad *= 5.0
    assert x.grad.tolist() == [10.0, 10.0, 10.0] and fixed.tolist() == [2.0, 2.0, 2.0]
