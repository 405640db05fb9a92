"""Layout: in which order and shape the siblings of a group lie, so that their operands need no gathering."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[np.intp]]

DENSE = 0.5  # how much of a box has to be members for the box to be computed whole


class Arrangement(NamedTuple):
    """A grid of members, -1 where it has none, and for the operands that gave it its shape their places all over it."""

    grid: Array
    places: dict[int, Array]


def box(shape: tuple[int, ...], places: Array) -> tuple[Array, Array] | None:
    """Members at distinct places of an array as a grid: for each place of the smallest box around them the member.

    -1 stands where no member is; None if that would be more than half of the box. The second array is the places
    themselves.

    >>> box((4, 4), np.array([4, 5, 8, 9]))[0]
    array([[0, 1],
           [2, 3]])
    """
    if not shape:
        return (np.zeros((), dtype=np.intp),) * 2 if len(places) == 1 else None
    axes = [np.unique(c, return_inverse=True) for c in np.unravel_index(places, shape)]
    size = tuple(len(values) for values, _ in axes)
    if len(places) < DENSE * math.prod(size):
        return None
    grid = np.full(size, -1, dtype=np.intp)
    grid[tuple(inverse for _, inverse in axes)] = np.arange(len(places))
    whole = np.ravel_multi_index(np.ix_(*[values for values, _ in axes]), shape)
    kept = [n for n in size if n > 1]
    return grid.reshape(kept), np.asarray(whole, dtype=np.intp).reshape(kept)


def arrange(operands: Sequence[tuple[tuple[int, ...], Array] | None], count: int) -> Arrangement:
    """A grid of the members of a group, after where their operands lie.

    Args:
        operands: for each operand the shape of the array that it lies in and the members' places there; None where
            it lies in several, or nowhere yet.
        count: how many members.

    The first operand that is another one for each member gives its own order and shape; else two operands whose
    combinations the members are give a product of theirs; else the members are in a row.

    >>> arrange([((4,), np.array([3, 2, 1, 0]))], 4).grid
    array([3, 2, 1, 0])
    >>> arrange([((2,), np.array([0, 0, 1, 1])), ((2,), np.array([0, 1, 0, 1]))], 4).grid
    array([[0, 1],
           [2, 3]])
    """
    known = [(i, *x, np.unique(x[1])) for i, x in enumerate(operands) if x is not None]
    for i, shape, places, distinct in known:
        if len(distinct) == count and (found := box(shape, places)) is not None:
            return Arrangement(found[0], {i: found[1]})
    for (i, a_shape, a, firsts), (j, b_shape, b, seconds) in combinations(known, 2):
        n, m = len(firsts), len(seconds)
        if min(n, m) < 2 or count < DENSE * n * m:
            continue
        first, second = box(a_shape, firsts), box(b_shape, seconds)
        if first is None or second is None or (first[0] < 0).any() or (second[0] < 0).any():
            continue
        cells = np.full((n, m), -1, dtype=np.intp)
        cells[np.searchsorted(firsts, a), np.searchsorted(seconds, b)] = np.arange(count)
        if (cells >= 0).sum() == count:
            return _spread(cells, i, first, j, second)
    for _, _, places, distinct in known:
        if len(distinct) == count:
            return Arrangement(np.argsort(places, kind="stable"), {})
    return Arrangement(np.arange(count) if count > 1 else np.zeros((), dtype=np.intp), {})


def _spread(cells: Array, i: int, first: tuple[Array, Array], j: int, second: tuple[Array, Array]) -> Arrangement:
    """Combinations of two operands, each with axes of its own."""
    a, b = first[0], second[0]
    shape = a.shape + b.shape
    grid = cells[a.reshape(-1)[:, None], b.reshape(-1)].reshape(shape)
    outer = first[1].reshape(a.shape + (1,) * b.ndim)
    return Arrangement(grid, {i: np.broadcast_to(outer, shape), j: np.broadcast_to(second[1], shape)})


def arrange_sums(shape: tuple[int, ...], sums: Sequence[Array]) -> tuple[Array, Array] | None:
    """Sums over places of one array as sums over some of its axes.

    Returns a grid of the sums, and the places, with the axes of the grid and then those to sum over (-1 where
    nothing is to be added); None if the sums do not run over axes.

    >>> grid, places = arrange_sums((2, 3), [np.array([0, 1, 2]), np.array([3, 4, 5])])
    >>> grid.tolist(), places.tolist()
    ([0, 1], [[0, 1, 2], [3, 4, 5]])
    """
    owner = np.repeat(np.arange(len(sums)), [len(s) for s in sums])
    places = np.concatenate(sums)
    if not shape or len(np.unique(places)) < len(places):
        return None
    starts = np.concatenate([[0], np.cumsum([len(s) for s in sums])[:-1]])
    coordinates = np.unravel_index(places, shape)
    kept = [bool((c == c[starts][owner]).all()) for c in coordinates]
    values = [np.unique(c, return_inverse=True) for c in coordinates]
    order = [i for i, k in enumerate(kept) if k] + [i for i, k in enumerate(kept) if not k]
    sizes = [len(values[i][0]) for i in order]
    n_kept = sum(kept)
    if math.prod(sizes[:n_kept]) != len(sums) or len(places) < DENSE * math.prod(sizes):
        return None
    at = tuple(values[i][1] for i in order)
    grid = np.full(sizes[:n_kept], -1, dtype=np.intp)
    grid[at[:n_kept] or ...] = owner if n_kept else 0
    if (grid < 0).any():
        return None
    cells = np.full(sizes, -1, dtype=np.intp)
    cells[at] = places
    reduced = [n for n in sizes[n_kept:] if n > 1]
    outer = [n for n in sizes[:n_kept] if n > 1]
    return grid.reshape(outer), cells.reshape(outer + (reduced or [1]))
