"""The programs of tests/gallery.py: their numbers, their gradients, and how many statements they have."""

import re
from functools import cache

import numpy as np
import pytest
from gallery import ENTRIES, PAGE, REFUSED, page

from autograd import Tensor, Value, vectorize
from autograd.transforms.containers import flatten
from autograd.vectorizing import TraceError


def vectorized(entry, n):
    """The program of an entry at a size, its function on Values, and its parameters."""
    f, shapes, parameters = entry.built(n)
    index = {key: n if limit == "n" else limit for key, limit in entry.options.get("index", {}).items()}
    return vectorize(f, *shapes, index=index), f, parameters


def nested(flat, shape):
    """Nested lists of this shape."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0]
    return [nested(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def on_values(f, parameters, samples):
    """The numbers of each sample; the gradients of their weighted sum, by the inputs and by the parameters."""
    for v in parameters:
        v.grad = 0.0
    numbers, inputs = [], []
    for k, sample in enumerate(samples):
        leaves = [[Value(v) if x.dtype.kind == "f" else v for v in x.reshape(-1).tolist()] for x in sample]
        outs = flatten(f(*[nested(own, x.shape) for own, x in zip(leaves, sample, strict=True)]))[0]
        numbers.append([x.data for x in outs])
        total = sum((w * x for w, x in zip(weights(k, len(outs)), outs, strict=True)), Value(0.0))
        total.backward()
        inputs.append([[v.grad for v in own] for own in leaves if isinstance(own[0], Value)])
    return numbers, inputs, [v.grad for v in parameters]


def weights(k, count):
    """Different weights for the outputs of the k-th sample."""
    return [1.0 + 0.1 * k + 0.2 * (i % 7) for i in range(count)]


def near(found, wanted):
    wanted = np.asarray(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max(initial=1.0))


@cache
def statements(name, n):
    """How many statements the program has at a size."""
    return vectorized(ENTRIES[name], n)[0].report().statements


@pytest.mark.parametrize("name", ENTRIES)
def test_it_computes_and_trains_what_values_do(name):
    entry = ENTRIES[name]
    n = entry.sizes[1]
    fast, f, parameters = vectorized(entry, n)
    rng = np.random.default_rng(0)
    draw = (lambda s: rng.uniform(0.1, 0.9, s)) if entry.options.get("draw") else lambda s: rng.normal(size=s)
    drawn = [
        [
            np.asarray(rng.integers(0, fast.index[i], s) if i in fast.index else draw(s))
            for i, s in enumerate(fast.shapes)
        ]
        for _ in range(3)
    ]
    for samples in (drawn, drawn[1:2]):
        numbers, inputs, gradients = on_values(f, parameters, samples)
        arrays = [np.stack(x) for x in zip(*samples, strict=True)]
        given = [Tensor(x) if x.dtype.kind == "f" else x for x in arrays]
        fast.zero_grad()
        outs = flatten(fast(*given))[0]
        flat = [x.reshape(len(samples), -1) for x in outs]
        near(np.concatenate([x.data for x in flat], axis=1), numbers)
        ends = np.cumsum([x.shape[1] for x in flat])
        shares = np.array([weights(k, int(ends[-1])) for k in range(len(samples))])
        sum((x * w).sum() for x, w in zip(flat, np.split(shares, ends[:-1], axis=1), strict=True)).backward()
        fast.sync()
        near([v.grad for v in parameters], gradients)
        for i, x in enumerate(x for x in given if isinstance(x, Tensor)):
            near(x.grad.reshape(len(samples), -1), [own[i] for own in inputs])


@pytest.mark.parametrize("name", ENTRIES)
def test_it_has_few_statements_at_every_size(name):
    entry = ENTRIES[name]
    counts = [statements(name, n) for n in entry.sizes]
    assert all(count <= entry.bound(n) for n, count in zip(entry.sizes, counts, strict=True)), counts
    if len(entry.statements) == 1:
        assert len({*counts}) == 1, counts


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda x: x.f.__name__)
def test_it_is_refused_at_its_line(refusal):
    line = refusal.f.__code__.co_firstlineno
    with pytest.raises(TraceError, match=re.escape(refusal.message)) as caught:
        vectorize(refusal.f, *refusal.shapes)
    where = re.match(r".*gallery\.py:(\d+): ", str(caught.value))
    assert where is None or line < int(where[1]) < line + 8


def test_the_page_is_that_of_the_programs():
    assert len(ENTRIES) >= 40
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/gallery.py"
