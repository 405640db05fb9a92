"""Backpropagation as matrix formulas: the NumPy text of the backward pass that a program of arrays implies.

>>> example = {"x": np.ones((2, 3))}, {"w": np.ones((3, 4)), "b": np.ones(4)}
>>> print(backward_source(read([("h", "relu(linear(x, w, b))")], *example, {}, ["h"], vars(ops))))
def backward(dh, x, h):
    dz = np.sign(h) * dh
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dw, db

No formula of a derivative is written here. The rules of the rows run on the program's trees (`derivative`), and the
result is printed (`numpy_text`). The finished text is run on batches of several lengths, and has to give the numbers of
the trees.
"""

from __future__ import annotations

import keyword
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.engine.graph import postorder
from autograd.engine.tensor import Array
from autograd.ops import questions
from autograd.ops.rows import normalize_axis
from autograd.ops.symbol import ATOM, SUM
from autograd.ops.traced import Length
from autograd.vectorizing.derivative import Backward
from autograd.vectorizing.evaluation import evaluate
from autograd.vectorizing.inference import Operand, concrete
from autograd.vectorizing.numpy_text import PLACED, VIEWS, Apart, NumPyText
from autograd.vectorizing.simpler import simplified
from autograd.vectorizing.sizes import NotLowerable, Size
from autograd.vectorizing.tree import Expression, Trees, made

BATCH = Size.symbol("batch")
LENGTHS = (1, 3, 7)  # at which the text is tried: far apart, and one that broadcasts
LONGEST = 100  # of a line, where it can be cut
DEEPEST = 12  # of an expression


def backward_source(program: ArrayProgram) -> str:
    """The backward pass of a program of arrays, as the text of a NumPy function.

    The function takes the outputs' gradients (``dy`` for ``y``; another letter, if the program has a ``dy``), then
    what it reads of the forward pass: inputs, parameters, constants and targets, each in the order given. It returns
    the parameters' gradients in their order; one alone, if there is one, and () if there is none. It works for a batch
    of any length, and in the dtype that it is given. NotLowerable if there is no such function, whatever the reason.

    >>> program = read([("y", "(x * w).mean()")], {"x": np.ones((2, 3))}, {"w": np.ones(3)}, {}, ["y"], {})
    >>> print(backward_source(program))
    def backward(dy, x):
        dw = (x * (dy / (len(x) * 3))).sum(axis=0)
        return dw
    """
    try:
        writer, gradients = written(program, Writer)
        text = writer.function("backward", [writer.letter + leaf.name for leaf in program.parameters])
        check(text, writer, program, gradients)
    except Exception as error:  # whatever it is: the program itself may be right, and runs without this text
        raise NotLowerable(f"the backward pass: {error}") from error
    return text


class ArrayProgram(NamedTuple):
    """A program as trees: its leaves, its statements (target, value), and the targets that are its outputs."""

    inputs: list[Expression]
    parameters: list[Expression]
    constants: list[Expression]
    statements: list[tuple[Expression, Any]]
    outputs: list[Expression]
    examples: dict[Expression, Array]  # an array for each input and parameter: what texts are tried on

    @property
    def leaves(self) -> list[Expression]:
        """What the program is given."""
        return [*self.inputs, *self.parameters]

    @property
    def named(self) -> list[Expression]:
        """What has a name, in order."""
        return [*self.leaves, *self.constants, *(target for target, _ in self.statements)]


def read(
    statements: Sequence[tuple[str, str]],
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Array],
    constants: Mapping[str, Array],
    outputs: Sequence[str],
    functions: Mapping[str, Any],
) -> ArrayProgram:
    """The trees of a program that is given as text.

    Args:
        statements: (target, expression) in order.
        inputs: example data, the first axis the batch; no gradient is taken of them.
        parameters: what the gradient is taken of.
        constants: other arrays that the expressions name.
        outputs: targets whose gradients are given.
        functions: what the expressions call: rows of autograd by name.

    ValueError unless the inputs are one batch and each name stands for one array.
    """
    checked_names([*inputs, *parameters, *constants, *(target for target, _ in statements)])
    checked_batch(inputs)
    trees = Trees(simplified)
    sources = [trees.leaf(name, (BATCH, *x.shape[1:]), wide(x).dtype) for name, x in inputs.items()]
    leaves = [trees.leaf(name, np.shape(x), wide(x).dtype, moves=True) for name, x in parameters.items()]
    known = [trees.leaf(name, np.shape(x), wide(x).dtype, array=wide(x)) for name, x in constants.items()]
    names: dict[str, Any] = {name: FORMS.get(f, f) if callable(f) else f for name, f in functions.items()}
    names |= {x.name: x for x in (*sources, *leaves, *known)}
    values = evaluated(statements, names, trees)
    ends = [names[name] for name in dict.fromkeys(outputs)]
    if any(isinstance(end, Length) for end in ends):
        raise NotLowerable("an output that is a length")
    examples = {x: {**inputs, **parameters}[x.name] for x in (*sources, *leaves)}
    return ArrayProgram(sources, leaves, known, values, ends, examples)


