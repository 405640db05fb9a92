"""Training: the loop `fit` and its parts.

Read `loop` first. `arguments` converts the arguments of `fit`. `state` is the object that callbacks get, and `history`
is the table of results. `evaluation` applies a model to data.
"""

import typing as _typing

from nn.training.history import History as History
from nn.training.evaluation import evaluate as evaluate, predict as predict
from nn.training.state import State as State
from nn.training.stopping import EarlyStopping as EarlyStopping
from nn.training.refusals import NonFiniteLoss as NonFiniteLoss
from nn.training.loop import fit as fit
from nn.training.finder import RangeTest as RangeTest, find_learning_rate as find_learning_rate
from nn.training.live import Frames as Frames

if not _typing.TYPE_CHECKING:  # type checkers take every public name
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
