"""GPT: a transformer in scalars is trained as matrices, and then invents names in scalars.

``python -m demos.gpt`` learns 26,545 names, letter by letter, in half a minute. Every weight is a `Value`, and
attention is written as loops over them, as in Karpathy's microgpt. One function has the loss of one name, of any
length. `vectorize` finds the matrices in its loops, and the matrices are trained on batches of names. Then their
numbers are written back into the Values, which invent the names that are printed at the end. ``--help`` lists the
options.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import nn
from autograd import Value, no_grad, vectorize
from demos._command import number, parser, tell

NAMES = Path(__file__).parent / "data" / "names" / "names.txt"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
BOUNDARY = len(LETTERS)  # the token before and after every name
TOKENS = len(LETTERS) + 1

Vector: TypeAlias = list[Value]
Matrix: TypeAlias = list[Vector]


# ---------------------------------------------------------------------------------------------------------- the model


class GPT(nn.Module):
    """A transformer of one layer, in scalars: its vectors are lists, and it multiplies only two numbers at a time.

    Args:
        block: The number of positions. A name takes one more than it has letters.
        size: The length of the embedding of a token.
        heads: The number of attention heads, which share the embedding.
        rng: Draws the first weights.
    """

    def __init__(self, block: int, size: int = 16, heads: int = 4, rng: random.Random | None = None) -> None:
        rng = rng or random.Random(0)

        def matrix(rows: int, columns: int) -> Matrix:
            return [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.token, self.position = matrix(TOKENS, size), matrix(block, size)
        self.query, self.key, self.value = matrix(size, size), matrix(size, size), matrix(size, size)
        self.attended = matrix(size, size)
        self.up, self.down = matrix(4 * size, size), matrix(size, 4 * size)
        self.out = matrix(TOKENS, size)
        self.heads = [range(start, start + size // heads) for start in range(0, size, size // heads)]

    def __call__(self, token: int, position: int, keys: Matrix, values: Matrix) -> Vector:
        """A logit for each possible next token. The key and the value of this position are appended to the lists."""
        x = normed([t + p for t, p in zip(self.token[token], self.position[position], strict=True)])

        before, x = x, normed(x)
        query = linear(self.query, x)
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        seen: Vector = []
        for head in self.heads:
            scores = [sum(query[i] * key[i] for i in head) / len(head) ** 0.5 for key in keys]
            weights = softmax(scores)
            seen += [sum(w * value[i] for w, value in zip(weights, values, strict=True)) for i in head]
        x = [a + b for a, b in zip(linear(self.attended, seen), before, strict=True)]

        hidden = [h.relu() for h in linear(self.up, normed(x))]
        x = [a + b for a, b in zip(linear(self.down, hidden), x, strict=True)]
        return linear(self.out, x)

    def loss(self, tokens: Sequence[int]) -> Any:
        """The mean of -log p of each token after the first: the loss of one document."""
        keys: Matrix = []
        values: Matrix = []
        losses: Vector = []
        for position, (token, target) in enumerate(itertools.pairwise(tokens)):
            p = softmax(self(token, position, keys, values))
            losses.append(-p[target].log())
        return sum(losses) / len(losses)

    def sample(self, rng: random.Random, temperature: float) -> str:
        """A name, drawn letter by letter until the boundary token or the end of the block."""
        keys: Matrix = []
        values: Matrix = []
        name, token = "", BOUNDARY
        with no_grad():
            for i in range(len(self.position)):
                p = softmax([logit / temperature for logit in self(token, i, keys, values)])
                (token,) = rng.choices(range(TOKENS), [x.data for x in p])
                if token == BOUNDARY:
                    break
                name += LETTERS[token]
        return name


def linear(weight: Matrix, x: Vector) -> Vector:
    """The weighted sum of each row."""
    return [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in weight]


def normed(x: Vector) -> Vector:
    """The vector scaled to a mean square of 1."""
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(x: Vector) -> Vector:
    """Positive numbers with sum 1. The largest is subtracted first, so that nothing overflows."""
    largest = max(xi.data for xi in x)
    powers = [(xi - largest).exp() for xi in x]
    total = sum(powers)
    return [power / total for power in powers]


# ----------------------------------------------------------------------------------------------------------- the data


def load_names(block: int, rng: random.Random) -> tuple[list[str], list[str]]:
    """The names that fit into a block, shuffled: nine tenths to train with, the others to test."""
    once = dict.fromkeys(NAMES.read_text(encoding="utf-8").split())  # some are listed twice, for girls and for boys
    names = [name for name in once if len(name) < block]
    rng.shuffle(names)
    tenth = len(names) // 10
    return names[tenth:], names[:tenth]


def encode(name: str) -> list[int]:
    """A name as tokens, between two boundaries."""
    return [BOUNDARY, *map(LETTERS.index, name), BOUNDARY]


def by_length(names: Sequence[str]) -> list[np.ndarray]:
    """The tokens of names as arrays, one for each length, the longest first."""
    lengths = sorted({len(name) for name in names}, reverse=True)
    return [np.array([encode(name) for name in names if len(name) == n]) for n in lengths]


def batches(names: Sequence[str], size: int, rng: random.Random) -> Iterator[np.ndarray]:
    """Batches of tokens without end, in random order. The names of a batch have one length, so nothing is padded."""
    groups = by_length(names)
    while True:
        epoch: list[np.ndarray] = []
        for group in groups:
            order = rng.sample(range(len(group)), len(group))
            epoch += [group[order[start : start + size]] for start in range(0, len(group), size)]
        rng.shuffle(epoch)
        yield from epoch


def bigram_loss(train: Sequence[str], test: Sequence[str]) -> float:
    """The loss of a table of how often one letter follows another. A model that sees one letter can reach it."""
    counts = np.ones((TOKENS, TOKENS))
    for pair in itertools.chain.from_iterable(itertools.pairwise(encode(name)) for name in train):
        counts[pair] += 1
    p = counts / counts.sum(axis=1, keepdims=True)
    pairs = [pair for name in test for pair in itertools.pairwise(encode(name))]
    return -float(np.mean([math.log(p[pair]) for pair in pairs]))


# ----------------------------------------------------------------------------------------------------------- training


Loss: TypeAlias = Callable[[Any], Any]  # of a batch of names of one length: a Tensor with a number for each


def train(loss: Loss, chosen: Iterator[np.ndarray], optimizer: nn.Optimizer, steps: int) -> tuple[float, int]:
    """Train, and report the progress twenty times. Returns the seconds and the number of names."""
    start, losses, names = time.perf_counter(), [], 0
    for step, tokens in enumerate(itertools.islice(chosen, steps), 1):
        mean = loss(tokens).mean()
        optimizer.zero_grad()
        mean.backward()
        optimizer.step()
        losses.append(mean.item())
        names += len(tokens)
        if not math.isfinite(losses[-1]):
            raise FloatingPointError(f"the loss is {losses[-1]} in step {step}: try a lower --lr")
        if step * 20 // steps > (step - 1) * 20 // steps:
            seconds = time.perf_counter() - start
            print(f"step {step:6,} of {steps:,}  loss {np.mean(losses):.4f}  {seconds:5.1f} s", flush=True)
            losses.clear()
    return time.perf_counter() - start, names


def evaluate(loss: Loss, names: Sequence[str]) -> float:
    """The mean loss of a letter in many names."""
    total = 0.0
    with no_grad():
        for tokens in by_length(names):
            total += loss(tokens).data.sum() * (tokens.shape[1] - 1)
    return float(total / sum(len(name) + 1 for name in names))


def scalar_step(gpt: GPT, name: str) -> float:
    """One name forward and backward on Values. Returns the seconds."""
    start = time.perf_counter()
    gpt.loss(encode(name)).backward()
    return time.perf_counter() - start


# ---------------------------------------------------------------------------------------------------------- the story


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    return tell(run, parse(argv))


def run(options: argparse.Namespace) -> None:
    """Vectorize, train, write the weights back, and invent names."""
    rng = random.Random(options.seed)
    learn, test = load_names(options.block, rng)
    gpt = GPT(options.block, rng=rng)
    print(f"{len(learn):,} names to train with, {len(test):,} to test with, {options.block} positions each")
    print(f"{len(gpt.parameters()):,} parameters, each of them a Value")

    some = learn[: 3 if options.quick else 10]
    by_scalars = sum(scalar_step(gpt, name) for name in some) / len(some)
    print(f"on Values, a name takes {by_scalars * 1000:.0f} ms forward and backward", flush=True)

    loss = vectorize(gpt.loss)
    start = time.perf_counter()
    for tokens in by_length([*learn, *test]):  # the longest first: it needs all positions, and all share its arrays
        loss(tokens[:1])
    longest = next(iter(loss.programs.values()))
    print(f"\nvectorize has traced the loss at {len(loss.programs)} lengths in {time.perf_counter() - start:.0f} s.")
    print(f"The longest:\n\n{longest.report()}\n\n{longest.forward_source}", flush=True)

    optimizer = nn.Adam(loss.parameters(), nn.OneCycle(options.lr, options.steps))
    seconds, names = train(loss, batches(learn, options.batch, rng), optimizer, options.steps)
    by_arrays = seconds / names
    print(f"on arrays, a name took {by_arrays * 1000:.3f} ms with Adam: {by_scalars / by_arrays:.0f} times faster")

    print(f"\nloss on the test names: {evaluate(loss, test):.4f}")
    counting = bigram_loss(learn, test)
    print(f"loss of guessing: {math.log(TOKENS):.4f}; of a table of which letter follows which: {counting:.4f}")

    loss.sync()
    name = test[0]
    with no_grad():
        scalar, array = gpt.loss(encode(name)).data, loss(encode(name)).item()
    print("\nsync() wrote the trained numbers back into the Values.")
    print(f"The loss of {name!r} is {scalar:.12f} on Values and {array:.12f} on arrays.")
    invented = [gpt.sample(rng, options.temperature) for _ in range(options.samples)]
    listed = len({*learn, *test}.intersection(invented))
    print(f"The Values invent {len(invented)} names. {listed} of them are in the list:\n")
    for first in range(0, len(invented), 5):
        print("  " + "".join(f"{name:<{options.block + 1}}" for name in invented[first : first + 5]).rstrip())


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("gpt", __doc__, of="of all random numbers (%(default)s)",
                     quick="60 batches of 16 names of up to 3 letters", writes=False)  # fmt: skip
    add = options.add_argument
    count = number(int, 1)
    add("--steps", type=count, default=6000, metavar="N", help="batches to train with (%(default)s)")
    add("--batch", type=count, default=64, metavar="N", help="names in a batch (%(default)s)")
    add("--lr", type=number(float, 0), default=0.01, metavar="RATE", help="Adam's highest learning rate (%(default)s)")
    add("--block", type=number(int, 3), default=16, metavar="N",
        help="positions; longer names are left out (%(default)s)")  # fmt: skip
    add("--samples", type=number(int, 0), default=20, metavar="N", help="names to invent (%(default)s)")
    add("--temperature", type=number(float, 0.01), default=0.5, metavar="T",
        help="of the softmax that draws them: higher gives more unusual names (%(default)s)")  # fmt: skip
    found = options.parse_args(argv)
    if found.quick:
        found.steps, found.batch, found.block = 60, 16, 4
    return found


if __name__ == "__main__":
    sys.exit(main())
