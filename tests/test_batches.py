"""Every epoch holds every row once, and can be interrupted and resumed at any batch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import Batches


@given(rows=st.integers(1, 40), batch_size=st.integers(1, 45), shuffle=st.booleans(), seed=st.integers(0, 2**32))
def test_batches_hold_every_row_once(rows: int, batch_size: int, shuffle: bool, seed: int) -> None:
    x = np.arange(3 * rows).reshape(rows, 3)
    batches = Batches(x, x[:, 0] // 3, x[:, :1], batch_size=batch_size, shuffle=shuffle, seed=seed)
    for _ in range(2):
        epoch = list(batches)
        assert len(epoch) == len(batches)
        assert [len(a) for a, _, _ in epoch[:-1]] == [batch_size] * (len(epoch) - 1)
        assert 1 <= len(epoch[-1][0]) <= batch_size
        for a, b, c in epoch:
            assert np.array_equal(a, x[b])
            assert np.array_equal(c, a[:, :1])
            assert np.shares_memory(a, x) is not shuffle
        order = np.concatenate([b for _, b, _ in epoch])
        assert np.array_equal(np.sort(order) if shuffle else order, np.arange(rows))


@given(rows=st.integers(1, 40), batch_size=st.integers(1, 40), shuffle=st.booleans())
def test_batches_drop_last(rows: int, batch_size: int, shuffle: bool) -> None:
    options: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": True}
    if batch_size > rows:
        with pytest.raises(ValueError, match=f"drop_last leaves no batch of {batch_size} in {rows} rows"):
            Batches(np.arange(rows), **options)
        return
    epoch = list(Batches(np.arange(rows), **options))
    assert len(epoch) == len(Batches(np.arange(rows), **options)) == rows // batch_size
    assert all(len(a) == batch_size for (a,) in epoch)
    assert len(np.unique(np.concatenate([a for (a,) in epoch]))) == batch_size * len(epoch)


def epochs_of(batches: Batches, count: int = 3) -> list[list[int]]:
    return [np.concatenate([a for (a,) in batches]).tolist() for _ in range(count)]


@given(st.integers(0, 2**32))
def test_batches_seed(seed: int) -> None:
    x = np.arange(50)
    first = epochs_of(Batches(x, seed=seed))
    assert first == epochs_of(Batches(x, seed=seed))
    assert first == epochs_of(Batches(x, seed=np.random.default_rng(seed)))
    assert first == epochs_of(Batches(x, seed=seed, batch_size=7))
    assert first[0] != first[1] != first[2]  # equal with a chance of 1 in 50!
    assert first[0] != epochs_of(Batches(x, seed=seed + 1))[0]


def test_batches_draw_when_the_iteration_starts() -> None:
    batches = Batches(np.arange(50), seed=3)
    early, late = iter(batches), iter(batches)
    second = np.concatenate([a for (a,) in late]).tolist()
    assert [np.concatenate([a for (a,) in early]).tolist(), second] == epochs_of(Batches(np.arange(50), seed=3), 2)


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ((), {}, r"lengths \[\]"),
        ((np.zeros(3), np.zeros((4, 2)), np.zeros(3)), {}, r"lengths \[3, 4, 3\]"),
        ((np.zeros((0, 3)), np.zeros(0)), {}, r"at least 1; got the lengths \[0, 0\]"),
        ((5.0,), {}, r"lengths \[0\]"),
        ((np.zeros(3),), {"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ((np.zeros(3),), {"batch_size": -4}, "batch_size must be at least 1, got -4"),
    ],
)
def test_batches_errors(arrays: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Batches(*arrays, **options)


def tinted(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An augmentation that shows for which batch it ran: it adds a random number to each row."""
    return rows + rng.random(len(rows))


GENERATORS = [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]


