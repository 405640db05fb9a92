"""Files of weights, and checkpoints: a whole training in one file, from which it can be resumed.

A damaged file, or one from an untrusted source, must not become a wrong network. So nothing is pickled. A file contains
its own SHA-256: in the zip comment of an npz, or in the metadata of safetensors. It is read, checked and compared with
the model completely before anything changes. Any error raises a `CheckpointError`.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import math
import os
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nn.extras import optional
from nn.files import check_writable, clear_leftovers, read, write
from nn.history import History
from nn.module import Module

if TYPE_CHECKING:
    from nn.training import State

__all__ = ["Checkpoint", "CheckpointError", "load", "save"]

Array: TypeAlias = npt.NDArray[Any]
PathLike: TypeAlias = str | os.PathLike[str]
Shape: TypeAlias = tuple[int, ...]

DIGITS = 64  # of a SHA-256
FORMAT = 1  # of checkpoints
HEADER = 1 << 14  # bytes; NumPy refuses longer headers of arrays
SMALL, RATIO = 64 << 20, 100  # a file may have 64 MiB, or 100 times the size of the model
TRAINING = "training.json"  # the member of a checkpoint that is not an array


class CheckpointError(ValueError):
    """A file is missing, damaged, or belongs to another model or training. The model is unchanged."""


# ------------------------------------------------------------------------------------------------------- weights


def save(model: Module, path: PathLike) -> None:
    """Write a model's weights to an ``.npz`` or ``.safetensors`` file. The suffix decides the format.

    The file is written whole or not at all. Each parameter is an array with the parameter's shape and dtype, named by
    its path. A Value is a float64 array without dimensions. `numpy.load`, `safetensors` and `load` can read the file.
    Equal weights give equal bytes, whatever their memory layout.

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
    encode = _npz if _suffix(path) == ".npz" else _safetensors
    write(path, encode({name: np.asarray(x) for name, x in model.state_dict().items()}))


def load(model: Module, path: PathLike) -> None:
    """Load the weights from a file that `save`, `numpy.savez` or `safetensors` wrote.

    Raises CheckpointError if the file cannot be read, is damaged, or has a key, shape or dtype that does not fit the
    model (see `Module.load_state_dict`). The model is unchanged then. The memory used is bounded by the size of the
    model: arrays of other shapes are not unpacked.
    """
    path = Path(path)
    shapes = {name: p.shape for name, p in model.named_parameters()}
    decode = partial(_from_npz, shapes=shapes) if _suffix(path) == ".npz" else _from_safetensors
    arrays = _decoded(path, decode, limit=max(SMALL, RATIO * 8 * sum(map(math.prod, shapes.values()))))
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _suffix(path: Path) -> str:
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(f"weights are kept as .npz or .safetensors, not as {path.name}")
    return path.suffix


# ---------------------------------------------------------------------------------------------- whole trainings


