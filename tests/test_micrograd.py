# ruff: noqa: UP031 (programs format with % too)
"""Programs written for micrograd run after changing the import line, and give the same numbers.

`PROGRAM` is such a program. `LOSSES` are the losses that micrograd 0.1.0 printed for it (CPython 3.11). If micrograd is
installed, the program also runs on it. micrograd is (c) Andrej Karpathy, MIT licence.
"""

import importlib.util
import math
import random
import re
from typing import Any

import numpy as np
import pytest

PROGRAM = """
import random
import numpy as np
from {engine} import Value
from {nn} import Neuron, Layer, MLP

np.random.seed(1337)
random.seed(1337)

# two moons
t = np.random.rand(100) * np.pi
y = np.where(np.arange(100) % 2, 1, -1)
outer = np.stack([np.cos(t), np.sin(t)], axis=1)
inner = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], axis=1)
X = np.where(y[:, None] > 0, inner, outer) + 0.1 * np.random.randn(100, 2)

model = MLP(2, [16, 16, 1])  # 2-layer neural network
description = str(model)
count = len(model.parameters())

def loss(batch_size=None):
    if batch_size is None:
        Xb, yb = X, y
    else:
        ri = np.random.permutation(X.shape[0])[:batch_size]
        Xb, yb = X[ri], y[ri]
    inputs = [list(map(Value, xrow)) for xrow in Xb]
    scores = list(map(model, inputs))
    # svm "max-margin" loss
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(yb, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    # L2 regularization
    alpha = 1e-4
    reg_loss = alpha * sum((p * p for p in model.parameters()))
    total_loss = data_loss + reg_loss
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(yb, scores)]
    return total_loss, sum(accuracy) / len(accuracy)

history = []
for k in range({steps}):
    total_loss, acc = loss()
    model.zero_grad()
    total_loss.backward()
    learning_rate = 1.0 - 0.9 * k / 100
    for p in model.parameters():
        p.data -= learning_rate * p.grad
    history.append(total_loss.data)
gradients = [p.grad for p in model.parameters()]
"""

LOSSES = [
    0.9224488307480748, 1.760198975830832, 2.6435229866732115, 1.4662244931932844, 0.40022161384722466,
    0.33545409620572275, 0.30010949771796397, 0.27542867958830347, 0.2616605664293508, 0.2506427835956673,
    0.2427168995082991, 0.23464880508429398, 0.23022553287440325, 0.22551943981507447, 0.21438957620662988,
    0.21103170089901563, 0.20336570313862581, 0.19918828166909344, 0.19076332472528582, 0.1835073884759814,
    0.17732243904542855, 0.17200821597619473, 0.16699258820902801, 0.16435326308216805, 0.18066073928177695,
    0.21714242774154693, 0.15445130250450875, 0.14403113891711886, 0.13715690835475802, 0.13073281847317061,
]  # fmt: skip


def run(engine, nn, steps):
    state = random.getstate(), np.random.get_state()
    namespace: dict[str, Any] = {}
    try:
        exec(compile(PROGRAM.format(engine=engine, nn=nn, steps=steps), "<micrograd program>", "exec"), namespace)
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
    return namespace


def test_the_program_reaches_the_recorded_losses():
    ours = run("autograd", "nn", len(LOSSES))
    assert len(LOSSES) == len(ours["history"]) == 30
    assert ours["count"] == 337
    assert ours["description"].startswith("MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)")
    assert ours["description"].endswith("Layer of [LinearNeuron(16)]]")
    np.testing.assert_allclose(ours["history"], LOSSES, rtol=1e-9)


@pytest.mark.skipif(importlib.util.find_spec("micrograd") is None, reason="micrograd is not installed")
def test_the_program_on_micrograd_itself():
    theirs = run("micrograd.engine", "micrograd.nn", 5)
    ours = run("autograd", "nn", 5)
    np.testing.assert_allclose(ours["history"], theirs["history"], rtol=1e-9)
    np.testing.assert_allclose(ours["gradients"], theirs["gradients"], rtol=1e-9, atol=1e-12)
    assert ours["description"] == theirs["description"]


