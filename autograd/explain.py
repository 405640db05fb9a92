"""`explain`: a gradient as the sum over paths that the chain rule says it is, in symbols and in numbers."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd import ops
from autograd.graph import Node, between
from autograd.local import Local
from autograd.notation import LATEX, TEXT
from autograd.rows import Elementwise
from autograd.symbol import PRODUCT, Notation, Symbol, symbol
from autograd.value import Value
from autograd.view import View


@dataclass(frozen=True)
class Factor:
    """One step of a path: the derivative of `of` with respect to `by`, as a formula and as a number."""

    of: str
    by: str
    formula: Symbol | None
    number: float


@dataclass(frozen=True)
class Path:
    """One way from the result to the variable: its factors, their product, and its share of all that flows."""

    factors: tuple[Factor, ...]
    product: float
    share: float

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names along the path, the result first."""
        return (self.factors[0].of, *(factor.by for factor in self.factors)) if self.factors else ()


@dataclass(frozen=True)
class Group:
    """All paths that reach the variable through one node: how many, and what they add up to."""

    through: str
    count: int
    total: float
    share: float


@dataclass(frozen=True)
class Explanation:
    """What `explain` found; printing it gives text, a notebook shows LaTeX.

    `paths` are the largest by magnitude, `count` is how many there are, `gradient` their sum (of all of them).
    `groups` has all paths by the last node before the variable. A share is of the sum of the paths' magnitudes.
    """

    of: str
    by: str
    gradient: float
    count: int
    paths: tuple[Path, ...]
    groups: tuple[Group, ...]

    def __str__(self) -> str:
        of, by = TEXT.name(self.of), TEXT.name(self.by)
        if not self.count:
            return f"{quotient(self.of, self.by, TEXT)} = 0: {of} does not depend on {by}"
        if self.count == 1:
            return "\n".join(lines(self.paths[0], self.of, self.by))
        parts = [f"{quotient(self.of, self.by, TEXT)} = {short(self.gradient)}, the sum over {self.count:,} paths"]
        for k, path in enumerate(self.paths, 1):
            parts += ["", f"path {k}" + (f", {path.share:.1%} of all that flows:" if path.share else ":")]
            parts += [f"  {line}" for line in lines(path, self.of, self.by)]
        if self.count == len(self.paths):
            terms = " + ".join(bracketed(path.product) for path in self.paths)
            return "\n".join([*parts, "", f"sum: {terms} = {short(self.gradient)}"])
        parts += ["", f"and {self.count - len(self.paths):,} smaller ones. All paths, by the last step before {by}:"]
        shown = self.groups[:GROUPS]
        width = max(len(TEXT.name(group.through)) for group in shown)
        for group in shown:
            name, many = TEXT.name(group.through), f"{group.count:,} path{'s' * (group.count > 1)}"
            parts.append(f"  {name:<{width}}  {short(group.total):>10}  {group.share:6.1%}  {many}")
        if len(self.groups) > GROUPS:
            parts.append(f"  … and through {len(self.groups) - GROUPS:,} more")
        return "\n".join(parts)

    @property
    def latex(self) -> str:
        """The derivation as LaTeX: an aligned block."""
        head = quotient(self.of, self.by, LATEX)
        rows = []
        if self.count != 1:
            rows.append(rf"{head} &= {short(self.gradient, '-')} \quad \text{{({self.count:,} paths)}}")
        for path in self.paths:
            first, *rest = [row for row in derivation(path, LATEX) if row != head]
            left = head if self.count == 1 else rf"\text{{path of {100 * path.share:.1f}\%:}}\quad"
            rows += [f"{left} &= {first}", *(f"&= {row}" for row in rest)]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


GROUPS = 10


