"""Every row at its edges, to the fourth order: kinks, bounds, 0 and -0, small integers, tiny and huge, infinity.

Four ways to nest the modes (reverse and forward, each over itself and over the other) must give the same number. It is
that of the definition (tests/definitions.py), if the definition has one. At a kink or outside the domain it has none.
Then the four ways must still agree. A definition that follows from the row's value gives no number where its branches
meet, at infinity, and where the value is nan.
"""

import itertools
import math
from functools import cache
from typing import Any

import definitions
import numpy as np
import pytest
from conftest import PROFILE
from definitions import ORDER, expansion, known
from mpmath import mp, mpf

from autograd import grad, jvp, ops
from autograd.ops.rows import Elementwise, Reduction

inf, nan = math.inf, math.nan
by_name: dict[str, Any] = {"ids": lambda row: getattr(row, "name", None)}
ELEMENTWISE = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row is not ops.where]

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 40.0, -40.0, 800.0, -800.0, 1e-60, -1e-60, 1e60, -1e60, inf, -inf]
LEFT, RIGHT = [0.0, 1.0, -2.0, 0.5, 1e-30, 1e30], [0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 2e-30]
DIGITS = 150  # enough for 1e-60**2 beside 1
UNDEFINED = {"sin", "cos", "tan", "sinc", "dsinc"}  # at infinity


def points(row):
    """The points: one number for each operand that has a derivative."""
    if row.arity - row.partials.count(None) == 1:
        kinks = [x for x in (*row.kinks, *row.domain[-1]) if math.isfinite(x)]
        return [(x,) for x in dict.fromkeys([*EDGES, *kinks]) if math.isfinite(x) or row.name not in UNDEFINED]
    if row is ops.clip:
        return [(x, -1.0, 1.0) for x in (-2.0, -1.0, 0.0, 1.0, 2.0)] + [(0.5, 1.0, 1.0), (0.0, 1.0, -1.0)]
    return list(itertools.product(LEFT, RIGHT))


def function(row):
    """The row as a function of the operands that have a derivative. The others come first, and are 1."""
    if isinstance(row, Reduction):
        return lambda *xs: row(list(xs))
    constants = [1.0] * row.partials.count(None)
    return lambda *xs: row(*constants, *xs)


# ------------------------------------------------------------------------------------------------- what is expected


@cache
def definition(row):
    meaning = definitions.definition(row)
    if isinstance(row, Reduction):
        return lambda *xs: meaning(xs)
    return lambda *xs: meaning(*[1] * row.partials.count(None), *xs)


@cache
def expected(row, point):
    """Every derivative to the fourth order, {orders: number}. It is nan if there is none."""
    multi = [o for o in itertools.product(range(ORDER + 1), repeat=len(point)) if 1 <= sum(o) <= ORDER]
    if len(point) > 1 and all(map(math.isinf, point)):  # the limit depends on the path
        return dict.fromkeys(multi, nan)
    if not known(row) and (any(map(math.isinf, point)) or math.isnan(function(row)(*point))):
        return dict.fromkeys(multi, nan)
    try:
        near = far = terms(row, point, mpf(10) ** 200)
        if any(map(math.isinf, point)):
            near = terms(row, point, mpf(10) ** 100)
    except (ZeroDivisionError, ValueError, TypeError):  # TypeError: mpmath compares a complex number
        return dict.fromkeys(multi, nan)
    return {o: limit(near.get(o, mpf(0)), far.get(o, mpf(0))) for o in multi}


def terms(row, point, huge):
    finite = [math.copysign(1, x) * huge if math.isinf(x) else mpf(x) for x in point]
    return expansion(definition(row), finite, branches=not known(row))


def limit(near, far):
    """The limit of an expression, from its numbers at 1e100 and at 1e200."""
    if isinstance(near, mp.mpc) or isinstance(far, mp.mpc):
        return nan
    if mp.almosteq(near, far, mpf(10) ** -30, mpf(10) ** -80):
        return float(far) if abs(far) > mpf(10) ** -80 or near == far else 0.0
    return float(mp.sign(far)) * inf if abs(far) > 1.5 * abs(near) else nan


# --------------------------------------------------------------------------------------------------------- nesting


def reverse(f, i):
    return grad(lambda *xs: total(f(*xs)), i)


def total(out):
    return out.sum() if isinstance(ops.detach(out), np.ndarray) else out


