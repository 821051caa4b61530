"""The callbacks for Keras 3, one class per module."""

from keras_clip.callbacks.clip_monitor import ClipMonitor
from keras_clip.callbacks.gradient_noise import GradientNoise
from keras_clip.callbacks.linear_average import LinearAverage

__all__ = ["ClipMonitor", "GradientNoise", "LinearAverage"]
