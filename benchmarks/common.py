"""Code that the benchmarks share: the command line, timing, memory, and MNIST for environments without `nn`.

Every module is run as `python -m benchmarks.MODULE ENGINE [ROW ...] [--seconds S] [--steps N]` and prints one line of
JSON with the figures of each row. With `--turns` it measures only on request: see `turns`.
"""

import argparse
import contextlib
import functools
import gzip
import itertools
import json
import resource
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATUS = Path("/proc/self/status")
WARM = 10  # steps before timing starts, in which engines compile and caches fill


def main(module, engines, rows, measure):
    """Run `measure(engine, row, options)` for the rows asked for (by default all) and print what it returns."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}")
    parser.add_argument("engine", choices=engines)
    parser.add_argument("rows", nargs="*", default=list(rows), help=f"of {', '.join(rows)}")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a row is measured (default: 0.5)")
    parser.add_argument("--steps", type=int, help="run exactly this many steps instead, without a warm-up")
    parser.add_argument("--turns", action="store_true", help="measure when a line on stdin says for how many seconds")
    options = parser.parse_args()
    found = {}
    for row in options.rows:
        forget_peak()
        figures = measure(options.engine, row, options)
        found[row] = {**figures, "MB": figures.get("MB", peak())}
    print(json.dumps(found))


def peak():
    """The peak memory of this process, in MB."""
    if STATUS.exists():  # not ru_maxrss, which a new process inherits from its parent
        line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def forget_peak():
    """Reset `peak` to the present memory, if the system can (Linux)."""
    with contextlib.suppress(OSError):
        STATUS.with_name("clear_refs").write_text("5", encoding="utf-8")


def turns(options):
    """The end times of the intervals in which to measure.

    A machine may be fast for a minute and slow for the next. So engines that are compared take turns of a tenth of a
    second. Each warms up and waits until a line on stdin says for how many seconds to run. An empty line ends the row.
    """
    if not options.turns:
        yield time.perf_counter() + options.seconds
        return
    print("ready", flush=True)
    while seconds := sys.stdin.readline().strip():
        yield time.perf_counter() + float(seconds)
        print("done", flush=True)


def timed(step, options, unit="µs", wait=float, chunk=5, warm=WARM):
    """Time a step: the median and the least in `unit`, and the loss after `warm` steps, to compare engines.

    A sample is the mean of `chunk` steps. `wait` is called with the result of the last one. It waits until an engine
    that works in the background is done.
    """
    scale = {"µs": 1e6, "ms": 1e3, "s": 1.0}[unit]
    for _ in range(min(warm, options.steps or warm)):  # with --steps, the figures do not matter
        loss = step()
    figures = {"loss": wait(loss)}
    if options.steps:
        chunk = 1
    times: list[float] = []
    for end in turns(options):
        enough = len(times) + (options.steps or (1 if options.turns else 3))
        while len(times) < enough or (not options.steps and time.perf_counter() < end):
            start = time.perf_counter()
            for _ in range(chunk):
                loss = step()
            wait(loss)
            times.append((time.perf_counter() - start) / chunk * scale)
    return {unit: statistics.median(times), "least": min(times), **figures}


def hips():
    """HIPS autograd and its NumPy. Its package has the same name as ours, which must not be imported instead."""
    kept = sys.path[:]
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
    try:
        import autograd.numpy
    finally:
        sys.path[:] = kept
    return autograd, autograd.numpy


@functools.cache
def mnist(test=False):
    """Images (N, 784) float32 in 0..1 and labels (N,) int64, for training or for testing."""
    import numpy as np

    part = "t10k" if test else "train"
    folder = ROOT / "nn" / "data" / "mnist"
    images, labels = (
        np.frombuffer(gzip.decompress((folder / f"{part}-{name}-ubyte.gz").read_bytes()), np.uint8, offset=offset)
        for name, offset in (("images-idx3", 16), ("labels-idx1", 8))
    )
    images = np.divide(images, 255, dtype=np.float32).reshape(-1, 784)
    forget_peak()  # the memory for reading is not part of a step
    return images, labels.astype(np.int64)


def weights(sizes):
    """The matrices (in, out) that every engine starts from, float32."""
    import numpy as np

    rng = np.random.default_rng(0)
    return [(rng.uniform(-1, 1, pair) * (6 / pair[0]) ** 0.5).astype(np.float32) for pair in itertools.pairwise(sizes)]
