"""A convolution in loops over pixels: vectorize makes it two statements, and it learns MNIST.

`Network` slides 8 filters of 3×3 over a 28×28 image in Python loops, one scalar product at a time, and joins the 5,408
results to 10 neurons: 108,000 operations an image. `vectorize` finds that filters × patches is one matrix product.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import nn
from autograd import Value, vectorize
from demos._command import number, parser, tell
from nn.data import Batches, load_mnist

SIDE, SIZE, FILTERS = 28, 3, 8
CHECKED = 3
"""The number of test images that the scalar network classifies."""


class Network(nn.Module):
    """Filters, ReLU, and a layer of neurons on all their outputs."""

    def __init__(self, side: int = SIDE) -> None:
        def weights(n: int, fan_in: int) -> list[Value]:
            return [Value(random.gauss(0, math.sqrt(2 / fan_in))) for _ in range(n)]

        self.wide = side - SIZE + 1
        seen = FILTERS * self.wide**2
        self.filters = [[weights(SIZE, SIZE**2) for _ in range(SIZE)] for _ in range(FILTERS)]
        self.biases = [Value(0.0) for _ in range(FILTERS)]
        self.neurons = [weights(seen, seen) for _ in range(10)]

    def __call__(self, image: Sequence[Sequence[Any]]) -> list[Any]:
        seen = [
            self.at(image, filter_, bias, i, j).relu()
            for filter_, bias in zip(self.filters, self.biases, strict=True)
            for i in range(self.wide)
            for j in range(self.wide)
        ]
        return [sum(w * x for w, x in zip(neuron, seen, strict=True)) for neuron in self.neurons]

    def at(self, image: Any, filter_: Any, bias: Value, i: int, j: int) -> Any:
        """One filter at one position of the image."""
        return sum(filter_[k][m] * image[i + k][j + m] for k in range(SIZE) for m in range(SIZE)) + bias


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    return tell(run, parse(argv))


def run(options: argparse.Namespace) -> None:
    """Trace, train, write the weights back, and check them with the scalar network."""
    data = load_mnist()
    side = SIDE if not options.quick else SIDE // 2
    train_x, test_x = (
        x.reshape(-1, SIDE, SIDE)[:, :: SIDE // side, :: SIDE // side] for x in (data.train_x, data.test_x)
    )
    train_y, test_y = data.train_y, data.test_y
    if options.quick:  # every other pixel of fewer images
        train_x, train_y = train_x[:4000], train_y[:4000]

    random.seed(options.seed)
    network = Network(side)
    start = time.perf_counter()
    fast = vectorize(network, (side, side), dtype=np.float32)
    print(f"vectorize(network, ({side}, {side})) took {time.perf_counter() - start:.1f} s and made this program:\n")
    print(f"{fast.source}\n")
    print(f"{fast.report()}\n", flush=True)

    batches = Batches(train_x, train_y, batch_size=options.batch, seed=options.seed)
    steps = options.epochs * len(batches)
    history = nn.fit(
        fast,
        batches,
        nn.cross_entropy,
        nn.SGD(fast.parameters(), nn.Cosine(options.lr, steps), momentum=0.9),
        epochs=options.epochs,
        validate=partial(nn.evaluate, x=test_x, y=test_y, prefix="test_"),  # only shown: no setting depends on it
    )
    if history.stopped:
        print(history.stopped)
    logits = nn.predict(fast, test_x)
    right = int((logits.argmax(axis=1) == test_y).sum())
    seconds = sum(row["seconds"] for row in history)
    print(f"trained in {seconds:.1f} s: {len(train_x):,} images, epochs: {len(history)}")
    print(f"accuracy on the {len(test_y):,} test images: {right / len(test_y):.2%} ({len(test_y) - right:,} wrong)")

    fast.sync()
    start = time.perf_counter()
    alone = np.array([[float(x.data) for x in network(test_x[i].tolist())] for i in range(CHECKED)])
    each = (time.perf_counter() - start) / CHECKED
    same = int((alone.argmax(axis=1) == logits[:CHECKED].argmax(axis=1)).sum())
    print(f"\nafter sync() the scalar loops classify {CHECKED} test images, {1e3 * each:.0f} ms an image")
    print(f"same class as with matrices: {same} of {CHECKED}; ", end="")
    print(f"largest difference of the logits: {abs(alone - logits[:CHECKED]).max():.1e}")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("convolution", __doc__, of="of the first weights and the order (%(default)s)",
                     quick="one epoch of 4,000 images of 14×14", writes=False)  # fmt: skip
    add = options.add_argument
    add("--epochs", type=number(int, 1), default=2, metavar="N", help="times through the images (%(default)s)")
    add("--batch", type=number(int, 1), default=32, metavar="N", help="images in a step (%(default)s)")
    add("--lr", type=number(float, 0), default=0.02, metavar="RATE", help="learning rate, falling to 0 (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.epochs = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
