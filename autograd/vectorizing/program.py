"""A vectorized program as one operation: forward and backward are compiled NumPy, a single node of the graph.

The text of the backward pass is what the engine derives from the rows (`autograd.vectorizing.backward`). Higher
orders, forward mode and anomaly mode run the program on Tensors instead, statement by statement.
"""

from __future__ import annotations

import itertools
import keyword
import linecache
import math
import re
import weakref
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.tensor import Tensor
from autograd.ops.questions import Question
from autograd.ops.rows import Elementwise, Fused, Op
from autograd.vectorizing.runtime import join, spread
from autograd.vectorizing.scalars import Bound, Scalars

Array = np.ndarray[Any, np.dtype[Any]]


_numbers = itertools.count(1)


def compiled(source: str, name: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """A function from its source, which tracebacks and `inspect.getsource` show for as long as the function lives."""
    filename = f"<chainrule {name} {next(_numbers)}>"  # two programs may have one name
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), namespace)
    function: Callable[..., Any] = namespace.pop(name)  # else the two would keep each other
    weakref.finalize(function, linecache.cache.pop, filename, None).atexit = False
    return function


def functions(graph: Scalars) -> tuple[dict[str, Any], dict[Op, str]]:
    """What a program may call, by name: rows, a few helpers, and the user's own operations; and the names of those."""
    found = {name: getattr(ops, name) for name in ops.__all__}  # type: ignore[attr-defined]
    found.update({"inf": math.inf, "nan": math.nan, "join": join, "spread": spread})
    table = {id(f) for f in found.values()}
    called: dict[Op, str] = {}
    for op in graph.ops:
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


def on_arrays(names: Mapping[str, Any]) -> dict[str, Any]:
    """The same on plain arrays: what the rows compute, without a look at what kind their operands are."""
    found = dict(names)
    for name, f in names.items():
        if isinstance(f, Elementwise):
            found[name] = f.array
        elif isinstance(f, Op):
            found[name] = f.forward
    return {**found, "detach": lambda x: x, "take_along_axis": np.take_along_axis}


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


class Program(Fused):
    """The row of one program: arguments and parameters in, the output out.

    Args:
        forward: the program on Tensors.
        source: its text, and `backward` that of its gradient.
        names: of arguments and parameters; `count` of them are arguments, and have no gradient.
        constants: plain arrays by name.
        batch: False takes the axis of the batch, which is 1 long then, off the output.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        source: str,
        backward: str,
        names: Sequence[str],
        count: int,
        constants: Mapping[str, Array],
        namespace: Mapping[str, Any],
        batch: bool,
    ) -> None:
        (taken,) = re.findall(r"^def backward\((.*)\):$", backward, flags=re.MULTILINE)
        seed, *read = taken.split(", ")
        again = [i for i, x in enumerate(names) if x in read]
        super().__init__(
            name, lambda *inputs, saved: forward(*inputs) if batch else forward(*inputs)[0],
            self._run, *[None] * len(names),
            reads=(tuple(again),) * len(names), params=("saved",), doc="A program of `vectorize`.",
        )  # fmt: skip
        self.count, self.batch, self.again = count, batch, again
        saved = [x for x in read if x not in {*names, *constants}]
        body, _, last = source.rstrip("\n").rpartition("    return ")
        out = seed[1:]  # the seed is called dy, the output y
        saving = f"{body}    {out} = {last}\n    return {out}, ({''.join(f'{x}, ' for x in saved)})\n"
        self.compiled = compiled(saving, "forward", {**on_arrays(namespace), **constants})
        arguments = ", ".join([seed, *saved, *(names[i] for i in again)])
        again_source = backward.replace(f"def backward({taken}):", f"def backward({arguments}):")
        self.gradient = compiled(again_source, "backward", {"np": np, **constants})

    def _run(self, *arrays: Any, **params: Any) -> Any:
        out, saved = self.compiled(*arrays)
        params["saved"][:] = saved
        return out if self.batch else out[0]

    def rules(self) -> None:
        return None

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        found = self.gradient(g if self.batch else g[None], *params["saved"], *[inputs[i] for i in self.again])
        grads: list[Any] = [None] * self.count
        seen: set[int] = set()
        for grad, x in zip(found if type(found) is tuple else (found,), inputs[self.count :], strict=True):
            if type(grad) is not np.ndarray or grad.dtype != x.dtype:
                grad = np.asarray(grad, dtype=x.dtype)
            grads.append(grad.copy() if id(grad) in seen else grad)
            seen.add(id(grad))
        return grads

    def run(self, arguments: Sequence[Any], parameters: Sequence[Tensor]) -> Tensor:
        """The output for arrays as arguments: what calling the row would do, without asking what kind each is."""
        arrays = [*arguments, *[x._raw for x in parameters]]
        params: dict[str, Any] = {"saved": []}  # what the backward pass reads of the forward pass
        with np.errstate(all="ignore"):
            data = np.asarray(self.forward(*arrays, **params))
        return Tensor._record(self, (*arguments, *parameters), params, data)
