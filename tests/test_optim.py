"""`nn.optim`: every update against the published formula, Values against Tensors, resuming, schedules, clipping."""

import math
import pickle
import random
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import Tensor, Value, no_grad
from nn import MLP, optim
from nn.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from nn.optim.schedules import Cosine, Exponential, OneCycle, StepDecay, Warmup

SEEDS = st.integers(0, 2**32)

# ------------------------------------------------------------------------------------------ the published formulas

Steps = Iterator[tuple[int, float, np.ndarray]]
"""Of each update of a parameter: its number from 1, the learning rate, the gradient."""


def book_sgd(p: Any, steps: Steps, momentum: float = 0, nesterov: bool = False, weight_decay: float = 0) -> Any:
    v = 0
    for _, lr, g in steps:
        g = g + weight_decay * p
        v = momentum * v + g
        p = p - lr * (g + momentum * v if nesterov else v)
    return p


def book_adagrad(p: Any, steps: Steps, eps: float = 1e-10, weight_decay: float = 0) -> Any:
    s = 0
    for _, lr, g in steps:
        g = g + weight_decay * p
        s = s + g**2
        p = p - lr * g / (np.sqrt(s) + eps)
    return p


def book_rmsprop(p: Any, steps: Steps, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0) -> Any:
    s = 0
    for _, lr, g in steps:
        g = g + weight_decay * p
        s = alpha * s + (1 - alpha) * g**2
        p = p - lr * g / (np.sqrt(s) + eps)
    return p


def book_adam(
    p: Any,
    steps: Steps,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    decoupled: bool = False,
) -> Any:
    m: Any = 0
    v: Any = 0
    for t, lr, g in steps:
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        p = p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


def book_adamw(p: Any, steps: Steps, weight_decay: float = 0.01, **options: Any) -> Any:
    return book_adam(p, steps, weight_decay=weight_decay, decoupled=True, **options)


BOOK: dict[Any, Any] = {SGD: book_sgd, Adagrad: book_adagrad, RMSprop: book_rmsprop, Adam: book_adam, AdamW: book_adamw}
KINDS = list(BOOK)
each = pytest.mark.parametrize("kind", KINDS)

fractions = st.floats(0, 0.99)
decays = {"weight_decay": st.sampled_from([0.0, 0.01, 0.3])}
epsilons = {"eps": st.floats(1e-10, 0.1)}
OPTIONS: dict[Any, dict[str, Any]] = {
    SGD: {"momentum": fractions, "nesterov": st.booleans(), **decays},
    Adagrad: epsilons | decays,
    RMSprop: {"alpha": fractions} | epsilons | decays,
    Adam: {"betas": st.tuples(fractions, fractions)} | epsilons | decays,
    AdamW: {"betas": st.tuples(fractions, fractions)} | epsilons | decays,
}


@st.composite
def options(draw: Any, kind: Any) -> dict[str, Any]:
    """All, some or none of the options of an optimiser."""
    drawn = draw(st.one_of(st.fixed_dictionaries(OPTIONS[kind]), st.fixed_dictionaries({}, optional=OPTIONS[kind])))
    if not drawn.get("momentum"):
        drawn.pop("nesterov", None)
    return drawn


# All options of each optimiser, for tests about something else.
FULL: dict[Any, dict[str, Any]] = {
    SGD: {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    Adagrad: {"weight_decay": 0.1},
    RMSprop: {"alpha": 0.9, "weight_decay": 0.1},
    Adam: {"betas": (0.8, 0.9), "weight_decay": 0.1},
    AdamW: {"betas": (0.8, 0.9), "weight_decay": 0.1},
}


def full(kind: Any, parameters: Any, lr: Any = 0.1) -> Any:
    return kind(parameters, lr=lr, **FULL[kind])


def updates(grads: list[Any], rates: list[float]) -> Steps:
    """The updates of one parameter. A step without a gradient is not an update."""
    done = [(lr, np.asarray(g, np.float64)) for g, lr in zip(grads, rates, strict=True) if g is not None]
    return ((t, lr, g) for t, (lr, g) in enumerate(done, 1))


def values_like(array: np.ndarray) -> list[Value]:
    return [Value(x) for x in array.ravel().tolist()]


def give(values: list[Value], grad: np.ndarray) -> None:
    for v, g in zip(values, grad.ravel().tolist(), strict=True):
        v.grad = g


# ------------------------------------------------------------------------------------------------------ updates


@each
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@given(
    seed=SEEDS,
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    count=st.integers(1, 6),
    data=st.data(),
)
def test_update_is_the_published_one(kind, dtype, tolerance, seed, shape, count, data):
    chosen = data.draw(options(kind))
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0, 0.2, count).tolist()
    starts = [rng.normal(size=s).astype(dtype) for s in (shape, (3, 2))]  # a second parameter shares the scratch arrays
    tensors = [Tensor(start) for start in starts]
    optimizer = kind(tensors, lr=rates.__getitem__, **chosen)
    history: list[list[Any]] = [[], []]
    for _ in range(count):
        for tensor, grads in zip(tensors, history, strict=True):
            missing = rng.random() < 0.3
            grads.append(None if missing else (rng.normal(size=tensor.shape) * 10 ** rng.uniform(-2, 2)).astype(dtype))
            tensor.grad = grads[-1]
        optimizer.step()
    for tensor, start, grads in zip(tensors, starts, history, strict=True):
        expected = BOOK[kind](start.astype(np.float64), updates(grads, rates), **chosen)
        assert tensor.dtype == dtype
        scale = tolerance * max(1.0, np.abs(expected).max(initial=0.0))
        np.testing.assert_allclose(tensor.data, expected, rtol=0, atol=scale)


