"""Every demo runs at its quick setting. The MNIST demo writes its files, and reports an error in one line."""

import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datafiles import idx_bytes, stored
from texts import search

import nn
from demos import mnist
from nn.data import DatasetError, load_mnist
from nn.training import evaluate

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.usefixtures("mnist_in_memory")
DEMOS = sorted(path.stem for path in (ROOT / "demos").glob("*.py") if not path.stem.startswith("_"))
ELSEWHERE = {"gpt", "mnist", "mnist_per_sample", "moons", "neuron", "neurons_mnist", "thresholds", "three_layer"}
"""The demos that have tests of their own, which run them at the quick setting and read their output."""
QUICK = ["--quick", "--no-report"]


WARNINGS = "error,ignore:::pyparsing"
"""Every warning is an error. ``error`` alone would also make pyparsing warn about the oldest matplotlib's grammar."""


def command(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "PYTHONWARNINGS": WARNINGS,
                   "PYTHONIOENCODING": "ascii"}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", sorted({*DEMOS} - ELSEWHERE))
def test_every_demo_runs(name, tmp_path, monkeypatch):
    """Its output goes to a stream that accepts only ASCII."""
    demo = importlib.import_module(f"demos.{name}")
    monkeypatch.chdir(tmp_path)
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="ascii"))
    assert not demo.main(["--quick"])
    sys.stdout.flush()
    assert out.getvalue()


