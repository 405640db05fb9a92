"""Freed memory stays with a training: the operating system need not clear it for every step."""

import ctypes
import subprocess
import sys

import pytest

from nn.training import memory
from nn.training.memory import KeptMemory

FAULTS = """
import resource, sys
import numpy as np
from nn.training.memory import KeptMemory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        [np.ones(1 << 20) for _ in range(12)]  # 96 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with KeptMemory():
    faults()
    inside = faults()
print(inside, faults())
"""


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc has these thresholds")
def test_pages_are_not_cleared_again():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    inside, outside = map(int, done.stdout.split())
    assert inside < 500 < 5000 < outside


@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_other_libraries_are_left_alone(platform, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    memory._glibc.cache_clear()
    with KeptMemory():
        assert memory._glibc() is None
    memory._glibc.cache_clear()
