"""Optimisers: how gradients change parameters; and clipping of gradients.

An optimiser states its update once, on arrays and in place. A Tensor's array is updated where it lies; temporaries of
its size are allocated once, when the optimiser is made. The Values of an optimiser are gathered into one vector,
updated like any other array and written back. `step` never writes to a gradient, and skips a Tensor that has none.
Frozen parameters are left alone, and so is what is remembered about them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, Value
from nn.module import Module, Parameter
from nn.schedules import Rate, checked

Array: TypeAlias = NDArray[Any]
Parameters: TypeAlias = Iterable[Parameter] | Module


class Slot(NamedTuple):
    """What an optimiser keeps for one array: its name, its state, and two arrays to compute in."""

    name: str
    state: dict[str, Array]
    decayed: Array
    scratch: Array


class Optimizer:
    """Base of the optimisers: the parameters, the learning rate, the number of steps and the state.

    Args:
        parameters: Values and Tensors, or a Module (or its method `parameters`). Raises ValueError for none and for
            duplicates, TypeError for anything else and for results of operations.
        lr: the learning rate, a number of 0 or more, or a schedule from the number of steps taken to one.
        weight_decay: adds ``weight_decay * parameter`` to the gradient: that of an L2 penalty of half as much.

    To write another one, override `_update`, and `_state` if it remembers something between steps:

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
        self.parameters = _listed(parameters)
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
        room = {dtype: np.empty((2, size), dtype) for dtype, size in sizes.items()}  # to compute in, shared by all
        self._slots = [
            Slot(name, self._first(name, p), *(row[: p.size].reshape(p.shape) for row in room[p.dtype]))
            for name, p in arrays.items()
        ]
        self._held = list(zip(self._tensors, self._slots, strict=False))

    # What a kind of optimiser states

    _counts: ClassVar[tuple[str, ...]] = ()  # what of the state is one number for a Tensor, and one for each Value

    def _state(self, p: Array) -> dict[str, Array]:
        """What to remember between steps about a parameter `p`, as it is before the first."""
        return {}

    def _first(self, name: str, p: Array) -> dict[str, Array]:
        """The same, where each Value has of its own what a Tensor has one number of."""
        own = self._counts if name == "values" else ()
        return {key: np.full(p.shape, x) if key in own else x for key, x in self._state(p).items()}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        """Change `p` and `state` in place, by the gradient `g`. `scratch`, of their shape, is free to compute in.

        Write to `p` last: the gradient may be a view of it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define _update")

    def _decay(self, p: Array, g: Array, lr: float, out: Array) -> Array:
        """The gradient with weight decay. `out` is free to compute in."""
        np.multiply(p, self.weight_decay, out=out)
        out += g
        return out

    # What all have in common

    @property
    def lr(self) -> float:
        """The learning rate of the next step. Assign a number or a schedule."""
        return checked(f"lr at step {self.steps}", self._lr(self.steps)) if callable(self._lr) else self._lr

    @lr.setter
    def lr(self, lr: Rate) -> None:
        self._lr = lr if callable(lr) else checked("lr", lr)

    def step(self) -> None:
        """Change every parameter by its gradient."""
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
        alike = len(set(map(type, values))) == 1  # freezing is a matter of kind: then all are frozen, or none
        live = [] if alike else [i for i, value in enumerate(values) if value.requires_grad]
        if some := not (alike and values[0].requires_grad):  # a slot for the others
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
        if type(g) is not np.ndarray or g.dtype is not p.dtype:  # somebody else's: compute in the parameter's precision
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
        """Forget the gradients: 0.0 on Values, None on Tensors."""
        for tensor in self._tensors:
            tensor.grad = None
        for value in self._values:
            value.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Steps taken, learning rate, and copies of the state: ``m.0`` of parameter 0, ``m.values`` of all Values.

        >>> SGD([Tensor([1.0, 2.0]), Value(3.0)], lr=0.1, momentum=0.9).state_dict()
        {'steps': 0, 'lr': 0.1, 'velocity.0': array([0., 0.]), 'velocity.values': array([0.])}
        """
        return {"steps": self.steps, "lr": self.lr, **{key: x.copy() for key, x in self._named_state().items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state dict; a schedule, which is code, stays and goes on from the steps taken.

        Keys, shapes and dtypes must all match: otherwise a ValueError lists everything that does not, and the
        optimiser stays as it was.

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
        if complaints:
            header = f"the state does not fit this {type(self).__name__}, which is unchanged:"
            raise ValueError("\n  ".join([header, *complaints]))
        self.steps = int(state["steps"])
        if not callable(self._lr):
            self.lr = float(state["lr"])
        for key, array in own.items():
            array[...] = state[key]

    def _named_state(self) -> dict[str, Array]:
        return {f"{key}.{slot.name}": array for slot in self._slots for key, array in slot.state.items()}


# --------------------------------------------------------------------------------------------------- optimisers


class SGD(Optimizer):
    """Gradient descent ``p -= lr * g``; with momentum ``p -= lr * v`` where ``v = momentum * v + g``.

    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964. `nesterov` looks ahead, ``p
    -= lr * (g + momentum * v)``: Sutskever et al., "On the importance of initialization and momentum in deep
    learning", ICML 2013. ValueError for a momentum outside [0, 1), and for `nesterov` without momentum.

    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> SGD([w], lr=0.25).step()
    >>> w.data
    0.5
    """

    def __init__(
        self, parameters: Parameters, lr: Rate, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        self.momentum = checked("momentum", momentum, below=1)
        self.nesterov = nesterov
        if nesterov and not momentum:
            raise ValueError(f"nesterov needs a momentum above 0, got {momentum}")
        super().__init__(parameters, lr, weight_decay)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"velocity": np.zeros_like(p)} if self.momentum else {}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        if self.momentum:
            v = state["velocity"]
            v *= self.momentum
            v += g
            if self.nesterov:
                np.multiply(v, self.momentum, out=scratch)
                scratch += g
                g = scratch
            else:
                g = v
        p -= np.multiply(g, lr, out=scratch)


class Adagrad(Optimizer):
    """``p -= lr * g / (sqrt(s) + eps)`` where s sums all g² so far.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    JMLR 12 (2011).

    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> Adagrad([w], lr=0.25).step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(self, parameters: Parameters, lr: Rate = 0.01, eps: float = 1e-10, weight_decay: float = 0.0) -> None:
        self.eps = checked("eps", eps)
        super().__init__(parameters, lr, weight_decay)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"s": np.zeros_like(p)}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        s = state["s"]
        s += np.square(g, out=scratch)
        p -= _quotient(g, s, lr, self.eps, scratch)


class RMSprop(Optimizer):
    """``p -= lr * g / (sqrt(s) + eps)`` where ``s = alpha * s + (1 - alpha) * g²``, a running mean.

    Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera 2012. ValueError for an alpha outside [0, 1).

    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> RMSprop([w], lr=0.025).step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(
        self, parameters: Parameters, lr: Rate = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        self.alpha = checked("alpha", alpha, below=1)
        self.eps = checked("eps", eps)
        super().__init__(parameters, lr, weight_decay)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"s": np.zeros_like(p)}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        s = state["s"]
        _average(s, np.square(g, out=scratch), self.alpha, scratch)
        p -= _quotient(g, s, lr, self.eps, scratch)


class Adam(Optimizer):
    """``p -= lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps)`` at a parameter's t-th update.

    ``m = b1 * m + (1 - b1) * g`` and ``v = b2 * v + (1 - b2) * g²`` are running means, which start at 0; the
    divisors make up for that. Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. ValueError
    for betas outside [0, 1).

    >>> w = Value(1.0)
    >>> (w * w).backward()
    >>> Adam([w], lr=0.25).step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        try:
            b1, b2 = betas
        except (TypeError, ValueError):
            raise TypeError(f"betas is a pair of numbers such as (0.9, 0.999), not {betas!r:.60}") from None
        self.betas = checked("betas[0]", b1, below=1), checked("betas[1]", b2, below=1)
        self.eps = checked("eps", eps)
        super().__init__(parameters, lr, weight_decay)

    _counts = ("t",)

    def _state(self, p: Array) -> dict[str, Array]:
        return {"m": np.zeros_like(p), "v": np.zeros_like(p), "t": np.zeros((), np.int64)}

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        p -= self._step(g, lr, state, scratch)

    def _step(self, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> Array:
        """What is taken off the parameter; it lies in the scratch array."""
        m, v, t = state["m"], state["v"], state["t"]
        b1, b2 = self.betas
        t += 1
        _average(m, g, b1, scratch)
        _average(v, np.square(g, out=scratch), b2, scratch)
        count: Any = t.item() if not t.ndim else t.item(0) if t.size and t.min() == t.max() else t  # some were frozen
        root = (np.sqrt if count is t else math.sqrt)(1 - b2**count)
        # the corrections go into the numbers: two passes over the arrays less
        return _quotient(m, v, lr * root / (1 - b1**count), self.eps * root, scratch)


class AdamW(Adam):
    """Adam with decoupled weight decay: ``p -= lr * weight_decay * p``, before Adam's update of the plain gradient.

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.

    >>> w = Value(1.0)
    >>> AdamW([w], lr=0.25, weight_decay=0.5).step()
    >>> w.data
    0.875
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def _decay(self, p: Array, g: Array, lr: float, out: Array) -> Array:
        return g

    def _update(self, p: Array, g: Array, lr: float, state: dict[str, Array], scratch: Array) -> None:
        step = self._step(g, lr, state, scratch)
        p *= 1 - lr * self.weight_decay
        p -= step


def _average(mean: Array, x: Array, keep: float, scratch: Array) -> None:
    """``mean = keep * mean + (1 - keep) * x`` in place; x may lie in the scratch array."""
    mean *= keep
    mean += np.multiply(x, 1 - keep, out=scratch)


def _quotient(x: Array, s: Array, lr: float, eps: float, out: Array) -> Array:
    """``lr * x / (sqrt(s) + eps)``."""
    np.sqrt(s, out=out)
    out += eps
    np.divide(x, out, out=out)
    out *= lr
    return out


# ----------------------------------------------------------------------------------------------------- clipping


def clip_grad_norm(parameters: Parameters, max_norm: float) -> float:
    """Shorten the gradients, taken as one vector, to the Euclidean length `max_norm`; returns the length before.

    Shorter gradients stay as they are; longer ones are replaced by new arrays, never written to. A length that is
    not finite raises ValueError and changes nothing, for no direction is left to keep. Pascanu, Mikolov and
    Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    >>> w = Tensor([1.0, 1.0])
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_grad_norm([w], 1.0), w.grad
    (5.0, array([0.6, 0.8]))
    """
    if isinstance(max_norm, str) or not max_norm >= 0:  # infinity only measures
        raise ValueError(f"max_norm must be 0 or more, got {max_norm!r}")
    listed = _listed(parameters)
    norm = _norm(_gradients(listed))
    if not math.isfinite(norm):
        bad = [_name(i, p) for i, p in enumerate(listed) if p.grad is not None and not np.isfinite(p.grad).all()]
        raise ValueError(f"the gradients have length {norm}: look at {', '.join(bad) or 'their size'}")
    if norm > max_norm:
        _replace(listed, lambda g: g * (max_norm / norm))
    return norm


def clip_grad_value(parameters: Parameters, limit: float) -> None:
    """Keep every element of the gradients within ±limit; a nan stays.

    >>> w = Tensor([1.0, 1.0])
    >>> (w * [3.0, -0.5]).sum().backward()
    >>> clip_grad_value([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    if isinstance(limit, str) or not limit >= 0:
        raise ValueError(f"limit must be 0 or more, got {limit!r}")
    _replace(_listed(parameters), lambda g: np.clip(g, -limit, limit))


def _gradients(parameters: list[Parameter]) -> list[Array]:
    """Those of the Tensors that have one, and those of all Values as one array."""
    arrays = [p.grad for p in parameters if isinstance(p, Tensor) and p.grad is not None]
    numbers = [p.grad or 0.0 for p in parameters if isinstance(p, Value)]
    return [*arrays, np.array(numbers)] if numbers else arrays


def _replace(parameters: list[Parameter], change: Callable[[Array], Any]) -> None:
    """Give each parameter a changed gradient: a new array, for others may hold the old one."""
    for p in parameters:
        if isinstance(p, Tensor) and p.grad is not None:
            p.grad = np.asarray(change(p.grad))
    values = [p for p in parameters if isinstance(p, Value)]
    for p, g in zip(values, change(np.array([p.grad or 0.0 for p in values])).tolist(), strict=True):
        p.grad = g


def _norm(arrays: list[Array]) -> float:
    """Their Euclidean length as one vector, also where squares overflow or vanish."""
    with np.errstate(all="ignore"):
        norm = math.sqrt(sum(float(np.vdot(x, x)) for x in arrays))
        if 1e-15 < norm < 1e15:
            return norm
        largest = float(np.max([np.abs(x).max(initial=0.0) for x in arrays], initial=0.0))
        if not 0 < largest < math.inf:
            return largest
        return largest * math.sqrt(sum(float(np.square(x / largest, dtype=np.float64).sum()) for x in arrays))


# ------------------------------------------------------------------------------------------------------- checks


def _listed(parameters: Parameters) -> list[Parameter]:
    """Parameters as a list: leaves, each once."""
    if isinstance(parameters, Value | Tensor):
        raise TypeError(f"parameters come in a list, even a single one: got a {type(parameters).__name__}")
    if isinstance(parameters, type):
        raise TypeError(f"parameters are those of a model, not of the class {parameters.__name__}: make one first")
    given: Any = getattr(parameters, "parameters", parameters)  # a Module's, or that of anything like one
    given = given() if callable(given) else given
    if not isinstance(given, Iterable):
        what = f"{type(given).__name__} {given!r:.60}"
        raise TypeError(f"parameters come first, as model.parameters() or a list of Values and Tensors, not {what}")
    listed: list[Parameter] = list(given)
    seen: dict[int, int] = {}
    for i, p in enumerate(listed):
        if not isinstance(p, Value | Tensor):
            hint = "; write model.parameters()" if isinstance(p, tuple) else ""
            hint = "; make an optimiser for each group" if isinstance(p, dict) else hint
            what = f"parameter {i} is a {type(p).__name__}, {p!r:.60}"
            raise TypeError(f"{what}: only Values and Tensors are parameters{hint}")
        if not p.is_leaf:
            raise TypeError(f"{_name(i, p)} was computed by {p.op.name}: only leaves are parameters")
        if seen.setdefault(id(p), i) != i:
            raise ValueError(f"{_name(i, p)} is parameter {seen[id(p)]} once more: it would be updated twice")
    if not listed:
        raise ValueError("there are no parameters")
    return listed


def _name(i: int, p: Parameter) -> str:
    return f"parameter {i} ({p.label})" if p.label else f"parameter {i}"


def _mismatch(key: str, own: Array | None, state: Mapping[str, Any]) -> str:
    """Why the state's entry cannot become this optimiser's; empty if it can."""
    if key not in state:
        return "missing"
    given = np.asarray(state[key])
    if own is None:  # steps and lr
        kinds, what = ("iu", "an integer") if key == "steps" else ("iuf", "a finite number")
        fits = given.ndim == 0 and given.dtype.kind in kinds and 0 <= given < math.inf
        return "" if fits else f"{state[key]!r:.60}, expected {what} of 0 or more"
    if given.shape != own.shape:
        return f"shape {given.shape}, expected {own.shape}"
    return "" if given.dtype == own.dtype else f"dtype {given.dtype}, expected {own.dtype}"
