"""Operands of foreign types give NumPy's number, use the operator of their own class, or are refused.

Tested are every binary operator and function, on both sides, with Values, Tensors and Duals.
"""

import operator
import pathlib
import warnings

import numpy as np
import pytest

from autograd import Tensor, Value, grad, jvp, ops, value_and_grad
from autograd.functions.table import Meaning
from autograd.ops.rows import Elementwise
from autograd.transforms.dual import Dual

A = np.array([[1.0, 2.0], [3.0, 4.0]])
BINARY = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.arity == 2 and row is not ops.dsinc]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul, operator.lt,
             operator.le, operator.gt, operator.ge, operator.eq, operator.ne]  # fmt: skip
VARIABLES = {
    "Value": lambda: Value(2.0),
    "Tensor": lambda: Tensor(A),
    "Dual": lambda: Dual(A, np.ones_like(A), 1),
    "Dual of a Value": lambda: Dual(Value(2.0), 1.0, 1),
}


class Answers:
    """A class with operators of its own, like a column of a data frame or a labelled array."""

    __array_ufunc__ = None

    def answer(self, other):
        return "mine"

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = answer
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = answer
    __hash__ = None  # type: ignore[assignment]  # as Python does where a class has its own ``==``


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("f", OPERATORS, ids=lambda f: f.__name__)
def test_who_has_operators_of_their_own_is_asked(f, variable):
    x = VARIABLES[variable]()
    if f is operator.matmul and "Value" in variable:
        return
    assert f(x, Answers()) == "mine"
    assert f(Answers(), x) == "mine"


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("other", ["a", b"a", None, object(), 1j, {1.0}, np.array(["a"]), np.array([1j]),
                                   np.array([None]), np.datetime64("2020-01-01")],
                         ids=lambda x: type(x).__name__ + str(getattr(x, "dtype", "")))  # fmt: skip
def test_what_is_no_number_is_refused(variable, other):
    for f in OPERATORS[:5]:
        for pair in ((VARIABLES[variable](), other), (other, VARIABLES[variable]())):
            with pytest.raises(TypeError):
                f(*pair)


