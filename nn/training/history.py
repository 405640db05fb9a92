"""`History`: a table with the results of each epoch of a training, which can be printed, saved and searched."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, overload

from nn.support.files import PathLike, read, write

Row: TypeAlias = dict[str, float]
Direction: TypeAlias = Literal["max", "min"]
"""The best number of a column: the largest or the smallest."""

BEST: dict[str, Direction] = {
    **dict.fromkeys(("accuracy", "acc", "auc", "auroc", "f1", "precision", "recall", "r2"), "max"),
    **dict.fromkeys(("loss", "error", "mse", "rmse", "mae", "perplexity", "seconds"), "min"),
}
"""The best number of columns whose names end in these words."""
TURNED = {"neg", "negative", "minus", "inverse"}
"""Words that reverse the meaning of a name: the best ``neg_log_loss`` is the largest."""


class History(Sequence[Row]):
    """The results of each epoch: a list of rows, all with the same columns.

    ``history[-1]`` is the last row, ``history["train_loss"]`` a column. `stopped` says why training ended before its
    last epoch; it is empty otherwise. `interrupted` is True if Ctrl-C was pressed.

    >>> history = History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}])
    >>> history["train_loss"], history[-1]["epoch"], len(history)
    ([0.5, 0.25], 2, 2)
    >>> print(history)
    epoch  train_loss
        1      0.5000
        2      0.2500
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        self.rows: list[Row] = []
        self.stopped, self.interrupted = "", False
        for row in rows:
            self.append(row)

    def append(self, row: Mapping[str, float]) -> None:
        """Add the row of an epoch. Raises ValueError if its columns differ from those of the rows before."""
        columns = self.columns or list(row)
        if row.keys() != set(columns):
            raise ValueError(f"a row with the columns {list(row)} does not fit a history of {columns}")
        self.rows.append({name: row[name] for name in columns})

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order. Before the first epoch there are none."""
        return list(self.rows[0]) if self.rows else []

    def best(self, column: str, direction: Direction | None = None) -> Row:
        """The row with the best number in a column: the largest ("max") or the smallest ("min"), as `direction` says.

        By default the direction follows from the column's name, if it ends in a word such as "accuracy" or "loss": see
        `direction_of`. Of several equal rows the first is returned. A nan is never the best. Raises ValueError for
        other names, and if the column has no number.
        """
        rows = [row for row in self.rows if not math.isnan(row[column])]
        if not rows:
            raise ValueError(f"the history has no number in the column {column!r}")
        way = checked_direction(column, direction)
        return (max if way == "max" else min)(rows, key=lambda row: row[column])

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> History: ...
    @overload
    def __getitem__(self, key: str) -> list[float]: ...
    def __getitem__(self, key: int | slice | str) -> Row | History | list[float]:
        if isinstance(key, str):
            if key not in self.columns:
                raise KeyError(f"the history has no column {key!r}, only {self.columns}")
            return [row[key] for row in self.rows]
        return History(self.rows[key]) if isinstance(key, slice) else self.rows[key]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={shown(x)}" for name, x in self.rows[-1].items()) if self.rows else ""
        return f"History of {len(self)} epochs{': ' * bool(last)}{last}"

    def __str__(self) -> str:
        table = [self.columns, *([shown(x) for x in row.values()] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join("  ".join(f"{x:>{w}}" for x, w in zip(line, widths, strict=True)) for line in table)

    def save(self, path: PathLike) -> None:
        """Write the table as CSV or JSON (a list of objects). Raises ValueError for another suffix."""
        path = Path(path)
        text = io.StringIO(newline="")
        if path.suffix == ".csv":
            writer = csv.DictWriter(text, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        elif path.suffix == ".json":
            text.write(json.dumps(self.rows, indent=1) + "\n")
        else:
            raise ValueError(f"a history is saved as .csv or .json, not as {path.name}")
        write(path, text.getvalue())

    @classmethod
    def load(cls, path: PathLike) -> History:
        """Read a table that `save` wrote as JSON. Raises ValueError, which names the file, for anything else."""
        data = read(path)
        try:
            return cls(json.loads(data))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{os.fspath(path)}: this is not a history in JSON ({error})") from error


SAID = {"train": "training", "val": "validation", "lr": "learning rate"}
"""English words for abbreviations in names of columns."""


def spoken(column: str) -> str:
    """A column's name in English, for legends and headings. Anything but a plain name is returned unchanged.

    >>> [spoken(name) for name in ("train_loss", "val_accuracy", "test_loss", "lr", "my_score")]
    ['training loss', 'validation accuracy', 'test loss', 'learning rate', 'my score']
    """
    if not re.fullmatch(r"[^\W_]+(_[^\W_]+)*", column):
        return column
    return " ".join(SAID.get(word, word) for word in column.split("_"))


def direction_of(column: str) -> Direction | None:
    """Which number of a column is the best, by the last word of its name; None if the word does not tell.

    >>> [direction_of(name) for name in ("val_accuracy", "val_AUC", "train_loss", "val_score", "neg_log_loss")]
    ['max', 'max', 'min', None, None]
    """
    words = re.findall(r"[^\W_]+", column.lower())
    turned = not words or words[0] == "1" or not TURNED.isdisjoint(words)  # 1 - accuracy
    return None if turned else BEST.get(words[-1])


def checked_direction(column: str, direction: Direction | None) -> Direction:
    """The direction that is given, or else the one of the column's name. Raises ValueError if neither is known."""
    found = direction_of(column) if direction is None else direction
    if found not in ("max", "min"):
        what = f"direction={direction!r} is neither" if direction is not None else f"the name {column!r} does not tell"
        raise ValueError(
            f"{what}: pass direction='max' if the largest {column} is the best, direction='min' if the smallest is"
        )
    return found


def shown(x: float) -> str:
    """A number for tables and messages: four decimals for small numbers, fewer for larger ones.

    >>> [shown(x) for x in (3, 0.51234, 0.0, 2e-5, 62.1234, 12345.6)]
    ['3', '0.5123', '0', '2e-05', '62.12', '1.23e+04']
    """
    if isinstance(x, int):
        return str(x)
    if 1e-3 <= abs(x) < 1e3:
        return f"{x:.4f}" if abs(x) < 10 else f"{x:.2f}"
    return f"{x:.3g}"
