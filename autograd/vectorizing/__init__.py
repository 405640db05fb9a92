"""`vectorize`: turn a function of scalars into a program of matrix operations.

>>> import random
>>> import numpy as np
>>> from autograd import Value, vectorize
>>> w = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
>>> def layer(x):
...     return [sum(wi * xi for wi, xi in zip(row, x)).tanh() for row in w]
>>> fast = vectorize(layer, 2)
>>> fast(np.array([[0.1, 0.2], [0.3, 0.4]])).shape
(2, 2)
>>> print(fast.forward_source)
def forward(x, w1):
    return tanh(x @ w1)
<BLANKLINE>

The passes are functions from graph to graph: `trace` records a function as a graph of scalars, `simplify` does constant
folding, common subexpression elimination and dead code elimination, and `affine` collects sums of products. Then `plan`
goes through the levels of the graph: `products` finds the matrices, `layout` orders siblings by their operands, and
`views` finds slices. `schedule` decides what becomes a statement. The result is a program of expression trees, which
`row_text` writes as Python.
"""

from __future__ import annotations

import gc
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import DTypeLike

from autograd.ops.arrays import as_array
from autograd.engine.modes import modes
from autograd.ops.rows import FLOATS, Traced
from autograd.engine.tensor import Tensor
from autograd.transforms.containers import flatten
from autograd.transforms.variables import checked_function
from autograd.engine.value import Value
from autograd.vectorizing.affine import affine
from autograd.vectorizing.anyshape import AnyShape
from autograd.vectorizing.backward import backward_source
from autograd.vectorizing.homes import HOMES, Home, Homes, Synced, known, write_all
from autograd.vectorizing.leaving import Leaving, export, load
from autograd.vectorizing.names import functions
from autograd.vectorizing.plan import Plan
from autograd.vectorizing.program import Program, compiled
from autograd.vectorizing.reductions import reductions
from autograd.vectorizing.report import Report, Stopwatch
from autograd.vectorizing.row_text import row_source
from autograd.vectorizing.schedule import returned, scheduled
from autograd.vectorizing.simplify import drop, fold, share
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tracer import TraceError as TraceError, argument_names, name_of
from autograd.vectorizing.tracing import trace
from autograd.vectorizing.verify import plain_recording, verify

Shape = int | Sequence[int]


@overload
def vectorize(
    f: Callable[..., Any],
    shape: Shape,
    /,
    *shapes: Shape,
    index: Mapping[str | int, int] | None = None,
    batch: bool = True,
    dtype: DTypeLike | None = None,
    compile: bool = False,
) -> Vectorized: ...
@overload
def vectorize(
    f: Callable[..., Any],
    *,
    index: Mapping[str | int, int] | None = None,
    batch: bool = True,
    dtype: DTypeLike | None = None,
    compile: bool = False,
) -> AnyShape: ...
def vectorize(
    f: Callable[..., Any],
    *shapes: Shape,
    index: Mapping[str | int, int] | None = None,
    batch: bool = True,
    dtype: DTypeLike | None = None,
    compile: bool = False,
) -> Vectorized | AnyShape:
    """Turn a function of scalars into the same function of arrays.

    Args:
        f: takes Values and nested lists of them, and returns a Value, or lists, tuples and dictionaries of Values. It
            may close over parameters (Values) or be a Module. A branch on its numbers raises an error with its line.
        shapes: the shape of each argument, for one sample: ``()`` for a number, ``784`` for a list, ``(28, 28)`` for a
            list of lists. Without shapes they come from the calls: see below.
        index: arguments that are whole numbers (labels, tokens), by name or position, each with its number of possible
            values. ``table[token]`` becomes a lookup.
        batch: True if arrays have a leading batch axis, False if `f` itself loops over all samples.
        dtype: float64 (the default) or float32. All programs over a Value have the same, while there are several.
        compile: True to run as C, where that can be: see `Vectorized.compile`.

    >>> a, b = Value(2.0), Value(1.0)
    >>> line = vectorize(lambda x: a * x + b, ())
    >>> line(np.array([1.0, 2.0, 3.0])).data
    array([3., 5., 7.])

    Without shapes, each call with new shapes makes a program, and keeps it. All train the same arrays. An array is a
    batch, whose first axis is that of the samples. A number or a list of numbers is one sample. Whole numbers choose
    from lists. Text, None and truth values are passed on.

    >>> @vectorize
    ... def scaled(x, mode="plain"):
    ...     return [a * xi for xi in x] if mode == "plain" else sum(x)
    >>> scaled(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[2.0, 4.0], [6.0, 8.0]]
    >>> scaled([1.0, 2.0, 3.0], mode="sum").item()
    6.0
    """
    checked_function(f, "vectorize")
    make = in_c if compile else Vectorized
    if not shapes:
        return AnyShape(f, make, index or {}, batch, dtype)
    return make(f, shapes, index or {}, batch, dtype)


