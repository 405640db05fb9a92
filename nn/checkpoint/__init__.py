"""Weights in files, and checkpoints: a whole training in one file, to go on from.

A file from a crashed machine or a stranger must not become a wrong network. So nothing is pickled, what is written
carries the SHA-256 of itself, and a file is read, checked and held against the model wholly before anything changes;
what is wrong raises a `CheckpointError`.
"""

import typing as _typing

from nn.checkpoint.formats import CheckpointError as CheckpointError
from nn.checkpoint.weights import load as load, save as save
from nn.checkpoint.checkpoint import Checkpoint as Checkpoint

if not _typing.TYPE_CHECKING:  # type checkers take every public name
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
