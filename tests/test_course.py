"""Every block of the course prints what stands below it."""

import random
import re

import pytest
from course import BLOCK, CHINESE, PAGES, runs

threadpoolctl = pytest.importorskip("threadpoolctl")


@pytest.mark.parametrize("path", [*PAGES, *CHINESE], ids=[*(x.stem for x in PAGES), *(f"zh-{x.stem}" for x in CHINESE)])
def test_a_chapter(path, tmp_path, monkeypatch):
    """`python tests/course.py` writes anew what its blocks print."""
    monkeypatch.chdir(tmp_path)
    state = random.getstate()
    with threadpoolctl.threadpool_limits(1):
        for code, stated, printed in runs(path.read_text(encoding="utf-8"), str(path)):
            assert printed == stated, code
    random.setstate(state)


def test_chapters_are_numbered_and_lead_to_one_another():
    assert [int(path.stem.partition("-")[0]) for path in PAGES] == [*range(1, 11)]
    contents = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")
    for number, path in enumerate(PAGES, 1):
        text = path.read_text(encoding="utf-8")
        title = text.split("\n")[0].removeprefix(f"# {number}. ")
        assert f"| {number} | [{title}]({path.name}) |" in contents
        following = PAGES[number].name if number < 10 else "README.md"
        assert re.search(rf"\]\({following}\)\n$", text)
        assert text.count("## Exercises") == text.count("<details>") == text.count("</details>") == 1
        assert max(map(len, text.split("\n"))) <= 120


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.stem)
def test_a_chapter_in_chinese_has_the_same_code(path):
    """But for comments, and what they print."""

    def code(page):
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        return [(re.sub(r"  # .*", "", block), printed) for block, printed in blocks]

    assert code(path) == code(path.parent.parent / path.name)
