"""Data files to read: arrays as IDX, a small data set in MNIST's files."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    head = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def packed(content: bytes) -> bytes:
    """Compressed without the time. With it, the names of tests would differ between processes."""
    return gzip.compress(content, mtime=0)


def stored(content: bytes, compressed: bool) -> bytes:
    return packed(content) if compressed else content


def idx_arrays() -> st.SearchStrategy[np.ndarray]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
    return st.sampled_from(sorted(CODES)).flatmap(lambda code: hnp.arrays(code, shapes))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()  # bytes: NaN, -0.0


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


FILES = [f"{part}-{kind}" for part in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
SMALL = {
    FILES[0]: np.arange(30, dtype="u1").reshape(5, 2, 3) * 8,
    FILES[1]: np.array([0, 9, 2, 3, 4], "u1"),
    FILES[2]: np.arange(12, dtype="u1").reshape(2, 2, 3) + 243,
    FILES[3]: np.array([7, 8], "i4"),
}


def write_small(folder: Path, suffix: str = "", **changes: np.ndarray) -> Path:
    """Write a small data set in MNIST's files; `changes` replace train_images, t10k_labels and so on."""
    for name, array in SMALL.items():
        array = changes.get("_".join(name.split("-")[:2]), array)
        (folder / (name + suffix)).write_bytes(stored(idx_bytes(array), suffix == ".gz"))
    return folder
