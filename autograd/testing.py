"""Gradient tests of your own operations and networks, with Hypothesis: strategies, a stateful machine, the checks.

A test of five lines finds a wrong rule and shrinks it to a function of a line or two:

>>> from hypothesis import given
>>> from autograd import custom_op, ops
>>> cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2)
>>> @given(expressions(operations=[cube, ops.add, ops.mul, ops.sin]))
... def test_cube(f):
...     assert_gradients(f, *f.leaves)
>>> test_cube()

`expressions` draws graphs, not trees: only where a node is used twice do bugs of accumulation and of order show. What
is drawn is a plain list of instructions that count their operands back from the newest node; one that would leave an
operation's domain, overflow, or sit near a kink is passed over rather than forbidden. So every part of an example can
be deleted, which is what makes it shrink well. This is the only module that needs Hypothesis.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autograd import ops
from autograd.checking import Report, assert_gradients, check_gradients
from autograd.rows import Traced
from autograd.tensor import Tensor
from autograd.value import Value

__all__ = [
    "Expression",
    "GraphMachine",
    "Network",
    "Report",
    "arrays",
    "assert_engine",
    "assert_gradients",
    "broadcastable_shapes",
    "check_gradients",
    "expressions",
    "mlps",
    "values",
]

Operation: TypeAlias = Callable[..., Any]
Source: TypeAlias = int | float  # an operand: how far back from the newest node, or a constant

OPERATIONS: tuple[Operation, ...] = (
    ops.add, ops.mul, ops.sub, ops.div, ops.neg, ops.power, ops.square, ops.abs, ops.relu, ops.tanh, ops.sigmoid,
    ops.exp, ops.log, ops.sqrt, ops.sin, ops.softplus, ops.maximum, ops.minimum, ops.hypot, ops.atan2,
)  # fmt: skip
"""What expressions are made of by default."""

INFIX: dict[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
LIMIT = 1e3  # of a node's number and of each local derivative
NEAR = 2.0**-6  # how near a kink is too near


# ----------------------------------------------------------------------------------------- numbers, arrays, shapes


def dyadics(min_value: float = -4, max_value: float = 4, denominator: int = 8) -> st.SearchStrategy[float]:
    """Small fractions that floats hold exactly, the simplest first: they shrink to 0, 1, -1, 2, …

    >>> from hypothesis import find
    >>> find(dyadics(), lambda x: x > 1.2)
    2.0
    """
    return st.sampled_from(simplest_first(min_value, max_value, denominator))


def simplest_first(min_value: float, max_value: float, denominator: int) -> list[float]:
    """The multiples of 1/denominator in a range; whole numbers first, small ones first."""
    low, high = math.ceil(min_value * denominator), math.floor(max_value * denominator)
    if low > high:
        raise ValueError(f"there is no multiple of 1/{denominator} between {min_value} and {max_value}")
    numbers = [n / denominator for n in range(low, high + 1)]
    return sorted(numbers, key=lambda x: (x.as_integer_ratio()[1], abs(x), x < 0))


def values(min_value: float = -4, max_value: float = 4) -> st.SearchStrategy[Value]:
    """Leaf Values with small dyadic numbers.

    >>> from hypothesis import find
    >>> find(values(min_value=1), lambda x: True)
    Value(data=1.0, grad=0.0)
    """
    return dyadics(min_value, max_value).map(Value)


def arrays(
    shape: int | tuple[int, ...] | st.SearchStrategy[tuple[int, ...]] | None = None,
    dtype: Any = np.float64,
    min_value: float = -4,
    max_value: float = 4,
    unique: bool = False,
) -> st.SearchStrategy[Any]:
    """Float arrays with small dyadic numbers.

    Args:
        shape: of the array, or a strategy of shapes; up to three axes of length 0 to 3 by default.
        dtype: float32 or float64.
        min_value: the least number.
        max_value: the largest.
        unique: whether all numbers are different, so that a maximum has no ties.

    >>> from hypothesis import find
    >>> find(arrays((2, 2), unique=True, min_value=0), lambda x: True)
    array([[...]])
    """
    if shape is None:
        shape = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    return hnp.arrays(np.dtype(dtype), shape, elements=dyadics(min_value, max_value), unique=unique)


def broadcastable_shapes(
    n: int, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Tuples of n shapes that broadcast with one another; 0-d and axes of length 0 are among them.

    >>> from hypothesis import find
    >>> find(broadcastable_shapes(2), lambda shapes: len(shapes[1]) == 1)
    ((), (...,))
    """
    shapes = hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return shapes.map(lambda found: found.input_shapes)


