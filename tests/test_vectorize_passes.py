"""The passes of `vectorize`, one by one: their results, and that none changes a number or loses a sum."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, ops, where
from autograd.testing import expressions
from autograd.vectorizing.affine import affine
from autograd.vectorizing.layout import arrange, arrange_sums, box
from autograd.vectorizing.products import find_products
from autograd.vectorizing.row_text import RowText
from autograd.vectorizing.scalars import CONSTANT, INPUT, PARAMETER, Leaf, Scalars, Terms, terms
from autograd.vectorizing.simplify import COMMUTATIVE, drop, fold, share
from autograd.vectorizing.tracing import trace
from autograd.vectorizing.tree import Trees

w, b = Value(2.0), Value(3.0)


def traced(f, *shapes, **indices):
    return trace(f, list(shapes) or [(3,)], {int(key[1:]): n for key, n in indices.items()})[0]


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


def assert_prints(graph, text):
    assert str(graph).splitlines() == lines(text)


# ------------------------------------------------------------------------------------------------- a graph of scalars


def test_tracing_writes_down_what_is_done():
    assert_prints(
        traced(lambda x: where(x[0] > 1, x[1], w).exp() - w.detach()),
        """
        %0 = input 0 0
        %1 = input 0 1
        %2 = input 0 2
        %3 = constant 1.0
        %4 = parameter 0
        %5 = greater %0 %3
        %6 = where %5 %1 %4
        %7 = exp %6
        %8 = detach %4
        %9 = sub %7 %8
        return %9
        """,
    )


def test_an_index_becomes_a_pick():
    assert_prints(
        traced(lambda x, k: x[k] * [w, b][k], (2,), (), _1=2),
        """
        %0 = input 0 0
        %1 = input 0 1
        %2 = parameter 0
        %3 = parameter 1
        %4 = pick[1.0] %0 %1
        %5 = pick[1.0] %2 %3
        %6 = mul %4 %5
        return %6
        """,
    )


def test_fold_computes_constants_and_drops_what_is_neutral():
    assert_prints(
        drop(
            fold(
                traced(
                    lambda x: [
                        x[0] * 1 * (2.0 * Value(3.0)),
                        -(x[1] * -1) / 1,
                        x[1] * -1,
                        x[2] ** 2,
                        x[2] ** 1,
                        0 + x[2],
                    ]
                )
            )
        ),
        """
        %0 = input 0 0
        %1 = input 0 1
        %2 = input 0 2
        %3 = constant 0.0
        %4 = constant 6.0
        %5 = mul %0 %4
        %6 = neg %1
        %7 = square %2
        %8 = add %3 %2
        return %5 %1 %6 %7 %2 %8
        """,
    )


def test_fold_keeps_the_two_zeros_apart():
    graph = fold(traced(lambda x: [x[0] * 0.0, x[0] * -0.0]))
    assert [str(args[0]) for op, args in zip(graph.ops, graph.args, strict=True) if op is CONSTANT] == ["0.0", "-0.0"]


def test_share_computes_the_same_once_in_either_order():
    assert_prints(
        share(
            traced(
                lambda x: [
                    x[0] * w + w * x[0],
                    x[0] - x[1],
                    x[1] - x[0],
                    autograd.maximum(w, x[2]),
                    autograd.maximum(x[2], w),
                ]
            )
        ),
        """
        %0 = input 0 0
        %1 = input 0 1
        %2 = input 0 2
        %3 = parameter 0
        %4 = mul %0 %3
        %5 = add %4 %4
        %6 = sub %0 %1
        %7 = sub %1 %0
        %8 = maximum %3 %2
        return %5 %6 %7 %8 %8
        """,
    )


def test_drop_keeps_what_the_outputs_need():
    def f(x):
        x[2].exp() * w
        return [x[0] * b, x[0]]

    assert_prints(
        drop(traced(f)),
        """
        %0 = input 0 0
        %1 = parameter 1
        %2 = mul %0 %1
        return %2 %0
        """,
    )


AFFINE = {
    "order, nesting and signs": (
        lambda x: (b - (x[0] * 2 - w * x[1] / 4)).tanh(),
        ["%4 = %3 + -2·%0 + 0.25·%2·%1", "%5 = tanh %4", "return %5"],
    ),
    "sum of a list": (lambda x: sum(a * w for a in x), ["%4 = %0·%3 + %1·%3 + %2·%3", "return %4"]),
    "dot with a bias": (
        lambda x: autograd.dot([w, b, 2.0], x, b),
        ["%5 = %3·%0 + %4·%1 + 2·%2 + %4", "return %5"],
    ),
    "constants": (lambda x: x[0] + 1 + x[1] - 3 + x[2], ["%3 = %0 + %1 + %2 + -2", "return %3"]),
    "squares": (lambda x: x[0] ** 2 + x[1] * x[1] + x[2], ["%3 = %0·%0 + %1·%1 + %2", "return %3"]),
    "a sum used twice is a root": (
        lambda x: (lambda s: [s + x[1], s.exp() + x[2]])(x[0] + w),
        ["%4 = %0 + %3", "%5 = %4 + %1", "%6 = exp %4", "%7 = %6 + %2", "return %5 %7"],
    ),
    "zero times": (lambda x: [0 * x[0] + x[1] * w + x[2]], ["%4 = 0·%0 + %1·%3 + %2", "return %4"]),
    "nothing but zero times": (lambda x: [0 * x[0] + 0 * x[1], x[2]], ["%3 = 0·%0 + 0·%1", "return %3 %2"]),
}


@pytest.mark.parametrize("name", AFFINE)
def test_affine_makes_a_sum_one_node(name):
    f, expected = AFFINE[name]
    printed = str(drop(affine(drop(share(fold(traced(f))))))).splitlines()
    assert [line for line in printed if " input " not in line and " parameter " not in line] == expected


def evaluated(graph, numbers):
    """The outputs of a graph for these inputs."""
    found = []
    for op, args in zip(graph.ops, graph.args, strict=True):
        if op is INPUT:
            found.append(numbers[args[1]])
        elif op is PARAMETER:
            found.append(graph.parameters[args[0]].data)
        elif op is CONSTANT:
            found.append(args[0])
        elif isinstance(op, Terms):
            found.append(math.fsum(c * math.prod(found[a] for a in factors) for c, factors in terms(op, args)))
        else:
            found.append(float(op.plain([found[a] for a in args], {})))
    return [found[n] for n in graph.outputs]


@given(expressions(max_ops=12))
def test_no_pass_changes_a_number(f):
    trained = [Value(x) for x in f.leaves[1:]]
    graph = traced(lambda x: f(x[0], *trained), (1,))
    (want,) = evaluated(graph, f.leaves)
    assert want == f(*f.leaves) or math.isclose(want, f(*f.leaves), rel_tol=1e-13)
    for rewrite in (fold, share, drop, affine, drop):
        after = rewrite(graph)
        (got,) = evaluated(after, f.leaves)
        assert math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9), f"{rewrite.__name__}:\n{graph}\n\n{after}"
        assert (after.operands < after.owners).all()
        graph = after
    assert all(graph.live())


@given(expressions(max_ops=12))
def test_passes_are_done_when_they_are_done(f):
    graph = traced(lambda x: f(*x), (len(f.leaves),))
    for rewrite in (share, drop):
        graph = rewrite(graph)
        assert str(rewrite(graph)) == str(graph)
    keys = [(op, args) for op, args in zip(graph.ops, graph.args, strict=True) if type(op) is not Leaf]
    assert len(set(keys)) == len(keys)


# The passes look at the whole graph as arrays. Here are the same passes as one says them: result by result.


def shared(graph):
    out = graph.like()
    number: list[int] = []
    known: dict = {}
    for op, args in zip(graph.ops, graph.args, strict=True):
        args = args if type(op) is Leaf else tuple(number[a] for a in args)
        key = op, str(args) if op is CONSTANT else tuple(sorted(args)) if op in COMMUTATIVE else args
        if key not in known:
            known[key] = out.append(op, args)
        number.append(known[key])
    out.outputs = [number[n] for n in graph.outputs]
    return out


def dropped(graph):
    live = set(graph.outputs)
    for n in reversed(range(len(graph))):
        if n in live and type(graph.ops[n]) is not Leaf:
            live.update(graph.args[n])
    out = graph.like()
    number: dict[int, int] = {}
    for n in sorted(live):
        args = graph.args[n]
        number[n] = out.append(graph.ops[n], args if type(graph.ops[n]) is Leaf else tuple(number[a] for a in args))
    out.outputs = [number[n] for n in graph.outputs]
    return out


def summed(graph):
    """Of each output that is a sum the terms, with their signs: of every sum that is used once."""
    uses = Counter([*graph.operands.tolist(), *graph.outputs])

    def below(sign, n, first):
        op, args = graph.ops[n], graph.args[n]
        if op not in (ops.add, ops.sub) or (uses[n] > 1 and not first):
            return [(sign, n)]
        return below(sign, args[0], False) + below(-sign if op is ops.sub else sign, args[1], False)

    return [below(1.0, n, True) for n in graph.outputs]


MIXED = (ops.add, ops.sub, ops.mul, ops.maximum, ops.neg, ops.tanh, ops.sum)


@st.composite
def graphs(draw, rows=MIXED):
    """Graphs in which the same is computed several times, and some for nothing."""
    graph = Scalars([w, b])
    for leaf in ((INPUT, (0, 0)), (INPUT, (0, 1)), (PARAMETER, (0,)), (CONSTANT, (0.0,)), (CONSTANT, (-0.0,))):
        graph.append(*leaf)
    for op in draw(st.lists(st.sampled_from(rows), max_size=25)):
        count = draw(st.integers(1, 4)) if op is ops.sum else op.arity
        recent = st.integers(max(0, len(graph) - draw(st.sampled_from([3, 8, 30]))), len(graph) - 1)
        graph.append(op, tuple(draw(recent) for _ in range(count)))
    graph.outputs = draw(st.lists(st.integers(0, len(graph) - 1), min_size=1, max_size=4))
    return graph


@given(graphs())
def test_passes_on_arrays_are_those_result_by_result(graph):
    for rewrite, slow in ((share, shared), (drop, dropped), (share, shared)):
        assert str(rewrite(graph)) == str(slow(graph))
        graph = rewrite(graph)
    assert graph.like(graph.codes, graph.operands, graph.outputs).args == graph.args


@given(graphs((ops.add, ops.sub, ops.tanh)))
def test_the_terms_of_a_sum_are_those_that_one_reads(graph):
    graph = share(graph)
    constants = graph.leaves(CONSTANT)
    after = affine(graph)
    for n, m, found in zip(graph.outputs, after.outputs, summed(graph), strict=True):
        if graph.ops[n] not in (ops.add, ops.sub):
            continue
        written = terms(after.ops[m], after.args[m])
        assert [c for c, factors in written if factors] == [sign for sign, a in found if not constants[a]]


@given(graphs())
def test_what_looks_the_same_is_compared(graph):
    """Where all random numbers are equal, results that are different are still not merged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "default_rng", lambda seed: Same())
        after = share(graph)
    assert all(
        math.isclose(x, y) or (math.isnan(x) and math.isnan(y))
        for x, y in zip(results(after, [0.3, 0.7]), results(graph, [0.3, 0.7]), strict=True)
    )


