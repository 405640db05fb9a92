"""Any text may be a name: of a value, an attribute, a class, a part, a graph, a column. No picture or page breaks.

Names come from users: from files, terminals and other languages. Markup, escapes, formulas and entities are shown as
they were written. Characters that no file can hold are shown as escapes.
"""

import html
import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import search

import nn
from autograd import Tensor, Value, custom_op, describe, draw, explain, steps, tree
from autograd.explaining.naming import Naming, bracketed
from autograd.explaining.notation import TEXT
from autograd.explaining.text import printable
from autograd.ops.rows import Elementwise
from nn import plots
from nn.support import canvas
from nn.training.history import History

NS = {"svg": "http://www.w3.org/2000/svg"}
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # by XML 1.0
NASTY = [
    "", " ", "0", "0.1", "a.0", "a..b", "-1", "²", "٣", "_", "__SVG__", "$$", "$x$", r"\$", "$\\frac$", "<b>", "<>",
    "<x", '"', "&#1;", "&amp;", "&", "\\", "\\N", "\\\\N", "{a|b}", "a -> b", "graph", "\n", "\x00", "\x1b[31m", "\x7f",
    "\ud800", "\ufffe", "</script><script>", "%s", "{0}", "∂/∂", "y\u0302", "..", "/", "C:\\x", "\u202e",
]  # fmt: skip
ANYTHING = st.characters(exclude_categories=())  # surrogates, too
texts = st.one_of(st.sampled_from(NASTY), st.text(ANYTHING, max_size=12), st.text("$\\_{}<&\x01", max_size=6))


def network(attribute, kind):
    """A neuron of a class of this name, whose weight is this attribute. Names that Python refuses are left out."""
    try:
        made = type(kind, (nn.Module,), {})
    except (ValueError, UnicodeEncodeError):  # such as a null or a surrogate
        made = type("Named", (nn.Module,), {})
    module = made()
    setattr(module, attribute, Value(0.5))
    module.more = [Value(-1.0), {attribute: Value(2.0)}]
    return module


def parsed(svg):
    """The texts, titles and tooltips of an SVG, read as XML."""
    root = ET.fromstring(svg.encode())
    shown = {"".join(text.itertext()) for text in root.iterfind(".//svg:text", NS)}
    pops = {link.get("{http://www.w3.org/1999/xlink}title") for link in root.iterfind(".//svg:a", NS)}
    return shown, root.findtext(".//svg:title", namespaces=NS), pops


def shown_as(text):
    """A text as a card shows it. XML joins several spaces, so Graphviz writes them as another kind."""
    return re.sub(r"[\s\xa0]+", " ", text).strip()


def test_every_character_that_xml_forbids_is_escaped():
    everything = "".join(map(chr, [*range(0x3000), *range(0xD000, 0x10100)]))
    assert len(FORBIDDEN.findall(everything)) == 29 + 2048 + 2
    assert not FORBIDDEN.search(printable(everything))
    printable(everything).encode()
    for text in ("ŷ", "日本", "🙂", "a b", "x₁²"):
        assert printable(text) == text


@settings(max_examples=15)
@given(texts, texts, texts, texts, texts)
def test_a_graph_of_such_names(label, attribute, kind, title, name):
    module, x = network(attribute, kind), Value(2.0, label)
    weight, (bias, other) = vars(module)[attribute], vars(module)["more"]
    own = custom_op(lambda x: x, lambda g, out, x: g, name=kind or "own")
    out = own(weight * x + bias).tanh() * other[attribute] if isinstance(weight, Value) else x * bias
    loss = out * out
    loss.label = title
    loss.backward()

    options: dict[str, Any] = {"model": module, "clusters": {title: {attribute: [x]}}}
    options |= {"labels": {kind: out}, "name": name}
    forms: list[dict[str, Any]] = [{}, {"style": "classic"}, {"detail": "overview"}]
    for form in forms:
        found, heading, _ = parsed(draw(loss, **options, **form).svg())
        assert heading == (printable(name) or "graph")
        if not form:
            cards = {shown_as(text) for text in found}
            assert all(shown_as(TEXT.name(printable(given))) in cards for given in (label, title) if given.strip())

    page = steps(loss, model=module, clusters={title: [x]})
    parsed(search(r"<svg.*?</svg>", page.html, re.DOTALL)[0])
    data = search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.DOTALL)[1]
    assert len(json.loads(data)["steps"]) == page.count
    assert page.html.count("<script") == 2
    assert html.unescape(search(r'srcdoc="(.*?)" sandbox', page._repr_html_(), re.DOTALL)[1]) == page.html
    page.html.encode()

    for text in (tree(loss, model=module), tree(loss, model=module, ascii=True)):
        assert len(text.splitlines()) == len(text.split("\n"))
        text.encode()
    found = explain(loss, x, model=module)
    str(found).encode()
    assert "\n\n" not in found.latex


@settings(max_examples=15)
@given(texts, texts)
def test_a_tensors_graph_of_such_names(label, kind):
    x = Tensor(np.ones((2, 3)), label=label)
    out = (x * np.ones(3)).sum()
    out.backward()
    parsed(draw(out, labels={kind: out}, clusters={label: [x]}).svg())
    tree(out).encode()


