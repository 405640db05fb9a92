"""Every kind of data gives the same numbers, or the same error, in every function that takes data."""

import array
import datetime
import random
import re
import warnings
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from foreign_data import Capsule, Frame, Interface, Mixed, Other, Series, Sparse

import autograd
import nn
from autograd import Tensor, Value, vectorize
from nn import inspection, plots
from nn.data import Batches, Standardize, one_hot, train_validation_split

X = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, 0.0], [3.0, 2.0], [-1.0, 2.0], [0.5, -2.0]])
Y = np.array([0, 1, 0, 1, 1, 0])


def matrix(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix(x)


def frozen(x):
    x = x.copy()
    x.setflags(write=False)
    return x


KINDS: dict[str, Any] = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(map(tuple, x.tolist())),
    "list of arrays": list,
    "tuple of float32": lambda x: tuple(x.astype(np.float32)),
    "list of columns": lambda x: [Series(row) for row in x],
    "list of others": lambda x: [Other(row) for row in x],
    "list of lists of scalars": lambda x: [list(row) for row in x],
    "list of buffers": lambda x: [array.array("d", row) for row in x],
    "big-endian": lambda x: x.astype(">f8"),
    "big-endian float32": lambda x: x.astype(">f4"),
    "read-only": frozen,
    "Fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=0)[::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "float16": lambda x: x.astype(np.float16),
    "float32": lambda x: x.astype(np.float32),
    "longdouble": lambda x: x.astype(np.longdouble),
    "int64": lambda x: x.astype(np.int64),
    "big-endian int16": lambda x: x.astype(">i2"),
    "int8": lambda x: x.astype(np.int8),
    "bool": lambda x: x > 0.7,
    "list of ints": lambda x: x.astype(int).tolist(),
    "matrix": matrix,
    "unmasked": lambda x: np.ma.masked_array(x),
    "frame": Frame,
    "frame of float32": lambda x: Frame(x.astype(np.float32)),
    "frame of ints": lambda x: Frame(x.astype(int)),
    "frame of several dtypes": Mixed,
    "other's tensor": Other,
    "DLPack": Capsule,
    "NumPy's protocol": Interface,
    "memory": lambda x: memoryview(x.copy()),
}

tensors = nn.dense(2, 3, 2, rng=0, dtype=np.float64)
state = random.getstate()
random.seed(1)
values = nn.MLP(2, [3, 2], activation="tanh")
random.setstate(state)
traced = vectorize(lambda x: (x[0] * x[1]).tanh() + x[0], 2)
neuron: Any = values.layers[0].neurons[0]
weights = np.ones((2, 3))


def setter(x):
    t = Tensor(np.zeros(X.shape))
    t.data = x
    return t


def seeded(x):
    t = Tensor(np.ones(X.shape))
    (t * 3.0).backward(x)
    return t.grad


def fitted(data, **options):
    model = nn.dense(2, 2, rng=0, dtype=np.float64)
    history = nn.fit(model, data, "cross_entropy", "sgd", lr=0.1, epochs=2, progress=False, **options)
    return [row["train_loss"] for row in history] + [row.get("val_loss", 0.0) for row in history]


def boundary(x):
    ax = plots.decision_boundary(lambda points: points[:, 0] - 0.5, x, Y, resolution=2)
    return np.concatenate([line.get_xydata() for line in ax.lines])


def histograms(x):
    return plots.activation_histograms(values, x).get_xlim()


def shown(ax):
    """The numbers of the only image, with 0 where there are none."""
    return ax.images[0].get_array().filled(0.0)


def images(x):
    return shown(plots.weight_images(x, (2, 3)))


