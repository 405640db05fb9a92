"""`Naming`: names and roles of nodes, from labels and from living modules."""

import copy
import gc
import pickle
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, explain, tree
from autograd.explaining.naming import INPUTS, LOSS, MODULES, Naming, bracketed, summary
from autograd.explaining.view import View
from autograd.testing import expressions


def perceptron(sizes=(2, 1), seed=0):
    random.seed(seed)
    return nn.MLP(2, list(sizes), activation="tanh")


# -------------------------------------------------------------------------------------------- modules, unlabelled


def test_an_mlp_is_named_and_grouped_by_layer_and_neuron():
    model = perceptron()
    x, y = [Value(1.0), Value(2.0)], Value(0.5)
    out = model(x)
    loss = (out - y) ** 2
    names = Naming([loss])
    for path, p in model.named_parameters():
        assert names.full_name(p) == bracketed(path)
        assert names.role(p) == "param"
        layer, neuron = path.split(".")[1:4:2]
        assert names.chain(p) == (f"layers.{layer}", f"neurons.{neuron}")
    assert names.name(model.layers[0].neurons[1].w[1]) == "w1"
    assert names.name(model.layers[0].neurons[1].b) == "b"
    assert [names.role(v) for v in x] == ["input", "input"]
    assert [names.chain(v) for v in x] == [INPUTS, INPUTS]
    assert (names.role(y), names.chain(y)) == ("target", LOSS)
    assert (names.role(loss), names.chain(loss)) == ("loss", LOSS)
    assert (names.role(out), names.chain(out)) == ("computed", ("layers.1", "neurons.0"))
    assert names.title(("layers.0",)) == "layers.0 · Layer(2→2) + tanh"


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "silu", "softplus"])
def test_what_a_neuron_computes_belongs_to_it(activation):
    model = nn.MLP(2, [3, 2], activation=activation)
    outs = model([Value(1.0), Value(2.0)])
    names = Naming(outs)
    for node in names.nodes:
        if not node.is_leaf:
            assert len(names.chain(node)) == 2
    for k, layer in enumerate(model.layers):
        for j, neuron in enumerate(layer.neurons):
            mine = [node for node in names.nodes if names.chain(node) == (f"layers.{k}", f"neurons.{j}")]
            assert len(mine) == len(neuron.parameters()) + 1 + (k == 0)  # w·x + b, and the activation


def test_a_sequence_of_layers():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x, y = Tensor(np.ones((4, 2))), Tensor(np.zeros((4, 1)))
    out = model(x)
    loss = ((out - y) ** 2).mean()
    names = Naming([loss])
    first, _, last = model.layers
    assert [names.full_name(p) for p in (first.weight, last.bias)] == ["layers.0.weight", "layers.2.bias"]
    assert [names.chain(p) for p in (first.weight, last.bias)] == [("layers.0",), ("layers.2",)]
    assert (names.role(x), names.role(y)) == ("input", "target")
    assert names.chain(out) == ("layers.2",)
    assert names.chain(loss) == LOSS
    hidden = next(node for node in names.nodes if node.op and node.op.name == "tanh")
    assert names.chain(hidden) == ("layers.0",)


class Mine(nn.Module):
    """A user's module, with a list in a dictionary and a dot in a key."""

    def __init__(self):
        self.w = Value(2.0)
        self.inner: dict[str, Any] = {"a": [Value(1.0), Value(3.0)], "b.c": Value(0.5)}

    def __call__(self, x):
        return (self.w * x + self.inner["a"][0]).tanh() * self.inner["a"][1] + self.inner["b.c"]


def test_a_module_of_ones_own():
    model, x = Mine(), Value(1.0)
    out = model(x)
    names = Naming([out])
    parameters = [model.w, *model.inner["a"], model.inner["b.c"]]
    assert [names.full_name(p) for p in parameters] == ["w", "inner.a[0]", "inner.a[1]", "inner.b.c"]
    assert [names.name(p) for p in parameters] == ["w", "a0", "a1", "c"]
    assert {names.chain(p) for p in parameters} == {("Mine",)}
    assert names.role(x) == "input"
    assert summary(model) == "Mine"
    assert "inner.a[1]" in tree(out, ascii=False)


