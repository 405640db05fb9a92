"""Run every row for us and for each peer, in separate processes that take turns, and print Markdown tables.

    make bench     # or: python -m benchmarks [--runs 5] [--quick] [--only WORDS] [--threads 1] [--peers FOLDER]

Each peer has its own environment below FOLDER (default `.venv/peers`), which is made if it is missing. A peer that
cannot be installed is named and left out. Nothing else should run at the same time, since it would disturb the figures.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.tables import print_table

ROOT = Path(__file__).resolve().parent.parent


class Table(NamedTuple):
    """Rows that one process measures in turn, by engine.

    `engines` begins with `ours`. `bounds` are times of code written by hand, not peers. `quick` are the rows that
    `--quick` runs (None: all). Engines take turns if `turns` is true. Otherwise a process runs its rows at once.
    """

    title: str
    module: str
    rows: tuple[str, ...]
    engines: tuple[str, ...]
    bounds: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = None
    turns: bool = True


CHAINS = ("1,000 nodes", "10,000 nodes", "100,000 nodes", "1,000,000 nodes")
SMALL, LARGE = (tuple(f"{net}/{n}" for n in (1, 32, 128, 1024)) for net in ("784-100-10", "784-512-512-10"))
WIDTHS = tuple(f"784-{n}-10/32" for n in (32, 128, 512, 2048))
ARRAYS = ("ours", "torch", "jax", "hips", "mygrad")
MADE = ("MLP 784-100-10", "convolution, 16 filters on 28 x 28", "GPT, 16 positions", "LSTM, 20 steps",
        "Runge-Kutta, 50 steps", "a million operations")  # fmt: skip
HAND, HANDS = ("numpy",), ("numpy", "products")
TABLES = [
    Table("Tiny graph, 39 nodes: build and backward", "scalars", ("tiny",),
          (*ARRAYS, "ours-python", "slots", "micrograd", "xad", "casadi"), ("floats",)),
    Table("Two moons on Values: a step", "scalars", ("moons",),
          ("ours", "ours-unfused", "ours-python", "slots", "micrograd"), ("interpreter",)),
    Table("GPT on Values: a step", "scalars", ("gpt",), ("ours", "ours-python", "slots"), ("interpreter",)),
    Table("Chains of additions: build, backward, free", "scalars", CHAINS,
          ("ours", "ours-python", "slots", "micrograd", "torch", "xad"), quick=CHAINS[:3], turns=False),
    Table("Two moons as matrices: a step", "moons", ("step",), ARRAYS, HAND),
    Table("MNIST step, 784-100-10, by batch", "steps", SMALL, ARRAYS, HANDS),
    Table("MNIST step, 784-512-512-10, by batch", "steps", LARGE, ARRAYS, HANDS),
    Table("MNIST step at batch 32, by width", "steps", WIDTHS, ARRAYS, HANDS, quick=()),
    Table("MNIST epoch, 784-100-10, batch 32, with shuffling and test", "mnist", ("epoch",),
          ("ours", "torch", "torch-loader", "jax", "hips", "mygrad"), HAND, quick=()),
    Table("MNIST from a cold start to 97.5 %", "cold", ("to 97.5 %",), ("ours", "torch"), quick=(), turns=False),
    Table("demos.mnist on a busy machine: an epoch", "busy", ("quiet", "busy"), ("ours",), quick=(), turns=False),
    Table("vectorize itself: making a program", "making", MADE, ("ours",), quick=MADE[:-1], turns=False),
    Table("Import, after NumPy's where it is needed", "imports", ("import",),
          (*ARRAYS, "micrograd", "xad", "casadi"), HAND, turns=False),
]  # fmt: skip
TURN, PAUSE, SECONDS = 0.1, 0.05, 0.5  # a turn, the pause before it, and all turns of a row in one process
INSTALL = {
    "torch": ["torch==2.13.0", "numpy"],
    "jax": ["jax==0.10.2", "numpy"],
    "hips": ["autograd==1.9.1", "numpy"],
    "mygrad": ["mygrad==2.5.0", "numpy"],
    "micrograd": ["micrograd==0.1.0", "numpy"],
    "xad": ["xad==1.5.2", "numpy"],
    "casadi": ["casadi==3.8.2", "numpy"],
}
HOME = {
    **{peer: peer for peer in INSTALL},
    "ours-unfused": "micrograd",
    "interpreter": "micrograd",
    "torch-loader": "torch",
}


def environment(peer, folder):
    """The interpreter of a peer's environment, which is made if it is missing. None if it cannot be made."""
    python = folder / peer / "bin" / "python"
    if not python.exists():
        print(f"making an environment for {peer} …", file=sys.stderr, flush=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *INSTALL[peer]]
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder / peer)], check=True)
            subprocess.run(pip, check=True)
        except (OSError, subprocess.CalledProcessError):
            shutil.rmtree(folder / peer, ignore_errors=True)
            return None
    return python


