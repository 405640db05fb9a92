"""Transformations: every row is differentiable twice, modes mix, perturbations are not confused."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ops import ELEMENTWISE, FUSED, MOVES, REDUCTIONS, by_name, named, operands_of, seeds, shapes_for

import autograd
import nn
from autograd import Tensor, Value, grad, hessian, hvp, jacobian, jvp, ops, value_and_grad, vjp
from autograd.engine.graph import between, cotangents


def rate(f):
    """The derivative of a function of one number, forward."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def mixed(f, modes):
    for mode in modes:
        f = grad(f) if mode == "r" else rate(f)
    return f


# ------------------------------------------------------------------------------------------ every row, both modes


def check_modes(f, arrays, rng):
    """Check <g, J t> = <J' g, t>, and for the second order forward over reverse against differences of the gradient."""
    tangents = [rng.normal(size=x.shape) for x in arrays]
    out, moved = jvp(f, arrays, tangents)
    g = rng.normal(size=np.shape(out))
    pulled_out, pull = vjp(f, *arrays)
    np.testing.assert_allclose(pulled_out, out, rtol=1e-14)
    pulled = pull(g)
    left = np.sum(g * moved)
    right = sum(np.sum(a * b) for a, b in zip(pulled, tangents, strict=True))
    assert math.isclose(left, right, rel_tol=1e-10, abs_tol=1e-10)

    def gradient(*xs):
        return grad(lambda *ys: ops.sum(ops.mul(g, f(*ys))), argnums=tuple(range(len(xs))))(*xs)

    _, second = jvp(lambda *xs: list(gradient(*xs)), arrays, tangents)
    h = 1e-5
    ahead = gradient(*[x + h * t for x, t in zip(arrays, tangents, strict=True)])
    behind = gradient(*[x - h * t for x, t in zip(arrays, tangents, strict=True)])
    for got, a, b in zip(second, ahead, behind, strict=True):
        numeric = (a - b) / (2 * h)
        np.testing.assert_allclose(got, numeric, rtol=2e-5, atol=2e-5 * (1 + np.max(np.abs(numeric), initial=0)))

    def slope(*xs):  # reverse over forward gives the same
        return ops.sum(ops.mul(g, jvp(f, xs, tangents)[1]))

    for got, other in zip(second, grad(slope, argnums=tuple(range(len(arrays))))(*arrays), strict=True):
        np.testing.assert_allclose(got, other, rtol=1e-9, atol=1e-9)


SMOOTH = [row for row in ELEMENTWISE if row is not ops.clip and None not in row.partials]


@named("row", SMOOTH, **by_name)
@given(data=st.data(), seed=seeds)
def test_elementwise(row, data, seed):
    rng = np.random.default_rng(seed)
    check_modes(row, operands_of(row, data.draw(shapes_for(row.arity)), rng), rng)


@named("row", REDUCTIONS, **by_name)
@given(seed=seeds, axis=st.sampled_from([None, 0, -1, (0, 2)]), keepdims=st.booleans())
def test_reductions(row, seed, axis, keepdims):
    rng = np.random.default_rng(seed)
    x = rng.permutation(12).reshape(2, 3, 2) / 4 - 1.3
    check_modes(lambda t: row(t, axis=axis, keepdims=keepdims), [x], rng)


@named("row", REDUCTIONS, **by_name)
@given(seed=seeds)
def test_reductions_of_values(row, seed):
    x = float(np.random.default_rng(seed).uniform(0.2, 0.9))

    def f(a):
        return row([a, 2.0 * a + 1.0, a * a * a])

    first = [mixed(f, m)(x) for m in ("r", "f")]
    second = [mixed(f, m)(x) for m in ("rr", "rf", "fr", "ff")]
    np.testing.assert_allclose(first, first[0], rtol=1e-12)
    np.testing.assert_allclose(second, second[0], rtol=1e-10, atol=1e-12)
    h = 1e-5
    numeric = (grad(f)(x + h) - grad(f)(x - h)) / (2 * h)
    assert math.isclose(second[0], numeric, rel_tol=1e-5, abs_tol=1e-5)


@named("move", MOVES.values(), ids=MOVES.keys())
def test_moves(move):
    rng = np.random.default_rng(0)
    check_modes(move, [rng.normal(size=(2, 3))], rng)


