"""`nn.data`: written data is read back unchanged. A damaged file raises an error and never gives wrong data."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datafiles import FILES, SMALL, idx_arrays, idx_bytes, memory_below, packed, same, stored, write_small
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.data import DatasetError, load_mnist, read_csv, read_idx, sets


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example writes again. It has no suffix, since the content decides how it is read."""
    return tmp_path_factory.mktemp("data") / "file"


# --- IDX ---------------------------------------------------------------------------------------------------


@given(idx_arrays(), st.booleans())
def test_idx_round_trip(path: Path, array: np.ndarray, compressed: bool) -> None:
    content = stored(idx_bytes(array), compressed)
    path.write_bytes(content)
    read = read_idx(path, sha256=hashlib.sha256(content).hexdigest().upper())
    assert same(read, array)
    assert read.dtype.isnative
    assert read.flags.writeable


def test_idx_in_several_gzip_members(path: Path) -> None:
    content = idx_bytes(np.arange(6, dtype="i4"))
    path.write_bytes(gzip.compress(content[:9]) + gzip.compress(content[9:]))
    assert read_idx(str(path)).tolist() == [0, 1, 2, 3, 4, 5]


@given(idx_arrays(), st.booleans(), st.data())
def test_idx_flipped_byte(path: Path, array: np.ndarray, compressed: bool, draw: st.DataObject) -> None:
    content = bytearray(stored(idx_bytes(array), compressed))
    sha256 = hashlib.sha256(content).hexdigest()
    content[draw.draw(st.integers(0, len(content) - 1), "place")] ^= draw.draw(st.integers(1, 255), "flip")
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="SHA-256"):
        read_idx(path, sha256=sha256)
    try:
        read = read_idx(path)
    except DatasetError:
        return
    # Plain data has no checksum of its own; gzip's covers all but some bytes of its header (time, system).
    assert same(read, array) is compressed


@pytest.mark.parametrize("compressed", [False, True])
def test_idx_every_bit_and_every_truncation(path: Path, compressed: bool) -> None:
    array = np.arange(6, dtype="i2").reshape(2, 3)
    content = stored(idx_bytes(array), compressed)
    errors = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert same(read_idx(path), array) is compressed
        except DatasetError:
            errors += 1
    # No flip in this plain header (12 bytes) gives another of the same size; gzip's own header has 10 bytes.
    assert errors >= 8 * (len(content) - 10) if compressed else errors == 8 * 12
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DatasetError):
            read_idx(path)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "shape", [(2**32 - 1,) * n for n in (1, 2, 5, 64, 65, 255)] + [(0, *(2**32 - 1,) * 3), (0,) * 65]
)
def test_idx_hostile_header(path: Path, shape: tuple[int, ...], compressed: bool) -> None:
    head = bytes([0, 0, 0x0E, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    path.write_bytes(stored(head, compressed))
    with memory_below(3 << 20), pytest.raises(DatasetError, match=re.escape(str(path))):
        read_idx(path)


def test_idx_gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(4, "u1")) + bytes(64 << 20), 1))
    with memory_below(4 << 20), pytest.raises(DatasetError, match=r"takes 4 bytes, found at least 5; fetch"):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends inside its header"),
        (b"\0\0\x08", "ends inside its header"),
        (b"\0\0\x08\x02\0\0\0\x01\0\0", "ends inside its header"),
        (b"<!DOCTYPE html>", "starts with 3c 21 44 4f, but an IDX file starts with 00 00 and a dtype"),
        (b"\0\0\x0a\x01\0\0\0\0", r"starts with 00 00 0a 01.*\(08, 09, 0b, 0c, 0d, 0e\)"),
        (idx_bytes(np.zeros((2, 3), "i2"))[:-1], r"int16 of shape \(2, 3\) takes 12 bytes, found 11; fetch"),
        (idx_bytes(np.zeros((2, 3), "i2")) + b"xy", r"takes 12 bytes, found 14; fetch"),
        (packed(idx_bytes(np.zeros(9, "u1")))[:-9], "damaged gzip data"),
        (packed(idx_bytes(np.zeros(9, "u1"))) + b"xy", "damaged gzip data"),
        (packed(idx_bytes(np.zeros(9, "u1"))[:-1]), "takes 9 bytes, found 8"),
    ],
)
def test_idx_errors(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"^{re.escape(str(path))}: .*{message}"):
        read_idx(path)