def mean(m: Any, x: Any, keep: float) -> Any:
    return m * keep + x * (1 - keep)


def exact_sgd(p, g, lr, t, m, s, momentum=0.0, nesterov=False, weight_decay=0.0):
    g = p * weight_decay + g if weight_decay else g
    m = m * momentum + g
    return p - (m * momentum + g if nesterov else m) * lr, m, s


def exact_adagrad(p, g, lr, t, m, s, eps=1e-10, weight_decay=0.0):
    g = p * weight_decay + g if weight_decay else g
    s = s + g * g
    return p - g / (np.sqrt(s) + eps) * lr, m, s


def exact_rmsprop(p, g, lr, t, m, s, alpha=0.99, eps=1e-8, weight_decay=0.0):
    g = p * weight_decay + g if weight_decay else g
    s = mean(s, g * g, alpha)
    return p - g / (np.sqrt(s) + eps) * lr, m, s


def exact_adam(p, g, lr, t, m, s, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    g = p * weight_decay + g if weight_decay and not decoupled else g
    m, s = mean(m, g, betas[0]), mean(s, g * g, betas[1])
    root = math.sqrt(1 - betas[1] ** t)
    p = p * (1 - lr * weight_decay) if decoupled else p
    return p - m / (np.sqrt(s) + eps * root) * (lr * root / (1 - betas[0] ** t)), m, s


def exact_adamw(*given, weight_decay=0.01, **options):
    return exact_adam(*given, weight_decay=weight_decay, decoupled=True, **options)


EXACT: dict[Any, Any] = {
    SGD: exact_sgd,
    Adagrad: exact_adagrad,
    RMSprop: exact_rmsprop,
    Adam: exact_adam,
    AdamW: exact_adamw,
}
"""The updates in the order of operations in which they are computed, without anything in place."""


@each
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(seed=SEEDS, count=st.integers(1, 6), data=st.data())
def test_an_update_in_place_is_the_same_to_the_bit(kind, dtype, seed, count, data):
    """Training can be repeated only if the order of the operations stays as it is."""
    chosen = data.draw(options(kind))
    rng = np.random.default_rng(seed)
    p = rng.normal(size=(3, 2)).astype(dtype)
    tensor, values = Tensor(p), values_like(p)
    optimizer = kind([tensor, *values], lr=0.1, **chosen)
    q = p.astype(np.float64)  # what the Values hold
    m, s, n, r = np.zeros_like(p), np.zeros_like(p), np.zeros_like(q), np.zeros_like(q)
    for t in range(1, count + 1):
        g = rng.normal(size=p.shape).astype(dtype)
        tensor.grad = g
        give(values, g)
        optimizer.step()
        p, m, s = EXACT[kind](p, g, 0.1, t, m, s, **chosen)
        q, n, r = EXACT[kind](q, g.astype(np.float64), 0.1, t, n, r, **chosen)
    assert p.dtype == dtype
    assert np.array_equal(tensor.data, p)
    assert [value.data for value in values] == q.ravel().tolist()


@each
@given(seed=SEEDS, count=st.integers(1, 6), data=st.data())
def test_values_equal_tensors(kind, seed, count, data):
    """Values among Tensors, as in a mixed network, change like the elements of a Tensor."""
    chosen = data.draw(options(kind))
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(2, 3))
    tensor, other, values = Tensor(start), Tensor([1.0]), values_like(start)
    optimizer = kind([*values[:4], other, *values[4:]], lr=0.1, **chosen)
    reference = kind([tensor], lr=0.1, **chosen)
    for _ in range(count):
        tensor.grad = rng.normal(size=(2, 3)) * 10 ** rng.uniform(-2, 2)
        give(values, tensor.grad)
        optimizer.step()
        reference.step()
    np.testing.assert_allclose([v.data for v in values], tensor.data.ravel(), rtol=1e-12, atol=1e-12)
    assert all(type(v.data) is float for v in values)
    assert other.data.tolist() == [1.0]


