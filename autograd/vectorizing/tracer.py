"""`Tracer`: a number that is not known yet; what a function does with it is written down.

A `Tracer` passes for a Value. Whatever would need its number (a branch, ``float``), or that of a parameter,
is refused at the line that asks, with the remedy.
"""

from __future__ import annotations

import inspect
import math
from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autograd import ops
from autograd.engine.anomaly import calling_line
from autograd.engine.byhand import ByHand
from autograd.engine.graph import Node
from autograd.engine.modes import active, modes
from autograd.engine.value import Value, dot_items, without_axis
from autograd.ops import questions
from autograd.ops.arrays import number
from autograd.ops.operators import NUMPY_NAMES, method_names
from autograd.ops.rows import Op, Reduction, Traced, box
from autograd.ops.worlds import ROWS
from autograd.transforms.containers import flatten
from autograd.vectorizing import builtin
from autograd.vectorizing.scalars import CONSTANT, INPUT, PARAMETER, Array, Bound, Table

REMEDY = "vectorize runs it once for all numbers: use where(condition, x, y), maximum, minimum, clip or relu"


class TraceError(TypeError):
    """A function does something with its numbers that has no array form; the message names the line and the remedy."""


def refuse(what: str, remedy: str = REMEDY) -> NoReturn:
    """Raise, naming the line of the function that asked. The trace is refused too, if the function catches this."""
    error = TraceError(f"{calling_line()}: {what}, and {remedy}")
    if modes.tracer is not None:
        modes.tracer.refused = modes.tracer.refused or error
    raise error


def foreign() -> NoReturn:
    """Raise, naming the line."""
    raise TraceError(f"{calling_line()}: a number of another trace was kept and is used here")


