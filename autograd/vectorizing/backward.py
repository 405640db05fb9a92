"""Backpropagation as matrix formulas: the NumPy text of the backward pass that a program of arrays implies.

>>> example = {"x": np.ones((2, 3))}, {"w": np.ones((3, 4)), "b": np.ones(4)}
>>> print(backward_source([("h", "relu(linear(x, w, b))")], *example, {}, ["h"], vars(ops)))
def backward(dh, x, h):
    dz = np.sign(h) * dh
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dw, db

No formula of a derivative is written here: the rules of the rows run on Sketches, which write down what is done with
them.
The finished text is run on batches of two lengths, and has to give what the rules gave.
"""

from __future__ import annotations

import keyword
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import cotangents
from autograd.engine.tensor import Array
from autograd.ops.rows import normalize_axis
from autograd.ops.symbol import ATOM, SUM
from autograd.vectorizing.notation import VIEWS, Notation
from autograd.vectorizing.sketch import (
    LET,
    PUT,
    TAKE,
    Pair,
    Sketch,
    below,
    concrete,
    inside,
    made,
    same_shape,
    unstretched,
)
from autograd.vectorizing.sketch import Unsketchable as Unsketchable

BATCHES = (3, 7)  # far apart: a loop that doubles a step takes different numbers of turns
LONGEST = 100  # of a line, where it can be cut
DEEPEST = 12  # of an expression


def backward_source(
    statements: Sequence[tuple[str, str]],
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Array],
    constants: Mapping[str, Array],
    outputs: Sequence[str],
    functions: Mapping[str, Any],
) -> str:
    """The backward pass of a program of arrays, as the text of a NumPy function.

    Args:
        statements: (target, expression) in order.
        inputs: example data, the first axis the batch; no gradient is taken of them.
        parameters: what the gradient is taken of.
        constants: other arrays that the expressions name.
        outputs: targets whose gradients are given.
        functions: what the expressions call: rows of autograd by name.

    The function takes the outputs' gradients (``dy`` for ``y``; another letter, if the program has a ``dy``), then
    what it reads of the forward pass: inputs, parameters, constants and targets, each in the order given. It returns
    the parameters' gradients in their order; one alone, if there is one, and () if there is none. It works for a batch
    of any length, and in the dtype that it is given.

    >>> print(backward_source([("y", "(x * w).mean()")], {"x": np.ones((2, 3))}, {"w": np.ones(3)}, {}, ["y"], {}))
    def backward(dy, x):
        dw = (x * (dy / (len(x) * 3))).sum(axis=0)
        return dw
    """
    targets = [target for target, _ in statements]
    letter = free_letter([*parameters, *targets, *outputs], {*inputs, *parameters, *constants, *targets})
    sources = [Sketch(data, name) for name, data in batches(inputs).items()]
    leaves = [Sketch(both(x), name, letter + name, moves=True) for name, x in parameters.items()]
    named = [*sources, *leaves, *(Sketch(both(x), name) for name, x in constants.items())]
    names: dict[str, Any] = {name: FORMS.get(f, f) if callable(f) else f for name, f in functions.items()}
    names |= {x.label: x for x in named}
    named += evaluate(statements, names, letter)

    rng = np.random.default_rng(0)
    ends = [names[name] for name in dict.fromkeys(outputs)]
    seeds = [Sketch(tuple(rng.normal(size=x.shape) for x in end._raw), end.gradient) for end in ends]
    gradients = cotangents(ends, seeds, leaves, live=True)
    writer = Writer(named, seeds)
    try:
        writer.program(leaves, gradients)
    except RecursionError as error:
        raise Unsketchable("an expression that is too deep") from error
    return finished(writer, leaves, gradients)


def free_letter(names: Sequence[str], taken: set[str]) -> str:
    """What to put before a name for its gradient: d, or a letter with which nothing else has that name.

    >>> free_letter(["y", "h"], {"x", "y", "h"}), free_letter(["y", "h"], {"x", "dy", "h"})
    ('d', 'g')
    """
    for letter in "dg" + string.ascii_letters:
        made_up = {f"{letter}{name}" for name in names}
        if not made_up & taken and not any(map(keyword.iskeyword, made_up)):
            return letter
    raise Unsketchable("every letter makes a name that the program has")


def batches(inputs: Mapping[str, Array]) -> dict[str, Pair]:
    """The inputs at two lengths of the batch: rows are repeated or left out."""
    lengths = {len(x) for x in inputs.values()}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(f"the inputs are one batch, and have a first axis of one length; got {sorted(lengths)}")
    return {
        name: (both(x[np.arange(BATCHES[0]) % len(x)])[0], both(x[np.arange(BATCHES[1]) % len(x)])[0])
        for name, x in inputs.items()
    }


def both(x: Any) -> Pair:
    """An array that does not depend on the batch; floats in one width, which is then none of the text's business."""
    x = np.asarray(x)
    x = x.astype(np.float64) if x.dtype.kind == "f" else x
    return x, x


