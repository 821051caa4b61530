"""Selects the variables that a step moves from those of an optimizer."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from keras_clip.clipping import Tensor
from keras_clip.clipping import widest_dtype_of


class Part(NamedTuple):
    """Stores which of an optimizer's variables a step moves; hashable.

    Attributes:
        positions: Positions of these variables among all, in the order of the
            step's gradients.
        count: Number of variables that the optimizer has.
        dtype: The widest working dtype of all of them.
        sizes: Number of elements of each of them, none if one is not known.
    """

    positions: tuple[int, ...]
    count: int
    dtype: str
    sizes: tuple[int, ...] = ()

    @classmethod
    def all_of(cls, values: Sequence) -> "Part":
        """Returns the part that holds all variables.

        Args:
            values: Sequence of variables or of their values.
        """
        dtype = widest_dtype_of(values)
        shapes = [tuple(value.shape) for value in values]
        sizes = ()
        if not any(None in shape for shape in shapes):
            sizes = tuple(map(math.prod, shapes))
        return cls(tuple(range(len(values))), len(values), dtype, sizes)

    @property
    def is_all(self) -> bool:
        """Returns whether these are all variables, in their order."""
        return self.positions == tuple(range(self.count))

    def entries(self, vector: Tensor) -> Tensor:
        """Returns the entries of these variables.

        Args:
            vector: One entry for each variable of the optimizer.
        """
        if self.is_all:
            return vector
        return ops.take(vector, list(self.positions))

    def put(self, entries: Tensor, vector: Tensor) -> Tensor:
        """Returns a vector with these variables' entries replaced.

        Args:
            entries: One entry for each of these variables.
            vector: One entry for each variable of the optimizer.
        """
        if self.is_all:
            return entries
        where = [[position] for position in self.positions]
        return ops.scatter_update(vector, where, entries)

    def fill(self, entries: Tensor, elsewhere: int = 0) -> Tensor:
        """Returns a vector of these variables' entries and a number elsewhere.

        Args:
            entries: One entry for each of these variables.
            elsewhere: The entry of all other variables. Defaults to `0`.
        """
        if self.is_all:
            return entries
        # `ops.full` waits for a GPU on torch (keras 3.15.1).
        others = ops.zeros((self.count,), dtype=entries.dtype) + elsewhere
        return self.put(entries, others)
