"""Scalar programs as users write them, each a few lines of plain Python over Values and lists.

`tests/test_gallery.py` holds each to Values. `python tests/gallery.py` writes the table in docs/gallery.md, and prints
how many statements each program has at its sizes.
"""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import autograd
from autograd import (
    Value,
    clip,
    dot,
    exp,
    grad,
    hessian,
    jvp,
    log,
    log_softmax,
    logsumexp,
    minimum,
    sigmoid,
    softplus,
    sqrt,
    tanh,
    value_and_grad,
    vjp,
    where,
)

PAGE = Path(__file__).parent.parent / "docs" / "gallery.md"


class Entry(NamedTuple):
    """A program.

    `make` takes what makes parameters and the size n, and returns the function and the shapes of its arguments.
    `statements` is the largest number of statements at size n, as the coefficients of a polynomial, from the constant
    on; if there is only the constant, all sizes have the same number.
    """

    kind: str
    make: Callable[..., Any]
    size: str
    sizes: tuple[int, ...]
    statements: tuple[int, ...]
    options: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.make.__doc__)

    @property
    def name(self) -> str:
        return str(self.make.__name__)

    def bound(self, n: int) -> int:
        return sum(c * n**k for k, c in enumerate(self.statements))

    def bound_text(self) -> str:
        """The bound as text: 3 n + 1."""
        powers = ["", "n", "n²"]
        terms = [
            " ".join(x for x in ("" if c == 1 and k else str(c), powers[k]) if x)
            for k, c in reversed([*enumerate(self.statements)])
            if c
        ]
        return " + ".join(terms).replace("+ -", "− ")

    def built(self, n: int) -> tuple[Callable[..., Any], tuple[Any, ...], list[Value]]:
        """The function at a size, the shapes of its arguments, and its parameters."""
        made: list[Value] = []
        f, *shapes = self.make(parameters(made), n)
        return f, tuple(shapes), made


class Refusal(NamedTuple):
    """A program that is refused: its title, the function, the shapes, and the message without the line."""

    title: str
    f: Callable[..., Any]
    shapes: tuple[Any, ...]
    message: str


ENTRIES: dict[str, Entry] = {}
REFUSED: list[Refusal] = []


def entry(kind, size, sizes, statements, **options):
    """Add a program to the gallery."""

    def register(make):
        ENTRIES[make.__name__] = Entry(kind, make, size, sizes, statements, options)
        return make

    return register


def refused(title, *shapes, message):
    """Add a program that is refused."""

    def register(f):
        REFUSED.append(Refusal(title, f, shapes, message))
        return f

    return register


def parameters(made):
    """Makes parameters on demand: `p(2, 3)` is two lists of three Values."""

    def p(*shape):
        if shape:
            return [p(*shape[1:]) for _ in range(shape[0])]
        made.append(Value(0.6 * math.sin(2.3 * len(made) + 1.0)))
        return made[-1]

    return p


# ----------------------------------------------------------------------------------------------- what programs share


def weighted(w, x):
    return sum(wi * xi for wi, xi in zip(w, x))


def linear(w, x):
    return [weighted(row, x) for row in w]


def dense(w, b, x):
    return [weighted(row, x) + bi for row, bi in zip(w, b)]


def plus(x, y):
    return [a + b for a, b in zip(x, y)]


def scaled(c, x):
    return [c * a for a in x]


def softmax(xs):
    highest = max(x.data for x in xs)
    es = [(x - highest).exp() for x in xs]
    total = sum(es)
    return [e / total for e in es]


def square_distance(x, y):
    return sum((a - b) ** 2 for a, b in zip(x, y))


def normal_log_density(x, mean, log_sigma):
    return -0.5 * ((x - mean) / exp(log_sigma)) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)


# ------------------------------------------------------------------------------------------------------ architectures


@entry("architectures", "width", (3, 8, 16), (3,))
def perceptron(p, n):
    """Multilayer perceptron, two hidden layers"""
    (w1, b1), (w2, b2), w3 = (p(n, 4), p(n)), (p(n, n), p(n)), p(n)

    def f(x):
        h = [z.tanh() for z in dense(w1, b1, x)]
        h = [z.relu() for z in dense(w2, b2, h)]
        return weighted(w3, h)

    return f, 4


@entry("architectures", "layers", (2, 4, 8), (0, 1))
def deep_perceptron(p, n):
    """Multilayer perceptron, many layers"""
    layers = [(p(5, 5), p(5)) for _ in range(n)]

    def f(x):
        for w, b in layers:
            x = [z.tanh() for z in dense(w, b, x)]
        return x

    return f, 5


@entry("architectures", "blocks", (2, 4, 8), (0, 2))
def residual_network(p, n):
    """Perceptron with skip connections"""
    blocks = [(p(6, 4), p(6), p(4, 6)) for _ in range(n)]

    def f(x):
        for w, b, v in blocks:
            h = [z.relu() for z in dense(w, b, x)]
            x = plus(x, linear(v, h))
        return x

    return f, 4


@entry("architectures", "layers", (2, 3, 4), (0, 0, 1))
def densely_connected_network(p, n):
    """Perceptron whose layers read all layers before"""
    layers = [(p(3, 3 * (k + 1)), p(3)) for k in range(n)]

    def f(x):
        seen = list(x)
        for w, b in layers:
            seen = seen + [tanh(z) for z in dense(w, b, seen)]
        return seen

    return f, 3


@entry("architectures", "experts", (2, 4, 8), (4,))
def mixture_of_experts(p, n):
    """Mixture of experts with a softmax gate"""
    gate, experts = p(n, 3), p(n, 2, 3)

    def f(x):
        shares = softmax(linear(gate, x))
        answers = [[z.tanh() for z in linear(w, x)] for w in experts]
        return [sum(s * a[i] for s, a in zip(shares, answers)) for i in range(2)]

    return f, 3


@entry("architectures", "length", (6, 9, 16), (2,))
def convolution_1d(p, n):
    """Convolution over a sequence, three filters, mean"""
    filters, bias = p(3, 3), p(3)

    def f(x):
        maps = [[(weighted(k, x[i : i + 3]) + c).relu() for i in range(n - 2)] for k, c in zip(filters, bias)]
        return [sum(m) / len(m) for m in maps]

    return f, n


