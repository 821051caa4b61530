"""The norms of a step's gradients."""

from collections.abc import Sequence
from typing import NamedTuple

from keras_clip import clipping


class Norms(NamedTuple):
    """The norms of a step's gradients.

    Attributes:
        of_each: Tensor of the norm of each variable's gradient.
        of_all: Scalar tensor, the norm of all of them together.
    """

    of_each: object
    of_all: object


def norms_of(gradients: Sequence, dtype: str | None = None) -> Norms:
    """Returns the norms of gradients.

    Args:
        gradients: Non-empty sequence of dense tensors.
        dtype: Dtype of the norms; the widest working dtype if `None`.
    """
    of_each = clipping.norms(gradients, dtype)
    return Norms(of_each, clipping.total_norm(of_each))
