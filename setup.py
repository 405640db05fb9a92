"""The README as the package index shows it. Everything else about the package is in pyproject.toml.

The index has no files beside the README, so a relative link would lead nowhere. Each becomes a link to the file in the
repository, at the tag of this version.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
HOME = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Homepage"]
VERSION = re.search(r'^__version__ = "(.*)"', (ROOT / "autograd" / "__init__.py").read_text(encoding="utf-8"), re.M)[1]


def absolute(link: re.Match[str]) -> str:
    """A link or an image of Markdown with its whole address."""
    return f"{link[1]}({HOME}/{'raw' if link[1].startswith('!') else 'blob'}/v{VERSION}/{link[2]})"


setup(
    long_description=re.sub(
        r"(!?\[[^]]*\])\((?!\w+://|#)([^)]+)\)", absolute, (ROOT / "README.md").read_text(encoding="utf-8")
    ),
    long_description_content_type="text/markdown",
)
