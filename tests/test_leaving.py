"""Programs for JAX and PyTorch: the numbers and the gradients are ours. `make test-engines` installs both."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from gallery import ENTRIES
from test_gallery import vectorized

import autograd
import nn
from autograd import Tensor, Value, custom_op, exp, vectorize
from autograd.transforms.containers import flatten
from autograd.vectorizing.leaving import Leaving
from autograd.vectorizing.sizes import NotLowerable

LAYERS = [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.Softplus, nn.LeakyReLU, nn.ELU, nn.Softmax]


def arguments(fast, n, dtype=np.float64):
    """Arrays for a program: a batch of n."""
    rng = np.random.default_rng(n)
    shapes = [(n, *shape) if fast.batch else shape for shape in fast.shapes]
    return [
        rng.integers(0, limit, shape) if limit else rng.uniform(0.1, 0.9, shape).astype(dtype)
        for shape, limit in zip(shapes, fast._limits, strict=True)
    ]


def ours(fast, args):
    """The outputs, weights for a sum of them, and its gradients by name."""
    leaves, _ = flatten(fast(*args))
    weights = [np.random.default_rng(0).normal(size=x.shape).astype(x.dtype) for x in leaves]
    fast.zero_grad()
    sum(((x * w).sum() for x, w in zip(leaves, weights, strict=True)), Tensor(np.zeros((), leaves[0].dtype))).backward()
    grads = {name: np.zeros(p.shape) if p.grad is None else p.grad for name, p in fast.named_parameters()}
    return [x.data for x in leaves], weights, grads


def near(found, wanted, tolerance=1e-10):
    wanted = np.asarray(wanted)
    assert np.shape(found) == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * np.abs(wanted).max(initial=1.0))


def in_jax(function, parameters, args, weights):
    """Outputs and gradients, by JAX itself, compiled."""
    import jax

    def loss(parameters):
        outputs = jax.tree_util.tree_leaves(leaves(function(parameters, *args)))
        return sum((x * w).sum() for x, w in zip(outputs, weights, strict=True)), outputs

    def leaves(result):
        return flatten(result)[0]

    (_, outputs), grads = jax.jit(jax.value_and_grad(loss, has_aux=True))(parameters)
    return outputs, grads


def in_torch(module, args, weights):
    """Outputs and gradients, by PyTorch."""
    import torch

    outputs = flatten(module(*map(torch.from_numpy, args)))[0]
    if any(x.requires_grad for x in outputs):
        sum((x * torch.from_numpy(w)).sum() for x, w in zip(outputs, weights, strict=True)).backward()
    grads = {name: np.zeros(p.shape) if p.grad is None else p.grad.numpy() for name, p in module.named_parameters()}
    return [x.detach().numpy() for x in outputs], grads


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax", exc_type=ImportError)
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.clear_caches()


@pytest.mark.parametrize("name", ENTRIES)
def test_jax_gives_and_differentiates_what_we_do(jax, name):
    fast = vectorized(ENTRIES[name], ENTRIES[name].sizes[0])[0]
    function, parameters = fast.to_jax()
    assert list(parameters) == [key for key, _ in fast.named_parameters()]
    args = arguments(fast, 3)
    outputs, weights, grads = ours(fast, args)
    found, slopes = in_jax(function, parameters, args, weights)
    for got, want in [*zip(found, outputs, strict=True), *((slopes[key], g) for key, g in grads.items())]:
        near(got, want)


@pytest.mark.parametrize("name", ENTRIES)
def test_torch_gives_and_differentiates_what_we_do(name):
    pytest.importorskip("torch", exc_type=ImportError)
    fast = vectorized(ENTRIES[name], ENTRIES[name].sizes[0])[0]
    module = fast.to_torch()
    assert [key for key, _ in module.named_parameters()] == [key for key, _ in fast.named_parameters()]
    for n in (1, 3):
        module.zero_grad()
        args = arguments(fast, n)
        outputs, weights, grads = ours(fast, args)
        found, slopes = in_torch(module, args, weights)
        for got, want in [*zip(found, outputs, strict=True), *((slopes[key], g) for key, g in grads.items())]:
            near(got, want)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_program_has_both_texts(name):
    """Without the libraries: Python reads the texts, and nothing of ours is imported."""
    fast = vectorized(ENTRIES[name], ENTRIES[name].sizes[0])[0]
    for text in (fast._leaving().jax_source(own=True), fast._leaving().torch_source(own=True)):
        compile(text, name, "exec")
        assert "autograd" not in text


def model(dtype=np.float64, **options):
    """A function with several outputs, a mask, a table and a detached number."""
    rng = np.random.default_rng(0)
    table = [[Value(x) for x in row] for row in rng.normal(size=(5, 3))]
    w = [[Value(x) for x in row] for row in rng.normal(size=(4, 3))]

    def scores(token, x):
        row = table[token]
        hidden = [sum(a * b for a, b in zip(ws, row, strict=True)).relu() * x[i] for i, ws in enumerate(w)]
        largest = max(h.data for h in hidden)
        powers = [exp(h - largest) for h in hidden]
        total = sum(powers)
        return {"shares": [p / total for p in powers], "total": (total, hidden[0] - hidden[3])}

    return vectorize(scores, (), 4, index={"token": 5}, dtype=dtype, **options), table, w


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [True, False])
def test_structures_dtypes_and_single_samples(jax, dtype, batch):
    pytest.importorskip("torch", exc_type=ImportError)
    fast, *_ = model(dtype, batch=batch)
    args = arguments(fast, 4, dtype)
    args[0] = np.asarray(args[0])
    outputs, weights, grads = ours(fast, args)
    function, parameters = fast.to_jax()
    assert list(function(parameters, *args)) == ["shares", "total"]
    tolerance = 1e-10 if dtype == np.float64 else 1e-4
    for found, slopes in (in_jax(function, parameters, args, weights), in_torch(fast.to_torch(), args, weights)):
        for got, want in [*zip(found, outputs, strict=True), *((slopes[key], g) for key, g in grads.items())]:
            near(got, want, tolerance)
            assert np.asarray(got).dtype == dtype


@pytest.mark.parametrize("engine", ["jax", "torch"])
def test_a_file_of_its_own_gives_the_same(engine, tmp_path):
    """It runs where our packages are not found."""
    pytest.importorskip(engine, exc_type=ImportError)
    fast, *_ = model()
    args = arguments(fast, 4)
    path = getattr(fast, f"export_{engine}")(tmp_path / "model.py")
    np.savez(tmp_path / "in.npz", *args)
    run = {
        "jax": "import jax; jax.config.update('jax_enable_x64', True); import model\n"
        "out = model.scores(model.parameters(), *args)",
        "torch": "import torch, model\nout = model.Scores()(*map(torch.from_numpy, args))\n"
        "out = {k: tuple(v.detach() for v in x) if isinstance(x, tuple) else x.detach() for k, x in out.items()}",
    }[engine]
    script = (
        "import sys, numpy as np\nsys.modules['autograd'] = sys.modules['nn'] = None\n"
        "args = [x for x in np.load('in.npz').values()]\n"
        f"{run}\nnp.savez('out.npz', out['shares'], *out['total'])\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=tmp_path, check=True)
    with np.load(tmp_path / "out.npz") as found:
        for got, want in zip(found.values(), ours(fast, args)[0], strict=True):
            near(got, want)
    assert path == tmp_path / "model.py"


def test_what_torch_trained_comes_home():
    torch = pytest.importorskip("torch", exc_type=ImportError)
    fast, table, w = model()
    module = fast.to_torch()
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    args = arguments(fast, 8)
    for _ in range(3):
        optimizer.zero_grad()
        module(*map(torch.from_numpy, args))["total"][0].sum().backward()
        optimizer.step()
    fast.load(module.state_dict())
    with torch.no_grad():
        near(fast(*args)["shares"].data, module(*map(torch.from_numpy, args))["shares"].numpy())
    fast.sync()
    names = dict(module.named_parameters())
    numbers = {x.item() for p in names.values() for x in p.detach().reshape(-1)}
    assert {v.data for row in (*table, *w) for v in row} <= numbers


def test_numbers_that_do_not_fit_change_nothing():
    fast, *_ = model()
    before = {name: p.data.copy() for name, p in fast.named_parameters()}
    wrong = {name: np.ones((2, *x.shape)) for name, x in before.items()}
    (first, *rest) = before
    del wrong[rest[0]]
    with pytest.raises(ValueError, match="unchanged") as error:
        fast.load({**wrong, "other": 1.0})
    assert all(text in str(error.value) for text in (f"{rest[0]}: missing", "other: no parameter", f"{first}: shape"))
    assert all((p.data == before[name]).all() for name, p in fast.named_parameters())


def test_programs_of_any_shape_take_numbers_too():
    w = Value(2.0)
    fast = vectorize(lambda xs: sum(w * x for x in xs))
    fast(np.ones((2, 3)))
    fast(np.ones((2, 4)))
    (name,) = dict(fast.named_parameters())
    fast.load({name: np.float32(3.0)})
    assert fast(np.ones((1, 4))).tolist() == [12.0]


def test_operations_of_ones_own_are_refused_by_name():
    cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
    fast = vectorize(lambda x: cube(x) * Value(2.0), ())
    with pytest.raises(NotLowerable, match="cube"):
        fast._leaving().jax_source(own=False)
    with pytest.raises(NotLowerable, match="cube"):
        fast._leaving().torch_source(own=False)


def test_a_missing_library_is_named(monkeypatch):
    fast, *_ = model()
    for engine, method in (("jax", "to_jax"), ("torch", "to_torch")):
        for name in [name for name in sys.modules if name.split(".")[0] == engine]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, engine, None)
        with pytest.raises(ImportError, match=rf"pip install .chainrule\[{engine}\]"):
            getattr(fast, method)()


@pytest.mark.parametrize(
    ("name", "module", "title"),
    [("loss", "loss", "Loss"), ("<lambda>", "program", "Program"), ("mean loss", "mean_loss", "MeanLoss")],
)
def test_names(name, module, title):
    fast, *_ = model()
    found = Leaving(name, fast.program, dict(fast.named_parameters()), fast.dtype, fast._rebuild, True)
    assert (found.name, found.kind) == (module, title)


# ---------------------------------------------------------------------------------------------------- models of arrays


class Mixed(nn.Module):
    """Layers in a list and a dictionary, a parameter of its own, a constant, and dropout."""

    def __init__(self):
        self.parts = [nn.Linear(4, 40, rng=0, dtype=float), nn.Dropout(0.5, rng=0)]
        self.ends = {"last": nn.Linear(40, 3, bias=False, rng=1, dtype=float)}
        self.scale = Tensor(np.linspace(0.5, 1.5, 40))
        self.constant = np.linspace(-1.0, 1.0, 40)

    def __call__(self, x):
        hidden = self.parts[1](autograd.gelu(self.parts[0](x) * self.scale + self.constant))
        return autograd.log_softmax(self.ends["last"](hidden))


MODELS: dict[str, Any] = {
    **{kind.__name__: lambda kind=kind: nn.dense(4, 8, 3, activation=kind, rng=0, dtype=float) for kind in LAYERS},
    "mixed": Mixed,
    "neurons": lambda: nn.MLP(4, [5, 2]),
    "a function": lambda: lambda x: autograd.tanh(x).sum(axis=1),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_arrays_go_by_the_same_doors(name, jax):
    """Values, gradients, and the paths of the parameters; training there, and back."""
    torch = pytest.importorskip("torch", exc_type=ImportError)
    model = MODELS[name]()
    function, parameters = nn.to_jax(model, 4)
    module = nn.to_torch(model, 4)
    x = np.random.default_rng(0).normal(size=(5, 4))
    twin = model.eval() if isinstance(model, nn.Module) else model
    if any(isinstance(p, Value) for p in getattr(twin, "parameters", list)()):
        fast = vectorize(model, 4)
        outputs, weights, grads = ours(fast, [x])
    else:
        named = dict(twin.named_parameters()) if isinstance(twin, nn.Module) else {}
        assert {*parameters} == {key for key, _ in module.named_parameters()}
        assert {*parameters} == {*named} == {*module.state_dict()}
        out = twin(Tensor(x))
        outputs, weights = [out.data], [np.random.default_rng(0).normal(size=out.shape)]
        if named:
            (out * weights[0]).sum().backward()
        grads = {path: p.grad for path, p in named.items()}
    for found, slopes in (in_jax(function, parameters, [x], weights), in_torch(module, [x], weights)):
        near(found[0], outputs[0])
        for key, g in grads.items():
            near(slopes[key], g)
    if isinstance(model, Mixed):
        with torch.no_grad():
            for p in module.parameters():
                p *= 2.0
        model.load_state_dict(module.state_dict())
        near(model(x).data, module(torch.from_numpy(x)).detach().numpy())


@pytest.mark.parametrize("name", MODELS)
def test_models_have_both_texts(name, tmp_path):
    for export, title in ((nn.export_jax, "jax"), (nn.export_torch, "torch")):
        text = export(MODELS[name](), tmp_path / "model.py", 4).read_text(encoding="utf-8")
        compile(text, name, "exec")
        assert f"import {title}" in text
        assert not {"import autograd", "import nn"} & {*text.splitlines()}


def test_a_model_with_an_operation_of_ones_own_is_refused(tmp_path):
    cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
    for export in (nn.export_jax, nn.export_torch):
        with pytest.raises(nn.ExportError, match="cube"):
            export(lambda x: cube(x), tmp_path / "model.py", 4)
    assert not [*tmp_path.iterdir()]
