"""How mathematics is written: names, numbers and formulas, in text with Unicode signs and in LaTeX.

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
from autograd.rows import Op
from autograd.symbol import ATOM, COMPARE, NEGATIVE, POWER, PRODUCT, SUM, Notation, Symbol

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
LATIN = {letter: name for name, letter in GREEK.items()}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
NAME = re.compile(r"([^\W\d_]+?)(_hat|\u0302)?_?(\d+(?:_\d+)*)?")


def split_name(name: str) -> tuple[str, bool, str] | None:
    """A name's letters, whether it wears a hat, and its index; None where it is not of that form."""
    plain = unicodedata.normalize("NFD", name.translate(DIGITS))
    found = NAME.fullmatch(plain)
    return (found[1], found[2] is not None, (found[3] or "").replace("_", "")) if found else None


def figure(x: float, signed: bool = False, minus: str = "−") -> str:
    """A number at the precision at which it is read: four decimals, fewer for large ones, a power of ten beyond.

    >>> figure(0.0722), figure(-1234.5), figure(2.5e-7, signed=True), figure(0.0), figure(math.nan)
    ('0.0722', '−1234.5', '+2.5e−07', '0', 'nan')
    """
    size = abs(x)
    if x == 0 or not math.isfinite(x):
        text = f"{x:g}".removeprefix("-") if x == 0 else f"{x:g}"
    else:
        text = f"{x:.4f}" if 1e-3 <= size < 1e3 else f"{x:.1f}" if 1e3 <= size < 1e5 else f"{x:.1e}"
    if signed and x > 0:
        text = f"+{text}"
    return text.replace("-", minus)


class Mathematics(Notation):
    """What text and LaTeX have in common: products gather their signs, numbers and powers."""

    minus = "−"
    plus = "+"
    dot = "·"

    def literal(self, x: float) -> tuple[str, int]:
        if isinstance(x, bool):
            return str(x), ATOM
        text = f"{x:.4g}".replace("-", self.minus)
        return text, NEGATIVE if x < 0 else ATOM

    def power(self, base: str, exponent: str) -> str:
        """A base with an exponent."""
        raise NotImplementedError

    def _product(self, s: Symbol) -> tuple[str, int]:
        number, factors = collect(s)
        if number == 0:
            return self.literal(0)
        texts = []
        for factor, count in factors:
            if count == 1:
                texts.append(self.within(factor, PRODUCT + 1 if factor.head is ops.div else POWER))
            else:
                texts.append(self.power(self.within(factor, ATOM), f"{count}"))
        if abs(number) != 1 or not texts:
            texts.insert(0, self.literal(abs(number))[0])
        text = texts[0]
        for before, after in pairwise(texts):
            text += self.between(before, after) + after
        return (self.minus + text, NEGATIVE) if number < 0 else (text, PRODUCT if len(texts) > 1 else ATOM)

    def between(self, before: str, after: str) -> str:
        """What stands between two factors: nothing where a number or a parenthesis makes it plain."""
        close = before[0].isdigit() and before[-1].isdigit() and not re.match(r"\d|[a-z]{2}", after)
        return "" if close or after.startswith("(") else self.dot

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
            return f"{self.within(left, SUM)}{text}", SUM
        return f"{self.within(left, SUM)}{self.plus}{text}", SUM

    def _sub(self, s: Symbol) -> tuple[str, int]:
        left, right = s.parts
        return f"{self.within(left, SUM)}{self.minus}{self.within(right, PRODUCT)}", SUM

    def _identity(self, s: Symbol) -> tuple[str, int]:
        return self.write(s.parts[0])

    def _reciprocal(self, s: Symbol) -> tuple[str, int]:
        return self._div(Symbol(ops.div, s.number, (Symbol(1, 1.0), s.parts[0])))

    def _div(self, s: Symbol) -> tuple[str, int]:
        raise NotImplementedError


def collect(s: Symbol) -> tuple[float, list[tuple[Symbol, int]]]:
    """A product as its number and its other factors, each with how often it occurs."""
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
        elif part.head is ops.identity:
            stack.append(part.parts[0])
        elif isinstance(part.head, (int, float)):
            number *= part.head
        else:
            known, count = counts.get(str(part), (part, 0))
            counts[str(part)] = (known, count + 1)
    return number, list(counts.values())