def written(program: ArrayProgram, language: type[Writer]) -> tuple[Writer, list[Any]]:
    """The lines of the backward pass in a language, and the gradients as trees."""
    targets = [target.name for target, _ in program.statements]
    letter = free_letter(
        [*(x.name for x in program.parameters), *targets, *(x.name for x in program.outputs)],
        {x.name for x in program.named},
    )
    seeds = {x: x.trees.leaf(letter + x.name, x.shape, x.dtype) for x in program.outputs}
    wishes = {x: f"{letter}z{x.name[len(x.name.rstrip(string.digits)) :]}" for x, _ in program.statements}
    backward = Backward(program.statements, seeds, letter, wishes)
    gradients = backward.gradients(program.parameters)
    writer = language(program, letter, list(seeds.values()), backward.hints)
    writer.backward(gradients)
    return writer, gradients


def free_letter(names: Sequence[str], taken: set[str]) -> str:
    """What to put before a name for its gradient: d, or a letter with which nothing else has that name.

    >>> free_letter(["y", "h"], {"x", "y", "h"}), free_letter(["y", "h"], {"x", "dy", "h"})
    ('d', 'g')
    """
    for letter in "dg" + string.ascii_letters:
        made_up = {f"{letter}{name}" for name in names}
        if not made_up & taken and not any(map(keyword.iskeyword, made_up)):
            return letter
    raise NotLowerable("every letter makes a name that the program has")


def checked_names(names: Sequence[str]) -> None:
    """ValueError where a name stands for several arrays: the text could not tell them apart."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"each name stands for one array; got several for {', '.join(twice)}")


def checked_batch(inputs: Mapping[str, Array]) -> None:
    """ValueError unless the inputs are one batch."""
    lengths = {len(x) for x in inputs.values()}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(f"the inputs are one batch, and have a first axis of one length; got {sorted(lengths)}")


def wide(x: Any) -> Array:
    """An array with floats in one width, which is then none of the text's business."""
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise NotLowerable(f"an array of {array.dtype}")
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def evaluated(
    statements: Sequence[tuple[str, str]], names: dict[str, Any], trees: Trees
) -> list[tuple[Expression, Any]]:
    """The statements as trees: a leaf for each target, and its value."""
    results = []
    for target, text in statements:
        try:
            value = eval(text, {"__builtins__": {"slice": slice}, "np": np}, names)
        except Exception as error:  # what nodes do not do, or NumPy not with them
            raise NotLowerable(f"{target} = {text}: {error}") from error
        if isinstance(value, Length):  # stays what it is: the text reads it off something that has it
            names[target] = value
            continue
        if isinstance(value, Expression):
            names[target] = trees.leaf(target, value.shape, value.dtype, value.moves)
        else:
            array = wide(value)
            names[target] = trees.leaf(target, array.shape, array.dtype, array=array)
        results.append((names[target], value))
    return results


# -------------------------------------------------------------------- functions that look at numbers or are composed


def take_along_axis(x: Any, index: Any, axis: int) -> Any:
    """One element of each row; more would need a sum, where the same is taken twice."""
    (axis,) = normalize_axis(axis, x.ndim)
    if any(n != (1 if i == axis else m) for i, (n, m) in enumerate(zip(index.shape, x.shape, strict=True))):
        raise NotLowerable("take_along_axis of more than one element a row")
    return questions.take_along.apply((x, index), {"axis": axis})


FORMS: dict[Any, Callable[..., Any]] = {ops.take_along_axis: take_along_axis}
"""What a program may call, by what stands in for it here."""


# --------------------------------------------------------------------------------------------------- the program


