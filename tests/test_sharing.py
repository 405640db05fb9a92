"""Programs over the same Values train one set of arrays, in any order of making, training and dropping them."""

import copy
import gc
import math
import random

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import nn
from autograd import Tensor, Value, ops, vectorize
from autograd.vectorizing import TraceError
from autograd.vectorizing.homes import HOMES
from nn.export import export_source

ROWS, WIDTH = 4, 3
X = np.random.default_rng(0).normal(size=(2, 2, WIDTH))


class Pool:
    """Values, and functions of a part of them each. All take two lists of WIDTH numbers."""

    def __init__(self, numbers):
        self.values = [Value(x, label=f"v{k}") for k, x in enumerate(numbers)]
        own = iter(self.values)
        self.w = [[next(own) for _ in range(WIDTH)] for _ in range(ROWS)]
        self.b = [next(own) for _ in range(ROWS)]
        self.u = [next(own) for _ in range(ROWS)]

    def rows(self, first, last):
        """Some neurons, without the others."""
        return lambda x: [self.neuron(i, x[0]) for i in range(first, last)]

    def neuron(self, i, x):
        return (sum(w * xi for w, xi in zip(self.w[i], x, strict=True)) + self.b[i]).tanh()

    def network(self, x):
        """All neurons on both lists, and an output."""
        return [sum(u * self.neuron(i, xs) for i, u in enumerate(self.u)) for xs in x]

    def penalty(self, x):
        """Parameters among themselves, in an order of their own."""
        return sum(w * w for w in reversed(self.w[1])) * x[0][0] + self.u[2].exp() * self.b[0]

    def each(self, x):
        """Element by element, down a column."""
        return [row[1] * xi for row, xi in zip(self.w, x[1], strict=False)]

    def pair(self, x):
        """Several outputs."""
        return {"sum": ops.sum(self.u), "first": self.neuron(0, x[1])}


def functions(pool):
    return [
        pool.rows(0, 2), pool.rows(1, 4), pool.rows(0, ROWS), pool.rows(2, 3), pool.network, pool.penalty, pool.each,
        pool.pair,
    ]  # fmt: skip


SIZE = len(Pool(np.zeros(ROWS * (WIDTH + 2))).values)
COUNT = len(functions(Pool(np.zeros(SIZE))))


def flat(out):
    if isinstance(out, dict):
        return [x for part in out.values() for x in flat(part)]
    return out if isinstance(out, list) else [out]


def attempt(f, *args, **kwargs):
    """The result and the message of the ValueError. Not `raises`, which would keep what is in the frames."""
    try:
        return f(*args, **kwargs), ""
    except ValueError as error:
        return None, str(error)


