"""Backpropagation as matrix formulas: the NumPy text of the backward pass that a program of arrays implies.

>>> from autograd.vectorizing.array_program import traced
>>> example = {"x": np.ones((2, 3))}, {"w": np.ones((3, 4)), "b": np.ones(4)}
>>> print(backward_source(traced(lambda x, w, b: ops.relu(ops.linear(x, w, b)), *example)))
def backward(dy, x, y):
    dz = np.sign(y) * dy
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dw, db

No formula of a derivative is written here. The rules of the rows run on the program's trees (`derivative`), and the
result is printed (`numpy_text`). The finished text is run on batches of several lengths, and has to give the numbers of
the trees.
"""

from __future__ import annotations

import keyword
import math
import string
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import postorder
from autograd.ops import questions
from autograd.ops.symbol import ATOM, SUM
from autograd.vectorizing.array_program import BATCH, Array, ArrayProgram, wide
from autograd.vectorizing.derivative import Backward
from autograd.vectorizing.evaluation import evaluate
from autograd.vectorizing.inference import Operand, concrete
from autograd.vectorizing.numpy_text import PLACED, VIEWS, Apart, NumPyText
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import Expression, made

LENGTHS = (1, 3, 7)  # at which the text is tried: far apart, and one that broadcasts
LONGEST = 100  # of a line, where it can be cut
DEEPEST = 12  # of an expression


def backward_source(program: ArrayProgram) -> str:
    """The backward pass of a program of arrays, as the text of a NumPy function.

    The function takes the outputs' gradients (``dy`` for ``y``; another letter, if the program has a ``dy``), then
    what it reads of the forward pass: inputs, parameters, constants and targets, each in the order given. It returns
    the parameters' gradients in their order; one alone, if there is one, and () if there is none. It works for a batch
    of any length, and in the dtype that it is given. NotLowerable if there is no such function, whatever the reason.

    >>> from autograd.vectorizing.array_program import traced
    >>> print(backward_source(traced(lambda x, w: (x * w).mean(), {"x": np.ones((2, 3))}, {"w": np.ones(3)})))
    def backward(dy, x):
        dw = (x * (dy / (len(x) * 3))).sum(axis=0)
        return dw
    """
    return backward_pass(program).source()


def backward_pass(program: ArrayProgram) -> Writer:
    """The lines of the backward pass in NumPy, checked at several lengths of the batch."""
    try:
        writer, gradients = written(program, Writer)
        check(writer, gradients)
    except Exception as error:  # whatever it is: the program itself may be right, and runs without this text
        raise NotLowerable(f"the backward pass: {error}") from error
    return writer


def written(program: ArrayProgram, language: type[Writer]) -> tuple[Writer, list[Any]]:
    """The lines of the backward pass in a language, and the gradients as trees."""
    backward, seeds = swept(program)
    gradients = backward.gradients(program.parameters)
    writer = language(program, backward.letter, list(seeds.values()), backward.hints)
    writer.backward(gradients)
    return writer, gradients


def derived(program: ArrayProgram) -> tuple[str, dict[Expression, Expression], list[Any]]:
    """The letter before the names of gradients, the gradient of each output, and those of the parameters as trees."""
    backward, seeds = swept(program)
    return backward.letter, seeds, backward.gradients(program.parameters)


def swept(program: ArrayProgram) -> tuple[Backward, dict[Expression, Expression]]:
    """The backward pass as trees, and the gradient of each output."""
    targets = [target.name for target, _ in program.statements]
    letter = free_letter(
        [*(x.name for x in program.parameters), *targets, *(x.name for x in program.outputs)],
        {x.name for x in program.named},
    )
    seeds = {x: x.trees.seed(x, letter + x.name) for x in program.outputs}
    wishes = {x: f"{letter}z{x.name[len(x.name.rstrip(string.digits)) :]}" for x, _ in program.statements}
    return Backward(program.statements, seeds, letter, wishes), seeds


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


# --------------------------------------------------------------------------------------------------- the program


class Writer(NumPyText):
    """Writes the lines of a program, or those of its backward pass: then there are `seeds`."""

    native: Container[Any] = ()
    """Rows that the library has, and NumPy has not."""

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
        self.apart = Apart(values if seeds else [], self.native)

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
        placed = dict.fromkeys(y for y in terms if y.op is ops.scatter and self.uses.get(y, 0) <= 1)
        if whole.op in PLACED:
            placed = {whole: None}
        rest = [y for y in terms if y not in placed]
        summands = [self.within(y, SUM) for y in rest]
        steps = [(self.text(unstretched(y.operands[0])), self.place(y), y) for y in placed]
        shapes = [concrete(whole.shape, {"batch": n}) for n in LENGTHS]
        cells = [np.arange(math.prod(shape)).reshape(shape) for shape in shapes]
        cells = [~cell for cell in cells] if rest else cells
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
                self.lines.append(self.add(name, place, value, assignment(y, cells), y.params["index"]))

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

    def source(self, arguments: Sequence[Expression] | None = None) -> str:
        """The text of the backward pass; with its arguments in another order, if one is given."""
        return with_imports(self.import_lines(), self.function(arguments))

    def function(self, arguments: Sequence[Expression] | None = None) -> str:
        """The function around the lines."""
        if self.seeds:
            name, results = "backward", [self.letter + x.name for x in self.program.parameters]
        else:
            name, results = "forward", [x.name for x in self.program.outputs]
        head = f"def {name}({', '.join(x.name for x in arguments or self.arguments())}):"
        return "\n    ".join([head, *self.lines, f"return {', '.join(results) or '()'}"])

    def import_lines(self) -> list[str]:
        """What the text imports."""
        return [line if line.endswith(f" {name}") else f"{line} as {name}" for line, name in self.imports.items()]

    def arguments(self) -> list[Expression]:
        """What the function takes: the seeds, and what else it reads; what the program is given, for its own lines."""
        if not self.seeds:
            return [*self.program.leaves, *(x for x in self.program.constants if x.name in self.read)]
        return [*self.seeds, *(x for x in self.named if x.name in self.read)]


def with_imports(imports: Sequence[str], *functions: str) -> str:
    """A module of these functions."""
    return "\n\n\n".join(["\n".join(imports)] * bool(imports) + list(functions))


def unstretched(x: Any) -> Any:
    """What was broadcast: an assignment does that by itself."""
    while source := made(x, ops.broadcast_to):
        (x,) = source
    return x


def assignment(node: Expression, cells: Sequence[Array]) -> str:
    """How to write to a scatter's place: set it where nothing is, add to it elsewhere; nothing, if it may repeat.

    `cells` are the numbers of the cells at each of `LENGTHS`: n, or ~n where something is. They are brought up to date.
    """
    _, params = node.arguments()
    index = params["index"]
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, Expression)]
    fixed = all(part.array is not None for part in arrays)
    sign = "="
    for n, cell in zip(LENGTHS, cells, strict=True):
        if not fixed:
            np.minimum(cell, ~cell, out=cell)
            sign = ""
            continue
        where = tuple(part.array if isinstance(part, Expression) else concrete(part, {"batch": n}) for part in parts)
        places = cell[where]
        if arrays and np.unique(places).size < places.size:
            sign = ""
        elif sign and (places < 0).any():
            sign = "+="
        cell[where] = np.minimum(places, ~places)
    return sign


def check(writer: Writer, gradients: Sequence[Any]) -> None:
    """Run the text at several lengths of the batch; NotLowerable unless it gives the numbers of the trees."""
    program, text = writer.program, writer.source()
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
