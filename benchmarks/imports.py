"""What importing costs: milliseconds and MB, after NumPy where NumPy is needed anyway; one package a process.

python -m benchmarks.imports PACKAGE
"""

import json
import resource
import sys
import time


def rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    package = sys.argv[1]
    if package != "numpy":
        import numpy  # noqa: F401
    before, start = rss(), time.perf_counter()
    __import__(package)
    print(json.dumps({"ms": (time.perf_counter() - start) * 1e3, "MB": rss() - before}))
