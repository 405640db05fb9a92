"""`Tensor`: a NumPy array that remembers how it was computed; the batched path.

>>> w = Tensor([[1.0], [2.0]])
>>> x = np.array([[3.0, 4.0]])
>>> loss = ((x @ w - 1.0) ** 2).mean()
>>> loss.backward()
>>> loss.item(), w.grad.tolist()
(100.0, [[60.0], [80.0]])

Arrays and numbers mixed into an expression are constants: no gradient is computed for them. NumPy's own functions
record too: ``np.exp(w)``, ``np.concatenate([w, w])``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias

import numpy as np

from autograd import ops
from autograd.engine.elsewhere import elsewhere, present
from autograd.engine.form import Form
from autograd.engine.graph import Node, as_label, cotangents, modes, recording, sweep, topological
from autograd.engine.quiet import ignoring, quietly
from autograd.engine.saved import Saved, find, tick
from autograd.ops.arrays import as_array, as_floats, constant
from autograd.ops.operators import ArrayOperators
from autograd.ops.rows import FLOATS, Fused, Linear, Op, Traced

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class Tensor(Node, ArrayOperators):
    """An array of float32 or float64 in a computation graph.

    Args:
        data: an array, nested sequences of floats, or anything that is like an array (a data frame, another library's
            tensor); it is copied. Other dtypes raise TypeError.
        dtype: float32 or float64, to convert.
        label: a name for drawings and messages.

    `data` is the array, `grad` an array of the same shape and dtype, None until a `backward` reaches it. Leaves
    accumulate over several calls; results of operations hold those of the last call, and their `data` is read-only.

    >>> t = Tensor([1.0, 2.0])
    >>> (t * t).sum().backward()
    >>> t.grad
    array([2., 4.])
    """

    __slots__ = ("_before", "_exposed", "_guards", "_label", "_read", "_version")
    _fuses = True
    _stacks = True
    _priority = 2
    # see autograd.engine.saved: what an operation saved, and when it was recorded; of a leaf, when its numbers were replaced,
    # when somebody else was given its array (0 for never), whether an operation has read it since it was last replaced,
    # and what it held when it was given away after that
    _guards: Saved | None
    _version: int
    _exposed: int
    _label: str
    _read: bool
    _before: Array | None

    def __init__(self, data: Any, dtype: DTypeLike | None = None, label: str = "") -> None:
        if isinstance(data, Traced):
            raise TypeError(f"a Tensor is made of numbers, not of a {type(data).__name__}: take its .data")
        array = np.array(as_array(data, "a Tensor"), dtype=dtype)
        if array.dtype not in FLOATS:
            raise TypeError(
                f"a Tensor holds float32 or float64, not {array.dtype} of shape {array.shape}; "
                "write 1.0 for 1, or pass dtype=np.float64"
            )
        self._primal = array
        self.grad = None
        self._kind = None
        self._guards = None
        self._version = self._exposed = 0
        self._read = False
        self._before = None
        self._label = as_label(label)

    @property
    def label(self) -> str:
        """A name for drawings and messages; empty unless given."""
        return self._label

    @label.setter
    def label(self, name: str) -> None:
        self._label = as_label(name)

    # ------------------------------------------------------------------------------------------------ the numbers

    @property
    def data(self) -> Array:
        """The array itself, not a copy. A leaf's may be written to; assigning keeps shape and dtype."""
        if self._kind is None:
            if not self._exposed:
                self._exposed = tick()
                self._before = self._primal.copy() if self._read else None
            if (held := find(id(self._primal))) is not None:
                held.expose()
        return self._primal  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        self._only_leaves()
        array = data if data is self._primal else np.array(as_array(data, "a Tensor's data"), dtype=self._primal.dtype)
        if array.shape != self._primal.shape:
            raise ValueError(f"a Tensor of shape {self.shape} cannot take data of shape {array.shape}")
        self._announce()
        if array is not self._primal:
            self._primal = array
            self._exposed = 0

    def update(self, change: Callable[..., Any], *args: Any) -> None:
        """Call ``change(array, *args)``, which writes to a leaf's own array in place.

        This is how optimisers write. It is cheaper than `data`: nobody keeps the array, so nothing has to be copied or
        compared to notice later changes. The array that `change` is given is read-only as soon as it returns.
        TypeError for a result of an operation, ValueError where the array is read-only.

        >>> w = Tensor([1.0, 2.0])
        >>> w.update(lambda array, factor: np.multiply(array, factor, out=array), 10.0)
        >>> w.data
        array([10., 20.])
        """
        self._only_leaves()
        self._announce()
        if not self._primal.flags.writeable:
            name = f" ({self.label})" if self.label else ""
            raise ValueError(
                f"the array of this Tensor{name} of shape {self.shape} is read-only, so it cannot be updated in place; "
                "give it one of its own first: tensor.data = tensor.data.copy()"
            )
        array = self._primal[...]
        try:
            change(array, *args)
        finally:
            array.setflags(write=False)

    def _only_leaves(self) -> None:
        if self._kind is not None:
            raise TypeError(f"this Tensor was computed by {self.op.name}; only a leaf's data can be assigned")

    def _announce(self) -> None:
        """Tell graphs that saved the array that its numbers are about to change."""
        self._version = tick()
        self._read = False
        self._before = None
        held = find(id(self._primal))
        if held is not None:
            held.changed = True
            held.thaw()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._primal.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._primal.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._primal.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._primal.dtype  # type: ignore[no-any-return]

    def detach(self) -> Array:
        """The numbers as a constant, read-only: no gradient flows through it."""
        array: Array = self._primal.view()
        array.setflags(write=False)
        return array

    # ------------------------------------------------------------------------------------------------- gradients

    def backward(self, seed: Any = None) -> None:
        """Set `grad` of everything below.

        Args:
            seed: the cotangent, of this Tensor's shape; 1 if this Tensor has one element.

        >>> t = Tensor([1.0, 2.0])
        >>> (3.0 * t).backward([1.0, 10.0])
        >>> t.grad
        array([ 3., 30.])
        """
        if seed is None:
            if self.size != 1:
                raise ValueError(
                    f"backward from shape {self.shape}: reduce it to one number first (.sum(), .mean()), "
                    "or pass the cotangent, backward(seed)"
                )
            seed = np.array(1.0, self._primal.dtype)
            if self._primal.ndim:
                seed = seed.reshape(self._primal.shape)
        else:
            seed = np.array(as_array(seed, "backward"), dtype=self.dtype)
            if seed.shape != self.shape:
                raise ValueError(f"the seed of shape {seed.shape} should have this Tensor's shape {self.shape}")
        if self._kind is None:
            self._receive(seed, None)
            return
        order = topological(self)
        kept: list[Saved] = []
        run = quietly
        for node in order:
            form = node._kind
            if form.changed is not None:
                if (root := form.changed(node)) is not None:
                    self._refuse(node, root)
                if (saved := node._guards) is not None:  # type: ignore[attr-defined]
                    kept.append(saved)
            if form.row.foreign:
                run = ignoring
        run(sweep, self, seed, order)
        for saved in kept:
            saved.release()

    def _refuse(self, node: Node, root: Array) -> NoReturn:
        name = next((f" ({x.label})" for x in node.parents if x.label and x._primal is root), "")
        raise RuntimeError(
            f"an operand of {node.op.name}, an array of shape {root.shape}{name}, changed after the operation was "
            "recorded, so the gradient would be wrong: run forward again, or change it after backward"
        )

    def _receive(self, cotangent: Any, upstream: Any) -> None:
        """Take a contribution to the gradient."""
        held = self.grad
        if self._kind is not None:
            self.grad = cotangent if type(held) is float else held + cotangent
        elif held is not None:
            self.grad = held + cotangent
        elif (
            type(cotangent) is np.ndarray
            and cotangent is not upstream
            and cotangent.base is None
            and cotangent.flags.writeable
        ):
            self.grad = cotangent  # nobody else has it
        else:
            self.grad = np.array(cotangent)

    def _constant(self) -> Self:
        """A result that is not recorded, as the leaf that it is then."""
        self._kind = self._guards = None
        self._version, self._exposed, self._read, self._before = 0, tick(), False, None
        return self

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        op, operands, needs = self._kind.row, self._a, self._kind.needs
        if not live:
            return op.vjp(g, needs, self._primal, self._kind.numbers(operands), self._b)  # type: ignore[no-any-return]
        if isinstance(op, Fused):  # what it is composed of knows higher orders
            variables = [x for x, need in zip(operands, needs, strict=True) if need]
            with recording():
                composed = op.composition(*operands, **self._b)
            found = iter(cotangents([composed], [g], variables, live))
            return [next(found) if need else None for need in needs]
        return op.vjp(g, needs, self, operands, self._b)  # type: ignore[no-any-return]

    # ------------------------------------------------------------------------------------------------- recording

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        dtype = next(x._primal.dtype for x in inputs if isinstance(x, Tensor))
        inputs = [x if isinstance(x, Tensor) else operand(x, op, dtype, i) for i, x in enumerate(inputs)]
        return Form.of(Tensor, op, inputs).apply(inputs, params)

    @classmethod
    def _gather(cls, op: Op, items: Sequence[Any], params: dict[str, Any]) -> Any:
        return op.apply((ops.stack(items),), params)

    @classmethod
    def _dot(cls, x: Any, y: Any, bias: Any) -> Any:
        stacked = [ops.stack(side) if isinstance(side, (list, tuple)) else side for side in (x, y)]
        return ops.dot(stacked[0], stacked[1], bias)

    # ------------------------------------------------------------------------------ NumPy's methods, and operators

    def astype(self, dtype: DTypeLike) -> Self:
        """The same numbers as float32 or float64; gradients come back in this Tensor's dtype."""
        if np.dtype(dtype) not in FLOATS:
            raise TypeError(f"a Tensor holds float32 or float64, not {np.dtype(dtype)}")
        return ops.astype(self, np.dtype(dtype))  # type: ignore[no-any-return]

    def _inplace(self, row: Op, other: Any) -> Self:
        """``x += y``: a new node while recording; an update of a leaf's own array under `no_grad`."""
        if modes.recording or self._kind is not None:
            return row.apply((self, other), {})  # type: ignore[no-any-return]
        self.data = row.forward(self._primal, operand(ops.detach(other), row, self._primal.dtype, 1))
        return self

    def __iadd__(self, other: Any) -> Self:
        return self._inplace(ops.add, other)

    def __isub__(self, other: Any) -> Self:
        return self._inplace(ops.sub, other)

    def __imul__(self, other: Any) -> Self:
        return self._inplace(ops.mul, other)

    def __itruediv__(self, other: Any) -> Self:
        return self._inplace(ops.div, other)

    def __dir__(self) -> list[str]:
        return present(self, list(object.__dir__(self)))

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        return f"Tensor({np.array2string(self._primal, separator=', ', prefix='Tensor(')}{dtype}{label})"


