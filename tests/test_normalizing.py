"""Normalisation, embeddings and residuals: against formulas, differences and PyTorch; buffers in all files."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Tensor, check_gradients, jvp
from nn.checkpoint import Checkpoint, load, save
from nn.optim import EMA

RNG = np.random.default_rng(0)
EPS = 1e-5


def statistics(x, axes):
    center = x.mean(axes, keepdims=True)
    return center, ((x - center) ** 2).mean(axes, keepdims=True)


@pytest.mark.parametrize(("kind", "shape"), [("1d", (6, 3)), ("1d", (4, 3, 5)), ("2d", (4, 3, 2, 5))])
def test_batch_normalisation(kind, shape):
    """In training by the batch, whose statistics are remembered; in evaluation by what is remembered."""
    layer = getattr(nn, f"BatchNorm{kind}")(3, dtype=np.float64)
    layer.weight.data, layer.bias.data = [1.0, 2.0, -1.0], [0.5, 0.0, 1.0]
    spread = (1, 3, *[1] * (len(shape) - 2))
    w, b = (p.data.reshape(spread) for p in (layer.weight, layer.bias))
    axes, mean, var = (0, *range(2, len(shape))), np.zeros(3), np.ones(3)
    for _ in range(3):
        x = RNG.normal(1.0, 2.0, shape)
        center, variance = statistics(x, axes)
        np.testing.assert_allclose(layer(x).data, (x - center) / np.sqrt(variance + EPS) * w + b, atol=1e-12)
        n = x.size / 3
        mean = 0.9 * mean + 0.1 * center.reshape(-1)
        var = 0.9 * var + 0.1 * variance.reshape(-1) * n / (n - 1)
    np.testing.assert_allclose(layer.running_mean, mean)
    np.testing.assert_allclose(layer.running_var, var)
    assert layer.num_batches_tracked == 3
    layer.eval()
    expected = (x - mean.reshape(spread)) / np.sqrt(var.reshape(spread) + EPS) * w + b
    np.testing.assert_allclose(layer(x).data, expected, atol=1e-12)
    assert layer.num_batches_tracked == 3


def test_other_statistics():
    x = RNG.normal(size=(8, 2))
    layer = nn.BatchNorm1d(2, momentum=None, dtype=np.float64)
    layer(x[:4])
    layer(x[4:])
    np.testing.assert_allclose(layer.running_mean, x.mean(axis=0))
    layer = nn.BatchNorm1d(2, track_running_stats=False, affine=False).eval()
    assert not layer.state_dict()
    np.testing.assert_allclose(layer(x).mean(axis=0), 0.0, atol=1e-12)


LAYERS = {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(2, dtype=np.float64), (4, 2)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(2, dtype=np.float64), (2, 2, 2, 3)),
    "BatchNorm2d eval": (lambda: nn.BatchNorm2d(2, dtype=np.float64).eval(), (2, 2, 2, 3)),
    "LayerNorm": (lambda: nn.LayerNorm(4, dtype=np.float64), (3, 4)),
    "LayerNorm of two axes": (lambda: nn.LayerNorm((2, 3), bias=False, dtype=np.float64), (2, 2, 3)),
    "RMSNorm": (lambda: nn.RMSNorm(4, dtype=np.float64), (2, 3, 4)),
    "Residual": (lambda: nn.Residual(nn.Linear(3, 3, rng=0, dtype=np.float64), "tanh"), (2, 3)),
    "Residual with a shortcut": (
        lambda: nn.Residual(
            nn.Conv2d(1, 2, 3, 2, 1, rng=0, dtype=np.float64),
            shortcut=nn.Conv2d(1, 2, 1, 2, rng=1, dtype=np.float64),
        ),
        (2, 1, 4, 4),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_differences_in_both_modes(name):
    make, shape = LAYERS[name]
    layer, x = make(), np.random.default_rng(1).normal(size=shape)
    assert check_gradients(lambda t: layer(t) ** 3, x)
    v = np.cos(x)
    for p in layer.parameters():
        p.requires_grad = False
    t = Tensor(x)
    (layer(t) ** 3).sum().backward()
    _, moved = jvp(lambda t: (layer(t) ** 3).sum(), (x,), (v,))
    assert float(getattr(moved, "data", moved)) == pytest.approx((t.grad * v).sum())


@pytest.mark.parametrize("kind", [nn.LayerNorm, nn.RMSNorm])
def test_normalisation_within_samples(kind):
    x = RNG.normal(1.0, 3.0, (2, 3, 4))
    layer = kind((3, 4), dtype=np.float64)
    layer.weight.data = RNG.normal(size=(3, 4))
    center, variance = statistics(x, (1, 2))
    if kind is nn.RMSNorm:
        center, variance = 0.0, (x * x).mean((1, 2), keepdims=True)
    np.testing.assert_allclose(layer(x).data, (x - center) / np.sqrt(variance + EPS) * layer.weight.data, atol=1e-12)


def test_an_embedding_is_rows_of_its_weights():
    layer = nn.Embedding(5, 3, rng=0)
    x = np.array([[1, 4], [1, 0]])
    out = layer(x)
    np.testing.assert_array_equal(out.data, layer.weight.data[x])
    out.sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [1, 2, 0, 0, 1]
    assert layer([1, 2]).dtype == np.float32


TORCH = """
import numpy as np, torch
import nn
from autograd import Tensor
rng = np.random.default_rng(0)
for dtype, close in ((np.float64, 1e-10), (np.float32, 1e-5)):
    kind = torch.float64 if dtype is np.float64 else torch.float32
    for name, argument, shape in [("BatchNorm1d", 3, (6, 3)), ("BatchNorm1d", 3, (4, 3, 5)),
                                  ("BatchNorm2d", 3, (4, 3, 5, 2)), ("LayerNorm", (4, 2), (3, 4, 2))]:
        theirs, ours = getattr(torch.nn, name)(argument, dtype=kind), getattr(nn, name)(argument, dtype=dtype)
        with torch.no_grad():
            theirs.weight.copy_(torch.tensor(rng.normal(size=theirs.weight.shape)))
        ours.load_state_dict({k: v.detach().numpy() for k, v in theirs.state_dict().items()})
        for _ in range(2):
            x = rng.normal(size=shape).astype(dtype)
            a, b = Tensor(x), torch.tensor(x, requires_grad=True)
            out, want = ours(a), theirs(b)
            g = rng.normal(size=out.shape).astype(dtype)
            out.backward(g); want.backward(torch.tensor(g))
        pairs = [(out.data, want), (a.grad, b.grad)]
        pairs += [(p.grad, q.grad) for p, q in zip(ours.parameters(), theirs.parameters())]
        pairs += [(dict(ours.state_dict())[k], v) for k, v in theirs.state_dict().items()]
        pairs += [(ours.eval()(x).data, theirs.eval()(torch.tensor(x)))]
        for found, wanted in pairs:
            wanted = wanted.detach().numpy()
            assert abs(found - wanted).max() < close * max(1.0, abs(wanted).max()), (name, dtype)
