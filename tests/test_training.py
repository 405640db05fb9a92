"""`nn.training`: the loop, its records, when it stops, and the state in which it leaves the model."""

import json
import math
import os
import random
import re
import stat
import sys
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, no_grad
from nn.data import Batches, moons
from nn.support.files import replacing
from nn.training import EarlyStopping, NonFiniteLoss, evaluate, fit, predict
from nn.training.history import History

X, Y = moons(200, seed=1)
X = X.astype(np.float32)


def network(seed=0, **kwargs):
    return nn.dense(2, 16, 2, rng=seed, **kwargs)


def train(model, epochs=3, lr=0.1, loss=nn.cross_entropy, optimizer=None, seed=0, **kwargs):
    batches = Batches(X, Y, batch_size=20, seed=seed)
    optimizer = optimizer or nn.SGD(model, lr=lr, momentum=0.9)
    return fit(model, batches, loss, optimizer, epochs=epochs, **{"progress": False, **kwargs})


def scripted(numbers):
    """A validation that gives these losses, one per epoch."""
    numbers = iter(numbers)
    return lambda model: {"valid_loss": next(numbers)}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


# --------------------------------------------------------------------------------------------------- it trains


def test_moons_are_learnt_on_tensors():
    model = network()
    history = train(model, epochs=40)
    assert evaluate(model, X, Y)["accuracy"] > 0.97
    assert history["train_loss"][-1] < 0.1 < history["train_loss"][0]


def test_moons_are_learnt_on_values():
    random.seed(0)
    mlp = nn.MLP(2, [8, 1], activation="tanh")
    x, y = X[:40].tolist(), Y[:40]

    def model(rows):
        return [mlp(row) for row in rows]

    batches = [(x[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10)]
    optimizer = nn.Adam(mlp.parameters(), lr=0.1)
    history = fit(model, batches, nn.binary_cross_entropy, optimizer, epochs=25, progress=False, clip=10.0)
    assert history["train_loss"][-1] < 0.3 * history["train_loss"][0]
    assert evaluate(model, x, y, batch_size=7, loss=nn.binary_cross_entropy)["accuracy"] >= 0.95


def test_the_loop_is_the_one_written_by_hand():
    by_fit, by_hand = network(dropout=0.2), network(dropout=0.2)
    history = train(by_fit, epochs=2)
    optimizer, batches, means = nn.SGD(by_hand, lr=0.1, momentum=0.9), Batches(X, Y, batch_size=20, seed=0), []
    for _ in range(2):
        losses = []
        for x, y in batches:
            loss = nn.cross_entropy(by_hand(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        means.append(np.mean(losses))
    assert same(by_fit.state_dict(), by_hand.state_dict())
    assert history["train_loss"] == pytest.approx(means, rel=1e-12)


def test_gradients_from_before_do_not_count():
    clean, dirty = network(), network()
    for p in dirty.parameters():
        p.grad = np.full(p.shape, 1e6, np.float32)
    train(clean, epochs=1)
    train(dirty, epochs=1)
    assert same(clean.state_dict(), dirty.state_dict())


def test_the_same_seed_gives_the_same_training():
    runs = []
    for seed in (5, 5, 6):
        model = network(seed, dropout=0.3)
        history = train(model, seed=seed, validate=lambda m: evaluate(m, X, Y))
        runs.append((model.state_dict(), [history[name] for name in ("train_loss", "loss", "accuracy")]))
    assert same(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1] != runs[2][1]


def test_a_step_frees_its_graph_before_the_next():
    graphs: list[Any] = []

    def loss(logits, y):
        assert all(graph() is None for graph in graphs)
        out = nn.cross_entropy(logits, y)
        graphs.append(weakref.ref(out))
        return out

    train(network(), epochs=1, loss=loss)
    assert len(graphs) == 10


def test_clip_bounds_the_step():
    weight = Tensor([3.0, 4.0])
    steep = [(np.array([1.0, 1.0]), None)]
    optimizer = nn.SGD([weight], lr=1.0)
    fit(
        lambda x: weight * x,
        steep,
        lambda out, _: (out * out).sum() * 1e6,
        optimizer,
        epochs=1,
        clip=5.0,
        progress=False,
    )
    np.testing.assert_allclose(weight.data, [0.0, 0.0], atol=1e-12)  # the gradient (6e6, 8e6), shortened to (3, 4)


# -------------------------------------------------------------------------------------------------- the history


def test_a_row_for_each_epoch():
    history = train(network(), epochs=4, lr=nn.StepDecay(0.1, every=20, factor=0.5), validate=scripted([4, 3, 2, 1]))
    assert history.columns == ["epoch", "train_loss", "valid_loss", "lr", "seconds"]
    assert history["epoch"] == [1, 2, 3, 4]
    assert history["valid_loss"] == [4.0, 3.0, 2.0, 1.0]
    assert history["lr"] == [0.1, 0.1, 0.05, 0.05]  # ten steps per epoch
    assert all(seconds > 0 for seconds in history["seconds"])
    assert history.stopped == ""


def test_a_history_goes_on():
    model = network()
    optimizer = nn.SGD(model, lr=0.1)
    history = train(model, epochs=2, optimizer=optimizer, callbacks=[lambda state: state.stop("later")])
    history = train(model, epochs=2, optimizer=optimizer, history=history)
    assert (len(history), history.stopped) == (2, "")
    assert train(model, epochs=5, optimizer=optimizer, history=history) is history
    assert history["epoch"] == [1, 2, 3, 4, 5]
    assert optimizer.steps == 50
    assert len(train(model, epochs=5, optimizer=optimizer, history=history)) == 5  # nothing left to do


columns = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1, max_size=4, unique=True)
numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False))


