"""The structure that docs/house.md states: which file imports which, the cost of an import, and types."""

import ast
import importlib
import io
import re
import subprocess
import sys
import tokenize
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn
from autograd import ops

ROOT = Path(__file__).parent.parent
TOP = {".ci", ".git", ".github", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CITATION.cff",
       "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md", "README.zh.md", "autograd", "benchmarks",
       "demos", "docs", "nn", "pyproject.toml", "setup.py", "tests"}  # fmt: skip

HOUSE = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("autograd", "nn")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
"""Every file of the library by the name of its module."""


def order():
    """The modules in the order of the table in docs/house.md; a package after its files, `autograd` before `nn`."""
    found, packages = [], []
    for cell in re.findall(r"^\| (`(?:autograd|nn)/.*?) \| ", HOUSE, re.M):
        folder = ""
        for part in re.findall(r"[\w/.]+", cell):
            name = part.removesuffix(".py").strip("/").replace("/", ".")
            if part.endswith("/"):
                folder = name
                packages.append(name)
            elif name == "__init__":
                found.append(folder)
            else:
                found.append(f"{folder}.{name}" if folder else name)
    for package in {name: None for name in packages if name not in found}:
        last = max(i for i, name in enumerate(found) if name.rpartition(".")[0] == package)
        found.insert(last + 1, package)
    middle = next(i for i, name in enumerate(found) if name.startswith("nn."))
    return [*found[:middle], "autograd", *found[middle:], "nn"]


ORDER = order()
PLACE = {name: i for i, name in enumerate(ORDER)}

UPWARD = {
    ("autograd.engine.graph", "autograd.drawing"): "a notebook shows a node as its picture",
    ("autograd.engine.graph", "autograd.explaining.tree"): "node.tree()",
    ("autograd.ops.arrays", "autograd.ops"): "rows that make one array of several variables",
    ("autograd.ops.operators", "autograd.functions"): "NumPy hands its functions to the operand's own methods",
    ("autograd.ops.floats", "autograd.ops.arrays"): "a row reads what it is called with",
    ("autograd.ops.refusing", "autograd.ops"): "a row of one's own is held against those of the table",
    ("autograd.ops.traced", "autograd.functions.ufuncs"): "NumPy's functions that have a row may stand in a rule",
    ("autograd.ops.rows", "autograd.ops.signatures"): "a row says how it is called",
    ("autograd.ops.rows", "autograd.ops.symbol"): "a rule tried on symbols tells whether it is a formula",
    ("nn.module", "nn.summary"): "model.summary()",
}
"""Imports, inside functions, of modules further down in the table, with their reasons."""

ACROSS = {
    ("autograd.engine.value", "_dot"): "the row behind `ops.dot`: reading it by name costs less than `ops.ROWS`",
    ("autograd.explaining.partials", "_cotangents"): "what one node hands to each operand, without a sweep",
    ("autograd.drawing.dot", "_cotangents"): "what one node hands to each operand, without a sweep",
    ("autograd.transforms.dual", "_fuses"): "ops asks each traced kind for it; so does a Dual of what is inside",
}
"""Private names that a module uses from another package, with the reasons."""

FOREIGN = {"_make", "_getframe", "_NoValue"}
"""Names with an underscore that Python and NumPy document."""

REBUILT = "autograd.vectorizing"  # in the next issue: it is held to the order of imports alone


def package_of(name):
    """The package of a module."""
    return ".".join(FILES[name].parent.relative_to(ROOT).parts)


def tree_of(name):
    """A module as a syntax tree, without the imports for type checkers alone."""
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    types = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    ]
    tree.body = [node for node in tree.body if node not in types or "not" in ast.unparse(node.test)]
    return tree


def named_by(node):
    """The project's own modules that an import names."""
    if isinstance(node, ast.Import):
        found = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
        found = {f"{node.module}.{alias.name}" for alias in node.names} & {*FILES} or {node.module}
        if any(f"{node.module}.{alias.name}" not in FILES for alias in node.names):
            found |= {node.module}
    else:
        found = set()
    return {name for name in found if name.split(".")[0] in ("autograd", "nn", "demos")}


def imports(path):
    """The project's own modules that a file imports, anywhere in it."""
    return {name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for name in named_by(node)}


