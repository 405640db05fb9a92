"""`Value`: a Python float that remembers how it was computed, so that gradients can flow back.

>>> a, b = Value(-4.0), Value(2.0)
>>> c = a * b + b**3
>>> c.backward()
>>> c.data, a.grad, b.grad
(0.0, 2.0, 8.0)

A program written for micrograd runs unchanged, its drawing code and the operations that it writes by hand included
(`autograd.engine.byhand`). The operators come from the table in `autograd.ops`, specialised
when first used (`autograd.engine.specialize`); here are the generic path, the n-ary nodes and the manners of the class.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine import byhand, graph
from autograd.engine.byhand import ByHand
from autograd.engine.collector import wait_for
from autograd.engine.graph import ANY, MANY, Node, as_label, modes, sweep, topological
from autograd.engine.specialize import Specialized, Variant
from autograd.ops.operators import compared
from autograd.ops.rows import Elementwise, Op, Reduction, Traced, box, ieee, normalize_axis, real


def number(x: Any) -> float:
    """`x` as a Python float, infinite where it is too large; anything that is not a real number is refused by name.

    >>> number(np.float32(0.5)), number(2)
    (0.5, 2.0)
    """
    if isinstance(x, (float, int, np.floating, np.integer, np.bool_)):
        return real(x)
    if isinstance(x, np.ndarray) and x.ndim == 0 and x.dtype.kind in "fiub":
        return float(x)
    what = f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"{type(x).__name__} {x!r:.60}"
    hint = ": use a Tensor, or one Value an element" if isinstance(x, (np.ndarray, list, tuple)) else ""
    if isinstance(x, (str, complex, Traced)):
        part = "real" if isinstance(x, complex) else "data"
        hint = ": float(x) reads one" if isinstance(x, str) else f": take its .{part}"
    elif hasattr(x, "__float__") and not isinstance(x, np.ndarray):  # a Fraction, a Decimal
        hint = ": float(x) rounds it to one"
    raise TypeError(f"a Value holds one real number, not {what}{hint}")


class Value(Node):
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

    __slots__ = ("__dict__",)  # for attributes of the program's own
    _priority = 1
    shape: tuple[()] = ()
    ndim = 0
    empty_grad = 0.0

    def __init__(self, data: float = 0.0, _children: Any = (), _op: Any = "", label: str = "") -> None:
        self._primal = data if type(data) is float else number(data)
        self.grad = 0.0
        self._kind = None
        if _children is not NONE or _op is not NAMELESS or label is not NAMELESS:
            self._begin(_children, _op, label)
        if graph.special and modes.tracer is not None:
            modes.tracer.made[id(self)] = self

    def _begin(self, children: Any, op: Any, label: Any) -> None:
        """A leaf with a label, or the result of an operation written by hand."""
        if isinstance(children, str):  # as our own programs write it
            if label:
                raise TypeError(f"a Value has one label, not two: {children!r} and {label!r:.60}")
            children, label = NONE, children
        label = as_label(label)
        operands = byhand.operands_of(NONE if children is None else children, Value)
        if isinstance(op, str):
            if operands:
                self._record(tuple(dict.fromkeys(operands)), byhand.variant(op or "hand", op, label))
            elif op:
                self._op = op
        elif isinstance(op, (tuple, list)) and len(op) == len(operands):
            pull = byhand.scaling([number(d) for d in op])
            self._record(operands, byhand.variant("hand", "", label, pull))
        else:
            raise TypeError(
                f"the third argument of Value is the operation's sign (text), or a local derivative for each of the "
                f"{len(operands)} operands, not {type(op).__name__} {op!r:.60}"
            )
        if label and self._kind is None:
            self._b = label

    def _record(self, operands: tuple[Any, ...], kind: Variant) -> None:
        """Become the result of an operation written by hand; without recording, stay a leaf."""
        if modes.tracer is not None:
            modes.tracer.by_hand(kind.row.name)
        if modes.recording:
            self._kind, self._a, self._b = kind, operands, {}
            if modes.watch is not None:
                modes.watch.record(self, kind.row, operands)

    @property
    def data(self) -> float:
        """The number. Assigning converts to a Python float, and refuses anything else."""
        if graph.special and modes.tracer is not None:
            modes.tracer.read(self)
        return self._primal  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: float) -> None:
        self._primal = data if type(data) is float else number(data)

    @property
    def label(self) -> str:
        """A name for drawings and messages; empty unless given. It takes no room of its own where there is none."""
        if self._kind is not None:
            return self._kind.label  # type: ignore[no-any-return]
        try:
            return self._b  # type: ignore[no-any-return]
        except AttributeError:
            return ""

    @label.setter
    def label(self, name: str) -> None:
        if self._kind is None:
            self._b = as_label(name)
        else:
            self._kind = self._kind.labelled(as_label(name))

    def item(self) -> float:
        """The number, as a Python float."""
        return self.data

    def detach(self) -> float:
        """The number as a constant: no gradient flows through it."""
        if modes.tracer is not None:
            return modes.tracer.detached(self)  # type: ignore[no-any-return]
        return self._primal  # type: ignore[no-any-return]

    def backward(self) -> None:
        """Set `grad` of everything below to the derivative of this Value with respect to it.

        >>> x = Value(2.0)
        >>> (x**3).backward()
        >>> x.grad
        12.0
        """
        if self._kind is None:
            self.grad = (self.grad or 0.0) + 1.0
        else:
            order = topological(self)
            wait_for(len(order))
            sweep(self, 1.0, order)

    # ------------------------------------------------------------------------------------------ the generic path

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
        numbers = [x._primal if isinstance(x, Value) else x for x in operands]
        if not isinstance(op, Elementwise):  # somebody's own
            return node(number(op.forward(*numbers, **params)), nary(op), tuple(operands), params)
        data = ieee(op.value, numbers, op.array)
        pattern = "".join("v" if isinstance(x, Value) else "c" for x in operands)
        variant = _specialized.variant(op, pattern)
        if variant is None:
            return node(data, nary(op), tuple(operands), {})
        variables = [x for x in operands if isinstance(x, Value)]
        constants = [x for x in operands if not isinstance(x, Value)]
        return node(data, variant, *variables, *constants)

    @classmethod
    def _gather(cls, op: Op, items: Sequence[Any], params: dict[str, Any]) -> Value:
        if modes.tracer is not None:
            return modes.tracer.kind._gather(op, items, params)  # type: ignore[no-any-return]
        rest = without_axis(op, params)
        values = tuple(x if isinstance(x, Value) else Value(x) for x in items)
        return node(float(op.plain((np.array([x._primal for x in values]),), rest)), nary(op), values, rest)

    @classmethod
    def _dot(cls, x: Iterable[Any], y: Iterable[Any], bias: Any) -> Any:
        if modes.tracer is not None:
            return modes.tracer.kind._dot(x, y, bias)
        left, right, items = dot_items(x, y, bias)
        if set(map(type, items)) != {Value}:  # constants among them become leaves of their own
            items = tuple([item if isinstance(item, Value) else Value(item) for item in items])
            left, right = items[: len(left)], items[len(left) : 2 * len(left)]
        total = 0.0 if bias is None else items[-1]._primal
        for a, b in zip(left, right, strict=True):
            total += a._primal * b._primal
        return node(total, nary(ops._dot), items, {})

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        op, operands = self.op, self.operands
        if isinstance(op, ByHand):
            return op.cotangents(self, g, live)
        needs = [isinstance(x, Value) for x in operands]
        out = self if live else np.float64(self._primal)
        inputs = [x if live or not need else np.float64(x._primal) for x, need in zip(operands, needs, strict=True)]
        with np.errstate(all="ignore"):
            if isinstance(op, Reduction):  # of many scalars: the rule runs on an array of them
                array = np.array(inputs, dtype=object if live else float)
                g, out = (box(g), box(out)) if live else (np.float64(g), out)
                (shares,) = op.vjp(g, (True,), out, (array,), self.params)
                return list(shares)
            return op.vjp(g, needs, out, inputs, self.params)  # type: ignore[no-any-return]

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
        return f"Value(data={self._primal}, grad={self.grad}{label})"

    # ------------------------------------------------------- names that programs written for micrograd use

    @property
    def _prev(self) -> tuple[Node, ...]:
        """The operands that are Values."""
        return self.parents

    @_prev.setter
    def _prev(self, children: Any) -> None:
        operands = byhand.operands_of(children, Value)
        if self._kind is not None and not (isinstance(self._kind.row, ByHand) and self._kind.fan == MANY):
            raise TypeError(f"this Value was computed by {self.op.name}, from operands that cannot be exchanged")
        if operands:
            sign = self._op
            kind = self._kind or byhand.variant(sign or "hand", sign, self.label)
            self._record(tuple(dict.fromkeys(operands)), kind)

    @property
    def _op(self) -> str:
        """The operation as micrograd writes it: "+", "*", "**2", "ReLU", "tanh"; empty for a leaf."""
        if (given := self.__dict__.get("_op")) is not None:
            return str(given)
        row = self.op
        if row is None:
            return ""
        if isinstance(row, ByHand):
            return row.sign
        if row is ops.power:
            base, exponent = [x if isinstance(x, Node) else repr(x).removesuffix(".0") for x in self.operands]
            return f"**{exponent}" if isinstance(base, Node) and isinstance(exponent, str) else row.infix
        return "ReLU" if row is ops.relu else row.infix

    @_op.setter
    def _op(self, sign: str) -> None:
        self.__dict__["_op"] = sign

    @property
    def _backward(self) -> Callable[[], None]:
        """The node's step of backward: a function that adds to its operands' `grad` what its own means for them.

        Setting it gives this one node a derivative written by hand. See `autograd.engine.byhand`.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.grad = 1.0
        >>> y._backward()
        >>> x.grad
        6.0
        """
        return byhand.nothing if self._kind is None else byhand.taken(self)

    @_backward.setter
    def _backward(self, step: Callable[[], None]) -> None:
        if not callable(step):
            raise TypeError(f"_backward is a function without arguments, not {type(step).__name__} {step!r:.60}")
        if self.is_leaf and byhand.idle(step):  # it does nothing already
            return
        if modes.tracer is not None:
            modes.tracer.by_hand(self._op or "a _backward")
        if self._kind is None:
            self._record((), byhand.variant(self._op or "hand", self._op, self.label))
        if self._kind is not None:
            self._kind = byhand.stepping(self._kind, self._op, step)


NONE: tuple[()] = ()
NAMELESS = ""


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


def node(data: float, variant: Variant, a: Any, b: Any = None) -> Value:
    """A computed Value; a leaf where recording is off."""
    out = Value(data)
    if modes.recording:
        out._kind, out._a, out._b = variant, a, b
    if modes.watch is not None:
        modes.watch.record(out, variant.row, out.operands)
    return out


# ------------------------------------------------------------------------------------------------- n-ary nodes


def pull_any(node: Value) -> None:
    """Hand on what the row says; some of the operands may be constants."""
    for x, share in zip(node._a, node._cotangents(node.grad, live=False), strict=True):
        if share is not None:
            x.grad = x.grad + float(share) if x.grad else float(share)


def pull_sum(node: Value) -> None:
    """Everybody gets the whole gradient."""
    g = node.grad
    for v in node._a:
        v.grad = v.grad + g if v.grad else g


def pull_dot(node: Value) -> None:
    """Each factor gets the gradient times its partner, a bias the gradient itself."""
    g = node.grad
    items = node._a
    n = len(items) // 2
    for x, y in zip(items[:n], items[n:], strict=False):
        x.grad = (x.grad or 0.0) + y._primal * g
        y.grad = (y.grad or 0.0) + x._primal * g
    if len(items) % 2:
        x = items[-1]
        x.grad = x.grad + g if x.grad else g


def nary(op: Op) -> Variant:
    """The variant of a row whose node holds a tuple of operands."""
    variant: Variant | None = op.variants.get("n")
    if variant is None:
        fan = MANY if isinstance(op, Reduction) else ANY
        variant = op.variants["n"] = Variant(op, fan, pull_any, lambda node: node._a)
    return variant


for _row, _pull in ((ops.sum, pull_sum), (ops._dot, pull_dot)):
    _row.variants["n"] = Variant(_row, MANY, _pull, lambda node: node._a)

_specialized = Specialized(Value)
