"""The sweep trains each setting once, even if it is stopped often, and always gives the same numbers."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from demos import digits, sweep
from nn.data import Batches, Dataset

SHORT = sweep.BASE | {"batch": 128, "epochs": 1, "seed": 0}


@pytest.fixture(scope="module")
def data():
    """Images of the digits' size, but far fewer."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(160, 64)).astype(np.float32), rng.integers(0, 10, 160)
    return Dataset(x[:128], y[:128], x[128:], y[128:], name="few", classes=10)


def arguments(out, *more):
    return ["--epochs", "1", "--repeats", "1", "--processes", "1", "--out", str(out), *more]


def table(capsys):
    """The printed line of each setting, without the seconds."""
    return [line.split()[:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]


@pytest.fixture
def counted(monkeypatch, data):
    """The list of trials that were really trained, in two small experiments."""
    real, done = sweep.train, []

    def train(trial, data):
        done.append(trial)
        return real(trial, data)

    def picture(tables):
        return SimpleNamespace(save=lambda path: path.write_text(str(len(tables))))

    small = {"momentum": {"momentum": (0.0, 0.9)}, "depth": {"layers": (0, 1), "activation": ("sigmoid", "tanh")}}
    monkeypatch.setattr(sweep, "EXPERIMENTS", small)
    monkeypatch.setattr(sweep, "train", train)
    monkeypatch.setattr(sweep, "picture", picture)
    monkeypatch.setattr(digits, "load", lambda: (data, None))
    return done


def test_a_sweep_that_was_interrupted_goes_on(tmp_path, monkeypatch, capsys, counted):
    assert sweep.main(arguments(tmp_path / "whole")) == 0
    wanted, trials = table(capsys), len(counted)
    # without hidden layers the activation does not matter; the base is in both experiments
    assert (len(wanted), trials) == (2 + 3, 2 + 3 - 1)

    counted.clear()
    whole = sweep.train

    def stopped(trial, data):
        if len(counted) == 2:
            raise KeyboardInterrupt
        return whole(trial, data)

    monkeypatch.setattr(sweep, "train", stopped)
    assert sweep.main(arguments(tmp_path / "parts")) == 130
    assert "continues" in capsys.readouterr().err
    assert not (tmp_path / "parts" / "sweep.png").exists()

    monkeypatch.setattr(sweep, "train", whole)
    assert sweep.main(arguments(tmp_path / "parts")) == 0
    assert table(capsys) == wanted
    assert len({sweep.key(trial) for trial in counted}) == len(counted) == trials
    assert (tmp_path / "parts" / "sweep.png").read_text() == "2"

    # other settings are other trials
    assert sweep.main(arguments(tmp_path / "parts", "--experiments", "momentum", "--seed", "1")) == 0
    assert len(counted) == trials + 2


def test_processes_train_what_one_trains(data):
    trials = [SHORT | {"seed": seed} for seed in range(3)]
    figures = [
        {sweep.key(trial): result | {"seconds": 0} for trial, result in sweep.trained(trials, data, processes)}
        for processes in (1, 2)
    ]
    assert figures[0] == figures[1]
    assert len(figures[0]) == 3


def test_ctrl_c_in_a_training_leaves_no_result(monkeypatch, data):
    class Interrupted(Batches):
        def __iter__(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "Batches", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep.train(SHORT, data)


def test_a_trial_that_diverges_is_known_and_shown(tmp_path, data):
    with np.errstate(all="ignore"):
        assert sweep.train(SHORT | {"lr": 1e30, "activation": "relu", "init": "normal 0.3", "batch": 8}, data) == {}
    store = sweep.Store(tmp_path / "a.db")
    store.add(SHORT, {})
    store.add(SHORT | {"seed": 1}, {"test_accuracy": 0.5, "seconds": 1.0})
    again = sweep.Store(tmp_path / "a.db").results()
    assert again == {sweep.key(SHORT): {}, sweep.key(SHORT | {"seed": 1}): {"test_accuracy": 0.5, "seconds": 1.0}}
    assert sweep.line([{}, {"test_accuracy": 0.5}]) == "1 of 2 diverged"
    (ax,) = sweep.picture({"depth": {"all": [{}, {}]}}).axes
    assert [text.get_text() for text in ax.texts] == ["diverged"]


def test_the_base_is_the_reference_network():
    model = sweep.network(sweep.BASE, np.random.default_rng(0))
    assert str(model) == "Sequential(Linear(64, 10), Sigmoid(), Linear(10, 10))"
    assert 0.009 < np.abs(model[0].weight.data).max() <= 0.01


@pytest.mark.slow
def test_the_base_learns_what_the_reference_did():
    result = sweep.train(sweep.BASE | {"epochs": 15, "seed": 0}, digits.load()[0])
    assert result["train_accuracy"] > 0.99
    assert result["test_accuracy"] > 0.95
    assert result["train_loss"] < 0.04


def test_without_optuna_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert sweep.main(["--quick", "--out", str(tmp_path)]) == 1
    assert "pip install 'chainrule[sweep]'" in capsys.readouterr().err
