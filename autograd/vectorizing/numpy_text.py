"""Trees as NumPy text.

>>> from autograd.vectorizing.simpler import simplified
>>> from autograd.vectorizing.tree import Trees
>>> n = Size.symbol("n")
>>> x = Trees(simplified).leaf("x", (n, 2), float)
>>> NumPyText([x]).text((-x * 1.0 + x.sum(axis=1, keepdims=True)) / n)
'(x.sum(axis=1, keepdims=True) - x) / len(x)'
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import postorder
from autograd.ops import questions
from autograd.ops.rows import Elementwise, Op, Reduction
from autograd.ops.symbol import ATOM, COMPARE, NEGATIVE, OR, POWER, PRODUCT, SUM
from autograd.vectorizing.inference import Operand
from autograd.vectorizing.sizes import NotLowerable, Size
from autograd.vectorizing.tree import BY_HAND, NUMBER, Expression, made

LONG, LONGER = 40, 48  # characters: a gradient, and anything, that is longer is a line of its own
SHORT = 10  # characters that may as well be written twice

APART: dict[Any, Callable[..., Any]] = {
    **{row: row.composition for row in BY_HAND},
    ops.reciprocal: lambda x: 1 / x,
    ops.relu: lambda x: ops.maximum(x, 0),
    ops.logsumexp: lambda x, **where: ops.log(ops.sum(ops.exp(x - ops.max(x, **where)), **where)) + ops.max(x, **where),
    ops.norm: lambda x, **where: ops.sqrt(ops.sum(ops.square(x), **where)),
}
"""Rows that NumPy lacks, by what they are in terms of others."""

BINDING: dict[Any, tuple[int, int, int]] = {
    ops.add: (SUM, SUM, PRODUCT),
    ops.sub: (SUM, SUM, PRODUCT),
    **dict.fromkeys((ops.mul, ops.div, ops.matmul), (PRODUCT, PRODUCT, NEGATIVE)),
    ops.power: (POWER, ATOM, NEGATIVE),
    **dict.fromkeys(questions.COMPARISONS, (COMPARE, SUM, SUM)),
    **dict.fromkeys((questions.logical_and, questions.logical_or), (OR, ATOM, ATOM)),
}
"""How tightly an operator binds, and how tightly its operands have to."""

METHODS = {ops.sum, ops.mean, ops.max, ops.min, ops.prod, ops.var, ops.std, ops.cumsum}
VIEWS = {ops.transpose, ops.reshape, ops.broadcast_to, ops.getitem}  # may share memory with their operand
PLACED = {ops.scatter, questions.put_along}  # take lines of their own: zeros, and then a part is set


def numpy_name(row: Any) -> str:
    """The name under which NumPy has a row; empty if it has not.

    >>> numpy_name(ops.asin), numpy_name(ops.sigmoid)
    ('arcsin', '')
    """
    array = getattr(row, "array", None)
    name = getattr(array, "__name__", "")
    return {"absolute": "abs"}.get(name, name) if name and getattr(np, name, None) is array else ""


class Apart:
    """The pass for a library. A row that it lacks becomes its formula. A value that has a name becomes that name.

    `values` are the nodes that have names, and the leaves that stand for them. `native` are the rows that the library
    has, though NumPy has not.
    """

    def __init__(self, values: Sequence[tuple[Expression, Expression]], native: Container[Any] = ()) -> None:
        self.native = native
        self.found: dict[Expression, Any] = {}
        self.places: dict[Expression, int] = {}  # of named nodes: where those stood that they are made of
        computed = [(value, leaf) for value, leaf in values if value.op is not None]
        self.run([value for value, _ in computed])
        for value, leaf in reversed(computed):  # of two names for the same, the first one stays
            self.found[self.found[value]] = self.found[value] = leaf

    def run(self, roots: Iterable[Any]) -> None:
        """Find for each node below these what has the same numbers, in terms of operations that NumPy has."""
        for node in postorder([x for x in roots if isinstance(x, Expression)]):
            self.of(node)

    def of(self, node: Any) -> Any:
        """What has the numbers of this node. Its operands have been looked at, or are parts of a formula."""
        if not isinstance(node, Expression):
            return node
        if node not in self.found:
            for x in node.parents:
                self.of(x)
            self.found[node] = self._made(node)
        return self.found[node]

    def _made(self, node: Expression) -> Any:
        if node.op is None:
            return node
        operands = [self.found.get(x, x) if isinstance(x, Expression) else x for x in node.operands]
        if node.name:
            new = node.trees.let(operands[0], node.name)
            self.places.setdefault(new, node.place)
            self.found[new] = new
            return new
        if node.op is questions.constant and node.op not in self.native:
            return operands[0]
        changed = any(x is not y for x, y in zip(operands, node.operands, strict=True))
        new = node.trees.make(node.op, operands, node.params) if changed else node
        if not isinstance(new, Expression):
            return new
        if new is not node:
            return self.of(new)
        formula = formula_of(node.op)
        if formula is None or node.op in self.native:
            return node
        if isinstance(node.op, Reduction) and not node.params.get("keepdims"):  # the parts keep their axes
            out = ops.reshape(formula(*operands, **{**node.params, "keepdims": True}), node.shape)
        else:
            out = formula(*operands, **node.params)
        return self.of(out)


def formula_of(row: Op | None) -> Callable[..., Any] | None:
    """What a row is in terms of others, if NumPy has no function for it."""
    if row in APART:
        return APART[row]
    return row.value if isinstance(row, Elementwise) and not numpy_name(row) and row.is_formula else None


class NumPyText:
    """Writes nodes as expressions. What is used often or is long becomes a line of its own."""

    def __init__(self, named: Sequence[Expression], dtype: str = "float") -> None:
        self.named = named  # what the forward pass has names for
        self.dtype = dtype  # what to write for the type of the program's numbers
        self.hints: dict[Expression, str] = {}
        self.names: dict[Expression, str] = {}  # of lines already written
        self.uses: dict[Expression, int] = {}
        self.read: set[str] = set()
        self.candidates: dict[Any, list[Any]] = {}  # names for a length, or for a shape
        self.chosen: dict[Any, Any] = {}
        self.lines: list[str] = []
        self.imports: dict[str, str] = {}
        self.taken = {x.name for x in named}
        self.fresh_number = itertools.count(1)
        self.np = self.library()

    def library(self) -> str:
        """What NumPy is called: np, unless a variable has that name."""
        return "np" if "np" not in self.taken else self.foreign("import numpy", "np")

    # ------------------------------------------------------------------------------------------------------- names

    def fresh(self, wish: str = "") -> str:
        """A name that nothing has: the one wished for, or t1, t2, ..."""
        wishes: Iterator[str] = itertools.chain([wish] * bool(wish), (f"t{i}" for i in self.fresh_number))
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
        """The text of an expression, and how tightly it binds."""
        if not isinstance(x, Expression):
            return self.literal(x)
        if x.name:
            self.read.add(x.name)
            return x.name, ATOM
        if x in self.names:
            return self.names[x], ATOM
        hint = self.hints.get(x, "")
        text, binding = ("", ATOM) if x.op in PLACED else self.compose(x)
        often = self.uses.get(x, 0) > 1 and not self.is_cheap(x, text)
        if text and not often and len(text) <= (LONG if hint else LONGER):
            return text, binding
        name = self.names[x] = self.fresh(hint)
        if text:
            self.lines.append(f"{name} = {text}")
        else:
            self.accumulate(name, x, [x])
        return name, ATOM

    def accumulate(self, name: str, whole: Expression, terms: Sequence[Expression]) -> None:
        """The lines for what takes more than an expression."""
        raise NotLowerable(f"{whole.op.name} in an expression")

    def is_cheap(self, x: Expression, text: str) -> bool:
        """Whether it may as well be written twice."""
        small = x.op in VIEWS or (len(text) <= SHORT and "(" not in text)
        return x.op in (None, NUMBER) or (small and all(y.name for y in x.parents))

    def literal(self, x: Any) -> tuple[str, int]:
        """A number, and how tightly it binds."""
        text = self.special(x) if isinstance(x, float) and not math.isfinite(x) else repr(x)
        return text, NEGATIVE if text.startswith("-") else ATOM

    def special(self, x: float) -> str:
        """A number that has no digits."""
        return f"{'-' * (x < 0)}{self.np}.{'nan' if math.isnan(x) else 'inf'}"

    def compose(self, x: Expression) -> tuple[str, int]:
        """The operation on the texts of its operands."""
        op: Any = x.op
        if op is None:
            return self._data(x), ATOM
        if op is NUMBER:
            return self.size(x.params["size"])
        if op in BINDING:
            return self._infix(x)
        if op in (ops.neg, questions.logical_not):
            sign, binding = ("-", NEGATIVE) if op is ops.neg else ("~", ATOM)
            return f"{sign}{self.within(x.operands[0], binding)}", NEGATIVE
        ours = isinstance(op, questions.Question) or ops.ROWS.get(op.name) is op
        if ours and (method := getattr(self, f"_{op.name}", None)):
            return method(x), ATOM
        if op in METHODS:
            return f"{self.within(x.operands[0], ATOM)}.{op.name}({self.options(x)})", ATOM
        inputs = ", ".join(self.text(y) for y in x.operands)
        return f"{self.callee(op)}({', '.join(filter(None, [inputs, self.options(x)]))})", ATOM

    def callee(self, op: Op) -> str:
        """The function that a row is; NotLowerable if there is none."""
        if name := numpy_name(op) or (op in (questions.ones_like, questions.take_along) and op.name):
            return f"{self.np}.{name}"
        if isinstance(op, Elementwise) and ops.ROWS.get(op.name) is op:
            return self.row(op)
        raise NotLowerable(f"{op.name} has no text")

    def options(self, x: Expression) -> str:
        """The parameters of an operation as keyword arguments."""
        return keywords(x.params)

    def row(self, op: Op) -> str:
        """What an elementwise row is called that NumPy lacks: the row itself is imported."""
        return self.foreign(f"from autograd.ops import {op.name}", op.name)

    def _infix(self, x: Expression) -> tuple[str, int]:
        own, *bindings = BINDING[x.op]
        left, right = (self.within(y, binding) for y, binding in zip(x.operands, bindings, strict=True))
        first = x.operands[0]
        other = (ops.mul, ops.div) if x.op is ops.matmul else (ops.matmul,)
        if own == PRODUCT and made(first, *other) and not first.name and first not in self.names:
            left = f"({left})"  # a * b @ c is right, but who knows?
        return f"{left} {x.op.infix} {right}", own

    def _data(self, x: Expression) -> str:
        if x.array is None or x.dtype.kind not in "iub" or x.array.size > 32:
            raise NotLowerable(f"an array of shape {x.shape} without a name")
        return repr(x.array.tolist())

    # ------------------------------------------------------------------------------------------- sizes and shapes

    def parameter(self, x: Any) -> str:
        """A parameter of an operation."""
        if isinstance(x, (tuple, list)):
            inner = ", ".join(map(self.parameter, x))
            return f"[{inner}]" if isinstance(x, list) else f"({inner}{',' * (len(x) == 1)})"
        return self.size(x)[0] if isinstance(x, Size) else repr(x)

    def size(self, n: Size) -> tuple[str, int]:
        """A size by the length of something that has a name, or by several such."""
        if text := self.length(n):
            return text, ATOM
        terms = []
        for key, c in sorted(n.terms.items(), key=lambda term: -len(term[0])):
            factors = [self.length(Size.symbol(name)) for name in key]
            if not all(factors):
                raise NotLowerable(f"the length {n}, which nothing with a name has")
            terms.append((c, " * ".join([*factors, *[str(abs(c))] * (abs(c) != 1 or not key)])))
        text = "".join(f" {'-' if c < 0 else '+'} {term}" for c, term in terms)
        text = text[3:] if text[1] == "+" else f"-{text[3:]}"
        return text, SUM if len(terms) > 1 or text[0] == "-" else PRODUCT if " " in text else ATOM

    def length(self, n: Size) -> str:
        """The length of an axis of something that has a name; empty if there is none."""
        found = self.preferred(
            n,
            lambda: sorted(
                ((y, i) for y in self.named for i, m in enumerate(y.shape) if m == n), key=lambda place: place[1]
            ),
        )
        if found is None:
            return ""
        y, i = found
        text = self.text(y)
        return f"{text}.shape[{i}]" if i or "len" in self.taken else f"len({text})"

    def like(self, shape: Any, dtype: Any) -> str:
        """Something that has a name and this shape; empty if nothing has."""
        found = self.preferred(
            (shape, dtype), lambda: [(y,) for y in self.named if y.shape == shape and y.dtype == dtype]
        )
        return self.text(found[0]) if found else ""

    def preferred(self, kind: Any, candidates: Callable[[], list[Any]]) -> Any:
        """The first of some nodes with names that is read anyway, or else the first; None if there is none."""
        if kind not in self.chosen:
            if kind not in self.candidates:
                self.candidates[kind] = candidates()
            some = self.candidates[kind]
            read = next((found for found in some if found[0].name in self.read), None)
            if read is None:
                return some[0] if some else None
            self.chosen[kind] = read
        return self.chosen[kind]

    # ------------------------------------------------------------------------------- rows with a syntax of their own

    def _reshape(self, x: Expression) -> str:
        text, shape = self.within(x.operands[0], ATOM), x.shape
        if parts := new_axes(x.operands[0].shape, shape):
            return f"{text}[{', '.join(parts)}]"
        moving = [i for i, n in enumerate(shape) if isinstance(n, Size)]
        sizes = ["-1" if moving and i == moving[0] else self.parameter(n) for i, n in enumerate(shape)]
        return f"{text}.reshape({', '.join(sizes) or '()'})"

    def _transpose(self, x: Expression) -> str:
        text, order, n = self.within(x.operands[0], ATOM), x.params["axes"], x.ndim
        if order == tuple(range(n))[::-1]:
            return f"{text}.T"
        if n > 2 and order == (*range(n - 2), n - 1, n - 2):
            return f"{text}.swapaxes(-1, -2)"
        return f"{text}.transpose({', '.join(map(str, order))})"

    def _broadcast_to(self, x: Expression) -> str:
        named = self.like(x.shape, x.dtype)
        shape = f"{named}.shape" if named else self.parameter(tuple(x.shape))
        return f"{self.np}.broadcast_to({self.text(x.operands[0])}, {shape})"

    def _getitem(self, x: Expression) -> str:
        return f"{self.within(x.operands[0], ATOM)}[{', '.join(self.index_parts(x))}]"

    def index_parts(self, x: Expression) -> list[str]:
        """What stands between the brackets of a getitem or a scatter."""
        index = x.params["index"]
        parts = list(index) if isinstance(index, tuple) and not isinstance(index, Operand) else [index]
        texts = [self._index_part(part, x.operands) for part in parts]
        while len(texts) > 1 and texts[-1] == ":" and not any(part is Ellipsis for part in parts):
            texts.pop()
        return texts or ["()"]

    def _index_part(self, part: Any, operands: Sequence[Any]) -> str:
        if isinstance(part, slice):
            start, stop, step = (None if n is None else self.parameter(n) for n in (part.start, part.stop, part.step))
            start = None if start == "0" and (part.step is None or part.step > 0) else start
            return f"{start or ''}:{stop or ''}{f':{step}' if step else ''}"
        if isinstance(part, Operand):
            return self.text(operands[part.which])
        return "..." if part is Ellipsis else self.parameter(part)

    def _as_float(self, x: Expression) -> str:
        return f"{self.within(x.operands[0], ATOM)}.astype({self.dtype})"

    def _concatenate(self, x: Expression) -> str:
        return f"{self.np}.concatenate([{', '.join(map(self.text, x.operands))}], {self.options(x)})"


def new_axes(have: Sequence[Any], want: Sequence[Any]) -> list[str]:
    """A reshape that only adds axes of length 1, as parts of an index; nothing if it does more.

    >>> new_axes([3, 4], [3, 1, 4]), new_axes([3, 4], [3, 4, 1]), new_axes([3, 4], [12])
    ([':', 'None'], ['...', 'None'], [])
    """
    parts: list[str] = []
    left = list(have)
    for n in want:
        if left and n == left[0]:
            left.pop(0)
            parts.append(":")
        elif n == 1:
            parts.append("None")
    if not have or left or len(parts) != len(want) or "None" not in parts:
        return []
    if parts[-1] == "None" and len(have) > 1 and parts.count("None") == 1:
        return ["...", "None"]
    return parts[: len(parts) - parts[::-1].index("None")]


def keywords(params: Mapping[str, Any]) -> str:
    """Parameters as keyword arguments.

    >>> keywords({"axis": (1,), "keepdims": True})
    'axis=1, keepdims=True'
    """
    plain = {key: x[0] if isinstance(x, tuple) and len(x) == 1 else x for key, x in params.items()}
    return ", ".join(f"{key}={x!r}" for key, x in sorted(plain.items()) if x is not None)
