"""Download data sets by name into a cache, and check each file against its checksum.

`pooch` does the work. It downloads to a temporary file, checks it, and only then moves it into place. So a file in the
cache is whole. If it is damaged later, it is fetched again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nn.data.files import error_in
from nn.support.extras import optional
from nn.support.files import read

CACHE_VARIABLE = "CHAINRULE_DATA"


@dataclass(frozen=True)
class Source:
    """The sources of a data set: URLs of folders with the same files, and the SHA-256 of each file."""

    mirrors: tuple[str, ...]
    files: Mapping[str, str]


SOURCES = {
    "mnist": Source(
        (
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    # These are the SHA-256 of the files with the MD5 that the README of zalandoresearch/fashion-mnist gives.
    "fashion-mnist": Source(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
}


def cache_folder() -> Path:
    """The folder for downloads: the one named by CHAINRULE_DATA, or else the system's cache folder of the user."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(_pooch().os_cache("chainrule"))


def download(name: str, *, base_url: str | None = None, progress: bool = True) -> Path:
    """Fetch the files of "mnist" or "fashion-mnist", unless they are in the cache, and return their folder.

    Args:
        name: the name of the data set.
        base_url: a URL (http, https or file) to use instead of the known mirrors.
        progress: True to show a progress bar for each file on stderr.

    The folder is `cache_folder() / name`. Every file, fetched or found, is checked against its SHA-256.

    Raises DatasetError if a file cannot be fetched; the message says what was tried and what else can be done. Raises
    ValueError for other names, and ImportError without `pip install 'chainrule[data]'`.

    >>> download("imagenet")
    Traceback (most recent call last):
    ValueError: there is no data set 'imagenet' to download, only mnist, fashion-mnist
    """
    if name not in SOURCES:
        raise ValueError(f"there is no data set {name!r} to download, only {', '.join(SOURCES)}")
    source = SOURCES[name]
    folder = cache_folder() / name
    mirrors = source.mirrors if base_url is None else (base_url,)
    for file, sha256 in source.files.items():
        _fetch(file, sha256, folder, [mirror.rstrip("/") + "/" + file for mirror in mirrors], progress)
    return folder


def _fetch(file: str, sha256: str, folder: Path, urls: list[str], progress: bool) -> None:
    """Fetch one file into the folder, from the first URL that works."""
    pooch = _pooch()
    pooch.get_logger().setLevel("WARNING")  # it would log each file, besides the progress bar
    if (folder / file).exists() and not (folder / file).is_file():
        raise error_in(folder / file, "is not a file", "remove it")
    reasons = []
    for url in urls:
        responses: list[Any] = []  # if a transfer fails, pooch leaves its response open
        hooks = {"response": lambda response, *_, kept=responses, **__: kept.append(response)}
        http = pooch.HTTPDownloader(progressbar=progress, timeout=30, hooks=hooks)
        fetch = _copy if urlsplit(url).scheme == "file" else http
        try:
            pooch.retrieve(url, f"sha256:{sha256}", file, folder, downloader=fetch)
        except (OSError, ValueError) as error:  # network errors are OSErrors, a wrong checksum is a ValueError
            reasons.append((url, error))
        else:
            return
        finally:
            for response in responses:
                response.close()
    tried = "; ".join(f"{url}: {error}" for url, error in reasons)
    advice = (
        f"go online and try again, or pass a folder that holds the data set, or put {file} into {folder} yourself; the"
        f" environment variable {CACHE_VARIABLE} names another cache"
    )
    raise error_in(folder / file, f"cannot be fetched ({tried})", advice) from reasons[-1][1]


def _copy(url: str, output: str, pooch: object) -> None:
    """A downloader for file: URLs, which pooch does not have."""
    from urllib.request import url2pathname  # takes longer to import than all of nn.data

    Path(output).write_bytes(read(url2pathname(urlsplit(url).path)))


def _pooch() -> Any:
    return optional("pooch", "downloads need pooch", "pip install 'chainrule[data]'")
