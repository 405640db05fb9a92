"""`explain`: the paths add up to the gradient, and the text is a textbook's derivation."""

import gc
import math
import random
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor, Value, explain, mean, ops
from autograd.explaining.notation import TEXT
from autograd.testing import expressions
from nn import MLP

EVERYTHING = 10**6


def below(node, order=None):
    """A node and the nodes it was computed from, operands before results."""
    order = [] if order is None else order
    if all(node is not x for x in order):
        for x in node.parents:
            below(x, order)
        order.append(node)
    return order


def paths_of(loss, variable):
    """All paths as lists of nodes, by brute force. A node that uses an operand twice adds one path."""
    if loss is variable:
        return [[loss]]
    parents = list({id(x): x for x in loss.parents}.values())
    return [[loss, *path] for x in parents for path in paths_of(x, variable)]


def product_of(path):
    """The product along a path, from the engine's own local derivatives."""
    product = 1.0
    for of, by in pairwise(path):
        shares = of._cotangents(1.0, live=False)
        product *= sum(float(s) for x, s in zip(of.operands, shares, strict=True) if x is by and s is not None)
    return product


def number(formula, names):
    """The number of a formula."""
    return float(eval(str(formula), {**ops.ROWS, "inf": math.inf, "nan": math.nan, **names}))


# ------------------------------------------------------------------------------------------------ random graphs


@given(expressions(max_ops=8), st.booleans())
def test_paths_add_up_to_the_gradient(f, labelled):
    leaves = [Value(x) for x in f.leaves]
    nodes = f.nodes(*leaves)
    if labelled:
        for k, node in enumerate(nodes):
            node.label = f"n{k}"
    loss = nodes[-1]
    loss.backward()
    for leaf in leaves:
        e = explain(loss, leaf, limit=EVERYTHING, model=[])
        expected = paths_of(loss, leaf) if any(x is leaf for x in below(loss)) else []
        products = [path.product for path in e.paths]
        size = sum(map(abs, products))
        near = {"rel_tol": 0, "abs_tol": 1e-12 * size + 1e-300}
        assert e.count == len(e.paths) == len(expected)
        assert math.isclose(sum(products), leaf.grad, **near)
        assert math.isclose(e.gradient, leaf.grad, **near)
        assert np.allclose(sorted(products), sorted(map(product_of, expected)), rtol=1e-12, atol=1e-12 * size)
        assert [abs(p) for p in products] == sorted(map(abs, products), reverse=True)
        assert sum(group.count for group in e.groups) == (e.count if loss is not leaf else 0)
        if loss is not leaf:
            assert math.isclose(sum(group.total for group in e.groups), leaf.grad, **near)
        if size:
            assert math.isclose(sum(path.share for path in e.paths), 1)
            assert loss is leaf or math.isclose(sum(group.share for group in e.groups), 1)
        names = {f"n{i}": node.data for i, node in enumerate(nodes)} if labelled else {}
        for path in e.paths:
            assert math.isclose(path.product, math.prod(factor.number for factor in path.factors), rel_tol=1e-12)
            assert path.nodes[:1] == (() if loss is leaf else (e.of,)) and path.nodes[-1:] in ((), (e.by,))
            for factor in path.factors if labelled else ():
                assert factor.formula is not None
                assert math.isclose(number(factor.formula, names), factor.number, rel_tol=1e-9, abs_tol=1e-12)
        assert_well_set(e)


def assert_well_set(e):
    """The equals signs of the text are aligned. Braces and parentheses of LaTeX are balanced."""
    latex = e.latex
    assert len(re.findall(r"(?<!\\)\{", latex)) == len(re.findall(r"(?<!\\)\}", latex))
    assert latex.count(r"\left") == latex.count(r"\right")
    assert e._repr_latex_() == f"$$\n{latex}\n$$"
    for block in str(e).split("\n\n"):
        signs = [line.index(" = ") for line in block.splitlines() if re.match(r" *(∂\S+)? *= ", line)]
        assert len(set(signs)) <= 1, block