@given(texts)
def test_a_graphs_name_is_text_and_the_name_of_one_file(text):
    drawing = draw(Value(1.0), name=text, model=[])
    assert html.unescape(drawing.name) == (printable(text) or "graph")
    assert drawing.stem
    assert not set(drawing.stem) & set('/\\:*?"<>|\0')
    assert not drawing.source.startswith("digraph <")


def test_backslashes_and_entities_reach_every_place():
    for text in ("a\\Nb", "\\\\", "&lt;", "&#1;", "<b>", '"'):
        x = Value(1.0, text)
        found, heading, pops = parsed(draw(x * 2, name=text, clusters={text: [x]}).svg())
        assert text in found
        assert heading == text
        assert any((pop or "").startswith(text) for pop in pops), (text, pops)
        (row, *_) = [t for t in parsed(draw(x * 2, style="classic").svg())[0] if "data" not in t and "grad" not in t]
        assert text in parsed(draw(x * 2, style="classic").svg())[0], row


def test_attributes_that_are_numbers():
    module = nn.Module()
    for name in ("0", "1", "٣", "²"):
        setattr(module, name, Value(1.0))
    setattr(module, "2", [Value(2.0), [Value(3.0)]])
    setattr(module, "3", nn.Neuron(1))
    names = Naming([sum(module.parameters(), Value(0.0))], model=module)
    assert [names.full_name(p) for p in module.parameters()] == [
        "[0]", "[1]", "[٣]", "²", "[2][0]", "[2][1][0]", "3.w[0]", "3.b",
    ]  # fmt: skip
    assert [names.name(p) for p in module.parameters()] == ["[0]", "[1]", "[٣]", "²", "[2][0]", "[2][1][0]", "w0", "b"]
    assert bracketed("layers.0.neurons.1.w.2") == "layers.0.neurons.1.w[2]"


@pytest.mark.parametrize("label", [3, 0, 1.5, b"w", ["w"], ("w",), np.ones(2), Value(1.0), True])
@pytest.mark.parametrize("kind", [lambda **given: Value(1.0, **given), lambda **given: Tensor([1.0], **given)])
def test_a_label_is_text(kind, label):
    with pytest.raises(TypeError, match=f"a label is text, not {type(label).__name__}"):
        kind(label=label)
    computed = kind() * 2.0
    for x in (kind(), computed):
        with pytest.raises(TypeError, match="pass str"):
            x.label = label
        assert x.label == ""
        x.label = None
        assert x.label == ""
        x.label = np.str_("w")
        assert (x.label, type(x.label)) == ("w", str)


# ------------------------------------------------------------------------------------------------------ matplotlib


@given(texts)
def test_no_text_is_a_formula(text):
    cbook = pytest.importorskip("matplotlib.cbook")
    shown = canvas.literal(text)
    assert not cbook.is_math_text(shown)
    assert not shown.startswith("_")
    assert plain(shown) == printable(text).strip()


def plain(text):
    """The text that matplotlib shows if there is no formula in it."""
    return text.replace(r"\$", "$").strip()


def rendered(ax):
    """The axes, after all their texts are laid out."""
    ax.figure.draw_without_rendering()
    return ax


HOSTILE = ["$\\frac$ \x1b<b>", "_\ud800&#1;\n$$"]
"""Each breaks a picture that reads it as a formula, as markup or as XML."""


@pytest.mark.parametrize("text", HOSTILE)
def test_plots_take_names_literally(text):
    pytest.importorskip("matplotlib")
    shown = printable(text)
    ax = rendered(plots.confusion_matrix([0, 1], [1, 1], [text, "b"]))
    assert plain(ax.get_yticklabels()[0].get_text()) == shown
    ax = rendered(plots.class_figures([0, 1], [1, 1], [text, "b"]))
    assert plain(ax.get_yticklabels()[0].get_text()) == f"{shown} (1)"

    column = f"{text}_loss"
    ax = rendered(plots.curves(History([{"epoch": 1, "train_loss": 1.0, column: 2.0}]), column="loss"))
    assert plain(ax.get_legend().get_texts()[1].get_text()) == printable(column)
    assert plain(plots.curves(History([{"epoch": 1, column: 2.0}]), column=column).get_ylabel()) == printable(column)

    model = network(text, text)
    for p in model.parameters():
        p.grad = 1.0
    ax = rendered(plots.gradient_histograms(model))
    assert plain(ax.get_yticklabels()[0].get_text()) == shown
    layer = type("Layer", (nn.ReLU,), {"__name__": text})()
    ax = rendered(plots.activation_histograms(nn.Sequential(layer), [[-1.0, 2.0]]))
    assert plain(ax.get_yticklabels()[0].get_text()).startswith(f"0 {shown}")

    frames = nn.Frames(lambda ax: None, folder="unused", dpi=10)
    frames.folder = None
    frames.add(text)
    assert plain(frames.figure.get_suptitle()) == shown

    row = Elementwise(text, lambda x: x, lambda out, x: 1.0, doc=text)
    page = describe(row)._repr_html_()
    ET.fromstring(search(r"<svg.*</svg>", page, re.DOTALL)[0])
    page.encode()
    assert "<b>" not in page
