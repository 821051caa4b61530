"""LinearAverage for tf_keras."""

import tf_keras

from keras_clip.callbacks import LinearAverage as KerasLinearAverage
from keras_clip.callbacks.base_linear_average import BaseLinearAverage
from keras_clip.front_end.argument_docs import of_tf_keras


class LinearAverage(BaseLinearAverage, tf_keras.callbacks.Callback):
    """Callback that does what `keras_clip.callbacks.LinearAverage` does."""


LinearAverage.__doc__ = of_tf_keras(KerasLinearAverage.__doc__)
