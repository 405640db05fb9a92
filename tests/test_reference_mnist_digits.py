"""Reference networks 2 and 3, per-sample MNIST and scikit-learn's digits, give their published numbers."""

import re
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import search

import nn
from autograd import softmax
from demos import mnist_per_sample
from nn.data import load_mnist

# -------------------------------------------------------------------------------------------- one image at a time


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def updated(w1, w2, xs, ts, lr):
    """W += lr · ((t − o)·o·(1 − o)) ⊗ input, written independently of the demo."""
    w1, w2 = w1.copy(), w2.copy()
    for x, t in zip(xs, ts, strict=True):
        h = sigmoid(w1 @ x)
        o = sigmoid(w2 @ h)
        output = (t - o) * o * (1 - o)
        hidden = (output @ w2) * h * (1 - h)
        w1, w2 = w1 + lr * hidden[:, None] * x, w2 + lr * output[:, None] * h
    return w1, w2


def prepared(n, dtype=np.float64):
    """The first n training images and their targets, and the test images with their labels."""
    data = load_mnist(scale=False, dtype=np.uint8)
    x, test_x = (pixels.astype(dtype) / 255 * 0.99 + 0.01 for pixels in (data.train_x[:n], data.test_x))
    t = np.full((n, 10), 0.01, dtype)
    t[np.arange(n), data.train_y[:n]] = 0.99
    return x, t, test_x, data.test_y


def first_weights(seed, *sizes):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, n_out**-0.5, (n_out, n_in)) for n_in, n_out in pairwise(sizes)]


WAYS = [mnist_per_sample.in_tensors, mnist_per_sample.vectorized, mnist_per_sample.by_hand]


