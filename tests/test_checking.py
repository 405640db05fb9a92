"""`check_gradients`: right functions pass, every typical bug is found and named, and no entry is skipped silently."""

import math
import random
from typing import Any

import numpy as np
import pytest
from sweeps import backward
from test_ops import operands_of

import nn
from autograd import Tensor, Value, custom_op, ops
from autograd.gradcheck.check import assert_gradients, check_gradients
from autograd.ops.rows import Elementwise, Linear, Op, Reduction

rng = np.random.default_rng(0)
MATRIX = rng.normal(size=(2, 3))
named = pytest.mark.parametrize
ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row is not ops.where]
REDUCTIONS = [row for row in ops.ROWS.values() if isinstance(row, Reduction)]


def elementwise(value, *partials, **options):
    return Elementwise("broken", value, *partials, doc="A broken copy.", **options)


# ------------------------------------------------------------------------------------------- right functions pass


def of_variables(row, inputs):
    """The row as a function of the operands in which it has a derivative, and these operands."""

    def f(*variables):
        rest = iter(variables)
        return row(*[x if d is None else next(rest) for x, d in zip(inputs, row.partials, strict=True)])

    return f, [x for x, d in zip(inputs, row.partials, strict=True) if d is not None]


@named("row", ROWS, ids=lambda row: row.name)
def test_rows_pass(row):
    numbers = [0.37, 0.61, 0.83][: row.arity]
    arrays = [np.array([x, x + 0.1]) for x in numbers]
    if not all(low < 0.3 and high > 1 for low, high in row.domain) or None in row.partials:
        arrays = operands_of(row, [(2,)] * row.arity, np.random.default_rng(0))
        numbers = [float(x[0]) for x in arrays]
    for inputs in (numbers, arrays):
        f, variables = of_variables(row, inputs)
        report = check_gradients(f, *variables, order=2)
        assert report.ok, str(report)
        assert not report.skipped
    f, variables = of_variables(row, [x.astype(np.float32) for x in arrays])
    assert_gradients(f, *variables)


@named("row", REDUCTIONS, ids=lambda row: row.name)
def test_reductions_pass(row):
    assert_gradients(lambda x: row(x, axis=0), MATRIX, order=2)
    assert_gradients(lambda a, b: row([a, b, a * b]), 0.5, 0.75)


def test_products_pass():
    assert_gradients(ops.matmul, MATRIX, rng.normal(size=(3, 2)), order=2)
    assert_gradients(ops.matmul, MATRIX.astype(np.float32), np.ones((3, 2), np.float32))
    assert_gradients(lambda x: ops.getitem(x, np.array([0, 0, 1])), MATRIX)


def test_containers_names_and_several_results():
    def f(p, scale):
        return {"a": p["w"] * scale, "b": [p["bias"][0].sum(), p["bias"][1] ** 2]}

    report = check_gradients(f, {"w": MATRIX, "bias": [Tensor([1.0, 2.0]), 3.0]}, Value(0.5))
    assert report.ok
    assert {e.where for e in report.entries} == {
        *(f"p['w'][{i}, {j}]" for i in range(2) for j in range(3)),
        *("p['bias'][0][0]", "p['bias'][0][1]", "p['bias'][1]", "scale"),
    }
    assert report.entries[0].excess == max(e.excess for e in report.entries) < 1


def test_variables_given_are_left_alone():
    x = Value(2.0)
    t = Tensor([1.0, 2.0])
    assert_gradients(lambda a, b: (a * b).sum(), x, t)
    assert (x.grad, t.grad) == (0.0, None)


def test_hard_but_right_functions_pass():
    assert_gradients(lambda x: (x * 300.0).sin(), 0.3)
    assert_gradients(lambda x: x.log(), 1e-5)
    assert_gradients(lambda x: (x + 1e8) - 1e8, 0.5)  # noise of 1e-8
    assert_gradients(lambda x: x.exp(), 30.0)
    assert_gradients(lambda x: ops.sin(x) ** 2 + ops.cos(x) ** 2, 0.7, order=2)
    assert_gradients(lambda x: x.relu(), 1e-6)  # very near its kink
    assert_gradients(lambda x: ops.astype(x, np.dtype(np.float32)).exp(), np.array([0.5, 1.5]))
    assert_gradients(lambda x, y: x * 2.0, 1.0, 2.0)  # the result does not depend on y
    assert_gradients(lambda x: 3.0, 1.0)
    assert_gradients(lambda x: x, 1.0)


