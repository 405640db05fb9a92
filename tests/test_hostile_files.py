"""Data files damaged at random raise a `DatasetError` that names the file, or give exactly the file's content."""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datafiles import FILES, SMALL, idx_arrays, idx_bytes, memory_below, same, stored, write_small
from hypothesis import given
from hypothesis import strategies as st

from nn.data import DatasetError, files, load_mnist, read_csv, read_idx, sets


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example writes again."""
    return tmp_path_factory.mktemp("data") / "file"


def damaged(draw: st.DataObject, content: bytes) -> bytes:
    """The content with some damage: bytes flipped, cut off, appended, inserted or removed, or another beginning."""
    data = bytearray(content)
    for _ in range(draw.draw(st.integers(1, 3), "how often")):
        at = draw.draw(st.integers(0, max(len(data) - 1, 0)), "place")
        kind = draw.draw(st.sampled_from(["flip", "digit", "cut", "append", "insert", "remove", "begin"]), "damage")
        if kind == "flip" and data:
            data[at] ^= draw.draw(st.integers(1, 255), "flip")
        elif kind == "digit" and data:  # a CSV stays readable
            data[at] = draw.draw(st.sampled_from(b'0123456789.-+eE, \n\r"#xn\0'), "byte")
        elif kind == "cut":
            del data[at:]
        elif kind == "append":
            data += draw.draw(st.binary(min_size=1, max_size=20), "more")
        elif kind == "insert":
            data[at:at] = draw.draw(st.binary(min_size=1, max_size=4), "put in")
        elif kind == "remove":
            del data[at : at + draw.draw(st.integers(1, 4), "taken out")]
        else:
            data[: draw.draw(st.integers(1, 16), "length")] = draw.draw(st.binary(max_size=16), "beginning")
    return bytes(data)


def unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def stated_idx(content: bytes) -> np.ndarray:
    """The content of an IDX file, read without `nn.data`."""
    content = unpacked(content)
    kind = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}[content[2]]
    shape = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    data = np.frombuffer(content[4 + 4 * content[3] :], ">" + kind)
    assert data.size == math.prod(shape)
    return data.reshape(shape).astype(kind)


def stated_csv(content: bytes, header: bool) -> tuple[np.ndarray, np.ndarray]:
    """The content of a CSV file with the label first, read without `nn.data`."""
    text = unpacked(content).removeprefix(b"\xef\xbb\xbf").rstrip().decode("latin-1")
    rows = [[float(cell) for cell in line.split(",")] for line in re.split("\r\n|\r|\n", text)[header:]]
    return np.array([row[1:] for row in rows]), np.array([row[0] for row in rows])


def outcome(read: Callable[[], Any], path: Path) -> Any:
    """The data read. None after an error that names the file (or one in the folder), a reason and what to do."""
    try:
        return read()
    except DatasetError as error:
        message = str(error)
    assert re.match(rf"{re.escape(str(path))}.*: .+; .+", message, re.DOTALL)
    return None


@given(idx_arrays(), st.booleans(), st.data())
def test_idx(path: Path, array: np.ndarray, compressed: bool, draw: st.DataObject) -> None:
    whole = stored(idx_bytes(array), compressed)
    content = damaged(draw, whole)
    path.write_bytes(content)
    read = outcome(lambda: read_idx(path), path)
    assert read is None or same(read, stated_idx(content))
    if content != whole:
        with pytest.raises(DatasetError, match="SHA-256 is"):
            read_idx(path, sha256=hashlib.sha256(whole).hexdigest())


@given(
    st.lists(st.lists(st.integers(0, 255), min_size=4, max_size=4), min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([np.uint8, np.float64]),
    st.data(),
)
def test_csv(
    path: Path, rows: list[list[int]], header: bool, compressed: bool, dtype: Any, draw: st.DataObject
) -> None:
    lines = ["label,a,b,c"] * header + [",".join(map(str, [row[0] % 10, *row[1:]])) for row in rows]
    whole = stored("\n".join(lines).encode(), compressed)
    content = damaged(draw, whole)
    path.write_bytes(content)
    read = outcome(lambda: read_csv(path, header=header, dtype=dtype), path)
    assert read is None or all(map(np.array_equal, read, stated_csv(content, header)))
    if content != whole:
        with pytest.raises(DatasetError, match="SHA-256 is"):
            read_csv(path, sha256=hashlib.sha256(whole).hexdigest())


def test_csv_loses_no_row_to_a_damaged_label(path: Path) -> None:
    content = b"1,0,1,0\n2,5,5,5\n"
    for byte in range(256):
        path.write_bytes(bytes([byte]) + content[1:])
        read = outcome(lambda: read_csv(path, n_features=3), path)
        assert read is None or len(read[0]) == 2


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("label,a,b", True),
        ('"label","a","b"', True),
        ("y,x1,x2", True),
        ("y,1x1,1x2", True),
        ("label,0,1", True),  # names of columns by pandas
        ("label,1,2", True),
        ("y,0,1", False),  # may be a damaged 1,0,1
        ("label,5,5", False),
        ("label,a,7", False),
        ("nan,a,b", False),
        ("5,a,b", False),
    ],
)
def test_csv_header(path: Path, line: str, header: bool) -> None:
    path.write_text(f"{line}\n1,2,3\n")
    if header:
        assert read_csv(path)[1].tolist() == [1]
    else:
        with pytest.raises(DatasetError, match="line 1: "):
            read_csv(path)
        assert read_csv(path, header=True)[1].tolist() == [1]


@pytest.mark.parametrize("compressed", [False, True])
@given(st.sampled_from(FILES), st.data())
def test_mnist_folder(
    tmp_path_factory: pytest.TempPathFactory, compressed: bool, name: str, draw: st.DataObject
) -> None:
    suffix = ".gz" if compressed else ""
    folder = tmp_path_factory.getbasetemp() / f"mnist{suffix}"
    folder.mkdir(exist_ok=True)
    write_small(folder, suffix)
    file = folder / (name + suffix)
    whole = file.read_bytes()
    content = damaged(draw, whole)
    file.write_bytes(content)
    small = outcome(lambda: load_mnist(folder, flatten=False, scale=False, dtype=np.uint8), folder)
    if small is not None:
        read = dict(zip(FILES, (small.train_x, small.train_y, small.test_x, small.test_y), strict=True))
        for key, array in (SMALL | {name: stated_idx(content)}).items():
            assert np.array_equal(read[key], array)
    with pytest.MonkeyPatch.context() as patch:  # like the repository's own copy, which has checksums
        patch.setattr(sets, "MNIST", folder)
        good = {f.name: hashlib.sha256(whole if f == file else f.read_bytes()).hexdigest() for f in folder.iterdir()}
        patch.setattr(sets, "_MNIST_SHA256", good)
        if content == whole:
            load_mnist()
        else:
            with pytest.raises(DatasetError, match=rf"{re.escape(str(file))}: SHA-256 is .* expected"):
                load_mnist()


def test_lines_of_a_csv_file_take_little_more_than_their_text(path: Path) -> None:
    text = b"1,2\n" * (1 << 16)
    path.write_bytes(gzip.compress(text))
    with memory_below(10 * len(text)):  # a list of all lines takes more
        assert len(read_csv(path)[1]) == 1 << 16


def bombs() -> list[tuple[Callable[..., Any], bytes]]:
    many = 1 << 25
    return [
        (read_csv, b"1,2\n" * (many // 4)),
        (read_csv, b"1" * many),
        (read_csv, b"\n" * many),
        (read_idx, b"\0\0\x08\x01" + struct.pack(">I", many) + bytes(many)),  # a header that is true
    ]


@pytest.mark.parametrize(("reader", "content"), bombs(), ids=["csv", "csv of one line", "csv of no lines", "idx"])
def test_gzip_bombs(path: Path, monkeypatch: pytest.MonkeyPatch, reader: Callable[..., Any], content: bytes) -> None:
    monkeypatch.setattr(files, "SMALL", 1 << 20)
    path.write_bytes(gzip.compress(content, 6))
    with memory_below(12 << 20), pytest.raises(DatasetError, match=r"unpacks to more than \d+ MB, over 100 times"):
        reader(path)
    monkeypatch.setattr(files, "SMALL", 1 << 26)
    if reader is read_idx:
        assert len(read_idx(path)) == 1 << 25  # accepted if it is small
