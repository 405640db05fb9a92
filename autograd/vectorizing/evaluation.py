"""The numbers of a tree, at given lengths: what every printer's text is held to.

>>> from autograd.vectorizing.sizes import Size
>>> from autograd.vectorizing.tree import Trees
>>> x = Trees().leaf("x", (Size.symbol("n"), 2), float)
>>> evaluate([x.sum(axis=1)], {x: np.ones((3, 2))}, {"n": 3})
[array([2., 2., 2.])]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import postorder
from autograd.vectorizing.inference import applied, concrete, lowered
from autograd.vectorizing.tree import Expression, made


def evaluate(roots: Sequence[Any], values: Mapping[Expression, Any], lengths: Mapping[str, int]) -> list[Any]:
    """The rows on arrays: the numbers of each root, given those of the leaves."""
    order = postorder([x for x in roots if isinstance(x, Expression)])
    sums, inside = sums_of_parts(order, roots)
    found: dict[Any, Any] = {}
    with np.errstate(all="ignore"):
        for node in order:
            if node in inside:
                continue
            if node.op is None:
                found[node] = values.get(node, node.array)
            elif node in sums:
                found[node] = total = np.zeros(concrete(node.shape, lengths), node.dtype)
                for term in sums[node]:
                    add_to(total, term, found, lengths)
            else:
                arrays = [found[x] if isinstance(x, Expression) else x for x in node.operands]
                out = applied(node.op, arrays, concrete(node.params, lengths) if node.params else {})
                found[node] = out.item() if node.weak else out
    return [np.asarray(found[x] if isinstance(x, Expression) else x) for x in roots]


def sums_of_parts(
    order: Sequence[Expression], roots: Sequence[Any]
) -> tuple[dict[Expression, list[Expression]], set[Expression]]:
    """The terms of each sum that has scatters among them, and what is read as a part of such sums only.

    These sums are made in one array. So the gradient of an array that is read one element a step takes linear time.
    """
    if all(node.op is not ops.scatter for node in order):
        return {}, set()
    uses = Counter(x for x in (*roots, *(x for node in order for x in node.parents)) if isinstance(x, Expression))
    sums: dict[Expression, list[Expression]] = {}
    inside: set[Expression] = set()
    looked_at: set[Expression] = set()
    for node in reversed(order):
        if node.op is not ops.add or node in looked_at:
            continue
        terms, partial, stack = [], [], [node]
        while stack:
            x = stack.pop()
            free = x is node or (uses[x] == 1 and x.shape == node.shape and x.dtype == node.dtype)
            if free and made(x, ops.add) and len(x.parents) == 2:
                partial.append(x)
                stack += x.operands
            else:
                terms.append(x)
        looked_at.update(partial)
        parts = [x for x in terms if x.op is ops.scatter and uses[x] == 1 and x.shape == node.shape]
        if parts:
            sums[node] = terms
            inside.update(partial[1:], parts)
    return sums, inside


def add_to(total: Any, term: Expression, found: Mapping[Expression, Any], lengths: Mapping[str, int]) -> None:
    """Add a term: a scatter that has not been made is added where its numbers belong."""
    if term in found:
        total += found[term]
        return
    arrays = [found[x] if isinstance(x, Expression) else x for x in term.operands]
    np.add.at(total, lowered(concrete(term.params["index"], lengths), arrays, []), arrays[0])
