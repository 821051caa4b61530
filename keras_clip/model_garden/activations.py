"""Registers the exact GELU, by name, for Model Garden's configs."""

import tensorflow as tf
import tf_keras


@tf_keras.utils.register_keras_serializable("keras_clip", name="gelu")
def gelu(x: tf.Tensor) -> tf.Tensor:
    r"""Returns the Gaussian error linear unit, as Hugging Face's BERT has it.

    $$
    \mathrm{gelu}(x) = \frac{x}{2}
        \left(1 + \mathrm{erf}\frac{x}{\sqrt{2}}\right)
    $$

    A config names it `keras_clip>gelu`. Model Garden's own `gelu` is the
    approximation with tanh (official/modeling/activations/gelu.py, 2.20.0),
    which differs by up to 5e-4.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of the same shape.

    Example:

    >>> import tensorflow as tf
    >>> from keras_clip.model_garden import gelu
    >>> values = gelu(tf.constant([-1.0, 0.0, 1.0])).numpy().tolist()
    >>> [round(value, 4) for value in values]
    [-0.1587, 0.0, 0.8413]

    References:

    - [Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    return tf.nn.gelu(x, approximate=False)
