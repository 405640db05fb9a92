"""How Tensors record a row: one `Form` for each way in which variables and constants can meet, compiled when first met.

As `autograd.engine.specialize` does for scalars, what a row says is written out as straight-line Python: which operands are
variables, which of them backward will read, what each one's cotangent is.

>>> from autograd import Tensor
>>> import inspect, numpy as np
>>> y = Tensor([1.0, 2.0]) * np.array([3.0, 4.0])
>>> print(inspect.getsource(y._kind.pull))
def pull(node):
    g = node.grad
    if type(g) is float:
        g = node.grad = zeros_like(node._primal)
    out = node._primal
    x0, x1 = node._a
    a0, a1 = x0._primal, x1
    c = rule0(out, a0, a1) * g
    if c.shape != a0.shape or c.dtype is not a0.dtype:
        c = unbroadcast(c, a0)
    if x0._kind is None:
        x0._receive(c, g)
    else:
        x0.grad = c if type(x0.grad) is float else x0.grad + c
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.frozen import Frozen, frozen
from autograd.engine.graph import ANY, Node, modes
from autograd.engine.quiet import fresh, idle, ignoring, quietly
from autograd.engine.saved import find, rewritten, save, tick
from autograd.engine.specialize import Variant, execute
from autograd.ops.rows import LARGEST, Elementwise, Fused, Linear, Op, at, scaled, unbroadcast
from autograd.ops.symbol import Symbol, symbol

Array = np.ndarray[Any, np.dtype[Any]]
MOST = 256  # forms of one row: where it takes any number of operands, there is no end to the ways in which they meet


class Form(Variant):
    """How one kind of node records a row on operands of certain types, variables of that kind among them.

    `apply(operands, params)` gives the result, `record(operands, params, data)` the node of an operation that has
    been computed elsewhere, and `pull` is its backward step. `changed(node)` tells what would make that wrong.
    """

    __slots__ = ("apply", "changed", "needs", "numbers", "record")

    apply: Callable[[Sequence[Any], dict[str, Any]], Any]
    record: Callable[[Sequence[Any], dict[str, Any], Array], Any]
    changed: Callable[[Any], Array | None] | None

    def __init__(self, kind: type[Node], row: Op, kinds: tuple[type, ...], loops: bool = False) -> None:
        tensors = variable(kinds)
        self.needs = tuple([x and not issubclass(k, Frozen) for x, k in zip(tensors, kinds, strict=True)])
        namespace: dict[str, Any] = {
            **NAMES,
            "kind": kind,
            "row": row,
            "form": self,
            "forward": row.forward,
            "needs": self.needs,
            "tensors": tensors,
            "constant": None if any(self.needs) else frozen(kind),
        }
        if loops or row.arity < 0:
            constants, variables = saved(row, kinds, self.needs)
            arrays = [i for i, x in enumerate(kinds) if issubclass(x, np.ndarray)]
            namespace |= {"arrays": arrays, "shapes": isinstance(row, (Linear, Fused)), "vjp": row.vjp,
                          "read": [*constants, *variables], "variables": variables}  # fmt: skip
            exec(looping(), namespace)
        else:
            names = ", ".join(x.__name__ for x in kinds)
            parts = [
                numbers_source(tensors),
                apply_source(row, kinds, self.needs),
                record_source(row, kinds, self.needs),
                changed_source(row, kinds, self.needs),
                pull_source(row, kinds, self.needs, namespace),
            ]
            execute("\n\n".join(parts), f"{row.name}({names})", namespace)
        self.numbers = namespace["numbers"]
        self.apply, self.record, self.changed = namespace["apply"], namespace["record"], namespace["changed"]
        super().__init__(row, ANY, namespace["pull"], lambda node: node._a)

    @classmethod
    def of(cls, kind: type[Node], row: Op, operands: Sequence[Any]) -> Form:
        """The form for these operands, made when first met."""
        kinds = tuple(map(type, operands))
        found = row.forms.get(kinds)
        if found is None:
            if len(row.forms) >= MOST:
                row.forms.clear()
            found = row.forms[kinds] = cls(kind, row, kinds)
        return found


def explained(error: Exception, op: Op, arrays: Sequence[Any], params: dict[str, Any]) -> Exception:
    """NumPy's complaint with the operation, the shapes and the parameters."""
    shapes = " and ".join(str(np.shape(x)) for x in arrays)
    extra = "".join(f", {key}={x!r:.60}" for key, x in params.items() if key != "saved")
    return type(error)(f"{op.name} of shape{'s' * (len(arrays) > 1)} {shapes}{extra}: {error}")