def evaluate(statements: Sequence[tuple[str, str]], names: dict[str, Any], letter: str) -> list[Sketch]:
    """Run the statements on Sketches; each result takes its target's name."""
    results = []
    for target, text in statements:
        try:
            out = eval(text, {"__builtins__": {"slice": slice}, "np": np}, names)
        except Unsketchable as error:
            raise Unsketchable(f"{target} = {text}: {error}") from error
        if not isinstance(out, Sketch):
            out = Sketch(both(out))
        elif out.label:  # another name for the same
            out = Sketch.of(ops.identity, (out,), {})
        out.label, out.gradient = target, letter + target
        suggest(out, f"{letter}z{target[len(target.rstrip(string.digits)) :]}")
        names[target] = out
        results.append(out)
    return results


def suggest(out: Sketch, hint: str) -> None:
    """A name for the gradients of the parts of a statement: that of h1 comes through dz1."""
    stack = list(out.operands)
    while stack:
        x = stack.pop()
        if isinstance(x, Sketch) and not x.label and not x.hint:
            x.hint = hint
            stack += x.operands


# -------------------------------------------------------------------- functions that look at numbers or are composed


def take_along_axis(x: Any, index: Any, axis: int) -> Any:
    """One element of each row; more would need a sum, where the same is taken twice."""
    (axis,) = normalize_axis(axis, x.ndim)
    if any(n != (1 if i == axis else m) for i, (n, m) in enumerate(zip(index.shape, x.shape, strict=True))):
        raise Unsketchable("take_along_axis of more than one element a row")
    return TAKE.apply((x, index), {"axis": axis})


FORMS: dict[Any, Callable[..., Any]] = {ops.take_along_axis: take_along_axis}
"""What a program may call, by what stands in for it here."""


# --------------------------------------------------------------------------------------------------- the program


class Writer(Notation):
    """Writes the lines of a backward pass."""

    def __init__(self, named: Sequence[Sketch], seeds: Sequence[Sketch]) -> None:
        super().__init__(named, f"{seeds[0].label}.dtype")
        self.seeds = seeds
        self.taken |= {x.label for x in seeds}
        self.depths: dict[int, int] = {}

    def program(self, leaves: Sequence[Sketch], gradients: Sequence[Any]) -> None:
        """The lines: gradients in the order of the sweep, a parameter's as soon as all that it reads is there."""
        steps = [(g.number, leaf.gradient, g) for leaf, g in zip(leaves, gradients, strict=True) if g is not None]
        for x in below([g for *_, g in steps]):  # operands first: nothing recurses through a long sum
            self.of(x)
        steps = sorted(self.lets([g for *_, g in steps]) + steps, key=lambda step: step[0])  # a tie: dw = dh
        self.taken |= {name for _, name, _ in steps}
        for _, _, root in steps:
            self.count(root)
        for _, name, root in steps:
            self.define(name, self.of(root))
        for leaf, g in zip(leaves, gradients, strict=True):
            if g is None:
                self.lines.append(f"{leaf.gradient} = {self.np}.zeros_like({self.text(leaf)})")

    def lets(self, roots: Sequence[Sketch]) -> list[tuple[int, str, Sketch]]:
        """The gradients with names that are read below the roots: when they were made, their names and values."""
        found: dict[int, tuple[int, str, Sketch]] = {}
        seen: set[int] = set()
        stack = [self.of(root) for root in roots]
        while stack:
            x = stack.pop()
            if id(x) not in seen:
                seen.add(id(x))
                if x.op is LET:
                    found[id(x)] = (x.number, x.label, x.operands[0])
                if x.op is LET or not x.label:
                    stack += self.parts(x)
        return list(found.values())

    def count(self, root: Sketch) -> None:
        """Note who is used how often by this expression."""
        stack = [self.of(root)]
        while stack:
            x = stack.pop()
            self.uses[id(x)] = self.uses.get(id(x), 0) + 1
            if self.uses[id(x)] == 1 and not x.label:
                stack += self.parts(x)

    def define(self, name: str, root: Sketch) -> None:
        """The lines that compute an expression under this name."""
        if root.label or id(root) in self.names:
            self.lines.append(f"{name} = {self.text(root)}")
            return
        terms = self.terms(root)
        for term in terms:
            self.cut(term)
        if any(term.op in (ops.scatter, PUT) and not term.label for term in terms):
            self.accumulate(name, root, terms)
        elif len(terms) > 1:
            self.sum_up(name, [self.within(term, SUM) for term in terms])
        else:
            self.lines.append(f"{name} = {self.compose(root)[0]}")
        self.names[id(root)] = name

    def cut(self, root: Sketch) -> None:
        """Lines of their own for what lies deep inside of an expression, so that writing it does not recurse far."""
        stack = [(root, False)]
        while stack:
            x, below_done = stack.pop()
            if id(x) in self.depths or x.label or id(x) in self.names:
                continue
            parts = self.parts(x)
            if below_done:
                depth = 1 + max([0 if id(y) in self.names else self.depths.get(id(y), 0) for y in parts], default=0)
                if depth >= DEEPEST and x is not root:
                    self.write(x)
                self.depths[id(x)] = depth
            else:
                stack.append((x, True))
                stack += [(y, False) for y in parts]

    def terms(self, whole: Sketch) -> list[Sketch]:
        """The terms of a sum, where none is needed elsewhere and none is a number or of another shape."""
        found, stack = [], [whole]
        while stack:
            x = self.of(stack.pop())
            free = x is whole or (self.uses.get(id(x), 0) <= 1 and id(x) not in self.names)
            if made(x, ops.add) and free and all(same_shape(y, x) for y in x.operands):
                stack += reversed(x.operands)
            else:
                found.append(x)
        return found

    def sum_up(self, name: str, terms: Iterable[str]) -> None:
        """A sum, on as many lines as it takes."""
        first, *rest = terms
        line = f"{name} = {first}"
        for term in rest:
            if len(line) + len(term) > LONGEST:
                self.lines.append(line)
                line = f"{name} = {name}"
            line += f" + {term}"
        self.lines.append(line)

    def accumulate(self, name: str, whole: Sketch, terms: Sequence[Sketch]) -> None:
        """A sum of which some terms are zeros but for a part: these are written in place."""
        placed = [y for y in terms if y.op is ops.scatter and not y.label and self.uses.get(id(y), 0) <= 1]
        if whole.op in (ops.scatter, PUT):
            placed = [whole]
        rest = [y for y in terms if not any(y is z for z in placed)]
        summands = [self.within(y, SUM) for y in rest]
        steps = [(self.text(unstretched(y.operands[0])), self.place(y), y) for y in placed]
        untouched = [np.full(data.shape, not rest) for data in whole._raw]
        if not rest:
            named = self.like(whole, placed[0].params["shape"])
            shape = self.parameter(tuple(whole.shape))
            text = f"{self.np}.zeros_like({named})" if named else f"{self.np}.zeros({shape}, {self.dtype})"
            summands = [text]
        elif len(rest) == 1 and (rest[0].label or id(rest[0]) in self.names or rest[0].op in VIEWS):
            summands = [f"{self.within(rest[0], ATOM)}.copy()"]
        self.sum_up(name, summands)
        for value, place, y in steps:
            if y.op is PUT:
                self.lines.append(f"{self.np}.put_along_axis({name}, {place}, {value}, axis={y.params['axis']})")
            elif sign := assignment(y.params["index"], untouched):
                self.lines.append(f"{name}[{place}] {sign} {value}")
            else:
                where = f"{self.np}.s_[{place}]" if isinstance(y.params["index"], tuple) else place
                self.lines.append(f"{self.np}.add.at({name}, {where}, {value})")

    def place(self, x: Sketch) -> str:
        """Where the numbers go, between brackets."""
        return self.text(x.operands[1]) if x.op is PUT else ", ".join(self.index_parts(x.params["index"]))


