"""Tables that whole numbers choose from: found by a few runs as by a run for each number, or not at all."""

import linecache
import operator
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, exp, ops, vectorize
from autograd.vectorizing import tokens
from autograd.vectorizing.indices import find_picks
from autograd.vectorizing.tracer import Trace


@pytest.fixture(autouse=True)
def always_tried(monkeypatch):
    """Small functions, too."""
    monkeypatch.setattr(tokens, "SMALL", 0)


def values(*shape):
    return np.vectorize(Value, otypes=[object])(np.random.default_rng(list(shape)).normal(size=shape)).tolist()


class Model:
    def __init__(self):
        self.table = values(7, 3)
        self.layers = [self]

    def __call__(self, t, x):
        return sum(self.layers[0].table[t]) * x + self.layers[0].table[t][1]


ROWS, COLUMN, MATRIX = values(7, 3), values(7), values(3, 7)
WEIGHTS = {"wte": values(7, 3), "out": tuple(values(7))}
SPARSE = [COLUMN[0]] * 6 + [COLUMN[1]]


def softmax(x):
    e = [exp(a) for a in x]
    return [a / sum(e) for a in e]


def language_model(ts, x):
    total = Value(0.0)
    for i in range(3):
        hidden = [a * x + b for a, b in zip(WEIGHTS["wte"][ts[i]], ROWS[i], strict=True)]
        p = softmax([sum(h * m[j] for h, m in zip(hidden, MATRIX, strict=True)) for j in range(7)])
        total -= p[ts[i + 1]].log()
    return total


def computed(t, x):
    p = softmax([c * x for c in COLUMN])
    return p[0] + p[t]


FOUND = {  # by a few runs
    "a column": (lambda t, x: COLUMN[t] * x, ()),
    "a tuple": (lambda t, x: WEIGHTS["out"][t] * x, ()),
    "rows": (lambda t, x: [a * x for a in ROWS[t]], ()),
    "an element of a row": (lambda t, x: ROWS[t][2] * x, ()),
    "a table of an object": (Model(), ()),
    "almost everywhere the same": (lambda t, x: SPARSE[t] * x, ()),
    "many at once": (lambda ts, x: sum(COLUMN[t] for t in ts) * x, (4,)),
    "two tables by one number": (lambda ts, x: COLUMN[ts[0]] * x + sum(ROWS[ts[0]]) * COLUMN[ts[1]], (2,)),
    "a computed table": (computed, ()),
    "a language model": (language_model, (4,)),
    "nothing": (lambda t, x: x * COLUMN[0], ()),
}
NOT_FOUND = {  # so all numbers are tried
    "a temporary list": (lambda t, x: [a * x for a in COLUMN][t], ()),
    "a temporary list, the same but for one": (lambda t, x: list(SPARSE)[t] * x, ()),
    "a slice": (lambda t, x: sum([*COLUMN, *COLUMN][t:][:3]) * x, ()),
    "a sum of numbers": (lambda t, x: [*COLUMN, *COLUMN][t + 1] * x, ()),
    "its parity": (lambda t, x: COLUMN[t % 2] * x, ()),
    "its remainder by two, by bits": (lambda t, x: COLUMN[t & 1] * x, ()),
    "the other way round": (lambda t, x: COLUMN[-1 - int(t)] * x, ()),
    "a dictionary": (lambda t, x: dict(enumerate(COLUMN))[t] * x, ()),
    "an array": (lambda t, x: np.array(COLUMN)[t] * x, ()),
    "a table of numbers": (lambda t, x: [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5][t] * x * COLUMN[0], ()),
    "by a function": (lambda t, x: operator.getitem(COLUMN, t) * x, ()),
    "as a factor": (lambda t, x: x * COLUMN[0] if t.bit_length() > 9 else x * COLUMN[1], ()),
}


