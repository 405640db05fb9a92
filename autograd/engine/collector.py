"""Python's cyclic collector, and graphs of many Values.

The collector looks for garbage each time that 700 objects (2,000 from Python 3.13 on) have come to be, and now and
then goes through all that live. A graph of 60,000 Values is 240,000 objects: Values, and for each its operands, its
parents and its partials. So the collector would run some hundred times while the graph is built. It would find nothing:
a graph has no cycles, and is freed as soon as it is dropped. While an earlier graph still lives, as where a loop
keeps its last loss, those runs take longer than the step itself.

So `backward` through n nodes has the collector wait for as many new objects as n nodes are, half a million at most.
From then on a graph is built without it. If your program sets `gc.set_threshold`, or turns the collector off, we do not
change it.
"""

from __future__ import annotations

import gc

OBJECTS = 5
"""How many objects of Python a computed Value is, and one to spare."""
MOST = 500_000
_ours = gc.get_threshold()  # as it was found, and then as it was last set here


def wait_for(n: int) -> None:
    """Let the collector wait for as many objects as n nodes are, if it would not wait as long."""
    global _ours
    n *= OBJECTS
    first, *others = found = gc.get_threshold()
    if 0 < first < n and first < MOST and found == _ours:
        gc.set_threshold(min(n, MOST), *others)
        _ours = gc.get_threshold()
