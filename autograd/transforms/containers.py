"""Lists, tuples, dictionaries and modules of numbers. They are flattened into leaves, and built again from leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.ops.shapes import objects


def flatten(x: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The leaves of nested lists, tuples and dictionaries, and a function that builds the same from other leaves.

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


def is_container(x: Any) -> bool:
    """True for a list, a tuple or a dictionary."""
    return isinstance(x, (list, tuple, dict))


def is_module(x: Any) -> bool:
    """True if `x` has named parameters, as the modules of `nn` have."""
    return hasattr(x, "named_parameters")


def parameters_of(module: Any) -> dict[str, Any]:
    """The parameters of a module by path, without those that are frozen."""
    return {path: p for path, p in module.named_parameters() if getattr(p, "requires_grad", True)}


def by_name(names: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """A function that makes a dictionary of items with these names."""
    return lambda items: dict(zip(names, items, strict=True))


def boxed(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of these items: of floats, or of objects if there are variables among them."""
    if all(isinstance(item, float) for item in items):
        return np.array(items, dtype=float).reshape(shape)
    return objects(items).reshape(shape)
