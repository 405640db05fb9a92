"""Neuron: from a perceptron to nine parameters that learn, with every derivative written out.

A perceptron has a step function, whose derivative is 0, so it cannot learn from a gradient. A neuron has a smooth curve
instead, so that ∂L/∂w₁ = ∂L/∂ŷ · ∂ŷ/∂h₁ · ∂h₁/∂w₁ says how to change a weight. Two hidden neurons and one output neuron
then learn to classify four people by weight and height.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

import nn
from autograd import Tensor, Value, explain, jvp, relu, sigmoid, tanh, vectorize, where
from demos._command import number, parser, tell
from demos._pictures import panels, pictures
from demos._reference import AGREE, apart, descend, sources, table, until
from nn import plots
from nn.support import canvas

WEIGHTS, THRESHOLD = {"working this weekend": 8, "bad weather": 10, "far away": 1}, 5
NEURON, NETWORK, ERROR = 0.9990889488055994, 0.7216325609518421, 0.5
"""The published results: a neuron, a network of three, and a mean squared error."""

X = np.array([[-2, -1], [25, 6], [17, 4], [-15, -6]], float)
"""Weight minus 135 and height minus 66 of four people."""
Y = np.array([1, 0, 0, 1], float)
RATE, ENOUGH = 0.5, 0.01
NAMES = ("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")


def step(x: Any) -> Any:
    """1 above 0, else 0."""
    return where(x > 0, 1.0, 0.0)


class Scalars(nn.Module):
    """Nine named Values, one scalar expression at a time."""

    w1: Value
    w2: Value
    w3: Value
    w4: Value
    w5: Value
    w6: Value
    b1: Value
    b2: Value
    b3: Value

    def __init__(self, numbers):
        for name, x in zip(NAMES, numbers, strict=True):
            setattr(self, name, Value(x, name))

    def hidden(self, x):
        h1 = (self.w1 * x[0] + self.w2 * x[1] + self.b1).sigmoid()
        h2 = (self.w3 * x[0] + self.w4 * x[1] + self.b2).sigmoid()
        return h1, h2

    def output(self, h1, h2):
        return (self.w5 * h1 + self.w6 * h2 + self.b3).sigmoid()

    def __call__(self, x):
        return self.output(*self.hidden(x))

    def loss(self, X, y):
        return sum((t - self(x)) ** 2 for x, t in zip(X, y, strict=True)) / len(X)


class Matrices(nn.Module):
    """The same network in matrices."""

    def __init__(self, numbers):
        w1, w2, w3, w4, w5, w6, b1, b2, b3 = numbers
        self.w, self.b = Tensor([[w1, w3], [w2, w4]]), Tensor([b1, b2])
        self.v, self.c = Tensor([w5, w6]), Tensor(b3)

    def __call__(self, X):
        return ((X @ self.w + self.b).sigmoid() @ self.v + self.c).sigmoid()

    def loss(self, X, y):
        return nn.squared_error(self(X), y)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code, which is also 1 if a comparison fails."""
    return tell(story, parse(argv))


