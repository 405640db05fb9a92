"""Apply a model to data: `predict` gives its outputs as an array, `evaluate` its loss and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, Value, no_grad
from nn.losses import cross_entropy
from nn.module import mode
from nn.support.arrays import Array, as_array
from nn.training.arguments import Loss, Model, aligned, is_ours, loss_function, takes_labels


def predict(model: Model, x: Any, batch_size: int = 1000) -> Array:
    """The model's outputs for x, as a plain array. It runs in evaluation mode, without a graph, batch by batch.

    `x` is an array (n, …), a list of n samples, or anything that can be read as an array, such as a data frame.

    >>> from nn import Linear
    >>> predict(Linear(3, 2, rng=0), np.ones((2500, 3), np.float32)).shape
    (2500, 2)
    """
    if isinstance(model, type) or not callable(model):
        raise TypeError(f"predict takes the model first, then x; got {model!r:.60} as the model")
    if not isinstance(x, list | tuple | Tensor) and type(x) is not np.ndarray:
        x = as_array(x, "predict")
    if isinstance(x, np.ndarray | Tensor) and not x.ndim:
        raise ValueError(f"predict takes samples (n, ...), for a single one [x], not {x!r:.60}")
    if not len(x):
        raise ValueError(f"predict needs at least one sample, got an input of shape {np.shape(x)}")
    with mode(model, training=False), no_grad():
        return np.concatenate([_numbers(model(x[i : i + batch_size])) for i in range(0, len(x), batch_size)])


def evaluate(
    model: Model, x: Any, y: Any, batch_size: int = 1000, *, loss: Loss | str = cross_entropy, prefix: str = ""
) -> dict[str, float]:
    """A classifier's loss and accuracy on inputs x and labels y. It runs in evaluation mode.

    With outputs (n, classes) the predicted class is the one with the largest output. With a single output, (n,) or
    (n, 1), an output above 0 predicts a label above 0. Targets may be rows of probabilities, such as one-hot rows: the
    class is the one with the largest probability. `loss` may be a name. `prefix` is put before the names of the two
    numbers, for instance "test_".

    >>> from nn import Linear
    >>> x, y = np.eye(2, dtype=np.float32), np.array([0, 1])
    >>> model = Linear(2, 2)
    >>> model.weight.data = [[9, 0], [9, 0]]
    >>> {name: round(number, 3) for name, number in evaluate(model, x, y, prefix="test_").items()}
    {'test_loss': 4.5, 'test_accuracy': 0.5}
    """
    loss = loss_function(loss)
    outputs, y = predict(model, x, batch_size), as_array(y, "evaluate")
    if is_ours(loss):
        y = aligned(outputs, y)
    found = float(loss(outputs, y))
    classes = outputs.ndim == 2 and outputs.shape[1] > 1
    labels = y.argmax(axis=1) if classes and y.shape == outputs.shape else y
    if len(labels) != len(outputs) or labels.size != len(outputs):
        raise ValueError(f"evaluate takes a label for each of the {len(outputs)} outputs, got y of shape {y.shape}")
    labels = labels.reshape(-1)
    right = outputs.argmax(axis=1) == labels if classes else (outputs.reshape(-1) > 0) == (labels > 0)
    return {prefix + "loss": found, prefix + "accuracy": float(right.mean())}


def validation(given: Any, loss: Loss) -> Any:
    """The function that evaluates the model after an epoch: the given one, or one made for a pair of arrays."""
    if given is None or callable(given):
        return given
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise TypeError(f"validate is a function of the model or a pair of arrays (x, y), not {given!r:.60}")
    x, y = (as_array(part, f"validate ({name})") for name, part in zip("xy", given, strict=True))

    def measured(model: Model) -> dict[str, float]:
        found = evaluate(model, x, y, loss=loss, prefix="val_")
        return found if takes_labels(loss) else {"val_loss": found["val_loss"]}

    return measured


def _numbers(out: Any) -> Array:
    """The numbers of a Tensor, or of a list or array of Values, as a plain array."""
    if isinstance(out, Value | Tensor):
        return np.asarray(out.data)
    out = np.asarray(out)
    return np.array([x.data for x in out.flat]).reshape(out.shape) if out.dtype == object else out
