"""Every row of the table against NumPy's numbers, central differences and itself, at random shapes.

The operations are parameters of the tests, so a failure names the row. Cotangents are random, never all ones.
"""

import doctest
import math
from typing import Any

import numpy as np
import pytest
from conftest import FEWEST
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import autograd
from autograd import Tensor, Value, ops
from autograd.ops.operators import method_names
from autograd.ops.rows import Elementwise, Fused, Linear, Reduction, operand_names

ELEMENTWISE = [row for row in ops.ROWS.values() if isinstance(row, Elementwise)]
REDUCTIONS = [row for row in ops.ROWS.values() if isinstance(row, Reduction)]

named = pytest.mark.parametrize
by_name: dict[str, Any] = {"ids": lambda row: getattr(row, "name", None)}


# ------------------------------------------------------------------------------------------------------- helpers


def differences(f, arrays, i, cotangent):
    """d<cotangent, f>/d arrays[i] by fourth-order central differences, with the error from two step sizes."""
    estimates = []
    for h in (1e-3, 2.5e-4):
        grad = np.zeros_like(arrays[i])
        for index in np.ndindex(*arrays[i].shape):

            def along(t, index=index):
                moved = [x.copy() for x in arrays]
                moved[i][index] += t
                return float(np.sum(np.asarray(f(*moved)) * cotangent))

            grad[index] = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
        estimates.append(grad)
    return estimates[1], np.abs(estimates[0] - estimates[1])


def check_gradients(f, arrays, rng, variables=None):
    """The Tensor gradients of f, at a random cotangent, against differences of f on plain arrays."""
    variables = range(len(arrays)) if variables is None else variables
    operands = [Tensor(x) if i in variables else x for i, x in enumerate(arrays)]
    out = f(*operands)
    expected = np.asarray(f(*arrays))
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.data, expected, rtol=1e-13, atol=1e-13)
    cotangent = rng.normal(size=out.shape)
    out.backward(cotangent)
    for i in variables:
        numeric, spread = differences(f, arrays, i, cotangent)
        grad = operands[i].grad
        assert grad.shape == arrays[i].shape
        assert grad.dtype == arrays[i].dtype
        scale = 1 + np.abs(numeric)
        error = np.abs(grad - numeric)
        assert np.all(error <= 20 * spread + 3e-9 * scale), (grad, numeric)


def sample(row, i, shape, rng):
    """Numbers inside the row's domain, away from its kinks and from each other (a tie of two operands)."""
    low, high = row.domain[i]
    low, high = max(low, -2.5), min(high, 2.5)
    margin = 0.1 * (high - low)
    grid = rng.permutation(np.arange(max(math.prod(shape), 1)))[: math.prod(shape)].reshape(shape)
    x = low + margin + (high - low - 2 * margin) * (grid + 0.25 + 0.2 * i) / max(math.prod(shape), 1)
    for kink in row.kinks:
        x = np.where(np.abs(x - kink) < 0.05, kink + 0.07 + 0.01 * i, x)
    return np.asarray(x)


def operands_of(row: Any, shapes: Any, rng: Any) -> list[Any]:
    if row is ops.where:
        return [rng.random(shapes[0]) < 0.5, *(rng.normal(size=s) for s in shapes[1:])]
    if row is ops.clip:
        return [sample(row, 0, shapes[0], rng), np.full(shapes[1], -0.83), np.full(shapes[2], 1.21)]
    if row in (ops.floordiv, ops.remainder, ops.fmod):  # they jump at whole quotients
        whole = rng.choice([-2.0, -1.0, 1.0, 2.0], shapes[0])
        return [np.asarray(whole + rng.uniform(0.35, 0.45, shapes[0])), np.asarray(rng.uniform(0.97, 1.03, shapes[1]))]
    return [sample(row, i, shape, rng) for i, shape in enumerate(shapes)]


def shapes_for(n):
    return mutually_broadcastable_shapes(num_shapes=n, max_dims=3, max_side=3, min_side=0).map(lambda s: s.input_shapes)


seeds = st.integers(0, 2**32 - 1)

