"""``python -m demos``: the demos, a line each."""

import ast
from pathlib import Path

from nn.support.text import legible


def main() -> None:
    """Print each demo's command and the first line of what it says about itself, without running any."""
    legible()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.stem.startswith("_"):
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            print(f"python -m demos.{path.stem:<17}{text.partition(chr(10))[0]}")


if __name__ == "__main__":
    main()
