"""A transformer written in scalars, like microgpt, for any engine with a `Value`.

A step is one name, forward and backward, with some 60,000 nodes. It uses only `+`, `*`, `/`, `**`, `exp`, `log` and
`relu`, which all engines have.
"""

import random

LETTERS, SIZE, HEADS = 27, 16, 4
NAME = [26, 0, 13, 3, 17, 4, 0, 26]  # "andrea" between two boundaries


class GPT:
    def __init__(self, Value):
        rng = random.Random(0)

        def matrix(rows, columns=SIZE):
            return [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.token, self.position, self.out = matrix(LETTERS), matrix(len(NAME)), matrix(LETTERS)
        self.query, self.key, self.value, self.attended = (matrix(SIZE) for _ in range(4))
        self.up, self.down = matrix(4 * SIZE), matrix(SIZE, 4 * SIZE)
        matrices = [x for x in vars(self).values() if isinstance(x, list)]
        self.parameters = [p for matrix in matrices for row in matrix for p in row]

    def __call__(self, token, position, keys, values):
        x = normed([t + p for t, p in zip(self.token[token], self.position[position], strict=True)])
        before, x = x, normed(x)
        query = linear(self.query, x)
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        seen, width = [], SIZE // HEADS
        for start in range(0, SIZE, width):
            head = range(start, start + width)
            weights = softmax([sum(query[i] * key[i] for i in head) / width**0.5 for key in keys])
            seen += [sum(w * value[i] for w, value in zip(weights, values, strict=True)) for i in head]
        x = [a + b for a, b in zip(linear(self.attended, seen), before, strict=True)]
        hidden = [h.relu() for h in linear(self.up, normed(x))]
        x = [a + b for a, b in zip(linear(self.down, hidden), x, strict=True)]
        return linear(self.out, x)

    def loss(self):
        keys: list[list] = []
        values: list[list] = []
        losses = []
        for position, token in enumerate(NAME[:-1]):
            p = softmax(self(token, position, keys, values))
            losses.append(-p[NAME[position + 1]].log())
        return sum(losses) / len(losses)

    def step(self):
        loss = self.loss()
        for p in self.parameters:
            p.grad = 0.0
        loss.backward()
        for p in self.parameters:
            p.data -= 0.05 * p.grad
        self.last = loss  # kept until the next step, as in the loop of a script
        return loss.data


def linear(weight, x):
    return [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in weight]


def normed(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(x):
    largest = max(xi.data for xi in x)
    powers = [(xi - largest).exp() for xi in x]
    total = sum(powers)
    return [power / total for power in powers]