# ----------------------------------------------------------------------------------------------------- operations


def arity(op: Operation) -> int:
    """How many operands an operation takes: a row says so, a function's signature tells."""
    known = getattr(op, "arity", None)
    if isinstance(known, int):
        return known
    return len([p for p in inspect.signature(op).parameters.values() if p.default is p.empty])


def is_ours(op: Operation) -> bool:
    """Whether it is a row of the table, rather than somebody's own."""
    return any(row is op for row in ops.ROWS.values())


def title(op: Operation) -> str:
    """The operation's name, as it is written in source."""
    name = getattr(op, "name", None) or getattr(op, "__name__", type(op).__name__)
    return f"autograd.{name}" if is_ours(op) else str(name)


def apply(op: Operation, *operands: Any) -> Any:
    """The operation as a program writes it: by its operator, if it has one."""
    if is_ours(op) and len(operands) == 2 and any(isinstance(x, Traced) for x in operands):
        return INFIX.get(op.infix, op)(*operands)  # type: ignore[attr-defined]
    return op(*operands)  # on floats too: rows know infinities, where Python raises


def source_of(op: Operation, operands: Sequence[str]) -> str:
    """The source of an application."""
    if is_ours(op) and op.infix in INFIX and len(operands) == 2:  # type: ignore[attr-defined]
        left, right = (f"({x})" if x[0] == "-" else x for x in operands)
        return f"{left} {op.infix} {right}"  # type: ignore[attr-defined]
    return f"-{operands[0]}" if op is ops.neg else f"{title(op)}({', '.join(operands)})"


@lru_cache(maxsize=4096)  # examples are small numbers, and those of a shrinking failure nearly the same ones
def local(op: Operation, numbers: tuple[float, ...], variable: tuple[bool, ...]) -> tuple[float, list[float]] | None:
    """The operation's number and its slope in each operand, measured; None if it should be passed over here.

    Measured, so that neither a wrong rule nor an undeclared kink, pole or tie can hide.
    """

    def at(i: int, t: float) -> float:
        return float(ops.detach(op(*[x + t if j == i else x for j, x in enumerate(numbers)])))

    out = at(0, 0.0)
    slopes = [0.0] * len(numbers)
    for i in (i for i, varies in enumerate(variable) if varies):
        ahead, behind = at(i, NEAR), at(i, -NEAR)
        slope, bend = (ahead - behind) / (2 * NEAR), (ahead + behind - 2 * out) / NEAR
        if not abs(bend) < 0.1 * (1 + abs(slope)) or not abs(slope) < LIMIT:
            return None
        h = NEAR / 8
        slopes[i] = (8 * (at(i, h) - at(i, -h)) - (at(i, 2 * h) - at(i, -2 * h))) / (12 * h)
    return (out, slopes) if abs(out) < LIMIT and all(map(math.isfinite, slopes)) else None


# ---------------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Step:
    """One instruction that was kept: operands are numbers of nodes, or constants; slopes were measured."""

    op: Operation
    operands: tuple[Source, ...]
    number: float
    slopes: tuple[float, ...]


