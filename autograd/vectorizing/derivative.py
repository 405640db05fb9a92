"""The backward pass of a program, as trees: the rows' own rules run on nodes.

>>> from autograd.vectorizing.simpler import simplified
>>> from autograd.vectorizing.sizes import Size
>>> from autograd.vectorizing.tree import Trees
>>> trees = Trees(simplified)
>>> x, w = trees.leaf("x", (Size.symbol("n"), 3), float), trees.leaf("w", (3,), float, moves=True)
>>> y = trees.leaf("y", (Size.symbol("n"),), float, moves=True)
>>> dy = trees.leaf("dy", y.shape, float)
>>> backward = Backward([(y, x @ w)], {y: dy})
>>> backward.gradients([w])[0] is x.T @ dy
True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograd.engine.graph import postorder
from autograd.vectorizing.sizes import NotLowerable
from autograd.vectorizing.tree import Expression


class Backward:
    """Reverse mode through statements (target, value).

    A target is a leaf: the forward pass has computed it, and the backward pass reads it. So nothing that has a name is
    computed again. The gradient of a target is named after it, with `letter` in front. `hints` collects names that
    would suit gradients inside of a statement.
    """

    def __init__(
        self,
        statements: Sequence[tuple[Expression, Any]],
        seeds: Mapping[Expression, Any],
        letter: str = "d",
        hints: Mapping[Expression, str] | None = None,
    ) -> None:
        self.letter = letter
        self.wishes = hints or {}
        self.hints: dict[Expression, str] = {}
        self.found: dict[Expression, Any] = {}
        for target, seed in seeds.items():
            self._add(target, seed)
        for target, value in reversed(statements):
            g = self.found.get(target)
            if g is not None and target.moves and isinstance(value, Expression):
                for leaf, share in self._through(target, value, self._named(target, g)):
                    self._add(leaf, share)

    def gradients(self, leaves: Sequence[Expression]) -> list[Any]:
        """The gradients of these leaves; None where nothing flows."""
        return [self.found.get(leaf) for leaf in leaves]

    def _add(self, leaf: Expression, share: Any) -> None:
        self.found[leaf] = self.found[leaf] + share if leaf in self.found else share

    def _named(self, target: Expression, g: Any) -> Any:
        has_one = isinstance(g, Expression) and g.name  # a seed's, or that of the gradient that it is equal to
        return g if has_one else target.trees.let(g, self.letter + target.name)

    def _through(self, target: Expression, value: Expression, seed: Any) -> Iterator[tuple[Expression, Any]]:
        """The shares of a statement's leaves in its gradient."""
        found: dict[Expression, Any] = {value: seed}
        for node in reversed(postorder([value])):
            g = found.pop(node, None)
            if g is None or not node.moves:
                continue
            if node.op is None:
                yield node, g
                continue
            if node is not value and isinstance(g, Expression) and (wish := self.wishes.get(target)):
                self.hints.setdefault(g, wish)
            for x, share in self._shares(node, g, target if node is value else node):
                found[x] = found[x] + share if x in found else share

    def _shares(self, node: Expression, g: Any, out: Expression) -> Iterator[tuple[Expression, Any]]:
        """The cotangents of a node's operands."""
        inputs, params = node.arguments()
        needs = [isinstance(x, Expression) and x.moves for x in inputs]
        try:
            shares = node.op.vjp(g, needs, out, inputs, params)
        except Exception as error:  # a rule may ask for anything that arrays do
            raise NotLowerable(f"the rule of {node.op.name}: {error}") from error
        for x, share, need in zip(inputs, shares, needs, strict=True):
            if need and share is not None:
                yield x, share
