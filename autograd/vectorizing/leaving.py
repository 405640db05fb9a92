"""Programs that leave: for JAX as a pure function, for PyTorch as a module, and for both as a file of its own.

The text is what the trees give in that library. The library derives the gradients itself. So the program can go through
its transformations, onto its devices, and to as many machines as it knows to use.
"""

from __future__ import annotations

import base64
import importlib
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd.engine.tensor import Tensor
from autograd.files import replacing
from autograd.ops.arrays import as_array
from autograd.vectorizing.array_program import Array, ArrayProgram, leaves_of
from autograd.vectorizing.backward import Writer
from autograd.vectorizing.jax_text import JaxFunction
from autograd.vectorizing.names import unused
from autograd.vectorizing.sizes import NotLowerable as NotLowerable
from autograd.vectorizing.torch_text import TorchWriter
from autograd.vectorizing.tree import Expression, replaced

FEW = 40
"""Numbers of a constant that are written as such. More are packed."""

UNPACK = '''
def unpacked(text, dtype, shape):
    """An array from base64 text."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape).copy()
'''

HOLD = [
    '            *parts, name = name.split(".")',
    "            module = self",
    "            for part in parts:",
    "                if part not in dict(module.named_children()):",
    "                    module.add_module(part, torch.nn.Module())",
    "                module = module.get_submodule(part)",
    "            module.register_parameter(name, torch.nn.Parameter(torch.from_numpy(numbers)))",
]


