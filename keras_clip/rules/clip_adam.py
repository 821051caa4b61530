"""Clip-Adam, Adam on clipped gradients: [Chezhegov et al. 2025], experiments.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import bias_correction
from keras_clip.rules.moments import set_initial_accumulator_value
from keras_clip.rules.rule import Rule
from keras_clip.validation import one_of
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class ClipAdamRule(Rule):
    """Takes a step of Clip-Adam for one variable.

    Args:
        beta_1: Decay rate of the momentum.
        beta_2: Decay rate of the second moment.
        epsilon: Added to the root of the second moment.
        delay: 1 to scale a step by the second moment before the step.
        initial_accumulator_value: Second moment at the start; `None` for 0, or
            for 1e-5 with a delay. With a delay it must be positive.
    """

    beta_1: float = within(0.9, "[0, 1)")
    beta_2: float = within(0.999, "[0, 1)")
    epsilon: float = within(1e-7, "(0, inf)")
    delay: int = one_of(0, (0, 1))
    initial_accumulator_value: float | None = within(
        None, "[0, inf)", optional=True
    )

    operators = ("global", "layer", "coordinate")

    def __post_init__(self):
        super().__post_init__()
        set_initial_accumulator_value(self, 0.0)

    @property
    def is_corrected(self) -> bool:
        """Returns whether moments are bias-corrected; see `Rule`."""
        return not self.delay

    @property
    def slots(self) -> dict[str, float]:
        """Names the moments `m` and `v`; see `Rule`."""
        return {"momentum": 0.0, "velocity": self.initial_accumulator_value}

    def moments(self, u, before, learning_rate):
        """Returns `m` and `v`; see `Rule`."""
        m, v = before
        m = self.beta_1 * m + (1 - self.beta_1) * u
        v = self.beta_2 * v + (1 - self.beta_2) * ops.square(u)
        return m, v

    def step(self, u, before, after, learning_rate, k, shared):
        """Returns `lr · m / (√v + ε)`, corrected if not delayed; see `Rule`."""
        m, v = after
        if self.delay:
            _, v = before
        else:
            learning_rate = (
                learning_rate
                * ops.sqrt(bias_correction(self.beta_2, k))
                / bias_correction(self.beta_1, k)
            )
        return learning_rate * m / (ops.sqrt(v) + self.epsilon)