class Writer(NumPyText):
    """Writes the lines of a program, or those of its backward pass: then there are `seeds`."""

    def __init__(
        self,
        program: ArrayProgram,
        letter: str = "",
        seeds: Sequence[Expression] = (),
        hints: Mapping[Expression, str] | None = None,
    ) -> None:
        floats = [x for x in (*seeds, *program.parameters, *program.inputs) if x.dtype.kind == "f"]
        super().__init__(program.named, f"{floats[0].name}.dtype")
        self.program, self.letter, self.seeds, self.wishes = program, letter, seeds, hints or {}
        self.taken |= {x.name for x in seeds}
        self.depths: dict[Expression, int] = {}
        values = [(value, target) for target, value in program.statements if isinstance(value, Expression)]
        self.apart = Apart(values if seeds else [])

    def forward(self) -> None:
        """The lines of the statements."""
        self.apart.run(value for _, value in self.program.statements)
        for target, value in self.program.statements:
            root = self.apart.of(value)
            self.uses.clear()
            self.count(root)
            self.define(target.name, root)
            self.names.pop(root, None)  # the leaf has the name

    def backward(self, gradients: Sequence[Any]) -> None:
        """The lines of the gradients, in the order of the sweep.

        The gradient of a parameter comes as soon as everything that it reads is there.
        """
        names = [self.letter + leaf.name for leaf in self.program.parameters]
        self.apart.run([*gradients, *self.wishes])
        self.hints = {self.apart.of(node): hint for node, hint in reversed([*self.wishes.items()])}
        steps = []
        for name, g in zip(names, gradients, strict=True):
            if g is not None:
                steps.append((g.place if isinstance(g, Expression) else -1, name, self.apart.of(g)))
        steps = sorted(self.lets([g for *_, g in steps]) + steps, key=lambda step: step[0])  # a tie: dw = dh
        self.taken |= {name for _, name, _ in steps}
        for _, _, root in steps:
            self.count(root)
        for _, name, root in steps:
            self.define(name, root)
        for name, leaf, g in zip(names, self.program.parameters, gradients, strict=True):
            if g is None:
                self.lines.append(f"{name} = {self.np}.zeros_like({self.text(leaf)})")

    def lets(self, roots: Sequence[Any]) -> list[tuple[int, str, Any]]:
        """The named gradients below these roots: for each the place at which it was made, its name and its value."""
        order = postorder([x for x in roots if isinstance(x, Expression)])
        return [(self.apart.places[x], x.name, x.operands[0]) for x in order if x.op is not None and x.name]

    def count(self, root: Any) -> None:
        """Note how often this expression uses what is in it."""
        stack = [root] if isinstance(root, Expression) else []
        while stack:
            x = stack.pop()
            self.uses[x] = self.uses.get(x, 0) + 1
            if self.uses[x] == 1 and not x.name:
                stack += x.parents

    def define(self, name: str, root: Any) -> None:
        """The lines that compute an expression under this name."""
        if not isinstance(root, Expression) or root.name or root in self.names:
            self.lines.append(f"{name} = {self.text(root)}")
            return
        terms = self.terms(root)
        for term in terms:
            self.cut(term)
        if root.op in PLACED or any(term.op is ops.scatter for term in terms):
            self.accumulate(name, root, terms)
        elif len(terms) > 1:
            self.sum_up(name, [self.within(term, SUM) for term in terms])
        else:
            self.lines.append(f"{name} = {self.compose(root)[0]}")
        self.names[root] = name

    def cut(self, root: Expression) -> None:
        """Lines of their own for what lies deep inside of an expression, so that writing it does not recurse far."""
        stack = [(root, False)]
        while stack:
            x, looked_below = stack.pop()
            if x in self.depths or x.name or x in self.names:
                continue
            if not looked_below:
                stack += [(x, True), *((y, False) for y in x.parents)]
                continue
            depth = 1 + max([0 if y in self.names else self.depths.get(y, 0) for y in x.parents], default=0)
            if depth >= DEEPEST and x is not root:
                self.write(x)
            self.depths[x] = depth

    def terms(self, whole: Expression) -> list[Expression]:
        """The terms of a sum. A partial sum that is used elsewhere, or that broadcasts its operands, stays one term."""
        found, stack = [], [whole]
        while stack:
            x = stack.pop()
            free = x is whole or (self.uses.get(x, 0) <= 1 and x not in self.names and not x.name)
            if made(x, ops.add) and free and all(isinstance(y, Expression) and y.shape == x.shape for y in x.operands):
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

    def accumulate(self, name: str, whole: Expression, terms: Sequence[Expression]) -> None:
        """A sum of which some terms are zeros but for a part: these are written in place."""
        placed = [y for y in terms if y.op is ops.scatter and self.uses.get(y, 0) <= 1]
        if whole.op in PLACED:
            placed = [whole]
        rest = [y for y in terms if y not in set(placed)]
        summands = [self.within(y, SUM) for y in rest]
        steps = [(self.text(unstretched(y.operands[0])), self.place(y), y) for y in placed]
        untouched = [np.full(concrete(whole.shape, {"batch": n}), not rest) for n in LENGTHS]
        if not rest:
            named = self.like(whole.shape, whole.dtype)
            shape = self.parameter(tuple(whole.shape))
            text = f"{self.np}.zeros_like({named})" if named else f"{self.np}.zeros({shape}, {self.dtype})"
            summands = [text]
        elif len(rest) == 1 and (rest[0].name or rest[0] in self.names or rest[0].op in VIEWS):
            summands = [f"{self.within(rest[0], ATOM)}.copy()"]
        self.sum_up(name, summands)
        for value, place, y in steps:
            if y.op is questions.put_along:
                self.lines.append(self.put(name, place, value, y.params["axis"]))
            else:
                self.lines.append(self.add(name, place, value, assignment(y, untouched), y.params["index"]))

    def put(self, name: str, place: str, value: str, axis: int) -> str:
        """The line that sets one element of each row."""
        return f"{self.np}.put_along_axis({name}, {place}, {value}, axis={axis})"

    def add(self, name: str, place: str, value: str, sign: str, index: Any) -> str:
        """The line that adds to a part: by = where nothing is yet, by a function where a place may be named twice."""
        if sign:
            return f"{name}[{place}] {sign} {value}"
        alone = isinstance(index, Operand) or not isinstance(index, tuple)
        return f"{self.np}.add.at({name}, {place if alone else f'{self.np}.s_[{place}]'}, {value})"

    def place(self, x: Expression) -> str:
        """Where the numbers go, between brackets."""
        return self.text(x.operands[1]) if x.op is questions.put_along else ", ".join(self.index_parts(x))

    def function(self, name: str, results: Sequence[str]) -> str:
        """The function around the lines."""
        head = f"def {name}({', '.join(x.name for x in self.arguments())}):"
        last = f"return {', '.join(results) or '()'}"
        above = [line if line.endswith(f" {name}") else f"{line} as {name}" for line, name in self.imports.items()]
        return "\n".join([*above, *["", ""] * bool(above), head, *(f"    {line}" for line in (*self.lines, last))])

    def arguments(self) -> list[Expression]:
        """What the function takes: the seeds, and what else it reads; what the program is given, for its own lines."""
        if not self.seeds:
            return [*self.program.leaves, *(x for x in self.program.constants if x.name in self.read)]
        return [*self.seeds, *(x for x in self.named if x.name in self.read)]