@given(
    rows=st.integers(1, 30),
    batch_size=st.integers(1, 12),
    shuffle=st.booleans(),
    augment=st.sampled_from([None, tinted]),
    kind=st.sampled_from(GENERATORS),
    draw=st.data(),
)
def test_batches_go_on_in_the_middle(
    rows: int, batch_size: int, shuffle: bool, augment: Any, kind: Any, draw: st.DataObject
) -> None:
    def batches(seed: int) -> Batches:
        rng = np.random.Generator(kind(seed))
        return Batches(
            np.arange(rows), np.arange(rows), batch_size=batch_size, shuffle=shuffle, seed=rng, augment=augment
        )

    def flat(epoch: Any) -> list[list[float]]:
        return [[*a, *b] for a, b in epoch]

    whole = batches(1)
    expected = [flat(whole) for _ in range(3)]
    running = batches(1)
    skipped = draw.draw(st.integers(0, 1), "whole epochs before")
    for _ in range(skipped):
        list(running)
    count = draw.draw(st.integers(0, len(running)), "batches before")
    iterator = iter(running)
    begun = flat(next(iterator) for _ in range(count))
    running.rng.random(draw.draw(st.integers(0, 3), "drawn from the same generator by others"))
    state = json.loads(json.dumps(running.state_dict()))

    resumed = batches(2)
    list(zip(resumed, range(draw.draw(st.integers(0, 2), "begun before loading")), strict=False))
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    rest = flat(resumed)
    assert begun + rest == expected[skipped]
    assert rest == flat(iterator)
    assert flat(resumed) == flat(running)  # the next epoch depends on the draws before
    assert resumed.state_dict() == running.state_dict()


def test_batches_end_of_an_epoch_and_what_was_left() -> None:
    batches = Batches(np.arange(4), batch_size=2)
    fresh = batches.state_dict()
    for _ in batches:
        inside = batches.state_dict()
    assert inside["epoch"]["position"] == 2
    assert fresh["epoch"] is batches.state_dict()["epoch"] is None
    batches.load_state_dict(inside)
    assert list(batches) == []  # the epoch had no batches left
    next(iter(batches))
    assert len(list(batches)) == 2  # an iteration that was left is not continued


def test_batches_augment_only_the_first_array() -> None:
    x = np.arange(12.0).reshape(6, 2)
    seen = []

    def negative(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen.append(rng.random())
        return -rows

    for a, b in Batches(x, x, batch_size=2, augment=negative):
        assert np.array_equal(a, -b)
    assert len(set(seen)) == 3
    assert x.min() == 0
    with pytest.raises(TypeError, match="augment has to be a function of rows and a generator, got 3"):
        Batches(x, augment=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("rng"), "not a state of these Batches .KeyError"),
        (lambda s: s.pop("rows"), "not a state of these Batches .KeyError"),
        (lambda s: s.update(rng=[]), "not a state of these Batches"),
        (lambda s: s["rng"].update(bit_generator="MT19937"), "not a state of these Batches"),
        (lambda s: s["rng"]["state"].update(state="x"), "not a state of these Batches"),
        (lambda s: s["rng"]["state"].update(state=-1), "not a state of these Batches"),
        (lambda s: s["epoch"].update(position="2"), "not a state of these Batches"),
        (lambda s: s["epoch"].update(start=None), "not a state of these Batches"),
        (lambda s: s["epoch"].update(position=4), "position is 4, but an epoch has 3 batches"),
        (lambda s: s["epoch"].update(position=-1), "position is -1"),
        (lambda s: s.update(batch_size=3), "of batches with .*'batch_size': 3.* these have .*'batch_size': 2"),
        (lambda s: s.update(augment=True), "'augment': True.* these have .*'augment': False"),
    ],
)
def test_batches_refuse_a_state_before_anything_changes(change: Any, message: str) -> None:
    batches = Batches(np.arange(6), batch_size=2)
    next(iter(batches))
    state = batches.state_dict()
    change(state)
    before = batches.state_dict()
    with pytest.raises(ValueError, match=message):
        batches.load_state_dict(state)
    assert batches.state_dict() == before


def test_batches_refuse_a_fractional_size() -> None:
    with pytest.raises(TypeError):
        Batches(np.zeros(3), batch_size=1.5)  # type: ignore[arg-type]
