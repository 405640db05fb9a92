"""Reverse mode: `grad`, `value_and_grad` and `vjp`. They run a function once and go backwards through its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node, cotangents
from autograd.engine.modes import modes, recording
from autograd.ops.traced import Traced
from autograd.transforms.containers import by_name, flatten, is_module, parameters_of
from autograd.transforms.dual import Dual
from autograd.transforms.variables import (
    Function,
    checked_function,
    is_live,
    node_of,
    one_like,
    plain,
    severed,
    variable,
    zeros_like,
)


class _Arguments:
    """A function's arguments, some of which become variables. `hand_back` puts gradients into their containers."""

    def __init__(self, args: Sequence[Any], argnums: int | Sequence[int]) -> None:
        self.single = isinstance(argnums, int)
        self.argnums = [argnums] if isinstance(argnums, int) else list(argnums)
        for i in self.argnums:
            if not -len(args) <= i < len(args):
                raise IndexError(f"argnums names argument {i}, but the number of arguments is {len(args)}")
        self.args = list(args)
        self.leaves: list[Any] = []
        self.inputs: list[Any] = []
        self.rebuilds: list[tuple[int, Callable[[Sequence[Any]], Any]]] = []
        chosen = [args[i] for i in self.argnums]
        # a number that is combined with arrays becomes a 0-d array
        self.arrays = arrays = modes.of_arrays or any(
            isinstance(ops.detach(x), np.ndarray) for arg in chosen if not is_module(arg) for x in flatten(arg)[0]
        )
        for i, arg in zip(self.argnums, chosen, strict=True):
            if is_module(arg):  # its parameters are the variables
                found = parameters_of(arg)
                self._take([*found.values()], [*found.values()], by_name([*found]))
            else:
                leaves, rebuild = flatten(arg)
                fresh = [variable(x, arrays) for x in leaves]
                self.args[i] = rebuild(fresh)
                self._take(leaves, fresh, rebuild)
        self.wrt = [node_of(x) for x in self.inputs]

    def _take(self, leaves: list[Any], fresh: list[Any], rebuild: Callable[[Sequence[Any]], Any]) -> None:
        self.leaves += leaves
        self.inputs += fresh
        self.rebuilds.append((len(leaves), rebuild))

    def run(self, f: Function, kwargs: dict[str, Any]) -> Any:
        """Call the function on the variables, with recording on, even inside `no_grad`."""
        outer = modes.of_arrays
        modes.differentiating += 1
        modes.of_arrays = outer or self.arrays
        try:
            with recording():
                return f(*self.args, **kwargs)
        finally:
            modes.differentiating -= 1
            modes.of_arrays = outer

    def hand_back(self, results: Sequence[Any]) -> Any:
        """The results, in the containers of their arguments."""
        parts, start = [], 0
        for n, rebuild in self.rebuilds:
            parts.append(rebuild(results[start : start + n]))
            start += n
        return parts[0] if self.single else tuple(parts)


def value_and_grad(
    f: Function, argnums: int | Sequence[int] = 0, create_graph: bool | None = None
) -> Callable[..., tuple[Any, Any]]:
    """The function that returns f's value and its gradient.

    Args:
        f: returns one number: a float, a Value, or a Tensor of one element.
        argnums: the position of the argument to differentiate with respect to, or several positions. Each argument may
            be a number, an array, a Value, a Tensor, a nested container of those, or a module. The gradients of a
            module are a dictionary by path, without frozen parameters.
        create_graph: True if the results shall be part of a graph, so that they can be differentiated again. By default
            they are if an argument is a Value or a Tensor.

    Raises TypeError if `f` is not a function, and ValueError if it does not return one number.

    >>> value_and_grad(lambda x, y: x * y + y, argnums=(0, 1))(2.0, 3.0)
    (9.0, (3.0, 3.0))
    """
    checked_function(f, "grad")

    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        traced = _Arguments(args, argnums)
        given = [leaf for leaf, x in zip(traced.leaves, traced.inputs, strict=True) if leaf is not x]
        live = is_live(given) if create_graph is None else create_graph
        out = checked_scalar(f, traced.run(f, kwargs))
        if create_graph:
            with recording():
                grads = pulled(out, one_like(out), traced.wrt, live)
        else:
            grads = pulled(out, one_like(out), traced.wrt, live)
        if not live:
            grads = [plain(g, x) for g, x in zip(grads, traced.leaves, strict=True)]
            out = plain(out, 0.0)
        elif not create_graph:
            out = severed(out)
        return out, traced.hand_back(grads)

    return transformed


