"""ACClip, adaptive coordinate-wise clipping: [Zhang et al. 2020], Algorithm 1.

The symbols are the paper's: `m` the momentum, `tau` the threshold, kept as its
power `tau_alpha = tau^alpha`, `v` the second moment that scales the step.

[Zhang et al. 2020]: https://arxiv.org/abs/1912.03194
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import absolute_power
from keras_clip.rules.moments import bias_correction
from keras_clip.rules.moments import root
from keras_clip.rules.rule import Rule
from keras_clip.validation import one_of
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class ACClipRule(Rule):
    """Takes a step of ACClip for one variable.

    Args:
        beta_1: Decay rate of the momentum.
        beta_2: Decay rate of the threshold and of `v`.
        epsilon: Added to denominators.
        alpha: Order of the threshold's moment.
        step_scaling: Divisor of the step: `"rms"` for `√(beta_2 · v)`,
            `"threshold"`, or `None`.
        bias_correction: Whether moments are divided by `1 − beta^k`.
    """

    beta_1: float = within(0.9, "[0, 1)")
    beta_2: float = within(0.99, "[0, 1)")
    epsilon: float = within(1e-5, "(0, inf)")
    alpha: float = within(1.0, "[1, 2]")
    step_scaling: str | None = one_of("rms", ("rms", "threshold", None))
    bias_correction: bool = one_of(False, (False, True))

    @property
    def is_corrected(self) -> bool:
        """Returns whether moments are bias-corrected; see `Rule`."""
        return self.bias_correction

    @property
    def slots(self) -> dict[str, float]:
        """Names the moments `m`, `tau_alpha` and `v`; see `Rule`.

        With `alpha=2`, `v` equals `tau_alpha` and has no slot.
        """
        names = ("momentum", "threshold_power", "velocity")
        three = self.step_scaling == "rms" and self.alpha != 2
        return dict.fromkeys(names if three else names[:2], 0.0)

    def moments(self, g, before, learning_rate):
        """Returns `m`, `tau_alpha` and, if it has a slot, `v`; see `Rule`."""
        m, tau_alpha, *v = before
        m = self.beta_1 * m + (1 - self.beta_1) * g
        tau_alpha = self.beta_2 * tau_alpha + (
            1 - self.beta_2
        ) * absolute_power(g, self.alpha)
        v = [self.beta_2 * v + (1 - self.beta_2) * ops.square(g) for v in v]
        return m, tau_alpha, *v

    def step(self, g, before, after, learning_rate, k, shared):
        """Returns `η · ĝ`; see `Rule`."""
        m, tau, v = self._estimates(after, k)
        g_hat = ops.minimum(tau / (ops.absolute(m) + self.epsilon), 1.0) * m
        step = learning_rate * g_hat
        if self.step_scaling == "rms":
            return step / (ops.sqrt(self.beta_2 * v) + self.epsilon)
        if self.step_scaling == "threshold":
            return step / (tau + self.epsilon)
        return step

    def clipped(self, g, clip, state, k):
        """Returns where `tau < |m| + epsilon` and `m` is not 0; see `Rule`."""
        m, tau, _ = self._estimates(state, k)
        magnitude = ops.absolute(m)
        return ops.logical_and(tau < magnitude + self.epsilon, magnitude > 0)

    def _estimates(self, state, k):
        """Returns `m`, `tau` and `v`, bias-corrected if that is asked for."""
        m, tau_alpha, *v = state
        # With alpha = 2 they are equal.
        v = v[0] if v else tau_alpha
        if self.bias_correction:
            m = m / bias_correction(self.beta_1, k)
            tau_alpha = tau_alpha / bias_correction(self.beta_2, k)
            v = v / bias_correction(self.beta_2, k)
        return m, root(tau_alpha, self.alpha), v
