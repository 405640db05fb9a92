"""The range test finds a rate that trains. It changes nothing else, even if it is interrupted."""

import itertools
import pickle
import random
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, vectorize
from nn.data import Batches
from nn.training.finder import RangeTest, find_learning_rate

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]], np.float32)).astype(np.float32)


def everything(*things):
    """The whole state of models, optimisers and batches, and of the shared random generators."""
    return [pickle.dumps(x) for x in (*things, random.getstate(), np.random.get_state())]


def trained(kind, rate, steps=40):
    line = nn.Linear(3, 1, rng=0)
    optimizer = kind(line, lr=rate)
    rows = nn.fit(line, [(X, Y)], nn.squared_error, optimizer, epochs=steps, progress=False)["train_loss"]
    return rows[-1]


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam, nn.RMSprop, nn.AdamW])
def test_the_suggestion_trains(kind):
    """A rate ten times lower hardly trains in the same time. Rates above that of the lowest loss are worse."""
    line = nn.Linear(3, 1, rng=0)
    found = find_learning_rate(line, Batches(X, Y, batch_size=20), nn.squared_error, kind(line, lr=1.0))
    assert found.suggestion is not None
    assert trained(kind, found.suggestion) < min(0.9 * trained(kind, found.suggestion / 10), found.losses[0])
    assert found.suggestion == pytest.approx(found.rates[found.smoothed.argmin()] / 10)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) <= 100
    np.testing.assert_allclose(found.rates, np.geomspace(1e-6, 10, 100)[: len(found.rates)])
    assert f"suggestion {found.suggestion:.2g}" in str(found) and found.diverged == ("exploded" in str(found))


def models():
    random.seed(0)
    neurons = nn.MLP(3, [2, 1])
    yield neurons, [(X[0].tolist(), 1.0)] * 4, lambda out, y: (out - y) ** 2
    yield nn.Sequential(nn.Linear(3, 4, rng=0), nn.Dropout(0.5, rng=1), nn.Linear(4, 1, rng=2)), None, nn.squared_error
    yield vectorize(nn.MLP(3, [2, 1]), 3), [(X, Y[:, 0])], nn.squared_error


@pytest.mark.parametrize("end", ["", "error", "interrupt", "nan"])
@pytest.mark.parametrize("which", range(3))
def test_nothing_changes(which, end):
    model, batches, loss = next(itertools.islice(models(), which, None))
    augment = lambda rows, rng: rows + rng.normal(size=rows.shape).astype(np.float32)  # noqa: E731
    batches = batches or Batches(X, Y, batch_size=16, augment=augment)
    optimizer = nn.SGD(model, lr=0.1, momentum=0.9)
    kept = Tensor([1.0])
    running = iter(batches)
    for _ in range(1 + isinstance(batches, Batches)):  # stop in the middle of an epoch, with momentum and gradients
        x, y = next(running)
        loss(model(x), y).backward()
        optimizer.step()
    model.parameters()[0].requires_grad = False
    calls = itertools.count()

    def failing(out, y):
        random.random(), np.random.random()
        if end and next(calls) == 5:
            if end == "nan":
                return loss(out, y) * np.nan
            raise KeyboardInterrupt if end == "interrupt" else RuntimeError("of the loss")
        return loss(out, y)

    def state():
        parts: list[Any] = [[p.detach() for p in model.parameters()], [p.grad for p in model.parameters()]]
        parts += [optimizer.state_dict(), optimizer.lr, [p.requires_grad for p in model.parameters()]]
        if isinstance(batches, Batches):
            parts.append(batches.state_dict())
        if isinstance(model, nn.Module):
            parts.append(model)
        return everything(*parts)

    before, ids = state(), [id(p) for p in model.parameters()]
    errors = {"error": RuntimeError, "interrupt": KeyboardInterrupt}
    with pytest.raises(errors[end]) if end in errors else nullcontext():
        found = find_learning_rate(model, batches, failing, optimizer, steps=12)
        assert len(found.losses) == 5 if end == "nan" else found.diverged or len(found.losses) == 12
    assert state() == before and [id(p) for p in model.parameters()] == ids
    assert kept.data == 1.0
    list(running)  # the epoch continues