class Text(Mathematics):
    """One line of text with Unicode signs: ``h₁(1−h₁)``, ``−2x₁²/y``."""

    def name(self, name: str) -> str:
        """A name with its index below it, its Greek letter, its hat.

        >>> [TEXT.name(name) for name in ("w12", "w_1_2", "y_hat", "theta", "layers.0.b")]
        ['w₁₂', 'w₁₂', 'ŷ', 'θ', 'layers.0.b']
        """
        if (parts := split_name(name)) is None:
            return name
        letters, hat, index = parts
        text = GREEK.get(letters, letters) + ("\u0302" if hat else "")
        return unicodedata.normalize("NFC", text) + index.translate(SUBSCRIPTS)

    def power(self, base: str, exponent: str) -> str:
        plain = exponent.replace("−", "-")
        if plain.lstrip("-").isdigit():
            return base + plain.translate(SUPERSCRIPTS)
        return f"{base}^{exponent}" if len(exponent) == 1 else f"{base}^({exponent})"

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

    def _where(self, s: Symbol) -> tuple[str, int]:
        condition, x, y = (self.write(part)[0] for part in s.parts)
        return f"{x} if {condition} else {y}", COMPARE


class LaTeX(Mathematics):
    """LaTeX: ``h_{1} (1 - h_{1})``, ``\\frac{-2 x_{1}^{2}}{y}``."""

    minus = "-"
    plus = " + "
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
        return rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def literal(self, x: float) -> tuple[str, int]:
        text, binding = super().literal(x)
        if "e" in text:
            digits, exponent = text.split("e")
            return rf"{digits} \cdot 10^{{{int(exponent)}}}", PRODUCT
        return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}.get(text, text), binding

    def between(self, before: str, after: str) -> str:
        return super().between(before, after) or " "

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def _sub(self, s: Symbol) -> tuple[str, int]:
        left, right = s.parts
        return f"{self.within(left, SUM)} - {self.within(right, PRODUCT)}", SUM

    def _div(self, s: Symbol) -> tuple[str, int]:
        top, bottom = (self.write(part)[0] for part in s.parts)
        if top.startswith("-"):
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

    def _comparison(self, s: Symbol) -> tuple[str, int]:
        text, binding = super()._comparison(s)
        signs = {" <= ": r" \le ", " >= ": r" \ge ", " == ": " = ", " != ": r" \ne ", " and ": r" \wedge ",
                 " or ": r" \vee "}  # fmt: skip
        for sign, command in signs.items():
            text = text.replace(sign, command)
        return text, binding

    def _where(self, s: Symbol) -> tuple[str, int]:
        condition, x, y = (self.write(part)[0] for part in s.parts)
        return rf"\begin{{cases}} {x} & {condition} \\ {y} & \text{{otherwise}} \end{{cases}}", ATOM

    def _call(self, s: Symbol) -> tuple[str, int]:
        name = s.head.name  # type: ignore[union-attr]
        inside = ", ".join(self.write(part)[0] for part in s.parts)
        roman = rf"\mathrm{{{escape(name)}}}"
        known = {"log": r"\log", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh",
                 "tanh": r"\tanh", "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan",
                 "maximum": r"\max", "minimum": r"\min"}  # fmt: skip
        return f"{known.get(name, roman)}({inside})", ATOM


def escape(text: str) -> str:
    """Text as LaTeX takes it: the characters with a meaning of their own behind a backslash."""
    return re.sub(r"([#$%&_{}])", r"\\\1", text.replace("\\", r"\backslash "))


TEXT = Text()
LATEX = LaTeX()


def application(op: Op, operands: Sequence[Symbol], notation: Notation = TEXT) -> str:
    """An operation on its operands, as a formula.

    >>> application(ops.square, [Symbol("e")]), application(ops.mul, [Symbol("w1"), Symbol("x1")])
    ('e²', 'w₁·x₁')
    """
    return notation.write(Symbol(op, None, tuple(operands)))[0]