class Same:
    def integers(self, high, size, dtype):
        return np.ones(size, dtype=dtype)


def results(graph, numbers):
    """As `evaluated`, with sums of lists."""
    found = []
    for op, args in zip(graph.ops, graph.args, strict=True):
        if type(op) is Leaf:
            found.append({INPUT: numbers, PARAMETER: [2.0, 3.0]}.get(op, [args[0]])[0 if op is CONSTANT else args[-1]])
        else:
            given = [found[a] for a in args]
            found.append(sum(given) if op is ops.sum else float(op.plain(given, {})))
    return [found[n] for n in graph.outputs]


def test_what_varies():
    graph = traced(lambda x: (x[0] * w) + (w * b).exp())
    names = [getattr(op, "name", "") for op, varies in zip(graph.ops, graph.varying(), strict=True) if varies]
    assert names == ["input", "input", "input", "mul", "add"]


# --------------------------------------------------------------------------------------------------------- products


def products_of(sums, fixed=True, rank=range(10_000)):
    return find_products(sums, fixed, rank)


def assert_all_there(sums, found):
    """Check that every sum is at one place of one product, with its own terms."""
    seen = []
    for rows, columns, members in found:
        for g, r, c in zip(*np.nonzero(members >= 0), strict=True):
            i = members[g, r, c]
            seen.append(i)
            pairs = [(u, v) for u, v in zip(rows[g, r].tolist(), columns[g, c].tolist(), strict=True) if min(u, v) >= 0]
            assert Counter(pairs) == Counter(sums[i])
    assert sorted(seen) == list(range(len(sums)))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(100, 105), st.integers(0, 5)), min_size=1, max_size=4), min_size=1, max_size=9
    ),
    st.booleans(),
)
def test_products_compute_every_sum(sums, fixed):
    assert_all_there(sums, find_products(sums, fixed, list(range(200))))