# --------------------------------------------------------------------------------------------------- elementwise


@named("row", ELEMENTWISE, **by_name)
@given(data=st.data(), seed=seeds)
def test_elementwise_gradient(row, data, seed):
    rng = np.random.default_rng(seed)
    arrays = operands_of(row, data.draw(shapes_for(row.arity)), rng)
    variables = [i for i, d in enumerate(row.partials) if d is not None]
    check_gradients(row, arrays, rng, variables)


@named("row", [row for row in ELEMENTWISE if row.arity > 1 and None not in row.partials], **by_name)
@given(t=st.floats(0.1, 0.9) | st.floats(1.1, 2.4) | st.floats(-2.4, -0.1))
def test_equal_operands_share_the_slope(row, t):
    """If all operands are one number, the partials add up to the slope of the function of that number."""
    if any(not low < t < high for low, high in row.domain) or (row is ops.power and t < 0):
        return
    numeric, spread = differences(lambda x: row(*[x] * row.arity), [np.array([t])], 0, 1.0)
    operands = [Tensor([t]) for _ in range(row.arity)]
    row(*operands).sum().backward()
    slope = sum(0.0 if x.grad is None else float(x.grad[0]) for x in operands)
    assert abs(slope - numeric[0]) <= 20 * spread[0] + 3e-9 * (1 + abs(numeric[0])), (slope, numeric)


@named("row", ELEMENTWISE, **by_name)
@given(seed=seeds)
def test_scalar_equals_tensor(row, seed):
    """A Value, a Tensor and a float give the same number and gradient, on the quick path and on the general one."""
    rng = np.random.default_rng(seed)
    inputs = [x.item() for x in operands_of(row, [()] * row.arity, rng)]
    variables = [i for i, d in enumerate(row.partials) if d is not None]
    values = [Value(x) if i in variables else x for i, x in enumerate(inputs)]
    tensors = [Tensor(x) if i in variables else x for i, x in enumerate(inputs)]
    v, t = row(*values), row(*tensors)
    assert math.isclose(v.data, t.item(), rel_tol=1e-14)
    assert math.isclose(v.data, row(*inputs), rel_tol=1e-14)
    v.backward()
    t.backward()
    for i in variables:
        assert math.isclose(values[i].grad, tensors[i].grad.item(), rel_tol=1e-13, abs_tol=1e-300)


@named("row", ELEMENTWISE, **by_name)
@given(seed=seeds)
def test_a_change_after_the_operation_does_not_reach_its_gradient(row, seed):
    """A Value keeps the partials of the numbers that the operation was applied to."""
    inputs = [x.item() for x in operands_of(row, [()] * row.arity, np.random.default_rng(seed))]
    grads = []
    for change in (0.0, 0.25):
        values = [Value(x) if d is not None else x for x, d in zip(inputs, row.partials, strict=True)]
        out = row(*values) * 1.0
        for x in values:
            if isinstance(x, Value):
                x.data += change
        out.backward()
        grads.append([x.grad for x in values if isinstance(x, Value)])
    np.testing.assert_array_equal(grads[0], grads[1])


PATTERNS = [
    (row, pattern)
    for row in ELEMENTWISE
    if None not in row.partials
    for pattern in (["v"] if row.arity == 1 else ["vv", "vc", "cv"] if row.arity == 2 else [])
]
numbers = st.one_of(
    st.floats(-3, 3), st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 800.0, -800.0, math.inf, -math.inf, math.nan])
)


@named(("row", "pattern"), PATTERNS, ids=lambda x: getattr(x, "name", x))
@given(inputs=st.lists(numbers, min_size=2, max_size=2), g=st.floats(-2, 2))
def test_quick_path_equals_general(row, pattern, inputs, g):
    """The operator made from a row gives the same as the rules on the general path, at any point."""
    inputs = inputs[: row.arity]
    operands = [Value(x) if kind == "v" else x for x, kind in zip(inputs, pattern, strict=True)]
    node = apply_method(row, operands)
    expected = row.plain(inputs, {})
    assert_same(node.data, expected)
    assert node.op is row
    for x, y in zip(node.operands, operands, strict=True):
        assert x is y if isinstance(y, Value) else repr(x) == repr(y)  # a nan is no other's equal

    node.grad = g
    node._backward()
    needs = [kind == "v" for kind in pattern]
    with np.errstate(all="ignore"):
        floats = [np.float64(x) for x in inputs]
        shares = row.vjp(np.float64(g), needs, np.float64(node.data), floats, {})
    for x, share in zip(operands, shares, strict=True):
        if isinstance(x, Value):
            assert_same(x.grad, float(share) + 0.0)


