"""A threshold that is a power of the update count."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_clip.thresholds.threshold import Threshold
from keras_clip.validation import check_number


@keras.saving.register_keras_serializable("keras_clip")
class PolynomialThreshold(Threshold):
    """Threshold that changes as a power of the update count.

    ```
    τ_k = scale · k^power
    ```

    Args:
        scale: Positive float in units of the gradient; with clipping by
            coordinate also a list of one array for each variable, which
            broadcasts to its shape. Defaults to `1.0`.
        power: Float. `1 / alpha` in Zhang et al., Theorems 4 and 8, and
            `1 / (2 · alpha)` in Chezhegov et al., alpha the tail index of the
            noise. Defaults to `0.5`.

    Raises:
        ValueError: If an argument is not a number or `scale` is not positive.

    Example:

    >>> threshold = keras_clip.thresholds.PolynomialThreshold(2.0, power=0.5)
    >>> optimizer = keras_clip.GClip(clip_threshold=threshold)

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194)
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443)
    """

    def __init__(self, scale: float | Sequence = 1.0, power: float = 0.5):
        super().__init__(scale)
        self.power = check_number("power", power)

    @property
    def parameters(self) -> tuple[float, ...]:
        """Returns the power."""
        return (self.power,)

    def unit(self, k, parameters, moment):
        """Returns `k^power`."""
        (power,) = parameters
        return ops.power(k, power)

    def get_config(self) -> dict:
        """Returns the arguments that make a threshold like this one."""
        return {**super().get_config(), "power": self.power}
