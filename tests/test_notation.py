"""Symbols and notations: the text has the meaning of the expression, in Python, as text and in LaTeX."""

import math
import re
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import ops
from autograd.explaining.notation import LATEX, TEXT, application, escape, figure
from autograd.ops.rows import Elementwise
from autograd.ops.symbol import PYTHON, Symbol, symbol

ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise)]
RULES = [
    pytest.param(row, i, id=f"{row.name}-{i}") for row in ROWS for i, d in enumerate(row.partials) if d is not None
]

# ------------------------------------------------------------------------------------- a reader of both notations
#
# Everything is computed in fractions, which are exact. Functions that fractions do not have are replaced by others,
# different for every name.

NAMES = {
    "a": Fraction(3, 2),
    "x1": Fraction(-5, 3),
    "w12": Fraction(7, 5),
    "theta": Fraction(-1, 4),
    "loss": Fraction(9, 7),
}
NAMES |= {"out": Fraction(3, 8), "x": Fraction(5, 8), "y": Fraction(-7, 8), "z": Fraction(11, 8)}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
TOKENS = {
    TEXT: r"\d+(?:\.\d+)?|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|[^\W\d⁰¹²³⁴⁵⁶⁷⁸⁹][^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*|==|<=|>=|!=|\S",
    LATEX: r"\\left\||\\right\||\\left|\\right|"
    r"\d+(?:\.\d+)?|\\mathrm\{[^}]*\}|\\text\{[^}]*\}|[a-z]+_\{\d+\}|\\\\|\\[a-z]+|\S",
}
SPELLED = {rf"\{name}": name for name in ("log", "sin", "cos", "tan", "sinh", "cosh", "tanh")}
SPELLED |= {r"\cdot": "·", r"\sigma": "sigmoid", r"\max": "maximum", r"\min": "minimum", r"\le": "<=", r"\ge": ">=",
            r"\ne": "!=", r"\wedge": "and", r"\vee": "or", "=": "==", "-": "−", "σ": "sigmoid"}  # fmt: skip
WRITTEN = {
    **{name: name for name in NAMES}, "x₁": "x1", "w₁₂": "w12", "θ": "theta", "x_{1}": "x1", "w_{12}": "w12",
    r"\theta": "theta",
}  # fmt: skip


def call(name, *xs):
    """The replacement of a function."""
    if name == "power" and xs[1].denominator == 1 and (abs(xs[1]) <= 9 or xs[0] == 10):
        return xs[0] ** int(xs[1])
    if name == "square":
        return xs[0] ** 2
    return sum(((k + 2) * x for k, x in enumerate(xs)), Fraction(sum(map(ord, name)), 97)) + xs[0] * xs[-1]


def meaning(s):
    """The number of a Symbol, from its tree."""
    if isinstance(s.head, str) and not s.parts:
        return NAMES[s.head]
    if not s.parts:
        return s.head if isinstance(s.head, bool) else Fraction(f"{s.head:.4g}")
    if s.head is ops.where:
        return meaning(s.parts[1] if meaning(s.parts[0]) else s.parts[2])
    xs = [meaning(part) for part in s.parts]
    name = s.head if isinstance(s.head, str) else s.head.name
    known: Any
    known = {"add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
             "neg": lambda x: -x, "identity": lambda x: x, "reciprocal": lambda x: 1 / x, "and": lambda x, y: x and y,
             "or": lambda x, y: x or y, "<": lambda x, y: x < y, "<=": lambda x, y: x <= y, ">": lambda x, y: x > y,
             ">=": lambda x, y: x >= y, "==": lambda x, y: x == y, "!=": lambda x, y: x != y}  # fmt: skip
    return known[name](*xs) if name in known else call(name, *xs)