def forward(f, i):
    def slope(*xs):
        x = ops.detach(xs[i])
        one = np.ones_like(x) if isinstance(x, np.ndarray) else 1.0
        return jvp(lambda t: f(*xs[:i], t, *xs[i + 1 :]), (xs[i],), (one,))[1]

    return slope


def nestings(order):
    """Only reverse, only forward, and both in turns with either of them innermost."""
    return {"R" * order, "F" * order, ("RF" * order)[:order], ("FR" * order)[:order]}


def derivative(f, modes, operands):
    for mode, i in zip(modes, operands, strict=True):
        f = (reverse if mode == "R" else forward)(f, i)
    return f


def ways(arity, order):
    """The operands to differentiate in, from the inside out. All ways are tried if there are few."""
    if arity**order <= 9:
        return list(itertools.product(range(arity), repeat=order))
    mixed = [(0, 0, 1, 1), (1, 0, 1, 0), (1, 1, 0, 0), (0, 1, 0, 1)]
    return [*((i,) * order for i in range(arity)), *dict.fromkeys(way[:order] for way in mixed)]


def compare(row, where, f, order, kind):
    """Compare all ways to compute the derivatives of one order, at all points."""
    arity = len(where[0])
    found: dict[Any, dict[Any, Any]] = {}
    for operands in ways(arity, order):
        key = tuple(operands.count(i) for i in range(arity))
        for modes in nestings(order):
            found.setdefault(key, {})[modes, operands] = kind(derivative(f, modes, operands), where)
    for k, point in enumerate(where):
        wanted = expected(row, point)
        # terms that cancel leave the rounding of the largest derivative of this order
        size = max([1.0, *(abs(x) for o, x in wanted.items() if sum(o) == order and math.isfinite(x))])
        for key, results in found.items():
            numbers = {way: result[k] for way, result in results.items()}
            one = next((x for x in numbers.values() if not math.isnan(x)), nan)
            want = one if math.isnan(wanted[key]) else wanted[key]
            if math.isnan(wanted[key]) and not known(row):  # inf and nan both mean that there is none
                assert len({math.isfinite(x) for x in numbers.values()}) == 1, (row.name, point, key, numbers)
                if not math.isfinite(one):
                    continue
            assert all(same(x, want, size) for x in numbers.values()), (row.name, point, key, wanted[key], numbers)


def as_arrays(f, where):
    """All points at once: Tensors in reverse mode, arrays in forward mode."""
    return f(*map(np.array, zip(*where, strict=True))).tolist()


def as_numbers(f, where):
    """One point at a time: Values in reverse mode, floats in forward mode."""
    return [f(*point) for point in where]


def same(x, y, size):
    return (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-13 * size)


# ------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("order", range(1, ORDER + 1))
@pytest.mark.parametrize("row", ELEMENTWISE, **by_name)
def test_arrays(row, order):
    with mp.workdps(DIGITS):
        compare(row, points(row), function(row), order, as_arrays)


@pytest.mark.parametrize("order", [2, ORDER])
@pytest.mark.parametrize("row", ELEMENTWISE, **by_name)
def test_numbers(row, order):
    where = points(row)
    if len(where[0]) > 1:
        where = where[:: 5 + 2 * order]  # arrays take the other points
    elif PROFILE == "ci":  # each point at one of the two orders; x and -x at different ones
        where = [point for k, point in enumerate(where) if (k + k // 2 + order // 2) % 2]
    with mp.workdps(DIGITS):
        compare(row, where, function(row), order, as_numbers)


LANES = [
    (2.0, -1.0, 0.5), (0.0, 0.0, 0.0), (0.0, 2.0, 3.0), (0.0, 0.0, 3.0), (1.0, 3.0, 3.0), (-2.0, -2.0, -2.0),
    (-inf, 0.0, 1.0), (-inf, -inf, 0.0), (-inf, -inf, -inf), (800.0, 800.0, -800.0), (1e30, 1e-30, 0.0),
]  # fmt: skip


@pytest.mark.parametrize("order", range(1, ORDER + 1))
@pytest.mark.parametrize("row", [row for row in ops.ROWS.values() if isinstance(row, Reduction)], **by_name)
def test_reductions(row, order):
    """Reductions of three numbers: along an axis of an array, and of a list."""
    lanes = [lane for lane in LANES if row is ops.logsumexp or all(map(math.isfinite, lane))]
    with mp.workdps(DIGITS):
        compare(row, lanes, lambda *xs: row(ops.stack(xs), axis=0), order, as_arrays)
        compare(row, lanes[::4], lambda *xs: row(list(xs)), order, as_numbers)
