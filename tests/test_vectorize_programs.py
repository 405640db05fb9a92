"""Programs as people write them: vectorized, they give the numbers and gradients of Values, for batches of any length.

Each program is compared with its own run on Values, for each sample. It runs on plain arrays, and on Tensors, where the
inputs have gradients too. `test_random_graphs` draws graphs in which nearly every node is read twice.
"""

import itertools
import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import (
    Tensor,
    Value,
    custom_op,
    dot,
    exp,
    grad,
    jvp,
    log,
    logsumexp,
    maximum,
    minimum,
    no_grad,
    ops,
    value_and_grad,
    vectorize,
    vjp,
    where,
)
from autograd.transforms.containers import flatten

BATCHES = (1, 2, 4, 7, 64)


class Weights:
    """Makes parameters on demand: `p(2, 3)` is two lists of three."""

    def __init__(self):
        self.all = []

    def __call__(self, *shape, scale=0.7):
        if shape:
            return [self(*shape[1:], scale=scale) for _ in range(shape[0])]
        self.all.append(Value(scale * math.sin(2.3 * len(self.all) + 1.0)))
        return self.all[-1]


def truth(f, trained, sample, seed):
    """The outputs, their weights, and the gradients of the weighted sum in the inputs and in the parameters."""
    leaves = [[Value(v) if x.dtype.kind == "f" else v for v in x.reshape(-1).tolist()] for x in sample]
    for p in trained:
        p.grad = 0.0
    outs = flatten(f(*[nested(own, x.shape) for own, x in zip(leaves, sample, strict=True)]))[0]
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, len(outs))
    total = sum((w * x for w, x in zip(weights.tolist(), outs, strict=True)), Value(0.0))
    total.backward()
    grads = [np.array([getattr(v, "grad", 0.0) for v in own]) for own in leaves]
    return np.array([getattr(x, "data", x) for x in outs]), weights, grads, np.array([p.grad for p in trained])