class Story:
    """Programs, and what the numbers have to be: in the arrays, in the Values, and where the two last agreed."""

    def __init__(self, dtype):
        numbers = np.random.default_rng(1).uniform(-1, 1, SIZE).astype(dtype).tolist()
        self.dtype, self.near = np.dtype(dtype), 1e-10 if dtype == np.float64 else 1e-4
        self.pool, self.twin = Pool(numbers), Pool(numbers)
        self.programs = []
        self.array, self.value, self.agreed = ([math.nan] * SIZE for _ in range(3))
        self.value = numbers
        self.has = set()  # the Values that have a home

    # what can happen

    def make(self, k, number):
        lost = [n for n in self.has if self.both(n)]
        which = k % COUNT
        program, message = attempt(vectorize, functions(self.pool)[which], X.shape[1:], dtype=self.dtype)
        if program is None:
            assert any(f"the Value v{n} was set to" in message for n in lost)
            return
        self.programs.append((which, program))
        assert not {*lost} & {*self.places(program)}
        for n in self.places(program):
            if n not in self.has or self.changed(self.value, n):
                self.array[n] = self.agreed[n] = self.value[n]
        self.settle()

    def train(self, k, number):
        which, program = self.programs[k % len(self.programs)]
        optimizer = nn.SGD(program.parameters(), lr=0.1)
        optimizer.zero_grad()
        total(program(X.astype(self.dtype))).backward()
        optimizer.step()
        grads = self.eager(which)[1]
        for n in self.places(program):
            self.array[n] -= 0.1 * grads[n]

    def set(self, k, number):
        self.pool.values[k % SIZE].data = self.value[k % SIZE] = number

    def sync(self, k, number):
        program = self.programs[k % len(self.programs)][1]
        places = self.places(program)
        lost = [n for n in places if self.both(n)]
        message = attempt(program.sync)[1]
        if lost:
            assert any(f"the Value v{n} was set to" in message for n in lost)
            return
        assert not message
        for n in places:
            kept = self.value if self.changed(self.value, n) else self.array
            self.array[n] = self.value[n] = self.agreed[n] = kept[n]
            self.settle_value(n)

    def gather(self, k, number):
        program = self.programs[k % len(self.programs)][1]
        program.gather()
        for n in self.places(program):
            self.array[n] = self.agreed[n] = self.value[n]

    def drop(self, k, number):
        self.programs.pop(k % len(self.programs))
        self.settle()

    # what must be

    def places(self, program):
        known = {id(v): n for n, v in enumerate(self.pool.values)}
        return [known[id(v)] for home in program._homes.values() for v in home.values]

    def settle(self):
        self.has = {n for _, program in self.programs for n in self.places(program)}

    def settle_value(self, n):
        """The Value has the array's number, which is rounded otherwise than that of the twin."""
        assert math.isclose(self.pool.values[n].data, self.value[n], rel_tol=self.near, abs_tol=self.near)
        self.array[n] = self.value[n] = self.agreed[n] = self.pool.values[n].data

    def changed(self, numbers, n):
        return numbers[n] != self.agreed[n]

    def both(self, n):
        return self.changed(self.value, n) and self.changed(self.array, n) and self.value[n] != self.array[n]

    def eager(self, which):
        """The outputs and gradients of a function on Values that have the numbers of the arrays."""
        for n, v in enumerate(self.twin.values):
            v.data, v.grad = (self.array[n] if n in self.has else 0.0), 0.0
        outs = [flat(functions(self.twin)[which](x)) for x in X.tolist()]
        ops.sum([y for out in outs for y in out]).backward()
        return [[y.data for y in out] for out in outs], [v.grad for v in self.twin.values]

    def check(self):
        assert [v.data for v in self.pool.values] == self.value
        owners: dict[int, Tensor] = {}
        for which, program in self.programs:
            out = program(X.astype(self.dtype))
            found = np.concatenate([np.reshape(x.data, (len(X), -1)) for x in flat(out)], axis=1)
            np.testing.assert_allclose(found, self.eager(which)[0], self.near, self.near)
            for (_, tensor), home in zip(program.named_parameters(), program._homes.values(), strict=True):
                for v in home.values:
                    assert owners.setdefault(id(v), tensor) is tensor
        assert {n for n, v in enumerate(self.pool.values) if id(v) in HOMES} == self.has


def total(out):
    return sum((x.sum() for x in flat(out)), start=Tensor(0.0, dtype=flat(out)[0].dtype))


STEPS = st.tuples(
    st.sampled_from(["make", "make", "train", "train", "train", "set", "sync", "sync", "gather", "drop"]),
    st.integers(0, 99),
    st.sampled_from([0.5, -1.25, 2.0]),
)


@given(st.sampled_from([np.float64, np.float32]), st.lists(STEPS, min_size=4, max_size=14), st.integers(0, COUNT - 1))
@settings(max_examples=60, deadline=None)
def test_any_programs_in_any_order(dtype, steps, first):
    story = Story(dtype)
    story.make(first, 0)
    for kind, k, number in steps:
        if kind in ("make", "set") or story.programs:
            if kind != "make" or len(story.programs) < 3:
                getattr(story, kind)(k, number)
            story.check()


# ------------------------------------------------------------------------------------------------------- one by one


def network(seed=0):
    random.seed(seed)
    return nn.MLP(WIDTH, [4, 1], activation="tanh")


