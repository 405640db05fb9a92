"""A process that saves weights to one file again and again, from several threads, and reads them back each time."""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

import nn
from nn.checkpoint import load, save


def work(path, number, times, complaints):
    """Save a network in which each weight is `number`. Each file that is read must be a whole network of one writer."""
    mine, found = nn.Linear(40, 30), nn.Linear(40, 30)
    for p in mine.parameters():
        p.data = np.full(p.shape, number, np.float32)
    for _ in range(times):
        try:
            save(mine, path)
            load(found, path)
            numbers = {x for p in found.parameters() for x in np.ravel(p.data).tolist()}
            assert len(numbers) == 1, numbers
        except Exception as error:
            complaints.append(f"{type(error).__name__}: {error}")


def together(path, first, threads, times):
    """Run `work` in this many threads at once. Returns their errors."""
    complaints: list[str] = []
    running = [
        threading.Thread(target=work, args=(path, first + i, times, complaints), daemon=True) for i in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return complaints


if __name__ == "__main__":
    print(*together(Path(sys.argv[1]), *map(int, sys.argv[2:])), sep="\n", end="")