class Expression:
    """A function of a few numbers, as a graph of operations, and the numbers to evaluate it at.

    Args:
        leaves: the numbers.
        program: instructions ``(operation, sources)``. A source that is an int counts back from the newest node, a
            float is a constant. Instructions that should not run at these numbers are passed over, and results that
            nothing uses are added up in the end.

    Call it with floats, Values, Tensors, Duals; its repr is its source.

    >>> f = Expression([2.0, 3.0], [(ops.mul, (1, 2)), (ops.log, (-1.0,)), (ops.tanh, (1,)), (ops.sub, (2, 1.0))])
    >>> f
    def f(a, b):
        t1 = b * a
        t2 = autograd.tanh(t1)
        t3 = t1 - 1.0
        return t2 + t3
    f(2.0, 3.0)
    >>> a, b = Value(2.0), Value(3.0)
    >>> f(a, b).backward()
    >>> f(2.0, 3.0), a.grad
    (5.99998771165..., 3.00007372964...)
    """

    def __init__(self, leaves: Sequence[float], program: Iterable[tuple[Operation, Sequence[Source]]]) -> None:
        self.leaves = tuple(map(float, leaves))
        self.steps: list[Step] = []
        numbers = list(self.leaves)
        for op, sources in program:
            taken = tuple(len(numbers) - min(max(s, 1), len(numbers)) if isinstance(s, int) else s for s in sources)
            self._take(op, taken[: arity(op)], numbers)
        used = {i for step in self.steps for i in step.operands if isinstance(i, int)}
        ends = [i for i in range(len(self.leaves), len(numbers)) if i not in used] or [len(numbers) - 1]
        self.ends = tuple(ends)
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in self.names[: len(self.leaves)]]
        )

    def _take(self, op: Operation, operands: tuple[Source, ...], numbers: list[float]) -> None:
        """Keep an instruction, if it can run."""
        variable = tuple(isinstance(x, int) for x in operands)
        if any(variable) and len(operands) == arity(op):
            found = local(op, tuple(numbers[x] if isinstance(x, int) else x for x in operands), variable)
            if found:
                numbers.append(found[0])
                self.steps.append(Step(op, operands, found[0], tuple(found[1])))

    def nodes(self, *leaves: Any) -> list[Any]:
        """Everything that is computed: the leaves, a node a step, and the sums that join the ends."""
        if len(leaves) != len(self.leaves):
            raise TypeError(f"this expression takes {len(self.leaves)} numbers, got {len(leaves)}")
        found = list(leaves)
        for step in self.steps:
            found.append(apply(step.op, *(found[x] if isinstance(x, int) else x for x in step.operands)))
        total = found[self.ends[0]]
        for end in self.ends[1:]:
            total = apply(ops.add, total, found[end])
            found.append(total)
        return found

    def __call__(self, *leaves: Any) -> Any:
        return self.nodes(*leaves)[-1]

    @cached_property
    def names(self) -> list[str]:
        """The leaves' and the steps' names in the source."""
        return [chr(ord("a") + i) for i in range(len(self.leaves))] + [f"t{i + 1}" for i in range(len(self.steps))]

    @cached_property
    def lines(self) -> list[str]:
        """The right-hand side of each step."""
        return [
            source_of(step.op, [self.names[x] if isinstance(x, int) else repr(x) for x in step.operands])
            for step in self.steps
        ]

    def __repr__(self) -> str:
        n = len(self.leaves)
        lines = [f"def f({', '.join(self.names[:n])}):"]
        lines += [f"    {name} = {line}" for name, line in zip(self.names[n:], self.lines, strict=True)]
        lines.append(f"    return {' + '.join(self.names[i] for i in self.ends)}")
        return "\n".join([*lines, f"f({', '.join(map(repr, self.leaves))})"])

    def tree(self) -> str:
        """Every node with its number and its gradient, as a table.

        >>> print(Expression([2.0], [(ops.mul, (1, 1))]).tree())
        node  source  data  gradient
        a             2.0   4.0
        t1    a * a   4.0   1.0
        """
        leaves = [Value(x) for x in self.leaves]
        nodes = self.nodes(*leaves)
        nodes[-1].backward()
        rows = [("node", "source", "data", "gradient")]
        texts = [""] * len(leaves) + self.lines
        rows += [(n, s, str(v.data), str(v.grad)) for n, s, v in zip(self.names, texts, nodes, strict=False)]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join("  ".join(f"{x:<{w}}" for x, w in zip(row, widths, strict=True)).rstrip() for row in rows)

    def tolerance(self) -> tuple[float, ...]:
        """How far rounding can take each leaf's gradient from the true one.

        A multiple of eps, times the number of nodes, times the sum over all paths of the products of the magnitudes
        of the local derivatives: what a backward sweep gives if nothing ever cancels.
        """
        n = len(self.leaves)
        flow = [0.0] * (n + len(self.steps))
        for end in self.ends:
            flow[end] += 1.0
        for i, step in reversed(list(enumerate(self.steps))):
            for x, slope in zip(step.operands, step.slopes, strict=True):
                if isinstance(x, int):
                    flow[x] += abs(slope) * flow[n + i]
        return tuple(1000 * 2.0**-52 * len(flow) * x for x in flow[:n])


