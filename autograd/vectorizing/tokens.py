"""Whole numbers that note how they are used, so that a few runs show which tables they choose from.

A function may use a whole number as the subscript of a list, and in no other way: ``table[token]``. Then it gets an
element of the list, whichever the number is. A `Token` is told when it is a subscript. It finds the list by the source
of the line, and notes all elements. So a few runs are enough to see which operands of the trace come from which list.

Where a number is used in any other way, or the list is not found, `indices` tries all numbers, one run for each. It
does so for small functions, too. For a large one that takes long: a GPT of 130,000 operations has 27 letters.

>>> class Uses:
...     other = False
...     def subscript(self, token, frame):
...         print("a subscript")
>>> token = Token(1, Uses(), (0, 0))
>>> ["a", "b"][token], isinstance(token, int), token.uses.other
a subscript
('b', True, False)
>>> token + 1, token.uses.other
(2, True)
"""

from __future__ import annotations

import ast
import linecache
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from autograd.engine.value import Value
from autograd.vectorizing.scalars import Pick
from autograd.vectorizing.tracer import Run, Trace, Tracer, compare

SMALL = 500_000  # operations in all runs together: then there is a run for each number
LARGEST = 100_000  # numbers that are tried to find how long a list is
RUNS, MOST = 3, 12  # how many runs there are at least, and at most
CHANCE = 10_000  # one in so many: that what one number chooses looks as if another had chosen it
PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop,
         ast.expr_context)  # fmt: skip
"""What an expression may consist of to be computed once more: no call, which might change something."""

Found = tuple[Pick, tuple[int, ...]]
"""A pick, and the table that it chooses from."""


class Token:
    """A whole number that a function chooses by. It passes for an int."""

    __slots__ = ("key", "uses", "value")
    __class__: Any = property(lambda self: int)  # isinstance(token, int)

    def __init__(self, value: int, uses: Any, key: tuple[int, int]) -> None:
        self.value, self.uses, self.key = value, uses, key

    def __index__(self) -> int:
        self.uses.subscript(self, sys._getframe(1))
        return self.value

    def __getattr__(self, name: str) -> Any:
        self.uses.other = True
        return getattr(self.value, name)


def _other(name: str) -> Callable[..., Any]:
    """A use that is no subscript."""

    def method(self: Any, *others: Any) -> Any:
        self.uses.other = True
        return getattr(self.value, name)(*[x.value if type(x) is Token else x for x in others])

    return method


KEPT = {"__class__", "__new__", "__init__", "__index__", "__getattribute__", "__setattr__", "__delattr__",
        "__init_subclass__", "__subclasshook__", "__doc__", "__getnewargs__", "__sizeof__"}  # fmt: skip
for _name in set(dir(int)) - KEPT:
    if _name.startswith("__"):
        setattr(Token, _name, _other(_name))


class Subscript(NamedTuple):
    """A list that was read at a place that a token names: as columns, which have the elements' numbers in the trace."""

    key: tuple[int, int]
    value: int
    columns: tuple[tuple[int, ...], ...]


class Uses:
    """What the tokens of one run were used for."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.other = False  # whether anything but a subscript of a list of Values
        self.subscripts: list[Subscript] = []
        self.looking = False

    def subscript(self, token: Token, frame: FrameType) -> None:
        """Note the list that is read."""
        if self.looking:  # the expression of the list has a token itself
            return
        self.looking = True
        items = read_list(frame, token)
        self.looking = False
        count = self.trace.indices[token.key[0]]
        columns = None if items is None or len(items) < count else self.columns(items[:count])
        if columns is None:
            self.other = True
        else:
            self.subscripts.append(Subscript(token.key, token.value, tuple(columns)))

    def columns(self, items: Any) -> list[tuple[int, ...]] | None:
        """Values as one column, rows of Values as several; None of anything that a function could decide by."""
        if all(type(x) in (list, tuple) and len(x) == len(items[0]) for x in items):
            found = [self.columns(column) for column in zip(*items, strict=True)]
            return None if None in found else [column for some in found for column in some or ()]
        if all(type(x) is Tracer or self.is_parameter(x) for x in items):
            return [tuple([self.trace.operand(x) for x in items])]
        return None

    def is_parameter(self, x: Any) -> bool:
        """Whether it is a Value whose number nobody may ask for while the trace is on."""
        return isinstance(x, Value) and type(x) is not Tracer and x.op is None and id(x) not in self.trace.made


class Tables:
    """How long the lists are that tokens are subscripts of, by argument: the shortest of each."""

    other = False

    def __init__(self) -> None:
        self.lengths: dict[int, int] = {}

    def subscript(self, token: Token, frame: FrameType) -> None:
        """Note the length of the list that is read."""
        items = read_list(frame, token)
        if items is not None:
            argument = token.key[0]
            self.lengths[argument] = min(len(items), self.lengths.get(argument, len(items)))


def table_lengths(
    f: Callable[..., Any], shapes: Sequence[tuple[int, ...]], indices: dict[int, int], wanted: Sequence[int]
) -> dict[int, int]:
    """How many values whole numbers may have by the lists that a function reads with them, where it reads some.

    Tokens find the lists at once, where the function has a source. Elsewhere numbers are tried until one is too large.
    """
    tables = Tables()
    tracer = Trace(f, shapes, indices)
    values = [[Token(0, tables, (i, k)) for k in range(math.prod(shapes[i]))] for i in sorted(indices)]
    with suppress(Exception):  # a token does not pass for an int everywhere; the trace itself reports what is wrong
        tracer.run(values)
    found = {i: n for i, n in tables.lengths.items() if i in wanted}
    for i in wanted:
        with suppress(Exception):
            found[i] = found.get(i) or tried(tracer, i)
    return {i: n for i, n in found.items() if n}


def tried(tracer: Trace, argument: int) -> int:
    """How many values an argument may have before a list has no such place; 0 if every number will do."""

    def fits(number: int) -> bool:
        numbers = [[number * (i == argument)] * math.prod(tracer.shapes[i]) for i in sorted(tracer.indices)]
        try:
            tracer.run(numbers)
        except LookupError:
            return False
        return True

    low, high = -1, 1  # the first is known to fit, the other not
    while fits(high):
        low, high = high, 2 * high
        if high > LARGEST:
            return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return high


_expressions: dict[tuple[CodeType, int], Any] = {}


def read_list(frame: FrameType, token: Token) -> Any:
    """The list or tuple that a frame reads by this token at this moment; None if that cannot be told."""
    key = (frame.f_code, frame.f_lasti)
    if key not in _expressions:
        _expressions[key] = subscript_at(*key)
    if _expressions[key] is None:
        return None
    try:
        items, at = eval(_expressions[key], frame.f_globals, frame.f_locals)
    except Exception:  # a name of a class that is written with two underscores, say
        return None
    return items if at is token and type(items) in (list, tuple) else None


def subscript_at(code: CodeType, place: int) -> Any:
    """The expression ``x[i]`` at a place in a function, compiled as the pair ``(x, i)``; None if it is another one."""
    start, end, left, right = list(code.co_positions())[place // 2]
    if start is None or end is None or left is None or right is None:
        return None
    lines = [linecache.getline(code.co_filename, n, None).encode() for n in range(start, end + 1)]
    lines[-1] = lines[-1][:right]
    lines[0] = lines[0][left:]
    try:
        tree: Any = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except SyntaxError:  # no source, or another version of it
        return None
    if not isinstance(tree, ast.Subscript) or not all(isinstance(node, PLAIN) for node in ast.walk(tree)):
        return None
    pair = ast.Tuple([tree.value, tree.slice], ast.Load())
    return compile(ast.fix_missing_locations(ast.Expression(pair)), "<subscript>", "eval")


def guess_picks(tracer: Trace, run: Run, zeros: list[list[int]]) -> dict[int, Found] | None:
    """As `find_picks`, from a few runs with tokens; None where these do not tell."""
    if len(run.codes) * max(tracer.indices.values()) < SMALL:
        return None
    keys = [(i, k) for i, row in zip(sorted(tracer.indices), zeros, strict=True) for k in range(len(row))]
    rng = np.random.default_rng(0)
    rows: list[Any] = []
    events: list[list[Subscript]] = []
    wanted: dict[tuple[int, int], int] = {}
    fewest = min([n for n in tracer.indices.values() if n > 1], default=CHANCE)
    runs = min(max(RUNS, math.ceil(math.log(CHANCE, fewest))), MOST)
    while len(rows) < runs or wanted:
        values = {key: wanted.get(key, int(rng.integers(tracer.indices[key[0]]))) for key in keys}
        found = noted(tracer, run, zeros, values)
        if found is None or len(rows) == MOST or (events and not alike(found[1], events[0])):
            return None
        rows.append(found[0])
        events.append(found[1])
        wanted = unseen(events)
    table = np.array(rows)
    known = picks_by_reading(events, tracer.indices)
    picks = {}
    for place in np.flatnonzero((table != run.numbers()).any(axis=0)).tolist():
        candidates = known.get(tuple(table[:, place].tolist()), set())
        if len(candidates) != 1:
            return None
        (picks[place],) = candidates
    return picks


def noted(
    tracer: Trace, run: Run, zeros: list[list[int]], values: dict[tuple[int, int], int]
) -> tuple[Any, list[Subscript]] | None:
    """All operands of a run with these numbers, and what they were used for; None if anything else was done."""
    uses = Uses(tracer)
    given = iter([Token(value, uses, key) for key, value in values.items()])
    try:
        again = tracer.run([[next(given) for _ in row] for row in zeros])
        compare(tracer, run, again, zeros, "")
    except Exception:  # a token does not pass for an int everywhere; `find_picks` reports what is wrong
        return None
    return None if uses.other else (again.numbers(), uses.subscripts)


def alike(one: list[Subscript], other: list[Subscript]) -> bool:
    """Whether two runs read the same lists by the same tokens."""
    return [(x.key, x.columns) for x in one] == [(x.key, x.columns) for x in other]


def unseen(events: list[list[Subscript]]) -> dict[tuple[int, int], int]:
    """Values to try: those of columns of which no run has read anything but what they have at 0."""
    wanted = {}
    for runs in zip(*events, strict=True):
        for column in runs[0].columns:
            if all(column[x.value] == column[0] for x in runs):
                other = next((value for value, n in enumerate(column) if n != column[0]), None)
                if other is not None:
                    wanted[runs[0].key] = other
    return wanted


def picks_by_reading(events: list[list[Subscript]], sizes: dict[int, int]) -> dict[tuple[int, ...], set[Found]]:
    """What a column gives in each of the runs, and then the picks that give this."""
    known: dict[tuple[int, ...], set[Found]] = {}
    for runs in zip(*events, strict=True):
        pick = Pick((runs[0].key,), (sizes[runs[0].key[0]],))
        for column in runs[0].columns:
            known.setdefault(tuple([column[x.value] for x in runs]), set()).add((pick, column))
    return known
