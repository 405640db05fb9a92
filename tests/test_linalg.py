"""`numpy.linalg` on variables: each function on single matrices, stacks and 1 x 1, in every mode, to order 2.

The oracles are NumPy for values and central differences, on every single entry, for derivatives.
"""

import zlib
from typing import Any

import numpy as np
import pytest
from numpy.linalg import LinAlgError

from autograd import Tensor, grad, hessian, jacobian, jvp

linalg: Any = np.linalg  # whose declarations do not know that it takes Tensors
ORDERS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
POWERS = [0, 1, 2, 3, 4, 1.5, 0.5, -0.5, -1, -2, np.inf, -np.inf]

# how to call it, and what its operands are: see `operand`
CASES: dict[str, tuple[Any, ...]] = {
    "inv": (linalg.inv, "square"),
    "solve": (linalg.solve, "square", "wide"),
    "solve a vector": (linalg.solve, "square", "vector"),
    "det": (linalg.det, "square"),
    "slogdet": (lambda a: linalg.slogdet(a).logabsdet, "square"),
    "cholesky": (linalg.cholesky, "lower"),
    "cholesky upper": (lambda a: linalg.cholesky(a, upper=True), "upper"),
    "eigenvalues": (lambda a: linalg.eigh(a).eigenvalues, "lower"),
    "eigenvectors": (lambda a: linalg.eigh(a).eigenvectors ** 2, "lower"),
    "both of eigh": (lambda a: linalg.eigh(a, "U")[0][..., None, :] * linalg.eigh(a, "U")[1] ** 2, "upper"),
    "eigvalsh": (lambda a: linalg.eigvalsh(a, UPLO="u"), "upper"),
    "left of svd": (lambda a: linalg.svd(a, full_matrices=False).U ** 2, "tall"),
    "right of svd": (lambda a: linalg.svd(a, full_matrices=False).Vh ** 2, "wide"),
    "svd": (lambda a: (lambda u, s, vh: (u**2 * s[..., None, :]) @ vh**2)(*linalg.svd(a)), "square"),
    "svd without vectors": (lambda a: linalg.svd(a, compute_uv=False), "tall"),
    "svdvals": (linalg.svdvals, "wide"),
    "pinv": (linalg.pinv, "tall"),
    "pinv of rows": (lambda a: linalg.pinv(a, rtol=1e-4), "wide"),
    "matrix_power": (lambda a: linalg.matrix_power(a, 5), "square"),
    "matrix_power -2": (lambda a: linalg.matrix_power(a, -2), "square"),
    "matrix_power 0": (lambda a: linalg.matrix_power(a, 0), "square"),
    "norm": (linalg.norm, "vector"),
    "norm of all": (linalg.norm, "tall"),
    "vector_norm of all": (lambda a: linalg.vector_norm(a, ord=3, keepdims=True), "tall"),
    **{f"cond {p}": (lambda a, p=p: linalg.cond(a, p), "square") for p in [None, "nuc", 1, -2]},
    **{f"matrix norm {p}": (lambda a, p=p: linalg.norm(a, p, (-1, -2)), "tall") for p in ORDERS},
    **{f"matrix_norm {p}": (lambda a, p=p: linalg.matrix_norm(a, ord=p, keepdims=True), "wide") for p in ["nuc", 1]},
    **{f"vector norm {p}": (lambda a, p=p: linalg.norm(a, p, axis=-1), "tall") for p in POWERS},
    **{f"vector_norm {p}": (lambda a, p=p: linalg.vector_norm(a, axis=(0, -1), ord=p), "tall") for p in [0.5, np.inf]},
}
UNSTACKED: dict[str, tuple[Any, ...]] = {
    "lstsq": (lambda a, b: linalg.lstsq(a, b)[0], "tall", "tall"),
    "lstsq of rows": (lambda a, b: linalg.lstsq(a, b)[0], "wide", "square"),
    "lstsq of a vector": (lambda a, b: linalg.lstsq(a, b, 1e-3)[0], "square", "vector"),
    "residuals": (lambda a, b: linalg.lstsq(a, b, rcond=-1)[1], "tall", "tall"),
    "multi_dot": (lambda *arrays: linalg.multi_dot(arrays), "vector", "wide", "tall", "square"),
    "multi_dot between vectors": (lambda a, b: linalg.multi_dot([a, b, a]), "vector", "square"),
    "multi_dot of two": (lambda a, b: linalg.multi_dot([a, b]), "tall", "square"),
    "tensorinv": (lambda a: linalg.tensorinv(a[:, None, None], ind=2), "square"),
    "tensorsolve": (lambda a, b: linalg.tensorsolve(a[:, None], b), "square", "vector"),
    "tensorsolve by axes": (lambda a, b: linalg.tensorsolve(a[..., None], b, axes=(0,)), "square", "vector"),
}


