"""A summary describes the model, and changes nothing."""

import html
import pickle
import random
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, Value


def state(model):
    """The whole state of a model, and of the shared random generators."""
    return pickle.dumps(model), random.getstate(), pickle.dumps(np.random.get_state())


@st.composite
def networks(draw):
    """Nested layers on 4 features, some of them in two places, some frozen."""
    known = [nn.Linear(4, 4, rng=0), nn.Linear(4, 4, bias=False, rng=1), nn.Dropout(0.5, rng=2), nn.ReLU()]
    leaves = st.sampled_from([*known, autograd.tanh, nn.LeakyReLU()]) | st.builds(lambda: nn.Linear(4, 4, rng=3))
    trees = st.recursive(leaves, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda x: nn.Sequential(*x)))
    model = nn.Sequential(*draw(st.lists(trees, min_size=1, max_size=4)))
    for module in model.modules():
        if isinstance(module, nn.Linear) and draw(st.booleans()):
            module.freeze()
    return model


@given(model=networks(), n=st.integers(1, 5))
@settings(max_examples=15)
def test_any_network(model, n):
    before = state(model)
    plain, with_shape, with_array = model.summary(), model.summary(4), model.summary(np.zeros((n, 4), np.float32))
    assert state(model) == before
    parameters = model.parameters()
    for found in (plain, with_shape, with_array):
        assert found.parameters == sum(p.size for p in parameters) == sum(row.parameters for row in found.rows)
        assert found.frozen == sum(p.size for p in parameters if not p.requires_grad)
        assert found.size == sum(p.data.nbytes for p in parameters)

    def steps(layer, path=""):
        """The layers in the order in which they are called."""
        for i, x in enumerate(layer.layers):
            at = f"{path}layers.{i}"
            yield from steps(x, f"{at}.") if isinstance(x, nn.Sequential) else [(at, x)]

    assert [row.path for row in plain.rows] == [path for path, _ in steps(model)]
    for row in plain.rows:
        layer = dict(steps(model))[row.path]
        assert row.output == "" and row.kind == (repr(layer) if isinstance(layer, nn.Module) else "tanh")
        own = layer.parameters() if isinstance(layer, nn.Module) else []
        assert row.weights == " + ".join(str(p.shape) for p in own)
        if row.state != "shared":
            assert row.state == ("" if all(p.requires_grad for p in own) else "frozen")
    for summary, shape in ((with_shape, "(batch, 4)"), (with_array, f"({n}, 4)")):
        assert {row.output for row in summary.rows} == {shape}


def test_networks_of_values():
    random.seed(0)
    model = nn.MLP(3, [4, 1])
    model.layers[1].freeze()
    before = state(model)
    for x in (3, (3,), (None, 3), [1.0, 2.0, 3.0], np.ones(3), [Value(1.0)] * 3):
        assert str(model.summary(x)) == (
            "MLP\n"
            "layer     kind                weights    output  parameters\n"
            "layers.0  Layer(3, 4) + relu  16 Values  (4,)            16\n"
            "layers.1  Layer(4, 1)         5 Values   ()               5  frozen\n"
            "21 parameters: 16 trained, 5 frozen (168 bytes)"
        )
    assert state(model) == before
    assert nn.Neuron(2).summary().rows[0].weights == "3 Values"


class Cell(nn.Module):
    """A neuron of the user's own class."""

    def __init__(self, n):
        self.w = [Value(0.1) for _ in range(n)]

    def __call__(self, x):
        return autograd.dot(self.w, x)


class Own(nn.Module):
    """A module with Values, Tensors, a layer that it does not call, several outputs, and a counter."""

    def __init__(self):
        self.scale = Tensor(np.ones(2, np.float32), label="s")
        self.inner = {"a.b": nn.Linear(2, 3, rng=0), "<i>\x1b": nn.Linear(3, 2, rng=0)}
        self.unused = nn.Linear(2, 2, rng=0)
        self.cells = [Cell(2), Cell(2), Cell(2)]
        self.calls = 0
        self.rng = np.random.default_rng(0)

    def __call__(self, x):
        self.calls += 1
        self.rng.random(), random.random(), np.random.random()
        return self.inner["<i>\x1b"](self.inner["a.b"](x * self.scale)), {"rows": x.sum(axis=1)}


def test_any_module():
    model = Own()
    model.unused.weight.requires_grad = False
    before = state(model)
    found = model.summary(2)
    assert state(model) == before
    assert [tuple(row) for row in found.rows] == [
        ("", "Own", "(2,) + 6 Values", "(batch, 2), (batch,)", 8, ""),
        ("inner.a.b", "Linear(2, 3)", "(2, 3) + (3,)", "(batch, 3)", 9, ""),
        ("inner.<i>\\x1b", "Linear(3, 2)", "(3, 2) + (2,)", "(batch, 2)", 8, ""),
        ("unused", "Linear(2, 2)", "(2, 2) + (2,)", "not called", 6, "partly frozen"),
    ]
    assert found.parameters == 31 and found.frozen == 4 and repr(found) == str(found)
    page = found._repr_html_()
    assert "<i>" not in page and "\x1b" not in page
    cells = [html.unescape(x) for x in re.findall("<td[^>]*>(.*?)</td>", page)]
    assert cells == [x for line in found.table()[1:] for x in line]


def test_a_layer_in_two_places_is_shared():
    layer = nn.Linear(3, 3)
    tied = nn.Linear(3, 3)
    tied.weight = layer.weight
    rows = nn.Sequential(layer, nn.Tanh(), layer, tied).summary((3,)).rows
    assert [(row.parameters, row.state) for row in rows] == [(12, ""), (0, ""), (0, "shared"), (3, "")]
    assert {row.output for row in rows} == {"(batch, 3)"}


def test_what_does_not_fit():
    model: Any = nn.dense(3, 2)
    with pytest.raises(ValueError, match=r"Linear\(3, 2\).* was given an input of shape \(2, 4\)") as caught:
        model.summary(4)
    assert caught.value.__notes__ == [
        "(in summary: a shape is that of one sample, without the batch; an array is passed on as it is)"
    ]
    model.computed = model[0].weight * 2.0
    assert model.summary().parameters == 8
    with pytest.raises(TypeError) as refused:
        model.summary(3)
    assert "summary runs a copy of the Sequential" in refused.value.__notes__[0]


def test_it_leaves_no_graph():
    model = nn.dense(2, 2, rng=0)
    model.summary(2)
    model.summary(Tensor(np.ones((1, 2), np.float32)))
    assert all(p.grad is None for p in model.parameters()) and model.training
