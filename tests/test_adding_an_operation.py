"""One row is enough to add an operation. Everything else follows from it, including its tests.

The row is the one that docs/operations.md shows. It is put into the table of a copy of the project. Nothing else is
changed. All of the suite's tests of every row run there. They must fail for a wrong derivative.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_house import TOP

from autograd import Value
from autograd.ops.operators import METHODS
from autograd.ops.rows import Elementwise

ROOT = Path(__file__).parent.parent
EVERYTHING = """
import numpy as np, autograd
from autograd import Tensor, Value
x = Value(-2.0)
y = x.softsign()                                   # a method
y.backward()
assert y.data == -2 / 3 and abs(x.grad - 1 / 9) < 1e-16, (y, x)
assert y.op is autograd.softsign                   # a function, and a row of the table
assert autograd.softsign(-2.0) == -2 / 3
t = Tensor(np.array([-2.0, 0.0, 2.0], np.float32))
autograd.softsign(t).sum().backward()
assert t.grad.dtype == np.float32
np.testing.assert_allclose(t.grad, [1 / 9, 1.0, 1 / 9], rtol=1e-6)
assert np.frompyfunc(autograd.softsign, 1, 1)(np.array([x]))[0].data == -2 / 3
"""


def shown_row():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8"), re.S)
    (row,) = [block for block in blocks if block.startswith("softsign = Elementwise(")]
    return row


OPAQUE = """
third = Elementwise(
    "third", lambda x: math.cbrt(x) if x > 0 else -math.cbrt(-x),
    lambda out, x: 1 / (3 * out * out),
    kinks=(0.0,), doc="Cube root.", example="third(8.0) = 2.0",
)
"""
ON_EVERYTHING = """
import numpy as np, autograd
from autograd import Tensor, Value, grad
x, t = Value(-8.0), Tensor(np.array([-8.0, 8.0], np.float32))
y, u = x.third(), autograd.third(t)
y.backward()
u.sum().backward()
assert (y.data, x.grad) == (-2.0, 1 / 12), (y, x)
assert u.dtype == t.grad.dtype == np.float32
np.testing.assert_allclose(u.data, [-2.0, 2.0])
np.testing.assert_allclose(t.grad, [1 / 12, 1 / 12], rtol=1e-6)
assert abs(grad(grad(autograd.third))(8.0) + 2 / 9 / 32) < 1e-15
assert not autograd.third.is_formula
"""
RIGHT = "(1 - abs(out)) ** 2"
WRONG = {"power": "1 - abs(out)", "sign": f"-({RIGHT})", "digits": f"1.000001 * {RIGHT}"}
CAUGHT = {"test_elementwise_gradient", "test_value_and_derivatives", "test_rows_pass", "test_arrays"}
MORE = """
logit = Elementwise(
    "logit", lambda x: log(x / (1 - x)), lambda out, x: 1 / (x * (1 - x)),
    domain=((0.0, 1.0),), doc="The inverse of the sigmoid.", example="logit(0.5) = 0.0",
)
logsigmoid = Elementwise(
    "logsigmoid", lambda x: where(x < 0, x, 0.0) - log1p(exp(-abs(x))), lambda out, x: sigmoid(-x),
    doc="log(sigmoid(x)).", example="logsigmoid(0.0) = -0.6931471805599453",
)
celu = Elementwise(
    "celu", lambda x, alpha: where(x > 0, x, alpha * expm1(x / alpha)),
    lambda out, x, alpha: where(x > 0, 1, exp(where(x > 0, 0, x / alpha))),
    lambda out, x, alpha: where(x > 0, 0, _slope(where(x > 0, 0, x / alpha))),
    domain=(REALS, (0.5, 3.0)), defaults=(1.0,), kinks=(0.0,),
    doc="An elu whose slope does not jump (Barron, 2017).", example="celu(2.0) = 2.0",
)


def _slope(t: Any) -> Any:
    return expm1(t) - t * exp(t)