def operand(kind, stack, n, rng):
    if kind == "vector":
        return rng.normal(size=n)
    x = rng.normal(size=(*stack, n + (kind == "tall"), n + (kind == "wide")))
    x += 2 * np.eye(*x.shape[-2:])
    if kind in ("lower", "upper"):  # symmetric; the half that is not read differs
        x = x @ np.swapaxes(x, -1, -2) + np.diag(1.0 + np.arange(n))
        x += np.triu(np.ones((n, n)), 1) if kind == "lower" else np.tril(np.ones((n, n)), -1)
    return x


def differences(f, xs, c, i, h=1e-5):
    """The gradient of ``(f * c).sum()`` with respect to operand i, entry by entry."""
    found = np.empty_like(xs[i])
    for index in np.ndindex(*found.shape):
        values = []
        for step in (h, -h):
            moved = [x.copy() for x in xs]
            moved[i][index] += step
            values.append(np.sum(f(*moved) * c))
        found[index] = (values[0] - values[1]) / (2 * h)
    return found


def check(f, *xs, second=True, single=True):
    """Check value, reverse, forward, forward over reverse, reverse over reverse, constant operands, and float32."""
    rng = np.random.default_rng(0)
    value = f(*xs)
    c = rng.normal(size=np.shape(value))
    tensors = [Tensor(x) for x in xs]
    out = f(*tensors)
    assert out.shape == np.shape(value)
    np.testing.assert_allclose(out.data, value, rtol=1e-10, atol=1e-12)
    (out * c).sum().backward()
    grads = [t.grad for t in tensors]
    for i, (x, g) in enumerate(zip(xs, grads, strict=True)):
        np.testing.assert_allclose(g, differences(f, xs, c, i), rtol=1e-5, atol=1e-7 * (1 + np.abs(g).max(initial=0)))
        only = Tensor(x)
        (f(*xs[:i], only, *xs[i + 1 :]) * c).sum().backward()
        np.testing.assert_allclose(only.grad, g, rtol=1e-10, atol=1e-12)
        t = rng.normal(size=x.shape)
        _, moved = jvp(lambda z, i=i: f(*xs[:i], z, *xs[i + 1 :]), (x,), (t,))
        assert np.shape(moved) == np.shape(value)
        np.testing.assert_allclose(np.sum(moved * c), np.sum(t * g), rtol=1e-8, atol=1e-9)
    if second:
        ts = [rng.normal(size=x.shape) for x in xs]
        gradient = grad(lambda *zs: (f(*zs) * c).sum(), argnums=tuple(range(len(xs))))
        along = [gradient(*(x + h * t for x, t in zip(xs, ts, strict=True))) for h in (1e-5, -1e-5)]
        _, forward = jvp(gradient, xs, ts)
        reverse = grad(
            lambda *zs: sum((g * t).sum() for g, t in zip(gradient(*zs), ts, strict=True)), tuple(range(len(xs)))
        )(*xs)
        for a, b, high, low in zip(forward, reverse, *along, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8 * (1 + np.abs(a).max(initial=0)))
            size = 1 + np.abs(a).max(initial=0)
            np.testing.assert_allclose(a, (high - low) / 2e-5, rtol=1e-5, atol=1e-7 * size)
    if not single:
        return
    small = [x.astype(np.float32) for x in xs]
    tensors = [Tensor(x) for x in small]
    out, value = f(*tensors), f(*small)
    assert out.dtype == np.asarray(value).dtype == np.float32
    np.testing.assert_allclose(out.data, value, rtol=1e-4, atol=1e-5)
    (out * c.astype(np.float32)).sum().backward()
    for t, g in zip(tensors, grads, strict=True):
        assert t.grad.dtype == np.float32
        np.testing.assert_allclose(t.grad, g, rtol=1e-2, atol=1e-3 * (1 + np.abs(g).max(initial=0)))


@pytest.mark.parametrize(("stack", "n"), [((), 3), ((2,), 2), ((), 1)], ids=["single", "stack", "1x1"])
@pytest.mark.parametrize("name", CASES)
def test_functions_of_stacks(name, stack, n):
    f, *kinds = CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    check(f, *(operand(kind, stack, n, rng) for kind in kinds), second=n > 1, single=not stack)


