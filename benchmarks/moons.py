"""Two moons, a training step of 2-16-16-1 on 100 samples, as matrices. One engine for each process.

    python -m benchmarks.moons ENGINE

Engines: ours (micrograd's loss function, unchanged, through `autograd.vectorize`); numpy (by hand); torch; jax
(compiled, parameters donated); hips; mygrad. The loss is max-margin with an L2 penalty, in float64, with plain gradient
descent. All engines start from the same weights. Figures are microseconds a step.
"""

import itertools
import random

import numpy as np

from benchmarks.common import hips as import_hips
from benchmarks.common import main, timed

LR, DECAY, SIZES = 0.1, 1e-4, (2, 16, 16, 1)


def data():
    rng = random.Random(1)
    X = np.array([[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)])
    return X, np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)


def weights():
    """The matrices (in, out) of the network that micrograd makes from this seed."""
    random.seed(1337)
    found = []
    for m, n in itertools.pairwise(SIZES):
        found.append(np.array([[random.uniform(-1, 1) for _ in range(m)] for _ in range(n)]).T.copy())
    return found


def zeros():
    return [np.zeros(n) for n in SIZES[1:]]


def vectorized(X, y):
    import nn
    from autograd import vectorize

    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])

    def loss(X, y):
        scores = list(map(model, X))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + DECAY * sum(p * p for p in model.parameters())

    fast = vectorize(loss, (100, 2), 100, batch=False)
    optimizer = nn.SGD(fast.parameters(), lr=LR)

    def step():
        total = fast(X, y)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.item()

    return step, float


def by_hand(X, y):
    w, b = weights(), zeros()

    def step():
        h1 = np.maximum(X @ w[0] + b[0], 0)
        h2 = np.maximum(h1 @ w[1] + b[1], 0)
        margin = np.maximum(1 - y * (h2 @ w[2] + b[2])[:, 0], 0)
        total = margin.mean() + DECAY * sum((p * p).sum() for p in (*w, *b))
        d = (-y * (margin > 0) / len(y))[:, None]
        grads = []
        for x, i in ((h2, 2), (h1, 1), (X, 0)):
            grads.append((i, x.T @ d, d.sum(axis=0)))
            if i:
                d = (d @ w[i].T) * (x > 0)
        for i, gw, gb in grads:
            w[i] -= LR * (gw + 2 * DECAY * w[i])
            b[i] -= LR * (gb + 2 * DECAY * b[i])
        return total

    return step, float


def torched(X, y):
    import torch

    X, y = torch.tensor(X), torch.tensor(y)
    layers = []
    for w in weights():
        linear = torch.nn.Linear(*w.shape, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.zero_()
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def step():
        total = (1 - y * model(X)[:, 0]).relu().mean() + DECAY * sum((p * p).sum() for p in model.parameters())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.item()

    return step, float


def loss(np, params, X, y):
    """For engines that follow NumPy's functions."""
    w1, w2, w3, b1, b2, b3 = params
    h = np.maximum(X @ w1 + b1, 0)
    h = np.maximum(h @ w2 + b2, 0)
    margin = np.maximum(1 - y * (h @ w3 + b3)[:, 0], 0)
    return np.mean(margin) + DECAY * sum(np.sum(p * p) for p in params)


def jitted(X, y):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    X, y = jnp.asarray(X), jnp.asarray(y)
    params = [jnp.array(p) for p in (*weights(), *zeros())]

    def update(params, X, y):
        total, grads = jax.value_and_grad(lambda params: loss(jnp, params, X, y))(params)
        return [p - LR * g for p, g in zip(params, grads, strict=True)], total

    update = jax.jit(update, donate_argnums=0)

    def step():
        nonlocal params
        params, total = update(params, X, y)
        return total

    return step, lambda total: (jax.block_until_ready(params), float(total))[1]


def hips(X, y):
    autograd, anp = import_hips()
    params = [*weights(), *zeros()]
    both = autograd.value_and_grad(lambda params: loss(anp, params, X, y))

    def step():
        total, grads = both(params)
        for p, g in zip(params, grads, strict=True):
            p -= LR * g
        return total

    return step, float


def mygrad(X, y):
    import mygrad as mg

    mg.turn_memory_guarding_off()
    params = [mg.tensor(p) for p in (*weights(), *zeros())]

    def step():
        total = loss(mg, params, X, y)
        total.backward()
        for p in params:
            p.data -= LR * p.grad
        return total.item()

    return step, float


ENGINES = {"ours": vectorized, "numpy": by_hand, "torch": torched, "jax": jitted, "hips": hips, "mygrad": mygrad}


def measure(engine, row, options):
    step, wait = ENGINES[engine](*data())
    return timed(step, options, wait=wait, chunk=20)


if __name__ == "__main__":
    main("moons", ENGINES, ["step"], measure)
