"""The table of NumPy's functions: for each function its implementation for Tensors and Duals.

An implementation (a "meaning") is an ordinary function made of rows. Its parameters have NumPy's names. It lists only
those that it supports:

    @means(np.flip)
    def flip(m, axis=None):
        return ops.flip(m, axis)

Arguments are bound by NumPy's own signature, so they may come by position or by name. An argument that the meaning does
not have, such as ``out``, raises a TypeError that names the function and the argument. Functions whose answers have no
derivative (`argmax`, `allclose`) are questions: they take and return plain arrays.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from autograd import ops
from autograd.ops.floats import FLOATS
from autograd.ops.traced import Traced

Function = TypeVar("Function", bound=Callable[..., Any])

TABLE: dict[Any, Callable[[Sequence[Any], dict[str, Any]], Any]] = {}
"""For each of NumPy's functions, the function of ``(args, kwargs)`` that implements it."""

REMEDIES: dict[Any, str] = {}
"""For each function that is refused, what to do instead."""

SIGNATURES = {
    np.concatenate: "(arrays, /, axis=0, out=None, *, dtype=None, casting='same_kind')",
    np.dot: "(a, b, out=None)",
    np.inner: "(a, b, /)",
    np.vdot: "(a, b, /)",
    np.where: "(condition, x=None, y=None, /)",
}
"""Signatures of functions written in C. Older versions of NumPy do not give them."""


def name_of(function: Any) -> str:
    """NumPy's function as a user writes it: ``numpy.linalg.norm``."""
    return f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"


def signature_of(function: Any) -> inspect.Signature:
    """NumPy's own signature of one of its functions."""
    try:
        return inspect.signature(function)
    except ValueError:
        namespace: dict[str, Any] = {}
        exec(f"def signature{SIGNATURES[function]}: ...", namespace)
        return inspect.signature(namespace["signature"])


class Meaning:
    """The implementation of one NumPy function. It binds the arguments of a call by NumPy's signature."""

    def __init__(self, function: Any, meaning: Callable[..., Any]) -> None:
        self.name = name_of(function)
        self.meaning = meaning
        parameters = signature_of(function).parameters.values()
        self.spreads = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        named = {RENAMED.get(p.name, p.name): p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        self.defaults = {name: p.default for name, p in named.items()}
        self.places = [name for name, p in named.items() if p.kind is not p.KEYWORD_ONLY]
        own = inspect.signature(meaning).parameters.values()
        self.takes = {p.name for p in own}
        self.takes_all = any(p.kind is p.VAR_KEYWORD for p in own)

    def __call__(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        given: dict[str, Any] = {}
        if not self.spreads:
            if len(args) > len(self.places):
                raise TypeError(f"{self.name} takes at most {len(self.places)} positional arguments, got {len(args)}")
            given = dict(zip(self.places, args, strict=False))
            args = ()
        for key, x in kwargs.items():
            key = RENAMED.get(key, key)
            if key in given:
                raise TypeError(f"{self.name} got two values for {key!r}")
            if key not in self.defaults and not self.open:
                raise TypeError(f"{self.name} has no argument {key!r}")
            given[key] = x
        for key in [] if self.takes_all else [key for key in given if key not in self.takes]:
            if not self._is_default(key, given.pop(key)):
                raise TypeError(f"{self.name} of a Tensor does not take {key}=: {REFUSED.get(key, 'leave it out')}")
        return self.meaning(*args, **given)

    def _is_default(self, key: str, x: Any) -> bool:
        default = self.defaults.get(key, inspect.Parameter.empty)
        return x is default or (type(x) is type(default) and isinstance(x, (bool, int, float, str)) and x == default)


RENAMED = {"newshape": "shape"}
"""Arguments that NumPy renamed after version 2.0: old name, new name."""

REFUSED = {
    "out": "the result is a new variable; assign it",
    "casting": "results are float32 or float64, as NumPy's promotion gives them",
    "order": "variables have no memory layout",
    "subok": "results are Tensors",
    "where": "choose with numpy.where before or after",
    "like": "results are Tensors",
}
"""For each argument that is refused, why, or what to do instead."""


def means(*functions: Any) -> Callable[[Function], Function]:
    """Enter a meaning in the table, for one NumPy function or for several equal ones."""

    def enter(meaning: Function) -> Function:
        for function in functions:
            TABLE[function] = Meaning(function, meaning)
        return meaning

    return enter


def later(names: str, module: Any = np) -> list[Any]:
    """NumPy's functions with these names. Names that this version of NumPy lacks are left out."""
    return [getattr(module, name) for name in names.split() if hasattr(module, name)]


def plain(x: Any) -> Any:
    """Replace variables by their arrays, in lists, tuples and dictionaries too."""
    if isinstance(x, (list, tuple)):
        items = [plain(item) for item in x]
        return tuple(items) if isinstance(x, tuple) else items
    if isinstance(x, dict):
        return {key: plain(item) for key, item in x.items()}
    return ops.detach(x)


def answers(functions: Iterable[Any]) -> None:
    """Enter functions as questions: they take and return plain arrays."""
    for function in functions:
        TABLE[function] = _question(function)


def _question(function: Any) -> Callable[[Sequence[Any], dict[str, Any]], Any]:
    return lambda args, kwargs: function(*plain(args), **plain(kwargs))


def refuse(functions: Iterable[Any], remedy: str) -> None:
    """Enter functions as refused, with the remedy."""
    for function in functions:
        REMEDIES[function] = remedy


def in_dtype(x: Any, dtype: Any, name: str) -> Any:
    """`x` converted to a dtype; TypeError unless it is float32 or float64."""
    if dtype is None:
        return x
    if np.dtype(dtype) not in FLOATS:
        raise TypeError(f"numpy.{name} of a Tensor does not take dtype={np.dtype(dtype)}: float32 or float64 only")
    return ops.astype(x, np.dtype(dtype))


def joined(x: Any) -> Any:
    """A list that holds variables, stacked into one variable; other lists as arrays; anything else unchanged."""
    if isinstance(x, (list, tuple)):
        items = [joined(item) for item in x]
        if any(isinstance(item, Traced) for item in items):
            return ops.stack(items)
        return np.asarray(items)
    return x
