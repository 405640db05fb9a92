"""Where Values live: the arrays that all programs over them read and train.

A Value has one home: a place in an array. The first program that needs the Value makes it, in the shape in which it
needs it. Later programs read the same array, or a part of it. So there is one set of numbers to train, however many
programs there are. A home goes with the last program that has it.

A number is in the Value and in the array. A home remembers on which number they last agreed. So it knows which of the
two was changed since. Where both were, neither is taken for the other: that is an error.

>>> w = Value(1.0, label="w")
>>> home = Home([w], (), np.float64, "w1")
>>> home.tensor.data[...] = 2.0
>>> home.write()
>>> w.data
2.0
>>> home.tensor.data[...], w.data = 3.0, 4.0
>>> home.check("w1")
Traceback (most recent call last):
ValueError: the Value w was set to 4.0, and was trained to 3.0 in w1, since both were 2.0: gather() takes the numbers \
of the Values; for that of the array, write value.data = 3.0 first
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar
from weakref import ref

import numpy as np
from numpy.typing import DTypeLike

from autograd.engine.tensor import Tensor
from autograd.engine.value import Value
from autograd.vectorizing.scalars import PARAMETER, Scalars
from autograd.vectorizing.tracer import TraceError, name_of

Array = np.ndarray[Any, np.dtype[Any]]


class Syncs(Protocol):
    """What can be synced."""

    def sync(self) -> Any: ...


Owner = TypeVar("Owner", bound=Syncs)


class Home:
    """An array of parameters, and the Values whose numbers it holds.

    Args:
        values: in the order of the places, each once.
        shape: of the array.
        dtype: of the array.
        label: the name in the first program.
    """

    def __init__(self, values: Sequence[Value], shape: tuple[int, ...], dtype: DTypeLike, label: str) -> None:
        self.values = values
        self.places = {id(v): k for k, v in enumerate(values)}
        self.agreed = np.array([v._raw for v in values], dtype=dtype)
        self.tensor = Tensor(self.agreed.reshape(shape), label=label)
        self.live = True  # whether the Values were trained when this was asked last

    @property
    def numbers(self) -> Array:
        """The numbers of the Values, one after another."""
        return np.array([v._raw for v in self.values], dtype=self.agreed.dtype)

    @property
    def trained(self) -> Array:
        """The numbers of the array, one after another."""
        return self.tensor.detach().reshape(-1)

    def check(self, name: str) -> None:
        """ValueError for a number that was changed both here and in its Value; `name` is the array's in a message."""
        numbers, trained = self.numbers, self.trained
        changed = differ(trained, numbers) & differ(trained, self.agreed)
        lost = np.flatnonzero(changed & differ(numbers, self.agreed))
        if lost.size:
            k = int(lost[0])
            raise ValueError(
                f"the Value {self.title(k, name)} was set to {numbers[k]!s}, and was trained to {trained[k]!s} in "
                f"{name}, since both were {self.agreed[k]!s}: gather() takes the numbers of the Values; for that of "
                f"the array, write value.data = {trained[k]!s} first"
            )
        if any(not self.values[k].requires_grad for k in np.flatnonzero(changed).tolist()):
            raise ValueError(
                f"{name} of this program was trained, and holds Values that are frozen: freeze before vectorize, "
                "or freeze the program's own parameters() too"
            )

    def title(self, k: int, name: str) -> str:
        """A Value as messages name it: by its label, or by its place in the array."""
        index = [int(i) for i in np.unravel_index(k, self.tensor.shape)]
        return self.values[k].label or f"of {name}{index or ''}"

    def take(self) -> None:
        """The array takes the numbers that were set in the Values."""
        numbers = self.numbers
        moved = differ(numbers, self.agreed)
        if moved.any():
            self.tensor.data = np.where(moved, numbers, self.trained).reshape(self.tensor.shape)
            self.agreed = np.where(moved, numbers, self.agreed)

    def write(self) -> None:
        """The Values take the numbers and gradients of the array; the array those that were set in the Values."""
        self.take()
        self.agreed = self.trained.copy()
        for k in np.flatnonzero(differ(self.agreed, self.numbers)).tolist():
            self.values[k].data = float(self.agreed[k])
        if self.tensor.grad is not None:
            for v, grad in zip(self.values, self.tensor.grad.reshape(-1).tolist(), strict=True):
                v.grad = grad

    def gather(self) -> None:
        """The array takes all numbers of the Values."""
        self.agreed = self.numbers
        self.tensor.data = self.agreed.reshape(self.tensor.shape)

    def follow(self, name: str, f: Callable[..., Any]) -> None:
        """Freeze the array if the Values have been frozen, or the other way round. TraceError if only some are."""
        frozen = sum(not v.requires_grad for v in self.values)
        if 0 < frozen < len(self.values):
            raise TraceError(
                f"{name_of(f)} has {frozen} frozen Values among the {len(self.values)} of {name}, one array of the "
                "program: freeze all of them or none (fast.parameters() are Tensors, which freeze as wholes)"
            )
        if self.live == bool(frozen):  # else the array is frozen as its owner wants it
            self.live = not frozen
            self.tensor.requires_grad = self.live


