# ruff: noqa: UP031 (programs format with % too)
"""Operations written by hand on a node, and other things that programs written for micrograd do with nodes."""

import copy
import gc
import math
import pickle
import re
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Tensor, Value, explain, grad, hessian, hvp, jvp, no_grad, ops, value_and_grad, vectorize, vjp
from autograd.ops.rows import Elementwise

# --------------------------------------------------------------------- graphs with any mixture of ways to write a node

UNARY = ["neg", "tanh", "sigmoid", "sin", "exp", "relu", "square"]
BINARY = ["add", "sub", "mul", "maximum", "hypot"]
MANY = ["sum", "mean", "max", "logsumexp"]
WAYS = ["row", "step", "factors", "replaced"]
instructions = st.lists(
    st.tuples(st.sampled_from(UNARY + BINARY + MANY), st.sampled_from(WAYS), st.integers(1, 5), st.integers(1, 5)),
    min_size=1,
    max_size=10,
)
numbers = st.lists(st.integers(-6, 6).map(lambda n: n / 4 + 0.0625), min_size=1, max_size=3)


def written(row, way, operands):
    """The row on these Values, called as usual or written by hand as in a program for micrograd."""
    if way in ("row", "replaced") or not isinstance(row, Elementwise):
        out = row(*operands) if isinstance(row, Elementwise) else row(list(operands))
        if way == "replaced":
            step = out._backward
            out._backward = lambda: step()
        return out
    xs = [x.data for x in operands]
    data = row(*xs)
    slopes = [float(d(data, *xs)) for d in row.partials if d]
    if way == "factors":  # as in microgpt
        return Value(data, operands, tuple(slopes))
    out = Value(data, operands, row.name)

    def _backward():
        for x, slope in zip(operands, slopes, strict=True):
            x.grad += slope * out.grad

    out._backward = _backward
    return out


def build(program, leaves, ways=True):
    nodes = list(leaves)
    for name, way, i, j in program:
        x, y = nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]
        operands = (x,) if name in UNARY else (x, y) if name in BINARY else (x, y, x)
        out = written(getattr(ops, name), way if ways else "row", operands)
        if abs(out.data) < 1e3:
            nodes.append(out)
    return autograd.sum(nodes[len(leaves) :] or nodes[:1])


def backward_of_their_own(root):
    """As micrograd writes it, and as its lecture does."""
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(root)
    root.grad = 1.0
    for v in reversed(topo):
        v._backward()


@settings(max_examples=60)
@given(program=instructions, data=numbers, start=st.sampled_from([0.0, 0, None]))
def test_every_way_to_write_a_node_gives_the_same_gradients(program, data, start):
    plain = [Value(x) for x in data]
    build(program, plain, ways=False).backward()
    expected = [x.grad for x in plain]

    leaves = [Value(x) for x in data]
    for x in leaves:
        x.grad = start  # None and 0 mean that there is no gradient yet
    loss = build(program, leaves)
    loss.backward()
    got = [x.grad or 0.0 for x in leaves]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)

    # the program's own sweep, node after node
    own = [Value(x) for x in data]
    root = build(program, own)
    if start is not None:  # their `+=` needs a number
        for x in own:
            x.grad = start
    backward_of_their_own(root)
    np.testing.assert_allclose([x.grad for x in own], expected, rtol=1e-9, atol=1e-12)

    got = grad(lambda xs: build(program, xs))(data)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=8)
@given(program=instructions, data=numbers)
def test_derivations_and_trees_look_at_each_local_derivative(program, data):
    leaves = [Value(x, f"x{i}") for i, x in enumerate(data)]
    loss = build(program, leaves)
    loss.backward()
    before = [x.grad for x in leaves]
    assert math.isclose(explain(loss, leaves[0]).gradient, before[0], rel_tol=1e-9, abs_tol=1e-12)
    assert "value" in loss.tree()
    assert [x.grad for x in leaves] == before


# ---------------------------------------------------------------------------------------------- in every mode


def cube(x):
    """The lecture's way to add an operation."""
    out = Value(x.data**3, (x,), "cube")

    def _backward():
        x.grad += 3 * x.data**2 * out.grad

    out._backward = _backward
    return out


def test_reverse_mode_gives_numbers():
    assert grad(cube)(2.0) == 12.0
    assert value_and_grad(lambda x: cube(x) * x)(2.0) == (16.0, 32.0)
    assert vjp(cube, 2.0)[1](10.0) == (120.0,)
    assert grad(cube, create_graph=False)(Value(2.0)) == 12.0
    np.testing.assert_allclose(autograd.jacobian(lambda xs: [cube(xs[0]), cube(xs[1])], mode="reverse")([1.0, 2.0]),
                               [[3.0, 0.0], [0.0, 12.0]])  # fmt: skip


