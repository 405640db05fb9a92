"""Trained models for use elsewhere: as ONNX, as one file of plain Python, and for JAX and PyTorch, which train them on.

`recording` runs a model and lists its operations as steps. `onnx`, `source` and `engines` write the steps in their
formats.
"""

import typing as _typing

from nn.export.recording import ExportError as ExportError
from nn.export.engines import export_jax as export_jax
from nn.export.engines import export_torch as export_torch
from nn.export.engines import to_jax as to_jax
from nn.export.engines import to_torch as to_torch
from nn.export.onnx import export_onnx as export_onnx
from nn.export.source import export_source as export_source

if not _typing.TYPE_CHECKING:  # type checkers take every public name
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
