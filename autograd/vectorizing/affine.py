"""Sums, however they were written, as one node each: Σ coefficient · factor · factor + constant."""

from __future__ import annotations

from typing import Any

from autograd import ops
from autograd.vectorizing.scalars import CONSTANT, Leaf, Scalars, Terms

SUMS = (ops.add, ops.sub, ops.sum, ops._dot)
TERMS = (*SUMS, ops.neg)
PRODUCTS = (ops.mul, ops.div, ops.square)


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
    factors: list[int] = []
    constant = 0.0
    stack: list[tuple[float, int, bool]] = [(1.0, root, True)]
    while stack:
        c, n, expand = stack.pop()
        op: Any = graph.ops[n]
        args = graph.args[n]
        if op is CONSTANT:
            constant += c * args[0]
            continue
        if op in TERMS and (expand or absorbed[n]):
            if op is ops._dot:
                k = len(args) // 2
                if len(args) % 2:
                    stack.append((c, args[-1], False))
                _products(graph, number, c, args[:k], args[k : 2 * k], coefficients, widths, factors)
            elif op is ops.neg:
                stack.append((-c, args[0], False))
            elif op is ops.sub:
                stack.append((-c, args[1], False))
                stack.append((c, args[0], False))
            else:
                stack.extend([(c, a, False) for a in reversed(args)])
            continue
        if op in PRODUCTS and inside[n] and not isinstance(out.ops[number[n]], Terms):
            c, pair = _product(graph, c, n)
        else:
            pair = (n,)
        if not c:  # 0 times a finite number
            continue
        coefficients.append(c)
        widths.append(len(pair))
        factors.extend([number[a] for a in pair])
    if constant:
        coefficients.append(constant)
        widths.append(0)
    return out.append(Terms(tuple(coefficients), tuple(widths)), tuple(factors))


def _products(
    graph: Scalars,
    number: list[int],
    c: float,
    left: tuple[int, ...],
    right: tuple[int, ...],
    coefficients: list[float],
    widths: list[int],
    factors: list[int],
) -> None:
    """The terms of a dot product; a factor that is a constant becomes a coefficient."""
    for a, b in zip(left, right, strict=True):
        ka, kb = graph.ops[a] is CONSTANT, graph.ops[b] is CONSTANT
        scaled = c * (graph.args[a][0] if ka else 1.0) * (graph.args[b][0] if kb else 1.0)
        if not scaled:
            continue
        coefficients.append(scaled)
        pair = [number[x] for x, known in ((a, ka), (b, kb)) if not known]
        widths.append(len(pair))
        factors.extend(pair)


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
