"""The benchmarks' own engines run, agree, and print JSON. No peer is needed. The figures are not checked."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="the benchmarks ask POSIX for the memory that they took")

from benchmarks.__main__ import TABLES, run
from benchmarks.tables import print_table

ROOT = Path(__file__).parent.parent
ONE_THREAD = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # more threads would wait for each other
COMMANDS = {
    "scalars ours": ["tiny", "moons", "gpt", "1,000 nodes"],
    "scalars ours-python": ["tiny", "gpt"],
    "scalars slots": ["tiny", "moons", "gpt", "1,000 nodes"],
    "scalars floats": ["tiny"],
    "moons ours": ["step"],
    "moons numpy": ["step"],
    "steps ours": ["784-100-10/1", "784-16-16-10/32"],
    "steps numpy": ["784-100-10/1", "784-16-16-10/32"],
    "steps products": ["784-100-10/1"],
    "mnist ours": ["epoch"],
    "cold ours": ["to 97.5 %"],
    "busy ours": ["quiet", "busy"],
    "imports ours": ["import"],
    "making ours": ["LSTM, 20 steps", "Runge-Kutta, 50 steps"],
}


@pytest.fixture(scope="module")
def figures():
    """The output of each command. They run at the same time."""
    running = {}
    for command, rows in COMMANDS.items():
        module, engine = command.split()
        steps = "1" if module == "busy" else "3"  # a step of `busy` is an epoch
        line = [sys.executable, "-m", f"benchmarks.{module}", engine, *rows, "--steps", steps]
        running[command] = subprocess.Popen(
            line, cwd=ROOT, env=ONE_THREAD, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    printed = {command: process.communicate(timeout=60) for command, process in running.items()}
    failed = {command: printed[command][1] for command, process in running.items() if process.returncode}
    assert not failed
    return {command: json.loads(out) for command, (out, _) in printed.items()}


def test_every_row_has_a_time_and_memory(figures):
    for command, rows in COMMANDS.items():
        assert list(figures[command]) == rows
        for numbers in figures[command].values():
            assert {"least", "MB"} < set(numbers)
            assert numbers["least"] > 0
            assert numbers["MB"] >= 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("scalars ours", "scalars slots"), ("scalars ours", "scalars floats"), ("moons ours", "moons numpy"),
     ("steps ours", "steps numpy"), ("scalars ours", "moons ours")],
)  # fmt: skip
def test_engines_do_the_same(figures, one, other):
    a, b = ({row: x["loss"] for row, x in figures[name].items() if "loss" in x} for name in (one, other))
    shared = set(a) & set(b)
    assert shared or one.split()[0] != other.split()[0]
    for row in shared:
        assert a[row] == pytest.approx(b[row], rel=1e-5), row


def test_engines_take_turns():
    table = next(table for table in TABLES if table.module == "moons")._replace(engines=("ours", "absent"))
    options = argparse.Namespace(quick=True, threads=1, peers=None)
    figures, failures = run(table, ("step", "step"), 1, options)
    assert set(failures) == {"absent"}
    assert "invalid choice: 'absent'" in failures["absent"]
    for name in ("ours", "numpy"):
        assert figures[name]["step"]["µs"][0] >= figures[name]["step"]["least"][0] > 0
    assert figures["ours"]["step"]["loss"] == pytest.approx(figures["numpy"]["step"]["loss"])


def test_a_table_has_ratios_and_names_what_is_missing(capsys):
    table = TABLES[0]._replace(engines=("ours", "fast", "slow", "absent"), bounds=("floats",))
    one = {"µs": [2.0, 4.0, 3.0], "least": [1.0, 2.0, 2.0], "loss": [1.0] * 3, "MB": [10.0] * 3}
    fast = {**one, "µs": [6.0], "least": [4.0], "MB": [1500.0]}
    slow = {**one, "µs": [9.0], "least": [9.0], "loss": [2.0]}
    floats = {"µs": [1.0], "least": [1.0], "MB": [1.0]}
    by_engine = {"ours": {"tiny": one}, "fast": {"tiny": fast}, "slow": {"tiny": slow}, "absent": {}}
    print_table(table, ("tiny",), {**by_engine, "floats": {"tiny": floats}}, {"absent": "not installed"})
    out = capsys.readouterr().out
    assert "| tiny, µs | 3 (1) | 6 (4) | 9 (9) | not installed | 1 (1) | 0.50 (0.25) fast | 3.00 (1.00) |" in out
    assert "| tiny, MB | 10 | 1,500 |" in out
    assert "absent: not installed" in out
    assert "did not do the same" in out