def test_what_one_program_trained_is_not_undone_by_another():
    w = Value(1.0)
    a, b = vectorize(lambda x: w * x, ()), vectorize(lambda x: [w + x, w * x], ())
    assert a.parameters() == b.parameters()
    a.parameters()[0].data[...] = 5.0
    a.sync()
    b.sync()
    assert w.data == 5.0
    assert b(np.ones(1)).tolist() == [[6.0, 5.0]]


def test_shapes_of_one_function_have_one_text_and_one_set_of_arrays():
    model = network()
    one = vectorize(model, WIDTH)
    texts = []
    for n in (2, 5, 9):
        many = vectorize(lambda xs: [model(x) for x in xs], (n, WIDTH))
        assert all(x is y for x, y in zip(one.parameters(), many.parameters(), strict=True))
        texts.append(many.source)
    assert len(set(texts)) == 1
    assert vectorize(model, WIDTH).source == one.source


def test_a_part_of_an_array_is_a_view_of_it():
    pool = Pool(np.linspace(-1, 1, SIZE))
    whole = vectorize(pool.rows(0, ROWS), (2, WIDTH))
    part = vectorize(pool.rows(1, 3), (2, WIDTH))
    assert [p.shape for p in part.parameters()] == [(WIDTH, ROWS), (ROWS,)]
    assert all(x is y for x, y in zip(whole.parameters(), part.parameters(), strict=True))
    assert part.report().gathers == []
    assert "w1[:, 1:3]" in part.source


