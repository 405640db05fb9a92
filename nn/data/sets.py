"""Data sets by name: MNIST, others in the same file format, and scikit-learn's digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.data.download import download
from nn.data.files import error_in, read_csv, read_idx
from nn.support.arrays import Array
from nn.support.extras import optional
from nn.support.files import PathLike

MNIST = Path(__file__).resolve().parent / "mnist"
"""The folder of the copy of MNIST that comes with the package."""

_MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training and test arrays of a classification data set, its name and its number of classes.

    >>> Dataset(np.eye(3), np.arange(3), np.eye(3)[:1], np.arange(1), name="tiny", classes=3)
    Dataset('tiny': train (3, 3) float64, test (1, 3) float64, 3 classes)
    """

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array
    name: str
    classes: int

    def __repr__(self) -> str:
        train, test = (f"{x.shape} {x.dtype}" for x in (self.train_x, self.test_x))
        return f"Dataset({self.name!r}: train {train}, test {test}, {self.classes} classes)"


def load_mnist(
    folder: PathLike | None = None,
    *,
    dtype: npt.DTypeLike = np.float32,
    flatten: bool = True,
    scale: bool = True,
) -> Dataset:
    """Load MNIST, or a data set in files of the same format. The default is the copy that comes with the package.

    Args:
        folder: holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-...` and `t10k-labels-...` (or
            `.idx3-ubyte`), or `mnist_train.csv` and `mnist_test.csv`. Each may be plain or `.gz`.
        dtype: the dtype of the pixels.
        flatten: True for pixels (N, 784), False for (N, 28, 28).
        scale: True for pixels in 0..1, False for 0..255.

    Labels are int64 (N,) in 0..9. Raises DatasetError for missing, damaged or mismatched files; the package's own files
    are checked against their SHA-256. Raises TypeError for a dtype that cannot hold the pixels.

    >>> load_mnist()
    Dataset('mnist': train (60000, 784) float32, test (10000, 784) float32, 10 classes)
    """
    dtype = _pixel_dtype(dtype, scale, 255)
    root = MNIST if folder is None else Path(folder)
    train_x, train_y = _mnist_part(root, "train", "train")
    test_x, test_y = _mnist_part(root, "t10k", "test")
    if train_x.shape[1:] != test_x.shape[1:]:
        raise error_in(root, f"training images are {train_x.shape[1:]}, test images {test_x.shape[1:]}")
    shape = (math.prod(train_x.shape[1:]),) if flatten else train_x.shape[1:]
    train_x, test_x = (x.astype(dtype, copy=False).reshape(len(x), *shape) for x in (train_x, test_x))
    if scale:
        for x in (train_x, test_x):
            x /= 255
    return Dataset(train_x, train_y, test_x, test_y, name=root.resolve().name, classes=10)


def load_fashion_mnist(
    folder: PathLike | None = None,
    *,
    dtype: npt.DTypeLike = np.float32,
    flatten: bool = True,
    scale: bool = True,
) -> Dataset:
    """Load Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017). By default it is downloaded into the cache of `download`.

    It has 60,000 and 10,000 images of ten kinds of clothes, in files of the same format. `FASHION_CLASSES` has the
    names of the classes. The arguments are those of `load_mnist`.
    """
    root = download("fashion-mnist") if folder is None else folder
    return load_mnist(root, dtype=dtype, flatten=flatten, scale=scale)


def load_digits(
    *, test: float = 0.15, seed: int = 37, dtype: npt.DTypeLike = np.float32, flatten: bool = True, scale: bool = True
) -> Dataset:
    """Load scikit-learn's 1,797 handwritten digits of 8x8 pixels, split into training and test rows.

    Args:
        test: the number of test rows, or their part of all rows.
        seed: the seed of the split. `test` and `seed` are passed to scikit-learn's `train_test_split`, so the rows are
            the same as with scikit-learn.
        dtype: the dtype of the pixels.
        flatten: True for pixels (N, 64), False for (N, 8, 8).
        scale: True for pixels in 0..1, False for 0..16.

    Labels are int64 (N,) in 0..9. Raises ImportError without `pip install 'chainrule[data]'`, and TypeError for a dtype
    that cannot hold the pixels.

    >>> load_digits()
    Dataset('digits': train (1527, 64) float32, test (270, 64) float32, 10 classes)
    """
    dtype = _pixel_dtype(dtype, scale, 16)
    datasets, selection = (
        optional(f"sklearn.{module}", "the digits need scikit-learn", "pip install 'chainrule[data]'")
        for module in ("datasets", "model_selection")
    )
    digits = datasets.load_digits()
    images = (digits.images / (16 if scale else 1)).astype(dtype)
    images = images.reshape(len(images), -1) if flatten else images
    labels = digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = selection.train_test_split(images, labels, test_size=test, random_state=seed)
    return Dataset(train_x, train_y, test_x, test_y, name="digits", classes=10)


def _pixel_dtype(dtype: npt.DTypeLike, scale: bool, top: int) -> np.dtype[Any]:
    """Check a dtype: it must hold 0..1, or 0..top if the pixels are not scaled."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f" and (scale or dtype.kind not in "iu" or top > np.iinfo(dtype).max):
        raise TypeError(f"pixels in {'0..1 (pass scale=False)' if scale else f'0..{top}'} do not fit {dtype}")
    return dtype


def _mnist_part(root: Path, idx_part: str, csv_part: str) -> tuple[Array, Array]:
    """Read uint8 images (N, H, W) and int64 labels (N,) from the files of one half of the data set."""

    def find(name: str) -> Path | None:
        paths = (root / f"{name}.gz", root / name)  # in this order, since only the .gz has a checksum
        return next((path for path in paths if path.is_file()), None)

    wanted = [f"{idx_part}-images-idx3-ubyte", f"{idx_part}-labels-idx1-ubyte"]
    files = [find(name) or find(name.replace("-idx", ".idx")) for name in wanted]
    table = find(f"mnist_{csv_part}.csv")
    if files[0] and files[1]:
        sums = _MNIST_SHA256 if root.resolve() == MNIST.resolve() else {}
        images_file, labels_file = files[0], files[1]
        images, labels = (read_idx(path, sha256=sums.get(path.name)) for path in (images_file, labels_file))
    elif table:
        images_file = labels_file = table
        pixels, labels = read_csv(table, n_features=784, dtype=np.uint8)
        images = pixels.reshape(-1, 28, 28)
    else:
        missing = " or ".join(name for name, path in zip(wanted, files, strict=True) if not path)
        advice = f"pass download('mnist') or a folder that holds {', '.join(_MNIST_SHA256)} (.gz or not)"
        raise error_in(root, f"has no {missing}", advice)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise error_in(images_file, f"holds {images.dtype} of shape {images.shape}, not 3-D uint8 images")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise error_in(labels_file, f"holds {labels.dtype} of shape {labels.shape}, not 1-D integer labels")
    if len(images) != len(labels):
        counts = f"holds {len(images)} images, but {labels_file} {len(labels)} labels"
        raise error_in(images_file, counts, "take both from one data set")
    if (bad := np.flatnonzero((labels < 0) | (labels > 9))).size:
        raise error_in(labels_file, f"label {labels[bad[0]]} in row {bad[0]} is outside 0..9")
    return images, labels.astype(np.int64)
