"""Two moons: micrograd's loss in scalars becomes a few lines of NumPy with the same results.

The loss is written as in micrograd's notebook: every point and each of 33 neurons separately, in Values. It is traced
once, and the resulting program is printed with its backward pass. Both then train from the same weights: the scalars a
few steps, the arrays all of them. At the end the numbers are written back into the neurons, which are tested.
"""

from __future__ import annotations

import argparse
import copy
import inspect
import random
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import nn
from autograd import Value, vectorize
from demos._command import number, parser, tell
from demos._pictures import pictures
from nn import plots
from nn.data import moons


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    return tell(run, parse(argv))


def scalar_loss(model: nn.MLP) -> Callable[[Sequence[Any], Sequence[Any]], Value]:
    """The loss of micrograd's demo.ipynb for this model, line by line."""

    def loss(Xb, yb):
        # forward the model to get scores
        scores = list(map(model, Xb))
        # svm "max-margin" loss
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(yb, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        # L2 regularization
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        return data_loss + reg_loss

    return loss


def train(
    loss: Callable[[Any, Any], Any], optimizer: nn.Optimizer, X: Any, y: Any, steps: int
) -> tuple[list[float], float]:
    """Gradient descent, for scalars and arrays. Returns the loss before each step, and a step's median seconds."""
    losses, seconds = [], []
    for _ in range(steps):
        start = time.perf_counter()
        total = loss(X, y)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        losses.append(total.item())
    return losses, median(seconds)


def run(options: argparse.Namespace) -> None:
    """Trace, train, compare, test and draw."""
    random.seed(options.seed)  # the neurons' weights
    X, y = moons(100, noise=0.1, seed=options.seed)
    y = 2 * y - 1
    model = nn.MLP(2, [16, 16, 1])
    loss = scalar_loss(model)
    print(f"Two moons, {len(X)} points; {len(model.parameters())} scalar parameters in 33 neurons. The loss:\n")
    print(textwrap.dedent(inspect.getsource(loss)))

    start = time.perf_counter()
    fast = vectorize(loss, X.shape, y.shape, batch=False)  # the loss itself runs over the samples
    traced = time.perf_counter() - start
    print(f"fast = vectorize(loss, {X.shape}, {y.shape}, batch=False) took {traced:.2f} s and made this program:\n")
    print(f"{fast.source}\n")
    print(fast.report())

    def rate(step: int) -> float:
        return 1.0 - 0.9 * step / options.steps

    few = min(options.scalar_steps, options.steps)
    print(f"\nBoth train from the same weights: the arrays take {options.steps} steps, the scalars the first {few}.\n")
    twin = copy.deepcopy(model)  # for the scalars: sync() refuses Values that were trained beside the arrays
    scalar, slow_step = train(scalar_loss(twin), nn.SGD(twin.parameters(), rate), X.tolist(), y.tolist(), few)
    arrays, fast_step = train(fast, nn.SGD(fast.parameters(), rate), X, y, options.steps)
    print("step  loss of scalars        loss of arrays")
    shown = {*range(min(few, 3)), few - 1, *range(few - 1, options.steps, 20), options.steps - 1}
    for k in sorted(shown):
        print(f"{k:>4}  {scalar[k] if k < few else '':<21}  {arrays[k]}")
    apart = max(abs(a - s) / abs(s) for s, a in zip(scalar, arrays, strict=False))
    print(f"\nlargest relative difference of the losses in {few} steps: {apart:.1e}")
    print(f"a step takes {1e3 * slow_step:.1f} ms in scalars and {1e3 * fast_step:.3f} ms in arrays: ", end="")
    print(f"{slow_step / fast_step:,.0f} times faster")

    fast.sync()
    right = sum((model(x).data > 0) == (label > 0) for x, label in zip(X.tolist(), y, strict=True))
    print(f"sync() wrote the numbers back. The scalar network classifies {right} of {len(X)} points right.")
    # The picture evaluates the network on a grid of points. So the network of one point is vectorized as well.
    pictures(options.out, {"boundary.png": lambda: plots.decision_boundary(vectorize(model, 2), X, y).figure})


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("moons", __doc__, of="of the points and first weights (%(default)s)",
                     quick="10 steps, 3 of them in scalars")  # fmt: skip
    add = options.add_argument
    count = number(int, 1)
    add("--steps", type=count, default=100, metavar="N", help="training steps in arrays (%(default)s)")
    add("--scalar-steps", type=count, default=20, metavar="N", help="how many also in scalars (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.steps, found.scalar_steps = 10, 3
    return found


if __name__ == "__main__":
    sys.exit(main())