class Tracer(Value):
    """A number that is not known yet: an input of the function, or what was computed from one."""

    __slots__ = ("number", "trace")
    _priority = 4  # a Dual may hold it
    number: int
    trace: Trace

    def __init__(self, trace: Trace, number: int) -> None:
        self.trace = trace
        self.number = number

    @property
    def data(self) -> Any:
        """The number as a constant: no gradient flows through it."""
        return self.detach()

    @data.setter
    def data(self, number: Any) -> NoReturn:
        refuse("sets the number of a Value that is traced", "vectorize traces what is computed: make a new Value of it")

    @property
    def _raw(self) -> NoReturn:
        refuse("needs a number that is not known while tracing", HINT_DATA)

    @property
    def grad(self) -> NoReturn:
        """Not known while tracing."""
        refuse("reads .grad while tracing", "vectorize traces the forward function only: call backward on its result")

    @property
    def op(self) -> None:
        return None

    @property
    def is_leaf(self) -> bool:
        """Whether it is an input."""
        return self.number < 0

    def item(self) -> Any:
        """The same."""
        return self.detach()

    def backward(self) -> None:
        """Not while tracing."""
        refuse("calls backward while tracing", "vectorize traces the forward function only: call it on the result")

    def _held(self) -> NoReturn:
        refuse(
            "makes a Value of a number that is not known while tracing",
            "it is one already: use it as it is. An operation written by hand takes autograd.custom_op",
        )

    def detach(self) -> Any:
        """The number as a constant: no gradient flows through it."""
        return self.trace.record(questions.constant, (self.number,))

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if isinstance(op, Reduction):  # of one scalar
            return cls._gather(op, inputs, params)
        if any(isinstance(x, (np.ndarray, list, tuple)) and np.ndim(x) for x in inputs):
            return np.frompyfunc(op, op.arity, 1)(*[box(x) for x in inputs])
        if not op.on_scalars:
            raise TypeError(f"{op.name} works on arrays and Tensors, not on a Value")
        trace = trace_of(inputs)
        numbers = [trace.answer if op is ops.where and not i else trace.operand for i in range(len(inputs))]
        return trace.record(bound(op, params), tuple([of(x) for of, x in zip(numbers, inputs, strict=True)]))

    @classmethod
    def _gather(cls, op: Op, items: Sequence[Any], params: dict[str, Any]) -> Any:
        rest = without_axis(op, params)
        trace = trace_of(items)
        return trace.record(bound(op, rest), tuple([trace.operand(x) for x in items]))

    @classmethod
    def _dot(cls, x: Any, y: Any, bias: Any) -> Any:
        _, _, items = dot_items(x, y, bias)
        trace = trace_of(items)
        known = trace.leaves
        return trace.record(
            ops._dot,
            tuple(
                [
                    item.number
                    if type(item) is Tracer and item.trace is trace
                    else known[id(item)]
                    if id(item) in known
                    else trace.operand(item)
                    for item in items
                ]
            ),
        )

    def __bool__(self) -> bool:
        refuse("branches on a number that is not known while tracing")

    def __float__(self, *digits: Any) -> NoReturn:
        refuse("turns a number that depends on an input into a float", f"its number is not known. {HINT_DATA}")

    __int__ = __complex__ = __float__

    def __index__(self) -> NoReturn:
        refuse("uses a number that is not known as a whole number, a place in a list or a count", HINT_WHOLE)

    # What rounds has the derivative 0.

    def __floor__(self) -> Any:
        x = self.detach()
        whole = ops.floordiv.apply((x, 1.0), {})
        return ops.where(ops.abs(x) < WHOLE, whole, x)  # infinity is no quotient

    def __ceil__(self) -> Any:
        return -(-self).__floor__()

    def __trunc__(self) -> Any:
        return ops.copysign(ops.abs(self).__floor__(), self.detach())

    def __round__(self, digits: int | None = None) -> Any:
        scale, x = 10.0 ** (digits or 0), self.detach()
        size = ops.abs(x) * scale
        below = size.__floor__()
        rest = ops.where(size < WHOLE, size - below, 0.0)
        whole = below + ops.where(rest < 0.5, 0.0, ops.where(rest > 0.5, 1.0, below % 2.0))  # of two, the even one
        return ops.copysign(whole, x) / scale

    def __hash__(self) -> NoReturn:
        refuse("looks a number up in a set or dictionary that is not known while tracing", f"{HINT_EQUAL}")

    def __eq__(self, other: Any) -> Any:
        return self.trace.equal("==", self, other)

    def __ne__(self, other: Any) -> Any:
        return self.trace.equal("!=", self, other)

    def __lt__(self, other: Any) -> Any:
        return self.trace.ask("<", self, other)

    def __le__(self, other: Any) -> Any:
        return self.trace.ask("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return self.trace.ask(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return self.trace.ask(">=", self, other)

    def __repr__(self) -> str:
        return f"<number %{self.number} of a trace>"


WHOLE = 2.0**52
"""From here on every float is a whole number."""

HINT_EQUAL = (
    "Values are looked up and compared by identity: write `a is b` for the same Value, and where(equal(a, b), x, y), "
    "with autograd.equal, for the same number. Labels and the like are whole numbers: see index="
)

HINT_WHOLE = (
    "whole numbers are arguments of their own: index={'k': 10} says how many values k takes, and in a call without "
    "shapes integers are whole numbers"
)

HINT_DATA = (
    "Compute with the value itself: autograd.exp(value) for math.exp, value.data for the number without a gradient, "
    "autograd.custom_op for an operation of your own"
)

HINT_BY_HAND = (
    "a _backward has no formula that works on arrays: use the rows and operators that it computes (value.tanh()), or "
    "autograd.custom_op"
)


class Condition(Traced):
    """The answer to a comparison that is not known yet: for `where`, with ``&`` and ``|``."""

    __slots__ = ("number", "trace")
    _priority = 4

    def __init__(self, trace: Trace, number: int) -> None:
        self.trace = trace
        self.number = number

    _apply = Tracer._apply
    _gather = Tracer._gather

    def detach(self) -> Condition:
        """Itself: an answer has no gradient."""
        return self

    def __bool__(self) -> bool:
        refuse("branches on a comparison that is not known while tracing (for `and` and `or` there are & and |)")

    __index__ = __int__ = __float__ = __hash__ = __bool__

    def __eq__(self, other: object) -> bool:
        return self.__bool__()

    __ne__ = __eq__

    def __and__(self, other: Any) -> Any:
        return self.trace.ask("&", self, other)

    def __or__(self, other: Any) -> Any:
        return self.trace.ask("|", self, other)

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> NoReturn:
        refuse(
            "negates a comparison with ~", "of Python's own answers that is -1 or -2, both true: exchange the branches"
        )


def _counted(name: str) -> Callable[..., Any]:
    """An operator on an answer, as Python's own answers have it: with 1 for yes and 0 for no."""

    def method(self: Condition, *others: Any) -> Any:
        return getattr(Tracer(self.trace, self.trace.operand(self)), name)(*others)

    return method


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "neg", "pos", "abs"):
    setattr(Condition, f"__{_name}__", _counted(f"__{_name}__"))


