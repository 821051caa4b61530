"""Clip-AdaGrad-Norm: [Chezhegov et al. 2025], Algorithm 2.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

from keras_clip.rules.norm_rule import NormRule


class ClipAdaGradNormRule(NormRule):
    """Takes a step of Clip-AdaGrad-Norm for one variable; see `NormRule`."""

    def accumulated(self, b2, square):
        """Returns `b_k²`; see `NormRule`."""
        return b2 + square
