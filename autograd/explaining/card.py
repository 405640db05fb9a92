"""The entries of an operation card: the row's rules as formulas or as code, its domain, and how to call it.

>>> from autograd import ops
>>> [entry.text for entry in entries(ops.tanh)][:2]
['y = tanh(x)', 'dy/dx = 1−y²']
"""

from __future__ import annotations

import doctest
import math
from types import FunctionType
from typing import Any, NamedTuple

from autograd import ops
from autograd.engine.custom import Custom
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.explaining.notation import LATEX, TEXT, application
from autograd.explaining.source import code_of, helpers, parameters
from autograd.functions.table import TABLE
from autograd.functions.ufuncs import ROWS as UFUNCS
from autograd.ops import signatures
from autograd.ops.rows import Elementwise, Fused, Linear, Op, Reduction, operand_names
from autograd.ops.symbol import Notation, Symbol, symbol


class CardEntry(NamedTuple):
    """One entry of a card, and how it is typeset: as a "formula", "code" or "words"."""

    label: str
    text: str
    style: str = "words"


def entries(row: Op) -> list[CardEntry]:
    """All entries of a row's card, in order."""
    return [*rules(row), *forms(row)]


def rules(row: Op) -> list[CardEntry]:
    """The value and the derivative: formulas for elementwise rows, the rules' code for others."""
    if isinstance(row, Elementwise):
        (y, value), *slopes = formulas(row, TEXT)
        said = [CardEntry("value", f"{y} = {value}", "formula")]
        said += [CardEntry("derivative", f"{left} = {right}", "formula") for left, right in slopes]
        said.append(CardEntry("domain", domain(row), "formula"))
        names = operand_names(row)
        if row.kinks:
            said.append(CardEntry("kinks", ", ".join(f"{names[0]} = {bound(x)}" for x in row.kinks), "formula"))
        defaults = zip(names[row.arity - len(row.defaults) :], row.defaults, strict=True) if row.defaults else ()
        text = ", ".join(f"{TEXT.name(name)} = {bound(x)}" for name, x in defaults)
        return [*said, CardEntry("defaults", text, "formula")] if text else said
    if isinstance(row, Reduction):
        meaning = "the weight of each element; out is the result, with the reduced axes kept"
        return [*spelled("value", row.value), *spelled("weight", row.weight), CardEntry("derivative", meaning)]
    if isinstance(row, Linear):
        said = spelled("value", row.value)
        for i, rule in enumerate(row.transposes):
            many = f" in {operands(row)[i]}" if row.arity > 1 else ""
            said += spelled(f"transpose{many}", rule)
        of = "x" if row.arity == 1 else "all operands together" if row.joint else "each operand"
        jvp, vjp = "the jvp is the operation itself", "the vjp is the transpose of the cotangent g, unbroadcast"
        return [*said, CardEntry("derivative", f"linear in {of}: {jvp}; {vjp}")]
    if isinstance(row, Fused):
        meaning = "that of the definition. Value and vjp are written by hand; a test compares them with the definition"
        return [*spelled("definition", row.composition), CardEntry("derivative", meaning)]
    if isinstance(row, Custom):
        return [*spelled("value", row.value), *spelled("vjp", row.rule)]
    return []


def formulas(row: Elementwise, notation: Notation) -> list[tuple[str, str]]:
    """The two sides of each equation: the value, then the derivative in each operand that has one."""
    names = operand_names(row)
    result = "out" if "y" in names else "y"
    symbols = [Symbol(name) for name in names]
    if row.is_formula:
        value = notation.write(symbol(row.value(*symbols)))[0]
    else:
        value = application(row, symbols, notation)
    sides = [(notation.name(result), value)]
    d = "d" if row.arity == 1 else r"\partial " if notation is LATEX else "∂"
    for name, partial in zip(names, row.partials, strict=True):
        if partial is not None:
            top, bottom = d + notation.name(result), d + notation.name(name)
            left = rf"\frac{{{top}}}{{{bottom}}}" if notation is LATEX else f"{top}/{bottom}"
            sides.append((left, notation.write(symbol(partial(Symbol(result), *symbols)))[0]))
    return sides


