"""What flows back from a part of an array is added to that part of its gradient, in place.

The transpose of ``x[i]`` is an array as large as x that is zero but for one part. Where a loop reads a part a step, to
make and to add such an array for each read would take quadratic time. So the first read gives x a cotangent in this
way. From the second on they are added in place, if the row says how (`adds` of `autograd.ops.rows.Linear`).

Others may have the first cotangent, too, or nobody may write to it. So the second read makes a copy, once in a sweep.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def with_part(node: Any, g: Any, total: Any, own: set[int]) -> Any:
    """The cotangent `total` of a node's one operand, with what the node adds to it; `g` is that of the node itself.

    `own` has the ids of the operands whose cotangent this sweep has made for them alone. Such an array is changed and
    returned.

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0])
    >>> with_part(x[1:], np.array([10.0, 20.0]), np.ones(3), set())
    array([ 1., 11., 21.])
    """
    (x,) = node.operands
    if id(x) in own:
        total = np.asarray(total)  # where something else was added to an array without axes, it is a scalar
    else:
        total = np.array(np.broadcast_to(total, x.shape), x.dtype)
        own.add(id(x))
    node.op.adds(total, g, **node.params)
    return total