PICTURES = [boundary, histograms, images]
PICTURED = ["list", "bool", "frame", "other's tensor"]  # a picture takes a tenth of a second
FLOATS_ONLY: dict[str, Any] = {"Tensor": lambda x: Tensor(x)}
ENTRIES: dict[str, Any] = {
    "Tensor with a dtype": lambda x: Tensor(x, dtype=float),
    "Tensor.data": setter,
    "backward": seeded,
    "an operation": autograd.tanh,
    "an operation of two": lambda x: autograd.mul(Tensor(X), x),
    "a product": lambda x: autograd.matmul(x, Tensor(weights)),
    "a sum": lambda x: autograd.sum(x, axis=0),
    "a loss's target": lambda x: nn.squared_error(Tensor(X), x),
    "a loss's prediction": lambda x: nn.squared_error(x, X),
    "Linear": nn.Linear(2, 3, rng=0, dtype=np.float64),
    "an activation": nn.Tanh(),
    "Flatten": nn.Flatten(),
    "Dropout": nn.Dropout(0.5).eval(),
    "dropping": lambda x: nn.Dropout(0.5, rng=3)(x),
    "Sequential": tensors,
    "a Sequential of functions": nn.Sequential(lambda x: np.asarray(x)[:, :1] * 2.0),
    "MLP": lambda x: [[v.data for v in row] for row in values(x)],
    "Neuron": lambda x: [v.data for v in neuron(x)],
    "predict": lambda x: nn.predict(tensors, x, batch_size=4),
    "predict of Values": lambda x: nn.predict(values, x, batch_size=4),
    "evaluate": lambda x: list(nn.evaluate(tensors, x, Y).values()),
    "fit": lambda x: fitted((x, Y), batch_size=4),
    "fit of batches": lambda x: fitted([(x, Y), (x, Y)]),
    "fit's validation": lambda x: fitted((X, Y), validate=(x, Y)),
    "Batches": lambda x: next(iter(Batches(x, batch_size=4)))[0].astype(float),
    "a split": lambda x: train_validation_split(x, Y)[0].astype(float),
    "Standardize": lambda x: Standardize(x).mean,
    "standardising": lambda x: Standardize(X)(x),
    "unstandardising": lambda x: Standardize(X).inverse(x),
    "a decision boundary": boundary,
    "histograms": histograms,
    "idle units": lambda x: inspection.idle_units(tensors, x)[0].share,
    "weight images": images,
    "vectorize": traced,
}  # fmt: skip


def numbers(found):
    return np.asarray(autograd.ops.detach(found), dtype=float)


@pytest.mark.parametrize("entry", [*ENTRIES, *FLOATS_ONLY])
def test_every_kind_gives_the_numbers_of_the_plain_array(entry):
    take = (ENTRIES | FLOATS_ONLY)[entry]
    for kind in PICTURED if take in PICTURES else KINDS:
        make = KINDS[kind]
        given = make(X)
        plain = X.astype(int).astype(float) if "int" in kind else (X > 0.7).astype(float) if kind == "bool" else X
        if entry in ("an operation of two", "a sum") and kind == "matrix":  # NumPy's * of matrices is a product
            continue
        if entry in FLOATS_ONLY and kind in WHOLE:
            with pytest.raises(TypeError, match=r"float32 or float64, not \w+ of shape.*pass dtype=np.float64"):
                take(given)
            continue
        wanted = numbers(take(plain))
        halved = kind == "float16" or (kind in ("int8", "bool") and entry in OWN)  # by NumPy
        coarse = 2e-2 if halved else 1e-5
        np.testing.assert_allclose(numbers(take(given)), wanted, coarse, coarse, err_msg=kind)


WHOLE = {kind for kind in KINDS if "int" in kind} | {"bool", "float16", "longdouble"}

REFUSED: dict[str, tuple[Any, str]] = {
    "ragged": (lambda: [[1.0, 2.0], [3.0]], r"item 0 has \(2,\) and item 1 has \(1,\)"),
    "ragged arrays": (lambda: [np.ones(2), np.ones(3)], r"item 0 has \(2,\) and item 1 has \(3,\)"),
    "missing": (lambda: [[1.0, None]], "NoneType None in row 0, column 1"),
    "object": (lambda: [[1.0, 2.0], [object(), 1.0]], "objects, such as object <object .* in row 1, column 0"),
    "numbers as objects": (lambda: X.astype(object), r"np.array\(x, dtype=float\)"),
    "fractions": (lambda: [[Fraction(1), Fraction(2)]], "fractions.Fraction"),
    "a word in a frame": (lambda: WithWord(X), r"str 'n/a' in row 1, column 'c1'"),
    "complex": (lambda: X * 1j, r"complex.*x\.real"),
    "complex with no imaginary part": (lambda: X + 0j, "complex"),
    "masked": (lambda: np.ma.masked_array(X, X > 0), r"its mask would be lost.*x\.filled\(0\.0\)"),
    "list of masked": (lambda: [np.ma.masked_array(X[0], [True, False])], "its mask would be lost"),
    "unit": (lambda: X.view(Metres), r"numpy\.asarray\(x\)"),
    "text": (lambda: [["1", "2"]], r"text \('1'\).*np\.unique"),
    "column of text": (lambda: Series(np.array(["a", "b"], object)), r"text \('a'\).*np\.unique"),
    "bytes": (lambda: b"12", "text"),
    "dates": (lambda: np.array(["2020-01-01"], "M8[D]"), "datetime64.*np.timedelta64"),
    "Python's dates": (lambda: [[datetime.date(2020, 1, 1)] * 2], "datetime.date"),
    "records": (lambda: np.zeros(2, [("a", float)]), "records.*np.column_stack"),
    "generator": (lambda: (row for row in X), r"a generator: give list\(x\)"),
    "map": (lambda: map(float, [1, 2]), r"a map: give list\(x\)"),
    "set": (lambda: {1.0, 2.0}, r"a set: give sorted\(x\)"),
    "dict": (lambda: {"a": [1.0], "b": [2.0]}, r"a dict.*np\.column_stack\(list\(x\.values\(\)\)\)"),
    "sparse": (Sparse, r"x\.toarray\(\)"),
    "with a graph": (lambda: Other(X, requires_grad=True), r"foreign_data\.Other: .*tensor\.detach\(\)"),
    "list with a graph": (lambda: [Other(row, True) for row in X], r"foreign_data\.Other: .*tensor\.detach\(\)"),
}  # fmt: skip
TEXT = {"text", "column of text", "bytes", "dates", "records", "complex", "complex with no imaginary part"}


