"""Every file is written and read by the rules of `autograd.files`: it is whole, and its mode and links are kept."""

import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import savers

import nn
from autograd import Value, draw, files, steps
from demos._pictures import pictures
from nn.checkpoint import Checkpoint, CheckpointError, load, save
from nn.data import DatasetError, download, load_mnist, read_csv, read_idx
from nn.data.download import SOURCES, Source
from nn.report import write_report
from nn.training import fit
from nn.training.history import History

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are those of POSIX")

X = np.ones((2, 2), np.float32)
HISTORY = History([{"epoch": 1, "train_loss": 0.5}])


def trained(path, **options):
    model = nn.dense(2, 1, rng=0)
    fit(model, [(X, X[:, :1])], nn.squared_error, nn.SGD(model, 0.1), epochs=1, progress=False,
        checkpoint=Checkpoint(path, **options))  # fmt: skip


def network():
    return nn.dense(2, 1, rng=0)


def drawn(path, draw=draw):
    x = Value(1.0, label="x")
    draw(x * 2.0).save(path)


def framed(path):
    frames = nn.Frames(lambda ax: None, gif=path, size=(1, 1), dpi=20)
    frames.add("one")
    frames.save()


WRITERS = {
    "weights.npz": lambda path: save(network(), path),
    "weights.safetensors": lambda path: save(network(), path),
    "checkpoint.npz": trained,
    "history.csv": HISTORY.save,
    "history.json": HISTORY.save,
    "network.py": lambda path: nn.export_source(network(), path),
    "network.onnx": lambda path: nn.export_onnx(network(), path),
    "graph.dot": drawn,
    "steps.html": lambda path: drawn(path, steps),
    "report.html": lambda path: write_report(path.parent, "", {}, {}, {}, HISTORY),
    "frames.gif": framed,
    "picture.png": lambda path: pictures(path.parent, {path.name: lambda: SimpleNamespace(savefig=saved)}),
}
READERS = {
    "weights.npz": lambda path: load(network(), path),
    "weights.safetensors": lambda path: load(network(), path),
    "checkpoint.npz": lambda path: trained(path, resume=True),
    "history.json": History.load,
    "data.csv": read_csv,
    "data-idx": read_idx,
}


def saved(file, **options):
    Path(file).write_bytes(b"picture")


@contextmanager
def no_longer_than(seconds):
    """A test that hangs fails, so the suite always ends."""

    def stop(*_):
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# ------------------------------------------------------------------------------------------------------ writing


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_keeps_its_mode_and_a_new_one_has_that_of_the_umask(name, tmp_path):
    path = tmp_path / name
    for mask in (0o022, 0o077):
        with umask(mask):
            path.unlink(missing_ok=True)
            WRITERS[name](path)
            assert mode(path) == 0o666 & ~mask
    for kept in (0o600, 0o664, 0o755):
        path.write_bytes(b"old")
        path.chmod(kept)
        WRITERS[name](path)
        assert mode(path) == kept
        assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("name", WRITERS)
def test_a_link_stays_and_its_target_is_written(name, there, tmp_path):
    folder = tmp_path / "links"
    folder.mkdir()
    target, between, link = tmp_path / "target", tmp_path / "between", folder / name
    if there:
        target.write_bytes(b"old")
        target.chmod(0o600)
    between.symlink_to(target)
    link.symlink_to(Path("..", "between"))
    WRITERS[name](link)
    assert link.readlink() == Path("..", "between")
    assert target.stat().st_size > 3
    assert not target.is_symlink()
    assert not there or mode(target) == 0o600
    assert {path.name for path in tmp_path.rglob("*")} == {"links", "between", "target", name}


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "circle", "stream"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_file_is_refused_and_stays(name, kind, tmp_path):
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "folder":
        path.mkdir()
    elif kind == "circle":
        path.symlink_to(path)
    else:
        path.symlink_to("/dev/stdout")
    before = os.lstat(path)
    with no_longer_than(20), pytest.raises(OSError) as caught:
        WRITERS[name](path)
    assert str(path) in str(caught.value)
    after = os.lstat(path)
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_devices_and_streams_by_their_own_names(path):
    if not os.path.lexists(path):
        pytest.skip(f"this system has no {path}")
    before = os.lstat(path)
    with pytest.raises(OSError, match=path):
        nn.export_source(network(), path)
    assert os.lstat(path).st_mode == before.st_mode


def test_streams_are_refused_where_they_go_to_a_file_as_well(tmp_path):
    with (tmp_path / "out").open("w") as file:
        code = "import autograd.files as f\ntry: f.write('/dev/stdout', b'x')\nexcept OSError as e: print(e)"
        subprocess.run([sys.executable, "-c", code], cwd=Path(files.__file__).parents[1], stdout=file, check=True)
    assert "it is a stream of this process" in (tmp_path / "out").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("graph.dot", "steps.html", "frames.gif")])
def test_a_missing_folder_is_named(name, tmp_path):
    path = tmp_path / "none" / name
    with pytest.raises(FileNotFoundError, match=f"there is no folder {path.parent} to write it to: '{path}'"):
        WRITERS[name](path)
    assert not list(tmp_path.iterdir())


