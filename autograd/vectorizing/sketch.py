"""A Sketch: an array that writes down what is done with it, for batches of any length.

A number that depends on the length of the batch must not end up in a text as a number. So a Sketch holds two arrays,
of two batches of different lengths: lengths on which they differ are `Count`s, which know where they were read.

>>> x = Sketch((np.ones((3, 2)), np.ones((7, 2))), "x")
>>> y = (x * 2.0).sum(axis=0) / x.shape[0]
>>> y.op.name, y.shape, x.shape[0] == 3
('div', (2,), False)
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from autograd import ops
from autograd.engine.graph import Node
from autograd.functions.table import TABLE, Meaning
from autograd.ops.operators import ArrayOperators
from autograd.ops.rows import Elementwise, Fused, Linear, Op, Reduction, Rule, normalize_axis

Pair: TypeAlias = tuple[Any, Any]
numbers = itertools.count()
"""Sketches are numbered as they are made, so that lines come in the order of the sweep."""


class Unsketchable(NotImplementedError):
    """Something that has no text, or none that holds for every batch."""


# ------------------------------------------------------------------------------------------- operations beside rows


class Form(Op):
    """An operation on Sketches that has no derivative: a question about numbers, or a name for what is there."""

    def __init__(self, name: str, function: Rule, infix: str = "", arity: int = 2) -> None:
        super().__init__(name, arity, infix=infix)
        self.forward = function


def put_along_axis(g: Any, index: Any, axis: int, shape: Any) -> Any:
    """Zeros with one element of each row set."""
    out = np.zeros(shape, g.dtype)
    np.put_along_axis(out, index, g, axis)
    return out


LESS, LESS_EQUAL = Form("less", np.less, "<"), Form("less_equal", np.less_equal, "<=")
GREATER, GREATER_EQUAL = Form("greater", np.greater, ">"), Form("greater_equal", np.greater_equal, ">=")
EQUAL, NOT_EQUAL = Form("equal", np.equal, "=="), Form("not_equal", np.not_equal, "!=")
COMPARISONS = (LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL)
AND, EITHER, NOT = Form("and", np.logical_and, "&"), Form("or", np.logical_or, "|"), Form("not", np.logical_not, "~", 1)
ONES = Form("ones_like", np.ones_like, arity=1)
LENGTH = Form("length", lambda x, axis: np.asarray(x.shape[axis]), arity=1)
FLOAT = Form("float", lambda x: x.astype(float), arity=1)
DETACH = Form("detach", lambda x: x, arity=1)
LET = Form("let", lambda x: x, arity=1)  # the gradient of something, which may have a name
PUT = Form("put_along_axis", put_along_axis)
TAKE = Linear(
    "take_along_axis",
    lambda x, index, axis: np.take_along_axis(x, index, axis),
    lambda g, x, index, axis: PUT.apply((g, index), {"axis": axis, "shape": x.shape}),
    lambda g, *_, **__: None,
    params=("axis",),
    doc="One element of each row.",
)
BY_HAND = (ops.linear, ops._softmax, ops._log_softmax)
"""Fused rows whose own vjp reads well; others are taken apart."""


# ------------------------------------------------------------------------------------- numbers that know their text


def arithmetic(f: Rule) -> Callable[[Any, Any], Any]:
    """A method of `Count`."""
    return lambda self, other: Count(f(self.sketch, other)) if isinstance(other, int) else NotImplemented


def comparison(f: Rule) -> Callable[[Any, Any], bool]:
    """A question to a `Count`, which has to have one answer: a rule that loops over the batch has none."""

    def method(self: Any, other: Any) -> bool:
        first, second = map(f, pair(self), pair(other))
        if first != second:
            raise Unsketchable("a decision that depends on the length of the batch")
        return bool(first)

    return method


class Count(int):
    """A length that depends on the batch, or what was computed from one."""

    sketch: Sketch

    def __new__(cls, sketch: Sketch) -> Any:
        first, second = (int(x) for x in sketch._raw)
        self = super().__new__(cls, first)
        self.sketch = sketch
        return first if first == second else self

    __add__ = __radd__ = arithmetic(operator.add)
    __mul__ = __rmul__ = arithmetic(operator.mul)
    __sub__ = arithmetic(operator.sub)
    __rsub__ = arithmetic(lambda x, y: y - x)
    __lt__, __le__ = comparison(operator.lt), comparison(operator.le)
    __gt__, __ge__ = comparison(operator.gt), comparison(operator.ge)

    def __truediv__(self, other: Any) -> Any:
        return Ratio(self.sketch / other)

    def __rtruediv__(self, other: Any) -> Any:
        return Ratio(other / self.sketch)

    def _never(self, *others: Any) -> Any:
        raise Unsketchable("this arithmetic with the length of the batch")

    __neg__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _never

    def __eq__(self, other: Any) -> bool:
        return pair(self) == pair(other)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(pair(self))


class Ratio(float):
    """A number computed from a Count; a float, so that rules see a weight that is the same for every element."""

    sketch: Sketch

    def __new__(cls, sketch: Sketch) -> Ratio:
        self = super().__new__(cls, float(sketch._raw[0]))
        self.sketch = sketch
        return self


class Shape(tuple[int, ...]):
    """The lengths of a Sketch, and which Sketch it is that has them."""

    of: Sketch


def pair(x: Any) -> Pair:
    """A number at the two batches."""
    return (int(x.sketch._raw[0]), int(x.sketch._raw[1])) if isinstance(x, Count) else (x, x)


def concrete(x: Any, k: int) -> Any:
    """An operand or a parameter as it is at batch k."""
    if isinstance(x, Sketch):
        return x._raw[k]
    if isinstance(x, (Count, Ratio)):
        return x.sketch._raw[k].item()
    if isinstance(x, (tuple, list)):
        return (list if isinstance(x, list) else tuple)([concrete(item, k) for item in x])
    if isinstance(x, slice):
        return slice(concrete(x.start, k), concrete(x.stop, k), concrete(x.step, k))
    if isinstance(x, dict):
        return {key: concrete(item, k) for key, item in x.items()}
    return x


def inside(x: Any) -> list[Sketch]:
    """The Sketches in a parameter, such as an index."""
    if isinstance(x, (tuple, list)) and not isinstance(x, Shape):
        return [sketch for item in x for sketch in inside(item)]
    return [x] if isinstance(x, Sketch) else []


# ------------------------------------------------------------------------------------------------------- the Sketch


def question(form: Form) -> Callable[[Any, Any], Any]:
    """A method of `Sketch`."""
    return lambda self, other: form.apply((self, other), {})


class Sketch(Node, ArrayOperators):
    """An array that writes down what is done with it.

    `_raw` holds its numbers at the two batches, `label` the name it has in the text, `gradient` that of its
    gradient, or `hint` one that would suit it; `moves` says whether it depends on a parameter.
    """

    __slots__ = ("gradient", "hint", "label", "moves", "number", "params")
    _fuses = True
    _priority = 20
    _raw: Pair
    simplify: ClassVar[Callable[[Any], Any]] = staticmethod(lambda x: x)  # `notation` knows shorter ways

    def __init__(self, data: Pair, label: str = "", gradient: str = "", moves: bool = False) -> None:
        self._start(None, (), {}, data, moves)
        self.label, self.gradient = label, gradient

    def _start(self, op: Op | None, operands: tuple[Any, ...], params: dict[str, Any], data: Pair, moves: bool) -> None:
        self.op, self.operands, self.params = op, operands, params
        self._raw, self.moves = data, moves
        self.grad = None
        self.label = self.gradient = self.hint = ""
        self.number = next(numbers)

    @classmethod
    def of(cls, op: Op, operands: tuple[Any, ...], params: dict[str, Any]) -> Sketch:
        """The operation as a node, computed at both batches."""
        try:
            with np.errstate(all="ignore"):
                first, second = (
                    np.asarray(op.forward(*[concrete(x, k) for x in operands], **concrete(params, k))) for k in (0, 1)
                )
        except (ValueError, IndexError, TypeError) as error:
            raise Unsketchable(f"{op.name} on batches of different lengths: {error}") from error
        if first.ndim != second.ndim:
            raise Unsketchable(f"{op.name} gives a number of dimensions that depends on the batch")
        out: Sketch = object.__new__(cls)
        moves = not isinstance(op, Form) and any(isinstance(x, Sketch) and x.moves for x in operands)
        out._start(op, operands, params, (first, second), moves)
        return out

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if isinstance(op, Fused) and op not in BY_HAND:
            return op.composition(*inputs, **params)
        operands = tuple(map(operand, inputs))
        if op in (ops.div, ops.sum):  # of answers, NumPy would make float64 or counts
            operands = tuple([FLOAT.apply((x,), {}) if getattr(x, "dtype", 0) == np.bool_ else x for x in operands])
        if isinstance(op, Reduction):
            axes = normalize_axis(params.get("axis"), operands[0].ndim)
            params = {**params, "axis": None if len(axes) == operands[0].ndim else axes}
            params = {key: x for key, x in params.items() if x is not None and x is not False}
        return cls.simplify(cls.of(op, operands, params))

    @property
    def parents(self) -> tuple[Node, ...]:  # type: ignore[override]
        return tuple([x for x in self.operands if isinstance(x, Sketch) and x.moves]) if self.moves else ()

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        if g.op is not None or g.label != self.gradient:
            g = LET.apply((g,), {})
            g.label, g.hint = self.gradient, self.hint
        needs = [isinstance(x, Sketch) and x.moves for x in self.operands]
        try:
            return self.op.vjp(g, needs, self, self.operands, self.params)  # type: ignore[no-any-return]
        except (TypeError, AttributeError) as error:
            raise Unsketchable(f"the rule of {self.op.name}: {error}") from error

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis: a Count where it depends on the batch."""
        lengths = [
            n if n == m else Count(Sketch.of(LENGTH, (self,), {"axis": i}))
            for i, (n, m) in enumerate(zip(*(data.shape for data in self._raw), strict=True))
        ]
        shape = Shape(lengths)
        shape.of = self
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._raw[0].ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._raw[0].dtype  # type: ignore[no-any-return]

    def broadcast_to(self, shape: Sequence[int]) -> Any:
        """See `autograd.broadcast_to`; here the shape stays the shape of something."""
        return ops.broadcast_to(self, shape)

    def detach(self) -> Sketch:
        """The same text, with no gradient behind it."""
        return DETACH.apply((self,), {}) if self.moves else self

    def __len__(self) -> int:
        n = self.shape[0]
        if isinstance(n, Count):
            raise Unsketchable("len() of a batch")
        return n

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise Unsketchable("a decision that depends on numbers")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise Unsketchable("a function of NumPy on plain numbers")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.ndim, np.shape, np.size):
            return getattr(args[0], function.__name__)
        if function is np.ones_like:
            return ONES(*args)
        meaning = TABLE.get(function)
        return meaning(args, kwargs) if isinstance(meaning, Meaning) else NotImplemented

    __lt__, __le__ = question(LESS), question(LESS_EQUAL)
    __gt__, __ge__ = question(GREATER), question(GREATER_EQUAL)
    __eq__, __ne__ = question(EQUAL), question(NOT_EQUAL)
    __hash__ = object.__hash__
    __and__ = __rand__ = question(AND)
    __or__ = __ror__ = question(EITHER)

    def __invert__(self) -> Any:
        return NOT.apply((self,), {})