def nested(flat, shape):
    if not shape:
        return flat[0]
    step = len(flat) // shape[0]
    return [nested(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def assert_near(got, want, what, near=1e-10):
    size = np.abs(want).max(initial=1.0)
    np.testing.assert_allclose(got, want, rtol=near, atol=near * size, err_msg=what)


def agree(f, trained, *shapes, draw="normal", near=1e-10, batches=BATCHES, source=True, **options):
    """Check that everything it computes is what Values compute. Returns the vectorized function."""
    fast = vectorize(f, *shapes, **options)
    rng = np.random.default_rng(0)
    count = min(7, max(batches)) if fast.batch else 1

    def drawn(shape, limit):
        if limit:
            return rng.integers(0, limit, shape)
        return rng.normal(size=shape) if draw == "normal" else rng.uniform(0.1, 0.9, shape)

    samples = [[np.asarray(drawn(s, fast.index.get(i))) for i, s in enumerate(fast.shapes)] for _ in range(count)]
    truths = [truth(f, trained, sample, k) for k, sample in enumerate(samples)]
    for n, recorded in itertools.product(batches if fast.batch else (1,), (False, True)):
        what = f"batch {n}, {'Tensors' if recorded else 'arrays'}\n{fast.forward_source}"
        rows = [k % count for k in range(n)]
        arrays = [np.stack([samples[k][i] for k in rows]) for i in range(len(fast.shapes))]
        arrays = arrays if fast.batch else [x[0] for x in arrays]
        given = [Tensor(x) if recorded and x.dtype.kind == "f" else x for x in arrays]
        scale = rng.uniform(0.5, 1.5, n)
        fast.zero_grad()
        outs = flatten(fast(*given))[0]
        numbers = np.concatenate([out.data.reshape(n, -1) for out in outs], axis=1)
        assert_near(numbers, np.stack([truths[k][0] for k in rows]), what, near)
        weights = np.stack([c * truths[k][1] for c, k in zip(scale, rows, strict=True)])
        ends = np.cumsum([out.size // n for out in outs])[:-1]
        parts = [(x * w.reshape(x.shape)).sum() for x, w in zip(outs, np.split(weights, ends, axis=1), strict=True)]
        sum(parts).backward()
        for p in trained:
            p.grad = 0.0
        fast.sync()
        wanted = sum(c * truths[k][3] for c, k in zip(scale, rows, strict=True))
        assert_near(np.array([p.grad for p in trained]), wanted, what, near)
        for i, x in enumerate(given):
            if isinstance(x, Tensor):
                got = np.zeros(x.shape) if x.grad is None else x.grad
                wanted = np.stack([c * truths[k][2][i] for c, k in zip(scale, rows, strict=True)])
                assert_near(got.reshape(n, -1), wanted, f"input {i}, {what}", near)
    assert not source or "def backward" in fast.source
    return fast


# ------------------------------------------------------------------------------------------------------- the programs


def dense(x, w, b=None):
    out = [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]
    return out if b is None else [y + bi for y, bi in zip(out, b, strict=True)]


def softmax(xs):
    es = [exp(x - autograd.max(xs)) for x in xs]
    return [e / sum(es) for e in es]


def mse(ys, ts):
    return sum((y - t) ** 2 for y, t in zip(ys, ts, strict=True)) / len(ys)


PROGRAMS: dict[str, Any] = {}


def program(*shapes, **options):
    """A program: given `Weights`, the function of one sample."""

    def register(make):
        PROGRAMS[make.__name__] = (make, shapes, options)
        return make

    return register


@program((5, 5))
def strided_convolution(p):
    kernels, bias = p(2, 3, 3), p(2)
    return lambda img: [
        (sum(k[a][b] * img[i + a][j + b] for a in range(3) for b in range(3)) + c).relu()
        for k, c in zip(kernels, bias, strict=True)
        for i in (0, 2)
        for j in (0, 2)
    ]


@program((3, 3))
def padded_strided_convolution(p):
    kernels = p(2, 3, 3)

    def f(img):
        def at(i, j):
            return img[i][j] if 0 <= i < 3 and 0 <= j < 3 else 0.0

        return [
            sum(k[a][b] * at(i + a, j + b) for a in range(3) for b in range(3)).tanh()
            for k in kernels
            for i in (-1, 1)
            for j in (-1, 1)
        ]

    return f


@program((2, 4, 4))
def channels_and_pooling(p):
    kernels = p(3, 2, 2, 2)

    def f(img):
        maps = [
            [[sum(k[c][a][b] * img[c][i + a][j + b] for c in (0, 1) for a in (0, 1) for b in (0, 1)) for j in range(3)]
             for i in range(3)]
            for k in kernels
        ]  # fmt: skip
        return [autograd.max([m[i + a][j + b] for a in (0, 1) for b in (0, 1)]) for m in maps for i in (0, 1)
                for j in (0, 1)]  # fmt: skip

    return f


@program(9)
def dilated_causal_convolution(p):
    w = p(3)
    return lambda x: [
        sum(w[k] * x[t - 2 * k] for k in range(3) if t - 2 * k >= 0).tanh() + w[0] * x[t] for t in range(9)
    ]


@program((4, 3))
def causal_attention(p):
    q, k, v, out = p(3, 3), p(3, 3), p(3, 3), p(3, 3)

    def f(xs):
        qs, ks, vs = ([dense(x, w) for x in xs] for w in (q, k, v))
        result = []
        for t in range(4):
            a = softmax([dot(qs[t], ks[s]) / math.sqrt(3) for s in range(t + 1)])
            mixed = [sum(a[s] * vs[s][i] for s in range(t + 1)) for i in range(3)]
            result.append([y + x for y, x in zip(dense(mixed, out), xs[t], strict=True)])
        return result

    return f


@program((3, 2), (2, 2))
def cross_attention_with_a_mask(p):
    w = p(2, 2)

    def f(queries, memory):
        keys = [dense(m, w) for m in memory]
        return [
            sum(a * m[0] for a, m in zip(softmax([dot(q, k) for k in keys[: 1 + i % 2]]), memory, strict=False))
            for i, q in enumerate(queries)
        ]

    return f


EDGES = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 0), (3, 1)]


@program((4, 2))
def message_passing(p):
    w, u, b = p(2, 2), p(2, 2), p(2)

    def f(nodes):
        for _ in range(2):
            messages = [dense(n, w) for n in nodes]
            inbox = [[sum(messages[a][i] for a, c in EDGES if c == v) for i in range(2)] for v in range(4)]
            nodes = [
                [(x + y + z).tanh() for x, y, z in zip(dense(n, u), m, b, strict=True)]
                for n, m in zip(nodes, inbox, strict=True)
            ]
        return [sum(n[i] for n in nodes) for i in range(2)]

    return f


@program((4, 2))
def graph_attention(p):
    w, a = p(2, 2), p(4)

    def f(nodes):
        hs = [dense(n, w) for n in nodes]
        out = []
        for v in range(4):
            near = [x for x, y in EDGES if y == v] + [v]
            scores = softmax([dot(a, hs[v] + hs[x]).leaky_relu(0.2) for x in near])
            out.append([sum(s * hs[x][i] for s, x in zip(scores, near, strict=True)) for i in range(2)])
        return out

    return f


@program((5, 3))
def crf_log_partition(p):
    transitions, start, w = p(3, 3), p(3), p(3, 3)

    def f(xs):
        emissions = [dense(x, w) for x in xs]
        alpha = [s + e for s, e in zip(start, emissions[0], strict=True)]
        for e in emissions[1:]:
            alpha = [logsumexp([alpha[i] + transitions[i][j] for i in range(3)]) + e[j] for j in range(3)]
        gold = start[0] + emissions[0][0] + sum(transitions[0][0] + e[0] for e in emissions[1:])
        return logsumexp(alpha) - gold

    return f


@program((4, 2))
def hmm_forward(p):
    move, see, first = p(2, 2), p(2, 2), p(2)

    def f(xs):
        rows, start = [softmax(r) for r in move], softmax(first)
        alpha = [start[i] * exp(dot(see[i], xs[0])) for i in range(2)]
        for x in xs[1:]:
            alpha = [sum(alpha[i] * rows[i][j] for i in range(2)) * exp(dot(see[j], x)) for j in range(2)]
        return log(sum(alpha))

    return f


@program((4, 2))
def viterbi_score(p):
    move, see = p(3, 3), p(3, 2)

    def f(xs):
        best = dense(xs[0], see)
        for x in xs[1:]:
            e = dense(x, see)
            best = [autograd.max([best[i] + move[i][j] for i in range(3)]) + e[j] for j in range(3)]
        return autograd.max(best)

    return f


@program((4, 2))
def recurrent_network(p):
    w, u, b, v = p(3, 2), p(3, 3), p(3), p(1, 3)

    def f(xs):
        h = [0.0] * 3
        for x in xs:
            h = [(a + c + d).tanh() for a, c, d in zip(dense(x, w), dense(h, u), b, strict=True)]
        return dense(h, v)[0]

    return f


@program((3, 2))
def gru(p):
    gates = [(p(2, 2), p(2, 2), p(2)) for _ in range(3)]

    def f(xs):
        h = [0.0, 0.0]
        for x in xs:
            (z, r), (w, u, b) = (
                [[(a + c + d).sigmoid() for a, c, d in zip(dense(x, w), dense(h, u), b, strict=True)]
                 for w, u, b in gates[:2]],
                gates[2],
            )  # fmt: skip
            n = [(a + g * c + d).tanh() for a, g, c, d in zip(dense(x, w), r, dense(h, u), b, strict=True)]
            h = [(1 - k) * m + k * old for k, m, old in zip(z, n, h, strict=True)]
        return h

    return f


@program((3, 2))
def lstm(p):
    gates = [(p(2, 4), p(2)) for _ in range(4)]

    def f(xs):
        h: list[Any] = [0.0, 0.0]
        c: list[Any] = [0.0, 0.0]
        for x in xs:
            i, f, o, g = ([*map(k, dense(x + h, w, b))] for k, (w, b) in zip(
                (autograd.sigmoid, autograd.sigmoid, autograd.sigmoid, autograd.tanh), gates, strict=True))  # fmt: skip
            c = [a * b + d * e for a, b, d, e in zip(f, c, i, g, strict=True)]
            h = [a * b.tanh() for a, b in zip(o, c, strict=True)]
        return h + c

    return f


@program(2)
def lotka_volterra_by_euler(p):
    a, b, c, d = p(4)

    def f(x):
        u, v = x
        for _ in range(12):
            u, v = u + 0.01 * (a * u - b * u * v), v + 0.01 * (d * u * v - c * v)
        return [u, v]

    return f


@program(2)
def pendulum_by_rk4(p):
    g, damping = p(), p()

    def slope(s):
        return [s[1], -(g * s[0].sin()) - damping * s[1]]

    def f(s):
        h = 0.1
        for _ in range(3):
            k1 = slope(s)
            k2 = slope([x + h / 2 * k for x, k in zip(s, k1, strict=True)])
            k3 = slope([x + h / 2 * k for x, k in zip(s, k2, strict=True)])
            k4 = slope([x + h * k for x, k in zip(s, k3, strict=True)])
            s = [x + h / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(s, k1, k2, k3, k4, strict=True)]
        return s

    return f


@program((3, 2), (3, 2))
def planets_by_verlet(p):
    masses = p(3)

    def f(places, speeds):
        def forces(q):
            return [
                [sum(masses[j] * (q[j][k] - q[i][k]) / (sum((a - b) ** 2 for a, b in zip(q[i], q[j], strict=True)) + 1)
                     for j in range(3) if j != i) for k in range(2)]
                for i in range(3)
            ]  # fmt: skip

        force = forces(places)
        for _ in range(2):
            half = [[v + 0.05 * a for v, a in zip(*va, strict=True)] for va in zip(speeds, force, strict=True)]
            places = [[x + 0.1 * v for x, v in zip(*xv, strict=True)] for xv in zip(places, half, strict=True)]
            force = forces(places)
            speeds = [[v + 0.05 * a for v, a in zip(*va, strict=True)] for va in zip(half, force, strict=True)]
        return places, speeds

    return f


@program(3, 3)
def layer_norm_and_residual(p):
    gain, bias, w = p(3), p(3), p(3, 3)

    def f(x, y):
        h = [a + b for a, b in zip(dense(x, w), y, strict=True)]
        m = sum(h) / 3
        v = sum((a - m) ** 2 for a in h) / 3
        return [g * (a - m) / (v + 1e-5).sqrt() + b + a for a, g, b in zip(h, gain, bias, strict=True)]

    return f


@program(4)
def rms_norm_and_swiglu(p):
    gain, up, gate, down = p(4), p(3, 4), p(3, 4), p(4, 3)

    def f(x):
        r = (sum(a * a for a in x) / 4 + 1e-6) ** -0.5
        n = [a * r * g for a, g in zip(x, gain, strict=True)]
        h = [a * b.silu() for a, b in zip(dense(n, up), dense(n, gate), strict=True)]
        return [a + b for a, b in zip(x, dense(h, down), strict=True)]

    return f


@program(2)
def mixture_of_gaussians(p):
    means, widths, logits = p(3, 2), p(3, 2), p(3)

    def f(x):
        mix = [a - logsumexp(logits) for a in logits]
        parts = [
            m + sum(-((a - b) ** 2) / (2 * exp(2 * s)) - s - 0.5 * math.log(2 * math.pi)
                    for a, b, s in zip(x, mean, width, strict=True))
            for m, mean, width in zip(mix, means, widths, strict=True)
        ]  # fmt: skip
        return -logsumexp(parts)

    return f


@program(3)
def soft_k_means(p):
    centres = p(4, 3)

    def f(x):
        far = [sum((a - b) ** 2 for a, b in zip(x, c, strict=True)) for c in centres]
        share = softmax([-2.0 * d for d in far])
        return sum(s * d for s, d in zip(share, far, strict=True)), share

    return f


@program(())
def horner(p):
    coefficients = p(6)

    def f(x):
        y = 0.0
        for c in coefficients:
            y = y * x + c
        return y

    return f


@program(())
def powers_and_logs(p):
    c = p(4)
    return lambda x: sum(a * x**k for k, a in enumerate(c)) + (x * x + 1).log() * c[0] - (x * x) ** 0.5 * c[1]


@program(4)
def inverse_of_two_by_two(p):
    shift = p(4)

    def f(m):
        a, b, c, d = (x + s for x, s in zip(m, shift, strict=True))
        det = a * d - b * c
        return [[d / det, -b / det], [-c / det, a / det]]

    return f


@program((3, 3), 3)
def cramers_rule(p):
    shift = p(3, 3)

    def det(m):
        if len(m) == 1:
            return m[0][0]
        return sum((-1) ** j * m[0][j] * det([row[:j] + row[j + 1 :] for row in m[1:]]) for j in range(len(m)))

    def f(a, b):
        a = [[x + 3.0 * (i == j) + s for j, (x, s) in enumerate(zip(*rows, strict=True))]
             for i, rows in enumerate(zip(a, shift, strict=True))]  # fmt: skip
        d = det(a)
        return [det([[*row[:k], y, *row[k + 1 :]] for row, y in zip(a, b, strict=True)]) / d for k in range(3)]

    return f


@program((), draw="uniform")
def logistic_map(p):
    r = p()

    def f(x):
        for _ in range(6):
            x = (r + 3.0) * x * (1 - x)
        return x

    return f


@program(3, 3, ())
def temporal_difference(p):
    w, b, u = p(4, 3), p(4), p(4)

    def value(s):
        return dot([h.tanh() for h in dense(s, w, b)], u)

    def f(s, then, reward):
        with no_grad():
            target = reward + 0.9 * value(then)
        return (value(s) - target) ** 2

    return f


@program(3, (), 3, index={1: 4})
def q_learning(p):
    w = p(4, 3)

    def f(s, action, then):
        best = autograd.max(dense(then, w)).detach()
        return (dense(s, w)[action] - 0.9 * best) ** 2

    return f


@program((), (), (), index={0: 5, 1: 5, 2: 5})
def word2vec(p):
    inner, outer = p(5, 3), p(5, 3)

    def f(word, context, noise):
        v = inner[word]
        return -(dot(v, outer[context]).sigmoid().log()) - (-dot(v, outer[noise])).sigmoid().log()

    return f


@program(3, (), index={1: 4})
def classifier(p):
    w, b, v, c = p(5, 3), p(5), p(4, 5), p(4)

    def f(x, label):
        logits = dense([h.relu() for h in dense(x, w, b)], v, c)
        penalty = sum(a * a for row in w for a in row)
        return logsumexp(logits) - logits[label] + 0.01 * penalty

    return f


@program(3, index={0: 6})
def bag_of_words(p):
    table, w = p(6, 4), p(2, 4)
    return lambda tokens: dense([sum(table[t][i] for t in tokens) / 3 for i in range(4)], w)


@program(3)
def soft_decision_tree(p):
    splits, leaves = p(3, 4), p(4)

    def f(x):
        gates = [(dot(s[:3], x) + s[3]).sigmoid() for s in splits]
        left, right = gates[0], 1 - gates[0]
        reach = [left * gates[1], left * (1 - gates[1]), right * gates[2], right * (1 - gates[2])]
        return sum(r * y for r, y in zip(reach, leaves, strict=True))

    return f


@program((3, 3))
def lennard_jones(p):
    depth, size = p(), p()

    def f(atoms):
        energy = 0.0
        for a, b in itertools.combinations(atoms, 2):
            r2 = sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) + 2.0
            s6 = (size * size / r2) ** 3
            energy = energy + 4 * depth * (s6 * s6 - s6)
        return energy

    return f


@program((3, 2))
def forces_are_minus_the_gradient(p):
    k, rest = p(), p()

    def energy(atoms):
        return sum(
            0.5 * k * ((sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) + 0.1).sqrt() - rest) ** 2
            for a, b in itertools.pairwise(atoms)
        )

    return lambda atoms: [[-g for g in row] for row in grad(energy)(atoms)]


