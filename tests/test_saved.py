"""Nothing that backward reads can change unnoticed: operands, indices, masks, labels, shapes, parameters.

Each case is an operation and its arguments. Between forward and backward every argument is overwritten. Then either the
gradient is that of the old numbers, or the write or backward raises an error. No other number may result.
"""

import array
import copy
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, custom_op, grad, jvp, ops, vjp
from autograd.engine import saved

LABELS = np.array([0, 2, 1])
taken = custom_op(
    lambda x, at: x[at], lambda g, out, x, at: (ops.scatter(g, np.asarray(at), (3, 4)), None), name="taken"
)  # fmt: skip
picked = custom_op(
    lambda x, *, at: x[at], lambda g, out, x, *, at: ops.scatter(g, at, (3, 4)), name="picked"
)  # fmt: skip

CASES: dict[str, tuple[Any, ...]] = {
    # name: (operation, its arguments)
    **{f"index by {kind}": (lambda t, i: t[i], make) for kind, make in {
        "an array": lambda: np.array([0, 0, 2]),
        "a small dtype": lambda: np.array([0, 0, 2], np.uint8),
        "a list": lambda: [0, 0, 2],
        "a nested list": lambda: [[0, 0], [2, 0]],
        "a mask": lambda: np.array([True, False, True]),
        "a mask of all axes": lambda: np.arange(12).reshape(3, 4) % 2 == 0,
        "a list of bools": lambda: [True, False, True],
        "array.array": lambda: array.array("i", [0, 0, 2]),
        "a view": lambda: np.array([0, 9, 0, 9, 2])[::2],
    }.items()},
    "index by coordinates": (lambda t, i, j: t[i, j], lambda: np.array([0, 0, 1]), lambda: [1, 1, 0]),
    "index by a tuple of lists": (lambda t, i: t[tuple(i)], lambda: [[0, 0], [1, 1]]),
    "index and a slice": (lambda t, i: t[1:, i], lambda: np.array([0, 0])),
    "take_along_axis": (lambda t, i: ops.take_along_axis(t, i, 1), lambda: np.zeros((3, 1), int)),
    "numpy.take": (lambda t, i: np.take(t, i, axis=1), lambda: np.array([0, 0])),
    "numpy.compress": (lambda t, i: np.compress(i, t, axis=0), lambda: np.array([True, False, True])),
    "numpy.repeat": (lambda t, i: np.repeat(t, i, axis=0), lambda: np.array([2, 0, 1])),
    "numpy.delete": (lambda t, i: np.delete(t, i, axis=0), lambda: np.array([0])),
    "numpy.choose": (lambda t, i: np.choose(i, [t, 2 * t]), lambda: np.array([0, 1, 0, 1])),
    "numpy.select": (lambda t, c: np.select([c], [t], 0.0), lambda: np.array([True, False, True, False])),
    "numpy.roll": (lambda t, s: np.roll(t, s, axis=(0, 1)), lambda: [1, 2]),
    "numpy.sum where": (lambda t, w: np.sum(t, where=w), lambda: np.array([True, False, True, False])),
    "numpy.average weights": (lambda t, w: np.average(t, 1, w), lambda: np.array([1.0, 2.0, 3.0, 4.0])),
    "numpy.interp": (lambda t, x: np.interp(t, x, [1.0, 3.0, 4.0]), lambda: np.array([0.0, 5.0, 13.0])),
    "scatter": (lambda t, i: ops.scatter(t, i, (5, 4)), lambda: np.array([0, 0, 3])),
    "where": (lambda t, c: ops.where(c, t, 0.0), lambda: np.array([True, False, True, False])),
    "multiplication": (lambda t, x: t * x, lambda: np.arange(4.0)),
    "division": (lambda t, x: x / t, lambda: np.arange(4.0)),
    "power": (lambda t, x: t**x, lambda: np.arange(4.0)),
    "maximum": (lambda t, x: ops.maximum(t, x), lambda: np.full(4, 5.5)),
    "clip": (lambda t, x: ops.clip(t, x, 8.0), lambda: np.full(4, 5.5)),
    "matmul": (lambda t, x: t @ x, lambda: np.ones((4, 2))),
    "matmul the other way": (lambda t, x: x @ t, lambda: np.ones((2, 3))),
    "einsum": (lambda t, x: ops.einsum("ij,jk->ik", t, x), lambda: np.ones((4, 2))),
    "einsum of a number": (lambda t, x: ops.einsum("ij,->ij", t, x), lambda: np.array(2.0)),
    "linear": (lambda t, w, b: ops.linear(t, w, b), lambda: np.ones((4, 2)), lambda: np.ones(2)),
    "transpose": (lambda t, a: ops.transpose(t, a), lambda: [1, 0]),
    "reshape": (lambda t, s: ops.reshape(t, s), lambda: [4, 3]),
    "broadcast_to": (lambda t, s: ops.broadcast_to(t, s), lambda: [2, 3, 4]),
    "pad": (lambda t, w: ops.pad(t, w), lambda: [[1, 0], [2, 0]]),
    "windows": (
        lambda t, n, a, s, d: ops.sliding_window_view(t, n, a, s, d),
        lambda: [2, 2], lambda: [0, 1], lambda: [1, 2], lambda: [2, 1],
    ),
    "windows added": (
        lambda t, n, a, s, d: ops.overlap_add(t, n, a, s, d),
        lambda: [6], lambda: [0], lambda: [1], lambda: [1],
    ),
    "sum over axes": (lambda t, a: ops.max(t, axis=a), lambda: [1]),
    "softmax": (lambda t, a: ops.softmax(t, axis=a)[0], lambda: [1]),
    "concatenate": (lambda t, x: ops.concatenate([t, x]), lambda: np.ones((1, 4))),
    "a custom operation's operand": (lambda t, i: taken(t, i), lambda: np.array([0, 0])),
    "a custom operation's parameter": (lambda t, i: picked(t, at=i), lambda: np.array([0, 0])),
    "autograd.cross_entropy": (autograd.cross_entropy, lambda: LABELS.copy()),
    **{f"nn.{loss.__name__}": (loss, lambda: LABELS.copy()) for loss in (nn.cross_entropy, nn.multiclass_hinge)},
    "smoothed cross-entropy": (lambda t, y: nn.cross_entropy(t, y, label_smoothing=0.1), lambda: LABELS.copy()),
    **{f"nn.{loss.__name__}": (loss, lambda: np.ones((3, 4)) * 0.25)
       for loss in (nn.squared_error, nn.absolute_error, nn.huber, nn.binary_cross_entropy, nn.kl_divergence)},
    "nn.hinge": (nn.hinge, lambda: np.ones((3, 4))),
}  # fmt: skip
X = np.arange(12.0).reshape(3, 4) + 1


