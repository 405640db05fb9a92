"""Trees with symbolic lengths: shapes, numbers and gradients are those of the engine, at any length."""

import math
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ops import operands_of

from autograd import Tensor, ops
from autograd.ops.rows import Elementwise, Linear, Reduction
from autograd.vectorizing.derivative import Backward
from autograd.vectorizing.evaluation import evaluate
from autograd.vectorizing.inference import concrete, sliced
from autograd.vectorizing.readable import readable
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.sizes import NotLowerable, Size
from autograd.vectorizing.tree import Expression, Trees

LENGTHS = [{"n": 1, "m": 1}, {"n": 2, "m": 5}, {"n": 7, "m": 3}]


class Case:
    """A function of arrays, and the shapes of its arguments: "n" and "m" are lengths, "k" n or m by turns."""

    def __init__(self, f, *shapes, draw=None):
        self.f, self.shapes = f, shapes
        self.draw = draw or (lambda shapes, rng: [rng.uniform(0.2, 0.9, shape) for shape in shapes])

    def trees(self, batch):
        """The arguments as leaves, and the function's value; `batch` is the symbol of the first length."""
        trees = Trees(simplified)
        symbols = {"n": Size.symbol(batch), "m": Size.symbol("m" if batch == "n" else "n")}
        leaves = [
            trees.leaf(f"x{i}", [symbols.get(k, k) for k in shape], np.float64, moves=True)
            for i, shape in enumerate(self.shapes)
        ]
        return trees, leaves, self.f(*leaves)

    def arrays(self, leaves, lengths, seed=0):
        return self.draw([concrete(x.shape, lengths) for x in leaves], np.random.default_rng(seed))


def gradients(trees, leaves, value):
    """The gradients of a value, and the leaf of its cotangent."""
    y = trees.leaf("y", value.shape, value.dtype, moves=True)
    dy = trees.leaf("dy", value.shape, value.dtype)
    return y, dy, Backward([(y, value)], {y: dy}).gradients(leaves)


def check(case, batch="n"):
    trees, leaves, value = case.trees(batch)
    y, dy, found = gradients(trees, leaves, value)
    for lengths in LENGTHS:
        arrays = case.arrays(leaves, lengths)
        tensors = [Tensor(x) for x in arrays]
        out = case.f(*tensors)
        known = dict(zip(leaves, arrays, strict=True))
        (number,) = evaluate([value], known, lengths)
        assert concrete(value.shape, lengths) == out.shape
        assert value.dtype == out.dtype
        np.testing.assert_allclose(number, out.data, rtol=1e-12, atol=1e-12)
        seed = np.random.default_rng(1).normal(size=out.shape)
        out.backward(seed)
        got = evaluate([0.0 if g is None else g for g in found], {**known, y: number, dy: seed}, lengths)
        for x, tensor, tree in zip(got, tensors, found, strict=True):
            want = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad
            assert tree is None or concrete(tree.shape, lengths) == want.shape
            np.testing.assert_allclose(np.broadcast_to(x, want.shape), want, rtol=1e-11, atol=1e-11)


ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise)]
SHAPES = [("n", 3), ("n", 1), (3,)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("batch", ["n", "m"])
def test_elementwise_rows(row, batch):
    if row is ops.where:
        case = Case(lambda x, y: ops.where(x > 0.5, x, y), ("n", 3), ("n", 1))
    else:
        case = Case(row, *SHAPES[: row.arity], draw=lambda shapes, rng: operands_of(row, shapes, rng))
        if row is ops.clip:
            case = Case(lambda x: ops.clip(x, 0.4, 0.7), ("n", 3))
    check(case, batch)


@pytest.mark.parametrize("row", [row for row in ops.ROWS.values() if isinstance(row, Reduction)], ids=lambda r: r.name)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2), -1])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("batch", ["n", "m"])
def test_reductions(row, axis, keepdims, batch):
    case = Case(lambda x: row(x, axis=axis, keepdims=keepdims), ("n", 2, 3))
    if row is ops.prod and axis not in (1, -1):
        with pytest.raises(NotLowerable, match="depends on the length"):
            check(case, batch)
        return
    check(case, batch)


