"""`nn.losses`: values against NumPy formulas, gradients against differences, lists of Values against Tensors."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor, Value, no_grad
from nn import losses

Rng = np.random.Generator


@dataclass(frozen=True)
class Case:
    """A loss, its targets, and the loss by its definition, for one element or row at a time."""

    loss: Callable[..., Any]
    target: Callable[[Rng, tuple[int, int]], Any]
    book: Callable[[Any, Any], float]
    over_classes: bool = False
    options: tuple[tuple[str, float], ...] = ()

    def __repr__(self) -> str:
        return "-".join([self.loss.__name__, *(f"{key}={x}" for key, x in self.options)])

    def draw(self, rng: Rng, n: int, k: int, dtype: Any = np.float64) -> tuple[np.ndarray, Any]:
        prediction = rng.normal(0, 2, (n, k)).astype(dtype)
        target = self.target(rng, (n, k))
        return (prediction, target) if self.over_classes else (prediction[:, 0], target[:, 0])

    def expected(self, prediction: np.ndarray, target: Any) -> np.ndarray:
        return np.array([self.book(p, t) for p, t in zip(prediction, target, strict=True)])

    def __call__(self, prediction: Any, target: Any, **options: Any) -> Any:
        return self.loss(prediction, target, **dict(self.options), **options)


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


def book_huber(delta: float) -> Callable[[float, float], float]:
    def book(p: float, t: float) -> float:
        d = abs(p - t)
        return d * d / 2 if d <= delta else delta * d - delta * delta / 2

    return book


def book_smooth(share: float) -> Callable[[np.ndarray, int], float]:
    def book(z: np.ndarray, y: int) -> float:
        q = np.full(len(z), share / len(z))
        q[y] += 1 - share
        return float(-(q * np.log(softmax(z))).sum())

    return book


def book_binary(z: float, y: float) -> float:
    p = 1 / (1 + math.exp(-z))
    return -y * math.log(p) - (1 - y) * math.log(1 - p)


def book_kl(z: np.ndarray, t: np.ndarray) -> float:
    return sum(q * math.log(q / p) for p, q in zip(softmax(z), t, strict=True) if q > 0)


def book_multiclass(z: np.ndarray, y: int) -> float:
    return sum(max(0.0, 1 + z[j] - z[y]) for j in range(len(z)) if j != y)


def reals(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.normal(0, 2, shape)


def signs(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.choice([-1, 1], shape)


def bits(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, 2, shape)


def classes(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, shape[1], shape[0])


def distributions(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    q = rng.random(shape) * (rng.random(shape) < 0.7)  # some of them 0
    q[:, 0] += 0.1
    return q / q.sum(axis=1, keepdims=True)


CASES = [
    Case(losses.squared_error, reals, lambda p, t: (p - t) ** 2),
    Case(losses.absolute_error, reals, lambda p, t: abs(p - t)),
    Case(losses.huber, reals, book_huber(1.0)),
    Case(losses.huber, reals, book_huber(0.3), options=(("delta", 0.3),)),
    Case(losses.hinge, signs, lambda s, y: max(0.0, 1 - y * s)),
    Case(losses.binary_cross_entropy, bits, book_binary),
    Case(losses.binary_cross_entropy, lambda rng, shape: rng.random(shape), book_binary),
    Case(losses.multiclass_hinge, classes, book_multiclass, over_classes=True),
    Case(losses.cross_entropy, classes, book_smooth(0.0), over_classes=True),
    Case(losses.cross_entropy, classes, book_smooth(0.1), over_classes=True, options=(("label_smoothing", 0.1),)),
    Case(losses.cross_entropy, classes, book_smooth(1.0), over_classes=True, options=(("label_smoothing", 1.0),)),
    Case(losses.kl_divergence, distributions, book_kl, over_classes=True),
]
each = pytest.mark.parametrize("case", CASES, ids=repr)
SEEDS = st.integers(0, 2**32)
REDUCE: dict[str, Any] = {"mean": np.mean, "sum": np.sum, "none": lambda x: x}
reductions = st.sampled_from(sorted(REDUCE))


def central(f: Callable[[np.ndarray], float], x: np.ndarray, h: float) -> np.ndarray:
    """The gradient by fourth-order differences."""
    grad = np.empty_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        grad[i] = (8 * (f(x + step) - f(x - step)) - (f(x + 2 * step) - f(x - 2 * step))) / (12 * h)
    return grad


def away_from_kinks(case: Case, prediction: np.ndarray, target: Any, h: float = 1e-3) -> bool:
    """Whether the slopes on both sides are about the same, along every coordinate."""

    def total(x: np.ndarray) -> float:
        return case.expected(x, target).sum()

    for i in np.ndindex(prediction.shape):
        step = np.zeros_like(prediction)
        step[i] = h
        left, right = total(prediction) - total(prediction - step), total(prediction + step) - total(prediction)
        if abs(right - left) > 20 * h * h:
            return False
    return True


@each
@given(n=st.integers(1, 5), k=st.integers(1, 5), seed=SEEDS, reduction=reductions)
def test_value(case, n, k, seed, reduction):
    prediction, target = case.draw(np.random.default_rng(seed), n, k)
    expected = REDUCE[reduction](case.expected(prediction, target))
    for kind in (Tensor, np.asarray, np.ndarray.tolist):
        out = case(kind(prediction), target, reduction=reduction)
        assert isinstance(out, Tensor) == (kind is Tensor)
        np.testing.assert_allclose(out.data if kind is Tensor else out, expected, rtol=1e-10, atol=1e-12)
        assert np.shape(out) == expected.shape


@each
@given(n=st.integers(1, 4), k=st.integers(1, 4), seed=SEEDS, reduction=reductions)
def test_gradient(case, n, k, seed, reduction):
    rng = np.random.default_rng(seed)
    prediction, target = case.draw(rng, n, k)
    if not away_from_kinks(case, prediction, target):
        return
    x = Tensor(prediction)
    loss = case(x, target, reduction=reduction)
    cotangent = rng.normal(size=loss.shape)
    loss.backward(cotangent)

    def weighted(p: np.ndarray) -> float:
        return float((REDUCE[reduction](case.expected(p, target)) * cotangent).sum())

    coarse, fine = (central(weighted, prediction, h) for h in (1e-4, 2.5e-5))
    tolerance = 1e-8 + 1e-7 * np.abs(fine) + np.abs(fine - coarse)  # larger near a jump of curvature, as of huber
    assert (np.abs(x.grad - fine) <= tolerance).all()


@each
@given(n=st.integers(1, 4), k=st.integers(1, 4), seed=SEEDS, reduction=reductions)
def test_values_equal_tensors(case, n, k, seed, reduction):
    rng = np.random.default_rng(seed)
    prediction, target = case.draw(rng, n, k)
    x, values = Tensor(prediction), np.vectorize(Value, otypes=[object])(prediction)
    one = case(x, target, reduction=reduction)
    many = case(values.tolist(), target, reduction=reduction)
    cotangent = rng.normal(size=one.shape)
    one.backward(cotangent)
    assert np.shape(many) == one.shape
    for loss, c, expected in zip(np.ravel(many), cotangent.ravel(), one.data.ravel(), strict=True):
        assert loss.data == pytest.approx(expected, rel=1e-12, abs=1e-12)
        (loss * c).backward()
    grads = np.vectorize(lambda v: v.grad)(values)
    np.testing.assert_allclose(grads, x.grad, rtol=1e-12, atol=1e-12)


@each
@given(n=st.integers(1, 5), k=st.integers(1, 5), seed=SEEDS, reduction=reductions)
def test_float32_stays(case, n, k, seed, reduction):
    """Loss and gradient have the prediction's dtype, with targets of any dtype."""
    prediction, target = case.draw(np.random.default_rng(seed), n, k, np.float32)
    x = Tensor(prediction)
    loss = case(x, target, reduction=reduction)
    assert loss.dtype == np.float32
    loss.backward(np.ones(loss.shape))
    assert x.grad.dtype == np.float32
    expected = REDUCE[reduction](case.expected(prediction.astype(np.float64), target))
    np.testing.assert_allclose(loss.data, expected, rtol=1e-4, atol=1e-4)


