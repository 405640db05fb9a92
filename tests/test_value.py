"""`Value`: the behaviour of a scalar node. Graphs of any depth and sharing give the right gradient."""

import contextlib
import copy
import gc
import inspect
import itertools
import math
import operator
import pickle
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Tensor, Value, anomaly, grad, hvp, no_grad
from autograd.ops.rows import Elementwise, Reduction

small = st.floats(-4, 4)


def test_micrograd_readme():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert g.data == 24.70408163265306
    assert math.isclose(a.grad, 138.83381924198252, rel_tol=1e-15)
    assert math.isclose(b.grad, 645.5772594752186, rel_tol=1e-15)


# ------------------------------------------------------------------------------------------------- random graphs

UNARY = ["neg", "tanh", "sigmoid", "sin", "exp", "relu", "softplus", "square", "abs"]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "hypot", "div"]
programs = st.lists(
    st.tuples(st.sampled_from(UNARY + BINARY), st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=14
)


def run(program, leaves):
    """Run instructions as a graph. Operands count back from the newest node, so nodes are shared."""
    nodes = list(leaves)
    for name, i, j in program:
        x, y = nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]
        out = getattr(autograd, name)(*((x,) if name in UNARY else (x, y)))
        number = autograd.ops.detach(out)
        if not np.all(np.isfinite(number)) or np.any(np.abs(number) > 1e3):
            continue
        nodes.append(out)
    return autograd.sum(nodes[len(leaves) :] or nodes[:1])


def reverse_by_hand(program, leaves):
    """An independent evaluation: the program in forward mode on (number, slope) pairs, one leaf at a time."""
    slopes = []
    for k in range(len(leaves)):
        nodes = [(x, 1.0 if i == k else 0.0) for i, x in enumerate(leaves)]
        for name, i, j in program:
            chosen = [nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]][: 1 if name in UNARY else 2]
            row = autograd.ops.ROWS[name]
            assert isinstance(row, Elementwise)
            numbers = [x for x, _ in chosen]
            out = row(*numbers)
            if not math.isfinite(out) or abs(out) > 1e3:
                continue
            slope = sum(float(d(np.float64(out), *map(np.float64, numbers))) * t
                        for d, (_, t) in zip(row.partials, chosen, strict=True) if d)  # fmt: skip
            nodes.append((out, slope))
        slopes.append(sum(t for _, t in (nodes[len(leaves) :] or nodes[:1])))
    return slopes


leaf_numbers = st.lists(st.integers(-8, 8).map(lambda n: n / 4 + 0.0625), min_size=1, max_size=3)


@given(program=programs, numbers=leaf_numbers)
def test_random_graphs(program, numbers):
    leaves = [Value(x) for x in numbers]
    loss = run(program, leaves)
    loss.backward()
    expected = reverse_by_hand(program, numbers)
    got = [x.grad for x in leaves]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)

    tensors = [Tensor(np.array(x)) for x in numbers]
    total = run(program, tensors)
    total.backward()
    assert math.isclose(total.item(), loss.data, rel_tol=1e-12, abs_tol=1e-12)
    for x, t in zip(leaves, tensors, strict=True):
        assert math.isclose(x.grad, 0.0 if t.grad is None else t.grad.item(), rel_tol=1e-9, abs_tol=1e-9)

    loss.backward()  # leaves accumulate, results start from 0
    np.testing.assert_allclose([x.grad for x in leaves], [2 * g for g in got], rtol=1e-12)
    assert loss.grad == 1.0


@given(numbers=st.lists(small, min_size=1, max_size=5), other=small)
def test_dot_equals_its_chain(numbers, other):
    w, x, b = [Value(n) for n in numbers], [Value(n * 0.5 + 1) for n in numbers], Value(other)
    node = autograd.dot(w, x, b)
    node.backward()
    grads = [v.grad for v in (*w, *x, b)]
    for v in (*w, *x, b):
        v.grad = 0.0
    chain = sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)
    chain.backward()
    assert math.isclose(node.data, chain.data, rel_tol=1e-12, abs_tol=1e-12)
    np.testing.assert_allclose(grads, [v.grad for v in (*w, *x, b)], rtol=1e-12)


def test_dot_takes_constants_and_shared_values():
    x = Value(3.0)
    out = autograd.dot([x, x], [x, 2.0])
    out.backward()
    assert (out.data, x.grad) == (15.0, 8.0)
    with pytest.raises(ValueError, match="2 and 1"):
        autograd.dot([x, x], [1.0])
    assert autograd.dot([1.0, 2.0], [x, x]).data == 9.0


