"""Test your own operations and networks with Hypothesis: strategies, a stateful machine, gradient checks.

A test of five lines finds a wrong rule. The failure shrinks to a function of one or two lines:

>>> from hypothesis import given
>>> from autograd import custom_op, ops
>>> cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2)
>>> @given(expressions(operations=[cube, ops.add, ops.mul, ops.sin]))
... def test_cube(f):
...     assert_gradients(f, *f.leaves)
>>> test_cube()

`expressions` draws graphs, not trees, since errors of accumulation and of order show only where a node is used twice.
An example is a list of instructions that count their operands back from the newest node. An instruction that would
leave an operation's domain, overflow, or come near a kink is skipped. So every part of an example can be deleted, and
examples shrink well. This is the only package that needs Hypothesis.
"""

from autograd.gradcheck.check import assert_gradients, check_gradients
from autograd.gradcheck.report import Report
from autograd.testing.expression import Expression, assert_engine
from autograd.testing.stateful import GraphMachine
from autograd.testing.strategies import Network, arrays, broadcastable_shapes, expressions, mlps, values

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


def __dir__() -> list[str]:
    return sorted(__all__)
