"""Programs as C: they give the numbers and gradients of the NumPy programs, or say why not and run in NumPy."""

import copy
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import warnings
from typing import Any

import numpy as np
import pytest
import test_vectorize_programs as scalar

import nn
from autograd import Value, ops, vectorize
from autograd.compiling import compiler
from autograd.compiling.compiled import Compiled, checked
from autograd.compiling.compiler import CannotCompile, CompileWarning
from autograd.vectorizing.array_program import traced

COMPILERS = ("cc", "gcc", "clang")
has_compiler = any(shutil.which(name) for name in COMPILERS) and sys.platform != "win32"
needs_compiler = pytest.mark.skipif(not has_compiler, reason="needs a C compiler")
needs_users = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners and modes of files")

NEAR = {np.float64: 1e-9, np.float32: 1e-4}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder for compiled programs of the test's own, quick compiling, and nothing said yet."""
    folder = tmp_path / "programs"
    monkeypatch.setenv("CHAINRULE_CACHE", str(folder))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CHAINRULE_CC", raising=False)
    monkeypatch.setattr(compiler, "FLAGS", tuple("-O1" if flag == "-O3" else flag for flag in compiler.FLAGS))
    compiler.warn_once.cache_clear()
    return folder


def made(name, **options):
    """One of the programs of tests/test_vectorize_programs.py."""
    make, shapes, own = scalar.PROGRAMS[name]
    p = scalar.Weights()
    f = make(p)
    kept = {key: x for key, x in own.items() if key in ("index", "batch", "dtype")}
    return vectorize(f, *shapes, **{**kept, **options})


def line(**options):
    """A small program."""
    a, b = Value(2.0), Value(1.0)
    return vectorize(lambda x: (a * x + b).tanh(), (), **options)


@needs_compiler
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", scalar.PROGRAMS)
def test_a_compiled_program_is_the_numpy_program(name, dtype):
    """Values and gradients, for one sample and for more than a tile; no program of one output is refused."""
    fast = made(name, dtype=dtype)
    if fast._program is None:
        pytest.skip("several outputs, or nothing to train")
    machine = Compiled(fast.program, fast.dtype)
    numbers = [tensor.data for tensor in fast.parameters()]
    checked(machine, fast._program, fast._examples(5), numbers, NEAR[dtype])


SHAPES = [(1, 1, 1), (1, 2, 3), (3, 4, 2), (5, 1, 7), (2, 9, 1), (4, 3, 10), (6, 7, 16), (9, 5, 17), (4, 2, 70)]


@needs_compiler
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("rows", "steps", "columns"), SHAPES)
@pytest.mark.parametrize("width", [16, 64])
def test_products_of_any_shape(rows, steps, columns, dtype, width, monkeypatch):
    """Values and both gradients, with vectors of both lengths, against the trees."""
    monkeypatch.setattr("autograd.compiling.compiled.width", lambda: width)
    rng = np.random.default_rng(0)
    x, v, w = rng.normal(size=(70, rows, steps)), rng.normal(size=(steps, steps)), rng.normal(size=(steps, columns))
    program = traced(lambda x, v, w: ops.tanh(x @ v) @ w, {"x": x[:2]}, {"v": v, "w": w})
    machine = Compiled(program, dtype)
    for n in (1, 2, 70):
        outs, saved = machine.forward([x[:n].astype(dtype), v.astype(dtype), w.astype(dtype)])
        given = {"x": x[:n], "v": v, "w": w}
        g = rng.normal(size=outs[0].shape)
        found = machine.backward([given[y.name] for y in machine.again], outs, saved, [g])
        h = np.tanh(x[:n] @ v)
        dw = np.einsum("nik,nij->kj", h, g)
        dv = np.einsum("nik,nij->kj", x[:n], (1 - h * h) * (g @ w.T))
        for got, want in zip([*outs, *found], [h @ w, dv, dw], strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=NEAR[dtype] * max(1, np.abs(want).max()))


SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -2.0, 1e300, -1e-310])
FORMULAS: dict[str, Any] = {
    "quotient": lambda w, x, y: w * (1 / x) + y,
    "sum with a zero": lambda w, x, y: 1 / (w * (x + 0.0) * y),
    "difference from itself": lambda w, x, y: w * (x + y) - (x + y) * w,
    "zero times": lambda w, x, y: (w * x) * 0.0 + y,
    "square root": lambda w, x, y: (w * x).sqrt() + y**0.5,
    "power": lambda w, x, y: (w * x) ** -0.5 + y**3,
    "exp and log": lambda w, x, y: (w * x).exp() + (y * w).log(),
    "relu": lambda w, x, y: 1 / (w * x).relu() + y.relu(),
    "sigmoid": lambda w, x, y: (w * x).sigmoid() * y,
    "tanh": lambda w, x, y: (w * x).tanh() * y,
}


