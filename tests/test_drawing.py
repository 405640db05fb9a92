"""`draw`: cards and edges show the engine's numbers, at every size. Errors name the remedy."""

import html
import importlib.metadata
import math
import os
import random
import re
import stat
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from networks import clusters, two_two_one
from texts import search

import autograd
import nn
from autograd import Tensor, Value, draw
from autograd.drawing import DrawingError, render
from autograd.explaining.notation import figure
from autograd.explaining.view import View, rms
from autograd.ops.rows import Elementwise
from autograd.testing import expressions

NS = {"svg": "http://www.w3.org/2000/svg"}


@pytest.fixture
def net():
    n = two_two_one()
    n.L.backward()
    return n


def groups(drawing, kind):
    """The texts of each node or edge of the SVG, by its id."""
    root = ET.fromstring(drawing.svg())
    found = root.iterfind(f".//svg:g[@class='{kind}']", NS)
    return {g.get("id"): [text.text for text in g.iterfind(".//svg:text", NS)] for g in found}


def cards(drawing):
    return {key: texts for key, texts in groups(drawing, "node").items() if re.fullmatch(r"v\d+", key)}


def card_of(drawing, name):
    return next(texts for texts in cards(drawing).values() if texts[0] == name)


# ------------------------------------------------------------------------------------------------------- the cards


def test_cards_hold_name_role_number_and_gradient(net):
    drawing = draw(net.L)
    assert drawing.notice == ""
    assert card_of(drawing, "w₁₂") == ["w₁₂", "param", "data", "−0.4000", "grad", "+0.0331"]
    assert card_of(drawing, "x₁") == ["x₁", "input", "data", "1.0000", "grad", "−0.0151"]
    assert card_of(drawing, "y") == ["y", "target", "data", "1.0000", "grad", "+0.5375"]
    assert card_of(drawing, "ŷ") == ["ŷ", "data", "0.7312", "grad", "−0.5375"]
    assert card_of(drawing, "L") == ["L", "loss", "data", "0.0722", "grad", "+1.0000"]
    assert ["data", "0.8000", "grad", "−0.0166"] in cards(drawing).values()  # a product has no name


def test_edges_tell_the_local_derivatives(net):
    labels = [" ".join(texts) for texts in groups(draw(net.L), "edge").values() if texts]
    assert {"x₁ = 1", "w₁₂ = −0.4", "h₁(1−h₁) = 0.131", "ŷ(1−ŷ) = 0.197", "2e = −0.538", "−1"} <= set(labels)
    assert "1" not in labels  # edges of sums have no label


def test_gradient_colours_and_widths(net):
    source = draw(net.L).source
    colour = {name: search(rf">{name}<.*?BGCOLOR=\"(#\w+)\"", source)[1] for name in ("y", "h₁", "w₁₂", "h₂")}
    assert colour == {"y": "#8F3208", "h₁": "#3576BB", "w₁₂": "#FDB27F", "h₂": "#FDB27F"}
    number = next(key for key, texts in cards(draw(net.L)).items() if texts[0] == "ŷ")
    widths = [float(w) for w in re.findall(rf"\t{number} -> .*?penwidth=([\d.]+)", source)]
    assert widths == [4.0]  # the edge with the largest gradient


def test_roles_have_shapes(net):
    source = draw(net.L).source
    shapes = {
        "w₁₂": "peripheries=2", "x₁": "shape=note", "y": 'style="dashed,filled"', "L": "penwidth=2.6",
    }  # fmt: skip
    for name, shape in shapes.items():
        line = next(text for text in source.splitlines() if f">{name}<" in text)
        assert shape in line


def test_before_a_backward_there_are_no_gradients():
    n = two_two_one()
    assert all(texts[-1] == "–" for texts in cards(draw(n.L)).values())
    assert n.L.grad == 0.0


