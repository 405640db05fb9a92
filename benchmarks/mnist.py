"""Whole epochs of MNIST, 784-100-10, batch 32, SGD 0.1: shuffling, every step, and the test afterwards.

    python -m benchmarks.mnist ENGINE

Engines and steps are those of `benchmarks.steps`; what is measured here is an epoch from its permutation to the
accuracy on the 10,000 test images. Three epochs, or as many as `--steps` says; all engines see the same batches.
"""

import statistics
import time

import numpy as np

from benchmarks import common, steps

NET, BATCH, EPOCHS = "784-100-10", 32, 3


def measure(engine, row, options):
    test_x, test_y = common.mnist(test=True)
    x, y = (test_x[:1000], test_y[:1000]) if options.steps else common.mnist()
    queue = [np.arange(BATCH)] * (engine == "numpy")  # which looks at one batch to know its size
    rng = np.random.default_rng(1)

    def rows():
        while True:
            yield queue.pop()

    train, wait, predict = steps.ENGINES[engine](x, y, [int(n) for n in NET.split("-")], rows())
    times = []
    for _ in range(options.steps or EPOCHS):
        start = time.perf_counter()
        order = rng.permutation(len(x))
        for i in range(0, len(x) - BATCH + 1, BATCH):
            queue.append(order[i : i + BATCH])
            loss = train()
        wait(loss)
        accuracy = float((np.asarray(predict(test_x)).argmax(axis=1) == test_y).mean())
        times.append(time.perf_counter() - start)
    return {"s": statistics.median(times), "least": min(times), "accuracy": accuracy}


if __name__ == "__main__":
    common.main("mnist", [name for name in steps.ENGINES if name != "products"], ["epoch"], measure)
