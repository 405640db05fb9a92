"""What a row of the operation table is, and the five kinds of rows.

A row states an operation once: its name, its value and its derivatives. These are its rules. They are ordinary Python
functions of the operands, so one rule has several uses. On floats and arrays it computes, on `Value`s and `Tensor`s it
records a graph, on `Symbol`s it gives text. Both derivative products follow from the rules, so neither mode of
differentiation has formulas of its own:

============  ==============================================  ==========================  ===========================
kind          the row states                                  jvp (forward mode)          vjp (reverse mode)
============  ==============================================  ==========================  ===========================
elementwise   for each operand a partial ``d(out, *inputs)``  ``sum of d * t``            ``unbroadcast(d * g)``
reduction     the elements' weight ``w(out, x, axis)``        ``(w * t).sum(axis)``       ``w * expand(g)``
linear        for each operand a transpose                    the operation itself        the transpose
fused         other rows that it is composed of, and vjps     that of the composition     the vjps
general       both products                                   its `push`                  its `pull`
============  ==============================================  ==========================  ===========================

The rows themselves are in `autograd.ops`. A row that cannot work everywhere is refused when it is made
(`autograd.ops.refusing`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from autograd.ops import refusing
from autograd.ops.floats import FLOATS as FLOATS
from autograd.ops.floats import OBJECT, from_math, plain
from autograd.ops.floats import ieee as ieee
from autograd.ops.floats import real as real
from autograd.ops.shapes import box as box
from autograd.ops.shapes import broadcast, fixed_axis, still
from autograd.ops.shapes import normalize_axis as normalize_axis
from autograd.ops.shapes import unbroadcast as unbroadcast
from autograd.ops.traced import Rule as Rule
from autograd.ops.traced import Traced as Traced

Interval = tuple[float, float]
REALS: Interval = (-math.inf, math.inf)


class _OpSignature:
    """`op.__signature__`. It is computed on access, which keeps the import quick."""

    def __get__(self, op: Op | None, kind: type | None = None) -> Any:
        if op is None:  # the signature of the class is that of __init__
            raise AttributeError("__signature__")
        from autograd.ops.signatures import signature

        return signature(op)


class Op:
    """One operation. It can be called on floats, arrays, `Value`s, `Tensor`s, `Dual`s and `Symbol`s.

    `forward` computes the value, on arrays. `reads[i]` are the operands from whose numbers the cotangent of operand i
    is computed. Their numbers must not change between recording and backward. The parameters must not change either, so
    a call converts them to immutable objects: ``canonical(x, **params)`` returns them, given the first operand `x`.
    """

    forward: Rule
    __signature__ = _OpSignature()

    def __init__(
        self,
        name: str,
        arity: int,
        params: tuple[str, ...] = (),
        infix: str = "",
        doc: str = "",
        example: str = "",
        canonical: Rule | None = None,
    ) -> None:
        self.name = self.__name__ = name
        self.summary = self.__doc__ = doc
        if example:  # "exp(0.0) = 1.0", shown as a doctest
            self.__doc__ = "{}\n\n    >>> {}\n    {}\n".format(doc, *str(example).rpartition(" = ")[::2])
        self.arity = arity
        self.params = params
        self.infix = infix or name
        self.canonical = canonical
        self.reads: tuple[tuple[int, ...], ...] = ()
        self._read: dict[tuple[bool, ...], tuple[int, ...]] = {}

    adds: Rule | None = None  # a second way to its transpose, in place: see `Linear`
    on_scalars = False  # True if it applies to single Values
    saves = False  # True if it saves more of its forward pass than the result

    def __repr__(self) -> str:
        from autograd.ops.signatures import arguments

        return f"<operation {self.name}({arguments(self)})>"

    def __reduce__(self) -> str:
        return self.name  # rows are singletons: a copy or an unpickled row is the row itself

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if len(inputs) != self.arity:
            inputs, params = self._bind(inputs, params)
        if params or self.canonical is not None:
            params = self._canonical(inputs, params)
        return self.apply(inputs, params)

    def _bind(self, inputs: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Split positional arguments into operands and parameters, which follow in the row's order."""
        if len(inputs) < self.arity:
            raise TypeError(f"{self.name} takes {self.arity} operands, got {len(inputs)}")
        extra = inputs[self.arity :]
        if len(extra) > len(self.params):
            most = self.arity + len(self.params)
            raise TypeError(f"{self.name} takes at most {most} arguments, got {len(inputs)}")
        for key, given in zip(self.params, extra, strict=False):
            if key in params:
                raise TypeError(f"{self.name} got two values for {key!r}")
            params[key] = given
        return inputs[: self.arity], params

    def _canonical(self, inputs: Sequence[Any], params: dict[str, Any]) -> dict[str, Any]:
        """The parameters in the form in which they are recorded. TypeError for one that the row does not have."""
        for key in params:
            if key not in self.params:
                takes = f"takes {', '.join(self.params)}" if self.params else "has no parameters"
                raise TypeError(f"{self.name} {takes}, not {key!r}")
        return params if self.canonical is None else self.canonical(inputs[0], **params)

    def apply(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Let the variable with the highest priority apply the operation. Without variables it is computed."""
        kind: type[Traced] | None = None
        for x in inputs:
            if isinstance(x, Traced) and (kind is None or x._priority > kind._priority):
                kind = type(x)
        if kind is not None:
            return kind._apply(self, inputs, params)
        return self.plain(inputs, params)

    def plain(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Compute the operation on floats and arrays. A single number is a float, unless an operand is an array."""
        with np.errstate(all="ignore"):
            out = self.forward(
                *[x if isinstance(x, np.ndarray) else np.asarray(plain(x, self.name)) for x in inputs], **params
            )
        if np.ndim(out) == 0 and not any(isinstance(x, (np.ndarray, np.generic)) for x in inputs):
            return float(out)
        return out

    def rules(self) -> Sequence[Rule | None] | None:
        """For each operand its derivative rule on arrays; None if one rule gives the cotangents of all operands."""
        return None

    def differentiates(self, i: int) -> bool:
        """True if operand i has a derivative. Conditions and labels have none."""
        rules = self.rules()
        return rules is None or rules[i] is not None

    def read_by(self, needs: Sequence[bool]) -> tuple[int, ...]:
        """The operands whose numbers backward reads. `needs` has True for each operand that needs a cotangent."""
        key = tuple(needs)
        found = self._read.get(key)
        if found is None:
            found = tuple(sorted({j for i, need in enumerate(needs) if need for j in self._reads_of(i, len(needs))}))
            if self.arity >= 0:  # with any number of operands the cache would have no limit
                self._read[key] = found
        return found

    def _reads_of(self, i: int, count: int) -> Sequence[int]:
        return self.reads[i]

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        """The cotangents of the inputs, given the cotangent `g` of the output. None for inputs that need none."""
        raise NotImplementedError

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """The tangent of the output, given those of the inputs. The tangent of a constant is None.

        It may have a smaller shape than the output: `autograd.transforms.dual` broadcasts it.
        """
        raise NotImplementedError


def at(d: Rule, out: Any, inputs: Sequence[Any]) -> Any:
    """A partial at a point. If Python's numbers raise, as ``1 / 0`` does, it is computed with NumPy's floats."""
    try:
        return d(out, *inputs)
    except (ArithmeticError, ValueError):
        return d(*[np.float64(x) if isinstance(x, (float, int)) else x for x in (out, *inputs)])


def scaled(d: Any, g: Any) -> Any:
    """``d * g``. A partial that is the number 1 or -1 needs no multiplication."""
    if type(d) is int:
        if d == 1:
            return g
        if d == -1:
            return -g
    return d * g


class Elementwise(Op):
    """A row that applies to each element on its own, with one partial derivative for each operand.

    Args:
        value: the operation on floats. It is a formula made of other rows, which arrays and Symbols can go through too;
            or a function of `math`; or code for floats, which has an ``if`` or says so: ``def value(x: float)``.
        partials: for each operand a rule of ``(out, *inputs)``, or None for one without a derivative (a condition).
        array: NumPy's function, if there is one. Without it a formula is applied to arrays as it is, and a function of
            floats element by element.
        infix: the sign of the operator.
        defaults: the values of the last operands if a call leaves them out.
        domain: for each operand the interval ``(low, high)`` that tests and operation cards use.
        kinks: points without a derivative. Tests leave them out, cards show them.

    `array_partials` are the partials with NumPy's functions in place of the rows that they call (see
    `autograd.ops.worlds`).
    """

    on_scalars = True

    def __init__(
        self,
        name: str,
        value: Rule,
        *partials: Rule | None,
        array: Rule | None = None,
        infix: str = "",
        defaults: tuple[float, ...] = (),
        domain: tuple[Interval, ...] = (),
        kinks: tuple[float, ...] = (),
        doc: str,
        example: str = "",
    ) -> None:
        super().__init__(name, len(partials), infix=infix, doc=doc, example=example)
        self.value = value
        self.array = self.forward = array or value
        self.partials = self.array_partials = partials
        self.defaults = defaults
        self.domain = domain or (REALS,) * len(partials)
        self.kinks = kinks
        refusing.examine(self, refusing.elementwise, example)

    @cached_property
    def is_formula(self) -> bool:
        """True if the value is made of other rows. Then Symbols can flow through it and give its text.

        A value that needs the numbers of its operands is no formula: a function of `math`, one with an ``if``, or one
        whose operands are declared as floats.
        """
        return refusing.formula(self)

    def settle(self) -> None:
        """Choose the function for arrays. A value that takes only floats is applied element by element."""
        try:
            floats = self.array is self.value and not self.is_formula
        except NameError:  # the value calls a row that is not defined yet, so it is a formula
            return
        if floats and not isinstance(self.value, np.ufunc) and self.value.__module__ != "_operator":
            self.array = self.forward = partial(from_math, self.value)

    @property
    def is_method(self) -> bool:
        """True if variables have it as a method: it is not an operator, and its first operand has a derivative."""
        return self.infix == self.name and self.partials[0] is not None and self.name != "abs"

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if params or len(inputs) != self.arity:
            inputs, params = self.completed(inputs, params), {}
        return self.apply(inputs, params)

    def completed(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """All operands in order, with those given by name, as in ``leaky_relu(x, slope=0.1)``, and the defaults."""
        names = operand_names(self)
        known = dict(zip(names[self.arity - len(self.defaults) :], self.defaults, strict=True)) | named
        rest = names[len(inputs) :]
        unknown = sorted(set(named) - set(rest))
        if unknown or len(inputs) > self.arity or not known.keys() >= set(rest):
            what = f"got {len(inputs)}"
            if unknown:
                what = (
                    f"got two values for {unknown[0]!r}" if unknown[0] in names else f"unknown argument {unknown[0]!r}"
                )
            raise TypeError(f"{self.name} takes {self.arity} operands ({', '.join(names)}), {what}")
        return inputs + tuple([known[name] for name in rest])

    def _reads_of(self, i: int, count: int) -> Sequence[int]:
        """The operands whose names occur in the formula of partial i."""
        from autograd.ops.symbol import Symbol, symbol

        names = [f"x{j}" for j in range(self.arity)]
        rule = self.partials[i]
        found = symbol(rule(Symbol("out"), *map(Symbol, names))).names if rule else ()
        return [j for j, name in enumerate(names) if name in found]

    def plain(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if all(type(x) in (float, int, bool) for x in inputs):
            return ieee(self.value, [real(x) if type(x) is int else x for x in inputs], self.array)
        arrays = [plain(x, self.name) for x in inputs]
        if any(getattr(x, "dtype", None) == OBJECT for x in arrays):  # arrays of Values
            return np.frompyfunc(self, self.arity, 1)(*arrays)
        with np.errstate(all="ignore"):
            return self.array(*arrays)

    def rules(self) -> Sequence[Rule | None]:
        return self.array_partials

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        partials = self.array_partials if type(out) is np.ndarray else self.partials
        return [
            unbroadcast(scaled(at(d, out, inputs), g), x) if need and d is not None else None
            for need, d, x in zip(needs, partials, inputs, strict=True)
        ]

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        terms = [
            scaled(at(d, out, inputs), t)
            for d, t in zip(self.partials, tangents, strict=True)
            if t is not None and d is not None
        ]
        return total(terms)


class Reduction(Op):
    """A row that reduces axes, as a sum does. An element's weight is the derivative of the result by that element.

    Args:
        value: the operation, a function of ``(x, axis, keepdims)``. `axis` is None, an int or a tuple.
        weight: the weights, a function of ``(out, x, axis)``. `out` has the reduced axes with length 1, and `axis` is a
            tuple. The weight is a number if it is the same for all elements.
        params: further parameters of both functions, such as `ddof`.
        reads: False if the weights do not depend on the numbers of `x`.
        domain: the interval ``(low, high)`` from which tests take elements.
    """

    def __init__(
        self,
        name: str,
        value: Rule,
        weight: Rule,
        *,
        params: tuple[str, ...] = (),
        reads: bool = True,
        domain: Interval = REALS,
        doc: str,
        example: str = "",
    ) -> None:
        names = ("axis", *params, "keepdims")
        super().__init__(name, 1, names, doc=doc, example=example, canonical=self._reduced)
        self.value = self.forward = value
        self.weight = weight
        self.reads = ((0,) if reads else (),)
        self.domain = (domain,)
        refusing.examine(self, refusing.reduction, example)

    def apply(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        (x,) = inputs
        if isinstance(x, Iterator):  # micrograd's programs sum generators
            x = list(x)
        if isinstance(x, (list, tuple)):
            kinds = {type(item) for item in x if isinstance(item, Traced)}
            if kinds and not isinstance(x[0], (list, tuple)):
                return max(kinds, key=lambda kind: kind._priority)._gather(self, x, params)
        array = plain(x, self.name) if isinstance(x, (list, tuple, np.ndarray)) else x
        if isinstance(array, np.ndarray) and array.dtype == OBJECT:
            return self._objects(array, **params)
        return super().apply((x,), params)

    def _reduced(self, x: Any, axis: Any = None, keepdims: bool = False, **rest: Any) -> dict[str, Any]:
        """The parameters in immutable form. TypeError if another argument is in the place of `keepdims`."""
        if not isinstance(keepdims, (bool, np.bool_)):
            raise TypeError(f"{self.name} takes keepdims=True or False, not {keepdims!r:.60}")
        return {"axis": fixed_axis(axis), **rest, "keepdims": bool(keepdims)}

    def _objects(self, x: Any, axis: Any = None, keepdims: bool = False, **rest: Any) -> Any:
        """Reduce an object array of Values. Each lane becomes one node with all its elements as operands."""
        axes = normalize_axis(axis, x.ndim)
        kept = [i for i in range(x.ndim) if i not in axes]
        lanes = x.transpose(*kept, *axes).reshape(*[x.shape[i] for i in kept], -1)
        out = np.empty(lanes.shape[:-1], dtype=object)
        for index in np.ndindex(*out.shape):
            out[index] = self.apply((list(lanes[index]),), rest)
        if keepdims:
            out = out.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
        return out if out.ndim else out.item()

    def weight_of(self, out: Any, x: Any, params: dict[str, Any]) -> tuple[Any, Any, tuple[int, ...]]:
        """The weight, the output's shape with the reduced axes of length 1, and the reduced axes."""
        rest = dict(params)
        axes = normalize_axis(rest.pop("axis", None), x.ndim)
        rest.pop("keepdims", None)
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        return self.weight(box(out).reshape(kept), x, axes, **rest), kept, axes

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        (x,) = inputs
        if x.size == 0:  # no elements: the cotangent is empty
            return [still(x)]
        weight, kept, _ = self.weight_of(out, x, params)
        spread = box(g).reshape(kept)
        if np.ndim(weight) == 0 and not isinstance(weight, Traced):  # one number for all elements
            if type(weight) is not int or weight != 1:
                spread = spread * weight
            ones = broadcast(spread, x.shape)
            return [unbroadcast(ones, x)]
        return [unbroadcast(weight * spread, x)]

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        (x,), (t,) = inputs, tangents
        weight, _, axes = self.weight_of(out, x, params)
        return (weight * t).sum(axis=axes, keepdims=params.get("keepdims", False))


class Linear(Op):
    """A row that is linear in each operand. Its derivative is the operation itself, and its vjp is the transpose.

    Args:
        value: the operation, a function of the operands and parameters.
        transposes: for each operand a rule of ``(g, *inputs, **params)``. An operation on any number of operands states
            a single one, which also takes the operand's number: ``(i, g, *inputs, **params)``.
        params: the names of the parameters.
        canonical: a function that returns the parameters in immutable form, see `Op`.
        arity: the number of operands; -1 for any number.
        reads: True if a transpose reads the other operands. Products do, moves do not.
        adds: a second way to the transpose, for an operation that reads a part of its one operand:
            ``(total, g, **params)`` adds the transpose of `g` to the array `total`, in place. Only that part is
            written, so many reads of one array take linear time. Everything but the gradients of arrays uses the
            transpose, and a test holds the two equal.
        together: a second way to the transposes, for an operation on any number of operands: ``(g, *inputs, **params)``
            gives those of all operands at once, on arrays. One by one, they would take quadratic time.

    `joint` is True if the operation is linear in all operands together, as a concatenation is. A product is linear only
    in each operand alone.
    """

    def __init__(
        self,
        name: str,
        value: Rule,
        *transposes: Rule,
        params: tuple[str, ...] = (),
        canonical: Rule | None = None,
        arity: int | None = None,
        reads: bool = False,
        adds: Rule | None = None,
        together: Rule | None = None,
        infix: str = "",
        doc: str,
        example: str = "",
    ) -> None:
        arity = len(transposes) if arity is None else arity
        super().__init__(name, arity, params, infix, doc=doc, example=example, canonical=canonical)
        self.value = self.forward = value
        self.transposes = transposes
        self.adds = adds
        self.together = together
        self.joint = not reads
        n = max(self.arity, 0)
        self.reads = tuple(tuple(j for j in range(n) if j != i) for i in range(n)) if reads else ((),) * n
        refusing.examine(self, refusing.linear, example)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if self.arity < 0:  # any number of operands: parameters must be given by name
            return self.apply(inputs, params)
        return super().__call__(*inputs, **params)

    def rules(self) -> Sequence[Rule | None] | None:
        return self.transposes if self.arity >= 0 else None

    def _reads_of(self, i: int, count: int) -> Sequence[int]:
        if self.arity >= 0:
            return self.reads[i]
        return () if self.joint else [j for j in range(count) if j != i]

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        grads: Sequence[Any]
        if self.together is not None and type(g) is np.ndarray:
            found = self.together(g, *inputs, **params)
            grads = [grad if need else None for need, grad in zip(needs, found, strict=True)]
        elif self.arity < 0:
            (transpose,) = self.transposes
            grads = [transpose(i, g, *inputs, **params) if need else None for i, need in enumerate(needs)]
        else:
            grads = [
                transpose(g, *inputs, **params) if need else None
                for need, transpose in zip(needs, self.transposes, strict=True)
            ]
        return [None if grad is None else unbroadcast(grad, x) for grad, x in zip(grads, inputs, strict=True)]

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if self.joint:
            moved = [still(x) if t is None else t for x, t in zip(inputs, tangents, strict=True)]
            return self.apply(moved, params)
        terms = [
            self.apply([*inputs[:i], t, *inputs[i + 1 :]], params) for i, t in enumerate(tangents) if t is not None
        ]
        return total(terms)


class Fused(Op):
    """A row that is composed of other rows, with a value and vjps written by hand for speed.

    Args:
        composition: the definition, made of other rows. Variables that do not take fused rows (Values, Duals) use it,
            and so do derivatives of higher order.
        value: the same operation on arrays. A test holds `value` and `vjps` to the composition.
        vjps: for each operand a function of ``(g, out, *inputs, **params)`` on arrays, or None for one without a
            derivative.
        reads: for each operand the positions of the operands that its vjp reads.
        params: the names of the parameters.
        saves: True if `value` and `vjps` have a parameter `saved`. While recording it is a list, to which `value` adds
            what the vjps need besides.
        canonical: a function that returns the parameters in immutable form, see `Op`.
    """

    def __init__(
        self,
        name: str,
        composition: Rule,
        value: Rule,
        *vjps: Rule | None,
        reads: tuple[tuple[int, ...], ...],
        params: tuple[str, ...] = (),
        saves: bool = False,
        canonical: Rule | None = None,
        doc: str,
        example: str = "",
    ) -> None:
        super().__init__(name, len(vjps), params, doc=doc, example=example, canonical=canonical)
        self.composition = composition
        self.saves = saves
        self.value = self.forward = value
        self.reads = reads
        self.vjps = vjps
        refusing.examine(self, refusing.fused, example)

    def rules(self) -> Sequence[Rule | None] | None:
        return self.vjps

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        return [
            unbroadcast(vjp(g, out, *inputs, **params), x) if need and vjp is not None else None
            for need, vjp, x in zip(needs, self.vjps, inputs, strict=True)
        ]

    def apply(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        kind: type[Traced] | None = None
        for x in inputs:
            if isinstance(x, Traced):
                if not x._fuses:
                    return self.composition(*inputs, **params)
                if kind is None or x._priority > kind._priority:
                    kind = type(x)
        return self.plain(inputs, params) if kind is None else kind._apply(self, inputs, params)


class General(Op):
    """A row that states both derivative products itself, such as a decomposition of a matrix.

    Both are made of rows and operators, so that they can be differentiated in turn.

    Args:
        value: the operation on arrays.
        pull: a function of ``(g, out, *inputs, **params)`` that returns the operand's cotangent, or a tuple of them.
        push: a function of ``(tangents, out, *inputs, **params)`` that returns the output's tangent. `tangents` is a
            list with one for each operand, None for a constant.
        arity: the number of operands.
        params: the names of the parameters.
        canonical: a function that returns the parameters in immutable form, see `Op`.
    """

    def __init__(
        self,
        name: str,
        value: Rule,
        pull: Rule,
        push: Rule,
        *,
        arity: int = 1,
        params: tuple[str, ...] = (),
        canonical: Rule | None = None,
        doc: str,
        example: str = "",
    ) -> None:
        super().__init__(name, arity, params, doc=doc, example=example, canonical=canonical)
        self.value = self.forward = value
        self.pull = pull
        self.push = push
        self.reads = (tuple(range(arity)),) * arity
        refusing.examine(self, refusing.general, example)

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        found = self.pull(g, out, *inputs, **params)
        found = found if isinstance(found, tuple) else (found,)
        return [unbroadcast(c, x) if need else None for need, c, x in zip(needs, found, inputs, strict=True)]

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        return self.push(tangents, out, *inputs, **params)


def total(terms: Sequence[Any]) -> Any:
    """The sum of tangents; 0 if there are none."""
    if not terms:
        return 0.0
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def operand_names(op: Op) -> tuple[str, ...]:
    """The names of an elementwise row's operands, from its partials.

    >>> from autograd import ops
    >>> operand_names(ops.leaky_relu)
    ('x', 'slope')
    """
    rule = next(d for d in op.partials if d is not None)  # type: ignore[attr-defined]
    return tuple(rule.__code__.co_varnames[1 : op.arity + 1])