def explain(loss: Value, variable: Value, limit: int = 8, model: Any = None) -> Explanation:
    """How the derivative of one Value with respect to another comes about.

    Args:
        loss: the result.
        variable: anything that it may have been computed from, a leaf or not.
        limit: the most paths to spell out, the largest; all of them are counted and summed.
        model: the module whose parameters' paths are their names; it is found by itself.

    A path goes from named node to named node (labels, and attributes of modules); what lies between two of them is
    one factor. Where nothing between has a name, every node counts, as v1, v2, … TypeError for Tensors: their local
    derivatives are whole matrices; explain a network of Values, or look at `autograd.draw`.

    >>> w, x = Value(3.0, "w"), Value(2.0, "x")
    >>> h = w * x; h.label = "h"
    >>> L = h.square(); L.label = "L"
    >>> print(explain(L, w))
    ∂L/∂w = ∂L/∂h · ∂h/∂w
          = 2h · x
          = 12 · 2
          = 24
    """
    for x in (loss, variable):
        if not isinstance(x, Value):
            raise TypeError(f"explain works on Values, one number a node, not on a {type(x).__name__}")
    graph = Waypoints(loss, variable, model)
    return graph.explanation(max(limit, 1))


@dataclass(frozen=True)
class Edge:
    """A result and one of its waypoints, by identity, with the derivative between them."""

    of: int
    by: int
    formula: Symbol | None
    number: float


class Waypoints(View):
    """The nodes with a name between two Values, and the derivatives from one to the next."""

    def __init__(self, loss: Value, variable: Value, model: Any) -> None:
        super().__init__([loss], model, fold="affine")
        self.loss, self.variable = loss, variable
        self.shared = Counter(map(self.name, self.nodes))
        self.inside = {id(x) for x in (loss, variable, *between([loss], [variable]))}
        nodes = [x for x in self.nodes if id(x) in self.inside]  # operands before results
        named = [x for x in nodes if x is loss or x is variable or self.name(x)]
        if len(named) <= 2:
            self.fold, named = "none", nodes
        self.names = {id(variable): self._whole_name(variable) or "w", **self._names(named)}
        self.order = named[::-1]
        self.edges = {id(x): self._edges(x) for x in self.order if x is not variable}

    def pretty(self, node: Node) -> str:
        """The waypoint's name, or what a View would call the node."""
        return self.names.get(id(node)) or super().pretty(node)

    def _names(self, waypoints: Sequence[Node]) -> dict[int, str]:
        """A name for each: short where it is the only one of it, else the whole path, else made up."""
        names: dict[int, str] = {}
        for x in waypoints:
            name = self._whole_name(x)
            if not name:
                taken = any(other.label == "L" for other in waypoints)
                name = ("loss" if taken else "L") if x is self.loss else f"v{len(names) + 1}"
            names[id(x)] = name
        return names

    def _whole_name(self, node: Node) -> str:
        """The short name, or the whole path where others have the same."""
        return self.name(node) if self.shared[self.name(node)] < 2 else self.full_name(node)

    def _edges(self, node: Node) -> list[Edge]:
        """The derivatives in the next waypoints below: sums of products over what lies between."""
        links: dict[int, list[Local]] = {}
        order: list[Node] = []
        stack: list[Any] = [node]
        while stack:
            x = stack.pop()
            if x is None:
                order.append(stack.pop())
            elif id(x) not in links:
                end = x is not node and id(x) in self.names
                links[id(x)] = [] if end else [link for link in self.links(x) if id(link.operand) in self.inside]
                stack += [x, None, *(link.operand for link in links[id(x)])]
        flow: dict[int, tuple[Symbol | None, float]] = {id(node): (symbol(1), 1.0)}
        edges = []
        for x in reversed(order):
            formula, number = flow[id(x)]
            if x is not node and id(x) in self.names:
                edges.append(Edge(id(node), id(x), formula, number))
            for link in links[id(x)]:
                part = joined(ops.mul, formula, link.formula)
                more = number * link.number
                if (before := flow.get(id(link.operand))) is not None:
                    part, more = joined(ops.add, before[0], part), before[1] + more
                flow[id(link.operand)] = (part, more)
        return edges

    def explanation(self, limit: int) -> Explanation:
        """The largest paths from the loss to the variable, and what all of them add up to."""
        start, end = id(self.loss), id(self.variable)
        totals, sizes, counts = {start: 1.0}, {start: 1.0}, {start: 1}
        best: dict[int, list[tuple[float, tuple[Edge, ...]]]] = {start: [(1.0, ())]}
        groups = []
        for node in self.order:
            key = id(node)
            best[key] = heapq.nlargest(limit, best.get(key, []), key=magnitude)
            for edge in self.edges.get(key, ()):
                by = edge.by
                totals[by] = totals.get(by, 0.0) + totals[key] * edge.number
                sizes[by] = sizes.get(by, 0.0) + sizes[key] * abs(edge.number)
                counts[by] = counts.get(by, 0) + counts[key]
                best.setdefault(by, []).extend((x * edge.number, (*path, edge)) for x, path in best[key])
                if by == end:
                    groups.append(
                        (self.names[key], counts[key], totals[key] * edge.number, sizes[key] * abs(edge.number))
                    )
        everything = sizes.get(end, 0.0)

        def share(size: float) -> float:
            return size / everything if everything else 0.0

        paths = [
            Path(
                tuple(Factor(self.names[e.of], self.names[e.by], e.formula, e.number) for e in edges),
                product,
                share(abs(product)),
            )
            for product, edges in best.get(end, [])
        ]
        through = [Group(name, count, total, share(size)) for name, count, total, size in groups]
        through.sort(key=lambda group: abs(group.total), reverse=True)
        return Explanation(
            self.names[start], self.names[end], totals.get(end, 0.0), counts.get(end, 0), tuple(paths), tuple(through)
        )


