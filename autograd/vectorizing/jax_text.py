"""Trees as JAX text: a program and its backward pass, for `jax.jit`, GPUs and clusters.

It is NumPy's text but for a few words. JAX's arrays do not change, so a part is set by ``x.at[place].set(value)``.

>>> import numpy as np
>>> from autograd import ops
>>> from autograd.vectorizing.array_program import traced
>>> example = {"x": np.ones((2, 3))}, {"w": np.ones((3, 4)), "b": np.ones(4)}
>>> print(jax_source(traced(lambda x, w, b: ops.relu(ops.linear(x, w, b)), *example)))
import jax.numpy as jnp
<BLANKLINE>
<BLANKLINE>
def forward(x, w, b):
    y = jnp.maximum(x @ w + b, 0)
    return y
<BLANKLINE>
<BLANKLINE>
def backward(dy, x, y):
    dz = jnp.sign(y) * dy
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dw, db
"""

from __future__ import annotations

from typing import Any

from autograd import ops
from autograd.ops import questions
from autograd.ops.rows import Op
from autograd.vectorizing.array_program import ArrayProgram
from autograd.vectorizing.backward import Writer, with_imports, written
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import Expression

ELSEWHERE = {
    **dict.fromkeys((ops.erf, ops.erfc), "jax.scipy.special"),
    **dict.fromkeys((ops.relu, ops.sigmoid, ops.silu), "jax.nn"),
}
"""Rows that JAX has outside of `jax.numpy`."""


class JaxWriter(Writer):
    """Writes the lines of a program in JAX."""

    def library(self) -> str:
        return self.foreign("import jax.numpy", "jnp")

    def row(self, op: Op) -> str:
        if op not in ELSEWHERE:
            raise NotLowerable(f"{op.name} has no JAX text")
        return self.foreign(f"from {ELSEWHERE[op]} import {op.name}", op.name)

    def put(self, name: str, place: str, value: str, axis: int) -> str:
        return f"{name} = {self.np}.put_along_axis({name}, {place}, {value}, axis={axis}, inplace=False)"

    def add(self, name: str, place: str, value: str, sign: str, index: Any) -> str:
        return f"{name} = {name}.at[{place}].{'set' if sign == '=' else 'add'}({value})"

    def _data(self, x: Expression) -> str:
        return f"{self.np}.array({super()._data(x)})"


class JaxFunction(JaxWriter):
    """Writes the lines of a program that JAX itself differentiates.

    Its own relu has the derivative 0 at 0, as our row has. A maximum with 0 would have one half.
    """

    native = (questions.constant, ops.relu, ops.sigmoid, ops.silu)

    def _detach(self, x: Expression) -> str:
        return f"{self.foreign('from jax.lax import stop_gradient', 'stop_gradient')}({self.text(x.operands[0])})"


def jax_source(program: ArrayProgram) -> str:
    """The functions `forward` and `backward` as JAX code.

    `forward` takes the inputs, the parameters, and last the constants that it reads. Under `jax.jit` constants are to
    be closed over: JAX has to know a mask that it indexes by.
    """
    forward = JaxWriter(program)
    forward.forward()
    backward, _ = written(program, JaxWriter)
    imports = dict.fromkeys([*forward.import_lines(), *backward.import_lines()])
    return with_imports(sorted(imports), forward.function(), backward.function())