PICK = np.array([2, 0, 0])
MASK = np.array([True, False, True])
MOVES = {
    "reshape": Case(lambda x: x.reshape(-1, 2), ("n", 4)),
    "reshape to a vector": Case(lambda x: x.reshape(-1), ("n", "m", 2)),
    "reshape by the shape": Case(lambda x: x.reshape(x.shape[0], -1), ("n", 2, 3)),
    "reshape of two lengths": Case(lambda x: x.reshape(x.shape[0] * x.shape[1], 3), ("n", "m", 3)),
    "transpose": Case(lambda x: x.transpose(2, 0, 1) * 2.0, ("n", 2, "m")),
    "T": Case(lambda x: x.T, ("n", 3)),
    "swapaxes": Case(lambda x: x.swapaxes(0, 1), ("n", 3, 2)),
    "broadcast_to": Case(lambda x, y: x.broadcast_to(y.shape) * y, (1, 3), ("n", 3)),
    "broadcast_to a number": Case(lambda x: ops.broadcast_to(x.mean(), 3) * x, ("n", 3)),
    "expand_dims": Case(lambda x: ops.expand_dims(x, (0, 2)), ("n", 3)),
    "squeeze": Case(lambda x: ops.squeeze(x, 1), ("n", 1, 3)),
    "row": Case(lambda x: x[0], ("n", 3)),
    "column": Case(lambda x: x[:, -1], ("n", 3)),
    "slice": Case(lambda x: x[:, 1:], ("n", 3)),
    "slice by two": Case(lambda x: x[:, ::2], ("n", 5)),
    "backwards": Case(lambda x: x[::-1], ("n", 3)),
    "all but one": Case(lambda x: x[:-1] * 2.0, ("n", 3)),
    "pick": Case(lambda x: x[:, PICK], ("n", 3)),
    "mask": Case(lambda x: x[:, MASK], ("n", 3)),
    "new axis": Case(lambda x: x[:, None, :] * x[..., None], ("n", 3)),
    "ellipsis": Case(lambda x: x[..., 0], ("n", "m", 3)),
    "concatenate": Case(lambda x, y: ops.concatenate([x, y, x], axis=1), ("n", 2), ("n", 3)),
    "concatenate the batch": Case(lambda x, y: ops.concatenate([x, y]), ("n", 2), ("n", 2)),
    "concatenate lengths": Case(lambda x, y: ops.concatenate([x, y]), ("n", 2), ("m", 2)),
    "stack": Case(lambda x, y: ops.stack([x, y], axis=1), ("n", 2), ("n", 2)),
    "split": Case(lambda x: ops.split(x, 2, axis=1)[1], ("n", 4)),
    "flip": Case(lambda x: ops.flip(x, 1), ("n", 4)),
    "cumsum": Case(lambda x: ops.cumsum(x, 1), ("n", 4)),
    "cumsum of the batch": Case(lambda x: ops.cumsum(x, 0), ("n", 4)),
    "pad": Case(lambda x: ops.pad(x, ((0, 0), (1, 2))), ("n", 4)),
    "sliding_window_view": Case(lambda x: ops.sliding_window_view(x, 2, 1, 2), ("n", 5)),
    "overlap_add": Case(lambda x: ops.overlap_add(x, (x.shape[0], 5), 1, 1, 3), ("n", 2, 2)),
    "matmul": Case(lambda x, y: x @ y, ("n", 4), (4, 3)),
    "matmul of vectors": Case(lambda x, y: x @ y, ("n",), ("n",)),
    "matrix and vector": Case(lambda x, y: x @ y, ("n", 4), (4,)),
    "vector and matrix": Case(lambda x, y: x @ y, ("n",), ("n", 3)),
    "batches of matrices": Case(lambda x, y: x @ y, ("n", 2, 4), ("n", 4, 3)),
    "batches times a matrix": Case(lambda x, y: x @ y, ("n", 2, 4), (4, 3)),
    "heads": Case(lambda x, y: x @ y.swapaxes(-1, -2), ("n", 2, "m", 4), ("n", 2, "m", 4)),
    "Gram": Case(lambda x: x @ x.T, ("n", 4)),
    "outer": Case(ops.outer, ("n",), ("m",)),
    "dot": Case(lambda x, y: ops.dot(x, y), ("n", 4), (4, 2)),
    "einsum": Case(lambda x, y: ops.einsum("ij,jk->ik", x, y), ("n", 4), (4, 3)),
    "einsum of batches": Case(lambda x, y: ops.einsum("bij,bjk->bik", x, y), ("n", 2, 4), ("n", 4, 3)),
    "einsum of two lengths": Case(lambda x, y: ops.einsum("id,jd->ij", x, y), ("n", 4), ("m", 4)),
    "linear": Case(ops.linear, ("n", 4), (4, 3), (3,)),
    "linear of a sequence": Case(ops.linear, ("n", "m", 4), (4, 3), (3,)),
    "softmax": Case(lambda x: ops.softmax(x) * x, ("n", "m")),
    "softmax of the batch": Case(lambda x: ops.softmax(x, axis=0) * x, ("n", 3)),
    "log_softmax": Case(lambda x: ops.log_softmax(x) * x, ("n", "m")),
    "logsumexp": Case(lambda x: ops.logsumexp(x, axis=0), ("n", 3)),
    "attention": Case(
        lambda q, k, v: ops.softmax(q @ k.swapaxes(-1, -2) / math.sqrt(4)) @ v,
        ("n", "m", 4), ("n", "m", 4), ("n", "m", 4),
    ),
    "layer norm": Case(
        lambda x, g, b: (x - x.mean(axis=-1, keepdims=True)) / ops.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) * g + b,
        ("n", "m", 4), (4,), (4,),
    ),
    "batch norm": Case(lambda x: (x - x.mean(axis=0)) / ops.sqrt(x.var(axis=0) + 1e-5), ("n", 3)),
    "mean of everything": Case(lambda x: (x * x).mean(), ("n", "m", 3)),
    "squared distances": Case(lambda x, y: ((x[:, None] - y[None]) ** 2).sum(axis=-1), ("n", 3), ("m", 3)),
    "diagonal of heads": Case(lambda x: x.reshape(-1, 2, 2, 3).transpose(0, 2, 1, 3).reshape(-1, 2, 6), ("n", 12)),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("batch", ["n", "m"])
