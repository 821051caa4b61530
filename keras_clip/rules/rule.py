"""What the rules have in common: their protocol and how a step ends."""

from keras import ops

from keras_clip.clipping import clip_by_value
from keras_clip.rules.nonfinite import is_finite
from keras_clip.rules.nonfinite import keep_where


class Rule:
    """One algorithm. Subclasses are frozen dataclasses of hyperparameters.

    Calling a rule maps a variable and its state before a step to those after
    it, each coordinate on its own: any part of a variable can be moved without
    the rest. What coordinates or variables share, it is given.

    Attributes:
        clipping: Operator that the gradient is clipped with: `"global"`,
            `"layer"`, `"coordinate"`, or `None` for a rule without threshold.
        projection_radius: Radius of the ball that all parameters together are
            projected on after each step, or `None`.
        nonfinite: `"skip"` or `"propagate"`.
        is_corrected: Whether moments that are kept for every variable are
            corrected by the number of its updates.
        in_place: `"all"`, `"state"` or `"nothing"`: what is sums of products of
            the values before a step, without division, root or clipping by
            coordinate, and so can be written over them at no loss.
    """

    clipping = None
    projection_radius = None
    nonfinite = "skip"
    is_corrected = False
    in_place: str

    @property
    def slots(self) -> dict[str, float]:
        """Names and initial values of the tensors kept for every variable."""
        raise NotImplementedError

    @property
    def shared(self) -> dict[str, float | list[float]]:
        """Names and initial values of the scalars that all variables share."""
        return {}

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

    def clip(self, g, clip):
        """Returns `u = clip(g, τ)`.

        Args:
            g: Tensor, the gradient.
            clip: Empty tuple for no clipping; else a tuple of the factor
                `min(1, τ/‖g‖)` or, with clipping by coordinate, of τ.

        Returns:
            Tensor like `g`.
        """
        if not clip:
            return g
        if self.clipping == "coordinate":
            return clip_by_value(g, clip[0])
        return clip[0] * g

    def clipped(self, g, clip, state, k):
        """Returns where the last step was clipped, in every coordinate.

        Args:
            g: Tensor, the gradient.
            clip: As for `clip`.
            state: Tuple of tensors like `g`, the state after the step.
            k: Scalar tensor, the number of that update of the variable.

        Returns:
            Boolean tensor like `g`.
        """
        if not clip:
            return ops.zeros_like(g, "bool")
        return ops.absolute(self.clip(g, clip)) < ops.absolute(g)

    def _finite(self, u, clip):
        """Returns where this step is taken.

        A step is decided on before anything is computed from it: what follows
        is computed from the state that is kept, so that a compiler can write
        the state in place and read it there.

        Args:
            u: Tensor, the gradient as the rule uses it.
            clip: As for `clip`. A factor is NaN if any coordinate is bad, and
                says so for all of them.

        Returns:
            Boolean tensor that broadcasts to `u`, or `None` for everywhere.
        """
        if self.nonfinite != "skip":
            return None
        if clip and self.clipping != "coordinate":
            return is_finite(clip[0])
        return is_finite(u)

    def _moved(self, finite, x, step, learning_rate, weight_decay):
        """Returns `x` after a step and its decay.

        Args:
            finite: As from `_finite`.
            x: Tensor, the parameters.
            step: Tensor like `x`.
            learning_rate: Scalar tensor.
            weight_decay: Python float, the decoupled weight decay.

        Returns:
            Tensor like `x`.
        """
        if weight_decay:
            step = step + learning_rate * weight_decay * x
        (x,) = keep_where(finite, (x - step,), (x,))
        return x
