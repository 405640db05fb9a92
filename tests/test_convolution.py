"""Layers of images against plain loops, differences, PyTorch, and the same layers in loops over scalars."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value, check_gradients, jvp, ops, vectorize
from nn.checkpoint import load, save
from nn.summary import summary

DOUBLE: dict[str, Any] = {"dtype": np.float64, "rng": 0}

# ------------------------------------------------------------------------------------------------------------ loops


def convolved(x, weight, bias, stride, padding, dilation, groups):
    """A convolution of images in loops."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    n, _, height, width = x.shape
    out_channels, inputs, kh, kw = weight.shape
    rows = (height - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    columns = (width - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    out = np.zeros((n, out_channels, rows, columns))
    for b, o, i, j in np.ndindex(*out.shape):
        first = o // (out_channels // groups) * inputs
        total = 0.0 if bias is None else bias[o]
        for c, k, m in np.ndindex(inputs, kh, kw):
            at = x[b, first + c, i * stride[0] + k * dilation[0], j * stride[1] + m * dilation[1]]
            total += weight[o, c, k, m] * at
        out[b, o, i, j] = total
    return out


def pooled(x, size, stride, padding, dilation, fill, f):
    """Pooling of images in loops."""
    x = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)
    rows, columns = (
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], size, stride, dilation, strict=True)
    )
    out = np.zeros((*x.shape[:2], rows, columns))
    for b, c, i, j in np.ndindex(*out.shape):
        cells = [
            x[b, c, i * stride[0] + k * dilation[0], j * stride[1] + m * dilation[1]] for k, m in np.ndindex(*size)
        ]
        out[b, c, i, j] = f(cells)
    return out


PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def layers(draw):
    """A convolution and an input on which it fits."""
    groups = draw(st.integers(1, 2))
    layer = nn.Conv2d(
        groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2)), draw(PAIRS), draw(PAIRS),
        draw(st.sampled_from([0, 1, (2, 0), "valid"])), draw(st.tuples(st.integers(1, 2), st.integers(1, 2))), groups,
        draw(st.booleans()), **DOUBLE,
    )  # fmt: skip
    shape = draw(st.integers(1, 2)), layer.in_channels, *(n + draw(st.integers(0, 3)) for n in layer.spans)
    if layer.bias is not None:
        layer.bias.data = np.random.default_rng(1).normal(size=layer.out_channels)
    return layer, np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape)


@given(layers())
def test_a_convolution_is_what_the_loops_give(case):
    layer, x = case
    bias = None if layer.bias is None else layer.bias.data
    rest = layer.stride, layer.padding, layer.dilation, layer.groups
    np.testing.assert_allclose(layer(x).data, convolved(x, layer.weight.data, bias, *rest), rtol=1e-10, atol=1e-12)


@given(layers())
def test_the_transposed_layer_is_the_transpose_of_the_convolution(case):
    """<conv(x), y> = <x, transposed(y)> for equal weights, whatever the sizes that a stride leaves over."""
    layer, x = case
    if layer.padding != ((0, 0), (0, 0)):
        layer = nn.Conv2d(
            layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, 0, layer.dilation, layer.groups,
            False, **DOUBLE,
        )  # fmt: skip
    layer.bias = None
    out = layer(x).data
    over = [(n - span) % s for n, span, s in zip(x.shape[2:], layer.spans, layer.stride, strict=True)]
    back = nn.ConvTranspose2d(
        layer.out_channels, layer.in_channels, layer.kernel_size, layer.stride, 0, over, layer.groups, False,
        layer.dilation, **DOUBLE,
    )  # fmt: skip
    back.weight.data = layer.weight.data
    y = np.random.default_rng(2).normal(size=out.shape)
    assert back(y).shape == x.shape
    assert np.sum(out * y) == pytest.approx(np.sum(x * back(y).data), rel=1e-9, abs=1e-9)


