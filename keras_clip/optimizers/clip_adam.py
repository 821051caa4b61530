"""ClipAdam for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.clip_adam import ClipAdamRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class ClipAdam(ClippingOptimizer):
    """Optimizer that implements Clip-Adam, Adam on clipped gradients.

    Adam alone does not clip, and is not robust to heavy-tailed noise.

    ```
    u = clip(g, τ)
    m = beta_1 · m + (1 − beta_1) · u
    v = beta_2 · v + (1 − beta_2) · u²
    η = learning_rate · √(1 − beta_2^k) / (1 − beta_1^k)
    x = x − η · m / (√v + epsilon) − learning_rate · weight_decay · x
    ```

    `clipping` selects what the threshold τ limits: the global norm of the
    gradients (`"global"`), the norm of each variable's gradient (`"layer"`), or
    each coordinate. With a `delay` of 1, Clip-AdamD, the step uses the `v` of
    the update before, without bias correction. `clip_threshold=None` gives
    `keras.optimizers.Adam`.

    Args:
        learning_rate: {{learning rate}}
            Defaults to `1e-3`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.9`.
        beta_2: Float in [0, 1), the decay rate of `v`. Defaults to `0.999`.
        epsilon: Positive float in units of the gradient. Defaults to `1e-7`.
        clip_threshold: {{clip threshold}}
        clipping: `"global"`, `"layer"` or `"coordinate"`. Defaults to
            `"global"`.
        delay: 0, or 1 to scale a step by the `v` of the update before it.
            Defaults to `0`.
        initial_accumulator_value: Float, `v` at the start; `None` for 0, or
            1e-5 with a delay. Defaults to `None`. With a delay the first step
            divides by its root: pass about the square of a usual gradient.
        {{arguments of all}}

    Example:

    >>> x = keras.Variable([1.0, -2.0])
    >>> gradient = keras.ops.convert_to_tensor([3e6, 4e6])
    >>> optimizer = ClipAdam(learning_rate=0.1, clip_threshold=1.0)
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.9 -2.1]

    References:
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443), section 4
    """

    rule_class = ClipAdamRule

    def __init__(
        self,
        learning_rate: LearningRate = 1e-3,
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
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = "clip_adam",
        **kwargs,
    ):
        self._construct(locals())
