"""`describe`: the card of an operation. It is made from its row: formula, derivative, domain, kinks, how to call it.

``python -m autograd.explaining.describe tanh`` prints a card; without a name it prints all of them. ``--out docs``
writes all cards with their curves as one self-contained page.
"""

from __future__ import annotations

import argparse
import difflib
import html
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, overload

from autograd import ops
from autograd.explaining.card import CardEntry, arguments, entries, formulas
from autograd.explaining.curve import has_curve, plot, svg
from autograd.explaining.notation import LATEX
from autograd.explaining.text import legible, printable
from autograd.files import save
from autograd.ops.operators import NUMPY_NAMES
from autograd.ops.rows import Elementwise, Fused, Linear, Op, Reduction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = {"elementwise": Elementwise, "reductions": Reduction, "linear": Linear, "fused": Fused}
WIDTH = 100  # characters of a line of text


@dataclass(frozen=True, repr=False)
class Card:
    """The card of a row. Printing it gives text; a notebook shows it with its curve."""

    row: Op

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.row.name

    @property
    def signature(self) -> str:
        """The call: ``leaky_relu(x, slope=0.01)``."""
        return f"{self.name}({arguments(self.row)})"

    @property
    def facts(self) -> list[CardEntry]:
        """The entries of the card, below its summary."""
        return entries(self.row)

    @property
    def latex(self) -> str:
        """Value and derivatives as an aligned block of LaTeX. Empty unless the row is elementwise."""
        if not isinstance(self.row, Elementwise):
            return ""
        lines = [f"{left} &= {right}" for left, right in formulas(self.row, LATEX)]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def plot(self, ax: Axes | None = None, **held: float) -> Axes:
        """Draw the value (solid) and the derivative (dashed) over the first operand, and mark kinks and poles.

        Args:
            ax: the Axes to draw on; by default those of a new figure.
            held: the numbers of the other operands, by name; by default the row's defaults, or 2.

        Raises ImportError without matplotlib, and TypeError for a row without a curve, such as one on whole arrays.

        >>> ax = describe("leaky_relu").plot(slope=0.2)
        >>> [line.get_label() for line in ax.lines[2:]]
        ['leaky_relu(x, slope=0.2)', 'derivative in x', 'kink']
        """
        return plot(self.row, ax, **held)

    def __str__(self) -> str:
        summary = textwrap.fill(self.row.summary, WIDTH)
        return "\n".join([self.signature, *([summary] if summary else []), "", *table(self.facts)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        try:
            picture = svg(self.row)
        except (ImportError, TypeError):  # without matplotlib or a curve, show the card alone
            picture = ""
        return f"<style>{STYLE}</style>{element(self, picture)}"


@dataclass(frozen=True, repr=False)
class Listing:
    """Cards in groups. Printing it gives one line for each card."""

    cards: tuple[Card, ...]

    @property
    def groups(self) -> dict[str, list[Card]]:
        """The cards, grouped by the kind of their rows."""
        found = {name: [card for card in self.cards if isinstance(card.row, kind)] for name, kind in GROUPS.items()}
        return {name: cards for name, cards in found.items() if cards}

    @property
    def page(self) -> str:
        """All cards with their curves as one self-contained HTML page. Raises ImportError without matplotlib."""
        links, sections = [], []
        for name, cards in self.groups.items():
            anchors = "".join(f'<a href="#{link}">{link}</a>' for link in (text_of(card.name) for card in cards))
            links.append(f"<b>{name}</b><p>{anchors}</p>")
            inside = "\n".join(element(card, svg(card.row) if has_curve(card.row) else "") for card in cards)
            sections.append(f"<h2>{name.capitalize()}</h2>\n<div class='cards'>\n{inside}\n</div>")
        return PAGE.format(style=STYLE, count=len(self.cards), links="\n".join(links), sections="\n".join(sections))

    def save(self, filename: str | Path) -> str:
        """Write the page, whole or not at all; returns the path."""
        return save(filename, self.page.encode())

    def __str__(self) -> str:
        blocks = []
        for name, cards in self.groups.items():
            calls = [textwrap.shorten(card.signature, 40, placeholder=" …)") for card in cards]
            width = max(map(len, calls))
            lines = [
                f"  {call:<{width}}  {shortened(card.row.summary)}" for call, card in zip(calls, cards, strict=True)
            ]
            blocks.append("\n".join([name, *lines]))
        return "\n\n".join(blocks)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'><code>{text_of(card.signature)}</code></td>"
            f"<td style='text-align:left'>{prose(card.row.summary)}</td></tr>"
            for cards in self.groups.values()
            for card in cards
        )
        return f"<table>{rows}</table>"


@overload
def describe(row: None = None) -> Listing: ...
@overload
def describe(row: str | Op) -> Card: ...
def describe(row: str | Op | None = None) -> Card | Listing:
    """The card of an operation, or a list of all operations.

    Args:
        row: the operation's name, or the row itself, which may be a custom operation (`autograd.custom_op`). By default
            all rows of the table.

    Raises ValueError for an unknown name. The message suggests similar names.

    >>> print(describe("tanh"))
    tanh(x)
    Hyperbolic tangent.
    <BLANKLINE>
    value       y = tanh(x)
    derivative  dy/dx = 1−y²
    domain      x ∈ (−∞, ∞)
    written     autograd.tanh(x), x.tanh()
    NumPy       np.tanh
    example     tanh(0.0) = 0.0
    """
    if row is None:
        return Listing(tuple(map(Card, ops.ROWS.values())))
    if isinstance(row, Op):
        return Card(row)
    name = NUMPY_NAMES.get(row, row)
    if name in ops.ROWS:
        return Card(ops.ROWS[name])
    if name in vars(ops)["__all__"]:
        raise ValueError(f"{name} is not a row of the table but a function composed of rows: see help(autograd.{name})")
    close = difflib.get_close_matches(name, [*ops.ROWS, *NUMPY_NAMES])
    hint = f"did you mean {', '.join(close)}?" if close else "describe() lists all"
    raise ValueError(f"there is no operation {name!r}: {hint}")


# ------------------------------------------------------------------------------------------------------ text, HTML


def table(entries: Sequence[CardEntry]) -> list[str]:
    """Entries as lines of text, with labels on the left. A repeated label is printed once."""
    width = max((len(entry.label) for entry in entries), default=0)
    lines = []
    for label, group in groupby(entries, key=lambda entry: entry.label):
        texts = []
        for entry in group:
            texts += textwrap.wrap(entry.text, WIDTH - width) if entry.style == "words" else entry.text.split("\n")
        lines += [f"{head:<{width}}  {text}" for head, text in zip([label, *[""] * len(texts)], texts, strict=False)]
    return lines


def shortened(text: str) -> str:
    """A text, cut so that it fits on a line beside a signature."""
    return textwrap.shorten(text, 76, placeholder=" …")


def text_of(text: str) -> str:
    """Text as HTML, with its line breaks."""
    return html.escape("\n".join(map(printable, text.split("\n"))))


def prose(text: str) -> str:
    """A docstring's line as HTML: code between backticks."""
    return re.sub(r"(`+)(.+?)\1", r"<code>\2</code>", text_of(text))


def item(entry: CardEntry) -> str:
    """An entry's text as HTML: exponents raised, statements as lines that scroll."""
    text, style = prose(entry.text), entry.style
    if style == "formula":
        text = re.sub(r"\^(?:\(([^()]+)\)|(\w))", r"<sup>\1\2</sup>", text)
    if "\n" in text:
        style += " lines"
    return f'<dd class="{style}">{text}</dd>'


def element(card: Card, picture: str = "") -> str:
    """A card as HTML, with a picture below it."""
    items = []
    for label, group in groupby(card.facts, key=lambda entry: entry.label):
        items.append(f"<dt>{text_of(label)}</dt>")
        items += map(item, group)
    figure = f"\n<figure>{picture}</figure>" if picture else ""
    return (
        f'<article class="operation" id="{text_of(card.name)}">\n<h3>{text_of(card.signature)}</h3>\n'
        f"<p>{prose(card.row.summary)}</p>\n<dl>{''.join(items)}</dl>{figure}\n</article>"
    )


STYLE = """
.operation { box-sizing: border-box; min-width: 0; max-width: 640px; padding: 16px clamp(12px, 2vw, 20px);
             background: #FFF; color: #1F2328; border: 1px solid #D0D7DE; border-radius: 8px;
             font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
.operation h3 { margin: 0; font: 600 17px/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
                overflow-wrap: anywhere }
.operation p { margin: 2px 0 12px; color: #57606A }
.operation dl { display: grid; grid-template-columns: minmax(76px, max-content) minmax(0, 1fr); gap: 4px 14px;
                margin: 0 }
.operation dt { grid-column: 1; color: #57606A; font-size: 13px; line-height: 22px }
.operation dd { grid-column: 2; margin: 0; text-align: left; overflow-wrap: anywhere; white-space: pre-wrap }
.operation .formula { font: 17px/1.4 "STIX Two Text", Cambria, "Times New Roman", "DejaVu Serif", serif }
.operation sup { line-height: 0 }
.operation .code, .operation code { font: 13px/22px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace }
.operation .lines { white-space: pre; overflow-x: auto; font-size: 12px; line-height: 19px }
.operation .words { font-size: 14px }
.operation figure { margin: 14px 0 0 }
.operation svg { display: block; width: 100%; max-width: 460px; height: auto; margin: auto }
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Operations</title>
<style>
* {{ box-sizing: border-box }}
body {{ max-width: 1400px; margin: auto; padding: clamp(12px, 3vw, 36px); background: #F6F8FA; color: #1F2328;
       font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif }}
h1 {{ margin: 0; font-size: clamp(24px, 5vw, 34px); line-height: 1.2 }}
h2 {{ margin: 32px 0 12px; font-size: 20px }}
nav {{ display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 8px 16px; margin-top: 16px }}
nav p {{ display: flex; flex-wrap: wrap; gap: 2px 12px; margin: 0 }}
@media (max-width: 600px) {{ nav {{ grid-template-columns: minmax(0, 1fr); gap: 2px }} nav b {{ margin-top: 8px }} }}
a {{ color: #174E8F; text-decoration: none }}
a:hover {{ text-decoration: underline }}
.cards {{ display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)) }}
{style}
</style>
<h1>Operations</h1>
<p>{count} rows of the table <code>autograd/ops/</code>, each with its value and its derivative.</p>
<nav>
{links}
</nav>
{sections}
</html>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: print cards, or write a page of them."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.explaining.describe", description="Print the cards of operations."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="operations; all of them by default")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write FOLDER/operations.html instead of printing")
    legible()
    given = parser.parse_args(arguments)
    try:
        listing = Listing(tuple(describe(name) for name in given.names)) if given.names else describe()
        if given.out is not None:
            print(listing.save(given.out / "operations.html"))
            return 0
    except (ValueError, ImportError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    print("\n\n\n".join(map(str, listing.cards)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
