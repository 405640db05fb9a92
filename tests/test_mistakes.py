# ruff: noqa: E501
"""Frequent mistakes of new users. The messages say what was given, what was expected and what to write instead.

Calls that can be understood work: see `test_names.py`.
"""

import math
from functools import partial

import numpy as np
import pytest

import autograd
import nn
import nn.data
from autograd import Tensor, Value


class Nothing(nn.Module):
    """Neither __call__ nor forward."""


class Broken(nn.Module):
    """A property with an error of its own."""

    @property
    def size(self):
        return self.sise  # type: ignore[attr-defined]


def world():
    """The names that the calls of the table use."""
    m = nn.dense(2, 3, 1, rng=0)
    return {
        "autograd": autograd, "math": math, "nn": nn, "np": np, "Tensor": Tensor, "Value": Value, "m": m,
        "mlp": nn.MLP(2, [3, 1]), "optimizer": nn.SGD(m, lr=0.1), "fit": partial(nn.fit, epochs=1, progress=False),
        "t": Tensor([1.0, 2.0]), "v": Value(1.0), "X": np.zeros((4, 2), np.float32), "Y": np.array([0, 1, 1, 0]),
        "logits": Tensor(np.zeros((2, 2))), "Nothing": Nothing, "Broken": Broken,
    }  # fmt: skip


TEXT = (
    "text ('{}'): np.array(x, dtype=float) reads numbers from text; "
    "names, x = np.unique(x, return_inverse=True) gives each name a number"
)
CALL = "nn.fit(model, (x, y), loss, optimizer, epochs=...)"
PLAIN = "does not turn into plain numbers by itself: the graph would end there without a word. Use tensor.data for its array, "
FLOAT = (
    "a {} does not turn into a float by itself: the graph would end there without a word. Use autograd.exp(x) or x.exp() "
    "instead of math.exp(x), x.data for what it holds, x.item() for its number"
)
ACTIVATIONS = (
    "There are relu, sigmoid, tanh, gelu, silu, softplus, leaky_relu, elu, softmax and the other operations of one "
    "number, such as sin; or pass a function"
)
LOSSES = (
    "There are squared_error, absolute_error, huber, hinge, binary_cross_entropy, multiclass_hinge, cross_entropy, "
    "kl_divergence; or pass a function"
)

