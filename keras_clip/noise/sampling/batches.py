"""Provides data as batches: all of them once, or random ones without end."""

import itertools
import math
import numbers
from collections.abc import Iterator
from collections.abc import Mapping

import keras
import numpy as np

from keras_clip.noise.sampling.rows import parts_of
from keras_clip.noise.sampling.rows import rows_of
from keras_clip.noise.sampling.rows import tensor_of
from keras_clip.validation import check_integer


class ArrayBatches:
    """Provides batches of arrays that fit in memory.

    Args:
        arrays: Tuple of nested arrays with examples along the first axis.
        batch_size: Number of examples in a batch.
        seed: Int, the seed of the order of examples.
    """

    endless = False

    def __init__(self, arrays: tuple, batch_size: int, seed: int):
        self._arrays = keras.tree.map_structure(rows_of, arrays)
        self.batch_size = check_integer("batch_size", batch_size, 1)
        self._rng = np.random.default_rng(seed)
        leaves = keras.tree.flatten(self._arrays)
        sizes = {leaf.shape[0] if leaf.shape else 0 for leaf in leaves}
        if len(sizes) != 1 or sizes == {0}:
            raise ValueError(
                "`x`, `y` and `sample_weight` must hold the same number of "
                "examples, at least 1. Received: shapes="
                f"{[leaf.shape for leaf in leaves]}"
            )
        (self._size,) = sizes

    @property
    def num_batches(self) -> int:
        """Returns the number of batches of a pass."""
        return -(-self._size // self.batch_size)

    def all(self) -> Iterator[tuple]:
        """Yields every example once, in a random order.

        The last batch may be smaller. Sorted data would make batches of similar
        examples, which batch normalization never sees in training.
        """
        return self._epoch(self._size)

    def random(self) -> Iterator[tuple]:
        """Yields full batches: each epoch in another order, without end."""
        size = min(self.batch_size, self._size)
        while True:
            yield from self._epoch(self._size - self._size % size)

    def _epoch(self, size):
        order = self._rng.permutation(self._size)[:size]
        for start in range(0, size, self.batch_size):
            yield self._at(order[start : start + self.batch_size])

    def _at(self, indices):
        return keras.tree.map_structure(lambda a: a[indices], self._arrays)


class DatasetBatches:
    """Provides the batches of a data set, repeatedly if they change.

    Args:
        dataset: `tf.data.Dataset`, `keras.utils.PyDataset`, `Sequence` of
            tf_keras, `torch.utils.data.DataLoader`, or any iterable of
            batches: tuples of inputs, targets and sample weights, or inputs
            alone.
    """

    def __init__(self, dataset):
        self._dataset = dataset
        self.num_batches = _number_of(dataset)
        self.endless = self.num_batches == math.inf

    def all(self) -> Iterator[tuple]:
        """Yields the batches of one pass."""
        dataset = self._dataset
        if isinstance(dataset, keras.utils.PyDataset):
            dataset = self._of_py_dataset()
        yield from map(_arrays, dataset)
        # A `PyDataset`, or a `Sequence` of tf_keras, may shuffle here.
        if hasattr(self._dataset, "on_epoch_end"):
            self._dataset.on_epoch_end()

    def random(self) -> Iterator[tuple]:
        """Yields batches of pass after pass, until one repeats."""
        first = None
        while True:
            for index, batch in enumerate(self.all()):
                if index == 0:
                    if first is not None and _same(first, batch):
                        return
                    first = batch
                yield batch
            if first is None:
                return

    def _of_py_dataset(self):
        for index in itertools.count():
            if index == self.num_batches:
                break
            yield self._dataset[index]


class IteratorBatches:
    """Provides the batches of an iterator, once.

    Args:
        iterator: Iterator of batches.
    """

    endless = True
    num_batches = None

    def __init__(self, iterator: Iterator):
        self._iterator = iterator

    def all(self) -> Iterator[tuple]:
        """Yields the remaining batches of the iterator."""
        return map(_arrays, self._iterator)

    def random(self) -> Iterator[tuple]:
        """Yields the remaining batches of the iterator."""
        return self.all()


def batches_of(
    x, y=None, sample_weight=None, batch_size: int | None = None, seed: int = 0
) -> ArrayBatches | DatasetBatches | IteratorBatches:
    """Returns the batches of data that `fit` accepts.

    Args:
        x: Nested arrays, or a data set, a list or an iterator of batches.
        y: Nested arrays of targets, or `None` with a data set.
        sample_weight: Nested arrays, or `None`.
        batch_size: Int, or `None` for 32 with arrays.
        seed: Int, the seed of the order of examples in arrays.

    Returns:
        Batches.

    Raises:
        ValueError: If targets or a batch size come with a data set, or `x` is
            neither a data set nor arrays.
    """
    x, y, sample_weight = map(_of_numbers, (x, y, sample_weight))
    if is_arrays(x):
        given = [x, y, sample_weight]
        while given[-1] is None:
            given.pop()
        return ArrayBatches(
            tuple(given), 32 if batch_size is None else batch_size, seed
        )
    for name, value in (
        ("y", y),
        ("sample_weight", sample_weight),
        ("batch_size", batch_size),
    ):
        if value is not None:
            raise ValueError(
                f"`{name}` must be None if `x` is a data set, whose batches "
                f"hold it. Received: {name}={value!r}"
            )
    if isinstance(x, Iterator):
        return IteratorBatches(x)
    iterable = hasattr(x, "__iter__") or hasattr(x, "__getitem__")
    if isinstance(x, str | Mapping) or not iterable:
        raise ValueError(
            "`x` must be arrays, or a data set or an iterator that gives "
            f"batches. Received: x of type {type(x).__name__}"
        )
    return DatasetBatches(x)


def is_arrays(x) -> bool:
    """Returns whether inputs are arrays, or lists of numbers, not a data set.

    Args:
        x: Inputs that `fit` accepts.
    """
    x = _of_numbers(x)
    if isinstance(x, list) and all(isinstance(item, tuple) for item in x):
        return False
    return all(hasattr(leaf, "shape") for leaf in keras.tree.flatten(x))


def size_of(batch: tuple) -> int:
    """Returns the number of examples in a batch."""
    return keras.tree.flatten(batch)[0].shape[0]


def is_finite(batch: tuple) -> bool:
    """Returns whether all numbers in a batch are finite."""
    return all(
        bool(np.all(np.isfinite(part)))
        for part in _parts(batch)
        if np.issubdtype(part.dtype, np.floating)
    )


def _number_of(dataset):
    """Returns the number of batches of a data set, `None` if unknown."""
    if isinstance(dataset, keras.utils.PyDataset):
        number = dataset.num_batches
        return math.inf if number is None else number
    if hasattr(dataset, "cardinality"):
        # tf.data uses -1 for infinite and -2 for unknown, as for files.
        number = int(dataset.cardinality())
        return {-1: math.inf, -2: None}.get(number, number)
    try:
        return len(dataset)
    except TypeError:
        return None


def _of_numbers(value):
    """Returns nested lists of numbers, which tf_keras accepts, as an array."""
    if isinstance(value, list) and value:
        leaves = keras.tree.flatten(value)
        if all(isinstance(leaf, numbers.Number) for leaf in leaves):
            return np.asarray(value)
    return value


def _arrays(batch):
    """Returns a batch as a tuple of inputs for a model."""
    batch = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    return keras.tree.map_structure(tensor_of, batch)


def _same(one, other):
    pairs = zip(*map(_parts, (one, other)), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def _parts(batch):
    leaves = keras.tree.flatten(batch)
    return [
        part for leaf in leaves if leaf is not None for part in parts_of(leaf)
    ]
