"""`nn.checkpoint`: a resumed training equals an uninterrupted one, bit for bit. Damaged files are refused."""

import io
import itertools
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from trainings import EPOCHS, GENERATORS, OPTIMIZERS, SCHEDULES, STEPS, Training, X, Y, bits

import nn
from autograd import Tensor, Value
from demos import mnist
from nn.checkpoint import Checkpoint, CheckpointError, load, save
from nn.checkpoint.formats import to_npz
from nn.data import load_mnist
from nn.support.files import replacing
from nn.training import fit

ROOT = Path(__file__).parent.parent
SUFFIXES = [".npz", ".safetensors"]
FEWER = settings(max_examples=settings().max_examples // 3)  # an example waits for the disk


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoints")


class Mixed(nn.Module):
    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.scale = Value(rng.normal())
        self.table: dict[str, Any] = {
            "half": Tensor(rng.normal(size=(3,)), np.float32),
            "whole": Tensor(rng.normal(size=(2, 1)).T),
        }
        self.inner = nn.dense(2, 3, 1, rng=rng, dropout=0.5)


# ------------------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("suffix", SUFFIXES)
@FEWER
@given(numbers=st.lists(st.floats(), min_size=3, max_size=3), seed=st.integers(0, 9))
def test_weights_come_back(suffix, folder, numbers, seed):
    path, model, twin = folder / f"weights{suffix}", Mixed(seed), Mixed(seed + 1)
    model.scale.data, model.table["whole"].data = numbers[0], [numbers[1:]]
    save(model, path)
    load(twin, path)
    assert bits(twin.state_dict()) == bits(model.state_dict())
    first = path.read_bytes()
    save(twin, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_others_read_and_write_the_same_files(suffix, tmp_path):
    path, model, twin = tmp_path / f"weights{suffix}", Mixed(), Mixed(1)
    save(model, path)
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    else:
        arrays = safetensors.numpy.load_file(path)
    assert {name: x.tobytes() for name, x in arrays.items()} == {
        name: np.asarray(x).tobytes() for name, x in model.state_dict().items()
    }
    if suffix == ".npz":
        np.savez_compressed(path, **arrays)
    else:
        safetensors.numpy.save_file(arrays, path, {"format": "np"})
    load(twin, path)
    assert bits(twin.state_dict()) == bits(model.state_dict())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_weights_that_do_not_fit_are_listed_and_not_taken(suffix, tmp_path):
    path, other, model = tmp_path / f"weights{suffix}", Mixed(), Mixed(1)
    stranger: Any = other
    del other.table["half"]
    stranger.stranger = Value(1.0)
    other.inner = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(), nn.Linear(3, 1, dtype=np.float64))
    save(other, path)
    before = bits(model.state_dict())
    with pytest.raises(CheckpointError) as caught:
        load(model, path)
    for part in (str(path), "table.half: missing", "stranger: not a parameter", "inner.layers.0.weight: shape (2, 4)",
                 "inner.layers.3.weight: dtype float64, expected float32"):  # fmt: skip
        assert part in str(caught.value)
    assert bits(model.state_dict()) == before


def test_other_suffixes_and_missing_files(tmp_path):
    with pytest.raises(ValueError, match=r"\.npz or \.safetensors, not as weights\.pt"):
        save(Mixed(), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match=r"none\.npz: cannot be read \(No such file"):
        load(Mixed(), tmp_path / "none.npz")
    assert not list(tmp_path.iterdir())


def test_without_safetensors_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install 'chainrule\[weights\]'"):
        save(Mixed(), tmp_path / "weights.safetensors")
    (tmp_path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ImportError, match=r"pip install 'chainrule\[weights\]'"):
        load(Mixed(), tmp_path / "weights.safetensors")


def test_a_name_that_a_zip_file_cannot_hold_is_refused(tmp_path):
    model = Mixed()
    model.table["a\0b"] = Value(1.0)
    with pytest.raises(ValueError, match=r"a\\x00b"):
        save(model, tmp_path / "weights.npz")
    assert not list(tmp_path.iterdir())


# -------------------------------------------------------------------------------------------- whole trainings


class Killed(Exception):
    """Ends a training like kill -9: nothing is saved after it."""


class KillAt:
    def __init__(self, step):
        self.step = step

    def on_step_end(self, state):
        if state.optimizer.steps == self.step:
            raise Killed


@given(
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    dropout=st.sampled_from([0.0, 0.3]),
    patience=st.sampled_from([None, 2]),
    shuffle=st.booleans(),
    kind=st.sampled_from(GENERATORS),
    scalars=st.booleans(),
    every=st.integers(1, STEPS * EPOCHS),
    killed=st.integers(1, STEPS * EPOCHS),
)
def test_a_resumed_training_is_one_that_never_stopped(folder, every, killed, **settings):
    path = folder / "training.npz"
    path.unlink(missing_ok=True)
    straight = Training(**settings).run()
    with pytest.raises(Killed):
        Training(**settings).run(Checkpoint(path, steps=every), callbacks=[KillAt(killed)])
    resumed = Training(**settings)
    if not path.exists():
        assert killed <= min(every, STEPS)
        return
    assert resumed.run(Checkpoint(path, resume=True)) == straight
    again = Training(**settings)  # the last checkpoint is from the end
    assert again.run(Checkpoint(path, resume=True)) == straight


def test_batches_without_a_state_are_passed_over(tmp_path):
    pairs = [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 40, 8)]

    def run(**kwargs):
        model = nn.dense(2, 3, 2, rng=0)
        history = fit(model, pairs, nn.cross_entropy, nn.Adam(model), epochs=2, progress=False, **kwargs)
        return bits([model.state_dict(), history.rows])

    with pytest.raises(Killed):
        run(checkpoint=Checkpoint(tmp_path / "a.npz", steps=1), callbacks=[KillAt(8)])
    assert run(checkpoint=Checkpoint(tmp_path / "a.npz", resume=True)) == run()


