"""`autograd.testing`: the strategies find bugs and shrink them. The stateful machine fails for a wrong engine."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from sweeps import backward

import autograd
import autograd.engine.value
from autograd import Tensor, Value, custom_op, jvp, ops
from autograd.ops.rows import Elementwise
from autograd.testing import (
    Expression,
    GraphMachine,
    arrays,
    assert_engine,
    assert_gradients,
    broadcastable_shapes,
    check_gradients,
    expressions,
    mlps,
    stateful,
    values,
)
from autograd.testing.expression import OPERATIONS, apply, arity

QUICK = settings(max_examples=500, phases=[Phase.generate, Phase.shrink], database=None)

# ---------------------------------------------------------------------------------------------------- expressions


@given(expressions())
def test_expressions_are_right_on_everything(f):
    assert_engine(f)
    for k, name in enumerate(f.names[: len(f.leaves)]):
        tangents = [float(i == k) for i in range(len(f.leaves))]
        leaves = [Value(x) for x in f.leaves]
        f(*leaves).backward()
        _, rate = jvp(f, f.leaves, tangents)
        assert abs(rate - leaves[k].grad) <= f.tolerance()[k], name


def test_saturation_is_no_false_alarm():
    """In 1 - tanh**2, NumPy's tanh and Python's differ in the last digit. A random graph found this."""
    assert_engine(Expression([3.125], [(ops.mul, (1, 1)), (ops.tanh, (1,)), (ops.log, (1,))]))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_a_hundred_thousand_graphs_give_no_false_alarm(part):
    """Ten parts of 10,000 graphs. Every second part has many leaves and operations."""

    @seed(part)
    @settings(max_examples=10_000, database=None, phases=[Phase.generate])
    @given(expressions(max_ops=30, max_leaves=8) if part % 2 else expressions())
    def check(f):
        assert_engine(f)

    check()


@given(expressions(max_ops=6))
def test_expressions_are_differentiable_twice(f):
    assert_gradients(f, *f.leaves, order=2)


def uses(f):
    counted = [x for step in f.steps for x in step.operands if isinstance(x, int) and x >= len(f.leaves)]
    return max((counted.count(x) for x in counted), default=0)


def test_expressions_are_graphs():
    f = find(expressions(), lambda f: uses(f) >= 2, settings=QUICK)
    assert len(f.steps) == 2
    assert len(find(expressions(), lambda f: len(f.steps) >= 8, settings=QUICK).steps) == 8


@given(expressions())
def test_repr_is_source(f):
    *definition, call = repr(f).splitlines()
    namespace: dict[str, Any] = {"autograd": autograd}
    exec("\n".join(definition), namespace)
    leaves = [Value(x) for x in f.leaves]
    out = namespace["f"](*leaves)
    assert out.data == f(*map(Value, f.leaves)).data
    assert call == f"f({', '.join(map(repr, f.leaves))})"
    assert len(definition) == 2 + len(f.steps)
    assert repr(f) == repr(Expression(f.leaves, [(s.op, back(f, i, s)) for i, s in enumerate(f.steps)]))


def back(f, i, step):
    """The operands of a step, counted as in an instruction."""
    return tuple(len(f.leaves) + i - x if isinstance(x, int) else x for x in step.operands)


programs = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.tuples(*[st.one_of(st.integers(1, 6), st.floats(-2, 2))] * 2)), max_size=8
)


@given(leaves=st.lists(st.floats(-3, 3), min_size=1, max_size=3), program=programs, data=st.data())
def test_any_part_can_be_deleted(leaves, program, data):
    """After an instruction or a leaf is deleted, the expression still runs."""
    for k in range(len(program)):
        f = Expression(leaves, program[:k] + program[k + 1 :])
        assert math.isfinite(f(*f.leaves))
        assert all(math.isfinite(x) and x >= 0 for x in f.tolerance())
    if len(leaves) > 1:
        assert math.isfinite(Expression(leaves[1:], program)(*leaves[1:]))


def test_what_is_passed_over():
    for op, sources in [
        (ops.log, (-1.0,)),  # no variable among its operands
        (ops.relu, (1,)),  # at its kink
        (ops.sqrt, (1,)),  # at the edge of its domain
        (ops.maximum, (1, 1)),  # a tie
        (ops.div, (2.0, 1)),  # a pole
        (ops.add, (1,)),  # an operand is missing
        (ops.atan2, (1, 0.0)),  # a jump from -pi/2 to pi/2, with 0 in the middle
    ]:
        assert Expression([0.0], [(op, sources)]).steps == []
    grows = Expression([4.0], [(ops.mul, (1, 1))] * 6)
    assert len(grows.steps) == 2  # 16, 256; 65536 is too much
    assert Expression([-2.0], [(ops.power, (1, 3.0))])(-2.0) == -8.0
    assert Expression([0.0], [(ops.exp, (1,)), (ops.power, (2, 1))])(0.0) == 1.0  # 0 ** 1 is defined, but not near it
    assert Expression([-2.0, 3.0], [(ops.power, (2, 1))]).steps == []  # the exponent cannot move


def test_negative_constants_are_written_in_parentheses():
    f = Expression([2.0], [(ops.power, (1, -2.0)), (ops.sub, (-1.0, 1)), (ops.neg, (1,)), (ops.abs, (1,))])
    assert [line.strip() for line in repr(f).splitlines()[1:5]] == [
        "t1 = a ** (-2.0)",
        "t2 = (-1.0) - t1",
        "t3 = -t2",
        "t4 = autograd.abs(t3)",
    ]


def test_refusals():
    with pytest.raises(TypeError, match="takes 1 numbers, got 2"):
        Expression([1.0], [])(1.0, 2.0)
    with pytest.raises(ValueError, match="at least one operation"):
        expressions(operations=[])
    with pytest.raises(ValueError, match="any number of operands"):
        expressions(operations=[ops._dot])
    with pytest.raises(ValueError, match="no multiple of 1/8"):
        values(0.01, 0.1)


# ------------------------------------------------------------------------------------- bugs are found, and shrink


def elementwise(name, value, *partials, **options):
    return Elementwise(name, value, *partials, doc="A broken copy.", **options)


BROKEN = {
    "power": elementwise("cube", lambda x: x * x * x, lambda out, x: 3 * x),
    "factor 2": elementwise("double", lambda x: x * x, lambda out, x: x, array=np.square),
    "sign": elementwise("mycos", math.cos, lambda out, x: ops.sin(x), array=np.cos),
    "swapped": elementwise("product", lambda x, y: x * y, lambda out, x, y: x, lambda out, x, y: y, array=np.multiply),
    "1e-6": elementwise("myexp", math.exp, lambda out, x: out * (1 + 1e-6), array=np.exp),
    "guard": elementwise("mylog", math.log, lambda out, x: 1 / (x + 1e-7), array=np.log),
    "half a rule": elementwise(
        "ratio", lambda x, y: x / y, lambda out, x, y: 1 / y, lambda out, x, y: -1 / y, array=np.divide
    ),
    "kink elsewhere": elementwise(
        "hinge",
        lambda x: ops.where(x > 0, x, 0.0),
        lambda out, x: ops.where(x > 1, 1, 0),
        array=lambda x: np.maximum(x, 0),
    ),
    "ignored upstream": custom_op(lambda x: math.tanh(x), lambda g, out, x: 1 - out * out, name="mytanh"),
    "sum not product": custom_op(lambda x, y: x * y, lambda g, out, x, y: (g * y, g * (x + 0.125)), name="times"),
}


def wrong(f):
    return not check_gradients(f, *f.leaves, forward=False).ok


@pytest.mark.parametrize("bug", BROKEN)
def test_a_bug_shrinks_to_two_operations(bug):
    op = BROKEN[bug]
    smallest = find(expressions(operations=[ops.add, ops.mul, ops.sin, op]), wrong, settings=QUICK)
    assert 1 <= len(smallest.steps) <= 2
    assert len(smallest.leaves) <= op.arity
    assert any(step.op is op for step in smallest.steps)


def test_what_a_user_sees():
    cube = BROKEN["power"]

    @settings(print_blob=False, phases=QUICK.phases)
    @given(expressions(operations=[ops.add, ops.mul, cube]))
    def test_cube(f):
        assert_gradients(f, *f.leaves)

    with pytest.raises(AssertionError, match="1 of 1 entry is wrong") as raised:
        test_cube()
    notes = " ".join("\n".join(raised.value.__notes__).split())
    assert "def f(a): t1 = cube(a) return t1 f(-1.0)" in notes


# --------------------------------------------------------------------------------------------------- other strategies


@given(values(-1, 2), arrays(), arrays((2, 3), np.float32, unique=True), broadcastable_shapes(3))
def test_strategies(value, array, distinct, shapes):
    assert -1 <= value.data <= 2
    assert value.is_leaf
    assert array.dtype == np.float64
    assert np.all(array * 8 == np.round(array * 8))
    assert distinct.dtype == np.float32
    assert len(set(distinct.ravel().tolist())) == 6
    np.broadcast_shapes(*shapes)


def test_strategies_reach_the_corners():
    assert find(arrays(), lambda x: x.ndim == 0) == 0
    assert find(arrays(), lambda x: x.size == 0).size == 0
    assert find(broadcastable_shapes(2), lambda s: () in s and 0 in max(s, key=len))
    assert find(values(), lambda v: True).data == 0.0
    assert find(values(), lambda v: v.data != 0).data == 1.0


@given(broadcastable_shapes(2), st.data())
def test_arrays_compose_with_shapes(shapes, data):
    x, y = (data.draw(arrays(shape)) for shape in shapes)
    assert_gradients(lambda x, y: x * y + x, x, y)


@settings(max_examples=30)
@given(mlps())
def test_networks(net):
    report = check_gradients(net, net.inputs, net.weights)
    assert not report.wrong
    assert not report.failures
    out = net(net.inputs)
    autograd.sum(out if isinstance(out, list) else [out]).backward()
    assert len(net.parameters()) == len(net.weights)
    assert any(p.grad for p in net.parameters())  # at least a bias of the last layer


# ----------------------------------------------------------------------------------------------------- the machine


def run(machine, examples=60, **options):
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30, **options))


def test_machine_passes_on_this_engine():
    run(GraphMachine)


@pytest.mark.slow
def test_machine_passes_on_this_engine_for_long():
    run(GraphMachine, examples=300)


class Small(GraphMachine):
    """With few operations, nodes are shared more often."""

    operations = (ops.mul, ops.add, ops.sin)


class Forgets(Small):
    """Backward replaces a leaf's gradient instead of adding to it."""

    def backward(self, node):
        for cell in self.leaves:
            cell.node.grad = 0.0
        node.backward()


