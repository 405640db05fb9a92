"""Prepare data for training: one-hot labels, standardised columns, a validation split."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from nn.support.arrays import ANY, Array, Seed, as_array, as_floats


def one_hot(labels: npt.ArrayLike, classes: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Turn labels (N,) into rows (N, classes) of `dtype`: 1 in the label's column, 0 elsewhere.

    Raises IndexError for a label outside [0, classes), TypeError for labels that are not integers, ValueError for
    labels that are not 1-D.

    >>> one_hot([2, 0], classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    labels = as_array(labels, "one_hot")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"one_hot needs integer labels, got {labels.dtype}; convert with .astype(int)")
    if labels.ndim != 1:
        raise ValueError(f"one_hot needs labels of shape (N,), got {labels.shape}")
    if (bad := np.flatnonzero((labels < 0) | (labels >= classes))).size:
        raise IndexError(f"label {labels[bad[0]]} in row {bad[0]} is not one of {classes} classes from 0")
    out = np.zeros((len(labels), classes), dtype)
    out[np.arange(len(labels)), labels] = 1
    return out


class Standardize:
    """Scales columns to mean 0 and standard deviation 1, as measured on the training rows.

    Make it with the training rows only, since test rows must not influence the training. Then call it with any rows.
    `mean` and `scale` are float64 arrays with the shape of one row. `scale` is the standard deviation (with division by
    n). It is 1 for constant columns, which become 0. Rows may have any shape (N, ...). The dtype stays the same; whole
    numbers become float64.

    Raises TypeError for data that are not numbers. Raises ValueError for no rows, for columns with numbers that are not
    finite or whose squares overflow, and for rows of another shape.

    >>> train, test = np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([[5.0, 8.0]])
    >>> standardize = Standardize(train)
    >>> standardize(train).tolist(), standardize(test).tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [[3.0, 1.0]])
    >>> standardize.inverse(standardize(test)).tolist()
    [[5.0, 8.0]]
    """

    def __init__(self, train: npt.ArrayLike) -> None:
        train = as_floats(train, "Standardize")
        if not train.ndim or not len(train):
            raise ValueError(f"Standardize needs rows to learn from, got the shape {train.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            self.mean: Array = np.asarray(train.mean(axis=0, dtype=np.float64))
            squares = sum(((train[rows] - self.mean) ** 2).sum(axis=0) for rows in _chunks(train))
            scale = np.sqrt(np.asarray(squares) / len(train))
        if not (good := np.isfinite(scale)).all():
            column = tuple(map(int, np.argwhere(~good)[0]))
            raise ValueError(f"column {column} has numbers that are not finite, or too large to be squared")
        constant = train.min(axis=0) == train.max(axis=0)
        self.mean = np.where(constant, train[0], self.mean)  # a mean may be rounded
        self.scale: Array = np.where(constant | (scale == 0), 1.0, scale)

    def __call__(self, rows: npt.ArrayLike) -> Array:
        """The rows standardised, as a new array."""
        return self._each(rows, lambda part: (part - self.mean) / self.scale)

    def inverse(self, rows: npt.ArrayLike) -> Array:
        """The original rows of standardised ones, as a new array."""
        return self._each(rows, lambda part: part * self.scale + self.mean)

    def _each(self, rows: npt.ArrayLike, function: Callable[[Array], Array]) -> Array:
        rows = as_floats(rows, "Standardize")
        if rows.shape[1:] != self.mean.shape or not rows.ndim:
            raise ValueError(f"Standardize was made with rows of shape {self.mean.shape}, got {rows.shape[1:]}")
        out = np.empty_like(rows)
        for part in _chunks(rows):
            out[part] = function(rows[part])
        return out

    def __repr__(self) -> str:
        return f"Standardize(of rows of shape {self.mean.shape})"


def _chunks(rows: Array) -> Iterator[slice]:
    """Slices of some thousand rows, so that computing in float64 does not double the memory of the data."""
    return (slice(start, start + 4096) for start in range(0, len(rows), 4096))


def train_validation_split(
    *arrays: npt.ArrayLike, validation: float = 0.1, seed: Seed = 0, stratify: npt.ArrayLike | None = None
) -> list[Array]:
    """Split arrays at random into training and validation rows. All arrays are split in the same way.

    Args:
        arrays: arrays of equal length.
        validation: the number of validation rows (an int), or their part of all rows (a float between 0 and 1; rounded
            to whole rows, ties to even).
        seed: a seed or a generator.
        stratify: labels (N,). With them, both parts have the same proportions of classes, to within a row.

    Returns the training and the validation rows of the first array, then of the second, as scikit-learn's
    `train_test_split` does. They are copies, in their original order.

    Raises ValueError for no arrays, for different lengths, and if one part would be empty. Raises TypeError if
    `validation` is not a number.

    >>> x, y = np.arange(10), np.arange(10) % 2
    >>> train_x, validation_x, train_y, validation_y = train_validation_split(x, y, validation=4, stratify=y)
    >>> len(train_x), np.bincount(validation_y).tolist()
    (6, [2, 2])
    """
    tables = [as_array(array, "train_validation_split", ANY) for array in arrays]
    labels = None if stratify is None else as_array(stratify, "stratify", ANY)
    if labels is not None and labels.ndim != 1:
        raise ValueError(f"stratify has to be labels of shape (N,), got {labels.shape}")
    lengths = [len(table) if table.ndim else 0 for table in tables]
    if not lengths or len({*lengths, *(() if labels is None else (len(labels),))}) != 1:
        extra = "" if labels is None else f" and stratify of {len(labels)}"
        raise ValueError(f"a split needs arrays of one length, got the lengths {lengths}{extra}")
    total = lengths[0]
    if isinstance(validation, float):
        size = round(validation * total) if 0 < validation < 1 else 0
    else:
        size = operator.index(validation)
    if not 0 < size < total:
        raise ValueError(f"validation={validation} of {total} rows leaves nothing to train with, or to validate with")

    order = np.random.default_rng(seed).permutation(total)
    if labels is None:
        chosen = order[:size]
    else:
        _, codes, counts = np.unique(labels[order], return_inverse=True, return_counts=True)
        share = counts * size
        wanted = share // total
        rest = np.argsort(-(share % total), kind="stable")[: size - wanted.sum()]
        wanted[rest] += 1  # the largest remainders
        by_class = np.argsort(codes, kind="stable")
        rank = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = order[by_class[rank < np.repeat(wanted, counts)]]
    apart = np.zeros(total, bool)
    apart[chosen] = True
    return [table[rows] for table in tables for rows in (~apart, apart)]
