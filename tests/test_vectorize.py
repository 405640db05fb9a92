"""`vectorize`: arrays give the numbers of scalars, matrices are found in any spelling, and errors name the line."""

import functools
import gc
import inspect
import linecache
import math
import random
import re
import sys
import threading
import time
import weakref
from collections import namedtuple
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, TraceError, Value, Vectorized, custom_op, no_grad, ops, vectorize, where
from autograd.ops.rows import Elementwise
from autograd.testing import expressions, mlps
from autograd.transforms.containers import flatten
from autograd.vectorizing.backward import Writer
from autograd.vectorizing.row_text import RowText

seeds = st.integers(0, 2**32 - 1)
HERE = Path(__file__).name


def keeping(kept, x):
    """`x`, which a function keeps for later."""
    kept.append(x)
    return x


def parameters(*shape, start=0):
    """Nested lists of Values with different numbers."""
    numbers = np.random.default_rng([start, *shape]).normal(size=shape)
    return np.vectorize(Value, otypes=[object])(numbers).tolist()


def leaves(*structures):
    return flatten(list(structures))[0]


def dense(x, w, b=None):
    out = [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]
    return out if b is None else [y + bi for y, bi in zip(out, b, strict=True)]


def assert_near(got, want, near):
    got, want = np.array(got, dtype=float), np.array(want, dtype=float)
    scale = max(1.0, np.abs(want).max(initial=0.0))
    np.testing.assert_allclose(got, want, rtol=near, atol=near * scale)


def agree(f, trained, *shapes, samples=3, near=1e-12, start=0, **options):
    """Check that numbers and gradients are those of the scalars for each sample. Returns the vectorized function."""
    fast = vectorize(f, *shapes, **options)
    rng = np.random.default_rng(start)
    front = (samples,) if fast.batch else ()
    arrays = []
    for i, shape in enumerate(fast.shapes):
        limit = fast.index.get(i)
        given = rng.integers(0, limit, size=front + shape) if limit else rng.normal(size=front + shape)
        arrays.append(given if limit else Tensor(given, dtype=fast.dtype))
    outs = leaves(fast(*arrays))
    factors = [rng.normal(size=out.shape) for out in outs]
    sum((out * factor).sum() for out, factor in zip(outs, factors, strict=True)).backward()
    for p in trained:
        p.grad = 0.0
    for b in range(samples) if fast.batch else [...]:
        inputs = [nested(x[b] if isinstance(x, np.ndarray) else x.data[b]) for x in arrays]
        results = leaves(f(*inputs))
        numbers = np.concatenate([out.data[b].ravel() for out in outs])
        assert_near(numbers, [getattr(x, "data", x) for x in results], near)
        weights = np.concatenate([factor[b].ravel() for factor in factors]).tolist()
        total = sum((x * w for x, w in zip(results, weights, strict=True)), Value(0.0))
        total.backward()
        for x, own in zip(arrays, inputs, strict=True):
            if isinstance(x, Tensor):
                got = np.zeros(x.shape) if x.grad is None else x.grad
                assert_near(got[b].ravel(), [v.grad for v in leaves(own)], near)
    want = [p.grad for p in trained]
    for p in trained:
        p.grad = 0.0
    fast.sync()
    assert_near([p.grad for p in trained], want, near)
    return fast


def nested(x):
    if x.ndim:
        return [nested(row) for row in x]
    return int(x) if x.dtype.kind == "i" else Value(float(x))


def shape_of(source):
    """A program without its numbers. It is the same for every size if no loop is written out."""
    return re.sub(r"\d+", "n", source)


# ------------------------------------------------------------------------------------------------------ agreement


@given(mlps(activations=(ops.tanh, ops.sigmoid, ops.softplus)), seeds)
def test_random_networks(net, start):
    agree(net, net.parameters(), net.sizes[0], start=start)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.sampled_from(["relu", "tanh"]), seeds)
def test_networks_of_neurons(widths, activation, start):
    random.seed(start)
    model = nn.MLP(widths[0], widths[1:], activation=activation)
    agree(model, model.parameters(), widths[0], start=start, near=1e-11)


def split(f, choice):
    """An expression as a function: some of its leaves are inputs, the others parameters."""
    kinds = choice.draw(st.lists(st.booleans(), min_size=len(f.leaves), max_size=len(f.leaves)))
    kinds[0] = True
    trained = [Value(x) for x, given in zip(f.leaves, kinds, strict=True) if not given]

    def g(x):
        inputs, own = iter(x), iter(trained)
        return f(*[next(inputs) if given else next(own) for given in kinds])

    return g, kinds, trained


def assert_expression(f, choice):
    """Check an expression's number and all its gradients, to rounding."""
    g, kinds, trained = split(f, choice)
    fast = vectorize(g, sum(kinds))
    row = [x for x, given in zip(f.leaves, kinds, strict=True) if given]
    inputs = Tensor([row, row])
    out = fast(inputs)
    values = list(map(Value, f.leaves))
    want = f(*values)
    assert math.isclose(out.data[0], want.data, rel_tol=1e-12, abs_tol=1e-12)
    assert out.data[0] == out.data[1]
    want.backward()
    out.backward([1.0, 0.0])
    fast.sync()
    front, own = iter(np.zeros(len(row)) if inputs.grad is None else inputs.grad[0]), iter(trained)
    for value, outer, most in zip(values, kinds, f.tolerance(), strict=True):
        got = next(front) if outer else next(own).grad
        assert abs(got - value.grad) <= max(most, 1e-12 * abs(value.grad)), f"{f!r}\n{fast.forward_source}"


@given(expressions(), st.data())
def test_random_expressions(f, choice):
    assert_expression(f, choice)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_expressions(part):
    @seed(part)
    @settings(max_examples=2500, database=None, suppress_health_check=list(HealthCheck))
    @given(expressions(max_ops=20, max_leaves=6) if part % 2 else expressions(), st.data())
    def check(f, choice):
        assert_expression(f, choice)

    check()


UNARY = [
    lambda a: a.tanh(),
    lambda a: a.relu(),
    lambda a: a.sin(),
    lambda a: -a,
    lambda a: a * 0.5,
    lambda a: a + 1.0,
    lambda a: (a * a + 1.0) ** -0.5,
    lambda a: a.sigmoid(),
    lambda a: where(a > 0.1, a, a * 0.3),
    lambda a: 0 + a,
    lambda a: a / 3.0,
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: autograd.maximum(a, b),
    lambda a, b: a / (b * b + 1.0),
    lambda a, b: 2.0 * a - b * 3.0,
]
REDUCE = [autograd.max, autograd.min, autograd.mean, autograd.sum, autograd.logsumexp]


