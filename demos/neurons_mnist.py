"""MNIST by 110 scalar neurons: they train as two matrices, and then classify images as neurons.

`nn.MLP(784, [100, 10])` is made of `Neuron`s. Each is a list of scalar weights, and is called with one image.
`vectorize` finds the two matrix products in its 79,510 Values. The matrices learn from all 60,000 images, with the
usual loss, optimiser and `fit`. Then `sync()` writes the numbers back, and the neurons classify some test images.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from statistics import median

import numpy as np

import nn
from autograd import vectorize
from demos._command import number, parser, tell
from demos._pictures import pictures
from nn import plots
from nn.data import Batches, load_mnist

CHECKED = 20
"""The number of test images that the neurons classify."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    return tell(run, parse(argv))


def neurons(seed: int) -> nn.MLP:
    """The network, with He's first weights: uniform within ±sqrt(6 / inputs).

    A `Neuron` draws its weights from [-1, 1], as micrograd's does. Their variance is 1/3. So the variance of a sum of
    784 products would be some hundred times that of the inputs. With a variance of 2 / inputs, a layer of ReLUs keeps
    the size of the numbers.
    """
    random.seed(seed)
    model = nn.MLP(784, [100, 10])
    for layer in model.layers:
        for neuron in layer.neurons:
            for w in neuron.w:
                w.data *= math.sqrt(6 / len(neuron.w))
    return model


def run(options: argparse.Namespace) -> None:
    """Trace, train, write the weights back, and check them with the neurons."""
    data = load_mnist()
    train_x, train_y, test_x, test_y = data.train_x, data.train_y, data.test_x, data.test_y
    if options.quick:
        train_x, train_y = train_x[:4000], train_y[:4000]

    model = neurons(options.seed)
    count = sum(len(layer.neurons) for layer in model.layers)
    print(f"{count} neurons, {len(model.parameters()):,} Values; He's first weights, uniform within ±sqrt(6 / inputs)")
    start = time.perf_counter()
    fast = vectorize(model, 784, dtype=np.float32)
    print(f"vectorize(model, 784) took {time.perf_counter() - start:.1f} s and made this program:\n")
    print(f"{fast.source}\n")
    print(f"{fast.report()}\n", flush=True)

    batches = Batches(train_x, train_y, batch_size=options.batch, seed=options.seed)
    history = nn.fit(
        fast,
        batches,
        nn.cross_entropy,
        nn.SGD(fast.parameters(), nn.Cosine(options.lr, options.epochs * len(batches))),
        epochs=options.epochs,
        validate=partial(nn.evaluate, x=test_x, y=test_y, prefix="test_"),  # only shown: no setting depends on it
    )
    if history.stopped:
        print(history.stopped)
    seconds = sum(row["seconds"] for row in history)
    logits = nn.predict(fast, test_x)
    right = int((logits.argmax(axis=1) == test_y).sum())
    print(f"trained in {seconds:.1f} s: {len(train_x):,} images, epochs: {len(history)}")
    print(f"accuracy on the {len(test_y):,} test images: {right / len(test_y):.2%} ({len(test_y) - right:,} wrong)")

    fast.sync()
    print(f"\nsync() wrote the numbers back. The neurons classify {CHECKED} test images, as lists of floats.")
    alone, times = np.empty((CHECKED, data.classes)), []
    for i in range(CHECKED):
        start = time.perf_counter()
        out = model(test_x[i].tolist())
        nn.cross_entropy([out], test_y[i : i + 1]).backward()  # only to time it
        times.append(time.perf_counter() - start)
        alone[i] = [logit.data for logit in out]
    same = int((alone.argmax(axis=1) == logits[:CHECKED].argmax(axis=1)).sum())
    apart = abs(alone - logits[:CHECKED]).max()
    print(f"same class as with matrices: {same} of {CHECKED}")
    print(f"largest difference of the logits: {apart:.1e} (the neurons compute in float64, the matrices in float32)")
    hours = median(times) * len(train_x) * len(history) / 3600
    print(f"the neurons take {1e3 * median(times):.0f} ms for an image, forward and backward: ", end="")
    print(f"training them without matrices would have taken {hours:.1f} hours")

    history.save(options.out / "history.csv")
    weights = np.array([[w.data for w in neuron.w] for neuron in model.layers[0].neurons])
    pictures(options.out, {"neurons.png": lambda: plots.weight_images(weights.T).figure})


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("neurons_mnist", __doc__, of="of the first weights and the order (%(default)s)",
                     quick="one epoch of 4,000 images")  # fmt: skip
    add = options.add_argument
    add("--epochs", type=number(int, 1), default=5, metavar="N", help="times through the images (%(default)s)")
    add("--batch", type=number(int, 1), default=32, metavar="N", help="images in a step (%(default)s)")
    add("--lr", type=number(float, 0), default=0.4, metavar="RATE", help="learning rate, falling to 0 (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.epochs = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
