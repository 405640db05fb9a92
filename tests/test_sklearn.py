"""The estimators pass scikit-learn's own checks, and their parameters have the same meaning."""

import importlib
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from nn import Module
from nn.sklearn import ACTIVATIONS, SOLVERS, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore:the training had not converged")
QUICK: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 40, "learning_rate_init": 0.05, "tol": 1e-3}
QUICK["n_iter_no_change"] = 3
both = pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])


CHECKS = [pair for kind in (MLPClassifier, MLPRegressor) for pair in estimator_checks_generator(kind(**QUICK))]


def called(part):
    """The name of an estimator, or of a check and its arguments."""
    given = "-".join(f"{name}={x}" for name, x in getattr(part, "keywords", {}).items())
    return f"{part.func.__name__}-{given}" if hasattr(part, "func") else type(part).__name__


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=called)
def test_their_own_checks(estimator, check):
    """No check is expected to fail. Those that need pandas are skipped without it."""
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:1000], y[:1000]


def test_a_grid_search_over_a_pipeline(digits):
    model = MLPClassifier(batch_size=32, max_iter=8, learning_rate_init=0.02, random_state=0)
    pipe = make_pipeline(MinMaxScaler(), model)
    grid = {"mlpclassifier__hidden_layer_sizes": [(2,), (32,)], "mlpclassifier__solver": ["adam"]}
    search = GridSearchCV(pipe, grid, cv=2).fit(*digits)
    assert search.best_params_["mlpclassifier__hidden_layer_sizes"] == (32,)
    assert search.best_score_ > 0.85
    again = cross_val_score(clone(search.best_estimator_), *digits, cv=2)
    assert again.mean() == search.best_score_


@both
def test_fits_are_repeatable_and_travel(kind):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    state = np.random.RandomState(5)
    models = [kind(**QUICK, random_state=r).fit(x, y) for r in (1, 1, state)]
    models += [clone(models[0]).fit(x, y), pickle.loads(pickle.dumps(models[0])), models[0].fit(x, y)]
    found = [m.predict_proba(x) if kind is MLPClassifier else m.predict(x) for m in models]
    for i in (1, 3, 4, 5):
        np.testing.assert_array_equal(found[0], found[i])
    assert not np.array_equal(found[0], found[2])
    assert not np.array_equal(models[2].fit(x, y).coefs_[0], models[0].coefs_[0])  # a RandomState continues
    assert isinstance(models[0].model_, Module) and models[0].loss_ == models[0].loss_curve_[-1]
    assert len(models[0].loss_curve_) == models[0].n_iter_ == len(models[0].history_)


