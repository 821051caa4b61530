"""Defines the base class of all thresholds, which are scale times growth."""

import copy
from collections.abc import Sequence

from keras_clip.thresholds.scale import checked_scale
from keras_clip.thresholds.scale import listed


class Threshold:
    """Base class of the thresholds.

    The threshold of an update is `scale · growth`, and the method `unit`
    returns the growth. A subclass is saved and loaded with the optimizer if it
    is registered by `keras.saving.register_keras_serializable`, for tf_keras
    too. Its scale and its `parameters`, which `unit` receives as tensors, can
    be set between steps.

    Example:

    >>> @keras.saving.register_keras_serializable("mine")
    ... class DecayingThreshold(keras_clip.thresholds.Threshold):
    ...     def __init__(self, scale, rate=0.1):
    ...         super().__init__(scale)
    ...         self.rate = rate
    ...     @property
    ...     def parameters(self):
    ...         return (self.rate,)
    ...     def unit(self, k, parameters, moment):
    ...         (rate,) = parameters
    ...         return 1 / (1 + rate * k)
    ...     def get_config(self):
    ...         return {**super().get_config(), "rate": self.rate}
    >>> optimizer = keras_clip.GClip(clip_threshold=DecayingThreshold(2.0))

    Attributes:
        scale: A positive float, or a tuple with an array for each variable.
        moves_with_norm: Whether the threshold follows the norms of the
            gradients. If so, a moment of them is stored.
        of: The norm that the moment averages. `"raw"`: the norm before
            clipping; the threshold uses the moment after the update.
            `"clipped"`: the norm after clipping; the threshold uses the moment
            before the update.
    """

    moves_with_norm = False
    of = "raw"

    def __init__(self, scale):
        self.scale = checked_scale("scale", scale, "a positive number")

    @property
    def parameters(self) -> tuple[float, ...]:
        """Returns the other numbers, in the constructor's order."""
        return ()

    def with_numbers(self, scale, parameters: Sequence[float]) -> "Threshold":
        """Returns a threshold like this one with other numbers.

        Override it in a class whose constructor takes more than these numbers.

        Args:
            scale: As `scale`.
            parameters: As `parameters`.
        """
        if parameters:
            return type(self)(scale, *parameters)
        other = copy.copy(self)
        other.scale = scale
        return other

    def moment_after(self, k, parameters, norm, moment):
        """Returns the moment after a step.

        Args:
            k: As for `unit`.
            parameters: Tuple of scalar tensors, the values of `parameters`.
            norm: Tensor, the norm or the norms of this step's gradient.
            moment: Tensor like `norm`, or `None` if no moment is stored.
        """
        return moment

    def moment_like(self, before: "Threshold", k, moment):
        """Converts a moment to the parameters of this threshold.

        Args:
            before: The threshold that this one replaces.
            k: Array or integer, the number of updates so far.
            moment: Array, the moment of `before` after them.
        """
        return moment

    def unit(self, k, parameters, moment):
        """Returns the growth, by which the scale is multiplied at update k.

        Args:
            k: Floating-point tensor, the number of the update from 1: a scalar
                or, with a moment for each variable, of the shape of `moment`.
            parameters: Tuple of scalar tensors, the values of `parameters`.
            moment: Tensor, the moment that `of` selects, or `None`.

        Returns:
            The growth: a tensor, or the number 1.
        """
        return 1.0

    def get_config(self) -> dict:
        """Returns the arguments that make a threshold like this one."""
        return {"scale": listed(self.scale)}

    @classmethod
    def from_config(cls, config: dict) -> "Threshold":
        """Returns the threshold that `config` describes."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(
            f"{name}={value!r}" for name, value in self.get_config().items()
        )
        return f"{type(self).__name__}({arguments})"
