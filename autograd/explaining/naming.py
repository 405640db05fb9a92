"""Names of nodes, their roles, and the parts of the model that they belong to.

A name is the node's label, or else the attribute that holds it in a module: ``layers.0.neurons.1.w.2`` is ``w2``
there. Modules are noted when they are made, so nothing has to be labelled or handed over.

>>> from autograd import Value
>>> x, w, b, y = (Value(k, label) for k, label in enumerate(("x", "w", "b", "y")))
>>> names = Naming([(w * x + b - y) ** 2])
>>> [(names.name(node), names.role(node)) for node in (x, w, b, y)]
[('x', 'input'), ('w', 'param'), ('b', 'param'), ('y', 'target')]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from autograd import ops
from autograd.engine.graph import Node, postorder
from autograd.explaining.text import printable
from autograd.ops.rows import Elementwise, Linear

Chain = tuple[str, ...]
"""The titles of the parts that a node belongs to, the outermost first: ``("layers.0", "neurons.1")``."""

Clusters = Mapping[str, Any]
"""Parts by title. A part is a list of nodes, or a mapping of smaller parts."""

LOSS: Chain = ("loss",)
INPUTS: Chain = ("inputs",)
ROLES = ("param", "input", "target", "leaf", "computed", "loss")
INPUT_NAMES = re.compile(r"x|inputs?|in", re.I)
TARGET_NAMES = re.compile(r"y|t|targets?|labels?|true", re.I)
COMBINING = {ops.add, ops.sub, ops.mul, ops.sum}
ACTIVATIONS = {ops.relu, ops.leaky_relu, ops.elu, ops.gelu, ops.silu, ops.tanh, ops.sigmoid, ops.softplus}


MODULES: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""Every living module, by its id since it may have no hash. `nn.Module` enters each when it is made."""


def modules_alive() -> list[Any]:
    """The living modules that have Values or Tensors as parameters, without those that are part of another one."""
    inside: set[int] = set()
    whole = []
    for reference in MODULES.valuerefs():  # a list, since other threads may be making modules
        if (module := reference()) is None:
            continue
        with suppress(Exception):  # a module may be half made, or its class may define these methods otherwise
            inside.update(id(part) for part in module.modules() if part is not module)
            if isinstance(next(iter(module.named_parameters()), (None, None))[1], Node):
                whole.append(module)
    return [module for module in whole if id(module) not in inside]


def bracketed(path: str) -> str:
    """A path with the numbers at its end in brackets, as in Python.

    >>> bracketed("layers.0.neurons.1.w.2")
    'layers.0.neurons.1.w[2]'
    """
    front, index = split_path(path)
    return ".".join(front) + "".join(f"[{i}]" for i in index)


def split_path(path: str) -> tuple[list[str], list[str]]:
    """A path's attributes, and the numbers after the last of them. An attribute may be a number, too.

    >>> split_path("layers.0.neurons.1.w.2"), split_path("0"), split_path("0.1")
    ((['layers', '0', 'neurons', '1', 'w'], ['2']), ([], ['0']), ([], ['0', '1']))
    """
    front, index = path.split("."), list[str]()
    while front and front[-1].isdecimal():
        index.insert(0, front.pop())
    return front, index


