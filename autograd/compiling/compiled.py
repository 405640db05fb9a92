"""A program of `vectorize` that runs as C: its calls, and the check before the first of them."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.compiling.c_text import CSource
from autograd.compiling.compiler import CannotCompile, library, width
from autograd.vectorizing.array_program import Array, ArrayProgram
from autograd.vectorizing.program import Program


def address(x: Array) -> int:
    """Where the numbers of an array lie."""
    if x.size and x.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(x.data))  # quicker than what follows
    return x.ctypes.data


class Compiled:
    """The two functions of a program, compiled. CannotCompile or NotLowerable, if there are none.

    Args:
        program: its trees.
        dtype: of its numbers.
    """

    def __init__(self, program: ArrayProgram, dtype: DTypeLike) -> None:
        self.program, self.dtype, self.source = program, np.dtype(dtype), CSource(program, dtype, width())
        if ctypes.sizeof(ctypes.c_long) != 8:
            raise CannotCompile("C's long has 32 bits here")
        loaded = library(self.source.text)
        self.functions = [loaded.forward, loaded.backward]
        for function in self.functions:
            function.restype = None
            function.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_long]
        read = set(self.source.read)
        self.again = [x for x in program.leaves if x in read]
        constants = {x.name: self.typed(x.array) for x in program.constants}
        self.fixed: list[dict[str, Any]] = []  # what never changes, for each function
        for data in self.source.data:
            self.fixed.append(constants | {f"data {i}": self.typed(x) for i, x in enumerate(data)})
        self.addresses = [{key: address(x) for key, x in fixed.items()} for fixed in self.fixed]
        self.shapes = [tuple(x.shape[1:]) for x in program.outputs]
        self.sizes = [math.prod(x.shape) for x in program.parameters]
        self.starts = [sum(self.sizes[:i]) for i in range(len(self.sizes))]

    def __deepcopy__(self, memo: Any) -> Compiled:
        return self  # it never changes

    def typed(self, x: Any) -> Array:
        """An array as C reads it: in one piece, in the dtype of the program or as long whole numbers."""
        if type(x) is np.ndarray and x.dtype == self.dtype and x.flags.c_contiguous:
            return x
        return np.ascontiguousarray(x, np.int64 if np.asarray(x).dtype.kind in "iu" else self.dtype)

    def call(self, which: int, known: dict[str, int], saved: Array, n: int) -> None:
        """Run one of the functions on arrays at these addresses."""
        scratch = np.empty(self.source.room, self.dtype)
        known.update(self.addresses[which])
        places = [known[key] for key in self.source.arguments[which]]
        pointers = (ctypes.c_void_p * (len(places) + 2))(*places, address(saved), address(scratch))
        self.functions[which](n, pointers, self.source.saved)

    def forward(self, leaves: Sequence[Any]) -> tuple[list[Array], Array]:
        """The outputs, and what the backward pass reads."""
        program, n = self.program, len(leaves[0])
        arrays = [self.typed(x) for x in leaves]
        outs = [np.empty((n, *shape), self.dtype) for shape in self.shapes]
        known = {x.name: address(array) for x, array in zip(program.leaves, arrays, strict=True)}
        known.update({x.name: address(out) for x, out in zip(program.outputs, outs, strict=True)})
        saved = np.empty(-(-n // self.source.tile) * self.source.saved, self.dtype)
        self.call(0, known, saved, n)
        return outs, saved

    def backward(self, leaves: Sequence[Any], outs: Sequence[Array], saved: Array, dy: Sequence[Any]) -> list[Array]:
        """The gradients of the parameters, given those of the outputs, and the leaves that are read again."""
        program = self.program
        arrays, seeds = [self.typed(x) for x in leaves], [self.typed(g) for g in dy]
        known = {x.name: address(array) for x, array in zip(self.again, arrays, strict=True)}
        known.update({x.name: address(out) for x, out in zip(program.outputs, outs, strict=True)})
        known.update({x.name: address(g) for x, g in zip(self.source.seeds, seeds, strict=True)})
        flat = np.empty(sum(self.sizes), self.dtype)
        first, grads = address(flat), []
        for x, size, start in zip(program.parameters, self.sizes, self.starts, strict=True):
            known[f"gradient {x.name}"] = first + start * flat.itemsize
            grads.append(flat[start : start + size].reshape(x.shape))
        self.call(1, known, saved, len(seeds[0]))
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
