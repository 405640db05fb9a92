"""Seeing gradients: a network as a drawing, as a tree, as a derivation, and as a page of steps.

It shows a 2-2-1 network with named weights, and nn.MLPs of neurons, for one sample and for many. The same commands draw
all of them; a large graph is drawn with less detail. Pictures are written to a folder. Open `steps.html` and press the
right arrow.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence

import nn
from autograd import Value, draw, explain, steps
from demos._command import parser, tell


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    options = parser("seeing", __doc__, seed=1, of="of the MLPs' weights (%(default)s)", quick="SVGs only")
    return tell(run, options.parse_args(argv))


def network() -> tuple[Value, dict[str, Value]]:
    """The loss of a 2-2-1 network for one sample, written out in named Values, and these Values."""
    x1, x2, y = Value(1.0, "x1"), Value(-2.0, "x2"), Value(1.0, "y")
    w11, w12, b1 = Value(0.8, "w11"), Value(-0.4, "w12"), Value(0.1, "b1")
    w21, w22, b2 = Value(-0.3, "w21"), Value(0.9, "w22"), Value(-0.2, "b2")
    u1, u2, c = Value(1.2, "u1"), Value(-0.7, "u2"), Value(0.05, "c")
    z1 = w11 * x1 + w12 * x2 + b1
    z2 = w21 * x1 + w22 * x2 + b2
    h1, h2 = z1.sigmoid(), z2.sigmoid()
    z3 = u1 * h1 + u2 * h2 + c
    y_hat = z3.sigmoid()
    e = y_hat - y
    L = e.square()
    named = {name: x for name, x in locals().items() if isinstance(x, Value)}
    for name, x in named.items():
        x.label = name
    return L, named


def parts(n: dict[str, Value]) -> dict[str, object]:
    """The layers and neurons of the network, to group its values. The parameters of a Module are grouped by `draw`."""
    return {
        "inputs": [n["x1"], n["x2"]],
        "layer 1 · Linear(2→2) + sigmoid": {
            "neuron 1": [n[name] for name in ("w11", "w12", "b1", "z1", "h1")],
            "neuron 2": [n[name] for name in ("w21", "w22", "b2", "z2", "h2")],
        },
        "layer 2 · Linear(2→1) + sigmoid": [n["u1"], n["u2"], n["c"]],
        "loss · squared error": [n["y"], n["e"], n["L"]],
    }


def neuron() -> tuple[Value, dict[str, object]]:
    """A neuron with tanh, after its backward pass, and its parts."""
    w1, x1, w2, x2 = Value(-3.0, "w1"), Value(2.0, "x1"), Value(1.0, "w2"), Value(0.0, "x2")
    b = Value(6.8813735870195432, "b")
    n = w1 * x1 + w2 * x2 + b
    o = n.tanh()
    n.label, o.label = "n", "o"
    o.backward()
    return o, {"inputs": [x1, x2], "neuron": [w1, w2, b, n, o]}


def run(options: argparse.Namespace) -> None:
    """Draw, print and save."""
    L, named = network()
    L.backward()
    print("The network as a tree, with the numbers of the chain rule:\n")
    print(L.tree())
    print("\nThe derivation of the gradient of one weight, and of one input, which has two paths to the loss:\n")
    print(explain(L, named["w11"]))
    print()
    print(explain(L, named["x1"]))

    random.seed(options.seed)
    small, large = nn.MLP(2, [2, 1], activation="tanh"), nn.MLP(2, [16, 16, 1])
    one = (small([1.0, -2.0]) - 1) ** 2
    points = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(8)]
    many = sum(((large(x) - Value(x[0] * x[1])) ** 2 for x in points), Value(0.0)) / len(points)
    one.backward()
    many.backward()

    clusters = parts(named)
    o, inside = neuron()
    drawings = {
        "neuron": draw(o, clusters=inside, detail="affine", legend=False),
        "network": draw(L, clusters=clusters),
        "folded": draw(L, clusters=clusters, detail="affine"),
        "narrow": draw(L, clusters=clusters, detail="affine", direction="down", legend=False),
        "classic": draw(L, style="classic"),
        "around_h1": draw(L, focus=named["h1"], radius=2),
        "neurons": draw(one),
        "overview": draw(many),
    }
    print()
    for name, drawing in drawings.items():
        for ending in ("svg",) if options.quick else ("svg", "png"):
            print(f"wrote {drawing.save(options.out / f'{name}.{ending}')}", drawing.notice)
    print(f"wrote {steps(L, clusters=clusters).save(options.out / 'steps.html')}")


if __name__ == "__main__":
    sys.exit(main())