def operand(x: Any) -> Any:
    """An operand as a Sketch, an array or a Python number."""
    if isinstance(x, (Count, Ratio)):
        return x.sketch
    if isinstance(x, (list, tuple)):
        return np.asarray(x)
    return x.item() if isinstance(x, np.generic) else x


# ---------------------------------------------------------------------------------- what one sees of them


def below(roots: Sequence[Sketch]) -> list[Sketch]:
    """All that these were made of, in the order in which it was made."""
    found: dict[int, Sketch] = {}
    stack = list(roots)
    while stack:
        x = stack.pop()
        if id(x) not in found:
            found[id(x)] = x
            stack += [y for y in x.operands if isinstance(y, Sketch)]
    return sorted(found.values(), key=lambda x: x.number)


def bare(x: Any) -> Any:
    """What is inside of a gradient that has no name."""
    while isinstance(x, Sketch) and not x.label and x.op is LET:
        (x,) = x.operands
    return x


def made(x: Any, *rows: Op) -> tuple[Any, ...]:
    """The operands, if it is the result of one of these and has no name of its own; nothing if it is not."""
    x = bare(x)
    return x.operands if isinstance(x, Sketch) and not x.label and x.op in rows else ()


def unstretched(x: Any) -> Any:
    """What was broadcast: an assignment does that by itself."""
    while source := made(x, ops.broadcast_to):
        (x,) = source
    return x


