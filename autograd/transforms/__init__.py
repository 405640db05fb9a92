"""Transformations of functions: `grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, to any order, in any mixture.

Each takes a function and returns a function. Arguments and results may be numbers, arrays, Values, Tensors, and
lists, tuples and dictionaries of them; a module's parameters too. What goes in as plain numbers comes out as plain
numbers; what goes in as Values or Tensors comes out as part of the graph, so transformations compose:
``grad(grad(f))``, ``jvp`` of ``grad``, ``grad`` of ``jvp``. Nobody's `.grad` is touched.

>>> grad(grad(lambda x: x**3 * 2.0))(1.0)
12.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import ops
from autograd.transforms.dual import Dual, like
from autograd.engine.graph import Node, cotangents
from autograd.engine.modes import levels, modes, recording
from autograd.ops.rows import FLOATS, Traced, objects
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value, number

Function = Callable[..., Any]


# --------------------------------------------------------------------------------------------------- containers


def flatten(x: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The leaves of nested lists, tuples and dictionaries, and the function that puts others in their places.

    >>> leaves, rebuild = flatten({"w": [1.0, 2.0], "b": 3.0})
    >>> leaves, rebuild([10.0, 20.0, 30.0])
    ([1.0, 2.0, 3.0], {'w': [10.0, 20.0], 'b': 30.0})
    """
    make: Callable[[Sequence[Any]], Any]
    if isinstance(x, dict):
        children, make = list(x.values()), by_name(list(x))
    elif isinstance(x, tuple) and hasattr(x, "_fields"):  # a named tuple
        children, make = list(x), type(x)._make  # type: ignore[attr-defined]
    elif isinstance(x, (list, tuple)):
        children, make = list(x), type(x)
    elif isinstance(x, np.ndarray) and x.dtype == object:
        children, make = list(x.ravel()), partial(boxed, shape=x.shape)
    else:
        return [x], lambda leaves: leaves[0]
    parts = [flatten(child) for child in children]

    def rebuild(leaves: Sequence[Any]) -> Any:
        items, start = [], 0
        for part, again in parts:
            items.append(again(leaves[start : start + len(part)]))
            start += len(part)
        return make(items)

    return [leaf for part, _ in parts for leaf in part], rebuild


def is_module(x: Any) -> bool:
    """Whether `x` has parameters of its own, as the modules of `nn` have."""
    return hasattr(x, "named_parameters")


def parameters_of(module: Any) -> dict[str, Any]:
    """The parameters of a module by path, but for those that are frozen."""
    return {path: p for path, p in module.named_parameters() if getattr(p, "requires_grad", True)}


