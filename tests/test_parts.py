"""Cotangents of parts are added in place: the numbers are those of the transpose, and no other array changes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import autograd
from autograd import Tensor, anomaly, no_grad, ops
from autograd.engine.parts import with_part
from autograd.ops.kernels import fixed_index, may_repeat

DTYPES = st.sampled_from([np.float32, np.float64])
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)


def indices(shape):
    """Anything that an array of this shape takes as an index."""
    kinds: list[Any] = [arrays.basic_indices(shape, allow_newaxis=True), arrays.arrays(bool, shape)]
    if shape:
        whole = arrays.array_shapes(min_dims=1, max_dims=2, max_side=4)
        kinds += [
            arrays.integer_array_indices(shape, result_shape=whole),
            arrays.arrays(np.int8, 5, elements=st.integers(-shape[0], shape[0] - 1)),
            arrays.arrays(bool, shape[0]),
        ]
    return st.one_of(kinds)


def same(got, expected, index, tolerance=None):
    """Equal numbers. Where an index names an element twice, the order of the additions may differ."""
    assert got.dtype == expected.dtype
    if any(may_repeat(fixed_index(i)) for i in index):
        tolerance = tolerance or (1e-5 if got.dtype == np.float32 else 1e-13)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(got, expected)


def numbers(rng, shape, dtype):
    return np.asarray(rng.normal(size=shape), dtype)


def test_reading_a_part_is_the_only_row_that_adds():
    """Another one needs a test like that of `getitem` below."""
    assert [row.name for row in ops.ROWS.values() if row.adds is not None] == ["getitem"]


@given(data=st.data(), shape=SHAPES, dtype=DTYPES, of=DTYPES, seed=st.integers(0, 2**32 - 1))
def test_the_rule_adds_the_transpose(data, shape, dtype, of, seed):
    rng = np.random.default_rng(seed)
    x, total = numbers(rng, shape, dtype), numbers(rng, shape, dtype)
    params = {"index": fixed_index(data.draw(indices(shape)))}
    g = numbers(rng, np.shape(x[params["index"]]), of)
    (transposed,) = ops.getitem.vjp(g, [True], None, [x], params)
    expected = total + transposed
    assert ops.getitem.adds is not None
    ops.getitem.adds(total, g, **params)
    same(total, expected, [params["index"]], 1e-5 if of == np.float32 else None)


@given(data=st.data(), shape=SHAPES, dtype=DTYPES, seed=st.integers(0, 2**32 - 1), leaf=st.booleans())
def test_reads_of_one_array_add_up_as_the_transposes_do(data, shape, dtype, seed, leaf):
    rng = np.random.default_rng(seed)
    index = data.draw(st.lists(st.one_of(st.just("whole"), indices(shape)), min_size=1, max_size=6))
    array = numbers(rng, shape, dtype)
    x = Tensor(array)
    parts = [i for i in index if not isinstance(i, str)]
    factors = [numbers(rng, np.shape(array if isinstance(i, str) else array[i]), dtype) for i in index]

    def f(x):
        x = x if leaf else x * 2.0
        terms = [(x if isinstance(i, str) else x[i]) * factor for i, factor in zip(index, factors, strict=True)]
        return sum([ops.sum(term * term) for term in terms], 0.0)

    out = f(x)
    with anomaly():  # looks at each cotangent, so it uses the transposes
        out.backward()
    first = x.grad
    kept = first.copy()
    x.grad = None
    out.backward()
    same(np.asarray(x.grad), np.asarray(first), parts)
    same(np.asarray(autograd.grad(f)(array)), np.asarray(first), parts)
    same(autograd.grad(f, create_graph=True)(array).data, np.asarray(first), parts)
    np.testing.assert_array_equal(first, kept)


# -------------------------------------------------------------------------------------------- whose the arrays are


def test_a_second_backward_accumulates_and_leaves_the_first_gradient_alone():
    x = Tensor(np.zeros(4))
    out = (x[0] + 2.0 * x[1:3] + 3.0 * x[0]).sum()
    out.backward()
    first = x.grad
    out.backward()
    np.testing.assert_array_equal(first, [8.0, 2.0, 2.0, 0.0])
    np.testing.assert_array_equal(x.grad, 2 * first)


@pytest.mark.parametrize("given", [0, 0.0, [1.0, 2.0, 3.0], np.ones(3), np.ones(1), np.ones(3, np.float32)], ids=repr)
def test_a_gradient_that_the_program_has_set_is_the_beginning(given):
    x = Tensor(np.zeros(3))
    x.grad = given
    (x[0] + x[1] + x[0]).backward()
    np.testing.assert_array_equal(x.grad, np.array([2.0, 1.0, 0.0]) + given)
    assert x.grad.dtype == x.dtype
    assert x.grad is not given


@given(st.lists(st.sampled_from(["part", "whole"]), min_size=3, max_size=8), DTYPES)
def test_parts_of_an_array_without_axes_add_up(reads, dtype):
    """A sum with an array without axes is a scalar, to which nothing can be added in place."""
    for leaf in (True, False):
        t = Tensor(np.array(2.0), dtype)
        x = t if leaf else t * 1.0
        terms = [x[None].sum() if read == "part" else x * 1.0 for read in reads]
        sum(terms[1:], terms[0]).backward()
        assert t.grad.shape == () and t.grad.dtype == dtype and t.grad == len(reads)


def test_a_gradient_of_another_shape_is_refused():
    x = Tensor(np.zeros(3))
    x.grad = np.zeros((2, 3))
    out = x[0] + x[1]
    with pytest.raises(ValueError, match="dimensions"):
        out.backward()


@pytest.mark.parametrize("spread", [lambda y: y.sum(), lambda y: (y + 0.0).sum(), lambda y: y.reshape(2, 3).sum()])
def test_a_cotangent_that_others_have_stays_as_it_is(spread):
    a, b = Tensor(np.zeros((3, 2))), Tensor(np.zeros((3, 2)))
    y = a + b
    z = y + 0.0  # hands the very array on, which may be broadcast from a single number
    out = y[0].sum() + y[1, 1] + 2.0 * y[0, 0] + spread(z)
    out.backward()
    np.testing.assert_array_equal(z.grad, np.ones((3, 2)))
    np.testing.assert_array_equal(y.grad, [[4.0, 2.0], [1.0, 2.0], [1.0, 1.0]])
    np.testing.assert_array_equal(a.grad, y.grad)
    np.testing.assert_array_equal(b.grad, y.grad)
    assert a.grad is not b.grad
    assert not np.shares_memory(a.grad, y.grad)
    assert all(grad.flags.writeable and grad.flags.owndata for grad in (a.grad, b.grad))


@pytest.mark.parametrize("first", [np.zeros(3), np.broadcast_to(0.0, 3), np.zeros(3, np.float32)], ids=repr)
def test_the_first_cotangent_is_copied_and_the_copy_is_written_to(first):
    x = Tensor(np.zeros(3))
    first.setflags(write=False)
    own: set[int] = set()
    total = with_part(x[:2], np.array([1.0, 2.0]), first, own)
    assert with_part(x[2], np.array(5.0), total, own) is total
    np.testing.assert_array_equal(total, [1.0, 2.0, 5.0])
    np.testing.assert_array_equal(first, np.zeros(3))
    assert total.dtype == x.dtype


def test_the_seeds_of_a_transformation_stay_as_they_are():
    def f(x):
        y = x * 1.0
        return y, y[0] + y[1] + y[0]

    (_, _), pull = autograd.vjp(f, np.zeros(3))
    seed = np.ones(3)
    (found,) = pull((seed, np.array(10.0)))
    np.testing.assert_array_equal(found, [21.0, 11.0, 1.0])
    np.testing.assert_array_equal(seed, np.ones(3))


@pytest.mark.parametrize("seed", [np.array([1, 2]), [1.0, 2.0], np.ones(2, np.float32), np.array([0.1, 0.2])], ids=repr)
def test_seeds_of_any_dtype_are_added_in_that_of_the_array(seed):
    def f(x):
        return (x[:2] + x[1:] + x[:2]) * 1.0

    def g(x):
        return x[:2]

    for function in (f, g):
        _, pull = autograd.vjp(function, np.zeros(3, np.float32))
        (found,) = pull(np.asarray(seed))
        assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.append(np.asarray(seed, np.float32), np.float32(0)))


def test_a_seed_that_is_a_variable_is_differentiated():
    _, pull = autograd.vjp(lambda x: x[:2] * x[1:] + x[1:], np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(autograd.jacobian(lambda seed: pull(seed)[0])(np.ones(2)), [[2, 0], [2, 3], [0, 3]])


# ------------------------------------------------------------------------------------------------------- the modes


def test_frozen_leaves_get_nothing():
    x = Tensor(np.ones(3))
    out = x[0] * 2.0 + x[1] * x[0]
    x.requires_grad = False
    out.backward()
    assert x.grad is None


def test_nothing_is_recorded_without_recording():
    x = Tensor(np.ones(3))
    with no_grad():
        out = x[0] + x[1]
    out.backward()
    assert x.grad is None


def test_the_anomaly_of_a_part_is_named():
    x = Tensor(np.array([0.0, 1.0]))
    with anomaly(), pytest.raises(autograd.AnomalyError, match="sqrt"):
        (x[1].sqrt() + x[0].sqrt()).backward()


@pytest.mark.parametrize("turned", [False, True])
def test_anomaly_mode_looks_at_every_read(turned):
    x = Tensor(np.zeros(3))
    with anomaly():
        before = x[0]
        x.data[1] = 5.0
        after = x[0]
        out = after + before if turned else before + after
        with pytest.raises(autograd.AnomalyError, match=r"operand 0 of getitem, .* changed before this backward"):
            out.backward()


def test_second_derivatives_go_through_the_transposes():
    def f(x: Any) -> Any:
        return x[0] ** 2 * x[1] + x[1] ** 3 + x[:2].sum() * x[0]

    x = np.array([2.0, 3.0])
    np.testing.assert_allclose(autograd.hessian(f)(x), [[8.0, 5.0], [5.0, 18.0]])
