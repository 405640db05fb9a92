"""`custom_op`: a custom operation works in both modes, at higher orders, on all kinds, and with the table's rows."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Tensor, Value, custom_op, grad, jvp, vectorize
from autograd.rows import General

cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
ratio = custom_op(lambda x, y: x / y, lambda g, out, x, y: (g / y, -g * out / y), name="ratio")


@given(x=st.floats(-3, 3).filter(lambda x: abs(x) > 0.1))
def test_scalars_in_both_modes_and_at_higher_orders(x):
    def same(got, expected):
        assert math.isclose(got, expected, rel_tol=1e-12)

    same(cube(x), x**3)  # equal to the last bit only if NumPy and C agree on powers
    v = Value(x)
    out = cube(v) * 2.0
    out.backward()
    same(v.grad, 6 * x**2)
    assert cube(v).op is cube
    same(grad(cube)(x), 3 * x**2)
    same(jvp(cube, (x,), (2.0,))[1], 6 * x**2)
    same(grad(grad(cube))(x), 6 * x)
    same(jvp(grad(cube), (x,), (1.0,))[1], 6 * x)
    same(grad(lambda t: jvp(cube, (t,), (1.0,))[1])(x), 6 * x)
    same(grad(grad(grad(cube)))(x), 6.0)


@given(seed=st.integers(0, 1000))
def test_arrays_broadcast(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=3) + 4.0
    for ours, theirs in zip(
        grad(lambda x, y: (ratio(x, y) * x).sum(), argnums=(0, 1))(x, y),
        grad(lambda x, y: (x / y * x).sum(), argnums=(0, 1))(x, y),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(jvp(ratio, (x, y), (y + x, y))[1], jvp(autograd.div, (x, y), (y + x, y))[1], rtol=1e-12)
    t = Tensor(x.astype(np.float32))
    ratio(t, 2.0).sum().backward()
    assert t.grad.dtype == np.float32
    assert np.all(t.grad == 0.5)


def test_an_operand_without_a_derivative():
    choose = custom_op(lambda x, k: x * k, lambda g, out, x, k: (g * k, None), name="choose")
    x, k = Value(2.0), Value(3.0)
    choose(x, k).backward()
    assert (x.grad, k.grad) == (3.0, 0.0)
    assert jvp(lambda k: choose(2.0, k), (3.0,), (1.0,)) == (6.0, 0.0)


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="ratio takes 2 operands, got 1"):
        ratio(1.0)
    short = custom_op(lambda x, y: x, lambda g, out, x, y: g, name="short")
    with pytest.raises(ValueError, match="short returned 1 cotangents for 2"):
        short(Value(1.0), 2.0).backward()
    wide = custom_op(lambda x: x, lambda g, out, x: np.ones((5, 2)), name="wide")
    with pytest.raises(ValueError, match=r"\(5, 2\).*\(3, 2\)"):
        wide(Tensor(np.ones((3, 2)))).sum().backward()


def test_named_after_its_function():
    def tripled(x):
        """Three times x."""
        return 3 * x

    op = custom_op(tripled, lambda g, out, x: 3 * g)
    assert (op.name, op.__doc__) == ("tripled", "Three times x.")


def test_gradients_of_large_matrices_in_a_vectorized_program():
    """This holds also if the program calls a custom operation."""
    twice = custom_op(lambda x: 2.0 * x, lambda g, out, x: 2.0 * g, name="twice")
    weights = [[Value(0.01 * i + 0.02 * j) for i in range(80)] for j in range(60)]

    def f(x):
        return [twice(sum(w * a for w, a in zip(row, x, strict=True))) for row in weights]

    fast, x = vectorize(f, 80), np.arange(80.0)
    fast(x[None]).sum().backward()
    (matrix,) = fast.parameters()
    np.testing.assert_allclose(matrix.grad, np.repeat(2.0 * x[:, None], 60, axis=1))


@pytest.mark.parametrize(
    "rule",
    [lambda g, out, x: g, lambda g, out, x: out, lambda g, out, x: x, lambda g, out, x: x[...], lambda g, out, x: x.T],
    ids=["the cotangent", "the result", "the operand", "a view of it", "its transpose"],
)
@pytest.mark.parametrize("row", [False, True])
def test_the_gradient_of_a_leaf_is_an_array_of_its_own(rule, row):
    """Whatever a rule returns: the gradient can be written to, and nothing else changes with it."""
    op: Any
    if row:
        op = General("own", np.exp, rule, lambda tangents, out, x: tangents[0], doc="exp, with a wrong derivative.")
    else:
        op = custom_op(lambda x: np.exp(x), rule, name="own")
    x = Tensor(np.ones((2, 2)))
    out = op(x)
    seed = np.ones((2, 2))
    out.backward(seed)
    before = [x.data.copy(), out.data.copy(), seed.copy()]
    x.grad += 5.0
    assert all(np.array_equal(a, b) for a, b in zip(before, [x.data, out.data, seed], strict=True))