class Program:
    """A random program on lists: layers, slices, reductions, lookups, one after another."""

    def __init__(self, start, steps):
        self.start, self.steps = start, steps
        rng = random.Random(start + 1)
        self.trained = [Value(rng.uniform(-1, 1)) for _ in range(14)]

    def __call__(self, x, y, k):
        rng = self.rng = random.Random(self.start)
        self.lists = [list(x), list(y), self.trained[:4], self.trained[4:10]]
        for _ in range(self.steps):
            kind = rng.choice([name for name in dir(self) if name.startswith("do_")])
            self.lists += [out for out in getattr(self, kind)(rng.choice(self.lists), k) if out]
        return tuple(list(out) for out in (self.lists[4:] or self.lists[:1])[-4:])

    def some(self, n):
        at = self.rng.randrange(14)
        return [self.trained[(at + i) % 14] for i in range(n)]

    def do_unary(self, a, k):
        f = self.rng.choice(UNARY)
        return [[f(v) for v in a]]

    def do_binary(self, a, k):
        f, b = self.rng.choice(BINARY), self.rng.choice(self.lists)
        return [[f(u, v) for u, v in zip(a, b, strict=False)]]

    def do_dense(self, a, k):
        n = self.rng.randint(1, 4)
        return [dense(a, [self.some(len(a)) for _ in range(n)], self.rng.choice([None, self.some(n)]))]

    def do_layer_at_places(self, a, k):
        w, b = [self.some(len(a)) for _ in range(self.rng.randint(2, 3))], self.some(3)
        return [dense(v, w, b[: len(w)]) for v in [v for v in self.lists if len(v) == len(a)][:3]]

    def do_slice(self, a, k):
        at = self.rng.randrange(len(a))
        return [a[at : at + self.rng.randint(1, 4)]]

    def do_order(self, a, k):
        return [a[::-1], self.rng.sample(a, len(a))]

    def do_join(self, a, k):
        return [(a + self.rng.choice(self.lists))[:10]]

    def do_outer(self, a, k):
        f, b = self.rng.choice(BINARY), self.rng.choice(self.lists)
        return [[f(u, v) for u in a[:3] for v in b[:3]]]

    def do_reduce(self, a, k):
        return [[self.rng.choice(REDUCE)(a)]]

    def do_pick(self, a, k):
        return [[(a * 4)[k[0]], (a * 4)[k[1]]]]

    def do_conv(self, a, k):
        w, n = self.some(3), len(a)
        return [[sum(w[j] * a[i + j - 1] for j in range(3) if 0 <= i + j - 1 < n) + 0.0 * a[0] for i in range(n)]]

    def do_prefixes(self, a, k):
        return [[sum(a[: i + 1]) for i in range(len(a))]]

    def do_causal(self, a, k):
        b = self.rng.choice(self.lists)
        return [[sum(u * v for u, v in zip(a[: i + 1], b, strict=False)) for i in range(3)]]

    def do_softmax(self, a, k):
        e = [v.tanh().exp() for v in a]
        return [[v / sum(e) for v in e]]

    def do_chain(self, a, k):
        h, out = a[0], []
        for v in a[:4]:
            h = (h * self.trained[0] + v * self.trained[1]).tanh()
            out.append(h)
        return [out]


@given(seeds, st.integers(1, 9))
def test_random_programs(start, steps):
    program = Program(start, steps)
    agree(program, program.trained, 4, 5, 2, index={"k": 4}, samples=2, near=1e-9)


def attention(size, heads, weights, causal=False):
    wq, wk, wv = weights
    width = size // heads

    def f(xs):
        q, k, v = ([dense(x, w) for x in xs] for w in (wq, wk, wv))
        out = []
        for t in range(len(xs)):
            row = []
            for h in range(0, size, width):
                places = range(t + 1) if causal else range(len(xs))
                scores = [sum(q[t][h + j] * k[s][h + j] for j in range(width)) / width**0.5 for s in places]
                top = autograd.max(scores).detach()
                e = [(score - top).exp() for score in scores]
                total = sum(e)
                row += [sum(e[s] / total * v[s][h + j] for s in places) for j in range(width)]
            out.append(row)
        return out

    return f


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [1, 2])
def test_attention(heads, causal):
    weights = [parameters(4, 4, start=i) for i in range(3)]
    fast = agree(attention(4, heads, weights, causal), leaves(*weights), (3, 4))
    other = vectorize(attention(4, heads, weights, causal), (6, 4))
    assert shape_of(fast.forward_source) == shape_of(other.forward_source)
    assert fast.forward_source.count(" @ ") == 3  # q, k and v in one product; the scores; the weighted sum
    assert fast.report().gathers == []
    assert re.search(r"h\d.* @ h\d.*(swapaxes|transpose)", fast.forward_source)  # queries × keys, both varying


def test_a_small_language_model():
    size, places, vocabulary = 4, 3, 5
    tokens, positions, head = parameters(vocabulary, size), parameters(places, size), parameters(vocabulary, size)
    weights = [parameters(size, size, start=i) for i in range(3)]
    attend = attention(size, 2, weights, causal=True)

    def loss(text):
        xs = [[a + b for a, b in zip(tokens[t], p, strict=True)] for t, p in zip(text[:-1], positions, strict=True)]
        scales = [(sum(a * a for a in x) / size + 1e-5) ** -0.5 for x in xs]
        xs = [[a * s for a in x] for x, s in zip(xs, scales, strict=True)]
        out = []
        for x, more, target in zip(xs, attend(xs), text[1:], strict=True):
            logits = dense([a + b for a, b in zip(x, more, strict=True)], head)
            out.append(autograd.logsumexp(logits) - logits[target])
        return sum(out) / len(out)

    fast = agree(loss, leaves(tokens, positions, head, weights), places + 1, index={"text": vocabulary}, near=1e-11)
    assert fast.report().statements < 30
    assert {"w1", "w2"} <= set(dict(fast.named_parameters()))


def convolution(n, kernel, bias, padding=0):
    k = len(kernel[0])
    places = range(-padding, n - k + 1 + padding)

    def f(x):
        return [
            [
                [
                    (
                        sum(
                            w[i][j] * x[y + i][z + j]
                            for i in range(k)
                            for j in range(k)
                            if 0 <= y + i < n and 0 <= z + j < n
                        )
                        + b
                    ).relu()
                    for z in places
                ]
                for y in places
            ]
            for w, b in zip(kernel, bias, strict=True)
        ]

    return f


@pytest.mark.parametrize("padding", [0, 1])
def test_a_convolution_is_one_product_whatever_the_size(padding):
    kernel, bias = parameters(2, 3, 3), parameters(2)
    small = agree(convolution(5, kernel, bias, padding), leaves(kernel, bias), (5, 5))
    large = vectorize(convolution(8, kernel, bias, padding), (8, 8))
    assert shape_of(small.forward_source) == shape_of(large.forward_source)
    assert small.report().products == 1
    assert [p.shape for p in small.parameters()] == [(9, 2), (2,)]


def test_a_recurrent_network():
    w, u, b, out = parameters(4, 3), parameters(4, 4), parameters(4), parameters(4)

    def f(xs):
        h = [0.0] * 4
        for x in xs:
            h = [(a + c).tanh() for a, c in zip(dense(x, w, b), dense(h, u), strict=True)]
        return sum(o * a for o, a in zip(out, h, strict=True))

    agree(f, leaves(w, u, b, out), (4, 3))


# ------------------------------------------------------------------------------------------- which matrices are found


def test_a_network_is_its_layers():
    fast = vectorize(nn.MLP(3, [16, 8, 2]), 3)
    assert fast.forward_source == (
        "def forward(x, w1, b1, w2, b2, w3, b3):\n"
        "    h1 = relu(linear(x, w1, b1))\n"
        "    h2 = relu(linear(h1, w2, b2))\n"
        "    return linear(h2, w3, b3)\n"
    )
    assert [p.shape for p in fast.parameters()] == [(3, 16), (16,), (16, 8), (8,), (8, 2), (2,)]


@given(st.lists(st.integers(2, 6), min_size=2, max_size=5))
def test_one_product_a_layer(widths):
    report = vectorize(nn.MLP(widths[0], widths[1:]), widths[0]).report()
    assert report.gathers == []
    assert report.products == report.statements == len(widths) - 1


def written_somehow(products, bias, rng):
    """The same sum with its terms in any order, associated and negated in any way."""
    parts = [*products]
    rng.shuffle(parts)
    while len(parts) > 1:
        a, b = parts.pop(rng.randrange(len(parts))), parts.pop(rng.randrange(len(parts)))
        parts.append(
            rng.choice([lambda a, b: a + b, lambda a, b: a - (-b), lambda a, b: -(-a - b), lambda a, b: sum([b, a])])(
                a, b
            )
        )
    return parts[0] + bias if rng.random() < 0.5 else bias - (-parts[0])


@given(seeds)
def test_sums_are_found_however_they_are_written(start):
    w, b = parameters(4, 5), parameters(4)
    rng = random.Random(start)

    def layer(x):
        rng.seed(start)
        rows = [[a * c if rng.random() < 0.5 else c * a for a, c in zip(row, x, strict=True)] for row in w]
        return [written_somehow(row, bias, rng).relu() for row, bias in zip(rows, b, strict=True)]

    fast = agree(layer, leaves(w, b), 5)
    assert fast.forward_source == "def forward(x, w1, b1):\n    return relu(linear(x, w1, b1))\n"