# ---------------------------------------------------------------------------------------------------------- loops

LOOPS = """\
def numbers(operands):
    return [x._primal if tensor else x for x, tensor in zip(operands, tensors)]


def apply(operands, params):
    for i in arrays:
        dtypes = FLOATS if row.differentiates(i) else REAL
        dtype = operands[i].dtype
        if dtype.char not in dtypes or not dtype.isnative or (operands[i].ndim == 0 and not shapes):
            return kind._apply(row, operands, params)
    a = numbers(operands)
    if row.saves:
        params = {**params, 'saved': []}
    try:
        data = (ignoring if row.foreign else quietly)(lambda: forward(*a, **params))
    except (ValueError, IndexError, TypeError) as error:
        raise explained(error, row, a, params) from None
    if type(data) is not ndarray or any(data is x for x in a):
        data = asarray(data).view()
    return record(operands, params, data)


def record(operands, params, data):
    data.setflags(write=False)
    node = new(kind)
    node._primal = data
    node.grad = None
    node._label = ''
    if graph.special and not modes.recording:
        return node._constant()
    node._kind = form
    node._a = operands
    node._b = params
    node._version = tick()
    for i in variables:
        operands[i]._read = True
    node._guards = save([operands[i] for i in read])
    if graph.special and modes.watch is not None:
        modes.watch.record(node, row, operands)
    if constant is not None:
        node.__class__ = constant
        return node._constant()
    return node


def changed(node):
    for i in variables:
        x = node._a[i]
        if x._kind is None and (found := rewritten(x, node._version)) is not None:
            return found
    return None if node._guards is None else node._guards.changed()


def pull(node):
    g = node.grad
    if type(g) is float:
        g = node.grad = zeros_like(node._primal)
    for x, c in zip(node._a, vjp(g, needs, node._primal, numbers(node._a), node._b), strict=True):
        if c is not None:
            x._receive(c, g)
"""


@cache
def looping() -> CodeType:
    """What a form does, for any number of operands: so for rows that take any number, which need no compiling then."""
    filename = "<chainrule any row>"
    linecache.cache[filename] = (len(LOOPS), None, LOOPS.splitlines(keepends=True), filename)
    return compile(LOOPS, filename, "exec")


# -------------------------------------------------------------------------- written out, for one number of operands


def several(names: Sequence[str]) -> str:
    """A tuple of these without its parentheses."""
    return ", ".join(names) + "," * (len(names) == 1)


def listed(letter: str, count: int) -> str:
    """x0, x1 and so on."""
    return several([f"{letter}{i}" for i in range(count)])


def variable(kinds: Sequence[type]) -> tuple[bool, ...]:
    """Which of the operands are variables, frozen ones included."""
    return tuple([issubclass(x, Node) for x in kinds])


def unpacked(tensors: Sequence[bool]) -> str:
    """The numbers of operands x0, x1 and so on."""
    return several([f"x{i}._primal" if tensor else f"x{i}" for i, tensor in enumerate(tensors)])


def apply_source(row: Op, kinds: Sequence[type], needs: Sequence[bool]) -> str:
    """The operation on operands of these types: compute, and record."""
    n = len(kinds)
    arrays = [i for i, x in enumerate(kinds) if issubclass(x, np.ndarray)]
    a = listed("a", n)
    lines = [f"{listed('x', n)} = operands"]
    if ints := [f"abs(x{i}) > LARGEST" for i, x in enumerate(kinds) if x is int]:
        lines += [f"if {' or '.join(ints)}:", "    return row.apply(operands, params)"]
    if arrays:
        scalar = "x{i}.ndim == 0 or " if not isinstance(row, (Linear, Fused)) else ""
        kinds_of = {i: "FLOATS" if row.differentiates(i) else "REAL" for i in arrays}
        odd = " or ".join(
            (scalar + "x{i}.dtype.char not in {k} or not x{i}.dtype.isnative").format(i=i, k=k)
            for i, k in kinds_of.items()
        )
        lines += [f"if {odd}:", "    return kind._apply(row, operands, params)"]
    lines.append(f"{a} = {unpacked(variable(kinds))}")
    if row.saves:
        lines.append("params = {**params, 'saved': []}")
    lines += [
        "try:",
        *(f"    {line}" for line in calling("data", "forward", with_params(a, row), row)),
        "except (ValueError, IndexError, TypeError) as error:",
        f"    raise explained(error, row, ({a}), params) from None",
        "if type(data) is not ndarray:",
        "    data = asarray(data)",
        "elif " + " or ".join(f"data is a{i}" for i in range(n)) + ":",
        "    data = data.view()",
        *recording(row, kinds, needs),
    ]
    return written("apply(operands, params)", lines)


