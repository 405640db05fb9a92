"""The matplotlib axes of a plot: those given, or those of a new figure, which is pyplot's only if pyplot is in use.

A program that uses pyplot expects ``plt.savefig``, ``plt.show`` and ``plt.close`` to reach every figure, and a notebook
shows pyplot's figures after each cell. A program that does not use pyplot gets an independent figure. It is freed when
the program drops it, and each thread has its own. matplotlib is imported on first use.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OFF_SCREEN = ContextVar("_OFF_SCREEN", default=False)


def matplotlib(module: str = "") -> Any:
    """matplotlib, or one of its modules. If it is missing, the ImportError says how to install it."""
    try:
        return importlib.import_module(f"matplotlib.{module}".rstrip("."))
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'chainrule[demos]'") from error


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The given axes, or those of a new figure of this size in inches.

    If pyplot is in use, the figure is one of pyplot's and becomes its current one. If pyplot's current figure has no
    axes yet, as after ``plt.figure()``, it is used instead of a new one. Raises TypeError if `ax` is not an Axes.
    """
    if ax is not None:
        is_axes: bool = isinstance(ax, matplotlib("axes").Axes)
        if not is_axes:
            hint = "; of several, pass one: ax=axes[0]" if hasattr(ax, "__len__") else ""
            raise TypeError(f"ax= takes the Axes of matplotlib to draw on, not a {type(ax).__name__}{hint}")
        return ax
    figure = matplotlib("figure").Figure
    pyplot = None if _OFF_SCREEN.get() else pyplot_in_use()
    if pyplot is None:
        found = figure(figsize=size, layout="constrained")
    elif pyplot.get_fignums() and not pyplot.gcf().axes:
        found = pyplot.gcf()
    else:
        found = pyplot.figure(figsize=size, layout="constrained")
    return found.subplots()  # type: ignore[no-any-return]


def pyplot_in_use() -> Any:
    """matplotlib.pyplot, if the program has imported it or this is a notebook; None otherwise."""
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        return pyplot
    ipython = sys.modules.get("IPython")
    in_a_notebook = ipython is not None and hasattr(ipython.get_ipython(), "kernel")
    return matplotlib("pyplot") if in_a_notebook else None


@contextmanager
def off_screen() -> Iterator[None]:
    """Inside this context, new figures are not pyplot's. It is for pictures that are only written to a file."""
    token = _OFF_SCREEN.set(True)
    try:
        yield
    finally:
        _OFF_SCREEN.reset(token)
