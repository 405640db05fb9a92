"""No run of a demo overwrites an earlier one silently."""

import importlib
import re
import threading
from pathlib import Path

import pytest
from test_demos import DEMOS

from demos import _command, mnist
from demos._command import run_folder, runs


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text, given=None, goes_on=False):
    """A run that writes one file. Returns its path."""
    with run_folder(given, "story", goes_on=goes_on) as folder:
        (folder / "a.txt").write_text(text, encoding="utf-8")
    return folder


def read(folder):
    return Path("runs", folder, "a.txt").read_text(encoding="utf-8")


def test_every_run_gets_a_folder_of_its_own(capsys):
    assert [write(text).name for text in "xyz"] == ["story", "story-2", "story-3"]
    assert [read(name) for name in ("story", "story-2", "story-3")] == ["x", "y", "z"]
    assert capsys.readouterr().out == "", "nothing is replaced, so nothing is said"


def test_runs_side_by_side_get_different_ones():
    start, found = threading.Barrier(8, timeout=60), []

    def run(i):
        start.wait()
        found.append(write(str(i)))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8
    assert sorted(read(folder.name) for folder in found) == list("01234567")


def test_a_folder_that_is_given_is_taken_and_says_what_it_holds(capsys):
    given = Path("mine")
    assert write("x", given) == given
    assert capsys.readouterr().out == ""
    write("y", given)
    assert capsys.readouterr().out == "mine is not empty. This run replaces files of the same names (a.txt)\n"
    assert (given / "a.txt").read_text(encoding="utf-8") == "y"
    for i in range(20):
        (given / f"b{i:02}").touch()
    write("z", given)
    assert "(a.txt, b00, b01, b02, b03, b04, b05, b06 and 13 more)" in capsys.readouterr().out
    assert not Path("runs").exists()


@pytest.mark.parametrize("there", [[], ["story"], ["story", "story-2", "story-10", "story-9", "story-x", "stories-99"]])
def test_a_run_that_goes_on_does_so_in_the_latest_folder(there, capsys):
    for name in there:
        Path("runs", name).mkdir(parents=True)
        Path("runs", name, "a.txt").write_text(name, encoding="utf-8")
    assert write("on", goes_on=True).name == ("story-10" if len(there) > 1 else "story")
    assert write("on", Path("mine"), goes_on=True) == Path("mine")
    assert capsys.readouterr().out == ""


def test_what_is_in_the_way_is_passed_over_and_nothing_is_left_behind():
    Path("runs").mkdir()
    Path("runs", "story").write_text("a file", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), run_folder(None, "story") as folder:
        assert folder.name == "story-2"
        raise ZeroDivisionError
    assert [path.name for path in Path("runs").iterdir()] == ["story"], "an empty folder is removed"
    with run_folder(Path("mine"), "story"):
        pass
    assert Path("mine").is_dir(), "that one was asked for"


@pytest.mark.parametrize("name", DEMOS)
def test_every_demo_that_writes_does_so_into_a_new_folder(name, monkeypatch, capsys):
    demo = importlib.import_module(f"demos.{name}")
    with pytest.raises(SystemExit):
        demo.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    if "--out" not in text:
        return
    asked = []

    def stop(given, name, *, goes_on=False):
        asked.append((given, name, goes_on))
        raise KeyboardInterrupt

    monkeypatch.setattr(_command, "run_folder", stop)
    monkeypatch.setattr(mnist, "run_folder", stop)
    assert demo.main([]) == demo.main(["--out", "here"]) == 130
    if name == "sweep":  # a sweep adds to existing trials
        assert asked == [(Path("runs/sweep"), name, True), (Path("here"), name, True)]
        return
    assert re.search(re.escape(runs(name)), text)
    assert asked == [(None, name, False), (Path("here"), name, False)]


def test_mnist_says_which_run_it_goes_on_from(monkeypatch):
    asked = []

    def run(options):
        asked.append(options.out.name)
        (options.out / "checkpoint.npz").touch()
        return 0

    monkeypatch.setattr(mnist, "run", run)
    for arguments in ([], [], ["--resume"], ["--resume", "--out", "runs/mnist"], []):
        assert mnist.main(arguments) == 0
    assert asked == ["mnist", "mnist-2", "mnist-2", "mnist", "mnist-3"]
