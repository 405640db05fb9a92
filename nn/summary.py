"""`Summary`: a model as a table of its layers, with their shapes and parameters, as text and as HTML for notebooks.

`Module.summary` makes one. To find the output shapes, a copy of the model runs in evaluation mode, without a graph. The
model itself does not run, so it does not change.
"""

from __future__ import annotations

import copy
import html
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd import Tensor, Value, no_grad
from nn.layers import Sequential
from nn.module import Module, Parameter
from nn.neuron import Neuron
from nn.support.text import printable

Lines: TypeAlias = list[tuple[str, Any]]
"""Layers with their paths, in order: modules, and functions in a `Sequential`."""

SIZES = (2, 3)  # two batches of these lengths show which axis is the batch


class Row(NamedTuple):
    """A layer: its path, its kind, the shapes of its parameters and of its output, and the number of parameters.

    Parameters that an earlier layer shares are counted there. `state` is "frozen", "partly frozen", "shared" or "".
    """

    path: str
    kind: str
    weights: str
    output: str
    parameters: int
    state: str


HEADS = ("layer", "kind", "weights", "output", "parameters", "")


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """A model's layers, in order. Printing it gives a table. `trained` and `frozen` count the parameters."""

    model: str
    rows: list[Row]
    trained: int
    frozen: int
    size: int  # in bytes

    @property
    def parameters(self) -> int:
        """The number of parameters. Shared ones are counted once."""
        return self.trained + self.frozen

    @property
    def total(self) -> str:
        """The last line of the table."""
        parts = f": {self.trained:,} trained, {self.frozen:,} frozen" if self.frozen else ""
        return f"{self.parameters:,} parameters{parts} ({self.size:,} bytes)"

    def table(self) -> list[list[str]]:
        """The headings, and the cells of each line. Empty columns are left out."""
        body = [[*row[:4], f"{row.parameters:,}" if row.parameters else "", row.state] for row in self.rows]
        kept = [i for i in range(len(HEADS)) if i < 2 or any(cells[i] for cells in body)]
        return [[cells[i] for i in kept] for cells in [HEADS, *body]]

    def __str__(self) -> str:
        table = self.table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        aligned = [f">{w}" if head == "parameters" else f"<{w}" for w, head in zip(widths, table[0], strict=True)]
        lines = ["  ".join(f"{x:{how}}" for x, how in zip(line, aligned, strict=True)).rstrip() for line in table]
        return "\n".join([self.model, *lines, self.total])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = self.table()
        sides = ["right" if x == "parameters" else "left" for x in head]

        def line(cells: Sequence[str], tag: str) -> str:
            made = zip(cells, sides, strict=True)
            inner = "".join(f'<{tag} style="text-align:{side}">{html.escape(x)}</{tag}>' for x, side in made)
            return f"<tr>{inner}</tr>"

        rows = "".join(line(cells, "td") for cells in body)
        caption = f"<b>{html.escape(self.model)}</b>: {html.escape(self.total)}"
        return f"<p>{caption}</p><table><thead>{line(head, 'th')}</thead><tbody>{rows}</tbody></table>"


def summary(model: Module, x: Any = None) -> Summary:
    """See `Module.summary`."""
    lines = _lines(model)
    outputs = {} if x is None else _outputs(model, x)
    counted: set[int] = set()
    rows = []
    for path, layer in lines:
        own = _own(layer, lines)
        new = [p for p in own if id(p) not in counted]
        counted |= {id(p) for p in new}
        output = outputs.get(path, "not called" if outputs else "")
        rows.append(Row(printable(path), _kind(layer), _weights(own), output, _count(new), _state(own, new)))
    parameters = model.parameters()
    frozen = _count([p for p in parameters if not p.requires_grad])
    size = sum(8 if isinstance(p, Value) else p.detach().nbytes for p in parameters)
    return Summary(printable(type(model).__name__), rows, _count(parameters) - frozen, frozen, size)


# ----------------------------------------------------------------------------------------------------------- layers


def _lines(model: Module) -> Lines:
    """The layers that have a line in the table: functions, and modules that hold parameters or no other layers.

    A neuron has no line. It is counted in its layer.
    """
    found: Lines = list(model.named_parts())
    lists = {f"{path}.layers" if path else "layers" for path, x in found if isinstance(x, Sequential)}
    modules = [(path, x) for path, x in found if isinstance(x, Module)]
    alike = Counter((_front(path), type(x)) for path, x in modules)
    units = {
        id(x)
        for path, x in modules
        if x is not model and _of_values(x) and path.rpartition(".")[2].isdecimal()
        and (isinstance(x, Neuron) or alike[_front(path), type(x)] > 1)
    }  # fmt: skip
    lines = [
        (path, x)
        for path, x in found
        if (isinstance(x, Module) and id(x) not in units) or (_front(path) in lists and not isinstance(x, Module))
    ]
    return [(path, x) for path, x in lines if not _holds(path, lines) or _own(x, lines)]


def _holds(path: str, lines: Lines) -> bool:
    """True if there are lines for modules inside this path."""
    below = f"{path}." if path else ""
    return any(other != path and other.startswith(below) for other, _ in lines)


def _front(path: str) -> str:
    return path.rpartition(".")[0]


