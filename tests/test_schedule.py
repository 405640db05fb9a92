"""What becomes a statement of a program, what it is called, and in which order the parameters are."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor, Value, custom_op, ops, vectorize
from autograd.vectorizing.array_program import leaves_of


def values(*shape):
    """Nested lists of Values with different numbers."""
    numbers = np.random.default_rng(list(shape)).uniform(0.5, 1.5, shape)
    return np.vectorize(Value, otypes=[object])(numbers).tolist()


def dense(w, x):
    return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]


def attention(n, w):
    def f(xs):
        q, k, v = ([dense(m, x) for x in xs] for m in w)
        out = []
        for i in range(n):
            scores = ops.softmax([sum(a * b for a, b in zip(q[i], k[j], strict=True)) / n for j in range(i + 1)])
            out.append([sum(s * v[j][c] for j, s in enumerate(scores)) for c in range(3)])
        return out

    return f, (n, 3)


def moving_average(n, w):
    scale = w[0][0][0] / 3
    return lambda xs: [(scale * (xs[i] + xs[i + 1] + xs[i + 2]) - xs[i]).tanh() for i in range(n - 2)], n


def distances(n, w):
    return lambda xs: [((a - b) ** 2 + w[0][0][0]).sqrt() for a in xs for b in xs], n


def batch_norm(n, w):
    def f(xs):
        mean = sum(xs) / n
        scale = (sum((x - mean) ** 2 for x in xs) / n + 1e-5) ** -0.5
        return [w[0][0][0] * (x - mean) * scale + w[0][0][1] for x in xs]

    return f, n


def thirds(n, w):
    def f(xs):
        parts = zip(xs[:n], xs[n : 2 * n], xs[2 * n :], strict=True)
        return [(a.tanh() * b.sigmoid()).exp() / (c.relu() + b * w[0][0][0]) for a, b, c in parts]

    return f, 3 * n


@pytest.mark.parametrize("program", [thirds, attention, moving_average, distances, batch_norm])
def test_longer_arrays_have_the_same_lines(program):
    """What is put into one line does not depend on how many digits its numbers have."""
    w = values(3, 3, 3)
    texts = []
    for n in (6, 12, 1000) if program is thirds else (6, 12, 24):
        f, shape = program(n, w)
        text = vectorize(f, shape).forward_source
        texts.append(re.sub(r"\d+\.\d+(e-\d+)?|(?<![\w.])\d+", "0", text))
    assert texts[0] == texts[1] == texts[2]


FORMS = st.sampled_from(["{} + {}", "{} * {}", "{} - {}", "ops.maximum({}, {})"])
GRAPHS = st.recursive(
    st.sampled_from(["x", "w0", "w1", "w2", "w3"]),
    lambda inner: st.builds(lambda form, a, b: f"({form.format(a, b)})", FORMS, inner, inner),
    max_leaves=8,
)


@given(st.lists(GRAPHS, min_size=1, max_size=3))
def test_parameters_are_in_the_order_in_which_they_are_read(texts):
    """So the order depends on the program alone, and a program that is made again has the same."""
    names = {f"w{i}": Value(0.5 + 0.1 * i) for i in range(4)}

    def f(x):
        return tuple(eval(text, {"ops": ops}, {**names, "x": x}) for text in texts)

    fast, other = vectorize(f, ()), vectorize(f, ())
    assert fast.source == other.source
    assert [x.shape for x in fast.parameters()] == [x.shape for x in other.parameters()]
    program = fast.program
    read = dict.fromkeys(leaf.name for _, value in program.statements for leaf in leaves_of(value))
    expected = [name for name in read if re.fullmatch(r"[wb]\d+", name)]
    assert [x.name for x in program.parameters] == expected
    assert fast.forward_source.startswith(f"def forward({', '.join(['x', *expected])}):")


def test_an_operation_of_ones_own_keeps_its_line():
    """The text of the backward pass cannot compute it again, so that the forward pass has to keep it."""
    cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
    w = Value(0.7)
    fast = vectorize(lambda x: ops.exp(cube(w * x)) * x, ())
    assert "s1 = cube(b1 * x)" in fast.forward_source
    x = np.array([0.3, 0.9])
    out = fast(x)
    assert out.op.name == "<lambda>"
    out.sum().backward()
    leaf = Tensor(0.7)
    (ops.exp((leaf * x) ** 3) * x).sum().backward()
    np.testing.assert_allclose(fast.parameters()[0].grad, leaf.grad, rtol=1e-12)


@pytest.mark.parametrize("count", [10, 2000])
def test_a_result_that_is_returned_whole_has_no_line(count):
    w = [Value(0.1) for _ in range(count)]
    text = vectorize(lambda x: sum(a * b for a, b in zip(w, x, strict=True)).tanh(), count).forward_source
    assert text == "def forward(x, w1):\n    return tanh(x @ w1)\n"


def test_a_choice_inside_of_a_choice_is_one():
    """Scores that a causal mask hides are plugged before they are scaled, and masked after."""
    w = values(3, 3, 3)
    f, shape = attention(4, w)
    text = vectorize(f, shape).forward_source
    assert text.count("where(") == 1
    assert re.search(r"where\(m1, (h\d+ / 4\.0|0\.25 \* h\d+), -inf\)", text), text