@each
def test_inputs_unchanged(case):
    prediction, target = case.draw(np.random.default_rng(0), 4, 3)
    before = prediction.tobytes(), target.tobytes()
    prediction.setflags(write=False)
    target.setflags(write=False)
    case(Tensor(prediction), target).backward()
    case(prediction, target)
    assert (prediction.tobytes(), target.tobytes()) == before


@each
def test_mean_by_default_and_without_a_graph(case):
    prediction, target = case.draw(np.random.default_rng(0), 4, 3)
    x = Tensor(prediction)
    assert case(x, target).item() == case(x, target, reduction="mean").item()
    with no_grad():
        assert case(x, target).is_leaf


@each
def test_nan_is_not_hidden(case):
    prediction, target = case.draw(np.random.default_rng(0), 4, 3)
    prediction[(2,) * prediction.ndim] = np.nan
    out = case(Tensor(prediction), target, reduction="none").data
    assert np.isnan(out).tolist() == [False, False, True, False]
    assert math.isnan(case(Tensor(prediction), target).item())


@pytest.mark.parametrize("case", [case for case in CASES if not case.over_classes], ids=repr)
def test_elementwise_shapes(case):
    """Losses of elements take a single Value or an array of any shape. The mean is over all elements."""
    rng = np.random.default_rng(0)
    target = case.target(rng, (3, 4))
    prediction = rng.normal(size=(3, 4))
    expected = case.expected(prediction.ravel(), target.ravel())
    assert case(Tensor(prediction), target).item() == pytest.approx(expected.mean())
    assert case(Tensor(prediction), target, reduction="none").shape == (3, 4)
    single = case(Value(prediction[0, 0]), target[0, 0])
    assert isinstance(single, Value)
    assert single.data == pytest.approx(expected[0])