def both(f, shape):
    """What a few runs give, and what a run for each number does."""
    zeros = [[0] * int(np.prod(shape, dtype=int))]
    found = []
    for find in (tokens.guess_picks, find_picks):
        tracer = Trace(f, [shape, ()], {0: 7})
        run = tracer.run(zeros)
        tracer.run(zeros)
        picks = find(tracer, run, zeros)
        known = {-1 - i: leaf for i, leaf in enumerate(tracer.table.leaves)}

        def named(n, tracer=tracer, known=known):
            kind, which = known.get(n, (None, n))
            return id(tracer.parameters[which[0]]) if getattr(kind, "name", "") == "parameter" else which

        picks = picks and {place: (pick, tuple(map(named, table))) for place, (pick, table) in picks.items()}
        found.append(picks)
    return found


@pytest.mark.parametrize("name", FOUND)
def test_a_few_runs_tell(name):
    f, shape = FOUND[name]
    guessed, tried = both(f, shape)
    assert guessed == tried
    assert guessed or name == "nothing"


@pytest.mark.parametrize("name", NOT_FOUND)
def test_or_they_do_not_and_all_numbers_are_tried(name):
    f, shape = NOT_FOUND[name]
    guessed, tried = both(f, shape)
    assert guessed is None
    assert tried or name == "as a factor"
    fast = vectorize(f, shape, (), index={0: 7})
    for t in range(7):
        assert fast(np.array([t]), np.array([0.7])).data == pytest.approx([f(t, Value(0.7)).data], rel=1e-12)


def test_a_branch_on_a_whole_number_is_refused():
    with pytest.raises(TypeError, match="depends on a whole number"):
        vectorize(lambda t, x: x * COLUMN[0] if t == 5 else x.exp(), (), (), index={0: 7})


FORMS = ["COLUMN[{t}]", "ROWS[{t}][1]", "SPARSE[{t}]", "WEIGHTS['out'][{t}]", "MODEL.table[{t}][0]", "p[{t}]", "q[{t}]"]


@given(st.lists(st.tuples(st.sampled_from(FORMS), st.integers(0, 2)), min_size=1, max_size=5), st.integers(0, 99))
def test_any_mixture_of_tables(reads, seed):
    """Tables of parameters, of numbers that were computed, and of equal elements, by several numbers."""
    text = " + ".join(form.replace("{t}", f"ts[{k}]") + " * x" for form, k in reads)
    rng = random.Random(seed)
    chosen = [rng.choice(COLUMN) for _ in range(7)]
    source = f"def f(ts, x):\n    p = [c * x for c in COLUMN]\n    q = CHOSEN\n    return {text}\n"
    names = {"COLUMN": COLUMN, "ROWS": ROWS, "SPARSE": SPARSE, "WEIGHTS": WEIGHTS, "MODEL": Model(), "CHOSEN": chosen}
    exec(written(source), names)
    guessed, tried = both(names["f"], (3,))
    assert guessed == tried


def written(source):
    """The code of a function whose source is known, as that of a file is."""
    name = f"<tables {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


@pytest.mark.parametrize("n", [1, 40])
def test_a_gpt_is_traced_in_few_runs(n, monkeypatch):
    """However many letters there are."""
    count = 0
    run = Trace.run

    def counted(self, *args):
        nonlocal count
        count += 1
        return run(self, *args)

    monkeypatch.setattr(Trace, "run", counted)
    table = values(n, 3)
    vectorize(lambda ts, x: sum(a * x for t in ts for a in table[t]), (6,), (), index={0: n})
    assert count <= 2 + tokens.RUNS


def test_the_numbers_are_those_of_the_scalars():
    fast = vectorize(language_model, (4,), (), index={0: 7})
    ts, xs = np.random.default_rng(0).integers(0, 7, (20, 4)), np.linspace(-1, 1, 20)
    wanted = [language_model(t, Value(x)).data for t, x in zip(ts.tolist(), xs.tolist(), strict=True)]
    np.testing.assert_allclose(ops.detach(fast(ts, xs)), wanted, rtol=1e-12)
