"""`tree`: a graph as text. Every value has a line, is folded into another's line, or is counted on the last line."""

import gc
import random
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import search

from autograd import Tensor, Value, ops, tree
from autograd.explaining.text import to_ascii
from autograd.testing import expressions
from nn import MLP


def small():
    """(w·x + b − y)², labelled."""
    x, w, b, y = (Value(k, name) for k, name in ((2.0, "x1"), (-1.5, "w1"), (0.25, "b"), (1.0, "y")))
    y_hat = w * x + b
    y_hat.label = "y_hat"
    loss = (y_hat - y) ** 2
    loss.label = "L"
    return loss


def test_the_picture():
    loss = small()
    loss.backward()
    assert tree(loss, ascii=False) == "\n".join([
        "value           op     data      grad  d(parent)/d(this)",
        "L               x²  14.0625   +1.0000",
        "└─ ·            −   -3.7500   -7.5000            -7.5000",
        "   ├─ ŷ         +   -2.7500   -7.5000            +1.0000",
        "   │  ├─ w₁·x₁  ×   -3.0000   -7.5000            +1.0000",
        "   │  │  ├─ w₁      -1.5000  -15.0000            +2.0000",
        "   │  │  └─ x₁       2.0000  +11.2500            -1.5000",
        "   │  └─ b           0.2500   -7.5000            +1.0000",
        "   └─ y              1.0000   +7.5000            -1.0000",
    ])  # fmt: skip


def test_columns_stand_below_each_other():
    loss = small()
    loss.backward()
    lines = tree(loss, ascii=False).splitlines()
    for name in ("data", "grad", "d(parent)/d(this)"):
        end = lines[0].index(name) + len(name)
        for line in lines[1:]:
            assert line[end : end + 1] in ("", " ")
            assert len(line) <= end or line[end - 1] != " "


def test_before_backward_there_are_no_gradients():
    rows = [line.split() for line in tree(small(), ascii=False).splitlines()[1:]]
    assert all("-" in row for row in rows)
    assert not any(cell == "0" for row in rows for cell in row)


def test_a_leaf_alone():
    assert tree(Value(0.5, "theta"), ascii=False).splitlines()[1].split() == ["θ", "0.5000", "-"]
    assert tree(Value(0.5), ascii=True).splitlines()[1].split() == [".", "0.5000", "-"]


def test_the_method_is_the_function():
    loss = small()
    assert loss.tree(ascii=True, max_depth=1) == tree(loss, ascii=True, max_depth=1)


# ------------------------------------------------------------------------------------------------- shared, folded


def test_shared_nodes_are_expanded_once():
    a = Value(2.0, "a")
    h = a.tanh()
    h.label = "h"
    out = h * h.exp() + h
    text = tree(out, ascii=False)
    assert len(re.findall(r"h #1\b", text)) == 1
    assert text.count("h (see #1)") == 2
    assert text.index("h #1") < text.index("(see #1)")
    assert len(re.findall(r"─ a\b", text)) == 1


def test_a_square_by_hand_refers_to_itself():
    h = Value(2.0, "a").tanh()
    out = h * h
    lines = tree(out, ascii=False).splitlines()
    assert [line.split()[1:3] for line in lines[2:]] == [["tanh(a)", "#1"], ["└─", "a"], ["tanh(a)", "(see"]]


def test_sums_are_one():
    parts = [Value(float(k), f"p{k}") for k in range(5)]
    out = parts[0] + parts[1] + parts[2] + (parts[3] + parts[4])
    lines = tree(out, ascii=False).splitlines()
    assert len(lines) == 1 + 1 + 5
    assert lines[1].split()[1] == "Σ"
    named = parts[0] + parts[1]
    named.label = "s"
    assert len(tree(named + parts[2], ascii=False).splitlines()) == 1 + 5


@given(expressions(max_ops=10), st.integers(1, 12), st.none() | st.integers(0, 4), st.booleans())
def test_every_value_is_shown_folded_or_counted(f, max_lines, max_depth, labelled):
    leaves = [Value(x) for x in f.leaves]
    nodes = f.nodes(*leaves)
    if labelled:
        for k, node in enumerate(nodes):
            node.label = f"n{k}"
    below = {id(nodes[-1]): nodes[-1]}
    for node in reversed(nodes):
        if id(node) in below:
            below.update((id(x), x) for x in node.parents)
    lines = tree(nodes[-1], max_lines=max_lines, max_depth=max_depth, ascii=False, model=[]).splitlines()
    left = int(search(r"^… ([\d,]+) more values?$", lines.pop())[1]) if lines[-1].startswith("…") else 0
    assert 1 <= len(lines) - 1 <= max_lines
    if labelled:  # nothing is folded, and names tell which values are shown
        shown = {search(r"^[│├└─ ]*(\S+)", line)[1] for line in lines[1:] if "(see" not in line}
        assert len(shown) + left == len(below)
    everything = tree(nodes[-1], max_lines=10**6, ascii=False, model=[])
    assert "more value" not in everything
    if len(everything.splitlines()) <= max_lines + 1 and max_depth is None:
        assert left == 0


def test_depth():
    loss = small()
    assert len(tree(loss, max_depth=0, ascii=False).splitlines()) == 3
    assert tree(loss, max_depth=0, ascii=False).endswith("… 7 more values")
    text = tree(loss, max_depth=2, ascii=False)
    assert text.endswith("… 4 more values")
    assert "w₁" not in text.replace("w₁·x₁", "")
    chain = Value(1.0, "a").exp()
    assert tree(chain, max_depth=0, ascii=True).endswith("... 1 more value")


