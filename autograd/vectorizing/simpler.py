"""Shorter ways to the same numbers, for trees in any language: applied to each node as it is made.

Most rules keep every bit, of infinities and nan too. Some only keep finite numbers up to rounding: 0 times nan becomes
0, and a sum gets another order. Those are for cotangents alone. So a program gives what its function gives.

>>> from autograd.vectorizing.sizes import Size
>>> from autograd.vectorizing.tree import Trees
>>> n = Size.symbol("n")
>>> x = Trees(simplified).leaf("x", (n, 3), float)
>>> (-x * 1.0 - 0) is -x, ops.reshape(ops.reshape(x, (-1,)), (n, 3)) is x
(True, True)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Elementwise, Op
from autograd.ops.shapes import shape_of
from autograd.vectorizing.inference import Operand, broadcast
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import Expression, made


def simplified(node: Expression) -> Any:
    """The node, or a shorter way to the same numbers: of the same shape and dtype."""
    if isinstance(node.op, Elementwise):
        node = narrowed(node)
    short = SIMPLER[node.op](node) if node.op in SIMPLER else None
    if short is None or not isinstance(short, Expression):
        return node
    return short if short.shape == node.shape and short.dtype == node.dtype else node


def again(node: Expression, *operands: Any) -> Any:
    """The same operation on other operands."""
    return node.trees.make(node.op, operands, node.params)


def is_number(x: Any, *numbers: float) -> bool:
    """Whether it is one of these numbers, written as one."""
    return type(x) in (int, float) and x in numbers


def is_nothing(x: Any, node: Expression) -> bool:
    """Whether it changes nothing that it is added: -0.0; for a cotangent any 0, and what is not a float has one 0."""
    return is_number(x, 0) and (node.cotangent or node.dtype.kind != "f" or math.copysign(1, x) < 0)


def is_float(x: Any) -> bool:
    """Whether it is a float, or one of Python's numbers. Whole numbers wrap around, and bools have no minus."""
    return not isinstance(x, Expression) or x.weak or x.dtype.kind == "f"


def floats(x: Any, *rows: Op) -> tuple[Any, ...]:
    """As `made`, but nothing unless all operands are floats."""
    operands = made(x, *rows)
    return operands if all(map(is_float, operands)) else ()


def is_lifted(x: Any) -> bool:
    """Whether it is something with axes of length 1 put before its own."""
    if not (source := made(x, ops.reshape)):
        return False
    inner = source[0].shape
    extra = x.ndim - len(inner)
    return bool(extra >= 0 and x.shape == (1,) * extra + inner)


def narrowed(node: Expression) -> Expression:
    """An elementwise operation without those stretchings of its operands that broadcasting does anyway."""
    if not any(x.op in (ops.reshape, ops.broadcast_to) for x in node.parents):
        return node
    operands = list(node.operands)
    for i, x in enumerate(operands):
        while is_lifted(x) or made(x, ops.broadcast_to):
            (x,) = x.operands
            trial = [*operands[:i], x, *operands[i + 1 :]]
            if not fits(trial, node.shape):
                break
            operands = trial
    lifted = [is_lifted(x) for x in operands]
    if sum(lifted) == 1 and all(lift or not shape_of(x) for lift, x in zip(lifted, operands, strict=True)):
        inner = [x.operands[0] if lift else x for lift, x in zip(lifted, operands, strict=True)]
        return node.trees.make(ops.reshape, (again(node, *inner),), {"shape": node.shape})  # type: ignore[no-any-return]
    if all(x is y for x, y in zip(operands, node.operands, strict=True)):
        return node
    return node.trees._interned(node.op, tuple(operands), node.params)


def fits(operands: list[Any], shape: Any) -> bool:
    """Whether operands broadcast to this shape."""
    try:
        return bool(broadcast(map(shape_of, operands)) == shape)
    except NotLowerable:
        return False


def parts_of(x: Expression) -> tuple[Any, ...]:
    """The index of a getitem or a scatter as a tuple of parts, each a type that compares."""
    index = x.params["index"]
    parts = index if isinstance(index, tuple) and not isinstance(index, Operand) else (index,)
    return tuple("array" if isinstance(part, Operand) else part for part in parts)


def _negated(node: Expression) -> Any:
    """A sign of an operand comes before the whole."""
    for i, x in enumerate(node.operands):
        if of := floats(x, ops.neg):
            return -again(node, *node.operands[:i], of[0], *node.operands[i + 1 :])
    return None


def _broadcast_to(node: Expression) -> Any:
    (x,) = node.operands
    if shape_of(x) == node.shape:
        return x
    return ops.broadcast_to(x.operands[0], node.params["shape"]) if is_lifted(x) else None