@program(2)
def one_step_of_learning_inside(p):
    w, rate = p(2), p()

    def f(x):
        def loss(v):
            return (dot(v, x).tanh() - x[0]) ** 2

        value, g = value_and_grad(loss)(w)
        return loss([a - rate * b for a, b in zip(w, g, strict=True)]) + value

    return f


@program(())
def newtons_method_inside(p):
    a, b = p(), p()

    def f(x):
        def h(t):
            return t**3 + (a * a + 1) * t - b * x

        for _ in range(2):
            x = x - h(x) / grad(h)(x)
        return x

    return f


@program(2)
def curvature_inside(p):
    a, b = p(), p()

    def f(x):
        def h(t):
            return (a * t).sin() * maximum(t, b * x[1]) + where(t > 0, t * t * b, t)

        return [
            grad(grad(h))(x[0]),
            jvp(grad(h), (x[0],), (x[1],))[1],
            grad(lambda t: autograd.max([t, x[1], a]))(x[0]),
        ]

    return f


@program((4, 2), 4, batch=False)
def regression_over_all_samples(p):
    w, b = p(2), p()
    return lambda xs, ys: mse([dot(w, x) + b for x in xs], ys)


@program((5, 3), batch=False)
def batch_norm_over_all_samples(p):
    gain, bias = p(3), p(3)

    def f(xs):
        columns = list(zip(*xs, strict=True))
        means = [sum(c) / 5 for c in columns]
        widths = [(sum((a - m) ** 2 for a in c) / 5 + 1e-5).sqrt() for c, m in zip(columns, means, strict=True)]
        return [[(a - m) / s * g + b for a, m, s, g, b in zip(x, means, widths, gain, bias, strict=True)] for x in xs]

    return f


