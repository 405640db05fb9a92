"""Rows that cannot work everywhere are refused when they are made.

Every row of the table is made again with one thing changed. The error names the row and says what to write.
"""

import inspect
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, Value, jvp, ops
from autograd.functions import linalg
from autograd.ops import refusing
from autograd.ops.rows import Elementwise, Fused, General, Linear, Reduction, operand_names

ROOT = Path(__file__).parent.parent
ELEMENTWISE = [row for row in ops.ROWS.values() if isinstance(row, Elementwise)]


def example_of(row):
    """The example as it was given to the row: "exp(0.0) = 1.0"."""
    found = (inspect.getdoc(row) or "").partition(">>> ")[2]
    return found.strip().replace("\n", " = ") if found else ""


def remade(row, *partials, name=None, value=None, **options):
    """The row made again, with some arguments changed."""
    kept = {"array": row.array, "infix": row.infix, "defaults": row.defaults, "domain": row.domain, "kinks": row.kinks}
    kept |= {"doc": row.summary, "example": example_of(row)}
    return Elementwise(name or row.name, value or row.value, *(partials or row.partials), **{**kept, **options})


def code(row, text, lead="", **names):
    """A function of the row's operands, from text. X stands for the first operand, ALL for all of them."""
    operands = operand_names(row)
    called = ", ".join(([lead] if lead else []) + list(operands))
    return eval(
        f"lambda {called}: {text.replace('ALL', ', '.join(operands)).replace('X', operands[0])}",
        {"math": math, "np": np, "ops": ops, "row": row, **names},
    )


def partial(text):
    """One partial at a time is replaced. ``d`` is the partial that it was."""

    def broken(row):
        for i, d in enumerate(row.partials):
            if d is not None:
                rule = code(row, text.replace("d(", "d(out, ALL" if "d()" in text else "d("), "out", d=d)
                yield lambda rule=rule, i=i: remade(row, *row.partials[:i], rule, *row.partials[i + 1 :])

    return broken


def value(text):
    """The value is replaced. ``row`` is the row itself."""
    return lambda row: [lambda: remade(row, value=code(row, text), array=None)]


def options(**given):
    """Other arguments, each a function of the row."""
    return lambda row: [lambda: remade(row, **{key: f(row) for key, f in given.items()})]


def names_changed(row):
    """Each partial in turn gets other names for its operands."""
    for i, d in enumerate(row.partials):
        if d is not None and row.arity > 1:
            operands = ", ".join(f"{name}_" for name in operand_names(row))
            rule = eval(f"lambda out, {operands}: 1")
            yield lambda i=i, rule=rule: remade(row, *row.partials[:i], rule, *row.partials[i + 1 :])


def without_out(row):
    for i, d in enumerate(row.partials):
        if d is not None:
            rule = code(row, "1")
            yield lambda i=i, rule=rule: remade(row, *row.partials[:i], rule, *row.partials[i + 1 :])


