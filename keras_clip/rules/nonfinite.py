"""Decides where a step is taken: everywhere, or where a gradient is finite."""

from typing import NamedTuple

import keras
from keras import ops

from keras_clip.clipping import Tensor

# The square of a positive number is finite if the number is below this bound.
_BOUNDS = {"float32": 2.0**64, "float64": 2.0**512}


class Everywhere(NamedTuple):
    """Takes a step everywhere."""

    def choose(self, new: Tensor, old: Tensor) -> Tensor:
        """Returns the value after the step."""
        return new


class Where(NamedTuple):
    """Takes a step where a condition holds.

    Attributes:
        condition: Boolean tensor that broadcasts to the values.
    """

    condition: Tensor

    def choose(self, new: Tensor, old: Tensor) -> Tensor:
        """Returns the value after the step where it is taken, else before."""
        return ops.where(self.condition, new, old)


Taken = Everywhere | Where


def is_finite(g: Tensor) -> Tensor:
    """Returns where the square of a gradient is finite.

    A coordinate whose square overflows would make a second moment infinite for
    ever, and it makes a norm infinite.

    Args:
        g: Gradient in float32 or float64.

    Returns:
        Boolean tensor like `g`.
    """
    # One comparison, false for NaN. With `isfinite(square(g))` an average takes
    # a third longer where XLA updates it in place (tensorflow 2.20.0, CPU).
    return ops.absolute(g) < _BOUNDS[keras.backend.standardize_dtype(g.dtype)]
