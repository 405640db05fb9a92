"""The value and the derivative of each operation at its edge cases, for scalars and tensors, without a warning.

The choices are those of two established frameworks. If these differ, the table below has ours.
"""

import math
import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autograd
from autograd import Tensor, Value, jvp, ops, vectorize
from autograd.ops.rows import Elementwise

inf, nan = math.inf, math.nan

# name, operands, value, derivative with respect to each operand (a number, or None for a constant operand)
POINTS = [
    ("log", [0.0], -inf, [inf]),
    ("log", [-1.0], nan, [-1.0]),
    ("log1p", [-1.0], -inf, [inf]),
    ("expm1", [1e-8], 1.000000005e-8, [1.00000001]),
    ("sqrt", [0.0], 0.0, [inf]),
    ("sqrt", [-1.0], nan, [nan]),
    ("exp", [800.0], inf, [inf]),
    ("sigmoid", [1000.0], 1.0, [0.0]),
    ("sigmoid", [-1000.0], 0.0, [0.0]),
    ("softplus", [800.0], 800.0, [1.0]),
    ("softplus", [20.1], math.log1p(math.exp(-20.1)) + 20.1, [1 / (1 + math.exp(-20.1))]),
    ("tanh", [1000.0], 1.0, [0.0]),
    ("tanh", [-1000.0], -1.0, [0.0]),
    ("sin", [inf], nan, [nan]),
    ("cos", [inf], nan, [nan]),
    ("relu", [0.0], 0.0, [0.0]),
    ("relu", [-0.0], 0.0, [0.0]),
    ("relu", [nan], nan, [nan]),
    ("leaky_relu", [0.0, None, 0.01], 0.0, [0.01]),
    ("elu", [0.0, None, 2.0], 0.0, [2.0]),
    ("abs", [0.0], 0.0, [0.0]),
    ("gelu", [inf], inf, [1.0]),
    ("gelu", [-inf], 0.0, [0.0]),
    ("silu", [-inf], 0.0, [0.0]),
    ("power", [0.0, None, 0.0], 1.0, [0.0]),
    ("power", [0.0, None, 0.5], 0.0, [inf]),
    ("power", [0.0, None, -1.0], inf, [-inf]),
    ("power", [0.0, 0.0], 1.0, [0.0, 0.0]),
    ("power", [0.0, 2.0], 0.0, [0.0, 0.0]),
    ("power", [0.0, -1.0], inf, [-inf, -inf]),
    ("power", [-8.0, None, 1 / 3], nan, [nan]),
    ("power", [-2.0, 3.0], -8.0, [12.0, nan]),
    ("div", [0.0, 0.0], nan, [inf, nan]),
    ("div", [1.0, 0.0], inf, [inf, -inf]),
    ("div", [1.0, None, 0], inf, [inf]),
    ("div", [-1.0, None, False], -inf, [inf]),
    ("power", [0.0, None, -1], inf, [-inf]),
    ("mul", [0.0, inf], nan, [inf, 0.0]),
    ("sub", [inf, inf], nan, [1.0, -1.0]),
    ("maximum", [2.0, 2.0], 2.0, [0.5, 0.5]),
    ("maximum", [inf, inf], inf, [0.5, 0.5]),
    ("maximum", [nan, 1.0], nan, [1.0, 1.0]),
    ("maximum", [1.0, nan], nan, [1.0, 1.0]),
    ("minimum", [2.0, 2.0], 2.0, [0.5, 0.5]),
    ("minimum", [nan, 1.0], nan, [1.0, 1.0]),
    ("fmax", [nan, 1.0], 1.0, [0.0, 1.0]),
    ("fmin", [1.0, nan], 1.0, [1.0, 0.0]),
    ("fmax", [nan, nan], nan, [1.0, 1.0]),
    ("remainder", [-7.0, 2.0], 1.0, [1.0, 4.0]),
    ("fmod", [-7.0, 2.0], -1.0, [1.0, 3.0]),
    ("remainder", [1.0, 0.0], nan, [1.0, -inf]),
    ("logaddexp", [-inf, -inf], -inf, [0.0, 0.0]),
    ("logaddexp", [inf, 0.0], inf, [1.0, 0.0]),
    ("logaddexp2", [1000.0, 1000.0], 1001.0, [0.5, 0.5]),
    ("cbrt", [0.0], 0.0, [inf]),
    ("sinc", [0.0], 1.0, [0.0]),
    ("arccosh", [1.0], 0.0, [inf]),
    ("arctanh", [1.0], inf, [inf]),
    ("copysign", [3.0, -0.0], -3.0, [-1.0, 0.0]),
    ("atan2", [1e-200, 1e-200], math.pi / 4, [5e199, -5e199]),
    ("atan2", [1e200, 1e200], math.pi / 4, [5e-201, -5e-201]),
    ("hypot", [0.0, 0.0], 0.0, [0.0, 0.0]),
]