def overwrite(x):
    """Overwrite it with other contents of the same kind."""
    if isinstance(x, list) and isinstance(x[0], list):
        for item in x:
            overwrite(item)
    elif isinstance(x, list):
        x[:] = [not i if isinstance(i, bool) else 0 if i else 1 for i in x]
    elif isinstance(x, array.array):
        for k in range(len(x)):
            x[k] = 1
    else:
        x[...] = ~x if x.dtype == bool else 1 if x.dtype.kind in "iu" else -3.0


@pytest.mark.parametrize("name", CASES)
def test_what_was_given_is_written_over_before_backward(name):
    f, *makers = CASES[name]
    t = Tensor(X)
    f(t, *[make() for make in makers]).sum().backward()
    wanted = t.grad
    for k in range(len(makers)):
        given = [make() for make in makers]
        before = copy.deepcopy(given[k])
        t = Tensor(X)
        out = f(t, *given)
        try:
            overwrite(given[k])
        except ValueError:  # it is read-only until backward has run
            continue
        try:
            out.sum().backward()
        except RuntimeError:
            continue
        assert not np.array_equal(before, given[k])
        np.testing.assert_array_equal(t.grad, wanted)


@pytest.mark.parametrize("name", CASES)
def test_what_was_given_is_written_over_between_two_backwards(name):
    """The second backward gives the same gradient again, or says that an array has changed."""
    f, *makers = CASES[name]
    for k in range(len(makers)):
        given = [make() for make in makers]
        t = Tensor(X)
        out = f(t, *given).sum()
        out.backward()
        once = t.grad.copy()
        out.backward()
        np.testing.assert_allclose(t.grad, 2 * once, rtol=1e-14)  # nothing has changed so far
        overwrite(given[k])  # backward has run: it may be written to
        t.grad = None
        try:
            out.backward()
        except RuntimeError:
            continue
        np.testing.assert_allclose(t.grad, once, rtol=1e-14)


