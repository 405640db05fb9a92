"""`nn.inspection`: figures for each class equal scikit-learn's, and idle units are counted one by one."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from nn.inspection import class_figures, confusion_counts, idle_units

labels = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1, max_size=20).map(
        lambda pairs: (n, *np.array(pairs).T)
    )
)


@given(labels)
def test_the_counts_are_of_pairs(drawn):
    n, true, predicted = drawn
    counts = confusion_counts(true, predicted, n)
    pairs = list(zip(true.tolist(), predicted.tolist(), strict=True))
    assert counts.tolist() == [[pairs.count((i, j)) for j in range(n)] for i in range(n)]


@given(labels)
def test_figures_are_those_of_scikit_learn(drawn):
    metrics = pytest.importorskip("sklearn.metrics")
    n, true, predicted = drawn
    ours = class_figures(true, predicted, range(n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns if it divides by zero
        theirs = metrics.precision_recall_fscore_support(true, predicted, labels=range(n), zero_division=np.nan)
    np.testing.assert_allclose(ours.precision, theirs[0])
    np.testing.assert_allclose(ours.recall, theirs[1])
    known = np.isfinite(ours.precision) & np.isfinite(ours.recall)
    np.testing.assert_allclose(ours.f1[known], theirs[2][known])
    np.testing.assert_array_equal(ours.count, theirs[3])
    assert len(str(ours).splitlines()) == n + 1


@pytest.mark.parametrize(("true", "predicted", "complaint"), [
    ([0, 1], [0], r"\(2,\) and \(1,\)"), ([], [], "equal length"), ([0, 3], [0, 0], "from 0 to 3 do not fit 2"),
    ([0, -1], [0, 0], "from -1"),
])  # fmt: skip
def test_labels_that_do_not_fit_are_refused(true, predicted, complaint):
    with pytest.raises(ValueError, match=complaint):
        class_figures(true, predicted, ["a", "b"])


@given(st.integers(0, 99), st.sampled_from([nn.ReLU, nn.Sigmoid, nn.Tanh]))
def test_idle_units_are_counted_one_by_one(seed, activation):
    rng = np.random.default_rng(seed)
    layer = nn.Linear(3, 5, rng=rng, weight_init=nn.init.normal(3.0), dtype=np.float64)
    x = rng.normal(size=(7, 3))
    (units,) = idle_units(nn.Sequential(layer, activation()), x)
    assert units.layer == f"1 {activation.__name__}"
    out = nn.predict(nn.Sequential(layer, activation()), x)
    idle = {
        nn.ReLU: lambda y: y == 0.0, nn.Sigmoid: lambda y: not 0.01 <= y <= 0.99, nn.Tanh: lambda y: abs(y) > 0.98,
    }[activation]  # fmt: skip
    wanted = [sum(bool(idle(y)) for y in column) / 7 for column in out.T.tolist()]
    assert units.share.tolist() == wanted
    assert units.always == wanted.count(1.0)


def test_dead_units_of_a_network_of_values():
    model = nn.MLP(2, [3, 1])
    model.layers[0].neurons[1].b.data = -50.0
    (units,) = idle_units(model, [[0.5, 0.5], [-0.5, 1.0]])
    assert units.share[1] == 1
    assert (units.layer, units.state) == ("0 ReLU", "inactive")


def test_a_network_without_such_layers_is_refused():
    with pytest.raises(ValueError, match="the model has no layer of"):
        idle_units(nn.Sequential(nn.Linear(2, 1)), np.ones((1, 2), np.float32))
    layer: Any = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="Sequential or an MLP, not a Linear"):
        idle_units(layer, np.ones((1, 2), np.float32))
