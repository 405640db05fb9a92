"""`Drawing`: DOT source that becomes SVG, PNG or PDF, wherever a Graphviz can be found."""

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

MOST_FOR_PNG = 1500  # nodes; beyond, a PNG takes minutes and nobody can read it
FONTS = b'font-family="Helvetica,Arial,Liberation Sans,Arimo,Nimbus Sans,sans-serif"'
WIDEST = 1000  # pixels in a notebook


class DrawingError(RuntimeError):
    """A picture could not be made; the message says what to do."""


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A picture of a graph: a `graphviz.Digraph` that finds its own renderer and shows itself in a notebook.

    `source` is the DOT text, `notice` says what was left out (empty if nothing), `tree()` gives the graph as text.
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
        """The name as a file's: an underscore for what separates folders, and for what Windows refuses."""
        return re.sub(r'[\\/:*?"<>|]', "_", self.title)

    def tree(self) -> str:
        """The graph as text; it needs no Graphviz."""
        return self.text() if self.text is not None else str(self.source)

    def pipe(self, format: str | None = None, *args: Any, encoding: str | None = None, **options: Any) -> Any:
        """The picture as bytes, or as text in an encoding; "svg", "png" or "pdf" (which needs a `dot` on the PATH)."""
        form = format or self.format
        if form.startswith("png") and self.count > MOST_FOR_PNG:
            raise DrawingError(
                f"a PNG of {self.count:,} nodes would take minutes and could not be read: use SVG, or draw less of it "
                "(detail='overview', focus=…, max_nodes=…)"
            )
        out = run(self.source, form)
        if form == "svg":  # widths were computed for Helvetica: others of the same widths come next
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
        """As graphviz renders: ``render("net", format="png")`` writes net.png. Returns the path."""
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
    """The SVG, its own width capped: the root's width and height are rewritten, the drawing scales with them."""
    found = re.search(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if found is None:
        return svg
    width, height = (float(x) * 4 / 3 for x in found.groups())
    scale = min(1.0, widest / width)
    return svg.replace(found[0], f'<svg width="{width * scale:.0f}px" height="{height * scale:.0f}px"', 1)


def renderers() -> list[str]:
    """The commands that can lay a graph out: that of graphviz-pure where it is installed, then a `dot` on the PATH."""
    found = []
    try:
        installed = importlib.metadata.distribution("graphviz-pure").files or []
        found += [str(f.locate()) for f in installed if f.stem == "graphviz-pure" and f.suffix in ("", ".exe")]
    except importlib.metadata.PackageNotFoundError:
        pass
    dot = shutil.which("dot")
    return found + ([dot] if dot else [])


def run(source: str, form: str) -> bytes:
    """Lay out and draw DOT source; DrawingError where that cannot be done."""
    commands = renderers()
    if form == "pdf":
        commands = [command for command in commands if "graphviz-pure" not in Path(command).name]
    if not commands:
        remedies = "pip install 'chainrule[draw]' (which brings graphviz-pure), or put Graphviz's `dot` on the PATH"
        if form == "pdf":
            raise DrawingError("only Graphviz's own `dot` writes PDF: install Graphviz, or save as .svg or .png")
        raise DrawingError(f"nothing is there to draw with: {remedies}. print(value.tree()) works without")
    done = subprocess.run([commands[0], f"-T{form}"], input=source.encode(), capture_output=True, check=False)
    if done.returncode or not done.stdout:  # a failed run can still leave half a picture
        raise DrawingError(
            f"{Path(commands[0]).name} failed: {done.stderr.decode(errors='replace').strip() or 'no output'}"
        )
    return done.stdout