def test_coefficients_stay_out_of_the_matrix():
    w = parameters(3, 4)
    fast = agree(lambda x: [2 * sum(a * c for a, c in zip(row, x, strict=True)) / 3 for row in w], leaves(w), 4)
    assert "x @ w1" in fast.forward_source
    assert fast.report().gathers == []


def test_tied_weights_are_one_matrix():
    w = parameters(5, 3)

    def f(x):
        h = [a.tanh() for a in dense(x, w)]
        return [sum(w[i][j] * h[i] for i in range(5)) for j in range(3)]

    fast = agree(f, leaves(w), 3)
    assert fast.forward_source == ("def forward(x, w1):\n    h1 = tanh(x @ w1)\n    return h1 @ w1.T\n")


def test_a_penalty_does_not_break_matrices():
    model = nn.MLP(3, [8, 4, 2])

    def loss(x, y):
        error = sum((a - b) ** 2 for a, b in zip(model(x), y, strict=True))
        return error / 2 + 1e-3 * sum(p * p for p in model.parameters())

    fast = agree(loss, model.parameters(), 3, 2)
    plain = vectorize(model, 3)
    assert fast.forward_source.splitlines()[1:3] == plain.forward_source.splitlines()[1:3]
    assert fast.report().gathers == []
    assert sorted(p.shape for p in fast.parameters()) == sorted(p.shape for p in plain.parameters())


def test_a_loss_over_all_samples():
    model = nn.MLP(3, [4, 1])

    def loss(xs, ys):
        return sum((model(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) / len(xs)

    few = agree(loss, model.parameters(), (4, 3), 4, batch=False)
    many = vectorize(loss, (20, 3), 20, batch=False)
    assert few.report().statements == many.report().statements
    assert few.report().products == 2
    assert many.report().gathers == []
    assert few(np.ones((4, 3)), np.ones(4)).shape == ()


def test_layers_share_their_input():
    """Three matrices with the same input become one product."""
    weights = [parameters(4, 4, start=i) for i in range(3)]
    fast = agree(lambda x: tuple(dense(x, w) for w in weights), leaves(*weights), 4)
    assert fast.report().products == 1


# --------------------------------------------------------------------------------------------------------- outputs

Pair = namedtuple("Pair", "first second")
w0 = Value(2.0)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x: x[0] * w0, ()),
        (lambda x: [a * w0 for a in x], (3,)),
        (lambda x: [x[0]], (1,)),
        (lambda x: [[a * b for b in x[:2]] for a in x], (3, 2)),
        (lambda x: [[[a, w0]] for a in x], (3, 1, 2)),
        (lambda x: x, (3,)),
        (lambda x: np.array(x) * w0, (3,)),
        (lambda x: [1.0, x[0]], (2,)),
        (lambda x: 1.0, ()),
        (lambda x: [1, 2.0], (2,)),
        (lambda x: w0, ()),
        (lambda x: [w0, w0 * 3], (2,)),
        (lambda x: w0 * w0 + 1, ()),
        (lambda x: [x[0], x[0], x[1]], (3,)),
    ],
)
def test_lists_become_axes(f, shapes):
    fast = agree(f, [w0], 3)
    assert fast(np.ones((5, 3))).shape == (5, *shapes)


def test_containers_come_back():
    def f(x):
        return Pair(x[0], [w0, x[1]]), {"a": x, "b": (1.0, [[w0 * x[2]]])}

    pair, rest = agree(f, [w0], 3)(np.ones((5, 3)))
    assert type(pair) is Pair
    assert (pair.first.shape, pair.second.shape) == ((5,), (5, 2))
    assert list(rest) == ["a", "b"]
    assert rest["a"].shape == (5, 3)
    assert type(rest["b"]) is tuple
    assert [x.shape for x in rest["b"]] == [(5,), (5, 1, 1)]


def test_outputs_are_tensors_of_any_number_of_samples():
    fast = vectorize(lambda x, y: [a * y * w0 for a in x], 3, ())
    for n in (0, 1, 7):
        out = fast(np.ones((n, 3)), np.ones(n))
        assert isinstance(out, Tensor)
        assert out.tolist() == [[2.0] * 3] * n
    assert fast([[1, 2, 3]], [2]).tolist() == [[4.0, 8.0, 12.0]]  # also lists of whole numbers


def test_no_parameters():
    fast = agree(lambda x: [x[0] * x[1], x[2].exp()], [], 3)
    assert fast.parameters() == []
    assert fast.report().arrays == {}
    fast.sync()
    fast.gather()


def test_float32_on_request():
    model = nn.MLP(3, [4, 2], activation="tanh")
    fast = agree(model, model.parameters(), 3, dtype=np.float32, near=1e-5)
    out = fast(np.ones((2, 3)))
    out.sum().backward()
    assert {out.dtype, *(p.dtype for p in fast.parameters()), *(p.grad.dtype for p in fast.parameters())} == {
        np.dtype(np.float32)
    }
    fast.gather()
    constant = vectorize(lambda x: (1.5, [0.1, x], x * math.pi), (), dtype="float32")
    assert {x.dtype for x in constant(np.ones(2))} == {np.dtype(np.float32)}
    assert {p.dtype for p in fast.parameters()} == {np.dtype(np.float32)}


def test_what_it_says_of_itself():
    fast = vectorize(nn.MLP(2, [4, 3]), 2)
    assert isinstance(fast, Vectorized)
    assert repr(fast) == "<vectorized MLP: 2 statements>"
    assert fast.source.startswith(fast.forward_source)
    assert "def backward(" in fast.source
    text = str(fast.report())
    assert "traced           " in text
    assert "w1 (2, 4), as it is needed in: h1 = " in text
    report = fast.report()
    assert (report.inputs, report.parameters, report.products, report.statements) == (2, 27, 2, 2)
    assert {"trace", "simplify", "plan"} <= set(report.seconds)


def test_a_gather_is_reported():
    report = vectorize(lambda x: [x[2], x[0], x[1]], 3).report()
    assert report.gathers == ["return x[:, i1]"]
    assert "x[:, i1]" in str(report)


def test_a_traceback_shows_the_program():
    def only_small(x):
        if np.max(x) > 100:
            raise OverflowError("too large")
        return x

    small = custom_op(only_small, lambda g, out, x: g, name="small")
    fast = vectorize(lambda x: [small(a) for a in x], 2)
    with pytest.raises(OverflowError) as raised:
        fast(np.full((3, 2), 1e3))
    assert any("return small(x)" in str(entry.statement) for entry in raised.traceback)


# ------------------------------------------------------------------------------------------------------- parameters


def test_parameters_have_names_gradients_and_the_values_numbers():
    w = parameters(3, 2)
    fast = vectorize(lambda x: dense(x, w), 2)
    ((name, tensor),) = fast.named_parameters("model")
    assert name == "model.w1"
    assert fast.parameters() == [tensor]
    assert tensor.data.T.tolist() == [[v.data for v in row] for row in w]
    fast(np.ones((4, 2))).sum().backward()
    assert tensor.grad.tolist() == [[4.0] * 3] * 2
    fast.zero_grad()
    assert tensor.grad is None


def test_sync_writes_back_and_gather_takes_over():
    w = parameters(3)
    fast = vectorize(lambda x: [x * v for v in w], ())
    before = [v.data for v in w]
    (tensor,) = fast.parameters()
    tensor.data = np.array([1.0, 2.0, 3.0])
    assert [v.data for v in w] == before
    fast(np.array([1.0, 2.0])).sum().backward()
    fast.sync()
    assert [v.data for v in w] == [1.0, 2.0, 3.0]
    assert {type(v.data) for v in w} == {float}
    assert [v.grad for v in w] == [3.0, 3.0, 3.0]
    w[1].data = 7.0
    assert fast(np.ones(1)).tolist() == [[1.0, 2.0, 3.0]]
    fast.gather()
    assert fast(np.ones(1)).tolist() == [[1.0, 7.0, 3.0]]