def spelled(label: str, rule: Any) -> list[CardEntry]:
    """A rule as text: its docstring if it has one, else its code, followed by the docstrings of its helpers."""
    if isinstance(rule, FunctionType) and rule.__doc__:
        return [CardEntry(label, " ".join(rule.__doc__.split()))]
    notes = [CardEntry(label, f"{name}: {doc}") for name, doc in helpers(rule).items()]
    return [CardEntry(label, code_of(rule), "code"), *notes]


def domain(row: Elementwise) -> str:
    """The interval of each operand that has a derivative. Operands with equal intervals share one."""
    found: dict[str, list[str]] = {}
    for i, (name, (low, high)) in enumerate(zip(operand_names(row), row.domain, strict=True)):
        if row.partials[i] is not None:
            left, right = "[" if belongs(row, i, low) else "(", "]" if belongs(row, i, high) else ")"
            found.setdefault(f"{left}{bound(low)}, {bound(high)}{right}", []).append(TEXT.name(name))
    return "; ".join(f"{', '.join(names)} ∈ {interval}" for interval, names in found.items())


def belongs(row: Elementwise, i: int, end: float) -> bool:
    """True if an operand's domain includes its end: the value there is finite. (At a rounded pole it is huge.)"""
    return math.isfinite(end) and abs(row(*[end if j == i else 1.0 for j in range(row.arity)])) < 1e9


def bound(x: float) -> str:
    """A number as the end of an interval.

    >>> bound(-math.inf), bound(0.0), bound(math.pi / 2)
    ('−∞', '0', 'π/2')
    """
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x and abs(x) == math.pi / 2:
        return "π/2" if x > 0 else "−π/2"
    return TEXT.literal(x)[0]


# ---------------------------------------------------------------------------------------------------- how to call it


def public(row: Op) -> Any:
    """What `autograd` exports under the row's name: the row itself, or a function that calls it."""
    return getattr(ops, row.name) if ops.ROWS.get(row.name) is row else row


def arguments(row: Op) -> str:
    """The arguments of a call as text."""
    return signatures.arguments(row) if public(row) is row else parameters(public(row))


def operands(row: Op) -> list[str]:
    """The names of the operands, which are the first arguments."""
    return [text.partition("=")[0] for text in arguments(row).split(", ")][: row.arity]


def forms(row: Op) -> list[CardEntry]:
    """How to call it: as a function, an operator and a method; NumPy's name; an example."""
    own = public(row)
    said = []
    if ops.ROWS.get(row.name) is row:
        ways = [f"autograd.{row.name}({arguments(row)})", *operator(row), *method(row)]
        said.append(CardEntry("written", ", ".join(ways), "code"))
    equal = [function for function, ours in UFUNCS.items() if ours is own]
    equal += [function for function in TABLE if function.__name__ == own.__name__]
    if theirs := [x for x in equal if getattr(x, "__module__", "numpy").startswith("numpy")]:
        said.append(CardEntry("NumPy", ", ".join(dict.fromkeys(map(numpy_name, theirs))), "code"))
    for example in doctest.DocTestParser().get_examples(own.__doc__ or ""):
        source, want = example.source.strip(), example.want.strip()
        said.append(CardEntry("example", f"{source}\n{want}" if "\n" in want else f"{source} = {want}", "code"))
    return said


def operator(row: Op) -> list[str]:
    """The expression with the row's operator, if it has one."""
    names = operands(row)
    if row is ops.getitem:
        return ["x[index]"]
    if row is ops.abs:
        return ["abs(x)"]  # Python's own, by __abs__
    if row.infix == row.name:
        return []
    return [f"{row.infix}{names[0]}" if row.arity == 1 else f" {row.infix} ".join(names)]


def method(row: Op) -> list[str]:
    """The call as a method of Values or Tensors, if there is one."""
    if isinstance(row, Elementwise):
        first, _, rest = arguments(row).partition(", ")
        return [f"{first}.{row.name}({rest})"] if row.is_method else []
    kind: type = Value if row.on_scalars else Tensor
    found = getattr(kind, row.name, None)
    return [] if found is None else [f"{operands(row)[0]}.{row.name}({parameters(found, skip=1)})"]


def numpy_name(function: Any) -> str:
    """NumPy's function as it is usually written: ``np.linalg.norm``."""
    home = getattr(function, "__module__", "")
    inner = next((part for part in ("linalg", "lib.stride_tricks") if home.startswith(f"numpy.{part}")), "")
    return ".".join(filter(None, ["np", inner, function.__name__]))