@named("f", [ops.matmul, lambda a, b: ops.einsum("ij,jk->k", a, b), ops.outer], ids=["matmul", "einsum", "outer"])
def test_products(f):
    rng = np.random.default_rng(0)
    check_modes(f, [rng.normal(size=(2, 3)), rng.normal(size=(3, 4))], rng)


@named("name", FUSED)
def test_fused(name):
    rng = np.random.default_rng(0)
    arrays = FUSED[name](rng)
    constants = [x for x in arrays if x.dtype != np.float64]
    variables = [x for x in arrays if x.dtype == np.float64]
    check_modes(lambda *xs: ops.ROWS[name.split()[0]](*xs, *constants), variables, rng)


# ------------------------------------------------------------------------------------------------------ any order


@named("modes", ["r", "f", "rr", "rf", "fr", "ff", "rrr", "frf", "rfr", "fff", "rrrr", "ffff", "rfrf", "ffrr"])
@given(x=st.floats(-4, 4).filter(lambda x: abs(x) > 1e-3))
def test_orders_one_to_four(modes, x):
    def f(t):
        return t**3 * autograd.sin(t)

    n = len(modes)
    with mpmath.workdps(40):
        t = mpmath.mpf(x)
        # Leibniz: derivatives of t**3 are 3 t**2, 6 t, 6, 0; of sin they shift the phase
        falling = [t**3, 3 * t**2, 6 * t, mpmath.mpf(6)]
        terms = [
            mpmath.binomial(n, k) * falling[k] * mpmath.sin(t + (n - k) * mpmath.pi / 2) for k in range(min(n, 3) + 1)
        ]
        expected, scale = mpmath.fsum(terms), max(map(abs, terms))
    assert abs(mixed(f, modes)(x) - expected) <= 1e-10 * abs(expected) + 1e-14 * scale


def test_perturbations_are_not_confused():
    for outer in (grad, rate):
        for inner in (grad, rate):
            assert outer(lambda x, inner=inner: x * inner(lambda y: x + y)(x))(1.0) == 1.0
            assert outer(lambda x, inner=inner: inner(lambda y: x * y * y)(3.0) * x)(2.0) == 24.0


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