def test_defaults():
    """The defaults are those of the papers and of PyTorch. The formulas above have the other options'."""
    defaults = {Adagrad: 0.01, RMSprop: 0.01, Adam: 0.001, AdamW: 0.001}
    assert {kind: kind([Value(1.0)]).lr for kind in defaults} == defaults


@each
def test_no_gradient_no_change(kind):
    """Weight decay and momentum do not change a Tensor without a gradient, and neither does its state change."""
    w = Tensor([1.0, 2.0])
    optimizer = full(kind, [w])
    w.grad = np.array([0.5, -0.5])
    optimizer.step()
    data, state = w.data.copy(), optimizer.state_dict()
    w.grad = None
    optimizer.step()
    assert w.data.tobytes() == data.tobytes()
    later = optimizer.state_dict()
    assert (state.pop("steps"), later.pop("steps")) == (1, 2)
    assert {key: np.asarray(x).tobytes() for key, x in state.items()} == {
        key: np.asarray(x).tobytes() for key, x in later.items()
    }


@each
def test_gradients_are_not_written_to(kind):
    w, v = Tensor([1.0, 2.0]), Value(3.0)
    optimizer = full(kind, [w, v])
    for _ in range(3):
        grad = np.array([0.5, -0.5])
        grad.setflags(write=False)  # writing to it would raise an error
        w.grad, v.grad = grad, 0.25
        optimizer.step()
        assert w.grad is grad
        assert grad.tolist() == [0.5, -0.5]
        assert v.grad == 0.25
    assert all(not np.shares_memory(grad, x) for x in optimizer.state_dict().values())


@each
def test_updates_in_place(kind):
    w = Tensor([1.0, 2.0])
    array = w.data
    w.grad = np.ones(2)
    full(kind, [w]).step()
    assert w.data is array
    assert array.tolist() != [1.0, 2.0]


# Memory layouts of a gradient. Some of them are views of the parameter itself.
LAYOUTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "plain": lambda p, g: g,
    "column by column": lambda p, g: np.asfortranarray(g),
    "transposed": lambda p, g: g.T.copy().T,
    "backwards": lambda p, g: g[::-1, ::-1],
    "part of a larger one": lambda p, g: np.repeat(np.repeat(g, 2, axis=0), 2, axis=1)[::2, ::2],
    "spread": lambda p, g: np.broadcast_to(g[:1], g.shape),
    "overlapping itself": lambda p, g: np.lib.stride_tricks.as_strided(g, g.shape, (g.itemsize, g.itemsize)),
    "bytes swapped": lambda p, g: g.astype(g.dtype.newbyteorder("S")),
    "in single precision": lambda p, g: g.astype(np.float32),
    "whole numbers": lambda p, g: np.sign(g).astype(int),
    "lists": lambda p, g: g.tolist(),
    "read-only": lambda p, g: frozen(g),
    "bytes": lambda p, g: np.frombuffer(g.tobytes(), g.dtype).reshape(g.shape),
    "the parameter": lambda p, g: p,
    "the parameter, backwards": lambda p, g: p[::-1, ::-1],
    "the parameter, spread": lambda p, g: np.broadcast_to(p[:, :1], p.shape),
}


