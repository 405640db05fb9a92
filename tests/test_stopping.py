"""Early stopping: the direction is known or given, never guessed. An object that is used again starts afresh."""

from typing import Any

import numpy as np
import pytest

import nn
from nn.checkpoint import Checkpoint, CheckpointError
from nn.training import EarlyStopping, fit
from nn.training.history import History

SCORES = {
    "max": ["val_accuracy", "accuracy", "val_acc", "val_auc", "AUC", "test-f1", "precision", "val_recall", "r2"],
    "min": ["val_loss", "loss", "error", "val_mse", "RMSE", "mae", "perplexity"],
    None: ["val_bleu", "dice", "score", "val_f1_score", "inaccuracy", "gloss", "neg_log_loss", "negative_accuracy",
           "1 - accuracy", "loss_reduction", "", "_"],
}  # fmt: skip


def train(model, numbers, column="val_loss", **changes):
    """Train with one step per epoch. The validation gives these numbers."""
    rest = iter(numbers)
    batches = [(np.eye(2, dtype=np.float32), np.array([0, 1]))]
    settings: dict[str, Any] = {"epochs": len(numbers), "progress": False}
    settings["validate"] = lambda model: {column: next(rest)}
    return fit(model, batches, nn.cross_entropy, nn.SGD(model, 0.1), **settings | changes)


def network():
    return nn.dense(2, 2, rng=0)


@pytest.mark.parametrize(("way", "column"), [(way, column) for way in SCORES for column in SCORES[way]])
@pytest.mark.parametrize("given", [None, "max", "min"])
def test_the_direction_of_a_score_is_known_or_given_and_never_guessed(way, column, given):
    """Three epochs improve, then two do not. The third is the best, for either direction."""
    numbers, options = [1.0, 2.0, 3.0, 2.0, 1.0], {"patience": 2, "monitor": column, "direction": given}
    if given is None and way is None:
        with pytest.raises(ValueError, match=r"pass direction='max' if .* direction='min' if"):
            train(network(), numbers, column, validate=lambda model: pytest.fail("trained"), **options)
        with pytest.raises(ValueError, match="pass direction="):
            History([{"epoch": 1, column: 1.0}]).best(column)
        return
    numbers = numbers if (given or way) == "max" else [-x for x in numbers]
    history = train(network(), numbers, column, **options)
    assert history.stopped == f"{column} has not improved since epoch 3"
    assert history.best(column, given)["epoch"] == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"direction": "max"}, "patience"),
        ({"patience": 1, "direction": "max"}, "pass monitor, too"),
        ({"patience": 1, "monitor": "val_loss", "direction": "up"}, "direction='up' is neither"),
    ],
)
def test_a_direction_needs_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        train(network(), [1.0], **settings)


def test_a_loss_that_is_turned_around_is_not_monitored_by_itself():
    assert len(train(network(), [3.0, 2.0, 1.0], "neg_log_loss", patience=1)) == 3, "the training loss falls"


def test_a_curve_has_a_best_epoch_only_where_it_is_known_which_that_is():
    curves = pytest.importorskip("nn.plots").curves
    history = History([{"epoch": k, "val_bleu": x} for k, x in ((1, 0.1), (2, 0.3), (3, 0.2))])
    assert [line.get_label() for line in curves(history, column="bleu").lines] == ["validation bleu"]
    for direction, epoch in (("max", 2), ("min", 1)):
        best = curves(history, column="bleu", direction=direction).lines[-1].get_label()
        assert best.endswith(f"in epoch {epoch}")


@pytest.mark.parametrize("first", ["finished", "refused", "broken", "resumed"])
def test_what_was_used_before_leaves_nothing_in_the_next_training(first, tmp_path):
    """In a second training the same callbacks act like new ones, however the first training ended."""
    stopping, path = EarlyStopping(3, "val_loss"), tmp_path / "checkpoint.npz"
    train(network(), [0.1, 0.2], callbacks=[stopping], checkpoint=Checkpoint(path, settings={"lr": 1}))
    if first == "refused":
        with pytest.raises(CheckpointError, match="lr was 1"):
            train(network(), [0.1], callbacks=[stopping], checkpoint=Checkpoint(path, resume=True, settings={"lr": 2}))
    elif first == "broken":
        with pytest.raises(StopIteration):
            train(network(), [0.1], epochs=2, callbacks=[stopping])
    elif first == "resumed":
        again = Checkpoint(path, resume=True, settings={"lr": 1})
        train(network(), [0.3, 0.4], epochs=4, callbacks=[stopping], checkpoint=again)
        assert (stopping.best, stopping.epoch) == (-0.1, 1), "it went on from what was resumed"
    used, fresh = network(), network()
    train(used, [5.0, 4.0], callbacks=[stopping])
    train(fresh, [5.0, 4.0])
    assert stopping.best == -4.0
    for a, b in zip(used.parameters(), fresh.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach(), b.detach())
