"""ClipAdaGradNorm for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.clip_adagrad_norm import ClipAdaGradNormRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class ClipAdaGradNorm(ClippingOptimizer):
    """Optimizer that implements Clip-AdaGrad-Norm, with and without delay.

    AdaGrad with one scalar `b` for all parameters, on gradients clipped at the
    threshold λ:

    ```
    u  = min(1, λ / ‖g‖) · g
    m  = beta_1 · m + (1 − beta_1) · u
    b² = b² + accumulator_scale · ‖u‖²
    x  = x − learning_rate / b · m − learning_rate · weight_decay · x
    ```

    With `beta_1 = 0`, m equals u and no tensor is stored. With a `delay` of d,
    the step uses the `b` of d updates before. A delay of 1 is the paper's
    Clip-AdaGradD-Norm; `clip_threshold=None` gives AdaGrad-Norm and
    AdaGradD-Norm, which a single very large gradient slows down for good.

    The first step has a length of about `learning_rate` over *all* parameters
    together, the k-th step about 1/√k of that. A learning rate that suits
    `keras.optimizers.Adagrad` is therefore too small here. Small Transformers,
    of 113,000 to 1.6 million parameters, trained at 1 to 10.

    Args:
        learning_rate: {{learning rate}}
            Defaults to `1.0`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.0`.
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
        bias_correction: Whether `m` is divided by `1 − beta_1^k` at update k,
            which needs `delay=0`. Defaults to `False`.
        {{arguments of all}}

    Example:

    >>> x = keras.Variable([1.0, -2.0])
    >>> gradient = keras.ops.convert_to_tensor([3e6, 4e6])
    >>> optimizer = ClipAdaGradNorm(learning_rate=0.5, initial_accumulator=0.75)
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.76 -2.32]

    References:
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443),
          Algorithm 2
    """

    rule_class = ClipAdaGradNormRule

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        beta_1: float = 0.0,
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
        name: str | None = "clip_adagrad_norm",
        **kwargs,
    ):
        self._construct(locals())
