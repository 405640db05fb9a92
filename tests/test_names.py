# ruff: noqa: E501
"""Names of activations, initialisers, losses and optimisers, and calls in the style of other libraries."""

import copy
import inspect
import pickle
import random
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, Value
from nn import init, layers, losses
from nn.data import Batches
from nn.training import arguments

X = np.random.default_rng(0).normal(size=(12, 2))
Y = (X[:, 0] > 0).astype(int)


def outputs(model):
    return nn.predict(model, X)


def same_network(activation, **options):
    """Compare a network of layers with one of Values."""
    random.seed(0)
    return nn.dense(2, 3, 1, activation=activation, rng=0, dtype=np.float64), nn.MLP(2, [3, 1], activation)


SPELLINGS: dict[str, list[Any]] = {
    "tanh": ["tanh", "Tanh", "TANH", nn.Tanh, nn.Tanh(), autograd.tanh, np.tanh, lambda x: autograd.tanh(x), lambda: nn.Tanh()],
    "leaky_relu": ["leaky_relu", "LeakyReLU", "leaky-relu", nn.LeakyReLU, nn.LeakyReLU(), partial(nn.LeakyReLU, 0.01),
                   lambda x: autograd.leaky_relu(x, 0.01)],
    "elu": ["elu", nn.ELU, nn.ELU(1.0)],
    "sin": ["sin", autograd.sin, np.sin],
    "arcsin": ["arcsin", "asin", autograd.asin],
    "identity": ["identity", None, lambda x: x],
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_activation_in_every_spelling(name):
    wanted = [outputs(model) for model in same_network(SPELLINGS[name][0])]
    for spelling in SPELLINGS[name][1:]:
        for got, want in zip(map(outputs, same_network(spelling)), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, err_msg=repr(spelling))


@pytest.mark.parametrize("name", sorted(layers.activations()))
def test_every_activation_by_its_name_and_by_itself(name):
    """The registry holds the layers and the rows of one operand. Each works in both kinds of network."""
    found = layers.activations()[name]
    if name == "softmax":  # the softmax of one number is 1, so it is for layers only
        assert repr(nn.dense(2, 3, 1, activation=name)[1]) == "Softmax()"
        return
    for by_name, itself in zip(same_network(name), same_network(found), strict=True):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(outputs(by_name), outputs(itself))


def test_registries_hold_all_there_is():
    assert {
        kind.__name__ for kind in vars(nn).values() if inspect.isclass(kind) and issubclass(kind, layers.Activation)
    } == {kind.__name__ for name, kind in layers.activations().items() if inspect.isclass(kind)}
    kinds = {kind for kind in vars(nn).values() if inspect.isclass(kind) and issubclass(kind, nn.Optimizer)}
    assert set(arguments.optimizers().values()) == kinds - {nn.Optimizer}
    functions = {f for f in vars(nn).values() if getattr(f, "__module__", "") == losses.__name__}
    assert set(arguments.loss_functions().values()) == functions


def test_an_activation_with_parameters_is_each_layers_own():
    class Slope(nn.Module):
        def __init__(self):
            self.a = Tensor([0.5])

        def __call__(self, x):
            return autograd.maximum(x, self.a * x)

    shared = nn.dense(2, 3, 3, 1, activation=Slope())
    assert len(shared.parameters()) == 6 + 2
    assert shared[1].a is not shared[3].a


def test_names_survive_copies_and_pickles():
    for model in same_network("gelu") + same_network(nn.LeakyReLU(0.2)):
        for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(outputs(again), outputs(model))
            assert repr(again) == repr(model)


@pytest.mark.parametrize("name", [*init.initializers(), "Glorot_Uniform", "kaiming_normal", "He-Normal"])
def test_an_initialiser_by_name(name):
    found = init.initializer(name)
    for one, other in (
        (nn.Linear(3, 4, weight_init=name, rng=0), nn.Linear(3, 4, weight_init=found, rng=0)),
        (nn.dense(3, 4, 2, weight_init=name, rng=0), nn.dense(3, 4, 2, weight_init=found, rng=0)),
    ):
        for p, q in zip(one.parameters(), other.parameters(), strict=True):
            assert np.array_equal(p.data, q.data)


SIGNED = {"hinge": 2 * Y - 1, "kl_divergence": np.eye(2)[Y]}


@pytest.mark.parametrize("loss", [*arguments.loss_functions(), "MSE", "mae", "BCE", "CrossEntropy"])
@pytest.mark.parametrize("kind", [*arguments.optimizers(), "AdamW"])
def test_losses_and_optimisers_by_name(loss, kind):
    """Names of any loss and any optimiser give the same training as the objects."""
    if kind not in ("sgd", "AdamW") and loss != "squared_error":  # one row and one column of the table are enough
        return
    function = arguments.loss_function(loss)
    classes = function in (nn.cross_entropy, nn.multiclass_hinge, nn.kl_divergence)
    y = SIGNED.get(function.__name__, Y)
    named, made, classed = (nn.dense(2, 3, 2 if classes else 1, rng=0, dtype=np.float64) for _ in range(3))
    optimizer = arguments.optimizers()[kind.lower()]
    nn.fit(named, (X, y), loss, kind, lr=0.01, epochs=2, batch_size=5, progress=False)
    target = y if classes else y[:, None]
    nn.fit(made, Batches(X, target, batch_size=5), function, optimizer(made, lr=0.01), epochs=2, progress=False)
    nn.fit(classed, [X, y], function, optimizer, lr=0.01, epochs=2, batch_size=5, progress=False)
    for p, q, r in zip(*(model.parameters() for model in (named, made, classed)), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        np.testing.assert_array_equal(p.data, r.data)


def test_an_optimiser_by_name_has_its_own_learning_rate():
    model, other = nn.dense(2, 1, rng=0), nn.dense(2, 1, rng=0)
    nn.fit(model, (X, Y), "mse", "adam", epochs=1, progress=False)
    nn.fit(other, (X, Y), "mse", nn.Adam(other), epochs=1, progress=False)
    nn.fit(nn.dense(2, 1), (X, Y), "mse", partial(nn.SGD, lr=0.1, momentum=0.9), epochs=1, progress=False)
    assert np.array_equal(model[0].weight.data, other[0].weight.data)


def test_networks_of_values_train_on_arrays():
    random.seed(0)
    model = nn.MLP(2, [4, 1], activation="tanh")
    history = nn.fit(model, (X, Y), "binary_cross_entropy", "adam", lr=0.1, epochs=20, validate=(X, Y), progress=False)
    assert history["val_accuracy"][-1] > 0.9
    assert nn.evaluate(model, X, Y, loss="bce")["accuracy"] == history["val_accuracy"][-1]


def test_a_tuple_of_two_pairs_is_two_batches():
    for batches in (((X, Y[:, None]), (X, Y[:, None])), ((X, Y[:, None]), [X, Y[:, None]])):
        model, other = nn.dense(2, 1, rng=0), nn.dense(2, 1, rng=0)
        nn.fit(model, batches, "mse", "sgd", lr=0.1, epochs=1, progress=False)
        nn.fit(other, list(batches), nn.squared_error, nn.SGD(other, lr=0.1), epochs=1, progress=False)
        assert np.array_equal(model[0].weight.data, other[0].weight.data)


def test_calls_as_others_write_them():
    assert repr(nn.dense([2, 8, 1])) == repr(nn.dense(2, [8, 1])) == repr(nn.dense(2, 8, 1))
    assert repr(nn.MLP(3, 4)) == repr(nn.MLP([3, 4])) == repr(nn.MLP(3, np.array([4]))) == repr(nn.MLP(3, [4]))
    parts = nn.Linear(2, 8, rng=0), nn.ReLU()
    assert repr(nn.Sequential(list(parts))) == repr(nn.Sequential(iter(parts))) == repr(nn.Sequential(*parts))
    assert repr(nn.Sequential(nn.Linear(2, 8), "relu", nn.Tanh)) == "Sequential(Linear(2, 8), ReLU(), Tanh())"
    model = nn.dense(2, 1)
    assert nn.SGD(model.parameters, lr=0.1).parameters == nn.SGD(model, lr=0.1).parameters
    np.testing.assert_array_equal(np.roll(Tensor([1.0, 2.0]), 1).data, [2.0, 1.0])


def test_forward_is_called():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1, rng=0)

        def forward(self, x, scale=1.0):
            return self.layer(x) * scale

    class Without(nn.Module):
        def __init__(self):
            self.w = Value(2.0)

        def forward(self, x):
            return self.w * x

    net = Net()
    np.testing.assert_array_equal(net(X, scale=2.0).data, 2.0 * net.layer(X).data)
    assert Without()(3.0).data == 6.0
    nn.fit(net, (X, Y), "mse", "adam", epochs=1, progress=False)


def test_one_callback_needs_no_list():
    seen = []
    nn.fit(
        nn.dense(2, 1),
        (X, Y),
        "mse",
        "adam",
        epochs=2,
        progress=False,
        callbacks=lambda state: seen.append(state.epoch),
    )
    nn.fit(nn.dense(2, 1), (X, Y), "mse", "adam", epochs=1, progress=False, callbacks=nn.EarlyStopping(2))
    assert seen == [1, 2]


def test_what_an_object_has_not_is_plain_to_others():
    """Copies, pickles and hasattr look for attributes that do not exist."""
    things: list[Any] = [nn.dense(2, 1), Tensor([1.0])]
    for thing in things:
        assert not hasattr(thing, "nonsense")
        assert not {"cuda", "cpu"} & {*dir(thing)}
        assert getattr(thing, "cuda", None) is None
        with pytest.raises(AttributeError) as caught:
            thing.shap
        assert (caught.value.name, caught.value.obj) == ("shap", thing) or caught.value.obj is thing


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, bool])
@pytest.mark.parametrize("p", [0.3, 0.5])
def test_dropout_keeps_the_mean_of_every_dtype(dtype, p):
    """Once, the factor was rounded to the dtype of the data: 1 / 0.7 became 1."""
    x = np.ones((4, 50), dtype)
    out = np.asarray(nn.Dropout(p, rng=0)(x))
    np.testing.assert_allclose(out[out != 0], 1 / (1 - p), rtol=1e-6)
