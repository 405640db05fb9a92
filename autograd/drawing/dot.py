"""Pictures of values and operations, as DOT: cards with number and gradient, edges with the partial derivatives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from autograd import ops
from autograd.drawing import style
from autograd.drawing.columns import Columns, Operand
from autograd.drawing.render import Drawing
from autograd.engine.graph import Node
from autograd.engine.value import Value
from autograd.explaining.naming import INPUTS, LOSS, Chain
from autograd.explaining.notation import TEXT, figure
from autograd.explaining.partials import Partial
from autograd.explaining.view import View, rms

MOST_IN_COLUMNS = 250  # values; columns in a larger picture would make the layout take minutes
FAN_IN = 8  # operands; of a longer sum only the first three and the last are shown


@dataclass
class Selection:
    """The part of a graph that is shown. `nodes` has operands before results. The other fields go by node id."""

    nodes: list[Node]
    terms: dict[int, list[list[Partial]]]  # the terms of each computed node that are shown
    elided: dict[int, int] = field(default_factory=dict)  # how many operands of a long sum are left out
    cut: set[int] = field(default_factory=set)  # nodes whose operands are not shown
    uses: dict[int, int] = field(default_factory=dict)  # how many uses of a node are not shown


def select(view: View, most: int, focus: Node | None = None, radius: int = 2, fan_in: float = FAN_IN) -> Selection:
    """Choose the nodes to show: breadth first from the outputs, or the neighbourhood of one node."""
    terms: dict[int, list[list[Partial]]] = {}
    elided: dict[int, int] = {}

    def below(node: Node) -> list[Node]:
        if id(node) not in terms:
            found = view.terms(node)
            if len(found) > fan_in:
                elided[id(node)] = len(found) - 4
                found = [*found[:3], found[-1]]
            terms[id(node)] = found
        return [link.operand for term in terms[id(node)] for link in term]

    uses: dict[int, int] = {}
    if focus is not None:
        chosen, uses = neighbourhood(view, focus, radius)
    else:
        chosen, layer = {}, list(view.outputs)
        while layer and len(chosen) < most:
            room = most - len(chosen)
            fresh = {id(x): x for x in layer if id(x) not in chosen}
            chosen.update(list(fresh.items())[:room])
            layer = [x for node in fresh.values() if id(node) in chosen for x in below(node)]
    selection = Selection([], {}, {})
    for node in view.nodes:
        if id(node) in chosen:
            selection.nodes.append(node)
            operands = below(node)
            selection.terms[id(node)] = [
                kept for term in terms[id(node)] if (kept := [link for link in term if id(link.operand) in chosen])
            ]
            if id(node) in elided:
                selection.elided[id(node)] = elided[id(node)]
            if any(id(x) not in chosen for x in operands):
                selection.cut.add(id(node))
    selection.uses = {key: count for key, count in uses.items() if count}
    return selection


def neighbourhood(view: View, focus: Node, radius: int) -> tuple[dict[int, Node], dict[int, int]]:
    """The nodes within so many operations of one, in either direction, and how often others use each of them."""
    if id(focus) not in view.uses:
        raise ValueError("the focus is not part of this graph")
    consumers: dict[int, list[Node]] = {}
    hidden = view.hidden()
    for node in view.nodes:
        if id(node) not in hidden:
            for link in view.links(node):
                consumers.setdefault(id(link.operand), []).append(node)
    chosen = {id(focus): focus}
    layer = [focus]
    for _ in range(radius):
        near = [
            x for node in layer for x in (*consumers.get(id(node), ()), *(link.operand for link in view.links(node)))
        ]
        layer = list({id(x): x for x in near if id(x) not in chosen}.values())
        chosen.update((id(x), x) for x in layer)
    return chosen, {key: sum(id(x) not in chosen for x in consumers.get(key, ())) for key in chosen}


# ---------------------------------------------------------------------------------------------------- the picture


class Clusters:
    """DOT statements, grouped by the part that they belong to. Parts are nested."""

    def __init__(self, view: View, direction: str = "right") -> None:
        self.view = view
        self.direction = direction
        self.own: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, Clusters] = {}

    def at(self, chain: Chain) -> Clusters:
        """The part at the end of a chain of titles."""
        here = self
        for title in chain:
            here = here.inside.setdefault(title, Clusters(self.view, self.direction))
        return here

    def write(self, graph: Any, chain: Chain = (), prefix: str = "cluster") -> None:
        """Write the statements, and a subgraph for each part."""
        for name, attributes in self.own:
            graph.node(name, **attributes)
        for k, (title, part) in enumerate(self.inside.items()):
            below = (*chain, title)
            with graph.subgraph(name=f"{prefix}_{k}") as sub:
                text = style.escape(self.view.title(below))
                small = style.font(text, point_size=9, color=style.GREY)
                title = small if chain else style.bold(text, point_size=12)
                fill = style.NEUTRAL if len(below) % 2 else "#FFFFFF"
                sub.attr(label=f"<{title}>" if title else "", labeljust="l", style="rounded,filled", color=style.PALE,
                         labelloc="t" if below == INPUTS else style.TITLES[self.direction], fillcolor=fill,
                         margin="8", penwidth="1")  # fmt: skip
                part.write(sub, below, f"{prefix}_{k}")


class Picture:
    """A picture of the selected nodes in the default style."""

    def __init__(
        self, view: View, selection: Selection, legend: bool = True, notice: str = "", direction: str = "right"
    ) -> None:
        self.view = view
        self.notice = notice
        self.direction = direction
        self.selection = selection
        self.number = {id(x): i for i, x in enumerate(selection.nodes)}
        self.swept = view.swept
        self.alarm = False  # True if a card has a red border
        self.most = largest(view, selection.nodes)
        self.clusters = Clusters(view, direction)
        self.columns = Columns()
        self.edges: list[tuple[str, str, dict[str, str]]] = []
        self.constants: dict[int, str] = {}
        self.extra = 0
        for node in selection.nodes:
            self._card(node)
            if not node.is_leaf:
                self._operation(node)
        self._unshown()
        self.legend = legend

    def drawing(self, name: str = "graph") -> Drawing:
        """The finished DOT."""
        inputs = [self.card_id(x) for x in self.selection.nodes if x.is_leaf and self.view.chain(x) == INPUTS]
        columns = [column for column in (*self.columns.ordered(), (INPUTS, inputs)) if len(column[1]) > 1]
        if len(self.selection.nodes) > MOST_IN_COLUMNS:
            columns = []
        looks = {**style.GRAPH, **(style.COLUMNS if columns else {}), "rankdir": style.DIRECTIONS[self.direction]}
        graph = Drawing(name, graph_attr=looks, node_attr=dict(style.NODE), edge_attr=dict(style.EDGES))
        self.clusters.write(graph)
        for tail, head, attributes in self.edges:
            graph.edge(tail, head, **attributes)
        for k, (chain, column) in enumerate(columns):
            with graph.subgraph(name=f"column_{k}") as same:
                same.attr(rank="same")
                # Graphviz fills the clusters of a graph that runs to the right from the bottom
                for pair in pairwise(column[::-1] if chain and self.direction == "right" else column):
                    same.edge(*pair, style="invis")
        below = [f'<TD ALIGN="LEFT">{style.font(style.escape(self.notice), point_size=10)}</TD>'] if self.notice else []
        if self.legend:
            below.append(f'<TD ALIGN="LEFT">{self._legend()}</TD>')
        if below:
            graph.attr(label=f"<{style.table(below)}>", labelloc="b", labeljust="l")
        graph.count = len(self.selection.nodes)
        return graph

    def _put(self, chain: Chain, name: str, **attributes: str) -> None:
        self.clusters.at(chain).own.append((name, attributes))

    def _card(self, node: Node) -> None:
        view = self.view
        role = view.role(node)
        shown = role if role in ("param", "input", "target", "loss") else ""
        looks = dict(style.ROLES[role])
        grad = view.grad(node) if self.swept else None
        if isinstance(node, Value):
            label = style.number_card(view.pretty_card(node), shown, node.data, grad, self.most)
            bad = not math.isfinite(node.data) or (grad is not None and not math.isfinite(grad))
        else:
            grad = grad if isinstance(grad, np.ndarray) else None
            label = style.array_card(view.pretty_card(node), shown, ops.detach(node), grad, self.most)
            bad = not np.all(np.isfinite(ops.detach(node))) or (grad is not None and not np.all(np.isfinite(grad)))
        if bad:
            self.alarm = True
            looks |= {"color": style.ALARM, "penwidth": "3"}
        name = view.full_name(node) or view.pretty(node)
        self._put(
            view.chain(node),
            self.card_id(node),
            id=self.card_id(node),
            label=f"<{label}>",
            tooltip=style.tooltip(f"{name} {role}".strip()),
            **looks,
        )

    def card_id(self, node: Node) -> str:
        """The name of a node's card in DOT and SVG."""
        return f"v{self.number[id(node)]}"

    def _operation(self, node: Node) -> None:
        name, chain = f"o{self.number[id(node)]}", self.view.chain(node)
        sign = self.view.sign(node)
        self._put(chain, name, id=name, tooltip=style.tooltip(node.op.name), **sign_looks(sign))
        self.edges.append((name, self.card_id(node), {"id": f"{name}_out"}))
        flow = None
        if self.swept and not isinstance(node, Value):
            with np.errstate(all="ignore"):  # as in a backward pass
                flow = node._cotangents(node.grad, live=False)
        position, terms = 0, []
        for term in self.selection.terms[id(node)]:
            terms.append(operands := list[Operand]())
            for link in term:
                attributes = self._link(node, link, flow) | {"id": f"e{self.number[id(node)]}_{position}"}
                source = self.view.chain(link.operand)
                card = self.card_id(link.operand)
                start = self._connect(card, source, name, chain, attributes, self.view.pretty(link.operand))
                if start != card or source == chain:
                    operands.append(Operand(start, link.operand, enters=start != card))
                position += 1
        self.columns.add(node, chain, terms, self.view.is_anonymous)
        for x in node.operands:
            if isinstance(x, np.ndarray) and x.ndim:
                self._constant(x, name, chain)

    def _constant(self, array: Any, name: str, chain: Chain) -> None:
        if id(array) not in self.constants:
            self.constants[id(array)] = f"c{len(self.constants)}"
            card = style.array_card("", "constant", array, None)
            part = () if not self.view.modular else chain if chain == LOSS else INPUTS
            self._put(part, self.constants[id(array)], label=f"<{card}>", **style.ROLES["constant"])
        self._connect(self.constants[id(array)], (), name, chain, {"style": "dashed", "color": style.LINE})

    def _connect(
        self, tail: str, source: Chain, head: str, chain: Chain, attributes: dict[str, str], entering: str = ""
    ) -> str:
        """Add an edge. If it enters a part, add a node with its name inside the part's border.

        Without this node, Graphviz routes the edge with long detours. Returns the name of this node, or the tail.
        """
        if not chain or source[: len(chain)] == chain:
            self.edges.append((tail, head, attributes))
            return tail
        entry = f"p{self.extra}"
        self.extra += 1
        colour = attributes.get("color", style.INK)
        width = f"{float(attributes.get('penwidth', style.EDGES['penwidth'])) / 72:.3f}"  # that of the edge, in inches
        point = {"shape": "point", "width": width, "height": width, "penwidth": "0", "fillcolor": colour}
        looks = style.ENTRY if entering else point
        first = attributes | {"arrowhead": "none", "tailport": style.LEAVING[self.direction]}
        first.pop("label", None)
        if "id" in attributes:
            looks = looks | {"id": attributes["id"] + "_at"}
            first["id"] = attributes["id"] + "_in"
        self._put(chain, entry, label=style.escape(entering), tooltip=style.tooltip(entering), **looks)
        self.edges += [(tail, entry, first), (entry, head, attributes)]
        return entry

    def _link(self, node: Node, link: Partial, flow: Any) -> dict[str, str]:
        """The attributes of an edge: its label, and its width by the gradient that flows back along it."""
        attributes: dict[str, str] = {}
        if isinstance(node, Value):
            text = derivative_text(link)
            if text:
                attributes["label"] = style.edge_label(text, self.direction)
            contribution = link.number * self.view.grad(node) if self.swept else None
        else:
            array = None if flow is None else flow[link.position]
            contribution = None if array is None or not np.size(array) else rms(array)
        if contribution is None:
            return attributes
        if contribution == 0:
            return attributes | {"style": "dashed", "color": style.EDGE, "tooltip": "0"}
        attributes["penwidth"] = f"{style.thickness(abs(contribution), self.most):.2f}"
        if isinstance(node, Value):
            shades = style.POSITIVE if contribution > 0 else style.NEGATIVE
            attributes["color"] = shades[max(2, style.bucket(contribution, self.most))]
            attributes["tooltip"] = (
                f"{figure(link.number)} × {figure(self.view.grad(node))} = {figure(contribution, signed=True)}"
            )
        else:
            attributes["color"] = style.LINE
            attributes["tooltip"] = f"rms {figure(contribution)}"
        return attributes

    def _unshown(self) -> None:
        """Add stubs for operands of long sums, nodes below and further uses of a value that are not shown."""
        selection = self.selection
        for node in selection.nodes:
            key, chain, number = id(node), self.view.chain(node), self.number[id(node)]
            if key in selection.elided:
                self._stub(f"o{number}", f"… {selection.elided[key]:,} more", chain, into=True)
            if key in selection.cut:
                self._stub(f"o{number}", "…", chain, into=True)
            if key in selection.uses:
                self._stub(f"v{number}", f"… {selection.uses[key]:,} more", (), into=False)

    def _stub(self, at: str, text: str, chain: Chain, into: bool) -> None:
        name = f"s{self.extra}"
        self.extra += 1
        self._put(chain, name, label=text, shape="plaintext", fontsize="10", fontcolor=style.GREY, margin=".02")
        tail, head = (name, at) if into else (at, name)
        self.edges.append((tail, head, {"style": "dotted", "color": style.LINE}))

    def _legend(self) -> str:
        lines = [
            ("double border", "parameter (trained)"),
            ("folded corner", "input; dashed: target"),
            ("rounded", "computed value; thick: the result"),
            ("number on an edge", "partial derivative ∂(result)/∂(this input); no number: 1"),
            ("grad of a node", "sum over its outgoing edges: number on the edge × grad of the result"),
        ]
        of_values = all(isinstance(x, Value) for x in self.selection.nodes)
        if not of_values:
            lines[3] = ("strips", "the numbers, then the gradient; a cell shows the largest of its section; white is 0")
            lines[4] = (
                "width of an edge",
                "root mean square of the gradient that flows back along it, log scale",
            )
        if self.alarm:
            lines.append(("red border", "data or grad is nan or infinite"))
        if any(attributes.get("tooltip") == "0" for _, _, attributes in self.edges):
            lines.append(("dashed edge", "no gradient flows back along it"))
        if not self.swept:
            lines[4] = ("grad –", "no gradient yet: call backward()")
        colours = [*reversed(style.NEGATIVE), style.NEUTRAL, *style.POSITIVE]
        bar = style.table(
            ["".join(f'<TD FIXEDSIZE="TRUE" WIDTH="9" HEIGHT="9" BGCOLOR="{colour}"></TD>' for colour in colours)],
            cellpadding=0,
        )
        scale = f"negative … positive grad, log scale up to {figure(self.most)}"
        if of_values:
            scale += "; edges use the same colours and scale"
        rows = [f'<TD COLSPAN="2" ALIGN="LEFT"><B>{style.font("How to read this graph", point_size=10)}</B></TD>']
        for sign, meaning in lines:
            meant = style.font(style.escape(meaning), point_size=9, color=style.GREY)
            rows.append(f'<TD ALIGN="LEFT">{style.font(sign, point_size=9)}</TD><TD ALIGN="LEFT">{meant}</TD>')
        if self.swept:
            meant = style.font(scale, point_size=9, color=style.GREY)
            rows.append(f'<TD ALIGN="LEFT">{bar}</TD><TD ALIGN="LEFT">{meant}</TD>')
        return style.table(rows)