def test_inputs_without_elements():
    report = check_gradients(lambda x: x * 2.0, np.zeros((0, 2)))
    assert report.ok
    assert "only shapes were checked" in str(report)


def test_it_looks_the_same_every_time():
    texts = {str(check_gradients(lambda x: x * x.detach(), MATRIX, seed=3)) for _ in range(2)}
    assert len(texts) == 1


# ------------------------------------------------------------------------------------------------ bugs are found


class Rule(Op):
    """A custom operation with its own vjp."""

    def __init__(self, forward, vjp, arity=1):
        super().__init__("rule", arity)
        self.reads = (tuple(range(arity)),) * arity
        self.forward = forward
        self._vjp = vjp

    def vjp(self, g, needs, out, inputs, params):
        return self._vjp(g, *inputs)


def into_one_buffer(g, x, y):
    buffer = g * 1.0
    return [buffer, buffer]


def upside_down(g, x, b):
    """For the bias, g is summed over the wrong axis."""
    return [g, g.sum(axis=1)]


counter = iter(range(1_000_000))
double = Elementwise("double", lambda x: 2 * x, lambda out, x: 2, doc="Twice.")
SQUARE = rng.normal(size=(3, 3))
VECTOR = rng.normal(size=3)

BUGS: dict[str, tuple[Any, list[Any], str]] = {
    "power": (elementwise(lambda x: x * x * x, lambda out, x: 3 * x * x * x), [np.array([0.5, 2.0, 3.0])],
              "off by a factor of the input itself: a power too many"),
    "power too few": (elementwise(lambda x: x * x * x, lambda out, x: 3 * x), [np.array([0.5, 2.0, 3.0])],
                      "a power too few"),
    "factor 2": (elementwise(lambda x: x * x, lambda out, x: x), [MATRIX],
                 "every wrong entry is off by a factor of 0.5"),
    "doubled": (elementwise(lambda x: x * x, lambda out, x: 4 * x), [0.75], "factor of 2 (counted twice?)"),
    "sign": (elementwise(math.cos, lambda out, x: ops.sin(x), array=np.cos), [MATRIX],
             "every wrong entry has the wrong sign"),
    "power at one point": (elementwise(lambda x: x * x * x, lambda out, x: 3 * x * x * x), [-1.0],
                           "the wrong entry has the wrong sign; or the input itself: a power too many?"),
    "1e-6": (elementwise(math.exp, lambda out, x: out * (1 + 1e-6), array=np.exp), [MATRIX],
             "too large by a relative 1e-06"),
    "guard": (elementwise(math.log, lambda out, x: 1 / (x + 1e-7), array=np.log), [np.array([0.5, 2.0])], ""),
    "swapped": (elementwise(lambda x, y: x * y, lambda out, x, y: x, lambda out, x, y: y), [2.0, 3.0],
                "x has the gradient of y and y that of x"),
    "cut off": (lambda x: x.detach() * 2.0 + x * 0.0, [0.5], "the gradient is zero: is the input cut off"),
    "half cut off": (lambda x: x * x.detach(), [3.0], "used twice, counted once"),
    "not cut off": (elementwise(lambda x: x * 0 + 1.0, lambda out, x: 1, array=np.ones_like), [MATRIX],
                    "a gradient where there should be none"),
    "not finite": (elementwise(lambda x: x * x, lambda out, x: x / (x - x)), [MATRIX], "the gradient is not finite"),
    "all ones": (custom_op(np.tanh, lambda g, out, x: 1 - out * out), [MATRIX],
                 "all-ones cotangent: the rule ignores the upstream gradient"),
    "all ones, one number": (custom_op(np.tanh, lambda g, out, x: 1 - out * out), [0.5],
                             "the rule ignores the upstream gradient"),
    "transposed": (Linear("t", np.transpose, lambda g, x: g, doc="Transposed."), [SQUARE],
                   "the right numbers in the wrong places: transposed"),
    "reversed": (Linear("flip", np.flip, lambda g, x: g, doc="Reversed."), [VECTOR], "wrong places: reversed?"),
    "wrong axis": (Rule(np.add, upside_down, 2), [SQUARE, VECTOR], "unbroadcast over the wrong axis"),
    "averaged": (Rule(np.add, lambda g, x, b: [g, g.mean(axis=0)], 2), [SQUARE, VECTOR],
                 "factor of 0.333333, and broadcasting repeats the input 3 times: averaged where it should be summed?"),
    "not summed": (Rule(np.add, lambda g, x, b: [g, g], 2), [SQUARE, VECTOR],
                   "is float64 of shape (3, 3), the input is float64 of shape (3,)"),
    "one row": (Rule(np.add, lambda g, x, b: [g, g[0]], 2), [SQUARE, VECTOR], "3 of 12 entries are wrong"),
    "mean": (Reduction("mean", np.mean, lambda out, x, axis: 1, doc="Mean."), [MATRIX], "off by a factor of 6"),
    "max": (Reduction("max", np.max, lambda out, x, axis: ops.equal(x, ops.min(x)) * 1.0, doc="Max."), [VECTOR],
            "right numbers in the wrong places"),
    "aliased": (Rule(np.add, into_one_buffer, 2), [VECTOR, VECTOR + 1],
                "share memory: changing one in place changes the other"),
    "mutated": (elementwise(lambda x: np.exp(x, out=x), lambda out, x: out), [VECTOR],
                "running the function changed its input x"),
    "random value": (lambda x: x * float(next(counter)), [0.5], "a second run gives other results"),
    "random gradient": (custom_op(lambda x: x * 2, lambda g, out, x: g * (2 + next(counter))), [VECTOR],
                        "a second run gives another gradient"),
    "kink elsewhere": (elementwise(lambda x: ops.maximum(x, 0.0), lambda out, x: ops.where(x >= 1, 1, 0),
                                   array=lambda x: np.maximum(x, 0)), [np.array([-1.0, 0.5, 2.0])],
                       "1 of 3 entries is wrong"),
    "outside the kink": (elementwise(abs, lambda out, x: ops.where(x >= 0, 1.5, -1), array=np.abs), [0.0],
                         "1 of 1 entry is wrong"),
    "saved operand": (elementwise(lambda x, y: x / y, lambda out, x, y: 1 / y, lambda out, x, y: -out / x), [2.0, 3.0],
                      "1 of 2 entries is wrong"),
}  # fmt: skip


