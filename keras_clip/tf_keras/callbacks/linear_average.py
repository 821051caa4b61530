"""LinearAverage for tf_keras."""

import tf_keras

from keras_clip.callbacks.base_linear_average import BaseLinearAverage


class LinearAverage(BaseLinearAverage, tf_keras.callbacks.Callback):
    """Callback that averages parameters with weights that grow linearly.

    The same as `keras_clip.callbacks.LinearAverage`, for models of tf_keras.

    Args:
        optimizer: Optimizer whose updates are counted and whose variables are
            averaged, for a model with a `train_step` that uses another than
            `model.optimizer`, or several. Defaults to `None`:
            `model.optimizer`.

    Attributes:
        averages: List of arrays, the average of each variable that the
            optimizer trains, in the order of `model.trainable_variables`.

    Raises:
        ValueError: As `keras_clip.callbacks.LinearAverage`.
    """
