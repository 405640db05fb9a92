"""Workflows, hooks and the citation agree with pyproject.toml and the Makefile."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from texts import search

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = [x.rpartition(" ")[2] for x in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", x)]
OLDEST = PROJECT["requires-python"].removeprefix(">=")
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted([*FOLDER.glob("*.yml"), *ROOT.glob("*.cff"), *ROOT.glob(".*.yaml")])


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


WORKFLOWS = {path.stem: read(path) for path in sorted(FOLDER.glob("*.yml"))}
STEPS = [
    (f"{name}.{job}", step)
    for name, workflow in WORKFLOWS.items()
    for job, content in workflow["jobs"].items()
    for step in content["steps"]
]
RUN = "\n".join(step["run"] for _, step in STEPS if "run" in step)


def test_the_citation_is_that_of_the_package():
    """It has no version. The version is written elsewhere, and a citation names the one that was used."""
    citation = read(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "authors"} <= set(citation)
    assert not {"version", "date-released"} & set(citation)
    assert citation["title"] == PROJECT["name"]
    assert citation["abstract"] == PROJECT["description"]
    assert citation["keywords"] == PROJECT["keywords"]
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]
    assert citation["license"] in PROJECT["license"]


def test_hooks_are_pinned_and_those_of_make_check():
    floors = dict(x.split(">=") for x in PROJECT["optional-dependencies"]["dev"] if ">=" in x)
    entries = []
    for repository in read(ROOT / ".pre-commit-config.yaml")["repos"]:
        entries += [hook.get("entry", hook["id"]) for hook in repository["hooks"]]
        if repository["repo"] != "local":
            assert re.fullmatch(r"v\d+\.\d+\.\d+", repository["rev"])
            newest, oldest = ([int(x) for x in v.split(".")] for v in (repository["rev"][1:], floors["ruff"]))
            assert newest >= oldest
    recipe = search(r"^check:.*\n((\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
    assert entries == ["ruff-check", "ruff-format", "python -m mypy"]
    assert re.findall(r"\$\(BIN\)/(.*)", recipe) == [
        "python tests/stubs.py",
        "ruff check .",
        "ruff format --check .",
        "mypy",
    ]


def test_the_matrix_is_what_the_package_says():
    """Each system runs each Python with the newest NumPy, and with the oldest NumPy if that has wheels."""
    matrix = WORKFLOWS["tests"]["jobs"]["suite"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [f"3.{i}" for i in range(int(OLDEST[2:]), int(OLDEST[2:]) + len(PYTHONS))] == PYTHONS
    assert [x.partition("-")[0] for x in matrix["os"]] == ["ubuntu", "macos", "windows"]
    (numpy,) = [x for x in PROJECT["dependencies"] if x.startswith("numpy")]
    newest, oldest = matrix["numpy"]
    assert newest == "numpy"
    assert oldest == f"{numpy.replace('>=', '~=')}.0"
    left_out = {(x["python"], x["numpy"]) for x in matrix["exclude"]}
    assert set(itertools.product(PYTHONS, matrix["numpy"])) - left_out >= {(x, newest) for x in PYTHONS}
    assert (OLDEST, oldest) not in left_out


def test_a_release_is_tried_on_the_oldest_and_the_newest():
    matrix = WORKFLOWS["release"]["jobs"]["try"]["strategy"]["matrix"]
    assert matrix["python"] == [PYTHONS[0], PYTHONS[-1]]
    assert matrix["os"] == WORKFLOWS["tests"]["jobs"]["suite"]["strategy"]["matrix"]["os"]


def test_a_release_is_published_last_and_alone_may_be():
    jobs = WORKFLOWS["release"]["jobs"]
    assert (jobs["try"]["needs"], jobs["publish"]["needs"]) == (["sources", "wheels"], "try")
    allowed = {name: job["permissions"] for name, job in jobs.items() if "permissions" in job}
    assert allowed == {"publish": {"id-token": "write"}}
    site = WORKFLOWS["docs"]["jobs"]
    assert "permissions" not in site["build"]
    assert site["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert site["publish"]["needs"] == "build"
    assert all(workflow["permissions"] == {"contents": "read"} for workflow in WORKFLOWS.values())


@pytest.mark.parametrize(("job", "step"), STEPS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_step_has_what_it_needs(job, step):
    """Versions of actions are stated. A Python outside a matrix is the oldest."""
    if "uses" in step:
        assert re.search(r"@(v\d+(\.\d+)*|release/v\d+)$", step["uses"])
    version = step.get("with", {}).get("python-version", OLDEST)
    assert version in (OLDEST, "${{ matrix.python }}")


def test_what_workflows_name_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    goals = set(search(r"^\.PHONY: (.*)", makefile, re.M)[1].split())
    assert {*re.findall(r"make ([\w-]+)", RUN)} == {"check", "docs", "native-asan", "test-minima"} <= goals
    assert {*re.findall(r"\[(\w+)\]", RUN)} == {"test"} <= set(PROJECT["optional-dependencies"])
    paths = re.findall(r"tests/\w+\.py(?:::\w+)?", RUN)
    assert paths
    for path in paths:
        file, _, name = path.partition("::")
        assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8"), path
    assert f"dist/{PROJECT['name']}-" in RUN


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_yaml_names_nothing_twice(path):
    """PyYAML silently keeps the last of two equal keys."""

    def check(node):
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{path.name}:{node.start_mark.line + 1}: {keys}"
        for child in node.value if isinstance(node.value, list) else ():
            for part in child if isinstance(child, tuple) else (child,):
                check(part)

    check(yaml.compose(path.read_text(encoding="utf-8")))