@named("bug", BUGS)
def test_bugs_are_found_and_named(bug):
    f, inputs, hint = BUGS[bug]
    report = check_gradients(f, *inputs, forward=not isinstance(f, Rule))
    assert not report.ok
    assert hint in str(report), str(report)
    with pytest.raises(AssertionError) as raised:
        assert_gradients(f, *inputs, forward=not isinstance(f, Rule))
    assert str(raised.value).splitlines()[0].split()[-1] in str(report)


def test_missing_accumulation(monkeypatch):
    """A sweep that assigns instead of adding. It is wrong if a node is used twice, and in a second backward."""
    monkeypatch.setattr(Value, "backward", backward(add=False))
    report = check_gradients(lambda x: x * x + x * 3.0, 2.0)
    assert not report.ok
    assert "backward and vjp give x different gradients" in str(report)  # only one of them has the bug
    assert "does not add its gradient" in str(check_gradients(lambda x, y: x * y, 2.0, 3.0))


def test_stale_results(monkeypatch):
    monkeypatch.setattr(Value, "backward", backward(reset=False))
    assert "over the same graph again" in str(check_gradients(lambda x: x.sin().exp(), 0.5))


def test_a_wrong_second_derivative():
    """The first order is right, the second wrong: the rule is computed outside the graph."""
    cube = elementwise(lambda x: x * x * x, lambda out, x: 3 * ops.detach(x) * x)
    assert_gradients(cube, 2.0)
    report = check_gradients(cube, 2.0, order=2)
    assert [(e.order, round(e.ratio, 6)) for e in report.wrong] == [(2, 0.5)]
    assert "(second order)" in str(report)
    assert "factor of 0.5" in str(report)


def test_forward_mode_disagrees():
    class Forward(Elementwise):
        def jvp(self, tangents, out, inputs, params):
            return 2 * super().jvp(tangents, out, inputs, params)

    op = Forward("op", math.sin, lambda out, x: ops.cos(x), array=np.sin, doc="Sine.")
    assert "forward and reverse mode disagree along x" in str(check_gradients(op, 0.5))
    assert check_gradients(op, 0.5, forward=False).ok
    rule = Rule(np.sin, lambda g, x: [g * np.cos(x)])
    assert "forward=False leaves it out" in str(check_gradients(rule, VECTOR))
    assert check_gradients(rule, VECTOR, forward=False).ok


# --------------------------------------------------------------------------------------- skipped is not passed