def imported(name):
    """The imports of a module of the library: those when it is loaded, and those inside functions."""
    tree = tree_of(name)
    lazy = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    at_once: set[Any] = set()
    later: set[Any] = set()
    for node in ast.walk(tree):
        (later if node in lazy else at_once).update(named_by(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            later |= {x.value for x in node.args if isinstance(x, ast.Constant)} & {*FILES}
    return at_once, later


def test_the_top_level_is_what_it_says():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if tracked:
        assert {line.split("/")[0] for line in tracked.splitlines()} <= TOP


def test_every_file_has_its_place_in_the_table():
    assert len(ORDER) == len({*ORDER}), "a file stands twice in the table"
    assert not {*ORDER} ^ {*FILES}, "files without a place, or places without a file"


@pytest.mark.parametrize("name", [name for name in ORDER if name in FILES])
def test_imports_go_upwards_only(name):
    """A package's `__init__` lists its names. A module that imports from it depends on all of them."""
    at_once, later = imported(name)
    assert not {x for x in at_once if PLACE.get(x, -1) >= PLACE[name]}
    assert not {x for x in later if PLACE.get(x, -1) >= PLACE[name] and (name, x) not in UPWARD}


def test_no_exception_is_left_over():
    assert not [(name, x) for name, x in UPWARD if name not in FILES or x not in imported(name)[1]]
    assert not [(name, x) for name, x in ACROSS if name not in FILES or x not in dict(private_names(name))]


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("nn.")])
def test_nn_uses_public_names_of_autograd(name):
    shared = {
        "nn.support.files": {"autograd.files"},
        "nn.support.text": {"autograd.explaining.text"},
        "nn.support.canvas": {"autograd.explaining.figures"},
        "nn.support.arrays": {"autograd.ops.arrays"},
        "nn.support.names": {"autograd.engine.elsewhere"},
        "nn.module": {"autograd.explaining.naming"},  # where drawings find the living modules
        "nn.export.engines": {"autograd.vectorizing.leaving"},  # which writes that tree for JAX and PyTorch
        "nn.export.recording": {  # a model as an expression tree, which exporters print
            "autograd.engine.graph",
            "autograd.ops.questions",
            "autograd.ops.rows",
            "autograd.vectorizing.array_program",
            "autograd.vectorizing.evaluation",
            "autograd.vectorizing.sizes",
            "autograd.vectorizing.tree",
        },
    }.get(name, set())  # one name for both
    at_once, later = imported(name)
    assert not {x for x in at_once | later if x.startswith("autograd.")} - shared


def defined(tree):
    """The names that a file defines: functions, classes, variables, attributes, slots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def private_names_of(package):
    """The names with an underscore that the files of a package define."""
    trees = [ast.parse(FILES[name].read_text(encoding="utf-8")) for name in FILES if package_of(name) == package]
    return {name for tree in trees for name in defined(tree) if name[:1] == "_"}


def private_names(name):
    """The private names of other packages that a module imports or reads, each with its line."""
    tree, own = tree_of(name), package_of(name)
    known = private_names_of(own) | FOREIGN
    modules = set()  # modules of other packages, by their names in this file
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("autograd", "nn"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if package_of(whole if whole in FILES else node.module) != own:
                    modules |= {alias.asname or alias.name} if whole in FILES else set()
                    if alias.name[0] == "_":
                        yield alias.name, node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr[0] == "_" and node.attr[:2] != "__":
            of_module = isinstance(node.value, ast.Name) and node.value.id in modules
            if of_module or node.attr not in known:
                yield node.attr, node.lineno


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(REBUILT)])
def test_private_names_stay_in_their_package(name):
    """No ``from other import _name``, no ``other._name``, and no ``x._name`` of another package's class."""
    assert not [(x, f"line {line}") for x, line in private_names(name) if (name, x) not in ACROSS]


def test_public_modules_are_those_of_the_table():
    """The modules that completion offers in `autograd` and `nn` are those that docs/house.md lists."""
    stated = re.findall(r"`((?:autograd|nn)\.\w+)`", "".join(re.findall(r"^\| `(?:autograd|nn)\..*?\| ", HOUSE, re.M)))
    packages = {package.__name__: package for package in (autograd, nn)}
    offered = {f"{name}.{x}" for name, package in packages.items() for x in package._MODULES}
    assert sorted(stated) == sorted(offered)
    for name in stated:
        module = importlib.import_module(name)
        assert {x for x in dir(module) if x[0] != "_"} == {*module.__all__}, f"{name}: its completion is its __all__"


