"""`Symbol`: a named operand. A rule applied to Symbols gives an expression, which can be written as text.

>>> x, y = Symbol("x"), Symbol("y")
>>> str((x + 1) * -y), str(1 / (1 + (-x)))
('(x + 1) * -y', '1 / (1 + -x)')

The text is Python. It computes the same number from floats, if the rows' scalar functions are defined by name.
Formulas, exports and operation cards are written this way. `autograd.explaining.notation` has other notations.

A symbol may have a number beside its name. Then comparisons are decided by the numbers, and a rule with branches gives
only the branch that was taken:

>>> str(ops.leaky_relu.partials[0](None, Symbol("x", 2.0), Symbol("slope", 0.1)))
'1'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops.floats import real
from autograd.ops.operators import Operators
from autograd.ops.rows import Elementwise, Op

# operator precedence, lowest first
CHOICE, OR, AND, COMPARE, SUM, PRODUCT, NEGATIVE, POWER, ATOM = range(9)
BINDING = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


class Symbol(Operators):
    """An expression: a name, a number, or an operation with its operands.

    `head` is the name, the number, the row, or the sign of a comparison. `parts` are the operands. `number` is the
    value of the expression, or None if not all of its names have numbers.
    """

    __slots__ = ("head", "number", "parts")
    _branches = False
    _priority = 9
    shape = ()  # it stands for one number

    def __init__(self, head: str | float | Op, number: float | None = None, parts: tuple[Symbol, ...] = ()) -> None:
        self.head = head
        self.number = number
        self.parts = parts

    def __str__(self) -> str:
        return PYTHON.write(self)[0]

    def __repr__(self) -> str:
        return f"Symbol({str(self)!r})"

    @property
    def names(self) -> frozenset[str]:
        """The names that occur in the expression."""
        own = frozenset([self.head]) if isinstance(self.head, str) and not self.parts else frozenset()
        return own.union(*(part.names for part in self.parts))

    def detach(self) -> Symbol:
        """Return the symbol itself: it has no graph."""
        return self

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if not isinstance(op, Elementwise):
            raise TypeError(f"{op.name} has no scalar form")
        if op is ops.where and isinstance(inputs[0], (bool, np.bool_)):  # the condition is known
            return symbol(inputs[1 if inputs[0] else 2])
        parts = tuple(map(symbol, inputs))
        numbers = [part.number for part in parts]
        number = None if None in numbers else op.plain(numbers, {})
        if number is not None and op is ops.sign:  # sign is constant wherever it has a derivative
            return symbol(number)
        return cls(op, number, parts)

    def __lt__(self, other: Any) -> Any:
        return compare("<", self, other)

    def __le__(self, other: Any) -> Any:
        return compare("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return compare(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return compare(">=", self, other)

    def __eq__(self, other: Any) -> Any:
        return compare("==", self, other)

    def __ne__(self, other: Any) -> Any:
        return compare("!=", self, other)

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> float:
        raise TypeError(
            f"the number of {self} is not known here: write the rule with rows, exp(x) instead of math.exp(x)"
        )

    def __bool__(self) -> bool:
        raise TypeError(f"whether {self} holds is not known here: write where(condition, x, y), which keeps both")

    def __and__(self, other: Any) -> Any:
        if isinstance(other, (bool, np.bool_)):
            return self if other else False
        return Symbol("and", None, (self, symbol(other)))

    def __or__(self, other: Any) -> Any:
        if isinstance(other, (bool, np.bool_)):
            return True if other else self
        return Symbol("or", None, (self, symbol(other)))

    __rand__, __ror__ = __and__, __or__


COMPARISONS = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}


def compare(sign: str, left: Symbol, other: Any) -> Any:
    """A bool if both sides have numbers, else the comparison as an expression."""
    right = symbol(other)
    if left.number is not None and right.number is not None:
        return bool(COMPARISONS[sign](left.number, right.number))
    return Symbol(sign, None, (left, right))


def symbol(x: Any) -> Symbol:
    """A number as a Symbol; a Symbol as it is. TypeError for anything else.

    >>> symbol(2.0), symbol(-1)
    (Symbol('2.0'), Symbol('-1'))
    """
    if isinstance(x, Symbol):
        return x
    if isinstance(x, (np.generic, np.ndarray)) and x.ndim == 0:  # the repr would be np.float64(2.0)
        x = x.item()
    if not isinstance(x, (float, int)):
        raise TypeError(f"an expression is made of names and single numbers, not of {type(x).__name__} {x!r:.60}")
    return Symbol(x, real(x))


class Notation:
    """A way of writing expressions. This class writes Python; subclasses write other notations.

    `write` returns the text and its precedence. A row is written by the method of its name, if there is one.
    """

    def write(self, s: Symbol) -> tuple[str, int]:
        """The text of an expression, and its precedence."""
        if isinstance(s.head, Op):
            return getattr(self, f"_{s.head.name}", self._call)(s)
        if s.parts:
            return self._comparison(s)
        return self.atom(s.head) if isinstance(s.head, str) else self.literal(s.head)

    def within(self, s: Symbol, binding: int) -> str:
        """The text as an operand of an operator of this precedence, in parentheses if needed."""
        text, own = self.write(s)
        return text if own >= binding else self.bracket(text)

    def bracket(self, text: str) -> str:
        """The text in parentheses."""
        return f"({text})"

    def name(self, name: str) -> str:
        """A name."""
        return name

    def atom(self, name: str) -> tuple[str, int]:
        """A name, and its precedence."""
        return self.name(name), ATOM

    def literal(self, x: float) -> tuple[str, int]:
        """A number, and its precedence."""
        return repr(x), NEGATIVE if x < 0 else ATOM

    def _comparison(self, s: Symbol) -> tuple[str, int]:
        binding = {"and": AND, "or": OR}.get(str(s.head), COMPARE)
        left, right = s.parts
        before = self.within(left, SUM if binding == COMPARE else binding)  # x < y < z would be a chain in Python
        return f"{before} {self.sign(str(s.head))} {self.within(right, binding + 1)}", binding

    def sign(self, sign: str) -> str:
        """The sign of a comparison, or the word "and" or "or"."""
        return sign

    def _where(self, s: Symbol) -> tuple[str, int]:
        condition, x, y = s.parts
        return f"{self.within(x, OR)} if {self.within(condition, OR)} else {self.within(y, CHOICE)}", CHOICE

    def _neg(self, s: Symbol) -> tuple[str, int]:
        return f"-{self.within(s.parts[0], NEGATIVE)}", NEGATIVE

    def _infix(self, s: Symbol) -> tuple[str, int]:
        sign = s.head.infix  # type: ignore[union-attr]
        binding = BINDING[sign]
        left, right = s.parts  # the operators are left-associative
        return f"{self.within(left, binding)} {sign} {self.within(right, binding + 1)}", binding

    _add = _sub = _mul = _div = _infix

    def _call(self, s: Symbol) -> tuple[str, int]:
        return f"{s.head.name}({', '.join(self.write(part)[0] for part in s.parts)})", ATOM  # type: ignore[union-attr]


PYTHON = Notation()
