"""ACClip for Keras 3."""

from collections.abc import Sequence

import keras

from keras_clip.front_end.arguments import LearningRate
from keras_clip.optimizers.clipping_optimizer import ClippingOptimizer
from keras_clip.rules.acclip import ACClipRule


@keras.saving.register_keras_serializable("keras_clip")
class ACClip(ClippingOptimizer):
    """Optimizer that implements ACClip, adaptive coordinate-wise clipping.

    Zhang et al. found the gradient noise of attention models heavy-tailed, to a
    different degree in every coordinate. ACClip clips each coordinate of the
    momentum at a threshold that follows the gradients of that coordinate:

    ```
    m     = beta_1 · m + (1 − beta_1) · g
    τ^α   = beta_2 · τ^α + (1 − beta_2) · |g|^α
    ĝ     = min(τ / (|m| + ε), 1) · m
    x     = x − η · ĝ − learning_rate · weight_decay · x
    ```

    with α = `alpha`, ε = `epsilon`, everything per coordinate and zero at the
    start. `step_scaling` sets the step η:

    - `"rms"`: `v = beta_2 · v + (1 − beta_2) · g²` and
      `η = learning_rate / (√(beta_2 · v) + ε)`, as the paper's public
      implementations do. Learning rates are Adam's.
    - `"threshold"`: `η = learning_rate / (τ + ε)`. No coordinate moves by more
      than `learning_rate`, and the state has one tensor less. This variant is
      not from the paper.
    - `None`: `η = learning_rate`, exactly Algorithm 1. The step has the size of
      the gradient, so that learning rates are those of SGD: 0.1 to 10 for
      transformers. At Adam's, such as the paper's 1e-4, it does not train.

    A coordinate whose gradient is NaN or infinite keeps its parameter and its
    state for that step, unless `nonfinite="propagate"`. Gradients are clipped
    after they are aggregated over replicas and accumulated micro-batches;
    duplicate rows of sparse gradients are summed first.

    Args:
        learning_rate: {{learning rate}}
            Defaults to `1e-3`. Start a Transformer with `{{starting rate}}`.
        beta_1: Float in [0, 1), the decay rate of the momentum. Defaults to
            `0.9`.
        beta_2: Float in [0, 1), the decay rate of the threshold and of the
            second moment. Defaults to `0.99`.
        epsilon: Positive float, added to denominators, in units of the
            gradient. Defaults to `1e-5`.
        alpha: Float in [1, 2], the order of the moment that the threshold
            estimates. Noise with a tail index below 2 has no second moment:
            choose `alpha` below the tail index. With 1, embeddings of rare
            words learn slowly: their gradients are mostly zero, and all others
            are clipped far below their size. With 2, almost nothing is clipped,
            which was best on short texts of rare words. Defaults to `1.0`.
        step_scaling: `"rms"`, `"threshold"` or `None`. Defaults to `"rms"`.
        bias_correction: Whether `m`, `τ^α` and `v` are divided by `1 − β^k`.
            Without it, as in the paper, `"rms"` and `None` start with small
            steps, like a warm-up. Defaults to `False`.
        {{arguments of all}}

    Example:

    >>> x = keras.Variable([1.0, -2.0])
    >>> gradient = keras.ops.convert_to_tensor([1e3, 0.5])
    >>> optimizer = ACClip(learning_rate=0.1, step_scaling="threshold")
    >>> _ = optimizer.apply_gradients([(gradient, x)])
    >>> print(keras.ops.convert_to_numpy(x).round(3))
    [ 0.9 -2.1]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), Algorithm 1
    """

    rule_class = ACClipRule

    def __init__(
        self,
        learning_rate: LearningRate = 1e-3,
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
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = "acclip",
        **kwargs,
    ):
        self._construct(locals())
