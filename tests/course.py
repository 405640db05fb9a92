"""The pages of the course: their blocks of code, and what each prints.

`python tests/course.py` runs all pages, and writes what their blocks print into them.
"""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "course"
PAGES = sorted(FOLDER.glob("[0-9]*.md"), key=lambda path: int(path.name.partition("-")[0]))
CHINESE = sorted(FOLDER.glob("zh/[0-9]*.md"))
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.S)


def runs(page: str, name: str) -> Iterator[tuple[str, str, str]]:
    """For each block of a page its code, what stands below it, and what it prints. They share their names."""
    namespace: dict[str, object] = {"__name__": "course"}
    for block in BLOCK.finditer(page):
        code, stated = block[1], block[2] or ""
        line = page[: block.start(1)].count("\n")
        screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        with contextlib.redirect_stdout(screen):
            exec(compile("\n" * line + code, name, "exec"), namespace)
        screen.flush()
        printed = screen.buffer.getvalue().decode()
        yield code, stated, "\n".join(x.rstrip() for x in printed.split("\n"))


def main() -> None:
    """Write what the blocks print."""
    for path in (*PAGES, *CHINESE):
        if len(sys.argv) > 1 and not any(path.name.startswith(x) for x in sys.argv[1:]):
            continue
        page = path.read_text(encoding="utf-8")
        outputs = iter([printed for _, _, printed in runs(page, str(path))])

        def filled(block: re.Match[str], outputs: Iterator[str] = outputs) -> str:
            printed = next(outputs)
            shown = f"\n```text\n{printed}```\n" if printed else ""
            return f"```python\n{block[1]}```\n{shown}"

        path.write_text(BLOCK.sub(filled, page), encoding="utf-8")


if __name__ == "__main__":
    main()