"""
"""More rows: with a domain; with branches only in the value; with a default, a kink and a helper."""

GENERATED = [p.name for p in sorted((ROOT / "tests").glob("test_*.py"))
             if re.search(r"\bops\.ROWS\b|\bELEMENTWISE\b|\bMETHODS\b", p.read_text(encoding="utf-8"))]  # fmt: skip
"""The files whose tests are generated over rows. All of them run in the copy."""
ALSO = "is_declared or declarations or is_a_public_name or a_star_leaves or the_list_has"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project whose table has more rows: the page's, others, and the page's with wrong derivatives."""
    folder, right = tmp_path_factory.mktemp("copy"), shown_row()
    assert right.count(RIGHT) == 1
    wrong = [right.replace(RIGHT, rule).replace("softsign", f"wrong_{name}") for name, rule in WRONG.items()]
    for path in ROOT.iterdir():
        if path.is_dir() and path.name in TOP and path.name != ".git":
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name in TOP and path.is_file():
            shutil.copy(path, folder / path.name)
    table = folder / "autograd" / "ops" / "elementwise.py"
    table.write_text("\n".join([table.read_text(encoding="utf-8"), right, OPAQUE, MORE, *wrong]), encoding="utf-8")
    return folder


def python(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(folder), "HYPOTHESIS_PROFILE": "mutants"}  # nothing needs to shrink
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", [EVERYTHING, ON_EVERYTHING], ids=["a formula", "code that asks for numbers"])
def test_one_row_is_all(copy, script):
    """A value that needs numbers cannot run on names: its conditions would count as true."""
    done = python(copy, "-c", script)
    assert done.returncode == 0, done.stderr


def test_the_real_suite_passes_with_it_and_catches_a_wrong_derivative(copy):
    """Only the table is changed. All tests of the suite that are generated over rows run on its rows."""
    rows = {"softsign", "third", *re.findall(r"^(\w+) = El", MORE, re.M), *(f"wrong_{name}" for name in WRONG)}
    files = [f"tests/{name}" for name in GENERATED if name != Path(__file__).name]
    options = ["-q", "-rA", "--tb=line", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    options += ["-k", f"{' or '.join(rows)} or {ALSO}"]
    done = python(copy, "-m", "pytest", *options, *files)
    assert "pyi: written again" in done.stderr
    outcomes = re.findall(r"^(PASSED|FAILED|ERROR) tests/\w+\.py::(\w+)(?:\[(\S*)\])?", done.stdout, re.M)
    failed: dict[str, set[str]] = {row: set() for row in rows}
    tried: dict[str, set[str]] = {row: set() for row in rows}
    for outcome, test, cell in outcomes:
        (row,) = [row for row in rows if row in re.split(r"\W", cell.replace("-", " "))] or [None]
        if row is None or not row.startswith("wrong"):
            assert outcome == "PASSED", (test, cell, done.stdout)
        if row is not None:
            tried[row].add(test)
            if outcome == "FAILED":
                failed[row].add(test)
    assert tried["softsign"] == tried["logit"]
    assert len(tried["softsign"]) >= 30
    for name in WRONG:
        assert failed[f"wrong_{name}"] >= CAUGHT, (name, failed)


@pytest.mark.parametrize("name", list(METHODS))
def test_a_row_of_ones_own_with_a_name_of_the_table_takes_nothing_over(name):
    """Using the row must not replace the method of that name on every Value."""
    method = getattr(Value, name)
    arity = METHODS[name].arity
    partial: Any = {1: lambda out, x: 3, 2: lambda out, x, y: 3, 3: lambda out, x, y, z: 3}[arity]
    mine = Elementwise(name, lambda *xs: 3 * xs[0], *[partial] * arity, doc="Three times the first.")
    x = Value(2.0)
    mine(x, *[1.0] * (arity - 1)).backward()
    assert x.grad == 3.0
    assert getattr(Value, name) is method