def calling(target: str, function: str, given: str, row: Op) -> list[str]:
    """A call without NumPy's warnings: `autograd.engine.quiet.quietly`, in line."""
    if row.foreign:
        return [f"{target} = ignoring(lambda: {function}({given}))"]
    return [
        "try:",
        "    context = idle.pop()",
        "except IndexError:",
        "    context = fresh()",
        "try:",
        f"    {target} = context.run({function}, {given})",
        "finally:",
        "    idle.append(context)",
    ]


def saved(row: Op, kinds: Sequence[type], needs: Sequence[bool]) -> tuple[list[int], list[int]]:
    """The arrays, and the variables, among the operands that backward will read."""
    read = {j for i, need in enumerate(needs) if need for j in reads(row, i, len(needs))}
    arrays, tensors = ([j for j in sorted(read) if issubclass(kinds[j], kind)] for kind in (np.ndarray, Node))
    return arrays, tensors


def record_source(row: Op, kinds: Sequence[type], needs: Sequence[bool]) -> str:
    """The node of an operation that has been computed."""
    lines = [f"{listed('x', len(needs))} = operands", *recording(row, kinds, needs)]
    return written("record(operands, params, data)", lines)


def recording(row: Op, kinds: Sequence[type], needs: Sequence[bool]) -> list[str]:
    """From the result to its node."""
    arrays, variables = saved(row, kinds, needs)
    lines = [
        "data.setflags(write=False)",
        "node = new(kind)",
        "node._primal = data",
        "node.grad = None",
        "node._label = ''",
        "if graph.special and not modes.recording:",
        "    return node._constant()",
        "node._kind = form",
        "node._a = operands",
        "node._b = params",
    ]
    guards = "None"
    if arrays or variables:
        lines += ["node._version = tick()", *(f"x{i}._read = True" for i in variables)]
        # whether anybody can write to one of them: to a constant, or, as `guard.shared` tells, to a variable
        given = [f"x{i}.flags.writeable or x{i}.base is not None or find(id(x{i})) is not None" for i in arrays]
        given += [f"(x{i}._exposed if x{i}._kind is None else x{i}._primal.base is not None)" for i in variables]
        guards = f"save(({several([f'x{i}' for i in (*arrays, *variables)])})) if {' or '.join(given)} else None"
    return [
        *lines,
        f"node._guards = {guards}",
        "if graph.special and modes.watch is not None:",
        "    modes.watch.record(node, row, operands)",
        *([] if any(needs) else ["node.__class__ = constant", "return node._constant()"]),
        "return node",
    ]


def changed_source(row: Op, kinds: Sequence[type], needs: Sequence[bool]) -> str:
    """The first array that backward would read and that has changed since the node was recorded, or None."""
    arrays, variables = saved(row, kinds, needs)
    lines = [f"{listed('x', len(needs))} = node._a", "now = node._version"] if variables else []
    for i in variables:
        lines += [
            f"if x{i}._kind is None and (x{i}._version > now or x{i}._exposed > now):",
            f"    if (found := rewritten(x{i}, now)) is not None:",
            "        return found",
        ]
    lines.append("return None if node._guards is None else node._guards.changed()")
    return written("changed(node)", lines) if arrays or variables else "changed = None\n"


def numbers_source(tensors: Sequence[bool]) -> str:
    """The numbers of the operands."""
    return written("numbers(operands)", [f"{listed('x', len(tensors))} = operands", f"return {unpacked(tensors)}"])