def frozen(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.setflags(write=False)
    return array


@each
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("shape", [(3, 4), (80, 70)])
def test_gradients_may_lie_in_memory_as_they_like(kind, layout, shape):
    rng = np.random.default_rng(0)
    start = rng.normal(size=shape)
    for order in ("C", "F"):
        w, same = Tensor(start.copy(order)), Tensor(start)
        optimizer, reference = full(kind, [w]), full(kind, [same])
        for _ in range(2):
            given = layout(w.data, rng.normal(size=shape))
            w.grad, same.grad = given, np.array(given, np.float64, order="C")
            optimizer.step()
            reference.step()
            if not np.shares_memory(given, w.data):
                np.testing.assert_array_equal(given, same.grad)
        np.testing.assert_allclose(w.data, same.data, rtol=1e-13, atol=1e-15)
        assert not np.array_equal(w.data, start)


@each
def test_a_parameter_that_is_read_only_stays_as_it_is(kind):
    with no_grad():
        computed = Tensor([1.0, 2.0]) * 2.0
    given = Tensor([2.0, 4.0], label="given")
    given.data.setflags(write=False)
    for w in (computed, given):
        w.grad = np.ones(2)
        optimizer = full(kind, [w])
        with pytest.raises(ValueError, match=r"of shape \(2,\) is read-only.*tensor.data = tensor.data.copy\(\)"):
            optimizer.step()
        assert w.data.tolist() == [2.0, 4.0]
        w.data = w.data.copy()
        optimizer.step()
        assert w.data.tolist() != [2.0, 4.0]


def test_what_an_update_keeps_of_the_parameter_cannot_be_written_to():
    kept = []

    class Keeping(optim.Optimizer):
        def _update(self, p, g, lr, state, scratch):
            kept.append(p)
            p -= lr * g

    w = Tensor([1.0])
    w.grad = np.ones(1)
    Keeping([w], lr=0.5).step()
    with pytest.raises(ValueError, match="read-only"):
        kept[0][0] = 7.0
    assert w.data.tolist() == [0.5]


@each
def test_no_temporaries(kind):
    """A step allocates no array of the size of a weight."""
    w = Tensor(np.ones((300, 300), np.float32))
    w.grad = np.ones((300, 300), np.float32)
    optimizer = full(kind, [w])
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < w.data.nbytes / 10


@each
def test_a_graph_that_waits_refuses_to_run(kind):
    """Backward after the step would combine new weights with results of the old ones. The gradient would be wrong."""
    w = Tensor([1.0, 2.0])
    optimizer = full(kind, [w])
    first = (w * w).sum()
    first.backward()
    second = (w * w).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="changed after"):
        second.backward()


@each
def test_infinite_gradients_do_not_warn(kind):
    w = Tensor(np.ones(4, np.float32))
    w.grad = np.array([np.inf, np.nan, 3e38, 0.0], np.float32)
    full(kind, [w]).step()  # pytest turns warnings into errors
    assert np.isfinite(w.data[3])
    assert np.isnan(w.data[1])


@each
def test_training_lowers_a_loss(kind):
    random.seed(0)  # from some starts a step of this size is too large
    model = MLP(2, [4, 1])
    optimizer = full(kind, model, lr=0.01)
    assert optimizer.parameters == model.parameters()

    def loss() -> Value:
        return (model([1.0, -2.0]) - 1.5) ** 2

    before = loss()
    before.backward()
    optimizer.step()
    assert loss().data < before.data


def test_zero_grad():
    w, v = Tensor([1.0]), Value(1.0)
    optimizer = SGD([w, v], lr=0.1)
    (w * 2.0).backward()
    (v * 2.0).backward()
    optimizer.zero_grad()
    assert (w.grad, v.grad) == (None, 0.0)


def test_a_gradient_of_another_shape():
    w = Tensor([[1.0, 2.0]])
    w.grad = np.ones(2)  # would broadcast
    with pytest.raises(ValueError, match=re.escape("parameter 0 of shape (1, 2) has a gradient of shape (2,)")):
        SGD([w], lr=0.1).step()


@each
@pytest.mark.parametrize("dtype", [complex, object])
def test_a_gradient_of_no_real_numbers(kind, dtype):
    w = Tensor([[1.0, 2.0]])
    w.grad = np.ones((1, 2), dtype)
    with pytest.raises(TypeError, match=f"parameter 0 has a gradient of dtype {np.dtype(dtype)}"):
        full(kind, [w]).step()
    assert w.tolist() == [[1.0, 2.0]]


# --------------------------------------------------------------------------------------------------- parameters


def test_parameters_are_leaves_each_once():
    v, w = Value(1.0, label="bias"), Tensor([1.0])
    for parameters, error, text in (
        ([], ValueError, "no parameters"),
        ([v, w, v], ValueError, "parameter 2 (bias) is also parameter 0"),
        ([v, w, w], ValueError, "parameter 2 is also parameter 1"),
        ([v, 1.0], TypeError, "parameter 1 is a float, 1.0"),
        ([[v]], TypeError, "parameter 0 is a list"),
        ([w.data], TypeError, "parameter 0 is a ndarray"),
        ({"w": w}, TypeError, "parameter 0 is a str, 'w'"),
        ([v, w * 2.0], TypeError, "parameter 1 was computed by mul"),
        (w, TypeError, "in a list, even a single one: got a Tensor"),
        (v, TypeError, "in a list, even a single one: got a Value"),
    ):
        for take in (lambda p: SGD(p, lr=0.1), lambda p: optim.clip_grad_norm(p, 1.0)):
            with pytest.raises(error, match=re.escape(text)):
                take(parameters)


def test_equal_numbers_are_not_duplicates():
    assert len(SGD([Value(1.0), Value(1.0), Tensor([1.0]), Tensor([1.0])], lr=0.1).parameters) == 4