def test_moves_products_and_programs(name, batch):
    check(MOVES[name], batch)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x: x[::2], [("n", 3)]),
        (lambda x: x[1:4], [("n", 3)]),
        (lambda x: x[:2], [("n", 3)]),
        (lambda x: x[:100], [("n", 3)]),
        (lambda x: x[20:], [("n", 3)]),
        (lambda x, y: x + y, [("n", 3), ("m", 3)]),
        (lambda x, y: x @ y, [("n", "m"), ("n", "m")]),
        (lambda x: x.reshape(-1, 4), [("n", 3)]),
        (list, [("n", 3)]),
        (lambda x: x if x.sum() > 0 else -x, [("n", 3)]),
        (lambda x: np.asarray(x), [("n", 3)]),
        (lambda x: ops.broadcast_to(x, (4, 3)), [("n", 3)]),
        (lambda x: x & 1, [("n", 3)]),
        (lambda x: (x > 0) | 2, [("n", 3)]),
        (lambda x: ~x, [("n", 3)]),
    ],
)
def test_what_has_no_form_for_every_length_is_refused(f, shapes):
    with pytest.raises(NotLowerable):
        Case(f, *shapes).trees("n")


ENDS = st.sampled_from([None, 0, 1, 2, 5, 100, -1, -2, -100, Size.symbol("n"), Size.symbol("n") - 1])
AXES = st.sampled_from([Size.symbol("n") * k + c for k in (1, 2) for c in (-1, 0, 1, 4)])


