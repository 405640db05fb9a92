"""The structure that docs/house.md states: which file imports which, the cost of an import, and types."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from autograd import ops

ROOT = Path(__file__).parent.parent
TOP = {".ci", ".git", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "autograd",
       "benchmarks", "demos", "docs", "nn", "pyproject.toml", "tests"}  # fmt: skip

# each file imports only from those before it
ORDER = [
    *(f"engine.{name}" for name in ("contexts", "quiet", "saved")),
    *(f"ops.{name}" for name in ("rows", "signatures", "arrays", "kernels", "elementwise", "moves", "reductions")),
    *(f"ops.{name}" for name in ("products", "probabilities", "worlds")),
    "ops",
    *(f"ops.{name}" for name in ("formatting", "operators")),
    *(f"functions.{name}" for name in ("table", "ufuncs", "moves", "choosing", "products", "reductions", "linalg")),
    *("functions.questions", "functions"),
    "ops.symbol",
    *(
        f"engine.{name}"
        for name in ("frozen", "graph", "anomaly", "specialize", "byhand", "collector", "value", "form")
    ),
    *(f"engine.{name}" for name in ("elsewhere", "tensor")),
    *("transforms.dual", "transforms"),
    *("engine.custom", "engine"),
    *("gradcheck.report", "gradcheck.check", "gradcheck"),
    *(f"explaining.{name}" for name in ("text", "notation", "naming", "partials", "view", "tree", "explain")),
    *(f"explaining.{name}" for name in ("source", "card", "figures", "curve", "describe")),
    *("explaining", "files"),
    *(f"drawing.{name}" for name in ("style", "render", "columns", "dot", "classic", "overview", "page")),
    "drawing",
    *(f"vectorizing.{name}" for name in ("scalars", "simplify", "affine", "reductions", "tracer", "indices")),
    *(f"vectorizing.{name}" for name in ("tracing", "products", "layout", "views", "writing", "groups", "plan")),
    *(f"vectorizing.{name}" for name in ("source", "runtime", "program", "report", "sketch", "notation", "backward")),
    *("vectorizing.verify", "vectorizing"),
    *("testing.expression", "testing.strategies", "testing.stateful", "testing"),
]


# files and folders, in the order of the table in docs/house.md
HOUSE = re.findall(r"`((?:autograd|nn|demos)/[\w/.]*)`", "".join(re.findall(
    r"^\| `(?:autograd|nn|demos)/.*?\| ", (ROOT / "docs" / "house.md").read_text(encoding="utf-8"), re.M)))  # fmt: skip


def place(name):
    """Where in that table a module is: its own file, or the folder that it lies in."""
    path = name.replace(".", "/")
    return next(i for i, entry in enumerate(HOUSE) if entry == f"{path}.py" or f"{path}/".startswith(entry))


def imports(path):
    """The project's own modules that a file imports at its top level."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            paths = {name: ROOT / name.replace(".", "/") for name in names}
            files = {name for name, path in paths.items() if path.is_dir() or path.with_suffix(".py").exists()}
            found |= files or {node.module}
    return {name for name in found if name.split(".")[0] in ("autograd", "nn", "demos")}


def test_the_top_level_is_what_it_says():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if tracked:
        assert {line.split("/")[0] for line in tracked.splitlines()} <= TOP


@pytest.mark.parametrize("name", ORDER)
def test_autograd_imports_upwards_only(name):
    allowed = {f"autograd.{other}" for other in ORDER[: ORDER.index(name)]}
    path = ROOT / "autograd" / name.replace(".", "/")
    assert imports(path / "__init__.py" if path.is_dir() else path.with_suffix(".py")) <= allowed


def test_every_file_of_autograd_has_its_place():
    files = {
        ".".join(path.relative_to(ROOT / "autograd").with_suffix("").parts)
        for path in (ROOT / "autograd").rglob("*.py")
    }
    assert {name.removesuffix(".__init__") for name in files} - {"__init__"} == set(ORDER)


def test_every_file_has_its_place_in_the_table():
    for folder in ("autograd", "nn"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.parent.name != folder or path.stem != "__init__":
                place(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("path", sorted((ROOT / "nn").rglob("*.py")), ids=lambda p: p.stem)
def test_nn_imports_upwards_only(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    if name != "nn.__init__":  # a table of contents
        below = {other for other in imports(path) if other.startswith("nn.") and place(other) > place(name)}
        assert not below


@pytest.mark.parametrize("path", sorted((ROOT / "nn").rglob("*.py")), ids=lambda p: p.stem)
def test_nn_uses_public_names_of_autograd(path):
    shared = {
        "files.py": {"autograd.files"},
        "text.py": {"autograd.explaining.text"},
        "canvas.py": {"autograd.explaining.figures"},
        "arrays.py": {"autograd.ops.arrays"},
        "names.py": {"autograd.engine.elsewhere"},
    }.get(path.name, set())  # one for both
    assert not {name for name in imports(path) if name.startswith(("autograd.", "demos"))} - shared


@pytest.mark.parametrize("path", sorted((ROOT / "demos").glob("*.py")), ids=lambda p: p.stem)
def test_demos_use_public_names(path):
    assert not {name for name in imports(path) if name.startswith("autograd.")}


@cache
def calls():
    """Every call of a method or function in the project's own code: its file, its name and what it is given."""
    found = []
    for folder in ("autograd", "nn", "demos", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    found.append((path, node, name, {keyword.arg for keyword in node.keywords}))
    return found


def test_text_is_read_and_written_in_a_stated_encoding():
    """Else it is that of the system: a file written on one machine is not read on another."""
    for path, node, name, keywords in calls():
        modes = [x.value for x in node.args if isinstance(x, ast.Constant) and isinstance(x.value, str)]
        text = name in ("read_text", "write_text") or (
            (name == "open" and isinstance(node.func, ast.Name) and not any("b" in mode for mode in modes[-1:]))
            or (name in ("run", "Popen", "check_output") and "text" in keywords)
        )
        assert not text or "encoding" in keywords, f"{path}:{node.lineno}"


def test_no_test_looks_at_a_clock():
    """What a machine does beside the tests would decide. Work is counted: calls, lines, nodes, bytes."""
    clock = re.compile(r"\b((perf_counter|process_time|thread_time|monotonic|time)(_ns)?|timeit|repeat)\(\)")
    for path in sorted((ROOT / "tests").glob("*.py")):
        assert not clock.search(path.read_text(encoding="utf-8")), path


def test_files_are_written_by_one_mechanism():
    known = {"temporary", "STATUS"}  # what it gives to write to; a switch of the kernel's
    for path, node, name, _ in calls():
        if name in ("write_text", "write_bytes") and path.name not in ("files.py", "download.py"):  # pooch's own file
            assert {x.id for x in ast.walk(node.func) if isinstance(x, ast.Name)} & known, f"{path}:{node.lineno}"
        assert name != "getpid", f"{path}:{node.lineno}: two containers give the same number"


def test_importing_autograd_loads_nothing_heavy():
    code = "import sys, autograd; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"matplotlib", "graphviz", "hypothesis", "tqdm", "nn", "scipy"} & set(loaded.split())


def test_public_names_are_documented():
    for name in ops.__all__:
        assert getattr(ops, name).__doc__, name