def unstretched(x: Any) -> Any:
    """What was broadcast: an assignment does that by itself."""
    while source := made(x, ops.broadcast_to):
        (x,) = source
    return x


def assignment(node: Expression, untouched: Sequence[Array]) -> str:
    """How to write to a scatter's place: set it where nothing is, add to it elsewhere; nothing, if it may repeat.

    `untouched` says where nothing is yet, at each of `LENGTHS`. It is brought up to date.
    """
    _, params = node.arguments()
    index = params["index"]
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, Expression)]
    fixed = all(part.array is not None for part in arrays)
    sign = "="
    for n, free in zip(LENGTHS, untouched, strict=True):
        if not fixed:
            free[...] = False
            sign = ""
            continue
        where = tuple(part.array if isinstance(part, Expression) else concrete(part, {"batch": n}) for part in parts)
        places = np.arange(free.size).reshape(free.shape)[where]
        if np.unique(places).size < places.size:
            sign = ""
        elif sign and not free[where].all():
            sign = "+="
        free[where] = False
    return sign


def check(text: str, writer: Writer, program: ArrayProgram, gradients: Sequence[Any]) -> None:
    """Run the text at several lengths of the batch; NotLowerable unless it gives the numbers of the trees."""
    space: dict[str, Any] = {"np": np}
    exec(text, space)
    rng = np.random.default_rng(0)
    for n in LENGTHS:
        lengths = {"batch": n}
        known = {
            x: wide(np.asarray(data)[np.arange(n) % len(data)] if BATCH in x.shape[:1] else data)
            for x, data in program.examples.items()
        }
        known |= {x: x.array for x in writer.named if x.array is not None}
        for target, value in program.statements:
            (known[target],) = evaluate([value], known, lengths)
        known |= {x: rng.normal(size=concrete(x.shape, lengths)) for x in writer.seeds}
        with np.errstate(all="ignore"):
            found = space["backward"](*[known[x] for x in writer.arguments()])
        rights = evaluate([0.0 if g is None else g for g in gradients], known, lengths)
        for got, want, leaf in zip([found] if len(rights) == 1 else found, rights, program.parameters, strict=True):
            right = np.broadcast_to(want, known[leaf].shape)
            finite = np.isfinite(right)  # where the rules say nan for 0 * inf, the text may say 0
            if np.shape(got) != right.shape or not np.allclose(got[finite], right[finite], rtol=1e-6, atol=1e-9):
                raise NotLowerable(f"the text of the gradient of {leaf.name} would be wrong:\n{text}")
