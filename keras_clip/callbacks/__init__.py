"""Callbacks for Keras 3, one class a module."""

from keras_clip.callbacks.linear_average import LinearAverage

__all__ = ["LinearAverage"]
