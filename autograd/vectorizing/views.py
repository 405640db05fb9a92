"""Elements of an array at given places, as operations on it: slices where the places allow it, a gather elsewhere.

>>> from autograd.vectorizing.array_program import BATCH
>>> from autograd.vectorizing.row_text import RowText
>>> from autograd.vectorizing.simpler import simplified
>>> from autograd.vectorizing.tree import Trees
>>> trees = Trees(simplified)
>>> h = trees.leaf("h", (BATCH, 5, 48), float)
>>> heads = np.arange(5)[:, None] * 48 + 16 + np.arange(4)[:, None, None] * 4 + np.arange(4)
>>> RowText([h]).text(view(h, (5, 48), heads, batch=True, constant=trees.data))
'h[:, :, 16:32].reshape(-1, 5, 4, 4).transpose(0, 2, 1, 3)'

First the places are taken apart. They are a sum of profiles, one for each axis of the grid. Each profile is a number
whose digits are counters with a stride. Each digit belongs to one axis of the source. Then each axis of the source is
sliced and reshaped by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd import ops
from autograd.vectorizing.array_program import BATCH
from autograd.vectorizing.tree import Expression, made

Places = NDArray[np.intp]
Constant = Callable[[NDArray[Any]], Expression]

Digit = tuple[int, int]
"""How often it counts, and the stride."""

Entry = tuple[Any, tuple[int, ...]]
"""One part of an index (a slice, an integer, None or an array), and the lengths of the axes that it leaves."""

Stage = tuple[list[Entry], tuple[int, ...]]
"""An index of what was one axis of the source, and the shape that a reshape gives it afterwards."""

UNKNOWN = np.iinfo(np.intp).min
"""What a hole is in a profile, whose entries may be negative."""


def view(
    source: Expression, shape: tuple[int, ...], places: Places, *, batch: bool, constant: Constant, exact: bool = False
) -> Expression:
    """The elements of an array at some places.

    Args:
        source: the array. It has the shape `shape`, after the axis of the batch if there is one.
        shape: the shape without the batch.
        places: for every element of the result its place in `shape`, counted row by row; -1 where it does not matter.
        batch: whether an axis of unknown length comes first.
        constant: makes a node of an array of indices.
        exact: whether the result must have the shape of `places`; otherwise it broadcasts to that: axes along which
            the places do not change have length 1, and are missing in front if there is no batch.
    """
    grid = places.shape
    path = Path(source, batch)
    if is_identity(shape, places):
        return source
    if not places.size:  # there is nothing to find a pattern in
        return path.gather(constant, places).node
    kept = places if exact else collapse(places)
    final = kept.shape
    if not (exact or batch):
        final = final[next((k for k, n in enumerate(final) if n > 1), len(final)) :]
    wide = tuple(n for n in shape if n > 1)
    if grid and (wide != squeezed(kept.shape) or wide != shape) and is_identity((math.prod(shape),), kept.reshape(-1)):
        return path.reshape(final).node
    lean = kept.reshape(squeezed(kept.shape))
    candidates = list(decompositions(lean))
    for odd in (False, True):
        for axes in candidates:
            base = sum(int(axis.profile[0]) for axis in axes)
            for sizes in groupings(shape):
                plan = make_plan(sizes, base, axes, odd)
                if plan is not None and not (plan.repeat is not None and len(shape) < 2):
                    return plan.follow(path, final, constant).node
    return path.gather(constant, filled(kept).reshape(final)).node


def is_identity(shape: tuple[int, ...], places: Places) -> bool:
    """Whether the places are those of the whole array in its order; holes fit anywhere.

    >>> is_identity((2, 2), np.array([[0, 1], [-1, 3]])), is_identity((4,), np.array([[0, 1], [2, 3]]))
    (True, False)
    """
    if places.shape != shape:
        return False
    flat = places.reshape(-1)
    return bool(np.all((flat < 0) | (flat == np.arange(flat.size))))


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of length 1."""
    return tuple(n for n in shape if n != 1)


# ------------------------------------------------------------------------------------------------------------- holes


def collapse(places: Places) -> Places:
    """Axes along which nothing changes get length 1."""
    for axis, n in enumerate(places.shape):
        if n > 1:
            most: Places = np.max(places, axis, keepdims=True)  # holes are less than any place
            if np.all((places == most) | (places < 0)):
                places = most
    return places


