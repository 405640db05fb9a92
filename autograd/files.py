"""Reading and writing files, for the whole project. A file is written whole or not at all.

The rules of writing:

- The content goes to a temporary file in the same folder, with a unique name. Its bytes reach the disk before it is
  renamed to the name asked for. So a reader finds the old file or the new one, never a part of one. If several programs
  write at once, the last one wins.
- A file that exists keeps its mode and, where the system allows that, its owner. A new file has the mode that the
  umask leaves. A write-protected file is refused.
- A symbolic link stays: the file that it points to is written.
- Folders, devices, pipes, sockets and streams like ``/dev/stdout`` are refused: no file may take their place.

Reading refuses the same things, since reading a pipe may wait for ever and a device may have no end. Every `OSError`
names the path that was asked for.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

PathLike: TypeAlias = str | os.PathLike[str]

OLD = 24 * 3600  # seconds; a temporary file older than this is abandoned, since writing takes seconds
MOST_LINKS = 40  # the limit of Linux
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Write a file whole or not at all. The context gives a temporary file's path, which becomes `path` at the end.

    The temporary file has the suffix of `path`, since some writers choose the format by it. If the block raises, the
    temporary file is removed and `path` is unchanged. Raises OSError at once if `path` cannot be written, as
    `check_writable` does.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as temporary:
    ...         n = temporary.write_text("whole", encoding="utf-8")
    ...     Path(folder, "a.txt").read_text(encoding="utf-8")
    'whole'
    """
    path = Path(path)
    target, before = _target(path)
    temporary = _create(path, target, before)
    try:
        yield temporary
        if before is not None:
            _keep_owner_and_mode(temporary, before)
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if str(error.filename) == str(temporary):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    with suppress(OSError):  # some systems cannot synchronise a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # so that the new name reaches the disk, too
        finally:
            os.close(folder)


def write(path: PathLike, content: bytes | str) -> None:
    """Write a file whole or not at all. Text is written in UTF-8; its line ends are not changed."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def save(path: PathLike, content: bytes) -> str:
    """Write a file whole or not at all, and the folders that it needs; returns its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, content)
    return str(path)


def check_writable(path: PathLike) -> None:
    """Raise now the OSError that writing would raise later. A long computation calls this before it starts.

    >>> check_writable("no-such-folder/weights.npz")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] there is no folder no-such-folder to write it to: 'no-such-folder...weights.npz'
    """
    path = Path(path)
    _create(path, *_target(path)).unlink()


def clear_leftovers(path: PathLike) -> None:
    """Remove temporary files that killed writers of `path` left behind: those that have not changed for a day."""
    path = Path(path)
    target, _ = _target(path)
    stem, suffix = map(glob.escape, _ends(path))
    for left in target.parent.glob(f".{stem}.{'[0-9a-f]' * 16}.tmp{suffix}"):
        with suppress(OSError):  # another program may remove them at the same time
            if time.time() - left.lstat().st_mtime > OLD:
                left.unlink()


def read(path: PathLike, limit: int | None = None) -> bytes:
    """The bytes of a file.

    Raises OSError if `path` is not a file, before opening it, or if it has more than `limit` bytes, before reading it.

    >>> read(os.devnull)
    Traceback (most recent call last):
    OSError: [Errno 22] it is a device, not a file: '...'
    """
    found = os.stat(path)
    _refuse_all_but_files(Path(path), found)
    if limit is not None and found.st_size > limit:
        reason = f"it has {found.st_size:,} bytes, and no more than {limit:,} are expected"
        raise OSError(errno.EFBIG, reason, os.fspath(path))
    return Path(path).read_bytes()


def _target(path: Path) -> tuple[Path, os.stat_result | None]:
    """The file to replace, with symbolic links followed, and its status (None if it does not exist)."""
    target, links = path, 0
    while target.is_symlink():
        folder = target.parent.resolve()
        _refuse_streams(path, folder.parts[:2] == ("/", "proc"))  # Linux: a link to an open stream
        target, links = folder / target.readlink(), links + 1
        if links > MOST_LINKS:
            raise OSError(errno.ELOOP, "its symbolic links go round in a circle", str(path))
    _refuse_streams(path, target.parent == Path("/dev/fd"))  # macOS: it looks like the open stream
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return target, None
    except OSError as error:
        error.filename = str(path)
        raise
    _refuse_all_but_files(path, found)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "it is write-protected", str(path))
    return target, found


def _refuse_streams(path: Path, stream: bool) -> None:
    """Refuse a path that stands for an open stream, even if the stream is a file."""
    if stream:
        raise OSError(errno.EINVAL, "it is a stream of this process: write to a file", str(path))


def _refuse_all_but_files(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "a special file")
        number = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
        raise OSError(number, f"it is {kind}, not a file", str(path))


def _ends(path: Path) -> tuple[str, str]:
    """The parts of a file's name that its temporary name keeps. They are cut, since names have a maximal length."""
    return path.stem[:40], path.suffix[:10]


def _create(path: Path, target: Path, before: os.stat_result | None) -> Path:
    """Create an empty temporary file beside `target`. If `target` exists, only the owner may read the new file."""
    stem, suffix = _ends(path)
    temporary = target.with_name(f".{stem}.{os.urandom(8).hex()}.tmp{suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if before is None else 0o600))
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {target.parent} to write it to", str(path)) from None
    except OSError as error:
        reason = f"nothing can be written in its folder ({error.strerror})"
        raise OSError(error.errno, reason, str(path)) from error
    return temporary


def _keep_owner_and_mode(temporary: Path, before: os.stat_result) -> None:
    """Give a file the owner, the group and the mode of the file that it will replace."""
    if os.name == "posix":
        now = os.stat(temporary)
        if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
            with suppress(OSError):
                os.chown(temporary, -1, before.st_gid)
            with suppress(OSError):
                os.chown(temporary, before.st_uid, -1)
    os.chmod(temporary, stat.S_IMODE(before.st_mode))