class Metres(np.ndarray):
    """Numbers with a unit."""


class WithWord(Frame):
    """A column of numbers with a word in it."""

    def __array__(self, dtype=None, copy=None):
        out = self.array.astype(object)
        out[1, 1] = "n/a"
        return out


OWN = {"an operation", "an activation", "a sum", "Flatten"}  # without a variable, NumPy computes


@pytest.mark.parametrize("entry", [*ENTRIES, *FLOATS_ONLY])
def test_every_kind_is_refused_alike(entry):
    take = (ENTRIES | FLOATS_ONLY)[entry]
    for kind, (make, message) in REFUSED.items():
        if entry in ("Batches", "a split") and kind in TEXT:  # rows of anything but objects
            continue
        if entry in OWN and isinstance(make(), np.ndarray) and make().dtype != object:  # NumPy's own function
            continue
        if entry == "a sum" and kind in ("generator", "map"):  # as micrograd's programs do
            continue
        if entry == "a Sequential of functions" and (type(make()) is np.ndarray or not hasattr(make(), "__array__")):
            continue  # functions are given lists and arrays as they are
        with pytest.raises((TypeError, ValueError), match=message):
            take(make())
            pytest.fail(f"{entry} takes {kind}")


@pytest.mark.parametrize("variable", [Tensor(X), Value(1.0)])
def test_variables_are_no_data(variable):
    for take in (Batches, Standardize, train_validation_split, Tensor, lambda x: fitted((x, Y))):
        with pytest.raises(TypeError, match=rf"a {type(variable).__name__}.*\.data"):
            take(variable)
        with pytest.raises(TypeError, match=r"\.data"):
            take([variable, variable])


LABELS: dict[str, Any] = {
    "list": lambda y: y.tolist(),
    "uint8": lambda y: y.astype(np.uint8),
    "big-endian": lambda y: y.astype(">i4"),
    "read-only": frozen,
    "column": Series,
    "other's": Other,
    "scalars": list,
    "DLPack": Capsule,
}
TAKERS = {
    "cross_entropy": lambda y: nn.cross_entropy(Tensor(X), y),
    "smoothed": lambda y: nn.cross_entropy(Tensor(X), y, label_smoothing=0.1),
    "autograd.cross_entropy": lambda y: autograd.cross_entropy(Tensor(X), y),
    "multiclass_hinge": lambda y: nn.multiclass_hinge(Tensor(X), y),
    "binary_cross_entropy": lambda y: nn.binary_cross_entropy(Tensor(X[:, 0]), y),
    "one_hot": lambda y: one_hot(y, 2),
    "fit": lambda y: fitted((X, y)),
    "fit of batches": lambda y: fitted([(X, y)]),
    "evaluate": lambda y: list(nn.evaluate(tensors, X, y).values()),
    "stratify": lambda y: train_validation_split(X, stratify=y)[0],
    "confusion_counts": lambda y: inspection.confusion_counts(y, Y),
    "confusion_matrix": lambda y: shown(plots.confusion_matrix(Y, y)),
    "worst_samples": lambda y: [len(plots.worst_samples(X, y, np.full((6, 2), 0.5), shape=(1, 2)).texts)],
    "decision_boundary": lambda y: [len(plots.decision_boundary(lambda p: p[:, 0], X, y, resolution=2).lines)],
}