def test_saved_when_it_is_time(tmp_path, monkeypatch):
    clock, saved = itertools.count(), []
    monkeypatch.setattr("nn.checkpoint.checkpoint.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(Checkpoint, "save", lambda self, state: saved.append((state.epoch, state.step, state.complete)))
    Training().run(Checkpoint(tmp_path / "a.npz", steps=4), epochs=2)
    assert saved == [(1, 4, False), (1, 5, True), (2, 3, False), (2, 5, True)]
    saved.clear()
    Training().run(Checkpoint(tmp_path / "a.npz", seconds=4), epochs=1)  # each step takes a second
    assert saved == [(1, 4, False), (1, 5, False), (1, 5, True)]  # this test's clock is never reset
    with pytest.raises(ValueError, match="steps must be above 0, got 0"):
        Checkpoint(tmp_path / "a.npz", steps=0)
    with pytest.raises(ValueError, match="seconds must be above 0, got 0"):
        Checkpoint(tmp_path / "a.npz", seconds=0)


def test_what_a_killed_process_left_is_cleared_away_and_what_a_living_one_writes_is_not(tmp_path):
    path = tmp_path / "a.npz"
    Training().run(Checkpoint(path), epochs=1)
    left, others = tmp_path / ".a.0123456789abcdef.tmp.npz", tmp_path / ".b.0123456789abcdef.tmp.npz"
    for file in (left, others):
        file.write_bytes(b"half")
        os.utime(file, times=(0, 0))
    with replacing(path) as temporary:  # like another process that is saving
        temporary.write_bytes(b"half")
        Training().run(Checkpoint(path, resume=True))
        assert temporary.exists()
        temporary.write_bytes(path.read_bytes())
    assert sorted(tmp_path.iterdir()) == [others, path]


def refused(path, training, checkpoint=None):
    """The message with which a training refuses a checkpoint. The refusal changes nothing."""
    before = training.end()
    with pytest.raises(CheckpointError) as caught:
        training.run(checkpoint or Checkpoint(path, resume=True))
    assert training.end() == before
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_another_training_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    Training().run(Checkpoint(path, settings={"lr": 0.1, "hidden": (4,)}), epochs=2)

    def said(settings=None, **kwargs):
        same = {"lr": 0.1, "hidden": [4]} if settings is None else settings
        return refused(path, Training(**kwargs), Checkpoint(path, resume=True, settings=same))

    with pytest.raises(TypeError, match="not arrays: table/1"):
        said({"table": [1, np.ones(2)]})
    assert "lr was 0.1 and is 0.2;" in said({"lr": 0.2, "hidden": [4]})
    assert "hidden was [4] and is None, new was None and is True;" in said({"lr": 0.1, "new": True})
    assert "optimizer's class was 'Adam' and is 'AdamW'" in said(optimizer="adamw")
    assert "model.layers.2.weight: missing" in said(dropout=0.0)
    assert "this training has" in said(patience=2)
    assert "MT19937" in said(kind=np.random.MT19937)
    save(nn.dense(2, 4, 2), path)
    assert "these are weights, for nn.checkpoint.load" in said()


# ---------------------------------------------------------------------------------------------- damaged files


def complaint(action):
    """The message of the CheckpointError that an action raises; empty if it raises none."""
    try:
        action()
    except CheckpointError as error:
        return str(error)
    return ""


@st.composite
def damages(draw):
    """A function that damages bytes in one of many ways."""
    kind = draw(st.sampled_from(["flip", "flip", "flip", "cut", "append", "zero", "garbage", "twice"]))
    places = draw(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4))
    rubbish = draw(st.binary(min_size=1, max_size=100))

    def damage(data):
        first = int(places[0][0] * len(data))
        if kind == "cut":
            return data[:first]
        if kind == "append":
            return data + rubbish
        if kind == "twice":
            return data + data
        if kind == "garbage":
            return rubbish
        data = bytearray(data)
        if kind == "zero":
            data[first : first + len(rubbish)] = bytes(len(data[first : first + len(rubbish)]))
        else:
            for place, mask in places:
                data[int(place * len(data))] ^= mask
        return bytes(data)

    return damage


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(damage=damages())
def test_damaged_weights_are_refused(suffix, folder, damage):
    path, model = folder / f"damaged{suffix}", Mixed(1)
    save(Mixed(), path)
    whole, before = path.read_bytes(), bits(model.state_dict())
    path.write_bytes(damage(whole))
    if damage(whole) != whole:
        with pytest.raises(CheckpointError) as caught:
            load(model, path)
        assert str(caught.value).startswith(f"{path}: ")
        assert bits(model.state_dict()) == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_byte_counts(suffix, tmp_path):
    """No single bit can change unnoticed: in names, lengths, dates, checksums or padding."""
    path, model = tmp_path / f"weights{suffix}", nn.Linear(1, 1, rng=0)
    save(model, path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(CheckpointError):
            load(model, path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(damage=damages())
def test_damaged_files_of_others_raise_nothing_else(suffix, folder, damage):
    """A file without our checksum is still protected by the zip's own checksums."""
    path, model = folder / f"foreign{suffix}", nn.dense(2, 3, 1, rng=0)
    arrays = nn.dense(2, 3, 1, rng=1).state_dict()
    if suffix == ".npz":
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        whole = buffer.getvalue()
    else:
        whole = safetensors.numpy.save(arrays)
    path.write_bytes(damage(whole))
    before = bits(model.state_dict())
    message = complaint(lambda: load(model, path))
    after = bits(model.state_dict())
    if message:
        assert message.startswith(f"{path}: ")
        assert after == before
    else:
        assert suffix == ".safetensors" or after == bits(arrays)


@given(damage=damages())
def test_damaged_checkpoints_are_refused(folder, damage):
    path = folder / "whole.npz"
    if not path.exists():
        Training().run(Checkpoint(path), epochs=1)
    whole, bad = path.read_bytes(), folder / "bad.npz"
    bad.write_bytes(damage(whole))
    if damage(whole) != whole:
        refused(bad, Training())


@given(data=st.data())
def test_forged_checkpoints_change_nothing(folder, data):
    """Any entry is removed or replaced, with a new checksum. The file is refused, or the change has no effect."""
    path = folder / "honest.npz"
    if not path.exists():
        Training(kind=np.random.MT19937, patience=2).run(Checkpoint(path), epochs=1)
    with zipfile.ZipFile(path) as archive:
        training = json.loads(archive.read("training.json"))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "training.json"}
    inside = training
    while True:
        key = data.draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
        if not isinstance(inside[key], dict | list) or not inside[key] or data.draw(st.booleans()):
            break
        inside = inside[key]
    if data.draw(st.booleans()):
        del inside[key]
    else:
        inside[key] = data.draw(st.sampled_from([None, [], {}, "x", -1, 10**30, {"__array__": "none"}, [[[]]]]))
    forged = folder / "forged.npz"
    forged.write_bytes(to_npz(arrays, json.dumps(training)))
    subject = Training(kind=np.random.MT19937, patience=2)
    before = subject.end()
    if message := complaint(lambda: subject.run(Checkpoint(forged, resume=True), epochs=1)):
        assert message.startswith(f"{forged}: ")
        assert subject.end() == before


@pytest.mark.parametrize("weights", [["x"], [{"__array__": ""}], [None] * 4])
def test_weights_of_early_stopping_that_are_not_the_parameters_are_refused(folder, weights):
    path, forged = folder / "stopping.npz", folder / "forged.npz"
    Training(patience=2).run(Checkpoint(path), epochs=1)
    with zipfile.ZipFile(path) as archive:
        training = json.loads(archive.read("training.json"))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "training.json"}
    if isinstance(weights[0], dict):
        weights = [{"__array__": min(arrays, key=lambda name: arrays[name].size)}] * 4
    training["parts"]["callback 0"]["weights"] = weights
    forged.write_bytes(to_npz(arrays, json.dumps(training)))
    refused(forged, Training(patience=2))


