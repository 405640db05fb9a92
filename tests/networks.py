"""The small network that pictures and derivations are tested on: 2-2-1, sigmoid, written out in named Values."""

from types import SimpleNamespace

from autograd import Value

START = {
    "x1": 1.0, "x2": -2.0, "y": 1.0, "w11": 0.8, "w12": -0.4, "w21": -0.3, "w22": 0.9, "b1": 0.1, "b2": -0.2,
    "u1": 1.2, "u2": -0.7, "c": 0.05,
}  # fmt: skip


def two_two_one() -> SimpleNamespace:
    """The Values by name; `L` is the squared error."""
    n = SimpleNamespace(**{name: Value(x, name) for name, x in START.items()})

    def named(name: str, value: Value) -> Value:
        value.label = name
        setattr(n, name, value)
        return value

    named("z1", n.w11 * n.x1 + n.w12 * n.x2 + n.b1)
    named("z2", n.w21 * n.x1 + n.w22 * n.x2 + n.b2)
    named("h1", n.z1.sigmoid())
    named("h2", n.z2.sigmoid())
    named("z3", n.u1 * n.h1 + n.u2 * n.h2 + n.c)
    named("y_hat", n.z3.sigmoid())
    named("e", n.y_hat - n.y)
    named("L", n.e.square())
    return n


def clusters(n: SimpleNamespace) -> dict:
    """Its parts, as a reader would draw them."""
    return {
        "inputs": [n.x1, n.x2],
        "layer 1 · Linear(2→2) + sigmoid": {
            "neuron 1": [n.w11, n.w12, n.b1, n.z1, n.h1],
            "neuron 2": [n.w21, n.w22, n.b2, n.z2, n.h2],
        },
        "layer 2 · Linear(2→1) + sigmoid": [n.u1, n.u2, n.c],
        "loss · squared error": [n.y, n.e, n.L],
    }
