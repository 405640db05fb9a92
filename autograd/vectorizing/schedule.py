"""What becomes a statement: plans put into one another where that reads well, and names for what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import postorder
from autograd.vectorizing.array_program import BATCH, ArrayProgram, leaves_of
from autograd.vectorizing.groups import Group, Groups, Statement
from autograd.vectorizing.names import output_names
from autograd.vectorizing.tree import Expression, replaced

WIDTH = 80  # how long a line may get by putting one into another
INNER = 52


def returned(plan: Groups, nodes: Any) -> Expression:
    """The value of an output: an array of these scalars, whole."""
    nodes = np.asarray(nodes, dtype=np.intp)
    value = plan.operand(nodes, exact=True)
    whole = (BATCH, *nodes.shape)
    return value if value.shape == whole else ops.broadcast_to(value, whole)  # type: ignore[no-any-return]


def scheduled(plan: Groups, returns: Sequence[Expression]) -> tuple[ArrayProgram, list[Any]]:
    """The program of a plan with these outputs, and the scalars that each parameter holds.

    Parameters come in the order in which the statements read them first.
    """
    statements, outputs = inlined(plan, returns)
    read = dict.fromkeys(leaf for value in (*(s.value for s in statements), *outputs) for leaf in leaves_of(value))
    members = {group.leaf: scalars for group, scalars in plan.parameters}
    parameters = [leaf for leaf in (read | members) if leaf in members]  # last those that no statement reads
    constants = [leaf for leaf in plan.constants.values() if leaf in read]
    inputs = [group.leaf for group in plan.arguments]
    name_all(plan, parameters, statements)
    names = output_names(len(outputs), {*(x.name for x in inputs), *plan.called.values()})
    ends = [plan.trees.leaf(name, x.shape, x.dtype, x.moves) for name, x in zip(names, outputs, strict=True)]
    values = [(s.target.leaf, s.value) for s in statements] + list(zip(ends, outputs, strict=True))
    return ArrayProgram(inputs, parameters, constants, values, ends, {}), [members[leaf] for leaf in parameters]


def inlined(plan: Groups, returns: Sequence[Expression]) -> tuple[list[Statement], list[Expression]]:
    """Statements and outputs, with what is used once put into its user where it is short.

    Products and reductions keep lines of their own. So do the user's own operations, which no text of a backward pass
    could compute again. What nobody uses goes.
    """
    outputs = list(returns)
    counts: Counter[Expression] = Counter()
    user: dict[Expression, Statement | int] = {}
    live = []
    for i, value in enumerate(outputs):
        counts.update(found := occurrences(value))
        user.update(dict.fromkeys(found, i))
    for s in reversed(plan.statements):
        if counts[s.target.leaf]:
            counts.update(found := occurrences(s.value))
            user.update(dict.fromkeys(found, s))
            live.append(s)
    live.reverse()
    kept: list[Statement] = []
    for s in live:
        leaf = s.target.leaf
        into = user[leaf] if counts[leaf] == 1 else None
        whole = isinstance(into, int) and outputs[into] is leaf
        if plan.width(s.value) > (WIDTH if whole else INNER) or (s.value.op in plan.called and not whole):
            into = None
        if isinstance(into, Statement) and not (s.heavy and into.heavy):
            value = replaced(into.value, {leaf: s.value})
            if plan.width(value) <= WIDTH:
                into.value, into.heavy = value, into.heavy or s.heavy
                user.update(dict.fromkeys(leaves_of(s.value), into))
                continue
        elif isinstance(into, int) and s is live[-1]:
            value = replaced(outputs[into], {leaf: s.value})
            if plan.width(value) <= WIDTH:
                outputs[into] = value
                continue
        kept.append(s)
    return kept, outputs


def occurrences(root: Expression) -> dict[Expression, int]:
    """How often each leaf occurs in the text of an expression."""
    times: Counter[Expression] = Counter({root: 1})
    order = postorder([root])
    for node in reversed(order):
        for x in node.parents:
            times[x] += times[node]
    return {node: times[node] for node in order if node.op is None}


def name_all(plan: Groups, parameters: Sequence[Expression], statements: Sequence[Statement]) -> None:
    """Names that a person would choose: w and b for parameters, h for what is computed, s for a single number."""
    taken = {group.leaf.name for group in plan.arguments} | set(plan.constants)
    count: Counter[str] = Counter()

    def name(group: Group) -> None:
        while True:
            count[group.letter] += 1
            if (text := f"{group.letter}{count[group.letter]}") not in taken:
                break
        group.leaf.name = text

    for leaf in parameters:
        name(plan.of_leaf[leaf])
    for s in statements:
        name(s.target)