def _mul(node: Expression) -> Any:
    for x, y in (node.operands, node.operands[::-1]):
        if is_number(x, 1):
            return y
        if is_number(x, -1) and is_float(y):
            return -y
        if not node.cotangent:
            continue
        if (of := floats(x, ops.div)) and is_number(of[0], 1, -1) and is_float(y):
            return of[0] * y / of[1]
        if (of := made(x, ops.where)) and isinstance(y, Expression):
            if is_number(of[1], 1) and is_number(of[2], 0):
                return ops.where(of[0], y, 0)
            if is_number(of[1], 0) and is_number(of[2], 1):
                return ops.where(of[0], 0, y)
    return _negated(node)


def _add(node: Expression) -> Any:
    for x, y in (node.operands, node.operands[::-1]):
        if is_nothing(x, node):
            return y
        if of := floats(y, ops.neg):
            return x - of[0]
    x, y = node.operands
    if x is y and is_float(x):  # the two sides of a square
        return (2 * of[0]) * of[1] if node.cotangent and (of := floats(x, ops.mul)) else 2 * x
    if not node.cotangent:
        return None
    if (of := floats(x, ops.add)) and of[1] is y:
        return of[0] + (y + y)
    if (of := floats(x, ops.add, ops.sub)) and of[0] is y:
        return again(x, y + y, of[1])
    return None


def _sub(node: Expression) -> Any:
    x, y = node.operands
    if is_number(y, 0) and is_nothing(-float(y), node):
        return x
    if of := floats(y, ops.neg):
        return x + of[0]
    of, other = floats(x, ops.mul), floats(y, ops.mul)
    return of[0] * (of[1] - other[1]) if node.cotangent and of and other and of[0] is other[0] else None


def _scatter(node: Expression) -> Any:
    g = node.operands[0]
    plain = all(type(part) is int or part in (None, Ellipsis, slice(None)) for part in parts_of(node))
    return ops.reshape(g, node.params["shape"]) if plain and g.size == node.size else None


def _reshape(node: Expression) -> Any:
    (x,) = node.operands
    if x.shape == node.shape:
        return x
    if of := made(x, ops.reshape):
        return ops.reshape(of[0], node.shape)
    for keep in (True, False) if (of := made(x, ops.sum)) else ():
        sums = ops.sum(of[0], **{**x.params, "keepdims": keep})
        if sums.shape == node.shape:
            return sums
    return None if is_lifted(node) else _negated(node)  # `narrowed` moves those the other way


def _transpose(node: Expression) -> Any:
    (x,) = node.operands
    order = node.params["axes"]
    if of := made(x, ops.transpose):
        return ops.transpose(of[0], tuple(x.params["axes"][i] for i in order))
    return x if order == tuple(range(x.ndim)) else None


def _where(node: Expression) -> Any:
    """A condition that is known; and what an inner choice puts where this one puts something else."""
    condition, x, y = node.operands
    if isinstance(condition, (bool, np.bool_)):
        return x if condition else y
    scales: list[tuple[Op, Any]] = []
    while (of := made(x, ops.mul, ops.div)) and sum(type(part) in (int, float) for part in of) == 1:
        number = next(i for i, part in enumerate(of) if type(part) in (int, float))
        if x.op is ops.div and number == 0:
            return None
        scales.append((x.op, (of[number], number)))
        x = of[1 - number]
    inner = made(x, ops.where)
    if not inner or inner[0] is not condition or shape_of(inner[1]) != x.shape:
        return None
    x = inner[1]
    for op, (number, place) in reversed(scales):
        x = op(number, x) if place == 0 else op(x, number)
    return ops.where(condition, x, y)


SIMPLER: dict[Any, Callable[[Expression], Any]] = {
    ops.mul: _mul,
    ops.add: _add,
    ops.sub: _sub,
    ops.neg: lambda node: of[0] if (of := made(node.operands[0], ops.neg)) else None,
    ops.div: lambda node: node.operands[0] if is_number(node.operands[1], 1) else _negated(node),
    ops.power: lambda node: node.operands[0] if is_number(node.operands[1], 1) else None,
    ops.matmul: _negated,
    ops.where: _where,
    ops.reshape: _reshape,
    ops.transpose: _transpose,
    ops.broadcast_to: _broadcast_to,
    ops.identity: lambda node: node.operands[0],
    ops.sum: lambda node: node.operands[0] if node.operands[0].shape == node.shape else _negated(node),
    ops.scatter: _scatter,
    ops.getitem: lambda node: node.operands[0] if all(part == slice(None) for part in parts_of(node)) else None,
    questions.logical_and: lambda node: next((x for x, y in (node.operands, node.operands[::-1]) if y is True), None),
}
"""Operation -> a shorter way to the same numbers, None where there is none. One of another shape is not taken."""