@program((4, 3), (4, 3), batch=False)
def contrastive_loss(p):
    w = p(2, 3)

    def f(xs, ys):
        us, vs = ([dense(x, w) for x in side] for side in (xs, ys))
        scores = [[dot(u, v) / 0.5 for v in vs] for u in us]
        return sum(logsumexp(row) - row[i] for i, row in enumerate(scores)) / 4

    return f


@program(3)
def bias_read_with_and_without(p):
    w, b = p(2, 3), p(2)

    def f(x):
        h = dense(x, w)
        return (h[0] + b[0]).tanh() + h[0].sin() + (h[1] + b[1]).tanh() * h[1]

    return f


@program(2)
def all_kinds_of_outputs(p):
    w = p(2)
    return lambda x: {"input": x[0], "both": [w[0], w[1]], "constant": 3.0, "mixed": (x[1] * w[0], [w[0], 2.0, x[1]])}


@program(2)
def no_parameters(p):
    return lambda v: (v[0] * v[1], [v[0].sin(), v[1]])


@program(3)
def variational_autoencoder(p):
    enc, dec = p(4, 3), p(3, 2)

    def f(x):
        h = dense(x, enc)
        mu, s = h[:2], h[2:]
        z = [m + exp(0.5 * v) * e for m, v, e in zip(mu, s, (0.3, -0.8), strict=True)]
        kl = -0.5 * sum(1 + v - m * m - exp(v) for m, v in zip(mu, s, strict=True))
        return mse([y.sigmoid() for y in dense(z, dec)], x) + kl

    return f


