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
from autograd.engine.elsewhere import OF_TENSORS, elsewhere, present
from autograd.engine.frozen import Frozen, frozen
from autograd.engine.graph import Node, as_label, cotangents, postorder
from autograd.engine.modes import modes, recording
from autograd.engine.parts import with_part
from autograd.engine.saved import Saved, memory_of, save
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

    __slots__ = (
        "__weakref__", "_label", "_needs", "_raw", "_saved", "grad", "op", "operands", "params", "parents",
    )  # fmt: skip
    _fuses = True
    _stacks = True
    _priority = 2

    _label: str
    _needs: tuple[bool, ...]  # which of the operands a gradient flows to
    _saved: Saved | None  # the arrays that backward will read: see autograd.engine.saved

    def __init__(self, data: Any, dtype: DTypeLike | None = None, label: str = "") -> None:
        if isinstance(data, Traced):
            raise TypeError(f"a Tensor is made of numbers, not of a {type(data).__name__}: take its .data")
        array = np.array(as_array(data, "a Tensor"), dtype=dtype)
        if array.dtype not in FLOATS:
            raise TypeError(
                f"a Tensor holds float32 or float64, not {array.dtype} of shape {array.shape}; "
                "write 1.0 for 1, or pass dtype=np.float64"
            )
        self._raw = array
        self._label = as_label(label)
        self._become_leaf()

    def _become_leaf(self) -> Self:
        """Nothing is known of how it was computed."""
        self.grad = self.op = self._saved = None
        self.operands = self.parents = self._needs = ()
        self.params = {}
        return self

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
        if self.op is None and (memory := memory_of(self._raw)) is not None:
            memory.expose()
        return self._raw  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        self._only_leaves()
        array = data if data is self._raw else np.array(as_array(data, "a Tensor's data"), dtype=self._raw.dtype)
        if array.shape != self._raw.shape:
            raise ValueError(f"a Tensor of shape {self.shape} cannot take data of shape {array.shape}")
        self._announce()
        self._raw = array

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
        if not self._raw.flags.writeable:
            name = f" ({self.label})" if self.label else ""
            raise ValueError(
                f"the array of this Tensor{name} of shape {self.shape} is read-only, so it cannot be updated in place; "
                "give it one of its own first: tensor.data = tensor.data.copy()"
            )
        array = self._raw[...]
        try:
            change(array, *args)
        finally:
            array.setflags(write=False)

    def _only_leaves(self) -> None:
        if self.op is not None:
            raise TypeError(f"this Tensor was computed by {self.op.name}; only a leaf's data can be assigned")

    def _announce(self) -> None:
        """Tell graphs that saved the array that its numbers are about to change."""
        if (memory := memory_of(self._raw)) is not None:
            memory.change()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._raw.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._raw.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._raw.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._raw.dtype  # type: ignore[no-any-return]

    def detach(self) -> Array:
        """The numbers as a constant, read-only: no gradient flows through it."""
        array: Array = self._raw.view()
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
        seed = self._seed(seed)
        if self.op is None:
            self._receive(seed, seed)
            return
        order: list[Any] = [node for node in postorder([self]) if node.op is not None]
        for node in order:
            if node._saved is not None and (array := node._saved.changed()) is not None:
                self._refuse(node, array)
        for node in order:
            node.grad = None
        self.grad = seed
        own: set[int] = set()
        with np.errstate(all="ignore"):
            for node in reversed(order):  # results before operands: its gradient is complete
                if node.grad is None:  # it reached no operand that has one, such as a condition
                    node.grad = np.zeros_like(node._raw)
                if node.op.adds is not None and modes.watch is None and (x := node.operands[0]).grad is not None:
                    x.grad = with_part(node, node.grad, x.grad, own)
                    continue
                found = node._cotangents(node.grad, live=False)
                if modes.watch is not None:
                    modes.watch.check(node, found)
                for x, cotangent in zip(node.operands, found, strict=True):
                    if cotangent is not None:
                        x._receive(cotangent, node.grad)
        for node in order:
            if node._saved is not None:
                node._saved.release()

    def _seed(self, seed: Any) -> Array:
        """The cotangent to begin with, checked."""
        if seed is None:
            if self.size != 1:
                raise ValueError(
                    f"backward from shape {self.shape}: reduce it to one number first (.sum(), .mean()), "
                    "or pass the cotangent, backward(seed)"
                )
            return np.ones(self.shape, self.dtype)
        array: Array = np.array(as_array(seed, "backward"), dtype=self.dtype)
        if array.shape != self.shape:
            raise ValueError(f"the seed of shape {array.shape} should have this Tensor's shape {self.shape}")
        return array

    def _refuse(self, node: Node, array: Array) -> NoReturn:
        name = next((f" ({x.label})" for x in node.parents if x.label and x._raw is array), "")
        raise RuntimeError(
            f"an operand of {node.op.name}, an array of shape {array.shape}{name}, changed after the operation was "
            "recorded, so the gradient would be wrong: run forward again, or change it after backward"
        )

    def _receive(self, cotangent: Any, upstream: Any) -> None:
        """Take a contribution to the gradient; `upstream` is the gradient that it was computed from.

        A leaf's gradient is an array that nobody else has. Most cotangents were made for this leaf alone, and are not
        copied.
        """
        if self.grad is not None:
            self.grad = self.grad + cotangent
        elif self.op is not None or (
            cotangent is not upstream and cotangent.base is None and cotangent.flags.writeable
        ):
            self.grad = cotangent
        else:
            self.grad = np.array(cotangent)

    def _cotangents(self, g: Any, live: bool) -> Sequence[Any]:
        op, operands, needs = self.op, self.operands, self._needs
        if not live:
            return op.vjp(g, needs, self._raw, numbers(operands), self.params)  # type: ignore[no-any-return]
        if isinstance(op, Fused):  # what it is composed of knows higher orders
            variables = [x for x, need in zip(operands, needs, strict=True) if need]
            with recording():
                composed = op.composition(*operands, **self.params)
            found = iter(cotangents([composed], [g], variables, live))
            return [next(found) if need else None for need in needs]
        return op.vjp(g, needs, self, operands, self.params)  # type: ignore[no-any-return]

    # ------------------------------------------------------------------------------------------------- recording

    @classmethod
    def _apply(cls, op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        operands = tuple(inputs)
        if {*map(type, operands)} != {Tensor}:
            dtype = next(x._raw.dtype for x in operands if isinstance(x, Tensor))
            operands = tuple([x if isinstance(x, Tensor) else operand(x, op, dtype, i) for i, x in enumerate(inputs)])
        arrays = numbers(operands)
        if op.saves:
            params = {**params, "saved": []}
        try:
            with np.errstate(all="ignore"):
                data = np.asarray(op.forward(*arrays, **params))
        except (ValueError, IndexError, TypeError) as error:
            raise explained(error, op, arrays, params) from None
        if True in [data is x for x in arrays]:
            data = data.view()
        return Tensor._record(op, operands, params, data)

    @staticmethod
    def _record(op: Op, operands: tuple[Any, ...], params: dict[str, Any], data: Array) -> Tensor:
        """The node of an operation that has been computed: nobody can write to its array.

        What is computed from constants and frozen Tensors alone is constant itself. Without recording, everything is.
        """
        data.setflags(write=False)
        out: Tensor = object.__new__(Tensor)
        out._raw, out._label = data, ""
        out._become_leaf()
        needs = tuple([isinstance(x, Tensor) and not isinstance(x, Frozen) for x in operands])
        if modes.recording:
            if any(needs):
                out.op, out.operands, out.params, out._needs = op, operands, params, needs
                out.parents = tuple([x for x in operands if isinstance(x, Tensor)])
                out._saved = save([operands[i] for i in op.read_by(needs)])
            else:
                out.__class__ = frozen(Tensor)
            if modes.watch is not None:
                modes.watch.record(out, op, operands)
        return out

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
        if modes.recording or self.op is not None:
            return row.apply((self, other), {})  # type: ignore[no-any-return]
        self.data = row.forward(self._raw, operand(ops.detach(other), row, self._raw.dtype, 1))
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
        return f"Tensor({np.array2string(self._raw, separator=', ', prefix='Tensor(')}{dtype}{label})"


elsewhere(Tensor, OF_TENSORS)


def numbers(operands: Sequence[Any]) -> list[Any]:
    """What the operands hold: a Tensor's array, a constant itself."""
    return [x._raw if isinstance(x, Tensor) else x for x in operands]


def explained(error: Exception, op: Op, arrays: Sequence[Any], params: dict[str, Any]) -> Exception:
    """NumPy's complaint with the operation, the shapes and the parameters."""
    shapes = " and ".join(str(np.shape(x)) for x in arrays)
    extra = "".join(f", {key}={x!r:.60}" for key, x in params.items() if key != "saved")
    return type(error)(f"{op.name} of shape{'s' * (len(arrays) > 1)} {shapes}{extra}: {error}")


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