def test_anything_with_parameters():
    class Net:
        def parameters(self) -> Iterator[Value]:
            return iter([Value(1.0), Value(2.0)])

    assert [p.data for p in SGD(Net(), lr=0.1).parameters] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        *(
            (kind, {"lr": bad}, f"lr must be in [0, inf), got {bad}")
            for kind in KINDS
            for bad in (-0.1, math.nan, math.inf)
        ),
        *((kind, {"weight_decay": -1.0}, "weight_decay must be in [0, inf), got -1.0") for kind in KINDS),
        *((kind, {"eps": -1e-8}, "eps must be in [0, inf), got -1e-08") for kind in KINDS[1:]),
        (SGD, {"momentum": 1.0}, "momentum must be in [0, 1), got 1.0"),
        (SGD, {"momentum": -0.1}, "momentum must be in [0, 1), got -0.1"),
        (SGD, {"nesterov": True}, "nesterov needs a momentum above 0, got 0.0"),
        (RMSprop, {"alpha": 1.0}, "alpha must be in [0, 1), got 1.0"),
        *((kind, {"betas": (1.0, 0.9)}, "betas[0] must be in [0, 1), got 1.0") for kind in (Adam, AdamW)),
        *((kind, {"betas": (0.9, -0.5)}, "betas[1] must be in [0, 1), got -0.5") for kind in (Adam, AdamW)),
    ],
)
def test_bad_hyperparameters(kind, options, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        kind([Value(1.0)], **{"lr": 0.1, **options})


# ------------------------------------------------------------------------------------------------- learning rate


def test_learning_rate_by_schedule():
    v = Value(10.0)
    optimizer = SGD([v], lr=lambda step: np.float64(step + 1))
    for step in range(3):
        assert optimizer.lr == step + 1
        v.grad = 1.0
        optimizer.step()
    assert v.data == 10.0 - 1 - 2 - 3
    optimizer.lr = 0.5
    optimizer.step()
    assert v.data == 3.5
    with pytest.raises(ValueError, match="got -1"):
        optimizer.lr = -1
    optimizer.lr = lambda step: -float(step)
    with pytest.raises(ValueError, match="lr at step 4 must be"):
        optimizer.step()
    assert (optimizer.steps, v.data) == (4, 3.5)


def test_a_schedule_keeps_float32():
    """NumPy's own scalars would widen the arithmetic."""
    results = []
    for lr in (0.1, lambda step: np.float64(0.1)):
        w = Tensor(np.full(5, 0.7, np.float32))
        w.grad = np.full(5, 0.3, np.float32)
        SGD([w], lr=lr).step()
        results.append(w.data.tobytes())
    assert results[0] == results[1]


# -------------------------------------------------------------------------------------------------------- state


@each
@pytest.mark.parametrize("lr", [0.1, Warmup(Cosine(0.1, 8), 3)], ids=["constant", "schedule"])
def test_resuming_continues_identically(kind, lr):
    rng = np.random.default_rng(0)
    grads = [(rng.normal(size=(3, 2)).astype(np.float32), rng.normal(), rng.normal()) for _ in range(8)]

    def make(w: np.ndarray, a: float, b: float) -> tuple[list[Any], Any]:
        parameters = [Value(a), Tensor(w), Value(b)]
        return parameters, full(kind, parameters, lr)

    def run(parameters: list[Any], optimizer: Any, part: slice) -> None:
        for g, a, b in grads[part]:
            parameters[0].grad, parameters[1].grad, parameters[2].grad = a, g, b
            optimizer.step()

    start = np.ones((3, 2), np.float32), 1.0, 2.0
    straight, optimizer = make(*start)
    run(straight, optimizer, slice(0, 8))

    before, first = make(*start)
    run(before, first, slice(0, 5))
    state = first.state_dict()
    assert state["steps"] == 5
    resumed, second = make(before[1].data, before[0].data, before[2].data)
    second.load_state_dict(state)
    run(before, first, slice(5, 8))  # neither training changes the state
    run(resumed, second, slice(5, 8))
    for parameters in (before, resumed):
        assert [np.asarray(p.data).tobytes() for p in parameters] == [np.asarray(p.data).tobytes() for p in straight]
    assert second.lr == optimizer.lr


def test_state_of_arrays_and_numbers():
    """`numpy.savez` and similar functions can save a state, and the arrays that they read can be loaded."""
    w, v = Tensor(np.ones((2, 2), np.float32)), Value(1.0)
    optimizer = Adam([w, v], lr=0.25)
    w.grad, v.grad = np.ones((2, 2), np.float32), 1.0
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state) == ["steps", "lr", "m.0", "v.0", "t.0", "m.values", "v.values", "t.values"]
    assert (state["m.0"].dtype, state["m.values"].dtype, state["m.values"].shape) == (np.float32, np.float64, (1,))
    other = Adam([Tensor(np.ones((2, 2), np.float32)), Value(1.0)], lr=0.1)
    other.load_state_dict({key: np.asarray(x) for key, x in state.items()})
    assert (other.steps, other.lr, type(other.steps), type(other.lr)) == (1, 0.25, int, float)
    assert other.state_dict()["m.0"].tobytes() == state["m.0"].tobytes()


