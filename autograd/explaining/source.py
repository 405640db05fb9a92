"""A rule as the text that it is written in: what the expression of a lambda or the body of a function says.

Rules on numbers can be read by sending Symbols through them (see `autograd.explaining.notation`). Rules on whole
arrays cannot: their text is all that can be shown of them.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Definition = ast.Lambda | ast.FunctionDef


def code_of(rule: Callable[..., Any]) -> str:
    """The text of a rule: an expression where it is one, else its statements; its name where there is no source.

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
    """Where a rule is written, as syntax; None if that cannot be found."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return None
    try:
        nodes = definitions("".join(inspect.findsource(code)[0]))
    except (OSError, SyntaxError):
        return None
    names = list(code.co_varnames[: code.co_argcount])
    found = [x for x in nodes if x.lineno == code.co_firstlineno and [arg.arg for arg in x.args.args] == names]
    return found[0] if len(found) == 1 else None  # two lambdas of one line and the same operands cannot be told apart


@lru_cache(maxsize=16)
def definitions(text: str) -> list[Definition]:
    """Every function in a file's text."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, Definition)]


def helpers(rule: Callable[..., Any]) -> dict[str, str]:
    """The private functions that a rule calls, and what the first line of each one's docstring says.

    >>> from autograd import ops
    >>> helpers(ops.max.weight)
    {'_share': 'One, split evenly among the elements that hit.'}
    """
    code = getattr(rule, "__code__", None)
    called = {name: rule.__globals__.get(name) for name in getattr(code, "co_names", ()) if name.startswith("_")}
    return {name: first_line(x.__doc__) for name, x in called.items() if inspect.isfunction(x) and x.__doc__}


def first_line(doc: str | None) -> str:
    """The first line of a docstring."""
    return (doc or "").strip().partition("\n")[0]


def parameters(function: Callable[..., Any], skip: int = 0) -> str:
    """A function's parameters without their types, less the first few.

    >>> from autograd import ops
    >>> parameters(ops.transpose.transposes[0], skip=1)
    'x, axes=None'
    """
    signature = inspect.signature(function)
    named = [x for x in signature.parameters.values() if x.kind is not x.VAR_KEYWORD]  # what a row saves, for instance
    kept = [x.replace(annotation=inspect.Parameter.empty) for x in named][skip:]
    return str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))[1:-1]