@both
@given(
    sizes=st.lists(st.integers(1, 5), max_size=2),
    activation=st.sampled_from(list(ACTIVATIONS)),
    solver=st.sampled_from(list(SOLVERS)),
    alpha=st.sampled_from([0.0, 0.1, 30.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
    outputs=st.integers(1, 3),
    seed=st.integers(0, 99),
)
@settings(max_examples=12)
def test_the_loss_and_the_numbers_are_what_they_say(kind, sizes, activation, solver, alpha, dtype, outputs, seed):
    """With a learning rate of 0 nothing trains. The loss is that of the first weights, by scikit-learn's formula."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(12, 3)).astype(dtype)
    y = np.arange(12) % (outputs + 1) if kind is MLPClassifier else rng.normal(size=(12, outputs)) * 100 - 50
    model = kind(sizes, activation, solver=solver, alpha=alpha, learning_rate_init=0, max_iter=1, random_state=seed)
    model.fit(x, y)
    assert [w.shape for w in model.coefs_] == list(zip([3, *sizes], [*sizes, model.n_outputs_], strict=True))
    assert all(w.dtype == dtype for w in model.coefs_) and all(b.dtype == dtype for b in model.intercepts_)
    squares = [np.sum(np.square(w, dtype=float)) for w in model.coefs_]
    if kind is MLPClassifier:
        proba = model.predict_proba(x)
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(model.predict_log_proba(x), np.log(proba))
        loss = log_loss(y, proba, labels=model.classes_)
        assert (model.predict(x) == model.classes_[proba.argmax(axis=1)]).all()
    else:
        mean, spread = y.mean(axis=0), y.std(axis=0)
        assert model.predict(x).shape == y.shape
        loss = 0.5 * np.mean(((model.predict(x) - y) / spread) ** 2)
        squares[-1] = np.sum((model.coefs_[-1] / spread) ** 2)
        assert np.all(np.abs(model.intercepts_[-1] - mean) <= 1e-5 * np.abs(mean))
    assert model.loss_ == pytest.approx(loss + 0.5 * alpha * sum(squares) / 12, rel=1e-4)


@given(factor=st.sampled_from([1e-9, 1.0, 1e6]), offset=st.sampled_from([0.0, 5.0, -1e3]), seed=st.integers(0, 9))
@settings(max_examples=4)
def test_units_and_offsets_of_targets_do_not_matter(factor, offset, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 2))
    y = np.stack([x[:, 0] - x[:, 1], np.full(30, 7.0)], axis=1)  # the second is constant
    plain = MLPRegressor(**QUICK, random_state=0).fit(x, y)
    other = MLPRegressor(**QUICK, random_state=0).fit(x, factor * (y + offset))
    np.testing.assert_allclose(other.predict(x) / factor - offset, plain.predict(x), rtol=1e-6, atol=1e-6)
    assert (plain.predict(x)[:, 1] == 7).all()


def test_shapes_of_targets():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    for targets in (y[:, 0], y[:, :1], y, y[:, 0].tolist()):
        assert MLPRegressor(**QUICK).fit(x, targets).predict(x).shape == np.shape(targets)
    names = np.array(["no", "yes", "perhaps"])[np.arange(20) % 3]
    model = MLPClassifier(**QUICK).fit(x.tolist(), names.tolist())
    assert model.classes_.tolist() == ["no", "perhaps", "yes"] and model.n_features_in_ == 2
    with pytest.raises(ValueError, match="needs samples of two classes at least: got one class, 'no'"):
        model.fit(x, ["no"] * 20)


@both
def test_early_stopping_keeps_the_best_weights(kind):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    options = QUICK | {"max_iter": 200}
    model = kind(**options, early_stopping=True, validation_fraction=0.25, random_state=0).fit(x, y)
    scores = model.history_["val_score"]
    assert model.n_iter_ == np.argmax(scores) + 1 + options["n_iter_no_change"] < 200


def test_a_larger_alpha_gives_smaller_weights(digits):
    few = digits[0][:200], digits[1][:200]
    sizes = [np.abs(MLPClassifier(**QUICK, alpha=a, random_state=0).fit(*few).coefs_[0]).mean() for a in (0, 100)]
    assert sizes[1] < 0.5 * sizes[0]


@pytest.mark.filterwarnings("error")
def test_too_few_epochs_are_said():
    with pytest.warns(match="the training had not converged after max_iter=1 epochs: raise max_iter"):
        MLPClassifier(max_iter=1).fit([[0.0], [1.0]], [0, 1])


@both
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes of MLP\w+ is a whole number above 0, or several; got"),
        ({"hidden_layer_sizes": 2.0}, r"hidden_layer_sizes of MLP\w+ is a whole number above 0"),
        ({"hidden_layer_sizes": "3"}, r"hidden_layer_sizes of MLP\w+ is a whole number above 0"),
        ({"activation": "sigmoid"}, r"activation of MLP\w+ is one of identity, logistic, .*; got 'sigmoid'"),
        ({"activation": ["relu"]}, r"activation of MLP\w+ is one of identity"),
        ({"solver": "lbfgs"}, r"solver of MLP\w+ is one of adam, sgd, .*; got 'lbfgs'"),
        ({"alpha": -1}, r"alpha of MLP\w+ is a number of 0 or more; got -1"),
        ({"learning_rate_init": np.nan}, "learning_rate_init .* got nan"),
        ({"tol": "1"}, r"tol of MLP\w+ is a number of 0 or more; got '1'"),
        ({"max_iter": 0}, r"max_iter of MLP\w+ is a whole number above 0; got 0"),
        ({"max_iter": True}, r"max_iter .* got True"),
        ({"batch_size": "all"}, r"batch_size of MLP\w+ is a whole number above 0, or \"auto\"; got 'all'"),
        ({"n_iter_no_change": 0}, "n_iter_no_change .* got 0"),
    ],
)
def test_parameters_that_make_no_sense(kind, given, message):
    with pytest.raises(ValueError, match=message):
        kind(**given).fit([[0.0], [1.0]], [0, 1])


def test_without_scikit_learn(monkeypatch):
    monkeypatch.delitem(sys.modules, "nn.sklearn")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"nn.sklearn needs scikit-learn: pip install 'chainrule\[sklearn\]'"):
        importlib.import_module("nn.sklearn")
