"""GClip, clipped SGD: [Zhang et al. 2020], sections 3.1 and 4.1.

[Zhang et al. 2020]: https://arxiv.org/abs/1912.03194
"""

import dataclasses

from keras_clip.rules.rule import Rule
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class GClipRule(Rule):
    """Takes a step of GClip for one variable.

    Args:
        momentum: Decay rate of the momentum.
        projection_radius: Radius of the ball that all parameters together are
            projected onto after the step, or `None`.
    """

    momentum: float = within(0.0, "[0, 1)")
    projection_radius: float | None = within(None, "(0, inf)", optional=True)

    operators = ("global",)

    @property
    def slots(self) -> dict[str, float]:
        """Names the momentum `b`, if there is one; see `Rule`."""
        return {"momentum": 0.0} if self.momentum else {}

    @property
    def rests_at_zero(self) -> bool:
        """Returns whether there is no momentum; see `Rule`."""
        return not self.momentum

    def moments(self, u, before, learning_rate):
        """Returns `b`; see `Rule`."""
        return tuple(self.momentum * b - learning_rate * u for b in before)

    def step(self, u, before, after, learning_rate, k, shared):
        """Returns `−b` or, without momentum, `lr · u`; see `Rule`."""
        return -after[0] if after else learning_rate * u
