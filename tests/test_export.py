"""Exported models compute the same: ONNX is run by onnxruntime, and source by Python alone."""

import itertools
import math
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Tensor, custom_op, ops, vectorize
from autograd.ops.rows import Elementwise
from demos import convolution
from nn.data import Batches, load_mnist
from nn.export.onnx import COMPOSED, DIRECT

ACTIVATIONS = [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.Softplus, nn.LeakyReLU, nn.ELU, nn.Softmax]
EDGES = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    -1.0,
    3.0,
    -2.0,
    30.0,
    -45.0,
    1e3,
    -1e3,
    1e300,
    -1e300,
    math.inf,
    -math.inf,
    math.nan,
]
TRIPLES = list(zip(EDGES[:12], EDGES[3:15], EDGES[5:], strict=True))


def onnx_of(model, folder, input_shape=None):
    """The exported model as a function on arrays. Warnings of onnxruntime are errors."""
    import onnxruntime

    path = nn.export_onnx(model, folder / "model.onnx", input_shape)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(["output"], {"input": x})[0]


def source_of(model, input_shape=None):
    """The exported function for one sample, run in an empty namespace."""
    names: dict[str, Any] = {"__name__": "network"}
    exec(compile(nn.export_source(model, input_shape=input_shape), "<network>", "exec"), names)
    return names["predict"]


def assert_near(found, wanted, near=1e-6):
    """Equal to the precision of float32, relative to the largest number."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    size = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    np.testing.assert_allclose(found, wanted, rtol=near, atol=near * size)


@st.composite
def networks(draw):
    """Layers of any kind one after another, and inputs for them."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    seed = draw(st.integers(0, 2**32 - 1))
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=4))
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        linear = nn.Linear(n_in, n_out, bias=draw(st.booleans()), rng=seed, dtype=dtype)
        if linear.bias is not None:
            linear.bias.data = np.random.default_rng(seed).normal(size=n_out)
        between = draw(st.lists(st.sampled_from([*ACTIVATIONS, nn.Dropout, nn.Flatten]), max_size=2))
        layers += [linear, *(make() for make in between)]
    x = np.random.default_rng(seed).normal(size=(draw(st.integers(1, 4)), sizes[0])) * draw(st.sampled_from([1, 20]))
    return nn.Sequential(*layers), x.astype(dtype)


