"""One-hot labels, standardised columns, the validation split, and the prepared digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import datasets, model_selection
from sklearn.preprocessing import StandardScaler

from nn.data import Standardize, load_digits, one_hot, train_validation_split

# --- one-hot -----------------------------------------------------------------------------------------------


@given(
    st.integers(1, 9).flatmap(
        lambda k: st.tuples(
            hnp.arrays(hnp.integer_dtypes() | hnp.unsigned_integer_dtypes(), 5, elements=st.integers(0, k - 1)),
            st.just(k),
        )
    ),
    st.sampled_from([np.float32, np.float64, np.int8, bool]),
)
def test_one_hot(drawn: tuple[np.ndarray, int], dtype: Any) -> None:
    labels, classes = drawn
    rows = one_hot(labels, classes, dtype)
    assert (rows.shape, rows.dtype) == ((5, classes), dtype)
    assert np.array_equal(rows.argmax(axis=1), labels)
    assert np.array_equal(rows.sum(axis=1), np.ones(5))
    assert set(np.unique(rows).tolist()) <= {0, 1}


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 3, 4], IndexError, "label 3 in row 2 is not one of 3 classes"),
        ([0, -1], IndexError, "label -1 in row 1 is not one of 3 classes"),
        ([0.0, 1.0], TypeError, "float64"),
        ([True, False], TypeError, "bool"),
        ([[0], [1]], ValueError, r"\(2, 1\)"),
        (1, ValueError, r"shape \(N,\), got \(\)"),
    ],
)
def test_one_hot_errors(labels: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        one_hot(labels, 3)


# --- Standardize -------------------------------------------------------------------------------------------


def tables(dtype: Any) -> st.SearchStrategy[np.ndarray]:
    shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)
    return hnp.arrays(dtype, shapes, elements=st.floats(-1000, 1000, width=16))


@given(tables(np.float64), st.integers(0, 2**32))
def test_standardize_is_scikit_learns(train: np.ndarray, seed: int) -> None:
    other = np.random.default_rng(seed).normal(size=(3, train.shape[1]))
    ours, theirs = Standardize(train), StandardScaler().fit(train)
    spread = train.std(axis=0) > 1e-9  # scikit-learn treats nearly constant columns as constant
    np.testing.assert_allclose(ours.mean, theirs.mean_, atol=1e-12)
    for rows in (train, other):
        np.testing.assert_allclose(ours(rows)[:, spread], theirs.transform(rows)[:, spread], rtol=1e-9, atol=1e-9)


@given(st.sampled_from([np.float32, np.float64, np.float16]).flatmap(tables))
def test_standardize_keeps_dtype_and_goes_back(train: np.ndarray) -> None:
    before = train.copy()
    standardize = Standardize(train)
    out = standardize(train)
    assert (out.dtype, out.shape) == (train.dtype, train.shape)
    assert np.isfinite(out).all()
    assert np.array_equal(train, before)
    assert not out[:, (train == train[0]).all(axis=0)].any()  # constant columns
    back = standardize.inverse(out)
    assert back.dtype == train.dtype
    size = np.abs(train.astype(np.float64)).max() + 1e-300
    np.testing.assert_allclose(back, train, atol=4 * np.finfo(train.dtype).eps * size)


@given(tables(np.float64))
def test_standardize_learns_from_the_training_rows_alone(train: np.ndarray) -> None:
    standardize = Standardize(train)
    alone = standardize(train[:1])
    standardize(train * 7 + 3)
    assert np.array_equal(standardize(train)[:1], alone)


def test_standardize_images_long_tables_and_tiny_spreads() -> None:
    images = np.random.default_rng(0).random((5000, 3, 4), np.float32)  # more rows than a chunk
    out = Standardize(images)(images)
    np.testing.assert_allclose(out.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(out.std(axis=0, dtype=np.float64), 1, rtol=1e-6)
    tiny = np.array([[0.0], [1e-200]])
    assert np.isfinite(Standardize(tiny)(tiny)).all()
    assert repr(Standardize(images)) == "Standardize(of rows of shape (3, 4))"


@pytest.mark.parametrize(
    ("train", "error", "message"),
    [
        ([["1", "2"]], TypeError, "Standardize takes plain numbers, not text"),
        (np.zeros((0, 2)), ValueError, r"rows to learn from, got the shape \(0, 2\)"),
        (np.float64(3), ValueError, r"got the shape \(\)"),
        ([[1.0, 2.0], [1.0, np.nan]], ValueError, r"column \(1,\) has numbers that are not finite"),
        ([[np.inf, 2.0], [1.0, 2.0]], ValueError, r"column \(0,\)"),
        ([[1e300, 2.0], [-1e300, 2.0]], ValueError, r"column \(0,\) .* too large"),
    ],
)
def test_standardize_errors(train: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Standardize(train)


def test_standardize_rows_of_another_shape() -> None:
    standardize = Standardize(np.eye(3))
    for method in (standardize, standardize.inverse):
        with pytest.raises(ValueError, match=r"rows of shape \(3,\), got \(2,\)"):
            method(np.zeros((4, 2)))
        whole = np.arange(12).reshape(4, 3)
        np.testing.assert_array_equal(method(whole), method(whole.astype(float)))


# --- a split -----------------------------------------------------------------------------------------------


@given(st.data(), st.integers(2, 40), st.integers(0, 2**32), st.booleans())
def test_split(draw: st.DataObject, rows: int, seed: int, stratified: bool) -> None:
    labels = np.array(draw.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows), "labels"))
    size = draw.draw(st.integers(1, rows - 1), "size")
    x = np.arange(2 * rows).reshape(rows, 2)
    stratify = labels if stratified else None
    parts = train_validation_split(x, labels, validation=size, seed=seed, stratify=stratify)
    train_x, validation_x, train_y, validation_y = parts
    assert (len(train_x), len(validation_x)) == (rows - size, size)
    assert np.array_equal(np.sort(np.concatenate([train_x, validation_x]), axis=0), x)
    for part, its_labels in ((train_x, train_y), (validation_x, validation_y)):
        assert np.array_equal(labels[part[:, 0] // 2], its_labels)
        assert (np.diff(part[:, 0]) > 0).all()  # the rows keep their order
    if stratified:
        share = np.bincount(labels) * size / rows
        assert (np.abs(np.bincount(validation_y, minlength=len(share)) - share) < 1).all()
    again = train_validation_split(x, labels, validation=size, seed=np.random.default_rng(seed), stratify=stratify)
    assert all(map(np.array_equal, parts, again))


def test_split_by_share_and_seed() -> None:
    train, validation = train_validation_split(np.arange(1000), validation=0.25)
    assert (len(train), len(validation)) == (750, 250)
    assert not np.array_equal(validation, train_validation_split(np.arange(1000), validation=0.25, seed=1)[1])
    assert validation.mean() == pytest.approx(500, abs=60)


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ((), {}, r"lengths \[\]"),
        ((np.zeros(3), np.zeros(4)), {}, r"lengths \[3, 4\]"),
        ((np.zeros(3),), {"stratify": [1, 2]}, r"lengths \[3\] and stratify of 2"),
        ((np.zeros(3),), {"stratify": np.zeros((3, 1))}, r"shape \(N,\), got \(3, 1\)"),
        ((np.zeros(3),), {"validation": 3}, "validation=3 of 3 rows leaves nothing"),
        ((np.zeros(3),), {"validation": 0}, "validation=0 of 3"),
        ((np.zeros(3),), {"validation": -1}, "validation=-1 of 3"),
        ((np.zeros(3),), {"validation": 0.01}, "validation=0.01 of 3"),
        ((np.zeros(3),), {"validation": 1.5}, "validation=1.5 of 3"),
        ((np.zeros(3),), {"validation": float("nan")}, "validation=nan of 3"),
    ],
)
def test_split_errors(arrays: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_validation_split(*arrays, **options)


# --- digits ------------------------------------------------------------------------------------------------


def test_digits_are_the_reference_networks_rows() -> None:
    x, y = datasets.load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = model_selection.train_test_split(x, y, test_size=0.15, random_state=37)
    digits = load_digits(scale=False)
    assert digits.train_x.dtype == np.float32
    for ours, theirs in zip(
        (digits.train_x, digits.test_x, digits.train_y, digits.test_y), (train_x, test_x, train_y, test_y), strict=True
    ):
        assert np.array_equal(ours, theirs)
    scaled = load_digits(flatten=False, test=100, dtype=np.float64)
    assert (scaled.test_x.shape, scaled.train_x.max()) == ((100, 8, 8), 1)
    assert load_digits(dtype=np.uint8, scale=False).train_x.max() == 16
    with pytest.raises(TypeError, match=r"pixels in 0..1 \(pass scale=False\) do not fit uint8"):
        load_digits(dtype=np.uint8)
