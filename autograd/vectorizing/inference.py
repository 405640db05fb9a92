"""The shape and the dtype of a node, from those of its operands.

Elementwise rows, reductions, reshapes and broadcasts have a rule here. Any other row is run on zeros that take no
memory, at a few lengths. Its shape is then read off: sizes that are linear in the lengths.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from autograd import ops
from autograd.ops.questions import Question
from autograd.ops.rows import Elementwise, Op, Reduction, Traced
from autograd.ops.shapes import normalize_axis, shape_of
from autograd.vectorizing.sizes import NotLowerable, Size

Shape = tuple[Any, ...]
FIRST, SMALL = 6, (1, 2, 3)
"""Lengths at which rows are tried: each at FIRST and at the two that follow, and then at small ones."""


class Operand(NamedTuple):
    """In a parameter: the operand of this number."""

    which: int


def infer(op: Op, operands: Sequence[Any], params: Mapping[str, Any]) -> tuple[Shape, np.dtype[Any]]:
    """Shape and dtype of an operation on nodes and numbers; NotLowerable where they depend on the lengths otherwise."""
    shapes = [shape_of(x) for x in operands]
    if isinstance(op, (Elementwise, Question)):
        return broadcast(shapes), dtype_of(op, kinds(operands), **params)
    if isinstance(op, Reduction):
        (shape,) = shapes
        axes = normalize_axis(params.get("axis"), len(shape))
        keep = params.get("keepdims", False)
        out = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
        return out, dtype_of(op, kinds(operands))
    if op is ops.reshape:
        return whole(math.prod(shapes[0]), params["shape"]), operands[0].dtype
    if op is ops.broadcast_to:
        if broadcast([shapes[0], params["shape"]]) != params["shape"]:
            raise NotLowerable(f"shape {shapes[0]} does not broadcast to {params['shape']}")
        return params["shape"], operands[0].dtype
    if op is ops.scatter:
        return params["shape"], operands[0].dtype
    if op is ops.transpose:
        return tuple(shapes[0][i] for i in params["axes"]), operands[0].dtype
    if op is ops.matmul and (found := product(*shapes)) is not None:
        return found, dtype_of(ops.mul, kinds(operands))
    if op is ops.getitem and (found := part(shapes[0], params["index"])) is not None:
        return found, operands[0].dtype
    return tried(op, operands, params)


def product(a: Shape, b: Shape) -> Shape | None:
    """The shape of a matrix product; None where it is NumPy's to decide, or to refuse."""
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-2]:
        return None
    return (*broadcast([a[:-2], b[:-2]]), a[-2], b[-1])


def part(shape: Shape, index: Any) -> Shape | None:
    """The shape of an index by numbers, new axes, and slices; None for any other index.

    >>> n = Size.symbol("n")
    >>> part((n, 4), (slice(None), None, slice(1, 3))), part((n, 4), slice(1, None)), part((n, 4), 0)
    ((n, 1, 2), (n - 1, 4), None)
    """
    parts = list(index) if isinstance(index, tuple) and not isinstance(index, Operand) else [index]
    if any(isinstance(x, (bool, Operand, Size)) for x in parts):
        return None
    missing = len(shape) - sum(x is not None and x is not Ellipsis for x in parts)
    at = next((i for i, x in enumerate(parts) if x is Ellipsis), None)
    if missing < 0:
        return None
    full = [slice(None)] * missing
    parts = [*parts, *full] if at is None else [*parts[:at], *full, *parts[at + 1 :]]
    lengths, out = iter(shape), []
    for x in parts:
        n = 1 if x is None else next(lengths)
        if x is None:
            out.append(n)
        elif isinstance(x, slice):
            out.append(sliced(n, x))
        elif isinstance(n, Size) or not isinstance(x, int) or not -n <= x < n:
            return None
    return tuple(out)