def test_sync_at_the_end_of_a_block_even_a_broken_one():
    w = Value(1.0)
    fast = vectorize(lambda x: x * w, ())
    with fast.sync() as inner:
        assert inner is fast
        fast.parameters()[0].data = np.array(2.0)
        assert w.data == 1.0
    assert w.data == 2.0
    with pytest.raises(KeyboardInterrupt), fast.sync():
        fast.parameters()[0].data = np.array(3.0)
        raise KeyboardInterrupt
    assert w.data == 3.0


@pytest.mark.parametrize("optimizer", [lambda p: nn.SGD(p, lr=0.1, momentum=0.9), lambda p: nn.Adam(p, lr=0.05)])
def test_training_is_the_scalars_training(optimizer):
    ours, theirs = nn.MLP(3, [4, 1], activation="tanh"), nn.MLP(3, [4, 1], activation="tanh")
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        p.data = q.data
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=5)
    fast = vectorize(ours, 3)
    mine, other = optimizer(fast.parameters()), optimizer(theirs.parameters())
    for _ in range(20):
        loss = ((fast(x) - y) ** 2).mean()
        slow = sum((theirs(row) - t) ** 2 for row, t in zip(x.tolist(), y.tolist(), strict=True)) / 5
        assert math.isclose(loss.item(), slow.data, rel_tol=1e-9)
        mine.zero_grad()
        other.zero_grad()
        loss.backward()
        slow.backward()
        mine.step()
        other.step()
    fast.sync()
    assert_near([p.data for p in ours.parameters()], [p.data for p in theirs.parameters()], 1e-9)
    assert loss.item() < 0.5 * np.mean(y**2)


def test_fit_trains_it():
    random.seed(1)
    fast = vectorize(nn.MLP(2, [8, 1], activation="tanh"), 2)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 2))
    data = [(x, x[:, 0] * x[:, 1])]
    history = nn.fit(fast, data, nn.squared_error, nn.Adam(fast.parameters(), lr=0.05), epochs=60, progress=False)
    assert history["train_loss"][-1] < 0.1 * history["train_loss"][0]


# ----------------------------------------------------------------------------------------- what a function may do

cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
scaled = custom_op(lambda x, y: x * np.exp(y), lambda g, out, x, y: (g * np.exp(y), g * x * np.exp(y)), name="scaled")
row, matrix = parameters(4), parameters(3, 4)
objects = np.array(matrix, dtype=object)
outside = row[0] * row[1] + row[0].exp()  # computed before anything is traced


def inside_no_grad(x):
    with no_grad():
        y = x[0] * row[0]
    return y * row[0] + x[1]


WORKS = {
    "a Value computed outside": lambda x: [x[0] * outside, x[1] * row[0]],
    "a Value made inside": lambda x: [x[0] * Value(3.0) + row[0], x[1] * (Value(3.0) * 2 + row[1])],
    "a sum from a Value of 0": lambda x: sum((Value(float(i)) * a for i, a in enumerate(x)), Value(0.0)),
    "no_grad": inside_no_grad,
    "detach": lambda x: (x[0] * row[0]).detach() * row[0] + x[1].detach(),
    "detach of a parameter": lambda x: row[0].detach() * x[0] + row[0],
    "where and conditions": lambda x: where((x[0] > 0) & (x[1] < x[2]) | (x[3] >= row[0]), x[0] * row[1], x[2]),
    "where on a parameter": lambda x: where(row[0] > 0, x[0] * row[1], -x[1]),
    "where of constants": lambda x: [where(a > 0, 1.0, row[0]) for a in x],
    "where guards a log": lambda x: [where(a > 0, where(a > 0, a, 1.0).log(), row[0] * a) for a in x],
    "reflected comparisons": lambda x: [where(0.1 < a, a, row[0]) for a in x],  # noqa: SIM300
    "a condition as a number": lambda x: (x[0] > x[1]) * row[0],
    "matrix @ list": lambda x: objects @ x,
    "matrix @ array": lambda x: list(np.tanh(objects @ np.array(x))),
    "NumPy's functions": lambda x: [np.exp(x[0]) * row[0], np.maximum(x[1], row[1]), np.tanh(row[2]) * x[2]],
    "an operation of one's own": lambda x: [cube(a) * cube(row[0]) for a in x],
    "an operation of two": lambda x: [scaled(a, b) for a, b in zip(x, row, strict=True)],
    "dot": lambda x: [autograd.dot(w, x) for w in matrix],
    "dot with a bias": lambda x: [autograd.dot(w, x, b).relu() for w, b in zip(matrix, row, strict=False)],
    "dot with itself": lambda x: autograd.dot(x, x) * row[0],
    "numbers of all kinds": lambda x: x[0] * 2 + True * x[1] - 1.5 * x[2] / 2 + 2 ** x[3] + np.float32(0.5) * row[0],
    "powers": lambda x: [x[0] ** 2, x[1] ** 3, (x[2] * x[2] + 1) ** -0.5, row[0] ** 2 * x[3] ** 1],
    "infinite constants": lambda x: [autograd.minimum(a * row[0], math.inf) for a in x],
    "constants of each place": lambda x: [
        a * c + d for a, c, d in zip(x, [1.0, 2.0, 3.0, 3.0], [0, 1, 0, 1], strict=True)
    ],
    "clip": lambda x: [a.clip(-0.5, 0.5) * row[0] for a in x] + [autograd.clip(x[0], row[0], 2.0)],
    "zero times": lambda x: [0 * x[0] + row[0], x[1] * 0.0, 0 / row[0] + x[2]],
    "cancelling": lambda x: [x[0] - x[0] + row[0], -(x[1] * -1), x[2] / x[2]],
    "the same twice": lambda x: [x[0] * row[0], x[0] * row[0], row[0] * x[0]],
    "every order": lambda x: ([x[2], x[0], x[1]], x[::-1], x[::2], [x[0], *x]),
    "outer products": lambda x: [[a * b for b in row] for a in x],
}


@pytest.mark.parametrize("name", WORKS)
def test_it_works_on(name):
    agree(WORKS[name], leaves(row, matrix), 4, near=1e-11)


@pytest.mark.parametrize(
    "name", ["max", "min", "mean", "sum", "prod", "var", "std", "norm", "logsumexp", "softmax", "log_softmax"]
)
def test_functions_of_lists(name):
    f = getattr(autograd, name, None) or getattr(ops, name)
    several = list if "softmax" in name else lambda out: out
    agree(lambda x: several(f([a * b for a, b in zip(x, row, strict=True)])), row, 4)
    agree(lambda x: [several(f([a * row[0] for a in r])) for r in x], row, (2, 3))
    agree(lambda x: several(f(row)), row, ())
    agree(lambda x: [several(f([r[0], row[0], r[1] * row[1]])) for r in x], row, (3, 2))


def test_lengths_that_differ():
    for f in (autograd.max, autograd.min, autograd.sum, autograd.prod, autograd.logsumexp, autograd.mean, autograd.var):
        agree(lambda x, f=f: [f([a * row[0] for a in x[: i + 2]]) for i in range(3)], row, 4, near=1e-11)


def test_functions_of_lists_take_parameters():
    agree(lambda x: autograd.var([a * row[0] for a in x], ddof=1), row, 4)
    agree(lambda x: autograd.max([a * row[0] for a in x], axis=0), row, 4)


def test_labels_and_tokens():
    table, w = parameters(5, 3), parameters(4, 6)

    def loss(x, label):
        logits = dense(x, w)
        top = autograd.max(logits)
        e = [(a - top).exp() for a in logits]
        return -(e[label] / sum(e)).log()

    assert agree(loss, leaves(w), 6, (), index={"label": 4}).report().products == 1
    agree(loss, leaves(w), 6, (), index={1: 4})
    for n in (2, 4):
        agree(
            lambda t: [autograd.dot(table[a], table[b]) for a, b in pairwise(t)],
            leaves(table),
            n,
            index={0: 5},
        )
    agree(lambda t: [[table[t[1]], table[t[0]]]], leaves(table), 2, index={0: 5})
    agree(lambda x, i, j: x[i] * x[j] * row[i], row, 4, (), (), index={"i": 4, "j": 4})
    agree(lambda x, i: x[0] * i + [0.0, 2.0, 5.0][i], [], 2, (), index={"i": 3})
    agree(lambda x, i: [a * (k == i) for k, a in enumerate(x)], [], 3, (), index={"i": 3})
    agree(lambda i: row[i], row, (), index={"i": 4})
    agree(lambda x, i: x[0] * row[i] + i * 0, row, 2, (), index={"i": 1})


