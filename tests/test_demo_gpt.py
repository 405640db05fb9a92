"""The transformer of scalars is the same function on arrays. Padding has no effect, and the demo prints the results."""

import contextlib
import io
import random
import re

import numpy as np
import pytest
from texts import search

import nn
from autograd import vectorize
from demos import gpt
from demos.gpt import BOUNDARY, GPT, TOKENS, encode, padded
from nn.data import Batches

BLOCK = 4
SOME = ["ava", "jo", "mya"]


@pytest.fixture(scope="module")
def pair():
    """A small GPT, and its function on arrays."""
    model = GPT(BLOCK, size=4, heads=2, rng=random.Random(1))
    return model, vectorize(model.loss, BLOCK + 1, BLOCK, index={"tokens": TOKENS})


def by_scalars(model, tokens, weights):
    """The loss of a name on Values, and the gradient of every parameter."""
    model.zero_grad()
    loss = model.loss([int(t) for t in tokens], [float(w) for w in weights])
    loss.backward()
    return loss.data, [p.grad for p in model.parameters()]


def by_arrays(model, fast, tokens, weights):
    """The losses of names on arrays, and the gradient of their sum in the order of the Values."""
    fast.zero_grad()
    losses = fast(tokens, weights)
    losses.sum().backward()
    fast.sync()
    return losses.data, [p.grad for p in model.parameters()]


def test_arrays_and_scalars_are_one_function(pair):
    model, fast = pair
    tokens, real = padded(SOME, BLOCK)
    weights = real / real.sum()
    losses, gradient = by_arrays(model, fast, tokens, weights)
    each = [by_scalars(model, *row) for row in zip(tokens, weights, strict=True)]
    np.testing.assert_allclose(losses, [loss for loss, _ in each], rtol=0, atol=1e-10)
    np.testing.assert_allclose(gradient, np.sum([g for _, g in each], axis=0), rtol=0, atol=1e-10)
    assert np.count_nonzero(gradient) > len(gradient) / 3  # the rest belongs to letters that no name has


def test_parameters_are_few_arrays_of_all_values(pair):
    model, fast = pair
    assert sum(p.size for p in fast.parameters()) == len(model.parameters())
    assert len(fast.parameters()) < 10
    assert not fast.report().gathers


def test_padding_does_not_change_the_loss(pair):
    model, fast = pair
    tokens, real = padded(["jo"], BLOCK)
    weights = real / real.sum()
    loss, gradient = by_scalars(model, encode("jo"), weights[0, :3])  # without any padding
    for other in (BOUNDARY, 0, 7):
        tokens[0, 4:] = other
        padded_loss, padded_gradient = by_arrays(model, fast, tokens, weights)
        assert padded_loss == pytest.approx([loss], abs=1e-12)
        np.testing.assert_allclose(padded_gradient, gradient, rtol=0, atol=1e-12)


def test_training_reaches_the_values(capsys):
    model = GPT(BLOCK, size=4, heads=2, rng=random.Random(2))
    fast = vectorize(model.loss, BLOCK + 1, BLOCK, index={"tokens": TOKENS})
    tokens, real = padded(SOME, BLOCK)
    before = [p.data for p in model.parameters()]
    gpt.train(fast, Batches(tokens, real, batch_size=2), nn.Adam(fast.parameters(), lr=0.02), steps=100)
    assert len(capsys.readouterr().out.splitlines()) == 20
    assert [p.data for p in model.parameters()] == before
    fast.sync()
    trained, _ = by_scalars(model, encode("ava"), [0.25] * 4)
    assert trained < 1  # from log(27) = 3.3
    assert trained == pytest.approx(float(gpt.mean_loss(fast, tokens[:1], real[:1]).item()), abs=1e-10)
    names = [model.sample(random.Random(seed), 0.1) for seed in range(5)]
    assert {*names} & {*SOME}


def test_evaluate_is_the_mean_over_letters(pair):
    model, fast = pair
    tokens, real = padded(SOME * 200, BLOCK)  # more names than are computed at once
    total = sum(by_scalars(model, encode(name), [1.0] * (len(name) + 1))[0] for name in SOME)
    assert gpt.evaluate(fast, tokens, real) == pytest.approx(total / 11, abs=1e-10)


def test_names_become_tokens():
    assert encode("abz") == [BOUNDARY, 0, 1, 25, BOUNDARY]
    tokens, real = padded(["abz", "b"], 4)
    assert tokens.tolist() == [[26, 0, 1, 25, 26], [26, 1, 26, 26, 26]]
    assert real.tolist() == [[True] * 4, [True, True, False, False]]


def test_names_that_fit_are_split():
    learn, test = gpt.load_names(16, random.Random(0))
    assert (len(learn), len(test)) == (26545, 2949)
    assert not {*learn} & {*test}
    short, _ = gpt.load_names(4, random.Random(0))
    assert max(map(len, short)) == 3


def test_the_loss_of_counting():
    counted = gpt.bigram_loss(["a"] * 73, ["a"])  # 73 of 100: each of the 27 possibilities counts once more
    assert counted == pytest.approx(-np.log(74 / 100))


def test_the_story():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert gpt.main(["--quick", "--samples", "7"]) == 0
    text = out.getvalue()
    losses = [float(x) for x in re.findall(r"^step .* loss ([\d.]+)", text, re.MULTILINE)]
    assert len(losses) == 20
    assert losses[0] > 3 > 2.5 > losses[-1]
    assert "def forward(tokens, weights, " in text
    assert re.search(r": \d+ times faster", text)
    scalar, array = search(r"([\d.]+) on Values and ([\d.]+) on arrays", text).groups()
    assert float(scalar) == pytest.approx(float(array), abs=1e-10)
    head, _, names = text.partition("in the list:\n")
    assert "The Values invent 7 names" in head
    assert len(names.split()) == 7
    assert re.fullmatch(r"[a-z\s]+", names)


@pytest.mark.parametrize("arguments", [["--steps", "0"], ["--block", "2"], ["--lr", "nan"], ["--temperature", "0"]])
def test_a_bad_option_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        gpt.main(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert arguments[0] in line


def test_a_training_that_explodes_says_what_to_do(pair, monkeypatch, capsys):
    def explode(options):
        tokens, real = padded(SOME, BLOCK)
        gpt.train(pair[1], Batches(tokens, real), nn.Adam(pair[1].parameters(), lr=options.lr), options.steps)

    monkeypatch.setattr(gpt, "run", explode)
    assert gpt.main(["--lr", "1e200"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the loss is nan in step ")
    assert "lower --lr" in line