LAYERS = {
    "Conv1d": (lambda d: nn.Conv1d(2, 3, 3, 2, 1, rng=0, dtype=d), (2, 2, 7)),
    "Conv1d same": (lambda d: nn.Conv1d(1, 2, 4, padding="same", rng=0, dtype=d), (2, 1, 5)),
    "Conv2d": (lambda d: nn.Conv2d(2, 3, 2, padding=1, rng=0, dtype=d), (2, 2, 3, 4)),
    "Conv2d groups": (lambda d: nn.Conv2d(4, 2, (2, 1), (1, 2), groups=2, rng=0, dtype=d), (1, 4, 3, 3)),
    "Conv2d dilated": (lambda d: nn.Conv2d(1, 2, 2, dilation=2, bias=False, rng=0, dtype=d), (2, 1, 4, 4)),
    "ConvTranspose2d": (lambda d: nn.ConvTranspose2d(2, 3, 3, 2, 1, 1, rng=0, dtype=d), (2, 2, 2, 3)),
    "ConvTranspose2d groups": (lambda d: nn.ConvTranspose2d(2, 4, 2, groups=2, rng=0, dtype=d), (1, 2, 2, 3)),
    "MaxPool2d": (lambda d: nn.MaxPool2d(2), (2, 2, 5, 4)),
    "MaxPool2d overlapping": (lambda d: nn.MaxPool2d(3, 2, 1), (1, 2, 4, 5)),
    "MaxPool2d dilated": (lambda d: nn.MaxPool2d(2, 1, dilation=(1, 2)), (1, 1, 3, 4)),
    "AvgPool2d": (lambda d: nn.AvgPool2d(2, (1, 2), (0, 1)), (2, 1, 3, 4)),
    "GlobalAvgPool": (lambda d: nn.GlobalAvgPool(), (2, 3, 2, 2)),
}
each = pytest.mark.parametrize("name", LAYERS)


def made(name, dtype=np.float64):
    make, shape = LAYERS[name]
    x = np.random.default_rng(0).permutation(math.prod(shape)).reshape(shape) / 7 - 1.0
    return make(dtype), x.astype(dtype)


@each
def test_gradients_are_those_of_differences_in_both_modes(name):
    layer, x = made(name)
    assert check_gradients(lambda t: layer(t) ** 2, x)
    names = [name for name, _ in layer.named_parameters()]
    if names:

        def f(*given):
            vars(layer).update(zip(names, given, strict=True))
            return layer(x) ** 2

        assert check_gradients(f, *[p.data for p in layer.parameters()])
        layer, _ = made(name)
    v = np.cos(x)
    t = Tensor(x)
    (layer(t) ** 2).sum().backward()
    _, moved = jvp(lambda t: (layer(t) ** 2).sum(), (x,), (v,))
    assert float(ops.detach(moved)) == pytest.approx((t.grad * v).sum())


@each
def test_a_layer_gives_float32_for_float32(name):
    layer, x = made(name, np.float32)
    t = Tensor(x)
    out = layer(t)
    out.sum().backward()
    assert out.dtype == t.grad.dtype == np.float32


