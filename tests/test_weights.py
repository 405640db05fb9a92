"""Weights in files: any memory layout is restored, equal names are no problem, and zip bombs are refused."""

import io
import json
import os
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from datafiles import memory_below
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from trainings import Training

import nn
from autograd import Tensor, Value, grad
from nn.checkpoint import Checkpoint, CheckpointError, load, save
from nn.checkpoint.formats import from_npz, from_safetensors, to_npz, to_safetensors
from nn.training import fit

SUFFIXES = [".npz", ".safetensors"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


# -------------------------------------------------------------------------------------------- layouts in memory


@st.composite
def layouts(draw):
    """An array of any memory layout: transposed, strided, reversed, repeated, byte-swapped, read-only."""
    dtype = draw(st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<f2", ">i4", "|b1", "|u1"]))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    array = np.arange(np.prod(shape, dtype=int) * 2).reshape(*shape, 2).astype(dtype)[..., draw(st.integers(0, 1))]
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    for axis in range(array.ndim):
        step = draw(st.sampled_from([1, 1, -1, 2]))
        array = array[(slice(None),) * axis + (slice(None, None, step),)]
    if draw(st.booleans()):
        array = np.array(array, order=draw(st.sampled_from("CF")))
    if draw(st.booleans()):
        array = np.broadcast_to(array, (draw(st.integers(0, 2)), *array.shape))
    array.flags.writeable = False
    return array


@given(array=layouts())
def test_any_layout_is_written_as_its_numbers(array):
    for data, read in ((to_npz({"a": array}), from_npz), (to_safetensors({"a": array}), from_safetensors)):
        for found in (read(data)["a"], _others(data)):
            assert found.shape == array.shape
            assert found.dtype == array.dtype.newbyteorder("=")
            assert np.array_equal(found, array)
    plain = np.array(array, array.dtype.newbyteorder("="), order="C")
    assert to_npz({"a": array}) == to_npz({"a": plain})
    assert to_safetensors({"a": array}) == to_safetensors({"a": plain})


def _others(data):
    """The arrays that NumPy and safetensors read from the file."""
    return np.load(io.BytesIO(data))["a"] if data[:2] == b"PK" else safetensors.numpy.load(data)["a"]


class Layouts(nn.Module):
    """Parameters with many memory layouts, which a copy keeps."""

    def __init__(self, seed, dtype):
        rng = np.random.default_rng(seed)
        self.first = Tensor(rng.normal(size=(3, 2)).T, dtype)
        self.second = Tensor(np.asfortranarray(rng.normal(size=(3, 4))), dtype)
        self.third = Tensor(rng.normal(size=(2, 3, 4)).transpose(2, 0, 1), dtype)
        self.one, self.none = Tensor(rng.normal(), dtype), Tensor(np.ones((0, 3)), dtype)

    def __call__(self, x):
        return (x @ self.first @ self.second).tanh() @ self.third.sum(axis=2) * self.one


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_file_of_a_model_has_the_numbers_of_the_model(dtype, tmp_path):
    model = Layouts(0, dtype)
    x = np.random.default_rng(1).normal(size=(3, 2)).astype(dtype)
    wanted = nn.predict(model, x)
    for suffix in SUFFIXES:
        twin = Layouts(1, dtype)
        strides = {name: np.asarray(p.data).strides for name, p in twin.named_parameters()}
        save(model, tmp_path / f"weights{suffix}")
        load(twin, tmp_path / f"weights{suffix}")
        assert np.array_equal(nn.predict(twin, x), wanted)  # equal to the bit, since the layout is kept
        assert {name: np.asarray(p.data).strides for name, p in twin.named_parameters()} == strides
    import onnxruntime

    session = onnxruntime.InferenceSession(nn.export_onnx(model, tmp_path / "a.onnx", 2))
    names: dict[str, Any] = {"__name__": "network"}
    exec(nn.export_source(model, input_shape=2), names)
    for found in (session.run(None, {"input": x})[0], [names["predict"](row) for row in x]):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_foreign_files_of_the_other_byte_order_are_read(tmp_path):
    model, twin = nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=1)
    np.savez(tmp_path / "a.npz", **{name: x.astype(">f4", order="F") for name, x in model.state_dict().items()})
    load(twin, tmp_path / "a.npz")
    assert np.array_equal(twin.weight.data, model.weight.data)


@pytest.mark.parametrize("number", [np.float32(0.5), np.int64(3), np.uint8(7), 0.25])
def test_foreign_numbers_for_values(number, tmp_path):
    model: Any = nn.Module()
    model.w = Value(0.0)
    np.savez(tmp_path / "a.npz", w=number)
    load(model, tmp_path / "a.npz")
    assert model.w.data == number


# ------------------------------------------------------------------------------------------------ names that meet

KEYS = st.sampled_from([0, 1, "0", "1", "a", "a.b", "b", "", 1.0, True, "a.0", (0, 1), None])


@st.composite
def trees(draw, depth=3):
    """A tree of modules, dictionaries, lists and arrays, with parameters at its leaves."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return Value(0.0)
    kind = draw(st.sampled_from(["dict", "module", "list", "array"]))
    below = trees(depth=depth - 1)
    if kind == "dict":
        return draw(st.dictionaries(KEYS, below, max_size=3))
    if kind == "module":
        module = nn.Module()
        module.__dict__.update(draw(st.dictionaries(KEYS.map(str), below, max_size=3)))
        return module
    if kind == "list":
        return draw(st.lists(below, max_size=2))
    return np.array([[Value(0.0)], [Value(0.0)]])


def leaves(tree, path=()):
    """The parameters with their keys, found without `nn.checkpoint`."""
    if isinstance(tree, Value):
        yield ".".join(path).lstrip("."), tree  # the path of the module, and of empty keys in it, is empty
        return
    items = vars(tree).items() if isinstance(tree, nn.Module) else tree.items() if isinstance(tree, dict) else (
        enumerate(tree))  # fmt: skip
    for key, x in items:
        yield from leaves(x, (*path, str(key)))


@given(tree=trees())
def test_every_parameter_has_a_path_of_its_own_or_the_two_are_named(tree, folder):
    model: Any = nn.Module()
    model.tree = tree
    known = [path for path, _ in leaves(tree, ("tree",))]
    path = folder / "collisions.npz"
    path.unlink(missing_ok=True)
    if len(set(known)) == len(known):
        assert [name for name, _ in model.named_parameters()] == known
        return
    assert len(model.parameters()) == len(known)  # they can be trained
    with pytest.raises(ValueError, match="both have the path") as caught:
        save(model, path)
    assert not path.exists()
    first, rest = str(caught.value).split(" and .tree", 1)
    second, meeting = rest.split(" both have the path ")
    one, other = eval(f"model{first}"), eval(f"model.tree{second}")
    assert one is not other
    assert isinstance(one, Value)
    assert isinstance(other, Value)
    assert known.count(meeting.removesuffix(": rename one of them").strip("'")) > 1


def meeting(kind):
    model: Any = nn.Module()
    if kind == "kinds of keys":
        model.table = {1: Value(1.0), "1": Value(2.0)}
    elif kind == "dots in keys":
        model.table = {"a.b": Value(1.0), "a": {"b": Value(2.0)}}
    elif kind == "dots in attributes":
        setattr(model, "a.b", Value(1.0))
        model.a = {"b": Value(2.0)}
    elif kind == "an array":
        model.a = np.array([[Value(1.0)]])
        setattr(model, "a.0.0", Value(2.0))
    else:
        model.w = Value(1.0)
        model.table = {1: np.random.default_rng(0), "1": np.random.default_rng(0)}
    return model


@pytest.mark.parametrize("kind", ["kinds of keys", "dots in keys", "dots in attributes", "an array", "generators"])
def test_whatever_goes_by_paths_refuses_two_of_one(kind, tmp_path):
    model, calls = meeting(kind), []

    def loss(out, y):
        calls.append(out)
        return out

    def train():
        fit(model, [(1.0, 1.0)], loss, nn.SGD(model, 0.1), epochs=1, progress=False,
            checkpoint=Checkpoint(tmp_path / "a.npz"))  # fmt: skip

    does = {"train": train}
    if kind != "generators":
        does |= {
            "grad": lambda: grad(lambda m: m.parameters()[0] * 2.0)(model),
            "state_dict": model.state_dict,
            "load_state_dict": lambda: model.load_state_dict({}),
            "load": lambda: load(model, tmp_path / "a.npz"),
            "source": lambda: nn.export_source(model, tmp_path / "a.py", 1),
            "onnx": lambda: nn.export_onnx(model, tmp_path / "a.onnx", 1),
            "safetensors": lambda: save(model, tmp_path / "a.safetensors"),
        }
    for name, act in does.items():
        with pytest.raises(ValueError, match="both have the path"):
            act()
            pytest.fail(name)
    assert not calls
    assert not list(tmp_path.iterdir())


def test_a_name_that_safetensors_keeps_for_itself(tmp_path):
    model: Any = nn.Module()
    model.__dict__["__metadata__"] = Tensor([1.0])
    with pytest.raises(ValueError, match="'__metadata__' cannot be a name"):
        save(model, tmp_path / "a.safetensors")
    save(model, tmp_path / "a.npz")
    load(model, tmp_path / "a.npz")


@pytest.mark.parametrize("state", [{1: 0, "1": 1}, {True: 0, "true": 1}, {None: [], "null": []}, {"__array__": "a"}])
def test_states_and_settings_whose_keys_json_would_confuse(state, tmp_path):
    class Keeper:
        def state_dict(self):
            return {"inside": [state]}

        load_state_dict = on_step_end = print

    with pytest.raises(ValueError, match=r"cannot tell the keys .* apart"):
        Training().run(Checkpoint(tmp_path / "a.npz"), callbacks=[Keeper()])
    with pytest.raises(ValueError, match=r"cannot tell the keys .* apart"):
        Checkpoint(tmp_path / "a.npz", settings={"table": state})
    assert not list(tmp_path.iterdir())


# Settings that are equal, with nan equal to nan, and settings that are not.
SETTINGS = [float("nan"), [1, {"a": float("nan")}], {"a": [float("inf"), None]}, np.float64("nan"), np.int64(3), -0.0]
OTHERS = [1.0, [1, {"b": float("nan")}], {"a": [float("inf")]}, float("inf"), 4, "0"]


@pytest.mark.parametrize(("setting", "other"), [*zip(SETTINGS, OTHERS, strict=True)], ids=repr)
def test_settings_are_compared_by_what_they_are(setting, other, tmp_path):
    path = tmp_path / "a.npz"
    Training().run(Checkpoint(path, settings={"x": setting}), epochs=1)
    Training().run(Checkpoint(path, settings={"x": setting}, resume=True), epochs=1)
    with pytest.raises(CheckpointError, match="x was"):
        Training().run(Checkpoint(path, settings={"x": other}, resume=True), epochs=1)


# ---------------------------------------------------------------------------------------------------------- bombs

MANY = 1 << 24
MODEL = (2, 3)


def member(shape, dtype="<f4", body=None, header=b""):
    """The bytes of an .npy file with any header."""
    if not header:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        header = file.getvalue()
    return header + (bytes(MANY) if body is None else body)


def archive(*members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return file.getvalue()


def long_header():
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", MANY) + text + b" " * (MANY - len(text))


def lying(size):
    """A member that unpacks to more than its directory entries state."""
    content = archive(("weight.npy", member(MODEL)))
    return content.replace(struct.pack("<I", len(member(MODEL))), struct.pack("<I", size))


BOMBS = {
    "another shape": lambda: archive(("weight.npy", member((MANY // 4,)))),
    "the shape, and more after it": lambda: archive(("weight.npy", member(MODEL))),
    "an unknown name": lambda: archive(("stranger.npy", member((MANY // 4,)))),
    "an unknown name without a shape": lambda: archive(("stranger.npy", member((), f"<U{MANY // 4}"))),
    "a wide number": lambda: archive(("weight.npy", member(MODEL, f"|V{MANY // 6}"))),
    "a long header": lambda: archive(("weight.npy", long_header())),
    "no array": lambda: archive(("weight.txt", bytes(MANY))),
    "bzip2": lambda: archive(("weight.npy", member(MODEL)), method=zipfile.ZIP_BZIP2),
    "lzma": lambda: archive(("weight.npy", member(MODEL)), method=zipfile.ZIP_LZMA),
    "a directory that lies": lambda: lying(128 + 24),
    "shapes below 0": lambda: archive(("weight.npy", member((-2, -3), body=bytes(24)))),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_no_file_of_weights_unpacks_to_more_than_the_model(kind, tmp_path):
    path, model = tmp_path / "weights.npz", nn.Linear(*MODEL, rng=0)
    path.write_bytes(BOMBS[kind]())
    assert path.stat().st_size < 1 << 17
    before = model.weight.data.copy()
    with memory_below(1 << 20), pytest.raises(CheckpointError, match=str(path)):
        load(model, path)
    assert np.array_equal(model.weight.data, before)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(archive(*[("weight.npy", member(MODEL, body=bytes(24)))] * 2))
    with pytest.raises(CheckpointError, match="it holds 'weight' twice"):
        load(nn.Linear(*MODEL), path)


def test_files_far_larger_than_the_model_are_not_read(tmp_path):
    for suffix in SUFFIXES:
        path = tmp_path / f"weights{suffix}"
        with path.open("wb") as file:
            os.truncate(file.fileno(), 1 << 40)  # it takes no disk space
        with (
            memory_below(1 << 20),
            pytest.raises(CheckpointError, match=r"it has 1,099,511,627,776 bytes, and no more"),
        ):
            load(nn.Linear(*MODEL), path)
        path.unlink()


def sealed(content):
    """The file with the checksum that a checkpoint needs."""
    import hashlib

    content = content[:-2] + struct.pack("<H", 64) + b"0" * 64
    return content[:-64] + hashlib.sha256(content[:-64]).hexdigest().encode()


def test_checkpoints_take_no_more_than_their_size(tmp_path):
    path = tmp_path / "a.npz"
    packed = archive(("x.npy", member((MANY // 4,))), ("training.json", json.dumps({})))
    body = member((1 << 16,), "|u1", body=bytes(1 << 16))
    one = archive(("x.npy", body), method=zipfile.ZIP_STORED)
    start = one.index(b"PK\x01\x02")
    entry, end = one[start : one.index(b"PK\x05\x06")], one[-22:]
    many = b"".join(entry.replace(b"x.npy", b"%05d" % i) for i in range(999))  # all of them name the same bytes
    count = struct.pack("<HH", 999, 999) + struct.pack("<I", len(many))
    overlapping = one[:start] + many + end[:8] + count + end[16:]
    for content in (packed, overlapping):
        path.write_bytes(sealed(content))
        with memory_below(1 << 20), pytest.raises(CheckpointError, match="larger than the file"):
            Training().run(Checkpoint(path, resume=True))


def test_the_crc_of_a_zip_file_is_still_looked_at(tmp_path):
    path, model = tmp_path / "weights.npz", nn.Linear(*MODEL, bias=False, rng=0)
    content = member(MODEL, body=np.arange(6, dtype="<f4").tobytes())
    path.write_bytes(archive(("weight.npy", content), method=zipfile.ZIP_STORED))
    load(model, path)
    data = path.read_bytes()
    assert struct.pack("<I", zlib.crc32(content)) in data
    path.write_bytes(data.replace(content[-4:], b"\0\0\0\0"))
    with pytest.raises(CheckpointError, match="CRC"):
        load(model, path)
