"""A report on a training, as one self-contained HTML page."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nn.support.files import PathLike, write
from nn.support.text import printable
from nn.training.history import History, shown, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_report(
    folder: PathLike,
    title: str,
    headlines: Mapping[str, str],
    settings: Mapping[str, object],
    pictures: Mapping[str, tuple[str, str, Axes]],
    history: History,
) -> Path:
    """Write ``report.html``, one self-contained page, and its pictures as PNG files. Returns the path of the page.

    Args:
        folder: an existing folder.
        title: the heading.
        headlines: the main results, in large type: a value for each caption.
        settings: the settings of the training, by name.
        pictures: for each file name (without suffix), a heading, a sentence and the axes. The page contains them, too.
        history: the results of each epoch, shown as a table.
    """
    folder = Path(folder)
    cards = []
    for name, (heading, sentence, ax) in pictures.items():
        figure: Any = ax.figure.figure  # the whole figure, even if the axes are in a part of it
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
        write(folder / f"{name}.png", png.getvalue())
        source = base64.b64encode(png.getvalue()).decode()
        alt = _text(f"{heading}. {sentence}")
        cards.append(
            f"<section><h2>{_text(heading)}</h2><p>{_text(sentence)}</p>"
            f'<img alt="{alt}" src="data:image/png;base64,{source}"></section>'
        )
    page = _PAGE.format(
        title=_text(title),
        headlines=_items(headlines, "<div><dd>{value}</dd><dt>{name}</dt></div>"),
        settings=_items(settings, "<div><dt>{name}</dt><dd>{value}</dd></div>"),
        cards="\n".join(cards),
        head=_items(dict.fromkeys(history.columns), "<th>{name}</th>"),
        rows="\n".join("<tr>" + "".join(f"<td>{shown(x)}</td>" for x in row.values()) + "</tr>" for row in history),
    )
    write(folder / "report.html", page)
    return folder / "report.html"


def _text(x: object) -> str:
    """Any text as HTML."""
    return html.escape(printable(x))


def _items(items: Mapping[str, object], form: str) -> str:
    return "".join(form.format(name=_text(spoken(str(name))), value=_text(value)) for name, value in items.items())


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  * {{ box-sizing: border-box; margin: 0 }}
  body {{ max-width: 1160px; margin: auto; padding: clamp(12px, 4vw, 40px); background: #F6F8FA; color: #1F2328;
         font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif }}
  h1 {{ font-size: clamp(24px, 5vw, 34px); line-height: 1.2; margin-bottom: 20px }}
  h2 {{ font-size: 18px }}
  p, dt {{ color: #57606A; font-size: 14px }}
  .headlines {{ display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)) }}
  .headlines dd {{ font-size: 30px; font-weight: 700; line-height: 1.2; font-variant-numeric: tabular-nums }}
  .headlines div:first-child dd {{ color: #C8541A }}
  .headlines div, section {{ background: #FFF; border: 1px solid #D0D7DE; border-radius: 8px;
                                padding: 16px clamp(12px, 2vw, 20px) }}
  .settings {{ display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 20px 4px }}
  .settings div {{ display: flex; gap: 8px }}
  .settings dd {{ font-size: 14px; font-weight: 600; overflow-wrap: anywhere }}
  main {{ display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)) }}
  section {{ display: flex; flex-direction: column; min-width: 0 }}
  main > section:nth-last-child(2):nth-child(odd), .history {{ grid-column: 1 / -1 }}
  img {{ display: block; width: 100%; max-width: 620px; margin: 12px auto auto }}
  .long {{ margin-top: 12px; max-height: 640px; overflow: auto }}
  table {{ border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums }}
  th, td {{ padding: 5px 0 5px 10px; text-align: right; border-bottom: 1px solid #D0D7DE }}
  th {{ color: #57606A; font-weight: 600; vertical-align: bottom; position: sticky; top: 0; background: #FFF }}
  @media (max-width: 480px) {{ section {{ padding: 12px 8px }} table {{ font-size: 11px }}
                               th, td {{ padding-left: 4px }} }}
</style>
<h1>{title}</h1>
<dl class="headlines">{headlines}</dl>
<dl class="settings">{settings}</dl>
<main>
{cards}
<section class="history"><h2>History</h2><div class="long"><table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></div></section>
</main>
</html>
"""


if not TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
