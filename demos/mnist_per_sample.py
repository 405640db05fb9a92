"""MNIST one image at a time: 784-100-10 with sigmoids, and two ways to propagate its error.

There are no biases and no batches. There are 60,000 updates in the order of the file. Each follows the gradient of
½ Σ (t − o)² for one image. A well-known book reached 0.9468 with this network. The book distributes the error over the
weights: it propagates Wᵀ · error. The gradient is Wᵀ · (error · slope). Both are shown and trained, beside a loop
written by hand in NumPy, and the same network as 110 scalar neurons through `vectorize`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import nn
from autograd import Tensor, Value, dot, vectorize
from demos._command import number, parser, tell
from demos._pictures import pictures
from demos._reference import AGREE
from nn.data import load_mnist
from nn.support import canvas

RATE = 0.3
Array: TypeAlias = np.ndarray
Trainer: TypeAlias = tuple[Callable[[Iterable[Array], Iterable[Array]], None], list[Array]]
"""A function that updates the weights by one sample, and the two matrices that it changes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    with np.errstate(
        over="ignore"
    ):  # exp may overflow in a sigmoid written by hand; 1 / (1 + inf) is 0, as it should be
        return tell(run, parse(argv))


# ------------------------------------------------------------------------------------------ four ways to train it


def by_hand(w1: Array, w2: Array, lr: float, book: bool = False) -> Trainer:
    """The loop written in NumPy. With `book`, the error that is propagated lacks the slope of the outputs."""
    w1, w2 = w1.copy(), w2.copy()

    def train(xs: Iterable[Array], ts: Iterable[Array]) -> None:
        nonlocal w1, w2
        for x, t in zip(xs, ts, strict=True):
            h = 1 / (1 + np.exp(-np.dot(w1, x)))
            o = 1 / (1 + np.exp(-np.dot(w2, h)))
            error = t - o
            delta = error * o * (1 - o)
            sent_back = np.dot(w2.T, error if book else delta)
            w2 += lr * np.outer(delta, h)
            w1 += lr * np.outer(sent_back * h * (1 - h), x)

    return train, [w1, w2]


def by_backward(network: Callable[[Array], Tensor], parameters: Sequence[Tensor], lr: float) -> Callable[..., None]:
    """The loop with the engine's backward pass. It starts from o − t, the derivative of ½ Σ (t − o)² in the outputs."""
    optimizer = nn.SGD(parameters, lr)

    def train(xs: Iterable[Array], ts: Iterable[Array]) -> None:
        for x, t in zip(xs, ts, strict=True):
            o = network(x)
            optimizer.zero_grad()
            o.backward(o.data - t)
            optimizer.step()

    return train


def in_tensors(w1: Array, w2: Array, lr: float) -> Trainer:
    """The network as two matrix products, with one column for each neuron, as in `nn.Linear`."""
    hidden, output = (Tensor(np.ascontiguousarray(w.T)) for w in (w1, w2))
    train = by_backward(lambda x: ((x @ hidden).sigmoid() @ output).sigmoid(), [hidden, output], lr)
    return train, [hidden.detach().T, output.detach().T]


def neurons(w1: Array, w2: Array) -> tuple[list[Value], Callable[[Sequence[Any]], list[Any]]]:
    """The network, neuron by neuron. Every weight is a Value."""
    layers = [[[Value(w) for w in row] for row in matrix.tolist()] for matrix in (w1, w2)]

    def network(x: Sequence[Any]) -> Any:
        for layer in layers:
            x = [dot(weights, x).sigmoid() for weights in layer]
        return x

    return [w for layer in layers for row in layer for w in row], network


def vectorized(w1: Array, w2: Array, lr: float) -> Trainer:
    """The program that `vectorize` makes of the same neurons."""
    fast = vectorize(neurons(w1, w2)[1], w1.shape[1], batch=False, dtype=w1.dtype)
    train = by_backward(fast, fast.parameters(), lr)
    return train, [p.detach().T for p in fast.parameters()]


# --------------------------------------------------------------------------------------------------------- the story


