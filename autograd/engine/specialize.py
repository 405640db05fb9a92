"""Rows turned into small inlined methods: the scalar fast path, without a second copy of any formula.

A row's rules run on `Symbol`s; the text that comes out is compiled into the operators of `Value` and into one
*pull* (the backward step of a node) for each way in which variables and constants can meet:

>>> from autograd import Value
>>> import inspect
>>> print(inspect.getsource((Value(2.0) * Value(3.0))._kind.pull))
def pull_vv(node):
    a, b = node._a, node._b
    x, y = a._primal, b._primal
    g = node.grad
    a.grad = a.grad + y * g if a.grad else y * g
    b.grad = b.grad + x * g if b.grad else x * g

The source is registered with `linecache` for as long as its functions live, so that tracebacks and debuggers show it.
Where Python's floats raise (division by zero, overflow, a domain error) the methods fall back to the generic path,
which gives the IEEE result.
"""

from __future__ import annotations

import itertools
import linecache
import re
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import Any

from autograd import ops
from autograd.engine import graph
from autograd.ops.operators import METHODS, NUMPY_NAMES, binary
from autograd.ops.rows import Elementwise, Op, ieee, operand_names, real, scaled
from autograd.ops.signatures import as_method
from autograd.ops.symbol import PRODUCT, PYTHON, Symbol, symbol

_numbers = itertools.count(1)


def execute(text: str, title: str, namespace: dict[str, Any]) -> None:
    """Run generated source that defines functions, in a namespace; tracebacks and `inspect.getsource` will show it.

    Its lines are forgotten when the last of its functions goes. The functions share the namespace as their globals,
    so each keeps the others alive, and any one of them can stand for all.
    """
    filename = f"<chainrule {title} {next(_numbers)}>"  # two operations may have one title
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), namespace)
    made = (x for x in namespace.values() if isinstance(x, FunctionType) and x.__code__.co_filename == filename)
    weakref.finalize(next(made), linecache.cache.pop, filename, None).atexit = False


class Variant:
    """An operation as one kind of node records it: its row, how the node packs its operands, and its pull.

    A node with a label has a variant of its own.
    """

    __slots__ = ("fan", "label", "operands", "pull", "row")

    def __init__(
        self, row: Op, fan: int, pull: Callable[[Any], None], operands: Callable[[Any], Any], label: str = ""
    ) -> None:
        self.row = row
        self.fan = fan  # see autograd.engine.graph
        self.pull = pull
        self.operands = operands
        self.label = label

    def labelled(self, label: str) -> Variant:
        """The same for a node of this name."""
        return Variant(self.row, self.fan, self.pull, self.operands, label)

    def __repr__(self) -> str:
        return f"<variant of {self.row.name}>"


# v: a variable, c: a constant. A pattern names an operation's operands in order; here is the slot of each.
SLOTS = {"v": "a", "vv": "ab", "vc": "ab", "cv": "ba"}
OPERANDS: dict[str, Callable[[Any], Any]] = {
    "v": lambda node: (node._a,),
    "vv": lambda node: (node._a, node._b),
    "vc": lambda node: (node._a, node._b),
    "cv": lambda node: (node._b, node._a),
}

OPERATORS = {
    ops.add: ("__add__", "__radd__"),
    ops.sub: ("__sub__", "__rsub__"),
    ops.mul: ("__mul__", "__rmul__"),
    ops.div: ("__truediv__", "__rtruediv__"),
    ops.remainder: ("__mod__", "__rmod__"),
    ops.power: ("__pow__", "__rpow__"),
    ops.neg: ("__neg__",),
    ops.abs: ("__abs__",),
}

ALIASES = {ours: theirs for theirs, ours in NUMPY_NAMES.items()}
ELEMENTWISE = [row for row in ops.ROWS.values() if isinstance(row, Elementwise)]


def value_text(row: Elementwise, names: Sequence[str]) -> str:
    """The row's value as an expression in the names of its operands."""
    return str(row.value(*map(Symbol, names))) if row.is_formula else f"{row.name}({', '.join(names)})"


@cache
def scalars() -> dict[str, Any]:
    """What the compiled text calls: every row as a function on floats, under its name, and the numbers with a name."""
    functions: dict[str, Any] = {"inf": ops.inf, "nan": ops.nan}
    functions |= {row.name: row.value for row in ELEMENTWISE if not row.is_formula}
    for row in ELEMENTWISE:
        if row.is_formula:
            names = operand_names(row)
            functions[row.name] = eval(f"lambda {', '.join(names)}: {value_text(row, names)}", functions)
    return functions