def by_name(names: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """The function that puts items under their names."""
    return lambda items: dict(zip(names, items, strict=True))


def boxed(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of these items: of floats, or of objects where there are variables among them."""
    if all(isinstance(item, float) for item in items):
        return np.array(items, dtype=float).reshape(shape)
    return objects(items).reshape(shape)


# ------------------------------------------------------------------------------------------ variables and numbers


def variable(x: Any, among_arrays: bool = False) -> Any:
    """A variable of its own with the number(s) of `x`; connected to `x`, if that is a variable itself.

    A number becomes a Value, or a Tensor where it will meet others.
    """
    if isinstance(x, Dual):
        return Dual(variable(x.primal, among_arrays), x.tangent, x.level)
    if isinstance(x, Node) and not x.requires_grad:  # who asks for a derivative by it gets one
        x = ops.detach(x)
        return variable(x) if isinstance(x, np.ndarray) else Value(x)
    if isinstance(x, Traced):
        return ops.identity(x)
    if isinstance(x, np.ndarray):
        if x.dtype not in FLOATS:
            raise TypeError(f"derivatives are taken with respect to floats, not to an array of {x.dtype}")
        return Tensor(x)
    if among_arrays:
        return Tensor(np.array(number(x)))
    return ops.identity(Value(number(x))) if modes.tracer is not None else Value(number(x))


def node_of(x: Any) -> Any:
    """The variable inside: a Dual holds it in its innermost primal."""
    while isinstance(x, Dual):
        x = x.primal
    return x


def is_live(leaves: Sequence[Any]) -> bool:
    """Whether results have to be part of a graph: an input is a variable itself, or a reverse transformation around
    this one is watching (the function may close over its variables).
    """
    return (modes.differentiating > 0 and modes.recording) or any(
        isinstance(node_of(x), Node) or (isinstance(x, Dual) and is_live([x.tangent])) for x in leaves
    )


def severed(x: Any) -> Any:
    """A result as it is; a constant of its kind where `no_grad` is on around the transformation."""
    return x if modes.recording or not isinstance(x, Traced) else ops.identity(x)


def zeros_like(x: Any) -> Any:
    """No change of `x`, as plain numbers."""
    numbers = ops.detach(x)
    return np.zeros_like(numbers) if isinstance(numbers, np.ndarray) else 0.0


def one_like(x: Any) -> Any:
    """The seed of a single number."""
    numbers = ops.detach(x)
    return np.ones_like(numbers) if isinstance(numbers, np.ndarray) else 1.0


def plain(x: Any, like: Any) -> Any:
    """A result as a plain number or array of the kind of `like`."""
    if isinstance(x, Dual):
        return Dual(plain(x.primal, like), plain(x.tangent, like), x.level)
    x = ops.detach(x)
    if isinstance(ops.detach(like), np.ndarray):
        return np.array(x)
    return x if isinstance(x, Traced) else float(x)


def pulled(out: Any, seed: Any, wrt: Sequence[Node], live: bool) -> list[Any]:
    """The cotangents of `wrt`; of a Dual output, those of its primal together with those of its tangent."""
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
    """The one number that `grad` differentiates; anything else is refused with its shape."""
    numbers = ops.detach(out)
    if isinstance(numbers, (list, tuple, dict)) or np.size(numbers) != 1:
        what = f"shape {np.shape(numbers)}" if isinstance(numbers, np.ndarray) else type(numbers).__name__
        name = getattr(f, "__name__", "the function")
        raise ValueError(f"grad takes a function that returns one number; {name} returned {what}: use vjp or jacobian")
    if np.ndim(numbers):
        return ops.reshape(out, ())
    return out


# ------------------------------------------------------------------------------------------------------- reverse


class _Traced:
    """A function's arguments with some of them made variables, and what is needed to hand gradients back."""

    def __init__(self, args: Sequence[Any], argnums: int | Sequence[int]) -> None:
        self.single = isinstance(argnums, int)
        self.argnums = [argnums] if isinstance(argnums, int) else list(argnums)
        for i in self.argnums:
            if not -len(args) <= i < len(args):
                raise IndexError(f"argument {i} is to be differentiated, but {len(args)} were given")
        self.args = list(args)
        self.leaves: list[Any] = []
        self.inputs: list[Any] = []
        self.rebuilds: list[tuple[int, Callable[[Sequence[Any]], Any]]] = []
        chosen = [args[i] for i in self.argnums]
        # a number that will meet arrays is an array without axes
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
        """Call the function on the variables; what it does is recorded, whatever is on outside."""
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
        """The results in the containers of the arguments that they belong to."""
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
        f: returns one number: a float, a Value, a Tensor of one element.
        argnums: the argument to differentiate with respect to, or several of them. Each may be a number, an array,
            a Value, a Tensor, a nested container of those, or a module, whose gradients come as a dictionary by path
            (of the parameters that are not frozen).
        create_graph: whether the results are part of a graph, to be differentiated again. By default they are if
            an argument is a Value or Tensor itself.

    >>> value_and_grad(lambda x, y: x * y + y, argnums=(0, 1))(2.0, 3.0)
    (9.0, (3.0, 3.0))
    """
    checked_function(f, "grad")

    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        traced = _Traced(args, argnums)
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


def checked_function(f: Any, taker: str) -> None:
    """Refuse what is no function: a result, perhaps, which has forgotten how it was computed."""
    if not callable(f):
        hint = "its backward() gives gradients, too" if isinstance(f, Traced) else "such as lambda x: x * x"
        raise TypeError(f"{taker} takes a function, not the {type(f).__name__} {f!r:.60}: {hint}")


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
    """The value of f, and the function that pulls a cotangent of it back to the arguments (a tuple of theirs).

    >>> out, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> out, pull(np.array([1.0, 10.0]))
    (array([1., 4.]), (array([ 2., 40.]),))
    """
    checked_function(f, "vjp")
    traced = _Traced(primals, tuple(range(len(primals))))
    live = is_live(traced.leaves)
    out = traced.run(f, {})
    outs, rebuild = flatten(out)

    def pull(cotangent: Any) -> Any:
        seeds = matching(cotangent, out)
        if len(seeds) != len(outs):
            raise ValueError(f"the function returned {len(outs)} results, but {len(seeds)} cotangents came")
        totals: list[Any] = [zeros_like(x) for x in traced.leaves]
        for x, seed in zip(outs, seeds, strict=True):
            if np.shape(ops.detach(seed)) != np.shape(ops.detach(x)):
                raise ValueError(
                    f"a cotangent of shape {np.shape(ops.detach(seed))} for a result of {np.shape(ops.detach(x))}"
                )
            totals = [a + b for a, b in zip(totals, pulled(x, seed, traced.wrt, live), strict=True)]
        if not live:
            totals = [plain(g, x) for g, x in zip(totals, traced.leaves, strict=True)]
        return traced.hand_back(totals)

    return rebuild([severed(x) if live else plain(x, x) for x in outs]), pull


def matching(x: Any, out: Any) -> list[Any]:
    """The leaves of `x` that belong to those of a result; an array of numbers may stand for an array of Values."""
    if isinstance(out, np.ndarray) and out.dtype == object and isinstance(x, np.ndarray) and x.shape == out.shape:
        return [item if isinstance(item, Traced) else float(item) for item in x.flat]
    return flatten(x)[0]


# ------------------------------------------------------------------------------------------------------- forward


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f, and its rate of change where the arguments change by the tangents: forward mode, in one run.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.5))
    (6.0, 4.0)
    """
    checked_function(f, "jvp")
    if len(primals) != len(tangents):
        raise ValueError(f"jvp of {len(primals)} arguments was given {len(tangents)} tangents")
    level = next(levels)
    args = []
    for primal, tangent in zip(primals, tangents, strict=True):
        leaves, rebuild = flatten(primal)
        moves, _ = flatten(tangent)
        if [np.shape(ops.detach(x)) for x in leaves] != [np.shape(ops.detach(t)) for t in moves]:
            raise ValueError("a tangent has the structure and the shapes of its argument")
        pairs = [(start(x), start(t)) for x, t in zip(leaves, moves, strict=True)]
        args.append(rebuild([Dual(x, like(x, t), level) for x, t in pairs]))
    outer = modes.of_arrays
    modes.of_arrays = outer or any(isinstance(ops.detach(x), np.ndarray) for arg in args for x in flatten(arg)[0])
    try:
        with recording():
            outs, rebuild = flatten(f(*args))
    finally:
        modes.of_arrays = outer
    mine = [isinstance(x, Dual) and x.level == level for x in outs]
    values = [x.primal if m else x for x, m in zip(outs, mine, strict=True)]
    rates = [x.tangent if m else zeros_like(x) for x, m in zip(outs, mine, strict=True)]
    return rebuild([tidy(severed(x)) for x in values]), rebuild([tidy(severed(x)) for x in rates])


def start(x: Any) -> Any:
    """A number of the kinds that rules work on."""
    return x if isinstance(x, (Traced, np.ndarray)) else number(x)


def tidy(x: Any) -> Any:
    """A NumPy scalar as a float, all else as it is."""
    return float(x) if isinstance(x, np.floating) else x


# -------------------------------------------------------------------------------------------------- whole matrices


def jacobian(f: Function, argnum: int = 0, mode: str | None = None) -> Function:
    """The function that returns all partial derivatives of f with respect to one argument.

    Args:
        f: takes and returns a number, an array, or a list of numbers.
        argnum: the argument.
        mode: "forward" (a run for each input), "reverse" (a sweep for each output), or None for the cheaper one.

    The result has shape (*shape of the output, *shape of the argument).

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    checked_function(f, "jacobian")
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"mode is 'forward', 'reverse' or None, not {mode!r}")

    def transformed(*args: Any) -> Any:
        arg = args[argnum]
        leaves, rebuild = flatten(arg)
        shape = (len(leaves),) if is_container(arg) else np.shape(ops.detach(arg))

        def of_one(x: Any) -> Any:
            return f(*args[:argnum], x, *args[argnum + 1 :])

        if mode != "forward":
            out, pull = vjp(of_one, arg)
            outputs = sum(int(np.size(ops.detach(x))) for x in flatten(out)[0])
            if mode == "reverse" or outputs <= math.prod(shape):
                return reverse_rows(out, pull, shape)
        moves = [rebuild(unit) for unit in units(leaves)]
        columns = [as_array(jvp(of_one, (arg,), (move,))[1]) for move in moves]
        if not columns:  # of nothing
            columns = [as_array(of_one(arg))]
            return np.zeros((*np.shape(ops.detach(columns[0])), *shape))
        return ops.stack(columns, axis=-1).reshape((*np.shape(ops.detach(columns[0])), *shape))

    return transformed


def is_container(x: Any) -> bool:
    """Whether `x` holds its numbers in a list, a tuple or a dictionary."""
    return isinstance(x, (list, tuple, dict))


def units(leaves: Sequence[Any]) -> list[list[Any]]:
    """For each number among the leaves, the change of all leaves that moves it alone."""
    moves = []
    for k, leaf in enumerate(leaves):
        numbers = ops.detach(leaf)
        ones: list[Any] = [1.0]
        if isinstance(numbers, np.ndarray):
            ones = list(np.eye(numbers.size, dtype=numbers.dtype).reshape((-1, *numbers.shape)))
        moves += [[one if j == k else zeros_like(x) for j, x in enumerate(leaves)] for one in ones]
    return moves


def as_array(x: Any) -> Any:
    """One array or Tensor of a result that may be a number, a list of numbers, or an array of Values."""
    leaves, _ = flatten(x)
    if not is_container(x):
        if isinstance(x, np.ndarray):
            return x
        return leaves[0] if isinstance(leaves[0], Traced) else np.asarray(leaves[0], dtype=float)
    if any(isinstance(leaf, (Value, Dual)) for leaf in leaves):
        return boxed(leaves, (len(leaves),))
    return np.array([float(leaf) for leaf in leaves])


def reverse_rows(out: Any, pull: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """The Jacobian from one sweep for each output."""
    leaves, rebuild = flatten(out)
    rows = [as_array(pull(rebuild(seed))[0]) for seed in units(leaves)]
    out_shape = (len(leaves),) if is_container(out) else np.shape(ops.detach(out))
    return ops.stack(rows, axis=0).reshape((*out_shape, *shape)) if rows else np.zeros((*out_shape, *shape))


def hessian(f: Function, argnum: int = 0) -> Function:
    """The function that returns all second derivatives of f, which returns one number: forward over reverse.

    The result has shape (*shape of the argument, *shape of the argument).

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(grad(f, argnum), argnum, mode="forward")


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of f at `x` times `v`, without the Hessian: reverse over forward, the cost of a few gradients.

    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    checked_function(f, "hvp")
    return grad(lambda x: jvp(f, (x,), (v,))[1])(x)