@given(columns.flatmap(lambda names: st.lists(st.fixed_dictionaries(dict.fromkeys(names, numbers)), max_size=4)))
def test_a_history_comes_back_from_json(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "history.json"
    History(rows).save(path)
    assert list(History.load(path)) == rows
    assert json.loads(path.read_text(encoding="utf-8")) == rows


def test_csv_holds_every_digit(tmp_path):
    rows = [{"epoch": 1, "train_loss": 0.1 + 0.2}, {"epoch": 2, "train_loss": 1e-300}]
    History(rows).save(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == "epoch,train_loss\n1,0.30000000000000004\n2,1e-300\n"
    with pytest.raises(ValueError, match=r"\.csv or \.json, not as history\.txt"):
        History(rows).save(tmp_path / "history.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_a_history_is_a_list_of_rows():
    rows = [
        {"epoch": i, "x_loss": loss, "x_accuracy": 1 - loss} for i, loss in enumerate([0.5, 0.25, math.nan, 0.25], 1)
    ]
    history = History(rows)
    assert len(history) == 4
    assert history[0] is not rows[0]
    assert history[0] == rows[0] == history[:1][0] == next(iter(history))
    assert history.best("x_loss") == rows[1] == history.best("x_accuracy")
    assert "epoch=4" in repr(history)
    assert [line.split()[0] for line in str(history).splitlines()] == ["epoch", "1", "2", "3", "4"]
    assert len({len(line) for line in str(history).splitlines()}) == 1
    with pytest.raises(KeyError, match="loss"):
        history["loss"]
    with pytest.raises(ValueError, match="columns"):
        history.append({"epoch": 5})
    with pytest.raises(ValueError, match="no number"):
        history[2:3].best("x_loss")
    assert str(History()) == ""
    assert repr(History()) == "History of 0 epochs"


def test_validation_may_not_overwrite_columns():
    with pytest.raises(ValueError, match="'lr'"):
        train(network(), validate=lambda model: {"lr": 1.0})


# ------------------------------------------------------------------------------------------------------- stopping


def test_early_stopping_brings_the_best_weights_back():
    model, seen = network(), []

    def validate(model):
        seen.append(model.state_dict())
        return {"valid_loss": [5, 3, 4, 3, 9, 1][len(seen) - 1]}

    history = train(model, epochs=6, validate=validate, patience=3)
    assert history["epoch"] == [1, 2, 3, 4, 5]
    assert history.stopped == "valid_loss has not improved since epoch 2"
    assert same(model.state_dict(), seen[1])
    assert not same(seen[1], seen[4])


def test_the_best_weights_come_back_without_a_stop():
    model, seen = network(), []

    def validate(model):
        seen.append(model.state_dict())
        return {"accuracy": [0.5, 0.9, 0.7][len(seen) - 1]}

    assert train(model, epochs=3, validate=validate, patience=9, monitor="accuracy").stopped == ""
    assert same(model.state_dict(), seen[1])


def test_a_nan_is_no_improvement():
    history = train(network(), epochs=9, validate=scripted([math.nan, 2, math.nan, math.nan]), patience=2)
    assert len(history) == 4


def test_values_get_their_best_weights_back():
    w = Value(0.0)
    losses = scripted([3, 1, 2])
    fit(lambda x: w, [(0, 1)], lambda out, y: (out - y) ** 2, nn.SGD([w], lr=0.25), epochs=3, validate=losses,
        patience=5, progress=False)  # fmt: skip
    assert w.data == 0.75  # 0, 0.5, 0.75, 0.875


def test_early_stopping_is_a_callback_that_can_be_used_again():
    stopping = EarlyStopping(1)
    for _ in range(2):
        assert len(train(network(), epochs=9, validate=scripted([1, 2, 3]), callbacks=[stopping])) == 2


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"patience": 0}, "at least 1"),
        ({"monitor": "x"}, "patience"),
        ({"patience": 1, "monitor": "x_loss"}, "'x_loss'"),
    ],
)
def test_early_stopping_needs_sense(kwargs, message):
    with pytest.raises((ValueError, KeyError), match=message):
        train(network(), **kwargs)


