"""Expression trees: what a program of arrays computes, before it is written in any language.

A node has an operation (a row of the table), operands, parameters, a shape and a dtype. A leaf has a name, or data.
Nodes never change. Each program interns its nodes: there is one node for an operation with its operands and parameters.
So common subexpressions are found as they are built, and `is` tells whether two nodes are the same. Names belong to the
program, not to the nodes inside.

>>> trees = Trees()
>>> x = trees.leaf("x", (Size.symbol("n"), 3), np.float64)
>>> y = (x * 2.0).sum(axis=1)
>>> y.op.name, y.shape, (x * 2.0).sum(axis=1) is y
('sum', (n,), True)

The rules of the rows run on nodes as on anything else. So they derive the backward pass as a tree, too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine.graph import Node, postorder
from autograd.functions.table import TABLE, Meaning
from autograd.ops import questions
from autograd.ops.operators import ArrayOperators
from autograd.ops.rows import Elementwise, Fused, Op, Reduction, Traced
from autograd.ops.shapes import normalize_axis, shape_of
from autograd.vectorizing.inference import Operand, infer, is_weak, lowered, whole
from autograd.vectorizing.sizes import NotLowerable, Quotient, Size

NUMBER = questions.Question("number", lambda size: np.asarray(size), arity=0, doc="A size as an operand.")
LET = questions.Question("let", lambda x, name: x, arity=1, doc="The same numbers, under a name.")


class Trees:
    """The nodes of one program, each once.

    `simplify` takes each node that is made, and gives a shorter way to the same numbers, or the node itself.
    """

    def __init__(self, simplify: Callable[[Expression], Any] = lambda node: node) -> None:
        self.simplify = simplify
        self.known: dict[Any, Expression] = {}
        self.made = itertools.count()

    def leaf(
        self, name: str, shape: Sequence[Any], dtype: Any, moves: bool = False, array: np.ndarray | None = None,
        cotangent: bool = False,
    ) -> Expression:  # fmt: skip
        """A variable, or with `array` a constant. `moves`: gradients flow to it. `cotangent`: an output's gradient."""
        node = self._new(None, (), {}, tuple(shape), np.dtype(dtype), name, moves)
        node.array, node.cotangent = array, cotangent
        return node

    def seed(self, output: Expression, name: str) -> Expression:
        """The gradient of an output under this name. It is one node: so a text that is made again adds none."""
        key = ("seed", output.place, name)
        if key not in self.known:
            self.known[key] = self.leaf(name, output.shape, output.dtype, cotangent=True)
        return self.known[key]

    def data(self, array: np.ndarray) -> Expression:
        """An array of numbers that are known."""
        if array.dtype.kind not in "biuf":
            raise NotLowerable(f"an array of {array.dtype}")
        key = ("data", array.shape, array.dtype.str, array.tobytes())
        if key not in self.known:
            node = self.known[key] = self._new(None, (), {}, array.shape, array.dtype, "", False)
            node.array = array.copy()  # the caller may change it
        return self.known[key]

    def variable(self, x: Traced) -> Expression:
        """A Value or a Tensor as a leaf. Not every program has such leaves."""
        raise NotLowerable(f"a {type(x).__name__} beside the arrays of a program")

    def number(self, size: Size) -> Expression:
        """A size as an operand."""
        return self._interned(NUMBER, (), {"size": size})

    def let(self, x: Any, name: str) -> Any:
        """The same numbers under a name: a line of its own in any language."""
        if not isinstance(x, Expression):
            return x
        node = self._interned(LET, (x,), {"name": name})
        node.name, node.moves = name, x.moves
        return node

    def make(self, op: Op, operands: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The operation on these operands, or less than that if the numbers are the same."""
        return self.simplify(self._interned(op, tuple(operands), canonical(op, operands, dict(params))))

    def _interned(self, op: Op, operands: tuple[Any, ...], params: dict[str, Any]) -> Expression:
        key: Any = (id(op), *[x.place if type(x) is Expression else key_of(x) for x in operands])
        if params:
            key = (key, key_of(sorted(params.items())))
        found = self.known.get(key)
        if found is None:
            if op is NUMBER:
                shape, dtype = (), np.dtype(np.int64)
            else:
                shape, dtype = infer(op, operands, params)
            differentiable = not isinstance(op, questions.Question)
            moves = differentiable and any(isinstance(x, Expression) and x.moves for x in operands)
            found = self.known[key] = self._new(op, operands, params, shape, dtype, "", moves)
        return found

    def _new(
        self, op: Op | None, operands: tuple[Any, ...], params: dict[str, Any], shape: Any, dtype: Any, name: str,
        moves: bool,
    ) -> Expression:  # fmt: skip
        node: Expression = object.__new__(Expression)
        node.trees, node.op, node.operands, node.params = self, op, operands, params
        node.parents = tuple([x for x in operands if isinstance(x, Expression)])
        node.shape, node.dtype, node.name, node.moves = shape, dtype, name, moves
        node.weak = op is NUMBER or (isinstance(op, Elementwise) and all(is_weak(x) for x in operands))
        node.grad = node.array = None
        node.cotangent = any(x.cotangent for x in node.parents)
        node.place = next(self.made)
        return node


def _asked(row: Op) -> Callable[[Any, Any], Any]:
    return lambda self, other: row.apply((self, other), {})


def _of_bools(row: Op) -> Callable[..., Any]:
    def method(*operands: Any) -> Any:
        if not all(np.result_type(getattr(x, "dtype", type(x))) == np.bool_ for x in operands):
            raise NotLowerable(f"{row.infix} of whole numbers works on their bits")
        return row.apply(operands, {})

    return method


class Expression(Node, ArrayOperators):
    """One node of a tree. `Trees` makes it.

    `name` is that of a variable, `array` the data of a constant, `place` counts the nodes of a program as they are
    made, and `moves` says whether a gradient flows to it. A `cotangent` is the gradient of an output, or is computed
    from one. A node is `weak` if it is one of Python's numbers in the text, such as a length: it adapts to the dtype
    of arrays.
    """

    __slots__ = (
        "__weakref__", "array", "cotangent", "dtype", "grad", "moves", "name", "op", "operands", "params", "parents",
        "place", "shape", "trees", "weak",
    )  # fmt: skip
    _fuses = True
    _priority = 20

    trees: Trees
    shape: tuple[Any, ...]
    dtype: np.dtype[Any]
    name: str
    array: np.ndarray | None
    place: int
    moves: bool
    cotangent: bool
    weak: bool
    parents: tuple[Expression, ...]

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        trees = next(x for x in inputs if isinstance(x, Expression)).trees
        if isinstance(op, Fused) and op not in BY_HAND:
            return op.composition(*inputs, **params)
        operands = [operand(x, trees) for x in inputs]
        if op in (ops.div, ops.sum):  # of answers, NumPy would make float64 or counts
            operands = [
                trees.make(questions.as_float, (x,), {}) if getattr(x, "dtype", None) == np.bool_ else x
                for x in operands
            ]
        if "index" in params:
            index = params["index"]
            alone = isinstance(index, tuple) and len(index) == 1
            params = {**params, "index": lifted(index[0] if alone else index, operands, trees)}
        if isinstance(op, Reduction):
            axes = normalize_axis(params.get("axis"), operands[0].ndim)
            params = {**params, "axis": None if len(axes) == operands[0].ndim else axes}
            params = {key: x for key, x in params.items() if x is not None and x is not False}
        return trees.make(op, operands, params)

    def arguments(self) -> tuple[Sequence[Any], dict[str, Any]]:
        """The operands and the parameters as the row's rules take them: see `lifted`."""
        if "index" not in self.params:
            return self.operands, self.params
        extra: list[Any] = []
        index = lowered(self.params["index"], self.operands, extra)
        return self.operands[: len(self.operands) - len(extra)], {**self.params, "index": index}

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Any:
        """Number of elements: an int, or a size."""
        return math.prod(self.shape)

    def broadcast_to(self, shape: Sequence[Any]) -> Any:
        """See `autograd.broadcast_to`."""
        return ops.broadcast_to(self, tuple(shape))

    @property
    def data(self) -> Any:
        """Not known: a node stands for any numbers."""
        raise NotLowerable("the numbers (.data) of an array, which are not known yet")

    def astype(self, dtype: Any) -> Any:
        """The same numbers in another dtype."""
        return ops.astype(self, np.dtype(dtype))

    def detach(self) -> Expression:
        """The same numbers, with no gradient behind them."""
        return self.trees.make(questions.constant, (self,), {}) if self.moves else self

    def __deepcopy__(self, memo: Any) -> Expression:
        return self  # nodes never change, so a copy of a program may share them

    def __len__(self) -> int:
        n = self.shape[0]
        if isinstance(n, Size):
            raise NotLowerable("len() of a batch")
        return int(n)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise NotLowerable("a decision that depends on numbers")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise NotLowerable("a function of NumPy on plain numbers")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.ndim, np.shape, np.size):
            return getattr(args[0], function.__name__)
        if function is np.ones_like:
            return questions.ones_like(*args)
        meaning = TABLE.get(function)
        return meaning(args, kwargs) if isinstance(meaning, Meaning) else NotImplemented

    __lt__, __le__ = _asked(questions.less), _asked(questions.less_equal)
    __gt__, __ge__ = _asked(questions.greater), _asked(questions.greater_equal)
    __eq__, __ne__ = _asked(questions.is_equal), _asked(questions.not_equal)
    __hash__ = object.__hash__
    __and__ = __rand__ = _of_bools(questions.logical_and)
    __or__ = __ror__ = _of_bools(questions.logical_or)
    __invert__ = _of_bools(questions.logical_not)