class Reader:
    """Reads a formula as a person does. It refuses formulas that can be misread: ``a·−b``, ``a/2b``, ``x^y^z``."""

    def __init__(self, text, notation):
        found = re.findall(TOKENS[notation], text)
        self.latex = notation is LATEX
        tokens = [t[8:-1] if t.startswith(r"\mathrm{") else t for t in found if t not in (r"\left", r"\right")]
        self.tokens = [*(SPELLED.get(t, t) if self.latex or t in "σ" else t for t in tokens), ""]

    @property
    def next(self):
        return self.tokens[0]

    def take(self, *expected):
        if expected and self.next not in expected:
            raise SyntaxError(f"expected {expected}, not {self.tokens}")
        return self.tokens.pop(0)

    def read(self):
        found = self.choice()
        self.take("")
        return found

    def choice(self):
        x = self.either()
        if self.next == "if":
            self.take()
            condition = self.either()
            self.take("else")
            y = self.choice()
            return x if condition else y
        return x

    def either(self):
        x = self.both()
        while self.next == "or":
            self.take()
            y = self.both()
            x = x or y
        return x

    def both(self):
        x = self.comparison()
        while self.next == "and":
            self.take()
            y = self.comparison()
            x = x and y
        return x

    def comparison(self):
        x = self.sum()
        signs = {"<": x.__lt__, "<=": x.__le__, ">": x.__gt__, ">=": x.__ge__, "==": x.__eq__, "!=": x.__ne__}
        if self.next in signs:
            return signs[self.take()](self.sum())
        return x

    def sum(self):
        negative = self.next == "−" and bool(self.take())
        x = -self.product() if negative else self.product()
        while self.next in ("+", "−"):
            x = x + self.product() if self.take() == "+" else x - self.product()
        return x

    def product(self):
        number = self.next[:1].isdecimal()
        x = self.power()
        divided = False
        while True:
            if self.next in ("·", "/"):
                divided = self.take() == "/"
                number = self.next[:1].isdecimal()
                x = x / self.power() if divided else x * self.power()
            elif self.next == "(" or (number and self.next and self.next not in "+−,)|}&" and self.starts):
                if divided:
                    raise SyntaxError("is what follows a quotient part of its denominator?")
                number = self.next[:1].isdecimal()
                x = x * self.power()
            else:
                return x

    @property
    def starts(self):
        """Whether a factor begins here, and not a word, a sign or another number."""
        return self.next not in (
            "if",
            "else",
            "and",
            "or",
            "<",
            "<=",
            ">",
            ">=",
            "==",
            r"\\",
            r"\end",
            r"\text",
            r"\right|",
        )

    def power(self):
        x = self.atom()
        if self.next[:1] in tuple("⁰¹²³⁴⁵⁶⁷⁸⁹⁻"):
            x = call("power", x, Fraction(self.take().translate(SUPERSCRIPTS)))
        elif self.next == "^":
            self.take()
            x = call("power", x, self.group() if self.next == "{" else self.atom())
        if self.next == "^" or self.next[:1] in tuple("⁰¹²³⁴⁵⁶⁷⁸⁹⁻"):
            raise SyntaxError("an exponent of an exponent")
        return x

    def group(self):
        self.take("{")
        x = self.choice()
        self.take("}")
        return x

    def atom(self):
        t = self.take()
        if t[0].isdecimal():
            return Fraction(t)
        if t in ("True", "False"):
            return t == "True"
        if t in WRITTEN:
            return NAMES[WRITTEN[t]]
        if t == "(":
            x = self.choice()
            self.take(")")
            return x
        if t in ("|", r"\left|"):
            x = self.choice()
            self.take("|" if t == "|" else r"\right|")
            return call("abs", x)
        if t == "√":
            return call("sqrt", self.atom())
        if t == r"\sqrt":
            return call("sqrt", self.group())
        if t == r"\frac":
            return self.group() / self.group()
        if t == r"\begin":
            return self.cases()
        if t == "e" and self.next == "^":
            self.take()
            return call("exp", self.group())
        return self.function(t)

    def cases(self):
        self.tokens[: len("{cases}")] = []
        x = self.choice()
        self.take("&")
        condition = self.choice()
        self.take(r"\\")
        y = self.choice()
        self.take("&")
        self.take(r"\text{otherwise}")
        self.take(r"\end")
        self.tokens[: len("{cases}")] = []
        return x if condition else y

    def function(self, name):
        self.take("(")
        xs = [self.choice()]
        while self.take(",", ")") == ",":
            xs.append(self.choice())
        return call(name, *xs)