@given(losses=st.lists(st.floats(-1e3, 1e3), min_size=10, max_size=40), steps=st.integers(10, 40))
@settings(max_examples=20)
def test_any_losses(losses, steps):
    """For any losses: the recorded ones are right, smoothed ones lie between them, the suggestion is at the lowest."""
    w, told = Value(1.0), itertools.cycle(losses)
    found = find_learning_rate(
        Plain(w), [(1.0, 0.0)], lambda out, y: out * 0.0 + next(told), nn.SGD([w], lr=0.1), steps=steps
    )
    count = len(found.losses)
    assert found.losses.tolist() == list(itertools.islice(itertools.cycle(losses), count))
    assert found.diverged or count == steps
    assert found.losses.min() - 1e-9 <= found.smoothed.min() <= found.smoothed.max() <= found.losses.max() + 1e-9
    best = found.smoothed.argmin()
    assert found.suggestion == (pytest.approx(found.rates[best] / 10) if best else None)
    assert w.data == 1.0


class Plain(nn.Module):
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return self.w * x


def test_a_loss_that_never_falls():
    found = find_learning_rate(Plain(w := Value(0.0)), [(1.0, 0.0)], nn.squared_error, nn.SGD([w], lr=0.1), steps=20)
    assert found.suggestion is None and "the loss never fell: try lower rates" in str(found)
    found.plot()


def test_the_picture():
    rates = np.geomspace(1e-3, 1.0, 12)
    losses = np.array([2.0, 2, 1.9, 1.7, 1.5, 1.2, 1, 1, 3, 9, 40, 1e9])
    ax = RangeTest(rates, losses, losses, 0.012, True).plot()
    assert [line.get_label() for line in ax.lines] == ["loss", "smoothed", "suggestion: 0.012"]
    assert ax.get_xscale() == "log" and ax.get_ylim()[1] < 3
    assert RangeTest(rates, losses, losses, None, True).plot(ax=ax) is ax


def test_what_cannot_be_tested():
    line = nn.Linear(3, 1)
    given: dict[str, Any] = {"batches": [(X, Y)], "loss": nn.squared_error, "optimizer": nn.SGD(line, lr=0.1)}
    with pytest.raises(TypeError, match=r"used up: pass a list, or nn\.data\.Batches"):
        find_learning_rate(line, **given | {"batches": iter([(X, Y)])})
    with pytest.raises(ValueError, match="there are no batches"):
        find_learning_rate(line, **given | {"batches": []})
    for model in (nn.Linear(3, 1), lambda x: line(x)):
        with pytest.raises(ValueError, match="2 of the optimiser's 2 parameters are not found in the model"):
            find_learning_rate(model, **given)
    for low, high in ((0, 1), (1.0, 0.1), (1e-6, np.inf), (np.nan, 1)):
        with pytest.raises(ValueError, match="from a low one above 0 to a higher, finite one; got low="):
            find_learning_rate(line, **given, low=low, high=high)
    with pytest.raises(ValueError, match="at least 10 steps, got 9"):
        find_learning_rate(line, **given, steps=9)
    with pytest.raises(ValueError, match="not finite at the lowest rate, 1e-06"):
        find_learning_rate(line, **given | {"batches": [(X * np.nan, Y)]})


@pytest.mark.parametrize("loss", ["mse", nn.squared_error])
@pytest.mark.parametrize("optimizer", ["sgd", nn.SGD, lambda p: nn.SGD(p, lr=1.0)])
def test_data_losses_and_optimizers_are_given_as_to_fit(loss, optimizer):
    x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(-1, 1)
    expected = nn.find_learning_rate(line := nn.Linear(1, 1, rng=0), [(x, 3 * x)], nn.squared_error, nn.SGD(line, 1.0))
    found = nn.find_learning_rate(nn.Linear(1, 1, rng=0), (x, 3 * x), loss, optimizer)
    np.testing.assert_allclose(found.losses, expected.losses[: len(found.losses)], rtol=1e-5)
