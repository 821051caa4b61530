"""CClip for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.cclip import CClipRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class CClip(ClippingOptimizer):
    """Optimizer that implements CClip, SGD clipped in every coordinate.

    Every coordinate of the gradient is clipped at its threshold τᵢ. The step is
    that of SGD, with the momentum μ of Keras:

    ```
    uᵢ = min(1, τᵢ / |gᵢ|) · gᵢ
    b  = μ · b − learning_rate · u
    x  = x + b − learning_rate · weight_decay · x
    ```

    No coordinate moves by more than `learning_rate · τᵢ`, so a learning rate
    and a threshold are chosen together, for the scale of the gradients at hand.
    `ACClip` finds its own. A threshold for coordinates is smaller than
    one for the norm, which is √d times as large as d equal coordinates. In a
    Transformer few coordinates reach the default, and CClip is then SGD. A
    small Transformer learned to predict characters best with a threshold of
    0.001 and a learning rate of 3.

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
    >>> gradient = keras.ops.convert_to_tensor([1e3, 0.5])
    >>> optimizer = CClip(learning_rate=0.1, clip_threshold=1.0)
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.9  -2.05]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), section 4.1
    """

    rule_class = CClipRule

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
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
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = "cclip",
        **kwargs,
    ):
        self._construct(locals())
