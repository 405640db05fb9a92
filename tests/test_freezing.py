"""Frozen parameters get no gradient and never change. Other parameters are not affected."""

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, Value, ops, vectorize
from autograd.ops.rows import Elementwise
from autograd.vectorizing import TraceError
from nn.checkpoint import load, save

SEEDS = st.integers(0, 2**32 - 1)
FULL = {
    nn.SGD: {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    nn.Adagrad: {"weight_decay": 0.1},
    nn.RMSprop: {"weight_decay": 0.1},
    nn.Adam: {"weight_decay": 0.1},
    nn.AdamW: {"weight_decay": 0.1},
}
each = pytest.mark.parametrize("kind", FULL)

# -------------------------------------------------------------------------------------------------------- the engine

ROWS: dict[str, list[tuple[int, ...]]] = {
    "matmul": [(4, 3), (3, 2)],
    "linear": [(4, 3), (3, 2), (2,)],
    "dot": [(3,), (3,)],
    "where": [(3,), (3,), (3,)],
    **{row.name: [(2, 3)] * row.arity for row in ops.ROWS.values() if isinstance(row, Elementwise)},
    **{name: [(2, 3)] * 3 for name in ("concatenate", "stack")},
    **{name: [(2, 3)] for name in ("sum", "logsumexp", "softmax", "transpose", "cumsum")},
    "cross_entropy": [(4, 3)],
}


def apply(name, operands):
    if name in ("concatenate", "stack"):
        return getattr(autograd, name)(operands)
    if name == "cross_entropy":
        return autograd.cross_entropy(operands[0], np.array([0, 1, 2, 1]))
    call: Any = getattr(autograd, name, ops.ROWS.get(name))
    return call(*operands)


def leaf(kind, numbers):
    return Tensor(numbers) if kind is Tensor else Value(float(numbers.flat[0]))


@pytest.mark.parametrize("kind", [Tensor, Value])
@pytest.mark.parametrize("name", ROWS)
def test_frozen_operands_take_no_gradient_and_the_others_the_same(name, kind):
    shapes = ROWS[name]
    if kind is Value and not isinstance(ops.ROWS.get(name), Elementwise):
        return
    rng = np.random.default_rng(0)
    numbers = [rng.uniform(0.1, 0.9, s) + (name == "arccosh") for s in shapes]
    value = ops.detach(apply(name, [leaf(kind, x) for x in numbers]))
    for wanted in itertools.product((True, False), repeat=len(shapes)):
        grads = []
        for frozen in (False, True):
            leaves = [leaf(kind, x) for x in numbers]
            for x, want in zip(leaves, wanted, strict=True):
                x.requires_grad = want or not frozen
            out = apply(name, leaves)
            if out.is_leaf:  # all operands are frozen Tensors
                assert not any(wanted) and not out.requires_grad
            else:
                (out * 2.0 if kind is Value else (out * 2.0).sum()).backward()
            np.testing.assert_array_equal(out.detach(), value)
            grads.append([x.grad for x in leaves])
        for free, found, want in zip(*grads, wanted, strict=True):
            np.testing.assert_array_equal(found, free if want else leaf(kind, np.zeros(1)).empty_grad)


@given(seed=SEEDS, data=st.data())
@settings(max_examples=15)
def test_graphs_of_both_kinds(seed, data):
    """A random graph with any leaves frozen: backward, grad, and the second order."""
    rng = np.random.default_rng(seed)
    wanted = data.draw(st.lists(st.booleans(), min_size=4, max_size=4))
    steps = data.draw(st.lists(st.tuples(st.sampled_from("+*-t@"), *[st.integers(0, 6)] * 2), min_size=2, max_size=8))
    numbers = rng.normal(size=(4, 2, 2)) / 2

    def run(leaves):
        nodes = list(leaves)
        for op, i, j in steps:
            a, b = nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]
            product = a @ b if op == "@" and isinstance(a, Tensor | np.ndarray) else a * b
            nodes.append({"+": a + b, "-": a - b, "t": autograd.tanh(a)}.get(op, product))
        total = nodes[-1] + sum(nodes[:4])
        return total.sum() if isinstance(total, Tensor) else total

    for kind in (Tensor, Value):
        free, some = ([leaf(kind, x) for x in numbers] for _ in range(2))
        for x, want in zip(some, wanted, strict=True):
            x.requires_grad = want
        run(free).backward()
        out = run(some)
        assert out.is_leaf == (kind is Tensor and not any(wanted))
        out.backward()
        for x, y, want in zip(free, some, wanted, strict=True):
            assert np.array_equal(x.grad, y.grad) if want else y.grad == y.empty_grad
        want, got = (autograd.grad(lambda xs: run(xs))(xs) for xs in (free, some))  # grad ignores freezing
        for a, b in zip(want, got, strict=True):
            np.testing.assert_array_equal(ops.detach(a), ops.detach(b))


