"""A program gives what its function gives where numbers are nan or infinite, and the sign of a zero that divides."""

import itertools
import random
from typing import Any

import numpy as np
import pytest

from autograd import Value, ops, vectorize

NUMBERS = [0.0, -0.0, 1.0, -1.0]
INPUTS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.0]
TWO: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": ops.div,
}
ONE: dict[str, Any] = {"neg": lambda a: -a, "square": ops.square, "abs": ops.abs, "reciprocal": ops.reciprocal}


def expression(rng, depth):
    """A random program as nested tuples: of inputs, a parameter and few constants."""
    if depth == 0 or rng.random() < 0.1:
        return rng.choice([("x", 0), ("x", 1), ("x", 0), ("x", 1), ("w",), *[("number", c) for c in NUMBERS]])
    if rng.random() < 0.2:
        return rng.choice(list(ONE)), expression(rng, depth - 1)
    if rng.random() < 0.1:
        return "sum", *[expression(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    return rng.choice(["add", "add", "sub", "sub", "mul", "mul", "div"]), *[
        expression(rng, depth - 1) for _ in range(2)
    ]


def run(e, x, w):
    """What an expression gives."""
    kind, *parts = e
    if kind == "x":
        return x[parts[0]]
    if kind == "w":
        return w
    if kind == "number":
        return parts[0]
    found = [run(part, x, w) for part in parts]
    out = sum(found) if kind == "sum" else {**ONE, **TWO}[kind](*found)
    return 1.0 if isinstance(out, float) and out != out else out  # a constant nan is another question


def same(e):
    w = Value(2.0)
    function = lambda x: [x[0] * w, run(e, x, w)]  # noqa: E731
    with np.errstate(all="ignore"):
        fast = vectorize(function, 2)
        rows = list(itertools.product(INPUTS, repeat=2))
        found = fast(np.array(rows)).data[:, 1]
        right = np.array([float(ops.detach(function([Value(a), Value(b)])[1])) for a, b in rows])
    wrong = ~(np.isclose(found, right, rtol=1e-9, atol=1e-12) | (np.isnan(found) & np.isnan(right)))
    if "where(m" in fast.forward_source:  # products of matrices with zeros where nothing is: 0 times inf is nan
        wrong &= ~np.isnan(found)
    places = [(rows[i], right[i], found[i]) for i in np.flatnonzero(wrong)]
    assert not places, f"{e}\n{fast.forward_source}\n{places[:3]}"


@pytest.mark.parametrize("seed", range(300))
def test_random_programs(seed):
    rng = random.Random(seed)
    for _ in range(4):
        same(expression(rng, 3))


EXAMPLES = {
    "zero times": ("add", ("mul", ("x", 0), ("number", 0.0)), ("x", 1)),
    "nothing but zero times": ("mul", ("number", -0.0), ("x", 0)),
    "a zero of either sign": ("reciprocal", ("add", ("mul", ("x", 0), ("number", 0.0)), ("number", -0.0))),
    "the other zero": ("reciprocal", ("add", ("mul", ("x", 0), ("number", 0.0)), ("number", 0.0))),
    "0.0 and -0.0 as coefficients": (
        "add",
        ("reciprocal", ("mul", ("x", 0), ("number", 0.0))),
        ("reciprocal", ("mul", ("x", 1), ("number", -0.0))),
    ),
    "a sum of one": ("reciprocal", ("sum", ("x", 0))),
    "minus a difference": ("div", ("w",), ("neg", ("sub", ("x", 0), ("x", 1)))),
    "constants that cancel": ("reciprocal", ("add", ("number", 1.0), ("add", ("number", -1.0), ("x", 0)))),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name):
    same(EXAMPLES[name])


def test_factors_that_cannot_be_one():
    """(x · 1e200) · 1e200 and x / 5e-324 are large numbers, and 1e-200 twice is 0: no coefficient says so."""
    x = np.array([1e-300, 0.0, 1e-323, -1e300])
    for f in (
        lambda x: x * 1e200 * 1e200 + x,
        lambda x: x * 1e-200 * 1e-200 + x * 1e-200,
        lambda x: x / 5e-324 + x,
        lambda x: x / np.inf + 1.0,
    ):
        with np.errstate(all="ignore"):
            right = [ops.detach(f(Value(a))) for a in x.tolist()]
            np.testing.assert_allclose(vectorize(f, ())(x).data, right, rtol=1e-12)