@entry("architectures", "side", (5, 7, 10), (2,))
def convolution_2d(p, n):
    """Convolution over an image, and a linear layer"""
    kernels, bias, out = p(2, 3, 3), p(2), p(2 * (n - 2) ** 2)

    def f(image):
        h = []
        for kernel, c in zip(kernels, bias):
            for i in range(n - 2):
                for j in range(n - 2):
                    z = c
                    for a in range(3):
                        for b in range(3):
                            z = z + kernel[a][b] * image[i + a][j + b]
                    h.append(z.relu())
        return weighted(out, h)

    return f, (n, n)


@entry("architectures", "side", (4, 6, 8), (3,))
def pooling_network(p, n):
    """Convolution and max pooling"""
    kernel = p(2, 2)

    def f(image):
        z = [
            [sum(kernel[a][b] * image[i + a][j + b] for a in (0, 1) for b in (0, 1)) for j in range(n)]
            for i in range(n)
        ]
        return [max(z[i][j], z[i + 1][j], z[i][j + 1], z[i + 1][j + 1]) for i in range(0, n, 2) for j in range(0, n, 2)]

    return f, (n + 1, n + 1)


@entry("architectures", "positions", (3, 5, 8), (4,))
def attention_head(p, n):
    """Attention head"""
    wq, wk, wv = p(4, 3), p(4, 3), p(4, 3)

    def f(xs):
        q, k, v = [[linear(w, x) for x in xs] for w in (wq, wk, wv)]
        out = []
        for i in range(n):
            a = softmax([weighted(q[i], k[j]) / math.sqrt(4) for j in range(n)])
            out.append([sum(a[j] * v[j][c] for j in range(n)) for c in range(4)])
        return out

    return f, (n, 3)


@entry("architectures", "heads", (2, 3, 4), (7,))
def multi_head_attention(p, n):
    """Causal attention with several heads"""
    width = 2 * n
    wq, wk, wv, wo = (p(width, width) for _ in range(4))

    def f(xs):
        q, k, v = [[linear(w, x) for x in xs] for w in (wq, wk, wv)]
        out = []
        for t in range(4):
            seen = []
            for h in range(0, width, 2):
                a = softmax([weighted(q[t][h : h + 2], k[s][h : h + 2]) for s in range(t + 1)])
                seen += [sum(a[s] * v[s][h + c] for s in range(t + 1)) for c in range(2)]
            out.append(linear(wo, seen))
        return out

    return f, (4, width)


@entry("architectures", "positions", (3, 5, 8), (9,))
def transformer_block(p, n):
    """Transformer block: norm, causal attention, perceptron"""
    wq, wk, wv, wo, up, down = p(4, 4), p(4, 4), p(4, 4), p(4, 4), p(8, 4), p(4, 8)

    def normed(x):
        scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def f(xs):
        keys: list[Any] = []
        values: list[Any] = []
        out = []
        for x in xs:
            h = normed(x)
            query = linear(wq, h)
            keys.append(linear(wk, h))
            values.append(linear(wv, h))
            a = softmax([weighted(query, key) / 2.0 for key in keys])
            x = plus(x, linear(wo, [sum(s * v[i] for s, v in zip(a, values)) for i in range(4)]))
            x = plus(x, linear(down, [z.relu() for z in linear(up, normed(x))]))
            out.append(x)
        return out

    return f, (n, 4)


@entry("architectures", "steps", (3, 6, 12), (1, 2))
def recurrent_network(p, n):
    """Recurrent network, the last state read out"""
    w, u, b, v = p(4, 2), p(4, 4), p(4), p(4)

    def f(xs):
        h = [0.0] * 4
        for x in xs:
            h = [(a + c + d).tanh() for a, c, d in zip(linear(w, x), linear(u, h), b)]
        return weighted(v, h)

    return f, (n, 2)


@entry("architectures", "steps", (3, 6, 12), (0, 4))
def lstm(p, n):
    """LSTM"""
    gates = [(p(3, 5), p(3)) for _ in range(4)]

    def f(xs):
        h = [0.0] * 3
        c = [0.0] * 3
        for x in xs:
            i, o, k, g = [dense(w, b, x + h) for w, b in gates]
            c = [sigmoid(k[j]) * c[j] + sigmoid(i[j]) * tanh(g[j]) for j in range(3)]
            h = [sigmoid(o[j]) * tanh(c[j]) for j in range(3)]
        return h

    return f, (n, 2)


@entry("architectures", "steps", (3, 6, 12), (0, 4))
def gru(p, n):
    """Gated recurrent unit"""
    (wz, uz), (wr, ur), (wh, uh) = [(p(3, 2), p(3, 3)) for _ in range(3)]

    def f(xs):
        h = [0.0] * 3
        for x in xs:
            z = [sigmoid(a + b) for a, b in zip(linear(wz, x), linear(uz, h))]
            r = [sigmoid(a + b) for a, b in zip(linear(wr, x), linear(ur, h))]
            m = [tanh(a + b) for a, b in zip(linear(wh, x), linear(uh, [ri * hi for ri, hi in zip(r, h)]))]
            h = [(1 - zi) * hi + zi * mi for zi, hi, mi in zip(z, h, m)]
        return h

    return f, (n, 2)


@entry("architectures", "steps", (4, 8, 16), (1, 2))
def state_space_model(p, n):
    """Diagonal state space model"""
    decay, b, c, d = p(4), p(4), p(4), p()

    def f(u):
        state = [0.0] * 4
        out = []
        for t in range(n):
            state = [sigmoid(a) * s + bi * u[t] for a, s, bi in zip(decay, state, b)]
            out.append(weighted(c, state) + d * u[t])
        return out

    return f, n


@entry("architectures", "width", (4, 8, 16), (3,))
def autoencoder(p, n):
    """Autoencoder, squared error"""
    encode, decode = (p(3, n), p(3)), (p(n, 3), p(n))

    def f(x):
        code = [z.sigmoid() for z in dense(*encode, x)]
        return sum((a - b) ** 2 for a, b in zip(dense(*decode, code), x)) / n

    return f, n


@entry("architectures", "width", (3, 6, 12), (3,))
def siamese_network(p, n):
    """Siamese network: similarity of two inputs"""
    w, b, v, c = p(n, 4), p(n), p(n), p()

    def f(x, y):
        hx, hy = [[z.tanh() for z in dense(w, b, a)] for a in (x, y)]
        return (weighted(v, [abs(s - t) for s, t in zip(hx, hy)]) + c).sigmoid()

    return f, 4, 4


