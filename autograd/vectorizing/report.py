"""What `vectorize` found, and how long it took."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np

from autograd.ops.rows import Op
from autograd.vectorizing.array_program import ArrayProgram, leaves_of
from autograd.vectorizing.row_text import RowText
from autograd.vectorizing.scalars import PARAMETER, Scalars


class Stopwatch:
    """Seconds by the name of what took them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """What was done since the last lap."""
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


class Report:
    """What was found. Printing shows it.

    `operations` were traced, on `inputs` numbers and `parameters` Values; `products` matrix products were found;
    `statements` array statements are left; `arrays` are the shapes of what the parameters were gathered into, and
    `gathers` the statements that have to gather by an index, as the places they need are no slices. `form` is what
    runs: C or NumPy, with the reason where C was asked for.
    """

    def __init__(
        self,
        traced: Scalars,
        simple: Scalars,
        products: int,
        program: ArrayProgram,
        called: Mapping[Op, str],
        watch: Stopwatch,
    ) -> None:
        self.operations = computed(traced)
        self.left = computed(simple)
        self.inputs = sum(math.prod(x.shape[1:]) for x in program.inputs)
        self.parameters = int(np.count_nonzero(simple.leaves(PARAMETER)))
        self.products = products
        self.statements = len(program.statements)
        outputs = set(program.outputs)
        writer = RowText(program.named, called)
        texts = [(target, value, writer.text(value)) for target, value in program.statements]
        lines = [
            (f"return {text}" if target in outputs else f"{target.name} = {text}", value)
            for target, value, text in texts
        ]
        self.lines = [line for line, _ in lines]
        self.arrays = {x.name: x.shape for x in program.parameters}
        self.indices = {x.name: x.shape for x in program.constants if x.dtype.kind == "i"}
        indexed = [(line, [x.name for x in leaves_of(value) if x.name in self.indices]) for line, value in lines]
        self._gathers = [(line, names[0]) for line, names in indexed if names]
        self.gathers = [line for line, _ in self._gathers]
        self._uses = {x: line for line, value in reversed(lines) for leaf in leaves_of(value) if (x := leaf.name)}
        self.seconds = dict(watch.seconds)
        self.form = "NumPy"

    def __str__(self) -> str:
        counts = f"{self.operations:,} operations on {self.inputs:,} inputs and {self.parameters:,} parameters"
        lines = [
            f"traced           {counts}",
            f"left             {self.left:,} after folding constants, sharing and dropping",
            f"matrix products  {self.products}",
            f"statements       {self.statements}",
        ]
        for i, (name, shape) in enumerate(self.arrays.items()):
            first = self._uses.get(name, "nothing")
            lines.append(f"{'' if i else 'parameters':<16} {name} {shape}, as it is needed in: {first}")
        for i, (line, index) in enumerate(self._gathers):
            lines.append(
                f"{'' if i else 'gathers':<16} by {index} {self.indices[index]}, whose places are no slice: {line}"
            )
        if not self.gathers:
            lines.append("gathers          none")
        if self.form != "NumPy":
            lines.append(f"runs in          {self.form}")
        lines.append("seconds          " + ", ".join(f"{name} {s:.2f}" for name, s in self.seconds.items()))
        return "\n".join(lines)


def computed(graph: Scalars) -> int:
    """How many operations there are."""
    return int(np.count_nonzero(graph.codes >= 0))