W = Value(3.0, "w")


def exchanged(x):
    """One of our operations with a backward step from the program."""
    out = x[0] * W
    out._backward = lambda: None
    return out


REFUSED = {
    "second order": lambda: grad(grad(cube))(2.0),
    "create_graph": lambda: grad(cube, create_graph=True)(2.0),
    "of a variable": lambda: grad(cube)(Value(2.0)),
    "forward": lambda: jvp(cube, (2.0,), (1.0,)),
    "hessian": lambda: hessian(lambda x: cube(x) * x)(2.0),
    "hvp": lambda: hvp(cube, 2.0, 1.0),
    "forward, exchanged": lambda: grad(lambda x: grad(lambda y: exchanged([y]))(x))(2.0),
    "a Tensor": lambda: Value(1.0, (Tensor(1.0),), "op"),
    "a number": lambda: Value(1.0, (2.0,), "op"),
    "vectorize, made inside": lambda: vectorize(lambda x: x[0] * cube(W), 1),
    "vectorize, of an input": lambda: vectorize(lambda x: cube(x[0]), 1),
    "vectorize, factors": lambda: vectorize(lambda x: x[0] * Value(1.0, (W,), (2.0,)), 1),
    "vectorize, exchanged": lambda: vectorize(exchanged, 1),
}


@pytest.mark.parametrize("mode", REFUSED)
def test_what_needs_a_formula_is_refused_by_name(mode):
    with pytest.raises(TypeError, match="custom_op") as refused:
        f = REFUSED[mode]()
        f([[1.0]])  # the function is traced when it is called
    assert any(word in str(refused.value) for word in ("by hand", "cube", "mul", "operation of your own"))


def test_vectorize_refuses_what_was_made_before():
    made = cube(W)
    with pytest.raises(TypeError, match=r"written by hand \(cube\).*custom_op"):
        vectorize(lambda x: x[0] * made, 1)([[1.0]])


def test_without_recording_it_is_a_constant():
    x = Value(2.0)
    with no_grad():
        y = cube(x)
        z = Value(1.0)
        z._backward = lambda: setattr(x, "grad", 5.0)
    assert y.is_leaf
    assert y.data == 8.0
    (y * z * x).backward()
    assert x.grad == 8.0


def test_anomaly_mode_names_it():
    x = Value(2.0)
    with autograd.anomaly():
        cube(x).backward()
        assert x.grad == 12.0
        with pytest.raises(autograd.AnomalyError, match="overflow made an infinity"):
            Value(math.inf, (x,), "overflow")

        y = Value(1.0, (x,), "bad")
        y._backward = lambda: setattr(x, "grad", math.nan)
        with pytest.raises(autograd.AnomalyError, match=f"bad made a nan.*bad was built at {re.escape(__file__)}"):
            y.backward()


def test_second_backward_starts_again_and_labels_stay():
    x = Value(2.0, "x")
    y = cube(x)
    y.label = "y"
    step = y._backward
    y._backward = lambda: step()
    assert (y.label, y._op, repr(y)) == ("y", "cube", "Value(data=8.0, grad=0.0, label='y')")
    loss = y * y
    for n in (1, 2):
        loss.backward()
        assert (y.grad, x.grad) == (16.0, n * 192.0)
    assert Value(8.0, (x,), "cube", "named").label == Value(8.0, (x,), (12.0,), "named").label == "named"


def test_an_operation_without_a_backward_step_says_so():
    x = Value(2.0, "x")
    y = Value(8.0, [x], "cube") + x
    assert y.tree(ascii=True).count("cube") == 1  # it can be displayed
    explain(y, x)
    with pytest.raises(TypeError, match=r"'cube' of 1 operands.*no _backward.*lambda: None"):
        y.backward()


def test_a_step_that_does_nothing_cuts_and_a_leaf_stays_a_leaf():
    x = Value(2.0)
    y = x * x
    y._backward = lambda: None
    (y * x).backward()
    assert x.grad == 4.0

    w = Value(1.0)
    w._backward = lambda: None  # as the constructors of subclasses do
    for n in (1, 2):
        (w * 3.0).backward()
        assert w.grad == 3.0 * n
    assert w.is_leaf


def test_without_operands():
    x, reached = Value(2.0), []
    out = Value(6.0)
    out._backward = lambda: reached.append(out.grad)
    (out * x).backward()
    assert (reached, out._prev, out.is_leaf, x.grad) == ([2.0], (), False, 6.0)
    assert Value(1.0, (), "input")._op == "input"
    assert Value(1.0, (), "input").is_leaf