def shuffled(sums, start):
    rng = np.random.default_rng(start)
    return [[terms[i] for i in rng.permutation(len(terms))] for terms in sums]


@given(st.integers(2, 5), st.integers(1, 5), st.integers(2, 5), st.integers(0, 99))
def test_neurons_times_places_is_one_product(neurons, places, size, start):
    """A dense layer at one place or several."""
    sums = [[(100 + n * size + k, p * size + k) for k in range(size)] for n in range(neurons) for p in range(places)]
    found = find_products(shuffled(sums, start), True, list(range(200)))
    assert [(x.rows.shape, x.columns.shape) for x in found] == [((1, neurons, size), (1, places, size))]
    assert found[0].rows[0].tolist() == [[100 + n * size + k for k in range(size)] for n in range(neurons)]
    assert_all_there(sums, found)


def scores(heads, times, size, causal):
    """Queries from 1000, keys from 0: (head, time, k)."""
    return [
        [(1000 + (h * times + t) * size + k, (h * times + s) * size + k) for k in range(size)]
        for h, t, s in product(range(heads), range(times), range(times))
        if s <= t or not causal
    ]


@pytest.mark.parametrize("causal", [False, True])
def test_heads_are_a_batch_of_products(causal):
    sums = scores(heads=3, times=4, size=2, causal=causal)
    (found,) = products_of(sums, fixed=False)
    assert found.members.shape == (3, 4, 4)
    assert (
        (found.members[0] >= 0).tolist() == np.tril(np.ones((4, 4), bool)).tolist()
        if causal
        else (found.members >= 0).all()
    )
    assert_all_there(sums, [found])