def test_lines():
    out = ops.sum([Value(float(k), f"p{k}") * 2.0 for k in range(100)])
    lines = tree(out, ascii=False).splitlines()
    assert len(lines) == 62
    assert lines[-1] == "… 141 more values"
    assert len(tree(out, max_lines=1000, ascii=False).splitlines()) == 202


# ----------------------------------------------------------------------------------------------------- characters


@given(expressions(max_ops=8), st.data())
def test_ascii_is_ascii(f, data):
    leaves = [Value(x) for x in f.leaves]
    nodes = f.nodes(*leaves)
    names = ["x1", "y_hat", "theta", "p_hat2", "w_1_2", "my name", "a+b", ""]
    for node in nodes:
        node.label = data.draw(st.sampled_from(names))
    nodes[-1].backward()
    plain, rich = (tree(nodes[-1], ascii=yes, model=[]).splitlines() for yes in (True, False))
    assert "\n".join(plain).isascii()
    assert len(plain) == len(rich)
    assert [line.split()[-1] for line in plain] == [line.split()[-1] for line in rich]


def test_ascii_names_and_branches():
    loss = small()
    text = tree(loss, ascii=True)
    assert "   |  |- w1*x1" in text
    assert "   `- y" in text
    assert "|- y_hat" in text
    assert "x^2" in text


def test_what_ascii_does_not_have_is_escaped():
    assert to_ascii("θ₁ größe") == "theta1 gr\\xf6\\xdfe"
    assert tree(Value(1.0, "größe"), ascii=True).isascii()


class Narrow:
    """An output that shows ASCII only."""

    encoding = "ascii"


def test_the_default_is_what_the_output_shows(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Narrow())
    assert tree(small()).isascii()
    Narrow.encoding = "UTF-8"
    assert "└─" in tree(small())
    monkeypatch.setattr(sys, "stdout", None)
    assert tree(small()).isascii()


@pytest.mark.parametrize("label", ["two\nlines", "tab\there", "\x1b[31mred", "a  b", "日本", "p_hat", "(see #1)", "𝛼"])
def test_odd_labels_keep_to_their_line(label):
    a, b = Value(1.0, label), Value(2.0, "b")
    for plain in (True, False):
        text = tree(a * b, ascii=plain)
        assert len(text.splitlines()) == 4
        assert text.replace("\n", "").isprintable()


def test_wide_and_combining_characters_keep_the_columns():
    a, b = Value(1.0, "日本"), Value(2.0, "p_hat")
    lines = tree(ops.atan2(a, b), ascii=False).splitlines()
    starts = [line.index(number) for line, number in zip(lines[1:], ("0.4636", "1.0000", "2.0000"), strict=True)]
    both, wide, combining = starts
    assert wide - both == -1  # 日本 is two columns wider than its characters; p̂, one narrower, is in both lines
    assert combining - both == 2


# ---------------------------------------------------------------------------------------------- modules, Tensors


def test_parameters_are_called_by_their_paths():
    random.seed(0)
    model = MLP(2, [2, 1])
    out = model([Value(1.0, "x1"), Value(2.0, "x2")])
    for given_ in (None, model):
        text = tree(out, model=given_, ascii=False)
        for name in ("layers.0.neurons.1.w[0]", "layers.1.neurons.0.b"):
            assert name in text
    assert "w·x + b" in text


def test_tensors():
    x, w = Tensor(np.ones((2, 3)), label="x"), Tensor(np.full((3, 1), 2.0, dtype=np.float32), label="w")
    loss = ((x @ w) ** 2).mean()
    loss.label = "loss"
    before = tree(loss, ascii=False)
    assert "rms" not in before
    loss.backward()
    rows = [re.split(r"  +", line.strip("│├└─ ")) for line in tree(loss, ascii=False).splitlines()]
    assert rows[1][:3] == ["loss", "mean", "() float64"]
    assert rows[-1] == ["w", "3×1 float32", "rms 12.0000"]
    assert "3x1 float32" in tree(loss, ascii=True)


def test_a_tensor_that_has_no_gradient():
    x = Tensor(np.zeros((0, 2)), label="x")
    loss = x.sum()
    loss.backward()
    assert tree(loss, ascii=False).splitlines()[2].split() == ["└─", "x", "0×2", "float64", "-"]


# ----------------------------------------------------------------------------------------------------------- size


def big(n):
    """A chain of n operations, of which some are shared and some are sums of many."""
    x = y = Value(0.5, "x")
    for k in range(n // 2):
        y = y.tanh() if k % 2 else y * 1.5 + x
    return y


def check_big(n):
    y = big(n)
    lines = tree(y, ascii=False).splitlines()
    assert len(lines) == 62
    left = int(search(r"^… ([\d,]+) more values$", lines[-1])[1].replace(",", ""))
    assert 0.9 * n * 0.75 < left < n
    del y
    gc.collect()


def test_a_hundred_thousand_values():
    check_big(100_000)


@pytest.mark.slow
def test_a_million_values():
    check_big(1_000_000)


def test_a_wide_sum():
    out = ops.sum([Value(1.0) for _ in range(20_000)])
    assert tree(out, ascii=False).splitlines()[-1] == "… 19,941 more values"


def test_a_ladder_is_not_unrolled():
    y = Value(0.5, "x")
    for _ in range(60):
        y = y.sin() * y.cos()
    lines = tree(y, max_lines=1000, ascii=False).splitlines()
    assert len(lines) <= 1 + 60 * 4 + 2
    assert "more value" not in lines[-1]
