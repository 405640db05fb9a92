"""The package holds all files that the code reads, and no others. The source distribution is the whole repository."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from minima import minima
from test_house import TOP

import autograd

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("autograd", "nn")
DATA = PROJECT["tool"]["setuptools"]["package-data"]
BUILT = (".pyc", ".so", ".pyd")


def installed():
    """The files of a wheel: the Python of every package, and what package-data names."""
    python = [x for package in PACKAGES for x in (ROOT / package).rglob("*.py") if (x.parent / "__init__.py").exists()]
    return {*python, *(x for package, patterns in DATA.items() for p in patterns for x in (ROOT / package).glob(p))}


def test_every_file_of_the_packages_is_installed():
    there = {x for package in PACKAGES for x in (ROOT / package).rglob("*") if x.is_file() and x.suffix not in BUILT}
    assert there == installed()


@pytest.mark.parametrize(("package", "pattern"), [(package, x) for package in DATA for x in DATA[package]])
def test_every_pattern_names_something(package, pattern):
    assert list((ROOT / package).glob(pattern))


def test_only_the_two_packages_are_installed():
    find = PROJECT["tool"]["setuptools"]["packages"]["find"]
    assert find == {"include": [f"{package}*" for package in PACKAGES], "namespaces": False}
    others = [x.name for x in ROOT.iterdir() if (x / "__init__.py").exists() and x.name not in PACKAGES]
    assert not [name for name in others if name.startswith(PACKAGES)]


SCRIPT = """
from pathlib import Path
import numpy as np
import autograd, nn
from autograd import Value, describe, explain, grad, steps, tree, vectorize
from nn.data import load_mnist

assert Path.cwd() not in Path(autograd.__file__).parents
print(load_mnist())
assert all(Path(package.__file__).with_name("py.typed").exists() for package in (autograd, nn))
a, b = Value(2.0, label="a"), Value(-3.0, label="b")
y = (a * b).tanh()
y.backward()
assert str(tree(y)) and str(explain(y, a)) and str(describe("tanh"))
assert "<html" in steps(y).html
model = nn.MLP(2, [3, 1])
assert vectorize(model, 2)(np.ones((4, 2))).shape[0] == 4
exec(nn.export_source(model), {})
grad(autograd.tanh)(0.5)
"""


def test_what_is_installed_is_enough(tmp_path):
    """Only the files of a wheel are copied to a folder, and used from another one."""
    for file in installed():
        copy = tmp_path / "site" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    (tmp_path / "elsewhere").mkdir()
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "train (60000, 784) float32, test (10000, 784) float32" in run.stdout


def files_of_the_repository():
    """Every file below a name of the top level, without what Git and Python write, and without the extension."""
    for name in TOP - {".git"}:
        top = ROOT / name
        for path in top.rglob("*") if top.is_dir() else [top]:
            if path.is_file() and path.suffix not in BUILT:
                yield path


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory):
    """The files of a source distribution, by their path in the repository."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("source")
    for path in files_of_the_repository():
        copy = folder / "project" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    code = f"import setuptools.build_meta as backend; backend.build_sdist({str(folder)!r})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder / "project", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files: Any = {x.name.partition("/")[2]: archive.extractfile(x) for x in archive if x.isfile()}
        return {name: file.read() for name, file in files.items()}


def test_the_source_distribution_is_the_repository(source_distribution):
    """So its tests run: they read the documents, the demos and the workflows."""
    written = {name for name in source_distribution if re.match(r"PKG-INFO|setup\.cfg|chainrule\.egg-info/", name)}
    names = {path.relative_to(ROOT).as_posix() for path in files_of_the_repository()}
    assert {*source_distribution} - written == names


def test_the_readme_has_whole_addresses_on_the_package_index(source_distribution):
    """A relative link leads nowhere there."""
    information: Any = message_from_bytes(source_distribution["PKG-INFO"])
    assert information["Description-Content-Type"] == "text/markdown"
    here, there = (ROOT / "README.md").read_text(encoding="utf-8"), information.get_payload(decode=True).decode()
    at = PROJECT["project"]["urls"]["Homepage"] + r"/(?:blob|raw)/v" + re.escape(autograd.__version__) + "/"
    assert re.sub(at, "", there).strip() == here.strip()
    links = re.findall(r"(!?)\[[^]]*\]\(([^)]*)\)", there)
    assert len(links) == here.count("](")
    for image, link in links:
        assert "://" in link
        assert ("/raw/" in link) == bool(image)


def test_the_version_has_one_home():
    """It is a literal, so setuptools can read it as text. A build has no NumPy, so it cannot import the package."""
    body = ast.parse((ROOT / "autograd" / "__init__.py").read_text(encoding="utf-8")).body
    (literal,) = [x.value for x in body if isinstance(x, ast.Assign) and ast.unparse(x.targets[0]) == "__version__"]
    assert ast.literal_eval(literal) == autograd.__version__
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["setuptools"]["dynamic"] == {"version": {"attr": "autograd.__version__"}}


def test_what_is_installed_has_that_version():
    try:
        installed = importlib.metadata.version("chainrule")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("chainrule is not installed here, only on the path")
    assert installed == autograd.__version__, "the version has changed: run `pip install -e .` once more"


def test_every_link_is_to_one_home():
    home, *others = PROJECT["project"]["urls"].values()
    assert all(url.startswith(f"{home}/") for url in others)
    for url in others:
        file = url.removeprefix(home).partition("/main/")[2]
        assert (ROOT / file).exists(), url


def test_every_licence_is_shipped():
    for name in PROJECT["project"]["license-files"]:
        assert (ROOT / name).is_file()
    assert "CC BY-SA 3.0" in (ROOT / "nn/data/mnist/README.md").read_text(encoding="utf-8")


def test_every_dependency_states_its_oldest_release_once():
    """`make test-minima` installs those, and runs the suite on them."""
    lines = minima()
    assert all(re.fullmatch(r"[\w-]+==\d+(\.\d+)*", line) for line in lines)
    names = [line.partition("==")[0] for line in lines]
    assert len(names) == len(set(names)), "one package, one floor"
    assert "numpy" in names
