"""Settings of the whole suite: Hypothesis is deterministic by default and looks longer at night.

``HYPOTHESIS_PROFILE=nightly`` draws many more examples, from random seeds, and runs the tests marked slow.
"""

import contextlib
import gc
import math
import os
import sys
from typing import Any

# The matrices here are small: threads of BLAS would only get in the way of the tests that run side by side.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import InvalidArgument

EXAMPLES = 60  # of a property; of one with many cells, as one for every row, FEWEST in each
FEWEST = 15
COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=EXAMPLES, **COMMON)
settings.register_profile("nightly", max_examples=1000, print_blob=True, **COMMON)
settings.register_profile(
    "mutants", max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], database=None, **COMMON
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(PROFILE)


def some(cells):
    """Every second of many like cells; in the other profiles, those of mutants and of the night, all of them."""
    return cells[::2] if PROFILE == "ci" else cells


def pytest_sessionstart(session):
    """What editors and type checkers read follows from the table, as a build would make it; once, before any test.

    Not where autograd is there already, and rows have been made wrong on purpose (tests/mutants.py).
    """
    if "autograd" not in sys.modules and not hasattr(session.config, "workerinput"):
        try:
            import stubs
        except Exception as error:  # a row that is refused, say: what it says is all that there is to say
            raise pytest.UsageError(f"autograd cannot be imported: {type(error).__name__}: {error}") from error
        for path in stubs.refresh():
            sys.stderr.write(f"{path}: written anew from the table of operations, to be committed with it\n")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Turn the garbage collector off while tests are imported: it would run two thousand times and free almost nothing.

    What is there then is there to the end. Frozen, it is not in the collector's way.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    if PROFILE == "nightly":
        return
    skip = pytest.mark.skip(reason="slow: HYPOTHESIS_PROFILE=nightly runs it")
    for item in items:
        if "hypothesis" in item.keywords and (cells := cells_of(item)) > 4:
            with contextlib.suppress(InvalidArgument):  # a test that has settings of its own keeps them
                settings(max_examples=max(FEWEST, 4 * EXAMPLES // cells))(item.function)
        if "slow" in item.keywords:
            item.add_marker(skip)


def cells_of(item):
    """How many tests the parameters of this one's function make: of all of them, whichever are chosen to run."""
    return math.prod(len(mark.args[1]) for mark in item.iter_markers("parametrize"))


PARTS: dict[tuple[str, ...], Any] = {}


@pytest.fixture
def mnist_in_memory(monkeypatch):
    """The package's own images are unpacked and checked once, and not for each of the many demos that read them."""
    from nn.data import sets

    read = sets._mnist_part

    def part(root, *names):
        if root != sets.MNIST:
            return read(root, *names)
        if names not in PARTS:
            PARTS[names] = read(root, *names)
            for array in PARTS[names]:
                array.setflags(write=False)
        return PARTS[names]

    monkeypatch.setattr(sets, "_mnist_part", part)


def pytest_runtest_teardown():
    """Where a test has imported pyplot, figures are pyplot's, and would pile up."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