def test_integer_predictions():
    """Integer predictions must not round the target to integers."""
    assert losses.squared_error([1, 2], [1.5, 2.5]) == 0.25
    assert losses.squared_error(np.array([1, 2]), [1.5, 2.5]) == 0.25
    assert losses.cross_entropy([[0, 0]], [0]) == pytest.approx(math.log(2))


def test_list_of_tensors():
    """A list of outputs, one Tensor for each sample, keeps its graph."""
    w = Tensor(2.0)
    loss = losses.squared_error([w * 1.0, w * 3.0], [0.0, 0.0])
    loss.backward()
    assert (loss.item(), w.grad.item()) == (20.0, 20.0)


# ----------------------------------------------------------------------------------------------- tricky points


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "none"])  # the fused operation and the composition
def test_cross_entropy_of_large_logits(dtype, reduction):
    for label, value, gradient in ((0, 0.0, [0.0, 0.0]), (1, 1e4, [1.0, -1.0])):
        x = Tensor([[1e4, 0.0]], dtype)
        loss = losses.cross_entropy(x, [label], reduction=reduction)
        assert loss.data.ravel() == [value]
        loss.backward(np.ones(loss.shape))
        assert x.grad.tolist() == [gradient]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_of_large_logits(dtype):
    x = Tensor([1e4, 1e4, -1e4, -1e4], dtype)
    loss = losses.binary_cross_entropy(x, [1, 0, 0, 1], reduction="none")
    assert loss.data.tolist() == [0.0, 1e4, 0.0, 1e4]
    loss.backward(np.ones(4))
    assert x.grad.tolist() == [0.0, 1.0, 0.0, -1.0]


def test_masked_classes():
    """A logit of -inf excludes a class. If the target excludes it too, it has no loss and no gradient."""
    z = [[-np.inf, 0.0, 0.0]]
    for loss, target in ((losses.cross_entropy, [1]), (losses.kl_divergence, [[0.0, 1.0, 0.0]])):
        x = Tensor(z)
        out = loss(x, target)
        out.backward()
        assert out.item() == pytest.approx(math.log(2))
        np.testing.assert_allclose(x.grad, [[0.0, -0.5, 0.5]])
    assert losses.cross_entropy(Tensor(z), [0]).item() == np.inf


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_kl_divergence_is_over_the_last_axis(shape):
    rng = np.random.default_rng(0)
    z, t = rng.normal(size=(6, 4)), distributions(rng, (6, 4))
    expected = np.array([book_kl(*row) for row in zip(z, t, strict=True)]).reshape(-1)[: math.prod(shape[:-1])]
    z, t = (x.ravel()[: math.prod(shape)].reshape(shape) for x in (z, t))
    out = losses.kl_divergence(Tensor(z), t, reduction="none")
    np.testing.assert_allclose(out.data, expected.reshape(shape[:-1]))
    assert losses.kl_divergence(z, t) == pytest.approx(expected.mean())


