"""A program of arrays and its backward pass as C.

The function works on a tile of samples, with a loop over the tiles of a batch around it. Samples do not depend on each
other, and gradients are sums over samples: so the gradients of all tiles are added. The length of the batch is a number
that the function is given.

>>> from autograd.vectorizing.array_program import traced
>>> import numpy as np
>>> example = {"x": np.ones((2, 3))}, {"w": np.ones(3)}
>>> source = CSource(traced(lambda x, w: ops.tanh(x * w), *example), np.float64)
>>> print(source.functions[0])
void forward(long batch, void **given, long keep) {
    real *restrict w = given[1];
    for (long first = 0; first < batch; first += 32) {
        const long n = batch - first < 32 ? batch - first : 32;
        real *restrict x = (real *)given[0] + 3 * first;
        real *restrict y = (real *)given[2] + 3 * first;
        /* y = tanh(x * w) */
        for (long i = 0; i < n; i++) {
            for (long j = 0; j < 3; j++) {
                y[3 * i + j] = value_tanh(x[3 * i + j] * w[j]);
            }
        }
    }
}
<BLANKLINE>
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import ops
from autograd.compiling.deciding import EXPANDED, Expansion, Root, decided, is_joined, refuse, terms
from autograd.compiling.elements import Element, along, broadcast, buffer, cut, indexed, moved, reshaped, transposed
from autograd.compiling.layout import Atom, Axes, Loop, Unaligned, is_one, nested, refined
from autograd.compiling.nests import HELPERS, START, NestWriter, count
from autograd.compiling.products import PREAMBLE, Kernel, lanes_of
from autograd.engine.graph import postorder
from autograd.ops import questions
from autograd.ops.rows import Reduction
from autograd.vectorizing.array_program import BATCH, ArrayProgram
from autograd.vectorizing.backward import derived
from autograd.vectorizing.inference import concrete
from autograd.vectorizing.row_text import RowText
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import LET, Expression

TILES = (32, 16, 8, 4, 2, 1)
ROOM = 1 << 17
"""Bytes that the arrays of a tile may take, so that they stay near the processor."""

LARGEST = 1 << 26
"""Bytes that the arrays of a single sample may take."""

WORDS = re.findall(
    r"\w+",
    """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while real
    batch given keep first saved scratch n s e INFINITY NAN pow sqrt memset""",
)
"""What an array cannot be called in C, or is something else here."""


class CSource:
    """The C text of a program. NotLowerable, if there is none.

    `functions` are the texts of forward and backward. `arguments` are what each is given, in order: leaves, constants,
    seeds, and outputs or gradients; then what forward keeps for backward, and room for what is computed between.

    `width` is that of the processor's vectors, in bytes.
    """

    def __init__(self, program: ArrayProgram, dtype: DTypeLike, width: int = 32) -> None:
        if any(x.shape[:1] != (BATCH,) for x in (*program.inputs, *program.outputs)):
            raise NotLowerable("an output that is not one of each sample")
        self.program, self.dtype, self.width = program, np.dtype(dtype), width
        letter, seeds, self.gradients = derived(program)
        self.letter, self.seeds = letter, [seeds[x] for x in program.outputs]
        self.expansion = Expansion()
        self.targets = [(target, self.expansion.of(value)) for target, value in program.statements]
        self.grads = [self.expansion.of(g) for g in self.gradients]
        below = set(postorder([g for g in self.grads if isinstance(g, Expression)]))
        outputs = set(program.outputs)
        self.kept = [target for target, _ in self.targets if target in below]
        self.read = [x for x in (*program.leaves, *program.constants) if x in below]
        self.inner = [target for target, _ in self.targets if target not in below and target not in outputs]
        self.forced: set[Expression] = set()
        for self.tile in TILES:
            self.kernels: dict[Kernel, str] = {}
            forward, backward = self.printed(Forward), self.printed(Backprop)
            self.room = max(forward.used, backward.used)
            if (self.room + forward.saved) * self.dtype.itemsize <= ROOM:
                break
        if (self.room + forward.saved) * self.dtype.itemsize > LARGEST:
            raise NotLowerable("the arrays of one sample are large")
        self.saved, self.data = forward.saved, [forward.data, backward.data]
        self.arguments = [forward.arguments, backward.arguments]
        self.functions = [forward.written, backward.written]
        self.rows = list(dict.fromkeys([*forward.functions(), *backward.functions()]))

    def printed(self, kind: type[Function]) -> Function:
        """One of the functions. What lies in no order that loops follow is copied: then the text is made again."""
        while True:
            try:
                return kind(self)
            except Copied as found:
                if found.node in self.forced:
                    raise NotLowerable("numbers in an order that no loops follow") from None
                self.forced.add(found.node)

    @property
    def text(self) -> str:
        """The whole file."""
        real = "double" if self.dtype == np.float64 else "float"
        head = ["#include <math.h>", "#include <string.h>", "#include <tgmath.h>", "", f"typedef {real} real;", ""]
        kernels = [kernel.text(name) for kernel, name in self.kernels.items()]
        return "\n".join([*head, HELPERS, *self.rows, "", *[PREAMBLE] * bool(kernels), *kernels, *self.functions])


class Copied(Exception):
    """A node that has to be copied into an array of its own."""

    def __init__(self, node: Expression) -> None:
        super().__init__()
        self.node = node


class Function(NestWriter):
    """A function of a program: its text is written when it is made."""

    name = ""

    def __init__(self, source: CSource) -> None:
        super().__init__("" if source.dtype == np.float64 else "f")
        self.source, self.tile, self.program = source, source.tile, source.program
        self.taken = {*WORDS}
        self.arguments: list[str] = []
        self.heads: list[str] = []  # declarations of what there is once
        self.inside: list[str] = []  # declarations in each tile
        self.elements: dict[Expression, Element] = {}
        self.data: list[np.ndarray[Any, Any]] = []
        self.used = self.saved = 0
        self.write()

    def write(self) -> None:
        """The text."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------- declarations

    def called(self, wish: str) -> str:
        """A name like this that nothing else has."""
        name = re.sub(r"[^0-9A-Za-z_]", lambda found: f"u{ord(found[0]):x}", wish)
        while name in self.taken or re.fullmatch(r"[ijkl][23]?|t\d+|value_\w+|python_\w+", name):
            name += "_"
        self.taken.add(name)
        return name

    def given(self, node: Expression, key: str) -> None:
        """An array that the function is given: whole, or that of each sample."""
        name, place = self.called(node.name or "c"), len(self.arguments)
        self.arguments.append(key)
        kind = "long" if node.dtype.kind in "iu" else "real"  # truth values are 0 and 1
        if node.shape[:1] == (BATCH,):
            per = math.prod(node.shape[1:])
            self.inside.append(f"{kind} *restrict {name} = ({kind} *)given[{place}] + {per} * first;")
        else:
            self.heads.append(f"{kind} *restrict {name} = given[{place}];")
        self.elements[node] = buffer(name, node.shape, letter_of(node), self.roomy(node.shape))

    def roomy(self, shape: Sequence[Any]) -> tuple[Any, ...]:
        """The shape of an array for a whole tile."""
        return tuple(concrete(tuple(shape), {"batch": self.tile}))

    def room(self, node: Expression, wish: str, kept: bool = False) -> Element:
        """An array for what is computed between; `kept`: it stays for the backward pass."""
        if letter_of(node) == "i":
            raise NotLowerable("whole numbers that are computed")
        return self.rooms(node.shape, wish, letter_of(node), kept)

    def rooms(self, whole: Sequence[Any], wish: str, kind: str = "f", kept: bool = False) -> Element:
        """The same for any shape."""
        name, shape = self.called(wish), self.roomy(whole)
        at = self.saved if kept else self.used
        self.inside.append(f"real *restrict {name} = {'saved' if kept else 'scratch'} + {at};")
        size = -(-math.prod(shape) // 8) * 8
        if kept:
            self.saved += size
        else:
            self.used += size
        return buffer(name, tuple(whole), kind, shape)

    # ----------------------------------------------------------------------------------------------------- elements

    def element(self, root: Any, shape: Any = None) -> Element:
        """A node as an element of its array."""
        if not isinstance(root, Expression):
            return Element(shape, "f", number=float(root))
        for node in postorder([root], without=self.elements):
            self.elements[node] = self.made(node)
        return self.elements[root]

    def made(self, node: Expression) -> Element:
        """A node whose operands are elements."""
        if node.op is None:
            if node.array is None:
                raise NotLowerable(f"{node.name} is not known here")
            self.data.append(node.array)
            self.given(node, f"data {len(self.data) - 1}")
            return self.elements[node]
        operands = [self.elements.get(x) if isinstance(x, Expression) else x for x in node.operands]
        x: Any = operands[0] if operands else None
        try:
            if node.op is ops.reshape:
                return reshaped(x, node.shape)
            if node.op is ops.transpose:
                return transposed(x, node.params["axes"])
            if node.op is ops.broadcast_to:
                return broadcast(x, node.shape)
            if node.op is ops.getitem:
                arrays = self.indices(node, operands[1:])
                return indexed(x, node.params["index"], node.shape, arrays)
            if node.op is questions.take_along:
                return along(x, operands[1], node.params["axis"])  # type: ignore[arg-type]
        except Unaligned:
            raise Copied(node.parents[0]) from None
        if node.op is questions.ones_like:
            return Element(node.shape, "f", number=1.0)
        kinds = {y.kind for y in operands if isinstance(y, Element)}
        floats = "f" in kinds or node.dtype.kind == "f"
        parts = [
            broadcast(y, node.shape) if isinstance(y, Element)
            else Element(node.shape, "f" if floats or type(y) is float else "i", number=y)
            for y in operands
        ]  # fmt: skip
        if node.op in START or node.op in EXPANDED or node.op is LET or not parts:
            refuse(node)
        return Element(node.shape, letter_of(node), node.op, tuple(parts))

    def indices(self, node: Expression, found: Sequence[Any]) -> list[Element]:
        """The arrays of an index. Those that are known count from the start, and hold no bools."""
        for x in node.parents[1:]:
            if x.dtype.kind not in "iu" or (x.array is not None and x.array.size and x.array.min() < 0):
                raise NotLowerable("an index by truth values, or from the end")
        return list(found)

    # --------------------------------------------------------------------------------------------------- statements

    def statements(self, roots: Sequence[Root], outs: Sequence[Element], notes: Sequence[str]) -> list[str]:
        """The lines of some values, and of the arrays that they take."""
        arrays = decided(list(roots), self.source.forced)
        lines: list[str] = []
        for root, out, note in zip(roots, outs, notes, strict=True):
            if note:
                lines.append(f"/* {note.replace('*/', '* /')} */")
            order = postorder([root.value]) if isinstance(root.value, Expression) else []
            for node in order:
                if node in arrays and node not in self.elements:
                    own = self.room(node, node.name if node.op is LET else f"{getattr(node.op, 'name', 'x')}_")
                    value = node.operands[0] if node.op is LET else node
                    lines += self.put(own, value, "=")
                    self.elements[node] = own
            lines += self.put(out, root.value, root.sign)
        return lines

    def put(self, out: Element, value: Any, sign: str) -> list[str]:
        """The lines that compute a value into its place."""
        if not isinstance(value, Expression) or value in self.elements:
            return self.store(out, broadcast(self.element(value, out.shape), out.shape), sign)
        op: Any = value.op
        if op is ops.matmul:
            return self.product(out, value, sign)
        if isinstance(op, Reduction):
            if op not in START or (sign != "=" and op is not ops.sum):
                refuse(value)
            (x,) = value.operands
            axes = value.params.get("axis")
            return self.reduce(out, self.element(x), range(x.ndim) if axes is None else axes, op, sign)
        if is_joined(value):
            return self.joined(out, value, sign)
        if op in (ops.scatter, questions.put_along):
            lines = self.store(out, Element(out.shape, "f", number=0.0), "=") if sign == "=" else []
            return [*lines, *self.scattered(out, value, "-=" if sign == "-=" else "+=")]
        return self.store(out, broadcast(self.element(value), out.shape), sign)

    def product(self, out: Element, value: Expression, sign: str) -> list[str]:
        """A matrix product: sums along the axis that both share."""
        a, b = (self.element(x) for x in value.operands)
        if len(a.shape) == 1:
            a, out = reshaped(a, (1, *a.shape)), widened(out, -2 if len(b.shape) > 1 else -1)
        if len(b.shape) == 1:
            b, out = reshaped(b, (*b.shape, 1)), widened(out, -1)
        if is_one(out.shape[-1]) and steps_of(a, -2) == 1:  # neighbours are the rows: the other way round
            a, b, out = (turned(x) for x in (b, a, out))
        *batch, rows, columns = out.shape
        steps = a.shape[-1]
        if (found := self.kernel(out, a, b, sign)) is not None:
            return found
        if steps_of(b, -1) != 1 and steps_of(b, -2) == 1:  # the sums run over neighbours
            shape = (*batch, rows, columns, steps)
            left, right = broadcast(widened(a, -2), shape), broadcast(widened(turned(b), -3), shape)
            return self.reduce(out, Element(shape, "f", ops.mul, (left, right)), (len(shape) - 1,), ops.sum, sign)
        shape = (*batch, rows, steps, columns)
        left, right = broadcast(widened(a, -1), shape), broadcast(widened(b, -3), shape)
        return self.reduce(out, Element(shape, "f", ops.mul, (left, right)), (len(shape) - 2,), ops.sum, sign)

    def kernel(self, out: Element, a: Element, b: Element, sign: str) -> list[str] | None:
        """A product as calls of a function; None where its operands lie otherwise than it needs."""
        *batch, _, columns = out.shape
        operands = (out, a, b)
        if any(x.op is not None or not x.buffer or x.lookups for x in operands) or not isinstance(columns, int):
            return None
        if columns < 2 or steps_of(out, -1) != 1:
            return None
        a, b = broadcast(a, (*batch, *a.shape[-2:])), broadcast(b, (*batch, *b.shape[-2:]))
        sums = nested(refined([a.axes[-1], b.axes[-2]]))
        if len(sums) > 1:
            return None
        lines: list[str] = []
        if steps_of(b, -1) != 1:
            if any(axis and axis[0].stride for axis in b.axes[:-2]) or len(out.axes[-2]) > 1 or few(out.shape[-2]):
                return None
            packed = self.rooms(b.shape[-2:], "packed")
            lines = self.store(packed, moved(b, b.shape[-2:], lambda axes: (0, axes[-2:])), "=")
            b = broadcast(packed, b.shape)
            sums = nested(refined([a.axes[-1], b.axes[-2]]))
        groups = [refined([out.axes[i], a.axes[i], b.axes[i]]) for i in range(len(batch))]
        rows = refined([out.axes[-2], a.axes[-2], broadcast_axis(out.axes[-2])])
        loops = nested([loop for group in (*groups, rows) for loop in group])
        step = sums[0] if sums else Loop(1, (0, 0))
        inner = loops.pop() if loops and loops[-1].strides[2] == 0 else Loop(1, (0, 0, 0))
        lanes = lanes_of(columns, self.source.width // self.source.dtype.itemsize)
        kernel = Kernel(columns, inner.strides[0], inner.strides[1], step.strides[0], step.strides[1], sign, lanes)
        name = self.source.kernels.setdefault(kernel, f"product{len(self.source.kernels) + 1}")
        strides = {x: [loop.strides[k] for loop in loops] for k, x in enumerate((out, a, b))}
        places = ", ".join(f"&{self.place(x, strides)}" for x in (out, a, b))
        call = f"{name}({places}, {count(inner.size)}, {count(step.size)});"
        return [*lines, *self.wrapped([loop.size for loop in loops], [call], simd=False)]

    def joined(self, out: Element, value: Expression, sign: str) -> list[str]:
        """Arrays one after another along an axis."""
        axis, lines, at = value.params["axis"], [], 0
        for x in value.operands:
            part = x.shape[axis]
            if not isinstance(part, int):
                raise NotLowerable("batches one after another")

            def move(axes: Axes, at: int = at, part: int = part) -> tuple[int, Axes]:
                start, new = cut(axes[axis], out.shape[axis], slice(at, at + part))
                return start, (*axes[:axis], new, *axes[axis + 1 :])

            lines += self.store(moved(out, x.shape, move), self.element(x), sign)
            at += part
        return lines

    def scattered(self, out: Element, value: Expression, sign: str) -> list[str]:
        """Numbers that are added where an index says."""
        x = value.operands[0]
        others = [self.element(y) for y in value.operands[1:]]
        try:
            if value.op is questions.put_along:
                place = along(out, others[0], value.params["axis"])
            else:
                place = indexed(out, value.params["index"], self.landing(value), self.indices(value, others))
        except Unaligned:
            raise NotLowerable("a scatter into an order that no loops follow") from None
        return self.store(place, broadcast(self.element(x), place.shape), sign)

    @staticmethod
    def landing(value: Expression) -> tuple[Any, ...]:
        """The shape of what a scatter's index names."""
        whole = value.trees.leaf("", value.shape, value.dtype)
        params = {"index": value.params["index"]}
        found = value.trees.make(ops.getitem, (whole, *value.operands[1:]), params)
        return tuple(found.shape)

    def finish(self, lines: Sequence[str], before: Sequence[str], needs: Sequence[str]) -> None:
        """The function around the lines."""
        last = len(self.arguments)
        body = [f"const long n = batch - first < {self.tile} ? batch - first : {self.tile};"] if lines else []
        self.written = "\n".join(
            [
                f"void {self.name}(long batch, void **given, long keep) {{",
                *(f"    {line}" for line in self.heads),
                *(f"    real *restrict scratch = given[{last + 1}];" for _ in [0] if self.used),
                *(f"    {line}" for line in before),
                f"    for (long first = 0; first < batch; first += {self.tile}) {{",
                *(f"        {line}" for line in body),
                *(f"        real *saved = (real *)given[{last}] + first / {self.tile} * keep;" for _ in needs),
                *(f"        {line}" for line in self.inside),
                *(line if line[0] == "#" else f"        {line}" for line in lines),
                "    }",
                "}",
                "",
            ]
        )


def letter_of(node: Expression) -> str:
    """The kind of a node's numbers: f, i or b."""
    return {"u": "i"}.get(node.dtype.kind, node.dtype.kind)


def steps_of(x: Element, axis: int) -> Any:
    """The stride of an axis, if it has one."""
    return x.axes[axis][0].stride if x.buffer and len(x.axes[axis]) == 1 else None


def few(n: Any) -> bool:
    """Whether it is a small number of rows, which another order of the operand would not pay for."""
    return isinstance(n, int) and n < 4


def broadcast_axis(axis: Any) -> Any:
    """The same loops over something that does not move."""
    return tuple(Atom(atom.size, 0) for atom in axis)


def turned(x: Element) -> Element:
    """The matrix with its rows as columns."""
    n = len(x.shape)
    return transposed(x, (*range(n - 2), n - 1, n - 2))


def widened(x: Element, axis: int) -> Element:
    """The element with one more axis of length 1: there, counted from the end."""
    at = len(x.shape) + 1 + axis
    shape = (*x.shape[:at], 1, *x.shape[at:])
    return moved(x, shape, lambda axes: (0, (*axes[:at], (), *axes[at:])))


class Forward(Function):
    """The program: what is kept for the backward pass lies in `saved`."""

    name = "forward"

    def write(self) -> None:
        source, program = self.source, self.program
        for x in (*program.leaves, *program.constants):
            self.given(x, x.name)
        for x in program.outputs:
            self.given(x, x.name)
        outputs = {x: self.elements[x] for x in program.outputs}
        notes, outs, roots = [], [], []
        writer = RowText(program.named)
        kept = {x for x in source.kept if x not in outputs}
        below = set(kept)
        for (target, value), (_, tree) in zip(source.targets, program.statements, strict=True):
            if target in outputs:
                own = outputs[target]
            else:
                own = self.elements[target] = self.room(target, target.name, target in below)
            text = ""
            with suppress(Exception):  # an operation of one's own has no name here
                text = writer.text(tree)
            roots.append(Root(target.name, "=", value))
            outs.append(own)
            notes.append(f"{target.name} = {text}")
        lines = self.statements(roots, outs, notes)
        self.finish(lines, (), ["saved"] * bool(self.saved))


class Backprop(Function):
    """The gradients of the parameters: those of all tiles are added."""

    name = "backward"

    def write(self) -> None:
        source, program = self.source, self.program
        kept = set(source.kept)
        for x in source.read:
            self.given(x, x.name)
        for x in program.outputs:
            if x in kept:
                self.given(x, x.name)
        for x in source.seeds:
            self.given(x, x.name)
        for x in source.kept:
            if x not in self.elements:
                self.elements[x] = self.room(x, x.name, kept=True)
        uses = Counter(
            y
            for z in postorder([g for g in source.grads if isinstance(g, Expression)])
            for y in z.parents
        )  # fmt: skip
        uses.update(g for g in source.grads if isinstance(g, Expression))
        shared = {x for x, n in uses.items() if n > 1}
        roots, outs, notes, zeros = [], [], [], []
        for leaf, g in zip(program.parameters, source.grads, strict=True):
            wish = self.called(source.letter + leaf.name)
            self.heads.append(f"real *restrict {wish} = given[{len(self.arguments)}];")
            self.arguments.append(f"gradient {leaf.name}")
            zeros.append(f"memset({wish}, 0, {math.prod(leaf.shape)} * sizeof(real));")
            found = terms(wish, g, shared) if g is not None else []
            roots += found
            outs += [buffer(wish, leaf.shape, "f", leaf.shape)] * len(found)
            notes += [f"the gradient of {leaf.name}{', more of it' * (k > 0)}" for k in range(len(found))]
        order = sorted(
            range(len(roots)), key=lambda k: roots[k].value.place if isinstance(roots[k].value, Expression) else -1
        )
        lines = self.statements([roots[k] for k in order], [outs[k] for k in order], [notes[k] for k in order])
        self.finish(lines, zeros, ["saved"] * bool(self.saved))