CREATE = """\
    node = new(Value)
    node._primal = data
    node.grad = 0.0
"""


def careful(row: Elementwise, pattern: str, g: float, out: float, inputs: Sequence[float]) -> list[float]:
    """What a node hands to each of its variables, by the generic path."""
    return [
        ieee(lambda *xs, d=d: scaled(d(*xs), g), (out, *inputs))
        for kind, d in zip(pattern, row.partials, strict=True)
        if kind == "v" and d is not None
    ]


def guarded(indent: str, target: str, text: str, fallback: str) -> str:
    """An assignment, with a fallback where the expression can raise."""
    lines = [f"{target} = {text}"]
    if "/" in text or "(" in text:
        lines = [
            "try:",
            f"    {lines[0]}",
            "except (ArithmeticError, ValueError):",
            f"    {target} = {fallback}",
        ]
    return "".join(f"{indent}{line}\n" for line in lines)


def received(target: str, text: str) -> str:
    """The statement that hands on a contribution. A gradient of None, or 0, is one that nothing has reached yet."""
    return f"{target}.grad = {target}.grad + {text} if {target}.grad else {text}"


def pull_source(row: Elementwise, pattern: str) -> str:
    """The backward step of a node that applied the row to variables and constants in this pattern."""
    names = operand_names(row)
    symbols = [Symbol("out"), *map(Symbol, names)]
    slots = SLOTS[pattern]
    variables = [i for i, kind in enumerate(pattern) if kind == "v"]
    parts = {i: symbol(row.partials[i](*symbols)) for i in variables}  # type: ignore[misc]
    reads = frozenset().union(*(part.names for part in parts.values()))

    targets = [slots[i] for i in variables]
    lines = [f"{', '.join(targets)} = {', '.join(f'node._{s}' for s in targets)}"]
    needed = [i for i in range(len(pattern)) if names[i] in reads]
    if needed:
        sources = [f"{slots[i]}._primal" if pattern[i] == "v" else f"node._{slots[i]}" for i in needed]
        lines.append(f"{', '.join(names[i] for i in needed)} = {', '.join(sources)}")
    if "out" in reads:
        lines.append("out = node._primal")
    lines.append("g = node.grad")

    texts = [{"1": "g", "-1": "-g"}.get(str(p), f"{PYTHON.within(p, PRODUCT)} * g") for p in parts.values()]
    if any("/" in text or "(" in text for text in texts):
        everything = [f"{slots[i]}._primal" if pattern[i] == "v" else f"node._{slots[i]}" for i in range(len(pattern))]
        lines.append("try:")
        lines += [f"    d{s} = {text}" for s, text in zip(targets, texts, strict=True)]
        lines.append("except (ArithmeticError, ValueError):")
        left = ", ".join(f"d{s}" for s in targets)
        lines.append(f"    {left}, = careful(row, {pattern!r}, g, node._primal, ({', '.join(everything)},))")
        lines += [received(s, f"d{s}") for s in targets]
    else:
        lines += [received(s, text) for s, text in zip(targets, texts, strict=True)]
    return f"def pull_{pattern}(node):\n" + "".join(f"    {line}\n" for line in lines)


def function_name(method: str) -> str:
    """The method's name in its source, where `exp` itself means the function on floats."""
    return method if method.startswith("__") else f"value_{method}"


def unary_source(row: Elementwise, method: str) -> str:
    """The method that applies a row of one operand."""
    (x,) = operand_names(row)
    head = f"def {function_name(method)}(self):\n"
    body = (
        f"    {x} = self._primal\n"
        + guarded("    ", "data", value_text(row, [x]), f"ieee(row.value, ({x},), row.array)")
        + CREATE
        + "    node._kind = v\n    node._a = self\n    return node\n"
    )
    return method_source(head, "row.apply((self,), {})", body)


def binary_source(row: Elementwise, method: str, reflected: bool) -> str:
    """The method that applies a row of two operands; reflected, where the object is the second one."""
    names = operand_names(row)
    fallback = f"ieee(row.value, ({', '.join(names)}), row.array)"
    compute = guarded("        ", "data", value_text(row, names), fallback)
    create = "".join(f"    {line}\n" for line in CREATE.splitlines())
    mine, others = (names[1], names[0]) if reflected else names
    dunder = method.startswith("__")
    given = "other" if dunder else names[1]  # a method's operand can be given by name: leaky_relu(slope=0.1)
    default = f"={row.defaults[-1]!r}" if row.defaults else ""
    apply = f"binary(row, {'other, self' if reflected else 'self, other'}, other)"
    variables = (
        f"    if kind is Value:\n        {mine}, {others} = self._primal, other._primal\n"
        + compute
        + create
        + "        node._kind = vv\n        node._a = self\n        node._b = other\n        return node\n"
    )
    head = f"def {function_name(method)}(self, {given}{default}):\n" + ("" if dunder else f"    other = {given}\n")
    body = (
        "    kind = type(other)\n"
        + ("" if reflected else variables)
        + "    if kind is int:\n"
        + guarded("        ", "other", "float(other)", "real(other)")
        + "        kind = float\n"
        f"    if kind is float:\n        {mine}, {others} = self._primal, other\n"
        + compute
        + create
        + f"        node._kind = {'cv' if reflected else 'vc'}\n        node._a = self\n        node._b = other\n"
        f"        return node\n"
        f"    return {apply}\n"
    )
    return method_source(head, apply, body)