REDUCTIONS = [row for row in autograd.ops.ROWS.values() if isinstance(row, Reduction)]


@pytest.mark.parametrize("row", REDUCTIONS, ids=lambda row: row.name)
def test_a_reduction_of_values_is_that_of_an_array(row):
    """With all its parameters, in the number and in two orders. A sequence has one axis, and a Value has none."""
    numbers, direction = [0.5, -1.5, 2.0, 0.25], [1.0, -2.0, 0.5, 3.0]
    spellings: list[dict] = [
        {},
        {"axis": 0},
        {"axis": -1},
        {"axis": (0,)},
        *([{"ddof": 1}] if "ddof" in row.params else []),
    ]
    for params in spellings:
        values, tensor = [Value(x) for x in numbers], Tensor(numbers)
        out, expected = row(values, **params), row(tensor, **params)
        out.backward()
        expected.backward()
        np.testing.assert_allclose(out.data, expected.item(), rtol=1e-14)
        np.testing.assert_allclose([x.grad for x in values], tensor.grad, rtol=1e-13)
        slope = grad(lambda xs, params=params: row(xs, **params))
        second = grad(lambda xs, slope=slope: autograd.dot(slope(xs), direction))(numbers)
        expected = hvp(lambda t, params=params: row(t, **params), np.array(numbers), np.array(direction))
        np.testing.assert_allclose(second, expected, rtol=1e-12, atol=1e-14)
    for wrong in ({"axis": 1}, {"axis": (0, 1)}, {"keepdims": True}):
        with pytest.raises(ValueError, match=f"{row.name} of a sequence of Values has one axis"):
            row([Value(x) for x in numbers], **wrong)
    for axis in (0, -1, (0,)):
        with pytest.raises(ValueError, match="0 dimensions"):
            row(Value(2.0), axis=axis)


def test_rows_of_arrays_refuse_values():
    for name in ("transpose", "cumsum", "matmul", "einsum", "dot"):
        row = autograd.ops.ROWS[name]
        with pytest.raises(TypeError, match=f"{name} works on arrays and Tensors, not on a Value"):
            row(*[Value(2.0)] * max(1, row.arity))


def test_sharing_and_sweeps_from_two_roots():
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3.0, shared + x
    first.backward()
    second.backward()
    assert x.grad == 12.0 + 5.0
    assert shared.grad == 1.0  # of the last sweep


