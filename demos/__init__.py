"""Stories to run: `python -m demos` lists them."""

import os
import sys

# The matrices of one step are small: several threads would wait for each other longer than they compute. NumPy reads
# this once, as it is imported. Those of `demos.mnist --best` are not small.
if "--best" not in sys.argv:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