def test_a_schedule_survives_loading():
    optimizer = SGD([Value(1.0)], lr=Exponential(1.0, 0.5))
    optimizer.load_state_dict({"steps": 3, "lr": 0.7})
    assert optimizer.lr == 0.125


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        *(("steps", bad) for bad in (-1, 2.0, [3], "4", None)),
        *(("lr", bad) for bad in (-0.1, math.nan, "0.1", [0.1], None)),
    ],
)
def test_steps_and_rates_that_are_none(key, bad):
    optimizer = SGD([Value(1.0)], lr=0.1)
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)  # fits, before the first step too
    with pytest.raises(ValueError, match=re.escape(f"  {key}: {bad!r}, expected")):
        optimizer.load_state_dict({**state, key: bad})


def test_a_state_that_does_not_fit():
    w = Tensor(np.ones((2, 2), np.float32))
    optimizer = Adam([w, Value(1.0)], lr=0.1)
    state = {
        "steps": 1.5,
        "lr": math.inf,
        "m.0": np.zeros((2, 3), np.float32),
        "v.0": np.zeros((2, 2)),
        "t.0": np.array(3),
        "m.values": np.ones(1),
        "v.values": np.ones(1),
        "velocity.0": 0,
    }
    before = {key: np.asarray(x).tobytes() for key, x in optimizer.state_dict().items()}
    with pytest.raises(ValueError, match="does not fit this Adam, which is unchanged") as caught:
        optimizer.load_state_dict(state)
    assert str(caught.value).split("\n  ")[1:] == [
        "steps: 1.5, expected an integer of 0 or more",
        "lr: inf, expected a finite number of 0 or more",
        "m.0: shape (2, 3), expected (2, 2)",
        "v.0: dtype float64, expected float32",
        "t.values: missing",
        "velocity.0: not in the state of this optimiser",
    ]
    assert {key: np.asarray(x).tobytes() for key, x in optimizer.state_dict().items()} == before


@each
def test_a_state_in_another_byte_order_is_the_same_state(kind):
    """As files of other machines have it, and as `Module.load_state_dict` takes it."""
    tensor = Tensor(np.ones((2, 2), np.float32))
    optimizer = full(kind, [tensor, Value(1.0)])
    tensor.grad = np.arange(4, dtype=np.float32).reshape(2, 2)
    optimizer.step()
    state = optimizer.state_dict()
    swapped = {key: x.astype(x.dtype.newbyteorder()) if isinstance(x, np.ndarray) else x for key, x in state.items()}
    other = full(kind, [Tensor(np.ones((2, 2), np.float32)), Value(1.0)])
    other.load_state_dict(swapped)
    assert {key: np.asarray(x).tobytes() for key, x in other.state_dict().items()} == {
        key: np.asarray(x).tobytes() for key, x in state.items()
    }


# ---------------------------------------------------------------------------------------------------- schedules

rates = st.floats(1e-6, 10)
lengths = st.integers(1, 200)


