"""Functions of Python, `math` and NumPy in functions that are traced: what floats give, and all names are put back."""

import math
import threading
from functools import partial
from math import exp as exponential
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_vectorize import parameters

import autograd
import nn
from autograd import Value, ops, vectorize
from autograd.vectorizing import TraceError
from autograd.vectorizing.builtin import MATH, OURS, traced

w = parameters(3)
INSIDE = {"acosh": 1.0, "atanh": -0.5}  # what is added to a number from 0.1 to 0.9 before


def truth(f, x):
    """What the function gives with floats."""
    return f([float(v) for v in x])


@pytest.mark.parametrize("name", [name for name in MATH if name not in ("hypot", "dist", "fsum", "pow", "log")])
def test_each_function_of_math_is_a_row(name):
    """The numbers are those of `math`, the gradient is that of differences."""
    function, shift = getattr(math, name), INSIDE.get(name, 0.0)
    row = MATH[name]
    arity = getattr(row, "arity", 1)

    def f(x):
        return getattr(math, name)(*[v + shift for v in x[:arity]]) * w[0] + w[1]

    fast = vectorize(f, arity)
    x = np.random.default_rng(0).uniform(0.1, 0.9, (4, arity))
    fast_out = fast(x).data
    wanted = [function(*[v + shift for v in row]) * w[0].data + w[1].data for row in x.tolist()]
    np.testing.assert_allclose(fast_out, wanted, rtol=1e-13)
    assert getattr(math, name) is function


