"""Which form `Value` has: C, or the class in Python, which gives the same numbers to the last bit.

Of a nan, the sign is left to the machine. The compiled form asks more of a program in a few places:

- The fields of a node keep their kinds: `grad` is a float or None, `parents` are Values, and nothing is deleted.
- A Value does not become an instance of a subclass that has attributes of its own, and a computed one of none.
- `object.__setattr__` is refused, as for other classes in C: a subclass calls ``super().__setattr__``.
- What replaces `Value.data` or `Value.grad` in the class itself is not asked. A subclass may have its own.
- Python's collector does not see computed nodes. A cycle through one stays: a leaf with its own loss as an attribute,
  or a computed node whose new `_backward` refers to it. A node that ``Value(data, operands, sign)`` made by hand may
  refer to itself.

The compiled form is an extension module. An installation builds it if it finds a C compiler. It was written from the
table of operations as it was then. If the table has changed since, its formulas would be out of date. So the extension
has the fingerprint of what it was built from, and runs only where that is still the same. The environment variable
``CHAINRULE_PURE=1`` chooses Python. `autograd.compiled` tells which form runs, and ``python -m autograd.native`` tells
why.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WRITTEN = HERE / "rows.h"
"""The rules of the table as C. `autograd.native.notation` writes it."""

BY_HAND = sorted({HERE / "value.c", *HERE.glob("*.h")} - {WRITTEN})
SOURCES = (HERE.parent / "ops" / "elementwise.py", *BY_HAND)
"""What the extension is built from: the table, and the C that is written by hand."""


def fingerprint() -> str:
    """A hash of the sources, whatever their line ends."""
    return hashlib.sha256(b"".join(path.read_bytes().replace(b"\r\n", b"\n") for path in SOURCES)).hexdigest()[:16]


def choose() -> tuple[Any, str]:
    """The extension, or None if Values run in Python; and the reason, as a sentence goes on after "Values run in"."""
    if os.environ.get("CHAINRULE_PURE", "") not in ("", "0"):
        return None, "Python: CHAINRULE_PURE asks for it"
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None, "Python: the compiled form needs CPython with its global lock"
    try:
        built: Any = importlib.import_module("autograd.native._value")
    except ImportError:
        return None, "Python: the compiled form was not built. With a C compiler, the installation builds it"
    if fingerprint() != built.FINGERPRINT:
        return None, "Python: autograd was changed after its compiled form was built. `make native` builds it again"
    return built, "C"


def extension() -> Any:
    """The extension; None if Values run in Python. One that is out of date gives a warning.

    A process has the compiled class once. If a program forgets the library (``del sys.modules[...]``) and imports it
    again, the Values of the second import run in Python.
    """
    built, reason = choose()
    if built is not None and built.is_made():
        return None
    if "was changed" in reason:
        warnings.warn(
            f"Values run in {reason}; CHAINRULE_PURE=1 chooses Python without this warning",
            RuntimeWarning,
            stacklevel=2,
        )
    return built