def constant_tail(operands):
    """[x, None, c] is an operation on the variable x and the constant c."""
    if None in operands:
        return operands[:1], operands[2:]
    return operands, []


def same(got, expected):
    assert (math.isnan(got) and math.isnan(expected)) or math.isclose(got, expected, rel_tol=1e-14), (got, expected)


@pytest.mark.parametrize(("name", "operands", "value", "slopes"), POINTS, ids=lambda x: str(x))
def test_point(name, operands, value, slopes):
    row = getattr(autograd, name)
    variables, constants = constant_tail(operands)
    same(row(*variables, *constants), value)

    values = [Value(x) for x in variables]
    out = row(*values, *constants)
    out.backward()
    same(out.data, value)
    for x, slope in zip(values, slopes, strict=True):
        same(x.grad, slope)

    tensors = [Tensor([x]) for x in variables]
    out = row(*tensors, *constants)
    out.backward()
    same(out.item(), value)
    for t, slope in zip(tensors, slopes, strict=True):
        same(t.grad.item(), slope)


@pytest.mark.parametrize("kind", [Value, lambda x: Tensor(np.array(x))], ids=["Value", "Tensor"])
def test_where_keeps_the_nan_of_the_branch_not_taken(kind):
    """A known mistake, and its remedy: guard the operand as well as the result."""
    x = kind(0.0)
    out = autograd.where(x > 0, autograd.log(x), 0.0)
    out.backward()
    assert out.item() == 0.0
    assert math.isnan(x.grad)
    x = kind(0.0)
    safe = autograd.where(x > 0, x, 1.0)
    autograd.where(x > 0, autograd.log(safe), 0.0).backward()
    assert x.grad == 0.0


@pytest.mark.parametrize(("x", "slope"), [(-1.0, 1.0), (1.0, 1.0), (-1.5, 0.0), (1.5, 0.0), (nan, 1.0)])
def test_clip_at_a_bound(x, slope):
    for leaf in (Value(x), Tensor(np.array(x))):
        out = autograd.clip(leaf, -1.0, 1.0)
        out.backward()
        same(out.item(), nan if math.isnan(x) else min(max(x, -1.0), 1.0))
        assert leaf.grad == slope


@pytest.mark.parametrize(
    ("x", "low", "high", "value", "slopes"),
    [
        (-1.0, -1.0, 1.0, -1.0, [1, 0, 0]),
        (1.0, -1.0, 1.0, 1.0, [1, 0, 0]),
        (-2.0, -1.0, 1.0, -1.0, [0, 1, 0]),
        (2.0, -1.0, 1.0, 1.0, [0, 0, 1]),
        (0.0, 1.0, 1.0, 1.0, [0, 1, 0]),
        (2.0, 1.0, 1.0, 1.0, [0, 0, 1]),
        (-2.0, 1.0, -1.0, -1.0, [0, 0, 1]),  # if the bounds are crossed, the upper one wins, as in NumPy
        (0.0, 1.0, -1.0, -1.0, [0, 0, 1]),
        (1.0, 1.0, -1.0, -1.0, [0, 0, 1]),
        (5.0, nan, 1.0, nan, [0, 1, 1]),
        (5.0, 1.0, nan, nan, [1, 0, 1]),
    ],
)
def test_clips_bounds_as_variables(x, low, high, value, slopes):
    for kind in (Value, lambda x: Tensor(np.array(x))):
        operands = [kind(x), kind(low), kind(high)]
        out = autograd.clip(*operands)
        out.backward()
        same(out.item(), value)
        assert [v.grad for v in operands] == slopes


# name, elements, result, gradient
REDUCTIONS = [
    ("max", [1.0, 3.0, 3.0], 3.0, [0.0, 0.5, 0.5]),
    ("min", [1.0, 1.0, 3.0], 1.0, [0.5, 0.5, 0.0]),
    ("max", [1.0, nan], nan, None),
    ("min", [1.0, nan], nan, None),
    ("prod", [2.0, 0.0, 3.0], 0.0, [0.0, 6.0, 0.0]),
    ("prod", [0.0, 0.0, 3.0], 0.0, [0.0, 0.0, 0.0]),
    ("logsumexp", [1000.0, 1000.0], 1000.6931471805599, [0.5, 0.5]),
    ("logsumexp", [-inf, 0.0], 0.0, [0.0, 1.0]),
    ("logsumexp", [-inf, -inf], -inf, [0.0, 0.0]),
    ("logsumexp", [inf, 0.0], inf, [nan, nan]),
    ("norm", [0.0, 0.0], 0.0, [0.0, 0.0]),
    ("std", [2.0, 2.0], 0.0, [0.0, 0.0]),
]


