"""The parameters of an optimiser, checked: leaves, each once."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

from autograd import Tensor, Value
from nn.module import Parameter


class HasParameters(Protocol):
    """A Module, a vectorized one, or a class of one's own with this method."""

    def parameters(self) -> Iterable[Parameter]: ...


Parameters: TypeAlias = Iterable[Parameter] | HasParameters | Callable[[], Iterable[Parameter]]


def listed(parameters: Parameters) -> list[Parameter]:
    """Parameters as a list. Raises TypeError for anything but leaves, ValueError for duplicates and an empty list."""
    if isinstance(parameters, Value | Tensor):
        raise TypeError(f"parameters come in a list, even a single one: got a {type(parameters).__name__}")
    if isinstance(parameters, type):
        raise TypeError(f"the class {parameters.__name__} has no parameters: make a model of it first")
    given: Any = getattr(parameters, "parameters", parameters)  # a Module, or an object like one
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
            raise TypeError(f"{name_of(i, p)} was computed by {p.op.name}: only leaves are parameters")
        if seen.setdefault(id(p), i) != i:
            raise ValueError(f"{name_of(i, p)} is also parameter {seen[id(p)]}: it would be updated twice")
    if not listed:
        raise ValueError("there are no parameters")
    return listed


def name_of(i: int, p: Parameter) -> str:
    """A parameter in messages: its index in the list, and its label."""
    return f"parameter {i} ({p.label})" if p.label else f"parameter {i}"
