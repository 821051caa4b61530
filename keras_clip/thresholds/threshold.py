"""What all thresholds have: a scale, and a unit for every update."""

from collections.abc import Sequence

from keras_clip.thresholds.scale import checked_scale
from keras_clip.thresholds.scale import listed


class Threshold:
    """Base of the thresholds.

    A threshold of your own is saved and loaded with the optimizer if its class
    is registered by `keras.saving.register_keras_serializable`, for tf_keras
    too.

    Attributes:
        scale: A positive float, or a tuple with an array for each variable.
        moves_with_norm: Whether the threshold follows the gradients' norms, of
            which it then keeps a moment.
        of: What the moment is of. `"raw"`: the norm, and the threshold is of
            the moment after the update. `"clipped"`: the norm once it is
            clipped, at the threshold of the moment before the update.
    """

    moves_with_norm = False
    of = "raw"

    def __init__(self, scale):
        self.scale = checked_scale("scale", scale, "a positive number")

    @property
    def parameters(self) -> tuple[float, ...]:
        """The other numbers, in the constructor's order."""
        return ()

    def with_numbers(self, scale, parameters: Sequence[float]) -> "Threshold":
        """Returns a threshold like this one with other numbers.

        Args:
            scale: As `scale`.
            parameters: As `parameters`.
        """
        return type(self)(scale, *parameters)

    def moment_after(self, k, parameters, norm, moment):
        """Returns the moment after a step.

        Args:
            k: As for `unit`.
            parameters: Tuple of scalar tensors, the values of `parameters`.
            norm: Tensor, the norm or the norms of this step's gradient.
            moment: Tensor like `norm`, or `None` if no moment is kept.
        """
        return moment

    def unit(self, k, parameters, moment):
        """Returns what multiplies the scale at update k.

        Args:
            k: Floating-point tensor, the number of the update from 1: a scalar
                or, with a moment for each variable, of the shape of `moment`.
            parameters: Tuple of scalar tensors, the values of `parameters`.
            moment: Tensor, the moment that `of` says, or `None`.

        Returns:
            Tensor, or the number 1.
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
