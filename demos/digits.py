"""8×8 digits: softmax regression image by image, ten hidden units, and variations of them.

The steps: labels as one-hot rows, scores as probabilities, the loss, and its gradient compared with differences. Then
softmax regression learns image by image, in scalars, in Tensors and through `vectorize`. A hidden layer does better. A
table shows the effect of its size, the learning rate, the first weights, the activation, the depth, momentum and
batches. All results are printed beside the published numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import nn
from autograd import check_gradients, softmax, vectorize
from demos._command import number, parser, tell
from demos._pictures import panels, pictures
from demos._reference import AGREE, apart
from nn import inspection, plots
from nn.data import Batches, Dataset, Standardize, load_digits, one_hot
from nn.init import Initializer, normal, uniform, zeros

SIDE, CLASSES = (8, 8), 10
SMALL = uniform(-0.01, 0.01)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    return tell(run, parse(argv))


def load() -> tuple[Dataset, np.ndarray]:
    """The digits, standardised by the training images, and the original test images (n, 8, 8)."""
    raw = load_digits(scale=False)
    standardize = Standardize(raw.train_x)
    return replace(raw, train_x=standardize(raw.train_x), test_x=standardize(raw.test_x)), raw.test_x.reshape(-1, *SIDE)


def softmax_regression(seed: int) -> nn.Linear:
    """64→10 with weights and biases uniform within ±0.1."""
    rng = np.random.default_rng(seed)
    model = nn.Linear(64, CLASSES, weight_init=uniform(-0.1, 0.1), rng=rng)
    assert model.bias is not None
    model.bias.data = rng.uniform(-0.1, 0.1, CLASSES)
    return model


def network(
    *hidden: int,
    activation: type[nn.Module] = nn.Sigmoid,
    init: Initializer = SMALL,
    seed: int | np.random.Generator = 0,
) -> nn.Sequential:
    """64→hidden→10, without the softmax, which is part of the loss; biases 0."""
    rng, layers, n_in = np.random.default_rng(seed), [], 64
    for n in hidden:
        layers += [nn.Linear(n_in, n, weight_init=init, rng=rng), activation()]
        n_in = n
    return nn.Sequential(*layers, nn.Linear(n_in, CLASSES, weight_init=init, rng=rng))


def train(
    model: nn.Module, data: Dataset, lr: float, epochs: int, batch: int = 1, momentum: float = 0.0, each: int = 0
) -> nn.History:
    """SGD in the order of the data, measured on all images after every `each` updates (an epoch), and at the end."""
    batches = Batches(data.train_x, data.train_y, batch_size=batch, shuffle=False)
    optimizer, history = nn.SGD(model, lr, momentum=momentum), nn.History()
    steps, each = epochs * len(batches), each or len(batches)
    for step, (x, y) in enumerate((xy for _ in range(epochs) for xy in batches), 1):
        loss = nn.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % each == 0 or step == steps:
            history.append({"epoch": -(-step // each), **measured(model, data)})
    return history


def measured(model: nn.Module, data: Dataset) -> dict[str, float]:
    """Loss and accuracy on the training and the test images."""
    learnt = nn.evaluate(model, data.train_x, data.train_y, prefix="train_")
    return learnt | nn.evaluate(model, data.test_x, data.test_y, prefix="test_")


def run(options: argparse.Namespace) -> bool:
    """Run all steps. Returns True if all comparisons agree."""
    data, images = load()
    print(f"{len(data.train_x):,} training images and {len(data.test_x)} test images of 8×8 pixels, standardised\n")
    agree = basics(data) and agreement(data, options.seed)

    history = train(softmax_regression(options.seed), data, lr=0.01, epochs=1, each=100)
    print("\n(a) softmax regression 64→10, weights and biases uniform ±0.1, learning rate 0.01, image by image,")
    print("    of the training images and of the test images:")
    for row in history[:-1]:
        print(f"  {100 * row['epoch']:>5} updates: {figures(row)}")
    print(f"  one epoch: {figures(history[-1])}\n  published:                    accuracy 0.953 and 0.948")

    print(
        f"\n(b) 64→10→10, a hidden layer of sigmoids, weights ±0.01, learning rate 0.1, epochs: {options.epochs}",
        flush=True,
    )
    model = network(10, seed=options.seed)
    history = train(model, data, lr=0.1, epochs=options.epochs)
    for row in history:
        print(f"  epoch {row['epoch']:>2}: {figures(row)}")
    print("  published: loss 0.0190,       accuracy 0.999 and 0.959, after 15 epochs")

    outputs = nn.predict(model, data.test_x)
    probabilities, predicted = softmax(outputs), outputs.argmax(axis=1)
    losses = nn.cross_entropy(outputs, data.test_y, reduction="none")
    print(f"\ntest sample 42, digit {data.test_y[42]}: loss {losses[42]:.4f}, probabilities of 0 to 9:")
    print("  " + "  ".join(f"{x:.4f}" for x in probabilities[42]))
    worst = np.argsort(-losses)[:5]
    print(f"the five worst: {', '.join(f'{i} ({data.test_y[i]}→{predicted[i]}, loss {losses[i]:.2f})' for i in worst)}")
    print(f"\n{inspection.class_figures(data.test_y, predicted)}\n")
    print(*inspection.idle_units(model, data.train_x), sep="\n")

    experiments(data, options)
    pictures(
        options.out,
        {
            "curves.png": lambda: curves(history),
            "predictions.png": lambda: (
                plots.prediction_bars(
                    images[[42, *worst]], data.test_y[[42, *worst]], probabilities[[42, *worst]], shape=SIDE
                ).figure
            ),
            "worst.png": lambda: plots.worst_samples(images, data.test_y, probabilities, n=5, shape=SIDE).figure,
            "classes.png": lambda: plots.class_figures(data.test_y, predicted).figure,
            "units.png": lambda: plots.idle_units(model, data.train_x).figure,
        },
    )
    return agree


def figures(row: dict[str, float]) -> str:
    """A row of a history, as text."""
    learnt, test = (tuple(row[f"{part}_{x}"] for x in ("loss", "accuracy")) for part in ("train", "test"))
    return f"loss {learnt[0]:.4f} and {test[0]:.4f}, accuracy {learnt[1]:.3f} and {test[1]:.3f}"


def basics(data: Dataset) -> bool:
    """One-hot rows, softmax, the loss, and its gradient against differences."""
    print(f"one-hot: the labels {data.train_y[:2].tolist()} are")
    print(one_hot(data.train_y[:2], CLASSES, int))
    print(f"softmax of [10, 2, -3]: {softmax(np.array([10.0, 2.0, -3.0]))}")
    with np.errstate(divide="ignore"):  # the logarithm of 0
        right, wrong, *two = np.log([[0.99, 0.01, 0.0], [0.01, 0.01, 0.98], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    print("cross-entropy: minus the logarithm of the true class's probability")
    print(f"  certain and right, probability 0.99: {nn.cross_entropy([right], [0]):.10f}")
    print(f"  certain and wrong, probability 0.01: {nn.cross_entropy([wrong], [0]):.9f}")
    print(f"  mean over three, 1, 0.99 and 1: {nn.cross_entropy([two[0], right, two[1]], [1, 0, 2]):.5f}")
    x, y = data.train_x[:3].astype(np.float64), data.train_y[:3]
    report = check_gradients(
        lambda w, b: nn.cross_entropy(x @ w + b, y), np.full((64, CLASSES), 0.01), np.zeros(CLASSES)
    )
    print(f"the gradient of the loss of 64→10 on three images, for all 650 parameters: {report}")
    return report.ok


def agreement(data: Dataset, seed: int) -> bool:
    """Softmax regression as ten neurons of Values, the same through `vectorize`, and a matrix: 50 updates each."""
    start = softmax_regression(seed).state_dict()
    matrix, neurons = nn.Linear(64, CLASSES, dtype=np.float64), nn.Layer(64, CLASSES, nonlin=False)
    matrix.load_state_dict({name: x.astype(np.float64) for name, x in start.items()})
    for neuron, w, b in zip(neurons.neurons, start["weight"].T.tolist(), start["bias"].tolist(), strict=True):
        neuron.load_state_dict({**{f"w.{i}": x for i, x in enumerate(w)}, "b": b})
    fast = vectorize(neurons, 64)
    ends = []
    for model, shown in ((matrix, lambda x: x), (fast, lambda x: x), (neurons, lambda x: x[0].tolist())):
        optimizer = nn.SGD(model.parameters(), 0.01)
        for x, y in zip(data.train_x[:50, None].astype(np.float64), data.train_y[:50, None], strict=True):
            out = model(shown(x))
            loss = nn.cross_entropy([out] if model is neurons else out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        ends.append(loss.item())
    off = apart(ends, ends[:1] * 3)
    print(f"\nafter 50 updates in Tensors, through vectorize, and in Values the losses differ by {off:.1e}")
    return off < AGREE


def experiments(data: Dataset, options: argparse.Namespace) -> None:
    """Print the results of variations, one line for each."""
    table: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("as (b)", {}, {}),
        ("5 hidden units", {"hidden": (5,)}, {}),
        ("50 hidden units", {"hidden": (50,)}, {}),
        ("two hidden layers of 10", {"hidden": (10, 10)}, {}),
        ("learning rate 0.01", {}, {"lr": 0.01}),
        ("learning rate 1", {}, {"lr": 1.0}),
        ("weights from zero", {"init": zeros}, {}),
        ("weights uniform ±1", {"init": uniform(-1, 1)}, {}),
        ("weights normal, 0.1", {"init": normal(0.1)}, {}),
        ("tanh", {"activation": nn.Tanh}, {}),
        ("ReLU, rate 0.01", {"activation": nn.ReLU}, {"lr": 0.01}),
        ("momentum 0.9, rate 0.01", {}, {"lr": 0.01, "momentum": 0.9}),
        ("minibatches of 32, rate 2", {}, {"lr": 2.0, "batch": 32}),
    ]
    epochs = min(5, options.epochs)
    print(f"\n(c) the same with one thing changed, epochs: {epochs}")
    for name, of_network, of_training in table[-1:] if options.quick else table:
        settings = {"hidden": (10,), "seed": options.seed, **of_network}
        model = network(*settings.pop("hidden"), **settings)
        print(
            f"  {name:<26}{figures(train(model, data, **{'lr': 0.1, 'epochs': epochs, **of_training})[-1])}", flush=True
        )
    history = train(network(10, seed=options.seed), data, lr=2.0, batch=32, epochs=options.epochs)
    print(f"minibatches of 32, epochs: {options.epochs}: {figures(history[-1])}")
    print("                published: test loss 0.0994,    accuracy 0.998, after 15 epochs")


def curves(history: nn.History) -> Any:
    """Loss and accuracy over the epochs."""
    figure, (left, right) = panels(8.4, 3.4, 2)
    plots.curves(history, ax=left, log=True)
    plots.curves(history, ax=right, column="accuracy")
    return figure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("digits", __doc__, quick="one epoch, and one experiment")
    epochs = number(int, 1)
    options.add_argument("--epochs", type=epochs, default=15, metavar="N", help="of the hidden layer (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.epochs = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
