"""Sums, however they were written, as one node each: Σ coefficient · factor · factor + constant."""

from __future__ import annotations

from autograd import ops
from autograd.vectorizing.scalars import CONSTANT, Leaf, Scalars, Terms

SUMS = (ops.add, ops.sub, ops.sum, ops._dot)
TERMS = (*SUMS, ops.neg)
PRODUCTS = (ops.mul, ops.div, ops.square)

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
    uses = graph.uses()
    inside = [True] * len(graph)  # whether every user is a sum, of which it is a term
    absorbed = [False] * len(graph)
    for n in graph.outputs:
        inside[n] = False
    for n in range(len(graph) - 1, -1, -1):
        op, args = graph.ops[n], graph.args[n]
        if type(op) is Leaf:
            continue
        absorbed[n] = op in TERMS and uses[n] == 1 and inside[n]
        if not (op in SUMS or absorbed[n]):
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
        elif op in SUMS and not absorbed[n]:
            number.append(_root(graph, out, number, n, absorbed, inside))
        elif op in PRODUCTS and (scaled := _scaled(graph, out, number, n, uses)) is not None:
            number.append(scaled)
        else:
            number.append(out.append(op, tuple([number[a] for a in args])))
    out.outputs = [number[n] for n in graph.outputs]
    return out


def _scaled(graph: Scalars, out: Scalars, number: list[int], n: int, uses: list[int]) -> int | None:
    """A long sum times a constant, as a sum of its own: a mean."""
    c, (x, *rest) = _product(graph, 1.0, n)
    if rest or x == n or uses[x] > 1 or not isinstance(op := out.ops[number[x]], Terms):
        return None
    if len(op.widths) < 3 or set(op.widths) != {1} or len(set(op.coefficients)) > 1:
        return None
    return out.append(Terms(tuple([c * k for k in op.coefficients]), op.widths), out.args[number[x]])


def _root(graph: Scalars, out: Scalars, number: list[int], root: int, absorbed: list[bool], inside: list[bool]) -> int:
    coefficients: list[float] = []
    widths: list[int] = []
    operands: list[int] = []
    constant = 0.0
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
        elif c:  # 0 times a finite number
            coefficients.append(c)
            widths.append(len(factors))
            operands += [number[a] for a in factors]
    if constant:
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


def _product(graph: Scalars, c: float, n: int) -> tuple[float, tuple[int, ...]]:
    """Coefficient and factors of a product; of a quotient by a constant too."""
    while True:
        op, args = graph.ops[n], graph.args[n]
        if op is ops.square:
            return c, (args[0], args[0])
        a, b = args if op in (ops.mul, ops.div) else (n, n)
        if op is ops.mul and graph.ops[a] is CONSTANT:
            c, n = c * graph.args[a][0], b
        elif op is ops.mul and graph.ops[b] is CONSTANT:
            c, n = c * graph.args[b][0], a
        elif op is ops.div and graph.ops[b] is CONSTANT and graph.args[b][0]:
            c, n = c / graph.args[b][0], a
        elif op is ops.mul:
            return c, (a, b)
        else:
            return c, (n,)
