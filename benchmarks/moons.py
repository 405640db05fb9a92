"""Two moons, a training step of 2-16-16-1 on 100 samples, as matrices: one engine a process; prints JSON.

    python -m benchmarks.moons ENGINE

Engines: vectorize (micrograd's loss function as it is, through `autograd.vectorize`); numpy (by hand); torch.
Max-margin loss and an L2 penalty in float64, plain gradient descent. Microseconds a step, median.
"""

import json
import random
import statistics
import sys
import time

import numpy as np


def data():
    rng = random.Random(1)
    X = np.array([[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)])
    return X, np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)


def vectorized(X, y):
    import nn
    from autograd import vectorize

    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])

    def loss(X, y):
        scores = list(map(model, X))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())

    fast = vectorize(loss, (100, 2), 100, batch=False)
    optimizer = nn.SGD(fast.parameters(), lr=0.1)

    def step():
        total = fast(X, y)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.item()

    return step


def by_hand(X, y):
    rng = np.random.default_rng(0)
    sizes = [(2, 16), (16, 16), (16, 1)]
    w = [rng.uniform(-1, 1, size) for size in sizes]
    b = [np.zeros(size[1]) for size in sizes]

    def step():
        h1 = np.maximum(X @ w[0] + b[0], 0)
        h2 = np.maximum(h1 @ w[1] + b[1], 0)
        margin = np.maximum(1 - y * (h2 @ w[2] + b[2])[:, 0], 0)
        total = margin.mean() + 1e-4 * sum((p * p).sum() for p in (*w, *b))
        d = (-y * (margin > 0) / len(y))[:, None]
        grads = []
        for x, i in ((h2, 2), (h1, 1), (X, 0)):
            grads.append((i, x.T @ d, d.sum(axis=0)))
            if i:
                d = (d @ w[i].T) * (x > 0)
        for i, gw, gb in grads:
            w[i] -= 0.1 * (gw + 2e-4 * w[i])
            b[i] -= 0.1 * (gb + 2e-4 * b[i])
        return float(total)

    return step


def torched(X, y):
    import torch

    X, y = torch.tensor(X), torch.tensor(y)
    layers = [torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)]
    model = torch.nn.Sequential(*layers).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step():
        total = (1 - y * model(X)[:, 0]).relu().mean() + 1e-4 * sum((p * p).sum() for p in model.parameters())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.item()

    return step


ENGINES = {"vectorize": vectorized, "numpy": by_hand, "torch": torched}

if __name__ == "__main__":
    step = ENGINES[sys.argv[1]](*data())
    for _ in range(200):
        step()
    times = []
    for _ in range(2000):
        start = time.perf_counter()
        last = step()
        times.append(time.perf_counter() - start)
    print(json.dumps({"µs": statistics.median(times) * 1e6, "least": min(times) * 1e6, "loss": last}))
