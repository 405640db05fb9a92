"""The transformer of scalars is the same function on arrays, at each length. The demo prints the results."""

import contextlib
import io
import itertools
import random
import re

import numpy as np
import pytest
from texts import search

import nn
from autograd import vectorize
from demos import gpt
from demos.gpt import BOUNDARY, GPT, by_length, encode

BLOCK = 4
SOME = ["ava", "jo", "mya"]


@pytest.fixture(scope="module")
def pair():
    """A small GPT, and its loss on arrays: the longest names first, whose program has all positions."""
    model = GPT(BLOCK, size=4, heads=2, rng=random.Random(1))
    loss = vectorize(model.loss)
    for tokens in by_length(SOME):
        loss(tokens)
    return model, loss


def by_scalars(model, name):
    """The loss of a name on Values, and the gradient of every parameter."""
    model.zero_grad()
    loss = model.loss(encode(name))
    loss.backward()
    return loss.data, [p.grad for p in model.parameters()]


def test_arrays_and_scalars_are_one_function(pair):
    """Names of any length share the parameters: the gradients of all add up."""
    model, loss = pair
    loss.zero_grad()
    found = []
    for tokens in by_length(SOME):
        losses = loss(tokens)
        losses.sum().backward()
        found += losses.tolist()
    loss.sync()
    gradient = [p.grad for p in model.parameters()]
    each = [by_scalars(model, name) for name in ("ava", "mya", "jo")]
    np.testing.assert_allclose(found, [x for x, _ in each], rtol=0, atol=1e-10)
    np.testing.assert_allclose(gradient, np.sum([g for _, g in each], axis=0), rtol=0, atol=1e-10)
    assert np.count_nonzero(gradient) > len(gradient) / 3  # the rest belongs to letters that no name has


def test_parameters_are_few_arrays_of_all_values(pair):
    model, loss = pair
    assert sum(p.size for p in loss.parameters()) == len(model.parameters())
    assert len(loss.parameters()) < 10
    assert len(loss.programs) == 2
    assert not any(program.report().gathers for program in loss.programs.values())


def test_training_reaches_the_values(capsys):
    model = GPT(BLOCK, size=4, heads=2, rng=random.Random(2))
    loss = vectorize(model.loss)
    for tokens in by_length(SOME):
        loss(tokens)
    before = [p.data for p in model.parameters()]
    chosen = gpt.batches(SOME, 2, random.Random(0))
    _, names = gpt.train(loss, chosen, nn.Adam(loss.parameters(), lr=0.02), steps=100)
    assert len(capsys.readouterr().out.splitlines()) == 20
    assert names == 150  # a batch of two names of three letters, and one of the name of two, in turn
    assert [p.data for p in model.parameters()] == before
    loss.sync()
    trained, _ = by_scalars(model, "ava")
    assert trained < 1  # from log(27) = 3.3
    assert trained == pytest.approx(loss(encode("ava")).item(), abs=1e-10)
    invented = [model.sample(random.Random(seed), 0.1) for seed in range(5)]
    assert {*invented} & {*SOME}


def test_evaluate_is_the_mean_over_letters(pair):
    model, loss = pair
    total = sum(by_scalars(model, name)[0] * (len(name) + 1) for name in SOME)
    assert gpt.evaluate(loss, SOME * 20) == pytest.approx(total / 11, abs=1e-10)


def test_names_become_tokens():
    assert encode("abz") == [BOUNDARY, 0, 1, 25, BOUNDARY]
    assert [x.tolist() for x in by_length(["abz", "b", "c"])] == [[[26, 0, 1, 25, 26]], [[26, 1, 26], [26, 2, 26]]]


def test_an_epoch_has_each_name_once_and_batches_of_one_length():
    names = ["a", "b", "c", "ab", "bc", "abc"]
    chosen = gpt.batches(names, 2, random.Random(0))
    epochs = [list(itertools.islice(chosen, 4)) for _ in range(3)]
    for epoch in epochs:
        assert sorted(row for tokens in epoch for row in tokens.tolist()) == sorted(map(encode, names))
        assert sorted(map(len, epoch)) == [1, 1, 2, 2]
    assert len({str(epoch) for epoch in epochs}) == 3


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
    assert "def forward(tokens, w1" in text
    assert "at 2 lengths" in text
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
        chosen = gpt.batches(SOME, 2, random.Random(0))
        gpt.train(pair[1], chosen, nn.Adam(pair[1].parameters(), lr=options.lr), options.steps)

    monkeypatch.setattr(gpt, "run", explode)
    assert gpt.main(["--lr", "1e200"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the loss is nan in step ")
    assert "lower --lr" in line