def test_two_models_at_once():
    first, second = perceptron(), nn.MLP(1, [1])
    loss = (second([first([1.0, 2.0])]) - 1) ** 2
    for model, prefixes in ((None, ("MLP 1.", "MLP 2.")), ([second, first], ("MLP 2.", "MLP 1."))):
        names = Naming([loss], model=model)
        for one, prefix in zip((first, second), prefixes, strict=True):
            for path, p in one.named_parameters():
                assert names.full_name(p) == prefix + bracketed(path)
                assert names.chain(p)[0] == prefix.strip(".")
        assert len({names.full_name(p) for p in first.parameters() + second.parameters()}) == 11


def test_other_models_do_not_matter():
    other = perceptron(seed=1)
    model = perceptron()
    loss = model([1.0, 2.0]) ** 2
    other([1.0, 2.0])
    assert Naming([loss]).full_name(model.layers[0].neurons[0].b) == "layers.0.neurons.0.b"


def test_a_part_of_a_model_is_found_in_the_whole():
    model = perceptron()
    out = model.layers[0].neurons[0]([1.0, 2.0])
    assert Naming([out]).full_name(model.layers[0].neurons[0].b) == "layers.0.neurons.0.b"
    alone = Naming([out], model=model.layers[0].neurons[0])
    assert alone.full_name(model.layers[0].neurons[0].w[1]) == "w[1]"
    assert alone.chain(out) == ("TanhNeuron(2)",)


def test_labels_come_before_paths():
    model = perceptron()
    weight = model.layers[0].neurons[0].w[0]
    weight.label = "w11"
    out = model([1.0, 2.0])
    assert Naming([out]).name(weight) == Naming([out]).full_name(weight) == "w11"
    assert str(explain(out, weight)).startswith("∂L/∂w₁₁ = ")


# ------------------------------------------------------------------------------------------------ labels, by hand


def by_hand():
    v = {name: Value(k + 1.0) for k, name in enumerate(("x1", "x2", "w1", "w2", "b", "y"))}
    out = (v["w1"] * v["x1"] + v["w2"] * v["x2"] + v["b"]).tanh()
    loss = (out - v["y"]) ** 2
    return loss, out, v


def test_a_labelled_network_needs_no_module():
    loss, out, v = by_hand()
    for name, node in v.items():
        node.label = name
    names = Naming([loss])
    roles = {name: names.role(node) for name, node in v.items()}
    assert roles == {"x1": "input", "x2": "input", "w1": "param", "w2": "param", "b": "param", "y": "target"}
    assert (names.role(out), names.role(loss)) == ("computed", "loss")
    assert names.chain(v["w1"]) == ()
    assert View([loss]).pretty(out.parents[0].parents[0].parents[0]) == "w₁·x₁"


def test_without_any_name_leaves_are_leaves():
    loss, _, v = by_hand()
    names = Naming([loss])
    assert {names.role(node) for node in v.values()} == {"leaf"}
    assert {names.name(node) for node in names.nodes} == {""}


def test_labels_of_a_view():
    loss, out, v = by_hand()
    w1, w2, x1, hidden, _1 = v["w1"], v["w2"], v["x1"], [v["b"]], v["y"]
    names = Naming([loss], labels=locals())
    assert [names.name(x) for x in (w1, w2, x1, out, loss)] == ["w1", "w2", "x1", "out", "loss"]
    assert (names.name(hidden[0]), names.name(_1)) == ("", "")  # lists and a notebook's `_1` are no names
    assert names.role(x1) == "input"
    assert w1.label == ""
    w1.label = "own"
    assert Naming([loss], labels={"given": w1}).name(w1) == "own"


def test_explicit_roles_and_clusters_win():
    model = perceptron()
    x, y = [Value(1.0), Value(2.0)], Value(0.5)
    out = model(x)
    loss = (out - y) ** 2
    weight = model.layers[0].neurons[0].w[0]
    names = Naming(
        [loss],
        clusters={"mine": {"weights": [weight], "data": x}, "end": [out]},
        roles={"input": [weight], "param": [y]},
    )
    assert names.chain(weight) == ("mine", "weights")
    assert names.chain(x[0]) == ("mine", "data")
    assert names.chain(out) == ("end",)
    assert (names.role(weight), names.role(y)) == ("input", "param")
    assert names.role(model.layers[0].neurons[0].w[1]) == "param"


