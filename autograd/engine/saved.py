"""Saved arrays cannot change unnoticed.

Backward reads arrays that forward read. If one of them changed in between, the gradient would be wrong without a word.
So each block of memory that a recorded operation will read again has a `Memory`, with a version number that counts its
changes. An operation remembers the version that it read; backward refuses to run where it is another one now.

Most changes are prevented rather than counted. The memory is made read-only until the graphs that saved it have run
backward or are gone: writing to it raises at the line that writes. A leaf's own array can still be had through
``tensor.data`` and be written to, which is an update by hand. Then a copy is kept, which tells later whether it was
written to. A constant array may be written to once backward has run. Then a copy is kept, too, since backward may run a
second time through the same graph. Results of operations are read-only from birth. They need no `Memory`, and neither
does any other array that nobody can write to.

The limits: NumPy cannot tell who else looks at the same memory. A view that was made before, and is not itself part of
the graph, stays writable. And no copy is kept of memory that is larger than `KEPT`, since that would take as long as
the operations do. A second backward reads a constant of that size as it is then.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

KEPT = 1 << 18
"""The most bytes of memory with a constant in it of which a copy is kept after backward."""
_memories: dict[int, Memory] = {}
"""The memory that living graphs have saved, by the id of the array that owns it."""


class Memory:
    """A block of memory that operations have saved: `root` is the array that owns it."""

    __slots__ = ("constant", "foreign", "frozen", "room", "root", "saved", "snapshot", "version", "views", "waiting")

    def __init__(self, root: np.ndarray, constant: bool) -> None:
        self.root = root
        self.constant = constant  # an array of the program's own: it may write to it as soon as backward has run
        self.version = 0
        self.saved = 0  # how many operations have saved it, and still live
        self.waiting = 0  # how many of them have yet to read the version that it has now
        self.frozen = False
        self.snapshot: np.ndarray | None = None  # what it held when it was last known, where it could be written to
        self.views: dict[int, weakref.ref[np.ndarray]] | None = None  # other arrays of it that have been saved
        self.room = 16  # how many of them, before those that are gone are forgotten
        self.foreign = root.base is not None and not _thaws(root)

    def save(self, array: np.ndarray) -> int:
        """Keep the memory as it is, as seen from this array and from its owner; the version that it has."""
        version = self.version if self.snapshot is None else self.now()
        self.saved += 1
        self.waiting += 1
        if self.foreign:  # NumPy could not make it writable again
            if self.snapshot is None:
                self.snapshot = self.root.copy()
            return version
        self.snapshot = None
        if not self.frozen:
            self.frozen = True
            self._set_writeable(False)
        if array is not self.root:
            array.setflags(write=False)
            if self.views is None:
                self.views = {}
            self.views[id(array)] = weakref.ref(array)
            if len(self.views) > self.room:
                self.views = {key: ref for key, ref in self.views.items() if ref() is not None}
                self.room = 16 + 2 * len(self.views)
        return version

    def now(self) -> int:
        """The version that the memory has, changes included that were made since it could be written to."""
        if self.snapshot is not None and not np.array_equal(self.snapshot, self.root, equal_nan=True):
            self.change()
        return self.version

    def change(self) -> None:
        """Count a change. What was saved before can no longer be read, so nobody waits for it."""
        self.version += 1
        self.waiting = 0
        self.snapshot = None
        self._thaw()

    def expose(self) -> None:
        """Allow writing, since somebody asked for the array."""
        if self.snapshot is None:
            self.snapshot = self.root.copy()
        self._thaw()

    def release(self, version: int, again: bool) -> None:
        """An operation has read it, or is gone. Memory that no other waits for may be written to.

        With `again`, the operation may read it once more: backward may run twice. Then a copy of a constant is kept.
        """
        if version == self.version:
            self.waiting -= 1
            if self.waiting <= 0:
                if again and self.constant and self.frozen and self.root.nbytes <= KEPT:
                    self.expose()
                else:
                    self._thaw()

    def forget(self) -> None:
        """An operation that has saved it is gone."""
        self.saved -= 1
        if not self.saved:
            self._thaw()
            del _memories[id(self.root)]

    def _thaw(self) -> None:
        if self.frozen:
            self.frozen = False
            self._set_writeable(True)

    def _set_writeable(self, writeable: bool) -> None:
        self.root.setflags(write=writeable)  # the owner first: views may be writable only if it is
        for ref in self.views.values() if self.views else ():
            if (view := ref()) is not None:
                view.setflags(write=writeable)


class Saved:
    """What one operation has saved: each block of memory, and the version that it had.

    >>> x = np.ones(3)
    >>> saved = save([x])
    >>> x[0] = 5.0
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    >>> saved.release()
    >>> x[0] = 5.0
    """

    __slots__ = ("versions", "waiting")

    def __init__(self, versions: list[tuple[Memory, int]]) -> None:
        self.versions = versions
        self.waiting = True

    def changed(self) -> np.ndarray | None:
        """The first array that does not hold any more what the operation read; None if all of them do."""
        for memory, version in self.versions:
            if memory.now() != version:
                return memory.root
        return None

    def release(self, again: bool = True) -> None:
        """Backward has read it, and may do so again."""
        if self.waiting:
            self.waiting = False
            for memory, version in self.versions:
                memory.release(version, again)

    def __del__(self) -> None:
        if self.waiting:
            self.release(again=False)
        for memory, _ in self.versions:
            memory.forget()


def save(operands: Sequence[Any]) -> Saved | None:
    """Keep operands (numbers, arrays, Tensors) as they are until they have been read; None if nobody can change any."""
    versions = []
    for x in operands:
        if isinstance(x, (float, int)):
            continue
        array, replaceable = (x, False) if isinstance(x, np.ndarray) else (x._raw, x.op is None)
        if array.flags.writeable or array.base is not None or replaceable or id(array) in _memories:
            memory = _memory(array, replaceable)
            if memory is not None:
                versions.append((memory, memory.save(array)))
    return Saved(versions) if versions else None


def memory_of(array: np.ndarray) -> Memory | None:
    """The memory of an array that owns it, if living graphs have saved it."""
    return _memories.get(id(array))


def fixed(array: np.ndarray) -> bool:
    """Whether nobody can write to an array, and no graph will change that."""
    return not array.flags.writeable and array.base is None and id(array) not in _memories


def _memory(array: np.ndarray, replaceable: bool) -> Memory | None:
    """The memory behind an array, through all views; None where nobody can write to it or put another in its place."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    found = _memories.get(id(root))
    if found is None and (replaceable or root.flags.writeable or array.flags.writeable):
        found = _memories[id(root)] = Memory(root, not replaceable)
    return found


def _thaws(array: np.ndarray) -> bool:
    """Whether NumPy would make memory that is not its own writable again: it asks the owner for a buffer."""
    try:
        return not memoryview(array.base).readonly  # type: ignore[arg-type]
    except TypeError:
        return False
