"""Where the numbers of an array lie: axes made of atoms, each a length and a stride.

An axis may have several atoms: the axis that a reshape made of two others has the atoms of both. So every reshape,
transpose, slice and broadcast is arithmetic on atoms, and copies nothing. Loops over several arrays at once run over
the common refinement of their atoms.

>>> rows = contiguous((3, 4))
>>> rows
((Atom(size=3, stride=4),), (Atom(size=4, stride=1),))
>>> grouped([atom for axis in rows[::-1] for atom in axis], (2, 6))
((Atom(size=2, stride=2),), (Atom(size=2, stride=1), Atom(size=3, stride=4)))

The length of the batch is a symbol. Strides are numbers: an array has room for one tile of samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd.vectorizing.sizes import NotLowerable, divided


class Atom(NamedTuple):
    """A loop over numbers that lie a stride apart."""

    size: Any
    stride: Any


Axis = tuple[Atom, ...]
Axes = tuple[Axis, ...]


class Unaligned(Exception):
    """Numbers that lie in an order which no loops over atoms follow: they have to be copied first."""


class Loop(NamedTuple):
    """A loop over several arrays at once: its length, and the stride in each of them."""

    size: Any
    strides: tuple[Any, ...]


def contiguous(shape: Sequence[Any]) -> Axes:
    """The axes of an array whose numbers lie in the order of its index. A first length may be that of the batch."""
    axes: list[Axis] = []
    stride: Any = 1
    for n in reversed(shape):
        axes.append(() if is_one(n) else (Atom(n, stride),))
        stride = stride * n
    return tuple(reversed(axes))


def is_one(n: Any) -> bool:
    """Whether a length is known to be 1."""
    return isinstance(n, int) and n == 1


def quotient(n: Any, m: Any) -> Any:
    """The quotient, if it has no remainder for any length; else None.

    >>> quotient(12, 4), quotient(12, 5)
    (3, None)
    """
    if isinstance(n, int) and isinstance(m, int):
        return n // m if m and n % m == 0 else None
    try:
        found, rest = divided(n, m)
    except NotLowerable:
        return None
    return found if isinstance(rest, int) and rest == 0 else None


def merged(atoms: Iterable[Atom]) -> list[Atom]:
    """The same places with as few atoms as possible.

    >>> merged([Atom(3, 8), Atom(1, 5), Atom(4, 2), Atom(2, 1)])
    [Atom(size=24, stride=1)]
    """
    out: list[Atom] = []
    for atom in atoms:
        if is_one(atom.size):
            continue
        if out and out[-1].stride == atom.size * atom.stride:
            out[-1] = Atom(out[-1].size * atom.size, atom.stride)
        else:
            out.append(atom)
    return out


def grouped(atoms: Iterable[Atom], shape: Sequence[Any]) -> Axes:
    """Atoms as the axes of a shape: what a reshape does. Unaligned, if an axis would end inside of an atom."""
    left = merged(atoms)
    axes: list[Axis] = []
    for need in reversed(shape):
        axis: list[Atom] = []
        while not is_one(need):
            if not left:
                raise Unaligned
            atom = left.pop()
            if (rest := quotient(need, atom.size)) is not None:
                axis.append(atom)
                need = rest
            elif isinstance(need, int) and (rest := quotient(atom.size, need)) is not None:
                axis.append(Atom(need, atom.stride))
                left.append(Atom(rest, atom.stride * need))
                need = 1
            else:
                raise Unaligned
        axes.append(tuple(reversed(axis)))
    return tuple(reversed(axes))


def sliced(axis: Axis, start: int, count: Any, step: int) -> tuple[int, Axis]:
    """A part of an axis: how far its start moves, and its atoms."""
    atoms = merged(axis)
    if not atoms:
        return 0, () if is_one(count) else (Atom(count, 0),)
    if len(atoms) > 1:
        raise Unaligned
    stride = atoms[0].stride
    return start * stride, () if is_one(count) else (Atom(count, step * stride),)


def refined(axes: Sequence[Axis]) -> list[Loop]:
    """Loops over one axis that several arrays share, whatever atoms it has in each of them.

    >>> refined([(Atom(6, 1),), (Atom(2, 1), Atom(3, 2)), (Atom(6, 0),)])
    [Loop(size=2, strides=(3, 1, 0)), Loop(size=3, strides=(1, 2, 0))]
    """
    stacks = [[atom for atom in axis if not is_one(atom.size)] for axis in axes]
    loops: list[Loop] = []
    while any(stacks):
        if not all(stacks):
            raise Unaligned
        ends = [stack.pop() for stack in stacks]
        size = next((e.size for e in ends if all(quotient(o.size, e.size) is not None for o in ends)), None)
        if size is None:
            raise Unaligned
        loops.append(Loop(size, tuple(e.stride for e in ends)))
        for stack, e in zip(stacks, ends, strict=True):
            if not is_one(rest := quotient(e.size, size)):
                stack.append(Atom(rest, e.stride * size))
    return loops[::-1]


def nested(loops: Iterable[Loop]) -> list[Loop]:
    """The same loops with neighbours merged where one loop does for both.

    >>> nested([Loop(3, (4, 0)), Loop(4, (1, 0))])
    [Loop(size=12, strides=(1, 0))]
    """
    out: list[Loop] = []
    for loop in loops:
        if out and all(a == loop.size * b for a, b in zip(out[-1].strides, loop.strides, strict=True)):
            out[-1] = Loop(out[-1].size * loop.size, loop.strides)
        elif not is_one(loop.size):
            out.append(loop)
    return out
