"""The system's C compiler, and the folder in which compiled programs stay.

A shared library is code. So the folder has to belong to the user, and nobody else may write to it. A library's name is
a hash of its text, of the flags, and of all that the compiler says about itself and the processor. It is written under
another name first, so that nothing half-written is ever loaded.

``CHAINRULE_CC`` names a compiler, and ``CC`` does. ``CHAINRULE_CACHE`` names the folder.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

FLAGS = (
    "-O3", "-march=native", "-fPIC", "-shared", "-std=gnu11", "-w", "-fopenmp-simd",
    "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
)  # fmt: skip
"""None of them changes what nan, infinity or the sign of zero do. Sums are reordered only where the text says so."""

SECONDS = 60.0
"""How long a compiler may take."""

MEGABYTES = 256
"""How much the folder may hold. What was used longest ago is deleted first."""


class CompileWarning(RuntimeWarning):
    """A program that was to be compiled runs in NumPy, for a reason that the message gives."""


class CannotCompile(Exception):
    """Why there is no compiled form."""


@cache
def warn_once(reason: str) -> None:
    """Say once why programs are not compiled."""
    warnings.warn(f"{reason}: the program runs in NumPy", CompileWarning, stacklevel=4)


def command() -> list[str]:
    """The compiler's command. CannotCompile if there is none."""
    for name in ("CHAINRULE_CC", "CC"):
        if chosen := os.environ.get(name):
            return shlex.split(chosen)
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise CannotCompile("no C compiler was found (cc, gcc, clang, or the package ziglang)")


def folder() -> Path:
    """The folder of compiled programs, which only the user can write to. CannotCompile if it is not safe."""
    base = os.environ.get("CHAINRULE_CACHE")
    home = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chainrule"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = home.lstat()
    except OSError as error:
        raise CannotCompile(f"the folder for compiled programs cannot be made ({error})") from None
    if not stat.S_ISDIR(found.st_mode):
        raise CannotCompile(f"{home} is no folder")
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        raise CannotCompile(f"{home} belongs to another user, or others may write to it: it could hold foreign code")
    return home


def library(text: str, name: str = "program") -> ctypes.CDLL:
    """The library of a C text: from the folder, or compiled now. CannotCompile for any reason that prevents it."""
    compiler = command()
    key = hashlib.sha256("\0".join([text, *FLAGS, described(tuple(compiler))]).encode()).hexdigest()
    home = folder()
    path = home / f"{name}-{key}.so"
    try:
        if not path.is_file():
            compile_to(path, text, compiler)
        else:
            os.utime(path)
    except OSError as error:
        if not path.is_file():
            raise CannotCompile(f"{path} cannot be written ({error})") from None
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise CannotCompile(f"{path} cannot be loaded ({error})") from None


@cache
def described(compiler: tuple[str, ...]) -> str:
    """What a compiler predefines: its version, and what the processor can do."""
    native = [flag for flag in FLAGS if flag.startswith(("-m", "-std"))]
    return finished([*compiler, *native, "-dM", "-E", "-x", "c", os.devnull], " ".join(compiler))


def width() -> int:
    """How many bytes the processor's vectors have."""
    known = described(tuple(command()))
    return next((n for name, n in (("__AVX512F__", 64), ("__AVX__", 32)) if f" {name} " in known), 16)


def finished(arguments: Sequence[str], name: str) -> str:
    """The output of a command. CannotCompile if it fails, hangs, or does not exist."""
    try:
        done = subprocess.run(
            arguments, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CannotCompile(f"the compiler {name} took more than {SECONDS:g} s") from None
    except OSError as error:
        raise CannotCompile(f"the compiler {name} does not run ({error})") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise CannotCompile(f"the compiler {name} failed{': ' + said[0] if said else ''}")
    return done.stdout


def compile_to(path: Path, text: str, compiler: Sequence[str]) -> None:
    """Compile a text, and put the library in its place as a whole."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="compiling-") as work:
        source, made = Path(work) / "program.c", Path(work) / "program.so"
        with source.open("w", encoding="utf-8") as file:
            file.write(text)
        finished([*compiler, *FLAGS, "-o", str(made), str(source), "-lm"], " ".join(compiler))
        if not made.is_file() or not made.stat().st_size:
            raise CannotCompile(f"the compiler {' '.join(compiler)} wrote nothing")
        os.replace(made, path)
    tidy(path.parent, path)


def tidy(home: Path, keep: Path) -> None:
    """Delete the libraries that were used longest ago, if all together are too large."""
    found = []
    for path in home.glob("*.so"):
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except OSError:  # another process has deleted it
            continue
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= MEGABYTES * 2**20:
            break
        if path != keep:
            path.unlink(missing_ok=True)
            total -= size
