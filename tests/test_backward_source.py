"""The text of the backward pass gives the engine's gradients. For two moons it is the text of a textbook."""

import re
from typing import Any

import numpy as np
import pytest
from array_programs import read
from hypothesis import given
from hypothesis import strategies as st
from texts import search

from autograd import Tensor, ops
from autograd.ops.rows import Elementwise
from autograd.vectorizing.backward import backward_source
from autograd.vectorizing.sizes import NotLowerable

FUNCTIONS = {name: getattr(ops, name) for name in dir(ops) if callable(getattr(ops, name))}
LENGTHS = {"n": 5, "m": 11}  # of the example, and of the arrays on which the text runs


class Program:
    """Statements and their arrays by shape, where "n" stands for the batch."""

    def __init__(self, statements, inputs, parameters, constants=None, outputs=("y",), positive=False):
        self.statements = [tuple(line.split(" = ", 1)) for line in statements]
        self.shapes = inputs, parameters
        self.constants = constants or {}
        self.outputs = outputs
        self.positive = positive

    def arrays(self, n, seed=0):
        rng = np.random.default_rng(seed)

        def array(shape):
            if isinstance(shape, tuple) and shape and shape[0] == "int":  # ("int", high, *lengths)
                return rng.integers(shape[1], size=[n if k == "n" else k for k in shape[2:]])
            x = rng.normal(size=[n if k == "n" else k for k in shape])
            return 0.1 + 0.8 / (1 + np.exp(-x)) if self.positive else x

        # parameters first, since they do not depend on the batch
        parameters = {name: array(shape) for name, shape in self.shapes[1].items()}
        return {name: array(shape) for name, shape in self.shapes[0].items()}, parameters

    def source(self):
        inputs, parameters = self.arrays(5)
        return backward_source(read(self.statements, inputs, parameters, self.constants, self.outputs, FUNCTIONS))

    def check(self, n=11):
        """Run the text on a batch of n, and return it."""
        text = self.source()
        inputs, parameters = self.arrays(n, seed=1)
        leaves = {name: Tensor(x) for name, x in parameters.items()}
        values = {**inputs, **leaves, **self.constants}
        for target, line in self.statements:
            values[target] = eval(line, {**FUNCTIONS, "np": np}, values)
        rng = np.random.default_rng(2)
        seeds = {name: rng.normal(size=np.shape(ops.detach(values[name]))) for name in self.outputs}
        ops.sum([ops.sum(values[name] * seed) for name, seed in seeds.items()]).backward()
        space: dict[str, Any] = {"np": np}
        exec(text, space)
        head = search(r"def backward\((.*)\):", text)[1].split(", ")
        given = dict(zip(head, seeds.values(), strict=False))
        known = {**{name: np.asarray(ops.detach(x)) for name, x in values.items()}, **given}
        before = {name: x.copy() for name, x in known.items()}
        with np.errstate(all="ignore"):
            found = space["backward"](*[known[name] for name in head])
        for name, x in known.items():
            assert np.array_equal(x, before[name], equal_nan=True), f"{name} was overwritten by\n{text}"
        for leaf, got in zip(leaves.values(), found if len(leaves) > 1 else [found], strict=True):
            want = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
            assert np.shape(got) == want.shape, text
            assert np.allclose(got, want, rtol=1e-10, atol=1e-10), text
        assert max(len(line) for line in text.splitlines() if "def " not in line and "return" not in line) <= 120, text
        return text


