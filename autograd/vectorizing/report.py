"""What `vectorize` found, and how long it took."""

from __future__ import annotations

import math
import re
import time

from autograd.vectorizing.groups import Groups
from autograd.vectorizing.scalars import PARAMETER, Leaf, Scalars
from autograd.vectorizing.source import Text


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
    `gathers` the statements that have to gather by an index, as the places they need are no slices.
    """

    def __init__(self, traced: Scalars, simple: Scalars, plan: Groups, text: Text, watch: Stopwatch) -> None:
        self.operations = computed(traced)
        self.left = computed(simple)
        self.inputs = sum(math.prod(group.shape) for group in plan.arguments)
        self.parameters = sum(op is PARAMETER for op in simple.ops)
        self.products = plan.products
        self.statements = len(text.statements) + len(text.returns)
        self.lines = [f"{target} = {expression}" for target, expression in text.statements]
        self.lines += [f"return {expression}" for expression in text.returns]
        self.indices = {name: array.shape for name, array in text.constants.items() if name[0] == "i"}
        self.gathers = [line for line in self.lines if self._index(line)]
        self.arrays = {name: members.shape for name, members in text.parameters}
        self.seconds = dict(watch.seconds)

    def _index(self, line: str) -> str:
        """The name of the index that a line gathers by."""
        return next((i for i in self.indices if re.search(rf"[\[ ]{i}[\],]", line)), "")

    def __str__(self) -> str:
        counts = f"{self.operations:,} operations on {self.inputs:,} inputs and {self.parameters:,} parameters"
        lines = [
            f"traced           {counts}",
            f"left             {self.left:,} after folding constants, sharing and dropping",
            f"matrix products  {self.products}",
            f"statements       {self.statements}",
        ]
        for i, (name, shape) in enumerate(self.arrays.items()):
            first = next((line for line in self.lines if re.search(rf"\b{name}\b", line)), "nothing")
            lines.append(f"{'' if i else 'parameters':<16} {name} {shape}, as it is needed in: {first}")
        for i, line in enumerate(self.gathers):
            index = self._index(line)
            lines.append(
                f"{'' if i else 'gathers':<16} by {index} {self.indices[index]}, whose places are no slice: {line}"
            )
        if not self.gathers:
            lines.append("gathers          none")
        lines.append("seconds          " + ", ".join(f"{name} {s:.2f}" for name, s in self.seconds.items()))
        return "\n".join(lines)


def computed(graph: Scalars) -> int:
    """How many operations there are."""
    return sum(type(op) is not Leaf for op in graph.ops)
