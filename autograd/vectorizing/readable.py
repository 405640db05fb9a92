"""Trees as text for people who debug: one line a node that is used more than once, nested calls otherwise.

>>> from autograd.vectorizing.sizes import Size
>>> from autograd.vectorizing.tree import Trees
>>> trees = Trees()
>>> x = trees.leaf("x", (Size.symbol("n"), 2), float)
>>> print(readable([(x * x).sum(axis=1)]))
sum(mul(x, x), axis=(1,)): (n,) float64
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd.engine.graph import postorder
from autograd.vectorizing.tree import LET, Expression


def readable(roots: Sequence[Any], names: Sequence[str] = ()) -> str:
    """The trees below these roots: each operation by its row's name, with its parameters; shape and dtype of lines.

    What `Trees.let` has named has a line of its own. `names` are those of the roots.
    """
    order = postorder([x for x in roots if isinstance(x, Expression)])
    uses = Counter(x for node in order for x in node.parents)
    texts: dict[Any, str] = {}
    lines: list[str] = []
    for node in order:
        if node.op is LET:
            lines.append(f"{node.name} = {texts[node.operands[0]]}: {kind(node)}")
        text = written(node, texts)
        if (uses[node] > 1 and node.op is not None and not node.name) or len(text) > 200:
            texts[node] = f"%{len(lines) + 1}"
            lines.append(f"{texts[node]} = {text}: {kind(node)}")
        else:
            texts[node] = text
    ends = [f"{texts[x]}: {kind(x)}" if isinstance(x, Expression) else repr(x) for x in roots]
    ends = [f"{name} = {end}" for name, end in zip(names, ends, strict=True)] if names else ends
    return "\n".join([*lines, *ends])


def kind(node: Any) -> str:
    """Shape and dtype."""
    return f"({', '.join(map(str, node.shape))}{',' * (len(node.shape) == 1)}) {node.dtype}"


def written(node: Any, texts: dict[Any, str]) -> str:
    """One operation on the texts of its operands."""
    if node.name:
        return str(node.name)
    if node.op is None:
        return f"<{kind(node)}>"
    operands = [texts[x] if isinstance(x, Expression) else repr(x) for x in node.operands]
    return f"{node.op.name}({', '.join([*operands, *(f'{key}={x}' for key, x in node.params.items())])})"
