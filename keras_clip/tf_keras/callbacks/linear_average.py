"""LinearAverage for tf_keras."""

import tf_keras

from keras_clip.averaging import LinearAveraging


class LinearAverage(LinearAveraging, tf_keras.callbacks.Callback):
    """Callback that averages the parameters, the later the heavier.

    The same as `keras_clip.callbacks.LinearAverage`, for models of tf_keras.

    Raises:
        ValueError: When training starts, if `steps_per_execution` is not 1.
    """