def trace_of(items: Sequence[Any]) -> Trace:
    """The trace that the first Tracer among the items belongs to; the one that is on."""
    for x in items:
        if isinstance(x, (Tracer, Condition)):
            return x.trace
    return modes.tracer  # type: ignore[no-any-return]


def bound(op: Op, params: dict[str, Any]) -> Any:
    """An operation together with its parameters, which a program has to write down."""
    if not params:
        return op
    plain = {key: x.item() if isinstance(x, np.generic) else x for key, x in params.items()}
    for key, x in plain.items():
        if not all(isinstance(item, (int, float, str, type(None))) for item in (x if type(x) is tuple else (x,))):
            refuse(f"gives {op.name} {key}={x!r:.60}", "a program has numbers, text and tuples of those as parameters")
    return Bound(op, tuple(sorted(plain.items())))


WRITTEN: dict[Any, int] = {}
"""The rows that Tracers have as methods, and their codes in the table of any trace."""


def _methods() -> None:
    """Give Tracers every row under the names under which Values have it."""
    for row in ROWS.values():
        if row.arity > 2:
            continue
        code = WRITTEN.setdefault(row, len(WRITTEN))
        for i, name in enumerate(method_names(row)):
            method = _unary(code) if row.arity == 1 else _binary(row, code, reflected=i == 1)
            method.__name__ = name
            setattr(Tracer, name, method)
            for theirs, ours in NUMPY_NAMES.items():
                if ours == name:
                    setattr(Tracer, theirs, method)


# These are called for each operation of a trace. So they do what `Trace.write` does without calling it.


def _unary(code: int) -> Callable[..., Any]:
    def method(self: Tracer) -> Any:
        trace = self.trace
        if modes.writes is not trace:
            return trace.write(code, (self.number,))
        codes = trace.codes
        out = new(Tracer)
        out.trace, out.number = trace, len(codes)
        codes.append(code)
        trace.operands.append(self.number)
        return out

    return method


def _binary(row: Any, code: int, reflected: bool) -> Callable[..., Any]:
    def method(self: Tracer, other: Any = row.defaults[-1] if row.defaults else None) -> Any:
        trace = self.trace
        if type(other) is Tracer:
            if other.trace is not trace:
                foreign()
            b = other.number
        elif (known := trace.floats.get(other) if type(other) is float else trace.leaves.get(id(other))) is not None:
            b = known
        elif isinstance(other, (np.ndarray, list, tuple)) or (
            isinstance(other, Traced) and not isinstance(other, Value)
        ):
            return row.apply((other, self) if reflected else (self, other), {})
        else:
            b = trace.operand(other)
        a = self.number
        if reflected:
            a, b = b, a
        if modes.writes is not trace:
            return trace.write(code, (a, b))
        codes, append = trace.codes, trace.operands.append
        out = new(Tracer)
        out.trace, out.number = trace, len(codes)
        codes.append(code)
        append(a)
        append(b)
        return out

    return method


_methods()

# Numbers of a trace: what is computed counts up from 0 in the order of the calls, so that two runs of one function
# line up; leaves count down from -1, and belong to all runs together.


