"""Editors, type checkers and completion see all public names, signatures and types of results."""

import ast
import builtins
import importlib
import inspect
import re
import rlcompleter
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import stubs
from test_packaging import installed
from texts import search

import autograd
import nn
from autograd import Tensor, Value, ops
from autograd.ops.operators import METHODS
from autograd.ops.rows import Elementwise, Op, operand_names
from autograd.ops.signatures import OPERAND

ROOT = Path(__file__).parent.parent
PACKAGES = (autograd, nn)
MODULES = [package.__name__ for package in PACKAGES]
MODULES += [f"{package.__name__}.{name}" for package in PACKAGES for name in package._MODULES]


@pytest.mark.parametrize("name", stubs.FILES)
def test_declarations_are_those_of_the_table(name):
    """tests/conftest.py writes them. This fails if it cannot write the files."""
    assert (ROOT / "autograd" / name).read_text(encoding="utf-8") == stubs.FILES[name](), "run: python tests/stubs.py"


@pytest.mark.parametrize("name", [name for name, row in ops.ROWS.items() if isinstance(row, Elementwise)])
def test_every_row_is_declared(name):
    """Every row is declared as a function with named operands. Methods are declared for Values and for Tensors."""
    public, methods = (ast.parse((ROOT / "autograd" / file).read_text(encoding="utf-8")) for file in stubs.FILES)
    declared = [node for node in public.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert declared
    assert all([x.arg for x in node.args.args] == list(operand_names(ops.ROWS[name])) for node in declared)
    own = [node.name for node in ast.walk(methods) if isinstance(node, ast.FunctionDef)]
    assert own.count(name) == (name in METHODS)


# ------------------------------------------------------------------------------------------------------- public names


def stated(module):
    """The public names that a module's own source defines or re-exports, without those of `import *`."""
    found = set()
    for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom) and Path(module.__file__).stem == "__init__":
            ours = (node.module or "").split(".")[0] in ("autograd", "nn")
            found |= {x.asname or x.name for x in node.names if ours}
    return {name for name in found if name[0] != "_" and name != "*"}


@pytest.mark.parametrize("name", MODULES)
def test_dir_is_the_public_names(name):
    """`dir` lists all public names, and no other import of the module."""
    module = importlib.import_module(name)
    names = dir(module)
    assert names == sorted(set(names))
    assert stated(module) <= set(names)
    submodules = set(getattr(module, "_MODULES", ()))
    for x in names:
        found = getattr(module, x)
        assert x[0] != "_"
        if isinstance(found, ModuleType):
            assert x in submodules
        elif callable(found) and hasattr(found, "__module__"):
            alias = hasattr(found, "__origin__")  # a type alias
            assert alias or found.__module__.split(".")[0] in ("autograd", "nn")