@pytest.mark.parametrize(("name", "elements", "value", "slopes"), REDUCTIONS, ids=lambda x: str(x))
def test_reduction(name, elements, value, slopes):
    row = getattr(autograd, name)
    tensor = Tensor(elements)
    out = row(tensor)
    out.backward()
    same(out.item(), value)
    values = [Value(x) for x in elements]
    scalar = row(values)
    scalar.backward()
    same(scalar.data, value)
    if slopes is not None:
        np.testing.assert_array_equal(tensor.grad, slopes)
        np.testing.assert_array_equal([v.grad for v in values], slopes)


def test_reductions_of_nothing():
    empty = Tensor(np.zeros((0, 2)))
    assert empty.sum(axis=0).tolist() == [0.0, 0.0]
    assert empty.prod().item() == 1.0
    assert math.isnan(empty.mean().item())
    assert autograd.sum([]) == 0.0
    for op in (autograd.max, autograd.min):
        with pytest.raises(ValueError, match=r"\(0, 2\)"):
            op(empty)
    for op in (autograd.sum, autograd.prod, autograd.mean, autograd.logsumexp):
        leaf = Tensor(np.zeros((0, 2)))
        op(leaf).backward()
        assert leaf.grad.shape == (0, 2)


def test_softmax_extremes():
    assert autograd.softmax(np.array([1000.0, 1000.0])).tolist() == [0.5, 0.5]
    assert np.isnan(autograd.softmax(np.array([inf, 0.0]))).any()
    np.testing.assert_array_equal(autograd.softmax(Tensor([1e4, 0.0])).data, [1.0, 0.0])
    np.testing.assert_allclose(
        autograd.softmax([10.0, 2.0, -3.0]), [9.99662391e-01, 3.35349373e-04, 2.25956630e-06], rtol=1e-8
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_cross_entropy_of_huge_logits(kind):
    logits = Tensor(np.array([[1e4, 0.0], [1e4, 0.0]], kind))
    right = autograd.cross_entropy(logits[:1], np.array([0]))
    wrong = autograd.cross_entropy(logits[1:], np.array([1]))
    assert right.item() == 0.0
    assert wrong.item() == 1e4
    (right + wrong).backward()
    np.testing.assert_array_equal(logits.grad, [[0.0, 0.0], [1.0, -1.0]])


@pytest.mark.parametrize(
    "row", [[inf, 0.0], [-inf, 0.0], [-inf, -inf], [nan, 0.0], [0.0, nan], [700.0, -700.0]], ids=str
)
@pytest.mark.parametrize("label", [0, 1])
def test_cross_entropy_of_one_row_is_that_of_many(row, label):
    """Also if the result is not finite. One row is computed in Python's floats, several in NumPy's."""
    one, many = Tensor([row]), Tensor([row, row])
    loss, losses = autograd.cross_entropy(one, np.array([label])), autograd.cross_entropy(many, np.array([label] * 2))
    loss.backward()
    losses.backward()
    np.testing.assert_array_equal(loss.data, losses.data)
    np.testing.assert_array_equal(one.grad, 2 * many.grad[:1])


@pytest.mark.parametrize("labels", [[0, -1], [0, 2]], ids=str)
def test_cross_entropy_of_a_label_that_is_no_class(labels):
    with pytest.raises(IndexError, match=rf"{labels[1]} in row 1 .*2 classes"):
        autograd.cross_entropy(Tensor(np.zeros((2, 2))), np.array(labels))
    with pytest.raises(ValueError, match="empty"):
        autograd.cross_entropy(Tensor(np.zeros((0, 2))), np.array([], int))


def test_honest_infinities_are_kept():
    """Zero cotangents are not skipped: the derivative of sqrt(x)**2 at 0 is inf * 0."""
    for leaf in (Value(0.0), Tensor(np.array(0.0))):
        (leaf.sqrt() ** 2).backward()
        assert math.isnan(leaf.grad)


def test_repeated_indices_accumulate():
    x = Tensor([1.0, 2.0, 3.0])
    x[[0, 0, 1]].backward(np.ones(3))
    assert x.grad.tolist() == [2.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("error", "fragments", "action"),
    [
        (IndexError, ["getitem", "(2, 3)", "5"], lambda t: t[5]),
        (ValueError, ["reshape", "(2, 3)", "(4,)"], lambda t: t.reshape(4)),
        (ValueError, ["add", "(2, 3)", "(2,)"], lambda t: t + np.ones(2)),
        (ValueError, ["broadcast_to", "(2, 3)", "(2, 2)"], lambda t: t.broadcast_to((2, 2))),
        (ValueError, ["stack", "(2, 3)", "(3,)"], lambda t: autograd.stack([t, np.ones(3)])),
        (ValueError, ["concatenate", "(2, 3)", "(2, 2, 2)"], lambda t: autograd.concatenate([t, np.ones((2, 2, 2))])),
        (ValueError, ["matmul", "(2, 3)", "()"], lambda t: t @ 2.0),
        (ValueError, ["matmul", "(2, 3)", "(2, 3)"], lambda t: t @ t),
        (ValueError, ["sum", "(2, 3)", "axis"], lambda t: t.sum(axis=2)),
        (ValueError, ["squeeze", "(2, 3)"], lambda t: t.squeeze(0)),
        (ValueError, ["split", "3", "2"], lambda t: autograd.split(t, 2, axis=1)),
    ],
)
def test_wrong_shapes_are_named(error, fragments, action):
    with pytest.raises(error) as raised:
        action(Tensor(np.ones((2, 3))))
    for fragment in fragments:
        assert fragment in str(raised.value)


@pytest.mark.parametrize(
    "scalar", [2, 2.0, True, np.float64(2), np.float32(2), np.int64(2), np.array(2.0)], ids=lambda x: type(x).__name__
)
def test_float32_with_a_scalar_stays_float32(scalar):
    t = Tensor(np.ones(3, np.float32))
    for out in (t * scalar, scalar * t, t + scalar, scalar - t, t / scalar, t**scalar, t.maximum(scalar)):
        assert out.dtype == np.float32
        out.sum().backward()
    assert t.grad.dtype == np.float32


def test_integers():
    assert Value(2).data == 2.0
    assert type(Value(2).data) is float
    with pytest.raises(TypeError, match="int64"):
        Tensor(np.array([1, 2], np.int64))
    with pytest.raises(TypeError, match="bool"):
        Tensor([True])


# ------------------------------------------------------------- ints too large for a float are infinite, everywhere

ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.arity > 1]
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
KINDS = {
    "Value": lambda f: backward(f, Value(2.0)),
    "Tensor": lambda f: backward(f, Tensor([2.0, -0.5])),
    "float32": lambda f: backward(f, Tensor(np.array([2.0, -0.5], np.float32))),
    "forward mode": lambda f: jvp(f, (2.0,), (1.0,)),
    "forward mode on arrays": lambda f: jvp(f, (np.array([2.0, -0.5]),), (np.ones(2),)),
    "traced": lambda f: [vectorize(lambda x: f(x) * Value(1.0), ())(np.array([2.0, -0.5])).data],
    "number": lambda f: [f(2.0)],
    "array": lambda f: [f(np.array([2.0, -0.5]))],
}


