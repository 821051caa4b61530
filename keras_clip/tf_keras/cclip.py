"""CClip for tf_keras and TF Model Garden."""

from collections.abc import Sequence

import tf_keras

from keras_clip.rules import CClipRule
from keras_clip.tf_keras.base import ClippingOptimizer
from keras_clip.thresholds import Threshold


@tf_keras.saving.register_keras_serializable("keras_clip")
class CClip(ClippingOptimizer):
    """Optimizer that implements CClip, SGD clipped in every coordinate.

    The same equations, arguments and defaults as `keras_clip.CClip`, for models
    of tf_keras.

    Args:
        learning_rate: A float or a
            `tf_keras.optimizers.schedules.LearningRateSchedule`. Defaults to
            `0.1`. Start a Transformer with `{{starting rate}}`.
        clip_threshold: Positive float in units of the gradient, a list with an
            array for each variable that broadcasts to its shape, a threshold of
            `keras_clip.thresholds`, or `None` for no clipping. Set it between
            steps to change it. Defaults to `0.1`.
        momentum: Float in [0, 1), as in `keras.optimizers.SGD`. Defaults to
            `0.0`.
        projection_radius: Positive float or `None`. All parameters together are
            projected on the ball of this radius around 0 after each step, as
            the theorems for strongly convex functions ask. Defaults to `None`.
        weight_decay: Float or `None`, decoupled weight decay. Defaults to
            `None`.
        {{arguments of all}}
        name: String, the name of the optimizer.
        **kwargs: Keyword arguments of `tf_keras.optimizers.Optimizer`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> import tensorflow as tf
    >>> from keras_clip.tf_keras import CClip
    >>> x = tf.Variable([1.0, -2.0])
    >>> optimizer = CClip(learning_rate=0.1, clip_threshold=1.0)
    >>> _ = optimizer.apply_gradients([(tf.constant([1e3, 0.5]), x)])
    >>> print(x.numpy().round(3))
    [ 0.9  -2.05]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), section 4.1
    """

    def __init__(
        self,
        learning_rate: (
            float | tf_keras.optimizers.schedules.LearningRateSchedule
        ) = 0.1,
        clip_threshold: float | Sequence | Threshold | None = 0.1,
        momentum: float = 0.0,
        projection_radius: float | None = None,
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
        name: str | None = "cclip",
        **kwargs,
    ):
        super().__init__(
            CClipRule(
                momentum=momentum,
                projection_radius=projection_radius,
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
