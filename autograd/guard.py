"""Saved arrays cannot change unnoticed.

Backward reads arrays that forward read: had they changed in between, the gradient would be wrong without a word.
So an array that a recorded operation will read again is made read-only until that graph has run backward or is gone:
writing to it raises at the line that writes. A leaf's own array can still be had through ``tensor.data`` and be
written to (an update by hand); the graph that needed the old numbers then refuses to run backward.

Results of operations are read-only from birth and need no guard; neither do arrays that nobody can write to.

The limit: NumPy cannot tell who else looks at the same memory, so a view that was made before, and is not itself
part of the graph, stays writable.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

_guards: weakref.WeakValueDictionary[int, Guard] = weakref.WeakValueDictionary()


class Guard:
    """Keeps one block of memory, and the views of it that were saved, unchanged while a graph refers to it."""

    __slots__ = ("__weakref__", "arrays", "changed", "frozen", "key", "snapshot")

    def __init__(self, root: np.ndarray) -> None:
        self.key = id(root)
        self.arrays = [root]
        self.changed = False
        self.snapshot: np.ndarray | None = None
        self.frozen = False

    def freeze(self, array: np.ndarray) -> None:
        """Make the memory read-only, as seen from its owner and from this view of it."""
        if not any(array is known for known in self.arrays):
            self.arrays.append(array)
        for x in self.arrays:
            x.setflags(write=False)
        self.frozen = True

    def thaw(self) -> None:
        """Allow writing again."""
        if self.frozen:
            self.frozen = False
            for x in self.arrays:  # the owner comes first: views may be writable only if it is
                x.setflags(write=True)

    def expose(self) -> None:
        """Allow writing because somebody asked for the array; a copy tells later whether they did write."""
        if self.snapshot is None:
            self.snapshot = self.arrays[0].copy()
        self.thaw()

    def intact(self) -> bool:
        """Whether the memory still holds what it held when it was saved."""
        if not self.changed and self.snapshot is not None:
            self.changed = not np.array_equal(self.snapshot, self.arrays[0], equal_nan=True)
            if not self.changed and not self.frozen:
                self.snapshot = None
        return not self.changed

    def __del__(self) -> None:
        if _guards.get(self.key) in (None, self):  # else a newer guard holds the same memory
            self.thaw()


def guard(array: Any) -> Guard | None:
    """Keep an array unchanged for as long as the result is referred to; None if nobody can write to it.

    >>> x = np.ones(3)
    >>> held = guard(x)
    >>> x[0] = 5.0
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    >>> del held
    >>> x[0] = 5.0
    """
    if not isinstance(array, np.ndarray):
        return None
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    held = _guards.get(id(root))
    if held is None:
        if not root.flags.writeable and not array.flags.writeable:
            return None
    elif held.intact():
        held.freeze(array)
        return held
    held = _guards[id(root)] = Guard(root)
    held.freeze(array)
    return held


def find(array: np.ndarray) -> Guard | None:
    """The guard of an array's memory, if a living graph has saved it."""
    return _guards.get(id(array))
