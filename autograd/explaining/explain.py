"""`explain`: a gradient as the chain rule's sum over paths, in symbols and in numbers."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from autograd import ops
from autograd.engine.graph import Node, between
from autograd.engine.value import Value
from autograd.explaining.naming import INPUTS, LOSS
from autograd.explaining.notation import LATEX, TEXT, application
from autograd.explaining.view import View
from autograd.ops.rows import Elementwise
from autograd.ops.symbol import ATOM, PRODUCT, Notation, Symbol, symbol


@dataclass(frozen=True)
class Factor:
    """One step of a path: the derivative of `of` with respect to `by`, as a formula and as a number."""

    of: str
    by: str
    formula: Symbol | None
    number: float


@dataclass(frozen=True)
class Path:
    """One path from the result to the variable: its factors, their product, and its share.

    The share is the product's magnitude, divided by the sum of the magnitudes of all paths.
    """

    factors: tuple[Factor, ...]
    product: float
    share: float

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names along the path, the result first."""
        return (self.factors[0].of, *(factor.by for factor in self.factors)) if self.factors else ()


@dataclass(frozen=True)
class Group:
    """All paths whose last step starts at one node: their number, their sum, and their share."""

    through: str
    count: int
    total: float
    share: float


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`. Printing it gives text; a notebook shows LaTeX.

    `count` is the number of all paths, and `gradient` is their sum. `paths` are the largest of them by magnitude.
    `groups` sums up all paths by the last node before the variable. A share is a part of the sum of the magnitudes of
    all paths. It is nan if that sum is not finite. `legend` explains names that were made up.
    """

    of: str
    by: str
    gradient: float
    count: int
    paths: tuple[Path, ...]
    groups: tuple[Group, ...]
    legend: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = self._derivations()
        if self.legend:
            parts += ["", *(f"{'where' if k == 0 else '     '} {line}" for k, line in enumerate(self.legend[:LEGEND]))]
        if (left := len(self.legend) - LEGEND) > 0:
            parts.append(f"      … and {left:,} more")
        return "\n".join(parts)

    def _derivations(self) -> list[str]:
        of, by = TEXT.name(self.of), TEXT.name(self.by)
        if not self.count:
            return [f"{quotient(self.of, self.by, TEXT)} = 0: {of} does not depend on {by}"]
        if self.count == 1:
            return lines(self.paths[0], self.of, self.by)
        parts = [f"{quotient(self.of, self.by, TEXT)} = {short(self.gradient)}, the sum over {self.count:,} paths"]
        for k, path in enumerate(self.paths, 1):
            parts += ["", f"path {k}" + (f", {percent(path.share)} of the total:" if path.share > 0 else ":")]
            parts += [f"  {line}" for line in lines(path, self.of, self.by)]
        if self.count == len(self.paths):
            terms = " + ".join(bracketed(path.product) for path in self.paths)
            return [*parts, "", f"sum: {terms} = {short(self.gradient)}"]
        left = self.count - len(self.paths)
        parts += ["", f"and {left:,} smaller one{'s' * (left > 1)}. All paths, by the last step before {by}:"]
        shown = self.groups[:GROUPS]
        width = max(len(TEXT.name(group.through)) for group in shown)
        most = max(len(short(group.total)) for group in shown)
        for group in shown:
            share = "" if math.isnan(group.share) else f"{group.share:.1%}"
            name, many = TEXT.name(group.through), f"{group.count:,} path{'s' * (group.count > 1)}"
            parts.append(f"  {name:<{width}}  {short(group.total):>{most}}  {share:>6}  {many}")
        if len(self.groups) > GROUPS:
            parts.append(f"  … and through {len(self.groups) - GROUPS:,} more")
        return parts

    @property
    def latex(self) -> str:
        """The derivation as LaTeX: an aligned block."""
        head = quotient(self.of, self.by, LATEX)
        rows = []
        if self.count != 1:
            if not self.count:
                return rf"{head} = 0"
            rows.append(rf"{head} &= {LATEX.literal(self.gradient)[0]} \quad \text{{({self.count:,} paths)}}")
        for path in self.paths:
            written = derivation(path, LATEX)
            first, *rest = written[written[0] == head :]
            left = head if self.count == 1 else rf"\text{{path{of_all(path.share)}:}}\quad"
            rows += [f"{left} &= {first}", *(f"&= {row}" for row in rest)]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


GROUPS = 10
LEGEND = 8
FACTORS = 12  # the most that are written out


def explain(loss: Value, variable: Value, limit: int = 8, model: Any = None) -> Explanation:
    """Derive the gradient of one Value by another, step by step.

    Args:
        loss: the result.
        variable: a Value that the loss may depend on, a leaf or not.
        limit: how many paths to write out. They are the largest; all paths are counted and summed.
        model: the module that gives the parameters their names. By default it is found among the living objects.

    A path goes from one named node to the next. Labels and attributes of modules are names. The nodes between two named
    ones are one factor. If no node between the loss and the variable has a name, every node is a step of the path, with
    a made-up name v1, v2, …, and a legend explains these names. A node without a name that is on no path appears in the
    formulas as its number.

    Raises TypeError for Tensors, since their partial derivatives are whole matrices: explain a network of Values, or
    use `autograd.draw`.

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
            raise TypeError(f"explain works on Values, which hold one number each, not on a {type(x).__name__}")
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
    """The named nodes between two Values, and the derivatives from each to the next."""

    def __init__(self, loss: Value, variable: Value, model: Any) -> None:
        super().__init__([loss], model, fold="affine")
        self.loss, self.variable = loss, variable
        self.shared = Counter(map(self.name, self.nodes))
        self.subgraph = list(dict.fromkeys((variable, *between([loss], [variable]), loss)))  # operands before results
        self.inside = {id(x): place for place, x in enumerate(self.subgraph)}
        nodes = [x for x in self.nodes if id(x) in self.inside]
        named = [x for x in nodes if x is loss or x is variable or self.name(x)]
        if len(named) <= 2:
            self.fold, named = "none", nodes
        self.names: dict[int, str] = {}
        self.made_up: dict[int, Node] = {}
        self.names = {id(variable): self._whole_name(variable) or "w", **self._names(named)}
        self.order = named[::-1]
        self.edges = {id(x): self._edges(x) for x in self.order if x is not variable}

    def pretty(self, node: Node) -> str:
        """The waypoint's name. A node without a name that is on no path is called by its number."""
        name = self.names.get(id(node)) or self._whole_name(node) or super().pretty(node)
        return name or ("" if id(node) in self.inside else short(node.data))

    def term(self, node: Node, depth: int = 3) -> str | Symbol:
        """The name, or a short formula in names: ``ŷ−y``. If there is neither, a node on no path is its number."""
        if name := self.names.get(id(node)) or self._whole_name(node):
            return name
        if depth and isinstance(node.op, Elementwise):
            parts = [self.term(x, depth - 1) if isinstance(x, Value) else symbol(x) for x in node.operands]
            found = Symbol(node.op, None, tuple(part if isinstance(part, Symbol) else Symbol(part) for part in parts))
            if found.names and len(text := str(found)) <= LONGEST // 2 and "…" not in text:
                return found
        return Symbol("…") if id(node) in self.inside else symbol(node.data)

    def is_anonymous(self, node: Node) -> bool:
        return id(node) not in self.names and super().is_anonymous(node)

    def _names(self, waypoints: Sequence[Node]) -> dict[int, str]:
        """A name for each node: the short name if it is unique, else the whole path, else a made-up name."""
        names: dict[int, str] = {}
        for k, x in enumerate(waypoints, 1):
            name = self._whole_name(x)
            if not name:
                wanted = [*(("L", "loss") if x is self.loss else ()), f"v{k}"]
                name = next((free for free in wanted if free not in self.shared), f"v_{k}")
                self.made_up[id(x)] = x
            names[id(x)] = name
        return names

    def _define(self, node: Node) -> str:
        """The definition of a made-up name, ``v₃ = exp(v₂)``, and its place in the model."""
        name = TEXT.name(self.names[id(node)])
        if node.is_leaf:
            return f"{name} = {short(node.data)}"
        place = "" if not self.paths or self.chain(node) in (LOSS, INPUTS) else ".".join(self.chain(node))
        text, op, many = "", node.op, len(node.operands)
        is_dot = op is ops.ROWS["dot"]
        operands = [self._operand(x) for x in node.operands[:9]]
        if isinstance(op, Elementwise):
            text = application(op, operands)
        elif not is_dot and many < 9:
            text = f"{op.name}({', '.join(TEXT.write(x)[0] for x in operands)})"
        if not text or len(text) > LONGEST:
            text = f"w·x{' + b' * (many % 2)} ({many // 2} inputs)" if is_dot else f"{op.name} of {many:,}"
        return f"{name} = {text}" + (f", in {place}" if place else "")

    def _operand(self, x: Any) -> Symbol:
        """An operand in a definition: its name or number, else its formula."""
        if not isinstance(x, Node):
            return symbol(x)
        term = self.term(x)
        return term if isinstance(term, Symbol) and term.parts else Symbol(self.pretty(x) or "…")

    def _whole_name(self, node: Node) -> str:
        """The short name if it is unique, else the whole path."""
        return self.name(node) if self.shared[self.name(node)] < 2 else self.full_name(node)

    def _edges(self, node: Node) -> list[Edge]:
        """The derivatives by the next waypoints below: sums over the paths between, of products of partials."""
        flow: dict[int, tuple[Symbol | None, float]] = {id(node): (symbol(1), 1.0)}
        edges = []
        heap = [-self.inside[id(node)]]  # of places, the last one first: results come before their operands
        while heap:
            x = self.subgraph[-heapq.heappop(heap)]
            formula, number = flow[id(x)]
            if x is not node and id(x) in self.names:
                edges.append(Edge(id(node), id(x), formula, number))
                continue
            for link in self.links(x):
                if (place := self.inside.get(id(link.operand))) is None:
                    continue
                part = joined(ops.mul, formula, link.formula)
                more = number * link.number
                if (before := flow.get(id(link.operand))) is None:
                    heapq.heappush(heap, -place)
                else:
                    part, more = joined(ops.add, before[0], part), before[1] + more
                flow[id(link.operand)] = (part, more)
        return edges

    def explanation(self, limit: int) -> Explanation:
        """The largest paths from the loss to the variable, and the sum of all paths."""
        start, end = id(self.loss), id(self.variable)
        totals, sizes, counts = {start: 1.0}, {start: 1.0}, {start: 1}
        best: dict[int, list[tuple[float, Any]]] = {start: [(1.0, None)]}  # products, and the edges as linked lists
        groups = []
        for node in self.order:
            key = id(node)
            best[key] = heapq.nlargest(limit, best.get(key, []), key=magnitude)
            for edge in self.edges.get(key, ()):
                by = edge.by
                totals[by] = totals.get(by, 0.0) + totals[key] * edge.number
                sizes[by] = sizes.get(by, 0.0) + sizes[key] * abs(edge.number)
                counts[by] = counts.get(by, 0) + counts[key]
                best.setdefault(by, []).extend((x * edge.number, (path, edge)) for x, path in best[key])
                if by == end:
                    groups.append(
                        (self.names[key], counts[key], totals[key] * edge.number, sizes[key] * abs(edge.number))
                    )
        whole = sizes.get(end, 0.0)

        def share(size: float) -> float:
            return (size / whole if whole else 0.0) if math.isfinite(whole) else math.nan

        paths = []
        shown: dict[int, None] = {}
        for product, edges in best.get(end, []):
            factors = []
            while edges is not None:
                edges, e = edges
                factors.append(Factor(self.names[e.of], self.names[e.by], e.formula, e.number))
                shown.update({e.of: None, e.by: None})
            paths.append(Path(tuple(factors[::-1]), product, share(abs(product))))
        made_up = [self.made_up[id(node)] for node in self.order if id(node) in shown and id(node) in self.made_up]
        legend = [self._define(node) for node in made_up[: LEGEND + 1]] + [""] * (len(made_up) - LEGEND - 1)
        through = [Group(name, count, total, share(size)) for name, count, total, size in groups]
        through.sort(key=lambda group: abs(group.total), reverse=True)
        return Explanation(
            self.names[start],
            self.names[end],
            totals.get(end, 0.0),
            counts.get(end, 0),
            tuple(paths),
            tuple(through),
            tuple(legend),
        )


def magnitude(found: tuple[float, Any]) -> float:
    """The magnitude by which paths are sorted. A nan comes first."""
    return math.inf if math.isnan(found[0]) else abs(found[0])


def joined(op: Elementwise, x: Symbol | None, y: Symbol | None) -> Symbol | None:
    """A product or sum of formulas. None if one is missing, or the result is too long or has an ellipsis."""
    if x is None or y is None:
        return None
    if op is ops.mul and (x.head == 1 or y.head == 1):
        found = y if x.head == 1 else x
    else:
        found = Symbol(op, None, (x, y))
    text = str(found)
    return found if len(text) <= LONGEST and "…" not in text else None


LONGEST = 80  # characters of a formula as Python

# ------------------------------------------------------------------------------------------------------- in words


def quotient(of: str, by: str, notation: Notation) -> str:
    """``∂L/∂w``."""
    top, bottom = (notation.within(Symbol(name), ATOM) for name in (of, by))
    if notation is LATEX:
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
    return f"∂{top}/∂{bottom}"


def short(x: float) -> str:
    """A number to four significant digits."""
    return f"{x + 0.0:.4g}".replace("-", "−")


def percent(share: float) -> str:
    """A share in percent, with one decimal."""
    return f"{share:.1%}" if share >= 5e-4 else "less than 0.1%"


def of_all(share: float) -> str:
    """A share for LaTeX; empty if it is 0 or nan."""
    return f" of {percent(share)}".replace("%", r"\%") if share > 0 else ""


def bracketed(x: float, notation: Notation = TEXT) -> str:
    """A number as a factor or a term."""
    text = short(x) if notation is TEXT else notation.literal(x)[0]
    return notation.bracket(text) if x < 0 else text


def derivation(path: Path, notation: Notation) -> list[str]:
    """The lines of a path: its quotients, its formulas (if there are any), its numbers and their product."""
    product = short(path.product) if notation is TEXT else notation.literal(path.product)[0]
    rows = [chain(path, lambda factor: quotient(factor.of, factor.by, notation), notation)]
    if any(factor.formula is not None for factor in path.factors):
        rows.append(chain(path, lambda factor: formula(factor, notation), notation))
    if len(path.factors) != 1:
        rows.append(chain(path, lambda factor: bracketed(factor.number, notation), notation))
    return [row for row, below in pairwise([*rows, product, ""]) if row and row != below]


def formula(factor: Factor, notation: Notation) -> str:
    """A factor's formula as part of a product. A factor without a formula is written as its quotient."""
    if factor.formula is None:
        return quotient(factor.of, factor.by, notation)
    text = notation.within(factor.formula, PRODUCT)
    return notation.bracket(text) if text[0] in "-−" else text


def chain(path: Path, write: Callable[[Factor], str], notation: Notation) -> str:
    """The product of a path's factors. Of a long path only the beginning and the end are written."""
    dot, gap = (r" \cdot ", r"\cdots") if notation is LATEX else (" · ", f"… {len(path.factors) - FACTORS:,} more …")
    if len(path.factors) <= FACTORS:
        return dot.join(map(write, path.factors))
    return dot.join([*map(write, path.factors[: FACTORS // 2]), gap, *map(write, path.factors[-FACTORS // 2 :])])


def lines(path: Path, of: str, by: str) -> list[str]:
    """The derivation as text, with its equals signs aligned."""
    head = quotient(of, by, TEXT)
    rows = derivation(path, TEXT)
    first, *rest = rows[rows[0] == head :]
    return [f"{head} = {first}", *(" " * len(head) + f" = {row}" for row in rest)]