def story(options: argparse.Namespace) -> bool:
    """Decide, compute, derive, train and draw. Returns True if all comparisons agree."""
    hike()
    same = published_numbers() & factors(Scalars([1.0] * 6 + [0.0] * 3))

    first = np.random.RandomState(options.seed).normal(size=9).tolist()
    scalars, matrices = Scalars(first), Matrices(first)
    fast = vectorize(scalars.loss, X.shape, Y.shape, batch=False)
    print("\nThe same network is now trained, from random weights.", end=" ")
    sources(Scalars, Matrices, fast.source)
    print(f"Gradient descent, learning rate {RATE}, until the loss is under {ENOUGH}, at most {options.steps:,} steps.")
    ways = {
        "Values": descend(scalars.loss, scalars, RATE, X.tolist(), Y.tolist()),
        "Tensors": descend(matrices.loss, matrices, RATE, X, Y),
        "vectorize": descend(fast, fast.parameters(), RATE, X, Y),
    }
    losses = {name: until(way, ENOUGH, options.steps) for name, way in ways.items()}
    last = len(losses["Values"]) - 1
    same = table("step", losses, sorted({last * k // 6 for k in range(7)}), {}) and same
    reached = "under" if losses["Values"][-1] < ENOUGH else "not yet under"
    print(f"after {last:,} steps the loss is {reached} {ENOUGH}\n\nweight  height  label  output")
    for x, label in zip(X.tolist(), Y, strict=True):
        print(f"{x[0] + 135:>6g}  {x[1] + 66:>6g}  {label:>5g}  {scalars(x).data:.6f}")
    pictures(options.out, {"curves.png": activations, "training.png": lambda: training(losses["Values"], matrices)})
    return same


def hike() -> None:
    """The perceptron's answers to all inputs."""
    reasons = ", ".join(f"{name} ({weight})" for name, weight in WEIGHTS.items())
    print(f"A perceptron adds up reasons to stay at home. It fires if the sum is above its threshold, {THRESHOLD}.")
    print(f"The weights: {reasons}.\n")
    print("  ".join(WEIGHTS), "  sum  fires")
    for answers in product((0, 1), repeat=len(WEIGHTS)):
        said = "  ".join(f"{('no', 'yes')[x]:<{len(name)}}" for x, name in zip(answers, WEIGHTS, strict=True))
        total = int(np.dot(answers, list(WEIGHTS.values())))
        fires = int(step(total - THRESHOLD))
        print(f"{said}  {total:>4}  {fires}, {('a hike', 'at home')[fires]}")


def neuron(bias: float) -> nn.Neuron:
    """Weights [0, 1], and a sigmoid."""
    found = nn.Neuron(2, activation="sigmoid")
    found.w[0].data, found.w[1].data, found.b.data = 0.0, 1.0, bias
    return found


def published_numbers() -> bool:
    """Print three numbers beside the published ones. Returns True if they are equal."""
    x, one, zeros = [2.0, 3.0], np.array([1.0, 0, 0, 1]), np.zeros(4)
    rows = (
        ("neuron, weights [0, 1], bias 4, for [2, 3]", neuron(4.0)(x).data, NEURON),
        ("2-2-1 of such neurons, bias 0, for [2, 3]", neuron(0.0)([neuron(0.0)(x), neuron(0.0)(x)]).data, NETWORK),
        ("mean squared error of [1, 0, 0, 1] and 0s", nn.squared_error(one, zeros), ERROR),
    )
    print("\nsigmoid(w·x + b)                              here                published")
    for what, here, published in rows:
        print(f"{what:<45} {here!s:<19} {published}")
    return max(apart(here, published) for _, here, published in rows) < AGREE


def factors(net: Scalars) -> bool:
    """Print each of nine partial derivatives as its factors. Returns True if their products are the gradients."""
    x1, x2, y = Value(X[0, 0].item(), "x1"), Value(X[0, 1].item(), "x2"), Value(Y[0].item(), "y")
    h1, h2 = net.hidden((x1, x2))
    y_hat = net.output(h1, h2)
    L = (y - y_hat) ** 2
    h1.label, h2.label, y_hat.label, L.label = "h1", "h2", "y_hat", "L"
    L.backward()
    print("\nThe 2-2-1 network with nine named parameters, weights 1 and biases 0, at the first of four people:")
    print(", ".join(f"{x.label} = {x.data:.5g}" for x in (x1, x2, y, h1, h2, y_hat)))
    off = 0.0
    for name in NAMES:
        p: Value = getattr(net, name)
        found = explain(L, p, model=net)
        print(f"\n{found}")
        off = max(off, apart(found.gradient, p.grad))
    print(f"\nlargest relative difference between these products and the gradients of backward(): {off:.1e}")
    return off < AGREE


def activations() -> Any:
    """Four curves and their derivatives by the engine's forward mode."""
    figure, axes = panels(12, 3.4, 4)
    x = np.linspace(-4, 4, 801)
    curves = {"step": step, "ReLU": relu, "sigmoid": sigmoid, "tanh": tanh}
    for ax, (name, f) in zip(axes, curves.items(), strict=True):
        y, slope = jvp(f, (x,), (np.ones_like(x),))
        ax.plot(x, y, color=canvas.BLUES[1], label="value")
        ax.plot(x, slope, "--", color=canvas.ORANGES[3], label="derivative")
        ax.set(title=name, xlabel="x", ylim=(-1.15, 2.15))
    axes[0].legend(frameon=False, loc="lower right")
    return figure


def training(losses: Sequence[float], matrices: Matrices) -> Any:
    """The loss, and the network's output for all weights and heights."""
    figure, (left, right) = panels(9, 3.8, 2)
    left.semilogy(losses, color=canvas.BLUES[1])
    left.axhline(ENOUGH, color=canvas.GREY, linestyle=":")
    left.set(title="Loss", xlabel="step", ylabel="mean squared error")
    plots.decision_boundary(lambda points: matrices(points) - 0.5, X, Y, right)
    right.set(xlabel="weight − 135", ylabel="height − 66")
    right.set_title("Output − ½", loc="left")
    right.grid(False)
    return figure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("neuron", __doc__, seed=1, quick="20 steps")
    options.add_argument("--steps", type=number(int, 1), default=10_000, metavar="N", help="at most (%(default)s)")
    found = options.parse_args(argv)
    if found.quick:
        found.steps = min(found.steps, 20)
    return found


if __name__ == "__main__":
    sys.exit(main())
