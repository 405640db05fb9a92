"""Loops around an element, as C.

>>> from autograd.compiling.elements import buffer
>>> writer = NestWriter("")
>>> x, y = buffer("x", (3, 4), "f", (3, 4)), buffer("y", (3,), "f", (3,))
>>> print("\\n".join(writer.reduce(y, x, (1,), ops.sum, "=")))
for (long i = 0; i < 3; i++) {
    real s = 0;
#pragma omp simd reduction(+:s)
    for (long j = 0; j < 4; j++) {
        s += x[4 * i + j];
    }
    y[i] = s;
}
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.compiling.elements import Element, broadcast, reshaped
from autograd.compiling.exponential import exponential
from autograd.compiling.layout import Loop, Unaligned, nested, refined
from autograd.engine.graph import postorder
from autograd.native.form import HERE
from autograd.native.notation import LIBRARY, OPERATORS, InC, called, has_value
from autograd.ops import questions
from autograd.ops.rows import Elementwise, Op, operand_names
from autograd.ops.symbol import ATOM, Symbol, symbol
from autograd.vectorizing.array_program import BATCH
from autograd.vectorizing.sizes import NotLowerable, Size

INDICES = [f"{letter}{n or ''}" for n in (0, 2, 3) for letter in "ijkl"]
LONG = 60  # characters: an expression that is longer gets a name

START: dict[Op, str] = {ops.sum: "0", ops.prod: "1", ops.max: "-INFINITY", ops.min: "INFINITY"}
"""Reductions, by what they start with."""

HELPERS = "".join(
    found.group(0).replace("double", "real")
    for found in re.finditer(
        r"^static inline double python_\w+\(.*?^}\n", (HERE / "table.h").read_text(encoding="utf-8"), re.M | re.S
    )
)
"""Python's remainder and quotient, as the compiled Values have them."""