def test_pickles_and_giants_are_refused(tmp_path):
    path, model = tmp_path / "weights.npz", nn.Linear(1, 1)
    np.savez(path, weight=np.array([print], dtype=object), bias=np.zeros(1, np.float32))
    with pytest.raises(CheckpointError, match="allow_pickle"):
        load(model, path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weight.npy", header.getvalue())
    with pytest.raises(CheckpointError, match=r"weights\.npz: is damaged"):
        load(model, path)


# ---------------------------------------------------------------------------------------------------- the demo


@pytest.fixture(scope="module")
def digits(folder):
    """A folder with 300 of MNIST's images, as IDX files."""
    data = load_mnist(flatten=False, scale=False, dtype=np.uint8)
    path = folder / "digits"
    path.mkdir()
    parts = {"train": (data.train_x[:300], data.train_y[:300]), "t10k": (data.test_x[:50], data.test_y[:50])}
    for part, arrays in parts.items():
        for name, array in zip(("images-idx3", "labels-idx1"), arrays, strict=True):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (path / f"{part}-{name}-ubyte").write_bytes(header + array.astype(np.uint8).tobytes())
    return path


def test_the_demo_exits_with_130_and_resumes_identically(digits, tmp_path, capsys):
    options = ["--best", "--data", str(digits), "--no-report", "--epochs", "4", "--batch", "50", "--dropout", "0.2"]
    options += ["--optimizer", "adam", "--hidden", "20"]
    resumed, straight = (["--out", str(tmp_path / name)] for name in ("resumed", "straight"))
    code = """if True:
        import signal, sys, nn
        from demos import mnist
        signal.signal(signal.SIGINT, signal.default_int_handler)
        plain, calls = nn.cross_entropy, iter(range(100))
        def loss(*args):  # Ctrl-C in the middle of the second epoch's third step
            if next(calls) == 9:  # six steps, one validation, two steps
                signal.raise_signal(signal.SIGINT)
            return plain(*args)
        nn.cross_entropy = loss
        sys.exit(mnist.main(sys.argv[1:]))
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", code, *options, *resumed]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert "interrupted in epoch 2: the same options and --resume continue from" in done.stdout
    assert [path.name for path in (tmp_path / "resumed").iterdir()] == ["checkpoint.npz"]

    assert mnist.main([*options, *resumed, "--resume", "--lr", "0.5"]) == 1
    assert "lr was 0.003 and is 0.5;" in capsys.readouterr().err
    assert mnist.main([*options, *resumed, "--resume"]) == 0
    assert mnist.main([*options, *straight]) == 0
    a, b = ((tmp_path / name / "weights.npz").read_bytes() for name in ("resumed", "straight"))
    assert a == b
    a, b = (json.loads((tmp_path / name / "history.json").read_text()) for name in ("resumed", "straight"))
    assert bits(a) == bits(b)


def test_nothing_to_resume_from_is_an_error(digits, tmp_path, capsys):
    assert mnist.main(["--data", str(digits), "--no-report", "--out", str(tmp_path), "--resume"]) == 1
    assert f"error: {tmp_path / 'checkpoint.npz'}: cannot be read" in capsys.readouterr().err
