"""Adds heavy-tailed noise to the gradients of any optimizer of Keras."""

import numpy as np

# That of the second paper's quadratic: P(|ξ| > t) = (1 + t)^(−3/2).
_TAIL_INDEX = 1.5


def with_noise(cls: type, scale: float, seed: int) -> type:
    """Returns an optimizer's class whose gradients have noise in them.

    ```
    g ← g + scale · ξ · u
    ```

    u is a random direction of length 1 in the space of all parameters, and ξ
    has the symmetric law of the second paper's quadratic, with a tail index of
    1.5.

    Args:
        cls: Class of an optimizer of Keras 3 on TensorFlow.
        scale: Length of the noise where ξ is 1.
        seed: Seed of the noise.
    """
    import tensorflow as tf

    rng = np.random.default_rng([seed, 2])

    class Noisy(cls):
        def apply(self, grads, trainable_variables=None):
            grads = [tf.convert_to_tensor(gradient) for gradient in grads]
            # Doubles: single precision has uniforms of 0, and no small ones.
            length = tf.numpy_function(
                lambda: np.float32(scale * _noise(rng)), [], tf.float32
            )
            directions = [tf.random.normal(g.shape) for g in grads]
            factor = length / tf.linalg.global_norm(directions)
            super().apply(
                [
                    gradient + factor * direction
                    for gradient, direction in zip(
                        grads, directions, strict=True
                    )
                ],
                trainable_variables,
            )

    return Noisy


def _noise(rng):
    """Returns a sample of ξ."""
    size = (1 - rng.random()) ** (-1 / _TAIL_INDEX) - 1
    return size if rng.random() < 0.5 else -size
