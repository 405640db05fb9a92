"""MNIST: train a network on 60,000 handwritten digits, test it on 10,000 others, and report.

``python -m demos.mnist`` trains 784-100-10 with ReLU in well under a minute, and prints how many test images are right.
It writes the weights, the history and a page of pictures to a new folder: ``runs/mnist`` the first time, then
``runs/mnist-2``, so that no run overwrites another. ``--best`` trains a larger network on augmented images in a quarter
of an hour. ``--model convnet`` trains a small convolutional network. ``--help`` lists the options.

The same seed gives the same network, bit for bit, on the same machine. If Ctrl-C (exit code 130) or a crash stops the
training, the same options with ``--resume`` continue from the last checkpoint, and still give the same network.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nn
from demos._command import Parser, number, run_folder, runs
from nn import plots
from nn.checkpoint import Checkpoint, CheckpointError, save
from nn.data import Augment, Batches, Dataset, DatasetError, load_mnist
from nn.report import write_report
from nn.support import canvas
from nn.training import NonFiniteLoss, evaluate, fit, predict
from nn.training.history import History

ACTIVATIONS = {
    "relu": nn.ReLU, "leaky-relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh,
}  # fmt: skip
OPTIMIZERS: dict[str, tuple[Callable[..., nn.Optimizer], float]] = {  # each with a suitable learning rate
    "sgd": (nn.SGD, 1.0),
    "momentum": (partial(nn.SGD, momentum=0.9), 0.2),
    "nesterov": (partial(nn.SGD, momentum=0.9, nesterov=True), 0.2),
    "adagrad": (nn.Adagrad, 0.05),
    "rmsprop": (nn.RMSprop, 0.005),
    "adam": (nn.Adam, 0.01),
    "adamw": (nn.AdamW, 0.01),
}
SCHEDULES: dict[str, Callable[[float, int], Any]] = {
    "constant": lambda lr, steps: lr,
    "cosine": nn.Cosine,
    "onecycle": nn.OneCycle,
}
AUGMENT = {"shift": 0.5, "rotate": 10.0, "scale": 0.12, "elastic": 1.0}  # pixels, degrees, a share, pixels
BEST: dict[str, Any] = {  # found on 10,000 of the training images that were held back for validation
    "hidden": [1024, 512],
    "batch": 256,
    "epochs": 160,
    "optimizer": "adam",
    "lr": 0.003,
    "augment": True,
    "average": 0.999,
}

CONVNET: dict[str, Any] = {"hidden": [128], "epochs": 8, "optimizer": "adam", "lr": 0.003, "dropout": 0.3}
FILTERS, FIELD = (16, 32), 5  # of the two convolutions; the side of a filter


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    options = parse(argv)
    try:
        with run_folder(options.out, "mnist", goes_on=options.resume) as options.out:  # made before the work
            return run(options)
    except (CheckpointError, DatasetError, NonFiniteLoss, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before or after the training, or a second time
        print("interrupted", file=sys.stderr)
        return 130


def run(options: argparse.Namespace) -> int:
    """Train, test, report."""
    data = load_mnist(options.data, dtype=options.dtype, flatten=False)
    train_x, test_x = (x.reshape(len(x), -1) for x in (data.train_x, data.test_x))
    train_y, test_y = data.train_y, data.test_y
    if options.quick:
        train_x, train_y = train_x[:4000], train_y[:4000]

    weights_rng, order_rng = np.random.default_rng(options.seed).spawn(2)
    sizes = (train_x.shape[1], *options.hidden, data.classes)
    make_network = convnet if options.model == "convnet" else dense
    model = make_network(options, data.train_x.shape[1:], data.classes, weights_rng)
    augment = Augment(**AUGMENT, shape=data.train_x.shape[1:]) if options.augment else None
    batches = Batches(train_x, train_y, batch_size=options.batch, seed=order_rng, augment=augment)
    make, usual_lr = OPTIMIZERS[options.optimizer]
    options.lr = usual_lr if options.lr is None else options.lr
    optimizer = make(model, SCHEDULES[options.schedule](options.lr, options.epochs * len(batches)))

    average = nn.EMA(model, options.average) if options.average else None
    tested: Any = average.model if average else model

    parameters = sum(math.prod(p.shape) for p in model.parameters())
    shape = "convnet" if options.model == "convnet" else "-".join(map(str, sizes))
    title = f"{data.name if options.data else 'MNIST'} {shape}"
    print(f"{title}, {options.activation}: {parameters:,} parameters, {len(train_x):,} training images", flush=True)
    checkpoint = Checkpoint(
        options.out / "checkpoint.npz", seconds=30, resume=options.resume, settings=settings(options)
    )
    start = time.perf_counter()
    history = fit(
        model,
        batches,
        nn.cross_entropy,
        optimizer,
        epochs=options.epochs,
        validate=lambda _: evaluate(tested, test_x, test_y, prefix="test_"),  # only shown: no setting depends on it
        callbacks=[average] if average else [],
        checkpoint=checkpoint,
    )
    seconds = time.perf_counter() - start
    if history.interrupted:
        print(f"{history.stopped or 'interrupted'}: the same options and --resume continue from {checkpoint.path}")
        return 130

    logits = predict(tested, test_x)
    right = int((logits.argmax(axis=1) == test_y).sum())
    accuracy = f"{right / len(test_y):.2%}"
    print(f"accuracy on the {len(test_y):,} test images: {accuracy} ({len(test_y) - right:,} wrong)")
    print(f"trained in {seconds:.1f} s")

    save(tested, options.out / "weights.npz")
    history.save(options.out / "history.csv")
    history.save(options.out / "history.json")
    if options.report and history:
        headlines = {
            "of the test images are right": accuracy,
            f"of {len(test_y):,} are wrong": f"{len(test_y) - right:,}",
            "parameters": f"{parameters:,}",
            "training, with a test after each epoch": f"{seconds:.1f} s",
        }
        try:
            print("report:", report(options, title, headlines, data, tested, logits, history))
        except ImportError as error:
            print(f"no report: {error}")
    print(f"weights and history: {options.out}")
    return 0


def dense(options: argparse.Namespace, shape: tuple[int, ...], classes: int, rng: np.random.Generator) -> nn.Sequential:
    """Hidden layers of neurons that see all pixels."""
    sizes, activation = (math.prod(shape), *options.hidden, classes), ACTIVATIONS[options.activation]
    return nn.dense(*sizes, activation=activation, dropout=options.dropout, rng=rng, dtype=options.dtype)


def convnet(
    options: argparse.Namespace, shape: tuple[int, ...], classes: int, rng: np.random.Generator
) -> nn.Sequential:
    """Two convolutions with pooling, as LeCun's LeNet-5 has them (1998), and hidden layers on what they find."""
    sides = [((n - FIELD + 1) // 2 - FIELD + 1) // 2 for n in shape]
    if min(sides) < 1:
        raise DatasetError(
            f"images of {shape} are too small for the convnet, which needs 16 pixels a side: --model mlp"
        )

    def images(x: Any) -> Any:
        """Rows of pixels as images of one channel."""
        return x.reshape(-1, 1, *shape)

    layers: list[Any] = [images]
    channels = 1
    for filters in FILTERS:
        layers.append(nn.Conv2d(channels, filters, FIELD, rng=rng, dtype=options.dtype))
        layers += [ACTIVATIONS[options.activation](), nn.MaxPool2d(2)]
        channels = filters
    layers += [nn.Flatten(), nn.Dropout(options.dropout, rng=rng)]
    return nn.Sequential(*layers, *dense(options, (channels, *sides), classes, rng))


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The options that determine the result of a training."""
    made = {name: value for name, value in vars(options).items() if name not in ("best", "report", "out", "resume")}
    if made["model"] == "mlp":  # as before there was another
        del made["model"]
    return made | {"data": str(options.data.resolve()) if options.data else None}


@canvas.off_screen()
def report(
    options: argparse.Namespace,
    title: str,
    headlines: dict[str, str],
    data: Dataset,
    model: nn.Sequential,
    logits: np.ndarray,
    history: History,
) -> Path:
    """Draw the results, and write them as a page. Returns its path."""
    shape, predicted = data.test_x.shape[1:], logits.argmax(axis=1)
    worst = nn.cross_entropy(logits, data.test_y, reduction="none").argsort()[::-1][:4]
    probabilities = nn.Softmax()(logits)
    weight, seen = next(x for name, x in model.state_dict().items() if name.endswith("weight")), shape
    if weight.ndim == 4:  # filters
        weight, seen = weight.reshape(len(weight), -1).T, weight.shape[2:]
    units = f"The first 100 of {weight.shape[1]}" if weight.shape[1] > 100 else f"All {weight.shape[1]}"
    pictures = {
        "loss": (
            "Loss",
            "Cross-entropy after each epoch. The training loss is the mean over the epoch, while the network improves."
            + (" It is computed on augmented images, which are harder." if options.augment else ""),
            plots.curves(history, log=True),
        ),
        "accuracy": (
            "Accuracy",
            "Share of the test images that are right. No setting was chosen by it.",
            plots.curves(history, column="accuracy"),
        ),
        "confusion": (
            "Confusion matrix",
            "Number of test images of each digit (rows), by the digit predicted (columns). Mistakes are coloured.",
            plots.confusion_matrix(data.test_y, predicted, range(data.classes)),
        ),
        "classes": (
            "Each digit",
            "Precision: the share of right predictions among all predictions of this digit. "
            "Recall: the share of this digit's images that are predicted right.",
            plots.class_figures(data.test_y, predicted),
        ),
        "weights": (
            "Weights of the first layer",
            f"{units} units, each as an image: ink on orange raises the unit's output, ink on blue lowers it.",
            plots.weight_images(weight[:, :100], seen),
        ),
        "worst": (
            "Worst predictions",
            "Test images with the largest loss: the true digit, the predicted digit, and its probability.",
            plots.worst_samples(data.test_x, data.test_y, probabilities, shape=shape),
        ),
        "bars": (
            "Probabilities of the worst predictions",
            "The four worst again, with the probability of each digit, from 0 to 1. The true digit is blue.",
            plots.prediction_bars(data.test_x[worst], data.test_y[worst], probabilities[worst], shape=shape),
        ),
    }
    if options.model == "mlp" and options.hidden and options.activation in ("relu", "sigmoid", "tanh"):
        pictures["idle"] = (
            "Idle units",
            "The share of test images for which each hidden unit is idle: a ReLU at 0, or a saturated sigmoid or tanh.",
            plots.idle_units(model, data.test_x.reshape(len(data.test_x), -1)),
        )
    shown = settings(options) | {
        "hidden": " ".join(map(str, options.hidden)) or "none",
        "data": options.data or "MNIST, the copy in nn",
        "augment": ", ".join(f"{name} {value:g}" for name, value in AUGMENT.items()) if options.augment else "no",
    }
    del shown["quick"]
    return write_report(options.out, title, headlines, shown, pictures, history)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    parser = Parser("mnist", __doc__)
    add = parser.add_argument
    count = number(int, 1)
    rates = ", ".join(f"{lr:g} for {name}" for name, (_, lr) in OPTIMIZERS.items())
    add("--model", choices=("mlp", "convnet"), default="mlp",
        help="layers of neurons, or two convolutions before them (%(default)s)")  # fmt: skip
    add("--hidden", type=count, nargs="*", default=[100], metavar="N", help="sizes of the hidden layers (100)")
    add("--activation", choices=ACTIVATIONS, default="relu", help="of the hidden layers (%(default)s)")
    add("--batch", type=count, default=128, metavar="N", help="images in a step (%(default)s)")
    add("--epochs", type=count, default=10, metavar="N", help="times through the images (%(default)s)")
    add("--optimizer", choices=OPTIMIZERS, default="nesterov", help="the rule that changes the weights (%(default)s)")
    add("--lr", type=number(float, 0), metavar="RATE", help=f"largest learning rate of the schedule ({rates})")
    add("--schedule", choices=SCHEDULES, default="onecycle", help="of the learning rate (%(default)s)")
    add("--dropout", type=number(float, 0, 1), default=0.0, metavar="P", help="share of hidden units to drop (none)")
    add("--augment", action="store_true", help="shift, rotate, scale and bend the images at random in every epoch")
    add("--average", type=number(float, 0, 1), default=0.0, metavar="DECAY",
        help="test and save a running mean of the weights, which each step decays by this factor (none)")  # fmt: skip
    add("--best", action="store_true", help="options for 15 minutes on two cores; other options given replace them")
    add("--dtype", choices=("float32", "float64"), default="float32", help="precision of all numbers (%(default)s)")
    add("--seed", type=number(int, 0), default=0, metavar="N", help="of the first weights and the order (%(default)s)")
    add("--data", type=Path, metavar="FOLDER", help="IDX or CSV files in MNIST's format (the package's own files)")
    add("--out", type=Path, metavar="FOLDER", help=f"where to write the files (a new folder: {runs('mnist')})")
    add("--resume", action="store_true",
        help="continue from the checkpoint in --out (the latest folder); give the same options again")  # fmt: skip
    add("--quick", action="store_true", help="a short run: one epoch of 4,000 images")
    add("--no-report", dest="report", action="store_false", help="write weights and history, but no page of pictures")
    options = parser.parse_args(argv)
    if options.model == "convnet":
        if options.best:
            parser.error("--best is for --model mlp")
        parser.set_defaults(**CONVNET)
        options = parser.parse_args(argv)
        if options.optimizer != CONVNET["optimizer"]:
            parser.set_defaults(lr=None)
            options = parser.parse_args(argv)
    if options.best:
        parser.set_defaults(**BEST)
        options = parser.parse_args(argv)
        if options.optimizer != BEST["optimizer"]:  # BEST's learning rate does not suit another optimiser
            parser.set_defaults(lr=None)
            options = parser.parse_args(argv)
    if options.quick:
        options.epochs = 1
    return options


if __name__ == "__main__":
    sys.exit(main())
