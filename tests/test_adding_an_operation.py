"""Adding an operation is adding one row: everything else, its tests included, follows.

The row is the one that docs/operations.md shows. It is put into a copy of the package, where the suite's own tests of
every row then run on it; a wrong derivative must fail them.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package that has more rows: the page's, the same with wrong derivatives, and one of code."""
    folder, right = tmp_path_factory.mktemp("copy"), shown_row()
    assert right.count(RIGHT) == 1
    wrong = [right.replace(RIGHT, rule).replace("softsign", f"wrong_{name}") for name, rule in WRONG.items()]
    shutil.copytree(ROOT / "autograd", folder / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    table = folder / "autograd" / "ops" / "elementwise.py"
    table.write_text("\n".join([table.read_text(encoding="utf-8"), right, OPAQUE, *wrong]), encoding="utf-8")
    (folder / "tests").mkdir()
    for name in ("conftest.py", "test_ops.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    return folder


def python(folder, *arguments):
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", [EVERYTHING, ON_EVERYTHING], ids=["a formula", "code that asks for numbers"])
def test_one_row_is_all(copy, script):
    """Where a value asks for numbers, names cannot flow through it: its conditions would be taken for true."""
    done = python(copy, "-c", script)
    assert done.returncode == 0, done.stderr


def test_the_suites_own_tests_run_on_it_and_catch_a_wrong_derivative(copy, monkeypatch):
    command = ["-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider", "-k", "softsign or third or wrong"]
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "mutants")  # what fails need not shrink
    done = python(copy, *command, "--hypothesis-seed=0", "tests/test_ops.py")
    outcomes = {name: set() for name in ("softsign", "third", *(f"wrong_{name}" for name in WRONG))}
    for outcome, test, row in re.findall(r"^(PASSED|FAILED) tests/test_ops\.py::(\w+)\[(\w+)", done.stdout, re.M):
        outcomes[row].add((outcome, test))
    every = {
        "test_elementwise_gradient",
        "test_scalar_equals_tensor",
        "test_quick_path_equals_general",
        "test_documented",
    }
    for row, found in outcomes.items():
        assert {test for _, test in found} == every, done.stdout
        caught = {test for outcome, test in found if outcome == "FAILED"}
        assert caught == ({"test_elementwise_gradient"} if row.startswith("wrong") else set()), (row, done.stdout)


@pytest.mark.parametrize("name", list(METHODS))
def test_a_row_of_ones_own_with_a_name_of_the_table_takes_nothing_over(name):
    """Using it once must not make it the method of that name on every Value."""
    method = getattr(Value, name)
    arity = METHODS[name].arity
    partial = {1: lambda out, x: 3, 2: lambda out, x, y: 3, 3: lambda out, x, y, z: 3}[arity]
    mine = Elementwise(name, lambda *xs: 3 * xs[0], *[partial] * arity, doc="Three times the first.")
    x = Value(2.0)
    mine(x, *[1.0] * (arity - 1)).backward()
    assert x.grad == 3.0
    assert getattr(Value, name) is method
