"""`Expression`: a function as a graph of operations. It skips operations that cannot be checked at its numbers.

This module does not need Hypothesis.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from autograd import ops
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.gradcheck.check import assert_gradients
from autograd.ops.traced import Traced

Operation: TypeAlias = Callable[..., Any]
Source: TypeAlias = int | float  # an operand: an int counts back from the newest node, a float is a constant

OPERATIONS: tuple[Operation, ...] = (
    ops.add, ops.mul, ops.sub, ops.div, ops.neg, ops.power, ops.square, ops.abs, ops.relu, ops.tanh, ops.sigmoid,
    ops.exp, ops.log, ops.sqrt, ops.sin, ops.softplus, ops.maximum, ops.minimum, ops.hypot, ops.atan2,
)  # fmt: skip
"""The operations of expressions, by default."""

INFIX: dict[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
EPS = 2.0**-52
LIMIT = 1e3  # for a node's number and for each partial derivative
NEAR = 2.0**-6  # the smallest distance from a kink


# ----------------------------------------------------------------------------------------------------- operations


def arity(op: Operation) -> int:
    """The number of operands of an operation: a row's arity, or the required parameters of a function."""
    known = getattr(op, "arity", None)
    if isinstance(known, int):
        return known
    return len([p for p in inspect.signature(op).parameters.values() if p.default is p.empty])


def is_ours(op: Operation) -> bool:
    """True for a row of the table, False for a custom operation."""
    return any(row is op for row in ops.ROWS.values())


def title(op: Operation) -> str:
    """The operation's name, as it is written in source."""
    name = getattr(op, "name", None) or getattr(op, "__name__", type(op).__name__)
    return f"autograd.{name}" if is_ours(op) else str(name)


def apply(op: Operation, *operands: Any) -> Any:
    """Apply an operation as a program does: by its operator, if it has one."""
    if is_ours(op) and len(operands) == 2 and any(isinstance(x, Traced) for x in operands):
        return INFIX.get(op.infix, op)(*operands)  # type: ignore[attr-defined]
    return op(*operands)  # on floats, too: a row returns an infinity where Python's operator would raise


def source_of(op: Operation, operands: Sequence[str]) -> str:
    """The source code of an operation on its operands."""
    if is_ours(op) and op.infix in INFIX and len(operands) == 2:  # type: ignore[attr-defined]
        left, right = (f"({x})" if x[0] == "-" else x for x in operands)
        return f"{left} {op.infix} {right}"  # type: ignore[attr-defined]
    return f"-{operands[0]}" if op is ops.neg else f"{title(op)}({', '.join(operands)})"


@lru_cache(maxsize=4096)  # the examples of a shrinking failure repeat the same numbers
def local(
    op: Operation, numbers: tuple[float, ...], variable: tuple[bool, ...]
) -> tuple[float, list[float], list[float]] | None:
    """The operation's number, its slope in each operand, and the possible error of each slope; None to skip it.

    Slopes are measured by differences, so that a wrong rule or an undeclared kink, pole or tie cannot hide. Each
    difference has the rounding errors of its terms. Where a function saturates, they may be larger than the slope.
    """

    def at(i: int, t: float) -> float:
        return float(ops.detach(op(*[x + t if j == i else x for j, x in enumerate(numbers)])))

    out = at(0, 0.0)
    slopes, doubts = [0.0] * len(numbers), [0.0] * len(numbers)
    for i in (i for i, varies in enumerate(variable) if varies):
        ahead, behind = at(i, NEAR), at(i, -NEAR)
        slope, bend = (ahead - behind) / (2 * NEAR), (ahead + behind - 2 * out) / NEAR
        if not abs(bend) < 0.1 * (1 + abs(slope)) or not abs(slope) < LIMIT:
            return None
        h = NEAR / 8
        near = [(at(i, k * h), at(i, -k * h)) for k in (1, 2, 4)]
        first, second, fourth = (right - left for right, left in near)
        fine, wide = (8 * first - second) / (12 * h), (8 * second - fourth) / (24 * h)
        slopes[i] = fine + (fine - wide) / 15  # the error shrinks with the fourth power of the step
        size = max(abs(out), *(abs(x) for pair in near for x in pair)) + abs(slopes[i] * numbers[i])
        doubts[i] = abs(fine - wide) / 15 + 4 * EPS * size / h
        if not abs(slopes[i] - slope) < 0.1 * (1 + abs(slope)):  # a jump: smaller steps give a steeper slope
            return None
    if not abs(out) < LIMIT or not all(map(math.isfinite, slopes)):
        return None
    moving = [i for i, varies in enumerate(variable) if varies]
    for signs in product((NEAR, -NEAR), repeat=len(moving) if len(moving) > 1 else 0):
        moves = dict(zip(moving, signs, strict=False))  # all operands at once: a negative base needs a whole exponent
        numeric = float(ops.detach(op(*[x + moves.get(j, 0.0) for j, x in enumerate(numbers)])))
        bend = numeric - out - sum(slopes[i] * t for i, t in moves.items())
        if not abs(bend) < 0.1 * NEAR * (1 + sum(map(abs, slopes))):
            return None
    return out, slopes, doubts


# ---------------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Instruction:
    """One instruction that was kept: operands are numbers of nodes, or constants; slopes were measured."""

    op: Operation
    operands: tuple[Source, ...]
    number: float
    slopes: tuple[float, ...]


class Expression:
    """A function of a few numbers, as a graph of operations, and the numbers at which to evaluate it.

    Args:
        leaves: the numbers.
        program: instructions ``(operation, sources)``. A source that is an int counts back from the newest node; a
            float is a constant. Instructions that cannot be checked at these numbers are skipped. Results that no
            instruction uses are added up at the end.

    Call it with floats, Values, Tensors or Duals. Its repr is its source code.

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
        self.steps: list[Instruction] = []
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
        """Keep an instruction, unless it cannot be checked."""
        variable = tuple(isinstance(x, int) for x in operands)
        if any(variable) and len(operands) == arity(op):
            found = local(op, tuple(numbers[x] if isinstance(x, int) else x for x in operands), variable)
            if found:
                numbers.append(found[0])
                self.steps.append(Instruction(op, operands, found[0], tuple(found[1])))

    def nodes(self, *leaves: Any) -> list[Any]:
        """All nodes: the leaves, one node for each step, and the sums of the results at the end."""
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
        """The names of leaves and steps in the source code."""
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
        """The largest error of each leaf's gradient by rounding.

        It is a multiple of eps, times the number of nodes, times a sum over all paths: of the products of the
        magnitudes of the partial derivatives. A backward pass would give this sum if nothing cancelled. A partial
        derivative may be a difference, such as 1 - out**2 where tanh saturates. Its error is eps of the terms, so each
        counts as at least `least`.
        """
        n, least = len(self.leaves), 1e-3
        flow = [0.0] * (n + len(self.steps))
        for end in self.ends:
            flow[end] += 1.0
        for i, step in reversed(list(enumerate(self.steps))):
            for x, slope in zip(step.operands, step.slopes, strict=True):
                if isinstance(x, int):
                    flow[x] += max(abs(slope), least * max(1.0, abs(step.number))) * flow[n + i]
        return tuple(EPS / least * len(flow) * x for x in flow[:n])


def assert_engine(f: Expression) -> None:
    """Check that floats, Values, Tensors and forward mode agree on an expression, and that its gradients are right.

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
