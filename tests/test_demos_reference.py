"""The demos of the reference networks at small settings: they agree, draw, and report an error in one line."""

import sys

import numpy as np
import pytest

from demos import _reference, neuron, three_layer, thresholds

SMALL = {three_layer: ["--iterations", "12"], thresholds: ["--epochs", "3"], neuron: ["--steps", "5"]}
PICTURES = {
    three_layer: ["loss.png", "network.svg", "weights.png"],
    thresholds: ["output.png"],
    neuron: ["curves.png", "training.png"],
}


@pytest.fixture(params=SMALL, ids=lambda demo: demo.__name__.partition(".")[2])
def demo(request):
    return request.param


@pytest.fixture
def undrawn(demo, monkeypatch):
    """Without pictures, which take most of the time."""
    monkeypatch.setattr(demo, "pictures", lambda *_: None)


def run(demo, folder, *options):
    return demo.main([*SMALL[demo], "--quick", "--out", str(folder), *options])


def test_they_agree_and_draw(demo, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert run(demo, tmp_path) == 0
    out = capsys.readouterr().out
    assert "class Scalars" in out and "class Matrices" in out and "\ndef backward(" in out
    assert "largest relative difference between Values, Tensors, vectorize" in out
    assert "published" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == PICTURES[demo]
    assert all(path.read_bytes().startswith((b"\x89PNG", b"<?xml")) for path in tmp_path.iterdir())


def test_another_start_is_not_compared_with_the_published(demo, undrawn, tmp_path, capsys):
    assert run(demo, tmp_path / "a") == 0
    usual = capsys.readouterr().out
    assert run(demo, tmp_path / "b", "--seed", "7") == 0
    other = capsys.readouterr().out
    tables = [text[text.index("  on Values") :].split("\n\n")[0] for text in (usual, other)]
    assert tables[0] != tables[1]
    assert "published" not in tables[1]
    assert ("from the published numbers" in usual) == (demo is not neuron)
    assert "from the published numbers" not in other


def test_ways_that_disagree_are_an_error(demo, undrawn, tmp_path, monkeypatch):
    monkeypatch.setattr(_reference, "AGREE", 0.0)
    assert run(demo, tmp_path) == 1


def test_quick_does_less(demo):
    """The number of steps is the one asked for, but not more than that of --quick."""
    name = SMALL[demo][0].removeprefix("--")
    assert (
        vars(demo.parse([]))[name]
        > vars(demo.parse(["--quick"]))[name]
        > vars(demo.parse(["--quick", *SMALL[demo]]))[name]
    )


def test_without_matplotlib_all_but_the_pictures(demo, tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"] + ["matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert run(demo, tmp_path) == 0
    assert "no picture: pictures need matplotlib: pip install 'chainrule[demos]'" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.png"))


def test_a_place_that_cannot_be_written_to_is_named(demo, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(demo, tmp_path / "file") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and repr(str(tmp_path / "file")) in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "none"], "invalid int value: 'none'"),
        (["--seed", "-1"], "-1 is not in [0, 4294967296)"),
        (["--seed", str(2**32)], "is not in [0, 4294967296)"),
        (["--colour"], "--colour"),
    ],
)
def test_a_bad_option_is_one_line(demo, options, message, capsys):
    with pytest.raises(SystemExit) as caught:
        demo.main(options)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and message in line


def test_no_steps_are_refused(demo, capsys):
    with pytest.raises(SystemExit):
        demo.main([SMALL[demo][0], "0"])
    assert "0 is not in [1, inf)" in capsys.readouterr().err


def test_a_published_number_that_is_missed_shows(capsys):
    ways = {"Values": [1.0, 2.0], "Tensors": [1.0, 2.0 + 1e-6]}
    assert not _reference.table("step", ways, [0, 1], {1: 2.5})
    out = capsys.readouterr().out
    assert "from the published numbers: 2.0e-01" in out
    assert "in 2 numbers: 5.0e-07" in out


def test_panels_of_one_quantity_share_their_scale():
    """Weights before and after training have one colour scale, for both matrices. Curves have one axis."""
    pytest.importorskip("matplotlib")
    small, large = (np.full((3, 4), 0.5), np.ones((4, 1))), (np.full((3, 4), -7.0), np.ones((4, 1)))
    images = [image for ax in three_layer.before_and_after(small, large).axes[:4] for image in ax.images]
    assert [image.get_clim() for image in images] == [(-7.0, 7.0)] * 4
    assert len({ax.get_ylim() for ax in neuron.activations().axes}) == 1
