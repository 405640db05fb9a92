"""`nn.training.live`: when frames are drawn, how they look, and where they are shown or saved."""

import io
import sys
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nn
from nn import Frames, History, plots
from nn.data import Batches, moons
from nn.training import fit

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

X, Y = moons(40, seed=0)


def train(callbacks, epochs=4, **kwargs):
    """Train with four steps per epoch. Returns the network."""
    model = nn.dense(2, 4, 2, rng=0, dtype=np.float64)
    batches, optimizer = Batches(X, Y, batch_size=10, seed=0), nn.SGD(model, lr=0.5)
    fit(model, batches, nn.cross_entropy, optimizer, epochs=epochs, callbacks=callbacks, progress=False, **kwargs)
    return model


class Counter:
    """Draws the number of its calls, as a line of that height."""

    def __init__(self):
        self.calls = 0

    def __call__(self, ax):
        assert not ax.has_data()
        self.calls += 1
        ax.plot([0, 1], [self.calls] * 2)
        ax.set_ylim(0, 20)


@pytest.fixture
def frames(tmp_path):
    """Makes small frames and remembers their titles."""

    class Titled(Frames):
        def __init__(self, *draw, **kwargs):
            self.titles = []
            where = {} if {"gif", "folder", "notebook"} & {*kwargs} else {"folder": tmp_path / "frames"}
            super().__init__(*(draw or [Counter()]), **{"size": (2, 1.5), "dpi": 40, **where, **kwargs})

        def add(self, title=""):
            self.titles.append(title.partition(" · ")[0])
            super().add(title)

    return Titled


# ---------------------------------------------------------------------------------------------- when they are drawn


@pytest.mark.parametrize(
    ("settings", "titles"),
    [
        ({}, ["before training", "epoch 1", "epoch 2", "epoch 3", "epoch 4"]),
        ({"every": 2}, ["before training", "epoch 2", "epoch 4"]),
        ({"every": 3, "start": False}, ["epoch 3", "epoch 4"]),
        ({"every": 100}, ["before training", "epoch 4"]),
        (
            {"every": 7, "unit": "step"},
            ["before training", "epoch 2, step 3", "epoch 4, step 2", "epoch 4, step 4"],
        ),
        ({"every": 8, "unit": "step"}, ["before training", "epoch 2, step 4", "epoch 4, step 4"]),
    ],
)
def test_frames_are_drawn_every_so_often_and_at_the_end(frames, tmp_path, settings, titles):
    live = frames(**settings)
    train([live])
    assert live.titles == titles
    assert len(live) == live.draw[0].calls == len(titles)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [f"{i:04}.png" for i in range(len(titles))]


def test_the_title_has_the_loss_that_the_history_has(tmp_path):
    history, titles = History(), list[str]()
    live: Any = Frames(lambda ax: None, folder=tmp_path, start=False)
    live.add = titles.append
    train([live], history=history)
    assert titles == [f"epoch {i} · loss {loss:.4f}" for i, loss in enumerate(history["train_loss"], 1)]


def test_a_stopped_training_has_its_last_frame(frames):
    live = frames(every=3)
    train([live, lambda state: state.epoch == 2 and state.stop()])
    assert live.titles == ["before training", "epoch 2"]
    live = frames()
    train([live], epochs=0)
    assert live.titles == ["before training"]


def test_each_training_has_its_own_frames(frames, tmp_path):
    live = frames(gif=tmp_path / "a.gif", every=2)
    for _ in range(2):
        train([live])
        with Image.open(tmp_path / "a.gif") as gif:
            assert gif.n_frames == len(live) == 3


