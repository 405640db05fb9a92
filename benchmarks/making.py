"""vectorize itself: the time and memory to make a program, for each scalar operation of it and each statement.

python -m benchmarks.making ours [ROW ...]

It is the time of the processor, of all that `vectorize` does: tracing, passes, backward pass, compiling, checking. The
bytes are those that Python's allocator had given out at most, the model's own parameters among them.
"""

import itertools
import random
import time
import tracemalloc

from benchmarks import common


def matrix(rng, rows, columns):
    from autograd import Value

    return [[Value(rng.gauss(0, 0.1)) for _ in range(columns)] for _ in range(rows)]


def weighted(row, x, start):
    return sum((w * xi for w, xi in zip(row, x, strict=True)), start)


def mlp(*sizes):
    """Plain sums of products."""
    rng = random.Random(0)
    layers = [(matrix(rng, after, before), matrix(rng, 1, after)[0]) for before, after in itertools.pairwise(sizes)]

    def network(x):
        for w, b in layers:
            x = [weighted(row, x, bias).tanh() for row, bias in zip(w, b, strict=True)]
        return x

    return network, (sizes[0],)


def convolution(size, filters, width):
    """Sums over patches of an image."""
    rng = random.Random(0)
    ws, places = [matrix(rng, width, width) for _ in range(filters)], range(size - width + 1)

    def filtered(x):
        return [
            [[sum(w[a][b] * x[i + a][j + b] for a in range(width) for b in range(width)).relu() for j in places]
             for i in places] for w in ws
        ]  # fmt: skip

    return filtered, (size, size)


def gpt(positions):
    from demos.gpt import GPT

    return GPT(positions).loss, (positions + 1,)


def lstm(steps, inputs=8, size=16):
    rng = random.Random(0)
    gates = [(matrix(rng, size, inputs), matrix(rng, size, size), matrix(rng, 1, size)[0]) for _ in range(4)]

    def last(xs):
        h: list = [0.0] * size
        c: list = [0.0] * size
        for x in xs:
            i, f, o, g = ([weighted(v, h, weighted(u, x, bias)) for u, v, bias in zip(us, vs, b, strict=True)]
                          for us, vs, b in gates)  # fmt: skip
            c = [a.sigmoid() * k + p.sigmoid() * q.tanh() for a, k, p, q in zip(f, c, i, g, strict=True)]
            h = [a.sigmoid() * k.tanh() for a, k in zip(o, c, strict=True)]
        return h

    return last, (steps, inputs)


def rk4(steps):
    """A pendulum by the method of Runge and Kutta: no two statements of it can become one."""
    from autograd import Value, sin

    a, b, h = Value(1.0), Value(0.1), 0.01

    def slope(x, v):
        return v, -a * sin(x) - b * v

    def pendulum(x, v):
        for _ in range(steps):
            k = slope(x, v)
            total = k
            for part, weight in ((h / 2, 2), (h / 2, 2), (h, 1)):
                k = slope(x + part * k[0], v + part * k[1])
                total = total[0] + weight * k[0], total[1] + weight * k[1]
            x, v = x + h / 6 * total[0], v + h / 6 * total[1]
        return x

    return pendulum, (), ()


ROWS = {
    "MLP 784-100-10": lambda: mlp(784, 100, 10),
    "convolution, 16 filters on 28 x 28": lambda: convolution(28, 16, 3),
    "GPT, 16 positions": lambda: gpt(16),
    "LSTM, 20 steps": lambda: lstm(20),
    "Runge-Kutta, 50 steps": lambda: rk4(50),
    "a million operations": lambda: mlp(1000, 500, 10),
}


def measure(name, row, options):
    from autograd import vectorize

    def made():
        f, *shapes = ROWS[row]()
        start = time.process_time()
        program = vectorize(f, *shapes, index={"tokens": 27} if "GPT" in row else None)
        return program.report(), (time.process_time() - start) * 1e3

    report, took = made()
    tracemalloc.start()
    made()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "ms": took,
        "least": took,
        "operations": report.operations,
        "µs an operation": took / report.operations * 1e3,
        "bytes an operation": peak / report.operations,
        "ms a statement": took / report.statements,
    }


if __name__ == "__main__":
    common.main("making", ["ours"], ROWS, measure)
