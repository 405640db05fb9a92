"""Parts that several pictures share: colours, the axes to draw on, images of signed numbers, histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.explaining.figures import axes as axes
from autograd.explaining.figures import matplotlib as matplotlib
from autograd.explaining.figures import off_screen as off_screen
from nn.support.arrays import Array
from nn.support.text import literal as literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap


INK, GREY, LINE, PALE = "#1F2328", "#57606A", "#D0D7DE", "#F6F8FA"
BLUES = ("#174E8F", "#3576BB", "#9DC4EA", "#CBDFF3", "#EAF2FB")  # negative, from the strongest
ORANGES = ("#FFF1E6", "#FFD9BD", "#FDB27F", "#C8541A", "#8F3208")  # positive, to the strongest
SIGNED = (*BLUES, PALE, *ORANGES)
CLASSES = (BLUES[1], ORANGES[3], "#1A7F37", "#8250DF", "#BF8700", "#CF222E", "#0E7C86", "#6E7781")


def colour_map(name: str, colours: Sequence[str]) -> LinearSegmentedColormap:
    """A colour map through these colours. A nan is not drawn."""
    return matplotlib("colors").LinearSegmentedColormap.from_list(name, colours)  # type: ignore[no-any-return]


def signed_image(ax: Axes, numbers: Array, limit: float, **kwargs: Any) -> None:
    """Draw numbers (height, width), negative ones blue and positive ones orange, with a colour bar below."""
    signed_picture(ax, numbers, limit, **kwargs)
    signed_bar(ax.figure, ax, limit)


def signed_picture(ax: Axes, numbers: Array, limit: float, **kwargs: Any) -> None:
    """Draw numbers (height, width) in colours, the strongest at `limit`. Panels to compare need the same limit."""
    ax.imshow(numbers, cmap=colour_map("signed", SIGNED), vmin=-limit, vmax=limit, **kwargs)


def signed_bar(figure: Any, panels: Axes | list[Axes], limit: float, aspect: float = 30) -> None:
    """Draw a colour bar below one panel, or below several that share it."""
    first = panels[0] if isinstance(panels, list) else panels
    bar = figure.colorbar(
        first.images[-1], ax=panels, orientation="horizontal", shrink=0.6, aspect=aspect, pad=0.02, extend="both"
    )
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"])
    bar.outline.set_visible(False)


def usual_limit(numbers: Array, share: float = 0.95) -> float:
    """A magnitude that this share of the numbers does not exceed. A few outliers would make all others pale.

    >>> usual_limit(np.array([1.0, -1.0, 1.0, 1000.0]), share=0.5)
    1.0
    """
    sizes = np.abs(numbers[np.isfinite(numbers)])
    return float(np.quantile(sizes, share) or sizes.max()) or 1.0 if sizes.size else 1.0


def zero_line(ax: Axes, columns: Array, rows: Array, score: Array) -> None:
    """Draw a black line where score (rows, columns) changes its sign."""
    if (score < 0).any() and (score > 0).any():
        ax.contour(columns, rows, score, levels=[0], colors="black", linewidths=1.6)


def class_image(ax: Axes, columns: Array, rows: Array, outputs: Array, limit: float | None = None) -> None:
    """Draw the class with the largest output (rows, columns, classes) as a colour, strongest at a lead of `limit`."""
    lead = np.stack([outputs[..., i] - np.delete(outputs, i, axis=2).max(axis=2) for i in range(outputs.shape[2])])
    best = lead.max(axis=0)
    strength = 0.15 + 0.5 * np.clip(best / (limit or usual_limit(best)), 0, 1)
    colours = np.array([matplotlib("colors").to_rgb(CLASSES[i % len(CLASSES)]) for i in range(len(lead))])
    image = 1 - strength[..., None] * (1 - colours[lead.argmax(axis=0)])
    ax.imshow(np.nan_to_num(image, nan=1.0), **placed(columns, rows))
    for score in lead:
        zero_line(ax, columns, rows, score)


def placed(columns: Array, rows: Array) -> dict[str, Any]:
    """Arguments for an image whose pixels are centred on the points of a grid, with interpolation between them."""
    dx, dy = (columns[1] - columns[0]) / 2, (rows[1] - rows[0]) / 2
    extent = (columns[0] - dx, columns[-1] + dx, rows[0] - dy, rows[-1] + dy)
    return {"extent": extent, "origin": "lower", "aspect": "auto", "interpolation": "bilinear"}


def signed_axis(ax: Axes, limit: float) -> Array:
    """Set a horizontal axis from -limit to limit, logarithmic beyond 1 if limit > 3. Returns the edges of 80 bins."""
    if limit <= 3:
        return np.linspace(-limit, limit, 81)
    decades = int(math.log10(limit)) + 1
    ticks = np.outer(10.0 ** np.arange(decades), (1, 3)).ravel() if decades < 3 else 10.0 ** np.arange(decades)
    ticks = ticks[ticks <= limit][:: -(-len(ticks) // 4)]
    ax.set_xscale("asinh", linear_width=1)
    ax.xaxis.set_major_locator(matplotlib("ticker").FixedLocator(np.concatenate([-ticks[::-1], [0], ticks])))
    ax.xaxis.set_minor_locator(matplotlib("ticker").NullLocator())
    ax.xaxis.set_major_formatter("{x:g}")
    return np.sinh(np.linspace(-1, 1, 81) * np.arcsinh(limit))  # type: ignore[no-any-return]


def ridges(ax: Axes, rows: Mapping[str, Array], edges: Array, magnitude: bool = False) -> None:
    """Draw a histogram for each name, one below the other, each scaled to its own height. Zeros are left out.

    Negative numbers are blue and positive ones orange. With `magnitude`, both are placed by magnitude, orange on top of
    blue. Numbers beyond the edges are in the outermost bars.
    """
    for level, numbers in zip(range(len(rows) - 1, -1, -1), rows.values(), strict=True):
        parts = (numbers[numbers < 0], numbers[numbers > 0])
        counts = [
            np.histogram(np.clip(np.abs(part) if magnitude else part, edges[0], edges[-1]), edges)[0] for part in parts
        ]
        scale = 0.85 / max((counts[0] + counts[1]).max(), 1)
        blue, orange = level + counts[0] * scale, level + (counts[0] + counts[1]) * scale
        ax.axhline(level, color=LINE, linewidth=0.8, zorder=0)
        ax.stairs(blue, edges, baseline=level, fill=True, color=BLUES[1])
        ax.stairs(orange, edges, baseline=blue, fill=True, color=ORANGES[3])
    ax.set_yticks([level + 0.35 for level in range(len(rows) - 1, -1, -1)], list(rows), color=INK)
    ax.set(xlim=edges[[0, -1]], ylim=(-0.1, len(rows)))
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", colors=GREY)
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "left", "right"]].set_visible(False)


def columns_of(n: int) -> int:
    """The number of columns in a nearly square arrangement of n things."""
    return math.ceil(math.sqrt(n))


def mosaic(images: Array, gap: int = 1, columns: int | None = None) -> Array:
    """Images (n, height, width) in rows of one large image, nan between them."""
    n, height, width = images.shape
    columns = columns or columns_of(n)
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + gap, width + gap), np.nan)
    cells[:n, :height, :width] = images
    whole = cells.reshape(rows, columns, height + gap, width + gap).swapaxes(1, 2)
    return whole.reshape(rows * (height + gap), columns * (width + gap))[:-gap, :-gap]