def assignment(index: Any, untouched: Sequence[Array]) -> str:
    """How to write to a place: set it where nothing is, add to it elsewhere; nothing, if it may be named twice.

    >>> untouched = [np.ones(4, bool), np.ones(4, bool)]
    >>> assignment(slice(2), untouched), assignment([1, 2], untouched), assignment([3, 3], untouched)
    ('=', '+=', '')
    """
    fixed = all(x.op is None and not x.moves and x._raw[0] is x._raw[1] for x in inside(index))
    sign = "="
    for k, free in enumerate(untouched):
        where = concrete(index, k)
        places = np.arange(free.size).reshape(free.shape)[where]
        if not fixed or np.unique(places).size < places.size:
            sign = ""
        elif sign and not free[where].all():
            sign = "+="
        free[where] = False
        free &= fixed
    return sign


def finished(writer: Writer, leaves: Sequence[Sketch], gradients: Sequence[Any]) -> str:
    """The function around the lines, tried on both batches."""
    read = [*writer.seeds, *(x for x in writer.named if x.label in writer.read)]
    head = f"def backward({', '.join(x.label for x in read)}):"
    last = f"return {', '.join(leaf.gradient for leaf in leaves) or '()'}"
    above = [line if line.endswith(f" {name}") else f"{line} as {name}" for line, name in writer.imports.items()]
    text = "\n".join([*above, *["", ""] * bool(above), head, *(f"    {line}" for line in (*writer.lines, last))])
    space: dict[str, Any] = {"np": np}
    exec(text, space)
    for k in (0, 1):
        with np.errstate(all="ignore"):
            found = space["backward"](*[x._raw[k] for x in read])
        for got, want, leaf in zip([found] if len(leaves) == 1 else found, gradients, leaves, strict=True):
            right = np.zeros_like(leaf._raw[k]) if want is None else want._raw[k]
            finite = np.isfinite(right)  # where the rules say nan for 0 * inf, the text may say 0
            if np.shape(got) != right.shape or not np.allclose(got[finite], right[finite], rtol=1e-6, atol=1e-9):
                raise Unsketchable(f"the text of the gradient of {leaf.label} would be wrong:\n{text}")
    return text
