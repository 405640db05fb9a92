"""What becomes an array of its own in a C program, and what is computed inside of the loops of its reader.

>>> from autograd.vectorizing.array_program import traced
>>> import numpy as np
>>> program = traced(lambda x, w: ops.exp(x @ w) * 2, {"x": np.ones((2, 3))}, {"w": np.ones((3, 4))})
>>> value = program.statements[0][1]
>>> [x.op.name for x in decided([Root("y", "=", value)], set())]
['matmul']
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from autograd import ops
from autograd.engine.graph import postorder
from autograd.ops import questions
from autograd.ops.rows import Linear, Reduction
from autograd.ops.shapes import normalize_axis
from autograd.vectorizing.inference import Operand
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import BY_HAND, LET, Expression


class Root(NamedTuple):
    """A value, and where it goes: under this name, set or added (=, +=, -=)."""

    name: str
    sign: str
    value: Any


def _mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    n: Any = 1
    for i in normalize_axis(axis, x.ndim):
        n = n * x.shape[i]
    return ops.sum(x, axis=axis, keepdims=keepdims) / n


def _var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    n: Any = -ddof
    product: Any = 1
    for i in normalize_axis(axis, x.ndim):
        product = product * x.shape[i]
    return ops.sum(ops.square(x - _mean(x, axis, True)), axis=axis, keepdims=keepdims) / (product + n)


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = ops.max(x, axis=axis, keepdims=True)
    finite = ops.where(ops.abs(top) < float("inf"), top, 0.0)
    out = ops.log(ops.sum(ops.exp(x - finite), axis=axis, keepdims=True)) + finite
    return out if keepdims else ops.reshape(out, ops.max(x, axis=axis).shape)


EXPANDED: dict[Any, Any] = {
    **{row: row.composition for row in BY_HAND},
    ops.mean: _mean,
    ops.var: _var,
    ops.std: lambda x, **where: ops.sqrt(_var(x, **where)),
    ops.norm: lambda x, **where: ops.sqrt(ops.sum(x * x, **where)),
    ops.logsumexp: _logsumexp,
    questions.constant: lambda x: x,
    ops.identity: lambda x: x,
}
"""Rows by what they are in terms of others. The rows' values on arrays say the same (`autograd.ops.kernels`)."""


class Expansion:
    """The pass for C: rows that are several loops become these."""

    def __init__(self) -> None:
        self.found: dict[Expression, Any] = {}

    def of(self, root: Any) -> Any:
        """What has the same numbers, in terms of operations that the printer knows."""
        if not isinstance(root, Expression):
            return root
        for node in postorder([root], without=self.found):
            self.found[node] = self._made(node)
        return self.found[root]

    def _made(self, node: Expression) -> Any:
        if node.op is None:
            return node
        operands = [self.found[x] if isinstance(x, Expression) else x for x in node.operands]
        if node.op is LET:
            return node.trees.let(operands[0], node.name)
        if node.op in EXPANDED:
            return self.of(EXPANDED[node.op](*operands, **node.params))
        if all(x is y for x, y in zip(operands, node.operands, strict=True)):
            return node
        new = node.trees.make(node.op, operands, node.params)
        return new if new is node else self.of(new)


def is_lookup(node: Expression) -> bool:
    """Whether it reads by arrays of whole numbers."""
    index = node.params.get("index")
    parts = index if isinstance(index, tuple) and not isinstance(index, Operand) else (index,)
    return node.op is questions.take_along or (node.op is ops.getitem and any(isinstance(p, Operand) for p in parts))


def is_view(node: Expression) -> bool:
    """Whether it has the numbers of its operand in another order."""
    return node.op in (ops.reshape, ops.transpose, ops.broadcast_to) or (node.op is ops.getitem and not is_lookup(node))


def is_joined(node: Expression) -> bool:
    """Whether it is a concatenation: that row is private to `autograd.ops`."""
    return isinstance(node.op, Linear) and node.op.name == "concatenate"


ALONE = (ops.matmul, ops.scatter, questions.put_along)
"""Operations that have loops of their own, besides reductions and concatenations."""

BUFFER = "an operand that has to lie in an array"


def decided(roots: list[Root], forced: set[Expression]) -> dict[Expression, None]:
    """The nodes that become arrays, in the order in which they can be computed; `forced` are some that have to."""
    order: dict[Expression, None] = {}
    for root in roots:
        if isinstance(root.value, Expression):
            order.update(dict.fromkeys(postorder([root.value], without=order)))
    readers: dict[Expression, set[Any]] = defaultdict(set)
    sizes: dict[Any, Any] = {}
    for i, root in enumerate(roots):
        if isinstance(root.value, Expression):
            readers[root.value].add(i)
            sizes[i] = root.value.size
    arrays: dict[Expression, None] = {}
    for node in reversed(order):
        own = readers[node]
        if node.op is None:
            continue
        if is_view(node) and node not in forced:
            readers[node.parents[0]] |= own
            continue
        alone = node.op in ALONE or isinstance(node.op, Reduction) or is_joined(node)
        only = next(iter(own)) if len(own) == 1 else None
        is_root = isinstance(only, int) and roots[only].value is node
        fits = len(own) == 1 and BUFFER not in own and (is_root or (not alone and same(sizes[only], node.size)))
        if node in forced or node.op is LET or not fits:
            arrays[node] = None
            only = node
        pass_on(node, only, readers, sizes)
    return dict.fromkeys(node for node in order if node in arrays)


def same(n: Any, m: Any) -> bool:
    """Whether two sizes are equal."""
    return bool(n == m)


def pass_on(node: Expression, nest: Any, readers: dict[Expression, set[Any]], sizes: dict[Any, Any]) -> None:
    """Tell the operands of a node where they are read."""
    sizes[nest] = node.parents[0].size if isinstance(node.op, Reduction) else node.size
    for k, x in enumerate(node.parents):
        if node.op is ops.matmul or (is_lookup(node) and k == 0):
            readers[x].add(BUFFER)
        elif is_joined(node) or node.op in (ops.scatter, questions.put_along):
            readers[x].add((nest, k))
            sizes[nest, k] = x.size
        else:
            readers[x].add(nest)


def terms(name: str, value: Any, shared: set[Expression]) -> list[Root]:
    """A gradient as what is added to it, one after another. What is read elsewhere too stays whole."""
    found: list[Root] = []
    stack = [(value, 1)]
    while stack:
        x, sign = stack.pop()
        op = x.op if isinstance(x, Expression) and x not in shared else None
        whole = op in (ops.add, ops.sub) and all(isinstance(y, Expression) and y.shape == x.shape for y in x.operands)
        if whole:
            stack += [(x.operands[1], sign if op is ops.add else -sign), (x.operands[0], sign)]
        elif op is ops.neg:
            stack.append((x.operands[0], -sign))
        else:
            found.append(Root(name, "+=" if sign > 0 else "-=", x))
    return found


def refuse(node: Expression) -> None:
    """NotLowerable for a node that the printer has no loops for."""
    raise NotLowerable(f"{getattr(node.op, 'name', node.op)} has no loops in C")