@given(expressions(max_ops=8), st.data())
def test_some_names_are_enough(f, data):
    """With any labels, the sum over the paths is the gradient, and paths are counted by the labels they visit."""
    leaves = [Value(x) for x in f.leaves]
    nodes = f.nodes(*leaves)
    for k, node in enumerate(nodes):
        if data.draw(st.booleans()):
            node.label = f"n{k}"
    loss = nodes[-1]
    loss.backward()
    variable = data.draw(st.sampled_from(below(loss)))  # not only leaves
    grad = 1.0 if variable is loss else variable.grad
    e = explain(loss, variable, limit=EVERYTHING, model=[])
    products = [path.product for path in e.paths]
    assert len(products) == e.count >= 1
    steps = sum(abs(product_of(path)) for path in paths_of(loss, variable))
    names = {node.label: node.data for node in nodes if node.label}
    for factor in (factor for path in e.paths for factor in path.factors):
        if factor.formula is not None and factor.formula.names <= names.keys():
            assert math.isclose(number(factor.formula, names), factor.number, rel_tol=1e-6, abs_tol=1e-9)
    assert math.isclose(sum(products), grad, rel_tol=0, abs_tol=1e-12 * steps + 1e-300)


@given(expressions(max_ops=8), st.integers(1, 3))
def test_a_limit_leaves_the_largest(f, limit):
    leaves = [Value(x) for x in f.leaves]
    loss = f.nodes(*leaves)[-1]
    for leaf in leaves:
        few, every = explain(loss, leaf, limit=limit, model=[]), explain(loss, leaf, limit=EVERYTHING, model=[])
        assert [p.product for p in few.paths] == [p.product for p in every.paths[:limit]]
        assert (few.count, few.gradient, few.groups) == (every.count, every.gradient, every.groups)


# ---------------------------------------------------------------------------------------------- the 2-2-1 network


def neuron(a, b, x, y, bias, name):
    z = a * x + b * y + bias
    z.label = f"z{name}"
    h = z.sigmoid()
    h.label = f"h{name}"
    return h


def small_network():
    """A textbook's network: two inputs, two hidden neurons, one output, all with sigmoids."""
    names = {"x1": 1, "x2": -2, "y": 1, "w11": 0.8, "w12": -0.4, "w21": -0.3, "w22": 0.9, "b1": 0.1, "b2": -0.2}
    names |= {"u1": 1.2, "u2": -0.7, "c": 0.05}
    v = {name: Value(x, label=name) for name, x in names.items()}
    h1 = neuron(v["w11"], v["w12"], v["x1"], v["x2"], v["b1"], 1)
    h2 = neuron(v["w21"], v["w22"], v["x1"], v["x2"], v["b2"], 2)
    out = neuron(v["u1"], v["u2"], h1, h2, v["c"], 3)
    out.label = "y_hat"
    e = out - v["y"]
    e.label = "e"
    loss = e.square()
    loss.label = "L"
    return loss, v


def test_the_textbook_derivation():
    loss, v = small_network()
    loss.backward()
    e = explain(loss, v["w11"])
    assert str(e) == "\n".join([
        "∂L/∂w₁₁ = ∂L/∂e · ∂e/∂ŷ · ∂ŷ/∂z₃ · ∂z₃/∂h₁ · ∂h₁/∂z₁ · ∂z₁/∂w₁₁",
        "        = 2e · 1 · ŷ(1−ŷ) · u₁ · h₁(1−h₁) · x₁",
        "        = (−0.5375) · 1 · 0.1965 · 1.2 · 0.1306 · 1",
        "        = −0.01656",
    ])  # fmt: skip
    assert (
        e.latex.splitlines()[2]
        == r"&= 2 e \cdot 1 \cdot \hat{y} (1 - \hat{y}) \cdot u_{1} \cdot h_{1} (1 - h_{1}) \cdot x_{1} \\"
    )
    assert e.paths[0].nodes == ("L", "e", "y_hat", "z3", "h1", "z1", "w11")
    assert math.isclose(e.paths[0].product, v["w11"].grad, rel_tol=1e-12)
    for x in v.values():
        assert math.isclose(explain(loss, x).gradient, x.grad, rel_tol=1e-12)


