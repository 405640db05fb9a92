"""The cost of an import in milliseconds and MB, after NumPy's if the package needs it. One package for each process.

python -m benchmarks.imports PACKAGE
"""

import importlib
import time

from benchmarks import common

PACKAGES = {"ours": "autograd", "numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "mygrad": "mygrad"}
PACKAGES |= {"hips": "autograd.numpy", "micrograd": "micrograd.engine", "xad": "xad.adj_1st", "casadi": "casadi"}


def measure(name, row, options):
    if name not in ("numpy", "micrograd", "xad", "casadi"):
        import numpy  # noqa: F401
    before, start = common.peak(), time.perf_counter()
    if name == "hips":
        common.hips()
    else:
        importlib.import_module(PACKAGES[name])
    took = (time.perf_counter() - start) * 1e3
    return {"ms": took, "least": took, "MB": common.peak() - before}


if __name__ == "__main__":
    common.main("imports", PACKAGES, ["import"], measure)
