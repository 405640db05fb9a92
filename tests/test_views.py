"""`autograd.vectorizing.views`: text that reads the elements of an array at given places."""

import math
import re
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor
from autograd.vectorizing.array_program import BATCH
from autograd.vectorizing.row_text import RowText
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.tree import Trees
from autograd.vectorizing.views import is_identity, view


def written(shape, places, batch=True, exact=False):
    """The text, and the arrays that it names."""
    constants: dict[str, Any] = {}
    trees = Trees(simplified)

    def constant(array):
        assert array.dtype.kind == "i"
        name = f"i{len(constants) + 1}"
        constants[name] = array
        return trees.leaf(name, array.shape, array.dtype, array=array)

    source = trees.leaf("h", (BATCH,) * batch + shape, float)
    node = view(source, shape, places, batch=batch, constant=constant, exact=exact)
    return RowText([source]).text(node), constants


def assert_right(case, batch, exact):
    """Check that the text reads the right elements of arrays and Tensors, in a shape that fits the grid."""
    shape, places = case
    text, constants = written(shape, places, batch, exact)
    front = (3,) if batch else ()
    source = np.arange(float(math.prod(front + shape))).reshape(front + shape)
    want = source.reshape(*front, -1)[..., np.maximum(places, 0)]
    for operand in (source, Tensor(source)):
        got = eval(text, {"h": operand, **constants})
        if isinstance(operand, Tensor):
            assert isinstance(got, Tensor)
            got = got.data
        if exact or batch:
            assert got.ndim == want.ndim, text
        if exact:
            assert got.shape == want.shape, text
        fitted = np.broadcast_to(got, want.shape)
        assert np.array_equal(fitted[..., places >= 0], want[..., places >= 0]), text
    if not exact and np.all(places >= 0):  # broadcasting repeats elements, so the text does not
        for axis, n in enumerate(places.shape):
            if n > 1 and np.all(places == np.take(places, [0], axis)):
                assert got.shape[axis - places.ndim :][:1] in ((1,), ()) or got.ndim < places.ndim - axis, text
    assert not constants or re.search(r"\bi1\b", text)
    return text, constants


# ------------------------------------------------------------------------------------------------------ exact texts

r = np.arange
HEADS = r(5)[:, None] * 48 + 16 + r(4)[:, None, None] * 4 + r(4)


