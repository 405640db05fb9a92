"""A program of `vectorize` that runs as C: its calls, and the check before the first of them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.compiling.c_text import CSource
from autograd.compiling.compiler import CannotCompile, library
from autograd.vectorizing.array_program import Array, ArrayProgram
from autograd.vectorizing.program import Program


class Compiled:
    """The two functions of a program, compiled. CannotCompile or NotLowerable, if there are none.

    Args:
        program: its trees.
        dtype: of its numbers.
    """

    def __init__(self, program: ArrayProgram, dtype: DTypeLike) -> None:
        self.program, self.dtype, self.source = program, np.dtype(dtype), CSource(program, dtype)
        if ctypes.sizeof(ctypes.c_long) != 8:
            raise CannotCompile("C's long has 32 bits here")
        loaded = library(self.source.text)
        self.functions = [loaded.forward, loaded.backward]
        for function in self.functions:
            function.restype = None
            function.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_long]
        self.constants = {x.name: self.typed(x.array) for x in program.constants}
        self.data = [[self.typed(x) for x in data] for data in self.source.data]
        read = set(self.source.read)
        self.again = [x for x in program.leaves if x in read]
        self.shapes = [tuple(x.shape[1:]) for x in program.outputs]

    def typed(self, x: Any) -> Array:
        """An array as C reads it: in one piece, in the dtype of the program or as long whole numbers."""
        return np.ascontiguousarray(x, np.int64 if np.asarray(x).dtype.kind in "iu" else self.dtype)

    def call(self, which: int, known: dict[str, Array], saved: Array, keep: int, n: int) -> None:
        """Run one of the functions."""
        arrays = [
            self.data[which][int(key[5:])] if key.startswith("data ") else known[key]
            for key in self.source.arguments[which]
        ]
        scratch = np.empty(self.source.room, self.dtype)
        pointers = (ctypes.c_void_p * (len(arrays) + 2))(*[x.ctypes.data for x in (*arrays, saved, scratch)])
        self.functions[which](n, pointers, keep)

    def forward(self, leaves: Sequence[Any]) -> tuple[list[Array], Array]:
        """The outputs, and what the backward pass reads."""
        program, n = self.program, len(leaves[0])
        known = {x.name: self.typed(array) for x, array in zip(program.leaves, leaves, strict=True)}
        outs = [np.empty((n, *shape), self.dtype) for shape in self.shapes]
        known |= self.constants | {x.name: out for x, out in zip(program.outputs, outs, strict=True)}
        saved = np.empty(-(-n // self.source.tile) * self.source.saved, self.dtype)
        self.call(0, known, saved, self.source.saved, n)
        return outs, saved

    def backward(self, leaves: Sequence[Any], outs: Sequence[Array], saved: Array, dy: Sequence[Any]) -> list[Array]:
        """The gradients of the parameters, given those of the outputs, and the leaves that are read again."""
        program = self.program
        known = {x.name: self.typed(array) for x, array in zip(self.again, leaves, strict=True)}
        known |= self.constants | {x.name: out for x, out in zip(program.outputs, outs, strict=True)}
        known |= {x.name: self.typed(g) for x, g in zip(self.source.seeds, dy, strict=True)}
        grads = [np.empty(x.shape, self.dtype) for x in program.parameters]
        known |= {f"gradient {x.name}": g for x, g in zip(program.parameters, grads, strict=True)}
        self.call(1, known, saved, self.source.saved, len(dy[0]))
        return grads

    def row(self, row: Program) -> Program:
        """The row of a program with C in the place of its NumPy functions."""

        def forward(*leaves: Any) -> tuple[Any, tuple[Any, ...]]:
            outs, saved = self.forward(leaves)
            return outs[0], (outs[0], saved)

        def gradient(g: Any, out: Any, saved: Any, *leaves: Any) -> tuple[Array, ...]:
            return tuple(self.backward(leaves, [out], saved, [g]))

        again = set(self.again)
        return row.running(forward, gradient, tuple(i for i, x in enumerate(self.program.leaves) if x in again))


def checked(machine: Compiled, row: Program, samples: Sequence[Any], parameters: Sequence[Any], near: float) -> Program:
    """The row in C, held to the one in NumPy: values and gradients, at two lengths of the batch.

    CannotCompile where a number differs by more than rounding explains.
    """
    found = machine.row(row)
    rng = np.random.default_rng(0)
    count = len(machine.program.inputs)
    needs = [False] * count + [True] * len(parameters)
    for n in (1, machine.source.tile + 3) if row.batch else (1,):
        arrays = [*(np.resize(x, (n, *np.shape(x)[1:])) for x in samples), *parameters]
        results: list[Any] = []
        g: Any = None
        with np.errstate(all="ignore"):
            for form in (row, found):
                params: dict[str, Any] = {"saved": []}
                out = np.asarray(form.forward(*arrays, **params))
                g = rng.uniform(0.5, 1.5, out.shape).astype(out.dtype) if g is None else g
                results.append([out, *form.vjp(g, needs, out, arrays, params)[count:]])
        names = ["the output", *(f"the gradient of {x.name}" for x in machine.program.parameters)]
        for name, want, got in zip(names, *results, strict=True):
            size = np.abs(want[np.isfinite(want)]).max(initial=1.0)
            if got.shape != want.shape or not np.allclose(got, want, rtol=near, atol=near * size, equal_nan=True):
                text = machine.source.text
                raise CannotCompile(f"{name} would be wrong in C for a batch of {n}; the program was\n{text}")
    return found