def test_an_input_has_a_path_through_each_neuron():
    loss, v = small_network()
    e = explain(loss, v["x1"])
    text = str(e).splitlines()
    assert text[0] == "∂L/∂x₁ = −0.01508, the sum over 2 paths"
    assert text[2] == "path 1, 87.8% of the total:"
    assert text[-1] == "sum: (−0.01325) + (−0.001837) = −0.01508"
    assert [group.through for group in e.groups] == ["z1", "z2"]


# ---------------------------------------------------------------------------------------------------- many paths


def network(sizes, seed=0, activation="tanh"):
    random.seed(seed)
    model = MLP(2, sizes, activation=activation)
    loss = (model([1.0, -2.0]) - 0.5) ** 2
    loss.backward()
    return model, loss


def test_many_paths_largest_first():
    model, loss = network([4, 3, 1])
    weight = model.layers[0].neurons[2].w[1]
    e = explain(loss, weight, limit=2)
    brute = sorted((product_of(path) for path in paths_of(loss, weight)), key=abs, reverse=True)
    assert e.count == len(brute) == 3
    assert np.allclose([path.product for path in e.paths], brute[:2], rtol=1e-12)
    assert math.isclose(e.gradient, weight.grad, rel_tol=1e-12)
    text = str(e)
    assert "and 1 smaller one. All paths, by the last step before layers.0.neurons.2.w[1]:" in text
    assert "layers.2.neurons.0.w[" in text  # the weight is written with its whole path, since there are several w₁


def test_a_wide_network_is_summed_by_groups():
    model, loss = network([16, 16, 1], activation="sigmoid")
    first = model.layers[0].neurons[3]
    e = explain(loss, first.w[0], limit=3, model=model)
    assert e.by == "layers.0.neurons.3.w[0]"
    assert (len(e.paths), e.count) == (3, 16)
    assert math.isclose(e.gradient, first.w[0].grad, rel_tol=1e-12)
    assert "and 13 smaller ones." in str(e)
    output = explain(loss, loss.parents[0].parents[0], limit=1)
    assert output.count == 1
    assert_well_set(e)


def test_groups_are_named_counted_and_cut():
    x = Value(0.5, "x")
    ways = []
    for k in range(14):
        way = x * (k + 1.0)
        way.label = f"way_{k}"
        ways.append(way)
    loss = ops.sum(ways)
    loss.label = "L"
    e = explain(loss, x, limit=2)
    assert e.gradient == 105
    assert [(g.through, g.count, g.total) for g in e.groups[:2]] == [("way_13", 1, 14.0), ("way_12", 1, 13.0)]
    assert [path.nodes[1] for path in e.paths] == ["way_13", "way_12"]
    text = str(e).splitlines()
    assert text[-1] == "  … and through 4 more"
    assert text[-11].split() == ["way₁₃", "14", "13.3%", "1", "path"]


def chain(n):
    x = y = Value(0.5)
    for k in range(n):
        y = y * 1.0625 if k % 16 == 0 else y + 0.25
    return x, y


def check_chain(n):
    x, y = chain(n)
    y = y * 1e-3
    y.backward()
    e = explain(y, x)
    assert e.count == 1
    assert len(e.paths[0].factors) == n + 1
    assert math.isclose(e.gradient, x.grad, rel_tol=1e-9)
    assert len(max(str(e).splitlines(), key=len)) < 400
    assert f"… {n - 11:,} more …" in str(e)
    assert_well_set(e)