def test_nothing_is_changed_by_looking(net):
    before = {name: (x.data, x.grad) for name, x in vars(net).items()}
    draw(net.L)
    net.L.draw(detail="affine")
    assert {name: (x.data, x.grad) for name, x in vars(net).items()} == before
    net.L.backward()
    assert net.w12.grad == pytest.approx(2 * before["w12"][1])


@settings(max_examples=25)
@given(expressions(max_ops=8))
def test_random_graphs(f):
    """Any graph has one card for each value that is not folded, with the engine's numbers."""
    leaves = [Value(x, name) for x, name in zip(f.leaves, f.names, strict=False)]
    out = f(*leaves)
    out.backward()
    found = cards(draw(out, legend=False))
    view = View([out])
    folded = {id(x) for node in view.nodes for x in view.folded(node)}
    shown = [x for x in view.nodes if id(x) not in folded]
    expected = sorted((figure(x.data), figure(x.grad, signed=True)) for x in shown)
    assert sorted((texts[-3], texts[-1]) for texts in found.values()) == expected


def test_infinite_and_missing_numbers_raise_an_alarm():
    x = Value(0.0, "x")
    y = x.log() * 2.0
    y.backward()
    source = draw(y).source
    assert source.count("#D50000") == 3  # x, whose gradient is inf, log(x) and y
    assert "−inf" in source


def test_constants_are_part_of_the_sign():
    x = Value(2.0, "x")
    texts = [
        label
        for texts in groups(draw(2 ** (x * 3 + 1) / 4 - x**3), "node").values()
        if len(texts) == 1
        for label in texts
    ]
    assert sorted(texts) == sorted(["× 3", "+ 1", "2^x", "÷ 4", "x³", "−"])


@pytest.mark.parametrize(
    ("sign", "f"), {"−": lambda x: x - -1.0, "×": lambda x: x * -1.0, "÷": lambda x: x / -1.0}.items()
)
def test_a_negative_constant_after_a_sign_is_in_parentheses(sign, f):
    assert [f"{sign} (−1)"] in groups(draw(f(Value(2.0, "x"))), "node").values()
    assert ["−1 ×"] in groups(draw(-1.0 * Value(2.0, "x")), "node").values()


EXTREMES = (0.0, -0.0, -1.0, 710.0, 1e200, -1e200, 1e-320, math.inf, math.nan)


@pytest.mark.parametrize(
    "row", [row for row in autograd.ops.ROWS.values() if isinstance(row, Elementwise)], ids=lambda row: row.name
)
def test_pictures_of_extreme_numbers_do_not_warn(row):
    for x in EXTREMES:
        kinds: list[tuple[Any, Any]] = [(x, Value), (np.array([x, 1.0]), Tensor)]
        for k, kind in kinds:
            leaves = [kind(k) for _ in range(row.arity)]
            out = row(*leaves) * kind(k)
            out = out if kind is Value else out.sum()
            out.backward()
            assert (
                draw(out).source and draw(out, detail="overview", clusters={"part": leaves[:1]}).source and out.tree()
            )


@pytest.mark.parametrize(
    "numbers", [[1e200, -1e200], [1e-320], [3.0, 4.0], [], [0.0], [math.inf, 1.0], [math.nan, 1.0]]
)
def test_root_mean_squares(numbers):
    exact = float(np.sqrt(np.mean(np.square(np.array(numbers, np.longdouble))))) if numbers else 0.0
    assert rms(numbers) == pytest.approx(exact, rel=1e-12, nan_ok=True)


def test_what_is_on_an_array_card():
    x, labels = Tensor(np.array([[0.0, 1.0], [2.0, 3.0]])), np.array([1, 0])
    out = autograd.cross_entropy(x.log(), labels)
    found = [text for texts in groups(draw(out), "node").values() for text in texts]
    assert "0 … 1" in found  # whole numbers, without decimals
    assert "0 … 1.0986 and nan or inf" in found
    assert draw(Tensor(np.zeros((0, 2))).sum()).source.count("none") >= 1


