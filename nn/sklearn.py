"""`MLPClassifier` and `MLPRegressor`: scikit-learn estimators made of our layers and `fit`.

They have scikit-learn's parameters and attributes, and pass its `check_estimator`. So they work with `Pipeline`,
`GridSearchCV`, `cross_val_score`, `clone` and pickle. The trained network is `model_`: export it, draw it, or train it
further.

This module needs scikit-learn: ``pip install 'chainrule[sklearn]'``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autograd import Tensor, softmax
from nn import init, layers, optim
from nn.data import Batches
from nn.losses import cross_entropy, squared_error
from nn.module import Module
from nn.support.arrays import Array
from nn.support.extras import optional
from nn.training import State, fit, predict

optional("sklearn", "nn.sklearn needs scikit-learn", "pip install 'chainrule[sklearn]'")

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.metrics import r2_score  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.utils import check_random_state, column_or_1d  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402
from sklearn.utils.validation import check_is_fitted, validate_data  # noqa: E402

ACTIVATIONS: dict[str, type[Module] | None] = {
    "identity": None,
    "logistic": layers.Sigmoid,
    "tanh": layers.Tanh,
    "relu": layers.ReLU,
    "leaky_relu": layers.LeakyReLU,
    "elu": layers.ELU,
    "gelu": layers.GELU,
    "silu": layers.SiLU,
    "softplus": layers.Softplus,
}
"""Activations by scikit-learn's names, and by ours if scikit-learn does not have them."""

SOLVERS: dict[str, type[optim.Optimizer]] = {
    kind.__name__.lower(): kind for kind in (optim.Adam, optim.SGD, optim.AdamW, optim.RMSprop, optim.Adagrad)
}
FLOATS = (np.float64, np.float32)


class _Perceptron(BaseEstimator):  # type: ignore[misc]
    """The common base class: the parameters, the network and its training."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, (inputs, outputs)."""
        return [weight.detach() for weight, _ in _pairs(self.model_)]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, (outputs,)."""
        return [bias.detach() for _, bias in _pairs(self.model_)]

    def _train(self, x: Array, y: Array, n_out: int, loss: Callable[[Any, Any], Any], strata: Array | None) -> None:
        """Make the network and train it on inputs (n, features) and targets: labels (n,) or numbers (n, n_out)."""
        sizes = self._checked()
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        rng = np.random.default_rng(seed)
        self.model_ = _network([x.shape[1], *sizes, n_out], ACTIVATIONS[self.activation], rng, x.dtype)
        stopping: dict[str, Any] = {"callbacks": [_Settled(self.tol, self.n_iter_no_change)]}
        if self.early_stopping:
            x, held_x, y, held_y = train_test_split(
                x, y, test_size=self.validation_fraction, random_state=seed, stratify=strata
            )
            stopping = {"patience": self.n_iter_no_change, "monitor": "val_score", "direction": "max"}
            stopping["validate"] = lambda model: {"val_score": self._score(held_y, predict(model, held_x))}
        size = min(200, len(x)) if self.batch_size == "auto" else min(int(self.batch_size), len(x))
        weights = [weight for weight, _ in _pairs(self.model_)]

        def penalised(out: Any, y: Array) -> Any:
            squares = sum((w * w).sum() for w in weights) if self.alpha else 0.0
            return loss(out, y) + squares * (0.5 * self.alpha / len(y))

        self.history_ = fit(
            self.model_, Batches(x, y, batch_size=size, shuffle=self.shuffle, seed=rng), penalised,
            self._optimizer(), epochs=self.max_iter, progress=bool(self.verbose), **stopping,
        )  # fmt: skip
        self.n_iter_ = len(self.history_)
        self.loss_curve_ = self.history_["train_loss"] if self.n_iter_ else []
        self.loss_ = self.loss_curve_[-1] if self.n_iter_ else math.nan
        self.n_outputs_, self.n_layers_ = n_out, len(sizes) + 2
        if self.history_.interrupted:
            warnings.warn("Training interrupted by user.", stacklevel=3)
        elif not self.history_.stopped:
            warnings.warn(
                f"the training had not converged after max_iter={self.max_iter} epochs: raise max_iter, "
                "learning_rate_init or tol, or scale the inputs",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _optimizer(self) -> optim.Optimizer:
        options: dict[str, Any] = {"lr": self.learning_rate_init}
        if self.solver == "sgd":
            options |= {"momentum": self.momentum, "nesterov": bool(self.nesterovs_momentum and self.momentum)}
        return SOLVERS[self.solver](self.model_, **options)

    def _checked(self) -> list[int]:
        """The sizes of the hidden layers. Raises ValueError, which names the parameter, for any wrong parameter."""
        given: Any = self.hidden_layer_sizes
        sizes = [given] if isinstance(given, str) or not hasattr(given, "__len__") else list(given)
        whole = ("max_iter", "n_iter_no_change", *(["batch_size"] if self.batch_size != "auto" else []))
        expected = [
            ("hidden_layer_sizes", all(_is(n, Integral, 1) for n in sizes), "a whole number above 0, or several"),
            ("activation", self.activation in [*ACTIVATIONS], f"one of {', '.join(ACTIVATIONS)}"),
            ("solver", self.solver in [*SOLVERS], f"one of {', '.join(SOLVERS)}"),
            ("alpha", _is(self.alpha, Real, 0), "a number of 0 or more"),
            ("learning_rate_init", _is(self.learning_rate_init, Real, 0), "a number of 0 or more"),
            ("tol", _is(self.tol, Real, 0), "a number of 0 or more"),
            *((name, _is(getattr(self, name), Integral, 1), "a whole number above 0") for name in whole),
        ]
        for name, fits, what in expected:
            if not fits:
                or_auto = ', or "auto"' if name == "batch_size" else ""
                raise ValueError(f"{name} of {type(self).__name__} is {what}{or_auto}; got {getattr(self, name)!r}")
        return [int(n) for n in sizes]

    def _outputs(self, x: Any) -> Array:
        """The network's outputs. The inputs are checked against those of the training."""
        check_is_fitted(self)
        return predict(self.model_, validate_data(self, x, dtype=FLOATS, reset=False))

    def _score(self, y: Array, out: Array) -> float:
        raise NotImplementedError