def expressions(
    max_ops: int = 12,
    max_leaves: int = 3,
    operations: Sequence[Operation] | None = None,
    min_value: float = -4,
    max_value: float = 4,
) -> st.SearchStrategy[Expression]:
    """Random `Expression`s of a few leaves: graphs whose nodes are used more than once.

    Args:
        max_ops: the most operations.
        max_leaves: the most leaves; few leaves are shared more.
        operations: rows of the table, rows of your own, `custom_op`s, or functions made of those. The first is
            tried first when an example shrinks.
        min_value: of leaves and constants.
        max_value: of leaves and constants.
    """
    chosen = OPERATIONS if operations is None else tuple(operations)
    if not chosen:
        raise ValueError("expressions needs at least one operation")
    for op in chosen:
        if arity(op) < 1:
            raise ValueError(f"{title(op)} takes any number of operands: wrap it in a function of one, two or three")
    # One choice an operand: Hypothesis deletes up to five choices in a row, and that has to cover an instruction.
    constants = simplest_first(min_value, max_value, 2)
    sources = st.sampled_from([*[1, 2, 3, 4, 5, 6] * (len(constants) // 3 + 1), *constants])
    instructions = st.tuples(st.sampled_from(chosen), st.tuples(*[sources] * max(map(arity, chosen))))
    return st.builds(
        Expression,
        st.lists(dyadics(min_value, max_value), min_size=1, max_size=max_leaves),
        st.lists(instructions, min_size=1, max_size=max_ops),
    )


def assert_engine(f: Expression) -> None:
    """Check an expression in every way there is: floats, Values, Tensors and forward mode agree, gradients are right.

    Raises AssertionError with a report.

    >>> assert_engine(Expression([0.5, 2.0], [(ops.mul, (1, 2)), (ops.sin, (1,))]))
    """
    __tracebackhide__ = True
    assert_gradients(f, *f.leaves)
    assert_gradients(f, *map(np.array, f.leaves))
    values, tensors = list(map(Value, f.leaves)), [Tensor(np.array(x)) for x in f.leaves]
    plain, scalar, array = f(*f.leaves), f(*values), f(*tensors)
    numbers = {"floats": plain, "Values": scalar.data, "Tensors": array.item()}
    if not all(math.isclose(plain, x, rel_tol=1e-12, abs_tol=1e-12) for x in numbers.values()):
        raise AssertionError(f"the expression depends on what it is evaluated on, {numbers}:\n{f!r}")
    scalar.backward()
    array.backward()
    for name, x, t, most in zip(f.names, values, tensors, f.tolerance(), strict=False):
        other = 0.0 if t.grad is None else t.grad.item()
        if not abs(x.grad - other) <= most:
            raise AssertionError(f"{name} has the gradient {x.grad!r} as a Value, {other!r} as a Tensor:\n{f!r}")


# ------------------------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Network:
    """A small multilayer perceptron written out in scalars, and an input for it.

    `sizes` are the widths from the input to the output; `weights` holds each neuron's weights and its bias, neuron
    after neuron. The activation follows every layer but the last.

    >>> net = Network((2, 1, 1), ops.tanh, weights=(1.0, 0.5, 0.0, 2.0, 0.25), inputs=(1.0, -2.0))
    >>> net(net.inputs)
    Value(data=0.25, grad=0.0)
    >>> assert_gradients(net, net.inputs, net.weights)
    """

    sizes: tuple[int, ...]
    activation: Operation
    weights: tuple[float, ...]
    inputs: tuple[float, ...]

    @cached_property
    def _parameters(self) -> list[Value]:
        return [Value(w) for w in self.weights]

    def parameters(self) -> list[Value]:
        """The weights as Values, the same ones each time."""
        return self._parameters

    def __call__(self, x: Sequence[Any], weights: Sequence[Any] | None = None) -> Any:
        """The output for the numbers `x`, a list if there are several; with the parameters, or the weights given."""
        found = iter(self._parameters if weights is None else weights)
        layer = list(x)
        for depth, width in enumerate(self.sizes[1:], start=2):
            outs = []
            for _ in range(width):
                total = sum((next(found) * value for value in layer[1:]), next(found) * layer[0]) + next(found)
                outs.append(total if depth == len(self.sizes) else self.activation(total))
            layer = outs
        return layer[0] if len(layer) == 1 else layer


@st.composite
def mlps(
    draw: st.DrawFn,
    max_inputs: int = 3,
    max_layers: int = 2,
    max_width: int = 3,
    activations: Sequence[Operation] = (ops.tanh, ops.relu, ops.sigmoid, ops.softplus),
) -> Network:
    """Random `Network`s of small dyadic weights, with an input.

    >>> from hypothesis import find
    >>> find(mlps(), lambda net: sum(net.inputs) > 0)
    Network(sizes=(1, 1), activation=<operation tanh>, weights=(0.0, 0.0), inputs=(1.0,))
    """
    widths = draw(st.lists(st.integers(1, max_width), min_size=1, max_size=max_layers))
    sizes = (draw(st.integers(1, max_inputs)), *widths)
    count = sum((before + 1) * width for before, width in pairwise(sizes))
    weights = draw(st.lists(dyadics(-2, 2), min_size=count, max_size=count))
    inputs = draw(st.lists(dyadics(-2, 2), min_size=sizes[0], max_size=sizes[0]))
    return Network(sizes, draw(st.sampled_from(tuple(activations))), tuple(weights), tuple(inputs))


# ---------------------------------------------------------------------------------------------- a stateful machine


class Cell:
    """What `GraphMachine` knows of a node: the engine's, and by its own account the number, edges and gradient."""

    def __init__(self, name: str, node: Any, number: float, edges: Sequence[tuple[Cell, float]] = ()) -> None:
        self.name = name
        self.node = node
        self.number = number
        self.edges = edges  # operands that are variables, with the measured slope in each
        self.gradient = 0.0
        self.size = 0.0  # of the terms that the gradient is a sum of

    def below(self) -> list[Cell]:
        """This and everything it was computed from, operands before results."""
        order: list[Cell] = []
        seen = set()
        stack = [(self, False)]
        while stack:
            cell, listed = stack.pop()
            if listed:
                order.append(cell)
            elif id(cell) not in seen:
                seen.add(id(cell))
                stack += [(cell, True), *((parent, False) for parent, _ in cell.edges)]
        return order


picks = st.integers(-2, 5)  # 0, -1, -2: a leaf; 1, 2, …: so far back among the nodes


class GraphMachine(RuleBasedStateMachine):
    """A state machine that builds graphs on few leaves, and runs backward in whatever order.

    After each step the gradient of every leaf has to be what the backwards since its last zeroing add up to, and
    that of every node what the last backward through it gave, by derivatives that are measured on plain floats.
    Replace the attributes and the methods below the rules to test an engine or operations of your own:

    >>> class Machine(GraphMachine):
    ...     operations = (ops.mul, ops.sin)
    >>> TestMachine = Machine.TestCase  # for pytest or unittest
    """

    operations: Sequence[Operation] = OPERATIONS
    max_leaves = 3
    max_nodes = 20

    def __init__(self) -> None:
        super().__init__()
        self.leaves: list[Cell] = []
        self.nodes: list[Cell] = []
        self.count = 0

    # What is under test: override these

    def leaf(self, number: float) -> Any:
        """A new leaf."""
        return Value(number)

    def apply(self, op: Operation, *operands: Any) -> Any:
        """An operation on nodes and constants."""
        return apply(op, *operands)

    def backward(self, node: Any) -> None:
        """Backpropagate from a node."""
        node.backward()

    def gradient(self, node: Any) -> float:
        """A node's gradient."""
        return float(node.grad)

    def zero(self, leaf: Any) -> None:
        """Forget a leaf's gradient."""
        leaf.grad = 0.0

    def detach(self, node: Any) -> Any:
        """A node as a constant."""
        return node.detach()

    def assign(self, leaf: Any, number: float) -> None:
        """Give a leaf another number."""
        leaf.data = number

    # The rules

    def pick(self, i: int) -> Cell:
        """A leaf, or a node so far back."""
        if i <= 0 or not self.nodes:
            return self.leaves[abs(i) % len(self.leaves)]
        return self.nodes[-min(i, len(self.nodes))]

    @initialize(number=dyadics())
    def first_leaf(self, number: float) -> None:
        self.add_leaf(number)

    @precondition(lambda self: len(self.leaves) < self.max_leaves)
    @rule(number=dyadics())
    def another_leaf(self, number: float) -> None:
        self.add_leaf(number)

    def add_leaf(self, number: float) -> None:
        name = "abcdefgh"[len(self.leaves) % 8]
        note(f"{name} = leaf({number})")
        self.leaves.append(Cell(name, self.leaf(number), number))

    @rule(which=st.integers(0, 63), i=picks, j=picks)
    def build(self, which: int, i: int, j: int) -> None:
        self.compute(which, (i, j, i + j), cut=False)

    @rule(which=st.integers(0, 63), i=picks, j=picks)
    def build_on_detached(self, which: int, i: int, j: int) -> None:
        self.compute(which, (i, j, i + j), cut=True)

    def compute(self, which: int, sources: Sequence[int], cut: bool) -> None:
        """Apply an operation, the last operand detached if `cut`; nothing where the operation should not run."""
        op = self.operations[which % len(self.operations)]
        chosen = [self.pick(i) for i in sources[: arity(op)]]
        variable = tuple(not cut or k < len(chosen) - 1 for k in range(len(chosen)))
        found = local(op, tuple(cell.number for cell in chosen), variable)
        if not any(variable) or found is None:
            return
        self.count += 1
        name, number, slopes = f"t{self.count}", *found
        pairs = list(zip(chosen, variable, strict=True))
        note(f"{name} = {source_of(op, [x.name if v else f'{x.name}.detach()' for x, v in pairs])}")
        node = self.apply(op, *(x.node if v else self.detach(x.node) for x, v in pairs))
        edges = [(x, slope) for (x, v), slope in zip(pairs, slopes, strict=True) if v]
        self.nodes = [*self.nodes, Cell(name, node, number, edges)][-self.max_nodes :]

    @rule(which=st.integers(0, 63), i=picks, j=picks)
    def build_and_run_backward(self, which: int, i: int, j: int) -> None:
        """Both in one rule, as Hypothesis often turns some rules off."""
        self.compute(which, (i, j, i + j), cut=False)
        self.sweep(self.pick(1))

    @rule(i=st.integers(0, 5))
    def run_backward(self, i: int) -> None:
        self.sweep(self.pick(i))

    def sweep(self, root: Cell) -> None:
        """Run backward, and work out what it should give."""
        note(f"{root.name}.backward()")
        self.backward(root.node)
        order = root.below()
        flow = {id(cell): 0.0 for cell in order}
        size = dict(flow)
        flow[id(root)] = size[id(root)] = 1.0
        for cell in reversed(order):
            g, s = flow[id(cell)], size[id(cell)]
            again = cell in self.leaves  # leaves accumulate, nodes start again
            cell.gradient, cell.size = (cell.gradient + g, cell.size + s) if again else (g, s)
            for parent, slope in cell.edges:
                flow[id(parent)] += slope * g
                size[id(parent)] += abs(slope) * s

    @rule(i=picks)
    def zero_leaf(self, i: int) -> None:
        cell = self.pick(-abs(i))
        note(f"{cell.name}.grad = 0.0")
        self.zero(cell.node)
        cell.gradient = cell.size = 0.0

    @precondition(lambda self: len(self.nodes) > 3)
    @rule(i=picks, number=dyadics())
    def assign_leaf(self, i: int, number: float) -> None:
        """As an optimiser does; what was computed from the old number is not used any more."""
        leaf = self.pick(-abs(i))
        note(f"{leaf.name}.data = {number}")
        self.assign(leaf.node, number)
        leaf.number = number
        self.nodes = [cell for cell in self.nodes if leaf not in cell.below()]

    @precondition(lambda self: len(self.nodes) > 3)
    @rule(i=st.integers(1, 5))
    def drop(self, i: int) -> None:
        cell = self.nodes.pop(-min(i, len(self.nodes)))
        note(f"del {cell.name}")

    @invariant()
    def gradients_are_right(self) -> None:
        for cell in (*self.leaves, *self.nodes):
            got = self.gradient(cell.node)
            if not abs(got - cell.gradient) <= 1e-6 * cell.size:
                raise AssertionError(f"the gradient of {cell.name} is {got:.10g} and should be {cell.gradient:.10g}")