def filled(places: Places) -> Places:
    """Every hole gets the entry before it in its row, or 0.

    >>> filled(np.array([[-1, 3, -1], [-1, -1, -1]]))
    array([[0, 3, 3],
           [0, 0, 0]])
    """
    rows = places.reshape(-1, places.shape[-1] if places.ndim else 1)
    if not np.any(rows < 0):
        return places
    before = np.maximum.accumulate(np.where(rows >= 0, np.arange(rows.shape[1]), 0), axis=1)
    return np.maximum(np.take_along_axis(rows, before, axis=1), 0).reshape(places.shape)


def carried(profile: Places) -> Places:
    """A profile with every unknown entry as the one before it; the first ones as the first that is known."""
    known = np.flatnonzero(profile != UNKNOWN)
    if not known.size:
        return np.zeros_like(profile)
    before = np.searchsorted(known, np.arange(len(profile)), side="right") - 1
    return profile[known[np.maximum(before, 0)]]


# ---------------------------------------------------------------------------------------------- taking places apart


class Axis(NamedTuple):
    """Adjacent axes of the grid, and what their indices add to the place, which no other axis has a say in."""

    shape: tuple[int, ...]
    profile: Places
    digits: tuple[Digit, ...] | None
    """The profile as counters, the slowest first: none if nothing changes, None if there is no such pattern."""


def decompositions(places: Places) -> Iterator[list[Axis]]:
    """Ways to write the places as a sum over axes: one if there are no holes, else such as differ at the holes."""
    known = places >= 0
    if known.all():
        yield [Axis(shape, profile, digits(profile)) for shape, profile in blocks(places)]
        return
    strides = affine(places, known)
    if strides is not None:
        first = np.argwhere(known)[0] if known.any() else np.zeros(places.ndim, int)
        base = max(int(places[tuple(first)]), 0) - int(np.dot(first, strides))
        profiles = [np.arange(n) * stride for n, stride in zip(places.shape, strides, strict=True)]
        if profiles:
            profiles[0] = profiles[0] + base
        parts = zip(places.shape, profiles, strides, strict=True)
        yield [Axis((n,), profile, ((n, stride),) if stride else ()) for n, profile, stride in parts]
    found = blocks(np.where(known, places, UNKNOWN))
    axes = []
    for shape, profile in found:
        pattern = digits(profile)
        axes.append(Axis(shape, carried(profile) if pattern is None else spelled(profile, pattern), pattern))
    yield axes
    yield [
        Axis(axis.shape, full := carried(profile), digits(full)) for axis, (_, profile) in zip(axes, found, strict=True)
    ]


def affine(places: Places, known: NDArray[np.bool_]) -> list[int] | None:
    """The stride of every axis, if each has only one; 0 where the holes leave it open."""
    strides: list[int] = []
    for axis, n in enumerate(places.shape):
        lines, marks = (np.moveaxis(x, axis, -1).reshape(-1, n) for x in (places, known))
        row = int(np.argmax(np.count_nonzero(marks, axis=1)))
        points: NDArray[Any] = np.flatnonzero(marks[row])
        strides.append(0)
        if len(points) > 1:
            stride, rest = divmod(int(lines[row, points[1]] - lines[row, points[0]]), int(points[1] - points[0]))
            if rest:
                return None
            strides[-1] = stride
    values = places[known] - np.argwhere(known) @ np.array(strides, np.intp)
    return strides if np.all(values == values[:1]) else None


def blocks(places: Places) -> list[tuple[tuple[int, ...], Places]]:
    """As few axes together as possible, each time with their profile: the places are the sum of the profiles.

    >>> blocks(np.array([[3, 4], [13, 14]]))
    [((2,), array([ 3, 13])), ((2,), array([0, 1]))]
    >>> blocks(np.array([[0, 1], [2, 0]]))
    [((2, 2), array([0, 1, 2, 0]))]
    """
    shape = places.shape
    for k in range(1, len(shape)):
        folded = fold(places.reshape(math.prod(shape[:k]), -1))
        if folded is not None:
            rows, columns = folded
            return [(shape[:k], rows), *blocks(columns.reshape(shape[k:]))]
    return [(shape, places.reshape(-1))]