def test_kl_divergence_is_zero_only_for_the_target():
    t = np.array([[0.2, 0.3, 0.5]])
    assert losses.kl_divergence(np.log(t), t) == pytest.approx(0.0, abs=1e-15)
    assert losses.kl_divergence(np.log(t[:, ::-1]), t) > 0.1


def test_slopes_at_kinks():
    def slope(loss: Callable[..., Any], x: float, target: float) -> float:
        v = Value(x)
        loss(v, target).backward()
        return v.grad

    assert slope(losses.absolute_error, 2.0, 2.0) == 0
    assert slope(losses.hinge, 1.0, 1.0) == 0
    assert [slope(losses.huber, x, 0.0) for x in (-3.0, -1.0, 0.0, 1.0, 3.0)] == [-1, -1, 0, 1, 1]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64, ">i4"])
def test_labels_of_every_integer_dtype(dtype):
    z = np.random.default_rng(0).normal(size=(4, 3))
    labels = np.array([0, 2, 1, 2])
    for loss in (losses.cross_entropy, losses.multiclass_hinge):
        assert loss(Tensor(z), labels.astype(dtype)).item() == loss(Tensor(z), labels.tolist()).item()


# ---------------------------------------------------------------------------------------------------- refusals

PAIRED = [losses.squared_error, losses.absolute_error, losses.huber, losses.hinge, losses.binary_cross_entropy]
LABELLED = [losses.cross_entropy, losses.multiclass_hinge]
ONES = np.ones(4)


def refuses(error: type[Exception], *parts: str) -> Any:
    """Expect this error, with all these parts in its message."""
    return pytest.raises(error, match="".join(f"(?=.*{re.escape(part)})" for part in parts))


@pytest.mark.parametrize("loss", PAIRED)
def test_a_column_against_a_row(loss):
    hint = ("(4, 1)", "(4,)", "reshape(-1)", "[:, 0]")
    with refuses(ValueError, loss.__name__, *hint, "prediction.reshape"):
        loss(Tensor(ONES[:, None]), ONES)
    with refuses(ValueError, loss.__name__, *hint, "target.reshape"):
        loss([Value(1.0)] * 4, ONES[:, None])


def test_shapes_that_no_reshape_mends():
    """Here the hint to reshape a column would be wrong."""
    for one, other in (((2, 3, 1), (2, 3)), ((2, 2), (3,)), ((1,), ())):
        with refuses(ValueError, str(one), str(other)) as caught:
            losses.squared_error(Tensor(np.ones(one)), np.ones(other))
        assert "reshape" not in str(caught.value)


@pytest.mark.parametrize("loss", [*PAIRED, losses.kl_divergence])
@given(st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(0, 3), max_size=3))
def test_different_shapes(loss, one, other):
    if one != other:
        with refuses(ValueError, str(tuple(one)), str(tuple(other))):
            loss(Tensor(np.ones(one)), np.ones(other))


@pytest.mark.parametrize("loss", PAIRED)
def test_empty_batch(loss):
    with refuses(ValueError, loss.__name__, "empty batch"):
        loss(Tensor(np.ones(0)), np.ones(0))
    with refuses(ValueError, "empty batch"):
        loss([], [])


@pytest.mark.parametrize("loss", LABELLED)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_empty_batch_of_rows(loss, shape):
    with refuses(ValueError, loss.__name__, "empty batch"):
        loss(Tensor(np.ones(shape)), np.zeros(shape[0], int))


@pytest.mark.parametrize("loss", LABELLED)
@given(n=st.integers(1, 6), k=st.integers(1, 6), seed=SEEDS, bad=st.sampled_from([-1, -7, "k", 255]), data=st.data())
def test_label_that_names_no_class(loss, n, k, seed, bad, data):
    labels = np.random.default_rng(seed).integers(0, k, n)
    row = data.draw(st.integers(0, n - 1))
    labels[row] = bad = k if bad == "k" else bad
    z = np.zeros((n, k))
    for logits in (Tensor(z), z, np.vectorize(Value, otypes=[object])(z).tolist()):
        with refuses(IndexError, loss.__name__, f"label {bad} in row {row} ", f"{k} classes (0 to {k - 1})"):
            loss(logits, labels)


