"""Saved arrays cannot change unnoticed.

Backward reads arrays that forward read: had they changed in between, the gradient would be wrong without a word.
So an array that a recorded operation will read again is made read-only until that graph has run backward or is gone:
writing to it raises at the line that writes. A leaf's own array can still be had through ``tensor.data`` and be
written to (an update by hand); the graph that needed the old numbers then refuses to run backward.

Results of operations are read-only from birth and need no guard; neither do arrays that nobody can write to, nor a
leaf's own array before somebody has asked for it.

The limit: NumPy cannot tell who else looks at the same memory, so a view that was made before, and is not itself
part of the graph, stays writable.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

_guards: dict[int, Guard] = {}


class Guard:
    """Keeps one block of memory, and the views of it that were saved, unchanged while an operation waits to read it."""

    views: dict[int, weakref.ref[np.ndarray]] | None = None
    most = 16  # how many views, before those that are gone are forgotten
    changed = False
    snapshot: np.ndarray | None = None
    frozen = False
    waiting = 0  # how many operations have yet to read it
    holders = 0  # how many have saved it at all

    def __init__(self, root: np.ndarray) -> None:
        self.root = root

    def freeze(self, array: np.ndarray) -> None:
        """Make the memory read-only, as seen from its owner and from this view of it."""
        if not self.frozen:
            self.frozen = True
            self._set_writeable(False)
        if array is not self.root:
            array.setflags(write=False)
            if self.views is None:
                self.views = {}
            self.views[id(array)] = weakref.ref(array)
            if len(self.views) > self.most:
                self.views = {key: ref for key, ref in self.views.items() if ref() is not None}
                self.most = 16 + 2 * len(self.views)

    def _set_writeable(self, writeable: bool) -> None:
        self.root.setflags(write=writeable)  # the owner first: views may be writable only if it is
        for ref in self.views.values() if self.views else ():
            if (view := ref()) is not None:
                view.setflags(write=writeable)

    def thaw(self) -> None:
        """Allow writing again, unless a newer guard holds the same memory."""
        if self.frozen and _guards.get(id(self.root)) is self:
            self.frozen = False
            self._set_writeable(True)

    def expose(self) -> None:
        """Allow writing because somebody asked for the array; a copy tells later whether they did write."""
        if self.snapshot is None:
            self.snapshot = self.root.copy()
        self.thaw()

    def intact(self) -> bool:
        """Whether the memory still holds what it held when it was saved."""
        if not self.changed and self.snapshot is not None:
            self.changed = not np.array_equal(self.snapshot, self.root, equal_nan=True)
            if not self.changed and not self.frozen:
                self.snapshot = None
        return not self.changed


class Saved:
    """The guards of what one operation saved: they wait until its backward step has read it, or until it is gone.

    >>> x = np.ones(3)
    >>> saved = save([x])
    >>> x[0] = 5.0
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    >>> saved.release()
    >>> x[0] = 5.0
    """

    __slots__ = ("guards", "leaves", "waiting")

    def __init__(self, guards: list[Guard], leaves: list[tuple[Any, int]]) -> None:
        self.guards = guards
        self.leaves = leaves
        self.waiting = True

    def release(self) -> None:
        """It has been read: memory that nobody else waits for may be written to."""
        if self.waiting:
            self.waiting = False
            for held in self.guards:
                held.waiting -= 1
                if held.waiting <= 0:
                    held.thaw()
            for leaf, _ in self.leaves:
                leaf._waiting -= 1
                if leaf._waiting <= 0:
                    leaf._before = None

    def changed(self) -> np.ndarray | None:
        """The first array that no longer holds what it held when it was saved."""
        for leaf, version in self.leaves:
            if leaf._version != version:
                return leaf._data  # type: ignore[no-any-return]
            if leaf._before is not None and not np.array_equal(leaf._before, leaf._data, equal_nan=True):
                return leaf._data  # type: ignore[no-any-return]
        for held in self.guards:
            if not held.intact():
                return held.root
        return None

    def __del__(self) -> None:
        if self.waiting:
            self.release()
        for held in self.guards:
            held.holders -= 1
            if held.holders <= 0:
                held.thaw()
                if _guards.get(id(held.root)) is held:
                    del _guards[id(held.root)]


def save(operands: Sequence[Any]) -> Saved | None:
    """Keep operands unchanged until they have been read; None if nobody can change any of them.

    An operand is a constant array, or a Tensor. A leaf whose array nobody has asked for (`tensor.data`) needs no
    guard: only the leaf itself can change it, and counts how often it did.
    """
    guards, leaves = [], []
    for x in operands:
        if isinstance(x, np.ndarray):
            array = x
        elif x._op is not None:
            array = x._data
            if array.base is None:  # read-only from birth, and nobody else's memory
                continue
        elif x._exposed:
            array = x._data
        else:
            x._waiting += 1
            leaves.append((x, x._version))
            continue
        held = _guard(array)
        if held is not None:
            held.waiting += 1
            held.holders += 1
            guards.append(held)
    return Saved(guards, leaves) if guards or leaves else None


def _guard(array: np.ndarray) -> Guard | None:
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
