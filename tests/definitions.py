"""The definition of every row in forty digits, with derivatives up to the fourth: the reference for the tests of rows.

A definition is ordinary arithmetic on the functions below. They work on mpmath's numbers and on `Jet`s of them. A Jet
is a polynomial that is cut off after the fourth order. The coefficients of a result are its derivatives. No difference
is taken, so the results are right to the last digit, also for tiny and huge numbers.

A row without a definition of its own gets one from its value, run on these numbers (`derived`). It tests the row's
derivatives. It does not test the value itself; the row's example does.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
from mpmath import mp, mpf

from autograd.ops.rows import Elementwise
from autograd.ops.shapes import objects
from autograd.ops.worlds import ROWS, World

ORDER = 4


class Jet:
    """A polynomial in the changes of several variables: {exponents: coefficient}, up to `ORDER` in all."""

    def __init__(self, terms, n):
        self.terms, self.n = terms, n

    @property
    def value(self):
        return self.terms.get((0,) * self.n, mpf(0))

    def _of(self, x):
        return x if isinstance(x, Jet) else Jet({(0,) * self.n: mpf(x)}, self.n)

    def __add__(self, other):
        terms = dict(self.terms)
        for key, x in self._of(other).terms.items():
            terms[key] = terms.get(key, 0) + x
        return Jet(terms, self.n)

    def __mul__(self, other):
        if not isinstance(other, Jet):
            return Jet({key: x * other for key, x in self.terms.items()}, self.n)
        terms: dict[tuple[int, ...], Any] = {}
        for (a, x), (b, y) in product(self.terms.items(), other.terms.items()):
            if sum(a) + sum(b) <= ORDER:
                key = tuple(map(sum, zip(a, b, strict=True)))
                terms[key] = terms.get(key, 0) + x * y
        return Jet(terms, self.n)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * raised(other, -1) if isinstance(other, Jet) else self * (mpf(1) / other)

    def __rtruediv__(self, other):
        return raised(self, -1) * other

    def __pow__(self, other):
        return power(self, other)

    def __rpow__(self, other):
        return power(other, self)

    def __pos__(self):
        return self

    def __abs__(self):
        return DEFINITIONS["abs"](self)

    def __mod__(self, other):
        return DEFINITIONS["remainder"](self, other)

    def __floordiv__(self, other):
        return DEFINITIONS["floordiv"](self, other)

    def __lt__(self, other):
        return self.value < self._of(other).value

    def __gt__(self, other):
        return self.value > self._of(other).value

    def __le__(self, other):
        return not self > other

    def __ge__(self, other):
        return not self < other

    def derivative(self, orders):
        """The derivative of these orders, one for each variable."""
        return self.terms.get(tuple(orders), mpf(0)) * math.prod(map(math.factorial, orders))


def jets(numbers):
    """Numbers as variables."""
    n = len(numbers)
    units = [tuple(int(i == j) for j in range(n)) for i in range(n)]
    return [Jet({(0,) * n: mpf(x), unit: mpf(1)}, n) for x, unit in zip(numbers, units, strict=True)]


def function(taylor):
    """A function on numbers and jets, from its Taylor coefficients at a number."""

    def apply(x):
        if not isinstance(x, Jet):
            return taylor(mpf(x))[0]
        move = x + -x.value
        out = x._of(0)
        for c in reversed(taylor(x.value)):  # Horner
            out = out * move + c
        return out

    return apply


def integral(value, slope):
    """A function from its value and its derivative."""

    def taylor(x):
        (t,) = jets([x])
        inner = slope(t)
        return [value(x), *(inner.terms.get((k,), mpf(0)) / (k + 1) for k in range(ORDER))]

    return function(taylor)


def raised(x, r):
    """A number or a jet to a constant power."""

    def taylor(x):
        whole = mpf(r) == int(r)
        if x < 0 and not whole:
            raise ValueError("a negative number to a broken power")
        c, found = mpf(1), []
        for k in range(ORDER + 1):
            found.append(c * x ** (int(r) - k if whole else mpf(r) - k) if c else mpf(0))
            c = c * (mpf(r) - k) / (k + 1)
        return found

    return function(taylor)(x)


def power(x, y):
    if not isinstance(y, Jet):
        return raised(x, y)
    x = x if isinstance(x, Jet) else mpf(x)
    return exp(y * log(x))


def sqrt(x):
    return raised(x, mpf(1) / 2)


def cbrt(x):
    return raised(x, mpf(1) / 3) if x > 0 else -raised(-x, mpf(1) / 3) if x < 0 else 1 / x  # no slope at 0


def cycle(*functions):
    return function(lambda x: [functions[k % 4](x) / math.factorial(k) for k in range(ORDER + 1)])


def dsinc(x):
    """The derivative of `sinc`."""
    if abs(getattr(x, "value", x)) > 1:
        return (cos(mp.pi * x) - sinc(x)) / x
    out, t = x * 0, mp.pi * x
    for k in reversed(range(1, 60)):
        out = out * t * t + (-1) ** k * 2 * k / mp.factorial(2 * k + 1)
    return out * t * mp.pi


def branch(x, below, above):
    """One formula where x is positive, another elsewhere."""
    return above if x > 0 else below


def sinc(x):
    """sin(pi x) / (pi x), as its series near 0, where the quotient has no digits left."""
    t = mp.pi * x
    if abs(getattr(x, "value", x)) > 1:
        return sin(t) / t
    out, square = t * 0, t * t
    for k in reversed(range(60)):
        out = out * square + (-1) ** k / mp.factorial(2 * k + 1)
    return out


exp = function(lambda x: [mp.exp(x) / math.factorial(k) for k in range(ORDER + 1)])
log = integral(mp.log, lambda t: 1 / t)
sin = cycle(mp.sin, mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x))
cos = cycle(mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x), mp.sin)
atan = integral(mp.atan, lambda t: 1 / (1 + t * t))
asin = integral(mp.asin, lambda t: 1 / sqrt(1 - t * t))
erf = integral(mp.erf, lambda t: exp(-t * t) * 2 / mp.sqrt(mp.pi))
erfc = integral(lambda x: mp.erfc(x) if abs(x) < 1e6 else 1 - mp.sign(x), lambda t: exp(-t * t) * -2 / mp.sqrt(mp.pi))


def larger(x, y):
    """A tie is shared."""
    return x if x > y else y if y > x else (x + y) / 2


def smaller(x, y):
    return -larger(-x, -y)


def whole(x, y, rounded):
    """The quotient, rounded to a whole number."""
    return rounded(getattr(x, "value", x) / getattr(y, "value", y))


def exponential(x, base):
    return exp(x * mp.log(base))


def tanh(x):
    return -1 * (2 / (exp(2 * x) + 1)) + 1


def normal(x):
    """The normal distribution function."""
    return erfc(x * -1 / mp.sqrt(2)) / 2


def shared(hits):
    """The mean of the elements that are the largest, or the smallest."""
    return sum(hits) / len(hits)


DEFINITIONS: dict[str, Any] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "floordiv": lambda x, y: x * 0 + whole(x, y, mp.floor),
    "remainder": lambda x, y: x - y * whole(x, y, mp.floor),
    "fmod": lambda x, y: x - y * whole(x, y, lambda q: mp.sign(q) * mp.floor(abs(q))),
    "power": power,
    "powlog": lambda n, x, y: power(x, y) * raised(log(x), n),
    "identity": lambda x: x,
    "neg": lambda x: -x,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "abs": lambda x: x if x > 0 else -x if x < 0 else x * 0,
    "sign": lambda x: x * 0 + (1 if x > 0 else -1 if x < 0 else 0),
    "copysign": lambda x, y: DEFINITIONS["abs"](x) * (1 if y >= 0 else -1),
    "hypot": lambda x, y: sqrt(x * x + y * y),
    "exp": exp,
    "expm1": lambda x: exp(x) - 1,
    "exp2": lambda x: exponential(x, 2),
    "log": log,
    "log1p": lambda x: log(1 + x),
    "log2": lambda x: log(x) / mp.log(2),
    "log10": lambda x: log(x) / mp.log(10),
    "sqrt": sqrt,
    "cbrt": cbrt,
    "logaddexp": lambda x, y: log(exp(x) + exp(y)),
    "logaddexp2": lambda x, y: log(exponential(x, 2) + exponential(y, 2)) / mp.log(2),
    "sin": sin,
    "cos": cos,
    "tan": lambda x: sin(x) / cos(x),
    "asin": asin,
    "acos": lambda x: mp.pi / 2 - asin(x),
    "atan": atan,
    "atan2": lambda y, x: atan(y / x),
    "sinh": lambda x: (exp(x) - exp(-x)) / 2,
    "cosh": lambda x: (exp(x) + exp(-x)) / 2,
    "tanh": tanh,
    "arcsinh": integral(mp.asinh, lambda t: 1 / sqrt(t * t + 1)),
    "arccosh": integral(mp.acosh, lambda t: 1 / sqrt(t * t - 1)),
    "arctanh": integral(mp.atanh, lambda t: 1 / (1 - t * t)),
    "deg2rad": lambda x: x * (mp.pi / 180),
    "rad2deg": lambda x: x * (180 / mp.pi),
    "sinc": sinc,
    "dsinc": lambda n, x: dsinc(x),
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "softplus": lambda x: log(1 + exp(x)),
    "relu": lambda x: branch(x, 0 * x, x),
    "leaky_relu": lambda x, slope: branch(x, slope * x, x),
    "elu": lambda x, alpha: branch(x, alpha * (exp(x) - 1), x),
    "erf": erf,
    "erfc": erfc,
    "gelu": lambda x: x * normal(x),
    "silu": lambda x: x / (1 + exp(-x)),
    "maximum": larger,
    "minimum": smaller,
    "fmax": larger,
    "fmin": smaller,
    "clip": lambda x, low, high: high if x > high or low > high else low if x < low else x,
}
REDUCTIONS = {
    "sum": lambda x: sum(x),
    "mean": lambda x: sum(x) / len(x),
    "max": lambda x: shared([e for e in x if not any(o > e for o in x)]),
    "min": lambda x: shared([e for e in x if not any(o < e for o in x)]),
    "prod": math.prod,
    "var": lambda x: sum((e - sum(x) / len(x)) ** 2 for e in x) / len(x),
    "std": lambda x: sqrt(sum((e - sum(x) / len(x)) ** 2 for e in x) / len(x)),
    "logsumexp": lambda x: log(sum(map(exp, x))),
    "norm": lambda x: sqrt(sum(e * e for e in x)),
}


# --------------------------------------------------------------------------- definitions that follow from the rows


def numeric(f):
    """A function of mpmath on numbers and jets. Its derivatives are differences in many digits."""
    return function(lambda x: mp.taylor(f, x, ORDER))


def stepped(f):
    """A function that is constant between its jumps."""
    return lambda x: x * 0 + f(getattr(x, "value", x))


def number(x):
    """The number of a jet, without its derivatives."""
    return getattr(x, "value", x)


def logarithm(x, base=None):
    return log(x) if base is None else log(x) / log(mpf(base))


THEIRS = {"pow": "power", "fabs": "abs", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}
THEIRS |= {"radians": "deg2rad", "degrees": "rad2deg"}
MATH = {
    **{name: DEFINITIONS[name] for name in dir(math) if name in DEFINITIONS},
    **{theirs: DEFINITIONS[ours] for theirs, ours in THEIRS.items()},
    **{name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")},
    **{name: stepped(getattr(mp, name)) for name in ("floor", "ceil")},
    **{name: lambda x, name=name: getattr(mp, name)(number(x)) for name in ("isnan", "isinf", "isfinite")},
    "trunc": stepped(lambda x: mp.sign(x) * mp.floor(abs(x))),
    "log": logarithm,
    "gamma": numeric(mp.gamma),
    "lgamma": numeric(lambda x: mp.log(abs(mp.gamma(x)))),
}
"""Python's functions of one number or two, by name."""


