"""Random programs that do to Values whatever a program can do: see test_forms.py.

A program is a number, from which all of its choices follow. It has some forty nodes, and does one thing after another
to them. Where Python lets a program run in the middle of something else, it does more of them: in a backward step
written by hand, when a node goes, and in the wild also when a gradient is set, and when the collector runs.

As a script, it runs programs and writes what they saw, one a line. In the wild nothing is written, since the collector
runs at its own times: what counts is that the process lives.
"""

import copy
import gc
import json
import math
import operator
import random
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import autograd
from autograd import Value, no_grad, ops
from autograd.ops.operators import method_names
from autograd.ops.rows import Elementwise

ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and None not in row.partials]
ROWS.remove(ops.copysign)  # it would tell the sign of a nan, which depends on the machine
METHODS = sorted((name, row.arity) for row in ROWS if row.arity < 3 for name in method_names(row) if name[0] != "_")
NUMBERS: list[Any] = [0.0, -0.0, 1.0, -1.0, 0.5, -3.0, 1e300, 5e-324, math.inf, -math.inf, math.nan, 3, 0, True]
NUMBERS += [
    2**53 + 1,
    10**400,
    np.float64(0.3),
    np.float32(0.1),
    np.int64(2),
    np.array(1.5),
    np.array([1.0, 2.0]),
    "a",
    None,
]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod, operator.iadd]
ORDER = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
WORDS = {  # the forms say some things in words of their own
    "one partial": ("zip()", "unpack", "one partial for each parent"),
    "arguments": ("argument", "takes"),
    "no number": ("one real number", "can't multiply", "unsupported operand", "concatenate"),
    "not writable": ("setter", "writable", "deleter", "deleted"),
}


class Own(Value):
    """With a dictionary of its own."""


class Slotted(Value):
    """With a place for an attribute."""

    __slots__ = ("k",)


class Empty(Value):
    """With nothing more: a Value can become one."""

    __slots__ = ()


class Over(Value):
    """With operators of its own."""

    def __add__(self, other):
        return Value.__add__(self, other) * 2

    def __radd__(self, other):
        return 7.0

    def __mul__(self, other):
        return NotImplemented

    def __eq__(self, other):
        return "equal"

    __hash__ = Value.__hash__


class Program:
    """What a program has: its nodes, what it saw, and how deep it is in things that began in the middle of others."""

    running: Any = None

    def __init__(self, seed: int, wild: bool) -> None:
        self.random, self.wild = random.Random(seed), wild
        self.seen: list[Any] = []
        self.nodes: list[Any] = []
        self.watched: list[Any] = []
        self.remade: list[Any] = []  # nodes whose class need not be the same in both forms
        self.depth = 0

    def run(self, steps: int) -> None:
        """Do so many things."""
        Program.running = self
        for _ in range(steps):
            self.act()
        self.see("end", list(map(shown, self.nodes)))
        Program.running = None

    def interrupt(self, why: str, actions: Any = None) -> None:
        """Do a few things in the middle of another."""
        self.see("in", why)
        if self is Program.running and self.depth < 3:
            self.depth += 1
            for _ in range(self.random.randrange(3)):
                self.act(actions)
            self.depth -= 1

    def act(self, actions: Any = None) -> None:
        """Do something."""
        action = self.pick(actions or ACTIONS)
        try:
            found = action(self)
        except Exception as error:
            text = next((x for x, parts in WORDS.items() if any(part in str(error) for part in parts)), str(error))
            self.see(action.__name__, [type(error).__name__, text])
            return
        self.see(action.__name__, shown(found))
        if isinstance(found, Value):
            self.nodes = [*self.nodes[-40:], found]

    def see(self, what: str, found: Any) -> None:
        """Write down what was seen."""
        if not self.wild:
            self.seen.append([what, found])

    def pick(self, items: Any) -> Any:
        return self.random.choice(items)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def real(self) -> float:
        return self.random.uniform(-3.0, 3.0)

    def node(self) -> Any:
        nodes = self.nodes
        return nodes[self.random.randrange(len(nodes))] if nodes else Value(1.5)

    def some(self, most: int) -> list[Any]:
        return [self.node() for _ in range(self.random.randrange(1, most + 1))]

    def anything(self) -> Any:
        return self.node() if self.chance(0.7) else self.pick(NUMBERS)