@settings(max_examples=15)
@given(st.integers(2, 6), st.integers(2, 5), st.integers(2, 4), st.floats(0, 2), st.integers(0, 99))
def test_every_way_makes_the_updates_of_the_rule(n_in, n_hidden, n_out, lr, seed):
    (w1, w2), rng = first_weights(seed, n_in, n_hidden, n_out), np.random.default_rng(seed)
    x, t = rng.random((5, n_in)), rng.random((5, n_out))
    for way in WAYS:
        train, learnt = way(w1, w2, lr)
        train(x, t)
        for found, wanted in zip(learnt, updated(w1, w2, x, t, lr), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_thousand_images_as_by_the_rule():
    x, t, test_x, test_y = prepared(1000)
    w1, w2 = first_weights(0, 784, 100, 10)
    train, learnt = mnist_per_sample.in_tensors(w1, w2, 0.3)
    train(x, t)
    for found, wanted in zip(learnt, updated(w1, w2, x, t, 0.3), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
    assert (mnist_per_sample.forward(learnt, test_x).argmax(axis=1) == test_y).mean() > 0.7


def test_the_story_of_the_error_from_csv_files(tmp_path, capsys):
    data = load_mnist(scale=False, dtype=np.uint8)
    for name, x, y in (("train", data.train_x[:30], data.train_y[:30]), ("test", data.test_x[:20], data.test_y[:20])):
        lines = np.column_stack([y, x]).tolist()  # the label first
        (tmp_path / f"mnist_{name}.csv").write_text("\n".join(",".join(map(str, line)) for line in lines))
    arguments = ["--quick", "--images", "30", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert mnist_per_sample.main(arguments) == 0
    out = capsys.readouterr().out
    assert "0.8·2/5 = 0.32 and 0.8·3/5 = 0.48" in out
    assert "to the hidden neurons: 0.42 and 0.88" in out
    assert "linear outputs: [2.1, 4.4]" in out
    assert "slopes 0.25 and 0.1: [0.45, 0.8]" in out
    assert "30 updates of one image each" in out
    small, large = (float(x) for x in re.findall(r"largest difference of a weight.*: (\S+)$", out, re.MULTILINE))
    assert small < 1e-9
    assert large < 1e-9
    assert float(search(r"that the engine finds, to (\S+)\.\s", out)[1]) < 1e-9
    if sys.modules.get("matplotlib"):
        assert (tmp_path / "out" / "error.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_one_epoch_reaches_its_accuracy(seed):
    x, t, test_x, test_y = prepared(60_000)
    w1, w2 = first_weights(seed, 784, 100, 10)
    train, learnt = mnist_per_sample.in_tensors(w1, w2, 0.3)
    train(x, t)
    assert (mnist_per_sample.forward(learnt, test_x).argmax(axis=1) == test_y).mean() >= 0.940


# ------------------------------------------------------------------------------------------------- 8×8 digits


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("sklearn")
    from demos import digits

    return digits


@pytest.fixture(scope="module")
def data(digits):
    return digits.load()[0]


def test_the_data(data):
    assert data.train_x.shape == (1527, 64)
    assert data.test_x.shape == (270, 64)
    assert data.train_x.dtype == data.test_x.dtype == np.float32
    np.testing.assert_allclose(data.train_x.mean(axis=0), 0, atol=1e-5)
    assert (np.isclose(data.train_x.std(axis=0), 1, atol=1e-4) | (data.train_x == data.train_x[0]).all(axis=0)).all()


def test_softmax_and_the_losses():
    np.testing.assert_allclose(softmax(np.array([10.0, 2.0, -3.0])), [9.99662391e-01, 3.35349373e-04, 2.25956630e-06])
    with np.errstate(divide="ignore"):
        right, wrong, second, third = np.log([[0.99, 0.01, 0.0], [0.01, 0.01, 0.98], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert nn.cross_entropy([right], [0]) == pytest.approx(0.01005033575, abs=2e-10)
    assert nn.cross_entropy([wrong], [0]) == pytest.approx(4.605170186, abs=1e-9)
    assert nn.cross_entropy([second, right, third], [1, 0, 2]) == pytest.approx(0.00335, abs=5e-6)


def within(rows, ranges):
    """The mean of five other seeds is near that of an independent run, and no seed is far from it."""
    for column, (low, high) in ranges.items():
        found = np.array([row[column] for row in rows])
        assert low <= found.mean() <= high, (column, found)
        assert (found > low - 1.5 * (high - low)).all(), (column, found)
        assert (found < high + 1.5 * (high - low)).all(), (column, found)


def test_softmax_regression(digits, data):
    rows = [digits.train(digits.softmax_regression(seed), data, lr=0.01, epochs=1)[-1] for seed in range(5)]
    reference = {"train_loss": (0.227, 0.233), "train_accuracy": (0.954, 0.957), "test_accuracy": (0.952, 0.956)}
    within(rows, reference)


def perceptron(weights, xs, ys, lr):
    """64→10 sigmoids→10 classes, one sample at a time, by hand."""
    w1, b1, w2, b2 = weights
    for x, y in zip(xs, ys, strict=True):
        h = sigmoid(x @ w1 + b1)
        z = np.exp(h @ w2 + b2)
        g2 = z / z.sum() - np.eye(10)[y]
        g1 = w2 @ g2 * h * (1 - h)
        w1, b1, w2, b2 = w1 - lr * np.outer(x, g1), b1 - lr * g1, w2 - lr * np.outer(h, g2), b2 - lr * g2
    return w1, b1, w2, b2


def test_the_hidden_layer_learns_as_by_hand(digits, data):
    model, part = digits.network(10, seed=1), slice(300)
    doubled = nn.dense(64, 10, 10, activation=nn.Sigmoid, dtype=np.float64)
    doubled.load_state_dict({name: x.astype(np.float64) for name, x in model.state_dict().items()})
    start = list(doubled.state_dict().values())
    few = nn.data.Dataset(data.train_x[part].astype(float), data.train_y[part], data.test_x.astype(float), data.test_y,
                          name="few", classes=10)  # fmt: skip
    digits.train(doubled, few, lr=0.1, epochs=1)
    for found, wanted in zip(
        doubled.state_dict().values(), perceptron(start, few.train_x, few.train_y, 0.1), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_the_hidden_layer(digits, data):
    rows = [digits.train(digits.network(10, seed=seed), data, lr=0.1, epochs=15)[-1] for seed in range(5)]
    reference = {"train_loss": (0.0195, 0.0260), "train_accuracy": (0.995, 0.999), "test_accuracy": (0.956, 0.967),
                 "test_loss": (0.106, 0.162)}  # fmt: skip
    within(rows, reference)


def test_without_scikit_learn_the_remedy_is_named(digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert digits.main(["--quick", "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: the digits need scikit-learn: pip install 'chainrule[data]'"
