"""Windows of arrays: against NumPy and against loops, the transpose, the memory, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor, ops
from autograd.vectorizing.array_program import traced
from autograd.vectorizing.backward import backward_source
from autograd.vectorizing.sizes import NotLowerable


@st.composite
def cases(draw):
    """An array in any order of its axes, perhaps a part of another, and parameters of windows that fit."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    axes = draw(st.lists(st.sampled_from(range(len(shape))), unique=True, max_size=len(shape)))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape).astype(dtype)
    if draw(st.booleans()):
        x = (
            x.transpose(draw(st.permutations(range(len(shape)))))
            .copy()
            .transpose(draw(st.permutations(range(len(shape)))))
        )
    if draw(st.booleans()):
        x = x[..., :: draw(st.sampled_from([-1, 1, 2, -2]))]
    size, stride, dilation = [], [], []
    for i in axes:
        size.append(draw(st.integers(1, x.shape[i])))
        most = (x.shape[i] - 1) // (size[-1] - 1) if size[-1] > 1 else 3
        dilation.append(draw(st.integers(1, most)))
        stride.append(draw(st.integers(1, 4)))
    return x, tuple(size), tuple(axes), tuple(stride), tuple(dilation)


def windows(x, size, axes, stride, dilation):
    """The windows, from NumPy's: of every place, with the elements between."""
    spread = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    if not axes:
        return x
    full = np.lib.stride_tricks.sliding_window_view(x, spread, axes)
    index = [slice(None)] * x.ndim
    for i, s in zip(axes, stride, strict=True):
        index[i] = slice(None, None, s)
    return full[(*index, *(slice(None, None, d) for d in dilation))]


@given(cases())
def test_windows_are_numpys_with_strides_and_dilations(case):
    x, *rest = case
    found = ops.sliding_window_view(x, *rest)
    assert found.dtype == x.dtype
    assert not found.flags.writeable
    np.testing.assert_array_equal(found, windows(x, *rest))
    cells = np.empty(x.shape, object)
    cells[...] = x
    np.testing.assert_array_equal(ops.sliding_window_view(cells, *rest).astype(x.dtype), found)


@given(cases())
def test_the_transpose_adds_each_element_where_it_stands(case):
    x, *rest = case
    y = np.random.default_rng(1).normal(size=ops.sliding_window_view(x, *rest).shape)
    places = windows(np.arange(x.size).reshape(x.shape), *rest)
    expected = np.zeros(x.size)
    np.add.at(expected, places.reshape(-1), y.reshape(-1))
    added = ops.overlap_add(y, x.shape, *rest[1:])
    np.testing.assert_allclose(added.reshape(-1), expected, rtol=1e-12, atol=1e-12)


@given(st.permutations(range(3)))
def test_windows_take_no_memory(order):
    """Of an array, of its transpose, and of a part of it."""
    x = np.ones((4, 5, 6)).transpose(order)
    for part in (x, x[1:, ::2], x[:, :, ::-1]):
        assert np.shares_memory(ops.sliding_window_view(part, 2, axis=-1), x)


def test_a_change_of_the_array_behind_windows_is_noticed():
    """The square reads the windows, which are the leaf's own memory."""
    x = Tensor(np.arange(4.0))
    out = ops.square(ops.sliding_window_view(x, 2)).sum()
    x.data[0] = 9.0
    with pytest.raises(RuntimeError, match="changed after the operation was recorded"):
        out.backward()


@given(cases(), st.booleans())
def test_the_largest_of_each_window_is_that_of_the_composition(case, ties):
    x, *rest = case
    x = np.round(x) if ties else x
    g = np.random.default_rng(1).normal(size=ops.sliding_window_view(x, *rest).shape[: x.ndim]).astype(x.dtype)
    found = []
    for f in (ops.max_pool, ops.max_pool.composition):
        t = Tensor(x)
        out = f(t, *rest)
        out.backward(g)
        found.append((out.data, t.grad))
    for fused, composed in zip(*found, strict=True):
        assert fused.dtype == composed.dtype == x.dtype
        np.testing.assert_allclose(fused, composed, rtol=1e-5, atol=1e-6)


REFUSED = {
    "a window does not fit": (lambda x: ops.sliding_window_view(x, 5, 1), "of length 5 does not fit into axis 1 of"),
    "with dilation": (lambda x: ops.sliding_window_view(x, 2, 0, 1, 2), "of length 2, with dilation 2, does not fit"),
    "no stride": (lambda x: ops.sliding_window_view(x, 1, 0, 0), "stride is a whole number above 0.*, not 0"),
    "too many lengths": (lambda x: ops.sliding_window_view(x, (1, 1), 0), r"one for each of the axes \(0,\), not"),
    "an axis twice": (lambda x: ops.sliding_window_view(x, 1, (0, 0)), "names a dimension twice"),
    "no windows": (lambda x: ops.overlap_add(x, (2, 3), 1), r"along the axes \(1,\) have 3 dimensions, not the shape"),
    "other windows": (lambda x: ops.overlap_add(x, 7), r"shape \(7,\) has windows of shape \(5, 3\), not \(2, 3\)"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", [np.array, Tensor], ids=["array", "Tensor"])
def test_what_is_wrong_is_said(name, kind):
    f, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        f(kind(np.ones((2, 3))))


def test_texts_of_programs_refuse_windows_by_name():
    program = traced(lambda x, w: ops.sliding_window_view(x, 2, 1) @ w, {"x": np.ones((2, 3))}, {"w": np.ones(2)})
    with pytest.raises(NotLowerable, match="sliding_window_view has no text"):
        backward_source(program)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_convolution_as_windows_and_a_product(stride, dilation):
    """The use of it, in loops."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 7)), rng.normal(size=(4, 3, 2))
    found = ops.einsum("nclk,ock->nol", ops.sliding_window_view(Tensor(x), 2, 2, stride, dilation), w)
    for n, o, place in np.ndindex(*found.shape):
        start = place * stride
        expected = sum(w[o, c, k] * x[n, c, start + k * dilation] for c in range(3) for k in range(2))
        assert found.data[n, o, place] == pytest.approx(expected)