PROGRAMS = {
    "log with a base": lambda x: math.log(x[0] + 2.0, 2) + math.log(x[1] + 3.0),
    "pow": lambda x: math.pow(x[0], 3) + pow(x[1], 2),
    "hypot of three": lambda x: math.hypot(x[0], x[1], x[2]),
    "dist": lambda x: math.dist([x[0], x[1]], [x[2], 0.5]),
    "fsum of a generator": lambda x: math.fsum(a * b for a, b in zip(x, x, strict=True)),
    "prod": lambda x: math.prod(x),
    "imported": lambda x: exponential(x[0]) + floor(x[1] * 5.0),
    "floor and ceil": lambda x: math.floor(3 * x[0]) + math.ceil(-3 * x[1]) * x[2] + math.trunc(-3 * x[2]),
    "round": lambda x: round(5 * x[0]) * x[1] + round(x[2], 1),
    "NumPy rounds": lambda x: np.floor(3 * x[0]) + np.ceil(3 * x[1]) + np.rint(5 * x[2]) + np.trunc(-4 * x[0]),
    "whole quotients": lambda x: (7 * x[0]) // 2 + 5 // (x[1] + 1) + x[2],
    "remainders": lambda x: (7 * x[0]) % 2 - (-7 * x[1]) % 2,
    "divmod": lambda x: divmod(9 * x[0], 2.0)[0] + divmod(9 * x[1], 2.0)[1] + divmod(5, x[2] + 0.5)[1],
    "answers as numbers": lambda x: (1 - (x[0] > 0.5)) * x[1] + (x[2] > 0.2) * x[0] - (x[1] < x[2]),
    "counted": lambda x: sum(a > 0.5 for a in x) * x[0],
    "any": lambda x: autograd.where(any(a > 0.8 for a in x), x[0], x[1]),
    "all": lambda x: autograd.where(all(a > 0.2 for a in x), x[0], x[1]),
    "max and min": lambda x: max(x) * min(x[0], 0.5) + max((a for a in x), default=0.0),
    "max of NumPy": lambda x: np.max(x) - np.min([[x[0], x[1]], [x[2], x[0]]]),
    "along an axis": lambda x: np.max([[x[0], x[1]], [x[2], x[0]]], axis=0).sum(),
    "clip": lambda x: np.sum(np.clip(x, 0.3, 0.6)) + np.clip(x, None, 0.5)[0],
    "of one number": lambda x: np.max(x[0]) + np.clip(x[1], 0.2, 0.4) + np.min(autograd.Tensor([0.5, 0.25])).item(),
    "mean, dot and exp": lambda x: np.mean(x) + np.dot(np.array(x), np.array(x)) + np.exp(x[0]),
    "nan": lambda x: autograd.where(x[0] > -1.0, x[1], math.nan),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_give_what_floats_give(name):
    f = PROGRAMS[name]
    fast = vectorize(lambda x: f([a * b for a, b in zip(w, x, strict=True)]), 3)
    x = np.random.default_rng(1).uniform(0.1, 0.9, (6, 3))
    numbers = [v.data for v in w]

    def plain(row):
        given = [a * b for a, b in zip(numbers, row, strict=True)]
        with traced(f):  # so that `where` takes what `any` gives
            return float(ops.detach(f([Value(v) for v in given])))

    np.testing.assert_allclose(fast(x).data, [plain(row) for row in x.tolist()], rtol=1e-12)
    fast(x).sum().backward()


@given(st.floats(-50.0, 50.0).map(lambda x: round(x * 4) / 4), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_rounding_is_pythons(x, digits):
    """Of two that are as near, the even one."""
    found = ROUNDED[digits](np.array([x, 0.49999999999999994, -2.5, 3.5, 1e300])).data
    wanted = [round(v, digits) for v in (x, 0.49999999999999994, -2.5, 3.5, 1e300)]
    np.testing.assert_allclose(found, wanted, rtol=1e-15)


ROUNDED = [vectorize(lambda x, digits=digits: round(x, digits) + 0.0 * w[0], ()) for digits in range(3)]


def test_numbers_without_an_end_are_not_rounded():
    """As in NumPy, where Python would raise."""
    for rounds in (np.floor, np.ceil, np.trunc, np.rint):
        fast = vectorize(lambda x, rounds=rounds: rounds(x) + 0.0 * w[0], ())
        x = np.array([np.inf, -np.inf, np.nan, 1e300, -(2.0**52) - 1, 2.5, -2.5, -0.0])
        np.testing.assert_array_equal(fast(x).data, rounds(x))


def test_names_are_put_back_whatever_happens():
    before = [(namespace, name, namespace[name]) for namespace, name, _ in OURS]

    def fails(x):
        raise RuntimeError("no")

    for f in (lambda x: math.exp(x) if x > 0 else x, fails):
        with pytest.raises((TraceError, RuntimeError)):
            vectorize(f, ())
    assert all(namespace[name] is x for namespace, name, x in before)
    assert exponential is math.exp
    assert "any" not in globals() and "all" not in globals()


def test_others_are_not_disturbed_meanwhile():
    """Another thread computes with floats, and inside of a trace a call with floats is Python's."""
    found = []

    def f(x):
        thread = threading.Thread(target=lambda: found.append((math.exp(1.0), max(1, 2), any([0, 1]), np.max([1, 2]))))
        thread.start()
        thread.join()
        return x * math.exp(1.0) * max(2.0, 1.0) * w[0]

    assert vectorize(f, ())(np.ones(1)).data == pytest.approx(2 * math.e * w[0].data)
    assert set(found) == {(math.exp(1.0), 2, True, 2)}


class Model(nn.Module):
    def __init__(self):
        self.scale = Value(2.0)

    def __call__(self, x):
        return exponential(self.scale * x)

    def other(self, x, shift):
        return exponential(self.scale * x + shift)


OBJECTS = {"module": Model(), "method": Model().other, "partial": partial(Model().other, shift=1.0)}


@pytest.mark.parametrize("f", OBJECTS.values(), ids=OBJECTS)
def test_imported_names_are_found_behind_objects(f):
    shapes = ((), ()) if getattr(f, "__name__", "") == "other" else ((),)
    assert "exp(" in vectorize(f, *shapes).forward_source


def test_outside_of_a_trace_a_value_is_refused_as_before():
    with pytest.raises(TypeError, match=r"autograd\.exp"):
        math.exp(Value(1.0))


def test_values_divide_with_a_remainder():
    x = Value(7.5)
    whole, rest = divmod(x, 2)
    assert (whole.data, rest.data, (9 // x).data, (-7.5 // Value(2.0)).data) == (3.0, 1.5, 1.0, -4.0)
    (whole * 10.0 + rest).backward()
    assert x.grad == 1.0