def test_the_arguments_names_are_the_functions():
    assert vectorize(lambda image, label: image * label, (), ()).names == ["image", "label"]
    assert vectorize(lambda *xs: xs[0] * xs[1], (), ()).names == ["x1", "x2"]
    assert vectorize(nn.MLP(2, [2]), 2).names == ["x"]
    fast = agree(lambda h1, w1, b1: [h1[0] * row[0], (w1 * b1).tanh(), b1 * h1[1]], row, 2, (), ())
    assert fast.forward_source.startswith("def forward(h1, w1, b1, b2):")


def test_values_made_in_the_first_run_and_kept_are_parameters():
    kept: list[Any] = []

    def f(x):
        if not kept:
            kept.append(Value(2.0))
        return x * kept[0]

    fast = vectorize(f, ())
    assert len(fast.parameters()) == 1


def test_tracing_leaves_nothing_behind():
    w = Value(1.0)
    before = w.data, w.grad

    def breaks(x):
        w * x
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        vectorize(breaks, ())
    vectorize(lambda x: w * x, ())
    assert (w.data, w.grad) == before
    assert (w * 2).data == 2.0
    assert type(w * w) is Value
    assert gc.isenabled()


def test_a_chain_as_long_as_one_likes():
    w = Value(0.5)

    def chain(x):
        for i in range(20_000):
            x = x + w if i % 2 else x - 1.0
        return x

    agree(chain, [w], (), samples=1)


def test_tracing_while_another_thread_computes():
    w = parameters(4, 3)
    started, result = threading.Event(), []

    def f(x):
        out = []
        for r in w:
            started.set()
            time.sleep(0.002)
            out.append(sum(a * b for a, b in zip(r, x, strict=True)).tanh())
        return out

    thread = threading.Thread(target=lambda: result.append(vectorize(f, 3)))
    thread.start()
    started.wait()
    rounds = 0
    while thread.is_alive() or not rounds:
        a, b = Value(3.0), Value(2.0)
        out = autograd.sum([a * b, a.exp().log(), autograd.dot([a, b], [b, a])])
        out.backward()
        assert type(out) is Value
        assert math.isclose(out.data, 21.0)
        assert a.grad == pytest.approx(7.0)
        assert a > b
        rounds += 1
    thread.join()
    assert result[0].forward_source == "def forward(x, w1):\n    return tanh(x @ w1)\n"


# --------------------------------------------------------------------------------------------------------- refusals

model = nn.MLP(2, [2])
stock = [Value(0.5), Value(1.5)]
REMEDY = r"use where\(condition, x, y\), maximum, minimum, clip or relu"
COMPUTE = "Compute with the value itself: autograd.exp"
FROZEN = "would be frozen: pass it as an argument"
EQUAL = r"compared by identity.*where\(equal\(a, b\), x, y\)"

listed = custom_op(lambda x, *, shape: x, lambda g, out, x, *, shape: g, name="listed")


@functools.cache
def doubled(x):
    return 2.0 * x


@pytest.mark.parametrize(
    ("f", "what", "remedy"),
    [
        (lambda x: x[0] if x[0] > 0 else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[0] if stock[0] > 0 else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[0] if x[0] else x[1], "branches on a number", REMEDY),
        (lambda x: where(x[0] > 0 and x[1] > 0, x[0], x[1]), "branches", REMEDY),
        (lambda x: where(0 < x[0] < 1, x[0], x[1]), "branches", REMEDY),
        (lambda x: sorted(x), "branches on a comparison", REMEDY),
        (lambda x: float(x[0]) * x[1], "into a float", COMPUTE),
        (lambda x: int(x[0]) * x[1], "its number is not known", COMPUTE),
        (lambda x: stock[x[0]], "as a whole number, a place in a list", r"index=\{'k': 10\}"),
        (lambda x: math.gamma(x[0]), "into a float", COMPUTE),
        (lambda x: x[0].grad, r"reads \.grad", "call backward on its result"),
        (lambda x: (x[0] * stock[0]).backward(), "calls backward", "call it on the result"),
        (lambda x: x[0] if stock[0] else x[1], "branches on a number", REMEDY),
        (lambda x: x[0] if x[0].data > 0 else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[0] if stock[0].data > 0 else x[1], "branches on a comparison", REMEDY),
        (lambda x: math.gamma(x[0].data), "into a float", COMPUTE),
        (lambda x: float(stock[0].item()) * x[1], "into a float", COMPUTE),
        (lambda x: f"{x[0].data:.2f}" and x[0], "into a float", COMPUTE),
        (lambda x: max(x, key=lambda v: -v), "branches on a comparison", REMEDY),
        (lambda x: setattr(x[0], "data", 1.0), "sets the number", "make a new Value"),
        (lambda x: where(~(x[0] > 0), x[0], x[1]), "negates a comparison", "exchange the branches"),
        (lambda x: x[0] if x[1] == 1 else x[1], "by ==", EQUAL),
        (lambda x: x[0] if x[1] != 1 else x[1], "by !=", EQUAL),
        (lambda x: x[0] if x[0] == x[1] else x[1], "by ==", EQUAL),
        (lambda x: where(x[0] == 1.0, x[0], x[1]), "by ==", EQUAL),
        (lambda x: x[0] if stock[0] == x[1] else x[1], "by ==", EQUAL),
        (lambda x: x[0] if 1.0 in x else x[1], "by ==", EQUAL),
        (lambda x: x[0] if x[0] not in (0, 1) else x[1], "by ==", EQUAL),
        (lambda x: x[0] * [0, 1].index(x[1]), "by ==", EQUAL),
        (lambda x: x[0] * [0, 1].count(x[1]), "by ==", EQUAL),
        (lambda x: x[0] if (np.array(x) == 1.0).any() else x[1], "by ==", EQUAL),
        (lambda x: x[0] if x[0] in {0, 1} else x[1], "in a set or dictionary", EQUAL),
        (lambda x: {0: x[0], 1: x[1]}.get(x[0], stock[0]), "in a set or dictionary", EQUAL),
        (lambda x: doubled(x[0]), "in a set or dictionary", EQUAL),
        (lambda x: x[0] if (x[0] > 0) == (x[1] > 0) else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[0] if (x[0] > 0) in [True] else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[x[0] > 0], "branches on a comparison", REMEDY),
        (lambda x: {True: x[0], False: x[1]}[x[0] > 0], "branches on a comparison", REMEDY),
        (lambda x: x[0] if x[0].detach() == 1.0 else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[0] if autograd.isnan(x[0]) else x[1], "branches on a comparison", REMEDY),
        (lambda x: x[np.argmax(np.array(x, dtype=object))], "branches on a comparison", REMEDY),
        (lambda x: x[0] if all(x) else x[1], "branches on a number", REMEDY),
        (lambda x: x[0] if math.isclose(x[0], 1) else x[1], "into a float", COMPUTE),
        (lambda x: sum(x[0] for _ in range(x[1])), "or a count", r"index=\{'k': 10\}"),
        (lambda x: listed(x[0], shape=[1, 2]), r"gives listed shape=\[1, 2\]", "tuples"),
        (lambda x: x[0] * random.random(), "a number differs between two runs", FROZEN),
        (lambda x: x[0] * stock[0] + random.choice([x[0], x[1]] * 9 + stock), "differs", FROZEN),
    ],
)
def test_what_has_no_array_form_is_refused_at_its_line(f, what, remedy):
    random.seed(0)
    line = f"{HERE}:{f.__code__.co_firstlineno}: "
    with pytest.raises(TraceError, match=rf"{line}.*{what}.*{remedy}"):
        vectorize(f, 2)