def apply_method(row, operands):
    """Apply the row by its operator or method, which takes the quick path. Without one, call the row."""
    methods = method_names(row)
    if not methods:
        return row(*operands)
    if isinstance(operands[0], Value):
        return getattr(operands[0], methods[0])(*operands[1:])
    return getattr(operands[1], methods[1])(operands[0]) if len(methods) == 2 else row(*operands)


def assert_same(got, expected):
    if math.isnan(expected):
        assert math.isnan(got)
    else:
        assert math.isclose(got, expected, rel_tol=1e-13, abs_tol=1e-300)


def test_defaults_and_names():
    assert autograd.leaky_relu(-1.0) == -0.01
    assert autograd.leaky_relu(-1.0, slope=0.5) == -0.5
    assert autograd.clip(3.0, high=1.0) == 1.0
    assert Value(-1.0).leaky_relu(0.5).data == -0.5
    functions: Any = autograd
    with pytest.raises(TypeError, match="unknown argument 'slop'"):
        functions.leaky_relu(1.0, slop=1.0)
    with pytest.raises(TypeError, match="2 operands"):
        functions.add(1.0)


# ---------------------------------------------------------------------------------------------------- reductions


@st.composite
def reductions(draw, min_side=1):
    ndim = draw(st.integers(0, 3))
    shape = tuple(draw(st.integers(min_side, 3)) for _ in range(ndim))
    axes = st.one_of(
        st.none(),
        *([st.integers(-ndim, ndim - 1)] if ndim else []),
        st.lists(st.integers(0, ndim - 1), unique=True).map(tuple) if ndim else st.just(()),
    )
    return shape, draw(axes), draw(st.booleans())


@named("row", REDUCTIONS, **by_name)
@given(case=reductions(), seed=seeds)
def test_reduction_gradient(row, case, seed):
    shape, axis, keepdims = case
    rng = np.random.default_rng(seed)
    n = max(math.prod(shape), 1)
    x = (rng.permutation(n).reshape(shape) - n / 2) / n * 3 + 0.03
    x = np.asarray(x)  # all different, none zero
    count = math.prod(x.shape[i] for i in autograd.ops.shapes.normalize_axis(axis, x.ndim))
    if row is ops.std and count < 2:
        return  # the square root of 0 is a kink: see test_edge_cases
    check_gradients(lambda t: row(t, axis=axis, keepdims=keepdims), [x], rng)


@named("row", [ops.var, ops.std], **by_name)
@given(seed=seeds, n=st.integers(3, 6))
def test_ddof(row, seed, n):
    rng = np.random.default_rng(seed)
    check_gradients(lambda t: row(t, axis=0, ddof=1), [rng.normal(size=(n, 2))], rng)


@named("row", REDUCTIONS, **by_name)
@given(seed=seeds, n=st.integers(2, 6))
def test_reduction_of_values(row, seed, n):
    """A list of Values reduces to one node, with the Tensor's number and gradient."""
    x = np.random.default_rng(seed).permutation(n) + 0.5
    values, tensor = [Value(v) for v in x], Tensor(x)
    v, t = row(values), row(tensor)
    assert v.parents == tuple(values)
    assert math.isclose(v.data, t.item(), rel_tol=1e-14)
    v.backward()
    t.backward()
    np.testing.assert_allclose([x.grad for x in values], tensor.grad, rtol=1e-13)


@given(seed=seeds)
def test_reduction_of_object_arrays(seed):
    x = np.random.default_rng(seed).normal(size=(2, 3))
    values = np.vectorize(Value, otypes=[object])(x)
    out = autograd.logsumexp(values, axis=1)
    np.testing.assert_allclose([v.data for v in out], autograd.logsumexp(x, axis=1), rtol=1e-14)


