"""Scalar rows: one engine a process, chosen by name; prints its figures as JSON.

    python -m benchmarks.scalars ENGINE ROW

Engines: ours; ours-unfused (our Value under micrograd's own Neuron, a chain of `+` and `*` a neuron); micrograd.
"""

import gc
import json
import random
import resource
import sys
import time


def engine(name):
    if name == "micrograd":
        from micrograd.engine import Value
        from micrograd.nn import MLP
    elif name == "ours-unfused":
        import micrograd.nn

        from autograd import Value

        micrograd.nn.Value = Value
        MLP = micrograd.nn.MLP
    else:
        from autograd import Value
        from nn import MLP
    return Value, MLP


def tiny(Value, MLP):
    """The expression of micrograd's README, 39 nodes: build and backward. Microseconds."""

    def once():
        a, b = Value(-4.0), Value(2.0)
        c = a + b
        d = a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + (b + a).relu()
        d += 3 * d + (b - a).relu()
        e = c - d
        f = e**2
        g = f / 2.0
        g += 10.0 / f
        g.backward()

    times = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(200):
            once()
        times.append((time.perf_counter() - start) / 200)
    return {"µs": min(times) * 1e6}


def moons(Value, MLP):
    """A training step of an MLP 2-16-16-1 on 100 samples with max-margin loss and L2. Milliseconds, median."""
    random.seed(1337)
    rng = random.Random(1)
    X = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)]
    y = [1 if a * b > 0 else -1 for a, b in X]
    model = MLP(2, [16, 16, 1])
    times = []
    for k in range(10):
        start = time.perf_counter()
        inputs = [list(map(Value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        times.append(time.perf_counter() - start)
    return {"ms": sorted(times)[len(times) // 2] * 1e3, "loss": total.data}


def chain(Value, MLP):
    """A million additions: seconds to build, run backward and free; bytes a node at the peak."""
    n = 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gc.disable()
    start = time.perf_counter()
    x = Value(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    y.backward()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    del y
    assert x.grad == 1.0
    return {"s": time.perf_counter() - start, "bytes a node": (peak - before) * 1024 / n}


ROWS = {"tiny": tiny, "moons": moons, "chain": chain}

if __name__ == "__main__":
    name, row = sys.argv[1:]
    print(json.dumps(ROWS[row](*engine(name))))