class Vectorized:
    """A function of scalars as a program on arrays. `vectorize` makes it.

    Call it with arrays, train its `parameters()`, and write them back with `sync()`. It takes an array of shape (batch,
    *shape) for each argument. It returns a Tensor (batch,) for a Value, and (batch, n) for a list of n Values. Tuples
    and dictionaries stay tuples and dictionaries.

    Programs over the same Values share their arrays: `parameters()` are the same Tensors, and training one program
    trains the others.

    >>> w = Value(1.0)
    >>> double, square = vectorize(lambda x: 2 * w * x, ()), vectorize(lambda x: w * w * x, ())
    >>> double.parameters()[0] is square.parameters()[0]
    True
    """

    def __init__(
        self,
        f: Callable[..., Any],
        shapes: Sequence[Shape],
        index: Mapping[str | int, int],
        batch: bool,
        dtype: DTypeLike | None,
        homes: Homes | None = HOMES,  # None for some of its own
    ) -> None:
        self.f, self.batch, self.dtype = f, batch, np.dtype(dtype)
        if self.dtype not in FLOATS:
            raise TypeError(f"vectorize computes in float32 or float64, not {self.dtype}")
        self.shapes = [checked_shape(shape) for shape in shapes]
        self.names = argument_names(f, len(shapes))
        self.index = self._indices(index)
        self._limits = [self.index.get(i) for i in range(len(self.shapes))]
        self._machine: Any = None  # the compiled form
        watch = Stopwatch()
        with collector_off(), plain_recording():
            self._build(watch, Homes() if homes is None else homes)

    def _build(self, watch: Stopwatch, homes: Homes) -> None:
        traced, result = trace(self.f, self.shapes, self.index)
        watch.lap("trace")
        simple = drop(share(fold(traced)))
        self.graph = share(drop(reductions(drop(affine(simple)))))
        watch.lap("simplify")
        structure = structured(result, iter(self.graph.outputs), name_of(self.f))
        self._namespace, self._called = functions(self.graph)
        self._written: list[str] = []  # the arguments' names, as the source has them
        for name in self.names:
            while name in self._namespace or name in self._written:
                name += "_"
            self._written.append(name)
        existing = known(homes, self.graph, self.dtype, self.f)
        plan = Plan(self.graph, self._written, self.shapes, self.index, self._called, existing)
        outputs, self._rebuild = flatten(structure)
        self.program, members = scheduled(plan, [returned(plan, nodes) for nodes in outputs])
        watch.lap("plan")
        self._homes = self._homes_of(members, homes)
        self._tensors = [home.tensor for home in self._homes.values()]
        numbers = [home.numbers.reshape(home.tensor.shape) for home in self._homes.values()]
        self.program.examples.update(zip(self.program.inputs, self._examples(3), strict=True))
        self.program.examples.update(zip(self.program.parameters, numbers, strict=True))
        self._simple = isinstance(structure, np.ndarray)
        self._compile()
        watch.lap("compile")
        self._verify(numbers, traced.closed)
        for home in self._homes.values():
            home.take()
            homes.add(home)
        watch.lap("verify")
        self._report = Report(traced, simple, plan.products, self.program, self._called, watch)

    def _indices(self, index: Mapping[str | int, int]) -> dict[int, int]:
        found = {}
        for key, n in index.items():
            if isinstance(key, str) and key not in self.names:
                raise ValueError(f"index names {key!r}, but the arguments of {name_of(self.f)} are {self.names}")
            at = self.names.index(key) if isinstance(key, str) else operator.index(key)
            if not 0 <= at < len(self.shapes):
                raise ValueError(f"index names argument {at}, but {len(self.shapes)} shapes were given")
            if operator.index(n) < 1:
                raise ValueError(f"argument {self.names[at]!r} takes at least one value, got {n}")
            found[at] = operator.index(n)
        return found

    def _homes_of(self, members: Sequence[Any], homes: Homes) -> dict[str, Home]:
        """The homes of the program's parameters, which hold these scalars, by the names in it."""
        args, parameters, found = self.graph.args, self.graph.parameters, {}
        for leaf, scalars in zip(self.program.parameters, members, strict=True):
            values = [parameters[args[n][0]] for n in scalars.reshape(-1).tolist() if n >= 0]
            home = homes.get(id(values[0])) or Home(values, leaf.shape, self.dtype, leaf.name)
            home.follow(leaf.name, self.f)
            found[leaf.name] = home
        return found

    def _compile(self) -> None:
        """The program on Tensors, and as one operation where its backward pass can be written out."""
        name = name_of(self.f)
        arrays: dict[str, Any] = {x.name: x.array for x in self.program.constants}
        constants = {key: x.astype(self.dtype) if x.dtype.kind == "f" else x for key, x in arrays.items()}
        self._function = compiled(self.forward_source, "forward", {**self._namespace, **constants})
        self._program: Program | None = None
        if self._simple and self._tensors:
            with suppress(NotLowerable):  # then the engine goes through it statement by statement
                self._program = Program(
                    name, self._function, self.program, self._called, self._namespace, constants, self.batch
                )

    def _examples(self, n: int) -> list[Any]:
        """Random arguments of n samples."""
        rng = np.random.default_rng(0)
        return [
            rng.integers(0, limit, (n, *shape)) if limit else rng.normal(size=(n, *shape)).astype(self.dtype)
            for shape, limit in zip(self.shapes, self._limits, strict=True)
        ]

    def _verify(self, numbers: Sequence[Any], others: Sequence[Value]) -> None:
        """Hold the program to the function: on numbers around 0, and on numbers between 0 and 1."""
        rng = np.random.default_rng(0)
        draws = (rng.normal, lambda size: rng.uniform(0.1, 0.9, size))
        samples = [
            [
                np.array(rng.integers(0, limit, shape)) if limit else np.array(draw(size=shape)).astype(self.dtype)
                for shape, limit in zip(self.shapes, self._limits, strict=True)
            ]
            for draw in draws[: 1 + self.batch]
        ]
        programs: list[Callable[..., Any]] = [self._function]
        if (program := self._program) is not None:
            count = len(self.names)
            programs.append(lambda *operands: program.run(operands[:count], operands[count:]))
        values = [v for home in self._homes.values() for v in home.values]
        near = 1e-6 if self.dtype == np.float64 else 1e-2
        verify(self.f, samples, programs, numbers, values, others, near, self.forward_source)

    # ------------------------------------------------------------------------------------------------------ calling

    def __call__(self, *arrays: Any) -> Any:
        inputs, plain = self._checked(arrays)
        if plain and self._program is not None and modes.watch is None:
            return self._program.run(inputs, self._tensors)
        out = self._function(*inputs, *self._tensors)
        if self._simple:
            return self._finished(out)
        return self._rebuild([self._finished(x) for x in (out if isinstance(out, tuple) else (out,))])

    def _finished(self, out: Any) -> Any:
        """An output as a Tensor, even where it depends on nothing that is trained."""
        out = out if isinstance(out, Traced) else Tensor(out, dtype=self.dtype)
        return out if self.batch else out[0]

    def _checked(self, arrays: Sequence[Any]) -> tuple[list[Any], bool]:
        """The arguments as the program takes them, and whether none is traced; ValueError for shapes not traced."""
        if len(arrays) != len(self.shapes):
            raise TypeError(f"{name_of(self.f)} was vectorized for {len(self.shapes)} arguments, got {len(arrays)}")
        out, plain = [], True
        for array, shape, limit, name in zip(arrays, self.shapes, self._limits, self.names, strict=True):
            if isinstance(array, Traced):
                plain = False
                if limit is not None:
                    raise TypeError(
                        f"argument {name!r} is whole numbers: an integer array, not a {type(array).__name__}"
                    )
            else:
                array = as_array(array, name_of(self.f))
                if limit is not None:
                    self._check_index(array, limit, name)
                elif array.dtype != self.dtype:
                    array = array.astype(self.dtype)
            given = array.shape
            if (given[1:] if self.batch else given) != shape or (self.batch and not given):
                expected = str(("batch", *shape)).replace("'", "") if self.batch else str(shape)
                raise ValueError(
                    f"{name_of(self.f)} was traced with argument {name!r} of shape {expected}, and was given {given}: "
                    "vectorize again for another shape"
                )
            out.append(array if self.batch else array[None])
        if self.batch and len(out) > 1 and len({x.shape[0] for x in out}) > 1:
            raise ValueError(f"the arguments have batches of different lengths: {[x.shape for x in out]}")
        return out, plain

    @staticmethod
    def _check_index(array: Any, limit: int, name: str) -> None:
        if array.dtype.kind not in "iu":
            raise TypeError(f"argument {name!r} is whole numbers: an integer array, not {array.dtype}")
        if array.size and ((low := array.min()) < 0 or array.max() >= limit):
            wrong = low if low < 0 else array.max()
            raise IndexError(f"argument {name!r} holds {wrong}, but takes values from 0 to {limit - 1}")

    # --------------------------------------------------------------------------------------------------- parameters

    def parameters(self) -> list[Tensor]:
        """The matrices and vectors made of the scalar parameters, in the order of the source."""
        return list(self._tensors)

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """The parameters with their names in the source."""
        dot = f"{prefix}." if prefix else ""
        return ((dot + name, home.tensor) for name, home in self._homes.items())

    def zero_grad(self) -> None:
        """Clear the gradients."""
        for tensor in self._tensors:
            tensor.grad = None

    def sync(self) -> Synced[Vectorized]:
        """Write the trained numbers and gradients back into the Values, now and at the end of a ``with`` block.

        >>> w = Value(1.0)
        >>> fast = vectorize(lambda x: w * x, ())
        >>> with fast.sync():
        ...     fast.parameters()[0].data[...] = 5.0
        >>> w.data
        5.0

        A number that was set in a Value and was not trained goes into the array instead. So the two agree afterwards.

        Raises ValueError, and writes nothing, if a number was set in a Value and was trained as well, or if a Value was
        frozen after `vectorize` and its number was still trained.
        """
        write_all(self._homes.items())
        return Synced(self)

    def gather(self) -> None:
        """Copy the Values' numbers into the parameters, after the Values were changed outside this program.

        What was trained since the last `sync` is lost.
        """
        for home in self._homes.values():
            home.gather()

    # ------------------------------------------------------------------------------------------------------- leaving

    def to_jax(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The program as a pure function of JAX, and its parameters: arrays by name.

        The function takes the parameters, and then the arrays that the program takes. It goes through ``jax.jit``,
        ``jax.grad``, ``jax.vmap`` and all else there. Needs ``pip install 'chainrule[jax]'``. NotImplementedError if
        JAX has no function for an operation.
        """
        return self._leaving().to_jax()

    def export_jax(self, path: str | Path) -> Path:
        """Write that function and its parameters to a Python file, which imports only JAX and NumPy."""
        return export(self._leaving().jax_source(own=True), path)

    def to_torch(self) -> Any:
        """The program as a ``torch.nn.Module``, with its parameters by name.

        It trains, compiles and moves to devices as other modules do. Needs ``pip install 'chainrule[torch]'``.
        NotImplementedError if PyTorch has no function for an operation.
        """
        return self._leaving().to_torch()

    def export_torch(self, path: str | Path) -> Path:
        """Write that module and its parameters to a Python file, which imports only PyTorch and NumPy."""
        return export(self._leaving().torch_source(own=True), path)

    def load(self, parameters: Mapping[str, Any]) -> None:
        """Take the numbers of the parameters from arrays by name, such as those that JAX or PyTorch trained.

        `sync` writes them into the Values. ValueError, and nothing is changed, where names or shapes do not fit.

        >>> w = Value(1.0)
        >>> fast = vectorize(lambda x: w * x, ())
        >>> fast.load({"b1": 3.0})
        >>> _ = fast.sync()
        >>> w.data
        3.0
        """
        load(dict(self.named_parameters()), parameters)

    def _leaving(self) -> Leaving:
        numbers = {name: np.array(home.tensor.detach()) for name, home in self._homes.items()}
        return Leaving(name_of(self.f), self.program, numbers, self.dtype, self._rebuild, self.batch)

    # ----------------------------------------------------------------------------------------------------- compiling

    def compile(self) -> Vectorized:
        """Run as C from now on, values and gradients, and return the program itself.

        The system's C compiler is used; the result is kept in a folder of the user's, for the next time. The compiled
        program is held to the NumPy program, gradients too, before it is used. Where there is no compiler, or no C for
        an operation, the NumPy program goes on, and a `CompileWarning` says why. `report()` tells which form runs.

        Derivatives of higher order, and arguments that are Tensors, run in NumPy. A sum may be added up in another
        order than NumPy's; all else is the same to the last bits that the functions of C's library give.

        >>> w = Value(2.0)
        >>> fast = vectorize(lambda x: w * x, (), compile=True)
        >>> fast(np.array([1.0, 2.0])).tolist()
        [2.0, 4.0]
        """
        from autograd.compiling.compiled import Compiled, checked
        from autograd.compiling.compiler import CannotCompile, warn_once

        if self._machine is not None:
            return self
        try:
            if self._program is None:
                raise NotLowerable("a program has one output and trains something")
            machine = Compiled(self.program, self.dtype)
            near = 1e-9 if self.dtype == np.float64 else 1e-4
            numbers = [tensor.detach() for tensor in self._tensors]
            self._program = checked(machine, self._program, self._examples(5), numbers, near)
        except Exception as error:  # whatever it is, the NumPy program is there
            self._report.form = f"NumPy: {error}".partition("\n")[0]
            warn_once(str(error) if isinstance(error, CannotCompile) else f"{name_of(self.f)} has no C form ({error})")
        else:
            self._machine = machine
            self._report.form = "C"
        return self

    @property
    def c_source(self) -> str:
        """The program and its backward pass as C. NotLowerable where there is no C for an operation.

        >>> w = Value(2.0)
        >>> "y[i] = b1[0] * x[i];" in vectorize(lambda x: w * x, ()).c_source
        True
        """
        from autograd.compiling.c_text import CSource

        return (self._machine.source if self._machine else CSource(self.program, self.dtype)).text

    # -------------------------------------------------------------------------------------------------------- seeing

    @property
    def forward_source(self) -> str:
        """The program as text."""
        return row_source(self.program, self._called)

    @property
    def source(self) -> str:
        """The program and its backward pass, as NumPy code. The engine derives the backward pass from its rows."""
        return f"{self.forward_source}\n\n{self.backward_source}"

    @property
    def backward_source(self) -> str:
        """The backward pass of the program, as NumPy code."""
        return backward_source(self.program)

    def report(self) -> Report:
        """A report on the matrices that were found and on the time of each pass."""
        return self._report

    def __repr__(self) -> str:
        lines = len(self.program.statements)
        return f"<vectorized {name_of(self.f)}: {lines} statement{'s' * (lines > 1)}>"


def in_c(*arguments: Any) -> Vectorized:
    """A program that runs as C, where it can."""
    return Vectorized(*arguments).compile()


@contextmanager
def collector_off() -> Iterator[None]:
    """Without the garbage collector: the passes make many small objects, which stay until the program is made."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def checked_shape(shape: Shape) -> tuple[int, ...]:
    """A shape as a tuple; ValueError for what is none."""
    sizes = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    if any(not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise ValueError(f"a shape is a number of 1 or more, or several: 784, (28, 28), (); got {shape!r}")
    return tuple(map(int, sizes))


def structured(result: Any, leaves: Iterator[int], name: str) -> Any:
    """A function's result with an array of scalars' numbers in the place of each Value, or of lists of them."""
    if isinstance(result, dict):
        return {key: structured(x, leaves, name) for key, x in result.items()}
    if isinstance(result, tuple):
        parts = [structured(x, leaves, name) for x in result]
        return type(result)._make(parts) if hasattr(result, "_make") else tuple(parts)
    if isinstance(result, list) or (isinstance(result, np.ndarray) and result.ndim):
        parts = [structured(x, leaves, name) for x in result]
        shapes = {x.shape if isinstance(x, np.ndarray) else None for x in parts}
        if len(shapes) != 1 or None in shapes:
            what = "a list of unequal parts" if parts else "an empty list"
            raise TraceError(f"{name} returned {what}: lists become axes of one array, use a tuple for several")
        return np.array(parts)
    return np.array(next(leaves))