def matrices(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix(A + 1)
    mapped = np.memmap(pathlib.Path(folder) / "m", float, "w+", shape=A.shape)
    mapped[:] = A + 1

    class Metres(np.ndarray):
        """Numbers with a unit."""

    return {
        "matrix": matrix,
        "memmap": mapped,
        "masked": np.ma.array(A + 1, mask=[[False, True], [False, False]]),
        "masked nowhere": np.ma.array(A + 1),
        "unit": (A + 1).view(Metres),
        "longdouble": (A + 1).astype(np.longdouble),
        "half": (A + 1).astype(np.float16),
        "swapped bytes": (A + 1).astype(">f8"),
        "integers": (A + 1).astype(np.int8),
        "bools": A > 1,
        "list": (A + 1).tolist(),
    }


KINDS = ["matrix", "memmap", "masked", "masked nowhere", "unit", "longdouble", "half", "swapped bytes", "integers",
         "bools", "list"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_arrays_give_numpys_number_or_are_refused(kind, tmp_path):
    """Value, gradient and tangent are those of NumPy's function on the object; or a TypeError gives the reason."""
    constant = matrices(tmp_path)[kind]
    x = A / 7 + 0.2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        for f in [*BINARY, *OPERATORS[:6], np.add, np.multiply, np.power, np.matmul, np.dot, np.maximum]:
            for order in (lambda a, b, f=f: f(a, b), lambda a, b, f=f: f(b, a)):
                one_side(order, x, constant, kind)


def one_side(f, x, constant, kind):
    try:
        t = Tensor(x)
        got = f(t, constant)
    except TypeError as error:
        if kind in ("matrix", "masked", "masked nowhere", "unit") or "ufunc" in str(error):
            return
        raise
    assert isinstance(got, Tensor)
    assert got.dtype == np.float64
    plain = np.asarray(constant)
    plain = plain.astype(float) if plain.dtype.kind == "f" else plain
    with np.errstate(all="ignore"):
        wanted = f(x, constant) if not isinstance(constant, np.matrix) else f(x, plain)
        wanted = np.ma.getdata(wanted)
        np.testing.assert_allclose(got.data, np.asarray(wanted, float), rtol=1e-12)
        got.sum().backward()
        slopes = np.zeros_like(x) if t.grad is None else t.grad  # for functions that only read signs
        np.testing.assert_allclose(slopes, grad(lambda a: f(a, plain).sum())(x), rtol=1e-12)
        tangent = jvp(lambda a: f(a, constant).sum(), (x,), (np.ones_like(x),))[1]
        np.testing.assert_allclose(tangent, slopes.sum(), rtol=1e-10)


def test_products_of_matrices_are_not_taken_for_products_of_elements():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        matrix = np.matrix(A)
        for f in (lambda t: t * matrix, lambda t: matrix * t, lambda t: t**matrix):
            with pytest.raises(TypeError, match="matrix"):
                f(Tensor(A))
        np.testing.assert_allclose((Tensor(A) @ matrix).data, A @ A)
        np.testing.assert_allclose((Tensor(A) + matrix).data, A + A)


@pytest.mark.parametrize("compare", [operator.eq, operator.ne, operator.lt, operator.ge, np.equal, np.less],
                         ids=lambda f: f.__name__)  # fmt: skip
def test_a_comparison_means_the_same_when_it_is_differentiated(compare):
    x = np.array([1.0, 2.0, 3.0])
    for other in (2.0, 2, np.float64(2.0), x[::-1].copy(), np.array(2)):
        for f in (lambda x, o=other: np.sum(compare(x, o)) + 0.0, lambda x, o=other: np.sum(compare(o, x)) + 0.0):
            wanted = f(x)
            assert value_and_grad(lambda x, f=f: f(x) + 0.0 * x.sum())(x)[0] == wanted
            assert jvp(f, (x,), (x,))[0] == wanted
    for at in (2.0, 3.0):
        for g in (lambda x: compare(x, 2.0) + x, lambda x: compare(2.0, x) + x):
            assert value_and_grad(g)(at)[0] == g(at)
            assert jvp(g, (at,), (1.0,))[0] == g(at)


def test_equality_of_values_is_identity_and_says_so_where_it_could_mean_the_numbers():
    a, b = Value(2.0), Value(2.0)
    assert a == a
    assert a != b
    assert a == 2.0
    assert operator.eq(2, a)
    assert [b, a].index(a) == 1
    assert len({a, b}) == 2
    assert a != "2.0"
    assert a is not None
    with pytest.raises(TypeError, match=r"autograd\.equal"):
        grad(lambda v: v[0] * (v[0] == v[1]))([2.0, 2.0])


def test_membership_looks_at_the_numbers():
    x = np.array([1.0, 2.0])
    for f in (lambda x: (1.0 in x) + x.sum(), lambda x: (5.0 in x) + x.sum()):
        assert value_and_grad(f)(x)[0] == f(x)
        assert jvp(f, (x,), (x,))[0] == f(x)


def test_lists_of_variables():
    x = np.array([1.0, 2.0])
    for f in (lambda x: np.sum([x, 2 * x]), lambda x: np.stack([x, x * x]).sum(), lambda x: np.hstack([x, x[0]]).sum(),
              lambda x: np.r_[x, 1.0].sum(), lambda x: (np.c_[x, x] * x[:, None]).sum(), lambda x: ops.mean([x, x]),
              lambda x: np.concatenate([[x[0]], x]).sum()):  # fmt: skip
        np.testing.assert_allclose(ops.detach(jvp(f, (x,), (x,))[1]), (grad(f)(x) * x).sum())
        np.testing.assert_allclose(value_and_grad(f)(x)[0], f(x))
    with pytest.raises(TypeError, match=r"numpy\.mean of a list of Tensors: give it numpy\.stack"):
        np.mean([Tensor(x), Tensor(x)])
    for f in (np.asarray, np.array, np.ma.array):
        with pytest.raises(TypeError, match=r"tensor\.data"):
            f(Tensor(x))


def test_arguments_by_position_are_those_of_numpy():
    """Whatever the order in which our function takes them."""
    meaning = Meaning(np.linalg.norm, lambda axis, ord, x: (x, ord, axis))
    assert meaning((1, 2, 3), {}) == (1, 2, 3)
    assert meaning((1,), {"axis": 3, "ord": 2}) == (1, 2, 3)