def python(text):
    """The number of Python's text, in fractions."""
    exact = re.sub(r"(?<![\w.])\d+(\.\d+)?(e[-+]?\d+)?", lambda found: f"F('{float(found[0]):.4g}')", text)
    functions: dict[str, Any] = {row.name: partial(call, row.name) for row in ROWS}
    functions |= {"identity": lambda x: x, "reciprocal": lambda x: 1 / x}
    return eval(exact, {"F": Fraction, **NAMES, **functions})


# --------------------------------------------------------------------------------------------- precedence, random

LITERALS = [2, 0.5, -3, 1, -1, 0, 1e-9, -2.5e20, -0.0, -1e5]
atoms = st.sampled_from(["a", "x1", "w12", "theta", "loss"]).map(Symbol) | st.sampled_from(LITERALS).map(symbol)


def larger(parts):
    binary = st.sampled_from([ops.add, ops.sub, ops.mul, ops.div])
    unary = st.sampled_from(
        [ops.neg, ops.square, ops.reciprocal, ops.identity, ops.sqrt, ops.abs, ops.exp, ops.sigmoid]
    )
    exponents = st.sampled_from([2, 3, -1, -2, 1, 0.5, -1.5, 1e-7]).map(symbol) | parts
    conditions = st.builds(
        lambda sign, x, y: Symbol(sign, None, (x, y)), st.sampled_from(["<", ">=", "=="]), parts, parts
    )
    conditions |= st.builds(
        lambda word, x, y: Symbol(word, None, (x, y)), st.sampled_from(["and", "or"]), conditions, conditions
    )
    return st.one_of(
        st.builds(lambda op, x, y: Symbol(op, None, (x, y)), binary, parts, parts),
        st.builds(lambda op, x: Symbol(op, None, (x,)), unary, parts),
        st.builds(lambda x, y: Symbol(ops.power, None, (x, y)), parts, exponents),
        st.builds(lambda c, x, y: Symbol(ops.where, None, (c, x, y)), conditions, parts, parts),
    )


formulas = st.recursive(atoms, larger, max_leaves=8)


def is_balanced(text):
    depth = 0
    for c in re.sub(r"\\[{}]", "", text):
        depth += (c in "({") - (c in ")}")
        if depth < 0:
            return False
    return depth == 0 and text.count(r"\left") == text.count(r"\right") and text.count(r"\begin") == text.count(r"\end")


def assert_meaning(s):
    try:
        expected = meaning(s)
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assert python(PYTHON.write(s)[0]) == expected, PYTHON.write(s)[0]
    for notation in (TEXT, LATEX):
        text = notation.write(s)[0]
        assert is_balanced(text)
        try:
            found = Reader(text, notation).read()
        except ZeroDivisionError:  # in a branch that is not taken
            assume(False)
        assert found == expected, (str(s), text)


@given(formulas)
def test_every_notation_keeps_the_meaning(s):
    assert_meaning(s)


@given(formulas, formulas)
def test_operands_are_bracketed_where_they_have_to_be(x, y):
    """An operand with a weaker operator gets brackets, in formulas and in products of partial derivatives."""
    for op in (ops.sub, ops.mul, ops.div, ops.power):
        assert_meaning(Symbol(op, None, (x, y)))


a, b, c, x1 = map(Symbol, ("a", "b", "c", "x1"))