def test_of_large_memory_no_copy_is_kept():
    """It would take as long as the operations do."""
    large = np.ones(saved.KEPT // 8 + 1)
    for x in (large, large[:3]):
        t = Tensor(np.ones(x.shape))
        out = (t * x).sum()
        out.backward()
        memory = out.parents[0]._saved.versions[0][0]
        assert memory.snapshot is None
        x *= 2.0  # it may be written to
    t, x = Tensor(np.ones(3)), np.ones(3)
    out = (t * x).sum()
    out.backward()
    assert out.parents[0]._saved.versions[0][0].snapshot is not None
    del out
    assert saved.memory_of(x) is None  # and goes with the graph


@pytest.mark.parametrize("name", CASES)
def test_it_is_written_over_before_a_vjp_is_asked_for(name):
    """The same for transformations, called alone and inside a graph."""
    f, *makers = CASES[name]
    wanted = grad(lambda x: f(x, *[make() for make in makers]).sum())(X)
    for x in (X, Tensor(X)):
        given = [make() for make in makers]
        out, pull = vjp(lambda x, given=given: f(x, *given), x)
        try:
            overwrite(given[0])
        except ValueError:
            continue
        try:
            (found,) = pull(np.ones(np.shape(ops.detach(out))))
        except RuntimeError:
            continue
        np.testing.assert_allclose(ops.detach(found), wanted, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_both_modes_agree_on_it(name):
    f, *makers = CASES[name]
    v = np.cos(X)

    def g(x):
        return f(x, *[make() for make in makers]).sum()

    np.testing.assert_allclose(jvp(g, (X,), (v,))[1], (grad(g)(X) * v).sum(), rtol=1e-10, atol=1e-12)


def test_a_buffer_of_indices_may_be_used_again_in_one_graph():
    table, at = Tensor(np.eye(3)), np.zeros(1, int)
    total = Tensor(0.0)
    for token in (0, 1, 2):
        at[0] = token
        total = total + table[at].sum() * (token + 1)
    total.backward()
    assert table.grad.tolist() == [[1] * 3, [2] * 3, [3] * 3]


@pytest.mark.parametrize("index", [(0, 0, 2), [0, 0, 2], np.array([0, 0, 2]), array.array("q", [0, 0, 2]), range(2),
                                   np.array([0, 0, 2]).data], ids=lambda i: type(i).__name__)  # fmt: skip
def test_repeats_count_however_they_are_spelled(index):
    """At the top a tuple is a list of coordinates. Inside a tuple it is one index."""
    wholes: list[tuple[Any, ...]] = [(index,), (index, slice(None)), (Ellipsis, index)]
    for whole in wholes:
        numbers = X[tuple(np.asarray(part) if part is index else part for part in whole)]
        t = Tensor(X)
        out = t[whole]
        np.testing.assert_array_equal(out.data, numbers)
        out.sum().backward()
        wanted = np.zeros_like(X)
        np.add.at(wanted, tuple(np.asarray(part) if part is index else part for part in whole), 1.0)
        np.testing.assert_array_equal(t.grad, wanted)
    assert grad(lambda t: (t[whole] ** 2).sum())(X).sum() == pytest.approx((2 * numbers).sum())


def test_what_is_no_index_is_refused():
    t = Tensor(X)
    for index in (t, np.array([0.0]), [0.5], "a", 1.0, np.array(["a"])):
        with pytest.raises((TypeError, IndexError)):
            t[index]
    with pytest.raises(TypeError, match="a Tensor is no index"):
        t[Tensor([1.0])]
