"""Drawings of gradient graphs. `draw` shows values, operations and gradients; large graphs are summarised.

>>> from autograd import Value
>>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
>>> y = (w * x).tanh()
>>> y.backward()
>>> picture = draw(y)
>>> picture.notice, "tanh" in picture.source
('', True)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

PLAIN, FOLDED = 60, 250  # up to 60 values draw all; up to 250 fold sums of products; beyond draw the overview
DETAILS = ("values", "affine", "overview")
STYLES = ("default", "classic")


def draw(
    *outputs: Node | Sequence[Node],
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
    """Draw the graph of some Values or Tensors, with their present numbers and gradients.

    Args:
        outputs: one result or several.
        detail: "values" shows every value. "affine" shows a sum of products as one operation. "overview" shows one card
            for each layer. The default depends on the number of values: "values" up to 60, "affine" up to 250,
            "overview" above.
        style: "default", or "classic" for micrograd's style.
        direction: the direction of the graph: "right", or "down" for a narrow page.
        max_nodes: show at most this many values, those nearest to the outputs. An overview without a module to group by
            shows 60.
        focus: show only the neighbourhood of this node.
        radius: the neighbourhood's size, in operations up and down.
        model: the module or modules that own the parameters. By default they are found among the living objects.
        labels: names for this picture. ``labels=locals()`` names nodes after the program's variables.
        clusters: parts by title, which may be nested: ``{"layer 1": {"neuron 1": [w, b]}}``. The default are the
            modules.
        roles: nodes by role, "param", "input" or "target", for nodes whose role cannot be inferred.
        legend: True to explain the signs.
        name: the name of the file that `render` writes.

    Returns a `Drawing`: ``.save("net.svg")`` (or .png, .pdf, .dot), ``.svg()``, ``.render()``. A notebook shows it. Its
    `notice` says what was left out. Before a backward pass, gradients are shown as –.

    Raises TypeError for anything but Values and Tensors, and ValueError for an unknown detail, style, direction or
    role.
    """
    nodes: list[Any] = [x for out in outputs for x in (out if isinstance(out, (list, tuple)) else [out])]
    for x in nodes:
        if not isinstance(x, Node):
            raise TypeError(f"draw takes Values and Tensors, not {type(x).__name__} {x!r:.60}")
    if not nodes:
        raise TypeError("draw takes at least one Value or Tensor")
    options = ((detail, (None, *DETAILS), "detail"), (style, STYLES, "style"), (direction, DIRECTIONS, "direction"))
    for given, known, what in options:
        if given not in known:
            raise ValueError(f"{what} is one of {', '.join(map(repr, filter(None, known)))}, not {given!r}")
    fold = "none" if style == "classic" else "sums"
    view = View(nodes, model, labels, clusters, roles, fold=fold, name_inputs=True)
    total = len(view.nodes)
    notice = ""
    if detail is None and style == "default" and focus is None and max_nodes is None:
        detail = chosen_detail(view)
        if detail != "values":
            notice = (
                f"{total:,} values, drawn as detail={detail!r}. detail='values' shows all, max_nodes=… the nearest."
            )
    if detail == "affine":
        view.fold = "affine"
    drawing: Drawing
    if detail == "overview" and view.modular:
        drawing = Overview(view, notice, direction).drawing(name)
    else:
        most = max_nodes or (PLAIN if total > FOLDED and detail != "values" else total)
        if detail == "overview" or (most < total and max_nodes is None and focus is None):
            view.fold = "sums"
            notice = (
                f"{total:,} values, and no module to group them by, so only the {most} nearest. max_nodes=… shows more."
            )
        selection = select(view, most, focus, radius)
        if style == "classic":
            drawing = classic(view, selection, name, direction)
        else:
            drawing = Picture(view, selection, legend, notice, direction).drawing(name)
    drawing.notice = notice
    drawing.text = lambda: tree(nodes[0], model=model)
    return drawing


def chosen_detail(view: View) -> str:
    """The most detailed picture that can still be read."""
    if len(view.nodes) > 20 * FOLDED:  # folding cannot make it small enough
        return "overview"
    if len(view.nodes) - len(view.hidden()) <= PLAIN:
        return "values"
    view.fold = "affine"
    left = len(view.nodes) - len(view.hidden())
    view.fold = "sums"
    return "affine" if left <= FOLDED else "overview"
