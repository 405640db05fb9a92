"""Programs of Values as data, which both forms of `Value` run: see test_forms.py.

A program is a list of steps. Each makes a node, or does something to those made so far. The results are written as
hexadecimal digits, so that equal means equal to the last bit. Run as a script, it reads a program a line, and writes
its results.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def written(x):
    """A number to the last bit. All nans are alike."""
    return "None" if x is None else "nan" if math.isnan(x) else float(x).hex()


def operand(x, nodes):
    """What stands for an operand: the number of a node, a float in hexadecimal digits, or an int."""
    return float.fromhex(x) if isinstance(x, str) else nodes[x] if x >= 0 else -x


def apply(row, operands):
    """Apply a row by its operator or its method, as programs do; by its name if it has neither."""
    from autograd import Value
    from autograd.ops.operators import method_names

    names = method_names(row)
    if names and isinstance(operands[0], Value):
        return getattr(operands[0], names[0])(*operands[1:])
    return getattr(operands[1], names[1])(operands[0]) if len(names) == 2 else row(*operands)


def step(kind: str, arguments: list[Any], nodes: list[Any]) -> Any:
    """One step of a program; the node that it makes, if it makes one."""
    import autograd
    from autograd import Value, ops

    if kind == "function":  # the row as a function, which takes the general path
        name, *arguments = arguments
        return ops.ROWS[name](*[operand(x, nodes) for x in arguments])
    given = [operand(x, nodes) for x in arguments]
    if kind == "leaf":
        return Value(*given)
    if kind == "constant":  # a result without a graph
        with autograd.no_grad():
            return given[0] * 1.5 + given[-1]
    if kind == "dot":
        n = len(given) // 2
        return autograd.dot(given[:n], given[n : 2 * n], *given[2 * n :])
    if kind == "sum":
        return autograd.sum(given)
    if kind == "by hand":
        return by_hand(*given)
    if kind == "partials":
        return Value(given[0].data * 3.0, (given[0], given[0]), (1.0, 2.0))
    if kind == "label":
        given[0].label = "named"
    elif kind == "freeze":
        given[0].requires_grad = False
    elif kind == "thaw":
        given[0].requires_grad = True
    elif kind == "set":
        given[0].data = given[1]
    elif kind == "empty":
        given[0].grad = None
    elif kind == "grad":
        given[0].grad = given[1]
    elif kind == "backward":
        given[0].backward()
    else:
        return apply(ops.ROWS[kind], given)
    return None


def by_hand(x):
    """An operation as micrograd's programs write it."""
    from autograd import Value

    out = Value(x.data * x.data, (x,), "sq")

    def _backward():
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    return out


def results(program: list[list[Any]]) -> list[list[Any]]:
    """The number, the gradient, the operation, the operands and the partials of every node."""
    from autograd import Value

    nodes: list[Any] = []
    for kind, *arguments in program:
        node = step(kind, arguments, nodes)
        if node is not None:
            nodes.append(node)
    places = {id(node): i for i, node in enumerate(nodes)}
    return [
        [
            written(node._raw),
            written(node.grad),
            node.op.name if node.op is not None else "",
            [places.get(id(x), "new") if isinstance(x, Value) else written(x) for x in node.operands],
            [places.get(id(x), "new") for x in node.parents],
            "by hand" if node.partials is None else [written(x) for x in node.partials],
        ]
        for node in nodes
    ]


class InPython:
    """A process in which Values run in Python, and which runs programs."""

    def __init__(self) -> None:
        environment = {**os.environ, "CHAINRULE_PURE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def results(self, program: list[list[Any]]) -> Any:
        """What `results` gives there."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(program) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.communicate()


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    for line in sys.stdin:
        print(json.dumps(results(json.loads(line))), flush=True)
