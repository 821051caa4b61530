"""Steps scaled by one scalar: [Chezhegov et al. 2025], Algorithm 2.

[Chezhegov et al. 2025]: https://arxiv.org/abs/2406.04443
"""

import dataclasses

from keras import ops

from keras_clip.rules.moments import bias_correction
from keras_clip.rules.nonfinite import keep_where
from keras_clip.rules.rule import Rule
from keras_clip.validation import check_choice
from keras_clip.validation import check_integer
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True)
class NormRule(Rule):
    """What Clip-Adam-Norm and Clip-AdaGrad-Norm share: all but how b grows.

    The scalars are `b²` of the last update and, with a delay of d, a ring of
    the d last ones, in which the place of `b_j²` is `j mod d`.

    Args:
        beta_1: Decay rate of the momentum, in [0, 1).
        delay: How many updates old the `b` of a step is.
        initial_accumulator: `b_0`, a positive number, or `None` for the norm of
            the first clipped gradient that is not zero.
        accumulator_scale: Positive factor of the squared norms.
        bias_correction: Whether moments are divided by `1 − beta^k`.
        nonfinite: `"skip"` or `"propagate"`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    beta_1: float = 0.0
    delay: int = 0
    initial_accumulator: float | None = None
    accumulator_scale: float = 1.0
    bias_correction: bool = False
    nonfinite: str = "skip"

    clipping = "global"
    in_place = "all"

    def __post_init__(self):
        checked = {
            "beta_1": check_number("beta_1", self.beta_1, 0, 1, open_high=True),
            "delay": check_integer("delay", self.delay, 0),
            "accumulator_scale": check_number(
                "accumulator_scale", self.accumulator_scale, 0, open_low=True
            ),
        }
        if self.initial_accumulator is not None:
            checked["initial_accumulator"] = check_number(
                "initial_accumulator",
                self.initial_accumulator,
                0,
                open_low=True,
            )
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_choice("bias_correction", self.bias_correction, (False, True))
        if self.bias_correction and self.delay:
            raise ValueError(
                "`bias_correction` must be False with a `delay`. Received: "
                f"bias_correction=True, delay={self.delay}"
            )
        check_choice("nonfinite", self.nonfinite, ("skip", "propagate"))

    @property
    def is_corrected(self) -> bool:
        """See `Rule`: of the moments only `m` is kept for every variable."""
        return self.bias_correction and self.beta_1 > 0

    @property
    def slots(self) -> dict[str, float]:
        """The momentum `m`, which for `beta_1 = 0` is the gradient itself."""
        return {"momentum": 0.0} if self.beta_1 else {}

    @property
    def shared(self) -> dict[str, float | list[float]]:
        """`b²`, and with a delay the ring of its last values."""
        start = (self.initial_accumulator or 0.0) ** 2
        if self.delay:
            ring = [start] * self.delay
            return {"accumulator": start, "delayed_accumulators": ring}
        return {"accumulator": start}

    def advance(self, norm, shared, k):
        """Returns the `b` of this step, and the accumulators after it.

        Args:
            norm: Scalar tensor, the norm of the clipped gradient.
            shared: Tuple of tensors, one for each of `shared`.
            k: Scalar integer tensor, the number of this update, 1 at first.

        Returns:
            Two tuples of tensors.
        """
        square = ops.square(norm)
        if self.initial_accumulator is None:
            # Zeros are what no gradient has been seen by yet.
            shared = tuple(ops.where(b2 == 0, square, b2) for b2 in shared)
        b2, *ring = shared
        b2 = self._accumulated(b2, self.accumulator_scale * square)
        if not self.delay:
            return (ops.sqrt(self._corrected(b2, k)),), (b2,)
        (ring,) = ring
        here = ops.equal(
            ops.arange(self.delay), ops.cast(k, "int32") % self.delay
        )
        delayed = ops.sum(ops.where(here, ring, 0.0))
        return (ops.sqrt(delayed),), (b2, ops.where(here, b2, ring))

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
            shared: Tuple of `b`, a scalar tensor.
            weight_decay: Python float, the decoupled weight decay.

        Returns:
            Tuple `(x, state)`.
        """
        (b,) = shared
        u = self.clip(g, clip)
        finite = self._finite(u, clip)
        m = u
        if self.beta_1:
            m = self.beta_1 * state[0] + (1 - self.beta_1) * u
            state = keep_where(finite, (m,), state)
            (m,) = state
            if self.bias_correction:
                m = m / bias_correction(self.beta_1, k)
        # Without any gradient yet, b and m are zero, and so is the step.
        rate = learning_rate / ops.where(b == 0, 1.0, b)
        x = self._moved(finite, x, rate * m, learning_rate, weight_decay)
        return x, state

    def _accumulated(self, b2, square):
        """Returns `b_k²` of `b_{k−1}²` and `accumulator_scale · ‖u_k‖²`."""
        raise NotImplementedError

    def _corrected(self, b2, k):
        """Returns `b_k²` as a step without delay uses it."""
        return b2