def magnitude(found: tuple[float, Any]) -> float:
    """How much a path counts; what is not a number comes first."""
    return math.inf if math.isnan(found[0]) else abs(found[0])


def joined(op: Elementwise, x: Symbol | None, y: Symbol | None) -> Symbol | None:
    """A product or sum of formulas; None where there is none, where it would be long, or has a gap."""
    if x is None or y is None:
        return None
    text = str(found := Symbol(op, None, (x, y)))
    return found if len(text) <= LONGEST and "…" not in text else None


LONGEST = 80  # characters of a formula as Python

# ------------------------------------------------------------------------------------------------------- in words


def quotient(of: str, by: str, notation: Notation) -> str:
    """``∂L/∂w``."""
    if notation is LATEX:
        return rf"\frac{{\partial {LATEX.name(of)}}}{{\partial {LATEX.name(by)}}}"
    return f"∂{notation.name(of)}/∂{notation.name(by)}"


def short(x: float, minus: str = "−") -> str:
    """A number to four significant digits."""
    return f"{x:.4g}".replace("-", minus)


def bracketed(x: float, minus: str = "−") -> str:
    """A number as a factor or a term."""
    return f"({short(x, minus)})" if x < 0 else short(x, minus)


def derivation(path: Path, notation: Notation) -> list[str]:
    """The path's quotients, its formulas (if there are any), its numbers and their product."""
    dot, minus = (r" \cdot ", "-") if notation is LATEX else (" · ", "−")
    rows = [dot.join(quotient(factor.of, factor.by, notation) for factor in path.factors)]
    if any(factor.formula is not None for factor in path.factors):
        formulas = [
            quotient(factor.of, factor.by, notation)
            if factor.formula is None
            else notation.within(factor.formula, PRODUCT)
            for factor in path.factors
        ]
        rows.append(dot.join(formulas))
    if len(path.factors) != 1:
        rows.append(dot.join(bracketed(factor.number, minus) for factor in path.factors) or "1")
    return [*rows, short(path.product, minus)]


def lines(path: Path, of: str, by: str) -> list[str]:
    """The derivation as text, its equals signs below each other."""
    head = quotient(of, by, TEXT)
    first, *rest = [row for row in derivation(path, TEXT) if row != head]
    return [f"{head} = {first}", *(" " * len(head) + f" = {row}" for row in rest)]