@pytest.mark.parametrize("taker", TAKERS)
def test_every_kind_of_labels(taker):
    wanted = numbers(TAKERS[taker](Y))
    for kind, make in LABELS.items():
        np.testing.assert_array_equal(numbers(TAKERS[taker](make(Y))), wanted, err_msg=kind)


# ------------------------------------------------------------------------------- targets of one dimension, or two

PAIRED = ["squared_error", "absolute_error", "huber", "hinge", "binary_cross_entropy"]


@pytest.mark.parametrize("loss", PAIRED)
@pytest.mark.parametrize("network", ["column", "row", "Values"])
def test_targets_with_and_without_a_last_axis_train_alike(loss, network):
    """(n,) and (n, 1) are the same n targets. Broadcasting them would give n * n errors."""
    y = 2.0 * Y - 1 if loss == "hinge" else Y
    found = []
    for target in (y, y[:, None], Frame(y[:, None]), Series(y), y.tolist()):
        random.seed(0)
        model: Any = nn.dense(2, 3, 1, rng=0, dtype=np.float64) if network != "Values" else nn.MLP(2, [1])
        model = nn.Sequential(*model, lambda out: out.reshape(-1)) if network == "row" else model
        history = nn.fit(model, (X, target), loss, "adam", lr=0.1, epochs=2, validate=(X, target), progress=False)
        measured = nn.evaluate(model, X, target, loss=loss)
        found.append([*history["train_loss"], *history["val_loss"], *measured.values()])
        assert ("val_accuracy" in history.columns) == (loss in ("hinge", "binary_cross_entropy"))
    np.testing.assert_allclose(found, [found[0]] * len(found), rtol=1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "multiclass_hinge"])
def test_labels_may_be_a_column(loss):
    one, other = (nn.dense(2, 2, rng=0) for _ in range(2))
    for model, y in ((one, Y), (other, Frame(Y[:, None]))):
        nn.fit(model, (X, y), loss, "sgd", lr=0.1, epochs=2, progress=False)
    assert np.array_equal(one[0].weight.data, other[0].weight.data)
    assert nn.evaluate(one, X, Y, loss=loss) == nn.evaluate(one, X, Y[:, None], loss=loss)


def test_accuracy_of_rows_of_probabilities():
    """The class is that of the largest probability. Once, the label was compared with the whole row."""
    labels = np.argmax(nn.predict(tensors, X), axis=1)
    rows = one_hot(labels, 2)
    assert nn.evaluate(tensors, X, rows, loss="kl_divergence")["accuracy"] == 1.0
    assert nn.evaluate(tensors, X, 1 - rows, loss="mse")["accuracy"] == 0.0
    with pytest.raises(ValueError, match=re.escape("a label for each of the 6 outputs, got y of shape (3,)")):
        nn.evaluate(tensors, X, Y[:3], loss=lambda out, y: 0.0)


def of_one(model, sample, _):
    return [model(sample)]


def test_a_batch_of_as_many_samples_as_features():
    """Two samples of two numbers: a check that only counts cannot tell them from one sample of two."""
    square = X[:2]
    models: list[Any] = [values, values.layers[0], values.layers[0].neurons[0]]
    for model in models:
        alone = [nn.predict(partial(of_one, model, row), [0]) for row in square.tolist()]
        np.testing.assert_array_equal(nn.predict(model, square), np.concatenate(alone))
    with pytest.raises(
        ValueError, match=re.escape("a sample (nin,) or a batch (n, nin), not an array of shape (1, 2, 2)")
    ):
        values(square[None])


def test_memory_of_others_is_watched_by_a_copy():
    """NumPy could make such memory read-only, but not writable again. So a copy is compared."""
    other = Other(X)
    borrowed = np.frombuffer(bytearray(X.tobytes())).reshape(X.shape)
    for given in (np.asarray(other), borrowed, np.asarray(X.copy().data)):
        t = Tensor(X)
        out = (t * given).sum()
        out.backward()
        np.testing.assert_array_equal(t.grad, given)
        assert given.flags.writeable


# ------------------------------------------------------------------------------------------- the libraries, if here


@pytest.mark.parametrize("library", ["pandas", "polars", "torch"])
def test_the_libraries_themselves(library):
    module = pytest.importorskip(library)
    made = module.tensor(X.tolist()) if library == "torch" else module.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    for entry, take in ENTRIES.items():
        np.testing.assert_allclose(numbers(take(made)), numbers(take(X)), 1e-5, 1e-5, err_msg=entry)
