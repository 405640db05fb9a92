"""`steps`: the page has the engine's numbers. It works in a browser, by keys, buttons and clicks, at any width."""

import html
import json
import math
import re
from typing import Any

import pytest
from browser import COMMAND, Browser
from hypothesis import given, settings
from networks import clusters, two_two_one
from texts import search

import nn
from autograd import Tensor, Value, steps
from autograd.drawing.style import EDGE
from autograd.explaining.notation import TEXT, figure
from autograd.testing import expressions

in_a_browser = pytest.mark.skipif(
    COMMAND is None, reason="no Chromium: apt install chromium, to step through in a browser"
)


def data_of(page):
    return json.loads(search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.S)[1])


# ------------------------------------------------------------------------------------------------------ what it says


def test_what_the_steps_say():
    page = steps(two_two_one().L)
    data = data_of(page)
    texts = [step["text"] for step in data["steps"]]
    assert page.count == len(texts) == 42
    assert "z₁ = 0.8000 + 0.8000 + 0.1000 = 1.7000" in texts
    assert "h₁ = σ(1.7000) = 0.8455" in texts
    assert "e = 0.7312 − 1.0000 = −0.2688" in texts
    assert "L = (−0.2688)² = 0.0722" in texts
    assert "∂L/∂x₂ += ∂L/∂(w₁₂·x₂) × ∂(w₁₂·x₂)/∂x₂ = (−0.0166) × (−0.4000) = +0.0066" in texts
    kinds = [step["kind"] for step in data["steps"]]
    assert kinds == ["forward"] * 14 + ["backward"] * 28


@settings(max_examples=20)
@given(expressions(max_ops=8))
def test_gradients_of_random_graphs(f):
    """The steps add up to the engine's gradient, even if backward ran before."""
    leaves = [Value(x, name) for x, name in zip(f.leaves, f.names, strict=False)]
    out = f(*leaves)
    data = data_of(steps(out))
    sums = dict.fromkeys(data["nodes"], 0.0)
    for step in data["steps"]:
        if step["kind"] == "backward":
            sums[step["card"]] += float(step["amount"])
    assert all(x.grad == 0.0 for x in leaves)
    out.backward()
    expected = sorted(x.grad for x in leaves)
    found = sorted(sums[key] for key, node in data["nodes"].items() if node["leaf"])
    unused = [0.0] * (len(expected) - len(found))  # leaves that the expression does not use are not drawn
    assert sorted([*found, *unused]) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_graph_in_use_is_left_alone():
    n = two_two_one()
    n.L.backward()
    n.L.backward()  # the leaves hold twice the gradient: the page shows that of one backward
    before = {name: x.grad for name, x in vars(n).items()}
    amounts = [step["amount"] for step in data_of(steps(n.L))["steps"] if step["kind"] == "backward"]
    assert {name: x.grad for name, x in vars(n).items()} == before
    assert any(2 * amount == pytest.approx(n.w12.grad) for amount in amounts)


def test_affine_steps_and_networks_of_neurons():
    n = two_two_one()
    assert steps(n.L, detail="affine").count < 40
    assert "z₁ = 0.8000 × 1.0000 + (−0.4000) × (−2.0000) + 0.1000 = 1.7000" in [
        step["text"] for step in data_of(steps(n.L, detail="affine"))["steps"]
    ]
    model = nn.MLP(2, [3, 1])
    assert steps(model([1.0, 2.0])).count > 20
    assert steps(nn.Neuron(10)([0.5] * 10)).count == 2 + 1 + 22  # long sums are stepped through completely


def test_numbers_that_json_does_not_know():
    x = Value(0.0, "x")
    data = data_of(steps(x.log() * 0.0))
    assert {"-Infinity", "NaN"} <= {node["data"] for node in data["nodes"].values()}


def test_saved_and_in_a_notebook(tmp_path):
    page = steps(two_two_one().L)
    path = page.save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert path == str(tmp_path / "page.html")
    assert text == page.html
    assert not re.search(r'(src|href)="?(https?:)?//', text)  # the page loads nothing
    frame = page._repr_html_()
    assert 'sandbox="allow-scripts"' in frame
    assert html.unescape(search(r'srcdoc="(.*?)" sandbox', frame, re.S)[1]) == page.html


def test_labels_cannot_break_out():
    x = Value(1.0, "</script><script>alert(1)</script>")
    page = steps(x * 2.0)
    assert page.html.count("<script>") == 1
    assert data_of(page)["steps"]


