"""Names in the text of a program: what it may call, and what nothing else may be called."""

from __future__ import annotations

import itertools
import keyword
import math
import re
from collections.abc import Container
from typing import Any

from autograd import ops
from autograd.ops.questions import Question
from autograd.ops.rows import Op
from autograd.vectorizing.runtime import join, spread
from autograd.vectorizing.scalars import Bound, Scalars


def functions(graph: Scalars) -> tuple[dict[str, Any], dict[Op, str]]:
    """What a program may call, by name: rows, a few helpers, and the user's own operations; and the names of those."""
    found = {name: getattr(ops, name) for name in ops.__all__}  # type: ignore[attr-defined]
    found.update({"inf": math.inf, "nan": math.nan, "join": join, "spread": spread})
    table = {id(f) for f in found.values()}
    called: dict[Op, str] = {}
    for op in graph.distinct():
        row = op.row if isinstance(op, Bound) else op
        if isinstance(row, Op) and not isinstance(row, Question) and id(row) not in table and row not in called:
            name = called[row] = unused(re.sub(r"\W", "_", row.name).strip("_") or "custom", found)
            found[name] = row
    return found, called


OURS = re.compile(r"[a-z]\d+|_\d+_|y|out|result|output|np|forward|backward")
"""Names that the text of a program gives to what it computes."""


def unused(name: str, taken: Container[str]) -> str:
    """A name like this that can stand in a program beside those that are taken.

    >>> unused("cube", {"cube"}), unused("w1", {}), unused("lambda", {}), unused("2d", {})
    ('cube_', 'w1_', 'lambda_', '_2d')
    """
    name = name if name.isidentifier() else f"_{name}"
    while name in taken or keyword.iskeyword(name) or OURS.fullmatch(name):
        name += "_"
    return name


def output_names(count: int, taken: Container[str]) -> list[str]:
    """y, or y1, y2 and so on; after another word, where something has such a name.

    >>> output_names(1, {"x"}), output_names(2, {"y", "y2"})
    (['y'], ['out1', 'out2'])
    """
    for word in itertools.chain(("y", "out", "result", "output"), ("y" + "_" * k for k in itertools.count(1))):
        names = [f"{word}{i + 1}" for i in range(count)] if count > 1 else [word]
        if not any(name in taken for name in names):
            break
    return names