class NeverZeroes(Small):
    def zero(self, leaf):
        pass


class DetachFlows(Small):
    def detach(self, node):
        return node


class ZeroesTooLittle(Small):
    """Zeroing a leaf keeps a negative gradient."""

    def zero(self, leaf):
        leaf.grad = min(leaf.grad, 0.0)


class StaleData(Small):
    """Assigning a leaf's data does not change its number."""

    def assign(self, leaf, number):
        pass


class WrongRule(Small):
    operations = (ops.mul, ops.add, BROKEN["sign"])


class CopiesLeaves(Small):
    """A leaf that is used twice in an operation becomes two."""

    def apply(self, op, *operands):
        if len(operands) == 2 and operands[0] is operands[1]:
            operands = (operands[0], Value(operands[1].data))
        return apply(op, *operands)


HOOKED = [Forgets, NeverZeroes, DetachFlows, ZeroesTooLittle, StaleData, WrongRule, CopiesLeaves]


@pytest.mark.parametrize("machine", HOOKED, ids=lambda m: m.__name__)
def test_machine_finds(machine):
    with pytest.raises(AssertionError, match=r"the gradient of \w+ is .* and should be"):
        run(machine, phases=[Phase.generate])


ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and row.arity <= 2]
FAR = [sign * x for x in (0.25, 1.0, 4.0, 6.0, 17.0, 300.0) for sign in (1, -1)]


