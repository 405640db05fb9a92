"""Packages that are not always installed: imported when first used, and missed in words that say what to install."""

import importlib
from typing import Any


def optional(module: str, need: str, remedy: str) -> Any:
    """A module that is not always installed; an ImportError that says who needs it and how to get it if it is not.

    >>> optional("no.such", "telepathy needs a ring", "pip install ring")
    Traceback (most recent call last):
    ImportError: telepathy needs a ring: pip install ring
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{need}: {remedy}") from error
