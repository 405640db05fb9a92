"""`Module` and its subclasses: finding parameters, state dicts, scalar neurons, layers on Tensors."""

import copy
import inspect
import math
import pickle
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, Value

# -------------------------------------------------------------------------------------------------------- Module


class Mixed(nn.Module):
    def __init__(self):
        self.scale = Value(2.0)
        self.table: dict[str, Any] = {"a": Tensor([1.0]), "b": [Value(3.0), 4.0]}
        self.shared = self.scale
        self.grid = np.array([[Value(5.0)], [Value(6.0)]])
        self.constant = np.ones(3)
        self.inner = nn.Linear(2, 1, rng=0)
        self.loop = self  # a module may refer to itself
        self.computed = self.scale * 2.0  # a result is not a parameter


def test_parameters_are_found_by_path():
    names = [name for name, _ in Mixed().named_parameters()]
    assert names == ["scale", "table.a", "table.b.0", "grid.0.0", "grid.1.0", "inner.weight", "inner.bias"]


def test_a_class_of_modules_is_called_as_its_init_says():
    class Own(nn.Module):
        def __init__(self, a: int, *, b=2) -> None:
            self.a = a

        def __call__(self, x):
            return x

    class Inherited(Own):
        pass

    class Bare(nn.Module):
        pass

    for kind in (Own, Inherited):
        call: Any = kind
        assert str(inspect.signature(kind)) == "(a: int, *, b=2) -> None"
        assert str(inspect.signature(kind(1))) == "(x)"
        with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional argument: 'a'"):
            call()
    assert str(inspect.signature(Bare)) == "()"
    for arguments, named in (((1,), {}), ((), {"a": 1})):
        with pytest.raises(TypeError, match=r"^Bare\(\) takes no arguments$"):
            Bare(*arguments, **named)


def test_modes_and_zero_grad():
    model = Mixed()
    model.eval()
    assert not model.training
    assert not model.inner.training
    assert model.train() is model
    assert model.inner.training
    for p in model.parameters():
        p.grad = 1.0 if isinstance(p, Value) else np.ones(p.shape)
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0, None, 0.0, 0.0, 0.0, None, None]


def test_state_dict_round_trip():
    model, other = Mixed(), Mixed()
    for p in model.parameters():
        p.data = p.data + 1.0
    state = model.state_dict()
    other.load_state_dict(state)
    for (name, p), (_, q) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert np.array_equal(p.data, q.data), name
    state["table.a"][0] = 99.0  # a copy: neither model changes
    assert model.table["a"].data[0] == other.table["a"].data[0] == 2.0


def test_load_state_dict_lists_everything_and_changes_nothing():
    model = Mixed()
    before = model.state_dict()
    state = model.state_dict()
    del state["scale"]
    state["inner.weight"] = np.zeros((3, 1), np.float32)
    state["inner.bias"] = np.zeros(1)
    state["table.b.0"] = "three"
    state["stranger"] = 1.0
    state["table.a"] = np.array([7.0])  # it fits, but must not be loaded either
    with pytest.raises(ValueError, match="unchanged") as raised:
        model.load_state_dict(state)
    for complaint in (
        "scale: missing",
        "inner.weight: shape (3, 1), expected (2, 1)",
        "inner.bias: dtype float64, expected float32",
        "table.b.0: dtype <U5, expected a real number",
        "stranger: not a parameter",
    ):
        assert complaint in str(raised.value)
    after = model.state_dict()
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_models_copy_and_pickle():
    for model in (nn.MLP(2, [3, 1]), nn.dense(2, 3, 1, rng=0)):
        x = [0.5, -1.0] if isinstance(model, nn.MLP) else np.array([[0.5, -1.0]], np.float32)
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert twin(x).item() == model(x).item()
            twin.parameters()[0].data = twin.parameters()[0].data + 1.0
            assert twin.state_dict().keys() == model.state_dict().keys()
            assert not np.array_equal(twin.parameters()[0].data, model.parameters()[0].data)


# ------------------------------------------------------------------------------------------------ scalar neurons


def test_neuron_with_given_weights():
    neuron = nn.Neuron(2, activation="sigmoid")
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0, 1, 4
    assert math.isclose(neuron([2, 3]).data, 0.9990889488055994, rel_tol=1e-14)
    assert repr(neuron) == "SigmoidNeuron(2)"