@program(3, 3)
def cosine_and_triplet(p):
    w = p(2, 3)

    def f(x, y):
        a, b = dense(x, w), dense(y, w)
        cosine = dot(a, b) / ((dot(a, a) + 0.1).sqrt() * (dot(b, b) + 0.1).sqrt())
        return cosine, maximum(0.0, 1.0 - cosine + sum(abs(i - j) for i, j in zip(a, b, strict=True)))

    return f


@program(3, ())
def robust_and_quantile_losses(p):
    w, b = p(3), p()

    def f(x, y):
        e = dot(w, x) + b - y
        huber = where(abs(e) < 0.5, 0.5 * e * e, 0.5 * (abs(e) - 0.25))
        return huber + maximum(0.3 * e, -0.7 * e), minimum(e, 0.2).clip(-0.4, 0.4), maximum(0.0, 1 - y * (b + e))

    return f


@program((6,))
def haar_wavelets_and_moving_averages(p):
    a, b = p(), p()

    def f(x):
        low = [(x[2 * i] + x[2 * i + 1]) * a for i in range(3)]
        high = [(x[2 * i] - x[2 * i + 1]) * b for i in range(3)]
        mean = [sum(x[i : i + 3]) / 3 for i in range(4)]
        smooth = [x[0]]
        for v in x[1:]:
            smooth.append(a * v + (1 - a) * smooth[-1])
        return low + high, mean, smooth[::-1]

    return f