def test_a_long_chain_needs_no_recursion():
    check_chain(10_000)


@pytest.mark.slow
def test_a_chain_of_a_hundred_thousand():
    check_chain(100_000)


def test_a_long_way_between_two_names():
    x, y = chain(3_000)
    for node, name in ((x, "x"), (y, "y")):
        node.label = name
    z = y * 2 + y
    z.label = "z"
    y.parents[0].label = "t"
    assert explain(z, x).count == 1
    assert str(explain(z, x)).startswith("∂z/∂x = ∂z/∂y · ∂y/∂t · ∂t/∂x\n      = (2+1) · ")


def test_a_ladder_of_diamonds_is_counted_exactly():
    x = y = Value(0.5)
    for _ in range(60):
        y = y.sin() + y.cos()
    y.backward()
    e = explain(y, x)
    assert e.count == 2**60 == sum(group.count for group in e.groups)
    assert len(e.paths) == 8
    assert "the sum over 1,152,921,504,606,846,976 paths" in str(e)
    assert "less than 0.1% of the total" in str(e)
    assert math.isclose(e.gradient, x.grad, rel_tol=1e-9, abs_tol=1e-12)


# -------------------------------------------------------------------------------------------------- special cases


def test_no_dependence():
    x, y = Value(1.0, "x"), Value(2.0, "y")
    e = explain(x * x, y)
    assert (e.gradient, e.count, e.paths, e.groups) == (0.0, 0, (), ())
    assert str(e) == "∂L/∂y = 0: L does not depend on y"
    assert r"\frac{\partial L}{\partial y} &= 0 " not in e.latex and "= 0" in e.latex
    assert_well_set(e)


def test_the_loss_itself():
    x = Value(1.0, "x")
    e = explain(x, x)
    assert str(e) == "∂x/∂x = 1"
    assert (e.gradient, e.count, e.paths[0].factors) == (1.0, 1, ())
    assert_well_set(e)


def test_tensors_are_refused():
    tensor: Any = Tensor(np.ones(2)).sum()
    number: Any = 1.0
    with pytest.raises(TypeError, match="not on a Tensor"):
        explain(tensor, Value(1.0))
    with pytest.raises(TypeError, match="not on a float"):
        explain(Value(1.0), number)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_shown(bad):
    x, w = Value(bad, "x"), Value(2.0, "w")
    z = x * w + w
    z.label = "z"
    loss = z.square()
    loss.label = "L"
    e = explain(loss, w)
    loss.backward()
    assert not math.isfinite(e.gradient) and not math.isfinite(w.grad)
    assert e.paths[0].share != 0 and "%" not in str(e)
    assert ("nan" if math.isnan(bad) else "inf") in str(e)
    assert_well_set(e)


def test_a_zero_gradient_still_has_its_paths():
    x = Value(-1.0, "x")
    h = x.relu()
    h.label = "h"
    loss = h * 3 + h * h
    loss.label = "L"
    e = explain(loss, x)
    assert (e.gradient, e.count) == (0.0, 1)
    assert str(e).splitlines()[-1].strip() == "= 0"
    both = explain((x.relu() + x.relu() * 2), x)
    assert (both.gradient, both.count) == (0.0, 2)
    assert "nan" not in str(both) and "−0" not in str(both)


def test_reductions_and_dots():
    xs = [Value(k + 1.0, f"x{k}") for k in range(3)]
    loss = mean([x * x for x in xs])
    loss.label = "L"
    assert math.isclose(explain(loss, xs[2]).gradient, 2.0)
    weights = [Value(0.5, f"w{k}") for k in range(3)]
    z = ops.dot(weights, xs, Value(1.0, "b"))
    z.label = "z"
    y = z.tanh()
    y.label = "y"
    assert str(explain(y, weights[1])).splitlines()[1] == "       = (1−y²) · x₁"


