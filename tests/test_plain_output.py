"""The output of commands fits every terminal and file, and no code needs docstrings: ``python -OO`` removes them."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.explaining.text import SIGNS, fitted, legible

ROOT = Path(__file__).parent.parent
DEMOS = sorted(path.stem for path in (ROOT / "demos").glob("*.py") if not path.stem.startswith("_"))
ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "utf-8", "utf-16")


KEPT = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "bytecode")}
"""Keeps bytecode for ``-OO``. Without it, each process would compile all libraries again."""


def python(*arguments, **environment):
    environment = {**os.environ, **KEPT, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **environment}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False)


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(ENCODINGS))
def test_any_text_fits_any_stream(text, encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="")
    stream.write(fitted(text, stream))
    stream.flush()
    raw.getvalue().decode(encoding)


def test_signs_have_a_form_in_ascii():
    text = "∂L/∂w₁₂ = −0.5·x² × ŷ → σ, Σ …"
    assert text.encode("ascii", SIGNS) == b"dL/dw12 = -0.5*x^2 * y_hat -> sigmoid, sum ..."
    assert "x² ×".encode("latin-1", SIGNS) == "x² ×".encode("latin-1"), "what it has is left alone"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_command_makes_its_streams_legible(encoding, monkeypatch):
    raws = {name: io.BytesIO() for name in ("stdout", "stderr")}
    streams = {name: io.TextIOWrapper(raw, encoding=encoding, errors="strict") for name, raw in raws.items()}
    with monkeypatch.context() as patch:
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        legible()
    for name, stream in streams.items():
        print("ŷ → 日", file=stream, flush=True)
        assert raws[name].getvalue().decode(encoding).strip() in ("ŷ → 日", "y_hat -> \\u65e5")
    with monkeypatch.context() as patch:
        for name in streams:
            patch.setattr(sys, name, None)
        legible()


ALL_OF_IT = """
import importlib, pkgutil
import autograd, nn
from autograd.explaining.describe import main

assert False, "-OO has no assertions"
for package in (autograd, nn):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
main([*autograd.ops.ROWS])
repr(autograd.describe())
for name in {demos!r}:
    module = importlib.import_module("demos." + name)
    assert module.__doc__ is None
    try:
        module.main(["--help"])
    except SystemExit as end:
        if end.code:
            raise
    print("told of", name)
"""


def test_without_docstrings_and_in_ascii():
    """Every module, card and demo's help works with ``-OO`` (no docstrings) and in ASCII."""
    done = python("-OO", "-c", ALL_OF_IT.format(demos=DEMOS), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    said = done.stdout.decode("ascii")
    assert all(f"told of {name}" in said for name in DEMOS)


def test_no_demo_makes_a_parser_of_its_own():
    """The shared parser makes the output fit the terminal, so every demo must use it."""
    for name in DEMOS:
        text = (ROOT / "demos" / f"{name}.py").read_text(encoding="utf-8")
        assert "ArgumentParser(" not in text
        assert ("parser(" in text) or ("Parser(" in text)


def test_the_list_of_demos_in_ascii():
    done = python("-m", "demos", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.decode("ascii").splitlines()) == len(DEMOS)
