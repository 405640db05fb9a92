"""What a row of the operation table is.

A row states an operation once: its name, its value and its local derivatives, as ordinary Python on its operands.
What a rule means depends on what flows through it: floats give numbers, arrays give arrays, `Value`s and `Tensor`s
give more graph, `Symbol`s give text. There are three shapes of row, and from each the two derivative products
follow mechanically:

============  ==========================================  ==========================  ===========================
shape         the row states                              jvp (forward mode)          vjp (reverse mode)
============  ==========================================  ==========================  ===========================
elementwise   a partial ``d_i(out, *inputs)`` an operand  ``sum of d_i * t_i``        ``unbroadcast(d_i * g)``
reduction     a weight ``w(out, x, axis)`` an element     ``(w * t).sum(axis)``       ``w * expand(g)``
linear        a transpose an operand                      the operation itself        the transpose
============  ==========================================  ==========================  ===========================

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
    """`op.__signature__`: made when somebody asks, so that importing does not pay for it."""

    def __get__(self, op: Op | None, kind: type | None = None) -> Any:
        if op is None:  # the class is called otherwise
            raise AttributeError("__signature__")
        from autograd.ops.signatures import signature

        return signature(op)


class Op:
    """One operation: callable on floats, arrays, `Value`s, `Tensor`s, `Dual`s and `Symbol`s alike.

    `forward` computes the value, on arrays. `reads[i]` are the operands whose numbers the cotangent of operand i is
    computed from: they must not change between recording and backward. Neither must the parameters. So a call brings
    them into one form that nobody else can change: ``canonical(x, **params)`` gives them, for the first operand `x`.
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

    on_scalars = False  # whether it applies to single Values
    saves = False  # whether it keeps more of its forward pass than the result

    def __repr__(self) -> str:
        from autograd.ops.signatures import arguments

        return f"<operation {self.name}({arguments(self)})>"

    def __reduce__(self) -> str:
        return self.name  # rows are singletons: copies and pickles are the row itself

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if len(inputs) != self.arity:
            inputs, params = self._bind(inputs, params)
        if params or self.canonical is not None:
            params = self._canonical(inputs, params)
        return self.apply(inputs, params)

    def _bind(self, inputs: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Extra positional arguments are parameters, in the row's order."""
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
        """The parameters as they are recorded; TypeError for one that the row does not have."""
        for key in params:
            if key not in self.params:
                takes = f"takes {', '.join(self.params)}" if self.params else "has no parameters"
                raise TypeError(f"{self.name} {takes}, not {key!r}")
        return params if self.canonical is None else self.canonical(inputs[0], **params)

    def apply(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Let the operand of the highest kind decide what the operation means; plain numbers just compute."""
        kind: type[Traced] | None = None
        for x in inputs:
            if isinstance(x, Traced) and (kind is None or x._priority > kind._priority):
                kind = type(x)
        if kind is not None:
            return kind._apply(self, inputs, params)
        return self.plain(inputs, params)

    def plain(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """The operation on floats and arrays; without an array among them one number comes out as a float."""
        with np.errstate(all="ignore"):
            out = self.forward(
                *[x if isinstance(x, np.ndarray) else np.asarray(plain(x, self.name)) for x in inputs], **params
            )
        if np.ndim(out) == 0 and not any(isinstance(x, (np.ndarray, np.generic)) for x in inputs):
            return float(out)
        return out

    def rules(self) -> Sequence[Rule | None] | None:
        """What the row states about each operand, for arrays; None where the cotangents only come together."""
        return None

    def differentiates(self, i: int) -> bool:
        """Whether there is a derivative by operand i: none by a condition, or by labels."""
        rules = self.rules()
        return rules is None or rules[i] is not None

    def read_by(self, needs: Sequence[bool]) -> tuple[int, ...]:
        """The operands whose numbers the cotangents of these operands are computed from."""
        key = tuple(needs)
        found = self._read.get(key)
        if found is None:
            found = tuple(sorted({j for i, need in enumerate(needs) if need for j in self._reads_of(i, len(needs))}))
            if self.arity >= 0:  # of those that take any number of operands there is no end
                self._read[key] = found
        return found

    def _reads_of(self, i: int, count: int) -> Sequence[int]:
        return self.reads[i]

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        """Cotangents of the inputs that need one (None for the others), given the cotangent `g` of the output."""
        raise NotImplementedError

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Tangent of the output, given those of the inputs (None where an input does not move).

        It may have a smaller shape that broadcasts to the output's: `autograd.transforms.dual` sees to that.
        """
        raise NotImplementedError


def at(d: Rule, out: Any, inputs: Sequence[Any]) -> Any:
    """A partial at a point; where Python's floats among the operands raise, NumPy's take their place."""
    try:
        return d(out, *inputs)
    except (ArithmeticError, ValueError):
        return d(*[np.float64(x) if type(x) is float else x for x in (out, *inputs)])


def scaled(d: Any, g: Any) -> Any:
    """``d * g``, without the multiplication where a partial is the number 1 or -1."""
    if type(d) is int:
        if d == 1:
            return g
        if d == -1:
            return -g
    return d * g


class Elementwise(Op):
    """A row with one partial derivative an operand.

    `value` is the operation on floats: a formula in terms of other rows, which then serves arrays and symbols too; a
    function of `math`; or code for numbers, which tests its operands or declares them, as in ``def value(x: float)``.
    `array` is NumPy's function where it has one; without it, code takes arrays element by element. `partials` take
    ``(out, *inputs)``; None
    says that an operand has no derivative (a condition); `array_partials` are the same rules with NumPy's functions
    in place of the rows that they call.
    `domain` (an interval an operand) and `kinks` (where it has no derivative) serve tests and descriptions.
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
        """Whether the value is written in terms of other rows, so that names can flow through it and give its text.

        Not so what asks its operands for their numbers: a function of `math`, a condition of Python's, a function whose
        operands are declared as floats.
        """
        return refusing.formula(self)

    def settle(self) -> None:
        """Where the value takes nothing but floats, arrays go through it element by element."""
        try:
            floats = self.array is self.value and not self.is_formula
        except NameError:  # a row that is not there yet: then it is a formula
            return
        if floats and not isinstance(self.value, np.ufunc) and self.value.__module__ != "_operator":
            self.array = self.forward = partial(from_math, self.value)

    @property
    def is_method(self) -> bool:
        """Whether it is a method of its first operand: not an operator, and that operand has a derivative."""
        return self.infix == self.name and self.partials[0] is not None and self.name != "abs"

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if params or len(inputs) != self.arity:
            inputs, params = self.completed(inputs, params), {}
        return self.apply(inputs, params)

    def completed(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Fill in operands given by name, or by default: ``leaky_relu(x, slope=0.1)``."""
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
        """Those whose names are in the formula of the partial."""
        from autograd.ops.symbol import Symbol, symbol

        names = [f"x{j}" for j in range(self.arity)]
        rule = self.partials[i]
        found = symbol(rule(Symbol("out"), *map(Symbol, names))).names if rule else ()
        return [j for j, name in enumerate(names) if name in found]

    def plain(self, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        if all(type(x) in (float, int, bool) for x in inputs):
            return ieee(self.value, [real(x) if type(x) is int else x for x in inputs], self.array)
        arrays = [plain(x, self.name) for x in inputs]
        if any(getattr(x, "dtype", None) == OBJECT for x in arrays):  # arrays of Values, or a wrong type by name
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
    """A row with one weight an element: how much of each element's change reaches the result.

    `weight` takes ``(out, x, axis)``, `out` with the reduced axes kept as ones; a number where it is the same for
    every element. `axis` is None, an int or a tuple; extra `params` (as `ddof`) go to value and weight alike.
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
        """Axes as numbers of their own; `keepdims` is a bool, and no other argument that came in its place."""
        if not isinstance(keepdims, (bool, np.bool_)):
            raise TypeError(f"{self.name} takes keepdims=True or False, not {keepdims!r:.60}")
        return {"axis": fixed_axis(axis), **rest, "keepdims": bool(keepdims)}

    def _objects(self, x: Any, axis: Any = None, keepdims: bool = False, **rest: Any) -> Any:
        """Reduce an object array of Values: every lane becomes one n-ary node."""
        axes = normalize_axis(axis, x.ndim)
        kept = [i for i in range(x.ndim) if i not in axes]
        lanes = x.transpose(*kept, *axes).reshape(*[x.shape[i] for i in kept], -1)
        out = np.empty(lanes.shape[:-1], dtype=object)
        for index in np.ndindex(*out.shape):
            out[index] = self.apply((list(lanes[index]),), rest)
        if keepdims:
            out = out.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
        return out if out.ndim else out.item()

    def _weight(self, out: Any, x: Any, params: dict[str, Any]) -> tuple[Any, Any, tuple[int, ...]]:
        """The weight, and the output's shape and axes with the reduced axes kept."""
        rest = dict(params)
        axes = normalize_axis(rest.pop("axis", None), x.ndim)
        rest.pop("keepdims", None)
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        return self.weight(box(out).reshape(kept), x, axes, **rest), kept, axes

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        (x,) = inputs
        if x.size == 0:  # nothing moves
            return [still(x)]
        weight, kept, _ = self._weight(out, x, params)
        spread = box(g).reshape(kept)
        if np.ndim(weight) == 0 and not isinstance(weight, Traced):  # one number for all elements
            if type(weight) is not int or weight != 1:
                spread = spread * weight
            ones = broadcast(spread, x.shape)
            return [unbroadcast(ones, x)]
        return [unbroadcast(weight * spread, x)]

    def jvp(self, tangents: Sequence[Any], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        (x,), (t,) = inputs, tangents
        weight, _, axes = self._weight(out, x, params)
        return (weight * t).sum(axis=axes, keepdims=params.get("keepdims", False))


class Linear(Op):
    """A row that is linear in each operand: its derivative is itself, and reverse mode is its transpose.

    `transposes` take ``(g, *inputs, **params)``; an operation on any number of operands (``arity=-1``) states one
    that also takes the operand's number: ``(i, g, *inputs, **params)``.
    `reads` says whether a transpose looks at the other operands (products do, moves do not). `joint` says that it
    is linear in all operands together (a concatenation) rather than in each (a product).
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
        infix: str = "",
        doc: str,
        example: str = "",
    ) -> None:
        arity = len(transposes) if arity is None else arity
        super().__init__(name, arity, params, infix, doc=doc, example=example, canonical=canonical)
        self.value = self.forward = value
        self.transposes = transposes
        self.joint = not reads
        n = max(self.arity, 0)
        self.reads = tuple(tuple(j for j in range(n) if j != i) for i in range(n)) if reads else ((),) * n
        refusing.examine(self, refusing.linear, example)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if self.arity < 0:  # any number of operands: parameters come by name
            return self.apply(inputs, params)
        return super().__call__(*inputs, **params)

    def rules(self) -> Sequence[Rule | None] | None:
        return self.transposes if self.arity >= 0 else None

    def _reads_of(self, i: int, count: int) -> Sequence[int]:
        if self.arity >= 0:
            return self.reads[i]
        return () if self.joint else [j for j in range(count) if j != i]

    def vjp(self, g: Any, needs: Sequence[bool], out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        if self.arity < 0:
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
    """A row that is a composition of others, with a value and its derivatives written by hand for speed.

    `composition` is the definition; `value` and `vjps` have to agree with it, and a test holds them to it.
    A vjp, one an operand and None for one without a derivative, takes ``(g, out, *inputs, **params)`` on arrays; higher
    orders go through the composition. A row that `saves` is given a list as the parameter `saved` where it is recorded,
    for what backward will need besides.
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
        doc: str,
        example: str = "",
    ) -> None:
        super().__init__(name, len(vjps), params, doc=doc, example=example)
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
    """A row that is none of the above, such as a decomposition of a matrix: it states both products itself.

    `pull` takes ``(g, out, *inputs, **params)`` and gives the operands' cotangents, one or a tuple of them; `push`
    takes ``(tangents, out, *inputs, **params)``, a list with None for an operand that does not move, and gives the
    output's tangent. Both are written with rows and operators, so that they can be differentiated in turn.
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
    """The sum of some tangents; 0 where there are none."""
    if not terms:
        return 0.0
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def operand_names(op: Op) -> tuple[str, ...]:
    """The names of an elementwise row's operands, as its partials call them.

    >>> from autograd import ops
    >>> operand_names(ops.leaky_relu)
    ('x', 'slope')
    """
    rule = next(d for d in op.partials if d is not None)  # type: ignore[attr-defined]
    return tuple(rule.__code__.co_varnames[1 : op.arity + 1])