@given(seed=seeds)
def test_hessian_of_rosenbrock(seed):
    x = np.random.default_rng(seed).normal(size=4)
    H = hessian(rosenbrock)(x)
    np.testing.assert_allclose(H, H.T, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(H, jacobian(grad(rosenbrock), mode="reverse")(x), rtol=1e-12, atol=1e-9)
    h = 1e-5
    numeric = np.stack([(grad(rosenbrock)(x + h * e) - grad(rosenbrock)(x - h * e)) / (2 * h) for e in np.eye(4)])
    np.testing.assert_allclose(H, numeric, rtol=1e-5, atol=1e-4)
    v = np.random.default_rng(seed + 1).normal(size=4)
    np.testing.assert_allclose(hvp(rosenbrock, x, v), H @ v, rtol=1e-10, atol=1e-9)


def test_hessian_of_a_networks_loss():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)

    def loss(flat):
        w1, w2 = flat[:12].reshape(3, 4), flat[12:].reshape(4, 2)
        return autograd.cross_entropy(autograd.tanh(x @ w1) @ w2, labels)

    w = rng.normal(size=20) * 0.5
    H = hessian(loss)(w)
    np.testing.assert_allclose(H, jacobian(grad(loss), mode="reverse")(w), rtol=1e-9, atol=1e-12)
    h = 1e-5
    numeric = np.stack([(grad(loss)(w + h * e) - grad(loss)(w - h * e)) / (2 * h) for e in np.eye(20)])
    np.testing.assert_allclose(H, numeric, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(hvp(loss, w, numeric[0]), H @ numeric[0], rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------------------ arguments and results


def test_containers_and_several_arguments():
    def f(p, scale):
        return scale * (p["w"] * p["x"][0] + p["x"][1] ** 2).sum()

    p = {"w": np.array([1.0, 2.0]), "x": [3.0, 4.0]}
    value, (gp, gs) = value_and_grad(f, argnums=(0, 1))(p, 2.0)
    assert value == 82.0
    assert gp["w"].tolist() == [6.0, 6.0]
    assert gp["x"] == [6.0, 32.0]
    assert gs == 41.0
    assert type(gs) is float
    assert grad(lambda a, b: a * b, argnums=-1)(2.0, 3.0) == 2.0


def test_a_modules_parameters():
    model = nn.MLP(2, [3, 1], activation="tanh")
    grads = grad(lambda m: m([0.5, -1.0]) ** 2)(model)
    (model([0.5, -1.0]) ** 2).backward()
    assert grads == {name: p.grad for name, p in model.named_parameters()}
    assert all(type(g) is float for g in grads.values())
    layers = nn.dense(2, 3, 1, rng=0)
    x = np.ones((4, 2), np.float32)
    grads = grad(lambda m: (m(x) ** 2).mean())(layers)
    assert [p.grad for p in layers.parameters()] == [None] * 4  # no .grad is changed
    (layers(x) ** 2).mean().backward()
    for name, p in layers.named_parameters():
        np.testing.assert_array_equal(grads[name], p.grad)
        assert grads[name].dtype == np.float32


def test_programs_that_look_at_the_numbers_run_forward():
    """`.data`, `.item`, `.tolist` and `.astype` also exist in forward mode, at every order."""
    assert jvp(lambda x: x * (x.data > 0), (2.0,), (1.0,)) == (2.0, 1.0)
    assert jvp(lambda x: x * x.item(), (3.0,), (1.0,)) == (9.0, 3.0)
    out, rate = jvp(lambda x: x.astype(np.float32) * (x.data > 0), (np.array([2.0, -1.0]),), (np.ones(2),))
    assert (out.dtype, rate.dtype, rate.tolist()) == (np.float32, np.float32, [1.0, 0.0])
    assert jvp(lambda x: x * x.tolist()[0], (np.array([3.0]),), (np.ones(1),))[1] == 3.0
    assert hessian(lambda x: (x * x * (x.data > 0)).sum())(np.array([1.0, -1.0])).tolist() == [[2.0, 0.0], [0.0, 0.0]]


def test_plain_in_plain_out_variables_in_variables_out():
    def f(x):
        return x * x * x

    assert type(grad(f)(2.0)) is float
    assert type(grad(lambda x: f(x).sum())(np.ones(2))) is np.ndarray
    x = Value(2.0)
    g = grad(f)(x)
    assert isinstance(g, Value)
    g.backward()
    assert (g.data, x.grad) == (12.0, 12.0)
    assert type(grad(f, create_graph=False)(Value(2.0))) is float
    t = Tensor([1.0, 2.0])
    g = grad(lambda t: (t**3).sum())(t)
    (g * g).sum().backward()
    np.testing.assert_allclose(t.grad, 2 * 3 * t.data**2 * 6 * t.data)
    weights = grad(lambda m: m([1.0]) ** 2, create_graph=True)(nn.Neuron(1, nonlin=False))
    assert all(isinstance(g, Value) for g in weights.values())


def test_jacobians():
    x = np.array([1.0, 2.0, 3.0])
    f = lambda x: autograd.stack([x[0] * x[1], x[2] ** 2])  # noqa: E731
    expected = [[2.0, 1.0, 0.0], [0.0, 0.0, 6.0]]
    for mode in (None, "forward", "reverse"):
        np.testing.assert_array_equal(jacobian(f, mode=mode)(x), expected)
        got = jacobian(lambda x: [x[0] * x[1], x[2] ** 2], mode=mode)([1.0, 2.0, 3.0])
        np.testing.assert_array_equal(got, expected)
    assert jacobian(lambda x: x**2)(3.0) == 6.0
    for mode in (None, "forward", "reverse"):  # an array may have one element; a dictionary counts by its leaves
        assert jacobian(lambda x: x**2, mode=mode)(np.array([3.0])).tolist() == [[6.0]]
        assert jacobian(lambda x: [x**2], mode=mode)(3.0).tolist() == [6.0]
        assert jacobian(lambda d: d["a"] * d["b"], mode=mode)({"a": 2.0, "b": 3.0}).tolist() == [3.0, 2.0]
    assert hessian(lambda x: (x**3).sum())(np.array([2.0])).tolist() == [[12.0]]
    assert jacobian(lambda m: m @ m)(np.ones((2, 2))).shape == (2, 2, 2, 2)
    with pytest.raises(ValueError, match="sideways"):
        jacobian(f, mode="sideways")


def test_equal_numbers_in_a_function_are_not_told_apart_without_a_word():
    for compare in (lambda x, y: x == y, lambda x, y: x != y, lambda x, y: y in [x]):
        f = lambda x, y, compare=compare: x * y if compare(x, y) else x  # noqa: E731
        with pytest.raises(TypeError, match=r"== of two Values, both 2\.0.*autograd\.equal"):
            grad(f)(2.0, Value(2.0))
        x, y = Value(2.0), Value(2.0)
        assert bool(compare(x, y)) == (compare(1, 2))  # outside: by identity
        assert grad(f)(2.0, Value(3.0)) == (3.0 if compare(1, 2) else 1.0)
    assert grad(lambda x: x * x if x == x else x)(2.0) == 4.0


@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize("live", [False, True])
def test_reverse_mode_between_nodes(kind, live):
    """A node that is asked for is a leaf. A result that comes twice counts twice. Other paths are not swept."""
    x, w = kind(3.0), kind(5.0)
    y = x * x
    z = y * x * w
    out = z + w.exp()
    products = between([out], [x])
    assert [node.op.name for node in products] == ["mul", "mul", "mul", "add"]
    assert [node.op.name for node in between([out], [x, y])] == ["mul", "mul", "add"]
    assert between([y], [y, x]) == between([w], [x]) == between([2.0], [x]) == []

    def slopes(outputs, seeds, wrt):
        one = ops.identity if kind is Value else np.asarray
        return [None if g is None else float(ops.detach(g))
                for g in cotangents(outputs, [one(seed) for seed in seeds], wrt, live)]  # fmt: skip

    assert slopes([out], [1.0], [x]) == [3 * 9.0 * 5.0]
    assert slopes([out], [1.0], [x, y]) == [9.0 * 5.0, 3.0 * 5.0]
    assert slopes([y, y, x], [1.0, 2.0, 4.0], [x]) == [3 * 6.0 + 4.0]
    assert slopes([y, w, 2.0], [1.0, 2.0, 4.0], [x, w]) == [6.0, 2.0]
    assert slopes([y], [1.0], [w]) == [None]
    assert [node.grad for node in (x, w, y, z, out)] == [x.empty_grad] * 5


def test_what_does_not_depend():
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert grad(lambda x, y: y)(1.0, 2.0) == 0.0
    assert grad(lambda x: x)(1.0) == 1.0
    assert grad(grad(lambda x: 2.0 * x))(1.0) == 0.0
    assert jvp(lambda x: 5.0, (1.0,), (1.0,)) == (5.0, 0.0)
    assert grad(lambda x: (x * 0.0 + 1.0).sum())(np.ones(2)).tolist() == [0.0, 0.0]


def test_honest_infinities():
    assert grad(autograd.log)(0.0) == math.inf
    assert rate(autograd.log)(0.0) == math.inf
    assert grad(grad(autograd.sqrt))(0.0) == -math.inf
    assert math.isnan(grad(lambda x: autograd.sqrt(x) ** 2)(0.0))


def test_refusals():
    with pytest.raises(ValueError, match=r"one number.*\(2,\)"):
        grad(lambda x: x * x)(np.ones(2))
    with pytest.raises(TypeError, match="int64"):
        grad(lambda x: x.sum())(np.arange(3))
    with pytest.raises(TypeError, match="str"):
        grad(lambda x: x)("a")
    with pytest.raises(IndexError, match="argument 2"):
        grad(lambda x: x, argnums=2)(1.0)
    with pytest.raises(ValueError, match="a tangent for each argument, got 2 for 1"):
        jvp(lambda x: x, (1.0,), (1.0, 2.0))
    with pytest.raises(ValueError, match="shapes"):
        jvp(lambda x: x, (np.ones(2),), (np.ones(3),))
    _, pull = vjp(lambda x: x * x, np.ones(2))
    with pytest.raises(ValueError, match=r"\(2,\), not \(3,\)"):
        pull(np.ones(3))


@pytest.mark.parametrize("reduce", [autograd.sum, autograd.max, autograd.mean, autograd.logsumexp, autograd.prod])
def test_what_is_reduced_under_no_grad_is_a_constant_in_forward_mode(reduce):
    def f(x):
        with autograd.no_grad():
            total = reduce([x, 2.0 * x])
        return total * x

    value, slope = jvp(f, (3.0,), (1.0,))
    assert slope == pytest.approx(value / 3.0, rel=1e-12)
