"""Defines the base class of the rules, which step one variable."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

from keras_clip.clipping import Tensor
from keras_clip.rules.clips import UNCLIPPED
from keras_clip.rules.clips import Clip
from keras_clip.rules.nonfinite import Everywhere
from keras_clip.validation import check_fields
from keras_clip.validation import one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """Base class of the rules: frozen dataclasses of hyperparameters.

    A rule names its state (`slots`), updates it with a gradient (`moments`) and
    computes the step of the variable (`step`). It treats coordinates
    independently, so that any part of a variable can be updated without the
    rest. Numbers that coordinates or variables share are arguments.

    Args:
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of the range declared beside it.

    Attributes:
        operators: Clipping operators for its gradients, the default first, from
            `"global"`, `"layer"` and `"coordinate"`. Empty for a rule without a
            threshold.
        projection_radius: Radius of the ball that all parameters together are
            projected onto after each step, or `None`. Rules with such an
            argument have it as a field.
    """

    nonfinite: str = one_of("skip", ("skip", "propagate"))

    operators: ClassVar[tuple[str, ...]] = ()
    projection_radius: ClassVar[float | None] = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # What is moved otherwise has to say anew where it rests.
        changed = {"slots", "moments", "step", "__call__"} & vars(cls).keys()
        if changed and "rests_at_zero" not in vars(cls):
            cls.rests_at_zero = Rule.rests_at_zero

    def __post_init__(self):
        check_fields(self)

    @property
    def slots(self) -> dict[str, float]:
        """Returns names and initial values of the tensors of each variable."""
        return {}

    @property
    def shared(self) -> dict[str, float | list[float]]:
        """Returns names and initial values of what all variables share."""
        return {}

    @property
    def is_corrected(self) -> bool:
        """Returns whether a slot is corrected by the number of its updates."""
        return False

    @property
    def rests_at_zero(self) -> bool:
        """Returns whether a gradient of zero changes neither `x` nor a slot.

        Of a sparse gradient such a rule needs nothing but the rows.
        """
        return False

    def advance(self, norm: Tensor, shared: Sequence, k: Tensor) -> tuple:
        """Updates what all variables share.

        Args:
            norm: Norm of the clipped gradient, a scalar.
            shared: Tuple of tensors, one for each of `shared`.
            k: Number of this update, from 1, an integer scalar.

        Returns:
            Two tuples of tensors: those that `step` receives, and the new
            values of `shared`.
        """
        return (), shared

    def moments(self, u: Tensor, before: Sequence, learning_rate: Tensor):
        """Returns the state after a step.

        Args:
            u: The clipped gradient.
            before: The state before the step, one tensor for each of `slots`.
            learning_rate: The learning rate, a scalar, which the momentum of
                Keras' SGD contains.
        """
        return ()

    def step(
        self,
        u: Tensor,
        before: Sequence,
        after: Sequence,
        learning_rate: Tensor,
        k: Tensor,
        shared: Sequence,
    ) -> Tensor:
        """Returns the step, which is subtracted from the variable.

        Args:
            u: The clipped gradient.
            before: The state before the step, which scales a delayed step.
            after: The state after the step.
            learning_rate: The learning rate, a scalar.
            k: Number of this update of the variable, from 1; broadcasts to `u`.
            shared: The first tuple that `advance` returns.
        """
        raise NotImplementedError

    def __call__(
        self,
        x: Tensor,
        g: Tensor,
        state: Sequence[Tensor],
        learning_rate: Tensor,
        k: Tensor,
        clip: Clip = UNCLIPPED,
        shared: Sequence[Tensor] = (),
        weight_decay: float = 0.0,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the parameters and the state after one step.

        The new state is settled first: where the step is not taken, it is the
        old one. The step is computed from that state, so that a compiler can
        write the state in place and read it there.

        Args:
            x: The parameters.
            g: Their gradient.
            state: One tensor like `x` for each of `slots`.
            learning_rate: The learning rate, a scalar.
            k: Number of this update of the variable, from 1; broadcasts to `x`.
            clip: The clip of the gradient. Defaults to none.
            shared: The first tuple that `advance` returns. Defaults to `()`.
            weight_decay: The decoupled weight decay. Defaults to `0.0`.

        Returns:
            Tuple `(x, state)`.
        """
        u = clip.apply(g)
        taken = clip.finite(u) if self.nonfinite == "skip" else Everywhere()
        moments = self.moments(u, state, learning_rate)
        after = tuple(
            taken.choose(new, old)
            for new, old in zip(moments, state, strict=True)
        )
        step = self.step(u, state, after, learning_rate, k, shared)
        if weight_decay:
            step = step + learning_rate * weight_decay * x
        return taken.choose(x - step, x), after

    def clipped(self, g: Tensor, clip: Clip, state: Sequence, k: Tensor):
        """Returns which coordinates the last step clipped.

        Args:
            g: The gradient.
            clip: The clip of the gradient.
            state: The state after the step, one tensor for each of `slots`.
            k: Number of that update of the variable; broadcasts to `g`.

        Returns:
            Boolean tensor like `g`.
        """
        return clip.shortens(g)
