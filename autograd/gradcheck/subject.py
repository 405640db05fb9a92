"""`Subject`: the function under test, as a function from a list of numbers or arrays to a list of results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from copy import copy, deepcopy
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.ops.arrays import number
from autograd.ops.rows import Elementwise, operand_names
from autograd.transforms import vjp
from autograd.transforms.containers import flatten, is_module, parameters_of
from autograd.transforms.variables import variable


class Subject:
    """A function of any arguments, as a function from a list of numbers or arrays to a list of results."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        found, rebuild = flatten(inputs)
        parts = [[*parameters_of(x).values()] if is_module(x) else [x] for x in found]
        leaves = [leaf for part in parts for leaf in part]

        def run(*xs: Any) -> list[Any]:
            rest = iter(xs)
            given = [
                with_parameters(x, part, [next(rest) for _ in part]) if is_module(x) else next(rest)
                for x, part in zip(found, parts, strict=True)
            ]
            return flatten(f(*rebuild(given)))[0]

        self.run: Callable[..., list[Any]] = run
        self.names = [name for x, root in zip(inputs, roots(f, len(inputs)), strict=True) for name in paths(x, root)]
        leaves = [ops.detach(x) for x in leaves]
        self.scalar = not any(isinstance(x, np.ndarray) for x in leaves)  # Values and Tensors do not mix
        if self.scalar:
            self.numbers = [number(x) for x in leaves]
        else:  # copies, or a TypeError that names the dtype
            self.numbers = [variable(x, among_arrays=True).data for x in leaves]

    def variables(self, numbers: Sequence[Any]) -> list[Any]:
        """Fresh leaves with these numbers."""
        return [variable(float(x) if self.scalar else np.asarray(x)) for x in numbers]

    def outputs(self, numbers: Sequence[Any]) -> list[Any]:
        """The results at these numbers."""
        outs = [np.asarray(ops.detach(out)) for out in self.run(*self.variables(numbers))]
        if odd := [out.dtype for out in outs if out.dtype.kind not in "fiub"]:
            raise TypeError(f"the function should return numbers, Values, Tensors or containers of them, not {odd[0]}")
        return outs

    def gradient(self, rng: np.random.Generator) -> Subject:
        """The gradient of this function at a random cotangent (1 for a single number), as a function."""
        run, outs = self.run, self.outputs(self.numbers)
        seeds = [np.ones_like(out) for out in outs] if alone(outs) else random_like(rng, outs)
        again = copy(self)
        again.run = lambda *xs: list(vjp(run, *xs)[1](seeds))
        return again


def roots(f: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's first parameters."""
    if isinstance(f, Elementwise):
        return list(operand_names(f)[:count])
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "inputs")
    return named + [f"{rest}[{i}]" for i in range(count - len(named))]


def paths(x: Any, name: str) -> Iterator[str]:
    """The names of the leaves of nested containers, in the order of `flatten`."""
    if isinstance(x, dict):
        children = [(f"[{key!r}]", child) for key, child in x.items()]
    elif isinstance(x, (list, tuple)):
        fields = getattr(x, "_fields", None)
        children = [(f".{fields[i]}" if fields else f"[{i}]", child) for i, child in enumerate(x)]
    elif isinstance(x, np.ndarray) and x.dtype == object:
        children = [(f"[{', '.join(map(str, index))}]", x[index]) for index in np.ndindex(*x.shape)]
    elif is_module(x):
        yield from (f"{name}.{path}" for path in parameters_of(x))
        return
    else:
        yield name
        return
    for key, child in children:
        yield from paths(child, name + key)


def with_parameters(module: Any, parameters: Sequence[Any], others: Sequence[Any]) -> Any:
    """A copy of a module, with `others` in place of its parameters."""
    return deepcopy(module, {id(p): x for p, x in zip(parameters, others, strict=True)})


def random_like(rng: np.random.Generator, xs: Sequence[Any]) -> list[Any]:
    """A random cotangent or tangent for each of these: normal numbers that float32 represents exactly."""
    return [np.asarray(rng.normal(size=np.shape(x)), np.float32).astype(getattr(x, "dtype", float)) for x in xs]


def alone(outs: Sequence[Any]) -> bool:
    """True if the results are a single number."""
    return len(outs) == 1 and np.size(outs[0]) == 1


def backward(outs: Sequence[Any], seeds: Sequence[Any]) -> None:
    """Run backward from each result, one after the other."""
    for out, seed in zip(outs, seeds, strict=True):
        if isinstance(out, Tensor):
            out.backward(seed)
        elif isinstance(out, Value):
            (out * float(seed)).backward()


def gradients(leaves: Sequence[Any]) -> list[Any]:
    """Copies of the leaves' gradients; zeros if none arrived."""
    return [np.zeros(x.shape) if x.grad is None else np.array(x.grad) for x in leaves]