def test_the_legend_explains_what_is_in_the_picture():
    x = Value(0.0, "x")
    y = x * Value(2.0, "w") + 1.0
    assert "no gradient yet" in draw(y).source
    assert "log scale" not in draw(y).source + draw(y, detail="overview", clusters={"part": [x]}).source
    y.backward()
    assert "log scale" in draw(y).source
    assert "dashed edge" in draw(y).source
    assert "red border" not in draw(y).source
    z = x.log()
    z.backward()
    assert "red border" in draw(z).source
    assert "dashed edge" not in draw(z).source


def test_labels_are_text_and_not_markup():
    x = Value(1.0, '<b>"&\\N|{}')
    assert card_of(draw(x * 2), '<b>"&\\N|{}')[0] == x.label
    assert html.escape(x.label).replace("\\", "\\\\") in draw(x * 2).source
    classic = groups(draw(x * 2, style="classic"), "node")
    assert [x.label, "data 1.0000", "grad 0.0000"] in classic.values()
    draw(x * 2, clusters={"<i>&": [x]}).svg()


def test_names_for_one_picture():
    a, b = Value(2.0), Value(3.0)
    total = a * b
    assert card_of(draw(total, labels=locals()), "a")[:2] == ["a", "param"]
    assert a.label == ""


# --------------------------------------------------------------------------------------------------- parts of a net


def test_clusters_as_told(net):
    root = ET.fromstring(draw(net.L, clusters=clusters(net)).svg())
    titles = [g.findtext("svg:text", "", NS) for g in root.iterfind(".//svg:g[@class='cluster']", NS)]
    assert sorted(titles) == sorted(["inputs", "layer 1 · Linear(2→2) + sigmoid", "neuron 1", "neuron 2",
                      "layer 2 · Linear(2→1) + sigmoid", "loss · squared error"])  # fmt: skip


def test_modules_are_found_and_grouped():
    random.seed(1)
    model = nn.MLP(2, [2, 1], activation="tanh")
    loss = (model([1.0, -2.0]) - 1) ** 2
    loss.backward()
    drawing = draw(loss)
    root = ET.fromstring(drawing.svg())
    titles = [g.findtext("svg:text", "", NS) for g in root.iterfind(".//svg:g[@class='cluster']", NS)]
    neurons = ["neurons.0 · TanhNeuron(2)", "neurons.1 · TanhNeuron(2)", "neurons.0 · LinearNeuron(2)"]
    layers = ["layers.0 · Layer(2→2) + tanh", "layers.1 · Layer(2→1)"]
    assert sorted(titles) == sorted(["inputs", "loss", *neurons, *layers])
    assert len([1 for texts in cards(drawing).values() if texts[0] in ("w₀", "w₁", "b")]) == 9
    assert "layers.0.neurons.1.w[0] param" in drawing.source  # the tooltip shows the whole path


def test_tensors_have_shapes_and_strips():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x = np.array([[1.0, 2.0], [-1.0, 0.5]], np.float32)
    loss = (model(x) ** 2).mean()
    assert card_of(draw(loss), "weight")[-2:] == ["grad", "–"]
    loss.backward()
    drawing = draw(loss)
    weight = card_of(drawing, "weight")
    assert weight[:4] == ["weight", "param", "shape", "2×3 float32"]
    rms = float(np.sqrt(np.mean(model.layers[0].weight.grad ** 2)))
    assert weight[-1] == f"rms {figure(rms)}"
    assert any(texts[:1] == ["constant"] for texts in groups(drawing, "node").values())
    assert "xW + b" in drawing.source


# ------------------------------------------------------------------------------------------------------------ size


def sized(n, labelled=True):
    """A graph of about n values, none of which is folded."""
    x = Value(0.5, "x")
    for i in range(n - 1):
        x = x.sin()
        if labelled:
            x.label = f"s{i}"
    return x


