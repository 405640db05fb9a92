"""Every code block of the README and of docs/ runs, and the numbers beside it are right."""

import random
import re
from pathlib import Path
from typing import Any

import pytest

from autograd import ops
from autograd.ops.rows import Elementwise

ROOT = Path(__file__).parent.parent
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
         for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))}  # fmt: skip
COURSE = [name for name in PAGES if name.startswith("docs/course/")]  # `tests/test_course.py` runs their blocks
BLOCKS = {name: re.findall(r"```python\n(.*?)```", text, re.S) for name, text in PAGES.items() if name not in COURSE}


def shown(start):
    """The block of text that begins so. Only one page has it."""
    (found,) = re.findall(rf"```text\n({re.escape(start)}.*?)```", "".join(PAGES[name] for name in BLOCKS), re.S)
    return found


def check_example(namespace, output):
    assert namespace["loss"].data < 0.01
    assert output.startswith("Value(data=0.00")


def check_micrograd(namespace, output):
    assert output == "24.7041, 138.8338, 645.5773\n"


def check_by_hand(namespace, output):
    assert output == "9.0, 12.0\n"


def check_tree(namespace, output):
    assert output == shown("value ")
    assert "<svg" in namespace["picture"].svg()
    assert namespace["page"].count == 14


def check_evaluation(namespace, output):
    assert re.fullmatch(r"\{'loss': [\d.]+, 'accuracy': 0\.9\d+\}\n", output)


def check_seeing(namespace, output):
    assert output.startswith("value ")
    assert "\n         = 6\n" in output


def check_vectorize(namespace, output):
    assert output == shown("def forward(x, w1, b1, w2, b2)")
    assert len(namespace["fast"].parameters()) == 4


def check_shapes(namespace, output):
    assert [[round(x, 9) for x in eval(line)] for line in output.splitlines()] == [[0.2, 0.3], [0.5, 0.6]]
    assert len(namespace["mean"].programs) == 2


def check_sharing(namespace, output):
    assert output == "True\n"
    assert all(x is y for x, y in zip(*(namespace[x].parameters() for x in ("trained", "asked")), strict=True))


def check_leaving(namespace, output):
    torch, jax = (Path(name).read_text(encoding="utf-8") for name in ("model.py", "function.py"))
    assert "class Program(torch.nn.Module):" in torch
    assert "def program(parameters, x):" in jax


def check_derivation(namespace, output):
    assert "\n      = 6\n" in output


def check_for_class(namespace, output):
    assert sorted(path.name for path in Path().iterdir()) == ["graph.svg", "steps.html"]


def check_model(namespace, output):
    assert namespace["first"].item() > 10 * namespace["error"].item()
    assert "def backward(" in output


def check_wrong(namespace, output):
    assert "off by a factor of 0.666667" in output


def check_passes(namespace, output):
    assert output == "".join(re.findall(r"```text\n(.*?)```", PAGES["docs/passes.md"], re.S))


def check_moons(namespace, output):
    assert namespace["accuracy"] > 0.98


def check_digits(namespace, output):
    predict: dict[str, Any] = {"__name__": "digits"}
    image = namespace["test_x"][0]
    exec(Path("digits.py").read_text(encoding="utf-8"), predict)
    assert predict["predict"](image.tolist()) == pytest.approx(namespace["model"](image[None]).data[0], rel=1e-5)
    assert sorted(path.name for path in Path().iterdir()) == ["digits.npz", "digits.onnx", "digits.py"]
    assert (namespace["predicted"] == namespace["data"].test_y).mean() > 0.95
    idle = r"1 ReLU: (\d+)% inactive on average; 0 of 32 units for every sample\n"
    (told,), (found,) = re.findall(idle, PAGES["docs/training.md"]), re.findall(idle, output)
    assert float(told) == pytest.approx(float(found), abs=3)  # other machines round differently


def check_short_way(namespace, output):
    assert re.fullmatch(r"\{'loss': [\d.]+, 'accuracy': (0\.9\d*|1\.0)\}\n", output)


def check_images(namespace, output):
    assert "(batch, 8, 14, 14)" in output and "15,898 parameters" in output


def check_rate(namespace, output):
    assert namespace["optimizer"].lr == namespace["found"].suggestion
    assert 0.003 < namespace["optimizer"].lr < 0.1


def check_search(namespace, output):
    assert output.startswith("{'mlpclassifier__hidden_layer_sizes': (64,)} 0.")
    assert namespace["search"].best_score_ > 0.8
    assert namespace["network"].summary(64).parameters == 64 * 64 + 64 + 64 * 10 + 10


