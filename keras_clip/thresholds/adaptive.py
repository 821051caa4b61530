"""A threshold that follows the norms of the gradients."""

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_clip.thresholds.threshold import Threshold
from keras_clip.validation import check_choice
from keras_clip.validation import check_integer
from keras_clip.validation import check_number


@keras.saving.register_keras_serializable("keras_clip")
class AdaptiveThreshold(Threshold):
    """Threshold that follows the norm of the gradients.

    ```
    τ_k^α       = beta · τ_{k−1}^α + (1 − beta) · ‖g_k‖^α
    threshold   = multiplier · (τ_k^α / (1 − beta^k))^(1/α)
    ```

    It follows the global norm with global clipping, and the norm of each
    variable with layer or coordinate clipping. Where single gradients are a
    hundred times too large, use `of="clipped"` with a `multiplier` of 1.5 to 2.

    `of="raw"`, the first paper's estimator, follows the norm before clipping.
    It adapts quickly to norms that have grown, but lets single large gradients
    pass: a norm of a thousand times the usual raises the threshold eleven-fold
    at once and for a hundred updates. `of="clipped"` follows the norm after
    clipping at the threshold that the earlier updates determine:

    ```
    threshold   = multiplier · M_{k−1}^(1/α)
    M_k         = beta · M_{k−1} + (1 − beta) · min(‖g_k‖, threshold)^α
    ```

    The first `warmup_steps` updates are not clipped, and `M` is the mean of
    their `‖g‖^α`. It adapts slowly to norms that have grown for good by a
    factor c, in about `α · log(c) / ((1 − beta) · (multiplier^α − 1))` updates.

    Args:
        multiplier: Positive float, above 1 with `of="clipped"`. Defaults to
            `1.0`.
        beta: Float in [0, 1), the decay rate of the moment. Defaults to `0.99`.
        alpha: Float in [1, 2], the order of the moment. Defaults to `1.0`.
        of: `"raw"` or `"clipped"`, the norm that it follows. Defaults to
            `"raw"`.
        warmup_steps: Int, the number of updates without clipping that
            `of="clipped"` starts with. Defaults to `25`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> threshold = keras_clip.thresholds.AdaptiveThreshold(
    ...     multiplier=2.0, of="clipped")
    >>> optimizer = keras_clip.GClip(clip_threshold=threshold)

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), section 4.2
    """

    moves_with_norm = True

    def __init__(
        self,
        multiplier: float = 1.0,
        beta: float = 0.99,
        alpha: float = 1.0,
        of: str = "raw",
        warmup_steps: int = 25,
    ):
        super().__init__(
            check_number("multiplier", multiplier, 0, open_low=True)
        )
        self.beta = check_number("beta", beta, 0, 1, open_high=True)
        self.alpha = check_number("alpha", alpha, 1, 2)
        self.of = check_choice("of", of, ("raw", "clipped"))
        self.warmup_steps = check_integer("warmup_steps", warmup_steps, 1)
        if of == "clipped" and self.scale <= 1:
            raise ValueError(
                "`multiplier` must be above 1 with `of='clipped'`: the moment "
                "of norms clipped at a smaller multiple could only fall. "
                f"Received: multiplier={multiplier!r}"
            )

    @property
    def parameters(self) -> tuple[float, ...]:
        """Returns the decay rate, the order and the length of any warm-up."""
        if self.of == "raw":
            return (self.beta, self.alpha)
        return (self.beta, self.alpha, self.warmup_steps)

    def with_numbers(self, scale, parameters: Sequence[float]) -> "Threshold":
        """Returns a threshold like this one with other numbers.

        Args:
            scale: As `scale`.
            parameters: As `parameters`.
        """
        beta, alpha, *warmup = parameters
        (steps,) = warmup or [self.warmup_steps]
        return type(self)(scale, beta, alpha, self.of, round(steps))

    def moment_after(self, k, parameters, norm, moment):
        """Returns `τ_k^α` from `τ_{k−1}^α`, or `M_k` from `M_{k−1}`."""
        beta, alpha, *warmup = parameters
        power = ops.power(norm, alpha)
        after = beta * moment + (1 - beta) * power
        if self.of == "raw":
            return after
        # After zero norms alone the threshold would be zero, and stay so.
        is_zero = ops.equal(moment, ops.zeros_like(moment))
        after = ops.where(is_zero, power, after)
        mean = moment + (power - moment) / k
        return ops.where(k <= warmup[0], mean, after)

    def moment_like(self, before: "Threshold", k, moment):
        """Converts `τ_k^α` or `M_k` to the parameters of this threshold.

        Args:
            before: The threshold that this one replaces.
            k: Array or integer, the number of updates so far.
            moment: Array, the moment of `before` after them.
        """
        if self.of == "clipped":
            return moment ** (self.alpha / before.alpha)
        count = np.maximum(k, 1)
        corrected = moment / (1 - before.beta**count)
        power = corrected ** (self.alpha / before.alpha)
        return power * (1 - self.beta**count)

    def unit(self, k, parameters, moment):
        """Returns `(τ_k^α / (1 − beta^k))^(1/α)`, or `M_{k−1}^(1/α)`."""
        beta, alpha, *warmup = parameters
        if self.of == "raw":
            moment = moment / -ops.expm1(k * ops.log(beta))
            return ops.power(moment, 1 / alpha)
        clips = ops.logical_and(k > warmup[0], moment > 0)
        infinite = ops.zeros_like(moment) + math.inf
        return ops.where(clips, ops.power(moment, 1 / alpha), infinite)

    def get_config(self) -> dict:
        """Returns the arguments that make a threshold like this one."""
        return {
            "multiplier": self.scale,
            "beta": self.beta,
            "alpha": self.alpha,
            "of": self.of,
            "warmup_steps": self.warmup_steps,
        }
