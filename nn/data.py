"""Data sets: IDX and CSV readers, MNIST, minibatches, and two small makers (`moons`, `one_hot`).

A damaged file must never become wrong data, so each reader holds what it found against what the file promised
(sizes, checksums, ranges) before it hands out an array, and complains with a `DatasetError` that names the
file, the reason and what to do. NumPy arrays in, NumPy arrays out: nothing here knows about gradients.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import operator
import os
import sys
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Batches", "Dataset", "DatasetError", "load_mnist", "moons", "one_hot", "read_csv", "read_idx"]

Array = npt.NDArray[Any]
PathLike = str | os.PathLike[str]
Seed = int | np.random.Generator

MNIST = Path(__file__).resolve().parent.parent / "demos/data/mnist"  # absent where only the wheel is installed
_MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
_IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DatasetError(ValueError):
    """A data file is missing or damaged; one that cannot be opened has the `OSError` as its `__cause__`."""


def _error(path: Path | str, reason: str, advice: str = "fetch the file again") -> DatasetError:
    return DatasetError(f"{path}: {reason}; {advice}")


def _open(path: Path, sha256: str | None = None) -> io.BytesIO | gzip.GzipFile:
    """Return the content of `path`, decompressed when its first two bytes (not its name) say gzip."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _error(path, f"cannot be read ({error.strerror})", "check the path") from error
    if sha256 is not None and (found := hashlib.sha256(raw).hexdigest()) != sha256.lower():
        raise _error(path, f"SHA-256 is {found}, expected {sha256}")
    return gzip.GzipFile(fileobj=io.BytesIO(raw)) if raw[:2] == b"\x1f\x8b" else io.BytesIO(raw)


def _read(stream: io.BytesIO | gzip.GzipFile, size: int, path: Path) -> bytearray:
    """Read up to `size` bytes, in chunks: read(size) would allocate whatever a hostile header asks for."""
    found = bytearray()
    try:
        while chunk := stream.read(min(size - len(found), 1 << 20)):
            found += chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _error(path, f"damaged gzip data ({error})") from error
    return found


def read_idx(path: PathLike, *, sha256: str | None = None) -> Array:
    """Read an IDX file, plain or gzip (the format: http://yann.lecun.com/exdb/mnist/).

    Returns a writable array of the shape and dtype that the header states: uint8, int8, int16, int32, float32
    or float64, in native byte order. `sha256` is the hex digest expected of the file as stored. Raises
    DatasetError for a missing file, a wrong checksum, magic number or dtype, a damaged gzip stream, and data
    shorter or longer than the header promises. Memory is bounded by the data that the file really holds.

    >>> read_idx(MNIST / "t10k-labels-idx1-ubyte.gz")[:5]
    array([7, 2, 1, 0, 4], dtype=uint8)
    """
    path = Path(path)
    stream = _open(path, sha256)
    magic = _read(stream, 4, path)
    if len(magic) == 4 and (magic[:2] != b"\0\0" or magic[2] not in _IDX_DTYPES):
        known = ", ".join(f"{code:02x}" for code in _IDX_DTYPES)
        raise _error(path, f"starts with {magic.hex(' ')}, but IDX with 00 00 and a dtype ({known})")
    if len(magic) < 4 or len(dims := _read(stream, 4 * magic[3], path)) < 4 * magic[3]:
        raise _error(path, "ends inside its header")
    stored = np.dtype(_IDX_DTYPES[magic[2]])
    dtype = stored.newbyteorder("=")
    shape = tuple(int.from_bytes(dims[i : i + 4], "big") for i in range(0, len(dims), 4))
    expected = math.prod(shape) * dtype.itemsize  # Python ints: no header overflows them
    # One byte too many tells that a compressed stream is too long; a plain file is in memory already.
    compressed = isinstance(stream, gzip.GzipFile)
    data = _read(stream, expected + 1 if compressed else sys.maxsize, path)
    if len(data) != expected:
        found = f"{'at least ' if compressed and len(data) > expected else ''}{len(data)}"
        raise _error(path, f"{dtype} of shape {shape} takes {expected} bytes, found {found}")
    try:
        return np.frombuffer(data, stored).reshape(shape).astype(dtype, copy=False)
    except ValueError as error:  # over 64 dimensions, or (0, huge, huge)
        raise _error(path, f"NumPy cannot hold the shape {shape} ({error})") from error


