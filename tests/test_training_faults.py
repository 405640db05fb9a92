"""Faults around a training: numbers in the data that are not finite, and output streams that are closed."""

import io
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, Value
from nn.training import NonFiniteLoss, fit

FORMS = [np.asarray, lambda x: x.tolist(), lambda x: {"a": [1], "b": x}, Tensor]


@given(st.sampled_from(["inputs", "targets"]), st.sampled_from([math.nan, math.inf, -math.inf]), st.data())
def test_what_is_not_finite_in_the_data_is_shown_where_it_is(part, number, data):
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    place = [data.draw(st.integers(0, n - 1)) for n in shape]
    array = np.zeros(shape, np.float32)
    array[tuple(place)] = number
    given = data.draw(st.sampled_from(FORMS))(array)
    w = Value(1.0)
    batch = (given, 0.0) if part == "inputs" else ([1, 2], given)
    with pytest.raises(NonFiniteLoss) as caught:
        fit(lambda x: w, [batch], lambda out, y: out * math.nan, nn.SGD([w], 0.1), epochs=1, progress=False)
    message = str(caught.value)
    assert f"The batch's {part} are not finite ({number:g} " in message
    assert "lower" not in message
    named = {1: "in row {}", 2: "in row {}, column {}"}.get(len(place), f"at {place}").format(*place)
    assert (f"at ['b']{place}" if isinstance(given, dict) else named) in message


def trained(**settings):
    w = Value(1.0)
    return fit(lambda x: w, [(0, 1)] * 40, lambda out, y: (out - y) ** 2, nn.SGD([w], 0.1), epochs=3, **settings)


class Leaving(io.StringIO):
    """A stream whose reader closes after this many writes."""

    def __init__(self, writes, error):
        super().__init__()
        self.left, self.error = writes, error

    def write(self, text):
        self.left -= 1
        self.flush()
        return super().write(text)

    def flush(self):
        if self.left < 0:
            raise self.error


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS = {
    "none": lambda: None,
    "closed": closed,
    "no stream": object,
    "nobody": lambda: Leaving(0, BrokenPipeError()),
    "gone": lambda: Leaving(3, BrokenPipeError()),
    "closed later": lambda: Leaving(3, ValueError("I/O operation on closed file")),
}


@pytest.mark.parametrize("bar", [True, False])
@pytest.mark.parametrize("stream", STREAMS)
def test_training_goes_on_where_nobody_can_be_told(stream, bar, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        if not bar:
            patch.setitem(sys.modules, "tqdm", None)
        patch.setattr(sys, "stderr", STREAMS[stream]())
        history = trained()
    assert len(history) == 3
    assert not capsys.readouterr().out, "what is for stderr is not for stdout"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_progress_fits_every_encoding(encoding, monkeypatch):
    raw = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
        trained(validate=lambda model: {"précision ŷ→日": 1.0})
        sys.stderr.flush()
        text = raw.getvalue().decode(encoding)
    assert text.count("=1.0000") == 3
    assert ("précision" in text) == (encoding != "ascii")
