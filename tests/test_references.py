"""Every row's value and derivative against an independent definition, in forty digits or in plain NumPy.

Differences of the row itself (tests/test_ops.py) cannot tell a wrong function with a matching derivative; these can,
and they see relative errors down to rounding.
"""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import Tensor, Value, ops
from autograd.rows import Elementwise, Reduction


def step(x, below, above):
    return above if x > 0 else below


DEFINITIONS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "identity": lambda x: x,
    "neg": lambda x: -x,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "abs": lambda x: step(x, -x, x),
    "sign": lambda x: step(x, mpmath.mpf(-1), mpmath.mpf(1)),
    "hypot": lambda x, y: mp.sqrt(x**2 + y**2),
    "exp": mp.exp,
    "expm1": lambda x: mp.exp(x) - 1,
    "log": mp.log,
    "log1p": lambda x: mp.log(1 + x),
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": lambda x: mp.log(x) / mp.log(10),
    "sqrt": mp.sqrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": lambda y, x: mp.atan2(y, x),
    "sinh": lambda x: (mp.exp(x) - mp.exp(-x)) / 2,
    "cosh": lambda x: (mp.exp(x) + mp.exp(-x)) / 2,
    "tanh": lambda x: (mp.exp(2 * x) - 1) / (mp.exp(2 * x) + 1),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log(1 + mp.exp(x)),
    "relu": lambda x: step(x, 0 * x, x),
    "leaky_relu": lambda x, slope: step(x, slope * x, x),
    "elu": lambda x, alpha: step(x, alpha * (mp.exp(x) - 1), x),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "gelu": lambda x: x * mp.ncdf(x),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "maximum": lambda x, y: x if x > y else y,
    "minimum": lambda x, y: x if x < y else y,
    "clip": lambda x, low, high: min(max(x, low), high),
}
ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row is not ops.where]


def test_every_row_has_a_definition():
    assert {row.name for row in ROWS} == set(DEFINITIONS)


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
        slopes = [
            float(mp.diff(lambda t, i=i: definition(*exact[:i], t, *exact[i + 1 :]), exact[i], h=mpmath.mpf(10) ** -12))
            for i in range(len(xs))
        ]
    scale = max(1.0, abs(value))
    values, tensors = [Value(x) for x in xs], [Tensor(np.array([x])) for x in xs]
    for leaves in (values, tensors):
        out = row(*leaves)
        out.backward()
        assert math.isclose(out.item(), value, rel_tol=2e-15 * 8, abs_tol=2e-16 * 8), (out, value)
        for leaf, slope in zip(leaves, slopes, strict=True):
            grad = leaf.grad if isinstance(leaf, Value) else leaf.grad.item()
            assert math.isclose(grad, slope, rel_tol=2e-13, abs_tol=1e-15 * scale), (xs, grad, slope)


REDUCTIONS = {
    "sum": lambda x: sum(x),
    "mean": lambda x: sum(x) / len(x),
    "max": max,
    "min": min,
    "prod": lambda x: mp.fprod(x),
    "var": lambda x: sum((e - sum(x) / len(x)) ** 2 for e in x) / len(x),
    "std": lambda x: mp.sqrt(sum((e - sum(x) / len(x)) ** 2 for e in x) / len(x)),
    "logsumexp": lambda x: mp.log(sum(mp.exp(e) for e in x)),
    "norm": lambda x: mp.sqrt(sum(e**2 for e in x)),
}


def test_every_reduction_has_a_definition():
    assert {row.name for row in ops.ROWS.values() if isinstance(row, Reduction)} == set(REDUCTIONS)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(numbers=st.lists(st.integers(-40, 40), min_size=2, max_size=5, unique=True))
def test_reductions(name, numbers):
    x = np.array(numbers) / 16 + 0.03
    with mp.workdps(40):
        exact = [mpmath.mpf(float(e)) for e in x]
        value = float(REDUCTIONS[name](exact))
        slopes = []
        for i in range(len(x)):

            def along(t, i=i):
                return REDUCTIONS[name]([*exact[:i], t, *exact[i + 1 :]])

            slopes.append(float(mp.diff(along, exact[i], h=mpmath.mpf(10) ** -12)))
    t = Tensor(x)
    out = getattr(autograd, name)(t)
    out.backward()
    assert math.isclose(out.item(), value, rel_tol=1e-13, abs_tol=1e-14)
    np.testing.assert_allclose(t.grad, slopes, rtol=1e-12, atol=1e-13)