def test_an_unnamed_node_between_is_not_lost():
    """The variable is a sum that only one other sum uses. A view would fold it."""
    a, b, c = (Value(k, name) for k, name in ((1.0, "a"), (2.0, "b"), (3.0, "c")))
    inner = a * b + c
    z = inner + b
    z.label = "z"
    loss = z.square()
    loss.label = "L"
    e = explain(loss, inner)
    assert (e.count, e.gradient) == (1, 14.0)


# ---------------------------------------------------------------------------------------------- names made up


def test_a_legend_writes_an_operand_that_is_a_formula_as_one():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    assert "where L = v₃+log(b)" in str(explain(a * a * b + b.log(), a))


def test_made_up_names_have_a_legend():
    a, b = Value(1.0), Value(2.0)
    loss = ((a * b).exp() + a.sin()) * b
    e = explain(loss, a)
    where = str(e)[str(e).index("where") :]
    assert where == "\n".join([
        "where L = v₅·2",
        "      v₅ = v₃+v₄",
        "      v₄ = sin(v₁)",
        "      v₃ = exp(v₂)",
        "      v₂ = v₁·2",
        "      v₁ = 1",
    ])  # fmt: skip


def test_the_legend_tells_the_place_in_a_model():
    model, loss = network([3, 1])
    e = explain(loss, model.layers[0].neurons[1].b)
    assert any(re.fullmatch(r"v\S+ = tanh\(v\S+\), in layers\.0\.neurons\.1", line) for line in e.legend)
    assert any(re.fullmatch(r"v\S+ = w·x \+ b \(2 inputs\), in layers\.0\.neurons\.1", line) for line in e.legend)


def test_a_long_legend_is_cut():
    x, y = chain(30)
    text = str(explain(y, x))
    assert text.splitlines()[-1] == "      … and 23 more"


def test_made_up_names_avoid_those_that_are_taken():
    v1, L = Value(2.0, "v1"), Value(3.0, "L")
    h = (v1 * L).tanh()
    e = explain(h * v1, L)
    assert len(set(e.paths[0].nodes)) == len(e.paths[0].nodes)
    assert "v1" not in e.paths[0].nodes
    assert e.of == "loss"


def test_labels_that_look_like_formulas():
    x1, w1 = Value(2.0, "x1"), Value(-3.0, "w1")
    product = x1 * w1
    product.label = "x1*w1 + b"
    out = product.square()
    out.label = "o"
    lines = str(explain(out, w1)).splitlines()
    assert lines[0] == "∂o/∂w₁ = ∂o/∂(x1*w1 + b) · ∂(x1*w1 + b)/∂w₁"
    assert lines[1].strip() == "= 2(x1*w1 + b) · x₁"
    assert TEXT.name("x1*w1 + b") == "x1*w1 + b"


def test_explaining_leaves_the_graph_as_it_was():
    loss, v = small_network()
    loss.backward()
    before = [x.grad for x in v.values()]
    explain(loss, v["x1"])
    gc.collect()
    assert [x.grad for x in v.values()] == before


def test_unnamed_steps_are_written_out():
    y_hat, y = Value(0.25, "y_hat"), Value(1.0, "y")
    h = y_hat * 2.0
    h.label = "h"
    loss = ((h - y) ** 2) * Value(3.0)
    loss.label = "L"
    lines = str(explain(loss, y_hat)).splitlines()
    assert lines[1:] == ["      = 6(h−y) · 2", "      = (−3) · 2", "      = −6"]
    assert r"&= 6 (h - y) \cdot 2" in explain(loss, y_hat).latex


def test_what_has_no_short_form_stands_as_a_quotient():
    model, _ = network([3, 1])
    out = model([1.0, 2.0])
    out.label = "y_hat"
    loss = out.square()
    loss.label = "L"
    text = str(explain(loss, model.layers[0].neurons[0].b))
    assert "…" not in text
    assert "= 2ŷ · ∂ŷ/∂layers.0.neurons.0.b" in text