@given(networks())
@settings(max_examples=settings().max_examples // 2)
def test_any_sequence_of_layers(tmp_path_factory, case):
    model, x = case
    wanted = nn.predict(model, x)
    found = onnx_of(model, tmp_path_factory.mktemp("onnx"))(x)
    assert found.dtype == wanted.dtype
    assert_near(found, wanted)
    predict = source_of(model)
    assert_near([predict(row) for row in x.tolist()], wanted)
    assert model.training


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_in_both_precisions(activation, dtype, tmp_path):
    model = nn.dense(3, 8, 2, activation=activation, dropout=0.5, rng=0, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(dtype) * 5
    wanted = nn.predict(model, x)
    assert_near(onnx_of(model, tmp_path)(x), wanted)
    assert_near([source_of(model)(row) for row in x.tolist()], wanted, 1e-6 if dtype == np.float32 else 1e-13)


# ------------------------------------------------------------------------------------------- operations, row by row

ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.partials[0] is not None]
OPERATORS = {*DIRECT, "fmod", "floordiv", "erf"}
"""Rows for which ONNX has an operator, so that they need no formula."""


def is_code(row):
    """Whether the value is Python code for numbers: neither a formula nor a single function."""
    return not row.is_formula and row.value.__module__ not in ("math", "_operator")


def on_columns(row):
    """The row as a model whose operands are the columns of its input."""
    return lambda x: row(*(x[:, i] for i in range(row.arity)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_source_of_every_row_is_the_row_also_where_python_raises(row):
    if is_code(row):
        with pytest.raises(
            nn.ExportError, match=f"{row.name} cannot be exported as Python: its value is not a formula"
        ):
            source_of(on_columns(row), row.arity)
        return
    predict = source_of(on_columns(row), row.arity)
    for x in itertools.product(EDGES, repeat=row.arity) if row.arity < 3 else TRIPLES:
        found, wanted = predict(x), row(*x)
        assert type(found) in (float, int)
        assert found == pytest.approx(wanted, rel=1e-15, abs=0, nan_ok=True), x


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_onnx_of_every_row_is_the_row(row, tmp_path):
    if not row.is_formula and row.name not in {*OPERATORS, *COMPOSED}:
        with pytest.raises(nn.ExportError, match=f"{row.name} cannot be exported to ONNX: ONNX has no such operator"):
            onnx_of(on_columns(row), tmp_path, row.arity)
        return
    rng = np.random.default_rng(0)
    columns = [np.clip(rng.normal(size=50) * 3, max(low + 0.01, -30), min(high - 0.01, 30)) for low, high in row.domain]
    x = np.stack(columns, axis=1).astype(np.float32)
    if row is ops.power:
        x[:, 1] = np.round(x[:, 1])
    wanted = on_columns(row)(Tensor(x)).data
    found = onnx_of(on_columns(row), tmp_path, row.arity)(x)
    np.testing.assert_allclose(found, wanted, rtol=5e-6, atol=1e-6)


def test_a_new_row_of_the_table_needs_nothing_here(tmp_path):
    softsign = Elementwise("softsign", lambda x: x / (1 + abs(x)), lambda out, x: (1 - abs(out)) ** 2, doc="")
    x = np.linspace(-3, 3, 10, dtype=np.float32).reshape(5, 2)
    model = nn.Sequential(nn.Linear(2, 3, rng=0), softsign)
    assert_near(onnx_of(model, tmp_path)(x), model(x).data)
    predict = source_of(model)
    assert_near([predict(row) for row in x], model(x).data)


M = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
ONNX_ONLY = {
    "index": lambda x: x[:, 1, ::-2],
    "index from the end": lambda x: x[..., -1],
    "a table of places": lambda x: x[:, 1:, np.array([[0, -1], [2, 2]])],
    "new axes": lambda x: x[:, None, 1:, :, None],
    "transpose": lambda x: x.transpose(0, 2, 1) @ M,
    "swapaxes": lambda x: autograd.swapaxes(x, -1, -2),
    "concatenate": lambda x: autograd.concatenate([x, x * 2], axis=1),
    "stack": lambda x: autograd.stack([x, -x], axis=-1),
    "reductions": lambda x: (
        x.sum(axis=2) + x.mean(1) + x.max(axis=(1, 2), keepdims=True)[:, 0] - x.min((1, 2))[:, None]
    ),
    "more reductions": lambda x: autograd.norm(x, axis=-1) * autograd.prod(x, -1) + autograd.logsumexp(x, axis=1),
    "over the batch": lambda x: x - x.mean(axis=0),
    "softmax": lambda x: autograd.softmax(x, axis=1) + autograd.log_softmax(x),
    "einsum": lambda x: autograd.einsum("bij,ik->bkj", x, M),
    "reshape": lambda x: x.reshape(-1, 2, 8)[:, 1],
    "broadcast": lambda x: autograd.broadcast_to(x[:, :1], x.shape) * x,
    "dtype": lambda x: x.astype(np.float64) * np.ones(4),
    "mixed dtypes": lambda x: x * np.ones(4) + np.arange(4),
    "weights that are computed": lambda x: x @ (Tensor(M) / autograd.norm(Tensor(M), axis=0)),
    "where": lambda x: autograd.where(M[0, 0] > np.arange(4), x, x * x),
    "nothing": lambda x: x,
    "twice": lambda x: x + x,
    "a comparison": lambda x: autograd.where(x > 0, x, 0.1 * x),
    "comparisons and logic": lambda x: autograd.where((x != 0) & (x <= 0.5) | (x >= x[:, :1]), -x, x.exp()),
    "an array is asked": lambda x: autograd.where(~(M[0] > 0), x[..., :3], x[..., 1:]),
    "constants among variables": lambda x: x * autograd.tanh(x.detach()) + x.detach(),
    "without recording": autograd.no_grad()(lambda x: x * 2),
}


@pytest.mark.parametrize("name", ONNX_ONLY)
def test_functions_of_tensors_as_onnx(name, tmp_path):
    model = ONNX_ONLY[name]
    run = onnx_of(model, tmp_path, (4, 4))
    for n in (1, 2, 7):
        x = np.random.default_rng(n).normal(size=(n, 4, 4)).astype(np.float32)
        wanted = model(Tensor(x)).data
        found = run(x)
        assert found.dtype == wanted.dtype
        assert_near(found, wanted)


VECTORS = {
    "one output": lambda x: (x @ M)[:, 0],
    "slice": lambda x: x[..., 1:3],
    "constants": lambda x: 2 / (x + M[:, 0]) - x / 3,
    "a column": lambda x: (x @ M[:, 1]).tanh().reshape(-1, 1) * 2,
    "log_softmax": lambda x: autograd.log_softmax(x @ Tensor(M)),
    "tied weights": lambda x: ((x @ M).relu() @ M.T).sin(),
    "one number for all": lambda x: x * x[:, :1] - x[:, 1:2],
    "a comparison": lambda x: autograd.where(x > 0, x, 0.1 * x),
    "comparisons and logic": lambda x: autograd.where((x != 0) & ~(x <= 0.5) | (x >= M[:, 0]), -x, x.exp()),
    "constants among variables": lambda x: x * autograd.tanh(x.detach()) + x.detach(),
    "one number": lambda x: autograd.maximum(x[:, 0], 0.25) ** 2,
    "nothing": lambda x: x,
}


@pytest.mark.parametrize("name", VECTORS)
def test_functions_of_one_list_as_source(name):
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    predict = source_of(VECTORS[name], 4)
    assert_near([predict(row) for row in x.tolist()], VECTORS[name](Tensor(x)).data)


def test_a_convolution_of_scalars_as_onnx(tmp_path):
    fast = vectorize(convolution.Network(side=7), (7, 7))
    x = np.random.default_rng(0).normal(size=(3, 7, 7))
    assert_near(onnx_of(fast, tmp_path)(x), fast(x).data, 1e-12)


def test_a_number_and_an_image_as_samples(tmp_path):
    assert source_of(lambda x: x * x + 1, ())(3) == 10.0
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2, rng=0))
    x = np.random.default_rng(0).normal(size=(3, 2, 3)).astype(np.float32)
    predict = source_of(model, (2, 3))
    assert_near([predict(image) for image in x], model(x).data)
    assert_near(onnx_of(model, tmp_path, (2, 3))(x), model(x).data)


# -------------------------------------------------------------------------------------------------------- networks


@pytest.fixture(scope="module")
def mnist():
    """A network trained on some digits, test images, and its outputs for them."""
    data = load_mnist()
    model = nn.dense(784, 100, 10, rng=0)
    batches = Batches(data.train_x[:6000], data.train_y[:6000], batch_size=50, seed=0)
    nn.fit(model, batches, nn.cross_entropy, nn.SGD(model.parameters(), lr=0.05), epochs=1, progress=False)
    return model, data.test_x, nn.predict(model, data.test_x)


def test_mnist_as_onnx(mnist, tmp_path):
    model, images, wanted = mnist
    found = onnx_of(model, tmp_path)(images)
    assert found.dtype == np.float32
    assert_near(found, wanted)
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()


def test_mnist_to_the_sixth_digit_where_the_numbers_have_more(mnist, tmp_path):
    """Probabilities agree to 1e-6, and in float64 everything does.

    The logits are near 10. In float32 this network computes them to about 2e-6, and probabilities to a quarter of it.
    """
    model, images, _ = mnist
    probabilities = nn.Sequential(*model, nn.Softmax())
    exact = nn.dense(784, 100, 10, dtype=np.float64)
    exact.load_state_dict({path: array.astype(np.float64) for path, array in model.state_dict().items()})
    for network, dtype in ((probabilities, np.float32), (exact, np.float64)):
        x = images.astype(dtype)
        wanted = nn.predict(network, x)
        np.testing.assert_allclose(onnx_of(network, tmp_path)(x), wanted, rtol=0, atol=1e-6)
        predict = source_of(network)
        np.testing.assert_allclose([predict(image) for image in x[:50].tolist()], wanted[:50], rtol=0, atol=1e-6)


def test_mnist_as_source(mnist, tmp_path):
    model, images, wanted = mnist
    path = tmp_path / "digits.py"
    text = nn.export_source(model, path)
    assert path.read_text() == text
    assert len(text) < 1.5 * sum(p.data.nbytes for p in model.parameters())
    names: dict[str, Any] = {"__name__": "digits"}
    exec(text, names)
    assert_near([names["predict"](image) for image in images[:200].tolist()], wanted[:200])

    # as a command, by a Python without our packages
    given = ",".join(map(str, images[0].tolist()))
    done = subprocess.run([sys.executable, "-I", "-S", path], input=given, capture_output=True, text=True, check=True)
    assert_near([float(line) for line in done.stdout.splitlines()], wanted[0])
    done = subprocess.run([sys.executable, "-I", "-S", path, "1", "2"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: predict takes 784 numbers, got 2\n")


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.sampled_from(["relu", "tanh", "sigmoid", "gelu", "softplus"]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=settings().max_examples // 4)
def test_any_network_of_neurons(tmp_path_factory, sizes, activation, seed):
    random.seed(seed)
    model = nn.MLP(sizes[0], sizes[1:], activation=activation)
    x = np.random.default_rng(seed).normal(size=(3, sizes[0]))
    wanted = np.array([[v.data for v in out] if isinstance(out, list) else out.data for out in map(model, x.tolist())])
    assert_near([source_of(model)(row) for row in x.tolist()], wanted, 1e-12)
    near = 1e-6 if activation == "gelu" else 1e-12  # onnxruntime computes erf in float32
    assert_near(onnx_of(model, tmp_path_factory.mktemp("onnx"))(x), wanted, near)
    fast = vectorize(model, sizes[0])
    assert_near([source_of(fast)(row) for row in x.tolist()], wanted, 1e-12)


def test_the_same_model_gives_the_same_files(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            self.first = nn.Linear(3, 2, rng=0)

        def __call__(self, x):
            return self.first(x).tanh()

    files = [(nn.export_source(Net()), nn.export_onnx(Net(), tmp_path / "a.onnx").read_bytes()) for _ in range(2)]
    assert files[0] == files[1]
    assert files[0][0].startswith('"""Net, as plain Python.')


def test_what_the_onnx_file_says_of_itself(tmp_path):
    import onnx

    model = onnx.load(nn.export_onnx(nn.dense(3, 2, dtype=np.float64), tmp_path / "a.onnx"))
    assert (model.producer_name, model.producer_version) == ("chainrule", autograd.__version__)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert "Linear(3, 2)" in model.doc_string
    (x,), (y,) = model.graph.input, model.graph.output
    assert [(d.dim_param, d.dim_value) for d in x.type.tensor_type.shape.dim] == [("batch", 0), ("", 3)]
    assert [(d.dim_param, d.dim_value) for d in y.type.tensor_type.shape.dim] == [("batch", 0), ("", 2)]
    assert {x.type.tensor_type.elem_type, y.type.tensor_type.elem_type} == {onnx.TensorProto.DOUBLE}
    assert {item.name for item in model.graph.initializer} == {"layers.0.weight", "layers.0.bias"}


# ------------------------------------------------------------------------------------------------- what is refused

RANDOM = np.random.default_rng(0)
cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
BOTH: dict[str, tuple[Callable[[Any], Any], str]] = {
    "its numbers": (lambda x: x * x.data, r"depends on its input's numbers.*: the numbers \(\.data\)"),
    "an array as long as the batch": (lambda x: x + np.ones(x.shape, np.float32), "the length batch is not known"),
    "a branch": (lambda x: x.tanh() if len(x) > 2 else x.exp(), r"len\(\) of a batch\. Write choices with where"),
    "a branch on a number": (lambda x: x.tanh() if x.sum() > 2 else x.exp(), "a decision that depends on numbers"),
    "random numbers": (lambda x: x * RANDOM.random(4), "gives other numbers"),
    "an order": (lambda x: np.sort(x, axis=1), "choices with where"),
    "several outputs": (lambda x: [x, x], "returned a list"),
    "a constant": (
        lambda x: Tensor(np.ones((len(x.data), 1))) if isinstance(x, Tensor) else Tensor(np.ones((1, 1))),
        "does not depend on the input",
    ),
    "an operation of your own": (cube, "cube cannot be exported"),
    "a mask": (lambda x: x[:, np.array([True, False, True, True])], "getitem cannot be exported"),
    "a running sum": (lambda x: x.cumsum(1), "cumsum cannot be exported"),
}
ONLY_SOURCE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "samples together": (lambda x: x - x.mean(axis=0), "mean cannot be exported as Python"),
    "a transpose": (lambda x: x.T, "transpose cannot be exported as Python: .* mixes samples"),
    "a matrix a sample": (lambda x: x.reshape(-1, 2, 2) @ M[:2, :2], "matmul .* flatten first"),
    "repetition": (lambda x: x.reshape(-1, 2, 2) * x[:, :2].reshape(-1, 1, 2), "mul .* is broadcast to"),
    "weights from the input": (lambda x: (x * 2) @ (x.T @ x), "mixes samples"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*BOTH, *ONLY_SOURCE])
def test_what_cannot_be_exported_is_named(name, tmp_path):
    model, message = {**BOTH, **ONLY_SOURCE}[name]
    with pytest.raises(nn.ExportError, match=message):
        nn.export_source(model, tmp_path / "a.py", 4)
    if name in BOTH:
        with pytest.raises(nn.ExportError, match=message):
            nn.export_onnx(model, tmp_path / "a.onnx", 4)
    assert not list(tmp_path.iterdir())


def test_onnx_has_no_such_row(tmp_path):
    with pytest.raises(nn.ExportError, match="atan2 cannot be exported to ONNX"):
        nn.export_onnx(on_columns(ops.atan2), tmp_path / "a.onnx", 2)


def test_a_model_without_weights_has_to_say_its_shape():
    with pytest.raises(nn.ExportError, match="pass input_shape="):
        nn.export_source(nn.ReLU())
    with pytest.raises(nn.ExportError, match="one array of numbers"):
        nn.export_source(vectorize(lambda x, y: x * y, (), ()))


def test_without_onnx_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'chainrule\[export\]'"):
        nn.export_onnx(nn.dense(2, 2), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
    nn.export_source(nn.dense(2, 2), tmp_path / "a.py")


# ---------------------------------------------------------------------------------------------------------- names

ODD = ["A", "Ａ", "a", "²", "ª", "ᵛ", "ß", "SS", "名", "1", "x y", "-", "", "None", "class", "predict", "x", "h1",
       "dot", "NUMBERS", "_", "ŉ", "input", "output", "add_1", "mul_2", "constant_1", "\u202e"]  # fmt: skip


@given(keys=st.lists(st.sampled_from(ODD) | st.text(max_size=3), min_size=1, max_size=4, unique=True))
@settings(max_examples=settings().max_examples // 4)
def test_whatever_parameters_are_called(tmp_path_factory, keys):
    """Names that look alike, that are equal for Python, that are not valid, or that the file uses itself."""
    if any("\ud800" <= c <= "\udfff" for key in keys for c in key):
        return  # neither files nor protobuf can hold surrogates

    class Net(nn.Module):
        def __init__(self):
            self.__dict__ |= {key: Tensor([float(i), 0.5, -1.0]) for i, key in enumerate(keys)}

        def __call__(self, x):
            for key in keys:
                x = (x + self.__dict__[key]).tanh() * self.__dict__[key]
            return x

    Net.__name__ = Net.__qualname__ = "".join(keys)
    x = np.array([[0.1, 0.2, 0.3]])
    wanted = Net()(Tensor(x)).data
    text = nn.export_source(Net(), input_shape=3)
    names: dict[str, Any] = {"__name__": "network"}
    exec(compile(text, "<network>", "exec"), names)
    assert_near([names["predict"](row) for row in x], wanted)
    assert_near(onnx_of(Net(), tmp_path_factory.mktemp("names"), 3)(x.astype(np.float64)), wanted)


@pytest.mark.parametrize(
    "name", ["class", "print", "sum", "a b", "ｆ", "²", "", "h1", "v", "x", "numbers", "sys", "nan"]
)
def test_a_row_of_the_users_whose_name_the_file_cannot_have_is_refused(name):
    own = Elementwise(name, lambda x: 3 * x, lambda out, x: 3.0, doc="")
    with pytest.raises(nn.ExportError, match=f"^{name} cannot be exported"):
        nn.export_source(lambda x: own(x).exp(), input_shape=2)


def test_two_rows_of_the_users_with_one_name_are_refused():
    one, other = (Elementwise("f", lambda x, n=n: n * x, lambda out, x, n=n: n, doc="") for n in (2.0, 3.0))
    assert_near(source_of(lambda x: one(one(x)), 2)([0.1, 0.2]), [0.4, 0.8])
    with pytest.raises(
        nn.ExportError,
        match=r"^f cannot be exported as Python: its name is not a Python name, or the file uses it for something else",
    ):
        nn.export_source(lambda x: one(other(x)), input_shape=2)


@pytest.mark.parametrize("name", ["relu", "exp", "sum", "softmax", "add", "where", "reshape", "linear"])
def test_a_row_of_the_users_is_not_taken_for_one_of_the_tables(name, tmp_path):
    own = Elementwise(name, lambda x: 3 * x, lambda out, x: 3.0, doc="")
    inside = Elementwise("inside", lambda x: own(x) + 1, lambda out, x: 3.0, doc="")
    for model in (own, inside):
        for export in (nn.export_source, nn.export_onnx):
            with pytest.raises(
                nn.ExportError, match=f"{name} cannot be exported: it is a row of your own, and autograd has one"
            ):
                export(model, tmp_path / "a", 2)
