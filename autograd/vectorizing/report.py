"""What `vectorize` found, and how long it took."""

from __future__ import annotations

import math
import time
from typing import Any

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
    `statements` array statements are left; `gathers` are the statements that have to gather by an index, and
    `arrays` the shapes of what the parameters were gathered into.
    """

    def __init__(self, traced: Scalars, simple: Scalars, plan: Groups, text: Text, watch: Stopwatch) -> None:
        self.operations = computed(traced)
        self.left = computed(simple)
        self.inputs = sum(math.prod(group.shape) for group in plan.arguments)
        self.parameters = sum(op is PARAMETER for op in simple.ops)
        self.products = plan.products
        self.statements = len(text.statements) + len(text.returns)
        lines = [f"{target} = {expression}" for target, expression in text.statements]
        lines += [f"return {expression}" for expression in text.returns]
        indices = [name for name in text.constants if name[0] == "i"]
        self.gathers = [line for line in lines if any(f"[{i}]" in line or f" {i}]" in line for i in indices)]
        self.arrays = {name: members.shape for name, members in text.parameters}
        self.seconds = dict(watch.seconds)

    def __str__(self) -> str:
        rows: list[tuple[str, Any]] = [
            ("traced", f"{self.operations:,} operations on {self.inputs:,} inputs and {self.parameters:,} parameters"),
            ("left", f"{self.left:,} after folding constants, sharing and dropping"),
            ("matrix products", self.products),
            ("statements", self.statements),
            ("parameters", ", ".join(f"{name} {shape}" for name, shape in self.arrays.items()) or "none"),
            ("gathers", "none" if not self.gathers else ""),
        ]
        lines = [f"{name:<16} {value}".rstrip() for name, value in rows]
        lines += [f"    {line}" for line in self.gathers]
        lines.append(f"{'seconds':<16} " + ", ".join(f"{name} {s:.2f}" for name, s in self.seconds.items()))
        return "\n".join(lines)


def computed(graph: Scalars) -> int:
    """How many operations there are."""
    return sum(type(op) is not Leaf for op in graph.ops)