@program((3, 3))
def heat_on_a_grid(p):
    k = p()

    def f(u):
        for _ in range(2):
            u = [
                [u[i][j] + k * (sum(u[y][x] for y, x in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1))
                                    if 0 <= y < 3 and 0 <= x < 3) - 4 * u[i][j]) for j in range(3)]
                for i in range(3)
            ]  # fmt: skip
        return u

    return f


@program(4)
def factorization_machine(p):
    w, v, b = p(4), p(4, 2), p()

    def f(x):
        pairs = sum(dot(v[i], v[j]) * x[i] * x[j] for i in range(4) for j in range(i))
        return (b + dot(w, x) + pairs).sigmoid()

    return f


@program(2)
def fourier_features_and_mixture_of_experts(p):
    waves, gate, experts = p(3, 2), p(2, 2), p(2, 6)

    def f(x):
        angles = dense(x, waves)
        features = [a.sin() for a in angles] + [a.cos() for a in angles]
        return dot(softmax(dense(x, gate)), dense(features, experts))

    return f


@program((3, 2))
def permutation_and_dropout_with_fixed_draws(p):
    w = p(2, 2)

    def f(xs):
        rng = random.Random(1)
        order = rng.sample(range(3), 3)
        keep = [[rng.random() < 0.5 for _ in range(2)] for _ in range(3)]
        return [[h if k else 0.0 for h, k in zip(dense(xs[i], w), keep[i], strict=True)] for i in order]

    return f