def run(options: argparse.Namespace) -> bool:
    """Propagate an error, train a small network and the large one. Returns True if all methods agree."""
    dtype = np.dtype(options.dtype)
    data, n = load_mnist(options.data, scale=False, dtype=np.uint8), options.images
    train_x, test_x = (x[:n].astype(dtype) / 255 * 0.99 + 0.01 for x in (data.train_x, data.test_x))
    train_y, test_y = data.train_y[:n], data.test_y[:n]
    targets = np.where(np.eye(data.classes, dtype=bool)[train_y], 0.99, 0.01).astype(dtype)

    small_example()
    agree = agreement(options.seed, train_x[:100], targets[:100])

    rng = np.random.default_rng(options.seed)
    w1, w2 = (rng.normal(0, n_out**-0.5, (n_out, n_in)).astype(dtype) for n_in, n_out in ((784, 100), (100, 10)))
    ways = {
        "Tensors": in_tensors(w1, w2, RATE),
        "NumPy by hand": by_hand(w1, w2, RATE),
        "vectorize": vectorized(w1, w2, RATE),
        "the book's rule": by_hand(w1, w2, RATE, book=True),
    }

    print(f"\n784-100-10 in {dtype}, learning rate {RATE:g}, {len(train_x):,} updates of one image each")
    race(ways, train_x, targets, test_x, test_y)
    learnt, by_rule = ways["Tensors"][1], ways["NumPy by hand"][1]
    apart = max(abs(a - b).max() for a, b in zip(learnt, by_rule, strict=True))
    print(f"largest difference of a weight between Tensors and NumPy by hand at the end: {apart:.1e}")

    o = forward(learnt, train_x)
    most = abs((targets - o) * o * (1 - o)).sum(axis=1).argmax()
    print(f"\nThe image with the largest error signal is a {train_y[most]}.")
    x, (error, slope) = train_x[most], teach(learnt, train_x[most], targets[most])
    pictures(options.out, {"error.png": lambda: sent_back(x, error, error * slope, learnt[1])})
    return agree


def race(ways: Mapping[str, Trainer], x: Array, t: Array, test_x: Array, test_y: Array) -> None:
    """Train by all methods and print their accuracies on the test images. They take turns, so times can be compared."""
    print(f"share of the {len(test_y):,} test images that are right:\n")
    print("updates" + "".join(f"{name:>17}" for name in ways), flush=True)
    seconds = dict.fromkeys(ways, 0.0)
    for start, stop in pairwise(np.linspace(0, len(x), 7).astype(int)):
        print(f"{stop:>7,}", end="")
        for name, (train, current) in ways.items():
            begin = time.perf_counter()
            train(x[start:stop], t[start:stop])
            seconds[name] += time.perf_counter() - begin
            print(f"{(forward(current, test_x).argmax(axis=1) == test_y).mean():>17.4f}", end="", flush=True)
        print()
    print("seconds" + "".join(f"{s:>17.1f}" for s in seconds.values()))
    print("by hand = 1" + "".join(f"{s / seconds['NumPy by hand']:>17.2f}" for s in seconds.values())[4:])
    print("The book's published run: 0.9468")


def teach(weights: Sequence[Array], x: Array, t: Array) -> tuple[Array, Array]:
    """Print the error that one image propagates, beside the gradient. Returns the outputs' errors and slopes."""
    w1, w2 = weights
    hidden = Tensor(1 / (1 + np.exp(-(w1 @ x))))
    o = (w2 @ hidden).sigmoid()
    error, slope = t - o.data, o.data * (1 - o.data)
    o.backward(-error)
    apart = abs(w2.T @ (error * slope) + hidden.grad).max()
    print("For its hidden neurons, Wᵀ · (error · slope) is minus the gradient that the engine finds, ", end="")
    print(f"to {apart:.1e}.")
    print("The book uses Wᵀ · error, without the slope. But an output near 0 or 1 hardly changes.")
    print("The picture shows both, and the contribution of each weight.")
    return error, slope


def forward(weights: Sequence[Array], x: Array) -> Array:
    """The network's outputs (n, 10) for many images (n, 784)."""
    for w in weights:
        x = 1 / (1 + np.exp(-(x @ w.T)))
    return x


