"""Each row and each of NumPy's functions, in every mode, with every mix of operands.

A cell is a function, a choice of variables and constants among its operands, a dtype and a mode. Each cell is compared
with NumPy's number on plain arrays, with differences of it, and with the other modes. The direction of the differences
and the weights of the results are random, so that every wrong entry shows. In float32 every second mix of each function
is tested, and all of them at night.
"""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import some
from numpy_cases import CASES
from test_ops import EINSUMS, ELEMENTWISE, MATMUL_SHAPES, MOVES, REDUCTIONS, operands_of

from autograd import Tensor, functions, grad, hessian, hvp, jacobian, jvp, ops
from autograd.functions import table, ufuncs

BROADCAST: dict[int, Any] = {1: [((2, 3),), ((),)],
             2: [((2, 3), (2, 3)), ((3,), (2, 3)), ((2, 3), ()), ((2, 1), (1, 3)), ((), ())],
             3: [((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), ()), ((), (2, 3), (3,))]}  # fmt: skip


def leaves(out):
    """The results of a function, in one list: arrays, Tensors, numbers."""
    if isinstance(out, (list, tuple)):
        return [x for item in out for x in leaves(item)]
    return [out]


def weighted(f, weights):
    """The function as one number: the weighted sum of its results."""

    def one(*xs):
        total = 0.0
        for out, w in zip(leaves(f(*xs)), weights, strict=True):
            total = total + ops.sum(ops.mul(out, w))
        return total

    return one


def check(f, arrays, variables, dtype=np.float64):
    """Check one function with these operands as variables: value, reverse, forward, and one over the other."""
    rng = np.random.default_rng(0)
    arrays = [x.astype(dtype) if x.dtype.kind == "f" else x for x in arrays]
    exact = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in arrays]
    wanted = leaves(f(*arrays))
    got = leaves(f(*[Tensor(x) if i in variables else x for i, x in enumerate(arrays)]))
    tight = 1e-12 if dtype == np.float64 else 2e-5
    for a, b in zip(got, wanted, strict=True):
        numbers = ops.detach(a)
        assert np.shape(numbers) == np.shape(b)
        assert np.asarray(numbers).dtype in (np.asarray(b).dtype, dtype)  # with float64 constants NumPy may widen
        np.testing.assert_allclose(numbers, b, rtol=tight, atol=tight)
    weights = [np.asarray(rng.normal(size=np.shape(x))).astype(dtype) for x in wanted]
    moves = [np.asarray(rng.normal(size=arrays[i].shape)).astype(dtype) for i in variables]

    def of_variables(*xs):
        whole = list(arrays)
        for i, x in zip(variables, xs, strict=True):
            whole[i] = x
        return f(*whole)

    points = [arrays[i] for i in variables]
    one = weighted(of_variables, weights)
    which = tuple(range(len(variables)))
    gradient = grad(one, argnums=which)
    reverse = gradient(*points)
    for g, x in zip(reverse, points, strict=True):
        assert g.shape == x.shape
        assert g.dtype == x.dtype
    out, forward = jvp(of_variables, points, moves)
    for a, b in zip(leaves(out), leaves(forward), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype or np.ndim(a) == 0  # a number comes as a float
    along = sum(float(np.sum(w * t)) for w, t in zip(weights, leaves(forward), strict=True))
    by_reverse = sum(float(np.sum(g * m)) for g, m in zip(reverse, moves, strict=True))

    def at(h):
        whole = list(exact)
        for i, m in zip(variables, moves, strict=True):
            whole[i] = whole[i] + h * m
        return sum(float(np.sum(np.asarray(x) * w)) for x, w in zip(leaves(f(*whole)), weights, strict=True))

    rough, numeric = ((8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h) for h in (1e-3, 2.5e-4))
    scale = 1 + abs(numeric)
    assert abs(along - by_reverse) <= (1e-10 if dtype == np.float64 else 2e-4) * scale, (along, by_reverse)
    allowed = abs(rough - numeric) + (1e-8 if dtype == np.float64 else 5e-4) * scale
    assert abs(by_reverse - numeric) <= allowed, (by_reverse, numeric)

    _, forward_over_reverse = jvp(lambda *xs: list(gradient(*xs)), points, moves)

    def slope(*xs):
        return sum(ops.sum(ops.mul(g, m)) for g, m in zip(gradient(*xs), moves, strict=True))

    reverse_over_reverse = grad(slope, argnums=which)(*points)
    reverse_over_forward = grad(lambda *xs: weighted(lambda *ys: jvp(of_variables, ys, moves)[1], weights)(*xs),
                                argnums=which)(*points)  # fmt: skip
    if dtype == np.float64:  # in float32 the differences would be rounding
        ahead, behind = (gradient(*[x + s * 1e-4 * m for x, m in zip(points, moves, strict=True)]) for s in (1, -1))
    for k in which:
        a, b, c = forward_over_reverse[k], reverse_over_reverse[k], reverse_over_forward[k]
        rough = 1 + np.max(np.abs(b), initial=0)
        close = (1e-8 if dtype == np.float64 else 2e-3) * rough
        np.testing.assert_allclose(a, b, atol=close, rtol=0)
        np.testing.assert_allclose(c, b, atol=close, rtol=0)
        if dtype == np.float64:
            numeric = (ahead[k] - behind[k]) / 2e-4
            np.testing.assert_allclose(b, numeric, atol=2e-5 * (rough + np.max(np.abs(numeric), initial=0)), rtol=0)


def subsets(n):
    """Each choice of variables among n operands. The others are constants."""
    return [c for k in range(1, n + 1) for c in itertools.combinations(range(n), k)]


def mixes(operands, n, dtype):
    """Operands, and the choice of variables among them."""
    cells = [(arrays, chosen) for arrays in operands for chosen in subsets(n)]
    return cells if dtype == np.float64 else some(cells)


def sampled(shapes):
    rng = np.random.default_rng(7)
    n = sum(int(np.prod(s)) for s in shapes)
    numbers = (rng.permutation(n) - n / 2 + 0.3) / max(n, 1) * 2.6  # all different, far from each other
    parts = np.split(numbers, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
    return [np.asarray(x).reshape(s) for x, s in zip(parts, shapes, strict=True)]


DTYPES = [np.float64, np.float32]
double_or_single = pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])

