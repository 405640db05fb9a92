"""Downloads from a local server and from folders: they are whole and checked, or the error says what to do."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pooch
import pytest
from datafiles import FILES, SMALL, same, write_small

from nn.data import DatasetError, cache_folder, download, load_fashion_mnist, load_mnist
from nn.data import download as download_module
from nn.data.download import SOURCES, Source


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder without a log. Below /short, it ends each file too early."""

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.startswith("/short"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"\x1f\x8b")
        return None


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small Fashion-MNIST, whose checksums are the expected ones, beside an empty cache."""
    folder = tmp_path / "origin"
    folder.mkdir()
    write_small(folder, ".gz")
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    monkeypatch.setitem(SOURCES, "fashion-mnist", Source((folder.as_uri(),), sums))
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def server(origin: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(origin))) as httpd:
        thread = threading.Thread(target=partial(httpd.serve_forever, poll_interval=0.01))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def kept() -> set[str]:
    """The files in the cache. No incomplete file may stay there."""
    return {path.name for path in cache_folder().rglob("*") if path.is_file()}


def test_from_a_folder_once(origin: Path) -> None:
    data = load_fashion_mnist(flatten=False, scale=False, dtype="u1")
    assert same(data.train_x, SMALL[FILES[0]])
    assert data.name == "fashion-mnist"
    assert kept() == {f"{name}.gz" for name in FILES}
    for path in origin.iterdir():
        path.unlink()
    assert download("fashion-mnist") == cache_folder() / "fashion-mnist"  # needs no server now


def test_from_a_server_with_progress(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = download("fashion-mnist", base_url=server + "/")
    assert same(load_mnist(folder, dtype="u1", scale=False, flatten=False).test_x, SMALL[FILES[2]])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("100%") >= 4
    (folder / f"{FILES[0]}.gz").unlink()
    download("fashion-mnist", base_url=server, progress=False)
    assert capsys.readouterr().err == ""


def test_another_mirror_when_the_first_fails(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = SOURCES["fashion-mnist"].files
    for bad in ("/none", "/short"):
        monkeypatch.setitem(SOURCES, "fashion-mnist", Source((server + bad, server), files))
        assert len(list(download("fashion-mnist", progress=False).iterdir())) == 4
        for name in files:
            (cache_folder() / "fashion-mnist" / name).unlink()


def test_a_damaged_file_in_the_cache_is_fetched_again(origin: Path) -> None:
    file = download("fashion-mnist") / f"{FILES[0]}.gz"
    whole = file.read_bytes()
    for damaged in (whole[:-1], b"", whole[:50] + bytes([whole[50] ^ 1]) + whole[51:]):
        file.write_bytes(damaged)
        download("fashion-mnist")
        assert file.read_bytes() == whole


@pytest.mark.parametrize("below", ["/none", "/short"])
def test_a_server_that_fails(server: str, below: str) -> None:
    with pytest.raises(DatasetError, match=f"cannot be fetched .{server}{below}/") as info:
        download("fashion-mnist", base_url=server + below, progress=False)
    assert info.value.__cause__ is not None
    assert kept() == set()


def test_another_file_under_the_name(origin: Path) -> None:
    (origin / f"{FILES[2]}.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(DatasetError, match=f"{FILES[2]}.gz: cannot be fetched .*hash"):
        download("fashion-mnist")
    assert f"{FILES[2]}.gz" not in kept()


def test_offline_tells_what_else_can_be_done(server: str, tmp_path: Path) -> None:
    closed = "http://127.0.0.1:9"  # the port "discard": no server listens there
    with pytest.raises(DatasetError) as info:
        download("fashion-mnist", base_url=closed)
    message = str(info.value)
    folder = tmp_path / "cache" / "fashion-mnist"
    for part in (f"{closed}/t10k-images-idx3-ubyte.gz: ", "refused", "go online", "pass a folder that holds",
                 f"into {folder} yourself", "CHAINRULE_DATA"):  # fmt: skip
        assert part in message
    assert kept() == set()


def test_interrupted(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def halfway(url: str, output: str, pooch: object) -> None:
        Path(output).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules[download_module.__module__], "_copy", halfway)
    with pytest.raises(KeyboardInterrupt):
        download("fashion-mnist")
    assert kept() == set()


def test_a_cache_that_cannot_be_made(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match=r"cannot be fetched .*(Not a directory|[Ff]ile .*exists).*CHAINRULE_DATA"):
        download("fashion-mnist")


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        monkeypatch.delenv("CHAINRULE_DATA", raising=False)
        if value is not None:
            monkeypatch.setenv("CHAINRULE_DATA", value)
        assert cache_folder() == Path(pooch.os_cache("chainrule"))


def test_without_pooch(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"downloads need pooch: pip install 'chainrule\[data\]'"):
        download("fashion-mnist")


@pytest.mark.parametrize("name", SOURCES)
def test_known_sources_hold_the_files_that_are_read(name: str) -> None:
    source = SOURCES[name]
    assert set(source.files) == {f"{file}.gz" for file in FILES}
    assert all(len(bytes.fromhex(digest)) == 32 for digest in source.files.values())
    assert len(set(source.files.values())) == 4
    assert len(source.mirrors) >= 2
