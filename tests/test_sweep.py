"""The sweep trains each setting once, however often it is stopped, and always to the same numbers."""

import sys

import numpy as np
import pytest

from demos import sweep

SHORT = sweep.BASE | {"batch": 128, "epochs": 1, "seed": 0}


def arguments(out, *more):
    return ["--experiments", "momentum", "depth", "--epochs", "1", "--repeats", "1", "--out", str(out), *more]


def table(capsys):
    """What was printed of each setting, without the seconds."""
    return [line.split()[:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]


@pytest.fixture
def counted(monkeypatch):
    """The trials that were really trained, each in a step or few; a list to look into."""
    real, done = sweep.train, []

    def train(trial):
        done.append(trial)
        return real(trial | {"batch": 256})

    monkeypatch.setattr(sweep, "train", train)
    monkeypatch.setattr(sweep, "picture", lambda path, tables: path.write_text(str(len(tables))))
    return done


def test_a_sweep_that_was_interrupted_goes_on(tmp_path, monkeypatch, capsys, counted):
    assert sweep.main(arguments(tmp_path / "whole", "--processes", "1")) == 0
    wanted, trials = table(capsys), len(counted)
    # 6 settings of momentum and 6 of depth have the base in common; without hidden layers there are two, not four
    assert (len(wanted), trials) == (12, 11)

    counted.clear()
    whole = sweep.train

    def stopped(trial):
        if len(counted) == 4:
            raise KeyboardInterrupt
        return whole(trial)

    monkeypatch.setattr(sweep, "train", stopped)
    assert sweep.main(arguments(tmp_path / "parts", "--processes", "1")) == 130
    assert "goes on" in capsys.readouterr().err
    assert not (tmp_path / "parts" / "sweep.png").exists()

    monkeypatch.setattr(sweep, "train", whole)
    assert sweep.main(arguments(tmp_path / "parts", "--processes", "1")) == 0
    assert table(capsys) == wanted
    assert len({sweep.key(trial) for trial in counted}) == len(counted) == trials
    assert (tmp_path / "parts" / "sweep.png").read_text() == "2"

    # other settings are other trials
    assert sweep.main([*arguments(tmp_path / "parts", "--processes", "1"), "--seed", "1"]) == 0
    assert len(counted) == 2 * trials


def test_processes_train_what_one_trains(monkeypatch):
    trials = [SHORT | {"seed": seed} for seed in range(3)]
    figures = [
        {sweep.key(trial): result | {"seconds": 0} for trial, result in sweep.trained(trials, processes)}
        for processes in (1, 2)
    ]
    assert figures[0] == figures[1]
    assert len(figures[0]) == 3


def test_ctrl_c_in_a_training_leaves_no_result(monkeypatch):
    class Interrupted(sweep.Batches):
        def __iter__(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "Batches", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep.train(SHORT)


def test_a_trial_that_diverges_is_known_and_shown(tmp_path, capsys, monkeypatch):
    with np.errstate(all="ignore"):
        assert sweep.train(SHORT | {"lr": 1e30, "activation": "relu", "init": "normal 0.3"}) == {}
    store = sweep.Store(tmp_path / "a.db")
    store.add(SHORT, {})
    store.add(SHORT | {"seed": 1}, {"test_accuracy": 0.5, "seconds": 1.0})
    again = sweep.Store(tmp_path / "a.db").results()
    assert again == {sweep.key(SHORT): {}, sweep.key(SHORT | {"seed": 1}): {"test_accuracy": 0.5, "seconds": 1.0}}
    assert sweep.line([{}, {"test_accuracy": 0.5}]) == "1 of 2 diverged"
    sweep.picture(tmp_path / "a.png", {"depth": {"all": [{}, {}]}})
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_base_is_the_reference_network():
    train_x, test_x, train_y, test_y = sweep.digits()
    assert (train_x.shape, test_x.shape, train_y.shape, test_y.shape) == ((1527, 64), (270, 64), (1527,), (270,))
    assert {train_x.dtype, test_x.dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(train_x.mean(axis=0), 0, atol=1e-5)
    model = sweep.network(sweep.BASE, np.random.default_rng(0))
    assert str(model) == "Sequential(Linear(64, 10), Sigmoid(), Linear(10, 10))"
    assert 0.009 < np.abs(model[0].weight.data).max() <= 0.01


@pytest.mark.slow
def test_the_base_learns_what_the_reference_did():
    result = sweep.train(sweep.BASE | {"epochs": 15, "seed": 0})
    assert result["train_accuracy"] > 0.99
    assert result["test_accuracy"] > 0.95
    assert result["train_loss"] < 0.04


def test_without_optuna_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert sweep.main(["--quick", "--out", str(tmp_path)]) == 1
    assert "pip install 'chainrule[sweep]'" in capsys.readouterr().err