@entry("architectures", "centres", (3, 6, 12), (3,))
def radial_basis_network(p, n):
    """Radial basis functions"""
    centres, widths, out = p(n, 2), p(n), p(n)

    def f(x):
        h = [exp(-softplus(s) * square_distance(x, c)) for c, s in zip(centres, widths)]
        return weighted(out, h)

    return f, 2


@entry("architectures", "width", (2, 3, 5), (1,))
def splines_on_edges(p, n):
    """Kolmogorov-Arnold layer: a spline of hat functions on each edge"""
    knots = [-1.0, -0.5, 0.0, 0.5, 1.0]
    table = p(2, n, len(knots))

    def spline(c, x):
        return sum(ck * (1 - 2 * abs(x - k)).relu() for ck, k in zip(c, knots))

    return lambda x: [sum(spline(c, xi) for c, xi in zip(row, x)) for row in table], n


@entry("architectures", "width", (2, 4, 6), (2,))
def hypernetwork(p, n):
    """Hypernetwork: one network makes the weights of another"""
    w, b = p(n * 3, 2), p(n * 3)

    def f(z, x):
        made = dense(w, b, z)
        rows = [made[3 * i : 3 * i + 3] for i in range(n)]
        return [tanh(weighted(row, x)) for row in rows]

    return f, 2, 3


@entry("architectures", "elements", (3, 6, 12), (3,))
def deep_sets(p, n):
    """Deep sets: a sum over elements"""
    (w, b), (v, c) = (p(4, 2), p(4)), (p(2, 4), p(2))

    def f(xs):
        features = [[z.relu() for z in dense(w, b, x)] for x in xs]
        pooled = [sum(row[i] for row in features) for i in range(4)]
        return dense(v, c, pooled)

    return f, (n, 2)


@entry("architectures", "nodes", (5, 6, 9), (4,))
def graph_network(p, n):
    """Graph network on a ring, two rounds of messages"""
    w, u, b = p(3, 3), p(3, 3), p(3)

    def f(nodes):
        for _ in range(2):
            inbox = [plus(nodes[v - 1], nodes[(v + 1) % n]) for v in range(n)]
            nodes = [
                [(a + c + d).tanh() for a, c, d in zip(linear(w, x), linear(u, m), b)] for x, m in zip(nodes, inbox)
            ]
        return nodes

    return f, (n, 3)


@entry("architectures", "patterns", (2, 4, 8), (6,))
def hopfield_network(p, n):
    """Modern Hopfield network: two steps towards stored patterns"""
    patterns = p(n, 4)

    def f(x):
        for _ in range(2):
            a = softmax([2.0 * s for s in linear(patterns, x)])
            x = [sum(ai * q[i] for ai, q in zip(a, patterns)) for i in range(4)]
        return x

    return f, 4


@entry("architectures", "words", (5, 9, 20), (5,), index={"word": "n", "near": "n", "far": "n"})
def word2vec(p, n):
    """Word vectors with one negative sample"""
    inner, outer = p(n, 4), p(n, 4)

    def f(word, near, far):
        return -log(sigmoid(dot(inner[word], outer[near]))) - log(sigmoid(-dot(inner[word], outer[far])))

    return f, (), (), ()


@entry("architectures", "features", (3, 6, 10), (4,))
def factorization_machine(p, n):
    """Factorization machine"""
    bias, w, v = p(), p(n), p(n, 3)

    def f(x):
        pairs = sum(weighted(v[i], v[j]) * x[i] * x[j] for i in range(n) for j in range(i + 1, n))
        return bias + weighted(w, x) + pairs

    return f, n


@entry("architectures", "width", (3, 6, 12), (3,))
def sine_network(p, n):
    """Network of sines (SIREN)"""
    (w1, b1), (w2, b2), out = (p(n, 2), p(n)), (p(n, n), p(n)), p(n)

    def f(x):
        h = [autograd.sin(3.0 * z) for z in dense(w1, b1, x)]
        h = [autograd.sin(z) for z in dense(w2, b2, h)]
        return weighted(out, h)

    return f, 2


@entry("architectures", "width", (3, 6, 12), (2,))
def gated_linear_unit(p, n):
    """Gated linear unit"""
    w, v, out = p(n, 3), p(n, 3), p(2, n)
    return lambda x: linear(out, [a * b.sigmoid() for a, b in zip(linear(w, x), linear(v, x))]), 3


@entry("architectures", "tokens", (3, 6, 9), (5,), index={"words": 7})
def bag_of_words(p, n):
    """Classifier of the mean of word vectors"""
    table, w, b = p(7, 4), p(3, 4), p(3)

    def f(words):
        mean = [sum(table[k][i] for k in words) / n for i in range(4)]
        return log_softmax(dense(w, b, mean))

    return f, n


# ------------------------------------------------------------------------------------------------------------- losses


@entry("losses", "classes", (3, 6, 10), (3,), index={"label": "n"})
def cross_entropy(p, n):
    """Cross-entropy of a softmax"""
    w, b = p(n, 4), p(n)
    return lambda x, label: -log(softmax(dense(w, b, x))[label]), 4, ()


@entry("losses", "outputs", (2, 5, 8), (4,))
def binary_cross_entropy(p, n):
    """Binary cross-entropy of logits"""
    w, b = p(n, 3), p(n)

    def f(x, t):
        return sum(z.relu() - z * ti + log(1 + exp(-abs(z))) for z, ti in zip(dense(w, b, x), t))

    return f, 3, n


@entry("losses", "classes", (3, 6, 10), (3,), index={"label": "n"})
def hinge(p, n):
    """Hinge loss of several classes"""
    w = p(n, 4)

    def f(x, label):
        scores = linear(w, x)
        return sum((1 + s - scores[label]).relu() for s in scores) - 1

    return f, 4, ()


@entry("losses", "outputs", (3, 5, 8), (3,))
def huber(p, n):
    """Huber loss"""
    w = p(n, 3)

    def f(x, t):
        r = [y - ti for y, ti in zip(linear(w, x), t)]
        return sum(where(abs(a) < 1, 0.5 * a * a, abs(a) - 0.5) for a in r)

    return f, 3, n


@entry("losses", "classes", (3, 6, 10), (5,), index={"label": "n"})
def focal(p, n):
    """Focal loss"""
    w, b = p(n, 4), p(n)

    def f(x, label):
        q = softmax(dense(w, b, x))[label]
        return -((1 - q) ** 2) * log(q)

    return f, 4, ()


