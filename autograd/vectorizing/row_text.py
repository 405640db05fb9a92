"""Trees as calls of the rows: the text of a program that runs on arrays, on Tensors, and in forward mode.

>>> from autograd.vectorizing.array_program import BATCH
>>> from autograd.vectorizing.simpler import simplified
>>> from autograd.vectorizing.tree import Trees
>>> trees = Trees(simplified)
>>> x, w = trees.leaf("x", (BATCH, 3), float), trees.leaf("w", (3, 2), float)
>>> RowText([x, w]).text(ops.relu(x @ w).sum(axis=1))
'relu(x @ w).sum(axis=-1)'
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autograd import ops
from autograd.ops.rows import Op
from autograd.ops.shapes import shape_of
from autograd.ops.symbol import ATOM
from autograd.vectorizing.array_program import BATCH, ArrayProgram
from autograd.vectorizing.numpy_text import NumPyText, keywords
from autograd.vectorizing.tree import Expression, made


class RowText(NumPyText):
    """Writes nodes by the rows that they are: each as one expression, since a plan has decided what becomes a line.

    `called` has the names of operations that are no rows of the table.
    """

    def __init__(self, named: Sequence[Expression], called: Mapping[Op, str] = MappingProxyType({})) -> None:
        super().__init__(named)
        self.called = called
        self.written: dict[Expression, tuple[str, int]] = {}

    def library(self) -> str:
        return ""

    def write(self, x: Any) -> tuple[str, int]:
        if not isinstance(x, Expression):
            return self.literal(x)
        if x.name:
            return x.name, ATOM
        stack = [x] * (x not in self.written)
        while stack:  # operands first, so that `compose` does not recurse
            node = stack[-1]
            missing = [y for y in node.parents if not y.name and y not in self.written]
            if not missing:
                self.written[node] = self.compose(node)
                stack.pop()
            stack += missing
        return self.written[x]

    def callee(self, op: Op) -> str:
        return self.called.get(op, op.name)

    def special(self, x: Any) -> str:
        return ("-" if x < 0 else "") + ("nan" if math.isnan(x) else "inf")

    def options(self, x: Expression) -> str:
        """The last axes are counted from the end: so they are the same with a batch and without."""
        params = dict(x.params)
        axes = params.get("axis")
        n = len(shape_of(x.operands[0]))
        if isinstance(axes, int):
            params["axis"] = axes - n
        elif axes == tuple(range(n - len(axes or ()), n)):
            params["axis"] = tuple(i - n for i in axes)
        return keywords(params)

    def _concatenate(self, x: Expression) -> str:
        """Parts along the last axis. What was repeated for each sample is so by `join`, too."""
        parts = [self.repeated(part) if part.ndim == 2 else None for part in x.operands]
        texts = [self.text(part if source is None else source) for part, source in zip(x.operands, parts, strict=True)]
        return f"join({', '.join(texts)})"

    def _broadcast_to(self, x: Expression) -> str:
        if (source := self.repeated(x)) is not None:
            first = next(y for y in self.named if y.shape[:1] == (BATCH,))
            return f"spread({self.text(source)}, {first.name})"
        return f"broadcast_to({self.text(x.operands[0])}, {self.parameter(x.shape)})"

    def repeated(self, x: Expression) -> Any:
        """What is repeated for each sample of the batch; None if it is something else."""
        source = made(x, ops.broadcast_to)
        if not source or BATCH in getattr(source[0], "shape", ()):
            return None
        return source[0] if x.shape == (BATCH, *source[0].shape) else None


class Outline(RowText):
    """The text with one digit for each number and one letter for each name.

    Its width says how large an expression is. It is the same for arrays of other lengths, and for names that are not
    known yet.
    """

    def write(self, x: Any) -> tuple[str, int]:
        return ("x1", ATOM) if isinstance(x, Expression) and x.name else super().write(x)

    def literal(self, x: Any) -> tuple[str, int]:
        return "1.0", ATOM

    def parameter(self, x: Any) -> str:
        return super().parameter(x) if isinstance(x, (tuple, list)) else "1"


def row_source(
    program: ArrayProgram, called: Mapping[Op, str] = MappingProxyType({}), saved: Sequence[Expression] | None = None
) -> str:
    """The program as a Python function of its inputs and parameters.

    With `saved` it also returns these values, as a tuple after the outputs. A backward pass reads them.
    """
    writer = RowText(program.named, called)
    texts = {target: writer.text(value) for target, value in program.statements}
    lined = program.body if saved is None else program.statements
    lines = [f"{target.name} = {texts[target]}" for target, _ in lined]
    done = {target for target, _ in lined}
    results = [x.name if x in done else texts[x] for x in program.outputs]
    if saved is not None:
        results.append(f"({''.join(f'{x.name}, ' for x in saved)})")
    arguments = ", ".join(x.name for x in program.leaves)
    return "\n    ".join([f"def forward({arguments}):", *lines, f"return {', '.join(results)}"]) + "\n"
