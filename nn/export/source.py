"""Write a trained model as one Python file that imports only the standard library.

A model is a tree of operations (`nn.export.recording`). The file computes one sample, so a batch of rows becomes a
list of numbers. The formulas of elementwise operations are read from the operation table. This module has only the
functions on lists (sums of products, softmax), and the results where Python's `math` raises an error.
"""

from __future__ import annotations

import base64
import builtins
import keyword
import math
import operator
import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

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
from nn.support.files import PathLike, write

INLINE = ("add", "sub", "mul", "div", "neg", "abs", "where")  # written without a function of their own
FEW = 100  # arrays of at most this size are written as numbers, so that small networks are readable

RAISES = {
    "div": ("ZeroDivisionError", "x * copysign(inf, y) if x else nan"),
    "reciprocal": ("ZeroDivisionError", "copysign(inf, x)"),
    "exp": ("OverflowError", "inf"),
    "expm1": ("OverflowError", "inf"),
    "cosh": ("OverflowError", "inf"),
    "sinh": ("OverflowError", "copysign(inf, x)"),
    "log": ("ValueError", "nan if x < 0 else -inf"),
    "log2": ("ValueError", "nan if x < 0 else -inf"),
    "log10": ("ValueError", "nan if x < 0 else -inf"),
    "log1p": ("ValueError", "nan if x < -1 else -inf"),
    "sqrt": ("ValueError", "nan"),
    "sin": ("ValueError", "nan"),
    "cos": ("ValueError", "nan"),
    "tan": ("ValueError", "nan"),
    "asin": ("ValueError", "nan"),
    "acos": ("ValueError", "nan"),
    "exp2": ("OverflowError", "inf"),
    "arccosh": ("ValueError", "nan"),
    "arctanh": ("ValueError", "copysign(inf, x) if abs(x) == 1 else nan"),
    "floordiv": ("ZeroDivisionError", "x * copysign(inf, y) if x else nan"),
    "remainder": ("ZeroDivisionError", "nan"),
    "fmod": ("ValueError", "nan"),
    "power": ("(OverflowError, ValueError)", "nan if x < 0 and y % 1 else copysign(inf, x) if y % 2 == 1 else inf"),
}
"""For each row, the error that Python raises where IEEE 754 defines a result, and that result."""

