"""Find activations, losses, optimisers and initialisers by name.

Each kind has one registry: a function, in the module of that kind, that lists its contents. Names are compared without
case and underscores: ``"LeakyReLU"`` and ``"leaky_relu"`` are equal.
"""

import difflib
import operator
from collections.abc import Mapping, Sequence
from functools import partial
from inspect import CO_VARARGS
from types import FunctionType
from typing import Any, TypeVar

from autograd.engine.elsewhere import elsewhere as elsewhere
from autograd.engine.elsewhere import present as present

Thing = TypeVar("Thing")


def named(kind: str, name: str, registry: Mapping[str, Thing], others: str = "", shown: Sequence[str] = ()) -> Thing:
    """The entry with this name. If there is none, the ValueError lists the names and suggests a similar one.

    `shown` are the names to list if there are too many. `others` is added to the message.

    >>> named("number", "One", {"one": 1, "two": 2})
    1
    >>> named("number", "tow", {"one": 1, "two": 2})
    Traceback (most recent call last):
    ValueError: no number is called 'tow': did you mean 'two'? There are one, two
    """
    known = {_plain(key): key for key in registry}
    if _plain(name) in known:
        return registry[known[_plain(name)]]
    begun = [key for key in known if len(_plain(name)) > 1 and key.startswith(_plain(name))]
    close = difflib.get_close_matches(_plain(name), known, 1, 0.5) or begun
    guess = f": did you mean {known[close[0]]!r}?" if close else "."
    raise ValueError(f"no {kind} is called {name!r}{guess} There are {', '.join(shown or registry)}{others}")


def is_factory(x: Any) -> bool:
    """True if calling `x` without arguments makes a layer: it is a class, or a function without parameters.

    >>> is_factory(dict), is_factory(lambda: 1), is_factory(lambda x: x)
    (True, True, False)
    """
    if isinstance(x, type):
        return True
    if isinstance(x, partial):
        return isinstance(x.func, type)
    return isinstance(x, FunctionType) and not x.__code__.co_argcount and not x.__code__.co_flags & CO_VARARGS


def whole(what: str, x: Any, hint: str = "") -> int:
    """A whole number, 1 or more. For anything else, the TypeError or ValueError contains `what`.

    >>> whole("inputs", 2.5)
    Traceback (most recent call last):
    TypeError: the number of inputs is a whole number, not float 2.5
    """
    try:
        n = operator.index(x)
    except TypeError:
        raise TypeError(f"the number of {what} is a whole number, not {type(x).__name__} {x!r:.60}{hint}") from None
    if n < 1:
        raise ValueError(f"the number of {what} is 1 or more, not {n}")
    return n


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
