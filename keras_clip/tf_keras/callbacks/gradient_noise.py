"""GradientNoise for tf_keras."""

import tf_keras

from keras_clip.callbacks import GradientNoise as KerasGradientNoise
from keras_clip.callbacks.base_gradient_noise import BaseGradientNoise
from keras_clip.front_end.argument_docs import of_tf_keras


class GradientNoise(BaseGradientNoise, tf_keras.callbacks.Callback):
    """Callback that does what `keras_clip.callbacks.GradientNoise` does."""


GradientNoise.__doc__ = of_tf_keras(KerasGradientNoise.__doc__)
