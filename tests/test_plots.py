"""`nn.plots`: the pictures hold the right numbers, go where they are asked to, and leave nothing behind."""

import base64
import math
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Tensor
from nn import plots
from nn.history import History

pytest.importorskip("matplotlib")
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

ROWS = [(1, 0.9, 0.8, 0.5), (2, 0.5, 0.4, 0.8), (3, 0.3, 0.6, 0.7)]
HISTORY = History([dict(zip(("epoch", "train_loss", "test_loss", "test_accuracy"), row, strict=True)) for row in ROWS])
PICTURES = [
    lambda ax=None: plots.curves(HISTORY, ax=ax),
    lambda ax=None: plots.confusion_matrix([0, 1], [1, 1], ax=ax),
    lambda ax=None: plots.weight_images(np.eye(4), (2, 2), ax=ax),
    lambda ax=None: plots.worst_samples(np.eye(4), [0, 1, 0, 1], np.full((4, 2), 0.5), shape=(2, 2), ax=ax),
]


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


def test_no_global_state(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it would fail
    for draw in PICTURES:
        draw()


@pytest.mark.parametrize("draw", PICTURES)
def test_without_matplotlib_the_error_says_how_to_get_it(draw, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "chainrule\[demos\]"'):
        draw()


# ---------------------------------------------------------------------------------------------------- the curves


def test_training_is_solid_and_validation_dashed():
    train, test, best = plots.curves(HISTORY).lines
    assert (train.get_label(), train.get_linestyle()) == ("train_loss", "-")
    assert (test.get_label(), test.get_linestyle()) == ("test_loss", "--")
    assert [tuple(x) for x in train.get_xydata()] == [(row[0], row[1]) for row in ROWS]
    assert [tuple(x) for x in test.get_xydata()] == [(row[0], row[2]) for row in ROWS]
    assert [tuple(x) for x in best.get_xydata()] == [(2, 0.4)]
    assert best.get_label() == "best: 0.4000 in epoch 2"
    assert train.get_color() != test.get_color()


def test_the_best_accuracy_is_the_largest():
    ax = plots.curves(HISTORY, column="accuracy")
    assert [tuple(x) for x in ax.lines[-1].get_xydata()] == [(2, 0.8)]
    assert ax.get_ylabel() == "accuracy"
    with pytest.raises(ValueError, match="error"):
        plots.curves(HISTORY, column="error")


def test_a_logarithmic_axis_on_request():
    assert plots.curves(HISTORY).get_yscale() == "linear"
    assert plots.curves(HISTORY, log=True).get_yscale() == "log"


def test_a_curve_of_nan_has_no_best():
    history = History([{"epoch": 1, "train_loss": 0.5, "test_loss": math.nan}])
    assert [line.get_label() for line in plots.curves(history).lines] == ["train_loss", "test_loss"]


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
    np.testing.assert_allclose(ax.images[0].get_array(), [[0, 0.25], [0, 0]])


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
    mosaic = np.ma.filled(image.get_array(), np.nan)
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
    assert to_hex(image.to_rgba(-1.0)) == "#174e8f"
    assert to_hex(image.to_rgba(1.0)) == "#8f3208"


def test_a_few_weights_far_out_do_not_pale_the_others():
    weight = np.ones((1000, 1))
    weight[0] = -1000
    assert plots.weight_images(weight, (10, 100)).images[0].get_clim() == (-1.0, 1.0)
    assert plots.weight_images(np.zeros((4, 1)), (2, 2)).images[0].get_clim() == (-1.0, 1.0)
    with pytest.raises(ValueError, match="28 x 28"):
        plots.weight_images(weight)


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
    mosaic = np.ma.filled(ax.images[0].get_array(), np.nan)
    for text, i in zip(ax.texts, order, strict=True):
        x, y = text.get_position()  # centred above its image
        top, left = int(y + 1), int(x - 1)
        np.testing.assert_array_equal(mosaic[top : top + 2, left : left + 3], images[i])


def test_there_is_something_to_show():
    with pytest.raises(ValueError, match="nothing"):
        plots.worst_samples(np.empty((0, 4)), [], np.empty((0, 2)), shape=(2, 2))


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


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path):
    pictures = {"loss": ("A < B & C", 'a "sentence"', plots.curves(HISTORY)), "two": ("Two", "", PICTURES[1]())}
    path = plots.report(tmp_path, "<title>", {"right": "98%"}, {"a_b": "{x}", "lr": 0.5}, pictures, HISTORY)
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
