"""The backward sweep of a graph of Values, written again so that tests can make it wrong."""

from autograd.engine.graph import postorder


def backward(order=postorder, reset=True, add=True):
    """The engine's sweep. Without arguments it is right; each argument makes it wrong in a different way."""

    def backward(self):
        nodes = order([self])
        for node in nodes:
            if reset and node.op is not None:
                node.grad = 0.0
        self.grad = 1.0 if self.op is not None else self.grad + 1.0
        for node in reversed(nodes):
            for x, partial in zip(node.parents, node.partials, strict=True):
                x.grad = (x.grad if add else 0.0) + partial * node.grad

    return backward