def test_callbacks_are_called_in_their_places():
    class Recorder:
        def __init__(self):
            self.calls = []

        def on_start(self, state):
            self.calls.append(("start", state.epoch))

        def on_step_end(self, state):
            self.calls.append((state.epoch, state.step))
            assert state.optimizer.steps == 10 * (state.epoch - 1) + state.step
            assert math.isfinite(state.loss)

        def on_epoch_end(self, state):
            self.calls.append(("epoch", state.history[-1]["epoch"]))

        def on_end(self, state):
            self.calls.append(("end", state.epoch))

    recorder, epochs = Recorder(), []
    train(network(), epochs=2, callbacks=[recorder, lambda state: epochs.append(state.epoch)])
    steps = [[(epoch, step) for step in range(1, 11)] + [("epoch", epoch)] for epoch in (1, 2)]
    assert recorder.calls == [("start", 0), *steps[0], *steps[1], ("end", 2)]
    assert epochs == [1, 2]
    with pytest.raises(TypeError, match="on_epoch_end"):
        train(network(), callbacks=["not one"])


def test_a_callback_stops_after_an_epoch():
    history = train(network(), epochs=9, callbacks=[lambda state: state.epoch == 2 and state.stop("enough")])
    assert (len(history), history.stopped) == (2, "enough")


def test_a_callback_stops_after_a_step():
    class Stopper:
        def on_step_end(self, state):
            if state.step == 4:
                state.stop()

    model = network()
    optimizer = nn.SGD(model, lr=0.1)
    history = train(model, epochs=9, optimizer=optimizer, callbacks=[Stopper()])
    assert (len(history), optimizer.steps) == (1, 4)
    assert history.stopped


def test_an_interrupt_keeps_what_there_is():
    ended = []

    class Impatient:
        def on_step_end(self, state):
            if (state.epoch, state.step) == (3, 5):
                raise KeyboardInterrupt

        def on_end(self, state):
            ended.append(state.epoch)

    model = network(dropout=0.1)
    optimizer = nn.SGD(model, lr=0.1)
    history = train(model, epochs=9, optimizer=optimizer, callbacks=[Impatient()])
    assert history["epoch"] == [1, 2]
    assert history.stopped == "interrupted in epoch 3"
    assert history.interrupted
    assert optimizer.steps == 25
    assert ended == [3]


