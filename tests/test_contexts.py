"""`no_grad` and `anomaly` around and inside transformations, both modes, generators and coroutines."""

import asyncio
import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import (
    Tensor,
    Value,
    anomaly,
    custom_op,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    ops,
    value_and_grad,
    vjp,
)

cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")


def product(x):
    return (x * x * x).sum()


def mixed(x):
    return (ops.sin(x) * ops.exp(x)).sum() + cube(x).sum() + ops.log_softmax(x * np.ones(3)).sum()


def pulled(out, pull):
    return out, pull(np.ones(()))


X = np.array([0.3, -0.7, 1.1])
TRANSFORMED = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: value_and_grad(f)(x),
    "vjp": lambda f, x: pulled(*vjp(f, x)),
    "jvp": lambda f, x: jvp(f, (x,), (np.ones_like(ops.detach(x)),)),
    "jacobian forward": lambda f, x: jacobian(f, mode="forward")(x),
    "jacobian reverse": lambda f, x: jacobian(f, mode="reverse")(x),
    "hessian": lambda f, x: hessian(f)(x),
    "hvp": lambda f, x: hvp(f, x, np.ones_like(ops.detach(x))),
    "grad of grad": lambda f, x: grad(lambda y: grad(f)(y).sum())(x),
    "jvp of grad": lambda f, x: jvp(grad(f), (x,), (np.ones_like(ops.detach(x)),)),
    "grad of jvp": lambda f, x: grad(lambda y: jvp(f, (y,), (np.ones_like(X),))[1])(x),
    "jvp of jvp": lambda f, x: jvp(lambda y: jvp(f, (y,), (np.ones_like(X),))[1], (x,), (np.ones_like(X),)),
}


def leaves(x):
    return [leaf for item in x for leaf in leaves(item)] if isinstance(x, (list, tuple)) else [x]


def same(a, b):
    for x, y in zip(leaves(a), leaves(b), strict=True):
        np.testing.assert_allclose(ops.detach(x), ops.detach(y), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", [product, mixed], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", TRANSFORMED)
def test_a_transformation_differentiates_whatever_is_on_outside(name, f):
    transform = TRANSFORMED[name]
    wanted = transform(f, X)
    assert any(np.any(x) for x in leaves(wanted))
    with no_grad():
        same(transform(f, X), wanted)
        with no_grad():
            same(transform(f, X), wanted)
    with anomaly():
        same(transform(f, X), wanted)
    with no_grad():  # the result is a constant of the variable's kind
        found = transform(f, Tensor(X))
    same(found, wanted)
    assert all(x.is_leaf for x in leaves(found) if isinstance(x, Tensor))
    assert any(isinstance(x, Tensor) for x in leaves(found))


def test_transformations_of_numbers_in_no_grad():
    f = lambda x: x**3 + ops.sin(x) * cube(x)  # noqa: E731
    for modes in itertools.product("rf", repeat=3):
        g = f
        for mode in modes:
            g = grad(g) if mode == "r" else (lambda h: lambda x: jvp(h, (x,), (1.0,))[1])(g)
        wanted = g(0.7)
        with no_grad():
            assert g(0.7) == wanted
            assert g(Value(0.7)).data == wanted


def test_what_is_closed_over_is_cut_by_no_grad_and_by_nothing_else():
    w = Tensor(X)
    with no_grad():
        inner = grad(lambda x: (x * w * w).sum())(Tensor(X))
    assert inner.is_leaf
    outer = grad(lambda u: (grad(lambda x: (x * u * u).sum())(X) * X).sum())
    np.testing.assert_allclose(outer(X), 2 * X * X)

    def cut(u):
        with no_grad():
            g = grad(lambda x: (x * u * u).sum())(X)
        return (g * u).sum()

    np.testing.assert_allclose(grad(cut)(X), X * X)
    np.testing.assert_allclose(jvp(cut, (X,), (np.ones(3),))[1], (X * X).sum())


def inside(where):
    """A function that computes one factor in `no_grad`, and the same with that factor given as a constant."""

    def f(x):
        y = where(lambda: ops.sin(x) * x)
        return (x * x * y).sum() + (y * y).sum()

    return f


def by_context(compute):
    with no_grad():
        return compute()