def test_as_much_detail_as_can_be_read():
    assert draw(sized(60)).count == 60
    assert draw(sized(60)).notice == ""
    middle = draw(sized(100))
    assert middle.count == 100
    assert middle.notice.startswith("100 values, drawn as detail='affine'")
    large = draw(sized(300))
    assert large.count == 60
    assert "60 nearest" in large.notice
    assert draw(sized(300), detail="values").count == 300
    assert draw(sized(300), max_nodes=10).count == 10


def test_affine_folding(net):
    source = draw(net.L, detail="affine").source
    assert source.count("w·x + b") == 3
    assert "×" not in re.findall(r'label="?([^" ]+)"? ', source)
    assert draw(net.L, detail="affine").count == draw(net.L).count - 6


def test_long_sums_are_cut():
    neuron = nn.Neuron(20)
    texts = list(groups(draw(neuron([0.5] * 20), detail="values"), "node").values())
    assert ["… 17 more"] in texts
    total = autograd.sum([Value(1.0) for _ in range(784)])
    drawing = draw(total, detail="values")
    assert drawing.count == 5
    assert "… 780 more" in drawing.source


def test_what_is_left_out_is_named_in_the_part_where_it_is_missing():
    net = nn.MLP(20, [2, 1], "tanh")
    out = net([0.5] * 20)
    out.backward()
    source = draw(out, detail="values").source
    depth, found = 0, []
    for line in source.split("\n"):
        depth += line.count("{") - line.count("}")
        if "… 17 more" in line:
            found.append(depth)
    assert found == [3, 3]  # in a neuron, which is in a layer


def test_focus(net):
    drawing = draw(net.L, focus=net.h1, radius=1)
    assert {texts[0] for texts in cards(drawing).values()} == {"z₁", "h₁", "data"}
    assert drawing.count == 3
    assert drawing.source.count("… 1 more") == 1  # the product is an operand of a sum
    assert draw(net.L, focus=net.h1, radius=20).count == draw(net.L).count
    with pytest.raises(ValueError, match="not part of this graph"):
        draw(net.L, focus=Value(1.0))


def test_a_long_chain_is_drawn_without_recursion():
    x = Value(1.0)
    for _ in range(100_000):
        x = x * 1.0001
    drawing = draw(x)
    assert drawing.count == 60
    assert drawing.notice.startswith("100,001 values, and no module")
    assert "<svg" in drawing.svg()


def test_several_outputs():
    x = Value(2.0, "x")
    a, b = x * x, x.exp()
    drawing = draw(a, b)
    assert drawing.count == 3
    assert draw([a, b]).count == 3
    assert sum("loss" in texts for texts in cards(drawing).values()) == 2


# -------------------------------------------------------------------------------------------------------- overview


@pytest.fixture
def trained():
    random.seed(3)
    model = nn.MLP(2, [16, 16, 1])
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (8, 2)).tolist()
    loss = sum(((model(x) - Value(float(rng.normal()))) ** 2 for x in points), Value(0.0)) / 8
    loss.backward()
    return model, loss


def test_overview(trained):
    model, loss = trained
    drawing = draw(loss)
    assert drawing.count == 6
    assert "detail='overview'" in drawing.notice
    nodes = groups(drawing, "node").values()
    card = next(texts for texts in nodes if texts[0] == "layers.1")
    assert "Layer(16→16) + relu" in card
    assert "272 params" in " ".join(card)
    grads = [p.grad for p in model.layers[1].parameters()]
    assert figure(math.sqrt(sum(g * g for g in grads) / len(grads))) in card
    assert figure(max(grads, key=abs), signed=True) in card
    edges = [" ".join(texts) for texts in groups(drawing, "edge").values()]
    assert sum(text.startswith("16 × 8") for text in edges) == 2
    assert {texts[0] for texts in nodes} == {"inputs", "layers.0", "layers.1", "layers.2", "targets", "loss"}