def test_refusals():
    wrong: Any = Tensor([1.0]).sum()
    with pytest.raises(TypeError, match="not on a Tensor"):
        steps(wrong)
    with pytest.raises(ValueError, match="detail is 'values' or 'affine', not 'overview'"):
        steps(Value(1.0).exp(), detail="overview")
    x = Value(1.0)
    for _ in range(500):
        x = x.sin()
    with pytest.raises(ValueError, match="501 values are too many"):
        steps(x)


# ------------------------------------------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def browser():
    with Browser(1400, 800) as found:
        yield found


@pytest.fixture
def opened(browser, tmp_path):
    n = two_two_one()
    page = steps(n.L, clusters=clusters(n))
    page.save(tmp_path / "page.html")
    browser.resize(1400, 800)
    browser.open(tmp_path / "page.html")
    n.L.backward()
    return browser, n, page


def count(browser):
    return browser.run("document.getElementById('count').textContent")


def shown(browser):
    """The name, number and gradient on each card of the page, and its exact gradient."""
    script = """[...document.querySelectorAll('g.card')].map(g => {
        const texts = [...g.querySelectorAll('text')].map(t => t.textContent);
        return [texts.length > 4 ? texts[0] : '', texts.at(-3), texts.at(-1), g.dataset.grad]; })"""
    return browser.run(script)


@in_a_browser
def test_stepping_to_the_end_gives_the_engines_gradients(opened):
    browser, n, page = opened
    assert count(browser) == f"0 / {page.count}"
    start = {name: (data, grad) for name, data, grad, _ in shown(browser) if name}
    assert start["x₁"] == ("1.0000", "–")
    assert start["L"] == ("?", "–")
    browser.press("ArrowRight", page.count)
    assert count(browser) == f"{page.count} / {page.count}"
    found = {name: (data, grad, float(whole)) for name, data, grad, whole in shown(browser) if name}
    by_name = {TEXT.name(name): x for name, x in vars(n).items()}
    assert set(found) == set(by_name)
    for name, x in by_name.items():
        data, grad, whole = found[name]
        assert (data, grad) == (figure(x.data), figure(x.grad, signed=True)), name
        assert math.isclose(whole, x.grad, rel_tol=1e-12), name
    assert not [m for m in browser.messages if m.get("method") == "Runtime.exceptionThrown"]


@in_a_browser
def test_keys_buttons_slider_and_clicks(opened):
    browser, _, page = opened
    browser.press("b")
    assert count(browser) == f"15 / {page.count}"
    assert browser.run("document.querySelector('#say .kind').textContent") == "backward"
    browser.press("ArrowLeft")
    assert browser.run("document.querySelector('#say .kind').textContent") == "forward"
    browser.press("End")
    browser.press("ArrowRight")  # this was the last step
    assert count(browser) == f"{page.count} / {page.count}"
    browser.press("Home")
    assert count(browser) == f"0 / {page.count}"
    for button, expected in (("step", 1), ("step", 2), ("back", 1), ("last", page.count), ("first", 0), ("jump", 15)):
        browser.run(f"document.getElementById('{button}').click()")
        assert count(browser) == f"{expected} / {page.count}"
    browser.run("{const s = document.getElementById('slider'); s.value = 5; s.dispatchEvent(new Event('input')); 0}")
    assert count(browser) == f"5 / {page.count}"
    browser.press("Home")
    where = browser.run("""{const cards = [...document.querySelectorAll('g.card')];
        const box = cards.find(g => g.querySelector('text').textContent === 'h₁').getBoundingClientRect();
        [box.x + box.width / 2, box.y + box.height / 2]}""")
    browser.click(*where)
    assert browser.run("document.querySelector('#say .rule').textContent") == "h₁ = σ(1.7000) = 0.8455"
    browser.click(*where)  # the next step that it has: its gradient
    assert browser.run("document.querySelector('#say .rule').textContent").startswith("∂L/∂h₁ += ")


@in_a_browser
def test_playing(opened):
    browser, _, page = opened
    browser.press("End")
    browser.press("ArrowLeft")
    browser.press(" ")
    assert browser.run("document.getElementById('play').textContent") == "pause"
    script = """new Promise(done => { const t = setInterval(() => {
        if (document.getElementById('play').textContent === 'play') { clearInterval(t); done(true); } }, 50); })"""
    assert browser.run(script)  # it pauses at the end
    assert count(browser) == f"{page.count} / {page.count}"


