"""A function of scalars as programs, one for each shape that it is called with. All train one set of arrays."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.engine.tensor import Tensor
from autograd.ops.rows import FLOATS
from autograd.transforms.containers import flatten
from autograd.vectorizing.calls import Call, Part, rebuilt
from autograd.vectorizing.homes import Home, Synced, write_all
from autograd.vectorizing.leaving import load
from autograd.vectorizing.report import Report
from autograd.vectorizing.tokens import table_lengths
from autograd.vectorizing.tracer import name_of

if TYPE_CHECKING:
    from autograd.vectorizing import Vectorized


class AnyShape:
    """A function of scalars on arrays of any shapes. ``vectorize(f)`` and ``@vectorize`` make it.

    A call with shapes that did not come before makes a program, and keeps it. Arrays and Tensors are batches: their
    first axis is that of the samples. Numbers and nested lists of numbers are one sample. Arguments may also be lists,
    tuples and dictionaries of arrays. Whole numbers choose from lists. Text, None, truth values and tuples of these are
    passed on, and each has a program of its own.

    Args:
        f: the function.
        make: makes a program of a function, the shapes of its arguments, limits of whole numbers, and a dtype.
        index: how many values arguments of whole numbers take. Of others, the lists that they choose from tell.
        batch: whether arrays have an axis of samples.
        dtype: of all programs; None for that of the arrays.
    """

    __name__: str  # that of the function

    def __init__(
        self,
        f: Callable[..., Any],
        make: Callable[..., Vectorized],
        index: Mapping[str | int, int],
        batch: bool,
        dtype: DTypeLike | None,
    ) -> None:
        functools.update_wrapper(self, f, updated=())
        self.f, self.batch = f, batch
        self.dtype = None if dtype is None else np.dtype(dtype)
        self._make = make
        try:
            self._signature = inspect.signature(f)
        except (TypeError, ValueError):
            self._signature = inspect.signature(lambda *x, **options: None)
        names = list(self._signature.parameters)
        self.index = {key if isinstance(key, str) else names[key]: n for key, n in index.items()}
        if wrong := self.index.keys() - names:
            raise ValueError(f"index names {sorted(wrong)}, but the arguments of {name_of(f)} are {names}")
        self._programs: dict[Any, Vectorized] = {}
        self._asked = False  # whether somebody took the parameters, to train them

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = Call(self._signature.bind(*args, **kwargs).arguments, name_of(self.f))
        one = self._of_one_sample(call)
        program = self._program(call, one)
        arrays = [part.array[None] if one and self.batch else part.array for part in call.parts]
        out = program(*arrays)
        if not (one and self.batch):
            return out
        leaves, rebuild = flatten(out)
        return rebuild([x[0] for x in leaves])

    def _of_one_sample(self, call: Call) -> bool:
        """Whether the arguments are one sample. TypeError if some are a batch, or if there are none."""
        if not call.parts:
            raise TypeError(f"{call.name} was called without numbers: there is nothing to vectorize")
        single = [part.argument for part in call.parts if part.one]
        batches = [part.argument for part in call.parts if not part.one]
        if self.batch and single and batches:
            raise TypeError(
                f"{call.name} was called with numbers or lists ({single[0]}), which are one sample, and with arrays "
                f"({batches[0]}), which are batches: give arrays with an axis of samples for all, or for none"
            )
        for part in call.parts:
            if self.batch and not part.one and not part.shape:
                raise ValueError(
                    f"argument {part.argument!r} of {call.name} is an array without axes: the first axis of an array "
                    "is that of the samples; float(x) is a number"
                )
        return not batches

    def _program(self, call: Call, one: bool) -> Vectorized:
        """The program of a call; a new one for what did not come before."""
        shapes = [part.shape if one or not self.batch else part.shape[1:] for part in call.parts]
        kinds = tuple((shape, part.whole) for shape, part in zip(shapes, call.parts, strict=True))
        key = call.structure, kinds, self._dtype(call.parts)
        if key not in self._programs:
            known = {*self._homes()}
            program = self._programs[key] = self._traced(call, shapes, key[-1])
            if self._asked and (new := [name for name, home in program._homes.items() if home not in known]):
                warnings.warn(
                    f"this call of {call.name} needs Values that parameters() did not have before ({', '.join(new)}): "
                    "an optimiser made before does not train them, so make it again",
                    RuntimeWarning,
                    stacklevel=3,
                )
        return self._programs[key]

    def _dtype(self, parts: Sequence[Part]) -> np.dtype[Any]:
        """That which was given, or that of the arrays, or that of the programs so far."""
        if self.dtype is not None:
            return self.dtype
        found = {part.array.dtype for part in parts if not part.one and getattr(part.array, "dtype", None) in FLOATS}
        if found:
            return np.result_type(*found)
        return next((program.dtype for program in self._programs.values()), np.dtype(np.float64))

    def _traced(self, call: Call, shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any]) -> Vectorized:
        f, signature, structure = self.f, self._signature, call.structure

        def flat(*arrays: Any) -> Any:
            bound = inspect.BoundArguments(signature, rebuilt(structure, iter(arrays)))
            return f(*bound.args, **bound.kwargs)

        kind = inspect.Parameter.POSITIONAL_ONLY
        flat.__name__ = call.name
        flat.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, kind) for name in dict.fromkeys(part.name for part in call.parts)]
        )
        return self._make(flat, shapes, self._limits(flat, call, shapes), self.batch, dtype)

    def _limits(self, flat: Callable[..., Any], call: Call, shapes: Sequence[tuple[int, ...]]) -> dict[int, int]:
        """How many values the whole numbers take, by position."""
        limits = {i: self.index[part.argument] for i, part in enumerate(call.parts) if part.argument in self.index}
        whole = [i for i, part in enumerate(call.parts) if part.whole and i not in limits]
        if whole:
            limits.update(table_lengths(flat, shapes, {**limits, **dict.fromkeys(whole, 1)}, whole))
        for i in whole:
            if i not in limits:
                name = call.parts[i].argument
                raise TypeError(
                    f"argument {name!r} of {call.name} holds whole numbers, and chooses from no list by itself "
                    f"(table[{name}]): give floats, such as 1.0, for numbers to compute with, or say how many values "
                    f"it takes: vectorize(f, index={{{name!r}: 10}})"
                )
        return limits

    # --------------------------------------------------------------------------------------------------- parameters

    def _homes(self) -> dict[Home, str]:
        """The arrays of all programs, and the name of each in the first that has it."""
        found: dict[Home, str] = {}
        for program in self._programs.values():
            for name, home in program._homes.items():
                found.setdefault(home, name)
        return found

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """The arrays of all programs so far with their names, those of the first program first."""
        if not self._programs:
            raise RuntimeError(
                f"{name_of(self.f)} has no arrays before its first call, which tells their shapes: call it once first"
            )
        self._asked = True
        taken: set[str] = set()
        for home, name in self._homes().items():
            while name in taken:
                name += "_"
            taken.add(name)
            yield f"{prefix}.{name}" if prefix else name, home.tensor

    def parameters(self) -> list[Tensor]:
        """The arrays of all programs so far, each once."""
        return [tensor for _, tensor in self.named_parameters()]

    def zero_grad(self) -> None:
        """Clear the gradients."""
        for home in self._homes():
            home.tensor.grad = None

    def sync(self) -> Synced[AnyShape]:
        """As `sync` of a program, for all programs so far."""
        write_all({name: home for home, name in self._homes().items()}.items())
        return Synced(self)

    def load(self, parameters: Mapping[str, Any]) -> None:
        """As `load` of a program, for all programs so far."""
        load(dict(self.named_parameters()), parameters)

    def gather(self) -> None:
        """As `gather` of a program, for all programs so far."""
        for home in self._homes():
            home.gather()

    # -------------------------------------------------------------------------------------------------------- seeing

    @property
    def programs(self) -> dict[str, Vectorized]:
        """The programs so far, by the shapes of their arguments."""
        found: dict[str, Vectorized] = {}
        for program in self._programs.values():
            front = ("batch",) * self.batch
            shapes = zip(program.names, program.shapes, strict=True)
            texts = [f"{name} {(*front, *shape)}".replace("'", "") for name, shape in shapes]
            title = f"{', '.join(texts)}: {program.dtype}"
            while title in found:  # they differ in something that is no number
                title += "'"
            found[title] = program
        return found

    def report(self) -> Reports:
        """The reports of all programs so far."""
        return Reports({title: program.report() for title, program in self.programs.items()})

    @property
    def source(self) -> str:
        """All programs so far with their backward passes, as NumPy code."""
        return "\n\n".join(f"# {title}\n{program.source}" for title, program in self.programs.items())

    def __repr__(self) -> str:
        count = len(self._programs)
        return f"<vectorized {name_of(self.f)}: {count} program{'s' * (count != 1)}>"


class Reports(dict[str, Report]):
    """Reports by the shapes of the arguments. Printing shows all."""

    def __str__(self) -> str:
        return "\n\n".join(f"{title}\n{report}" for title, report in self.items())
