"""Declarations for type checkers and editors, written from the table of operations.

Rows are objects, and methods are made from them when `autograd` is imported. A type checker does not run code, so it
would see neither their names nor their arguments. `autograd/__init__.pyi` declares every public name, and
`autograd/ops/methods.pyi` declares the methods.

The suite writes both files before it runs (`tests/conftest.py`), and so does ``make check``. They are committed, so a
clone and a wheel have them. ``python tests/stubs.py`` writes only these files.
"""

import inspect
import sys
import textwrap
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import autograd  # noqa: E402
from autograd import ops  # noqa: E402
from autograd.ops.operators import METHODS, NUMPY_NAMES  # noqa: E402
from autograd.ops.rows import Elementwise, Op, Reduction  # noqa: E402
from autograd.ops.signatures import OPERAND, as_method, signature  # noqa: E402

WRITTEN = (
    '"""Written by tests/stubs.py from the table of operations, for type checkers and editors. Not by hand."""\n\n'
)
TYPES = f"""
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

_Operand: TypeAlias = {OPERAND}
_One = TypeVar("_One", float, Value, Tensor)
_Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_Kind = TypeVar("_Kind", float, Value, Tensor, _Array)
"""
OF_FIRST = ("softmax", "log_softmax", "swapaxes", "expand_dims", "squeeze", "flip", "take_along_axis")


def ways(name, row, given):
    """The overloads of an operation: types of arguments by name, and of the result. The last takes anything."""
    operands = [x.name for x in given if x.annotation == OPERAND]
    first = given[0].name
    if name in OF_FIRST or (isinstance(row, Elementwise) and row.arity == 1):
        found = [({first: "_Kind"}, "_Kind")]
    elif isinstance(row, Reduction):
        # An array holds numbers or Values. It comes first: else mypy finds no type for a list of such functions.
        found = [({first: "_Array"}, "Any"), ({first: "_One"}, "_One"), ({first: "Iterable[Value]"}, "Value")]
    elif isinstance(row, Elementwise):
        moving = [x for x, d in zip(operands, row.partials, strict=True) if d is not None]
        found = [({x: "Tensor"}, "Tensor") for x in moving]
        plain = dict.fromkeys(operands, "float")  # with an array among them, the result is an array
        found += [(plain | dict.fromkeys(moving, "Value | float") | {x: "Value"}, "Value") for x in moving]
        found.append((plain, "float"))
    elif name == "outer" or isinstance(row, Op):
        found = [({x: "Tensor"}, "Tensor") for x in operands or [x.name for x in given]]
    elif name in ("concatenate", "stack"):
        found = [({first: "Sequence[Tensor]"}, "Tensor")]
    elif name == "split":
        found = [({first: "Tensor"}, "list[Tensor]")]
    elif name == "dot":
        found = [({first: "Sequence[Value]"}, "Value"), ({"y": "Sequence[Value]"}, "Value")]
        found += [({x: "Tensor"}, "Tensor") for x in ("x", "y")]
    elif name == "cross_entropy":
        found = [({first: "Tensor"}, "Tensor")]
    else:
        return []
    return [*found, (dict.fromkeys(operands, "Any"), "Any")]


def written(name, given, types, result, doc="", indent=""):
    """One declaration."""
    typed = [
        x.replace(annotation=types.get(x.name, "_Operand" if x.annotation == OPERAND else x.annotation)) for x in given
    ]
    deciding = [i for i, x in enumerate(typed) if x.annotation == result in ("Tensor", "Value")]
    last = max(deciding, default=-1)  # the arguments that decide the type must be given
    bare = [x.replace(default=x.empty if i <= last else default(x)) for i, x in enumerate(typed)]
    text = str(inspect.Signature(bare)).replace("'", "")
    body = f'\n{indent}    """{doc}"""\n{indent}    ...' if doc else " ..."
    return f"{indent}def {name}{text} -> {result}:{body}\n"


class Written(str):
    """A default as it is written in source."""

    def __repr__(self):
        return str(self)


def default(x):
    """The default of a parameter. A stub has ``...`` unless it is a plain number."""
    plain = x.default is x.empty or x.default is None or abs(x.default) < float("inf")
    return x.default if plain else Written("...")


def function(name):
    """The declaration of an operation: overloads, or the types of the function in the table."""
    row = getattr(ops, name)
    given = list((signature(row) if isinstance(row, Op) else inspect.signature(row)).parameters.values())
    found = ways(name, row, given)
    if not found:
        return f"from autograd.ops import {name} as {name}\n"
    doc = textwrap.indent(inspect.getdoc(row) or "", "    ").strip()
    doc = doc + "\n    " if "\n" in doc else doc
    docs = [doc, *[""] * (len(found) - 2), doc]  # pyright shows the first, jedi the last
    declared = zip(found, docs, strict=True)
    return "".join("@overload\n" + written(name, given, types, result, doc) for (types, result), doc in declared)


def contents():
    """`autograd/__init__.pyi`."""
    names = dir(autograd)
    later, modules = vars(autograd)["_LATER"], vars(autograd)["_MODULES"]
    names = [name for name in names if name not in (*modules, "compiled")]
    home = {name: later.get(name) or getattr(autograd, name).__module__ for name in names}
    lines = [f"from autograd import {', '.join(f'{x} as {x}' for x in modules)}\n"]
    others = sorted((module, name) for name, module in home.items() if name not in dir(ops))
    for module, group in groupby(others, key=lambda pair: pair[0]):
        lines.append(f"from {module} import {', '.join(f'{name} as {name}' for _, name in group)}\n")
    listed = "".join(f'    "{name}",\n' for name in vars(autograd)["__all__"])
    rows = [function(name) for name in home if name in dir(ops)]
    start = f"{WRITTEN}{''.join(lines)}{TYPES}\n__version__: str\ncompiled: bool\n"
    return f"{start}__all__ = [\n{listed}]\n\n{''.join(rows)}"


def methods():
    """`autograd/ops/methods.pyi`."""
    text = (
        f"{WRITTEN}from typing import TypeAlias, TypeVar\n\nfrom numpy.typing import ArrayLike\n\n"
        "from autograd.engine.tensor import Tensor\nfrom autograd.engine.value import Value\n"
        "from autograd.ops.rows import Traced\n\n"
        f'_S = TypeVar("_S", bound="Methods")\n_Operand: TypeAlias = {OPERAND}\n\nclass Methods(Traced):\n'
    )
    for name, row in {**METHODS, **{theirs: ops.ROWS[ours] for theirs, ours in NUMPY_NAMES.items()}}.items():
        given = list(as_method(row, name).parameters.values())
        text += written(name, given, {"self": "_S"}, "_S", f"{row.summary} See `autograd.{row.name}`.", "    ")
    return text


FILES = {"__init__.pyi": contents, "ops/methods.pyi": methods}


def refresh():
    """Write the files that differ from the table. Returns their paths."""
    stale = []
    for name, write in FILES.items():
        path, text = ROOT / "autograd" / name, write()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            stale.append(f"autograd/{name}")
    return stale


if __name__ == "__main__":
    print(*[f"written: {path}" for path in refresh()], sep="\n")
