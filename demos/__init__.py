"""Stories to run: `python -m demos` lists them."""

import os

# The matrices of one step are small: several threads would wait for each other longer than they compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, as NumPy is imported