@given(rates, lengths, st.floats(0, 1), st.integers(0, 1000))
def test_step_decay(lr, every, factor, step):
    schedule = StepDecay(lr, every, factor)
    assert schedule(step) == lr * factor ** (step // every)
    assert schedule(0) == schedule(every - 1) == lr
    assert StepDecay(lr, every)(every) == lr * 0.1
    assert schedule(every) == lr * factor


@given(rates, st.floats(0, 1), st.integers(0, 100))
def test_exponential(lr, factor, step):
    schedule = Exponential(lr, factor)
    assert schedule(0) == lr
    assert schedule(step + 1) == pytest.approx(schedule(step) * factor, rel=1e-12)


@given(rates, lengths, st.floats(0, 1e-7))
def test_cosine(lr, steps, final):
    schedule = Cosine(lr, steps, final)
    assert schedule(0) == lr
    assert schedule(steps) == schedule(steps + 1) == schedule(10 * steps) == final
    assert schedule(steps / 2) == pytest.approx((lr + final) / 2)
    curve = [schedule(step) for step in range(steps + 1)]
    assert curve == sorted(curve, reverse=True)
    assert max(-np.diff(curve)) <= (lr - final) * math.pi / 2 / steps * (1 + 1e-9)  # the slope of a cosine


@given(rates, lengths, lengths)
def test_warmup(lr, steps, after):
    schedule = Warmup(Cosine(lr, after), steps)
    climb = [schedule(step) for step in range(steps + 1)]
    assert climb[0] == pytest.approx(lr / (steps + 1))
    assert climb[-1] == lr  # the first number of the other schedule
    np.testing.assert_allclose(np.diff(climb), lr / (steps + 1), rtol=1e-9)
    assert [schedule(steps + i) for i in range(5)] == [Cosine(lr, after)(i) for i in range(5)]
    assert Warmup(lr, steps)(steps + 7) == lr


@given(rates, st.integers(2, 200), st.just(0.0) | st.floats(0.01, 0.9))
def test_one_cycle(peak, steps, warmup):
    schedule = OneCycle(peak, steps, warmup)
    top = warmup * steps
    assert schedule(top) == peak
    assert schedule(steps) == schedule(2 * steps) == peak * 4e-6
    assert schedule((top + steps) / 2) == pytest.approx((peak + peak * 4e-6) / 2)
    if top > 0:
        assert schedule(0) == pytest.approx(peak / 25)
        assert schedule(top / 2) == pytest.approx((peak / 25 + peak) / 2)
    up = [schedule(step) for step in range(math.ceil(top))]
    down = [schedule(step) for step in range(math.ceil(top), steps + 1)]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    if top > 0:  # continuous at the peak
        assert schedule(top * (1 - 1e-9)) == pytest.approx(peak)
    assert OneCycle(peak, steps, warmup, final=0.0)(steps) == 0.0
    assert OneCycle(peak, steps) == OneCycle(peak, steps, warmup=0.3)


SCHEDULES: list[Callable[[], Any]] = [
    lambda: StepDecay(-1.0, 5),
    lambda: StepDecay(1.0, 0),
    lambda: StepDecay(1.0, 5, -0.5),
    lambda: Exponential(math.nan, 0.5),
    lambda: Exponential(1.0, math.inf),
    lambda: Cosine(1.0, 0),
    lambda: Cosine(1.0, 5, -1.0),
    lambda: Warmup(-1.0, 5),
    lambda: Warmup(0.1, 0),
    lambda: OneCycle(-1.0, 5),
    lambda: OneCycle(1.0, 5, warmup=1.0),
    lambda: OneCycle(1.0, 0),
    lambda: OneCycle(1.0, 5, start=-1.0),
]


@pytest.mark.parametrize("make", SCHEDULES)
def test_bad_schedules(make):
    with pytest.raises(ValueError, match=r"^(lr|every|factor|final|steps|after|peak|warmup|start) must be in .*, got "):
        make()


def test_schedules_are_values():
    """Schedules can be compared and printed, and are read-only, as checkpoints and logs need."""
    assert Cosine(0.1, 10) == Cosine(0.1, 10) != Cosine(0.1, 11)
    assert repr(Warmup(Cosine(0.1, 10), 5)) == "Warmup(after=Cosine(lr=0.1, steps=10, final=0.0), steps=5)"
    for schedule in (StepDecay(0.1, 10), Exponential(0.1, 0.5), Cosine(0.1, 10), Warmup(0.1, 5), OneCycle(0.1, 10)):
        assert pickle.loads(pickle.dumps(schedule)) == schedule
        for name in vars(schedule):
            with pytest.raises(AttributeError):
                setattr(schedule, name, 0.2)


# ----------------------------------------------------------------------------------------------------- clipping


@st.composite
def networks(draw: Any) -> tuple[list[Any], np.ndarray]:
    """Parameters of every kind with gradients of one magnitude, and these gradients as one vector."""
    rng = np.random.default_rng(draw(SEEDS))
    scale = 10.0 ** draw(st.sampled_from([-3, 0, 3, 25]))
    w, u, empty, v = Tensor(np.ones((2, 3))), Tensor(np.ones(4, np.float32)), Tensor([1.0]), [Value(1.0), Value(2.0)]
    w.grad = rng.normal(size=(2, 3)) * scale
    u.grad = (rng.normal(size=4) * scale).astype(np.float32)
    give(v, rng.normal(size=2) * scale)
    parameters = draw(st.sampled_from([[w], [u], v, [w, u], [v[0], w, empty, v[1], u]]))
    return parameters, flat(parameters)


def flat(parameters: list[Any]) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(p.grad, np.float64)) for p in parameters if p.grad is not None])


