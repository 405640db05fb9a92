"""Run every row for us and for each peer, interleaved, in processes of their own, and print Markdown tables.

    make bench                 # or: python -m benchmarks [--runs 5] [--quick] [--peers FOLDER]

Peers live in environments of their own below FOLDER (default `.venv/peers`), made when missing; one that cannot be
installed is named and left out. Nothing else should run meanwhile: the figures are only as quiet as the machine.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

# table: title, module, arguments by column, environment by column (None: ours)
TABLES = [
    ("Tiny graph (39 nodes), build and backward", "scalars", {"ours": "tiny", "micrograd": "tiny"}),
    ("Two moons, one training step", "scalars", {"ours": "moons", "ours-unfused": "moons", "micrograd": "moons"}),
    ("Two moons as matrices, one training step", "moons", {"vectorize": "", "numpy": "", "torch": ""}),
    ("Chain of 1,000,000 additions", "scalars", {"ours": "chain"}),
    ("MNIST 784-100-10, batch 32: an epoch", "mnist", {"ours": "", "torch": "", "numpy": ""}),
    ("Import, after NumPy's", "imports", {"autograd": "", "numpy": "", "torch": ""}),
]
INSTALL = {"torch": ["torch==2.13.0", "numpy"], "micrograd": ["micrograd==0.1.0", "numpy"]}
HOME = {"torch": "torch", "micrograd": "micrograd", "ours-unfused": "micrograd"}


def environment(peer, folder):
    """The interpreter of a peer's environment, made when missing; None if that cannot be done."""
    python = folder / peer / "bin" / "python"
    if not python.exists():
        print(f"making an environment for {peer} …", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder / peer)], check=True)
        done = subprocess.run([str(python), "-m", "pip", "install", "-q", *INSTALL[peer]], check=False)
        if done.returncode:
            return None
    return python


def measure(module, engine, row, python):
    command = [str(python), "-m", f"benchmarks.{module}", engine, *([row] if row else [])]
    environment = {key: x for key, x in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}  # users have bytecode
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return None, done.stderr.strip().splitlines()[-1:]
    return json.loads(done.stdout.splitlines()[-1]), None


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="processes a figure (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one process a figure")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv" / "peers", help="folder of their environments")
    parser.add_argument("--only", default="", help="only tables whose title contains this")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    print(f"CPython {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores; {runs} runs a figure")
    for title, module, columns in TABLES:
        if options.only.lower() not in title.lower():
            continue
        pythons = {}
        for name in columns:
            pythons[name] = environment(HOME[name], options.peers) if name in HOME else Path(sys.executable)
        results = {name: [] for name in columns}
        for _ in range(runs):
            for name, row in columns.items():
                if pythons[name] is None:
                    continue
                figures, error = measure(module, name, row, pythons[name])
                if figures is None:
                    print(f"{name}: {error}", file=sys.stderr)
                else:
                    results[name].append(figures)
        print(f"\n### {title}\n")
        print_table(results)


def print_table(results):
    first = next((name for name in results if results[name]), None)
    if first is None:
        print("nothing could be measured")
        return
    keys = list(results[first][0])
    print("| | " + " | ".join(f"{key}: median (min)" for key in keys) + f" | {keys[0]} / {first} |")
    print("|---|" + "---|" * (len(keys) + 1))
    base = statistics.median(figures[keys[0]] for figures in results[first])
    for name, all_figures in results.items():
        if not all_figures:
            print(f"| {name} | " + " | ".join(["not measured"] * len(keys)) + " | |")
            continue
        cells = []
        for key in keys:
            numbers = [figures[key] for figures in all_figures]
            cells.append(f"{statistics.median(numbers):.4g} ({min(numbers):.4g})")
        ratio = statistics.median(figures[keys[0]] for figures in all_figures) / base
        print(f"| {name} | " + " | ".join(cells) + f" | {ratio:.2f} |")


if __name__ == "__main__":
    main()