# ------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_at_once(bad):
    model = network()
    optimizer, weights = nn.SGD(model, lr=0.25), []

    def loss(logits, labels):
        weights.append(model.state_dict())
        return nn.cross_entropy(logits, labels) * (bad if len(weights) == 17 else 1.0)

    history = History()
    with pytest.raises(NonFiniteLoss, match=r"epoch 2, step 7 .*rate 0\.25") as caught:
        train(model, optimizer=optimizer, loss=loss, history=history)
    error = caught.value
    assert (error.epoch, error.step, error.lr) == (2, 7, 0.25)
    assert math.isnan(error.loss) if math.isnan(bad) else error.loss == bad
    assert "learning rate, clip" in str(error)
    assert same(model.state_dict(), weights[-1])
    assert not same(weights[-1], weights[-2])
    assert optimizer.steps == 16
    assert len(history) == 1


def test_the_cause_is_named():
    x = X.copy()
    x[30, 1] = np.nan
    model = network()
    with pytest.raises(NonFiniteLoss, match="inputs are not finite"):
        fit(model, Batches(x, Y, batch_size=20), nn.cross_entropy, nn.SGD(model, lr=0.1), epochs=1, progress=False)
    with pytest.raises(NonFiniteLoss, match="lower learning rate"):
        train(network(), lr=1e30)


def test_a_loss_has_to_be_one_number_with_a_graph():
    model = network()
    with pytest.raises(ValueError, match=r"shape \(20,\)"):
        train(model, loss=lambda logits, y: nn.cross_entropy(logits, y, reduction="none"))
    with pytest.raises(TypeError, match="float"):
        train(model, loss=lambda logits, y: 1.0)
    with pytest.raises(ValueError, match="without a graph"), no_grad():
        train(model)


def test_a_used_up_generator_is_an_error():
    model = network()
    with pytest.raises(ValueError, match=r"epoch 2 has no batches .*generator"):
        fit(model, iter([(X, Y)]), nn.cross_entropy, nn.SGD(model, lr=0.1), epochs=2, progress=False)


def test_an_error_says_where_it_was():
    y = Y.copy()
    y[-1] = 7
    model = network()
    with pytest.raises(IndexError, match="label 7") as caught:
        fit(model, Batches(X, y, batch_size=20, shuffle=False), nn.cross_entropy, nn.SGD(model, lr=0.1), epochs=1,
            progress=False)  # fmt: skip
    assert caught.value.__notes__ == ["(while training: epoch 1, after 9 steps)"]


# -------------------------------------------------------------------------------------------------- measuring


def test_modes_come_back_as_they_were():
    model = network(dropout=0.5)
    model.layers[2].training = False
    before = [module.training for module in model.modules()]
    assert sorted(set(before)) == [False, True]
    assert np.array_equal(predict(model, X), predict(model, X))  # no dropout
    evaluate(model, X, Y)
    assert [module.training for module in model.modules()] == before
    with pytest.raises(ValueError, match="shape"):
        predict(model, np.ones((3, 5), np.float32))
    assert [module.training for module in model.modules()] == before


def test_fit_trains_in_training_mode_and_restores_the_other():
    model, modes = network(dropout=0.5).eval(), []

    def loss(logits, y):
        modes.append(model.layers[2].training)
        return nn.cross_entropy(logits, y)

    train(model, epochs=2, loss=loss, validate=lambda m: evaluate(m.eval(), X, Y))
    assert modes == [True] * 20
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("batch_size", [1, 7, 200, 1000])
def test_predictions_do_not_depend_on_batches(batch_size):
    model = network()
    outputs = predict(model, X, batch_size)
    assert type(outputs) is np.ndarray
    np.testing.assert_allclose(outputs, model(X).data, rtol=1e-5, atol=1e-6)
    measured = evaluate(model, X, Y, batch_size, prefix="test_")
    assert measured["test_accuracy"] == (model(X).data.argmax(axis=1) == Y).mean()
    assert measured["test_loss"] == pytest.approx(nn.cross_entropy(model(X), Y).item(), rel=1e-5)