scale = [Value(0.7), Value(-1.3)]
PYTHONS = {
    "the published softmax": lambda x: softmax_as_published([scale[0] * v for v in x])[1],
    "the number of an input": lambda x: x[0].data * x[1] + x[0] ** 2,
    "the number of a result": lambda x: (x[0] * x[1]).item() * x[2] * scale[0],
    "the number of a parameter": lambda x: scale[0].data * x[0] + scale[0] * x[1],
    "an exponent": lambda x: (x[0] ** 2 + 1.0) ** (2 * scale[0].item()),
    "max of a list": lambda x: max(x) * scale[0],
    "max of a generator": lambda x: max(scale[0] * v for v in x),
    "max of two": lambda x: max(x[0], x[1]) - max(0.0, x[2]) + max(x[0] * scale[1], -0.25),
    "max of numbers": lambda x: max(1.0, 2.0) * x[0] + max([3, 4]) * x[1] + max("ab", key=ord).count("b") * x[2],
    "max of parameters": lambda x: max(scale) * x[0] + min(scale) * x[1],
    "min": lambda x: min(x) * min(x[0], 0.5) + min(scale[1], x[1], x[2]),
    "the largest of each row": lambda x: sum(max(x[i] * w for w in scale) for i in range(3)),
}


def softmax_as_published(logits):
    """The text of microgpt."""
    max_val = max(val.data for val in logits)
    exps = [(val - max_val).exp() for val in logits]
    total = sum(exps)
    return [e / total for e in exps]


@pytest.mark.parametrize("name", PYTHONS)
def test_numbers_without_a_gradient_and_pythons_max(name):
    """`.data` is a constant that follows its number. Values and gradients are those of the function on Values."""
    f = PYTHONS[name]
    fast = vectorize(f, 3)
    samples = np.random.default_rng(0).normal(size=(7, 3))
    inputs = Tensor(samples)
    fast(inputs).sum().backward()
    with fast.sync():
        pass
    found = [w.grad for w in scale]
    for w in scale:
        w.grad = 0.0
    for i, sample in enumerate(samples):
        x = [Value(v) for v in sample]
        y = f(x)
        y.backward()
        np.testing.assert_allclose(fast(samples).data[i], y.data, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(inputs.grad[i], [v.grad for v in x], rtol=1e-12, atol=1e-14)
    used = {id(v) for home in fast._homes.values() for v in home.values}
    for w, gradient in zip(scale, found, strict=True):
        if id(w) in used:
            np.testing.assert_allclose(gradient, w.grad, rtol=1e-12, atol=1e-14)
        w.grad = 0.0


def test_a_value_that_was_computed_from_itself_is_refused():
    """A program that exchanges operands can make such a graph. Following it would never end."""
    w = Value(2.0) * Value(3.0)
    u = w + 1.0
    w.operands = w.parents = (u, u)
    with pytest.raises(TraceError, match="no cycles"):
        vectorize(lambda x: x * u, ())


def test_pythons_max_is_its_own_again():
    before = max, min
    vectorize(lambda x: max(x), 2)
    with pytest.raises(ZeroDivisionError):
        vectorize(lambda x: max(x) / (1 // 0), 2)
    assert (max, min) == before and max.__module__ == "builtins"


def test_a_refusal_that_the_function_catches_is_one_all_the_same():
    def f(x):
        try:
            return x[0] if x[0] > 0 else x[1]
        except TypeError:
            return x[1]

    with pytest.raises(TraceError, match=rf"{HERE}:{f.__code__.co_firstlineno + 2}: branches on a comparison"):
        vectorize(f, 2)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: where(autograd.equal(x[0], x[1]), w0, x[0] * w0),
        lambda x: where(x[0].detach() != 0.5, w0, x[0]),
        lambda x: where(autograd.isnan(x[0] * w0), 0.0, x[1]),
        lambda x: sum(a > 0.2 for a in x) * w0 + (x[0] > x[1]) * x[0] - (x[1] > 0) / 2.0,
        lambda x: x[0] * w0 if x[0] is not x[1] else x[1],
        lambda x: x[0] * w0 if x[0] in x else x[1],
        lambda x: x[0] * w0 if x[0] != None else x[1],  # noqa: E711
    ],
)
def test_questions_that_have_answers(f):
    agree(f, [w0], 2)


def test_a_graph_that_changes_is_refused_at_the_first_line_that_differs():
    count = iter(range(10))

    def f(x):
        y = x[0] * stock[0]
        for _ in range(next(count)):
            y = y + x[1]
        return y.tanh()

    with pytest.raises(TraceError, match=rf"{HERE}:\d+: what is computed from here on depends on something"):
        vectorize(f, 2)


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (lambda x, k: x[0] * stock[0] if k == 0 else x[1].exp(), "depends on a whole number"),
        (lambda x, k: sum(a * stock[0] for a in x[:k]), ""),
    ],
)
def test_an_index_may_not_change_what_is_computed(f, what):
    with pytest.raises(TraceError, match=rf"(?s){what}.*{REMEDY}|returned"):
        vectorize(f, 3, (), index={"k": 3})


def test_an_index_that_changes_the_structure_names_the_line():
    def f(x, k):
        y = x[0] * 2.0
        if k == 0:
            y = y.tanh()
        return y + x[1]

    line = f.__code__.co_firstlineno + 3
    with pytest.raises(TraceError, match=rf"{HERE}:{line}: what is computed from here on depends on a whole number"):
        vectorize(f, 3, (), index={"k": 3})


def test_too_many_whole_numbers_together_are_refused():
    def f(x, i, j, k):
        y = x[0] + 1.0
        return y * row[(i + j * k) % 3]

    line = f.__code__.co_firstlineno + 2
    what = r"depends on 3 whole numbers together, which take 4,913 combinations: at most 4,096 are tried; look up"
    with pytest.raises(TraceError, match=rf"{HERE}:{line}: .*{what}"):
        vectorize(f, 3, (), (), (), index={"i": 17, "j": 17, "k": 17})


square, flat = parameters(3, 3), parameters(9)
TOGETHER: dict[str, Any] = {
    "a table of two": lambda x, i, j, k: square[i][j] * x,
    "in the other order": lambda x, i, j, k: square[j][i] * x,
    "of one number twice": lambda x, i, j, k: square[i][i] * x,
    "one table after another": lambda x, i, j, k: square[i][j] * square[j][k] + square[k][i] * x,
    "rows of a table": lambda x, i, j, k: sum(a * b for a, b in zip(square[i], square[j], strict=True)) * x,
    "a table in one list": lambda x, i, j, k: flat[3 * i + j] * x,
    "a table of three": lambda x, i, j, k: flat[(i + 3 * j - k) % 9] * x,
    "the difference": lambda x, i, j, k: flat[abs(i - j)] * x,
    "equal or not": lambda x, i, j, k: x * [flat[1] + x, flat[0]][i == j],
    "less or not": lambda x, i, j, k: (flat[0] if i < j else flat[1] if k else x) * x,
    "a constant": lambda x, i, j, k: x * (1.0 if i == j else 0.5),
    "what was computed": lambda x, i, j, k: [x * flat[0], x.tanh(), flat[1] * 2.0, x][(i + j) % 4],
    "an output": lambda x, i, j, k: square[i][j],
}
TRAINED = [*(v for r in square for v in r), *flat]


@pytest.mark.parametrize("name", TOGETHER)
def test_several_whole_numbers_together(name):
    agree(TOGETHER[name], TRAINED, (), (), (), (), index={"i": 3, "j": 3, "k": 3}, samples=12)


def test_transitions_are_one_lookup():
    """A score of neighbours, as in a chain of labels: however long it is."""
    texts = set()
    for n in (4, 8, 20):
        text = agree(
            lambda t, n=n: sum(square[t[i]][t[i + 1]] for i in range(n - 1)), TRAINED, n, index={0: 3}
        ).forward_source
        texts.add(text.replace(f":{n - 1}", ":n"))
    assert texts == {"def forward(t, w1):\n    h1 = w1[t[:, :n], t[:, 1:]]\n    return h1.sum(axis=-1)\n"}


