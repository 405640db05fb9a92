"""`vectorize` without shapes: they come from the calls, and all programs train one set of arrays."""

import gc
import math
import weakref

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import nn
from autograd import Tensor, Value, grad, ops, vectorize
from autograd.vectorizing import TraceError

LETTERS, WIDTH = 5, 3


def model():
    """A table, weights, and a loss of letters and their weights, of any length."""
    rng = np.random.default_rng(0)
    table = [[Value(x) for x in row] for row in rng.normal(size=(LETTERS, WIDTH))]
    w = [Value(x) for x in rng.normal(size=WIDTH)]

    def loss(letters, options, kind="tanh"):
        scores = [sum(a * b for a, b in zip(table[k], w, strict=True)) for k in letters]
        out = [getattr(s, kind)() * c for s, c in zip(scores, options["weights"], strict=True)]
        return {"each": out, "sum": sum(out) + options["shift"]}

    return loss, [*(v for row in table for v in row), *w]


CALLS = st.tuples(
    st.integers(1, 4), st.integers(0, 3), st.sampled_from(["tanh", "exp"]), st.booleans(), st.integers(0, 99)
)


@given(st.lists(CALLS, min_size=1, max_size=6), st.sampled_from([np.float64, np.float32]))
@settings(max_examples=25, deadline=None)
def test_any_calls_give_and_train_what_values_do(calls, dtype):
    near = 1e-9 if dtype == np.float64 else 1e-4
    (f, trained), (twin, own) = model(), model()
    fast = vectorize(f, dtype=dtype)
    for length, count, kind, single, seed in calls:
        rng = np.random.default_rng(seed)
        letters, weights = rng.integers(0, LETTERS, (count, length)), rng.normal(size=(count, length))
        shift = rng.normal(size=count)
        if single:
            letters, weights, shift = rng.integers(0, LETTERS, (1, length)), rng.normal(size=(1, length)), np.ones(1)
            out = fast(letters[0].tolist(), {"weights": weights[0].tolist(), "shift": 1.0}, kind=kind)
            found = {key: x.data[None] for key, x in out.items()}
        else:
            out = fast(letters, options={"weights": weights.astype(dtype), "shift": shift}, kind=kind)
            found = {key: x.data for key, x in out.items()}
        rows = zip(letters.tolist(), weights.tolist(), shift.tolist(), strict=True)
        slow = [twin(k, {"weights": c, "shift": s}, kind) for k, c, s in rows]
        assert found["each"].shape == (len(slow), length)
        np.testing.assert_allclose(found["sum"], [x["sum"].data for x in slow], near, near)
        numbers = [[y.data for y in x["each"]] for x in slow]
        np.testing.assert_allclose(found["each"], np.reshape(numbers, found["each"].shape), near, near)
        mine, other = nn.SGD(fast.parameters(), lr=0.01), nn.SGD(own, lr=0.01)
        mine.zero_grad()
        other.zero_grad()
        out["sum"].sum().backward()
        ops.sum([x["sum"] for x in slow] or [Value(0.0)]).backward()
        mine.step()
        other.step()
    fast.sync()
    np.testing.assert_allclose([v.data for v in trained], [v.data for v in own], near, near)
    assert len(fast.parameters()) == 2
    wanted = {(length, kind, single) for length, _, kind, single, _ in calls}
    assert len(fast.programs) == len({(length, kind) for length, kind, _ in wanted})


def test_a_program_is_kept():
    runs = []
    w = Value(2.0)

    @vectorize
    def f(x):
        """Twice."""
        runs.append(x)
        return w * x

    assert f(np.ones(3)).tolist() == [2.0] * 3
    count = len(runs)
    assert (f(np.ones(5)).shape, f(1.5).item(), f(np.float64(1.5)).shape, len(runs)) == ((5,), 3.0, (), count)
    assert (f.__name__, f.__doc__, repr(f)) == ("f", "Twice.", "<vectorized f: 1 program>")
    assert f.source.startswith("# x (batch,): float64\ndef forward(x, b1):")
    assert str(f.report()).startswith("x (batch,): float64\ntraced ")


def test_gradients_flow_to_inputs():
    w = Value(2.0)
    f = vectorize(lambda x: w * x * x)
    x = Tensor([1.0, 3.0])
    f(x).sum().backward()
    assert x.grad.tolist() == [4.0, 12.0]
    assert grad(lambda x: f(x).sum())(np.ones(2)).tolist() == [4.0, 4.0]


