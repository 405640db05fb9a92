"""Settings of the whole suite: Hypothesis is deterministic by default and looks longer at night.

``HYPOTHESIS_PROFILE=nightly`` draws many more examples, from random seeds, and runs the tests marked slow.
"""

import os

# The matrices here are small: threads of BLAS would only get in the way of the tests that run side by side.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, Phase, settings

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=60, **COMMON)
settings.register_profile("nightly", max_examples=1000, print_blob=True, **COMMON)
settings.register_profile("mutants", max_examples=60, phases=[Phase.explicit, Phase.generate], database=None, **COMMON)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items):
    if PROFILE == "nightly":
        return
    skip = pytest.mark.skip(reason="slow: HYPOTHESIS_PROFILE=nightly runs it")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