@pytest.mark.parametrize(
    ("shape", "places", "text"),
    [
        # the whole array, and reshapes
        ((16,), r(16), "h"),
        ((), np.array(0), "h"),
        ((2, 3), r(6).reshape(2, 3), "h"),
        ((16,), r(16).reshape(4, 4), "h.reshape(-1, 4, 4)"),
        ((5, 48), r(240), "h.reshape(-1, 240)"),
        ((1, 6), r(6).reshape(2, 1, 3), "h.reshape(-1, 2, 1, 3)"),
        ((1, 6), r(6)[:, None], "h.reshape(-1, 6, 1)"),
        ((2, 3), np.full((2, 3), -1), "h"),
        # slices
        ((16,), r(4, 8), "h[:, 4:8]"),
        ((16,), r(4, 16), "h[:, 4:]"),
        ((16,), r(0, 16, 2), "h[:, ::2]"),
        ((16,), r(2, 12, 4), "h[:, 2:11:4]"),
        ((16,), r(16)[::-1], "h[:, ::-1]"),
        ((16,), r(16)[9:2:-3], "h[:, 9:0:-3]"),
        ((16,), np.array(3), "h[:, 3]"),
        ((5, 48), r(48, 96), "h[:, 1]"),
        ((5, 48), r(5) * 48 + 7, "h[:, :, 7]"),
        ((5, 48), r(1, 4)[:, None] * 48 + r(8), "h[:, 1:4, :8]"),
        ((5, 48), 47 - r(8) + r(5)[::-1, None] * 48, "h[:, ::-1, :39:-1]"),
        # axes along which nothing changes
        ((16,), np.array([[0] * 3, [1] * 3]), "h[:, :2, None]"),
        ((16,), np.array([r(16)] * 3), "h[:, None]"),
        ((16,), r(16)[:, None], "h[:, :, None]"),
        ((16,), np.full((2, 3), 3), "h[:, 3:4, None]"),
        ((5, 48), r(48, 96)[None], "h[:, 1:2]"),
        ((), np.zeros((2, 3), int), "h[:, None, None]"),
        # rows of an axis, and other orders
        ((5, 48), HEADS, "h[:, :, 16:32].reshape(-1, 5, 4, 4).transpose(0, 2, 1, 3)"),
        ((3, 4), r(12).reshape(3, 4).T, "h.swapaxes(-1, -2)"),
        ((12,), r(12).reshape(3, 4).T, "h.reshape(-1, 3, 4).swapaxes(-1, -2)"),
        ((3, 4), r(12).reshape(3, 4).T.reshape(-1), "h.swapaxes(-1, -2).reshape(-1, 12)"),
        ((16,), r(16).reshape(4, 4)[:, 1:3], "h.reshape(-1, 4, 4)[:, :, 1:3]"),
        ((16,), r(16).reshape(4, 4)[:, ::-1], "h.reshape(-1, 4, 4)[:, :, ::-1]"),
        ((17,), r(1, 17).reshape(4, 4)[:, 1:3], "h[:, 1:].reshape(-1, 4, 4)[:, :, 1:3]"),
        ((12,), r(12).reshape(3, 4)[::2, 1:3], "h.reshape(-1, 3, 4)[:, ::2, 1:3]"),
        ((5, 6), r(30).reshape(5, 6)[:, 1:4].reshape(-1), "h[:, :, 1:4].reshape(-1, 15)"),
        ((5, 6, 4), r(120).reshape(5, 6, 4)[:, 1:3].reshape(-1), "h[:, :, 1:3].reshape(-1, 40)"),
        ((5, 48), r(240).reshape(5, 48)[:, 16:32].reshape(8, 10), "h[:, :, 16:32].reshape(-1, 8, 10)"),
        ((2, 3, 4, 2), r(0, 48, 2), "h[:, :, :, :, 0].reshape(-1, 24)"),
        ((4, 4), r(2, 10), "h.reshape(-1, 16)[:, 2:10]"),
        ((4, 4), r(4) * 5, "h.reshape(-1, 16)[:, ::5]"),
        ((3, 4, 4), r(3)[:, None] * 16 + r(4) * 5, "h.reshape(-1, 3, 16)[:, :, ::5]"),
        ((4, 4), r(10), "h.reshape(-1, 16)[:, :10]"),
        ((16,), r(8).reshape(2, 1, 4), "h[:, :8].reshape(-1, 2, 1, 4)"),
        # one array of indices
        ((5, 48), r(5)[:, None] * 48 + np.array([3, 1, 1]), "h[:, :, i1]"),
        ((5, 48), r(4, 7) + np.array([3, 1, 1])[:, None] * 48, "h[:, i1, 4:7]"),
        ((5, 48), 96 + np.array([3, 1, 1]), "h[:, 2][:, i1]"),
        ((5, 8), np.array([[3, 1], [1, 4]])[..., None] * 8 + r(8), "h[:, i1]"),
        ((16,), r(4)[:, None] + r(3), "h[:, i1]"),  # windows overlap
        ((5, 3), np.array([[7, 0], [1, 1]]), "h.reshape(-1, 15)[:, i1]"),
        ((6,), np.array([[[0], [1]], [[3], [0]]]).repeat(3, 2), "h[:, i1, None]"),
        # holes
        ((16,), np.array([-1, 5, -1, 7]), "h[:, 4:8]"),
        ((16,), np.array([[0, -1, 2, 3], [4, 5, -1, -1]]), "h[:, :8].reshape(-1, 2, 4)"),
        ((4, 4), np.where(np.tri(4, dtype=bool), r(16).reshape(4, 4), -1), "h"),
        ((4, 5), np.where(np.tri(4, dtype=bool), r(20).reshape(4, 5)[:, :4], -1), "h[:, :, :4]"),
        ((4, 3, 3), np.where(r(24) == 4, -1, r(36).reshape(4, 3, 3)[:, 1:].reshape(-1)), "h[:, :, 1:].reshape(-1, 24)"),
        ((5, 3), np.array([-9, 3, 6])[:, None] + np.array([0, 2, 2, 1]), "h[:, :3, i1]"),
        ((4,), np.array([0, 1, 2, 3, -1, -1, -1, -1]), "h[:, i1]"),
        ((16,), np.array([-1, 0, 1, 2]), "h[:, i1]"),  # a slice would start before the first element
        ((4, 3), (r(4)[:, None] - 1) * 3 + r(3), "h[:, i1]"),
        ((6,), np.full((2, 2), -1), "h[:, :1, None]"),
        ((16,), np.array([[0, -1], [-1, 0]]), "h[:, :1, None]"),
        ((5, 6), np.where(r(15) == 4, -1, r(30).reshape(5, 6)[:, 1:4].reshape(-1)), "h[:, :, 1:4].reshape(-1, 15)"),
    ],
)
def test_texts(shape, places, text):
    places = np.where((places < 0), -1, places)
    assert written(shape, places)[0] == text
    assert_right((shape, places), True, False)