class Leaving:
    """A program that is to be written elsewhere.

    Args:
        name: of the function.
        program: its trees.
        numbers: the parameters by their names elsewhere, in the order of the program.
        dtype: of the numbers.
        rebuild: gives the structure of the result from the outputs.
        batch: False takes the axis of the batch off.
        title: what the function is, for its docstring.
    """

    def __init__(
        self,
        name: str,
        program: ArrayProgram,
        numbers: Mapping[str, Array],
        dtype: np.dtype[Any],
        rebuild: Callable[[Sequence[str]], Any],
        batch: bool = True,
        title: str = "",
    ) -> None:
        name = re.sub(r"\W+", "_", name).strip("_")
        self.name = name if name.isidentifier() and name != "lambda" else "program"
        self.program, self.numbers, self.dtype, self.batch = program, numbers, dtype, batch
        self.result = rebuild([x.name + "[0]" * (not batch) for x in program.outputs])
        self.inputs = [x.name for x in program.inputs]
        self.paths = dict(zip([x.name for x in program.parameters], numbers, strict=True))
        self.title = title or f"{self.name}, a program that chainrule found in a function of scalars"

    # ---------------------------------------------------------------------------------------------------------- JAX

    def jax_source(self, own: bool) -> str:
        """The function as a module; with the numbers of the parameters if it is to be a file of its own."""
        writer = JaxFunction(self.program)
        writer.forward()
        taken = self.read(writer)
        lines = [
            f"def {self.name}({', '.join(['parameters', *self.inputs])}):",
            '    """A pure function, for jax.jit, jax.grad and jax.vmap."""',
            *[f'    {x} = parameters["{path}"]' for x, path in self.paths.items() if x in taken],
            *self.body(writer, "    "),
        ]
        return self.module([*writer.import_lines()], [*self.constants(taken), *self.parameters(own)], lines)

    def to_jax(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The function, and the parameters as arrays of JAX."""
        jnp = optional("jax.numpy", "to_jax makes a function of JAX", "pip install 'chainrule[jax]'")
        space: dict[str, Any] = {}
        exec(self.jax_source(own=False), space)
        return space[self.name], {name: jnp.asarray(x) for name, x in self.numbers.items()}

    # ------------------------------------------------------------------------------------------------------ PyTorch

    def torch_source(self, own: bool) -> str:
        """The module as a file; with the numbers of the parameters if it is to be a file of its own."""
        writer = TorchWriter(self.program)
        writer.forward()
        taken = self.read(writer)
        held = [x.name for x in self.program.constants if x.name in taken]
        lines = [
            f"class {self.kind}(torch.nn.Module):",
            '    """The program with its parameters."""',
            "",
            "    def __init__(self):",
            "        super().__init__()",
            "        for name, numbers in parameters().items():",
            *(HOLD if any("." in path for path in self.numbers) else [HOLD[-1].replace("module", "self", 1)]),
            *[f'        self.register_buffer("{x}", torch.from_numpy({x}), persistent=False)' for x in held],
            "",
            f"    def forward({', '.join(['self', *self.inputs])}):",
            *[f"        {x} = {self.held(path)}" for x, path in self.paths.items() if x in taken],
            *[f"        {x} = self.{x}" for x in held],
            *self.body(writer, "        "),
        ]
        imports = dict.fromkeys(["import torch", *writer.import_lines()])
        return self.module([*imports], [*self.constants(taken), *self.parameters(own)], lines)

    @staticmethod
    def held(path: str) -> str:
        """A parameter of the module: `self.w1`, or one of a part of it."""
        return f'self.get_parameter("{path}")' if "." in path else f"self.{path}"

    @property
    def kind(self) -> str:
        """The name of the class."""
        return "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))

    def to_torch(self) -> Any:
        """The module, with the numbers of the parameters."""
        optional("torch", "to_torch makes a module of PyTorch", "pip install 'chainrule[torch]'")
        space: dict[str, Any] = {"parameters": lambda: {name: x.copy() for name, x in self.numbers.items()}}
        exec(self.torch_source(own=False), space)
        return space[self.kind]()

    # --------------------------------------------------------------------------------------------------------- texts

    def read(self, writer: Writer) -> set[str]:
        """The names that the lines read, and those that the result is."""
        inside = {leaf.name for _, value in self.program.statements for leaf in leaves_of(value)}
        return writer.read | inside

    def body(self, writer: Writer, indent: str) -> list[str]:
        """The lines of the function."""
        ones = [] if self.batch else [f"{x} = {x}[None]" for x in self.inputs]
        return [f"{indent}{line}" for line in [*ones, *writer.lines, f"return {text_of(self.result)}"]]

    def constants(self, taken: set[str]) -> list[str]:
        """The lines that make the constants."""
        found = {x.name: x.array for x in self.program.constants if x.array is not None and x.name in taken}
        return [f"{name} = {packed(x.astype(self.dtype) if x.dtype.kind == 'f' else x)}" for name, x in found.items()]

    def parameters(self, own: bool) -> list[str]:
        """The lines of the function that gives the parameters' numbers."""
        if not own:
            return []
        items = [f'        "{name}": {packed(np.asarray(x))},' for name, x in self.numbers.items()]
        head = ["", "", "def parameters():", '    """The parameters by name, as arrays of NumPy."""', "    return {"]
        return [*head, *items, "    }"]

    def module(self, imports: list[str], numbers: list[str], lines: list[str]) -> str:
        """A module of these lines."""
        text = "\n".join(numbers)
        helpers = UNPACK if "unpacked(" in text else ""
        imports += ["import numpy as np"] * ("np." in text + helpers) + ["import base64", "import zlib"] * bool(helpers)
        head = f'"""{self.title}."""'
        parts = [head, "\n".join(sorted({*imports})), helpers.strip("\n"), text.strip("\n"), "\n".join(lines)]
        return "\n\n\n".join(part for part in parts if part) + "\n"


def of_tree(x: Expression, output: Expression, paths: Mapping[Expression, str], name: str, title: str) -> Leaving:
    """The tree of a model of one input as a program.

    `paths` are the parameters' names elsewhere. They may have dots. Other leaves are constants.
    """
    trees, taken = output.trees, {x.name}
    named: dict[Expression, Expression] = {}
    parameters: list[Expression] = []
    constants: list[Expression] = []
    numbers: dict[str, Any] = {}
    for leaf in leaves_of(output):
        if leaf is x:
            continue
        path = paths.get(leaf, "")
        free = unused(path.replace(".", "_") if path else f"c_{len(constants) + 1}", taken)
        taken.add(free)
        named[leaf] = trees.leaf(free, leaf.shape, leaf.dtype, moves=bool(path), array=None if path else leaf.array)
        (parameters if path else constants).append(named[leaf])
        if path:
            numbers[path] = leaf.array
    y = trees.leaf("y", output.shape, output.dtype)
    program = ArrayProgram([x], parameters, constants, [(y, replaced(output, named))], [y], {})
    dtype = next((array.dtype for array in numbers.values()), np.dtype(np.float32))
    text = title.replace('"', "'").replace("\\", "/")
    return Leaving(name, program, numbers, dtype, lambda names: names[0], title=text)


def text_of(result: Any) -> str:
    """The structure of a result as Python: the outputs are names.

    >>> text_of({"loss": "y1", "parts": ("y2", "y3")})
    "{'loss': y1, 'parts': (y2, y3,)}"
    """
    if isinstance(result, dict):
        return "{" + ", ".join(f"{key!r}: {text_of(x)}" for key, x in result.items()) + "}"
    if isinstance(result, tuple):
        return "(" + "".join(f"{text_of(x)}, " for x in result).rstrip() + ")"
    return str(result)


def packed(x: Array) -> str:
    """An array as Python: its numbers, or the text that `unpacked` takes.

    >>> packed(np.arange(3))
    "np.array([0, 1, 2], 'int64')"
    """
    if x.size <= FEW and np.isfinite(x).all():
        return f"np.array({x.tolist()!r}, '{x.dtype}')"
    text = base64.b64encode(zlib.compress(np.ascontiguousarray(x).tobytes())).decode()
    return f'unpacked("{text}", "{x.dtype.str}", {x.shape})'


def export(text: str, path: str | Path) -> Path:
    """Write a module to a file."""
    path = Path(path)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def load(tensors: Mapping[str, Tensor], given: Mapping[str, Any]) -> None:
    """Take numbers by name, from arrays of any library; ValueError with all that does not fit, and nothing is taken."""
    found = {name: as_array(x, f"the parameter {name!r}") for name, x in given.items() if name in tensors}
    wrong = [f"{name}: missing" for name in tensors if name not in found]
    wrong += [f"{name}: no parameter of this program" for name in given if name not in tensors]
    for name, x in found.items():
        if x.shape != tensors[name].shape:
            wrong.append(f"{name}: shape {x.shape}, expected {tensors[name].shape}")
    if wrong:
        raise ValueError("\n  ".join(["these parameters do not fit the program, which is unchanged:", *wrong]))
    for name, x in found.items():
        tensors[name].data = x


def optional(module: str, need: str, remedy: str) -> Any:
    """A module of an optional package, or an ImportError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{need}: {remedy}") from error
