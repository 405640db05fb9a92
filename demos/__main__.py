"""``python -m demos``: a list of the demos, with one line for each."""

import ast
from pathlib import Path

from nn.support.text import legible


def main() -> None:
    """Print each demo's command and the first line of its docstring, without running any."""
    legible()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.stem.startswith("_"):
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            print(f"python -m demos.{path.stem:<17}{text.partition(chr(10))[0]}")


if __name__ == "__main__":
    main()
