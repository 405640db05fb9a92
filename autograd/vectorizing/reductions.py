"""Reductions that were written out: softmax, log-softmax and logsumexp are recognised, and computed stably."""

from __future__ import annotations

from typing import Any

from autograd import ops
from autograd.vectorizing.scalars import Element, Leaf, Pick, Scalars, Terms, terms

ENDS = (ops.div, ops.log)
"""What a reduction that was written out ends with."""


def reductions(graph: Scalars) -> Scalars:
    """Rewrite ``exp(a) / sum(exp)``, its logarithm, and ``log(sum(exp))``, after `affine`.

    A number that all the exponents have in common (their maximum, taken off so that nothing overflows) does not
    change a softmax, and goes: the operation takes off its own.

    >>> from autograd import max
    >>> from autograd.vectorizing.affine import affine
    >>> from autograd.vectorizing.simplify import drop
    >>> from autograd.vectorizing.tracing import trace
    >>> def f(x):
    ...     m = max(x)
    ...     e = [(a - m).exp() for a in x]
    ...     return (e[1] / sum(e)).log()
    >>> print(drop(reductions(affine(trace(f, [(2,)])[0]))))
    %0 = input 0 0
    %1 = input 0 1
    %2 = log_softmax[1] %0 %1
    return %2
    """
    if not graph.among(ENDS).any():
        return graph
    out = graph.like()
    number: list[int] = []
    known: dict[int, tuple[int, ...]] = {}  # exponents of a sum of exponentials

    def exponents(total: int) -> tuple[int, ...]:
        if total not in known:
            known[total] = _exponents(graph, total)
        return known[total]

    for op, args in zip(graph.ops, graph.args, strict=True):
        if type(op) is Leaf:
            number.append(out.append(op, args))
            continue
        if op is ops.div and graph.ops[args[0]] is ops.exp and (powers := exponents(args[1])):
            (a,) = graph.args[args[0]]
            if a in powers:
                bare = tuple([number[x] for x in _without_common(graph, powers)])
                number.append(out.append(Element("softmax", powers.index(a)), bare))
                continue
        if op is ops.log:
            if powers := exponents(args[0]):
                number.append(out.append(ops.logsumexp, tuple([number[a] for a in powers])))
                continue
            if (found := _log(out, number[args[0]])) is not None:
                number.append(found)
                continue
        number.append(out.append(op, tuple([number[a] for a in args])))
    out.outputs = [number[n] for n in graph.outputs]
    return out


def _exponents(graph: Scalars, total: int) -> tuple[int, ...]:
    """The a of ``sum of exp(a)``, if that is what this is."""
    op, args = graph.ops[total], graph.args[total]
    if not isinstance(op, Terms) or len(args) < 1 or set(op.coefficients) != {1.0} or set(op.widths) != {1}:
        return ()
    if any(graph.ops[x] is not ops.exp for x in args) or len(set(args)) < len(args):
        return ()
    return tuple([graph.args[x][0] for x in args])


def _without_common(graph: Scalars, powers: tuple[int, ...]) -> tuple[int, ...]:
    """The exponents without the one term that is taken off all of them."""
    pairs = []
    for a in powers:
        op: Any = graph.ops[a]
        if not isinstance(op, Terms) or sorted(op.coefficients) != [-1.0, 1.0] or op.widths != (1, 1):
            return powers
        (first, (x,)), (_, (y,)) = terms(op, graph.args[a])
        pairs.append((x, y) if first > 0 else (y, x))
    common = {y for _, y in pairs}
    return tuple([x for x, _ in pairs]) if len(common) == 1 else powers


def _log(out: Scalars, x: int) -> int | None:
    """The logarithm of a softmax, also of one that a whole number picks; None of anything else."""
    op, args = out.ops[x], out.args[x]
    if isinstance(op, Element) and op.function == "softmax":
        return out.append(Element("log_softmax", op.which), args)
    if isinstance(op, Pick) and all(isinstance(out.ops[a], Element) and out.ops[a].function == "softmax" for a in args):
        return out.append(op, tuple([out.append(Element("log_softmax", out.ops[a].which), out.args[a]) for a in args]))
    return None
