"""`Optimizer`: the base class of all optimisers.

An optimiser defines its update once, for arrays and in place. The scratch arrays are made with the optimiser, so a step
on Tensors allocates no arrays of their size. The Values of an optimiser are copied into one vector, which is updated
like any other array and copied back.

`step` never writes to a gradient. It skips a Tensor without a gradient. It does not change frozen parameters, nor the
state that belongs to them.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from autograd import Tensor, Value
from nn.optim.parameters import Parameters, listed
from nn.optim.schedules import Rate, checked
from nn.support.arrays import Array, check_state, mismatch


class Slot(NamedTuple):
    """An array that an optimiser updates: its name, its state, and two scratch arrays of its shape."""

    name: str
    state: dict[str, Array]
    decayed: Array
    scratch: Array


class Optimizer:
    """Base class of the optimisers. It has the parameters, the learning rate, the number of steps and the state.

    Args:
        parameters: Values and Tensors, or a Module (or its method `parameters`). Raises ValueError for an empty list
            and for duplicates, and TypeError for anything else, such as results of operations.
        lr: the learning rate, a number of 0 or more, or a schedule: a function of the number of steps taken.
        weight_decay: adds ``weight_decay * parameter`` to the gradient. This is the gradient of the L2 penalty
            ``weight_decay / 2 * parameter²``.

    To write an optimiser of your own, override `_update`. Override `_state`, too, if it needs numbers from earlier
    steps:

    >>> class SignDescent(Optimizer):
    ...     def _update(self, p, g, lr, state, scratch):
    ...         p -= lr * np.sign(g)
    >>> w = Tensor([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> SignDescent([w], lr=0.5).step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    def __init__(self, parameters: Parameters, lr: Rate, weight_decay: float = 0.0) -> None:
        self.parameters = listed(parameters)
        self.lr = lr
        self.weight_decay = checked("weight_decay", weight_decay)
        self.steps = 0
        self._tensors = [p for p in self.parameters if isinstance(p, Tensor)]
        self._values = [p for p in self.parameters if isinstance(p, Value)]
        arrays = {str(i): p.detach() for i, p in enumerate(self.parameters) if isinstance(p, Tensor)}
        if self._values:
            arrays["values"] = np.empty(len(self._values))
        sizes: dict[np.dtype[Any], int] = {}
        for p in arrays.values():
            sizes[p.dtype] = max(p.size, sizes.get(p.dtype, 0))
        room = {dtype: np.empty((2, size), dtype) for dtype, size in sizes.items()}  # scratch, shared by all
        self._slots = [
            Slot(name, self._first(name, p), *(row[: p.size].reshape(p.shape) for row in room[p.dtype]))
            for name, p in arrays.items()
        ]
        self._held = list(zip(self._tensors, self._slots, strict=False))

    # What a subclass defines

    _counts: ClassVar[tuple[str, ...]] = ()  # the entries of the state that are one number for each Tensor or Value

    def _state(self, p: Array) -> dict[str, Array]:
        """The state of a parameter `p` before the first step: arrays by name."""
        return {}

    def _first(self, name: str, p: Array) -> dict[str, Array]:
        """The state before the first step. For the vector of Values, `_counts` become arrays: one number a Value."""
        own = self._counts if name == "values" else ()
        return {key: np.full(p.shape, x) if key in own else x for key, x in self._state(p).items()}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        """Change `p` and `state` in place, by the gradient `g`. `scratch` is an array of the same shape to compute in.

        Write to `p` last, since the gradient may be a view of it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define _update")

    def _decay(self, p: Array, g: Array, lr: float, out: Array) -> Array:
        """The gradient with weight decay. `out` is a scratch array for it."""
        np.multiply(p, self.weight_decay, out=out)
        out += g
        return out

    # What all optimisers share

    @property
    def lr(self) -> float:
        """The learning rate of the next step. Assign a number or a schedule."""
        return checked(f"lr at step {self.steps}", self._lr(self.steps)) if callable(self._lr) else self._lr

    @lr.setter
    def lr(self, lr: Rate) -> None:
        self._lr = lr if callable(lr) else checked("lr", lr)

    def step(self) -> None:
        """Update every parameter by its gradient."""
        lr = self.lr
        with np.errstate(all="ignore"):
            for tensor, slot in self._held:
                if tensor.grad is not None:
                    tensor.update(self._apply, tensor.grad, lr, slot)
            if self._values:
                self._step_values(lr)
        self.steps += 1

    def _step_values(self, lr: float) -> None:
        values, slot = self._values, self._slots[-1]
        alike = len(set(map(type, values))) == 1  # frozen Values have a class of their own: so all are frozen, or none
        live = [] if alike else [i for i, value in enumerate(values) if value.requires_grad]
        if some := not (alike and values[0].requires_grad):  # a slot for those that are not frozen
            values = [values[i] for i in live]
            state = {key: x[live] if x.ndim else x for key, x in slot.state.items()}
            slot = Slot(slot.name, state, *np.empty((2, len(live))))
        p = np.array([value.data for value in values])
        self._apply(p, np.array([value.grad or 0.0 for value in values]), lr, slot)
        for value, data in zip(values, p.tolist(), strict=True):
            value.data = data
        if some:
            for key, x in self._slots[-1].state.items():
                if x.ndim:
                    x[live] = slot.state[key]

    def _apply(self, p: Array, g: Array, lr: float, slot: Slot) -> None:
        name, state, decayed, scratch = slot
        if type(g) is not np.ndarray or g.dtype is not p.dtype:  # assigned by the user: convert it
            g = np.asarray(g)
            if g.dtype.kind not in "fiub":
                raise TypeError(f"parameter {name} has a gradient of dtype {g.dtype}: it takes real numbers")
            g = g.astype(p.dtype)
        if g.shape != p.shape:
            raise ValueError(f"parameter {name} of shape {p.shape} has a gradient of shape {g.shape}")
        if self.weight_decay:
            g = self._decay(p, g, lr, decayed)
        self._update(p, g, lr, state, scratch)

    def zero_grad(self) -> None:
        """Clear the gradients: 0.0 on Values, None on Tensors."""
        for tensor in self._tensors:
            tensor.grad = None
        for value in self._values:
            value.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """The number of steps, the learning rate, and copies of the state.

        ``m.0`` is the entry `m` of parameter 0, ``m.values`` that of all Values.

        >>> from nn import SGD
        >>> SGD([Tensor([1.0, 2.0]), Value(3.0)], lr=0.1, momentum=0.9).state_dict()
        {'steps': 0, 'lr': 0.1, 'velocity.0': array([0., 0.]), 'velocity.values': array([0.])}
        """
        return {"steps": self.steps, "lr": self.lr, **{key: x.copy() for key, x in self._named_state().items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state dict. A schedule is code, so it stays; it continues from the restored number of steps.

        All keys, shapes and dtypes must match. Otherwise a ValueError lists all differences, and the optimiser is
        unchanged.

        >>> from nn import SGD
        >>> SGD([Value(0.0)], lr=0.1, momentum=0.9).load_state_dict({"steps": 5, "lr": -1.0})
        Traceback (most recent call last):
        ValueError: the state does not fit this SGD, which is unchanged:
          lr: -1.0, expected a finite number of 0 or more
          velocity.values: missing
        """
        own = self._named_state()
        complaints = [f"{key}: {why}" for key in ("steps", "lr", *own) if (why := _mismatch(key, own.get(key), state))]
        complaints += [
            f"{key}: not in the state of this optimiser" for key in state if key not in ("steps", "lr", *own)
        ]
        check_state(self, complaints)
        self.steps = int(state["steps"])
        if not callable(self._lr):
            self.lr = float(state["lr"])
        for key, array in own.items():
            array[...] = state[key]

    def _named_state(self) -> dict[str, Array]:
        return {f"{key}.{slot.name}": array for slot in self._slots for key, array in slot.state.items()}


def _mismatch(key: str, own: Array | None, state: Mapping[str, Any]) -> str:
    """Why the state's entry does not fit this optimiser; empty if it does."""
    if key not in state:
        return "missing"
    if own is None:  # steps and lr
        given = np.asarray(state[key])
        kinds, what = ("iu", "an integer") if key == "steps" else ("iuf", "a finite number")
        fits = given.ndim == 0 and given.dtype.kind in kinds and 0 <= given < math.inf
        return "" if fits else f"{state[key]!r:.60}, expected {what} of 0 or more"
    return mismatch(state[key], own.shape, own.dtype)