MASK = np.tril(np.ones((4, 4), dtype=bool))
MLP = {"w1": (2, 16), "b1": (16,), "w2": (16, 16), "b2": (16,), "w3": (16, 1), "b3": (1,)}
MOONS = Program(
    ["h1 = relu(linear(x, w1, b1))", "h2 = relu(linear(h1, w2, b2))", "y = linear(h2, w3, b3)"], {"x": ("n", 2)}, MLP
)
ATTENTION = {"wq": (6, 4), "wk": (6, 4), "wv": (6, 4), "wo": (4, 2)}
PROGRAMS = {
    "moons": MOONS,
    "tanh, written out": Program(
        ["h1 = tanh(x @ w1 + b1)", "h2 = (h1 @ w2 + b2).tanh()", "y = h2 @ w3 + b3"], {"x": ("n", 2)}, MLP
    ),
    "hinge": Program(
        ["h = relu(linear(x, w, b))", "s = h.sum(axis=1)", "e = relu(1.0 - t * s)",
         "y = e.mean() + 0.1 * (w * w).sum()"],
        {"x": ("n", 3), "t": ("n",)}, {"w": (3, 4), "b": (4,)},
    ),
    "softmax cross entropy": Program(
        ["z = linear(x, w, b)", "e = exp(z - z.max(axis=1, keepdims=True))", "p = e / e.sum(axis=1, keepdims=True)",
         "q = take_along_axis(p, t[:, None], axis=1)", "y = -log(q).mean()"],
        {"x": ("n", 3), "t": ("int", 4, "n")}, {"w": (3, 4), "b": (4,)},
    ),
    "logsumexp cross entropy": Program(
        ["z = linear(x, w, b)", "y = (logsumexp(z, axis=1) - take_along_axis(z, t[:, None], axis=1)[:, 0]).mean()"],
        {"x": ("n", 3), "t": ("int", 4, "n")}, {"w": (3, 4), "b": (4,)},
    ),
    "attention": Program(
        ["q = x @ wq", "k = x @ wk", "v = x @ wv", "s = q @ k.transpose(0, 2, 1) * 0.5",
         "e = where(mask, s, -1e9)", "p = softmax(e)", "o = p @ v", "y = (o @ wo).sum(axis=1)"],
        {"x": ("n", 4, 6)}, ATTENTION, {"mask": MASK},
    ),
    "attention with heads and holes": Program(
        ["q = (x @ wq).reshape(-1, 4, 2, 2).transpose(0, 2, 1, 3)",
         "k = (x @ wk).reshape(-1, 4, 2, 2).transpose(0, 2, 3, 1)",
         "s = q @ k", "e = where(mask, exp(s), 0.0)", "z = e.sum(axis=-1)", "p = e / z[:, :, :, None]",
         "v = (x @ wv).reshape(-1, 4, 2, 2).transpose(0, 2, 1, 3)",
         "o = (p @ v).transpose(0, 2, 1, 3).reshape(-1, 4, 4)",
         "y = o @ wo"],
        {"x": ("n", 4, 6)}, ATTENTION, {"mask": MASK},
    ),
    "sequence through linear": Program(
        ["h = tanh(linear(x, w, b))", "y = linear(h, v, c)"], {"x": ("n", 4, 3)},
        {"w": (3, 5), "b": (5,), "v": (5, 2), "c": (2,)},
    ),
    "embedding": Program(
        ["h = e[t].reshape(-1, 6)", "y = tanh(h @ w)"], {"t": ("int", 7, "n", 3)}, {"e": (7, 2), "w": (6, 2)}
    ),
    "gathers": Program(
        ["h = x @ w", "a = h[:, i1]", "b = h[:, 1:3]", "c = -h[:, 0] * 2.0 + 1.0", "d = h[:, ::2]",
         "y = (a * a).sum(axis=1) + (b * b).sum(axis=1) + c + d.sum(axis=1) + h[:, 1:].prod(axis=1)"],
        {"x": ("n", 3)}, {"w": (3, 5)}, {"i1": np.array([1, 1, 4])},
    ),
    "gathers by lists and masks": Program(
        ["h = x @ w", "y = h[:, [0, 2, 2]] * h[:, m]", "z = h[..., None] * 2.0"], {"x": ("n", 3)}, {"w": (3, 5)},
        {"m": np.array([True, True, False, True, False])}, ("y", "z"),
    ),
    "slices of slices": Program(
        ["h1 = x @ w", "h2 = h1.reshape(-1, 4, 4)[:, :, :2]", "y = h2.sum(axis=(1, 2)) * h1[:, 3]"],
        {"x": ("n", 3)}, {"w": (3, 16)},
    ),
    "broadcasts": Program(
        ["h = x[:, :, None] * w", "g = h + b[:, None] - c", "y = (g * g).sum(axis=0).mean() * s"],
        {"x": ("n", 3)}, {"w": (3, 4), "b": (3,), "c": (4,), "s": ()},
    ),
    "transposes": Program(
        ["h = w.T @ x.T", "y = h.T[:, 0] + h[1] + (v @ h)"], {"x": ("n", 3)}, {"w": (3, 4), "v": (4,)}
    ),
    "vectors": Program(["s = x @ v", "y = s @ (x @ w)"], {"x": ("n", 3)}, {"v": (3,), "w": (3, 2)}),
    "joined": Program(
        ["h = x @ w", "j = concatenate([h, x, h * 2.0], axis=1)", "s = stack([j, j * j], axis=1)", "y = s @ v"],
        {"x": ("n", 3)}, {"w": (3, 2), "v": (7,)},
    ),
    "joined along the batch": Program(
        ["h = x @ w", "j = concatenate([h, h * h])", "y = tanh(j).mean(axis=0)"], {"x": ("n", 3)}, {"w": (3, 2)}
    ),
    "used twice": Program(
        ["h = tanh(x @ w)", "y = h * h + h", "z = (y * h).sum()"], {"x": ("n", 3)}, {"w": (3, 2)}, outputs=("z", "y")
    ),
    "an output inside": Program(
        ["h = x @ w", "y = h[:, 1] + 1.0"], {"x": ("n", 3)}, {"w": (3, 2)}, outputs=("h", "y")
    ),
    "names for the same": Program(["h = x @ w", "g = h", "y = g + h"], {"x": ("n", 3)}, {"w": (3, 2)}),
    "gradients that are those of others": Program(
        ["h = a + 0.0", "g = h + b", "y = x * g", "z = (c + h) * 2.0"],
        {"x": ("n", 3)}, {"a": (3,), "b": (3,), "c": (3,)}, outputs=("y", "z"),
    ),
    "lengths among the numbers": Program(
        ["h = x @ w", "n = x.shape[0]", "m = 1 / n", "q = n / (h * h + 1.0)",
         "y = (q * m + x.shape[0] / (h + 9.0) - x.size * h / (x.size * 2 - n)).sum(axis=1)",
         "z = where(x.shape[0] > h, x.shape[0] ** 2 / (h * h + 2.0), h)"],
        {"x": ("n", 3)}, {"w": (3, 2)}, outputs=("y", "z"),
    ),
    "parameters that do not matter": Program(["h = x * c", "y = x @ w"], {"x": ("n", 3)}, {"w": (3, 2), "c": ()}),
    "a bias of the batch's shape": Program(["y = a + b"], {"x": ("n", 3)}, {"a": (2,), "b": (2,)}),
    "statistics": Program(
        ["h = x @ w", "m = h.mean(axis=0)", "v = h.var(axis=0)", "g = (h - m) / sqrt(v + 1e-5)", "s = g.std(axis=1)",
         "y = (g * g).sum(axis=1) + s + norm(h, axis=1)"],
        {"x": ("n", 3)}, {"w": (3, 4)},
    ),
    "odds": Program(
        ["h = x @ w", "c = cumsum(h, 1)", "f = flip(c, 1)", "y = softplus(f @ v).sum(axis=1) + squeeze(h[:, :1], 1)"],
        {"x": ("n", 3)}, {"w": (3, 4), "v": (4, 2)},
    ),
    "names that collide": Program(
        ["z = x @ w", "t1 = sigmoid(z * b) * sigmoid(z * b)", "dz1 = exp(t1) * t1", "y = relu(dz1 * z).sum(axis=1)"],
        {"x": ("n", 3)}, {"w": (3, 2), "b": (2,)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_gives_the_engines_gradients(name):
    PROGRAMS[name].check()


@pytest.mark.parametrize("n", [1, 2, 64])
def test_the_batch_may_have_any_length(n):
    for name in ("moons", "logsumexp cross entropy", "attention with heads and holes", "gathers"):
        PROGRAMS[name].check(n)


ZOO = [row for row in ops.ROWS.values() if isinstance(row, Elementwise)]


@pytest.mark.parametrize("row", ZOO, ids=lambda row: row.name)
def test_elementwise_rows(row):
    names = ["h", "a * b", "x * a"][: row.arity]
    if row.partials[0] is None:
        names[0] = "x > 0.5"
    elif row.domain[0][0] >= 1:
        names[0] = f"h + {row.domain[0][0]}"
    call = f"{row.name}({', '.join(names)})"
    lines = ["h = x * a + 0.001 * b", f"u = {call}", f"y = u * {call} + sigmoid({call} * 0.3)"]
    Program(lines, {"x": ("n", 3)}, {"a": (3,), "b": (3,)}, positive=True).check()


OVER_THE_BATCH = [None, 0, (0, 1)]
REDUCED = [(op, axis) for op in ("sum", "mean", "max", "min", "logsumexp", "prod", "var", "std", "norm")
           for axis in (*OVER_THE_BATCH, 1, -1) if (op, axis) not in [("prod", x) for x in OVER_THE_BATCH]]  # fmt: skip


@pytest.mark.parametrize(("op", "axis"), REDUCED)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(op, axis, keepdims):
    call = f"{op}(h * a, axis={axis}, keepdims={keepdims})"
    lines = ["h = tanh(x * a)", f"u = {op}(h, axis={axis}, keepdims={keepdims})", f"y = (u * {call}).sum()"]
    Program(lines, {"x": ("n", 3)}, {"a": (3,)}).check()


@pytest.mark.parametrize("axis", OVER_THE_BATCH)
@pytest.mark.parametrize("keepdims", [False, True])
def test_a_rule_that_loops_over_the_batch_is_refused(axis, keepdims):
    lines = ["h = x * a", f"y = h.prod(axis={axis}, keepdims={keepdims})"]
    with pytest.raises(NotLowerable):
        Program(lines, {"x": ("n", 3)}, {"a": (3,)}).source()


def test_moons():
    assert (
        MOONS.source()
        == """\
def backward(dy, x, w2, w3, h1, h2):
    dw3 = h2.T @ dy
    db3 = dy.sum(axis=0)
    dh2 = dy @ w3.T
    dz2 = np.sign(h2) * dh2
    dw2 = h1.T @ dz2
    db2 = dz2.sum(axis=0)
    dh1 = dz2 @ w2.T
    dz1 = np.sign(h1) * dh1
    dw1 = x.T @ dz1
    db1 = dz1.sum(axis=0)
    return dw1, db1, dw2, db2, dw3, db3"""
    )


LINES = {
    "dh = (1 - h * h) * dy": (["h = x @ w", "y = tanh(h)"], "dh = (1 - y * y) * dy"),
    "where": (["h = x @ w", "y = where(x[:, :1] > 0.0, h, 0.0)"], "dh = np.where(x[:, :1] > 0.0, dy, 0)"),
    "log": (["h = x @ w", "y = log(h)"], "dh = dy / h"),
    "mean": (["h = x @ w", "y = (h * h).mean()"], "dh = 2 * h * (dy / (len(h) * 2))"),
    "swapped": (["h = x @ w", "y = h.T"], "dh = dy.T"),
    "slice": (["h = x @ w", "y = h[:, 1:]"], "dh = np.zeros_like(h)\n    dh[:, 1:] = dy"),
    "row": (["h = x @ w", "y = h[:, [1, 1]]"], "np.add.at(dh, np.s_[:, [1, 1]], dy)"),
    "unique rows": (["h = x @ w", "y = h[:, [1, 0]]"], "dh = np.zeros_like(h)\n    dh[:, [1, 0]] = dy"),
    "parts": (
        ["h = x @ w", "y = h[:, 1] * x[:, 0] + h[:, 0] * h[:, 1]"],
        "dh[:, 0] = h[:, 1] * dy\n    dh[:, 1] = x[:, 0] * dy + h[:, 0] * dy",
    ),
    "equal terms": (["s = (w * w).sum()", "y = x.sum(axis=1) * s"], "dw = 2 * w * ds"),
    "vector": (["h = x @ w", "y = h @ v"], "dv = h.T @ dy"),
    "one of each row": (
        ["h = x @ w", "y = take_along_axis(h, (x[:, :1] > 0.5) * 1, axis=1)[:, 0]"],
        "np.put_along_axis(dh, (x[:, :1] > 0.5) * 1, dy[:, None], axis=1)",
    ),
    "softmax": (["h = x @ w", "y = softmax(h)"], "dh = y * (dy - (y * dy).sum(axis=1, keepdims=True))"),
    "log_softmax": (["h = x @ w", "y = log_softmax(h)"], "dh = dy - np.exp(y) * dy.sum(axis=1, keepdims=True)"),
    "sum": (["h = x @ w", "y = h.sum(axis=1)"], "dh = np.broadcast_to(dy[:, None], h.shape)"),
}


@pytest.mark.parametrize(("lines", "expected"), LINES.values(), ids=LINES)
def test_lines(lines, expected):
    parameters = {"w": (3, 2), "v": (2,)} if "@ v" in lines[-1] else {"w": (3, 2)}
    text = Program(lines, {"x": ("n", 3)}, parameters, positive=True).check()
    assert f"    {expected}\n" in text, text


def test_what_is_used_very_often():
    targets = [f"s{i}" for i in range(150)]
    lines = ["h = x @ w", *(f"{name} = h * {i + 2}.0" for i, name in enumerate(targets))]
    text = Program(lines, {"x": ("n", 3)}, {"w": (3, 2)}, outputs=targets).check()
    assert "    dh = dh + " in text
    lines = ["h = x @ w", *(f"s{i} = h[:, {i}:{i + 3}]" for i in range(40)), "y = s0.sum(axis=1)"]
    lines[-1] = "y = " + " + ".join(f"s{i}.sum(axis=1)" for i in range(40))
    text = Program(lines, {"x": ("n", 3)}, {"w": (3, 42)}).check()
    assert text.count("    dh[:, ") == 40


def test_functions_that_numpy_lacks_are_imported():
    text = Program(["y = gelu(x * a)"], {"x": ("n", 3)}, {"a": (3,)}).check()
    assert text.startswith("from autograd.ops import erfc\n\n\ndef backward(dy, ")


def test_no_line_is_written_for_nothing():
    """Deep sums below a gradient that has a name have been written already."""
    terms = " + ".join(f"tanh(h * {i}.5)" for i in range(30))
    lines = ["h = x @ w", f"s = sin({terms})", *(f"y{i} = s * {i}.5" for i in range(3)), "y = y0 * y1 + y2"]
    text = Program(lines, {"x": ("n", 3)}, {"w": (3, 2)}).check()
    for name in re.findall(r"^    (t\d+) = ", text, flags=re.MULTILINE):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, text


NAMES = ["dy", "dh1", "dw", "np", "np_", "len", "erfc", "ops", "backward", "t1", "dz1", "gy"]


@pytest.mark.parametrize("name", NAMES)
def test_an_argument_may_have_any_name(name):
    lines = ["h1 = gelu({} @ w) * sigmoid({} @ w)", "y = (h1 - h1.mean(axis=0)).sum(axis=1) * 0.5"]
    Program([line.replace("{}", name) for line in lines], {name: ("n", 3)}, {"w": (3, 2)}).check()


def test_names_that_would_be_taken_or_keywords():
    lines = ["h = dy @ w", "y = tanh(h)"]
    assert "dh" not in (text := Program(lines, {"dy": ("n", 3)}, {"w": (3, 2)}).check())
    assert text.startswith("def backward(gy, dy, y):\n    gh = (1 - y * y) * gy\n")
    lines = ["el = x @ w", "y = np.tanh(el) if False else tanh(el)"]
    assert "gel = " in Program(lines, {"x": ("n", 3)}, {"w": (3, 2)}).check()
    text = Program(["y = sign(np @ w) * relu(np @ w)"], {"np": ("n", 3)}, {"w": (3, 2)}).check()
    assert text.startswith("import numpy as np_\n\n\ndef backward(dy, np, w):")


@pytest.mark.parametrize("name", PROGRAMS)
def test_float32_stays(name):
    """No number is wider: neither the results nor any variable of the function."""
    program = PROGRAMS[name]
    inputs, parameters = ({k: narrow(x) for k, x in arrays.items()} for arrays in program.arrays(4))
    trees = read(program.statements, inputs, parameters, program.constants, program.outputs, FUNCTIONS)
    text = backward_source(trees)
    assert text == program.source()
    values = {**inputs, **{k: Tensor(x) for k, x in parameters.items()}, **program.constants}
    for target, line in program.statements:
        values[target] = eval(line, {**FUNCTIONS, "np": np}, values)
    known = {k: narrow(np.asarray(ops.detach(x))) for k, x in values.items()}
    known |= {f"d{k}": known[k] for k in program.outputs}
    space: dict[str, Any] = {"np": np}
    exec(re.sub(r"return .*$", "return locals()", text), space)
    found = space["backward"](*[known[k] for k in search(r"def backward\((.*)\):", text)[1].split(", ")])
    assert not {k for k, x in found.items() if x.dtype == np.float64}, text


def narrow(x):
    return x.astype(np.float32) if x.dtype == np.float64 else x


def test_what_has_no_form_is_refused():
    with pytest.raises(NotLowerable, match="y = "):
        Program(["y = x @ w if x.sum() > 0 else w"], {"x": ("n", 3)}, {"w": (3, 2)}).source()


@pytest.mark.parametrize(
    "line",
    [
        "h[:2]", "h / np.sqrt(x.shape[0])", "h * 0.5 ** x.shape[0]", "h + np.arange(x.shape[0])[:, None]",
        "np.sort(h, axis=1)", "take_along_axis(h, [[0]] * 5, axis=1)", "h[x[:, 0] > 0.0]", "h * float(x.shape[0])",
        "h * np.array([1, 2]) * (np.array([1, 2]) * x.shape[0])", "h if x.shape[0] > 4 else -h", "h.no_such()",
        "h @ w @ w", "h[:, 5]", "np.linalg.inv(h.T @ h)", "h[x.shape[0] - 1]", "h[:, np.argmax(w[0])]", "x.shape[0]",
    ],
)  # fmt: skip
def test_there_is_a_text_that_works_or_none(line):
    """What nodes do not do, and what has no text, is refused in one way: the program itself may be right."""
    program = Program(["h = x @ w", f"y = {line}"], {"x": ("n", 3)}, {"w": (3, 2)})
    try:
        program.source()
    except NotLowerable:
        return
    program.check(1)
    program.check(150)


# ------------------------------------------------------------------------------------------------- random programs

UNARY = ["tanh({})", "sigmoid({})", "relu({})", "-{}", "{} * 0.5", "exp(tanh({}))", "softmax({})", "{}[:, ::-1]",
         "{} - {}.mean(axis=1, keepdims=True)", "where({} > 0.0, {}, 0.1)", "{}[:, [2, 0, 0]]", "{} ** 2.0",
         "{} / (1.0 + {} * {})", "({}.T @ {})[:1] + x", "logsumexp({}, axis=0) * x", "{}.reshape(-1).reshape(-1, 3)",
         "{}.max(axis=1)[:, None] * v", "concatenate([{}[:, :1], {}[:, 1:]], axis=1)", "linear({}, w, b)"]  # fmt: skip
BINARY = ["{} + {}", "{} - {}", "{} * {}", "maximum({}, {})", "where({} > {}, x, v)", "({} @ {}.T) @ x * 0.1"]


@st.composite
def programs(draw):
    """Statements on arrays of shape (batch, 3), each of which may be read many times."""
    known = ["x", "x + v", "x @ w"]
    lines = []
    for i in range(draw(st.integers(1, 5))):
        template = draw(st.sampled_from(UNARY + BINARY))
        operands = [draw(st.sampled_from(known)) for _ in range(template.count("{}"))]
        operands = [operands[0]] * len(operands) if template in UNARY else operands
        lines.append(f"h{i} = {template.format(*[f'({x})' if ' ' in x else x for x in operands])}")
        known += [f"h{i}"] * 2
    lines.append(f"y = {draw(st.sampled_from(known[3:]))} + {draw(st.sampled_from(known))} + v")
    outputs = ("y", "h0") if draw(st.booleans()) else ("y",)
    return Program(lines, {"x": ("n", 3)}, {"w": (3, 3), "v": (3,), "b": (3,)}, outputs=outputs)


@given(programs(), st.sampled_from([1, 4, 11]))
def test_random_programs(program, n):
    program.check(n)