# ------------------------------------------------------------------------------------------------------------ limits

LONGEST = 450


def lines_of_code(text):
    """The number of lines of code, without blank lines, comments and docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [x for x in tokenize.generate_tokens(io.StringIO(text).readline) if x.type not in silent]
    lines = {line for x in tokens for line in range(x.start[0], x.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Expr) and isinstance(getattr(child.value, "value", None), str):
                lines -= {*range(child.lineno, (child.end_lineno or child.lineno) + 1)}
    return len(lines)


def test_lines_of_code_are_counted():
    assert (
        lines_of_code(
            '"""Docs\n\nof two lines."""\n\n# comment\nx = """a\nb"""\n\n\ndef f():\n    "docs"\n    return x\n'
        )
        == 4
    )


def test_no_module_is_long():
    found = {name: lines_of_code(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
    long = {name: n for name, n in found.items() if n > LONGEST and not name.startswith(REBUILT)}
    assert not long, long


def test_a_function_above_the_limit_of_complexity_says_why():
    """Ruff measures the complexity. An exception is a `noqa` with a reason behind it."""
    for path in FILES.values():
        for line in path.read_text(encoding="utf-8").splitlines():
            _, found, reason = line.partition("# noqa: C901")
            assert not found or len(reason) > 10, f"{path}: {line.strip()}"


SHARED = {"Linear": "a kind of row, and a layer: both are the field's word"}


def test_a_class_has_a_name_of_its_own():
    homes: dict[str, Any] = {}
    for name in FILES:
        if not name.startswith(REBUILT):
            for node in tree_of(name).body:
                if isinstance(node, ast.ClassDef):
                    homes.setdefault(node.name, []).append(name)
    assert {x for x, found in homes.items() if len(found) > 1} == {*SHARED}, homes


# ---------------------------------------------------------------------------------------------------- what it promises


@pytest.mark.parametrize("path", sorted((ROOT / "demos").glob("*.py")), ids=lambda p: p.stem)
def test_demos_use_public_names(path):
    assert not {name for name in imports(path) if name.startswith("autograd.")}


@cache
def calls():
    """Every call in the project's own code: its file, its name and its arguments."""
    found = []
    for folder in ("autograd", "nn", "demos", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    found.append((path, node, name, {keyword.arg for keyword in node.keywords}))
    return found


def test_text_is_read_and_written_in_a_stated_encoding():
    """Otherwise the system's encoding is used, and another machine may not read the file."""
    for path, node, name, keywords in calls():
        modes = [x.value for x in node.args if isinstance(x, ast.Constant) and isinstance(x.value, str)]
        text = name in ("read_text", "write_text") or (
            (name == "open" and isinstance(node.func, ast.Name) and not any("b" in mode for mode in modes[-1:]))
            or (name in ("run", "Popen", "check_output") and "text" in keywords)
        )
        assert not text or "encoding" in keywords, f"{path}:{node.lineno}"


def test_no_test_looks_at_a_clock():
    """The time depends on what else the machine does. So tests count work: calls, lines, nodes, bytes."""
    clock = re.compile(r"\b((perf_counter|process_time|thread_time|monotonic|time)(_ns)?|timeit|repeat)\(\)")
    for path in sorted((ROOT / "tests").glob("*.py")):
        assert not clock.search(path.read_text(encoding="utf-8")), path


def test_files_are_written_by_one_mechanism():
    known = {"temporary", "STATUS"}  # a file that `replacing` gives; a switch of the kernel
    for path, node, name, _ in calls():
        if name in ("write_text", "write_bytes") and path.name not in ("files.py", "download.py"):  # pooch's own file
            assert {x.id for x in ast.walk(node.func) if isinstance(x, ast.Name)} & known, f"{path}:{node.lineno}"
        assert name != "getpid", f"{path}:{node.lineno}: two containers give the same number"


def test_importing_autograd_loads_nothing_heavy():
    code = "import sys, autograd; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"matplotlib", "graphviz", "hypothesis", "tqdm", "nn", "scipy"} & set(loaded.split())


def test_public_names_are_documented():
    for name in dir(ops):
        assert getattr(ops, name).__doc__, name
