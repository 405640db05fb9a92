"""Settings of the whole suite. Hypothesis is deterministic by default, and draws more examples at night.

``HYPOTHESIS_PROFILE=nightly`` draws many more examples, from random seeds, and runs the tests marked slow.
"""

import contextlib
import gc
import math
import os
import sys
from typing import Any

# The matrices here are small. Threads of BLAS would slow down the tests that run at the same time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # else scikit-learn skips its checks of other libraries' arrays

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import InvalidArgument

EXAMPLES = 60  # of a property; a property with many cells, such as all rows, gets FEWEST in each
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
    """Every second of many similar cells. In the profiles of mutants and of the night: all of them."""
    return cells[::2] if PROFILE == "ci" else cells


def pytest_sessionstart(session):
    """Write the declarations for editors and type checkers from the table, once, before any test.

    Not if autograd is imported already: then tests/mutants.py may have made rows wrong on purpose.
    """
    if "autograd" not in sys.modules and not hasattr(session.config, "workerinput"):
        try:
            import stubs
        except Exception as error:  # such as a row that is refused: the message is enough
            raise pytest.UsageError(f"autograd cannot be imported: {type(error).__name__}: {error}") from error
        for path in stubs.refresh():
            sys.stderr.write(f"{path}: written again from the table of operations; commit it\n")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Turn the garbage collector off while tests are imported: it would run two thousand times and free almost nothing.

    The objects made then live to the end. They are frozen, so the collector does not look at them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config, items):
    """Leave the slow tests to the night, and give a property of many cells fewer examples in each."""
    if PROFILE == "nightly":
        return
    config.hook.pytest_deselected(items=[item for item in items if "slow" in item.keywords])
    items[:] = [item for item in items if "slow" not in item.keywords]
    for item in items:
        if "hypothesis" in item.keywords and (cells := cells_of(item)) > 4:
            with contextlib.suppress(InvalidArgument):  # a test that has settings of its own keeps them
                settings(max_examples=max(FEWEST, 4 * EXAMPLES // cells))(item.function)


def cells_of(item):
    """The number of tests that this test's parameters make, also those that are not chosen to run."""
    return math.prod(len(mark.args[1]) for mark in item.iter_markers("parametrize"))


PARTS: dict[tuple[str, ...], Any] = {}


@pytest.fixture
def mnist_in_memory(monkeypatch):
    """The package's own images are unpacked and checked only once, although many demos read them."""
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
    """Close pyplot's figures. Once a test has imported pyplot, every figure is pyplot's, and stays open otherwise."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