# ------------------------------------------------------------------------------------------------------------ rows


@double_or_single
@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_elementwise_rows(row, dtype):
    rng = np.random.default_rng(0)
    differentiable = [i for i, d in enumerate(row.partials) if d is not None]
    operands = [[np.asarray(x) for x in operands_of(row, shapes, rng)] for shapes in BROADCAST[row.arity]]
    for arrays, chosen in mixes(operands, len(differentiable), dtype):
        check(row, arrays, [differentiable[i] for i in chosen], dtype)


@double_or_single
@pytest.mark.parametrize("row", REDUCTIONS, ids=lambda row: row.name)
def test_reductions(row, dtype):
    for axis, keepdims in itertools.product([None, 0, -1, (0, 2)], [False, True]):
        check(lambda x, a=axis, k=keepdims: row(x, axis=a, keepdims=k), sampled([(2, 3, 2)]), [0], dtype)


OTHERS = {
    **{f"move {name}": (f, (2, 3)) for name, f in MOVES.items()},
    **{f"matmul {a} {b}": (ops.matmul, a, b) for a, b in MATMUL_SHAPES},
    **{f"einsum {s} {shapes}": ((lambda *xs, s=s: ops.einsum(s, *xs)), *shapes) for s, *shapes in EINSUMS},
    "linear": (ops.linear, (4, 3), (3, 2), (2,)),
    "concatenate": (lambda x, y: ops.concatenate([x, y], -1), (2, 3), (2, 1)),
    "stack": (lambda x, y: ops.stack([x, y], 1), (2, 3), (2, 3)),
    "max_pool": (lambda x: ops.max_pool(x, (1, 2), stride=1), (2, 3)),
    "getitem": (lambda x: x[..., [0, 2, 0]], (2, 3)),
    "astype": (lambda x: ops.astype(x, np.dtype(np.float64)), (2, 3)),
    "cross_entropy": (lambda x: ops.cross_entropy(x, [2, 0]), (2, 3)),
}


@double_or_single
@pytest.mark.parametrize("name", OTHERS)
def test_other_rows(name, dtype):
    f, *shapes = OTHERS[name]
    for chosen in subsets(len(shapes)):
        check(f, sampled(shapes), list(chosen), dtype)


def test_no_row_is_left_out():
    tried = {row.name for row in [*ELEMENTWISE, *REDUCTIONS]} | {name.split()[0] for name in [*OTHERS, *MOVES]}
    assert set(ops.ROWS) - tried == {"dot"}  # of scalars: see test_ops.py


# -------------------------------------------------------------------------------------------------- NumPy's functions


