"""Checks of a new row. A row that cannot work everywhere is refused by name, with what to write instead.

Floats, arrays, nodes, Duals and Symbols flow through a row's rules. A rule that takes only some of them would fail far
from where it is written, perhaps only in a second derivative. So the constructor of a row checks it. It reads from the
code of the rules how they can be called. It also runs the rules of elementwise rows once, on `Probe`s.

The rows of the table call rows that are defined further down. So their rules run when the table is complete, while
`autograd` is imported. Their examples run in the tests. A row of your own may also call a row that is not defined yet,
such as itself. It is checked when it is first used on a variable.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Callable, Container, Iterable, Sequence
from types import CodeType, ModuleType
from typing import Any, NoReturn

import numpy as np

from autograd.ops.traced import Asks, Branches, Gives, OnArrays, Probe, Rule, TakesFloats, ask

UNFINISHED: list[Any] = []
"""The rows of the table until `complete` checks them."""
_stating = [True]

ROWS_OF_MATH = {"pow": "power", "fabs": "abs", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}
REAL = (int, float, np.integer, np.floating)
EVERYWHERE = {(-float("inf"), float("inf"))}
VARARGS, VARKEYWORDS = 4, 8  # of code objects, as `inspect.CO_VARARGS`


def examine(row: Any, check: Callable[[Any], None], example: str) -> None:
    """Raise TypeError or ValueError for a new row that cannot work. `check` checks the rules of its kind of row."""
    if not isinstance(row.name, str):
        raise TypeError(f"a row's name is text, not {row.name!r:.60}")
    if not isinstance(row.summary, str):
        refuse(row, f"its doc is {row.summary!r:.40}, not text")
    if not callable(row.value):
        refuse(row, f"its value is {row.value!r:.40}, which cannot be called; give a function of the operands")
    if not isinstance(example, str) or (example and " = " not in example):
        refuse(row, f"its example is {example!r:.60}: write a call and its result, {row.name}(1.0) = 2.0", ValueError)
    check(row)
    if _stating:
        named(row)
        UNFINISHED.append(row)
    else:
        if check is elementwise:
            run(row)
        elif check is reduction:
            reduce_something(row)
        shown(row, example)


def refuse(row: Any, what: str, kind: type[Exception] = TypeError) -> NoReturn:
    """Raise an error that names the row."""
    raise kind(f"{row.name}: {what}")


# ------------------------------------------------------------------------------------------------------- the table


def named(row: Any) -> None:
    """Check the name of a row of the table. It becomes a name in `autograd`, a method, and a function in exports."""
    if not row.name.isidentifier() or keyword.iskeyword(row.name):
        refuse(row, f"the name of a row of the table has to be a name in Python, not {row.name!r}", ValueError)
    taken = sys._getframe(3).f_globals  # the names of the row's module
    if row.on_scalars and row.name in taken:  # other kinds of rows may have the name of a function that calls them
        refuse(row, "the name is taken in the table: choose another", ValueError)
    if not row.summary:
        refuse(row, "it has no doc: say in one line what it computes", ValueError)


def complete(parts: Iterable[ModuleType]) -> None:
    """Check the rows of the table, whose names are now all defined. `parts` are the modules of the table."""
    names = [row.name for row in UNFINISHED]
    for row in UNFINISHED:
        if names.count(row.name) > 1:
            refuse(row, "two rows of the table have this name: choose another for one of them", ValueError)
        if not any(vars(part).get(name) is row for part in parts for name in (row.name, f"_{row.name}")):
            refuse(row, f"a row of the table is assigned to its own name: write {row.name} = ...", ValueError)
        if row.on_scalars:
            run(row, whole=True)
    UNFINISHED.clear()
    _stating.clear()


def unclaimed(rows: Iterable[str], taken: Container[str], methods: Iterable[str], kind: type, home: type) -> None:
    """Raise ValueError for a row whose name is taken by something else in `autograd`, or by an attribute of variables.

    Args:
        rows: the names of the rows.
        taken: the other names in `autograd`.
        methods: the names under which rows are methods.
        kind: a class of variables.
        home: its base class that has the methods of rows.
    """
    for name in rows:
        if name in taken:
            raise ValueError(f"{name}: the name of this row is taken, by autograd.{name}: choose another")
    for name in methods:
        owner = next(x for x in kind.__mro__ if name in vars(x))
        if owner is not home:
            raise ValueError(f"{name}: the name of this row is taken, by {owner.__name__}.{name}: choose another")


# ------------------------------------------------------------------------------------------------ elementwise rows


def elementwise(row: Any) -> None:
    """Check an elementwise row: rules of the same operands, and a domain, kinks and defaults that fit them."""
    rules = [d for d in row.partials if d is not None]
    if not rules:
        refuse(row, "it has no derivative: give a partial for each operand, and None for a condition")
    for i, partial in enumerate(row.partials):
        if partial is not None and not hasattr(partial, "__code__"):
            refuse(row, f"its partial by operand {i + 1} is {partial!r:.40}: write lambda out, x: ... with rows")
    names = names_of(rules[0].__code__)[1:]
    if len(names) - len(rules[0].__defaults__ or ()) > row.arity:
        known = f"the operands ({', '.join(names)}) of its first"
        refuse(row, f"it has partials for {row.arity} of {known}: give one for each, None for a condition")
    names = names[: row.arity]
    called = ("out", *names)
    for i, partial in enumerate(row.partials):
        if partial is not None and parameters(partial, row.arity + 1) != called:
            given = ", ".join(names_of(partial.__code__))
            wanted = ", ".join(called) if len(names) == row.arity else "out, x, ..."
            refuse(row, f"its partial by operand {i + 1} takes ({given}): all take the result and operands, ({wanted})")
    if len(names) != row.arity:
        refuse(
            row,
            f"it has {row.arity} partials of ({', '.join(called)}): give one for each operand, None for a condition",
        )
    code = getattr(row.value, "__code__", None)
    if code is None:
        try_out(row, names)
    elif not code.co_flags & VARARGS and parameters(row.value, row.arity) != names:
        said_by, given = ", ".join(names), ", ".join(names_of(code))
        refuse(row, f"its value takes ({given}), its partials (out, {said_by}): give one partial for each, named alike")
    if row.defaults or row.kinks or set(row.domain) != EVERYWHERE or len(row.domain) != row.arity:
        fitting(row, names)


def fitting(row: Any, names: Sequence[str]) -> None:
    """Check the domain, the kinks and the defaults."""
    if len(row.domain) != row.arity:
        refuse(row, f"its domain has {len(row.domain)} intervals: give (low, high) for each of {names}", ValueError)
    for name, interval in zip(names, row.domain, strict=True):
        if len(numbers(row, "domain", interval)) != 2 or not interval[0] <= interval[1]:
            refuse(row, f"its domain of {name} is {interval!r:.60}: give (low, high), the lower first", ValueError)
    for kink in numbers(row, "kinks", row.kinks):
        if not any(low <= kink <= high for low, high in row.domain):
            refuse(row, f"its kink {kink} is outside its domain {row.domain}", ValueError)
    if len(numbers(row, "defaults", row.defaults)) >= row.arity and row.defaults:
        refuse(
            row, f"it has {len(row.defaults)} defaults: they are those of the last operands, {names[1:]}", ValueError
        )
    for i, default in enumerate(row.defaults, row.arity - len(row.defaults)):
        low, high = row.domain[i]
        if not low <= default <= high:
            refuse(row, f"its default {names[i]}={default} is outside the domain {row.domain[i]}", ValueError)


def numbers(row: Any, what: str, given: Any) -> Sequence[Any]:
    """Return `given`. TypeError unless it is a tuple or list of numbers without a nan."""
    if not isinstance(given, (tuple, list)) or not all(isinstance(x, REAL) and x == x for x in given):
        refuse(row, f"its {what} hold {given!r:.60}: give a tuple of numbers")
    return given


def run(row: Any, whole: bool = False) -> None:
    """Run the rules of an elementwise row on probes. If `whole`, a name that is not defined is an error."""
    try:
        row.is_formula  # noqa: B018 (the property runs the value and keeps the answer)
        names = names_of(next(d for d in row.partials if d is not None).__code__, row.arity + 1)
        probes = [Probe(name, branches=True) for name in names]
        for i, partial in enumerate(row.partials):
            if partial is not None:
                said(row, f"its partial by {names[i + 1]}", ask(partial, *probes))
        row.settle()
    except NameError as error:
        if whole:
            refuse(row, f"{error}: rules are written with rows of the table and helpers beside it", NameError)


def formula(row: Any) -> bool:
    """True if the value of an elementwise row is made of rows. TypeError if it is neither that nor code for floats."""
    rule = row.value
    if not hasattr(rule, "__code__"):
        return False
    found = ask(rule, *map(Probe, names_of(rule.__code__, row.arity) or ["x"] * row.arity))
    if isinstance(found, Branches) or (isinstance(found, Asks) and declares_floats(rule, row.arity)):
        return False
    said(row, "its value", found)
    return True


def declares_floats(rule: Any, arity: int) -> bool:
    """True if all operands of a function are declared as floats: ``def f(x: float)``."""
    kinds = rule.__annotations__
    return all(kinds.get(name) in (float, "float") for name in names_of(rule.__code__, arity))


def said(row: Any, rule: str, error: Exception | None) -> None:
    """Refuse the row for what `ask` found in a rule, with what to write instead."""
    if error is None:
        return
    if isinstance(error, NameError):
        raise error
    if isinstance(error, Branches):
        remedy = "write where(condition, x, y), which arrays and formulas can follow"
        refuse(row, f"{rule} asks whether a condition on {error} holds: {remedy}")
    if isinstance(error, OnArrays):
        refuse(row, f"{rule} calls {error}, an operation on arrays: rules of elementwise rows take single numbers")
    if isinstance(error, Gives):
        refuse(row, f"{rule} gives {error}, not a number")
    if isinstance(error, AttributeError) and isinstance(error.obj, Probe):
        x = error.obj.name
        refuse(
            row, f"{rule} asks for {x}.{error.name}, which numbers do not have: write it with rows, {error.name}({x})"
        )
    if isinstance(error, TakesFloats):
        function, name = error.args
        own = function.rpartition(".")[2]
        other = ROWS_OF_MATH.get(own, own)
        what = f"calls {function}, which takes" if function else "calls a function that takes"
        remedy = f"write it with rows, {other}({name})" if function.startswith("math.") else "write it with rows"
        code = f"; declare a value that takes only floats, def value({name}: float)" if rule == "its value" else ""
        refuse(row, f"{rule} {what} only floats: {name} can also be an array, a variable or a Symbol; {remedy}{code}")
    refuse(row, f"{rule} fails on operands of any kind: {error}")


def try_out(row: Any, names: Sequence[str]) -> None:
    """Call a value that is not a Python function: only a call shows how many operands it takes."""
    middle = [min(max(low, min(high, 0.5)), 1e9) for low, high in row.domain] if len(row.domain) == len(names) else []
    try:
        if middle:
            row.value(*middle)
    except TypeError as error:
        refuse(row, f"its value cannot be called with the operands ({', '.join(names)}) of its partials: {error}")
    except (ArithmeticError, ValueError):  # it is not defined at this point, but it can be called
        pass


def shown(row: Any, example: str) -> None:
    """Check that the example gives the result that it states."""
    if not example:
        return
    from autograd import ops

    call, _, result = example.rpartition(" = ")
    try:
        found = repr(eval(call, {**vars(ops), "np": np, row.name: row}))
    except Exception as error:
        refuse(row, f"its example {example!r} does not run ({error}): write a call and its result", ValueError)
    if found != result:
        refuse(row, f"its example says {example}, but it is {found}", ValueError)


# ------------------------------------------------------------------------------------------------- the other kinds


def reduction(row: Any) -> None:
    """Check a reduction: a value of ``(x, axis, keepdims)`` and a weight of ``(out, x, axis)``."""
    extra = [name for name in row.params if name not in ("axis", "keepdims")]
    taking(row, "value", row.value, ["x"], row.params)
    taking(row, "weight", row.weight, ["out", "x", "axis"], extra, fixed=True)
    fitting_interval(row)


def fitting_interval(row: Any) -> None:
    """Check the domain, which is one interval for all elements."""
    (interval,) = row.domain
    if len(numbers(row, "domain", interval)) != 2 or not interval[0] <= interval[1]:
        refuse(row, f"its domain is {interval!r:.60}: give (low, high), the lower first", ValueError)


def reduce_something(row: Any) -> None:
    """Run value and weight on a small array, and the weight on a Tensor, since it is differentiated in turn."""
    if len(row.params) > 2:  # the values of other parameters are not known here
        return
    low, high = row.domain[0]
    x, axes = np.clip(np.array([[0.25, 0.5, 0.75], [1.5, 0.375, 1.0]]), low, high), (1,)
    kinds: list[Any] = [np.asarray]
    if "autograd.engine.tensor" in sys.modules:
        kinds.append(sys.modules["autograd.engine.tensor"].Tensor)
    try:
        out = row.value(x, axis=axes, keepdims=True)
        if np.shape(out) != (2, 1):
            refuse(
                row, f"its value of shape (2, 3), axis=(1,), keepdims=True has the shape {np.shape(out)}, not (2, 1)"
            )
        for kind in kinds:
            weight = row.weight(kind(out), kind(x), axes)
            shape = weight.shape if hasattr(weight, "shape") else np.asarray(weight, dtype=float).shape
            if np.broadcast_shapes(shape, (2, 3)) != (2, 3):
                refuse(row, f"its weight for elements of shape (2, 3) has the shape {shape}")
    except Exception as error:
        if str(error).startswith(f"{row.name}: "):
            raise
        refuse(row, f"its value or weight fails on an array or a Tensor of shape (2, 3): {error}; write it with rows")


def linear(row: Any) -> None:
    """Check a linear row: one transpose for each operand, which takes the cotangent before the operands."""
    if not row.transposes:
        refuse(row, "it has no transpose: give one for each operand")
    if row.adds is not None:
        if row.arity != 1:
            refuse(row, "it adds its transpose in place: only an operation on one operand can")
        taking(row, "way to add its transpose in place", row.adds, ["total", "g"], row.params)
    if row.together is not None:
        if row.arity >= 0:
            refuse(row, "it gives its transposes together: only an operation on any number of operands needs to")
        taking(row, "way to give its transposes together", row.together, ["g", "x", "x"], row.params)
    if row.arity < 0:
        if len(row.transposes) != 1:
            refuse(row, "an operation on any number of operands has one transpose, which takes the operand's number")
        return taking(row, "transpose", row.transposes[0], ["i", "g", "x", "x"], row.params)
    if len(row.transposes) != row.arity:
        refuse(row, f"it has {len(row.transposes)} transposes for {row.arity} operands: give one for each")
    taking(row, "value", row.value, ["x"] * row.arity, row.params)
    for i, rule in enumerate(row.transposes):
        taking(row, f"transpose by operand {i + 1}", rule, ["g", *["x"] * row.arity], row.params)
    return None


def fused(row: Any) -> None:
    """Check a fused row: a composition and a value of the same operands, and one vjp for each."""
    taking(row, "composition", row.composition, ["x"] * row.arity, row.params)
    extra = [*row.params, "saved"] if row.saves else row.params
    taking(row, "value", row.value, ["x"] * row.arity, extra)
    for i, rule in enumerate(row.vjps):
        if rule is not None:
            taking(row, f"vjp by operand {i + 1}", rule, ["g", "out", *["x"] * row.arity], extra)
    if len(row.reads) != row.arity or any(not 0 <= j < row.arity for reads in row.reads for j in reads):
        refuse(row, f"its reads are {row.reads}: give a tuple of positions for each of {row.arity} operands")


def general(row: Any) -> None:
    """Check a general row: a value and both products, each of all operands."""
    taking(row, "value", row.value, ["x"] * row.arity, row.params)
    taking(row, "pull", row.pull, ["g", "out", *["x"] * row.arity], row.params)
    taking(row, "push", row.push, ["tangents", "out", *["x"] * row.arity], row.params)


def taking(row: Any, what: str, rule: Rule, lead: Sequence[str], params: Sequence[str], fixed: bool = False) -> None:
    """Refuse the row unless a rule can be called with these operands by place and these parameters by name.

    `lead` has one name for each operand. If `fixed`, the rule must use these names.
    """
    if not callable(rule):
        refuse(row, f"its {what} is {rule!r:.40}, which cannot be called")
    code = getattr(rule, "__code__", None)
    if not isinstance(code, CodeType):
        return  # not a Python function, such as one of NumPy's
    names, n = names_of(code), len(lead)
    kept = len(names) - len(getattr(rule, "__defaults__", None) or ())
    takes = n <= len(names) or code.co_flags & VARARGS
    by_name = {*names[n:], *code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]}
    knows = code.co_flags & VARKEYWORDS or by_name >= set(params)
    needs = {*names[n:kept]} <= set(params)
    if not (takes and knows and needs) or (fixed and names[:n] != tuple(lead)):
        wanted = ", ".join([*lead, *params])
        refuse(row, f"its {what} takes ({', '.join(names)}), and is called with ({wanted})")


def names_of(code: CodeType, n: int | None = None) -> tuple[str, ...]:
    """The names of the parameters that may be given by place: the first n, or all."""
    return code.co_varnames[: code.co_argcount if n is None else min(n, code.co_argcount)]


def parameters(rule: Any, n: int) -> tuple[str, ...]:
    """The names of the first n parameters of a rule, or of all if it cannot be called with n."""
    names = names_of(rule.__code__)
    required = len(names) - len(rule.__defaults__ or ())
    return names[:n] if required <= n else names
