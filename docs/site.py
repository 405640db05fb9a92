"""The pages of the site: the documents of the repository, and a reference made from the docstrings and the table.

`make docs` runs it, and then MkDocs. It writes the pages into build/pages, and into build/mkdocs.yml the settings
of docs/mkdocs.yml with the table of contents. A link to a file that is no page leads to the repository.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import reference

import autograd
from autograd import ops

ROOT = Path(__file__).parent.parent
REPOSITORY = "https://github.com/chainrule-dev/chainrule/blob/main/"
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)#:]*)(#[^)]*)?\)")

CONTENTS: dict[str, dict[str, str]] = {
    "Start": {"README.md": "chainrule", "docs/start.md": "Four ways in"},
    "Course": {"docs/course/README.md": "Ten chapters"},
    "Guides": {
        "docs/scalars.md": "Scalars",
        "docs/seeing.md": "Seeing gradients",
        "docs/proving.md": "Proving gradients",
        "docs/tensors.md": "Tensors and NumPy",
        "docs/training.md": "Training",
        "docs/operations.md": "Operations of your own",
        "docs/vectorize.md": "From scalars to matrices",
        "docs/gallery.md": "A gallery of programs",
        "docs/editors.md": "Editors and types",
        "docs/demos.md": "Demos",
    },
    "How it works": {
        "docs/engine.md": "The engine",
        "docs/passes.md": "Vectorize, pass by pass",
        "docs/speed.md": "Speed",
        "docs/house.md": "Where the code is",
    },
    "Reference": {},
    "中文": {"README.zh.md": "chainrule"},
    "Project": {"CONTRIBUTING.md": "Contributing", "CHANGELOG.md": "Changelog"},
}
"""The documents by section, with their titles. The chapters of the course and the reference are found."""

MODULES = {
    "autograd": "Values, Tensors, derivatives, and what explains them.",
    "autograd.testing": "Strategies and checks for Hypothesis.",
    "nn": "Neurons, layers, losses, optimisers and the training loop.",
    "nn.data": "Data sets, and what prepares them.",
    "nn.init": "Initialisers.",
    "nn.plots": "Pictures of a network and its training.",
    "nn.checkpoint": "Weights and trainings in files.",
    "nn.export": "Models for use elsewhere.",
    "nn.inspection": "Figures about a trained network.",
    "nn.report": "A training as a page.",
    "nn.sklearn": "Estimators for scikit-learn.",
    "nn.training": "The loop, callbacks and schedules.",
}
"""The public modules with a page in the reference."""


def place(path: str) -> str:
    """Where a document of the repository stands among the pages.

    >>> place("README.md"), place("docs/course/README.md"), place("CHANGELOG.md"), place("demos/pictures/a.png")
    ('index.md', 'course/index.md', 'changelog.md', 'pictures/a.png')
    """
    path = path.removeprefix("docs/")
    if path.startswith("demos/pictures/"):
        return path.removeprefix("demos/")
    folder, _, name = path.rpartition("/")
    name = "index.md" if name == "README.md" else name.lower() if name.isupper() or name[:-3].isupper() else name
    return f"{folder}/{name}" if folder else name


def linked(text: str, path: str, known: set[str]) -> str:
    """A document's text with its links as the site has them."""
    here = (ROOT / path).parent
    up = "../" * place(path).count("/")

    def moved(match: re.Match[str]) -> str:
        if not match[2]:
            return match[0]
        target = (here / match[2]).resolve().relative_to(ROOT).as_posix()
        if target in known or target.startswith("demos/pictures/"):
            return f"{match[1]}({up}{place(target)}{match[3] or ''})"
        return f"{match[1]}({REPOSITORY}{target})"

    return LINK.sub(moved, text)


def documents() -> dict[str, dict[str, str]]:
    """The documents by section, the chapters among them."""
    found = {section: dict(pages) for section, pages in CONTENTS.items()}
    for section, folder in (("Course", "course"), ("中文", "course/zh")):
        chapters = (ROOT / "docs" / folder).glob("[0-9]*.md")
        for path in sorted(chapters, key=lambda path: int(path.name.partition("-")[0])):
            title = path.read_text(encoding="utf-8").split("\n")[0].removeprefix("# ")
            found[section][path.relative_to(ROOT).as_posix()] = title
    return found


def cards() -> str:
    """The page of all operations: formula, derivative, domain, kinks, and a plot of both."""
    parts = []
    style = ""
    for name in sorted(ops.ROWS):
        row = ops.ROWS[name]
        html = autograd.describe(row)._repr_html_()
        style, _, card = html.partition("</style>")
        parts.append(f"## {name}\n\n" + re.sub(r"\n\s*\n", "\n", card).strip() + "\n")
    head = "# Operations\n\nEach row of the table, as `autograd.describe` shows it.\n\n"
    return f"{head}{style}</style>\n\n" + "\n".join(parts)


def write(build: Path) -> None:
    """Write all pages, and the settings for MkDocs, into a folder."""
    pages = build / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    sections = documents()
    known = {path for listed in sections.values() for path in listed}
    for path in known:
        target = pages / place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(linked((ROOT / path).read_text(encoding="utf-8"), path, known), encoding="utf-8")
    shutil.copytree(ROOT / "demos" / "pictures", pages / "pictures")
    (pages / "site.css").write_text(CSS, encoding="utf-8")
    (pages / "reference").mkdir()
    (pages / "reference" / "operations.md").write_text(cards(), encoding="utf-8")
    for name, summary in MODULES.items():
        rows = {*ops.ROWS} if name == "autograd" else set()
        note = "The operations have [a page of their own](operations.md)." if rows else ""
        (pages / "reference" / f"{name}.md").write_text(reference.page(name, summary, rows, note), encoding="utf-8")
    settings = (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8").replace("../build/", "")
    (build / "mkdocs.yml").write_text(settings + contents(sections), encoding="utf-8")


def contents(sections: dict[str, dict[str, str]]) -> str:
    """The table of contents, as MkDocs reads it."""
    lines = ["nav:"]
    for section, pages in sections.items():
        lines.append(f"  - {section}:")
        lines += [f'      - "{title}": {place(path)}' for path, title in pages.items()]
        if section == "Reference":
            lines += [f"      - {name}: reference/{name}.md" for name in ("operations", *MODULES)]
    return "\n".join(lines) + "\n"


CSS = """
.md-grid { max-width: 76rem }
.md-typeset img { max-width: 100%; height: auto }
.md-typeset article.operation { margin: 0 0 1.5rem }
.md-typeset article.operation h3 { display: none }
"""

if __name__ == "__main__":
    write(ROOT / "build")
