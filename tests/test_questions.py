"""Questions about the numbers of a Tensor: methods with NumPy's names give NumPy's answers, as plain arrays."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd
from autograd import Tensor

X = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    elements=st.sampled_from([0.0, -0.0, 1.0, -2.0, 3.5, np.inf, -np.inf, np.nan]),
)
AXES: dict[str, dict[str, list[Any]]] = {  # by method: its arguments besides an axis
    "argmax": {"keepdims": [True, False]},
    "argmin": {"keepdims": [True, False]},
    "argsort": {"stable": [True]},
    "any": {"keepdims": [True, False], "where": [True, np.array([True, False, True])]},
    "all": {"keepdims": [True, False], "where": [True, np.array([True, False, True])]},
}
OTHERS = {"nonzero": ((),), "argpartition": ((0,), (0, 0), (-1, -1)), "searchsorted": ((1.0,), ([0.0, 2.0], "right"))}


def plain(answer):
    parts = answer if isinstance(answer, tuple) else (answer,)
    return all(isinstance(x, np.ndarray | np.generic | int) and np.asarray(x).dtype != object for x in parts)


def held(call):
    """The result of a call, or the kind of its error."""
    try:
        return call()
    except (ValueError, IndexError, TypeError) as error:  # AxisError is both of the first
        return type(error)


@pytest.mark.parametrize("name", AXES)
@given(x=X, data=st.data())
@settings(max_examples=15)
def test_along_axes(name, x, data):
    axis = data.draw(st.sampled_from([None, 0, -1, 1, 5]))
    named = {key: data.draw(st.sampled_from(given)) for key, given in AXES[name].items() if data.draw(st.booleans())}
    wanted = held(lambda: getattr(np, name)(x, axis=axis, **named))
    for args, keywords in (((axis,), named), ((), {"axis": axis, **named})):
        found = held(lambda a=args, k=keywords: getattr(Tensor(x), name)(*a, **k))
        if isinstance(wanted, type):
            assert found is wanted
        else:
            np.testing.assert_array_equal(found, wanted)
            assert plain(found)
    if axis is None and not named:
        np.testing.assert_array_equal(getattr(Tensor(x), name)(), getattr(x, name)())


@pytest.mark.parametrize(("name", "args"), [(name, args) for name, given in OTHERS.items() for args in given])
@given(x=X)
@settings(max_examples=10)
def test_others(name, args, x):
    x = np.sort(x.ravel()) if name == "searchsorted" else x
    found, wanted = (getattr(y, name)(*args) for y in (Tensor(x), x))
    for a, b in zip(*((y if isinstance(y, tuple) else (y,)) for y in (found, wanted)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert plain(found)
    assert Tensor(x).nbytes == x.nbytes


@pytest.mark.parametrize("name", [*AXES, "nonzero"])
def test_in_every_mode(name):
    """Questions read only the numbers. In a function that is differentiated, the answer is a constant."""
    x = np.array([[0.5, -1.0, 0.0], [2.0, 1.0, 3.0]])

    def f(t):
        answer = getattr(t, name)()
        np.testing.assert_array_equal(answer, getattr(x, name)())
        return (t * t).sum() + float(np.sum(answer))

    np.testing.assert_array_equal(autograd.grad(f)(x), 2 * x)
    assert autograd.jvp(f, (x,), (x,))[1] == 2 * (x * x).sum()
    np.testing.assert_array_equal(autograd.hessian(f)(x), 2 * np.eye(6).reshape(2, 3, 2, 3))
