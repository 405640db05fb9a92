"""Optional packages: imported on first use, with an error that says what to install."""

import importlib
from typing import Any


def optional(module: str, need: str, remedy: str) -> Any:
    """A module of an optional package. If it is missing, the ImportError says what needs it and how to install it.

    >>> optional("no.such", "drawings need no.such", "pip install no.such")
    Traceback (most recent call last):
    ImportError: drawings need no.such: pip install no.such
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{need}: {remedy}") from error