def test_operands_may_be_set_afterwards():
    x = Value(3.0, "x")
    out = Value(9.0)
    out._prev, out._op = {x}, "square"

    def _backward():
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    (out * 2).backward()
    assert (x.grad, out._op, out._prev) == (12.0, "square", (x,))
    with pytest.raises(TypeError, match="computed by mul"):
        (x * x)._prev = {x}


def test_an_operand_that_is_used_twice():
    x = Value(3.0, "x")
    y = Value(9.0, (x, x), (3.0, 3.0))  # microgpt's x * x
    y.backward()
    assert (x.grad, explain(y, x).gradient) == (6.0, 6.0)
    z = Value(9.0, (x, x), "square")
    assert z._prev == (x,)


def test_they_are_freed_by_the_collector():
    x = Value(2.0)
    alive = weakref.ref(cube(x))
    gc.collect()
    assert alive() is None
    plain = Value(8.0, (x,), (12.0,))
    alive = weakref.ref(plain)
    del plain  # its backward step does not refer to it
    assert alive() is None


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ((1.0, 5), "second argument.*label.*operands.*int 5"),
        ((1.0, Value(2.0)), "second argument.*tuple.*of Values.*Value"),
        ((1.0, (Value(2.0),), 3), "third argument.*sign.*int 3"),
        ((1.0, (Value(2.0),), (1.0, 2.0)), "derivative for each of the 1 operands"),
        ((1.0, "a", "", "b"), "one label"),
        ((1.0, (), "", 7), "a label is text"),
        ((1.0, [1.0, 2.0], "+"), "Values as operands, not float 1.0"),
    ],
)
def test_arguments_of_another_kind_are_refused_by_name(args, named):
    with pytest.raises(TypeError, match=named):
        Value(*args)


@pytest.mark.parametrize("step", [None, 0, "f"])
def test_a_step_is_a_function(step):
    with pytest.raises(TypeError, match="_backward is a function"):
        Value(1.0)._backward = step


# ------------------------------------------------------------------------------------------- subclasses and classes


