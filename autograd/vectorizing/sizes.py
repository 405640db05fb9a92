"""Sizes: whole numbers that may depend on lengths that are not known yet, such as that of the batch.

A program of `vectorize` works for a batch of any length. So the shapes in it hold sizes: polynomials with integer
coefficients in the symbols of these lengths.

>>> n = Size.symbol("n")
>>> shape = (n, 2 * n + 4)
>>> shape, shape[1] // 2, n - n
((n, 2·n + 4), n + 2, 0)

Two sizes are equal if they are the same polynomial. An order is decided only where it is the same for all lengths of 2
and more. An order that depends on the length raises `NotLowerable`. With a length of 1 NumPy broadcasts, so each
finished program is tried at that length too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from autograd.ops.traced import Length

Monomial = tuple[str, ...]
"""A product of symbols, in order: ("n", "n") is n². The empty one is the constant's."""


class NotLowerable(NotImplementedError):
    """A program, or a rule in it, that has no form that holds for all lengths."""


class Size(Length):
    """A polynomial in the symbols of lengths. What is constant is an `int`: the arithmetic returns one.

    `terms` has the coefficient of each monomial, none of them 0.
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms = dict(sorted(terms.items()))

    @staticmethod
    def of(terms: Mapping[Monomial, int]) -> Any:
        """The size of these terms; an int if it is constant."""
        terms = {key: c for key, c in terms.items() if c}
        return Size(terms) if any(terms) else terms.get((), 0)

    @staticmethod
    def symbol(name: str) -> Size:
        """The size that a symbol stands for."""
        return Size({(name,): 1})

    def symbols(self) -> frozenset[str]:
        """The names in it."""
        return frozenset(name for key in self.terms for name in key)

    def at(self, lengths: Mapping[str, int]) -> int:
        """The number that it is for these lengths."""
        return sum(c * math.prod(lengths[name] for name in key) for key, c in self.terms.items())

    def put(self, sizes: Mapping[str, Any]) -> Any:
        """The size with other sizes in the place of some symbols."""
        total: Any = 0
        for key, c in self.terms.items():
            product: Any = c
            for name in key:
                product = product * sizes.get(name, Size.symbol(name))
            total = total + product
        return total

    # -------------------------------------------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> Any:
        if (terms := terms_of(other)) is None:
            return NotImplemented
        return Size.of({key: self.terms.get(key, 0) + terms.get(key, 0) for key in {**self.terms, **terms}})

    def __mul__(self, other: Any) -> Any:
        if (terms := terms_of(other)) is None:
            return NotImplemented
        product: dict[Monomial, int] = {}
        for left, a in self.terms.items():
            for right, b in terms.items():
                key = tuple(sorted(left + right))
                product[key] = product.get(key, 0) + a * b
        return Size.of(product)

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if terms_of(other) is None else self + -other

    def __rsub__(self, other: Any) -> Any:
        return NotImplemented if terms_of(other) is None else -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, other: Any) -> Any:
        return math.prod([self] * other) if isinstance(other, int) and other >= 0 else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        """The quotient, where the division has no remainder for any length."""
        quotient, rest = divided(self, other)
        if rest != 0:
            raise NotLowerable(f"{self} // {other}: whether it divides depends on the length")
        return quotient

    def __rfloordiv__(self, other: Any) -> Any:
        quotient, rest = divided(other, self)
        if rest != 0:
            raise NotLowerable(f"{other} // {self}: whether it divides depends on the length")
        return quotient

    def __mod__(self, other: Any) -> Any:
        if divided(self, other)[1] != 0:
            raise NotLowerable(f"{self} % {other} depends on the length")
        return 0

    def __rmod__(self, other: Any) -> Any:
        if divided(other, self)[1] != 0:
            raise NotLowerable(f"{other} % {self} depends on the length")
        return 0

    def __truediv__(self, other: Any) -> Any:
        return Quotient(self, other) if isinstance(other, (int, float, Size)) else NotImplemented

    def __rtruediv__(self, other: Any) -> Any:
        return Quotient(other, self) if isinstance(other, (int, float)) else NotImplemented

    # ---------------------------------------------------------------------------------------------------- questions

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Size) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(tuple(self.terms.items()))

    def __lt__(self, other: Any) -> Any:
        return decided(self, other, "<", lambda c: c < 0)

    def __le__(self, other: Any) -> Any:
        return decided(self, other, "<=", lambda c: c <= 0)

    def __gt__(self, other: Any) -> Any:
        return decided(self, other, ">", lambda c: c > 0)

    def __ge__(self, other: Any) -> Any:
        return decided(self, other, ">=", lambda c: c >= 0)

    def __bool__(self) -> bool:
        return self != 0

    def __index__(self) -> int:
        raise NotLowerable(f"the length {self} is not known, and a number is needed")

    def __repr__(self) -> str:
        """Its terms, of the highest degree first."""
        parts = []
        for key, c in sorted(self.terms.items(), key=lambda term: (-len(term[0]), term[0])):
            factors = [str(abs(c))] * (abs(c) != 1 or not key) + list(key)
            parts.append(("- " if c < 0 else "+ ") + "·".join(factors))
        text = " ".join(parts)
        return text[2:] if text[0] == "+" else "-" + text[2:]


class Quotient(Length):
    """A number divided by a size, or a size by a number: the weight of a mean, say. It can only be an operand."""

    __slots__ = ("above", "below")

    def __init__(self, above: Any, below: Any) -> None:
        self.above, self.below = above, below


def terms_of(x: Any) -> dict[Monomial, int] | None:
    """The terms of a size or a whole number; None for anything else."""
    if isinstance(x, Size):
        return x.terms
    return {(): int(x)} if isinstance(x, int) else None


def divided(x: Any, y: Any) -> tuple[Any, Any]:
    """Quotient and remainder of the division of polynomials, by the leading terms.

    >>> n = Size.symbol("n")
    >>> divided(n * n - 1, n + 1), divided(6 * n, 4)
    ((n - 1, 0), (n, 2·n))
    """
    rest, by = terms_of(x), terms_of(y)
    if rest is None or by is None or not any(by.values()):
        raise NotLowerable(f"the division of {x} by {y}")

    def leading(terms: Mapping[Monomial, int]) -> tuple[Monomial, int]:
        return max(terms.items(), key=lambda term: (len(term[0]), term[0]))

    quotient: Any = 0
    left = Size.of(rest)
    below, c = leading(by)
    while left != 0:
        key, a = leading(terms_of(left) or {})
        extra = list(key)
        for name in below:
            if name not in extra:
                return quotient, left
            extra.remove(name)
        if a // c == 0:
            return quotient, left
        step = Size.of({tuple(extra): a // c})
        quotient, left = quotient + step, left - step * Size.of(by)
        if a % c:
            return quotient, left
    return quotient, left


def decided(x: Size, y: Any, sign: str, test: Callable[[int], bool]) -> Any:
    """An order of two sizes; NotLowerable where it depends on the lengths, NotImplemented if y is none.

    With s = t + 2 for each symbol, t is 0 or more. So if all coefficients in t have one sign, the difference has it.
    """
    if terms_of(y) is None:
        return NotImplemented
    found = terms_of(x - y) or {}
    moved = Size(found).put({name: Size.symbol(name) + 2 for key in found for name in key})
    terms = terms_of(moved) or {}
    constant = terms.get((), 0)
    others = [c for key, c in terms.items() if key]
    if all(c >= 0 for c in others) and (constant > 0 or (constant == 0 and not others)):
        return test(constant)
    if all(c <= 0 for c in others) and (constant < 0 or (constant == 0 and not others)):
        return test(constant)
    if constant == 0 and (all(c >= 0 for c in others) or all(c <= 0 for c in others)):
        equal, beyond = test(0), test(1 if others[0] > 0 else -1)
        if equal == beyond:
            return equal
    raise NotLowerable(f"whether {x} {sign} {y} depends on the length")
