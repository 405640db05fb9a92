"""Settings of the whole suite: Hypothesis is deterministic by default and looks longer at night.

``HYPOTHESIS_PROFILE=nightly`` draws many more examples, from random seeds, and runs the tests marked slow.
"""

import contextlib
import gc
import math
import os
import sys

# The matrices here are small: threads of BLAS would only get in the way of the tests that run side by side.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import InvalidArgument

EXAMPLES = 60  # of a property; of one with many cells, as one for every row, FEWEST in each
FEWEST = 15
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=EXAMPLES, **COMMON)
settings.register_profile("nightly", max_examples=1000, print_blob=True, **COMMON)
settings.register_profile(
    "mutants", max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], database=None, **COMMON
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(PROFILE)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Turn the garbage collector off while tests are imported: it would run two thousand times and free almost nothing.

    The imported objects live to the end. Freezing hides them from the collector, and from functions such as `draw`,
    which search all objects for the model of a value.
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


PARTS = {}


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