# -------------------------------------------------------------------------------- derivatives inside of a program

cube = custom_op(lambda x: x**3, lambda g, out, x: 3.0 * g * x * x, name="cube")


def whole(f):
    """A function of two numbers, both of which depend on the variable of the derivative."""
    return lambda t, x, w: f(t * w, x + t) * w


UNARY_ROWS = [
    "exp",
    "tanh",
    "sigmoid",
    "softplus",
    "relu",
    "abs",
    "sqrt",
    "square",
    "sin",
    "gelu",
    "silu",
    "elu",
    "sign",
]
BINARY_ROWS = ["add", "sub", "mul", "div", "power", "maximum", "minimum", "hypot", "atan2"]
REDUCTIONS = ["sum", "mean", "max", "min", "prod", "var", "std", "norm", "logsumexp"]


def row_of(name):
    row = getattr(ops, name)
    if name in UNARY_ROWS:
        return whole(lambda a, b: row(a) * b)
    return whole(lambda a, b: row([a, b, 2.0 * a]) if name in REDUCTIONS else row(a * a + 0.5, b))


PAIRS = {
    **{name: row_of(name) for name in (*UNARY_ROWS, *BINARY_ROWS, *REDUCTIONS)},
    "dot": whole(lambda a, b: dot([a, b], [b, a * a], a)),
    "where": whole(lambda a, b: where(a > b, a * b, a.square())),
    "clip": whole(lambda a, b: a.clip(-0.3, 0.3) * b),
    "custom_op": whole(lambda a, b: cube(a) * b),
    "detach": whole(lambda a, b: a * ops.detach(a) * b),
    "with a constant that it meets again": lambda t, x, w: t * x * 3.0 + 3.0 * w,
    "nothing": lambda t, x, w: x * w,
    "itself": lambda t, x, w: t,
}

DERIVATIVES = {
    "grad": lambda f, x, w: grad(lambda t: f(t, x[1], w))(x[0]) * w,
    "grad at a number": lambda f, x, w: grad(lambda t: f(t, x[1], w), create_graph=True)(3.0) * w,
    "grad of a parameter": lambda f, x, w: grad(lambda v: f(x[0], x[1], v))(w) * x[0],
    "value_and_grad of a list": lambda f, x, w: value_and_grad(lambda v: f(v[0], v[1], w))(x),
    "vjp": lambda f, x, w: vjp(lambda t, u: f(t, u, w), *x)[1](x[0]),
    "jvp": lambda f, x, w: jvp(lambda t, u: f(t, u, w), x, (w, x[0])),
    "grad of grad": lambda f, x, w: grad(lambda u: grad(lambda t: f(t, u, w))(x[0]))(x[1]),
    "jvp of grad": lambda f, x, w: jvp(grad(lambda t: f(t, x[1], w)), (x[0],), (w,))[1],
    "grad of jvp": lambda f, x, w: grad(lambda u: jvp(lambda t: f(t, u, w), (x[0],), (1.0,))[1])(x[1]),
    "constant": lambda f, x, w: grad(lambda t: f(t, x[1], w), create_graph=False)(x[0]) * w * x[1],
}


