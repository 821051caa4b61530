"""GClip for Keras 3."""

from collections.abc import Callable
from collections.abc import Sequence

import keras

from keras_clip.optimizers.optimizer import ClippingOptimizer
from keras_clip.rules import GClipRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class GClip(ClippingOptimizer):
    """Optimizer that implements GClip, SGD clipped by the global norm.

    The gradient of all variables together is shortened to the threshold τ, then
    stepped by as SGD does, with Keras' momentum μ:

    ```
    u = min(1, τ / ‖g‖) · g
    b = μ · b − learning_rate · u
    x = x + b − learning_rate · weight_decay · x
    ```

    Where the noise of the gradient has no variance, SGD diverges and this
    converges. No step is longer than `learning_rate · τ`, so a learning rate
    and a threshold are chosen together, for the scale of the gradients at hand.
    A small Transformer learned to predict characters at 0.1 to 3, and better
    with `momentum=0.9`, at 0.01 to 0.3. On sentences of rare words SGD got on
    far more slowly than Adam, clipped or not.

    Args:
        learning_rate: A float, a
            `keras.optimizers.schedules.LearningRateSchedule` instance, or a
            callable that takes no arguments and returns the value to use.
            Defaults to `0.1`. Start a Transformer with `{{starting rate}}`.
        clip_threshold: Positive float in units of the gradient, a threshold of
            `keras_clip.thresholds`, or `None` for no clipping. Set it between
            steps to change it. Defaults to `1.0`.
        momentum: Float in [0, 1), as in `keras.optimizers.SGD`. Defaults to
            `0.0`.
        projection_radius: Positive float or `None`. All parameters together are
            projected on the ball of this radius around 0 after each step, as
            the theorems for strongly convex functions ask. Defaults to `None`.
        weight_decay: Float or `None`, decoupled weight decay. Defaults to
            `None`.
        {{arguments of all}}
        name: String, the name of the optimizer.
        **kwargs: Keyword arguments of `keras.optimizers.Optimizer`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> x = keras.Variable([1.0, -2.0])
    >>> optimizer = GClip(learning_rate=0.1, clip_threshold=1.0)
    >>> optimizer.apply([keras.ops.convert_to_tensor([3.0, 4.0])], [x])
    >>> print(np.round(keras.ops.convert_to_numpy(x), 3))
    [ 0.94 -2.08]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), section 3.1
    """

    def __init__(
        self,
        learning_rate: (
            float | keras.optimizers.schedules.LearningRateSchedule | Callable
        ) = 0.1,
        clip_threshold: float | Threshold | None = 1.0,
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
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = "gclip",
        **kwargs,
    ):
        super().__init__(
            GClipRule(
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
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
