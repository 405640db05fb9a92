"""Stand-ins for containers of other libraries, with their protocols and the details that are easy to get wrong."""

import numpy as np


class Series:
    """A column of a data frame: it is indexed by labels, and has its own addition."""

    def __init__(self, numbers):
        self.array = np.array(numbers)
        self.shape, self.dtype = self.array.shape, self.array.dtype

    def __array__(self, dtype=None, copy=None):
        view = self.array.view()
        view.setflags(write=False)
        return view if dtype is None else view.astype(dtype)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, label):
        raise KeyError(label)

    def __add__(self, other):
        return NotImplemented

    __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __matmul__ = __add__


class Frame(Series):
    """A data frame: iterates over the names of its columns, and has no dtype."""

    def __init__(self, numbers):
        super().__init__(numbers)
        self.columns = [f"c{i}" for i in range(self.array.shape[1])]
        del self.dtype

    def __iter__(self):
        return iter(self.columns)


class Mixed(Frame):
    """A data frame whose columns have several dtypes, so that its array is one of objects."""

    def __array__(self, dtype=None, copy=None):
        return self.array.astype(object)


class Other:
    """Another library's tensor: it has `data`, `detach` and a `size` that is a method, as ours do not."""

    def __init__(self, numbers, requires_grad=False):
        self.array, self.requires_grad = np.array(numbers), requires_grad
        self.shape = self.array.shape

    @property
    def data(self):
        return Other(self.array)

    def detach(self):
        return Other(self.array)

    def size(self):
        return self.shape

    def __len__(self):
        return len(self.array)

    def __getitem__(self, index):
        return Other(self.array[index], self.requires_grad)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self.array if dtype is None else self.array.astype(dtype)

    def __dlpack__(self, **options):
        raise BufferError("not this way")


class Capsule:
    """An object with DLPack and no other protocol."""

    def __init__(self, numbers):
        self.array = np.array(numbers)

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Interface:
    """An object with NumPy's oldest protocol and no other."""

    def __init__(self, numbers):
        self.array = np.array(numbers)
        self.__array_interface__ = self.array.__array_interface__


class Sparse:
    """A sparse matrix: no protocol, a length that raises, and a method that makes an array of it."""

    shape = (4, 2)

    def __len__(self):
        raise TypeError("sparse array length is ambiguous; use getnnz() or shape[0]")

    def __iter__(self):
        return iter(())

    def toarray(self):
        return np.zeros(self.shape)
