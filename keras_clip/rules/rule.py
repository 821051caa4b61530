"""One step of an algorithm for one variable: what all rules have in common."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

from keras_clip.rules.clips import UNCLIPPED
from keras_clip.rules.clips import Clip
from keras_clip.rules.nonfinite import Everywhere
from keras_clip.validation import check_fields
from keras_clip.validation import one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One algorithm. Subclasses are frozen dataclasses of hyperparameters.

    A rule says what its state is (`slots`), how a gradient changes it
    (`moments`) and how far the variable then goes (`step`). It treats each
    coordinate on its own: any part of a variable can be moved without the rest.
    What coordinates or variables share, it is given.

    Args:
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of the range declared beside it.

    Attributes:
        operators: Clipping operators that its gradients can be clipped by, the
            default first: of `"global"`, `"layer"` and `"coordinate"`. Empty
            for a rule without a threshold.
        projection_radius: Radius of the ball that all parameters together are
            projected on after each step, or `None`; a field of rules that
            have such an argument.
    """

    nonfinite: str = one_of("skip", ("skip", "propagate"))

    operators: ClassVar[tuple[str, ...]] = ()
    projection_radius: ClassVar[float | None] = None

    def __post_init__(self):
        check_fields(self)

    @property
    def slots(self) -> dict[str, float]:
        """Names and initial values of the tensors kept for every variable."""
        return {}

    @property
    def shared(self) -> dict[str, float | list[float]]:
        """Names and initial values of the scalars that all variables share."""
        return {}

    @property
    def is_corrected(self) -> bool:
        """Whether a slot is corrected by the number of its updates."""
        return False

    def advance(self, norm, shared, k):
        """Returns what all variables need of the scalars, and the scalars.

        Args:
            norm: Scalar tensor, the norm of the clipped gradient.
            shared: Tuple of tensors, one for each of `shared`.
            k: Scalar integer tensor, the number of this update, 1 at first.

        Returns:
            Two tuples of tensors.
        """
        return (), shared

    def moments(self, u, before: Sequence, learning_rate) -> Sequence:
        """Returns the state after a step.

        Args:
            u: Tensor, the clipped gradient.
            before: Sequence of tensors like `u`, one for each of `slots`.
            learning_rate: Scalar tensor, which Keras' momentum of SGD holds.
        """
        return ()

    def step(
        self, u, before: Sequence, after: Sequence, learning_rate, k, shared
    ):
        """Returns what is subtracted from the variable.

        Args:
            u: Tensor, the clipped gradient.
            before: Sequence of tensors like `u`, the state before the step, by
                which a delayed step is scaled.
            after: Sequence of tensors like `u`, the state after it.
            learning_rate: Scalar tensor.
            k: Tensor that broadcasts to `u`, the number of this update of the
                variable, 1 at first.
            shared: Tuple of scalar tensors, the first that `advance` returns.
        """
        raise NotImplementedError

    def __call__(
        self,
        x,
        g,
        state: Sequence,
        learning_rate,
        k,
        clip: Clip = UNCLIPPED,
        shared: Sequence = (),
        weight_decay: float = 0.0,
    ):
        """Returns the parameters and the state after one step.

        Where the step is not taken is decided before anything is computed from
        the new state. What follows is computed from the state that is kept, so
        that a compiler can write the state in place and read it there.

        Args:
            x: Tensor, the parameters.
            g: Tensor like `x`, their gradient.
            state: Sequence of tensors like `x`, one for each of `slots`.
            learning_rate: Scalar tensor.
            k: Tensor that broadcasts to `x`, the number of this update of the
                variable, 1 at first.
            clip: What clips the gradient. Defaults to nothing.
            shared: Tuple of scalar tensors, the first that `advance` returns.
            weight_decay: Python float, the decoupled weight decay.

        Returns:
            Tuple `(x, state)`.
        """
        u = clip.apply(g)
        finite = clip.finite(u) if self.nonfinite == "skip" else Everywhere()
        moments = self.moments(u, state, learning_rate)
        after = tuple(
            finite.choose(new, old)
            for new, old in zip(moments, state, strict=True)
        )
        step = self.step(u, state, after, learning_rate, k, shared)
        if weight_decay:
            step = step + learning_rate * weight_decay * x
        return finite.choose(x - step, x), after

    def clipped(self, g, clip: Clip, state: Sequence, k):
        """Returns where the last step was clipped, in every coordinate.

        Args:
            g: Tensor, the gradient.
            clip: What clipped it.
            state: Sequence of tensors like `g`, the state after the step.
            k: Tensor that broadcasts to `g`, the number of that update of the
                variable.

        Returns:
            Boolean tensor like `g`.
        """
        return clip.shortens(g)