def selected(condition, x, y):
    return x if number(condition) else y


for name in ("exp", "log", "sqrt", "cbrt", "sin", "cos", "tanh", "square"):  # NumPy calls these on objects
    setattr(Jet, name, DEFINITIONS[name])


@cache
def exact():
    """The world of jets: the functions that the names in the table's rules stand for."""
    world = World(
        **DEFINITIONS,
        where=selected,
        equal=lambda x, y: number(x) == number(y),
        isnan=lambda x: bool(mp.isnan(number(x))),
        detach=number,
        float=lambda x: x,
        math=SimpleNamespace(**MATH),
    )
    for name, row in ROWS.items():
        if name not in DEFINITIONS and name != "where":
            world.names[name] = derived(row, world)
    return world


def derived(row, world=None):
    """The row's own value as a definition. TypeError if the value takes only floats."""
    value = row.value
    if getattr(value, "__module__", "") == "math":
        return MATH[value.__name__]
    if isinstance(value, np.ufunc):
        raise TypeError(f"{row.name}: its value is NumPy's")
    return (world or exact()).bind(value)


def expansion(f, xs, branches=False):
    """The derivatives of a definition at a point: {orders: number}. Those that are always 0 are left out.

    With `branches`, the definition follows from a value whose branches may meet at the point. A derivative that differs
    between the two sides is then nan, since a smooth function may have branches that are not smooth.
    """
    out = f(*jets(xs))
    if not isinstance(out, Jet):
        return {(0,) * len(xs): mpf(out)}
    found = {o: out.derivative(o) for o in out.terms}
    if branches:
        for side in (1, -1):
            beside = expansion(f, [moved(x, side * (i + 1)) for i, x in enumerate(xs)])
            digits = mpf(10) ** -(mp.dps // 4)
            for o in {*found, *beside}:
                here, there = found.get(o, mpf(0)), beside.get(o, mpf(0))
                if any(o) and not mp.almosteq(here, there, digits, digits * digits):
                    found[o] = mp.nan
    return found


def moved(x, steps):
    """A number next to this one, relative to its size. Beside 0 it is so small that a smooth slope there stays 0."""
    step = steps * mpf(10) ** -(mp.dps // 2)
    return x * (1 + step) if x else step * abs(step)


def known(row):
    """Whether a row has a definition of its own, which does not follow from its value."""
    return row.name in (DEFINITIONS if isinstance(row, Elementwise) else REDUCTIONS)


def definition(row):
    """The definition of a row: its own, or the one that follows from its value."""
    if isinstance(row, Elementwise):
        return DEFINITIONS[row.name] if known(row) else derived(row)
    return REDUCTIONS.get(row.name, lambda x: row.value(objects(x)))
