"""Scales steps by one scalar: [Chezhegov et al. 2025], Algorithm 2.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.clipping import Tensor
from keras_clip.rules.moments import bias_correction
from keras_clip.rules.rule import Rule
from keras_clip.validation import integer_from
from keras_clip.validation import one_of
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class NormRule(Rule):
    """Takes a step of Clip-Adam-Norm or Clip-AdaGrad-Norm for one variable.

    They differ in `accumulated`, which updates `b²`.

    The shared scalars are `b²` of the last update and, with a delay of d, a
    ring buffer of its last d values, in which `b_j²` is at index `j mod d`.

    Args:
        beta_1: Decay rate of the momentum.
        delay: Age of the `b` of a step, in updates.
        initial_accumulator: `b_0`, or `None` for the norm of the first clipped
            gradient that is not zero.
        accumulator_scale: Factor of the squared norms.
        bias_correction: Whether moments are divided by `1 − beta^k`. Must be
            `False` with a delay.
    """

    beta_1: float = within(0.0, "[0, 1)")
    delay: int = integer_from(0, default=0)
    initial_accumulator: float | None = within(None, "(0, inf)", optional=True)
    accumulator_scale: float = within(1.0, "(0, inf)")
    bias_correction: bool = one_of(False, (False, True))

    operators = ("global",)

    def __post_init__(self):
        super().__post_init__()
        if self.bias_correction and self.delay:
            raise ValueError(
                "`bias_correction` must be False with a `delay`. Received: "
                f"bias_correction=True, delay={self.delay}"
            )

    @property
    def is_corrected(self) -> bool:
        """Returns whether `m`, the only slot, is bias-corrected; see `Rule`."""
        return self.bias_correction and self.beta_1 > 0

    @property
    def slots(self) -> dict[str, float]:
        """Names the momentum `m`, unless it equals the gradient; see `Rule`."""
        return {"momentum": 0.0} if self.beta_1 else {}

    @property
    def rests_at_zero(self) -> bool:
        """Returns whether there is no momentum; see `Rule`."""
        return not self.beta_1

    @property
    def shared(self) -> dict[str, float | list[float]]:
        """Names `b²` and, with a delay, the buffer of its last values."""
        start = (self.initial_accumulator or 0.0) ** 2
        if self.delay:
            ring = [start] * self.delay
            return {"accumulator": start, "delayed_accumulators": ring}
        return {"accumulator": start}

    def accumulated(self, b2: Tensor, square: Tensor) -> Tensor:
        """Returns `b_k²`.

        Args:
            b2: `b_{k−1}²`, a scalar.
            square: `accumulator_scale · ‖u_k‖²`, a scalar.
        """
        raise NotImplementedError

    def bias_corrected(self, b2: Tensor, k: Tensor) -> Tensor:
        """Returns `b_k²` as a step without delay uses it.

        Args:
            b2: `b_k²`, a scalar.
            k: Number of the update, an integer scalar.
        """
        return b2

    def advance(self, norm, shared, k):
        """Returns the `b` of this step, and the accumulators after it.

        Args:
            norm: Scalar tensor, the norm of the clipped gradient, `‖u_k‖`.
            shared: Tuple of `b_{k−1}²` and, with a delay, of the ring.
            k: Scalar integer tensor, the number of this update, 1 at first.

        Returns:
            Two tuples of tensors: of `b`, and like `shared`.
        """
        square = ops.square(norm)
        if self.initial_accumulator is None:
            # Accumulators are zero until the first gradient that is not.
            shared = tuple(
                ops.where(ops.equal(old, ops.zeros_like(old)), square, old)
                for old in shared
            )
        b2, *rings = shared
        b2 = self.accumulated(b2, self.accumulator_scale * square)
        if not self.delay:
            return (ops.sqrt(self.bias_corrected(b2, k)),), (b2,)
        (ring,) = rings
        here = ops.equal(
            ops.arange(self.delay), ops.cast(k, "int32") % self.delay
        )
        delayed = ops.sum(ops.where(here, ring, ops.zeros_like(ring)))
        return (ops.sqrt(delayed),), (b2, ops.where(here, b2, ring))

    def moments(self, u, before, learning_rate):
        """Returns `m`, if there is one; see `Rule`."""
        return tuple(self.beta_1 * m + (1 - self.beta_1) * u for m in before)

    def step(self, u, before, after, learning_rate, k, shared):
        """Returns `lr / b · m`; see `Rule`."""
        (b,) = shared
        (m,) = after or (u,)
        if self.is_corrected:
            m = m / bias_correction(self.beta_1, k)
        # Before the first gradient b and m are zero, and so is the step.
        return learning_rate / ops.where(ops.equal(b, 0), 1.0, b) * m
