"""Python's cyclic collector, and graphs of many Values.

The collector looks for garbage each time that 700 objects (2,000 from Python 3.13 on) have come to be, and now and
then goes through all that live. A graph of 60,000 Values thus has it run a hundred times while it is built, and has
nothing for it: a graph has no cycles, and is freed as soon as nobody holds it. While an earlier graph still lives, as
it does where a loop keeps its last loss, those runs take longer than the step itself.

So a program that runs `backward` through n Values has the collector wait for twice as many new objects, 250,000 at
most: a graph is built without it, while the one before is still there. A program that sets `gc.set_threshold` itself,
or turns the collector off, is left alone.
"""

from __future__ import annotations

import gc

MOST = 250_000
_ours = gc.get_threshold()  # as it was found, and then as it was last set here


def wait_for(n: int) -> None:
    """Let the collector wait for twice n objects, if it would not wait as long."""
    global _ours
    n *= 2
    first, *others = found = gc.get_threshold()
    if 0 < first < n and first < MOST and found == _ours:
        gc.set_threshold(min(n, MOST), *others)
        _ours = gc.get_threshold()