def test_clusters_without_modules():
    loss, out, v = by_hand()
    names = Naming([loss], clusters={"neuron": [v["w1"], v["w2"], v["b"]]}, roles={"param": [v["w1"], v["w2"], v["b"]]})
    assert names.chain(v["w2"]) == ("neuron",)
    assert names.chain(out) == ("neuron",)
    assert (names.role(v["x1"]), names.role(v["y"])) == ("input", "target")


def test_roles_that_do_not_exist_are_refused():
    loss, _, v = by_hand()
    with pytest.raises(ValueError, match="one of param, input, target, leaf, computed, loss, not 'weight'"):
        Naming([loss], roles={"weight": [v["w1"]]})


# ------------------------------------------------------------------------------------------------------- anything


@given(expressions(), st.data())
def test_every_node_has_a_role(f, data):
    leaves = [Value(x) for x in f.leaves]
    nodes = f.nodes(*leaves)
    for node in nodes:
        node.label = data.draw(st.sampled_from(["", "x1", "w", "y", "L", "input_2"]))
    names = Naming([nodes[-1]], model=[])
    for node in names.nodes:
        role = names.role(node)
        assert role in (("param", "input", "target", "leaf") if node.is_leaf else ("computed", "loss"))
        assert (role == "loss") == (node is nodes[-1] and not node.is_leaf)


@given(expressions())
def test_everything_below_in_order_with_its_uses(f):
    leaves = [Value(x) for x in f.leaves]
    out = f.nodes(*leaves)[-1]
    names = Naming([out])
    order, uses = names.nodes, names.uses
    place = {id(node): k for k, node in enumerate(order)}
    assert len(place) == len(order)
    for node in order:
        assert all(place[id(x)] < place[id(node)] for x in node.parents)
        edges = sum(x is node for other in order for x in other.parents)
        assert uses[id(node)] == edges + (node is out)


def test_nodes_are_listed_as_they_are_read():
    a, b, c, d = (Value(2.0, label) for label in "abcd")
    names = Naming([a * b + c * d, d])
    assert [names.name(x) or x.op.infix for x in names.nodes] == ["a", "b", "*", "c", "d", "*", "+"]


# ------------------------------------------------------------------------------------------------ modules alive


@dataclass
class Equal(nn.Module):
    """A module with `__eq__`, so it has no hash."""

    w: Value


class Table(nn.Module, dict):
    """A module that is also a dict."""

    def __init__(self, **entries):
        super().__init__(**entries)
        self.w = Value(3.0)


class Silent(nn.Module):
    """A module whose `__init__` does not call `Module.__init__`."""

    def __init__(self, w=2.0):
        self.w = Value(w)


MADE = {
    "by a class": Silent,
    "by a class with __eq__": lambda: Equal(Value(2.0)),
    "of another base": lambda: Table(a=1),
    "by copy": lambda: copy.copy(Silent()),
    "by deepcopy": lambda: copy.deepcopy(Silent()),
    "by pickle": lambda: pickle.loads(pickle.dumps(Silent())),
    "by __new__": lambda: filled(Silent.__new__(Silent)),
}


def filled(model):
    model.w = Value(2.0)
    return model


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_module_is_known_however_it_was_made(make):
    model = make()
    assert Naming([model.w * 2.0]).full_name(model.w) == "w"


def test_modules_are_not_kept_alive():
    model = nn.MLP(2, [3, 1])
    ids = {id(module) for module in model.modules()}
    assert len(ids) > 6
    assert ids <= set(MODULES)
    del model
    gc.collect()
    assert not ids & set(MODULES)


def test_a_half_made_module_does_no_harm():
    class Early(nn.Module):
        def __init__(self):
            self.w = Value(2.0)
            self.parts: list[nn.Module]  # is never set
            self.seen = Naming([self.w * 2.0]).full_name(self.w)

        def modules(self):
            return iter([self, *self.parts])  # there are never any

    model = nn.Neuron(2)
    early = Early()
    out = model([1.0, 2.0])
    assert Naming([out]).full_name(model.w[1]) == "w[1]"
    assert early.seen == ""


def test_strangers_are_not_asked():
    """Objects of other libraries may have `named_parameters` too. It is not called, since it could do anything."""
    asked = []

    class Foreign:
        def named_parameters(self):
            asked.append(self)
            return iter([])

        modules = named_parameters

    stranger = Foreign()
    model = nn.Neuron(2)
    out = model([1.0, 2.0])
    assert Naming([out]).full_name(model.w[1]) == "w[1]"
    assert not asked
    assert stranger
