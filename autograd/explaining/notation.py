"""Mathematical notation: names, numbers and formulas, as text with Unicode signs and as LaTeX.

>>> out, x = Symbol("h1"), Symbol("z1")
>>> d = ops.sigmoid.partials[0](out, x)
>>> TEXT.write(d)[0], LATEX.write(d)[0]
('h₁(1−h₁)', 'h_{1} (1 - h_{1})')
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from autograd import ops
from autograd.explaining.text import GREEK, SUPERSCRIPTS, printable
from autograd.ops.rows import Op
from autograd.ops.symbol import ATOM, CHOICE, NEGATIVE, POWER, PRODUCT, SUM, Notation, Symbol

LATIN = {letter: name for name, letter in GREEK.items()}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
NAME = re.compile(r"([^\W\d_]+?)(_hat|\u0302)?(?:_?(\d+(?:_\d+)*))?")
COMPOSED = re.compile(r"[^\w.\[\]'′\u0302]")  # a name with such a character looks like a formula
NUMBER = re.compile(r"\d+(\.\d+)?")


def split_name(name: str) -> tuple[str, bool, str] | None:
    """A name's letters, whether it has a hat, and its index; None if it does not have this form.

    The numbers of an index are written side by side if each has one digit, else with commas.

    >>> split_name("y_hat_1"), split_name("w_1_2"), split_name("w_10_2"), split_name("my_name")
    (('y', True, '1'), ('w', False, '12'), ('w', False, '10,2'), None)
    """
    plain = unicodedata.normalize("NFD", name.translate(DIGITS))
    if (found := NAME.fullmatch(plain)) is None:
        return None
    places = (found[3] or "").split("_")
    index = ("" if all(len(place) == 1 for place in places) else ",").join(places)
    return unicodedata.normalize("NFC", found[1]), found[2] is not None, index


def figure(x: float, signed: bool = False, minus: str = "−") -> str:
    """A number for reading: four decimals, one decimal from 1000 on, a power of ten if it is very small or large.

    >>> figure(0.0722), figure(-1234.5), figure(2.5e-7, signed=True), figure(0.0), figure(math.nan)
    ('0.0722', '−1234.5', '+2.5e−07', '0', 'nan')
    """
    size = abs(x)
    if x == 0 or not math.isfinite(x):
        text = "0" if x == 0 else f"{x:g}"
    elif 1e-3 <= size < 999.99995:  # 999.99995 rounds to 1000.0000, which has one decimal
        text = f"{x:.4f}"
    else:
        text = f"{x:.1f}" if 999.99995 <= size < 99999.95 else f"{x:.1e}"
    if signed and x > 0:
        text = f"+{text}"
    return text.replace("-", minus)


class Mathematics(Notation):
    """What text and LaTeX have in common. Products are written with one sign, one number, and powers of factors."""

    minus = "−"
    plus = "+"
    less = "−"
    dot = "·"

    def atom(self, name: str) -> tuple[str, int]:
        """A name. A name that looks like a formula ("x1*w1 + x2*w2") gets parentheses."""
        return self.name(name), ATOM if COMPOSED.search(name) is None else CHOICE

    def literal(self, x: float) -> tuple[str, int]:
        if isinstance(x, bool):
            return str(x), ATOM
        text = f"{x + 0.0:.4g}"  # no negative zero
        if text in ("1", "-1") and abs(x) != 1:  # products leave out a factor of 1; this one is not exactly 1
            text = f"{x:.6g}"
        if "e" in text:  # 2e−3 would look like a product and a difference
            digits, exponent = text.split("e")
            factor = "" if digits in ("1", "-1") else digits.replace("-", self.minus) + self.dot
            tens = self.power("10", str(int(exponent)).replace("-", self.minus))
            if factor or x > 0:
                return factor + tens, NEGATIVE if x < 0 else PRODUCT if factor else POWER
            return self.minus + tens, NEGATIVE
        return text.replace("-", self.minus), NEGATIVE if x < 0 else ATOM

    def power(self, base: str, exponent: str) -> str:
        """A base with an exponent."""
        raise NotImplementedError

    def _product(self, s: Symbol) -> tuple[str, int]:
        number, factors = collect(s)
        if number == 0:
            return self.literal(0)
        if len(factors) == 1 and abs(number) == 1:
            return self._signed(number, *factors[0])
        texts = [self._factor(factor, count) for factor, count in factors]
        figures = self.literal(abs(number))[0] if abs(number) != 1 or not texts else ""
        text = texts[0] if texts else figures
        for before, after in pairwise(texts):
            text += self.between(before, after) + after
        if figures and texts:
            text = figures + self.after_number(figures, texts[0]) + text
        binding = PRODUCT if texts else self.literal(abs(number))[1]
        return (self.minus + text, NEGATIVE) if number < 0 else (text, binding)

    def _factor(self, s: Symbol, count: int) -> str:
        return self.within(s, POWER) if count == 1 else self.power(self.within(s, ATOM), f"{count}")

    def _signed(self, sign: float, s: Symbol, count: int) -> tuple[str, int]:
        text, binding = self.write(s) if count == 1 else (self._factor(s, count), POWER)
        if sign > 0:
            return text, binding
        return self.minus + (text if binding in (PRODUCT, POWER, ATOM) else self.bracket(text)), NEGATIVE

    def between(self, before: str, after: str) -> str:
        """The sign between two factors; none before a parenthesis."""
        return "" if after.startswith("(") else self.dot

    def after_number(self, figures: str, after: str) -> str:
        """The sign between a number and a factor; none before a short name or a parenthesis."""
        plain = NUMBER.fullmatch(figures) is not None
        short = (after[0].isalpha() and not after[1:2].isalpha()) or after[0] == "√"
        return "" if (plain and short) or after.startswith("(") else self.dot

    _mul = _neg = _product

    def _square(self, s: Symbol) -> tuple[str, int]:
        return self.power(self.within(s.parts[0], ATOM), "2"), POWER

    def _power(self, s: Symbol) -> tuple[str, int]:
        base, exponent = s.parts
        if exponent.number == 1 and not exponent.parts:
            return self.write(base)
        return self.power(self.within(base, ATOM), self.write(exponent)[0]), POWER

    def _add(self, s: Symbol) -> tuple[str, int]:
        left, right = s.parts
        text = self.within(right, SUM)
        if text.startswith(self.minus):
            return f"{self.within(left, SUM)}{self.less}{text.removeprefix(self.minus)}", SUM
        return f"{self.within(left, SUM)}{self.plus}{text}", SUM

    def _sub(self, s: Symbol) -> tuple[str, int]:
        left, right = s.parts
        text = self.within(right, PRODUCT)
        return f"{self.within(left, SUM)}{self.less}{self.unsigned(text)}", SUM

    def unsigned(self, text: str) -> str:
        """The text, in parentheses if it begins with a minus."""
        return self.bracket(text) if text.startswith(self.minus) else text

    def _identity(self, s: Symbol) -> tuple[str, int]:
        return self.write(s.parts[0])

    def _reciprocal(self, s: Symbol) -> tuple[str, int]:
        return self._div(Symbol(ops.div, s.number, (Symbol(1, 1.0), s.parts[0])))

    def _div(self, s: Symbol) -> tuple[str, int]:
        raise NotImplementedError


def collect(s: Symbol) -> tuple[float, list[tuple[Symbol, int]]]:
    """A product as its number and its other factors, each with the number of times it occurs."""
    number = 1.0
    counts: dict[str, tuple[Symbol, int]] = {}
    stack = [s]
    while stack:
        part = stack.pop()
        if part.head is ops.neg:
            number = -number
            stack.append(part.parts[0])
        elif part.head is ops.mul:
            stack += reversed(part.parts)
        elif part.head is ops.div and is_negative(part.parts[0]):
            number = -number
            stack.append(Symbol(ops.div, None, (Symbol(ops.neg, None, part.parts[:1]), part.parts[1])))
        elif part.head is ops.identity:
            stack.append(part.parts[0])
        elif isinstance(part.head, (int, float)):
            number *= part.head
        else:
            known, count = counts.get(str(part), (part, 0))
            counts[str(part)] = (known, count + 1)
    return number, list(counts.values())


def is_negative(s: Symbol) -> bool:
    """True if a product is written with a minus in front."""
    return (s.head in (ops.neg, ops.mul) or isinstance(s.head, (int, float))) and collect(s)[0] < 0


class Text(Mathematics):
    """One line of text with Unicode signs: ``h₁(1−h₁)``, ``−2x₁²/y``."""

    def name(self, name: str) -> str:
        """A name with its index below it, its Greek letter, its hat.

        >>> [TEXT.name(name) for name in ("w12", "w_1_2", "y_hat", "theta", "layers.0.b")]
        ['w₁₂', 'w₁₂', 'ŷ', 'θ', 'layers.0.b']
        """
        if (parts := split_name(name)) is None:
            return printable(name)
        letters, hat, index = parts
        text = GREEK.get(letters, letters) + ("\u0302" if hat else "")
        return unicodedata.normalize("NFC", text) + index.translate(SUBSCRIPTS)

    def power(self, base: str, exponent: str) -> str:
        plain = exponent.replace("−", "-")
        if plain.removeprefix("-").isdecimal():
            return base + plain.translate(SUPERSCRIPTS)
        return f"{base}^{exponent}" if len(exponent) == 1 or NUMBER.fullmatch(exponent) else f"{base}^({exponent})"

    def _div(self, s: Symbol) -> tuple[str, int]:
        left, right = s.parts
        top, bottom = self.within(left, PRODUCT), self.within(right, POWER)
        return f"{top}/{bottom}", NEGATIVE if top.startswith(self.minus) else PRODUCT

    def _abs(self, s: Symbol) -> tuple[str, int]:
        return f"|{self.write(s.parts[0])[0]}|", ATOM

    def _sqrt(self, s: Symbol) -> tuple[str, int]:
        return f"√{self.within(s.parts[0], ATOM)}", POWER

    def _sigmoid(self, s: Symbol) -> tuple[str, int]:
        return f"σ({self.write(s.parts[0])[0]})", ATOM

    def _call(self, s: Symbol) -> tuple[str, int]:
        text, binding = super()._call(s)
        return printable(text), binding


class LaTeX(Mathematics):
    """LaTeX: ``h_{1} (1 - h_{1})``, ``-\\frac{2 x_{1}^{2}}{y}``."""

    minus = "-"
    plus = " + "
    less = " - "
    dot = r" \cdot "

    def name(self, name: str) -> str:
        r"""A name as LaTeX sets it.

        >>> [LATEX.name(name) for name in ("w12", "y_hat", "theta", "loss", "layers.0.b")]
        ['w_{12}', '\\hat{y}', '\\theta', '\\mathrm{loss}', '\\mathrm{layers.0.b}']
        """
        if (parts := split_name(name)) is None:
            return rf"\mathrm{{{escape(name)}}}"
        letters, hat, index = parts
        letters = LATIN.get(letters, letters)
        text = rf"\{letters}" if letters in GREEK else letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
        text = rf"\hat{{{text}}}" if hat else text
        return f"{text}_{{{index}}}" if index else text

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)" if r"\frac" in text or r"\begin" in text else f"({text})"

    def literal(self, x: float) -> tuple[str, int]:
        text, binding = super().literal(x)
        return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}.get(text, text), binding

    def between(self, before: str, after: str) -> str:
        return " " if after.startswith("(") else self.dot

    def after_number(self, figures: str, after: str) -> str:
        plain = NUMBER.fullmatch(figures) is not None
        return self.dot if not plain or re.match(r"\d|\\mathrm\{\d", after) else " "

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def _div(self, s: Symbol) -> tuple[str, int]:
        (top, binding), (bottom, _) = map(self.write, s.parts)
        if top.startswith("-") and binding > SUM:
            return rf"-\frac{{{top[1:]}}}{{{bottom}}}", NEGATIVE
        return rf"\frac{{{top}}}{{{bottom}}}", POWER

    def _abs(self, s: Symbol) -> tuple[str, int]:
        return rf"\left|{self.write(s.parts[0])[0]}\right|", ATOM

    def _sqrt(self, s: Symbol) -> tuple[str, int]:
        return rf"\sqrt{{{self.write(s.parts[0])[0]}}}", ATOM

    def _exp(self, s: Symbol) -> tuple[str, int]:
        return f"e^{{{self.write(s.parts[0])[0]}}}", POWER

    def _sigmoid(self, s: Symbol) -> tuple[str, int]:
        return rf"\sigma({self.write(s.parts[0])[0]})", ATOM

    def sign(self, sign: str) -> str:
        known = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne", "and": r"\wedge", "or": r"\vee"}
        return known.get(sign, sign)

    def _where(self, s: Symbol) -> tuple[str, int]:
        condition, x, y = (self.write(part)[0] for part in s.parts)
        return rf"\begin{{cases}} {x} & {condition} \\ {y} & \text{{otherwise}} \end{{cases}}", CHOICE

    def _call(self, s: Symbol) -> tuple[str, int]:
        name = s.head.name  # type: ignore[union-attr]
        inside = ", ".join(self.write(part)[0] for part in s.parts)
        roman = rf"\mathrm{{{escape(name)}}}"
        known = {"log": r"\log", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh",
                 "tanh": r"\tanh", "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan",
                 "maximum": r"\max", "minimum": r"\min"}  # fmt: skip
        return f"{known.get(name, roman)}({inside})", ATOM


def escape(text: str) -> str:
    r"""Text for LaTeX's math mode: special characters are escaped.

    >>> escape("my_weight 50%")
    'my\\_weight\\ 50\\%'
    """
    text = printable(re.sub(r"\s", " ", text))
    return re.sub(r"[#$%&_{}\\^~ ]", lambda found: ESCAPES.get(found[0], rf"\{found[0]}"), text)


ESCAPES = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim "}
TEXT = Text()
LATEX = LaTeX()


def application(op: Op, operands: Sequence[Symbol], notation: Notation = TEXT) -> str:
    """An operation on its operands, as a formula.

    >>> application(ops.square, [Symbol("e")]), application(ops.mul, [Symbol("w1"), Symbol("x1")])
    ('e²', 'w₁·x₁')
    """
    return notation.write(Symbol(op, None, tuple(operands)))[0]
