"""`tree`: a graph as indented text, each result above its operands, with values, gradients and derivatives."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from autograd.engine.graph import Node
from autograd.engine.value import Value
from autograd.explaining.notation import TEXT, figure
from autograd.explaining.text import to_ascii
from autograd.explaining.view import View, rms

HEADINGS = ("value", "op", "data", "grad", "d(parent)/d(this)")


def tree(
    node: Node, max_depth: int | None = None, max_lines: int = 60, model: Any = None, ascii: bool | None = None
) -> str:
    """The graph of a Value or Tensor as text, one line a node.

    Args:
        node: the result to begin with.
        max_depth: how many operations to go down; by default all.
        max_lines: the largest number of lines. A last line counts the nodes that were left out.
        model: the module that gives the parameters their names. By default it is found among the living objects.
        ascii: write without Unicode signs. By default this is done only if standard output cannot show them.

    A node that is used more than once gets a number. It is expanded at its first use; later uses refer to the number.
    Nested sums are written as one sum. The columns are the node's number, its gradient from the last backward pass, and
    the derivative of the line's parent by the node. For a Tensor they are its shape and the root mean square of its
    gradient.

    >>> from autograd import Value
    >>> x, w = Value(0.5, label="x"), Value(-1.0, label="w")
    >>> y = (x * w).tanh() * x
    >>> y.backward()
    >>> print(tree(y, ascii=False))
    value       op       data     grad  d(parent)/d(this)
    ·           ×     -0.2311  +1.0000
    ├─ ·        tanh  -0.4621  +0.5000            +0.5000
    │  └─ x·w   ×     -0.5000  +0.3932            +0.7864
    │     ├─ x         0.5000  -0.8553            -1.0000
    │     └─ w        -1.0000  +0.1966            +0.5000
    └─ x               0.5000  -0.8553            -0.4621
    """
    view = View([node], model)
    plain = not unicode_output() if ascii is None else ascii
    walk = Walk(view, node, max_depth, plain)
    rows = [HEADINGS, *islice(walk, max_lines)]
    if plain:
        rows = [tuple(map(to_ascii, row)) for row in rows]
    widths = [max(width(row[i]) for row in rows) for i in range(5)]
    lines = []
    for row in rows:
        gaps = [" " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)]
        cells = [cell + gap if i < 2 else gap + cell for i, (cell, gap) in enumerate(zip(row, gaps, strict=True))]
        lines.append("  ".join(cells).rstrip())
    if left := len(view.nodes) - len(walk.shown):
        lines.append(f"{'...' if plain else '…'} {left:,} more value{'s' * (left > 1)}")
    return "\n".join(lines)


def width(text: str) -> int:
    """The number of terminal columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def unicode_output() -> bool:
    """True if standard output can show Unicode."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")


class Walk:
    """The lines of a tree, depth first. `shown` has the ids of the nodes that have a line or are folded into one."""

    def __init__(self, view: View, root: Node, max_depth: int | None, plain: bool) -> None:
        self.view = view
        self.root = root
        self.max_depth = max_depth
        self.plain = plain
        self.shown: set[int] = set()
        self.last, self.fork, self.pipe = ("`- ", "|- ", "|  ") if plain else ("└─ ", "├─ ", "│  ")

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        view = self.view
        tags: dict[int, int] = {}
        stack: list[tuple[Node, float | None, str, str, int]] = [(self.root, None, "", "", 0)]
        while stack:
            node, slope, branch, indent, depth = stack.pop()
            name = view.full_name(node) or view.pretty(node) or ("." if self.plain else "·")
            name = name if self.plain else TEXT.name(name)
            links = view.links(node)
            seen = id(node) in tags
            if links and (view.uses[id(node)] > 1 or seen):
                tags.setdefault(id(node), len(tags) + 1)
                name += f" (see #{tags[id(node)]})" if seen else f" #{tags[id(node)]}"
            derivative = "" if slope is None or np.isnan(slope) else figure(slope, signed=True, minus="-")
            sign = "" if node.is_leaf else view.sign(node)
            if not (seen and links) and id(node) not in self.shown:
                self.shown.update([id(node), *map(id, view.folded(node))])
            size = data(node).replace("×", "x") if self.plain else data(node)
            yield (branch + name, sign, size, gradient(node) if view.swept else "-", derivative)
            if seen or depth == self.max_depth:
                continue
            for k, link in reversed(list(enumerate(links))):
                end = k == len(links) - 1
                below = indent + ("   " if end else self.pipe)
                stack.append((link.operand, link.number, indent + (self.last if end else self.fork), below, depth + 1))


def data(node: Node) -> str:
    """A Value's number, or a Tensor's shape."""
    return figure(node.data, minus="-") if isinstance(node, Value) else shape(node)


def shape(node: Any) -> str:
    """A Tensor's shape and dtype."""
    return f"{'×'.join(map(str, node.shape)) or '()'} {node.dtype}"


def gradient(node: Node) -> str:
    """A Value's gradient, or the root mean square of a Tensor's."""
    if isinstance(node, Value):
        return figure(node.grad or 0.0, signed=True, minus="-")
    if node.grad is None or np.size(node.grad) == 0:
        return "-"
    return f"rms {figure(rms(node.grad), minus='-')}"
