"""Clips one gradient by nothing, by a factor, or by a bound of coordinates.

Each is a structure of tensors, so that it passes through compiled functions.
A number in it that is NaN says that what it is for is not to be stepped by.
"""

from typing import NamedTuple

from keras import ops

from keras_clip.clipping import clip_by_value
from keras_clip.rules.nonfinite import Where
from keras_clip.rules.nonfinite import is_finite


class Unclipped(NamedTuple):
    """Leaves a gradient as it is."""

    def apply(self, g):
        """Returns `u = g`."""
        return g

    def finite(self, u) -> Where:
        """Returns where a step by `u` is taken."""
        return Where(is_finite(u))

    def shortens(self, g):
        """Returns where `|u| < |g|`, a boolean tensor like `g`."""
        return ops.zeros_like(g, "bool")


class Factor(NamedTuple):
    """Multiplies a gradient.

    Attributes:
        factor: Tensor that broadcasts to the gradient, `min(1, τ/‖g‖)`, NaN if
            any coordinate of what the norm is of is bad.
    """

    factor: object

    def apply(self, g):
        """Returns `u = min(1, τ/‖g‖) · g`."""
        return self.factor * g

    def finite(self, u) -> Where:
        """Returns where a step by `u` is taken."""
        return Where(is_finite(self.factor))

    def shortens(self, g):
        """Returns where `|u| < |g|`, a boolean tensor like `g`."""
        return ops.absolute(self.apply(g)) < ops.absolute(g)


class Bound(NamedTuple):
    """Bounds each coordinate of a gradient.

    Attributes:
        threshold: Tensor that broadcasts to the gradient, τ.
    """

    threshold: object

    def apply(self, g):
        """Returns `u = min(1, τ/|g|) · g` for every coordinate."""
        return clip_by_value(g, self.threshold)

    def finite(self, u) -> Where:
        """Returns where a step by `u` is taken."""
        return Where(is_finite(u))

    def shortens(self, g):
        """Returns where `|u| < |g|`, a boolean tensor like `g`."""
        return ops.absolute(self.apply(g)) < ops.absolute(g)


Clip = Unclipped | Factor | Bound

UNCLIPPED = Unclipped()


def cast(clip: Clip, dtype: str) -> Clip:
    """Returns what clips a gradient of another dtype.

    Args:
        clip: What clips a gradient.
        dtype: The working dtype of the gradient.
    """
    return type(clip)(*(ops.cast(value, dtype) for value in clip))
