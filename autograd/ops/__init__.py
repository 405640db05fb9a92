"""The table of operations: every value and every derivative in this project, one row each.

`autograd.ops.rows` says what a row is. The rows are in `elementwise`, `moves`, `windows`, `reductions`, `pooling`,
`products` and `probabilities`. This module exports all of them.
"""

from typing import TYPE_CHECKING

from autograd.ops import elementwise as _elementwise
from autograd.ops import moves as _moves
from autograd.ops import pooling as _pooling
from autograd.ops import probabilities as _probabilities
from autograd.ops import products as _products
from autograd.ops import reductions as _reductions
from autograd.ops import refusing as _refusing
from autograd.ops import windows as _windows
from autograd.ops import worlds as _worlds
from autograd.ops.elementwise import *
from autograd.ops.moves import *
from autograd.ops.moves import _concatenate as _concatenate
from autograd.ops.pooling import *
from autograd.ops.probabilities import *
from autograd.ops.probabilities import _cross_entropy as _cross_entropy
from autograd.ops.probabilities import _log_softmax as _log_softmax
from autograd.ops.probabilities import _softmax as _softmax
from autograd.ops.products import *
from autograd.ops.products import _dot as _dot
from autograd.ops.products import _einsum as _einsum
from autograd.ops.products import _einsum_transpose as _einsum_transpose
from autograd.ops.reductions import *
from autograd.ops.rows import Op as _Op
from autograd.ops.windows import *

_TABLE = (
    _elementwise,
    _moves,
    _windows,
    _reductions,
    _pooling,
    _products,
    _probabilities,
)  # each imports only from those before it
ROWS: dict[str, _Op] = {row.name: row for part in _TABLE for row in vars(part).values() if isinstance(row, _Op)}
"""Every row by name, in the order in which the table states them."""

for _op in ROWS.values():
    _op.__module__ = __name__  # pickle looks it up here

if not TYPE_CHECKING:  # type checkers take every public name
    _HOMES = {part.__name__ for part in _TABLE} | {__name__}
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") in _HOMES]

    def __dir__():
        return sorted(__all__)


_refusing.complete(_TABLE)