class Trace:
    """Runs of one function, written down.

    While it runs, `modes.tracer` is this: operations on parameters alone are traced too.

    Args:
        f: the function.
        shapes: of each argument, without the batch.
        indices: for arguments that are whole numbers, how many values they take.
    """

    kind = Tracer

    def __init__(self, f: Callable[..., Any], shapes: Sequence[tuple[int, ...]], indices: dict[int, int]) -> None:
        self.f, self.shapes, self.indices = f, shapes, indices
        self.made: dict[int, Value] = {}  # leaves that the function makes itself are constants, unless they stay
        self.earlier: dict[int, Value] = {}
        self.stayed: list[Value] = []
        self.kept: list[Any] = []
        self.leaves: dict[Any, int] = {}
        self.floats: dict[float, int] = {}  # those that are constants already, but for 0.0, which is equal to -0.0
        self.table = Table()
        for row in WRITTEN:
            self.table.operation(row, row.arity)
        self.parameters: list[Value] = []
        self.imported: dict[int, int] = {}
        self.refused: TraceError | None = None
        self.stop_at = -1
        self.inputs = [
            [self._leaf((INPUT, i, k), INPUT, i, k) for k in range(math.prod(shape))]
            for i, shape in enumerate(shapes)
            if i not in indices
        ]

    # ------------------------------------------------------------------------------------------------- recording

    def record(self, op: Any, args: tuple[int, ...]) -> Any:
        """The result of an operation."""
        return self.write(self.table.operation(op, len(args)), args)

    def write(self, code: int, args: tuple[int, ...]) -> Any:
        """The result of the operation that has this code."""
        if modes.tracer is not self:
            foreign()
        n = len(self.codes)
        self.codes.append(code)
        self.operands.extend(args)
        if not modes.recording:  # no_grad: a constant comes out
            n += 1
            self.codes.append(self.table.operation(questions.constant, 1))
            self.operands.append(n - 1)
        out = new(Tracer)
        out.trace = self
        out.number = n
        return out

    def read(self, x: Value) -> Any:
        """The number of a Value that is not traced, for somebody who asks: a parameter's as a constant that follows it.

        None for a Value that the function made itself: its number is a constant anyhow.
        """
        return None if id(x) in self.made else self.detached(x)

    def detached(self, x: Any) -> Any:
        """A parameter's number as a constant that follows it."""
        return self.record(questions.constant, (self.operand(x),))

    def answer(self, x: Any) -> int:
        """The number of what a question is asked of, or of an answer."""
        if type(x) is not Condition:
            return self.operand(x if isinstance(x, Value) else ops.detach(x))  # of a Dual the primal
        if x.trace is not self:
            foreign()
        return x.number

    def ask(self, sign: str, *items: Any) -> Condition:
        """The answer to a comparison."""
        args = tuple([self.answer(x) for x in items])
        return Condition(self, self.record(questions.ANSWERS[sign], args).number)

    def is_constant(self, x: Tracer) -> bool:
        """Whether a number is one that was detached."""
        return x.number >= 0 and self.operation(x.number) is questions.constant

    def equal(self, sign: str, x: Tracer, other: Any) -> Any:
        """The answer to == or !=, which on Values themselves is not about numbers: of what is detached, it is."""
        if not isinstance(other, (Traced, float, int, np.number, np.ndarray)):
            return NotImplemented
        if x.trace is self is modes.tracer and all(
            self.is_constant(y) if isinstance(y, Tracer) and y.number >= 0 else not isinstance(y, Value)
            for y in (x, other)
        ):
            return self.ask(sign, x, other)
        refuse(f"compares a number that is not known while tracing by {sign}", HINT_EQUAL)

    def operand(self, x: Any) -> int:
        """The number of anything that an operation can be applied to; an answer counts as 1 or 0."""
        kind = type(x)
        if kind is Tracer:
            if x.trace is not self:
                foreign()
            return x.number  # type: ignore[no-any-return]
        if kind is Condition:
            args = (self.answer(x), self.operand(1.0), self.operand(0.0))
            return self.record(ops.where, args).number  # type: ignore[no-any-return]
        if isinstance(x, Value):
            known = self.leaves.get(id(x))
            if known is not None:
                return known
            return self._parameter(x) if x.op is None else self._import(x)
        return self._constant(bool(x) if isinstance(x, (bool, np.bool_)) else number(x))

    def _leaf(self, key: Any, kind: Any, *which: Any) -> int:
        found = self.leaves.get(key)
        if found is None:
            self.table.leaves.append((kind, which))
            found = self.leaves[key] = -len(self.table.leaves)
        return found

    def _constant(self, c: float) -> int:
        known = c if c == c else "nan"  # a nan is equal to none, not to itself either
        n = self._leaf((CONSTANT, known, math.copysign(1.0, c), type(c)), CONSTANT, c)
        if type(c) is float and c:
            self.floats[c] = n
        return n

    def _parameter(self, x: Value) -> int:
        key = id(x)
        if key in self.made:
            return self._constant(x._raw)
        if key in self.earlier:
            self.stayed.append(x)
        self.table.leaves.append((PARAMETER, (len(self.parameters),)))
        self.parameters.append(x)
        n = self.leaves[key] = -len(self.table.leaves)
        return n

    def by_hand(self, name: str) -> NoReturn:
        """An operation that a program writes on a node of its own has no formula to put into a program on arrays."""
        refuse(f"has an operation written by hand ({name})", HINT_BY_HAND)

    def _import(self, root: Value) -> int:
        """A Value that was computed from parameters alone: its graph joins the trace."""
        stack: list[tuple[Any, bool]] = [(root, False)]
        found, begun = self.imported, set()
        while stack:
            node, expanded = stack.pop()
            if id(node) in found:
                continue
            if node.op is None:
                found[id(node)] = self.operand(node)
                self.kept.append(node)
            elif isinstance(node.op, ByHand):
                self.by_hand(node.op.name)
            elif expanded:
                args = [found[id(x)] if isinstance(x, Node) else self.operand(x) for x in node.operands]
                found[id(node)] = self.record(bound(node.op, node.params), tuple(args)).number
                self.kept.append(node)  # its identity must not be taken by another
            elif id(node) in begun:
                refuse("uses a Value that is among what it was computed from", "a graph has no cycles")
            else:
                begun.add(id(node))
                stack.append((node, True))
                stack.extend((x, False) for x in node.operands if isinstance(x, Node))
        return found[id(root)]

    # ----------------------------------------------------------------------------------------------- reverse mode

    def operation(self, n: int) -> Any:
        """The operation that was written down as the n-th."""
        return self.table.operations[self.codes[n]]

    def row(self, n: int) -> Sequence[int]:
        """The operands of the n-th operation."""
        known = len(self.starts) - 1
        if n >= known:
            counts = [self.table.counts[code] for code in self.codes[known:]]
            self.starts += list(accumulate(counts, initial=self.starts[-1]))[1:]
        return self.operands[self.starts[n] : self.starts[n + 1]]

    def handle(self, n: int) -> Any:
        """What has this number, as the rules take it."""
        if n >= 0:
            return (Condition if is_answer(self.operation(n)) else Tracer)(self, n)
        kind, which = self.table.leaves[-1 - n]
        if kind is INPUT:
            return Tracer(self, n)
        return self.parameters[which[0]] if kind is PARAMETER else which[0]

    def between(self, outputs: Sequence[int], wrt: Sequence[int]) -> list[int]:
        """The operations on the paths from `wrt` to the outputs, in order."""
        first = min(wrt)  # what was computed before cannot depend on it
        below: set[int] = set()
        stack = list(outputs)
        while stack:
            n = stack.pop()
            if n > first and n >= 0 and n not in below and n not in wrt and self.operation(n) is not questions.constant:
                below.add(n)
                stack.extend(self.row(n))
        depends = set(wrt)
        order = []
        for n in sorted(below):
            if not depends.isdisjoint(self.row(n)):
                depends.add(n)
                order.append(n)
        return order

    def cotangents(self, outputs: Sequence[Any], seeds: Sequence[Any], wrt: Sequence[Any]) -> list[Any] | None:
        """As `cotangents` of a graph: the rules run on what was written down. None, if these are not traced."""
        if not all(isinstance(x, Value) for x in (*outputs, *wrt)):
            return None
        leaves = [self.operand(x) for x in wrt]
        ends = [self.operand(x) for x in outputs]
        order = self.between(ends, leaves)
        depends = {*leaves, *order}
        found: dict[int, Any] = {}

        def add(n: int, cotangent: Any) -> None:
            if n in depends and cotangent is not None:
                found[n] = found[n] + cotangent if n in found else cotangent

        for n, seed in zip(ends, seeds, strict=True):
            add(n, seed)
        for n in reversed(order):
            if (g := found.pop(n, None)) is not None:
                args = self.row(n)
                for a, cotangent in zip(args, self._pulled(n, g, [a in depends for a in args]), strict=True):
                    add(a, cotangent)
        return [found.get(n) for n in leaves]

    def _pulled(self, n: int, g: Any, needs: Sequence[bool]) -> Sequence[Any]:
        """The cotangents of an operation's operands."""
        op: Any = self.operation(n)
        if isinstance(op, questions.Question):
            return [None] * len(needs)
        params: dict[str, Any] = {}
        if isinstance(op, Bound):
            op, params = op.row, dict(op.params)
        out, inputs = self.handle(n), [self.handle(a) for a in self.row(n)]
        if not isinstance(op, Reduction):
            return op.vjp(g, needs, out, inputs, params)  # type: ignore[no-any-return]
        array = np.empty(len(inputs), dtype=object)
        array[:] = inputs
        (shares,) = op.vjp(box(g), (True,), box(out), (array,), params)
        return [share if need else None for share, need in zip(shares, needs, strict=True)]

    # --------------------------------------------------------------------------------------------------- running

    def run(self, values: Sequence[Any] = ()) -> Run:
        """Run the function, with these whole numbers in the index arguments."""
        self.codes = (array if self.stop_at < 0 else Until)("q")
        self.operands = array("q")
        self.starts = [0]  # of the operands of each operation, as far as somebody has asked
        self.earlier.update(self.made)
        self.made.clear()
        self.imported.clear()
        self.refused = None
        arguments, plain, symbols = [], iter(values), iter(self.inputs)
        for i, shape in enumerate(self.shapes):
            flat = next(plain) if i in self.indices else [Tracer(self, n) for n in next(symbols)]
            arguments.append(nested(flat, shape))
        outer, modes.tracer = modes.tracer, self
        active.enter()  # the quick operators of Values step aside
        try:
            with builtin.traced(self.f):
                out = self.f(*arguments)
        finally:
            active.leave()
            modes.tracer = outer
        if self.refused is not None:
            raise self.refused
        leaves, _ = flatten(out)
        for x in leaves:
            if not isinstance(x, (Value, float, int, np.floating, np.integer)):
                raise TraceError(
                    f"{name_of(self.f)} returned {type(x).__name__} {x!r:.60}: vectorize takes functions that return "
                    "Values, or lists, tuples and dictionaries of them"
                )
        outputs = [self.operand(x) for x in leaves]
        counts = np.array(self.table.counts)[np.asarray(self.codes)]
        return Run(np.asarray(self.codes), np.asarray(self.operands), counts, outputs, out)

    def line(self, n: int, values: Sequence[Any]) -> str:
        """The line that the n-th operation was built by."""
        self.stop_at = n
        try:
            self.run(values)
        except _Found as found:
            return str(found)
        finally:
            self.stop_at = -1
        return name_of(self.f)