@pytest.mark.parametrize(
    ("s", "text", "latex"),
    [
        (a - (b - c), "a−(b−c)", "a - (b - c)"),
        (-((a + b) ** 2), "−(a+b)²", "-(a + b)^{2}"),
        ((-a - b) / c, "(−a−b)/c", r"\frac{-a - b}{c}"),
        (a / (b * c), "a/(b·c)", r"\frac{a}{b \cdot c}"),
        ((a / b) / c, "a/b/c", r"\frac{\frac{a}{b}}{c}"),
        (c * (-a / b), "−c(a/b)", r"-c \cdot \frac{a}{b}"),
        (a ** (b - 1), "a^(b−1)", "a^{b - 1}"),
        (a ** symbol(0.5), "a^0.5", "a^{0.5}"),
        (a ** symbol(-2), "a⁻²", "a^{-2}"),
        (-a.square(), "−a²", "-a^{2}"),
        ((-a).square(), "(−a)²", "(-a)^{2}"),
        ((1 * a.square()).square(), "(a²)²", "(a^{2})^{2}"),
        (2 * symbol(-3) * a, "−6a", "-6 a"),
        (a - (-b), "a−(−b)", "a - (-b)"),
        (a + -b, "a−b", "a - b"),
        (2 * Symbol("e") - symbol(3), "2e−3", "2 e - 3"),
        (symbol(2e-3) * a, "0.002a", "0.002 a"),
        (symbol(2.5e-9) * a, "2.5·10⁻⁹·a", r"2.5 \cdot 10^{-9} \cdot a"),
        (a - symbol(1e-5), "a−10⁻⁵", "a - 10^{-5}"),
        (a + symbol(-0.0), "a+0", "a + 0"),
        (2 * Symbol("loss"), "2·loss", r"2 \mathrm{loss}"),
        (2 * Symbol("3") * a, "2·3·a", r"2 \cdot \mathrm{3} \cdot a"),
        (2 * x1, "2x₁", "2 x_{1}"),
        (2 * Symbol("x1*w1 + b"), "2(x1*w1 + b)", r"2 (\mathrm{x1*w1\ +\ b})"),
        (a * (1 - a), "a(1−a)", "a (1 - a)"),
        (1 * (a + b) + c, "a+b+c", "a + b + c"),
        (ops.where(a > 0, ops.where(b > 0, a, b), c), "(a if b > 0 else b) if a > 0 else c", None),
        (ops.sqrt(a).square(), "(√a)²", r"\sqrt{a}^{2}"),
        (symbol(math.inf) * a, "inf·a", r"\infty \cdot a"),
        (symbol(math.nan) * a, "nan·a", r"\mathrm{nan} \cdot a"),
    ],
)
def test_how_formulas_look(s, text, latex):
    assert TEXT.write(s)[0] == text
    assert latex is None or LATEX.write(s)[0] == latex


def test_cases_are_closed_before_they_are_multiplied():
    """LaTeX's cases have no closing brace, so a product of them needs brackets."""
    text = LATEX.write(ops.where(a > 0, a, b) * c)[0]
    assert text.startswith(r"\left(\begin{cases}")
    assert text.endswith(r"\end{cases}\right) \cdot c")


# -------------------------------------------------------------------------------------------------- every row


@pytest.mark.parametrize(("row", "i"), RULES)
def test_every_partial_keeps_its_meaning(row, i):
    s = symbol(row.partials[i](Symbol("out"), *map(Symbol, "xyz"[: row.arity])))
    assert_meaning(s)


@pytest.mark.parametrize(("row", "i"), RULES)
@given(data=st.data())
def test_python_text_gives_the_number(row, i, data):
    """Equal to the last bit, for any numbers. Symbols with numbers give the branch that was taken."""
    numbers = [data.draw(st.floats() | st.sampled_from([0.0, 1.0, -1.0, 0.5])) for _ in range(row.arity)]
    points: list[Any] = [np.float64(x) for x in numbers]
    with np.errstate(all="ignore"):
        out = np.float64(row.plain(numbers, {}))
        if row is ops.where:
            points[0] = bool(points[0])
        expected = float(row.partials[i](out, *points))
        for known in (False, True):
            operands = [Symbol(name, x if known else None) for name, x in zip("xyz", numbers, strict=False)]
            s = symbol(row.partials[i](Symbol("out", float(out) if known else None), *operands))
            names = {**ops.ROWS, "inf": math.inf, "nan": math.nan, "out": out, **dict(zip("xyz", points, strict=False))}
            assert np.array_equal(float(eval(str(s), names)), expected, equal_nan=True), (known, str(s))


def test_numpy_numbers_are_written_as_numbers():
    assert str(a * np.float64(2.5)) == "a * 2.5"
    assert TEXT.write(symbol(np.float32(-3)) * a)[0] == "−3a"


def test_comparisons_do_not_chain():
    assert str((a < b) == c) == "(a < b) == c"


def test_a_known_truth_meets_an_unknown():
    assert str(True & (a > 0)) == str((a > 0) & True) == str(False | (a > 0)) == "a > 0"
    assert (False & (a > 0)) is False
    assert ((a > 0) | True) is True