def test_wrong_sizes_and_names_are_refused():
    with pytest.raises(ValueError, match="2 inputs was given 3"):
        nn.Neuron(2)([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="relux"):
        nn.Neuron(2, activation="relux")


@given(seed=st.integers(0, 2**32 - 1), activation=st.sampled_from(["relu", "tanh", "sigmoid", "gelu"]))
def test_scalar_and_tensor_networks_agree(seed, activation):
    """The same weights in an MLP of neurons and in Linear layers give the same numbers and gradients."""
    rng = np.random.default_rng(seed)
    state = random.getstate()
    random.seed(seed)
    scalar = nn.MLP(3, [4, 2], activation=activation)
    random.setstate(state)
    layer = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}[activation]
    tensor = nn.dense(3, 4, 2, activation=layer, dtype=np.float64)
    for neurons, linear in zip((one.neurons for one in scalar.layers), tensor.layers[::2], strict=True):
        linear.weight.data = np.array([[w.data for w in n.w] for n in neurons]).T
        linear.bias.data = np.array([n.b.data for n in neurons])
    x = rng.normal(size=(2, 3))
    outs = [scalar(row) for row in x.tolist()]
    loss = autograd.sum([out * out for pair in outs for out in pair])
    loss.backward()
    batch = tensor(x)
    (batch * batch).sum().backward()
    np.testing.assert_allclose([[o.data for o in pair] for pair in outs], batch.data, rtol=1e-12, atol=1e-13)
    for neurons, linear in zip((one.neurons for one in scalar.layers), tensor.layers[::2], strict=True):
        got = np.array([[w.grad for w in n.w] for n in neurons]).T
        np.testing.assert_allclose(got, linear.weight.grad, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose([n.b.grad for n in neurons], linear.bias.grad, rtol=1e-10, atol=1e-12)


# -------------------------------------------------------------------------------------------------------- layers


def test_linear():
    layer = nn.Linear(3, 2, rng=0)
    assert layer.bias is not None
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data + layer.bias.data, rtol=1e-6)
    assert layer(x).dtype == np.float32
    assert nn.Linear(3, 2, bias=False).parameters()[0].shape == (3, 2)
    assert repr(layer) == "Linear(3, 2)"
    with pytest.raises(ValueError, match=r"Linear\(3, 2\).*\(4, 2\)"):
        layer(np.ones((4, 2), np.float32))
    with pytest.raises(ValueError, match="0"):
        nn.Linear(0, 2)


def test_the_same_seed_gives_the_same_network():
    a, b, c = nn.dense(4, 3, 2, rng=1), nn.dense(4, 3, 2, rng=1), nn.dense(4, 3, 2, rng=2)
    assert all(np.array_equal(x.data, y.data) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not np.array_equal(a[0].weight.data, c[0].weight.data)


@pytest.mark.parametrize(
    "layer",
    [
        nn.ReLU(),
        nn.Sigmoid(),
        nn.Tanh(),
        nn.GELU(),
        nn.SiLU(),
        nn.Softplus(),
        nn.LeakyReLU(0.2),
        nn.ELU(0.5),
        nn.Softmax(),
    ],
    ids=repr,
)
def test_activations(layer):
    name = {"leakyrelu": "leaky_relu"}.get(type(layer).__name__.lower(), type(layer).__name__.lower())
    extra = [getattr(layer, key) for key in ("slope", "alpha") if hasattr(layer, key)]
    x = np.linspace(-2, 2, 6).reshape(2, 3)
    np.testing.assert_allclose(layer(Tensor(x)).data, getattr(autograd, name)(x, *extra), rtol=1e-14)
    assert layer.parameters() == []
    assert repr(layer).startswith(type(layer).__name__)


@given(p=st.floats(0.05, 0.9), seed=st.integers(0, 1000))
def test_dropout(p, seed):
    layer = nn.Dropout(p, rng=seed)
    x = Tensor(np.ones((50, 40), np.float32))
    out = layer(x)
    assert out.dtype == np.float32
    kept = out.data != 0
    np.testing.assert_allclose(out.data[kept], 1 / (1 - p), rtol=1e-6)
    assert abs(kept.mean() - (1 - p)) < 5 * math.sqrt(p * (1 - p) / x.size)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)
    assert layer.eval()(x) is x
    with pytest.raises(ValueError, match=r"1\.5"):
        nn.Dropout(1.5)


def test_sequential_and_dense():
    model = nn.dense(4, 3, 3, 2, dropout=0.5, rng=0)
    kinds = "Linear ReLU Dropout Linear ReLU Dropout Linear"
    assert " ".join(type(layer).__name__ for layer in model) == kinds
    assert (len(model), model[0].weight.shape) == (7, (4, 3))
    assert nn.Sequential(nn.Flatten(), nn.Linear(6, 1))(np.ones((5, 2, 3), np.float32)).shape == (5, 1)
    with pytest.raises(ValueError, match=r"\(3,\)"):
        nn.dense(3)