def test_overview_warns_of_dead_and_saturated_units(trained):
    model, _ = trained
    for neuron in model.layers[0].neurons[:3]:
        neuron.b.data = -100.0
    out = autograd.sum([model(x) for x in ([1.0, 2.0], [0.5, -1.0])])
    out.backward()
    dead = sum(all(neuron(x).data == 0 for x in ([1.0, 2.0], [0.5, -1.0])) for neuron in model.layers[0].neurons)
    assert dead >= 3
    assert f"! {dead} of 16 units dead" in draw(out, detail="overview").source
    layers = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=0))
    layers.layers[0].weight.data *= 100
    out = layers(np.ones((5, 3), np.float32)).sum()
    out.backward()
    assert "100% of the outputs saturated" in draw(out, detail="overview").source


def test_overview_before_a_backward(trained):
    model, _ = trained
    source = draw(model([1.0, 2.0]), detail="overview").source
    assert "param grad" not in source
    assert "out data" in source


# --------------------------------------------------------------------------------------------- the classic style


def test_classic(net):
    source = draw(net.L, style="classic").source
    assert "w₁₁ | data 0.8000 | grad -0.0166" in source
    assert source.count("shape=record") == len(View([net.L]).nodes)  # nothing is folded
    assert len(re.findall(r'label="?\+', source)) == 6


# ------------------------------------------------------------------------------------------------------ the layout


def numbers(text):
    return [tuple(map(float, pair.split(","))) for pair in re.findall(r"[-\d.]+,[-\d.]+", text)]


def curve(points, n=24):
    """Points on the Bézier curves of a path."""
    for k in range(0, len(points) - 3, 3):
        for t in np.linspace(0, 1, n + 1):
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
            yield tuple(sum(w * p[axis] for w, p in zip(weights, points[k : k + 4], strict=True)) for axis in (0, 1))


def laid_out(drawing):
    """From the SVG: names and places of cards, titles and boxes of parts, points of edges, and all texts."""
    names, parts, edges, texts = [], [], [], []
    for g in ET.fromstring(drawing.svg()).iter(f"{{{NS['svg']}}}g"):
        if g.get("class") not in ("node", "cluster", "edge"):
            continue
        paths = [numbers(path.get("d")) for path in g.iterfind(".//svg:path", NS)]
        inside: list[Any] = [
            (t.text or "", *(float(t.attrib[key]) for key in ("x", "y", "font-size")), t.attrib["text-anchor"])
            for t in g.iterfind(".//svg:text", NS)
        ]
        if g.get("class") == "edge":
            edges += [list(curve(path)) for path in paths]
        elif g.get("class") == "cluster":
            xs, ys = zip(*paths[0], strict=True)
            parts.append((inside[0][0], min(xs), min(ys), max(xs), max(ys)))
        elif re.fullmatch(r"v\d+", g.get("id") or ""):
            names.append(inside[0][:3])
        for text, x, y, size, anchor in inside:  # the middle of each text, a little smaller than the text
            width = 0.45 * size * len(text)
            left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
            texts.append((text, left + 1.5, y - 0.7 * size + 1.5, left + width - 1.5, y - 1.5))
    return names, parts, edges, texts


NETWORKS = [(1, [1], 1), (2, [2, 1], 1), (3, [2, 1], 2), (2, [3, 1], 1), (2, [2, 2, 1], 1), (1, [3, 2], 2)]


def network_of_neurons(inputs, sizes, samples):
    rng = random.Random(0)
    model = nn.MLP(inputs, sizes, activation="tanh")
    out = Value(0.0)
    for _ in range(samples):
        found = model([rng.uniform(-1, 1) for _ in range(inputs)])
        out = sum(((x - 1) ** 2 for x in (found if isinstance(found, list) else [found])), out)
    out.backward()
    return model, out


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize(("inputs", "sizes", "samples"), NETWORKS)
def test_a_neuron_reads_as_its_formula(inputs, sizes, samples, direction):
    """w₀, w₁, …, b and the inputs are in order from the top (or from the left). All have names."""
    model, out = network_of_neurons(inputs, sizes, samples)
    names, parts, _, _ = laid_out(draw(out, model=model, detail="affine", direction=direction))
    count = 0
    for title, left, top, right, bottom in parts:
        if "Neuron" in title or title == "inputs":
            inside = [card for card in names if left < card[1] < right and top < card[2] < bottom]
            ordered = sorted((y if direction == "right" else x, name) for name, x, y in inside if name[0] in "wxb")
            found = [name for _, name in ordered]
            assert found == sorted(found, key=lambda name: (name == "b", name)), title
            count += len(found)
    assert count == len(model.parameters()) + inputs * samples


