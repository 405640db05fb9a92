"""Three layers: 3-4-1 learns exclusive or in 60,000 steps, on Values, on Tensors, and vectorized.

The output should be 1 if exactly one of the first two inputs is 1. The third input is always 1, since there are no
biases. The same weights are trained three times: in `Value`s, in matrices as `Tensor`s, and with the scalar program
through `vectorize`. All three have the same loss in each step, up to rounding. From seed 1 it is also that of the
published run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

import nn
from autograd import Tensor, Value, draw, vectorize
from demos._command import number, parser, tell
from demos._pictures import panels, pictures
from demos._reference import descend, sources, table
from nn.support import canvas

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1], [0, 0, 1]], float)
Y = np.array([0, 1, 1, 0, 0], float)
RATE = 0.1
PUBLISHED = {
    0: 0.12147927773116377, 10_000: 0.0016428776802080152, 20_000: 0.0004698892266159515,
    30_000: 0.00025778625413654837, 40_000: 0.00017372224218744633, 50_000: 0.00012952823214978262,
    60_000: 0.00010256070171558522,
}  # fmt: skip
"""The mean of the losses after some numbers of updates, from seed 1."""
OUTPUTS = [0.007870313344988316, 0.9852693277439617, 0.9836990569863302, 0.020469731424948474, 0.007870313344988316]
"""The outputs after 60,000."""


class Scalars(nn.Module):
    """The network, one scalar expression at a time."""

    def __init__(self, w, v):
        self.w = [[Value(wij, f"w{i}{j}") for j, wij in enumerate(row, 1)] for i, row in enumerate(w, 1)]
        self.v = [Value(vj, f"v{j}") for j, (vj,) in enumerate(v, 1)]

    def hidden(self, x):
        return [sum(x[i] * self.w[i][j] for i in range(3)).sigmoid() for j in range(4)]

    def output(self, x):
        h = self.hidden(x)
        return sum(h[j] * self.v[j] for j in range(4)).sigmoid()

    def loss(self, X, y):
        return sum((self.output(x) - t) ** 2 / 2 for x, t in zip(X, y, strict=True))


class Matrices(nn.Module):
    """The same network, all samples at once."""

    def __init__(self, w, v):
        self.w, self.v = Tensor(w), Tensor(v)

    def output(self, X):
        return ((X @ self.w).sigmoid() @ self.v).sigmoid()[:, 0]

    def loss(self, X, y):
        return ((self.output(X) - y) ** 2 / 2).sum()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code, which is also 1 if the three methods disagree."""
    return tell(story, parse(argv))