def _of_values(module: Module) -> bool:
    """True for a neuron of any class: its parameters are Values, and it has no modules inside."""
    parameters = module.parameters()
    return bool(parameters) and all(isinstance(p, Value) for p in parameters) and len(list(module.modules())) == 1


def _inside(layer: Any, lines: Lines) -> list[Module]:
    """The modules inside a layer that have lines of their own."""
    if not isinstance(layer, Module):
        return []
    listed = {id(x) for _, x in lines}
    return [x for x in layer.modules() if x is not layer and id(x) in listed]


def _own(layer: Any, lines: Lines) -> list[Parameter]:
    """The parameters of a layer, without those of layers inside it."""
    inner = {id(p) for x in _inside(layer, lines) for p in x.parameters()}
    return [p for p in layer.parameters() if id(p) not in inner] if isinstance(layer, Module) else []


def _kind(layer: Any) -> str:
    """A short description of a layer."""
    text = str(getattr(layer, "caption", "")).replace("→", ", ") or getattr(layer, "__name__", "") or repr(layer)
    fits = len(text) <= 40 and " at 0x" not in text and "\n" not in text
    return printable(text if fits else type(layer).__name__)


def _weights(own: Sequence[Parameter]) -> str:
    """The shapes of parameters, as text."""
    shapes = [str(p.shape) for p in own if isinstance(p, Tensor)]
    values = sum(isinstance(p, Value) for p in own)
    return " + ".join([*shapes, *([f"{values} Value{'s' * (values > 1)}"] if values else [])])


def _count(parameters: Sequence[Parameter]) -> int:
    """The number of numbers in these parameters."""
    return sum(p.size if isinstance(p, Tensor) else 1 for p in parameters)


def _state(own: Sequence[Parameter], new: Sequence[Parameter]) -> str:
    if own and not new:
        return "shared"
    frozen = sum(not p.requires_grad for p in own)
    return "" if not frozen else "frozen" if frozen == len(own) else "partly frozen"


# ----------------------------------------------------------------------------------------------------- output shapes


def _outputs(model: Module, x: Any) -> dict[str, str]:
    """The output shapes of the layers, by path. A copy of the model runs, on batches of two lengths if it can."""
    try:
        twin = copy.deepcopy(model).eval()
    except Exception as error:
        error.add_note(f"(summary runs a copy of the {type(model).__name__} on the input, and could not make one)")
        raise
    given: dict[str, list[Any]] = {}
    _watch(twin, given)
    states = random.getstate(), np.random.get_state()
    try:
        with no_grad():
            for inputs in (runs := _inputs(model, x)):
                twin(inputs)
    except Exception as error:
        error.add_note("(in summary: a shape is that of one sample, without the batch; an array is passed on as it is)")
        raise
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    return {path: _text(found[0], found[-1 if len(runs) > 1 else 0]) for path, found in given.items()}


def _inputs(model: Module, x: Any) -> list[Any]:
    """The inputs for the model: the given one, or zeros of a given shape (two batches; one sample for Values)."""
    whole = (int, np.integer)
    if isinstance(x, whole):
        x = (x,)
    if not (isinstance(x, tuple) and all(n is None or isinstance(n, whole) for n in x)):
        return [x]
    shape = tuple(int(n) for n in x[x[:1] == (None,) :])  # Keras writes None for the batch
    parameters = model.parameters()
    dtype = next((p.dtype for p in parameters if isinstance(p, Tensor)), np.dtype(np.float32))
    if parameters and all(isinstance(p, Value) for p in parameters):
        return [np.zeros(shape).tolist()]
    return [np.zeros((n, *shape), dtype) for n in SIZES]


def _watch(twin: Module, given: dict[str, list[Any]]) -> None:
    """Make the layers of a copy record their output shapes, by path.

    A layer with several paths records each call under the next of its paths.
    """
    lines = _lines(twin)
    holders = {path: x for path, x in twin.named_parts() if isinstance(x, Sequential)}
    for layer in {id(x): x for _, x in lines}.values():
        paths = [path for path, x in lines if x is layer]
        if isinstance(layer, Module):
            kind = type(layer)
            body = {"__call__": _noting(kind.__call__, paths, given), "__module__": kind.__module__}
            layer.__class__ = type(kind.__name__, (kind,), body)
        else:
            for path in paths:
                front, _, i = path.rpartition(".")
                holders[_front(front)].layers[int(i)] = _noting(layer, [path], given)


def _noting(call: Callable[..., Any], paths: list[str], given: dict[str, list[Any]]) -> Callable[..., Any]:
    calls = 0

    def noted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        out = call(*args, **kwargs)
        given.setdefault(paths[calls % len(paths)], []).append(_shape(out))
        calls += 1
        return out

    return noted


def _shape(out: Any) -> Any:
    """The shape of a result. For a tuple or dictionary of results it is a list of shapes."""
    if isinstance(out, dict):
        return [_shape(x) for x in out.values()]
    return [_shape(x) for x in out] if isinstance(out, tuple) else np.shape(out)


def _text(first: Any, second: Any) -> str:
    """The shapes of a result for two batches, as one text with "batch" for the length that differs."""
    if isinstance(first, list):
        return ", ".join(_text(a, b) for a, b in zip(first, second, strict=True))
    if len(first) != len(second):
        return "varies"
    return str(tuple(a if a == b else "batch" for a, b in zip(first, second, strict=True))).replace("'", "")