@given(AXES, ENDS, ENDS, st.sampled_from([None, 1, 2, -1, -2]))
def test_how_many_a_slice_takes(length, start, stop, step):
    part = slice(start, stop, step)
    try:
        count = sliced(length, part)
    except NotLowerable:
        return
    for n in (*range(1, 9), 99, 100, 101, 250):
        whole, lengths = length.at({"n": n}), {"n": n}
        assert concrete(count, lengths) == len(range(whole)[concrete(part, lengths)])


# ------------------------------------------------------------------------------------------------- second derivatives


@pytest.mark.parametrize("name", MOVES)
def test_the_backward_of_a_backward(name):
    """A Hessian-vector product, twice through the trees, and twice through the engine."""
    case = MOVES[name]
    trees, leaves, value = case.trees("n")
    directions = [trees.leaf(f"v{i}", x.shape, np.float64) for i, x in enumerate(leaves)]
    root = ops.sum(ops.sin(value) * value)
    once = whole_gradient(trees, leaves, root)
    slope = sum(ops.sum(g * v) for g, v in zip(once, directions, strict=True) if g is not None)
    twice = whole_gradient(trees, leaves, slope)
    lengths = LENGTHS[1]
    arrays = case.arrays(leaves, lengths)
    vectors = case.arrays(leaves, lengths, seed=3)

    def objective(*xs):
        out = case.f(*xs)
        return ops.sum(ops.sin(out) * out)

    known = dict(zip([*leaves, *directions], [*arrays, *vectors], strict=True))
    got = evaluate([0.0 if g is None else g for g in twice], known, lengths)
    for x, want in zip(got, hessian_vector(objective, arrays, vectors), strict=True):
        np.testing.assert_allclose(np.broadcast_to(x, want.shape), want, rtol=1e-9, atol=1e-9)


def whole_gradient(trees, leaves, root):
    """The gradient of a number, without names for anything inside of it."""
    y = trees.leaf("y", (), np.float64, moves=True)
    seeds = {y: trees.data(np.array(1.0))}
    return Backward([(y, root)], seeds).gradients(leaves)


def hessian_vector(f, arrays, vectors):
    from autograd import grad

    def slope(*xs):
        gradient = grad(f, argnums=tuple(range(len(xs))))(*xs)
        return sum(ops.sum(g * v) for g, v in zip(gradient, vectors, strict=True))

    return grad(slope, argnums=tuple(range(len(arrays))))(*arrays)


# --------------------------------------------------------------------------------------------------- nodes themselves


def test_equal_nodes_are_one():
    trees = Trees(simplified)
    n = Size.symbol("n")
    x, y = trees.leaf("x", (n, 3), float), trees.leaf("y", (n, 3), float)
    assert x * y + 1.0 is x * y + 1.0
    assert x * y is not y * x  # the order is kept: rounding, and the text, depend on it
    assert x + 1 is not x + 1.0
    assert x + 0.5 is not x + np.nextafter(0.5, 1)
    assert x[:, [0, 1]] is x[:, np.array([0, 1])]
    assert x[:, [0, 1]] is not x[:, [1, 0]]
    assert x.T is x.transpose(1, 0)
    assert x.T.T is x
    assert x.reshape(-1) is x.reshape(3 * n)
    assert ops.sum(x, axis=-1) is x.sum(axis=(1,))
    assert trees.leaf("x", (n, 3), float) is not x  # a leaf is itself, whatever it is called


class Secret:
    """A parameter that does not tell what it holds."""

    def __init__(self, number):
        self.number = number

    def __repr__(self):
        return "Secret()"


def long(number):
    return np.array([*[0.0] * 1000, number, *[0.0] * 1000])  # its text leaves out the middle


class Told(int):
    """A number with a text of its own."""

    def __repr__(self):
        return "Told()"


