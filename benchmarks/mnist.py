"""Whole epochs of MNIST, 784-100-10, batch 32, SGD 0.1: shuffling, every step, and the test afterwards.

    python -m benchmarks.mnist ENGINE

The engines and steps are those of `benchmarks.steps`, and torch with its DataLoader, as in torch's tutorials. An epoch
is measured from its permutation to the accuracy on the 10,000 test images. The accuracy of the first epoch is printed.
All engines see the same batches, except the loader, which shuffles by itself.
"""

import itertools

import numpy as np

from benchmarks import common, steps

NET, BATCH = "784-100-10", 32


def torch_loader(x, y, sizes, rows):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    update, predict = steps.torch_network(sizes)
    data = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)
    batches = itertools.chain.from_iterable(itertools.repeat(loader))  # shuffled in each epoch

    def step():
        next(rows)
        return update(*next(batches))

    return step, lambda loss: loss.item(), predict


ENGINES = {name: engine for name, engine in steps.ENGINES.items() if name != "products"}
ENGINES["torch-loader"] = torch_loader


def measure(engine, row, options):
    test_x, test_y = common.mnist(test=True)
    x, y = (test_x[:1000], test_y[:1000]) if options.steps else common.mnist()
    queue = [np.arange(BATCH)] * (engine == "numpy")  # numpy reads one batch to find its size
    rng = np.random.default_rng(1)

    def rows():
        while True:
            yield queue.pop()

    train, wait, predict = ENGINES[engine](x, y, [int(n) for n in NET.split("-")], rows())

    def epoch():
        order = rng.permutation(len(x))
        for i in range(0, len(x) - BATCH + 1, BATCH):
            queue.append(order[i : i + BATCH])
            loss = train()
        wait(loss)
        return (np.asarray(predict(test_x)).argmax(axis=1) == test_y).mean()

    figures = common.timed(epoch, options, unit="s", chunk=1, warm=1)
    return {**figures, "accuracy": figures.pop("loss")}


if __name__ == "__main__":
    common.main("mnist", ENGINES, ["epoch"], measure)
