"""`steps`: a page that steps through the forward and the backward pass, one operation or one product at a time."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from autograd import ops
from autograd.drawing import style
from autograd.drawing.dot import Picture, select
from autograd.engine.graph import Node, postorder
from autograd.engine.value import Value
from autograd.explaining.naming import Clusters
from autograd.explaining.notation import TEXT, figure
from autograd.explaining.partials import Partial
from autograd.explaining.text import printable
from autograd.explaining.view import SIGNS, View
from autograd.files import save

MOST = 400
"""The largest number of values of a page. More would give too many steps."""


class Steps:
    """A step-through page. A notebook shows it in a frame; `save` writes it as one self-contained file."""

    def __init__(self, page: str, count: int, height: int) -> None:
        self.html = page
        self.count = count
        self.height = height

    def __repr__(self) -> str:
        return f"<step-through page of {self.count} steps: .save('page.html') writes it>"

    def save(self, filename: str | Path) -> str:
        """Write the page, whole or not at all; returns the path."""
        return save(filename, self.html.encode())

    def _repr_html_(self) -> str:
        inside = html.escape(self.html, quote=True)
        return (
            f'<iframe srcdoc="{inside}" sandbox="allow-scripts" title="step through the gradient"'
            f' style="width:100%;height:{self.height}px;border:1px solid #D0D7DE;border-radius:6px"></iframe>'
        )


def steps(
    loss: Value,
    detail: str = "values",
    model: Any = None,
    labels: Mapping[str, Any] | None = None,
    clusters: Clusters | None = None,
    roles: Mapping[str, Iterable[Node]] | None = None,
) -> Steps:
    """A page that shows step by step how a Value and its gradients are computed.

    Args:
        loss: the result. It is not changed, and backward need not have run.
        detail: "values", or "affine" to show a sum of products as one step.
        model: the module that owns the parameters. By default it is found among the living objects.
        labels: names for nodes, such as ``labels=locals()``.
        clusters: parts by title, as for `autograd.draw`.
        roles: nodes by role, as for `autograd.draw`.

    Keys: arrows step, Home and End jump, Space plays, b goes to the first backward step. A click on a value goes to its
    next step.

    Raises TypeError for Tensors, since their partial derivatives are matrices, and ValueError beyond 400 values. Then
    step through a smaller network, or through one sample.

    >>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
    >>> steps((w * x).tanh())
    <step-through page of 6 steps: .save('page.html') writes it>
    """
    if not isinstance(loss, Value):
        raise TypeError(f"steps works on Values, which hold one number each, not on a {type(loss).__name__}")
    if detail not in ("values", "affine"):
        raise ValueError(f"detail is 'values' or 'affine', not {detail!r}")
    if (count := len(postorder([loss]))) > MOST:
        raise ValueError(
            f"{count:,} values are too many to step through (at most {MOST}): take a smaller network, or one"
            " sample; autograd.draw gives an overview"
        )
    fold = "affine" if detail == "affine" else "sums"
    view = Walked([loss], model, labels, clusters, roles, fold=fold, name_inputs=True)
    shown = select(view, len(view.nodes), fan_in=math.inf)
    pictures = {way: Picture(view, shown, legend=False, direction=way) for way in style.DIRECTIONS}
    svgs = {way: re.sub(r"^.*?(?=<svg)", "", x.drawing().svg(), flags=re.S) for way, x in pictures.items()}
    data = Script(view, pictures["right"]).data()
    template = files("autograd.drawing").joinpath("steps.html").read_text(encoding="utf-8")
    content = {"__TITLE__": "Step by step", "__RIGHT__": svgs["right"], "__DOWN__": svgs["down"],
               "__DATA__": json.dumps(data).replace("<", "\\u003c")}  # fmt: skip
    page = re.sub("__(?:TITLE|RIGHT|DOWN|DATA)__", lambda found: content[found[0]], template)
    found = re.search(r'height="([\d.]+)pt"', svgs["right"])
    height = float(found[1]) if found else 400.0
    return Steps(page, len(data["steps"]), min(900, max(420, round(height * 1.1) + 190)))


class Walked(View):
    """A view that computes the gradients itself. The gradients that the nodes hold are neither read nor changed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        (root,) = self.outputs
        self.gradients = {id(x): 0.0 for x in self.nodes}
        self.gradients[id(root)] = 1.0
        hidden = self.hidden()
        self.order = [x for x in self.nodes if id(x) not in hidden]
        for node in reversed(self.order):
            for link in self.links(node):
                self.gradients[id(link.operand)] += link.number * self.gradients[id(node)]

    def grad(self, node: Node) -> Any:
        """The gradient of the result with respect to the node."""
        return self.gradients[id(node)]