BROKEN = {
    "a formula with a function on floats": (value("math.cbrt(X) * row(ALL)"), "calls math.cbrt, .* rows, cbrt"),
    "a function on floats alone": (value("math.gamma(X)"), "its value calls math.gamma, .*def value"),
    "a value that makes it a float": (value("float(X) + 1"), "its value calls float, which takes only floats"),
    "a value of NumPy's alone": (value("np.heaviside(X, 0.5)"), "its value calls numpy.heaviside"),
    "a value with a method": (
        value("X.exp()"),
        r"asks for \w+\.exp, which numbers do not have: write it with rows, exp\(",
    ),
    "a value that reduces": (value("ops.sum(X)"), "its value calls sum, an operation on arrays"),
    "a value that is text": (value("'x'"), "its value gives 'x', not a number"),
    "a value of other operands": (
        lambda row: [lambda: remade(row, value=eval(f"lambda {', '.join('pqr'[: row.arity])}: p"))],
        r"its value takes \(p.*\), its partials \(out, .*named alike",
    ),
    "a value of too few": (
        lambda row: [lambda: remade(row, value=lambda: 1.0)],
        r"its value takes \(\), its partials \(out, ",
    ),
    "a value of too many": (
        lambda row: [lambda: remade(row, value=eval(f"lambda {', '.join(operand_names(row))}, more: 1"))],
        r"its value takes \(.*more\), its partials",
    ),
    "a builtin of too many": (
        lambda row: [lambda: remade(row, value=math.dist if row.arity != 2 else math.exp)],
        "its value cannot be called",
    ),
    "a value that is none": (options(value=lambda row: 3), "its value is 3, which cannot be called"),
    "a derivative with a function on floats": (
        partial("math.exp(out) * d()"),
        r"its partial by \w+ calls math.exp, .* exp\(",
    ),
    "a derivative of NumPy's": (partial("np.heaviside(out, 0.5)"), r"its partial by \w+ calls numpy.heaviside"),
    "a derivative with a condition": (
        partial("1 if out > 0 else d()"),
        r"partial by \w+ asks whether .* write where\(",
    ),
    "a derivative that rounds": (partial("math.floor(out)"), r"its partial by \w+ calls math.floor"),
    "a derivative with a method": (partial("out.exp()"), r"its partial by \w+ asks for out\.exp, .* exp\(out\)"),
    "a derivative that reduces": (partial("ops.mean(out)"), r"its partial by \w+ calls mean, an operation on arrays"),
    "a derivative that is nothing": (partial("None"), r"its partial by \w+ gives None, not a number"),
    "a derivative that fails": (partial("out + 'x' + [][0]"), r"its partial by \w+ fails on operands of any kind"),
    "a derivative of other operands": (names_changed, "all take the result and operands, |named alike"),
    "a derivative without the result": (
        without_out,
        r"partial by operand \d takes|it has partials for|it has \d partials",
    ),
    "a derivative that is a number": (
        lambda row: [lambda: remade(row, *[2] * row.arity)],
        "its partial by operand 1 is 2: write lambda out, x",
    ),
    "a derivative that is no Python": (
        lambda row: [lambda: remade(row, *[math.exp] * row.arity)],
        "its partial by operand 1 is <built-in",
    ),
    "no derivative": (lambda row: [lambda: remade(row, *[None] * row.arity)], "it has no derivative"),
    "a derivative too few": (
        lambda row: [lambda: remade(row, *row.partials[-1:])] if row.arity > 1 else [],
        "it has partials for 1 of",
    ),
    "a derivative too many": (
        lambda row: [lambda: remade(row, *row.partials, row.partials[-1])],
        r"it has \d partials of .*one for each",
    ),
    "a domain too few": (options(domain=lambda row: ((0.0, 1.0),) * (row.arity + 1)), "its domain has . intervals"),
    "a domain that ends before it starts": (options(domain=lambda row: ((1.0, 0.0),) * row.arity), "the lower first"),
    "a domain with a nan": (options(domain=lambda row: ((0.0, math.nan),) * row.arity), "domain hold .* of numbers"),
    "a kink outside": (
        options(domain=lambda row: ((0.0, 10.0),) * row.arity, kinks=lambda row: (11.0,), defaults=lambda row: ()),
        "its kink 11.0 is outside its domain",
    ),
    "a kink that is no tuple": (options(kinks=lambda row: 0.5), "its kinks hold 0.5: give a tuple of numbers"),
    "defaults for all": (
        options(defaults=lambda row: (0.5,) * row.arity, domain=lambda row: ()),
        "defaults: they are those of",
    ),
    "a default that is text": (options(defaults=lambda row: ("1",)), "its defaults hold"),
    "an example that is not so": (
        options(example=lambda row: f"{row.name}({', '.join('1' * row.arity)}) = 77.0"),
        "but it is",
    ),
    "an example without a result": (options(example=lambda row: f"{row.name}(1.0)"), "write a call and its result"),
    "an example that does not run": (options(example=lambda row: f"{row.name}() = 1.0"), "does not run"),
    "a doc that is none": (options(doc=lambda row: None), "its doc is None, not text"),
}


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_what_is_not_broken_is_made(row):
    same = remade(row)
    assert same.is_formula == row.is_formula
    assert operand_names(same) == operand_names(row)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_row_is_refused_by_name(kind):
    broken, message = BROKEN[kind]
    tried = 0
    for row in ELEMENTWISE:
        for make in broken(row):
            with pytest.raises((TypeError, ValueError), match=rf"^{row.name}: (?s:.)*({message})"):
                make()
            tried += 1
    assert tried >= sum(row.arity > 1 for row in ELEMENTWISE)


