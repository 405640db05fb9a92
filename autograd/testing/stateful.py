"""`GraphMachine` builds random graphs, runs backward, zeroes gradients, detaches and deletes nodes.

It computes by itself what the gradients should be, and compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autograd.engine.value import Value
from autograd.testing.expression import OPERATIONS, Operation, apply, arity, local, source_of
from autograd.testing.strategies import dyadics


class Cell:
    """A node of `GraphMachine`: the engine's node, and the number, edges and gradient that the machine computed."""

    def __init__(self, name: str, node: Any, number: float, edges: Sequence[tuple[Cell, float, float]] = ()) -> None:
        self.name = name
        self.node = node
        self.number = number
        self.edges = edges  # operands that are variables, each with the measured slope and its possible error
        self.forget()

    def forget(self) -> None:
        """Set the gradient to 0."""
        self.gradient = 0.0
        self.size = 0.0  # the sum of the magnitudes of the gradient's terms
        self.doubt = 0.0  # the possible error that comes from the errors of the slopes

    def below(self) -> list[Cell]:
        """This node and all that it was computed from, operands before results."""
        order: list[Cell] = []
        seen = set()
        stack = [(self, False)]
        while stack:
            cell, listed = stack.pop()
            if listed:
                order.append(cell)
            elif id(cell) not in seen:
                seen.add(id(cell))
                stack += [(cell, True), *((edge[0], False) for edge in cell.edges)]
        return order


picks = st.integers(-2, 5)  # 0, -1, -2: a leaf; 1, 2, …: count back from the newest node


class GraphMachine(RuleBasedStateMachine):
    """A state machine that builds graphs on few leaves, and runs backward passes in any order.

    It checks every gradient after each step, with derivatives that are measured on plain floats. A leaf's gradient is
    the sum over all backward passes since it was last zeroed. A computed node's gradient comes from the last backward
    pass through it. To test an engine or operations of your own, override the attributes and the methods above the
    rules:

    >>> from autograd import ops
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

    # The engine under test: override these

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
        """Set a leaf's gradient to 0."""
        leaf.grad = 0.0

    def detach(self, node: Any) -> Any:
        """A node as a constant."""
        return node.detach()

    def assign(self, leaf: Any, number: float) -> None:
        """Give a leaf another number."""
        leaf.data = number

    # The rules

    def pick(self, i: int) -> Cell:
        """A leaf, or the i-th newest node."""
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
        """Apply an operation, with the last operand detached if `cut`. Skip it if it cannot be checked here."""
        op = self.operations[which % len(self.operations)]
        chosen = [self.pick(i) for i in sources[: arity(op)]]
        variable = tuple(not cut or k < len(chosen) - 1 for k in range(len(chosen)))
        found = local(op, tuple(cell.number for cell in chosen), variable)
        if not any(variable) or found is None:
            return
        self.count += 1
        name, number, slopes, doubts = f"t{self.count}", *found
        pairs = list(zip(chosen, variable, strict=True))
        note(f"{name} = {source_of(op, [x.name if v else f'{x.name}.detach()' for x, v in pairs])}")
        node = self.apply(op, *(x.node if v else self.detach(x.node) for x, v in pairs))
        edges = [(x, slope, doubt) for (x, v), slope, doubt in zip(pairs, slopes, doubts, strict=True) if v]
        self.nodes = [*self.nodes, Cell(name, node, number, edges)][-self.max_nodes :]

    @rule(which=st.integers(0, 63), i=picks, j=picks)
    def build_and_run_backward(self, which: int, i: int, j: int) -> None:
        """Do both in one rule, since Hypothesis often disables some rules."""
        self.compute(which, (i, j, i + j), cut=False)
        self.sweep(self.pick(1))

    @rule(i=st.integers(0, 5))
    def run_backward(self, i: int) -> None:
        self.sweep(self.pick(i))

    def sweep(self, root: Cell) -> None:
        """Run backward, and compute what it should give."""
        note(f"{root.name}.backward()")
        self.backward(root.node)
        order = root.below()
        flow = {id(cell): np.zeros(3) for cell in order}  # gradient, size and doubt
        flow[id(root)] += (1.0, 1.0, 0.0)
        for cell in reversed(order):
            if cell not in self.leaves:  # leaves accumulate; other nodes start again
                cell.forget()
            g, size, doubt = flow[id(cell)].tolist()
            cell.gradient, cell.size, cell.doubt = cell.gradient + g, cell.size + size, cell.doubt + doubt
            for parent, slope, off in cell.edges:
                steep = abs(slope)
                flow[id(parent)] += (slope * g, steep * size, steep * doubt + off * (size + doubt))

    @rule(i=picks)
    def zero_leaf(self, i: int) -> None:
        cell = self.pick(-abs(i))
        note(f"{cell.name}.grad = 0.0")
        self.zero(cell.node)
        cell.forget()

    @precondition(lambda self: len(self.nodes) > 3)
    @rule(i=picks, number=dyadics())
    def assign_leaf(self, i: int, number: float) -> None:
        """Assign a number, as an optimiser does. Nodes that were computed from the old number are forgotten."""
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
            if not abs(got - cell.gradient) <= 2e-7 * cell.size + 2 * cell.doubt:
                raise AssertionError(f"the gradient of {cell.name} is {got:.10g} and should be {cell.gradient:.10g}")
