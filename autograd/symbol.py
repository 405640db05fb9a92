"""`Symbol`: a name that can flow through a rule, so that a rule can be read as text.

>>> x, y = Symbol("x"), Symbol("y")
>>> str((x + 1) * -y), str(1 / (1 + (-x)))
('(x + 1) * -y', '1 / (1 + -x)')

The text is Python that computes the same number from floats, given the rows' scalar functions by name: this is how
`autograd.specialize` turns rows into inlined methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.operators import Operators
from autograd.rows import Elementwise, Op

# how tightly each form binds, loosest first
CHOICE, OR, AND, COMPARE, SUM, PRODUCT, NEGATIVE, ATOM = range(8)
BINDING = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


class Symbol(Operators):
    """An expression in names: its text, how tightly it binds, and the names it reads."""

    __slots__ = ("binding", "names", "text")
    _priority = 9

    def __init__(self, text: str, binding: int = ATOM, names: frozenset[str] | None = None) -> None:
        self.text = text
        self.binding = binding
        self.names = frozenset([text]) if names is None else names

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Symbol({self.text!r})"

    def detach(self) -> Symbol:
        """Itself: a name has no numbers to cut off."""
        return self

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Symbol:
        if not isinstance(op, Elementwise):
            raise TypeError(f"{op.name} has no scalar form")
        parts = [symbol(x) for x in inputs]
        names = frozenset().union(*(part.names for part in parts))
        if op is ops.where:
            condition, x, y = parts
            text = f"{x.within(OR)} if {condition.within(OR)} else {y.within(CHOICE)}"
            return cls(text, CHOICE, names)
        if op is ops.neg:
            return cls(f"-{parts[0].within(NEGATIVE)}", NEGATIVE, names)
        if op.infix in BINDING and len(parts) == 2:
            return infix(op.infix, BINDING[op.infix], *parts)
        return cls(f"{op.name}({', '.join(map(str, parts))})", ATOM, names)

    def within(self, binding: int) -> str:
        """The text as an operand of something that binds this tightly."""
        return self.text if self.binding >= binding else f"({self.text})"

    def __lt__(self, other: Any) -> Any:
        return infix("<", COMPARE, self, symbol(other))

    def __le__(self, other: Any) -> Any:
        return infix("<=", COMPARE, self, symbol(other))

    def __gt__(self, other: Any) -> Any:
        return infix(">", COMPARE, self, symbol(other))

    def __ge__(self, other: Any) -> Any:
        return infix(">=", COMPARE, self, symbol(other))

    def __eq__(self, other: Any) -> Any:
        return infix("==", COMPARE, self, symbol(other))

    def __ne__(self, other: Any) -> Any:
        return infix("!=", COMPARE, self, symbol(other))

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Any) -> Symbol:
        return infix("and", AND, self, symbol(other))

    def __or__(self, other: Any) -> Symbol:
        return infix("or", OR, self, symbol(other))


def symbol(x: Any) -> Symbol:
    """A number as a Symbol; a Symbol as it is.

    >>> symbol(2.0), symbol(-1)
    (Symbol('2.0'), Symbol('-1'))
    """
    if isinstance(x, Symbol):
        return x
    return Symbol(repr(x), NEGATIVE if x < 0 else ATOM, frozenset())


def infix(sign: str, binding: int, left: Symbol, right: Symbol) -> Symbol:
    """``left sign right``, with the parentheses it needs: the operators are left-associative.

    >>> str(infix("-", SUM, Symbol("a"), infix("-", SUM, Symbol("b"), Symbol("c"))))
    'a - (b - c)'
    """
    text = f"{left.within(binding)} {sign} {right.within(binding + 1)}"
    return Symbol(text, binding, left.names | right.names)