@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 4), min_size=1, max_size=4), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_any_arithmetic_of_whole_numbers(places, first, second):
    def f(x, i, j):
        return [flat[(a * i + b * j[0] + c * j[1] + d) % 9] * x for a, b, c, d in places]

    agree(f, TRAINED, (), (), 2, index={"i": first, "j": second}, samples=5)


def test_results_that_are_no_numbers():
    for f, named in [
        (lambda x: "text", "str 'text'"),
        (lambda x: None, "NoneType None"),
        (lambda x: [x, None], "NoneType None"),
        (lambda x: x > 0, "Condition"),
        (lambda x: {1, 2}, "set"),
    ]:
        with pytest.raises(TraceError, match=f"<lambda> returned {named}.* lists, tuples and dictionaries"):
            vectorize(f, ())


def test_lists_of_tuples_are_refused():
    with pytest.raises(TraceError, match=r"unequal parts.*use a tuple"):
        vectorize(lambda x: [(x, x)], ())


def test_a_number_kept_from_another_trace():
    kept: list[Any] = []
    vectorize(lambda x: keeping(kept, x), ())
    for f in (
        lambda x: autograd.maximum(x, kept[0]),
        lambda x: autograd.max([x, kept[0]]),
        lambda x: where(x > kept[0], x, 0.0),
        lambda x: kept[0],
    ):
        with pytest.raises(TraceError, match=rf"{HERE}:\d+: a number of another trace was kept and is used here"):
            vectorize(f, ())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0, 2.0]],), TypeError, "<lambda> was vectorized for 2 arguments, got 1"),
        ((np.ones((2, 4)), np.ones(2)), ValueError, r"'x' of shape \(batch, 3\), and was given \(2, 4\)"),
        ((np.ones(3), np.ones(3)), ValueError, r"'x' of shape \(batch, 3\), and was given \(3,\)"),
        ((np.ones((2, 3)), np.ones((2, 1))), ValueError, r"'y' of shape \(batch.*given \(2, 1\).*vectorize again"),
        ((np.ones((2, 3)), np.ones(4)), ValueError, r"batches of different lengths: \[\(2, 3\), \(4,\)\]"),
        ((np.ones((2, 3)), 1.0), ValueError, r"given \(\)"),
        ((Tensor(np.ones((2, 4))), np.ones(2)), ValueError, r"given \(2, 4\)"),
    ],
)
def test_arrays_of_other_shapes(arguments, error, message):
    fast = vectorize(lambda x, y: x[0] * y, 3, ())
    with pytest.raises(error, match=message):
        fast(*arguments)


def test_shapes_without_a_batch():
    fast = vectorize(lambda x: x[0] * 2.0, 3, batch=False)
    assert fast(np.ones(3)).tolist() == 2.0
    with pytest.raises(ValueError, match=r"of shape \(3.*was given \(2, 3\)"):
        fast(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([0.0, 1.0], TypeError, "'k' is whole numbers: an integer array, not float64"),
        ([True, False], TypeError, "not bool"),
        (Tensor([0.0, 1.0]), TypeError, "not a Tensor"),
        ([0, 3], IndexError, "'k' holds 3, but takes values from 0 to 2"),
        ([2, -1], IndexError, "'k' holds -1, but takes values from 0 to 2"),
    ],
)
def test_indices_are_whole_numbers_in_range(given, error, message):
    fast = vectorize(lambda x, k: x[k] * 2.0, 3, (), index={"k": 3})
    assert fast(np.ones((2, 3)), np.array([0, 2], np.uint8)).tolist() == [2.0, 2.0]
    with pytest.raises(error, match=message):
        fast(np.ones((2, 3)), given)


@pytest.mark.parametrize(
    ("shapes", "options", "error", "message"),
    [
        ([3, ()], {"index": {"nope": 3}}, ValueError, r"index names 'nope', but .* are \['x', 'k'\]"),
        ([3, ()], {"index": {2: 3}}, ValueError, "index names argument 2, but 2 shapes were given"),
        ([3, ()], {"index": {-1: 3}}, ValueError, "index names argument -1"),
        ([3, ()], {"index": {"k": 0}}, ValueError, "'k' takes at least one value, got 0"),
        ([3, ()], {"index": {"k": 2.5}}, TypeError, "integer"),
        ([3, ()], {"index": {"k": 4}}, IndexError, "out of range"),
        ([3, ()], {"dtype": np.int64}, TypeError, "float32 or float64, not int64"),
        ([3, ()], {"dtype": np.float16}, TypeError, "not float16"),
        ([0, ()], {}, ValueError, "a shape is a number of 1 or more.*got 0"),
        ([(2, -1), ()], {}, ValueError, r"got \(2, -1\)"),
        ([(2.0,), ()], {}, ValueError, r"got \(2.0,\)"),
        (["ab", ()], {}, ValueError, "got 'ab'"),
        ([3], {}, TypeError, "missing 1 required positional argument: 'k'"),
        ([3, (), ()], {}, TypeError, "takes 2 positional arguments but 3 were given"),
    ],
)
def test_bad_options(shapes, options, error, message):
    with pytest.raises(error, match=message):
        vectorize(lambda x, k: x[k if isinstance(k, int) else 0] * 2.0, *shapes, **options)


# -------------------------------------------------------------------------------------------- what went wrong once


def test_a_negated_sum_is_a_product():
    w = parameters(3, 4)
    for f in (lambda x: [(-a).relu() for a in dense(x, w)], lambda x: [-a for a in dense(x, w)]):
        report = agree(f, leaves(w), 4).report()
        assert (report.products, report.gathers) == (1, [])


@pytest.mark.parametrize(
    "f",
    [
        lambda tanh: [a.tanh() * w0 for a in tanh],
        lambda i1: [i1[2] * w0, i1[0], i1[1]],
        lambda inf: [autograd.minimum(a, math.inf) * w0 for a in inf],
        lambda c1: [a * c * w0 for a, c in zip(c1, [1.0, 2.0, 3.0], strict=True)],
    ],
)
def test_any_name_may_be_an_arguments(f):
    agree(f, [w0], 3)