def read_csv(
    path: PathLike,
    *,
    label_column: int = 0,
    header: bool | None = None,
    n_features: int | None = None,
    dtype: npt.DTypeLike = np.float32,
) -> tuple[Array, Array]:
    r"""Read a CSV file of numbers, plain or gzip, with an integer label on each line: MNIST's CSV form.

    Returns features (N, columns - 1) of `dtype`, integer or floating, and labels (N,) of int64. `header=None`
    takes the first line for a header when its label cell is a word. Each line must have `n_features` + 1
    values, by default as many as the first. Raises DatasetError, naming line and column (from 1), for ragged
    lines, text, labels that are not integers, and features that are not finite or do not fit `dtype` (uint8:
    0..255); TypeError for another kind of dtype.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.csv")
    ...     _ = path.write_text("label,a,b\n1,0,255\n0,7,9\n")
    ...     read_csv(path, dtype=np.uint8)
    (array([[  0, 255], [  7,   9]], dtype=uint8), array([1, 0]))
    """
    path, dtype = Path(path), np.dtype(dtype)
    if dtype.kind not in "iuf":
        raise TypeError(f"read_csv reads integers or floats, not dtype {dtype}")
    lines = bytes(_read(_open(path), sys.maxsize, path)).removeprefix(b"\xef\xbb\xbf").rstrip().splitlines()
    if not lines:
        raise _error(path, "is empty")
    width = lines[0].count(b",") + 1 if n_features is None else n_features + 1
    if width < 2 or not -width <= label_column < width:
        found = f"lines of {width} values do not hold features beside label_column {label_column}"
        raise _error(path, found, "check the arguments and the first line")
    for number, line in enumerate(lines, 1):
        if (values := line.count(b",") + 1) != width:
            raise _error(path, f"line {number} has {values} values, expected {width}", "mend the line")
    if header is None:  # "5x" is a damaged label and not the name of a column
        label = lines[0].split(b",")[label_column].strip(b"\"' ").lower()
        header = label[:1].isalpha() and label not in (b"nan", b"inf")
    top = 2 if header else 1  # the number of the first line of data
    del lines[: top - 1]
    if not lines:
        raise _error(path, "has a header and no data", "pass header=False if its line is data")

    features, labels = np.empty((len(lines), width - 1), dtype), np.empty(len(lines), np.int64)
    for start in range(0, len(lines), 4096):  # chunks bound the memory of the 64-bit blocks
        part = slice(start, start + 4096)
        try:
            features[part], labels[part] = _parse(lines[part], label_column, dtype)
        except ValueError:
            for row, line in enumerate(lines[part], start):  # one by one, to learn which
                try:
                    features[row : row + 1], labels[row : row + 1] = _parse([line], label_column, dtype)
                except ValueError as error:
                    reason = str(error).replace("at row 0,", "in")  # NumPy counts within this line
                    raise _error(path, f"line {top + row}: {reason}", "mend the line") from error
    return features, labels