def test_backward_of_a_leaf_and_of_itself_twice():
    x = Value(2.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0
    y = x * x * x
    y.backward()
    y.backward()
    assert x.grad == 2.0 + 24.0


# ---------------------------------------------------------------------------------------------------- operators

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
by_operator = pytest.mark.parametrize("f", OPERATORS, ids=lambda f: f.__name__)
NUMBERS: list = [3, 3.0, True, np.float32(3), np.int8(3), np.array(3.0)]
SIDES = {"left": lambda f, x, y: f(Value(x), y), "right": lambda f, x, y: f(x, Value(y)),
         "both": lambda f, x, y: f(Value(x), Value(y))}  # fmt: skip


@by_operator
@pytest.mark.parametrize("context", [contextlib.nullcontext, no_grad, anomaly])
def test_a_number_on_either_side_in_any_mode(f, context):
    for number, left in itertools.product(NUMBERS, (True, False)):
        x = Value(2.5)
        with context():
            out = f(number, x) if left else f(x, number)
            at = [float(number), 2.5 + 1e-30j] if left else [2.5 + 1e-30j, float(number)]
            assert math.isclose(out.data, f(*at).real, rel_tol=1e-15)
            assert out.is_leaf == (context is no_grad)
            if not out.is_leaf:
                assert [type(operand) is Value for operand in out.operands] == [not left, left]
                out.backward()
                assert math.isclose(x.grad, f(*at).imag / 1e-30, rel_tol=1e-14)


@by_operator
@pytest.mark.parametrize("side", SIDES)
def test_arithmetic_never_raises(f, side):
    """Where Python's floats raise, the result is NumPy's."""
    special = [0.0, -0.0, 1.0, -1.0, 0.5, -8.0, 1e200, math.inf, -math.inf, math.nan]
    for x, y in itertools.product(special, special):
        with np.errstate(all="ignore"):
            expected = f(np.float64(x), np.float64(y))
        for context in (contextlib.nullcontext(), no_grad()):
            with context:
                out = SIDES[side](f, x, y)
            np.testing.assert_array_equal(out.data, expected)


METHODS = [row for row in autograd.ops.ROWS.values()
           if isinstance(row, Elementwise) and row.arity == 2 and hasattr(Value, row.name)]  # fmt: skip


@pytest.mark.parametrize("row", METHODS, ids=lambda row: row.name)
def test_an_operand_by_name(row):
    _, name = inspect.signature(getattr(Value, row.name)).parameters
    method = getattr(Value(0.5), row.name)
    assert method(**{name: 0.25}).data == method(0.25).data == row(0.5, 0.25)
    for args, named in [
        ((0.25,), {name: 0.25}),
        ((0.25,), {"nonsense": 0.25}),
        ((), {"nonsense": 0.25}),
        ((1.0, 2.0), {}),
    ]:
        with pytest.raises(TypeError):
            method(*args, **named)


# ------------------------------------------------------------------------------------------- depth, cycles, memory


def test_a_million_additions():
    n = 1_000_000
    x = Value(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    assert y.data == n + 1
    y.backward()
    assert x.grad == 1.0
    assert sys.getsizeof(y) <= 120  # one tracked object per node, without its two floats
    watch = weakref.ref(y)
    del y
    assert watch() is None


def test_a_dropped_graph_dies_at_once():
    gc.disable()
    try:
        x = Value(1.0)
        loss = autograd.sum([(x * i).tanh() + autograd.dot([x], [x]) for i in range(10)])
        loss.backward()
        watch = [weakref.ref(loss), weakref.ref(loss.parents[0])]
        del loss
        assert [w() for w in watch] == [None, None]
        assert gc.collect() == 0 or not any(isinstance(o, Value) for o in gc.garbage)
    finally:
        gc.enable()


# -------------------------------------------------------------------------------------------------------- manners


@pytest.mark.parametrize("x", [3, np.float32(3), np.int8(3), np.array(3), np.array(3.0), True + 2])
def test_numbers_become_floats(x):
    assert type(Value(x).data) is float
    assert type((Value(1.0) + x).data) is float
    v = Value(0.0)
    v.data = x
    assert type(v.data) is float
    assert v.data == 3.0


@pytest.mark.parametrize(
    ("x", "named"),
    [("3", "str '3'"), (None, "NoneType"), (1j, "complex"), ([1.0], "list"), (np.ones(2), r"shape \(2,\)")],
)
def test_anything_else_is_refused_by_name(x, named):
    with pytest.raises(TypeError, match=named):
        Value(x)
    if not isinstance(x, (list, np.ndarray)):
        with pytest.raises(TypeError, match=named):
            Value(1.0) * x
    v = Value(1.0)
    with pytest.raises(TypeError, match=named):
        v.data = x
    assert v.data == 1.0


def test_leaving_the_graph_is_refused():
    v = Value(1.0)
    for leave in (math.exp, float, int, lambda v: np.array([v], dtype=float)):
        with pytest.raises(TypeError, match=r"Value|autograd\.exp"):
            leave(v)
    with pytest.raises(TypeError, match="one kind"):
        Tensor([1.0]) * v


def test_repr_label_and_identity():
    v = Value(2.0, label="w")
    assert repr(v) == "Value(data=2.0, grad=0.0, label='w')"
    assert Value(2.0).label == ""
    same = v
    for kind, twin in ((Value, Value(2.0)), (Value, v * 1.0), (str, "w"), (bytes, b"w"), (type(None), None)):
        assert isinstance(twin, kind)
        assert (v == twin) is (twin == v) is False
        assert (v != twin) is (twin != v) is True
    assert (v == same) is True
    assert (v != same) is False
    for number in (2, 2.0, np.float64(2.0), np.array(2.0)):
        assert v == number and number == v
        assert not (v != number or number != v)
        assert v != number + 1 and number + 1 != v
    assert (v == np.array([2.0, 3.0])).tolist() == [True, False]
    assert (v != np.array([2.0, 3.0])).tolist() == [False, True]
    assert len({v, Value(2.0)}) == 2
    assert v < 3 and v >= 2.0 and v <= Value(2.0)
    assert bool(Value(0.0)) is False


def test_node_protocol():
    x, y = Value(2.0), Value(3.0)
    out = x * y
    assert out.op is autograd.mul
    assert out.operands == out.parents == (x, y)
    assert (5.0 - x).operands == (5.0, x)
    assert (5.0 - x).parents == (x,)
    assert x.op is None and x.operands == () and x.is_leaf
    assert autograd.clip(x, 0.0, 1.0).operands == (x, 0.0, 1.0)
    assert autograd.sum([x, y]).params == {}


def test_copies_and_pickles_of_leaves_only():
    x = Value(2.0, label="x")
    x.grad = 5.0
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert (twin.data, twin.grad, twin.label, twin.is_leaf) == (2.0, 5.0, "x", True)
        assert twin is not x
    with pytest.raises(TypeError, match="computed by mul"):
        copy.deepcopy(x * x)
    with pytest.raises(TypeError, match="computed by mul"):
        pickle.dumps(x * x)


def test_no_grad_and_detach():
    x = Value(2.0)
    with no_grad():
        y = x * x + x.exp()
        with no_grad():
            pass
        z = autograd.dot([x], [x])
        each = [x.exp(), -x, x * x, x * 2.0, 2.0 - x, x.maximum(0.5), autograd.sum([x, x]), autograd.clip(x, 0.0, 1.0)]
    assert y.is_leaf and z.is_leaf and all(out.is_leaf for out in each)
    assert (x * x).op is autograd.mul

    @no_grad()
    def f(x):
        return x * x

    assert f(x).is_leaf and f(x).is_leaf
    assert x.detach() == 2.0
    (x.detach() * x).backward()
    assert x.grad == 2.0


def test_no_grad_is_per_thread():
    entered, done = threading.Event(), threading.Event()

    def quiet():
        with no_grad():
            entered.set()
            done.wait(10)

    thread = threading.Thread(target=quiet)
    thread.start()
    entered.wait(10)
    assert not (Value(1.0) * 2.0).is_leaf
    done.set()
    thread.join()


def test_threads_on_separate_graphs():
    results = {}

    def work(k):
        x = Value(1.0 + k)
        for _ in range(200):
            x.grad = 0.0
            (x * x).sigmoid().backward()
        results[k] = x.grad

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, found in results.items():
        x = Value(1.0 + k)
        (x * x).sigmoid().backward()
        assert found == x.grad


def test_threads_that_share_leaves_take_turns_or_use_transformations():
    w, lock, grads = Value(2.0), threading.Lock(), []

    def work(k):
        for _ in range(100):
            loss = (w * float(k)).tanh() * w
            with lock:
                loss.backward()
        grads.append(autograd.grad(lambda w: w * w * float(k), create_graph=False)(w))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    alone = 0.0
    for k in range(4):
        x = Value(2.0)
        ((x * float(k)).tanh() * x).backward()
        alone += 100 * x.grad
    assert math.isclose(w.grad, alone, rel_tol=1e-12)
    assert sorted(grads) == [0.0, 4.0, 8.0, 12.0]


# ---------------------------------------------------------------------------------------------------------- NumPy


def test_numpy_scalars_keep_the_graph():
    x = Value(3.0)
    out = np.float64(2) * x + np.int64(1)
    assert isinstance(out, Value)
    out.backward()
    assert x.grad == 2.0
    for f in (np.exp, np.tanh, np.log, np.abs, np.arctan, np.negative):
        v = f(x)
        assert isinstance(v, Value)
        assert math.isclose(v.data, f(3.0))


def test_arrays_of_values():
    w = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([0.5, -1.0])
    out = (np.tanh(w @ x)).sum()
    assert isinstance(out, Value)
    out.backward()
    expected = (1 - np.tanh(np.array([[1.0, 2.0], [3.0, 4.0]]) @ x) ** 2)[:, None] * x
    np.testing.assert_allclose([[v.grad for v in row] for row in w], expected, rtol=1e-13)

    scaled = x * Value(2.0)
    assert scaled.dtype == object
    assert [v.data for v in scaled] == [1.0, -2.0]
    differences: Any = Value(2.0) - x  # of an array: its elements, one by one
    assert [v.data for v in differences] == [1.5, 3.0]
    assert [v.data for v in np.arcsin(np.array([Value(0.0), Value(1.0)]))] == [0.0, math.pi / 2]
    assert [v.data for v in np.log(np.array([Value(0.0), Value(1.0)]))] == [-math.inf, 0.0]  # without a warning
    assert [v.data for v in autograd.maximum(np.array([Value(0.0), Value(9.0)]), 1.0)] == [1.0, 9.0]
