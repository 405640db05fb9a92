"""One rule finds the matrices: sums of products that share their factors.

Each sum Σ u·v has a tuple of factors u (its row) and one of factors v (its column). Sums that are the full cross
product of some rows and some columns are one matrix product: neurons × samples, filters × patches, queries × keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[np.intp]]
Term = tuple[int, int]  # the factors u and v

DENSE = 0.5  # how much of a cross product has to be wanted for the whole of it to be computed


class Product(NamedTuple):
    """Several matrix products of one shape.

    `rows` (g, r, k) and `columns` (g, c, k) are the factors' numbers, -1 where a shorter sum has none; `members`
    (g, r, c) says which sum each entry of the result is, -1 where it is none.
    """

    rows: Array
    columns: Array
    members: Array


class Order(Protocol):
    """What numbers are sorted by."""

    def __getitem__(self, n: int, /) -> int: ...


def find_products(sums: Sequence[Sequence[Term]], fixed: bool, rank: Order) -> list[Product]:
    """The matrix products that compute these sums.

    Args:
        sums: the factors (u, v) of each term of each sum.
        fixed: whether the factors u are those that do not vary from sample to sample.
        rank: of each number, its place in the order in which the factors of a column should be.

    Rows and columns come in the order in which the sums name them.

    >>> two_neurons = [[(10, 0), (11, 1)], [(13, 1), (12, 0)]]
    >>> (product,) = find_products(two_neurons, True, range(20))
    >>> product.rows.tolist(), product.columns.tolist(), product.members.tolist()
    ([[[10, 11], [12, 13]]], [[[0, 1]]], [[[0], [1]]])
    """
    ordered = [sorted(terms, key=lambda t: (rank[t[1]], rank[t[0]])) for terms in sums]
    return products_of([(tuple([u for u, _ in terms]), tuple([v for _, v in terms])) for terms in ordered], fixed)


def products_of(pairs: list[tuple[Any, Any]], fixed: bool) -> list[Product]:
    """As `find_products`, of rows and columns whose factors are in order."""
    if len({len(u) for u, _ in pairs}) > 1:
        pairs = level(pairs, fixed)
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, (u, _) in enumerate(pairs):
        by_length[len(u)].append(i)
    return [product for members in by_length.values() for product in _blocks(pairs, members)]


def level(pairs: list[tuple[Any, Any]], fixed: bool) -> list[tuple[Any, Any]]:
    """Lengthen shorter sums with nothing (-1) to those that contain them: causal attention, patches at an edge."""
    for side in (0, 1) if fixed else (1, 0):
        longer = lengthened([pair[side] for pair in pairs])
        if longer is None:
            continue
        out = []
        for pair, whole in zip(pairs, longer, strict=True):
            if pair[side] == whole:
                out.append(pair)
                continue
            other = dict(zip(pair[side], pair[1 - side], strict=True))
            rest = tuple([other.get(x, -1) for x in whole])
            out.append((whole, rest) if side == 0 else (rest, whole))
        return out
    return pairs


def lengthened(tuples: list[tuple[int, ...]]) -> list[tuple[int, ...]] | None:
    """For each tuple the largest one that contains it; None where that brings nothing together."""
    distinct = sorted(set(tuples), key=len, reverse=True)
    if any(len(set(t)) < len(t) for t in distinct):
        return None
    whole: dict[tuple[int, ...], tuple[int, ...]] = {}
    holding: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    sets: dict[tuple[int, ...], set[int]] = {}
    for t in distinct:
        found = next((m for m in holding[t[0]] if sets[m].issuperset(t)), None)
        whole[t] = t if found is None else found
        if found is None:
            sets[t] = set(t)
            for x in t:
                holding[x].append(t)
    return [whole[t] for t in tuples] if len(sets) < len(distinct) else None


def _blocks(pairs: list[tuple[Any, Any]], members: list[int]) -> list[Product]:
    """Connected rows and columns make a block; blocks of one shape are computed together."""
    rows: dict[Any, int] = {}
    columns: dict[Any, int] = {}
    at = [(rows.setdefault(pairs[i][0], len(rows)), columns.setdefault(pairs[i][1], len(columns))) for i in members]
    blocks: dict[int, list[int]] = defaultdict(list)
    roots = _connected(at, len(rows))
    for j, (r, _) in enumerate(at):
        blocks[roots[r]].append(j)
    row_tuples, column_tuples = list(rows), list(columns)
    shapes: dict[tuple[int, int], list[tuple[list[int], list[int], list[int]]]] = defaultdict(list)
    for block in blocks.values():
        rs, cs = list(dict.fromkeys(at[j][0] for j in block)), list(dict.fromkeys(at[j][1] for j in block))
        distinct = len({at[j] for j in block}) == len(block)
        if not distinct or len(block) < DENSE * len(rs) * len(cs):
            shapes[1, 1] += [([at[j][0]], [at[j][1]], [j]) for j in block]
        else:
            shapes[len(rs), len(cs)].append((rs, cs, block))
    out = []
    for (r, c), group in shapes.items():
        grid = np.full((len(group), r, c), -1, dtype=np.intp)
        for g, (rs, cs, block) in enumerate(group):
            row_at, column_at = {x: i for i, x in enumerate(rs)}, {x: i for i, x in enumerate(cs)}
            for j in block:
                grid[g, row_at[at[j][0]], column_at[at[j][1]]] = members[j]
        us = np.array([[row_tuples[x] for x in rs] for rs, _, _ in group], dtype=np.intp)
        vs = np.array([[column_tuples[x] for x in cs] for _, cs, _ in group], dtype=np.intp)
        out.append(Product(us, vs, grid))
    return out


def _connected(at: list[tuple[int, int]], rows: int) -> list[int]:
    """For each row, one number for all rows that columns connect it with."""
    parent = list(range(rows))

    def find(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    first: dict[int, int] = {}
    for r, c in at:
        if c in first:
            parent[find(r)] = find(first[c])
        else:
            first[c] = r
    return [find(r) for r in range(rows)]