def test_names_that_programs_look_at():
    from autograd import Value
    from nn import MLP, Layer, Neuron

    a, b = Value(2.0), Value(3.0)
    c = a * b
    assert set(c._prev) == {a, b}
    assert a._prev == ()
    neuron = Neuron(2, nonlin=False)
    assert (len(neuron.parameters()), str(neuron)) == (3, "LinearNeuron(2)")
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert len(Layer(2, 3)([1.0, 2.0])) == 3
    model = MLP(3, [4, 4, 1])
    model([1.0, 2.0, 3.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


# ------------------------------------------- programs of our own, on an engine of micrograd's design and on this one


class Reference:
    """A node of micrograd's design: a set of operands, a sign, and a closure that propagates the gradient."""

    def __init__(self, data, _children=(), _op="", label=""):
        self.data, self.grad, self.label = data, 0, label
        self._prev, self._op, self._backward = set(_children), _op, lambda: None

    def _result(self, data, other, sign, slopes):
        operands = (self,) if other is None else (self, other)
        out = type(self)(data, operands, sign)

        def _backward():
            for x, slope in zip(operands, slopes, strict=True):
                x.grad += slope * out.grad

        out._backward = _backward
        return out

    def __add__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return self._result(self.data + other.data, other, "+", (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return self._result(self.data * other.data, other, "*", (other.data, self.data))

    def __pow__(self, n):
        return self._result(self.data**n, None, f"**{n}", (n * self.data ** (n - 1),))

    def relu(self):
        return self._result(max(self.data, 0), None, "ReLU", (float(self.data > 0),))

    __radd__, __rmul__ = __add__, __mul__
    __neg__ = lambda self: self * -1  # noqa: E731
    __sub__ = lambda self, other: self + (-other)  # noqa: E731
    __rsub__ = lambda self, other: other + (-self)  # noqa: E731
    __truediv__ = lambda self, other: self * other**-1  # noqa: E731
    __rtruediv__ = lambda self, other: other * self**-1  # noqa: E731

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for child in v._prev:
                    visit(child)
                order.append(v)

        visit(self)
        self.grad = 1
        for v in reversed(order):
            v._backward()


STEP_BY_STEP = """
# a neuron, its operation added to the class, its gradients node by node, then all at once
def squash(self):
    t = math.tanh(self.data)
    out = Value(t, (self,), 'squash')
    def _backward():
        self.grad += (1 - t**2) * out.grad
    out._backward = _backward
    return out
Value.squash = squash

x1, w1 = Value(2.0, label='x1'), Value(-3.0, label='w1')
x2, w2 = Value(0.5, label='x2'), Value(1.0, label='w2')
b = Value(6.9, (), '', 'b')
a1 = x1 * w1; a1.label = 'x1 w1'
a2 = x2 * w2; a2.label = 'x2 w2'
s = a1 + a2; s.label = 's'
n = s + b; n.label = 'n'
o = n.squash(); o.label = 'o'
o.grad = 1.0
for node in (o, n, b, s, a2, a1):
    node._backward()
by_hand = [v.grad for v in (x1, w1, x2, w2, b, a1, n)]
for v in (x1, w1, x2, w2, b, s, n, a1, a2):
    v.grad = 0.0
o.backward()
found = by_hand + [v.grad for v in (x1, w1, x2, w2, b, a1, n)] + [o.data]
signs = [v._op for v in (o, n, s, a1, x1)]
"""

ADAM = """
# an optimiser that keeps its moments on the parameters, a network of its own, a softmax from powers
rng = random.Random(7)
class Net:
    def __init__(self):
        self.w = [[Value(rng.uniform(-1, 1)) for _ in range(3)] for _ in range(4)]
        self.v = [[Value(rng.uniform(-1, 1)) for _ in range(4)] for _ in range(2)]
        for p in self.parameters():
            p.m, p.v, p.color = 0, 0.0, 'lightgreen'
    def parameters(self):
        return [p for row in self.w + self.v for p in row]
    def __call__(self, x):
        h = [sum((wi * xi for wi, xi in zip(row, x)), row[-1]).relu() for row in self.w]
        return [sum(vi * hi for vi, hi in zip(row, h)) for row in self.v]
net, found = Net(), []
data = [((rng.gauss(0, 1), rng.gauss(0, 1)), k % 2) for k in range(6)]
for t in range(1, 8):
    loss = Value(0)
    for x, y in data:
        up = [2.718281828459045 ** z.data * (1 + (z - z.data)) for z in net(x)]
        loss = loss + (1 - up[y] / sum(up)) ** 2
    loss = loss * (1.0 / len(data)) + 1e-3 * sum(p * p for p in net.parameters())
    for p in net.parameters():
        p.grad = 0
    loss.backward()
    for p in net.parameters():
        p.m = 0.9 * p.m + 0.1 * p.grad
        p.v = 0.95 * p.v + 0.05 * p.grad**2
        p.data -= 0.1 * (p.m / (1 - 0.9**t)) / ((p.v / (1 - 0.95**t)) ** 0.5 + 1e-8)
    found.append(loss.data)
found += [p.data for p in net.parameters()]
signs = [loss._op, net.w[0][0]._op, net.w[0][0].color]
"""

EXTENDED = """
# a class of their own on top, with operators that stay in it, and a sweep of its own
class Weight(Value):
    def __init__(self, data, _children=(), _op='', decay=0.0):
        super().__init__(data, _children, _op)
        self.decay = decay
    def cube(self):
        out = Weight(self.data**3, (self,), 'cube')
        def _backward():
            self.grad += 3 * self.data**2 * out.grad
        out._backward = _backward
        return out
    def __sub__(self, other):
        other = other if isinstance(other, Value) else Weight(other)
        out = Weight(self.data - other.data, (self, other), '-')
        def _backward():
            self.grad += out.grad
            other.grad -= out.grad
        out._backward = _backward
        return out
w, u = Weight(1.5, decay=0.25), Weight(-0.5)
found = []
for k in range(5):
    loss = (w.cube() - u).cube() * 0.1 + (u * w - 1)**2
    loss.backward()
    clip = max(1.0, abs(w.grad))
    for p in (w, u):
        p.data += -0.05 * (p.grad / clip + p.decay * p.data)
        found += [p.grad, p.data]
        p.grad = 0.0
    found.append(loss.data)
signs = [w.cube()._op, (w - u)._op, type(w - u).__name__]
"""


@pytest.mark.parametrize("program", [STEP_BY_STEP, ADAM, EXTENDED], ids=["step by step", "adam", "extended"])
def test_programs_that_work_on_the_nodes(program, monkeypatch):
    from autograd import Value

    results = []
    for kind in (Reference, Value):
        monkeypatch.setattr(kind, "squash", None, raising=False)  # removed after the test, with the program's methods
        namespace: dict[str, Any] = {"Value": kind, "math": math, "random": random}
        exec(compile(program, "<program>", "exec"), namespace)
        results.append((namespace["found"], namespace["signs"]))
    (theirs, signs), (ours, own) = results
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert own == signs
    assert any(theirs)


class Digraph:
    """The part of graphviz that drawing code uses. A colon in a name would mean a port."""

    def __init__(self):
        self.nodes, self.edges = {}, set()

    def node(self, name, label="", shape="oval"):
        assert ":" not in name
        self.nodes[name] = (label, shape)

    def edge(self, tail, head):
        self.edges.add((tail, head))


def draw_dot(root):
    """The drawing code of micrograd: records with data and gradient, and an oval for each operation."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    dot = Digraph()
    for n in nodes:
        uid = str(id(n))
        dot.node(name=uid, label="{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad), shape="record")
        if n._op:
            dot.node(name=uid + n._op, label=n._op)
            dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot


def test_drawing_code_draws_our_graphs():
    from autograd import Value
    from nn import MLP

    model = MLP(2, [3, 1])
    x = [Value(1.0, "x1"), Value(-2.0, "x2")]
    own = Value(0.5, (x[0],), "half")
    own._backward = lambda: None
    loss = (model(x) * 2 + 1 - own).relu() ** 2
    loss.backward()
    dot = draw_dot(loss)
    drawn = {name for edge in dot.edges for name in edge}
    assert drawn <= dot.nodes.keys()
    labels = [label for label, shape in dot.nodes.values() if shape == "oval"]
    assert {"**2", "ReLU", "half", "-", "+", "*"} <= set(labels)
    assert all(str(id(p)) in drawn for p in model.parameters())
    assert sum(bool(re.search(r"x1 \| data 1\.0000 \| grad ", label)) for label, _ in dot.nodes.values()) == 1
