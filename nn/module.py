"""`Module`: an object with parameters, which are found by walking its attributes.

A parameter is a leaf `Value` or `Tensor` that can be reached through attributes, lists, tuples and dictionaries of a
module. Its name is the path to it: ``layers.0.neurons.1.w.2``. Plain numbers and arrays are constants, not parameters.
A path must be unique: if a dictionary has the keys 1 and "1", asking for paths raises ValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import Signature, signature
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np

from autograd import Tensor, Value
from autograd.explaining.naming import MODULES
from nn.support.arrays import Array, check_state, mismatch
from nn.support.names import elsewhere, present

if TYPE_CHECKING:
    from nn.summary import Summary

Parameter: TypeAlias = Value | Tensor


class _Signature:
    """The `__signature__` of each class of modules: how its `__init__` is called."""

    def __get__(self, module: Any, kind: Any) -> Signature:
        if module is not None:
            raise AttributeError("__signature__")  # the signature of a module is that of its __call__
        if kind.__init__ is object.__init__:
            return Signature()
        found = signature(kind.__init__)
        return found.replace(parameters=list(found.parameters.values())[1:])


class Module:
    """Base class of layers and networks: subclass it, set attributes, define ``__call__`` (or ``forward``).

    There is no need to call ``super().__init__()``.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.w, self.b = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.w * x + self.b
    >>> line = Line()
    >>> line(3.0).data, list(line.state_dict().items())
    (7.0, [('w', 2.0), ('b', 1.0)])
    """

    training: bool = True
    buffers: ClassVar[tuple[str, ...]] = ()
    """The attributes with arrays that are saved but not trained, such as running means. A class lists its own."""

    if not TYPE_CHECKING:  # type checkers read the arguments of `__init__`
        __signature__ = _Signature()

        def __new__(cls, *args, **kwargs):
            """Register the module, so that drawings can name its parameters. An `__init__` need not call `super()`."""
            make = super().__new__
            if make is not object.__new__:  # another base class, such as dict, has its own
                module = make(cls, *args, **kwargs)
            elif cls.__init__ is object.__init__ and (args or kwargs):
                raise TypeError(f"{cls.__name__}() takes no arguments")
            else:
                module = make(cls)
            MODULES[id(module)] = module
            return module

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its path, once, in the order in which the attributes were set.

        Raises ValueError, before it gives the first, if two parameters have the same path.

        >>> twins = Module()
        >>> twins.table = {1: Value(0.0), "1": Value(0.0)}
        >>> twins.named_parameters()
        Traceback (most recent call last):
        ValueError: .table[1] and .table['1'] both have the path 'table.1': rename one of them
        """
        return _named(self, PARAMETERS, prefix)

    def parameters(self) -> list[Parameter]:
        """Every parameter, once, in the order in which the attributes were set."""
        return [parameter for _, parameter in _found(self, PARAMETERS, step=_nameless)]

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Array]]:
        """Every array that is saved but not trained, with its path, once: those that classes list in `buffers`.

        >>> from nn import BatchNorm1d
        >>> [path for path, _ in BatchNorm1d(2).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return ((path, getattr(module, name)) for path, module, name in _buffers(self, prefix))

    def named_generators(self, prefix: str = "") -> Iterator[tuple[str, np.random.Generator]]:
        """Every random generator with its path, once. Generators are the state of a network besides its parameters.

        Raises ValueError if two of them have the same path.

        >>> from nn import Dropout
        >>> [path for path, _ in Dropout(0.5).named_generators()]
        ['rng']
        """
        return _named(self, np.random.Generator, prefix)

    def modules(self) -> Iterator[Module]:
        """This module and all modules inside it."""
        return (found for _, found in _walk(self, "", _dotted) if isinstance(found, Module))

    def named_parts(self) -> Iterator[tuple[str, Any]]:
        """Everything in this module with its path, itself first: modules, containers, parameters, constants."""
        return _walk(self, "", _dotted)

    def summary(self, x: Any = None) -> Summary:
        """A table of the layers: their kinds, shapes and numbers of parameters, and which are frozen.

        Args:
            x: the shape of one sample, such as ``784`` or ``(28, 28)``, or an input. It adds the output shapes.

        Printing it gives text; a notebook shows a table. Shared parameters count once. With `x`, a copy of the model
        runs in evaluation mode. The model and its random generators are unchanged.

        >>> from nn import dense
        >>> print(dense(784, 100, 10).summary(784))
        Sequential
        layer     kind              weights               output        parameters
        layers.0  Linear(784, 100)  (784, 100) + (100,)  (batch, 100)      78,500
        layers.1  ReLU()                                  (batch, 100)
        layers.2  Linear(100, 10)   (100, 10) + (10,)     (batch, 10)        1,010
        79,510 parameters (318,040 bytes)
        """
        from nn.summary import summary

        return summary(self, x)

    def zero_grad(self) -> None:
        """Clear the gradients: 0.0 on Values, None on Tensors."""
        for p in self.parameters():
            p.grad = p.empty_grad

    def train(self, mode: bool = True) -> Self:
        """Switch this module and those inside it to training mode, in which dropout is active. Returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode. Returns the module."""
        return self.train(False)

    def freeze(self) -> Self:
        """Stop training the parameters of this module, until `unfreeze`. Returns the module.

        Frozen parameters get no gradient. No optimiser changes them: not one that was made before, nor one with
        momentum or weight decay. ``p.requires_grad = False`` freezes a single parameter. State dicts and checkpoints
        hold only the numbers: freeze again after loading.

        >>> from nn import MLP
        >>> model = MLP(2, [3, 1])
        >>> frozen = model.layers[0].freeze()
        >>> [p.requires_grad for p in model.parameters()].count(True)
        4
        """
        for p in self.parameters():
            p.requires_grad = False
        return self

    def unfreeze(self) -> Self:
        """Train the parameters of this module again. Returns the module."""
        for p in self.parameters():
            p.requires_grad = True
        return self

    def state_dict(self) -> dict[str, Any]:
        """By path the numbers of every parameter, floats of Values and copies of Tensors' arrays, and the buffers."""
        found = {path: p.data if isinstance(p, Value) else np.array(p.detach()) for path, p in self.named_parameters()}
        return found | {path: np.array(x) for path, x in self.named_buffers()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the numbers of a state dict.

        All keys, shapes and dtypes must match. Otherwise a ValueError lists all differences, and the module is
        unchanged.

        >>> from nn import Linear
        >>> Linear(2, 1).load_state_dict({"weight": np.zeros((2, 2), np.float32)})
        Traceback (most recent call last):
        ValueError: the state does not fit this Linear, which is unchanged:
          weight: shape (2, 2), expected (2, 1)
          bias: missing
        """
        own = dict(self.named_parameters())
        complaints = [f"{path}: {reason}" for path, p in own.items() if (reason := _mismatch(p, path, state))]
        places = {path: (module, name) for path, module, name in _buffers(self)}
        for path, x in self.named_buffers():
            if reason := mismatch(state[path], np.shape(x), x.dtype) if path in state else "missing":
                complaints.append(f"{path}: {reason}")
        known = own.keys() | places.keys()
        complaints += [f"{path}: not a parameter of this module" for path in state if path not in known]
        check_state(self, complaints)
        for path, p in own.items():
            if isinstance(p, Value):
                p.data = state[path]
            else:  # keep the parameter's memory layout, whatever the layout of the state
                array = np.empty_like(p.detach())
                array[...] = state[path]
                p.data = array
        for path, (module, name) in places.items():
            setattr(module, name, np.array(state[path], getattr(module, name).dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        forward = getattr(type(self), "forward", None)  # PyTorch's name
        if forward is None:
            raise NotImplementedError(f"{type(self).__name__} does not define __call__: add def __call__(self, x)")
        return forward(self, *args, **kwargs)

    def __dir__(self) -> list[str]:
        return present(self, list(object.__dir__(self)))


elsewhere(
    Module,
    {
        "compile": "there is nothing to compile: nn.fit(model, (x, y), loss, optimizer, epochs=...)",
        "cpu": "arrays are in memory, there is no device to choose",
        "cuda": "arrays are in memory, there is no device to choose",
        "evaluate": "write nn.evaluate(model, x, y)",
        "fit": "write nn.fit(model, (x, y), loss, optimizer, epochs=...)",
        "forward": "call it: model(x)",
        "load": "write nn.checkpoint.load(model, path)",
        "predict": "write nn.predict(model, x)",
        "save": "write nn.checkpoint.save(model, path)",
        "to": "arrays are in memory, there is no device to choose; the dtype is an argument of a layer",
    },
)


@contextmanager
def mode(model: Any, *, training: bool) -> Iterator[None]:
    """Set training or evaluation mode inside this context. Each module's own mode returns after it.

    A callable that is not a module has no mode.

    >>> model = Module()
    >>> with mode(model, training=False):
    ...     model.training
    False
    >>> model.training
    True
    """
    before = [(module, module.training) for module in model.modules()] if isinstance(model, Module) else []
    try:
        for module, _ in before:
            module.training = training
        yield
    finally:
        for module, own in before:
            module.training = own


PARAMETERS = (Value, Tensor)


def _walk(found: Any, path: str, step: Callable[[str, Any, Any], str]) -> Iterator[tuple[str, Any]]:
    """Everything in a module, depth first; each module and container is entered once. `step` extends a path.

    Parameters have the order in which attributes were set, so a module comes before its parts. In the postorder of a
    graph it would come after them.
    """
    seen: set[int] = set()
    stack = [(path, found)]
    while stack:
        path, found = stack.pop()
        yield path, found
        if isinstance(found, PARAMETERS):  # most are
            continue
        if isinstance(found, Module):
            inside: Any = found.__dict__.items()
        elif isinstance(found, dict):
            inside = found.items()
        elif isinstance(found, list | tuple):
            inside = enumerate(found)
        elif isinstance(found, np.ndarray) and found.dtype == object:
            inside = ((".".join(map(str, i)), x) for i, x in np.ndenumerate(found))
        else:
            continue
        if id(found) not in seen:
            seen.add(id(found))
            stack.extend(reversed([(step(path, found, key), x) for key, x in inside]))


def _dotted(path: str, holder: Any, key: Any) -> str:
    """The path of the item with this key in a module or container."""
    return f"{path}.{key}" if path else str(key)


def _nameless(path: str, holder: Any, key: Any) -> str:
    """No path, where nobody asks for it."""
    return path


def _spelled(code: str, holder: Any, key: Any) -> str:
    """The path as Python code, in which different keys always differ."""
    if isinstance(holder, Module):
        return f"{code}.{key}" if key.isidentifier() else f"{code}.__dict__[{key!r}]"
    return f"{code}[{key.replace('.', ', ')}]" if isinstance(holder, np.ndarray) else f"{code}[{key!r}]"


def _found(
    module: Module, kinds: Any, prefix: str = "", step: Callable[[str, Any, Any], str] = _dotted
) -> Iterator[tuple[str, Any]]:
    """The objects of these kinds in a module, with their paths, each once. Of Values and Tensors, only leaves."""
    seen: set[int] = set()
    for path, found in _walk(module, prefix, step):
        if isinstance(found, kinds) and id(found) not in seen and getattr(found, "is_leaf", True):
            seen.add(id(found))
            yield path, found


def _buffers(module: Module, prefix: str = "") -> Iterator[tuple[str, Module, str]]:
    """Each buffer: its path, the module that has it, and its name there. None in its place is no buffer."""
    seen: set[int] = set()
    for path, found in _walk(module, prefix, _dotted):
        if isinstance(found, Module) and id(found) not in seen:
            seen.add(id(found))
            names = [name for name in found.buffers if getattr(found, name) is not None]
            yield from ((_dotted(path, found, name), found, name) for name in names)


def _named(module: Module, kinds: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """As `_found`, but raises ValueError if two have the same path, since a state dict would lose one of them."""
    pairs = list(_found(module, kinds, prefix))
    places: dict[str, int] = {}
    for i, (path, _) in enumerate(pairs):
        if (j := places.setdefault(path, i)) != i:
            codes = [code for code, _ in _found(module, kinds, step=_spelled)]
            raise ValueError(f"{codes[j]} and {codes[i]} both have the path {path!r}: rename one of them")
    return iter(pairs)


def _mismatch(p: Parameter, path: str, state: Mapping[str, Any]) -> str:
    """Why the state's entry does not fit this parameter; empty if it does."""
    dtype = p.dtype if isinstance(p, Tensor) else None
    return mismatch(state[path], p.shape, dtype) if path in state else "missing"