def is_answer(op: Any) -> bool:
    """Whether the result of an operation is a bool."""
    return isinstance(op, questions.Question) and op is not questions.constant


new = Value.__new__


class _Found(BaseException):
    """The line that was looked for."""


class Until(array):  # type: ignore[type-arg]
    """The codes of a run that stops at one operation, to find its line."""

    def append(self, code: int) -> None:
        """Add a code."""
        if len(self) == modes.tracer.stop_at:
            raise _Found(calling_line())
        super().append(code)


class Run(NamedTuple):
    """What one run did: operations and operands in the order of the calls, and what came out."""

    codes: Array
    operands: Array
    """Of all operations, one after another."""
    counts: Array
    """How many operands each operation has."""
    outputs: list[int]
    result: Any

    def numbers(self) -> Array:
        """All operands, and the outputs, in one row."""
        return np.concatenate([self.operands, np.array(self.outputs, dtype=np.int64)])


def nested(flat: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Nested lists of this shape."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0] if shape[0] else 0
    return [nested(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def name_of(f: Any) -> str:
    """What to call a function in a message."""
    return getattr(f, "__name__", None) or type(f).__name__


def compare(tracer: Trace, run: Run, again: Run, values: Sequence[Any], cause: str) -> None:
    """Refuse if two runs did not do the same operations."""
    if np.array_equal(run.codes, again.codes):
        if len(run.outputs) == len(again.outputs):
            return
        raise TraceError(f"{name_of(tracer.f)} returned {len(run.outputs)} numbers, then {len(again.outputs)}")
    common = min(len(run.codes), len(again.codes))
    n = int(np.argmin(np.append(run.codes[:common] == again.codes[:common], False)))
    where = tracer.line(n, values) if n < len(run.codes) else name_of(tracer.f)
    raise TraceError(f"{where}: what is computed from here on depends on {cause}, and {REMEDY}")


def owner(run: Run, at: int) -> int:
    """The operation whose operand stands at this place of all operands in a row; -1 for an output."""
    n = int(np.searchsorted(np.cumsum(run.counts), at, side="right"))
    return n if n < len(run.codes) else -1


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """Names for the arguments: the function's own, where it has them."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return (plain + [f"x{i + 1}" for i in range(len(plain), count)])[:count]
