"""The overview of a large graph: one card for each layer, with its parameters, outputs and gradients in summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import ops
from autograd.drawing import style
from autograd.drawing.render import Drawing
from autograd.drawing.style import font, table
from autograd.engine.graph import Node
from autograd.engine.value import Value
from autograd.explaining.naming import INPUTS, LOSS, Chain
from autograd.explaining.notation import figure
from autograd.explaining.view import View, rms

ROWS, COLUMNS = 16, 17  # at most, in the matrix of parameter gradients
TARGETS: Chain = ("targets",)
SATURATED = {ops.tanh: (-0.97, 0.97), ops.sigmoid: (0.015, 0.985)}
MANY = 0.2  # warn if a larger share of the outputs is saturated


@dataclass
class Part:
    """A layer, the inputs, the targets or the loss: what of the graph belongs to it."""

    chain: Chain
    nodes: list[Node] = field(default_factory=list)
    parameters: list[Node] = field(default_factory=list)
    outputs: dict[int, Node] = field(default_factory=dict)  # nodes that other groups use, by id


class Overview:
    """The graph of a view, with one card for each outermost part."""

    def __init__(self, view: View, notice: str = "", direction: str = "right") -> None:
        self.view = view
        self.notice = notice
        self.direction = direction
        self.groups: dict[Chain, Part] = {}
        self.flows: dict[tuple[Chain, Chain], dict[int, Node]] = {}
        self.edges = 0
        where = {id(node): self._part(node) for node in view.nodes}
        for node in view.nodes:
            chain = where[id(node)]
            group = self.groups.get(chain)
            if group is None:
                group = self.groups[chain] = Part(chain)
            (group.parameters if view.role(node) == "param" else group.nodes).append(node)
            for x in node.parents:
                self.edges += 1
                source = where[id(x)]
                if source != chain:
                    self.groups[source].outputs[id(x)] = x
                    self.flows.setdefault((source, chain), {})[id(x)] = x
        for node in view.outputs:
            self.groups[where[id(node)]].outputs[id(node)] = node
        self.top = {"units": 0.0, "parameters": 0.0}
        for group in self.groups.values():
            self.top["units"] = max(self.top["units"], peak(self._gradients(group.outputs.values())))
            self.top["parameters"] = max(self.top["parameters"], peak(self._gradients(group.parameters)))

    def _part(self, node: Node) -> Chain:
        role = self.view.role(node)
        if role == "target":
            return TARGETS
        return self.view.chain(node)[:1] or (INPUTS if node.is_leaf else LOSS)

    def drawing(self, name: str = "graph") -> Drawing:
        """The picture."""
        looks = {**style.GRAPH, "rankdir": style.DIRECTIONS[self.direction], "nodesep": ".4", "ranksep": ".9"}
        graph = Drawing(name, graph_attr=looks, node_attr=dict(style.NODE), edge_attr={**style.EDGES, "fontsize": "10"})
        names = {chain: f"g{i}" for i, chain in enumerate(self.groups)}
        most = max((rms(self._gradients(nodes.values())) for nodes in self.flows.values()), default=0.0)
        for chain, group in self.groups.items():
            graph.node(
                names[chain],
                label=f"<{self._card(group)}>",
                tooltip=style.tooltip(self.view.title(chain)),
                **self._looks(group),
            )
        for (source, chain), nodes in self.flows.items():
            flow = rms(self._gradients(nodes.values()))
            count = font(self._extent(self.groups[source], nodes.values()), point_size=10, color=style.GREY)
            lines = [f"<TD>{count}</TD>"]
            if self.view.swept and source != TARGETS:
                lines.append(
                    f"<TD>{font(f'<B><I>rms grad {figure(flow)}</I></B>', point_size=10, color=style.GREY)}</TD>"
                )
            graph.edge(
                names[source],
                names[chain],
                label=f"<{table(lines, cellpadding=2 if self.direction == 'right' else 6)}>",
                color=style.LINE,
                penwidth=f"{style.thickness(flow, most):.2f}",
            )
        graph.attr(label=f"<{self._legend()}>", labelloc="b", labeljust="l")
        graph.count = len(self.groups)
        return graph

    # ------------------------------------------------------------------------------------------------- the cards

    def _looks(self, group: Part) -> dict[str, str]:
        role = {INPUTS: "input", TARGETS: "target", LOSS: "loss"}.get(group.chain, "param")
        return dict(style.ROLES[role])

    def _card(self, group: Part) -> str:
        title, _, kind = self.view.title(group.chain).partition(" · ")
        numbers = data_of(group.outputs.values()) if group.outputs else data_of(group.nodes)
        count = sum(int(np.size(ops.detach(x))) for x in group.parameters)
        rows = [
            f'<TD COLSPAN="2" ALIGN="LEFT">{style.bold(style.escape(title), point_size=13)}'
            f"  {font(style.escape(kind or self._few(group)), point_size=10, color=style.GREY)}</TD>"
        ]
        if group.chain in (INPUTS, TARGETS):
            return table([*rows, line("data", font(style.span(numbers), point_size=10))], cellpadding=3)
        if group.chain == LOSS and len(group.outputs) == 1:
            rows.append(line("data", font(style.span(numbers), point_size=10)))
        folded = f"{len(group.nodes) + len(group.parameters):,} folded"
        params = font(f"  ({count:,} params)", point_size=10, color=style.GREY) if count else ""
        rows.append(line("values", font(folded, point_size=10) + params))
        if group.chain == LOSS:
            return table(rows, cellpadding=3)
        rows.append(line("out data", font(style.span(numbers), point_size=10)))
        if self.view.swept:
            rows.append(line("out grad", self._strip(group)))
            if group.parameters:
                gradients = self._gradients(group.parameters)
                rows.append(line("param grad", self._matrix(group)))
                size, largest = font(f"<B><I>{figure(rms(gradients))}</I></B>", point_size=10), extreme(gradients)
                rest = font(f"<B><I>{figure(largest, signed=True)}</I></B>", point_size=10)
                rows.append(line("", f"{font('rms ', point_size=10)}{size}{font('  max ', point_size=10)}{rest}"))
        for warning in self._warnings(group):
            text = font(f"<B>! {style.escape(warning)}</B>", point_size=10, color="#7D4E00")
            rows.append(f'<TD COLSPAN="2" ALIGN="LEFT" BGCOLOR="#FFF8C5">{text}</TD>')
        return table(rows, cellpadding=3)

    def _few(self, group: Part) -> str:
        """What an unnamed kind of group is made of."""
        if group.chain in (INPUTS, TARGETS):
            return self._extent(group, group.outputs.values())
        return ""

    def _extent(self, group: Part, nodes: Iterable[Node]) -> str:
        """How many units of how many samples each: ``16 × 8``."""
        members = list(nodes)
        if members and not isinstance(members[0], Value):
            return ", ".join(style.shape_text(x) for x in members[:3])
        units = {self.view.chain(x) for x in members}
        each = len(members) / max(len(units), 1)
        if len(units) > 1 and each == int(each):
            return f"{len(units)} × {int(each)}"
        return f"{len(members):,}"

    def _units(self, nodes: Iterable[Node]) -> list[list[Node]]:
        """The nodes, grouped by unit: a neuron, or a single node without one."""
        found: dict[Any, list[Node]] = {}
        for node in nodes:
            chain = self.view.chain(node)
            found.setdefault(chain if len(chain) > 1 else id(node), []).append(node)
        return list(found.values())

    def _strip(self, group: Part) -> str:
        """The gradient of each unit, of its samples the largest."""
        outputs = list(group.outputs.values())
        if all(isinstance(x, Value) for x in outputs):
            return style.cells([extreme(self._gradients(unit)) for unit in self._units(outputs)], self.top["units"])
        arrays = [
            x.grad.reshape(-1, x.grad.shape[-1] if x.grad.ndim else 1)
            for x in outputs
            if isinstance(x.grad, np.ndarray)
        ]
        return style.cells([extreme(column) for a in arrays for column in a.T], self.top["units"])

    def _matrix(self, group: Part) -> str:
        """The gradients of the parameters: a row a unit, its bias last."""
        units = self._units(group.parameters)
        matrices = [np.atleast_2d(x.grad) for x in group.parameters if isinstance(x.grad, np.ndarray)]
        if not matrices:  # Values: one row for each unit; without units, one row
            alone = len(units) == len(group.parameters)
            rows = [[float(x.grad or 0.0) for x in unit] for unit in ([group.parameters] if alone else units)]
        elif len({m.shape[1] for m in matrices}) == 1:  # weights and biases; each column is a unit
            rows = np.concatenate(matrices).T.tolist()
        else:
            rows = [row for m in matrices for row in m.T.tolist()]
        squares = []
        for members in stretches(rows, ROWS):
            row = [extreme(part) for part in stretches_of_rows(members, COLUMNS)]
            squares.append("".join(square(x, self.top["parameters"]) for x in row))
        return table(squares, cellpadding=0, border=1, color=style.PALE)

    def _gradients(self, nodes: Iterable[Node]) -> Any:
        found = [np.ravel(x.grad) for x in nodes if x.grad is not None]
        return np.concatenate(found) if found else np.zeros(0)

    def _warnings(self, group: Part) -> list[str]:
        """Units that are dead or saturated on all or many samples."""
        found = []
        outputs = [x for x in group.outputs.values() if x.op is not None]
        if not outputs:
            return []
        if all(isinstance(x, Value) for x in outputs):
            units = [np.array([x.data for x in unit]) for unit in self._units(outputs)]
        else:
            arrays = [np.atleast_1d(ops.detach(x)) for x in outputs]
            units = [column for x in arrays for column in x.reshape(-1, x.shape[-1]).T]
        op = outputs[0].op
        dead = sum(not np.any(unit) for unit in units)
        if op is ops.relu and dead:
            found.append(f"{dead} of {len(units)} units dead (output 0 on all samples)")
        if op in SATURATED:
            low, high = SATURATED[op]
            share = float(np.mean([np.mean((unit < low) | (unit > high)) for unit in units]))
            if share > MANY:
                found.append(f"{share:.0%} of the outputs saturated (beyond {figure(low)} or {figure(high)})")
        return found

    def _legend(self) -> str:
        colours = [*reversed(style.NEGATIVE), style.NEUTRAL, *style.POSITIVE]
        bar = table(
            ["".join(f'<TD FIXEDSIZE="TRUE" WIDTH="26" HEIGHT="11" BGCOLOR="{c}"></TD>' for c in colours)],
            cellpadding=0,
        )
        counts = f"{len(self.view.nodes):,} values and {self.edges:,} edges folded into {len(self.groups)} boxes"
        cells = "A strip has a cell for each unit (its largest |grad| over samples), a matrix a row for each, bias last"
        text = f"<B>Overview</B>: {counts}. {cells if self.view.swept else 'No gradient yet: call backward()'}."
        scale = (
            f"negative … positive grad, log scale; strips up to {figure(self.top['units'])}, "
            f"matrices up to {figure(self.top['parameters'])}. White is 0."
        )
        rows = [f'<TD COLSPAN="2" ALIGN="LEFT">{font(text, point_size=10)}</TD>']
        if self.view.swept:
            rows.append(f'<TD ALIGN="LEFT">{bar}</TD><TD ALIGN="LEFT">{font(scale, point_size=10)}</TD>')
        if self.notice:
            note = font(style.escape(self.notice), point_size=10, color=style.GREY)
            rows.append(f'<TD COLSPAN="2" ALIGN="LEFT">{note}</TD>')
        return table(rows, cellpadding=3)


def data_of(nodes: Iterable[Node]) -> Any:
    """The numbers of nodes, in one array."""
    found = [np.ravel(ops.detach(x)) for x in nodes]
    return np.concatenate(found) if found else np.zeros(0)


def line(what: str, content: str) -> str:
    """A row of a card."""
    return f'<TD ALIGN="LEFT">{font(what, point_size=10, color=style.GREY)}</TD><TD ALIGN="LEFT">{content}</TD>'


def square(x: float, most: float) -> str:
    """A cell of a matrix."""
    return f'<TD WIDTH="9" HEIGHT="7" BGCOLOR="{style.tint(x, most)[0] if x else "#FFFFFF"}"></TD>'


def stretches(rows: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """The rows, divided into at most `most` sections of about equal length."""
    n = min(most, len(rows))
    return [rows[len(rows) * i // n : len(rows) * (i + 1) // n] for i in range(n)] if n else []


def stretches_of_rows(rows: Sequence[Sequence[float]], most: int) -> list[list[float]]:
    """The columns of some rows, divided into at most `most` sections, each as one list."""
    width = max(map(len, rows))
    cut = [stretches([row[j] if j < len(row) else 0.0 for j in range(width)], most) for row in rows]
    return [[x for part in column for x in part] for column in zip(*cut, strict=True)]


def extreme(numbers: Any) -> float:
    """The number of largest magnitude."""
    array = np.asarray(numbers, dtype=float).ravel()
    return float(array[np.argmax(np.abs(np.nan_to_num(array, nan=np.inf)))]) if array.size else 0.0


def peak(numbers: Any) -> float:
    """The largest finite magnitude."""
    sizes = np.abs(numbers[np.isfinite(numbers)])
    return float(sizes.max()) if sizes.size else 0.0