NAMES = [
    "product",
    "linear",
    "sum",
    "np",
    "dy",
    "y",
    "w1",
    "h1",
    "_0_",
    "join",
    "inf",
    "where",
    "forward",
    "len",
    "out1",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_an_argument_meets_a_name_of_the_program(name):
    w = parameters(2, 3)
    f = eval(f"lambda {name}: ([a.relu() for a in dense({name}, w)], {name}[0] * w[0][0])", {**globals(), "w": w})
    agree(f, leaves(w), 3).source
    plain = eval(f"lambda {name}: sum_(dense({name}, w))", {**globals(), "w": w, "sum_": sum})
    fast = vectorize(plain, 3)
    fast(np.ones((2, 3))).sum().backward()
    assert_near(fast.parameters()[0].grad.reshape(-1), [2.0] * 6, 1e-12)


def test_arguments_with_all_the_names_of_an_output():
    f = eval("lambda y, out, result, output: y * out * w0 + result - output", {"w0": w0})
    agree(f, [w0], (), (), (), ()).source
    agree(eval("lambda exp, exp_, inf: exp * exp_.exp() * w0 + inf", {"w0": w0}), [w0], (), (), ()).source


@pytest.mark.parametrize("name", [None, "", "exp", "lambda", "my op", "2d", "é", "custom", "detach", *NAMES])
def test_no_name_of_an_operation_meets_a_name_of_the_program(name):
    mine = custom_op(lambda x: x * x + 1.0, lambda g, out, x: 2.0 * g * x, name=name)
    other = custom_op(lambda x, *, k: k * x, lambda g, out, x, *, k: k * g, name=name)
    row = Elementwise(name or "row", lambda x: 3.0 * x, lambda out, x: 3, doc="Three times.")

    def f(custom):
        y = [mine(w0 * custom[0]).tanh(), other(custom[1], k=math.inf).clip(-1.0, 1.0), mine(3.0), row(custom[0])]
        return [*y, other(w0, k=2) * autograd.exp(custom[0]), autograd.sum(custom) * Value(2.0).exp()]

    agree(f, [w0], 2)


def test_nothing_is_left_of_a_program_that_is_dropped():
    def entries():
        gc.collect()
        return sum(name.startswith(("<chainrule forward", "<chainrule backward")) for name in linecache.cache)

    before = entries()
    fast = vectorize(lambda x: (x * w0).tanh(), ())
    fast(np.ones(2)).sum().backward()
    assert "tanh" in inspect.getsource(fast._function)
    kept = weakref.ref(fast._program)
    assert entries() > before
    del fast
    assert entries() == before
    assert kept() is None


def test_a_program_that_is_shown_again_does_not_grow():
    w = parameters(2, 3)
    fast = vectorize(lambda x: [a.relu() * a.exp() for a in dense(x, w)], 3)
    texts, known = fast.source, len(fast.program.parameters[0].trees.known)
    assert fast.source == texts
    assert len(fast.program.parameters[0].trees.known) == known


def test_nan_times_an_answer_is_nan():
    fast = vectorize(lambda x: x.log() * where(x > 0, 1.0, 0.0) * w0, ())
    assert np.isnan(fast(np.array([-1.0, 2.0])).data).tolist() == [True, False]


def test_zeros_of_either_sign_are_constants_of_their_own():
    zeros = [[0.0, 1.0], [-0.0, 1.0]]
    fast = vectorize(lambda x: [[where(v > 0, c, 2.0) for v, c in zip(x, row, strict=True)] for row in zeros], 2)
    assert np.signbit(fast(np.ones((1, 2))).data).tolist() == [[[False, False], [True, False]]]


@pytest.mark.parametrize("name", ["y", "y_"])
def test_no_operation_has_the_name_of_an_output(name):
    mine = custom_op(lambda x: x * x, lambda g, out, x: 2.0 * g * x, name=name)
    f = eval("lambda y, out, result, output: mine(y * w0) * out + result + output", {"w0": w0, "mine": mine})
    agree(f, [w0], (), (), (), ())


WRONG = {
    "value": "tanh(x @ w1 * 1.00001)",
    "gradient of a parameter": "tanh(x @ detach(w1))",
    "gradient of an input": "tanh(detach(x) @ w1)",
    "for one row": "tanh((x @ w1) * (1.0 + 0.1 * (len(x) == 1)))",
    "for many rows": "tanh((x @ w1) * (1.0 + 0.1 * (len(x) > 9)))",
    "in the text of the gradient": "",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_program_that_is_wrong_is_refused(wrong, monkeypatch):
    """The check finds a pass that changes a number anywhere."""
    source, backward = RowText.write, Writer.source

    def broken(self, x):
        text, binding = source(self, x)
        return text.replace("tanh(x @ w1)", WRONG[wrong]), binding

    def wrongly(self, *args):
        return backward(self, *args).replace("1 -", "2 -")

    w = parameters(2, 3)
    f = lambda x: [a.tanh() for a in dense(x, w)]  # noqa: E731
    assert vectorize(f, 3).forward_source == "def forward(x, w1):\n    return tanh(x @ w1)\n"
    if not WRONG[wrong]:
        monkeypatch.setattr(Writer, "source", wrongly)
        monkeypatch.setattr("autograd.vectorizing.backward.check", lambda *_: None)
    else:
        monkeypatch.setattr(RowText, "write", broken)
    with pytest.raises(TraceError, match="cannot be vectorized as it is"):
        vectorize(f, 3)


def test_the_check_leaves_everything_as_it_was():
    a, b = Value(2.0), Value(3.0)
    before = a * b  # the function closes over a node with a graph
    (before * b).backward()
    grads = [v.grad for v in (a, b, before)]
    with no_grad():
        vectorize(lambda x: before * x + a, ())
    assert [v.grad for v in (a, b, before)] == grads


def test_what_is_chaotic_is_held_to_the_digits_that_it_has():
    def f(x):
        for _ in range(80):
            x = 3.9 * x * (1 - x) + 0.0 * w0
        return x

    vectorize(lambda x: f(x.sigmoid()), ())


def test_no_depth_is_too_deep():
    """The depth of recursion must not grow with the number of steps."""
    a, b = Value(0.5), Value(0.3)

    def f(x):
        u, v = x
        seen = []
        for _ in range(50):
            u, v = u + 0.01 * (a * u - b * u * v), v + 0.01 * (u * v - v)
            seen.append(u * v)
        return sum(seen) + u.tanh()

    frames = 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(frames + 100)
    try:
        fast = vectorize(f, 2)
        assert fast._program is not None
        assert "def backward" in fast.source
    finally:
        sys.setrecursionlimit(before)
    agree(f, [a, b], 2, near=1e-10)


class Weight(Value):
    __slots__ = ()


@pytest.mark.parametrize("kind", ["of a class of one's own", "made in the first run", "frozen"])
def test_all_parameters_are_found(kind):
    made = {"of a class of one's own": [Weight(float(i)) for i in range(6)], "frozen": parameters(6)}.get(kind, [])

    def f(x):
        if not made:
            made.extend(parameters(6))
        return sum(a * v for a, v in zip(x, made, strict=True))

    if kind == "frozen":
        gc.collect()
        gc.freeze()
    try:
        fast = vectorize(f, 6)
    finally:
        gc.unfreeze()
    assert [p.shape for p in fast.parameters()] == [(6,)]


def test_a_parameters_data_is_not_frozen():
    """It follows the array that is trained, and has no gradient."""
    w, u = Value(2.0), Value(3.0)
    fast = vectorize(lambda x: x[0] * w.data + w * u.data, 2)
    x = np.ones((4, 2))
    assert fast(x).tolist() == [8.0] * 4
    for tensor in fast.parameters():
        tensor.data = 10.0 * tensor.data
    assert fast(x).tolist() == [20.0 + 600.0] * 4
    fast.zero_grad()
    fast(x).sum().backward()
    fast.sync()
    assert (w.data, w.grad, u.data, u.grad) == (20.0, 4 * 30.0, 30.0, 0.0)


@pytest.mark.parametrize(
    "use", [lambda x, y, kept: x * kept, lambda x, y, kept: autograd.dot([x], [kept]), lambda x, y, kept: kept + 1.0]
)
def test_a_number_of_another_trace_is_refused_everywhere(use):
    kept: list[Any] = []
    vectorize(lambda x, y: (keeping(kept, y), x)[1], (), ())
    with pytest.raises(TraceError, match="another trace"):
        vectorize(lambda x, y: use(x, y, kept[0]), (), ())


def test_a_kept_number_is_of_no_use_afterwards():
    kept: list[Any] = []
    vectorize(lambda x: keeping(kept, x), ())
    with pytest.raises(TraceError):
        kept[0] + 1.0


@pytest.mark.parametrize("f", [lambda x: [[x], [x, x]], lambda x: [x, [x]]])
def test_ragged_lists_are_refused(f):
    with pytest.raises(TraceError, match=r"unequal parts.*use a tuple"):
        vectorize(f, ())


def test_a_shape_that_is_a_float():
    shape: Any = 2.0
    with pytest.raises(ValueError, match=r"a shape is a number of 1 or more.*got 2\.0"):
        vectorize(lambda x: x, shape)


def test_tracing_in_a_thread_does_not_change_what_others_see():
    w = Value(2.0)
    runs, seen = iter(range(9)), threading.Event()
    second = threading.Event()

    def f(x):
        if next(runs) == 1:
            second.set()
            seen.wait(5)
        return x * w

    thread = threading.Thread(target=lambda: vectorize(f, ()))
    thread.start()
    second.wait(5)
    number = (w * 1.0).data
    seen.set()
    thread.join()
    assert number == 2.0


@pytest.mark.parametrize(
    "f", [lambda x: [a**3.5 for a in x], lambda x: [a.log() for a in x], lambda x: [1 / (a - a) for a in x]]
)
def test_building_a_program_does_not_warn(f):
    vectorize(f, 9)  # warnings are errors here
