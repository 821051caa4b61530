"""What a step cannot do without: the bytes that it reads and writes."""

import math
from collections.abc import Iterable

import numpy as np

# Everything is measured in float32.
ITEM = 4
# Variables of an optimizer that are no state of the algorithm.
_PLUMBING = {"iteration", "learning_rate"}


def bytes_moved(parameters: int, slots: int, norm: bool) -> int:
    """Returns how many bytes a step moves at least.

    Each parameter and each slot is read and written, each gradient is read,
    once more if its norm has to be known before it can be used.

    Args:
        parameters: Number of parameters.
        slots: How many tensors like each variable the algorithm keeps.
        norm: Whether it takes a norm.
    """
    return ITEM * parameters * (2 + 1 + 2 * slots + norm)


def bytes_of_state(variables: Iterable) -> int:
    """Returns the bytes of an optimizer's state.

    Args:
        variables: The optimizer's variables, of Keras or TensorFlow. Those for
            the learning rate and the number of steps are left out.
    """
    return sum(
        math.prod(variable.shape) * _item(variable.dtype)
        for variable in variables
        if variable.name.split(":")[0] not in _PLUMBING
    )


def _item(dtype):
    """Returns the bytes of one number of a dtype of Keras or TensorFlow."""
    return np.dtype(getattr(dtype, "name", dtype)).itemsize
