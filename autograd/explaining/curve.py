"""The curve of an elementwise row: its value and its derivative over one operand, with the others held constant.

matplotlib draws it, and is imported on first use.
"""

from __future__ import annotations

import html
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from autograd.explaining.figures import axes, matplotlib, off_screen
from autograd.explaining.text import literal, printable
from autograd.ops.rows import Elementwise, Op, operand_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array: TypeAlias = npt.NDArray[np.float64]

REACH = 4.0  # curves go from -4 to 4, within the domain
HEIGHT = 5.0  # the picture goes from -5 to 5 at most: exp and poles would flatten all else
HELD = 2.0  # for an operand that has no default
BLUE, ORANGE, GREY, LINE = "#3576BB", "#C8541A", "#57606A", "#D0D7DE"


@dataclass(frozen=True)
class Curve:
    """Points of a row's value and derivative over its first operand. A nan interrupts the curve.

    `marks` are the points without a derivative. The row declares them as kinks, or the slopes on both sides differ.
    """

    name: str
    held: dict[str, float]
    x: Array
    value: Array
    slope: Array
    marks: tuple[float, ...]


def curve(row: Op, **held: float) -> Curve:
    """The row's curve over its first operand, inside its domain.

    Args:
        row: an elementwise row.
        held: the numbers of the other operands, by name. The default is the row's default if it is finite, else 2.

    Raises TypeError for a row that has no curve: one that works on whole arrays, and `where`, whose first operand is a
    condition. Also for an operand that the row does not have.

    >>> from autograd import ops
    >>> found = curve(ops.maximum, y=1.0)
    >>> found.held, found.marks
    ({'y': 1.0}, (1.0,))
    """
    if not has_curve(row):
        reason = "its first operand is a condition" if isinstance(row, Elementwise) else "it works on whole arrays"
        raise TypeError(f"{row.name} has no curve: {reason}; elementwise rows such as 'tanh' have one")
    first, *rest = operand_names(row)
    if unknown := sorted(set(held) - set(rest)):
        others = f"; it has {', '.join(rest)}" if rest else ""
        raise TypeError(f"{row.name} has no operand {unknown[0]!r} to hold{others}")
    held = {name: held.get(name, number) for name, number in zip(rest, usual(row), strict=True)}
    low, high = (min(max(end, -REACH), REACH) for end in row.domain[0])
    # a kink may also be where the operand equals a number that is held; a needless cut cannot be seen
    cuts = sorted({float(x) for x in (*row.kinks, *held.values()) if low < x < high})
    nudge = (high - low) * 1e-6
    pieces = [
        np.linspace(start + nudge, stop - nudge, max(2, round(400 * (stop - start) / (high - low))))
        for start, stop in zip([low, *cuts], [*cuts, high], strict=True)
    ]
    parts = [(x, *evaluated(row, x, held)) for x in pieces]
    x, value, slope = (joined([part[i] for part in parts]) for i in range(3))
    marks = [
        cut
        for cut, (_, _, before), (_, _, after) in zip(cuts, parts, parts[1:], strict=False)
        if cut in row.kinks or not math.isclose(before[-1], after[0], rel_tol=1e-3, abs_tol=1e-3)
    ]
    return Curve(first, held, x, value, slope, tuple(marks))


def has_curve(row: Op) -> TypeGuard[Elementwise]:
    """True if the row has a curve: it is elementwise and has a derivative in its first operand."""
    return isinstance(row, Elementwise) and row.partials[0] is not None


def usual(row: Elementwise) -> list[float]:
    """The numbers at which the operands after the first are held: the row's defaults where they are finite."""
    missing = row.arity - 1 - len(row.defaults)
    return [HELD] * missing + [x if math.isfinite(x) else math.copysign(HELD, x) for x in row.defaults]


def evaluated(row: Elementwise, x: Array, held: dict[str, float]) -> tuple[Array, Array]:
    """Value and derivative at some points; nan where they are not finite."""
    inputs = [x, *map(np.float64, held.values())]
    with np.errstate(all="ignore"):
        out = row(*inputs)
        slope = np.broadcast_to(row.partials[0](out, *inputs), x.shape)  # type: ignore[misc]
    return tuple(np.where(np.isfinite(y), y, np.nan).astype(float) for y in (out, slope))  # type: ignore[return-value]


def joined(pieces: list[Array]) -> Array:
    """Join pieces of a line into one array, with a nan between them."""
    gap = np.array([np.nan])
    return np.concatenate([part for piece in pieces for part in (piece, gap)][:-1])


def plot(row: Op, ax: Axes | None = None, **held: float) -> Axes:
    """Draw the row's curve on the given axes, or on those of a new figure; see `Card.plot`."""
    found = curve(row, **held)
    ax = axes(ax, (4.6, 2.8))
    arguments = ", ".join([found.name, *(f"{name}={x:g}" for name, x in found.held.items())])
    ax.axhline(0, color=LINE, linewidth=0.8, zorder=0)
    ax.axvline(0, color=LINE, linewidth=0.8, zorder=0)
    ax.plot(found.x, found.value, "-", color=BLUE, linewidth=2, label=literal(f"{row.name}({arguments})"))
    ax.plot(found.x, found.slope, "--", color=ORANGE, linewidth=1.6, label=f"derivative in {found.name}")
    ends = {mark: float(row(mark, *found.held.values())) for mark in found.marks}
    if kinks := {mark: y for mark, y in ends.items() if math.isfinite(y)}:
        x, y = list(kinks), list(kinks.values())
        ax.plot(x, y, "o", color=GREY, markerfacecolor="white", markersize=5, label="kink")
    for pole in ends.keys() - kinks.keys():
        ax.axvline(pole, color=GREY, linewidth=1, linestyle=":", label="pole")
    ax.set_ylim(*limits(np.concatenate([found.value, found.slope])))
    ax.set_xlim(round(np.nanmin(found.x), 4), round(np.nanmax(found.x), 4))
    ax.tick_params(colors=GREY, labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(LINE)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=8, borderpad=0)
    return ax


def limits(numbers: Array) -> tuple[float, float]:
    """The vertical range of a picture: that of the numbers, up to HEIGHT, with a margin."""
    low, high = max(np.nanmin(numbers), -HEIGHT), min(np.nanmax(numbers), HEIGHT)
    margin = 0.06 * max(high - low, 1.0)
    return float(low - margin), float(high + margin)


def svg(row: Op) -> str:
    """The row's curve as an SVG element. Its ids are unique, so that one page can hold many."""
    with off_screen():
        figure: Any = plot(row).figure
    figure.dpi = 72  # that of SVG
    file, own = io.StringIO(), re.sub(r"\W", "-", row.name)
    with matplotlib().rc_context({"svg.fonttype": "none", "svg.hashsalt": own, "font.family": "sans-serif"}):
        figure.get_layout_engine().execute(figure)  # saving would draw the figure twice to do the layout
        figure.set_layout_engine(None)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{own}-", text)
    name = html.escape(printable(row.name))
    return text.replace("<svg", f'<svg role="img" aria-label="{name} and its derivative"', 1)
