"""Pictures of a training: learning curves, confusion matrix, weights as images, the worst predictions, a report.

matplotlib draws, and is imported when a picture is first asked for. Every function draws on the axes that it is given
(``ax=``), or else on a new figure of its own, and returns the axes: ``curves(history).figure.savefig("loss.png")``.
pyplot and its global state are not touched, so nothing needs closing and threads do not meet.

Colours as in the drawings of graphs: blue is negative, orange positive.
"""

from __future__ import annotations

import base64
import html
import importlib
import io
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nn.files import replacing
from nn.history import History, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap

Array: TypeAlias = npt.NDArray[Any]

INK, GREY, LINE, PALE = "#1F2328", "#57606A", "#D0D7DE", "#F6F8FA"
BLUES = ("#174E8F", "#3576BB", "#9DC4EA", "#CBDFF3", "#EAF2FB")  # negative, from the strongest
ORANGES = ("#FFF1E6", "#FFD9BD", "#FDB27F", "#C8541A", "#8F3208")  # positive, to the strongest


def curves(history: History, ax: Axes | None = None, *, column: str = "loss", log: bool = False) -> Axes:
    """A number over the epochs: ``train_loss`` solid, every other column that ends in ``loss`` dashed.

    Args:
        history: what `nn.training.fit` returned.
        ax: where to draw.
        column: "loss", "accuracy" or another ending of columns; ValueError if there is none.
        log: a logarithmic vertical axis.

    The best epoch of the last line is marked: the largest for accuracies, the smallest for all else.

    >>> ax = curves(History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}]))
    >>> [line.get_label() for line in ax.lines]
    ['train_loss', 'best: 0.2500 in epoch 2']
    """
    names = sorted((name for name in history.columns if name.endswith(column)), key=lambda name: name[:6] != "train_")
    if not names:
        raise ValueError(f"the history has no column that ends in {column!r}: {history.columns}")
    ax = _axes(ax, (4.4, 3.2))
    others = itertools.cycle((ORANGES[3], "#8250DF", "#1A7F37"))
    marker = "o" if len(history) < 30 else ""
    for name in names:
        style, colour = ("-", BLUES[1]) if name.startswith("train_") else ("--", next(others))
        ax.plot(history["epoch"], history[name], style, label=name, marker=marker, markersize=3.5, color=colour)
    if np.isfinite(history[names[-1]]).any():
        row = history.best(names[-1])
        best = f"best: {shown(row[names[-1]])} in epoch {row['epoch']}"
        ax.plot([row["epoch"]], [row[names[-1]]], "o", label=best, markersize=10, markerfacecolor="none", color=INK)
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(_matplotlib("ticker").MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch", color=GREY)
    ax.set_ylabel(column, color=GREY)
    ax.grid(axis="y", color=LINE, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize="small", framealpha=0.9, edgecolor="none")
    return ax


def confusion_matrix(
    true: npt.ArrayLike, predicted: npt.ArrayLike, classes: Sequence[object] | None = None, ax: Axes | None = None
) -> Axes:
    """How often each class (rows) was taken for which (columns): counts, with their share of the row.

    Args:
        true: labels (n,), integers from 0.
        predicted: labels (n,), what they were taken for.
        classes: their names; the numbers themselves by default.
        ax: where to draw.

    The mistakes are coloured, by their share. ValueError for labels of different lengths or of no class.

    >>> ax = confusion_matrix([0, 0, 1], [0, 1, 1])
    >>> [text.get_text() for text in ax.texts]
    ['1\\n50.0%', '1\\n50.0%', '·', '1\\n100%']
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    if true.shape != predicted.shape or true.ndim != 1 or not true.size:
        raise ValueError(f"labels come as two arrays (n,) of equal length, got {true.shape} and {predicted.shape}")
    found = np.concatenate([true, predicted])
    names = [str(name) for name in (range(found.max() + 1) if classes is None else classes)]
    if found.min() < 0 or found.max() >= len(names):
        raise ValueError(f"labels from {found.min()} to {found.max()} do not fit {len(names)} classes")
    n = len(names)
    counts = np.bincount(true * n + predicted, minlength=n * n).reshape(n, n)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mistakes = np.where(np.eye(n, dtype=bool), 0, share)

    ax = _axes(ax, (5.2, 5.2))
    colours = _colours("mistakes", ("#FFFFFF", *ORANGES[:3]))
    ax.imshow(mistakes, cmap=colours, vmin=0, vmax=max(mistakes.max(), 1e-9))
    for (i, j), count in np.ndenumerate(counts):
        right = i == j
        percent = f"{share[i, j]:.1%}".replace("100.0", "100")
        ax.text(
            j, i, f"{count}\n{percent}" if count else "·", ha="center", va="center", fontsize=8,
            color=INK if count else GREY, fontweight="bold" if right else "normal", linespacing=1.25,
        )  # fmt: skip
    ax.set_xticks(range(n), names, color=INK)
    ax.set_yticks(range(n), names, color=INK)
    ax.set_xlabel("predicted", color=GREY)
    ax.set_ylabel("true", color=GREY)
    ax.tick_params(length=0)
    ax.spines[:].set_color(LINE)
    return ax


def weight_images(
    weight: Any, shape: tuple[int, int] = (28, 28), ax: Axes | None = None, *, limit: float | None = None
) -> Axes:
    """The weights into each unit as an image of the input: what makes it fire (orange), what holds it down (blue).

    Args:
        weight: (height * width, units), such as the `weight` of a first `Linear`: a Tensor or an array.
        shape: height and width; ValueError if they do not fit.
        ax: where to draw.
        limit: the weight of the strongest colours, the same for all units. By default the largest magnitude but for
            one in 200 weights, for a few far out would leave the others pale.

    >>> weight_images(np.array([[2.0, 0.0], [0.0, -2.0]]), shape=(1, 2)).images[0].get_clim()
    (-2.0, 2.0)
    """
    weight = np.asarray(getattr(weight, "data", weight))
    if weight.ndim != 2 or weight.shape[0] != shape[0] * shape[1] or not weight.size:
        raise ValueError(f"weights of shape {weight.shape} are no images of {shape[0]} x {shape[1]}, one a unit")
    ax = _axes(ax, (4.8, 5.1))
    limit = float(np.nanquantile(np.abs(weight), 0.995)) or 1.0 if limit is None else limit
    signed = _colours("signed", (*BLUES, PALE, *ORANGES))
    image = ax.imshow(
        _mosaic(weight.T.reshape(-1, *shape)), cmap=signed, vmin=-limit, vmax=limit, interpolation="nearest"
    )
    bar = ax.figure.colorbar(image, ax=ax, orientation="horizontal", shrink=0.6, aspect=30, pad=0.02, extend="both")
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"])
    bar.outline.set_visible(False)
    ax.set_axis_off()
    return ax


def worst_samples(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n: int = 25,
    shape: tuple[int, int] = (28, 28),
    ax: Axes | None = None,
) -> Axes:
    """The samples with the largest loss, worst first, each titled ``true→predicted p=probability of the latter``.

    Args:
        images: (samples, height * width) or (samples, height, width), grey, larger is darker.
        labels: (samples,), the true classes.
        probabilities: (samples, classes), such as softmax of the logits.
        n: how many at most.
        shape: height and width of an image.
        ax: where to draw.

    >>> worst = worst_samples(np.eye(2), [0, 1], [[0.9, 0.1], [0.75, 0.25]], shape=(1, 2))
    >>> [text.get_text() for text in worst.texts]
    ['1→0 p=.75', '0→0 p=.90']
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if not len(labels) or n < 1:
        raise ValueError(f"there is nothing to show of {len(labels)} samples, {n} wanted")
    images = np.asarray(images).reshape(len(labels), *shape)
    worst = np.argsort(probabilities[np.arange(len(labels)), labels], kind="stable")[:n]
    gap = -(-shape[0] // 3)  # room for a title
    ax = _axes(ax, (4.8, 5.1))
    columns = _columns(len(worst))
    ax.imshow(_mosaic(images[worst], gap, columns), cmap="gray_r", vmin=0, vmax=max(float(images[worst].max()), 1e-9))
    for place, i in enumerate(worst):
        row, column = divmod(place, columns)
        guess = probabilities[i].argmax()
        title = f"{labels[i]}→{guess} p={probabilities[i, guess]:.2f}".replace("=0.", "=.")
        x = column * (shape[1] + gap) + (shape[1] - 1) / 2
        ax.text(x, row * (shape[0] + gap) - 1, title, ha="center", va="bottom", fontsize=8.5, color=INK)
    ax.set_axis_off()
    return ax


# ------------------------------------------------------------------------------------------------------- a report


def report(
    folder: str | os.PathLike[str],
    title: str,
    headlines: Mapping[str, str],
    settings: Mapping[str, object],
    pictures: Mapping[str, tuple[str, str, Axes]],
    history: History,
) -> Path:
    """Write ``report.html``, one self-contained page, and the pictures beside it as PNG; returns the page's path.

    Args:
        folder: where to; it has to exist.
        title: the heading.
        headlines: what matters most, in large type: a value for each caption.
        settings: what was trained and how, by name.
        pictures: a heading, a sentence, and the axes, by file name without suffix; embedded in the page, too.
        history: becomes a table.
    """
    folder = Path(folder)
    cards = []
    for name, (heading, sentence, ax) in pictures.items():
        figure: Any = ax.figure
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
        with replacing(folder / f"{name}.png") as temporary:
            temporary.write_bytes(png.getvalue())
        source = base64.b64encode(png.getvalue()).decode()
        least = round(figure.get_figwidth() * 96 * 0.7)  # smaller than that, nobody can read its texts: it scrolls
        alt = html.escape(f"{heading}. {sentence}", quote=True)
        cards.append(
            f"<section><h2>{html.escape(heading)}</h2><p>{html.escape(sentence)}</p>"
            f'<div class="scroll"><img style="min-width: {least}px" alt="{alt}" '
            f'src="data:image/png;base64,{source}"></div></section>'
        )
    page = _PAGE.format(
        title=html.escape(title),
        headlines=_items(headlines, "<div><dd>{value}</dd><dt>{name}</dt></div>"),
        settings=_items(settings, "<div><dt>{name}</dt><dd>{value}</dd></div>"),
        cards="\n".join(cards),
        head=_items(dict.fromkeys(history.columns), "<th>{name}</th>"),
        rows="\n".join("<tr>" + "".join(f"<td>{shown(x)}</td>" for x in row.values()) + "</tr>" for row in history),
    )
    with replacing(folder / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / "report.html"


def _items(items: Mapping[str, object], form: str) -> str:
    return "".join(
        form.format(name=html.escape(name.replace("_", " ")), value=html.escape(str(value)))
        for name, value in items.items()
    )


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
  img {{ display: block; width: 100%; max-width: 620px; margin: auto }}
  .scroll {{ margin-top: 12px; overflow: auto }}
  .long {{ max-height: 640px }}
  table {{ border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums }}
  th, td {{ padding: 5px 0 5px 10px; text-align: right; border-bottom: 1px solid #D0D7DE }}
  th {{ color: #57606A; font-weight: 600; vertical-align: bottom; position: sticky; top: 0; background: #FFF }}
</style>
<h1>{title}</h1>
<dl class="headlines">{headlines}</dl>
<dl class="settings">{settings}</dl>
<main>
{cards}
<section><h2>History</h2><div class="scroll long"><table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></div></section>
</main>
</html>
"""

# ------------------------------------------------------------------------------------------------ smaller pieces


def _matplotlib(module: str) -> Any:
    """A module of matplotlib; an error that says how to get it where it is not installed."""
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise ImportError('pictures need matplotlib: pip install "chainrule[demos]"') from error


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The given axes, or those of a new figure of this size in inches."""
    if ax is None:
        ax = _matplotlib("figure").Figure(figsize=size, layout="constrained").subplots()
    return ax


def _colours(name: str, colours: Sequence[str]) -> LinearSegmentedColormap:
    """A colour map through these colours; nothing is drawn where there is no number."""
    return _matplotlib("colors").LinearSegmentedColormap.from_list(name, colours)  # type: ignore[no-any-return]


def _columns(n: int) -> int:
    """How many of n equal things go in a row of a square arrangement."""
    return math.ceil(math.sqrt(n))


def _mosaic(images: Array, gap: int = 1, columns: int | None = None) -> Array:
    """Images (n, height, width) in rows of one large image, nan between them."""
    n, height, width = images.shape
    columns = columns or _columns(n)
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + gap, width + gap), np.nan)
    cells[:n, :height, :width] = images
    whole = cells.reshape(rows, columns, height + gap, width + gap).swapaxes(1, 2)
    return whole.reshape(rows * (height + gap), columns * (width + gap))[:-gap, :-gap]
