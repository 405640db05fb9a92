"""Ctrl-C and kill -9 at any moment: no step is made by half, and the training continues bit for bit."""

import itertools
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import killable
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trainings import EPOCHS, STEPS, Training, X, Y, bits

import nn
from nn.checkpoint import Checkpoint
from nn.data import Batches
from nn.training import fit

ROOT = Path(__file__).parent.parent
KILLED = -signal.SIGKILL if os.name == "posix" else 1
FEWER = settings(max_examples=settings().max_examples // 3)  # an example waits for the disk


@pytest.fixture(autouse=True, scope="module")
def ctrl_c():
    """Install Python's own handler. A suite in the background ignores SIGINT otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "fit leaves the handler as it was"
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoints")


# ------------------------------------------------------------------------------------------------------- Ctrl-C


class PressAt:
    """Presses Ctrl-C after these steps."""

    def __init__(self, *steps):
        self.steps = steps

    def on_step_end(self, state):
        if state.optimizer.steps in self.steps:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("step", [1, 7, 10, 15])
def test_ctrl_c_saves_after_the_step(step, tmp_path):
    training = Training()
    training.run(Checkpoint(tmp_path / "a.npz"), callbacks=[PressAt(step)])
    epoch = (step - 1) // STEPS
    assert training.history.interrupted
    assert training.history.stopped == f"interrupted in epoch {epoch + 1}"
    assert (training.optimizer.steps, len(training.history)) == (step, epoch)
    resumed = Training()
    straight = Training()
    assert resumed.run(Checkpoint(tmp_path / "a.npz", resume=True), callbacks=[PressAt()]) == straight.run()
    assert not resumed.history.interrupted
    assert resumed.history.stopped == ""


def test_ctrl_c_lets_the_validation_end(tmp_path):
    def run(press, **kwargs):
        model = nn.dense(2, 3, 2, rng=0)

        def validate(model):
            if press and model.training and len(history) == 1:
                signal.raise_signal(signal.SIGINT)
            return {"x": 1.0}

        history = nn.History()
        batches = Batches(X, Y, batch_size=8)
        fit(model, batches, nn.cross_entropy, nn.Adam(model), epochs=4, progress=False, validate=validate,
            history=history, **kwargs)  # fmt: skip
        return history, bits([model.state_dict(), history.rows])

    history, _ = run(True, checkpoint=Checkpoint(tmp_path / "a.npz"))
    assert (len(history), history.interrupted, history.stopped) == (2, True, "interrupted after epoch 2")
    assert run(False, checkpoint=Checkpoint(tmp_path / "a.npz", resume=True))[1] == run(False)[1]


def test_a_second_ctrl_c_raises_at_once(tmp_path):
    def loss(logits, y):
        if next(calls) == 7:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return nn.cross_entropy(logits, y)

    calls, training = itertools.count(), Training()
    with pytest.raises(KeyboardInterrupt):
        fit(training.model, training.batches, loss, training.optimizer, epochs=9, progress=False,
            checkpoint=Checkpoint(tmp_path / "a.npz"))  # fmt: skip
    assert training.optimizer.steps == 7
    assert Training().run(Checkpoint(tmp_path / "a.npz", resume=True)) == Training().run()  # from after epoch 1


def test_a_handler_of_the_programs_own_is_left_alone():
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        training = Training()
        training.run(callbacks=[PressAt(3)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [True]
    assert len(training.history) == EPOCHS


@FEWER
@given(moment=st.floats(0, 1, exclude_max=True))
def test_ctrl_c_at_any_line_leaves_no_half_step(folder, moment):
    """Ctrl-C comes at any line of the loop, the optimiser or the checkpoint. The training is saved, and continues."""
    path = folder / "anywhere.npz"
    parts = ("training/loop.py", "training/state.py", "training/stopping.py", "training/progress.py", "layers.py")
    files = tuple(str(ROOT / "nn" / name) for name in parts)
    files += tuple(str(path) for folder in ("optim", "checkpoint") for path in (ROOT / "nn" / folder).glob("*.py"))

    def traced(press):
        lines = itertools.count()
        started = False

        def trace(frame, event, argument):
            nonlocal started
            if not frame.f_code.co_filename.endswith(files):
                return None
            started = started or frame.f_code.co_name == "_epoch"
            if event == "line" and started and next(lines) == press:
                signal.raise_signal(signal.SIGINT)
            return trace

        training = Training(patience=2)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            end = training.run(Checkpoint(path, steps=4))
        finally:
            sys.settrace(before)
        return training, end, next(lines)

    if not TRACED:
        TRACED.extend(traced(-1)[1:])
    straight, count = TRACED
    training, _, _ = traced(int(moment * count * 0.9))
    if training.history.interrupted:
        resumed = Training(patience=2)
        assert resumed.run(Checkpoint(path, resume=True)) == straight


TRACED: list[Any] = []


# ----------------------------------------------------------------------------------------------------- kill -9


def killed(path, epochs, lines):
    """Train in another process, and kill it after this many steps. It runs on meanwhile, so the kill hits any moment.

    Returns True if it was killed, and False if it had ended before.
    """
    command = [sys.executable, ROOT / "tests" / "killable.py", path, str(epochs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        for _ in range(lines):
            child.stdout.readline()
        child.kill()
    assert child.returncode in (0, KILLED)
    return child.returncode != 0


def survive(folder, kills, epochs):
    """Kill a training this often, and compare its result with that of a training without interruption."""
    rng, path = random.Random(0), folder / "killed.npz"
    straight = bits(killable.run(folder / "straight.npz", epochs))
    while kills:
        if killed(path, epochs, rng.randrange(5 * epochs)):
            kills -= 1
            if kills % 3:
                continue
        assert bits(killable.run(path, epochs)) == straight
        path.unlink()
    (folder / ".killed.0123456789abcdef.tmp.npz").touch()  # as left by a run that was killed while it wrote
    for left in folder.glob(".killed.*.tmp.npz"):  # others might still be writing
        os.utime(left, (0, 0))  # older than a day
    killable.run(path, 1)
    assert sorted(path.name for path in folder.iterdir()) == ["killed.npz", "straight.npz"]


def test_kill_9_loses_nothing(tmp_path):
    survive(tmp_path, kills=3, epochs=8)


@pytest.mark.slow
def test_kill_9_loses_nothing_fifty_times(tmp_path):
    survive(tmp_path, kills=51, epochs=20)
