"""One element of an array as a formula of elements of other arrays: what stands inside of loops.

A leaf says where a number lies (`layout`), or is a number. The other elements are operations. A reshape, a transpose or
a slice moves the axes of all leaves below it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiling.layout import Atom, Axes, Axis, Unaligned, grouped, is_one, sliced
from autograd.engine.graph import Node, postorder
from autograd.ops.rows import Op
from autograd.vectorizing.inference import Operand, part
from autograd.vectorizing.sizes import NotLowerable

Move = Callable[[Axes], tuple[int, Axes]]
"""What happens to the axes of a leaf: how far its start moves, and the axes afterwards."""


class Element(Node):
    """A number of Python, a place in a buffer, or an operation on elements of the same shape.

    Args:
        shape: of the array whose element it is.
        op: the row of an operation.
        parents: its operands.
        number: of Python.
        buffer: the name of the array in which it lies, with `offset` and `axes`.
        lookups: whole numbers that are added to the place, each an element times a stride.
        kind: "f", "i" or "b", as of dtypes.
    """

    __slots__ = ("__weakref__", "axes", "buffer", "kind", "lookups", "number", "offset", "op", "parents", "shape")

    def __init__(
        self,
        shape: tuple[Any, ...],
        kind: str,
        op: Op | None = None,
        parents: tuple[Element, ...] = (),
        number: Any = None,
        buffer: str = "",
        offset: int = 0,
        axes: Axes = (),
        lookups: tuple[tuple[Element, int], ...] = (),
    ) -> None:
        self.shape, self.kind, self.op, self.number = shape, kind, op, number
        self.buffer, self.offset, self.axes, self.lookups = buffer, offset, axes, lookups
        self.parents = parents or tuple(index for index, _ in lookups)


def buffer(name: str, shape: tuple[Any, ...], kind: str, room: tuple[Any, ...]) -> Element:
    """An array that lies in one piece; `room` is its shape for a whole tile."""
    axes: list[Axis] = []
    for i, n in enumerate(shape):
        axes.append(() if is_one(n) else (Atom(n, math.prod(room[i + 1 :])),))
    return Element(shape, kind, buffer=name, axes=tuple(axes))


def moved(root: Element, shape: tuple[Any, ...], move: Move) -> Element:
    """The element with the axes of all leaves below it moved; the shape is that which it has afterwards."""
    found: dict[Element, Element] = {}
    for x in postorder([root]):
        parents = tuple(found[y] for y in x.parents)
        if x.op is not None:
            found[x] = Element(shape, x.kind, x.op, parents)
        elif not x.buffer:
            found[x] = Element(shape, x.kind, number=x.number)
        else:
            start, axes = move(x.axes)
            lookups = tuple((index, stride) for index, (_, stride) in zip(parents, x.lookups, strict=True))
            found[x] = Element(shape, x.kind, buffer=x.buffer, offset=x.offset + start, axes=axes, lookups=lookups)
    return found[root]


def broadcast(x: Element, shape: tuple[Any, ...]) -> Element:
    """The element of the array broadcast to a shape."""
    if x.shape == shape:
        return x
    own = (1,) * (len(shape) - len(x.shape)) + x.shape

    def move(axes: Axes) -> tuple[int, Axes]:
        full = ((),) * (len(shape) - len(axes)) + axes
        return 0, tuple(
            (Atom(n, 0),) if is_one(m) and not is_one(n) else axis for n, m, axis in zip(shape, own, full, strict=True)
        )

    return moved(x, shape, move)


def reshaped(x: Element, shape: tuple[Any, ...]) -> Element:
    """The element of the array in another shape; Unaligned where that takes a copy."""
    return x if x.shape == shape else moved(
        x, shape, lambda axes: (0, grouped([atom for axis in axes for atom in axis], shape))
    )  # fmt: skip


def transposed(x: Element, order: Sequence[int]) -> Element:
    """The element of the array with its axes in another order."""
    return moved(x, tuple(x.shape[i] for i in order), lambda axes: (0, tuple(axes[i] for i in order)))


def index_parts(index: Any, ndim: int) -> list[Any]:
    """An index as one part an axis, besides new axes."""
    parts = list(index) if isinstance(index, tuple) and not isinstance(index, Operand) else [index]
    missing = ndim - sum(x is not None and x is not Ellipsis for x in parts)
    at = next((i for i, x in enumerate(parts) if x is Ellipsis), len(parts))
    return [*parts[:at], *[slice(None)] * missing, *parts[at + 1 :]]


def indexed(x: Element, index: Any, shape: tuple[Any, ...], arrays: Sequence[Element]) -> Element:
    """A part of an array: ints, slices, new axes, and arrays of whole numbers, which are `arrays` in their order.

    With arrays the leaf gets lookups, so that it has to lie in a buffer.
    """
    parts = index_parts(index, len(x.shape))
    advanced = [i for i, p in enumerate(parts) if isinstance(p, Operand)]
    if advanced and (any(type(p) is int for p in parts) or x.op is not None or not x.buffer):
        raise NotLowerable("an index of numbers and arrays together")
    together = not advanced or advanced == list(range(advanced[0], advanced[-1] + 1))
    width = max((len(array.shape) for array in arrays), default=0)
    kept = [p for p in parts[: advanced[0]] if not isinstance(p, Operand)] if advanced and together else []
    front = len([p for p in kept if p is None or isinstance(p, slice)])
    found = shape[front : front + width]

    def move(axes: Axes) -> tuple[int, Axes]:
        offset, left = 0, iter(zip(axes, x.shape, strict=True))
        out: list[Axis] = []
        for p in parts:
            if p is None:
                out.append(())
                continue
            axis, n = next(left)
            if isinstance(p, Operand):
                continue
            start, new = cut(axis, n, p)
            offset += start
            if isinstance(p, slice):
                out.append(new)
        lookup = tuple(() if is_one(n) else (Atom(n, 0),) for n in found)
        return offset, (*out[:front], *lookup, *out[front:])

    if not advanced:
        return moved(x, shape, move)
    start, axes = move(x.axes)
    numbered = [i for i, p in enumerate(p for p in parts if p is not None) if isinstance(p, Operand)]
    strides = [step(x.axes[i]) for i in numbered]
    behind = len(shape) - front - width
    lookups = list(x.lookups)
    for array, stride in zip(arrays, strides, strict=True):
        spread = reshaped(broadcast(array, found), (*found, *[1] * behind))
        lookups.append((broadcast(spread, shape), stride))
    return Element(shape, x.kind, buffer=x.buffer, offset=x.offset + start, axes=axes, lookups=tuple(lookups))


def cut(axis: Axis, n: Any, p: Any) -> tuple[int, Axis]:
    """What a number or a slice takes of an axis of this length."""
    if type(p) is int:
        return sliced(axis, p + n if p < 0 else p, 1, 1)
    if p == slice(None):
        return 0, axis
    if not isinstance(n, int) or not isinstance(p, slice):
        raise NotLowerable("a part of the batch")
    where = range(*p.indices(n))
    counted = part((n,), p)
    return sliced(axis, where.start, counted[0] if counted else len(where), where.step)


def step(axis: Axis) -> int:
    """The stride of an axis that is looked up in."""
    if len(axis) > 1:
        raise Unaligned
    return axis[0].stride if axis else 0


def along(x: Element, index: Element, axis: int) -> Element:
    """One element of each row, chosen by whole numbers."""
    if x.op is not None or not x.buffer:
        raise Unaligned
    axes = tuple(() if i == axis else a for i, a in enumerate(x.axes))
    if not is_one(index.shape[axis]):
        raise NotLowerable("several elements a row")
    lookups = (*x.lookups, (index, step(x.axes[axis])))
    return Element(index.shape, x.kind, buffer=x.buffer, offset=x.offset, axes=axes, lookups=lookups)
