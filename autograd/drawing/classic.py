"""Micrograd's style: a record for each value, an oval for each operation."""

from __future__ import annotations

from autograd.drawing import style
from autograd.drawing.dot import Selection, derivative_text
from autograd.drawing.render import Drawing
from autograd.engine.value import Value
from autograd.explaining.view import View

FIELDS = str.maketrans({"|": "&#124;", "{": "&#123;", "}": "&#125;"})
"""The characters that divide a record into fields, escaped."""


def classic(view: View, selection: Selection, name: str = "graph", direction: str = "right") -> Drawing:
    """Draw every value as ``name | data | grad``."""
    graph = Drawing(
        name, graph_attr={"rankdir": style.DIRECTIONS[direction]}, node_attr={"fontname": "Helvetica", "fontsize": "11"}
    )
    for i, node in enumerate(selection.nodes):
        if isinstance(node, Value):
            parts = [view.pretty_card(node), f"data {node.data:.4f}", f"grad {view.grad(node):.4f}"]
        else:
            parts = [view.pretty_card(node), style.shape_text(node)]
        label = " | ".join(style.escape(part).translate(FIELDS) for part in parts if part)
        graph.node(f"v{i}", label=f"{{ {label} }}", shape="record")
    number = {id(x): i for i, x in enumerate(selection.nodes)}
    for i, node in enumerate(selection.nodes):
        if not node.is_leaf:
            graph.node(f"o{i}", label=style.escape(view.sign(node)))
            graph.edge(f"o{i}", f"v{i}")
            for term in selection.terms[id(node)]:
                for link in term:
                    graph.edge(
                        f"v{number[id(link.operand)]}", f"o{i}", tooltip=style.tooltip(derivative_text(link)) or "1"
                    )
            if id(node) in selection.cut or id(node) in selection.elided:
                graph.node(f"s{i}", label="…", shape="plaintext")
                graph.edge(f"s{i}", f"o{i}", style="dotted")
    graph.count = len(selection.nodes)
    return graph
