"""Readers of IDX and CSV files.

A damaged file must never become wrong data. So each reader checks sizes, checksums and ranges before it returns an
array. Errors are `DatasetError`s, which name the file, the reason and what to do.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import sys
import warnings
import zlib
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.support.arrays import Array
from nn.support.files import PathLike, read

_IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CHUNK = 4096  # lines of a CSV file that are parsed at a time, in 64 bits
SMALL, RATIO = 64 << 20, 100  # a gzip file may unpack to 64 MB, or to 100 times its size; real data stays below


class DatasetError(ValueError):
    """A data file is missing or damaged. If it cannot be opened, `__cause__` is the `OSError`."""


def error_in(path: Path | str, reason: str, advice: str = "fetch the file again") -> DatasetError:
    """A DatasetError that names the file, what is wrong, and what to do."""
    return DatasetError(f"{path}: {reason}; {advice}")


class _Content:
    """The contents of a file, decompressed if its first two bytes (not its name) say gzip."""

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        try:
            raw = read(path)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise error_in(path, f"cannot be read ({getattr(error, 'strerror', error)})", "check the path") from error
        if sha256 is not None and (found := hashlib.sha256(raw).hexdigest()) != sha256.lower():
            raise error_in(path, f"SHA-256 is {found}, expected {sha256}")
        self.path, self.compressed = path, raw[:2] == b"\x1f\x8b"
        self.stream = gzip.GzipFile(fileobj=io.BytesIO(raw)) if self.compressed else io.BytesIO(raw)
        self.limit = max(SMALL, RATIO * len(raw)) if self.compressed else len(raw)

    def read(self, size: int = sys.maxsize) -> bytearray:
        """Read up to `size` more bytes, in chunks, so that a malicious header cannot allocate too much memory."""
        found = bytearray()
        try:
            while chunk := self.stream.read(min(size - len(found), 1 << 20)):
                found += chunk
                if self.stream.tell() > self.limit:
                    reason = f"unpacks to more than {self.limit >> 20} MB, over {RATIO} times its size"
                    raise error_in(self.path, reason, "unpack it yourself if you trust it")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise error_in(self.path, f"damaged gzip data ({error})") from error
        return found


def read_idx(path: PathLike, *, sha256: str | None = None) -> Array:
    """Read an IDX file, plain or gzip (the format: http://yann.lecun.com/exdb/mnist/).

    Returns a writable array with the shape and dtype of the header: uint8, int8, int16, int32, float32 or float64, in
    native byte order. `sha256` is the expected hex digest of the stored file. Memory is bounded by the data in the
    file. A gzip file may unpack to 64 MB, or to 100 times its size.

    Raises DatasetError for a missing file, a wrong checksum, magic number or dtype, a damaged gzip stream, and for data
    that are shorter or longer than the header says.

    >>> from nn.data import MNIST
    >>> read_idx(MNIST / "t10k-labels-idx1-ubyte.gz")[:5]
    array([7, 2, 1, 0, 4], dtype=uint8)
    """
    path = Path(path)
    content = _Content(path, sha256)
    magic = content.read(4)
    if len(magic) == 4 and (magic[:2] != b"\0\0" or magic[2] not in _IDX_DTYPES):
        known = ", ".join(f"{code:02x}" for code in _IDX_DTYPES)
        raise error_in(path, f"starts with {magic.hex(' ')}, but an IDX file starts with 00 00 and a dtype ({known})")
    if len(magic) < 4 or len(dims := content.read(4 * magic[3])) < 4 * magic[3]:
        raise error_in(path, "ends inside its header")
    stored = np.dtype(_IDX_DTYPES[magic[2]])
    dtype = stored.newbyteorder("=")
    shape = tuple(int.from_bytes(dims[i : i + 4], "big") for i in range(0, len(dims), 4))
    expected = math.prod(shape) * dtype.itemsize  # Python ints: no header overflows them
    # reading one byte more shows that a compressed stream is too long; a plain file is in memory already
    data = content.read(expected + 1) if content.compressed else content.read()
    if len(data) != expected:
        found = f"{'at least ' if content.compressed and len(data) > expected else ''}{len(data)}"
        raise error_in(path, f"{dtype} of shape {shape} takes {expected} bytes, found {found}")
    try:
        return np.frombuffer(data, stored).reshape(shape).astype(dtype, copy=False)
    except ValueError as error:  # over 64 dimensions, or (0, huge, huge)
        raise error_in(path, f"NumPy cannot hold the shape {shape} ({error})") from error


def read_csv(
    path: PathLike,
    *,
    label_column: int = 0,
    header: bool | None = None,
    n_features: int | None = None,
    dtype: npt.DTypeLike = np.float32,
    sha256: str | None = None,
) -> tuple[Array, Array]:
    r"""Read a CSV file of numbers, plain or gzip, with an integer label on each line, as in MNIST's CSV files.

    Args:
        path: the file.
        label_column: the index of the column with the labels.
        header: True or False to say whether the first line is a header; None to detect it. A header has a word in the
            label's cell, and its other cells are not numbers, or count from 0 or 1. A first line 0,1,2,… may be a
            sample or pandas' header of column numbers. Then `header` must be given, unless `dtype` cannot hold the
            numbers.
        n_features: each line must have one value more. By default as many values as the first line.
        dtype: the dtype of the features, integer or floating.
        sha256: the expected hex digest of the stored file.

    Returns features (N, columns - 1) of `dtype`, and labels (N,) of int64.

    Raises DatasetError, which names line and column (from 1), for lines of different lengths, text, labels that are not
    integers, and features that are not finite or do not fit `dtype` (uint8: 0..255). Raises DatasetError for a wrong
    checksum, too, and TypeError for another kind of dtype.

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
    text = bytes(_Content(path, sha256).read()).removeprefix(b"\xef\xbb\xbf").rstrip()
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not text:
        raise error_in(path, "is empty")
    lines = io.BytesIO(text)  # read line by line; a list of all lines would take ten times the memory
    first = lines.readline()
    width = first.count(b",") + 1 if n_features is None else n_features + 1
    if width < 2 or not -width <= label_column < width:
        found = f"lines of {width} values do not hold features beside label_column {label_column}"
        raise error_in(path, found, "check the arguments and the first line")
    for number, line in enumerate(chain([first], lines), 1):
        if (values := line.count(b",") + 1) != width:
            raise error_in(path, f"line {number} has {values} values, expected {width}", "mend the line")
    if header is None:
        cells = first.strip().split(b",")
        header = _is_header(cells, label_column)
        if _counts(cells):
            largest = width - 2 if label_column % width == width - 1 else width - 1  # the largest feature
            header = dtype.kind != "f" and largest > np.iinfo(dtype).max
            if not header:
                reason = "its first line counts 0,1,2,… and may be a header of column numbers, or a sample"
                raise error_in(path, reason, "pass header=True to leave it out, header=False to read it as a sample")
    top = 2 if header else 1  # the number of the first line of data
    count = number + 1 - top
    if not count:
        raise error_in(path, "has a header and no data", "pass header=False if its line is data")

    features, labels = np.empty((count, width - 1), dtype), np.empty(count, np.int64)
    lines.seek(len(first) if header else 0)
    for start in range(0, count, CHUNK):
        part, some = slice(start, start + CHUNK), [line.rstrip(b"\n") for line in islice(lines, CHUNK)]
        try:
            features[part], labels[part] = _parse(some, label_column, dtype)
        except ValueError:
            for row, line in enumerate(some, start):  # parse one by one, to find the bad line
                try:
                    features[row : row + 1], labels[row : row + 1] = _parse([line], label_column, dtype)
                except ValueError as error:
                    reason = str(error).replace("at row 0,", "in")  # NumPy counts within this line
                    raise error_in(path, f"line {top + row}: {reason}", "mend the line") from error
    return features, labels


def _is_header(cells: list[bytes], label_column: int) -> bool:
    """True if a line names its columns. A sample with a damaged label, such as x,0,0,0, is not a header."""
    names = [cell.strip(b"\"' ").lower() for cell in cells]
    label = names.pop(label_column)
    if not label[:1].isalpha() or label in (b"nan", b"inf"):
        return False
    numbered = [[b"%d" % i for i in range(first, first + len(names))] for first in (0, 1)]  # as pandas names columns
    return not any(map(_is_number, names)) or (label[1:2].isalpha() and names in numbered)


def _counts(cells: list[bytes]) -> bool:
    """True if the cells of a line are 0,1,2,…"""
    return [cell.strip(b"\"' ") for cell in cells] == [b"%d" % i for i in range(len(cells))]


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parse(lines: list[bytes], label_column: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """The features and labels of CSV lines of equal width. Raises ValueError for the first bad cell."""
    text = [line.decode("latin-1") for line in lines]
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy 2.0 reads "1.7" as the integer 1, and warns
        try:  # integers parse nine times faster
            block: Array = np.loadtxt(text, np.int64, delimiter=",", comments=None, ndmin=2)
        except (ValueError, DeprecationWarning):
            block = np.loadtxt(text, np.float64, delimiter=",", comments=None, ndmin=2)
    with np.errstate(all="ignore"):
        features, labels = block.astype(dtype), block[:, label_column].astype(np.int64)
    # a cast to integers must not change the number; from 2**53 on, a float may differ from the integer in the text
    exact = (np.abs(block) < 2**53) | (block.dtype.kind == "i")
    good = np.isfinite(features) if dtype.kind == "f" else (features == block) & exact
    good[:, label_column] = (labels == block[:, label_column]) & exact[:, label_column]
    if not good.all():
        row, column = np.argwhere(~good)[0]
        kind = "an integer label" if column == label_column % block.shape[1] else f"a {dtype} value"
        raise ValueError(f"{block[row, column]} in column {column + 1} is not {kind}")
    return np.delete(features, label_column, axis=1), labels