@entry("losses", "width", (3, 6, 9), (4,))
def contrastive(p, n):
    """Contrastive loss of a pair"""
    w = p(n, 4)

    def f(x, y, same):
        d2 = square_distance(linear(w, x), linear(w, y))
        return same * d2 + (1 - same) * (1 - sqrt(d2 + 1e-6)).relu() ** 2

    return f, 4, 4, ()


@entry("losses", "pairs", (3, 5, 8), (8,))
def info_nce(p, n):
    """InfoNCE over the pairs of a batch"""
    w = p(3, 4)

    def unit(x):
        return scaled((weighted(x, x) + 1e-6) ** -0.5, x)

    def f(xs, ys):
        a, b = [[unit(linear(w, x)) for x in part] for part in (xs, ys)]
        scores = [[weighted(u, v) / 0.2 for v in b] for u in a]
        return sum(logsumexp(row) - row[i] for i, row in enumerate(scores)) / n

    return f, (n, 4), (n, 4)


@entry("losses", "width", (3, 6, 9), (5,))
def triplet(p, n):
    """Triplet loss"""
    w = p(n, 4)

    def f(anchor, good, bad):
        a, g, b = [linear(w, x) for x in (anchor, good, bad)]
        return (square_distance(a, g) - square_distance(a, b) + 0.2).relu()

    return f, 4, 4, 4


@entry("losses", "quantiles", (2, 3, 5), (3,))
def quantile(p, n):
    """Pinball loss of several quantiles"""
    w, b = p(n, 3), p(n)
    levels = [(k + 1) / (n + 1) for k in range(n)]

    def f(x, y):
        return sum(max(q * (y - z), (q - 1) * (y - z)) for q, z in zip(levels, dense(w, b, x)))

    return f, 3, ()


@entry("losses", "steps", (4, 6, 8), (-5, 6))
def ctc(p, n):
    """Connectionist temporal classification of the text "ab", in logs"""
    w = p(3, 2)
    blank, text = 2, (2, 0, 2, 1, 2)  # blanks around each letter

    def f(xs):
        emissions = [log_softmax(linear(w, x)) for x in xs]
        alpha = [emissions[0][blank], emissions[0][text[1]]] + [-1e3] * 3
        for e in emissions[1:]:
            before = alpha
            alpha = []
            for s, c in enumerate(text):
                ways = before[max(0, s - 2) if c != blank else max(0, s - 1) : s + 1]
                alpha.append(logsumexp(ways) + e[c] if len(ways) > 1 else ways[0] + e[c])
        return -logsumexp(alpha[-2:])

    return f, (n, 2)


@entry("losses", "classes", (3, 6, 9), (5,))
def divergence(p, n):
    """Kullback-Leibler divergence of two softmaxes"""
    w, v = p(n, 3), p(n, 3)

    def f(x):
        a, b = log_softmax(linear(w, x)), log_softmax(linear(v, x))
        return sum(exp(s) * (s - t) for s, t in zip(a, b))

    return f, 3


@entry("losses", "pixels", (4, 9, 16), (4,))
def dice(p, n):
    """Dice loss of a segmentation"""
    w, b = p(), p()

    def f(image, mask):
        q = [sigmoid(w * x + b) for x in image]
        return 1 - (2 * sum(a * m for a, m in zip(q, mask)) + 1) / (sum(q) + sum(mask) + 1)

    return f, n, n


@entry("losses", "actions", (2, 4, 8), (5,), index={"action": "n"})
def clipped_policy_gradient(p, n):
    """Clipped policy gradient (PPO)"""
    w, b = p(n, 3), p(n)

    def f(state, action, old, advantage):
        ratio = exp(log_softmax(dense(w, b, state))[action] - old)
        return -minimum(ratio * advantage, clip(ratio, 0.8, 1.2) * advantage)

    return f, 3, (), (), ()


@entry("losses", "items", (3, 5, 8), (2,))
def ranking(p, n):
    """Pairwise logistic ranking of a list"""
    w = p(3)

    def f(items):
        scores = [weighted(w, x) for x in items]
        return sum(softplus(scores[j] - scores[i]) for i, j in itertools.combinations(range(n), 2))

    return f, (n, 3)


# -------------------------------------------------------------------------------------------------------- simulations


@entry("simulations", "steps", (5, 10, 20), (1, 2))
def pendulum(p, n):
    """Pendulum by Euler's method"""
    g, damping = p(2)

    def f(angle, speed):
        for _ in range(n):
            angle, speed = angle + 0.1 * speed, speed - 0.1 * (g * angle.sin() + damping * speed)
        return angle, speed

    return f, (), ()


@entry("simulations", "steps", (2, 4, 8), (1, 12))
def runge_kutta(p, n):
    """Oscillator of van der Pol by Runge and Kutta's method"""
    mu = p()

    def slope(x, v):
        return v, mu * (1 - x * x) * v - x

    def f(x, v):
        h = 0.1
        for _ in range(n):
            a1, b1 = slope(x, v)
            a2, b2 = slope(x + h / 2 * a1, v + h / 2 * b1)
            a3, b3 = slope(x + h / 2 * a2, v + h / 2 * b2)
            a4, b4 = slope(x + h * a3, v + h * b3)
            x, v = x + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4), v + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        return x, v

    return f, (), ()


@entry("simulations", "bodies", (3, 5, 6), (15,))
def bodies(p, n):
    """Gravity between bodies, two steps of Verlet's method"""
    masses = p(n)

    def accelerations(q):
        out = []
        for i in range(n):
            total = [0.0, 0.0]
            for j in range(n):
                if j != i:
                    d = [b - a for a, b in zip(q[i], q[j])]
                    s = masses[j] / (weighted(d, d) + 0.5) ** 1.5
                    total = plus(total, scaled(s, d))
            out.append(total)
        return out

    def f(q, v):
        a = accelerations(q)
        for _ in range(2):
            v = [plus(x, scaled(0.05, y)) for x, y in zip(v, a)]
            q = [plus(x, scaled(0.1, y)) for x, y in zip(q, v)]
            a = accelerations(q)
            v = [plus(x, scaled(0.05, y)) for x, y in zip(v, a)]
        return q, v

    return f, (n, 2), (n, 2)