@pytest.mark.parametrize(("inputs", "sizes", "samples"), NETWORKS)
def test_edges_do_not_run_over_texts(inputs, sizes, samples):
    model, out = network_of_neurons(inputs, sizes, samples)
    _, _, edges, texts = laid_out(draw(out, model=model, detail="affine"))
    for text, left, top, right, bottom in texts:
        assert not any(left < x < right and top < y < bottom for edge in edges for x, y in edge), text


def test_inputs_are_named_where_they_enter(net):
    entering = [texts for key, texts in groups(draw(net.L, clusters=clusters(net)), "node").items() if "_at" in key]
    assert sorted(map(tuple, entering)) == [("h₁",), ("h₂",), ("x₁",), ("x₁",), ("x₂",), ("x₂",), ("ŷ",)]


def test_names_for_inputs_do_not_clash():
    neuron, x0 = nn.Neuron(2), Value(3.0, "x0")
    out = neuron([1.0, x0])
    cards_of = cards(draw(out, model=neuron)).values()
    assert sorted(texts[0] for texts in cards_of if texts[0][0] == "x") == ["x₀"]


def test_what_one_column_would_make_circular_is_left_out():
    """A weight and a value computed from it cannot be in one column."""
    w, v, x = Value(2.0, "w"), Value(3.0, "v"), Value(0.5, "x")
    h = (w * x).tanh()
    out = w * h.sigmoid() + v * h + w * v
    out.backward()
    for parts in (None, {"cell": [w, v, out], "between": [h]}, {"cell": {"a": [w, out], "b": [v]}, "between": [h]}):
        assert "<svg" in draw(out, clusters=parts).svg()


@pytest.mark.parametrize("options", [{}, {"style": "classic"}, {"detail": "overview"}])
def test_a_graph_can_run_down(options):
    model, out = network_of_neurons(2, [2, 1], 1)
    for direction, wider in (("right", True), ("down", False)):
        svg = draw(out, model=model, legend=False, direction=direction, **options).svg()
        width, height = map(float, search(r'<svg width="(\d+)pt" height="(\d+)pt"', svg).groups())
        assert (width > height) == wider or "detail" in options
    assert "rankdir=TB" in draw(out, model=model, direction="down", **options).source


def test_strips_of_one_picture_share_their_scale():
    """The same colour means the same gradient on the cards of all Tensors."""
    a, b = Tensor([1.0, 1.0], label="a"), Tensor([1.0, 1.0], label="b")
    out = (a * np.array([100.0, 100.0]) + b * np.array([0.01, 0.01])).sum()
    out.backward()
    strips = {}
    for name in "ab":
        card = search(rf">{name}</FONT>.*?>grad<(.*)", draw(out).source)[1]
        strips[name] = search(r"<TABLE[^>]*>.*?BGCOLOR=\"(#\w+)\"", card)[1]
    assert strips == {"a": "#8F3208", "b": "#FFF1E6"}


# ------------------------------------------------------------------------------------------------- files, failures


def test_files(net, tmp_path):
    drawing = draw(net.L)
    for ending, magic in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b"digraph"), ("gv", b"digraph")):
        path = drawing.save(tmp_path / f"deep/er/net.{ending}")
        assert (tmp_path / f"deep/er/net.{ending}").read_bytes().startswith(magic)
        assert path == str(tmp_path / f"deep/er/net.{ending}")
    assert drawing.render("other", directory=tmp_path, format="svg") == str(tmp_path / "other.svg")
    with pytest.raises(ValueError, match=r"ending of .*net\.jpeg2"):
        drawing.save(tmp_path / "net.jpeg2")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "other.svg"]