def pull_source(row: Op, kinds: Sequence[type], needs: Sequence[bool], namespace: dict[str, Any]) -> str:
    """The backward step: each variable receives its cotangent. Rules go into the namespace."""
    n = len(kinds)
    x, a = listed("x", n), listed("a", n)
    lines = [
        "g = node.grad",
        "if type(g) is float:",
        "    g = node.grad = zeros_like(node._primal)",  # it reached no operand that has one, such as a condition
        "out = node._primal",
        f"{x} = node._a",
        f"{a} = {unpacked(variable(kinds))}",
    ]
    rules = row.rules()
    if rules is None:
        namespace["vjp"] = row.vjp
        lines += [
            f"for x, c in zip(node._a, vjp(g, needs, out, ({a}), node._b), strict=True):",
            "    if c is not None:",
            "        x._receive(c, g)",
        ]
        return written("pull(node)", lines)
    for i in range(n):
        if not needs[i] or rules[i] is None:
            continue
        namespace[f"rule{i}"] = rules[i]
        step = [f"c = {cotangent(row, i, kinds)}", f"if c.shape != a{i}.shape or c.dtype is not a{i}.dtype:"]
        step += [f"    c = unbroadcast(c, a{i})"]
        step += [
            f"if x{i}._kind is None:",
            f"    x{i}._receive(c, g)",
            "else:",
            f"    x{i}.grad = c if type(x{i}.grad) is float else x{i}.grad + c",
        ]
        lines += step
    return written("pull(node)", lines)


def cotangent(row: Op, i: int, kinds: Sequence[type]) -> str:
    """The cotangent of an operand, by the rule that the row states for it."""
    a = listed("a", len(kinds))
    if not isinstance(row, Elementwise):
        given = f"g, {a}" if isinstance(row, Linear) else f"g, out, {a}"
        return f"rule{i}({with_params(given, row, 'node._b')})"
    names = [Symbol(f"x{j}") for j in range(row.arity)]
    partial = str(symbol(row.partials[i](Symbol("out"), *names)))  # type: ignore[misc]
    if partial in ("1", "-1"):
        return {"1": "g", "-1": "-g"}[partial]
    if any(issubclass(kind, (float, int)) for kind in kinds):  # Python's raise where NumPy's do not
        return f"scaled(at(rule{i}, out, ({a})), g)"
    return f"rule{i}(out, {a.rstrip(',')}) * g"


def with_params(given: str, row: Op, params: str = "params") -> str:
    """Arguments with the parameters after them, where the row has any."""
    none = isinstance(row, (Elementwise, Fused, Linear)) and not (row.params or row.saves)
    return given.rstrip(",") if none else f"{given.rstrip(',')}, **{params}"


def written(head: str, lines: Sequence[str]) -> str:
    """A function's source."""
    return f"def {head}:\n" + "".join(f"    {line}\n" for line in lines)


def reads(op: Op, i: int, count: int) -> tuple[int, ...]:
    """The operands whose numbers the cotangent of operand i is computed from."""
    if isinstance(op, Elementwise):
        names = [f"x{j}" for j in range(op.arity)]
        partial = op.partials[i]
        found = symbol(partial(Symbol("out"), *map(Symbol, names))).names if partial else ()
        return tuple(j for j, name in enumerate(names) if name in found)
    if op.arity < 0:
        return tuple(j for j in range(count) if j != i) if not op.joint else ()  # type: ignore[attr-defined]
    return op.reads[i]


FLOATS = frozenset("fd")
REAL = FLOATS | frozenset("?bBhHiIlLqQe")
"""The dtypes that rules compute with, and those of constants without a derivative, by their characters."""

NAMES: dict[str, Any] = {
    "FLOATS": FLOATS,
    "REAL": REAL,
    "ndarray": np.ndarray,
    "asarray": np.asarray,
    "zeros_like": np.zeros_like,
    "ignoring": ignoring,
    "new": object.__new__,
    "graph": graph,
    "modes": modes,
    "idle": idle,
    "fresh": fresh,
    "quietly": quietly,
    "tick": tick,
    "save": save,
    "find": find,
    "rewritten": rewritten,
    "LARGEST": LARGEST,
    "explained": explained,
    "at": at,
    "scaled": scaled,
    "unbroadcast": unbroadcast,
}
"""What the sources use."""
