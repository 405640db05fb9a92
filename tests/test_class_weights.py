"""Weights of classes in the cross-entropy, and the accuracy among the k best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, check_gradients
from nn.inspection import top_k_accuracy

seeds = st.integers(0, 999)


def book(z, labels, weight, smoothing, reduction):
    """The definition, in loops: the target's probabilities times the weights of the classes."""
    losses = []
    for row, label in zip(z, labels, strict=True):
        log_p = row - np.log(np.exp(row).sum())
        target = np.full(len(row), smoothing / len(row))
        target[label] += 1 - smoothing
        losses.append(-sum(w * t * p for w, t, p in zip(weight, target, log_p, strict=True)))
    total = sum(losses)
    return {"none": losses, "sum": total, "mean": total / sum(weight[label] for label in labels)}[reduction]


@given(seeds, st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from(["none", "sum", "mean"]))
def test_the_weighted_loss_is_that_of_the_book(seed, smoothing, reduction):
    rng = np.random.default_rng(seed)
    z, labels, weight = rng.normal(size=(5, 3)), rng.integers(0, 3, 5), rng.uniform(0.1, 3.0, 3)
    options = {"weight": weight, "label_smoothing": smoothing, "reduction": reduction}
    expected = book(z, labels, weight, smoothing, reduction)
    for given_ in (z, Tensor(z)):
        found = nn.cross_entropy(given_, labels, **options)
        np.testing.assert_allclose(getattr(found, "data", found), expected, rtol=1e-10)
    assert check_gradients(lambda t: nn.cross_entropy(t, labels, **options), z)
    values = [[Value(float(x)) for x in row] for row in z]
    found = np.asarray(nn.cross_entropy(values, labels, **options), object).reshape(-1)
    np.testing.assert_allclose([x.data for x in found], np.reshape(expected, -1), rtol=1e-10)


def test_equal_weights_change_nothing_and_a_class_of_weight_0_has_no_loss():
    z, labels = np.random.default_rng(0).normal(size=(4, 3)), [0, 1, 2, 2]
    assert nn.cross_entropy(z, labels, weight=[2, 2, 2]) == pytest.approx(nn.cross_entropy(z, labels))
    z[2:, 2] = -np.inf
    assert np.isfinite(nn.cross_entropy(z, labels, weight=[1.0, 1.0, 0.0]))
    loss = nn.cross_entropy(Tensor(z.astype(np.float32)), labels, weight=[1.0, 1.0, 0.0])
    assert loss.dtype == np.float32


@pytest.mark.parametrize("weight", [[1.0, 2.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0], 2.0])
def test_weights_that_do_not_fit_are_refused(weight):
    with pytest.raises(ValueError, match="a weight of 0 or more for each of the 3 classes"):
        nn.cross_entropy(np.ones((2, 3)), [0, 1], weight=weight)


def test_a_mean_of_no_weights_is_refused():
    with pytest.raises(ValueError, match="all labels of a batch have the weight 0"):
        nn.cross_entropy(np.ones((1, 2)), [0], weight=[0.0, 1.0])


@given(seeds, st.integers(1, 4))
def test_top_k(seed, k):
    rng = np.random.default_rng(seed)
    z, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    right = [label in np.argsort(-row)[:k] for row, label in zip(z, labels, strict=True)]
    assert top_k_accuracy(z, labels, k) == pytest.approx(np.mean(right))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.1, 0.9]], [0], 3), "k is a number of classes from 1 to 2, not 3"),
        (([0.1, 0.9], [0, 1], 1), r"outputs are \(n, classes\)"),
        (([[0.1, 0.9]], [2], 1), "labels from 2 to 2 do not fit 2 classes"),
    ],
)
def test_top_k_refuses_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        top_k_accuracy(*arguments)
