"""Sums, however they were written, as one node each: Σ coefficient · factor · factor + constant."""

from __future__ import annotations

import math

from autograd import ops
from autograd.ops.rows import Op
from autograd.vectorizing.scalars import CONSTANT, NOTHING, Leaf, Scalars, Terms
from autograd.vectorizing.signs import seen

SUMS = (ops.add, ops.sub, ops.sum, ops._dot)
TERMS = (*SUMS, ops.neg)
WRITTEN = (ops.add, ops.sub, ops.neg)
PRODUCTS = (ops.mul, ops.div, ops.square)

FEW = 3  # terms of a sum that may all be 0 at once

Term = tuple[float, tuple[int, ...]]
"""A coefficient and the factors."""


def affine(graph: Scalars) -> Scalars:
    """Rewrite every sum (any nesting and order of ``+ - neg sum dot``, products and quotients inside) as `Terms`.

    A sum that several results use, or that an operation other than a sum uses, is a root; others are absorbed.

    >>> from autograd import Value
    >>> from autograd.vectorizing.simplify import drop, fold
    >>> from autograd.vectorizing.tracing import trace
    >>> w, b = Value(1.0), Value(0.0)
    >>> graph, _ = trace(lambda x: (b - (x[0] * 2.0 - w * x[1])).tanh(), [(2,)])
    >>> print(drop(affine(graph)))
    %0 = input 0 0
    %1 = input 0 1
    %2 = parameter 0
    %3 = parameter 1
    %4 = %3 + -2·%0 + %2·%1
    %5 = tanh %4
    return %5
    """
    uses = graph.uses().tolist()
    as_written = short_and_seen(graph, uses)
    inside = [True] * len(graph)  # whether every user is a sum, of which it is a term
    absorbed = [False] * len(graph)
    for n in graph.outputs:
        inside[n] = False
    for n in range(len(graph) - 1, -1, -1):
        op, args = graph.ops[n], graph.args[n]
        if type(op) is Leaf:
            continue
        absorbed[n] = op in TERMS and uses[n] == 1 and inside[n]
        as_written[n] = as_written[n] and not absorbed[n]
        if as_written[n] or not (op in SUMS or absorbed[n]):
            factors = args
        else:
            factors = args[: len(args) // 2 * 2] if op is ops._dot else ()
        for a in factors:
            inside[a] = False
    out = graph.like()
    number: list[int] = []
    for n, (op, args) in enumerate(zip(graph.ops, graph.args, strict=True)):
        if type(op) is Leaf:
            number.append(out.append(op, args))
        elif op in SUMS and not absorbed[n] and not as_written[n]:
            number.append(_root(graph, out, number, n, absorbed, inside))
        elif op in PRODUCTS and (scaled := _scaled(graph, out, number, n, uses)) is not None:
            number.append(scaled)
        else:
            number.append(out.append(op, tuple([number[a] for a in args])))
    out.outputs = [number[n] for n in graph.outputs]
    return out


def short_and_seen(graph: Scalars, uses: list[int]) -> list[bool]:
    """Sums of few terms whose zeros somebody can tell apart: these stay as they are written. Others add up anyhow."""
    found = seen(graph)
    if True not in found:
        return found
    size = [int(op is not CONSTANT) for op in graph.ops]  # how many terms a sum has, with those of its partial sums
    for n, (op, args) in enumerate(zip(graph.ops, graph.args, strict=True)):
        if op in TERMS:
            size[n] = sum(size[a] if uses[a] == 1 else min(size[a], 1) for a in args)
        found[n] = found[n] and op in WRITTEN and size[n] <= FEW
    return found


def _scaled(graph: Scalars, out: Scalars, number: list[int], n: int, uses: list[int]) -> int | None:
    """A long sum times a constant, as a sum of its own: a mean."""
    c, (x, *rest) = _product(graph, 1.0, n)
    if rest or x == n or uses[x] > 1 or not isinstance(op := out.ops[number[x]], Terms):
        return None
    if len(op.widths) < 3 or set(op.widths) != {1} or len(set(op.coefficients)) > 1 or not 0 < c < math.inf:
        return None
    return out.append(Terms(tuple([c * k for k in op.coefficients]), op.widths), out.args[number[x]])


def _root(graph: Scalars, out: Scalars, number: list[int], root: int, absorbed: list[bool], inside: list[bool]) -> int:
    coefficients: list[float] = []
    widths: list[int] = []
    operands: list[int] = []
    constant, cancelled = NOTHING, False
    stack: list[Term] = [(1.0, (root,))]
    while stack:
        c, factors = stack.pop()
        if len(factors) == 1:
            (n,) = factors
            if n == root or absorbed[n]:
                stack += reversed(_summands(graph, c, n))
                continue
            if graph.ops[n] in PRODUCTS and inside[n] and not isinstance(out.ops[number[n]], Terms):
                c, factors = _product(graph, c, n)
        c, factors = _scaled_by_constants(graph, c, factors)
        if not factors:
            constant += c
            cancelled = cancelled or c != 0
        else:
            coefficients.append(c)
            widths.append(len(factors))
            operands += [number[a] for a in factors]
    if constant or cancelled or not coefficients:
        coefficients.append(constant)
        widths.append(0)
    return out.append(Terms(tuple(coefficients), tuple(widths)), tuple(operands))


def _summands(graph: Scalars, c: float, n: int) -> list[Term]:
    """The terms of a sum times a coefficient."""
    op, args = graph.ops[n], graph.args[n]
    if op is ops.neg:
        return [(-c, args)]
    if op is ops.sub:
        return [(c, args[:1]), (-c, args[1:])]
    if op is ops._dot:
        k = len(args) // 2
        products = [(c, (a, b)) for a, b in zip(args[:k], args[k : 2 * k], strict=True)]
        return [*products, *[(c, (bias,)) for bias in args[2 * k :]]]
    return [(c, (a,)) for a in args]


def _scaled_by_constants(graph: Scalars, c: float, factors: tuple[int, ...]) -> Term:
    """A term whose factors that are constants have become a part of the coefficient."""
    for n in factors:
        if graph.ops[n] is CONSTANT:
            c *= graph.args[n][0]
    return c, tuple([n for n in factors if graph.ops[n] is not CONSTANT])


def _product(graph: Scalars, c: float, n: int) -> Term:
    """Coefficient and factors of a product; of a quotient by a constant too."""
    while True:
        op, args = graph.ops[n], graph.args[n]
        if op is ops.square:
            return c, (args[0], args[0])
        if op not in (ops.mul, ops.div):
            return c, (n,)
        a, b = args
        if op is ops.mul and graph.ops[a] is CONSTANT:
            a, b = b, a
        if graph.ops[b] is not CONSTANT:
            return c, args if op is ops.mul else (n,)
        scaled = _scaled_by(graph.args[b][0], c, op)
        if scaled is None:
            return c, (n,)
        c, n = scaled, a


def _scaled_by(k: float, c: float, op: Op) -> float | None:
    """A coefficient times a constant, or divided by it; None if the number is too large or too small, or a new 0."""
    if op is ops.div and not k:
        return None
    scaled = c * k if op is ops.mul else c / k
    return scaled if math.isfinite(scaled) and (scaled or not c or not k) else None