DIFFERENT = [
    (0.0, -0.0), (1, 1.0), (1, True), (0.5, np.nextafter(0.5, 1)), (1, np.int64(1)), (np.float32(1), np.float64(1)),
    (1, "1"), (None, "None"), ((1, 2), [1, 2]), ((1,), 1), (Secret(1.0), Secret(2.0)), (Told(1), Told(2)),
    (long(1.0), long(2.0)), ({"a": long(1.0)}, {"a": long(2.0)}), ((Secret(1.0),), (Secret(2.0),)),
    (np.zeros(2), np.zeros(2, np.float32)), (np.zeros((2, 3)), np.zeros((3, 2))), (np.zeros(1), -np.zeros(1)),
    (slice(None, 1), slice(1, None)), (slice(0), slice(False)), (np.dtype("f4"), np.dtype("f8")),
    (Size.symbol("n"), Size.symbol("m")), (Size.symbol("n"), "n"), (lambda: 0, lambda: 0),
]  # fmt: skip
SAME = [math.nan, 1, "a", None, slice(None, 2), {"a": 1}, long(1.0), Size.symbol("n") + 1, np.float32, Secret(3.0)]
READS: Linear = Linear(
    "reads",
    lambda x, what: x,
    lambda g, x, what: READS.apply((g,), {"what": what}),
    params=("what",),
    doc="A row with any parameter.",
)


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=lambda x: type(x).__name__)
def test_different_parameters_give_different_nodes(one, other):
    trees = Trees(simplified)
    x = trees.leaf("x", (Size.symbol("n"),), float)
    node = READS.apply((x,), {"what": one})
    assert READS.apply((x,), {"what": other}) is not node
    assert READS.apply((x,), {"what": one}) is node


@pytest.mark.parametrize("what", SAME, ids=lambda x: type(x).__name__)
def test_equal_parameters_give_one_node(what):
    trees = Trees(simplified)
    x = trees.leaf("x", (Size.symbol("n"),), float)
    assert READS.apply((x,), {"what": what}) is READS.apply((x,), {"what": copy(what)})


def copy(x):
    return x if isinstance(x, Secret) else deepcopy(x)


def test_data_stays_what_it_was():
    trees = Trees(simplified)
    array = np.zeros(3)
    node = trees.data(array)
    array[0] = 5.0
    assert node.array is not None
    assert np.array_equal(node.array, np.zeros(3))
    assert trees.data(array) is not node
    assert trees.data(np.zeros(3)) is node
    with pytest.raises(NotLowerable, match="an array of object"):
        trees.data(np.array([Size.symbol("n")]))


def test_float32_stays():
    trees = Trees(simplified)
    x = trees.leaf("x", (Size.symbol("n"), 3), np.float32)
    for y in (x * 2.0, x / x.shape[0], x.mean(), x @ x.T, ops.softmax(x), x[:, :1], ops.where(x > 0, x, 0.0)):
        assert y.dtype == np.float32, readable([y])


def test_readable():
    trees = Trees(simplified)
    x = trees.leaf("x", (Size.symbol("n"), 3), float)
    h = ops.tanh(x) * 2.0
    assert readable([h + x[:, :1]]).splitlines() == [
        "add(mul(tanh(x), 2.0), getitem(x, index=(slice(None, None, None), slice(None, 1, None)))): (n, 3) float64"
    ]
    assert readable([h * h]).splitlines() == [
        "%1 = mul(tanh(x), 2.0): (n, 3) float64",
        "mul(%1, %1): (n, 3) float64",
    ]


def test_depth_is_free():
    trees = Trees(simplified)
    x = trees.leaf("x", (Size.symbol("n"),), float, moves=True)
    y = x
    for _ in range(5000):
        y = ops.sin(y) + x
    _, dy, (g,) = gradients(trees, [x], y)
    assert isinstance(g, Expression)
    (number,) = evaluate([g], {x: np.ones(2), dy: np.ones(2)}, {"n": 2})
    tensor = Tensor(np.ones(2))
    z = tensor
    for _ in range(5000):
        z = ops.sin(z) + tensor
    z.backward(np.ones(2))
    np.testing.assert_allclose(number, tensor.grad, rtol=1e-10)
    assert len(readable([g])) > 5000