def _parse(lines: list[bytes], label_column: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return the features and labels of CSV lines of equal width; ValueError for the first bad cell."""
    text = [line.decode("latin-1") for line in lines]
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy 2.0 reads "1.7" as the integer 1, and warns
        try:  # integers parse nine times faster
            block: Array = np.loadtxt(text, np.int64, delimiter=",", comments=None, ndmin=2)
        except (ValueError, DeprecationWarning):
            block = np.loadtxt(text, np.float64, delimiter=",", comments=None, ndmin=2)
    with np.errstate(all="ignore"):
        features, labels = block.astype(dtype), block[:, label_column].astype(np.int64)
    # A cast to integers must give the number back; from 2**53 on a float hides which integer the text was.
    exact = (np.abs(block) < 2**53) | (block.dtype.kind == "i")
    good = np.isfinite(features) if dtype.kind == "f" else (features == block) & exact
    good[:, label_column] = (labels == block[:, label_column]) & exact[:, label_column]
    if not good.all():
        row, column = np.argwhere(~good)[0]
        kind = "an integer label" if column == label_column % block.shape[1] else f"a {dtype} value"
        raise ValueError(f"{block[row, column]} in column {column + 1} is not {kind}")
    return np.delete(features, label_column, axis=1), labels


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
    """Load MNIST or a data set in the same files (Fashion-MNIST), by default the repository's own copy.

    Pixels: `dtype`, (N, 784), in 0..1; `flatten=False` keeps (N, 28, 28), `scale=False` 0..255. Labels: int64
    (N,) in 0..9. `folder` holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-...` and
    `t10k-labels-...` (or `.idx3-ubyte`), or `mnist_train.csv` and `mnist_test.csv`, each plain or `.gz`.
    Raises DatasetError for missing, damaged or mismatched files (the repository's own are held against their
    SHA-256), TypeError for a dtype that cannot hold the pixels.

    >>> load_mnist()
    Dataset('mnist': train (60000, 784) float32, test (10000, 784) float32, 10 classes)
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f" and (scale or not np.can_cast(np.uint8, dtype)):
        raise TypeError(f"pixels in {'0..1 (pass scale=False)' if scale else '0..255'} do not fit {dtype}")
    root = MNIST if folder is None else Path(folder)
    train_x, train_y = _mnist_part(root, "train", "train")
    test_x, test_y = _mnist_part(root, "t10k", "test")
    if train_x.shape[1:] != test_x.shape[1:]:
        raise _error(root, f"training images are {train_x.shape[1:]}, test images {test_x.shape[1:]}")
    shape = (math.prod(train_x.shape[1:]),) if flatten else train_x.shape[1:]
    train_x, test_x = (
        (np.divide(x, 255, dtype=dtype) if scale else x.astype(dtype, copy=False)).reshape(len(x), *shape)
        for x in (train_x, test_x)
    )
    return Dataset(train_x, train_y, test_x, test_y, name=root.resolve().name, classes=10)


def _mnist_part(root: Path, idx_part: str, csv_part: str) -> tuple[Array, Array]:
    """Read uint8 images (N, H, W) and int64 labels (N,) from the files of one half of the data set."""

    def find(name: str) -> Path | None:
        paths = (root / f"{name}.gz", root / name)  # in this order, for only the .gz has a checksum
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
        advice = f"pass a folder that holds {', '.join(_MNIST_SHA256)} (.gz or not)"
        raise _error(root, f"has no {missing}", advice)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise _error(images_file, f"holds {images.dtype} of shape {images.shape}, not 3-D uint8 images")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise _error(labels_file, f"holds {labels.dtype} of shape {labels.shape}, not 1-D integer labels")
    if len(images) != len(labels):
        counts = f"holds {len(images)} images, but {labels_file} {len(labels)} labels"
        raise _error(images_file, counts, "take both from one data set")
    if (bad := np.flatnonzero((labels < 0) | (labels > 9))).size:
        raise _error(labels_file, f"label {labels[bad[0]]} in row {bad[0]} is outside 0..9")
    return images, labels.astype(np.int64)


class Batches:
    """Minibatches of one or several arrays of equal length; each iteration over it is one epoch.

    Yields tuples with an array of `batch_size` rows for each one given (fewer in the last, unless `drop_last`
    leaves it out); `len()` counts them. With `shuffle`, they are fresh arrays, in the order of a permutation
    drawn from `rng` (`seed`, or the generator made of it) as the iteration starts: same seed, same sequence
    of epochs. Without, they are views. Raises ValueError for no arrays, different lengths, no rows,
    `batch_size` < 1, and a `drop_last` that would leave no batch.

    >>> for a, b in Batches(np.eye(3), np.arange(3), batch_size=2, shuffle=False):
    ...     print(a.tolist(), b)
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] [0 1]
    [[0.0, 0.0, 1.0]] [2]
    """

    def __init__(
        self,
        *arrays: npt.ArrayLike,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: Seed = 0,
        drop_last: bool = False,
    ) -> None:
        self.arrays: tuple[Array, ...] = tuple(np.asarray(array) for array in arrays)
        lengths = [len(array) if array.ndim else 0 for array in self.arrays]
        if len(set(lengths)) != 1 or lengths[0] == 0:
            raise ValueError(f"Batches needs arrays of one length, at least 1; got the lengths {lengths}")
        self.rows, self.batch_size = lengths[0], operator.index(batch_size)
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if drop_last and self.batch_size > self.rows:
            raise ValueError(f"drop_last leaves no batch of {batch_size} in {self.rows} rows")
        self.shuffle, self.drop_last, self.rng = shuffle, drop_last, np.random.default_rng(seed)

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        slices = (slice(start, start + self.batch_size) for start in starts)
        if not self.shuffle:
            return (tuple(array[rows] for array in self.arrays) for rows in slices)
        order = self.rng.permutation(self.rows)
        return (tuple(np.take(array, order[rows], axis=0) for array in self.arrays) for rows in slices)


def moons(n_samples: int = 100, noise: float = 0.1, seed: Seed = 0) -> tuple[Array, Array]:
    """Make two interleaving half circles, with the geometry of scikit-learn's `make_moons`.

    Returns shuffled float64 points (n_samples, 2), with Gaussian noise of standard deviation `noise`, and
    int64 labels (n_samples,): 0 for the outer half circle (n_samples // 2 points), 1 for the inner. Raises
    ValueError for `n_samples` < 1 and for a negative `noise`.

    >>> x, y = moons(4, noise=0.0)
    >>> x[y == 0].round(3).tolist()
    [[1.0, 0.0], [-1.0, 0.0]]
    """
    if n_samples < 1 or not noise >= 0:
        raise ValueError(f"moons needs n_samples >= 1 and noise >= 0, got {n_samples} and {noise}")
    rng = np.random.default_rng(seed)
    outer, inner = (np.linspace(0, np.pi, n) for n in (n_samples // 2, n_samples - n_samples // 2))
    x = np.concatenate([np.cos(outer), 1 - np.cos(inner)])
    y = np.concatenate([np.sin(outer), 0.5 - np.sin(inner)])
    order = rng.permutation(n_samples)
    points = np.column_stack([x, y])[order] + noise * rng.standard_normal((n_samples, 2))
    return points, (order >= len(outer)).astype(np.int64)


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
