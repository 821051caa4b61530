"""The callbacks for tf_keras, one class per module."""

from keras_clip.tf_keras.callbacks.clip_monitor import ClipMonitor
from keras_clip.tf_keras.callbacks.gradient_noise import GradientNoise
from keras_clip.tf_keras.callbacks.linear_average import LinearAverage

__all__ = ["ClipMonitor", "GradientNoise", "LinearAverage"]