def fold(matrix: Places) -> tuple[Places, Places] | None:
    """A matrix as a column plus a row, if it is that and the holes do not cut it in two."""
    known = matrix != UNKNOWN
    if known.all():
        rows, columns = matrix[:, 0], matrix[0] - matrix[0, 0]
        return (rows, columns) if np.array_equal(matrix, rows[:, None] + columns) else None
    rows, columns = np.full(matrix.shape[0], UNKNOWN), np.full(matrix.shape[1], UNKNOWN)
    fresh: Places = np.argmax(known.any(0), keepdims=True)
    columns[fresh] = 0
    while fresh.size:
        found = spread(matrix, known, columns, rows, fresh)
        fresh = spread(matrix.T, known.T, rows, columns, found)
    if np.any(known.any(1) & (rows == UNKNOWN)):
        return None
    return (rows, columns) if np.all(~known | (matrix == rows[:, None] + columns)) else None


def spread(matrix: Places, known: NDArray[np.bool_], columns: Places, rows: Places, fresh: Places) -> Places:
    """Rows that have an entry in one of the fresh columns become known, in place; returns which."""
    waiting = np.flatnonzero(rows == UNKNOWN)
    ready = known[np.ix_(waiting, fresh)]
    some = ready.any(1)
    waiting, k = waiting[some], fresh[np.argmax(ready[some], axis=1)] if fresh.size else fresh
    rows[waiting] = matrix[waiting, k] - columns[k]
    return waiting


def digits(profile: Places) -> tuple[Digit, ...] | None:
    """A profile as counters, the slowest first.

    >>> digits(np.array([7, 8, 9, 17, 18, 19])), digits(np.array([4, 2, 0])), digits(np.array([5, 5]))
    (((2, 10), (3, 1)), ((3, -2),), ())
    >>> digits(np.array([0, 1, 3])), digits(np.array([0, 0, 1, 1]))  # the latter repeats, which no slice does
    (None, None)
    """
    n = len(profile)
    known = np.flatnonzero(profile != UNKNOWN)
    if len(known) < 2:
        return ()
    stride, rest = divmod(int(profile[known[1]] - profile[known[0]]), int(known[1] - known[0]))
    fits = profile[known] == profile[known[0]] + (known - known[0]) * stride
    if not rest and fits.all():
        return ((n, stride),) if stride else ()
    # without holes, the first run is as long as the fastest digit
    lengths = [int(np.argmin(fits))] if len(known) == n else divisors(n)
    for m in lengths:
        if n % m or not (folded := fold(profile.reshape(-1, m))):
            continue
        outer, inner = (digits(part) for part in folded)
        if outer and inner and len(inner) == 1:
            (count, above), fast = outer[-1], inner[0]
            if above == fast[0] * fast[1]:  # they are one
                return (*outer[:-1], (count * fast[0], fast[1]))
            return (*outer, fast)
    return None


