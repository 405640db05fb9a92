"""The reference networks give their published numbers on Values, on Tensors and vectorized, as do loops in NumPy."""

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, explain, vectorize
from demos import neuron, three_layer, thresholds
from demos._reference import AGREE, descend, until

WAYS = ("Values", "Tensors", "vectorize")
seeds = st.integers(0, 2**32 - 1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --------------------------------------------------------------------------------------------------- 1 · three_layer


def by_hand(w, v, iterations):
    """Mean losses and last outputs of network 1 in plain NumPy, its backward pass written by hand."""
    X, y = three_layer.X, three_layer.Y[:, None]
    losses = []
    for k in range(iterations + 1):
        h = sigmoid(X @ w)
        out = sigmoid(h @ v)
        losses.append(((out - y) ** 2 / 2).mean())
        if k < iterations:
            delta = (out - y) * out * (1 - out)
            w, v = w - 0.1 * X.T @ (delta @ v.T * h * (1 - h)), v - 0.1 * h.T @ delta
    return losses, out[:, 0]


def trained(way, seed, iterations):
    """The same by one of the three methods."""
    w, v = three_layer.weights(seed)
    X, y = three_layer.X, three_layer.Y
    scalars, matrices = three_layer.Scalars(w.tolist(), v.tolist()), three_layer.Matrices(w, v)
    fast = vectorize(scalars.loss, X.shape, y.shape, batch=False)
    ways: dict[str, tuple[Any, ...]] = {
        "Values": (scalars.loss, scalars, X.tolist(), y.tolist()),
        "Tensors": (matrices.loss, matrices, X, y),
        "vectorize": (fast, fast.parameters(), X, y),
    }
    loss, parameters, *data = ways[way]
    losses = np.array([*islice(descend(loss, parameters, 0.1, *data), iterations + 1)]) / 5
    if way == "vectorize":
        fast.sync()
    return losses, matrices.output(X).data if way == "Tensors" else [scalars.output(x).data for x in X.tolist()]


def test_the_first_weights_are_those_of_numpys_global_generator():
    np.random.seed(1)
    w, v = 2 * np.random.random((3, 4)) - 1, 2 * np.random.random((4, 1)) - 1
    assert all(map(np.array_equal, three_layer.weights(1), (w, v)))


@pytest.mark.parametrize("way", WAYS)
def test_three_layer_is_the_numpy_loop(way):
    losses, outputs = trained(way, 1, 1000)
    assert losses[0] == pytest.approx(three_layer.PUBLISHED[0], rel=3e-16), "one unit in the last place"
    expected, last = by_hand(*three_layer.weights(1), 1000)
    assert losses == pytest.approx(expected, rel=1e-12)
    assert outputs == pytest.approx(last, rel=1e-12)


@settings(max_examples=10)
@given(seeds)
def test_three_layer_agrees_from_every_start(seed):
    expected, last = by_hand(*three_layer.weights(seed), 10)
    for way in WAYS:
        losses, outputs = trained(way, seed, 10)
        assert losses == pytest.approx(expected, rel=AGREE)
        assert outputs == pytest.approx(last, rel=AGREE)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_three_layer_whole(way):
    losses, outputs = trained(way, 1, 60_000)
    assert {k: losses[k] for k in three_layer.PUBLISHED} == pytest.approx(three_layer.PUBLISHED, rel=1e-12)
    assert outputs == pytest.approx(three_layer.OUTPUTS, rel=1e-12)


# ---------------------------------------------------------------------------------------------------- 4 · thresholds


def thresholds_by_hand(w, v, epochs):
    """The outputs of network 4 in plain NumPy, too."""
    x = np.array(thresholds.X)
    outputs = []
    for _ in range(epochs):
        h = np.append(sigmoid(w @ x), -1)
        out = sigmoid(v @ h)
        outputs.append(out)
        delta = (out - 1) * out * (1 - out)
        w, v = w - np.outer((delta * v * h * (1 - h))[:4], x), v - delta * h
    return outputs


def outputs_of(way, first, epochs):
    scalars, matrices = thresholds.Scalars(*first), thresholds.Matrices(*first)
    fast = vectorize(scalars.output, 3, batch=False)
    x = np.array(thresholds.X)
    ways: dict[str, tuple[Any, Any, Any]] = {
        "Values": (scalars.output, scalars, thresholds.X),
        "Tensors": (matrices.output, matrices, x),
        "vectorize": (fast, fast.parameters(), x),
    }
    output, parameters, inputs = ways[way]
    return thresholds.train(output, parameters, inputs, epochs)


@pytest.mark.parametrize("way", WAYS)
def test_thresholds(way):
    outputs = outputs_of(way, thresholds.weights(None), 100)
    assert {k: outputs[k] for k in thresholds.PUBLISHED} == pytest.approx(thresholds.PUBLISHED, rel=1e-13)


@settings(max_examples=10)
@given(seeds)
def test_thresholds_agree_from_every_start(seed):
    first = thresholds.weights(seed)
    expected = thresholds_by_hand(*first, 10)
    for way in WAYS:
        assert outputs_of(way, first, 10) == pytest.approx(expected, rel=AGREE)


def test_the_output_weights_first_is_not_the_gradient():
    run = thresholds.output_first(thresholds.Scalars(*thresholds.weights(None)), 100)
    assert run["output"][99] == pytest.approx(thresholds.OUTPUT_FIRST[99], rel=1e-13)
    assert run["backward"] == pytest.approx(run["differences"], rel=1e-6, abs=1e-12)
    assert run["backward"][0] == run["differences"][0] == 0 > run["mistake"][0], (
        "no output weight lets anything through"
    )
    assert (run["mistake"] < run["backward"]).all()
    assert thresholds.compare(run, [0], {})
    assert not thresholds.compare(run | {"backward": run["mistake"]}, [0], {})


def test_thresholds_are_derived_as_in_the_text(capsys):
    net = thresholds.Scalars(*thresholds.weights(None))
    assert thresholds.derive(net)
    _, v1, v0, w11, w10, _ = capsys.readouterr().out.split("\n\n")
    assert v1.splitlines() == [
        "∂E/∂v₁ = ∂E/∂ŷ · ∂ŷ/∂β · ∂β/∂v₁",
        "       = (−(1−ŷ)) · ŷ(1−ŷ) · h₁",
        "       = (−0.4378) · 0.2461 · 0.5",
        "       = −0.05388",
    ]
    assert v0.splitlines()[1].endswith("· ŷ(1−ŷ) · (−1)"), "its input"
    assert w11.splitlines()[0] == "∂E/∂w₁₁ = ∂E/∂ŷ · ∂ŷ/∂β · ∂β/∂h₁ · ∂h₁/∂α₁ · ∂α₁/∂w₁₁"
    assert w10.splitlines()[1].endswith("· ŷ(1−ŷ) · v₁ · h₁(1−h₁) · x₀")
    out = thresholds.PUBLISHED[1]
    assert net.v[4].grad == pytest.approx((1 - out) * out * (1 - out), rel=1e-12)


# -------------------------------------------------------------------------------------------------------- 5 · neuron


def test_the_perceptron_decides_on_a_hike(capsys):
    neuron.hike()
    rows = capsys.readouterr().out.splitlines()[4:]
    assert len(rows) == 8
    for row in rows:
        *answers, total, fires = row.split(",")[0].split()
        working, bad, far = (answer == "yes" for answer in answers)
        assert int(total) == 8 * working + 10 * bad + far
        assert fires == str(int(int(total) > 5))
        assert row.endswith("at home" if working or bad else "a hike"), "far away alone keeps nobody at home"


def test_published_numbers_of_neurons(capsys):
    assert neuron.published_numbers()
    numbers = [row.split()[-2:] for row in capsys.readouterr().out.splitlines()[2:]]
    assert numbers == [[number] * 2 for number in ("0.9990889488055994", "0.7216325609518421", "0.5")]


def test_nine_derivatives_are_products_of_factors(capsys):
    numbers = [0.3, -0.4, 0.2, 0.1, 1.5, -0.7, 0.25, -0.5, 0.125]
    net = neuron.Scalars(numbers)
    assert neuron.factors(net)
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = numbers
    x1, x2 = -2, -1
    h1, h2 = sigmoid(w1 * x1 + w2 * x2 + b1), sigmoid(w3 * x1 + w4 * x2 + b2)
    y_hat = sigmoid(w5 * h1 + w6 * h2 + b3)
    out, first, second = -2 * (1 - y_hat) * y_hat * (1 - y_hat), h1 * (1 - h1), h2 * (1 - h2)
    expected = {
        "w1": out * w5 * first * x1, "w2": out * w5 * first * x2, "w3": out * w6 * second * x1,
        "w4": out * w6 * second * x2, "w5": out * h1, "w6": out * h2, "b1": out * w5 * first, "b2": out * w6 * second,
        "b3": out,
    }  # fmt: skip
    assert {name: getattr(net, name).grad for name in expected} == pytest.approx(expected, rel=1e-12)
    text = capsys.readouterr().out
    assert "∂L/∂w₁ = ∂L/∂ŷ · ∂ŷ/∂h₁ · ∂h₁/∂w₁\n       = (−2(y−ŷ)) · ŷ(1−ŷ)·w₅ · h₁(1−h₁)·x₁\n" in text
    assert text.count("∂L/∂ŷ") == 9


def test_factors_are_those_of_explain():
    net = neuron.Scalars([1.0] * 6 + [0.0] * 3)
    loss = net.loss(neuron.X.tolist(), neuron.Y.tolist())
    loss.backward()
    for p in net.parameters():
        assert isinstance(p, Value)
        paths = explain(loss, p, limit=10).paths
        assert math.fsum(path.product for path in paths) == pytest.approx(p.grad, rel=1e-12)


@settings(max_examples=5)
@given(st.integers(0, 1000))
def test_neurons_learn_from_every_start(seed):
    """All three methods reach a loss under 0.01 on the four samples, after the same number of steps."""
    first = np.random.RandomState(seed).normal(size=9).tolist()
    scalars, matrices = neuron.Scalars(first), neuron.Matrices(first)
    fast = vectorize(scalars.loss, neuron.X.shape, neuron.Y.shape, batch=False)
    slow = until(descend(scalars.loss, scalars, 0.5, neuron.X.tolist(), neuron.Y.tolist()), 0.01, 5000)
    assert slow[-1] < 0.01 <= min(slow[:-1])
    for loss, parameters in ((matrices.loss, matrices), (fast, fast.parameters())):
        assert until(descend(loss, parameters, 0.5, neuron.X, neuron.Y), 0.01, 5000) == pytest.approx(slow, rel=AGREE)


def test_the_curves_are_those_of_the_functions():
    pytest.importorskip("matplotlib")
    figure = neuron.activations()
    exact = {
        "step": lambda x: (x > 0, 0 * x),
        "ReLU": lambda x: (np.maximum(x, 0), x > 0),
        "sigmoid": lambda x: (sigmoid(x), sigmoid(x) * sigmoid(-x)),
        "tanh": lambda x: (np.tanh(x), 1 / np.cosh(x) ** 2),
    }
    assert [ax.get_title() for ax in figure.axes] == list(exact)
    for ax in figure.axes:
        value, slope = ax.lines
        expected = exact[ax.get_title()](value.get_xdata())
        np.testing.assert_allclose(value.get_ydata(), expected[0], atol=1e-15)
        np.testing.assert_allclose(slope.get_ydata(), expected[1], atol=1e-15)
