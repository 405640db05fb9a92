"""`numpy.linalg` on variables: solving, determinants, decompositions, norms.

Each row here computes its value with NumPy, and has a formula for its vjp and one for its jvp. The formulas are derived
in M. Giles, "An extended collection of matrix derivative results" (2008), unless another source is named. An operation
with several results packs them into one array.

- `matrices`: what the other modules share;
- `solving`: inverses and systems of equations;
- `determinants`: `det` and `slogdet`;
- `symmetric`: `cholesky`, `eigh` and `eigvalsh`;
- `singular`: `svd` and `svdvals`;
- `least_squares`: `pinv` and `lstsq`;
- `products`: `matrix_power` and `multi_dot`;
- `norms`: norms and condition numbers.
"""

import numpy as np

from autograd.functions.linalg import (
    determinants as determinants,
    least_squares as least_squares,
    norms as norms,
    products as products,
    singular as singular,
    solving as solving,
    symmetric as symmetric,
)
from autograd.functions.table import answers, refuse

answers([np.linalg.matrix_rank])
refuse(
    [np.linalg.qr],
    "its factor r is numpy.linalg.cholesky(a.T @ a, upper=True), up to the signs of its rows, and q is a @ inv(r)",
)
