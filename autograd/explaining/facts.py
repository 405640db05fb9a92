"""What a row says of itself: its rules as formulas or as their own text, its domain, and how it is written.

>>> from autograd import ops
>>> [fact.text for fact in facts(ops.tanh)][:2]
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


class Fact(NamedTuple):
    """One thing that a card says, and how it is set: as a "formula", "code" or "words"."""

    label: str
    text: str
    style: str = "words"


def facts(row: Op) -> list[Fact]:
    """All that a row says, in the order in which it is read."""
    return [*rules(row), *forms(row)]


def rules(row: Op) -> list[Fact]:
    """The value and the derivative: formulas for numbers, the rules' own text for arrays."""
    if isinstance(row, Elementwise):
        (y, value), *slopes = formulas(row, TEXT)
        said = [Fact("value", f"{y} = {value}", "formula")]
        said += [Fact("derivative", f"{left} = {right}", "formula") for left, right in slopes]
        said.append(Fact("domain", domain(row), "formula"))
        names = operand_names(row)
        if row.kinks:
            said.append(Fact("kinks", ", ".join(f"{names[0]} = {bound(x)}" for x in row.kinks), "formula"))
        defaults = zip(names[row.arity - len(row.defaults) :], row.defaults, strict=True) if row.defaults else ()
        text = ", ".join(f"{TEXT.name(name)} = {bound(x)}" for name, x in defaults)
        return [*said, Fact("defaults", text, "formula")] if text else said
    if isinstance(row, Reduction):
        meaning = "in each element its weight; out is the result, with the reduced axes kept"
        return [*spelled("value", row.value), *spelled("weight", row.weight), Fact("derivative", meaning)]
    if isinstance(row, Linear):
        said = spelled("value", row.value)
        for i, rule in enumerate(row.transposes):
            many = f" in {operands(row)[i]}" if row.arity > 1 else ""
            said += spelled(f"transpose{many}", rule)
        of = "x" if row.arity == 1 else "all operands together" if row.joint else "each operand"
        back = "back, the transpose of the cotangent g, what was broadcast summed"
        return [*said, Fact("derivative", f"linear in {of}: the operation itself, of the change; {back}")]
    if isinstance(row, Fused):
        meaning = "that of the definition; value and vjp by hand, held to it by a test"
        return [*spelled("definition", row.composition), Fact("derivative", meaning)]
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


def spelled(label: str, rule: Any) -> list[Fact]:
    """A rule's text: in words where its author put it in words, else its code, with its helpers explained."""
    if isinstance(rule, FunctionType) and rule.__doc__:
        return [Fact(label, " ".join(rule.__doc__.split()))]
    notes = [Fact(label, f"{name}: {doc}") for name, doc in helpers(rule).items()]
    return [Fact(label, code_of(rule), "code"), *notes]


def domain(row: Elementwise) -> str:
    """The interval of each operand that has a derivative, those of the same interval together."""
    found: dict[str, list[str]] = {}
    for i, (name, (low, high)) in enumerate(zip(operand_names(row), row.domain, strict=True)):
        if row.partials[i] is not None:
            left, right = "[" if belongs(row, i, low) else "(", "]" if belongs(row, i, high) else ")"
            found.setdefault(f"{left}{bound(low)}, {bound(high)}{right}", []).append(TEXT.name(name))
    return "; ".join(f"{', '.join(names)} ∈ {interval}" for interval, names in found.items())


def belongs(row: Elementwise, i: int, end: float) -> bool:
    """Whether an operand's domain includes its end: it does where there is a value (a rounded pole's is huge)."""
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


# ------------------------------------------------------------------------------------------------ how it is written


def public(row: Op) -> Any:
    """What stands in `autograd` under the row's name: the row itself, or a function in front of it."""
    return getattr(ops, row.name) if ops.ROWS.get(row.name) is row else row


def arguments(row: Op) -> str:
    """What stands between the parentheses of a call."""
    return signatures.arguments(row) if public(row) is row else parameters(public(row))


def operands(row: Op) -> list[str]:
    """The names of the operands: of all arguments the first."""
    return [text.partition("=")[0] for text in arguments(row).split(", ")][: row.arity]


def forms(row: Op) -> list[Fact]:
    """How it is written: as a function, an operator and a method, in NumPy, and by example."""
    own = public(row)
    said = []
    if ops.ROWS.get(row.name) is row:
        ways = [f"autograd.{row.name}({arguments(row)})", *operator(row), *method(row)]
        said.append(Fact("written", ", ".join(ways), "code"))
    equal = [function for function, ours in UFUNCS.items() if ours is own]
    equal += [function for function in TABLE if function.__name__ == own.__name__]
    if theirs := [x for x in equal if getattr(x, "__module__", "numpy").startswith("numpy")]:
        said.append(Fact("NumPy", ", ".join(dict.fromkeys(map(numpy_name, theirs))), "code"))
    for example in doctest.DocTestParser().get_examples(own.__doc__ or ""):
        source, want = example.source.strip(), example.want.strip()
        said.append(Fact("example", f"{source}\n{want}" if "\n" in want else f"{source} = {want}", "code"))
    return said


def operator(row: Op) -> list[str]:
    """The expression with its sign, if it has one."""
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
    module = "np.linalg" if getattr(function, "__module__", "").startswith("numpy.linalg") else "np"
    return f"{module}.{function.__name__}"
