"""Clip-Adam, Adam of clipped gradients: [Chezhegov et al. 2025], experiments.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import bias_correction
from keras_clip.rules.nonfinite import keep_where
from keras_clip.rules.rule import Rule
from keras_clip.validation import check_choice
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True)
class ClipAdamRule(Rule):
    """One step of Clip-Adam for one variable.

    Args:
        beta_1: Decay rate of the momentum, in [0, 1).
        beta_2: Decay rate of the second moment, in [0, 1).
        epsilon: Positive number added to the root of the second moment.
        clipping: `"global"`, `"layer"` or `"coordinate"`.
        delay: 0, or 1 to scale a step by the second moment before it.
        initial_accumulator_value: Second moment at the start; `None` for 0, or
            1e-5 with a delay.
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    clipping: str = "global"
    delay: int = 0
    initial_accumulator_value: float | None = None
    nonfinite: str = "skip"

    def __post_init__(self):
        check_choice("delay", self.delay, (0, 1))
        start = self.initial_accumulator_value
        if start is None:
            start = 1e-5 if self.delay else 0.0
        checked = {
            "beta_1": check_number("beta_1", self.beta_1, 0, 1, open_high=True),
            "beta_2": check_number("beta_2", self.beta_2, 0, 1, open_high=True),
            "epsilon": check_number("epsilon", self.epsilon, 0, open_low=True),
            "initial_accumulator_value": check_number(
                "initial_accumulator_value", start, 0, open_low=self.delay == 1
            ),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_choice(
            "clipping", self.clipping, ("global", "layer", "coordinate")
        )
        check_choice("nonfinite", self.nonfinite, ("skip", "propagate"))

    @property
    def is_corrected(self) -> bool:
        """See `Rule`."""
        return not self.delay

    @property
    def in_place(self) -> str:
        """See `Rule`: a step with a delay reads the state before it."""
        by_coordinate = self.clipping == "coordinate"
        return "nothing" if by_coordinate or self.delay else "state"

    @property
    def slots(self) -> dict[str, float]:
        """The moments `m` and `v`."""
        return {"momentum": 0.0, "velocity": self.initial_accumulator_value}

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
            state: Tuple of tensors like `x`, one for each of `slots`.
            learning_rate: Scalar tensor.
            k: Tensor that broadcasts to `x`, the number of this update of the
                variable, 1 at first.
            clip: See `Rule`.
            shared: Empty tuple.
            weight_decay: Python float, the decoupled weight decay.

        Returns:
            Tuple `(x, state)`.
        """
        m, v = state
        u = self.clip(g, clip)
        finite = self._finite(u, clip)
        m = self.beta_1 * m + (1 - self.beta_1) * u
        v_next = self.beta_2 * v + (1 - self.beta_2) * ops.square(u)
        state = keep_where(finite, (m, v_next), state)
        m, rate = state[0], learning_rate
        if not self.delay:
            v = state[1]
            rate = (
                learning_rate
                * ops.sqrt(bias_correction(self.beta_2, k))
                / bias_correction(self.beta_1, k)
            )
        step = rate * m / (ops.sqrt(v) + self.epsilon)
        x = self._moved(finite, x, step, learning_rate, weight_decay)
        return x, state
