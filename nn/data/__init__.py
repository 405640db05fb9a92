"""Data: files and sets by name, points to play with, minibatches, and what prepares and augments them.

NumPy arrays in, NumPy arrays out: nothing here knows about gradients.
"""

from nn.data.batches import Batches as Batches
from nn.data.files import DatasetError as DatasetError, read_csv as read_csv, read_idx as read_idx
from nn.data.points import moons as moons
from nn.data.preparing import one_hot as one_hot
from nn.data.sets import MNIST as MNIST, Dataset as Dataset, load_mnist as load_mnist