@entry("simulations", "cells", (9, 12, 17), (10,))
def heat_equation(p, n):
    """Heat equation on a rod, four steps"""
    k = p()

    def f(u):
        for _ in range(4):
            u = [u[0]] + [u[i] + k * (u[i - 1] - 2 * u[i] + u[i + 1]) for i in range(1, n - 1)] + [u[-1]]
        return u

    return f, n


@entry("simulations", "steps", (2, 4, 8), (2, 10))
def reaction_diffusion(p, n):
    """Reaction and diffusion (Gray-Scott) on a ring"""
    feed, kill = p(2)

    def f(u, v):
        m = len(u)
        for _ in range(n):
            r = [a * b * b for a, b in zip(u, v)]
            u, v = (
                [u[i] + 0.1 * (u[i - 1] + u[(i + 1) % m] - 2 * u[i]) - r[i] + feed * (1 - u[i]) for i in range(m)],
                [v[i] + 0.05 * (v[i - 1] + v[(i + 1) % m] - 2 * v[i]) + r[i] - kill * v[i] for i in range(m)],
            )
        return u, v

    return f, 6, 6


@entry("simulations", "masses", (3, 5, 9), (3,))
def spring_network(p, n):
    """Energy of a chain of springs in the plane"""
    stiffness, rest = p(n - 1), p(n - 1)

    def f(points):
        energy = 0.0
        for i in range(n - 1):
            length = sqrt(square_distance(points[i], points[i + 1]) + 0.01)
            energy = energy + 0.5 * stiffness[i] * (length - rest[i]) ** 2
        return energy

    return f, (n, 2)


@entry("simulations", "pendulums", (1, 2, 4), (8,))
def double_pendulum(p, n):
    """Energy of double pendulums"""
    m1, m2, l1, l2 = p(4)

    def energy(a, b, va, vb):
        kinetic = 0.5 * m1 * (l1 * va) ** 2 + 0.5 * m2 * (
            (l1 * va) ** 2 + (l2 * vb) ** 2 + 2 * l1 * l2 * va * vb * (a - b).cos()
        )
        return kinetic - (m1 + m2) * 9.81 * l1 * a.cos() - m2 * 9.81 * l2 * b.cos()

    return lambda states: [energy(*s) for s in states], (n, 4)


@entry("simulations", "steps", (3, 6, 12), (3, 5))
def kepler(p, n):
    """Orbit around a star by the leapfrog method"""
    mass = p()

    def f(x, y, vx, vy):
        for _ in range(n):
            x, y = x + 0.05 * vx, y + 0.05 * vy
            s = 0.1 * mass / (x * x + y * y + 0.1) ** 1.5
            vx, vy = vx - s * x, vy - s * y
            x, y = x + 0.05 * vx, y + 0.05 * vy
        return [x, y, vx, vy]

    return f, (), (), (), ()


@entry("simulations", "steps", (4, 8, 16), (3, 3))
def epidemic(p, n):
    """Susceptible, infected, recovered"""
    beta, gamma = p(2)

    def f(s, i):
        r = 0.0
        for _ in range(n):
            new, healed = sigmoid(beta) * s * i, sigmoid(gamma) * i
            s, i, r = s - new, i + new - healed, r + healed
        return [s, i, r]

    return f, (), ()


@entry("simulations", "steps", (3, 6, 12), (0, 3))
def lorenz(p, n):
    """Lorenz's equations"""
    sigma, rho, beta = p(3)

    def f(x, y, z):
        for _ in range(n):
            dx, dy, dz = sigma * (y - x), x * (rho - z) - y, x * y - beta * z
            x, y, z = x + 0.02 * dx, y + 0.02 * dy, z + 0.02 * dz
        return [x, y, z]

    return f, (), (), ()


@entry("simulations", "points", (8, 12, 16), (13,))
def wave_equation(p, n):
    """Wave equation on a string, three steps"""
    c = p()

    def f(now, before):
        for _ in range(3):
            now, before = (
                [2 * now[i] - before[i] + c * c * (now[i - 1] - 2 * now[i] + now[(i + 1) % n]) for i in range(n)],
                now,
            )
        return now

    return f, n, n


@entry("simulations", "steps", (2, 4, 8), (0, 2))
def neural_differential_equation(p, n):
    """A network as the slope of a differential equation"""
    w, b, v = p(5, 2), p(5), p(2, 5)

    def f(x):
        for _ in range(n):
            x = plus(x, scaled(0.1, linear(v, [z.tanh() for z in dense(w, b, x)])))
        return x

    return f, 2


# ------------------------------------------------------------------------------------------------ probabilistic models


@entry("probabilistic models", "components", (2, 4, 8), (5,))
def gaussian_mixture(p, n):
    """Log-likelihood of a Gaussian mixture in the plane"""
    logits, means, scales = p(n), p(n, 2), p(n, 2)

    def f(x):
        shares = log_softmax(logits)
        return logsumexp(
            [
                c + sum(normal_log_density(xi, m, s) for xi, m, s in zip(x, mean, scale))
                for c, mean, scale in zip(shares, means, scales)
            ]
        )

    return f, 2


@entry("probabilistic models", "features", (2, 5, 10), (2,))
def logistic_regression(p, n):
    """Logistic regression"""
    w, b = p(n), p()

    def f(x, y):
        q = sigmoid(weighted(w, x) + b)
        return -(y * log(q) + (1 - y) * log(1 - q))

    return f, n, ()


@entry("probabilistic models", "features", (2, 5, 10), (2,))
def poisson_regression(p, n):
    """Poisson regression"""
    w, b = p(n), p()

    def f(x, count):
        rate = weighted(w, x) + b
        return exp(rate) - count * rate

    return f, n, ()


@entry("probabilistic models", "steps", (3, 6, 12), (3, 2))
def hidden_markov_model(p, n):
    """Forward algorithm of a hidden Markov model, in logs"""
    move, means, start = p(3, 3), p(3), p(3)

    def f(xs):
        rows = [log_softmax(row) for row in move]
        alpha = plus(log_softmax(start), [-((xs[0] - m) ** 2) for m in means])
        for x in xs[1:]:
            alpha = [logsumexp([alpha[i] + rows[i][j] for i in range(3)]) - (x - means[j]) ** 2 for j in range(3)]
        return logsumexp(alpha)

    return f, n


