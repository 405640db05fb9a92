"""The pages that `make docs` gathers: complete, linked, and made of what is public."""

import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn
from autograd import ops

DOCS = Path(__file__).parent.parent / "docs"


def loaded(name):
    """A module of the folder of documents."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


reference, site = loaded("reference"), loaded("site")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder of pages."""
    build = tmp_path_factory.mktemp("build")
    site.write(build)
    return build


@pytest.mark.parametrize("module", [reference, site], ids=["reference", "site"])
def test_examples(module):
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_every_page_is_in_the_contents_and_every_link_leads_somewhere(pages):
    settings = (pages / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r": ([\w./-]+\.md)$", settings.partition("\nnav:")[2], re.M)
    found = {path.relative_to(pages / "pages").as_posix(): path for path in (pages / "pages").rglob("*.md")}
    assert sorted(listed) == sorted(found)
    documents = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {site.place(f"docs/{name}") for name in documents} <= {*found}
    for path in found.values():
        prose = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
            assert "://" in target or (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_reference_has_every_public_name(pages):
    text = {name: (pages / "pages" / "reference" / f"{name}.md").read_text(encoding="utf-8") for name in site.MODULES}
    rows = (pages / "pages" / "reference" / "operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)$", rows, re.M) == sorted(ops.ROWS)
    for package in (autograd, nn):
        for name in dir(package):
            if name[0] != "_" and reference.is_documented(getattr(package, name), name):
                assert f"## {name}\n" in text[package.__name__] or f"## {name}\n" in rows
    for entry in (
        "### Value.backward",
        "### Value.data",
        "### Tensor.update",
        "## vectorize",
        "class Tensor(",
    ):
        assert entry in text["autograd"], entry
    assert "tanh" not in re.findall(r"^### Value\.(\w+)$", text["autograd"], re.M)


def test_the_site_is_built_without_a_warning(pages):
    pytest.importorskip("mkdocs", reason="`make docs` installs it")
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", pages / "mkdocs.yml"],
                   check=True, capture_output=True)  # fmt: skip
    assert (pages / "site" / "index.html").exists()
