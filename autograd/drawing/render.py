"""`Drawing`: DOT source that an installed Graphviz turns into SVG, PNG or PDF."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import graphviz

from autograd import files
from autograd.drawing import style
from autograd.explaining.text import printable

MOST_FOR_PNG = 1500  # nodes; a larger PNG takes minutes and cannot be read
FONTS = b'font-family="Helvetica,Arial,Liberation Sans,Arimo,Nimbus Sans,sans-serif"'
WIDEST = 1000  # pixels in a notebook


class DrawingError(RuntimeError):
    """A picture could not be made; the message says what to do."""


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A picture of a graph: a `graphviz.Digraph` that finds an installed renderer. A notebook shows it.

    `source` is the DOT text. `notice` says what was left out; it is empty if the picture is complete. `tree()` gives
    the graph as text.
    """

    notice: str = ""
    text: Callable[[], str] | None = None
    count = 0

    def __init__(self, name: str | None = None, **options: Any) -> None:
        self.title = printable(name or "graph")
        super().__init__(style.graph_name(self.title), **options)

    def _copy_kwargs(self, **options: Any) -> dict[str, Any]:
        return {**super()._copy_kwargs(**options), "name": self.title}

    @property
    def stem(self) -> str:
        """The name of the file, with underscores for characters that separate folders or that Windows forbids."""
        return re.sub(r'[\\/:*?"<>|]', "_", self.title)

    def tree(self) -> str:
        """The graph as text. It does not need Graphviz."""
        return self.text() if self.text is not None else str(self.source)

    def pipe(self, format: str | None = None, *args: Any, encoding: str | None = None, **options: Any) -> Any:
        """The picture as bytes, or as text in an encoding. The format is "svg", "png", or "pdf", which needs `dot`."""
        form = format or self.format
        if form.startswith("png") and self.count > MOST_FOR_PNG:
            raise DrawingError(
                f"a PNG of {self.count:,} nodes would take minutes and could not be read: use SVG, or draw less of it "
                "(detail='overview', focus=…, max_nodes=…)"
            )
        out = run(self.source, form)
        if form == "svg":  # widths were computed for Helvetica; name fonts of the same widths as alternatives
            out = out.replace(b'font-family="Helvetica,sans-Serif"', FONTS)
        return out.decode(encoding) if encoding else out

    def svg(self) -> str:
        """The picture as SVG text."""
        return str(self.pipe("svg", encoding="utf-8"))

    def save(self, filename: Any = None, directory: Any = None, *args: Any, **options: Any) -> str:
        """Write the picture in the format of the file's ending (.svg, .png, .pdf; .dot and .gv for the source).

        The file is written whole or not at all. Returns its path.
        """
        path = Path(directory or ".") / (filename or f"{self.stem}.svg")
        form = path.suffix.lower().removeprefix(".")
        if form not in ("svg", "png", "pdf", "jpg", "dot", "gv"):
            raise ValueError(f"the ending of {str(path)!r} should say what to write: .svg, .png, .pdf or .dot")
        return files.save(path, self.source.encode() if form in ("dot", "gv") else self.pipe(form))

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        **options: Any,
    ) -> str:
        """As `graphviz.Digraph.render`: ``render("net", format="png")`` writes net.png. Returns the path."""
        path = self.save(f"{filename or self.stem}.{format or self.format}", directory)
        if view:
            graphviz.view(path)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **options: Any) -> dict[str, str]:
        bundle = {"text/plain": self.tree()}
        try:
            bundle["image/svg+xml"] = narrowed(self.svg())
        except DrawingError as error:
            bundle["text/plain"] = f"{error}\n\n{bundle['text/plain']}"
        return {key: x for key, x in bundle.items() if key not in (exclude or ()) and (not include or key in include)}


def narrowed(svg: str, widest: int = WIDEST) -> str:
    """The SVG, scaled down to a maximal width: only the root's width and height are changed."""
    found = re.search(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if found is None:
        return svg
    width, height = (float(x) * 4 / 3 for x in found.groups())
    scale = min(1.0, widest / width)
    return svg.replace(found[0], f'<svg width="{width * scale:.0f}px" height="{height * scale:.0f}px"', 1)


def renderers() -> list[str]:
    """The commands that can draw a graph: that of graphviz-pure if it is installed, then `dot` if it is on the PATH."""
    found = []
    try:
        installed = importlib.metadata.distribution("graphviz-pure").files or []
        found += [str(f.locate()) for f in installed if f.stem == "graphviz-pure" and f.suffix in ("", ".exe")]
    except importlib.metadata.PackageNotFoundError:
        pass
    dot = shutil.which("dot")
    return found + ([dot] if dot else [])


def run(source: str, form: str) -> bytes:
    """Lay out and draw DOT source. Raises DrawingError if there is no renderer, or it fails."""
    commands = renderers()
    if form == "pdf":
        commands = [command for command in commands if "graphviz-pure" not in Path(command).name]
    if not commands:
        remedies = "pip install 'chainrule[draw]' (which brings graphviz-pure), or put Graphviz's `dot` on the PATH"
        if form == "pdf":
            raise DrawingError("only Graphviz's own `dot` writes PDF: install Graphviz, or save as .svg or .png")
        raise DrawingError(f"there is no Graphviz to draw with: {remedies}. print(value.tree()) works without it")
    done = subprocess.run([commands[0], f"-T{form}"], input=source.encode(), capture_output=True, check=False)
    if done.returncode or not done.stdout:  # a failed run may still write half a picture
        raise DrawingError(
            f"{Path(commands[0]).name} failed: {done.stderr.decode(errors='replace').strip() or 'no output'}"
        )
    return done.stdout
