"""A small training that tests interrupt and resume. Its final states are compared bit for bit."""

import random
import struct
from typing import Any

import numpy as np

import nn
from nn.data import Batches, moons
from nn.training import fit

X, Y = moons(40, seed=1)
X = X.astype(np.float32)

OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda p, lr: nn.SGD(p, lr),
    "momentum": lambda p, lr: nn.SGD(p, lr, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p, lr: nn.SGD(p, lr, momentum=0.9, nesterov=True),
    "adagrad": nn.Adagrad,
    "rmsprop": nn.RMSprop,
    "adam": nn.Adam,
    "adamw": nn.AdamW,
}
SCHEDULES: dict[str, Any] = {
    "constant": lambda lr: lr,
    "step": lambda lr: nn.StepDecay(lr, every=3, factor=0.5),
    "exponential": lambda lr: nn.Exponential(lr, factor=0.9),
    "cosine": lambda lr: nn.Cosine(lr, steps=12),
    "warmup": lambda lr: nn.Warmup(nn.Cosine(lr, steps=9), steps=4),
    "onecycle": lambda lr: nn.OneCycle(lr, steps=12),
}
GENERATORS = [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64]
EPOCHS, STEPS = 3, 5  # of 8 images each: 15 in all


class Training:
    """A small training, with everything newly made."""

    def __init__(self, optimizer="adam", schedule="onecycle", dropout=0.5, patience=None, shuffle=True,
                 kind=np.random.PCG64, scalars=False):  # fmt: skip
        rng = np.random.Generator(kind(3))
        self.model: Any
        if scalars:
            random.seed(3)
            mlp = nn.MLP(2, [3, 2], activation="tanh")
            drop = nn.Dropout(dropout, rng=rng)
            self.model = lambda x: [[out * float(keep) for out, keep in zip(mlp(row), drop(np.ones(2)), strict=True)]
                                    for row in x.tolist()]  # fmt: skip
            self.network = nn.Sequential(mlp, drop)
        else:
            self.model = self.network = nn.dense(2, 4, 2, rng=rng, dropout=dropout)
        self.batches = Batches(X, Y, batch_size=8, seed=np.random.Generator(kind(4)), shuffle=shuffle)
        self.optimizer = OPTIMIZERS[optimizer](self.network, SCHEDULES[schedule](0.1))
        self.patience = patience

    def run(self, checkpoint=None, callbacks=(), epochs=EPOCHS, **kwargs):
        def validate(model):  # the second epoch is the best, so EarlyStopping keeps its weights
            return {"valid_loss": abs(self.optimizer.steps // STEPS - 2)}

        self.history = fit(self.model, self.batches, nn.cross_entropy, self.optimizer, epochs=epochs, progress=False,
                           validate=validate if self.patience else None, patience=self.patience, callbacks=callbacks,
                           checkpoint=checkpoint, **kwargs)  # fmt: skip
        return self.end()

    def end(self):
        generators = {path: rng.bit_generator.state for path, rng in self.network.named_generators()}
        states = {"network": self.network, "optimizer": self.optimizer, "batches": self.batches}
        rows = self.history.rows if hasattr(self, "history") else []
        return bits({name: x.state_dict() for name, x in states.items()} | {"rng": generators, "history": rows})


def bits(state):
    """A state to compare by every bit of every number, also of nan and -0.0."""
    if isinstance(state, dict):
        return {key: bits(x) for key, x in state.items() if key != "seconds"}
    if isinstance(state, list | tuple):
        return [bits(x) for x in state]
    if isinstance(state, np.ndarray):
        return str(state.dtype), state.shape, state.tobytes()
    return struct.pack("d", state) if isinstance(state, float) else state
