"""Demos: `python -m demos` lists them."""

import os
import sys

# The matrices of one step are small, so more than two threads would wait longer than they compute. NumPy reads this
# variable only once, at its import. The matrices of `demos.mnist --best` are not small.
if "--best" not in sys.argv:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(min(2, cores)))
