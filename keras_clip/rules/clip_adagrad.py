"""Clip-AdaGrad, AdaGrad of clipped gradients: [Chezhegov et al. 2025].

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.nonfinite import keep_where
from keras_clip.rules.rule import Rule
from keras_clip.validation import check_choice
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True)
class ClipAdaGradRule(Rule):
    """One step of Clip-AdaGrad for one variable.

    Args:
        beta_1: Decay rate of the momentum, in [0, 1).
        initial_accumulator_value: Sum of squares at the start; `None` for 0.1,
            or 1e-5 with a delay.
        epsilon: Positive number added to the sum of squares.
        clipping: `"global"`, `"layer"` or `"coordinate"`.
        delay: 0, or 1 to scale a step by the sum before it.
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    beta_1: float = 0.0
    initial_accumulator_value: float | None = None
    epsilon: float = 1e-7
    clipping: str = "global"
    delay: int = 0
    nonfinite: str = "skip"

    def __post_init__(self):
        check_choice("delay", self.delay, (0, 1))
        start = self.initial_accumulator_value
        if start is None:
            start = 1e-5 if self.delay else 0.1
        checked = {
            "beta_1": check_number("beta_1", self.beta_1, 0, 1, open_high=True),
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
    def in_place(self) -> str:
        """See `Rule`: a step with a delay reads the state before it."""
        by_coordinate = self.clipping == "coordinate"
        return "nothing" if by_coordinate or self.delay else "state"

    @property
    def slots(self) -> dict[str, float]:
        """The momentum `m`, if there is one, and the sum of squares `v`."""
        momentum = {"momentum": 0.0} if self.beta_1 else {}
        return {**momentum, "accumulator": self.initial_accumulator_value}

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
            k: Tensor, the number of this update of the variable; not used.
            clip: See `Rule`.
            shared: Empty tuple.
            weight_decay: Python float, the decoupled weight decay.

        Returns:
            Tuple `(x, state)`.
        """
        *m, v = state
        u = self.clip(g, clip)
        finite = self._finite(u, clip)
        m = [self.beta_1 * m + (1 - self.beta_1) * u for m in m]
        state = keep_where(finite, (*m, v + ops.square(u)), state)
        if not self.delay:
            v = state[-1]
        m = state[0] if m else u
        step = learning_rate * m / ops.sqrt(v + self.epsilon)
        x = self._moved(finite, x, step, learning_rate, weight_decay)
        return x, state
