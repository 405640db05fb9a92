"""Programs written for micrograd run after changing the import line, to the same numbers.

`PROGRAM` is such a program. `LOSSES` is what micrograd 0.1.0 itself printed for it (CPython 3.11); where micrograd is
installed the program also runs on the original, side by side. micrograd is (c) Andrej Karpathy, MIT licence.
"""

import importlib.util
import random

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
    namespace = {}
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