@given(PAIRS, PAIRS, st.integers(0, 9))
def test_pooling_is_what_the_loops_give(size, stride, seed):
    x = np.random.default_rng(seed).normal(size=(2, 2, 5, 6))
    padding = [(n, n) for n in (size[0] // 2, size[1] // 2)]
    half = [n for n, _ in padding]
    rest = size, stride, padding
    np.testing.assert_allclose(nn.MaxPool2d(size, stride, half)(x), pooled(x, *rest, (1, 1), -np.inf, max))
    np.testing.assert_allclose(nn.AvgPool2d(size, stride, half)(x), pooled(x, *rest, (1, 1), 0.0, np.mean), atol=1e-12)
    if all(n <= 2 for n in size):
        spread = nn.MaxPool2d(size, stride, dilation=2)(x)
        np.testing.assert_allclose(spread, pooled(x, size, stride, [(0, 0)] * 2, (2, 2), 0.0, max))


# ---------------------------------------------------------------------------------------- the same layer in scalars


@pytest.mark.parametrize("side", [4])
def test_a_layer_is_the_vectorized_loops_over_scalars(side):
    """The loops that a beginner writes, vectorized, are the layer."""
    layer, pool = nn.Conv2d(1, 2, 3, padding=1, **DOUBLE), nn.MaxPool2d(2)
    weights = [[[Value(float(w)) for w in row] for row in f[0]] for f in layer.weight.data]

    class Loops(nn.Module):
        def __init__(self):
            self.filters = weights

        def __call__(self, image):
            def pixel(i, j):
                return image[i][j] if 0 <= i < side and 0 <= j < side else 0.0

            def at(f, i, j):
                return sum(f[k][m] * pixel(i + k - 1, j + m - 1) for k in range(3) for m in range(3)).relu()

            return [
                max(at(f, 2 * i, 2 * j), at(f, 2 * i + 1, 2 * j), at(f, 2 * i, 2 * j + 1), at(f, 2 * i + 1, 2 * j + 1))
                for f in self.filters
                for i in range(side // 2)
                for j in range(side // 2)
            ]

    fast = vectorize(Loops(), (side, side))
    x = np.random.default_rng(1).normal(size=(5, side, side))
    out = pool(nn.ReLU()(layer(x[:, None])))
    np.testing.assert_allclose(fast(x).data, out.data.reshape(5, -1), rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------------------------------------------------- PyTorch

TORCH = """
import sys, numpy as np, torch
import nn
from autograd import Tensor
rng = np.random.default_rng(0)
CASES = [
    ("Conv1d", (4, 6, 3), dict(stride=2, padding=1, groups=2), (3, 4, 9)),
    ("Conv1d", (2, 3, 4), dict(padding="same", dilation=2), (3, 2, 9)),
    ("Conv2d", (3, 4, 3), dict(padding="same"), (2, 3, 6, 5)),
    ("Conv2d", (4, 8, (3, 2)), dict(stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), (2, 4, 7, 8)),
    ("ConvTranspose2d", (4, 6, 3), dict(stride=2, padding=1, output_padding=1, groups=2), (2, 4, 5, 4)),
    ("ConvTranspose2d", (2, 3, (2, 3)), dict(dilation=2, bias=False), (2, 2, 4, 4)),
    ("MaxPool2d", (3,), dict(stride=2, padding=1), (2, 3, 7, 6)),
    ("MaxPool2d", (2,), dict(dilation=2, stride=1), (2, 3, 7, 6)),
    ("AvgPool2d", (3,), dict(stride=2, padding=1), (2, 3, 7, 6)),
]
for dtype, close in ((np.float64, 1e-10), (np.float32, 1e-5)):
    for name, args, kwargs, shape in CASES:
        theirs = getattr(torch.nn, name)(*args, **kwargs).to(torch.float64 if dtype is np.float64 else torch.float32)
        ours = getattr(nn, name)(*args, **kwargs, **({"dtype": dtype} if "Conv" in name else {}))
        if "Conv" in name:
            ours.load_state_dict({k: v.detach().numpy() for k, v in theirs.state_dict().items()})
        x = rng.normal(size=shape).astype(dtype)
        a, b = Tensor(x), torch.tensor(x, requires_grad=True)
        out, want = ours(a), theirs(b)
        g = rng.normal(size=out.shape).astype(dtype)
        out.backward(g)
        want.backward(torch.tensor(g))
        pairs = [(out.data, want), (a.grad, b.grad)]
        pairs += [(p.grad, q.grad) for p, q in zip(ours.parameters(), theirs.parameters())]
        for found, wanted in pairs:
            wanted = wanted.detach().numpy()
            assert found.shape == wanted.shape, (name, found.shape, wanted.shape)
            scale = max(1.0, abs(wanted).max())
            assert abs(found - wanted).max() < close * scale, (name, dtype, abs(found - wanted).max())
print("equal")
"""


def test_layers_are_pytorchs():
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, check=False)
    assert done.stdout == "equal\n", done.stderr


# ------------------------------------------------------------------------------------- summaries, files and exports


def test_the_summary_has_the_shapes_of_images():
    text = str(summary(lenet16(), (1, 14, 14)))
    lines = [line.split("  ") for line in text.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert ["layers.0", "Conv2d(1, 3, 3, padding=1)", "(3, 1, 3, 3) + (3,)", "(batch, 3, 14, 14)", "30"] in cells
    assert ["layers.2", "MaxPool2d(3, stride=2, padding=1)", "(batch, 3, 7, 7)"] in cells
    assert ["layers.3", "Conv2d(3, 4, 3, stride=2)", "(4, 3, 3, 3) + (4,)", "(batch, 4, 3, 3)", "112"] in cells


def test_weights_are_saved_and_loaded(tmp_path):
    model, other = lenet16(), lenet16(1)
    save(model, tmp_path / "w.npz")
    load(other, tmp_path / "w.npz")
    x = np.random.default_rng(0).normal(size=(2, 1, 14, 14)).astype(np.float32)
    np.testing.assert_array_equal(model(x).data, other(x).data)


def lenet16(seed=0):
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding="same", rng=seed), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 4, 3, 2, rng=1),
        nn.Tanh(), nn.AvgPool2d(2, 1), nn.Flatten(), nn.Linear(16, 3, rng=seed),
    )  # fmt: skip


def test_onnx_gives_the_same_numbers(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    model = lenet16()
    path = nn.export_onnx(model, tmp_path / "m.onnx", (1, 14, 14))
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (1, 3):
        x = np.random.default_rng(n).normal(size=(n, 1, 14, 14)).astype(np.float32)
        np.testing.assert_allclose(session.run(None, {"input": x})[0], model(x).data, rtol=1e-4, atol=1e-5)


def test_other_exports_refuse_by_name(tmp_path):
    with pytest.raises(nn.ExportError, match="transpose cannot be exported as Python"):
        nn.export_source(lenet16(), input_shape=(1, 14, 14))
    pytest.importorskip("onnx")
    with pytest.raises(nn.ExportError, match="overlap_add cannot be exported to ONNX"):
        nn.export_onnx(nn.ConvTranspose2d(1, 1, 2), tmp_path / "m.onnx", (1, 4, 4))


# ----------------------------------------------------------------------------------------------------------- errors

WRONG = {
    "channels last": (
        (2, 8, 8, 3),
        r"takes inputs \(n, 3, height, width\).*channels come last: transpose\(0, 3, 1, 2\)",
    ),
    "no batch": ((3, 8, 8), r"the axis of the batch is missing: x\[None\]"),
    "flat": ((2, 192), "it is flat: reshape it to images first"),
    "other channels": ((2, 4, 8, 8), r"Conv2d\(3, 2, 5\) takes inputs .* given an input of shape \(2, 4, 8, 8\)$"),
    "too small": ((2, 3, 8, 4), r"needs 5 places along each axis, and an input of shape \(2, 3, 8, 4\) has 4"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_input_that_does_not_fit_is_refused(name):
    shape, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        nn.Conv2d(3, 2, 5)(np.ones(shape))


ARGUMENTS = {
    "no filters": (lambda: nn.Conv2d(1, 0, 3), "number of filters is 1 or more, not 0"),
    "three sizes": (lambda: nn.Conv2d(1, 1, (3, 3, 3)), r"one for each of 2 axes, not \(3, 3, 3\)"),
    "groups": (lambda: nn.Conv2d(3, 4, 1, groups=2), "3 and 4 channels cannot be split into 2 equal groups"),
    "same with stride": (lambda: nn.Conv2d(1, 1, 3, 2, "same"), "keeps the size, which a stride of 2 cannot"),
    "padding": (lambda: nn.Conv2d(1, 1, 3, padding="full"), 'padding is "same", "valid".*not \'full\''),
    "output_padding": (lambda: nn.ConvTranspose2d(1, 1, 3, output_padding=1), "has to be less than the stride 1"),
    "pool padding": (lambda: nn.MaxPool2d(2, padding=2), "from 0 to half of the window 2, not 2"),
    "weight_init": (lambda: nn.Conv2d(1, 1, 3, weight_init=lambda shape, rng: np.ones(3)), "made an array of shape"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_wrong_arguments_are_refused(name):
    make, message = ARGUMENTS[name]
    with pytest.raises(ValueError, match=message):
        make()


def test_layers_show_how_they_were_made():
    shown = [
        "Conv2d(1, 6, 5)", "Conv2d(4, 8, (3, 1), stride=2, padding=1, dilation=2, groups=4, bias=False)",
        "Conv1d(2, 3, 4, padding=2)", "ConvTranspose2d(2, 3, 2, stride=2, output_padding=1)", "MaxPool2d(2)",
        "MaxPool2d(3, stride=2, padding=1, dilation=2)", "AvgPool2d((2, 1))", "GlobalAvgPool()",
    ]  # fmt: skip
    assert [repr(eval(f"nn.{text}")) for text in shown] == shown
    assert repr(nn.Conv1d(1, 1, 4, padding="same")) == "Conv1d(1, 1, 4, padding=(1, 2))"