def test_shorter_sums_are_filled_up():
    """The weighted sums of causal attention have 1, 2, 3 terms."""
    sums = [[(100 + t * 3 + s, 2 * s + j) for s in range(t + 1)] for t in range(3) for j in range(2)]
    (found,) = products_of(sums, fixed=False)
    assert found.columns.tolist() == [[[0, 2, 4], [1, 3, 5]]]
    assert found.rows.tolist() == [[[100, -1, -1], [103, 104, -1], [106, 107, 108]]]
    assert_all_there(sums, [found])


def test_patches_at_an_edge_are_filled_up():
    sums = [[(100 + 10 * f + j, i + j - 1) for j in range(3) if 0 <= i + j - 1 < 5] for f in range(2) for i in range(5)]
    (found,) = products_of(sums)
    assert found.rows.tolist() == [[[100, 101, 102], [110, 111, 112]]]
    assert found.columns.tolist() == [[[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, -1]]]
    assert_all_there(sums, [found])


def test_sums_that_share_nothing_are_a_batch_of_single_ones():
    sums = [[(100 + 2 * i + k, 2 * i + k) for k in range(2)] for i in range(3)]
    (found,) = products_of(sums)
    assert found.members.shape == (3, 1, 1)


def test_a_sparse_cross_product_is_not_computed_whole():
    sums = [[(100 + i, i), (200 + i, 50)] for i in range(4)] + [[(100 + i, 4 + i), (200 + i, 50)] for i in range(4)]
    assert sum(x.members.size for x in products_of(sums)) <= 2 * len(sums)