@pytest.mark.parametrize("how", DERIVATIVES)
def test_a_derivative_inside_is_the_derivative(how):
    """One program with every rule that can run while tracing, in every transformation."""
    w = Value(0.7)
    agree(
        lambda x: {name: DERIVATIVES[how](f, x, w) for name, f in PAIRS.items()},
        [w],
        2,
        draw="uniform",
        near=1e-8,
        batches=(2,),
        source=False,
    )


def test_what_is_a_derivative_is_a_program_of_its_own():
    fast = vectorize(grad(lambda t: t**3), ())
    assert fast(np.array([2.0])).data.tolist() == [12.0]
    assert fast.forward_source == "def forward(x1):\n    return 3.0 * square(x1)\n"


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_computes_what_values_compute(name):
    make, shapes, options = PROGRAMS[name]
    p = Weights()
    f = make(p)
    agree(f, p.all, *shapes, **options)


def test_a_loss_over_the_samples_that_were_given():
    """The same networks, with the batch written out in the program."""
    for name in ("classifier", "crf_log_partition", "bias_read_with_and_without", "padded_strided_convolution"):
        make, shapes, _ = PROGRAMS[name]
        p = Weights()
        f = make(p)
        if name == "classifier":
            agree(lambda xs, f=f: sum(f(x, 1) for x in xs), p.all, (3, 3), batch=False)
        else:
            shape = shapes[0] if isinstance(shapes[0], tuple) else (shapes[0],)
            agree(lambda xs, f=f: [f(x) for x in xs], p.all, (2, *shape), batch=False)


# --------------------------------------------------------------------------------------------------- random graphs

UNARY = ("tanh", "sin", "sigmoid", "softplus", "detach", "relu")


def grown(leaves, weights, steps):
    """A graph grown from leaves. Operands count back from the newest number, so nearly all are read more than once.

    After a layer, both its sums and its results with a bias can be read.
    """
    pool = list(leaves)

    def at(i):
        return pool[-1 - i % len(pool)]

    for kind, i, j, c in steps:
        if kind == "unary":
            y = getattr(ops, UNARY[j % len(UNARY)])(at(i))
        elif kind == "add":
            y = at(i) + at(j)
        elif kind == "bias":
            y = at(i) * at(j) + at(c)
        elif kind == "scale":
            y = (c - 3) * 0.5 * at(i) - at(j)
        elif kind == "sum":
            y = sum(at(i + k) for k in range(2 + j % 3))
        elif kind == "layer":
            inputs, w = [at(i), at(i + 1 + c % 2)], weights[j % len(weights)]
            sums = [w[0] * inputs[0] + w[1] * inputs[1], w[2] * inputs[0] + w[3] * inputs[1]]
            pool += [*sums, (sums[0] + w[4]).tanh(), (sums[1] + w[5]).tanh()]
            y = sums[0] * sums[1]
        else:
            y = autograd.max([at(i), at(j)]) if c % 2 else at(i) * at(j)
        pool.append(y)
    return pool


numbers = st.integers(0, 7)
KINDS = ["unary", "add", "bias", "scale", "sum", "layer", "layer", "other"]
instructions = st.tuples(st.sampled_from(KINDS), numbers, numbers, numbers)


@given(st.lists(instructions, min_size=1, max_size=9), st.lists(numbers, max_size=3), st.booleans())
def test_random_graphs(steps, outputs, whole):
    p = Weights()
    w, layers = p(4), p(3, 6)

    def f(x):
        pool = grown([*w[:2], 0.5, *w[2:], *x], layers, steps)
        outs = [*pool[-3:], *(pool[-1 - i % len(pool)] for i in outputs)]
        return outs if whole else tuple(outs)

    agree(f, p.all, 3, near=1e-8)