elsewhere(
    Tensor,
    {
        "clone": "tensor.data.copy() has its numbers, tensor + 0.0 is a copy in the graph",
        "cpu": "arrays are in memory, there is no device to choose",
        "cuda": "arrays are in memory, there is no device to choose",
        "double": "write tensor.astype(numpy.float64)",
        "float": "write tensor.astype(numpy.float32)",
        "mm": "write a @ b",
        "numpy": "tensor.data is its array",
        "permute": "write tensor.transpose(...)",
        "to": "write tensor.astype(dtype); arrays are in memory, there is no device to choose",
        "unsqueeze": "write numpy.expand_dims(tensor, axis)",
        "view": "write tensor.reshape(...)",
    },
)


def operand(x: Any, op: Op, dtype: np.dtype[Any], i: int) -> Any:
    """The i-th operand, which is not a Tensor: an array, or a Python number, which adapts to the Tensors' dtype."""
    if isinstance(x, Traced):
        raise TypeError(
            f"{op.name} of a Tensor and a {type(x).__name__}: use one kind in an expression "
            "(Tensor(value.data) makes a Tensor; a transformation of a function of arrays takes np.array(2.0) for 2.0)"
        )
    x = constant(x, op, "Tensor")
    if isinstance(op, (Linear, Fused)) and not isinstance(x, (Tensor, np.ndarray)):  # their rules ask for shapes
        return np.asarray(x, dtype=dtype)
    return as_floats(x, dtype) if op.differentiates(i) else x