def method_source(head: str, apply: str, body: str) -> str:
    """A method: what its thread asks for is looked at where any thread asks for something else than recording.

    What is watched or traced takes the generic path. Without recording, the node is a leaf.
    """
    leaf = re.sub(
        r"( +)node\._kind = ", r"\1if state:\n\1    node._kind = None\n\1    return node\n\1node._kind = ", body
    )
    return (
        f"{head}    state = modes.state if graph.special else RECORDING\n"
        f"    if state == GENERAL:\n        return {apply}\n{leaf}"
    )


def methods_of(row: Elementwise) -> tuple[str, ...]:
    """The names under which a class offers a row, the reflected operator second."""
    return OPERATORS.get(row, (row.name,) if METHODS.get(row.name) is row else ())  # not one of that name of a user's


class Specialized:
    """A class of scalar nodes with its rows specialised: each row when it is first used, so that importing is cheap.

    `variant(row, pattern)` is what a node records for an operation on variables and constants in this pattern.
    """

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.put: dict[str, Callable[..., Any]] = {}  # the methods that this has attached
        for row in ELEMENTWISE:
            if row.arity <= 2:
                for i, method in enumerate(methods_of(row)):
                    self._attach(row, method, self._on_first_use(row, i))

    def variant(self, row: Op, pattern: str) -> Variant | None:
        """None for what has no specialised form."""
        if pattern not in SLOTS or None in row.partials:  # type: ignore[attr-defined]
            return None
        if pattern not in row.variants:
            self._compile(row)  # type: ignore[arg-type]
        return row.variants[pattern]  # type: ignore[no-any-return]

    def _on_first_use(self, row: Elementwise, i: int) -> Callable[..., Any]:
        def method(node: Any, *others: Any, **named: Any) -> Any:
            return self._compile(row)[i](node, *others, **named)

        return method

    def _attach(self, row: Elementwise, method: str, function: Callable[..., Any]) -> None:
        function.__name__ = method
        function.__qualname__ = f"{self.cls.__name__}.{method}"
        function.__module__ = self.cls.__module__
        function.__doc__ = f"{row.summary} See `autograd.{row.name}`."
        function.__signature__ = as_method(row, method)  # type: ignore[attr-defined]
        for name in (method, ALIASES[method]) if method in METHODS and method in ALIASES else (method,):
            if vars(self.cls).get(name) is self.put.get(name):  # else a program has put its own there
                setattr(self.cls, name, function)
                self.put[name] = function

    def _compile(self, row: Elementwise) -> list[Callable[..., Any]]:
        """Compile the row's methods and pulls, put them in place, and return the methods."""
        patterns = ["v"] if row.arity == 1 else ["vv", "vc", "cv"]
        methods = methods_of(row)
        source = [pull_source(row, pattern) for pattern in patterns]
        if row.arity == 1:
            source += [unary_source(row, method) for method in methods]
        else:
            source += [binary_source(row, method, reflected=i == 1) for i, method in enumerate(methods)]
        text = "\n\n".join(source)
        namespace: dict[str, Any] = {
            **scalars(),
            "GENERAL": graph.GENERAL,
            "RECORDING": graph.RECORDING,
            "binary": binary,
            "graph": graph,
            "modes": graph.modes,
            "ieee": ieee,
            "careful": careful,
            "real": real,
            "row": row,
            "new": object.__new__,
            "Value": self.cls,
        }
        execute(text, row.name, namespace)
        for pattern in patterns:
            pull = namespace[f"pull_{pattern}"]
            variant = Variant(row, pattern.count("v"), pull, OPERANDS[pattern])
            row.variants[pattern] = namespace[pattern] = variant
        functions = [namespace[function_name(method)] for method in methods]
        for method, function in zip(methods, functions, strict=True):
            self._attach(row, method, function)
        return functions