def test_a_name_is_text():
    name: Any = 3
    with pytest.raises(TypeError, match="a row's name is text, not 3"):
        Elementwise(name, lambda x: x, lambda out, x: 1, doc="")


# ------------------------------------------------------------------------------------------- code is given as such


def declared(x: float) -> float:
    return math.gamma(x) + x


CODE = {
    "a function of math": (math.gamma, math.gamma),
    "operands declared as floats": (declared, declared),
    "a condition": (lambda x: math.cbrt(x) if x > 0 else -math.cbrt(-x), math.cbrt),
}


@pytest.mark.parametrize("kind", CODE)
def test_code_that_says_so_works_everywhere(kind):
    """It works on floats, arrays and variables, in both modes. It gives nan where the code raises."""
    given, f = CODE[kind]
    row = Elementwise("mine", given, lambda out, x: 3 * out, doc="")
    assert not row.is_formula
    x = np.array([0.5, 3.0], np.float32)
    wanted = [f(0.5), f(3.0)]
    assert row(3.0) == f(3.0)
    assert row(x).dtype == np.float32
    np.testing.assert_allclose(row(x), wanted, rtol=1e-6)
    v, t = Value(3.0), Tensor(x)
    row(v).backward()
    row(t).sum().backward()
    assert v.grad == 3 * f(3.0)
    np.testing.assert_allclose(t.grad, 3 * np.array(wanted), rtol=1e-6)
    np.testing.assert_allclose(jvp(row, (3.0,), (1.0,)), (f(3.0), 3 * f(3.0)))
    if given is not CODE["a condition"][0]:
        assert math.isnan(row(-1.0)) and np.isnan(row(np.array([-1.0]))).all()


def test_a_row_may_call_what_is_not_there_yet():
    """It is examined when it is first used."""
    rows: dict[str, Any] = {"Elementwise": Elementwise, "math": math}
    exec("one = Elementwise('one', lambda x: two(x), lambda out, x: two(x), doc='')", rows)
    with pytest.raises(NameError, match="two"):
        rows["one"].is_formula
    exec("two = Elementwise('two', lambda x: x * x, lambda out, x: 2 * x, doc='')", rows)
    assert rows["one"].is_formula
    assert rows["one"](Value(3.0)).data == 9.0


# --------------------------------------------------------------------------------------------------- other kinds


def reduction(row, **changed):
    given = {"value": row.value, "weight": row.weight, "params": row.params[1:-1], "domain": row.domain[0], **changed}
    return Reduction(row.name, given.pop("value"), given.pop("weight"), doc="", **given)


