"""GClip for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.gclip import GClipRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class GClip(ClippingOptimizer):
    """Optimizer that implements GClip, SGD clipped by the global norm.

    The gradient of all variables together is clipped at the threshold τ. The
    step is that of SGD, with the momentum μ of Keras:

    ```
    u = min(1, τ / ‖g‖) · g
    b = μ · b − learning_rate · u
    x = x + b − learning_rate · weight_decay · x
    ```

    If the gradient noise has no variance, SGD diverges and GClip converges. No
    step is longer than `learning_rate · τ`, so a learning rate and a threshold
    are chosen together, for the scale of the gradients at hand. A small
    Transformer learned to predict characters with learning rates of 0.1 to 3,
    and better with `momentum=0.9` and 0.01 to 0.3. On sentences of rare words,
    SGD was far slower than Adam, clipped or not.

    Args:
        learning_rate: {{learning rate}}
            Defaults to `0.1`. Start a Transformer with `{{starting rate}}`.
        clip_threshold: {{clip threshold}}
        momentum: Float in [0, 1), as in `keras.optimizers.SGD`. Defaults to
            `0.0`.
        projection_radius: Positive float or `None`. All parameters together are
            projected onto the ball of this radius around 0 after each step, as
            theorems for strongly convex functions require. Defaults to `None`.
        {{arguments of all}}

    Example:

    >>> x = keras.Variable([1.0, -2.0])
    >>> gradient = keras.ops.convert_to_tensor([3.0, 4.0])
    >>> optimizer = GClip(learning_rate=0.1, clip_threshold=1.0)
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.94 -2.08]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), section 3.1
    """

    rule_class = GClipRule

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
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
        self._construct(locals())
