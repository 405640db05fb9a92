"""Docstrings as Markdown: the pages of the reference.

>>> print(markdown('''Twice a number.
...
...     Args:
...         x: the number, ``1.0``
...             or more.
...     '''))
Twice a number.
<BLANKLINE>
**Args**
<BLANKLINE>
- `x`: the number, `1.0` or more.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

from autograd.engine.elsewhere import Elsewhere
from autograd.ops.operators import ALIASES, METHODS

OPERATIONS = {*METHODS, *(alias for aliases in ALIASES.values() for alias in aliases)}
"""Methods that are rows of the table, such as `x.tanh()`."""

SECTIONS = ("Args", "Returns", "Raises", "Yields", "Attributes")


def page(module_name: str, summary: str, without: set[str], note: str = "") -> str:
    """The page of a module: each of its public names, but for some."""
    module = importlib.import_module(module_name)
    names = [x for x in dir(module) if x[0] != "_" and x not in without and is_documented(getattr(module, x), x)]
    parts = [f"# {module_name}", summary, note, *(entry(getattr(module, x), x, "##") for x in names)]
    return "\n\n".join(part for part in parts if part) + "\n"


def is_documented(found: Any, name: str) -> bool:
    """Whether it is a class or a function with a docstring of its own."""
    return callable(found) and bool(inspect.getdoc(found)) and not name.isupper()


def entry(found: Any, name: str, heading: str) -> str:
    """A function, or a class with its methods."""
    parts = [f"{heading} {name}", f"```python\n{signature(found, name)}\n```", markdown(inspect.getdoc(found) or "")]
    if inspect.isclass(found):
        parts += [entry(method, f"{name}.{x}", heading + "#") for x, method in methods(found)]
    return "\n\n".join(parts)


def signature(found: Any, name: str) -> str:
    """How it is called.

    >>> print(signature(split, "split"))
    split(head: str, parameters: Sequence[str], result: str) -> str
    """
    head = f"class {name}" if inspect.isclass(found) else name
    try:
        known = inspect.signature(found)
    except (TypeError, ValueError):  # a property, or an error of Python's
        return head
    parameters, before = [], None
    for x in known.parameters.values():
        if x.kind is x.KEYWORD_ONLY and before not in (x.KEYWORD_ONLY, x.VAR_POSITIONAL):
            parameters.append("*")
        before = x.kind
        text = {x.VAR_POSITIONAL: "*", x.VAR_KEYWORD: "**"}.get(x.kind, "") + x.name + annotation(": ", x.annotation)
        equals = " = " if ":" in text else "="
        parameters.append(text if x.default is x.empty else f"{text}{equals}{x.default!r}")
    result = "" if inspect.isclass(found) else annotation(" -> ", known.return_annotation)
    return split(head, parameters, result)


def annotation(before: str, found: Any) -> str:
    """An annotation as the source has it; nothing where there is none."""
    if found is inspect.Signature.empty:
        return ""
    text = found if isinstance(found, str) else inspect.formatannotation(found)
    return before + re.sub(r"\b(?:typing|collections\.abc|numpy\.typing|autograd(?:\.\w+)+|nn(?:\.\w+)+)\.", "", text)


def split(head: str, parameters: Sequence[str], result: str) -> str:
    """A call on one line, or with a line for each parameter if it is long."""
    line = f"{head}({', '.join(parameters)}){result}"
    if len(line) <= 90:
        return line
    return f"{head}(\n" + "".join(f"    {x},\n" for x in parameters) + f"){result}"


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that a class defines itself. What operations are is on a page of its own."""
    own = [base for base in kind.__mro__ if base is kind or base.__name__ == "Scalar"]
    for name in dict.fromkeys(name for base in own for name in vars(base)):
        found = next(vars(base)[name] for base in own if name in vars(base))
        found = found.__func__ if isinstance(found, (classmethod, staticmethod)) else found
        described = inspect.isroutine(found) or isinstance(found, property) or inspect.isgetsetdescriptor(found)
        described = described and not isinstance(found, Elsewhere)
        if name[0] != "_" and described and inspect.getdoc(found) and name not in OPERATIONS:
            yield name, found


def markdown(text: str) -> str:
    """A docstring as Markdown."""
    blocks, lines = [], inspect.cleandoc(text).split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        end = at + 1
        if line.rstrip(":") in SECTIONS and line.endswith(":"):
            while end < len(lines) and (not lines[end] or lines[end][0] == " "):
                end += 1
            blocks += [f"**{line[:-1]}**", items(lines[at + 1 : end])]
        elif line.startswith(">>> "):
            while end < len(lines) and lines[end]:
                end += 1
            blocks.append("\n".join(["```python", *lines[at:end], "```"]))
        elif line:
            while end < len(lines) and lines[end] and not lines[end].startswith(">>> "):
                end += 1
            blocks.append(inline("\n".join(lines[at:end])))
        at = end
    return "\n\n".join(blocks)


def items(lines: list[str]) -> str:
    """The entries of a section as a list; a paragraph where there are none."""
    text = inspect.cleandoc("\n" + "\n".join(lines))
    entries = re.split(r"\n(?=\S)", text)
    found = [re.match(r"(\*{0,2}[\w, .]+?): (.*)", x, re.S) for x in entries]
    if not all(found):
        return inline(" ".join(text.split()))
    return "\n".join(f"- `{x[1]}`: {inline(' '.join(x[2].split()))}" for x in found if x)


def inline(text: str) -> str:
    """Names between two backticks are code, as those between one are; a "<" outside of code is not HTML.

    >>> inline("``x`` < y, and `a < b`")
    '`x` &lt; y, and `a < b`'
    """
    parts = re.split(r"(`[^`]+`)", re.sub(r"``(.+?)``", r"`\1`", text))
    return "".join(part if part[:1] == "`" else part.replace("<", "&lt;") for part in parts)