REDUCTIONS = {
    "a weight of other arguments": (lambda row: reduction(row, weight=lambda x, out: 1), "its weight takes"),
    "a weight of too few": (lambda row: reduction(row, weight=lambda out, x: 1), r"its weight takes \(out, x\)"),
    "a value without keepdims": (lambda row: reduction(row, value=lambda x, axis: 1.0), r"its value takes \(x, axis\)"),
    "a value that is none": (lambda row: reduction(row, value=3), "its value is 3, which cannot be called"),
    "a parameter that no rule knows": (lambda row: reduction(row, params=("steps",)), "its (value|weight) takes"),
    "a weight on floats": (
        lambda row: reduction(row, params=(), weight=lambda out, x, axis: math.exp(x), value=np.sum),
        "its value or weight fails on an array or a Tensor",
    ),
    "a weight that leaves the graph": (
        lambda row: reduction(row, params=(), weight=lambda out, x, axis: np.asarray(x) * 1.0, value=np.sum),
        "its value or weight fails on an array or a Tensor",
    ),
    "a weight of another shape": (
        lambda row: reduction(row, params=(), weight=lambda out, x, axis: np.ones((5, 2, 3)), value=np.sum),
        r"its weight for elements of shape \(2, 3\)",
    ),
    "a value of another shape": (
        lambda row: reduction(row, params=(), value=lambda x, axis, keepdims: x, weight=lambda out, x, axis: 1),
        r"its value of shape \(2, 3\)",
    ),
    "a domain": (lambda row: reduction(row, domain=(1.0, 0.0)), "the lower first"),
}


@pytest.mark.parametrize("kind", REDUCTIONS)
def test_a_broken_reduction_is_refused_by_name(kind):
    make, message = REDUCTIONS[kind]
    for row in ops.ROWS.values():
        if isinstance(row, Reduction):
            reduction(row)
            with pytest.raises((TypeError, ValueError), match=f"^{row.name}: .*{message}"):
                make(row)


def linear(row, *transposes, **changed):
    given = {"params": row.params, "arity": row.arity, **changed}
    return Linear(row.name, given.pop("value", row.value), *(transposes or row.transposes), doc="", **given)


LINEAR = {
    "a transpose of the cotangent alone": (
        lambda row: linear(row, *[lambda g: g] * len(row.transposes)),
        "its transpose",
    ),
    "a transpose too many": (lambda row: linear(row, *row.transposes, row.transposes[0]), "transpose"),
    "a transpose that is none": (lambda row: linear(row, *[3] * len(row.transposes)), "is 3, which cannot be called"),
    "a parameter that no rule knows": (lambda row: linear(row, params=(*row.params, "steps")), "its .* takes"),
    "a value that is none": (lambda row: linear(row, value=3), "its value is 3"),
    "a way to add in place that is none": (lambda row: linear(row, adds=3), "transpose in place"),
    "a way to give them together that is none": (lambda row: linear(row, together=3), "transposes together"),
}


@pytest.mark.parametrize("kind", LINEAR)
def test_a_broken_linear_row_is_refused_by_name(kind):
    make, message = LINEAR[kind]
    for row in ops.ROWS.values():
        if isinstance(row, Linear):
            linear(row)
            with pytest.raises(TypeError, match=f"^{row.name}: .*{message}"):
                make(row)


def fused(row, **changed):
    given = {"reads": row.reads, "params": row.params, "saves": row.saves, **changed}
    rules = [given.pop(name, getattr(row, name)) for name in ("composition", "value")]
    return Fused(row.name, *rules, *given.pop("vjps", row.vjps), doc="", **given)


FUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a composition of nothing": ({"composition": lambda: 1}, r"its composition takes \(\)"),
    "a value of nothing": ({"value": lambda: 1}, r"its value takes \(\)"),
    "reads of nobody": ({"reads": ()}, "its reads are"),
    "reads of others": ({"reads": ((9,),)}, "its reads are"),
}


@pytest.mark.parametrize("kind", FUSED)
def test_a_broken_fused_row_is_refused_by_name(kind):
    changed, message = FUSED[kind]
    for row in ops.ROWS.values():
        if isinstance(row, Fused):
            fused(row)
            with pytest.raises(TypeError, match=f"^{row.name}: {message}"):
                fused(row, **changed)
            with pytest.raises(TypeError, match=rf"^{row.name}: its vjp by operand 1 takes \(g\)"):
                fused(row, vjps=[lambda g: g] * row.arity)


