"""Clips one gradient: not at all, by a factor, or by a bound on coordinates.

A clip is a named tuple of tensors, so that it passes through compiled
functions. A NaN in it marks a gradient that must not be stepped by.
"""

from typing import NamedTuple

from keras import ops

from keras_clip.clipping import Tensor
from keras_clip.clipping import clip_by_value
from keras_clip.rules.nonfinite import Where
from keras_clip.rules.nonfinite import is_finite


class Unclipped(NamedTuple):
    """Leaves a gradient unchanged."""

    def apply(self, g: Tensor) -> Tensor:
        """Returns `u = g`."""
        return g

    def finite(self, u: Tensor) -> Where:
        """Returns where a step by `u` is taken."""
        return Where(is_finite(u))

    def shortens(self, g: Tensor) -> Tensor:
        """Returns where `|u| < |g|`, a boolean tensor like `g`."""
        return ops.zeros_like(g, "bool")


class Factor(NamedTuple):
    """Multiplies a gradient.

    Attributes:
        factor: `min(1, τ/‖g‖)`, NaN if the norm is not finite; broadcasts to
            the gradient.
    """

    factor: Tensor

    def apply(self, g: Tensor) -> Tensor:
        """Returns `u = min(1, τ/‖g‖) · g`."""
        return self.factor * g

    def finite(self, u: Tensor) -> Where:
        """Returns where a step by `u` is taken."""
        return Where(is_finite(self.factor))

    def shortens(self, g: Tensor) -> Tensor:
        """Returns where `|u| < |g|`, a boolean tensor like `g`."""
        return ops.absolute(self.apply(g)) < ops.absolute(g)


class Bound(NamedTuple):
    """Bounds each coordinate of a gradient.

    Attributes:
        threshold: τ, which broadcasts to the gradient.
    """

    threshold: Tensor

    def apply(self, g: Tensor) -> Tensor:
        """Returns `u = min(1, τ/|g|) · g` for every coordinate."""
        return clip_by_value(g, self.threshold)

    def finite(self, u: Tensor) -> Where:
        """Returns where a step by `u` is taken."""
        return Where(is_finite(u))

    def shortens(self, g: Tensor) -> Tensor:
        """Returns where `|u| < |g|`, a boolean tensor like `g`."""
        magnitude = ops.absolute(g)
        return ops.logical_and(magnitude > self.threshold, ops.isfinite(g))


Clip = Unclipped | Factor | Bound

UNCLIPPED = Unclipped()


def cast(clip: Clip, dtype: str) -> Clip:
    """Returns a clip for gradients of another dtype.

    Args:
        clip: The clip of a gradient.
        dtype: The working dtype of the gradient.
    """
    return type(clip)(*(ops.cast(value, dtype) for value in clip))