def check_row(namespace, output):
    assert namespace["softsign"](1.0) == 0.5


def check_signature(namespace, output):
    assert f"  # {output}" in PAGES["docs/editors.md"]


def check_transforms(namespace, output):
    assert output == "12.0\n(12.0, 12.0)\n"


def check_report(namespace, output):
    with pytest.raises(AssertionError) as raised:
        namespace["test_cube"]()
    report = shown("AssertionError: ").removeprefix("AssertionError: ")
    said = "\n".join([str(raised.value), *raised.value.__notes__, ""])  # if lines are traced, no note follows
    assert said.replace("Falsifying example", "Failing test case").startswith(report)  # the older words


def check_node(namespace, output):
    c = namespace["c"]
    for name in re.findall(r"^\| `(\w+)` \| ", PAGES["docs/engine.md"], re.M):
        assert hasattr(c, name), name


def check_order(namespace, output):
    assert namespace["d"].grad == 0.0


def check_sweep(namespace, output):
    a, b = namespace["a"].grad, namespace["b"].grad
    namespace["a"].grad = namespace["b"].grad = 0.0
    namespace["d"].backward()
    assert (namespace["a"].grad, namespace["b"].grad) == (a, b)


def check_form(namespace, output):
    assert namespace["autograd"].compiled == (type(namespace["autograd"].Value.backward).__name__ != "function")


CHECKS = {
    "README.md": [check_example, check_tree, check_evaluation],
    "README.zh.md": [check_example],
    "docs/editors.md": [check_signature],
    "docs/engine.md": [check_node, check_order, check_sweep, check_form],
    "docs/operations.md": [check_row, check_transforms],
    "docs/passes.md": [check_passes],
    "docs/proving.md": [check_report],
    "docs/scalars.md": [check_micrograd, check_by_hand],
    "docs/seeing.md": [check_seeing],
    "docs/start.md": [check_derivation, check_for_class, check_model, check_wrong],
    "docs/tensors.md": [check_moons],
    "docs/training.md": [check_digits, check_short_way, check_images, check_rate, check_search],
    "docs/vectorize.md": [check_vectorize, check_shapes, check_sharing, check_leaving],
}
PAIRS = [pair for name, checks in CHECKS.items() for pair in zip(BLOCKS[name], checks, strict=True)]


def test_every_block_is_checked():
    assert {name for name, blocks in BLOCKS.items() if blocks} == set(CHECKS)
    for name in BLOCKS:
        text = PAGES[name]
        assert text.count("```") == 2 * (len(BLOCKS[name]) + len(re.findall(r"```(?:sh|text)\n", text))), name


@pytest.mark.parametrize(("block", "check"), PAIRS, ids=[check.__name__[6:] for _, check in PAIRS])
def test_block(block, check, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = random.getstate()
    random.seed(0)
    namespace = {**vars(ops), "Elementwise": Elementwise} if check is check_row else {}
    exec(compile(block, "<block of a page>", "exec"), namespace)
    random.setstate(state)
    check(namespace, capsys.readouterr().out)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_names_exists(name):
    for path in re.findall(r"`((?:autograd|nn|demos|benchmarks|docs)/[\w/.]*)`", PAGES[name]):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\(([^)#]*)[^)]*\)", PAGES[name]):
        assert "://" in target or ((ROOT / name).parent / target).exists(), target


def test_every_page_can_be_reached_from_the_readme():
    met, stack = set(), ["README.md"]
    while stack:
        if (name := stack.pop()) not in met:
            met.add(name)
            targets = [(ROOT / name).parent / x for x in re.findall(r"\]\(([^):#]*\.md)", PAGES[name])]
            stack += [target.resolve().relative_to(ROOT).as_posix() for target in targets]
    assert met == set(PAGES)


def test_the_readme_is_short():
    assert PAGES["README.md"].count("\n") <= 200


def test_every_demo_is_in_the_list():
    listed = re.findall(r"^\| `demos\.(\w+)` \|", PAGES["docs/demos.md"], re.M)
    assert sorted(listed) == [path.stem for path in sorted((ROOT / "demos").glob("[!_]*.py"))]


def test_the_shell_blocks_are_the_makefiles_goals():
    goals = re.findall(r"^make (\w+)", PAGES["README.md"], re.M)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(goals) == {"mnist", "test"}
    for goal in (*goals, "check", "bench", "clean"):
        assert re.search(rf"^{goal}:", makefile, re.M), goal
