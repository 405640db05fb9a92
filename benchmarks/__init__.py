"""Measured, not asserted: ours against the peers, in one run. `make bench` prints the tables."""
