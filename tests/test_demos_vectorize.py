"""The demos of `vectorize` at their quick settings: scalars and arrays agree, and the output says so."""

import re
import sys

import pytest

from demos import moons, neurons_mnist

pytestmark = pytest.mark.usefixtures("mnist_in_memory")


def found(pattern, text):
    match = re.search(pattern, text)
    assert match, f"{pattern} is not in\n{text}"
    return match[1] if match.re.groups == 1 else match.groups()


def files(folder):
    pytest.importorskip("matplotlib")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.glob("*.png"))
    return sorted(path.name for path in folder.iterdir())


def test_moons_in_scalars_and_in_arrays_agree(tmp_path, capsys):
    assert moons.main(["--quick", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "scores = list(map(model, Xb))" in out, "the loss as it was written"
    assert "def forward(Xb, yb, " in out
    assert "def backward(dy, " in out
    assert float(found(r"largest relative difference of the losses in 3 steps: (\S+)", out)) < 1e-9
    rows = re.findall(r"^ +(\d+)  ([\d.]+) +([\d.]+)$", out, re.MULTILINE)
    assert [row[0] for row in rows] == ["0", "1", "2"]
    assert all(float(scalar) == pytest.approx(float(array), rel=1e-9) for _, scalar, array in rows)
    assert int(found(r"The scalar network classifies (\d+) of 100 points right", out)) > 60
    assert files(tmp_path) == ["boundary.png"]


@pytest.mark.parametrize("seed", "123")
def test_moons_are_told_apart_from_every_start(seed, tmp_path, capsys):
    assert moons.main(["--scalar-steps", "1", "--seed", seed, "--out", str(tmp_path)]) == 0
    assert int(found(r"The scalar network classifies (\d+) of 100 points right", capsys.readouterr().out)) > 90


def test_neurons_read_mnist_as_the_matrices_do(tmp_path, capsys):
    assert neurons_mnist.main(["--quick", "--out", str(tmp_path)]) == 0
    out, progress = capsys.readouterr()
    assert "110 neurons, 79,510 Values" in out
    assert "h1 = relu(linear(x, w1, b1))" in out
    assert found(r"matrix products +(\d+)", out) == "2"
    assert found(r"seconds +trace ([\d.]+), ", out)
    assert "epoch 1/1: train_loss=" in progress
    assert float(found(r"accuracy on the 10,000 test images: ([\d.]+)%", out)) > 80
    assert found(r"same class as with matrices: (\d+) of (\d+)", out) == ("20", "20")
    assert float(found(r"largest difference of the logits: ([\d.e-]+) ", out)) < 1e-4
    assert files(tmp_path) == ["history.csv", "neurons.png"]


def test_without_matplotlib_all_but_the_picture(tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"] + ["matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert moons.main(["--quick", "--out", str(tmp_path)]) == 0
    assert "no picture: pictures need matplotlib: pip install 'chainrule[demos]'" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("demo", [moons, neurons_mnist])
def test_complaints_are_one_line(demo, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert demo.main(["--quick", "--out", str(tmp_path / "file")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert repr(str(tmp_path / "file")) in line
    with pytest.raises(SystemExit):
        demo.main(["--seed", "none"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: argument --seed: invalid int value")


def test_ctrl_c_is_one_line(monkeypatch, tmp_path, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(moons, "vectorize", interrupted)
    assert moons.main(["--quick", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.slow
@pytest.mark.parametrize("seed", "012")
def test_the_usual_settings_reach_their_accuracy(seed, tmp_path, capsys):
    assert neurons_mnist.main(["--seed", seed, "--out", str(tmp_path)]) == 0
    assert float(found(r"accuracy on the 10,000 test images: ([\d.]+)%", capsys.readouterr().out)) > 97.5