def weights(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The first weights: the results of ``np.random.seed(seed)`` and two calls of ``np.random.random``."""
    rng = np.random.RandomState(seed)
    return 2 * rng.random((3, 4)) - 1, 2 * rng.random((4, 1)) - 1


def story(options: argparse.Namespace) -> bool:
    """Train three times, compare, and draw. Returns True if the methods agree."""
    w, v = weights(options.seed)
    scalars, matrices = Scalars(w.tolist(), v.tolist()), Matrices(w, v)
    fast = vectorize(scalars.loss, X.shape, Y.shape, batch=False)  # the loss itself runs over the samples
    sources(Scalars, Matrices, fast.source)

    n = options.iterations
    print(f"Gradient descent on the sum of five losses, learning rate {RATE}, {n:,} iterations.")
    losses = {}
    for name, loss, parameters, data in (
        ("Values", scalars.loss, scalars, (X.tolist(), Y.tolist())),
        ("Tensors", matrices.loss, matrices, (X, Y)),
        ("vectorize", fast, fast.parameters(), (X, Y)),
    ):
        start = time.perf_counter()
        losses[name] = np.fromiter(islice(descend(loss, parameters, RATE, *data), n + 1), float) / len(Y)
        print(f"{name:<9} took {time.perf_counter() - start:6.2f} s", flush=True)
    rows = sorted({n * k // 6 for k in range(7)})
    published = PUBLISHED if options.seed == 1 else {}
    agree = table("iteration", losses, rows, published)

    expected = OUTPUTS if published and n == max(published) else [""] * len(X)
    print(f"\nsample   target  output                {'published' * any(expected)}")
    for x, t, end in zip(X.tolist(), Y, expected, strict=True):
        print(f"{x[0]:g}, {x[1]:g}, {x[2]:g}  {t:<6g}  {scalars.output(x).data!s:<21} {end}")

    pictures(
        options.out,
        {
            "loss.png": lambda: curve(losses["Values"], published),
            "weights.png": lambda: before_and_after((w, v), (matrices.w.data, matrices.v.data)),
            "network.svg" if options.quick else "network.png": lambda: graph(scalars),
        },
    )
    return agree


def curve(losses: np.ndarray, published: dict[int, float]) -> Any:
    """Draw the loss over the iterations, with the published numbers."""
    figure, ax = panels(6, 3.6, 1)
    ax.semilogy(losses, color=canvas.BLUES[1], label="mean loss")
    if known := [k for k in published if k < len(losses)]:
        ax.plot(known, [published[k] for k in known], "o", color=canvas.ORANGES[3], label="published")
    ax.set(xlabel="iteration", ylabel="mean of (output − y)²/2", title="Exclusive or, 3-4-1")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend(frameon=False)
    return figure


def before_and_after(*weights: Sequence[np.ndarray]) -> Any:
    """Draw both matrices before and after training, as numbers and colours, with one colour scale."""
    figure = canvas.matplotlib("figure").Figure(figsize=(8, 5.4), layout="constrained")
    grid = figure.subplots(2, 2, width_ratios=(4, 1.6))
    limit = max(abs(matrix).max() for matrices in weights for matrix in matrices)
    for row, when, matrices in zip(grid, ("before", "after"), weights, strict=True):
        for ax, (below, above), matrix in zip(row, (("input", "hidden"), ("hidden", "output")), matrices, strict=True):
            canvas.signed_picture(ax, matrix, limit, aspect="auto")
            for (i, j), x in np.ndenumerate(matrix):
                colour = "white" if abs(x) > 0.7 * limit else canvas.INK
                ax.text(j, i, f"{x:+.3f}".replace("-", "−"), ha="center", va="center", color=colour)
            ax.set_xticks(range(matrix.shape[1]), range(1, matrix.shape[1] + 1))
            ax.set_yticks(range(len(matrix)), range(1, len(matrix) + 1))
            ax.set(xlabel=above, ylabel=below)
            ax.set_title(f"{below} → {above}, {when}", fontsize="medium")
    canvas.signed_bar(figure, grid.ravel().tolist(), limit, aspect=60)
    return figure


def graph(scalars: Scalars) -> Any:
    """Draw the graph of the trained network for the sample (0, 1, 1), every value with its gradient."""
    x = [Value(xi, f"x{i}") for i, xi in enumerate(X[1].tolist(), 1)]
    hidden = scalars.hidden(x)
    output = sum(h * v for h, v in zip(hidden, scalars.v, strict=True)).sigmoid()
    loss = (output - Value(Y[1].item(), "y")) ** 2 / 2
    for j, h in enumerate(hidden, 1):
        h.label = f"h{j}"
    output.label, loss.label = "out", "L"
    scalars.zero_grad()
    loss.backward()
    neurons = {
        f"neuron {j}": [*column, *h.parents, h]
        for j, (h, *column) in enumerate(zip(hidden, *scalars.w, strict=True), 1)
    }
    parts = {"inputs": x, "hidden layer": neurons, "output layer": [*scalars.v, *output.parents, output]}
    return draw(loss, clusters=parts, detail="affine")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("three_layer", __doc__, seed=1, quick="2,000 iterations")
    count = number(int, 1)
    options.add_argument("--iterations", type=count, default=60_000, metavar="N", help="of each method (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.iterations = min(found.iterations, 2_000)
    return found


if __name__ == "__main__":
    sys.exit(main())