def test_kinks_are_skipped_and_named():
    report = check_gradients(ops.relu, np.array([0.0, 1.0, -1.0, 1e-6]))
    assert report.ok
    assert len(report.entries) == 3
    (kink,) = report.skipped
    assert (kink.where, kink.value) == ("x[0]", 0.0)
    assert "a kink, with slope 0 from the left" in kink.reason
    assert "3 entries checked, 1 skipped\nskipped x[0] = 0: a kink" in str(report)
    tie = check_gradients(ops.maximum, 2.0, 2.0)
    assert len(tie.skipped) == 2


def test_everything_skipped_is_not_ok():
    cases: list[tuple[Any, float, str]] = [
        (abs, 0.0, "a kink"),
        (ops.sqrt, 0.0, "not finite"),
        (ops.log, -1.0, "not finite"),
        (lambda x: ops.sign(x) * 3.0 + x, 0.0, "uncertain"),
    ]
    for f, x, why in cases:
        report = check_gradients(f, x)
        assert not report.ok
        assert not report
        assert "nothing was checked" in str(report)
        assert why in report.skipped[0].reason, str(report)
        with pytest.raises(AssertionError, match="nothing was checked"):
            assert_gradients(f, x)


def test_a_nan_does_not_hide_the_others():
    report = check_gradients(ops.sqrt, np.array([0.0, 1.0, -1.0, 4.0]))
    assert report.ok
    assert [e.where for e in report.skipped] == ["x[0]", "x[2]"]
    wrong = elementwise(math.sqrt, lambda out, x: 1 / out, array=np.sqrt)
    assert len(check_gradients(wrong, np.array([-1.0, 1.0])).wrong) == 1


# ---------------------------------------------------------------------------------------------------- bad input


def test_refusals():
    with pytest.raises(ValueError, match="needs the inputs"):
        check_gradients(abs)
    with pytest.raises(ValueError, match="order is 1 or 2, not 3"):
        check_gradients(abs, 1.0, order=3)
    with pytest.raises(TypeError, match="int64"):
        check_gradients(abs, np.arange(3))
    with pytest.raises(TypeError, match="str"):
        check_gradients(abs, "x")
    with pytest.raises(TypeError, match="should return numbers"):
        check_gradients(lambda x: "x", 1.0)


def test_a_long_report_is_cut():
    text = str(check_gradients(elementwise(lambda x: x * x, lambda out, x: x), rng.normal(size=(4, 5))))
    assert "20 of 20 entries are wrong" in text
    assert "… and 10 more" in text
    assert len(text.splitlines()) < 16


def test_modules_as_inputs():
    """The parameters of a module are checked by name. The module does not change."""
    random.seed(1)
    model, x = nn.MLP(2, [3, 1]), [0.3, -0.6]
    before = model.state_dict()
    report = check_gradients(lambda model, x: model(x).tanh(), model, x, order=2)
    assert report.ok
    assert {"model.layers.0.neurons.1.w.0", "x[1]"} <= {entry.name for entry in report.entries}
    assert model.state_dict() == before
    assert all(p.grad == 0.0 for p in model.parameters())
    layers = nn.Sequential(nn.Linear(2, 3, rng=0, dtype=float), nn.Tanh(), nn.Linear(3, 2, rng=1, dtype=float))
    assert check_gradients(lambda layers, x: layers(x) ** 2, layers, MATRIX[:, :2]).ok
    report = check_gradients(lambda layers: layers(MATRIX[:, :2]) * layers.layers[2].bias.detach(), layers)
    assert "layers.layers.2.bias" in str(report)


def test_rounding_is_no_false_alarm():
    """All terms cancel. The difference is rounding, and the result is too small to show it."""
    assert check_gradients(lambda a: -a + a.sin(), 0.0).ok
    assert check_gradients(lambda a: a.relu() / a.sqrt() - a.sqrt(), 2.75).ok
    tiny = elementwise(lambda x: 1e-9 * x * x, lambda out, x: 1e-9 * x)
    assert not check_gradients(tiny, 2.0).ok


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("order", [1, 2])
def test_a_function_may_close_over_variables(frozen, order):
    """The variables are kept. The result of forward mode is then a variable of their kind."""
    w, v = Tensor(np.arange(6.0).reshape(3, 2) / 6), Value(0.5)
    for variable in (w, v):
        variable.requires_grad = not frozen
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert "right" in str(check_gradients(lambda x: (x @ w).tanh().sum() + w.sum(), x, order=order))
    assert "right" in str(check_gradients(lambda x: (x * v).tanh() * v, 0.3, order=order))
