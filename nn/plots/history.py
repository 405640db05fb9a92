"""The curves of a training."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from nn.support.canvas import BLUES, GREY, INK, LINE, ORANGES, axes, literal, matplotlib
from nn.training.history import Direction, History, direction_of, shown, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def curves(
    history: History,
    ax: Axes | None = None,
    *,
    column: str = "loss",
    log: bool = False,
    direction: Direction | None = None,
) -> Axes:
    """Draw a quantity over the epochs: ``train_loss`` solid, every other column that ends in ``loss`` dashed.

    Args:
        history: the result of `nn.training.fit`.
        ax: the Axes to draw on.
        column: "loss", "accuracy" or another ending of columns' names. Raises ValueError if no column has it.
        log: True for a logarithmic vertical axis.
        direction: "max" if the largest number is the best, "min" if the smallest is.

    The best epoch of the last line is marked, if `direction` or the column's name tells which it is.

    >>> ax = curves(History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}]))
    >>> [line.get_label() for line in ax.lines]
    ['training loss', 'best: 0.2500 in epoch 2']
    """
    names = sorted((name for name in history.columns if name.endswith(column)), key=lambda name: name[:6] != "train_")
    if not names:
        raise ValueError(f"the history has no column that ends in {column!r}: {history.columns}")
    ax = axes(ax, (4.4, 3.2))
    others = itertools.cycle((ORANGES[3], "#8250DF", "#1A7F37"))
    marker = "o" if len(history) < 30 else ""
    for name in names:
        style, colour = ("-", BLUES[1]) if name.startswith("train_") else ("--", next(others))
        looks: dict[str, Any] = {"label": literal(spoken(name)), "marker": marker, "markersize": 3.5, "color": colour}
        ax.plot(history["epoch"], history[name], style, **looks)
    direction = direction_of(names[-1]) if direction is None else direction
    if direction is not None and np.isfinite(history[names[-1]]).any():
        row = history.best(names[-1], direction)
        best = f"best: {shown(row[names[-1]])} in epoch {row['epoch']}"
        ax.plot([row["epoch"]], [row[names[-1]]], "o", label=best, markersize=10, markerfacecolor="none", color=INK)
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(matplotlib("ticker").MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch", color=GREY)
    ax.set_ylabel(literal(spoken(column)), color=GREY)
    ax.grid(axis="y", color=LINE, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize="small", framealpha=0.9, edgecolor="none")
    return ax
