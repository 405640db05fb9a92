"""`EMA`: the running mean of a model's parameters, beside the model and through checkpoints."""

import copy
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import nn
from autograd import Tensor, Value
from nn.checkpoint import Checkpoint
from nn.data import Augment, Batches

numbers = st.floats(-100, 100, width=32)
paths = st.integers(1, 12).flatmap(lambda steps: arrays(np.float32, (steps, 3), elements=numbers))
decays = st.floats(0, 0.999)


class Mixed(nn.Module):
    """A Tensor of two numbers and a Value."""

    def __init__(self):
        self.pair, self.single = Tensor(np.zeros(2, np.float32)), Value(0.0)

    def put(self, numbers):
        self.pair.data, self.single.data = numbers[:2], float(numbers[2])

    def numbers(self):
        return np.array([*self.pair.data, self.single.data])


def averages(path, decay):
    """Move the parameters along a path. Returns the average at its end."""
    model = Mixed()
    model.put(path[0])
    average = nn.EMA(model, decay)
    for place in path[1:]:
        model.put(place)
        average.update()
        assert (model.numbers() == place).all()
    return average.model.numbers()


@given(paths, decays)
def test_it_is_the_mean_with_the_weights_of_the_formula(path, decay):
    kept = [min(decay, t / (t + 9)) for t in range(1, len(path))]
    weights = [(1 - keep) * np.prod(kept[t:]) for t, keep in enumerate([0.0, *kept])]
    assert sum(weights) == pytest.approx(1)
    np.testing.assert_allclose(averages(path, decay), weights @ path.astype(float), rtol=1e-5, atol=1e-4)


@given(
    arrays(np.float32, 3, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)),
    st.integers(1, 50),
    decays,
)
@example(np.array([1e-45, -1e-45, 3e38], np.float32), 50, 0.5)
def test_what_stands_still_is_its_own_mean(place, steps, decay):
    np.testing.assert_array_equal(averages(np.tile(place, (steps, 1)), decay), place)


@given(paths)
def test_without_decay_it_is_the_last_place(path):
    assert (averages(path, 0.0) == path[-1]).all()


@given(paths, paths, decays)
def test_it_goes_on_from_its_state(before, after, decay):
    model, other = Mixed(), Mixed()
    whole = nn.EMA(model, decay)
    for place in before:
        model.put(place)
        whole.update()
    resumed = nn.EMA(other, decay)
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
    for place in after:
        for m, average in ((model, whole), (other, resumed)):
            m.put(place)
            average.update()
    assert (whole.model.numbers() == resumed.model.numbers()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"updates": -1}, "updates: -1"),
        ({"updates": "many"}, "many"),
        ({"model": {"pair": np.zeros(2, np.float32)}}, "single: missing"),
        ({"model": {"pair": np.zeros(3, np.float32), "single": 1.0}}, r"shape \(3,\), expected \(2,\)"),
    ],
)
def test_another_models_state_changes_nothing(change, message):
    average = nn.EMA(Mixed())
    average.update()
    with pytest.raises(ValueError, match=message):
        average.load_state_dict({"updates": 7, "model": {"pair": np.ones(2, np.float32), "single": 1.0}, **change})
    assert average.updates == 1
    assert (average.model.numbers() == 0).all()


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_is_below_one(decay):
    with pytest.raises(ValueError, match="decay must be in"):
        nn.EMA(Mixed(), decay)


# -------------------------------------------------------------------------------------------------- in a training


def train(average_by=None, **settings):
    """A small training with random dropout, augmentation and order. Returns both models."""
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 36), np.float32), rng.integers(0, 3, 40)
    model = nn.dense(36, 8, 3, dropout=0.2, rng=1)
    batches = Batches(x, y, batch_size=8, seed=2, augment=Augment(shift=1))
    average = nn.EMA(model, average_by) if average_by is not None else None
    callbacks = [*([average] if average else []), *settings.pop("callbacks", [])]
    fit: dict[str, Any] = {"epochs": 3, "progress": False, "callbacks": callbacks} | settings
    nn.fit(model, batches, nn.cross_entropy, nn.Adam(model, 0.01), **fit)
    return model.state_dict(), average.model.state_dict() if average else None


def same(a, b):
    return all((a[name] == b[name]).all() for name in a)


def test_the_training_does_not_notice():
    model, mean = train(0.9)
    assert same(model, train()[0])
    assert not same(model, mean)
    assert same(model, train(0.0)[1])


class Killed(Exception):
    pass


@given(st.integers(1, 14))
def test_a_training_that_was_killed_goes_on_with_its_averages(tmp_path_factory, step):
    def die(state):
        if state.optimizer.steps == step:
            raise Killed

    class Dies:
        on_step_end = staticmethod(die)

    path = tmp_path_factory.mktemp("run") / "checkpoint.npz"
    with pytest.raises(Killed):
        train(0.9, callbacks=[Dies()], checkpoint=Checkpoint(path, steps=2))
    if step > 2:  # there is one
        resumed = train(0.9, checkpoint=Checkpoint(path, resume=True))
        for one, other in zip(resumed, train(0.9), strict=True):
            assert same(one, other)
    else:
        assert not os.path.exists(path)
