"""Data: readers of files, data sets by name, generated points, preparation, augmentation and minibatches.

Functions take and return NumPy arrays. Gradients play no part here.
"""

import typing as _typing

from nn.data.augmentation import Augment as Augment
from nn.data.batches import Batches as Batches
from nn.data.download import cache_folder as cache_folder, download as download
from nn.data.files import DatasetError as DatasetError, read_csv as read_csv, read_idx as read_idx
from nn.data.points import blobs as blobs, moons as moons, spirals as spirals
from nn.data.preparing import (
    Standardize as Standardize,
    one_hot as one_hot,
    train_validation_split as train_validation_split,
)
from nn.data.sets import (
    FASHION_CLASSES as FASHION_CLASSES,
    MNIST as MNIST,
    Dataset as Dataset,
    load_digits as load_digits,
    load_fashion_mnist as load_fashion_mnist,
    load_mnist as load_mnist,
)

if not _typing.TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