@pytest.mark.parametrize("n", [3, 1])
@pytest.mark.parametrize("name", UNSTACKED)
def test_functions_of_single_matrices(name, n):
    f, *kinds = UNSTACKED[name]
    rng = np.random.default_rng(n)
    check(f, *(operand(kind, (), n, rng) for kind in kinds))


@pytest.mark.parametrize("shape", [(0, 0), (0, 2, 2), (2, 0, 0)])
@pytest.mark.parametrize("name", [name for name in CASES if name not in ("norm", "solve a vector")])
def test_nothing(name, shape):
    """Arrays without elements give NumPy's value or its error."""
    f, *kinds = CASES[name]
    x = np.zeros(shape)
    try:
        with np.errstate(all="ignore"):
            value = f(*[x] * len(kinds))
    except Exception as error:
        with pytest.raises(type(error)):
            f(*[Tensor(x)] * len(kinds))
        return
    t = Tensor(x)
    out = f(*[t] * len(kinds))
    np.testing.assert_array_equal(out.data, value)
    out.sum().backward()
    assert t.grad.shape == shape
    assert np.shape(jvp(lambda z: f(*[z] * len(kinds)), (x,), (x,))[1]) == np.shape(value)


# ------------------------------------------------------------------------------------------ where formulas divide by 0


def of_rank(rank, n, rng):
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))


@pytest.mark.parametrize(("n", "rank"), [(n, rank) for n in (2, 3, 4, 6) for rank in (0, n - 2, n - 1)])
def test_determinants_of_singular_matrices(n, rank):
    """To order 3. Each derivative is compared with differences of the one before."""
    rng = np.random.default_rng(n)
    a, t = of_rank(rank, n, rng), rng.normal(size=(n, n))
    functions = [linalg.det, lambda x: np.sum(grad(linalg.det)(x) * t)]
    functions.append(lambda x: jvp(functions[1], (x,), (t,))[1])
    h = 1e-4
    for f in functions:
        slope = jvp(f, (a,), (t,))[1]
        np.testing.assert_allclose(slope, (f(a + h * t) - f(a - h * t)) / (2 * h), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.sum(grad(f)(a) * t), slope, rtol=1e-7, atol=1e-9)


def test_determinants_do_not_depend_on_the_rest_of_the_stack():
    rng = np.random.default_rng(0)
    stack = np.stack([rng.normal(size=(5, 5)), *(of_rank(rank, 5, rng) for rank in (3, 0, 4)), np.full((5, 5), np.nan)])
    together = grad(lambda a: linalg.det(a).sum())(stack)
    for alone, found in zip(stack[:-1], together, strict=False):
        np.testing.assert_array_equal(found, grad(linalg.det)(alone))
    assert np.isnan(together[-1]).all()
    graded = np.diag(10.0 ** -np.arange(0, 24, 4))
    np.testing.assert_allclose(np.diag(grad(linalg.det)(graded)), np.linalg.det(graded) / np.diag(graded), rtol=1e-10)


SPECTRAL = {
    "trace": lambda a: linalg.eigvalsh(a).sum(),
    "determinant": lambda a: linalg.eigh(a)[0].prod(),
    "squares": lambda a: (linalg.eigh(a).eigenvalues ** 2).sum(),
    "squares of svd": lambda a: (linalg.svd(a).S ** 2).sum(),
    "nuclear norm": lambda a: linalg.norm(a, "nuc"),
}


@pytest.mark.parametrize("name", SPECTRAL)
@pytest.mark.parametrize(
    "a", [np.eye(3), np.diag([1.0, 2.0, 1.0]), 2 * np.ones((3, 3)), np.zeros((3, 3)), np.ones((1, 1))]
)
def test_equal_eigenvalues(a, name):
    """Symmetric functions of equal eigenvalues, and norms, have finite and right derivatives in both modes."""
    f = SPECTRAL[name]
    g = grad(f)(a)
    np.testing.assert_allclose(g, differences(f, [a], 1.0, 0), atol=1e-5)
    np.testing.assert_allclose(jacobian(f, mode="forward")(a), g, atol=1e-12)


