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
from keras_clip.rules.nonfinite import keep_where
from keras_clip.rules.rule import Rule
from keras_clip.validation import check_choice
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True)
class ACClipRule(Rule):
    """One step of ACClip for one variable.

    Args:
        beta_1: Decay rate of the momentum, in [0, 1).
        beta_2: Decay rate of the threshold and of `v`, in [0, 1).
        epsilon: Positive number added to denominators.
        alpha: Order of the threshold's moment, in [1, 2].
        step_scaling: `"rms"`, `"threshold"` or `None`.
        bias_correction: Whether moments are divided by `1 − beta^k`.
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1e-5
    alpha: float = 1.0
    step_scaling: str | None = "rms"
    bias_correction: bool = False
    nonfinite: str = "skip"

    def __post_init__(self):
        checked = {
            "beta_1": check_number("beta_1", self.beta_1, 0, 1, open_high=True),
            "beta_2": check_number("beta_2", self.beta_2, 0, 1, open_high=True),
            "epsilon": check_number("epsilon", self.epsilon, 0, open_low=True),
            "alpha": check_number("alpha", self.alpha, 1, 2),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_choice(
            "step_scaling", self.step_scaling, ("rms", "threshold", None)
        )
        check_choice("bias_correction", self.bias_correction, (False, True))
        check_choice("nonfinite", self.nonfinite, ("skip", "propagate"))

    @property
    def is_corrected(self) -> bool:
        """See `Rule`."""
        return self.bias_correction

    @property
    def in_place(self) -> str:
        """See `Rule`: a power of general order costs more than a division."""
        return "state" if self.alpha in (1, 2) else "nothing"

    @property
    def slots(self) -> dict[str, float]:
        """The moments `m`, `tau_alpha` and `v`.

        With `alpha=2` the second moment is `tau_alpha` itself: one slot.
        """
        names = ("momentum", "threshold_power", "velocity")
        three = self.step_scaling == "rms" and self.alpha != 2
        return dict.fromkeys(names if three else names[:2], 0.0)

    def __call__(
        self,
        x,
        g,
        state,
        learning_rate,
        k,
        clip=(),
        shared=(),
        weight_decay=0.0,
    ):
        """Returns the parameters and the state after one step.

        Args:
            x: Tensor, the parameters.
            g: Tensor like `x`, their gradient.
            state: Sequence of tensors like `x`, one for each of `slots`.
            learning_rate: Scalar tensor.
            k: Tensor that broadcasts to `x`, the number of this update of the
                variable, 1 at first.
            clip: Empty tuple: the threshold is a part of the rule.
            shared: Empty tuple.
            weight_decay: Python float, the decoupled weight decay.

        Returns:
            Tuple `(x, state)`.
        """
        finite = self._finite(g, clip)
        m, tau_alpha, *v = state
        m = self.beta_1 * m + (1 - self.beta_1) * g
        tau_alpha = self.beta_2 * tau_alpha + (
            1 - self.beta_2
        ) * absolute_power(g, self.alpha)
        v = [self.beta_2 * v + (1 - self.beta_2) * ops.square(g) for v in v]
        state = keep_where(finite, (m, tau_alpha, *v), state)

        m, tau, v = self._corrected(state, k)
        g_hat = ops.minimum(tau / (ops.absolute(m) + self.epsilon), 1.0) * m
        step = learning_rate * g_hat
        if self.step_scaling == "rms":
            step = step / (ops.sqrt(self.beta_2 * v) + self.epsilon)
        elif self.step_scaling == "threshold":
            step = step / (tau + self.epsilon)
        x = self._moved(finite, x, step, learning_rate, weight_decay)
        return x, state

    def clipped(self, g, clip, state, k):
        """Returns where the clip shortened the momentum in the last step.

        Args:
            g: Tensor, the gradient; not used.
            clip: Empty tuple.
            state: Tuple of tensors like `g`, the state after the step.
            k: Scalar tensor, the number of that update of the variable.

        Returns:
            Boolean tensor: `tau < |m| + epsilon` and the momentum not zero.
        """
        m, tau, _ = self._corrected(state, k)
        magnitude = ops.absolute(m)
        return ops.logical_and(tau < magnitude + self.epsilon, magnitude > 0)

    def _corrected(self, state, k):
        """Returns `m`, `tau` and `v` as the step uses them."""
        m, tau_alpha, *v = state
        v = v[0] if v else tau_alpha
        if self.bias_correction:
            m = m / bias_correction(self.beta_1, k)
            tau_alpha = tau_alpha / bias_correction(self.beta_2, k)
            v = v / bias_correction(self.beta_2, k)
        return m, root(tau_alpha, self.alpha), v
