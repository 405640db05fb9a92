"""Scalars: a tiny graph, two moons, a GPT, chains. One engine for each process.

    python -m benchmarks.scalars ENGINE [ROW ...]

Engines: ours; ours-unfused (our Value under micrograd's own Neuron, a chain of `+` and `*` a neuron); ours-python (our
Value in Python); interpreter (a Value that computes nothing, under micrograd's own Neuron: `nothing.c`); slots (the
design in `benchmarks/slots.py`); micrograd; torch, mygrad, hips, xad, jax and casadi (the last two compiled); floats
(forward and backward written by hand in Python). Not every engine has every row. Python's garbage collector runs as
usual.
"""

import importlib
import os
import random
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from benchmarks import common
from benchmarks.gpt import GPT


def values(name):
    """(Value, MLP, relu) of an engine of nodes."""
    if name in ("ours", "ours-python"):
        os.environ["CHAINRULE_PURE"] = str(int(name == "ours-python"))
        from autograd import Value
        from nn import MLP
    elif name == "slots":
        from benchmarks.slots import MLP, Value
    elif name == "micrograd":
        from micrograd.engine import Value
        from micrograd.nn import MLP
    elif name in ("ours-unfused", "interpreter"):
        import micrograd.nn

        if name == "interpreter":
            Value = nothing()
        else:
            from autograd import Value

        micrograd.nn.Value = Value
        MLP = micrograd.nn.MLP
    elif name == "torch":
        import torch

        return lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True), None, torch.relu
    else:
        import mygrad

        mygrad.turn_memory_guarding_off()
        return mygrad.tensor, None, lambda x: mygrad.maximum(x, 0.0)
    return Value, MLP, lambda x: x.relu()


def nothing():
    """The class that computes nothing. It is compiled when it is needed."""
    folder = tempfile.mkdtemp()
    built = Path(folder, "nothing" + sysconfig.get_config_var("EXT_SUFFIX"))
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC"))
    include = f"-I{sysconfig.get_path('include')}"
    source = str(Path(__file__).with_suffix(".c").with_name("nothing.c"))
    subprocess.run([*compiler, "-O2", "-shared", "-fPIC", include, "-o", str(built), source], check=True)
    sys.path.insert(0, folder)
    return importlib.import_module("nothing").Value


def expression(a, b, relu):
    """The expression of micrograd's README, 39 nodes."""
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + relu(b + a)
    d = d + 3 * d + relu(b - a)
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f


def by_hand(a, b):
    """Its value and its two derivatives, in floats."""
    c, d = a + b, a * b + b**3
    e = 2 * (2 * c + 1) + 1 - a - (4 * (3 * d + max(b + a, 0.0)) + max(b - a, 0.0))
    f = e**2
    de = 2 * e * (0.5 - 10.0 / f**2)
    da = 4 * de - de - 12 * de * b
    db = 4 * de - 12 * de * (a + 3 * b**2)
    if b + a > 0:
        da -= 4 * de
        db -= 4 * de
    if b - a > 0:
        da += de
        db -= de
    return f / 2 + 10 / f, da, db