class Checkpoint:
    """Saves a training of `fit` to a file, and resumes it. The result equals an uninterrupted training, bit for bit.

    Args:
        path: the file, an npz with the arrays and a `training.json`. It is replaced after each epoch and on Ctrl-C.
        steps: replace it also after this many steps.
        seconds: replace it also when it is this old, after the current step.
        resume: if True, `fit` resumes from the file. A file saved in the middle of an epoch resumes there.
        settings: settings that must be equal when the training is resumed, by name: anything that JSON can hold.

    The file holds:

    - the parameters of the model and the optimiser;
    - the optimiser's state and number of steps, which is also the position in a schedule;
    - the epoch, the position in it, and the history;
    - the random generators of the model and the loss (`Dropout`), if these are modules or functions that refer to some;
    - the `state_dict` of the batches and of each callback that has one.

    Batches without a `state_dict` must be the same in each epoch, like a list. A callback may refuse to resume by
    raising an error in `on_resume(state)`. The file does not hold the code, nor the global generators of NumPy and
    Python.

    A training that had ended, or that a callback had stopped, ends at once when it is resumed. Resuming raises
    CheckpointError if the file cannot be read, is damaged, or belongs to another training. Nothing is changed then.
    ``steps`` and ``seconds`` must be above 0 (ValueError).

    >>> import tempfile
    >>> from nn import Adam, dense, fit, squared_error
    >>> def train(epochs, path, resume):
    ...     model = dense(1, 8, 1, dropout=0.5, rng=0)
    ...     x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    ...     checkpoint = Checkpoint(path, resume=resume)
    ...     fit(model, [(x, x * x)], squared_error, Adam(model), epochs=epochs, progress=False, checkpoint=checkpoint)
    ...     return model[0].weight.data
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = train(3, f"{folder}/a.npz", resume=False)
    ...     resumed = train(5, f"{folder}/a.npz", resume=True)
    ...     bool((resumed == train(5, f"{folder}/b.npz", resume=False)).all())
    True
    """

    def __init__(
        self,
        path: PathLike,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        for name, x in (("steps", steps), ("seconds", seconds)):
            if x is not None and not x > 0:
                raise ValueError(f"{name} must be above 0, got {x}")
        self.path, self.steps, self.seconds, self.resume = Path(path), steps, seconds, resume
        arrays: dict[str, Array] = {}
        self.settings: dict[str, Any] = json.loads(json.dumps(_packed(settings or {}, "", arrays)))  # as read from JSON
        if arrays:
            raise TypeError(f"settings are what JSON can hold, not arrays: {', '.join(arrays)}")
        self._saved = time.monotonic()

    def start(self, state: State) -> None:
        """Prepare before the first step: resume from the file if asked to, and check that it can be written.

        Raises OSError if the file cannot be written, and ValueError for two parameters or generators with one path.
        Saving would raise these only after the first epoch.
        """
        dict(_parts(state)["network"].named_parameters())
        if self.resume:
            self.restore(state)
        else:
            check_writable(self.path)
        clear_leftovers(self.path)

    def save_if_due(self, state: State) -> None:
        """Save in the middle of an epoch, if `steps` or `seconds` say so."""
        due = self.steps is not None and state.optimizer.steps % self.steps == 0
        due |= self.seconds is not None and time.monotonic() - self._saved >= self.seconds
        if due and not state.history.stopped:  # a training that ends here is saved with its last row soon
            self.save(state)

    def save(self, state: State) -> None:
        """Write the present state of the training to the file."""
        arrays: dict[str, Array] = {}
        training = {
            "format": FORMAT,
            "settings": self._settings(state),
            "epoch": state.epoch,
            "step": state.step,
            "complete": state.complete,
            "loss": state.loss,
            "total": state.total,
            "lr": state.lr,
            "seconds": time.perf_counter() - state.started,
            "history": state.history.rows,
            "stopped": state.history.stopped,
            "parts": {name: part.state_dict() for name, part in _parts(state).items()},
        }
        text = json.dumps(_packed(training, "", arrays), indent=1)
        data = _npz(arrays, text)
        write(self.path, data)
        self._saved = time.monotonic()

    def restore(self, state: State) -> None:
        """Restore the training from the file. If anything fails, nothing is changed."""
        parts = _parts(state)
        before = {name: part.state_dict() for name, part in parts.items()}
        arrays = _decoded(self.path, partial(_from_npz, sealed=True))
        check_writable(self.path)
        try:
            training = _unpacked(bytes(arrays.pop(TRAINING)), arrays)
            if training["format"] != FORMAT:
                raise ValueError(f"it has format {training['format']}, this version reads {FORMAT}")
            self._compare(training["settings"], self._settings(state))
            if training["parts"].keys() != parts.keys():
                raise ValueError(f"it holds {', '.join(training['parts'])}, this training has {', '.join(parts)}")
            history = History(training["history"])
            stopped, complete = str(training["stopped"]), bool(training["complete"])
            epoch, step = (int(training[name]) for name in ("epoch", "step"))
            loss, total, lr, seconds = (float(training[name]) for name in ("loss", "total", "lr", "seconds"))
            for name, part in parts.items():
                part.load_state_dict(training["parts"][name])
            for callback in state.callbacks:
                if hasattr(callback, "on_resume"):
                    callback.on_resume(state)
        except Exception as error:  # an untrusted file may cause any error
            for name, part in parts.items():
                part.load_state_dict(before[name])
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise CheckpointError(f"{self.path}: this is not a checkpoint of this training: {reason}") from error
        state.history.rows, state.history.stopped = history.rows, stopped
        state.epoch, state.step, state.complete = epoch, step, complete
        state.loss, state.total, state.lr, state.started = loss, total, lr, time.perf_counter() - seconds

    def _settings(self, state: State) -> dict[str, Any]:
        return {**self.settings, "optimizer's class": type(state.optimizer).__name__}

    def _compare(self, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        names = [name for name in {**then, **now} if not _same(then.get(name), now.get(name))]
        if names:
            changes = ", ".join(f"{name} was {then.get(name)!r} and is {now.get(name)!r}" for name in names)
            raise ValueError(f"{changes}; resume with the old settings, or start a new training")


class _Network(Module):
    """All objects with parameters or generators that a training uses, each once."""

    def __init__(self, state: State) -> None:
        self.model, self.loss = _reached(state.model), _reached(state.criterion)
        self.others = state.optimizer.parameters  # `named_parameters` lists each parameter once


class _Generators:
    """The states of the generators of a network, by path."""

    def __init__(self, network: Module) -> None:
        self.found = dict(network.named_generators())

    def state_dict(self) -> dict[str, Any]:
        return {path: generator.bit_generator.state for path, generator in self.found.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state.keys() != self.found.keys():
            raise ValueError(f"it has generators at {sorted(state)}, the model at {sorted(self.found)}")
        for path, generator in self.found.items():
            generator.bit_generator.state = state[path]


def _parts(state: State) -> dict[str, Any]:
    """The objects whose state is saved, by name."""
    network = _Network(state)
    parts: dict[str, Any] = {"network": network, "generators": _Generators(network), "optimizer": state.optimizer}
    if hasattr(state.batches, "load_state_dict"):
        parts["batches"] = state.batches
    callbacks = [x for x in state.callbacks if hasattr(x, "load_state_dict")]
    return parts | {f"callback {i}": x for i, x in enumerate(callbacks)}


def _reached(f: Callable[..., Any]) -> Any:
    """The object that holds the parameters and generators of a callable: itself, or what a function refers to."""
    if inspect.ismethod(f):
        return f.__self__
    if not inspect.isfunction(f):
        return f
    names = inspect.getclosurevars(f)
    found = {**names.globals, **names.nonlocals}
    return {name: x for name, x in found.items() if isinstance(x, Module | np.random.Generator)}


def _same(a: Any, b: Any) -> bool:
    """True if two values from JSON are equal. A nan equals a nan here."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b or (a != a and b != b))


# ------------------------------------------------------------------------------------------------------- formats


def _packed(x: Any, name: str, arrays: dict[str, Array]) -> Any:
    """A tree in a form that JSON can hold. Its arrays are moved to `arrays` and replaced by their names."""
    if isinstance(x, Mapping):
        keys = {key if isinstance(key, str) else json.dumps(key) for key in x}
        if "__array__" in keys or len(keys) < len(x):
            raise ValueError(f"keys of {list(x)!r:.200} are equal in JSON, or reserved: rename them")
        return {key: _packed(value, f"{name}/{key}".lstrip("/"), arrays) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_packed(value, f"{name}/{i}", arrays) for i, value in enumerate(x)]
    if isinstance(x, np.ndarray):
        name = name.removeprefix("parts/")
        name = name if name not in arrays else f"{name} {len(arrays)}"
        arrays[name] = x
        return {"__array__": name}
    return x.item() if isinstance(x, np.generic) else x


def _unpacked(text: bytes, arrays: Mapping[str, Array]) -> Any:
    return json.loads(text, object_hook=lambda x: arrays[x["__array__"]] if x.keys() == {"__array__"} else x)


def _decoded(path: Path, decode: Callable[[bytes], dict[str, Any]], limit: int | None = None) -> dict[str, Any]:
    """The arrays of a file of at most `limit` bytes, by name. Any error is raised as a CheckpointError."""
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
    except Exception as error:  # parsers may raise any error on damaged bytes
        reason = f"{error}" if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{path}: is damaged or of another kind ({reason}); take an older copy") from error


def _npz(arrays: Mapping[str, Array], training: str | None = None) -> bytes:
    """The bytes of an npz. Its zip comment, the last 64 bytes, is the SHA-256 of the bytes before."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = b"0" * DIGITS
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, so that equal arrays give equal bytes
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
    """The array in C order and little-endian, for writers that copy its memory."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _from_npz(data: bytes, shapes: Mapping[str, Shape] | None = None, sealed: bool = False) -> dict[str, Any]:
    """The arrays of an npz, and the bytes of its `training.json`. The checksum is checked if there is a zip comment.

    If `shapes` are given, an array of another shape is not unpacked. It is replaced by a single number, broadcast.
    """
    if data[:4] != b"PK\x03\x04":
        raise ValueError(f"it starts with {data[:4]!r}, an npz with b'PK\\x03\\x04'")
    bare = data[-22:-18] == b"PK\x05\x06" and data[-2:] == b"\0\0"
    if (sealed or not bare) and hashlib.sha256(data[:-DIGITS]).hexdigest().encode() != data[-DIGITS:]:
        raise ValueError(f"its last {DIGITS} bytes are not the SHA-256 of the others")
    found: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sealed and sum(member.file_size for member in archive.infolist()) > len(data):
            raise ValueError("what it holds is larger than the file, and a checkpoint is not compressed")
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in found:
                raise ValueError(f"it holds {name!r} twice")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others may exceed the size
                raise ValueError(f"{name!r} is compressed by method {member.compress_type}, which no npz is")
            if name == TRAINING and sealed:
                found[name] = archive.read(member)
            elif name == member.filename:
                raise ValueError(f"it holds {name!r}, which is no array")
            else:
                found[name] = _from_npy(archive, member, None if shapes is None else shapes.get(name, ()))
    if sealed and TRAINING not in found:
        raise ValueError(f"it has no {TRAINING}: these are weights, for nn.checkpoint.load")
    return found


def _from_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, expected: Shape | None) -> Array:
    """An array from a member of a zip file, or a broadcast number if its shape is wrong. It checks the header first."""
    with archive.open(member) as file:
        head = io.BytesIO(file.read(HEADER))
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = readers[np.lib.format.read_magic(head)](head)
    if dtype.hasobject or (expected is not None and dtype.kind not in "biufc"):
        raise ValueError(f"{member.filename!r} holds {dtype}, no numbers; it is never unpickled (allow_pickle=False)")
    declared = head.tell() + math.prod(shape) * dtype.itemsize
    if declared != member.file_size:
        raise ValueError(f"{member.filename!r} takes {member.file_size} bytes, {dtype} of shape {shape} {declared}")
    if expected is not None and shape != expected:
        return np.broadcast_to(np.zeros((), dtype), shape)
    return np.lib.format.read_array(io.BytesIO(archive.read(member)), allow_pickle=False)


def _safetensors(arrays: Mapping[str, Array]) -> bytes:
    """The bytes of a safetensors file. Its metadata has the SHA-256 of the file with zeros in place of the digest."""
    if "__metadata__" in arrays:
        raise ValueError(
            "'__metadata__' cannot be a name in a safetensors file: rename that attribute, or save as .npz"
        )
    plain = {name: _plain(x) for name, x in arrays.items()}
    data: bytes = _safetensors_numpy().save(plain, {"sha256": "0" * DIGITS})
    start = data.index(b"0" * DIGITS)
    return data[:start] + hashlib.sha256(data).hexdigest().encode() + data[start + DIGITS :]


def _from_safetensors(data: bytes) -> dict[str, Any]:
    """The arrays of a safetensors file. The checksum is checked if anything in the metadata looks like one."""
    found: dict[str, Any] = _safetensors_numpy().load(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header.get("__metadata__", {})
    if "sha256" in metadata or any(len(x) == DIGITS for x in metadata.values()):  # the name may be damaged
        digest = metadata["sha256"].encode()
        if hashlib.sha256(data.replace(digest, b"0" * DIGITS, 1)).hexdigest().encode() != digest:
            raise ValueError("its SHA-256 is not the one in its metadata")
    return found


def _safetensors_numpy() -> Any:
    need = "weights as .safetensors need the package safetensors"
    return optional("safetensors.numpy", need, "pip install 'chainrule[weights]'")


if not TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
