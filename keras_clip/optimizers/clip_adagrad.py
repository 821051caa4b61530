"""ClipAdaGrad for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.clip_adagrad import ClipAdaGradRule
from keras_clip.thresholds import Threshold


@keras.saving.register_keras_serializable("keras_clip")
class ClipAdaGrad(ClippingOptimizer):
    """Optimizer that implements Clip-AdaGrad, AdaGrad on clipped gradients.

    ```
    u = clip(g, τ)
    m = beta_1 · m + (1 − beta_1) · u
    v = v + u²
    x = x − learning_rate · (m / √(v + epsilon) + weight_decay · x)
    ```

    With `beta_1 = 0`, m equals u and is not stored. `clipping` selects what the
    threshold τ limits: the global norm of the gradients (`"global"`), the norm
    of each variable's gradient (`"layer"`), or each coordinate. With a `delay`
    of 1, Clip-AdaGradD, the step uses the `v` of the update before.
    `clip_threshold=None` gives `keras.optimizers.Adagrad`, whose default
    learning rate of 0.001 is too small for most models.

    Coordinates of a gradient with d parameters, clipped at a global norm of 1,
    are about 1/√d: the initial value of 0.1 then dominates `v` for d/10 steps.
    Use a smaller one for large models. With a `delay`, the first step divides
    by the initial value alone: the default of 1e-5 makes it 316 times the
    learning rate, and 0.1 is safer with heavy-tailed noise.

    Args:
        learning_rate: {{learning rate}}
            Defaults to `0.1`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.0`.
        initial_accumulator_value: Float, `v` at the start; `None` for 0.1, or
            1e-5 with a delay. Defaults to `None`. With a delay the first step
            divides by its root: pass about the square of a usual gradient.
        epsilon: Positive float, added to `v`. Defaults to `1e-7`.
        clip_threshold: {{clip threshold}}
        clipping: `"global"`, `"layer"` or `"coordinate"`. Defaults to
            `"global"`.
        delay: 0, or 1 to scale a step by the `v` of the update before it.
            Defaults to `0`.
        {{arguments of all}}

    Example:

    >>> x = keras.Variable([1.0, -2.0])
    >>> gradient = keras.ops.convert_to_tensor([3e6, 4e6])
    >>> optimizer = ClipAdaGrad(learning_rate=0.1, initial_accumulator_value=0)
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.9 -2.1]

    References:
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443), section 4
    """

    rule_class = ClipAdaGradRule

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
        beta_1: float = 0.0,
        initial_accumulator_value: float | None = None,
        epsilon: float = 1e-7,
        clip_threshold: float | Sequence | Threshold | None = 1.0,
        clipping: str = "global",
        delay: int = 0,
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
        name: str | None = "clip_adagrad",
        **kwargs,
    ):
        self._construct(locals())