def test_a_failure_leaves_the_old_file(net, tmp_path, monkeypatch):
    path = tmp_path / "net.svg"
    path.write_text("old")
    monkeypatch.setattr(render, "run", lambda *_: (_ for _ in ()).throw(DrawingError("no")))
    with pytest.raises(DrawingError):
        draw(net.L).save(path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def without_graphviz_pure(monkeypatch, folder):
    def distribution(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    monkeypatch.setenv("PATH", str(folder))


def test_without_a_renderer(net, monkeypatch, tmp_path):
    without_graphviz_pure(monkeypatch, tmp_path)
    drawing = draw(net.L)
    with pytest.raises(DrawingError, match=r"chainrule\[draw\].*`dot` on the PATH.*tree\(\)"):
        drawing.svg()
    assert "ŷ" in drawing.tree()
    assert net.L.tree() == drawing.tree()
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "chainrule[draw]" in bundle["text/plain"]
    assert net.L.tree() in bundle["text/plain"]


def fake_dot(folder, body):
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


@pytest.mark.skipif(os.name != "posix", reason="the dot that stands in is a shell script")
def test_dot_on_the_path(net, monkeypatch, tmp_path):
    without_graphviz_pure(monkeypatch, f"{tmp_path}:/bin:/usr/bin")
    fake_dot(tmp_path, 'echo "<svg $1/>"')
    assert draw(net.L).pipe("svg") == b"<svg -Tsvg/>\n"
    assert draw(net.L).pipe("pdf") == b"<svg -Tpdf/>\n"
    fake_dot(tmp_path, 'echo "half a picture"; echo "out of ink" >&2; exit 1')
    with pytest.raises(DrawingError, match="dot failed: out of ink"):
        draw(net.L).svg()


def test_only_dot_writes_pdf(net, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DrawingError, match="PDF"):
        draw(net.L).save(tmp_path / "net.pdf")
    assert not list(tmp_path.iterdir())


def test_no_huge_png():
    drawing = draw(sized(1600), detail="values")
    with pytest.raises(DrawingError, match=r"PNG of 1,600 nodes.*SVG"):
        drawing.pipe("png")


def test_in_a_notebook(net):
    bundle = draw(net.L)._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    width, height = map(float, search(r'<svg width="(\d+)px" height="(\d+)px"', bundle["image/svg+xml"]).groups())
    assert width == 1000
    view = search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', bundle["image/svg+xml"])
    assert height / width == pytest.approx(float(view[2]) / float(view[1]), rel=0.02)
    assert bundle["text/plain"] == net.L.tree()


def test_refusals(net):
    number: Any = 1.0
    with pytest.raises(TypeError, match="takes Values and Tensors, not float"):
        draw(number)
    with pytest.raises(TypeError, match="at least one"):
        draw()
    with pytest.raises(ValueError, match="detail is one of 'values', 'affine', 'overview', not 'all'"):
        draw(net.L, detail="all")
    with pytest.raises(ValueError, match="style is one of"):
        draw(net.L, style="micrograd")
    with pytest.raises(ValueError, match="direction is one of 'right', 'down', not 'LR'"):
        draw(net.L, direction="LR")
    with pytest.raises(ValueError, match="the role of a node is one of"):
        draw(net.L, roles={"parameter": [net.w11]})


def test_a_leaf_alone_and_a_tensor_with_nothing_in_it():
    assert draw(Value(3.0, "x")).count == 1
    out = Tensor(np.zeros((0, 2))).sum()
    out.backward()
    assert "nothing finite" in draw(out).source or "0×2" in draw(out).source
    assert "<svg" in draw(out).svg()
