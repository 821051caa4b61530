"""ClipAdam for tf_keras and TF Model Garden."""

from collections.abc import Sequence

import tf_keras

from keras_clip.rules import ClipAdamRule
from keras_clip.tf_keras.base import ClippingOptimizer
from keras_clip.thresholds import Threshold


@tf_keras.saving.register_keras_serializable("keras_clip")
class ClipAdam(ClippingOptimizer):
    """Optimizer that implements Clip-Adam, Adam of clipped gradients.

    The same equations, arguments and defaults as `keras_clip.ClipAdam`, for
    models of tf_keras.

    Args:
        learning_rate: A float or a
            `tf_keras.optimizers.schedules.LearningRateSchedule`. Defaults to
            `1e-3`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.9`.
        beta_2: Float in [0, 1), the decay rate of `v`. Defaults to `0.999`.
        epsilon: Positive float in units of the gradient. Defaults to `1e-7`.
        clip_threshold: Positive float in units of the gradient, a threshold of
            `keras_clip.thresholds`, with clipping by coordinate also a list
            with an array for each variable, or `None` for no clipping. Set it
            between steps to change it. Defaults to `1.0`.
        clipping: `"global"`, `"layer"` or `"coordinate"`. Defaults to
            `"global"`.
        delay: 0, or 1 to scale a step by the `v` of the update before it.
            Defaults to `0`.
        initial_accumulator_value: Float, `v` at the start; `None` for 0, or
            1e-5 with a delay. Defaults to `None`.
        weight_decay: Float or `None`, decoupled weight decay. Defaults to
            `None`.
        {{arguments of all}}
        name: String, the name of the optimizer.
        **kwargs: Keyword arguments of `tf_keras.optimizers.Optimizer`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> import tensorflow as tf
    >>> from keras_clip.tf_keras import ClipAdam
    >>> x = tf.Variable([1.0, -2.0])
    >>> optimizer = ClipAdam(learning_rate=0.1, clip_threshold=1.0)
    >>> _ = optimizer.apply_gradients([(tf.constant([3e6, 4e6]), x)])
    >>> print(x.numpy().round(3))
    [ 0.9 -2.1]

    References:
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443), section 4
    """

    def __init__(
        self,
        learning_rate: (
            float | tf_keras.optimizers.schedules.LearningRateSchedule
        ) = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        clip_threshold: float | Sequence | Threshold | None = 1.0,
        clipping: str = "global",
        delay: int = 0,
        initial_accumulator_value: float | None = None,
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
        name: str | None = "clip_adam",
        **kwargs,
    ):
        super().__init__(
            ClipAdamRule(
                beta_1=beta_1,
                beta_2=beta_2,
                epsilon=epsilon,
                clipping=clipping,
                delay=delay,
                initial_accumulator_value=initial_accumulator_value,
                nonfinite=nonfinite,
            ),
            learning_rate=learning_rate,
            clip_threshold=clip_threshold,
            weight_decay=weight_decay,
            jit_compile=jit_compile,
            monitor=monitor,
            exclude_from_weight_decay=exclude_from_weight_decay,
            clip_per_replica=clip_per_replica,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            name=name,
            **kwargs,
        )
