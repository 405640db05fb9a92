"""From data as it came to data to train with: labels as rows, standardised columns, rows set apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Seed = int | np.random.Generator


def one_hot(labels: npt.ArrayLike, classes: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Turn labels (N,) into rows (N, classes) of `dtype`: 1 in the label's column, 0 elsewhere.

    Raises IndexError for a label outside [0, classes), TypeError for labels that are not integers, ValueError
    for labels that are not 1-D.

    >>> one_hot([2, 0], classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"one_hot needs integer labels, got {labels.dtype}; convert with .astype(int)")
    if labels.ndim != 1:
        raise ValueError(f"one_hot needs labels of shape (N,), got {labels.shape}")
    if (bad := np.flatnonzero((labels < 0) | (labels >= classes))).size:
        raise IndexError(f"label {labels[bad[0]]} in row {bad[0]} is not one of {classes} classes from 0")
    out = np.zeros((len(labels), classes), dtype)
    out[np.arange(len(labels)), labels] = 1
    return out