MISSING = "(No such file|The system cannot find)"  # the second is the message on Windows


@pytest.mark.parametrize("reader", [read_idx, read_csv])
def test_missing_file(tmp_path: Path, reader: Any) -> None:
    with pytest.raises(DatasetError, match=f"{re.escape(str(tmp_path / 'no'))}: cannot be read .{MISSING}") as info:
        reader(tmp_path / "no")
    assert isinstance(info.value.__cause__, FileNotFoundError)
    with pytest.raises(DatasetError, match="cannot be read"):
        reader(tmp_path)


# --- CSV ---------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(["u1", "i2", "i8", "f4", "f8"]).flatmap(
        lambda code: hnp.arrays(
            code,
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=4),
            elements={"allow_nan": False, "allow_infinity": False} if code[0] == "f" else None,
        )
    ),
    st.data(),
)
def test_csv_round_trip(path: Path, features: np.ndarray, draw: st.DataObject) -> None:
    rows, columns = features.shape
    labels = draw.draw(hnp.arrays(np.int64, rows, elements=st.integers(-(2**53) + 1, 2**53 - 1)), "labels")
    at = draw.draw(st.integers(-columns - 1, columns), "label_column")
    header, compressed = draw.draw(st.booleans(), "header"), draw.draw(st.booleans(), "compressed")
    newline, mark = (
        draw.draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw.draw(st.sampled_from(["", "\ufeff"])),
    )
    table = [list(map(repr, line)) for line in features.tolist()]
    for line, label in zip(table, labels.tolist(), strict=True):
        line.insert(at % (columns + 1), f" {label}")
    names = [[f'"c{i}"' for i in range(columns + 1)]] if header else []
    text = mark + newline.join(",".join(line) for line in names + table)
    text += draw.draw(st.sampled_from(["", newline, newline * 3]), "end")
    path.write_bytes(stored(text.encode(), compressed))
    for option in (None, header):
        if option is None and text.lstrip("\ufeff").splitlines()[0].replace(" ", "").split(",") == [
            *map(str, range(columns + 1))
        ]:
            continue  # it may be a header: see test_csv_first_line_that_counts
        x, y = read_csv(path, label_column=at, header=option, dtype=features.dtype)
        assert same(x, features)
        assert same(y, labels)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty"),
        (" \n\n", {}, "is empty"),
        ("label,a\n", {}, "a header and no data; pass header=False"),
        ("1,2,3\n4,5\n", {}, "line 2 has 2 values, expected 3"),
        ("1,2,3\n4,5,6,7\n", {}, "line 2 has 4 values, expected 3"),
        ("1,2,3\n\n4,5,6\n", {}, "line 2 has 1 values, expected 3"),
        ("1,2,3\n", {"n_features": 3}, "line 1 has 3 values, expected 4"),
        ("label,a\n1,2,3\n", {}, "line 2 has 3 values, expected 2"),
        ("1,2\n3,x\n", {}, "line 2: .*'x' .*in column 2"),
        ("label,a\n1,2\n3,4\n5,six\n", {}, "line 4: .*'six' .*in column 2"),
        ("1,2\n3,\n", {}, "line 2: .*'' .*in column 2"),
        ("1,2\n3,4#5\n", {}, "line 2: .*'4#5' .*in column 2"),
        ("1,2\n3,4_5\n", {}, "line 2: .*'4_5' .*in column 2"),
        ("1,2\n3,\xe9\n", {}, "line 2: .*in column 2"),
        ("5x,2\n3,4\n", {}, "line 1: .*'5x' .*in column 1"),
        ("label,a\n1,2\n", {"header": False}, "line 1: .*'label' .*in column 1"),
        ("1,2\n3.5,4\n", {}, "line 2: 3.5 in column 1 is not an integer label"),
        (
            "1,2\n4,3.5\n",
            {"label_column": -1, "dtype": "u1"},
            "line 2: 3.5 in column 2 is not an integer label",
        ),
        ("nan,2\n1,2\n", {}, "line 1: nan in column 1 is not an integer label"),
        ("1e300,2\n", {}, "line 1: 1e[+]300 in column 1 is not an integer label"),
        ("9007199254740993,2.5\n", {}, "line 1: 9007199254740992.0 in column 1 is not an integer label"),
        ("1,2,3\n1,2,256\n", {"dtype": "u1"}, "line 2: 256 in column 3 is not a uint8 value"),
        ("1,2,3\n1,-1,3\n", {"dtype": "u1"}, "line 2: -1 in column 2 is not a uint8 value"),
        ("1,2,3\n1,1.7,3\n", {"dtype": "u1"}, "line 2: 1.7 in column 2 is not a uint8 value"),
        ("2,9,1\n2,300,1\n", {"dtype": "u1", "label_column": 2}, "line 2: 300 in column 2 is not a uint8"),
        ("1,nan\n", {}, "line 1: nan in column 2 is not a float32 value"),
        ("1,1e39\n", {}, "line 1: 1e[+]39 in column 2 is not a float32 value"),
        ("1,9223372036854775808\n", {"dtype": "i8"}, "line 1: .* in column 2 is not a int64 value"),
        ("1\n2\n", {}, "lines of 1 values do not hold features"),
        ("1,2\n", {"label_column": 2}, "lines of 2 values do not hold features beside label_column 2"),
        ("1,2\n", {"label_column": -3}, "beside label_column -3"),
    ],
)
def test_csv_errors(path: Path, text: str, options: dict[str, Any], message: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=f"^{re.escape(str(path))}: .*{message}"):
        read_csv(path, **options)


