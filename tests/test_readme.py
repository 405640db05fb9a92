"""Every code block of the README runs, and the numbers beside it are right."""

import random
import re
from pathlib import Path

import pytest

from autograd import ops
from autograd.rows import Elementwise

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.S)


def check_example(namespace, output):
    assert namespace["loss"].data < 0.01
    assert output.startswith("Value(data=0.00")


def check_micrograd(namespace, output):
    assert output == "24.7041, 138.8338, 645.5773\n"


def check_seeing(namespace, output):
    (shown,) = re.findall(r"```text\n(value .*?)```", TEXT, re.S)
    assert output == shown
    assert "<svg" in namespace["picture"].svg()
    assert namespace["page"].count == 14


def check_vectorize(namespace, output):
    (shown,) = re.findall(r"```text\n(def forward.*?)```", TEXT, re.S)
    assert output == shown
    assert len(namespace["fast"].parameters()) == 4


def check_moons(namespace, output):
    assert namespace["accuracy"] > 0.98


def check_digits(namespace, output):
    predict, image = {"__name__": "digits"}, namespace["test_x"][0]
    exec(Path("digits.py").read_text(encoding="utf-8"), predict)
    assert predict["predict"](image.tolist()) == pytest.approx(namespace["model"](image[None]).data[0], rel=1e-5)
    assert sorted(path.name for path in Path().iterdir()) == ["digits.npz", "digits.onnx", "digits.py"]
    assert (namespace["predicted"] == namespace["data"].test_y).mean() > 0.95
    idle = r"1 ReLU: (\d+)% inactive on average; 0 of 32 units for every sample\n"
    (shown,), (found,) = re.findall(idle, TEXT), re.findall(idle, output)
    assert float(shown) == pytest.approx(float(found), abs=3)  # other machines round otherwise


def check_row(namespace, output):
    assert namespace["softsign"](1.0) == 0.5


def check_source(namespace, output):
    assert output.startswith("def pull_vv(node):")
    assert "a.grad += y * g" in output


def check_transforms(namespace, output):
    assert output == "12.0\n(12.0, 12.0)\n"


def check_report(namespace, output):
    with pytest.raises(AssertionError) as raised:
        namespace["test_cube"]()
    (report,) = re.findall(r"```text\nAssertionError: (.*?)```", TEXT, re.S)
    said = "\n".join([str(raised.value), *raised.value.__notes__])
    assert said.replace("Falsifying example", "Failing test case").startswith(report)  # as Hypothesis used to call it


CHECKS = [
    check_example, check_micrograd, check_seeing, check_vectorize, check_moons, check_digits, check_row, check_source,
    check_transforms, check_report,
]  # fmt: skip


def test_every_block_is_checked():
    assert len(BLOCKS) == len(CHECKS)
    assert TEXT.count("```") == 2 * (len(BLOCKS) + len(re.findall(r"```(?:sh|text)\n", TEXT)))


@pytest.mark.parametrize(
    ("block", "check"), list(zip(BLOCKS, CHECKS, strict=True)), ids=[c.__name__[6:] for c in CHECKS]
)
def test_block(block, check, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = random.getstate()
    random.seed(0)
    namespace = {**vars(ops), "Elementwise": Elementwise} if check is check_row else {}
    exec(compile(block, "<block of the README>", "exec"), namespace)
    random.setstate(state)
    check(namespace, capsys.readouterr().out)


def test_what_it_names_exists():
    for name in re.findall(r"`((?:autograd|nn|demos|benchmarks)/[\w/.]*)`", TEXT):
        assert (ROOT / name).exists(), name
    for picture in re.findall(r"!\[[^]]*\]\((.*?)\)", TEXT):
        assert (ROOT / picture).exists(), picture


def test_every_demo_is_in_the_list():
    listed = re.findall(r"^\| `demos\.(\w+)` \|", TEXT, re.M)
    assert sorted(listed) == [path.stem for path in sorted((ROOT / "demos").glob("[!_]*.py"))]


def test_the_shell_blocks_are_the_makefiles_goals():
    goals = re.findall(r"^make (\w+)", TEXT, re.M)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(goals) == {"mnist", "test"}
    for goal in (*goals, "check", "bench", "clean"):
        assert re.search(rf"^{goal}:", makefile, re.M), goal