@pytest.mark.parametrize("kind", [lambda p: nn.SGD(p, lr=0.1, momentum=0.9), lambda p: nn.Adam(p, lr=0.05)])
def test_a_loss_and_its_encoder_train_as_their_values_do(kind):
    model, twin = network(1), network(1)

    def loss_of(net):
        return lambda x, y: (net(x) - y) ** 2

    encoder, loss = vectorize(model.layers[0], WIDTH), vectorize(loss_of(model), WIDTH, ())
    mine, other = kind(list(dict.fromkeys([*encoder.parameters(), *loss.parameters()]))), kind(twin.parameters())
    rng = np.random.default_rng(2)
    for step in range(12):
        x, y = rng.normal(size=(5, WIDTH)), rng.normal(size=5)
        mine.zero_grad()
        other.zero_grad()
        (loss(x, y).mean() + 0.1 * (encoder(x) ** 2).mean()).backward()
        slow = ops.sum([loss_of(twin)(row, t) for row, t in zip(x.tolist(), y.tolist(), strict=True)]) / 5
        codes = [h for row in x.tolist() for h in twin.layers[0](row)]
        (slow + 0.1 * ops.sum([h * h for h in codes]) / len(codes)).backward()
        mine.step()
        other.step()
        if step % 4 == 3:
            (encoder, loss)[step // 4 % 2].sync()
    loss.sync()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert math.isclose(p.data, q.data, rel_tol=1e-9, abs_tol=1e-12)


def test_a_number_that_was_set_and_trained_is_refused_by_name():
    w = [Value(1.0), Value(2.0)]
    fast = vectorize(lambda x: [w[0] * x, w[1] * x], ())
    (tensor,) = fast.parameters()
    tensor.data = np.array([1.0, 3.0])
    w[0].data, w[1].data = 7.0, 4.0
    message = r"the Value of b1\[1\] was set to 4\.0, and was trained to 3\.0 in b1, since both were 2\.0"
    with pytest.raises(ValueError, match=message):
        fast.sync()
    with pytest.raises(ValueError, match=message):
        vectorize(lambda x: w[0] + x, ())
    assert ([v.data for v in w], tensor.tolist()) == ([7.0, 4.0], [1.0, 3.0])
    w[1].data = 3.0  # as the message says
    fast.sync()
    assert ([v.data for v in w], tensor.tolist()) == ([7.0, 3.0], [7.0, 3.0])
    tensor.data, w[0].data = np.array([5.0, 6.0]), 8.0
    fast.gather()
    assert tensor.tolist() == [8.0, 3.0]


def test_a_new_program_takes_over_what_was_set_and_leaves_what_was_trained():
    w = [Value(1.0), Value(2.0)]
    fast = vectorize(lambda x: [w[0] * x, w[1] * x], ())
    fast.parameters()[0].data = np.array([5.0, 2.0])
    w[1].data = 7.0
    other = vectorize(lambda x: w[0] * w[1] * x, ())
    assert other(np.ones(1)).tolist() == [35.0]
    assert fast(np.ones(1)).tolist() == [[5.0, 7.0]]
    assert [v.data for v in w] == [1.0, 7.0]
    other.sync()
    assert [v.data for v in w] == [5.0, 7.0]


def test_nan_and_the_sign_of_zero_are_numbers():
    w = [Value(math.nan), Value(0.0)]
    fast = vectorize(lambda x: [w[0] * x, w[1] * x], ())
    fast.sync()
    fast.parameters()[0].data = np.array([1.0, -0.0])
    fast.sync()
    assert (w[0].data, str(w[1].data)) == (1.0, "-0.0")


def test_a_value_has_one_dtype():
    w = Value(0.1)
    single = vectorize(lambda x: w * x, (), dtype=np.float32)
    with pytest.raises(TypeError, match=r"another program has as b1 in float32, .* give dtype=float32, or drop"):
        vectorize(lambda x: w + x, ())
    assert w.data == 0.1
    single.sync()
    assert w.data == 0.1  # what was not trained is not rounded
    del single
    assert vectorize(lambda x: w + x, ())(np.zeros(1)).tolist() == [0.1]


def test_values_that_are_frozen_freeze_the_array_for_all_programs():
    model = network()
    a = vectorize(model, WIDTH)
    model.layers[0].freeze()
    b = vectorize(lambda x: [model(x), model(x) ** 2], WIDTH)
    assert [p.requires_grad for p in a.parameters()] == [False, False, True, True]
    model.layers[0].unfreeze()
    vectorize(model, WIDTH)
    assert all(p.requires_grad for p in b.parameters())


def test_an_array_that_was_frozen_stays_so():
    model = network()
    a = vectorize(model, WIDTH)
    a.parameters()[0].requires_grad = False
    vectorize(model, WIDTH)
    assert [p.requires_grad for p in a.parameters()] == [False, True, True, True]


def test_an_array_that_is_frozen_in_part_is_refused():
    model = network()
    a = vectorize(model, WIDTH)
    model.layers[0].neurons[0].freeze()
    with pytest.raises(TraceError, match="3 frozen Values among the 12 of w1"):
        vectorize(model.layers[0].neurons[1], WIDTH)
    assert all(p.requires_grad for p in a.parameters())


def test_a_program_that_is_refused_changes_nothing():
    w, u = Value(1.0), Value(2.0)
    fast = vectorize(lambda x: w * x, ())
    w.data, before = 3.0, len(HOMES)

    calls = []

    def unsteady(x):
        calls.append(x)
        return w * u * x if len(calls) < 3 else w * u + x  # found by the check

    with pytest.raises(TraceError, match="cannot be vectorized as it is"):
        vectorize(unsteady, ())
    assert len(HOMES) == before
    assert fast.parameters()[0].item() == 1.0


def test_an_export_of_values_has_the_numbers_of_the_values(tmp_path):
    def exported():
        export_source(model, tmp_path / "model.py")
        return (tmp_path / "model.py").read_text(encoding="utf-8")

    gc.collect()
    before = len(HOMES)  # those of other tests' programs
    model = network()
    text = exported()
    fast = vectorize(model, WIDTH, dtype=np.float32)
    for p in fast.parameters():
        p.data = p.data + 1
    assert exported() == text
    assert len(HOMES) == before + len(model.parameters())


def test_homes_go_with_the_last_program():
    gc.collect()
    before = len(HOMES)
    model = network()
    programs = [vectorize(model, WIDTH), vectorize(model.layers[0], WIDTH), vectorize(model.layers[1], 4)]
    count = len(model.parameters())
    assert len(HOMES) == before + count
    del programs[0]
    assert len(HOMES) == before + count
    programs.clear()  # without the collector
    assert len(HOMES) == before


def test_copies_of_a_module_have_homes_of_their_own():
    model = network()
    fast = vectorize(model, WIDTH)
    other = vectorize(copy.deepcopy(model), WIDTH)
    assert not {*fast.parameters()} & {*other.parameters()}