def test_the_list_of_demos(tmp_path):
    done = command("demos", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert [line.split()[2] for line in lines] == [f"demos.{name}" for name in DEMOS]
    assert all(len(line.split()) > 5 for line in lines), "each demo says in its first line what it shows"
    assert all(len(line) < 130 for line in lines)


def test_mnist_as_a_command_writes_everything(tmp_path):
    pytest.importorskip("matplotlib")
    done = command("demos.mnist", "--quick", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    accuracy = float(search(r"accuracy on the 10,000 test images: ([\d.]+)%", done.stdout)[1])
    assert accuracy > 80
    assert "epoch 1/1" in done.stderr

    folder = tmp_path / "runs" / "mnist"
    names = ["accuracy", "bars", "classes", "confusion", "idle", "loss", "weights", "worst"]
    pictures = [f"{name}.png" for name in names]
    files = sorted(["checkpoint.npz", "history.csv", "history.json", "report.html", "weights.npz", *pictures])
    assert sorted(path.name for path in folder.iterdir()) == files
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
    assert f"{accuracy:.2f}%" in (folder / "report.html").read_text(encoding="utf-8")
    (row,) = json.loads((folder / "history.json").read_text())
    assert round(100 * row["test_accuracy"], 2) == accuracy

    # the saved weights give the network that was measured
    model = nn.dense(784, 100, 10)
    with np.load(folder / "weights.npz", allow_pickle=False) as weights:
        model.load_state_dict(weights)
    data = load_mnist()
    assert round(100 * evaluate(model, data.test_x, data.test_y)["accuracy"], 2) == accuracy


def test_the_same_seed_gives_the_same_weights(tmp_path):
    def weights(seed, dropout):
        assert mnist.main([*QUICK, "--seed", seed, "--dropout", dropout, "--out", str(tmp_path)]) == 0
        return (tmp_path / "weights.npz").read_bytes()

    first = weights("3", "0.2")
    assert weights("4", "0.2") != first
    assert weights("3", "0") != first
    assert weights("3", "0.2") == first


@pytest.mark.parametrize("optimizer", mnist.OPTIMIZERS)
def test_every_optimizer_learns_at_its_usual_rate(optimizer, tmp_path, capsys):
    assert mnist.main([*QUICK, "--optimizer", optimizer, "--out", str(tmp_path)]) == 0
    assert float(search(r": ([\d.]+)% \(", capsys.readouterr().out)[1]) > 75


@pytest.mark.parametrize(
    ("arguments", "layers", "dtype"),
    [
        (["--hidden"], [(784, 10)], np.float32),
        (["--hidden", "20", "15", "--activation", "gelu"], [(784, 20), (20, 15), (15, 10)], np.float32),
        (["--dtype", "float64", "--schedule", "cosine", "--batch", "500"], [(784, 100), (100, 10)], np.float64),
        (["--lr", "0.01", "--schedule", "constant", "--activation", "tanh"], [(784, 100), (100, 10)], np.float32),
    ],
)
def test_options_reach_the_network(arguments, layers, dtype, tmp_path):
    assert mnist.main([*QUICK, *arguments, "--out", str(tmp_path)]) == 0
    with np.load(tmp_path / "weights.npz") as weights:
        assert [weights[name].shape for name in weights if name.endswith("weight")] == layers
        assert {weights[name].dtype for name in weights} == {np.dtype(dtype)}


def test_best_is_a_preset_that_other_options_change(tmp_path, capsys):
    plain, best = mnist.parse([]), mnist.parse(["--best"])
    assert {name: value for name, value in vars(best).items() if value != getattr(plain, name)} == {
        "best": True, **mnist.BEST
    }  # fmt: skip
    other = mnist.parse(["--hidden", "30", "--best", "--average", "0"])
    assert vars(other) == vars(best) | {"hidden": [30], "average": 0}
    assert mnist.parse(["--best", "--optimizer", "sgd"]).lr is None, "the rate was Adam's"
    assert mnist.parse(["--best", "--optimizer", "sgd", "--lr", "0.5"]).lr == 0.5

    assert mnist.main([*QUICK, "--best", "--out", str(tmp_path)]) == 0
    assert float(search(r": ([\d.]+)% \(", capsys.readouterr().out)[1]) > 75
    # the average was tested and saved; the checkpoint holds both, the average and the weights
    with np.load(tmp_path / "weights.npz") as weights, np.load(tmp_path / "checkpoint.npz") as checkpoint:
        for name, weight in weights.items():
            assert (weight == checkpoint[f"callback 0/model/{name}"]).all()
            assert (weight != checkpoint[f"network/model.{name}"]).any()


def test_a_convolutional_network(tmp_path, capsys):
    """It is a preset, too. The report shows its filters."""
    plain, other = mnist.parse([]), mnist.parse(["--model", "convnet"])
    assert {name: value for name, value in vars(other).items() if value != getattr(plain, name)} == {
        "model": "convnet", **mnist.CONVNET
    }  # fmt: skip
    assert mnist.parse(["--model", "convnet", "--optimizer", "sgd"]).lr is None, "the rate was Adam's"
    with pytest.raises(SystemExit):
        mnist.parse(["--model", "convnet", "--best"])
    assert mnist.main(["--quick", "--model", "convnet", "--hidden", "20", "--out", str(tmp_path)]) == 0
    assert float(search(r": ([\d.]+)% \(", capsys.readouterr().out)[1]) > 30
    with np.load(tmp_path / "weights.npz") as weights:
        shapes = [weights[name].shape for name in weights if name.endswith("weight")]
    assert shapes == [(16, 1, 5, 5), (32, 16, 5, 5), (512, 20), (20, 10)]
    assert "MNIST convnet" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_images_that_are_too_small_for_the_convnet_are_refused():
    with pytest.raises(DatasetError, match="too small for the convnet, which needs 16 pixels a side: --model mlp"):
        mnist.convnet(mnist.parse(["--model", "convnet"]), (12, 28), 10, np.random.default_rng(0))


def test_augmentation_changes_what_is_learnt(tmp_path):
    def weights(*options):
        assert mnist.main([*QUICK, *options, "--out", str(tmp_path)]) == 0
        return (tmp_path / "weights.npz").read_bytes()

    assert weights("--augment") != weights()


def test_without_matplotlib_everything_but_the_pictures(tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"] + ["matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert mnist.main(["--quick", "--out", str(tmp_path)]) == 0
    files = ["checkpoint.npz", "history.csv", "history.json", "weights.npz"]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert "pip install 'chainrule[demos]'" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "0"], "--batch"),
        (["--epochs", "many"], "invalid int value: 'many'"),
        (["--dropout", "1"], "[0, 1)"),
        (["--average", "1"], "[0, 1)"),
        (["--lr", "nan"], "nan"),
        (["--hidden", "100", "-5"], "-5"),
        (["--optimizer", "magic"], "nesterov"),
        (["--colour"], "--colour"),
    ],
)
def test_a_bad_option_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        mnist.main(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not list(tmp_path.iterdir())


def complaint(capsys, *arguments):
    assert mnist.main([*QUICK, *arguments]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line


def test_another_data_set_in_the_same_files(tmp_path, capsys):
    folder = tmp_path / "clothes"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, n in (("train", 600), ("t10k", 200)):
        labels = rng.integers(0, 10, n).astype("u1")
        images = rng.integers(0, 128, (n, 28, 28)).astype("u1")
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 8] += 127  # a broad stripe, whose height depends on the label
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(stored(idx_bytes(array), compressed=True))
    assert (
        mnist.main([*QUICK, "--data", str(folder), "--epochs", "8", "--batch", "32", "--out", str(tmp_path / "out")])
        == 0
    )
    shown = capsys.readouterr().out
    assert "clothes 784-100-10" in shown
    assert "600 training images" in shown
    assert float(search(r"200 test images: ([\d.]+)%", shown)[1]) > 88
    images = folder / "train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-5])
    assert f"{images}: damaged gzip data" in complaint(capsys, "--data", str(folder), "--out", str(tmp_path / "out"))


def test_a_folder_without_data_is_named(tmp_path, capsys):
    assert str(tmp_path / "none") in complaint(capsys, "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out"))


def test_a_place_that_cannot_be_written_to_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert repr(str(tmp_path / "file")) in complaint(capsys, "--out", str(tmp_path / "file"))


def test_a_training_that_explodes_says_what_to_do(tmp_path, capsys):
    assert "lower learning rate" in complaint(capsys, "--lr", "1e30", "--out", str(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("seed", "01234")
def test_the_usual_settings_reach_their_accuracy(seed, tmp_path, capsys):
    assert mnist.main(["--seed", seed, "--no-report", "--out", str(tmp_path)]) == 0
    assert float(search(r": ([\d.]+)% \(", capsys.readouterr().out)[1]) > 97.8


def test_help_explains_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        mnist.main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for option in ("hidden", "activation", "batch", "epochs", "optimizer", "lr", "schedule", "dropout", "dtype", "seed",
                   "data", "out", "resume", "quick", "no-report"):  # fmt: skip
        assert f"  --{option} " in text