BY_HAND = (ops.linear, ops._softmax, ops._log_softmax)
"""Fused rows whose own backward step reads well; others are taken apart."""


def operand(x: Any, trees: Trees) -> Any:
    """An operand as a node or a Python number."""
    if isinstance(x, Expression):
        return x
    if isinstance(x, Size):
        return trees.number(x)
    if isinstance(x, Traced):
        return trees.variable(x)
    if isinstance(x, Quotient):
        return trees.make(ops.div, (operand(x.above, trees), operand(x.below, trees)), {})
    if isinstance(x, (list, tuple)):
        x = np.asarray(x)
    if isinstance(x, np.ndarray):
        return trees.data(x) if x.ndim else x.item()
    return x.item() if isinstance(x, np.generic) else x


def canonical(op: Op, operands: Sequence[Any], params: dict[str, Any]) -> dict[str, Any]:
    """The parameters in the one way in which nodes have them: shapes are tuples without -1, all axes have numbers."""
    if op is ops.reshape:
        params["shape"] = whole(math.prod(shape_of(operands[0])), params["shape"])
    elif op in (ops.broadcast_to, ops.scatter):
        shape = params["shape"]
        params["shape"] = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    elif op is ops.transpose:
        axes = params.get("axes")
        params["axes"] = tuple(range(operands[0].ndim))[::-1] if axes is None else tuple(axes)
    return params