class Naming:
    """Names, roles and parts of the nodes of a graph.

    Args:
        outputs: the results of the graph.
        model: the module or modules that own the parameters; by default all living ones.
        labels: names for nodes, for this view only. ``labels=locals()`` names nodes after the program's variables,
            except those that begin with an underscore.
        clusters: parts by title, each a list of nodes or a mapping of parts. They take precedence over modules.
        roles: nodes by role ("param", "input", "target"), for nodes whose role cannot be inferred.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        model: Any = None,
        labels: Mapping[str, Any] | None = None,
        clusters: Clusters | None = None,
        roles: Mapping[str, Iterable[Node]] | None = None,
    ) -> None:
        self.outputs = list(outputs)
        self.nodes = postorder(self.outputs, left_first=True)
        self.uses = Counter(map(id, self.outputs))  # by id: how often a node is an operand or an output
        self.uses.update(id(x) for node in self.nodes for x in node.parents)
        named = {k: x for k, x in (labels or {}).items() if isinstance(x, Node)}
        self.labels = {id(x): text for k, x in named.items() if not (text := printable(k)).startswith("_")}
        self.paths: dict[int, str] = {}
        self.parts: dict[Chain, Any] = {}  # the module of each chain
        self._chains: dict[int, Chain] = {}
        self._roles: dict[int, str] = {}
        leaves = {id(x) for x in self.nodes if x.is_leaf}
        given = modules_alive() if model is None else model if isinstance(model, (list, tuple)) else [model]
        owners = [(m, mine) for m in given if (mine := [(n, p) for n, p in m.named_parameters() if id(p) in leaves])]
        if model is None and len(owners) > 1:  # sorted by first use
            self._sort(owners)
        for k, (module, mine) in enumerate(owners, 1):
            self._own(module, mine, f"{printable(type(module).__name__)} {k}" if len(owners) > 1 else "")
        self.modular = bool(owners or clusters)
        for chain, node in flat(clusters or {}):
            self._chains[id(node)] = chain
        for role, members in (roles or {}).items():
            if role not in ROLES:
                raise ValueError(f"the role of a node is one of {', '.join(ROLES)}, not {role!r}")
            self._roles.update((id(node), role) for node in members)
        self._inferred = False

    def label(self, node: Node) -> str:
        """The name that the user gave, in printable characters."""
        return printable(node.label) or self.labels.get(id(node), "")

    def name(self, node: Node) -> str:
        """The label, or the attribute's name with its index; empty if there is neither."""
        if (label := self.label(node)) or id(node) not in self.paths:
            return label
        front, index = split_path(self.paths[id(node)])
        return front[-1] + "_".join(index) if front else bracketed(self.paths[id(node)])

    def full_name(self, node: Node) -> str:
        """The label, or the whole path, which is unique."""
        return self.label(node) or bracketed(self.paths.get(id(node), ""))

    def role(self, node: Node) -> str:
        """The node's role: one of `ROLES`."""
        self._infer()
        return self._roles[id(node)]

    def chain(self, node: Node) -> Chain:
        """The parts that the node belongs to, the outermost first."""
        self._infer()
        return self._chains.get(id(node), ())

    def title(self, chain: Chain) -> str:
        """The title of a part: its path, and a summary of its module."""
        module = self.parts.get(chain)
        return chain[-1] if module is None else f"{chain[-1]} · {summary(module)}"

    # ------------------------------------------------------------------------------------------------- inference

    def _sort(self, owners: list[tuple[Any, list[tuple[str, Node]]]]) -> None:
        first: dict[int, int] = {}
        for k, node in enumerate(self.nodes):
            for x in node.parents:
                if x.is_leaf:
                    first.setdefault(id(x), k)
        owners.sort(key=lambda owner: min(first.get(id(node), 0) for _, node in owner[1]))

    def _own(self, module: Any, parameters: Sequence[tuple[str, Node]], prefix: str) -> None:
        for path, node in parameters:
            chain: Chain = (prefix,) if prefix else ()
            if prefix:
                self.parts[chain] = module
            part, pending = module, []
            for key in path.split(".")[:-1]:
                try:
                    part = step_into(part, key)
                except (LookupError, AttributeError, ValueError):  # for instance a key that has a dot in it
                    break
                pending.append(key)
                if hasattr(part, "named_parameters"):
                    chain = (*chain, printable(".".join(pending)))
                    self.parts[chain] = part
                    pending = []
            self.paths[id(node)] = printable(f"{prefix}.{path}" if prefix else path)
            self._roles[id(node)] = "param"
            self._chains[id(node)] = chain or (summary(module),)

    def _infer(self) -> None:
        """Infer the roles of the other leaves, and the parts of computed nodes. It visits all nodes, on first use."""
        if self._inferred:
            return
        self._inferred = True
        done: set[int] = set()  # nodes that end a part: its activations
        feeding: set[int] = set()  # nodes that reach the parameters of a part further on
        if self.modular:
            for node in reversed(self.nodes):
                if id(node) in feeding or any(id(x) in self._chains for x in node.parents if x.is_leaf):
                    feeding.update(map(id, node.parents))
        for node in self.nodes:
            if node.is_leaf:
                self._roles.setdefault(id(node), self._leaf_role(node))
                continue
            self._roles.setdefault(id(node), "computed")
            if id(node) not in self._chains and self.modular:
                chain, finished = self._computed_chain(node, done, id(node) in feeding)
                if chain:
                    self._chains[id(node)] = chain
                if finished:
                    done.add(id(node))
        for node in self.outputs:
            if not node.is_leaf and self._roles[id(node)] == "computed":
                self._roles[id(node)] = "loss"
        if self.modular:
            for node in self.nodes:
                if self._roles[id(node)] == "input":
                    self._chains.setdefault(id(node), INPUTS)

    def _leaf_role(self, node: Node) -> str:
        letters = re.sub(r"[\d_₀-₉]+$", "", self.label(node))
        if INPUT_NAMES.fullmatch(letters):
            return "input"
        if TARGET_NAMES.fullmatch(letters):
            return "target"
        if self.paths:  # the parameters are known, and this is not one of them; `_computed_chain` decides
            return "leaf"
        return "param" if letters else "leaf"

    def _computed_chain(self, node: Node, done: set[int], feeds: bool) -> tuple[Chain, bool]:
        """The part that a computed node belongs to, and whether it is the last node of the part."""
        parents = node.parents
        own = [x for x in parents if self._roles[id(x)] == "param" and id(x) in self._chains]
        others = [x for x in parents if not x.is_leaf]
        loose = [x for x in parents if self._roles[id(x)] in ("leaf", "target")]
        if own and len(own) < len(node.operands):  # parameters meet data: a part begins here
            self._roles.update((id(x), "input") for x in loose if self._roles[id(x)] == "leaf")
            return self._chains[id(own[-1])], False
        for x in loose:
            if self._roles[id(x)] == "leaf" and others:
                self._roles[id(x)] = "target"
                self._chains.setdefault(id(x), LOSS)
        chains = {self._chains.get(id(x), ()) for x in others}
        known = {chain for chain in chains if chain and chain not in (LOSS, INPUTS)}
        if len(chains) == 1 and known and not loose and not any(id(x) in done for x in others):
            if node.op in COMBINING and len(parents) == len(node.operands):
                return known.pop(), False
            if node.op in ACTIVATIONS or (feeds and isinstance(node.op, Elementwise)):
                return known.pop(), True
            if feeds and isinstance(node.op, Linear):  # for instance a reshape
                return known.pop(), False
        return (LOSS, False) if not feeds and (chains - {(), INPUTS} or own) else ((), False)


def flat(clusters: Clusters, above: Chain = ()) -> Iterator[tuple[Chain, Node]]:
    """Every node of nested clusters with the titles above it."""
    for title, inside in clusters.items():
        chain = (*above, printable(title))
        if isinstance(inside, Mapping):
            yield from flat(inside, chain)
        else:
            yield from ((chain, node) for node in inside)


def step_into(x: Any, key: str) -> Any:
    """An attribute, or an item of a list, a tuple or a dictionary."""
    if isinstance(x, Mapping):
        return x[key] if key in x else x[int(key)]
    return x[int(key)] if isinstance(x, (list, tuple)) else getattr(x, key)


def summary(module: Any) -> str:
    """A short description of a module."""
    text = str(getattr(module, "caption", "") or repr(module))
    fits = len(text) <= 40 and "\n" not in text and " at 0x" not in text
    return printable(text if fits else type(module).__name__)
