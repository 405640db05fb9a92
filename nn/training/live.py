"""Animations of a training: `Frames` draws a picture again and again while a network learns.

A frame is a picture of a fixed size. It is made by functions that draw on axes, such as those of `nn.plots`. Frames
become PNG files, a figure that changes in a notebook, an animated GIF, or all of these.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nn.support.canvas import INK, literal, matplotlib
from nn.support.extras import optional
from nn.support.files import PathLike, check_writable, replacing, write
from nn.training.history import shown

if TYPE_CHECKING:
    from nn.training.state import State


class Frames:
    """A callback for `nn.training.fit` that draws frames: before training, at regular intervals, and at the end.

    In a loop of your own, call `add` for each frame and `save` after the last one. After a training that ended with an
    error, call `save` to get its animation. A new training starts without frames.

    Args:
        draw: functions called as ``draw(ax=axes)``. Each has its own axes, side by side.
        folder: write ``0000.png``, ``0001.png``, … to this folder, which is created. Existing files are replaced.
        gif: write an animation to this file when training ends. Until then the frames are kept as compressed PNGs.
        notebook: show the newest frame in the output of the notebook cell. It replaces the one before.
        every: the number of epochs or steps between frames.
        unit: "epoch" or "step".
        start: draw before the first step, too. Use False for pictures of the history, such as curves.
        seconds: how long the animation shows a frame: at least 0.02, a multiple of 0.01.
        hold: how long it shows the last frame, in seconds.
        size: the size of a frame in inches. By default 4.8 x 5 for each of `draw`.
        dpi: pixels per inch.

    Raises ValueError for wrong settings and ImportError for missing libraries, before training starts.

    >>> import os, tempfile
    >>> from functools import partial
    >>> from nn import plots
    >>> points, labels = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    >>> boundary = partial(plots.decision_boundary, lambda points: points.sum(axis=1) - 1, points, labels)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frames = Frames(boundary, folder=folder, dpi=20)
    ...     frames.add("step 1")
    ...     frames.add("step 2")
    ...     sorted(os.listdir(folder))
    ['0000.png', '0001.png']
    """

    def __init__(
        self,
        *draw: Callable[..., object],
        folder: PathLike | None = None,
        gif: PathLike | None = None,
        notebook: bool = False,
        every: int = 1,
        unit: Literal["epoch", "step"] = "epoch",
        start: bool = True,
        seconds: float = 0.1,
        hold: float = 2.0,
        size: tuple[float, float] | None = None,
        dpi: int = 100,
    ) -> None:
        if not draw or not all(map(callable, draw)):
            raise TypeError(f"frames are drawn by one function or more, called as draw(ax=axes); got {draw!r:.80}")
        if folder is None and gif is None and not notebook:
            raise ValueError("frames have to go somewhere: pass folder=, gif= or notebook=True")
        if gif is not None and Path(gif).suffix.lower() != ".gif":
            raise ValueError(f"an animation is saved as .gif, not as {Path(gif).name}")
        if every < 1 or unit not in ("epoch", "step"):
            raise ValueError(f"frames are drawn every 1 or more of 'epoch' or 'step', got every={every}, unit={unit!r}")
        if not (seconds >= 0.02 and hold >= 0.02):  # viewers show a shorter frame for 0.1 s
            raise ValueError(f"a frame is shown for at least 0.02 seconds, got seconds={seconds} and hold={hold}")
        self.draw, self.every, self.unit, self.start, self.seconds, self.hold = draw, every, unit, start, seconds, hold
        self.folder = None if folder is None else Path(folder)
        self.gif = None if gif is None else Path(gif)
        size = size or (4.8 * len(draw), 5.0)
        self.figure: Any = matplotlib("figure").Figure(figsize=size, dpi=dpi, layout="constrained")
        if gif is not None:
            optional("PIL.Image", "an animation needs Pillow", "pip install pillow")
        self._display: Any = _display() if notebook else None
        self._forget()

    def _forget(self) -> None:
        self._count = self._steps = 0
        self._pngs: list[bytes] = []
        self._handle: Any = None
        self._drawn: tuple[int, int] | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, title: str = "") -> None:
        """Draw a frame with a title, and write, keep or show it."""
        self.figure.clear()
        for draw, ax in zip(self.draw, self.figure.subplots(1, len(self.draw), squeeze=False)[0], strict=True):
            draw(ax=ax)
        self.figure.suptitle(literal(title) or " ", x=0.02, ha="left", fontsize=11, color=INK)  # " " keeps its place
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", metadata={"Software": None})
        png = buffer.getvalue()
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            write(self.folder / f"{self._count:04}.png", png)
        if self.gif is not None:
            self._pngs.append(png)
        if self._display is not None:
            picture = self._display.Image(data=png)
            if self._handle is None:
                self._handle = self._display.display(picture, display_id=True)
            else:
                self._handle.update(picture)
        self._count += 1

    def save(self) -> None:
        """Write the animation of all frames so far. Raises ValueError if there are none, or `gif` is None."""
        if self.gif is None or not self._pngs:
            raise ValueError(f"there is no animation to save: gif={self.gif}, {len(self)} frames")
        image = optional("PIL.Image", "an animation needs Pillow", "pip install pillow")
        few = {"method": image.Quantize.MAXCOVERAGE, "dither": image.Dither.NONE}  # even shades that do not flicker
        pictures = (image.open(io.BytesIO(png)).convert("RGB").quantize(**few) for png in self._pngs)
        milliseconds = [round(1000 * self.seconds)] * (len(self._pngs) - 1) + [round(1000 * self.hold)]
        self.gif.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.gif) as temporary:
            first = next(pictures)
            first.save(temporary, save_all=True, append_images=pictures, duration=milliseconds, loop=0)

    def on_start(self, state: State) -> None:
        """Drop the frames of an earlier training, and draw the first one. Raises OSError if `gif` cannot be written."""
        self._forget()
        if self.gif is not None:
            self.gif.parent.mkdir(parents=True, exist_ok=True)
            check_writable(self.gif)
        if self.start:
            self._draw(state)

    def on_step_end(self, state: State) -> None:
        """Draw a frame if one is due."""
        self._steps += 1
        if self.unit == "step" and self._steps % self.every == 0:
            self._draw(state)

    def on_epoch_end(self, state: State) -> None:
        """Draw a frame if one is due."""
        if self.unit == "epoch" and state.epoch % self.every == 0:
            self._draw(state)

    def on_end(self, state: State) -> None:
        """Draw the last frame, unless it is drawn already, and save the animation."""
        if self._steps and self._drawn != (state.epoch, state.step):
            self._draw(state)
        if self._pngs:
            self.save()

    def _draw(self, state: State) -> None:
        self._drawn = state.epoch, state.step
        if self.unit == "step":
            place, loss = f"epoch {state.epoch}, step {state.step}", state.loss
        else:
            row = state.history[-1] if state.history else {}
            place, loss = f"epoch {state.epoch}", row["train_loss"] if row.get("epoch") == state.epoch else state.loss
        self.add(f"{place} · loss {shown(loss)}" if state.step else "before training")


def _display() -> Any:
    """IPython's display module. Raises ValueError outside a notebook."""
    display = optional("IPython.display", "showing frames in a notebook needs IPython", "pip install ipython")
    if optional("IPython", "", "").get_ipython() is None:
        raise ValueError("notebook=True works only in a notebook: pass folder= or gif= instead")
    return display