def test_one_output_decides_by_its_sign():
    logits, labels = np.array([-1.0, 2.0, 3.0, -4.0]), np.array([0, 1, 0, 1])
    flat = evaluate(lambda x: x, logits, labels, loss=nn.binary_cross_entropy)
    column = evaluate(lambda x: x[:, None], logits, labels, loss=lambda z, y: nn.binary_cross_entropy(z[:, 0], y))
    assert flat == column
    assert flat["accuracy"] == 0.5
    signs = evaluate(lambda x: x, logits, 2 * labels - 1, loss=nn.hinge)
    assert signs["accuracy"] == 0.5


def test_predictions_record_no_graph():
    w, outputs = Tensor([2.0]), []

    def model(x):
        outputs.append(w * x)
        return outputs[-1]

    assert predict(model, np.ones(3), batch_size=2).tolist() == [2.0] * 3
    assert [out.is_leaf for out in outputs] == [True, True]


def test_there_is_something_to_predict():
    with pytest.raises(ValueError, match=r"\(0, 2\)"):
        predict(network(), X[:0])


# ---------------------------------------------------------------------------------------------------- progress


def test_without_tqdm_a_line_for_each_epoch(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    train(network(), epochs=2, progress=True, validate=scripted([0.5, 0.25]))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert [line.split(":")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert "valid_loss=0.2500" in lines[1]
    assert "train_loss=" in lines[1]


def test_with_tqdm_a_bar_while_an_epoch_runs(capsys):
    pytest.importorskip("tqdm")
    train(network(), epochs=2, progress=True, validate=scripted([0.5, 0.25]))
    err = capsys.readouterr().err
    assert "epoch 2/2:   0%|" in err
    assert "| 0/10 [" in err
    assert re.fullmatch(
        r"epoch 2/2: train_loss=\S+, valid_loss=0\.2500 \(\d\.\d s\)", err.splitlines()[-1].split("\r")[-1]
    )


def test_the_bar_counts_steps(monkeypatch):
    tqdm = pytest.importorskip("tqdm").tqdm
    counts, close = [], tqdm.close

    def closed(bar):
        counts.append((bar.n, bar.total))
        close(bar)

    monkeypatch.setattr(tqdm, "close", closed)
    train(network(), epochs=2, progress=True)
    assert counts[:2] == [(10, 10)] * 2


def test_a_bar_is_closed_when_training_breaks_off():
    tqdm = pytest.importorskip("tqdm").tqdm

    def fail(logits, y):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken") as caught:
        train(network(), loss=fail, progress=True)
    assert caught.value.__traceback__  # holds the frames, and so the bar
    assert not list(tqdm._instances)


def test_silence(capsys):
    train(network(), progress=False)
    assert capsys.readouterr() == ("", "")


# -------------------------------------------------------------------------------------------------------- files


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    lines: list[Any] = ["half", 2]
    with pytest.raises(TypeError), replacing(path) as temporary, temporary.open("w") as file:
        file.writelines(lines)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with path.open() as reader:
        with replacing(path) as temporary:
            temporary.write_text("new")
            assert path.read_text() == "old"
            if os.name != "posix":  # Windows cannot replace an open file
                reader.close()
        assert reader.closed or reader.read() == "old"  # an open file is still the old one
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, os.replace

    def recorded(number):
        calls.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        fsync(number)

    def renamed(*names):
        calls.append("replace")
        replace(*names)

    monkeypatch.setattr(os, "fsync", recorded)
    monkeypatch.setattr(os, "replace", renamed)
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert calls == ["file", "replace", "folder"][: 3 if os.name == "posix" else 2]  # Windows opens no folders
