"""The file formats npz and safetensors: arrays to bytes and back, with a checksum.

Nothing is pickled. A file contains its own SHA-256: the zip comment of an npz, or an entry in the metadata of
safetensors. It is checked when the file is read. Anything wrong raises a `CheckpointError`.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nn.support.arrays import Array
from nn.support.extras import optional
from nn.support.files import read

DIGITS = 64  # of a SHA-256
HEADER = 1 << 14  # bytes; NumPy refuses a longer header of an array
TRAINING = "training.json"  # the member of a checkpoint that is not an array


class CheckpointError(ValueError):
    """A file of weights or a checkpoint is missing, damaged, or of another model or training. Nothing has changed."""


def decoded(path: Path, decode: Callable[[bytes], dict[str, Any]], limit: int | None = None) -> dict[str, Any]:
    """The arrays of a file by name. Raises CheckpointError for any fault, and for more than `limit` bytes."""
    try:
        data = read(path, limit)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", error)
        raise CheckpointError(f"{path}: cannot be read ({reason}); check the path") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return decode(data)
    except ImportError:
        raise
    except Exception as error:  # damaged bytes make parsers raise all kinds of errors
        reason = f"{error}" if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{path}: is damaged or of another kind ({reason}); take an older copy") from error


def to_npz(arrays: Mapping[str, Array], training: str | None = None) -> bytes:
    """The bytes of an npz. The last 64, its zip comment, are the SHA-256 of the others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = b"0" * DIGITS
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same arrays give the same bytes
            if member.filename != f"{name}.npy":
                raise ValueError(f"{name!r} cannot be a name in a zip file: rename that attribute or key")
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, _plain(array), allow_pickle=False)
        if training is not None:
            archive.writestr(zipfile.ZipInfo(TRAINING), training)
    with buffer.getbuffer() as view:
        view[-DIGITS:] = hashlib.sha256(view[:-DIGITS]).hexdigest().encode()
    return buffer.getvalue()


def _plain(array: Array) -> Array:
    """The same array in C order and little-endian, since writers copy the bytes in memory as they are."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def from_npz(data: bytes, shapes: Mapping[str, tuple[int, ...]] | None = None, sealed: bool = False) -> dict[str, Any]:
    """The arrays of an npz, and the bytes of its `training.json`. A file without a comment need not have a checksum.

    With `sealed`, the file is a checkpoint: it must have a checksum. With `shapes`, an array of another shape is not
    unpacked. One number, broadcast to its shape, is returned instead.
    """
    if data[:4] != b"PK\x03\x04":
        raise ValueError(f"it starts with {data[:4]!r}, not with b'PK\\x03\\x04' as an npz does")
    bare = data[-22:-18] == b"PK\x05\x06" and data[-2:] == b"\0\0"
    if (sealed or not bare) and hashlib.sha256(data[:-DIGITS]).hexdigest().encode() != data[-DIGITS:]:
        raise ValueError(f"its last {DIGITS} bytes are not the SHA-256 of the others")
    found: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sealed and sum(member.file_size for member in archive.infolist()) > len(data):
            raise ValueError("its contents are larger than the file, but a checkpoint is not compressed")
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in found:
                raise ValueError(f"it holds {name!r} twice")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others unpack more than asked
                raise ValueError(f"{name!r} has compression method {member.compress_type}, which an npz cannot have")
            if name == TRAINING and sealed:
                found[name] = archive.read(member)
            elif name == member.filename:
                raise ValueError(f"it holds {name!r}, which is not an array")
            else:
                found[name] = _from_npy(archive, member, None if shapes is None else shapes.get(name, ()))
    if sealed and TRAINING not in found:
        raise ValueError(f"it has no {TRAINING}: these are weights, for nn.checkpoint.load")
    return found


def _from_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, expected: tuple[int, ...] | None) -> Array:
    """An array from a member of a zip file. Its header is checked before it is unpacked."""
    with archive.open(member) as file:
        head = io.BytesIO(file.read(HEADER))
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = readers[np.lib.format.read_magic(head)](head)
    if dtype.hasobject or (expected is not None and dtype.kind not in "biufc"):
        raise ValueError(
            f"{member.filename!r} holds {dtype}, not numbers; objects are not unpickled (allow_pickle=False)"
        )
    declared = head.tell() + math.prod(shape) * dtype.itemsize
    if declared != member.file_size:
        expects = f"{dtype} of shape {shape} takes {declared}"
        raise ValueError(f"{member.filename!r} has {member.file_size} bytes, but {expects}")
    if expected is not None and shape != expected:
        return np.broadcast_to(np.zeros((), dtype), shape)
    return np.lib.format.read_array(io.BytesIO(archive.read(member)), allow_pickle=False)


def to_safetensors(arrays: Mapping[str, Array]) -> bytes:
    """The bytes of a safetensors file. Its metadata has the SHA-256 of the file, computed with zeros in its place."""
    if "__metadata__" in arrays:
        raise ValueError(
            "'__metadata__' cannot be a name in a safetensors file: rename that attribute, or save as .npz"
        )
    plain = {name: _plain(x) for name, x in arrays.items()}
    data: bytes = _safetensors_numpy().save(plain, {"sha256": "0" * DIGITS})
    start = data.index(b"0" * DIGITS)
    return data[:start] + hashlib.sha256(data).hexdigest().encode() + data[start + DIGITS :]


def from_safetensors(data: bytes) -> dict[str, Any]:
    """The arrays of a safetensors file. A file may lack a checksum if no entry of its metadata looks like one."""
    found: dict[str, Any] = _safetensors_numpy().load(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header.get("__metadata__", {})
    if "sha256" in metadata or any(len(x) == DIGITS for x in metadata.values()):  # the name itself may be damaged
        digest = metadata["sha256"].encode()
        if hashlib.sha256(data.replace(digest, b"0" * DIGITS, 1)).hexdigest().encode() != digest:
            raise ValueError("its SHA-256 is not the one in its metadata")
    return found


def _safetensors_numpy() -> Any:
    need = "weights as .safetensors need the package safetensors"
    return optional("safetensors.numpy", need, "pip install 'chainrule[weights]'")
