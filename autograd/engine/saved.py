"""Saved arrays cannot change unnoticed.

Backward reads arrays that forward read: had they changed in between, the gradient would be wrong without a word.
So an array that a recorded operation will read again is made read-only until that graph has run backward or is gone:
writing to it raises at the line that writes. A leaf's own array can still be had through ``tensor.data`` and be
written to (an update by hand); the graph that needed the old numbers then refuses to run backward.

Results of operations are read-only from birth and need no guard; neither do arrays that nobody can write to, nor a
leaf's own array before somebody has asked for it: only the leaf itself can replace its numbers then. Each time that
this happens, and each operation that is recorded, gets the next `tick`, by which they can tell who came first.

The limit: NumPy cannot tell who else looks at the same memory, so a view that was made before, and is not itself
part of the graph, stays writable.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

_guards: dict[int, Guard] = {}

find = _guards.get
"""The guard of the array with this id, if a living graph has saved its memory."""

tick = itertools.count(1).__next__
"""The next number, at which something happens."""


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
        self.foreign = root.base is not None and not _thaws(root)

    def freeze(self, array: np.ndarray) -> None:
        """Make the memory read-only, as seen from its owner and from this view of it.

        Memory of another library's (a tensor of PyTorch's, say) could not be made writable again: a copy tells later
        whether it has changed.
        """
        if self.foreign:
            if self.snapshot is None:
                self.snapshot = self.root.copy()
            return
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
            if not self.changed and not self.frozen and not self.foreign:
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

    __slots__ = ("guards", "waiting")

    def __init__(self, guards: list[Guard]) -> None:
        self.guards = guards
        self.waiting = True
        for held in guards:
            held.waiting += 1
            held.holders += 1

    def release(self) -> None:
        """It has been read: memory that nobody else waits for may be written to."""
        if self.waiting:
            self.waiting = False
            for held in self.guards:
                held.waiting -= 1
                if held.waiting <= 0:
                    held.thaw()

    def changed(self) -> np.ndarray | None:
        """The first array that no longer holds what it held when it was saved."""
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
                if held.frozen:
                    held.thaw()
                if _guards.get(id(held.root)) is held:
                    del _guards[id(held.root)]


def save(operands: Sequence[Any]) -> Saved | None:
    """Keep operands, constant arrays or Tensors, unchanged until they have been read; None if nobody can change any."""
    guards = []
    for x in operands:
        if isinstance(x, np.ndarray):
            held = _guard(x)
        elif shared(x):
            held = _guard(x._primal)
        else:
            continue
        if held is not None:
            guards.append(held)
    return Saved(guards) if guards else None


def shared(x: Any) -> bool:
    """Whether somebody may have a Tensor's array in a form that can be written to."""
    if x._kind is None:
        return bool(x._exposed)
    return x._primal.base is not None  # else it is read-only from birth, and nobody else's memory


def fixed(array: np.ndarray) -> bool:
    """Whether nobody can write to an array, and no graph's guard will change that."""
    return not array.flags.writeable and array.base is None and id(array) not in _guards


def rewritten(leaf: Any, since: int) -> np.ndarray | None:
    """The array of a leaf, if it does not hold what it held at that tick."""
    array: np.ndarray = leaf._primal
    if leaf._version > since:
        return array
    if leaf._exposed > since and leaf._before is not None and not np.array_equal(leaf._before, array, equal_nan=True):
        return array
    return None


def _thaws(array: np.ndarray) -> bool:
    """Whether NumPy would make memory that is not its own writable again: it asks who owns it for a buffer."""
    try:
        return not memoryview(array.base).readonly  # type: ignore[arg-type]
    except TypeError:
        return False


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