FLAT = ("sign", "floordiv", "dsinc")  # dsinc counts derivatives with its first operand


class TooLarge(GraphMachine):
    """Every gradient is off by one in a million."""

    def gradient(self, node):
        return node.grad * (1 + 1e-6)


def verdicts(machine, chain, x):
    """The nodes of a chain of operations at `x`, and the leaves.

    Yields the cell, whether it is called wrong, and whether its gradient is larger than the rounding of differences.
    """
    machine = machine()
    machine.operations = chain
    machine.add_leaf(x)
    machine.add_leaf(0.6875)
    for i, op in enumerate(chain):
        before = machine.nodes
        newest = len(before) and 1
        machine.compute(i, (newest, newest if op is ops.mul else -1), cut=False)
        if machine.nodes == before:  # the machine left it out
            return
    machine.sweep(machine.nodes[-1])
    every = machine.leaves + machine.nodes
    largest = max(1.0, *(abs(cell.number) for cell in every))
    for cell in every:
        machine.leaves, machine.nodes = [], [cell]
        known = max(1e-4 * largest, 0.9 * cell.size) < abs(cell.gradient) < 10
        try:
            machine.gradients_are_right()
            yield cell, False, known
        except AssertionError:
            yield cell, True, known


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_machine_knows_how_well_it_knows(row, monkeypatch):
    """If a function is flat, differences are mostly rounding. The machine must know that they show little."""
    monkeypatch.setattr(stateful, "note", lambda text: None)
    checked = found = 0
    for x in FAR:
        for chain in [(row,), (ops.mul, row), (row, row), (row, ops.square), (ops.mul, row, ops.log)]:
            assert not [cell.name for cell, wrong, _ in verdicts(GraphMachine, chain, x) if wrong], (chain, x)
            for _, wrong, known in verdicts(TooLarge, chain, x):
                checked += known
                found += known and wrong
    assert found == checked
    assert checked or row.name in FLAT


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_saturated_rows_are_no_false_alarm(row):
    for x in (4.0, -17.0):
        for chain in [(row,), (ops.mul, row), (row, ops.log)]:
            f = Expression([x], [(op, (1,) * arity(op)) for op in chain])
            if len(f.steps) == len(chain):
                assert_engine(f)