LOGIC: dict[str, Callable[..., Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "&": operator.and_, "|": operator.or_, "~": lambda x: operator.eq(x, False),
}  # fmt: skip
"""Comparisons and logic by their signs."""

NOT_NEGATIVE = ("abs", "exp", "exp2", "hypot", "relu", "sigmoid", "softplus", "sqrt", "square")


def never_zero(s: Any) -> bool:
    """True if an expression cannot be 0: a number other than 0, or a sum of a positive number and a term of 0 or more.

    >>> x = Symbol("x")
    >>> never_zero(1 + autograd.exp(-x)), never_zero(1 - x)
    (True, False)
    """
    if s.number is not None:
        return bool(s.number)
    names = [getattr(part.head, "name", "") for part in s.parts]
    sums = getattr(s.head, "name", "") == "add"
    return sums and any((x.number or 0) > 0 for x in s.parts) and any(name in NOT_NEGATIVE for name in names)


LISTS = {
    "numbers": '''\
def numbers(x):
    """All numbers of nested sequences, in order."""
    for item in x:
        if hasattr(item, "__iter__"):
            yield from numbers(item)
        else:
            yield float(item)
''',
    "unpacked": '''\
def unpacked(text, kind):
    """Numbers from base64 text of little-endian float32 (f) or float64 (d)."""
    raw = base64.b64decode(text)
    return struct.unpack(f"<{len(raw) // struct.calcsize(kind)}{kind}", raw)
''',
    "rows": '''\
def rows(flat, n):
    """The numbers in rows of n."""
    return [flat[i : i + n] for i in range(0, len(flat), n)]
''',
    "dot": '''\
def dot(w, x, b=0.0):
    """The sum of the products of two lists, and b."""
    return sum(map(operator.mul, w, x), b)
''',
    "softmax": '''\
def softmax(x):
    """exp(x) divided by its sum. The largest is subtracted first, so that nothing overflows."""
    top = max(x)
    shares = [math.exp(v - top) for v in x]
    total = sum(shares)
    return [share / total for share in shares]
''',
    "log_softmax": '''\
def log_softmax(x):
    """The logarithm of softmax."""
    top = max(x)
    total = math.log(sum(math.exp(v - top) for v in x)) + top
    return [v - total for v in x]
''',
}
"""Functions on lists. A file gets those that it calls."""

TAKEN = {*keyword.kwlist, *dir(builtins), *LISTS, "base64", "copysign", "error", "found", "given", "inf", "math",
         "nan", "operator", "predict", "struct", "sys", *"bvwxyz"}  # fmt: skip
"""Names that a custom row cannot have in the file."""

HEAD = f'''

Written by chainrule {autograd.__version__}. `predict` is the network. Its weights are below.
Run as a command, this file prints the outputs for the numbers given as arguments, or on stdin.
"""

'''

COMMAND = """\
if __name__ == "__main__":
    given = sys.argv[1:] or sys.stdin.read().replace(",", " ").split()
    try:
        found = predict({given})
    except (TypeError, ValueError) as error:
        sys.exit(f"error: {{error}}")
    print({shown})
"""


def export_source(
    model: Callable[[Any], Any],
    path: PathLike | None = None,
    input_shape: int | Sequence[int] | None = None,
) -> str:
    """A model as the text of one Python file without dependencies. Its function ``predict(x)`` computes one sample.

    Args:
        model: any callable made of operations on a Tensor (batch, *input_shape): modules, functions, `Vectorized`
            programs. A model of scalars, such as `nn.MLP`, is vectorized. The model is exported in evaluation mode.
        path: a file to write, whole or not at all.
        input_shape: the shape of one sample. By default it is derived from the first weights: (784,) for
            ``nn.dense(784, 100, 10)``.

    `predict` takes a list of numbers (nested or not) and returns a list or one number. It computes in Python's floats,
    which are float64. As a command, ``python FILE 0.5 1.0``, the file prints the outputs for the given numbers, or for
    numbers on stdin.

    Raises ExportError, which names the operation, if an operation is not one on a list of numbers. `export_onnx`
    supports many more models.

    >>> from nn import MLP
    >>> neuron = MLP(2, [1])
    >>> neuron.layers[0].neurons[0].w[0].data, neuron.layers[0].neurons[0].w[1].data = 3.0, 4.0
    >>> file = {"__name__": "network"}
    >>> exec(export_source(neuron), file)
    >>> file["predict"]([10, 0.25])
    31.0
    """
    text = _File(record(model, input_shape)).text(model)
    if path is not None:
        write(path, text)
    return text


class _File:
    """The parts of the file, added step by step. `row_NAME` writes a row that is not elementwise."""

    def __init__(self, recording: Recording) -> None:
        self.paths = recording.paths
        self.functions: dict[str, str] = {}
        self.defined: dict[str, Any] = {}  # rows by name
        self.imported: set[str] = set()
        self.arrays: dict[Any, tuple[str, str]] = {}  # name and text, by path and contents
        self.lines: list[str] = []
        self.input, self.output = recording.input, recording.output
        self.names = {self.input: "x"}
        for step in recording.steps:
            if step.shape[:1] != (BATCH,) or any(isinstance(n, Size) for n in step.shape[1:]):
                _refuse(step.op, f"its result has the shape {step.shape}, which mixes samples")
            expression = self.write(step)
            if not expression.isidentifier():
                self.lines.append(f"h{len(self.lines) + 1} = {expression}")
                expression = f"h{len(self.lines)}"
            self.names[step] = expression

    def text(self, model: Any) -> str:
        """The text of the file."""
        predict = self.predict()
        code = "".join([*self.functions.values(), predict])
        arrays = "".join(text for _, text in self.arrays.values())
        modules = {"sys", *(name for name in ("base64", "math", "operator", "struct") if f"{name}." in code)}
        written_out = "".join(text for _, text in self.arrays.values() if "unpacked" not in text)
        names = self.imported | set(re.findall(r"\b(?:copysign|inf|nan)\b", code + written_out))
        title = "".join(c for c in described(model)[:500].replace("\n", " ") if c.isprintable() and c not in '"\\')
        title = " ".join(title.split())
        head = "\n".join(textwrap.wrap(f'"""{title}, as plain Python.', 118)) + HEAD
        head += "".join(f"import {name}\n" for name in sorted(modules))
        head += f"from math import {', '.join(sorted(names))}\n" * bool(names)
        given = "[float(item) for item in given]" if self.input.shape[1:] else "*given"
        shown = r'*found, sep="\n"' if self.output.shape[1:] else "found"
        command = COMMAND.format(given=given, shown=shown)
        return "\n\n".join(part for part in (head, *self.functions.values(), predict, arrays, command) if part)

    def predict(self) -> str:
        """The function for one sample. It first converts its argument to a list of numbers, or to one number."""
        shape, size = self.input.shape[1:], _size(self.input)
        takes, read = "one number", ["x = float(x)"]
        if shape:
            self.call("numbers")
            takes = f"a list of {size} numbers" + f", shape {shape}, nested or in that order" * (len(shape) > 1)
            error = f'    raise ValueError(f"predict takes {size} numbers, got {{len(x)}}")'
            read = ["x = list(numbers(x))", f"if len(x) != {size}:", error]
        gives = f"a list of {_size(self.output)}" if self.output.shape[1:] else "one number"
        steps, last = list(self.lines), self.names[self.output]
        if steps and steps[-1].startswith(f"{last} = "):
            last = steps.pop().removeprefix(f"{last} = ")
        said = f'"""The outputs for one sample: takes {takes}, returns {gives}."""'
        return "def predict(x):\n" + textwrap.indent("\n".join([said, *read, *steps, f"return {last}"]), "    ") + "\n"

    # ------------------------------------------------------------------------------------------------------- steps

    def write(self, step: Expression) -> str:
        """Write a step as an expression."""
        if isinstance(step.op, questions.Question):
            if step.op is questions.constant:
                return self.names[step.operands[0]]
            if step.op not in questions.ANSWERS.values():
                _refuse(step.op, "the file has no function on lists for it")
            return self.elementwise(step)
        check_name(step.op)
        special = getattr(self, f"row_{step.op.name}", None)
        if special is not None:
            return str(special(step))
        if not hasattr(step.op, "is_formula"):
            _refuse(step.op, "the file has no function on lists for it")
        return self.elementwise(step)

    def elementwise(self, step: Expression) -> str:
        """Write an elementwise row, as a comprehension if the operands are lists."""
        shape = step.shape[1:]
        letters = iter("vwyz")
        lanes: dict[str, str] = {}  # the lists of the comprehension, by the letter of their elements
        symbols: list[Any] = []
        for x in step.operands:
            if (data := known_numbers(x)) is not None:
                numbers = np.broadcast_to(data, (1, *_lengths(step))).reshape(-1)
                if data.size == 1 or not shape:
                    symbols.append(numbers[0].item())
                    continue
                source = self.array(numbers, self.path(x))
            elif x.shape == (BATCH, 1) != step.shape and len(shape) == 1:  # one number for the whole list
                symbols.append(Symbol(f"{self.names[x]}[0]"))
                continue
            elif x.shape != step.shape:
                _refuse(step.op, f"an operand of shape {x.shape} is broadcast to {step.shape}")
            else:
                source = self.names[x]
            known = [letter for letter, name in lanes.items() if name == source]
            letter = known[0] if known else next(letters) if shape else source
            lanes[letter] = source
            symbols.append(Symbol(letter))
        expression = self.expression(step.op, symbols)
        if not shape:
            return expression
        if len(lanes) == 1:
            ((letter, source),) = lanes.items()
            return f"[{expression} for {letter} in {source}]"
        return f"[{expression} for {', '.join(lanes)} in zip({', '.join(lanes.values())})]"

    def expression(self, op: Any, symbols: Sequence[Any]) -> str:
        """Write a row of these operands, and define the functions that it calls."""
        written = LOGIC[op.infix](*symbols) if isinstance(op, questions.Question) else op(*symbols)
        self.define_all(written)
        if op.name == "div" and not written.parts[1].number:  # Python's division raises only for a divisor of 0
            self.define(op)
            return f"div({', '.join(map(str, written.parts))})"
        return str(written)

    def define_all(self, s: Any) -> None:
        """Define the functions that an expression calls."""
        for part in s.parts:
            self.define_all(part)
        if not isinstance(s.head, str | float | int):
            check_name(s.head)
            if s.head.name not in INLINE:
                self.define(s.head)

    def define(self, op: Any) -> None:
        """Define a row as a function of the file."""
        first = self.defined.setdefault(op.name, op)
        taken = op.name in TAKEN and op is not autograd.ops.copysign
        if first is not op or taken or not re.fullmatch(r"(?!h\d+$)[A-Za-z_][A-Za-z0-9_]*", op.name):
            _refuse(op, "its name is not a Python name, or the file uses it for something else: rename it")
        row: Any = autograd.ops.ROWS.get(op.name)
        known = row is op and row.value.__module__ in ("math", "_operator")
        if not (op.is_formula or known):
            _refuse(op, "its value is not a formula of autograd's rows")
        if op.name in self.functions:
            return
        if op.value.__module__ == "math" and op.value.__name__ == op.name and op.name not in RAISES:
            self.imported.add(op.name)
            return
        names = "xyz"[: op.arity]
        if op.is_formula:
            written = op.value(*map(Symbol, names))
            self.define_all(written)
            result = str(written if op.name in RAISES else self.guarded(written))
        elif op.value.__module__ == "_operator":
            result = f"x {op.infix} y"
        else:
            result = f"math.{op.value.__name__}({', '.join(names)})"
        body = f"    return {result}\n"
        if op.name in RAISES:
            error, other = RAISES[op.name]
            body = f"    try:\n        return {result}\n    except {error}:\n        return {other}\n"
        self.functions[op.name] = f"def {op.name}({', '.join(names)}):\n{body}"

    def guarded(self, s: Any) -> Any:
        """The formula with `div` in place of Python's division where a divisor may be 0, which would raise an error."""
        if not s.parts:
            return s
        parts = tuple(map(self.guarded, s.parts))
        if getattr(s.head, "name", "") != "div" or never_zero(parts[1]):
            return Symbol(s.head, s.number, parts)
        self.define(s.head)
        return Symbol(f"div({parts[0]}, {parts[1]})")

    def call(self, name: str) -> None:
        """Add a function on lists to the file."""
        self.functions[name] = LISTS[name]

    def vector(self, step: Expression, x: Any) -> str:
        """The name of an operand that is one list for each sample."""
        if known_numbers(x) is not None or len(x.shape) != 2:
            _refuse(step.op, "the file takes one list of numbers a sample: flatten first")
        return self.names[x]

    def row_linear(self, step: Expression) -> str:
        x, w, *b = step.operands
        source = self.vector(step, x)
        data, biases = known_numbers(w), [known_numbers(item) for item in b]
        if data is None or any(item is None for item in biases):
            return _refuse(step.op, "its weights depend on the input")
        self.call("dot")
        if data.ndim == 1:
            return f"dot({self.array(data, self.path(w))}, {source})"
        if data.ndim != 2:
            _refuse(step.op, f"its weights have the shape {data.shape}")
        rows = self.array(data.T, self.path(w))
        if not b:
            return f"[dot(w, {source}) for w in {rows}]"
        bias = self.array(biases[0], self.path(b[0]))
        return f"[dot(w, {source}, b) for w, b in zip({rows}, {bias})]"

    row_matmul = row_linear

    def row_softmax(self, step: Expression) -> str:
        (x,) = step.operands
        if step.params.get("axis", -1) not in (-1, 1):
            _refuse(step.op, "the file computes it along the last axis only")
        self.call(step.op.name)
        return f"{step.op.name}({self.vector(step, x)})"

    row_log_softmax = row_softmax

    def row_reshape(self, step: Expression) -> str:
        (x,) = step.operands
        before, after = x.shape[1:], step.shape[1:]
        name = self.names[x]
        return name if bool(before) == bool(after) else f"[{name}]" if after else f"{name}[0]"

    def row_getitem(self, step: Expression) -> str:
        x, *arrays = step.operands
        index = step.params["index"]
        if arrays:
            _refuse(step.op, "the file has no lists of places")
        if x.shape == (BATCH,) and index in ((slice(None), None), (..., None)):
            return f"[{self.names[x]}]"
        source = self.vector(step, x)
        if isinstance(index, tuple) and len(index) == 2 and index[0] in (slice(None), ...):
            i = index[1]
            if isinstance(i, int):
                return f"{source}[{i}]"
            if isinstance(i, slice):
                return f"{source}[{':'.join('' if n is None else str(n) for n in (i.start, i.stop, i.step))}]"
        return _refuse(step.op, f"the index {index!r:.80} is not one number or one slice of each sample")

    # ------------------------------------------------------------------------------------------------------- arrays

    def path(self, x: Any) -> str:
        """The path of a parameter in the model; empty for other constants."""
        return self.paths.get(x, "") if isinstance(x, Expression) else ""

    def array(self, numbers: npt.NDArray[Any], path: str) -> str:
        """The name of a list, or a list of rows. The file holds equal ones once."""
        key = (path, numbers.shape, numbers.tobytes())
        if key not in self.arrays:
            wanted = name = _capitals(path) or "CONSTANT"
            others, n = {name for name, _ in self.arrays.values()}, 1
            while name in others:
                n += 1
                name = f"{wanted}_{n}"
            self.arrays[key] = name, f"{name} = {self.written(numbers)}\n"
        return self.arrays[key][0]

    def written(self, numbers: npt.NDArray[Any]) -> str:
        """The numbers as text: written out if there are few, else packed in base64."""
        if numbers.size <= FEW:
            if numbers.ndim == 1:
                return "\n    ".join(textwrap.wrap(str(numbers.astype(float).tolist()), 110))
            return "[\n" + "".join(f"    {self.written(row)},\n" for row in numbers) + "]"
        self.call("unpacked")
        kind = "f" if numbers.dtype == np.float32 else "d"
        lines = textwrap.wrap(base64.b64encode(numbers.astype(f"<{kind}").tobytes()).decode(), 118)
        packed = 'unpacked("""\n' + "\n".join(lines) + f'\n""", "{kind}")'
        if numbers.ndim == 1:
            return packed
        self.call("rows")
        return f"rows({packed}, {numbers.shape[1]})"


def _capitals(path: str) -> str:
    """A name for an array. It has ASCII capitals, digits and underscores, so no other name of the file equals it.

    Unicode letters are avoided, since Python treats some as equal ("A" and its full-width form) and refuses others.

    >>> _capitals("layers.0.weight"), _capitals("Ａ"), _capitals("0.x²")
    ('LAYERS_0_WEIGHT', 'A', '_0_X2')
    """
    name = re.sub("[^A-Z0-9_]", "_", unicodedata.normalize("NFKC", path).upper())
    return "_" * name[:1].isdigit() + name


def known_numbers(x: Any) -> Any:
    """The numbers of an operand that does not depend on the input; None of one that does."""
    return x.array if isinstance(x, Expression) else np.asarray(x)


def _lengths(step: Expression) -> tuple[int, ...]:
    """The shape of a sample."""
    return tuple(n for n in step.shape[1:] if isinstance(n, int))


def _size(step: Expression) -> int:
    """The number of numbers of a sample."""
    return math.prod(_lengths(step))


def _refuse(op: Any, why: str) -> NoReturn:
    raise ExportError(f"{op.name} cannot be exported as Python: {why} (export_onnx takes more kinds of models)")