@needs_compiler
@pytest.mark.parametrize("name", FORMULAS)
def test_nan_infinity_and_the_sign_of_zero_are_those_of_numpy(name):
    w = Value(1.5)
    f = FORMULAS[name]
    fast = vectorize(lambda x, y: f(w, x, y), (), ())
    x, y = (a.reshape(-1) for a in np.meshgrid(SPECIAL, SPECIAL))
    with np.errstate(all="ignore"):
        right = fast(x, y)
        fast.compile()
        assert fast.report().form == "C"
        found = fast(x, y)
    np.testing.assert_allclose(found.data, right.data, rtol=1e-14)
    zero = right.data == 0
    assert np.array_equal(np.signbit(found.data[zero]), np.signbit(right.data[zero]))


@needs_compiler
@pytest.mark.parametrize(("dtype", "low"), [(np.float64, -746.0), (np.float32, -104.0)])
def test_the_exponential_is_right_to_the_last_digits(dtype, low):
    """Overflow, underflow and subnormal results included."""
    w = Value(1.0)
    fast = vectorize(lambda x: (w * x).exp(), (), dtype=dtype, compile=True)
    x = np.concatenate([np.linspace(low, -low, 20001), np.linspace(-1, 1, 20001), [0.0, -0.0]]).astype(dtype)
    found = fast(x).data
    with np.errstate(all="ignore"):
        right = np.exp(x.astype(np.longdouble)).astype(dtype)
    normal = np.isfinite(right) & (right > np.finfo(dtype).tiny)
    assert np.abs(found[normal] / right[normal] - 1).max() < 3 * np.finfo(dtype).eps
    assert np.array_equal(np.isinf(found), np.isinf(right))
    assert (
        np.abs(found[~normal & np.isfinite(right)] - right[~normal & np.isfinite(right)]).max()
        <= 4 * np.finfo(dtype).smallest_subnormal
    )
    assert found[-1] == found[-2] == 1.0


@needs_compiler
def test_training_compiled_is_training(home):
    """Optimisers, sync and higher orders work as before; the trained numbers agree."""
    results = []
    for compile in (False, True):
        w = [[Value(0.1 * i - 0.2 * j) for i in range(3)] for j in range(4)]
        v = [Value(0.3 * (-1) ** i) for i in range(4)]

        def loss(x, t, w=w, v=v):
            hidden = [sum(a * b for a, b in zip(row, x, strict=True)).tanh() for row in w]
            return (sum(a * b for a, b in zip(v, hidden, strict=True)) - t) ** 2

        fast = vectorize(loss, 3, (), compile=compile)
        assert fast.report().form == ("C" if compile else "NumPy")
        rng = np.random.default_rng(0)
        x, t = rng.normal(size=(40, 3)), rng.normal(size=40)
        optimizer = nn.Adam(fast.parameters(), lr=0.01)
        for _ in range(5):
            fast.zero_grad()
            fast(x, t).mean().backward()
            optimizer.step()
        fast.sync()
        results.append([p.data for row in w for p in row] + [p.data for p in v])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


