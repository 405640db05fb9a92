"""Every row's value and derivative against an independent definition, in forty digits or in plain NumPy.

Differences of the row itself (tests/test_ops.py) do not find a wrong function with a matching derivative. These tests
do, and they find relative errors down to rounding. A row without a definition of its own is compared with its value in
forty digits. This finds wrong derivatives as well.
"""

import math

import mpmath
import numpy as np
import pytest
from definitions import DEFINITIONS, definition, derived, expansion, known
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp

from autograd import Tensor, Value, ops
from autograd.ops.rows import Elementwise, Reduction

ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and None not in row.partials]


def point(row, fractions):
    """A point inside the domain, away from kinks and ties."""
    if row is ops.clip:
        return [fractions[0] * 4 - 2.03125, -1.0, 1.0]
    xs = []
    for i, (f, (low, high)) in enumerate(zip(fractions, row.domain, strict=False)):
        low, high = max(low, -3.0), min(high, 3.0)
        x = low + (high - low) * (0.02 + 0.96 * f)
        xs.append(x + 0.0137 * (i + 1) if any(abs(x - k) < 0.01 for k in row.kinks) else x)
    if row.arity == 2 and abs(xs[0] - xs[1]) < 0.01:
        xs[0] += 0.02
    if row is ops.div and not xs[1]:
        xs[1] = 0.0137
    return xs


def exactly(f, xs, branches=False):
    """The value and the slopes of a definition, in forty digits. For `branches` see `definitions.expansion`."""
    with mp.workdps(40):
        n = len(xs)
        try:
            found = expansion(f, [mpmath.mpf(float(x)) for x in xs], branches)
        except ZeroDivisionError:  # in the branch that is not taken
            if not branches:
                raise
            return math.nan, [math.nan] * n
        value, *slopes = [(0,) * n, *(tuple(int(i == j) for j in range(n)) for i in range(n))]
        return float(found.get(value, 0)), [float(found.get(slope, 0)) for slope in slopes]


def by_fractions(test):
    """Any point, and always the middle, which is 0 for a row of all real numbers."""
    drawn = given(fractions=st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=3, max_size=3))
    return example(fractions=[0.5, 0.5, 0.5])(example(fractions=[0.0, 0.5, 0.5])(drawn(test)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@by_fractions
def test_value_and_derivatives(row, fractions):
    xs = point(row, fractions)
    try:
        value, slopes = exactly(definition(row), xs, not known(row))
    except TypeError:
        pytest.skip("its value takes nothing but floats, and has no definition of its own: see test_ops.py")
    scale = max(1.0, abs(value))
    values, tensors = [Value(x) for x in xs], [Tensor(np.array([x])) for x in xs]
    for leaves in (values, tensors):
        out = row(*leaves)
        out.backward()
        assert math.isnan(value) or math.isclose(out.item(), value, rel_tol=2e-15 * 8, abs_tol=2e-16 * 8), (out, value)
        for leaf, slope in zip(leaves, slopes, strict=True):
            if math.isnan(slope):
                continue
            grad = leaf.grad if isinstance(leaf, Value) else leaf.grad.item()
            assert math.isclose(grad, slope, rel_tol=2e-13, abs_tol=1e-15 * scale), (xs, grad, slope)


NUMPYS = {"dsinc"}  # its value is NumPy code
MEET = {"sinc", "softplus"}  # the branches of these values meet at 0


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in DEFINITIONS], ids=lambda row: row.name)
@by_fractions
def test_what_follows_from_a_value_is_the_definition(row, fractions):
    """The definition that follows from a value equals the row's own definition, if it has one."""
    if row.name in NUMPYS:
        return
    xs = point(row, fractions)
    ours, theirs = exactly(derived(row), xs, branches=True), exactly(DEFINITIONS[row.name], xs)
    assert math.isfinite(ours[0]) or (row.name in MEET and 0.0 in xs)
    np.testing.assert_allclose(ours[0], theirs[0] + 0 * ours[0], rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(ours[1], np.where(np.isnan(ours[1]), np.nan, theirs[1]), rtol=1e-14, atol=1e-15)
    assert np.isfinite(ours[1]).all() or (row.name in MEET and 0.0 in xs)


@pytest.mark.parametrize("row", [row for row in ops.ROWS.values() if isinstance(row, Reduction)], ids=lambda r: r.name)
@given(numbers=st.lists(st.integers(-40, 40), min_size=2, max_size=5, unique=True))
def test_reductions(row, numbers):
    x = np.array(numbers) / 16 + 0.03
    value, slopes = exactly(lambda *xs: definition(row)(xs), x, not known(row))
    t = Tensor(x)
    out = row(t)
    out.backward()
    assert math.isclose(out.item(), value, rel_tol=1e-13, abs_tol=1e-14)
    np.testing.assert_allclose(t.grad, slopes, rtol=1e-12, atol=1e-13)