@pytest.mark.parametrize("where", [by_context, lambda compute: no_grad()(compute)()], ids=["with", "decorator"])
def test_no_grad_inside_counts_in_every_mode_alike(where):
    f = inside(where)
    y = np.sin(X) * X
    np.testing.assert_allclose(grad(f)(X), 2 * X * y)
    np.testing.assert_allclose(jacobian(f, mode="forward")(X), 2 * X * y)
    np.testing.assert_allclose(jacobian(f, mode="reverse")(X), 2 * X * y)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(jvp(f, (X,), (v,))[1], (2 * X * y * v).sum())
    second = [hvp(f, X, v), hessian(f)(X) @ v, jvp(grad(f), (X,), (v,))[1]]
    second += [grad(lambda x: (grad(f)(x) * v).sum())(X)]
    second += [jacobian(lambda x: jvp(f, (x,), (v,))[1], mode="forward")(X)]
    # in every mode y is a constant of the first derivative: it does not move with x
    for found in second:
        np.testing.assert_allclose(found, 2 * y * v)


def test_a_number_in_no_grad_in_both_modes():
    def f(x):
        with no_grad():
            y = x * x
        return x * y

    for at in (3.0, -2.0):
        assert grad(f)(at) == jvp(f, (at,), (1.0,))[1] == at * at


def test_predict_of_a_model_that_differentiates():
    model = lambda x: grad(lambda q: (3.0 * q * q).sum())(x)  # noqa: E731
    np.testing.assert_allclose(nn.predict(model, X), 6 * X)
    network = nn.dense(3, 4, 1, rng=0, dtype=np.float64)
    forces = lambda x: grad(lambda q: network(q).sum())(x)  # noqa: E731
    np.testing.assert_allclose(nn.predict(forces, X[None]), forces(X[None]))
    assert np.any(forces(X[None]))


@given(seed=st.integers(0, 2**32 - 1))
def test_forward_mode_of_custom_operations_in_no_grad(seed):
    x, v = np.random.default_rng(seed).normal(size=(2, 3))
    with no_grad():
        np.testing.assert_allclose(jvp(cube, (x,), (v,))[1], 3 * x**2 * v)


# ----------------------------------------------------------------------------------------- generators and coroutines

CONTEXTS = {"no_grad": (no_grad, lambda x: (x * x).is_leaf), "anomaly": (anomaly, lambda x: watched())}


def watched():
    from autograd.engine.modes import modes

    return modes.watch is not None


@pytest.mark.parametrize("name", CONTEXTS)
def test_decorated_code_is_inside_whenever_it_runs_and_nothing_else_is(name):
    context, on = CONTEXTS[name]
    x = Value(2.0)

    @context()
    def function():
        return on(x)

    @context()
    def generator(start):
        sent = yield on(x)
        try:
            sent = yield (sent, on(x))
        except KeyError:
            yield ("caught", on(x))
        try:
            yield start
        finally:
            closed.append(on(x))
        return "end"

    @context()
    async def coroutine():
        before = on(x)
        await asyncio.sleep(0)
        return before, on(x)

    @context()
    async def asynchronous():
        yield on(x)
        await asyncio.sleep(0)
        try:
            yield on(x)
        finally:
            closed.append(on(x))

    closed: list[bool] = []
    assert function()
    assert not on(x)
    steps = generator("start")
    assert next(steps)
    assert not on(x)
    assert steps.send("hello") == ("hello", True)
    assert steps.throw(KeyError) == ("caught", True)
    assert next(steps) == "start"
    assert not on(x)
    steps.close()
    assert closed == [True]

    async def several():
        task = asyncio.create_task(coroutine())
        await asyncio.sleep(0)
        assert not on(x)  # while the other generator waits
        assert await task == (True, True)
        assert [(item, on(x)) async for item in asynchronous()] == [(True, False)] * 2
        early = asynchronous()
        assert await anext(early)
        await early.aclose()

    asyncio.run(several())
    assert closed == [True, True]
    assert inspect.isgeneratorfunction(generator)
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isasyncgenfunction(asynchronous)
    assert generator.__name__ == "generator"

    @context()
    def returns():
        yield 1
        return 2

    def delegating():
        return (yield from returns())

    steps = delegating()
    next(steps)
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == 2


def test_what_is_recorded_in_a_generator_is_as_outside():
    x = Value(2.0)

    @no_grad()
    def produce():
        yield x * x

    y = next(produce())
    assert y.is_leaf
    assert not (x * x).is_leaf