def breadth_first(roots):
    """In the order of distance from the root. A node can run before all nodes that use it have run."""
    levels: list[Any] = []
    layer = list(roots)
    while layer:
        levels += [x for x in layer if not any(x is y for y in levels)]
        layer = [x for node in layer for x in node.parents]
    return levels[::-1]


def twice(roots):
    """A node that is used twice runs twice."""
    order = autograd.engine.graph.postorder(roots)
    return [x for node in order for x in [node] * (1 + (len(node.parents) == 2 and node.parents[0] is node.parents[1]))]


def incomplete(roots):
    """Nodes of an earlier sweep count as done."""
    order = [node for node in autograd.engine.graph.postorder(roots) if node in roots or not node.label]
    for node in order:
        node.label = "done"
    return order


SWEEPS = {
    "stale": backward(reset=False),
    "breadth first": backward(breadth_first),
    "twice": backward(twice),
    "incomplete": backward(incomplete),
    "assigns": backward(add=False),
}


@pytest.mark.parametrize("broken", SWEEPS)
def test_machine_finds_a_sweep_that_is_wrong(monkeypatch, broken):
    monkeypatch.setattr(Value, "backward", SWEEPS[broken])
    with pytest.raises(AssertionError, match="and should be"):
        run(Small, phases=[Phase.generate])


def test_machine_finds_nothing_wrong_with_the_same_sweep(monkeypatch):
    monkeypatch.setattr(Value, "backward", backward())
    run(Small, phases=[Phase.generate])


def test_tensors_can_be_put_through_the_machine():
    class Tensors(Small):
        """Another kind of node has to provide only these hooks."""

        def leaf(self, number):
            return Tensor(np.array(number))

        def gradient(self, node):
            return 0.0 if node.grad is None else float(np.asarray(node.grad))

        def zero(self, leaf):
            leaf.grad = None

    run(Tensors, examples=30)