@pytest.mark.parametrize(
    ("shape", "places", "exact", "text"),
    [
        ((16,), r(16).reshape(4, 4), False, "h.reshape(4, 4)"),
        ((16,), np.array([r(16)] * 3), False, "h"),
        ((16,), np.array([r(3)] * 3), False, "h[:3]"),
        ((16,), r(16)[None], True, "h[None]"),
        ((16,), r(16)[None], False, "h"),
        ((16,), r(16)[:, None], False, "h[:, None]"),
        ((16,), np.array(3), False, "h[3]"),
        ((16,), np.full((2, 3), 3), False, "h[3]"),
        ((2, 3), r(6)[None], False, "h.reshape(6)"),
        ((2, 3), r(6)[None], True, "h.reshape(1, 6)"),
        ((5, 48), HEADS, True, "h[:, 16:32].reshape(5, 4, 4).transpose(1, 0, 2)"),
        ((5, 48), r(5)[:, None] * 48 + np.full(4, 3), True, "h[:, i1]"),
        ((5, 48), r(240).reshape(5, 48)[:, None].repeat(2, 1), True, "h[:, None][:, i1]"),
        ((5, 48), r(48, 96)[None].repeat(2, 0), True, "h[i1]"),
        ((16,), np.array([[0] * 3, [1] * 3]), True, "h[i1]"),
        ((), np.zeros(3, int), True, "h.reshape(1)[i1]"),
    ],
)
def test_texts_without_a_batch(shape, places, exact, text):
    assert written(shape, places, False, exact)[0] == text
    assert_right((shape, places), False, exact)


def test_arrays_of_indices():
    def only(shape, places, exact=False):
        [index] = written(shape, np.array(places), exact=exact)[1].values()
        return index.tolist()

    assert only((5, 3), [[7, 0], [1, 1]]) == [[7, 0], [1, 1]]
    assert only((5, 3), [[-1, 7, -1, 2, -1], [1, 1, -1, 0, 0]]) == [[7, 7, 7, 2, 2], [1, 1, 1, 0, 0]]
    assert only((16,), [[2, 0, -1, 3], [-1, 12, 7, -1], [6, 4, 5, -1]]) == [[2, 0, 0, 3], [3, 12, 7, 7], [6, 4, 5, 5]]
    assert only((16,), [[2, 0, -1], [-1, 12, 15], [6, 4, 7]]) == [[2, 0, 0], [0, 12, 15], [6, 4, 7]]
    assert only((4,), [0, 1, 2, 3, -1, -1, -1, -1]) == [0, 1, 2, 3, 3, 3, 3, 3]
    assert only((16,), [-1, 0, 1, 2]) == [0, 0, 1, 2]
    assert only((4, 3), [[-1, -1], [0, 1], [3, 4]]) == [0, 0, 1]  # rows; the columns are a slice
    assert only((6,), [[2, 2], [0, 0], [3, 3], [0, 0]]) == [2, 0, 3, 0]
    assert only((6,), [[2, 2], [0, 0]], exact=True) == [[2, 2], [0, 0]]


def test_identity():
    assert is_identity((2, 3), r(6).reshape(2, 3))
    assert is_identity((), np.array(0))
    assert is_identity((3,), np.array([-1, 1, -1]))
    assert not is_identity((3,), np.array([-1, 0, -1]))
    assert not is_identity((4,), r(3))
    assert not is_identity((6,), r(6).reshape(2, 3))
    assert not is_identity((2, 3), r(6).reshape(3, 2))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("batch", [False, True])
def test_nothing(batch, exact):
    text, constants = written((2, 3), np.zeros((4, 0), int), batch, exact)
    source = np.ones((5, 2, 3)[not batch :])
    assert eval(text, {"h": source, **constants}).shape == (5, 4, 0)[not batch :]


# ------------------------------------------------------------------------------------------------------ all of them

shapes = st.lists(st.sampled_from([1, 2, 3, 4, 5, 6, 8, 12]), max_size=3).map(tuple)


def factors(n):
    return [k for k in range(1, n + 1) if n % k == 0]


@st.composite
def moves(draw, grid, kinds):
    """One change of a grid of places."""
    kind = draw(st.sampled_from(kinds))
    axis = draw(st.integers(0, max(grid.ndim - 1, 0)))
    if kind == "new":
        return np.expand_dims(grid, draw(st.integers(0, grid.ndim)))
    if kind == "repeat":
        place = draw(st.integers(0, grid.ndim))
        return np.expand_dims(grid, place).repeat(draw(st.integers(1, 3)), place)
    if not grid.ndim:
        return grid
    n = grid.shape[axis]
    if kind == "slice":
        start = draw(st.integers(0, n - 1))
        stop = draw(st.integers(start + 1, n))
        cut = np.take(grid, range(start, stop, draw(st.integers(1, 3))), axis)
        return np.flip(cut, axis) if draw(st.booleans()) else cut
    if kind == "pick":
        return np.take(grid, draw(st.integers(0, n - 1)), axis)
    if kind == "transpose":
        return grid.transpose(draw(st.permutations(range(grid.ndim))))
    if kind == "split":
        k = draw(st.sampled_from(factors(n)))
        return grid.reshape(*grid.shape[:axis], n // k, k, *grid.shape[axis + 1 :])
    if kind == "merge":
        return grid.reshape(*grid.shape[:axis], -1, *grid.shape[axis + 2 :])
    assert kind == "gather"
    index = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=6))
    return np.take(grid, index, axis)


