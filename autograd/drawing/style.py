"""Colours by sign and magnitude of the gradient, and the HTML-like tables of cards."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.explaining.notation import figure
from autograd.explaining.text import printable
from autograd.explaining.view import rms

POSITIVE = ("#FFF1E6", "#FFD9BD", "#FDB27F", "#C8541A", "#8F3208")
NEGATIVE = ("#EAF2FB", "#CBDFF3", "#9DC4EA", "#3576BB", "#174E8F")
NEUTRAL, GREY, INK, LINE, PALE, EDGE, ALARM = (
    "#F6F8FA", "#6E7781", "#1F2328", "#8C959F", "#D0D7DE", "#C9D1D9", "#D50000",
)  # fmt: skip
STRIP = 32  # cells of a strip, at most

GRAPH = {
    "rankdir": "LR", "nodesep": ".12", "ranksep": ".24", "newrank": "true", "splines": "true",
    "outputorder": "edgesfirst", "pad": ".2", "bgcolor": "#FFFFFF", "fontname": "Helvetica",
}  # fmt: skip
COLUMNS = {"remincross": "false"}
"""Graphviz's second reduction of crossings would ignore the order of the nodes in a column."""
DIRECTIONS = {"right": "LR", "down": "TB"}
"""The direction of a graph: our name, Graphviz's name."""
LEAVING = {"right": "e", "down": "s"}
"""The side of a card on which edges to other parts leave it."""
TITLES = {"right": "t", "down": "b"}
"""The position of a part's title: away from the side on which most edges enter."""
NODE = {"fontname": "Helvetica", "shape": "box", "margin": ".07,.05", "fontcolor": INK, "color": LINE, "penwidth": "1",
        "style": "filled", "fillcolor": "#FFFFFF"}  # fmt: skip
EDGES = {"fontname": "Helvetica", "fontsize": "9", "color": INK, "arrowsize": ".6", "fontcolor": INK, "penwidth": ".9"}

ROLES = {
    "param": {"peripheries": "2", "color": INK, "penwidth": "1.2"},
    "input": {"shape": "note", "color": "#57606A"},
    "leaf": {"shape": "note", "color": "#57606A"},
    "target": {"shape": "note", "style": "dashed,filled", "color": "#57606A"},
    "constant": {"style": "dotted,filled"},
    "computed": {"style": "rounded,filled"},
    "loss": {"style": "rounded,filled", "color": INK, "penwidth": "2.6"},
}
"""The shapes of cards. Roles differ in shape, not only in colour."""

ENTRY = {"shape": "box", "style": "rounded,filled", "color": PALE, "fillcolor": "#FFFFFF", "fontcolor": "#57606A",
         "fontsize": "9", "width": ".25", "height": ".17", "margin": ".04,.01"}  # fmt: skip
"""The node with the name of a value that enters a part."""


def bucket(g: float, most: float) -> int:
    """The magnitude of a gradient relative to the largest, from 0 to 4, on a logarithmic scale of two decades."""
    if not math.isfinite(g) or not most:
        return 4 if g and not math.isfinite(g) else 0
    return int(min(4, max(0, round(4 + 2 * (math.log10(abs(g)) - math.log10(most)))))) if g else 0


def thickness(size: float, most: float) -> float:
    """The width of an edge by the gradient along it, from .9 to 4, on a logarithmic scale of two decades."""
    if not size:
        return 0.9
    if not math.isfinite(size) or not most:
        return 4.0
    return 0.9 + 3.1 * min(1.0, max(0.0, 1 + (math.log10(size) - math.log10(most)) / 2))


def tint(g: float, most: float) -> tuple[str, str]:
    """The colour of a gradient, and that of text on it."""
    if not g:
        return NEUTRAL, GREY
    k = bucket(g, most)
    colour = (POSITIVE if g > 0 or math.isnan(g) else NEGATIVE)[k]
    return colour, "#FFFFFF" if k >= 3 else INK


def escape(text: str) -> str:
    """Text for HTML-like labels and for plain ones. Markup in it is shown, not interpreted."""
    return html.escape(printable(text)).replace("\\", "\\\\")  # Graphviz expands escapes such as \N even here


def tooltip(text: str) -> str:
    """Text for tooltips, in which Graphviz expands backslashes twice."""
    return html.escape(printable(text)).replace("\\", "\\" * 4)


def graph_name(text: str) -> str:
    """Text for the name of a graph, in which Graphviz expands no backslashes."""
    return html.escape(printable(text)).replace("\\", "&#92;")


def font(text: str, **attributes: Any) -> str:
    """Text with a size or colour; empty for empty text, since Graphviz refuses an empty element."""
    if not text:
        return ""
    inside = " ".join(f'{key.upper().replace("_", "-")}="{x}"' for key, x in attributes.items())
    return f"<FONT {inside}>{text}</FONT>"


def bold(text: str, **attributes: Any) -> str:
    """Bold text; empty for empty text."""
    return f"<B>{font(text, **attributes)}</B>" if text else ""


