"""Clip-Adam-Norm: [Chezhegov et al. 2025], Algorithm 2.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import bias_correction
from keras_clip.rules.norm_rule import NormRule
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class ClipAdamNormRule(NormRule):
    """Takes a step of Clip-Adam-Norm for one variable.

    Args:
        beta_1: Decay rate of the momentum.
        beta_2: Decay rate of `b²`.

    The other arguments are those of `NormRule`.
    """

    beta_1: float = within(0.9, "[0, 1)")
    beta_2: float = within(0.999, "[0, 1)")

    def accumulated(self, b2, square):
        """Returns `b_k²`; see `NormRule`."""
        return self.beta_2 * b2 + (1 - self.beta_2) * square

    def bias_corrected(self, b2, k):
        """Returns `b_k² / (1 − beta_2^k)` if asked for; see `NormRule`."""
        if not self.bias_correction:
            return b2
        return b2 / bias_correction(self.beta_2, ops.cast(k, b2.dtype))