class Process:
    """An engine's process, which measures the rows of a table in turn, as `benchmarks.common.turns` says."""

    def __init__(self, table, engine, rows, python, options):
        command = [str(python), "-m", f"benchmarks.{table.module}", engine, *rows, *(["--turns"] * table.turns)]
        # as for users: with bytecode, and without a path to this checkout in a peer's environment
        kept = {key: x for key, x in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
        if options.threads:
            kept |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(options.threads))
        pipes: dict = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.complaints = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by `end`)
        self.process: Any = subprocess.Popen(
            command, cwd=ROOT, env=kept, text=True, encoding="utf-8", stderr=self.complaints, **pipes
        )
        self.said = []

    def tell(self, line):
        """Send a line to the process, and wait for its answer. False if it has died."""
        with contextlib.suppress(OSError):
            self.process.stdin.write(line)
            self.process.stdin.flush()
        return self.hear()

    def hear(self):
        self.said.append(self.process.stdout.readline())
        return self.said[-1] != ""

    def end(self):
        """The figures by row, or the last line of its error output."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with self.process.stdout as rest:
            self.said += rest
        code = self.process.wait()
        self.complaints.seek(0)
        lines = self.complaints.read().strip().splitlines() or ["died"]
        self.complaints.close()
        found = [line for line in self.said if line.startswith("{")]
        return json.loads(found[-1]) if found else {}, lines[-1] if code else ""


def take_turns(processes, rows, seconds):
    """Run every row in turns of a tenth of a second. In the pause before a turn, other engines' threads fall asleep."""
    for row in range(len(rows)):
        alive = [process for process in processes if (process.tell("\n") if row else process.hear())]
        for _ in range(round(seconds / TURN)):
            for process in alive:
                time.sleep(PAUSE)
                process.tell(f"{TURN}\n")


def run(table, rows, runs, options):
    """All figures by engine, row and name; and the errors of engines that gave none."""
    figures: dict[str, dict] = {name: {} for name in (*table.engines, *table.bounds)}
    pythons, failures = {}, {}
    for name in figures:
        pythons[name] = environment(HOME[name], options.peers) if name in HOME else Path(sys.executable)
        if pythons[name] is None:
            failures[name] = "not installed"
    present = [name for name, python in pythons.items() if python]
    for _ in range(runs):
        if table.turns:
            processes = {name: Process(table, name, rows, pythons[name], options) for name in present}
            take_turns(list(processes.values()), rows, 0.1 if options.quick else SECONDS)
            ended = {name: process.end() for name, process in processes.items()}
        else:
            ended = {name: Process(table, name, rows, pythons[name], options).end() for name in present}
        for name, (found, error) in ended.items():
            if error:
                failures[name] = error
            for row, numbers in found.items():
                for key, x in numbers.items():
                    figures[name].setdefault(row, {}).setdefault(key, []).append(x)
    return figures, failures


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="processes for each figure (default: 5)")
    parser.add_argument("--quick", action="store_true", help="a minute: one process for each figure, and fewer rows")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv" / "peers", help="folder of the peers' environments"
    )
    parser.add_argument("--only", default="", help="only tables whose title contains this")
    parser.add_argument("--cores", type=int, help="how many of the machine's cores to use (Linux only)")
    parser.add_argument(
        "--threads", type=int, help="threads of each engine's BLAS (default: each library's own choice)"
    )
    options = parser.parse_args()
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    runs = 1 if options.quick else options.runs
    print(
        f"CPython {platform.python_version()}, NumPy {np.__version__}, {cores} cores; {runs} processes for each figure."
    )
    print("A figure is the median, with the smallest time in brackets; so are ratios. MB is the peak of the process.")
    left_out = []
    for table in TABLES:
        if options.only.lower() not in table.title.lower():
            continue
        rows = table.quick if options.quick and table.quick is not None else table.rows
        if rows:
            print(f"\n### {table.title}\n")
            print_table(table, rows, *run(table, rows, runs, options))
            sys.stdout.flush()
        if rows != table.rows:
            left_out.append(f"{table.title} ({', '.join(row for row in table.rows if row not in rows)})")
    if left_out:
        print(f"\nLeft out by --quick: {'; '.join(left_out)}.")


if __name__ == "__main__":
    main()