def test_sync_gather_and_zero_grad_are_those_of_all_programs():
    w, u = Value(2.0), Value(3.0)
    f = vectorize(lambda x: [w * a for a in x] if len(x) < 3 else [w * u * a for a in x])
    with pytest.raises(RuntimeError, match="call it once first"):
        f.parameters()
    f([1.0])
    optimizer = nn.SGD(f.parameters(), lr=1.0)
    with pytest.warns(RuntimeWarning, match=r"needs Values that parameters\(\) did not have before \(b2\)"):
        out = f(np.ones((1, 3)))
    out.sum().backward()
    assert len(optimizer.parameters) == 1
    with f.sync() as inner:
        assert inner is f
        for p in f.parameters():
            p.data = p.data + 1
    assert (w.data, u.data) == (3.0, 4.0)
    assert (w.grad, u.grad) == (9.0, 6.0)
    w.data = 5.0
    f.gather()
    f.zero_grad()
    assert [(name, p.item(), p.grad) for name, p in f.named_parameters("f")] == [
        ("f.b1", 5.0, None),
        ("f.b2", 4.0, None),
    ]


def test_a_whole_loss_without_a_batch():
    w = Value(2.0)
    f = vectorize(lambda xs: sum(w * x for x in xs), batch=False)
    assert f(np.ones(4)).item() == f([1.0] * 4).item() == 8.0
    assert len(f.programs) == 1


def test_whole_numbers_that_choose_from_no_list_have_their_limit_given():
    w = [Value(0.5 * k) for k in range(4)]
    f = vectorize(lambda k: w[(k + 1) % 4], index={"k": 4})
    assert f(np.arange(4)).tolist() == [w[(k + 1) % 4].data for k in range(4)]
    with pytest.raises(ValueError, match=r"index names \['y'\], but the arguments"):
        vectorize(lambda x: x, index={"y": 2})


W = Value(1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f(np.ones(2), 1.0), TypeError, r"numbers or lists \(y\).*with arrays \(x\)"),
        (lambda f: f(1.0, 2), TypeError, "argument 'y' of f holds whole numbers, .* give floats"),
        (lambda f: f("a", None), TypeError, "f was called without numbers"),
        (lambda f: f(np.array(1.0), np.ones(2)), ValueError, "argument 'x' of f is an array without axes"),
        (lambda f: f([W], 1.0), TypeError, "argument 'x' holds a Value: call f itself"),
        (lambda f: f(object(), 1.0), TypeError, "argument 'x' of f takes plain numbers"),
        (lambda f: f(1.0), TypeError, "missing a required argument: 'y'"),
        (lambda f: f(-1.0, 1.0, True), TraceError, "branches on a comparison"),
    ],
)
def test_errors_name_the_argument(call, error, message):
    def f(x, y, branch=False):
        return W * y if branch and x > 0 else W * x * y

    with pytest.raises(error, match=message):
        call(vectorize(f))


def test_a_dtype_follows_the_arrays_and_a_value_has_one():
    w = Value(0.5)
    f = vectorize(lambda x: w * x)
    assert f(np.ones(2, np.float32)).dtype == f(1.0).dtype == np.float32
    with pytest.raises(TypeError, match="give dtype=float32"):
        f(np.ones(2))
    g = vectorize(lambda x: w + x, dtype=np.float32)
    assert g(np.ones(2)).dtype == np.float32
    assert g.parameters() == f.parameters()


def test_it_goes_with_its_arrays():
    f = vectorize(lambda x: [W * a for a in x])
    f([1.0, 2.0])
    f(np.ones((2, 3)))
    gone = [weakref.ref(x) for x in (f, *f.parameters())]
    gc.disable()
    del f
    gc.enable()
    assert [ref() for ref in gone] == [None, None]
    assert math.isclose(W.data, 1.0)


def test_a_transformer_as_it_is_published_trains_one_set_of_numbers_at_all_lengths():
    """Its softmax begins with ``max(x.data for x in logits)``. Each length of document is a program."""
    pytest.importorskip("resource", reason="the benchmarks need it")
    from benchmarks.gpt import GPT, softmax

    model = GPT(Value)

    @vectorize
    def loss(tokens):
        keys: list = []
        values: list = []
        losses = []
        for position in range(len(tokens) - 1):
            p = softmax(model(tokens[position], position, keys, values))
            losses.append(-p[tokens[position + 1]].log())
        return sum(losses) / len(losses)

    documents = [[26, 4, 2, 20, 26], [26, 9, 26], [26, 3, 3, 26], [26, 0, 25, 1, 26]]
    eager, vectorized = [], []
    for document in documents:  # on Values
        out = loss.f(document)
        for p in model.parameters:
            p.grad = 0.0
        out.backward()
        eager.append((out.data, [p.grad for p in model.parameters]))
    for document in documents:
        for p in model.parameters:
            p.grad = 0.0
        out = loss(document)
        for tensor in loss.parameters():
            tensor.grad = None
        out.backward()
        loss.sync()
        vectorized.append((out.item(), [p.grad for p in model.parameters]))
    for (value, gradient), (found, shares) in zip(eager, vectorized, strict=True):
        assert abs(found - value) < 1e-12
        np.testing.assert_allclose(shares, gradient, rtol=1e-9, atol=1e-13)
