"""Drawings of gradient graphs: `draw` makes a picture of values, operations and gradients, whatever their number.

>>> from autograd import Value
>>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
>>> y = (w * x).tanh()
>>> y.backward()
>>> picture = draw(y)
>>> picture.notice, "tanh" in picture.source
('', True)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograd.drawing.classic import classic
from autograd.drawing.dot import Picture, select
from autograd.drawing.overview import Overview
from autograd.drawing.page import Steps as Steps, steps as steps
from autograd.drawing.render import Drawing as Drawing, DrawingError as DrawingError
from autograd.drawing.style import DIRECTIONS
from autograd.engine.graph import Node
from autograd.explaining.naming import Clusters
from autograd.explaining.tree import tree
from autograd.explaining.view import View

PLAIN, FOLDED = 60, 250  # values: up to here all are drawn; up to there with affine folding; then the overview
DETAILS = ("values", "affine", "overview")
STYLES = ("default", "classic")


def draw(
    *outputs: Node,
    detail: str | None = None,
    style: str = "default",
    direction: str = "right",
    max_nodes: int | None = None,
    focus: Node | None = None,
    radius: int = 2,
    model: Any = None,
    labels: Mapping[str, Any] | None = None,
    clusters: Clusters | None = None,
    roles: Mapping[str, Iterable[Node]] | None = None,
    legend: bool = True,
    name: str = "graph",
) -> Drawing:
    """Draw the graph below some Values or Tensors, with the numbers and gradients that are in it now.

    Args:
        outputs: one result or several.
        detail: "values" shows every value; "affine" takes sums of products together; "overview" gives a card a layer.
            By default as many as can be read: up to 60 values, up to 250, above.
        style: "default", or "classic" as micrograd draws.
        direction: where the graph runs to: "right", or "down" for a narrow page.
        max_nodes: the most values to show, nearest to the outputs first; 60 where there is no module to group by.
        focus: show only the neighbourhood of this node,
        radius: as far as so many operations up and down.
        model: the module, or modules, that own the parameters; they are found by themselves.
        labels: names for this picture: ``labels=locals()`` names nodes as variables are called.
        clusters: parts by title, nested: ``{"layer 1": {"neuron 1": [w, b]}}``; modules give them by themselves.
        roles: nodes by role, "param", "input" or "target", where names and modules do not tell.
        legend: whether to explain the signs.
        name: of the file that `render` writes.

    Returns a `Drawing`: ``.save("net.svg")`` (or .png, .pdf, .dot), ``.svg()``, ``.render()``; a notebook shows it.
    Its `notice` says what was left out. Before a backward, gradients are shown as –.
    Raises TypeError for anything but Values and Tensors, ValueError for an unknown detail, style, direction or role.
    """
    nodes = [x for out in outputs for x in (out if isinstance(out, (list, tuple)) else [out])]
    for x in nodes:
        if not isinstance(x, Node):
            raise TypeError(f"draw takes Values and Tensors, not a {type(x).__name__}")
    if not nodes:
        raise TypeError("draw takes at least one Value or Tensor")
    options = ((detail, (None, *DETAILS), "detail"), (style, STYLES, "style"), (direction, DIRECTIONS, "direction"))
    for given, known, what in options:
        if given not in known:
            raise ValueError(f"{what} is one of {', '.join(map(repr, filter(None, known)))}, not {given!r}")
    view = View(nodes, model, labels, clusters, roles, "none" if style == "classic" else "sums", name_inputs=True)
    total = len(view.nodes)
    notice = ""
    if detail is None and style == "default" and focus is None and max_nodes is None:
        detail = chosen_detail(view)
        if detail != "values":
            notice = f"{total:,} values, drawn as detail={detail!r}: detail='values' shows all, max_nodes= the nearest"
    if detail == "affine":
        view.fold = "affine"
    drawing: Drawing
    if detail == "overview" and view.modular:
        drawing = Overview(view, notice, direction).drawing(name)
    else:
        most = max_nodes or (PLAIN if total > FOLDED and detail != "values" else total)
        if detail == "overview" or (most < total and max_nodes is None and focus is None):
            view.fold = "sums"
            notice = f"{total:,} values, and no module to group them by: the {most} nearest; max_nodes= shows more"
        selection = select(view, most, focus, radius)
        if style == "classic":
            drawing = classic(view, selection, name, direction)
        else:
            drawing = Picture(view, selection, legend, notice, direction).drawing(name)
    drawing.notice = notice
    drawing.text = lambda: tree(nodes[0], model=model)
    return drawing


def chosen_detail(view: View) -> str:
    """As much detail as can be read."""
    if len(view.nodes) > 20 * FOLDED:  # no amount of folding helps; do not count
        return "overview"
    if len(view.nodes) - len(view.hidden()) <= PLAIN:
        return "values"
    view.fold = "affine"
    left = len(view.nodes) - len(view.hidden())
    view.fold = "sums"
    return "affine" if left <= FOLDED else "overview"
