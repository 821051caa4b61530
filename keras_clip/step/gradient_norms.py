"""Computes the norms of a step's gradients."""

from collections.abc import Sequence
from typing import NamedTuple

from keras_clip import clipping
from keras_clip.clipping import Tensor


class Norms(NamedTuple):
    """Stores the norms of a step's gradients.

    Attributes:
        of_each: Vector with the norm of each variable's gradient.
        of_all: The global norm, a scalar.
    """

    of_each: Tensor
    of_all: Tensor


def norms_of(gradients: Sequence[Tensor], dtype: str | None = None) -> Norms:
    """Returns the norms of gradients.

    Args:
        gradients: Non-empty sequence of dense tensors.
        dtype: Dtype of the norms; the widest working dtype if `None`.
    """
    of_each = clipping.norms(gradients, dtype)
    return Norms(of_each, clipping.total_norm(of_each))