def table(rows: Sequence[str], **attributes: Any) -> str:
    """An HTML-like table of rows."""
    given = {"border": 0, "cellborder": 0, "cellspacing": 0, "cellpadding": 2, **attributes}
    inside = " ".join(f'{key.upper()}="{x}"' for key, x in given.items())
    return f"<TABLE {inside}>{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def head(name: str, role: str) -> str:
    """The first row of a card."""
    left = bold(escape(name), point_size=12)
    right = f"<I>{font(escape(role), point_size=9, color=GREY)}</I>" if role else ""
    return f'<TD ALIGN="LEFT">{left}</TD><TD ALIGN="RIGHT">{right}</TD>'


def row(what: str, content: str, **attributes: Any) -> str:
    """A row of a card: a grey label on the left, the content on the right."""
    inside = "".join(f' {key.upper()}="{x}"' for key, x in attributes.items())
    return (
        f'<TD ALIGN="LEFT" WIDTH="30">{font(what, point_size=10, color=GREY)}</TD>'
        f'<TD ALIGN="RIGHT" WIDTH="54"{inside}>{content}</TD>'
    )


def number_card(name: str, role: str, data: float, grad: float | None, most: float, mark: str = "") -> str:
    """The card of a Value: name and role, the number, the gradient on its colour."""
    rows = [head(name, role)] if name or role else []
    rows.append(row("data", font(figure(data), point_size=10)))
    if grad is None:
        rows.append(row("grad", font("–", point_size=10, color=GREY)))
    else:
        back, ink = (NEUTRAL, INK) if role == "loss" else tint(grad, most)
        text = font(f"<B><I>{figure(grad, signed=True)}</I></B>", point_size=10, color=ink)
        left = font("grad", point_size=10, color=ink if back != NEUTRAL else GREY)
        rows.append(
            f'<TD ALIGN="LEFT" WIDTH="30" BGCOLOR="{back}">{left}</TD>'
            f'<TD ALIGN="RIGHT" WIDTH="54" BGCOLOR="{back}">{text}</TD>'
        )
    return table(rows)


def cells(array: Any, most: float | None = None) -> str:
    """A strip of at most 32 cells. A cell shows the number of largest magnitude in its section of the array."""
    flat = np.asarray(array, dtype=float).ravel()
    if not flat.size:
        return font("empty", point_size=9, color=GREY)
    parts = np.array_split(flat, min(STRIP, flat.size))
    peaks = [float(part[np.argmax(np.abs(np.nan_to_num(part, nan=np.inf)))]) for part in parts]
    top = most or max((abs(x) for x in peaks if math.isfinite(x)), default=0.0)
    width = max(3, 72 // len(peaks))  # together as wide as the card
    squares = "".join(
        f'<TD WIDTH="{width}" HEIGHT="11" BGCOLOR="{tint(x, top)[0] if x else "#FFFFFF"}"></TD>' for x in peaks
    )
    return table([squares], cellpadding=0, border=1, color=PALE)


def shape_text(x: Any) -> str:
    """The shape and dtype of an array or Tensor."""
    return f"{'×'.join(map(str, x.shape)) or 'scalar'} {x.dtype}"


def span(numbers: Any) -> str:
    """The smallest and the largest finite number of an array, as text."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return "nothing finite" if numbers.size else "none"
    low, high = (
        figure(x) if finite.dtype.kind == "f" else f"{x}".replace("-", "−") for x in (finite.min(), finite.max())
    )
    text = low if low == high else f"{low} … {high}"
    return text + (" and nan or inf" if finite.size < numbers.size else "")


def array_card(name: str, role: str, data: Any, grad: Any, most: float | None = None) -> str:
    """The card of a Tensor or a constant array: shape and dtype, a strip of the numbers, a strip of the gradient.

    `most` is the gradient that gets the strongest colour. It is the same on all cards of a picture.
    """
    numbers = np.asarray(data)
    rows = [head(name, role)] if name or role else []
    rows.append(row("shape", font(shape_text(numbers), point_size=9)))
    rows.append(row("data", font(span(numbers), point_size=10)))
    if numbers.size > 1:
        rows.append(row("", cells(numbers)))
    if role != "constant":
        if grad is None:
            rows.append(row("grad", font("–", point_size=10, color=GREY)))
        else:
            g = np.asarray(grad, dtype=float)
            if g.size == 1:
                text = figure(float(g.item()), signed=True)
            else:
                text = f"rms {figure(rms(g))}"
            rows.append(row("grad", font(f"<B><I>{text}</I></B>", point_size=10)))
            if g.size > 1:
                rows.append(row("", cells(g, most)))
    return table(rows)


def edge_label(text: str, direction: str = "right") -> str:
    """A label with a margin that keeps it clear of thick edges."""
    return f"<{table([f'<TD>{escape(text)}</TD>'], cellpadding=3 if direction == 'right' else 6)}>"