# ----------------------------------------------------------------------------------------------------------- layout


grids = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))


@given(grids, st.data())
def test_box_is_a_box_around_the_members(shape, data):
    whole = list(range(math.prod(shape)))
    places = np.array(data.draw(st.lists(st.sampled_from(whole), min_size=1, unique=True)))
    found = box(shape, places)
    if found is None:
        sides = [len(np.unique(c)) for c in np.unravel_index(places, shape)]
        assert len(places) < 0.5 * math.prod(sides)
        return
    grid, at = found
    assert 1 not in grid.shape
    assert sorted(grid[grid >= 0].tolist()) == list(range(len(places)))
    assert at[grid >= 0].tolist() == places[grid[grid >= 0]].tolist()
    assert np.all(np.diff(at.reshape(-1)) > 0)


def test_box_examples():
    found = box((4, 4), np.array([5, 4, 8]))
    assert found
    grid, places = found
    assert (grid.tolist(), places.tolist()) == ([[1, 0], [2, -1]], [[4, 5], [8, 9]])
    assert box((3, 3), np.array([0, 4, 8])) is None
    found = box((), np.array([0]))
    assert found and found[0].shape == ()


operand = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=n, max_size=n)
)


@given(operand)
def test_arrange_gives_each_member_a_cell(pairs):
    columns = [np.array(column) for column in zip(*pairs, strict=True)]
    grid, places = arrange([((6,), column) for column in columns], len(pairs))
    assert sorted(grid[grid >= 0].tolist()) == list(range(len(pairs)))
    for i, at in places.items():
        assert at.shape == grid.shape
        assert at[grid >= 0].tolist() == columns[i][grid[grid >= 0]].tolist()


def test_arrange_follows_the_operands():
    row, column = np.array([0, 0, 1, 1, 2, 2]), np.array([1, 0, 1, 0, 1, 0])
    outer = arrange([((3,), row), ((2,), column)], 6)
    assert outer.grid.tolist() == [[1, 0], [3, 2], [5, 4]]
    assert outer.places[0].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert outer.places[1].tolist() == [[0, 1]] * 3
    assert arrange([None, ((2, 2), np.array([3, 1, 2, 0]))], 4).grid.tolist() == [[3, 1], [2, 0]]
    assert arrange([None], 3).grid.tolist() == [0, 1, 2]
    assert arrange([None], 1).grid.shape == ()


@given(grids, st.sets(st.integers(0, 2)), st.randoms(use_true_random=False))
def test_sums_along_axes_are_found(shape, kept, rng):
    """Sums along any axes are found, with places and sums in any order."""
    whole = np.arange(math.prod(shape)).reshape(shape)
    order = sorted(kept) + sorted({0, 1, 2} - kept)
    rows = np.transpose(whole, order).reshape(math.prod(shape[i] for i in kept), -1).tolist()
    rng.shuffle(rows)
    for row in rows:
        rng.shuffle(row)
    found = arrange_sums(shape, [np.array(row) for row in rows])
    assert found is not None
    grid, places = found
    cells = places.reshape(len(rows), -1)
    for i, at in zip(grid.reshape(-1).tolist(), cells.tolist(), strict=True):
        assert sorted(x for x in at if x >= 0) == sorted(rows[i])


