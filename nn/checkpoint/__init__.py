"""Weights in files, and checkpoints: a whole training in one file, to continue from.

A file that is damaged or malicious must not become a wrong network. So nothing is pickled. A file contains its own
SHA-256. It is read, checked and compared with the model before anything changes. If anything is wrong, a
`CheckpointError` is raised.
"""

import typing as _typing

from nn.checkpoint.formats import CheckpointError as CheckpointError
from nn.checkpoint.weights import load as load, save as save
from nn.checkpoint.checkpoint import Checkpoint as Checkpoint

if not _typing.TYPE_CHECKING:  # type checkers take every public name
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
