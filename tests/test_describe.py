"""Operation cards: every row has a card that agrees with it, as text, LaTeX, HTML and as a curve."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import custom_op, describe, ops
from autograd.explaining.curve import curve
from autograd.explaining.describe import main
from autograd.ops.rows import Elementwise, Fused, Linear, Reduction, operand_names

CURVES = [name for name, row in ops.ROWS.items() if isinstance(row, Elementwise) and row.partials[0] is not None]


def said(name, label):
    return [fact.text for fact in describe(name).facts if fact.label == label]


# ------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("name", ops.ROWS)
def test_every_row_has_a_card(name):
    row, card = ops.ROWS[name], describe(name)
    text = str(card)
    assert text.startswith(f"{name}(")
    assert " ".join(row.summary.split()) in " ".join(text.split())
    assert repr(card) == text
    assert max(map(len, text.splitlines())) <= 160
    assert all(fact.label and fact.text for fact in card.facts)
    assert "Symbol(" not in text and "lambda" not in text and " object at " not in text
    assert said(name, "example"), "every row has an example"
    expected = {Elementwise: "value", Reduction: "weight", Linear: "value", Fused: "definition"}[type(row)]
    assert said(name, expected) and said(name, "derivative")


@pytest.mark.parametrize("name", ops.ROWS)
def test_the_ways_to_write_it_are_ways_to_write_it(name):
    """The first way to write an operation calls its public name. Operators and methods are valid Python."""
    for way in ", ".join(said(name, "written")).replace("=-inf", "=None").replace("=inf", "=None").split("), "):
        compile(way if way.endswith(")") or "(" not in way else way + ")", "card", "eval")
    for theirs in ", ".join(said(name, "NumPy")).split(", "):
        assert not theirs or callable(eval(theirs, {"np": np}))


@pytest.mark.parametrize("name", [name for name, row in ops.ROWS.items() if isinstance(row, Elementwise)])
def test_a_derivative_for_each_operand_that_has_one(name):
    row = ops.ROWS[name]
    assert isinstance(row, Elementwise)
    assert len(said(name, "derivative")) == sum(d is not None for d in row.partials)


@pytest.mark.parametrize(
    ("name", "value", "derivative"),
    [
        ("tanh", "y = tanh(x)", ["dy/dx = 1−y²"]),
        ("sigmoid", "y = 1/(1+exp(−x))", ["dy/dx = y(1−y)"]),
        ("square", "y = x²", ["dy/dx = 2x"]),
        ("exp", "y = exp(x)", ["dy/dx = y"]),
        ("relu", "y = 0 if x <= 0 else x", ["dy/dx = sign(y)"]),
        ("mul", "out = x·y", ["∂out/∂x = y", "∂out/∂y = x"]),
        (
            "elu",
            "y = x if x > 0 else α·expm1(x)",
            ["∂y/∂x = 1 if x > 0 else α·exp(x)", "∂y/∂α = 0 if x > 0 else expm1(x)"],
        ),
        (
            "where",
            "out = x if condition else y",
            ["∂out/∂x = 1 if condition else 0", "∂out/∂y = 0 if condition else 1"],
        ),
    ],
)
def test_formulas(name, value, derivative):
    assert said(name, "value") == [value]
    assert said(name, "derivative") == derivative


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("exp", "x ∈ (−∞, ∞)"),
        ("log", "x ∈ (0, ∞)"),
        ("sqrt", "x ∈ [0, ∞)"),
        ("asin", "x ∈ [−1, 1]"),
        ("tan", "x ∈ (−π/2, π/2)"),
        ("power", "x ∈ [0, ∞); y ∈ (−∞, ∞)"),
        ("clip", "x, low, high ∈ (−∞, ∞)"),
    ],
)
def test_domains(name, domain):
    assert said(name, "domain") == [domain]


def test_kinks_defaults_and_forms():
    assert said("relu", "kinks") == ["x = 0"] and said("tanh", "kinks") == []
    assert said("clip", "defaults") == ["low = −∞, high = ∞"]
    assert said("power", "written") == ["autograd.power(x, y), x ** y"]
    assert said("neg", "written") == ["autograd.neg(x), -x"]
    assert said("abs", "written") == ["autograd.abs(x), abs(x)"]
    assert said("getitem", "written") == ["autograd.getitem(x, index), x[index]"]
    assert said("atan2", "written") == ["autograd.atan2(y, x), y.atan2(x)"]
    assert said("std", "written")[0].endswith("x.std(axis=None, ddof=0, keepdims=False)")
    assert said("asin", "NumPy") == ["np.arcsin"] and said("norm", "NumPy") == ["np.linalg.norm"]
    assert said("sigmoid", "NumPy") == []


def test_rules_on_arrays_are_quoted():
    assert said("max", "weight") == [
        "_share(equal(x, out), axis)",
        "_share: 1, shared evenly among the elements where `hit` is true.",
    ]
    assert said("reshape", "transpose") == ["g.reshape(x.shape)"]
    assert said("matmul", "transpose in b")[0].endswith("return a.swapaxes(-1, -2) @ g")
    assert said("einsum", "transpose")[0].startswith("The cotangent of operand i is itself one einsum.")
    assert said("linear", "definition") == ["matmul(x, w) + b"]


def test_a_row_of_your_own():
    row = Elementwise("cube", lambda x: x * x * x, lambda out, x: 3 * x * x, doc="Cubed.", example="cube(2.0) = 8.0")
    text = str(describe(row))
    assert "y = x³" in text and "dy/dx = 3x²" in text
    assert "autograd.cube" not in text  # there is no such name
    custom = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="third")
    text = str(describe(custom))
    assert text.startswith("third(x)") and "x ** 3" in text and "g * 3 * x ** 2" in text
    assert describe(custom).latex == ""
    with pytest.raises(TypeError, match="third has no curve"):
        describe(custom).plot()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tahn", "no operation 'tahn': did you mean .*tanh"),
        ("xyzzy", r"no operation 'xyzzy': describe\(\) lists all"),
        ("outer", r"a function composed of rows: see help\(autograd.outer\)"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        describe(name)


def test_numpy_names_are_known():
    assert describe("arctan2").row is ops.atan2


def test_the_list_has_every_row_once_on_one_line():
    listing = describe()
    lines = str(listing).splitlines()
    names = [line.strip().partition("(")[0] for line in lines if line.startswith("  ")]
    kinds = (Elementwise, Reduction, Linear, Fused)
    assert names == [row.name for kind in kinds for row in ops.ROWS.values() if isinstance(row, kind)]
    assert len(names) == len(ops.ROWS)
    assert [line for line in lines if line and line[0] != " "] == ["elementwise", "reductions", "linear", "fused"]
    assert max(map(len, lines)) <= 120
    assert repr(listing) == str(listing) and "leaky_relu(x, slope=0.01)" in listing._repr_html_()


# ------------------------------------------------------------------------------------------------------- LaTeX, HTML


@pytest.mark.parametrize("name", ops.ROWS)
def test_latex_is_balanced(name):
    latex = describe(name).latex
    assert bool(latex) == isinstance(ops.ROWS[name], Elementwise)
    assert latex.count("{") == latex.count("}") and latex.count(r"\begin") == latex.count(r"\end")


def test_latex():
    assert describe("tanh").latex.splitlines()[1:-1] == [r"y &= \tanh(x) \\", r"\frac{dy}{dx} &= 1 - y^{2}"]
    assert r"\frac{\partial \mathrm{out}}{\partial y} &= x" in describe("mul").latex


def test_a_notebook_shows_the_card_with_its_curve(monkeypatch):
    assert "<svg" in describe("tanh")._repr_html_() and "<svg" not in describe("sum")._repr_html_()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "<article" in describe("tanh")._repr_html_() and "<svg" not in describe("tanh")._repr_html_()
    with pytest.raises(ImportError, match=r"pip install 'chainrule\[demos\]'"):
        describe("tanh").plot()


# ------------------------------------------------------------------------------------------------------------ curves


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_the_row(name):
    row = ops.ROWS[name]
    assert isinstance(row, Elementwise) and row.partials[0]
    ax = describe(name).plot()
    value, slope = (line for line in ax.lines if len(line.get_xdata()) > 100)
    assert (value.get_linestyle(), slope.get_linestyle()) == ("-", "--")
    assert np.array_equal(value.get_xdata(), slope.get_xdata(), equal_nan=True)
    x = value.get_xdata()
    inside = np.isfinite(x)
    assert row.domain[0][0] <= x[inside].min() and x[inside].max() <= row.domain[0][1]
    assert inside.sum() > 300 and np.isfinite(value.get_ydata()[inside]).mean() > 0.99
    held = list(curve(row).held.values())
    for k in np.flatnonzero(inside)[::37]:
        out = row(float(x[k]), *held)
        assert value.get_ydata()[k] == pytest.approx(out, rel=1e-12, abs=1e-15)
        assert slope.get_ydata()[k] == pytest.approx(
            float(row.partials[0](out, float(x[k]), *held)), rel=1e-9, abs=1e-12
        )


@pytest.mark.parametrize("name", ["reciprocal", "sign", "abs", "relu", "maximum", "clip"])
def test_lines_break_where_the_row_jumps(name):
    """Neighbouring points without a gap between them have similar values and slopes."""
    found = curve(ops.ROWS[name])
    assert found.marks
    for line in (found.value, found.slope):
        visible = np.clip(line, -5, 5)
        assert np.nanmax(np.abs(np.diff(visible))) < 0.6
    for mark in found.marks:
        left, right = found.x < mark, found.x > mark
        between = np.flatnonzero(left)[-1] + 1
        assert np.isnan(found.x[between]) and between < np.flatnonzero(right)[0]


def test_tan_stays_between_its_poles():
    found = curve(ops.tan)
    assert np.all(np.abs(found.x) < np.pi / 2) and np.all(np.diff(found.value) > 0)


def test_kinks_and_poles_are_marked():
    kinks = {line.get_label(): line for line in describe("relu").plot().lines}["kink"]
    assert np.asarray(kinks.get_xydata()).tolist() == [[0.0, 0.0]]
    labels = [line.get_label() for line in describe("reciprocal").plot().lines]
    assert "pole" in labels and "kink" not in labels
    assert curve(ops.maximum, y=1.0).marks == (1.0,)
    assert curve(ops.clip, low=-1, high=3).marks == (-1.0, 3.0)
    assert curve(ops.tanh).marks == () and curve(ops.leaky_relu, slope=1.0).marks == (0.0,)


def test_held_operands():
    assert curve(ops.leaky_relu).held == {"slope": 0.01}
    assert curve(ops.clip).held == {"low": -2.0, "high": 2.0}
    found = curve(ops.power, y=3.0)
    assert np.allclose(found.value, found.x**3, equal_nan=True)
    with pytest.raises(TypeError, match="power has no operand 'z' to hold; it has y"):
        describe("power").plot(z=1.0)
    with pytest.raises(TypeError, match=r"tanh has no operand 'x' to hold$"):
        describe("tanh").plot(x=1.0)


@pytest.mark.parametrize("name", sorted(set(ops.ROWS) - set(CURVES)))
def test_what_has_no_curve_says_so(name):
    with pytest.raises(TypeError, match=f"{name} has no curve: .*'tanh'"):
        describe(name).plot()


def test_it_draws_on_axes_that_it_is_given():
    ax = describe("sin").plot()
    assert describe("cos").plot(ax) is ax
    assert operand_names(ops.cos)[0] in str(ax.lines[-1].get_label())


# -------------------------------------------------------------------------------------------------- page and command


class Reader(HTMLParser):
    """Collects ids and links, and checks that elements close."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[key] for key in ("href", "xlink:href", "src") if key in found]
        if tag not in ("meta", "html"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        if tag != "html":
            assert self.open.pop() == tag


def test_the_page_of_all_needs_nothing_else(tmp_path, capsys):
    path = tmp_path / "docs" / "operations.html"
    assert main(["--out", str(tmp_path / "docs")]) == 0
    assert capsys.readouterr() == (f"{path}\n", "")
    assert list((tmp_path / "docs").iterdir()) == [path]
    page = path.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    assert len(reader.ids) == len(set(reader.ids))
    assert set(ops.ROWS) <= set(reader.ids)
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert page.count("<svg") == len(CURVES) and "1−y²" in page and "<script" not in page
    assert (
        re.findall("<b>(.*?)</b>", page) == list(describe().groups) == ["elementwise", "reductions", "linear", "fused"]
    )
    assert re.findall("<h2>(.*?)</h2>", page) == ["Elementwise", "Reductions", "Linear", "Fused"]
    assert "http" not in page.replace("http://www.w3.org/", "")


def run(*arguments, folder=None):
    command = [sys.executable, "-m", "autograd.explaining.describe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=folder)


def test_the_command_prints_cards():
    done = run("tanh", "relu")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{describe('tanh')}\n\n\n{describe('relu')}\n"
    done = run("tahn")
    assert (done.returncode, done.stdout) == (2, "") and "did you mean tan, tanh" in done.stderr


# -------------------------------------------------------------------------------------------------------- lazy names


def test_lazy_names_are_functions_however_they_are_reached():
    """When a module of the same name is imported, it must not replace the function in the package."""
    later = vars(autograd)["_LATER"]
    modules = ", ".join(sorted(set(later.values())))
    code = f"import autograd, {modules}; print(*[getattr(autograd, name).__name__ for name in {list(later)}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(later)
    assert not {f"autograd.{name}" for name in later} & set(later.values())


def test_lazy_names_are_not_loaded_before():
    code = "import sys, autograd; print([name for name in autograd._LATER.values() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    package: Any = autograd
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing
