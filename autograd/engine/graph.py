"""The computation graph: what a node is, the one topological order, the backward sweep, and the modes.

A node holds its number(s), its gradient, the operation that made it and that operation's operands; a leaf has no
operation. A node packs its operands to stay small: `_kind.fan` says how to read the two slots `_a` and `_b`.

====  =================================  ====================================
fan   `_a`                               `_b`
====  =================================  ====================================
1     the variable                       a constant, if the operation has one
2     the first variable                 the second variable
MANY  a tuple of variables               the operation's parameters
ANY   a tuple: variables and constants   the operation's parameters
====  =================================  ====================================

`node.operands`, `node.parents`, `node.op` and `node.params` read it for everybody else. Operands point towards
the leaves only, so a dropped graph has no cycles and is freed at once; nothing here recurses.

Threads: modes such as `no_grad` hold in the thread that entered them, and threads may build and sweep graphs of their
own side by side. `backward` writes to the nodes, though: two threads that share leaves have to take turns (a lock
around backward), or additions to a leaf's `grad` can get lost, and two must never sweep one graph. The transformations
(`autograd.grad` and its siblings) write to no node, and need no lock at all.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.engine.contexts import Context
from autograd.engine.frozen import Frozen, freeze, thaw
from autograd.ops.operators import Operators

MANY, ANY = 3, 0


def as_label(label: object) -> str:
    """A label as text. None, or the empty tuple that micrograd's programs pass there, is no label.

    TypeError for anything but text: it would be found only when somebody draws.
    """
    if isinstance(label, str):
        return str(label)
    if label is None or (isinstance(label, tuple) and not label):
        return ""
    raise TypeError(f"a label is text, not {type(label).__name__} {label!r:.60}: pass str(…) of it")


def restore(kind: type[Node], data: Any, label: str, grad: Any) -> Node:
    """A leaf, from its pickle; a subclass's own constructor may take other arguments, and is not called."""
    ours: Any = next(base for base in kind.__mro__ if base.__module__.startswith("autograd."))
    node = kind.__new__(kind)
    ours.__init__(node, data, label=label)
    node.grad = grad
    return node


class Node(Operators):
    """A variable in a computation graph, as its operations and the sweep see it."""

    __slots__ = ("__weakref__", "_a", "_b", "_kind", "_primal", "grad")

    _a: Any
    _b: Any
    _primal: Any
    _kind: Any  # None for a leaf
    grad: Any
    label: str  # for drawings and messages; empty unless given
    empty_grad: Any = None  # what `grad` is before any gradient has come

    @property
    def requires_grad(self) -> bool:
        """Whether `backward` gives it a gradient. Assign False to freeze a leaf, True to thaw it.

        The gradient of a frozen leaf stays empty, and optimisers leave its numbers as they are, bit for bit. What is
        computed from frozen Tensors and constants alone is a constant, too. TypeError for a result of an operation.

        >>> from autograd import Value
        >>> w, x = Value(2.0), Value(3.0)
        >>> w.requires_grad = False
        >>> (w * x).backward()
        >>> w.grad, x.grad
        (0.0, 2.0)
        """
        return not isinstance(self, Frozen)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not isinstance(wanted, (bool, np.bool_)):
            raise TypeError(f"requires_grad is True or False, not {wanted!r:.60}")
        if bool(wanted) == self.requires_grad:
            return
        if not self.is_leaf:
            raise TypeError(
                f"this {type(self).__name__} was computed by {self.op.name}: only leaves are frozen; take its numbers, "
                ".detach(), for a constant"
            )
        (thaw if wanted else freeze)(self)

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by hand rather than by an operation."""
        return self._kind is None

    @property
    def op(self) -> Any:
        """The row of the table that made this node; None for a leaf."""
        return None if self._kind is None else self._kind.row

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation was applied to, in order: variables and constants."""
        return () if self._kind is None else self._kind.operands(self)

    @property
    def params(self) -> dict[str, Any]:
        """The operation's parameters, such as an axis."""
        return self._b if self._kind is not None and self._kind.fan in (MANY, ANY) else {}

    @property
    def parents(self) -> tuple[Node, ...]:
        """The operands that are variables themselves."""
        if self._kind is None:
            return ()
        fan = self._kind.fan
        if fan == MANY:
            return self._a  # type: ignore[no-any-return]
        if fan == ANY:
            return tuple([x for x in self._a if isinstance(x, Node)])
        return (self._a,) if fan == 1 else (self._a, self._b)

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        """The cotangents of the operands, None for constants; see `cotangents`."""
        raise NotImplementedError

    def draw(self, **options: Any) -> Any:
        """A picture of the graph below; see `autograd.draw`."""
        from autograd.drawing import draw

        return draw(self, **options)

    def tree(self, **options: Any) -> str:
        """The graph below as text; see `autograd.tree`."""
        from autograd.explaining.tree import tree

        return tree(self, **options)

    def __reduce__(self) -> Any:
        kind = type(self)
        if self._kind is not None:
            raise TypeError(
                f"this {kind.__name__} was computed by {self.op.name} and is part of a graph, which is neither copied "
                "nor pickled; take what it holds (.data), or copy the leaves and compute again"
            )
        return restore, (kind, self._primal, self.label, self.grad), getattr(self, "__dict__", None) or None


def topological(root: Node) -> list[Node]:
    """The computed nodes below `root`, operands before results.

    Depth first with an explicit stack, and without a set of what was seen: a node that waits for what is below it
    carries `open`, one that is listed `done`, float objects made for this one sweep, as its gradient. That also resets
    what earlier sweeps left there. Leaves are not listed: they hold what accumulates. A node with nothing below it
    that is still to be listed, such as a product of leaves, is listed at once; only those that wait are on the stack.
    """
    open, done = float("0"), float("0")  # new objects
    order: list[Node] = []
    append = order.append
    stack: list[Any] = []
    push, pop = stack.append, stack.pop
    node: Any = root
    while root._kind is not None:
        if node.grad is not open:  # for the first time here; else everything below has been listed meanwhile
            node.grad = open
            fan = node._kind.fan
            if fan == 2:
                a, b = node._a, node._b
                if b._kind is not None and b.grad is not done:
                    push(node)
                    if a._kind is not None and a.grad is not done:
                        push(a)
                    node = b
                    continue
                if a._kind is not None and a.grad is not done:
                    push(node)
                    node = a
                    continue
            elif fan == 1:
                a = node._a
                if a._kind is not None and a.grad is not done:
                    push(node)
                    node = a
                    continue
            else:
                push(node)
                for x in node._a:
                    if (fan == MANY or isinstance(x, Node)) and x._kind is not None and x.grad is not done:
                        push(x)
                node = pop()
                continue
        node.grad = done
        append(node)
        while stack:
            node = pop()
            if node.grad is not done:  # as it is where two nodes had put the same one there
                break
        else:
            break
    return order


def sweep(root: Node, seed: Any, order: list[Node]) -> None:
    """Backpropagate `seed` from `root`: each node, results before operands, hands on its gradient.

    `order` is what `topological` gave; it is used up.
    """
    root.grad = seed
    if modes.watch is not None:
        for node in reversed(order):
            modes.watch.check(node, node._cotangents(node.grad, False))
            node._kind.pull(node)
        return
    while order:
        node = order.pop()
        node._kind.pull(node)


def between(outputs: Sequence[Any], wrt: Sequence[Node]) -> list[Node]:
    """The computed nodes on the paths from the variables `wrt` to the outputs, operands before results."""
    depends: dict[int, bool] = {id(x): True for x in wrt}
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(x, False) for x in outputs if isinstance(x, Node)]
    while stack:
        node, expanded = stack.pop()
        if id(node) in depends:
            continue
        parents = node.parents
        if expanded or not parents:
            depends[id(node)] = on_path = any(depends[id(x)] for x in parents)
            if on_path:
                order.append(node)
        else:
            stack.append((node, True))
            stack.extend((x, False) for x in parents if id(x) not in depends)
    return order


def cotangents(outputs: Sequence[Any], seeds: Sequence[Any], wrt: Sequence[Node], live: bool) -> list[Any]:
    """Reverse mode without touching anybody's `grad`: the cotangents of `wrt`, None where nothing flows.

    `live` runs the rules on the nodes themselves rather than on their numbers, so that the results are part of the
    graph and can be differentiated again. A node among `wrt` is treated as a leaf.
    """
    if modes.tracer is not None and (traced := modes.tracer.cotangents(outputs, seeds, wrt)) is not None:
        return traced  # type: ignore[no-any-return]
    found: dict[int, Any] = {}

    def add(x: Any, cotangent: Any) -> None:
        if isinstance(x, Node):
            found[id(x)] = found[id(x)] + cotangent if id(x) in found else cotangent

    for x, seed in zip(outputs, seeds, strict=True):
        add(x, seed)
    with np.errstate(all="ignore"):
        for node in reversed(between(outputs, wrt)):
            g = found.pop(id(node), None)
            if g is not None:
                for x, cotangent in zip(node.operands, node._cotangents(g, live), strict=True):
                    if cotangent is not None:
                        add(x, cotangent)
    return [found.get(id(x)) for x in wrt]


# ------------------------------------------------------------------------------------------------------- modes


levels = itertools.count(1)
"""Each use of forward mode takes the next level, so an inner use has a higher one than those around it."""


RECORDING, CONSTANT, GENERAL = 0, 1, 2


class _Modes(threading.local):
    state = RECORDING  # CONSTANT inside `no_grad`; GENERAL where operations on Values are watched or traced
    recording = True
    cut = 0  # Duals up to this level are constants: they were made outside a `no_grad` that is on
    watch: Any = None  # anomaly mode's, when on
    tracer: Any = None  # what vectorize traces with, while it does
    of_arrays = False  # whether a transformation of a function of arrays is running it right now
    differentiating = 0  # how many reverse transformations are running a function right now

    def __setattr__(self, name: str, setting: Any) -> None:
        super().__setattr__(name, setting)
        watched = self.watch is not None or self.tracer is not None
        super().__setattr__("state", GENERAL if watched else RECORDING if self.recording else CONSTANT)


modes = _Modes()
"""What is on in this thread."""

special = 0
"""How many contexts, in all threads, ask for something else than plain recording. The operators' fast paths look
at this one number; only when it is not zero does anybody ask which thread wants what."""

_lock = threading.Lock()


def count_special(change: int) -> None:
    """Enter (+1) or leave (-1) a context that the fast paths have to step aside for."""
    global special
    with _lock:
        special += change


class recording:
    """Compute with recording, whatever is on outside: what a transformation differentiates has to be recorded."""

    def __enter__(self) -> None:
        self._outer = modes.recording
        modes.recording = True

    def __exit__(self, *error: object) -> None:
        modes.recording = self._outer


class no_grad(Context):
    """Compute without recording: results are constants of their kind, with no graph behind them.

    A context manager and a decorator, of generators and coroutines too; holds in the thread that entered it.
    A transformation (`autograd.grad` and its siblings) inside it differentiates what it is asked to. Inside a function
    that is being differentiated, what is computed in it is constant, in forward mode as in reverse mode.

    >>> from autograd import Value, grad
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    ...     slope = grad(lambda t: t**3)(2.0)
    >>> y.is_leaf, slope
    (True, 12.0)
    """

    def __init__(self) -> None:
        self._outer: list[tuple[bool, int]] = []

    def __enter__(self) -> no_grad:
        self._outer.append((modes.recording, modes.cut))
        modes.recording = False
        modes.cut = next(levels)
        count_special(1)
        return self

    def __exit__(self, *error: object) -> None:
        count_special(-1)
        modes.recording, modes.cut = self._outer.pop()