@double_or_single
@pytest.mark.parametrize("name", CASES)
def test_numpys_functions(name, dtype):
    for (f, shapes), chosen in [cell for case in CASES[name] for cell in mixes([case], len(case[1]), dtype)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            check(f, sampled(shapes), list(chosen), dtype)


@double_or_single
@pytest.mark.parametrize("name", ["concatenate", "stack", "vstack", "hstack", "dstack", "append", "block", "where",
                                  "select", "choose"])  # fmt: skip
def test_constants_that_are_infinite_do_not_move(name, dtype):
    """The tangent of a constant is 0, not 0 times the constant."""
    for f, shapes in CASES[name]:
        x, *rest = [np.asarray(a, dtype) for a in sampled(shapes)]
        for odd in (np.inf, -np.inf, np.nan):
            constants = [np.full_like(a, odd) for a in rest]
            for out in leaves(jvp(lambda x, c=constants, f=f: f(x, *c), (x,), (np.ones_like(x),))[1]):
                assert np.isfinite(out).all()


def test_numbers_are_arrays_without_axes():
    """Functions of arrays take a Python number, in every mode and to the second order."""
    functions_of_arrays = [
        lambda x: (x * x * x).sum(), lambda x: ops.mean(x * x), lambda x: ops.max(ops.exp(x)),
        lambda x: (x * np.arange(3.0) * x).sum(), lambda x: ops.sum(ops.stack([x, x * x])),
        lambda x: np.sum(x * x) * x, lambda x: ops.sum(x * np.ones((2, 1))) * x,
    ]  # fmt: skip
    for f in functions_of_arrays:
        x = 0.7
        slope = (f(np.array(x + 1e-5)) - f(np.array(x - 1e-5))) / 2e-5
        bend = (f(np.array(x + 1e-3)) - 2 * f(np.array(x)) + f(np.array(x - 1e-3))) / 1e-6
        for found in (grad(f)(x), jvp(f, (x,), (1.0,))[1], jacobian(f, mode="forward")(x)):
            np.testing.assert_allclose(found, slope, rtol=1e-8)
        for found in (hessian(f)(x), grad(grad(f))(x), hvp(f, x, 1.0), jvp(grad(f), (x,), (1.0,))[1]):
            np.testing.assert_allclose(found, bend, rtol=1e-5)


def test_a_tangent_has_the_dtype_of_its_primal():
    x, v = np.array([1.0, 2.0], np.float32), np.array([0.5, 0.25])
    for f in (lambda x: x, lambda x: x * 2.0, ops.exp, lambda x: x @ x * x, lambda x: ops.astype(x, np.dtype(float))):
        out, moved = jvp(f, (x,), (v,))
        assert moved.dtype == out.dtype
    out, moved = jvp(lambda x: x * np.full(2, 3.0), (x,), (v.astype(np.float32),))  # a float64 constant widens both
    assert moved.dtype == out.dtype == np.float64


def test_a_number_inside_a_function_of_arrays():
    """A derivative in a number, inside a function of arrays, in every mix of modes."""
    x = np.array([1.0, -2.0, 0.5])
    inner = [lambda s, a: (s * a).sum() * s, lambda s, a: ops.sum(ops.sin(a * s))]
    for f in inner:
        one = [lambda a, f=f: grad(lambda s: f(s, a))(0.7), lambda a, f=f: jvp(lambda s: f(s, a), (0.7,), (1.0,))[1]]
        wanted = jacobian(lambda a, f=f: grad(lambda s: f(s, a))(np.array(0.7)), mode="reverse")(x)
        for g in one:
            for mode in ("forward", "reverse"):
                np.testing.assert_allclose(jacobian(g, mode=mode)(x), wanted, rtol=1e-12)
        reverse = [jacobian(lambda a, f=f: f(a[0], a) * a, mode=mode)(x) for mode in ("forward", "reverse")]
        np.testing.assert_allclose(reverse[0], reverse[1], rtol=1e-12)


def test_every_function_of_the_table_is_tried():
    tried = {f"numpy.{name}" for name in CASES}
    known = {meaning.name for meaning in table.TABLE.values() if isinstance(meaning, table.Meaning)}
    of_linalg = {name for name in known if name.startswith("numpy.linalg.")}  # see test_linalg.py
    assert known - tried - of_linalg <= {"numpy.trapz"}  # NumPy 2.0's other name of trapezoid


@pytest.mark.parametrize("ufunc", [u for u in ufuncs.ROWS if isinstance(u, np.ufunc)], ids=lambda u: u.__name__)
def test_ufuncs(ufunc):
    row = ufuncs.ROWS[ufunc]
    if ufunc is np.matmul:
        check(np.matmul, sampled([(2, 3), (3, 2)]), [0, 1])
        return
    rng = np.random.default_rng(0)
    arrays = operands_of(row, BROADCAST[row.arity][0], rng)
    check(ufunc, [np.asarray(x) for x in arrays], list(range(row.arity)))
    if row.arity == 2:
        check(lambda x, y: ufunc.outer(x[0], y[1]), [np.asarray(x) for x in arrays], [0, 1])


@pytest.mark.parametrize("ufunc", ufuncs.REDUCE, ids=lambda u: u.__name__)
def test_reduce_of_ufuncs(ufunc):
    for axis, keepdims in itertools.product([0, -1, None, (0, 1)], [False, True]):
        check(lambda x, a=axis, k=keepdims: ufunc.reduce(x, axis=a, keepdims=k), sampled([(2, 3)]), [0])
    check(ufunc.reduce, sampled([(3, 2)]), [0])


@pytest.mark.parametrize("function", table.TABLE, ids=table.name_of)
def test_what_is_not_taken_is_refused_by_name(function):
    """Each argument of NumPy's signature that an implementation lacks is refused, by name and by position."""
    meaning = table.TABLE[function]
    if not isinstance(meaning, table.Meaning):
        return
    t = Tensor(np.eye(2))
    for key in set(meaning.defaults) - meaning.takes:
        with pytest.raises(TypeError, match=f"{meaning.name} of a Tensor does not take {key}="):
            functions.call(function, (t,) * (0 if meaning.spreads else 1), {key: np.zeros(2)})
    if not meaning.takes_all:
        with pytest.raises(TypeError, match=f"{meaning.name} has no argument 'nonsense'|take nonsense="):
            functions.call(function, (t,), {"nonsense": 1})
