"""Dropped objects are freed: operations of your own, vectorized programs, their compiled forms and their source.

The tests count the collector's objects by type, and the entries of `linecache`. Time and memory would not be exact.
"""

import gc
import linecache
import weakref
from collections import Counter

import numpy as np
import pytest

import autograd
from autograd import Tensor, Value, custom_op, explain, grad, hessian, jacobian, jvp, no_grad, ops, vectorize
from autograd.ops.rows import Elementwise, Linear, Reduction
from autograd.testing import check_gradients

ROUNDS = 5
X = np.array([0.5, 1.5, -2.0])
WEIGHT = Value(1.5)

OPERATIONS = {
    "custom": lambda: custom_op(lambda x: x * x * x, lambda g, out, x: g * 3.0 * x * x, name="cube"),
    "row": lambda: Elementwise("cube", lambda x: x * x * x, lambda out, x: 3 * x * x, doc="The third power."),
    "row of a function": lambda: Elementwise("up", lambda x: ops.exp(x) / 2, lambda out, x: out / 1.0, doc="Half."),
    "reduction": lambda: Reduction("total", np.sum, lambda out, x, axis: 1, doc="The sum."),
    "linear": lambda: Linear("twice", lambda x: 2 * x, lambda g, x: 2 * g, doc="Twice."),
}  # fmt: skip


@pytest.fixture(autouse=True)
def only_what_is_new():
    """The collector looks only at the objects of this test, not at those of the whole suite."""
    gc.collect()
    gc.freeze()  # for good: the rest is frozen since collection


def explained(op):
    x = Value(2.0)
    explain(op(x), x)


def watched(op):
    with autograd.anomaly():
        op(Value(2.0)).backward()
        ops.sum(op(Tensor(X))).backward()


def unrecorded(op):
    with no_grad():
        return op(Value(2.0)), op(Tensor(X))


USES = {
    "value": lambda op: op(op(Value(2.0)) * 0.5).backward(),
    "tensor": lambda op: ops.sum(op(op(Tensor(X)) * np.ones(3, np.float32))).backward(),
    "objects": lambda op: op(np.array([Value(1.0), Value(2.0)])),
    "gradient of a gradient": lambda op: grad(grad(op))(2.0),
    "forward mode": lambda op: jvp(grad(op), (2.0,), (1.0,)),
    "jacobian": lambda op: jacobian(op)(X),
    "hessian": lambda op: hessian(lambda x: ops.sum(op(x)))(X),
    "anomaly": watched,
    "no_grad": unrecorded,
    "checked": lambda op: check_gradients(op, X),
    "explained": explained,
}
ON_SCALARS = {"value", "objects", "gradient of a gradient", "forward mode", "anomaly", "no_grad", "explained"}


def left(make, use):
    """The objects that remain after some were made, used and dropped: by type, their sources, and the objects."""

    def rounds(n):
        refs = []
        for _ in range(n):
            made = make()
            use(made)
            refs.append(weakref.ref(made))
            del made
        gc.collect()
        return sum(ref() is not None for ref in refs)

    def count():
        return Counter(type(x).__qualname__ for x in gc.get_objects()), len(linecache.cache)

    rounds(2)  # for objects that are made once and kept
    count()
    before, lines = count()
    alive = rounds(ROUNDS)
    after, more = count()
    return {name: n - before[name] for name, n in after.items() if n - before[name] >= ROUNDS}, more - lines, alive


CASES = [(op, use) for op in OPERATIONS for use in USES if op in ("custom", "row") or use not in ON_SCALARS]


@pytest.mark.parametrize(("op", "use"), CASES)
def test_an_operation_goes_with_all_that_was_made_for_it(op, use):
    assert left(OPERATIONS[op], USES[use]) == ({}, 0, 0)


def through_vectorize(op):
    fast = vectorize(lambda x: op(WEIGHT * x) + op(x), ())
    fast(X).sum().backward()
    assert fast.source
    with fast.sync():
        pass


@pytest.mark.parametrize("op", ["custom", "row"])
def test_an_operation_in_a_program_goes(op):
    assert left(OPERATIONS[op], through_vectorize) == ({}, 0, 0)


def test_a_vectorized_program_goes():
    def use(fast):
        fast(X).sum().backward()
        grad(lambda x: fast(x).sum())(X)
        assert fast.source
        fast.report()

    assert left(lambda: vectorize(lambda x: (WEIGHT * x).tanh(), ()), use) == ({}, 0, 0)


def test_arrays_that_programs_share_go_with_the_last_of_them():
    def use(fast):
        other = vectorize(lambda x: WEIGHT + x, ())
        assert other.parameters() == fast.parameters()
        other(X).sum().backward()
        other.sync()

    assert left(lambda: vectorize(lambda x: WEIGHT * x, ()), use) == ({}, 0, 0)