def number(x: Any) -> str:
    """To the last bit; all nans are alike."""
    return str(x) if x is None or isinstance(x, str) else "nan" if x != x else float(x).hex()


def shown(x: Any) -> Any:
    """All that can be seen of a result."""
    if isinstance(x, Value):
        operands = [type(y).__name__ if isinstance(y, Value) else number(y) for y in x.operands]
        partials = x.partials and list(map(number, x.partials))
        op = x.op and x.op.name
        return [type(x).__name__, number(x._raw), number(x.grad), op, len(x.parents), operands, partials, [*vars(x)]]
    if isinstance(x, np.ndarray):
        return [shown(y) for y in x.ravel().tolist()]
    if isinstance(x, (list, tuple)):
        return list(map(shown, x))
    if isinstance(x, (bool, str, type(None))):
        return x
    return number(x) if isinstance(x, (int, float, np.generic)) else "something else"


ACTIONS: list[Callable[[Program], Any]] = []
Action = Callable[[Program], Any]


def often(times: int) -> Callable[[Action], Action]:
    """An action that is so many times as likely as others."""

    def listed(action: Action) -> Action:
        ACTIONS.extend([action] * times)
        return action

    return listed


@often(4)
def leaf(p):
    return p.pick([Value, Value, Value, Own, Slotted, Empty, Over])(p.pick(NUMBERS) if p.chance(0.2) else p.real())


@often(8)
def operation(p):
    operands = [p.node(), p.anything()]
    return p.pick(OPERATORS)(*(operands if p.chance(0.6) else operands[::-1]))


@often(5)
def method(p):
    name, arity = p.pick(METHODS)
    return getattr(p.node(), name)(*[p.anything() for _ in range(arity - 1)])


@often(3)
def function(p):
    row = p.pick(ROWS)
    return row(*[p.anything() for _ in range(row.arity)])


@often(2)
def sign(p):
    return p.pick([operator.neg, operator.pos, abs])(p.node())


@often(3)
def many(p):
    items = [p.anything() if p.chance(0.2) else p.node() for _ in range(2 * p.random.randrange(1, 5))]
    half = len(items) // 2
    if p.chance(0.5):
        return autograd.dot(items[:half], items[half:], *([p.anything()] if p.chance(0.5) else []))
    return p.pick([sum, autograd.sum, autograd.sum, autograd.mean, autograd.max])(items)


@often(5)
def backward(p):
    p.node().backward()


@often(3)
def by_hand(p):
    operands = p.some(3)
    out = Value(p.real(), tuple(operands), "h")

    def step():
        for x in operands:
            x.grad = (x.grad or 0.0) + 2 * out.grad
        p.interrupt("a step")
        if p.chance(0.05):
            raise ZeroDivisionError("in a step")

    if p.chance(0.9):
        out._backward = step
    return out


@often(1)
def with_partials(p):
    operands = p.some(3)
    return Value(p.real(), tuple(operands), tuple([p.real() for _ in operands]))


@often(1)
def another_step(p):
    p.node()._backward = lambda: p.interrupt("another step")


@often(1)
def one_step(p):
    p.node()._backward()


@often(2)
def set_data(p):
    p.node().data = p.pick(NUMBERS) if p.chance(0.2) else p.real()


@often(2)
def set_grad(p):
    p.node().grad = p.pick([None, 0.0, 1.0, -2.5, math.nan])


@often(1)
def label(p):
    p.node().label = p.pick(["a", "", None, 3])


@often(2)
def attribute(p):
    node, name = p.node(), p.pick(["a", "b", "tanh", "momentum", "k"])
    change = p.pick(["set", "get", "has", "delete"])
    if change == "set":
        setattr(node, name, p.pick([1.0, "s", [1]]))
    elif change == "delete":
        delattr(node, name)
    else:
        return hasattr(node, name) if change == "has" else getattr(node, name)
    return None


@often(1)
def attribute_that_is_a_node(p):
    p.node().other = p.node()


@often(1)
def exchange_attributes(p):
    p.node().__dict__ = p.pick([{}, {"z": 1}, 5])


@often(1)
def begin_again(p):
    node, below = p.node(), (p.node(),)
    p.remade.append(node)
    node.__init__(*p.pick([(), (2.0,), ("no number",), (1.0, "label"), (1.0, below, "h"), (1.0, below, (2.0,))]))


@often(1)
def remake(p):
    node, name = p.node(), p.pick(["op", "operands", "parents", "partials"])
    p.remade.append(node)
    found = {
        "op": [node.op, ops.add],
        "partials": [node.partials, (1.0,), (1.0, 2.0), ()],
    }.get(name, [(), (p.node(),), (p.node(), p.node()), node.parents])
    setattr(node, name, p.pick(found))


@often(1)
def freeze(p):
    node = p.node()
    if node.is_leaf and not any(x is node for x in p.remade):
        node.requires_grad = p.chance(0.5)


@often(2)
def compare(p):
    return p.pick(ORDER)(p.node(), p.anything())


@often(1)
def copied(p):
    return p.pick([copy.copy, copy.deepcopy])(p.node())


@often(1)
def written(p):
    ways = [repr, bool, float, int, lambda x: f"{x:.3f}", lambda x: round(x, 2), lambda x: x.tree(), lambda x: x._op]
    return p.pick(ways)(p.node())


@often(1)
def without_recording(p):
    with no_grad():
        p.act()
        return p.node() * 2.0


@often(1)
def watched(p):
    with autograd.anomaly():
        p.act()
        p.node().backward()


@often(1)
def transformed(p):
    x, at = p.node(), p.real()
    found: Any = p.pick(
        [
            lambda: autograd.grad(lambda t: t * t + x * t)(at),
            lambda: autograd.jvp(lambda t: t * t * x, (at,), (1.0,)),
            lambda: autograd.vectorize(lambda t: t.tanh() * 2.0 + x)(np.array([at, 1.5])),
        ]
    )
    return found()


@often(4)
def drop(p):
    if p.chance(0.03):
        p.nodes = []
    elif p.nodes:
        del p.nodes[p.random.randrange(len(p.nodes)) :][:1]
        p.nodes = [x for x in p.nodes if x is not p.node()]


@often(1)
def watch_it_go(p):
    p.watched = [*p.watched[-10:], weakref.ref(p.node(), lambda _: p.interrupt("a node goes") if p.wild else None)]


# ----------------------------------------------------------------------------------------------------- in the wild


class Told(Value):
    """A program runs when a gradient is set, and at the end."""

    __slots__ = ()

    @property
    def grad(self):
        return Value.__dict__["grad"].__get__(self)

    @grad.setter
    def grad(self, number):
        Value.__dict__["grad"].__set__(self, number)
        interrupt("a gradient is set")

    def __del__(self):
        interrupt("one that tells goes")


class Going:
    """A program runs when what a node has in its attributes goes."""

    def __del__(self):
        interrupt("an attribute goes")


def interrupt(why: str, actions: Any = None) -> None:
    """Let the program that runs do something."""
    if Program.running is not None:
        Program.running.interrupt(why, actions)


def collecting(phase: str, info: Any) -> None:
    """The collector runs. It may do so within NumPy, which does not live through being called again."""
    interrupt("the collector", [begin_again, remake, exchange_attributes, attribute, tie, change_class, drop, leaf])


def change_class(p):
    node = p.node()
    if type(node) in (Value, Empty, Told):
        node.__class__ = p.pick([Value, Empty, Told])


def tie(p):
    p.node().me, p.node().going = p.nodes, Going()


def collect(p):
    gc.collect()


def main(first: int, last: int, wild: bool) -> None:
    """Run the programs of these numbers."""
    if wild:
        ACTIONS.extend([change_class, tie, tie, collect])
        gc.callbacks.append(collecting)
        gc.set_threshold(3, 5, 5)
    else:
        gc.disable()
    for seed in range(first, last):
        program = Program(seed, wild)
        program.run(150)
        print(json.dumps(program.seen), flush=True)
    gc.callbacks.clear()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "wild" in sys.argv)
