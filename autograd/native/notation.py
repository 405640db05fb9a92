"""The rules of the table as C: `rows.h`, from which the compiled form of `Value` is built.

>>> out, x = Symbol("out"), Symbol("x")
>>> C.write(ops.tanh.partials[0](out, x))[0], C.write(ops.relu.value(x))[0]
('1.0 - out * out', 'x <= 0.0 ? 0.0 : x')

A rule is applied to Symbols, as for every other text of it. A row that another rule calls is a function of that name:
``value_exp(x)``. Its value is the same rule again, or the function of C's library that Python's `math` calls. So both
forms compute the same bits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from autograd import ops
from autograd.engine.value import constants
from autograd.files import replacing
from autograd.native.form import WRITTEN, fingerprint
from autograd.ops.operators import method_names
from autograd.ops.rows import Elementwise, operand_names
from autograd.ops.symbol import ATOM, CHOICE, NEGATIVE, OR, Notation, Symbol, symbol

LIBRARY: dict[Callable[..., Any], str] = {
    **{getattr(math, name): name for name in ("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt")},
    **{getattr(math, name): name for name in ("sin", "cos", "tan", "asin", "acos", "atan", "atan2")},
    **{getattr(math, name): name for name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc")},
    **{getattr(math, name): name for name in ("fabs", "pow", "fmod", "copysign")},
    math.hypot: "python_hypot",
    operator.floordiv: "python_floordiv",
    operator.mod: "python_mod",
}
"""The function of C for each function of Python that is a row's value. `table.h` has those that begin with python."""


class InC(Notation):
    """Expressions as C. All numbers are doubles."""

    def literal(self, x: float) -> tuple[str, int]:
        x = float(x)
        text = "NAN" if math.isnan(x) else "INFINITY" if math.isinf(x) else repr(abs(x))
        return (f"-{text}", NEGATIVE) if math.copysign(1.0, x) < 0 else (text, ATOM)

    def sign(self, sign: str) -> str:
        return {"and": "&&", "or": "||"}.get(sign, sign)

    def _where(self, s: Symbol) -> tuple[str, int]:
        condition, x, y = s.parts
        return f"{self.within(condition, OR)} ? {self.within(x, OR)} : {self.within(y, CHOICE)}", CHOICE

    def _neg(self, s: Symbol) -> tuple[str, int]:
        return f"-{self.within(s.parts[0], NEGATIVE + 1)}", NEGATIVE  # never two signs in a row, which is another sign

    def _call(self, s: Symbol) -> tuple[str, int]:
        text, binding = super()._call(s)
        return f"value_{text}", binding


C = InC()


def formulas(row: Elementwise) -> list[Symbol]:
    """The row's value, unless C's library has it, and its partials, as expressions of their operands."""
    names = operand_names(row)
    symbols = [Symbol(name) for name in names]
    value = [] if row.value in LIBRARY else [symbol(row.value(*symbols))]
    return value + [symbol(rule(Symbol("out"), *symbols)) for rule in row.partials]  # type: ignore[misc]


def value_in_c(row: Elementwise) -> str:
    """The value of a row as a function in C."""
    names = operand_names(row)
    text = f"{LIBRARY[row.value]}({', '.join(names)})" if row.value in LIBRARY else C.write(formulas(row)[0])[0]
    return f"static inline double value_{row.name}({parameters(row)}) {{ return {text}; }}"


def partials_in_c(row: Elementwise) -> list[str]:
    """The partials of a row, each as a function in C."""
    found = formulas(row)[-row.arity :]
    return [
        f"static inline double slope{i}_{row.name}(double out, {parameters(row)}) {{ return {C.write(d)[0]}; }}"
        for i, d in enumerate(found)
    ]


def parameters(row: Elementwise) -> str:
    """The operands of a row as parameters in C."""
    return ", ".join(f"double {name}" for name in operand_names(row))


def called(formulas: list[Symbol]) -> set[Elementwise]:
    """The rows that expressions call as functions."""
    found: set[Elementwise] = set()
    waiting = list(formulas)
    while waiting:
        part = waiting.pop()
        if isinstance(part.head, Elementwise) and part.head not in OPERATORS:
            found.add(part.head)
        waiting += part.parts
    return found


OPERATORS = frozenset([ops.add, ops.sub, ops.mul, ops.div, ops.neg, ops.where])
"""The rows that C writes without a function."""


def has_value(row: Elementwise) -> bool:
    """Whether the value of a row can be written in C."""
    if row.value in LIBRARY:
        return True
    return row.is_formula and all(map(has_value, called(formulas(row)[: -row.arity])))


def compiled_rows() -> list[Elementwise]:
    """The rows that Values have as operators or methods, of one operand or two, in the order of the table.

    A row that needs what C has not, such as the derivatives of sinc, is left to Python.
    """
    rows = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.arity < 3 and method_names(row)]
    return [row for row in rows if has_value(row) and all(map(has_value, called(formulas(row)[-row.arity :])))]


def text() -> str:
    """The contents of `rows.h`."""
    rows = compiled_rows()
    needed: list[Elementwise] = list(rows)
    for row in needed:  # grows while it is gone through
        read = formulas(row) if row in rows else formulas(row)[: -row.arity]
        needed += sorted(called(read) - set(needed), key=lambda found: found.name)
    values = [value_in_c(row) for row in needed]
    lists = {
        kind: " ".join(f"X({row.name}, {int(bool(constants(row)))})" for row in rows if row.arity == n)
        for kind, n in (("UNARY", 1), ("BINARY", 2))
    }
    return "\n".join(
        [
            "/* The rows of autograd/ops/elementwise.py in C. `make native` writes this file. */",
            f'#define FINGERPRINT "{fingerprint()}"',
            "",
            "/* X(name, whether its partials are constants) */",
            *[f"#define {kind}_ROWS(X) {items}" for kind, items in lists.items()],
            "",
            *[line.partition(" {")[0] + ";" for line in values],
            "",
            *values,
            "",
            *[line for row in rows for line in partials_in_c(row)],
            "",
        ]
    )


if __name__ == "__main__":
    with replacing(WRITTEN) as temporary:
        temporary.write_text(text(), encoding="utf-8")
