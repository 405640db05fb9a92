"""Every row's value and derivative against an independent definition, in forty digits or in plain NumPy.

Differences of the row itself (tests/test_ops.py) cannot tell a wrong function with a matching derivative; these can,
and they see relative errors down to rounding.
"""

import math

import mpmath
import numpy as np
import pytest
from definitions import DEFINITIONS, REDUCTIONS, jets
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import Tensor, Value, ops
from autograd.ops.rows import Elementwise, Reduction

ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and None not in row.partials]


def test_every_row_has_a_definition():
    assert {row.name for row in ops.ROWS.values() if isinstance(row, Elementwise)} == {*DEFINITIONS, "where"}


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
    return xs


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(fractions=st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=3, max_size=3))
def test_value_and_derivatives(row, fractions):
    xs = point(row, fractions)
    definition = DEFINITIONS[row.name]
    with mp.workdps(40):
        exact = [mpmath.mpf(x) for x in xs]
        value = float(definition(*exact))
        out, n = definition(*jets(exact)), len(xs)
        slopes = [float(out.derivative([int(i == j) for j in range(n)])) for i in range(n)]
    scale = max(1.0, abs(value))
    values, tensors = [Value(x) for x in xs], [Tensor(np.array([x])) for x in xs]
    for leaves in (values, tensors):
        out = row(*leaves)
        out.backward()
        assert math.isclose(out.item(), value, rel_tol=2e-15 * 8, abs_tol=2e-16 * 8), (out, value)
        for leaf, slope in zip(leaves, slopes, strict=True):
            grad = leaf.grad if isinstance(leaf, Value) else leaf.grad.item()
            assert math.isclose(grad, slope, rel_tol=2e-13, abs_tol=1e-15 * scale), (xs, grad, slope)


def test_every_reduction_has_a_definition():
    assert {row.name for row in ops.ROWS.values() if isinstance(row, Reduction)} == set(REDUCTIONS)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(numbers=st.lists(st.integers(-40, 40), min_size=2, max_size=5, unique=True))
def test_reductions(name, numbers):
    x = np.array(numbers) / 16 + 0.03
    with mp.workdps(40):
        exact = [mpmath.mpf(float(e)) for e in x]
        value = float(REDUCTIONS[name](exact))
        out, n = REDUCTIONS[name](jets(exact)), len(x)
        slopes = [float(out.derivative([int(i == j) for j in range(n)])) for i in range(n)]
    t = Tensor(x)
    out = getattr(autograd, name)(t)
    out.backward()
    assert math.isclose(out.item(), value, rel_tol=1e-13, abs_tol=1e-14)
    np.testing.assert_allclose(t.grad, slopes, rtol=1e-12, atol=1e-13)
