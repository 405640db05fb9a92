"""Trees as PyTorch text: the lines of a program, which PyTorch differentiates.

>>> import numpy as np
>>> from autograd.vectorizing.array_program import traced
>>> example = {"x": np.ones((2, 3))}, {"w": np.ones((3, 4)), "b": np.ones(4)}
>>> writer = TorchWriter(traced(lambda x, w, b: ops.relu(ops.linear(x, w, b)).sum(axis=1), *example))
>>> writer.forward()
>>> writer.lines
['y = torch.relu(x @ w + b).sum(dim=1)']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Elementwise, Op
from autograd.ops.symbol import ATOM
from autograd.vectorizing.backward import Writer
from autograd.vectorizing.inference import Operand
from autograd.vectorizing.numpy_text import BINDING, numpy_name
from autograd.vectorizing.sizes import NotLowerable, Size
from autograd.vectorizing.tree import Expression

NATIVE = (ops.relu, ops.sigmoid, ops.erf, ops.erfc)
LACKING = (ops.cbrt,)
"""Rows that NumPy has and PyTorch has not."""

REDUCTIONS = {ops.max: "amax", ops.min: "amin"}
"""Reductions whose gradient is shared among equal numbers, under PyTorch's names."""


class TorchWriter(Writer):
    """Writes the lines of a program in PyTorch."""

    native = (questions.constant, *NATIVE)

    def library(self) -> str:
        return "torch" if "torch" not in self.taken else self.foreign("import torch", "torch")

    def special(self, x: float) -> str:
        return f'float("{x}")'

    def options(self, x: Expression) -> str:
        words = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction"}
        params = {words.get(key, key): value for key, value in x.params.items() if value is not None}
        if x.op in (ops.var, ops.std):
            params.setdefault("correction", 0)
        if "keepdim" in params:  # PyTorch wants to know of which axes
            params.setdefault("dim", tuple(range(x.operands[0].ndim)))
        texts = {
            key: value[0] if isinstance(value, tuple) and len(value) == 1 else value for key, value in params.items()
        }
        return ", ".join(f"{key}={value!r}" for key, value in sorted(texts.items()))

    def callee(self, op: Op) -> str:
        name = op.name if op in NATIVE else numpy_name(op)
        if not name or op in LACKING or not isinstance(op, Elementwise):
            raise NotLowerable(f"{op.name} has no text in PyTorch")
        return f"{self.np}.{name}"

    def compose(self, x: Expression) -> tuple[str, int]:
        if x.op in REDUCTIONS:
            return f"{self.within(x.operands[0], ATOM)}.{REDUCTIONS[x.op]}({self.options(x)})", ATOM
        if x.op is questions.take_along:
            array, index = map(self.text, x.operands)
            return f"{self.np}.take_along_dim({array}, {index}, dim={x.params['axis']})", ATOM
        if x.op is ops.prod and len(x.params.get("axis") or range(x.operands[0].ndim)) > 1:
            raise NotLowerable("a product over several axes has no text in PyTorch")
        if isinstance(x.op, Elementwise) and x.op.arity > 1 and x.op not in (*BINDING, ops.where):
            texts = ", ".join(self.tensor(y, x.operands) for y in x.operands)
            return f"{self.callee(x.op)}({texts})", ATOM
        return super().compose(x)

    def tensor(self, x: Any, among: Sequence[Any]) -> str:
        """An operand of a function that takes no numbers: they become arrays without axes."""
        if isinstance(x, Expression) and not x.weak:
            return self.text(x)
        other = next(y for y in among if isinstance(y, Expression) and not y.weak)
        return f"{self.np}.as_tensor({self.text(x)}, dtype={self.text(other)}.dtype)"

    def _transpose(self, x: Expression) -> str:
        text, order, n = self.within(x.operands[0], ATOM), x.params["axes"], x.ndim
        if n == 2:
            return f"{text}.T"
        return f"{text}.permute({', '.join(map(str, order))})"

    def _getitem(self, x: Expression) -> str:
        index = x.params["index"]
        parts = list(index) if isinstance(index, tuple) and not isinstance(index, Operand) else [index]
        if not any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts):
            return super()._getitem(x)
        if Ellipsis in parts or any(isinstance(part, Operand) for part in parts):
            raise NotLowerable("steps backwards beside an array of indices have no text in PyTorch")
        return self.flipped(x, parts)

    def flipped(self, x: Expression, parts: list[Any]) -> str:
        """PyTorch has no steps backwards: the same elements are read forwards, and turned round."""
        lengths, texts, turned, axis = iter(x.operands[0].shape), [], [], 0
        for part in parts:
            n = 1 if part is None else next(lengths)
            if isinstance(part, slice) and (part.step or 1) < 0:
                part = forwards(part, n)
                turned.append(axis)
            texts.append("None" if part is None else self._index_part(part, x.operands))
            axis += part is None or isinstance(part, slice)
        return f"{self.np}.flip({self.within(x.operands[0], ATOM)}[{', '.join(texts)}], {turned})"

    def _as_float(self, x: Expression) -> str:
        return f"{self.within(x.operands[0], ATOM)}.to({self.dtype})"

    def _concatenate(self, x: Expression) -> str:
        return f"{self.np}.cat([{', '.join(map(self.text, x.operands))}], dim={x.params['axis']})"

    def _ones_like(self, x: Expression) -> str:
        return f"{self.np}.ones_like({self.text(x.operands[0])})"

    def _detach(self, x: Expression) -> str:
        return f"{self.within(x.operands[0], ATOM)}.detach()"

    def _data(self, x: Expression) -> str:
        return f"{self.np}.tensor({super()._data(x)})"


def forwards(part: slice, n: Any) -> slice:
    """The slice that takes the elements of one with a negative step from the first to the last.

    >>> forwards(slice(None, None, -2), 6), forwards(slice(None, None, -1), Size.symbol("n"))
    (slice(1, 7, 2), slice(None, None, None))
    """
    if part == slice(None, None, -1):
        return slice(None)
    if isinstance(n, Size):
        raise NotLowerable(f"{part} of a length that is not known has no text in PyTorch")
    places = range(*part.indices(n))[::-1]
    return slice(places.start, places.stop, places.step)
