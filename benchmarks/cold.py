"""Time to 97.5 % of the MNIST test images from a cold start: a new process, its imports, reading, training, testing.

    python -m benchmarks.cold ENGINE

784-100-10, batch 128, Nesterov momentum 0.9, learning rate 0.1. It is tested after each epoch until it reaches the
goal. Both engines start from the same weights and see the same batches. Ours is `nn` with at most two BLAS threads, as
`demos` sets them. torch is the same program with index batches and its default threads.
"""

import resource
import subprocess
import sys
import time

GOAL, BATCH, LR, SIZES = 0.975, 128, 0.1, (784, 100, 10)


def ours(limit):
    import demos  # noqa: F401 (sets the threads)
    import nn
    from benchmarks.common import weights
    from nn.data import Batches, load_mnist

    data = load_mnist()
    model = nn.dense(*SIZES)
    layers: list = model.layers[::2]
    for layer, w in zip(layers, weights(SIZES), strict=True):
        layer.weight.data = w
    optimizer = nn.SGD(model, lr=LR, momentum=0.9, nesterov=True)
    batches = Batches(data.train_x[:limit], data.train_y[:limit], batch_size=BATCH, seed=1)
    while True:
        nn.fit(model, batches, nn.cross_entropy, optimizer, epochs=1, progress=False)
        yield nn.evaluate(model, data.test_x, data.test_y)["accuracy"]


def torch(limit):
    import numpy as np
    import torch

    from benchmarks.common import mnist, weights

    x, y, test_x, test_y = map(torch.from_numpy, (*mnist(), *mnist(test=True)))
    x, y = x[:limit], y[:limit]
    layers = []
    for w in weights(SIZES):
        linear = torch.nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T.copy()))
            linear.bias.zero_()
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, nesterov=True)
    rng = np.random.default_rng(1)
    while True:
        order = torch.from_numpy(rng.permutation(len(x)))
        for batch in order.split(BATCH):
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            yield (model(test_x).argmax(dim=1) == test_y).float().mean().item()


ENGINES = {"ours": ours, "torch": torch}


def train(engine, limit, most):
    for epoch, accuracy in enumerate(ENGINES[engine](limit), 1):
        if accuracy >= GOAL or epoch == most:
            print(epoch, accuracy)
            break


def measure(engine, row, options):
    """Run `train` in a new process, and time the process from outside."""
    limit, most = ("1000", "1") if options.steps else ("60000", "20")
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.cold", "--train", engine, limit, most]
    out = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout.split()
    took = time.perf_counter() - start
    unit = 1024 if sys.platform != "darwin" else 1024**2
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    return {"s": took, "least": took, "epochs": int(out[0]), "accuracy": float(out[1]), "MB": megabytes}


if __name__ == "__main__":
    if sys.argv[1] == "--train":
        train(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        from benchmarks import common

        common.main("cold", ENGINES, ["to 97.5 %"], measure)