class Homes:
    """Homes by the `id` of the Values that live there, for as long as somebody else has them.

    A home keeps its Values, so that nothing else has their ids.
    """

    def __init__(self) -> None:
        self._found: dict[int, ref[Home]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: int) -> bool:
        return key in self._found

    def get(self, key: int) -> Home | None:
        """The home of the Value with this id."""
        found = self._found.get(key)
        return None if found is None else found()

    def add(self, home: Home) -> None:
        """Add a home, with one reference for all of its Values."""
        self._found.update(dict.fromkeys(home.places, ref(home, partial(self._remove, list(home.places)))))

    def _remove(self, keys: list[int], gone: ref[Home]) -> None:
        for key in keys:
            if self._found.get(key) is gone:
                del self._found[key]


HOMES = Homes()


def known(homes: Homes, graph: Scalars, dtype: np.dtype[Any], f: Callable[..., Any]) -> list[Array]:
    """The scalars that lie in each of the homes of a graph's parameters, in the shape of the array (-1: none)."""
    found: dict[Home, Array] = {}
    if not len(homes):
        return []
    args, parameters = graph.args, graph.parameters
    for n in np.flatnonzero(graph.leaves(PARAMETER)).tolist():
        value = parameters[args[n][0]]
        if (home := homes.get(id(value))) is None:
            continue
        if home not in found:
            checked(home, dtype, f)
            found[home] = np.full(home.agreed.size, -1)
        found[home][home.places[id(value)]] = n
    return [members.reshape(home.tensor.shape) for home, members in found.items()]


def checked(home: Home, dtype: np.dtype[Any], f: Callable[..., Any]) -> None:
    """Refuse to read a home that has another dtype, or numbers that nobody can choose between."""
    name = home.tensor.label or "an array"
    if home.agreed.dtype != dtype:
        raise TypeError(
            f"{name_of(f)} reads Values that another program has as {name} in {home.agreed.dtype}, and a Value has one "
            f"array: give dtype={home.agreed.dtype}, or drop the other program (del) first"
        )
    home.check(name)


def write_all(homes: Iterable[tuple[str, Home]]) -> None:
    """Write all homes, named as in a program; none if one of them is refused."""
    named = list(homes)
    for name, home in named:
        home.check(name)
    for _, home in named:
        home.write()


class Synced(Generic[Owner]):
    """The result of `sync`. As a context manager it syncs again at the end of the block, even after an error."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def __enter__(self) -> Owner:
        return self._owner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owner.sync()


def differ(x: Array, y: Array) -> Any:
    """Where two arrays have other bits: nan is nan, and 0.0 is not -0.0."""
    bits = f"i{x.dtype.itemsize}"
    return np.ascontiguousarray(x).view(bits) != np.ascontiguousarray(y).view(bits)