@entry("probabilistic models", "steps", (3, 6, 12), (-5, 7))
def kalman_filter(p, n):
    """Kalman filter: log-likelihood of a series"""
    decay, q, r = p(3)

    def f(ys):
        mean, variance, total = 0.0, 1.0, 0.0
        for y in ys:
            mean, variance = decay * mean, decay * decay * variance + exp(q)
            s = variance + exp(r)
            error, gain = y - mean, variance / s
            total = total - 0.5 * (error * error / s + log(s))
            mean, variance = mean + gain * error, (1 - gain) * variance
        return total

    return f, n


@entry("probabilistic models", "points", (2, 3, 4), (-3, 6), draw="uniform")
def gaussian_process(p, n):
    """Gaussian process: the Cholesky factor by hand"""
    width, noise = p(2)

    def f(x, y):
        k = [
            [exp(-softplus(width) * (x[i] - x[j]) ** 2) + (exp(noise) if i == j else 0.0) for j in range(n)]
            for i in range(n)
        ]
        lower: list[list[Any]] = [[0.0] * n for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                rest = k[i][j] - sum(lower[i][m] * lower[j][m] for m in range(j))
                lower[i][j] = sqrt(rest) if i == j else rest / lower[j][j]
        z: list[Any] = []
        for i in range(n):
            z.append((y[i] - sum(lower[i][m] * z[m] for m in range(i))) / lower[i][i])
        return -0.5 * sum(a * a for a in z) - sum(log(lower[i][i]) for i in range(n))

    return f, n, n


@entry("probabilistic models", "width", (4, 8, 12), (5,))
def variational_autoencoder(p, n):
    """Variational autoencoder, the noise an argument"""
    hidden, mean, spread, decode = p(3, n), p(2, 3), p(2, 3), p(n, 2)

    def f(x, noise):
        h = [z.tanh() for z in linear(hidden, x)]
        m, s = linear(mean, h), linear(spread, h)
        z = [a + exp(b) * e for a, b, e in zip(m, s, noise)]
        error = sum((a - b) ** 2 for a, b in zip(linear(decode, z), x))
        return error + sum(0.5 * (a * a + exp(2 * b) - 1) - b for a, b in zip(m, s))

    return f, n, 2


@entry("probabilistic models", "layers", (1, 2, 4), (1, 3))
def planar_flow(p, n):
    """Planar normalizing flow"""
    layers = [(p(2), p(2), p()) for _ in range(n)]

    def f(z):
        total = 0.0
        for u, w, b in layers:
            h = tanh(weighted(w, z) + b)
            total = total + log(abs(1 + (1 - h * h) * weighted(u, w)) + 1e-3)
            z = plus(z, scaled(h, u))
        return total - 0.5 * weighted(z, z)

    return f, 2


@entry("probabilistic models", "layers", (1, 2, 4), (1, 4))
def coupling_flow(p, n):
    """Coupling flow (real NVP)"""
    layers = [(p(3, 2), p(2, 3), p(2, 3)) for _ in range(n)]

    def f(x):
        a, b = x[:2], x[2:]
        total = 0.0
        for w, scale, shift in layers:
            h = [z.tanh() for z in linear(w, a)]
            s, t = [z.tanh() for z in linear(scale, h)], linear(shift, h)
            a, b = [bi * exp(si) + ti for bi, si, ti in zip(b, s, t)], a
            total = total + sum(s)
        return total - 0.5 * (weighted(a, a) + weighted(b, b))

    return f, 4


@entry("probabilistic models", "side", (3, 4, 6), (3,))
def ising(p, n):
    """Energy of Ising's model on a torus"""
    coupling, field = p(2)

    def f(spins):
        energy = 0.0
        for i in range(n):
            for j in range(n):
                energy = energy - coupling * spins[i][j] * (spins[(i + 1) % n][j] + spins[i][(j + 1) % n])
                energy = energy - field * spins[i][j]
        return energy

    return f, (n, n)


@entry("probabilistic models", "steps", (3, 6, 12), (0, 2))
def conditional_random_field(p, n):
    """Linear-chain conditional random field: log of the sum over all paths"""
    w, move = p(3, 2), p(3, 3)

    def f(xs):
        alpha = linear(w, xs[0])
        for x in xs[1:]:
            e = linear(w, x)
            alpha = [logsumexp([alpha[i] + move[i][j] for i in range(3)]) + e[j] for j in range(3)]
        return logsumexp(alpha)

    return f, (n, 2)


@entry("probabilistic models", "weights", (2, 4, 8), (5,))
def evidence_lower_bound(p, n):
    """Evidence lower bound of Bayesian regression, the noise an argument"""
    mean, spread = p(n), p(n)

    def f(x, y, noise):
        w = [m + softplus(s) * e for m, s, e in zip(mean, spread, noise)]
        fit = normal_log_density(y, weighted(w, x), -1.0)
        prior = sum(normal_log_density(a, 0.0, 0.0) for a in w)
        entropy = sum(log(softplus(s)) for s in spread)
        return fit + prior + entropy

    return f, n, (), n


@entry("probabilistic models", "players", (4, 8, 16), (2,), index={"winner": "n", "loser": "n"})
def bradley_terry(p, n):
    """Strengths of players (Bradley-Terry)"""
    strength = p(n)
    return lambda winner, loser: softplus(strength[loser] - strength[winner]), (), ()


@entry("probabilistic models", "users", (4, 8, 12), (3,), index={"user": "n", "item": 6})
def matrix_factorization(p, n):
    """Ratings by users and items"""
    users, items, bias = p(n, 3), p(6, 3), p()
    return lambda user, item, rating: (dot(users[user], items[item]) + bias - rating) ** 2, (), (), ()


@entry("probabilistic models", "samples", (3, 6, 12), (3,))
def student_regression(p, n):
    """Regression with errors after Student, a whole data set"""
    a, b, log_scale = p(3)

    def f(xs, ys):
        return sum(2.5 * log(1 + (y - a * x - b) ** 2 / (4 * exp(2 * log_scale))) + log_scale for x, y in zip(xs, ys))

    return f, n, n


# ----------------------------------------------------------------------------------------------------------- numerics


@entry("numerics", "degree", (4, 8, 16), (0, 1))
def horner(p, n):
    """Polynomial by Horner's rule"""
    coefficients = p(n + 1)

    def f(x):
        y = coefficients[0]
        for c in coefficients[1:]:
            y = y * x + c
        return y

    return f, ()


@entry("numerics", "steps", (2, 4, 8), (1, 1), draw="uniform")
def newton(p, n):
    """Square root by Newton's method"""
    shift = p()

    def f(a):
        x = 1.0
        for _ in range(n):
            x = 0.5 * (x + (a + shift * shift) / x)
        return x

    return f, ()


@entry("numerics", "dimensions", (4, 6, 8), (3,))
def rosenbrock(p, n):
    """Rosenbrock's function"""
    a, b = p(2)
    return lambda x: sum(b * (x[i + 1] - x[i] ** 2) ** 2 + (a - x[i]) ** 2 for i in range(n - 1)), n


@entry("numerics", "steps", (3, 6, 12), (1, 4), draw="uniform")
def bisection(p, n):
    """Bisection, unrolled; the error of the root"""
    c = p()

    def g(x, a):
        return x**3 + x - a

    def f(a):
        low, high = 0.0 * a, 1.0 + 0.0 * a
        for _ in range(n):
            middle = (low + high) / 2
            right = g(middle, a) < 0
            low, high = where(right, middle, low), where(right, high, middle)
        return c * (g(low, a) ** 2 + low * a)

    return f, ()


@entry("numerics", "vectors", (2, 3, 4), (-4, 4))
def gram_schmidt(p, n):
    """Gram and Schmidt's basis"""
    rows = p(n, 4)

    def f(x):
        basis: list[Any] = []
        for row in rows:
            v = plus(row, x)
            for b in basis:
                v = plus(v, scaled(-weighted(v, b), b))
            basis.append(scaled((weighted(v, v) + 1e-3) ** -0.5, v))
        return basis

    return f, 4


@entry("numerics", "actions", (2, 4, 8), (5,))
def softmax_policy(p, n):
    """Expected reward of a softmax policy, with entropy"""
    w = p(n, 3)

    def f(state, rewards):
        q = softmax(linear(w, state))
        return weighted(q, rewards) - 0.1 * sum(a * log(a) for a in q)

    return f, 3, n


@entry("numerics", "power", (2, 4, 6), (0, 1))
def matrix_power(p, n):
    """Power of a matrix times a vector"""
    m = p(3, 3)

    def f(x):
        for _ in range(n):
            x = linear(m, x)
        return x

    return f, 3


@entry("numerics", "steps", (2, 4, 6), (2, 2))
def power_iteration(p, n):
    """Greatest eigenvalue by power iteration"""
    m = p(3, 3)

    def f(x):
        for _ in range(n):
            x = linear(m, x)
            x = scaled((weighted(x, x) + 1e-6) ** -0.5, x)
        return weighted(x, linear(m, x))

    return f, 3


@entry("numerics", "side", (2, 3, 4), (-5, 4), draw="uniform")
def determinant(p, n):
    """Determinant by elimination"""
    shift = p(n)

    def f(m):
        rows = [[a + (3.0 + shift[i] if i == j else 0.0) for j, a in enumerate(row)] for i, row in enumerate(m)]
        product = rows[0][0]
        for k in range(n - 1):
            for i in range(k + 1, n):
                c = rows[i][k] / rows[k][k]
                rows[i] = [a - c * b for a, b in zip(rows[i], rows[k])]
            product = product * rows[k + 1][k + 1]
        return product

    return f, (n, n)


@entry("numerics", "steps", (2, 4, 8), (1, 1))
def unrolled_descent(p, n):
    """Gradient descent, unrolled, with a learned rate"""
    rate, w0 = p(), p(2)

    def f(x, y):
        w = w0
        for _ in range(n):
            error = weighted(w, x) - y
            w = [wi - rate * error * xi for wi, xi in zip(w, x)]
        return (weighted(w, x) - y) ** 2

    return f, 2, ()


@entry("numerics", "points", (4, 8, 16), (1, 1))
def fourier_transform(p, n):
    """Spectrum of a signal, weighted"""
    w = p(n // 2)

    def f(x):
        power = []
        for k in range(n // 2):
            re = sum(x[t] * math.cos(2 * math.pi * k * t / n) for t in range(n))
            im = sum(x[t] * math.sin(2 * math.pi * k * t / n) for t in range(n))
            power.append(re * re + im * im)
        return weighted(w, power)

    return f, n


@entry("numerics", "steps", (1, 2, 4), (4, 2))
def sinkhorn(p, n):
    """Optimal transport by Sinkhorn's iterations"""
    cost = p(3, 3)

    def f(a, b):
        k = [[exp(-c) for c in row] for row in cost]
        u, v = [1.0] * 3, [1.0] * 3
        for _ in range(n):
            u = [exp(ai) / weighted(row, v) for ai, row in zip(a, k)]
            v = [exp(b[j]) / sum(k[i][j] * u[i] for i in range(3)) for j in range(3)]
        return sum(u[i] * k[i][j] * v[j] * cost[i][j] for i in range(3) for j in range(3))

    return f, 3, 3


@entry("numerics", "nodes", (4, 8, 16), (10,))
def quadrature(p, n):
    """Integral by the trapezoid rule"""
    a, b = p(2)

    def f(end):
        h = end / n
        ys = [tanh(a * (i * h)) + b * (i * h) ** 2 for i in range(n + 1)]
        return h * (sum(ys) - 0.5 * (ys[0] + ys[-1]))

    return f, ()


# ----------------------------------------------------------------------------------------------- derivatives inside


@entry("derivatives inside", "width", (3, 6, 12), (8,))
def physics_informed_network(p, n):
    """Physics-informed loss: u'' + u = 0 by grad(grad(u))"""
    w, b, v = p(n), p(n), p(n)

    def u(x):
        return sum(vi * tanh(wi * x + bi) for vi, wi, bi in zip(v, w, b))

    return lambda x: (grad(grad(u))(x) + u(x)) ** 2 + u(0.0) ** 2 + (grad(u)(0.0) - 1) ** 2, ()


@entry("derivatives inside", "width", (3, 6, 9), (5,))
def heat_residual(p, n):
    """Physics-informed loss in time and space: u_t − u_xx"""
    w, b, v = p(n, 2), p(n), p(n)

    def u(t, x):
        return weighted(v, [z.tanh() for z in dense(w, b, [t, x])])

    def f(t, x):
        u_t = grad(u)(t, x)
        u_xx = grad(grad(u, 1), 1)(t, x)
        return (u_t - u_xx) ** 2

    return f, (), ()


@entry("derivatives inside", "atoms", (3, 4, 5), (10,))
def forces(p, n):
    """Forces as minus the gradient of an energy, fitted to others"""
    depth, size = p(2)

    def energy(atoms):
        total = 0.0
        for a, b in itertools.combinations(atoms, 2):
            s = (size * size / (square_distance(a, b) + 1.0)) ** 3
            total = total + 4 * depth * (s * s - s)
        return total

    def f(atoms, measured):
        found = [[-g for g in row] for row in grad(energy)(atoms)]
        return sum(square_distance(a, b) for a, b in zip(found, measured))

    return f, (n, 2), (n, 2)


@entry("derivatives inside", "width", (3, 6, 12), (4,))
def gradient_penalty(p, n):
    """Gradient penalty of a critic"""
    w, b, v = p(n, 3), p(n), p(n)

    def critic(x):
        return weighted(v, [z.tanh() for z in dense(w, b, x)])

    def f(x):
        value, slope = value_and_grad(critic)(x)
        return value + 10 * (sqrt(weighted(slope, slope) + 1e-6) - 1) ** 2

    return f, 3


@entry("derivatives inside", "width", (3, 6, 9), (4,))
def hamiltonian_network(p, n):
    """Hamilton's equations of a learned energy"""
    w, b, v = p(n, 2), p(n), p(n)

    def energy(q, momentum):
        return weighted(v, [z.tanh() for z in dense(w, b, [q, momentum])])

    def f(q, momentum):
        dq, dp = grad(energy, (0, 1))(q, momentum)
        return [dp, -dq]

    return f, (), ()


@entry("derivatives inside", "steps", (1, 2, 3), (0, 2))
def newton_by_grad(p, n):
    """Newton's method, the slope by grad"""
    a, b = p(2)

    def g(x, target):
        return x**3 + (a * a + 1) * x + b - target

    def f(target):
        x = 0.5
        for _ in range(n):
            x = x - g(x, target) / grad(g)(x, target)
        return x

    return f, ()


@entry("derivatives inside", "inner steps", (1, 2, 3), (1, 2))
def learning_to_learn(p, n):
    """Loss after steps of learning (MAML)"""
    start, rate = p(2), p()

    def f(x, y):
        def loss(w):
            return (tanh(weighted(w, x)) - y) ** 2

        w = start
        for _ in range(n):
            w = [wi - rate * g for wi, g in zip(w, grad(loss)(w))]
        return loss(w)

    return f, 2, ()


@entry("derivatives inside", "dimensions", (3, 4, 5), (-3, 2))
def curvature(p, n):
    """Trace of a Hessian"""
    w, v = p(4, n), p(4)

    def u(x):
        return weighted(v, [z.sin() for z in linear(w, x)])

    def f(x):
        h = hessian(u)(x)
        return sum(h[i][i] for i in range(n))

    return f, n


@entry("derivatives inside", "width", (3, 6, 9), (5,))
def directional_derivatives(p, n):
    """A derivative along a direction by jvp, and its transpose by vjp"""
    w = p(2, n)

    def layer(x):
        return [z.tanh() for z in linear(w, x)]

    def f(x, v, u):
        _, along = jvp(layer, (x,), (v,))
        _, pull = vjp(layer, x)
        return weighted(along, u) + sum(pull(u)[0])

    return f, n, n, 2


# ------------------------------------------------------------------------------------------------------------ refused

STRENGTH = Value(0.5)
TABLE = [Value(0.1), Value(0.2), Value(0.3)]


@refused("A branch on a number", (), message="branches on a comparison that is not known while tracing")
def branch(x):
    return x * STRENGTH if x > 0 else -x


@refused("Iteration until it converges", (), message="branches on a comparison that is not known while tracing")
def convergence(x):
    y = 1.0
    while abs(y * y - x) > 1e-6:
        y = 0.5 * (y + x / y)
    return y * STRENGTH


@refused("An index that is computed from numbers", (), message="uses a number that is not known as a whole number")
def computed_index(x):
    return TABLE[x]


@refused("A number as the key of a dictionary", (), message="looks a number up in a set or dictionary")
def key(x):
    return {x: STRENGTH}[x]


@refused("Lists of unequal lengths as a result", 2, message="returned a list of unequal parts")
def ragged(x):
    return [[x[0] * STRENGTH], [x[0], x[1]]]


@refused("A training inside: .backward()", 2, message="calls backward while tracing")
def training(x):
    loss = (x[0] * STRENGTH - x[1]) ** 2
    loss.backward()
    return STRENGTH.grad


@refused("A number that is set: x.data = …", 2, message="sets the number of a Value that is traced")
def assignment(x):
    y = x[0] * STRENGTH
    y.data = 0.0
    return y


@refused("An operation written by hand", (), message="makes a Value of a number that is not known while tracing")
def by_hand(x):
    out = Value(x.data**3, (x,), "cube")
    out._backward = lambda: None
    return out * STRENGTH


# -------------------------------------------------------------------------------------------------------------- table


INTRODUCTION = """\
# A gallery of scalar programs

These programs are written as people write them: a few lines of Python over Values and lists. `vectorize` takes them as
they are. Their texts are in `tests/gallery.py`. `tests/test_gallery.py` compares each with its run on Values, numbers
and gradients, and holds it to the bound in the table. `python tests/gallery.py` writes this page.

*Statements* is the largest number of array statements in the forward pass. *n* says what the size is. Without an n,
programs of all sizes have the same number.
"""


def page():
    """The text of docs/gallery.md."""
    lines = [INTRODUCTION.rstrip()]
    for kind in dict.fromkeys(x.kind for x in ENTRIES.values()):
        lines += ["", f"## {kind.capitalize()}", "", "| program | n | statements |", "|---|---|---|"]
        lines += [f"| {x.title} | {x.size} | {x.bound_text()} |" for x in ENTRIES.values() if x.kind == kind]
    lines += ["", "## What is refused", "", "The error names the line, and says what to write instead.", ""]
    lines += ["| program | error |", "|---|---|"]
    lines += [f"| {x.title} | {x.message} |" for x in REFUSED]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import test_gallery

    for x in ENTRIES.values():
        counts = [test_gallery.vectorized(x, n)[0].report().statements for n in x.sizes]
        print(f"{x.name:30} {x.sizes!s:14} {counts!s:18} {x.bound_text():10} {[x.bound(n) for n in x.sizes]}")
    PAGE.write_text(page(), encoding="utf-8")
