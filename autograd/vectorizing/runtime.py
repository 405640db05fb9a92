"""The few functions that generated programs call beside the rows of the table."""

from __future__ import annotations

from typing import Any

from autograd import ops


def join(*parts: Any) -> Any:
    """Parts one after another along the last axis; those without a batch are repeated for each sample.

    >>> import numpy as np
    >>> join(np.zeros((2, 1)), np.ones(2))
    array([[0., 1., 1.],
           [0., 1., 1.]])
    """
    batch = next((part for part in parts if part.ndim > 1), None)
    if batch is not None:
        parts = tuple(part if part.ndim > 1 else spread(part, batch) for part in parts)
    return ops.concatenate(parts, axis=-1)


def spread(x: Any, batch: Any) -> Any:
    """The same for each sample of a batch.

    >>> import numpy as np
    >>> spread(np.ones(2), np.zeros((3, 5))).shape
    (3, 2)
    """
    return ops.broadcast_to(x, (batch.shape[0], *x.shape))