def test_what_the_system_refuses_is_told_of_the_path_that_was_asked_for(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")
    long, below = tmp_path / ("x" * 300), path / "b.npz"
    for bad in (long, below):
        with pytest.raises(OSError, match=str(bad)):
            files.write(bad, b"")
    with pytest.raises(OSError) as caught, files.replacing(path) as temporary:
        temporary.unlink()
    assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=f"it is write-protected: '{path}'"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_names_can_be_written(tmp_path):
    for name in ("x" * 255, "ä" * 125 + ".npz", "." + "ü" * 127, "a." + "b" * 253):
        files.write(tmp_path / name, "text")
        assert (tmp_path / name).read_bytes() == b"text"
    assert len(list(tmp_path.iterdir())) == 4


def test_text_is_utf_8_with_the_line_ends_that_it_has(tmp_path):
    files.write(tmp_path / "a", "ä\r\n\n")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xa4\r\n\n"


def test_nobody_else_reads_a_private_file_while_it_is_written(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with files.replacing(path) as temporary:
        assert mode(temporary) == 0o600


def test_240_saves_to_one_path_from_threads_and_processes(tmp_path):
    """Every reader sees a whole file, and no writer disturbs another."""
    path = tmp_path / "weights.npz"
    command = [sys.executable, savers.__file__, path, "10", "4", "30"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as other:
        complaints = savers.together(path, first=20, threads=4, times=30)
        assert other.communicate()[0].splitlines() + complaints == []
    assert other.returncode == 0
    assert list(tmp_path.iterdir()) == [path]


def test_writers_of_one_process_do_not_meet(tmp_path):
    """Two writers write at the same time. Each has its own temporary name, and the later one wins."""
    path, meet, results = tmp_path / "a.txt", threading.Barrier(2, timeout=20), []

    def work(text):
        with files.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
            meet.wait()
            results.append(temporary.read_text(encoding="utf-8") == text)

    running = [threading.Thread(target=work, args=(text,)) for text in ("one", "the other")]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert results == [True, True]
    assert path.read_text(encoding="utf-8") in ("one", "the other")
    assert list(tmp_path.iterdir()) == [path]


# ------------------------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
@pytest.mark.parametrize("name", READERS)
def test_readers_refuse_what_need_not_end(name, kind, tmp_path):
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/null")  # stands for any device; reading this one ends at once
    else:
        path.mkdir()
    with no_longer_than(20), pytest.raises((CheckpointError, DatasetError, OSError), match=f"it is a {kind}") as caught:
        READERS[name](path)
    assert str(path) in str(caught.value)


def test_folders_of_data_may_hold_pipes(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "train-images-idx3-ubyte.gz")
    with no_longer_than(20), pytest.raises(DatasetError, match="has no train-images"):
        load_mnist(tmp_path)
    for folder in ("cache/mnist", "origin"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "cache"))
    monkeypatch.setitem(SOURCES, "mnist", Source(((tmp_path / "origin").as_uri(),), {"a.gz": "0" * 64}))
    os.mkfifo(tmp_path / "origin" / "a.gz")
    with no_longer_than(20), pytest.raises(DatasetError, match="it is a pipe, not a file"):
        download("mnist")
    os.mkfifo(tmp_path / "cache" / "mnist" / "a.gz")
    with no_longer_than(20), pytest.raises(DatasetError, match="is not a file; remove it"):
        download("mnist")


def test_histories_that_are_none_are_named(tmp_path):
    path = tmp_path / "history.json"
    for text in ("", "{", "[1]", '{"a": 1}', '[{"a": 1}, {"b": 2}]', "[" * 100_000, "\xff"):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ValueError, match=f"{path}: this is not a history in JSON"):
            History.load(path)


# ----------------------------------------------------------------------------------- before a training, not after


def unwritable(folder, kind):
    if kind == "no folder":
        return folder / "none" / "a.npz"
    path = folder / "a.npz"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"")
        return path / "a.npz"
    return path


@pytest.mark.parametrize("kind", ["no folder", "a folder", "a pipe", "below a file"])
def test_a_training_that_cannot_be_saved_does_not_start(kind, tmp_path):
    path, model, calls = unwritable(tmp_path, kind), network(), []

    def loss(*args):
        calls.append(args)
        return nn.squared_error(*args)

    optimizer = nn.SGD(model, 0.1)
    with no_longer_than(20), pytest.raises(OSError, match=str(path)):
        fit(model, [(X, X[:, :1])], loss, optimizer, epochs=1, progress=False, checkpoint=Checkpoint(path))
    frames = nn.Frames(lambda ax: None, gif=tmp_path / "a.gif", size=(1, 1), dpi=20)
    (tmp_path / "a.gif").mkdir()
    with pytest.raises(OSError, match=r"a\.gif"):
        fit(model, [(X, X[:, :1])], loss, optimizer, epochs=1, progress=False, callbacks=[frames])
    assert not calls
