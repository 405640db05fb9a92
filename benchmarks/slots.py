"""The fastest plain design known for scalars, to compare with: nodes with slots and a tuple of partial derivatives.

The derivative of an operation is computed with its result, so `backward` only multiplies and adds. No node is part of a
reference cycle. The order comes from a stack, not from recursion, so depth is not limited.
"""

import math
import random


class Value:
    __slots__ = ("children", "data", "grad", "local")

    def __init__(self, data, children=(), local=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.local = local

    def __add__(self, other):
        if isinstance(other, Value):
            return Value(self.data + other.data, (self, other), (1.0, 1.0))
        return Value(self.data + other, (self,), (1.0,))

    def __mul__(self, other):
        if isinstance(other, Value):
            return Value(self.data * other.data, (self, other), (other.data, self.data))
        return Value(self.data * other, (self,), (other,))

    def __pow__(self, power):
        return Value(self.data**power, (self,), (power * self.data ** (power - 1),))

    def exp(self):
        out = math.exp(self.data)
        return Value(out, (self,), (out,))

    def log(self):
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self):
        return Value(self.data, (self,), (1.0,)) if self.data > 0 else Value(0.0, (self,), (0.0,))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return (-self) + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order = self.order()
        self.grad = 1.0
        for node in reversed(order):
            grad = node.grad
            for child, local in zip(node.children, node.local):  # noqa: B905 (asking costs 50 ns a node)
                child.grad += grad * local

    def order(self):
        """Every node below this one, children before parents."""
        order: list[Value] = []
        seen: set[Value] = set()
        stack: list = [self]  # None before a node: its operands are done
        while stack:
            node = stack.pop()
            if node is None:
                order.append(stack.pop())
            elif node not in seen:
                seen.add(node)
                stack += (node, None)
                stack += node.children
        return order


class MLP:
    """micrograd's network of neurons, with its order of random numbers."""

    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [
            [([Value(random.uniform(-1, 1)) for _ in range(m)], Value(0.0)) for _ in range(n)]
            for m, n in zip(sizes, nouts, strict=False)
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = [sum((w * xi for w, xi in zip(weights, x, strict=True)), bias) for weights, bias in layer]
            if layer is not self.layers[-1]:
                x = [out.relu() for out in x]
        return x[0] if len(x) == 1 else x

    def parameters(self):
        return [p for layer in self.layers for weights, bias in layer for p in (*weights, bias)]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0
