"""The NumPy text of a Sketch, and shorter ways to the same numbers.

>>> x = Sketch((np.ones((3, 2)), np.ones((7, 2))), "x")
>>> Notation([x]).text((-x * 1.0 + x.sum(axis=1, keepdims=True)) / x.shape[0])
'(x.sum(axis=1, keepdims=True) - x) / len(x)'
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.ops.rows import Elementwise, Reduction
from autograd.ops.symbol import ATOM, COMPARE, NEGATIVE, OR, POWER, PRODUCT, SUM
from autograd.vectorizing.sketch import (
    AND,
    BY_HAND,
    COMPARISONS,
    DETACH,
    EITHER,
    LENGTH,
    LET,
    NOT,
    ONES,
    PUT,
    TAKE,
    Count,
    Form,
    Ratio,
    Shape,
    Sketch,
    Unsketchable,
    axes_of,
    bare,
    below,
    inside,
    is_lifted,
    is_number,
    is_same,
    made,
    narrowed,
    pair,
    parts_of,
    same_shape,
)

LONG, LONGER = 40, 48  # characters: a gradient, and anything, that is longer is a line of its own
SHORT = 10  # characters that may as well be written twice

# --------------------------------------------------------------------------------------------------- simplification


def simplified(out: Sketch) -> Any:
    """The same numbers with less text, where there is an obvious way."""
    if isinstance(out.op, Elementwise):
        out = narrowed(out)
    short = SIMPLER[out.op](out) if out.op in SIMPLER else None
    return out if short is None or not same_shape(short, out) or short.dtype != out.dtype else short


def _negated(out: Sketch) -> Any:
    """A sign of an operand comes before the whole."""
    for i, x in enumerate(out.operands):
        if of := made(x, ops.neg):
            return -out.op.apply((*out.operands[:i], of[0], *out.operands[i + 1 :]), out.params)
    return None


def _broadcast_to(out: Sketch) -> Any:
    (x,) = out.operands
    if same_shape(x, out):
        return x
    return ops.broadcast_to(bare(x).operands[0], out.params["shape"]) if is_lifted(x) else None


def _mul(out: Sketch) -> Any:
    for x, y in (out.operands, out.operands[::-1]):
        if is_number(x, 1, -1):
            return y if x == 1 else -y
        if (of := made(x, ops.div)) and is_number(of[0], 1, -1):
            return of[0] * y / of[1]
        if (of := made(x, ops.where)) and isinstance(y, Sketch):
            if is_number(of[1], 1) and is_number(of[2], 0):
                return ops.where(of[0], y, 0)
            if is_number(of[1], 0) and is_number(of[2], 1):
                return ops.where(of[0], 0, y)
    return _negated(out)


def _add(out: Sketch) -> Any:
    for x, y in (out.operands, out.operands[::-1]):
        if is_number(x, 0):
            return y
        if of := made(y, ops.neg):
            return x - of[0]
    x, y = out.operands
    if is_same(x, y):  # the two sides of a square
        return (2 * of[0]) * of[1] if (of := made(x, ops.mul)) else 2 * x
    if (of := made(x, ops.add)) and is_same(of[1], y):
        return of[0] + (y + y)
    if (of := made(x, ops.add, ops.sub)) and is_same(of[0], y):
        return bare(x).op.apply((y + y, of[1]), {})
    return None


def _sub(out: Sketch) -> Any:
    x, y = out.operands
    if is_number(y, 0):
        return x
    if of := made(y, ops.neg):
        return x + of[0]
    of, other = made(x, ops.mul), made(y, ops.mul)
    return of[0] * (of[1] - other[1]) if of and other and is_same(of[0], other[0]) else None


def _scatter(out: Sketch) -> Any:
    (g,) = out.operands
    fills = all(a.size == b.size for a, b in zip(g._raw, out._raw, strict=True))
    plain = all(type(part) is int or part in (None, Ellipsis, slice(None)) for part in parts_of(out))
    return ops.reshape(g, out.params["shape"]) if fills and plain else None


def _reshape(out: Sketch) -> Any:
    (x,) = out.operands
    if same_shape(x, out):
        return x
    if of := made(x, ops.reshape):
        return ops.reshape(of[0], out.params["shape"])
    for keep in (True, False) if (of := made(x, ops.sum)) else ():
        if same_shape(sums := ops.sum(of[0], **{**bare(x).params, "keepdims": keep}), out):
            return sums
    return None if is_lifted(out) else _negated(out)  # `narrowed` moves those the other way


def _transpose(out: Sketch) -> Any:
    (x,) = out.operands
    order = axes_of(out)
    if of := made(x, ops.transpose):
        return ops.transpose(of[0], tuple(axes_of(bare(x))[i] for i in order))
    return x if order == tuple(range(x.ndim)) else None


SIMPLER: dict[Any, Callable[[Sketch], Any]] = {
    ops.mul: _mul,
    ops.add: _add,
    ops.sub: _sub,
    ops.neg: lambda out: of[0] if (of := made(out.operands[0], ops.neg)) else None,
    ops.div: lambda out: out.operands[0] if is_number(out.operands[1], 1) else _negated(out),
    ops.power: lambda out: out.operands[0] if is_number(out.operands[1], 1) else None,
    ops.matmul: _negated,
    ops.where: lambda out: (
        out.operands[1 if out.operands[0] else 2] if isinstance(out.operands[0], (bool, np.bool_)) else None
    ),
    ops.reshape: _reshape,
    ops.transpose: _transpose,
    ops.broadcast_to: _broadcast_to,
    ops.sum: lambda out: out.operands[0] if same_shape(out.operands[0], out) else _negated(out),
    ops.scatter: _scatter,
    ops.getitem: lambda out: out.operands[0] if all(part == slice(None) for part in parts_of(out)) else None,
    AND: lambda out: next((x for x, y in (out.operands, out.operands[::-1]) if y is True), None),
}
"""Operation -> a shorter way to the same numbers, None where there is none. One of another shape is not taken."""

Sketch.simplify = staticmethod(simplified)


# ----------------------------------------------------------------------------------------------------- the text

EXPANDED: dict[Any, Callable[..., Any]] = {
    **{row: row.composition for row in BY_HAND},
    ops.reciprocal: lambda x: 1 / x,
    ops.relu: lambda x: ops.maximum(x, 0),
    ops.logsumexp: lambda x, **where: ops.log(ops.sum(ops.exp(x - ops.max(x, **where)), **where)) + ops.max(x, **where),
    ops.norm: lambda x, **where: ops.sqrt(ops.sum(ops.square(x), **where)),
}
"""Rows with no function of NumPy, by what they are in terms of others."""

BINDING: dict[Any, tuple[int, int, int]] = {
    ops.add: (SUM, SUM, PRODUCT),
    ops.sub: (SUM, SUM, PRODUCT),
    **dict.fromkeys((ops.mul, ops.div, ops.matmul), (PRODUCT, PRODUCT, NEGATIVE)),
    ops.power: (POWER, ATOM, NEGATIVE),
    **dict.fromkeys(COMPARISONS, (COMPARE, SUM, SUM)),
    **dict.fromkeys((AND, EITHER), (OR, ATOM, ATOM)),
}
"""How tightly an operator binds, and how tightly its operands have to."""

METHODS = {ops.sum, ops.mean, ops.max, ops.min, ops.prod, ops.var, ops.std, ops.cumsum}
VIEWS = {ops.transpose, ops.reshape, ops.broadcast_to, ops.getitem, LET}  # may share memory with their operand


def numpy_name(row: Any) -> str:
    """The name under which NumPy has a row; empty if it has not.

    >>> numpy_name(ops.asin), numpy_name(ops.sigmoid)
    ('arcsin', '')
    """
    array = getattr(row, "array", None)
    name = getattr(array, "__name__", "")
    return {"absolute": "abs"}.get(name, name) if name and getattr(np, name, None) is array else ""


class Notation:
    """Writes Sketches as expressions. Equal ones are recognised, and computed once, on a line of their own."""

    def __init__(self, named: Sequence[Sketch], dtype: str = "float") -> None:
        self.named = named  # what the forward pass has names for
        self.dtype = dtype  # what to write for the type of the program's numbers
        self.known: dict[Any, Sketch] = {}  # what was done -> the Sketch that stands for all that did it
        self.representatives: dict[int, Sketch] = {}
        self.hints: dict[int, str] = {}
        self.names: dict[int, str] = {}  # of lines already written
        self.uses: dict[int, int] = {}
        self.kept: list[Sketch] = []  # alive, so that no id is given away twice
        self.read: set[str] = set()
        self.candidates: dict[Any, list[Any]] = {}  # names for a length, or for a shape
        self.chosen: dict[Any, Any] = {}
        self.lines: list[str] = []
        self.imports: dict[str, str] = {}
        self.taken = {x.label for x in named}
        self.np = "np" if "np" not in self.taken else self.foreign("import numpy", "np")
        for x in below(named):  # operands first: nothing recurses through a long statement
            if x.label and x.op is not None:
                self.known.setdefault(self.key(x), x)
            else:
                self.of(x)

    # ------------------------------------------------------------------------------------ which ones are the same

    def key(self, x: Any) -> Any:
        """What was done, so that two that did the same have the same key."""
        if x.op is LENGTH:
            return (LENGTH.name, *map(int, x._raw))
        return id(x.op), self._key_of(x.operands), self._key_of(tuple(x.params.items()))

    def _key_of(self, x: Any) -> Any:
        if isinstance(x, Sketch):
            return id(self.of(x))
        if isinstance(x, Count):
            return pair(x)
        if isinstance(x, (tuple, list)):
            return (type(x) is list, *map(self._key_of, x))
        if isinstance(x, slice):
            return "slice", self._key_of((x.start, x.stop, x.step))
        return type(x).__name__, repr(x.tolist() if isinstance(x, np.ndarray) else x)

    def of(self, x: Sketch) -> Sketch:
        """The Sketch that stands for all that did the same."""
        found = self.representatives.get(id(x))
        if found is None:
            self.kept.append(x)
            found = self.representatives[id(x)] = self._find(x)
        return found

    def _find(self, x: Sketch) -> Sketch:
        if x.op is None or (x.label and x.op is not LET):
            return x
        if x.op in (DETACH, LET, ops.identity):
            found = self.of(x.operands[0])
            if x.label and not found.label:
                return self.known.setdefault((LET.name, id(found)), x)
            if x.hint and not found.label:
                self.hints.setdefault(id(found), x.hint)
            return found
        key = self.key(x)
        if key not in self.known:
            self.known[key] = self._expanded(x)
        return self.known[key]

    def _expanded(self, x: Sketch) -> Sketch:
        """In terms of operations that NumPy has."""
        row: Any = x.op
        formula = EXPANDED.get(row)
        if formula is None and isinstance(row, Elementwise) and not numpy_name(row):
            formula = row.value if row.is_formula else None
        if formula is None:
            return x
        if isinstance(row, Reduction) and not x.params.get("keepdims"):  # the parts keep their axes
            return self.of(ops.reshape(formula(*x.operands, **{**x.params, "keepdims": True}), x.shape))
        return self.of(formula(*x.operands, **x.params))

    def parts(self, x: Sketch) -> list[Sketch]:
        """What the text of an expression is made of."""
        if x.op is None or x.op is LENGTH:
            return []
        return [self.of(y) for y in (*(y for y in x.operands if isinstance(y, Sketch)), *inside(x.params.get("index")))]

    # ------------------------------------------------------------------------------------------------------- names

    def fresh(self, wish: str = "") -> str:
        """A name that nobody has: the one wished for, or t1, t2, ..."""
        wishes: Iterator[str] = itertools.chain([wish] * bool(wish), (f"t{i}" for i in itertools.count(1)))
        name = next(name for name in wishes if name not in self.taken)
        self.taken.add(name)
        return name

    def foreign(self, line: str, name: str) -> str:
        """What something imported is called: by its name, if no variable has that."""
        if line not in self.imports:
            alias = name
            while alias in self.taken:
                alias += "_"
            self.taken.add(alias)
            self.imports[line] = alias
        return self.imports[line]

    # ------------------------------------------------------------------------------------------------- expressions

    def text(self, x: Any) -> str:
        """An expression."""
        return self.write(x)[0]

    def within(self, x: Any, binding: int) -> str:
        """The text as an operand of something that binds this tightly."""
        text, own = self.write(x)
        return text if own >= binding else f"({text})"

    def write(self, x: Any) -> tuple[str, int]:
        """The text of an expression, and how tightly it binds. What is used often becomes a line of its own."""
        if not isinstance(x, Sketch):
            return self.literal(x)
        x = self.of(x)
        if x.label:
            self.read.add(x.label)
            return x.label, ATOM
        if id(x) in self.names:
            return self.names[id(x)], ATOM
        hint = self.hints.get(id(x), "")
        text, binding = ("", ATOM) if x.op in (ops.scatter, PUT) else self.compose(x)
        often = self.uses.get(id(x), 0) > 1 and not self.is_cheap(x, text)
        if text and not often and len(text) <= (LONG if hint else LONGER):
            return text, binding
        name = self.names[id(x)] = self.fresh(hint)
        if text:
            self.lines.append(f"{name} = {text}")
        else:
            self.accumulate(name, x, [x])
        return name, ATOM

    def accumulate(self, name: str, whole: Sketch, terms: Sequence[Sketch]) -> None:
        """The lines for what takes more than an expression."""
        raise Unsketchable(f"{whole.op.name} in an expression")

    def is_cheap(self, x: Sketch, text: str) -> bool:
        """Whether it may as well be written twice."""
        small = x.op in VIEWS or (len(text) <= SHORT and "(" not in text)
        return x.op is LENGTH or (small and all(y.label for y in self.parts(x)))

    def literal(self, x: Any) -> tuple[str, int]:
        """A number, and how tightly it binds."""
        if isinstance(x, np.ndarray):
            raise Unsketchable(f"an array of shape {x.shape} without a name")
        text = re.sub(r"\b(inf|nan)\b", rf"{self.np}.\1", repr(x))
        return text, NEGATIVE if text.startswith("-") else ATOM

    def compose(self, x: Sketch) -> tuple[str, int]:
        """The operation on the texts of its operands."""
        op: Any = x.op
        operands: tuple[Any, ...] = x.operands
        if op in BINDING:
            return self._infix(x)
        if op in (ops.neg, NOT):
            return f"{op.infix}{self.within(operands[0], NEGATIVE if op is ops.neg else ATOM)}", NEGATIVE
        ours = isinstance(op, Form) or ops.ROWS.get(op.name) is op
        if ours and (method := getattr(self, f"_{op.name}", None)):
            return method(x), ATOM
        if op in METHODS:
            return f"{self.within(operands[0], ATOM)}.{op.name}({options(x.params)})", ATOM
        inputs = ", ".join(self.text(y) for y in operands)
        if name := numpy_name(op) or (op in (ONES, TAKE) and op.name):
            return f"{self.np}.{name}({', '.join(filter(None, [inputs, options(x.params)]))})", ATOM
        if isinstance(op, Elementwise) and ours:  # NumPy has none: the row itself is called
            return f"{self.foreign(f'from autograd.ops import {op.name}', op.name)}({inputs})", ATOM
        raise Unsketchable(f"{op.name} has no NumPy text")

    def _infix(self, x: Sketch) -> tuple[str, int]:
        own, *bindings = BINDING[x.op]
        left, right = (self.within(y, binding) for y, binding in zip(x.operands, bindings, strict=True))
        first = self.of(x.operands[0]) if isinstance(x.operands[0], Sketch) else None
        other = (ops.mul, ops.div) if x.op is ops.matmul else (ops.matmul,)
        if own == PRODUCT and id(first) not in self.names and made(first, *other):
            left = f"({left})"  # a * b @ c is right, but who knows?
        return f"{left} {x.op.infix} {right}", own

    def parameter(self, x: Any) -> str:
        """A parameter of an operation."""
        if isinstance(x, (tuple, list)):
            inner = ", ".join(map(self.parameter, x))
            return f"[{inner}]" if isinstance(x, list) else f"({inner}{',' * (len(x) == 1)})"
        if isinstance(x, (Count, Ratio)):
            return self.text(x.sketch)
        return self.text(x) if isinstance(x, Sketch) else repr(x)

    def _length(self, x: Sketch) -> str:
        want = tuple(map(int, x._raw))
        found = self.preferred(
            want,
            lambda: sorted(
                (
                    (y, i)
                    for y in self.named
                    for i, lengths in enumerate(zip(*(data.shape for data in y._raw), strict=True))
                    if lengths == want
                ),
                key=lambda place: place[1],
            ),
        )
        if found is None:
            raise Unsketchable("a length that nothing with a name has")
        y, i = found
        text = self.text(y)
        return f"{text}.shape[{i}]" if i or "len" in self.taken else f"len({text})"

    def _reshape(self, x: Sketch) -> str:
        text, shape = self.within(x.operands[0], ATOM), x.shape
        if parts := new_axes([pair(n) for n in x.operands[0].shape], [pair(n) for n in shape]):
            return f"{text}[{', '.join(parts)}]"
        moving = [i for i, n in enumerate(shape) if isinstance(n, Count)]
        sizes = ["-1" if moving and i == moving[0] else self.parameter(n) for i, n in enumerate(shape)]
        return f"{text}.reshape({', '.join(sizes) or '()'})"

    def _transpose(self, x: Sketch) -> str:
        text, order, n = self.within(x.operands[0], ATOM), axes_of(x), x.ndim
        if order == tuple(range(n))[::-1]:
            return f"{text}.T"
        if n > 2 and order == (*range(n - 2), n - 1, n - 2):
            return f"{text}.swapaxes(-1, -2)"
        return f"{text}.transpose({', '.join(map(str, order))})"

    def like(self, x: Sketch, shape: Any) -> str:
        """Something that has a name and this shape; empty if nothing has."""
        if isinstance(shape, Shape) and shape.of.label:
            return self.text(shape.of)
        kind = (*(data.shape for data in x._raw), x.dtype)
        found = self.preferred(kind, lambda: [(y,) for y in self.named if same_shape(y, x) and y.dtype == x.dtype])
        return self.text(found[0]) if found else ""

    def preferred(self, kind: Any, candidates: Callable[[], list[Any]]) -> Any:
        """The first of some Sketches with names that is read anyway, or else the first; None if there is none."""
        if kind not in self.chosen:
            if kind not in self.candidates:
                self.candidates[kind] = candidates()
            some = self.candidates[kind]
            read = next((found for found in some if found[0].label in self.read), None)
            if read is None:
                return some[0] if some else None
            self.chosen[kind] = read
        return self.chosen[kind]

    def _broadcast_to(self, x: Sketch) -> str:
        named = self.like(x, x.params["shape"])
        shape = f"{named}.shape" if named else self.parameter(tuple(x.shape))
        return f"{self.np}.broadcast_to({self.text(x.operands[0])}, {shape})"

    def _getitem(self, x: Sketch) -> str:
        return f"{self.within(x.operands[0], ATOM)}[{', '.join(self.index_parts(x.params['index']))}]"

    def index_parts(self, index: Any) -> list[str]:
        """What stands between the brackets."""
        parts = list(index) if isinstance(index, tuple) else [index]
        texts = [self._index_part(part) for part in parts]
        while len(texts) > 1 and texts[-1] == ":" and not any(part is Ellipsis for part in parts):
            texts.pop()
        return texts or ["()"]

    def _index_part(self, part: Any) -> str:
        if isinstance(part, slice):
            start, stop, step = (None if n is None else self.parameter(n) for n in (part.start, part.stop, part.step))
            start = None if start == "0" and (part.step is None or part.step > 0) else start
            return f"{start or ''}:{stop or ''}{f':{step}' if step else ''}"
        if isinstance(part, np.ndarray):
            return repr(part.tolist())
        return "..." if part is Ellipsis else self.parameter(part)

    def _float(self, x: Sketch) -> str:
        return f"{self.within(x.operands[0], ATOM)}.astype({self.dtype})"

    def _concatenate(self, x: Sketch) -> str:
        return f"{self.np}.concatenate([{', '.join(map(self.text, x.operands))}], {options(x.params)})"


def new_axes(have: Sequence[Any], want: Sequence[Any]) -> list[str]:
    """A reshape that only adds axes of length 1, as parts of an index; nothing if it does more.

    >>> new_axes([3, 4], [3, (1, 1), 4]), new_axes([3, 4], [3, 4, (1, 1)]), new_axes([3, 4], [12])
    ([':', 'None'], ['...', 'None'], [])
    """
    parts: list[str] = []
    left = list(have)
    for n in want:
        if left and n == left[0]:
            left.pop(0)
            parts.append(":")
        elif n == (1, 1):
            parts.append("None")
    if not have or left or len(parts) != len(want) or "None" not in parts:
        return []
    if parts[-1] == "None" and len(have) > 1 and parts.count("None") == 1:
        return ["...", "None"]
    return parts[: len(parts) - parts[::-1].index("None")]


def options(params: dict[str, Any]) -> str:
    """Parameters as keyword arguments.

    >>> options({"axis": (1,), "keepdims": True})
    'axis=1, keepdims=True'
    """
    plain = {key: x[0] if isinstance(x, tuple) and len(x) == 1 else x for key, x in params.items()}
    return ", ".join(f"{key}={x!r}" for key, x in sorted(plain.items()) if x is not None)