@in_a_browser
@pytest.mark.parametrize("width", [1400, 390])
def test_what_is_active_is_in_sight(opened, width):
    """At any width the active card is on the screen, only the picture scrolls, and it stays legible."""
    browser, _, _ = opened
    browser.resize(width, 800)
    browser.run("dispatchEvent(new Event('resize'))")
    for key, times in (("Home", 1), ("ArrowRight", 9), ("End", 1)):
        browser.press(key, times)
        for _ in range(25):  # the page scrolls there; the time depends on the machine
            browser.run("new Promise(done => setTimeout(done, 200))")
            inside = browser.run("""{const view = document.getElementById('stage').getBoundingClientRect();
                [...document.querySelectorAll('g.card.lit')].map(g => g.getBoundingClientRect()).some(box =>
                    box.left >= view.left && box.right <= view.right && box.top >= view.top
                    && box.bottom <= view.bottom); }""")
            if inside or key == "Home":
                break
        assert inside or key == "Home"
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    scale = """{const svg = document.querySelector('svg');
        svg.getBoundingClientRect().width / svg.viewBox.baseVal.width}"""
    assert browser.run(scale) >= 0.649
    browser.run("document.getElementById('fit').click()")
    assert browser.run(scale) == pytest.approx(4 / 3, rel=1e-3)


@in_a_browser
@pytest.mark.parametrize(("width", "height"), [(1400, 800), (390, 844)])
def test_nothing_is_shown_before_its_time(opened, width, height):
    """Derivatives are hidden, also in tooltips, until the step that uses them. The page fits or says so."""
    browser, _, _ = opened
    browser.resize(width, height)
    browser.run("dispatchEvent(new Event('resize'))")
    labels = """[...document.querySelectorAll('g.edge text')].filter(t => t.getAttribute('visibility') !== 'hidden')
        .map(t => t.textContent)"""
    tips = """[...document.querySelectorAll('g.edge a')].map(a => a.getAttributeNS('http://www.w3.org/1999/xlink',
        'title')).filter(tip => tip)"""
    browser.press("Home")
    assert browser.run(labels) == browser.run(tips) == []
    browser.press("b")
    assert browser.run(labels) == []  # the first backward step only sets the gradient of the end
    browser.press("ArrowRight")
    assert browser.run(labels) == ["2e = −0.538"]
    browser.press("End")
    assert {"2e = −0.538", "h₁(1−h₁) = 0.131", "w₁₂ = −0.4"} <= set(browser.run(labels))
    scrolls = browser.run("""{const s = document.getElementById('stage');
        s.scrollWidth > s.clientWidth || s.scrollHeight > s.clientHeight}""")
    assert scrolls == ("scrolls" in browser.run("document.getElementById('hint').textContent"))
    assert scrolls == (width < 1000)
    for part in ("say", "hint"):  # texts are not cut
        assert browser.run(f"{{const s = document.getElementById('{part}'); s.scrollHeight <= s.clientHeight}}")
    if not scrolls:  # then the window is not mostly empty
        assert (
            browser.run("""{const s = document.querySelector('#stage svg').getBoundingClientRect(),
            room = document.getElementById('stage').getBoundingClientRect();
            Math.max(s.width / room.width, s.height / room.height)}""")
            > 0.9
        )


@in_a_browser
def test_an_edge_that_enters_a_part_has_one_colour(browser, tmp_path):
    """The point on the border looks as its edge does: pale until a gradient has come."""
    net = nn.MLP(2, [2, 1], "tanh")
    steps((net([0.5, -1.0]) - 1.0) ** 2).save(tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    fills = "[...document.querySelectorAll('g.node[id$=_at] ellipse')].map(x => x.getAttribute('fill'))"
    browser.press("Home")
    assert browser.run(fills) == [EDGE] * 3
    browser.press("End")
    assert EDGE not in browser.run(fills)


@in_a_browser
def test_an_alarm_waits_for_its_number(browser, tmp_path):
    x = Value(0.0, "x")
    y = x.log()
    y.label = "y"
    steps(y).save(tmp_path / "page.html")
    browser.resize(1400, 800)
    browser.open(tmp_path / "page.html")
    red = "document.querySelectorAll('g.card [stroke=\"#D50000\" i]').length > 0"
    assert not browser.run(red)
    browser.press("ArrowRight")
    assert browser.run(red)
