"""Write a trained model as ONNX.

A model is a tree of operations (`nn.export.recording`). Each row of the operation table in it becomes a node of ONNX. A
row that ONNX lacks becomes the nodes of its formula, which is read from the table and not repeated here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import autograd
from autograd import Symbol
from nn.export.recording import (
    BATCH,
    ExportError,
    Expression,
    Recording,
    Size,
    check_name,
    described,
    questions,
    record,
)  # fmt: skip
from nn.support.extras import optional
from nn.support.files import PathLike, write

OPSET, IR_VERSION = 18, 8  # of December 2022; all current readers of ONNX support them
FAR = 2**63 - 1  # beyond the end of any axis

DIRECT = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "power": "Pow", "neg": "Neg", "abs": "Abs", "sign": "Sign",
    "reciprocal": "Reciprocal", "identity": "Identity", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "tanh": "Tanh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
    "sigmoid": "Sigmoid", "relu": "Relu", "maximum": "Max", "minimum": "Min", "where": "Where",
    "matmul": "MatMul",
}  # fmt: skip
"""Rows that are single operators of ONNX."""

COMPOSED: dict[str, Callable[..., Any]] = {
    "expm1": lambda x: autograd.exp(x) - 1,
    "log1p": lambda x: autograd.log(1 + x),
    "log2": lambda x: autograd.log(x) / math.log(2),
    "log10": lambda x: autograd.log(x) / math.log(10),
    "erfc": lambda x: 1 - autograd.erf(x),
    "hypot": lambda x, y: autograd.sqrt(x * x + y * y),
    "exp2": lambda x: autograd.exp(x * math.log(2)),
    "cbrt": lambda x: autograd.sign(x) * autograd.power(autograd.abs(x), 1 / 3),
    "copysign": lambda x, y: autograd.abs(x) * autograd.where(y < 0, -1.0, 1.0),
    "remainder": lambda x, y: (left := autograd.fmod(x, y)) + autograd.where(left * y < 0, y, 0.0),
}
"""Formulas for rows that ONNX lacks and that have no formula in the table."""

REDUCTIONS = {
    "sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
    "norm": "ReduceL2", "logsumexp": "ReduceLogSumExp",
}  # fmt: skip
QUESTIONS = {
    questions.less: "Less", questions.less_equal: "LessOrEqual", questions.greater: "Greater",
    questions.greater_equal: "GreaterOrEqual", questions.is_equal: "Equal", questions.not_equal: "Equal",
    questions.logical_and: "And", questions.logical_or: "Or", questions.logical_not: "Not",
}  # fmt: skip
"""Comparisons and logic; "not equal" is "equal", and then "not"."""
COMPARISONS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual", "==": "Equal", "and": "And",
               "or": "Or"}  # fmt: skip


def export_onnx(
    model: Callable[[Any], Any],
    path: PathLike,
    input_shape: int | Sequence[int] | None = None,
) -> Path:
    """Write a model as an ONNX file: one input "input" (batch, *input_shape), one output "output", any batch length.

    Args:
        model: any callable made of operations on a Tensor (batch, *input_shape): modules, functions, `Vectorized`
            programs. A model of scalars, such as `nn.MLP`, is vectorized. The model is exported in evaluation mode.
        path: the file, written whole or not at all.
        input_shape: the shape of one sample. By default it is derived from the first weights: (784,) for
            ``nn.dense(784, 100, 10)``.

    The numbers keep the dtype of the parameters, float32 or float64. An exception is GELU: onnxruntime computes Erf in
    float32 only. Returns the path.

    Raises ExportError, which names the operation, if the model cannot be exported, and ImportError without the package
    onnx.

    >>> import tempfile
    >>> from nn import dense
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(dense(4, 8, 3), Path(folder, "model.onnx")).name
    'model.onnx'
    """
    onnx = optional("onnx", "the format ONNX needs the package onnx", "pip install 'chainrule[export]'")
    written = _Graph(onnx, record(model, input_shape)).model(model)
    write(path, written.SerializeToString())
    return Path(path)


def dimension(n: Any) -> int | str:
    """A length as ONNX has it: a number, or a name."""
    return "batch" if n == BATCH else str(n) if isinstance(n, Size) else int(n)


class _Graph:
    """The nodes of an ONNX graph, added step by step. `row_NAME` writes a row that is not a single operator."""

    def __init__(self, onnx: Any, recording: Recording) -> None:
        self.onnx = onnx
        self.paths = recording.paths
        self.nodes: list[Any] = []
        self.constants: dict[Any, Any] = {}
        self.taken = {"input", "output"}
        self.first, self.last = recording.input, recording.output
        self.names = {self.first: "input"}
        for step in recording.steps:
            self.names[step] = self.write(step)

    def model(self, model: Any) -> Any:
        """The whole model, checked by ONNX."""
        helper = self.onnx.helper
        out = self.names[self.last]
        if self.nodes and self.nodes[-1].output[0] == out:
            self.nodes[-1].output[0] = "output"
        else:
            self.nodes.append(helper.make_node("Identity", [out], ["output"]))
        ends = [
            helper.make_tensor_value_info(name, self.kind(step.dtype), [dimension(n) for n in step.shape])
            for name, step in (("input", self.first), ("output", self.last))
        ]
        made = helper.make_model(
            helper.make_graph(
                self.nodes, type(model).__name__ or "model", ends[:1], ends[1:], list(self.constants.values())
            ),
            producer_name="chainrule",
            producer_version=autograd.__version__,
            doc_string=described(model)[:2000],
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        self.onnx.checker.check_model(made, full_check=True)
        return made

    def kind(self, dtype: Any) -> Any:
        """ONNX's number for a dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node. Returns the name of its result."""
        out = self.unique(f"{kind.lower()}_{len(self.nodes) + 1}")
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [out], out, **attributes))
        return out

    def unique(self, name: str) -> str:
        """A name that is unique in the graph. A parameter may be called "input", or "add_1"."""
        found, n = name, 1
        while found in self.taken:
            n += 1
            found = f"{name}_{n}"
        self.taken.add(found)
        return found

    def constant(self, data: Any, dtype: Any = np.int64, name: str = "") -> str:
        """The name of a constant array. Equal arrays are stored once."""
        array = np.ascontiguousarray(data, dtype).reshape(np.shape(data))
        key = (name, array.dtype, array.shape, array.tobytes())
        if key not in self.constants:
            name = self.unique(name or f"constant_{len(self.constants) + 1}")
            self.constants[key] = self.onnx.numpy_helper.from_array(array, name)
        return str(self.constants[key].name)

    def operand(self, x: Any, dtype: Any) -> str:
        """The name of an operand, converted to a dtype."""
        if not isinstance(x, Expression):
            return self.constant(x, dtype)
        if x.array is not None:
            return self.constant(x.array, dtype, self.paths.get(x, ""))
        name = self.names[x]
        return name if x.dtype == dtype else self.add("Cast", name, to=self.kind(dtype))

    def write(self, step: Expression) -> str:
        """Add the node or nodes of a step. Returns the name of the result."""
        op = step.op
        if isinstance(op, questions.Question):
            return self.question(step)
        check_name(op)
        operands, _ = step.arguments()  # the arrays of an index are no inputs of a node
        dtypes = [step.dtype] * len(operands)
        if op.name == "where":
            dtypes[0] = np.dtype(bool)
        elif op.name == "astype":
            dtypes = [x.dtype for x in operands]
        inputs = [self.operand(*pair) for pair in zip(operands, dtypes, strict=True)]
        if autograd.ops.ROWS.get(op.name) is not op and not hasattr(op, "is_formula"):
            _refuse(op, "it is an operation of your own: write it with autograd's operations")
        if op.name in REDUCTIONS:
            return self.reduction(step, *inputs)
        special = getattr(self, f"row_{op.name}", None)
        return special(step, *inputs) if special else self.elementwise(op, inputs, step.dtype)

    def question(self, step: Expression) -> str:
        """Add a comparison, logic, or the same numbers as a constant."""
        operands = step.operands
        if step.op is questions.constant:
            return self.operand(operands[0], step.dtype)
        if step.op is questions.as_float:
            return self.cast(self.operand(operands[0], np.dtype(bool)), step.dtype)
        if step.op not in QUESTIONS:
            _refuse(step.op, "ONNX has no such operator")
        dtype = np.result_type(*[x.dtype if isinstance(x, Expression) and not x.weak else x for x in operands])
        name = self.add(QUESTIONS[step.op], *(self.operand(x, dtype) for x in operands))
        return self.add("Not", name) if step.op is questions.not_equal else name

    def elementwise(self, op: Any, inputs: Sequence[str], dtype: Any) -> str:
        """Add an elementwise row: one operator, or the nodes of its formula."""
        check_name(op)
        if op.name in DIRECT:
            return self.add(DIRECT[op.name], *inputs)
        if op.name == "fmod":
            return self.add("Mod", *inputs, fmod=1)
        if op.name == "floordiv":
            return self.add("Floor", self.add("Div", *inputs))
        if op.name == "erf":  # onnxruntime has Erf in float32 only
            single = self.add("Erf", inputs[0] if dtype == np.float32 else self.cast(inputs[0], np.float32))
            return single if dtype == np.float32 else self.cast(single, dtype)
        rule = COMPOSED.get(op.name) or (op.value if getattr(op, "is_formula", False) else None)
        if rule is None:
            _refuse(op, "ONNX has no such operator, and the row is not a formula of others")
        return self.formula(rule(*(Symbol(str(i)) for i in range(len(inputs)))), inputs, dtype, {})

    def formula(self, s: Any, inputs: Sequence[str], dtype: Any, done: dict[int, str]) -> str:
        """Add the nodes of an expression, common parts once. A name in the expression is an index of `inputs`."""
        if id(s) not in done:
            parts = [self.formula(part, inputs, dtype, done) for part in s.parts]
            if not parts:
                name = inputs[int(s.head)] if isinstance(s.head, str) else self.constant(s.head, dtype)
            elif s.head == "!=":
                name = self.add("Not", self.add("Equal", *parts))
            elif isinstance(s.head, str):
                name = self.add(COMPARISONS[s.head], *parts)
            else:
                name = self.elementwise(s.head, parts, dtype)
            done[id(s)] = name
        return done[id(s)]

    def cast(self, x: str, dtype: Any) -> str:
        """The same numbers in another dtype."""
        return self.add("Cast", x, to=self.kind(dtype))

    def reduction(self, step: Expression, x: str) -> str:
        """Add a row that reduces axes."""
        axis, keep = step.params.get("axis"), step.params.get("keepdims", False)
        axes = list(range(len(np.shape(step.operands[0])))) if axis is None else list(axis)
        return self.add(REDUCTIONS[step.op.name], x, self.constant(axes), keepdims=int(keep))

    def row_linear(self, step: Expression, x: str, w: str, b: str) -> str:
        return self.add("Add", self.add("MatMul", x, w), b)

    def row_einsum(self, step: Expression, *inputs: str) -> str:
        return self.add("Einsum", *inputs, equation=step.params["subscripts"])

    def row_softmax(self, step: Expression, x: str) -> str:
        return self.add("Softmax", x, axis=self.single_axis(step))

    def row_log_softmax(self, step: Expression, x: str) -> str:
        return self.add("LogSoftmax", x, axis=self.single_axis(step))

    def single_axis(self, step: Expression) -> int:
        axis = step.params.get("axis", -1)
        if not isinstance(axis, int):
            _refuse(step.op, f"ONNX computes it along one axis, not {axis}")
        return axis

    def row_reshape(self, step: Expression, x: str) -> str:
        sizes = [-1 if isinstance(n, Size) else n for n in step.shape]
        if sizes.count(-1) > 1:
            _refuse(step.op, f"more than one length of its result {step.shape} depends on the batch length")
        return self.add("Reshape", x, self.constant(sizes))

    def row_broadcast_to(self, step: Expression, x: str) -> str:
        have = np.shape(step.operands[0])
        lengths = zip(step.shape[::-1], (*have[::-1], *[1] * len(step.shape)), strict=False)
        if any(isinstance(n, Size) and n != m for n, m in lengths):
            _refuse(step.op, "it repeats an array along the batch: let operations broadcast it instead")
        return self.add("Expand", x, self.constant([1 if isinstance(n, Size) else n for n in step.shape]))

    def row_transpose(self, step: Expression, x: str) -> str:
        return self.add("Transpose", x, perm=list(step.params["axes"]))

    def row_pad(self, step: Expression, x: str) -> str:
        pairs = np.broadcast_to(step.params["width"], (len(step.shape), 2))
        return self.add("Pad", x, self.constant(pairs.T.reshape(-1)))

    def row_sliding_window_view(self, step: Expression, x: str) -> str:
        """Windows along one axis after the other: an axis becomes two, and the second of these goes to the end."""
        (source,), params = step.operands, step.params
        ndim = len(source.shape)
        for i, k, s, d in zip(*(params[name] for name in ("axis", "window_shape", "stride", "dilation")), strict=True):
            if isinstance(source.shape[i], Size):
                _refuse(step.op, "its windows lie along the batch")
            x = self.add("Gather", x, self.constant(np.arange(step.shape[i])[:, None] * s + np.arange(k) * d), axis=i)
            ndim += 1
            x = self.add("Transpose", x, perm=[*(j for j in range(ndim) if j != i + 1), i + 1])
        return x

    def row_concatenate(self, step: Expression, *inputs: str) -> str:
        return self.add("Concat", *inputs, axis=step.params["axis"])

    def row_astype(self, step: Expression, x: str) -> str:
        return self.cast(x, step.dtype)

    def row_getitem(self, step: Expression, x: str) -> str:
        index, kinds = _full_index(step)
        cuts: list[tuple[int, int, int, int]] = []  # start, end, axis, step
        gone, new, axis, place = [], [], 0, 0
        for i, kind in zip(index, kinds, strict=True):
            if kind == "new":
                new.append(place)
            elif kind == "int":
                cuts.append((i, FAR if i == -1 else i + 1, axis, 1))
                gone.append(axis)
            elif kind == "slice" and i != slice(None):
                stride = 1 if i.step is None else i.step
                ends = (0, FAR) if stride > 0 else (FAR, -FAR - 1)
                start, end = (default if n is None else n for n, default in zip((i.start, i.stop), ends, strict=True))
                cuts.append((start, end, axis, stride))
            axis += kind != "new"
            place += kind != "int"
        if cuts:
            x = self.add("Slice", x, *(self.constant(column) for column in zip(*cuts, strict=True)))
        if "array" in kinds:
            at = kinds.index("array")
            x = self.add("Gather", x, self.constant(index[at].array), axis=at)
        if gone:
            x = self.add("Squeeze", x, self.constant(gone))
        return self.add("Unsqueeze", x, self.constant(new)) if new else x