class InReal(InC):
    """Expressions as C, in the type of the program. `known` has the precedence of texts that stand for operands."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.known: dict[str, int] = {}

    def literal(self, x: float) -> tuple[str, int]:
        text, binding = super().literal(x)
        return (text if "N" in text else text + self.suffix), binding

    def atom(self, name: str) -> tuple[str, int]:
        return name, self.known.get(name, ATOM)


class NestWriter:
    """Writes loops. It notes which rows the text calls as functions.

    Args:
        suffix: of the literals of the program's type.
    """

    def __init__(self, suffix: str) -> None:
        self.notation = InReal(suffix)
        self.rows: dict[Elementwise, None] = {}

    # ------------------------------------------------------------------------------------------------------- loops

    def store(self, out: Element, x: Element, sign: str) -> list[str]:
        """Put an element, or add it (+=, -=), to its place in an array."""
        loops, strides = self.loops(out, x)
        body, text = self.body([x, out], x, strides)
        return self.wrapped(loops, [*body, f"{self.place(out, strides)} {sign} {text};"], simd=not out.lookups)

    def reduce(self, out: Element, x: Element, axes: Sequence[int], row: Op, sign: str) -> list[str]:
        """Reduce an array along axes."""
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        target = broadcast(reshaped(out, kept), x.shape)
        groups = self.axes([x, target])
        inner = max((i for i, loops in enumerate(groups) if loops), default=0)
        start = START[row]
        if inner not in axes and sign == "=":  # the sums stay in memory, so that the loop inside runs over neighbours
            zero = Element(out.shape, "f", number=float(start.replace("INFINITY", "inf")))
            return [*self.store(out, zero, "="), *self.reduce(out, x, axes, row, "+=")]
        loops, strides = self.named([x, target], groups, axes, apart=inner in axes)
        around = sum(not reduced for _, reduced in loops)
        body, text = self.body([x], x, strides)
        if inner not in axes:
            place = self.place(target, strides)
            return self.wrapped([loop for loop, _ in loops], [*body, combined(row, place, text, sign)], simd=False)
        clause = " reduction(+:s)" if row is ops.sum else " reduction(*:s)" if row is ops.prod else ""
        inside = self.wrapped(
            [loop for loop, _ in loops[around:]], [*body, combined(row, "s", text, "+=")],
            simd=bool(clause), clause=clause, first=around,
        )  # fmt: skip
        lines = [f"real s = {start};", *inside, f"{self.place(target, strides)} {sign} s;"]
        return self.wrapped([loop for loop, _ in loops[:around]], lines, simd=False, block=True)

    def axes(self, roots: Sequence[Element]) -> list[list[Loop]]:
        """For each axis its loops over all leaves below these elements."""
        leaves = self.leaves(roots)
        try:
            return [refined([leaf.axes[i] for leaf in leaves]) for i in range(len(roots[0].shape))]
        except Unaligned:
            raise NotLowerable("arrays in orders that no loops follow together") from None

    @staticmethod
    def leaves(roots: Sequence[Element]) -> list[Element]:
        """What lies in buffers."""
        return [x for x in postorder(roots) if x.buffer]

    def named(
        self, roots: Sequence[Element], groups: list[list[Loop]], axes: Sequence[int], apart: bool
    ) -> tuple[list[tuple[Any, bool]], dict[Element, list[Any]]]:
        """The loops with whether they reduce; with `apart` those that do come last. And the strides of each leaf."""
        runs: list[tuple[bool, list[Loop]]] = []
        for i, group in enumerate(groups):
            runs.append((i in axes, list(group)))
        if apart:
            runs.sort(key=lambda run: run[0])
        joined: list[tuple[bool, list[Loop]]] = []
        for reduced, run in runs:
            if joined and joined[-1][0] == reduced:
                joined[-1][1].extend(run)
            else:
                joined.append((reduced, run))
        loops = [(loop, reduced) for reduced, run in joined for loop in nested(run)]
        leaves = self.leaves(roots)
        strides = {leaf: [loop.strides[k] for loop, _ in loops] for k, leaf in enumerate(leaves)}
        return [(loop.size, reduced) for loop, reduced in loops], strides

    def loops(self, *roots: Element) -> tuple[list[Any], dict[Element, list[Any]]]:
        """The lengths of the loops around these elements, and the strides of each leaf."""
        loops, strides = self.named(roots, self.axes(roots), (), apart=False)
        return [size for size, _ in loops], strides

    def wrapped(
        self, sizes: Sequence[Any], lines: list[str], simd: bool, clause: str = "", first: int = 0, block: bool = False
    ) -> list[str]:
        """Lines with loops around them; `first` is the number of the outermost one."""
        if len(sizes) + first > len(INDICES):
            raise NotLowerable("too many loops")
        if block and not sizes:
            return ["{", *("    " + line for line in lines), "}"]
        for k, size in reversed([*enumerate(sizes)]):
            i = INDICES[k + first]
            head = [f"for (long {i} = 0; {i} < {count(size)}; {i}++) {{"]
            if simd and k == len(sizes) - 1 and not (isinstance(size, int) and size < 4):
                head.insert(0, f"#pragma omp simd{clause}")
            lines = [*head, *(line if line.lstrip()[0] == "#" else "    " + line for line in lines), "}"]
        if not sizes and any(line.startswith("const") for line in lines):
            lines = ["{", *("    " + line for line in lines), "}"]
        return lines

    # ------------------------------------------------------------------------------------------------- expressions

    def place(self, leaf: Element, strides: dict[Element, list[Any]]) -> str:
        """Where the number of a leaf lies, as C."""
        terms = [] if leaf.offset == 0 else [str(leaf.offset)]
        for i, stride in zip(INDICES, strides[leaf], strict=False):
            if isinstance(stride, Size):
                raise NotLowerable("an axis before that of the batch")
            if stride:
                terms.append(i if stride == 1 else f"{stride} * {i}")
        for index, stride in leaf.lookups:
            where = self.texts[index]
            terms.append(where if stride == 1 else f"{stride} * {where}")
        return f"{leaf.buffer}[{' + '.join(terms) or '0'}]"

    def body(self, roots: Sequence[Element], x: Element, strides: dict[Element, list[Any]]) -> tuple[list[str], str]:
        """The lines inside of the loops, and the text of the element itself. What is used twice gets a name."""
        order = postorder(roots)
        uses = Counter(y for z in order for y in z.parents)
        self.texts: dict[Element, str] = {}
        lines: list[str] = []
        for y in order:
            if y is not x and y in roots:
                continue
            text, binding = self.text(y, strides)
            if y is not x and y.op is not None and (uses[y] > 1 or len(text) > LONG):
                name = f"t{len(lines) + 1}"
                lines.append(
                    f"const {'real' if y.kind == 'f' else 'int' if y.kind == 'b' else 'long'} {name} = {text};"
                )
                text, binding = name, ATOM
            self.texts[y] = text
            self.notation.known[text] = binding
        return lines, self.texts[x]

    def text(self, x: Element, strides: dict[Element, list[Any]]) -> tuple[str, int]:
        """An element as C, and how tightly it binds."""
        if x.op is None:
            if x.buffer:
                return self.place(x, strides), ATOM
            return self.notation.literal(x.number) if x.kind == "f" else (str(int(x.number)), ATOM)
        parts = tuple(Symbol(self.texts[y]) for y in x.parents)
        return self.notation.write(self.formula(x, parts))

    def formula(self, x: Element, parts: tuple[Symbol, ...]) -> Symbol:
        """An operation on texts."""
        op: Any = x.op
        if op in questions.COMPARISONS:
            return Symbol(op.infix, None, parts)
        if op in (questions.logical_and, questions.logical_or):
            return Symbol("and" if op is questions.logical_and else "or", None, parts)
        if op is questions.logical_not:
            return Symbol("==", None, (*parts, symbol(0)))
        if op is questions.as_float:
            return Symbol(ops.where, None, (*parts, symbol(1.0), symbol(0.0)))
        if op is ops.power:
            return powered(x, parts)
        if not isinstance(op, Elementwise) or not (op in OPERATORS or has_value(op)):
            raise NotLowerable(f"{getattr(op, 'name', op)} has no C text")
        if op not in OPERATORS:
            if ops.ROWS.get(op.name) is not op:
                raise NotLowerable(f"{op.name}, an operation of one's own, has no C text")
            self.rows[op] = None
        if x.kind != "f" and op not in (ops.add, ops.sub, ops.mul, ops.neg, ops.where):
            raise NotLowerable(f"{op.name} of whole numbers")
        return Symbol(op, None, parts)

    def functions(self) -> list[str]:
        """The rows that the text calls, as functions of C."""
        needed = list(self.rows)
        for row in needed:  # grows while it is gone through
            needed += sorted(called(own_formula(row)) - set(needed), key=lambda found: found.name)
        self.notation.known.clear()
        heads, bodies = [], []
        for row in needed:
            names = operand_names(row)
            head = f"static inline real value_{row.name}({', '.join(f'real {name}' for name in names)})"
            if row is ops.exp:
                bodies.append(exponential(self.notation.suffix))
                heads.append(f"{head};")
                continue
            if row.value in LIBRARY:
                text = f"{LIBRARY[row.value].replace('python_hypot', 'hypot')}({', '.join(names)})"
            else:
                text = self.notation.write(own_formula(row)[0])[0]
            heads.append(f"{head};")
            bodies.append(f"{head} {{ return {text}; }}")
        return [*heads, *bodies]


def own_formula(row: Elementwise) -> list[Symbol]:
    """The value of a row as an expression of its operands; nothing, if C's library has it."""
    return [] if row.value in LIBRARY else [symbol(row.value(*map(Symbol, operand_names(row))))]


def powered(x: Element, parts: tuple[Symbol, ...]) -> Symbol:
    """A power; of those that NumPy's ``**`` computes in another way, the same way."""
    exponent = x.parents[1].number
    if exponent == 2:
        return Symbol(ops.mul, None, (parts[0], parts[0]))
    if exponent == 0.5:
        return Symbol("sqrt(" + str(parts[0].head) + ")")
    return Symbol(f"pow({parts[0].head}, {parts[1].head})")


def combined(row: Op, total: str, text: str, sign: str) -> str:
    """The line that takes one more number into a reduction."""
    if row is ops.sum:
        return f"{total} {sign} {text};"
    if row is ops.prod:
        return f"{total} *= {text};"
    order = ">" if row is ops.max else "<"
    return f"{{ const real e = {text}; {total} = e {order} {total} || e != e ? e : {total}; }}"


def count(size: Any) -> str:
    """A length as C; that of the batch is n."""
    if isinstance(size, int):
        return str(size)
    c = size.terms.get(("batch",), 0)
    if size != c * BATCH:
        raise NotLowerable(f"a loop over {size}")
    return "n" if c == 1 else f"{c} * n"
