"""GClip, clipped SGD: [Zhang et al. 2020], sections 3.1 and 4.1.

[Zhang et al. 2020]: https://arxiv.org/abs/1912.03194
"""

import dataclasses

from keras_clip.rules.nonfinite import keep_where
from keras_clip.rules.rule import Rule
from keras_clip.validation import check_choice
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True)
class GClipRule(Rule):
    """One step of GClip for one variable.

    Args:
        momentum: Decay rate of the momentum, in [0, 1).
        projection_radius: Radius of the ball that all parameters together are
            projected on after the step, or `None`.
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    momentum: float = 0.0
    projection_radius: float | None = None
    nonfinite: str = "skip"

    clipping = "global"
    in_place = "all"

    def __post_init__(self):
        momentum = check_number("momentum", self.momentum, 0, 1, open_high=True)
        object.__setattr__(self, "momentum", momentum)
        if self.projection_radius is not None:
            radius = check_number(
                "projection_radius", self.projection_radius, 0, open_low=True
            )
            object.__setattr__(self, "projection_radius", radius)
        check_choice("nonfinite", self.nonfinite, ("skip", "propagate"))

    @property
    def slots(self) -> dict[str, float]:
        """The momentum `b`, if there is one."""
        return {"momentum": 0.0} if self.momentum else {}

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
        u = self.clip(g, clip)
        finite = self._finite(u, clip)
        step = learning_rate * u
        if self.momentum:
            state = keep_where(
                finite, (self.momentum * state[0] - step,), state
            )
            step = -state[0]
        x = self._moved(finite, x, step, learning_rate, weight_decay)
        return x, state