def _full_index(step: Expression) -> tuple[list[Any], list[str]]:
    """An index with a part for every axis, and the kinds of its parts. Missing parts become full slices."""
    given = step.arguments()[1]["index"]
    index = list(given) if isinstance(given, tuple) else [given]
    kinds = [_kind_of_index(i) for i in index]
    if "" in kinds or kinds.count("array") > 1 or {"array", "int"} <= {*kinds} or {"array", "new"} <= {*kinds}:
        why = "whole numbers, slices, None and ..., or one array of whole numbers and slices"
        _refuse(step.op, f"its index {given!r:.80} is not of a kind that is exported: {why}")
    if "rest" not in kinds:
        index.append(...)
        kinds.append("rest")
    at, rest = kinds.index("rest"), step.operands[0].ndim - sum(kind in ("int", "slice", "array") for kind in kinds)
    index[at : at + 1], kinds[at : at + 1] = [slice(None)] * rest, ["slice"] * rest
    return index, kinds


def _kind_of_index(i: Any) -> str:
    """The kind of one part of an index; empty if it cannot be exported."""
    if i is None or i is ...:
        return "new" if i is None else "rest"
    if isinstance(i, slice):
        return "" if any(isinstance(n, Size) for n in (i.start, i.stop, i.step)) else "slice"
    if isinstance(i, Expression) and i.array is not None and i.dtype.kind in "iu":
        return "array"
    return "int" if type(i) is int else ""


def _refuse(op: Any, why: str) -> NoReturn:
    raise ExportError(f"{op.name} cannot be exported to ONNX: {why}")
