"""NumPy's functions whose answers have no derivative (questions), and functions that are refused.

Questions take and return plain arrays. Refused functions raise a TypeError with the remedy given here.
"""

from __future__ import annotations

import numpy as np

from autograd.functions.table import answers, later, refuse

answers(
    later(
        "shape ndim size argmax argmin nanargmax nanargmin argsort argpartition lexsort searchsorted digitize nonzero "
        "flatnonzero argwhere count_nonzero any all allclose isclose array_equal array_equiv isin iscomplex isreal "
        "iscomplexobj isrealobj isneginf isposinf result_type can_cast min_scalar_type common_type array2string "
        "array_repr array_str zeros_like ones_like empty_like full_like may_share_memory shares_memory round around "
        "fix imag"
    )
)
"""Rounding is among them. Its slope is 0, except at its jumps, where it has none."""

refuse(
    [getattr(np.fft, name) for name in np.fft.__all__ if callable(getattr(np.fft, name))],
    "complex numbers have no derivatives in this project; a real transform is a product with a matrix, such as "
    "numpy.fft.fft(numpy.eye(n)).real",
)
refuse(
    later("copyto put place putmask fill_diagonal put_along_axis"),
    "a variable is not changed in place; build the new one with numpy.where or numpy.concatenate",
)
refuse(later("angle real_if_close sort_complex roots"), "complex numbers have no derivatives in this project")
refuse(
    later("save savez savez_compressed savetxt"),
    "a file holds numbers: save x.data, or nn.checkpoint.save for a model",
)
refuse(
    later("histogram histogram2d histogramdd bincount"),
    "counts have no derivative; pass plain numbers (x.data), or write a smooth function",
)
refuse(
    later("apply_along_axis apply_over_axes piecewise"),
    "call the function on the whole array, with axis=, or choose with numpy.where",
)
refuse([np.linalg.eig, np.linalg.eigvals], "eigenvalues may be complex; numpy.linalg.eigh is for symmetric matrices")