@given(
    st.lists(st.sampled_from(["-", "*1", "+0", "T", "reshape", "sum", "*2", "where"]), max_size=8), st.integers(0, 9)
)
def test_simplification_keeps_numbers_shapes_and_dtypes(steps, seed):
    plain, short = [chain(Trees(simplify), steps) for simplify in (lambda node: node, simplified)]
    x = np.random.default_rng(seed).normal(size=(3, 4))
    (want,), (got,) = [evaluate([root], {leaf: x}, {"n": 3}) for leaf, root in (plain, short)]
    assert short[1].shape == plain[1].shape
    np.testing.assert_allclose(got, want, rtol=1e-12)


WHOLE = {
    "minus": lambda x, y, z: (-x) * y,
    "minus, added": lambda x, y, z: z + (-x),
    "minus, taken": lambda x, y, z: z - (-x),
    "minus, summed": lambda x, y, z: (-x).sum(axis=1),
    "minus, moved": lambda x, y, z: (-x).reshape(-1) * z.reshape(-1),
    "minus one": lambda x, y, z: (x * -1) * z,
    "twice": lambda x, y, z: x + x,
    "thrice": lambda x, y, z: (z + x) + x,
    "a square": lambda x, y, z: x * y + x * y,
    "a common factor": lambda x, y, z: z * x - z * y,
    "a quotient": lambda x, y, z: (-1 / (z + 1)) * x,
    "a choice": lambda x, y, z: ops.where(z > 0, 1, 0) * x,
    "one": lambda x, y, z: (x * 1 + 0) / 1,
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64"])
@pytest.mark.parametrize("other", ["uint8", "int64", "float64"])
def test_whole_numbers_that_wrap_around_do_so_in_shorter_trees(name, dtype, other):
    """What is true of numbers is not true of the integers of a machine, and bools have no minus."""
    rng = np.random.default_rng(0)
    low, high = (0, 2) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    x, y, z = (rng.integers(low, high, (3, 4)).astype(kind) for kind in (dtype, dtype, other))
    with np.errstate(all="ignore"):
        try:
            want = WHOLE[name](x, y, z)
        except (TypeError, OverflowError):
            return  # NumPy has none
    trees = Trees(simplified)
    leaves = [
        trees.leaf(name, (Size.symbol("n"), 4), array.dtype, cotangent=True)
        for name, array in zip("xyz", (x, y, z), strict=True)
    ]
    root = WHOLE[name](*leaves)
    (got,) = evaluate([root], dict(zip(leaves, (x, y, z), strict=True)), {"n": 3})
    assert got.dtype == root.dtype
    np.testing.assert_allclose(got.astype(float), np.asarray(want, float), rtol=1e-12)


EDGES = [0.0, 1.0, -2.0, math.inf, -math.inf, math.nan, 1e308, -1.5e308, 5e-324]


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "minus, moved"])
def test_what_is_no_cotangent_keeps_infinities_and_nan(name):
    """A function that multiplies nan by an answer of 0 gives nan: so does its program."""
    x, y, z = np.meshgrid(EDGES, EDGES, EDGES)
    n = Size.symbol("n")
    results = []
    for trees in (Trees(), Trees(simplified)):
        leaves = [trees.leaf(name, (n, *x.shape[1:]), float) for name in "xyz"]
        arrays = dict(zip(leaves, (x, y, z), strict=True))
        results += evaluate([WHOLE[name](*leaves)], arrays, {"n": len(x)})
    np.testing.assert_array_equal(*results)


def chain(trees, steps):
    x = trees.leaf("x", (Size.symbol("n"), 4), float, cotangent=True)
    y = x
    for step in steps:
        if step == "-":
            y = -y
        elif step == "*1":
            y = 1 * y
        elif step == "+0":
            y = y + 0
        elif step == "T":
            y = y.T
        elif step == "reshape":
            y = y.reshape(-1).reshape(*y.shape) if y.ndim else y
        elif step == "sum":
            y = y + y.sum(axis=-1, keepdims=True) if y.ndim else y
        elif step == "*2":
            y = y * y - y * 2.0
        else:
            y = y * ops.where(y > 0, 1, 0)
    return x, y