COUNTING = "0,1,2,3\n5,0,255,9\n7,1,1,1\n"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "text",
    [
        COUNTING,
        COUNTING.replace("\n", "\r\n"),
        COUNTING.replace(",", ", "),
        "0,1\n5,0\n7,9",
        '"0","1"\n5,0\n7,9',
    ],
)
@pytest.mark.parametrize("label_column", [0, -1])
def test_csv_first_line_that_counts(path: Path, text: str, mark: str, label_column: int) -> None:
    """The first line may be pandas' header of column numbers, or a sample. If this is unclear, an error is raised."""
    path.write_text(mark + text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"counts 0,1,2,… .*header=True .*header=False"):
        read_csv(path, label_column=label_column)
    assert len(read_csv(path, label_column=label_column, header=True)[1]) == 2
    if '"' not in text:
        assert len(read_csv(path, label_column=label_column, header=False)[1]) == 3


@pytest.mark.parametrize(
    ("width", "label_column", "header"), [(257, 0, True), (257, -1, False), (256, 0, False), (258, -1, True)]
)
def test_csv_first_line_that_counts_further_than_a_sample_can(
    path: Path, width: int, label_column: int, header: bool
) -> None:
    path.write_text(",".join(map(str, range(width))) + "\n" + ",".join(["1"] * width), encoding="utf-8")
    if header:
        assert len(read_csv(path, label_column=label_column, dtype=np.uint8)[1]) == 1
    else:
        with pytest.raises(DatasetError, match="counts 0,1,2,…"):
            read_csv(path, label_column=label_column, dtype=np.uint8)


