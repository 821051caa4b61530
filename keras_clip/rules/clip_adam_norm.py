"""Clip-Adam-Norm: [Chezhegov et al. 2025], Algorithm 2.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import bias_correction
from keras_clip.rules.norm import NormRule
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True)
class ClipAdamNormRule(NormRule):
    """One step of Clip-Adam-Norm for one variable.

    Args:
        beta_1: Decay rate of the momentum, in [0, 1).
        beta_2: Decay rate of `b²`, in [0, 1).

    The others are those of `NormRule`.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999

    def __post_init__(self):
        super().__post_init__()
        beta_2 = check_number("beta_2", self.beta_2, 0, 1, open_high=True)
        object.__setattr__(self, "beta_2", beta_2)

    def _accumulated(self, b2, square):
        return self.beta_2 * b2 + (1 - self.beta_2) * square

    def _corrected(self, b2, k):
        if not self.bias_correction:
            return b2
        return b2 / bias_correction(self.beta_2, ops.cast(k, b2.dtype))