def test_drawing_changes_nothing(frames):
    drawn = nn.dense(2, 1)
    live = frames(
        lambda ax: plots.decision_boundary(drawn, X, Y, resolution=5, ax=ax), lambda ax: ax.plot(np.arange(3))
    )
    plain, watched = train([]), train([live])
    for a, b in zip(plain.parameters(), watched.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_curves_are_drawn_of_a_history_that_grows(frames):
    history, seen = History(), []
    live = frames(lambda ax: seen.append(len(plots.curves(history, ax=ax).lines[0].get_path())), start=False)
    train([live], history=history)
    assert seen == [1, 2, 3, 4]


# ------------------------------------------------------------------------------------------------- what they look like


def test_frames_have_one_size_and_the_pictures_side_by_side(frames, tmp_path):
    widths = []

    def wide(ax):
        widths.append(ax.get_position().x0)
        ax.set_ylabel("label" * len(widths))

    live = frames(Counter(), wide, dpi=50, size=(4, 2))
    for title in ("", "a title", "another"):
        live.add(title)
    pictures = [Image.open(path) for path in sorted((tmp_path / "frames").iterdir())]
    assert {picture.size for picture in pictures} == {(200, 100)}
    assert len({picture.tobytes() for picture in pictures}) == 3
    assert widths[0] > 0.5


def test_axes_are_fresh_for_each_frame(frames):
    live = frames(partial(plots.decision_boundary, lambda points: points[:, 0], X, Y, resolution=5), size=(3, 3))
    for _ in range(3):
        live.add()
        assert len(live.figure.axes) == 2  # the picture and its colour bar


# -------------------------------------------------------------------------------------------------- the animation


def test_an_animation_has_every_frame_and_holds_the_last(frames, tmp_path):
    path = tmp_path / "new" / "boundary.gif"
    live = frames(gif=path, seconds=0.05, hold=1.5)
    train([live])
    with Image.open(path) as gif:
        assert gif.format == "GIF"
        assert gif.size == (80, 60)
        assert gif.info["loop"] == 0
        assert gif.n_frames == 5
        durations, heights = [], []
        for i in range(5):
            gif.seek(i)
            durations.append(gif.info["duration"])
            pixels = np.asarray(gif.convert("RGB"), int)
            blue = pixels[..., 2] - pixels[..., 0] > 60
            heights.append(np.flatnonzero(blue.any(axis=1)).mean())
    assert durations == [50, 50, 50, 50, 1500]
    assert heights == sorted(heights, reverse=True)  # the line rises
    assert len(set(heights)) == 5
    assert [p.name for p in path.parent.iterdir()] == ["boundary.gif"]


def test_a_loop_by_hand(frames, tmp_path):
    live = frames(gif=tmp_path / "a.gif", folder=tmp_path / "png")
    for step in range(3):
        live.add(f"step {step}")
    assert not (tmp_path / "a.gif").exists()
    live.save()
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3
    assert len(list((tmp_path / "png").iterdir())) == 3


def test_frames_wait_compressed(frames, tmp_path):
    live = frames(gif=tmp_path / "a.gif", size=(10, 10), dpi=100)
    live.add()
    (png,) = live._pngs
    assert len(png) < 1000 * 1000 / 20


def test_what_a_broken_training_drew_can_be_saved(frames, tmp_path):
    live = frames(gif=tmp_path / "a.gif")

    def fail(state):
        if state.epoch == 2:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        train([live, fail])
    assert not (tmp_path / "a.gif").exists()
    live.save()
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3


def test_an_animation_is_written_whole_or_not_at_all(frames, tmp_path, monkeypatch):
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    live = frames(gif=path)
    for _ in range(3):
        live.add()
    live._pngs[2] = live._pngs[2][:50]
    with pytest.raises((OSError, SyntaxError)):
        live.save()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_frame_is_written_whole_or_not_at_all(frames, tmp_path, monkeypatch):
    live = frames()
    live.add()
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        live.add()
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["0000.png"]
    assert len(live) == 1


# ---------------------------------------------------------------------------------------------------- notebooks


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for IPython: the list of pictures that it displayed, as ("new" or "update", PNG)."""
    shown = []
    handle = SimpleNamespace(update=lambda picture: shown.append(("update", picture.data)))

    def display(picture, display_id):
        assert display_id is True
        shown.append(("new", picture.data))
        return handle

    fake = SimpleNamespace(display=display, Image=lambda data: SimpleNamespace(data=data))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object(), display=fake))
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    return shown


def test_one_figure_changes_in_a_notebook(frames, notebook):
    live = frames(notebook=True)
    for _ in range(2):
        train([live], epochs=2)
    assert [kind for kind, _ in notebook] == ["new", "update", "update"] * 2
    for _, png in notebook:
        with Image.open(io.BytesIO(png)) as picture:
            assert picture.size == (80, 60)
    assert not live._pngs


def test_outside_of_a_notebook_there_is_an_error(notebook, monkeypatch):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    with pytest.raises(ValueError, match="folder= or gif="):
        Frames(Counter(), notebook=True)


# ------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "gif= or notebook=True"),
        ({"gif": "a.mp4"}, r"\.gif, not as a\.mp4"),
        ({"folder": "a", "every": 0}, "every=0"),
        ({"folder": "a", "unit": "batch"}, "unit='batch'"),
        ({"gif": "a.gif", "seconds": 0.001}, "seconds=0.001"),
        ({"gif": "a.gif", "hold": float("nan")}, "hold=nan"),
    ],
)
def test_settings_have_to_make_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        Frames(Counter(), **settings)


@pytest.mark.parametrize("draw", [(), ("curves",)])
def test_somebody_has_to_draw(draw):
    with pytest.raises(TypeError, match="ax=axes"):
        Frames(*draw, folder="a")


@pytest.mark.parametrize("where", [{"folder": "a"}, {"gif": "a.gif"}])
def test_an_animation_needs_frames(where):
    with pytest.raises(ValueError, match=r"gif=.*0 frames"):
        Frames(Counter(), **where).save()


@pytest.mark.parametrize(
    ("module", "settings", "message"),
    [
        ("matplotlib.figure", {"folder": "a"}, r"pip install 'chainrule\[demos\]'"),
        ("PIL.Image", {"gif": "a.gif"}, "pip install pillow"),
        ("IPython.display", {"notebook": True}, "pip install ipython"),
    ],
)
def test_what_is_missing_is_said_at_once(monkeypatch, module, settings, message):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=message):
        Frames(Counter(), **settings)
