"""MNIST by 110 scalar neurons: they are trained as two matrices, and then are neurons again.

`nn.MLP(784, [100, 10])` is made of `Neuron`s, each a list of scalar weights that is called with one image. `vectorize`
finds the two matrix products in its 79,510 Values. Those learn from all 60,000 images, with the usual loss, optimiser
and `fit`; then `sync()` writes the numbers back, and the neurons read some of the test images by themselves.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

# The matrices of one step are small: several threads would wait for each other longer than they compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import nn
from autograd import vectorize
from demos.mnist import Parser, number
from nn import plots
from nn.data import Batches, DatasetError, load_mnist
from nn.files import replacing

CHECKED = 20
"""How many test images the neurons read by themselves."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments; returns the exit code."""
    options = parse(argv)
    try:
        options.out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        return run(options)
    except (DatasetError, nn.NonFiniteLoss, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def neurons(seed: int) -> nn.MLP:
    """The network, its first weights narrowed to He's: uniform within ±sqrt(6 / inputs).

    A `Neuron` draws from [-1, 1], of variance 1/3, as micrograd's does. The sum of 784 such products would be some
    hundred times as large in its variance as what came in; with 2 / inputs a layer of ReLUs keeps the size.
    """
    random.seed(seed)
    model = nn.MLP(784, [100, 10])
    for layer in model.layers:
        for neuron in layer.neurons:
            for w in neuron.w:
                w.data *= math.sqrt(6 / len(neuron.w))
    return model


def run(options: argparse.Namespace) -> int:
    """Trace, train, write back, and let the neurons check."""
    data = load_mnist()
    train_x, train_y, test_x, test_y = data.train_x, data.train_y, data.test_x, data.test_y
    if options.quick:
        train_x, train_y = train_x[:4000], train_y[:4000]

    model = neurons(options.seed)
    count = sum(len(layer.neurons) for layer in model.layers)
    print(f"{count} neurons, {len(model.parameters()):,} Values; weights uniform within ±sqrt(6 / inputs), as He's")
    start = time.perf_counter()
    fast = vectorize(model, 784, dtype=np.float32)
    print(f"vectorize(model, 784) took {time.perf_counter() - start:.1f} s and found this:\n")
    print(f"{fast.source}\n")
    print(f"{fast.report()}\n", flush=True)

    batches = Batches(train_x, train_y, batch_size=options.batch, seed=options.seed)
    history = nn.fit(
        fast,
        batches,
        nn.cross_entropy,
        nn.SGD(fast.parameters(), nn.Cosine(options.lr, options.epochs * len(batches))),
        epochs=options.epochs,
        validate=partial(nn.evaluate, x=test_x, y=test_y, prefix="test_"),  # to watch; nothing is chosen by it
    )
    if history.stopped:
        print(history.stopped)
    seconds = sum(row["seconds"] for row in history)
    logits = nn.predict(fast, test_x)
    right = int((logits.argmax(axis=1) == test_y).sum())
    print(f"trained in {seconds:.1f} s: {len(train_x):,} images, epochs: {len(history)}")
    print(f"accuracy on the {len(test_y):,} test images: {right / len(test_y):.2%} ({len(test_y) - right:,} wrong)")

    fast.sync()
    print(f"\nsync() wrote the numbers back: the neurons read {CHECKED} of the test images, as lists of floats")
    alone, times = np.empty((CHECKED, data.classes)), []
    for i in range(CHECKED):
        start = time.perf_counter()
        out = model(test_x[i].tolist())
        nn.cross_entropy([out], test_y[i : i + 1]).backward()  # only to know how long it takes
        times.append(time.perf_counter() - start)
        alone[i] = [logit.data for logit in out]
    same = int((alone.argmax(axis=1) == logits[:CHECKED].argmax(axis=1)).sum())
    apart = abs(alone - logits[:CHECKED]).max()
    print(f"same class as the matrices say: {same} of {CHECKED}")
    print(f"largest difference of logits: {apart:.1e}, as these are float64, those float32")
    hours = median(times) * len(train_x) * len(history) / 3600
    print(f"an image takes them {1e3 * median(times):.0f} ms, there and back: ", end="")
    print(f"learning by themselves would have taken {hours:.1f} hours")

    history.save(options.out / "history.csv")
    try:
        print("picture:", picture(options.out / "neurons.png", model))
    except ImportError as error:
        print(f"no picture: {error}")
    return 0


def picture(path: Path, model: nn.MLP) -> Path:
    """The weights of each neuron of the first layer, as an image."""
    weights = np.array([[w.data for w in neuron.w] for neuron in model.layers[0].neurons])
    ax = plots.weight_images(weights.T)
    with replacing(path) as temporary:
        ax.figure.savefig(temporary, dpi=150)
    return path


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options, checked."""
    parser = Parser(prog="python -m demos.neurons_mnist", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--epochs", type=number(int, 1), default=5, metavar="N", help="times through the images (%(default)s)")
    add("--batch", type=number(int, 1), default=32, metavar="N", help="images in a step (%(default)s)")
    add(
        "--lr", type=number(float, 0), default=0.4, metavar="RATE", help="learning rate, which falls to 0 (%(default)s)"
    )
    add("--seed", type=number(int, 0), default=0, metavar="N", help="of the first weights and the order (%(default)s)")
    add(
        "--out",
        type=Path,
        default=Path("runs/neurons_mnist"),
        metavar="FOLDER",
        help="what is written to (%(default)s)",
    )
    add("--quick", action="store_true", help="only a look: one epoch of 4,000 images")
    options = parser.parse_args(argv)
    if options.quick:
        options.epochs = 1
    return options


if __name__ == "__main__":
    sys.exit(main())