class Extended(Value):
    """A subclass as programs write it: it calls micrograd's constructor and adds operations."""

    def __init__(self, data, _children=(), _op="", unit="m"):
        super().__init__(data, _children, _op)
        self.unit = unit
        self._backward = lambda: None

    def __add__(self, other):
        out = Extended(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out


def test_subclasses_with_a_constructor_of_their_own():
    a, b = Extended(2.0), Extended(3.0, unit="s")
    c = a + b
    ((c + a) * 2.0 + cube(b)).backward()
    assert (type(c), c._op, a.grad, b.grad) == (Extended, "+", 4.0, 29.0)
    for twin in (copy.copy(b), copy.deepcopy([b])[0], pickle.loads(pickle.dumps(b))):
        assert (type(twin), twin.data, twin.grad, twin.unit, twin.is_leaf) == (Extended, 3.0, 29.0, "s", True)
    with pytest.raises(TypeError, match=r"computed by \+"):
        copy.deepcopy(c)


def test_a_method_that_a_program_replaces_stays_replaced(monkeypatch):
    row = ops.atan
    monkeypatch.setitem(vars(row), "variants", {})  # as before its first use
    monkeypatch.setattr(Value, "atan", lambda self: cube(self))
    x = Value(2.0)
    autograd.atan(x).backward()  # this compiles the row
    assert x.grad == pytest.approx(0.2)
    assert x.atan().data == 8.0


# ----------------------------------------------------------------------------------------------- micrograd's names

SIGNS = [
    (lambda a, b: a, ""),
    (lambda a, b: a + b, "+"),
    (lambda a, b: a + 1, "+"),
    (lambda a, b: a * b, "*"),
    (lambda a, b: 2 * a, "*"),
    (lambda a, b: a - b, "-"),
    (lambda a, b: a / b, "/"),
    (lambda a, b: -a, "-"),
    (lambda a, b: a**2, "**2"),
    (lambda a, b: a**-1, "**-1"),
    (lambda a, b: a**0.5, "**0.5"),
    (lambda a, b: a**b, "**"),
    (lambda a, b: 2**a, "**"),
    (lambda a, b: a.relu(), "ReLU"),
    (lambda a, b: a.tanh(), "tanh"),
    (lambda a, b: a.exp(), "exp"),
    (lambda a, b: a.log(), "log"),
    (lambda a, b: sum([a, b]), "+"),
    (lambda a, b: cube(a), "cube"),
    (lambda a, b: Value(1.0, (a,)), ""),
]


@pytest.mark.parametrize(("f", "sign"), SIGNS, ids=[repr(sign) for _, sign in SIGNS])
def test_signs_are_micrograds(f, sign):
    assert f(Value(2.0), Value(3.0))._op == sign


@pytest.mark.parametrize("row", [r for r in ops.ROWS.values() if r.on_scalars], ids=lambda r: r.name)
def test_every_row_has_a_sign_that_drawing_code_can_add_to_a_name(row):
    out = row(*[Value(0.5 + i) for i in range(row.arity)])
    assert str(id(out)) + out._op != str(id(out))
    assert all(isinstance(x, Value) for x in out._prev)


def test_a_sign_of_their_own():
    y = Value(1.0) + 1
    y._op = "shift"
    assert y._op == "shift"


def test_nodes_take_attributes():
    p: Any = Value(1.0, "p")
    p.m, p.history = 0.5, [1]
    y: Any = p * p
    y.color = "lightblue"
    y.backward()
    assert (y.color, p.m) == ("lightblue", 0.5)
    assert not hasattr(p, "v")
    for twin in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert (twin.m, twin.history, twin.label, twin.grad) == (0.5, [1], "p", 2.0)
    assert copy.copy(p).history is p.history is not copy.deepcopy(p).history
    twin = copy.copy(p)
    twin.m = 7.0
    assert p.m == 0.5


def test_gradients_of_none_are_shown_and_stepped_over():
    from nn import SGD

    w, x = Value(2.0, "w"), Value(3.0, "x")
    y = w * x
    w.grad = None
    assert repr(w) == "Value(data=2.0, grad=None, label='w')"
    y.backward()
    x.grad = None
    assert "w" in y.tree()
    SGD([x], lr=0.1).step()
    assert x.data == 3.0
    w.grad = None
    w.backward()
    assert w.grad == 1.0


# ------------------------------------------------------------------------------------------------ numbers as text

HOLDERS: dict[str, Any] = {
    "Value": lambda x: Value(x),
    "result": lambda x: Value(x) * 1.0,
    "Tensor": lambda x: Tensor(x),
    "one element": lambda x: Tensor([[x]]),
}


@pytest.mark.parametrize("holder", HOLDERS)
@settings(max_examples=15)
@given(x=st.floats(-1e6, 1e6), digits=st.integers(0, 6))
def test_numbers_as_text(holder, x, digits):
    v = HOLDERS[holder](x)
    x = v.item()
    for spec in (f".{digits}f", f"+10.{digits}e", "g", ">12", f",.{digits}f", "%"):
        assert format(v, spec) == format(x, spec)
    assert f"{v}" == str(v)
    assert f"{v:.{digits}f} {v!r}" == f"{x:.{digits}f} {v!r}"
    assert "{:.3f}".format(v) == f"{x:.3f}"  # noqa: UP032
    assert "%.3f" % v == "%.3f" % x
    assert "%8.2e|%d|%s" % (v, v, v) == "%8.2e|%d|%s" % (x, x, v)
    text = "%g"
    text %= v
    assert text == "%g" % x
    assert round(v, digits) == round(x, digits)
    assert round(v) == round(x)
    assert type(round(v, digits)) is float


@pytest.mark.parametrize(
    "leave",
    [float, int, complex, math.exp, math.sqrt, range, lambda x: math.exp(x) % 2, lambda x: "%.3f" % float(x),
     lambda x: [1, 2][x], lambda x: np.zeros(1).__setitem__(0, x)],
)  # fmt: skip
@pytest.mark.parametrize("holder", HOLDERS)
def test_numbers_leave_a_graph_in_no_other_way(leave, holder):
    with pytest.raises((TypeError, ValueError)) as refused:
        leave(HOLDERS[holder](1.0))
    assert any(word in str(refused.value) for word in ("graph would end", "real numbers", "sequence"))


def test_several_numbers_are_not_formatted_as_one():
    with pytest.raises(TypeError, match=r"Tensor of shape \(3,\).*x\.data"):
        format(Tensor([1.0, 2.0, 3.0]), ".3f")
    with pytest.raises(TypeError, match=r"numpy\.round"):
        round(Tensor([1.0, 2.0]), 2)
    with pytest.raises(TypeError, match="turns a number"):
        vectorize(lambda x: x[0] * W if f"{x[0]:.2f}" == "1.00" else W, 1)([[1.0]])
    assert jvp(lambda x: x * round(x, 1), (2.04,), (1.0,)) == (2.04 * 2.0, 2.0)
