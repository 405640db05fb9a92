"""Names that other libraries' objects have, and ours do not: what is said to who looks for them.

They are descriptors that raise, one a name. A `__getattr__` would say the same, and slow every attribute down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


class Elsewhere:
    """A name that is no attribute, but is known elsewhere: AttributeError that says what to write instead.

    An attribute of this name that an object or a subclass has goes before it; `hasattr` says no.
    """

    def __init__(self, name: str, hint: str) -> None:
        self.name, self.hint = name, hint

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        text = f"{owner.__name__!r} object has no attribute {self.name!r}: {self.hint}"
        raise AttributeError(text, name=self.name, obj=instance)


def elsewhere(cls: type, hints: Mapping[str, str]) -> None:
    """Have a class answer with these hints to those who look for these names.

    >>> class Box: ...
    >>> elsewhere(Box, {"numpy": "write box.data"})
    >>> Box().numpy
    Traceback (most recent call last):
    AttributeError: 'Box' object has no attribute 'numpy': write box.data
    >>> hasattr(Box(), "numpy")
    False
    """
    for name, hint in hints.items():
        setattr(cls, name, Elsewhere(name, hint))


def present(instance: Any, names: list[str]) -> list[str]:
    """The names of an object's attributes without those that are elsewhere: for ``__dir__``."""
    hidden = {name for kind in type(instance).__mro__ for name, x in vars(kind).items() if isinstance(x, Elsewhere)}
    return [name for name in names if name not in hidden or hasattr(instance, name)]


OF_TENSORS = {
    "clone": "tensor.data.copy() has its numbers, tensor + 0.0 is a copy in the graph",
    "cpu": "arrays are in memory, there is no device to choose",
    "cuda": "arrays are in memory, there is no device to choose",
    "double": "write tensor.astype(numpy.float64)",
    "float": "write tensor.astype(numpy.float32)",
    "mm": "write a @ b",
    "numpy": "tensor.data is its array",
    "permute": "write tensor.transpose(...)",
    "to": "write tensor.astype(dtype); arrays are in memory, there is no device to choose",
    "unsqueeze": "write numpy.expand_dims(tensor, axis)",
    "view": "write tensor.reshape(...)",
}
"""What other libraries' tensors have, and what to write here instead."""