MISTAKES = [
    # numbers
    ('Value("1")', TypeError, "a Value holds one real number, not str '1': float(x) reads one"),
    ("Value([1, 2])", TypeError,
     "a Value holds one real number, not list [1, 2]: use a Tensor, or one Value an element"),
    ("Value(None)", TypeError, "a Value holds one real number, not NoneType None"),
    ("Value(1 + 2j)", TypeError, "a Value holds one real number, not complex (1+2j): take its .real"),
    ("Value(v)", TypeError, "a Value holds one real number, not Value Value(data=1.0, grad=0.0): take its .data"),
    ("v.data = 'a'", TypeError, "a Value holds one real number, not str 'a': float(x) reads one"),
    ("math.exp(v)", TypeError, FLOAT.format("Value")),
    # arrays
    ('Tensor("abc")', TypeError, f"a Tensor takes plain numbers, not {TEXT.format('abc')}"),
    ("Tensor('1.5', dtype=float)", TypeError, f"a Tensor takes plain numbers, not {TEXT.format('1.5')}"),
    ("Tensor(1 + 2j, dtype=float)", TypeError,
     "a Tensor takes plain numbers, not complex ones of shape () (np.complex128(1+2j)): x.real or np.abs(x) are real"),
    ("Tensor([1, 2])", TypeError,
     "a Tensor holds float32 or float64, not int64 of shape (2,); write 1.0 for 1, or pass dtype=np.float64"),
    ("Tensor([1.0, None])", TypeError,
     "a Tensor takes plain numbers, not objects, such as NoneType None at [1]: leave it out or make it a number"),
    ("Tensor([v, v])", TypeError,
     "a Tensor takes plain numbers, not objects, such as the Value at [0]: take the numbers, .data of each"),
    ("Tensor([[1.0], [1.0, 2.0]])", ValueError,
     "a Tensor takes items of one shape, but item 0 has (1,) and item 1 has (2,): pad or cut them, or give them one by "
     "one"),
    ("Tensor(x for x in [1.0])", TypeError, "a Tensor takes plain numbers, not a generator: give list(x)"),
    ("float(t)", TypeError, FLOAT.format("Tensor")),
    ("np.asarray(t)", TypeError, f"a Tensor {PLAIN}numpy.stack([x, y]) for an array of several"),
    ("if t: pass", ValueError,
     "the truth of a Tensor of shape (2,) is ambiguous: ask .any() or .all(), and choose element by element with "
     "numpy.where"),
    ("t.item()", ValueError,
     "item() of a Tensor of shape (2,): it is not one number. Reduce it, .sum() or .mean(), give an index, or take "
     ".tolist()"),
    ("t[0] = 1.0", TypeError,
     "a Tensor is not changed element by element: the graph could not follow. Build the new one (where, concatenate), "
     "or write to a leaf's numbers: tensor.data[index] = ..."),
    ("t.data = [1.0]", ValueError, "a Tensor of shape (2,) cannot take data of shape (1,)"),
    ("t.data = [1j, 2j]", TypeError,
     "a Tensor's data takes plain numbers, not complex ones of shape (2,) (np.complex128(1j)): x.real or np.abs(x) are "
     "real"),
    ("(t * 2.0).data = [1.0, 2.0]", TypeError,
     "this Tensor was computed by mul; only a leaf's data can be assigned"),
    ("(t * 2.0).backward()", ValueError,
     "backward from shape (2,): reduce it to one number first (.sum(), .mean()), or pass the cotangent, backward(seed)"),
    ("t + v", TypeError,
     "add of a Tensor and a Value: use one kind in an expression (Tensor(value.data) makes a Tensor; a transformation of "
     "a function of arrays takes np.array(2.0) for 2.0)"),
    ("t + None", TypeError, "add of a Tensor takes plain numbers, not NoneType None"),
    ("autograd.exp('a')", TypeError, f"exp takes plain numbers, not {TEXT.format('a')}"),
    ("t.numpy()", AttributeError, "'Tensor' object has no attribute 'numpy': tensor.data is its array"),
    ("t.view(-1)", AttributeError, "'Tensor' object has no attribute 'view': write tensor.reshape(...)"),
    ("t.summ()", AttributeError, "'Tensor' object has no attribute 'summ'"),
    ("autograd.grad(v * v)", TypeError,
     "grad takes a function, not the Value Value(data=1.0, grad=0.0): its backward() gives gradients, too"),
    ("autograd.vectorize(3.0, 2)", TypeError,
     "vectorize takes a function, not the float 3.0: such as lambda x: x * x"),
    # modules
    ("Nothing()(1.0)", NotImplementedError, "Nothing does not define __call__: add def __call__(self, x)"),
    ("Broken().size", AttributeError, "'Broken' object has no attribute 'sise'"),
    ("m.forward(X)", AttributeError, "'Sequential' object has no attribute 'forward': call it: model(x)"),
    ("m.fit(X, Y)", AttributeError, f"'Sequential' object has no attribute 'fit': write {CALL}"),
    ("m.predict(X)", AttributeError, "'Sequential' object has no attribute 'predict': write nn.predict(model, x)"),
    ("nn.Linear(2, 3)(np.zeros((4, 5)))", ValueError,
     "Linear(2, 3) takes inputs (..., 2), and was given an input of shape (4, 5)"),
    ("nn.Linear(2, 3)(np.zeros((2, 50)))", ValueError,
     "Linear(2, 3) takes inputs (..., 2), and was given an input of shape (2, 50); is it transposed? Rows are samples"),
    ("nn.Linear(784, 9)(np.zeros((5, 28, 28)))", ValueError,
     "Linear(784, 9) takes inputs (..., 784), and was given an input of shape (5, 28, 28); put nn.Flatten() before it"),
    ("nn.Linear(2.5, 1)", TypeError, "the number of inputs is a whole number, not float 2.5"),
    ("nn.Linear(0, 1)", ValueError, "the number of inputs is 1 or more, not 0"),
    ("nn.Linear(2, 3, 'relu')", TypeError,
     "bias is True or False, not 'relu'; an activation is a layer of its own, nn.ReLU()"),
    ("nn.Linear(2, 3, weight_init='he_norml')", ValueError,
     "no initialiser is called 'he_norml': did you mean 'he_normal'? There are zeros, xavier_uniform, xavier_normal, "
     "he_uniform, he_normal; or pass nn.init.uniform(low, high), nn.init.normal(std) or a function"),
    ("nn.Linear(2, 3, weight_init=0.1)", TypeError,
     "an initialiser is a name or a function (shape, rng) -> array, not 0.1"),
    ("nn.Linear(2, 3, weight_init=lambda shape, rng: np.zeros(3))", ValueError,
     "weight_init made an array of shape (3,), for weights of shape (2, 3)"),
    ("nn.dense(2, 8, 1, activation='rellu')", ValueError,
     f"no activation is called 'rellu': did you mean 'relu'? {ACTIVATIONS}"),
    ("nn.dense(2, 1, activation='rellu')", ValueError,
     f"no activation is called 'rellu': did you mean 'relu'? {ACTIVATIONS}"),
    ("nn.MLP(2, [8, 1], activation='item')", ValueError,
     f"no activation is called 'item'. {ACTIVATIONS}"),
    ("nn.dense(2, 8, 1, activation=3)", TypeError,
     'an activation is a name such as "relu", a layer such as nn.ReLU, or a function, not 3'),
    ("nn.dense(2, 8, 'relu')", TypeError,
     "the number of units of a layer is a whole number, not str 'relu'; the activation goes by name: activation='relu'"),
    ("nn.dense(2)", ValueError, "a network has at least an input and an output size, got (2,)"),
    ("nn.MLP(2, 8, 1)", TypeError, "the sizes of the layers come in a list: MLP(2, [8, 1])"),
    ("nn.MLP(2)", ValueError, "an MLP has at least one layer after its inputs: MLP(2, [8, 1])"),
    ("nn.Layer(2, 3, 'tanh')", TypeError,
     "nonlin is True or False, not 'tanh'; an activation goes by name: activation='tanh'"),
    ("mlp([1.0, 2.0, 3.0])", ValueError, "a neuron of 2 inputs was given 3"),
    ("mlp(X[None])", ValueError,
     "a network of Values takes a sample (nin,) or a batch (n, nin), not an array of shape (1, 4, 2)"),
    ("nn.Sequential(nn.Linear, nn.ReLU)", TypeError,
     "layer 0 of a Sequential is the class Linear: make one, Linear(...)"),
    ("nn.Sequential(nn.Linear(2, 3), None)", TypeError, "layer 1 of a Sequential cannot be called: NoneType None"),
    ("nn.Dropout('0.5')", ValueError, "the probability of dropping must be in [0, 1), got '0.5'"),
    # losses
    ("nn.cross_entropy(logits, [0, 2])", IndexError,
     "cross_entropy: label 2 in row 1 is none of the 2 classes (0 to 1)"),
    ("nn.cross_entropy(logits, np.eye(2))", ValueError,
     "cross_entropy takes logits (n, classes) and labels (n,), got shapes (2, 2) and (2, 2): turn one-hot rows into "
     "integers: labels.argmax(1)"),
    ("nn.cross_entropy(np.array([0, 1]), np.zeros((2, 2)))", ValueError,
     "cross_entropy takes logits (n, classes) and labels (n,), got shapes (2,) and (2, 2): the logits come first, then "
     "the labels"),
    ("nn.cross_entropy(t, [0, 1])", ValueError,
     "cross_entropy takes logits (n, classes) and labels (n,), got shapes (2,) and (2,): for a single sample add an axis "
     "to both, as logits[None] or [logits]"),
    ("nn.cross_entropy(logits, [0.0, 1.0])", TypeError,
     "cross_entropy takes labels of an integer dtype, got float64; if they hold whole numbers, convert them: "
     "labels.astype(int)"),
    ("nn.cross_entropy(logits, ['a', 'b'])", TypeError,
     "cross_entropy takes labels of an integer dtype, got <U1; if they hold whole numbers, convert them: "
     "labels.astype(int); names, labels = np.unique(labels, return_inverse=True) gives each name a number"),
    ("nn.cross_entropy(logits[:, :1], [0, 1])", IndexError,
     "cross_entropy: label 1 in row 1 is none of the 1 classes (0 to 0); for one output a row use "
     "binary_cross_entropy"),
    ("nn.squared_error(t, t)", TypeError,
     "squared_error takes plain numbers, not a Tensor: take its numbers, tensor.data"),
    ("nn.squared_error(logits[:, :1], [0.0, 1.0])", ValueError,
     "squared_error of a prediction of shape (2, 1) and a target of shape (2,): drop the last axis: "
     "prediction.reshape(-1), or prediction[:, 0]"),
    ("nn.hinge(t, [0, 1])", ValueError,
     "hinge takes labels -1 and 1, got 0 in row 0; convert labels 0 and 1: 2 * labels - 1"),
    ("nn.huber(t, [0.0, 1.0], reduction='avg')", ValueError, "reduction is \"mean\", \"sum\" or \"none\", got 'avg'"),
    # optimisers
    ("nn.SGD(m, lr='0.1')", TypeError, "lr is a number, not str '0.1': write lr=0.1"),
    ("nn.SGD(m, lr='fast')", TypeError, "lr is a number, not str 'fast'"),
    ("nn.Adam(m, lr=None)", TypeError, "lr is a number, not NoneType None"),
    ("nn.Adam(m, betas=0.9)", TypeError, "betas is a pair of numbers such as (0.9, 0.999), not 0.9"),
    ("nn.SGD(0.1, m)", TypeError,
     "parameters come first, as model.parameters() or a list of Values and Tensors, not float 0.1"),
    ("nn.SGD(nn.Linear, lr=0.1)", TypeError,
     "the class Linear has no parameters: make a model of it first"),
    ("nn.SGD([('w', v)], lr=0.1)", TypeError,
     "parameter 0 is a tuple, ('w', Value(data=1.0, grad=0.0)): only Values and Tensors are parameters; write "
     "model.parameters()"),
    ("nn.clip_grad_norm(m, '1')", ValueError, "max_norm must be 0 or more, got '1'"),
    # data
    ("nn.data.Batches(X, batch_size='32')", TypeError, "batch_size is a whole number, not str '32'"),
    ("nn.data.Batches({'x': X})", TypeError,
     "Batches takes numbers or text, not a dict: choose one, or put them side by side, "
     "np.column_stack(list(x.values()))"),
    # training
    ("fit(m, X, Y, 'mse', 'adam')", TypeError,
     f"fit takes x and y as one pair, and arguments after the optimizer by name: {CALL}"),
    ("fit(m, X, Y, 'mse')", TypeError,
     f"the loss is a function or a name, not data (ndarray); x and y go together: {CALL}"),
    ("fit(m, X, 'mse', 'adam')", TypeError, f"fit takes inputs and targets together, not ndarray alone: {CALL}"),
    ("fit(m, None, 'mse', 'adam')", TypeError,
     "fit takes data, (x, y) or nn.data.Batches(x, y), not NoneType None"),
    ("fit(nn.MLP, (X, Y), 'mse', optimizer)", TypeError,
     f"the model is a Module or a function, not <class 'nn.neuron.MLP'>; {CALL}"),
    ("fit(m, (X, Y[:2]), 'mse', 'adam')", ValueError,
     "x and y have a row for each sample, but x has the shape (4, 2) and y (2,)"),
    ("fit(m, [(X, Y, Y)], 'mse', 'adam')", ValueError, "a batch is a pair (x, y), but batch 1 is a tuple of 3"),
    ("fit(m, (X, Y), 'squared', 'adam')", ValueError,
     f"no loss is called 'squared': did you mean 'squared_error'? {LOSSES}"),
    ("fit(m, (X, Y), optimizer, 'mse')", TypeError,
     f"the loss comes before the optimizer: {CALL}"),
    ("fit(m, (X, Y), 3, 'adam')", TypeError,
     'the loss is a function such as nn.cross_entropy, or a name such as "mse", not 3'),
    ("fit(m, (X, Y), 'mse', 'adm')", ValueError,
     "no optimizer is called 'adm': did you mean 'adam'? There are sgd, adagrad, rmsprop, adam, adamw; or make one"),
    ("fit(m, (X, Y), 'mse', 'sgd')", TypeError, "SGD needs a learning rate: pass lr=0.1, say, to fit"),
    ("fit(m, (X, Y), 'mse', 0.1)", TypeError,
     'the optimizer is one such as nn.Adam(model.parameters()), or a name such as "adam", not float 0.1'),
    ("fit(m, (X, Y), 'mse', optimizer, lr=0.1)", TypeError,
     "the optimizer has its learning rate already: nn.SGD(..., lr=0.1)"),
    ("fit(nn.dense(2, 1), (X, Y), 'mse', optimizer)", ValueError,
     "the loss does not depend on any of the optimizer's parameters: was it made for another model? Make it for this "
     "model, nn.SGD(model.parameters(), lr=...)"),
    ("fit(nn.dense(2, 2), (X, ['a', 'b', 'a', 'b']), 'cross_entropy', 'adam')", TypeError,
     f"fit (y) takes plain numbers, not {TEXT.format('a')}"),
    ("fit(m, (X, Y), 'cross_entropy', 'adam')", ValueError,
     "cross_entropy takes logits (n, classes) and labels (n,), got shapes (4, 1) and (4, 1): one output a row is the "
     "score of two classes: use binary_cross_entropy, or an output for each class"),
    ("fit(nn.Sequential(nn.Linear(2, 2), 'softmax'), (X, Y), 'cross_entropy', 'adam')", ValueError,
     "cross_entropy takes logits, and makes the probabilities itself: leave out the model's last layer, Softmax()"),
    ("nn.fit(m, (X, Y), 'mse', 'adam', epochs='3')", TypeError, "epochs is a whole number, not str '3'"),
    ("fit(m, [(X, Y)], 'mse', 'adam', batch_size=2)", TypeError,
     "batch_size is for a pair of arrays (x, y); batches have theirs already"),
    ("fit(m, (X, Y), 'mse', 'adam', validate=3)", TypeError,
     "validate is a function of the model or a pair of arrays (x, y), not 3"),
    ("nn.predict(3, m)", TypeError, "predict takes the model first, then x; got 3 as the model"),
    ("nn.predict(m, 3.0)", ValueError, "predict takes samples (n, ...), for a single one [x], not array(3.)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES, ids=[call for call, _, _ in MISTAKES])
def test_a_mistake_is_told(call, error, message):
    with pytest.raises(error) as caught:
        exec(call, world())
    assert str(caught.value) == message


@pytest.mark.parametrize("call", [call for call, _, _ in MISTAKES])
def test_a_refused_call_changes_nothing(call):
    """A refused call leaves the model and the numbers as they were."""
    names = world()
    before = [p.data.copy() for p in names["m"].parameters()]
    with pytest.raises(Exception):  # noqa: B017
        exec(call, names)
    after = [p.data for p in names["m"].parameters()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert names["t"].data.tolist() == [1.0, 2.0]
    assert names["v"].data == 1.0
