"""Signatures of operations, for `inspect.signature`, `help`, notebooks and editors.

Every row is called with ``*inputs`` and ``**params``, so Python cannot show what it accepts. The real signature is
derived from the row's rules, which name the operands. The types of operands and parameters are listed here once.
`tests/stubs.py` writes the declarations for type checkers from the same signatures.

>>> from autograd import ops
>>> inspect.signature(ops.leaky_relu)
<Signature (x: 'Value | Tensor | ArrayLike', slope: 'Value | Tensor | ArrayLike' = 0.01) -> 'Any'>
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from autograd.ops.rows import Elementwise, Fused, Linear, Op, Reduction, operand_names

OPERAND = "Value | Tensor | ArrayLike"
PARAMETERS = {
    "axes": "Sequence[int] | None",
    "axis": "int | Sequence[int] | None",
    "ddof": "int",
    "dtype": "DTypeLike",
    "dilation": "int | Sequence[int]",
    "index": "Any",
    "keepdims": "bool",
    "shape": "int | Sequence[int]",
    "stride": "int | Sequence[int] | None",
    "width": "int | Sequence[int] | Sequence[Sequence[int]]",
    "window_shape": "int | Sequence[int]",
}
"""The type of each parameter that a row of the table has."""


def signature(row: Op) -> Signature:
    """The signature of a row. Parameters and the operands of elementwise rows may be given by name; others may not.

    >>> from autograd import ops
    >>> signature(ops.cumsum)
    <Signature (x: 'Value | Tensor | ArrayLike', /, axis: 'int | Sequence[int] | None' = None) -> 'Any'>
    """
    named = Parameter.POSITIONAL_OR_KEYWORD if row.arity >= 0 and not hasattr(row, "rule") else Parameter.KEYWORD_ONLY
    found = []
    for i, x in enumerate(_named_by_rules(row)):
        if x.kind is Parameter.VAR_POSITIONAL:
            found.append(x.replace(annotation=OPERAND))
        elif x.name in row.params or i >= row.arity:
            found.append(x.replace(kind=named, annotation=PARAMETERS.get(x.name, "Any")))
        else:
            kind = named if isinstance(row, Elementwise) else Parameter.POSITIONAL_ONLY
            found.append(x.replace(kind=kind, annotation=OPERAND))
    return Signature(found, return_annotation="Any")


def arguments(row: Op) -> str:
    """The arguments of a call as text, without types.

    >>> from autograd import ops
    >>> arguments(ops.leaky_relu), ops.leaky_relu
    ('x, slope=0.01', <operation leaky_relu(x, slope=0.01)>)
    """
    return ", ".join(map(_argument, signature(row).parameters.values()))


def _argument(x: Parameter) -> str:
    default = f"{x.default:g}" if isinstance(x.default, float) else repr(x.default)
    stars = "*" if x.kind is x.VAR_POSITIONAL else ""
    return f"{stars}{x.name}" if x.default is x.empty else f"{x.name}={default}"


def as_method(row: Op, name: str) -> Signature:
    """The signature of a row as a method: the object is the first operand, the others come by position or by name.

    >>> from autograd import ops
    >>> as_method(ops.leaky_relu, "leaky_relu")
    <Signature (self, slope: 'Value | Tensor | ArrayLike' = 0.01) -> 'Self'>
    """
    if row.arity == 1:
        return UNARY
    if name.startswith("__"):
        return BINARY
    _, *rest = signature(row).parameters.values()
    return _returning_self(*(x.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for x in rest))


def _returning_self(*others: Parameter) -> Signature:
    return Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *others], return_annotation="Self")


UNARY = _returning_self()
BINARY = _returning_self(Parameter("other", Parameter.POSITIONAL_OR_KEYWORD, annotation=OPERAND))


def _named_by_rules(row: Op) -> list[Parameter]:
    """The operands, then the parameters, with the names that they have in the row's rules."""
    if isinstance(row, Elementwise):
        names = operand_names(row)
        defaults = (Parameter.empty,) * (row.arity - len(row.defaults)) + row.defaults
        pairs = zip(names, defaults, strict=True)
        return [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default) for name, default in pairs]
    if isinstance(row, Reduction):
        x, axis, keepdims = _rule(lambda x, axis=None, keepdims=False: x)
        return [x, axis, *_rule(row.weight)[3:], keepdims]
    if isinstance(row, Linear):
        return _rule(row.transposes[0])[1 if row.arity >= 0 else 2 :]
    if hasattr(row, "rule"):  # a custom operation: all operands are required
        found = _rule(row.rule)[2:]
        return [x.replace(default=x.empty) for x in found[: row.arity]] + found[row.arity :]
    return _rule(row.composition if isinstance(row, Fused) else row.forward)


def _rule(function: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a rule, without the one that holds what the row saves for backward."""
    found = inspect.signature(function).parameters.values()
    return [x for x in found if x.kind is not Parameter.VAR_KEYWORD and x.name != "saved"]