@needs_compiler
def test_shapes_from_calls_and_one_sample_compile_too():
    a = Value(2.0)
    fast = vectorize(lambda x: a * sum(xi * xi for xi in x), compile=True)
    assert fast(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [10.0, 50.0]
    alone = vectorize(lambda xs: sum(a * x for x in xs), 3, batch=False, compile=True)
    assert alone([1.0, 2.0, 3.0]).item() == 12.0
    assert alone.report().form == "C"


@needs_compiler
def test_an_empty_batch():
    fast = line(compile=True)
    out = fast(np.zeros(0))
    assert out.shape == (0,)
    out.sum().backward()
    assert [p.grad.tolist() for p in fast.parameters()] == [0.0, 0.0]


@needs_compiler
def test_a_copy_runs_too():
    fast = line(compile=True)
    again = copy.deepcopy(fast)
    assert again.report().form == "C"
    assert again(np.array([0.5, 1.0])).tolist() == fast(np.array([0.5, 1.0])).tolist()


def test_the_text_is_read_by_people():
    source = line().c_source
    assert "/* y = tanh(" in source
    assert "void forward(" in source and "void backward(" in source


# --------------------------------------------------------------------------------------- where nothing can be compiled


def runs_in_numpy(reason, **options):
    """A program says why it is not compiled, and runs."""
    with pytest.warns(CompileWarning, match=reason):
        fast = line(compile=True, **options)
    assert fast.report().form.startswith("NumPy: ")
    np.testing.assert_allclose(fast(np.array([0.5])).data, np.tanh([2.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        line(compile=True)  # the reason is said once


@pytest.mark.parametrize("variable", ["CC", "CHAINRULE_CC"])
@pytest.mark.parametrize("command", ["/bin/false", "/nowhere/cc"])
def test_a_compiler_that_fails_or_is_missing(monkeypatch, variable, command):
    monkeypatch.setenv(variable, command)
    runs_in_numpy("the compiler")


def test_no_compiler_at_all(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    runs_in_numpy("no C compiler was found")


def script(path, text):
    """A program that stands for a compiler."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


@needs_users
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exec sleep 60", "took more than"),
        ('case "$*" in *-dM*) exit 0;; esac; exec sleep 60', "took more than"),
        ('case "$*" in *-dM*) exit 0;; esac; echo "no space left on device" >&2; exit 1', "no space left"),
        ("exit 0", "wrote nothing"),
        (
            'case "$*" in *-dM*) exit 0;; esac; while [ "$1" != -o ]; do shift; done; echo half > "$2"',
            "cannot be loaded",
        ),
    ],
    ids=["hangs at once", "hangs later", "full disk", "writes nothing", "writes half"],
)
def test_a_compiler_that_misbehaves(tmp_path, monkeypatch, home, text, reason):
    monkeypatch.setattr(compiler, "SECONDS", 0.3)
    monkeypatch.setenv("CHAINRULE_CC", script(tmp_path / "cc", text))
    runs_in_numpy(reason)
    assert not list(home.glob("compiling-*"))


@needs_compiler
@needs_users
def test_a_folder_that_others_write_to_is_refused(home):
    home.mkdir()
    home.chmod(0o777)
    runs_in_numpy("others may write to it")


@needs_users
def test_a_folder_of_another_user_is_refused(home, monkeypatch):
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    with pytest.raises(CannotCompile, match="belongs to another user"):
        compiler.folder()


@needs_users
def test_a_link_in_the_place_of_the_folder_is_refused(home, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    home.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotCompile, match="no folder"):
        compiler.folder()


@needs_compiler
@needs_users
def test_a_folder_that_cannot_be_written(home):
    if os.getuid() == 0:
        pytest.skip("root writes everywhere")
    home.mkdir(mode=0o500)
    runs_in_numpy("cannot be written")


@needs_compiler
def test_a_full_disk(monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    runs_in_numpy("No space left")


@needs_compiler
def test_a_program_is_compiled_once(home, monkeypatch):
    line(compile=True)
    (path,) = home.glob("*.so")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    monkeypatch.setattr(compiler, "compile_to", lambda *args: pytest.fail("it was compiled again"))
    assert line(compile=True).report().form == "C"
    assert [*home.iterdir()] == [path]


@needs_compiler
def test_another_compiler_has_other_libraries(home, monkeypatch):
    line(compile=True)
    monkeypatch.setattr(compiler, "FLAGS", (*compiler.FLAGS, "-DOTHER"))
    line(compile=True)
    assert len([*home.glob("*.so")]) == 2


@needs_compiler
def test_the_folder_has_a_limit(home, monkeypatch):
    line(compile=True)
    (old,) = home.glob("*.so")
    os.utime(old, (0, 0))
    monkeypatch.setattr(compiler, "MEGABYTES", 0)
    b = Value(1.0)
    vectorize(lambda x: b * x * x, (), compile=True)
    (new,) = home.glob("*.so")
    assert new != old


@needs_compiler
def test_several_compile_at_once(home):
    """Threads and processes write the same library; each finds a whole one."""
    code = (
        "from autograd import Value, vectorize\nimport numpy as np\na = Value(2.0)\n"
        "fast = vectorize(lambda x: a * x, (), compile=True)\n"
        "print(fast.report().form, fast(np.array([3.0])).item())"
    )
    found = []

    def run():
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False
        )
        found.append(done.stdout.strip() or done.stderr)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["C 6.0"] * 3
    assert len([*home.iterdir()]) == 1


@needs_compiler
def test_a_wrong_program_is_never_used(monkeypatch):
    """What a fault of the printer would do."""
    right = compiler.library
    monkeypatch.setattr(
        "autograd.compiling.compiled.library", lambda text: right(text.replace("tanh(x); }", "sinh(x); }"))
    )
    runs_in_numpy("would be wrong in C")