def backward(f, x):
    f(x)
    out = f(x)  # a second call, which uses the operators that the first one made
    (out.sum() if isinstance(out, Tensor) else out).backward()
    return out.data, x.grad


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_int_too_large_for_a_float_is_infinite(row, kind):
    for place in range(row is ops.where, row.arity):
        for huge, limit in ((10**400, inf), (-(10**400), -inf), (2**1024, inf)):

            def f(x, constant, place=place):
                operands = [x if i == place else constant for i in range(row.arity)]
                if row is ops.where:
                    operands[0] = True
                variable = kind not in ("number", "array")
                return (OPERATORS.get(row.infix, row) if variable else row)(*operands)

            got, want = (KINDS[kind](lambda x, c=c: f(x, c)) for c in (huge, limit))
            for a, b in zip(got, want, strict=True):
                np.testing.assert_array_equal(a, b)
                assert getattr(a, "dtype", None) == getattr(b, "dtype", None)


def test_a_huge_int_as_data_among_items_and_in_place():
    x = Value(10**400)
    assert x.data == inf
    x.data = -(10**400)
    assert x.data == -inf
    assert autograd.sum([Value(1.0), 10**400]).data == inf
    assert autograd.dot([Value(1.0), 10**400], [10**400, 2.0]).data == inf
    t = Tensor([1.0, 2.0])
    assert autograd.stack([t.sum(), 10**400]).data.tolist() == [3.0, inf]
    with autograd.no_grad():
        t += 10**400
    assert t.data.tolist() == [inf, inf]
    assert autograd.sum(10**400) == inf
    v = Value(1.0)
    v += 10**400
    assert v.data == inf
    assert Value(1.0) < 10**400


@pytest.mark.parametrize("x", [Fraction(1, 3), Decimal("0.1")])
def test_exact_numbers_are_refused_with_the_remedy(x):
    for f in (lambda: Value(x), lambda: Value(1.0) * x, lambda: x + Value(1.0), lambda: Value(1.0) ** x):
        with pytest.raises(TypeError, match=r"not (Fraction|Decimal) .*float\(x\) rounds it"):
            f()