def test_csv_counts_lines_across_chunks(path: Path) -> None:
    lines = ["label,a,b", *(f"{i % 10},{i % 256},1" for i in range(9000))]
    path.write_text("\n".join(lines))
    x, y = read_csv(path, dtype=np.uint8)
    assert y.tolist() == [i % 10 for i in range(9000)]
    assert x[:, 0].tolist() == [i % 256 for i in range(9000)]
    lines[8400 - 1] = "1,2,256"
    path.write_text("\n".join(lines))
    with pytest.raises(DatasetError, match="line 8400: 256 in column 3"):
        read_csv(path, dtype=np.uint8)


def test_csv_long_integers_survive_a_float_elsewhere(path: Path) -> None:
    path.write_text(f"{2**53 + 1},2\n3,0.5\n")
    x, y = read_csv(path)
    assert y.tolist() == [2**53 + 1, 3]
    assert x.tolist() == [[2.0], [0.5]]


def test_csv_whole_floats_are_integers(path: Path) -> None:
    path.write_text("1.0,2.0,2e2\n")
    x, y = read_csv(path, dtype=np.uint8)
    assert (x.tolist(), y.tolist()) == ([[2, 200]], [1])
    assert (x.dtype, y.dtype) == (np.dtype(np.uint8), np.dtype(np.int64))


def test_csv_damaged_gzip_and_dtype(path: Path) -> None:
    path.write_bytes(gzip.compress(b"1,2\n" * 99)[:-4])
    with pytest.raises(DatasetError, match="damaged gzip"):
        read_csv(path)
    with pytest.raises(TypeError, match="not dtype complex128"):
        read_csv(path, dtype=complex)


# --- MNIST -------------------------------------------------------------------------------------------------


