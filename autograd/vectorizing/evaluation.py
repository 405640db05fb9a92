"""The numbers of a tree, at given lengths: what every printer's text is held to.

>>> from autograd.vectorizing.sizes import Size
>>> from autograd.vectorizing.tree import Trees
>>> x = Trees().leaf("x", (Size.symbol("n"), 2), float)
>>> evaluate([x.sum(axis=1)], {x: np.ones((3, 2))}, {"n": 3})
[array([2., 2., 2.])]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd.engine.graph import postorder
from autograd.vectorizing.inference import applied, concrete
from autograd.vectorizing.tree import Expression


def evaluate(roots: Sequence[Any], values: Mapping[Expression, Any], lengths: Mapping[str, int]) -> list[Any]:
    """The rows on arrays: the numbers of each root, given those of the leaves."""
    found: dict[Any, Any] = {}
    with np.errstate(all="ignore"):
        for node in postorder([x for x in roots if isinstance(x, Expression)]):
            if node.op is None:
                found[node] = values.get(node, node.array)
            else:
                arrays = [found[x] if isinstance(x, Expression) else x for x in node.operands]
                out = applied(node.op, arrays, concrete(node.params, lengths) if node.params else {})
                found[node] = out.item() if node.weak else out
    return [np.asarray(found[x] if isinstance(x, Expression) else x) for x in roots]
