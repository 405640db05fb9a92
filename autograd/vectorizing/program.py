"""A vectorized program as one operation: forward and backward are compiled NumPy, a single node of the graph.

The text of the backward pass is what the engine derives from the rows (`autograd.vectorizing.backward`). Higher
orders, forward mode and anomaly mode run the program on Tensors instead, statement by statement.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.engine.tensor import Tensor
from autograd.ops.rows import Elementwise, Fused, Op
from autograd.vectorizing.array_program import Array, ArrayProgram
from autograd.vectorizing.backward import backward_pass
from autograd.vectorizing.row_text import row_source

_numbers = itertools.count(1)


def compiled(source: str, name: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """A function from its source, which tracebacks and `inspect.getsource` show for as long as the function lives."""
    filename = f"<chainrule {name} {next(_numbers)}>"  # two programs may have one name
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), namespace)
    function: Callable[..., Any] = namespace.pop(name)  # else the two would keep each other
    weakref.finalize(function, linecache.cache.pop, filename, None).atexit = False
    return function


def on_arrays(names: Mapping[str, Any]) -> dict[str, Any]:
    """The same on plain arrays: what the rows compute, without a look at what kind their operands are."""
    found = dict(names)
    for name, f in names.items():
        if isinstance(f, Elementwise):
            found[name] = f.array
        elif isinstance(f, Op):
            found[name] = f.forward
    return {**found, "detach": lambda x: x, "take_along_axis": np.take_along_axis}


class Program(Fused):
    """The row of one program: arguments and parameters in, the output out.

    Args:
        forward: the program on Tensors.
        program: its trees. The row has its inputs and parameters as operands; the inputs have no gradient.
        called: the names of the user's own operations.
        namespace: what the text may call, by name.
        constants: plain arrays by name, in the dtype of the program.
        batch: False takes the axis of the batch, which is 1 long then, off the output.

    NotLowerable if the backward pass has no text.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        program: ArrayProgram,
        called: Mapping[Op, str],
        namespace: Mapping[str, Any],
        constants: Mapping[str, Array],
        batch: bool,
    ) -> None:
        backward = backward_pass(program)
        read = backward.arguments()
        known = set(read)
        again = tuple(i for i, x in enumerate(program.leaves) if x in known)
        super().__init__(
            name, lambda *inputs, saved: forward(*inputs) if batch else forward(*inputs)[0],
            self._run, *[None] * len(program.leaves),
            reads=((),) * len(program.leaves), params=("saved",), doc="A program of `vectorize`.",
        )  # fmt: skip
        self.count, self.batch, self.again = len(program.inputs), batch, again
        given = {*program.leaves, *program.constants, *backward.seeds}
        saved = [x for x in read if x not in given]
        names = {**on_arrays(namespace), **constants}
        self.compiled = compiled(row_source(program, called, saved), "forward", names)
        source = backward.source([*backward.seeds, *saved, *(program.leaves[i] for i in again)])
        self.gradient = compiled(source, "backward", {"np": np, **constants})

    def running(self, forward: Callable[..., Any], gradient: Callable[..., Any], again: tuple[int, ...]) -> Program:
        """The same operation with other functions inside.

        `forward` takes the leaves, and returns the output and what is saved. `gradient` takes the output's gradient,
        what was saved, and the leaves of these numbers.
        """
        found: Program = object.__new__(type(self))  # copy.copy gives a row itself
        found.__dict__.update(self.__dict__)
        found.compiled, found.gradient, found.again = forward, gradient, again
        found.value = found.forward = found._run
        return found

    def _run(self, *arrays: Any, **params: Any) -> Any:
        out, saved = self.compiled(*arrays)
        params["saved"][:] = saved
        return out if self.batch else out[0]

    def rules(self) -> None:
        return None

    def read_by(self, needs: Sequence[bool]) -> tuple[int, ...]:
        """What the one function reads that gives all gradients, whichever are needed."""
        return self.again

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
