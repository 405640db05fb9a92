"""A training that a test kills. It saves after each step, resumes from a checkpoint, and prints a line per step."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

import nn
from nn.checkpoint import Checkpoint
from nn.data import Batches


class Report:
    """Prints a line for each step."""

    def on_step_end(self, state):
        print(flush=True)


def run(path, epochs, callbacks=()):
    """Train to the end. Returns the whole final state."""
    x = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    model = nn.dense(2, 8, 2, rng=1, dropout=0.2)
    batches = Batches(x, (x[:, 0] * x[:, 1] > 0).astype(int), batch_size=8, seed=2)
    optimizer = nn.Adam(model, nn.Cosine(0.05, steps=epochs * len(batches)))
    checkpoint = Checkpoint(path, steps=1, resume=path.exists())
    history = nn.fit(model, batches, nn.cross_entropy, optimizer, epochs=epochs, progress=False, callbacks=callbacks,
                     checkpoint=checkpoint)  # fmt: skip
    return [model.state_dict(), optimizer.state_dict(), history.rows]


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), [Report()])
