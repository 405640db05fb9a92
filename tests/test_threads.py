"""BLAS has one thread while the products of a training are small. At the end its number of threads is restored."""

import linecache
import signal
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest

import nn
from autograd import Tensor, Value
from nn.training import threads

threadpoolctl = pytest.importorskip("threadpoolctl")

BEFORE = 2
X, Y = np.ones((6, 3)), np.zeros((6, 1))


def now():
    """The number of threads of NumPy's BLAS."""
    (number,) = {library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}
    return number


def set_threads(number):
    """Set the number. Newer versions must be told that this Python thread may change it."""
    for library in threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers:
        getattr(library, "clear_controlling_thread", lambda force: None)(force=True)
        library.set_num_threads(number)
        getattr(library, "clear_controlling_thread", lambda force: None)(force=True)


@pytest.fixture(autouse=True)
def before():
    """A BLAS with two threads."""
    libraries = threadpoolctl.ThreadpoolController().select(user_api="blas").info()
    if not libraries:
        pytest.skip("threadpoolctl does not know this BLAS")
    threads._controller.cache_clear()
    set_threads(BEFORE)
    assert now() == BEFORE
    yield
    assert now() == BEFORE
    assert threads._owner is None
    set_threads(libraries[0]["num_threads"])


class Watch:
    """Records the number of threads at several places of a training. At the place `at`, it calls `do`."""

    def __init__(self, at="", do=None):
        self.seen, self.at, self.do = {}, at, do

    def look(self, place):
        self.seen.setdefault(place, set()).add(now())
        if place == self.at:
            self.do()

    def batches(self):
        for _ in range(3):
            self.look("batch")
            yield X, Y

    def fit(self, **options):
        line = nn.Linear(3, 1, rng=0)

        def model(x):
            self.look("model")
            return line(x)

        def validate(_):
            self.look("validate")
            return {}

        class Optimizer(nn.SGD):
            def step(inner):
                self.look("step")
                super().step()

        for name in ("on_start", "on_step_end", "on_epoch_end", "on_end"):
            setattr(self, name, lambda _, name=name: self.look(name))
        batches = type("Batches", (), {"__iter__": lambda _: self.batches()})()
        return nn.fit(
            model,
            batches,
            nn.squared_error,
            Optimizer(line, 0.1),
            epochs=2,
            validate=validate,
            callbacks=[self],
            progress=False,
            **options,
        )


DURING, OUTSIDE = ["model", "step", "on_step_end"], ["on_start", "validate", "on_epoch_end", "on_end"]


def test_small_products_have_one_thread():
    watch = Watch()
    watch.fit()
    assert {place: watch.seen[place] for place in DURING + OUTSIDE} == {
        **{place: {1} for place in DURING},
        **{place: {BEFORE} for place in OUTSIDE},
    }


@pytest.mark.parametrize(("limit", "expected"), [(6 * 3, BEFORE), (6 * 3 + 1, 1)])
def test_size_decides(monkeypatch, limit, expected):
    monkeypatch.setattr(threads, "SMALL", limit)
    watch = Watch()
    watch.fit()
    assert [watch.seen[place] for place in DURING] == [{expected}] * 3


def test_each_batch_decides_for_itself(monkeypatch):
    """So a training that continues from the middle of an epoch has the same number of threads."""
    monkeypatch.setattr(threads, "SMALL", 100)
    with threads.Threads([Tensor(np.ones((10, 1)))]) as given:
        seen = []
        for n in (9, 10, 11, 3, 12):
            given.suit(np.ones((n, 10)))
            seen.append(now())
        assert seen == [1, BEFORE, BEFORE, 1, BEFORE]


@pytest.mark.parametrize("parameters", [[], [Value(1.0)], [Tensor(np.ones(5))], [Tensor(np.ones((0, 5)))]])
def test_without_matrices_nothing_changes(parameters):
    with threads.Threads(parameters) as given:
        given.suit(X)
        assert now() == BEFORE


class Boom(Exception):
    pass


def press():
    signal.raise_signal(signal.SIGINT)


def press_twice():
    press()
    press()


def fail(error):
    raise error


@pytest.mark.parametrize("place", ["batch", *DURING, *OUTSIDE])
@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt, SystemExit])
def test_as_before_after_an_exception(place, error):
    watch = Watch(place, lambda: fail(error()))
    with suppress(error):
        watch.fit()
    assert place in watch.seen


@pytest.mark.parametrize("place", ["batch", *DURING, *OUTSIDE])
@pytest.mark.parametrize("do", [press, press_twice])
def test_as_before_after_ctrl_c(place, do):
    watch = Watch(place, do)
    with suppress(KeyboardInterrupt):
        watch.fit()
    assert place in watch.seen


def test_as_before_after_ctrl_c_at_any_line():
    """Ctrl-C is raised at each line of the module in turn."""
    line = 0

    def trace(frame, event, _):
        nonlocal line
        if frame.f_code.co_filename != threads.__file__:
            return None
        if event == "line" and not linecache.getline(threads.__file__, frame.f_lineno).lstrip().startswith("with "):
            line += 1  # Python allows no signal between a lock and its `with`
            if line == wanted:
                raise KeyboardInterrupt
        return trace

    for wanted in range(1, 1000):
        line, outer = 0, sys.gettrace()
        sys.settrace(trace)
        try:
            with threads.Threads([Tensor(np.ones((3, 1)))]) as given:
                given.suit(X)
                given.release()
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(outer)
        assert now() == BEFORE, wanted
    assert 20 < wanted < 1000


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_trainings_side_by_side(order):
    """However the trainings end, and in any order, the one that changed the number of threads restores it."""
    arrived, leave = [threading.Event() for _ in order], [threading.Event() for _ in order]
    errors = []

    def work(i):
        def wait():
            if not arrived[i].is_set():
                arrived[i].set()
                assert leave[i].wait(60)
            if i % 2:
                raise Boom

        try:
            Watch("on_step_end", wait).fit()
        except Boom:
            pass
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(order))]
    for i, worker in enumerate(workers):
        worker.start()
        assert arrived[i].wait(60)
        assert now() == 1  # the first training has set it
    for i in order:
        assert now() == (1 if workers[0].is_alive() else BEFORE)
        leave[i].set()
        workers[i].join(60)
    assert not errors
    assert now() == BEFORE


def test_a_limit_of_the_programs_own_comes_back():
    with threadpoolctl.threadpool_limits(1, "blas"):
        watch = Watch()
        watch.fit()
        assert [watch.seen[place] for place in DURING + OUTSIDE] == [{1}] * 7
        assert now() == 1


def test_without_threadpoolctl(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    watch = Watch()
    assert len(watch.fit()) == 2
    assert [watch.seen[place] for place in DURING + OUTSIDE] == [{BEFORE}] * 7
    threads._controller.cache_clear()