def divisors(n: int) -> list[int]:
    """What divides a number, but for 1 and itself.

    >>> divisors(12), divisors(9), divisors(7)
    ([2, 3, 4, 6], [3], [])
    """
    small = [m for m in range(2, math.isqrt(n) + 1) if n % m == 0]
    return small + [n // m for m in reversed(small) if m * m != n]


def spelled(profile: Places, pattern: Sequence[Digit]) -> Places:
    """The profile that the digits make, with the known entries as they are."""
    full = np.zeros(1, np.intp)
    for n, stride in pattern:
        full = (full[:, None] + np.arange(n) * stride).reshape(-1)
    if not pattern:
        full = np.zeros(len(profile), np.intp)
    known = np.flatnonzero(profile != UNKNOWN)
    return full + (profile[known[0]] - full[known[0]] if known.size else 0)


# ------------------------------------------------------------------------------------------- places on the source


class Piece(NamedTuple):
    """A digit on an axis of the source."""

    label: tuple[int, int]
    """The axis of the grid, and the how-manieth digit of it."""
    size: int
    stride: int
    """In steps along the axis of the source."""


class Plan(NamedTuple):
    """What becomes of every axis of the source."""

    sizes: tuple[int, ...]
    """The source's shape with some adjacent axes made one."""
    stages: list[list[Stage]]
    labels: list[tuple[int, int]]
    """The pieces in the order in which the stages leave them."""
    axes: list[Axis]
    take: tuple[int, Places] | None
    """An axis of the source that is indexed by an array."""
    repeat: int | None
    """An axis of the grid that nothing in the source stands for, which must have its length all the same."""

    def follow(self, path: Path, final: tuple[int, ...], constant: Constant) -> Path:
        """The operations of the plan; `final` is the shape to be had."""
        path.reshape(self.sizes)
        if self.take is not None:
            group, index = self.take
            self.stages[group][0][0][0] = (constant(index), index.shape)
        shapes: list[tuple[int, ...]] = [(n,) for n in self.sizes]
        for k in range(max(map(len, self.stages), default=0)):
            entries: list[Entry] = []
            for group, stages in enumerate(self.stages):
                entries += stages[k][0] if k < len(stages) else [(FULL, (n,)) for n in shapes[group]]
                shapes[group] = stages[k][1] if k < len(stages) else shapes[group]
            path.index(entries)
            path.reshape(tuple(n for shape in shapes for n in shape))
        order = sorted(self.labels)
        path.transpose([self.labels.index(label) for label in order])
        lengths = [n for a, axis in enumerate(self.axes) if a != self.repeat for n in axis.shape]
        goal = list(final)
        if self.repeat is not None:  # the axis comes as a new one and is repeated last
            before = sum(len(axis.shape) for axis in self.axes[: self.repeat])
            place = [k for k, n in enumerate(final) if n > 1][before]
            goal[place] = 1
        if path.shape == tuple(lengths):
            path.index([(None, (1,)) if n == 1 else (FULL, (n,)) for n in goal])
        else:
            path.reshape(tuple(goal))
        if self.repeat is not None:
            zeros = constant(np.zeros(final[place], np.intp))
            path.index([(zeros, (n,)) if k == place else (FULL, (n,)) for k, n in enumerate(final)])
        return path


def groupings(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """A shape with ever more adjacent axes made one.

    >>> list(groupings((2, 3, 5)))
    [(2, 3, 5), (6, 5), (2, 15), (30,)]
    """
    for count in range(max(len(shape), 1)):
        for joints in combinations(range(1, len(shape)), count):
            cuts = [k for k in range(len(shape)) if k not in joints] + [len(shape)]
            yield tuple(math.prod(shape[a:b]) for a, b in pairwise(cuts))


def make_plan(sizes: tuple[int, ...], base: int, axes: list[Axis], odd: bool) -> Plan | None:
    """How slices of these axes give the grid; with `odd`, one of them may be indexed by an array."""
    if not 0 <= base < math.prod(sizes):
        return None
    start = [int(k) for k in np.unravel_index(base, sizes)]
    pieces, strange = pieces_of(axes, sizes)
    solved: list[list[Stage] | None] = [solve(n, k, mine) for n, k, mine in zip(sizes, start, pieces, strict=True)]
    strange |= {mine[0].label[0] for mine, stages in zip(pieces, solved, strict=True) if stages is None}
    if len(strange) > odd:
        return None
    order = [sorted(mine, key=lambda piece: -abs(piece.stride)) for mine in pieces]
    labels = [[piece.label for piece in mine] for mine in order]
    take, repeat = None, None
    for a in strange:
        axis = axes[a]
        free = [k for k, mine in enumerate(pieces) if all(piece.label[0] == a for piece in mine)]
        if found := find_axis(sizes, base, axis, free):
            group, index = found
            take = (group, index.reshape(axis.shape))
            solved[group] = [([(None, axis.shape)], axis.shape)]  # `follow` puts the array there
            labels[group] = [(a, k) for k in range(len(axis.shape))]
        elif axis.digits == ():
            repeat = a
        else:
            return None
    stages = [each for each in solved if each is not None]
    return Plan(sizes, stages, [label for mine in labels for label in mine], axes, take, repeat)


def pieces_of(axes: Sequence[Axis], sizes: tuple[int, ...]) -> tuple[list[list[Piece]], set[int]]:
    """The digits of the grid's axes on the axes of the source, and which axes of the grid are not made of digits."""
    pieces: list[list[Piece]] = [[] for _ in sizes]
    strange = set()
    for a, axis in enumerate(axes):
        placed = None if axis.digits is None else place_digits(axis.digits, sizes)
        if placed is None or (not placed and len(axis.profile) > 1):
            strange.add(a)
        for rank, (group, n, stride) in enumerate(placed or ()):
            pieces[group].append(Piece((a, rank), n, stride))
    return pieces, strange


def find_axis(sizes: tuple[int, ...], base: int, axis: Axis, free: list[int]) -> tuple[int, Places] | None:
    """The one axis of the source that an axis of the grid runs along, which must be free, and the indices there."""
    places = base + axis.profile - axis.profile[0]
    if not sizes or places.min() < 0 or places.max() >= math.prod(sizes):
        return None
    indices = np.unravel_index(places, sizes)
    moving = [k for k, index in enumerate(indices) if np.any(index != index[0])] or free[-1:]
    if len(moving) != 1 or moving[0] not in free:
        return None
    return moving[0], np.asarray(indices[moving[0]], np.intp)


def place_digits(pattern: Sequence[Digit], sizes: tuple[int, ...]) -> list[tuple[int, int, int]] | None:
    """Every digit on its axis of the source, with the stride there; one that runs over several axes is cut.

    >>> place_digits([(8, 1)], (5, 6, 4))
    [(1, 2, 1), (2, 4, 1)]
    """
    placed: list[tuple[int, int, int]] = []
    for n, stride in pattern:
        weights = [math.prod(sizes[k + 1 :]) for k in range(len(sizes))]
        mine: list[tuple[int, int, int]] = []
        while n > 1:
            step = abs(stride)
            group = next((k for k, weight in enumerate(weights) if weight <= step), None)
            if group is None or step % weights[group]:
                return None
            whole = weights[group] * sizes[group]
            if step * (n - 1) < whole:
                mine.insert(0, (group, n, stride // weights[group]))
                break
            count = whole // step
            if whole % step or n % count or count < 2:
                return None
            mine.insert(0, (group, count, stride // weights[group]))
            n, stride = n // count, stride * count
        placed += mine
    return placed


# ---------------------------------------------------------------------------------------------------- along an axis


class Run(NamedTuple):
    """Digits that one slice steps through together."""

    size: int
    stride: int
    back: bool
    parts: tuple[int, ...]


def solve(length: int, start: int, pieces: list[Piece]) -> list[Stage] | None:
    """Slices and reshapes of one axis that leave the pieces, the slowest first."""
    start += sum((piece.size - 1) * piece.stride for piece in pieces if piece.stride < 0)
    end = start + sum((piece.size - 1) * abs(piece.stride) for piece in pieces)
    if start < 0 or end >= length:
        return None
    if not pieces:
        return [([(start, ())], ())]
    runs: list[Run] = []
    for piece in sorted(pieces, key=lambda piece: -abs(piece.stride)):
        run = Run(piece.size, abs(piece.stride), piece.stride < 0, (piece.size,))
        if runs and runs[-1].stride == run.size * run.stride and runs[-1].back == run.back:
            last = runs.pop()
            run = Run(last.size * run.size, run.stride, run.back, last.parts + run.parts)
        runs.append(run)
    stages = nest(length, start, runs)
    if stages is None:
        return None
    return [*stages[:-1], (stages[-1][0], tuple(n for run in runs for n in run.parts))]


def nest(length: int, start: int, runs: Sequence[Run]) -> list[Stage] | None:
    """Slices of an axis, then of its rows when it is written in rows, and so on, one run each time.

    >>> for entries, shape in nest(17, 2, [Run(4, 4, False, ()), Run(2, 1, False, ())]):
    ...     print([part for part, _ in entries], shape)
    [slice(1, None, None)] (4, 4)
    [slice(None, None, None), slice(1, 3, None)] (4, 2)
    """
    run, rest = runs[0], runs[1:]
    if not rest:
        return [([span(start, run.size, run.stride, length, run.back)], (run.size,))]
    common = math.gcd(*(each.stride for each in runs))
    for whole, step in ((True, 1), (False, 1), (False, common)):  # the whole axis in rows, or a part of it
        inner = [each._replace(stride=each.stride // step) for each in rest]
        extent = 1 + sum((each.size - 1) * each.stride for each in inner)
        stride = run.stride // step
        for width in (stride // k for k in range(1, stride // extent + 1) if stride % k == 0):
            jump = stride // width
            if whole:
                count, offset = length // width, start % width
                if length % width:
                    continue
            else:  # the part starts as late as it can
                count = (run.size - 1) * jump + 1
                beyond = start + step * (count * width - 1) - (length - 1)
                offset = max(0, -(-beyond // step))
                if step * offset > start:
                    continue
            if offset + extent > width or not (below := nest(width, offset, inner)):
                continue
            part: Entry = (FULL, (length,)) if whole else span(start - step * offset, count * width, step, length)
            rows: Entry = (FULL, (count,))
            outer = span(start // width if whole else 0, run.size, jump, count, run.back)
            later: list[Stage] = [([rows, *entries], (count, *shape)) for entries, shape in below[:-1]]
            entries, shape = below[-1]
            return [([part], (count, width)), *later, ([outer, *entries], (run.size, *shape))]
    return None


def span(start: int, n: int, step: int, length: int, back: bool = False) -> Entry:
    """A slice of n entries from `start` upwards; from the last of them downwards with `back`.

    >>> span(4, 4, 1, 16)[0], span(0, 8, 2, 16)[0]
    (slice(4, 8, None), slice(None, None, 2))
    >>> span(0, 16, 1, 16, back=True)[0], span(5, 3, 2, 16, back=True)[0]
    (slice(None, None, -1), slice(9, 3, -2))
    """
    last = start + (n - 1) * step
    if back:
        return slice(None if last == length - 1 else last, None if start < step else start - step, -step), (n,)
    stop = None if last + step >= length else last + 1
    return slice(start or None, stop, step if step > 1 else None), (n,)


# ----------------------------------------------------------------------------------------------------- the operations


class Path:
    """Operations one after the other on an array, with those left out that change nothing."""

    def __init__(self, source: Expression, batch: bool) -> None:
        self.node = source
        self.batch = batch

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape so far, without the batch."""
        return self.node.shape[self.batch :]

    def reshape(self, shape: tuple[int, ...]) -> Path:
        """The same elements in another shape."""
        self.node = ops.reshape(self.node, (BATCH,) * self.batch + shape)
        return self

    def transpose(self, order: list[int]) -> Path:
        """The axes in another order."""
        front = (0,) * self.batch
        self.node = ops.transpose(self.node, (*front, *(k + self.batch for k in order)))
        return self

    def index(self, entries: list[Entry]) -> Path:
        """An index: slices, integers, new axes, and one array at most."""
        shape = tuple(n for _, left in entries for n in left)
        arrays = [isinstance(part, Expression) for part, _ in entries]
        if any(arrays) and not all(left for _, left in entries):
            # NumPy takes an integer beside an array for an array, and may move axes to the front
            here = iter(self.shape)
            sized = [(entry, next(here)) for entry in entries]
            self.index([(FULL, (n,)) if k else entry for (entry, n), k in zip(sized, arrays, strict=True)])
            entries = [entry if k else (FULL, entry[1]) for entry, k in zip(entries, arrays, strict=True) if entry[1]]
            return self.index(entries)
        if any(part is None for part, _ in entries) and all(part is None or is_full(part) for part, _ in entries):
            if made(self.node, ops.reshape):
                return self.reshape(shape)
            if made(self.node, ops.getitem) and (joined := self._joined(entries)):
                (self.node, *_) = self.node.operands
                entries = joined
        while entries and is_full(entries[-1][0]):
            entries = entries[:-1]
        if entries:
            self.node = ops.getitem(self.node, (*(FULL,) * self.batch, *(part for part, _ in entries)))
        return self

    def _joined(self, later: list[Entry]) -> list[Entry]:
        """The last index and the new axes of another that follows, in one; nothing if that cannot be."""
        source, index = self.node.operands[0], self.node.arguments()[1]["index"]
        parts = list(index if isinstance(index, tuple) else (index,))[self.batch :]
        lengths = iter(source.shape[self.batch :])
        parts += [FULL] * (len(source.shape) - self.batch - sum(part is not None for part in parts))
        joined: list[Entry] = []
        rest = list(later)
        for part in parts:
            n = 1 if part is None else next(lengths)
            if isinstance(part, int):
                if rest and rest[0][0] is None:  # one of many, as an axis
                    rest.pop(0)
                    joined.append(span(part, 1, 1, n))
                else:
                    joined.append((part, ()))
                continue
            count = part.ndim if isinstance(part, Expression) else 1
            while rest[0][0] is None:
                joined.append(rest.pop(0))
            if any(entry is None for entry, _ in rest[:count]):  # among the axes of an array
                return []
            joined.append((part, tuple(n for _, left in rest[:count] for n in left)))
            del rest[:count]
        return joined + rest

    def gather(self, constant: Constant, places: Places) -> Path:
        """Every element by its place."""
        self.reshape((math.prod(self.shape),))
        return self.index([(constant(places), places.shape)])


FULL = slice(None)


def is_full(part: Any) -> bool:
    """Whether a part of an index takes an axis whole."""
    return isinstance(part, slice) and part == FULL