def test_mnist() -> None:
    mnist = load_mnist()
    assert (mnist.train_x.shape, mnist.test_x.shape) == ((60_000, 784), (10_000, 784))
    assert mnist.train_x.dtype == mnist.test_x.dtype == np.float32
    assert (mnist.train_y.shape, mnist.test_y.shape) == ((60_000,), (10_000,))
    assert mnist.train_y.dtype == mnist.test_y.dtype == np.int64
    assert mnist.train_y[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test_y[:5].tolist() == [7, 2, 1, 0, 4]
    assert mnist.train_x.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert (mnist.train_x.min(), mnist.train_x.max()) == (0, 1)
    assert (mnist.name, mnist.classes) == ("mnist", 10)
    assert len(repr(mnist)) < 120


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
def test_mnist_names_of_files(tmp_path: Path, suffix: str, dotted: bool) -> None:
    folder = write_small(tmp_path, suffix)
    if dotted:
        for file in list(folder.iterdir()):
            file.rename(str(file).replace("-idx", ".idx"))
    small = load_mnist(str(folder))
    assert small.name == tmp_path.name
    assert same(small.train_x, SMALL[FILES[0]].reshape(5, 6).astype("f4") / np.float32(255))
    assert same(small.test_x, SMALL[FILES[2]].reshape(2, 6).astype("f4") / np.float32(255))
    assert same(small.train_y, SMALL[FILES[1]].astype(np.int64))
    assert same(small.test_y, np.array([7, 8]))


def test_mnist_prefers_the_archive_that_has_a_checksum(tmp_path: Path) -> None:
    write_small(tmp_path, ".gz")
    write_small(tmp_path, train_labels=np.zeros(5, "u1"))
    small = load_mnist(tmp_path)
    assert small.train_y.tolist() == [0, 9, 2, 3, 4]
    with pytest.raises(FrozenInstanceError):
        small.name = "other"  # type: ignore[misc]


def test_mnist_pixels(tmp_path: Path) -> None:
    folder = write_small(tmp_path)
    raw = load_mnist(folder, dtype=np.uint8, flatten=False, scale=False)
    assert same(raw.train_x, SMALL[FILES[0]])
    assert same(raw.test_x, SMALL[FILES[2]])
    assert same(load_mnist(folder, dtype="f8").train_x, SMALL[FILES[0]].reshape(5, 6) / 255)
    with pytest.raises(TypeError, match=r"pixels in 0..1 \(pass scale=False\) do not fit uint8"):
        load_mnist(folder, dtype=np.uint8)
    with pytest.raises(TypeError, match=r"pixels in 0..255 do not fit int8"):
        load_mnist(folder, dtype=np.int8, scale=False)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_csv(tmp_path: Path, suffix: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28))
    for part, header in (("train", "label," + ",".join(f"{i}x{i}" for i in range(784)) + "\n"), ("test", "")):
        lines = "".join(f"{i}," + ",".join(map(str, image.ravel())) + "\n" for i, image in enumerate(pixels))
        (tmp_path / f"mnist_{part}.csv{suffix}").write_bytes(stored((header + lines).encode(), suffix == ".gz"))
    mnist = load_mnist(tmp_path, scale=False, flatten=False)
    for x, y in ((mnist.train_x, mnist.train_y), (mnist.test_x, mnist.test_y)):
        assert same(x, pixels.astype("f4"))
        assert same(y, np.arange(3))
    (tmp_path / f"mnist_test.csv{suffix}").write_text("1,2,3\n")
    with pytest.raises(DatasetError, match="line 1 has 3 values, expected 785"):
        load_mnist(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train_labels": np.zeros(4, "u1")},
            f"{FILES[0]}: holds 5 images, but .*{FILES[1]} 4 labels; take both",
        ),
        (
            {"t10k_images": np.zeros((3, 2, 3), "u1")},
            f"{FILES[2]}: holds 3 images, but .*{FILES[3]} 2 labels",
        ),
        ({"train_images": np.zeros((5, 6), "u1")}, rf"{FILES[0]}: holds uint8 of shape \(5, 6\), not 3-D"),
        ({"train_images": np.zeros((5, 2, 3), "f4")}, rf"{FILES[0]}: holds float32 of .*, not 3-D uint8"),
        ({"t10k_labels": np.zeros((2, 1), "u1")}, rf"{FILES[3]}: holds uint8 of shape \(2, 1\), not 1-D"),
        ({"t10k_labels": np.zeros(2, "f4")}, f"{FILES[3]}: holds float32 of .* not 1-D integer labels"),
        (
            {"train_labels": np.array([0, 1, 2, 10, 11], "u1")},
            f"{FILES[1]}: label 10 in row 3 is outside 0..9",
        ),
        (
            {"train_labels": np.array([0, 1, -2, 3, 4], "i1")},
            f"{FILES[1]}: label -2 in row 2 is outside 0..9",
        ),
        ({"t10k_images": np.zeros((2, 3, 2), "u1")}, r"training images are \(2, 3\), test images \(3, 2\)"),
    ],
)
def test_mnist_mismatched_files(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_small(tmp_path, **changes)
    with pytest.raises(DatasetError, match=message):
        load_mnist(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_mnist_missing_file(tmp_path: Path, name: str) -> None:
    write_small(tmp_path).joinpath(name).unlink()
    with pytest.raises(DatasetError, match=f"has no {name}; pass download.'mnist'. or a folder that holds"):
        load_mnist(tmp_path)


def test_mnist_without_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "MNIST", tmp_path / "absent")
    with pytest.raises(DatasetError, match="a folder that holds") as info:
        load_mnist()
    assert all(name in str(info.value) for name in FILES)


def test_mnist_checksums_of_the_embedded_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small(tmp_path, ".gz")
    load_mnist(tmp_path)  # a folder of the user's own has no known checksums
    monkeypatch.setattr(sets, "MNIST", tmp_path)
    with pytest.raises(DatasetError, match=r"SHA-256 is .* expected 0b367032e93c5d0c"):
        load_mnist()