def test_a_leaf_freezes_and_thaws():
    for x in (Value(2.0, "x"), Tensor([2.0], label="x")):
        (x * 3.0).backward()
        kind, shown = type(x), type(x).__name__
        x.requires_grad = np.False_
        assert isinstance(x, kind) and type(x).__name__ == shown and x.label == "x"
        assert x.grad == x.empty_grad and not x.requires_grad
        x.requires_grad = False
        (x * 3.0).backward()
        x.grad = 5.0
        assert x.grad == x.empty_grad
        x.data = 4.0 if kind is Value else [4.0]
        x.requires_grad = True
        assert type(x) is kind and x.grad == x.empty_grad
        (x * 3.0).backward()
        assert x.grad == 3.0 and x.item() == 4.0


def test_copies_and_pickles_are_frozen_too():
    class Own(Value):
        pass

    for x in (Value(2.0, "x"), Tensor([2.0], label="x"), Own(1.0)):
        x.requires_grad = False
        for again in [copy.deepcopy(x), copy.copy(x), *([] if isinstance(x, Own) else [pickle.loads(pickle.dumps(x))])]:
            assert again is not x and not again.requires_grad and not x.requires_grad
            assert again.label == x.label and again.item() == x.item()
            again.requires_grad = True
            assert type(again) in (Value, Tensor, Own)


def test_what_cannot_freeze():
    x: Any
    for x in (Value(2.0), Tensor([2.0])):
        with pytest.raises(TypeError, match=r"was computed by mul: only leaves are frozen"):
            (x * 2.0).requires_grad = False
        with pytest.raises(TypeError, match="requires_grad is True or False, not 0"):
            x.requires_grad = 0
        assert (x * 2.0).requires_grad


def test_saved_numbers_of_a_frozen_tensor_cannot_change_unnoticed():
    w, x = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    w.requires_grad = False
    y = (w * x).sum()
    w.data = [9.0, 9.0]
    with pytest.raises(RuntimeError, match="changed after the operation was recorded"):
        y.backward()


def test_anomalies_before_the_first_live_layer_are_named():
    w = Tensor([0.0])
    w.requires_grad = False
    with autograd.anomaly(), pytest.raises(autograd.AnomalyError, match="log made an infinity"):
        w.log()


@pytest.mark.parametrize("frozen", [1, 2])
def test_pictures_of_frozen_networks(frozen):
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    layers, neurons = nn.dense(2, 3, 1, rng=0), nn.MLP(2, [2, 1])
    loss: Any
    for model, out in ((layers, lambda: layers(x).sum()), (neurons, lambda: neurons([1, 2]))):
        for part in model.layers[: 3 * (frozen - 1) + 1]:
            part.freeze()
        loss = out()
        loss.backward()
        assert loss.tree() and autograd.draw(loss, model=model).source
        assert loss.is_leaf == (model is layers and frozen == 2)
    p = neurons.parameters()[0]
    assert str(autograd.explain(loss, p))


# -------------------------------------------------------------------------------------------------------- optimisers


@each
@given(seed=SEEDS, plan=st.lists(st.sets(st.integers(0, 5)), min_size=2, max_size=5))
@settings(max_examples=10)
def test_any_frozen_at_any_time(kind, seed, plan):
    """Values and Tensors freeze and thaw at random. Each trains as if its own optimiser paused while it is frozen."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=6).tolist()
    mixed: list[Any] = [Value(x) if i % 2 else Tensor([x]) for i, x in enumerate(start)]
    alone = [Tensor([x]) for x in start]
    values: list[Any] = [Value(x) for x in start]
    together = [kind(ps, lr=0.1, **FULL[kind]) for ps in (mixed, values)]
    each_own = [kind([p], lr=0.1, **FULL[kind]) for p in alone]
    for frozen in plan:
        grads = rng.normal(size=6).tolist()
        before = [[np.array(p.detach()).tobytes() for p in ps] for ps in (mixed, values)]
        for i, g in enumerate(grads):
            for p in (mixed[i], values[i]):
                p.requires_grad = i not in frozen
                p.grad = g if isinstance(p, Value) else np.array([g])
            alone[i].grad = np.array([g])
            if i not in frozen:
                each_own[i].step()
        for optimizer in together:
            optimizer.step()
        for ps, was in zip((mixed, values), before, strict=True):
            for i in frozen:
                assert np.array(ps[i].detach()).tobytes() == was[i]
            np.testing.assert_allclose([p.item() for p in ps], [p.item() for p in alone], rtol=1e-12)


@each
def test_training_half_a_network(kind):
    """Half is frozen after the optimiser was made, and unfrozen later. `fit` clips by the norm of the trained half."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 3)).astype(np.float32), rng.integers(0, 2, 16)
    model = nn.dense(3, 4, 2, rng=1)
    optimizer = kind(model, lr=0.05, **FULL[kind])
    train = lambda n: nn.fit(model, [(x, y)], nn.cross_entropy, optimizer, epochs=n, clip=0.1, progress=False)  # noqa: E731
    train(2)
    was, remembered = model.state_dict(), optimizer.state_dict()
    assert model[0].freeze() is model[0]
    train(3)
    now, memory = model.state_dict(), optimizer.state_dict()
    for path in was:
        assert (was[path].tobytes() == now[path].tobytes()) == path.startswith("layers.0")
    assert all(np.array_equal(remembered[k], memory[k]) for k in memory if k.endswith((".0", ".1")))
    assert nn.clip_grad_norm(model, np.inf) == nn.clip_grad_norm(model[2], np.inf)
    model.unfreeze()
    train(1)
    assert was["layers.0.weight"].tobytes() != model[0].weight.detach().tobytes()


def test_a_training_of_nothing_is_refused():
    model = nn.dense(2, 1, rng=0).freeze()
    for m, batch in ((model, (np.ones((1, 2), np.float32), np.ones((1, 1)))), (nn.MLP(2, [1]).freeze(), ([1, 2], 3.0))):
        with pytest.raises(ValueError, match="every parameter of the optimiser is frozen"):
            nn.fit(m, [batch], nn.squared_error, nn.SGD(m, lr=0.1), epochs=1, progress=False)


def test_states_files_and_averages_know_nothing_of_it(tmp_path):
    model = nn.Sequential(nn.dense(3, 4, rng=0), nn.dense(4, 2, rng=1))
    model[0].freeze()
    save(model, tmp_path / "w.npz")
    other = nn.Sequential(nn.dense(3, 4), nn.dense(4, 2))
    other[1].freeze()
    load(other, tmp_path / "w.npz")
    assert all(np.array_equal(x, other.state_dict()[k]) for k, x in model.state_dict().items())
    assert [p.requires_grad for p in other.parameters()] == [True, True, False, False]
    average = nn.EMA(model)
    average.update()
    assert all(np.array_equal(x, average.model.state_dict()[k]) for k, x in model.state_dict().items())
    assert [p.requires_grad for p in average.model.parameters()] == [False, False, True, True]


def test_a_shared_parameter_is_frozen_everywhere():
    first = nn.Linear(2, 2)
    second = nn.Linear(2, 2)
    second.weight = first.weight
    nn.Sequential(first, second)[0].freeze()
    assert [p.requires_grad for p in second.parameters()] == [False, True]


def test_gradients_of_a_module_are_of_what_is_trained():
    model = nn.dense(2, 2, 1, rng=0)
    model[0].freeze()
    x = np.ones((3, 2), np.float32)
    assert list(autograd.grad(lambda m: m(x).sum())(model)) == ["layers.2.weight", "layers.2.bias"]


# -------------------------------------------------------------------------------------------------------- vectorize


@given(seed=st.integers(0, 99), frozen=st.sets(st.integers(0, 2), max_size=2))
@settings(max_examples=6)
def test_vectorized_networks_freeze_with_their_values(seed, frozen):
    rng = np.random.default_rng(seed)
    model = nn.MLP(3, [3, 2, 1], activation="tanh")
    for i in frozen:
        model.layers[i].freeze()
    fast = vectorize(model, 3)
    optimizer, was = nn.AdamW(fast, lr=0.1, weight_decay=0.5), model.state_dict()
    for _ in range(2):
        optimizer.zero_grad()
        (fast(rng.normal(size=(4, 3))) ** 2).mean().backward()
        optimizer.step()
    fast.sync()
    for path, x in model.state_dict().items():
        assert (x == was[path]) == (int(path.split(".")[1]) in frozen), path


def test_a_matrix_that_is_frozen_in_part_is_refused():
    model = nn.MLP(3, [4, 1])
    model.layers[0].neurons[0].freeze()
    with pytest.raises(TraceError, match="3 frozen Values among the 12 of w1"):
        vectorize(model, 3)


def test_values_that_were_frozen_later_are_not_overwritten():
    model = nn.MLP(3, [4, 1])
    fast = vectorize(model, 3, dtype=np.float32)
    model.layers[0].freeze()
    fast.sync()
    fast.parameters()[0].data[...] += 1
    fast.parameters()[2].data[...] += 1
    was = model.state_dict()
    with pytest.raises(ValueError, match="w1 of this program was trained, and holds Values that are frozen"):
        fast.sync()
    assert model.state_dict() == was


def test_gradients_of_half_a_network_are_checked():
    model = nn.dense(2, 3, 1, activation=nn.Tanh, rng=0, dtype=np.float64)
    model[2].freeze()
    x = np.random.default_rng(0).normal(size=(4, 2))
    report = autograd.check_gradients(lambda m: (m(x) ** 2).mean(), model)
    assert "layers.2" not in str(report)