def test_what_has_no_derivative_is_not_a_number():
    for f in (lambda a: linalg.eigh(a)[1], lambda a: linalg.svd(a)[0], lambda a: linalg.svd(a)[2]):
        for mode in ("forward", "reverse"):
            assert not np.isfinite(jacobian(f, mode=mode)(np.eye(2))).all(), mode
    assert np.isnan(hessian(lambda a: (linalg.eigvalsh(a) ** 2).sum())(np.eye(2))).any()
    q = linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    nearly = q @ np.diag([1.0, 1.0, 2.0]) @ q.T  # two are equal, except for rounding
    assert not np.isfinite(jacobian(lambda a: linalg.eigh(a)[1])(nearly)).all()
    for a in (q[:, :1] @ q[1:, :1].T, q[1:, :1] @ q[:, :1].T):  # of rank 1, except for rounding
        short = "U" if len(a) == 3 else "Vh"
        assert not np.isfinite(jacobian(lambda a, s=short: getattr(linalg.svd(a, False), s))(a)).all()
    sign, logarithm = linalg.slogdet(Tensor(np.stack([np.ones((2, 2)), np.eye(2)])))
    assert type(sign) is np.ndarray
    np.testing.assert_array_equal(sign, [0, 1])
    np.testing.assert_array_equal(logarithm.data, [-np.inf, 0])
    g = grad(lambda a: linalg.slogdet(a)[1].sum())(np.stack([np.ones((2, 2)), np.eye(2)]))
    assert np.isnan(g[0]).all()
    np.testing.assert_array_equal(g[1], np.eye(2))
    assert linalg.cond(Tensor(np.ones((2, 2))), 1).item() == np.inf


@pytest.mark.parametrize("p", [p for p in POWERS if p != 0])
def test_norms_at_zero(p):
    """The slope is 0 at the zero vector and at the kinks of single elements, as by central differences."""

    def f(x):
        return linalg.norm(x, p)

    np.testing.assert_array_equal(grad(f)(np.zeros(3)), 0 if abs(p) != np.inf else np.zeros(3))
    x = np.array([0.0, 1.0, -2.0])
    with np.errstate(all="ignore"):
        expected = differences(f, [x], 1.0, 0)
    np.testing.assert_allclose(grad(f)(x), expected, atol=1e-5 if p >= 1 else 1e-2)


def test_norms_have_the_orders_that_their_powers_have():
    def f(x):
        return linalg.norm(x * np.array([1.0, 0.0]) + np.array([0.0, 1.0]), 4)

    slope = f
    for _ in range(4):
        slope = grad(lambda x, f=slope: f(x).sum())
    np.testing.assert_allclose(slope(np.zeros(2)), [6, 0])  # f is 1 + x**4 / 4 near 0
    assert np.isfinite(hessian(lambda x: linalg.norm(x, 3))(np.zeros(2))).all()


def test_norms_of_zero_matrices():
    for p in ORDERS:
        np.testing.assert_array_equal(grad(lambda a, p=p: linalg.norm(a, p))(np.zeros((2, 3))), 0)
    np.testing.assert_array_equal(grad(lambda a: linalg.norm(a, -2))(np.ones((3, 3))), 0)


def test_ties_share():
    np.testing.assert_allclose(grad(lambda a: linalg.norm(a, 2))(np.eye(2)), np.eye(2) / 2)
    np.testing.assert_allclose(grad(lambda x: linalg.norm(x, np.inf))(np.array([1.0, -1.0])), [0.5, -0.5])
    np.testing.assert_allclose(grad(lambda a: linalg.norm(a, 1))(np.ones((2, 2))), np.full((2, 2), 0.5))


def test_pseudo_inverses_of_lower_rank():
    """The derivative along matrices of the same rank."""
    rng = np.random.default_rng(0)
    left, right, c = rng.normal(size=(4, 2)), rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    b = rng.normal(size=4)
    for f in (
        lambda u, v: (linalg.pinv(u @ v, rcond=1e-8) * c).sum(),
        lambda u, v: (linalg.lstsq(u @ v, b, rcond=1e-8)[0] * c[:, 0]).sum(),
        lambda u, v: (linalg.lstsq(u * 0 + 1, b[:, None] @ v[:1], rcond=-1)[0] ** 2).sum(),
    ):
        gradient = grad(f, (0, 1))
        for i, g in enumerate(gradient(left, right)):
            np.testing.assert_allclose(g, differences(f, [left, right], 1.0, i), rtol=1e-5, atol=1e-6)
        _, (along, _) = jvp(lambda u, f=gradient: f(u, right), (left,), (left,))
        high, low = (gradient(left * (1 + h), right)[0] for h in (1e-5, -1e-5))
        np.testing.assert_allclose(along, (high - low) / 2e-5, rtol=1e-4, atol=1e-5)