def lifted(index: Any, operands: list[Any], trees: Trees) -> Any:
    """An index with its arrays moved to the operands: they are nodes as others are. `lowered` undoes it."""
    if isinstance(index, tuple):
        return tuple([lifted(part, operands, trees) for part in index])
    if isinstance(index, (Expression, np.ndarray, list)):
        operands.append(operand(index, trees))
        return Operand(len(operands) - 1)
    return index


PLAIN = (bool, int, float, complex, str, type(None), type(Ellipsis))
"""Types whose objects are the same if their texts are. Equal numbers may not be: -0.0 and 0.0, True and 1."""


def key_of(x: Any) -> Any:
    """A key that is equal for equal operands or parameters, and for no others."""
    if isinstance(x, Expression):
        return x.place
    if isinstance(x, (tuple, list)):
        return (type(x).__name__, *map(key_of, x))
    if isinstance(x, slice):
        return "slice", key_of((x.start, x.stop, x.step))
    if isinstance(x, np.ndarray):
        return "array", x.shape, x.dtype.str, x.tobytes()
    if isinstance(x, Size):
        return "size", x
    if isinstance(x, Mapping):
        return "mapping", *[(key_of(key), key_of(item)) for key, item in x.items()]
    if type(x) in PLAIN or isinstance(x, (np.generic, np.dtype)):
        return type(x).__name__, repr(x)
    return "object", id(x)  # the node holds it, so that nothing else gets this id


def replaced(root: Any, others: Mapping[Expression, Any]) -> Any:
    """An expression with others in the place of some of its nodes.

    >>> trees = Trees()
    >>> x, y = trees.leaf("x", (2,), float), trees.leaf("y", (2,), float)
    >>> replaced(x * 2.0 + x, {x: y}) is y * 2.0 + y
    True
    """
    found: dict[Any, Any] = dict(others)
    for node in postorder([root] if isinstance(root, Expression) else [], without=others):
        operands = [found[x] if isinstance(x, Expression) else x for x in node.operands]
        same = all(x is y for x, y in zip(operands, node.operands, strict=True))
        found[node] = node if same else node.trees.make(node.op, operands, node.params)
    return found.get(root, root)


def made(x: Any, *rows: Op) -> tuple[Any, ...]:
    """The operands, if it is the result of one of these rows; nothing if it is not."""
    return x.operands if isinstance(x, Expression) and x.op in rows else ()
