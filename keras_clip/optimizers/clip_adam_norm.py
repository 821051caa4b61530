"""ClipAdamNorm for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.clip_adam_norm import ClipAdamNormRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class ClipAdamNorm(ClippingOptimizer):
    """Optimizer that implements Clip-Adam-Norm, with and without delay.

    Adam with one scalar `b` for all parameters in place of the second moments,
    on gradients clipped at the threshold λ. Adam-Norm alone does not clip:
    under heavy-tailed noise it fails like SGD.

    ```
    u  = min(1, λ / ‖g‖) · g
    m  = beta_1 · m + (1 − beta_1) · u
    b² = beta_2 · b² + (1 − beta_2) · accumulator_scale · ‖u‖²
    x  = x − learning_rate / b · m − learning_rate · weight_decay · x
    ```

    With a `delay` of d, the step uses the `b` of d updates before. A delay of 1
    is the paper's Clip-AdamD-Norm; `clip_threshold=None` gives Adam-Norm and
    AdamD-Norm. The state is one tensor for each variable, half of Adam's.

    The step has a length of about `learning_rate` over *all* parameters
    together, so a learning rate that suits Adam is far too small here. Small
    Transformers, of 113,000 to 1.6 million parameters, trained at 0.1 to 1.

    Args:
        learning_rate: {{learning rate}}
            Defaults to `0.1`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.9`.
        beta_2: Float in [0, 1), the decay rate of `b²`. Defaults to `0.999`.
        clip_threshold: {{clip threshold}}
        delay: Int from 0, the age in updates of the `b` that a step uses. The
            state has as many scalars more. Defaults to `0`.
        initial_accumulator: Positive float, `b` at the start, or `None` for the
            norm of the first clipped gradient that is not zero, so that the
            start does not depend on the scale of the gradient. With a `delay`
            and few parameters pass a number: that norm may be tiny, and the
            first steps are divided by it. Defaults to `None`.
        accumulator_scale: Positive float, the factor of the squared norms in
            `b²`. Defaults to `1.0`.
        bias_correction: Whether `m` is divided by `1 − beta_1^k` and `b²` by
            `1 − beta_2^k` at update k, which needs `delay=0`. Steps then start
            at √(1 − beta_2) of the learning rate and grow. Defaults to `False`.
        {{arguments of all}}

    Example:

    >>> x = keras.Variable([1.0, -2.0])
    >>> gradient = keras.ops.convert_to_tensor([3e6, 4e6])
    >>> optimizer = ClipAdamNorm(learning_rate=1.0)
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.94 -2.08]

    References:
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443),
          Algorithm 2
    """

    rule_class = ClipAdamNormRule

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        clip_threshold: float | Threshold | None = 1.0,
        delay: int = 0,
        initial_accumulator: float | None = None,
        accumulator_scale: float = 1.0,
        bias_correction: bool = False,
        weight_decay: float | None = None,
        nonfinite: str = "skip",
        jit_compile: bool | str = "auto",
        monitor: bool = False,
        exclude_from_weight_decay: Sequence[str | int] | None = None,
        clip_per_replica: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = "clip_adam_norm",
        **kwargs,
    ):
        self._construct(locals())
