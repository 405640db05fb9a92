"""Thresholds: they are weights of inputs of −1. The chain rule in numbers, and a common mistake.

A neuron fires when its weighted sum exceeds its threshold. A threshold is a weight of an input that is always −1. So it
has a derivative like any other weight, ∂E/∂w = ∂E/∂ŷ · ∂ŷ/∂β · ∂β/∂w. The network learns one sample, starting with all
weights at zero. Some texts change the output weights first and use the new ones for the hidden layer. This is not the
gradient.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

import nn
from autograd import Tensor, Value, concatenate, explain, vectorize
from demos._command import number, parser, tell
from demos._pictures import panels, pictures
from demos._reference import AGREE, apart, descend, difference, sources, table
from nn.support import canvas

X, TARGET, RATE = [0.985, 0.211, -1.0], 1.0, 1.0
PUBLISHED = {0: 0.5, 1: 0.5621765008857981, 2: 0.614417950251781, 9: 0.7908591168160969, 49: 0.9226899115930125,
             99: 0.9488623810843722}  # fmt: skip
"""The output after some numbers of updates, from zero weights."""
OUTPUT_FIRST = {99: 0.9490639528677387}
"""The output if the output weights change first, and the new ones are used for the hidden layer."""


class Scalars(nn.Module):
    """The network, one scalar expression at a time; w10, w20, w30, w40 and v0 are the thresholds."""

    def __init__(self, w, v):
        self.w = [[Value(w[j][i], f"w{j + 1}{(1, 2, 0)[i]}") for i in range(3)] for j in range(4)]
        self.v = [Value(v[j], f"v{(1, 2, 3, 4, 0)[j]}") for j in range(5)]

    def forward(self, x):
        alpha = [sum(self.w[j][i] * x[i] for i in range(3)) for j in range(4)]
        h = [*(a.sigmoid() for a in alpha), -1.0]
        beta = sum(self.v[j] * h[j] for j in range(5))
        return alpha, h, beta, beta.sigmoid()

    def output(self, x):
        return self.forward(x)[-1]


class Matrices(nn.Module):
    """The same network in matrices."""

    def __init__(self, w, v):
        self.w, self.v = Tensor(w), Tensor(v)

    def output(self, x):
        return (self.v @ concatenate([(self.w @ x).sigmoid(), np.array([-1.0])])).sigmoid()


def error(output: Any) -> Any:
    """The error of the output."""
    return 0.5 * (TARGET - output) ** 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code, which is also 1 if a comparison fails."""
    return tell(story, parse(argv))


