"""Clip-AdaGrad, AdaGrad on clipped gradients: [Chezhegov et al. 2025].

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import set_initial_accumulator_value
from keras_clip.rules.rule import Rule
from keras_clip.validation import one_of
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class ClipAdaGradRule(Rule):
    """Takes a step of Clip-AdaGrad for one variable.

    Args:
        beta_1: Decay rate of the momentum.
        initial_accumulator_value: Sum of squares at the start; `None` for 0.1,
            or for 1e-5 with a delay. With a delay it must be positive.
        epsilon: Added to the sum of squares.
        delay: 1 to scale a step by the sum of squares before the step.
    """

    beta_1: float = within(0.0, "[0, 1)")
    initial_accumulator_value: float | None = within(
        None, "[0, inf)", optional=True
    )
    epsilon: float = within(1e-7, "(0, inf)")
    delay: int = one_of(0, (0, 1))

    operators = ("global", "layer", "coordinate")

    def __post_init__(self):
        super().__post_init__()
        set_initial_accumulator_value(self, 0.1)

    @property
    def slots(self) -> dict[str, float]:
        """Names the momentum `m`, if there is one, and the sum of squares."""
        momentum = {"momentum": 0.0} if self.beta_1 else {}
        return {**momentum, "accumulator": self.initial_accumulator_value}

    @property
    def rests_at_zero(self) -> bool:
        """Returns whether there is no momentum; see `Rule`."""
        return not self.beta_1

    def moments(self, u, before, learning_rate):
        """Returns `m`, if there is one, and `v`; see `Rule`."""
        *m, v = before
        m = [self.beta_1 * m + (1 - self.beta_1) * u for m in m]
        return *m, v + ops.square(u)

    def step(self, u, before, after, learning_rate, k, shared):
        """Returns `lr · m / √(v + ε)`; see `Rule`."""
        *m, v = after
        (m,) = m or (u,)
        if self.delay:
            *_, v = before
        return learning_rate * m / ops.sqrt(v + self.epsilon)
