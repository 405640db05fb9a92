"""Minibatches. Each iteration is one epoch; the position in it can be saved and restored."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.support.arrays import ANY, Array, Seed, as_array

Augmentation = Callable[[Array, np.random.Generator], Array]


@dataclass
class _Place:
    """The position in an epoch: the generator's state before it, and the number of batches given out."""

    start: dict[str, Any]
    position: int = 0


class Batches:
    """Minibatches of one or several arrays of equal length. Each iteration over it is one epoch.

    Args:
        arrays: the arrays, or anything that can be read as an array.
        batch_size: the number of rows of a batch. The last batch may have fewer.
        shuffle: True for a new random order in each epoch. The same seed gives the same sequence of epochs.
        seed: a seed or a generator, which becomes `rng`. The order is drawn from it when an iteration starts.
        drop_last: True to leave out a last batch with fewer rows.
        augment: a function such as `Augment()`. It is called with the batch's rows of the first array and a generator,
            and returns the rows to use instead.

    An iteration yields tuples with one array for each of `arrays`: copies if `shuffle`, else views. `len()` is the
    number of batches. `state_dict` saves the position of the iteration that was started last, even within an epoch.

    Raises ValueError for no arrays, different lengths, no rows, `batch_size` < 1, and a `drop_last` that would leave no
    batch.

    >>> for a, b in Batches(np.eye(3), np.arange(3), batch_size=2, shuffle=False):
    ...     print(a.tolist(), b)
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] [0 1]
    [[0.0, 0.0, 1.0]] [2]
    """

    def __init__(
        self,
        *arrays: npt.ArrayLike,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: Seed = 0,
        drop_last: bool = False,
        augment: Augmentation | None = None,
    ) -> None:
        self.arrays: tuple[Array, ...] = tuple(as_array(array, "Batches", ANY) for array in arrays)
        lengths = [len(array) if array.ndim else 0 for array in self.arrays]
        if len(set(lengths)) != 1 or lengths[0] == 0:
            raise ValueError(f"Batches needs arrays of one length, at least 1; got the lengths {lengths}")
        if not hasattr(batch_size, "__index__"):
            raise TypeError(f"batch_size is a whole number, not {type(batch_size).__name__} {batch_size!r}")
        self.rows, self.batch_size = lengths[0], operator.index(batch_size)
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if drop_last and self.batch_size > self.rows:
            raise ValueError(f"drop_last leaves no batch of {batch_size} in {self.rows} rows")
        if augment is not None and not callable(augment):
            raise TypeError(f"augment has to be a function of rows and a generator, got {augment!r}")
        self.shuffle, self.drop_last, self.augment = shuffle, drop_last, augment
        self.rng = np.random.default_rng(seed)
        self._running: _Place | None = None
        self._resumed: _Place | None = None

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        place, rng = self._resumed, self.rng
        if place is None:
            place = _Place(dict(self.rng.bit_generator.state))
        else:  # draw the epoch's order again; `rng` has advanced since
            rng = copy.deepcopy(self.rng)
            rng.bit_generator.state = place.start
        self._running, self._resumed = place, None
        order = rng.permutation(self.rows) if self.shuffle else None
        # a batch's generator depends only on this key and the batch's number, so it has no state to save
        key = int(rng.integers(2**63)) if self.augment else None
        return self._batches(place, order, key)

    def _batches(self, place: _Place, order: Array | None, key: int | None) -> Iterator[tuple[Array, ...]]:
        for number in range(place.position, len(self)):
            rows = slice(number * self.batch_size, (number + 1) * self.batch_size)
            if order is None:
                batch = tuple(array[rows] for array in self.arrays)
            else:
                batch = tuple(array.take(order[rows], axis=0) for array in self.arrays)
            if self.augment is not None and key is not None:
                batch = (self.augment(batch[0], np.random.default_rng((key, number))), *batch[1:])
            place.position = number + 1
            yield batch
        if self._running is place:
            self._running = None

    def state_dict(self) -> dict[str, Any]:
        """The position in the epoch and the state of `rng`, in a form that JSON can hold. The arrays are not in it.

        After the k-th batch of an iteration the state means "k batches are done". After `load_state_dict` the next
        iteration gives the other batches, bit for bit, and the iteration after it is the next epoch. After the last
        batch no batches are left. After the end of the iteration, the next epoch begins.

        >>> batches = Batches(np.arange(6), batch_size=2)
        >>> running = iter(batches)
        >>> _, state = next(running), batches.state_dict()
        >>> again = Batches(np.arange(6), batch_size=2, seed=99)
        >>> again.load_state_dict(state)
        >>> [a.tolist() for a, in running] == [a.tolist() for a, in again]
        True
        """
        place = self._resumed or self._running
        return {
            **self._shape(),
            "rng": _plain(self.rng.bit_generator.state),
            "epoch": None if place is None else {"start": _plain(place.start), "position": place.position},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a position. The next iteration continues from it.

        Raises ValueError, before anything changes, if the state is damaged, or belongs to batches with other rows,
        batch size, `shuffle`, `drop_last`, `augment` or kind of generator.
        """
        try:
            found = {name: state[name] for name in self._shape()}
            generators, place = [state["rng"]], None
            if (epoch := state["epoch"]) is not None:
                place = _Place(dict(epoch["start"]), operator.index(epoch["position"]))
                generators.append(place.start)
            for generator in generators:
                copy.deepcopy(self.rng).bit_generator.state = generator
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"this is not a state of these Batches ({error!r})") from error
        if found != self._shape():
            raise ValueError(f"the state is of batches with {found}, these have {self._shape()}")
        if place is not None and not 0 <= place.position <= len(self):
            raise ValueError(f"the state's position is {place.position}, but an epoch has {len(self)} batches")
        self.rng.bit_generator.state = state["rng"]
        self._running, self._resumed = None, place

    def _shape(self) -> dict[str, Any]:
        """The settings on which the order and the number of the batches depend, besides the generator."""
        names = {"rows": self.rows, "batch_size": self.batch_size, "shuffle": self.shuffle}
        return names | {"drop_last": self.drop_last, "augment": self.augment is not None}


def _plain(state: Any) -> Any:
    """A generator's state without arrays and NumPy scalars, which Philox and MT19937 have."""
    if isinstance(state, Mapping):
        return {name: _plain(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state
