"""`custom_op`: operations of your own, from a forward and a vjp.

Where an operation has a formula, write a row (`autograd.ops.rows.Elementwise` and its siblings), as the table does.
This is for the rest: a value computed by other means (a solver, a table, an external library), with a rule for its
gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import cotangents
from autograd.engine.modes import recording
from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.ops.rows import Op, total, unbroadcast


class Custom(Op):
    """An operation whose vjp is given as one function of all operands."""

    on_scalars = True

    def __init__(self, name: str, forward: Callable[..., Any], vjp: Callable[..., Any], arity: int, doc: str) -> None:
        super().__init__(name, arity, doc=doc)
        self.value = self.forward = forward
        self.rule = vjp
        self.reads = (tuple(range(arity)),) * arity  # the rule may look at anything

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if len(inputs) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} operands, got {len(inputs)}")
        # its rule reads the parameters again
        params = {key: np.array(x) if isinstance(x, np.ndarray) else x for key, x in params.items()}
        return self.apply(inputs, params)

    def differentiates(self, i: int) -> bool:
        """Nobody knows; the rule gets its operands as they are."""
        return False

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        found = self.rule(g, out, *inputs, **params)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != self.arity:
            raise ValueError(f"the vjp of {self.name} returned {len(found)} cotangents for {self.arity} operands")
        found = [np.array(c) if isinstance(c, np.ndarray) else c for c in found]  # it may be a buffer of their own
        return [
            unbroadcast(c, x) if need and c is not None else None
            for need, c, x in zip(needs, found, inputs, strict=True)
        ]

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Forward mode from reverse mode: the vjp is linear in g, and the transpose of that map is the jvp.

        Townsend, "A new trick for calculating Jacobian vector products" (2017).
        """
        numbers = ops.detach(out)
        g = Tensor(np.zeros_like(numbers)) if isinstance(numbers, np.ndarray) else ops.identity(Value(0.0))
        needs = [t is not None for t in tangents]
        with recording():  # of the map from g, which is ours
            terms = [
                ops.sum(ops.mul(c, t)) if isinstance(g, Tensor) else ops.mul(c, t)
                for c, t in zip(self.vjp(g, needs, out, inputs, params), tangents, strict=True)
                if c is not None
            ]
            pairing = total(terms)
        seed = np.ones(()) if isinstance(g, Tensor) else 1.0
        (rate,) = cotangents([pairing], [seed], [g], live=True)
        return 0.0 if rate is None else rate


def custom_op(
    forward: Callable[..., Any], vjp: Callable[..., Any], name: str | None = None, doc: str | None = None
) -> Custom:
    """An operation of your own, that works on floats, arrays, Values and Tensors, in both modes.

    Args:
        forward: ``forward(*operands, **params)`` on plain floats or arrays; returns one of those.
        vjp: ``vjp(g, out, *operands, **params)``: the operands' cotangents (one, or a tuple; None for no derivative),
            given the cotangent `g` of the result. Written with operators and `autograd`'s functions, it can be
            differentiated in turn, and forward mode follows from it.
        name: as shown in graphs and messages; forward's own by default.
        doc: what it does, in a line; the first line of forward's docstring by default.

    >>> cube = custom_op(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """
    code = vjp.__code__
    return Custom(
        name or str(getattr(forward, "__name__", "custom")),
        forward,
        vjp,
        arity=code.co_argcount - 2,
        doc=doc or (forward.__doc__ or "").strip().split("\n")[0],
    )