def weights(seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The first weights, (4, 3) and (5,): zeros, or uniform in [−1, 1) with a seed."""
    if seed is None:
        return np.zeros((4, 3)), np.zeros(5)
    rng = np.random.RandomState(seed)
    return rng.uniform(-1, 1, (4, 3)), rng.uniform(-1, 1, 5)


def story(options: argparse.Namespace) -> bool:
    """Train three times, compare, derive, make the mistake, and draw. Returns True if all comparisons agree."""
    first, n, zero = weights(options.seed), options.epochs, options.seed is None
    published = PUBLISHED if zero else {}
    scalars, matrices = Scalars(*first), Matrices(*first)
    fast = vectorize(scalars.output, len(X), batch=False)
    sources(Scalars, Matrices, fast.source)

    start = "zero" if zero else f"those of seed {options.seed}"
    print(f"One sample, {tuple(X)}, target {TARGET:g}; learning rate {RATE:g}, epochs: {n}, first weights: {start}.")
    ways: dict[str, tuple[Any, Any, Any]] = {
        "Values": (scalars.output, scalars, X),
        "Tensors": (matrices.output, matrices, np.array(X)),
        "vectorize": (fast, fast.parameters(), np.array(X)),
    }
    outputs = {name: train(*way, epochs=n) for name, way in ways.items()}
    rows = sorted(k for k in {*PUBLISHED, n - 1} if k < n)
    agree = table("epoch", outputs, rows, published)
    spread = np.ptp([[p.data for p in neuron] for neuron in scalars.w], axis=0).max()
    print(f"the weights of the four hidden neurons differ by {spread:.2g}" + ": equal weights stay equal" * zero)

    right = derive(Scalars(*first))
    mistake = output_first(Scalars(*first), n)
    right = compare(mistake, rows, OUTPUT_FIRST if zero else {}) and right
    pictures(options.out, {"output.png": lambda: curves(outputs["Values"], published, mistake)})
    return agree and right


def train(output: Callable[[Any], Any], parameters: Any, x: Any, epochs: int) -> list[float]:
    """The output before each epoch's update."""
    return [output(x).item() for _ in islice(descend(lambda: error(output(x)), parameters, RATE), epochs)]


def derive(net: Scalars) -> bool:
    """Print the factors of four derivatives in the second epoch. Returns True if they are the engine's gradients."""
    for _ in islice(descend(lambda: error(net.output(X)), net, RATE), 2):
        pass  # in the first epoch the output weights are 0, so the hidden layer gets no gradient
    x = [Value(xi, name) for xi, name in zip(X, ("x1", "x2", "x0"), strict=True)]
    alpha, h, beta, output = net.forward(x)
    E = error(output)
    beta.label, output.label, E.label = "beta", "y_hat", "E"
    for j in range(4):
        alpha[j].label, h[j].label = f"alpha{j + 1}", f"h{j + 1}"
    net.zero_grad()
    E.backward()

    print("\nThe chain rule in the second epoch: α and β are weighted sums, h and ŷ their sigmoids.")
    print("v₁ and w₁₁ are weights of the output and of a hidden neuron, v₀ and w₁₀ the thresholds of those neurons.")
    for p in (net.v[0], net.v[4], net.w[0][0], net.w[0][2]):
        print(f"\n{explain(E, p, model=net)}")
    off = max(apart(explain(E, p, model=net).gradient, p.grad) for p in (*net.v, *(p for row in net.w for p in row)))
    print(f"\nlargest relative difference from backward(), for all {len(net.parameters())} derivatives: {off:.1e}")
    return off < AGREE


def times(v: Value, h: Value) -> Value:
    """A product written by hand, as in micrograd: its backward step reads the factors when it runs.

    Our own product computes its partial derivatives at once, so the mistake cannot be made with it.
    """
    out = Value(v.data * h.data, (v, h), "*")

    def _backward() -> None:
        v.grad += h.data * out.grad
        h.grad += v.data * out.grad

    out._backward = _backward
    return out


def output_first(net: Scalars, epochs: int) -> dict[str, np.ndarray]:
    """Train with the mistake. Returns the outputs, and ∂E/∂w₁₁ each time, by three methods."""
    w, rows = net.w[0][0], []
    for _ in range(epochs):
        _, h, _, _ = net.forward(X)
        output = sum([*map(times, net.v[:4], h[:4]), net.v[4] * h[4]]).sigmoid()  # type: ignore[union-attr]
        E = error(output)
        slope = difference(lambda: error(net.output(X)).data, w)
        net.zero_grad()
        E.backward()
        gradient = w.grad
        for p in net.v:
            p.data -= RATE * p.grad
        net.zero_grad()
        E.backward()  # through the same graph, which now has the new output weights
        rows.append((output.data, slope, gradient, w.grad))
        for p in (p for neuron in net.w for p in neuron):
            p.data -= RATE * p.grad
    return dict(zip(("output", "differences", "backward", "mistake"), np.array(rows).T, strict=True))


def compare(run: Mapping[str, np.ndarray], rows: Sequence[int], published: Mapping[int, float]) -> bool:
    """Print the gradient and the mistake beside differences of E. Returns True if the gradient is their limit."""
    print("\nThe mistake: the output weights change first, and the hidden layer's derivatives use the new ones.")
    print("∂E/∂w₁₁ by differences of E, by backward(), and with the mistake:\n")
    print("    epoch  differences of E  backward()       output weights first")
    for k in rows:
        print(f"{k:>9}  {run['differences'][k]:<+16.9f}  {run['backward'][k]:<+15.9f}  {run['mistake'][k]:+.9f}")
    size = abs(run["differences"]).max() or 1.0
    right, wrong = (abs(run[way] - run["differences"]).max() / size for way in ("backward", "mistake"))
    print("\nlargest error, relative to the largest derivative: ", end="")
    print(f"backward() {right:.1e}, output weights first {wrong:.1e}: not the gradient")
    end = len(run["output"]) - 1
    print(f"output with the mistake at epoch {end}: {run['output'][end]}", end="")
    print(f", published {published[end]}" if end in published else "")
    return bool(right < 1e-6)


def curves(outputs: Sequence[float], published: Mapping[int, float], mistake: Mapping[str, np.ndarray]) -> Any:
    """Draw the output and the absolute error over the epochs, and the wrong gradient."""
    figure, (left, middle, right) = panels(12, 3.6, 3)
    blue, orange = canvas.BLUES[1], canvas.ORANGES[3]
    left.plot(outputs, color=blue, label="output")
    if known := [k for k in published if k < len(outputs)]:
        left.plot(known, [published[k] for k in known], "o", color=orange, label="published")
    left.axhline(TARGET, color=canvas.GREY, linestyle=":", label="target")
    left.set(title="Output", ylabel="ŷ")
    middle.plot(abs(TARGET - np.array(outputs)), color=blue)
    middle.set(title="Absolute error", ylabel="|t − ŷ|", ylim=(0, None))
    right.plot(mistake["differences"], color=canvas.LINE, linewidth=5, label="differences of E")
    right.plot(mistake["backward"], color=blue, label="backward()")
    right.plot(mistake["mistake"], "--", color=orange, label="output weights first")
    right.set(title="Not the gradient", ylabel="∂E/∂w₁₁")
    figure.supxlabel("epoch", fontsize="medium")
    left.legend(frameon=False)
    right.legend(frameon=False)
    return figure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("thresholds", __doc__, seed=None, of="of the first weights (all zero)", quick="10 epochs")
    options.add_argument("--epochs", type=number(int, 1), default=100, metavar="N", help="of training (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.epochs = min(found.epochs, 10)
    return found


if __name__ == "__main__":
    sys.exit(main())