class MLPClassifier(ClassifierMixin, _Perceptron):  # type: ignore[misc]
    """A fully connected network as a scikit-learn classifier, trained on cross-entropy.

    Args:
        hidden_layer_sizes: the sizes of the hidden layers, in order. With () it is logistic regression.
        activation: "relu", "tanh", "logistic", "identity", "gelu", "silu", "elu", "leaky_relu" or "softplus".
        solver: "adam", "sgd", "adamw", "rmsprop" or "adagrad".
        alpha: the strength of the penalty on the weights. As in scikit-learn, a batch's loss gets ``alpha / 2`` times
            the sum of their squares, divided by its number of samples.
        batch_size: the number of samples of a step. "auto" is 200, or all if there are fewer.
        learning_rate_init: the learning rate. `nn.find_learning_rate` helps to choose it.
        max_iter: the largest number of epochs.
        shuffle: True to shuffle the samples in each epoch.
        random_state: a number, which makes a fit repeatable; a `RandomState`; or None.
        tol: the training ends when the loss has not fallen by this much for `n_iter_no_change` epochs.
        verbose: True to show the progress.
        momentum, nesterovs_momentum: the momentum of "sgd", and its kind.
        early_stopping: True to hold back `validation_fraction` of the samples. The training ends when the score on them
            has not improved for `n_iter_no_change` epochs, and keeps the weights with the best score.

    After `fit` there are `classes_`, `model_` (the network), `history_`, `loss_curve_`, `n_iter_`, `coefs_`,
    `intercepts_`, `n_features_in_`, and `feature_names_in_` if X was a data frame. Raises ValueError for wrong
    parameters and data. Gives a ConvergenceWarning if `max_iter` was too small.

    >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["same", "other", "other", "same"]
    >>> model = MLPClassifier((8,), "tanh", learning_rate_init=0.1, tol=1e-3, random_state=0).fit(x, y)
    >>> model.predict(x).tolist(), model.predict_proba(x).shape
    (['same', 'other', 'other', 'same'], (4, 2))
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on samples X (n, features) and their labels y (n,). Returns the estimator."""
        X, y = validate_data(self, X, y, dtype=FLOATS, multi_output=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            only = self.classes_.tolist()[0]
            raise ValueError(f"{type(self).__name__} needs samples of two classes at least: got one class, {only!r}")
        self._train(X, labels, len(self.classes_), cross_entropy, strata=labels)
        return self

    def predict(self, X: Any) -> Array:
        """The label of each sample: (n,)."""
        likeliest = self._outputs(X).argmax(axis=1)
        return self.classes_[likeliest]  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, in the order of `classes_`: (n, classes)."""
        return np.asarray(softmax(self._outputs(X)))

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def _score(self, y: Array, out: Array) -> float:
        return float((out.argmax(axis=1) == y).mean())


class MLPRegressor(RegressorMixin, _Perceptron):  # type: ignore[misc]
    """A fully connected network as a scikit-learn regressor, trained on half the squared error.

    The parameters are those of `MLPClassifier`. Early stopping uses R² as the score. Targets are (n,), or (n, outputs)
    for several outputs. They are standardised during the training, so that their unit and offset do not matter. The
    loss and `alpha` refer to standardised targets; the trained network gives the original units.

    >>> x = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> model = MLPRegressor((), learning_rate_init=0.03, tol=1e-7, random_state=0).fit(x, 1e6 * x[:, 0] + 5e6)
    >>> model.predict([[0.0], [1.0]]).round(-4).tolist()
    [5000000.0, 6000000.0]
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on samples X (n, features) and their targets y, (n,) or (n, outputs). Returns the estimator."""
        X, y = validate_data(self, X, y, dtype=FLOATS, multi_output=True, y_numeric=True)
        self._shape = y.shape[1:]
        y = np.asarray(y, np.float64).reshape(len(y), -1)
        mean, spread = y.mean(axis=0), y.std(axis=0)
        spread[spread < 10 * np.finfo(float).eps * np.abs(mean)] = 0.0  # rounding errors only: the target is constant
        targets = ((y - mean) / np.where(spread, spread, 1.0)).astype(X.dtype)
        self._train(X, targets, y.shape[1], _half_squared_error, strata=None)
        weight, bias = _pairs(self.model_)[-1]
        weight.data = weight.detach() * spread
        bias.data = bias.detach() * spread + mean
        return self

    def predict(self, X: Any) -> Array:
        """The predicted target of each sample, in the shape of the targets."""
        out = self._outputs(X)
        return out.reshape(len(out), *self._shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _score(self, y: Array, out: Array) -> float:
        return float(r2_score(y, out))


def _half_squared_error(out: Any, y: Array) -> Any:
    return 0.5 * squared_error(out, y)


def _network(
    sizes: Sequence[int], activation: type[Module] | None, rng: np.random.Generator, dtype: Any
) -> layers.Sequential:
    """Linear layers of these sizes, with the activation between them."""
    first = init.he_uniform if activation not in (None, layers.Sigmoid, layers.Tanh) else init.xavier_uniform
    made: list[Module] = []
    for n_in, n_out in pairwise(sizes):
        made.append(layers.Linear(n_in, n_out, weight_init=first, rng=rng, dtype=dtype))
        if activation is not None:
            made.append(activation())
    return layers.Sequential(*made[: len(made) if activation is None else -1])


def _pairs(model: layers.Sequential) -> list[tuple[Tensor, Tensor]]:
    """The weight and the bias of each layer."""
    return [
        (layer.weight, layer.bias) for layer in model if isinstance(layer, layers.Linear) and layer.bias is not None
    ]


def _is(x: Any, kind: Any, low: float) -> bool:
    """True for a finite number of this kind that is at least `low`."""
    return isinstance(x, kind) and not isinstance(x, bool) and low <= x < math.inf


class _Settled:
    """A callback that stops a training when its loss has not fallen by `tol` for several epochs."""

    def __init__(self, tol: float, patience: int) -> None:
        self.tol, self.patience, self.best, self.waited = tol, patience, math.inf, 0

    def on_epoch_end(self, state: State) -> None:
        loss = state.history[-1]["train_loss"]
        self.waited = self.waited + 1 if loss > self.best - self.tol else 0
        self.best = min(self.best, loss)
        if self.waited > self.patience:
            state.stop(f"the loss has not fallen by tol={self.tol:g} for {self.patience} epochs")


if not TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