def grad(f: Function, argnums: int | Sequence[int] = 0, create_graph: bool | None = None) -> Function:
    """The function that returns f's gradient; see `value_and_grad`.

    >>> grad(lambda x: x.sin())(0.0)
    1.0
    >>> grad(lambda p: p["w"] ** 2 * p["x"])({"w": 3.0, "x": 2.0})
    {'w': 12.0, 'x': 9.0}
    >>> grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    both = value_and_grad(f, argnums, create_graph)

    def transformed(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return transformed


def vjp(f: Function, *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The value of f, and a function from its cotangent to those of the arguments, a tuple.

    >>> out, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> out, pull(np.array([1.0, 10.0]))
    (array([1., 4.]), (array([ 2., 40.]),))
    """
    checked_function(f, "vjp")
    traced = _Arguments(primals, tuple(range(len(primals))))
    live = is_live(traced.leaves)
    out = traced.run(f, {})
    outs, rebuild = flatten(out)

    def pull(cotangent: Any) -> Any:
        seeds = matching(cotangent, out)
        if len(seeds) != len(outs):
            raise ValueError(f"the function returned {len(outs)} results, but got {len(seeds)} cotangents")
        totals: list[Any] = [zeros_like(x) for x in traced.leaves]
        for x, seed in zip(outs, seeds, strict=True):
            if np.shape(ops.detach(seed)) != np.shape(ops.detach(x)):
                raise ValueError(
                    f"a cotangent has the shape of its result, {np.shape(ops.detach(x))}, not "
                    f"{np.shape(ops.detach(seed))}"
                )
            totals = [a + b for a, b in zip(totals, pulled(x, seed, traced.wrt, live), strict=True)]
        if not live:
            totals = [plain(g, x) for g, x in zip(totals, traced.leaves, strict=True)]
        return traced.hand_back(totals)

    return rebuild([severed(x) if live else plain(x, x) for x in outs]), pull


def matching(x: Any, out: Any) -> list[Any]:
    """The leaves of a cotangent `x`. For a result that is an array of Values, it may be an array of numbers."""
    if isinstance(out, np.ndarray) and out.dtype == object and isinstance(x, np.ndarray) and x.shape == out.shape:
        return [item if isinstance(item, Traced) else float(item) for item in x.flat]
    return flatten(x)[0]


def pulled(out: Any, seed: Any, wrt: Sequence[Node], live: bool) -> list[Any]:
    """The cotangents of `wrt`. For a Dual output they are Duals: those of its primal and those of its tangent."""
    if isinstance(out, Dual):
        rest = seed.tangent if isinstance(seed, Dual) and seed.level == out.level else None
        seed = seed.primal if rest is not None else seed
        primals = pulled(out.primal, seed, wrt, live)
        tangents = pulled(out.tangent, seed, wrt, live)
        if rest is not None:
            more = pulled(out.primal, rest, wrt, live)
            tangents = [a + b for a, b in zip(tangents, more, strict=True)]
        return [Dual(p, t, out.level) for p, t in zip(primals, tangents, strict=True)]
    found = cotangents([out], [seed], wrt, live) if isinstance(out, Node) else [None] * len(wrt)
    return [zeros_like(x) if g is None else g for x, g in zip(wrt, found, strict=True)]


def checked_scalar(f: Function, out: Any) -> Any:
    """The one number that `grad` differentiates; ValueError with its shape for anything else."""
    numbers = ops.detach(out)
    if isinstance(numbers, (list, tuple, dict)) or np.size(numbers) != 1:
        what = f"shape {np.shape(numbers)}" if isinstance(numbers, np.ndarray) else type(numbers).__name__
        name = getattr(f, "__name__", "the function")
        raise ValueError(f"grad takes a function that returns one number; {name} returned {what}: use vjp or jacobian")
    if np.ndim(numbers):
        return ops.reshape(out, ())
    return out