def test_sums_of_several_lengths_leave_holes():
    found = arrange_sums((2, 3), [np.array([0, 1, 2]), np.array([3, 4])])
    assert found
    grid, places = found
    assert (grid.tolist(), places.tolist()) == ([0, 1], [[0, 1, 2], [3, 4, -1]])
    assert arrange_sums((4,), [np.array([0, 1]), np.array([1, 2])]) is None  # a place is in two sums
    assert arrange_sums((2, 2), [np.array([0, 3]), np.array([1, 2])]) is None  # a diagonal


# ---------------------------------------------------------------------------------------------------------- writing

TEXTS = [
    "a",
    "-a",
    "a + b",
    "a - b",
    "-a - b",
    "a * b",
    "a / b",
    "-a * b",
    "a ** b",
    "maximum(a, b)",
    "exp(a + b)",
    "2.0 * a + b",
    "a - (b - a)",
    "-2.0 * a",
    "(a > b) & (b > c)",
    "(a @ m).sum(axis=-1)",
]
FRAMES = [
    "z", "-z", "c + z", "z + c", "c - z", "z - c", "c - z - c", "c * z", "z * c", "c / z",
    "z / c", "z ** c", "c ** z", "maximum(z, c)", "minimum(c, z)", "maximum(c + z, c)", "maximum(c, z * c)",
    "c - (z - c)", "c * (z + c)", "maximum(c, -z)", "c + z * c", "c - c / z", "where(z > c, z, 1.0)",
    "(z + c).sum(axis=0)",
]  # fmt: skip
ARRAYS = {"a": np.array([1.7, 0.2]), "b": np.array([0.6, 1.1]), "c": np.array([2.3, 0.9]), "m": np.eye(2) + 0.5}
ROWS = {name: getattr(ops, name) for name in ("exp", "maximum", "minimum", "where")}


def tree_of(text):
    """The tree of an expression, in which nothing has been simplified."""
    trees = Trees()
    return eval(text, {**ROWS, **{name: trees.leaf(name, x.shape, x.dtype) for name, x in ARRAYS.items()}})


@pytest.mark.parametrize("into", FRAMES)
@pytest.mark.parametrize("text", TEXTS)
def test_an_expression_means_what_its_tree_does(text, into):
    """Each operand is written with the parentheses that it needs."""
    inner = f"({text})" if "&" not in text else f"where({text}, 1.0, 2.0)"
    whole = into.replace("z", inner)
    with np.errstate(all="ignore"):
        want = eval(whole, {**ROWS, **ARRAYS})
        assert np.array_equal(eval(RowText([]).text(tree_of(whole)), {**ROWS, **ARRAYS}), want, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("((a + b) + c)", "a + b + c"),
        ("(c + (a + b))", "c + (a + b)"),
        ("(c - (a + b))", "c - (a + b)"),
        ("((a + b) * c)", "(a + b) * c"),
        ("(c - (a * b))", "c - a * b"),
        ("((a @ m).sum(axis=-1))", "(a @ m).sum()"),
        ("(((a * b) @ m))", "(a * b) @ m"),
        ("((a > b) & (b > c))", "(a > b) & (b > c)"),
        ("(c - (-a))", "c - -a"),
        ("exp((a + b))", "exp(a + b)"),
        ("m[:, 0:1] * 2.0", "m[:, :1] * 2.0"),
    ],
)
def test_parentheses_stand_where_they_are_needed(text, written):
    assert RowText([]).text(tree_of(text)) == written


@pytest.mark.parametrize(
    ("number", "text"), [(2.0, "2.0"), (-0.0, "-0.0"), (True, "True"), (math.inf, "inf"), (-math.inf, "-inf")]
)
def test_numbers_are_written_as_python_does(number, text):
    assert RowText([]).text(number) == text