def tiny(name, options):
    """Build and backward. Compiled engines only run their compiled program."""
    if name == "floats":
        once = lambda: by_hand(-4.0, 2.0)[1:]  # noqa: E731
    elif name == "hips":
        autograd, np = common.hips()
        both = autograd.value_and_grad(lambda x: expression(x[0], x[1], lambda x: np.maximum(x, 0.0)))
        once = lambda: both((-4.0, 2.0))[1]  # noqa: E731
    elif name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        both = jax.jit(jax.value_and_grad(lambda a, b: expression(a, b, jax.nn.relu), (0, 1)))
        once = lambda: jax.block_until_ready(both(-4.0, 2.0))[1]  # noqa: E731
    elif name == "casadi":
        import casadi

        a, b = casadi.SX.sym("a"), casadi.SX.sym("b")
        g = expression(a, b, lambda x: casadi.fmax(x, 0))
        both = casadi.Function("both", [a, b], [g, *(casadi.gradient(g, x) for x in (a, b))])
        once = lambda: both(-4.0, 2.0)[1:]  # noqa: E731
    elif name == "xad":
        import xad.adj_1st as xad

        tape = xad.Tape()
        tape.activate()

        def once():
            tape.clearAll()
            inputs = xad.Real(-4.0), xad.Real(2.0)
            for x in inputs:
                tape.registerInput(x)
            tape.newRecording()
            g = expression(*inputs, lambda x: x if x.getValue() > 0 else 0.0 * x)
            tape.registerOutput(g)
            g.setDerivative(1.0)
            tape.computeAdjoints()
            return [x.getDerivative() for x in inputs]
    else:
        Value, _, relu = values(name)

        def once():
            inputs = Value(-4.0), Value(2.0)
            expression(*inputs, relu).backward()
            return [x.grad for x in inputs]

    return common.timed(once, options, wait=lambda grads: float(grads[0] + grads[1]), chunk=100)


def moons(name, options):
    """A training step of an MLP 2-16-16-1 on 100 samples with max-margin loss and L2."""
    Value, MLP, relu = values(name)
    random.seed(1337)
    rng = random.Random(1)
    X = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)]
    y = [1 if a * b > 0 else -1 for a, b in X]
    model = MLP(2, [16, 16, 1])
    parameters = model.parameters()
    total = None  # kept until the next step, as in the loop of a script

    def step():
        nonlocal total
        scores = [model([Value(a), Value(b)]) for a, b in X]
        losses = [relu(1 + -yi * score) for yi, score in zip(y, scores, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        model.zero_grad()
        total.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
        return total.data

    return common.timed(step, options, unit="ms", chunk=1, warm=2)


def gpt(name, options):
    """A step of a transformer on one name."""
    return common.timed(GPT(values(name)[0]).step, options, unit="ms", chunk=1, warm=2)


def chain(name, options, n):
    """A chain of additions: build, backward, free. Nanoseconds for each node; for a million nodes also bytes."""
    if name == "xad":
        import xad.adj_1st as xad

        tape = xad.Tape()
        tape.activate()
    else:
        Value = values(name)[0]
    common.forget_peak()
    before = common.peak()
    times = []
    for _ in range(max(1, 20_000 // n)):
        start = time.perf_counter()
        if name == "xad":
            tape.clearAll()
            x = xad.Real(1.0)
            tape.registerInput(x)
            tape.newRecording()
        else:
            x = Value(1.0)
        y = x
        for _ in range(n):
            y = y + 1.0
        if name == "xad":
            tape.registerOutput(y)
            y.setDerivative(1.0)
            tape.computeAdjoints()
            grad = x.getDerivative()
        else:
            y.backward()
            grad = x.grad
        peak = common.peak()
        del y
        times.append((time.perf_counter() - start) / n * 1e9)
        assert grad == 1.0
    figures = {"ns a node": sorted(times)[len(times) // 2], "least": min(times)}
    return {**figures, "bytes a node": (peak - before) * 1024**2 / n} if n == 1_000_000 else figures


ENGINES = ["ours", "ours-unfused", "ours-python", "interpreter", "slots", "micrograd"]
ENGINES += ["torch", "mygrad", "hips", "xad", "jax", "casadi", "floats"]
ROWS = ["tiny", "moons", "gpt", "1,000 nodes", "10,000 nodes", "100,000 nodes", "1,000,000 nodes"]


def measure(name, row, options):
    if row.endswith("nodes"):
        return chain(name, options, int(row.split()[0].replace(",", "")))
    return {"tiny": tiny, "moons": moons, "gpt": gpt}[row](name, options)


if __name__ == "__main__":
    common.main("scalars", ENGINES, ROWS, measure)
