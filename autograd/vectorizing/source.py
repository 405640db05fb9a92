"""The text of a plan: statements put into one another where that reads well, names, and the function's source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.vectorizing.groups import Group, Groups, Statement
from autograd.vectorizing.writing import PRODUCT, SUM, TIGHT, beside

TOKEN = re.compile(r"\b_(\d+)_\b")
WIDTH = 88  # how long a line may get by putting one into another
INNER = 56


class Text:
    """The forward function of a plan.

    `statements` are (target, expression), `returns` the expressions of the outputs, `parameters` the names of the
    trained arrays with the scalars that they hold, `constants` plain arrays by name.
    """

    def __init__(self, plan: Groups, returns: Sequence[str]) -> None:
        statements = list(plan.statements)
        texts = list(returns)
        inline(statements, texts)
        for s in statements:
            s.text = PLUGGED.sub(r"where(\1, \2\3\4, \5)", s.text)
        self.names = names(plan, statements, texts)

        def named(text: str) -> str:
            return TOKEN.sub(lambda match: self.names[int(match[1])], text)

        self.statements = [(named(s.target.token), named(s.text)) for s in statements]
        self.returns = [named(text) for text in texts]
        self.arguments = [group.name for group in plan.arguments]
        self.parameters = [(named(group.token), members) for group, members in plan.parameters]
        used = set(re.findall(r"\w+", " ".join([text for _, text in self.statements] + self.returns)))
        self.constants = {name: array for name, array in plan.constants.items() if name in used}
        self.used = used

    def source(self, name: str = "forward") -> str:
        """The function as Python."""
        arguments = [*self.arguments, *(name for name, _ in self.parameters)]
        lines = [f"def {name}({', '.join(arguments)}):"]
        lines += [f"    {target} = {text}" for target, text in self.statements]
        lines.append(f"    return {', '.join(self.returns)}")
        return "\n".join(lines) + "\n"


PLUGGED = re.compile(
    r"where\((m\d+), ([\d. */+-]*\(?)where\(\1, (\w+), \3\[[^\]]*\]\)(\)?[\d. */+-]*), (-inf|inf|0\.0|1\.0)\)"
)
"""A product whose unwanted entries are plugged, scaled, and then masked all the same."""


def inline(statements: list[Statement], returns: list[str]) -> None:
    """Put what is used once into its user, where it is short; products and reductions keep lines of their own.

    What nobody uses goes.
    """
    counts = Counter(t for text in [s.text for s in statements] + returns for t in TOKEN.findall(text))
    for s in reversed(statements):
        if not counts[s.key]:
            counts.subtract(TOKEN.findall(s.text))
    live = [s for s in statements if counts[s.key]]
    user: dict[str, Statement | int] = {t: s for s in live for t in TOKEN.findall(s.text)}
    user.update({t: i for i, text in enumerate(returns) for t in TOKEN.findall(text)})
    statements[:] = []
    for s in live:
        into = user[s.key] if counts[s.key] == 1 and len(s.text) <= INNER else None
        if isinstance(into, Statement) and not (s.heavy and into.heavy):
            text = put(s.target.token, s.text, into.text)
            if len(text) <= WIDTH:
                into.text, into.heavy = text, into.heavy or s.heavy
                user.update(dict.fromkeys(TOKEN.findall(s.text), into))
                continue
        elif isinstance(into, int) and s is live[-1]:
            text = put(s.target.token, s.text, returns[into])
            if len(text) <= WIDTH:
                returns[into] = text
                continue
        statements.append(s)


def put(token: str, text: str, into: str) -> str:
    """Replace a name by an expression."""
    start = into.index(token)
    before, after = into[:start], into[start + len(token) :]
    alone = (before == "" or re.search(r"[\w)]\($|, $", before) is not None) and re.match(r"$|\)|,", after) is not None
    if not alone:
        added = re.match(r"$|\)|,| [+-] ", after) is not None
        first = before == "" or before[-1] in "(" or before.endswith(", ")
        if added and (first or before.endswith(" + ")):
            text = beside(text, SUM)
        elif added and before.endswith(" - "):
            text = beside(text, PRODUCT)
        else:
            text = beside(text, TIGHT)
    return before + text + after


def names(plan: Groups, statements: Sequence[Statement], returns: Sequence[str]) -> dict[int, str]:
    """Names that a person would choose: w and b for parameters, h for what is computed, s for a single number."""
    taken = {group.name for group in plan.arguments} | set(plan.constants)
    found = {i: group.name for i, group in enumerate(plan.groups) if group.name}
    count: Counter[str] = Counter()

    def name(group: Group, letter: str) -> None:
        while True:
            count[letter] += 1
            if (text := f"{letter}{count[letter]}") not in taken:
                break
        found[group.number] = text

    used = [int(t) for text in [s.text for s in statements] + list(returns) for t in TOKEN.findall(text)]
    order = [plan.groups[number] for number in dict.fromkeys(used) if plan.groups[number].kind == "parameter"]
    order += [group for group, _ in plan.parameters if group not in order]
    plan.parameters.sort(key=lambda item: order.index(item[0]))
    for group in order:
        name(group, group.letter)
    for s in statements:
        name(s.target, s.target.letter)
    return found


def returned(plan: Groups, nodes: Any) -> str:
    """The text of an output: an array of these scalars, whole."""
    nodes = np.asarray(nodes, dtype=np.intp)
    homes = {plan.home[n] for n in nodes.reshape(-1).tolist()}
    text = plan.operand(nodes, exact=True)
    varying = any(h >= 0 and plan.groups[h].varying for h in homes)
    return text if varying else f"spread({text}, {plan.arguments[0].token})"
