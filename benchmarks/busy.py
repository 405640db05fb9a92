"""An epoch of `demos.mnist`, with its defaults, on a quiet machine and with a busy loop on every core.

    python -m benchmarks.busy ours [quiet] [busy]

The loops are processes that do nothing. The time of an epoch, in seconds, is read from the demo's history.
"""

import contextlib
import csv
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import common

LOOP = [sys.executable, "-c", "while True: pass"]


@contextlib.contextmanager
def loops(n):
    """Run n busy loops inside this context."""
    running = [subprocess.Popen(LOOP) for _ in range(n)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(engine, row, options):
    """Time five epochs of one training, or `--steps` epochs of a small part of the images."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    arguments = ["--epochs", str(options.steps or 5), "--no-report", *(["--quick"] * bool(options.steps))]
    with tempfile.TemporaryDirectory() as folder, loops(cores if row == "busy" else 0):
        command = [sys.executable, "-m", "demos.mnist", *arguments, "--out", folder]
        subprocess.run(command, cwd=common.ROOT, check=True, capture_output=True)
        with (Path(folder) / "history.csv").open(encoding="utf-8") as file:
            times = [float(line["seconds"]) for line in csv.DictReader(file)]
    return {"s": statistics.median(times), "least": min(times)}


if __name__ == "__main__":
    common.main("busy", {"ours": None}, ["quiet", "busy"], measure)