# -------------------------------------------------------------------------------------------------------- linear

MATMUL_SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((4, 1, 2, 3), (5, 3, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
]


@named(("a", "b"), MATMUL_SHAPES)
def test_matmul(a, b):
    rng = np.random.default_rng(0)
    check_gradients(ops.matmul, [rng.normal(size=a), rng.normal(size=b)], rng)
    check_gradients(ops.matmul, [rng.normal(size=a), rng.normal(size=b)], rng, variables=[1])


@given(rows=st.integers(1, 70), n=st.sampled_from([1, 200, 256, 300]))
def test_products_with_a_large_transpose(rows, n):
    """Some of these products are computed as their transpose."""
    rng = np.random.default_rng(rows)
    a, b = rng.normal(size=(rows, 256)), rng.normal(size=(n, 256))
    out = ops.matmul(a, b.T)
    np.testing.assert_allclose(out, np.einsum("ik,jk->ij", a, b), rtol=1e-10, atol=1e-12)
    assert out.flags.c_contiguous
    assert out.base is None


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 2), (2, 2, 4)),
    ("...ij,jk->...ik", (2, 3, 2), (2, 4)),
    ("i,j->ij", (2,), (3,)),
    ("ij->ji", (2, 3)),
    ("ij->i", (2, 3)),
    ("ij->", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("ii,i->", (3, 3), (3,)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("ij,kl->", (2, 3), (2, 2)),
    ("...i,...i->...", (2, 1, 3), (4, 3)),
    ("bqd,bkd->bqk", (2, 3, 4), (2, 5, 4)),
    ("ij,j->ij", (2, 3), (1,)),
]


@named(("subscripts", "shapes"), [(s, shapes) for s, *shapes in EINSUMS], ids=lambda x: str(x))
def test_einsum(subscripts, shapes):
    rng = np.random.default_rng(0)
    check_gradients(lambda *xs: ops.einsum(subscripts, *xs), [rng.normal(size=s) for s in shapes], rng)


def test_einsum_complains():
    with pytest.raises(ValueError, match="names 2 operands, got 1"):
        autograd.einsum("i,j->ij", Tensor([1.0]))


@settings(max_examples=FEWEST)  # the shapes stay: only the numbers differ
@given(seed=seeds)
def test_dot_and_outer(seed):
    rng = np.random.default_rng(seed)
    check_gradients(ops.dot, [rng.normal(size=3), rng.normal(size=3)], rng)
    check_gradients(ops.dot, [rng.normal(size=(2, 3)), rng.normal(size=(4, 3, 2))], rng)
    check_gradients(ops.dot, [rng.normal(size=()), rng.normal(size=(2,))], rng)
    check_gradients(ops.outer, [rng.normal(size=3), rng.normal(size=(2, 2))], rng)


@given(seed=seeds, n=st.integers(1, 4), with_bias=st.booleans())
def test_dot_of_values(seed, n, with_bias):
    """The vjp of the n-ary node, and the row that states its transposes."""
    w, x = np.random.default_rng(seed).normal(size=(2, n))
    numbers = [*w, *x, 0.5]

    def f(items):
        return autograd.dot(items[:n], items[n : 2 * n], items[-1] if with_bias else None) * 3.0

    leaves = [Value(v) for v in numbers]
    out = f(leaves)
    out.backward()
    expected = [*(3 * x), *(3 * w), 3.0 if with_bias else 0.0]
    assert math.isclose(out.data, 3 * (w @ x + 0.5 * with_bias), rel_tol=1e-12, abs_tol=1e-14)
    np.testing.assert_allclose([v.grad for v in leaves], expected, rtol=1e-14)
    np.testing.assert_allclose(autograd.grad(f)([float(v) for v in numbers]), expected, rtol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_dot_of_values_has_the_second_derivatives_of_its_chain(seed):
    rng = np.random.default_rng(seed)
    left, right, other = rng.normal(size=4).tolist(), rng.normal(size=4).tolist(), float(rng.normal())

    def chain(x, y, bias):
        return sum((xi * yi for xi, yi in zip(x, y, strict=True)), bias)

    def curvature(dot):
        def f(t):
            return dot([n * t for n in left], [n * t * t for n in right], other * t).sin()

        return autograd.grad(autograd.grad(f))(0.7)

    assert curvature(autograd.dot) == pytest.approx(curvature(chain), rel=1e-12)


INDICES = [
    0,
    -1,
    slice(None, None, -1),
    (slice(1, None), slice(None, None, 2)),
    (..., 1),
    (None, 1),
    ([0, 0, 1],),
    np.array([0, 0, 1]),
    np.array([[0, 1], [1, 1]]),
    (np.array([0, 1, 0]), np.array([1, 1, 1])),
    (slice(None), np.array([2, 0, 2])),
    (np.array([1, 1]), slice(0, 2)),
    np.array([[True, False, True], [False, True, True]]),
    np.array([True, False]),
    (np.array([], dtype=int),),
]


@named("index", INDICES, ids=str)
def test_getitem(index):
    rng = np.random.default_rng(0)
    check_gradients(lambda t: ops.getitem(t, index), [rng.normal(size=(2, 3))], rng)


MOVES = {
    "reshape": lambda t: ops.reshape(t, (3, 2)),
    "reshape -1": lambda t: ops.reshape(t, (-1,)),
    "transpose": ops.transpose,
    "transpose axes": lambda t: ops.transpose(ops.reshape(t, (1, 2, 3)), (2, 0, 1)),
    "swapaxes": lambda t: ops.swapaxes(t, 0, -1),
    "broadcast_to": lambda t: ops.broadcast_to(t, (4, 2, 3)),
    "expand_dims": lambda t: ops.expand_dims(t, (0, -1)),
    "squeeze": lambda t: ops.squeeze(ops.reshape(t, (2, 1, 3, 1)), 1),
    "concatenate": lambda t: ops.concatenate([t, np.ones((2, 1)), t[:, :1]], axis=1),
    "stack": lambda t: ops.stack([t, t * 2, np.zeros((2, 3))], axis=-1),
    "split": lambda t: ops.split(t, [1], axis=1)[1] * ops.split(t, 2)[0][0, 0],
    "pad": lambda t: ops.pad(t, ((1, 0), (2, 1))),
    "pad number": lambda t: ops.pad(t, 1),
    "flip": ops.flip,
    "flip axis": lambda t: ops.flip(t, 1),
    "cumsum": ops.cumsum,
    "cumsum axis": lambda t: ops.cumsum(t, -1),
    "sliding_window_view": lambda t: ops.sliding_window_view(t, 2),
    "sliding_window_view apart": lambda t: ops.sliding_window_view(t, (1, 2), (1, 0), (2, 1), (3, 1)),
    "overlap_add": lambda t: ops.overlap_add(t, 4),
    "overlap_add apart": lambda t: ops.overlap_add(t, 7, stride=3, dilation=1),
    "take_along_axis": lambda t: ops.take_along_axis(t, np.array([[0, 0], [2, 1]]), 1),
    "scatter": lambda t: ops.scatter(t, (np.array([0, 0]),), (4, 3)),
    "softmax": ops.softmax,
    "softmax axis": lambda t: ops.softmax(t, 0),
    "log_softmax": ops.log_softmax,
}


@named("move", MOVES.values(), ids=MOVES.keys())
@given(seed=seeds)
def test_moves(move, seed):
    rng = np.random.default_rng(seed)
    check_gradients(move, [rng.normal(size=(2, 3))], rng)


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=3, max_side=4), seed=seeds)
def test_concatenate_gives_together_the_transposes_of_each_operand(data, shape, seed):
    axis = data.draw(st.integers(0, len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    whole = np.random.default_rng(seed).normal(size=(*shape[:axis], sum(lengths), *shape[axis + 1 :]))
    variables = [Tensor(part) for part in np.split(whole, np.cumsum(lengths)[:-1], axis)]
    row = ops.concatenate(variables, axis).op
    inputs = [x.data for x in variables]
    (transpose,) = row.transposes
    needs = [data.draw(st.booleans()) for _ in inputs]
    found = row.vjp(whole, needs, whole, inputs, {"axis": axis})
    for i, (need, part, x) in enumerate(zip(needs, found, inputs, strict=True)):
        assert (part is not None) == need
        if need:
            np.testing.assert_array_equal(part, x)
            np.testing.assert_array_equal(part, transpose(i, whole, *inputs, axis=axis))


def test_concatenation_is_the_only_row_that_gives_its_transposes_together():
    """Another one needs a test like the one above."""
    rows = [row for row in ops.ROWS.values() if isinstance(row, Linear) and row.together is not None]
    assert [row.name for row in rows] == ["concatenate"]


@given(seed=seeds, offset=st.sampled_from([1e3, -1e3, 1e5]))
def test_log_softmax_does_not_see_a_common_offset(seed, offset):
    """In float32 a large offset leaves few digits to the sum of exponentials."""
    x = np.random.default_rng(seed).integers(-8, 8, (2, 5)) / 8
    expected = ops.log_softmax(x)
    np.testing.assert_allclose(ops.log_softmax((x + offset).astype(np.float32)), expected, rtol=1e-6, atol=1e-6)


def test_astype_returns_gradients_in_the_operands_dtype():
    t = Tensor([1.0, 2.0])
    out = t.astype(np.float32)
    assert out.dtype == np.float32
    out.backward([1.0, 3.0])
    assert t.grad.dtype == np.float64
    assert t.grad.tolist() == [1.0, 3.0]


# --------------------------------------------------------------------------------------------------------- fused

FUSED = {
    "linear": lambda rng: [rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)],
    "linear of one": lambda rng: [rng.normal(size=(1, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)],
    "linear batched": lambda rng: [rng.normal(size=(2, 4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)],
    "softmax": lambda rng: [rng.normal(size=(5, 4))],
    "log_softmax": lambda rng: [rng.normal(size=(5, 4))],
    "max_pool": lambda rng: [rng.permutation(48).reshape(2, 4, 6) / 9],
    "cross_entropy": lambda rng: [rng.normal(size=(5, 4)), rng.integers(0, 4, 5)],
    "cross_entropy of one": lambda rng: [rng.normal(size=(1, 4)), rng.integers(0, 4, 1)],
    "cross_entropy of one long": lambda rng: [rng.normal(size=(1, 40)), rng.integers(0, 40, 1)],
}


@named("name", FUSED)
@given(seed=seeds)
def test_fused_equals_composition(name, seed):
    """The hand-written value and vjp equal those of the composition that defines the row."""
    rng = np.random.default_rng(seed)
    row = ops.ROWS[name.split()[0]]
    assert isinstance(row, Fused)
    arrays = FUSED[name](rng)
    results = []
    for f in (row, row.composition):
        operands = [Tensor(x) if x.dtype == np.float64 else x for x in arrays]
        out = f(*operands)
        out.backward(np.random.default_rng(seed).normal(size=out.shape))
        results.append([out.data, *(x.grad for x in operands if isinstance(x, Tensor))])
    for fused, composed in zip(*results, strict=True):
        np.testing.assert_allclose(fused, composed, rtol=1e-12, atol=1e-14)


# ------------------------------------------------------------------------------------------------ the table itself


@named("row", ops.ROWS.values(), **by_name)
def test_documented(row):
    """Every row has a docstring, and its example runs."""
    assert row.summary
    parser = doctest.DocTestParser()
    test = parser.get_doctest(row.__doc__, {**vars(ops)}, row.name, None, None)
    assert test.examples or isinstance(row, Linear)
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(test).failed == 0


def test_only_the_table_knows_derivatives():
    """All partials of a row use the same names for the operands."""
    for row in ELEMENTWISE:
        names = operand_names(row)
        for d in row.partials:
            if d is not None:
                assert d.__code__.co_varnames[: row.arity + 1] == ("out", *names), row
    assert all(row.reads for row in ops.ROWS.values() if isinstance(row, Fused))