@pytest.mark.parametrize("loss", LABELLED)
def test_labels_of_another_kind(loss):
    z = Tensor(np.zeros((3, 3)))
    for labels in ([0.0, 1.0, 2.0], [True, False, True], ["a", "b", "c"], np.array([0, 1, 2], object)):
        with refuses(TypeError, "integer", str(np.asarray(labels).dtype), "astype(int)"):
            loss(z, labels)
    for one_hot in (np.eye(3), np.eye(3, dtype=int)):
        with refuses(ValueError, "(3, 3)", "labels.argmax(1)"):
            loss(z, one_hot)
    with refuses(ValueError, "(3, 3)", "(3, 1)", "labels.reshape(-1)", "labels[:, 0]"):
        loss(z, [[0], [1], [2]])
    with refuses(ValueError, "(3,)", "()", "logits[None]"):
        loss(Tensor(np.zeros(3)), 1)
    with refuses(ValueError, "(3, 3)", "(2,)"):
        loss(z, [0, 1])


def test_hinge_labels():
    for bad, row in ((0, 0), (2, 3), (-1.5, 1), (math.nan, 2)):
        labels = ONES.copy()
        labels[row] = bad
        with refuses(ValueError, "-1 and 1", f"got {bad:g} in row {row}") as caught:
            losses.hinge(Tensor(ONES), labels)
        assert ("2 * labels - 1" in str(caught.value)) == (bad == 0)
    with refuses(ValueError, "got 3 in place (0, 1)"):
        losses.hinge(Tensor(np.ones((1, 2))), [[1, 3]])


def test_binary_labels():
    for bad, row in ((-1, 0), (1.001, 3), (math.nan, 2)):
        labels = ONES / 2
        labels[row] = bad
        with refuses(ValueError, "from 0 to 1", f"got {bad:g} in row {row}"):
            losses.binary_cross_entropy(Tensor(ONES), labels)


def test_kl_targets():
    z = Tensor(np.zeros((2, 2)))
    for bad, text in (
        ([[0.5, 0.5], [1.1, -0.1]], "probability -0.1 in place (1, 1) is negative"),
        ([[0.5, 0.5], [0.5, 0.4]], "row 1 sum to 0.9, not to 1"),
        ([[0.5, 0.5], [0.5, 0.4998]], "row 1 sum to 0.9998, not to 1"),
        ([[0.5, 0.5], [0.5, math.nan]], "nan in place (1, 1)"),
    ):
        with refuses(ValueError, text):
            losses.kl_divergence(z, bad)
    with refuses(ValueError, "sum to 0.9, not to 1"):
        losses.kl_divergence(np.zeros(2), [0.5, 0.4])
    with refuses(ValueError, "single number"):
        losses.kl_divergence(1.0, 1.0)


@pytest.mark.parametrize("loss", PAIRED)
def test_targets_are_numbers(loss):
    for target in ([Value(1.0), Value(1.0)], ["a", "b"], [1j, 1j]):
        with refuses(TypeError, "plain numbers"):
            loss(Tensor(np.ones(2)), target)
    with refuses(TypeError, "tensor.data"):  # a forgotten detach
        loss(Tensor(np.ones(2)), Tensor(np.ones(2)))


@each
def test_unknown_reduction(case):
    prediction, target = case.draw(np.random.default_rng(0), 4, 3)
    with refuses(ValueError, '"mean", "sum" or "none"', "'average'"):
        case(Tensor(prediction), target, reduction="average")


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf, math.nan])
def test_huber_delta(delta):
    with refuses(ValueError, f"delta, got {delta}"):
        losses.huber(Tensor(ONES), ONES, delta=delta)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_label_smoothing_range(share):
    with refuses(ValueError, f"label_smoothing from 0 to 1, got {share}"):
        losses.cross_entropy(np.eye(3), [0, 1, 2], label_smoothing=share)