@pytest.mark.parametrize("row", [x for x in vars(linalg).values() if isinstance(x, General)], ids=lambda row: row.name)
@pytest.mark.parametrize("rule", ["value", "pull", "push"])
def test_a_broken_general_row_is_refused_by_name(row, rule):
    given = {name: getattr(row, name) for name in ("value", "pull", "push")}
    General(row.name, **given, arity=row.arity, params=row.params, doc="")
    with pytest.raises(TypeError, match=rf"^{row.name}: its {rule} takes \(\)"):
        General(row.name, **{**given, rule: lambda: 1}, arity=row.arity, params=row.params, doc="")


# ------------------------------------------------------------------------------------------------------- the table


@pytest.fixture
def table(monkeypatch):
    """A separate table whose rows are being made."""
    monkeypatch.setattr(refusing, "UNFINISHED", [])
    monkeypatch.setattr(refusing, "_stating", [True])
    return ModuleType("table")


@pytest.mark.parametrize("name", ["lambda", "None", "my op", "2d", "", "a-b", "async"])
def test_a_row_of_the_table_has_a_name_in_python(table, name):
    with pytest.raises(ValueError, match="has to be a name in Python"):
        Elementwise(name, lambda x: x, lambda out, x: 1, doc="The same.")


def test_a_row_of_the_table_says_what_it_is(table):
    with pytest.raises(ValueError, match=r"^same: it has no doc"):
        Elementwise("same", lambda x: x, lambda out, x: 1, doc="")


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_the_table_is_refused_where_names_do_not_fit(table, row):
    setattr(table, row.name, remade(row))
    refusing.complete([table])
    refusing._stating.append(True)
    setattr(table, row.name, remade(row))
    table.other = remade(row)
    with pytest.raises(ValueError, match=f"^{row.name}: two rows of the table have this name"):
        refusing.complete([table])
    refusing.UNFINISHED.clear()
    table.other = remade(row, name="another")
    with pytest.raises(ValueError, match=r"^another: a row of the table is assigned to its own name"):
        refusing.complete([table])


STATED = {
    "no_row": ("lambda x: tanhh(x), lambda out, x: 1", "no_row: name 'tanhh' is not defined"),
    "floats": ("lambda x: math.cbrt(x) * exp(x), lambda out, x: 1", "floats: its value calls math.cbrt"),
    "slope": ("lambda x: exp(x), lambda out, x: math.exp(x)", "slope: its partial by x calls math.exp"),
    "exp": ("lambda x: x, lambda out, x: 1", "exp: the name is taken in the table"),
    "equal": ("lambda x: x, lambda out, x: 1", "equal: the name is taken in the table"),
    "sum": ("lambda x: x, lambda out, x: 1", "sum: two rows of the table have this name"),
    "grad": ("lambda x: x, lambda out, x: 1", "grad: the name of this row is taken, by autograd.grad"),
    "draw": ("lambda x: x, lambda out, x: 1", "draw: the name of this row is taken, by autograd.draw"),
    "backward": ("lambda x: x, lambda out, x: 1", "backward: the name of this row is taken, by Tensor.backward"),
    "trace": ("lambda x: x, lambda out, x: 1", "trace: the name of this row is taken, by ArrayOperators.trace"),
}


@pytest.mark.parametrize("name", STATED)
def test_importing_a_table_with_such_a_row_says_so(name):
    """As the last row of the real table."""
    rules, message = STATED[name]
    last = f'{name} = Elementwise("{name}", {rules}, doc="Broken.")'
    program = f"""
from importlib.machinery import SourceFileLoader
get_code = SourceFileLoader.get_code
def with_one_row_more(self, module):
    if module != "autograd.ops.elementwise":
        return get_code(self, module)
    return compile(self.get_source(module) + chr(10) + {last!r} + chr(10), self.path, "exec")
SourceFileLoader.get_code = with_one_row_more
import autograd
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert message in run.stderr.splitlines()[-1], run.stderr