print("equal")
"""


def test_layers_are_pytorchs():
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, check=False)
    assert done.stdout == "equal\n", done.stderr


# ---------------------------------------------------------------------------------------------------------- buffers


def network(seed=0):
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=seed), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2, rng=seed),
        nn.BatchNorm1d(2),
    )  # fmt: skip


def images(n=12):
    rng = np.random.default_rng(3)
    return rng.normal(size=(n, 1, 4, 4)).astype(np.float32), rng.integers(0, 2, n)


def trained():
    model = network()
    model(images()[0])
    return model.eval()


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_files_of_weights_have_buffers(tmp_path, suffix):
    if suffix == "safetensors":
        pytest.importorskip("safetensors")
    model, other = trained(), network(1).eval()
    save(model, tmp_path / f"w.{suffix}")
    load(other, tmp_path / f"w.{suffix}")
    np.testing.assert_array_equal(model(images()[0]).data, other(images()[0]).data)
    assert other[1].num_batches_tracked == 1


def test_a_state_without_buffers_is_refused_and_nothing_changes():
    model = trained()
    before, state = model.state_dict(), model.state_dict()
    del state["layers.1.running_mean"]
    state["layers.5.running_var"] = np.ones(3, np.float32)
    state["layers.0.weight"] += 1
    with pytest.raises(
        ValueError, match=r"layers.1.running_mean: missing\n.*layers.5.running_var: shape \(3,\), expected"
    ):
        model.load_state_dict(state)
    for path, x in model.state_dict().items():
        np.testing.assert_array_equal(x, before[path])


def test_a_resumed_training_gives_the_same_buffers(tmp_path):
    def train(epochs, path, resume):
        model = network()
        x, y = images()
        batches = [(x[:6], y[:6]), (x[6:], y[6:])]
        checkpoint = Checkpoint(tmp_path / path, resume=resume)
        stop = nn.EarlyStopping(9, monitor="train_loss")
        nn.fit(model, batches, nn.cross_entropy, nn.SGD(model, 0.1), epochs=epochs, progress=False,
               checkpoint=checkpoint, callbacks=[stop])  # fmt: skip
        return model.state_dict()

    train(2, "a.npz", False)
    resumed, whole = train(4, "a.npz", True), train(4, "b.npz", False)
    assert list(resumed) == list(whole)
    for path in whole:
        np.testing.assert_array_equal(resumed[path], whole[path])
    assert whole["layers.1.num_batches_tracked"] == 8


def test_early_stopping_restores_the_buffers_of_the_best_epoch():
    x, y = images()
    model, seen = network(), []
    losses = iter([1.0, 0.5, 2.0, 3.0])

    def validate(model):
        seen.append(model.state_dict())
        return {"val_loss": next(losses)}

    nn.fit(model, [(x, y)], nn.cross_entropy, nn.SGD(model, 0.1), epochs=4, progress=False, validate=validate,
           callbacks=[nn.EarlyStopping(5)])  # fmt: skip
    for path, found in model.state_dict().items():
        np.testing.assert_array_equal(found, seen[1][path])


def test_averages_have_averages_of_buffers():
    model = network()
    average = EMA(model, 0.0)
    model(images()[0])
    average.update()
    for (path, mean), x in zip(average.model.named_buffers(), dict(model.named_buffers()).values(), strict=True):
        np.testing.assert_array_equal(mean, x, err_msg=path)


def test_optimisers_and_summaries_leave_buffers_alone():
    model = trained()
    assert len(model.parameters()) == 8
    before = model.state_dict()
    text = str(model.summary((1, 4, 4)))
    assert "BatchNorm2d(2)" in text
    model.train()
    model.summary((1, 4, 4))
    for path, x in model.state_dict().items():
        np.testing.assert_array_equal(x, before[path])


def test_exports_have_the_running_statistics(tmp_path):
    model = trained()
    x = images(3)[0]
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = nn.export_onnx(model, tmp_path / "m.onnx", (1, 4, 4))
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"input": x})[0], model(x).data, rtol=1e-4, atol=1e-5)


def test_rows_with_normalisation_are_exported_as_python():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Residual("tanh"))
    model(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    file: dict[str, Any] = {"__name__": "network"}
    exec(nn.export_source(model), file)
    found = file["predict"]([0.5, -1.0, 2.0])
    assert found == pytest.approx(model.eval()(np.array([[0.5, -1.0, 2.0]], np.float32)).data[0], rel=1e-5)


# ----------------------------------------------------------------------------------------------------------- errors

WRONG = {
    "channels": (
        lambda: nn.BatchNorm2d(3)(np.ones((2, 4, 5, 5))),
        r"takes inputs \(n, 3, height, width\), and was given",
    ),
    "channels last": (lambda: nn.BatchNorm2d(3)(np.ones((2, 5, 5, 3))), "the channels come last"),
    "one number": (lambda: nn.BatchNorm1d(3)(np.ones((1, 3))), "cannot learn from one number a channel.*model.eval"),
    "momentum": (lambda: nn.BatchNorm1d(3, momentum=2), "momentum is a share from 0 to 1, or None"),
    "last axes": (lambda: nn.LayerNorm((3, 4))(np.ones((2, 4))), r"takes inputs \(…, 3, 4\), and was given"),
    "too large": (lambda: nn.Embedding(5, 2)([1, 5]), "takes whole numbers from 0 to 4, and was given 1 to 5"),
    "negative": (lambda: nn.Embedding(5, 2)([-1]), "takes whole numbers from 0 to 4"),
    "residual": (lambda: nn.Residual(nn.Linear(3, 2))(np.ones((1, 3))), "must be equal; give a shortcut="),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name):
    f, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        f()


def test_an_embedding_takes_whole_numbers():
    with pytest.raises(TypeError, match=r"Embedding\(5, 2\) takes whole numbers, .* not float64"):
        nn.Embedding(5, 2)([0.5])


def test_layers_show_how_they_were_made():
    shown = [
        "BatchNorm1d(3)", "BatchNorm2d(3, eps=0.001, momentum=None, affine=False)", "LayerNorm(3)", "RMSNorm((2, 3))",
        "LayerNorm(3, elementwise_affine=False)", "Embedding(5, 2)",
        "BatchNorm1d(3, track_running_stats=False)",
    ]  # fmt: skip
    assert [repr(eval(f"nn.{text}")) for text in shown] == shown
    assert repr(nn.Residual(nn.Linear(2, 2), "relu")) == "Residual(Linear(2, 2), ReLU())"
    assert math.isclose(float(np.std(nn.Embedding(100, 100, rng=0).weight.data)), 1.0, rel_tol=0.05)
