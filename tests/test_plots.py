"""`nn.plots`: pictures show the right numbers, use the given axes, and leave no figures open."""

import base64
import gc
import importlib
import io
import math
import re
import sys
import weakref
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from browser import COMMAND, Browser
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Tensor, describe
from demos import mnist
from demos._pictures import pictures
from nn import plots
from nn.data import Dataset, moons
from nn.report import write_report
from nn.support import canvas
from nn.training import predict
from nn.training.history import History
from nn.training.live import Frames

pytest.importorskip("matplotlib")
from matplotlib._pylab_helpers import Gcf
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

ROWS = [(1, 0.9, 0.8, 0.5), (2, 0.5, 0.4, 0.8), (3, 0.3, 0.6, 0.7)]
HISTORY = History([dict(zip(("epoch", "train_loss", "test_loss", "test_accuracy"), row, strict=True)) for row in ROWS])
X, Y = moons(40, seed=0)


# matplotlib declares what its artists hold as one of many things: these functions take what is there.


def points_of(line):
    return [tuple(x) for x in line.get_xydata()]


def pixels(image):
    return image.get_array()


def colour_of(image, number):
    return to_hex(image.to_rgba(number))


def edges_of(ax):
    """Where the bins of the first histogram begin and end."""
    return ax.patches[0].get_data().edges


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def saved(ax):
    ax.figure.savefig(io.BytesIO())


def plane(points):
    return points @ np.array([1.0, 2.0]) - 0.5


def three_ways(points):
    return np.column_stack([points[:, 0], points[:, 1], np.full(len(points), 0.25)])


def trained():
    """A network with gradients."""
    model = nn.dense(2, 8, 1, rng=0, dtype=np.float64)
    nn.binary_cross_entropy(model(X)[:, 0], Y).backward()
    return model


PICTURES = [
    lambda ax=None: plots.curves(HISTORY, ax=ax),
    lambda ax=None: plots.confusion_matrix([0, 1], [1, 1], ax=ax),
    lambda ax=None: plots.weight_images(np.eye(4), (2, 2), ax=ax),
    lambda ax=None: plots.worst_samples(np.eye(4), [0, 1, 0, 1], np.full((4, 2), 0.5), shape=(2, 2), ax=ax),
    lambda ax=None: plots.prediction_bars(np.eye(4), [0, 1, 0, 1], np.full((4, 2), 0.5), shape=(2, 2), ax=ax),
    lambda ax=None: plots.class_figures([0, 1], [1, 1], ax=ax),
    lambda ax=None: plots.idle_units(nn.Sequential(nn.ReLU()), X, ax=ax),
    lambda ax=None: plots.decision_boundary(plane, X, Y, ax=ax, resolution=9),
    lambda ax=None: plots.decision_boundary(three_ways, X, Y, ax=ax, resolution=9),
    lambda ax=None: plots.activation_histograms(trained(), X, ax=ax),
    lambda ax=None: plots.gradient_histograms(trained(), ax=ax),
]