def is_number(x: Any, *numbers: float) -> bool:
    """Whether it is one of these numbers, written as one."""
    return type(x) in (int, float) and x in numbers


def same_shape(x: Any, y: Sketch) -> bool:
    """Whether the shapes agree at both batches."""
    return isinstance(x, Sketch) and all(a.shape == b.shape for a, b in zip(x._raw, y._raw, strict=True))


def is_same(x: Any, y: Any) -> bool:
    """Whether two did the same with the same."""
    stack = [(x, y)]
    while stack:
        x, y = map(bare, stack.pop())
        if x is y:
            continue
        if not (isinstance(x, Sketch) and isinstance(y, Sketch) and x.op is y.op):
            return False
        if x.label or y.label or not isinstance(x.op, (Elementwise, Reduction)) or x.params != y.params:
            return False
        stack += zip(x.operands, y.operands, strict=True)
    return True


def is_lifted(x: Any) -> bool:
    """Whether it is something with axes of length 1 put before its own."""
    if not (source := made(x, ops.reshape)):
        return False
    extra = x.ndim - source[0].ndim
    return bool(extra >= 0 and x._raw[0].shape == (1,) * extra + source[0]._raw[0].shape)


def narrowed(out: Sketch) -> Sketch:
    """An elementwise operation without those stretchings of its operands that broadcasting does anyway."""
    operands = list(out.operands)
    for i, x in enumerate(operands):
        while is_lifted(x) or made(x, ops.broadcast_to):
            (x,) = bare(x).operands
            trial = [*operands[:i], x, *operands[i + 1 :]]
            shapes = [np.broadcast_shapes(*[np.shape(concrete(y, k)) for y in trial]) for k in (0, 1)]
            if shapes != [data.shape for data in out._raw]:
                break
            operands = trial
    lifted = [is_lifted(x) for x in operands]
    if sum(lifted) == 1 and all(lift or np.ndim(x) == 0 for lift, x in zip(lifted, operands, strict=True)):
        inner = [bare(x).operands[0] if lift else x for lift, x in zip(lifted, operands, strict=True)]
        return Sketch.of(ops.reshape, (out.op.apply(inner, out.params),), {"shape": out.shape})
    changed = any(x is not y for x, y in zip(operands, out.operands, strict=True))
    return Sketch.of(out.op, tuple(operands), out.params) if changed else out


def axes_of(x: Sketch) -> tuple[int, ...]:
    """The order of axes of a transpose."""
    axes = x.params.get("axes")
    return tuple(range(x.ndim))[::-1] if axes is None else normalize_axis(axes, x.ndim)


def parts_of(x: Sketch) -> tuple[Any, ...]:
    """The index of a getitem or a scatter as a tuple of parts, each a type that compares."""
    index = x.params["index"]
    parts = index if isinstance(index, tuple) else (index,)
    return tuple("array" if isinstance(part, (Sketch, np.ndarray, list)) else part for part in parts)
