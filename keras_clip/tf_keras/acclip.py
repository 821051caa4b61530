"""ACClip for tf_keras and TF Model Garden."""

from collections.abc import Sequence

import tf_keras

from keras_clip.rules import ACClipRule
from keras_clip.tf_keras.base import ClippingOptimizer


@tf_keras.saving.register_keras_serializable("keras_clip")
class ACClip(ClippingOptimizer):
    """Optimizer that implements ACClip, adaptive coordinate-wise clipping.

    The same equations, arguments and defaults as `keras_clip.ACClip`, for
    models of tf_keras. tf_keras has no gradient accumulation and no fixed loss
    scale in its optimizers: `gradient_accumulation_steps` and
    `loss_scale_factor` raise here.

    Args:
        learning_rate: A float or a
            `tf_keras.optimizers.schedules.LearningRateSchedule`. Defaults to
            `1e-4`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.9`.
        beta_2: Float in [0, 1), the decay rate of the threshold and of the
            second moment. Defaults to `0.99`.
        epsilon: Positive float, added to denominators, in units of the
            gradient. Defaults to `1e-5`.
        alpha: Float in [1, 2], the order of the moment that the threshold
            estimates. Defaults to `1.0`.
        step_scaling: `"rms"`, `"threshold"` or `None`. Defaults to `"rms"`.
        bias_correction: Whether moments are divided by `1 − β^k`. Defaults to
            `False`.
        weight_decay: Float or `None`, decoupled weight decay. Defaults to
            `1e-5`.
        {{arguments of all}}
        name: String, the name of the optimizer.
        **kwargs: Keyword arguments of `tf_keras.optimizers.Optimizer`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> import tensorflow as tf
    >>> from keras_clip.tf_keras import ACClip
    >>> x = tf.Variable([1.0, -2.0])
    >>> optimizer = ACClip(learning_rate=0.1, step_scaling="threshold")
    >>> _ = optimizer.apply_gradients([(tf.constant([1e3, 0.5]), x)])
    >>> print(x.numpy().round(3))
    [ 0.9 -2.1]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), Algorithm 1
    """

    def __init__(
        self,
        learning_rate: (
            float | tf_keras.optimizers.schedules.LearningRateSchedule
        ) = 1e-4,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        epsilon: float = 1e-5,
        alpha: float = 1.0,
        step_scaling: str | None = "rms",
        bias_correction: bool = False,
        weight_decay: float | None = 1e-5,
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
        name: str | None = "acclip",
        **kwargs,
    ):
        super().__init__(
            ACClipRule(
                beta_1=beta_1,
                beta_2=beta_2,
                epsilon=epsilon,
                alpha=alpha,
                step_scaling=step_scaling,
                bias_correction=bias_correction,
                nonfinite=nonfinite,
            ),
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            exclude_from_weight_decay=exclude_from_weight_decay,
            jit_compile=jit_compile,
            monitor=monitor,
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