def sign_looks(sign: str) -> dict[str, str]:
    """The attributes of an operation's node: a disc for a sign, a box for a name."""
    label = style.escape(sign)
    if len(sign) <= 2 or sign == "|x|":
        return {"label": label, "shape": "circle", "fixedsize": "true", "width": ".28", "style": "filled",
                "fillcolor": style.INK, "color": style.INK, "fontcolor": "#FFFFFF", "margin": "0",
                "fontsize": "11" if len(sign) == 1 else "9"}  # fmt: skip
    return {"label": label, "shape": "box", "style": "filled,rounded", "fillcolor": style.INK, "color": style.INK,
            "fontcolor": "#FFFFFF", "fontsize": "10", "height": ".26", "margin": ".08,.03"}  # fmt: skip


def derivative_text(link: Partial) -> str:
    """The label of an edge: ``x₁ = −2``, ``h₁(1−h₁) = 0.131``; empty for a constant 1."""
    number = f"{link.number:.3g}".replace("-", "−")
    if link.formula is None or "…" in str(link.formula):
        return number
    text = TEXT.write(link.formula)[0]
    if not link.formula.names:
        return "" if link.number == 1 else number
    return f"{text} = {number}"


def largest(view: View, nodes: Iterable[Node]) -> float:
    """The largest gradient among the nodes that are shown, without the outputs."""
    ends = {id(x) for x in view.outputs}
    found = [view.grad(x) for x in nodes if id(x) not in ends]
    peaks = [float(np.max(np.abs(g))) for g in found if g is not None and np.size(g)]
    return max((g for g in peaks if math.isfinite(g)), default=0.0)