@given(networks(), st.floats(1e-6, 1e6))
def test_clip_by_norm(network, limit):
    parameters, before = network
    length = math.hypot(*before)
    held = [p.grad for p in parameters]
    copies = [np.copy(g) for g in held if g is not None]
    dtypes = [getattr(g, "dtype", float) for g in held]
    assert optim.clip_grad_norm(parameters, limit) == pytest.approx(length, rel=1e-5)
    after = flat(parameters)
    if length > limit * (1 + 1e-5):
        assert math.hypot(*after) == pytest.approx(limit, rel=1e-5)
        np.testing.assert_allclose(after / limit, before / length, atol=1e-5)  # the direction is kept
    elif length < limit * (1 - 1e-5):
        assert [p.grad for p in parameters] == held or all(p.grad is g for p, g in zip(parameters, held, strict=True))
        assert after.tobytes() == before.tobytes()
    assert [getattr(p.grad, "dtype", float) for p in parameters] == dtypes
    assert all(np.array_equal(g, copy) for g, copy in zip([g for g in held if g is not None], copies, strict=True))


@pytest.mark.parametrize(
    ("size", "dtype"),
    [*((size, np.float64) for size in (1e-320, 1e-200, 1e200, 1e307)), (1e-44, np.float32), (1e30, np.float32)],
)
def test_norm_of_any_magnitude(size, dtype):
    """The squares overflow or underflow, but the norm does not."""
    w = Tensor(np.ones(2, dtype))
    w.grad = np.array([3 * size, 4 * size], dtype)
    # abs, since approx accepts differences of 1e-12 by default
    assert optim.clip_grad_norm([w], math.inf) == pytest.approx(math.hypot(*w.grad.tolist()), rel=1e-6, abs=0)


def test_clip_without_gradients():
    assert optim.clip_grad_norm([Tensor([1.0]), Tensor([2.0])], 1.0) == 0.0
    assert optim.clip_grad_norm([Value(1.0)], 0.0) == 0.0


def test_clip_to_nothing():
    w = Tensor([1.0])
    w.grad = np.array([5.0])
    assert optim.clip_grad_norm([w], 0.0) == 5.0
    assert w.grad.tolist() == [0.0]


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_norm_that_is_not_finite(bad):
    w, u, v = Tensor([1.0, 2.0], label="w"), Tensor([1.0]), Value(1.0)
    w.grad, u.grad, v.grad = np.array([1e5, bad]), np.array([1e5]), bad
    with pytest.raises(ValueError, match=re.escape("those of parameter 0 (w), parameter 2 are not finite")):
        optim.clip_grad_norm([w, u, v], 1.0)
    assert (w.grad[0], u.grad[0]) == (1e5, 1e5)


def test_shared_gradients_are_clipped_once():
    """Gradients are replaced, not scaled in place, since two parameters may share an array."""
    w, u = Tensor([1.0]), Tensor([1.0])
    w.grad = u.grad = np.array([3.0])
    optim.clip_grad_norm([w, u], 1.0)
    assert w.grad.tolist() == u.grad.tolist() == [pytest.approx(math.sqrt(0.5))]


@given(networks(), st.floats(1e-6, 1e6))
def test_clip_by_value(network, limit):
    parameters, before = network
    limit = float(np.float32(limit))
    optim.clip_grad_value(parameters, limit)
    assert flat(parameters).tolist() == [min(max(g, -limit), limit) for g in before.tolist()]


def test_clip_by_value_keeps_nan_and_0d():
    w, v = Tensor(1.0), Value(1.0)
    w.grad, v.grad = np.array(-7.0), math.nan
    optim.clip_grad_value([w, v], 2.0)
    assert isinstance(w.grad, np.ndarray)
    assert w.grad == -2.0
    assert math.isnan(v.grad)
    v.grad = 3.0
    optim.clip_grad_value([v], 0.0)
    assert v.grad == 0.0


@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_bad_limits(bad):
    with pytest.raises(ValueError, match=f"max_norm must be 0 or more, got {bad}"):
        optim.clip_grad_norm([Value(1.0)], bad)
    with pytest.raises(ValueError, match=f"limit must be 0 or more, got {bad}"):
        optim.clip_grad_value([Value(1.0)], bad)


def test_an_optimiser_of_ones_own_sees_context_variables():
    rate = ContextVar("rate", default=0.0)

    class Own(optim.Optimizer):
        def _update(self, p, g, lr, state, scratch):
            p -= rate.get() * g

    w = Tensor([1.0])
    (3.0 * w).sum().backward()
    rate.set(0.5)
    Own([w], lr=0.1).step()
    assert w.data.tolist() == [-0.5]