def small_example() -> None:
    """Two hidden neurons, two linear outputs: the error propagated by shares, by a matrix, and as a gradient."""
    w, error, slope = np.array([[2.0, 3.0], [1.0, 4.0]]), np.array([0.8, 0.5]), np.array([0.25, 0.1])
    shares = w / w.sum(axis=1, keepdims=True) * error[:, None]
    print("Two hidden neurons, two outputs, W = [[2, 3], [1, 4]]; the errors t − o are 0.8 and 0.5.")
    print("Each error is split in proportion to the weights:")
    print(f"  from output 1: 0.8·2/5 = {shares[0, 0]:.2f} and 0.8·3/5 = {shares[0, 1]:.2f}")
    print(f"  from output 2: 0.5·1/5 = {shares[1, 0]:.2f} and 0.5·4/5 = {shares[1, 1]:.2f}")
    print(f"  to the hidden neurons: {' and '.join(f'{x:.2f}' for x in shares.sum(axis=0))}")
    print("The book then leaves out the divisors. The result is one matrix product:")
    print(f"  Wᵀ · error = [2·0.8 + 1·0.5, 3·0.8 + 4·0.5] = {(w.T @ error).round(9).tolist()}")
    print("Minus the gradient of ½ Σ (t − o)² in the hidden neurons, by backward:")
    for name, seed in (("linear outputs", error), ("sigmoids of slopes 0.25 and 0.1", error * slope)):
        h = Tensor([0.3, 0.6])
        (w @ h).backward(-seed)
        print(f"  {name}: {(-h.grad).round(9).tolist()}")


def agreement(seed: int, images: Array, targets: Array) -> bool:
    """All methods on a network that is small enough for Values: 16 pixels, 8 hidden neurons."""
    pixels = images.astype(np.float64).reshape(-1, 4, 7, 4, 7).mean(axis=(2, 4)).reshape(-1, 16)
    rng = np.random.default_rng(seed)
    w1, w2 = (rng.normal(0, n_out**-0.5, (n_out, n_in)) for n_in, n_out in ((16, 8), (8, 10)))
    values, network = neurons(w1, w2)
    optimizer = nn.SGD(values, RATE)
    for x, t in zip(pixels.tolist(), targets.tolist(), strict=True):
        loss = 0.5 * sum((target - o) ** 2 for target, o in zip(t, network(x), strict=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scalars, apart = np.array([w.data for w in values]), 0.0
    for train, learnt in (in_tensors(w1, w2, RATE), vectorized(w1, w2, RATE), by_hand(w1, w2, RATE)):
        train(pixels, targets.astype(np.float64))
        apart = max(apart, abs(np.concatenate([np.ravel(w) for w in learnt]) - scalars).max())
    print(f"\n16-8-10 on images of 4×4, {len(pixels)} updates as Values, as Tensors, through vectorize, and by hand:")
    print(f"largest difference of a weight: {apart:.1e}")
    return apart < AGREE


# ------------------------------------------------------------------------------------------------------ the picture


def sent_back(image: Array, error: Array, delta: Array, w: Array) -> Any:
    """An image, the errors of its ten outputs, and the errors that each propagates to the hidden neurons."""
    figure = canvas.matplotlib("figure").Figure(figsize=(11, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 0.9, 3))
    left.imshow(image.reshape(28, 28), cmap="gray_r")
    left.set_axis_off()
    middle.barh(np.arange(10) - 0.2, error, 0.4, color=canvas.LINE, label="error t − o")
    middle.barh(np.arange(10) + 0.2, delta, 0.4, color=canvas.BLUES[1], label="error · slope")
    middle.set(yticks=range(10), ylim=(9.6, -0.6), ylabel="output")
    middle.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), frameon=False)
    parts = w * delta[:, None]  # the error that goes back through each weight
    rows = np.vstack([parts, np.full((1, w.shape[1]), np.nan), parts.sum(axis=0)])
    canvas.signed_image(right, rows, canvas.usual_limit(parts, 0.995), aspect="auto", interpolation="nearest")
    right.set_yticks([*range(10), 11], [*map(str, range(10)), "sum"])
    right.set(xlabel="hidden neuron", title="over each weight: W · error · slope; the sums are Wᵀ · (error · slope)")
    return figure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("mnist_per_sample", __doc__, quick="1,200 images")
    add = options.add_argument
    add("--images", type=number(int, 6), default=60_000, metavar="N", help="number of training images (%(default)s)")
    add("--dtype", choices=("float32", "float64"), default="float64", help="precision of all numbers (%(default)s)")
    add("--data", type=Path, metavar="FOLDER", help="IDX or CSV files in MNIST's format (the package's own files)")
    found = options.parse_args(argv)
    if found.quick:
        found.images = min(found.images, 1200)
    return found


if __name__ == "__main__":
    sys.exit(main())
