"""The README as the package index shows it, and the compiled form of `Value`. All else is in pyproject.toml.

The index has no files beside the README, so a relative link would lead nowhere. Each becomes a link to the file in the
repository, at the tag of this version.

The extension is optional: without a C compiler the installation goes on, and Values run in Python.
"""

import os
import re
import sys
import sysconfig
import tomllib
from pathlib import Path

from setuptools import Extension, setup

ROOT = Path(__file__).parent
HOME = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Homepage"]
VERSION = re.search(r'^__version__ = "(.*)"', (ROOT / "autograd" / "__init__.py").read_text(encoding="utf-8"), re.M)[1]


def absolute(link: re.Match[str]) -> str:
    """A link or an image of Markdown with its whole address."""
    return f"{link[1]}({HOME}/{'raw' if link[1].startswith('!') else 'blob'}/v{VERSION}/{link[2]})"


# -ffp-contract=off: no compiler may round a product and a sum in one step, which Python does not.
FLAGS = (
    ["/std:c11"] if sys.platform == "win32" else ["-O2", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"]
)
COMPILED = Extension(
    "autograd.native._value",
    ["autograd/native/value.c"],
    depends=sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("autograd/native/*.h")),
    extra_compile_args=[*FLAGS, *os.environ.get("CHAINRULE_CFLAGS", "").split()],
    extra_link_args=os.environ.get("CHAINRULE_CFLAGS", "").split(),
    optional=True,
)

setup(
    ext_modules=[COMPILED]
    if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    else [],
    long_description=re.sub(
        r"(!?\[[^]]*\])\((?!\w+://|#)([^)]+)\)", absolute, (ROOT / "README.md").read_text(encoding="utf-8")
    ),
    long_description_content_type="text/markdown",
)
