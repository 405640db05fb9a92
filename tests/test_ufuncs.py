"""NumPy's ufuncs on every kind of variable: each call ends, with an answer or with an error that names the ufunc.

A Symbol, and a number that `vectorize` traces, has no number to ask for. Questions such as `numpy.ceil` are refused
there by name. Comparisons are the operators.
"""

import operator

import numpy as np
import pytest

import autograd
from autograd import Tensor, Value, ops
from autograd.functions.table import TABLE
from autograd.functions.ufuncs import COMPARISONS, QUESTIONS, ROUNDINGS
from autograd.ops.rows import Elementwise
from autograd.ops.symbol import Symbol
from autograd.ops.traced import Asks, Probe, Traced

UFUNCS = {ufunc.__name__: ufunc for ufunc in vars(np).values() if isinstance(ufunc, np.ufunc)}
SIGNS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}


def with_dual(use):
    autograd.jvp(lambda x: (use(x), x)[1], (2.0,), (1.0,))


def with_tracer(use):
    autograd.vectorize(lambda x: (use(x), x * 1.0)[1], ())([1.0, 2.0])


def with_dual_of_tracer(use):
    autograd.vectorize(lambda x: autograd.jvp(lambda y: (use(y), y * y)[1], (x,), (1.0,))[1], ())([1.0, 2.0])


KINDS = {
    "Symbol": lambda use: use(Symbol("x")),
    "Symbol with a number": lambda use: use(Symbol("x", 2.0)),
    "Probe": lambda use: use(Probe("x")),
    "Value": lambda use: use(Value(2.0)),
    "Tensor": lambda use: use(Tensor([2.0, 3.0])),
    "Dual": with_dual,
    "Tracer": with_tracer,
    "Dual of a Tracer": with_dual_of_tracer,
}
UNKNOWN = {"Symbol", "Symbol with a number", "Probe", "Tracer", "Dual of a Tracer"}


def calls(ufunc, x):
    """The ufunc, and each of its methods, with `x` in each place."""
    for i in range(ufunc.nin):
        yield lambda i=i: ufunc(*[x if j == i else 2.0 for j in range(ufunc.nin)])
        yield lambda i=i: ufunc(*[x if j == i else np.array([1.0, 2.0]) for j in range(ufunc.nin)])
    yield lambda: ufunc.reduce(x)
    yield lambda: ufunc.accumulate(x)
    yield lambda: ufunc.reduceat(x, [0])
    yield lambda: ufunc.outer(x, 2.0)
    yield lambda: ufunc.at(x, 0, 2.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_ends(kind):
    ran = []

    def use(x):
        for ufunc in UFUNCS.values():
            for call in calls(ufunc, x):
                try:
                    call()
                except RecursionError:
                    pytest.fail(f"numpy.{ufunc.__name__} of a {kind} does not end")
                except (TypeError, ValueError, IndexError, RuntimeError):  # RuntimeError: NumPy has no such reduction
                    pass
        ran.append(x)

    KINDS[kind](use)
    assert ran


@pytest.mark.parametrize("kind", sorted(UNKNOWN))
def test_questions_are_refused_by_name_where_the_number_is_not_known(kind):
    ran = []

    def use(x):
        if not isinstance(x, Probe) and not isinstance(ops.detach(x), Traced):
            return  # vectorize also runs the function on Values
        known = ROUNDINGS if hasattr(ops.detach(x), "__floor__") else {}  # what rounds is recorded there
        for ufunc in QUESTIONS - COMPARISONS.keys() - known.keys():
            for i in range(ufunc.nin):
                with pytest.raises((TypeError, Asks)) as refused:
                    ufunc(*[x if j == i else 2.0 for j in range(ufunc.nin)])
                assert f"numpy.{ufunc.__name__}" in str(refused.value.args)
        ran.append(x)

    KINDS[kind](use)
    assert ran


@pytest.mark.parametrize("function", TABLE, ids=lambda f: f.__name__)
def test_other_functions_of_a_symbol_end(function):
    for args in ((Symbol("x"),), (Symbol("x"), Symbol("y")), ([Symbol("x"), 1.0],)):
        try:
            function(*args)
        except RecursionError:
            pytest.fail(f"numpy.{function.__name__} of a Symbol does not end")
        except Exception:
            pass


@pytest.mark.parametrize("name", SIGNS)
def test_comparisons_of_symbols_are_the_operators(name):
    """A NumPy number or array on the left hands ``<`` to the ufunc."""
    ufunc, sign, x = UFUNCS[name], SIGNS[name], Symbol("x")
    compare = getattr(operator, COMPARISONS[ufunc].__name__)
    assert str(ufunc(x, 2.0)) == str(compare(x, 2.0)) == f"x {sign} 2.0"
    assert str(ufunc(2.0, x)) == str(compare(np.float64(2.0), x)) == str(compare(2.0, x))
    assert [str(item) for item in compare(np.array([1.0, 2.0]), x)] == [str(compare(n, x)) for n in (1.0, 2.0)]
    assert ufunc(Symbol("x", 1.0), 2.0) is compare(1.0, 2.0)
    with pytest.raises(TypeError, match=f"numpy.{name} of a variable does not take out="):
        ufunc(x, 2.0, out=np.zeros(()))


@pytest.mark.parametrize("name", [*SIGNS, "isnan"])
def test_comparisons_in_a_traced_function_are_the_operators(name):
    ufunc = UFUNCS[name]
    x = [0.5, 1.0, 2.0, float("nan")]
    for i in range(ufunc.nin):

        def chosen(x, i=i):
            answer = ufunc(*[x if j == i else np.float64(1.0) for j in range(ufunc.nin)])
            return ops.where(answer, 3.0, ops.where(ops.equal(x, x), x, 7.0))

        plain = [float(chosen(n)) for n in x]
        np.testing.assert_array_equal(autograd.vectorize(chosen, ())(x).data, plain)
        np.testing.assert_array_equal([chosen(Value(n)).data for n in x], plain)


@pytest.mark.parametrize("name", SIGNS)
def test_a_rule_may_compare_with_a_number_of_numpy_on_either_side(name):
    ufunc = UFUNCS[name]
    for below in (lambda x: ufunc(np.float64(1.0), x), lambda x: ufunc(x, np.float64(1.0))):
        row = Elementwise(
            f"own_{name}",
            lambda x, b=below: ops.where(b(x), x, 2 * x),
            lambda out, x, b=below: ops.where(b(x), 1, 2),
            doc="A rule with a NumPy number.",
        )
        numbers = np.array([0.5, 1.0, 2.0])
        wanted = np.where(below(numbers), numbers, 2 * numbers)
        np.testing.assert_array_equal(row(Tensor(numbers)).data, wanted)
        np.testing.assert_array_equal([row(Value(n)).data for n in numbers], wanted)
        assert isinstance(row(Symbol("x")), Traced)


def test_and_and_or_of_symbols_take_numpy_bools():
    x = Symbol("x") > 0
    assert x & np.True_ is x
    assert x | np.False_ is x
    assert x & np.False_ is False
    assert x | np.True_ is True
    assert str(ops.where(np.True_, Symbol("y"), Symbol("z"))) == "y"


@pytest.mark.parametrize("other", [None, "2.0", [1.0], np.ones(2), Value(1.0), Tensor([1.0]), 1j], ids=repr)
def test_an_expression_is_made_of_names_and_numbers(other):
    for operation in (operator.add, operator.lt, operator.and_, ops.maximum):
        with pytest.raises(TypeError):
            operation(Symbol("x"), other)
