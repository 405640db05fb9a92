"""How expressions on arrays are written: operators, parentheses, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autograd import ops
from autograd.ops import questions
from autograd.vectorizing.scalars import Bound

METHODS = (ops.sum, ops.mean, ops.max, ops.min, ops.prod, ops.var, ops.std)
"""Reductions that arrays have as methods."""

INFIX = {ops.add: "+", ops.sub: "-", ops.mul: "*", ops.div: "/", ops.power: "**"}


def axes(count: int, part: bool) -> str:
    """The last axes, as an argument; nothing where they are all."""
    if not part:
        return ""
    return "axis=-1" if count == 1 else f"axis={tuple(range(-count, 0))}"


def summed(text: str, count: int, part: bool) -> str:
    """The sum over the last axes."""
    return f"{paren(text)}.sum({axes(count, part)})"


def literal(c: Any) -> str:
    """A number as Python writes it."""
    if isinstance(c, bool):
        return repr(c)
    text = repr(float(c))
    return text if text[-3:] not in ("inf", "nan") else f"{'-' if c < 0 else ''}{text.lstrip('-')}"


OTHER, SUM, PRODUCT, TIGHT = range(4)


SIGNS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT}


def binding(text: str) -> int:
    """How tightly an expression binds: by the loosest operator outside all brackets.

    >>> binding("x @ w + b") == SUM, binding("relu(x + 1)") == TIGHT
    (True, True)
    """
    depth, found = 0, SUM if text[:1] == "-" else TIGHT
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == " " and not depth and text[i - 1] not in SIGNS:  # the blank before a sign
            found = min(found, SIGNS.get(text[i + 1 : i + 3].rstrip(), OTHER))
    return found


def beside(text: str, least: int) -> str:
    """The text as an operand of something that binds this tightly."""
    return text if binding(text) >= least else f"({text})"


def loose(text: str) -> bool:
    """Whether there is an operator in it outside all brackets."""
    return binding(text) < TIGHT


def paren(text: str) -> str:
    """The text as an operand."""
    return f"({text})" if loose(text) else text


def unparen(text: str) -> str:
    """The text without the parentheses around it."""
    return text[1:-1] if text[:1] == "(" and loose(text[1:-1]) and not loose(text) else text


def written(op: Any, texts: Sequence[str], called: Mapping[Any, str] = MappingProxyType({})) -> str:
    """An operation on arrays as it is written; `called` has the names of those that are not rows of the table."""
    if op in questions.ANSWERS.values():
        return f"{paren(texts[0])} {op.infix} {paren(texts[1])}" if op.arity == 2 else f"{op.infix}{paren(texts[0])}"
    if isinstance(op, Bound):
        options = "".join(f", {key}={x!r}" for key, x in op.params)
        return f"{called.get(op.row, op.row.name)}({', '.join(texts)}{options})"
    if op in (ops.add, ops.sub):
        return f"{beside(texts[0], SUM)} {INFIX[op]} {beside(texts[1], PRODUCT)}"
    if op in (ops.mul, ops.div):
        return f"{beside(texts[0], PRODUCT)} {INFIX[op]} {beside(texts[1], TIGHT)}"
    if op is ops.power:
        return f"{paren(texts[0])} ** {paren(texts[1])}"
    if op is ops.neg:
        return f"-{paren(texts[0])}"
    return f"{called.get(op, op.name)}({', '.join(texts)})"