def sliced(n: Any, part: slice) -> Any:
    """How many of n elements a slice takes; NotLowerable unless one formula holds for every length, 1 among them.

    >>> sliced(Size.symbol("n"), slice(None, -1)), sliced(Size.symbol("n"), slice(None, None, -1)), sliced(5, slice(9))
    (n - 1, n, 5)
    """
    if part == slice(None):
        return n
    step = 1 if part.step is None else part.step
    low, high = (0, n) if step > 0 else (-1, n - 1)

    def place(x: Any) -> Any:
        x = x + n if x < 0 else x
        return low if x < low else high if x > high else x

    start = place(part.start) if part.start is not None else low if step > 0 else high
    stop = place(part.stop) if part.stop is not None else high if step > 0 else low
    span = stop - start if step > 0 else start - stop
    count = -(-span // abs(step)) if span > 0 else 0
    ones = {name: 1 for size in sizes_in((n, part)) for name in size.symbols()}
    if concrete(count, ones) != len(range(*concrete(part, ones).indices(concrete(n, ones)))):
        raise NotLowerable(f"{part} of {n} elements depends on the length")
    return count


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape that several broadcast to. A length is 1 only if it is known to be.

    >>> n = Size.symbol("n")
    >>> broadcast([(n, 1), (3,), ()])
    (n, 3)
    """
    shapes = list(shapes)
    if all(shape == shapes[0] for shape in shapes):
        return tuple(shapes[0]) if shapes else ()
    ndim = max(map(len, shapes), default=0)
    out = []
    for column in zip(*[(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes], strict=True):
        lengths = [n for n in column if n != 1]
        if any(n != lengths[0] for n in lengths):
            raise NotLowerable(f"shapes {', '.join(map(str, shapes))} do not broadcast for every length")
        out.append(lengths[0] if lengths else 1)
    return tuple(out)


def whole(count: Any, shape: Any) -> Shape:
    """The shape of a reshape of so many elements, with the length that is given as -1.

    >>> whole(Size.symbol("n") * 12, (-1, 4))
    (3·n, 4)
    """
    given = tuple(shape) if isinstance(shape, tuple) else (shape,)
    known = math.prod(n for n in given if n != -1)
    out = tuple(count // known if n == -1 else n for n in given)
    if math.prod(out) != count:
        raise NotLowerable(f"{count} elements in the shape {given}")
    return out


def kinds(operands: Sequence[Any]) -> tuple[Any, ...]:
    """What decides the dtype of a result: the operands' dtypes and ranks, or the type of a number."""
    return tuple([number_type(x) if is_weak(x) else (x.dtype, len(x.shape)) for x in operands])


def is_weak(x: Any) -> bool:
    """Whether an operand is one of Python's numbers, and adapts to the dtype of arrays."""
    return x.weak if isinstance(x, Traced) else True  # type: ignore[attr-defined]


def number_type(x: Any) -> type:
    """The type of a number of Python's, or of a node that is one."""
    if not isinstance(x, Traced):
        return type(x)
    return int if x.dtype.kind in "iu" else float  # type: ignore[attr-defined]


_dtypes: WeakKeyDictionary[Op, dict[Any, np.dtype[Any]]] = WeakKeyDictionary()


def dtype_of(op: Op, kinds: tuple[Any, ...], **params: Any) -> np.dtype[Any]:
    """The dtype of an operation that works element by element, or reduces: it is run on ones."""
    known = _dtypes.setdefault(op, {})
    if kinds not in known:
        ones = [np.ones((1,) * kind[1], kind[0]) if isinstance(kind, tuple) else kind(1) for kind in kinds]
        with np.errstate(all="ignore"):
            known[kinds] = np.asarray(op.forward(*ones, **params)).dtype
    return known[kinds]


def tried(op: Op, operands: Sequence[Any], params: Mapping[str, Any]) -> tuple[Shape, np.dtype[Any]]:
    """Shape and dtype, from running the row at a few lengths.

    A product of lengths counts as one length of its own.
    """
    found = sorted({size for x in (*map(shape_of, operands), *params.values()) for size in sizes_in(x)}, key=repr)
    products = {f"({size})": size for size in found if any(len(key) > 1 for key in size.terms)}
    symbols = sorted({*products, *(name for size in found if f"({size})" not in products for name in size.symbols())})

    def shape(**lengths: int) -> tuple[int, ...]:
        return run(op, operands, params, {**base, **lengths}).shape

    base = dict.fromkeys(symbols, FIRST)
    first = run(op, operands, params, base)
    out: list[Any] = list(first.shape)
    for name in symbols:
        following = [shape(**{name: FIRST + k}) for k in (1, 2)]
        if {len(x) for x in following} != {first.ndim}:
            raise NotLowerable(f"the number of dimensions of {op.name} depends on the length {name}")
        for i, (n, m, k) in enumerate(zip(first.shape, *following, strict=True)):
            if k - m != m - n:
                raise NotLowerable(f"the shape of {op.name} is not linear in the length {name}")
            out[i] = out[i] + (m - n) * (Size.symbol(name) - FIRST)
        for k in SMALL:
            if shape(**{name: k}) != concrete(tuple(out), {**base, name: k}):
                raise NotLowerable(f"the shape of {op.name} is another one where the length {name} is {k}")
    together = dict.fromkeys(symbols, FIRST + 3)
    if concrete(tuple(out), together) != shape(**together):
        raise NotLowerable(f"the shape of {op.name} depends on several lengths together")
    return tuple(x.put(products) if isinstance(x, Size) else x for x in out), first.dtype


def run(op: Op, operands: Sequence[Any], params: Mapping[str, Any], lengths: Mapping[str, int]) -> np.ndarray:
    """The row on zeros, or on data where it is known, at these lengths."""
    arrays = []
    for x in operands:
        if is_weak(x):
            arrays.append(number_type(x)(1) if isinstance(x, Traced) else x)
        elif x.array is not None:
            arrays.append(x.array)
        else:
            arrays.append(np.broadcast_to(np.zeros((), x.dtype), concrete(x.shape, lengths)))
    with np.errstate(all="ignore"):
        return applied(op, arrays, concrete(params, lengths))


def applied(op: Op, arrays: Sequence[Any], params: dict[str, Any]) -> np.ndarray:
    """The row on arrays; the arrays of an index come last among them."""
    if "index" in params:
        extra: list[Any] = []
        params = {**params, "index": lowered(params["index"], arrays, extra)}
        arrays = arrays[: len(arrays) - len(extra)]
    try:
        return np.asarray(op.forward(*arrays, **params))
    except (ValueError, IndexError, TypeError) as error:
        raise NotLowerable(f"{op.name} of shapes {[np.shape(x) for x in arrays]}: {error}") from error


def lowered(index: Any, operands: Sequence[Any], found: list[Any]) -> Any:
    """An index with its arrays back from the operands; these are noted in `found`."""
    if isinstance(index, Operand):
        found.append(operands[index.which])
        return operands[index.which]
    return tuple([lowered(part, operands, found) for part in index]) if isinstance(index, tuple) else index


def sizes_in(x: Any) -> Iterator[Size]:
    """The sizes in a shape or a parameter."""
    if isinstance(x, Size):
        yield x
    if isinstance(x, slice):
        x = (x.start, x.stop, x.step)
    for item in x if isinstance(x, (tuple, list)) else ():
        yield from sizes_in(item)


def concrete(x: Any, lengths: Mapping[str, int]) -> Any:
    """A shape or a parameter with numbers in the place of sizes. A product may have a length of its own: "(m·n)"."""
    if isinstance(x, Size):
        return lengths[f"({x})"] if f"({x})" in lengths else x.at(lengths)
    if isinstance(x, Operand):
        return x
    if isinstance(x, (tuple, list)):
        return type(x)([concrete(item, lengths) for item in x])
    if isinstance(x, slice):
        return slice(*[concrete(n, lengths) for n in (x.start, x.stop, x.step)])
    return {key: concrete(item, lengths) for key, item in x.items()} if isinstance(x, Mapping) else x
