"""The oldest releases that pyproject.toml allows, as constraints for pip. `make test-minima` installs them."""

import tomllib
from pathlib import Path

BESIDE = ["pyparsing<3.3"]  # a newer one deprecates functions that the oldest matplotlib calls


def minima():
    """A line for each package that any extra needs: ``numpy==2.0``."""
    file = Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *(x for extra in project["optional-dependencies"].values() for x in extra)]
    return sorted({x.replace(">=", "==") for x in declared if not x.startswith(f"{project['name']}[")})


if __name__ == "__main__":
    print(*minima(), *BESIDE, sep="\n")
