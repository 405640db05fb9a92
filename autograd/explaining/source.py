"""The source code of a rule: the expression of a lambda, or the body of a function.

Rules on numbers are shown as formulas, which are made by applying them to Symbols (see `autograd.explaining.notation`).
Rules on whole arrays cannot be applied to Symbols, so their source code is shown.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Definition = ast.Lambda | ast.FunctionDef


def code_of(rule: Callable[..., Any]) -> str:
    """The code of a rule: its expression if it is a single one, else its statements. Without source code, its name.

    >>> from autograd import ops
    >>> code_of(ops.reshape.transposes[0]), code_of(ops.sum.value)
    ('g.reshape(x.shape)', 'numpy.sum')
    """
    found = definition(rule)
    if found is None:
        return f"{rule.__module__}.{rule.__name__}"
    if isinstance(found, ast.Lambda):
        return ast.unparse(found.body)
    body = found.body[1:] if ast.get_docstring(found) else found.body
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return ast.unparse(body[0].value)
    return "\n".join(map(ast.unparse, body))


def definition(rule: Callable[..., Any]) -> Definition | None:
    """The syntax tree of a rule's definition; None if it cannot be found."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return None
    try:
        nodes = definitions("".join(inspect.findsource(code)[0]))
    except (OSError, SyntaxError):
        return None
    names = list(code.co_varnames[: code.co_argcount])
    found = [x for x in nodes if x.lineno == code.co_firstlineno and [arg.arg for arg in x.args.args] == names]
    return found[0] if len(found) == 1 else None  # two lambdas on one line with equal operands are ambiguous


@lru_cache(maxsize=16)
def definitions(text: str) -> list[Definition]:
    """All functions in the text of a file."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, Definition)]


def helpers(rule: Callable[..., Any]) -> dict[str, str]:
    """The private functions that a rule calls, each with the first line of its docstring.

    >>> from autograd import ops
    >>> helpers(ops.max.weight)
    {'_share': '1, shared evenly among the elements where `hit` is true.'}
    """
    code = getattr(rule, "__code__", None)
    called = {name: rule.__globals__.get(name) for name in getattr(code, "co_names", ()) if name.startswith("_")}
    return {name: first_line(x.__doc__) for name, x in called.items() if inspect.isfunction(x) and x.__doc__}


def first_line(doc: str | None) -> str:
    """The first line of a docstring."""
    return (doc or "").strip().partition("\n")[0]


def parameters(function: Callable[..., Any], skip: int = 0) -> str:
    """A function's parameters as text, without their types and without the first `skip`.

    >>> from autograd import ops
    >>> parameters(ops.transpose.transposes[0], skip=1)
    'x, axes=None'
    """
    signature = inspect.signature(function)
    named = [x for x in signature.parameters.values() if x.kind is not x.VAR_KEYWORD]
    kept = [x.replace(annotation=inspect.Parameter.empty) for x in named][skip:]
    return str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))[1:-1]
