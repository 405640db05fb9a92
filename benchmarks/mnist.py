"""An epoch of MNIST, 784-100-10, ReLU, SGD 0.1, batch 32, float32, with shuffling; one engine a process.

    python -m benchmarks.mnist ENGINE

Engines: ours (nn on Tensors), torch (index batches), numpy (written out by hand). Prints seconds an epoch and the
accuracy on the test images after the last one, as JSON; all start from the same weights and see the same batches.
"""

import json
import sys
import time

import numpy as np

from nn.data import load_mnist

BATCH, EPOCHS, LR = 32, 3, 0.1


def weights():
    rng = np.random.default_rng(0)
    return [(rng.uniform(-1, 1, (m, n)) * np.sqrt(6 / m)).astype(np.float32) for m, n in ((784, 100), (100, 10))]


def epochs(n):
    rng = np.random.default_rng(1)
    return [rng.permutation(n) for _ in range(EPOCHS)]


def ours(data):
    import nn

    model = nn.dense(784, 100, 10)
    for layer, w in zip(model.layers[::2], weights(), strict=True):
        layer.weight.data = w
    optimizer = nn.SGD(model.parameters(), lr=LR)
    x, y = data.train_x, data.train_y

    def epoch(order):
        for i in range(0, len(order), BATCH):
            batch = order[i : i + BATCH]
            loss = nn.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch, lambda test: model(test).data


def torch(data):
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    with torch.no_grad():
        for layer, w in zip((model[0], model[2]), weights(), strict=True):
            layer.weight.copy_(torch.from_numpy(w.T.copy()))
            layer.bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)

    def epoch(order):
        order = torch.from_numpy(order)
        for i in range(0, len(order), BATCH):
            batch = order[i : i + BATCH]
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch, lambda test: model(torch.from_numpy(test)).detach().numpy()


def numpy(data):
    w1, w2 = weights()
    b1, b2 = np.zeros(100, np.float32), np.zeros(10, np.float32)
    x, y = data.train_x, data.train_y

    def epoch(order):
        for i in range(0, len(order), BATCH):
            batch = order[i : i + BATCH]
            xb, yb = x[batch], y[batch]
            z = xb @ w1 + b1
            h = np.maximum(z, 0)
            logits = h @ w2 + b2
            d = np.exp(logits - logits.max(axis=1, keepdims=True))
            d /= d.sum(axis=1, keepdims=True)
            d[np.arange(len(yb)), yb] -= 1
            d *= LR / len(yb)
            dh = (d @ w2.T) * (z > 0)
            w2[...] -= h.T @ d
            b2[...] -= d.sum(axis=0)
            w1[...] -= xb.T @ dh
            b1[...] -= dh.sum(axis=0)

    return epoch, lambda test: np.maximum(test @ w1 + b1, 0) @ w2 + b2


ENGINES = {"ours": ours, "torch": torch, "numpy": numpy}

if __name__ == "__main__":
    data = load_mnist()
    epoch, predict = ENGINES[sys.argv[1]](data)
    times = []
    for order in epochs(len(data.train_x)):
        start = time.perf_counter()
        epoch(order)
        times.append(time.perf_counter() - start)
    accuracy = float((predict(data.test_x).argmax(axis=1) == data.test_y).mean())
    print(json.dumps({"s an epoch": min(times), "accuracy": accuracy}))