# --------------------------------------------------------------------------------------------------- forms of the call


def test_results_are_numpys_own_kinds():
    a = Tensor(np.diag([1.0, 2.0]))
    for name in ("eigh", "svd", "slogdet"):
        assert type(getattr(linalg, name)(a)) is type(getattr(linalg, name)(a.data))
    x, residuals, rank, s = linalg.lstsq(Tensor(np.eye(3)[:, :2]), np.arange(3.0))
    np.testing.assert_allclose(x.data, [0, 1])
    np.testing.assert_allclose(residuals.data, [4])
    assert (rank, s.tolist()) == (2, [1, 1])
    assert linalg.lstsq(Tensor(np.ones((3, 2))), np.arange(3.0))[1].shape == (0,)
    assert linalg.matrix_rank(a) == 2
    assert linalg.multi_dot([np.ones(2), a, np.ones(2)]).shape == ()
    column = Tensor(np.ones((9, 1)))  # the cheaper order computes a number first, not a matrix
    assert linalg.multi_dot([column, column.T, column]).operands[1].shape == (1, 1)


def test_arguments_are_bound_as_numpy_binds_them():
    x = np.array([[1.0, 0.0], [3.0, 4.0]])
    t = Tensor(x)
    for call in (
        lambda a: linalg.norm(a, None, 1),
        lambda a: linalg.norm(a, 1, (0, 1), True),
        lambda a: linalg.norm(ord=0, x=a, axis=-1),
        lambda a: linalg.norm(a, axis=np.int64(0)),
        lambda a: linalg.solve([[2, 0], [0, 4]], a),
        lambda a: linalg.multi_dot([[[1, 2]], a]),
        lambda a: linalg.multi_dot([[1, 2], a, [a[0, 0], 1.0]]),
        lambda a: linalg.matrix_power(a, np.int64(3)),
    ):
        np.testing.assert_allclose(call(t).data, call(x), rtol=1e-12)


REFUSED: dict[str, Any] = {
    "svd of a Tensor of shape (3, 2) does not take full_matrices": lambda t: linalg.svd(np.ones((3, 1)) * t[0]),
    "svd of a Tensor does not take hermitian": lambda t: linalg.svd(t, hermitian=True),
    "pinv of a Tensor does not take hermitian": lambda t: linalg.pinv(t, hermitian=True),
    "multi_dot of a Tensor does not take out": lambda t: linalg.multi_dot([t, t], out=np.eye(2)),
    "linalg.qr of a Tensor is not differentiable": linalg.qr,
    "linalg.eig of a Tensor is not differentiable": linalg.eig,
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_name_function_and_argument(what):
    with pytest.raises(TypeError) as caught:
        REFUSED[what](Tensor(np.eye(2)))
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("inv", [np.ones((2, 2))]),
        ("inv", [np.ones((2, 3))]),
        ("solve", [np.ones((2, 2)), np.ones(2)]),
        ("solve", [np.eye(2), np.ones(3)]),
        ("det", [np.ones(2)]),
        ("cholesky", [-np.eye(2)]),
        ("cholesky", [np.ones((2, 3))]),
        ("eigh", [np.eye(2), "X"]),
        ("eigvalsh", [np.ones((3, 2))]),
        ("lstsq", [np.ones((3, 2)), np.ones(2)]),
        ("matrix_power", [np.ones((2, 3)), 2]),
        ("matrix_power", [np.eye(2), 1.5]),
        ("multi_dot", [[np.eye(2)]]),
        ("norm", [np.ones(2), "fro"]),
        ("norm", [np.eye(2), 3]),
        ("norm", [np.ones((2, 2, 2)), 2]),
        ("norm", [np.ones(2), 2, 1]),
        ("tensorsolve", [np.ones((2, 3)), np.ones(2)]),
        ("tensorinv", [np.eye(2), 0]),
        ("cond", [np.zeros((0, 0))]),
    ],
)
def test_bad_operands_raise_at_the_call_as_in_numpy(function, args):
    call = getattr(linalg, function)
    with pytest.raises((ValueError, TypeError)) as expected:
        call(*args)
    first = [Tensor(args[0][0])] if function == "multi_dot" else Tensor(args[0])
    with pytest.raises(expected.type if issubclass(expected.type, LinAlgError) else (ValueError, TypeError)):
        call(first, *args[1:])
