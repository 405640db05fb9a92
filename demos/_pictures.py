"""Figures of the demos, and a function that saves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd import DrawingError
from nn.support import canvas
from nn.support.files import replacing


def pictures(folder: Path, draw: Mapping[str, Callable[[], Any]]) -> None:
    """Save matplotlib figures or drawings of graphs, made by functions. If one cannot be made, say why."""
    for name, make in draw.items():
        try:
            with canvas.off_screen():
                picture = make()
            if hasattr(picture, "savefig"):
                with replacing(folder / name) as temporary:
                    picture.savefig(temporary, dpi=150)
            else:
                picture.save(folder / name)
            print(f"picture: {folder / name}")
        except (ImportError, DrawingError) as error:
            print(f"no picture: {error}")


def panels(width: float, height: float, columns: int, **kwargs: Any) -> tuple[Any, Any]:
    """A figure with axes side by side."""
    figure = canvas.matplotlib("figure").Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, **kwargs)
    for ax in np.ravel(axes):
        ax.grid(color=canvas.LINE, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes
