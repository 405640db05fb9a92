"""`Value`: a Python float that remembers how it was computed, so that gradients can flow back.

>>> a, b = Value(-4.0), Value(2.0)
>>> c = a * b + b**3
>>> c.backward()
>>> c.data, a.grad, b.grad
(0.0, 2.0, 8.0)

An operation on Values makes a new one. Besides its number it keeps what it was computed from (`parents`) and how much
it changes with each of them (`partials`, the local derivatives). That is all that the chain rule needs: `backward` goes
through the graph from the result to the leaves, and adds to each parent's gradient the node's own times the partial.

>>> d = a * b
>>> d.op.name, d.parents == (a, b), d.partials
('mul', True, (2.0, -4.0))

The formulas are the rows of the table in `autograd.ops`, bound to floats (`autograd.ops.worlds`). At the end of this
file, `unary` and `binary` make the operators of Value from them. Arithmetic follows IEEE 754: where Python's floats
raise, the general path (`Value._apply`) gives NumPy's number.

A program written for micrograd runs unchanged, its drawing code and the operations that it writes by hand included
(`autograd.engine.byhand`).

The class `Value` in this file is the reference. Where the compiled form runs (`autograd.native.form`), the same class
in C takes its place. `Scalar` is what both have in common.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from inspect import Signature, signature
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.engine.byhand import ByHand, HandWritten
from autograd.engine.collector import wait_for
from autograd.engine.graph import as_label, postorder
from autograd.engine.modes import CONSTANT, GENERAL, RECORDING, active, compiled, modes
from autograd.ops import products
from autograd.ops.arrays import number
from autograd.ops.operators import ALIASES, compared, method_names
from autograd.ops.operators import binary as general
from autograd.ops.rows import Elementwise, Op, Reduction, box, ieee, normalize_axis
from autograd.ops.signatures import as_method
from autograd.ops.worlds import FLOATS, ROWS

NONE: tuple[()] = ()
NAMELESS = ""


class Scalar(HandWritten):
    """What both forms of `Value` have in common: everything but how a number and its graph are held in memory."""

    __slots__ = ()
    _priority = 1
    shape: tuple[()] = ()
    ndim = 0
    empty_grad = 0.0

    partials: tuple[float, ...] | None  # the derivative by each parent; None where only `_backward` knows it

    def _own(self, name: str, default: Any) -> Any:
        """An attribute of the program's own, such as a label; the default if the node has none of this name."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """A name for drawings and messages; empty unless given."""
        return self._own("label", "")  # type: ignore[no-any-return]

    @label.setter
    def label(self, name: str) -> None:
        self.__dict__["label"] = as_label(name)

    @property
    def params(self) -> dict[str, Any]:  # type: ignore[override]
        """The parameters of the operation that made it; few operations on numbers have any."""
        return self._own("params", {})  # type: ignore[no-any-return]

    def item(self) -> float:
        """The number, as a Python float."""
        return self.data  # type: ignore[no-any-return]

    def detach(self) -> float:
        """The number as a constant: no gradient flows through it."""
        if modes.tracer is not None:
            return modes.tracer.detached(self)  # type: ignore[no-any-return]
        return self._raw  # type: ignore[no-any-return]

    def backward(self) -> None:
        """Set `grad` of everything below to the derivative of this Value with respect to it.

        >>> x = Value(2.0)
        >>> (x**3).backward()
        >>> x.grad
        12.0
        """
        if self.op is None:
            self.grad = (self.grad or 0.0) + 1.0
            return
        order: list[Any] = postorder([self])
        wait_for(len(order))
        for node in order:
            if node.op is not None or node.grad is None:  # leaves add up the gradients of several calls
                node.grad = 0.0
        self.grad = 1.0
        watch = modes.watch
        for node in reversed(order):  # results before operands: its gradient is complete
            g = node.grad
            if watch is not None and node.op is not None:
                watch.check(node, node._cotangents(g, live=False))
            if node.partials is None:
                node._backward()
            elif len(node.parents) == 2:  # one or two, as most have: without a loop this takes a third of the time
                x, y = node.parents
                dx, dy = node.partials
                x.grad += dx * g
                y.grad += dy * g
            elif len(node.parents) == 1:
                (x,) = node.parents
                (dx,) = node.partials
                x.grad += dx * g
            else:
                for x, dx in zip(node.parents, node.partials, strict=True):
                    x.grad += dx * g

    # ----------------------------------------------------------------------------------------- the general path

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if modes.tracer is not None:
            return modes.tracer.kind._apply(op, inputs, params)
        if isinstance(op, Reduction):  # of one scalar, which has no axes
            normalize_axis(params.get("axis"), 0)
            return cls._gather(op, inputs, {key: x for key, x in params.items() if key not in ("axis", "keepdims")})
        if not op.on_scalars:
            raise TypeError(f"{op.name} works on arrays and Tensors, not on a Value")
        operands = []
        for x in inputs:
            if isinstance(x, (np.ndarray, list, tuple)) and np.ndim(x):  # an array of Values comes out
                return np.frompyfunc(op, op.arity, 1)(*[box(x) for x in inputs])
            operands.append(x if isinstance(x, Value) or type(x) in (float, bool) else number(x))
        numbers = [x._raw if isinstance(x, Value) else x for x in operands]
        if not isinstance(op, Elementwise):  # somebody's own, which gives cotangents rather than partials
            return recorded(number(op.forward(*numbers, **params)), op, tuple(operands), None, params)
        data = ieee(op.value, numbers, op.array)
        rules = [rule for rule, x in zip(op.partials, operands, strict=True) if isinstance(x, Value)]
        if not modes.recording or None in rules:  # a condition, say, has no derivative
            return recorded(data, op, tuple(operands), None)
        return recorded(data, op, tuple(operands), tuple([ieee(rule, (data, *numbers)) for rule in rules]))  # type: ignore[arg-type]

    @classmethod
    def _gather(cls, op: Any, items: Sequence[Any], params: dict[str, Any]) -> Value:
        if modes.tracer is not None:
            return modes.tracer.kind._gather(op, items, params)  # type: ignore[no-any-return]
        rest = without_axis(op, params)
        values = tuple([x if isinstance(x, Value) else Value(x) for x in items])
        array = np.array([x._raw for x in values])
        with np.errstate(all="ignore"):
            data = op.forward(array, **rest)
            weight: Any = op.weight_of(data, array, rest)[0] if modes.recording else 0.0  # one of all, or one of each
        partials = (float(weight),) * len(values) if np.ndim(weight) == 0 else tuple(weight.tolist())
        return recorded(float(data), op, values, partials, rest)

    @classmethod
    def _dot(cls, x: Iterable[Any], y: Iterable[Any], bias: Any) -> Any:
        if modes.tracer is not None:
            return modes.tracer.kind._dot(x, y, bias)
        left, _, items = dot_items(x, y, bias)
        items = tuple([item if isinstance(item, Value) else Value(item) for item in items])  # constants become leaves
        n = len(left)
        a, b = [item._raw for item in items[:n]], [item._raw for item in items[n : 2 * n]]
        total = 0.0 if bias is None else items[-1]._raw
        for p, q in zip(a, b, strict=True):
            total += p * q
        return recorded(total, ops._dot, items, (*b, *a) if bias is None else (*b, *a, 1.0))

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        op, operands = self.op, self.operands
        if not live and self.partials is not None:
            partials = iter(self.partials)
            return [next(partials) * g if isinstance(x, Value) else None for x in operands]
        if isinstance(op, ByHand):
            return op.cotangents(self, g, live)
        needs = [isinstance(x, Value) for x in operands]
        out = self if live else np.float64(self._raw)
        inputs = [x if live or not need else np.float64(x._raw) for x, need in zip(operands, needs, strict=True)]
        with np.errstate(all="ignore"):
            if isinstance(op, Reduction):  # of many scalars: the rule runs on an array of them
                (shares,) = op.vjp(box(g), (True,), box(out), (np.array(inputs, dtype=object),), self.params)
                return list(shares)
            return op.vjp(g, needs, out, inputs, self.params)  # type: ignore[no-any-return]

    def _is_made(self) -> None:
        """Tell who traces that a program makes a leaf."""
        if modes.tracer is not None:
            modes.tracer.made[id(self)] = self

    def _is_read(self) -> Any:
        """What a program gets that reads the number while it is traced; None for the number itself."""
        return None if modes.tracer is None else modes.tracer.read(self)

    # --------------------------------------------------------------------------------------- NumPy and Python

    def __bool__(self) -> bool:
        return bool(self.data)

    # Hash and equality of Values are by identity, so that sets, dictionaries and lists of them mean what they say.
    # With a number, `==` compares the number: a function of numbers means the same when it is differentiated.

    def __eq__(self, other: Any) -> Any:
        if self is other:
            return True
        if isinstance(other, (Value, str, bytes, type(None))):
            if modes.differentiating and isinstance(other, Value) and self.data == other.data:
                raise TypeError(
                    f"== of two Values, both {self.data}: in a function that is being differentiated it could mean the "
                    "numbers or the objects. Say autograd.equal(a, b) for the numbers, `a is b` for the objects"
                )
            return False
        return compared(operator.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else np.logical_not(equal) if np.ndim(equal) else not equal

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._raw}, grad={self.grad}{label})"


class Value(Scalar):
    """One number in a computation graph.

    Args:
        data: a real number; ints, NumPy scalars and 0-d arrays become Python floats.
        label: a name for drawings and messages. A string in second place is one too.
        _children, _op: for an operation written by hand, its operands (a tuple of Values) and its sign, as micrograd
            has them; `_backward` is then to be set. In the place of `_op` may stand the local derivatives, a number
            an operand, as microgpt has them.

    `data` is the number, `grad` the derivative of whatever `backward` was last called on with respect to it (0.0
    before). Leaves accumulate into `grad` over several calls, as optimisers expect; results of operations hold
    those of the last call. Arithmetic follows IEEE 754 and never raises: ``Value(0.0).log()`` is -inf. Attributes of
    your own stay on the node that you set them on: ``p.momentum = 0.0``.

    >>> x = Value(3.0, label="x")
    >>> y = (x * x).relu()
    >>> y.backward()
    >>> x
    Value(data=3.0, grad=6.0, label='x')
    """

    __slots__ = ("__dict__", "__weakref__", "_raw", "grad", "op", "operands", "parents", "partials")

    parents: tuple[Value, ...]  # the operands that are Values

    def __init__(self, data: float = 0.0, _children: Any = (), _op: Any = "", label: str = "") -> None:
        self._raw = data if type(data) is float else number(data)
        self.grad = 0.0
        self.op = None
        self.operands = self.parents = self.partials = NONE
        if _children is not NONE or _op is not NAMELESS or label is not NAMELESS:
            self._begin(_children, _op, label)
        if active.modes:
            self._is_made()

    @property
    def data(self) -> float:
        """The number. Assigning converts to a Python float, and refuses anything else."""
        if active.modes and (traced := self._is_read()) is not None:
            return traced  # type: ignore[no-any-return]
        return self._raw  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: float) -> None:
        self._raw = data if type(data) is float else number(data)

    def _own(self, name: str, default: Any) -> Any:
        return self.__dict__.get(name, default)


def without_axis(op: Op, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a reduction of a sequence of Values, which has one axis; ValueError for another."""
    if params.get("axis") not in (None, 0, -1, (0,)) or params.get("keepdims"):
        raise ValueError(f"{op.name} of a sequence of Values has one axis, got {params}")
    return {key: x for key, x in params.items() if key not in ("axis", "keepdims")}


def dot_items(
    x: Iterable[Any], y: Iterable[Any], bias: Any
) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
    """Both factors of a dot product, and all of its operands in order; ValueError where the lengths differ."""
    left, right = tuple(x), tuple(y)
    if len(left) != len(right):
        raise ValueError(f"dot takes two sequences of equal length, got {len(left)} and {len(right)}")
    return left, right, (*left, *right) if bias is None else (*left, *right, bias)


def recorded(
    data: float, op: Op, operands: tuple[Any, ...], partials: tuple[float, ...] | None, params: Any = None
) -> Value:
    """A computed Value; a leaf where recording is off."""
    out = Value(data)
    if modes.recording:
        out.op, out.operands, out.partials = op, operands, partials
        out.parents = tuple([x for x in operands if isinstance(x, Value)])
        if params:
            out.__dict__["params"] = params
    if modes.watch is not None:
        modes.watch.record(out, op, operands)
    return out


# ------------------------------------------------------------------------------------- operators from the table

new = object.__new__
Method = Callable[..., Any]


def leaf(data: float) -> Value:
    """A Value that was not computed, without what the constructor looks at."""
    out: Value = new(Value)
    out._raw = data
    out.grad = 0.0
    out.op = None
    out.operands = out.parents = out.partials = NONE
    return out


def unary(row: Elementwise) -> Method:
    """The method that applies a row of one operand."""
    value, slope = FLOATS.bind(row.value), FLOATS.bind(row.partials[0])  # type: ignore[arg-type]

    def method(self: Value) -> Any:
        state = modes.state if active.modes else RECORDING
        if state == GENERAL:
            return row.apply((self,), {})
        x = self._raw
        try:
            data = value(x)
            if state == CONSTANT:
                return leaf(data)
            partials = (slope(data, x),)
        except (ArithmeticError, ValueError):  # where Python raises, IEEE 754 has an answer
            return row.apply((self,), {})
        out = new(Value)
        out._raw = data
        out.grad = 0.0
        out.op = row
        out.operands = out.parents = (self,)
        out.partials = partials
        return out

    return method


def binary(row: Elementwise) -> Method:
    """The operator or method that applies a row of two operands, the object being the first."""
    value, (by_x, by_y) = FLOATS.bind(row.value), map(FLOATS.bind, row.partials)  # type: ignore[arg-type]
    constant = constants(row)
    with_number = mixed(row)

    def method(self: Value, other: Any) -> Any:
        if type(other) is not Value or active.modes:
            return with_number(self, other)
        x = self._raw
        y = other._raw
        try:
            data = value(x, y)
            partials = constant or (by_x(data, x, y), by_y(data, x, y))
        except (ArithmeticError, ValueError):
            return general(row, self, other, other)
        out = new(Value)
        out._raw = data
        out.grad = 0.0
        out.op = row
        out.operands = out.parents = (self, other)
        out.partials = partials
        return out

    return method


def mixed(row: Elementwise, swapped: bool = False) -> Method:
    """The operator of a Value and a number, which stands on the left where they are swapped: ``2.0 - value``.

    Without recording it takes two Values as well. Everything else goes the general way.
    """
    i = 1 if swapped else 0
    value, slope = FLOATS.bind(row.value), FLOATS.bind(row.partials[i])  # type: ignore[arg-type]
    constant = constants(row)[i : i + 1]

    def method(self: Value, other: Any) -> Any:
        state = modes.state if active.modes else RECORDING
        kind = type(other)
        if ((kind is float or kind is int) and state != GENERAL) or (kind is Value and state == CONSTANT):
            try:
                number = other._raw if kind is Value else float(other)
                if swapped:
                    x, y = number, self._raw
                else:
                    x, y = self._raw, number
                data = value(x, y)
                if state == CONSTANT:
                    return leaf(data)
                partials = constant or (slope(data, x, y),)
            except (ArithmeticError, ValueError):
                pass
            else:
                out = new(Value)
                out._raw = data
                out.grad = 0.0
                out.op = row
                out.operands = (number, self) if swapped else (self, number)
                out.parents = (self,)
                out.partials = partials
                return out
        return general(row, other, self, other) if swapped else general(row, self, other, other)

    return method


def constants(row: Elementwise) -> tuple[float, ...]:
    """The partials of a row where they are numbers, as those of a sum are; else nothing.

    >>> constants(ops.sub), constants(ops.mul)
    ((1, -1), ())
    """
    nothing = [object()] * (1 + row.arity)  # what computes with these raises
    try:
        found = tuple([FLOATS.bind(rule)(*nothing) for rule in row.partials])  # type: ignore[arg-type]
    except (TypeError, AttributeError):
        return ()
    return found if all(isinstance(x, (int, float)) for x in found) else ()


def by_name(row: Elementwise, method: Method) -> Method:
    """A method of two operands whose second may be given by name, or have a default: ``x.leaky_relu(slope=0.1)``."""

    def named(self: Value, *others: Any, **given: Any) -> Any:
        if given or len(others) != 1:
            others = row.completed((self, *others), given)[1:]
        return method(self, *others)

    return named


def attach(row: Elementwise, name: str, method: Method) -> None:
    """Make a method one of Value's, with the name, the signature and the text that the row gives it."""
    method.__name__, method.__qualname__, method.__module__ = name, f"Value.{name}", __name__
    method.__doc__ = f"{row.summary} See `autograd.{row.name}`."
    method.__signature__ = as_method(row, name)  # type: ignore[attr-defined]
    for alias in (name, *ALIASES.get(name, ())):
        setattr(Value, alias, method)


def attach_all() -> None:
    """Make Value's operators and methods from the table."""
    for row in ROWS.values():
        for i, name in enumerate(method_names(row)):
            if row.arity == 1:
                attach(row, name, unary(row))
            elif row.arity == 2 and name[0] == "_":
                attach(row, name, mixed(row, swapped=True) if i else binary(row))
            elif row.arity == 2:
                attach(row, name, by_name(row, binary(row)))


def with_signature(name: str, found: Signature, text: Any) -> str:
    """The text of a function in C as Python wants it, so that help and editors know what the function takes.

    >>> print(with_signature("scaled", signature(lambda self, by=2.0: by), "Times a number."))
    scaled($self, by=2.0)
    --
    <BLANKLINE>
    Times a number.
    """
    items = [str(x.replace(annotation=x.empty)) for x in found.parameters.values()]
    return f"{name}({', '.join('$self' if x == 'self' else x for x in items)})\n--\n\n{text}"


def compiled_class(form: Any) -> type[Value]:
    """`Value` in C, with the methods of the rows that are compiled; see `autograd.native.form`."""
    numbers = {row.name: constants(row) for row in ROWS.values() if None not in row.partials}
    rows = {**ROWS, "dot": ops._dot, "sum": ops.sum}
    doc = with_signature("Value", signature(Value), Value.__doc__)
    backward_doc = with_signature("backward", signature(Scalar.backward), Scalar.backward.__doc__)
    kind = form.make(Scalar, doc, backward_doc, rows, numbers, number, general)
    kind.__name__ = "Value"  # in messages too, where an extension's class would have its module before it
    for name in form.ROWS:
        row = ROWS[name]
        for method in method_names(row):
            if method[0] != "_":
                text = with_signature(method, as_method(row, method), f"{row.summary} See `autograd.{name}`.")
                made = form.method(name, method, text)
                for alias in (method, *ALIASES.get(method, ())):
                    setattr(kind, alias, made)
    ops.dot = products.dot = update_wrapper(form.dot(products.dot), products.dot)
    sample = [1.0 / n for n in range(1, 1000)]
    form.sum_if(sample, float(np.sum(sample)))  # NumPy does not promise in which order it adds
    return kind  # type: ignore[no-any-return]


if compiled is None or compiled.is_made():  # a process has the compiled class once: this module is loaded again
    attach_all()
elif not TYPE_CHECKING:
    Value = compiled_class(compiled)