@st.composite
def composed(draw, kinds, most=6):
    """A shape, and a grid of places that is made from it step by step."""
    shape = draw(shapes)
    grid = np.arange(math.prod(shape)).reshape(shape)
    for _ in range(draw(st.integers(0, most))):
        grid = draw(moves(grid, kinds))
    return shape, grid


@st.composite
def holed(draw, grids):
    """Some places are free (-1): anywhere, in whole rows, or above a diagonal."""
    shape, grid = draw(grids)
    kind = draw(st.sampled_from(["none", "some", "rows", "triangle"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if kind == "some":
        grid = np.where(rng.random(grid.shape) < draw(st.sampled_from([0.1, 0.5, 0.9])), -1, grid)
    elif grid.ndim and kind == "rows":
        grid = np.moveaxis(grid.copy(), draw(st.integers(0, grid.ndim - 1)), 0)
        grid[rng.random(len(grid)) < 0.4] = -1
    elif grid.ndim > 1 and kind == "triangle":
        grid = np.where(np.tri(grid.shape[-2], grid.shape[-1], dtype=bool), grid, -1)
    return shape, grid


@st.composite
def arbitrary(draw):
    """Places in any order."""
    shape = draw(shapes)
    grid = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
    places = draw(st.lists(st.integers(0, math.prod(shape) - 1), min_size=math.prod(grid), max_size=math.prod(grid)))
    return shape, np.array(places, int).reshape(grid)


REGULAR = ("slice", "pick", "transpose", "split", "new")
ALL = (*REGULAR, "merge", "repeat", "gather")


@given(holed(composed(ALL)), st.booleans(), st.booleans())
def test_compositions(case, batch, exact):
    assert_right(case, batch, exact)


@given(holed(composed((*REGULAR, "merge"))), st.booleans(), st.booleans())
def test_regular_compositions(case, batch, exact):
    assert_right(case, batch, exact)


@given(holed(arbitrary()), st.booleans(), st.booleans())
def test_arbitrary_places(case, batch, exact):
    assert_right(case, batch, exact)


@given(composed(REGULAR), st.booleans(), st.booleans())
def test_slices_need_no_arrays(case, batch, exact):
    """Grids made by slices, transposes and splits are written with these."""
    text, constants = assert_right(case, batch, exact)
    assert not constants, text


@given(composed((*REGULAR, "repeat")), st.booleans())
def test_repeats_need_no_arrays_where_broadcasting_will_do(case, batch):
    text, constants = assert_right(case, batch, False)
    assert not constants, text


@given(composed(("merge", "transpose", "slice"), most=3), st.data())
def test_some_holes_change_nothing(case, data):
    """A regular grid with one free place is still written as a regular one."""
    shape, grid = case
    text, constants = written(shape, grid)
    if constants or grid.size < 2 or min(grid.shape) < 4:
        return
    holed = grid.copy()
    holed[tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)] = -1
    assert written(shape, holed) == (text, {})


@given(composed(("slice", "transpose", "split")), st.data(), st.integers(1, 3))
def test_one_axis_out_of_order_needs_one_small_array(case, data, repeats):
    shape, grid = case
    if not grid.ndim:
        return
    axis = data.draw(st.integers(0, len(shape) - 1))
    whole = np.arange(math.prod(shape)).reshape(shape)
    index = data.draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=6))
    _, constants = assert_right((shape, np.take(whole, index, axis)), True, False)
    assert [array.size for array in constants.values()] in ([], [len(index)])


def lines_run(f, *args):
    """The number of lines of Python that a call runs. Lines of a loop count each time."""
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        f(*args)
    finally:
        sys.settrace(before)
    return count


def large(n):
    """Regular, irregular and random places in an array of (10, 10, n, n)."""
    t = r(n)[:, None] * n + r(n)
    yield t.T
    yield np.where(abs(r(n)[:, None] - r(n)) < 3, t % (n - 3) * n + t // n, -1)
    yield np.where(np.tri(n, dtype=bool), t, -1)
    yield np.random.default_rng(0).integers(0, 100 * n * n, (10, n // 10, 10, n // 10))


def test_no_element_is_looked_at_in_python():
    """For a hundred times as many places, the lines of Python grow at most with the length of an axis."""
    for few, many in zip(large(50), large(500), strict=True):
        work = [lines_run(written, (10, 10, n, n), places) for n, places in ((50, few), (500, many))]
        assert work[1] < 11 * work[0], work