def test_applications():
    assert application(ops.sigmoid, [Symbol("z1")]) == "σ(z₁)"
    assert application(ops.sigmoid, [Symbol("z1")], LATEX) == r"\sigma(z_{1})"
    assert application(ops.sub, [Symbol("y_hat"), symbol(-1.5)]) == "ŷ−(−1.5)"
    assert application(ops.maximum, [a, symbol(0)], LATEX) == r"\max(a, 0)"


# ------------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("x1", "x₁", "x_{1}"),
        ("w12", "w₁₂", "w_{12}"),
        ("w_1_2", "w₁₂", "w_{12}"),
        ("w_10_2", "w₁₀,₂", "w_{10,2}"),
        ("w₁₂", "w₁₂", "w_{12}"),
        ("y_hat", "ŷ", r"\hat{y}"),
        ("y_hat_1", "ŷ₁", r"\hat{y}_{1}"),
        ("ŷ", "ŷ", r"\hat{y}"),
        ("p_hat", "p\u0302", r"\hat{p}"),
        ("theta", "θ", r"\theta"),
        ("theta2", "θ₂", r"\theta_{2}"),
        ("α1", "α₁", r"\alpha_{1}"),
        ("Theta", "Theta", r"\mathrm{Theta}"),
        ("loss", "loss", r"\mathrm{loss}"),
        ("layers.0.b", "layers.0.b", r"\mathrm{layers.0.b}"),
        ("w[2]", "w[2]", r"\mathrm{w[2]}"),
        ("my_weight_2", "my_weight_2", r"\mathrm{my\_weight\_2}"),
        ("w_", "w_", r"\mathrm{w\_}"),
        ("_w", "_w", r"\mathrm{\_w}"),
        ("größe", "größe", r"\mathrm{größe}"),
        ("日本", "日本", r"\mathrm{日本}"),
        ("50 %", "50 %", r"\mathrm{50\ \%}"),
        ("h^2~{x}\\", "h^2~{x}\\", r"\mathrm{h\wedge 2\sim \{x\}\backslash }"),
        ("two\nlines", r"two\nlines", r"\mathrm{two\ lines}"),
    ],
)
def test_names(name, text, latex):
    assert TEXT.name(name) == text
    assert LATEX.name(name) == latex


@given(st.text(max_size=8))
def test_any_name_can_be_written(name):
    assert TEXT.name(name).isprintable()
    latex = LATEX.name(name)
    assert is_balanced(latex.replace("(", "").replace(")", ""))
    assert not re.search(r"(?<!\\)[#$%&~]", escape(name))


# ---------------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("x", "text", "signed"),
    [
        (0.0, "0", "0"),
        (-0.0, "0", "0"),
        (1e-3, "0.0010", "+0.0010"),
        (9.9e-4, "9.9e−04", "+9.9e−04"),
        (-0.07224, "−0.0722", "−0.0722"),
        (999.99994, "999.9999", "+999.9999"),
        (999.99996, "1000.0", "+1000.0"),
        (-999.99996, "−1000.0", "−1000.0"),
        (1e3, "1000.0", "+1000.0"),
        (99999.94, "99999.9", "+99999.9"),
        (99999.96, "1.0e+05", "+1.0e+05"),
        (1e5, "1.0e+05", "+1.0e+05"),
        (5e-324, "4.9e−324", "+4.9e−324"),
        (math.nan, "nan", "nan"),
        (math.inf, "inf", "+inf"),
        (-math.inf, "−inf", "−inf"),
    ],
)
def test_figures(x, text, signed):
    assert figure(x) == text
    assert figure(x, signed=True) == signed
    assert figure(x, minus="-") == text.replace("−", "-")


@given(st.floats(-1e300, 1e300))
def test_figures_are_near_short_and_symmetric(x):
    text = figure(x, minus="-")
    assert abs(float(text) - x) <= (5.1e-5 if 1e-3 <= abs(x) < 1e3 else 0.051 * abs(x) + 1e-323)
    assert len(text) <= 9
    assert figure(-x) == (f"−{figure(x)}" if x > 0 else figure(x).removeprefix("−"))
    assert figure(x, signed=True, minus="-")[0] == ("0" if x == 0 else "+" if x > 0 else "-")
