"""A call taken apart: the arrays among its arguments, and all else that a program depends on.

>>> call = Call({"x": [1.0, 2.0], "options": {"scale": 2.0, "mode": "fast"}}, "f")
>>> [(part.name, part.shape, part.one) for part in call.parts]
[('x', (2,), True), ('options_scale', (), True)]
>>> call.rebuilt([[10.0, 20.0], 3.0])
{'x': [10.0, 20.0], 'options': {'scale': 3.0, 'mode': 'fast'}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, NamedTuple

import numpy as np

from autograd.engine.value import Value
from autograd.ops.arrays import as_array
from autograd.ops.rows import Traced

NUMBERS = (float, int, np.floating, np.integer)


class Part(NamedTuple):
    """An array among the arguments; `one` says that it is a number or a list, and so of one sample."""

    name: str
    argument: str
    array: Any
    one: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers, which choose from lists."""
        return not isinstance(self.array, Traced) and self.array.dtype.kind in "iu"


class Static(NamedTuple):
    """Something that is no number: each has programs of its own."""

    value: Any


class Made(NamedTuple):
    """A list, a tuple or a dictionary of others."""

    kind: Any
    keys: tuple[Any, ...]
    items: tuple[Any, ...]


PART = "part"
"""What stands in a structure for an array."""


class Call:
    """The arguments of one call.

    Args:
        arguments: by name.
        name: of the function, for messages.
    """

    def __init__(self, arguments: Mapping[str, Any], name: str) -> None:
        self.name = name
        self.parts: list[Part] = []
        self.structure = Made(
            dict, tuple(arguments), tuple([self._structure(x, key, key) for key, x in arguments.items()])
        )

    def _structure(self, x: Any, path: str, argument: str) -> Any:
        if is_static(x):
            return Static(x)
        if isinstance(x, dict):
            items = [self._structure(item, f"{path}_{key}", argument) for key, item in x.items()]
            return Made(dict, tuple(x), tuple(items))
        one = rectangular(x) is not None
        if isinstance(x, (list, tuple)) and not (one and isinstance(x, list)):
            parts = [self._structure(item, f"{path}_{i}", argument) for i, item in enumerate(x)]
            return Made(type(x), (), tuple(parts))
        if isinstance(x, Value):
            raise TypeError(f"argument {argument!r} holds a Value: call {self.name} itself on Values, before vectorize")
        array = x if isinstance(x, Traced) else as_array(x, f"argument {argument!r} of {self.name}")
        self.parts.append(Part(re.sub(r"\W+", "_", path), argument, array, one))
        return PART

    def rebuilt(self, arrays: Sequence[Any]) -> dict[str, Any]:
        """The arguments with others in the place of the arrays."""
        return rebuilt(self.structure, iter(arrays))  # type: ignore[no-any-return]


def rebuilt(structure: Any, arrays: Iterator[Any]) -> Any:
    """What has this structure, with these arrays."""
    if structure is PART:
        return next(arrays)
    if isinstance(structure, Static):
        return structure.value
    items = [rebuilt(item, arrays) for item in structure.items]
    if issubclass(structure.kind, dict):
        return dict(zip(structure.keys, items, strict=True))
    return structure.kind._make(items) if hasattr(structure.kind, "_make") else structure.kind(items)


def is_static(x: Any) -> bool:
    """Whether it is text, None, a truth value, or a tuple of these.

    >>> is_static(("relu", None, True)), is_static((1, 2))
    (True, False)
    """
    return isinstance(x, (str, NoneType, bool)) or (type(x) is tuple and all(map(is_static, x)))


def rectangular(x: Any) -> tuple[int, ...] | None:
    """The shape of a number or of nested lists of numbers; None for anything else.

    >>> rectangular(2.0), rectangular([[1, 2], [3, 4]]), rectangular([[1], [2, 3]]), rectangular([True])
    ((), (2, 2), None, None)
    """
    if isinstance(x, NUMBERS) and not isinstance(x, bool):
        return ()
    if not isinstance(x, list) or not x:
        return None
    shapes = {rectangular(item) for item in x}
    (shape, *others) = shapes
    return None if others or shape is None else (len(x), *shape)
