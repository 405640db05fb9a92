"""`save` and `load`: the weights of a model in a file."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np

from nn.checkpoint.formats import (
    CheckpointError,
    decoded,
    from_npz,
    from_safetensors,
    to_npz,
    to_safetensors,
)
from nn.module import Module
from nn.support.files import PathLike, write

SMALL, RATIO = 64 << 20, 100  # a file may have 64 MB, or 100 times the size of the model


def save(model: Module, path: PathLike) -> None:
    """Write a model's weights to a file, whole or not at all. The suffix ``.npz`` or ``.safetensors`` is the format.

    Each parameter is an array named by its path, with its shape and dtype. A Value is a float64 array without
    dimensions. `load`, `numpy.load` and `safetensors` read the file. The same weights give the same bytes, whatever
    their layout in memory.

    Raises ValueError for another suffix and for two parameters with the same path, ImportError if safetensors is not
    installed, and OSError if the file cannot be written.

    >>> import tempfile
    >>> from nn import dense
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(dense(2, 3, 1, rng=0), f"{folder}/weights.npz")
    ...     twin = dense(2, 3, 1, rng=1)
    ...     load(twin, f"{folder}/weights.npz")
    >>> bool((twin[0].weight.data == dense(2, 3, 1, rng=0)[0].weight.data).all())
    True
    """
    path = Path(path)
    encode = to_npz if _suffix(path) == ".npz" else to_safetensors
    write(path, encode({name: np.asarray(x) for name, x in model.state_dict().items()}))


def load(model: Module, path: PathLike) -> None:
    """Load weights into a model from a file written by `save`, `numpy.savez` or `safetensors`.

    Raises CheckpointError if the file cannot be read or is damaged, or if a key, shape or dtype differs from the
    model's: see `Module.load_state_dict`. Then the model is unchanged. Arrays that do not fit the model are not
    unpacked, so the memory used is bounded by the size of the model.
    """
    path = Path(path)
    shapes = {name: p.shape for part in (model.named_parameters(), model.named_buffers()) for name, p in part}
    decode = partial(from_npz, shapes=shapes) if _suffix(path) == ".npz" else from_safetensors
    arrays = decoded(path, decode, limit=max(SMALL, RATIO * 8 * sum(map(math.prod, shapes.values()))))
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _suffix(path: Path) -> str:
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(f"weights are saved as .npz or .safetensors, not as {path.name}")
    return path.suffix