@pytest.fixture(scope="module")
def loaded():
    pyplot = importlib.import_module("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    pyplot.close(pyplot.figure())  # the first figure looks for IPython, which a test replaces
    return sys.modules.pop("matplotlib.pyplot")  # other tests do not use pyplot


@pytest.fixture
def plt(loaded, monkeypatch):
    """pyplot, imported as by a program. Its figures are closed after the test."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", loaded)
    yield loaded
    loaded.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("draw", PICTURES)
def test_every_picture_goes_where_it_is_asked_to(draw, tmp_path):
    left, right = Figure(layout="constrained").subplots(1, 2)
    assert draw(ax=right) is right
    assert not left.has_data()
    assert right.has_data()
    alone = draw()
    assert alone.figure is not right.figure
    alone.figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", PICTURES)
def test_without_matplotlib_the_error_says_how_to_get_it(draw, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'chainrule\[demos\]'"):
        draw()


# ------------------------------------------------------------------------------------------------ figures and pyplot


def dark(png):
    """The share of pixels that are not white."""
    return (imread(io.BytesIO(png.getvalue()))[..., :3] < 1).any(axis=2).mean()


@pytest.mark.parametrize("draw", PICTURES)
def test_pyplot_knows_new_figures(draw, plt):
    """A plot without `ax=` is pyplot's current figure: savefig, show and close work on it."""
    ax = draw()
    assert plt.get_fignums() == [ax.figure.number]
    assert plt.gcf() is ax.figure
    assert draw().figure is not ax.figure
    plt.savefig(png := io.BytesIO(), dpi=30)
    assert dark(png) > 0.01
    plt.close("all")
    mine = plt.figure(figsize=(7, 2))  # an empty figure is open
    assert draw().figure is mine
    assert tuple(mine.get_size_inches()) == (7, 2)
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("draw", PICTURES)
def test_the_rest_of_a_figure_is_left_alone(draw, plt):
    figure, ((left, right), (below, last)) = plt.subplots(2, 2)
    below.plot([1, 2], [3, 4])

    def state():
        others = (left, below, last)
        return [(ax.get_xlim(), ax.get_ylim(), ax.get_title(), len(ax.get_children()), ax.axison) for ax in others]

    places, before = [ax.get_position().bounds for ax in (left, below, last)], state()
    plt.sca(below)
    assert draw(ax=right) is right
    figure.canvas.draw()
    assert state() == before
    assert [ax.get_position().bounds for ax in (left, below, last)] == places
    assert plt.gca() is below
    assert plt.get_fignums() == [figure.number]
    part = plt.figure().subfigures(1, 2)[0].subplots()
    assert draw(ax=part) is part


def test_without_pyplot_figures_belong_to_who_holds_them(monkeypatch):
    """40 pictures leave no figure open, and need no pyplot, which warns of more than 20."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # its import would fail
    held = [weakref.ref(draw().figure) for draw in PICTURES]
    held += [weakref.ref(canvas.axes(None, (1, 1)).figure) for _ in range(40 - len(held))]
    gc.collect()
    assert not any(figure() for figure in held)
    assert not Gcf.figs


def test_a_notebook_shows_its_figures(plt, monkeypatch):
    """In a notebook pyplot shows the figures, even if no cell has imported it."""
    shell = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    PICTURES[0]()  # IPython in a terminal is no notebook
    assert not plt.get_fignums()
    monkeypatch.setattr(importlib, "import_module", lambda name: plt if "pyplot" in name else sys.modules[name])
    shell.kernel = "a notebook's"
    PICTURES[0]()
    assert len(plt.get_fignums()) == 1


def test_what_we_save_ourselves_is_not_opened(plt, tmp_path, capsys):
    """Reports, pictures of demos, cards and animations do not add figures to pyplot, so it does not warn."""
    saved = {f"{k}.png": lambda draw=draw: draw().figure for k, draw in enumerate(PICTURES[:2])}
    pictures(tmp_path, saved)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(saved)
    x, y = np.zeros((4, 1, 2)), np.array([0, 1, 0, 1])
    data = Dataset(x, y, x, y, "two", 2)
    model = nn.dense(2, 3, 2, rng=0)
    options = mnist.parse(["--quick", "--hidden", "3", "--out", str(tmp_path)])
    mnist.report(options, "two", {}, data, model, predict(model, x.reshape(4, 2)), HISTORY)
    assert describe("tanh")._repr_html_().count("<svg") == 1
    Frames(PICTURES[0], folder=tmp_path / "frames").add()
    assert not plt.get_fignums()
    describe("tanh").plot()
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize(("wrong", "hint"), [(np.array([None, None]), "axes[0]"), ("ax", ""), (Figure(), "")])
def test_axes_have_to_be_axes(wrong, hint):
    with pytest.raises(TypeError, match=f"not a {type(wrong).__name__}.*{re.escape(hint)}"):
        plots.curves(HISTORY, ax=wrong)


# ---------------------------------------------------------------------------------------------------- the curves


def test_training_is_solid_and_validation_dashed():
    train, test, best = plots.curves(HISTORY).lines
    assert (train.get_label(), train.get_linestyle()) == ("training loss", "-")
    assert (test.get_label(), test.get_linestyle()) == ("test loss", "--")
    assert points_of(train) == [(row[0], row[1]) for row in ROWS]
    assert points_of(test) == [(row[0], row[2]) for row in ROWS]
    assert points_of(best) == [(2, 0.4)]
    assert best.get_label() == "best: 0.4000 in epoch 2"
    assert train.get_color() != test.get_color()


def test_the_best_accuracy_is_the_largest():
    ax = plots.curves(HISTORY, column="accuracy")
    assert points_of(ax.lines[-1]) == [(2, 0.8)]
    assert ax.get_ylabel() == "accuracy"
    with pytest.raises(ValueError, match="error"):
        plots.curves(HISTORY, column="error")


def test_a_logarithmic_axis_on_request():
    assert plots.curves(HISTORY).get_yscale() == "linear"
    assert plots.curves(HISTORY, log=True).get_yscale() == "log"


def test_a_curve_of_nan_has_no_best():
    history = History([{"epoch": 1, "train_loss": 0.5, "test_loss": math.nan}])
    assert [line.get_label() for line in plots.curves(history).lines] == ["training loss", "test loss"]


# ------------------------------------------------------------------------------------------ the confusion matrix


@settings(max_examples=15)
@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_each_cell_counts_and_shares_its_row(drawn):
    n, pairs = drawn
    pairs = [*pairs, (0, 0)]
    true, predicted = zip(*pairs, strict=True)
    ax = plots.confusion_matrix(true, predicted, classes="abcd"[:n])
    for text in ax.texts:
        j, i = text.get_position()
        count = pairs.count((i, j))
        share = f"{count / true.count(i):.1%}" if count else ""
        assert text.get_text() == (f"{count}\n{share}".replace("100.0", "100") if count else "·")
    assert len(ax.texts) == n * n
    assert [label.get_text() for label in ax.get_yticklabels()] == list("abcd"[:n])


def test_only_mistakes_are_coloured():
    ax = plots.confusion_matrix([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    np.testing.assert_allclose(pixels(ax.images[0]), [[0.0, 0.25], [0.0, 0.0]])


@pytest.mark.parametrize(("true", "predicted"), [([0, 1], [0]), ([0, 2], [0, 1]), ([0, -1], [0, 0]), ([], [])])
def test_labels_have_to_fit(true, predicted):
    with pytest.raises(ValueError, match="labels"):
        plots.confusion_matrix(true, predicted, classes=range(2))


# ---------------------------------------------------------------------------------------------- weights as images


@pytest.mark.parametrize("wrap", [np.asarray, Tensor])
def test_each_unit_is_an_image(wrap):
    weight = np.random.default_rng(0).normal(size=(6, 5))
    image = plots.weight_images(wrap(weight), (2, 3), limit=1.5).images[0]
    assert image.get_clim() == (-1.5, 1.5)
    mosaic = np.ma.filled(pixels(image), np.nan)
    assert mosaic.shape == (5, 11)  # two rows of three units, with gaps of one
    for unit in range(5):
        top, left = 3 * (unit // 3), 4 * (unit % 3)
        np.testing.assert_array_equal(mosaic[top : top + 2, left : left + 3], weight[:, unit].reshape(2, 3))
    assert np.isnan(mosaic[2]).all()
    assert np.isnan(mosaic[3:, 8:]).all()


def test_negative_is_blue_and_positive_orange():
    image = plots.weight_images(np.array([[-1.0, 0.0, 1.0, 0.0]]), (1, 1)).images[0]
    low, high = image.get_clim()
    assert low == -high
    assert colour_of(image, -1.0) == "#174e8f"
    assert colour_of(image, 1.0) == "#8f3208"


def test_a_few_weights_far_out_do_not_pale_the_others():
    weight = np.ones((1000, 1))
    weight[0] = -1000
    assert plots.weight_images(weight, (10, 100)).images[0].get_clim() == (-1.0, 1.0)
    assert plots.weight_images(np.zeros((4, 1)), (2, 2)).images[0].get_clim() == (-1.0, 1.0)
    with pytest.raises(ValueError, match="28 x 28"):
        plots.weight_images(weight)


# ------------------------------------------------------------------------------------------ the decision boundary


def lines(ax):
    """The points of every contour."""
    return [path.vertices for found in ax.collections for path in found.get_paths() if len(path.vertices)]


def test_the_black_line_is_where_the_score_changes_its_sign():
    ax = plots.decision_boundary(plane, X, Y)
    (line,) = lines(ax)
    np.testing.assert_allclose(plane(line), 0, atol=1e-9)
    (colour,) = np.asarray(ax.collections[0].get_edgecolor())
    assert to_hex(colour) == "#000000"
    assert line[:, 0].min() == pytest.approx(ax.get_xlim()[0])
    assert line[:, 1].min() == pytest.approx(ax.get_ylim()[0], abs=0.05)


def test_colours_show_the_score():
    image = plots.decision_boundary(plane, X, Y, resolution=21, limit=1.5).images[0]
    assert image.get_clim() == (-1.5, 1.5)
    left, right, bottom, top = image.get_extent()
    x, y = (np.linspace(a, b, 43)[1::2] for a, b in ((left, right), (bottom, top)))  # centres of pixels
    np.testing.assert_allclose(pixels(image), x + 2 * y[:, None] - 0.5)
    assert image.origin == "lower"
    assert colour_of(image, -9.0) == "#174e8f"
    assert colour_of(image, 9.0) == "#8f3208"


def test_few_scores_far_out_do_not_pale_the_others():
    left, right = plots.decision_boundary(plane, X, Y).get_xlim()
    ax = plots.decision_boundary(lambda points: np.where(points[:, 0] > right - 0.03 * (right - left), 1e6, -1.0), X, Y)
    assert pixels(ax.images[0]).max() == 1e6
    assert ax.images[0].get_clim() == (-1.0, 1.0)


def test_the_limits_leave_a_margin_around_the_points():
    ax = plots.decision_boundary(plane, [[0, 5], [10, 5]], [0, 1])
    np.testing.assert_allclose([*ax.get_xlim(), *ax.get_ylim()], [-1, 11, 4.9, 5.1])


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (-1.0, 1.0), (False, True)])
def test_each_class_has_its_marker(labels):
    y = np.where(Y == 1, labels[1], labels[0])
    first, second = plots.decision_boundary(plane, X, y).lines
    assert (first.get_marker(), second.get_marker()) == ("o", "^")
    assert [line.get_label() for line in (first, second)] == [str(int(label)) for label in labels]
    np.testing.assert_array_equal(first.get_xydata(), X[Y == 0])
    np.testing.assert_array_equal(second.get_xydata(), X[Y == 1])


def test_a_class_alone_keeps_its_marker():
    (line,) = plots.decision_boundary(plane, X, np.ones(40, int)).lines
    assert line.get_marker() == "^"


def test_networks_of_values_and_of_tensors_draw_the_same():
    mlp = nn.MLP(2, [3, 1], activation="tanh")
    net = nn.dense(2, 3, 1, activation=nn.Tanh, dtype=np.float64)
    for layer, neurons in zip(net.layers[::2], mlp.layers, strict=True):
        layer.weight.data = np.array([[w.data for w in neuron.w] for neuron in neurons.neurons]).T
    images = [plots.decision_boundary(model, X, Y, resolution=12).images[0] for model in (mlp, net)]
    np.testing.assert_allclose(pixels(images[0]), pixels(images[1]), rtol=1e-12)
    shapes = [pixels(plots.decision_boundary(model, X, Y).images[0]).shape for model in (mlp, net)]
    assert shapes == [(50, 50), (200, 200)]  # 100 times slower, each point


def test_points_come_in_their_dtype_and_nothing_is_recorded():
    seen = []
    net = nn.dense(2, 1, rng=0)

    def model(points):
        seen.append((points.dtype, net(points)))
        return seen[-1][1]

    plots.decision_boundary(model, X.astype("f4"), Y)
    assert {dtype for dtype, _ in seen} == {np.dtype("f4")}
    assert all(out.is_leaf for _, out in seen)


def test_of_two_outputs_the_score_is_their_difference():
    one = plots.decision_boundary(plane, X, Y, resolution=7)
    two = plots.decision_boundary(
        lambda points: np.column_stack([-plane(points), 0 * plane(points)]), X, Y, resolution=7
    )
    column = plots.decision_boundary(lambda points: plane(points)[:, None], X, Y, resolution=7)
    for ax in (two, column):
        np.testing.assert_allclose(pixels(ax.images[0]), pixels(one.images[0]))


def test_of_several_classes_the_winner_gives_the_colour():
    ax = plots.decision_boundary(three_ways, [[-1, -1], [1, 0], [0, 1]], [2, 0, 1], resolution=60)
    colours = [np.array(to_rgb(line.get_color())) for line in ax.lines]
    assert [line.get_marker() for line in ax.lines] == ["o", "^", "s"]
    image, (left, right, bottom, top) = pixels(ax.images[0]), ax.images[0].get_extent()
    for point in [(-1, -1), (1, -1), (1, 0.5), (-1, 1), (0.9, 1.0)]:
        column = int((point[0] - left) / (right - left) * 60)
        row = int((point[1] - bottom) / (top - bottom) * 60)
        winner = three_ways(np.array([point]))[0].argmax()
        ink = 1 - image[row, column]
        np.testing.assert_allclose(ink / ink.max(), (1 - colours[winner]) / (1 - colours[winner]).max())
    for line in lines(ax):
        second, first = np.sort(three_ways(line), axis=1).T[1:]
        np.testing.assert_allclose(first, second, atol=0.02)


@pytest.mark.parametrize("constant", [1.0, 0.0, math.nan, math.inf])
def test_without_a_boundary_there_is_no_line(constant):
    ax = plots.decision_boundary(lambda points: np.full(len(points), constant), X, Y)
    assert not lines(ax)
    saved(ax)


@pytest.mark.parametrize(
    ("model", "x", "y", "message"),
    [
        (plane, X.T, Y, r"\(n, 2\), got x of shape \(2, 40\)"),
        (plane, np.empty((0, 2)), [], r"\(0, 2\)"),
        (plane, [[0.0, math.nan]], [0], "finite"),
        (plane, X, Y[:-1], r"\(40,\), got int64 of shape \(39,\)"),
        (plane, X, Y / 2, "whole numbers"),
        (plane, X, Y + 1, r"0 and 1 or -1 and 1, got \[1, 2\]"),
        (plane, X, np.arange(40) % 3, r"\[0, 1, 2\]"),
        (three_ways, X, 2 * Y - 1, r"labels \[-1, 1\] are not 0 to 2"),
        (three_ways, X, 3 * Y, r"labels \[0, 3\] are not 0 to 2"),
        (lambda points: points[:5, 0], X, Y, r"shape .* for 40000 points"),
        (lambda points: np.ones((len(points), 2, 2)), X, Y, r"shape \(40000, 2, 2\)"),
    ],
)
def test_points_labels_and_outputs_have_to_fit(model, x, y, message):
    with pytest.raises(ValueError, match=message):
        plots.decision_boundary(model, x, y)


def test_a_resolution_of_one_is_no_grid():
    with pytest.raises(ValueError, match="resolution=1"):
        plots.decision_boundary(plane, X, Y, resolution=1)


def test_an_error_of_the_model_says_how_it_was_called():
    neuron = nn.Neuron(3)
    with pytest.raises(ValueError) as caught:
        plots.decision_boundary(lambda points: neuron(points), X, Y)
    assert "an array of points (n, 2)" in caught.value.__notes__[-1]
    with pytest.raises(ValueError) as caught:
        plots.decision_boundary(nn.Neuron(3), X, Y)
    assert "one by one" in caught.value.__notes__[-1]


# ---------------------------------------------------------------------------------- activations and gradients


def rows(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def shares(ax):
    """For each row from the first on: blue and orange counts relative to the largest of the row."""
    found = []
    for blue, orange in zip(ax.patches[::2], ax.patches[1::2], strict=True):
        below, middle, top = blue.get_data().baseline, blue.get_data().values, orange.get_data().values
        np.testing.assert_array_equal(middle, orange.get_data().baseline)
        found.append(((middle - below) / 0.85, (top - middle) / 0.85))
    return found


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_each_layer_has_a_histogram_of_its_outputs(scale):
    x = np.random.default_rng(0).normal(size=(300, 4)) * scale
    model = nn.Sequential(nn.Tanh(), nn.Sequential(nn.Linear(4, 3, rng=0, dtype=np.float64), nn.Sigmoid()))
    ax = plots.activation_histograms(model, x)
    assert [row.split("\n")[0] for row in rows(ax)] == ["0 Tanh", "1.0 Linear", "1.1 Sigmoid"]
    out = x
    for layer, (blue, orange), level in zip((model[0], *model[1]), shares(ax), (2, 1, 0), strict=True):
        out = predict(layer, out)
        edges = edges_of(ax)
        counts = np.histogram(np.clip(out, edges[0], edges[-1]), edges)[0]
        np.testing.assert_allclose(blue + orange, counts / counts.max())
        assert not blue[40:].any()
        assert not orange[:40].any()
        assert level < ax.get_yticks()[2 - level] < level + 1


def test_dead_units_and_saturated_outputs_are_counted():
    relu = nn.Sequential(nn.ReLU())
    x = np.array([[-1.0, 1.0, -2.0, 0.5], [-1.0, 2.0, 3.0, 0.5]])
    assert rows(plots.activation_histograms(relu, x)) == ["0 ReLU\n38% zero, 1 of 4 dead"]
    x = np.array([[-9.0, 9.0, 0.5, 0.5]])
    assert rows(plots.activation_histograms(nn.Sequential(nn.Tanh()), x)) == ["0 Tanh\n50% saturated"]
    assert rows(plots.activation_histograms(nn.Sequential(nn.Sigmoid()), x)) == ["0 Sigmoid\n50% saturated"]
    assert rows(plots.activation_histograms(nn.Sequential(nn.Linear(4, 2, dtype=np.float64)), x)) == ["0 Linear"]


def test_networks_of_values_have_layers_too():
    mlp = nn.MLP(2, [4, 1, 3], activation="tanh")
    for neuron in mlp.layers[0].neurons:
        neuron.b.data = 50.0
    ax = plots.activation_histograms(mlp, X)
    assert [row.split("\n")[0] for row in rows(ax)] == ["0 Tanh", "1 Tanh", "2 Linear"]
    assert rows(ax)[0].endswith("100% saturated")


def test_activations_are_those_of_evaluation():
    model = nn.Sequential(nn.Dropout(0.5, rng=0))
    assert rows(plots.activation_histograms(model, np.ones((9, 9)))) == ["0 Dropout"]
    assert model[0].training


def test_what_is_not_finite_is_counted():
    x = np.array([[1.0, math.nan, math.inf, -1.0]])
    assert rows(plots.activation_histograms(nn.Sequential(abs), x)) == ["0 abs\n50% not finite"]


def test_layers_have_to_be_known():
    layer: Any = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="Sequential or an MLP, not a Linear"):
        plots.activation_histograms(layer, X)


def test_gradients_by_size_and_sign():
    model = trained()
    ax = plots.gradient_histograms(model)
    names = [name for name, _ in model.named_parameters()]
    assert [row.split("\n")[0] for row in rows(ax)] == names
    assert ax.get_xscale() == "log"
    edges = edges_of(ax)
    for (_, p), (blue, orange) in zip(model.named_parameters(), shares(ax), strict=True):
        negative, positive = (np.histogram(np.abs(p.grad[where]), edges)[0] for where in (p.grad < 0, p.grad > 0))
        most = (negative + positive).max()
        np.testing.assert_allclose(blue, negative / most, atol=1e-12)
        np.testing.assert_allclose(orange, positive / most, atol=1e-12)


def test_values_of_a_layer_go_together():
    mlp = nn.MLP(2, [3, 1], activation="tanh")
    mlp([0.0, 1.0]).backward()
    kinds = ["layers.0.neurons.w\n50% zero", "layers.0.neurons.b", "layers.1.neurons.w", "layers.1.neurons.b"]
    assert rows(plots.gradient_histograms(mlp)) == kinds
    neuron = nn.Neuron(2, nonlin=False)
    neuron([1.0, 1.0]).backward()
    assert rows(plots.gradient_histograms(neuron)) == ["w", "b"]


def test_gradients_that_are_missing_or_zero_are_said_to_be():
    model = nn.dense(2, 2, 1, rng=0)
    with pytest.raises(ValueError, match="backward"):
        plots.gradient_histograms(model)
    model[0].bias.grad = np.zeros(2, np.float32)
    ax = plots.gradient_histograms(model)
    assert [row.split("\n")[1] for row in rows(ax)] == ["no gradient", "100% zero", "no gradient", "no gradient"]
    saved(ax)


@pytest.mark.parametrize("grad", [1.0, 1e-310, 1e300, math.nan])
def test_gradients_of_any_size_fit(grad):
    layer = nn.Linear(2, 1, dtype=np.float64)
    layer.weight.grad = np.array([[grad], [1e-3]])
    ax = plots.gradient_histograms(layer)
    saved(ax)
    blue, orange = shares(ax)[0]
    assert orange.sum() == pytest.approx(1 if math.isnan(grad) else 2)
    assert not blue.any()


# ------------------------------------------------------------------------------------------------ worst samples


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_the_worst_come_first(samples, n, seed):
    rng = np.random.default_rng(seed)
    images, labels = rng.random((samples, 2, 3)), rng.integers(0, 3, samples)
    probabilities = rng.dirichlet(np.ones(3), samples)
    ax = plots.worst_samples(images, labels, probabilities, n=n, shape=(2, 3))
    losses = -np.log(probabilities[np.arange(samples), labels])
    order = np.argsort(-losses)[:n]
    titles = [f"{labels[i]}→{probabilities[i].argmax()} p={probabilities[i].max():.2f}" for i in order]
    assert [title.replace("=0.", "=.") for title in titles] == texts(ax)
    mosaic = np.ma.filled(pixels(ax.images[0]), np.nan)
    for text, i in zip(ax.texts, order, strict=True):
        x, y = text.get_position()  # centred above its image
        top, left = int(y + 1), int(x - 1)
        np.testing.assert_array_equal(mosaic[top : top + 2, left : left + 3], images[i])


# -------------------------------------------------------------------------- probabilities, classes, idle units


@settings(max_examples=20)
@given(st.integers(1, 8), st.integers(2, 5), st.integers(1, 9), st.integers(0, 99))
def test_bars_are_the_probabilities_and_the_true_class_is_blue(samples, classes, n, seed):
    rng = np.random.default_rng(seed)
    images, labels = rng.random((samples, 2, 3)), rng.integers(0, classes, samples)
    probabilities = rng.dirichlet(np.ones(classes), samples)
    ax = plots.prediction_bars(images, labels, probabilities, n=n, shape=(2, 3))
    shown = min(samples, n)
    bars = np.array(ax.patches).reshape(shown, 2, classes)
    widths = np.vectorize(lambda bar: bar.get_width())(bars)
    np.testing.assert_allclose(widths[:, 0], 1)  # the tracks
    np.testing.assert_allclose(widths[:, 1], probabilities[:shown])
    blue = np.vectorize(lambda bar: to_hex(bar.get_facecolor()) == canvas.BLUES[1].lower())(bars)
    np.testing.assert_array_equal(blue[:, 1], np.arange(classes) == labels[:shown, None])
    assert not blue[:, 0].any()  # a track is in no class's colour
    assert legend(ax) == ["the true class", "another class"]
    for image, found in zip(images, ax.images, strict=False):
        np.testing.assert_array_equal(found.get_array(), image)
    assert len(ax.images) == shown


@pytest.mark.parametrize("draw", [plots.worst_samples, plots.prediction_bars])
def test_samples_have_a_row_of_probabilities_each(draw):
    with pytest.raises(ValueError, match=r"for 2 labels, got \(2,\)"):
        draw(np.eye(2), [0, 1], [0.5, 0.5], shape=(1, 2))
    with pytest.raises(ValueError, match="nothing"):
        draw(np.empty((0, 4)), [], np.empty((0, 2)), shape=(2, 2))


def test_figures_of_classes_are_points():
    ax = plots.class_figures([0, 0, 0, 0, 1], [0, 0, 1, 2, 1], ["a", "b", "never"])
    points = {line.get_label(): np.asarray(line.get_xdata()).tolist() for line in ax.lines}
    assert points["precision"][:2] == [1.0, 0.5]
    assert points["recall"][:2] == [0.5, 1.0]
    assert points["F1"] == pytest.approx([2 / 3, 2 / 3, 0.0])
    assert rows(ax) == ["a (4)", "b (1)", "never (0)"]
    assert math.isnan(points["recall"][2])
    low, high = ax.get_xlim()
    assert low < 0
    assert high == 1


def test_idle_units_are_as_high_as_their_share():
    x = np.array([[-1.0, 1.0, -2.0, 0.5], [-1.0, 2.0, 3.0, 0.5]])
    ax = plots.idle_units(nn.Sequential(nn.ReLU()), x)
    assert rows(ax) == ["0 ReLU\ninactive 38%\nalways 1 of 4"]
    patches: list[Any] = [*ax.patches]
    background, *bars = patches  # a Polygon until matplotlib 3.9
    bars.sort(key=lambda bar: bar.get_x())
    assert background.get_extents().width == pytest.approx(ax.bbox.width)
    assert [bar.get_height() / 0.8 for bar in bars] == pytest.approx([1.0, 0.5, 0.0, 0.0])
    assert to_hex(bars[0].get_facecolor()) == canvas.ORANGES[3].lower()
    assert len({bar.get_facecolor() for bar in bars[1:]}) == 1


# --------------------------------------------------------------------------------------------------- the report


class Page(HTMLParser):
    """Collects a page's texts and attributes, and checks that its tags nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.attributes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.mark.skipif(COMMAND is None, reason="no Chromium: apt install chromium, to open reports in a browser")
def test_the_report_fits_any_window(tmp_path):
    """At every width the pictures are whole, and no card is beside an empty half. Names are in English."""
    pictures = {str(k): (f"Picture {k}", "A sentence.", draw()) for k, draw in enumerate(PICTURES)}
    assert len(pictures) % 2
    path = write_report(tmp_path, "MNIST", {"right": "98%"}, {"lr": 0.5}, pictures, HISTORY)
    with Browser() as browser:
        for width in (390, 800, 1400):
            browser.resize(width, 900)
            browser.open(path)
            assert browser.run("document.documentElement.scrollWidth") <= width
            boxes = browser.run("""[...document.querySelectorAll('section, img, table')].map(x =>
                [x.getBoundingClientRect().left, x.getBoundingClientRect().right])""")
            assert all(0 <= left < right <= width for left, right in boxes)
            rows = browser.run("""[...document.querySelectorAll('section')].map(x => [x.getBoundingClientRect().top,
                x.getBoundingClientRect().width])""")
            whole = browser.run("document.querySelector('main').getBoundingClientRect().width")
            for top in {top for top, _ in rows}:
                assert sum(wide for other, wide in rows if other == top) > whole - 40
        text = browser.run("document.body.innerText")
    assert "training loss" in text
    assert "learning rate" in text
    assert "train_loss" not in text


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path):
    pictures = {"loss": ("A < B & C", 'a "sentence"', plots.curves(HISTORY)), "two": ("Two", "", PICTURES[1]())}
    path = write_report(tmp_path, "<title>", {"right": "98%"}, {"a_b": "{x}", "lr": 0.5}, pictures, HISTORY)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["loss.png", "report.html", "two.png"]
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    for expected in ("<title>", "98%", "right", "a b", "{x}", "0.5", "A < B & C", "test accuracy", "0.8000"):
        assert expected in page.texts
    sources = [value for name, value in page.attributes if name in ("src", "href")]
    files = [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources]
    assert files == [(tmp_path / name).read_bytes() for name in ("loss.png", "two.png")]
    assert not re.search(r"https?:|@import|url\(", text)
    assert ("alt", 'A < B & C. a "sentence"') in page.attributes