class Script:
    """The steps as data: what each step highlights, its text, and what it adds to which gradient."""

    def __init__(self, view: Walked, picture: Picture) -> None:
        self.view = view
        self.picture = picture
        self.root = view.outputs[0]

    def data(self) -> dict[str, Any]:
        """All that the page's program needs besides the picture."""
        view, card = self.view, self.picture.card_id
        nodes = {card(x): {"data": number(x.data), "leaf": x.is_leaf, "root": x is self.root} for x in view.order}
        forward = [self._forward(x) for x in view.order if not x.is_leaf]
        start = {
            "kind": "backward", "card": card(self.root), "lit": [card(self.root)], "amount": 1.0,
            "text": f"{self._quotient(self.root, self.root)} = 1", "more": "where the gradient starts",
        }  # fmt: skip
        backward = [
            self._backward(node, link, i) for node in reversed(view.order) for i, link in enumerate(view.links(node))
        ]
        return {
            "nodes": nodes, "steps": [*forward, start, *backward], "most": self.picture.most,
            "positive": style.POSITIVE, "negative": style.NEGATIVE, "neutral": style.NEUTRAL, "faint": style.EDGE,
            "alarm": style.ALARM,
        }  # fmt: skip

    def _name(self, node: Node) -> str:
        if name := self.view.pretty(node):
            return name
        return "·" if node.is_leaf else "L" if node is self.root else f"({self.view.sign(node)})"

    def _quotient(self, of: Node, by: Node) -> str:
        """``∂L/∂x``, with parentheses around anything that is not a single name."""
        names = [self._name(x) for x in (of, by)]
        top, bottom = (f"({x})" if re.search(r"[·+ ]", x) and x[0] != "(" else x for x in names)
        return f"∂{top}/∂{bottom}"

    def _forward(self, node: Node) -> dict[str, Any]:
        card, view = self.picture.card_id, self.view
        links = view.links(node)
        key = self.picture.number[id(node)]
        lit = [card(node), f"o{key}", f"o{key}_out", *(card(link.operand) for link in links)]
        lit += [f"e{key}_{i}{end}" for i in range(len(links)) for end in ("", "_at")]
        text = f"{self._name(node)} = {self._sum_or_call(node)} = {figure(node.data)}"
        return {"kind": "forward", "result": card(node), "lit": lit, "text": text}

    def _sum_or_call(self, node: Node) -> str:
        """The operation applied to the operands' numbers, as text."""
        sign, terms = self.view.sign(node), self.view.terms(node)
        if len(terms) > 1 and (sign[0] in "+Σw" or any(len(term) > 1 for term in terms)):
            return " + ".join(" × ".join(bracketed(link.operand.data) for link in term) for term in terms)
        arguments = [bracketed(x.data if isinstance(x, Value) else float(x)) for x in node.operands]
        if len(arguments) > 1 and node.op.infix != node.op.name and node.op.name in SIGNS:
            return f" {SIGNS[node.op.name]} ".join(arguments)
        if node.op is ops.square:
            return f"{arguments[0]}²"
        if node.op is ops.power:
            return TEXT.power(arguments[0], arguments[1].removesuffix(".0000"))
        if node.op is ops.neg:
            return f"−{arguments[0]}"
        name = "σ" if node.op is ops.sigmoid else printable(node.op.name)
        return f"{name}({', '.join(x.removeprefix('(').removesuffix(')') for x in arguments)})"

    def _backward(self, node: Node, link: Partial, i: int) -> dict[str, Any]:
        card, key = self.picture.card_id, self.picture.number[id(node)]
        above = self.view.grad(node)
        amount = link.number * above
        by = link.operand
        text = (
            f"{self._quotient(self.root, by)} += {self._quotient(self.root, node)} × {self._quotient(node, by)}"
            f" = {bracketed(above)} × {bracketed(link.number)} = {figure(amount, signed=True)}"
        )
        return {
            "kind": "backward", "card": card(by), "amount": number(amount), "edge": f"e{key}_{i}", "text": text,
            "lit": [card(by), f"e{key}_{i}", f"e{key}_{i}_at", f"o{key}", card(node), f"o{key}_out"],
            "more": self._formula(link),
        }  # fmt: skip

    def _formula(self, link: Partial) -> str:
        if link.formula is None or not link.formula.names or "…" in str(link.formula):
            return ""
        return f"the partial derivative is {TEXT.write(link.formula)[0]}"


def bracketed(x: float) -> str:
    """A number as an operand, in parentheses if it is negative."""
    return f"({figure(x)})" if x < 0 else figure(x)


def number(x: float) -> float | str:
    """A number for JSON, which has no nan and no infinity."""
    return x if math.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(x)]