def test_every_row_is_a_public_name():
    assert set(dir(ops)) <= set(dir(autograd))
    for name in ("draw", "explain", "steps", "tree", "vectorize", "describe", "check_gradients", "testing"):
        assert name in dir(autograd)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_star_leaves_pythons_own_functions_alone(package):
    names: dict[str, Any] = {}
    exec(f"from {package.__name__} import *", names)
    del names["__builtins__"]
    assert not [name for name in names if hasattr(builtins, name)]
    assert set(names) == {x for x in dir(package) if not hasattr(builtins, x)} - {*package._MODULES, "compiled"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wrong_name_is_an_attribute_error(package):
    """The error has the attributes from which Python makes "Did you mean"."""
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'") as caught:
        package.nothing
    assert (caught.value.name, caught.value.obj) == ("nothing", package)


@pytest.mark.parametrize("package", PACKAGES)
def test_completion_goes_on_where_something_is_not_installed(package, monkeypatch):
    """Python's prompt reads the value of every name to complete one. An ImportError would end the completion."""
    name = package._MODULES[-1]
    whole = f"{package.__name__}.{name}"
    monkeypatch.delitem(sys.modules, whole, raising=False)
    monkeypatch.delitem(vars(package), name, raising=False)
    monkeypatch.setitem(sys.modules, whole, None)
    with pytest.raises(AttributeError, match=f"{whole} cannot be loaded: "):
        getattr(package, name)
    found = rlcompleter.Completer({package.__name__: package}).attr_matches(f"{package.__name__}.")
    assert len(found) >= len(dir(package))


LAZY = """
import sys, {package}
later = {later}
assert not [x for x in later if x in sys.modules], sys.modules
assert not {{"matplotlib", "graphviz", "hypothesis", "sklearn", "optuna", "onnx"}} & set(sys.modules)
assert all(getattr({package}, name) is sys.modules["{package}." + name] for name in {package}._MODULES)
assert "matplotlib" not in sys.modules
"""


@pytest.mark.parametrize(
    ("package", "later"),
    [("nn", ["nn.plots", "nn.report"]), ("autograd", ["autograd.testing", "autograd.drawing", "autograd.vectorizing"])],
)
def test_modules_are_loaded_when_they_are_asked_for(package, later):
    """So these modules do not make the import slower."""
    code = LAZY.format(package=package, later=later)
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


# --------------------------------------------------------------------------------------------------------- signatures

X = np.array([[0.25, 0.5], [0.75, 0.125]])
SAMPLES = {"index": slice(None), "shape": (2, 2), "width": 1, "dtype": np.float32, "window_shape": 1,
           "overlap_add.x": np.ones((2, 2, 1, 1))}  # fmt: skip
ROWS = [name for name in dir(ops) if isinstance(getattr(ops, name), Op)]


@pytest.mark.parametrize("name", sorted(x for x in dir(autograd) if x not in vars(autograd)["_MODULES"]))
def test_signatures_say_what_is_taken(name):
    found = getattr(autograd, name)
    if isinstance(found, (type, bool)):
        return
    for x in inspect.signature(found).parameters.values():
        stars = x.kind in (x.VAR_POSITIONAL, x.VAR_KEYWORD)
        assert not stars or x.name not in ("args", "kwargs", "params"), x
        assert x.annotation is not x.empty, x


def row_calls():
    for name in ROWS:
        parameters = list(inspect.signature(getattr(ops, name)).parameters.values())
        for i, x in enumerate(parameters):
            yield pytest.param(name, parameters, i, id=f"{name}-{x.name}")


@pytest.mark.parametrize(("name", "parameters", "i"), list(row_calls()))
def test_a_row_is_called_as_its_signature_says(name, parameters, i):
    """Each argument is accepted by position and by name if the signature says so, and refused otherwise."""
    row, x = getattr(ops, name), parameters[i]

    def given(p):
        if f"{name}.{p.name}" in SAMPLES:
            return SAMPLES[f"{name}.{p.name}"]
        return p.default if p.default is not p.empty else SAMPLES.get(p.name, X if p.annotation == OPERAND else 0)

    before = [given(p) for p in parameters[:i]]
    after = {p.name: given(p) for p in parameters[i + 1 :] if p.kind is p.POSITIONAL_OR_KEYWORD}
    rest = [given(p) for p in parameters[i + 1 :] if p.kind is p.POSITIONAL_ONLY]
    by_place = row(*before, given(x), *rest, **after)
    if x.kind is x.POSITIONAL_ONLY:
        with pytest.raises(TypeError):
            row(*before, *rest, **{x.name: given(x)}, **after)
        return
    np.testing.assert_array_equal(by_place, row(*before, **{x.name: given(x)}, **after))
    if x.default is not x.empty:
        np.testing.assert_array_equal(by_place, row(*before, **after))


@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_called_as_its_signature_says(kind, name):
    """By position and by name, in the first call and in later ones."""
    method, row = getattr(kind, name), METHODS[name]
    signature = inspect.signature(method)
    of_row = list(inspect.signature(row).parameters.values())
    of_method = list(signature.parameters.values())
    assert [(x.name, x.default) for x in of_method[1:]] == [(x.name, x.default) for x in of_row[1:]]
    x, others = kind(0.5), {p.name: 0.75 for p in of_method[1:]}
    if name in ("arccosh",):
        x = kind(1.5)
    by_name, by_place = method(x, **others), method(x, *others.values())
    assert by_name.data == by_place.data == pytest.approx(float(row(x.item(), *others.values())), nan_ok=True)
    assert inspect.signature(getattr(kind, name)) == signature


def test_a_row_shows_how_it_is_called():
    assert repr(ops.leaky_relu) == "<operation leaky_relu(x, slope=0.01)>"
    assert repr(ops.var) == "<operation var(x, axis=None, ddof=0, keepdims=False)>"
    for row in ops.ROWS.values():
        assert repr(row).startswith(f"<operation {row.name}(")
        assert isinstance(inspect.signature(row), inspect.Signature)
    assert "slope: float" not in str(inspect.signature(Elementwise)), "the class is called otherwise"


# ----------------------------------------------------------------------------------------------------- a user's program

PROGRAM = """
import numpy as np

import autograd
import nn
from autograd import Tensor, Value, draw, explain, grad, vectorize
from nn.data import Batches, moons

a = Value(2.0, label="a")
x, w = np.ones((3, 2)), Tensor(np.ones((2, 4)))
SHOWN


def cube(t: Value) -> Value:
    return t**3


def train() -> nn.History:
    points, labels = moons(20)
    model = nn.dense(2, 8, 1, rng=0)
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    loss = nn.binary_cross_entropy(model(points)[:, 0], labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return nn.fit(model, Batches(points, labels[:, None]), nn.squared_error, optimizer, epochs=1)


def watch(state: nn.training.State) -> None:
    print(state.model.layers[0].weight, state.optimizer.lr, state.history["train_loss"][-1])


def look(model: nn.Sequential, average: nn.EMA) -> list[Tensor]:
    for layer in model:
        print(layer.weight.shape, layer.bias.data)
    nn.fit(model, [x, x], "mse", "adam", epochs=1, validate=[x, x], callbacks=[watch, average])
    nn.checkpoint.save(model.eval(), "weights.npz")
    for p in nn.MLP(2, [1]).parameters():
        p.data -= 0.1 * p.grad
    return [layer.weight for layer in model if isinstance(layer, nn.Linear)]
"""
TYPES = {
    "a + 1": "Value",
    "1 + a": "Value",
    "(a * a).tanh()": "Value",
    "a.leaky_relu(slope=0.1)": "Value",
    "a.data": "float",
    "w @ w": "Tensor",
    "x @ w": "Tensor",
    "x - w": "Tensor",
    "(2.0 * w).mean(axis=0)": "Tensor",
    "w[0]": "Tensor",
    "w.data": "ndarray",
    "autograd.exp(a)": "Value",
    "autograd.exp(w)": "Tensor",
    "autograd.exp(1)": "float",
    "autograd.exp(x)": "ndarray",
    "autograd.maximum(a, 0.0)": "Value",
    "autograd.maximum(0.0, a)": "Value",
    "autograd.maximum(x, w)": "Tensor",
    "autograd.clip(w, low=0.0)": "Tensor",
    "autograd.where(True, 0.0, w)": "Tensor",
    "autograd.where(True, 0.0, a)": "Value",
    "autograd.where(x > 0, 0.0, 1.0)": "Any",
    "autograd.where(x > 0, 0.0, a)": "Any",
    "autograd.sum([a, a])": "Value",
    "autograd.sum(x, axis=0)": "Any",
    "autograd.logsumexp(np.array([a, a]))": "Any",
    "[autograd.sum, autograd.max]": "list",
    "autograd.logsumexp(w, axis=1, keepdims=True)": "Tensor",
    "autograd.softmax(w)": "Tensor",
    "autograd.matmul(x, w)": "Tensor",
    "autograd.stack([w, w])": "Tensor",
    "autograd.dot([a], [1.0])": "Value",
    "autograd.cross_entropy(w, [0, 1])": "Tensor",
    "np.sum(w)": "Any",
    "grad(cube)": "def (*Any, **Any) -> Any",
    "vectorize(cube, ())": "Vectorized",
    "draw(a)": "Drawing",
    "draw([a, a])": "Drawing",
    "explain(a * a, a)": "Explanation",
    "nn.Linear(2, 3)(x)": "Tensor",
    "nn.Linear(2, 3).weight": "Tensor",
    "nn.Linear(2, 3).bias.data": "ndarray",
    "nn.dense(2, 1)": "Sequential",
    "nn.dense(2, 1).layers[0].weight": "Any",  # the layers are of several classes
    "nn.dense(2, 1)[0].bias.data": "Any",
    "nn.dense(2, 1)[1:]": "list",
    "nn.dense(2, 1).train()": "Sequential",
    "nn.MLP(2, [1]).eval().freeze().layers": "list",
    "nn.MLP(2, [1]).layers[0].neurons[0].w[0].data": "float",
    "nn.Neuron(2)([1.0, a])": "Value",
    "nn.Neuron(2)([[1.0, 2.0]])": "list",
    "nn.Neuron(2)(x)": "Any",
    "nn.EMA(nn.dense(2, 1)).model": "Sequential",
    "nn.ReLU()(w)": "Tensor",
    "nn.LeakyReLU(0.2)(a)": "Value",
    "nn.Dropout()(nn.Flatten()(w))": "Tensor",
    "nn.find_learning_rate(nn.dense(2, 1), (x, x), 'mse', 'adam').rates": "ndarray",
    "nn.dense(2, 1)(x)": "Tensor",
    "nn.squared_error(w, x)": "Tensor",
    "nn.cross_entropy(nn.dense(2, 1)(x), [0], reduction='sum')": "Tensor",
    "nn.squared_error(x, x)": "Any",
    "nn.MLP(2, [1])": "MLP",
    "nn.MLP(2, np.array([3, 1]))": "MLP",
    "nn.MLP(2, [1]).parameters()[0]": "Value",
    "explain(a * a, nn.MLP(2, [1]).parameters()[0])": "Explanation",
    "nn.EMA(nn.MLP(2, [1])).model": "MLP",
    "nn.Sequential('relu', nn.Tanh, nn.Linear(2, 1), autograd.tanh)": "Sequential",
    "[layer.weight for layer in nn.dense(2, 1)]": "list",
    "nn.SGD(nn.MLP(2, [1]), lr=0.1)": "SGD",
    "nn.SGD(nn.MLP(2, [1]).parameters, lr=0.1)": "SGD",
    "nn.SGD(nn.MLP(2, [1]).parameters(), lr=0.1)": "SGD",
    "nn.SGD(vectorize(nn.MLP(2, [1]), 2), lr=0.1)": "SGD",
    "nn.clip_grad_norm(nn.dense(2, 1)[0], 1.0)": "float",
    "nn.fit(nn.dense(2, 1), [x, x], 'mse', 'sgd', epochs=1)": "History",
    "nn.data.moons(3)[0]": "ndarray",
    "nn.init.zeros": "def",
    "nn.checkpoint.Checkpoint('a.npz')": "Checkpoint",
    "train()": "History",
}
WRONG = {
    "autograd.nothing(a)": "attr-defined",
    "nn.plots.nothing(a)": "attr-defined",
    "a.leaky_relu(angle=0.1)": "call-arg",
    "autograd.sum(w, axes=0)": "call-overload",
    "nn.nothing": "attr-defined",
    "nn.Linear(2, 3).wieght": "attr-defined",
    "nn.MLP(2, [1]).layers[0].nuerons": "attr-defined",
    "nn.ReLU()(w).daat": "attr-defined",
    "nn.SGD(3, lr=0.1)": "arg-type",
    "nn.Sequential(3)": "arg-type",
}


def checked(tmp_path, program):
    """The output of mypy for a program in another folder, with the files of a wheel among the installed packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (packages,) = (tmp_path / "env").rglob("site-packages")
    for file in installed():
        if file.suffix in (".py", ".pyi", ".typed"):
            copy = packages / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    (packages / "numpy.pth").write_text(str(Path(np.__file__).parents[1]), encoding="utf-8")
    python = next(x for x in (tmp_path / "env").glob("*/python*") if x.stem == "python")
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "program.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--python-executable", str(python)]
    command += ["--cache-dir", str(ROOT / ".mypy_cache" / "user"), "program.py"]
    return subprocess.run(command, cwd=tmp_path / "user", capture_output=True, text=True, check=False).stdout


def test_a_users_program_is_type_checked(tmp_path):
    pytest.importorskip("mypy")
    shown = [f"reveal_type({expression})" for expression in TYPES] + list(WRONG)
    program = PROGRAM.replace("SHOWN\n", "") + "\n\n" + "\n".join(shown) + "\n"
    first = program.splitlines().index(shown[0]) + 1
    said: dict[int, str] = {}
    for line in checked(tmp_path, program).splitlines():
        number, text = search(r"^program\.py:(\d+): (.*)", line).groups()
        said[int(number) - first] = said.get(int(number) - first, "") + text
    assert min(said) >= 0, said  # the program itself has no error
    for i, (expression, kind) in enumerate(TYPES.items()):
        found = re.fullmatch(r'note: Revealed type is "(.*)"', said.get(i, ""))
        assert found, (expression, said.get(i))
        name = search(r"^(?:\w+\.)*(\w+)", found[1])[1]
        assert kind in (name, found[1]), (expression, found[1])
    for i, (expression, code) in enumerate(WRONG.items(), len(TYPES)):
        assert f"[{code}]" in said.get(i, ""), (expression, said.get(i))


COMPLETED = {
    "autograd.": {"draw", "explain", "steps", "tree", "vectorize", "describe", "check_gradients", "exp", "Value"},
    "nn.": {"plots", "data", "checkpoint", "inspection", "init", "report", "fit", "Linear"},
    "(Value(1.0) * 2).tanh().": {"backward", "data", "tanh"},
    "(t @ t - 2.0).mean().": {"backward", "shape", "reshape"},
    "nn.dense(2, 1)(autograd.softmax(t)).": {"backward", "shape"},
}


@pytest.mark.parametrize("code", COMPLETED)
def test_completion_knows_it(code, monkeypatch):
    """jedi, which IPython and Jupyter use, completes the text of a program."""
    jedi = pytest.importorskip("jedi")
    monkeypatch.setattr(jedi.settings, "cache_directory", str(ROOT / ".pytest_cache" / "jedi"))
    start = "import autograd, nn\nfrom autograd import Tensor, Value\nt = Tensor([1.0])\n"
    found = {x.name for x in jedi.Script(start + code, project=jedi.Project(ROOT)).complete()}
    assert found >= COMPLETED[code]
    assert not {"Any", "TYPE_CHECKING", "annotations"} & found


def test_an_editable_install_is_a_line_that_editors_read(tmp_path):
    """Setuptools can also install an import hook. Only Python runs hooks, so editors would not find the packages."""
    setuptools = pytest.importorskip("setuptools", minversion="77")
    assert setuptools
    (tmp_path / "project").mkdir()
    for file in [*(ROOT / x for x in ("pyproject.toml", "setup.py", "LICENSE", "README.md")), *installed()]:
        if file.suffix != ".gz":
            copy = tmp_path / "project" / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    code = f"import setuptools.build_meta as backend; backend.build_editable({str(tmp_path)!r})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "project", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert len(files) == 1
        assert files[0].endswith(".pth")
        line = archive.read(files[0]).decode().strip()
    assert Path(line) == tmp_path / "project"
